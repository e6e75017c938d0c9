"""What lesson 14 says in words, over five seeds: of the world and of the models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from typing import NamedTuple

import pytest
import torch
from sklearn.decomposition import FastICA, sparse_encode
from torch import Tensor, nn

from aelib import sparse
from aelib.data import digits
from aelib.models import mlp
from aelib.sparse import SparseAutoencoder, sparse_error
from tests.kept import fit, fit_many

pytestmark = pytest.mark.training
SEEDS = range(5)
LAMS = (0.01, 0.1, 0.2, 0.3, 0.5, 2.0)
LEVELS = torch.logspace(math.log10(0.02), math.log10(0.5), 16).double()
PLAN = ((20, 1e-2), (5, 1e-3))
every_seed = pytest.mark.parametrize("seed", SEEDS)


class World(NamedTuple):
    true: Tensor
    x: Tensor
    sizes_new: Tensor
    x_new: Tensor


@cache
def world(seed: int) -> World:
    """As the lesson makes one."""
    generator = torch.Generator().manual_seed(100 + seed)
    true = nn.functional.normalize(torch.randn(60, 20, generator=generator), dim=1)
    on = torch.rand(12_000, 60, generator=generator) < 0.03
    sizes = on * (0.5 + 0.5 * torch.rand(12_000, 60, generator=generator))
    x = sizes @ true
    return World(true, x[:10_000], sizes[10_000:], x[10_000:])


class Report(NamedTuple):
    error: float
    found: int
    on: float


@torch.no_grad()
def report(model: SparseAutoencoder, seed: int) -> Report:
    w = world(seed)
    error = (w.x_new - model(w.x_new)).square().sum() / (w.x_new - w.x.mean(dim=0)).square().sum()
    found = sparse.match(model.dictionary, w.true).found()
    return Report(error.item(), found, (model.encode(w.x_new) > 0).sum(dim=1).float().mean().item())


def train(
    models: list[SparseAutoencoder], seed: int, lams: Sequence[float], plan: Sequence[tuple[int, float]]
) -> None:
    """Side by side, each at a price of its own, as long as the plan says."""
    settings = {"batch_size": 250, "seeds": [seed] * len(models), "betas": lams, "loss": sparse_error}
    for epochs, lr in plan:
        fit_many(models, world(seed).x, epochs=epochs, lr=lr, progress=False, **settings)


@cache
def priced_models(seed: int) -> dict[float, SparseAutoencoder]:
    models = [SparseAutoencoder(20, 60, seed=seed) for _ in LAMS]
    train(models, seed, LAMS, PLAN)
    return dict(zip(LAMS, models, strict=True))


def priced(model: SparseAutoencoder, x: Tensor) -> dict[str, Tensor]:
    return sparse_error(model, x, beta=0.3)


def trained(model: SparseAutoencoder, seed: int, loss, plan=PLAN) -> SparseAutoencoder:
    for epochs, lr in plan:
        fit(
            model,
            world(seed).x,
            epochs=epochs,
            lr=lr,
            batch_size=250,
            seed=seed,
            loss=loss,
            progress=False,
        )
    return model


@cache
def top_model(seed: int, k: int) -> SparseAutoencoder:
    return trained(SparseAutoencoder(20, 60, k=k, seed=seed), seed, sparse_error)


# In the plane


@cache
def best(seed: int) -> sparse.Code:
    return sparse.best_code(LEVELS, seed=seed)


@cache
def shown() -> sparse.Code:
    return sparse.best_code(LEVELS, restarts=16, seed=3)


@pytest.mark.processor
@every_seed
def test_rare_features_form_a_pentagon_and_frequent_ones_are_given_up(seed):
    lengths = best(seed).W.norm(dim=2)
    kept = (lengths > 0.3).sum(dim=1)
    assert (kept[:10] == 5).all()
    assert (lengths[:5].amax(dim=1) / lengths[:5].amin(dim=1) < 1.02).all()
    assert (kept[12:14] == 4).all()
    assert kept[-1] <= 3


@pytest.mark.processor
@every_seed
def test_the_four_that_are_kept_form_two_pairs(seed):
    W = best(seed).W[12]
    W = nn.functional.normalize(W[W.norm(dim=1) > 0.3], dim=1)
    cosines = (W @ W.T).fill_diagonal_(0).sort(dim=1).values
    assert (cosines[:, 0] < -0.99).all()
    assert (cosines[:, 1:].abs() < 0.1).all()


@every_seed
def test_the_best_code_is_better_than_the_pentagon_and_pca(seed):
    turn, square = 2 * math.pi * torch.arange(5).double() / 5, 1 / (1 - math.cos(2 * math.pi / 5))
    pentagon = math.sqrt(square) * torch.stack([turn.cos(), turn.sin()], dim=1)
    regular = sparse.expected_error(pentagon, torch.full((5,), 1 - square, dtype=torch.float64), LEVELS)
    assert (best(seed).error < regular).all()
    assert (best(seed).error < 3 * LEVELS * (1 - LEVELS)).all()


@every_seed
def test_the_code_that_is_shown_is_the_best_of_all(seed):
    assert (shown().error < best(seed).error * (1 + 1e-5)).all()


# The known dictionary


@pytest.mark.processor
@every_seed
def test_the_best_copier_finds_next_to_nothing(seed):
    reports = {lam: report(model, seed) for lam, model in priced_models(seed).items()}
    assert reports[0.01].error < 0.002
    assert reports[0.01].found <= 3
    assert reports[0.01].on > 20
    for lam in (0.2, 0.3, 0.5):
        assert reports[lam].found >= 40
        assert reports[lam].error > 100 * reports[0.01].error
    assert 3 < reports[0.1].found < reports[0.3].found
    assert reports[2.0].error > 0.95
    assert reports[2.0].found <= 3


def cheap(model: SparseAutoencoder, x: Tensor) -> dict[str, Tensor]:
    return sparse_error(model, x, beta=0.01)


def at_the_truth(seed: int) -> SparseAutoencoder:
    model = SparseAutoencoder(20, 60, seed=seed)
    for part in (model.weight, model.encoder):
        part.data.copy_(world(seed).true)
    return model


@pytest.mark.processor
@pytest.mark.parametrize("seed", range(2))
def test_with_the_smallest_price_training_leaves_the_true_dictionary(seed):
    model = at_the_truth(seed)
    assert report(model, seed).found == 60
    left = report(trained(model, seed, cheap), seed)
    assert left.found <= 15
    assert left.error < 0.002
    assert left.on > 20


def test_a_single_layer_cannot_read_the_true_dictionary_well():
    held = at_the_truth(0)
    held.weight.requires_grad_(False)
    assert report(trained(held, 0, cheap), 0).error > 10 * report(priced_models(0)[0.01], 0).error


@every_seed
def test_a_random_dictionary_finds_nothing(seed):
    chance = sparse.random_directions(60, world(seed).x, seed=seed)
    assert sparse.match(chance, world(seed).true).found() == 0


@pytest.mark.processor
@pytest.mark.parametrize("seed", range(3))
def test_top_k_copies_better_and_finds_fewer(seed):
    top, priced_one = report(top_model(seed, 5), seed), report(priced_models(seed)[0.3], seed)
    assert top.error < 0.85 * priced_one.error
    assert top.on < 1.3 * priced_one.on
    assert 38 <= top.found < priced_one.found


def test_a_smaller_k_finds_most_too():
    assert report(top_model(0, 3), 0).found >= 40


@pytest.mark.parametrize("seed", range(2))
def test_the_quick_count_finds_more_features_than_there_are(seed):
    wide, true = trained(SparseAutoencoder(20, 120, seed=seed), seed, priced), world(seed).true
    quick = int(((wide.dictionary.detach() @ true.T).max(dim=1).values >= 0.9).sum())
    assert quick > 60
    assert 50 <= sparse.match(wide.dictionary, true).found() <= 60


@torch.no_grad()
def missing(z: Tensor, sizes: Tensor) -> float:
    """By how much sizes are too small, where a feature and its partner are both on."""
    both = (z > 0) & (sizes > 0)
    return (sizes - z)[both].mean().item()


@torch.no_grad()
def taken_over(model: SparseAutoencoder, found: Tensor, partner: Tensor, seed: int) -> float:
    """How much more the other learned features put along a found one's direction than the other true ones do, both on."""
    w, D, z = world(seed), model.dictionary, model.encode(world(seed).x_new)
    both = (z[:, partner] > 0) & (w.sizes_new[:, found] > 0)
    learned = z @ (D @ D[partner].T) - z[:, partner]
    true = w.sizes_new @ (w.true @ D[partner].T) - w.sizes_new[:, found] * (w.true[found] * D[partner]).sum(
        dim=1
    )
    return (learned - true)[both].mean().item()


@torch.no_grad()
def fitted_again(model: SparseAutoencoder, x: Tensor) -> Tensor:
    """The sizes that least squares gives to the features that are on in each row."""
    on, W = (model.encode(x) > 0).double(), model.dictionary.double()
    grams = on[:, :, None] * (W @ W.T) * on[:, None, :] + torch.diag_embed(1 - on)
    return torch.linalg.solve(grams, on * ((x - model.center).double() @ W.T))


@pytest.mark.parametrize("seed", range(2))
def test_sizes_come_out_too_small(seed):
    w = world(seed)
    lasso = sparse_encode(w.x_new, w.true, algorithm="lasso_cd", alpha=0.15, positive=True)
    assert 0.15 < missing(torch.tensor(lasso), w.sizes_new) < 0.2
    shrunk, refitted, shared = {}, {}, {}
    models = {"price": priced_models(seed)[0.3], "top": top_model(seed, 5), "top 3": top_model(seed, 3)}
    for name, model in models.items():
        matched = sparse.match(model.dictionary, w.true)
        found = (matched.cosine >= 0.9).nonzero().flatten()
        partner, sizes = matched.partner[found], w.sizes_new[:, found]
        z, again = model.encode(w.x_new), fitted_again(model, w.x_new)
        shrunk[name] = missing(z[:, partner], sizes)
        refitted[name] = missing(again[:, partner], sizes)
        shared[name] = taken_over(model, found, partner, seed)
    assert 0.27 < shrunk["price"] < 0.38
    assert 0.1 < shrunk["top"] < 0.25
    assert 0.06 < shrunk["top 3"] < shrunk["top"] - 0.03
    assert 1.7 < report(models["price"], seed).on / (w.sizes_new > 0).sum(dim=1).float().mean() < 2.8
    assert shared["price"] > 0.25 * shrunk["price"]
    assert all(shared[name] > 0.5 * shrunk[name] for name in ("top", "top 3"))
    assert all(abs(refitted[name]) < 0.6 * shrunk[name] for name in shrunk)


def train_poor(models: list[SparseAutoencoder], seed: int) -> None:
    train(models, seed, [0.3] * len(models), ((15, 1e-2), (4, 1e-3)))


@pytest.mark.parametrize("seed", range(2))
def test_dead_features_have_no_gradient_and_can_be_revived(seed):
    x, model = world(seed).x, SparseAutoencoder(20, 60, seed=seed)
    nn.init.constant_(model.bias, -1.0)
    train_poor([model], seed)
    which = sparse.dead(model, x)
    assert which.sum() >= 6
    priced(model, x)["loss"].backward()
    assert all(part.grad[which].abs().max() == 0 for part in (model.weight, model.encoder, model.bias))
    model.zero_grad(set_to_none=True)
    control = deepcopy(model)
    assert sparse.revive(model, x, seed) == which.sum()
    train_poor([control, model], seed)
    assert sparse.dead(control, x).sum() >= 0.8 * which.sum()
    assert sparse.dead(model, x).sum() < 0.6 * which.sum()
    assert report(model, seed).found > report(control, seed).found + 5


@every_seed
def test_ica_finds_only_a_few(seed):
    ica = FastICA(20, random_state=seed, max_iter=1000, tol=1e-3).fit(world(seed).x)
    mixing = torch.tensor(ica.mixing_.T).float()
    assert sparse.match(torch.cat([mixing, -mixing]), world(seed).true).found() <= 12


# The classifier


def classifier_loss(model: nn.Module, rows: Tensor) -> Tensor:
    return nn.functional.cross_entropy(model(rows[:, :-1]), rows[:, -1].long())


class Judged(NamedTuple):
    alike: float
    bits: float
    effect: float


@cache
def network(seed: int) -> nn.Sequential:
    data = digits()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = mlp([64, 32, 10])
    rows = torch.cat([data.train, data.train_labels[:, None]], dim=1)
    with torch.enable_grad():
        fit(model, rows, epochs=40, lr=5e-3, seed=seed, loss=classifier_loss, progress=False)
    return model


def alike(along: Tensor) -> float:
    """Of the twelve training digits farthest along each direction, (n, K), the share with their commonest label."""
    top = digits().train_labels[along.topk(12, dim=0).indices]
    return (top == top.mode(dim=0).values).float().mean().item()


@cache
@torch.no_grad()
def judged(seed: int) -> dict[str, Judged]:
    """Learned features at λ = 0.1, also read by a threshold, and the four controls, as the lesson judges them."""
    data, model = digits(), network(seed)
    h, h_new = (model[:2](part) for part in (data.train, data.held_out))
    scale = h.norm(dim=1).mean()
    h, h_new = h / scale, h_new / scale
    with torch.enable_grad():
        code = SparseAutoencoder(32, 64, center=h.mean(dim=0), seed=seed)
        for epochs, lr in ((60, 1e-2), (15, 1e-3)):
            fit_many([code], h, epochs=epochs, lr=lr, seeds=[seed], betas=[0.1], loss=sparse_error, progress=False)  # fmt: skip
    z, z_new, W = code.encode(h), code.encode(h_new), code.dictionary
    rates = (z > 0).float().mean(dim=0)
    used = (rates > 0.01).nonzero().flatten()

    def judge(directions: Tensor, on: Tensor, on_new: Tensor, along: Tensor) -> Judged:
        named, _ = sparse.commonest_label(on, data.train_labels)
        read = lambda h: model[2](h * scale).log_softmax(dim=1)  # noqa: E731
        effect = sparse.ablation(read, h_new, on_new, directions, named, h.mean(dim=0)).nanmean()
        bits = sparse.label_information(on_new, data.held_out_labels).mean()
        return Judged(alike(along), bits.item(), effect.item())

    n, living = len(used), (h > 0).any(dim=0).nonzero().flatten()
    drawn = torch.randperm(len(h), generator=torch.Generator().manual_seed(seed))[:n]
    compared = {
        "threshold": W[used],
        "random": sparse.random_directions(len(used), h, seed=2 * seed + 1),
        "spread": sparse.random_directions(len(used), h, spread=True, seed=2 * seed + 2),
        "hidden": torch.eye(32)[living[torch.arange(n) % len(living)]],
        "digits": nn.functional.normalize(h[drawn] - h.mean(dim=0), dim=1),
    }
    found = {"learned": judge(W[used], z[:, used] > 0, z_new[:, used] > 0, z[:, used])}
    for name, U in compared.items():
        bars = sparse.as_often_on(h, U, rates[used])
        found[name] = judge(U, h @ U.T > bars, h_new @ U.T > bars, h @ U.T)
    return found


@every_seed
@torch.no_grad()
def test_the_classifier_reads_digits(seed):
    data = digits()
    assert (network(seed)(data.held_out).argmax(dim=1) == data.held_out_labels).float().mean() > 0.95


@pytest.mark.processor
@every_seed
def test_to_the_eye_and_by_information_random_directions_are_as_good(seed):
    learned, random, spread = (judged(seed)[name] for name in ("learned", "random", "spread"))
    assert learned.bits < 1.03 * min(random.bits, spread.bits)
    assert 0.7 < learned.alike < 0.95
    assert 0.65 < random.alike < 0.95
    assert random.alike > learned.alike - 0.15


@pytest.mark.processor
@every_seed
def test_read_by_a_threshold_learned_directions_tell_more_than_random_ones_and_less_than_digits(seed):
    of = judged(seed)
    assert of["random"].bits + 0.01 < of["threshold"].bits < of["digits"].bits


@every_seed
def test_at_the_end_of_a_random_direction_one_digit_is_common_in_the_pixels_already(seed):
    pixels = digits().train
    in_pixels = alike(pixels @ sparse.random_directions(200, pixels, seed=seed).T)
    assert 0.5 < in_pixels < judged(seed)["random"].alike - 0.03


@pytest.mark.processor
@every_seed
def test_the_ablation_tells_learned_directions_from_random_ones(seed):
    of = judged(seed)
    assert -2.7 < of["learned"].effect < -1.7
    assert max(abs(of[name].effect) for name in ("random", "hidden")) < 0.25 * abs(of["learned"].effect)
    assert 0.4 < of["spread"].effect / of["learned"].effect < 0.95


@pytest.mark.processor
@every_seed
def test_directions_to_single_digits_pass_all_three_tests_better(seed):
    learned, digit = judged(seed)["learned"], judged(seed)["digits"]
    assert digit.alike > learned.alike + 0.02
    assert digit.bits > learned.bits + 0.05
    assert digit.effect < learned.effect - 0.1
