"""Every lesson in a real JupyterLab: as it was saved, untrusted and then trusted; and two of them run from the top."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError as StillWaiting

from publish.lesson import cells, interactives, lessons, read

every_lesson = pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
PATIENCE = 150_000
"""ms: on a busy machine JupyterLab may take a minute to bring saved interactives back."""
run_lessons = pytest.mark.parametrize("path", [*lessons("00"), *lessons("07")], ids=lambda path: path.stem)


def cards_of(path: Path) -> int:
    """How many of the course's interactives the saved lesson shows."""
    return len(interactives(read(path)))


def pictured(path: Path) -> int:
    """How many outputs carry an interactive together with a still picture."""
    outputs = [output for cell in cells(read(path), "code") for output in cell.outputs]
    kinds = [set(output.get("data", {})) for output in outputs]
    return sum({"image/png", "application/vnd.jupyter.widget-view+json"} <= kind for kind in kinds)


def wait_for(page, selector: str, count: int) -> None:
    try:
        page.wait_for_function(
            "([selector, count]) => document.querySelectorAll(selector).length >= count",
            arg=[selector, count],
            timeout=PATIENCE,
        )
    except StillWaiting:
        there = page.locator(selector).count()
        said = page.locator(".jupyter-widgets").evaluate_all(
            "(all) => all.map((one) => one.textContent.slice(0, 60))"
        )
        pytest.fail(f"{there} of {count} {selector} after {PATIENCE / 1000:.0f} s; widgets say {said}")


def trusted(page) -> None:
    """As a reader who chooses "Trust Notebook" and agrees."""
    page.evaluate("void window.jupyterapp.commands.execute('notebook:trust')")
    page.locator(".jp-Dialog .jp-mod-accept").click()


@every_lesson
def test_an_untrusted_lesson_shows_a_picture_of_each_interactive_and_a_trusted_one_the_interactives(
    lab, path
):
    notebook = read(path)
    notebook.metadata["altered"] = "altered, so that no signature fits it"
    page = lab.open_notebook(lab.write(f"untrusted_{path.name}", notebook), height=600)
    wait_for(page, ".jp-RenderedImage img", pictured(path))
    assert page.locator(".ae-card").count() == 0
    sizes = page.locator(".jp-RenderedImage img").evaluate_all("(all) => all.map((one) => one.naturalWidth)")
    assert len(sizes) >= pictured(path) >= cards_of(path)
    assert min(sizes) > 100
    widths = page.locator(".jp-RenderedHTML figure img").evaluate_all(
        "(all) => all.map((one) => [one.naturalWidth, one.alt])"
    )
    assert all(width > 100 and alt for width, alt in widths)
    trusted(page)
    wait_for(page, ".jp-OutputArea-output .ae-card", cards_of(path))
    assert page.locator(".jp-OutputArea-output .ae-card").count() == cards_of(path) > 0


@run_lessons
def test_a_lesson_runs_from_the_top_and_its_interactives_outlive_the_kernel(lab, path, tally):
    lab.trust(path.name)
    page = lab.open_notebook(path.name, height=2000)
    wait_for(page, ".jp-OutputArea-output .ae-card", cards_of(path))
    lab.run_all(page)
    wait_for(page, ".ae-card", cards_of(path))
    lab.shut_down_kernel(page)
    radio = page.locator(".ae-card input[type=radio]").first
    radio.focus()
    radio.press("Space")
    assert radio.is_checked()
    for slider in page.locator(".ae-card input[type=range]").all()[:2]:
        before = slider.input_value()
        slider.focus()
        slider.press("ArrowLeft")
        assert slider.input_value() != before
    tally("lessons run in JupyterLab", path.stem)
