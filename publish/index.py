"""What the pages find and explain: headings and paragraphs, numbered equations, the glossary, in one file beside them.

The addresses are ids of cells and numbers of equations, so a link leads to the same place in the next edition.
"""

from __future__ import annotations

import functools
import html
import json
import re
from collections.abc import Callable
from pathlib import Path

from publish.formulas import ANNOTATION
from publish.lesson import cells, lessons, read
from publish.offline import markdown_html

EQUATION = re.compile(r'<span class="math" id="eq-([\d.]+)">(.*?)<span class="number">', re.DOTALL)
REFERENCE = re.compile(r"\((\d\d\.\d{1,2})\)")
GLOSSARY = "glossary"
"""Id of the cell that holds the glossary: a table of English, Italian, and a line each."""
SILENT = {"a", "button", "code", "h1", "h2", "h3", "h4", "math", "pre", "script", "style", "summary", "table"}
"""Elements whose words are never made links."""


def plain(made: str) -> str:
    """The words of some HTML; what is folded away stays out, for there are the solutions."""
    shown = re.sub(r"<(details|style)\b.*?</\1>", " ", ANNOTATION.sub("", made), flags=re.DOTALL)
    spaced = re.sub(r"</?(?:p|li|t[drh]|table|h\d|[uo]l|span)\b[^>]*>", " ", shown)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", spaced)).replace("¶", " ").split())


def sections(path: Path) -> list[tuple[str, str, str]]:
    """Address, heading and words of what stands below each heading, cell by cell."""
    found, heading = [], ""
    for cell in cells(read(path), "markdown"):
        for part in re.split(r"(?=<h[1-4]\b)", markdown_html(cell.source)):
            if title := re.match(r"<h[1-4][^>]*>(.*?)<a class", part, re.DOTALL):
                heading = plain(title[1])
            if words := plain(part):
                found.append((f"{path.stem}.html#cell-{cell.id}", heading, words))
    return found


@functools.cache
def equations() -> dict[str, tuple[str, str]]:
    """Address and MathML of each numbered equation of the course."""
    return {
        number: (f"{path.stem}.html#eq-{number}", made)
        for path in lessons()
        for cell in cells(read(path), "markdown")
        for number, made in EQUATION.findall(markdown_html(cell.source))
    }


@functools.cache
def glossary() -> dict[str, tuple[str, str, str]]:
    """Address, Italian and one line of each English term."""
    [path] = lessons("00")
    [cell] = [cell for cell in cells(read(path), "markdown") if cell.id == GLOSSARY]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", cell.source, re.MULTILINE)[1:]
    place = f"{path.stem}.html#cell-{GLOSSARY}"
    return {plain(markdown_html(term)): (place, italian, line) for term, italian, line in rows}


def index() -> str:
    """The file of the search: a script, so that it loads from a disk too."""
    found = {
        "lessons": {
            f"{path.stem}.html": read(path).cells[0].source.splitlines()[0][2:] for path in lessons()
        },
        "sections": [section for path in lessons() for section in sections(path)],
        "equations": equations(),
        "glossary": glossary(),
    }
    return f"window.course = {json.dumps(found, ensure_ascii=False, separators=(',', ':'))};\n"


# ---- links in the prose ------------------------------------------------------------------------------------


def in_words(made: str, change: Callable[[str], str]) -> str:
    """The HTML with its words changed, except in headings, tables, code, formulas and links."""
    parts, depth = re.split(r"(<[^>]*>)", made), 0
    for at, part in enumerate(parts):
        if tag := re.fullmatch(r"<(/?)(\w+)[^>]*>", part):
            depth += (tag[2] in SILENT) * (-1 if tag[1] else 1)
        elif not depth and part.strip():
            parts[at] = change(part)
    return "".join(parts)


def with_references(made: str, page: str) -> str:
    """Numbers of equations in the prose of a page become links to them."""

    def link(found: re.Match) -> str:
        address, _ = equations().get(found[1], ("", ""))
        return f'<a class="ref" href="{address.removeprefix(page)}">{found[0]}</a>' if address else found[0]

    return in_words(made, lambda words: REFERENCE.sub(link, words))


OTHER_SENSES = (
    "information bottleneck",
    "learning rate",
    "density at the rate",
    "line of code",
    "parts of the score",
    "rate for label",
    "rates of change",
    "samples of a sound",
    "so this rate is",
    "the noise of one run",
)
"""Phrases in which a word of the glossary has another sense."""
COMES_LATER = {"score": "12"}
"""The lesson that gives a word the glossary's sense; before it the word is used as everybody uses it."""
REFERENCES = 'id="cell-references"'


@functools.cache
def terms() -> re.Pattern:
    """Any term of the glossary, also in the plural; "encoder, decoder" are two. The group stays empty in OTHER_SENSES."""
    names = sorted((name for term in glossary() for name in term.split(", ")), key=len, reverse=True)
    other, own = ("|".join(re.escape(one) for one in words) for words in (OTHER_SENSES, names))
    return re.compile(rf"(?<![\w-])(?:(?:{other})|({own}))(?=s?(?![\w-]))", re.IGNORECASE)


def with_terms(made: str, lesson: str = "99") -> str:
    """Terms of the glossary become links to it, each where it first stands, and none among the references."""
    entry = {name.lower(): term for term in glossary() for name in term.split(", ")}
    seen: set[str] = set()

    def link(found: re.Match) -> str:
        term = entry[found[1].lower()] if found[1] else None
        if term is None or term in seen or lesson < COMES_LATER.get(term, ""):
            return found[0]
        seen.add(term)
        name = html.escape(term)
        return f'<a class="term" data-term="{name}" href="{glossary()[term][0]}">{found[0]}</a>'

    prose, references, rest = made.partition(REFERENCES)
    return in_words(prose, lambda words: terms().sub(link, words)) + references + rest
