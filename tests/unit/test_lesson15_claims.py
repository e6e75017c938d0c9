"""What lesson 15 says in words, over five seeds."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.ensemble import ExtraTreesClassifier
from torch import Tensor
from torch.distributions import Normal
from torch.func import jacrev, vmap
from torch.nn.functional import one_hot

from aelib import gaussian
from aelib.bits import code_range, quantise
from aelib.data import digits
from aelib.denoising import Denoiser, chain
from aelib.desiderata import Standard
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
from aelib.objectives import elbo, neg_elbo
from tests.kept import fit, fit_many

pytestmark = pytest.mark.training
SEEDS = range(5)
BETAS = (1e-6, 1e-2, 0.1, 1.0, 4.0)
NOISE_VAR = 0.05
LARGE = 5.49
every_seed = pytest.mark.parametrize("seed", SEEDS)


@cache
def data() -> tuple[Tensor, Tensor]:
    return digits().train, digits().held_out


@cache
def stages() -> dict[tuple[int, float], VAE]:
    """As the lesson trains them, for each seed and five of its nine β."""
    keys = [(seed, beta) for seed in SEEDS for beta in BETAS]
    models = [VAE(64, 8, hidden=(64,), noise_var=NOISE_VAR, seed=seed) for seed, _ in keys]
    settings = {"seeds": [seed for seed, _ in keys], "betas": [beta for _, beta in keys], "progress": False}
    for epochs, lr in ((50, 1e-2), (20, 2e-3)):
        fit_many(models, data()[0], epochs=epochs, lr=lr, loss=neg_elbo, **settings)
    return dict(zip(keys, models, strict=True))


def second_stages(
    n_labels: int,
    *,
    epochs: tuple[int, ...],
    batch_size: int = 128,
    size: float = 1.0,
    sigmas: tuple[float, float] = (0.2, 3.0),
) -> list[LatentDiffusion]:
    """One for each seed, on the codes of β = 1e-6; with `size`, the codes are so many times too large for it."""
    train, labels = data()[0], one_hot(digits().train_labels, 10).float()
    models = [
        LatentDiffusion(stages()[seed, 1e-6], train, n_labels, sigmas=sigmas, seed=seed) for seed in SEEDS
    ]
    for seed, model in enumerate(models):
        if size != 1:
            model.scale *= size
            codes = model.encode(train)
            model.denoiser = Denoiser(codes, (64, 64, 64), model.sigmas, seed=seed, n_labels=n_labels)
    rows = torch.cat([train, labels], dim=1) if n_labels else train
    settings = {"batch_size": batch_size, "seeds": SEEDS, "loss": latent_error, "progress": False}
    for count, lr in zip(epochs, (5e-3, 5e-4), strict=False):
        fit_many(models, rows, epochs=count, lr=lr, **settings)
    return [model.eval() for model in models]


@cache
def plain() -> list[LatentDiffusion]:
    return second_stages(0, epochs=(60, 30))


@cache
def asking() -> list[LatentDiffusion]:
    return second_stages(10, epochs=(40, 20))


@cache
def trees() -> ExtraTreesClassifier:
    data = digits()
    return ExtraTreesClassifier(100, random_state=0).fit(data.train.numpy(), data.train_labels.numpy())


def drawing(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(100 + seed)


@torch.no_grad()
def codes(stage: VAE, x: Tensor, seed: int = 0) -> Tensor:
    return stage.sample(*stage.encode(x), drawing(seed))


@torch.no_grad()
def errors(stage: VAE, x: Tensor) -> tuple[float, float]:
    """Per pixel, from drawn codes and from their means."""
    both = codes(stage, x), stage.encode(x)[0]
    return tuple((x - stage.decode(z)).square().mean().item() for z in both)


@cache
def standard() -> Standard:
    return Standard(*data())


def judged(x: Tensor) -> tuple[float, float, float]:
    """closeness, coverage, confidence"""
    gauge = standard().judge(x)
    confidence = trees().predict_proba(x.numpy()).max(axis=1).mean()
    return gauge.closeness, gauge.relative_coverage, confidence


@cache
def judgements(seed: int) -> dict[str, tuple[float, float, float]]:
    return {name: judged(x.detach()) for name, x in drawings(seed).items()}


@cache
def drawings(seed: int) -> dict[str, Tensor]:
    stage, generator = stages()[seed, 1e-6], drawing(seed)
    z, noise = codes(stage, data()[0], seed), torch.randn(359, 8, generator=generator)
    root = torch.linalg.cholesky(torch.cov(z.T, correction=0))
    return {
        "prior": stage.decode(noise),
        "gaussian": stage.decode(z.mean(dim=0) + noise @ root.T),
        "mixture": stage.decode(torch.from_numpy(fit_mixture(z).sample(359)[0]).float()),
        "diffusion": plain()[seed].draw(359, generator),
        "β = 1": stages()[seed, 1.0].decode(noise),
    }


def best_sigma(stage: VAE, beta: float, x: Tensor | None = None) -> Tensor:
    x = data()[1] if x is None else x
    slopes = vmap(jacrev(stage.decode))(stage.encode(x)[0].detach()).square().sum(dim=1)
    return (beta * NOISE_VAR / (slopes + beta * NOISE_VAR)).sqrt()


@pytest.mark.processor
@every_seed
def test_with_a_small_beta_the_noise_changes_no_copy_and_with_a_larger_one_it_costs(seed):
    for beta in BETAS:
        drawn, mean = errors(stages()[seed, beta], data()[1])
        if beta < 0.1:
            assert drawn == pytest.approx(mean, abs=1e-4)
        else:
            assert drawn > mean + 3e-4


@pytest.mark.processor
@every_seed
def test_the_slope_of_the_decoder_predicts_sigma(seed):
    for beta in BETAS[1:]:
        trained = stages()[seed, beta].encode(data()[1])[1].mul(0.5).exp().mean().item()
        assert trained == pytest.approx(best_sigma(stages()[seed, beta], beta).mean().item(), rel=0.1)


@every_seed
def test_a_single_sigma_is_farther_off_than_their_mean(seed):
    stage = stages()[seed, 0.1]
    ratio = stage.encode(data()[1])[1].mul(0.5).exp().detach() / best_sigma(stage, 0.1)
    low, high = ratio.flatten().quantile(torch.tensor([0.05, 0.95])).tolist()
    assert 0.5 < low < 0.85
    assert 1.2 < high < 1.8
    assert ((ratio - 1).abs() < 0.1).float().mean() < 0.5


@pytest.mark.processor
@every_seed
def test_at_the_smallest_beta_sigma_is_no_noise_to_speak_of_and_training_has_not_arrived(seed):
    stage = stages()[seed, 1e-6]
    trained, best = stage.encode(data()[1])[1].mul(0.5).exp().detach(), best_sigma(stage, 1e-6)
    assert 1.4e-4 < best.mean() < 3.5e-4
    assert 2 * best.mean() < trained.mean() < codes(stage, data()[0]).std() / 100
    ratio = (trained / best) ** 2
    assert 0 < 0.5e-6 * (ratio - 1 - ratio.log()).sum(dim=1).mean() < 1e-3


@every_seed
def test_the_rate_more_than_doubles_and_the_error_stays(seed):
    held_out = data()[1]
    bits = {
        beta: gaussian.kl_to_standard_normal(*stages()[seed, beta].encode(held_out)).mean().item()
        / math.log(2)
        for beta in BETAS
    }
    assert 60 < bits[1e-6] < 95
    assert bits[1e-6] > 2 * bits[0.1]
    for beta in (1e-2, 0.1):
        assert errors(stages()[seed, beta], held_out)[0] == pytest.approx(
            errors(stages()[seed, 1e-6], held_out)[0], rel=0.1
        )
    assert bits[4.0] < 8


@every_seed
def test_five_bits_a_number_make_nearly_the_same_copies(seed):
    (train, held_out), stage = data(), stages()[seed, 1e-6]
    with torch.no_grad():
        low, high = code_range(stage.encode(train)[0])
        copies = stage.decode(quantise(stage.encode(held_out)[0], low, high, 5))
    assert (held_out - copies).square().mean().item() < 1.08 * errors(stage, held_out)[1]


def test_the_list_lies_below_the_first_stage_with_as_many_bits():
    train, held_out = data()
    centres = KMeans(16, n_init=1, random_state=0).fit(train.numpy()).cluster_centers_
    of_list = torch.cdist(held_out, torch.from_numpy(centres)).amin(dim=1).square().mean().item() / 64
    assert all(of_list < errors(stages()[seed, 4.0], held_out)[0] for seed in SEEDS)


@every_seed
def test_nothing_holds_the_scale_but_the_kl(seed):
    train, held_out = data()
    for beta in (1.0, 4.0):
        assert scale_factor(codes(stages()[seed, beta], train)) == pytest.approx(1, abs=0.03)
    assert abs(scale_factor(codes(stages()[seed, 1e-6], train)) - 1) > 0.05
    mu, log_var = stages()[seed, 1e-6].encode(held_out)
    kl = [
        gaussian.kl_to_standard_normal(a * mu, log_var + 2 * math.log(a)).mean().item()
        for a in (1, LARGE, 1000)
    ]
    assert 100 < kl[1] - kl[0] < 220
    assert 2 < 1e-6 * (kl[2] - kl[0]) < 20


@pytest.mark.processor
@every_seed
def test_the_prior_draws_no_digits_and_one_gaussian_is_the_wrong_distribution(seed):
    found = judgements(seed)
    assert found["prior"][0] < 0.5
    assert found["prior"][1] < 0.15
    assert found["prior"][2] < 0.36
    for gauge in range(3):
        assert found["prior"][gauge] + 0.08 < found["gaussian"][gauge] < found["mixture"][gauge] - 0.15


@pytest.mark.processor
@every_seed
def test_mixture_and_diffusion_draw_better_than_the_prior_of_beta_one(seed):
    found = judgements(seed)
    assert found["mixture"][0] > 0.95
    assert found["mixture"][1] > 0.95
    assert found["mixture"][2] > 0.66
    assert found["diffusion"][0] > 0.9
    assert found["diffusion"][1] > 0.9
    assert found["gaussian"][2] + 0.08 < found["diffusion"][2] < found["mixture"][2]
    for one in ("mixture", "diffusion"):
        assert all(better > worse for better, worse in zip(found[one], found["β = 1"], strict=True))


def smallest(each: Tensor, others: Tensor) -> Tensor:
    return torch.cdist(each, others, compute_mode="donot_use_mm_for_euclid_dist").amin(dim=1)


@pytest.mark.processor
@every_seed
@torch.no_grad()
def test_drawn_codes_are_as_far_from_the_training_codes_as_new_ones_and_copies_lie_on_them(seed):
    stage, (train, held_out) = stages()[seed, 1e-6], data()
    z, generator = codes(stage, train, seed), drawing(seed)
    model, levels = plain()[seed], noise_levels((0.2, 3.0), 50)
    noise = torch.randn(359, 8, generator=generator)
    drawn = {
        "mixture": torch.from_numpy(fit_mixture(z).sample(359)[0]).float(),
        "diffusion": chain(model.denoiser, levels[0] * noise, levels)[-1] / model.scale,
    }
    new = smallest(codes(stage, held_out, seed), z).median()
    assert all(smallest(each, z).median() > 0.9 * new for each in drawn.values())
    assert smallest(codes(stage, train[:359], seed + 50), z).median() < 0.02 * new


@every_seed
@torch.no_grad()
def test_the_distance_between_pictures_does_not_show_copies(seed):
    stage, (train, held_out) = stages()[seed, 1e-6], data()
    copies = stage.decode(codes(stage, train[:359], seed))
    assert smallest(copies, train).min() > smallest(held_out, train).min()


@every_seed
def test_a_weight_of_a_tenth_draws_as_well_as_the_smallest(seed):
    stage = stages()[seed, 0.1]
    z = codes(stage, data()[0], seed)
    found = judged(stage.decode(torch.from_numpy(fit_mixture(z).sample(359)[0]).float()).detach())
    assert np.allclose(found, judgements(seed)["mixture"], atol=0.07)


@every_seed
def test_at_beta_one_the_prior_draws_some_digits_and_the_copies_are_blurred(seed):
    found, held_out = judgements(seed), data()[1]
    assert found["β = 1"][0] > found["prior"][0] + 0.3
    assert found["β = 1"][1] > found["prior"][1] + 0.4
    assert errors(stages()[seed, 1.0], held_out)[0] > 1.25 * errors(stages()[seed, 0.1], held_out)[0]


@every_seed
def test_the_mixture_draws_well_up_to_beta_one_and_at_four_it_does_not_cover_the_digits(seed):
    coverage = {}
    for beta in (0.1, 1.0, 4.0):
        stage = stages()[seed, beta]
        z = codes(stage, data()[0], seed)
        drawn = stage.decode(torch.from_numpy(fit_mixture(z).sample(359)[0]).float()).detach()
        closeness, coverage[beta], _ = judged(drawn)
        assert beta == 4 or closeness > 0.95
    assert min(coverage[0.1], coverage[1.0]) > 0.95
    assert coverage[4.0] < 0.8


def test_a_forgotten_scale_factor_costs_most_of_the_digits():
    for seed, model in enumerate(second_stages(0, epochs=(40,), batch_size=256, size=LARGE)):
        closeness, coverage, _ = judged(model.draw(359, drawing(seed)))
        assert closeness < 0.85
        assert coverage < 0.5
        assert judgements(seed)["diffusion"][1] > coverage + 0.4


def test_a_list_of_levels_as_long_as_stable_diffusions_forgives_the_missing_factor():
    long = {"epochs": (40,), "batch_size": 256, "sigmas": (0.03, 14.6)}
    forgotten, in_place = (
        [
            judged(model.draw(359, drawing(seed)))
            for seed, model in enumerate(second_stages(0, size=size, **long))
        ]
        for size in (LARGE, 1.0)
    )
    assert np.allclose(np.mean(forgotten, axis=0), np.mean(in_place, axis=0), atol=0.1)
    assert min(coverage for _, coverage, _ in forgotten) > 0.4


def wide_codes(stage: VAE, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Codes with the σ of (15.1) at β = 1, and their log q."""
    mu, sigma = stage.encode(x)[0].detach(), best_sigma(stage, 1.0, x).detach()
    z = mu + sigma * torch.randn(mu.shape, generator=generator)
    return z, Normal(mu, sigma).log_prob(z).sum(dim=1)


@every_seed
def test_with_a_wider_sigma_the_decoder_is_nearly_as_good_a_model_as_that_of_beta_one(seed):
    (train, held_out), generator = data(), drawing(seed)
    stage, vae = stages()[seed, 1e-6], stages()[seed, 1.0]
    mixture = fit_mixture(wide_codes(stage, train.repeat(4, 1), generator)[0])
    x = held_out.repeat(5, 1)
    z, log_q = wide_codes(stage, x, generator)
    with torch.no_grad():
        log_m = torch.from_numpy(mixture.score_samples(z.double().numpy()))
        wide = (stage.log_likelihood(x, z) + log_m - log_q).mean().item()
        narrow = elbo(stage, held_out, 20, generator).mean().item()
        new = vae.sample_aggregate(held_out, 4000, generator)
        log_p = Normal(0.0, 1.0).log_prob(new).sum(dim=1).mean().item()
        gain = fit_mixture(vae.sample_aggregate(train, 4000, generator)).score(new.numpy()) - log_p
        best = elbo(vae, held_out, 20, generator).mean().item() + gain
    assert wide > narrow + 30
    assert best - 3 < wide < best + 1


@pytest.mark.processor
@every_seed
@torch.no_grad()
def test_the_mixture_gains_most_and_with_its_own_sigma_the_first_stage_is_a_poor_vae(seed):
    train, held_out = data()
    gains, bounds = [], []
    for beta in (1e-6, 0.1, 1.0):
        stage, generator = stages()[seed, beta], drawing(seed)
        z = stage.sample_aggregate(train, 4000, generator).double()
        new = stage.sample_aggregate(held_out, 4000, generator).double()
        log_p = Normal(0.0, 1.0).log_prob(new).sum(dim=1).mean().item()
        one = gaussian.log_prob(new, z.mean(dim=0), torch.cov(z.T, correction=0)).mean().item() - log_p
        gains.append([one, fit_mixture(z).score(new.numpy()) - log_p])
        bounds.append(elbo(stage, held_out, 20, generator).mean().item())
    gains = np.array(gains)
    assert (np.diff(gains, axis=0) < -0.3).all()
    assert (gains[:, 1] > gains[:, 0] + 0.3).all()
    assert 2.5 < gains[0, 0] < 6
    assert 5 < gains[0, 1] < 9
    assert bounds[0] + gains[0, 1] < bounds[2] - 20


@pytest.mark.processor
@every_seed
def test_we_get_the_digit_that_we_asked_for(seed):
    asked, generator = torch.arange(359) % 10, drawing(seed)
    stage, labels = stages()[seed, 1e-6], digits().train_labels
    z, noise = codes(stage, data()[0], seed), torch.randn(359, 8, generator=generator)
    by_gaussians = torch.empty_like(noise)
    for digit in range(10):
        chosen = z[labels == digit]
        root = torch.linalg.cholesky(torch.cov(chosen.T, correction=0))
        by_gaussians[asked == digit] = chosen.mean(dim=0) + noise[asked == digit] @ root.T
    answers = asking()[seed].draw(359, generator, one_hot(asked, 10).float())
    for x in (answers, stage.decode(by_gaussians).detach()):
        assert (trees().predict(x.numpy()) == asked.numpy()).mean() > 0.9
        assert judged(x)[2] > judgements(seed)["diffusion"][2]


@cache
def flows() -> list[Flow]:
    """One for each seed, on the codes of β = 1e-6."""
    models = [Flow(codes(stages()[seed, 1e-6], data()[0], seed), seed=seed) for seed in SEEDS]
    for seed, flow in enumerate(models):
        z = codes(stages()[seed, 1e-6], data()[0], seed)
        settings = {"batch_size": 256, "seed": seed, "loss": neg_log_density, "progress": False}
        for epochs, lr in ((30, 5e-3), (10, 5e-4)):
            fit(flow, z, epochs=epochs, lr=lr, **settings)
    return models


@every_seed
def test_a_flow_lies_between_one_gaussian_and_the_mixture_and_draws_like_diffusion(seed):
    train, held_out = data()
    stage, flow, of_diffusion = stages()[seed, 1e-6], flows()[seed], judgements(seed)["diffusion"]
    with torch.no_grad():
        z, new = codes(stage, train, seed), codes(stage, held_out, seed + 9)
        gaussian_fit = gaussian.log_prob(
            new.double(), z.double().mean(dim=0), torch.cov(z.double().T, correction=0)
        )
        of_flow = flow.log_prob(new).mean().item()
        assert gaussian_fit.mean() + 1 < of_flow < fit_mixture(z).score(new.double().numpy())
        drawn = judged(stage.decode(flow.inverse(torch.randn(359, 8, generator=drawing(seed)))))
        assert np.allclose(drawn, of_diffusion, atol=0.1)


def test_the_classifier_reads_the_digits():
    assert trees().score(data()[1].numpy(), digits().held_out_labels.numpy()) > 0.96
