"""Each likelihood integrates or sums to one, is the one that torch knows, and its draws follow its density."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import kstest
from torch.distributions import Bernoulli, ContinuousBernoulli, Independent, Normal

from aelib import likelihoods
from aelib.likelihoods import LIKELIHOODS
from aelib.models import VAE
from aelib.objectives import implied_sigma

pytestmark = pytest.mark.processor

LOGITS = [-800.0, -30.0, -3.0, -0.051, -0.049, -1e-9, 0.0, 1e-4, 0.05, 0.7, 12.0, 700.0]


def some(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def density(name: str, output: float, noise_var: float | None = None):
    family = LIKELIHOODS[name]
    return lambda x: (
        family.log_prob(
            torch.tensor([x], dtype=torch.float64), torch.tensor([output], dtype=torch.float64), noise_var
        )
        .exp()
        .item()
    )


@pytest.mark.parametrize("noise_var", [1e-3, 0.05, 2.0])
def test_the_gaussian_integrates_to_one(noise_var):
    reach = 12 * noise_var**0.5
    assert quad(density("gaussian", 0.3, noise_var), 0.3 - reach, 0.3 + reach)[0] == pytest.approx(
        1, abs=1e-9
    )


@pytest.mark.parametrize("logit", [-30.0, -3.0, -0.049, 0.0, 0.02, 0.7, 12.0])
def test_the_continuous_bernoulli_integrates_to_one_and_its_mean_is_not_lambda(logit):
    p = density("continuous bernoulli", logit)
    assert quad(p, 0, 1)[0] == pytest.approx(1, abs=1e-9)
    mean = likelihoods.continuous_bernoulli_mean(torch.tensor(logit).double()).item()
    assert quad(lambda x: x * p(x), 0, 1)[0] == pytest.approx(mean, abs=1e-9)
    if abs(logit) > 0.5:
        assert abs(mean - torch.sigmoid(torch.tensor(logit)).item()) > 0.04 * (abs(logit) < 20)


def test_the_bernoulli_sums_to_one():
    every_x = torch.tensor(list(itertools.product([0.0, 1.0], repeat=8))).double()
    assert likelihoods.bernoulli(every_x, 3 * some(8)).exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_cross_entropy_on_grey_numbers_is_no_likelihood():
    total = quad(
        lambda x: (
            likelihoods.bernoulli(torch.tensor([x], dtype=torch.float64), torch.tensor([1.5]).double())
            .exp()
            .item()
        ),
        0,
        1,
    )
    assert total[0] < 0.6


def test_all_are_those_of_torch():
    x, output = some(3, 7, 5).sigmoid(), 4 * some(7, 5, seed=1)
    continuous = Independent(ContinuousBernoulli(logits=output), 1)
    torch.testing.assert_close(likelihoods.continuous_bernoulli(x, output), continuous.log_prob(x))
    torch.testing.assert_close(likelihoods.continuous_bernoulli_mean(output), continuous.mean)
    normal = Independent(Normal(output, 0.2), 1)
    torch.testing.assert_close(likelihoods.gaussian(x, output, 0.04), normal.log_prob(x))
    bits = (x > 0.5).double()
    torch.testing.assert_close(
        likelihoods.bernoulli(bits, output), Independent(Bernoulli(logits=output), 1).log_prob(bits)
    )


@given(st.floats(-900, 900), st.floats(0, 1))
def test_the_continuous_bernoulli_stays_finite_with_its_gradient(logit, x):
    a = torch.tensor([logit], dtype=torch.float32, requires_grad=True)
    likelihoods.continuous_bernoulli(torch.tensor([x]), a).backward()
    assert a.grad.isfinite().all() and abs(a.grad.item()) <= 1 + 1e-5


def test_the_gradient_of_its_integral_is_its_mean():
    a = torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)
    (-likelihoods.continuous_bernoulli(torch.zeros(len(LOGITS), 1), a[:, None])).sum().backward()
    torch.testing.assert_close(a.grad, likelihoods.continuous_bernoulli_mean(a.detach()), atol=1e-10, rtol=0)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_draws_agree_with_the_density(name):
    family, noise_var = LIKELIHOODS[name], torch.tensor(0.04).double() if name == "gaussian" else None
    for logit in (-3.0, 0.0, 1.5):
        output = torch.full((20_000,), logit).double()
        x = family.draw(output, noise_var, torch.Generator().manual_seed(0))
        assert abs(x.mean() - family.mean(output)[0]) < 5 * x.std() / len(x) ** 0.5
        if name != "bernoulli":
            grid = np.linspace(-2 if name == "gaussian" else 0, 3 if name == "gaussian" else 1, 20_001)
            grid = grid + (logit if name == "gaussian" else 0)
            p = (
                family.log_prob(torch.tensor(grid)[:, None], torch.tensor([logit]).double(), noise_var)
                .exp()
                .numpy()
            )
            cdf = np.concatenate([[0], np.cumsum((p[1:] + p[:-1]) / 2 * np.diff(grid))])
            assert kstest(x.numpy(), lambda at, g=grid, c=cdf: np.interp(at, g, c)).pvalue > 1e-3


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_a_vae_judges_and_draws_by_its_likelihood(name):
    model = VAE(6, 2, hidden=(5,), likelihood=name, seed=3)
    x, z = torch.rand(4, 6).round(), torch.randn(9, 4, 2)
    output = model.decoder(z)
    expected = LIKELIHOODS[name].log_prob(x, output, model.noise_var)
    torch.testing.assert_close(model.log_likelihood(x, z), expected)
    assert model.log_likelihood(x, z).shape == (9, 4) and model.decode(z).shape == (9, 4, 6)
    draws = model.draw_x(z[:1].expand(20_000, -1, -1), torch.Generator().manual_seed(0))
    torch.testing.assert_close(draws.mean(dim=0), model.decode(z)[0], atol=0.04, rtol=0)


def test_a_vae_without_a_gaussian_has_no_noise_variance():
    assert VAE(4, 2, likelihood="bernoulli").noise_var is None
    with pytest.raises(ValueError, match="has none"):
        VAE(4, 2, likelihood="bernoulli", noise_var=0.1)
    with pytest.raises(ValueError, match="one of gaussian, bernoulli, continuous bernoulli"):
        VAE(4, 2, likelihood="binary")


def test_the_sigma_that_a_loss_implies():
    assert implied_sigma(1 / 784) == pytest.approx(19.799, abs=1e-3)
    assert implied_sigma(0.5 / 0.05) == pytest.approx(0.05**0.5)
    x, x_hat, kl = some(3, 8), some(3, 8, seed=1), 7.3
    w, a = 0.3, 1 / 8
    sigma = implied_sigma(a, w)
    loss = lambda x_hat: a * (x - x_hat).square().sum(-1).mean() + w * kl  # noqa: E731
    neg_elbo = lambda x_hat: -likelihoods.gaussian(x, x_hat, sigma**2).mean() + kl  # noqa: E731
    assert (loss(x_hat) - loss(x)).item() == pytest.approx(w * (neg_elbo(x_hat) - neg_elbo(x)).item())
    with pytest.raises(ValueError, match="positive"):
        implied_sigma(0.0)
