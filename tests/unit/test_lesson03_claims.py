"""What lesson 03 says in words, over five seeds; definitions here are written anew."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import logsigmoid

from aelib import gaussian
from aelib.bijections import bin_edges, rotate, scramble
from aelib.data import digits
from aelib.desiderata import disentangled, robust

pytestmark = pytest.mark.training
seeds = pytest.mark.parametrize("seed", range(5))


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


@pytest.fixture(scope="module")
def cov() -> torch.Tensor:
    return torch.cov(digits().all.double().T, correction=0)


def information(joint: torch.Tensor) -> torch.Tensor:
    """H(rows) + H(columns) - H(both)."""
    entropy = lambda p: -torch.xlogy(p, p).sum()  # noqa: E731
    return entropy(joint.sum(1)) + entropy(joint.sum(0)) - entropy(joint)


@seeds
def test_the_identity_and_the_bound(seed: int):
    q, p = (2 * normal(seed, 7, 11)).softmax(1), normal(seed + 50, 7, 11).softmax(0)
    own = q / q.sum(0)
    assert information(q / 7).item() == pytest.approx(
        math.log(7) + (q * own.log()).sum().item() / 7, abs=1e-10
    )
    bound = math.log(7) + (q * p.log()).sum() / 7
    gap = (q.sum(0) / 7 * (own * (own / p).log()).sum(0)).sum()
    assert information(q / 7).item() == pytest.approx((bound + gap).item(), abs=1e-10)
    assert gap > 0


@seeds
def test_a_density_exceeds_log_n_and_probabilities_do_not(seed: int):
    x = torch.tensor([-2.2, -1.1, -0.6, 0.3, 1.0, 2.4], dtype=torch.float64)
    z = x + 0.01 * normal(seed, 10_000, 6)
    log_density = -((x[:, None, None] - z) ** 2) / (2 * 0.02**2) - math.log(0.02 * math.sqrt(2 * math.pi))
    right = log_density[range(6), :, range(6)]
    assert right.mean() > 1, "so log n plus the mean exceeds log n"
    assert log_density.log_softmax(0)[range(6), :, range(6)].mean() <= 0


@seeds
def test_the_gap_closes_only_if_the_family_allows(seed: int):
    mu = torch.tensor([-2.2, -1.1, -0.6, 0.3, 1.0, 2.4], dtype=torch.float64)
    grid = torch.linspace(-6, 6, 601, dtype=torch.float64)
    line = torch.exp(-((grid - mu[:, None]) ** 2) / 0.32)
    line /= line.sum(1, keepdim=True)
    exact = math.log(6) + torch.xlogy(line, line / line.sum(0)).sum() / 6
    for bias, low, high in ((True, 0, 0.02), (False, 0.4, 0.7)):
        torch.manual_seed(seed)
        layer = torch.nn.Linear(1, 6, bias=bias, dtype=torch.float64)
        optimiser = torch.optim.Adam(layer.parameters(), lr=0.3)
        for _ in range(400):
            bound = math.log(6) + (line * layer(grid[:, None]).log_softmax(1).T).sum() / 6
            optimiser.zero_grad()
            (-bound).backward()
            optimiser.step()
        assert low < (exact - bound).item() < high


@seeds
def test_injective_codes_attain_the_ceiling(seed: int):
    x = digits().all.double()
    for z in (x, x @ normal(seed, 64, 1)):
        assert len(torch.unique(z, dim=0)) == len(x) == 1797


def test_a_quantiser_gains_a_bit_a_bit():
    def bits(b: int) -> float:
        p = torch.special.ndtr(torch.arange(-8 * 2**b, 8 * 2**b + 1, dtype=torch.float64) / 2**b / 0.7).diff()
        return -torch.xlogy(p, p).sum().item() / math.log(2)

    for b in range(4, 12):
        assert bits(b + 1) - bits(b) == pytest.approx(1, abs=0.01)


@seeds
def test_gaussian_channel_against_entropies(seed: int):
    root, weight = normal(seed, 4, 4), normal(seed + 9, 4, 2)
    cov, noise_var = root @ root.T, 0.3
    by_hand = 0.5 * torch.logdet(torch.eye(2, dtype=torch.float64) + weight.T @ cov @ weight / noise_var)
    assert gaussian.channel_information(weight, cov, noise_var).item() == pytest.approx(
        by_hand.item(), abs=1e-10
    )
    cov_z = weight.T @ cov @ weight + noise_var * torch.eye(2, dtype=torch.float64)
    both = torch.cat([torch.cat([cov, cov @ weight], 1), torch.cat([weight.T @ cov, cov_z], 1)])
    assert gaussian.mutual_information(both, 4).item() == pytest.approx(by_hand.item(), abs=1e-10)


@seeds
def test_principal_components_win_with_orthonormal_columns(cov: torch.Tensor, seed: int):
    top = torch.linalg.eigh(cov).eigenvectors[:, -8:]
    best = gaussian.channel_information(top, cov, 0.1)
    for draw in range(40):
        weight = torch.linalg.qr(normal(100 * seed + draw, 64, 8)).Q
        assert gaussian.channel_information(weight, cov, 0.1) < 0.6 * best
    turned = top @ torch.linalg.qr(normal(seed, 8, 8)).Q
    assert gaussian.channel_information(turned, cov, 0.1).item() == pytest.approx(best.item(), abs=1e-10)


@seeds
def test_scale_is_unbounded_and_power_makes_a_tie(cov: torch.Tensor, seed: int):
    weight = torch.linalg.qr(normal(seed, 64, 8)).Q
    told = [gaussian.channel_information(scale * weight, cov, 0.1).item() for scale in (100, 1000, 10_000)]
    assert told[1] - told[0] == pytest.approx(8 * math.log(10), rel=0.01)
    assert told[2] - told[1] == pytest.approx(8 * math.log(10), rel=0.001)
    values, vectors = torch.linalg.eigh(weight.T @ cov @ weight)
    whitened = weight @ (vectors / values.sqrt()) / math.sqrt(8)
    assert torch.trace(whitened.T @ cov @ whitened).item() == pytest.approx(1, abs=1e-10)
    tie = 4 * math.log(1 + 1 / 0.8)
    assert gaussian.channel_information(whitened, cov, 0.1).item() == pytest.approx(tie, abs=1e-10)
    uneven = whitened * torch.tensor(
        [1.2, 1, 1, 1, 1, 1, 1, 0.56**0.5], dtype=torch.float64
    )  # the same power
    assert gaussian.channel_information(uneven, cov, 0.1).item() < tie - 1e-3


@seeds
def test_each_bijection_ruins_one_wish(seed: int):
    factors = torch.rand(3000, 2, generator=generator(seed))
    edges = bin_edges(factors)
    assert disentangled(factors, factors) > 0.95
    assert robust(torch.clone, factors, seed=seed) > 0.99
    assert disentangled(rotate(factors, 45), factors) < 0.05
    assert robust(lambda z: rotate(z, 45), factors, seed=seed) > 0.99
    assert disentangled(scramble(factors, edges), factors) > 0.95
    assert robust(lambda z: scramble(z, edges), factors, seed=seed) < 0.15


@seeds
def test_infomax_without_noise_separates_spiky_sources(seed: int):
    noise = torch.rand(2, 2000, generator=generator(seed)) - 0.5
    sources = -noise.sign() * torch.log1p(-2 * noise.abs())
    mixed = torch.tensor([[1.0, 0.6], [0.5, 1.0]]) @ sources
    weight = torch.eye(2).requires_grad_()
    optimiser = torch.optim.Adam([weight], lr=0.05)
    for _ in range(300):
        u = weight @ mixed
        entropy = torch.linalg.slogdet(weight).logabsdet + (logsigmoid(u) + logsigmoid(-u)).sum(0).mean()
        optimiser.zero_grad()
        (-entropy).backward()
        optimiser.step()
    match = torch.corrcoef(torch.cat([sources, (weight @ mixed).detach()]))[:2, 2:].abs()
    assert match.max(dim=1).values.min() > 0.98
    assert match.min(dim=1).values.max() < 0.12
    assert torch.corrcoef(torch.cat([sources, mixed]))[:2, 2:].abs().min() > 0.3


@seeds
def test_no_processing_of_the_code_adds_information(seed: int):
    """What is lost by merging symbols is the information among the merged ones."""
    joint = (2 * normal(seed, 6, 9)).softmax(1) / 6
    groups = joint.reshape(6, 3, 3)
    kept, within = information(groups.sum(2)), 0
    for k in range(3):
        share = groups[:, k].sum()
        within += share * information(groups[:, k] / share)
    assert information(joint).item() == pytest.approx((kept + within).item(), abs=1e-12)
    assert within > 0.01


@seeds
def test_random_directions_times_ten_beat_principal_ones(cov: torch.Tensor, seed: int):
    top = torch.linalg.eigh(cov).eigenvectors[:, -8:]
    weight = torch.linalg.qr(normal(seed, 64, 8)).Q
    loud, quiet = (
        gaussian.channel_information(10 * weight, cov, 0.1),
        gaussian.channel_information(top, cov, 0.1),
    )
    assert loud > 2 * quiet
    assert gaussian.channel_information(10 * top, cov, 0.1) > loud


@seeds
def test_a_bound_by_naming_the_example_in_a_batch_stays_below_log_n(seed: int):
    """InfoNCE on a channel that tells more than log n: log n minus the loss is below both."""
    n, noise_sd = 8, 0.01
    x = normal(seed, 4000, n)
    z = x + noise_sd * normal(seed + 9, 4000, n)
    scores = -((x[:, :, None] - z[:, None, :]) ** 2) / (2 * noise_sd**2)  # batch, example, code
    loss = -scores.log_softmax(1).diagonal(dim1=1, dim2=2).mean()
    bound = math.log(n) - loss
    assert 0.8 * math.log(n) < bound <= math.log(n) < 0.5 * math.log(1 + 1 / noise_sd**2)
