"""Lesson 03's central interactive: sixteen examples on a board, noise, and one-to-one changes h of the code.

An example is a letter and a number, four levels each. Its code lies on a board of 8 x 8 unit cells around
the origin: without noise the place is uniform in the example's own block of 2 x 2 cells; noise of s cells
moves the cell of each coordinate, with weights that fall as a Gaussian of standard deviation s and stay on
the board. Within a cell all places are equally likely. So every figure below is a finite sum, and exact.
"""

from __future__ import annotations

import numpy as np
import torch
import traitlets

from aelib.desiderata import mutual_information
from aelib.widgets.base import Interactive

LEVELS, CELLS = 4, 8
DECODER_NOISE = 1.0
"""The noise, in cells, for which the decoder model is the encoder's own posterior."""
SWAPS = (
    ((0, 3), (5, 7), (5, 6), (6, 7), (4, 7), (0, 5)),
    ((6, 7), (0, 1), (2, 6), (0, 3), (1, 3), (0, 4)),
)
"""For each coordinate, the pairs of places whose contents are exchanged, one after the other."""
N_EXAMPLES = LEVELS**2
EDGES = np.arange(-6.0, 7.0)
"""A coordinate is read in cells as wide as the board's own; turned by 45 degrees the board reaches to 5.66."""


def cell_given_level(noise: float) -> np.ndarray:
    """(LEVELS, CELLS), rows sum to 1: the encoder, in one coordinate. noise ≥ 0, in cells."""
    centre = 2 * np.arange(LEVELS) + 0.5
    excess = (np.arange(CELLS) - centre[:, None]) ** 2 - 0.25
    weights = np.exp(-excess / (2 * noise**2)) if noise else (excess == 0).astype(float)
    return weights / weights.sum(axis=1, keepdims=True)


def encoder(noise: float, swaps: int = 0) -> np.ndarray:
    """q(z|x) as a table (N_EXAMPLES, CELLS, CELLS); the cells of each coordinate after the first `swaps` exchanges."""
    first, second = (cell_given_level(noise)[:, contents(axis, swaps)] for axis in (0, 1))
    return np.einsum("ai,bj->abij", first, second).reshape(N_EXAMPLES, CELLS, CELLS)


def contents(axis: int, swaps: int) -> list[int]:
    """Which cell's contents lie at each place of a coordinate, after the first `swaps` exchanges."""
    order = list(range(CELLS))
    for one, other in SWAPS[axis][:swaps]:
        order[one], order[other] = order[other], order[one]
    return order


def information(joint: np.ndarray) -> float:
    """I ≥ 0 in nats, from a table of joint probabilities (rows, columns)."""
    return float(mutual_information(torch.from_numpy(joint)))


def decoder_log_prob(swaps: int = 0) -> np.ndarray:
    """log p_θ(x|z) of the decoder model, (N_EXAMPLES, CELLS, CELLS), each cell's answers moved along with the swaps."""
    given_level = cell_given_level(DECODER_NOISE)
    log_level = np.log(given_level / given_level.sum(axis=0))
    first, second = (log_level[:, contents(axis, swaps)] for axis in (0, 1))
    return (first[:, None, :, None] + second[None, :, None, :]).reshape(N_EXAMPLES, CELLS, CELLS)


def turned(degrees: float) -> np.ndarray:
    """The centres of the board's cells after turning it anticlockwise about the origin: (CELLS, CELLS, 2)."""
    places = np.arange(CELLS) - (CELLS - 1) / 2
    x, y = np.meshgrid(places, places, indexing="ij")
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)


def share_of_cells(centres: np.ndarray, degrees: float) -> np.ndarray:
    """What part of each turned cell a coordinate reads in each of its cells: centres (...) → (..., len(EDGES) - 1).

    A uniform unit square, turned, casts a shadow that is the sum of two uniform pieces, |cos| and |sin| wide.
    """
    offset = EDGES - centres[..., None]
    long, short = sorted((abs(np.cos(np.deg2rad(degrees))), abs(np.sin(np.deg2rad(degrees)))), reverse=True)
    if short < 1e-9:
        return np.diff(np.clip(offset / long + 0.5, 0, 1), axis=-1)
    area = lambda t: np.maximum(t, 0) ** 2 / 2  # noqa: E731
    outer, inner = (long + short) / 2, (long - short) / 2
    below = area(offset + outer) - area(offset + inner) - area(offset - inner) + area(offset - outer)
    return np.diff(below / (long * short), axis=-1).clip(min=0)


def overlaps(degrees: float) -> np.ndarray:
    """What part of each turned cell lies in each cell of the board: (CELLS, CELLS, CELLS, CELLS).

    The board's outermost cells reach to infinity, so that every place of the plane has a cell.
    """
    parts = np.zeros((CELLS,) * 4)
    lines = np.concatenate([[-np.inf], np.arange(1, CELLS) - CELLS / 2, [np.inf]])
    centres = turned(degrees)
    corners = (centres[:2, :2] - centres[:2, :2].mean(axis=(0, 1))).reshape(4, 2)[[0, 1, 3, 2]]
    for cell in np.ndindex(CELLS, CELLS):
        for column in range(CELLS):
            strip = _between(corners + centres[cell], 0, *lines[column : column + 2])
            for row in range(CELLS) if len(strip) else ():
                parts[*cell, column, row] = _area(_between(strip, 1, *lines[row : row + 2]))
    return parts


def _between(polygon: np.ndarray, axis: int, low: float, high: float) -> np.ndarray:
    """The part of a convex polygon (n, 2) whose coordinate `axis` lies between low and high."""
    return _above(_above(polygon, axis, low, 1), axis, high, -1)


def _above(polygon: np.ndarray, axis: int, line: float, sign: int) -> np.ndarray:
    if not np.isfinite(line) or not len(polygon):
        return polygon
    height = sign * (polygon[:, axis] - line)
    kept = []
    for here, there, a, b in zip(
        polygon, np.roll(polygon, -1, axis=0), height, np.roll(height, -1), strict=True
    ):
        kept += [here] if a >= 0 else []
        kept += [here + a / (a - b) * (there - here)] if (a >= 0) != (b >= 0) else []
    return np.array(kept).reshape(-1, 2)


def _area(polygon: np.ndarray) -> float:
    x, y = polygon[:, 0], polygon[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


class ChannelBoard(Interactive, script="channel_board", title="What does information not see?"):
    """Noise, rotation and swaps of cells on a small channel: what they do to I(X; Z), to a bound, and to the desiderata.

    noise: in cells, 0 to 2. degrees: how far h turns the board, 0 to 90. swaps: how many pairs of cells h
    exchanges in each coordinate, before it turns. follows: whether the decoder model decodes h⁻¹(z), or z as
    if there were no h.
    """

    noise = traitlets.Float(0.7).tag(sync=True)
    degrees = traitlets.Float(30.0).tag(sync=True)
    swaps = traitlets.Int(0).tag(sync=True)
    follows = traitlets.Bool(True).tag(sync=True)
    swap_list = traitlets.List([[list(pair) for pair in pairs] for pairs in SWAPS]).tag(sync=True)
    decoder_noise = traitlets.Float(DECODER_NOISE).tag(sync=True)

    @traitlets.validate("noise", "degrees", "swaps")
    def _inside(self, proposal: dict) -> float:
        low, high = {"noise": (0, 2), "degrees": (0, 90), "swaps": (0, len(SWAPS[0]))}[proposal["trait"].name]
        if not low <= proposal["value"] <= high:
            raise ValueError(
                f"{proposal['trait'].name} should lie between {low} and {high}, got {proposal['value']}."
            )
        return proposal["value"]

    def code(self) -> np.ndarray:
        """q(h(z)|x): the probability of each of the board's cells, (N_EXAMPLES, CELLS, CELLS), swaps done."""
        return encoder(self.noise, self.swaps)

    def figures(self) -> dict[str, float]:
        """information, bound, gap and ceiling in nats; disentangled and robust in [0, 1].

        information: I(X; h(Z)). bound: log n + E log p_θ(x|z), never above it (Barber & Agakov 2003); gap is
        the difference. disentangled: the mutual information gap of letter and number, the coordinates read in
        cells of width 1. robust: the score of `aelib.desiderata.robust`, for a step to a neighbouring level.
        """
        known, bound = information(self.code().reshape(N_EXAMPLES, -1) / N_EXAMPLES), self._bound()
        return {
            "information": known,
            "bound": bound,
            "gap": known - bound,
            "ceiling": float(np.log(N_EXAMPLES)),
            "disentangled": self._disentangled(),
            "robust": self._robust(),
        }

    def tells(self) -> np.ndarray:
        """(2, 2) in nats: what each coordinate of h(Z) (rows), read by itself, tells about letter and number (columns)."""
        centres = turned(self.degrees)
        levels = self.code().reshape(LEVELS, LEVELS, CELLS, CELLS) / N_EXAMPLES
        return np.array(
            [
                [
                    information(
                        np.einsum(
                            f"abij,ijr->{factor}r", levels, share_of_cells(centres[..., axis], self.degrees)
                        )
                    )
                    for factor in "ab"
                ]
                for axis in (0, 1)
            ]
        )

    def _bound(self) -> float:
        log_prob = decoder_log_prob(self.swaps if self.follows else 0)
        if not self.follows:
            log_prob = np.einsum("ijkm,xkm->xij", overlaps(self.degrees), log_prob)
        return float(np.log(N_EXAMPLES) + (self.code() * log_prob).sum() / N_EXAMPLES)

    def _disentangled(self) -> float:
        told = np.sort(self.tells(), axis=0)
        return float(np.clip(((told[1] - told[0]) / np.log(LEVELS)).mean(), 0, 1))

    def _robust(self) -> float:
        """The code moves `movement` times as far to a neighbouring example as to any other; the input moves `step`."""
        levels = np.stack(np.meshgrid(range(LEVELS), range(LEVELS), indexing="ij"), axis=-1).reshape(-1, 2)
        apart = ((levels[:, None] - levels) ** 2).sum(axis=-1)
        table, places = self.code().reshape(N_EXAMPLES, -1), turned(self.degrees).reshape(-1, 2)
        mean, size = table @ places, table @ (places**2).sum(axis=1) + 1 / 6
        moved = size[:, None] + size - 2 * mean @ mean.T
        movement = np.sqrt(moved[apart == 1].mean() / moved[apart > 0].mean())
        step = np.sqrt(1 / apart[apart > 0].mean())
        return float(np.clip((step / movement - step) / (1 - step), 0, 1))
