"""Four things wanted from a code besides copying, each as one number, and a scorecard to compare models.

informative     held-out R² of the reconstruction                    (-inf, 1]
disentangled    mutual information gap with known factors            [0, 1]
robust          how little the code moves for a small input change   [0, 1]
representative  do codes decode to data, and to all of it            [0, 1]

Higher is better throughout. One does not follow from another: a scrambled code is as informative as before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from aelib.models import Projection

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from aelib.data.dataset import Dataset

METRICS = ("informative", "disentangled", "robust", "representative")
ROWS_AT_ONCE = 256
"""Training examples whose distances to all others are held in memory together."""


class UndefinedError(ValueError):
    """The measure has no value here (0/0, as robustness of a constant code): a scorecard shows a dash."""


# Informative


def informative(x: Tensor, x_hat: Tensor, train_mean: Tensor) -> float:
    """Held-out R²: 1 - Σ‖x - x̂‖² / Σ‖x - train_mean‖², for x, x̂ (n, D) and train_mean (D,).

    1 is a perfect copy, 0 as good as answering with the training mean each time, negative is worse than that.
    Judges code and decoder together: the same code with a better decoder scores more (`models.FixedCode`).
    Blind to what the code looks like: every one-to-one recoding whose decoder follows scores the same.
    Squared error weighs each pixel alike, whether it is dull background or a telling detail.
    """
    x, x_hat = _matrix("x", x), _matrix("x_hat", x_hat)
    if x.shape != x_hat.shape or train_mean.shape != x.shape[1:]:
        raise ValueError(
            f"expected x_hat of shape {tuple(x.shape)} and train_mean of shape ({x.shape[1]},), got "
            f"{tuple(x_hat.shape)} and {tuple(train_mean.shape)}: train_mean is data.train.mean(0)."
        )
    spread = (x - train_mean).square().sum()
    if spread.sqrt() <= 10 * torch.finfo(train_mean.dtype).eps * x.abs().max() * math.sqrt(x.numel()):
        raise UndefinedError(
            "every example equals the training mean: there is nothing to explain, R² would be 0/0."
        )
    return float(1 - (x - x_hat).square().sum() / spread)


# Disentangled


def mutual_information(joint: Tensor) -> Tensor:
    """I ≥ 0 in nats of two discrete variables, from tables of their joint probabilities: (..., rows, columns) → (...)."""
    independent = joint.sum(-1, keepdim=True) * joint.sum(-2, keepdim=True)
    return (torch.xlogy(joint, joint) - torch.xlogy(joint, independent)).sum(dim=(-2, -1)).clamp(min=0)


def information_table(z: Tensor, factors: Tensor, n_bins: int = 20) -> Tensor:
    """Mutual information of each code coordinate with each factor, in nats: (n, K), (n, F) → (K, F).

    Each column is cut into n_bins cells with equal counts (a column with at most n_bins different values
    keeps them as they are), and the table of counts is read as probabilities. Finite samples bias every entry
    upwards, by about (cells - 1)² / 2n when there is nothing to find.
    """
    z, factors = _codes_and_factors(z, factors, n_bins)
    columns = _cells(z, n_bins)
    return torch.stack([_information(columns, cells, n_bins) for cells in _cells(factors, n_bins).T], dim=1)


def disentangled(z: Tensor, factors: Tensor, n_bins: int = 20) -> float:
    """Mutual information gap (MIG), for codes z (n, K) and known factors (n, F). Range [0, 1].

    For each factor: how much more the best coordinate tells about it than the second best, as a fraction of
    the factor's entropy; then the mean over factors. 1: each factor sits in one coordinate, and nowhere else.
    0: no coordinate stands out, because the code is mixed or because it tells nothing. Estimated with
    `information_table`. A code with one coordinate has no second best: that counts as telling nothing.

    Unchanged by the order, sign, scale or any monotone change of coordinates, and by permuting their cells.
    Blind to a factor spread over two coordinates by right (an angle as sine and cosine scores 0), and to two
    factors sharing one coordinate. The estimate needs many more examples than cells: a perfect code of two
    uniform factors scores 0.9 with 600 examples, 0.98 with 3,000.
    Source: Chen, Li, Grosse & Duvenaud, Isolating sources of disentanglement in VAEs, NeurIPS 2018. They
    integrate over q(z|x); here one code for each example is cut into cells.
    """
    table = information_table(z, factors, n_bins)
    entropy = information_table(factors, factors, n_bins).diagonal()
    _check_factors_vary(entropy)
    best_two = nn.functional.pad(table, (0, 0, 0, 1)).topk(2, dim=0).values
    return float(((best_two[0] - best_two[1]) / entropy).mean().clamp(0, 1))


def disentanglement_dci(z: Tensor, factors: Tensor, seed: int = 0) -> float:
    """The D of DCI: does each code coordinate matter for one factor only?

    For codes z (n, K) and factors (n, F). Range [0, 1]. An ensemble of 30 extremely randomised trees of depth
    8 predicts each factor from the code (a factor with at most 10 different values is classified, others are
    regressed). Row i of the importances, as probabilities over factors, has entropy H_i; coordinate i scores
    1 - H_i / log F, and coordinates are averaged, weighted by their importance. Unlike the MIG it does not
    mind a factor spread over two coordinates.

    Blind to how well the factors are predicted: importances are relative, even where the trees predict
    nothing. Slightly below 1 for a perfect code, as trees of depth 8 leave crumbs of importance. Trees look
    along the axes.
    Source: Eastwood & Williams, A framework for the quantitative evaluation of disentangled representations,
    ICLR 2018 (they use lasso or random forests).
    """
    z, factors = _codes_and_factors(z, factors, n_bins=2)
    if factors.shape[1] < 2:
        raise ValueError("DCI's disentanglement compares factors: it needs at least two, got one.")
    _check_factors_vary(factors.std(dim=0))
    importance = torch.stack([_tree_importance(z, factor, seed) for factor in factors.T], dim=1)
    weight = importance.sum(dim=1)
    if weight.sum() == 0:
        return 0.0
    share = importance / weight.clamp(min=1e-300)[:, None]
    entropy = -torch.xlogy(share, share).sum(dim=1) / math.log(factors.shape[1])
    return float(((1 - entropy) * weight / weight.sum()).sum().clamp(0, 1))


# Robust


def robust(encode: Callable[[Tensor], Tensor], x: Tensor, step: float = 0.1, seed: int = 0) -> float:
    """How little the code moves when the input changes a little, x (n, D). Range [0, 1], 1 is ideal.

    Every network is continuous, so continuity itself tells nothing; what is measured is *relative* movement:

    - each x_i moves the fraction `step` of the way to another example x_j, drawn at random (a double
      exposure: 90 % of one picture, 10 % of the other, so still within the range of the data);
    - the code's relative movement is m = rms ‖encode(x_i + step (x_j - x_i)) - encode(x_i)‖ / rms
      ‖encode(x_j) - encode(x_i)‖; that of the input is `step`, by construction;
    - the score is (step/m - step) / (1 - step), cut to [0, 1]. It is 1 if the code moves no further than the
      input (m <= step), about 1/2 if it moves twice as far, and 0 if a small change moves the code as far as
      another example would (m = 1).

    With step 0.1 a code that goes with the input moves about one cell of 20 with equal counts: a code that is
    smooth in the large but torn between cells does not pass. Unchanged by shifting, rescaling or rotating the
    input or the code. Any linear code, isometries and orthogonal projections among them, scores 1. Noise in
    `encode` counts.

    Blind to inputs unlike blends of data (pixel noise, shifts by one pixel) and to what happens at other step
    sizes; a code that ignores most of x may well be robust. A constant code is 0/0: UndefinedError, a
    ValueError.
    """
    x = _examples(x)
    if not 0 < step < 1:
        raise ValueError(f"step is a fraction of the way to another example, between 0 and 1; got {step}.")
    other = _partners(len(x), seed)
    with torch.no_grad():
        z = _code(encode, x)
        moved = _code(encode, x + step * (x[other] - x))
    spread = (z[other] - z).square().sum().sqrt()
    if spread <= 1e-6 * z.abs().max() * math.sqrt(z.numel()):
        raise UndefinedError(
            "the code is the same for every example: its movement relative to its spread is 0/0."
        )
    movement = float((moved - z).square().sum().sqrt() / spread)
    return 1.0 if movement <= step * (1 + 1e-4) else max(0.0, step * (1 / movement - 1) / (1 - step))


# Representative


@dataclass(frozen=True)
class Representative:
    """What `representative` found, where the parts are defined; score is in [0, 1]."""

    distance_ratio: float
    coverage: float
    real_coverage: float

    @property
    def closeness(self) -> float:
        """min(1, 1 / distance_ratio): to be nearer to the training data than real data is earns nothing."""
        return 1.0 if self.distance_ratio <= 1 else 1 / self.distance_ratio

    @property
    def relative_coverage(self) -> float:
        """min(1, coverage / real_coverage)."""
        return min(1.0, self.coverage / self.real_coverage)

    @property
    def score(self) -> float:
        return min(self.closeness, self.relative_coverage)


def representative(generated: Tensor, train: Tensor, held_out: Tensor, k: int = 5) -> Representative:
    """Do decoded points of the code space look like data, and like all of it? Three sets of examples, (·, D).

    Both parts compare with the training data, and take real held-out examples as the standard:

    - distance_ratio: mean distance of a generated example to its nearest training example, over that of a
      held-out one. 1: as near as real data; above: unlike data; below: blurred or copied. closeness is
      min(1, 1 / ratio).
    - coverage: fraction of the training examples that have a generated one within the distance of their own
      k-th nearest training neighbour; real_coverage: what the held-out examples reach. Both depend on how
      many there are: generate as many as are held out, more are refused, fewer cover less.

    score is the smaller of closeness and coverage / real_coverage, at most 1. It judges code, decoder and the
    distribution that the codes were drawn from. Both parts are needed. A mean of many
    pictures is nearer to the data than real pictures are, so distance alone prefers ten class means to real
    digits: they fail on coverage. A mixture of half data and half noise covers a good part: it fails on
    distance.

    Unchanged by shifting, rescaling or rotating all three sets. Blind to copies (a generator that repeats the
    training set scores as high as the data), to proportions, and to all that Euclidean distance between
    pixels does not see. In many dimensions distances are much alike and closeness falls slowly: look at the
    pictures too.
    Source: coverage is from Naeem, Oh, Uh, Choi & Yoo, Reliable fidelity and diversity metrics for generative
    models, ICML 2020. Comparing it with real data, the distance ratio and taking the smaller are choices made
    here.
    """
    return Standard(train, held_out, k).judge(generated)


class Standard:
    """What real held-out examples reach: found once, for many sets of generated ones (see `representative`).

    train, held_out: examples (·, D); k as there.
    """

    def __init__(self, train: Tensor, held_out: Tensor, k: int = 5) -> None:
        train, held_out = _matrix("train", train), _matrix("held_out", held_out)
        _check_rows_of_one_length(train=train, held_out=held_out)
        if len(train) <= k:
            raise ValueError(f"coverage needs more than k = {k} training examples, got {len(train)}.")
        self.n_held_out = len(held_out)
        # The mean is taken off: far from 0, torch.cdist loses the digits of a small distance.
        self.mean = train.mean(dim=0)
        self.train, held_out = train - self.mean, held_out - self.mean
        blocks = self.train.split(ROWS_AT_ONCE)
        self.radius = torch.cat([_neighbour_distance(block, self.train, k + 1) for block in blocks])
        self.distance, self.coverage = _nearness(held_out, self.train, self.radius)
        if self.distance <= 1e-6 * _root_mean_square(self.train) or self.coverage == 0:
            raise UndefinedError(
                "the held-out examples set no standard: all are copies of training examples, or none is near one."
            )

    def judge(self, generated: Tensor) -> Representative:
        """generated: (n, D), at most as many as are held out."""
        generated = _matrix("generated", generated)
        _check_rows_of_one_length(generated=generated, train=self.train)
        if len(generated) > self.n_held_out:
            raise ValueError(
                f"{len(generated)} generated examples would cover more than {self.n_held_out} held-out ones "
                "because they are more: generate as many as are held out."
            )
        distance, coverage = _nearness(generated - self.mean, self.train, self.radius)
        return Representative(
            distance_ratio=distance / self.distance,
            coverage=coverage,
            real_coverage=self.coverage,
        )


def _root_mean_square(x: Tensor) -> float:
    """Of the rows' lengths. torch.cdist errs by about 1e-8 of it in float64, so that copies are not quite at 0."""
    return float(x.square().sum(dim=1).mean().sqrt())


def _neighbour_distance(points: Tensor, among: Tensor, k: int) -> Tensor:
    """(n,): the distance of each point to its k-th nearest among others (itself counted, if it is there)."""
    return torch.cdist(points, among).topk(k, dim=1, largest=False).values[:, -1]


def _nearness(points: Tensor, train: Tensor, radius: Tensor) -> tuple[float, float]:
    """The points' mean distance to the nearest of train, and the fraction of train with a point within its radius."""
    nearest, covered = points.new_full((len(points),), math.inf), 0
    for rows, reach in zip(train.split(ROWS_AT_ONCE), radius.split(ROWS_AT_ONCE), strict=True):
        distance = torch.cdist(rows, points)
        nearest = torch.minimum(nearest, distance.min(dim=0).values)
        covered += int((distance.min(dim=1).values <= reach).sum())
    return float(nearest.mean()), covered / len(train)


def draw_codes(model: Any, x: Tensor, n: int, seed: int = 0) -> Tensor:
    """n points of the model's code space: (n, K). The distribution that `scorecard` uses.

    ``model.sample_codes(n, generator)`` where the model has it (a VAE's prior); else the one Gaussian with
    the mean and covariance of the codes of x, so that the distribution follows whatever is done to the code. One Gaussian
    may be the wrong distribution for good codes: compare `draw_from_mixture`.
    """
    generator = torch.Generator().manual_seed(seed)
    sample_codes = getattr(model, "sample_codes", None)
    if sample_codes is not None:
        return sample_codes(n, generator)
    z = _code(model.encode, x)
    mean = z.mean(dim=0)
    values, vectors = torch.linalg.eigh(torch.atleast_2d(torch.cov(z.T, correction=0)))
    eps = torch.randn(n, z.shape[1], generator=generator, dtype=z.dtype)
    return (mean + (eps * values.clamp(min=0).sqrt()) @ vectors.T).to(x.dtype)


def draw_from_mixture(model: Any, x: Tensor, n: int, n_gaussians: int = 10, seed: int = 0) -> Tensor:
    """n points of the model's code space from a mixture of Gaussians fitted to the codes of x (m, D): (n, K).

    The mixture is fitted by maximum likelihood (scikit-learn's GaussianMixture, full covariances), whatever distribution
    the model may have of its own. The points come sorted by their Gaussian; their order tells nothing.
    Source: Ghosh, Sajjadi, Vergari, Black & Schölkopf, From variational to deterministic autoencoders, ICLR 2020, who
    fit a density to the codes after training.
    """
    from sklearn.mixture import GaussianMixture

    z = _code(model.encode, x)
    mixture = GaussianMixture(n_gaussians, random_state=seed).fit(z.numpy())
    return torch.from_numpy(mixture.sample(n)[0]).to(x.dtype)


# Models to compare with


@torch.no_grad()
def active_latents(model: Any, x: Tensor, threshold: float = 0.01) -> Tensor:
    """Which latents of a VAE say something about x: (n, D) → (K,) bool.

    Active means that the posterior mean μ_k(x) varies over the examples by more than `threshold`, in squared units of
    the prior's standard deviation. A latent may fail and still have a KL: a cloud that is narrow but never moves pays
    and tells nothing. Source: Burda, Grosse & Salakhutdinov, arXiv:1509.00519.
    """
    mu, _ = _of_any_type(model).encode(x)
    return mu.var(dim=0, unbiased=False) > threshold


@dataclass(frozen=True)
class CodePair:
    """Any two functions as a model: encode (n, D) → (n, K) and decode (n, K) → (n, D), on tensors.

    sample_codes(n, generator) → (n, K): the distribution of the codes, if the pair has one of its own.
    What works on arrays needs wrapping, as in ``lambda x: torch.from_numpy(fitted.transform(x.numpy()))``.
    """

    encode: Callable[[Tensor], Tensor]
    decode: Callable[[Tensor], Tensor]
    sample_codes: Callable[[int, torch.Generator], Tensor] | None = None


def raw_pixels() -> CodePair:
    """The code is the input itself: a perfect copy, and no compression."""
    return CodePair(encode=torch.clone, decode=torch.clone)


def random_projection(x: Tensor, latent_dim: int, seed: int = 0) -> Projection:
    """Project onto latent_dim random orthonormal directions; the pseudo-inverse, their transpose, decodes."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.linalg.qr(torch.randn(x.shape[1], latent_dim, generator=generator)).Q
    return Projection(x.mean(dim=0), weight)


def recode(model: Any, h: Callable[[Tensor], Tensor], h_inverse: Callable[[Tensor], Tensor]) -> CodePair:
    """The same model with the code changed by h: it encodes h(encode(x)) and decodes decode(h_inverse(z)).

    The distribution of the codes follows: h of the model's own samples if it has such a distribution, else it is fitted
    to the new codes. `aelib.bijections` has some h with their inverses, for example
    ``recode(model, lambda z: scramble(z, edges), lambda z: unscramble(z, edges))``.
    """
    sample_codes = getattr(model, "sample_codes", None)
    follow = None if sample_codes is None else lambda n, generator: h(sample_codes(n, generator))
    return CodePair(lambda x: h(_first(model.encode(x))), lambda z: model.decode(h_inverse(z)), follow)


# Scorecard


@dataclass(frozen=True)
class Scorecard:
    """Scores of several models, over seeds: a table in a notebook and by print(), a dot plot by `draw`.

    values: (n_models, n_metrics, n_seeds). NaN stands for a score that is not defined: the tables show a
    dash, and notes says why.
    """

    names: tuple[str, ...]
    metrics: tuple[str, ...]
    values: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def mean(self) -> np.ndarray:
        """(n_models, n_metrics), over seeds."""
        return self.values.mean(axis=2)

    @property
    def error(self) -> np.ndarray:
        """(n_models, n_metrics): the standard error of the mean over seeds; NaN with a single seed."""
        n_seeds = self.values.shape[2]
        if n_seeds == 1:
            return np.full(self.mean.shape, np.nan)
        return self.values.std(axis=2, ddof=1) / math.sqrt(n_seeds)

    def cell(self, row: int, column: int) -> str:
        """One score as text: 0.87 ± 0.01, or a dash where it is not defined."""
        mean, error = self.mean[row, column], self.error[row, column]
        if np.isnan(mean):
            return "—"
        return f"{mean:.2f}" if np.isnan(error) else f"{mean:.2f} ± {error:.2f}"

    def __repr__(self) -> str:
        rows = [["", *self.metrics]] + [[name, *self._row(i)] for i, name in enumerate(self.names)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, *self.notes, self._footer()])

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{escape(metric)}</th>' for metric in ("", *self.metrics))
        rows = "".join(self._html_row(i) for i in range(len(self.names)))
        below = "".join(f"<p>{escape(note)}</p>" for note in (*self.notes, self._footer()))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{below}"

    def draw(self, ax: Axes, colours: Mapping[str, str] | None = None) -> Axes:
        """Dots with error bars on ax: one row for each desideratum, one marker for each model. Returns ax.

        colours: from a model's name to its colour; others are black. Markers alone tell the models apart.
        """
        offsets = np.linspace(-0.3, 0.3, len(self.names)) if len(self.names) > 1 else np.zeros(1)
        for row, name in enumerate(self.names):
            height = np.arange(len(self.metrics)) + offsets[row]
            colour, marker = (colours or {}).get(name, "black"), "osD^vPX*<>"[row % 10]
            error = np.nan_to_num(self.error[row])
            ax.errorbar(self.mean[row], height, xerr=error, fmt=marker, color=colour, capsize=3, label=name)
        ax.set_yticks(range(len(self.metrics)), self.metrics)
        ax.hlines(
            np.arange(1, len(self.metrics)) - 0.5, 0, 1, color="0.85", transform=ax.get_yaxis_transform()
        )
        ax.set_ylim(len(self.metrics) - 0.5, -0.5)
        ax.set_xlabel("score, higher is better")
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
        return ax

    def _row(self, row: int) -> list[str]:
        return [self.cell(row, column) for column in range(len(self.metrics))]

    def _html_row(self, row: int) -> str:
        cells = "".join(f"<td>{text}</td>" for text in self._row(row))
        return f'<tr><th scope="row">{escape(self.names[row])}</th>{cells}</tr>'

    def _footer(self) -> str:
        n_seeds = self.values.shape[2]
        return "One seed, so no error." if n_seeds == 1 else f"Mean ± standard error over {n_seeds} seeds."


def scorecard(models: Mapping[str, Any], data: Dataset, seeds: Sequence[int] = range(5)) -> Scorecard:
    """Score each model on each desideratum, once for each seed.

    models: from a name to a model (anything with encode and decode), or to a function seed → model that
    builds and trains one on data.train. A given model is the same for each seed: its error shows the
    measurement alone. An encoder that returns several tensors (a VAE's mu and log_var) is read by the first.

    informative and robust are measured on data.held_out, representative with as many codes from `draw_codes`
    as examples are held out. disentangled uses every example, because the estimate needs many and no model
    was shown the factors; it is a dash for data whose factors are not known. The split of the data is the
    same for all seeds.
    """
    if not models or not len(seeds):
        raise ValueError("a scorecard needs at least one model and one seed.")
    standard = cache(partial(Standard, data.train, data.held_out))
    runs = [
        [_score(_build(name, model, seed), data, seed, standard) for seed in seeds]
        for name, model in models.items()
    ]
    values = [[[_number(run[metric]) for run in of_model] for metric in METRICS] for of_model in runs]
    return Scorecard(tuple(models), METRICS, np.array(values), _notes(tuple(models), runs))


def score(model: Any, data: Dataset, seed: int = 0) -> dict[str, float | str]:
    """The four desiderata of one model, by name; where a score is not defined, the sentence that says why.

    Conditions as in `scorecard`; seed fixes the changes of the input and the drawn codes.
    """
    return _score(model, data, seed, partial(Standard, data.train, data.held_out))


def _score(model: Any, data: Dataset, seed: int, standard: Callable[[], Standard]) -> dict[str, float | str]:
    """`score`, with what real examples of the data reach; whatever keeps it from being found is a reason, no error."""
    network, model = model, _of_any_type(model)
    measures = {
        "informative": lambda: informative(
            data.held_out, _reconstruct(model, data.held_out), data.train.mean(dim=0)
        ),
        "disentangled": lambda: _disentangled_on(model, data),
        "robust": lambda: robust(model.encode, data.held_out, seed=seed),
        "representative": lambda: _representative_on(model, data, seed, standard()).score,
    }
    with _judged(network):
        return {metric: _value_or_reason(measures[metric]) for metric in METRICS}


def _disentangled_on(model: Any, data: Dataset) -> float:
    if data.factors is None:
        raise UndefinedError(f"the factors behind {data.name} are not known.")
    return disentangled(_code(model.encode, data.all), data.factors)


def _representative_on(model: Any, data: Dataset, seed: int, standard: Standard) -> Representative:
    return standard.judge(model.decode(draw_codes(model, data.train, len(data.held_out_index), seed)))


def _of_any_type(model: Any) -> Any:
    """The model, taking rows and codes of any floating type; a network gets them in its own, on its own device."""
    like = next(model.parameters(), None) if isinstance(model, nn.Module) else None
    if like is None:
        return model
    return CodePair(
        lambda x: model.encode(x.to(like)),
        lambda z: model.decode(z.to(like)),
        getattr(model, "sample_codes", None),
    )


def _reconstruct(model: Any, x: Tensor) -> Tensor:
    return model.decode(_first(model.encode(x)))


def _build(name: str, model: Any, seed: int) -> Any:
    """The model itself, or what a function builds for this seed (a network, callable too, has encode)."""
    built = model if hasattr(model, "encode") or not callable(model) else model(seed)
    if not (hasattr(built, "encode") and hasattr(built, "decode")):
        raise TypeError(
            f"{name}: expected a model with encode and decode, or a function seed → model; "
            f"got {type(built).__name__}. CodePair(encode, decode) makes a model of two functions."
        )
    return built


@contextmanager
def _judged(model: Any) -> Iterator[None]:
    """No gradients, and a network in evaluation mode, as it was afterwards."""
    was_training = getattr(model, "training", False)
    if was_training:
        model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        if was_training:
            model.train()


def _value_or_reason(measure: Callable[[], float]) -> float | str:
    try:
        return measure()
    except UndefinedError as error:
        return str(error)


def _number(value: float | str) -> float:
    return math.nan if isinstance(value, str) else value


def _notes(names: tuple[str, ...], runs: list[list[dict[str, float | str]]]) -> tuple[str, ...]:
    """One line for each reason why a score is missing, with the models that it concerns."""
    concerned: dict[tuple[str, str], list[str]] = {}
    for name, of_model in zip(names, runs, strict=True):
        missing = {(metric, why) for run in of_model for metric, why in run.items() if isinstance(why, str)}
        for reason in sorted(missing):
            concerned.setdefault(reason, []).append(name)
    return tuple(f"— {metric} ({', '.join(who)}): {why}" for (metric, why), who in concerned.items())


# Checks and small parts


def _first(code: Tensor | tuple[Tensor, ...]) -> Tensor:
    return code[0] if isinstance(code, tuple) else code


def _code(encode: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The codes of x as a float64 matrix."""
    z = _matrix("the code", _first(encode(x)))
    if len(z) != len(x):
        raise ValueError(f"the encoder turned {len(x)} examples into {len(z)} codes: expected one for each.")
    return z


def _matrix(name: str, values: Tensor) -> Tensor:
    """Checked, without gradient, float64 (sums over many pixels lose digits in float32)."""
    if not isinstance(values, Tensor) or values.ndim != 2 or 0 in values.shape:
        found = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(f"{name}: expected a tensor with one row for each example, got {found}.")
    if not torch.isfinite(values).all():
        raise ValueError(
            f"{name}: holds NaN or infinity. Training has probably diverged: try a smaller learning rate."
        )
    return values.detach().double()


def _examples(x: Tensor) -> Tensor:
    """x as it is, in the type that the encoder expects, checked."""
    if len(_matrix("x", x)) < 2:
        raise ValueError("robustness compares examples: it needs at least two, got one.")
    return x


def _partners(n: int, seed: int) -> Tensor:
    """For each of n examples another one, at random: neighbours in a shuffled circle."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return torch.empty_like(order).scatter_(0, order, order.roll(1))


def _check_rows_of_one_length(**sets: Tensor) -> None:
    lengths = [rows.shape[1] for rows in sets.values()]
    if len(set(lengths)) > 1:
        raise ValueError(f"{' and '.join(sets)} need rows of one length, got {lengths} numbers.")


def _codes_and_factors(z: Tensor, factors: Tensor, n_bins: int) -> tuple[Tensor, Tensor]:
    z, factors = _matrix("z", z), _matrix("factors", factors)
    if len(z) != len(factors):
        raise ValueError(
            f"expected one row of factors for each code, got {len(z)} codes and {len(factors)} rows."
        )
    if n_bins < 2 or len(z) < n_bins:
        raise ValueError(
            f"{len(z)} examples cannot fill {n_bins} cells: use at least 2 cells, and more examples."
        )
    return z, factors


def _check_factors_vary(spread: Tensor) -> None:
    if (spread <= 0).any():
        raise ValueError(
            f"factor {int(spread.argmin())} is the same in every example: "
            "nothing can tell about it. Leave it out."
        )


def _information(columns: Tensor, cells: Tensor, n_bins: int) -> Tensor:
    """In nats, of each column of cell numbers (n, K) with the cell numbers (n,) of one factor: (K,)."""
    return mutual_information(_joint_counts(columns, cells, n_bins) / len(cells))


def _joint_counts(columns: Tensor, cells: Tensor, n_bins: int) -> Tensor:
    """A table of counts for each column of cell numbers, with those of one factor: (n, K), (n,) → (K, n_bins, n_bins)."""
    table = n_bins**2 * torch.arange(columns.shape[1])
    entry = table + n_bins * columns + cells[:, None]
    counts = torch.bincount(entry.flatten(), minlength=columns.shape[1] * n_bins**2)
    return counts.reshape(-1, n_bins, n_bins).double()


def _cells(columns: Tensor, n_bins: int) -> Tensor:
    """Which cell each number of each column falls in, counted from 0: (n, C) → (n, C)."""
    return torch.stack([_column_cells(column.contiguous(), n_bins) for column in columns.T], dim=1)


def _column_cells(column: Tensor, n_bins: int) -> Tensor:
    """Cells with equal counts; equal numbers share one, and up to n_bins different values get one each."""
    distinct, which = column.unique(return_inverse=True)
    if len(distinct) <= n_bins:
        return which
    inner_edges = torch.quantile(column, torch.linspace(0, 1, n_bins + 1, dtype=column.dtype)[1:-1])
    return torch.searchsorted(inner_edges, column, right=True)


def _tree_importance(z: Tensor, factor: Tensor, seed: int) -> Tensor:
    """(K,): how much each coordinate helps 30 trees of depth 8 to predict the factor; sums to 1, or to 0."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    discrete = len(factor.unique()) <= 10
    trees = ExtraTreesClassifier if discrete else ExtraTreesRegressor
    fitted = trees(n_estimators=30, max_depth=8, max_features=1.0, random_state=seed).fit(z, factor)
    return torch.from_numpy(fitted.feature_importances_)
