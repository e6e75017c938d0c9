"""Lesson 04's dial: what it shows is what numpy computes, and it turns by mouse, finger and keys."""

from __future__ import annotations

import numpy as np
import pytest

from aelib.widgets.direction_dial import DirectionDial

SETTINGS = [(angle, through) for through in ("mean", "origin") for angle in (0.0, 12.5, 61.0, 118.5, 180.0)]


def cloud() -> np.ndarray:
    generator = np.random.default_rng(2)
    return generator.standard_normal((60, 2)) @ [[0.9, 0.5], [-0.2, 0.35]] + [-0.3, 1.1]


def shown(page) -> dict[str, str]:
    return page.evaluate("({ ...document.querySelector('section').dataset })")


def says(page) -> str:
    return page.locator(".ae-says").text_content()


def pixels(page) -> bytes:
    return page.locator(".ae-plane").screenshot()


@pytest.mark.parametrize(("angle", "through"), SETTINGS)
def test_shows_what_python_computes(plain_page, angle, through):
    dial = DirectionDial(cloud(), angle=angle, through=through)
    page = plain_page.mount(dial)
    now = shown(page)
    best_angle, best_error = dial.best()
    ours = [dial.error(), best_error, best_angle, dial.ratio()]
    np.testing.assert_allclose(
        [float(now[name]) for name in ("error", "best", "bestAngle", "ratio")], ours, rtol=1e-9
    )
    assert abs(float(page.locator(".ae-big").text_content().removesuffix("×")) - dial.ratio()) < 0.051
    copies = page.locator(".ae-copy").evaluate_all(
        "dots => dots.map((dot) => [+dot.getAttribute('cx'), +dot.getAttribute('cy')])"
    )
    np.testing.assert_allclose(ratios(np.array(copies)), ratios(dial.copies() * [1, -1]), atol=1e-6)


def ratios(points: np.ndarray) -> np.ndarray:
    """All distances from the first point, in units of the mean one: the same in pixels and in data units."""
    distances = np.linalg.norm(points - points[0], axis=1)
    return distances / distances.mean()


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


def test_keyboard_and_mouse(plain_page):
    page = plain_page.mount(DirectionDial(cloud(), angle=40.0))
    before = pixels(page)
    page.get_by_role("slider", name="Direction").focus()
    page.keyboard.press("ArrowRight")
    assert shown(page)["angle"] == "40.5"
    page.keyboard.press("End")
    assert shown(page)["angle"] == "180"
    assert pixels(page) != before
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


def test_touch_on_the_curve(plain_page):
    page = plain_page.mount(DirectionDial(cloud(), angle=40.0), width=360, touch=True)
    box = page.locator(".ae-chart").bounding_box()
    page.touchscreen.tap(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"])
    assert 100 < float(shown(page)["angle"]) < 150


@pytest.mark.parametrize(("theme", "width"), [("light", 1100), ("dark", 1100), ("light", 320), ("dark", 320)])
def test_accessible_and_narrow(plain_page, accessible, theme, width):
    page = plain_page.mount(DirectionDial(cloud()), theme=theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    accessible(page)


def test_bad_points_are_told_in_a_sentence():
    with pytest.raises(ValueError, match=r"shape \(n, 2\)"):
        DirectionDial(np.zeros((5, 3)))
