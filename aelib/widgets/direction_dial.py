"""Lesson 04's central interactive: turn a line through a cloud of points, and watch what it keeps and loses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, as_float64, synced_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class DirectionDial(Interactive, script="direction_dial"):
    """Points in the plane, copied by their nearest points on a line that the reader turns.

    points: (n, 2). angle: the line's direction in degrees from the horizontal, anticlockwise, 0 to 180.
    through: "mean" or "origin", the point that the line goes through.
    The error is the squared distance of a point to its copy, averaged over the points.
    """

    angle = traitlets.Float(75.0, min=0.0, max=180.0).tag(sync=True)
    through = traitlets.Enum(("mean", "origin"), "mean").tag(sync=True)
    points = synced_bytes()

    def __init__(self, points: np.ndarray, **state: object) -> None:
        points = np.asarray(points, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
            raise ValueError(
                f"points should have shape (n, 2), at least three of them in the plane, but has {points.shape}."
            )
        super().__init__(points=as_float64(points), **state)
        self.description = self._describe()

    def cloud(self) -> np.ndarray:
        """(n, 2): the points."""
        return np.frombuffer(self.points).reshape(-1, 2)

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

    def _describe(self) -> str:
        return (
            f"{len(self.cloud())} points in the plane and a line at {self.angle:g} degrees through their {self.through}: "
            f"copying each point by the nearest one on the line leaves an error of {self.error():.3f}, "
            f"{self.ratio():.2f} times the smallest."
        ).replace("their origin", "the origin")

    def picture(self) -> Figure:
        from matplotlib.figure import Figure

        from aelib.plots import STYLE, course_style

        with course_style():
            figure = Figure(figsize=(8, 3.6), layout="constrained", dpi=STYLE["figure.dpi"])
            axes = figure.subplot_mosaic([["plane", "curve"], ["plane", "bar"]], height_ratios=(6, 1))
            self._draw_plane(axes["plane"])
            self._draw_curve(axes["curve"])
            self._draw_bar(axes["bar"])
        return figure

    def _draw_plane(self, ax: Axes) -> None:
        from aelib.plots import ERROR, INPUT, LATENT, RECONSTRUCTION

        points, copies, centre = self.cloud(), self.copies(), self.centre()
        ax.plot(*np.stack([points, copies]).transpose(2, 0, 1), color=ERROR, linewidth=0.9)
        ax.axline(centre, slope=math.tan(math.radians(self.angle)), color=LATENT)
        ax.plot(*points.T, ".", color=INPUT, markersize=5)
        ax.plot(*copies.T, ".", color=RECONSTRUCTION, markersize=5)
        ax.set_aspect("equal")
        ax.set_title(f"error {self.error():.3f}, {self.ratio():.2f}× the smallest", color=ERROR)

    def _draw_curve(self, ax: Axes) -> None:
        from aelib.plots import ERROR, LATENT, LINEAR

        around = self.cloud() - self.centre()
        angles = np.linspace(0, 180, 181)
        directions = np.stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))])
        ax.plot(
            angles,
            np.square(around).sum(axis=1).mean() - np.square(around @ directions).mean(axis=0),
            color=ERROR,
        )
        ax.plot(*self.best(), "o", color=LINEAR)
        ax.axvline(self.angle, color=LATENT, linewidth=1.2)
        ax.set(xlabel="direction of the line", ylabel="error", xticks=[0, 45, 90, 135, 180], ylim=(0, None))

    def _draw_bar(self, ax: Axes) -> None:
        from aelib.plots import ERROR, RECONSTRUCTION

        lost = self.error()
        kept = np.square(self.cloud() - self.centre()).sum(axis=1).mean() - lost
        for name, start, length, colour in (("kept", 0, kept, RECONSTRUCTION), ("lost", kept, lost, ERROR)):
            ax.barh(0, length, left=start, color=colour, alpha=0.35)
            ax.text(start + length / 2, 0, name, ha="center", va="center", fontsize=10)
        ax.set(xlim=(0, kept + lost))
        ax.set_axis_off()
