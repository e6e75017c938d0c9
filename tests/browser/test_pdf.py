"""`make pdf`: a bookmark for each heading, links that lead through the file, every figure, nothing beyond the paper."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from publish import pdf
from publish.lesson import equations, lessons, read
from publish.pages import entry
from publish.photograph import find_browser
from tests.browser.conftest import NO_BROWSER

PATHS = [*lessons("00"), *lessons("06")]
POINTS = 72 / 25.4


@pytest.fixture(scope="module")
def printed(tmp_path_factory) -> PdfReader:
    """Printed in a process of its own, as `make pdf` does."""
    if find_browser() is None:
        (pytest.fail if os.environ.get("AELIB_REQUIRE_BROWSER") else pytest.skip)(NO_BROWSER)
    file = tmp_path_factory.mktemp("pdf") / "deep" / "course.pdf"
    subprocess.run([sys.executable, "-m", "publish.pdf", file, "00", "06"], cwd=pdf.SITE.parent, check=True)
    return PdfReader(file)


def titles(outline: list) -> list:
    return [titles(each) if isinstance(each, list) else each.title for each in outline]


def links(reader: PdfReader) -> list[dict]:
    return [each.get_object() for page in reader.pages for each in page.get("/Annots", [])]


def squeezed(words: str) -> str:
    return re.sub(r"\s", "", words)


def test_bookmarks_are_the_headings(printed):
    outline = titles(printed.outline)
    lesson_titles = [each for each in outline if isinstance(each, str)][1:]
    assert lesson_titles == [f"{entry(path).number} · {entry(path).question}" for path in PATHS]
    below = outline[-1]
    assert {"The derivation", "Two readings", "Key points"} <= {
        each for each in below if isinstance(each, str)
    }
    assert any("Exercise 1 · The ELBO by hand" in each for each in below if isinstance(each, list))


def test_links_lead_through_the_file_or_to_the_web(printed):
    addresses = [link["/A"]["/URI"] for link in links(printed) if "/URI" in link.get("/A", {})]
    inside = [link for link in links(printed) if "/Dest" in link]
    assert all(address.startswith("http") or "autoencoder" in address for address in addresses), addresses
    named = printed.named_destinations
    assert len(inside) > 20
    assert all(not isinstance(link["/Dest"], str) or link["/Dest"] in named for link in inside)


def test_it_is_tagged_and_says_every_equation_and_solution(printed):
    assert printed.root_object["/MarkInfo"]["/Marked"]
    words = squeezed(" ".join(page.extract_text() for page in printed.pages))
    for path in PATHS:
        assert all(f"({number})" in words for number in equations(read(path)))
    assert "Solution" in words
    assert "def" in words


def test_every_figure_is_printed_whole(printed):
    """Ten digits in a row, say: no picture is wider than the paper's text."""
    book = pdf.book(PATHS)
    asked = len(re.findall(r"<img\b", book))
    drawn = sum(len(page.images) for page in printed.pages)
    assert drawn >= 0.9 * len(re.findall(r'src="data:image/png', book)) > 0
    assert asked > 10
    assert all(float(page.mediabox.width) == pytest.approx(210 * POINTS, abs=1) for page in printed.pages)


def test_addresses_of_different_lessons_do_not_meet():
    book = pdf.book(PATHS)
    ids = re.findall(r'\sid="([^"]*)"', book)
    assert len(ids) == len(set(ids))
    assert all(target in ids for target in re.findall(r'href="#(06_elbo[^"]*)"', book))


def test_without_a_browser_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(pdf, "find_browser", lambda: None)
    with pytest.raises(SystemExit, match=r"^A PDF needs Chromium or Chrome"):
        pdf.write(Path(tmp_path) / "course.pdf", PATHS)
