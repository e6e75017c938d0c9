"""How likely x is, given what a decoder says: honest log-densities, their means and their draws.

Each ``log_prob`` is in nats, summed over the last axis: it integrates (or, for bits, sums) to 1 over x, and a density
may exceed 1. The tensors broadcast: one x can be judged by many codes. Built in lesson 08.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

_LOG_2_PI = math.log(2 * math.pi)
_NEAR_ZERO = 0.05  # below it a series is exact to 1e-13, and the closed form loses digits


def gaussian(x: Tensor, x_hat: Tensor, noise_var: float | Tensor) -> Tensor:
    """log N(x; x̂, noise_var · I): (..., D), (..., D) → (...). noise_var: σ_x² > 0, one for all dimensions."""
    noise_var = torch.as_tensor(noise_var, dtype=x_hat.dtype, device=x_hat.device)
    squares = (x - x_hat).square().sum(dim=-1)
    return -0.5 * (squares / noise_var + x.shape[-1] * (noise_var.log() + _LOG_2_PI))


def bernoulli(x: Tensor, logits: Tensor) -> Tensor:
    """Log-probability of binary x, logits being the log-odds of a one: (..., D), (..., D) → (...).

    For x strictly between 0 and 1 the number is no likelihood: it does not integrate to 1.
    """
    x, logits = torch.broadcast_tensors(x, logits)
    return -nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1)


def continuous_bernoulli(x: Tensor, logits: Tensor) -> Tensor:
    """Log-density of x in [0, 1] that grows like exp(logits · x): (..., D), (..., D) → (...).

    It is the Bernoulli's formula divided by its integral, log[(eᵃ − 1)/a] for logits a. λ = sigmoid(a) is not
    the mean of x: that is `continuous_bernoulli_mean`. Source: Loaiza-Ganem & Cunningham, NeurIPS 2019.
    """
    return (x * logits - _log_integral(logits)).sum(dim=-1)


def continuous_bernoulli_mean(logits: Tensor) -> Tensor:
    """E[x] of each continuous Bernoulli, 1/(1 − e⁻ᵃ) − 1/a for logits a, and ½ at a = 0; shape kept."""
    size = logits.abs()
    far = size.clamp(min=_NEAR_ZERO)
    above_half = torch.where(
        size < _NEAR_ZERO, size / 12 - size**3 / 720, -1 / (-far).expm1() - 1 / far - 0.5
    )
    return 0.5 + logits.sign() * above_half


def _log_integral(logits: Tensor) -> Tensor:
    """log ∫₀¹ exp(logits · x) dx = a/2 + log[sinh(a/2) / (a/2)], without overflow and smooth through 0."""
    size = logits.abs()
    far = size.clamp(min=_NEAR_ZERO)
    near_zero = size**2 / 24 - size**4 / 2880
    return logits / 2 + torch.where(size < _NEAR_ZERO, near_zero, far / 2 + (-(-far).expm1() / far).log())


def _draw_continuous_bernoulli(logits: Tensor, noise_var: None, generator: torch.Generator | None) -> Tensor:
    """By the inverse of the distribution function, written for a falling density and mirrored for a rising one."""
    size = logits.abs().clamp(min=1e-6)
    uniform = torch.rand(logits.shape, generator=generator, dtype=logits.dtype, device=logits.device)
    falling = -(uniform * (-size).expm1()).log1p() / size
    return torch.where(logits < 0, falling, 1 - falling)


def _draw_gaussian(x_hat: Tensor, noise_var: Tensor, generator: torch.Generator | None) -> Tensor:
    noise = torch.randn(x_hat.shape, generator=generator, dtype=x_hat.dtype, device=x_hat.device)
    return x_hat + noise_var.sqrt() * noise


class Likelihood(NamedTuple):
    """A family of laws of x, given a decoder's output (..., D).

    log_prob(x, output, noise_var) → (...); mean(output) → (..., D); draw(output, noise_var, generator) → (..., D).
    noise_var is None for the families that have none.
    """

    log_prob: Callable[..., Tensor]
    mean: Callable[[Tensor], Tensor]
    draw: Callable[..., Tensor]


LIKELIHOODS = {
    "gaussian": Likelihood(gaussian, lambda x_hat: x_hat, _draw_gaussian),
    "bernoulli": Likelihood(
        lambda x, logits, _: bernoulli(x, logits),
        torch.sigmoid,
        lambda logits, _, generator: torch.bernoulli(torch.sigmoid(logits), generator=generator),
    ),
    "continuous bernoulli": Likelihood(
        lambda x, logits, _: continuous_bernoulli(x, logits),
        continuous_bernoulli_mean,
        _draw_continuous_bernoulli,
    ),
}
