"""Denoisers against Bayes' rule, autograd, regression and Gaussians' conditionals; the chain against known flows."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from aelib import denoising, gaussian
from aelib.data import digits
from aelib.denoising import Denoiser, chain, denoising_error, posterior_mean
from aelib.training import fit_many


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def mixture(x: Tensor, sigma: float) -> MixtureSameFamily:
    return MixtureSameFamily(Categorical(torch.ones(len(x), dtype=x.dtype)), Independent(Normal(x, sigma), 1))


def covariance(D: int, seed: int = 0) -> Tensor:
    W = draw(D, D, seed=seed)
    return W @ W.T / D + 0.05 * torch.eye(D, dtype=torch.float64)


# The exact denoiser


@given(n=st.integers(1, 6), D=st.integers(1, 4), sigma=st.floats(0.05, 3), seed=st.integers(0, 99))
def test_the_posterior_mean_is_bayes_rule(n, D, sigma, seed):
    x, y = draw(n, D, seed=seed), draw(3, D, seed=seed + 1)
    joint = mixture(x, sigma)
    log_p = joint.component_distribution.log_prob(y[:, None])
    weights = (log_p - joint.log_prob(y)[:, None]).exp() / n
    torch.testing.assert_close(posterior_mean(y, x, sigma), weights @ x, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_the_density_is_that_of_a_mixture(shift):
    x, y = draw(7, 3) + shift, draw(5, 3, seed=1) + shift
    found = denoising.log_density(y, x, 0.4)
    torch.testing.assert_close(found, mixture(x, 0.4).log_prob(y), rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("sigma", [0.05, 0.3, 2.0])
def test_tweedie_against_autograd(sigma):
    x = digits().train.double()
    y = (digits().held_out[:6].double() + sigma * draw(6, 64)).requires_grad_()
    (slope,) = torch.autograd.grad(denoising.log_density(y, x, sigma).sum(), y)
    found = denoising.score(y, posterior_mean(y, x, sigma), sigma)
    assert (found - slope).abs().max() < 1e-12 * max(1.0, slope.abs().max().item())


def test_no_denoiser_of_the_examples_is_better():
    x, y = draw(5, 2), draw(200, 2, seed=1)
    weights = mixture(x, 0.5).component_distribution.log_prob(y[:, None]).softmax(dim=1)
    error = lambda guess: (weights * torch.cdist(guess, x).square()).sum(dim=1)  # noqa: E731
    best = posterior_mean(y, x, 0.5)
    for seed in range(5):
        moved = best + 0.1 * draw(200, 2, seed=2 + seed)
        assert (error(moved) > error(best)).all()


def test_far_from_all_examples_and_one_noise_a_row():
    x = torch.eye(3)
    far = torch.tensor([[500.0, 0, 0], [0, 0, 500.0]])
    torch.testing.assert_close(posterior_mean(far, x, 0.01), x[[0, 2]])
    sigmas = torch.tensor([[0.2], [1.5]])
    together = posterior_mean(far / 500, x, sigmas)
    for k in (0, 1):
        torch.testing.assert_close(together[k], posterior_mean(far[k : k + 1] / 500, x, sigmas[k].item())[0])
    assert together.dtype == torch.float32


# The linear denoiser and the filler


def test_wiener_is_the_conditional_of_a_gaussian():
    S, sigma, mean = covariance(3), 0.7, torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    noisy = S + sigma**2 * torch.eye(3, dtype=torch.float64)
    joint = torch.cat([torch.cat([S, S], dim=1), torch.cat([S, noisy], dim=1)])
    y = draw(4, 3)
    want, left = gaussian.conditional(mean.repeat(2), joint, [3, 4, 5], y)
    torch.testing.assert_close(denoising.wiener(y, mean, S, sigma), want)
    torch.testing.assert_close(denoising.wiener_error(S, sigma), left.trace() / 3)


def test_wieners_error_on_the_digits():
    cov = torch.cov(digits().train.double().T, correction=0)
    assert denoising.wiener_error(cov, 0.3).item() == pytest.approx(0.0229, abs=5e-5)


@pytest.mark.parametrize("hidden", [[2], [0, 3], [4, 1, 3]])
def test_the_filler_is_the_conditional_of_a_gaussian(hidden):
    S, mean, x = covariance(5, seed=2), draw(5, seed=3), draw(6, 5, seed=4)
    seen = [i for i in range(5) if i not in hidden]
    want, left = gaussian.conditional(mean, S, seen, x[:, seen])
    filled = denoising.fill(x, mean, S, hidden)
    torch.testing.assert_close(filled[:, sorted(hidden)], want)
    assert torch.equal(filled[:, seen], x[:, seen])
    torch.testing.assert_close(denoising.fill_error(S, hidden), left.trace() / len(hidden))


def test_the_filler_is_regression_where_pixels_never_change():
    x = digits().train.double()
    mean, S, hidden = x.mean(dim=0), torch.cov(x.T, correction=0), list(range(32, 64))
    seen = x[:, :32] - mean[:32]
    left = (
        x[:, 32:]
        - mean[32:]
        - seen @ torch.linalg.lstsq(seen, x[:, 32:] - mean[32:], driver="gelsd").solution
    )
    assert denoising.fill_error(S, hidden).item() == pytest.approx(left.square().mean().item(), rel=1e-8)
    filled = denoising.fill(torch.where(torch.arange(64) < 32, x, torch.nan), mean, S, hidden)
    assert (filled - x)[:, 32:].square().mean().item() == pytest.approx(left.square().mean().item(), rel=1e-8)


# The network


def test_the_network_sees_each_rows_own_noise_and_leaves_the_random_stream_alone():
    before = torch.get_rng_state()
    model = Denoiser(draw(20, 4, dtype=torch.float32), hidden=(8,), seed=3)
    assert torch.equal(before, torch.get_rng_state())
    y, sigmas = draw(2, 4, dtype=torch.float32), torch.tensor([[0.1], [1.0]])
    rows = [model(y[k : k + 1], sigmas[k].item())[0] for k in (0, 1)]
    torch.testing.assert_close(model(y, sigmas), torch.stack(rows))


def test_the_loss_draws_log_sigma_evenly():
    """With a denoiser that answers y, the loss is D E[σ²] = D (b² − a²) / (2 log(b/a))."""

    class Same(torch.nn.Module):
        sigmas = (0.1, 2.0)

        def forward(self, y, sigma):
            return y

    torch.manual_seed(0)
    low, high = Same.sigmas
    want = 3 * (high**2 - low**2) / (2 * math.log(high / low))
    assert denoising_error(Same(), torch.zeros(200_000, 3)).item() == pytest.approx(want, rel=0.02)


def test_a_few_networks_learn_together():
    x = draw(64, 3, dtype=torch.float32)
    models = [Denoiser(x, hidden=(16,), seed=seed) for seed in (0, 1)]
    histories = fit_many(models, x, epochs=30, lr=1e-2, seeds=(0, 1), loss=denoising_error, progress=False)
    assert all(history.train["loss"][-1] < 0.8 * history.train["loss"][0] for history in histories)


# The chain


def levels(count: int, high: float = 3.0, low: float = 0.02) -> list[float]:
    return [*np.geomspace(high, low, count).tolist(), 0.0]


def test_with_one_example_each_step_is_exact():
    x, noise = draw(1, 4), draw(6, 4, seed=1)
    sigmas = levels(5)
    found = chain(lambda y, sigma: posterior_mean(y, x, sigma), x + sigmas[0] * noise, sigmas)
    for sigma, level in zip(sigmas, found, strict=True):
        torch.testing.assert_close(level, x + sigma * noise)


def test_for_a_gaussian_the_flow_is_known():
    """Along each principal direction it shrinks by √((λ + σ'²)/(λ + σ²)); the steps come near as they get small."""
    S, mean = torch.diag(torch.tensor([2.0, 0.5, 0.0], dtype=torch.float64)), draw(3)
    start = mean + 3 * draw(4, 3, seed=1)
    sigmas = levels(4000, low=1e-3)[:-1]
    found = chain(lambda y, sigma: denoising.wiener(y, mean, S, sigma), start, sigmas)[-1]
    values = S.diagonal()
    ratio = ((values + sigmas[-1] ** 2) / (values + sigmas[0] ** 2)).sqrt()
    torch.testing.assert_close(found, mean + ratio * (start - mean), rtol=0, atol=5e-3)


def test_the_exact_chain_ends_on_examples():
    x = digits().train
    start = x.mean(dim=0) + 1.5 * draw(50, 64, dtype=torch.float32)
    end = chain(lambda y, sigma: posterior_mean(y, x, sigma), start, levels(20, 1.5, 0.05))[-1]
    nearest = torch.cdist(end, x, compute_mode="donot_use_mm_for_euclid_dist").min(dim=1).values
    assert nearest.max() < 1e-3


# Sentences


@pytest.mark.parametrize("sigma", [0, -0.1, math.nan, math.inf])
def test_noise_that_cannot_be(sigma):
    x = draw(3, 2)
    for use in (
        lambda: posterior_mean(x, x, sigma),
        lambda: denoising.log_density(x, x, sigma),
        lambda: denoising.score(x, x, sigma),
        lambda: denoising.wiener(x, x[0], torch.eye(2), sigma),
        lambda: denoising.wiener_error(torch.eye(2), sigma),
    ):
        with pytest.raises(ValueError, match="sigma should be positive and finite"):
            use()


def test_other_odd_input_is_told_in_a_sentence():
    x = draw(3, 2)
    with pytest.raises(ValueError, match="at least one row"):
        posterior_mean(x, x[:0], 1.0)
    with pytest.raises(ValueError, match=r"y should hold .* \(rows, 2\), but has shape \(3, 1\)"):
        posterior_mean(x[:, :1], x, 1.0)
    with pytest.raises(ValueError, match="0 < low < high"):
        Denoiser(x, sigmas=(1.0, 0.5))
    for sigmas in ([1.0], [1.0, 1.0], [1.0, 0.0, 0.0], [0.5, 1.0]):
        with pytest.raises(ValueError, match="should fall from step to step"):
            chain(lambda y, sigma: y, x, sigmas)
    with pytest.raises(ValueError, match="names a number twice"):
        denoising.fill(x, x[0], torch.eye(2), [0, 0])
    for hidden in ([], [0, 1], [2], [-1]):
        with pytest.raises(ValueError, match="leave one seen"):
            denoising.fill_error(torch.eye(2), hidden)
