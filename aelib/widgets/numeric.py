"""Questions that are answered with a number, which name the slip behind a wrong one."""

from __future__ import annotations

from collections.abc import Sequence

import traitlets

from aelib import questions
from aelib.widgets.base import Interactive

Slips = Sequence[Sequence[object]]
"""A (value, reason) pair for each wrong number that is expected."""


def enter(
    question: str,
    answer: float | None = None,
    *,
    right: str = "",
    slips: Slips = (),
    rule: str = "",
    unit: str = "",
    within: float = 0.01,
    variant: int = 0,
) -> Numeric:
    """A question with a number for an answer.

    ``enter("01.3")`` asks a question of the course by its number, ``enter("01.3", variant=1)`` the same with other
    numbers, for an exam (there are two: 1 and 2), and ``enter("What is 2³?", 8, right="Three factors.",
    slips=[(6, "That is two times three.")], rule="Multiply 2 by itself.")`` one of your own.

    right: what a right answer means. slips: (value, reason) pairs. rule: what is said of any other number.
    within: how far off an answer may be, relative to the number that it is compared with (absolute for 0).
    A student writes 0.5, 0,5 or 1/2, and may add the unit.
    """
    if answer is None:
        found = questions.find(question, "enter", variant)
        names = ("question", "answer", "right", "slips", "rule")
        return Numeric(*(found[name] for name in names), found.get("unit", ""), found.get("within", within))
    return Numeric(question, answer, right, slips, rule, unit, within)


class Numeric(Interactive, script="numeric", title="Work it out"):
    """A place for a number, and what is said of it; made by `enter`.

    entered: what was written last, as it was written.
    """

    question = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Float().tag(sync=True)
    right = traitlets.Unicode().tag(sync=True)
    slips = traitlets.List().tag(sync=True)
    rule = traitlets.Unicode().tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    within = traitlets.Float().tag(sync=True)
    entered = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self, question: str, answer: float, right: str, slips: Slips, rule: str, unit: str, within: float
    ) -> None:
        questions.check_words(question, right, rule, *(reason for _, reason in slips))
        values = [float(answer), *(float(value) for value, _ in slips)]
        for k, value in enumerate(values):
            if any(_same(value, other, within) for other in values[:k]):
                raise ValueError(f"{value} is so near to another answer that the two cannot be told apart.")
        super().__init__(
            question=question,
            answer=values[0],
            right=right,
            slips=[
                {"value": value, "reason": reason}
                for value, (_, reason) in zip(values[1:], slips, strict=True)
            ],
            rule=rule,
            unit=unit,
            within=within,
        )

    def words(self) -> str:
        """The question, and where the number goes."""
        return f"{self.title}\n{self.question}\n  ____ {self.unit}".rstrip()


def _same(value: float, other: float, within: float) -> bool:
    """Whether one entry could be taken for both."""
    return abs(value - other) <= within * ((abs(value) + abs(other)) or 1)
