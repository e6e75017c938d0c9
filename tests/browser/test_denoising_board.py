"""Lesson 12's board of denoisers: the ring and the curves under the mouse, and what it says of odd input."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aelib.data import digits, shapes
from aelib.denoising import Denoiser
from aelib.widgets.denoising_board import LOG2_SIGMA, DenoisingBoard
from tests.browser.table import denoising_board, says, shown


def drag(page, box: dict, places: list[tuple[float, float]], read: str) -> list[float]:
    """The figure `read` at each place, in shares of the box."""
    found = []
    for k, (a, b) in enumerate(places):
        page.mouse.move(box["x"] + a * box["width"], box["y"] + b * box["height"])
        if k == 0:
            page.mouse.down()
        page.wait_for_timeout(60)
        found.append(float(shown(page)[read]))
    page.mouse.up()
    return found


def test_the_ring_follows_the_mouse(plain_page):
    page = plain_page.mount(denoising_board())
    box = page.locator(".ae-plane").bounding_box()
    across = drag(page, box, [(0.1, 0.5), (0.4, 0.5), (0.7, 0.5), (0.95, 0.5)], "across")
    assert across == sorted(across)
    assert len(set(across)) == 4
    assert float(shown(page)["up"]) == pytest.approx(0, abs=0.1)


def test_the_curves_choose_the_noise(plain_page):
    page = plain_page.mount(denoising_board())
    box = page.locator(".ae-chart").first.bounding_box()
    sigmas = drag(page, box, [(0.3, 0.5), (0.5, 0.5), (0.7, 0.5), (0.9, 0.5)], "sigma")
    assert sigmas == sorted(sigmas)
    assert len(set(sigmas)) == 4
    assert f"At σ = {sigmas[-1]:.3g}" in says(page)


def test_more_noise_more_error():
    widget, found = denoising_board(), []
    for power in np.linspace(*LOG2_SIGMA, 5):
        widget.sigma = 2**power
        found.append([widget.figures()[name] for name in ("noisy", "table", "linear")])
    assert (np.diff(found, axis=0) > -1e-3).all()


def test_the_flow_starts_at_the_ring_and_ends_on_a_point():
    widget = denoising_board(sigma=1.0, across=-1.2, up=0.4)
    way = widget.flow()
    np.testing.assert_allclose(way[0], [-1.2, 0.4])
    assert np.linalg.norm(widget.array("points") - way[-1], axis=1).min() < 1e-3


def test_what_the_board_cannot_show_is_told_in_a_sentence():
    data = digits()
    model, points = Denoiser(data.train, hidden=(4,)), torch.zeros(3, 2)
    with pytest.raises(ValueError, match="8 x 8 pictures of at most 32 grey levels; shapes has"):
        DenoisingBoard.from_model(shapes(50), model, points)
    for odd in (torch.zeros(3, 3), torch.zeros(0, 2), torch.full((2, 2), 5.0), torch.full((2, 2), torch.nan)):
        with pytest.raises(ValueError, match=r"points should have the shape \(n, 2\)"):
            DenoisingBoard.from_model(data, model, odd)
