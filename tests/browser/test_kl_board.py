"""Lesson 07's board: what it shows is what Python computes, and it moves by mouse, finger and keys."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from aelib.widgets.kl_board import KLBoard
from tests.browser.table import KL_SETTINGS, says


def shown(page) -> dict[str, float]:
    return page.evaluate(
        "Object.fromEntries(Object.entries(document.querySelector('.ae-card').dataset).map(([k, v]) => [k, +v]))"
    )


CURVES = """() => ["ae-kl-prior", "ae-latent"].map((name) => document.querySelector(`polyline.${name}`)
  .getAttribute("points").split(" ").map((point) => point.split(",").map(Number)))"""


@pytest.mark.parametrize(("mu", "sigma"), KL_SETTINGS)
def test_the_curve_of_the_cloud_is_its_density_all_the_way(plain_page, mu, sigma):
    """Between its points it is straight, and nowhere further from the density than the line is thick."""
    page = plain_page.mount(KLBoard(mu=mu, sigma=sigma))
    page.locator("polyline.ae-latent").first.wait_for(state="attached")
    prior, cloud = (np.array(curve) for curve in page.evaluate(CURVES))
    unit = np.ptp(cloud[:, 0]) / 12
    z = (cloud[:, 0] - cloud[0, 0]) / unit - 6
    floor = prior[0, 1]  # p is 6e-9 there
    pixels = (floor - prior[:, 1].min()) / density(0, 0, 1)
    fine = np.linspace(-6, 6, 20001)
    drawn = np.interp(fine, z, (floor - cloud[:, 1]) / pixels)
    np.testing.assert_allclose(drawn * pixels, density(fine, mu, sigma) * pixels, atol=1.0)


def density(z, mu: float, sigma: float):
    return np.exp(-(((z - mu) / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi))


def test_the_sentence_is_true_everywhere(plain_page):
    board = KLBoard()
    page = plain_page.mount(board)
    for mu in (-3.0, -0.6, -0.05, 0.0, 0.05, 1.0, 3.0):
        for sigma in (0.125, 2**-0.5, 2**-0.05, 1.0, 2**0.05, 2.0, 2**1.5):
            board.mu, board.sigma = mu, sigma
            page.evaluate("([mu, sigma]) => { model.set('mu', mu); model.set('sigma', sigma); }", [mu, sigma])
            assert_true(says(page), board)


def assert_true(text: str, board: KLBoard) -> None:
    if board.kl() == 0:
        assert "is the prior itself" in text
        return
    side = "sits where the prior sits" if board.mu == 0 else "to the right" if board.mu > 0 else "to the left"
    wide = "as wide" if board.sigma == 1 else "narrower" if board.sigma < 1 else "wider"
    assert side in text and f"is {wide}" in text
    payer = "place" if board.place() >= board.width() else "width"
    assert f"of the price is for its {payer}" in text
    share = max(board.place(), board.width()) / board.kl()
    said = re.search(r"(\d+)% of the price", text)
    assert abs(float(said[1]) - 100 * share) <= 0.51 if said else share > 0.99
    assert ("All of the price" in text) == (share == 1)
    for area, words in zip(board.areas(), ("above zero is ", "below is "), strict=True):
        number = re.search(words + r"(less than )?([\d.]+\d)", text)
        assert area < 0.0005 if number[1] else abs(float(number[2]) - area) < 0.0051


def drag(page, grip, dx: float) -> None:
    box = grip.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y, steps=6)
    page.mouse.up()


def test_the_mouse_moves_the_top_and_pulls_a_ring(plain_page):
    page = plain_page.mount(KLBoard(mu=-1.0, sigma=0.5))
    drag(page, page.locator(".ae-dot-latent"), 60)
    moved = shown(page)
    assert moved["mu"] > -0.5 and moved["sigma"] == 0.5
    drag(page, page.locator(".ae-kl-ring").last, 40)
    pulled = shown(page)
    assert pulled["sigma"] > 0.8 and pulled["mu"] == moved["mu"]


def test_a_setting_between_two_positions_is_shown_as_it_is(plain_page):
    page = plain_page.mount(KLBoard(mu=0.123, sigma=0.7))
    assert shown(page)["sigma"] == 0.7
    assert page.locator(".ae-number").all_text_contents() == ["0.12", "0.7"]
