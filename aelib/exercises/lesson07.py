"""Tasks of lesson 07, with references of their own."""

import math

import numpy as np

from aelib.exercises.frame import Wrong, exercise, page
from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import line, task

LOG_2PI = math.log(2 * math.pi)
BITS = "that is the value in bits; in nats the logarithm is the natural one."


def _gaussian(n_dims: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A mean and a covariance."""
    generator = np.random.default_rng(seed)
    root = generator.normal(size=(n_dims, n_dims))
    return generator.normal(size=n_dims), root @ root.T / n_dims + 0.3 * np.eye(n_dims)


# --- the expectation of a quadratic form ------------------------------------------------------------------


def _form_slips(mean, cov, A, center) -> dict[str, tuple]:
    spread, offset = np.trace(A @ cov), (mean - center) @ A @ (mean - center)
    return {
        "value at the mean": (offset, "that is the value at the mean; the spread around it adds tr(A Σ)."),
        "trace alone": (spread, "that is tr(A Σ), which is all only if center is the mean; add the form at mean − center."),
        "center left out": (spread + mean @ A @ mean, "center is not in it; the second term takes mean − center."),
        "product of traces": (np.trace(A) * np.trace(cov) + offset, "tr(A) tr(Σ) is not tr(A Σ): multiply the matrices first."),
        "entry by entry": (np.trace(A * cov) + offset, "you multiplied A and Σ entry by entry and then took the diagonal; tr(A Σ) is the trace of the matrix product, A @ cov."),
        "spread subtracted": (offset - spread, "the spread is added: E of a square is the square of the mean plus the variance."),
        "½ too many": ((spread + offset) / 2, "no factor ½ belongs here; it comes with the Gaussian's density, later."),
    }  # fmt: skip


def _around(n_dims: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(10 + n_dims)
    return generator.normal(size=(n_dims, n_dims)), generator.normal(size=n_dims)


@task(
    "07.1",
    cases=[(*_gaussian(n, n), *_around(n)) for n in (3, 4, 1)],
    slips=_form_slips,
    called="your expectation",
    rule="it should be tr(A Σ) + (mean − center)ᵀ A (mean − center).",
    right="Right, and for every distribution with this mean and covariance: the check averaged over a handful of points, and nothing was Gaussian about them.",
)
def quadratic_form(mean, cov, A, center) -> float:
    """``answer(mean, cov, A, center) -> ()``: E[(x − center)ᵀ A (x − center)]; mean and center (D,), cov and A (D, D)."""
    steps = (
        math.sqrt(len(mean)) * np.linalg.cholesky(cov).T
    )  # 2D points have exactly this mean and covariance
    away = np.concatenate([mean + steps, mean - steps]) - center
    return float(np.mean([step @ A @ step for step in away]))


# --- the diagonal Gaussian --------------------------------------------------------------------------------


def _each_kl(mu, log_var) -> np.ndarray:
    """One latent at a time, as −½ (1 + log σ² − μ² − σ²)."""
    return -0.5 * (1 + log_var - mu**2 - np.exp(log_var))


def _batch(n: int, n_latents: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(n)
    return generator.normal(size=(n, n_latents)), generator.uniform(-2, 1, size=(n, n_latents))


def _each_slips(mu, log_var) -> dict[str, tuple]:
    """What each slip makes of one latent."""
    each, var = _each_kl(mu, log_var), np.exp(log_var)
    return {
        "½ missing": (2 * each, "twice the right value: the ½ of the Gaussian's exponent is missing."),
        "sign": (-each, "the right size with the wrong sign; a KL is never negative, so check the minus before the ½."),
        "bits": (each / math.log(2), BITS),
        "log σ² read as log σ": (_each_kl(mu, 2 * log_var), "`log_var` is log σ², and you used it as log σ: σ² is log_var.exp(), without a square."),
        "σ² squared": (each + 0.5 * (var**2 - var), "you used log_var.exp() as σ and squared it; it is σ² already."),
        "σ for σ²": (each + 0.5 * (np.sqrt(var) - var), "you used σ where σ² belongs: σ² is log_var.exp()."),
        "KL turned round": (_each_kl(0, -log_var) + 0.5 * mu**2 / var, "that is KL(p ‖ q): the expectation is over q, so that nothing is divided by σ²."),
        "μ not squared": (each + 0.5 * (mu - mu**2), "μ has to be squared."),
        "1 missing": (each + 0.5, "the 1 is missing, once for each latent: without it the KL of the prior from itself is not 0."),
        "σ² missing": (each - 0.5 * var, "σ² itself is missing: log_var alone rewards clouds without end."),
        "μ² missing": (each - 0.5 * mu**2, "μ² is missing: a cloud away from the middle has to cost something."),
        "log σ² missing": (each + 0.5 * log_var, "log σ² is missing: without it the cheapest cloud would have no width at all."),
        "sign of σ²": (each - var, "σ² has the wrong sign: a cloud wider than the prior has to cost something."),
        "sign of μ²": (each - mu**2, "μ² has the wrong sign: a cloud away from the middle has to cost something."),
        "sign of log σ²": (each + log_var, "log σ² stands with the minus sign of E_q[log q]."),
        "log σ² and σ² exchanged": (0.5 * (mu**2 + log_var - 1 - var), "log σ² and σ² have changed places: log_var is log σ², log_var.exp() is σ²."),
    }  # fmt: skip


def _summed_slips(mu, log_var) -> dict[str, tuple]:
    each = _each_kl(mu, log_var)
    want = each.sum(axis=1)
    too = "you {} over the batch as well; each example has its own KL."
    return {name: (value.sum(axis=1), why) for name, (value, why) in _each_slips(mu, log_var).items()} | {
        "not summed": (each, "that is one number a latent: sum over the latents, dim=1."),
        "summed over the batch": (each.sum(axis=0), "you summed over the batch; sum over the latents, dim=1."),
        "summed over both": (each.sum(), too.format("summed")),
        "averaged over both": ([want.mean(), each.mean()], too.format("averaged")),
        "averaged over latents": (each.mean(axis=1), "a mean over the latents; each latent is paid for, so sum."),
        "1 once": (want + 0.5 * (mu.shape[1] - 1), "the 1 stands once for all latents; each latent has its own."),
    }  # fmt: skip


DIAGONAL = {"slips": _summed_slips, "rule": "it should be −½ Σ (1 + log σ² − μ² − σ²).", "unit": " nats"}


@task(
    "07.2",
    cases=[_batch(4, 3), _batch(5, 2), _batch(1, 6), (np.zeros((2, 3)), np.full((2, 3), -30.0))],
    called="your KL",
    right="Right: one number for each example, in nats, never negative, and 0 only where the cloud is the prior itself. Nearly every VAE contains this line.",
    **DIAGONAL,
)
def diagonal_kl(mu, log_var) -> np.ndarray:
    """``answer(mu, log_var) -> (batch,)``: KL(N(mu, diag exp(log_var)) ‖ N(0, I)) in nats; both arguments (batch, K)."""
    return _each_kl(mu, log_var).sum(axis=1)


# --- find the bug -----------------------------------------------------------------------------------------

SYMPTOMS = {
    "a": "kl_a agrees with the true KL where log_var is 0, and nowhere else: look at what it does with log_var",
    "b": "kl_b gives exactly twice the true KL at every setting",
    "c": "kl_c gives the true KL, summed and ready, at every setting: nothing is wrong with it",
    "d": "kl_d returns one number a latent, not one an example",
    "e": "kl_e is never above 0",
}
BUGS = {
    "the function that reads log_var as log σ": "a",
    "the function without the ½": "b",
    "the function with the wrong axis": "d",
    "the function with the wrong sign": "e",
}


@exercise("07.3")
def bugs(log_std, missing_half, wrong_axis, wrong_sign) -> str:
    """Each answer is the letter, "a" to "e", of the function with that bug."""
    wrong = []
    for (bug, right), answer in zip(
        BUGS.items(), (log_std, missing_half, wrong_axis, wrong_sign), strict=True
    ):
        letter = str(answer).strip().lower().removeprefix("kl_")
        if letter not in SYMPTOMS:
            raise Wrong(f'For {bug} write one letter from "a" to "e", as a string; you wrote {letter!r}.')
        if letter != right:
            wrong.append((f"you say that {bug} is {letter}. But {SYMPTOMS[letter]}.", f"{right} not found"))
    if wrong:
        raise Wrong(f"{4 - len(wrong)} of 4 found. For one, {wrong[0][0]}", wrong[0][1])
    return (
        "Right, all four, and none of them raises an error: a batch of two examples with three latents, "
        "with every μ and every log σ² away from 0, compared with torch.distributions, catches every one."
    )


# --- two multivariate Gaussians ---------------------------------------------------------------------------


def _full(mean_q, cov_q, mean_p, cov_p) -> tuple[float, float, float]:
    """Trace term, distance term and log-determinant term of twice the divergence (the −D is left out)."""
    inverse, away = np.linalg.inv(cov_p), mean_p - mean_q
    ratio = np.linalg.slogdet(cov_p)[1] - np.linalg.slogdet(cov_q)[1]
    return float(np.trace(inverse @ cov_q)), float(away @ inverse @ away), float(ratio)


def _full_slips(mean_q, cov_q, mean_p, cov_p) -> dict[str, tuple]:
    n_dims, away = len(mean_q), mean_p - mean_q
    trace, distance, ratio = _full(mean_q, cov_q, mean_p, cov_p)
    back = _full(mean_p, cov_p, mean_q, cov_q)
    want = 0.5 * (trace + distance - n_dims + ratio)
    diagonal = [np.diag(np.diag(cov)) for cov in (cov_q, cov_p)]
    dets = np.linalg.det(cov_p) - np.linalg.det(cov_q)
    return {
        "KL turned round": (0.5 * (sum(back) - n_dims), "that is KL(p ‖ q): the expectation is over q, and it is cov_p that is inverted."),
        "D = 2": (want + 0.5 * (n_dims - 2), "you wrote the lesson's D = 2: take D from mean_q, len(mean_q)."),
        "bits": (want / math.log(2), BITS),
        "½ missing": (2 * want, "twice the right value: the ½ is missing."),
        "sign": (-want, "the right size with the wrong sign; a KL is never negative."),
        "D missing": (want + 0.5 * n_dims, "the dimension D has to be subtracted, or equal Gaussians would not be at 0."),
        "1 for D": (want + 0.5 * (n_dims - 1), "1 is subtracted where D belongs: there is a 1 for each dimension."),
        "sign of the logarithm": (want - ratio, "the logarithm has the wrong sign: it is log det cov_p − log det cov_q."),
        "determinants missing": (want - 0.5 * ratio, "the log-determinants are missing."),
        "logarithm missing": (want + 0.5 * (math.exp(ratio) - ratio), "the ratio of the determinants stands there without its logarithm."),
        "difference of determinants": (want + 0.5 * (dets - ratio), "that is a difference of determinants; take the difference of their logarithms."),
        "distance missing": (want - 0.5 * distance, "the distance of the means is missing."),
        "sign of the distance": (want - distance, "the distance of the means is subtracted, and it should be added."),
        "plain distance": (want + 0.5 * (away @ away - distance), "the distance of the means has to be measured with the inverse of cov_p."),
        "distance with cov_q": (want + 0.5 * (back[1] - distance), "you measured the distance of the means with the inverse of cov_q; log p is what is averaged, so invert cov_p."),
        "distance not inverted": (want + 0.5 * (away @ cov_p @ away - distance), "you measured the distance of the means with cov_p itself; take its inverse."),
        "inverse missing": (want + 0.5 * (np.trace(cov_p @ cov_q) - trace), "the inverse of cov_p is missing in the trace."),
        "diagonals alone": (0.5 * (sum(_full(mean_q, diagonal[0], mean_p, diagonal[1])) - n_dims), "you used the diagonals of the covariances only; these Gaussians lean."),
    }  # fmt: skip


def _wide(n_dims: int) -> tuple:
    return (
        *_gaussian(n_dims, 3),
        *(part * scale for part, scale in zip(_gaussian(n_dims, 4), (1, 40), strict=True)),
    )


@task(
    "07.4",
    cases=[*((*_gaussian(n, 3), *_gaussian(n, 4)) for n in (2, 3, 5)), _wide(4)],
    slips=_full_slips,
    called="your KL",
    unit=" nats",
    where=lambda mean_q, *_: f"in {len(mean_q)} dimensions",
    rule="it should be ½ [ tr(cov_p⁻¹ cov_q) + distance − D + log det cov_p − log det cov_q ].",
    right="Right. With mean_p = 0 and cov_p = I it is the diagonal formula again, and it now works for clouds that lean as well.",
)
def full_kl(mean_q, cov_q, mean_p, cov_p) -> float:
    """``answer(mean_q, cov_q, mean_p, cov_p) -> ()``: KL(q ‖ p) of two Gaussians in nats; means (D,), covs (D, D)."""
    return 0.5 * (sum(_full(mean_q, cov_q, mean_p, cov_p)) - len(mean_q))


# --- the blank page ---------------------------------------------------------------------------------------

PLACES = [tuple(map(np.array, place)) for place in ((0.0, 0.0, 0.0), (0.7, 1.3, -0.8), (-1.1, -0.4, 0.5))]
"""z, μ and log σ² at which the lines of one latent are compared."""
LINE = {"rule": "compute it once more, term by term.", "right": "right."}
OF_Z = LINE | {"cases": PLACES, "where": lambda z, mu, log_var: f"at z = {z}, μ = {mu}, log σ² = {log_var}"}
OF_CLOUD = LINE | {
    "cases": [place[1:] for place in PLACES],
    "where": lambda mu, log_var: f"at μ = {mu}, log σ² = {log_var}",
}


def _log_q_slips(z, mu, log_var) -> dict[str, tuple]:
    away, var = (z - mu) ** 2, np.exp(log_var)
    want = -0.5 * (LOG_2PI + log_var + away / var)
    return {
        "log 2π missing": (want + 0.5 * LOG_2PI, "log 2π is missing."),
        "½ missing": (2 * want, "the ½ is missing."),
        "log σ² missing": (want + 0.5 * log_var, "log σ² is missing: a narrow density is a high one."),
        "σ² missing": (-0.5 * (LOG_2PI + log_var + away), "the distance has to be divided by σ²."),
        "σ for σ²": (-0.5 * (LOG_2PI + log_var + away / np.sqrt(var)), "the squared distance has to be divided by σ², and you divided by σ."),
        "log σ for log σ²": (want + 0.25 * log_var, "inside the bracket it is log σ², not log σ."),
        "distance not squared": (-0.5 * (LOG_2PI + log_var + (z - mu) / var), "the distance z − μ has to be squared."),
        "log σ² read as log σ": (-0.5 * (LOG_2PI + 2 * log_var + away / var**2), "`log_var` is log σ², not log σ."),
        "sign of log σ²": (want + log_var, "log σ² has the wrong sign: a wide density is a low one."),
        "logarithm missing": (np.exp(want), "that is the density; take its logarithm."),
        "sign": (-want, "the sign: a point far from the mean is improbable, so its log-density is low."),
    }  # fmt: skip


@line(slips=_log_q_slips, **OF_Z)
def line_1(z, mu, log_var):
    """``answer(z, mu, log_var)``: log q(z), the log-density of N(mu, exp(log_var))."""
    return -0.5 * (LOG_2PI + log_var + (z - mu) ** 2 / np.exp(log_var))


def _mean_log_q_slips(mu, log_var) -> dict[str, tuple]:
    want = -0.5 * (LOG_2PI + log_var + 1)
    return {
        "value at the mean": (want + 0.5, "that is log q at its mean; on average (z − μ)²/σ² is 1, not 0."),
        "sign": (-want, "that is the entropy; E_q[log q] is its negative."),
        "log 2π missing": (want + 0.5 * LOG_2PI, "log 2π is missing."),
        "½ missing": (2 * want, "the ½ is missing."),
        "log σ² missing": (want + 0.5 * log_var, "log σ² is missing: a narrow density is a high one."),
        "log σ for log σ²": (want + 0.25 * log_var, "inside the bracket it is log σ², not log σ."),
        "variance used twice": (want + 0.5 - 0.5 * np.exp(log_var), "E_q[(z − μ)²/σ²] is 1: dividing by σ² has used the variance up."),
        "μ² too many": (want - 0.5 * mu**2, "μ has no place here: moving a cloud does not change its height."),
    }  # fmt: skip


@line(slips=_mean_log_q_slips, **OF_CLOUD)
def line_2(mu, log_var):
    """``answer(mu, log_var)``: E_q[log q(z)]."""
    return -0.5 * (LOG_2PI + log_var + 1)


def _mean_log_p_slips(mu, log_var) -> dict[str, tuple]:
    var = np.exp(log_var)
    want = -0.5 * (LOG_2PI + mu**2 + var)
    square = "E_q[z²] is μ² + σ², and"
    return {
        "σ² missing": (want + 0.5 * var, f"{square} the σ² is missing."),
        "μ² missing": (want + 0.5 * mu**2, f"{square} the μ² is missing."),
        "σ for σ²": (want + 0.5 * (var - np.sqrt(var)), f"{square} you have σ: σ² is log_var.exp()."),
        "log σ² for σ²": (want + 0.5 * (var - log_var), f"{square} you have log σ²: σ² is log_var.exp()."),
        "μ not squared": (want + 0.5 * (mu**2 - mu), "μ has to be squared."),
        "½ missing": (2 * want, "the ½ is missing."),
        "log σ² too many": (want - 0.5 * log_var, "log σ² belongs to q; the prior's variance is 1."),
        "expectation over p": (-0.5 * (LOG_2PI + 1), "the expectation is over q, not over p: it is q's z that is squared."),
        "log 2π missing": (want + 0.5 * LOG_2PI, "log 2π is missing."),
        "sign": (-want, "the sign: a log-density falls with the distance."),
        "σ² squared": (want + 0.5 * (var - var**2), "σ² is exp(log_var), not its square."),
    }  # fmt: skip


@line(slips=_mean_log_p_slips, **OF_CLOUD)
def line_3(mu, log_var):
    """``answer(mu, log_var)``: E_q[log p(z)] for the prior N(0, 1)."""
    return -0.5 * (LOG_2PI + mu**2 + np.exp(log_var))


def _difference_slips(mean_log_q, mean_log_p) -> dict[str, tuple]:
    return {
        "other way round": (mean_log_p - mean_log_q, "the other way round: KL(q ‖ p) = E_q[log q] − E_q[log p], and this one is negative."),
        "sum": (mean_log_q + mean_log_p, "the logarithm of a quotient is a difference, not a sum."),
        "½ too many": ((mean_log_q - mean_log_p) / 2, "the halves are inside the two expectations already."),
        "quotient": (mean_log_q / mean_log_p, "the logarithm of a quotient is a difference; the expectations are not divided."),
    }  # fmt: skip


@line(
    cases=[(np.array(-0.9), np.array(-2.3)), (np.array(-1.2), np.array(-1.9))],
    slips=_difference_slips,
    where=lambda q, p: f"for E_q[log q] = {q} and E_q[log p] = {p}",
    **LINE,
)
def line_4(mean_log_q, mean_log_p):
    """``answer(mean_log_q, mean_log_p)``: the KL from the two expectations."""
    return mean_log_q - mean_log_p


def _simplified_slips(mu, log_var) -> dict[str, tuple]:
    each = _each_kl(mu, log_var)
    return {"log 2π left": (each + 0.5 * LOG_2PI, "log 2π cancels in the difference.")} | _each_slips(
        mu, log_var
    )


@line(slips=_simplified_slips, **OF_CLOUD)
def line_5(mu, log_var):
    """``answer(mu, log_var)``: the KL of one latent, simplified."""
    return _each_kl(mu, log_var)


@line(cases=[_batch(4, 3), _batch(3, 2)], called="it", right="right.", **DIAGONAL)
def line_6(mu, log_var):
    """``answer(mu, log_var) -> (batch,)``: the sum over the latents; both arguments (batch, K)."""
    return _each_kl(mu, log_var).sum(axis=1)


LINES = {f"line {k}": judge for k, judge in enumerate((line_1, line_2, line_3, line_4, line_5, line_6), 1)}
derivation = page(
    "07.5", LINES, "All six lines stand, from the two densities to the loss. That was the whole derivation."
)
