"""The questions that the lessons ask, as data: one TOML file a lesson, in the order in which they are asked.

A lesson says `predict("04.1")`, so no answer stands in its cells. Each table has the number of a question, the id of
the cell that asks it, its kind (the name of the function that asks it), its text, and what that function needs.

A question that is answered with a number has two further variants, for an exam. Its `numbers` are lists, one value for
the lesson and one for each variant; its texts name them in braces, as in "has μ = {mu}", and its answer and the numbers
of its slips are written as what to do with them, as in "mu**2 / 2".
"""

from __future__ import annotations

import functools
import math
import re
import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
KINDS = ("predict", "quiz", "order", "match", "label", "enter")
"""The functions that ask, each of which takes a number."""
N_VARIANTS = 2
"""How many variants a question with numbers has beside the lesson's own."""


IN_BRACES = re.compile(r"\{([^{}:]+)(:[^{}]+)?\}")


@functools.cache
def _as_written(lesson: str, folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    path = folder / f"lesson{lesson}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def of_lesson(lesson: str, folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """The questions of a lesson ("04") by number ("04.1"), in order; none where the course has no such lesson.

    folder: where the files lie; another part of the course keeps its own data in the same way.
    """
    return {number: _in_variant(entry, 0) for number, entry in _as_written(lesson, folder).items()}


def _in_variant(entry: dict[str, Any], variant: int) -> dict[str, Any]:
    """A question with the numbers of one of its variants."""
    if "numbers" not in entry:
        return entry
    numbers = {name: values[variant] for name, values in entry["numbers"].items()}

    def value(expression: str) -> Any:
        return eval(expression, vars(math) | numbers)

    def number(expression: str) -> float:
        return float(f"{value(expression):.5g}")

    def text(words: str) -> str:
        return IN_BRACES.sub(lambda found: format(value(found[1]), (found[2] or ":")[1:]), words)

    texts = {name: text(entry[name]) for name in ("question", "right", "rule")}
    slips = [[number(expression), text(reason)] for expression, reason in entry["slips"]]
    return entry | texts | {"answer": number(entry["answer"]), "slips": slips}


def find(number: str, kind: str, variant: int = 0) -> dict[str, Any]:
    """The question "04.1", which has to be of this kind ("predict"); variant: 0 for the lesson's own numbers, or 1 or 2.

    Raises a ValueError that says which questions or variants there are, or how this one is asked.
    """
    lesson = number.partition(".")[0]
    known = _as_written(lesson) if lesson.isalnum() else {}
    if number not in known:
        asked = f"lesson {lesson} asks {', '.join(known)}" if known else 'a number is written as in "04.1"'
        raise ValueError(f"the course has no question {number!r}: {asked}.")
    if known[number]["kind"] != kind:
        raise ValueError(f'question {number} is asked by {known[number]["kind"]}("{number}").')
    if variant not in range(N_VARIANTS + 1 if "numbers" in known[number] else 1):
        raise ValueError(
            f"question {number} has the variants 1 and 2, and 0 is the lesson's own: {variant!r} is none of them."
        )
    return _in_variant(known[number], variant)


def check_words(*texts: str) -> None:
    """Raises a ValueError where a text is empty, or has a backtick without its partner."""
    for text in texts:
        if not text.strip():
            raise ValueError("the question, each option and each reason need words; one of them is empty.")
        if text.count("`") % 2:
            raise ValueError(f"{text!r} has a backtick without its partner: code stands between two.")
