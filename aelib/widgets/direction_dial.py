"""Lesson 04's central interactive: turn a line through a cloud of points, and watch what it keeps and loses."""

from __future__ import annotations

import math

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, numbers


class DirectionDial(Interactive, script="direction_dial", title="Turn the line"):
    """Points in the plane, copied by their nearest points on a line that the reader turns.

    points, an array: (n, 2). angle: the line's direction in degrees from the horizontal, anticlockwise, 0 to 180.
    through: "mean" or "origin", the point that the line goes through.
    The error is the squared distance of a point to its copy, averaged over the points.
    """

    angle = traitlets.Float(75.0, min=0.0, max=180.0).tag(sync=True)
    through = traitlets.Enum(("mean", "origin"), "mean").tag(sync=True)
    shapes = {"points": ("n", 2)}

    def __init__(self, points: np.ndarray, **state: object) -> None:
        points = np.asarray(points, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
            raise ValueError(
                f"points should have shape (n, 2), at least three of them in the plane, but has {points.shape}."
            )
        super().__init__(arrays={"points": numbers(points)}, **state)

    def cloud(self) -> np.ndarray:
        """(n, 2): the points."""
        return self.array("points")

    def centre(self) -> np.ndarray:
        """(2,): the point that the line goes through now."""
        return self.cloud().mean(axis=0) if self.through == "mean" else np.zeros(2)

    def copies(self) -> np.ndarray:
        """(n, 2): each point's copy on the line as it is now."""
        along = np.array([math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))])
        return self.centre() + np.outer((self.cloud() - self.centre()) @ along, along)

    def error(self) -> float:
        """The mean squared distance between points and copies, now."""
        return float(np.square(self.cloud() - self.copies()).sum(axis=1).mean())

    def best(self) -> tuple[float, float]:
        """The direction in degrees, 0 to 180, of the best line through the present centre, and its error."""
        around = self.cloud() - self.centre()
        values, vectors = np.linalg.eigh(around.T @ around / len(around))
        return math.degrees(math.atan2(vectors[1, 1], vectors[0, 1])) % 180, float(values[0])

    def smallest_error(self) -> float:
        """What the best of all lines leaves: the smaller eigenvalue of the covariance (1/n)."""
        return float(np.linalg.eigvalsh(np.cov(self.cloud().T, bias=True))[0])

    def ratio(self) -> float:
        """The error now, as a multiple of the smallest one."""
        return self.error() / self.smallest_error()
