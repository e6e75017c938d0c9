"""A page printed on A4 loses nothing at its right edge: code wraps, formulas and interactives fit the paper."""

from __future__ import annotations

import pytest

from publish.lesson import lessons, read
from publish.pages import entry, page, write_assets
from tests.browser.conftest import Pages

A4 = 680
"""Width of A4 in CSS pixels, 15 mm of margin taken off on both sides."""
CUT = """() => [...document.querySelectorAll("main pre, main math, main .ae canvas, main .ae svg, main .ae img")]
  .filter((node) => node.getClientRects().length)
  .filter((node) => node.matches("pre")
    ? node.scrollWidth > node.clientWidth + 1
    : node.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((node) => node.outerHTML.slice(0, 120))"""
READY = "document.querySelectorAll('.ae-card').length > 0"


@pytest.fixture
def pages(browser):
    pages = Pages(browser)
    yield pages
    pages.close()


@pytest.mark.parametrize("number", ["01", "08"])
def test_nothing_is_cut_at_the_right(pages, tmp_path, number):
    [path] = lessons(number)
    this = entry(path)
    whole = page(read(path), this, None, None)
    write_assets(tmp_path, [whole])
    (tmp_path / this.page).write_text(whole, encoding="utf-8")
    shown = pages.new_page(1100, 900, "light", False)
    shown.goto((tmp_path / this.page).as_uri())
    shown.wait_for_function(READY)
    shown.evaluate("drawn()")
    assert shown.locator("main pre").count()
    shown.set_viewport_size({"width": A4, "height": 900})
    shown.emulate_media(media="print")
    shown.evaluate("drawn()")
    assert shown.evaluate(CUT) == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= A4 + 1
