"""Lesson 07's central interactive: one cloud, its prior, and what the one pays for differing from the other."""

from __future__ import annotations

import math
from itertools import pairwise

import traitlets

from aelib.widgets.base import Interactive

MU = (-3.0, 3.0)
LOG2_SIGMA = (-3.0, 1.5)


class KLBoard(Interactive, script="kl_board", title="What a cloud pays"):
    """q = N(mu, sigma²) against p = N(0, 1): densities, q log(q / p) as signed area, and the KL by its two parts.

    `mu` within MU and `sigma`, a standard deviation, within 2 to the powers LOG2_SIGMA are the state: they follow
    the sliders and the grips. Everything is computed in the browser; the methods give the same figures in nats.
    """

    mu = traitlets.Float(1.0, min=MU[0], max=MU[1]).tag(sync=True)
    sigma = traitlets.Float(0.5, min=2 ** LOG2_SIGMA[0], max=2 ** LOG2_SIGMA[1]).tag(sync=True)

    def place(self) -> float:
        """mu² / 2: what the cloud pays for not being at 0."""
        return 0.5 * self.mu**2

    def width(self) -> float:
        """(sigma² − 1 − log sigma²) / 2: what it pays for not being as wide as the prior."""
        return 0.5 * (self.sigma**2 - 1) - math.log(self.sigma)

    def kl(self) -> float:
        """KL(q ‖ p) ≥ 0, the sum of the two."""
        return self.place() + self.width()

    def areas(self) -> tuple[float, float]:
        """The areas between q log(q / p) and zero, above and below it, both ≥ 0; their difference is the KL.

        With z = mu + sigma t the logarithm is a quadratic in t, and the integrals of φ, tφ and t²φ between its
        roots are known. Areas are over the whole line.
        """
        a, b, c = 0.5 * (self.sigma**2 - 1), self.mu * self.sigma, 0.5 * self.mu**2 - math.log(self.sigma)
        cuts = [-math.inf, *_roots(a, b, c), math.inf]
        pieces = [_integral(a, b, c, *ends) for ends in pairwise(cuts)]
        return sum(max(piece, 0.0) for piece in pieces), sum(max(-piece, 0.0) for piece in pieces)


def _roots(a: float, b: float, c: float) -> list[float]:
    """Where a t² + b t + c changes its sign, in increasing order."""
    if a == 0:
        return [] if b == 0 else [-c / b]
    root = math.sqrt(max(b * b - 4 * a * c, 0.0))
    half = -0.5 * (b + math.copysign(root, b))  # the sum that does not cancel
    return sorted([half / a, c / half]) if half else [0.0]


def _integral(a: float, b: float, c: float, low: float, high: float) -> float:
    """∫ (a t² + b t + c) φ(t) dt between low and high, for the standard normal density φ."""
    (mass, first), (mass_below, first_below) = _moments(high), _moments(low)
    edge = (high * first if math.isfinite(high) else 0.0) - (low * first_below if math.isfinite(low) else 0.0)
    return (a + c) * (mass - mass_below) - b * (first - first_below) - a * edge


def _moments(t: float) -> tuple[float, float]:
    """The mass of a standard normal below t, and its density at t."""
    return 0.5 * math.erfc(-t / math.sqrt(2)), math.exp(-0.5 * t * t) / math.sqrt(2 * math.pi)
