"""The board's figures, against quadrature and torch.distributions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch.distributions import Normal, kl_divergence

from aelib.widgets.kl_board import KLBoard

SETTINGS = [
    (0.0, 1.0),
    (0.0, 0.125),
    (0.0, 2**1.5),
    (3.0, 1.0),
    (-3.0, 2**1.5),
    (1.2, 0.5),
    (-0.05, 2**0.05),
    (3.0, 0.125),
]
each_setting = pytest.mark.parametrize(("mu", "sigma"), SETTINGS)


def by_quadrature(mu: float, sigma: float, sign: int) -> float:
    def part(z: float) -> float:
        return max(sign * norm.pdf(z, mu, sigma) * (norm.logpdf(z, mu, sigma) - norm.logpdf(z)), 0.0)

    edges = np.linspace(mu - 12 * sigma, mu + 12 * sigma, 25)
    return sum(quad(part, low, high, epsabs=1e-11)[0] for low, high in pairwise(edges))


@each_setting
def test_the_kl_is_that_of_torch(mu: float, sigma: float):
    mean, sd, zero, one = torch.tensor([mu, sigma, 0.0, 1.0], dtype=torch.float64)
    exact = kl_divergence(Normal(mean, sd), Normal(zero, one))
    assert KLBoard(mu=mu, sigma=sigma).kl() == pytest.approx(exact.item(), abs=1e-12)


@each_setting
def test_the_areas_are_those_of_quadrature_and_differ_by_the_kl(mu: float, sigma: float):
    board = KLBoard(mu=mu, sigma=sigma)
    above, below = board.areas()
    assert above == pytest.approx(by_quadrature(mu, sigma, 1), abs=1e-8)
    assert below == pytest.approx(by_quadrature(mu, sigma, -1), abs=1e-8)
    assert above - below == pytest.approx(board.kl(), abs=1e-12)


def test_each_knob_has_a_term_of_its_own():
    at, moved, stretched = KLBoard(mu=0.5, sigma=0.7), KLBoard(mu=2, sigma=0.7), KLBoard(mu=0.5, sigma=2)
    assert at.width() == moved.width() and at.place() != moved.place()
    assert at.place() == stretched.place() and at.width() != stretched.width()
    assert KLBoard(mu=0, sigma=1).kl() == 0 and KLBoard(mu=0, sigma=1).areas() == (0, 0)


@pytest.mark.parametrize("state", [{"mu": 3.5}, {"sigma": 0.0}, {"sigma": 4.0}])
def test_settings_beyond_the_sliders_are_refused(state: dict[str, float]):
    with pytest.raises(Exception, match=r"mu|sigma"):
        KLBoard(**state)
