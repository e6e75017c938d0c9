"""Models that are trained once are those that training gives, and any change trains anew."""

from __future__ import annotations

import copy

import pytest
import torch

import tests.kept
from aelib import training
from aelib.data import digits
from aelib.models import VAE, Autoencoder
from aelib.objectives import neg_elbo

SETTINGS = {"epochs": 2, "lr": 0.01, "progress": False}


@pytest.fixture
def trained(monkeypatch, tmp_path) -> list[str]:
    """A folder of its own; the list says each training that took place."""
    monkeypatch.setenv("AELIB_KEPT", str(tmp_path))
    calls = []

    def spied(name: str):
        train = getattr(training, name)
        return lambda *args, **settings: (calls.append(name), train(*args, **settings))

    for name in ("fit", "fit_many"):
        monkeypatch.setattr(tests.kept.training, name, spied(name))
    return calls


def vaes(**kind) -> list[VAE]:
    return [VAE(64, 2, hidden=(8,), seed=seed, **({"noise_var": 0.05} | kind)) for seed in range(2)]


def other_loss(model: VAE, x: torch.Tensor, beta: float = 1.0) -> dict[str, torch.Tensor]:
    return neg_elbo(model, x, beta)


def weights(models) -> list[torch.Tensor]:
    return [tensor for model in models for tensor in model.state_dict().values()]


def assert_same(models, others) -> None:
    for one, other in zip(weights(models), weights(others), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_what_is_kept_is_what_training_gives(trained):
    settings = SETTINGS | {"seeds": range(2), "betas": [1.0, 2.0], "loss": neg_elbo}
    plain, first, second = vaes(), vaes(), vaes()
    training.fit_many(plain, digits(), **settings)
    trained.clear()
    tests.kept.fit_many(first, digits(), **settings)
    tests.kept.fit_many(second, digits(), **settings)
    assert trained == ["fit_many"], "the second is read"
    assert_same(plain, first)
    assert_same(plain, second)


def test_so_is_one_model(trained):
    plain, first, second = (Autoencoder(64, 2, hidden=(8,)) for _ in range(3))
    training.fit(plain, digits(), seed=0, **SETTINGS)
    trained.clear()
    for model in (first, second):
        tests.kept.fit(model, digits(), seed=0, **SETTINGS)
        assert_same([plain], [model])
    assert trained == ["fit"]


def test_whatever_differs_is_trained_anew(trained, monkeypatch):
    rows = digits().train[:256]
    base = {"seeds": [0, 1], "loss": neg_elbo, **SETTINGS}
    moved = vaes()
    next(moved[1].parameters()).data[0, 0] += 1e-6
    asked = [
        (vaes(), rows, base),
        (vaes(), rows.flip(0), base),
        (vaes(), rows, base | {"epochs": 3}),
        (vaes(), rows, base | {"seeds": [0, 2]}),
        (vaes(), rows, base | {"betas": [1.0, 0.5]}),
        (vaes(), rows, base | {"loss": other_loss}),
        (vaes(likelihood="continuous bernoulli", noise_var=None), rows, base),
        (moved, rows, base),
    ]
    for models, data, settings in asked:
        tests.kept.fit_many(copy.deepcopy(models), data, **settings)
    assert len(trained) == len(asked)
    monkeypatch.setattr(tests.kept, "_ground", lambda: b"another version of aelib or torch")
    tests.kept.fit_many(vaes(), rows, **base)
    assert len(trained) == len(asked) + 1


def test_a_loss_that_carries_something_along_is_refused(trained):
    scale = 2.0
    with pytest.raises(ValueError, match=r"use aelib\.training"):
        tests.kept.fit_many(vaes(), digits(), seeds=[0, 1], loss=lambda model, x: scale, **SETTINGS)
    assert trained == []
