"""Lesson 03's first interactive: a coin sent through a channel that sometimes turns it over."""

from __future__ import annotations

import numpy as np
import traitlets

from aelib.widgets.base import Interactive


class BinaryChannel(Interactive, script="binary_channel", title="A coin through a noisy channel"):
    """X is 0 or 1, each half of the time; Z is X, turned over with probability `flip`. Shown: I(X; Z), exactly."""

    flip = traitlets.Float(0.1, min=0, max=1).tag(sync=True)

    def joint(self) -> np.ndarray:
        """(2, 2): the probability of each x (rows) together with each z (columns)."""
        return np.array([[1 - self.flip, self.flip], [self.flip, 1 - self.flip]]) / 2

    def information(self) -> float:
        """I(X; Z) in nats: log 2 minus the entropy of the flip."""
        import torch

        from aelib.desiderata import mutual_information

        return float(mutual_information(torch.from_numpy(self.joint())))
