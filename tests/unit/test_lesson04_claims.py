"""What lesson 04 says in words, over five seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, reduce

import nbformat
import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from torch import Tensor

from aelib.bits import code_range, quantise
from aelib.data import digits
from aelib.models import Autoencoder, LinearAutoencoder
from aelib.objectives import squared_error
from publish.lesson import lessons, read
from tests.kept import fit_many

pytestmark = pytest.mark.training
SEEDS = range(5)
K = 8


@cache
def spectrum() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The mean, the covariance, and its eigenvalues and eigenvectors, largest first, of all digits."""
    x = digits().all.double()
    cov = torch.cov(x.T, correction=0)
    values, vectors = torch.linalg.eigh(cov)
    return x.mean(dim=0), cov, values.flip(0), vectors.flip(1)


def optimum(latent_dim: int = K) -> float:
    return spectrum()[2][latent_dim:].sum().item()


def losses(W: Tensor, V: Tensor) -> Tensor:
    """(n_models,) from W (n_models, D, K) and V (n_models, K, D)."""
    lost = torch.eye(64, dtype=torch.float64) - W @ V
    return ((lost @ spectrum()[1]) * lost).sum(dim=(1, 2))


def product(layers: Sequence[Tensor]) -> Tensor:
    return reduce(lambda done, layer: layer @ done, layers)


def matrices(layers: Sequence[Tensor], tied: bool) -> tuple[Tensor, Tensor]:
    if tied:
        return layers[0], layers[0].mT
    half = len(layers) // 2
    return product(layers[:half]), product(layers[half:])


def angle(W: Tensor) -> float:
    return float(
        np.degrees(subspace_angles(W.detach().numpy(), spectrum()[3][:, : W.shape[1]].numpy()).max())
    )


def train(
    models: Sequence[LinearAutoencoder],
    steps: int = 1500,
    lr: float = 0.01,
    penalty: Callable = lambda W, V: 0.0,
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """The lesson's loop for several models at once (Adam treats each number alone); (losses, W, V) every 25 steps."""
    layers = [
        torch.stack(same).detach().requires_grad_()
        for same in zip(*(m.parameters() for m in models), strict=True)
    ]
    optimiser = torch.optim.Adam(layers, lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    log = []
    for step in range(steps + 1):
        W, V = matrices(layers, models[0].tied)
        loss = losses(W, V)
        if step % 25 == 0:
            log.append((loss.detach(), W.detach().clone(), V.detach().clone()))
        optimiser.zero_grad()
        (loss.sum() + penalty(W, V)).backward()
        optimiser.step()
        schedule.step()
    return log


def build(latent_dim: int = K, **kind) -> list[LinearAutoencoder]:
    return [LinearAutoencoder(64, latent_dim, mean=spectrum()[0], seed=seed, **kind) for seed in SEEDS]


@pytest.mark.processor
def test_the_smallest_error_is_the_published_one():
    x = digits().all.double().numpy()
    pca = PCA(K).fit(x)
    assert np.square(x - pca.inverse_transform(pca.transform(x))).mean() == pytest.approx(
        0.0239132529, abs=5e-11
    )
    assert optimum() / 64 == pytest.approx(0.0239132529, abs=5e-11)


@pytest.mark.parametrize("kind", [{"tied": True}, {}, {"hidden": (32,)}], ids=["tied", "untied", "deep"])
def test_training_finds_the_optimum_and_the_subspace(kind):
    log = train(build(**kind))
    loss, W, _ = log[-1]
    assert (loss / optimum() - 1).abs().max() < 1e-6
    assert max(angle(one) for one in W) < 1
    if kind.get("tied"):
        small_loss_wrong_space(log)
        columns_are_mixed(W)


def small_loss_wrong_space(log: list) -> None:
    """Within one per cent of the optimum, the space is still far from PCA's."""
    for seed in SEEDS:
        early = next(W[seed] for loss, W, _ in log if loss[seed] / optimum() - 1 < 0.01)
        assert angle(early) > 10


def columns_are_mixed(W: Tensor) -> None:
    for one in W:
        R = spectrum()[3][:, :K].T @ one
        torch.testing.assert_close(R @ R.T, torch.eye(K, dtype=R.dtype), atol=1e-4, rtol=0)
        assert R.abs().max(dim=1).values.mean() < 0.9, "a permutation would have ones"


@pytest.mark.processor
def test_the_covariance_is_singular_and_its_positive_eigenvalues_differ():
    values = spectrum()[2]
    varies = values > 1e-9
    assert varies.sum() == 61
    assert (-values[varies].diff()).min() > 5e-7
    assert (digits().all.std(dim=0) == 0).sum() == 3


@pytest.mark.processor
def test_a_wrong_choice_of_eigenvectors_is_a_saddle():
    _, _, _, U = spectrum()
    W = U[:, [*range(7), 8]].clone().requires_grad_()
    loss = losses(W[None], W.T[None])[0]
    loss.backward()
    assert W.grad.abs().max() < 1e-12
    assert loss > 1.005 * optimum()
    models = build(tied=True)
    for seed, model in enumerate(models):
        noise = torch.randn(64, K, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        model.decoder[0].data = W.detach() + 1e-4 * noise
    assert (train(models)[-1][0] / optimum() - 1).max() < 1e-6


def test_equal_penalties_leave_the_rotation_and_show_the_axes():
    alpha, (_, _, values, U) = 0.1, spectrum()
    _, W, V = train(
        build(latent_dim=4), lr=0.03, penalty=lambda W, V: alpha * (W.square().sum() + V.square().sum())
    )[-1]
    torch.testing.assert_close(W, V.mT, atol=1e-3, rtol=0)
    axes, stretch, _ = torch.linalg.svd(W, full_matrices=False)
    torch.testing.assert_close(stretch**2, (1 - alpha / values[:4]).expand(5, 4), atol=1e-4, rtol=0)
    assert (axes * U[:, :4]).sum(dim=1).abs().min() > 0.999
    assert columns_on_axes(W).amin(dim=1).max() < 0.95, (
        "each model has a column that is no principal direction"
    )


def test_unequal_penalties_fix_the_coordinates():
    alphas = torch.tensor([0.05, 0.13, 0.21, 0.29], dtype=torch.float64)
    penalty = lambda W, V: (alphas * (W.square().sum(dim=1) + V.square().sum(dim=2))).sum()  # noqa: E731
    _, W, _ = train(build(latent_dim=4), steps=2500, lr=0.03, penalty=penalty)[-1]
    assert columns_on_axes(W).min() > 0.99


def columns_on_axes(W: Tensor) -> Tensor:
    """(n_models, K): the cosine of each column with the principal direction of its own number."""
    return (W / W.norm(dim=1, keepdim=True) * spectrum()[3][:, : W.shape[2]]).sum(dim=1).abs()


# Bends


@cache
def pca_of_train(latent_dim: int) -> PCA:
    return PCA(latent_dim).fit(digits().train.double().numpy())


def ratio_to_pca(model, x: Tensor) -> float:
    pca = pca_of_train(model.latent_dim)
    x64 = x.double().numpy()
    with torch.no_grad():
        return float(squared_error(x, model(x))) / float(
            np.square(x64 - pca.inverse_transform(pca.transform(x64))).sum(1).mean()
        )


def straight_decoder(latent_dim: int, seed: int) -> Autoencoder:
    model = Autoencoder(64, latent_dim, seed=seed)
    model.decoder = Autoencoder(64, latent_dim, hidden=(), seed=seed).decoder
    return model


def test_a_bent_encoder_cannot_beat_pca_on_the_data_it_was_fitted_to():
    models = [straight_decoder(K, seed) for seed in SEEDS]
    fit_many(models, digits(), epochs=60, lr=0.01, seeds=SEEDS, progress=False)
    assert min(ratio_to_pca(model, digits().train) for model in models) > 1


def test_a_bent_decoder_beats_pca_up_to_24_numbers_and_at_32_not_on_held_out_digits():
    models = [Autoencoder(64, latent_dim, seed=seed) for latent_dim in (2, 16, 24, 32) for seed in SEEDS]
    fit_many(models, digits(), epochs=60, lr=0.01, seeds=[*SEEDS] * 4, progress=False)
    train, held_out = (
        np.array([ratio_to_pca(model, part) for model in models]).reshape(4, 5)
        for part in (digits().train, digits().held_out)
    )
    assert max(train[:3].max(), held_out[:3].max()) < 0.9
    assert held_out[3].min() > 1
    assert train[3].min() < 1 < train[3].max()


def straight_encoder(latent_dim: int, seed: int) -> Autoencoder:
    model = Autoencoder(64, latent_dim, seed=seed)
    model.encoder = Autoencoder(64, latent_dim, hidden=(), seed=seed).encoder
    return model


def test_a_straight_encoder_with_a_bent_decoder_beats_pca():
    models = [straight_encoder(K, seed) for seed in SEEDS]
    fit_many(models, digits(), epochs=60, lr=0.01, seeds=SEEDS, progress=False)
    assert (
        max(ratio_to_pca(model, part) for model in models for part in (digits().train, digits().held_out))
        < 0.8
    )


def test_with_five_times_the_epochs_the_network_is_ahead_at_32_numbers_too():
    models = [Autoencoder(64, 32, seed=seed) for seed in SEEDS]
    fit_many(models, digits(), epochs=60, lr=0.01, seeds=SEEDS, progress=False)
    fit_many(models, digits(), epochs=240, lr=0.01, seeds=[seed + 1 for seed in SEEDS], progress=False)
    assert max(ratio_to_pca(model, digits().held_out) for model in models) < 0.95


# Bits


def bits_curve(W: Tensor, train: Tensor, held_out: Tensor) -> tuple[list[int], list[float]]:
    z_train, z = train @ W, held_out @ W
    low, high = code_range(z_train)

    def added(code: Tensor) -> Tensor:
        copies = [torch.zeros_like(code)] + [quantise(code, low, high, bits) for bits in range(1, 9)]
        return torch.stack([(code - copy).square().mean(dim=0) for copy in copies], dim=1)

    flat, rates, errors = float(squared_error(held_out, z @ W.T)), [], []
    for price in torch.logspace(0, -4, 60):
        bits = (added(z_train) + price * torch.arange(9)).argmin(dim=1, keepdim=True)
        rates.append(int(bits.sum()))
        errors.append((flat + float(added(z).gather(1, bits).sum())) / 64)
    return rates, errors


def test_a_rotation_costs_bits_and_no_error():
    data = digits()
    train, held_out = (
        part.double() - data.train.double().mean(dim=0) for part in (data.train, data.held_out)
    )
    axes = torch.linalg.eigh(train.T @ train).eigenvectors[:, -16:]
    own = bits_curve(axes, train, held_out)
    for seed in SEEDS:
        R = torch.linalg.qr(
            torch.randn(16, 16, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        ).Q
        rotated = bits_curve(axes @ R, train, held_out)
        assert np.interp(8, *own) < 0.9 * np.interp(8, *rotated)
        assert np.interp(16, *own) < 0.95 * np.interp(16, *rotated)
        assert np.interp(90, *own) == pytest.approx(np.interp(90, *rotated), rel=0.02)


# The class


def test_the_lessons_class_is_the_tied_linear_autoencoder():
    notebook: nbformat.NotebookNode = read(lessons("04")[0])
    space = {"torch": torch}
    exec(next(cell.source for cell in notebook.cells if cell.id == "tied-class"), space)
    x, mean = digits().held_out.double(), spectrum()[0]
    theirs, ours = space["TiedAutoencoder"](64, K, mean), LinearAutoencoder(64, K, tied=True, mean=mean)
    theirs.weight.data = ours.weight.detach()
    torch.testing.assert_close(theirs(x), ours(x))
    torch.testing.assert_close(theirs.encode(x), ours.encode(x))


def test_eigenvalues_are_squared_singular_values_and_the_digits_need_these_numbers():
    x = digits().all.double()
    x = x - x.mean(dim=0)
    s = torch.linalg.svdvals(x)
    assert (spectrum()[2] - s**2 / len(x)).abs().max() < 1e-10
    explained = (s**2).cumsum(dim=0) / (s**2).sum()
    needed = [int((explained < share).sum()) + 1 for share in (0.8, 0.9, 0.95)]
    assert needed == [13, 21, 29]
    assert explained[39] > 0.98


@pytest.mark.parametrize("seed", SEEDS)
def test_the_residual_of_a_best_decoder_is_uncorrelated_with_the_code(seed):
    S = spectrum()[1]
    V = torch.randn(5, 64, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    W = S @ V.T @ torch.linalg.inv(V @ S @ V.T)
    assert (S @ V.T - W @ V @ S @ V.T).abs().max() < 1e-9
    worse = W + 0.01 * torch.randn(64, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    assert losses(worse[None], V[None]) > losses(W[None], V[None])
