"""The board of four desiderata: its toy, its knobs, and what each of them leaves alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from aelib import desiderata
from aelib.bijections import bin_order
from aelib.widgets.desiderata_board import (
    CELLS,
    INK,
    N_EXAMPLES,
    N_TRAIN,
    ORDER_SEED,
    SIDE,
    SPOTS,
    DesiderataBoard,
    centre_of_ink,
    draw_spots,
)


def scores(**knobs: float) -> dict[str, float]:
    return DesiderataBoard(**({"degrees": 0} | knobs)).figures()


PLAIN = scores()


def test_a_spot_has_its_ink_and_its_centre_wherever_it_is():
    z = 2 * torch.rand(500, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 1
    pictures = draw_spots(z)
    assert pictures.shape == (500, SIDE**2)
    np.testing.assert_allclose(pictures.sum(dim=1), INK, atol=1e-12)
    np.testing.assert_allclose(centre_of_ink(pictures), z, atol=1e-12)
    assert pictures.min() >= 0 and pictures.max() <= 1


def test_right_is_right_and_up_is_up():
    picture = draw_spots(torch.tensor([[1.0, 1.0]])).reshape(SIDE, SIDE)
    row, column = divmod(int(picture.argmax()), SIDE)
    assert row < SIDE / 2 < column


def test_the_centre_of_a_blend_is_the_blend_of_the_centres():
    one, other = SPOTS.pictures[:50], SPOTS.pictures[50:100]
    blend = centre_of_ink(0.9 * one + 0.1 * other)
    np.testing.assert_allclose(blend, 0.9 * SPOTS.factors[:50] + 0.1 * SPOTS.factors[50:100], atol=1e-12)


def test_partners_are_those_of_robust():
    asked = []
    desiderata.robust(lambda x: asked.append(x) or centre_of_ink(x), SPOTS.held_out, seed=SPOTS.seed)
    partner = asked[0] + (asked[1] - asked[0]) / 0.1
    np.testing.assert_allclose(partner, SPOTS.held_out[SPOTS.partner], atol=1e-12)


def test_the_standard_is_that_of_representative():
    found = desiderata.representative(SPOTS.held_out, SPOTS.train, SPOTS.held_out)
    radius, _, coverage = SPOTS.standard
    assert (found.real_coverage, len(radius)) == (coverage, N_TRAIN)


def test_at_rest_all_gauges_are_full_or_nearly():
    assert PLAIN["informative"] == pytest.approx(1, abs=1e-12) and PLAIN["robust"] == 1
    assert PLAIN["disentangled"] > 0.95 and PLAIN["representative"] > 0.9


@pytest.mark.parametrize(
    "others", [{}, {"noise": 0.1}, {"cells": 10}, {"noise": 0.05, "cells": 5, "gap": 0.3}]
)
def test_a_turn_touches_disentangled_only(others: dict):
    before = scores(**others)
    for degrees in (15, 45, 77, 90):
        after = scores(**others, degrees=degrees)
        for name in ("informative", "robust", "representative"):
            assert after[name] == pytest.approx(before[name], abs=1e-9), (degrees, name)
    assert after["disentangled"] == pytest.approx(before["disentangled"], abs=1e-9), "90 degrees"


def test_45_degrees_is_worst():
    told = [scores(degrees=degrees)["disentangled"] for degrees in (0, 15, 30, 45, 60, 75, 90)]
    assert int(np.argmin(told)) == 3 and told[3] < 0.05


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("cells", CELLS[1:])
def test_scrambling_takes_robust(cells: int, noise: float):
    before, after = scores(noise=noise), scores(cells=cells, noise=noise)
    assert after["informative"] == pytest.approx(before["informative"], abs=1e-9)
    assert after["disentangled"] == pytest.approx(before["disentangled"], abs=1e-9)
    assert after["robust"] < 0.2
    if noise == 0:
        assert after["representative"] == pytest.approx(before["representative"], abs=0.03)


def test_noise_takes_three_and_leaves_representative():
    fewer = [scores(noise=noise) for noise in (0, 0.02, 0.05, 0.1, 0.2, 0.3)]
    for name in ("informative", "disentangled", "robust"):
        told = [score[name] for score in fewer]
        assert all(after < before for before, after in pairwise(told)), name
    assert {score["representative"] for score in fewer} == {PLAIN["representative"]}


def test_holes_take_representative_first():
    for gap in (0.1, 0.3, 0.6):
        after = scores(gap=gap)
        assert after["informative"] == pytest.approx(1, abs=1e-12)
        assert after["disentangled"] == pytest.approx(PLAIN["disentangled"], abs=1e-9)
        assert PLAIN["representative"] - after["representative"] > PLAIN["robust"] - after["robust"]
    assert after["representative"] < 0.3


def test_the_law_of_codes_grows_with_the_holes_and_turns():
    for gap in (0.0, 0.5):
        drawn = DesiderataBoard(degrees=0, gap=gap).drawn()
        assert drawn.abs().max() == pytest.approx(1 + gap, abs=0.02)
        turned = DesiderataBoard(degrees=90, gap=gap).drawn()
        np.testing.assert_allclose(turned, torch.stack([-drawn[:, 1], drawn[:, 0]], dim=1), atol=1e-12)


@pytest.mark.parametrize("knobs", [{"cells": 10}, {"gap": 0.6}, {"cells": 5, "gap": 0.4, "degrees": 33}])
def test_undo_undoes(knobs: dict):
    board = DesiderataBoard(**knobs, noise=0.2)
    z = board.noisy()
    np.testing.assert_allclose(board.undo(board.change(z)), z, atol=1e-9)


def test_every_shuffle_moves_cells_in_both_coordinates():
    for cells in CELLS[1:]:
        order = bin_order(cells, 2, ORDER_SEED)
        assert ((order != torch.arange(cells)).sum(dim=1) >= 2).all()


def test_what_travels():
    sent = DesiderataBoard().arrays
    held_out = N_EXAMPLES - N_TRAIN
    count = sum(int(np.prod(packed["shape"])) for packed in sent.values())
    assert count == 4 * N_EXAMPLES + 5 * held_out + N_TRAIN + 2 + 2 * sum(CELLS[1:])
    assert sum(len(packed["data"]) for packed in sent.values()) < 60_000


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"noise should lie between 0 and 0\.3, got 1"):
        DesiderataBoard(noise=1.0)
    with pytest.raises(ValueError, match="cells should be one of"):
        DesiderataBoard(cells=7)


def test_what_is_sent_is_what_python_has():
    board = DesiderataBoard(degrees=45)
    np.testing.assert_array_equal(board.array("factors"), SPOTS.factors)
    np.testing.assert_array_equal(board.array("partner"), SPOTS.partner)
    assert board.words().startswith("What breaks which property? Turn, scramble, blur and part a code")
