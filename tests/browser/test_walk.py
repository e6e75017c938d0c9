"""Every control of every lesson, by keyboard and by mouse: what is shown changes, and the console stays quiet.

The interactives are those that the lessons saved, each on a page of its own without a kernel. What is "shown" is
everything but the controls themselves: canvases, drawings, pictures and text.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from publish.lesson import interactives, lessons, read

CONTROLS = "input:not([type=hidden]), select, button, [tabindex='0']"
SHOWN = """(card) => {
  const canvases = [...card.querySelectorAll("canvas")].map((canvas) => canvas.toDataURL());
  const drawings = [...card.querySelectorAll("svg, img")].map((node) => node.outerHTML);
  const players = [...card.querySelectorAll("audio")].map((one) => `${one.src}${one.paused}`);
  const pressed = [...card.querySelectorAll("[aria-pressed]")].map((button) => button.ariaPressed);
  return [...canvases, ...pressed, ...drawings, ...players, card.innerText, card.querySelectorAll("[hidden]").length].join("|");
}"""
NAME = "(node) => node.ariaLabel || node.labels?.[0]?.innerText || node.innerText"
TOOLS = (
    "Pen",
    "Eraser",
)  # they change what the pointer does next, and nothing yet; test_drawing_pad.py draws with both
CHOOSE_ANOTHER = """(node) => {
  const pressed = "button[aria-pressed]";
  const group = node.type === "radio"
    ? [...node.getRootNode().querySelectorAll("input[type=radio]")].filter((one) => one.name === node.name)
    : [...node.parentElement.querySelectorAll(pressed)];
  if (node.checked || node.ariaPressed === "true") group.find((one) => one !== node)?.click();
}"""


def saved_interactives(path: Path) -> dict[str, dict]:
    """The course's interactives that a saved lesson shows, by a readable name."""
    return {f"{path.stem} {i} {name}": saved for i, (name, saved) in enumerate(interactives(read(path)))}


def shown(page) -> str:
    page.evaluate("drawn()")
    return page.locator("#el").evaluate(SHOWN)


def changes(page, *attempts: Callable[[], None]) -> bool:
    """Whether one of the attempts changes what is shown."""
    before = shown(page)
    for attempt in attempts:
        attempt()
        if shown(page) != before:
            return True
    return False


def keys_of(control) -> list[str]:
    """The keys to try: two directions for what has a position, a press for what is pressed."""
    kind = control.evaluate("(node) => node.type ?? 'region'")
    return {
        "range": ["ArrowRight", "ArrowLeft", "End", "Home"],
        "radio": ["Space", "ArrowDown", "ArrowUp"],
        "select-one": ["ArrowDown", "ArrowUp"],
        "region": ["ArrowRight", "ArrowUp", "ArrowLeft", "Enter"],
        "text": ["Enter"],
    }.get(kind, ["Enter", "Space"])


def by_keyboard(page, control) -> bool:
    control.focus()
    assert control.evaluate("(node) => node === document.activeElement"), "the keyboard cannot reach it"
    return changes(page, *(lambda key=key: control.press(key) for key in keys_of(control)))


def by_mouse(page, control) -> bool:
    """Clicks at three places: a slider jumps there, a button or a radio is pressed wherever it is hit.

    A click in a field only leads the keyboard there, and the open list of a select is the browser's own.
    """
    control.scroll_into_view_if_needed()
    kind = control.evaluate("(node) => node.type")
    if kind == "text":
        control.click()
        return control.evaluate("(node) => node === document.activeElement")
    if kind == "select-one":
        other = control.evaluate("(node) => (node.selectedIndex + 1) % node.options.length")
        return changes(page, lambda: control.select_option(index=other))
    box = control.bounding_box()
    places = [(box["x"] + share * box["width"], box["y"] + box["height"] / 2) for share in (0.85, 0.15, 0.5)]
    return changes(page, *(lambda place=place: page.mouse.click(*place) for place in places))


def usable(control) -> bool:
    return control.is_visible() and control.is_enabled()


def write_another(page, entry: str) -> None:
    """Another entry in every field than the last one tried, of which something else is said."""
    for field in page.locator("#el input[type=text]").all():
        field.fill(entry)


def unmoved(page, how: Callable, count: Callable[[int], None]) -> list[str]:
    """Names of the controls on this page that change nothing."""
    found = []
    for i, control in enumerate(page.locator("#el").locator(CONTROLS).all()):
        if usable(control):
            control.evaluate(CHOOSE_ANOTHER)
            write_another(page, str(i) if i % 2 else "?")
            name = control.evaluate(NAME)
            if not how(page, control) and name not in TOOLS:
                found.append(name)
            count(i)
    return found


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_every_control_changes_what_is_shown(plain_page, path, tally):
    still = []
    for name, saved in saved_interactives(path).items():
        for how in (by_keyboard, by_mouse):
            page = plain_page.mount_saved(saved)
            labels = unmoved(page, how, lambda i, name=name: tally("controls walked", f"{name} {i}"))
            still += [f"{name}: {label}, {how.__name__}" for label in labels]
            plain_page.shelf.take_back(page)
    assert not still, "\n".join(still)
