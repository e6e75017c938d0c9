"""What students have handed in, read without running anything of it."""

from __future__ import annotations

import ast
import functools
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

STUBS = Path(__file__).parents[1] / "exercises" / "stubs.json"
LESSON = re.compile(r"aelib\.exercises\s+import\s+lesson(\d\d)")
HINT = re.compile(r"\bhint\(\s*['\"](\d\d\.\d)['\"]")


@dataclass(frozen=True)
class Call:
    """How a lesson asks for the verdict on an exercise: its number, the check, and the names of the answers."""

    number: str
    check: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class HandIn:
    """One notebook of one student. lesson: "06", or None with a sentence of what is wrong in trouble."""

    student: str
    file: str
    lesson: str | None = None
    cells: tuple[str, ...] = ()
    hints: tuple[tuple[str, int], ...] = ()
    trouble: str = ""


@functools.cache
def calls() -> dict[str, Call]:
    """Of each exercise, by number, the last line of its stub, taken apart."""
    found = {}
    for number, stub in json.loads(STUBS.read_text(encoding="utf-8")).items():
        call = ast.parse(stub).body[-1].value
        found[number] = Call(number, call.func.attr, tuple(argument.id for argument in call.args))
    return found


def hand_ins(folder: Path) -> list[HandIn]:
    """Every notebook under the folder, by student: the name of a subfolder, or of a file that lies in none.

    A subfolder without a notebook is one hand-in with its trouble, so that no student is lost.
    """
    paths = [path for path in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
    students = {student(path, folder) for path in paths}
    empty = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    read = [_read(path, student(path, folder), folder) for path in paths]
    missing = [
        HandIn(name, "", trouble="There is no notebook in this folder.")
        for name in empty
        if name not in students
    ]
    return sorted(read + missing, key=lambda one: (one.student, one.file))


def student(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else path.stem


def _read(path: Path, name: str, folder: Path) -> HandIn:
    file = str(path.relative_to(folder))
    try:
        cells = code_cells(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return HandIn(name, file, trouble="This file is not a notebook: it cannot be read as one.")
    lesson = lesson_of(cells)
    if lesson is None:
        return HandIn(name, file, trouble="No exercise of the course is in this notebook.")
    return HandIn(
        name, file, lesson, tuple(cells), tuple(sorted(Counter(HINT.findall("\n".join(cells))).items()))
    )


def code_cells(path: Path) -> list[str]:
    """The sources of the code cells of a notebook, in order."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def lesson_of(cells: list[str]) -> str | None:
    """The lesson that a notebook is a copy of, whatever its name: by its import, or by the answers that it defines."""
    text = "\n".join(cells)
    if named := LESSON.search(text):
        return named[1]
    names = set().union(*map(defined, cells)) if cells else set()
    votes = Counter(number[:2] for number, call in calls().items() if set(call.names) <= names)
    return max(votes, key=votes.get) if votes else None


def defined(source: str) -> set[str]:
    """The names that a cell defines at its top level; none if it does not parse."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return set(_names_by_sight(source))
    names: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {
                part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)
            }
    return names


def _names_by_sight(source: str) -> list[str]:
    """Names defined at the start of a line, in a cell that does not parse."""
    return [a or b for a, b in re.findall(r"^(?:def|class)\s+(\w+)|^(\w+)\s*=(?!=)", source, re.M)]
