"""The same questions to every interactive of the table: Python's figures, the keyboard, a finger, every reader."""

from __future__ import annotations

import pytest

from tests.browser.table import ROWS, Row, shown

COLLIDING = """[...document.querySelectorAll(".ae-slider")].filter((slider) => {
  const label = document.createRange();
  label.selectNodeContents(slider.querySelector("label"));
  const [a, b] = [label, slider.querySelector(".ae-value")].map((one) => one.getBoundingClientRect());
  return a.width && b.width && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}).map((slider) => slider.textContent)"""


def rows(**having: bool):
    """Parametrises by the rows that have these fields."""
    chosen = {name: row for name, row in ROWS.items() if all(bool(getattr(row, each)) for each in having)}
    return pytest.mark.parametrize("row", chosen.values(), ids=chosen)


def as_shown(value: object, text: str) -> object:
    """What the page says, as a number where a number is expected."""
    return text if isinstance(value, str) else float(text)


SETTINGS = [
    pytest.param(row, setting, id=f"{name}, {', '.join(map(str, setting.values()))}")
    for name, row in ROWS.items()
    for setting in row.settings
]


@pytest.mark.parametrize(("row", "setting"), SETTINGS)
def test_shows_what_python_computes(plain_page, row: Row, setting: dict):
    widget = row.make(**setting)
    page = plain_page.mount(widget)
    now = shown(page)
    for name, value in row.figures(widget).items():
        assert float(now[name]) == pytest.approx(value, **row.within, nan_ok=True), name
    row.also(page, widget)


@rows(presses=True)
def test_by_keyboard(plain_page, row: Row):
    page = plain_page.mount(row.make(**row.start))
    before = row.picture(page).screenshot()
    for press in row.presses:
        control = page.get_by_role(press.role, name=press.name)
        control.focus()
        for _ in range(press.times):
            page.keyboard.press(press.key)
        now = shown(page)
        for name, value in press.then.items():
            expected = value if isinstance(value, str) else pytest.approx(value, rel=1e-9)
            assert as_shown(value, now[name]) == expected, (press.name, press.key)
        if press.repaints:
            assert row.picture(page).screenshot() != before
    if row.saved:
        plain_page.wait_until_saved(page, **row.saved)


@rows(tap=True)
def test_by_finger(plain_page, row: Row):
    page = plain_page.mount(row.make(**row.touched), width=360, touch=True)
    box = page.locator(".ae-chart").first.bounding_box()
    across, down = row.tap.at(box["width"], box["height"])
    page.touchscreen.tap(box["x"] + across, box["y"] + down)
    assert row.tap.holds(shown(page))
    if row.tap.radio:
        page.get_by_role("radio", name=row.tap.radio).tap()
    assert row.tap.then.items() <= shown(page).items()


@rows()
@pytest.mark.parametrize(("theme", "width"), [("light", 1100), ("dark", 1100), ("light", 320), ("dark", 320)])
def test_accessible_and_narrow(plain_page, accessible, row: Row, theme: str, width: int):
    page = plain_page.mount(row.make(**row.look), theme=theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(COLLIDING) == [], "a slider's label and its value lie on each other"
    accessible(page)
