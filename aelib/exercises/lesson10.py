"""Tasks of lesson 10, with references of their own in numpy."""

import numpy as np

from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import task


def _orthonormal(n_inputs: int, latent_dim: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((n_inputs, latent_dim)))[0]


VALUES = np.array([5.0, 3.2, 1.9, 0.7, 0.5, 0.3])
FEWER = np.array([2.4, 1.1, 0.9, 0.05])
"""Eigenvalues in falling order, none equal to another."""

# --- the top of the hill ----------------------------------------------------------------------------------


def _likelihood_slips(values, latent_dim: int) -> dict[str, tuple]:
    D, rest, log_2pi = len(values), values[latent_dim:], np.log(2 * np.pi)
    n_rest, mean, logs = len(rest), rest.mean(), np.log(values[:latent_dim]).sum()
    column = np.log(values[:latent_dim] - mean).sum()

    def value(noise: float = mean, kept: float = logs, tail: float = D, n_pi: float = D) -> float:
        return -0.5 * (n_pi * log_2pi + kept + n_rest * np.log(noise) + tail)

    def with_latents(k: int) -> float:
        kept = values[:k]
        return -0.5 * (D * (log_2pi + 1) + np.log(kept).sum() + (D - k) * np.log(values[k:].mean()))

    of_64 = value(tail=64, n_pi=64) - 0.5 * (64 - D) * np.log(mean)
    all_logs = -0.5 * (D * (log_2pi + 1) + np.log(values).sum())
    return {
        "sign": (-value(), "the sign is turned. A log-likelihood is wanted, made large."),
        "½ missing": (2 * value(), "the ½ in front is missing."),
        "bits": (value() / np.log(2), "that is the value in bits; in nats the logarithm is the natural one."),
        "noise is a sum": (value(rest.sum()), "your noise is the sum of the discarded eigenvalues; it is their mean."),
        "noise over D": (value(rest.sum() / D), "your noise is the sum of the discarded eigenvalues over D; they share it among D − K directions."),
        "noise is one eigenvalue": ([value(rest[0]), value(rest[-1])], "your noise is one eigenvalue; it is the mean of all D − K discarded ones."),
        "noise is a deviation": (value(np.sqrt(mean)), "you took the root of the noise: its variance stands in the logarithm."),
        "K off by one": ([with_latents(latent_dim - 1), with_latents(latent_dim + 1)], "you keep one direction too many or too few: values[:latent_dim] is kept, values[latent_dim:] is not."),
        "D missing": (value(tail=0), "the D at the end is missing: the squared distance, in units of the model's variance, is D on average."),
        "noise once": (value() + 0.5 * (n_rest - 1) * np.log(mean), "the logarithm of the noise stands once; it stands for each of the D − K discarded directions."),
        "noise missing": (value(1.0), "the logarithm of the noise is missing: it stands for each of the D − K discarded directions."),
        "log 2π missing": (value(n_pi=0), "the log 2π is missing: there is one for each dimension."),
        "log 2π once": (value(n_pi=1), "the log 2π stands once: there is one for each dimension."),
        "D = 64": (of_64, "you used the lesson's D = 64: take D from values, len(values)."),
        "all eigenvalues": (all_logs, "you used the eigenvalues of all D directions, or took the mean of their logarithms: a model with K latents has K variances and one noise, and its logarithm is that of the mean."),
        "column's share": (value(kept=column), "the model's variance in a kept direction is λ_k, noise included; λ_k − σ̂² is only the column's share."),
    }  # fmt: skip


@task(
    "10.1",
    cases=[(VALUES, 1), (VALUES, 3), (FEWER, 2), (VALUES / 50, 4)],
    slips=_likelihood_slips,
    where=lambda values, latent_dim: f"for D = {len(values)} and K = {latent_dim}",
    unit=" nats",
    rule="look at (10.2), term by term.",
    right="Right: the last decimal of the best possible training is known from the eigenvalues, before the first step.",
)
def best_log_likelihood(values, latent_dim: int) -> float:
    """``answer(values, latent_dim) -> nats``: the most that a linear VAE can reach, from eigenvalues (D,)."""
    D = len(values)
    U = _orthonormal(D, D, seed=0)
    model = np.r_[values[:latent_dim], np.full(D - latent_dim, values[latent_dim:].mean())]
    return _mean_log_density(U @ np.diag(model) @ U.T, U @ np.diag(values) @ U.T)


def _mean_log_density(cov: np.ndarray, data_cov: np.ndarray) -> float:
    """Mean log-density of N(0, cov) over data whose covariance is data_cov: the points √(D s_j) v_j carry it exactly."""
    values, vectors = np.linalg.eigh(data_cov)
    points = (np.sqrt(len(cov) * values) * vectors).T
    distance = np.array([point @ np.linalg.solve(cov, point) for point in points])
    constant = len(cov) * np.log(2 * np.pi) + np.linalg.slogdet(cov)[1]
    return float(-0.5 * (constant + distance).mean())


# --- the encoder, without training ------------------------------------------------------------------------


def _decoder_and_data(n_inputs: int, latent_dim: int, n: int, noise_var: float) -> tuple:
    generator = np.random.default_rng(latent_dim)
    W, x = generator.standard_normal((n_inputs, latent_dim)), generator.standard_normal((n, n_inputs))
    return W, np.array(noise_var), x - x.mean(axis=0)


def _cloud_slips(W, noise_var, x) -> dict[str, tuple]:
    mu, var = _conditional(W, noise_var, x)
    one, inv = np.eye(W.shape[1]), np.linalg.inv
    gram = one + W.T @ W / noise_var
    with_ridge = lambda ridge: (x @ W @ inv(W.T @ W + ridge * one), None)  # noqa: E731
    rows = np.square(W).sum(axis=1)[: W.shape[1]]
    alone = x @ W / (np.square(W).sum(axis=0) + noise_var)
    return {
        "tied encoder": ((x @ W, None), "this is Wᵀx, the tied encoder of lesson 04: here the columns have lengths and overlaps, and (WᵀW + σ_x² I)⁻¹ undoes them."),
        "least squares": (with_ridge(0), "this is the least-squares code, without σ_x² in the inverse: it would copy the noise as well; the prior pulls codes towards 0."),
        "σ for σ²": (with_ridge(noise_var**0.5), "you added σ_x instead of σ_x²: noise_var is a variance already."),
        "1 for σ²": (with_ridge(1), "you added 1 where σ_x² belongs: WᵀW + σ_x² I, or the same divided by σ_x² throughout."),
        "column by column": ((alone, None), "you took each column by itself; the columns overlap, so the whole matrix WᵀW + σ_x² I is inverted."),
        "scale of mu": ([(mu * noise_var, None), (mu / noise_var, None)], "it is too large by 1/σ_x², or too small: with I + WᵀW/σ_x² in the inverse, Wᵀx is divided by σ_x² too."),
        "transposed": ((mu.T, None), "mu is right and transposed: one row for each example, (n, K)."),
        "posterior's covariance": ((None, inv(gram).diagonal()), "this is the diagonal of the posterior's covariance: the right variances of each latent by itself. The nearest diagonal q in KL(q ‖ p) is narrower: 1 over the diagonal of the precision."),
        "a matrix": ([(None, inv(gram)), (None, np.diag(var))], "this is a matrix; var holds one number for each latent."),
        "one for each example": ((None, np.tile(var, (len(x), 1))), "var is the same for every example: give it once, one number for each latent."),
        "precision": ((None, 1 / var), "this is a precision: take 1 over it."),
        "σ² missing above": ((None, var / noise_var), "σ_x² is missing above: 1 over the diagonal of WᵀW + σ_x² I has to be multiplied by it."),
        "standard deviation": ((None, np.sqrt(var)), "you gave standard deviations; var is their square."),
        "log-variance": ((None, np.log(var)), "you gave log-variances; var is wanted."),
        "prior missing": ((None, noise_var / np.square(W).sum(axis=0)), "the prior's 1 is missing: the precision is 1 + ‖w_k‖²/σ_x²."),
        "rows": ((None, 1 / (1 + rows / noise_var)), "you summed over the rows: ‖w_k‖² belongs to a column of W."),
    }  # fmt: skip


@task(
    "10.2",
    cases=[
        _decoder_and_data(5, 3, 4, 0.6),
        _decoder_and_data(4, 2, 7, 0.05),
        _decoder_and_data(3, 1, 2, 2.5),
    ],
    slips=_cloud_slips,
    names=("mu", "var"),
    rule="mu = (WᵀW + σ_x² I)⁻¹ Wᵀ x, and var = 1 / (1 + ‖w_k‖²/σ_x²), one number for each column.",
    right="Right: exact means, the same for every q that is a Gaussian, and widths that do not depend on x. No training.",
)
def cloud(W, noise_var, x) -> tuple[np.ndarray, np.ndarray]:
    """``answer(W, noise_var, x) -> (mu, var)``: the best diagonal q of a linear decoder, x (n, D) centred."""
    return _conditional(W, noise_var, x)


def _conditional(W, noise_var, x) -> tuple[np.ndarray, np.ndarray]:
    """From the joint covariance of (z, x): the regression of z on x, and each latent's variance given all else."""
    C = W @ W.T + noise_var * np.eye(len(W))
    joint = np.block([[np.eye(W.shape[1]), W.T], [W, C]])
    return x @ np.linalg.solve(C, W), 1 / np.linalg.inv(joint).diagonal()[: W.shape[1]]


# --- turn and measure -------------------------------------------------------------------------------------


def _turn(angle: float, n_latents: int) -> np.ndarray:
    R = np.eye(n_latents)
    R[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return R


def _gap(W, noise_var) -> float:
    """KL(N(0, D) ‖ N(0, P⁻¹)) with D = 1 / diag P, written as a KL of two Gaussians."""
    P = np.eye(W.shape[1]) + W.T @ W / noise_var
    D = np.diag(1 / P.diagonal())
    return float(0.5 * (np.trace(P @ D) - len(P) - np.linalg.slogdet(P @ D)[1]))


def _gap_slips(W, noise_var, degrees: float) -> dict[str, tuple]:
    angle, K = np.radians(degrees), W.shape[1]
    turned = W @ _turn(angle, K)
    bare = turned.T @ turned / noise_var
    P, want = np.eye(K) + bare, _gap(turned, noise_var)
    log_det, log_diagonal = lambda A: np.linalg.slogdet(A)[1], lambda A: np.log(A.diagonal()).sum()
    return {
        "degrees for radians": (_gap(W @ _turn(degrees, K), noise_var), "cos and sin take radians; math.radians(degrees) converts."),
        "½ missing": (2 * want, "that is twice the gap: the ½ is missing."),
        "sign": (-want, "the sign is turned: a gap is never negative."),
        "bits": (want / np.log(2), "that is the value in bits; in nats the logarithm is the natural one."),
        "prior missing": (0.5 * (log_diagonal(bare) - log_det(bare)), "you left out the prior: the precision is I + WᵀW/σ_x²."),
        "diagonal of the covariance": (0.5 * (log_diagonal(np.linalg.inv(P)) + log_det(P)), "you took the diagonal of the covariance, P⁻¹: the gap of (10.5) has the diagonal of P itself."),
        "other sense": (_gap(W @ _turn(-angle, K), noise_var), "you turned in the other sense: w₁ becomes cos ω w₁ + sin ω w₂, that is W @ R, with R and not its transpose."),
        "σ for σ²": (_gap(turned, noise_var**0.5), "you divided by σ_x instead of σ_x²: noise_var is a variance already."),
        "not divided by σ²": (_gap(turned, 1.0), "σ_x² is missing: the precision is I + WᵀW/σ_x²."),
        "not turned": (_gap(W, noise_var), "your gap is that of W as it was: is the turned decoder used? (A rotation from the left turns the pixels and leaves WᵀW alone.)"),
        "two columns alone": (_gap(turned[:, :2], noise_var), "you kept the two turned columns only; the other latents stay in the decoder."),
    }  # fmt: skip


SQUARE = _orthonormal(6, 3, seed=4) * np.sqrt([4.0, 1.0, 0.5])
OBLIQUE = np.random.default_rng(5).standard_normal((6, 3))
WIDE = np.random.default_rng(6).standard_normal((5, 4))
TURNS = ((SQUARE, 0.0), (SQUARE, 15.0), (SQUARE, 45.0), (SQUARE, 90.0), (OBLIQUE, 30.0), (WIDE, 200.0))


@task(
    "10.3",
    cases=[
        (W, np.array(noise_var), degrees)
        for (W, degrees), noise_var in zip(TURNS, [0.25] * 5 + [0.8], strict=True)
    ],
    slips=_gap_slips,
    where=lambda W, noise_var, degrees: f"at {degrees:g}° with K = {W.shape[1]}",
    unit=" nats",
    rule="turn the first two columns, then ½ (Σ log P_kk − log det P).",
    right="Right: columns at right angles cost nothing at 0° and 90° and most at 45°, and log p(x) is the same throughout: only the diagonal q notices.",
)
def rotation_gap(W, noise_var, degrees: float) -> float:
    """``answer(W, noise_var, degrees) -> nats``: the gap after the first two columns of W were turned."""
    return _gap(W @ _turn(np.radians(degrees), W.shape[1]), noise_var)


# --- which latents are used -------------------------------------------------------------------------------

SETTINGS = (
    (5, 0.6, 1.0),
    (5, 1.2, 2.0),
    (2, 0.1, 1.0),
    (5, 0.36, 0.5),
    (3, 6.0, 1.0),
    (5, 0.6, 4.0),
    (5, 1.3, 0.5),
    (5, 0.495, 1.0),
    (3, 1.59, 2.0),
    (3, 1.61, 2.0),
    (4, 0.34, 2.0),
    (4, 0.36, 2.0),
)
"""latent_dim, noise_var, beta; some eigenvalues are near a threshold, and each slip is wrong at one of them."""


def _used_slips(values, latent_dim: int, noise_var: float, beta: float) -> dict[str, tuple]:
    kept = values[:latent_dim]
    above = lambda threshold: (kept > threshold).astype(float)  # noqa: E731
    right, middles = above(beta * noise_var), (VALUES[1:] + VALUES[:-1]) / 2
    return {
        "every latent": (np.ones(latent_dim), "you say that every latent is used; with this noise and β some direction is not worth its price."),
        "unused for used": (1 - right, "you have the unused ones: True stands for a latent that is used."),
        "all directions": ((values > beta * noise_var).astype(float), f"you gave an answer for all {len(values)} directions, but with K = {latent_dim} there are {latent_dim} latents."),
        "how many": (right.sum(), "that is how many are used; return which, one truth value for each latent."),
        "fixed threshold": ([above(middle) for middle in (*middles, 1.0)], "you compared with a number that knows neither σ_x² nor β: the threshold is βσ_x²."),
        "β missing": (above(noise_var), "your answer does not know β: the threshold is βσ_x², not σ_x²."),
        "noise missing": (above(beta), "your answer does not know σ_x²: the threshold is βσ_x², not β."),
        "σ²/β": (above(noise_var / beta), "you compared with σ_x²/β: a heavier KL raises the threshold."),
        "√β": (above(beta**0.5 * noise_var), "you compared with √β σ_x²: β itself stands in the threshold."),
        "β below 1": (above(max(beta, 1) * noise_var), "a β below 1 lowers the threshold too."),
        "σ for σ²": (above(beta * noise_var**0.5), "you compared with βσ_x: noise_var is σ_x² already."),
        "σ² squared": (above(beta * noise_var**2), "you compared with βσ_x⁴: noise_var is σ_x² already, and you squared it."),
        "root of the eigenvalue": (above((beta * noise_var) ** 2), "you compared the square root of an eigenvalue: λ is a variance, as σ_x² is."),
        "(1 + β)σ²": (above((1 + beta) * noise_var), "you compared with (1 + β)σ_x²: λ is the data's variance, noise included, and βσ_x² is all that it has to exceed."),
    }  # fmt: skip


@task(
    "10.4",
    cases=[(VALUES, *setting) for setting in SETTINGS] + [(FEWER, 4, 0.5, 2.0), (FEWER, 3, 0.5, 2.0)],
    slips=_used_slips,
    truths=True,
    where=lambda values, latent_dim, noise_var, beta: (
        f"with K = {latent_dim}, σ_x² = {noise_var:g}, β = {beta:g} and the eigenvalues {values[:latent_dim]}"
    ),
    rule="ask of each eigenvalue whether it exceeds what the noise and β ask for.",
    right="Right: one comparison decides, λ against βσ_x². Doubling β and doubling σ_x² close the same latents.",
)
def used(values, latent_dim: int, noise_var: float, beta: float) -> np.ndarray:
    """``answer(values, latent_dim, noise_var, beta) -> (K,) of True and False``: which latents the optimum uses."""
    return np.array([_pays(value, noise_var, beta) for value in values[:latent_dim]])


def _pays(value: float, noise_var: float, beta: float) -> bool:
    """Whether some length a > 0 of the decoder's column is better than 0, searched on a grid."""
    level = np.linspace(0, 10, 20_001) + beta * noise_var
    return bool(np.argmin(value / level + np.log(level)) > 0)


# --- where the noise settles ------------------------------------------------------------------------------


def _settled(values, latent_dim: int, beta: float) -> float:
    """By bisection on what the noise is minus what the error leaves of it."""
    low, high = 1e-9, 100.0
    for _ in range(200):
        middle = np.sqrt(low * high)
        error = np.minimum(values[:latent_dim], beta * middle).sum() + values[latent_dim:].sum()
        low, high = (middle, high) if error / len(values) > middle else (low, middle)
    return float(low)


def _noise_slips(values, latent_dim: int, beta: float) -> dict[str, tuple]:
    D, rest, want = len(values), values[latent_dim:].sum(), _settled(values, latent_dim, beta)
    lines = {k: values[k:].sum() / (D - beta * k) for k in range(latent_dim + 1) if beta * k != D}
    open_lines = {k: value for k, value in lines.items() if beta * k < D}
    at_least_one = [value for k, value in open_lines.items() if k > 0] or [np.nan]
    not_all = [value for k, value in open_lines.items() if k < latent_dim]
    return {
        "all latents used": (rest / (D - beta * latent_dim), "you took it for granted that all K latents are used: the threshold βσ_x² would close some, or σ_x² is negative. Try every number of them from 0 to K, and keep the smallest."),
        "negative candidates": (min(lines.values()), "a number of latents counts only while β times it is less than D; beyond that the variance is negative."),
        "no latent left out": (min(at_least_one), "you left out the case that no latent is used: a large β can close every one."),
        "K left out": (min(not_all), "you left out the case that all K are used: range(K) ends at K − 1."),
        "mean of the rest": (rest / (D - latent_dim), "that is the mean discarded eigenvalue, which is so for β = 1; with another β the used directions leave βσ_x² each."),
        "divided by D": (rest / D, "you divided by D: the used directions have an error too, βσ_x² each."),
        "sum": (rest, "that is a sum: σ_x² is an error per dimension."),
        "largest candidate": (max(open_lines.values()), "you kept the largest of the candidates; the smallest is the one at which noise and error agree."),
        "threshold": (beta * want, "that is the threshold βσ_x²; asked is σ_x² itself."),
        "standard deviation": (np.sqrt(want), "you got the standard deviation; σ_x² is wanted."),
    }  # fmt: skip


LEARNED = ((3, 1.0), (3, 0.6), (2, 1.5), (5, 2.0), (2, 2.8))


@task(
    "10.5",
    cases=[(VALUES, *setting) for setting in LEARNED] + [(FEWER, 3, 0.3), (FEWER, 3, 3.0)],
    slips=_noise_slips,
    where=lambda values, latent_dim, beta: f"with D = {len(values)}, K = {latent_dim} and β = {beta:g}",
    rule="D σ_x² must be βσ_x² for each used direction plus the other eigenvalues.",
    right="Right: σ_x² becomes the squared error per dimension that the best clouds leave, and for β = 1 the mean discarded eigenvalue.",
)
def learned_noise(values, latent_dim: int, beta: float) -> float:
    """``answer(values, latent_dim, beta) -> noise_var``: where σ_x² settles when it is learned."""
    return _settled(values, latent_dim, beta)
