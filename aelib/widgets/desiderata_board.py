"""Lesson 02's central interactive: four gauges on a code in the plane, and four knobs that each break some of them.

The examples are pictures of one soft spot, made from two numbers: how far right and how far up it is, both uniform in
[-1, 1]. The plain code reads them back as the centre of the ink, which is linear in the picture; the plain decoder
draws a spot there. Knobs change the code in this order: noise, scramble, holes, turn; the decoder undoes the last three.
"""

from __future__ import annotations

from functools import cached_property

import torch
import traitlets
from torch import Tensor

from aelib import bijections, desiderata
from aelib.widgets.base import Array, Interactive, numbers

SIDE, MIDDLE, REACH = 10, 4.5, 3.5
"""A picture is SIDE x SIDE pixels; a code of 1 lies REACH pixels from the middle."""
INK = 9 / 4
"""All the ink of a spot: at most 1 in a pixel, reached where the spot sits in the middle of one."""
N_EXAMPLES, N_TRAIN = 1000, 800
N_BINS, STEP = 10, 0.1
CELLS = (1, 2, 5, 10)
"""How many cells of each coordinate the scramble knob can permute; they divide N_BINS, so no gauge cell is torn."""
ORDER_SEED = 53
REST = {"degrees": 0.0, "cells": 1, "noise": 0.0, "gap": 0.0}
LIMITS = {"degrees": (0, 90), "noise": (0, 0.3), "gap": (0, 0.6)}


def draw_spots(z: Tensor) -> Tensor:
    """The picture of a spot at z, right and up: (n, 2) → (n, SIDE * SIDE). It is cut off beyond the border.

    A cubic B-spline in each direction, four pixels wide: its ink is the same wherever it is, and the centre of its ink
    is exactly z, as long as none is cut off (|z| up to 1).
    """
    pixels = torch.arange(SIDE, dtype=z.dtype)
    across = _spline(pixels - (MIDDLE + REACH * z[:, :1]))
    down = _spline(pixels - (MIDDLE - REACH * z[:, 1:]))
    return (INK * down[:, :, None] * across[:, None, :]).reshape(len(z), SIDE**2)


def centre_of_ink(x: Tensor) -> Tensor:
    """Where the ink is on average, right and up: (n, SIDE * SIDE) → (n, 2), in the units of `draw_spots`."""
    places = (torch.arange(SIDE, dtype=x.dtype) - MIDDLE) / REACH
    ink = x.reshape(-1, SIDE, SIDE) / x.sum(dim=1)[:, None, None]
    return torch.stack([ink.sum(dim=1) @ places, ink.sum(dim=2) @ -places], dim=1)


def _spline(t: Tensor) -> Tensor:
    t = t.abs()
    return torch.where(t < 1, 2 / 3 - t**2 + t**3 / 2, (2 - t).clamp(min=0) ** 3 / 6)


class Spots:
    """The examples and every random number that the gauges use, all from one seed."""

    def __init__(self, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        uniform = lambda n: 2 * torch.rand(n, 2, generator=generator, dtype=torch.float64) - 1  # noqa: E731
        normal = lambda n: torch.randn(n, 2, generator=generator, dtype=torch.float64)  # noqa: E731
        self.factors, self.draws = uniform(N_EXAMPLES), uniform(N_EXAMPLES - N_TRAIN)
        self.eps, self.eps_again = normal(N_EXAMPLES), normal(N_EXAMPLES - N_TRAIN)
        self.seed = seed

    @cached_property
    def pictures(self) -> Tensor:
        return draw_spots(self.factors)

    @property
    def train(self) -> Tensor:
        return self.pictures[:N_TRAIN]

    @property
    def held_out(self) -> Tensor:
        return self.pictures[N_TRAIN:]

    @cached_property
    def partner(self) -> Tensor:
        """Which other held-out picture each is mixed with, as in `desiderata.robust`."""
        order = torch.randperm(N_EXAMPLES - N_TRAIN, generator=torch.Generator().manual_seed(self.seed))
        return torch.empty_like(order).scatter_(0, order, order.roll(1))

    @cached_property
    def standard(self) -> tuple[Tensor, float, float]:
        """What real pictures reach: each training picture's radius, the mean distance of held-out ones, their coverage."""
        radius = torch.cdist(self.train, self.train).topk(6, dim=1, largest=False).values[:, -1]
        distance = torch.cdist(self.train, self.held_out)
        covered = (distance.min(dim=1).values <= radius).double().mean()
        return radius, float(distance.min(dim=0).values.mean()), float(covered)

    def arrays(self) -> dict[str, Array]:
        """What the browser needs of them, all in float64."""
        radius, distance, coverage = self.standard
        orders = {f"order {cells}": bijections.bin_order(cells, 2, ORDER_SEED) for cells in CELLS[1:]}
        known = {
            "factors": self.factors, "eps": self.eps, "eps_again": self.eps_again, "draws": self.draws,
            "partner": self.partner, "radius": radius, "real": torch.tensor([distance, coverage], dtype=torch.float64),
        }  # fmt: skip
        return {name: numbers(values) for name, values in (known | orders).items()}


SPOTS = Spots()


class DesiderataBoard(Interactive, script="desiderata_board", title="What breaks which property?"):
    """Turn, scramble, blur and part a code of two numbers, and read four gauges that are measured anew at each step.

    degrees: 0 to 90, anticlockwise. cells: into how many cells of equal count each coordinate is cut before they are
    permuted, 1 (off), 2, 5 or 10. noise: standard deviation, 0 to 0.3, in units in which the code spans [-1, 1]. gap: 0 to
    0.6, how far each half of a coordinate moves out, in units of half its range. touched: the knob that the sentence is on.
    """

    degrees = traitlets.Float(30.0).tag(sync=True)
    cells = traitlets.Int(1).tag(sync=True)
    noise = traitlets.Float(0.0).tag(sync=True)
    gap = traitlets.Float(0.0).tag(sync=True)
    touched = traitlets.Enum(list(REST), "degrees").tag(sync=True)
    shapes = {
        "factors": (N_EXAMPLES, 2),
        "eps": (N_EXAMPLES, 2),
        "eps_again": (N_EXAMPLES - N_TRAIN, 2),
        "draws": (N_EXAMPLES - N_TRAIN, 2),
        "partner": (N_EXAMPLES - N_TRAIN,),
        "radius": (N_TRAIN,),
        "real": (2,),
    } | {f"order {cells}": (2, cells) for cells in CELLS[1:]}

    def __init__(self, **state: float) -> None:
        super().__init__(**state, arrays=SPOTS.arrays())

    @traitlets.validate("degrees", "noise", "gap")
    def _inside(self, proposal: dict) -> float:
        low, high = LIMITS[proposal["trait"].name]
        if not low <= proposal["value"] <= high:
            raise ValueError(
                f"{proposal['trait'].name} should lie between {low} and {high}, got {proposal['value']}."
            )
        return proposal["value"]

    @traitlets.validate("cells")
    def _known(self, proposal: dict) -> int:
        if proposal["value"] not in CELLS:
            raise ValueError(f"cells should be one of {CELLS}, got {proposal['value']}.")
        return proposal["value"]

    def noisy(self) -> Tensor:
        """The codes before any bijection, (N_EXAMPLES, 2)."""
        return centre_of_ink(SPOTS.pictures) + self.noise * SPOTS.eps

    def change(self, z: Tensor) -> Tensor:
        """The bijection h that the knobs make: scramble, then holes, then turn."""
        edges, halves = self._edges()
        scrambled = bijections.scramble(z, edges, ORDER_SEED) if self.cells > 1 else z
        return bijections.rotate(bijections.open_holes(scrambled, self.gap, halves), self.degrees)

    def undo(self, z: Tensor) -> Tensor:
        """h⁻¹."""
        edges, halves = self._edges()
        closed = bijections.close_holes(bijections.rotate(z, -self.degrees), self.gap, halves)
        return bijections.unscramble(closed, edges, ORDER_SEED) if self.cells > 1 else closed

    def decode(self, z: Tensor) -> Tensor:
        return draw_spots(self.undo(z))

    def drawn(self) -> Tensor:
        """Codes drawn evenly from the square that the code occupies, noise aside; it grows with the holes and turns."""
        _, halves = self._edges()
        width = self.gap * (halves[:, -1] - halves[:, 0]) / 2
        return bijections.rotate(SPOTS.draws * (1 + width), self.degrees)

    def figures(self) -> dict[str, float]:
        """The four desiderata, as `aelib.desiderata` measures them on these examples."""
        z = self.change(self.noisy())
        noises = iter((SPOTS.eps[N_TRAIN:], SPOTS.eps_again))
        encode = lambda x: self.change(centre_of_ink(x) + self.noise * next(noises))  # noqa: E731
        return {
            "informative": desiderata.informative(
                SPOTS.held_out, self.decode(z[N_TRAIN:]), SPOTS.train.mean(dim=0)
            ),
            "disentangled": desiderata.disentangled(z, SPOTS.factors, N_BINS),
            "robust": desiderata.robust(encode, SPOTS.held_out, STEP, SPOTS.seed),
            "representative": desiderata.representative(
                self.decode(self.drawn()), SPOTS.train, SPOTS.held_out
            ).score,
        }

    def _edges(self) -> tuple[Tensor, Tensor]:
        z = self.noisy()
        return bijections.bin_edges(z, max(2, self.cells)), bijections.bin_edges(z, 2)
