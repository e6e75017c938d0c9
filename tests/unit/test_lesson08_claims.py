"""What lesson 08 says in words, over five seeds: likelihoods, gradients, β, and the symptoms of six mistakes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aelib import training
from aelib.data import digits
from aelib.desiderata import representative
from aelib.gaussian import kl_per_latent, kl_to_standard_normal
from aelib.models import VAE
from aelib.objectives import elbo, implied_sigma, neg_elbo
from aelib.widgets.training_bench import TrainingBench
from publish.lesson import cells, lessons, read
from tests.bench import PER_EPOCH, Run, spread
from tests.kept import fit, fit_many

pytestmark = pytest.mark.training
SEEDS = range(5)
K = 8
TRAINING = {"epochs": 60, "lr": 0.005, "progress": False}


def from_the_lesson(*ids: str) -> dict:
    """The names that these cells of the lesson define, run in order after its setup."""
    space: dict = {}
    for cell in cells(read(lessons("08")[0]), "code"):
        if cell.id in ("setup", *ids):
            exec(cell.source, space)
    return space


@torch.no_grad()
def copies(model: VAE) -> Tensor:
    mu, log_var = model.encode(digits().held_out)
    return model.decode(model.sample(mu, log_var, torch.Generator().manual_seed(0)))


def error(model: VAE) -> float:
    return float((digits().held_out - copies(model)).square().mean())


@torch.no_grad()
def drawings(model: VAE) -> float:
    x = digits().held_out
    drawn = model.decode(model.sample_codes(len(x), torch.Generator().manual_seed(0)))
    return representative(drawn, digits().train, x).distance_ratio


@torch.no_grad()
def in_use(model: VAE) -> int:
    return int((kl_per_latent(*model.encode(digits().held_out)).mean(dim=0) > 0.1).sum())


# The lesson's own loop


def test_most_latents_grow_one_or_two_close_and_the_price_rises():
    space = from_the_lesson("vae-class", "loss-function", "loop")
    for seed in SEEDS:
        seen, apart, widths = [], [], []

        def watch(epoch: int, model: nn.Module, seen=seen, apart=apart, widths=widths) -> None:
            with torch.no_grad():
                mu, log_var = model.encode(digits().held_out)
            seen.append(kl_per_latent(mu, log_var).mean(dim=0))
            apart.append(float(mu.var(dim=0).mean()))
            widths.append(float((log_var / 2).exp().mean()))

        torch.manual_seed(seed)
        space["train"](space["VAE"](64, K), digits().train, 40, watch)
        kl = torch.stack(seen)
        assert apart[0] < 0.1 * apart[-1] and widths[0] < 0.9, "at first on one heap, narrower than the prior"
        assert (kl[-1] > 1).sum() >= 4
        assert 1 <= ((kl[:15].max(dim=0).values > 0.15) & (kl[-1] < 0.05)).sum() <= 2
        assert kl[0].sum() < 0.7 * kl[-1].sum()


def test_a_stopped_loop_leaves_a_usable_model(capsys):
    space = from_the_lesson("vae-class", "loss-function", "loop")
    torch.manual_seed(0)
    model = space["VAE"](64, K)

    def stop(epoch: int, model: nn.Module) -> None:
        if epoch == 3:
            raise KeyboardInterrupt

    before = float(space["neg_elbo"](model, digits().held_out)["loss"].detach())
    space["train"](model, digits().train, 60, stop)
    assert "Stopped in epoch 3" in capsys.readouterr().out
    assert space["neg_elbo"](model, digits().held_out)["loss"] < before - 10


# Two ways for a gradient


@cache
def gaussians() -> list[VAE]:
    models = [VAE(64, K, hidden=(64,), noise_var=0.05, seed=seed) for seed in SEEDS]
    fit_many(models, digits(), seeds=SEEDS, loss=neg_elbo, **TRAINING)
    return models


@pytest.mark.parametrize("seed", SEEDS)
def test_both_gradients_are_right_on_average_and_one_is_much_quieter(seed: int):
    model, x = gaussians()[seed], digits().held_out[seed : seed + 1]
    mu, log_var = (part.detach() for part in model.encode(x))
    eps = torch.randn(20_000, K, generator=torch.Generator().manual_seed(seed))
    z = (mu + (log_var / 2).exp() * eps).requires_grad_()
    log_p = model.log_likelihood(x, z)
    (slopes,) = torch.autograd.grad(log_p.sum(), z)
    score, value = eps / (log_var / 2).exp(), log_p.detach()[:, None]
    plain, based = value * score, (value - value.mean()) * score
    off = (slopes.mean(dim=0) - based.mean(dim=0)).abs() / (
        (slopes.var(dim=0) + based.var(dim=0)) / 20_000
    ).sqrt()
    assert off.max() < 4.5
    assert plain.var(dim=0).sum() > 30 * slopes.var(dim=0).sum()
    assert based.var(dim=0).sum() > 2 * slopes.var(dim=0).sum()


# Likelihoods


def started_at(noise_var: float, seed: int) -> VAE:
    model = VAE(64, K, hidden=(64,), seed=seed)
    nn.init.constant_(model.log_noise_var, math.log(noise_var))
    return model


@cache
def variants(name: str) -> list[VAE]:
    build: Callable[[int], VAE] = {
        "from 1": lambda seed: started_at(1.0, seed),
        "from 0.05": lambda seed: started_at(0.05, seed),
        "grey": lambda seed: VAE(64, K, hidden=(64,), likelihood="bernoulli", seed=seed),
        "continuous": lambda seed: VAE(64, K, hidden=(64,), likelihood="continuous bernoulli", seed=seed),
    }[name]
    models = [build(seed) for seed in SEEDS]
    fit_many(models, digits(), seeds=SEEDS, loss=neg_elbo, **TRAINING)
    return models


def test_noise_learned_from_one_closes_latents_and_from_a_small_value_it_does_not():
    for from_one, from_small in zip(variants("from 1"), variants("from 0.05"), strict=True):
        assert 3 <= in_use(from_one) <= 5
        assert in_use(from_small) >= 6
        assert from_one.noise_var > 1.4 * error(from_one), "it is still on its way down"
        assert abs(from_small.noise_var / error(from_small) - 1) < 0.2
        assert error(from_small) < 0.75 * error(from_one)


def test_five_times_the_epochs_bring_some_of_the_closed_latents_back_and_not_all():
    models = [started_at(1.0, seed) for seed in SEEDS]
    fit_many(models, digits(), seeds=SEEDS, loss=neg_elbo, **TRAINING | {"epochs": 300})
    opened = [in_use(late) - in_use(early) for late, early in zip(models, variants("from 1"), strict=True)]
    assert 0.5 <= np.mean(opened) <= 2
    assert sum(number > 0 for number in opened) >= 3, "in most runs"
    assert -2 <= min(opened) <= max(opened) <= 3
    for model in models:
        assert in_use(model) <= 7
        assert abs(model.noise_var / error(model) - 1) < 0.25


@cache
def remedied(name: str) -> list[VAE]:
    """Five seeds that start at σ_x² = 1, trained with a loss of the lesson's own cells, one after another."""
    space = from_the_lesson("loss-function", "train-variants", "remedies")
    models = [started_at(1.0, seed) for seed in SEEDS]
    for seed, model in zip(SEEDS, models, strict=True):
        loss = space["warm_up"](240) if name == "warm_up" else space[name]
        training.fit(model, digits(), epochs=60, lr=0.005, seed=seed, loss=loss, progress=False)
        if name == "best_variance":
            with torch.no_grad():
                model.log_noise_var.fill_(math.log(error(model)))
    return models


def held_out_elbo(models: list[VAE]) -> list[float]:
    return [
        elbo(model, digits().held_out, 20, torch.Generator().manual_seed(0)).mean().item() for model in models
    ]


def test_the_best_variance_at_each_step_or_a_small_start_gains_far_more_than_warm_up_and_free_bits():
    best, warmed, floored, plain, small = map(
        held_out_elbo,
        (*map(remedied, ("best_variance", "warm_up", "free_bits")), *map(variants, ("from 1", "from 0.05"))),
    )
    assert min(best + small) > 5 + max(warmed + floored + plain)
    assert abs(np.mean(best) - np.mean(small)) < 2
    assert np.mean(warmed) > np.mean(plain) < np.mean(floored)
    assert min(map(in_use, remedied("best_variance"))) >= 6
    assert min(map(in_use, remedied("free_bits"))) == K


def test_cross_entropy_on_grey_pixels_over_regularises():
    for grey, gaussian in zip(variants("grey"), gaussians(), strict=True):
        assert in_use(grey) <= 5 < in_use(gaussian)
        assert error(grey) > 1.4 * error(gaussian)


def test_around_its_best_value_cross_entropy_is_a_parabola_of_that_width():
    for best in (0.1, 0.3, 0.5, 0.8):
        step, entropy = 1e-3, lambda p, x=best: -x * math.log(p) - (1 - x) * math.log(1 - p)
        curvature = (entropy(best + step) + entropy(best - step) - 2 * entropy(best)) / step**2
        assert 1 / curvature == pytest.approx(best * (1 - best), rel=1e-3)
    mean_image = digits().all.double().mean(dim=0)
    spread = digits().train.var(dim=0)
    weighted = (spread * mean_image * (1 - mean_image)).sum() / spread.sum()
    assert weighted == pytest.approx(0.22, abs=0.005), "where digits vary"


def test_the_continuous_bernoulli_is_no_better_picture_and_many_pixels_are_at_the_ends():
    assert 0.5 < digits().all.eq(0).double().mean() + digits().all.eq(1).double().mean() < 0.65
    for continuous, gaussian in zip(variants("continuous"), gaussians(), strict=True):
        assert error(continuous) > 1.2 * error(gaussian)


def test_the_area_under_cross_entropy_is_never_more_than_one_half():
    logits = np.linspace(-30, 30, 3000)
    assert (np.tanh(logits / 2) / logits).max() < 0.5 + 1e-9


# β


@cache
def family() -> np.ndarray:
    """(5, 4, 4): rate, error, distance of drawings, latents in use; for β = 0.01, 0.2, 2 and 50."""
    betas = [0.01, 0.2, 2.0, 50.0]
    models = [VAE(64, K, hidden=(64,), noise_var=0.05, seed=seed) for seed in SEEDS for _ in betas]
    seeds = [seed for seed in SEEDS for _ in betas]
    fit_many(models, digits(), seeds=seeds, betas=betas * 5, loss=neg_elbo, **TRAINING | {"epochs": 30})
    with torch.no_grad():
        rates = [float(kl_to_standard_normal(*model.encode(digits().held_out)).mean()) for model in models]
    found = [(rate, error(m), drawings(m), in_use(m)) for rate, m in zip(rates, models, strict=True)]
    return np.array(found).reshape(5, 4, 4)


def test_below_a_fifth_the_price_rises_and_copies_gain_almost_nothing():
    small, fifth = family()[:, 0], family()[:, 1]
    assert (small[:, 0] > 1.6 * fifth[:, 0]).all()
    assert (small[:, 1] > 0.9 * fifth[:, 1]).all()


def test_drawings_are_nearest_in_between_and_at_the_end_nothing_is_left():
    small, fifth, middle, large = family().transpose(1, 0, 2)
    assert (middle[:, 2] < 0.95 * np.minimum(small[:, 2], large[:, 2])).all()
    assert (middle[:, 3] < fifth[:, 3]).all()
    assert (large[:, 3] == 0).all() and (large[:, 0] < 0.01).all()


def test_the_sums_of_squares_of_the_table_leave_at_most_two_latents_on_digits():
    betas = [1.0, 2.0, 5.0, 10.0, 20.0]
    models = [VAE(64, K, hidden=(64,), noise_var=0.05, seed=seed) for seed in SEEDS for _ in betas]
    seeds = [seed for seed in SEEDS for _ in betas]
    fit_many(models, digits(), seeds=seeds, betas=betas * 5, loss=neg_elbo, **TRAINING)
    found = np.array([(in_use(model), drawings(model)) for model in models]).reshape(5, len(betas), 2)
    assert (found[:, 3, 0] <= 2).all()
    assert (found[:, 4, 0] == 0).all()
    assert np.isin(found[..., 1].argmin(axis=1), [1, 2]).all(), "drawings are nearest at a beta of a few"


@pytest.mark.parametrize(
    ("error_weight", "kl_weight", "said"),
    [
        (1.0, 1.0, 0.71),
        (1 / 784, 1.0, 19.8),
        (1 / 12288, 144 / 163_000, 2.3),
        (1 / 2352, 1 / 20, 7.7),
    ],
)
def test_the_widths_in_the_table_of_published_losses(error_weight: float, kl_weight: float, said: float):
    assert implied_sigma(error_weight, kl_weight) == pytest.approx(said, rel=0.02)


# Six mistakes


@cache
def patients(name: str) -> tuple[list[VAE], list]:
    models = [VAE(64, K, hidden=(64,), noise_var=0.05, seed=seed) for seed in SEEDS]
    runs = training.fit_many(
        models, digits(), seeds=SEEDS, loss=suspects()[name], **TRAINING | {"epochs": 25}
    )
    return models, runs


@cache
def suspects() -> dict[str, Callable]:
    """The loss of each broken VAE, put together from the lesson's own cells."""
    space = from_the_lesson("suspects", "assemble")
    parts = {
        "healthy": {},
        "A": {"reconstruction": space["reconstruction_a"]},
        "B": {"sample": space["sample_b"]},
        "C": {"kl": space["kl_c"]},
        "D": {"combine": space["loss_d"]},
        "E": {"sample": space["sample_e"]},
    }
    return {name: space["assembled"](**part) for name, part in parts.items()}


def examined(name: str) -> np.ndarray:
    """(5, 5): KL that training prints, KL measured, error that it prints, error measured, mean width."""
    models, runs = patients(name)
    rows = []
    for model, run in zip(models, runs, strict=True):
        with torch.no_grad():
            mu, log_var = model.encode(digits().held_out)
        measured = float(kl_to_standard_normal(mu, log_var).mean())
        rows.append(
            (
                run.held_out["kl"][-1],
                measured,
                run.held_out["error"][-1],
                error(model),
                float((log_var / 2).exp().mean()),
            )
        )
    return np.array(rows)


def test_a_a_mean_collapses_everything():
    says, _, _, wrong, width = examined("A").T
    assert says.max() < 0.01 and wrong.min() > 0.07
    assert np.abs(width - 1).max() < 0.02


def test_b_a_log_variance_read_as_log_std_shows_in_honest_copies_and_in_the_spread():
    _, _, own, honest, _ = examined("B").T
    assert (honest > 1.4 * own).all()
    for model in patients("B")[0]:
        with torch.no_grad():
            mu, log_var = model.encode(digits().held_out)
        drawn = mu + log_var.exp() * torch.randn(mu.shape, generator=torch.Generator().manual_seed(0))
        assert drawn.var(dim=0).mean() < 0.65


def test_c_a_missing_half_is_twice_the_kl_and_a_little_soft():
    says, measured, _, wrong, _ = examined("C").T
    np.testing.assert_allclose(says, 2 * measured, rtol=1e-5)
    healthy = examined("healthy")[:, 3]
    assert (wrong > 1.1 * healthy).all() and (wrong < 1.6 * healthy).all()


def test_d_a_rewarded_kl_explodes():
    assert examined("D")[:, 0].min() > 1e5
    assert max(run.train["loss"][-1] for run in patients("D")[1]) < -1e5


def test_e_without_noise_copies_look_sharp_and_every_width_is_one():
    says, _, own, honest, width = examined("E").T
    assert (own < examined("healthy")[:, 2]).all()
    assert (honest > 10 * own).all()
    assert np.abs(width - 1).max() < 0.05 and says.max() < 1


def test_healthy_says_what_is_measured():
    says, measured, own, honest, _ = examined("healthy").T
    np.testing.assert_allclose(says, measured, rtol=1e-3)
    np.testing.assert_allclose(own, honest, rtol=0.1)


@pytest.mark.parametrize("seed", SEEDS)
def test_f_batchnorm_in_training_mode_makes_a_picture_depend_on_its_company(seed: int):
    model = VAE(64, K, hidden=(64,), noise_var=0.05, seed=seed)
    torch.manual_seed(seed)
    model.decoder = nn.Sequential(nn.Linear(K, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64))
    fit(model, digits(), epochs=8, lr=0.005, seed=seed, loss=neg_elbo, progress=False)
    assert model.training, "after training nobody has called eval()"
    codes, before = torch.randn(15, K), model.decoder[1].running_mean.clone()
    with torch.no_grad():
        one, two = model.decode(codes[:8])[0], model.decode(codes[[0, *range(8, 15)]])[0]
    assert (one - two).abs().mean() > 0.02
    assert not torch.equal(before, model.decoder[1].running_mean)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        model.decode(codes[:1])
    model.eval()
    with torch.no_grad():
        assert torch.allclose(
            model.decode(codes[:8])[0], model.decode(codes[[0, *range(8, 15)]])[0], atol=1e-5
        )


# The VAE that learns in the page


@pytest.mark.parametrize("seed", SEEDS)
def test_in_the_page_a_vae_that_beta_has_closed_stays_closed(seed):
    run, seen = Run(TrainingBench.from_data(digits(), variational=True, seed=seed)), {}
    real = spread(run.held_out)

    def look(step: int) -> None:
        if step in (60 * PER_EPOCH, 100 * PER_EPOCH, 150 * PER_EPOCH):
            pictures = run.pictures()
            seen[step // PER_EPOCH] = run.now()["kl"], *(spread(one) / real for one in pictures.values())

    betas = [1.0] * 60 + [100.0] * 40 + [1.0] * 50
    run.learn(np.repeat(betas, PER_EPOCH).tolist(), look)
    assert seen[60][0] > 2.5 and seen[60][1] > 0.25 and seen[60][2] > 0.1
    assert max(seen[100]) < 0.03 and max(seen[150]) < 0.03
