"""The table: one row for each student and exercise, as CSV and as a page with the most frequent slips on top."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import jinja2

MARKS = {"right": "✓", "wrong": "✗", "error": "!", "not tried": "○", "": "–"}
PAGE = Path(__file__).with_name("page.html.j2")


@dataclass(frozen=True)
class Row:
    """state: "right", "wrong", "error", "not tried", or "" where nothing could be judged. hints: asked for in cells."""

    student: str
    file: str
    lesson: str
    exercise: str
    state: str
    sentence: str
    slip: str
    hints: int


def write(rows: list[Row], folder: Path) -> tuple[Path, Path]:
    """grades.csv and grades.html in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    table, page = folder / "grades.csv", folder / "grades.html"
    with table.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(map(asdict, rows))
    page.write_text(_page(rows), encoding="utf-8")
    return table, page


def _page(rows: list[Row]) -> str:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(PAGE.read_text(encoding="utf-8")).render(
        exercises=sorted({row.exercise for row in rows if row.exercise}),
        students=by_student(rows),
        troubles=[row for row in rows if not row.exercise],
        slips=most_frequent(rows),
        marks=MARKS,
    )


def by_student(rows: list[Row]) -> dict[str, dict[str, Row]]:
    """Each student's best row for each exercise: a right answer in one of two copies counts."""
    order = list(MARKS)
    best: dict[str, dict[str, Row]] = {row.student: {} for row in rows}
    for row in filter(lambda row: row.exercise, rows):
        now = best[row.student].get(row.exercise)
        if now is None or order.index(row.state) < order.index(now.state):
            best[row.student][row.exercise] = row
    return best


def most_frequent(rows: list[Row], most: int = 12) -> list[tuple[str, str, int]]:
    """Exercise, slip (or the sentence, where no slip is known), and how many students made it."""
    wrong = {(row.student, row.exercise, row.slip or row.sentence) for row in rows if row.state == "wrong"}
    counts = Counter((exercise, slip) for _, exercise, slip in wrong)
    return [(*what, count) for what, count in counts.most_common(most)]
