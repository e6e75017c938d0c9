"""Checks for lesson 00, with references of their own."""

import torch

from aelib.exercises.frame import Wrong, close, exercise, first_slip, function, number


@exercise
def batch_loss(answer) -> str:
    """``answer(x, x_hat) -> ()``: squared error, summed over dimensions, averaged over the batch."""
    generator = torch.Generator().manual_seed(3)
    x, x_hat = torch.rand(5, 7, generator=generator), torch.rand(5, 7, generator=generator)
    result = function(answer)(x, x_hat)
    if getattr(result, "ndim", 0):
        raise Wrong(
            f"Your result has shape {tuple(result.shape)}; a loss is one number: average over the batch as well."
        )
    got = number(result, "your loss")
    total = float(((x - x_hat) ** 2).sum())
    want = total / 5
    if not close(got, want, rtol=1e-4):
        raise first_slip(
            {
                "You averaged over the batch and over the dimensions too: sum over the dimensions (dim=1) "
                "first.": close(got, total / 35, rtol=1e-4),
                "You summed over everything: average over the batch, or the loss grows with the batch "
                "size.": close(got, total, rtol=1e-4),
                "The two are swapped: sum over the dimensions (dim=1), average over the batch "
                "(dim=0).": close(got, total / 7, rtol=1e-4),
                "The differences are not squared: without the square, errors of opposite sign cancel.": close(
                    got, float((x - x_hat).sum()) / 5, rtol=1e-4
                ),
                "You took a square root: the loss is the squared error itself.": close(
                    got, want**0.5, rtol=1e-4
                )
                or close(got, float(((x - x_hat) ** 2).sum(1).sqrt().mean()), rtol=1e-4),
            },
            f"You got {got:.4g}, expected {want:.4g} for a batch of 5 examples of 7 numbers.",
        )
    return (
        f"Right: {want:.3g}. Twice the dimensions give twice the loss, twice the batch leaves it where it is."
    )
