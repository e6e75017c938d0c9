"""Taking noise away: the exact denoiser of n examples, the best linear one, a network, and chains of denoisers.

A noisy example is y = x + σ ε with standard normal ε; p_σ is the distribution of y, and its score is ∇ log p_σ(y).
Built in lesson 12. D is the number of inputs; σ has the units of x.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from aelib.models import mlp
from aelib.objectives import squared_error

Denoise = Callable[[Tensor, float | Tensor], Tensor]
"""y (m, D) and σ to the denoised (m, D)."""


# The exact denoiser of n examples


def posterior_mean(y: Tensor, x: Tensor, sigma: float | Tensor) -> Tensor:
    """E[x | y] if x is one of the rows of `x`, each as likely: no denoiser has a smaller squared error on them.

    y (m, D), x (n, D); sigma > 0, a number or (m, 1). Returns (m, D), in the dtype of y; inside, float64.
    """
    return (_log_weights(y, x, sigma).softmax(dim=-1) @ x.double()).to(y.dtype)


def log_density(y: Tensor, x: Tensor, sigma: float | Tensor) -> Tensor:
    """log p_σ(y) in nats, with a Gaussian of variance σ² around each of the n rows of x: (m, D), (n, D) → (m,)."""
    log_weights = _log_weights(y, x, sigma)
    variance = torch.as_tensor(sigma, dtype=torch.float64).square().reshape(-1, 1)
    constant = math.log(len(x)) + 0.5 * y.shape[-1] * (2 * math.pi * variance).log()
    away = 0.5 * (y.double() - x.double().mean(dim=0)).square().sum(dim=-1, keepdim=True) / variance
    return (log_weights.logsumexp(dim=-1, keepdim=True) - constant - away).squeeze(-1).to(y.dtype)


def _log_weights(y: Tensor, x: Tensor, sigma: float | Tensor) -> Tensor:
    """(m, n): −‖y − x_i‖²/2σ², up to what all i share."""
    _check_rows(x)
    _check_rows(y, "y", x.shape[1])
    variance = _checked_sigma(sigma).square().reshape(-1, 1)
    mean = x.double().mean(dim=0)
    centred = x.double() - mean
    return ((y.double() - mean) @ centred.T - 0.5 * centred.square().sum(dim=1)) / variance


def score(y: Tensor, denoised: Tensor, sigma: float | Tensor) -> Tensor:
    """∇ log p_σ(y) = (E[x|y] − y)/σ², from a denoiser's answer: (m, D), (m, D) → (m, D).

    Source: the formula is Tweedie's, in B. Efron, Tweedie's formula and selection bias, JASA 106, 2011.
    """
    return (denoised - y) / _checked_sigma(sigma).square().to(y.dtype)


# The best linear denoiser


def wiener(y: Tensor, mean: Tensor, cov: Tensor, sigma: float) -> Tensor:
    """mean + S (S + σ² I)⁻¹ (y − mean): the best linear denoiser for data with this mean (D,) and covariance (D, D).

    y (m, D) → (m, D), in the dtype of y. For Gaussian data it is E[x | y].
    """
    S, variance = cov.double(), _checked_sigma(sigma).square()
    gain = torch.linalg.solve(S + variance * torch.eye(len(S), dtype=S.dtype), S)
    return (mean + (y.double() - mean) @ gain).to(y.dtype)


def wiener_error(cov: Tensor, sigma: float) -> Tensor:
    """The expected squared error that `wiener` leaves for each number, Σ λσ²/(λ + σ²)/D, in squared units of x: ()."""
    values, variance = torch.linalg.eigvalsh(cov.double()).clamp(min=0), _checked_sigma(sigma).square()
    return (values * variance / (values + variance)).mean()


def fill(x: Tensor, mean: Tensor, cov: Tensor, hidden: Sequence[int]) -> Tensor:
    """x (m, D) with its hidden numbers filled in by the best linear guess from the others; what they hold is not read.

    mean (D,) and cov (D, D), of the data; cov may be singular. hidden: which of the D numbers, counted from 0.
    """
    hidden, seen = _hidden_and_seen(hidden, len(cov))
    guess = mean.double()[hidden] + (x.double()[:, seen] - mean.double()[seen]) @ _filler(cov, hidden, seen)
    filled = x.clone()
    filled[:, hidden] = guess.to(x.dtype)
    return filled


def fill_error(cov: Tensor, hidden: Sequence[int]) -> Tensor:
    """The expected squared error of `fill` for each hidden number, in squared units of x: ()."""
    hidden, seen = _hidden_and_seen(hidden, len(cov))
    S = cov.double()
    left = S[hidden][:, hidden] - S[hidden][:, seen] @ _filler(cov, hidden, seen)
    return left.trace() / len(hidden)


def _filler(cov: Tensor, hidden: list[int], seen: list[int]) -> Tensor:
    """(seen, hidden): S_oo⁻¹ S_om, by the pseudo-inverse where some seen numbers never change."""
    S = cov.double()
    return torch.linalg.pinv(S[seen][:, seen], rtol=1e-10, hermitian=True) @ S[seen][:, hidden]


# A network


class Denoiser(nn.Module):
    """A network that takes noise of any level away: D(y, σ), for σ between the two of `sigmas`.

    It sees the noisy input, brought to variance 1 at every noise level, and log σ; it answers in the units of x.
    x: (n, D) rows like those that it will learn from; only their mean and their mean variance are used.
    hidden: sizes of the hidden layers. seed: fixes the initial weights, and leaves torch's global stream as it was.
    n_labels: how many more numbers it is told of each row, such as a class as one 1 among 0s (lesson 15).
    """

    def __init__(
        self,
        x: Tensor,
        hidden: Sequence[int] = (128, 128),
        sigmas: tuple[float, float] = (0.05, 1.5),
        seed: int = 0,
        n_labels: int = 0,
    ) -> None:
        super().__init__()
        _check_rows(x)
        if not 0 < sigmas[0] < sigmas[1]:
            raise ValueError(
                f"sigmas should be a smallest and a largest noise level, 0 < low < high; got {sigmas}."
            )
        self.sigmas = (float(sigmas[0]), float(sigmas[1]))
        self.register_buffer("mean", x.mean(dim=0))
        self.register_buffer("variance", x.var(dim=0, correction=0).mean())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = mlp([x.shape[1] + 1 + n_labels, *hidden, x.shape[1]], nn.SiLU)

    def forward(self, y: Tensor, sigma: float | Tensor, *labels: Tensor) -> Tensor:
        """The denoised: y (m, D), sigma a number or (m, 1), and (m, n_labels) if there are labels → (m, D)."""
        sigma = torch.as_tensor(sigma, dtype=y.dtype).expand(len(y), 1)
        standard = (y - self.mean) / (self.variance + sigma**2).sqrt()
        return self.mean + self.network(torch.cat([standard, sigma.log(), *labels], dim=1))


def denoising_error(model: nn.Module, x: Tensor, *labels: Tensor) -> Tensor:
    """The loss of a `Denoiser`: ‖x − D(x + σ ε, σ)‖², summed over D and averaged over the batch, (batch, D) → ().

    log σ is drawn evenly between the two of ``model.sigmas``, anew for each row, and so is ε. labels
    (batch, n_labels), if the model takes some, reach it without noise.
    """
    low, high = model.sigmas
    sigma = low * (high / low) ** torch.rand_like(x[:, :1])
    return squared_error(x, model(x + sigma * torch.randn_like(x), sigma, *labels))


# A chain of denoisers


def chain(denoise: Denoise, start: Tensor, sigmas: Sequence[float]) -> Tensor:
    """From noise to data: each step lowers the noise from one level to the next, y' = d + (σ'/σ)(y − d).

    denoise: y (m, D) and σ to the denoised d (m, D). start: (m, D), with noise sigmas[0]. sigmas: falling, T of them;
    only the last may be 0. Returns all levels, (T, m, D), start included.
    Source: Euler's steps of the flow dy/dσ = (y − d)/σ, in T. Karras, M. Aittala, T. Aila and S. Laine, Elucidating the
    design space of diffusion-based generative models, NeurIPS 2022.
    """
    sigmas = [float(sigma) for sigma in sigmas]
    if len(sigmas) < 2 or any(not 0 <= low < high for high, low in pairwise(sigmas)):
        raise ValueError(f"sigmas should fall from step to step, and only the last may be 0; got {sigmas}.")
    levels = [start]
    for sigma, lower in pairwise(sigmas):
        denoised = denoise(levels[-1], sigma)
        levels.append(denoised + lower / sigma * (levels[-1] - denoised))
    return torch.stack(levels)


# Checks


def _checked_sigma(sigma: float | Tensor) -> Tensor:
    sigma = torch.as_tensor(sigma, dtype=torch.float64)
    if not (sigma > 0).all() or not sigma.isfinite().all():
        raise ValueError(
            f"sigma should be positive and finite, got {sigma.min().item():g}: without noise there is nothing to take away."
        )
    return sigma


def _check_rows(x: Tensor, name: str = "x", n_inputs: int | None = None) -> None:
    wanted = "D" if n_inputs is None else n_inputs
    if x.ndim != 2 or len(x) == 0 or n_inputs not in (None, x.shape[1]):
        raise ValueError(
            f"{name} should hold at least one row, (rows, {wanted}), but has shape {tuple(x.shape)}."
        )


def _hidden_and_seen(hidden: Sequence[int], n_inputs: int) -> tuple[list[int], list[int]]:
    hidden = [int(i) for i in hidden]
    seen = [i for i in range(n_inputs) if i not in hidden]
    if len(set(hidden)) < len(hidden):
        raise ValueError(f"hidden names a number twice: {sorted(hidden)}.")
    if not hidden or not seen or len(seen) + len(hidden) != n_inputs:
        raise ValueError(
            f"hidden should name some of the {n_inputs} numbers, counted from 0, and leave one seen; got {hidden}."
        )
    return hidden, seen
