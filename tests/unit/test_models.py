"""Autoencoder and its loss."""

import pytest
import torch

from aelib.models import Autoencoder, FixedCode, pca
from aelib.objectives import reconstruction_error, squared_error
from aelib.training import fit, fit_many


def test_shapes():
    model = Autoencoder(64, 3, hidden=(32, 16))
    x = torch.rand(5, 64)
    assert model.encode(x).shape == (5, 3)
    assert model(x).shape == (5, 64)
    assert [layer.out_features for layer in model.decoder if hasattr(layer, "out_features")] == [16, 32, 64]


def test_without_hidden_layers_it_is_linear():
    model = Autoencoder(6, 2, hidden=()).requires_grad_(False)
    x, y = torch.randn(2, 4, 6)
    assert torch.allclose(model(x) + model(y), model(x + y) + model(torch.zeros(6)), atol=1e-6)


def test_seed_fixes_the_weights_and_leaves_the_global_stream_alone():
    before = torch.get_rng_state()
    same = [Autoencoder(8, 2, seed=4).encoder[0].weight for _ in range(2)]
    assert torch.equal(*same)
    assert not torch.equal(same[0], Autoencoder(8, 2, seed=5).encoder[0].weight)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("sizes", [(64, 0), (64, -1), (0, 3), (64, 2.5)])
def test_impossible_sizes_get_a_sentence(sizes):
    with pytest.raises(ValueError, match="at least 1"):
        Autoencoder(*sizes)


def test_squared_error_sums_dimensions_and_averages_the_batch():
    x, x_hat = torch.rand(2, 7, 5, dtype=torch.float64)
    by_hand = sum((x[i, d] - x_hat[i, d]) ** 2 for i in range(7) for d in range(5)) / 7
    assert squared_error(x, x_hat) == pytest.approx(by_hand.item(), abs=1e-12)


def test_squared_error_refuses_to_stretch():
    with pytest.raises(ValueError, match="must be equal"):
        squared_error(torch.rand(7, 5), torch.rand(5))


def test_reconstruction_error_has_a_gradient_everywhere():
    model = Autoencoder(4, 2)
    reconstruction_error(model, torch.rand(6, 4)).backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_a_fixed_code_keeps_its_projection_and_learns_the_decoder_of_an_autoencoder():
    x = torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
    code = pca(x, 2)
    model, single = (FixedCode(code, hidden=(9,), seed=3) for _ in range(2))
    assert torch.equal(model.decoder[0].weight, Autoencoder(6, 2, hidden=(9,), seed=3).decoder[0].weight)
    fit_many([model], x, epochs=3, seeds=[0], lr=0.01, progress=False)
    fit(single, x, epochs=3, seed=0, lr=0.01, progress=False)
    for trained in (model, single):
        assert torch.equal(trained.encode(x), code.encode(x))
        assert reconstruction_error(trained, x) < reconstruction_error(FixedCode(code, (9,), seed=3), x)
    assert torch.allclose(model(x), single(x), atol=1e-4)
