"""Training happens where the model lies. With a second device at hand, both must agree."""

from __future__ import annotations

import pytest
import torch

from aelib.data import digits
from aelib.models import VAE, Autoencoder, convolutional_vae
from aelib.objectives import neg_elbo
from aelib.training import best_device, fit, fit_many, load, save

SECOND = best_device()
second_device = pytest.mark.skipif(SECOND.type == "cpu", reason="no second device here: neither CUDA nor MPS")
TOLERANCE = 2e-3
"""Relative difference of a loss after three epochs: sums are taken in another order, and training amplifies it."""


@pytest.fixture(scope="module")
def data():
    return digits()


def without_noise(model, x):
    """The loss of a VAE at the centre of each cloud: the same on any device."""
    mu, log_var = model.encode(x)
    return -model.log_likelihood(x, mu).mean() + (mu.square() + log_var.exp() - log_var).sum(-1).mean()


def test_the_best_device_works():
    assert torch.ones(3, device=SECOND).sum().item() == 3


def test_cuda_comes_before_mps_and_mps_before_the_cpu(monkeypatch):
    has = {"cuda": False, "mps": False}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has["cuda"])
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: has["mps"])
    for name, expected in ((None, "cpu"), ("mps", "mps"), ("cuda", "cuda")):
        has |= {name: True}
        assert best_device().type == expected


def test_many_models_train_on_the_cpu_only():
    with pytest.raises(ValueError, match="must lie on the CPU: use fit"):
        fit_many(
            [Autoencoder(64, 2), Autoencoder(64, 2).to("meta")], torch.rand(9, 64), epochs=1, seeds=[0, 0]
        )


MODELS = {
    "autoencoder": (lambda: Autoencoder(64, 4), {}),
    "VAE": (lambda: VAE(64, 4), {"loss": without_noise}),
    "convolutional": (lambda: convolutional_vae((8, 8), 4), {"loss": without_noise}),
}


@second_device
@pytest.mark.parametrize(("make", "settings"), MODELS.values(), ids=MODELS.keys())
@pytest.mark.parametrize("rows", ["dataset", "tensor"])
def test_both_devices_give_the_same_curve(data, make, settings, rows):
    source = data if rows == "dataset" else data.train
    here, there = make(), make().to(SECOND)
    expected = fit(here, source, epochs=3, seed=0, **settings)
    history = fit(there, source, epochs=3, seed=0, **settings)
    assert next(there.parameters()).device.type == SECOND.type
    assert history.train["loss"] == pytest.approx(expected.train["loss"], rel=TOLERANCE)
    if rows == "dataset":
        assert history.held_out["loss"] == pytest.approx(expected.held_out["loss"], rel=TOLERANCE)


@second_device
def test_weights_travel_between_devices(tmp_path):
    there, here = VAE(64, 4, seed=0).to(SECOND), VAE(64, 4, seed=1)
    save(there, tmp_path / "model.safetensors")
    load(tmp_path / "model.safetensors", here)
    x = torch.rand(5, 64)
    torch.testing.assert_close(there.encode(x.to(SECOND))[0].cpu(), here.encode(x)[0], rtol=1e-3, atol=1e-4)
    load(tmp_path / "model.safetensors", there)
    assert next(there.parameters()).device.type == SECOND.type


@second_device
def test_a_run_goes_on_there_too(data, tmp_path):
    """On CUDA its noise goes on as well; MPS starts its noise anew, so only the rows' order is the same."""
    settings = {"seed": 0, "loss": neg_elbo if SECOND.type == "cuda" else without_noise}
    whole = fit(VAE(64, 4).to(SECOND), data, epochs=4, **settings)
    for epochs in (2, 4):
        pieces = fit(VAE(64, 4).to(SECOND), data, epochs=epochs, checkpoint=tmp_path / "run", **settings)
    assert pieces.train["loss"] == pytest.approx(whole.train["loss"], rel=TOLERANCE)


@pytest.mark.skipif(SECOND.type != "cuda", reason="only CUDA has a second global stream that torch can fork")
def test_the_streams_of_both_devices_are_left_alone(data):
    before = torch.cuda.get_rng_state()
    fit(VAE(64, 4).to(SECOND), data, epochs=1, seed=0, loss=neg_elbo)
    assert torch.equal(torch.cuda.get_rng_state(), before)
