"""The whole course as pages that need no Python and no network: ``make html`` writes them to ``site/``.

    python -m publish.pages            to site/
    python -m publish.pages FOLDER     to another folder

Any static host serves the folder as it is, and a browser opens ``site/index.html`` from the disk.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup
from nbformat import NotebookNode

import aelib
from publish.edition import site_address
from publish.formulas import font_face
from publish.index import index, plain, with_references, with_terms
from publish.lesson import ROOT, lessons, read
from publish.offline import (
    cells_html,
    fill,
    markdown_html,
    prepare,
    saved_interactives,
    stub,
    text,
)

SITE = ROOT / "site"
PREVIEW = "latent_explorer.png"
"""What a link to a page is shown with, where links are shown with pictures."""
BOOK = "autoencoders.pdf"
"""The whole course as one file; the contents name it where it lies beside them."""
SCRIPTS = [f"{name}.js" for name in ("wake", "copy", "narrow", "old", "find", "explain", "answers", "page")]
MAP = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<path>figures/course_map\.svg)\)")


@dataclass(frozen=True)
class Entry:
    """What the table of contents says of a lesson; `slides` is the address of its lecture, if there is one."""

    number: str
    question: str
    page: str
    goals: Markup
    minutes: int
    slides: str = ""


def entry(path: Path, site: Path = SITE) -> Entry:
    first = read(path).cells[0].source
    title = first.splitlines()[0].removeprefix("# ")
    number, _, question = title.partition(" · ")
    goals = "\n".join(goal.rstrip(",.") for goal in re.findall(r"^- .*$", first, re.MULTILINE))
    times = re.findall(r"(\d+) minutes", re.sub(r"(?s).*\*\*Time\*\*", "", first))
    slides = f"slides/{path.stem}.html" if (site / "slides" / f"{path.stem}.html").exists() else ""
    return Entry(
        number, question, f"{path.stem}.html", Markup(markdown_html(goals)), sum(map(int, times)), slides
    )


def headings(cells: str) -> list[dict[str, str]]:
    """Address and words of each second-level heading."""
    found = re.findall(r'<h2 id="([^"]*)">(.*?)<a class="anchor-link"', cells, re.DOTALL)
    return [{"id": unescape(place), "text": Markup(words)} for place, words in found]


def shared_parts() -> dict[str, object]:
    return {
        "scripts": stub() + Markup("\n").join(map(text, SCRIPTS)),
        "edition": aelib.__version__,
        "preview": f"{site_address()}/assets/{PREVIEW}",
    }


def page(notebook: NotebookNode, this: Entry, before: Entry | None, after: Entry | None) -> str:
    """One lesson."""
    body = with_references(cells_html(prepare(notebook), this.number), this.page)
    body = with_terms(body, this.number)
    return fill(
        "page",
        lesson=this,
        about=plain(this.goals),
        before=before,
        after=after,
        cells=Markup(body),
        headings=headings(body),
        saved=saved_interactives(notebook),
        **shared_parts(),
    )


def introduction() -> dict[str, object]:
    """What the README says first: its title, and what the course is."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    title, first = readme.removeprefix("# ").split("\n\n", 2)[:2]
    return {"title": title.strip(), "introduction": Markup(markdown_html(first))}


def contents(entries: list[Entry], book: Path) -> str:
    """The table of contents, opened by what the README says first."""
    found = MAP.search((ROOT / "README.md").read_text(encoding="utf-8"))
    picture = found and {"name": Path(found["path"]).name, "alt": found["alt"]}
    opening = introduction()
    about = plain(opening["introduction"])
    megabytes = f"{book.stat().st_size / 1e6:.0f} MB" if book.exists() else None
    return fill(
        "contents",
        picture=picture,
        lessons=entries,
        about=about,
        book=megabytes and {"name": book.name, "size": megabytes},
        **opening,
        **shared_parts(),
    )


def sitemap(names: list[str]) -> str:
    """The addresses of the pages, for search engines."""
    places = "".join(f"<url><loc>{site_address()}/{quote(name)}</loc></url>\n" for name in names)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return f"{head}{places}</urlset>\n"


def write_assets(site: Path, pages: Iterable[str]) -> None:
    """What the pages load: from beside them, never from elsewhere. Their formulas' font stands in the style sheet."""
    assets = site / "assets"
    assets.mkdir(parents=True, exist_ok=True)
    (assets / "course.css").write_text(
        font_face("".join(pages)) + text("course.css") + text("page.css"), encoding="utf-8"
    )
    (assets / "course.js").write_text(index(), encoding="utf-8")
    for picture in ("course_map.svg", PREVIEW):
        shutil.copy(ROOT / "figures" / picture, assets)


def write_contents(site: Path) -> None:
    whole = contents([entry(path, site) for path in lessons()], site / BOOK)
    (site / "index.html").write_text(whole, encoding="utf-8")


def all_pages(number: str = "") -> dict[str, str]:
    """The page of each lesson whose number begins so, by its file's name."""
    entries, paths = [entry(path) for path in lessons()], lessons()
    around = [None, *entries, None]
    return {
        this.page: page(read(path), this, before, after)
        for path, before, this, after in zip(paths, around, entries, around[2:], strict=False)
        if this.number.startswith(number)
    }


def write(site: Path) -> list[Path]:
    """The whole course; the written pages, contents first."""
    pages = all_pages()
    write_assets(site, pages.values())
    write_contents(site)
    for name, whole in pages.items():
        (site / name).write_text(whole, encoding="utf-8")
    (site / "sitemap.xml").write_text(sitemap(["index.html", *pages]), encoding="utf-8")
    return [site / name for name in ["index.html", *pages]]


def main() -> None:
    site = Path(sys.argv[1]) if len(sys.argv) > 1 else SITE
    for written in write(site):
        print(f"{written.stat().st_size / 2**10:6.0f} KiB  {written}")


if __name__ == "__main__":
    main()
