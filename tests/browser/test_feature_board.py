"""Lesson 14's interactives: the curve under the mouse, guesses, turned codes, and what they say of odd input."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aelib.data import digits, shapes
from aelib.sparse import SparseAutoencoder, best_code, expected_error
from aelib.widgets.feature_board import SEVERAL, FeatureBoard
from aelib.widgets.feature_plane import FeaturePlane
from tests.browser.table import feature_board, feature_plane, says, shown


def test_the_curve_chooses_how_often_features_are_on(plain_page):
    page = plain_page.mount(feature_plane())
    box = page.locator(".ae-chart").first.bounding_box()
    found = []
    for part in (0.3, 0.55, 0.9):
        page.mouse.click(box["x"] + part * box["width"], box["y"] + 0.5 * box["height"])
        found.append(float(shown(page)["p"]))
    assert found == sorted(found)
    assert len(set(found)) == 3


def test_another_direction_asks_again(plain_page):
    page = plain_page.mount(feature_board(guess=3))
    assert "Which digit" not in says(page)
    page.get_by_role("slider", name="Direction").press("ArrowRight")
    assert shown(page)["guess"] == "-1"
    assert "Which digit do the pictures show?" in says(page)


def test_one_guess_alone_is_right_and_the_twelve_pictures_decide():
    board, data = feature_board(), digits()
    labels = {
        picture.tobytes(): label
        for picture, label in zip(data.raw.numpy(), data.labels.tolist(), strict=True)
    }
    images = board.array("images").astype(data.raw.numpy().dtype)
    for place, top in enumerate(board.array("top")[0].astype(int)):
        shown_labels = np.bincount([int(labels[images[k].tobytes()]) for k in top], minlength=10)
        board.place = place
        right = []
        for guess in range(SEVERAL + 1):
            board.guess = guess
            right += [guess] * board.is_right()
        assert right == [shown_labels.argmax() if shown_labels.max() > 6 else SEVERAL]


def test_turned_codes_have_the_same_error():
    p = torch.tensor([0.03, 0.1, 0.3]).double()
    code = best_code(p, restarts=2, steps=60)
    board = FeaturePlane.from_code(p, code)
    W, bias = (torch.tensor(board.array(name)) for name in ("W", "bias"))
    np.testing.assert_allclose(expected_error(W, bias, p), code.error, rtol=1e-9)


def test_what_the_board_cannot_show_is_told_in_a_sentence():
    data, read = digits(), lambda h: h.log_softmax(dim=1)
    h = data.train, data.held_out
    off = SparseAutoencoder(64, 20)
    torch.nn.init.constant_(off.bias, -100.0)
    with pytest.raises(ValueError, match=r"at λ = 0\.5 only 0 features are in use"):
        FeatureBoard.from_models(data, h, read, {0.5: off})
    with pytest.raises(ValueError, match="labelled 8 x 8 pictures of at most 32 grey levels; shapes has"):
        FeatureBoard.from_models(shapes(50), h, read, {0.5: off})
