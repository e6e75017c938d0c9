"""What lesson 06 says in words, over five seeds; definitions here are written anew."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch

from aelib import gaussian
from aelib.bits import code_range, quantise
from aelib.data import digits
from aelib.widgets.elbo_line import GRID, NOISE_VAR, decode

pytestmark = pytest.mark.training
seeds = pytest.mark.parametrize("seed", range(5))
LOG_PRIOR = -(GRID**2) / 2 - 0.5 * math.log(2 * math.pi)


def log_normal(at, mean, width):
    return -0.5 * ((at - mean) / width) ** 2 - np.log(width) - 0.5 * math.log(2 * math.pi)


def log_joint(x: np.ndarray, noise_var: float = NOISE_VAR) -> np.ndarray:
    """(..., 2) to (..., grid)."""
    squared = np.square(x[..., None, :] - decode(GRID, "bent")).sum(axis=-1)
    return -squared / (2 * noise_var) - math.log(2 * math.pi * noise_var) + LOG_PRIOR


def log_sum(log_values: np.ndarray) -> np.ndarray:
    top = log_values.max(axis=-1, keepdims=True)
    return (top + np.log(np.exp(log_values - top).sum(axis=-1, keepdims=True) * 0.01))[..., 0]


def elbos(x: np.ndarray, mu: np.ndarray, sigma: np.ndarray, noise_var: float = NOISE_VAR) -> np.ndarray:
    log_q = log_normal(GRID, mu[:, None], sigma[:, None])
    return (np.exp(log_q) * (log_joint(x, noise_var) - log_q)).sum(axis=-1) * 0.01


def sample(seed: int, n: int = 600) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return decode(generator.standard_normal(n), "bent") + math.sqrt(NOISE_VAR) * generator.standard_normal(
        (n, 2)
    )


@seeds
def test_naive_sampling_scatters_and_then_misses(seed: int):
    images = digits().all.double()
    cov, digit = torch.cov(images.T, correction=0), images[0] - images.mean(dim=0)
    generator, spreads = torch.Generator().manual_seed(seed), []
    for k in (1, 2, 4, 8, 16):
        weight, noise_var = gaussian.ppca(cov, k)
        exact = gaussian.log_prob(
            digit, torch.zeros(64).double(), weight @ weight.T + noise_var * torch.eye(64).double()
        )
        z = torch.randn(20, 10_000, k, generator=generator, dtype=torch.float64)
        squared = digit @ digit - 2 * z @ (weight.T @ digit) + ((z @ (weight.T @ weight)) * z).sum(-1)
        runs = (
            (-squared / (2 * noise_var)).logsumexp(1)
            - 32 * (2 * math.pi * noise_var).log()
            - math.log(10_000)
        )
        spreads.append(runs.std().item())
        if k <= 2:
            assert abs(runs.mean() - exact) < 0.1
        if k == 8:
            assert runs.mean() < exact - 0.3
        if k == 16:
            assert runs.mean() < exact - 5
    assert spreads == sorted(spreads)


@seeds
def test_no_q_moves_the_evidence_and_none_exceeds_it(seed: int):
    x, generator = sample(seed, 1), np.random.default_rng(seed)
    mu, sigma = generator.uniform(-2, 2, 30), generator.uniform(0.1, 1, 30)
    assert (elbos(np.repeat(x, 30, axis=0), mu, sigma) < log_sum(log_joint(x))).all()


def test_the_elbo_of_a_fixed_q_prefers_more_noise_than_the_evidence():
    noise_vars = np.logspace(-3, -0.5, 80)
    x, mu, sigma = np.array([[0.4, 0.2]]), np.array([0.9]), np.array([0.4])
    evidence = [log_sum(log_joint(x, v))[0] for v in noise_vars]
    bound = [elbos(x, mu, sigma, v)[0] for v in noise_vars]
    assert noise_vars[np.argmax(bound)] > 3 * noise_vars[np.argmax(evidence)]


def test_a_single_estimate_may_lie_above_the_evidence():
    z = 0.7 + 0.3 * np.random.default_rng(0).standard_normal(10_000)
    squared = np.square(decode(z, "bent") - [0.4, 0.2]).sum(axis=1)
    estimates = (
        -squared / (2 * NOISE_VAR)
        - math.log(2 * math.pi * NOISE_VAR)
        + log_normal(z, 0, 1)
        - log_normal(z, 0.7, 0.3)
    )
    assert (estimates > log_sum(log_joint(np.array([0.4, 0.2])))).mean() > 0.05


@functools.cache
def encoder(seed: int) -> tuple[np.ndarray, torch.nn.Module]:
    """600 points and the lesson's network, trained on one-sample estimates."""
    data = torch.tensor(sample(seed))
    torch.manual_seed(seed)
    network = torch.nn.Sequential(torch.nn.Linear(2, 32), torch.nn.Tanh(), torch.nn.Linear(32, 2)).double()
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(1500):
        mu, log_var = network(data).unbind(-1)
        eps = torch.randn(600, dtype=torch.float64)
        z = mu + (log_var / 2).exp() * eps
        x_hat = 0.4 * torch.stack([torch.sin(1.2 * z), torch.cos(1.2 * z)], -1)
        loss = (((data - x_hat) ** 2).sum(-1) / (2 * NOISE_VAR) + z**2 / 2 - log_var / 2 - eps**2 / 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return data.numpy(), network


def answers(network: torch.nn.Module, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with torch.no_grad():
        mu, log_var = network(torch.tensor(x)).numpy().T
    return mu, np.exp(log_var / 2)


@pytest.mark.parametrize("seed", range(5))
def test_gaps(seed: int):
    data, network = encoder(seed)
    x = np.concatenate([data[:40], [[0.4, 0.2], [0.04, -0.04], [0.0, -0.4]]])
    total = log_sum(log_joint(x)) - elbos(x, *answers(network, x))
    centres, widths = np.arange(-2.8, 2.81, 0.05), np.array([0.12, 0.15, 0.165, 0.18, 0.2, 0.25, 0.35, 0.5])
    mu, sigma = (part.ravel() for part in np.meshgrid(centres, widths))
    family = np.exp(log_normal(GRID, mu[:, None], sigma[:, None])) * 0.01
    entropy = np.log(sigma) + 0.5 * math.log(2 * math.pi * math.e)
    approximation = log_sum(log_joint(x)) - (log_joint(x) @ family.T + entropy).max(axis=1)
    assert (total > 0).all()
    assert total[:40].mean() > 2 * approximation[:40].mean(), (
        "the network's part is the larger one on the data"
    )
    assert total[40] < 0.2
    assert total[41] - approximation[41] > 0.3, "inside the ring"
    amortisation = np.sort(total[:40] - approximation[:40])
    assert amortisation[-10:].sum() > 0.6 * amortisation.sum(), "most of it comes from few points"
    every = log_sum(log_joint(data)) - elbos(data, *answers(network, data))
    assert every.mean() > 4 * np.median(every), "the mean over all is many times what half of them have"
    assert math.log(2) - 1e-9 < approximation[42] < 0.72


@seeds
def test_the_join_on_random_tables(seed: int):
    generator = np.random.default_rng(seed)
    q, prior = generator.dirichlet(np.ones(9), 6), generator.dirichlet(np.ones(9))
    entropy = lambda p: -np.sum(p * np.log(p))  # noqa: E731
    information = math.log(6) + entropy(q.mean(0)) - entropy(q / 6)
    rate = np.mean([row @ np.log(row / prior) for row in q])
    assert rate == pytest.approx(information + q.mean(0) @ np.log(q.mean(0) / prior), abs=1e-12)
    assert 0 <= information <= math.log(6)
    assert rate >= information


@seeds
def test_rate_and_information_on_digits(seed: int):
    train = digits().train.double()
    centred = train - train.mean(dim=0)
    values, vectors = torch.linalg.eigh(torch.cov(train.T, correction=0))
    c = centred @ vectors[:, -8:] / values[-8:].sqrt()
    generator, n = torch.Generator().manual_seed(seed), len(train)
    assert n == 1438
    for sigma in (0.05, 0.15, 0.6):
        centres = math.sqrt(1 - sigma**2) * c
        kls = (centres.square() + sigma**2 - 1 - 2 * math.log(sigma)).sum(dim=1) / 2
        rate = kls.mean().item()
        assert rate == pytest.approx(-8 * math.log(sigma), abs=1e-9)
        z = centres + sigma * torch.randn(c.shape, generator=generator, dtype=torch.float64)
        log_q = -(torch.cdist(z, centres) ** 2) / (2 * sigma**2)
        information = math.log(n) + (log_q.diagonal() - log_q.logsumexp(1)).mean().item()
        assert information <= math.log(n) + 1e-9
        assert information <= rate
        if sigma == 0.05:
            assert information > math.log(n) - 0.01, "a name for each image"
            assert rate > 2 * information
        if sigma == 0.6:
            assert information > 0.8 * rate, "nearly the whole price is information"


def test_the_files_cost_more_than_the_rate_mostly_because_all_cells_get_equally_many_bits():
    train = digits().train.double()
    centred = train - train.mean(dim=0)
    values, vectors = torch.linalg.eigh(torch.cov(train.T, correction=0))
    values, vectors = values[-8:], vectors[:, -8:]
    c = centred @ vectors / values.sqrt()
    lost = centred.square().sum(dim=1).mean() - values.sum()
    low, high = code_range(c)
    for n_bits in (3, 4, 5):
        rounded = quantise(c, low, high, n_bits)
        error = (centred - rounded * values.sqrt() @ vectors.T).square().sum(dim=1).mean()
        rate = -4 * ((error - lost) / values.sum()).log2()  # of the sigma with the same error
        counts = [column.unique(return_counts=True)[1] / len(c) for column in rounded.T]
        entropy = sum(-(share * share.log2()).sum() for share in counts)
        assert rate < entropy < 8 * n_bits
        assert 8 * n_bits - entropy > 2 * (entropy - rate)
