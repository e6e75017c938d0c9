"""Tasks of lesson 00, with references of their own."""

import numpy as np

from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import Extreme, task


def _slips(x, x_hat) -> dict[str, tuple]:
    off, (n, D) = x - x_hat, x.shape
    squares = off**2
    total, lengths = squares.sum(), np.sqrt(squares.sum(axis=1))
    return {
        "averaged over dimensions too": (total / (n * D), "you averaged over the batch and over the dimensions too: sum over the dimensions (dim=1) first."),
        "summed over the batch too": (total, "you summed over everything: average over the batch, or the loss grows with the batch size."),
        "axes exchanged": (total / D, "the two are swapped: sum over the dimensions (dim=1), average over the batch (dim=0)."),
        "one for each example": (squares.sum(axis=1), "that is one number for each example; a loss is one number: average over the batch as well."),
        "one for each dimension": ([squares.sum(axis=0), squares.mean(axis=0)], "that is one number for each dimension; a loss is one number: sum over the dimensions (dim=1), then average over the batch."),
        "not reduced": (squares, "nothing is summed yet; a loss is one number: sum over the dimensions (dim=1), then average over the batch."),
        "not squared": (off.sum() / n, "the differences are not squared: without the square, errors of opposite sign cancel."),
        "absolute": (abs(off).sum() / n, "you summed the sizes of the differences; the loss sums their squares."),
        "squared too late": ((off.sum(axis=1) ** 2).mean(), "you summed the differences and then squared: square each one first, or errors of opposite sign cancel."),
        "half": (total / (2 * n), "you took half of it: here the loss is the squared error itself, without the factor ½."),
        "root": ([np.sqrt(total / n), lengths.mean()], "you took a square root: the loss is the squared error itself."),
        "batch of another size": ([total / 5, total / 3], "you divided by a fixed number: the batch has len(x) examples."),
        "sign": (-total / n, "the sign is turned: a squared error is never negative."),
    }  # fmt: skip


def _batch(n: int, D: int) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.random.default_rng(n).uniform(size=(2, n, D)))


@task(
    "00.1",
    cases=[_batch(5, 7), _batch(3, 4), _batch(8, 2)],
    slips=_slips,
    extremes=[Extreme(_batch(1, 6), "batch of one", "a batch may hold one example: its loss is that example's squared error.")],
    called="your loss",
    where=lambda x, x_hat: f"for a batch of {len(x)} examples of {x.shape[1]} numbers",
    rule="square the differences, sum over the dimensions (dim=1), average over the batch.",
    right=lambda wants: f"Right: {wants[0]:.3g}. Twice the dimensions give twice the loss, twice the batch leaves it where it is.",
)  # fmt: skip
def batch_loss(x, x_hat) -> float:
    """``answer(x, x_hat) -> ()``: squared error, summed over dimensions, averaged over the batch."""
    return float(((x - x_hat) ** 2).sum() / len(x))
