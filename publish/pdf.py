"""The whole course as one PDF, printed by Chromium: ``make pdf`` writes it to ``site/``.

    python -m publish.pdf            to site/autoencoders.pdf
    python -m publish.pdf FILE       to another file
    python -m publish.pdf FILE 06    lesson 06 alone

Bookmarks are the headings; links between lessons lead through the file; interactives are their still pictures.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from markupsafe import Markup
from playwright.sync_api import sync_playwright

import aelib
from publish.formulas import font_face
from publish.index import with_references
from publish.lesson import lessons, read
from publish.offline import cells_html, fill, prepare, text
from publish.pages import BOOK, SITE, entry, introduction, write_contents
from publish.photograph import find_browser

PATIENCE = 600_000
"""Milliseconds that a slow machine may take."""
MARGINS = {"top": "16mm", "bottom": "18mm", "left": "16mm", "right": "16mm"}
NUMBERS = '<div style="width: 100%; text-align: center; font: 8pt sans-serif"><span class="pageNumber"></span></div>'


def chapter(path: Path) -> str:
    """A lesson whose addresses are its own in the whole; what is folded on a page is open on paper."""
    this = entry(path)
    made = with_references(cells_html(prepare(read(path)), this.number), this.page)
    made = made.replace("<details>", "<details open>")
    made = re.sub(r'\b(id|href)="(#?)(?=[^"#])(?![\w./-]+\.html|\w+:)', rf'\g<1>="\g<2>{path.stem}-', made)
    return re.sub(
        r'href="([\w-]+)\.html(?:#([^"]*))?"', lambda link: f'href="#{place(*link.groups())}"', made
    )


def place(page: str, target: str | None) -> str:
    return f"{page}-{target}" if target else page


def book(paths: list[Path]) -> str:
    """These lessons as one document."""
    chapters = [{"entry": entry(path), "name": path.stem, "cells": Markup(chapter(path))} for path in paths]
    style = text("course.css") + text("page.css") + text("book.css")
    return fill(
        "book",
        chapters=chapters,
        style=font_face("".join(each["cells"] for each in chapters)) + style,
        scripts=text("narrow.js"),
        edition=aelib.__version__,
        **introduction(),
    )


def write(file: Path, paths: list[Path]) -> Path:
    """These lessons as a PDF; without a browser one sentence."""
    browser = find_browser()
    if browser is None:
        sys.exit(
            "A PDF needs Chromium or Chrome: install one (Debian, Ubuntu: sudo apt-get install chromium)."
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        (Path(folder) / "book.html").write_text(book(paths), encoding="utf-8")
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--headless"])
        page = chromium.new_page(viewport={"width": 672, "height": 950})
        page.set_default_timeout(PATIENCE)
        page.goto((Path(folder) / "book.html").as_uri())
        page.emulate_media(media="print")
        page.evaluate("document.fonts.ready.then(() => narrow(document.body))")
        page.pdf(
            path=file, format="A4", margin=MARGINS, outline=True, tagged=True, print_background=True,
            display_header_footer=True, header_template="<span></span>", footer_template=NUMBERS,
        )  # fmt: skip
        chromium.close()
    return file


def main() -> None:
    asked, *only = sys.argv[1:] or [SITE / BOOK]
    file = write(Path(asked), [path for number in only or [""] for path in lessons(number)])
    if (file.parent / "index.html").exists():
        write_contents(file.parent)
    print(f"{file.stat().st_size / 2**20:6.1f} MiB  {file}")


if __name__ == "__main__":
    main()
