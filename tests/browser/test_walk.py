"""Every control of every lesson, by keyboard and by mouse: what is shown changes, and the console stays quiet.

The interactives are those that the lessons saved, each on a page of its own without a kernel. What is "shown" is
everything but the controls themselves: canvases, drawings, pictures and text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import JSHandle, Page

from publish.lesson import interactives, lessons, read

TOOLS = (
    "Pen",
    "Eraser",
)  # they change what the pointer does next, and nothing yet; test_drawing_pad.py draws with both
WALK = """() => {
  const card = document.querySelector("#el");
  const all = (selector, within = card) => [...within.querySelectorAll(selector)];
  const controls = () => all("input:not([type=hidden]), select, button, [tabindex='0']");
  const pixels = (canvas) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    return new Int32Array(data.buffer).reduce((sum, one) => (31 * sum + one) | 0, 7);
  };
  let seen;
  const chooseAnother = (node) => {
    if (!node.checked && node.ariaPressed !== "true") return;
    const group = node.type === "radio"
      ? all("input[type=radio]", node.getRootNode()).filter((one) => one.name === node.name)
      : all("button[aria-pressed]", node.parentElement);
    group.find((one) => one !== node)?.click();
  };
  const write = (field, entry) => {
    field.value = entry;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  return {
    count: () => controls().length,
    look: async () => {
      await drawn();
      const before = seen;
      seen = [
        ...all("canvas").filter(({ width, height }) => width * height).map(pixels),
        ...all("[aria-pressed]").map((button) => button.ariaPressed),
        ...all("svg, img").map((node) => node.outerHTML),
        ...all("audio").map((one) => `${one.src}${one.paused}`),
        card.innerText, all("[hidden]").length,
      ].join("|");
      return seen !== before;
    },
    prepare: async function (i) {
      const node = controls()[i];
      if (!node?.checkVisibility({ visibilityProperty: true }) || node.disabled) return null;
      chooseAnother(node);
      all("input[type=text]").forEach((field) => write(field, i % 2 ? `${i}` : "?"));
      node.scrollIntoView({ block: "nearest" });
      await this.look();
      const { x, y, width, height } = node.getBoundingClientRect();
      const name = node.ariaLabel || node.labels?.[0]?.innerText || node.innerText;
      return { name, kind: node.type ?? "region", box: { x, y, width, height } };
    },
    focus: (i) => (controls()[i].focus(), controls()[i] === document.activeElement),
    isFocused: (i) => controls()[i] === document.activeElement,
    selectNext: (i) => {
      const node = controls()[i];
      node.selectedIndex = (node.selectedIndex + 1) % node.options.length;
      node.dispatchEvent(new Event("change", { bubbles: true }));
    },
  };
}"""
"""What the walk needs of a page, at few questions: a control made ready to be moved and described (or null where it is
hidden or disabled; another answer of its group chosen, another entry in every field), and whether what is shown is
other than at the last look."""


def saved_interactives(path: Path) -> dict[str, dict]:
    """The course's interactives that a saved lesson shows, by a readable name."""
    return {f"{path.stem} {i} {name}": saved for i, (name, saved) in enumerate(interactives(read(path)))}


@dataclass
class Walk:
    """One interactive on a page, its controls by their place."""

    page: Page
    walk: JSHandle

    def ask(self, what: str, *given: object) -> Any:
        return self.walk.evaluate(f"(walk, given) => walk.{what}(...given)", list(given))

    def changes(self, *attempts: Callable[[], None]) -> bool:
        """Whether one of the attempts changes what is shown."""
        for attempt in attempts:
            attempt()
            if self.ask("look"):
                return True
        return False

    def by_keyboard(self, i: int, kind: str, box: dict) -> bool:
        assert self.ask("focus", i), "the keyboard cannot reach it"
        return self.changes(*(lambda key=key: self.page.keyboard.press(key) for key in keys_of(kind)))

    def by_mouse(self, i: int, kind: str, box: dict) -> bool:
        """Clicks at three places: a slider jumps there, a button or a radio is pressed wherever it is hit.

        A click in a field only leads the keyboard there, and the open list of a select is the browser's own.
        """
        if kind == "select-one":
            return self.changes(lambda: self.ask("selectNext", i))
        middle = box["y"] + box["height"] / 2
        clicks = [(box["x"] + share * box["width"], middle) for share in (0.85, 0.15, 0.5)]
        if kind == "text":
            self.page.mouse.click(*clicks[-1])
            return self.ask("isFocused", i)
        return self.changes(*(lambda place=place: self.page.mouse.click(*place) for place in clicks))

    def unmoved(self, how: str, count: Callable[[int], None]) -> list[str]:
        """Names of the controls on this page that change nothing."""
        found = []
        for i in range(self.ask("count")):
            if ready := self.ask("prepare", i):
                name = ready.pop("name")
                if not getattr(self, how)(i, **ready) and name not in TOOLS:
                    found.append(name)
                count(i)
        return found


def keys_of(kind: str) -> list[str]:
    """The keys to try: two directions for what has a position, a press for what is pressed."""
    return {
        "range": ["ArrowRight", "ArrowLeft", "End", "Home"],
        "radio": ["Space", "ArrowDown", "ArrowUp"],
        "select-one": ["ArrowDown", "ArrowUp"],
        "region": ["ArrowRight", "ArrowUp", "ArrowLeft", "Enter"],
        "text": ["Enter"],
    }.get(kind, ["Enter", "Space"])


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_every_control_changes_what_is_shown(plain_page, path, tally):
    still = []
    for name, saved in saved_interactives(path).items():
        for how in ("by_keyboard", "by_mouse"):
            page = plain_page.mount_saved(saved)
            walk = Walk(page, page.evaluate_handle(WALK))
            labels = walk.unmoved(how, lambda i, name=name: tally("controls walked", f"{name} {i}"))
            still += [f"{name}: {label}, {how}" for label in labels]
            plain_page.shelf.take_back(page)
    assert not still, "\n".join(still)
