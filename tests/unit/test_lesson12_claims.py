"""What lesson 12 says in words, over five seeds."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from aelib.data import digits
from aelib.denoising import (
    Denoise,
    Denoiser,
    chain,
    denoising_error,
    fill,
    fill_error,
    posterior_mean,
    wiener,
    wiener_error,
)
from aelib.desiderata import Representative, representative
from aelib.objectives import squared_error
from tests.kept import fit_many

pytestmark = pytest.mark.training
SEEDS = range(5)
SIGMAS = [*torch.logspace(math.log10(1.5), math.log10(0.05), 20).tolist(), 0.0]


@cache
def data() -> tuple[Tensor, Tensor]:
    return digits().train, digits().held_out


@cache
def moments() -> tuple[Tensor, Tensor]:
    """Mean and covariance of the digits to learn from."""
    train = data()[0].double()
    return train.mean(dim=0), torch.cov(train.T, correction=0)


@cache
def networks() -> list[Denoiser]:
    """As the lesson trains one, for each seed."""
    models = [Denoiser(data()[0], seed=seed) for seed in SEEDS]
    for epochs, lr in ((60, 6e-3), (20, 6e-4)):
        fit_many(models, data()[0], epochs=epochs, lr=lr, seeds=SEEDS, loss=denoising_error, progress=False)
    return [model.eval() for model in models]


def table(y: Tensor, sigma: float) -> Tensor:
    return posterior_mean(y, data()[0], sigma)


def linear(y: Tensor, sigma: float) -> Tensor:
    return wiener(y, *moments(), sigma).to(y.dtype)


def blurred(y: Tensor, sigma: float, b: float = 0.12) -> Tensor:
    wide = math.hypot(sigma, b)
    return y + (sigma / wide) ** 2 * (table(y, wide) - y)


def corrupt(x: Tensor, sigma: float, seed: int) -> Tensor:
    return x + sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), dtype=x.dtype)


@torch.no_grad()
def error(way: Denoise, x: Tensor, sigma: float, draws: int = 3) -> float:
    """Per pixel, by the same noise for every denoiser."""
    return sum(float((way(corrupt(x, sigma, s), sigma) - x).square().mean()) for s in range(draws)) / draws


@cache
def network_errors(sigma: float) -> list[float]:
    return [error(model, data()[1], sigma) for model in networks()]


def starts(seed: int, centre: Tensor) -> Tensor:
    return corrupt(centre.mean(dim=0).expand_as(data()[1]), 1.5, seed)


@torch.no_grad()
def drawn(way: Denoise, seed: int = 0) -> Tensor:
    return chain(way, starts(seed, data()[0]), SIGMAS)[-1]


def to_training(x: Tensor) -> Tensor:
    return torch.cdist(x, data()[0], compute_mode="donot_use_mm_for_euclid_dist").min(dim=1).values


def gauges(x: Tensor) -> Representative:
    return representative(x, *data())


@pytest.mark.processor
def test_the_errors_that_are_known_before_training():
    train, held_out = data()
    assert wiener_error(moments()[1], 0.3).item() == pytest.approx(0.0229, abs=5e-5)
    assert error(table, train, 0.3) == pytest.approx(0.0028, abs=3e-4)
    assert error(table, held_out, 0.3) == pytest.approx(0.0200, abs=5e-4)
    assert error(linear, held_out, 0.3) == pytest.approx(0.0232, abs=3e-4)


def error_at_03(model: nn.Module, x: Tensor) -> Tensor:
    return squared_error(x, model(x + 0.3 * torch.randn_like(x)))


@pytest.mark.processor
def test_a_linear_layer_comes_within_two_percent_of_wiener_and_not_below():
    train, layers = data()[0], [nn.Linear(64, 64) for _ in SEEDS]
    for layer in layers:
        nn.init.zeros_(layer.weight)
    for epochs, lr in ((30, 1e-2), (30, 5e-4)):
        fit_many(layers, train, epochs=epochs, lr=lr, seeds=SEEDS, loss=error_at_03, progress=False)
    best = wiener_error(moments()[1], 0.3).item()
    for layer in layers:
        A, b = layer.weight.detach().double(), layer.bias.detach().double()
        missed = (train.double() - b - train.double() @ A.T).square().sum(dim=1).mean()
        assert best < (missed + 0.09 * A.square().sum()).item() / 64 < 1.02 * best


@pytest.mark.processor
def test_no_denoiser_wins_everywhere():
    held_out = data()[1]
    assert error(linear, held_out, 0.1) < min(network_errors(0.1)) * 0.9
    assert max(network_errors(0.1)) < error(table, held_out, 0.1) * 0.6
    assert max(network_errors(0.3)) < error(table, held_out, 0.3) * 0.95
    assert error(table, held_out, 0.3) < error(linear, held_out, 0.3) * 0.95
    assert error(table, held_out, 0.8) < min(network_errors(0.8)) * 0.98
    assert max(network_errors(0.8)) < error(linear, held_out, 0.8) * 0.98
    assert all(error(table, data()[0], 0.3) < error(model, data()[0], 0.3) / 3 for model in networks())


def test_the_network_is_best_at_medium_levels_only():
    """At 1.4, nearly the highest level, the table is the best of the three, as at 0.8."""
    held_out = data()[1]
    assert error(linear, held_out, 0.12) < min(network_errors(0.12))
    for sigma in (0.15, 0.35):
        assert max(network_errors(sigma)) < min(error(way, held_out, sigma) for way in (linear, table))
    for sigma in (0.4, 1.4):
        assert error(table, held_out, sigma) < min(*network_errors(sigma), error(linear, held_out, sigma))


def test_the_network_is_about_as_good_on_new_digits_as_on_its_own():
    for model, new in zip(networks(), network_errors(0.3), strict=True):
        assert 1 < new / error(model, data()[0], 0.3) < 1.15


def left_out(b: float, sigma: float, seed: int) -> float:
    """The blurred table's error on a training digit that is missing in the table, of its own, by the same noise."""
    x, wide = data()[0].double(), math.hypot(sigma, b)
    y = corrupt(x, sigma, seed)
    squares = torch.cdist(y, x).square().fill_diagonal_(math.inf)
    clean = torch.softmax(-squares / (2 * wide**2), dim=1) @ x
    return (y + (sigma / wide) ** 2 * (clean - y) - x).square().mean().item()


@pytest.mark.parametrize("seed", SEEDS)
def test_training_digits_alone_choose_the_width_of_the_blur(seed):
    assert min((0.04, 0.08, 0.12, 0.16, 0.2), key=lambda b: left_out(b, 0.3, seed)) == 0.12


def test_digits_vary_less_than_the_noise_of_the_start_in_every_direction():
    assert torch.linalg.eigvalsh(moments()[1]).max().sqrt() < 0.6 * 1.5


def test_a_blurred_table_is_about_as_good_as_the_network_and_better_at_much_noise():
    held_out = data()[1]
    assert error(blurred, held_out, 0.3) == pytest.approx(sum(network_errors(0.3)) / 5, rel=0.06)
    assert error(blurred, held_out, 0.8) < min(network_errors(0.8)) * 0.98


@pytest.mark.processor
@pytest.mark.parametrize("seed", SEEDS)
def test_the_exact_chain_returns_training_digits(seed):
    assert to_training(drawn(table, seed)).max() < 1e-6


def test_the_chain_of_a_network_makes_new_digits():
    real = to_training(data()[1])
    for seed, model in enumerate(networks()):
        found = drawn(model, seed)
        assert to_training(found).min() > 0.2
        assert 1.0 < to_training(found).mean() / real.mean() < 1.3
        assert gauges(found).closeness > 0.78
        assert gauges(found).relative_coverage > 0.7


def test_a_gaussian_draws_no_digits_and_copies_have_the_best_marks():
    for seed in SEEDS:
        straight, copies = gauges(drawn(linear, seed)), gauges(drawn(table, seed))
        assert straight.closeness < 0.7
        assert straight.relative_coverage < 0.2
        assert (copies.closeness, copies.relative_coverage) == (1, 1)


def test_the_blurred_table_draws_training_digits_with_grain():
    """Taken apart: the nearest training digit, and noise of standard deviation b."""
    for seed in SEEDS:
        found = drawn(blurred, seed)
        nearest = data()[0][torch.cdist(found, data()[0]).argmin(dim=1)]
        assert (found - nearest).square().mean().sqrt().item() == pytest.approx(0.12, rel=0.15)


def test_a_network_with_twenty_digits_draws_near_them():
    few = data()[0][:20]
    models = [Denoiser(few, seed=seed) for seed in SEEDS]
    fit_many(models, few, epochs=500, lr=6e-3, seeds=SEEDS, loss=denoising_error, progress=False)
    other = torch.cdist(data()[1], few).min(dim=1).values.mean()
    for seed, model in enumerate(models):
        with torch.no_grad():
            found = chain(model.eval(), starts(seed, few), SIGMAS)[-1]
        assert torch.cdist(found, few).min(dim=1).values.mean() < 0.6 * other


@pytest.mark.parametrize("seed", SEEDS)
def test_the_fillers_error_is_expected_and_grows_with_what_is_hidden(seed):
    mean, cov = moments()
    held_out, order = data()[1], torch.randperm(64, generator=torch.Generator().manual_seed(seed))
    expected = []
    for share in (0.25, 0.5, 0.75):
        hidden = order[: int(64 * share)].tolist()
        truth = held_out[:, hidden]
        found = (fill(held_out, mean, cov, hidden)[:, hidden] - truth).square().mean()
        expected.append(fill_error(cov, hidden).item())
        assert 0.9 < found / expected[-1] < 1.25
        assert found < (mean[hidden] - truth).square().mean()
    assert expected[0] < expected[2]
