"""What training minimises. Every loss is summed over dimensions and averaged over the batch."""

from torch import Tensor, nn


def squared_error(x: Tensor, x_hat: Tensor) -> Tensor:
    """‖x − x̂‖² summed over the D numbers of an example and averaged over the batch: (batch, D), (batch, D) → ().

    Divide by D for the mean squared error per number.
    """
    if x.shape != x_hat.shape:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and its reconstruction {tuple(x_hat.shape)}: they must be equal, "
            "or torch would stretch the smaller one without a word."
        )
    return (x - x_hat).square().sum(dim=-1).mean()


def reconstruction_error(model: nn.Module, x: Tensor) -> Tensor:
    """The squared error of ``model(x)`` as a reconstruction of x: the loss of an autoencoder."""
    return squared_error(x, model(x))
