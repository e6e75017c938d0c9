"""Questions with a few answers: a prediction before a cell runs, and a quiz question after."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import traitlets

from aelib import questions
from aelib.widgets.base import Interactive

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Options = Sequence[Sequence[str]]
"""A (text, reason) pair for each option."""
FEWEST, MOST = 2, 4
LINE_LENGTH = 84
HEADINGS = {"predict": "Predict, then run", "quiz": "Check yourself"}


def predict(question: str, options: Options | None = None, *, right: int | None = None) -> Choice:
    """A prediction to make before the next cell: the reasons stay hidden until "What happened?" is pressed.

    ``predict("04.1")`` asks a question of the course by its number (`aelib.questions`), and
    ``predict("Which way …?", [("Up", "…"), ("Down", "…")], right=0)`` asks one of your own.

    options: (text, reason) pairs, two to four. Each wrong option is a misconception, and its reason begins
    with the misconception's name and a colon: ``"Numbers taken for bits: one number holds many bits."``
    right: index of the option that will turn out to be so; its reason does not say "Right": the card does.

    Texts are plain, with `code` between backticks; mathematics in Unicode (x̂, σ², ≤), never LaTeX.
    """
    return _ask("predict", question, options, right)


def quiz(question: str, options: Options | None = None, *, right: int | None = None) -> Choice:
    """A question that answers back: each choice shows its reason, and one may choose again.

    Number or question, options, `right` and texts are as for `predict`.
    """
    return _ask("quiz", question, options, right)


def _ask(kind: str, question: str, options: Options | None, right: int | None) -> Choice:
    if options is None:
        found = questions.find(question, kind)
        return Choice(kind, found["question"], found["options"], found["right"])
    if right is None:
        raise ValueError("say which option is right: right=0 is the first.")
    return Choice(kind, question, options, right)


class Choice(Interactive, script="choice"):
    """Radio buttons with a reason behind each; made by `predict` and `quiz`.

    chosen: index of the option chosen last, -1 before the first choice.
    revealed: whether a prediction has been compared with what happened.
    """

    kind = traitlets.Enum(("predict", "quiz")).tag(sync=True)
    question = traitlets.Unicode().tag(sync=True)
    options = traitlets.List().tag(sync=True)
    right = traitlets.Int().tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True)
    revealed = traitlets.Bool(False).tag(sync=True)

    def __init__(self, kind: str, question: str, options: Options, right: int) -> None:
        _check(question, options, right)
        entries = [_entry(text, reason, index == right) for index, (text, reason) in enumerate(options)]
        super().__init__(kind=kind, question=question, options=entries, right=right)
        self.description = "\n".join([question, *(f"  ( ) {entry['text']}" for entry in entries)]).replace(
            "`", ""
        )

    def picture(self) -> Figure:
        """The question and its options, without the answers."""
        paragraphs = [(HEADINGS[self.kind], "", 10, "#555d68"), (self.question, "", 13, "#1b1f24")]
        paragraphs += [(entry["text"], "○  ", 12, "#1b1f24") for entry in self.options]
        return _page(paragraphs)


def _entry(text: str, reason: str, is_right: bool) -> dict[str, str]:
    """An option as JavaScript reads it; a wrong one's reason is parted into misconception and explanation."""
    name, colon, rest = reason.partition(": ")
    if is_right and reason.startswith("Right"):
        raise ValueError(f"the reason {reason!r} begins with the word that the card puts before it.")
    if is_right:
        return {"text": text, "name": "", "reason": reason}
    if not (name and colon and rest):
        raise ValueError(
            f"the reason of the wrong option {text!r} names no misconception: begin it with a name and a "
            "colon, as in 'Numbers taken for bits: one number can hold many bits.'"
        )
    return {"text": text, "name": name, "reason": rest}


def _check(question: str, options: Options, right: int) -> None:
    if not FEWEST <= len(options) <= MOST:
        raise ValueError(f"a question has {FEWEST} to {MOST} options, and {len(options)} were given.")
    if not 0 <= right < len(options):
        raise ValueError(f"right is {right}, but the options are numbered 0 to {len(options) - 1}.")
    for text in (question, *(part for option in options for part in option)):
        if not text.strip():
            raise ValueError("the question, each option and each reason need words; one of them is empty.")
        if text.count("`") % 2:
            raise ValueError(f"{text!r} has a backtick without its partner: code stands between two.")


def _page(paragraphs: list[tuple[str, str, int, str]]) -> Figure:
    """Wrapped paragraphs (words, mark before them, size in points, colour) as a picture."""
    from matplotlib.figure import Figure

    lines = []
    for words, mark, size, colour in paragraphs:
        wrapped = textwrap.wrap(words.replace("`", ""), int(LINE_LENGTH * 12 / size))
        lines += [
            (
                0.03 * (bool(mark) and bool(row)),
                (mark if not row else "") + line,
                size,
                colour,
                0.12 * (not row),
            )
            for row, line in enumerate(wrapped)
        ]
    height = sum(size / 72 * 1.45 + gap for *_, size, _, gap in lines) + 0.3
    figure, down = Figure(figsize=(7.6, height)), 0.1
    for indent, line, size, colour, gap in lines:
        down += size / 72 * 1.45 + gap
        figure.text(0.02 + indent, 1 - down / height, line, size=size, color=colour, parse_math=False)
    return figure
