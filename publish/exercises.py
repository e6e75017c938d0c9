"""Carry what belongs to an exercise between the lessons and the package, so that each thing is written once.

    python -m publish.exercises            every lesson

Hints, minutes and level are written in `aelib/exercises/hints/lessonNN.toml`, and a lesson shows them; stubs are written
in the lessons, and `aelib/exercises/stubs.json` keeps a copy of each, which `check.reset` brings back.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from aelib.exercises.help import STEPS, STUBS, exercises_of
from publish.lesson import exercises, lessons, read

HEADING = re.compile(r"^(### Exercise \d+ · .+\n)(\n\d+ minutes, \w+\.\n)?", re.MULTILINE)
HINTS = re.compile(
    r"(?:<details><summary>Hint[^<]*</summary>\n.*?</details>\n)+(?=<details><summary>Solution)", re.DOTALL
)


def folded(entry: dict) -> str:
    """The three hints of an exercise, each in a fold of its own."""
    return "".join(
        f"<details><summary>Hint {step}: {called}</summary>\n\n{entry[name].strip()}\n\n</details>\n"
        for step, (name, called) in enumerate(STEPS.items(), 1)
    )


def write_help(notebook: NotebookNode, lesson: str) -> None:
    """Put minutes and level under each exercise's heading, and its hints above its solution, as the data say."""
    entries = list(exercises_of(lesson).values())
    for pattern, text in (
        (HEADING, lambda entry, found: f"{found[1]}\n{entry['minutes']} minutes, {entry['level']}.\n"),
        (HINTS, lambda entry, _: folded(entry)),
    ):
        left = iter(entries)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = pattern.sub(lambda found: text(next(left), found), cell.source)  # noqa: B023
        if next(left, None):
            raise SystemExit(
                f"lesson {lesson} has more exercises than the notebook has places for their help."
            )


def stubs(notebook: NotebookNode, lesson: str) -> dict[str, str]:
    """Number of each exercise, and the cell with its stub."""
    cells = exercises(notebook).values()
    return {number: cell.source for number, cell in zip(exercises_of(lesson), cells, strict=True)}


def all_stubs() -> str:
    """The text of `stubs.json`, from the lessons."""
    found = {k: v for path in lessons() for k, v in stubs(read(path), path.name[:2]).items()}
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def carry(path: Path) -> None:
    """Write the help into one lesson; the file is touched only where something is new."""
    notebook, before = read(path), path.read_text(encoding="utf-8")
    write_help(notebook, path.name[:2])
    after = nbformat.writes(notebook) + "\n"
    if after != before:
        path.write_text(after, encoding="utf-8")


def main() -> int:
    for path in lessons():
        carry(path)
    STUBS.write_text(all_stubs(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
