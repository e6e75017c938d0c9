"""What training minimises. Every loss is summed over dimensions and averaged over the batch."""

import math

import torch
from torch import Tensor, nn

from aelib.gaussian import kl_to_standard_normal


def squared_error(x: Tensor, x_hat: Tensor) -> Tensor:
    """‖x − x̂‖² summed over the D numbers of an example and averaged over the batch: (batch, D), (batch, D) → ().

    Divide by D for the mean squared error per number.
    """
    _check_same_shape(x, x_hat)
    return (x - x_hat).square().sum(dim=-1).mean()


def reconstruction_error(model: nn.Module, x: Tensor) -> Tensor:
    """The squared error of ``model(x)`` as a reconstruction of x: the loss of an autoencoder."""
    return squared_error(x, model(x))


def gaussian_nll(x: Tensor, x_hat: Tensor, noise_var: float | Tensor) -> Tensor:
    """−log N(x; x̂, noise_var · I) in nats, summed over dimensions, averaged over the batch: (batch, D) twice → ().

    noise_var: σ_x² > 0, one for all dimensions, a number or (). A density may exceed 1, so this may be negative.
    """
    _check_same_shape(x, x_hat)
    noise_var = torch.as_tensor(noise_var, dtype=x.dtype)
    squares = (x - x_hat).square() / noise_var
    return 0.5 * (squares + noise_var.log() + math.log(2 * math.pi)).sum(dim=-1).mean()


def bernoulli_nll(x: Tensor, logits: Tensor) -> Tensor:
    """−log of the probability of binary x, in nats, summed over dimensions, averaged over the batch: → ().

    logits: log-odds of a one, before any sigmoid, (batch, D) as x. For x strictly between 0 and 1 the number
    is no likelihood: it does not integrate to 1, and it is not 0 at a perfect copy.
    """
    _check_same_shape(x, logits)
    return nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1).mean()


def neg_elbo(model: nn.Module, x: Tensor, beta: float | Tensor = 1.0) -> dict[str, Tensor]:
    """The loss of a VAE with a Gaussian decoder, x (batch, D), in nats: ``{"loss", "reconstruction", "kl"}``, each ().

    loss = reconstruction + beta · kl. The reconstruction is −log p(x|z) at one drawn z for each example, so
    that two calls differ; the kl is exact. With beta = 1 the mean over draws is −ELBO, derived in lesson 06.
    """
    mu, log_var = model.encode(x)
    reconstruction = gaussian_nll(x, model.decode(model.sample(mu, log_var)), model.noise_var)
    kl = kl_to_standard_normal(mu, log_var).mean()
    return {"loss": reconstruction + beta * kl, "reconstruction": reconstruction, "kl": kl}


def _check_same_shape(x: Tensor, x_hat: Tensor) -> None:
    if x.shape != x_hat.shape:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and its reconstruction {tuple(x_hat.shape)}: they must be equal, "
            "or torch would stretch the smaller one without a word."
        )
