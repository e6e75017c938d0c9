"""Lesson 06's number line: what it shows is what Python computes, and it moves by mouse, finger and keys."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aelib.widgets.elbo_line import DECODERS, PLACES, ElboLine, best
from tests.browser.table import shown


def says(page) -> str:
    return page.locator(".ae-says").text_content().replace("−", "-")


def pixels(page) -> bytes:
    return page.locator(".ae-card").screenshot()


@pytest.mark.parametrize("reading", ["gap", "parts"])
@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("place", list(PLACES))
def test_the_sentence_is_true_everywhere(plain_page, decoder, place, reading):
    line = ElboLine(decoder=decoder, place=place, reading=reading)
    page = plain_page.mount(line)
    mean, width, least = best(decoder, place)
    near = (round(min(mean, 3.0), 2), round(width, 2))
    beside = (round(near[0] - 0.06, 2), round(width + 0.06, 2))
    for at in [near, beside, *[(m, w) for m in (-3.0, -0.5, 1.0, 3.0) for w in (0.05, 0.5, 1.5)]]:
        line.mean, line.width = at
        page.evaluate("([mean, width]) => { model.set('mean', mean); model.set('width', width) }", list(at))
        now, text = line.measures(), says(page)
        for name in ("elbo", "evidence") if reading == "gap" else ("elbo", "fit", "price"):
            assert _said(now[name]) in text, (at, name)
        assert ("nothing is left" in text) == (decoder == "straight" and now["gap"] < 1e-7)
        assert ("some q closes the gap" in text) == (decoder == "straight" and now["gap"] >= 1e-7)
        assert ("as near as a Gaussian comes" in text) == (
            decoder == "bent" and now["gap"] - least < 0.0015 + 0.01 * least
        )
        if at == near:
            assert "nothing is left" in text or "as near as a Gaussian comes" in text


def _said(value: float) -> str:
    return f"{0 if abs(value) < 0.0005 else value:.{3 if abs(value) < 99.9995 else 1}f}"


def test_the_evidence_stays_and_the_elbo_moves(plain_page):
    page = plain_page.mount(ElboLine(decoder="bent", place="mouth", mean=2.3, width=0.25))
    first, places = shown(page), [mark_places(page)]
    page.evaluate("model.set('mean', 2.1)")
    second = shown(page)
    places.append(mark_places(page))
    assert first["evidence"] == second["evidence"]
    assert float(second["elbo"]) < float(first["elbo"])
    assert places[0]["evidence"] == places[1]["evidence"]
    assert places[1]["elbo"] < places[0]["elbo"] - 2


def mark_places(page) -> dict[str, float]:
    return {
        "evidence": page.locator(".ae-evidence").bounding_box()["x"],
        "elbo": page.locator(".ae-dot-latent").bounding_box()["x"],
    }


def test_mouse_moves_the_tip_of_the_bell(plain_page):
    page = plain_page.mount(ElboLine(mean=0.0, width=0.4))
    tip, box = page.locator(".ae-tip").bounding_box(), page.locator(".ae-chart").first.bounding_box()
    before = pixels(page)
    page.mouse.move(tip["x"] + tip["width"] / 2, tip["y"] + tip["height"] / 2)
    page.mouse.down()
    page.mouse.move(tip["x"] + 0.15 * box["width"], tip["y"] - 40, steps=6)
    page.mouse.up()
    now = shown(page)
    assert float(now["mean"]) > 0.5
    assert float(now["width"]) < 0.35
    assert pixels(page) != before
    moved = page.locator(".ae-tip").bounding_box()
    assert moved["x"] + moved["width"] / 2 == pytest.approx(tip["x"] + 0.15 * box["width"], abs=3)
    page.get_by_role("radio", name="fit minus price").click()
    assert shown(page)["reading"] == "parts"


def test_bars_add_up(plain_page):
    """The first bar ends where the second begins, and that one ends at the ELBO's mark."""
    page = plain_page.mount(ElboLine(decoder="bent", place="inside", mean=1.5, width=0.5, reading="parts"))
    ends = page.locator(".ae-band").evaluate_all(
        "bars => bars.map((bar) => bar.getAttribute('points').split(' ').map((point) => +point.split(',')[0]))"
    )
    (zero, fit), (again, elbo) = ends
    assert fit == again
    mark = float(page.locator(".ae-dot-latent").get_attribute("cx"))
    assert elbo == pytest.approx(mark, abs=0.02)
    now = shown(page)
    assert (zero - fit) / (fit - elbo) == pytest.approx(-float(now["fit"]) / float(now["price"]), rel=1e-3)


@pytest.mark.parametrize(("name", "low", "high"), [("mean", -3, 3), ("width", 0.05, 1.5)])
def test_every_position_is_painted_in_time(plain_page, name, low, high):
    page = plain_page.mount(ElboLine(decoder="bent", place="mouth"))
    values = np.round(np.linspace(low, high, 60), 2).tolist()
    times = page.evaluate(
        """([name, values]) => values.map((value) => {
          const start = performance.now();
          model.set(name, value);
          document.querySelector('.ae-card').getBoundingClientRect();
          return [performance.now() - start, +document.querySelector('.ae-card').dataset[name]];
        })""",
        [name, values],
    )
    assert [shown_value for _, shown_value in times] == values
    assert all(math.isfinite(milliseconds) for milliseconds, _ in times)
    print(f"{name}: p95 {sorted(milliseconds for milliseconds, _ in times)[57]:.1f} ms")
