"""Every displayed formula in three browsers: none is without a size, none is wider than its column, all much alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from publish.formulas import displayed, font_face
from publish.lesson import equations, lessons, markdown, read
from publish.offline import markdown_html, text

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Formulas</title><style>{style}</style>
<body><main>{formulas}</main></body></html>"""
SIZES = """document.fonts.ready.then(() => [...document.querySelectorAll(".math > :first-child")].map((line) => {
  const boxes = [...line.querySelectorAll("math")].map((one) => one.getBoundingClientRect());
  const own = line.getBoundingClientRect();
  return { width: boxes.reduce((sum, { width }) => sum + width, 0), height: Math.max(...boxes.map(({ height }) => height)),
    widest: Math.max(...boxes.map(({ width }) => width)), beyond: Math.max(...boxes.map(({ right }) => right)) - own.right };
}))"""
OTHER = 1.3
"""How many times as wide, or as narrow, a formula may be as in Chromium."""


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One page with all that the lessons display."""
    made = "".join(markdown_html(markdown(read(path))) for path in lessons())
    style = font_face(made) + text("course.css") + text("page.css")
    file = tmp_path_factory.mktemp("formulas") / "sheet.html"
    file.write_text(PAGE.format(style=style, formulas=made), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def in_chromium(browser, sheet) -> list[dict]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(sheet.as_uri())
    sizes = page.evaluate(SIZES)
    page.close()
    return sizes


def assert_sane(sizes: list[dict]) -> None:
    assert len(sizes) >= sum(len(equations(read(path))) for path in lessons()) > 100
    assert all(one["width"] > 20 and 8 < one["height"] < 200 for one in sizes)
    assert all(one["beyond"] <= 1 for one in sizes), "a formula is wider than the page"


def test_chromium_draws_every_formula_within_the_page(in_chromium):
    assert_sane(in_chromium)


def test_another_engine_draws_every_formula_as_wide(engine, sheet, in_chromium, tally):
    engine.open(sheet, 1280, 900)
    sizes = engine.run(SIZES)
    assert_sane(sizes)
    ratios = [here["width"] / there["width"] for here, there in zip(sizes, in_chromium, strict=True)]
    assert min(ratios) > 1 / OTHER and max(ratios) < OTHER
    tally("formulas in other engines", type(engine).__name__)


def test_an_accent_stands_close_to_its_letter(engine, browser, tmp_path):
    """In WebKit an accent that may not stretch is set far above the letter."""
    made = displayed(r"\hat x") + displayed("x")
    file = tmp_path / "accent.html"
    file.write_text(PAGE.format(style=font_face(made) + text("course.css"), formulas=made), encoding="utf-8")
    engine.open(file, 850, 900)
    with_hat, without = [one["height"] for one in engine.run(SIZES)]
    assert without <= with_hat < 1.9 * without
