"""Lesson 06's central interactive: move q, and watch the ELBO on a number line under the evidence.

An exact latent model: z ~ N(0, 1), x = decode(z) + N(0, NOISE_VAR I) in the plane. All integrals are sums over
one evenly spaced grid of the code, wide and fine enough for every position of the sliders; the browser takes the same sums.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import traitlets

from aelib.widgets.base import Interactive

NOISE_VAR = 0.0075
GRID = np.arange(-1400, 1401) / 100
STEP = 0.01
DECODERS = ("straight", "bent")
PLACES = {"side": (0.4, 0.2), "inside": (0.04, -0.04), "mouth": (0.0, -0.4)}
BEST = {
    "straight side": (1.25, 0.25, 0.0),
    "straight inside": (0.05, 0.25, 0.0),
    "straight mouth": (-0.5, 0.25, 0.0),
    "bent side": (0.8959842062485834, 0.16995124753782023, 0.00021946645257237663),
    "bent inside": (1.5260808415154157, 0.4901485238178115, 0.08414581748204081),
    "bent mouth": (2.533433409618514, 0.1800206402870362, 0.6932323455595296),
}
"""What `best` finds for each decoder and place of x."""


def decode(z: np.ndarray, decoder: str) -> np.ndarray:
    """(m,) codes to (m, 2) points: on a straight line, where the posterior is Gaussian, or on a ring."""
    z = np.asarray(z, dtype=np.float64)
    if decoder == "straight":
        return np.stack([0.3 * z, 0.15 * z], axis=-1)
    return 0.4 * np.stack([np.sin(1.2 * z), np.cos(1.2 * z)], axis=-1)


def log_normal(z: np.ndarray, mean: float, width: float) -> np.ndarray:
    """log N(z; mean, width²), for every z."""
    return -0.5 * ((z - mean) / width) ** 2 - math.log(width) - 0.5 * math.log(2 * math.pi)


@functools.cache
def log_likelihood(decoder: str, place: str) -> np.ndarray:
    """log p(x|z) on the grid, (2801,), for the x of that name."""
    squared = np.square(decode(GRID, decoder) - PLACES[place]).sum(axis=-1)
    return -squared / (2 * NOISE_VAR) - math.log(2 * math.pi * NOISE_VAR)


@functools.cache
def log_evidence(decoder: str, place: str) -> float:
    """log p(x) in nats, of either sign."""
    log_joint = log_likelihood(decoder, place) + log_normal(GRID, 0, 1)
    top = log_joint.max()
    return float(top + math.log(np.exp(log_joint - top).sum() * STEP))


def measures(decoder: str, place: str, mean: float, width: float) -> dict[str, float]:
    """evidence, elbo, gap = KL(q ‖ posterior), fit = E_q[log p(x|z)], price = KL(q ‖ prior), each a sum of its own."""
    likelihood, prior = log_likelihood(decoder, place), log_normal(GRID, 0, 1)
    log_q, evidence = log_normal(GRID, mean, width), log_evidence(decoder, place)
    expect = lambda values: float((np.exp(log_q) * values).sum() * STEP)  # noqa: E731
    return {
        "evidence": evidence,
        "elbo": expect(likelihood + prior - log_q),
        "gap": expect(log_q - (likelihood + prior - evidence)),
        "fit": expect(likelihood),
        "price": expect(log_q - prior),
    }


@functools.cache
def best(decoder: str, place: str) -> tuple[float, float, float]:
    """Mean, width and gap of the Gaussian that is nearest to the posterior in KL(q ‖ posterior)."""
    from scipy.optimize import minimize

    gap = lambda free: measures(decoder, place, free[0], math.exp(free[1]))["gap"]  # noqa: E731
    starts = [(mean, math.log(0.25)) for mean in (-0.5, 0.5, 1.25, 2.5)]
    tolerance = {"xatol": 1e-9, "fatol": 1e-13, "maxiter": 500}
    found = min(
        (minimize(gap, start, method="Nelder-Mead", options=tolerance) for start in starts),
        key=lambda end: end.fun,
    )
    return float(found.x[0]), math.exp(found.x[1]), max(0.0, float(found.fun))


class ElboLine(Interactive, script="elbo_line", title="Move q, and close the gap"):
    """A Gaussian q that the reader moves, the posterior that it should match, and what it costs.

    mean: -3 to 3. width: q's standard deviation, 0.05 to 1.5. decoder: "straight" or "bent". place: which x is
    seen, "side", "inside" or "mouth". reading: "gap" (evidence minus gap) or "parts" (fit minus price).
    """

    mean = traitlets.Float(0.6, min=-3.0, max=3.0).tag(sync=True)
    width = traitlets.Float(0.4, min=0.05, max=1.5).tag(sync=True)
    decoder = traitlets.Enum(DECODERS, "straight").tag(sync=True)
    place = traitlets.Enum(tuple(PLACES), "side").tag(sync=True)
    reading = traitlets.Enum(("gap", "parts"), "gap").tag(sync=True)
    best = traitlets.Dict(BEST).tag(sync=True)

    def measures(self) -> dict[str, float]:
        """All figures of the present state, in nats; see the function of this name."""
        return measures(self.decoder, self.place, self.mean, self.width)
