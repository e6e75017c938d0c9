"""Questions with a few answers: a prediction before a cell runs, and a quiz question after."""

from __future__ import annotations

from collections.abc import Sequence

import traitlets

from aelib import questions
from aelib.widgets.base import Interactive

Options = Sequence[Sequence[str]]
"""A (text, reason) pair for each option."""
FEWEST, MOST = 2, 4
HEADINGS = {"predict": "Predict, then run", "quiz": "Check yourself"}


def predict(question: str, options: Options | None = None, *, right: int | None = None) -> Choice:
    """A prediction to make before the next cell: the reasons stay hidden until "What happened?" is pressed.

    ``predict("04.1")`` asks a question of the course by its number (`aelib.questions`), and
    ``predict("Which way …?", [("Up", "…"), ("Down", "…")], right=0)`` asks one of your own.

    options: (text, reason) pairs, two to four. Each wrong option is a misconception, and its reason says in a
    plain sentence why it is wrong: ``"One number can hold many bits."``
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
        super().__init__(title=HEADINGS[kind], kind=kind, question=question, options=entries, right=right)

    def words(self) -> str:
        """The question and its options, without the answers."""
        options = (f"  ( ) {entry['text']}" for entry in self.options)
        return "\n".join([self.title, self.question, *options]).replace("`", "")


def _entry(text: str, reason: str, is_right: bool) -> dict[str, str]:
    """An option as JavaScript reads it."""
    if is_right and reason.startswith("Right"):
        raise ValueError(f"the reason {reason!r} begins with the word that the card puts before it.")
    return {"text": text, "reason": reason}


def _check(question: str, options: Options, right: int) -> None:
    if not FEWEST <= len(options) <= MOST:
        raise ValueError(f"a question has {FEWEST} to {MOST} options, and {len(options)} were given.")
    if not 0 <= right < len(options):
        raise ValueError(f"right is {right}, but the options are numbered 0 to {len(options) - 1}.")
    questions.check_words(question, *(part for option in options for part in option))
