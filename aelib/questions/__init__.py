"""The questions that the lessons ask, as data: one TOML file a lesson, in the order in which they are asked.

A lesson says `predict("04.1")`, so no answer stands in its cells. Each table has the number of a question, the id of
the cell that asks it, its kind (the name of the function that asks it), its text, and what that function needs.
"""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
KINDS = ("predict", "quiz", "order", "match", "label", "enter")
"""The functions that ask, each of which takes a number."""


@functools.cache
def of_lesson(lesson: str, folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """The questions of a lesson ("04") by number ("04.1"), in order; none where the course has no such lesson.

    folder: where the files lie; another part of the course keeps its own data in the same way.
    """
    path = folder / f"lesson{lesson}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def find(number: str, kind: str) -> dict[str, Any]:
    """The question "04.1", which has to be of this kind ("predict").

    Raises a ValueError that says which questions there are, or how this one is asked.
    """
    lesson = number.partition(".")[0]
    known = of_lesson(lesson) if lesson.isalnum() else {}
    if number not in known:
        asked = f"lesson {lesson} asks {', '.join(known)}" if known else 'a number is written as in "04.1"'
        raise ValueError(f"the course has no question {number!r}: {asked}.")
    if known[number]["kind"] != kind:
        raise ValueError(f'question {number} is asked by {known[number]["kind"]}("{number}").')
    return known[number]


def check_words(*texts: str) -> None:
    """Raises a ValueError where a text is empty, or has a backtick without its partner."""
    for text in texts:
        if not text.strip():
            raise ValueError("the question, each option and each reason need words; one of them is empty.")
        if text.count("`") % 2:
            raise ValueError(f"{text!r} has a backtick without its partner: code stands between two.")
