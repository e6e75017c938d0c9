"""Lesson 02's interactive in a browser: the same figures as Python's, by mouse, touch and keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from aelib.widgets.desiderata_board import DesiderataBoard

REST = {"degrees": 0.0, "cells": 1, "noise": 0.0, "gap": 0.0}
SETTINGS = [
    {},
    {"degrees": 90.0},
    {"degrees": 45.0},
    {"degrees": 1.0, "cells": 2},
    {"cells": 10},
    {"noise": 0.3},
    {"gap": 0.6},
    {"noise": 0.1, "cells": 5},
    {"noise": 0.01, "gap": 0.02, "degrees": 33.0},
    {"noise": 0.17, "gap": 0.34, "degrees": 71.0, "cells": 5},
    {"noise": 0.3, "gap": 0.6, "degrees": 90.0, "cells": 10},
]
NAMES = ("informative", "disentangled", "robust", "representative")
EVERY_POSITION = """async (which) => {
  const [range, seen] = [document.querySelectorAll("input[type=range]")[which], new Set()];
  for (let value = Number(range.min); value <= Number(range.max); value += 1) {
    range.value = value;
    range.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise(requestAnimationFrame);
    seen.add(document.querySelector(".db-plane").toDataURL());
  }
  return [seen.size, range.max - range.min + 1];
}"""


def put(page: Page, **state: float | str) -> None:
    page.evaluate("async (state) => { model.set(state); await Promise.resolve(); }", state)


def shown(page: Page) -> dict[str, float]:
    data = page.evaluate("({ ...document.querySelector('.ae-card').dataset })")
    return {name: float(data[name]) for name in NAMES}


def printed(page: Page) -> list[float]:
    return [float(text.replace("−", "-")) for text in page.locator(".ae-score").all_text_contents()]


def test_board_computes_what_python_computes(plain_page):
    page = plain_page.mount(DesiderataBoard())
    for setting in SETTINGS:
        put(page, **(REST | setting))
        expected = DesiderataBoard(**(REST | setting)).figures()
        assert shown(page) == pytest.approx(expected, abs=1e-9), setting
        assert printed(page) == pytest.approx(list(expected.values()), abs=0.0051)


def test_board_says_what_holds(plain_page):
    page = plain_page.mount(DesiderataBoard(degrees=0))
    says = page.locator(".ae-says")
    assert "The plain code" in says.text_content()
    put(page, degrees=45)
    assert "should leave informative, robust and representative alone, and does" in says.text_content()
    assert "Disentangled goes from 0.99 to 0.01" in says.text_content()
    put(page, degrees=90)
    assert "representative and disentangled alone, and does" in says.text_content()
    put(page, degrees=0, cells=10, touched="cells")
    assert "Robust goes from 1.00 to 0.07" in says.text_content()
    put(page, cells=1, touched="cells", noise=0.1)
    assert "This knob is at rest" in says.text_content()
    put(page, touched="noise")
    assert "should leave representative alone, and does" in says.text_content()
    put(page, noise=0, gap=0.4, touched="gap")
    assert "should leave informative and disentangled alone, and does" in says.text_content()


def test_no_promise_is_broken_anywhere(plain_page):
    page = plain_page.mount(DesiderataBoard())
    for touched in REST:
        for setting in SETTINGS:
            put(page, **(REST | setting), touched=touched)
            assert "; but " not in page.locator(".ae-says").text_content(), (touched, setting)


def test_board_by_mouse_keyboard_and_button(plain_page):
    page = plain_page.mount(DesiderataBoard(degrees=0))
    plane = page.locator(".db-plane")
    before = plane.screenshot()
    turn = page.get_by_label("Turn", exact=True)
    box = turn.bounding_box()
    page.mouse.move(box["x"] + 12, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    assert 40 <= page.evaluate("model.get('degrees')") <= 50
    assert plane.screenshot() != before
    page.get_by_label("Scramble", exact=True).focus()
    page.keyboard.press("End")
    assert page.evaluate("[model.get('cells'), model.get('touched')]") == [10, "cells"]
    page.get_by_label("Noise", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("model.get('noise')") == pytest.approx(0.01)
    page.get_by_label("Holes", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("model.get('gap')") == pytest.approx(0.02)
    page.wait_for_function("model.saved.length > 0")
    page.get_by_role("button", name="All at rest").click()
    assert page.evaluate("['degrees', 'cells', 'noise', 'gap'].map((name) => model.get(name))") == [
        0,
        1,
        0,
        0,
    ]
    assert [slider.input_value() for slider in page.locator("input[type=range]").all()] == ["0"] * 4


@pytest.mark.parametrize("knob", range(4))
def test_every_position_of_a_drag_is_painted(plain_page, knob: int):
    page = plain_page.mount(DesiderataBoard(degrees=10))
    painted, positions = page.evaluate(EVERY_POSITION, knob)
    assert painted == positions


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_narrow_touch_and_accessible(plain_page, accessible, theme: str):
    page = plain_page.mount(DesiderataBoard(noise=0.1), width=320, theme=theme, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    accessible(page)
    for control in page.locator("input[type=range]").all():
        assert control.bounding_box()["height"] >= 24
        assert control.get_attribute("data-lm-suppress-shortcuts") == "true"
    slider = page.locator("input[type=range]").first
    box, before = slider.bounding_box(), printed(page)
    page.touchscreen.tap(box["x"] + 0.95 * box["width"], box["y"] + box["height"] / 2)
    assert printed(page) != before


def test_the_lesson_runs_and_its_board_answers(lab):
    page = lab.open_notebook("02_good_representations.ipynb")
    lab.run_all(page)
    lab.shut_down_kernel(page)
    slider = page.get_by_label("Turn", exact=True)
    slider.scroll_into_view_if_needed()
    card = page.locator(".ae-card", has=page.locator(".db-plane"))
    before = card.get_attribute("data-disentangled")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert card.get_attribute("data-disentangled") != before
