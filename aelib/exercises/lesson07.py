"""Checks for lesson 07, with references of their own."""

import math
from collections.abc import Callable

import numpy as np
import torch

from aelib.exercises.frame import (
    Verdict,
    Wrong,
    array,
    by_value,
    close,
    exercise,
    first_slip,
    function,
    line_by_line,
    number,
    same_shape,
)

LOG_2PI = math.log(2 * math.pi)


def _covariance(n_dims: int, generator: np.random.Generator) -> np.ndarray:
    root = generator.normal(size=(n_dims, n_dims))
    return root @ root.T / n_dims + 0.3 * np.eye(n_dims)


def _tensors(*arrays) -> list[torch.Tensor]:
    return [torch.tensor(value, dtype=torch.float64) for value in arrays]


# --- the expectation of a quadratic form ------------------------------------------------------------------


def _points_with(mean: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """2D equally likely points whose mean and covariance are exactly these."""
    steps = math.sqrt(len(mean)) * np.linalg.cholesky(cov).T
    return np.concatenate([mean + steps, mean - steps])


@exercise
def quadratic_form(answer) -> str:
    """``answer(mean, cov, A, center) -> ()``: E[(x − center)ᵀ A (x − center)]; mean and center (D,), cov and A (D, D)."""
    generator = np.random.default_rng(0)
    for n_dims in (3, 4):
        mean, center, A = (generator.normal(size=shape) for shape in (n_dims, n_dims, (n_dims, n_dims)))
        cov = _covariance(n_dims, generator)
        _judge_quadratic_form(function(answer), mean, cov, A, center)
    return (
        "Right, and for every distribution with this mean and covariance: the check averaged over a handful of "
        "points, and nothing was Gaussian about them."
    )


def _judge_quadratic_form(answer: Callable, mean, cov, A, center) -> None:
    got = number(answer(*_tensors(mean, cov, A, center)), "Your expectation")
    away = _points_with(mean, cov) - center
    want = float(np.mean([step @ A @ step for step in away]))
    spread, offset = float(np.sum(A * cov)), float((mean - center) @ A @ (mean - center))
    said = f"You got {got:.4f}, and the average over points with this mean and covariance is {want:.4f}: "
    slips = {
        "that is the value at the mean; the spread around it adds tr(A Σ).": offset,
        "that is tr(A Σ), which is all only if center is the mean; add the form at mean − center.": spread,
        "center is not in it; the second term takes mean − center.": spread + float(mean @ A @ mean),
        "tr(A) tr(Σ) is not tr(A Σ): multiply the matrices first.": np.trace(A) * np.trace(cov) + offset,
        "you multiplied A and Σ entry by entry and then took the diagonal; tr(A Σ) is the trace of the matrix "
        "product, A @ cov.": float(np.sum(np.diag(A) * np.diag(cov))) + offset,
        "the spread is added: E of a square is the square of the mean plus the variance.": offset - spread,
        "no factor ½ belongs here; it comes with the Gaussian's density, later.": want / 2,
    }
    if not close(got, want, rtol=1e-6, atol=1e-8):
        raise first_slip(
            by_value(got, slips, said, 1e-5),
            said + "it should be tr(A Σ) + (mean − center)ᵀ A (mean − center).",
        )


# --- the diagonal Gaussian --------------------------------------------------------------------------------


def _each_kl(mu: np.ndarray, log_var: np.ndarray) -> np.ndarray:
    """One latent at a time, as −½ (1 + log σ² − μ² − σ²)."""
    return -0.5 * (1 + log_var - mu**2 - np.exp(log_var))


def _batch(seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(4, 3)), generator.uniform(-2, 1, size=(4, 3))


def _diagonal_slips(mu: np.ndarray, log_var: np.ndarray) -> dict[str, np.ndarray]:
    """What each slip makes of a batch (batch, K): (batch,)."""
    each, var = _each_kl(mu, log_var), np.exp(log_var)
    slips = {
        "twice the right value: the ½ of the Gaussian's exponent is missing.": 2 * each,
        "the right size with the wrong sign; a KL is never negative, so check the minus before the ½.": -each,
        "`log_var` is log σ², and you used it as log σ: σ² is log_var.exp(), without a square.": _each_kl(mu, 2 * log_var),
        "you used log_var.exp() as σ and squared it; it is σ² already.": each + 0.5 * (var**2 - var),
        "you used σ where σ² belongs: σ² is log_var.exp().": each + 0.5 * (np.sqrt(var) - var),
        "that is KL(p ‖ q): the expectation is over q, so that nothing is divided by σ².": _each_kl(0, -log_var) + 0.5 * mu**2 / var,
        "a mean over the latents; each latent is paid for, so sum.": each / mu.shape[1],
        "μ has to be squared.": each + 0.5 * (mu - mu**2),
        "the 1 is missing, once for each latent: without it the KL of the prior from itself is not 0.": each + 0.5,
        "σ² itself is missing: log_var alone rewards clouds without end.": each - 0.5 * var,
        "log σ² is missing: without it the cheapest cloud would have no width at all.": each + 0.5 * log_var,
        "σ² has the wrong sign: a cloud wider than the prior has to cost something.": each - var,
        "μ² has the wrong sign: a cloud away from the middle has to cost something.": each - mu**2,
        "log σ² stands with the minus sign of E_q[log q].": each + log_var,
        "log σ² and σ² have changed places: log_var is log σ², log_var.exp() is σ².": 0.5 * (mu**2 + log_var - 1 - var),
    }  # fmt: skip
    return {words: value.sum(axis=1) for words, value in slips.items()}


def _judge_diagonal(got, mu: np.ndarray, log_var: np.ndarray, name: str) -> None:
    """(batch,) against the sum over latents, or the sentence of the slip."""
    got, each = array(got, name), _each_kl(mu, log_var)
    want = each.sum(axis=1)
    if got.shape == each.sum(axis=0).shape and close(got, each.sum(axis=0), 1e-5):
        raise Wrong(f"{name} has shape {got.shape}: you summed over the batch; sum over the latents, dim=1.")
    if got.shape == each.shape:
        raise Wrong(f"{name} has shape {got.shape}, one number a latent: sum over the latents, dim=1.")
    for reduced, how in ((each.sum(), "summed"), (want.mean(), "averaged"), (each.mean(), "averaged")):
        if got.shape == () and close(got, reduced, 1e-5):
            raise Wrong(
                f"{name} is one number: you {how} over the batch as well; each example has its own KL."
            )
    same_shape(got, want, name)
    if not close(got, want, rtol=1e-5, atol=1e-7):
        said = f"For the first example you got {got[0]:.4f}, expected {want[0]:.4f} nats: "
        raise first_slip(
            by_value(got, _diagonal_slips(mu, log_var), said),
            said + "it should be −½ Σ (1 + log σ² − μ² − σ²).",
        )


@exercise
def diagonal_kl(answer) -> str:
    """``answer(mu, log_var) -> (batch,)``: KL(N(mu, diag exp(log_var)) ‖ N(0, I)) in nats; both arguments (batch, K)."""
    for seed in (1, 2):
        mu, log_var = _batch(seed)
        _judge_diagonal(function(answer)(*_tensors(mu, log_var)), mu, log_var, "Your KL")
    return (
        "Right: one number for each example, in nats, never negative, and 0 only where the cloud is the prior itself. "
        "Nearly every VAE contains this line."
    )


# --- find the bug -----------------------------------------------------------------------------------------

SYMPTOMS = {
    "a": "kl_a agrees with the true KL where log_var is 0, and nowhere else: look at what it does with log_var",
    "b": "kl_b gives exactly twice the true KL at every setting",
    "c": "kl_c gives the true KL, summed and ready, at every setting: nothing is wrong with it",
    "d": "kl_d returns one number a latent, not one an example",
    "e": "kl_e is never above 0",
}


@exercise
def bugs(log_std, missing_half, wrong_axis, wrong_sign) -> str:
    """Each answer is the letter, "a" to "e", of the function with that bug."""
    answers = {
        "log_var read as log σ": (log_std, "a"),
        "the missing ½": (missing_half, "b"),
        "the wrong axis": (wrong_axis, "d"),
        "the wrong sign": (wrong_sign, "e"),
    }
    wrong = []
    for bug, (letter, right) in answers.items():
        letter = str(letter).strip().lower().removeprefix("kl_")
        if letter not in SYMPTOMS:
            raise Wrong(f'For {bug} write one letter from "a" to "e", as a string; you wrote {letter!r}.')
        if letter != right:
            wrong.append(f"{bug} is not in {letter}: {SYMPTOMS[letter]}.")
    if wrong:
        raise Wrong(f"{4 - len(wrong)} of 4 found. " + wrong[0][0].upper() + wrong[0][1:])
    return (
        "Right, all four, and none of them raises an error: a batch of two examples with three latents, "
        "with every μ and every log σ² away from 0, compared with torch.distributions, catches every one."
    )


# --- two multivariate Gaussians ---------------------------------------------------------------------------


@exercise
def full_kl(answer) -> str:
    """``answer(mean_q, cov_q, mean_p, cov_p) -> ()``: KL(q ‖ p) of two Gaussians in nats; means (D,), covs (D, D)."""
    generator = np.random.default_rng(3)
    for n_dims in (2, 3):
        mean_q, mean_p = generator.normal(size=(2, n_dims))
        cov_q, cov_p = _covariance(n_dims, generator), _covariance(n_dims, generator)
        got = number(function(answer)(*_tensors(mean_q, cov_q, mean_p, cov_p)), "Your KL")
        _judge_full(got, mean_q, cov_q, mean_p, cov_p)
    return (
        "Right. With mean_p = 0 and cov_p = I it is the diagonal formula again, and it now works for clouds that "
        "lean as well."
    )


def _full(mean_q, cov_q, mean_p, cov_p) -> tuple[float, float, float]:
    """Trace term, distance term and log-determinant term of twice the divergence (the −D is left out)."""
    inverse, away = np.linalg.inv(cov_p), mean_p - mean_q
    ratio = np.linalg.slogdet(cov_p)[1] - np.linalg.slogdet(cov_q)[1]
    return float(np.trace(inverse @ cov_q)), float(away @ inverse @ away), float(ratio)


def _full_slips(mean_q, cov_q, mean_p, cov_p) -> dict[str, float]:
    n_dims, away = len(mean_q), mean_p - mean_q
    trace, distance, ratio = _full(mean_q, cov_q, mean_p, cov_p)
    back = _full(mean_p, cov_p, mean_q, cov_q)
    want = 0.5 * (trace + distance - n_dims + ratio)
    return {
        "that is KL(p ‖ q): the expectation is over q, and it is cov_p that is inverted.": 0.5 * (sum(back) - n_dims),
        "you wrote the lesson's D = 2: take D from mean_q, len(mean_q).": want + 0.5 * (n_dims - 2),
        "twice the right value: the ½ is missing.": 2 * want,
        "the dimension D has to be subtracted, or equal Gaussians would not be at 0.": want + 0.5 * n_dims,
        "the logarithm has the wrong sign: it is log det cov_p − log det cov_q.": want - ratio,
        "the log-determinants are missing.": want - 0.5 * ratio,
        "the ratio of the determinants stands there without its logarithm.": want + 0.5 * (math.exp(ratio) - ratio),
        "that is a difference of determinants; take the difference of their logarithms.": want
        + 0.5 * (np.linalg.det(cov_p) - np.linalg.det(cov_q) - ratio),
        "the distance of the means is missing.": want - 0.5 * distance,
        "the distance of the means has to be measured with the inverse of cov_p.": want + 0.5 * (away @ away - distance),
        "you measured the distance of the means with the inverse of cov_q; log p is what is averaged, so invert cov_p.": want
        + 0.5 * (back[1] - distance),
        "the inverse of cov_p is missing in the trace.": want + 0.5 * (np.trace(cov_p @ cov_q) - trace),
    }  # fmt: skip


def _judge_full(got: float, mean_q, cov_q, mean_p, cov_p) -> None:
    n_dims = len(mean_q)
    want = 0.5 * (sum(_full(mean_q, cov_q, mean_p, cov_p)) - n_dims)
    if not close(got, want, rtol=1e-6, atol=1e-8):
        said = f"In {n_dims} dimensions you got {got:.4f}, expected {want:.4f} nats: "
        raise first_slip(
            by_value(got, _full_slips(mean_q, cov_q, mean_p, cov_p), said, 1e-5),
            said + "½ [ tr(cov_p⁻¹ cov_q) + distance − D + log det cov_p − log det cov_q ].",
        )


# --- the blank page ---------------------------------------------------------------------------------------

NAMES = ("z", "μ", "log σ²")
PLACES = ((0.0, 0.0, 0.0), (0.7, 1.3, -0.8), (-1.1, -0.4, 0.5))
"""z, μ and log σ² at which the lines of one latent are compared."""
Z, MU, LOG_VAR = np.array(PLACES).T
VAR = np.exp(LOG_VAR)


def _line(answer, takes: tuple[int, ...], want: np.ndarray, slips: dict[str, np.ndarray]) -> str:
    """Compare one line at all places; `takes` says which of z, μ, log σ² are its arguments."""
    got = [number(function(answer)(*_tensors(*(place[k] for k in takes))), "it") for place in PLACES]
    if not close(got, want, rtol=1e-4, atol=1e-5):
        worst = int(np.argmax(np.abs(got - want)))
        place = ", ".join(f"{NAMES[k]} = {PLACES[worst][k]}" for k in takes)
        said = f"at {place} it is {got[worst]:.4f}, expected {want[worst]:.4f}: "
        raise first_slip(
            by_value(got, slips, said, 1e-5),
            said + "compute it once more, term by term.",
        )
    return "right."


@exercise
def line_1(answer) -> str:
    """``answer(z, mu, log_var)``: log q(z), the log-density of N(mu, exp(log_var))."""
    away = (Z - MU) ** 2
    want = -0.5 * (LOG_2PI + LOG_VAR + away / VAR)
    return _line(answer, (0, 1, 2), want, {
        "log 2π is missing.": want + 0.5 * LOG_2PI,
        "the ½ is missing.": 2 * want,
        "log σ² is missing: a narrow density is a high one.": want + 0.5 * LOG_VAR,
        "the distance has to be divided by σ².": -0.5 * (LOG_2PI + LOG_VAR + away),
        "the squared distance has to be divided by σ², and you divided by σ.": -0.5 * (LOG_2PI + LOG_VAR + away / np.sqrt(VAR)),
        "inside the bracket it is log σ², not log σ.": want + 0.25 * LOG_VAR,
        "the distance z − μ has to be squared.": -0.5 * (LOG_2PI + LOG_VAR + (Z - MU) / VAR),
        "log_var is log σ², not log σ.": -0.5 * (LOG_2PI + 2 * LOG_VAR + away / VAR**2),
        "that is the density; take its logarithm.": np.exp(want),
        "the sign: a point far from the mean is improbable, so its log-density is low.": -want,
    })  # fmt: skip


@exercise
def line_2(answer) -> str:
    """``answer(mu, log_var)``: E_q[log q(z)]."""
    want = -0.5 * (LOG_2PI + LOG_VAR + 1)
    return _line(answer, (1, 2), want, {
        "that is log q at its mean; on average (z − μ)²/σ² is 1, not 0.": want + 0.5,
        "that is the entropy; E_q[log q] is its negative.": -want,
        "log 2π is missing.": want + 0.5 * LOG_2PI,
        "the ½ is missing.": 2 * want,
        "inside the bracket it is log σ², not log σ.": want + 0.25 * LOG_VAR,
        "E_q[(z − μ)²/σ²] is 1: dividing by σ² has used the variance up.": want + 0.5 - 0.5 * VAR,
        "μ has no place here: moving a cloud does not change its height.": want - 0.5 * MU**2,
    })  # fmt: skip


@exercise
def line_3(answer) -> str:
    """``answer(mu, log_var)``: E_q[log p(z)] for the prior N(0, 1)."""
    want = -0.5 * (LOG_2PI + MU**2 + VAR)
    return _line(answer, (1, 2), want, {
        "E_q[z²] is μ² + σ², and the σ² is missing.": want + 0.5 * VAR,
        "E_q[z²] is μ² + σ², and the μ² is missing.": want + 0.5 * MU**2,
        "E_q[z²] is μ² + σ², and you have σ: σ² is log_var.exp().": want + 0.5 * (VAR - np.sqrt(VAR)),
        "E_q[z²] is μ² + σ², and you have log σ²: σ² is log_var.exp().": want + 0.5 * (VAR - LOG_VAR),
        "μ has to be squared.": want + 0.5 * (MU**2 - MU),
        "the ½ is missing.": 2 * want,
        "log σ² belongs to q; the prior's variance is 1.": want - 0.5 * LOG_VAR,
        "the expectation is over q, not over p: it is q's z that is squared.": np.full(3, -0.5 * (LOG_2PI + 1)),
        "log 2π is missing.": want + 0.5 * LOG_2PI,
        "the sign: a log-density falls with the distance.": -want,
        "σ² is exp(log_var), not its square.": want + 0.5 * (VAR - VAR**2),
    })  # fmt: skip


@exercise
def line_4(answer) -> str:
    """``answer(mean_log_q, mean_log_p)``: the KL from the two expectations."""
    got = number(function(answer)(*_tensors(-0.9, -2.3)), "it")
    if not close(got, 1.4):
        raise first_slip(
            {
                "the other way round: KL(q ‖ p) = E_q[log q] − E_q[log p], and this one is negative.": close(
                    got, -1.4
                ),
                "the logarithm of a quotient is a difference, not a sum.": close(got, -3.2),
                "the halves are inside the two expectations already.": close(got, 0.7),
            },
            f"for E_q[log q] = −0.9 and E_q[log p] = −2.3 it is {got:.4f}, expected 1.4.",
        )
    return "right."


@exercise
def line_5(answer) -> str:
    """``answer(mu, log_var)``: the KL of one latent, simplified."""
    want = _each_kl(MU, LOG_VAR)
    slips = {"log 2π cancels in the difference.": want + 0.5 * LOG_2PI}
    return _line(answer, (1, 2), want, slips | _diagonal_slips(MU[:, None], LOG_VAR[:, None]))


@exercise
def line_6(answer) -> str:
    """``answer(mu, log_var) -> (batch,)``: the sum over the latents; both arguments (batch, K)."""
    mu, log_var = _batch(5)
    _judge_diagonal(function(answer)(*_tensors(mu, log_var)), mu, log_var, "it")
    return "right."


LINES = (line_1, line_2, line_3, line_4, line_5, line_6)


def derivation(*answers) -> Verdict:
    """The six lines, each a function and each judged on its own: one sentence a line; see line_1 to line_6."""
    return line_by_line(
        LINES,
        answers,
        "All six lines stand, from the two densities to the loss. That was the whole derivation.",
    )
