"""Lesson 04's dial: what it shows is what numpy computes, and it turns by mouse, finger and keys."""

from __future__ import annotations

import numpy as np
import pytest

from aelib.widgets.direction_dial import DirectionDial
from tests.browser.table import cloud, says, shown


@pytest.mark.parametrize("through", ["mean", "origin"])
def test_the_sentence_is_true_everywhere(plain_page, through):
    dial = DirectionDial(cloud(), through=through)
    page = plain_page.mount(dial)
    for angle in np.arange(0, 180.5, 7.5):
        dial.angle = float(angle)
        page.evaluate("angle => model.set('angle', angle)", dial.angle)
        away = (dial.best()[0] - angle + 90) % 180 - 90
        text = says(page)
        assert f"{dial.error():.3f}" in text
        if "further" in text:
            assert ("anticlockwise" in text) == (away > 0)
            assert f"{abs(away):.1f}".removesuffix(".0") + "°" in text
        else:
            assert ("best direction" in text) == (abs(away) <= 0.25)


def test_best_and_worst_are_named(plain_page):
    angle = round(2 * DirectionDial(cloud()).best()[0]) / 2
    page = plain_page.mount(DirectionDial(cloud(), angle=angle))
    assert says(page).startswith("This is the best direction")
    page.evaluate("angle => model.set('angle', angle)", (angle + 90) % 180)
    assert says(page).startswith("This is the worst direction")


def test_mouse_and_switch(plain_page):
    page = plain_page.mount(DirectionDial(cloud(), angle=40.0))
    grip = page.locator(".ae-grip").first.bounding_box()
    box = page.locator(".ae-plane").bounding_box()
    page.mouse.move(grip["x"] + 9, grip["y"] + 9)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 4, steps=5)
    page.mouse.up()
    assert 60 < float(shown(page)["angle"]) < 120
    page.get_by_role("radio", name="the origin").click()
    assert shown(page)["through"] == "origin"
    plain_page.wait_until_saved(page, through="origin")


def test_bad_points_are_told_in_a_sentence():
    with pytest.raises(ValueError, match=r"shape \(n, 2\)"):
        DirectionDial(np.zeros((5, 3)))
