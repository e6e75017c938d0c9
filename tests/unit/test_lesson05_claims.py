"""What lesson 05 says in words, over five seeds, those contests included that the VAE does not win."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA, FactorAnalysis
from torch import Tensor

from aelib.data import digits
from aelib.desiderata import draw_codes, draw_from_mixture, informative, representative, robust
from aelib.gaussian import log_prob, ppca
from aelib.models import VAE, Autoencoder, pca
from aelib.objectives import neg_elbo
from aelib.widgets.latent_pad import LatentPad
from publish.lesson import cells, lessons, read
from tests.kept import fit_many

pytestmark = pytest.mark.training
SEEDS = range(5)
TRAINING = {"epochs": 60, "lr": 0.005, "progress": False}


@cache
def autoencoders(latent_dim: int) -> list[Autoencoder]:
    models = [Autoencoder(64, latent_dim, hidden=(64,), seed=seed) for seed in SEEDS]
    fit_many(models, digits(), seeds=SEEDS, **TRAINING)
    return models


@cache
def vaes(latent_dim: int) -> list[VAE]:
    models = [VAE(64, latent_dim, hidden=(64,), noise_var=0.05, seed=seed) for seed in SEEDS]
    fit_many(models, digits(), seeds=SEEDS, loss=neg_elbo, **TRAINING)
    return models


@torch.no_grad()
def measures(model, z: Tensor) -> tuple[float, float]:
    found = representative(model.decode(z), digits().train, digits().held_out)
    return found.distance_ratio, found.coverage / found.real_coverage


def many(models, draw) -> tuple[np.ndarray, np.ndarray]:
    return np.array([measures(model, draw(model, seed)) for seed, model in enumerate(models)]).T


def standard(model, seed: int) -> Tensor:
    n = len(digits().held_out_index)
    return torch.randn(n, model.latent_dim, generator=torch.Generator().manual_seed(seed))


def fitted(model, seed: int) -> Tensor:
    """A Gaussian fitted to an autoencoder's codes; a VAE's prior."""
    return draw_codes(model, digits().train, len(digits().held_out_index), seed)


@torch.no_grad()
def middle(model, x: Tensor) -> Tensor:
    z = model.encode(x)
    return z[0] if isinstance(z, tuple) else z


@torch.no_grad()
def copying(model) -> float:
    data = digits()
    return informative(data.held_out, model.decode(middle(model, data.held_out)), data.train.mean(dim=0))


# An autoencoder beside a VAE


def test_random_codes_of_an_autoencoder_fall_into_holes_and_the_fair_law_helps():
    unfair, covered = many(autoencoders(8), standard)
    fair, fair_covered = many(autoencoders(8), fitted)
    assert unfair.min() > 2
    assert covered.max() < 0.1
    assert 1.2 < fair.min() < fair.max() < 1.6
    assert fair_covered.max() < 0.65


def test_the_vaes_prior_is_nearer_and_covers_more_with_eight_numbers():
    distance, coverage = many(vaes(8), standard)
    fair, fair_covered = many(autoencoders(8), fitted)
    assert distance.max() < fair.min()
    assert distance.min() > 1.05, "a VAE has holes too"
    assert coverage.min() > fair_covered.max()


def mixture(n_gaussians: int):
    n = len(digits().held_out_index)
    return lambda model, seed: draw_from_mixture(model, digits().train, n, n_gaussians)


def test_ten_gaussians_fitted_afterwards_draw_better_than_the_vae():
    """By both measures, for each seed; with the same networks that one Gaussian leaves far from the data."""
    distance, coverage = many(autoencoders(8), mixture(10))
    one, prior = many(autoencoders(8), fitted), many(vaes(8), standard)
    assert (one[0] - distance).min() > 0.2 and (coverage - one[1]).min() > 0.4
    assert (prior[0] - distance).min() > 0.08 and (coverage - prior[1]).min() > 0.2
    assert 0.95 < distance.min() < distance.max() < 1.12
    five = many(autoencoders(8), mixture(5))
    assert (one[0] > five[0]).all() and (five[0] > distance).all()


def test_ten_gaussians_do_not_memorise():
    """Decoded training codes are nearer to training digits than new digits are; what the mixture draws is not."""
    data = digits()
    nearest = lambda x: torch.cdist(x, data.train).min(dim=1).values.mean()  # noqa: E731
    for seed, model in enumerate(autoencoders(8)):
        with torch.no_grad():
            ten, copies = model.decode(mixture(10)(model, seed)), model.decode(model.encode(data.train[:359]))
        ten, copies = (nearest(x) / nearest(data.held_out) for x in (ten, copies))
        assert copies < 0.9
        assert ten > 1


def test_ten_gaussians_improve_the_vae_too():
    distance, coverage = many(vaes(8), mixture(10))
    prior = many(vaes(8), standard)
    assert (prior[0] - distance).min() > 0.1 and (coverage - prior[1]).min() > 0.2


def test_soft_copies_lie_a_little_nearer_than_sharp_ones():
    copies = [
        many(models, lambda model, seed: middle(model, digits().held_out))
        for models in (autoencoders(8), vaes(8))
    ]
    assert (copies[0][0] > copies[1][0]).all()
    assert copies[1][1].min() > 1


def far_out(images: Tensor) -> int:
    """How many lie farther than 2.2 from every training digit."""
    return int((torch.cdist(images, digits().train).min(dim=1).values > 2.2).sum())


def test_only_the_autoencoder_draws_pictures_far_from_every_training_digit():
    assert far_out(digits().held_out) == 0
    holes = [far_out(model.decode(fitted(model, seed))) for seed, model in enumerate(autoencoders(8))]
    gentle = [far_out(model.decode(standard(model, seed))) for seed, model in enumerate(vaes(8))]
    assert min(holes) > max(gentle)
    assert max(gentle) <= 1, "of 359 drawings"


def test_the_vae_copies_worse_with_eight_numbers():
    assert max(map(copying, vaes(8))) < min(map(copying, autoencoders(8)))


def test_the_scorecard_tells_the_three_codes_apart_where_the_lesson_says():
    x = digits().held_out
    linear = pca(digits().train, 8)
    for plain, vae in zip(autoencoders(8), vaes(8), strict=True):
        assert min(robust(model.encode, x) for model in (linear, plain, vae)) > 0.95
        assert copying(plain) > copying(vae) > copying(linear)
    ten, gaussian, prior = (
        many(models, draw)
        for models, draw in ((autoencoders(8), mixture(10)), (autoencoders(8), fitted), (vaes(8), standard))
    )
    assert all(np.minimum(1 / ten[0], ten[1]) > np.minimum(1 / prior[0], prior[1]))
    assert all(np.minimum(1 / prior[0], prior[1]) > np.minimum(1 / gaussian[0], gaussian[1]))
    assert many(vaes(8), fitted)[1].min() > measures(linear, fitted(linear, 0))[1]


@torch.no_grad()
def from_clouds(model: VAE, seed: int) -> Tensor:
    mu, log_var = model.encode(digits().held_out)
    return model.sample(mu, log_var, torch.Generator().manual_seed(seed))


def test_the_prior_is_not_where_the_clouds_are():
    prior, clouds = many(vaes(8), standard), many(vaes(8), from_clouds)
    assert (prior[0] - clouds[0]).min() > 0.15
    assert (clouds[1] - prior[1]).min() > 0.3


def halfway(model, seed: int) -> Tensor:
    z = middle(model, digits().held_out)
    return (z + z.roll(1, dims=0)) / 2


def test_with_two_numbers_the_vae_is_clearly_ahead_in_nothing():
    plain, vae = autoencoders(2), vaes(2)
    assert np.mean([*map(copying, vae)]) < np.mean([*map(copying, plain)]) + 0.02
    assert many(vae, fitted)[1].mean() < many(plain, fitted)[1].mean() + 0.02
    assert many(vae, halfway)[0].mean() > many(plain, halfway)[0].mean() - 0.02


def test_on_planes_through_random_codes_the_autoencoder_has_the_deeper_holes():
    """The plane of the lesson, for five seeds: on the average of both maps, not on every one."""
    pads = [
        LatentPad.from_models(digits(), {"flat": flat, "slice": pair})
        for flat, pair in zip(
            zip(autoencoders(2), vaes(2), strict=True),
            zip(autoencoders(8), vaes(8), strict=True),
            strict=True,
        )
    ]
    shades = np.array([one.array("shade")[1, :, 7:34, 7:34] for one in pads], dtype=float)
    plain, vae = shades.mean(axis=(0, 2, 3))
    assert plain > 1.3 * vae
    assert shades[0, 0].mean() > 1.5 * shades[0, 1].mean(), "the pair that the lesson shows"


# The width of clouds


@torch.no_grad()
def cloud_width(model: VAE) -> float:
    mu, log_var = model.encode(digits().held_out)
    own, between = log_var.exp().mean(), mu.var(dim=0).mean()
    return float((own / (own + between)).sqrt())


@cache
def swept() -> list[list[VAE]]:
    """For each seed, decoder noise 0.003 and 1, 0.05 with the KL switched off, and 0.01."""
    noise, betas = [0.003, 1.0, 0.05, 0.01], [1.0, 1.0, 0.0, 1.0]
    models = [VAE(64, 8, hidden=(64,), noise_var=v, seed=seed) for seed in SEEDS for v in noise]
    seeds = [seed for seed in SEEDS for _ in noise]
    fit_many(models, digits(), seeds=seeds, betas=betas * 5, loss=neg_elbo, **TRAINING)
    return [models[4 * seed : 4 * seed + 4] for seed in SEEDS]


def test_a_little_width_improves_the_drawings_and_costs_the_copies_next_to_nothing():
    narrow, little = ([models[i] for models in swept()] for i in (0, 3))
    assert np.mean([*map(copying, little)]) > np.mean([*map(copying, narrow)]) - 0.01
    for points, clouds in zip(narrow, little, strict=True):
        assert measures(clouds, standard(clouds, 0))[0] < measures(points, standard(points, 0))[0] - 0.1


def test_without_the_kl_clouds_shrink_to_points_and_with_much_noise_they_fill_everything():
    widths = np.array([[cloud_width(model) for model in models] for models in swept()])
    assert widths[:, 2].max() < 0.03
    assert widths[:, 0].max() < 0.15
    assert widths[:, 1].min() > 0.9


def test_points_copy_like_an_autoencoder_and_draw_no_better():
    for models in swept():
        assert abs(copying(models[2]) - np.mean([*map(copying, autoencoders(8))])) < 0.05
        assert measures(models[2], standard(models[2], 0))[0] > 1.6
        assert measures(models[0], standard(models[0], 0))[0] > 1.6


def test_wide_clouds_give_mush():
    x = digits().held_out
    for models in swept():
        assert copying(models[1]) < 0.1
        with torch.no_grad():
            copies = models[1].decode(from_clouds(models[1], 0))
        assert copies.var(dim=0).sum() < 0.1 * x.var(dim=0).sum()


# Ancestors


def test_factor_analysis_finds_the_weights_and_probabilistic_pca_takes_noise_for_a_cause():
    weight = torch.tensor([[1.0], [0.9], [0.8], [0.7], [0.6]], dtype=torch.float64)
    noise = torch.tensor([0.2, 0.2, 0.2, 0.2, 4.0], dtype=torch.float64)
    for seed in SEEDS:
        generator = torch.Generator().manual_seed(seed)
        z = torch.randn(2000, 1, generator=generator, dtype=torch.float64)
        x = z @ weight.T + torch.randn(2000, 5, generator=generator, dtype=torch.float64) * noise.sqrt()
        factor = FactorAnalysis(1, svd_method="lapack").fit(x.numpy())
        W, noise_var = ppca(torch.cov(x.T, correction=0), 1)
        assert np.abs(np.abs(factor.components_[0]) - weight[:, 0].numpy()).max() < 0.15
        assert np.abs(factor.noise_variance_ / noise.numpy() - 1).max() < 0.2
        assert W[4, 0].abs() > 2.5 * W[:4, 0].abs().max()
        ours = log_prob(x, x.mean(0), W @ W.T + noise_var * torch.eye(5, dtype=torch.float64)).mean()
        assert factor.score(x.numpy()) > ours + 1


def machine(seed: int) -> tuple[dict, np.ndarray]:
    """The lesson's own cells, run with another seed."""
    space: dict = {"torch": torch, "np": np, "generator": torch.Generator().manual_seed(seed)}
    for cell in cells(read(lessons("05")[0]), "code"):
        if cell.id in ("machine", "wake-sleep"):
            exec(cell.source, space)
        if cell.id == "run-machine":
            exec(cell.source.partition("\np, q, curve")[0], space)
    _, _, curve = space["run_machine"]()
    return space, curve


@pytest.mark.parametrize("seed", SEEDS)
def test_wake_and_sleep_lower_the_exact_negative_log_likelihood(seed):
    space, curve = machine(seed)
    assert len(torch.unique(space["patterns"], dim=0)) == 8
    assert curve[0, 1] > 6
    assert np.log(8) < curve[-1, 1] < np.log(8) + 0.15
    assert np.diff(curve[:: len(curve) // 5, 1]).max() < 0


def test_most_of_the_lead_of_factor_analysis_on_digits_is_in_pixels_that_hardly_change():
    x = digits().all.double().numpy()
    leads = []
    for least in (-1, 0, 0.02, 0.1):
        part = x[:, x.std(axis=0) > least]
        factors = FactorAnalysis(8, svd_method="lapack").fit(part)
        leads.append(factors.score(part) - PCA(8).fit(part).score(part))
    assert x.shape[1] - (x.std(axis=0) > 0).sum() == 3
    assert 60 < leads[0] < 80
    assert 0.35 < leads[1] / leads[0] < 0.6
    assert leads[2] < 0.2 * leads[0]
    assert leads[3] < leads[2]


@pytest.mark.parametrize("seed", SEEDS)
def test_em_climbs_to_probabilistic_pca(seed):
    """The lesson's own step, on other thermometers."""
    space: dict = {"torch": torch}
    exec(next(c.source for c in cells(read(lessons("05")[0]), "code") if c.id == "em-steps"), space)
    generator = torch.Generator().manual_seed(seed)
    weight = torch.tensor([[1.0, 0.9, 0.8, 0.7, 0.6]], dtype=torch.float64)
    noise = torch.tensor([0.2, 0.2, 0.2, 0.2, 4.0], dtype=torch.float64).sqrt()
    x = torch.randn(2000, 1, generator=generator, dtype=torch.float64) @ weight
    x = x + noise * torch.randn(2000, 5, generator=generator, dtype=torch.float64)
    x = x - x.mean(0)

    def mean_log_p(W, noise_var):
        cov = W @ W.T + noise_var * torch.eye(5, dtype=torch.float64)
        return log_prob(x, torch.zeros(5, dtype=torch.float64), cov).mean().item()

    W, noise_var = torch.ones(5, 1, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)
    climb = [mean_log_p(W, noise_var)]
    for _ in range(30):
        W, noise_var = space["em_step"](x, W, noise_var)
        climb.append(mean_log_p(W, noise_var))
    assert np.diff(climb).min() > -1e-12
    assert climb[-1] == pytest.approx(mean_log_p(*ppca(torch.cov(x.T, correction=0), 1)), abs=1e-4)
