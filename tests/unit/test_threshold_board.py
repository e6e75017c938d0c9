"""Lesson 11's board in Python: the area and the curve against scikit-learn, the pictures, and what it refuses."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.metrics import auc, roc_auc_score

from aelib.widgets.threshold_board import ThresholdBoard, area, roc


def scores(n_normal: int, n_strange: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.integers(0, 9, n_normal) * 1.0, generator.integers(2, 12, n_strange) * 1.0


@pytest.mark.parametrize("sizes", [(40, 30), (1, 5), (7, 1)])
def test_area_is_that_of_scikit_learn_ties_included(sizes):
    normal, strange = scores(*sizes)
    labels = [0] * len(normal) + [1] * len(strange)
    assert area(normal, strange) == pytest.approx(roc_auc_score(labels, np.r_[normal, strange]))
    assert auc(*roc(normal, strange).T) == pytest.approx(area(normal, strange))
    assert area(normal, normal) == pytest.approx(0.5)


def board() -> ThresholdBoard:
    images = {"digits": np.eye(4), "faxes": 1 - np.eye(4)[:3]}
    table = {"digits": {"nats": [1, 2, 3, 4]}, "faxes": {"nats": [0, 2, 5]}}
    return ThresholdBoard.from_scores(images, table, (2, 2), position=96)


def test_measures_of_a_small_board():
    now = board()
    assert now.threshold() == pytest.approx(2.0)
    assert now.measures() == {
        "false_alarms": 2,
        "caught": 1,
        "false_share": 0.5,
        "caught_share": pytest.approx(1 / 3),
        "precision": pytest.approx(1 / 3),
        "area": pytest.approx((0 + 1.5 + 4) / 12),
    }
    assert now.nearest() == [4, 0, 1, 5, 2, 3, 6]


@pytest.mark.parametrize(
    ("images", "table", "words"),
    [
        ({"digits": np.eye(4)}, {"digits": {"nats": [1, 2, 3, 4]}}, "at least one strange one"),
        (
            {"a": np.eye(4), "b": np.eye(4)[:, :3]},
            {"a": {"s": [1, 2, 3, 4]}, "b": {"s": [1, 2, 3, 4]}},
            "expected (n, 4)",
        ),
        (
            {"a": np.eye(4), "b": np.eye(4)},
            {"a": {"s": [1, 2, 3]}, "b": {"s": [1, 2, 3, 4]}},
            "4 finite numbers",
        ),
        (
            {"a": np.eye(4), "b": np.eye(4)},
            {"a": {"s": [1, 2, 3, np.nan]}, "b": {"s": [1, 2, 3, 4]}},
            "4 finite numbers",
        ),
    ],
)
def test_bad_input_gets_a_sentence(images, table, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        ThresholdBoard.from_scores(images, table, (2, 2))
