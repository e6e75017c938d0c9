"""Checks for lesson 10, with references of their own in numpy."""

from collections.abc import Callable

import numpy as np
import torch

from aelib.exercises.frame import (
    Wrong,
    array,
    by_value,
    close,
    exercise,
    farthest,
    first_slip,
    function,
    number,
    same_shape,
)
from aelib.exercises.help import hint, progress, reset  # noqa: F401


def _orthonormal(n_inputs: int, latent_dim: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((n_inputs, latent_dim)))[0]


VALUES = np.array([5.0, 3.2, 1.9, 0.7, 0.5, 0.3])
"""Eigenvalues in falling order, none equal to another."""


def _judge(
    got: list, want: list, slips: list[dict[str, float]], where: list[str], otherwise: str, rtol: float = 1e-6
) -> None:
    """Compare one number for each setting, or raise the sentence of the slip that explains all of them.

    slips: for each setting, what each slip would give. where: the setting in words; the first wrong one is told.
    """
    agree = np.isclose(got, want, rtol=rtol, atol=1e-8)
    if not agree.all():
        first = int(np.argmin(agree))
        said = f"{where[first]} you got {got[first]:.5g}, expected {want[first]:.5g}: "
        raise first_slip(
            by_value(
                got, {words: np.array([slip[words] for slip in slips]) for words in slips[0]}, said, 1e-5
            ),
            said + otherwise,
        )


@exercise("10.1")
def best_log_likelihood(answer) -> str:
    """``answer(values, latent_dim) -> nats``: the most that a linear VAE can reach, from eigenvalues (D,)."""
    name, sizes = "best_log_likelihood(values, latent_dim)", (1, 3)
    _judge(
        [number(function(answer)(torch.tensor(VALUES), latent_dim), name) for latent_dim in sizes],
        [_best(latent_dim) for latent_dim in sizes],
        [_likelihood_slips(latent_dim) for latent_dim in sizes],
        [f"For K = {latent_dim}" for latent_dim in sizes],
        "look at (10.2), term by term.",
    )
    return "Right: the last decimal of the best possible training is known from the eigenvalues, before the first step."


def _best(latent_dim: int) -> float:
    """Of the best Gaussian with this many directions of their own, over data with the covariance of VALUES."""
    U = _orthonormal(6, 6, seed=0)
    model = np.r_[VALUES[:latent_dim], np.full(6 - latent_dim, VALUES[latent_dim:].mean())]
    return _mean_log_density(U @ np.diag(model) @ U.T, U @ np.diag(VALUES) @ U.T)


def _mean_log_density(cov: np.ndarray, data_cov: np.ndarray) -> float:
    """Mean log-density of N(0, cov) over data whose covariance is data_cov: the points √(D s_j) v_j carry it exactly."""
    values, vectors = np.linalg.eigh(data_cov)
    points = (np.sqrt(len(cov) * values) * vectors).T
    distance = np.array([point @ np.linalg.solve(cov, point) for point in points])
    constant = len(cov) * np.log(2 * np.pi) + np.linalg.slogdet(cov)[1]
    return float(-0.5 * (constant + distance).mean())


def _likelihood_slips(latent_dim: int) -> dict[str, float]:
    kept, rest = np.log(VALUES[:latent_dim]).sum(), VALUES[latent_dim:]
    n_rest, noise, log_2pi = len(rest), rest.mean(), np.log(2 * np.pi)
    column = np.log(VALUES[:latent_dim] - noise).sum()

    def value(noise: float = noise, kept: float = kept, tail: float = 6, n_pi: float = 6) -> float:
        return -0.5 * (n_pi * log_2pi + kept + n_rest * np.log(noise) + tail)

    return {
        "the sign is turned. A log-likelihood is wanted, made large.": -value(),
        "the ½ in front is missing.": 2 * value(),
        "your noise is the sum of the discarded eigenvalues; it is their mean.": value(rest.sum()),
        "your noise is the sum of the discarded eigenvalues over D; they share it among D − K directions.": value(rest.sum() / 6),
        "the D at the end is missing: the squared distance, in units of the model's variance, is D on average.": value(tail=0),
        "the logarithm of the noise stands once; it stands for each of the D − K discarded directions.": value()
        + 0.5 * (n_rest - 1) * np.log(noise),
        "the log 2π is missing: there is one for each dimension.": value(n_pi=0),
        "the log 2π stands once: there is one for each dimension.": value(n_pi=1),
        "you used the lesson's D = 64: take D from values, len(values).": value(tail=64, n_pi=64) - 0.5 * 58 * np.log(noise),
        "you used the eigenvalues of all D directions, or took the mean of their logarithms: a model with K latents has "
        "K variances and one noise, and its logarithm is that of the mean.": -0.5 * (6 * log_2pi + np.log(VALUES).sum() + 6),
        "the model's variance in a kept direction is λ_k, noise included; λ_k − σ̂² is only the column's share.": value(kept=column),
    }  # fmt: skip


@exercise("10.2")
def cloud(answer) -> str:
    """``answer(W, noise_var, x) -> (mu, var)``: the best diagonal q of a linear decoder, x (n, D) centred."""
    generator = np.random.default_rng(2)
    W, x, noise_var = generator.standard_normal((5, 3)), generator.standard_normal((4, 5)), 0.6
    x -= x.mean(axis=0)
    given = function(answer)(torch.tensor(W), torch.tensor(noise_var, dtype=torch.float64), torch.tensor(x))
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise Wrong("cloud(W, noise_var, x) should return two things, mu (n, K) and var (K,).")
    mu, var = array(given[0], "mu"), array(given[1], "var")
    want_mu, want_var = _conditional(W, noise_var, x)
    if mu.shape == (3, 4) and close(mu.T, want_mu):
        raise Wrong("mu is right and transposed: one row for each example, (n, K).")
    same_shape(mu, want_mu, "mu")
    if not close(mu, want_mu, rtol=1e-5, atol=1e-6):
        raise first_slip(
            {
                "Your mu is Wᵀx, the tied encoder of lesson 04: here the columns have lengths and overlaps, and "
                "(WᵀW + σ_x² I)⁻¹ undoes them.": close(mu, x @ W),
                "Your mu is the least-squares code, without σ_x² in the inverse: it would copy the noise as well; the "
                "prior pulls codes towards 0.": close(mu, x @ np.linalg.pinv(W).T),
                "You added σ_x instead of σ_x²: noise_var is a variance already.": close(
                    mu, x @ W @ np.linalg.inv(W.T @ W + noise_var**0.5 * np.eye(3))
                ),
                "You added 1 where σ_x² belongs: WᵀW + σ_x² I, or the same divided by σ_x² throughout.": close(
                    mu, x @ W @ np.linalg.inv(W.T @ W + np.eye(3))
                ),
                "Your mu is too large by 1/σ_x², or too small: with I + WᵀW/σ_x² in the inverse, Wᵀx is divided by σ_x² "
                "too.": close(mu, want_mu * noise_var) or close(mu, want_mu / noise_var),
            },
            f"Counted from 0, {farthest(mu, want_mu)}: mu = (WᵀW + σ_x² I)⁻¹ Wᵀ x.",
        )
    return _judged_variances(var, want_var, W, noise_var)


def _conditional(W: np.ndarray, noise_var: float, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From the joint covariance of (z, x): the regression of z on x, and each latent's variance given all else."""
    C = W @ W.T + noise_var * np.eye(len(W))
    joint = np.block([[np.eye(W.shape[1]), W.T], [W, C]])
    return x @ np.linalg.solve(C, W), 1 / np.linalg.inv(joint).diagonal()[: W.shape[1]]


def _judged_variances(var: np.ndarray, want: np.ndarray, W: np.ndarray, noise_var: float) -> str:
    same_shape(var, want, "var")
    gram = np.eye(W.shape[1]) + W.T @ W / noise_var
    if not close(var, want):
        raise first_slip(
            {
                "Your var is the diagonal of the posterior's covariance: the right variances of each latent by itself. The "
                "nearest diagonal q in KL(q ‖ p) is narrower: 1 over the diagonal of the precision.": close(
                    var, np.linalg.inv(gram).diagonal()
                ),
                "Your var is a precision: take 1 over it.": close(var, 1 / want),
                "σ_x² is missing above: 1 over the diagonal of WᵀW + σ_x² I has to be multiplied by it.": close(
                    var, want / noise_var
                ),
                "You gave standard deviations; var is their square.": close(var, np.sqrt(want)),
                "You gave log-variances; var is wanted.": close(var, np.log(want)),
                "The prior's 1 is missing: the precision is 1 + ‖w_k‖²/σ_x².": close(
                    var, noise_var / np.square(W).sum(axis=0)
                ),
                "You summed over the rows: ‖w_k‖² belongs to a column of W.": var.shape == want.shape
                and close(var, 1 / (1 + np.square(W).sum(axis=1)[:3] / noise_var)),
            },
            f"var should be {want.round(4)}, yours is {var.round(4)}: 1 / (1 + ‖w_k‖²/σ_x²), one number for each column.",
        )
    return "Right: exact means, the same for every q that is a Gaussian, and widths that do not depend on x. No training."


SQUARE = _orthonormal(6, 3, seed=4) * np.sqrt([4.0, 1.0, 0.5])
OBLIQUE = np.random.default_rng(5).standard_normal((6, 3))
TURNS = ((SQUARE, 0.0), (SQUARE, 15.0), (SQUARE, 45.0), (SQUARE, 90.0), (OBLIQUE, 30.0))


@exercise("10.3")
def rotation_gap(answer) -> str:
    """``answer(W, noise_var, degrees) -> nats``: the gap after the first two columns of W were turned."""
    name, noise_var = "rotation_gap(W, noise_var, degrees)", 0.25
    got = [
        number(function(answer)(torch.tensor(W), torch.tensor(noise_var, dtype=torch.float64), degrees), name)
        for W, degrees in TURNS
    ]
    want = [_gap(W @ _turn(np.radians(degrees)), noise_var) for W, degrees in TURNS]
    slips = [_gap_slips(W, noise_var, degrees) for W, degrees in TURNS]
    where = [f"At {degrees:g}°" for _, degrees in TURNS]
    _judge(got, want, slips, where, "turn the first two columns, then ½ (Σ log P_kk − log det P).")
    return "Right: columns at right angles cost nothing at 0° and 90° and most at 45°, and log p(x) is the same throughout: only the diagonal q notices."


def _turn(angle: float) -> np.ndarray:
    R = np.eye(3)
    R[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return R


def _gap(W: np.ndarray, noise_var: float) -> float:
    """KL(N(0, D) ‖ N(0, P⁻¹)) with D = 1 / diag P, written as a KL of two Gaussians."""
    P = np.eye(W.shape[1]) + W.T @ W / noise_var
    D = np.diag(1 / P.diagonal())
    return float(0.5 * (np.trace(P @ D) - len(P) - np.linalg.slogdet(P @ D)[1]))


def _gap_slips(W: np.ndarray, noise_var: float, degrees: float) -> dict[str, float]:
    angle = np.radians(degrees)
    turned = W @ _turn(angle)
    bare = turned.T @ turned / noise_var
    P, want = np.eye(3) + bare, _gap(turned, noise_var)
    return {
        "torch.cos and torch.sin take radians; torch.deg2rad converts.": _gap(W @ _turn(degrees), noise_var),
        "that is twice the gap: the ½ is missing.": 2 * want,
        "the sign is turned: a gap is never negative.": -want,
        "you left out the prior: the precision is I + WᵀW/σ_x².": 0.5 * (np.log(bare.diagonal()).sum() - np.linalg.slogdet(bare)[1]),
        "you took the diagonal of the covariance, P⁻¹: the gap of (10.5) has the diagonal of P itself.": 0.5
        * (np.log(np.linalg.inv(P).diagonal()).sum() + np.linalg.slogdet(P)[1]),
        "you turned in the other sense: w₁ becomes cos ω w₁ + sin ω w₂, that is W @ R, with R and not its transpose.": _gap(
            W @ _turn(-angle), noise_var
        ),
        "you divided by σ_x instead of σ_x²: noise_var is a variance already.": _gap(turned, noise_var**0.5),
        "your gap is that of W as it was: is the turned decoder used? (A rotation from the left turns the pixels and leaves "
        "WᵀW alone.)": _gap(W, noise_var),
    }  # fmt: skip


SETTINGS = (
    (5, 0.6, 1.0),
    (5, 1.2, 2.0),
    (2, 0.1, 1.0),
    (5, 0.36, 0.5),
    (3, 6.0, 1.0),
    (5, 0.6, 4.0),
    (5, 1.3, 0.5),
    (5, 0.495, 1.0),
)
"""latent_dim, noise_var, beta; no eigenvalue of VALUES is near a threshold, and each slip is wrong at one of them."""


@exercise("10.4")
def used(answer) -> str:
    """``answer(values, latent_dim, noise_var, beta) -> (K,) of True and False``: which latents the optimum uses."""
    got = [_truths(function(answer)(torch.tensor(VALUES), *setting), setting[0]) for setting in SETTINGS]
    want = [
        np.array([_pays(value, noise_var, beta) for value in VALUES[:latent_dim]])
        for latent_dim, noise_var, beta in SETTINGS
    ]
    if wrong := [k for k in range(len(SETTINGS)) if (got[k] != want[k]).any()]:
        raise _used_slip(got, want, wrong[0])
    return (
        "Right: one comparison decides, λ against βσ_x². Doubling β and doubling σ_x² close the same latents."
    )


def _truths(given, latent_dim: int) -> np.ndarray:
    """The answer as truth values, one for each latent, or a sentence about what it is instead."""
    name = "used(values, latent_dim, noise_var, beta)"
    got = array(given, name)
    if got.shape == (6,):
        raise Wrong(
            f"You gave an answer for all 6 directions, but with K = {latent_dim} there are {latent_dim} latents."
        )
    same_shape(got, np.zeros(latent_dim), name)
    if not np.isin(got, (0, 1)).all():
        raise Wrong(
            f"{name} should hold True and False, and it holds other numbers: a comparison gives them."
        )
    return got.astype(bool)


def _pays(value: float, noise_var: float, beta: float) -> bool:
    """Whether some length a > 0 of the decoder's column is better than 0, searched on a grid."""
    a = np.linspace(0, 10, 200_001)
    level = a + beta * noise_var
    return bool(np.argmin(value / level + np.log(level)) > 0)


THRESHOLDS = {
    "your answer does not know β: the threshold is βσ_x², not σ_x².": lambda noise_var, beta: noise_var,
    "you compared with σ_x²/β: a heavier KL raises the threshold.": lambda noise_var, beta: noise_var / beta,
    "you compared with √β σ_x²: β itself stands in the threshold.": lambda noise_var, beta: beta**0.5 * noise_var,
    "a β below 1 lowers the threshold too.": lambda noise_var, beta: max(beta, 1) * noise_var,
    "you compared with βσ_x: noise_var is σ_x² already.": lambda noise_var, beta: beta * noise_var**0.5,
    "you compared with βσ_x⁴: noise_var is σ_x² already, and you squared it.": lambda noise_var, beta: beta * noise_var**2,
    "you compared the square root of an eigenvalue: λ is a variance, as σ_x² is.": lambda noise_var, beta: (beta * noise_var) ** 2,
    "you compared with (1 + β)σ_x²: λ is the data's variance, noise included, and βσ_x² is all that it has to exceed.": (
        lambda noise_var, beta: (1 + beta) * noise_var
    ),
}  # fmt: skip


def _above(threshold: Callable) -> list[np.ndarray]:
    """What an answer that compares with this threshold says at each setting."""
    return [VALUES[:latent_dim] > threshold(noise_var, beta) for latent_dim, noise_var, beta in SETTINGS]


def _used_slip(got: list[np.ndarray], want: list[np.ndarray], first: int) -> Wrong:
    """The sentence of the slip that explains all settings, told of the first wrong one."""
    latent_dim, noise_var, beta = SETTINGS[first]
    fits = lambda guess: all(map(np.array_equal, got, guess))  # noqa: E731
    said = (
        f"With K = {latent_dim}, σ_x² = {noise_var:g} and β = {beta:g} you say {got[first].astype(int)}, and the optimum "
        f"uses {want[first].astype(int)} (eigenvalues {VALUES[:latent_dim]})"
    )
    middles = (VALUES[1:] + VALUES[:-1]) / 2
    slips = {
        "you say that every latent is used; with this noise and β some direction is not worth its price.": fits(
            [np.ones_like(one) for one in got]
        ),
        "you have the unused ones: True stands for a latent that is used.": fits([~one for one in want]),
        "you compared with a number that knows neither σ_x² nor β: the threshold is βσ_x².": any(
            fits(_above(lambda *_, middle=middle: middle)) for middle in middles
        ),
    } | {words: fits(_above(threshold)) for words, threshold in THRESHOLDS.items()}
    return first_slip({f"{said}: {words}": fit for words, fit in slips.items()}, f"{said}.")


LEARNED = ((3, 1.0), (3, 0.6), (2, 1.5), (5, 2.0), (2, 2.8))
"""latent_dim, beta."""


@exercise("10.5")
def learned_noise(answer) -> str:
    """``answer(values, latent_dim, beta) -> noise_var``: where σ_x² settles when it is learned."""
    name = "learned_noise(values, latent_dim, beta)"
    _judge(
        [number(function(answer)(torch.tensor(VALUES), *setting), name) for setting in LEARNED],
        [_settled(*setting) for setting in LEARNED],
        [_noise_slips(*setting) for setting in LEARNED],
        [f"With K = {latent_dim} and β = {beta:g}" for latent_dim, beta in LEARNED],
        "D σ_x² must be βσ_x² for each used direction plus the other eigenvalues.",
        rtol=1e-5,
    )
    return "Right: σ_x² becomes the squared error per dimension that the best clouds leave, and for β = 1 the mean discarded eigenvalue."


def _settled(latent_dim: int, beta: float) -> float:
    """By bisection on what the noise is minus what the error leaves of it."""
    low, high = 1e-9, 100.0
    for _ in range(200):
        middle = np.sqrt(low * high)
        error = np.minimum(VALUES[:latent_dim], beta * middle).sum() + VALUES[latent_dim:].sum()
        low, high = (middle, high) if error / 6 > middle else (low, middle)
    return float(low)


def _noise_slips(latent_dim: int, beta: float) -> dict[str, float]:
    rest, want = VALUES[latent_dim:].sum(), _settled(latent_dim, beta)
    lines = {k: VALUES[k:].sum() / (6 - beta * k) for k in range(latent_dim + 1) if beta * k != 6}
    open_lines = {k: value for k, value in lines.items() if beta * k < 6}
    return {
        "you took it for granted that all K latents are used: the threshold βσ_x² would close some, or σ_x² is negative. "
        "Try every number of them from 0 to K, and keep the smallest.": rest / (6 - beta * latent_dim),
        "a number of latents counts only while β times it is less than D; beyond that the variance is negative.": min(lines.values()),
        "you left out the case that no latent is used: a large β can close every one.": min(v for k, v in open_lines.items() if k > 0),
        "you left out the case that all K are used: range(K) ends at K − 1.": min(v for k, v in open_lines.items() if k < latent_dim),
        "that is the mean discarded eigenvalue, which is so for β = 1; with another β the used directions leave βσ_x² each.": rest
        / (6 - latent_dim),
        "you divided by D: the used directions have an error too, βσ_x² each.": rest / 6,
        "that is a sum: σ_x² is an error per dimension.": rest,
        "you kept the largest of the candidates; the smallest is the one at which noise and error agree.": max(open_lines.values()),
        "that is the threshold βσ_x²; asked is σ_x² itself.": beta * want,
        "you got the standard deviation; σ_x² is wanted.": np.sqrt(want),
    }  # fmt: skip
