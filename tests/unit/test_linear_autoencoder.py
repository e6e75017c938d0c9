"""LinearAutoencoder: tied, untied and deep, with a mean that is taken off and put back."""

from __future__ import annotations

import pytest
import torch

from aelib.models import LinearAutoencoder

pytestmark = pytest.mark.processor

KINDS = [{"tied": True}, {}, {"hidden": (5,)}, {"hidden": (6, 4)}]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def rows(n: int = 11, n_inputs: int = 7) -> torch.Tensor:
    return torch.randn(n, n_inputs, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 2


@every_kind
def test_is_the_product_of_its_two_matrices(kind):
    x = rows()
    model = LinearAutoencoder(7, 3, mean=x.mean(dim=0), seed=1, **kind)
    assert model.weight.shape == (7, 3)
    assert model.encoder_weight.shape == (3, 7)
    by_hand = model.mean + (x - model.mean) @ (model.weight @ model.encoder_weight).T
    torch.testing.assert_close(model(x), by_hand)
    torch.testing.assert_close(model.decode(model.encode(x)), by_hand)
    torch.testing.assert_close(model(model.mean[None]), model.mean[None])


@every_kind
def test_gradients_reach_every_parameter(kind):
    model = LinearAutoencoder(7, 3, seed=1, **kind)
    model(rows().float()).square().sum().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in model.parameters())
    layers = 1 if kind.get("tied") else 2 * (1 + len(kind.get("hidden", ())))
    assert len(list(model.parameters())) == layers


def test_tied_encodes_with_the_transpose():
    model = LinearAutoencoder(7, 3, tied=True)
    torch.testing.assert_close(model.encoder_weight, model.weight.T)


def test_deep_layers_have_the_sizes_asked_for():
    model = LinearAutoencoder(7, 2, hidden=(6, 4))
    assert [tuple(matrix.shape) for matrix in model.encoder] == [(6, 7), (4, 6), (2, 4)]
    assert [tuple(matrix.shape) for matrix in model.decoder] == [(4, 2), (6, 4), (7, 6)]


@every_kind
def test_the_seed_fixes_the_weights_and_leaves_the_global_stream_alone(kind):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = (LinearAutoencoder(7, 3, seed=seed, **kind) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(one.weight, same.weight)
    assert not torch.equal(one.weight, other.weight)


def test_the_mean_sets_the_precision_is_saved_and_does_not_learn():
    model = LinearAutoencoder(7, 3, mean=torch.ones(7, dtype=torch.float64))
    assert model.weight.dtype == torch.float64
    assert "mean" in model.state_dict()
    assert all(name != "mean" for name, _ in model.named_parameters())


def test_bad_settings_are_told_in_a_sentence():
    with pytest.raises(ValueError, match="no hidden layers"):
        LinearAutoencoder(7, 3, tied=True, hidden=(5,))
    with pytest.raises(ValueError, match=r"shape \(7,\)"):
        LinearAutoencoder(7, 3, mean=torch.zeros(3))
