"""How the lessons read: words, words a sentence, parentheses, and the longest line of code of each.

    python tests/notebooks/reading.py            the lessons as they are
    python tests/notebooks/reading.py HEAD~1     the lessons of that commit

Words are those of the text cells, formulas left out, and hints and solutions, which open one at a time. A parenthesis is counted unless it holds the number of an
equation, a year alone, or stands in a formula, in code, or in the address of a link.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).parents[2]
HINT = re.compile(r"<details><summary>(?:Hint|Solution)\b.*?</details>", re.S)
CODE = re.compile(r"```.*?```|\$\$.*?\$\$", re.S)


def prose(notebook: Any) -> str:
    """The text cells without formulas, code, tags and addresses; a formula or a name in a line counts as one word."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    text = re.sub(r"`[^`\n]*`|\$[^$\n]*\$", "x", CODE.sub(" ", HINT.sub(" ", text)))
    return re.sub(r"<[^>]*>", " ", re.sub(r"\]\([^)]*\)", "]", text))


def words(text: str) -> int:
    return len(re.findall(r"[^\W\d_][\w’'-]*", text))


def sentences(text: str) -> list[str]:
    """Those of running text: without headings, tables and references; an item of a list and a formula end one."""
    lines = text.partition("### References")[0].splitlines()
    body = [line.strip() for line in lines if not re.match(r"\s*(#|\|)", line)]
    joined = " ".join(f"¶ {line}" if re.match(r"- |\d+\. |$", line) else line for line in body)
    return [found for found in re.split(r"¶|(?<=[.?!])[*”]*\s+", joined) if words(found)]


def parentheses(text: str) -> int:
    found = re.findall(r"\(([^()]*)\)", text.partition("### References")[0])
    return sum(not re.fullmatch(r"[\d.]+|x", inside) for inside in found)


def code_lines(notebook: Any) -> list[list[str]]:
    """The lines of each code cell, without questions and the cell that finds the course, the same in every lesson."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code" and cell.id != "course"]
    return [source.splitlines() for source in sources if not re.match(r"(predict|quiz)\(", source)]


def measures(notebook: Any) -> dict[str, float]:
    text, code = prose(notebook), code_lines(notebook)
    return {
        "words": words(text),
        "words a sentence": round(statistics.mean(map(words, sentences(text))), 1),
        "parentheses": parentheses(text),
        "longest code line": max(len(line) for lines in code for line in lines),
        "median lines a cell": statistics.median(map(len, code)),
    }


def notebooks(commit: str | None) -> Iterator[tuple[str, Any]]:
    """Name and notebook of each lesson, of the working tree or of a commit."""
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        if commit is None:
            yield path.stem, nbformat.read(path, as_version=4)
            continue
        name = f"{commit}:notebooks/{path.name}"
        shown = subprocess.run(["git", "show", name], cwd=ROOT, capture_output=True, text=True)
        if shown.returncode == 0:
            yield path.stem, nbformat.reads(shown.stdout, as_version=4)


if __name__ == "__main__":
    for stem, notebook in notebooks(sys.argv[1] if len(sys.argv) > 1 else None):
        print(f"{stem:32}", "   ".join(f"{name} {value:g}" for name, value in measures(notebook).items()))
