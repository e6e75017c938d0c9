"""Lesson 03's first interactive: a coin sent through a channel that sometimes turns it over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import traitlets

from aelib.widgets.base import Interactive

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class BinaryChannel(Interactive, script="binary_channel"):
    """X is 0 or 1, each half of the time; Z is X, turned over with probability `flip`. Shown: I(X; Z), exactly."""

    flip = traitlets.Float(0.1, min=0, max=1).tag(sync=True)

    def __init__(self, **state: float) -> None:
        super().__init__(**state)
        self.description = (
            "Information in bits against the probability of a flip: a valley, 1 bit at 0, none at "
            "one half, 1 bit again at 1. "
            f"At {self.flip:g} it is {self.information() / np.log(2):.3f} bits."
        )

    def joint(self) -> np.ndarray:
        """(2, 2): the probability of each x (rows) together with each z (columns)."""
        return np.array([[1 - self.flip, self.flip], [self.flip, 1 - self.flip]]) / 2

    def information(self) -> float:
        """I(X; Z) in nats: log 2 minus the entropy of the flip."""
        return information_at(self.flip)

    def picture(self) -> Figure:
        from matplotlib.figure import Figure

        from aelib.plots import LATENT, STYLE, course_style

        flips = np.linspace(0, 1, 101)
        with course_style():
            figure = Figure(figsize=(6, 2.8), layout="constrained", dpi=STYLE["figure.dpi"])
            ax = figure.add_subplot()
            ax.plot(flips, [information_at(flip) / np.log(2) for flip in flips], color=LATENT)
            ax.plot(self.flip, self.information() / np.log(2), "o", color=LATENT, markersize=10)
            ax.set(xlabel="probability of a flip", ylabel="I(X; Z) in bits", ylim=(0, 1.05))
        return figure


def information_at(flip: float) -> float:
    """log 2 - H(flip) in nats, 0 ≤ flip ≤ 1."""
    return float(np.log(2) + sum(p * np.log(p) for p in (flip, 1 - flip) if p > 0))
