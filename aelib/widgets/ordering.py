"""Questions in which lines are put in order: a derivation, a recipe."""

from __future__ import annotations

import random
from collections.abc import Sequence

import traitlets

from aelib import questions
from aelib.widgets.base import Interactive

Lines = Sequence[Sequence[str]]
"""A (line, reason) pair for each line, in the right order."""
FEWEST = 3


def order(question: str, lines: Lines | None = None) -> Ordering:
    """Lines to be put in order, with buttons that move a line up and down.

    ``order("06.3")`` asks a question of the course by its number, ``order("Which comes first?", [("Encode", "…"),
    ("Draw", "…"), ("Decode", "…")])`` one of your own.

    lines: (line, reason) pairs in the right order. The reason says what has to stand before the line, and it is shown
    where the line stands too early or too late. Texts are plain; mathematics in Unicode, never LaTeX.
    """
    if lines is None:
        found = questions.find(question, "order")
        question, lines = found["question"], found["lines"]
    return Ordering(question, lines)


class Ordering(Interactive, script="ordering", title="Put in order"):
    """Lines in some order, and a button that checks it; made by `order`.

    order: the numbers of the lines, from above; 0, 1, … is right. checked: whether the order shown was checked.
    """

    question = traitlets.Unicode().tag(sync=True)
    lines = traitlets.List().tag(sync=True)
    order = traitlets.List().tag(sync=True)
    checked = traitlets.Bool(False).tag(sync=True)

    def __init__(self, question: str, lines: Lines) -> None:
        if len(lines) < FEWEST:
            raise ValueError(f"to put in order takes {FEWEST} lines at least, and {len(lines)} were given.")
        questions.check_words(question, *(part for line in lines for part in line))
        super().__init__(
            question=question,
            lines=[{"text": text, "reason": reason} for text, reason in lines],
            order=_mixed(len(lines), question),
        )

    def words(self) -> str:
        """The question and its lines, in the order of the start."""
        lines = (f"  ↕ {self.lines[number]['text']}" for number in self.order)
        return "\n".join([self.title, self.question, *lines])


def _mixed(n: int, seed: str) -> list[int]:
    """An order in which no line stands in its place, the same one each time."""
    generator, order = random.Random(seed), list(range(n))
    while any(place == number for place, number in enumerate(order)):
        generator.shuffle(order)
    return order
