"""Checks for lesson 00, with references of their own."""

import numpy as np
import torch

from aelib.exercises.frame import Wrong, array, by_value, close, exercise, first_slip, function, number
from aelib.exercises.help import hint, progress, reset  # noqa: F401


@exercise("00.1")
def batch_loss(answer) -> str:
    """``answer(x, x_hat) -> ()``: squared error, summed over dimensions, averaged over the batch."""
    generator = torch.Generator().manual_seed(3)
    x, x_hat = torch.rand(5, 7, generator=generator), torch.rand(5, 7, generator=generator)
    result = function(answer)(x, x_hat)
    if getattr(result, "ndim", 0) and array(result).size != 1:
        raise Wrong(
            f"Your result has shape {tuple(result.shape)}; a loss is one number: average over the batch as well."
        )
    got, difference = number(result, "your loss"), array(x - x_hat)
    want = float((difference**2).sum() / 5)
    if not close(got, want, rtol=1e-4):
        raise first_slip(
            by_value(got, _batch_loss_slips(difference)),
            f"You got {got:.4g}, expected {want:.4g} for a batch of 5 examples of 7 numbers.",
        )
    return (
        f"Right: {want:.3g}. Twice the dimensions give twice the loss, twice the batch leaves it where it is."
    )


def _batch_loss_slips(difference: np.ndarray) -> dict[str, object]:
    """What each slip gives, for differences of shape (5, 7)."""
    total, lengths = (difference**2).sum(), np.sqrt((difference**2).sum(axis=1))
    return {
        "You averaged over the batch and over the dimensions too: sum over the dimensions (dim=1) first.": total
        / 35,
        "You summed over everything: average over the batch, or the loss grows with the batch size.": total,
        "The two are swapped: sum over the dimensions (dim=1), average over the batch (dim=0).": total / 7,
        "The differences are not squared: without the square, errors of opposite sign cancel.": difference.sum()
        / 5,
        "You summed the sizes of the differences; the loss sums their squares.": abs(difference).sum() / 5,
        "You summed the differences and then squared: square each one first, or errors of opposite sign cancel.": (
            difference.sum(axis=1) ** 2
        ).mean(),
        "You took half of it: here the loss is the squared error itself, without the factor ½.": total / 10,
        "You took a square root: the loss is the squared error itself.": [
            np.sqrt(total / 5),
            lengths.mean(),
        ],
    }
