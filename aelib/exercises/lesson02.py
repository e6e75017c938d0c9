"""Checks for lesson 02, with references of their own."""

import math

import numpy as np
import torch

from aelib.exercises.frame import Wrong, array, by_value, close, exercise, first_slip, function, number
from aelib.exercises.help import hint, progress, reset  # noqa: F401

CODES = {
    "turned": "turning changes no distance between codes, so nothing is lost, torn or emptied; but each coordinate then tells about both factors",
    "shuffled": "each coordinate still tells about one factor, but neighbours were torn apart",
    "raw pixels": "a perfect copy that cannot move further than itself; but no pixel has a factor to itself, and pixels drawn at random are no picture",
    "forgets up": "half of what was to be told is missing: the copy fails, one factor of two has its coordinate, and all drawn spots lie in a row",
}
CARDS = {"A": "raw pixels", "B": "shuffled", "C": "forgets up", "D": "turned"}


def _entropy(probabilities: np.ndarray) -> float:
    p = probabilities[probabilities > 0]
    return float(-(p * np.log(p)).sum())


@exercise("02.1")
def mutual_information(answer) -> str:
    """``answer(counts) -> nats``: I of row and column, from a table of counts (rows, columns) with zeros in it."""
    counts = np.random.default_rng(0).integers(1, 30, size=(3, 5)).astype(float)
    got = number(function(answer)(torch.tensor(counts)), "your information")
    joint = counts / counts.sum()
    want = _entropy(joint.sum(axis=1)) + _entropy(joint.sum(axis=0)) - _entropy(joint.ravel())
    if not close(got, want, rtol=1e-4, atol=1e-7):
        said = f"You got {got:.4f}, expected {want:.4f} nats: "
        raise first_slip(
            by_value(got, _information_slips(counts, want), said),
            said + "Σ p(x, y) log of p(x, y) over p(x) p(y), with p = counts / total.",
        )
    left, right = [4.0, 4.0, 0.0], [0.0, 4.0, 4.0]
    _judge_zeros(
        answer,
        "the table of the lesson",
        [left, right],
        "0 · log 0 counts as 0, which torch.xlogy(p, p) takes care of.",
    )
    _judge_zeros(
        answer,
        "a table with a row of zeros",
        [left, [0.0, 0.0, 0.0], right],
        "p / (p · p) is 0/0 there; subtract torch.xlogy(p, product) from torch.xlogy(p, p).",
    )
    return "Right. It is 0 for a table whose rows are in proportion, and the entropy of the rows where each column has a single entry."


def _judge_zeros(answer, name: str, table: list[list[float]], why_nan: str) -> None:
    """Both tables hold half a bit; nan is what a zero makes of a careless logarithm."""
    got = number(answer(torch.tensor(table)), "your information", finite=False)
    if not close(got, math.log(2) / 2, rtol=1e-4):
        why = why_nan if math.isnan(got) else "a count of 0 stays 0; neither drop it nor fill it up."
        raise Wrong(f"For {name} you got {got:.4g}, expected {math.log(2) / 2:.4f}: {why}")


def _information_slips(counts: np.ndarray, want: float) -> dict[str, object]:
    joint = counts / counts.sum()
    rows, columns, both = _entropy(joint.sum(axis=1)), _entropy(joint.sum(axis=0)), _entropy(joint.ravel())
    log_ratio = lambda p: np.log(p / (p.sum(axis=1, keepdims=True) * p.sum(axis=0)))  # noqa: E731
    return {
        "that is the value in bits; in nats the logarithm is the natural one.": want / math.log(2),
        "the right size with the wrong sign; information is never negative.": -want,
        "that is the entropy of the rows; subtract what is still unknown once the column is seen.": rows,
        "that is the entropy of the columns; subtract what is still unknown once the row is seen.": columns,
        "that is the entropy of the whole table, which counts what rows and columns do not share as well.": both,
        "that is what is left unknown of the row once the column is seen; information is what is gone.": both
        - columns,
        "that is what is left unknown of the column once the row is seen; information is what is gone.": both
        - rows,
        "each term needs its weight, the joint probability.": log_ratio(joint).sum(),
        "counts have to be divided by their total, to be probabilities.": [
            (counts * log_ratio(counts)).sum(),
            (counts * log_ratio(joint)).sum(),
        ],
    }


@exercise("02.2")
def r_squared(answer) -> str:
    """``answer(x, x_hat, train_mean) -> R²`` for x, x_hat (n, D) and train_mean (D,)."""
    generator = np.random.default_rng(1)
    scale = np.linspace(0.2, 3, 6)
    x = generator.normal(size=(9, 6)) * scale + 1
    noise, mean = generator.normal(size=x.shape), np.linspace(-0.3, 1.5, 6)
    for x_hat in (x + 4 * noise, x + 0.5 * noise):
        got = number(function(answer)(torch.tensor(x), torch.tensor(x_hat), torch.tensor(mean)), "your R²")
        want = 1 - ((x - x_hat) ** 2).sum() / ((x - mean) ** 2).sum()
        if not close(got, want, rtol=1e-4, atol=1e-6):
            said = f"You got {got:.4f}, expected {want:.4f}: "
            raise first_slip(
                by_value(got, _r_squared_slips(x, x_hat, mean), said),
                said + "1 − Σ‖x − x̂‖² / Σ‖x − train_mean‖², both sums over everything.",
            )
    return f"Right: {want:.2f} of the spread comes back. Had you answered with the training mean each time, it would be 0."


def _r_squared_slips(x: np.ndarray, x_hat: np.ndarray, mean: np.ndarray) -> dict[str, object]:
    error, spread = (x - x_hat) ** 2, (x - mean) ** 2
    lost = error.sum() / spread.sum()
    around = lambda center: 1 - error.sum() / ((x - center) ** 2).sum()  # noqa: E731
    return {
        "that is the share which is lost; R² is one minus it.": lost,
        "the spread was taken around the mean of x itself, but a held-out mean is not known beforehand: use train_mean.": around(
            x.mean(axis=0)
        ),
        "the spread is measured around train_mean, not around 0.": around(0),
        "train_mean has one number for each dimension, and you averaged them into one.": around(mean.mean()),
        "you averaged one R² for each number; sum errors and spreads first, then divide.": 1
        - (error.sum(axis=0) / spread.sum(axis=0)).mean(),
        "you averaged one R² for each example; sum errors and spreads first, then divide.": 1
        - (error.sum(axis=1) / spread.sum(axis=1)).mean(),
        "the fraction is upside down; the error goes above, the spread below.": 1 - 1 / lost,
        "you took the root of the ratio; R² compares the squared distances as they are.": 1 - math.sqrt(lost),
        "R² is negative where copies are worse than the mean; do not cut it off.": max(1 - lost, 0),
        "the distances have to be squared.": [
            1 - np.sqrt(error.sum(axis=1)).sum() / np.sqrt(spread.sum(axis=1)).sum(),
            1 - np.abs(x - x_hat).sum() / np.abs(x - mean).sum(),
        ],
    }


@exercise("02.3")
def relative_movement(answer) -> str:
    """``answer(encode, x, other, step) -> m``: rms movement of the code for a step towards other, over its rms distance."""
    generator = torch.Generator().manual_seed(3)
    x, other = torch.rand(2, 40, 5, generator=generator, dtype=torch.float64)
    weight = 3 * torch.randn(5, 2, generator=generator, dtype=torch.float64)
    encode = lambda x: torch.sin(x @ weight) + 0.3  # noqa: E731
    distance = lambda place: array((encode(place) - encode(x)).norm(dim=1))  # noqa: E731
    for step in (0.5, 0.2):
        want = _rms(distance(x + step * (other - x))) / _rms(distance(other))
        got = number(function(answer)(encode, x, other, step), "your m")
        if not close(got, want, rtol=1e-4):
            said = f"You got {got:.4f}, expected {want:.4f}: "
            raise first_slip(
                by_value(got, _movement_slips(distance, x, other, step), said),
                said + "rms ‖encode(x + step (other − x)) − encode(x)‖ over rms ‖encode(other) − encode(x)‖.",
            )
    return f"Right: a fifth of the way in the input, {want:.2f} of the way in the code. For a linear code the two are always equal."


def _rms(lengths: np.ndarray) -> float:
    return math.sqrt(np.mean(lengths**2))


def _movement_slips(distance, x: torch.Tensor, other: torch.Tensor, step: float) -> dict[str, object]:
    """``distance(place)`` is how far the code of a place lies from the code of x, for each example."""
    short, far, inputs = distance(x + step * (other - x)), distance(other), array((other - x).norm(dim=1))
    m = _rms(short) / _rms(far)
    return {
        "that is the squared ratio; take the root.": m**2,
        "that is how far the code moves in its own units; divide by how far it is to the other example's code.": _rms(
            short
        ),
        "you divided by how far the inputs are apart; a code in other units would then score differently.": [
            _rms(short) / _rms(inputs),
            _rms(short) / _rms(inputs) / step,
        ],
        "part of the other example was added to the whole of x; go the way from x to other: x + step * (other − x).": _rms(
            distance(x + step * other)
        )
        / _rms(far),
        "you went from the wrong end, and all but the step of the way; start at x: x + step * (other − x).": _rms(
            distance(step * x + (1 - step) * other)
        )
        / _rms(far),
        "you went away from the other example; the way from x to other is other − x.": _rms(
            distance(x + step * (x - other))
        )
        / _rms(far),
        "you averaged one ratio for each example; two examples with almost the same code would rule them all. "
        "Average the squares first, then divide.": (short / far).mean(),
        "rms is the root of the mean of the squares, and you averaged lengths.": short.mean() / far.mean(),
        "the whole way was gone, not the fraction step.": 1.0,
        "you divided by step as well; m itself is wanted, which a linear code has equal to step.": m / step,
        "that is the finished score, which (02.6) makes of m; m itself is wanted.": (step / m - step)
        / (1 - step),
    }


@exercise("02.4")
def match_codes(card_a, card_b, card_c, card_d) -> str:
    """Which code has which scorecard; the four names are the keys of CODES."""
    answers = dict(zip("ABCD", (card_a, card_b, card_c, card_d), strict=True))
    for card, name in answers.items():
        if name not in CODES:
            raise Wrong(f"Card {card} should be one of {', '.join(map(repr, CODES))}, but it is {name!r}.")
    if len(set(answers.values())) < len(CODES):
        raise Wrong("Each code has one card: you used a name twice.")
    for card, name in answers.items():
        if name != CARDS[card]:
            raise Wrong(
                f"Card {card} is not {name!r}. What would {name!r} do? {CODES[name][0].upper()}{CODES[name][1:]}."
            )
    return "Right. Three of the four copy perfectly, so no error curve can tell them apart; the other wishes can."
