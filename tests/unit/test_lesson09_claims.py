"""What lesson 09 says in words, over five seeds, those contests included that the VAE does not win."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture
from torch import Tensor
from torch.distributions import Normal

from aelib import gaussian, likelihoods
from aelib.data import digits, shapes
from aelib.desiderata import (
    CodePair,
    active_latents,
    draw_codes,
    draw_from_mixture,
    informative,
    raw_pixels,
    representative,
    scorecard,
)
from aelib.models import VAE, Autoencoder, pca
from aelib.objectives import elbo, importance_weighted_bound, neg_elbo
from tests.kept import fit, fit_many

pytestmark = pytest.mark.training
SEEDS = range(5)
TRAINING = {"epochs": 60, "lr": 0.005, "progress": False}
x = digits().held_out
train = digits().train


def fresh(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@cache
def linear(seed: int) -> VAE:
    model = VAE(64, 8, hidden=(), noise_var=0.05, seed=seed)
    fit(model, digits(), epochs=20, lr=0.005, seed=seed, loss=neg_elbo, progress=False)
    return model


@cache
def trained() -> dict[tuple[int, float], list[VAE]]:
    """Five seeds of each (K, beta) that the prose speaks of."""
    keys = [(8, 0.125), (8, 1.0), (8, 2.0), (8, 4.0), (16, 1.0), (16, 4.0), (8, 16.0)]
    keys += [(2, 1.0), (4, 1.0), (4, 2.0), (16, 0.25), (16, 2.0)]
    models = {key: [VAE(64, key[0], hidden=(64,), noise_var=0.05, seed=s) for s in SEEDS] for key in keys}
    everything = [model for of_key in models.values() for model in of_key]
    betas = [beta for _, beta in keys for _ in SEEDS]
    fit_many(everything, digits(), seeds=[*SEEDS] * len(keys), betas=betas, loss=neg_elbo, **TRAINING)
    return models


@cache
def autoencoders() -> list[Autoencoder]:
    models = [Autoencoder(64, 8, hidden=(64,), seed=seed) for seed in SEEDS]
    fit_many(models, digits(), seeds=SEEDS, **TRAINING)
    return models


@torch.no_grad()
def at_mu(model: VAE) -> Tensor:
    mu, log_var = model.encode(x)
    return model.log_likelihood(x, mu) - gaussian.kl_to_standard_normal(mu, log_var)


@torch.no_grad()
def rate(model: VAE) -> float:
    """Bits per image, held out."""
    return gaussian.kl_to_standard_normal(*model.encode(x)).mean().item() / math.log(2)


@torch.no_grad()
def error(model: VAE) -> float:
    mu, log_var = model.encode(x)
    draws = [model.decode(model.sample(mu, log_var, fresh(seed))) for seed in range(5)]
    return np.mean([(x - x_hat).square().mean().item() for x_hat in draws])


def drawn(model, z: Tensor) -> tuple[float, float]:
    with torch.no_grad():
        found = representative(model.decode(z), train, x)
    return found.distance_ratio, found.coverage / found.real_coverage


@torch.no_grad()
def shares(model: VAE, z: Tensor) -> Tensor:
    mu, log_var = model.encode(train)
    log_q = -0.5 * ((z[:, None] - mu) ** 2 / log_var.exp() + log_var).sum(dim=2)
    return log_q.softmax(dim=1)


# Bounds beside the truth


@pytest.mark.parametrize("seed", SEEDS)
def test_bounds_climb_towards_the_exact_value_and_z_at_mu_lies_above(seed):
    model = linear(seed)
    weight, mean = (part.detach().double() for part in model.decoder[-1].parameters())
    exact = (
        gaussian.log_prob(x.double(), mean, weight @ weight.T + 0.05 * torch.eye(64).double()).mean().item()
    )
    low = elbo(model, x, 200, fresh()).mean().item()
    climb = [importance_weighted_bound(model, x, n, fresh()).mean().item() for n in (10, 100, 1000)]
    assert low < climb[0] < climb[1] < climb[2] < exact + 0.02
    assert exact - low > 1, "low by more than a nat"
    assert (climb[2] - low) / (exact - low) > 0.7, "a thousand weights make up for most of it"
    assert at_mu(model).mean().item() > exact + 1


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_stays_with_a_bent_decoder(seed):
    model = trained()[8, 1.0][seed]
    low = elbo(model, x, 100, fresh()).mean()
    bounds = [importance_weighted_bound(model, x, n, fresh()).mean() for n in (10, 100, 1000)]
    assert low < bounds[0] < bounds[1] < bounds[2]
    assert at_mu(model).mean() > bounds[2] + 1


def test_other_draws_matter_less_than_other_images_and_pairs_less_than_strangers():
    model, other = trained()[8, 1.0][0], trained()[16, 1.0][0]
    first = importance_weighted_bound(model, x, 100, fresh())
    runs = torch.stack([importance_weighted_bound(model, x, 100, fresh(s)).mean() for s in SEEDS])
    of_images = first.std() / len(x) ** 0.5
    assert runs.std() < of_images / 5
    apart = first - importance_weighted_bound(other, x, 100, fresh())
    assert apart.std() / len(x) ** 0.5 < 0.6 * of_images * 2**0.5


def test_minus_the_loss_is_no_bound_below_one_and_a_loose_one_above():
    small, large = trained()[8, 0.125][0], trained()[8, 4.0][0]
    for model, beta in ((small, 0.125), (large, 4.0)):
        with torch.no_grad():
            kl = gaussian.kl_to_standard_normal(*model.encode(x)).mean()
        bound = elbo(model, x, 100, fresh()).mean()
        minus_loss = bound + (1 - beta) * kl
        if beta < 1:
            assert minus_loss > importance_weighted_bound(model, x, 1000, fresh()).mean() + 3
        else:
            assert minus_loss < bound


def test_ink_from_0_to_16_costs_177_nats():
    assert math.isclose(64 * math.log(16), 177.4, abs_tol=0.1)
    a, b = likelihoods.gaussian(x, x.flip(0), 0.05), likelihoods.gaussian(16 * x, 16 * x.flip(0), 0.05 * 256)
    torch.testing.assert_close(a - b, torch.full_like(a, 64 * math.log(16)))


# Bits against distortion


def test_spare_latents_collapse_and_the_point_hardly_moves():
    for eight, sixteen in zip(trained()[8, 1.0], trained()[16, 1.0], strict=True):
        assert abs(rate(eight) - rate(sixteen)) < 3.5, "eight numbers more would be some twelve bits more"
        assert abs(error(eight) - error(sixteen)) < 0.006
        with torch.no_grad():
            price = gaussian.kl_per_latent(*sixteen.encode(x)).mean(dim=0) / math.log(2)
        assert price.max() > 1.5
        assert (price < 0.1).sum() >= 3, "spare ones cost next to nothing"
        assert price.min() < 0.01


def test_at_few_bits_the_sizes_meet():
    for eight, sixteen in zip(trained()[8, 4.0], trained()[16, 4.0], strict=True):
        assert abs(rate(eight) - rate(sixteen)) < 1
        assert abs(error(eight) - error(sixteen)) < 0.005


def test_with_many_bits_sixteen_numbers_copy_best():
    """At one rate, about 28 bits, where the curves of 16 and of 8 numbers stand one above the other."""
    wide, narrow = trained()[16, 0.25], trained()[8, 0.125]
    assert np.mean([rate(model) for model in wide]) == pytest.approx(
        np.mean([rate(model) for model in narrow]), abs=1.5
    )
    assert max(map(error, wide)) < min(map(error, narrow))


def test_four_numbers_draw_as_near_as_any_and_cover_more():
    found = {
        key: np.mean(
            [drawn(m, torch.randn(len(x), key[0], generator=fresh(s))) for s, m in enumerate(trained()[key])],
            axis=0,
        )
        for key in trained()
    }
    fours = [found.pop((4, 1.0)), found.pop((4, 2.0))]
    assert max(distance for distance, _ in fours) < min(distance for distance, _ in found.values()) + 0.05
    assert min(coverage for _, coverage in fours) > max(coverage for _, coverage in found.values()) + 0.05


def test_beta_trades_bits_for_copies_and_sixteen_kills():
    models = trained()
    for seed in SEEDS:
        small, one, four, dead = (models[8, beta][seed] for beta in (0.125, 1.0, 4.0, 16.0))
        assert rate(small) > rate(one) > rate(four) > rate(dead)
        assert error(small) < error(one) < error(four) < error(dead)
        assert rate(dead) < 0.05
        assert not active_latents(dead, x).any()


# Holes


def test_small_beta_names_every_image_and_its_prior_falls_into_holes():
    for beta, near_ceiling in ((0.125, True), (4.0, False)):
        for model in trained()[8, beta]:
            with torch.no_grad():
                mu, log_var = model.encode(train)
                own = torch.randint(len(mu), (300,), generator=fresh())
                z = model.sample(mu[own], log_var[own], fresh(1))
                bill = gaussian.kl_to_standard_normal(mu, log_var).mean().item()
                prior, occur = model.sample_codes(359, fresh()), model.sample_aggregate(train, 359, fresh())
            told = math.log(len(mu)) + shares(model, z)[range(300), own].log().mean().item()
            gap = drawn(model, prior)[0] - drawn(model, occur)[0]
            assert (math.log(len(mu)) - told < 0.1) == near_ceiling
            assert (bill - told > 8) if near_ceiling else (bill - told < 0.5)
            assert (gap > 0.5) if near_ceiling else (abs(gap) < 0.2)


@torch.no_grad()
def kept_apart(model: VAE, seed: int) -> float:
    """The lower bound on KL(q(z) ‖ p(z)) of lesson 09: ten Gaussians of training codes, on held-out codes."""
    z, new = (model.sample_aggregate(rows, n, fresh(seed)) for rows, n in ((train, 6000), (x, 4000)))
    return mixture_gain(z.double(), new.double())


def mixture_gain(z: Tensor, new: Tensor) -> float:
    log_m = GaussianMixture(10, random_state=0).fit(z.numpy()).score(new.numpy())
    return log_m - Normal(0.0, 1.0).log_prob(new).sum(dim=1).mean().item()


def test_the_honest_bound_falls_with_beta():
    found = {beta: [kept_apart(model, s) for s, model in enumerate(trained()[8, beta])] for beta in (0.125, 1.0, 4.0)}  # fmt: skip
    assert min(found[0.125]) > 3.5, "about four nats"
    assert 0.8 < min(found[1.0]) < max(found[1.0]) < 1.8
    assert max(found[4.0]) < 0.4, "nearly the same"


@torch.no_grad()
def second_part(model: VAE, images: Tensor) -> float:
    """Rate − I_q with these images as the distribution of the data."""
    mu, log_var = model.encode(images)
    z = model.sample(mu, log_var, fresh())
    log_q = -0.5 * ((z[:, None] - mu) ** 2 / log_var.exp() + log_var).sum(dim=2)
    information = math.log(len(mu)) + log_q.log_softmax(dim=1).diagonal().mean().item()
    return gaussian.kl_to_standard_normal(mu, log_var).mean().item() - information


def test_half_the_images_add_log_two_to_the_second_part_at_a_high_rate():
    for model in trained()[8, 0.125]:
        assert second_part(model, train[::2]) - second_part(model, train) == pytest.approx(
            math.log(2), abs=0.15
        )


def test_a_perfect_model_shows_holes_by_the_second_part_and_none_by_the_honest_bound():
    """A linear VAE with the exact posterior: over all x its aggregate posterior is the prior itself."""
    weight, noise_var = pca(train, 8).weight.double(), 0.005
    inside = weight.T @ weight + noise_var * torch.eye(8).double()
    spread = torch.linalg.cholesky(noise_var * inside.inverse())

    def codes(n: int, repeats: int, seed: int) -> tuple[Tensor, Tensor]:
        draw = lambda *shape: torch.randn(*shape, generator=fresh(seed), dtype=torch.float64)  # noqa: E731
        images = (
            draw(n, 8) @ weight.T + noise_var**0.5 * torch.randn(n, 64, generator=fresh(seed + 9)).double()
        )
        mu = torch.linalg.solve(inside, weight.T @ images.T).T
        return mu, (mu + draw(repeats, n, 8) @ spread.T).flatten(0, 1)

    mu, z = codes(len(train), 4, 0)
    rate = gaussian.kl(mu.mean(dim=0), spread @ spread.T, torch.zeros(8).double(), torch.eye(8).double())
    rate += 0.5 * mu.var(dim=0, correction=0).sum()
    assert rate - math.log(len(train)) > 5, "what the second part is at least"
    assert mixture_gain(z, codes(359, 11, 1)[1]) < 0


# A list of pictures


@pytest.mark.parametrize("n_bits", [5, 8])
def test_a_list_of_pictures_beats_every_vae_at_equal_bits(n_bits):
    def error_of_list(seed: int) -> float:
        centres = KMeans(2**n_bits, n_init=1, random_state=seed).fit(train.numpy()).cluster_centers_
        return torch.cdist(x, torch.from_numpy(centres)).amin(dim=1).square().mean().item() / 64

    vaes = [model for models in trained().values() for model in models]
    as_cheap = [error(model) for model in vaes if rate(model) <= n_bits + 1]
    assert max(map(error_of_list, range(3))) < 0.85 * min(as_cheap)


# Half-way


@torch.no_grad()
def halfway(model, spherical: bool = False) -> tuple[float, float]:
    z = model.encode(x)
    z = z[0] if isinstance(z, tuple) else z
    middle, length = (z + z.roll(1, dims=0)) / 2, z.norm(dim=1, keepdim=True)
    stretch = (length + length.roll(1, dims=0)) / 2 / middle.norm(dim=1, keepdim=True)
    return drawn(model, middle * stretch if spherical else middle)


def test_half_way_the_vae_is_ahead_by_little_and_the_spherical_road_helps_it():
    plain, vae, strong = (np.array([halfway(model) for model in models]) for models in (autoencoders(), trained()[8, 1.0], trained()[8, 4.0]))  # fmt: skip
    cross_fade = np.array(halfway(raw_pixels()))
    assert abs(vae[:, 0].mean() - plain[:, 0].mean()) < 0.06
    assert abs(vae[:, 1].mean() - plain[:, 1].mean()) < 0.15
    assert strong[:, 1].max() < min(vae[:, 1].min(), plain[:, 1].min())
    for models in (plain, vae):
        assert models[:, 0].max() < cross_fade[0]
        assert models[:, 1].min() > cross_fade[1]
    round_vae = np.array([halfway(model, spherical=True) for model in trained()[8, 1.0]])
    assert (round_vae[:, 1] - vae[:, 1]).min() > 0.03
    assert round_vae[:, 0].mean() < vae[:, 0].mean()


# Blur


@torch.no_grad()
def overlap_share(model: VAE) -> float:
    z = model.sample_aggregate(train, 300, fresh())
    weights = shares(model, z).double()
    best = weights @ train.double()
    unavoidable = (weights * torch.cdist(best, train.double()) ** 2).sum(dim=1).mean()
    lacking = (best - model.decode(z)).square().sum(dim=1).mean()
    return (unavoidable / (unavoidable + lacking)).item()


def test_overlap_is_none_of_the_error_at_an_eighth_and_nearly_all_at_four():
    assert max(map(overlap_share, trained()[8, 0.125])) < 0.02
    one = [overlap_share(model) for model in trained()[8, 1.0]]
    assert 0.25 < min(one) < max(one) < 0.5, "more than half is the network's own"
    assert min(map(overlap_share, trained()[8, 2.0])) > 0.5, "overlap takes over between 1 and 2"
    assert min(map(overlap_share, trained()[8, 4.0])) > 0.85


def test_longer_training_helps_at_beta_one_and_leaves_the_overlap_at_four():
    longer = {beta: VAE(64, 8, hidden=(64,), noise_var=0.05, seed=0) for beta in (1.0, 4.0)}
    settings = TRAINING | {"epochs": 300}
    fit_many(list(longer.values()), digits(), seeds=[0, 0], betas=list(longer), loss=neg_elbo, **settings)
    gains = {beta: 1 - error(model) / error(trained()[8, beta][0]) for beta, model in longer.items()}
    assert gains[1.0] > 0.08
    assert 0 < gains[4.0] < 0.2
    assert overlap_share(longer[4.0]) > 0.85


@torch.no_grad()
def test_new_digits_are_better_served_by_the_network_than_by_the_table():
    for model in trained()[8, 0.125]:
        z = model.sample(*model.encode(x), fresh())
        network, table = (
            (x - x_hat).square().mean() for x_hat in (model.decode(z), shares(model, z) @ train)
        )
        assert network < 0.8 * table


def test_a_full_covariance_repairs_the_cost_and_shows_the_same_average():
    """Blur comes from one bump with its middle shown, not from independent pixels."""
    one, two = x[0].double(), x[1].double()
    step = (one - two) / 2
    stretched = 0.05 * torch.eye(64).double() + torch.outer(step, step)
    full = -gaussian.log_prob(one, (one + two) / 2, stretched)
    mixture = math.log(2) - likelihoods.gaussian(one, one, 0.05)
    independent = -likelihoods.gaussian(one, (one + two) / 2, 0.05)
    assert mixture < full < mixture + 2
    assert independent > full + 10


def test_a_mixture_pays_log_two_and_the_average_pays_the_distance():
    one, two = x[0].double(), x[1].double()
    average = -likelihoods.gaussian(one, (one + two) / 2, 0.05)
    exact = -likelihoods.gaussian(one, one, 0.05)
    either = torch.stack([likelihoods.gaussian(one, one, 0.05), likelihoods.gaussian(one, two, 0.05)])
    assert float(math.log(2) - either.logsumexp(dim=0) - exact) == pytest.approx(math.log(2), abs=1e-6)
    assert average - exact > 10


# Three contests


@torch.no_grad()
def test_each_of_three_betas_wins_a_contest():
    """A has beta 1/8, B has 4, C has 1."""
    found = {}
    for name, beta in (("A", 0.125), ("B", 4.0), ("C", 1.0)):
        models = trained()[8, beta]
        bounds = [importance_weighted_bound(model, x, 1000, fresh()).mean().item() for model in models]
        draws = [drawn(model, model.sample_codes(len(x), fresh(1))) for model in models]
        found[name] = np.array([bounds, [error(model) for model in models], *zip(*draws, strict=True)])
    (
        (_, a_copies, _, _),
        (b_bound, b_copies, b_distance, b_cover),
        (c_bound, c_copies, c_distance, c_cover),
    ) = found.values()
    assert (a_copies < np.minimum(b_copies, c_copies)).all()
    assert (b_distance < np.minimum(found["A"][2], c_distance)).all()
    assert (c_bound > np.maximum(found["A"][0], b_bound)).all()
    assert (c_cover > found["A"][3]).all()
    assert c_cover.mean() > b_cover.mean()


def test_the_strong_betas_copies_cover_half_and_the_road_costs_both_the_same():
    shares_kept = []
    for beta in (1.0, 4.0):
        copies = [drawn(model, model.encode(x)[0])[1] for model in trained()[8, beta]]
        roads = [halfway(model)[1] for model in trained()[8, beta]]
        shares_kept.append((np.mean(copies), np.mean(roads) / np.mean(copies)))
    (of_vae, kept), (of_strong, strongly_kept) = shares_kept
    assert 0.4 < of_strong / of_vae < 0.6
    assert abs(kept - strongly_kept) < 0.08


# The scorecards


def test_on_the_digits_a_gentle_beta_draws_best_and_the_autoencoder_copies_best():
    rows = {"PCA": pca(train, 8)}
    for name, models in (("autoencoder", autoencoders()), ("VAE", trained()[8, 1.0]), ("gentle", trained()[8, 2.0]), ("strong", trained()[8, 4.0])):  # fmt: skip
        rows[name] = lambda seed, models=models: models[seed]
    informed, _, calm, draws = np.moveaxis(scorecard(rows, digits()).values, 1, 0)
    assert informed.argmax(axis=0).tolist() == [1] * 5
    assert draws[2].min() > max(draws[0].max(), draws[1].max())
    assert draws[3].mean() > draws[2].mean() + 0.03
    assert draws[4].mean() < draws[3].mean() - 0.05
    assert calm.min() > 0.95
    with torch.no_grad():
        mixed = [
            representative(m.decode(draw_from_mixture(m, train, len(x))), train, x) for m in autoencoders()
        ]
    assert min(found.score for found in mixed) > draws.max(), "from a mixture the autoencoder beats every row"


def test_on_the_shapes_a_strong_beta_disentangles_a_little_and_pays():
    data = shapes(n_examples=2000)
    settings = {"epochs": 30, "lr": 0.005, "progress": False}
    plain = [Autoencoder(256, 5, hidden=(64,), seed=seed) for seed in SEEDS]
    fit_many(plain, data, seeds=SEEDS, **settings)
    vaes = [VAE(256, 5, hidden=(64,), noise_var=0.02, seed=seed) for _ in range(3) for seed in SEEDS]
    fit_many(vaes, data, seeds=[*SEEDS] * 3, betas=[1] * 5 + [32] * 5 + [16] * 5, loss=neg_elbo, **settings)
    rows = {"autoencoder": lambda seed: plain[seed], "VAE": lambda seed: vaes[seed]}
    rows |= {"32": lambda seed: vaes[5 + seed], "16": lambda seed: vaes[10 + seed]}
    informed, tidy, calm, draws = np.moveaxis(scorecard(rows, data).values, 1, 0)
    assert tidy[2].mean() > 0.03 + max(tidy[0].mean(), tidy[1].mean())
    assert tidy[2].mean() < 0.35, "from next to nothing to little"
    assert informed[2].max() < min(informed[0].min(), informed[1].min())
    assert calm[2].mean() < min(calm[0].mean(), calm[1].mean())
    assert all(active_latents(model, data.held_out).sum() <= 4 for model in vaes[5:10])
    assert draws[0].min() > draws[1].max(), "the plain autoencoder draws better than the VAE"
    fair = []
    for seed in SEEDS:
        pair = CodePair(lambda images, vae=vaes[seed]: vae.encode(images)[0], vaes[seed].decode)
        with torch.no_grad():
            drawn = vaes[seed].decode(draw_codes(pair, data.train, len(data.held_out)))
        fair.append(representative(drawn, data.train, data.held_out).score)
    assert min(fair) > draws[1].max() + 0.05
    assert abs(np.mean(fair) - draws[0].mean()) < 0.06, "with a fitted Gaussian the VAE draws nearly as well"
    assert draws[3].mean() > draws[0].mean(), "with beta = 16 it draws better than both"
    linear_code = pca(data.train, 5)
    copies = linear_code.decode(linear_code.encode(data.held_out))
    assert informative(data.held_out, copies, data.train.mean(dim=0)) < informed[1].min()
