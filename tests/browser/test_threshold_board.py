"""Lesson 11's board: what it shows is what Python computes, and the threshold moves by mouse, finger and keys."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aelib.widgets.threshold_board import STEPS, ThresholdBoard

KINDS, SCORES = ("shapes", "faxes"), ("nats", "distance")
SETTINGS = [
    *((kind, score, position) for kind in KINDS for score in SCORES for position in (0, 97, STEPS)),
    ("shapes", "nats", 1),
    ("faxes", "distance", STEPS - 1),
]


def board(**state) -> ThresholdBoard:
    """Random 4 × 4 pictures; shapes score high, faxes low, and some scores are equal."""
    generator = np.random.default_rng(0)
    images = {name: generator.random((n, 16)) for name, n in (("digits", 70), ("shapes", 50), ("faxes", 60))}
    middle = {"digits": 24.0, "shapes": 29.0, "faxes": 20.0}
    scores = {
        name: {
            "nats": np.round(generator.normal(middle[name], 2, len(x)), 1),
            "distance": generator.random(len(x)),
        }
        for name, x in images.items()
    }
    return ThresholdBoard.from_scores(images, scores, (4, 4), **state)


def shown(page) -> dict[str, str]:
    return page.evaluate("({ ...document.querySelector('section').dataset })")


def pixels(page) -> bytes:
    return page.locator(".ae-card").screenshot()


@pytest.mark.parametrize(("kind", "score", "position"), SETTINGS)
def test_shows_what_python_computes(plain_page, kind, score, position):
    widget = board(kind=kind, score=score, position=position)
    now = shown(plain_page.mount(widget))
    assert float(now["threshold"]) == pytest.approx(widget.threshold(), rel=1e-12)
    for name, value in widget.measures().items():
        assert float(now[name]) == pytest.approx(value, abs=1e-9, nan_ok=True), name
    assert [int(number) for number in now["near"].split()] == widget.nearest()


def test_it_starts_where_the_ranking_stands_on_its_head():
    widget = board()
    assert (widget.kind, widget.score) == ("faxes", "nats")
    assert widget.measures()["area"] < 0.25
    assert widget.measures()["false_share"] <= 0.05
    widget.position -= 1
    assert widget.measures()["false_share"] > 0.05


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("score", SCORES)
def test_the_sentence_is_true_everywhere(plain_page, kind, score):
    widget = board(kind=kind, score=score)
    page = plain_page.mount(widget)
    for position in (0, 60, 120, 180, 239, STEPS):
        widget.position = position
        page.evaluate("position => model.set('position', position)", position)
        now, text = widget.measures(), page.locator(".ae-says").text_content()
        assert f"{now['caught']} of {len(widget.values()[1])} {kind}" in text
        assert f"{now['false_alarms']} of 70 digits" in text
        assert ("of these alarms are right" in text) == (not math.isnan(now["precision"]))
        assert ("on its head" in text) == (now["area"] < 0.4)
        assert ("ranks well" in text) == (now["area"] >= 0.9)
        assert f"{now['area']:.3f}" in page.locator(".ae-facts").text_content()


def test_no_alarm_at_the_right_end(plain_page):
    page = plain_page.mount(board(kind="shapes", position=STEPS))
    assert shown(page)["precision"] == "NaN"
    assert "—" in page.locator(".ae-facts").text_content()
    hidden = page.locator(".ae-tile").evaluate_all("tiles => tiles.map((tile) => tile.style.visibility)")
    assert hidden == [""] * 6 + ["hidden"] * 6


def test_keyboard(plain_page):
    page = plain_page.mount(board(kind="shapes", position=100))
    before = pixels(page)
    page.get_by_role("slider", name="Threshold").focus()
    page.keyboard.press("ArrowRight")
    assert shown(page)["position"] == "101"
    page.keyboard.press("Home")
    assert shown(page)["position"] == "0"
    assert pixels(page) != before
    page.get_by_role("radio", name="faxes").focus()
    page.keyboard.press("Space")
    assert shown(page)["kind"] == "faxes"
    page.get_by_role("radio", name="distance").focus()
    page.keyboard.press("Space")
    assert shown(page)["score"] == "distance"
    plain_page.wait_until_saved(page, score="distance")


def test_mouse_drags_the_line(plain_page):
    page = plain_page.mount(board(kind="shapes", position=60))
    chart = page.locator(".ae-chart").first.bounding_box()
    grip = page.locator(".ae-grip").first.bounding_box()
    before = pixels(page)
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    page.mouse.down()
    page.mouse.move(chart["x"] + 0.75 * chart["width"], grip["y"], steps=5)
    page.mouse.up()
    assert 170 < int(shown(page)["position"]) < 190
    assert pixels(page) != before
    page.get_by_role("radio", name="faxes").click()
    assert shown(page)["kind"] == "faxes"


def test_touch(plain_page):
    page = plain_page.mount(board(kind="shapes", position=60), width=360, touch=True)
    chart = page.locator(".ae-chart").first.bounding_box()
    page.touchscreen.tap(chart["x"] + 0.3 * chart["width"], chart["y"] + 0.4 * chart["height"])
    assert 55 < int(shown(page)["position"]) < 90
    page.get_by_role("radio", name="faxes").tap()
    assert shown(page)["kind"] == "faxes"


def test_strange_pictures_are_marked_by_more_than_colour(plain_page):
    page = plain_page.mount(board(kind="shapes", position=120))
    tiles = page.locator(".ae-tile").evaluate_all(
        "tiles => tiles.map((t) => [t.textContent, t.classList.contains('ae-odd')])"
    )
    numbers = [int(number) for number in shown(page)["near"].split()]
    assert [(words == "strange") for words, _ in tiles] == [odd for _, odd in tiles]
    assert [odd for _, odd in tiles] == [number >= 70 for number in numbers]


@pytest.mark.parametrize(("theme", "width"), [("light", 1100), ("dark", 1100), ("light", 320), ("dark", 320)])
def test_accessible_and_narrow(plain_page, accessible, theme, width):
    page = plain_page.mount(board(), theme=theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    accessible(page)


def test_every_position_is_painted(plain_page):
    page = plain_page.mount(board())
    positions = list(range(0, STEPS + 1, 3))
    times = page.evaluate(
        """(positions) => positions.map((position) => {
          const start = performance.now();
          model.set('position', position);
          document.querySelector('.ae-card').getBoundingClientRect();
          return [performance.now() - start, +document.querySelector('section').dataset.position];
        })""",
        positions,
    )
    assert [painted for _, painted in times] == positions
    print(f"p95 {sorted(milliseconds for milliseconds, _ in times)[76]:.1f} ms")
