"""What training minimises. Every loss is summed over dimensions and averaged over the batch."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from aelib import likelihoods
from aelib.gaussian import kl_to_standard_normal

NUMBERS_AT_ONCE = 2**18
"""Numbers of x that the sampled bounds hold in memory together."""


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
    return -likelihoods.gaussian(x, x_hat, noise_var).mean()


def bernoulli_nll(x: Tensor, logits: Tensor) -> Tensor:
    """−log of the probability of binary x, in nats, summed over dimensions, averaged over the batch: → ().

    logits: log-odds of a one, before any sigmoid, (batch, D) as x. For x strictly between 0 and 1 the number
    is no likelihood: it does not integrate to 1, and it is not 0 at a perfect copy.
    """
    _check_same_shape(x, logits)
    return -likelihoods.bernoulli(x, logits).mean()


def implied_sigma(error_weight: float, kl_weight: float = 1.0) -> float:
    """σ_x of the Gaussian decoder whose −ELBO is this loss, up to a factor and a constant; in units of x.

    error_weight: what multiplies the squared error summed over the D dimensions (1/D if the loss takes a mean).
    kl_weight: what multiplies the KL summed over the latents. σ_x² = kl_weight / (2 error_weight), because −ELBO
    weighs the squared error with 1/(2 σ_x²) and the KL with 1.
    """
    if not (error_weight > 0 and kl_weight > 0):
        raise ValueError(f"both weights should be positive; got {error_weight!r} and {kl_weight!r}.")
    return math.sqrt(kl_weight / (2 * error_weight))


def neg_elbo(model: nn.Module, x: Tensor, beta: float | Tensor = 1.0) -> dict[str, Tensor]:
    """The loss of a VAE, x (batch, D), in nats: ``{"loss", "reconstruction", "kl"}``, each ().

    loss = reconstruction + beta · kl. The reconstruction is −log p(x|z) at one drawn z for each example, so
    that two calls differ; the kl is exact. With beta = 1 the mean over draws is −ELBO, derived in lesson 06.
    """
    mu, log_var = model.encode(x)
    reconstruction = -model.log_likelihood(x, model.sample(mu, log_var)).mean()
    kl = kl_to_standard_normal(mu, log_var).mean()
    return {"loss": reconstruction + beta * kl, "reconstruction": reconstruction, "kl": kl}


@torch.no_grad()
def elbo(model: nn.Module, x: Tensor, n_samples: int = 1, generator: torch.Generator | None = None) -> Tensor:
    """An estimate of the ELBO of each example, in nats: (batch, D) → (batch,).

    Without bias: log p(x|z) is averaged over n_samples codes drawn from q(z|x), and the KL is exact.
    """
    mu, log_var = model.encode(x)
    total = sum(
        model.log_likelihood(x, mu + (0.5 * log_var).exp() * eps).sum(dim=0)
        for eps in _noise(mu, x, n_samples, generator)
    )
    return total / n_samples - kl_to_standard_normal(mu, log_var)


@torch.no_grad()
def importance_weighted_bound(
    model: nn.Module, x: Tensor, n_samples: int, generator: torch.Generator | None = None
) -> Tensor:
    """log of the mean over n_samples draws of p(x|z) p(z) / q(z|x), z ~ q(z|x), in nats: (batch, D) → (batch,).

    In expectation between the ELBO (n_samples = 1) and log p(x), which it approaches as n_samples grows. With
    few samples one run may lie above log p(x): only the expectation is a bound. Source: Burda et al. 2015.
    """
    mu, log_var = model.encode(x)
    total = torch.full(x.shape[:1], -math.inf, dtype=mu.dtype, device=mu.device)
    for eps in _noise(mu, x, n_samples, generator):
        z = mu + (0.5 * log_var).exp() * eps
        prior_over_q = 0.5 * (eps.square() + log_var - z.square()).sum(dim=-1)
        log_weight = model.log_likelihood(x, z) + prior_over_q
        total = torch.logaddexp(total, log_weight.logsumexp(dim=0))
    return total - math.log(n_samples)


def _noise(mu: Tensor, x: Tensor, n_samples: int, generator: torch.Generator | None) -> Iterator[Tensor]:
    """Standard normal draws for n_samples codes of each row, (some, batch, K) at a time."""
    if n_samples < 1:
        raise ValueError(f"a sampled bound needs at least one sample; got n_samples={n_samples!r}.")
    at_once = max(1, NUMBERS_AT_ONCE // x.numel())
    for start in range(0, n_samples, at_once):
        shape = (min(at_once, n_samples - start), *mu.shape)
        yield torch.randn(shape, generator=generator, dtype=mu.dtype, device=mu.device)


def _check_same_shape(x: Tensor, x_hat: Tensor) -> None:
    if x.shape != x_hat.shape:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and its reconstruction {tuple(x_hat.shape)}: they must be equal, "
            "or torch would stretch the smaller one without a word."
        )
