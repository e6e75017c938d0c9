"""What lesson 07 says in words, over five seeds where something is drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import brentq, minimize_scalar
from scipy.optimize import minimize as scipy_minimize
from torch.distributions import Independent, Normal, kl_divergence

from aelib import gaussian
from publish.lesson import cells, lessons, read

pytestmark = pytest.mark.processor

SEEDS = range(5)
GRID = np.linspace(-16, 16, 6401)


def of(mu: float, sigma: float) -> float:
    return gaussian.kl_to_standard_normal(
        torch.tensor([[mu]]).double(), torch.tensor([[2 * math.log(sigma)]]).double()
    ).item()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_quadratic_form_of_waiting_times_lies_within_its_error(seed: int):
    generator = np.random.default_rng(seed)
    mix, A, c = generator.normal(size=(3, 3)), generator.normal(size=(3, 3)), generator.normal(size=3)
    away = generator.exponential(size=(200_000, 3)) @ mix.T - c
    values = ((away @ A) * away).sum(axis=1)
    exact = gaussian.expected_quadratic_form(*map(torch.tensor, (mix.sum(axis=1), mix @ mix.T, A, c))).item()
    assert abs(values.mean() - exact) < 4 * values.std() / len(values) ** 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sampled_kl_lies_within_its_error_and_one_draw_does_not_tell(seed: int):
    torch.manual_seed(seed)
    mu, sd = torch.tensor([1.2, -0.4, 0.0]), torch.tensor([-1.0, 0.9, -3.0]).mul(0.5).exp()
    q, p = Independent(Normal(mu, sd), 1), Independent(Normal(torch.zeros(3), torch.ones(3)), 1)
    z = q.sample((200_000,))
    difference = (q.log_prob(z) - p.log_prob(z)).double()
    assert (
        abs(difference.mean() - kl_divergence(q, p).double()) < 4 * difference.std() / len(difference) ** 0.5
    )
    assert 1 < difference.std() < 2.5


def test_a_waiting_time_is_five_from_three():
    samples = np.random.default_rng(0).exponential(size=400_000)
    assert np.mean((samples - 3) ** 2) == pytest.approx(5, abs=0.05)


def test_twice_as_wide_pays_more_than_twice_as_much_as_half_as_wide():
    assert of(0, 2) > 2 * of(0, 0.5)
    assert round(of(0, 0.5), 2) == 0.32 and round(of(0, 2), 2) == 0.81


@pytest.mark.parametrize("sigma", [0.1, 0.03, 0.001])
def test_each_halving_of_a_narrow_cloud_costs_one_bit(sigma: float):
    assert (of(0.8, sigma / 2) - of(0.8, sigma)) / math.log(2) == pytest.approx(1, abs=0.006)


def test_the_push_to_widen_stays_below_one_half_and_the_push_to_shrink_has_no_limit():
    log_var = torch.linspace(-20, 10, 301, dtype=torch.float64).requires_grad_()
    gaussian.kl_to_standard_normal(torch.zeros(1, 301).double(), log_var[None]).sum().backward()
    assert log_var.grad.min() > -0.5
    assert log_var.grad.max() > 1000


# ---- two bumps -------------------------------------------------------------------------------------------


def log_normal(mean: float, sd: float) -> np.ndarray:
    return -0.5 * ((GRID - mean) / sd) ** 2 - math.log(sd) - 0.5 * math.log(2 * math.pi)


def two_bumps(m: float) -> np.ndarray:
    return np.logaddexp(log_normal(-m, 1), log_normal(m, 1)) - math.log(2)


def kl_on_grid(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.trapezoid(np.exp(first) * (first - second), GRID))


def best_in_the_middle(m: float) -> float:
    options = {"bounds": (-1, 2.5), "method": "bounded"}
    return minimize_scalar(lambda v: kl_on_grid(log_normal(0, math.exp(v)), two_bumps(m)), **options).fun


def best_anywhere(m: float, starts: tuple = ((0.3, 0.3), (1.0, 0.0), (2.0, 0.0))) -> tuple[float, float]:
    """(smallest KL(q ‖ p), |mean| of that q) over several starts, none of them in the middle."""

    def loss(v: np.ndarray) -> float:
        return kl_on_grid(log_normal(v[0], math.exp(v[1])), two_bumps(m))

    found = [
        scipy_minimize(loss, s, method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-10})
        for s in (*starts, (m, 0.0))
    ]
    best = min(found, key=lambda one: one.fun)
    return best.fun, abs(best.x[0])


@pytest.mark.parametrize("m", [0.5, 1.5, 2.5, 2.7])
def test_below_the_switch_the_best_q_lies_in_the_middle_either_way(m: float):
    value, mean = best_anywhere(m)
    assert mean < 0.01
    assert value == pytest.approx(best_in_the_middle(m), abs=1e-6)


@pytest.mark.parametrize("m", [2.9, 3.5, 4.0])
def test_above_the_switch_it_sits_on_one_bump_and_misses_the_other_for_less_than_log_2(m: float):
    value, mean = best_anywhere(m)
    assert abs(mean - m) < 0.1
    assert value < min(best_in_the_middle(m), math.log(2))


def test_the_switch_is_near_two_point_eight_bump_widths():
    switch = brentq(lambda m: best_in_the_middle(m) - best_anywhere(m, ((m, 0.0),))[0], 2.65, 3.1, xtol=1e-3)
    assert 2.79 < switch < 2.81


@pytest.mark.parametrize("m", [1.5, 3.0, 4.0])
def test_the_other_direction_takes_the_moments(m: float):
    loss = lambda v: kl_on_grid(two_bumps(m), log_normal(v[0], math.exp(v[1])))  # noqa: E731
    found = scipy_minimize(loss, (0.7, 0.2), method="Nelder-Mead").x
    assert found[0] == pytest.approx(0, abs=1e-3)
    assert math.exp(2 * found[1]) == pytest.approx(1 + m * m, rel=1e-3)


# ---- the suspects ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def suspects() -> dict:
    space: dict = {"torch": torch}
    source = next(cell.source for cell in cells(read(lessons("07")[0]), "code") if cell.id == "suspects")
    exec(source, space)
    return space


@pytest.mark.parametrize("seed", SEEDS)
def test_the_suspects_behave_as_the_check_says(suspects: dict, seed: int):
    generator = torch.Generator().manual_seed(seed)
    mu, log_var = torch.randn(2, 4, 3, generator=generator, dtype=torch.float64)
    true = gaussian.kl_to_standard_normal(mu, log_var)
    flat = torch.zeros_like(log_var)
    assert not torch.allclose(suspects["kl_a"](mu, log_var), true)
    torch.testing.assert_close(suspects["kl_a"](mu, flat), gaussian.kl_to_standard_normal(mu, flat))
    torch.testing.assert_close(suspects["kl_b"](mu, log_var), 2 * true)
    torch.testing.assert_close(suspects["kl_c"](mu, log_var), true)
    assert suspects["kl_d"](mu, log_var).shape == (3,)
    assert (suspects["kl_e"](mu, log_var) <= 0).all()
