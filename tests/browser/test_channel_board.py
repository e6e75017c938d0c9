"""Lesson 03's interactives in a browser: the same figures as Python's, by mouse, touch and keyboard."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from playwright.sync_api import Page

from aelib.widgets.binary_channel import BinaryChannel
from aelib.widgets.channel_board import LEVELS, N_EXAMPLES, ChannelBoard, turned

BOARD_SETTINGS = [
    (0.0, 0, 0, True),
    (0.0, 90, 6, False),
    (2.0, 90, 6, False),
    (2.0, 45, 0, True),
    (1.0, 37, 4, True),
    (1.0, 0, 0, False),
    (0.35, 1, 1, False),
    (0.7, 45, 3, False),
    (1.65, 89, 5, True),
    (0.05, 22, 2, False),
]
FLIPS = [0.0, 0.01, 0.1, 0.25, 0.37, 0.5, 0.63, 0.9, 0.99, 1.0]


def shown(page: Page) -> dict[str, float]:
    data = page.evaluate("({ ...document.querySelector('.ae-card').dataset })")
    return {name: float(value) for name, value in data.items() if name != "tells"}


def values(page: Page) -> list[str]:
    return [slider.input_value() for slider in page.locator("input[type=range]").all()]


def test_board_computes_what_python_computes(plain_page):
    page = plain_page.mount(ChannelBoard())
    for noise, degrees, swaps, follows in BOARD_SETTINGS:
        state = {"noise": noise, "degrees": degrees, "swaps": swaps, "follows": follows}
        page.evaluate(
            "(state) => Object.entries(state).forEach(([name, value]) => model.set(name, value))", state
        )
        board, figures = ChannelBoard(**state), shown(page)
        expected = board.figures()
        for name in ("information", "bound", "gap", "disentangled", "robust"):
            assert figures[name] == pytest.approx(expected[name], abs=1e-9), (state, name)
        told = json.loads(page.evaluate("document.querySelector('.ae-card').dataset.tells"))
        assert told == [pytest.approx(row, abs=1e-9) for row in board.tells().tolist()]
        large = page.locator(".ae-big").text_content()
        assert large == f"{expected['information'] / math.log(2):.4f}"


def test_board_says_what_holds(plain_page):
    page = plain_page.mount(ChannelBoard(noise=0.0, degrees=0))
    says = page.locator(".ae-says")
    assert "all 4 bits" in says.text_content() and "Nothing has been done" in says.text_content()
    page.evaluate("model.set('degrees', 45)")
    assert "take" in says.text_content() and "disentangled from 1.00 to 0.00" in says.text_content()
    assert "robust at 0.81" in says.text_content()
    page.evaluate("model.set('noise', 1)")
    assert "its bound is tight" in says.text_content()
    page.evaluate("model.set('follows', false)")
    assert "does not know what was done" in says.text_content()


def test_board_by_mouse_keyboard_and_button(plain_page):
    page = plain_page.mount(ChannelBoard(degrees=0))
    before = page.locator(".cb-board").screenshot()
    box = page.locator(".cb-board").bounding_box()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.47 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.2 * box["height"], steps=4)
    page.mouse.up()
    assert 35 <= page.evaluate("model.get('degrees')") <= 60
    turned = page.locator(".cb-board").screenshot()
    assert turned != before
    page.get_by_label("Scramble", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("model.get('swaps')") == 1
    assert page.locator(".cb-board").screenshot() != turned
    page.get_by_role("button", name="Undo h").click()
    assert (page.evaluate("model.get('degrees')"), page.evaluate("model.get('swaps')")) == (0, 0)
    assert values(page)[1:] == ["0", "0"]
    page.get_by_label("Noise", exact=True).focus()
    page.keyboard.press("End")
    assert page.evaluate("model.get('noise')") == 2
    page.get_by_label("stays as it was").check(force=True)
    assert page.evaluate("model.get('follows')") is False


PAINT = """([state, corners]) => {
  const [canvas, names] = [document.querySelector(".cb-board canvas"), []];
  const context = canvas.getContext("2d");
  context.fillText = (text, x, y) => names.push([text, x, y]);
  Object.entries(state).forEach(([name, value]) => model.set(name, value));
  const unit = canvas.width / 12.3;
  const alpha = ([x, y]) => context.getImageData((6.5 + x) * unit, (5.8 - y) * unit, 1, 1).data[3] / 255;
  return [names.slice(-64).map(([text, x, y]) => [text, x / unit - 6.5, 5.8 - y / unit]), corners.map(alpha)];
}"""
"""What is written where, in the board's own coordinates, and how dark the places are at these points."""


@pytest.mark.parametrize(
    ("noise", "degrees", "swaps"), [(0.35, 37, 3), (0.0, 0, 0), (1.1, 90, 5), (0.6, 22, 1)]
)
def test_each_place_is_painted_where_it_lies_with_its_name_and_shade(plain_page, noise, degrees, swaps):
    page = plain_page.mount(ChannelBoard(noise=1.9, degrees=11, swaps=2))
    state = {"noise": noise, "degrees": degrees, "swaps": swaps}
    board = ChannelBoard(**state)
    code, centres = board.code().reshape(N_EXAMPLES, -1), turned(degrees).reshape(-1, 2)
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    corners = centres + 0.38 * np.array([cos - sin, sin + cos])  # in the turned place, beside its name
    names, shades = page.evaluate(PAINT, [state, corners.tolist()])
    likeliest = [f"{'ABCD'[x // LEVELS]}{x % LEVELS + 1}" for x in code.argmax(axis=0)]
    assert [name for name, *_ in names] == likeliest
    np.testing.assert_allclose([place for _, *place in names], centres - [0, 0.155], atol=1e-6)
    letter = (np.arange(N_EXAMPLES) // LEVELS) @ code / code.sum(axis=0) / (LEVELS - 1)
    np.testing.assert_allclose(shades, 0.07 + 0.55 * letter, atol=0.006)


def test_board_paints_every_position_of_a_drag(plain_page):
    page = plain_page.mount(ChannelBoard(follows=False, swaps=3))
    painted = page.evaluate("""async () => {
      const [range, seen] = [document.querySelectorAll("input[type=range]")[1], new Set()];
      for (let value = 0; value <= 90; value += 1) {
        range.value = value;
        range.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise(requestAnimationFrame);
        seen.add(document.querySelector(".cb-board canvas").toDataURL());
      }
      return seen.size;
    }""")
    assert painted == 91


@pytest.mark.parametrize(
    "widget", [ChannelBoard(follows=False, degrees=45, swaps=6), BinaryChannel()], ids=["board", "coin"]
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_narrow_touch_and_accessible(plain_page, accessible, widget, theme: str):
    page = plain_page.mount(widget, width=320, theme=theme, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    accessible(page)
    for control in page.locator("input[type=range]").all():
        assert control.bounding_box()["height"] >= 24
        assert control.get_attribute("data-lm-suppress-shortcuts") == "true"
    slider = page.locator("input[type=range]").first
    box, before = slider.bounding_box(), page.locator(".ae-big").text_content()
    page.touchscreen.tap(box["x"] + 0.95 * box["width"], box["y"] + box["height"] / 2)
    assert page.locator(".ae-big").text_content() != before


def test_coin_computes_what_python_computes(plain_page):
    page = plain_page.mount(BinaryChannel())
    for flip in FLIPS:
        page.evaluate("(flip) => model.set('flip', flip)", flip)
        expected = BinaryChannel(flip=flip).information()
        assert shown(page)["information"] == pytest.approx(expected, abs=1e-9)
        assert page.locator(".ae-big").text_content() == f"{expected / math.log(2):.3f}"
        told = [float(cell) for cell in page.locator("td").all_text_contents()]
        assert told == pytest.approx([(1 - flip) / 2, flip / 2, flip / 2, (1 - flip) / 2], abs=6e-4)


def test_coin_by_keyboard_and_on_the_curve(plain_page):
    page = plain_page.mount(BinaryChannel())
    page.get_by_label("Flips", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("model.get('flip')") == pytest.approx(0.11)
    box = page.locator(".ae-chart").bounding_box()
    page.mouse.click(box["x"] + 0.55 * box["width"], box["y"] + 0.5 * box["height"])
    assert 0.4 < page.evaluate("model.get('flip')") < 0.6
    assert "tells" in page.locator(".ae-says").text_content()


def test_the_lesson_runs_and_its_board_answers(lab):
    page = lab.open_notebook("03_infomax.ipynb")
    lab.run_all(page)
    lab.shut_down_kernel(page)
    slider = page.get_by_label("Turn", exact=True)
    slider.scroll_into_view_if_needed()
    card = page.locator(".ae-card", has=page.locator(".cb-board"))
    before = card.get_attribute("data-disentangled")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert card.get_attribute("data-disentangled") != before
