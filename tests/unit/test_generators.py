"""The two stages of a generator: scale factor, mixture, noise levels, and latent diffusion in one model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot

from aelib.data import digits, shapes
from aelib.denoising import Denoiser, chain, denoising_error
from aelib.generators import (
    Flow,
    LatentDiffusion,
    fit_mixture,
    latent_error,
    neg_log_density,
    noise_levels,
    scale_factor,
)
from aelib.models import VAE
from aelib.training import fit, fit_many
from aelib.widgets.generator_board import GeneratorBoard


def drawing(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def first_stage(seed: int = 0) -> VAE:
    return VAE(64, 3, hidden=(8,), noise_var=0.05, seed=seed)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_scaled_codes_have_mean_variance_one(dtype):
    z = torch.randn(50, 4, generator=drawing(), dtype=dtype) * torch.tensor([9.0, 1, 0.1, 3]).to(dtype) + 7
    s = scale_factor(z)
    assert s.dtype == dtype
    assert (s * z).var(dim=0, correction=0).mean().item() == pytest.approx(1, rel=1e-5)
    assert scale_factor(5.49 * z).item() == pytest.approx(s.item() / 5.49, rel=1e-5)


@pytest.mark.parametrize("bad", [torch.ones(3), torch.ones(1, 2), torch.full((3, 2), torch.nan)])
def test_codes_that_are_none_are_told(bad):
    for ask in (scale_factor, fit_mixture):
        with pytest.raises(ValueError, match="z should hold the finite codes of at least two images"):
            ask(bad)


def test_codes_that_are_all_alike_have_no_scale():
    with pytest.raises(ValueError, match="all codes are alike"):
        scale_factor(torch.ones(5, 2))


def test_a_mixture_finds_two_clumps():
    z = torch.randn(400, 2, generator=drawing()) * 0.1
    z[:100] += 3
    mixture = fit_mixture(z, 2)
    weights, places = mixture.weights_, mixture.means_[:, 0]
    np.testing.assert_allclose(np.sort(weights), [0.25, 0.75], atol=1e-3)
    np.testing.assert_allclose(np.sort(places), [0, 3], atol=0.05)


def bent_flow(K: int) -> Flow:
    """A flow far from where it starts."""
    flow = Flow(2 * torch.randn(60, K, generator=drawing()) + 1, hidden=(8,), n_couplings=3).double()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        for network in flow.couplings:
            nn.init.normal_(network[-1].weight, std=0.3)
    return flow


def test_a_flow_is_undone_and_its_log_determinant_is_that_of_its_derivative():
    flow, z = bent_flow(4), torch.randn(7, 4, generator=drawing(2)).double()
    noise, log_det = flow(z)
    torch.testing.assert_close(flow.inverse(noise), z)
    derivatives = torch.stack(
        [torch.autograd.functional.jacobian(lambda one: flow(one[None])[0][0], row) for row in z]
    )
    torch.testing.assert_close(log_det, torch.linalg.slogdet(derivatives).logabsdet)


def test_the_density_of_a_flow_integrates_to_one():
    axis = torch.linspace(-25, 27, 1041).double()
    with torch.no_grad():
        density = bent_flow(2).log_prob(torch.cartesian_prod(axis, axis)).exp()
    assert density.sum().item() * (axis[1] - axis[0]).item() ** 2 == pytest.approx(1, abs=2e-3)


def test_a_flow_learns_two_clumps_and_leaves_the_stream_of_random_numbers():
    z = 0.3 * torch.randn(600, 2, generator=drawing())
    z[:300] += 3
    before = torch.random.get_rng_state()
    flow = Flow(z)
    assert torch.equal(before, torch.random.get_rng_state())
    first = flow.log_prob(z).mean().item()
    fit(flow, z, epochs=30, lr=5e-3, seed=0, loss=neg_log_density, progress=False)
    with torch.no_grad():
        assert flow.log_prob(z).mean() > first + 0.5
        drawn = flow.inverse(torch.randn(500, 2, generator=drawing(3)))
    between = (drawn.mean(dim=1) - 1.5).abs() < 0.5
    assert between.float().mean() < 0.15


def test_a_flow_of_an_odd_code_is_told():
    with pytest.raises(ValueError, match="K should be even; got K = 3"):
        Flow(torch.eye(3))


@pytest.mark.parametrize(("z", "n"), [(torch.eye(3), 4), (torch.eye(2).repeat(9, 1), 3), (torch.eye(4), 0)])
def test_a_mixture_with_an_empty_component_is_told(z, n):
    with pytest.raises(ValueError, match=rf"a mixture of {n} Gaussians needs at least"):
        fit_mixture(z, n)


def test_noise_levels_fall_evenly_in_their_logarithm():
    levels = noise_levels((0.2, 3.0), 50)
    assert (len(levels), levels[0], levels[-1]) == (51, pytest.approx(3.0), 0)
    assert levels[-2] == pytest.approx(0.2)
    assert np.diff(np.log(levels[:-1])).std() < 1e-5
    with pytest.raises(ValueError, match="a chain needs at least two steps"):
        noise_levels((0.2, 3.0), 1)


def test_the_model_is_what_its_parts_are():
    """First stage, scale, chain and decoder, one after another; and the loss."""
    x, stage = digits().train[:40], first_stage()
    model = LatentDiffusion(stage, x, hidden=(8,))
    with torch.no_grad():
        z = stage.sample(*stage.encode(x), drawing())
    s = scale_factor(z)
    assert model.scale.item() == pytest.approx(s.item())
    by_hand = Denoiser(s * z, (8,), (0.2, 3.0))
    levels = noise_levels((0.2, 3.0), 7)
    with torch.no_grad():
        u = chain(by_hand, levels[0] * torch.randn(5, 3, generator=drawing(3)), levels)[-1]
        drawn = model.draw(5, drawing(3), n_steps=7)
    torch.testing.assert_close(drawn, stage.decode(u / s).detach())
    torch.manual_seed(1)
    found = latent_error(model, x)
    torch.manual_seed(1)
    torch.testing.assert_close(found, denoising_error(by_hand, s * stage.sample(*stage.encode(x))))


def test_the_first_stage_does_not_learn_and_labels_reach_the_denoiser_alone():
    x = digits().train[:64]
    labels = one_hot(digits().train_labels[:64], 10).float()
    stage = first_stage()
    models = [LatentDiffusion(stage, x, n_labels=10, hidden=(8,), seed=seed) for seed in range(2)]
    before = [weight.clone() for weight in stage.parameters()]
    rows = torch.cat([x, labels], dim=1)
    fit_many(models, rows, epochs=2, lr=1e-2, seeds=[0, 1], loss=latent_error, progress=False)
    for model in models:
        for was, now in zip(before, model.first_stage.parameters(), strict=True):
            torch.testing.assert_close(now.detach(), was)
    three, four = (models[0].draw(6, drawing(), one_hot(torch.full((6,), k), 10).float()) for k in (3, 4))
    assert not torch.allclose(three, four)


def test_a_denoiser_without_labels_is_as_before():
    x = torch.randn(9, 3, generator=drawing())
    plain, told = Denoiser(x, (8,)), Denoiser(x, (8,), n_labels=2)
    assert plain.network[0].in_features + 2 == told.network[0].in_features == 6


@pytest.mark.parametrize(("n_labels", "given"), [(0, (4, 10)), (10, None), (10, (3, 10)), (10, (4, 9))])
def test_labels_that_do_not_fit_are_told(n_labels, given):
    model = LatentDiffusion(first_stage(), digits().train[:20], n_labels=n_labels, hidden=(4,))
    labels = [] if given is None else [torch.zeros(given)]
    with pytest.raises(ValueError, match=f"was told {n_labels} labels"):
        model.draw(4, drawing(), *labels)


def test_what_the_board_cannot_show_is_told_in_a_sentence():
    data = digits()
    models = [LatentDiffusion(first_stage(), data.train, n_labels=n, hidden=(4,)) for n in (10, 10, 0)]
    cases = [
        (models[:2], [0.0, 1.0], "every beta should be positive, got 0"),
        (models[:2], [1.0], "one beta for each"),
        (models[1:], [0.1, 1.0], "should have been told 10 labels"),
    ]
    for some, betas, words in cases:
        with pytest.raises(ValueError, match=words):
            GeneratorBoard.from_models(data, some, betas, classifier=None)
    with pytest.raises(ValueError, match="needs labels of ten classes; shapes"):
        GeneratorBoard.from_models(shapes(50), models[:2], [0.1, 1.0], classifier=None)
