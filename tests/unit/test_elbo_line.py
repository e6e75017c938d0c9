"""The exact model under lesson 06's number line: identities at random q, and the best Gaussian against known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm
from traitlets import TraitError

from aelib.widgets.elbo_line import (
    BEST,
    DECODERS,
    GRID,
    NOISE_VAR,
    PLACES,
    ElboLine,
    best,
    decode,
    log_evidence,
    measures,
)

anywhere = {
    "decoder": st.sampled_from(DECODERS),
    "place": st.sampled_from(list(PLACES)),
    "mean": st.floats(-3, 3),
    "width": st.floats(0.05, 1.5),
}


@given(**anywhere)
@settings(max_examples=150, deadline=None)
def test_evidence_minus_elbo_is_the_gap(decoder: str, place: str, mean: float, width: float):
    now = measures(decoder, place, mean, width)
    assert abs(now["evidence"] - now["elbo"] - now["gap"]) < 1e-10
    assert abs(now["fit"] - now["price"] - now["elbo"]) < 1e-10
    assert now["gap"] > -1e-10
    assert now["price"] > -1e-10
    assert now["gap"] >= best(decoder, place)[2] - 1e-9


@given(**anywhere)
@settings(max_examples=40, deadline=None)
def test_every_term_against_other_roads(decoder: str, place: str, mean: float, width: float):
    """Gauss-Hermite for the fit, the known formula for a Gaussian's KL to the prior."""
    now = measures(decoder, place, mean, width)
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    offsets = np.square(decode(mean + width * nodes, decoder) - PLACES[place]).sum(axis=1)
    fit = -(weights @ offsets) / weights.sum() / (2 * NOISE_VAR) - math.log(2 * math.pi * NOISE_VAR)
    assert now["fit"] == pytest.approx(fit, rel=1e-10, abs=1e-9)
    assert now["price"] == pytest.approx((mean**2 + width**2 - 1) / 2 - math.log(width), abs=1e-10)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("place", list(PLACES))
def test_evidence_against_adaptive_quadrature(decoder: str, place: str):
    def joint(z: float) -> float:
        offset = decode(np.array([z]), decoder)[0] - PLACES[place]
        return norm.pdf(offset, scale=math.sqrt(NOISE_VAR)).prod() * norm.pdf(z)

    by_quadrature = quad(joint, -8, 8, points=(-2.5, -0.5, 1, 2.5), epsabs=1e-15, epsrel=1e-12, limit=400)[0]
    assert log_evidence(decoder, place) == pytest.approx(math.log(by_quadrature), abs=1e-9)


def test_evidence_has_either_sign():
    values = [log_evidence(decoder, place) for decoder in DECODERS for place in PLACES]
    assert min(values) < -1
    assert max(values) > 0.5


@pytest.mark.parametrize("place", list(PLACES))
def test_a_straight_decoder_closes_the_gap_on_a_position_of_the_sliders(place: str):
    weight = np.array([0.3, 0.15])
    mean, width = weight @ PLACES[place] / NOISE_VAR / 16, 0.25
    assert (best("straight", place)[:2]) == pytest.approx((mean, width), abs=1e-6)
    assert mean * 100 == pytest.approx(round(mean * 100), abs=1e-9), "the sliders step by 0.01"
    assert abs(measures("straight", place, mean, width)["gap"]) < 1e-12


def test_a_bent_decoder_leaves_a_gap():
    side, inside, mouth = (best("bent", place)[2] for place in ("side", "inside", "mouth"))
    assert 1e-4 < side < 1e-3
    assert 0.05 < inside < 0.12
    assert mouth == pytest.approx(math.log(2), abs=1e-3)
    assert mouth > math.log(2), "at least log 2"


def test_the_best_is_the_best_of_a_fine_search():
    for place in PLACES:
        gaps = [
            measures("bent", place, m, w)["gap"]
            for m in np.linspace(-3, 3, 61)
            for w in np.linspace(0.1, 1.5, 36)
        ]
        assert best("bent", place)[2] <= min(gaps) < best("bent", place)[2] + 0.08


def test_the_grid_holds_every_q():
    for mean, width in ((-3, 1.5), (3, 1.5), (0, 0.05), (2.999, 0.05)):
        assert np.exp(norm.logpdf(GRID, mean, width)).sum() * 0.01 == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("name", BEST)
def test_the_best_that_is_shown_is_the_best(name: str):
    assert BEST[name] == pytest.approx(best(*name.split()), abs=1e-6)
    assert ElboLine().best[name] == BEST[name]


def test_words():
    assert ElboLine().words().startswith("Move q, and close the gap. A Gaussian q that the reader moves")
    with pytest.raises(TraitError, match="inside"):
        ElboLine(place="nowhere")
