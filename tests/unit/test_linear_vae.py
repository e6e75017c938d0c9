"""The closed forms of the linear VAE against torch.distributions, an optimiser and the published values."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence

from aelib import gaussian
from aelib.data import digits

pytestmark = pytest.mark.processor

few = settings(max_examples=25, deadline=None, derandomize=True)
seeds = st.integers(0, 2**31)
positive = st.floats(0.05, 8.0)


def randn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def random_cov(seed: int, n_dims: int) -> Tensor:
    root = randn(seed, n_dims, n_dims)
    return root @ root.mT / n_dims + 0.05 * torch.eye(n_dims, dtype=torch.float64)


def close(actual: Tensor | float, expected: Tensor | float, atol: float = 1e-9) -> None:
    actual, expected = (torch.as_tensor(side, dtype=torch.float64) for side in (actual, expected))
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=atol)


@cache
def digits_cov() -> Tensor:
    return torch.cov(digits().all.double().T, correction=0)


def objective(
    W: Tensor, V: Tensor, log_var: Tensor, log_noise_var: Tensor, cov: Tensor, beta: float
) -> Tensor:
    """The β-ELBO, written down from E‖x − Wz‖² and the line of lesson 07."""
    lost = torch.eye(len(cov), dtype=cov.dtype) - W @ V
    error = (lost @ cov @ lost.T).trace() + (log_var.exp() * W.square().sum(dim=0)).sum()
    mean_square = (V @ cov @ V.T).diagonal()
    kl = -0.5 * (1 + log_var - mean_square - log_var.exp()).sum()
    noise_var = log_noise_var.exp()
    return -0.5 * len(cov) * (2 * math.pi * noise_var).log() - error / (2 * noise_var) - beta * kl


def climb(cov: Tensor, latent_dim: int, noise_var: float | None, beta: float, seed: int) -> float:
    """The highest value that an optimiser finds from one random start."""
    n_dims = len(cov)
    start = [
        randn(seed, n_dims, latent_dim),
        randn(seed + 1, latent_dim, n_dims),
        randn(seed + 2, latent_dim),
    ]
    free = [part.requires_grad_() for part in start]
    log_noise_var = torch.tensor(math.log(noise_var or 0.5), dtype=torch.float64)
    if noise_var is None:
        free.append(log_noise_var.requires_grad_())
    optimiser = torch.optim.LBFGS(
        free, max_iter=800, tolerance_grad=1e-10, tolerance_change=1e-15, line_search_fn="strong_wolfe"
    )

    def closure():
        optimiser.zero_grad()
        loss = -objective(*free[:3], log_noise_var, cov, beta)
        loss.backward()
        return loss

    optimiser.step(closure)
    return objective(*free[:3], log_noise_var, cov, beta).item()


def value(found: gaussian.BestLinearVAE, beta: float) -> float:
    return (found.elbo + (1 - beta) * found.kl.sum()).item()


@few
@given(seed=seeds, noise_var=positive)
def test_evidence_is_the_mean_log_density(seed, noise_var):
    x, weight = randn(seed, 50, 4), randn(seed + 1, 4, 2)
    x = x - x.mean(dim=0)
    noise = noise_var * torch.eye(4, dtype=torch.float64)
    law = MultivariateNormal(torch.zeros(4, dtype=torch.float64), weight @ weight.T + noise)
    close(gaussian.linear_evidence(weight, noise_var, torch.cov(x.T, correction=0)), law.log_prob(x).mean())


@few
@given(seed=seeds, noise_var=positive)
def test_gap_is_the_kl_to_the_posterior(seed, noise_var):
    weight = randn(seed, 5, 3)
    posterior = torch.linalg.inv(torch.eye(3, dtype=torch.float64) + weight.T @ weight / noise_var)
    mean = torch.zeros(3, dtype=torch.float64)
    nearest = torch.diag(1 / torch.linalg.inv(posterior).diagonal())
    want = kl_divergence(MultivariateNormal(mean, nearest), MultivariateNormal(mean, posterior))
    close(gaussian.diagonal_gap(weight, noise_var), want)
    for factor in (0.9, 1.1):  # no other diagonal is nearer
        other = kl_divergence(MultivariateNormal(mean, factor * nearest), MultivariateNormal(mean, posterior))
        assert other > want


@pytest.mark.parametrize(("first", "second"), [(0, 7), (0, 3), (4, 5)])
def test_a_rotation_by_an_angle_costs_what_lesson_10_says(first, second):
    values = torch.linalg.eigvalsh(digits_cov()).flip(0)
    weight, noise_var = gaussian.ppca(digits_cov(), 8)
    for degrees in (0.0, 15.0, 45.0, 90.0):
        angle = torch.tensor(math.radians(degrees), dtype=torch.float64)
        R = torch.eye(8, dtype=torch.float64)
        R[[first, second], [first, second]] = angle.cos()
        R[first, second], R[second, first] = -angle.sin(), angle.sin()
        a, b = values[first], values[second]
        want = 0.5 * (1 + (a - b) ** 2 / (4 * a * b) * (2 * angle).sin() ** 2).log()
        close(gaussian.diagonal_gap(weight @ R, noise_var), want)
        close(
            gaussian.linear_evidence(weight @ R, noise_var, digits_cov()),
            gaussian.ppca_log_likelihood(digits_cov(), 8),
        )


def test_learned_it_is_probabilistic_pca():
    found = gaussian.linear_vae(digits_cov(), 8)
    weight, noise_var = gaussian.ppca(digits_cov(), 8)
    close(found.weight, weight)
    close(found.noise_var, noise_var)
    close(found.elbo, 14.2097883, atol=5e-8)
    close(found.noise_var, 0.0273294, atol=5e-8)


@pytest.mark.parametrize("beta", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("noise_var", [None, 0.1, 0.6, 4.0])
@pytest.mark.parametrize("seed", [0, 10])
def test_no_climb_ends_higher_and_one_arrives(seed, noise_var, beta):
    cov = random_cov(seed, 5)
    best = value(gaussian.linear_vae(cov, 2, noise_var, beta), beta)
    reached = [climb(cov, 2, noise_var, beta, 100 * seed + 3 * start) for start in range(3)]
    assert max(reached) <= best + 1e-8
    close(max(reached), best, atol=1e-6)


@few
@given(seed=seeds, noise_var=positive, beta=positive)
def test_its_own_figures_agree(seed, noise_var, beta):
    """Its weight with the best encoder gives its ELBO and its KLs."""
    cov = random_cov(seed, 5)
    found = gaussian.linear_vae(cov, 3, noise_var, beta)
    gram = found.weight.T @ found.weight + beta * noise_var * torch.eye(3, dtype=torch.float64)
    V, var = torch.linalg.solve(gram, found.weight.T), beta * noise_var / gram.diagonal()
    kl = 0.5 * ((V @ cov @ V.T).diagonal() + var - 1 - var.log())
    close(found.kl, kl)
    close(found.elbo, objective(found.weight, V, var.log(), found.noise_var.log(), cov, 1.0))


@pytest.mark.parametrize("beta", [0.25, 1.0, 2.0, 6.0])
@pytest.mark.parametrize("noise_var", [0.02, 0.1, 0.3, 0.6, 1.0])
def test_used_is_what_lies_above_the_threshold_and_in_order(noise_var, beta):
    values = torch.linalg.eigvalsh(digits_cov()).flip(0)[:8]
    kl = gaussian.linear_vae(digits_cov(), 8, noise_var, beta).kl
    assert ((kl > 0) == (values > beta * noise_var)).all()
    assert (kl.diff() <= 0).all()


def test_learned_noise_with_another_beta():
    values = torch.linalg.eigvalsh(digits_cov()).flip(0)
    for beta, used in ((0.5, 8), (2.0, 8), (7.0, 3), (30.0, 0)):
        found = gaussian.linear_vae(digits_cov(), 8, beta=beta)
        assert (found.kl > 0).sum() == used
        close(found.noise_var, values[used:].sum() / (64 - beta * used))
        for factor in (0.98, 1.02):
            near = gaussian.linear_vae(digits_cov(), 8, factor * found.noise_var, beta)
            assert value(near, beta) < value(found, beta)


def test_a_flat_tail_is_the_exception():
    flat = torch.diag(torch.tensor([4.0, 1.0, 1.0, 1.0, 1.0], dtype=torch.float64))
    assert gaussian.linear_vae(flat, 3).kl[1:].abs().max() < 1e-12
    assert gaussian.linear_vae(flat, 1).kl[0] > 0.5


MISTAKES = {
    "noise": (lambda: gaussian.diagonal_gap(randn(0, 3, 2), 0.0), "noise_var must be positive"),
    "transposed": (lambda: gaussian.linear_evidence(randn(0, 2, 3), 1.0, random_cov(0, 3)), "transposed"),
    "no beta": (lambda: gaussian.linear_vae(random_cov(0, 3), 1, beta=0.0), "beta must be positive"),
    "no noise left": (lambda: gaussian.linear_vae(random_cov(0, 3), 3), "at least one direction left over"),
    "too many": (lambda: gaussian.linear_vae(random_cov(0, 3), 4, 1.0), "between 0 and 3"),
    "negative noise": (lambda: gaussian.linear_vae(random_cov(0, 3), 1, -1.0), "noise_var must be positive"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_wrong_value_gets_a_sentence(name):
    call, sentence = MISTAKES[name]
    with pytest.raises(ValueError, match=sentence):
        call()
