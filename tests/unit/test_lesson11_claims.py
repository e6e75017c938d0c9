"""What lesson 11 says in words about digits, over five seeds."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli
from torch.nn.functional import avg_pool2d, interpolate

from aelib.data import DownloadError, digits, mnist, published_mnist, shapes
from aelib.gaussian import kl_to_standard_normal
from aelib.models import VAE, convolutional_vae
from aelib.objectives import elbo, importance_weighted_bound, neg_elbo
from aelib.widgets.threshold_board import area
from tests.kept import fit, fit_many

pytestmark = pytest.mark.training
SEEDS = range(5)
SETTINGS = {"epochs": 30, "lr": 0.005, "seeds": SEEDS, "progress": False}


def tossed_loss(model, x: Tensor) -> dict[str, Tensor]:
    return neg_elbo(model, torch.bernoulli(x))


def train(build, data) -> list[VAE]:
    models = [build(seed) for seed in SEEDS]
    fit_many(models, data, loss=tossed_loss, **SETTINGS)
    return models


def plain(seed: int) -> VAE:
    return VAE(64, 8, hidden=(64,), likelihood="bernoulli", seed=seed)


def convolutional(seed: int) -> VAE:
    return convolutional_vae((8, 8), 8, likelihood="bernoulli", seed=seed)


def shuffled():
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    return replace(digits(), raw=digits().raw[:, order])


@cache
def models() -> list[VAE]:
    return train(plain, digits())


def coins(x: Tensor) -> Tensor:
    return Bernoulli(x).entropy().sum(dim=-1)


def nats(model: VAE, x: Tensor, n_draws: int = 20) -> Tensor:
    """Cross-entropy + KL of each grey image, which bounds its tosses' mean −log p."""
    return -elbo(model, x, n_draws, torch.Generator().manual_seed(0))


def tossed_nats(model: VAE, x: Tensor, n_tosses: int = 20) -> Tensor:
    """−ELBO of each image, averaged over tosses that its codes have seen, as in training."""
    generator = torch.Generator().manual_seed(0)
    tosses = (torch.bernoulli(x, generator=generator) for _ in range(n_tosses))
    return -sum(elbo(model, toss, generator=generator) for toss in tosses) / n_tosses


@cache
def pictures() -> dict[str, Tensor]:
    x = digits().held_out
    drawn = interpolate(shapes(300).all.reshape(-1, 1, 16, 16), size=(8, 8), mode="area")
    blurred = avg_pool2d(x.reshape(-1, 1, 8, 8), 3, stride=1, padding=1)
    return {
        "digits": x,
        "shapes": drawn.flatten(1),
        "faxed": (x >= 0.5).float(),
        "blurred": blurred.flatten(1),
    }


def areas(name: str, score) -> list[float]:
    normal, strange = pictures()["digits"], pictures()[name]
    return [area(score(model, normal).numpy(), score(model, strange).numpy()) for model in models()]


def without_coins(model: VAE, x: Tensor) -> Tensor:
    return nats(model, x) - coins(x)


def test_shapes_are_found():
    assert min(areas("shapes", nats)) > 0.93


def test_faxes_rank_upside_down_and_are_found_without_the_coins():
    assert max(areas("faxed", nats)) < 0.25
    assert min(areas("faxed", without_coins)) > 0.97


def test_blurred_digits_are_found_and_slip_through_without_the_coins():
    assert min(areas("blurred", nats)) > 0.97
    assert max(areas("blurred", without_coins)) < 0.5


def test_blurred_digits_are_cheap_because_their_codes_lie_nearer_to_the_prior():
    with torch.no_grad():
        price = lambda model, name: kl_to_standard_normal(*model.encode(pictures()[name])).mean()  # noqa: E731
        assert all(price(model, "blurred") < 0.8 * price(model, "digits") for model in models())
        misfit = lambda model, name: without_coins(model, pictures()[name]).mean() - price(model, name)  # noqa: E731
        assert all(0.85 < misfit(model, "blurred") / misfit(model, "digits") < 1.05 for model in models())


@pytest.mark.parametrize("name", ["shapes", "faxed", "blurred"])
def test_the_distance_to_the_nearest_digit_finds_all_three(name: str):
    normal, strange = (torch.cdist(pictures()[n], digits().train).min(dim=1).values for n in ("digits", name))
    assert area(normal.numpy(), strange.numpy()) > 0.94


def test_no_model_gets_below_the_coins():
    x = digits().held_out
    assert coins(x).min() > 5
    for model in models():
        assert nats(model, x).mean() > coins(x).mean() + 5


def test_more_draws_improve_the_figure():
    x = torch.bernoulli(digits().held_out, generator=torch.Generator().manual_seed(0))
    for model in models():
        bounds = [
            importance_weighted_bound(model, x, k, torch.Generator().manual_seed(1)).mean()
            for k in (1, 5, 50, 500)
        ]
        assert bounds == sorted(bounds)
        assert bounds[-1] > bounds[0] + 0.3


def test_false_neighbours_cost_and_true_ones_win_nothing_here():
    held_out, order = digits().held_out, shuffled().held_out
    score = lambda model, x: tossed_nats(model, x).mean().item()  # noqa: E731
    mean = lambda found, x: sum(score(model, x) for model in found) / len(found)  # noqa: E731
    as_is, disorder = train(convolutional, digits()), train(convolutional, shuffled())
    assert mean(disorder, order) > mean(as_is, held_out) + 0.3
    assert abs(mean(train(plain, shuffled()), order) - mean(models(), held_out)) < 0.2
    assert abs(mean(as_is, held_out) - mean(models(), held_out)) < 0.3


def test_on_mnist_true_neighbours_pay_and_false_ones_cost():
    try:
        data = mnist(download=False)
    except DownloadError:
        pytest.skip("MNIST is not on this machine: set AELIB_DATA to a folder that has it")
    order = torch.randperm(784, generator=torch.Generator().manual_seed(0))
    x, held_out = data.train[:12_000], data.held_out[:1000]
    settings = {"epochs": 5, "lr": 0.002, "seed": 0, "loss": tossed_loss, "progress": False}

    def held_out_nats(model: VAE, shuffle: Tensor | slice) -> float:
        fit(model, x[:, shuffle], **settings)
        return tossed_nats(model, held_out[:, shuffle], n_tosses=2).mean().item()

    convolutional = [convolutional_vae((28, 28), 20, likelihood="bernoulli") for _ in range(2)]
    as_is, disorder = map(held_out_nats, convolutional, (slice(None), order))
    assert disorder > as_is + 15
    assert as_is < held_out_nats(VAE(784, 20, hidden=(400,), likelihood="bernoulli"), slice(None)) - 1


def published(name: str, **wanted) -> list[float]:
    """Our figures of the kept run of ``make published``."""
    rows = published_mnist()["rows"]
    return [row["ours"] for row in rows if row["figure"] == name and wanted.items() <= row.items()]


def test_the_kept_figures_are_those_of_the_protocols():
    assert 105 < published("loss: cross-entropy + KL", epochs=10)[0] < 107
    neg_elbos = published("−ELBO", protocol="Burda et al., VAE")
    assert neg_elbos == sorted(neg_elbos, reverse=True), "it has not stopped improving"
    assert neg_elbos[-1] < 93.5
    assert published("500 draws")[0] < 90


def test_the_start_at_the_mean_image_wins_with_every_seed_and_keeps_more_latents():
    runs = {(run["start"], run["seed"]): run for run in published_mnist()["starts"]}
    for seed in range(3):
        zero, mean_image = runs["close to 0", seed], runs["mean image", seed]
        assert zero["ours"] - mean_image["ours"] > 0.5
        assert mean_image["active"][-1] > zero["active"][-1] + 2
        for run in (zero, mean_image):
            assert len(set(run["active"])) == 1, "decided in the first stage"


def test_what_explains_the_difference():
    few, many = published("500 draws, 1,000 images")[0], published("5000 draws, the same 1,000")[0]
    new, seen = published("500 draws")[0], published("500 draws, training images")[0]
    ruler, gap = published("−ELBO", protocol="Burda et al., VAE")[-1] - new, new - 86.76
    small, deep = published("−ELBO", epochs=100)
    assert abs(small - deep) < 0.5, "that long, the small network does as well"
    assert ruler > 2
    assert 0 < few - many < 0.25 * gap
    assert 0 < new - seen < gap
    assert 0.45 < published("entropy of the coins")[0] / new < 0.55
