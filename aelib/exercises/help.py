"""What helps with an exercise besides its check: hints in steps, what was solved, and the stub as it was.

Every lesson's checks bring these along: ``check.hint("06.3")``, ``check.progress("06")``, ``check.reset("06.3")``.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, replace
from pathlib import Path

from aelib import questions
from aelib.exercises import memory
from aelib.exercises.frame import LISTENERS, Verdict

FOLDER = Path(__file__).parent / "hints"
STUBS = Path(__file__).parent / "stubs.json"
STEPS = {"question": "a question", "idea": "the idea", "start": "the first line"}
"""The three hints of an exercise, in order: what each is called in the data, and in a lesson."""
LEVELS = ("easy", "medium", "hard")
PATIENCE = 2
"""After so many wrong answers the check offers a hint."""
WORDS = ("none", "one", "two", "three", "four", "five", "six")

_lines: dict = {}
"""Of each lesson the line that shows what was solved, to be painted anew after each verdict."""


@dataclass(frozen=True)
class Said:
    """Words for the student, plain and as Markdown."""

    plain: str
    markdown: str

    def __repr__(self) -> str:
        return self.plain

    def _repr_markdown_(self) -> str:
        return self.markdown


def lessons() -> list[str]:
    """The lessons that have exercises, "00", "01", …"""
    return sorted(path.stem.removeprefix("lesson") for path in FOLDER.glob("lesson*.toml"))


def exercises_of(lesson: str) -> dict[str, dict]:
    """Of each exercise of a lesson, by number: minutes, level, and the three hints (see ``STEPS``)."""
    return questions.of_lesson(lesson, FOLDER) if lesson in lessons() else {}


def _lesson(number: str) -> str:
    return str(number).partition(".")[0]


def _known(number: str) -> bool:
    return number in exercises_of(_lesson(number))


def _unknown(number: str) -> Said:
    words = (
        f'The course has no exercise {number!r}: a number is written as in "06.3", quotation marks included.'
    )
    return Said(words, words)


# ---- hints -------------------------------------------------------------------------------------------------


def hint(number: str, step: int | None = None) -> Said:
    """The next of the three hints for the exercise "06.3"; with ``step``, 1 to 3, that one (again)."""
    if not _known(number):
        return _unknown(number)
    if step not in (None, *range(1, len(STEPS) + 1)):
        words = f"Exercise {number} has hints 1 to {len(STEPS)}, and no hint {step}."
        return Said(words, words)
    record = memory.update(number, functools.partial(_with_hint, step=step))
    return _hint(number, step or record.hints)


def _with_hint(record: memory.Record, step: int | None) -> memory.Record:
    """One more is given, or that one; the wrong answers are counted anew."""
    given = min(record.hints + 1, len(STEPS)) if step is None else max(record.hints, step)
    return replace(record, hints=given, wrong=0)


def _hint(number: str, step: int) -> Said:
    text = exercises_of(_lesson(number))[number][list(STEPS)[step - 1]].strip()
    head = f"Hint {step} of {len(STEPS)} for exercise {number}"
    last = f'That was the last one; `check.hint("{number}", 1)` gives the first again.'
    more = last if step == len(STEPS) else f'`check.hint("{number}")` gives the next one.'
    return Said(f"{head}\n{text}\n({more})".replace("`", ""), f"**{head}**\n\n{text}\n\n*{more}*")


# ---- what was solved ---------------------------------------------------------------------------------------


def remember(verdict: Verdict) -> Verdict:
    """Keep what a verdict says, and offer a hint after some wrong answers; every verdict passes through here."""
    if verdict.state not in ("right", "wrong") or not _known(verdict.exercise):
        return verdict
    record = memory.update(verdict.exercise, functools.partial(_after, right=verdict.state == "right"))
    for lesson, handle in _lines.items():
        handle.update(_summary(lesson))
    return replace(verdict, sentence=verdict.sentence + _offer(verdict.exercise, record))


LISTENERS.append(remember)


def _after(record: memory.Record, right: bool) -> memory.Record:
    if not right:
        return replace(record, wrong=min(record.wrong + 1, PATIENCE))
    before = record.hints_before if record.solved else record.hints
    return replace(record, solved=True, hints_before=before, wrong=0)


def _offer(number: str, record: memory.Record) -> str:
    if record.wrong < PATIENCE or record.hints == len(STEPS):
        return ""
    return f'\n  A hint may help: check.hint("{number}") gives hint {record.hints + 1} of {len(STEPS)}.'


def progress(lesson: str | None = None) -> Said | None:
    """How many exercises of a lesson ("06") are solved, and how many of these with a hint; a table without a lesson.

    In a notebook the line stays true: each verdict paints it anew.
    """
    said = _summary(lesson)
    if _shell() is None or not said.plain:
        return said
    from IPython.display import display

    _lines[lesson] = display(said, display_id=True)
    return None


def _summary(lesson: str | None) -> Said:
    if lesson is None:
        return _table()
    if lesson not in lessons():
        words = f'The course has no exercises in a lesson {lesson!r}: a lesson is written as in "06".'
        return Said(words, words)
    words = f"Exercises of this lesson: {_counted(lesson, memory.records())}."
    return Said(words, words)


def _counted(lesson: str, records: dict[str, memory.Record]) -> str:
    """ "4 of 5 solved, one with a hint" """
    numbers = list(exercises_of(lesson))
    solved = [records[number] for number in numbers if number in records and records[number].solved]
    helped = sum(record.hints_before > 0 for record in solved)
    with_hint = f", {WORDS[helped]} with a hint" if helped else ""
    return f"{len(solved) or 'none'} of {len(numbers)} solved{with_hint}"


def _table() -> Said:
    records = memory.records()
    rows = [
        (lesson, sum(entry["minutes"] for entry in exercises_of(lesson).values()), _counted(lesson, records))
        for lesson in lessons()
    ]
    plain = [f"{lesson}   {minutes:3d} minutes   {counted}" for lesson, minutes, counted in rows]
    table = [f"| {lesson} | {minutes} | {counted} |" for lesson, minutes, counted in rows]
    head = ["| lesson | minutes for exercises | exercises |", "|---|---|---|"]
    return Said("\n".join(plain), "\n".join(head + table))


def _shell():
    """IPython's shell, if this is a notebook."""
    import sys

    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


# ---- the stub, as it was -----------------------------------------------------------------------------------


def stubs() -> dict[str, str]:
    """Number of each exercise of the course, and the code of its cell before anybody wrote in it."""
    return json.loads(STUBS.read_text(encoding="utf-8"))


def reset(number: str) -> Said | None:
    """Bring back the stub of the exercise "06.3", in the cell that says so; all other cells stay as they are."""
    if not _known(number):
        return _unknown(number)
    stub, shell = stubs()[number], _shell()
    if shell is None:
        return Said(stub, f"```python\n{stub}\n```")
    shell.set_next_input(stub, replace=True)
    return None
