"""Lesson 11's board: what it shows is what Python computes, and the threshold moves by mouse, finger and keys."""

from __future__ import annotations

import math

import pytest

from aelib.widgets.threshold_board import STEPS
from tests.browser.table import KINDS, SCORES, shown, threshold_board


def pixels(page) -> bytes:
    return page.locator(".ae-card").screenshot()


def test_it_starts_where_the_ranking_stands_on_its_head():
    widget = threshold_board()
    assert (widget.kind, widget.score) == ("faxes", "nats")
    assert widget.measures()["area"] < 0.25
    assert widget.measures()["false_share"] <= 0.05
    widget.position -= 1
    assert widget.measures()["false_share"] > 0.05


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("score", SCORES)
def test_the_sentence_is_true_everywhere(plain_page, kind, score):
    widget = threshold_board(kind=kind, score=score)
    page = plain_page.mount(widget)
    for position in (0, 60, 120, 180, 239, STEPS):
        widget.position = position
        page.evaluate("position => model.set('position', position)", position)
        now, text = widget.measures(), page.locator(".ae-says").text_content()
        assert f"{now['caught']} of {len(widget.values()[1])} {kind}" in text
        assert f"{now['false_alarms']} of 70 digits" in text
        assert ("of these alarms are right" in text) == (not math.isnan(now["precision"]))
        assert ("is reversed" in text) == (now["area"] < 0.4)
        assert ("ranks well" in text) == (now["area"] >= 0.9)
        assert f"{now['area']:.3f}" in page.locator(".ae-facts").text_content()


def test_no_alarm_at_the_right_end(plain_page):
    page = plain_page.mount(threshold_board(kind="shapes", position=STEPS))
    assert shown(page)["precision"] == "NaN"
    assert "—" in page.locator(".ae-facts").text_content()
    hidden = page.locator(".ae-tile").evaluate_all("tiles => tiles.map((tile) => tile.style.visibility)")
    assert hidden == [""] * 6 + ["hidden"] * 6


def test_mouse_drags_the_line(plain_page):
    page = plain_page.mount(threshold_board(kind="shapes", position=60))
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


def test_strange_pictures_are_marked_by_more_than_colour(plain_page):
    page = plain_page.mount(threshold_board(kind="shapes", position=120))
    tiles = page.locator(".ae-tile").evaluate_all(
        "tiles => tiles.map((t) => [t.textContent, t.classList.contains('ae-odd')])"
    )
    numbers = [int(number) for number in shown(page)["near"].split()]
    assert [(words == "strange") for words, _ in tiles] == [odd for _, odd in tiles]
    assert [odd for _, odd in tiles] == [number >= 70 for number in numbers]


def test_every_position_is_painted(plain_page):
    page = plain_page.mount(threshold_board())
    positions = list(range(0, STEPS + 1, 3))
    times = page.evaluate(
        """(positions) => positions.map((position) => {
          const start = performance.now();
          model.set('position', position);
          document.querySelector('.ae-card').getBoundingClientRect();
          return [performance.now() - start, +document.querySelector('.ae-card').dataset.position];
        })""",
        positions,
    )
    assert [painted for _, painted in times] == positions
    print(f"p95 {sorted(milliseconds for milliseconds, _ in times)[76]:.1f} ms")
