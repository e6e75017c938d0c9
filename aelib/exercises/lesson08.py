"""Checks for lesson 08, with references of their own."""

import copy
import itertools
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from aelib.exercises.frame import (
    Wrong,
    array,
    by_value,
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

LOG_2PI = math.log(2 * math.pi)


def _tensors(*arrays) -> list[torch.Tensor]:
    return [torch.tensor(value, dtype=torch.float64) for value in arrays]


# --- the reconstruction -----------------------------------------------------------------------------------


def _nll(x: np.ndarray, x_hat: np.ndarray, noise_var: float) -> float:
    """−log N(x; x̂, σ²) pixel by pixel, then added up, then averaged over the batch."""
    pixels = 0.5 * ((x - x_hat) ** 2 / noise_var + math.log(noise_var) + LOG_2PI)
    return float(np.mean([sum(row) for row in pixels]))


def _nll_slips(x: np.ndarray, x_hat: np.ndarray, noise_var: float) -> dict[str, float]:
    n_rows, n_pixels = x.shape
    squares, log_var = float(np.square(x - x_hat).sum()) / n_rows, math.log(noise_var)
    want = 0.5 * (squares / noise_var + n_pixels * (log_var + LOG_2PI))
    return {
        "that is a mean over the pixels. A sum over the D pixels is wanted, and the mean over the batch only; with "
        "the mean, a KL beside it would weigh D times too much.": want / n_pixels,
        "that is summed over the batch as well; average over the examples.": want * n_rows,
        "the axes are exchanged, a sum over the batch and a mean over the pixels: dim=1 runs over the pixels.": want
        * n_rows
        / n_pixels,
        "the ½ stands before the squares only; each pixel pays ½ log(2πσ²) as well.": want
        + 0.5 * n_pixels * (log_var + LOG_2PI),
        "that is the squared error alone: 1/(2σ²) and the logarithm are missing.": squares,
        "the ½ of the Gaussian's exponent is missing.": squares / noise_var
        + 0.5 * n_pixels * (log_var + LOG_2PI),
        "it is twice the right value: a ½ stands before everything.": 2 * want,
        "noise_var is the variance σ² already, and you squared it.": 0.5
        * (squares / noise_var**2 + n_pixels * (2 * log_var + LOG_2PI)),
        "the variance belongs in the denominator, not its root σ.": 0.5
        * (squares / math.sqrt(noise_var) + n_pixels * (log_var + LOG_2PI)),
        "log σ² and log 2π are missing. They do not move x̂, but with a learned σ² the first one is all that keeps "
        "it from growing.": 0.5 * squares / noise_var,
        "log σ² is missing; without it a learned σ² would grow without end.": want - 0.5 * n_pixels * log_var,
        "log 2π is missing, once for each pixel.": want - 0.5 * n_pixels * LOG_2PI,
        "log σ² + log 2π stands there once, and every pixel has its own: D times.": 0.5
        * (squares / noise_var + log_var + LOG_2PI),
        "that is log p; the loss is its negative.": -want,
    }


def _judge_nll(answer: Callable, name: str) -> None:
    generator = np.random.default_rng(0)
    for n_rows, n_pixels, noise_var in ((3, 5, 0.3), (4, 7, 0.05)):
        x, x_hat = generator.random((2, n_rows, n_pixels))
        tensors = _tensors(x, x_hat)
        tensors[1].requires_grad_()
        value = answer(*tensors, noise_var)
        got = array(value, name)
        if got.shape == (n_rows,):
            raise Wrong(f"{name} has one number for each example: average them over the batch.")
        got, want = number(got, name), _nll(x, x_hat, noise_var)
        if not close(got, want, rtol=1e-5):
            said = f"For {n_rows} examples of {n_pixels} pixels you got {got:.4f}, expected {want:.4f} nats: "
            raise first_slip(
                by_value(got, _nll_slips(x, x_hat, noise_var), said),
                said + "it should be ½ [ ‖x − x̂‖²/σ² + D (log σ² + log 2π) ], averaged over the examples.",
            )
        if not getattr(value, "requires_grad", False):
            raise Wrong(
                f"The number is right, but {name} has no gradient in x_hat: return the tensor, not a float of it."
            )


@exercise("08.1")
def gaussian_nll(answer) -> str:
    """``answer(x, x_hat, noise_var) -> ()``: −log N(x; x_hat, noise_var·I), summed over D, averaged; x (batch, D)."""
    _judge_nll(function(answer), "Your loss")
    return (
        "Right: summed over the pixels, averaged over the batch, in nats. The squared error stands in it, and "
        "1/(2σ²) says how much it costs."
    )


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


def _after(batches: list[torch.Tensor], lr: float, accumulate: bool = False) -> np.ndarray:
    """The weight after plain gradient steps on these batches, by hand."""
    weight, total = np.array([0.5, -1.0]), np.zeros(2)
    for batch in batches:
        rows = batch.numpy()
        gradient = 2 * rows[:, 1:3].T @ (rows[:, 1:3] @ weight - rows[:, 3]) / len(rows)
        total = total + gradient if accumulate else gradient
        weight = weight - lr * total
    return weight


def _late(batches: list[torch.Tensor], lr: float) -> np.ndarray:
    """The weight if each step uses the gradient of the batch before."""
    weight, before = np.array([0.5, -1.0]), np.zeros(2)
    for batch in batches:
        rows = batch.numpy()
        gradient = 2 * rows[:, 1:3].T @ (rows[:, 1:3] @ weight - rows[:, 3]) / len(rows)
        weight, before = weight - lr * before, gradient
    return weight


@exercise("08.2")
def epoch(answer) -> str:
    """``answer(model, x, loss, optimiser, batch_size)``: one pass over the rows of x, in batches, a step for each."""
    cases = ((10, 4, 0.1), (9, 4, 0.05), (9, 3, 0.1), (10, 4, 0.02))
    passes = [_judge_epoch(function(answer), *case) for case in cases]
    if all(_is_block(batch) for batches in passes for batch in batches):
        raise Wrong(
            "Every row is used once, but each batch is a block of the table, or takes every n-th row: shuffle all the rows before you cut them, "
            "torch.randperm(len(x)) gives a new order; a table sorted by digit would otherwise be learned digit by digit."
        )
    if passes[0] == passes[-1]:
        raise Wrong(
            "Two passes over the same rows took them in the same order: is a seed set inside the loop?"
        )
    return (
        "Right: every row once, in a new order, the smaller last batch included, and each gradient starts from zero. "
        "Repeat it sixty times, and a VAE is trained."
    )


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
        raise Wrong("Your loop never called loss(model, batch).")
    if not probe.asked:
        raise Wrong("Your loop called loss(model, batch), and never backward() on what it gives.")
    batches = [batch[:, 0].int().tolist() for batch in probe.asked]
    _judge_rows(list(itertools.chain(*batches)), [len(batch) for batch in batches], n_rows, batch_size)
    got = probe.weight.detach().numpy()
    if not close(got, _after(probe.asked, lr), rtol=1e-6, atol=1e-9):
        raise first_slip(
            {
                "The gradients of earlier batches are still in the step: optimiser.zero_grad() belongs before "
                "each backward().": close(got, _after(probe.asked, lr, accumulate=True), 1e-6),
                "Each step uses the gradient of the batch before: backward() comes first, then step().": close(
                    got, _late(probe.asked, lr), 1e-6
                ),
                "The weights have not moved: each batch needs zero_grad(), backward() and step(), in this order.": close(
                    got, [0.5, -1.0]
                ),
            },
            "The weights are not where one step of the given optimiser for each batch would take them.",
        )
    return batches


def _judge_rows(used: list[int], sizes: list[int], n_rows: int, batch_size: int) -> None:
    if max(sizes) > batch_size:
        raise Wrong(
            f"A batch had {max(sizes)} rows, and batch_size was {batch_size}: give loss the rows of one batch."
        )
    if len(set(used)) == len(used) < n_rows and len(used) == n_rows // batch_size * batch_size:
        raise Wrong(
            f"{n_rows - len(used)} of {n_rows} rows were never used: the last batch is smaller than the others, and "
            "belongs to the epoch all the same."
        )
    if sorted(used) != list(range(n_rows)):
        raise Wrong(
            f"In one epoch each of the {n_rows} rows should be used once; {n_rows - len(set(used))} were never used, "
            f"and {len(used)} were used in all."
        )
    if len(sizes) != math.ceil(n_rows / batch_size):
        raise Wrong(
            f"You cut {n_rows} rows into {len(sizes)} batches; with batch_size {batch_size} they make "
            f"{math.ceil(n_rows / batch_size)}."
        )


# --- the gradient without a derivative --------------------------------------------------------------------


@exercise("08.3")
def score_gradient(answer) -> str:
    """``answer(log_p, z, mu, log_var) -> (n, K)``: an estimate of ∂E[log p]/∂μ from each draw; log_p (n,), z (n, K)."""
    generator = np.random.default_rng(4)
    log_p, z, mu, log_var = (generator.normal(size=shape) for shape in ((6,), (6, 3), (3,), (3,)))
    got = array(function(answer)(*_tensors(log_p, z, mu, log_var)), "Your estimate")
    want = np.array(
        [[log_p[i] * (z[i, k] - mu[k]) / math.exp(log_var[k]) for k in range(3)] for i in range(6)]
    )
    if got.shape == (3,):
        raise Wrong(
            "You averaged or summed over the draws. Return one estimate for each draw, (n, K): we want to see how much they scatter."
        )
    same_shape(got, want, "Your estimate")
    if not close(got, want, 1e-6):
        said = f"For the first draw and latent you got {got[0, 0]:.4f}, expected {want[0, 0]:.4f}: "
        raise first_slip(
            by_value(got, _score_slips(log_p[:, None], z - mu, np.exp(log_var)), said, 1e-5),
            said + "it should be log p(x|z) · (z − μ)/σ².",
        )
    return (
        "Right, and nobody had to differentiate the decoder: the same line works for a decoder without a gradient. "
        "What that freedom costs stands in the next cells."
    )


def _score_slips(log_p: np.ndarray, away: np.ndarray, var: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "log_var is log σ²: you divided by σ, and the derivative of −(z − μ)²/(2σ²) has σ² below.": log_p * away / np.sqrt(var),
        "log_var is log σ², not log σ: σ² is log_var.exp().": log_p * away / var**2,
        "the sign: log q grows when μ moves towards z, so it is z − μ, and it is log p(x|z) that goes in, not the "
        "loss −log p(x|z).": -log_p * away / var,
        "that is ∂ log q/∂μ alone; multiply it by log p(x|z), one number for each draw.": away / var,
        "σ² is missing: the score of a narrow cloud is large.": log_p * away,
        "multiply by log p itself; its exponential is the likelihood.": np.exp(log_p) * away / var,
    }  # fmt: skip


# --- the width that a loss implies ------------------------------------------------------------------------

LOSSES = (
    (784, 20, "mean", "sum", 1.0),
    (64, 8, "sum", "sum", 4.0),
    (2352, 20, "mean", "mean", 1.0),
    (12288, 128, "mean", "sum", 0.0009),
    (100, 10, "sum", "mean", 0.5),
)
"""n_pixels, n_latents, error, kl, weight."""


@exercise("08.4")
def implied_sigma(answer) -> str:
    """``answer(n_pixels, n_latents, error, kl, weight) -> σ_x``; error and kl are "sum" or "mean", weight is the KL's."""
    got = [number(function(answer)(*case), "Your σ_x") for case in LOSSES]
    want = [_sigma(*case) for case in LOSSES]
    if not close(got, want, rtol=1e-4):
        raise _sigma_slip(got, want)
    return (
        "Right. Whoever writes a mean has chosen a σ_x, mostly without knowing it; for 28 × 28 pixels and a KL of "
        "weight 1 it is 19.8, where white and black are 1 apart."
    )


def _weights(n_pixels: int, n_latents: int, error: str, kl: str, weight: float) -> tuple[float, float]:
    """What stands before the squared error and before the KL, both summed."""
    return 1 / n_pixels if error == "mean" else 1.0, weight / n_latents if kl == "mean" else weight


def _sigma(*case) -> float:
    on_error, on_kl = _weights(*case)
    return math.sqrt(on_kl / (2 * on_error))


def _sigma_slips(*case) -> dict[str, float]:
    n_pixels, _, _, _, weight = case
    (on_error, on_kl), want = _weights(*case), _sigma(*case)
    return {
        "that is the variance; take its root.": want**2,
        "the ½ is missing: −log p has 1/(2σ_x²) before the squared error.": want * math.sqrt(2),
        "upside down: the heavier the KL, the noisier the decoder, so the KL's weight stands above.": 0.5 / want,
        "that is (08.7), for a mean over the pixels and a sum over the latents; here the error is a sum.": math.sqrt(weight * n_pixels / 2),
        "that is (08.7), for a mean over the pixels; here the error is a sum.": math.sqrt(on_kl * n_pixels / 2),
        "the pixels do not count in it yet: a mean over D pixels divides the error by D.": math.sqrt(on_kl / 2),
        "the latents do not count in it yet: a mean over K latents divides the KL by K.": math.sqrt(weight / (2 * on_error)),
        "the KL's weight is not in it.": want / math.sqrt(weight),
        "the reductions are not in it; a sum and a mean imply different widths.": math.sqrt(weight / 2),
    }  # fmt: skip


def _sigma_slip(got: list[float], want: list[float]) -> Wrong:
    """The sentence of the slip that explains all losses, told of the first that is wrong."""
    first = int(np.argmin(np.isclose(got, want, rtol=1e-4)))
    n_pixels, n_latents, error, kl, weight = LOSSES[first]
    said = (
        f"With the {error} of {n_pixels} squared errors and the {kl} of {n_latents} KLs, weight {weight:g}, "
        f"you got {got[first]:.4g}, expected {want[first]:.4g}: "
    )
    slips = [_sigma_slips(*case) for case in LOSSES]
    return first_slip(
        by_value(got, {words: np.array([slip[words] for slip in slips]) for words in slips[0]}, said, 1e-3),
        said + "divide the loss by the KL's weight, and compare the error's weight with 1/(2σ_x²).",
    )


# --- find the bug -----------------------------------------------------------------------------------------


def _cloud(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return tuple(generator.normal(size=(4, 3)) for _ in range(3))


def _sample_slips(mu: np.ndarray, log_var: np.ndarray, eps: np.ndarray) -> dict[str, np.ndarray]:
    sigma, var = np.exp(log_var / 2), np.exp(log_var)
    return {
        "log_var is read as log σ: its exponential is σ², and the noise wants σ.": mu + var * eps,
        "there is no noise in it: the decoder is trained at the middle of the cloud only.": mu,
        "log_var stands in it without exp: a log-variance may be negative, a width may not.": mu + log_var * eps,
        "log_var.exp() is σ² already; its root is σ, and you squared it.": mu + var**2 * eps,
        "half of σ² is not its root: the ½ belongs inside the exponential.": mu + var / 2 * eps,
        "log_var / 2 is log σ; its exponential is σ.": mu + log_var / 2 * eps,
        "the noise has width 1, whatever the encoder says.": mu + eps,
        "the mean μ is missing.": sigma * eps,
    }  # fmt: skip


def _judge_sample(answer: Callable) -> None:
    mu, log_var, eps = _cloud(5)
    got, again = (
        same_shape(array(answer(*_tensors(mu, log_var, eps)), "your code"), mu, "your code") for _ in range(2)
    )
    if (np.isnan(got) == (log_var < 0)).all():
        raise Wrong("log_var may be negative, and has no root then: σ is exp(log_var / 2).")
    if not np.allclose(got, again, equal_nan=True):
        raise Wrong("use the eps that is handed in: yours draws its own, and gives another z each time.")
    if not close(got, mu + np.sqrt(np.exp(log_var)) * eps, 1e-5):
        raise first_slip(by_value(got, _sample_slips(mu, log_var, eps), rtol=1e-5), "it should be μ + σ ε.")


def model_a(answer) -> str:
    """``answer(x, x_hat, noise_var) -> ()``: the reconstruction, as in exercise 1."""
    _judge_nll(function(answer), "it")
    return "right."


def model_b(answer) -> str:
    """``answer(mu, log_var, eps) -> z``."""
    _judge_sample(function(answer))
    return "right."


def _half_halved(mu: np.ndarray, log_var: np.ndarray) -> list[float]:
    """The KL with its ½ before some of the three parts, and not before all."""
    parts = (mu**2, np.exp(log_var), -1 - log_var)
    halves = [halved for halved in itertools.product((0.5, 1.0), repeat=3) if len(set(halved)) > 1]
    return [
        float(sum(h * part for h, part in zip(halved, parts, strict=True)).sum(axis=1).mean())
        for halved in halves
    ]


def model_c(answer) -> str:
    """``answer(mu, log_var) -> ()``: the KL from the prior, summed over latents, averaged over the batch."""
    mu, log_var, _ = _cloud(6)
    want = float(_kl(mu, log_var).sum(axis=1).mean())
    got = array(function(answer)(*_tensors(mu, log_var)), "it")
    if got.shape == (4,):
        raise Wrong("it has one number for each example: average them over the batch.")
    got = number(got, "it")
    if not close(got, want, 1e-5):
        raise first_slip(
            by_value(got, _kl_slips(mu, log_var), rtol=1e-5),
            f"it gives {got:.4f}, expected {want:.4f} nats.",
        )
    return "right."


def _kl(mu: np.ndarray, log_var: np.ndarray) -> np.ndarray:
    """Of each latent."""
    return 0.5 * (mu**2 + np.exp(log_var) - 1 - log_var)


def _kl_slips(mu: np.ndarray, log_var: np.ndarray) -> dict[str, float | list[float]]:
    each = _kl(mu, log_var)
    want, widths_for_variances = each.sum(axis=1).mean(), each + 0.5 * (np.exp(log_var / 2) - np.exp(log_var))
    return {
        "a ½ is missing: it is twice the KL that torch.distributions gives.": 2 * want,
        "the ½ stands before a part of it only.": _half_halved(mu, log_var),
        "halved once too often.": want / 2,
        "that has σ where σ² belongs: σ² is log_var.exp().": widths_for_variances.sum(axis=1).mean(),
        "that is a mean over the latents, and each of them has to be paid for.": each.mean(),
        "that is summed over the batch as well.": each.sum(),
        "the axes are exchanged, a sum over the batch and a mean over the latents: dim=1 runs over the latents.": each.sum(axis=0).mean(),
        "the sign: a KL is never negative.": -want,
    }  # fmt: skip


def model_d(answer) -> str:
    """``answer(reconstruction, kl) -> ()``: what is minimised, reconstruction being −log p(x|z)."""
    reconstruction, kl = 11.0, 3.0
    got = number(function(answer)(*_tensors(reconstruction, kl)), "it")
    slips = {
        "the KL is rewarded: the further a cloud goes from the prior, the lower the loss.": close(got, 8.0),
        "that is the ELBO, which is to be large; a loss is its negative.": close(got, -14.0),
        "now the reconstruction has the wrong sign: it is −log p(x|z), and should be small.": close(
            got, -8.0
        ),
        "the KL is not in it.": close(got, 11.0),
    }
    if not close(got, reconstruction + kl):
        raise first_slip(slips, f"for a reconstruction of 11 and a KL of 3 it gives {got:.4g}, expected 14.")
    return "right."


def model_e(answer) -> str:
    """``answer(mu, log_var, eps) -> z``."""
    _judge_sample(function(answer))
    return "right."


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
    z = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
    model = _Normed().train()
    want, in_batch = _by_running_averages(model, z.double().numpy()), _Normed().train().decode(z)
    before = model.decoder[1].running_mean.clone()
    got = array(function(answer)(model, 6, torch.Generator().manual_seed(1)), "it")
    same_shape(got, want, "it")
    if close(got, array(in_batch), 1e-4, 1e-5):
        raise Wrong(
            "BatchNorm is still in training mode: each picture depends on the batch it is decoded in, and the "
            "running averages take the drawings for data."
        )
    if not torch.equal(before, model.decoder[1].running_mean):
        raise Wrong("drawing has moved BatchNorm's running averages: switch the mode before you decode.")
    if not close(got, want, 1e-4, 1e-5):
        raise Wrong(
            "these are not the codes that the given generator draws, decoded: z is torch.randn(n, K, generator=generator)."
        )
    return "right."


SUSPECTS = dict(zip("ABCDEF", (model_a, model_b, model_c, model_d, model_e, model_f), strict=True))
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
            f"The check builds the model itself and takes your class, without brackets, but it got {type(model_class).__name__}."
        )
    model = watched(lambda: model_class(N_INPUTS, LATENT_DIM))()
    if not isinstance(model, nn.Module):
        raise Wrong("MyVAE should derive from torch.nn.Module, so that its weights can be found and trained.")
    _redraw(model)
    return model


def _redraw(model: nn.Module) -> None:
    with torch.no_grad():
        for weight in _learned(model).values():
            weight.normal_()


def _learned(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def _method(model: nn.Module, name: str) -> Callable:
    if not callable(getattr(model, name, None)):
        raise Wrong(f"The class has no method {name}.")
    return watched(getattr(model, name))


def _judge_encode(models: list[nn.Module], x: torch.Tensor) -> None:
    """Two tables, not the same numbers, no sign forbidden, and each row from its own x."""
    found = [_method(model, "encode")(x) for model in models]
    for pair in found:
        if not isinstance(pair, tuple | list | torch.Tensor) or len(pair) != 2:
            raise Wrong("encode should return a pair, mu and log_var.")
        for name, got in zip(("mu", "log_var"), pair, strict=True):
            same_shape(array(got, name), np.empty((len(x), LATENT_DIM)), f"the {name} of encode")
        if close(array(pair[0]), array(pair[1])):
            raise Wrong(
                "mu and log_var are the same numbers: each needs a layer, or a half of a layer, of its own."
            )
    for name, got in zip(("mu", "log_var"), map(torch.cat, zip(*found, strict=True)), strict=True):
        if (got >= 0).all() or (got <= 0).all():
            raise Wrong(
                f"{name} never changes its sign: is there a bend after the last layer? A place may lie on either side of 0, and "
                "so may the logarithm of a variance."
            )
    for name, whole, alone in zip(
        ("mu", "log_var"), *(_at_rest(models[0], "encode", part) for part in (x, x[:1])), strict=True
    ):
        if not close(array(whole[:1]), array(alone), rtol=1e-3, atol=1e-4):
            raise Wrong(
                f"The {name} of one x changes with the other examples of the batch: dim=0 runs over the batch, and each x "
                "should be read alone."
            )


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
            f"{said}The same throw comes each time: is a seed set inside, or noise kept from the beginning?"
        )


def _judge_codes(said: str, z: np.ndarray, mu: np.ndarray, sigma: np.ndarray) -> None:
    """Whether codes z (n, K) were drawn from clouds around mu (n, K) of widths sigma, (K,) or (n, K)."""
    if not np.isfinite(z).all():
        raise Wrong(f"{said}Some codes are no numbers: log_var may be negative, and then it has no root.")
    noise = (z - mu) / sigma
    normal = lambda values: close(values.mean(axis=0), 0, 0, 0.1) and close(values.std(axis=0), 1, 0.07)  # noqa: E731
    alike = np.corrcoef(noise.T) - np.eye(LATENT_DIM) if normal(noise) else np.zeros(1)
    slips = {
        "that is mu itself: a code is drawn from the cloud, so noise is missing.": close(z, mu),
        "that is μ + σ, the same for every throw: ε is missing.": close(noise, 1, 1e-3),
        "The codes are drawn from the prior, whatever mu and log_var are.": not normal(noise) and normal(z),
        "μ is missing: the codes scatter around 0, and should around μ.": not normal(noise)
        and normal(z / sigma),
        "One throw serves the whole batch; each example needs noise of its own, as torch.randn_like(mu) gives.": close(
            noise, noise[:1] * np.ones_like(noise), 1e-3
        ),
        "One throw serves all latents of an example; each needs noise of its own, as torch.randn_like(mu) gives.": np.abs(
            alike
        ).max()
        > 0.1,
        "The codes scatter by σ², not by σ: log_var is log σ², so σ is torch.exp(log_var / 2).": close(
            (noise / sigma).std(axis=0), 1, rtol=0.1
        ),
        "The noise is not normal with mean 0: torch.rand is even between 0 and 1, torch.randn is normal.": noise.min()
        > -0.01
        and noise.max() < 1.01,
        "The noise has mean 0 and width 1, but it is not normal, as torch.randn is.": normal(noise)
        and abs(np.mean(noise**4) - 3) > 0.6,
    }
    if any(slips.values()) or not normal(noise):
        found = ", ".join(f"{value:.2f}" for value in noise.std(axis=0).tolist())
        raise first_slip(
            {said + why: fits for why, fits in slips.items()},
            f"{said}In widths of their clouds the codes scatter by {found}, and each number should be 1, around μ: "
            "z = μ + σ ε, with ε standard normal.",
        )


def _judge_decode(model: nn.Module) -> None:
    z = torch.randn(7, LATENT_DIM)
    x_hat = _method(model, "decode")(z)
    if isinstance(x_hat, tuple):
        raise Wrong("decode should return x̂ alone, and it returns a tuple.")
    same_shape(array(x_hat, "decode(z)"), np.empty((7, N_INPUTS)), "the x_hat of decode")
    whole, alone = (array(_at_rest(model, "decode", part), "decode(z)") for part in (z, z[:1]))
    if not close(whole[:1], alone, rtol=1e-3, atol=1e-4):
        raise Wrong(
            "The x̂ of one code changes with the other codes of the batch: each should be decoded alone."
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
        raise first_slip(
            by_value(got, _loss_slips(error, kl, len(stage.x)), said, 5e-5),
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
        raise first_slip(
            {
                f"The number is right, but only the KL's gradient reaches the encoder: the path from the decoder to it is cut. {CUT}": all(
                    same(price)
                ),
                "The number is right, but the KL has no gradient: was it detached, turned into a float, or computed under "
                "no_grad?": all(same(fit)),
            },
            f"The number is right, but its gradient in {where} is not: is a part of it detached? {CUT}",
        )


def _mean_kl(mu: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
    """Summed over the latents, averaged over the examples."""
    return (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1).mean() / 2


def _neg_elbo(error: float, kl: float, noise_var: float = NOISE_VAR) -> float:
    return error / (2 * noise_var) + 0.5 * N_INPUTS * (LOG_2PI + math.log(noise_var)) + kl


def _loss_slips(error: float, kl: float, n: int) -> dict[str, float]:
    """error and KL are summed over pixels and latents, and averaged over the n examples."""
    fit = _neg_elbo(error, 0)
    return {
        "it is the ELBO itself; training makes the loss small, so turn the sign.": -(fit + kl),
        "the KL has the wrong sign: it is a price, and is added.": fit - kl,
        "the KL is missing: that is the reconstruction alone.": fit,
        "the KL is twice too large: its ½ is missing.": fit + 2 * kl,
        "the KL is averaged over the latents; it is summed over them, and averaged over the batch only.": fit
        + kl / LATENT_DIM,
        "the reconstruction is averaged over the pixels; sum over them, or the KL weighs D times too much.": fit
        / N_INPUTS
        + kl,
        "it is summed over the batch; average over the examples.": n * (fit + kl),
        "½ D log(2πσ_x²) is missing. It moves no weight here, but without it the number is no −ELBO.": error
        / (2 * NOISE_VAR)
        + kl,
        "D log(2πσ_x²) stands there without its ½.": 2 * fit - error / (2 * NOISE_VAR) + kl,
        "the squared error stands there without its weight 1/(2σ_x²) and without the constant: that is σ_x² = ½.": error
        + kl,
        "0.05 is σ_x² already; you took it for σ_x.": _neg_elbo(error, kl, NOISE_VAR**2),
    }


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
