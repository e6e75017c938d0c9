"""The convolutional VAE: a VAE in every respect, that sees neighbourhoods and needs fewer numbers."""

from __future__ import annotations

import pytest
import torch

from aelib.data import digits
from aelib.models import VAE, convolutional_vae
from aelib.objectives import elbo, gaussian_nll, importance_weighted_bound, neg_elbo
from aelib.training import fit, load, save

LIKELIHOODS = ("gaussian", "bernoulli", "continuous bernoulli")


@pytest.fixture(scope="module")
def data():
    return digits()


@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (4, 12)])
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_rows_in_and_rows_out(shape, likelihood):
    n_inputs = shape[0] * shape[1]
    model, x = convolutional_vae(shape, 3, likelihood=likelihood), torch.rand(5, n_inputs)
    mu, log_var = model.encode(x)
    assert mu.shape == log_var.shape == (5, 3)
    assert model(x).shape == model.decode(mu).shape == (5, n_inputs)
    assert model.log_likelihood(x.round(), mu).shape == (5,)
    assert model.draw_x(mu).shape == (5, n_inputs)
    assert (model.n_inputs, model.latent_dim) == (n_inputs, 3)


def test_many_codes_at_once_decode_as_one_by_one():
    model, z = convolutional_vae((8, 8), 3), torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    together = model.decode(z)
    assert together.shape == (2, 5, 64)
    for i in range(2):
        for j in range(5):
            torch.testing.assert_close(together[i, j], model.decode(z[i, j]), rtol=1e-4, atol=1e-6)


def test_the_decoder_ends_without_an_activation():
    """A Gaussian's mean may be negative, and a logit must."""
    x_hat = convolutional_vae((8, 8), 3).decode(
        torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    )
    assert (x_hat < 0).any()
    assert (x_hat > 0).any()


@pytest.mark.parametrize(("pixel", "places"), [(0, slice(0, 1)), (14, slice(2, 5)), (27, slice(6, 7))])
def test_it_sees_neighbourhoods(pixel, places):
    """Windows of 4 × 4, twice: a pixel moves at most 3 × 3 of the 7 × 7 places, and none far away."""
    torch.manual_seed(0)
    model, x = convolutional_vae((28, 28), 3, channels=(4, 8)), torch.rand(1, 28, 28)
    changed = x.clone()
    changed[0, pixel, pixel] += 5
    moved = (model.body(changed.flatten(1)) != model.body(x.flatten(1))).reshape(8, 7, 7).any(dim=0)
    near = torch.zeros(7, 7, dtype=torch.bool)
    near[places, places] = True
    assert moved.any()
    assert not moved[~near].any()


def test_a_shifted_picture_gives_shifted_features():
    """By four pixels, one step of the features, away from the edges."""
    model = convolutional_vae((28, 28), 3, channels=(4, 8))
    picture = torch.zeros(28, 28)
    picture[10:16, 9:17] = torch.rand(6, 8, generator=torch.Generator().manual_seed(0))
    before, after = (
        model.body(p.reshape(1, -1)).reshape(8, 7, 7) for p in (picture, picture.roll((4, 4), dims=(0, 1)))
    )
    torch.testing.assert_close(after[:, 2:6, 2:6], before[:, 1:5, 1:5])
    assert not torch.allclose(after, before)


def test_it_needs_fewer_numbers_than_the_fully_connected_one():
    sizes = [
        sum(weight.numel() for weight in model.parameters())
        for model in (convolutional_vae((28, 28), 20), VAE(784, 20, hidden=(400,)))
    ]
    assert 5 * sizes[0] < sizes[1]


def test_the_seed_fixes_the_weights_and_the_global_stream_is_left_alone():
    before = torch.get_rng_state()
    one, same, other = (convolutional_vae((8, 8), 3, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    for name, weight in one.named_parameters():
        assert torch.equal(weight, same.get_parameter(name))
    assert not torch.equal(one.to_mu.weight, other.to_mu.weight)


@pytest.mark.training
@pytest.mark.parametrize("seed", range(3))
def test_the_same_fit_trains_it(data, seed):
    """Better by far than a collapsed model, which gives the mean image whatever it sees and pays no KL."""
    model = convolutional_vae((8, 8), 8, noise_var=0.04, seed=seed)
    history = fit(model, data, epochs=12, seed=seed, loss=neg_elbo, lr=5e-3)
    collapsed = gaussian_nll(data.held_out, data.train.mean(dim=0).expand(len(data.held_out), -1), 0.04)
    assert history.held_out["loss"][-1] < collapsed.item() - 5
    assert history.held_out["kl"][-1] > 2


def test_its_bounds_are_in_order(data):
    model = convolutional_vae((8, 8), 4, noise_var=0.04)
    fit(model, data, epochs=2, seed=0, loss=neg_elbo, lr=5e-3)
    x, generator = data.held_out[:100], torch.Generator().manual_seed(0)
    assert (
        importance_weighted_bound(model, x, 20, generator).mean()
        > elbo(model, x, 20, generator).mean() + 0.05
    )


def test_it_is_saved_and_loaded(tmp_path):
    model, other = (convolutional_vae((8, 8), 3, seed=seed) for seed in (0, 1))
    save(model, tmp_path / "model.safetensors")
    load(tmp_path / "model.safetensors", other)
    x = torch.rand(4, 64)
    assert torch.equal(model.encode(x)[0], other.encode(x)[0])


REFUSALS = {
    "odd": (((7, 8), 3), {}, "divisible by 4"),
    "too often": (((8, 8), 3), {"channels": (4, 4, 4, 4)}, "divisible by 16"),
    "no layer": (((8, 8), 3), {"channels": ()}, "at least one"),
    "colours": (((3, 8, 8), 3), {}, "(height, width)"),
    "no code": (((8, 8), 0), {}, "at least 1"),
    "no channel": (((8, 8), 3), {"channels": (4, 0)}, "at least 1"),
    "noise": (((8, 8), 3), {"noise_var": 0.1, "likelihood": "bernoulli"}, "belongs to the Gaussian"),
}


@pytest.mark.parametrize(("arguments", "settings", "words"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refusals(arguments, settings, words):
    with pytest.raises(ValueError) as caught:
        convolutional_vae(*arguments, **settings)
    assert words in str(caught.value)
