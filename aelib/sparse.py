"""Sparse codes: many features in few numbers, the autoencoder that looks for them, and tests of what it finds.

A feature is a direction of the input space and a size s ≥ 0; an input is the sum of its features, and most are off.
Built in lesson 14. D inputs, K learned features, M true ones; λ is the price of one unit of code.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from aelib.desiderata import mutual_information
from aelib.objectives import squared_error

# Features in the plane, exactly


def patterns(n_features: int) -> Tensor:
    """All ways in which M features can be on or off: (2^M, M) of 0 and 1, in float64."""
    if not 1 <= n_features <= 16:
        raise ValueError(f"all on–off patterns are listed for 1 to 16 features, not for {n_features}.")
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=n_features)), dtype=torch.float64)


def expected_error(W: Tensor, bias: Tensor, p: float | Tensor) -> Tensor:
    """E‖s − ReLU(W Wᵀ s + b)‖², exactly, for features that are on (1) with probability p, each by itself, else 0.

    W (..., M, K), one row for each feature; bias (..., M); p a number or (...). Summed over the M features → (...).
    Source of the model: N. Elhage et al., Toy models of superposition, Transformer Circuits Thread, 2022.
    """
    s, p = patterns(W.shape[-2]).to(W), _probabilities(p).to(W)
    n_on = s.sum(dim=1)
    weights = p[..., None] ** n_on * (1 - p[..., None]) ** (len(s[0]) - n_on)
    read = torch.relu(s @ W @ W.mT + bias[..., None, :])
    return (weights * (s - read).square().sum(dim=-1)).sum(dim=-1)


class Code(NamedTuple):
    """The best code that was found: W (levels, M, K), bias (levels, M) and its expected error (levels,)."""

    W: Tensor
    bias: Tensor
    error: Tensor


def best_code(
    p: Sequence[float] | Tensor,
    n_features: int = 5,
    latent_dim: int = 2,
    restarts: int = 8,
    steps: int = 500,
    lr: float = 0.06,
    seed: int = 0,
) -> Code:
    """For each probability p, M features in K numbers with the smallest `expected_error` of several trainings.

    Nothing is drawn but the starts: the loss is the exact expectation. Adam, all levels and starts at once.
    """
    p, generator = _probabilities(p), torch.Generator().manual_seed(seed)
    shape = (restarts, len(p), n_features, latent_dim)
    W = (0.5 * torch.randn(shape, generator=generator, dtype=torch.float64)).requires_grad_()
    bias = torch.zeros(shape[:3], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([W, bias], lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        expected_error(W, bias, p).sum().backward()
        optimizer.step()
        schedule.step()
    W, bias, levels = W.detach(), bias.detach(), torch.arange(len(p))
    best = expected_error(W, bias, p).argmin(dim=0)
    return Code(W[best, levels], bias[best, levels], expected_error(W, bias, p)[best, levels])


def _probabilities(p: float | Sequence[float] | Tensor) -> Tensor:
    p = torch.as_tensor(p, dtype=torch.float64)
    if not ((p > 0) & (p < 1)).all():
        raise ValueError(
            "p should lie between 0 and 1: a feature that is never on, or always, tells nothing; "
            f"got {p.min().item():g} to {p.max().item():g}."
        )
    return p


# Prices


def soft_threshold(x: Tensor, lam: float) -> Tensor:
    """The z that minimises (x − z)² + λ|z|, entry by entry: x moved by λ/2 towards 0, and 0 if |x| ≤ λ/2."""
    _checked_price(lam)
    return x.sign() * (x.abs() - lam / 2).clamp(min=0)


def top_k(z: Tensor, k: int) -> Tensor:
    """The k largest entries of each row, and 0 elsewhere: (..., K) → (..., K)."""
    _checked_k(k, z.shape[-1])
    top = z.topk(k, dim=-1)
    return torch.zeros_like(z).scatter(-1, top.indices, top.values)


class SparseAutoencoder(nn.Module):
    """x̂ = c + Σ_k z_k w_k with z = ReLU(V(x − c) + b) ≥ 0 and unit vectors w_k, usually more of them than inputs.

    k: how many of the K numbers of a code may be on; None leaves it to the price λ of `sparse_error`.
    center: (D,), where c starts; zeros if None. seed: fixes the initial weights (V starts as the dictionary), and leaves
    torch's global stream as it was.
    """

    def __init__(
        self,
        n_inputs: int,
        n_features: int,
        k: int | None = None,
        center: Tensor | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        _checked_sizes(n_inputs, n_features)
        if center is not None and center.shape != (n_inputs,):
            raise ValueError(
                f"center should have {n_inputs} numbers, one an input, but has the shape {tuple(center.shape)}."
            )
        self.k = None if k is None else _checked_k(k, n_features)
        start = torch.randn(n_features, n_inputs, generator=torch.Generator().manual_seed(seed))
        self.weight = nn.Parameter(nn.functional.normalize(start, dim=1))
        self.encoder = nn.Parameter(self.weight.detach().clone())
        self.bias = nn.Parameter(torch.zeros(n_features))
        self.center = nn.Parameter(torch.zeros(n_inputs) if center is None else center.detach().clone())

    @property
    def dictionary(self) -> Tensor:
        """(K, D): the directions w_k, of length 1."""
        return nn.functional.normalize(self.weight, dim=1)

    def encode(self, x: Tensor) -> Tensor:
        """(batch, D) → (batch, K), no entry below 0."""
        z = torch.relu((x - self.center) @ self.encoder.T + self.bias)
        return z if self.k is None else top_k(z, self.k)

    def decode(self, z: Tensor) -> Tensor:
        """(batch, K) → (batch, D)."""
        return self.center + z @ self.dictionary

    def forward(self, x: Tensor) -> Tensor:
        """x̂: (batch, D) → (batch, D)."""
        return self.decode(self.encode(x))


def sparse_error(model: SparseAutoencoder, x: Tensor, beta: float | Tensor = 0.0) -> dict[str, Tensor]:
    """‖x − x̂‖² + λ Σ_k z_k, averaged over the batch: "loss", and its parts "reconstruction" and "size" (without λ).

    beta: λ ≥ 0, so that `training.fit_many` can hand one to each model.
    """
    z = model.encode(x)
    reconstruction, size = squared_error(x, model.decode(z)), z.sum(dim=-1).mean()
    return {"loss": reconstruction + beta * size, "reconstruction": reconstruction, "size": size}


@torch.no_grad()
def dead(model: SparseAutoencoder, x: Tensor) -> Tensor:
    """(K,) of bool: which features are on for no row of x."""
    return ~(model.encode(x) > 0).any(dim=0)


@torch.no_grad()
def revive(model: SparseAutoencoder, x: Tensor, seed: int = 0) -> int:
    """Point every dead feature at a row of x that is copied badly, and say how many there were.

    Rows are drawn with probabilities proportional to their squared error. A revived feature has a bias of 0 and an
    encoder of a fifth of the length of the living ones. Adam's memory is not touched: start a new `fit`.
    Source: T. Bricken et al., Towards monosemanticity, Transformer Circuits Thread, 2023, in a simpler form.
    """
    which = dead(model, x)
    n_dead = int(which.sum())
    if n_dead:
        errors = (x - model(x)).square().sum(dim=1)
        rows = errors.multinomial(
            n_dead, replacement=n_dead > len(x), generator=torch.Generator().manual_seed(seed)
        )
        directions = nn.functional.normalize(x[rows] - model.center, dim=1)
        living = model.encoder[~which].norm(dim=1)
        model.weight[which] = directions
        model.encoder[which] = directions * (0.2 * living.mean() if len(living) else 1.0)
        model.bias[which] = 0.0
    return n_dead


# What was found


class Match(NamedTuple):
    """For each true feature the learned one that is its partner (-1: none is left) and their cosine (0: none), (M,)."""

    partner: Tensor
    cosine: Tensor

    def found(self, least: float = 0.9) -> int:
        """How many true features have a partner with at least this cosine."""
        return int((self.cosine >= least).sum())


def match(learned: Tensor, true: Tensor) -> Match:
    """Pair learned (K, D) and true (M, D) directions one to one, so that the sum of their cosines is the largest."""
    from scipy.optimize import linear_sum_assignment

    learned, true = _directions("learned", learned), _directions("true", true)
    if learned.shape[1] != true.shape[1]:
        raise ValueError(f"learned has {learned.shape[1]} inputs and true has {true.shape[1]}.")
    cosines = true @ learned.T
    rows, columns = map(torch.as_tensor, linear_sum_assignment(cosines.numpy(), maximize=True))
    partner = torch.full((len(true),), -1).index_put((rows,), columns)
    cosine = torch.zeros(len(true), dtype=cosines.dtype).index_put((rows,), cosines[rows, columns])
    return Match(partner, cosine)


def _directions(name: str, rows: Tensor) -> Tensor:
    if rows.ndim != 2 or not (rows.norm(dim=1) > 0).all():
        raise ValueError(f"{name} should hold one direction a row, none of them zero.")
    return nn.functional.normalize(rows.detach().double(), dim=1)


def label_information(on: Tensor, labels: Tensor) -> Tensor:
    """Mutual information in bits of each feature, on or off, with a label: (n, K) of bool, (n,) → (K,). At most 1."""
    if on.ndim != 2 or labels.shape != (len(on),) or len(on) == 0:
        raise ValueError(
            f"on should be (n, K) and labels (n,), with n > 0; got {tuple(on.shape)} and {tuple(labels.shape)}."
        )
    is_label = nn.functional.one_hot(labels.long()).double()
    together = on.double().T @ is_label
    joint = torch.stack([together, is_label.sum(dim=0) - together], dim=1) / len(on)
    return mutual_information(joint) / torch.log(torch.tensor(2.0, dtype=torch.float64))


def commonest_label(on: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """For each feature the label that most rows with it on have, (K,), and the share of those rows that have it, (K,)."""
    together = on.double().T @ nn.functional.one_hot(labels.long()).double()
    return together.argmax(dim=1), together.amax(dim=1) / together.sum(dim=1).clamp(min=1)


@torch.no_grad()
def ablation(
    read: Callable[[Tensor], Tensor],
    h: Tensor,
    on: Tensor,
    directions: Tensor,
    classes: Tensor,
    center: Tensor,
) -> Tensor:
    """What is lost without a direction: for each k, the mean change of read(h)[:, classes[k]], (K,).

    h (n, D) are activations, and read gives (n, C) from them, such as log-probabilities. In the rows where on[:, k], the
    part of h − center (D,) along the unit vector directions[k] (D,) is taken away. NaN for a k that is never on.
    """
    whole, changes = read(h), []
    for rows, w, label in zip(on.T, directions, classes.tolist(), strict=True):
        part = (h[rows] - center) @ w
        left = read(h[rows] - part[:, None] * w)
        changes.append((left - whole[rows])[:, label].mean())
    return torch.stack(changes)


def random_directions(n: int, like: Tensor, spread: bool = False, seed: int = 0) -> Tensor:
    """n random unit vectors, (n, D), to compare features of the rows of `like` with. If `spread`, drawn with their covariance."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(n, like.shape[1], generator=generator).to(like)
    if spread:
        centred = like - like.mean(dim=0)
        drawn = torch.randn(n, len(like), generator=generator).to(like) @ centred
    return nn.functional.normalize(drawn, dim=1)


def as_often_on(h: Tensor, directions: Tensor, rates: Tensor) -> Tensor:
    """(K,): above which value h · w_k lies in a share rates[k] of the rows of h."""
    along = h @ directions.T
    return torch.stack([column.quantile(1 - rate) for column, rate in zip(along.T, rates, strict=True)])


# Checks


def _checked_price(lam: float) -> None:
    if not 0 <= lam < float("inf"):
        raise ValueError(f"λ is a price and cannot be {lam:g}: take a finite number that is not negative.")


def _checked_k(k: int, n_features: int) -> int:
    k = operator.index(k)
    if not 1 <= k <= n_features:
        raise ValueError(f"k = {k} of {n_features} features cannot be on: take a k from 1 to {n_features}.")
    return k


def _checked_sizes(n_inputs: int, n_features: int) -> None:
    for name, size in (("n_inputs", n_inputs), ("n_features", n_features)):
        if operator.index(size) < 1:
            raise ValueError(f"{name} should be at least 1, got {size}.")
