"""Checks for lesson 02, with references of their own."""

import math

import numpy as np
import torch

from aelib.exercises.frame import Wrong, array, close, exercise, first_slip, function, number

CODES = {
    "turned": "turning moves no two codes apart, so nothing is lost, torn or emptied; but each coordinate then tells about both factors",
    "shuffled": "each coordinate still tells about one factor, but neighbours were torn apart",
    "raw pixels": "a perfect copy that cannot move further than itself; but no pixel has a factor to itself, and pixels drawn at random are no picture",
    "forgets up": "half of what was to be told is missing: the copy fails, one factor of two has its coordinate, and all drawn spots lie in a row",
}
CARDS = {"A": "raw pixels", "B": "shuffled", "C": "forgets up", "D": "turned"}


def _entropy(probabilities: np.ndarray) -> float:
    p = probabilities[probabilities > 0]
    return float(-(p * np.log(p)).sum())


@exercise
def mutual_information(answer) -> str:
    """``answer(counts) -> nats``: I of row and column, from a table of counts (rows, columns) with zeros in it."""
    counts = np.random.default_rng(0).integers(1, 30, size=(3, 5)).astype(float)
    got = number(function(answer)(torch.tensor(counts)), "your information")
    joint = counts / counts.sum()
    rows, columns, both = _entropy(joint.sum(axis=1)), _entropy(joint.sum(axis=0)), _entropy(joint.ravel())
    want = rows + columns - both
    if not close(got, want, rtol=1e-4, atol=1e-7):
        said = f"You got {got:.4f}, expected {want:.4f} nats: "
        margins = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
        raise first_slip(
            {
                said + "that is the value in bits; in nats the logarithm is the natural one.": close(
                    got, want / math.log(2), 1e-4
                ),
                said + "the right size with the wrong sign; information is never negative.": close(
                    got, -want, 1e-4
                ),
                said
                + "that is the entropy of the rows; subtract what is still unknown once the column is seen.": close(
                    got, rows, 1e-4
                ),
                said
                + "that is the entropy of the columns; subtract what is still unknown once the row is seen.": close(
                    got, columns, 1e-4
                ),
                said
                + "that is the entropy of the whole table, which counts what rows and columns do not share as well.": close(
                    got, both, 1e-4
                ),
                said
                + "that is what is left unknown of the row once the column is seen; information is what is gone.": close(
                    got, both - columns, 1e-4
                ),
                said
                + "that is what is left unknown of the column once the row is seen; information is what is gone.": close(
                    got, both - rows, 1e-4
                ),
                said + "each term needs its weight, the joint probability.": close(
                    got, np.log(joint / margins).sum(), 1e-4
                ),
                said + "counts have to be divided by their total, to be probabilities.": close(
                    got,
                    (
                        counts * np.log(counts / (counts.sum(axis=1, keepdims=True) * counts.sum(axis=0)))
                    ).sum(),
                    1e-4,
                )
                or close(got, (counts * np.log(joint / margins)).sum(), 1e-4),
            },
            said + "Σ p(x, y) log of p(x, y) over p(x) p(y), with p = counts / total.",
        )
    hole = float(array(answer(torch.tensor([[4.0, 4.0, 0.0], [0.0, 4.0, 4.0]])), "your information"))
    if not close(hole, math.log(2) / 2, rtol=1e-4):
        raise Wrong(
            f"For the table of the lesson you got {hole:.4g}: 0 · log 0 counts as 0, which torch.xlogy(p, p) takes care of."
        )
    return "Right. It is 0 for a table whose rows are in proportion, and the entropy of the rows where each column has a single entry."


@exercise
def r_squared(answer) -> str:
    """``answer(x, x_hat, train_mean) -> R²`` for x, x_hat (n, D) and train_mean (D,)."""
    generator = np.random.default_rng(1)
    scale = np.linspace(0.2, 3, 6)
    x = generator.normal(size=(9, 6)) * scale + 1
    x_hat, mean = x + 0.5 * generator.normal(size=x.shape), np.full(6, 0.4)
    got = number(function(answer)(torch.tensor(x), torch.tensor(x_hat), torch.tensor(mean)), "your R²")
    error, spread = (x - x_hat) ** 2, (x - mean) ** 2
    want = 1 - error.sum() / spread.sum()
    if not close(got, want, rtol=1e-4, atol=1e-6):
        said = f"You got {got:.4f}, expected {want:.4f}: "
        raise first_slip(
            {
                said + "that is the share which is lost; R² is one minus it.": close(got, 1 - want, 1e-4),
                said
                + "the spread was taken around the mean of x itself, but a held-out mean is not known beforehand: use train_mean.": close(
                    got, 1 - error.sum() / ((x - x.mean(axis=0)) ** 2).sum(), 1e-4
                ),
                said + "the spread is measured around train_mean, not around 0.": close(
                    got, 1 - error.sum() / (x**2).sum(), 1e-4
                ),
                said
                + "you averaged one R² for each number; sum errors and spreads first, then divide.": close(
                    got, 1 - (error.sum(axis=0) / spread.sum(axis=0)).mean(), 1e-4
                ),
                said
                + "you averaged one R² for each example; sum errors and spreads first, then divide.": close(
                    got, 1 - (error.sum(axis=1) / spread.sum(axis=1)).mean(), 1e-4
                ),
                said + "the distances have to be squared.": close(
                    got, 1 - np.sqrt(error.sum(axis=1)).sum() / np.sqrt(spread.sum(axis=1)).sum(), 1e-4
                )
                or close(got, 1 - np.abs(x - x_hat).sum() / np.abs(x - mean).sum(), 1e-4),
            },
            said + "1 − Σ‖x − x̂‖² / Σ‖x − train_mean‖², both sums over everything.",
        )
    return f"Right: {want:.2f} of the spread comes back. Had you answered with the training mean each time, it would be 0."


@exercise
def relative_movement(answer) -> str:
    """``answer(encode, x, other, step) -> m``: rms movement of the code for a step towards other, over its rms distance."""
    generator = torch.Generator().manual_seed(2)
    x, other = torch.rand(2, 40, 5, generator=generator, dtype=torch.float64)
    weight = 3 * torch.randn(5, 2, generator=generator, dtype=torch.float64)
    encode = lambda x: torch.sin(x @ weight) + 0.3  # noqa: E731
    step = 0.2
    got = number(function(answer)(encode, x, other, step), "your m")
    code = lambda x: encode(x).numpy()  # noqa: E731
    here, there, moved = code(x), code(other), code(x + step * (other - x))
    short, far = ((moved - here) ** 2).sum(axis=1), ((there - here) ** 2).sum(axis=1)
    want = math.sqrt(short.sum() / far.sum())
    if not close(got, want, rtol=1e-4):
        inputs = (((other - x) ** 2).sum(dim=1)).numpy()
        added = ((code(x + step * other) - here) ** 2).sum(axis=1)
        said = f"You got {got:.4f}, expected {want:.4f}: "
        raise first_slip(
            {
                said + "that is the squared ratio; take the root.": close(got, want**2, 1e-4),
                said
                + "that is how far the code moves in its own units; divide by how far it is to the other example's code.": close(
                    got, math.sqrt(short.mean()), 1e-4
                ),
                said
                + "you divided by how far the inputs are apart; a code in other units would then score differently.": close(
                    got, math.sqrt(short.sum() / inputs.sum()), 1e-4
                )
                or close(got, math.sqrt(short.sum() / inputs.sum()) / step, 1e-4),
                said
                + "part of the other example was added to the whole of x; go the way from x to other: x + step * (other − x).": close(
                    got, math.sqrt(added.sum() / far.sum()), 1e-4
                ),
                said
                + "you averaged one ratio for each example; two examples with almost the same code would rule them all. "
                "Average the squares first, then divide.": close(got, np.sqrt(short / far).mean(), 1e-4),
                said + "rms is the root of the mean of the squares, and you averaged lengths.": close(
                    got, np.sqrt(short).mean() / np.sqrt(far).mean(), 1e-4
                ),
                said + "the whole way was gone, not the fraction step.": close(got, 1.0, 1e-6),
                said
                + "you divided by step as well; m itself is wanted, which a linear code has equal to step.": close(
                    got, want / step, 1e-4
                ),
            },
            said + "rms ‖encode(x + step (other − x)) − encode(x)‖ over rms ‖encode(other) − encode(x)‖.",
        )
    return f"Right: a fifth of the way in the input, {want:.2f} of the way in the code. For a linear code the two are always equal."


@exercise
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
