"""Tasks of lesson 02, with references of their own."""

import math

import numpy as np
import torch

from aelib.exercises.frame import Wrong, array, exercise
from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import Extreme, task

# --- mutual information from counts -----------------------------------------------------------------------


def _entropy(probabilities) -> float:
    p = probabilities[probabilities > 0]
    return float(-(p * np.log(p)).sum())


def _entropies(counts) -> tuple[float, float, float]:
    """Of the rows, of the columns, and of the table."""
    joint = counts / counts.sum()
    return _entropy(joint.sum(axis=1)), _entropy(joint.sum(axis=0)), _entropy(joint.ravel())


def _information_slips(counts) -> dict[str, tuple]:
    rows, columns, both = _entropies(counts)
    want, joint = rows + columns - both, counts / counts.sum()
    log_ratio = lambda p: np.log(p / (p.sum(axis=1, keepdims=True) * p.sum(axis=0)))  # noqa: E731
    unknown = "that is what is left unknown of the {} once the {} is seen; information is what is gone."
    return {
        "bits": (want / math.log(2), "that is the value in bits; in nats the logarithm is the natural one."),
        "sign": (-want, "the right size with the wrong sign; information is never negative."),
        "entropy of the rows": (rows, "that is the entropy of the rows; subtract what is still unknown once the column is seen."),
        "entropy of the columns": (columns, "that is the entropy of the columns; subtract what is still unknown once the row is seen."),
        "joint entropy": (both, "that is the entropy of the whole table, which counts what rows and columns do not share as well."),
        "row given column": (both - columns, unknown.format("row", "column")),
        "column given row": (both - rows, unknown.format("column", "row")),
        "weights missing": (log_ratio(joint).sum(), "each term needs its weight, the joint probability."),
        "weights of the product": ((joint.sum(axis=1, keepdims=True) * joint.sum(axis=0) * log_ratio(joint)).sum(), "the weight is the joint probability p(x, y), not p(x) p(y)."),
        "mean": ((joint * log_ratio(joint)).mean(), "you averaged the terms; they are weighted already, so sum."),
        "not normalised": ([(counts * log_ratio(counts)).sum(), (counts * log_ratio(joint)).sum(), (joint * log_ratio(counts)).sum()], "counts have to be divided by their total, to be probabilities."),
    }  # fmt: skip


def _counts(n_rows: int, n_columns: int) -> np.ndarray:
    return np.random.default_rng(n_rows).integers(1, 30, size=(n_rows, n_columns)).astype(float)


def _zeros(name: str, table: list[list[float]], why_nan: str) -> Extreme:
    dropped = "a count of 0 stays 0; neither drop it nor fill it up."
    why = lambda got: f"this is {name}. In it {why_nan if np.isnan(got).any() else dropped}"  # noqa: E731
    return Extreme((np.array(table),), name, why)


LEFT, RIGHT = [4.0, 4.0, 0.0], [0.0, 4.0, 4.0]
OF_P = "0 · log 0 counts as 0, which torch.xlogy(p, p) takes care of."
OF_PRODUCT = "p / (p · p) is 0/0; subtract torch.xlogy(p, product) from torch.xlogy(p, p)."


@task(
    "02.1",
    cases=[(_counts(3, 5),), (_counts(4, 2),), (1000 * _counts(2, 6),)],
    slips=_information_slips,
    extremes=[
        _zeros("the table of the lesson", [LEFT, RIGHT], OF_P),
        _zeros("a table with a row of zeros", [LEFT, [0.0, 0.0, 0.0], RIGHT], OF_PRODUCT),
        _zeros("a table with a column of zeros", [[4.0, 0.0, 1.0], [2.0, 0.0, 5.0]], OF_PRODUCT),
        _zeros("a table with one entry in each row and column", [[3.0, 0.0], [0.0, 5.0]], OF_P),
        _zeros("a table of one row", [[3.0, 0.0, 2.0]], OF_P),
    ],
    called="your information",
    unit=" nats",
    where=lambda counts: f"for a table {counts.shape}",
    rule="Σ p(x, y) log of p(x, y) over p(x) p(y), with p = counts / total.",
    right="Right. It is 0 for a table whose rows are in proportion, and the entropy of the rows where each column has a single entry.",
)
def mutual_information(counts) -> float:
    """``answer(counts) -> nats``: I of row and column, from a table of counts (rows, columns) with zeros in it."""
    rows, columns, both = _entropies(counts)
    return rows + columns - both


# --- R² ---------------------------------------------------------------------------------------------------


def _r_squared_slips(x, x_hat, mean) -> dict[str, tuple]:
    error, spread = (x - x_hat) ** 2, (x - mean) ** 2
    lost = error.sum() / spread.sum()
    around = lambda center: 1 - error.sum() / ((x - center) ** 2).sum()  # noqa: E731
    one_each = lambda axis: 1 - (error.sum(axis=axis) / spread.sum(axis=axis)).mean()  # noqa: E731
    lengths = 1 - np.sqrt(error.sum(axis=1)).sum() / np.sqrt(spread.sum(axis=1)).sum()
    return {
        "share lost": (lost, "that is the share which is lost; R² is one minus it."),
        "mean of x": (around(x.mean(axis=0)), "the spread was taken around the mean of x itself, but a held-out mean is not known beforehand: use train_mean."),
        "around 0": (around(0), "the spread is measured around train_mean, not around 0."),
        "one mean": (around(mean.mean()), "train_mean has one number for each dimension, and you averaged them into one."),
        "around x_hat's mean": (around(x_hat.mean(axis=0)), "the spread was taken around the mean of the copies; use train_mean."),
        "spread of the copies": (((x_hat - mean) ** 2).sum() / spread.sum(), "that is the spread of the copies over that of x; R² is one minus the error over the spread."),
        "one for each number": (one_each(0), "you averaged one R² for each number; sum errors and spreads first, then divide."),
        "one for each example": (one_each(1), "you averaged one R² for each example; sum errors and spreads first, then divide."),
        "upside down": (1 - 1 / lost, "the fraction is upside down; the error goes above, the spread below."),
        "root": (1 - math.sqrt(lost), "you took the root of the ratio; R² compares the squared distances as they are."),
        "cut off at 0": (max(1 - lost, 0), "R² is negative where copies are worse than the mean; do not cut it off."),
        "sum for a mean": ([1 - error.mean() / spread.sum(), 1 - error.sum() / spread.mean()], "one of the two is a sum and the other a mean; take the same of both."),
        "not squared": ([lengths, 1 - np.abs(x - x_hat).sum() / np.abs(x - mean).sum()], "the distances have to be squared."),
    }  # fmt: skip


def _copies(n: int, D: int, noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, copies with this much noise, and a training mean."""
    generator = np.random.default_rng(D)
    x = generator.normal(size=(n, D)) * np.linspace(0.2, 3, D) + 1
    return x, x + noise * generator.normal(size=x.shape), np.linspace(-0.3, 1.5, D)


@task(
    "02.2",
    cases=[_copies(9, 6, 4), _copies(9, 6, 0.5), _copies(5, 3, 0.8)],
    slips=_r_squared_slips,
    called="your R²",
    rule="1 − Σ‖x − x̂‖² / Σ‖x − train_mean‖², both sums over everything.",
    right=lambda wants: (
        f"Right: {wants[1]:.2f} of the spread comes back. Had you answered with the training mean each time, it would be 0."
    ),
)
def r_squared(x, x_hat, train_mean) -> float:
    """``answer(x, x_hat, train_mean) -> R²`` for x, x_hat (n, D) and train_mean (D,)."""
    return 1 - ((x - x_hat) ** 2).sum() / ((x - train_mean) ** 2).sum()


# --- how sensitive is a code ------------------------------------------------------------------------------


def _rms(lengths) -> float:
    return math.sqrt(np.mean(lengths**2))


def _distance(encode, x):
    """How far the code of a place lies from the code of x, for each example."""
    coded = lambda place: array(encode(torch.tensor(place)))  # noqa: E731
    return lambda place: np.linalg.norm(coded(place) - coded(x), axis=1)


def _movement_slips(encode, x, other, step: float) -> dict[str, tuple]:
    distance = _distance(encode, x)
    short, far = distance(x + step * (other - x)), distance(other)
    inputs = np.linalg.norm(other - x, axis=1)
    m = _rms(short) / _rms(far)
    towards = lambda place: _rms(distance(place)) / _rms(far)  # noqa: E731
    return {
        "squared": (m**2, "that is the squared ratio; take the root."),
        "not divided": (_rms(short), "that is how far the code moves in its own units; divide by how far it is to the other example's code."),
        "distance of the inputs": ([_rms(short) / _rms(inputs), _rms(short) / _rms(inputs) / step], "you divided by how far the inputs are apart; a code in other units would then score differently."),
        "other added": (towards(x + step * other), "part of the other example was added to the whole of x; go the way from x to other: x + step * (other − x)."),
        "wrong end": (towards(step * x + (1 - step) * other), "you went from the wrong end, and all but the step of the way; start at x: x + step * (other − x)."),
        "away": (towards(x + step * (x - other)), "you went away from the other example; the way from x to other is other − x."),
        "one ratio each": ((short / far).mean(), "you averaged one ratio for each example; two examples with almost the same code would rule them all. Average the squares first, then divide."),
        "lengths averaged": (short.mean() / far.mean(), "rms is the root of the mean of the squares, and you averaged lengths."),
        "whole way": (1.0, "the whole way was gone, not the fraction step."),
        "upside down": (1 / m, "the ratio is upside down: the short way goes above, the whole way below."),
        "divided by step": (m / step, "you divided by step as well; m itself is wanted, which a linear code has equal to step."),
        "step in the code": (step, "you went the fraction step in the code; go it in the input, and encode there."),
        "finished score": ((step / m - step) / (1 - step), "that is the finished score, which (02.6) makes of m; m itself is wanted."),
    }  # fmt: skip


def _curved(n: int, D: int, K: int, step: float) -> tuple:
    """A curved code, examples, others, and a step."""
    generator = np.random.default_rng(K)
    weight = torch.tensor(3 * generator.normal(size=(D, K)))
    encode = lambda x: torch.sin(x.to(weight) @ weight) + 0.3  # noqa: E731
    return (encode, *generator.uniform(size=(2, n, D)), step)


@task(
    "02.3",
    cases=[_curved(40, 5, 2, 0.5), _curved(40, 5, 2, 0.2), _curved(13, 3, 4, 0.1)],
    slips=_movement_slips,
    called="your m",
    where=lambda encode, x, other, step: f"for a step of {step} and {len(x)} examples",
    rule="rms ‖encode(x + step (other − x)) − encode(x)‖ over rms ‖encode(other) − encode(x)‖.",
    right=lambda wants: (
        f"Right: a fifth of the way in the input, {wants[1]:.2f} of the way in the code. For a linear code the two are always equal."
    ),
)
def relative_movement(encode, x, other, step: float) -> float:
    """``answer(encode, x, other, step) -> m``: rms movement of the code for a step towards other, over its rms distance."""
    distance = _distance(encode, x)
    return _rms(distance(x + step * (other - x))) / _rms(distance(other))


# --- four scorecards --------------------------------------------------------------------------------------

CODES = {
    "turned": "turning changes no distance between codes, so nothing is lost, torn or emptied; but each coordinate then tells about both factors",
    "shuffled": "each coordinate still tells about one factor, but neighbours were torn apart",
    "raw pixels": "a perfect copy that cannot move further than itself; but no pixel has a factor to itself, and pixels drawn at random are no picture",
    "forgets up": "half of what was to be told is missing: the copy fails, one factor of two has its coordinate, and all drawn spots lie in a row",
}
CARDS = {"A": "raw pixels", "B": "shuffled", "C": "forgets up", "D": "turned"}


@exercise("02.4")
def match_codes(card_a, card_b, card_c, card_d) -> str:
    """Which code has which scorecard; the four names are the keys of CODES."""
    answers = dict(zip("ABCD", (card_a, card_b, card_c, card_d), strict=True))
    for card, name in answers.items():
        if not isinstance(name, str) or name not in CODES:
            raise Wrong(f"Card {card} should be one of {', '.join(map(repr, CODES))}, but it is {name!r}.")
    if len(set(answers.values())) < len(CODES):
        raise Wrong("Each code has one card: you used a name twice.", "a name twice")
    for card, name in answers.items():
        if name != CARDS[card]:
            why = f"{CODES[name][0].upper()}{CODES[name][1:]}."
            raise Wrong(f"Card {card} is not {name!r}. What would {name!r} do? {why}", f"{name} as {card}")
    return "Right. Three of the four copy perfectly, so no error curve can tell them apart; the other desiderata can."
