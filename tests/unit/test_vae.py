"""The VAE class and its likelihoods: densities that integrate to one, the KL, the gradient, and many at once."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from aelib.data import digits
from aelib.models import VAE
from aelib.objectives import bernoulli_nll, gaussian_nll, neg_elbo
from aelib.training import fit, fit_many


def some(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_gaussian_likelihood_integrates_to_one():
    x_hat = torch.tensor([[0.3]], dtype=torch.float64)
    density = lambda x: math.exp(-gaussian_nll(torch.tensor([[x]], dtype=torch.float64), x_hat, 0.04))  # noqa: E731
    assert quad(density, -2, 3)[0] == pytest.approx(1, abs=1e-7)


def test_the_bernoulli_likelihood_sums_to_one():
    logits = 2 * some(1, 6)
    every_x = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6)), dtype=torch.float64)
    total = sum(math.exp(-bernoulli_nll(x[None], logits)) for x in every_x)
    assert total == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("noise_var", [1e-4, 0.05, 3.0])
def test_likelihoods_are_those_of_torch(noise_var):
    x, x_hat = some(7, 5), some(7, 5, seed=1)
    normal = Independent(Normal(x_hat, noise_var**0.5), 1)
    torch.testing.assert_close(gaussian_nll(x, x_hat, noise_var), -normal.log_prob(x).mean())
    binary = (x > 0).double()
    torch.testing.assert_close(
        bernoulli_nll(binary, x_hat), -Independent(Bernoulli(logits=x_hat), 1).log_prob(binary).mean()
    )


def test_a_density_above_one_gives_a_negative_number():
    x = torch.zeros(3, 2)
    assert gaussian_nll(x, x, 0.01) < 0


def test_shapes_that_differ_are_refused():
    for nll in (lambda: gaussian_nll(torch.zeros(3, 2), torch.zeros(1, 2), 1.0), lambda: bernoulli_nll(torch.zeros(3, 2), torch.zeros(3))):  # fmt: skip
        with pytest.raises(ValueError, match="must be equal"):
            nll()


@pytest.mark.parametrize("hidden", [(), (9,), (9, 7)])
def test_shapes_and_layers(hidden):
    model, x = VAE(6, 3, hidden=hidden), torch.rand(4, 6)
    mu, log_var = model.encode(x)
    assert mu.shape == log_var.shape == model.sample(mu, log_var).shape == (4, 3)
    assert model.decode(mu).shape == model(x).shape == (4, 6)
    assert model.noise_var.shape == ()
    assert model.sample_codes(5, torch.Generator().manual_seed(0)).shape == (5, 3)


def test_the_noise_of_the_decoder_is_learned_or_fixed():
    assert VAE(6, 3).noise_var == 1
    assert VAE(6, 3, noise_var=0.05).noise_var == pytest.approx(0.05)
    count = lambda model: len(list(model.parameters()))  # noqa: E731
    assert count(VAE(6, 3)) == count(VAE(6, 3, noise_var=0.05)) + 1


@pytest.mark.parametrize(("arguments", "words"), [((6, 0), "at least 1"), ((6, 2, (8,), -1.0), "positive")])
def test_bad_settings_are_told_in_a_sentence(arguments, words):
    with pytest.raises(ValueError, match=words):
        VAE(*arguments)


def test_the_seed_decides_and_the_global_stream_stays():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second, other = VAE(6, 2, seed=1), VAE(6, 2, seed=1), VAE(6, 2, seed=2)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(first.to_mu.weight, second.to_mu.weight)
    assert not torch.equal(first.to_mu.weight, other.to_mu.weight)


def test_samples_have_the_mean_and_variance_of_q():
    mu, log_var = torch.tensor([[1.5, -2.0]]), torch.tensor([[-2.0, 1.0]])
    z = VAE(6, 2).sample(mu.expand(200_000, 2), log_var.expand(200_000, 2), torch.Generator().manual_seed(0))
    torch.testing.assert_close(z.mean(dim=0), mu[0], atol=0.02, rtol=0)
    torch.testing.assert_close(z.var(dim=0), log_var[0].exp(), atol=0, rtol=0.02)


def test_the_loss_is_its_parts_and_the_kl_that_of_torch():
    model, x = VAE(6, 3).double(), some(8, 6)
    parts = neg_elbo(model, x, beta=2.5)
    torch.testing.assert_close(parts["loss"], parts["reconstruction"] + 2.5 * parts["kl"])
    mu, log_var = model.encode(x)
    kl = kl_divergence(Normal(mu, (log_var / 2).exp()), Normal(0.0, 1.0)).sum(dim=1).mean()
    torch.testing.assert_close(parts["kl"], kl)


def test_the_gradient_is_that_of_finite_differences():
    model, x = VAE(4, 2, hidden=(5,)).double(), some(6, 4)

    def loss() -> torch.Tensor:
        torch.manual_seed(3)
        return neg_elbo(model, x)["loss"]

    with torch.random.fork_rng(devices=[]):
        loss().backward()
        for weight in model.parameters():
            flat = weight.data.view(-1)
            before = flat[0].item()
            sides = []
            for step in (1e-5, -1e-5):
                flat[0] = before + step
                sides.append(loss().item())
            flat[0] = before
            assert weight.grad.view(-1)[0].item() == pytest.approx(
                (sides[0] - sides[1]) / 2e-5, rel=1e-5, abs=1e-7
            )


def test_many_at_once_and_alone_learn_alike():
    data = digits()
    many = [VAE(64, latent_dim, hidden=(16,), seed=0) for latent_dim in (2, 4)]
    one = VAE(64, 4, hidden=(16,), seed=0)
    settings = {"epochs": 4, "lr": 0.01, "loss": neg_elbo, "progress": False}
    histories = fit_many(many, data, seeds=[0, 0], betas=[1.0, 1.0], **settings)
    alone = fit(one, data, seed=0, **settings)
    assert histories[1].held_out["loss"][-1] == pytest.approx(alone.held_out["loss"][-1], rel=0.1)
    assert np.all(np.diff(histories[0].train["loss"]) < 0)
    assert many[1].noise_var < 1
