"""Each lesson as a lecture in one HTML file that needs no network: ``make slides`` writes them to ``site/slides/``.

    python -m publish.slides            to site/slides/
    python -m publish.slides FOLDER     to another folder

Cells with slide metadata make the slides, with the pictures and interactives between them; arrow down shows every
other cell in its place. The key s opens a window for who speaks.
"""

from __future__ import annotations

import sys
from pathlib import Path

from markupsafe import Markup
from nbformat import NotebookNode

from publish.formulas import font_face
from publish.lesson import NOTEBOOKS, lessons, read
from publish.offline import cells_html, fill, markdown_html, prepare, saved_interactives, stub, text
from publish.pages import SITE, Entry, entry, write_contents


def for_slides(notebook: NotebookNode) -> NotebookNode:
    """The notebook without the cells that its author marked as not to be shown."""
    kept = [cell for cell in notebook.cells if cell.metadata.get("slideshow", {}).get("slide_type") != "skip"]
    return NotebookNode(notebook, cells=kept)


def plan(number: str) -> str:
    """The teacher's plan of a lesson, which the speaker's window shows."""
    return (NOTEBOOKS / "teaching" / f"{number}.md").read_text(encoding="utf-8")


def deck(notebook: NotebookNode, lesson: Entry) -> str:
    """One lecture."""
    body = cells_html(prepare(for_slides(notebook)), lesson.number)
    return fill(
        "deck",
        lesson=lesson,
        cells=body,
        plan=Markup(markdown_html(plan(lesson.number))),
        saved=saved_interactives(notebook),
        style=font_face(body) + text("course.css") + text("deck.css"),
        scripts=stub()
        + "\n"
        + text("wake.js")
        + "\n"
        + text("copy.js")
        + "\n"
        + text("narrow.js")
        + "\n"
        + text("speaker.js")
        + "\n"
        + text("deck.js"),
    )


def write(folder: Path) -> list[Path]:
    """All lectures; the written files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in lessons():
        file = folder / f"{path.stem}.html"
        file.write_text(deck(read(path), entry(path)), encoding="utf-8")
        written.append(file)
    return written


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SITE / "slides"
    for written in write(folder):
        print(f"{written.stat().st_size / 2**10:6.0f} KiB  {written}")
    if (folder.parent / "index.html").exists():
        write_contents(folder.parent)


if __name__ == "__main__":
    main()
