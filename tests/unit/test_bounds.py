"""ELBO ≤ importance-weighted bound ≤ log p(x) in expectation, on a model whose log p(x) is known exactly."""

from __future__ import annotations

import itertools

import pytest
import torch

from aelib import gaussian, objectives
from aelib.desiderata import active_latents
from aelib.models import VAE
from aelib.objectives import elbo, importance_weighted_bound, neg_elbo

pytestmark = pytest.mark.processor


@pytest.fixture
def model() -> VAE:
    """Linear, so that p(x) is Gaussian; its encoder is roughly the posterior, and wider."""
    vae = VAE(5, 2, hidden=(), noise_var=0.3, seed=1).double()
    W = vae.decoder[0].weight.data
    precision = torch.eye(2).double() + W.T @ W / 0.3
    vae.to_mu.weight.data = torch.linalg.solve(precision, W.T) / 0.3
    vae.to_mu.bias.data = -vae.to_mu.weight.data @ vae.decoder[0].bias.data + 0.2
    vae.to_log_var.weight.data.zero_()
    vae.to_log_var.bias.data = -precision.diagonal().log() + 0.5
    return vae


@pytest.fixture
def x(model) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return model.draw_x(model.sample_codes(40, generator).double(), generator).detach()


def exact(model: VAE, x: torch.Tensor) -> torch.Tensor:
    W, b = model.decoder[0].weight.detach(), model.decoder[0].bias.detach()
    return gaussian.log_prob(x, b, W @ W.T + 0.3 * torch.eye(5).double())


def repeated(bound, n_runs: int = 400) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean over the examples of the bound, over many runs: its mean and the standard error."""
    values = torch.stack([bound(torch.Generator().manual_seed(seed)).mean() for seed in range(n_runs)])
    return values.mean(), values.std() / n_runs**0.5


def test_the_chain_of_bounds_and_how_it_tightens(model, x):
    evidence = exact(model, x).mean()
    chain = [repeated(lambda g: elbo(model, x, 1, g))]
    chain += [repeated(lambda g, n=n: importance_weighted_bound(model, x, n, g)) for n in (1, 4, 16, 64)]
    (e, e_error), (first, first_error) = chain[:2]
    assert abs(e - first) < 4 * (e_error + first_error)  # one sample: the ELBO
    for (lower, low_error), (upper, high_error) in itertools.pairwise(chain[1:]):
        assert lower + 3 * (low_error + high_error) < upper
    assert evidence - 0.02 < chain[-1][0] < evidence + 3 * chain[-1][1]
    assert evidence - e > 0.1


def test_the_elbo_is_that_of_the_loss_and_of_the_closed_form(model, x):
    mean, error = repeated(lambda g: elbo(model, x, 8, g))
    losses = torch.stack([-neg_elbo(model, x)["loss"].detach() for _ in range(2000)])
    assert abs(losses.mean() - mean) < 4 * (error + losses.std() / 2000**0.5)
    mu, log_var = model.encode(x)
    W = model.decoder[0].weight
    missing = (
        0.5 / 0.3 * (W.square().sum(dim=0) * log_var.exp()).sum(dim=1)
    )  # the spread of z, through the decoder
    closed = model.log_likelihood(x, mu) - missing - gaussian.kl_to_standard_normal(mu, log_var)
    assert abs(closed.mean() - mean) < 4 * error


def test_the_exact_posterior_leaves_no_gap(model, x):
    """With a decoder whose columns are orthogonal the posterior is diagonal, and every weight is p(x)."""
    W = torch.zeros(5, 2).double()
    W[0, 0], W[3, 1] = 1.5, -0.7
    model.decoder[0].weight.data = W
    precision = 1 + W.square().sum(dim=0) / 0.3
    model.to_mu.weight.data = (W / 0.3 / precision).T
    model.to_mu.bias.data = -model.to_mu.weight.data @ model.decoder[0].bias.data
    model.to_log_var.bias.data = -precision.log()
    torch.testing.assert_close(importance_weighted_bound(model, x, 3), exact(model, x))


def test_chunks_change_nothing(model, x, monkeypatch):
    whole = importance_weighted_bound(model, x, 50, torch.Generator().manual_seed(0))
    monkeypatch.setattr(objectives, "NUMBERS_AT_ONCE", 3 * x.numel())
    parts = importance_weighted_bound(model, x, 50, torch.Generator().manual_seed(0))
    torch.testing.assert_close(parts, whole)


def test_no_samples_is_told_in_a_sentence(model, x):
    for bound in (elbo, importance_weighted_bound):
        with pytest.raises(ValueError, match="at least one sample"):
            bound(model, x, 0)


def test_a_latent_is_active_if_its_mean_moves(model, x):
    assert active_latents(model, x).tolist() == [True, True]
    model.to_mu.weight.data[1] = 0
    assert active_latents(model, x).tolist() == [True, False]


def test_the_aggregate_has_the_moments_of_all_clouds(model, x):
    mu, log_var = model.encode(x)
    z = model.sample_aggregate(x, 60_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(z.mean(0), mu.mean(0), atol=0.02, rtol=0)
    spread = mu.var(0, unbiased=False) + log_var.exp().mean(0)
    torch.testing.assert_close(z.var(0), spread, rtol=0.03, atol=0)
