"""``python -m aelib.grade``: see ``aelib.grade``."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path

from aelib.grade import release, report
from aelib.grade.handed_in import HandIn, calls, hand_ins

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    if not sorted(options.lessons.glob("[0-9][0-9]_*.ipynb")):
        return _refuse(f"There are no lessons in {options.lessons}: name their folder with --lessons.")
    if options.export:
        print(f"Assignments for nbgrader: {release.export(options.lessons, options.folder)}")
        return 0
    if not options.folder.is_dir():
        return _refuse(f"{options.folder} is no folder.")
    if not hasattr(os, "fork"):
        return _refuse("The desk needs processes that fork: use it on Linux, on macOS or in WSL.")
    handed = hand_ins(options.folder)
    if not handed:
        return _refuse(f"There is nothing handed in in {options.folder}.")
    rows = grade(handed, options.lessons, vars(options))
    table, page = report.write(rows, options.out)
    print(f"{len({row.student for row in rows})} students: {table} and {page}")
    return 0


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m aelib.grade", description="Judge what a class has handed in."
    )
    parser.add_argument("folder", type=Path, help="a folder for each student, or a notebook for each")
    parser.add_argument(
        "--lessons", type=Path, default=NOTEBOOKS, help="the folder of the lessons as published"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("grades"), help="where grades.csv and grades.html go"
    )
    parser.add_argument("--seconds", type=int, default=20, help="time for each answer")
    parser.add_argument("--memory", type=int, default=1024, help="memory for each answer, in MB")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="answers judged at the same time"
    )
    parser.add_argument(
        "--export", choices=["nbgrader"], help="write the lessons as assignments into the folder"
    )
    return parser.parse_args(arguments)


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


def grade(handed: list[HandIn], lessons: Path, limits: dict) -> list[report.Row]:
    """A row for each student and exercise; and for what cannot be judged a row that says why."""
    rows = [_trouble(one) for one in handed if one.trouble]
    by_lesson = sorted((one for one in handed if one.lesson), key=lambda one: one.lesson)
    for lesson, ones in groupby(by_lesson, key=lambda one: one.lesson):
        rows += _of_lesson(lesson, list(ones), lessons, limits)
    return sorted(rows, key=lambda row: (row.student, row.file, row.exercise))


def _trouble(one: HandIn, sentence: str = "") -> report.Row:
    return report.Row(one.student, one.file, one.lesson or "", "", "", sentence or one.trouble, "", 0)


def _of_lesson(lesson: str, ones: list[HandIn], lessons: Path, limits: dict) -> list[report.Row]:
    notebook = next(iter(lessons.glob(f"{lesson}_*.ipynb")), None)
    if notebook is None:
        return [_trouble(one, f"The course has no lesson {lesson}.") for one in ones]
    with tempfile.TemporaryDirectory() as folder:
        verdicts = Path(folder) / "verdicts"
        job = {
            "notebook": str(notebook.resolve()),
            "lesson": lesson,
            "students": [one.cells for one in ones],
            "limits": {name: limits[name] for name in ("seconds", "memory", "jobs")},
            "verdicts": str(verdicts),
        }
        subprocess.run(
            [sys.executable, "-m", "aelib.grade.room"], input=json.dumps(job), text=True, check=False
        )
        lines = verdicts.read_text(encoding="utf-8").splitlines() if verdicts.exists() else []
    found = {(line["student"], line["exercise"]): line for line in map(json.loads, lines)}
    numbers = [number for number in calls() if number.startswith(f"{lesson}.")]
    return [
        _row(one, number, found.get((place, number))) for place, one in enumerate(ones) for number in numbers
    ]


def _row(one: HandIn, number: str, found: dict | None) -> report.Row:
    found = found or {
        "state": "error",
        "sentence": "The lesson did not get as far as this exercise.",
        "slip": None,
    }
    hints = dict(one.hints).get(number, 0)
    return report.Row(
        one.student,
        one.file,
        one.lesson or "",
        number,
        found["state"],
        found["sentence"],
        found["slip"] or "",
        hints,
    )


if __name__ == "__main__":
    sys.exit(main())
