"""Questions in which names are given to things: causes to symptoms (`match`), labels to places in a drawing (`label`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import traitlets

from aelib import questions
from aelib.widgets.base import Interactive

Pairs = Sequence[Sequence[str]]
"""A (thing, its name, reason) triple for each place."""
HEADINGS = {"match": "Match", "label": "Label"}


def match(question: str, pairs: Pairs | None = None, *, also: Sequence[Sequence[str]] = ()) -> Matching:
    """Give each thing its name; every choice is answered at once.

    ``match("08.5")`` asks a question of the course by its number, ``match("Which cause?", [("KL is 0", "Mean for sum",
    "The price weighs 64 times too much.")])`` one of your own.

    pairs: (thing, name, reason) triples; a reason says what belongs to its name, so it shows why the name fits its own
    thing, and why it does not fit another. also: (name, reason) pairs of names that fit nothing.
    Texts are plain; mathematics in Unicode, never LaTeX.
    """
    return _ask("match", question, pairs, also, {})


def label(
    question: str,
    pairs: Pairs | None = None,
    *,
    also: Sequence[Sequence[str]] = (),
    drawing: Mapping[str, object] | None = None,
) -> Matching:
    """Give each numbered place of a drawing its name.

    Number or question, pairs and `also` are as for `match`. drawing: {"pieces": [(text, number or 0), …]} for a
    formula; or {"size": (width, height), "boxes": [(x, y, width, height, text), …], "arrows": [(x, y, to x, to y), …],
    "marks": [(x, y), …]}, the places' numbers standing at the marks, in order.
    """
    return _ask("label", question, pairs, also, drawing or {})


def _ask(kind: str, question: str, pairs: Pairs | None, also: Sequence, drawing: Mapping) -> Matching:
    if pairs is None:
        found = questions.find(question, kind)
        return Matching(
            kind, found["question"], found["pairs"], found.get("also", ()), found.get("drawing", {})
        )
    return Matching(kind, question, pairs, also, drawing)


class Matching(Interactive, script="matching"):
    """Things, each with a list of names to choose from; made by `match` and `label`.

    chosen: for each thing the index of the name that it was given last, -1 before.
    """

    question = traitlets.Unicode().tag(sync=True)
    places = traitlets.List().tag(sync=True)
    names = traitlets.List().tag(sync=True)
    rights = traitlets.List().tag(sync=True)
    drawing = traitlets.Dict().tag(sync=True)
    chosen = traitlets.List().tag(sync=True)

    def __init__(self, kind: str, question: str, pairs: Pairs, also: Sequence, drawing: Mapping) -> None:
        if len(pairs) < 2:
            raise ValueError("to match takes two things at least.")
        questions.check_words(question, *(part for entry in (*pairs, *also) for part in entry))
        named = sorted({(name, reason) for *_, name, reason in (*pairs, *also)})
        texts = [name for name, _ in named]
        if len(set(texts)) < len(texts):
            raise ValueError("a name has the same reason wherever it stands, and one of them has two.")
        super().__init__(
            title=HEADINGS[kind],
            question=question,
            places=[place for place, *_ in pairs],
            names=[{"text": name, "reason": reason} for name, reason in named],
            rights=[texts.index(name) for _, name, _ in pairs],
            drawing=dict(drawing),
            chosen=[-1] * len(pairs),
        )

    def words(self) -> str:
        """The question, the things and the names, without the answers."""
        places = (f"  {number}. {place}" for number, place in enumerate(self.places, 1))
        names = ", ".join(name["text"] for name in self.names)
        return "\n".join([self.title, self.question, *places, f"To choose from: {names}."])
