"""Tasks of lesson 08, with references of their own."""

import copy
import itertools
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from aelib.exercises.frame import (
    StudentError,
    Wrong,
    array,
    close,
    exercise,
    first_slip,
    function,
    number,
    page,
    same_shape,
    watched,
)
from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import line, task

LOG_2PI = math.log(2 * math.pi)

# --- the reconstruction -----------------------------------------------------------------------------------


def _nll_slips(x, x_hat, noise_var: float) -> dict[str, tuple]:
    n, D = x.shape
    squares, log_var = np.square(x - x_hat).sum() / n, math.log(noise_var)
    value = lambda fit=squares / noise_var, logs=log_var + LOG_2PI, n_logs=D: 0.5 * (fit + n_logs * logs)  # noqa: E731
    want, each = value(), 0.5 * (np.square(x - x_hat).sum(axis=1) / noise_var + D * (log_var + LOG_2PI))
    return {
        "averaged over pixels": (want / D, "that is a mean over the pixels. A sum over the D pixels is wanted, and the mean over the batch only; with the mean, a KL beside it would weigh D times too much."),
        "summed over the batch": (want * n, "that is summed over the batch as well; average over the examples."),
        "axes exchanged": (want * n / D, "the axes are exchanged, a sum over the batch and a mean over the pixels: dim=1 runs over the pixels."),
        "one for each example": (each, "it has one number for each example: average them over the batch."),
        "½ before the squares only": (value() + 0.5 * D * (log_var + LOG_2PI), "the ½ stands before the squares only; each pixel pays ½ log(2πσ²) as well."),
        "squared error": ([squares, squares / D], "that is the squared error alone: 1/(2σ²) and the logarithm are missing."),
        "½ of the squares missing": (value(2 * squares / noise_var), "the ½ of the Gaussian's exponent is missing."),
        "½ missing": (2 * want, "it is twice the right value: a ½ stands before everything."),
        "σ² squared": (value(squares / noise_var**2, 2 * log_var + LOG_2PI), "noise_var is the variance σ² already, and you squared it."),
        "σ for σ²": (value(squares / math.sqrt(noise_var)), "the variance belongs in the denominator, not its root σ."),
        "log σ for log σ²": (value(logs=log_var / 2 + LOG_2PI), "inside the bracket it is log σ², the logarithm of the variance, not log σ."),
        "both logarithms missing": (0.5 * squares / noise_var, "log σ² and log 2π are missing. They do not move x̂, but with a learned σ² the first one is all that keeps it from growing."),
        "log σ² missing": (value(logs=LOG_2PI), "log σ² is missing; without it a learned σ² would grow without end."),
        "log 2π missing": (value(logs=log_var), "log 2π is missing, once for each pixel."),
        "logarithms once": (value(n_logs=1), "log σ² + log 2π stands there once, and every pixel has its own: D times."),
        "sign of the logarithms": (value(n_logs=-D), "the logarithms are subtracted; −log p adds ½ log(2πσ²) for each pixel."),
        "bits": (want / math.log(2), "that is the value in bits; in nats the logarithm is the natural one."),
        "sign": (-want, "that is log p; the loss is its negative."),
    }  # fmt: skip


def _images(n: int, D: int, noise_var: float) -> tuple[np.ndarray, np.ndarray, float]:
    x, x_hat = np.random.default_rng(n).random((2, n, D))
    return x, x_hat, noise_var


def _has_gradient(answer: Callable) -> None:
    x, x_hat = torch.rand(2, 3, 5, dtype=torch.float64)
    if not getattr(answer(x, x_hat.requires_grad_(), 0.3), "requires_grad", False):
        raise Wrong(
            "The number is right, but it has no gradient in x_hat, and training needs one: return the tensor, not a float of it.",
            "no gradient",
        )


RECONSTRUCTION = {
    "cases": [_images(3, 5, 0.3), _images(4, 7, 0.05), _images(1, 2, 2.5)],
    "slips": _nll_slips,
    "also": _has_gradient,
    "unit": " nats",
    "where": lambda x, x_hat, noise_var: f"for {len(x)} examples of {x.shape[1]} pixels",
    "rule": "it should be ½ [ ‖x − x̂‖²/σ² + D (log σ² + log 2π) ], averaged over the examples.",
}


@task(
    "08.1",
    right="Right: summed over the pixels, averaged over the batch, in nats. The squared error stands in it, and 1/(2σ²) says how much it costs.",
    **RECONSTRUCTION,
)
def gaussian_nll(x, x_hat, noise_var: float) -> float:
    """``answer(x, x_hat, noise_var) -> ()``: −log N(x; x_hat, noise_var·I), summed over D, averaged; x (batch, D)."""
    return _nll(x, x_hat, noise_var)


def _nll(x, x_hat, noise_var: float) -> float:
    """Pixel by pixel, then added up, then averaged over the batch."""
    pixels = 0.5 * ((x - x_hat) ** 2 / noise_var + math.log(noise_var) + LOG_2PI)
    return float(np.mean([sum(row) for row in pixels]))


# --- one epoch --------------------------------------------------------------------------------------------


class _Probe(nn.Module):
    """One weight, and a loss that remembers of which rows it was asked the gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5, -1.0], dtype=torch.float64))
        self.calls, self.asked = 0, []

    def loss(self, model: nn.Module, x: torch.Tensor) -> torch.Tensor:
        rows = x.detach().clone()
        value = ((x[:, 1:3] @ model.weight - x[:, 3]) ** 2).mean()
        self.calls += 1
        if value.requires_grad:  # not if it is printed only
            value.register_hook(lambda _: self.asked.append(rows))
        return value


def _after(batches: list[torch.Tensor], lr: float, how: str = "", whole: float = math.inf) -> np.ndarray:
    """The weight after plain steps on these batches, by hand: with gradients that add up, or come one batch late.

    whole: a batch of so many rows counts fully, a smaller one by its share.
    """
    weight, total, before = np.array([0.5, -1.0]), np.zeros(2), np.zeros(2)
    for batch in batches:
        rows = batch.numpy()
        gradient = 2 * rows[:, 1:3].T @ (rows[:, 1:3] @ weight - rows[:, 3]) / len(rows)
        total = total + gradient
        step = {"accumulated": total, "late": before}.get(how, gradient)
        weight = weight - lr * step * (len(rows) / whole if math.isfinite(whole) else 1)
        before = gradient
    return weight


@exercise("08.2")
def epoch(answer) -> str:
    """``answer(model, x, loss, optimiser, batch_size)``: one pass over the rows of x, in batches, a step for each."""
    cases = ((10, 4, 0.1), (9, 4, 0.05), (9, 3, 0.1), (10, 4, 0.02))
    passes = [_judge_epoch(function(answer), *case) for case in cases]
    if all(_is_block(batch) for batches in passes for batch in batches):
        raise Wrong(
            "Every row is used once, but each batch is a block of the table, or takes every n-th row: shuffle all the rows before you cut them, "
            "torch.randperm(len(x)) gives a new order; a table sorted by digit would otherwise be learned digit by digit.",
            "not shuffled",
        )
    if passes[0] == passes[-1]:
        raise Wrong(
            "Two passes over the same rows took them in the same order: is a seed set inside the loop?",
            "one order",
        )
    return (
        "Right: every row once, in a new order, the smaller last batch included, and each gradient starts from zero. "
        "Repeat it sixty times, and a VAE is trained."
    )  # fmt: skip


def _is_block(rows: list[int]) -> bool:
    """Whether these rows stand one after another in the table, in whatever order, or at even steps."""
    steps = set(np.diff(rows).tolist())
    return len(steps) <= 1 or max(rows) - min(rows) == len(rows) - 1


def _judge_epoch(answer: Callable, n_rows: int, batch_size: int, lr: float) -> list[list[int]]:
    """The rows of each batch, or the sentence of the slip."""
    generator = torch.Generator().manual_seed(n_rows)
    x = torch.randn(n_rows, 4, generator=generator, dtype=torch.float64)
    x[:, 0] = torch.arange(n_rows)
    probe = _Probe()
    answer(probe, x, probe.loss, torch.optim.SGD(probe.parameters(), lr=lr), batch_size)
    if not probe.calls:
        raise Wrong("Your loop never called loss(model, batch).", "loss not called")
    if not probe.asked:
        raise Wrong(
            "Your loop called loss(model, batch), and never backward() on what it gives.", "no backward"
        )
    batches = [batch[:, 0].int().tolist() for batch in probe.asked]
    _judge_rows(list(itertools.chain(*batches)), [len(batch) for batch in batches], n_rows, batch_size)
    at = lambda *how: close(probe.weight.detach().numpy(), _after(probe.asked, lr, *how), rtol=1e-6)  # noqa: E731
    if not any((at(), at("", batch_size), at("", n_rows / len(batches)))):
        raise first_slip(
            {
                "no zero_grad": (
                    at("accumulated"),
                    "The gradients of earlier batches are still in the step: optimiser.zero_grad() belongs before each backward().",
                ),
                "step before backward": (
                    at("late"),
                    "Each step uses the gradient of the batch before: backward() comes first, then step().",
                ),
                "no step": (
                    close(probe.weight.detach().numpy(), [0.5, -1.0]),
                    "The weights have not moved: each batch needs zero_grad(), backward() and step(), in this order.",
                ),
            },
            "The weights are not where one step of the given optimiser for each batch would take them.",
        )
    return batches  # fmt: skip


def _judge_rows(used: list[int], sizes: list[int], n_rows: int, batch_size: int) -> None:
    n_used, n_batches = len(set(used)), math.ceil(n_rows / batch_size)
    short = n_used == len(used) < n_rows and len(used) == n_rows // batch_size * batch_size
    found = first_slip({
        "batch too large": (max(sizes) > batch_size, f"A batch had {max(sizes)} rows, and batch_size was {batch_size}: give loss the rows of one batch."),
        "last batch left out": (short, f"{n_rows - len(used)} of {n_rows} rows were never used: the last batch is smaller than the others, and belongs to the epoch all the same."),
        "rows not once": (sorted(used) != list(range(n_rows)), f"In one epoch each of the {n_rows} rows should be used once; {n_rows - n_used} were never used, and {len(used)} were used in all."),
        "other batches": (len(sizes) != n_batches, f"You cut {n_rows} rows into {len(sizes)} batches; with batch_size {batch_size} they make {n_batches}."),
    }, "")  # fmt: skip
    if found.slip:
        raise found


# --- the gradient without a derivative --------------------------------------------------------------------


def _score_slips(log_p, z, mu, log_var) -> dict[str, tuple]:
    away, var, each = z - mu, np.exp(log_var), log_p[:, None]
    want = each * away / var
    return {
        "reduced over the draws": ([want.mean(axis=0), want.sum(axis=0)], "you averaged or summed over the draws. Return one estimate for each draw, (n, K): we want to see how much they scatter."),
        "summed over the latents": (want.sum(axis=1), "you summed over the latents; μ has K numbers, and each has a gradient of its own."),
        "σ for σ²": (each * away / np.sqrt(var), "log_var is log σ²: you divided by σ, and the derivative of −(z − μ)²/(2σ²) has σ² below."),
        "log σ² read as log σ": (each * away / var**2, "log_var is log σ², not log σ: σ² is log_var.exp()."),
        "divided by log σ²": (each * away / log_var, "you divided by log_var, which is log σ²: σ² is log_var.exp()."),
        "multiplied by σ²": (each * away * var, "you multiplied by σ², and the score has it below: (z − μ)/σ²."),
        "sign": (-want, "the sign: log q grows when μ moves towards z, so it is z − μ, and it is log p(x|z) that goes in, not the loss −log p(x|z)."),
        "score alone": (away / var, "that is ∂ log q/∂μ alone; multiply it by log p(x|z), one number for each draw."),
        "σ² missing": (each * away, "σ² is missing: the score of a narrow cloud is large."),
        "likelihood": (np.exp(each) * away / var, "multiply by log p itself; its exponential is the likelihood."),
        "½ too many": (want / 2, "the ½ of −(z − μ)²/(2σ²) goes when the square is differentiated."),
        "square kept": (each * away**2 / var, "you kept the square; the derivative of (z − μ)²/2 in μ is μ − z."),
    }  # fmt: skip


def _scored(n: int, K: int) -> tuple[np.ndarray, ...]:
    generator = np.random.default_rng(n)
    return tuple(generator.normal(size=shape) for shape in ((n,), (n, K), (K,), (K,)))


@task(
    "08.3",
    cases=[_scored(6, 3), _scored(4, 2), _scored(5, 5)],
    slips=_score_slips,
    called="your estimate",
    rule="it should be log p(x|z) · (z − μ)/σ².",
    right="Right, and nobody had to differentiate the decoder: the same line works for a decoder without a gradient. What that freedom costs stands in the next cells.",
)
def score_gradient(log_p, z, mu, log_var) -> np.ndarray:
    """``answer(log_p, z, mu, log_var) -> (n, K)``: an estimate of ∂E[log p]/∂μ from each draw; log_p (n,), z (n, K)."""
    return np.array(
        [[p * (one[k] - mu[k]) / math.exp(log_var[k]) for k in range(len(mu))] for p, one in zip(log_p, z, strict=True)]
    )  # fmt: skip


# --- the width that a loss implies ------------------------------------------------------------------------

LOSSES = [
    (784, 20, "mean", "sum", 1.0),
    (64, 8, "sum", "sum", 4.0),
    (2352, 20, "mean", "mean", 1.0),
    (12288, 128, "mean", "sum", 0.0009),
    (100, 10, "sum", "mean", 0.5),
]
"""n_pixels, n_latents, error, kl, weight."""


def _weights(n_pixels: int, n_latents: int, error: str, kl: str, weight: float) -> tuple[float, float]:
    """What stands before the squared error and before the KL, both summed."""
    return 1 / n_pixels if error == "mean" else 1.0, weight / n_latents if kl == "mean" else weight


def _sigma_slips(*case) -> dict[str, tuple]:
    n_pixels, _, _, _, weight = case
    on_error, on_kl = _weights(*case)
    want = math.sqrt(on_kl / (2 * on_error))
    return {
        "variance": (want**2, "that is the variance; take its root."),
        "½ missing": (want * math.sqrt(2), "the ½ is missing: −log p has 1/(2σ_x²) before the squared error."),
        "upside down": (0.5 / want, "upside down: the heavier the KL, the noisier the decoder, so the KL's weight stands above."),
        "mean over pixels, sum over latents": (math.sqrt(weight * n_pixels / 2), "that is (08.7), for a mean over the pixels and a sum over the latents; other losses have other sums."),
        "mean over pixels": (math.sqrt(on_kl * n_pixels / 2), "that is (08.7), for a mean over the pixels; other losses sum the error."),
        "pixels missing": (math.sqrt(on_kl / 2), "the pixels do not count in it yet: a mean over D pixels divides the error by D."),
        "latents missing": (math.sqrt(weight / (2 * on_error)), "the latents do not count in it yet: a mean over K latents divides the KL by K."),
        "weight missing": (want / math.sqrt(weight), "the KL's weight is not in it."),
        "reductions missing": (math.sqrt(weight / 2), "the reductions are not in it; a sum and a mean imply different widths."),
    }  # fmt: skip


def _of_loss(n_pixels: int, n_latents: int, error: str, kl: str, weight: float) -> str:
    return (
        f"with the {error} of {n_pixels} squared errors and the {kl} of {n_latents} KLs, weight {weight:g},"
    )


@task(
    "08.4",
    cases=LOSSES,
    slips=_sigma_slips,
    called="your σ_x",
    atol=1e-5,
    where=_of_loss,
    rule="divide the loss by the KL's weight, and compare the error's weight with 1/(2σ_x²).",
    right="Right. Whoever writes a mean has chosen a σ_x, mostly without knowing it; for 28 × 28 pixels and a KL of weight 1 it is 19.8, where white and black are 1 apart.",
)
def implied_sigma(*case) -> float:
    """``answer(n_pixels, n_latents, error, kl, weight) -> σ_x``; error and kl are "sum" or "mean", weight is the KL's."""
    on_error, on_kl = _weights(*case)
    return math.sqrt(on_kl / (2 * on_error))


# --- find the bug -----------------------------------------------------------------------------------------


def _cloud(n: int, K: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return tuple(np.random.default_rng(n).normal(size=(3, n, K)))


def _sample_slips(mu, log_var, eps) -> dict[str, tuple]:
    sigma, var = np.exp(log_var / 2), np.exp(log_var)
    return {
        "σ² for σ": (mu + var * eps, "log_var is read as log σ: its exponential is σ², and the noise wants σ."),
        "eps missing": ([mu, mu + sigma], "there is no noise in it: the decoder is trained at one place of the cloud only."),
        "log σ² for σ": (mu + log_var * eps, "log_var stands in it without exp: a log-variance may be negative, a width may not."),
        "σ² squared": (mu + var**2 * eps, "log_var.exp() is σ² already; its root is σ, and you squared it."),
        "½ outside": (mu + var / 2 * eps, "half of σ² is not its root: the ½ belongs inside the exponential."),
        "log σ for σ": (mu + log_var / 2 * eps, "log_var / 2 is log σ; its exponential is σ."),
        "σ missing": (mu + eps, "the noise has width 1, whatever the encoder says."),
        "μ missing": (sigma * eps, "the mean μ is missing."),
        "root of log_var": ([mu + np.sqrt(log_var) * eps, mu + np.log(log_var) * eps], "log_var may be negative, and has no root then: σ is exp(log_var / 2)."),
    }  # fmt: skip


PART = {"called": "it", "right": "right."}
SAMPLE = PART | {
    "cases": [_cloud(4, 3), _cloud(5, 2)],
    "slips": _sample_slips,
    "rule": "it should be μ + σ ε.",
}


@line(**RECONSTRUCTION | PART)
def model_a(x, x_hat, noise_var: float) -> float:
    """``answer(x, x_hat, noise_var) -> ()``: the reconstruction, as in exercise 1."""
    return _nll(x, x_hat, noise_var)


@line(**SAMPLE)
def model_b(mu, log_var, eps) -> np.ndarray:
    """``answer(mu, log_var, eps) -> z``; of model E too."""
    return mu + np.sqrt(np.exp(log_var)) * eps


def _half_halved(mu, log_var) -> list[float]:
    """The KL with its ½ before some of the three parts, and not before all."""
    parts = (mu**2, np.exp(log_var), -1 - log_var)
    halves = [halved for halved in itertools.product((0.5, 1.0), repeat=3) if len(set(halved)) > 1]
    return [
        sum(h * part for h, part in zip(halved, parts, strict=True)).sum(axis=1).mean() for halved in halves
    ]


def _kl_slips(mu, log_var) -> dict[str, tuple]:
    var = np.exp(log_var)
    each = 0.5 * (mu**2 + var - 1 - log_var)
    want, of = each.sum(axis=1).mean(), lambda table: table.sum(axis=1).mean()
    return {
        "½ missing": (2 * want, "a ½ is missing: it is twice the KL that torch.distributions gives."),
        "½ before a part": (_half_halved(mu, log_var), "the ½ stands before a part of it only."),
        "½ twice": (want / 2, "halved once too often."),
        "σ for σ²": (of(each + 0.5 * (np.sqrt(var) - var)), "that has σ where σ² belongs: σ² is log_var.exp()."),
        "1 missing": (of(each + 0.5), "the 1 is missing, once for each latent."),
        "averaged over latents": (each.mean(), "that is a mean over the latents, and each of them has to be paid for."),
        "summed over the batch": (each.sum(), "that is summed over the batch as well."),
        "one for each example": (each.sum(axis=1), "it has one number for each example: average them over the batch."),
        "axes exchanged": (each.sum(axis=0).mean(), "the axes are exchanged, a sum over the batch and a mean over the latents: dim=1 runs over the latents."),
        "sign": (-want, "the sign: a KL is never negative."),
    }  # fmt: skip


@line(
    cases=[_cloud(4, 3)[:2], _cloud(5, 2)[:2]],
    slips=_kl_slips,
    unit=" nats",
    rule="it should be the KL of torch.distributions.",
    **PART,
)
def model_c(mu, log_var) -> float:
    """``answer(mu, log_var) -> ()``: the KL from the prior, summed over latents, averaged over the batch."""
    return (0.5 * (mu**2 + np.exp(log_var) - 1 - log_var)).sum(axis=1).mean()


def _sum_slips(fit, kl) -> dict[str, tuple]:
    return {
        "KL rewarded": (fit - kl, "the KL is rewarded: the further a cloud goes from the prior, the lower the loss."),
        "ELBO": (-fit - kl, "that is the ELBO, which is to be large; a loss is its negative."),
        "sign of the fit": (kl - fit, "now the reconstruction has the wrong sign: it is −log p(x|z), and should be small."),
        "KL missing": (fit, "the KL is not in it."),
    }  # fmt: skip


@line(
    cases=[(np.array(11.0), np.array(3.0)), (np.array(-2.0), np.array(0.5))],
    slips=_sum_slips,
    where=lambda fit, kl: f"for a reconstruction of {fit:g} and a KL of {kl:g}",
    rule="the loss is their sum.",
    **PART,
)
def model_d(reconstruction, kl) -> float:
    """``answer(reconstruction, kl) -> ()``: what is minimised, reconstruction being −log p(x|z)."""
    return reconstruction + kl


class _Normed(nn.Module):
    """A decoder with BatchNorm that has seen some data, left in training mode as after training."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(8)
        self.latent_dim = 3
        self.to_mu = nn.Linear(5, 3)
        self.decoder = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 5))
        with torch.no_grad():
            for tensor in (*self.decoder.parameters(), self.decoder[1].running_mean):
                tensor.copy_(torch.randn(tensor.shape, generator=generator))
            self.decoder[1].running_var.copy_(torch.tensor([0.3, 2.0, 0.7, 1.4]))

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.decoder(z)


def _by_running_averages(model: _Normed, z: np.ndarray) -> np.ndarray:
    """What the decoder gives if BatchNorm uses what it remembers, by hand."""
    first, norm, _, last = (layer for layer in model.decoder)
    arrays = [tensor.detach().double().numpy() for tensor in (*first.parameters(), *norm.parameters())]
    hidden = z @ arrays[0].T + arrays[1]
    mean, var = norm.running_mean.double().numpy(), norm.running_var.double().numpy()
    hidden = np.maximum((hidden - mean) / np.sqrt(var + norm.eps) * arrays[2] + arrays[3], 0)
    return hidden @ last.weight.detach().double().numpy().T + last.bias.detach().double().numpy()


def model_f(answer) -> str:
    """``answer(model, n, generator) -> (n, D)``: decoded draws from the prior; the model has BatchNorm in its decoder."""
    for n, seed in ((6, 1), (4, 2)):
        z = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))
        model = _Normed().train()
        want, in_batch = _by_running_averages(model, z.double().numpy()), array(_Normed().train().decode(z))
        before = model.decoder[1].running_mean.clone()
        got = array(function(answer)(model, n, torch.Generator().manual_seed(seed)), "it")
        same_shape(got, want, "it")
        moved = not torch.equal(before, model.decoder[1].running_mean)
        found = first_slip({
            "training mode": (close(got, in_batch, 1e-4, 1e-5), "BatchNorm is still in training mode: each picture depends on the batch it is decoded in, and the running averages take the drawings for data."),
            "averages moved": (moved, "drawing has moved BatchNorm's running averages: switch the mode before you decode."),
            "other codes": (not close(got, want, 1e-4, 1e-5), "these are not the codes that the given generator draws, decoded: z is torch.randn(n, K, generator=generator)."),
        }, "")  # fmt: skip
        if found.slip:
            raise found
    return "right."


SUSPECTS = dict(zip("ABCDEF", (model_a, model_b, model_c, model_d, model_b, model_f), strict=True))
bugs = page(
    "08.5",
    {f"model {letter}": judge for letter, judge in SUSPECTS.items()},
    "All six run as they should. None of the six raised an error in training: it was the numbers beside the loss that told.",
    "are repaired",
)


# --- the whole VAE ----------------------------------------------------------------------------------------

N_INPUTS, LATENT_DIM, NOISE_VAR = 9, 3, 0.05
CUT = "Draw z = μ + σ ε (or with rsample), and detach nothing."


@exercise("08.6")
def from_an_empty_cell(model_class, loss) -> str:
    """A VAE and its loss: a class ``(n_inputs, latent_dim)`` with ``encode(x) -> mu, log_var``, ``sample(mu, log_var)
    -> z`` and ``decode(z) -> x_hat``, and a function ``(model, x) -> ()``, −ELBO at σ_x² = 0.05 with one draw."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        models = [_built(model_class) for _ in range(3)]
        x = torch.rand(200, N_INPUTS)
        _judge_encode(models, 6 * (x - 0.5))
        _judge_throw(models[0])
        _judge_decode(models[0])
        _judge_loss(models[0], function(loss))
        _judge_path(models[0], loss, x[:50])
    return (
        "Right: two heads, a throw with the dice kept apart, and −ELBO in nats whose gradient reaches every weight. That "
        "is a whole VAE; let it learn with `fit(MyVAE(64, 8), data, epochs=60, lr=0.005, seed=0, loss=my_loss)`."
    )


def _built(model_class) -> nn.Module:
    """A model of the student's class with weights that we draw: a first layer of zeros is no mistake."""
    if not isinstance(model_class, type):
        raise Wrong(
            "The check builds the model itself: it takes your class, MyVAE without brackets, and not an object or a function.",
            "no class",
        )
    model = watched(lambda: model_class(N_INPUTS, LATENT_DIM))()
    if not isinstance(model, nn.Module):
        raise Wrong(
            "MyVAE should derive from torch.nn.Module, so that its weights can be found and trained.",
            "no module",
        )
    _try_once(model)
    with torch.no_grad():
        for weight in _learned(model).values():
            weight.normal_()
    return model  # fmt: skip


def _try_once(model: nn.Module) -> None:
    """Layers may take their sizes from the first batch; those that were given the lesson's size are named."""
    sides = {side for weight in model.parameters() if not is_lazy(weight) for side in weight.shape}
    try:
        _method(model, "decode")(torch.zeros(2, LATENT_DIM))
        _method(model, "encode")(torch.rand(2, N_INPUTS))
    except StudentError as error:
        if 64 in sides and "shape" in str(error):
            raise Wrong(
                f"A layer is made for 64 numbers. The class is told its sizes, here n_inputs = {N_INPUTS} and latent_dim = {LATENT_DIM}: use them. {error}",
                "D = 64",
            ) from error
        raise  # fmt: skip


def _learned(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def _method(model: nn.Module, name: str) -> Callable:
    if not callable(getattr(model, name, None)):
        raise Wrong(f"The class has no method {name}.", f"no {name}")
    return watched(getattr(model, name))


def _judge_encode(models: list[nn.Module], x: torch.Tensor) -> None:
    """Two tables, not the same numbers, no sign forbidden to the mean, no width below 1, and each row from its own x."""
    found = [_method(model, "encode")(x) for model in models]
    for pair in found:
        if not isinstance(pair, tuple | list | torch.Tensor) or len(pair) != 2:
            raise Wrong("encode should return a pair, mu and log_var.", "no pair")
        for name, got in zip(("mu", "log_var"), pair, strict=True):
            same_shape(array(got, name), np.empty((len(x), LATENT_DIM)), f"the {name} of encode")
        if close(array(pair[0]), array(pair[1])):
            raise Wrong(
                "mu and log_var are the same numbers: each needs a layer, or a half of a layer, of its own.",
                "one head",
            )
    mu, log_var = map(torch.cat, zip(*found, strict=True))
    bend = "never changes its sign: is there a bend after the last layer? A place may lie on either side of 0, and so may the logarithm of a variance."
    if (mu >= 0).all() or (mu <= 0).all():
        raise Wrong(f"mu {bend}", "bend after mu")
    # A ReLU jumps to 0, and a softplus comes close to it before it is rounded to 0.
    below = log_var[log_var < 0]
    if not len(below) or ((log_var <= 0).all() and (log_var == 0).any() and (below < -1e-6).all()):
        raise Wrong(f"log_var {bend}", "bend after log_var")
    for name, whole, alone in zip(
        ("mu", "log_var"), *(_at_rest(models[0], "encode", part) for part in (x, x[:1])), strict=True
    ):
        if not close(array(whole[:1]), array(alone), rtol=1e-3, atol=1e-4):
            raise Wrong(f"The {name} of one x changes with the other examples of the batch: dim=0 runs over the batch, and each x should be read alone.", "not each alone")  # fmt: skip


def _at_rest(model: nn.Module, name: str, argument: torch.Tensor) -> object:
    """What a method gives in evaluation mode, as dropout and BatchNorm want it."""
    model.eval()
    try:
        return _method(model, name)(argument)
    finally:
        model.train()


def _judge_throw(model: nn.Module) -> None:
    """Many codes from one cloud: their mean, their spread, and a throw for each example."""
    sigma = torch.tensor([2.0, 1.0, 0.5])
    mu = torch.tensor([1.0, -1.0, 0.0]).expand(4000, -1)
    log_var = 2 * sigma.log().expand(4000, -1)
    z, again = (array(_method(model, "sample")(mu, log_var), "sample(mu, log_var)") for _ in range(2))
    same_shape(z, mu.numpy(), "the code of sample")
    _judge_codes("sample: ", z, mu.numpy(), sigma.numpy())
    _judge_fresh("sample: ", z, again)


def _judge_fresh(said: str, z: np.ndarray, again: np.ndarray) -> None:
    if z.shape == again.shape and close(z, again):
        raise Wrong(
            f"{said}The same throw comes each time: is a seed set inside, or noise kept from the beginning?",
            "one throw",
        )


def _judge_codes(said: str, z: np.ndarray, mu: np.ndarray, sigma: np.ndarray) -> None:
    """Whether codes z (n, K) were drawn from clouds around mu (n, K) of widths sigma, (K,) or (n, K)."""
    if not np.isfinite(z).all():
        raise Wrong(f"{said}Some codes are no numbers: log_var may be negative, and then it has no root.")
    noise = (z - mu) / sigma
    normal = lambda values: close(values.mean(axis=0), 0, 0, 0.1) and close(values.std(axis=0), 1, 0.07)  # noqa: E731
    alike = np.corrcoef(noise.T) - np.eye(LATENT_DIM) if normal(noise) else np.zeros(1)
    far = lambda values: normal(values) and abs(np.mean(values**4) - 3) > 0.6  # noqa: E731
    per_example = np.abs(alike).max() > 0.1
    slips = {
        "no noise": (close(z, mu), "that is mu itself: a code is drawn from the cloud, so noise is missing."),
        "noise of 1": (close(noise, 1, 1e-3), "that is μ + σ, the same for every throw: ε is missing."),
        "drawn from the prior": (not normal(noise) and normal(z), "The codes are drawn from the prior, whatever mu and log_var are."),
        "μ missing": (not normal(noise) and normal(z / sigma), "μ is missing: the codes scatter around 0, and should around μ."),
        "one throw for the batch": (close(noise, noise[:1] * np.ones_like(noise), 1e-3), "One throw serves the whole batch; each example needs noise of its own, as torch.randn_like(mu) gives."),
        "one throw for the latents": (per_example, "One throw serves all latents of an example; each needs noise of its own, as torch.randn_like(mu) gives."),
        "σ² for σ": (close((noise / sigma).std(axis=0), 1, rtol=0.1), "The codes scatter by σ², not by σ: log_var is log σ², so σ is torch.exp(log_var / 2)."),
        "even noise": (noise.min() > -0.01 and noise.max() < 1.01, "The noise is not normal with mean 0: torch.rand is even between 0 and 1, torch.randn is normal."),
        "not normal": (far(noise), "The noise has mean 0 and width 1, but it is not normal, as torch.randn is."),
    }  # fmt: skip
    spread = ", ".join(f"{value:.2f}" for value in noise.std(axis=0).tolist())
    found = first_slip(
        {name: (fits, said + why) for name, (fits, why) in slips.items()},
        f"{said}In widths of their clouds the codes scatter by {spread}, and each number should be 1, around μ: "
        "z = μ + σ ε, with ε standard normal.",
    )
    if found.slip or not normal(noise):
        raise found


def _judge_decode(model: nn.Module) -> None:
    z = torch.randn(7, LATENT_DIM)
    x_hat = _method(model, "decode")(z)
    if isinstance(x_hat, tuple):
        raise Wrong("decode should return x̂ alone, and it returns a tuple.")
    if array(x_hat, "decode(z)").shape == (7, 64):
        raise Wrong(
            f"decode gives 64 numbers for each code. The class is told n_inputs, here {N_INPUTS}: use it.",
            "D = 64",
        )
    same_shape(array(x_hat, "decode(z)"), np.empty((7, N_INPUTS)), "the x_hat of decode")
    whole, alone = (array(_at_rest(model, "decode", part), "decode(z)") for part in (z, z[:1]))
    if not close(whole[:1], alone, rtol=1e-3, atol=1e-4):
        raise Wrong(
            "The x̂ of one code changes with the other codes of the batch: each should be decoded alone.",
            "not each alone",
        )


class _Stage:
    """The student's model with two parts laid down: the cloud of each x, and a linear decoder.

    What its loss should be is then known for the codes that it draws, which are kept, and so is the gradient.
    """

    def __init__(self, model: nn.Module) -> None:
        generator = torch.Generator().manual_seed(3)
        to_mu, to_log_var = torch.randn(2, N_INPUTS, LATENT_DIM, generator=generator)
        self.x = torch.rand(4000, N_INPUTS, generator=generator)
        self.weight = 0.3 * torch.randn(LATENT_DIM, N_INPUTS, generator=generator)
        self.mu, self.log_var = ((self.x @ to).requires_grad_() for to in (to_mu, 0.3 * to_log_var))
        self.calls, self.codes = {"encode": 0, "decode": 0}, []
        self.model = copy.copy(model)
        parts = {
            "encode": lambda _, *args, **named: self._encode(),
            "decode": lambda _, *args, **named: self._decode(*args, *named.values()),
        }
        for name in parts:
            self.model.__dict__.pop(name, None)
        self.model.__class__ = type(type(model).__name__, (type(model),), parts)

    def _encode(self) -> tuple[torch.Tensor, torch.Tensor]:
        self.calls["encode"] += 1
        return self.mu, self.log_var

    def _decode(self, z: torch.Tensor) -> torch.Tensor:
        self.calls["decode"] += 1
        if torch.is_grad_enabled():  # a look beside the loss is nobody's business
            self.codes.append(z.detach())
        return z @ self.weight

    def learns_a_number(self) -> bool:
        return any(weight.numel() == 1 for weight in _learned(self.model).values())

    def throws(self) -> torch.Tensor:
        """The codes as (throws, n, K)."""
        codes = torch.cat([z.reshape(-1, LATENT_DIM) for z in self.codes])
        if len(codes) % len(self.x):
            raise Wrong(
                f"In one loss {len(codes)} codes were decoded for {len(self.x)} examples: one draw for each is asked."
            )
        return codes.reshape(-1, *self.mu.shape)

    def parts(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Squared error of these codes, KL, and the KL estimated with them: summed, and averaged over the examples."""
        eps = ((z - self.mu) / (self.log_var / 2).exp()).detach()
        z = self.mu + (self.log_var / 2).exp() * eps
        error = (self.x - z @ self.weight).square().sum(dim=-1).mean()
        kl = _mean_kl(self.mu, self.log_var)
        return error, kl, (z**2 - eps**2 - self.log_var).sum(dim=-1).mean() / 2


def _judge_loss(model: nn.Module, loss: Callable) -> None:
    """The student's −ELBO and ours where clouds and decoder are laid down: the number, the codes, and the gradient."""
    stage, again = _Stage(model), _Stage(model)
    value = loss(stage.model, stage.x)
    fit, price = _judge_number(stage, value)
    z = stage.throws().numpy()
    mu, sigma = stage.mu.detach().numpy(), (stage.log_var / 2).exp().detach().numpy()
    for one in z:
        _judge_codes("In the loss: ", one, mu, sigma)
    loss(again.model, again.x)
    _judge_fresh("In the loss: ", z, again.throws().numpy())
    _judge_gradient(stage, value, fit, price)


def _judge_number(stage: _Stage, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Fit and price that make up the number; the KL may be in closed form or come from the throws."""
    got = number(value, "your loss")
    for name, calls in stage.calls.items():
        if not calls:
            raise Wrong(
                f"The loss never calls model.{name}: encode x, sample a code, and decode it with the model's methods."
            )
    if not stage.codes or not getattr(value, "requires_grad", False):
        raise Wrong(
            "No gradient leaves your loss: was it computed under no_grad, detached, or turned into a float?"
        )
    error, kl, estimated = stage.parts(stage.throws())
    fit = _neg_elbo(error, 0)
    price = min(kl, estimated, key=lambda price: abs(got - float((fit + price).detach())))
    if not close(got, float((fit + price).detach()), rtol=5e-5):
        said, error, kl = "The loss: ", float(error.detach()), float(kl.detach())
        hint = " Is σ_x² among the weights? It is held at 0.05." if stage.learns_a_number() else ""
        slips = _loss_slips(error, kl, len(stage.x)).items()
        raise first_slip(
            {name: (close(got, value, 5e-5), said + why) for name, (value, why) in slips},
            f"{said}for clouds and copies that the check laid down it is {got:.4f}, expected {_neg_elbo(error, kl):.4f} "
            f"nats.{hint}",
        )
    return fit, price


def _judge_gradient(stage: _Stage, value: torch.Tensor, fit: torch.Tensor, price: torch.Tensor) -> None:
    """In mu and log_var, as they leave the encoder."""
    parts = (stage.mu, stage.log_var)
    pull = lambda of: torch.autograd.grad(of, parts, retain_graph=True, allow_unused=True)  # noqa: E731
    got = [
        torch.zeros_like(part) if grad is None else grad
        for part, grad in zip(parts, pull(value), strict=True)
    ]
    same = lambda of: [torch.allclose(a, b, rtol=1e-3, atol=1e-7) for a, b in zip(got, pull(of), strict=True)]  # noqa: E731
    right = same(fit + price)
    if not all(right):
        where = " and ".join(name for name, fits in zip(("mu", "log_var"), right, strict=True) if not fits)
        raise first_slip({
            "path cut": (all(same(price)), f"The number is right, but only the KL's gradient reaches the encoder: the path from the decoder to it is cut. {CUT}"),
            "KL without gradient": (all(same(fit)), "The number is right, but the KL has no gradient: was it detached, turned into a float, or computed under no_grad?"),
        }, f"The number is right, but its gradient in {where} is not: is a part of it detached? {CUT}")  # fmt: skip


def _mean_kl(mu: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
    """Summed over the latents, averaged over the examples."""
    return (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1).mean() / 2


def _neg_elbo(error: float, kl: float, noise_var: float = NOISE_VAR) -> float:
    return error / (2 * noise_var) + 0.5 * N_INPUTS * (LOG_2PI + math.log(noise_var)) + kl


def _loss_slips(error: float, kl: float, n: int) -> dict[str, tuple[float, str]]:
    """error and KL are summed over pixels and latents, and averaged over the n examples."""
    fit, bare = _neg_elbo(error, 0), error / (2 * NOISE_VAR)
    return {
        "sign": (-(fit + kl), "it is the ELBO itself; training makes the loss small, so turn the sign."),
        "sign of the KL": (fit - kl, "the KL has the wrong sign: it is a price, and is added."),
        "KL missing": (fit, "the KL is missing: that is the reconstruction alone."),
        "½ of the KL missing": (fit + 2 * kl, "the KL is twice too large: its ½ is missing."),
        "KL averaged over latents": (fit + kl / LATENT_DIM, "the KL is averaged over the latents; it is summed over them, and averaged over the batch only."),
        "fit averaged over pixels": (fit / N_INPUTS + kl, "the reconstruction is averaged over the pixels; sum over them, or the KL weighs D times too much."),
        "summed over the batch": (n * (fit + kl), "it is summed over the batch; average over the examples."),
        "constant missing": (bare + kl, "½ D log(2πσ_x²) is missing. It moves no weight here, but without it the number is no −ELBO."),
        "constant of 64 pixels": (fit + kl + 0.5 * (64 - N_INPUTS) * (LOG_2PI + math.log(NOISE_VAR)), f"its constant is made for 64 pixels; here D = {N_INPUTS}, which is x.shape[1]."),
        "½ of the constant missing": (2 * fit - bare + kl, "D log(2πσ_x²) stands there without its ½."),
        "squared error": (error + kl, "the squared error stands there without its weight 1/(2σ_x²) and without the constant: that is σ_x² = ½."),
        "averaged over everything": ((fit + kl) / N_INPUTS, "it is divided by the number of pixels; sum over the pixels, and average over the batch only."),
        "σ for σ²": (_neg_elbo(error, kl, NOISE_VAR**2), "0.05 is σ_x² already; you took it as σ_x."),
    }  # fmt: skip


def _judge_path(model: nn.Module, loss: Callable, x: torch.Tensor) -> None:
    """With the student's own encoder and decoder: the loss pulls at every weight, and through the decoder at the encoder."""
    model.eval().zero_grad()
    learned = _learned(model)
    loss(model, x).backward()
    deaf = [name for name, weight in learned.items() if weight.grad is None or not weight.grad.any()]
    if deaf:
        raise Wrong(
            f"The number is right, but no gradient reaches {', '.join(deaf)}: is the code detached, or a layer not used?"
        )
    mu, log_var = model.encode(x)
    kl = _mean_kl(mu, log_var)
    for name, value in (("encode", kl), ("decode", model.decode(mu.detach()).sum())):
        grads = (
            torch.autograd.grad(value, list(learned.values()), allow_unused=True)
            if value.requires_grad
            else []
        )
        found = [
            (weight.grad, grad)
            for weight, grad in zip(learned.values(), grads, strict=False)
            if grad is not None
        ]
        if not found:
            raise Wrong(
                f"{name} has no weights among model.parameters(): layers in a plain list, or made in {name} itself, are not "
                "found by an optimiser."
            )
        if name == "encode" and all(torch.allclose(whole, grad, rtol=1e-4) for whole, grad in found):
            raise Wrong(
                f"The number is right, but only the KL's gradient reaches the encoder: the path from the decoder to it is cut. {CUT}"
            )
