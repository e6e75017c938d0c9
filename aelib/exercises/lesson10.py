"""Checks for lesson 10, with references of their own in numpy."""

import numpy as np
import torch

from aelib.exercises.frame import Wrong, array, close, exercise, first_slip, function, number, same_shape


def _orthonormal(n_inputs: int, latent_dim: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((n_inputs, latent_dim)))[0]


VALUES = np.array([5.0, 3.2, 1.9, 0.7, 0.5, 0.3])
"""Eigenvalues in falling order, none equal to another."""


@exercise
def best_log_likelihood(answer) -> str:
    """``answer(values, latent_dim) -> nats``: the most that a linear VAE can reach, from eigenvalues (D,)."""
    U = _orthonormal(6, 6, seed=0)
    for latent_dim in (1, 3):
        got = number(
            function(answer)(torch.tensor(VALUES), latent_dim), "best_log_likelihood(values, latent_dim)"
        )
        noise_var = VALUES[latent_dim:].mean()
        kept = VALUES[:latent_dim]
        cov = U @ np.diag(np.r_[kept, np.full(6 - latent_dim, noise_var)]) @ U.T
        want = _mean_log_density(cov, U @ np.diag(VALUES) @ U.T)
        if not close(got, want):
            _explain_likelihood(got, want, kept, VALUES[latent_dim:])
    return "Right: the last decimal of the best possible training is known from the eigenvalues, before the first step."


def _mean_log_density(cov: np.ndarray, data_cov: np.ndarray) -> float:
    """Mean log-density of N(0, cov) over data whose covariance is data_cov: the points √(D s_j) v_j carry it exactly."""
    values, vectors = np.linalg.eigh(data_cov)
    points = (np.sqrt(len(cov) * values) * vectors).T
    distance = np.array([point @ np.linalg.solve(cov, point) for point in points])
    constant = len(cov) * np.log(2 * np.pi) + np.linalg.slogdet(cov)[1]
    return float(-0.5 * (constant + distance).mean())


def _explain_likelihood(got: float, want: float, kept: np.ndarray, rest: np.ndarray) -> None:
    def formula(noise_var: float, tail: float = 6.0, constant: float = np.log(2 * np.pi)) -> float:
        log_det = np.log(kept).sum() + len(rest) * np.log(noise_var)
        return -0.5 * (6 * constant + log_det + tail)

    K, mean = len(kept), rest.mean()
    raise first_slip(
        {
            f"For K = {K} you got {got:.4f}: the sign is turned. A log-likelihood is wanted, made large.": close(
                got, -want
            ),
            f"For K = {K} you got {got:.4f}: the ½ in front is missing.": close(got, 2 * want),
            f"For K = {K} your noise is the sum of the discarded eigenvalues; it is their mean.": close(
                got, formula(rest.sum())
            ),
            f"For K = {K} your noise is the sum of the discarded eigenvalues over D; they share it among D − K "
            "directions.": close(got, formula(rest.sum() / 6)),
            f"For K = {K} the D at the end is missing: the squared distance, in units of the model's variance, is D "
            "on average.": close(got, formula(mean, tail=0.0)),
            f"For K = {K} the logarithm of the noise stands once; it stands for each of the D − K discarded "
            "directions.": close(got, -0.5 * (6 * np.log(2 * np.pi) + np.log(kept).sum() + np.log(mean) + 6)),
            f"For K = {K} the log 2π is missing, or stands once: there is one for each dimension.": close(
                got, formula(mean, constant=0.0)
            )
            or close(got, formula(mean, constant=np.log(2 * np.pi) / 6)),
            f"For K = {K} you used the lesson's D = 64: take D from values, len(values).": close(
                got,
                -0.5 * (64 * (np.log(2 * np.pi) + 1) + np.log(kept).sum() + (64 - K) * np.log(mean)),
            ),
            f"For K = {K} you used the eigenvalues of all D directions: a model with K latents has K variances and one "
            "noise.": close(got, -0.5 * (6 * np.log(2 * np.pi) + np.log(np.r_[kept, rest]).sum() + 6)),
        },
        f"For K = {K} you got {got:.6g}, expected {want:.6g}: look at (10.2), term by term.",
    )


@exercise
def cloud(answer) -> str:
    """``answer(W, noise_var, x) -> (mu, var)``: the best diagonal q of a linear decoder, x (n, D) centred."""
    generator = np.random.default_rng(2)
    W, x, noise_var = generator.standard_normal((5, 3)), generator.standard_normal((4, 5)), 0.6
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
            f"The first code should be {want_mu[0].round(3)}, yours is {mu[0].round(3)}: mu = (WᵀW + σ_x² I)⁻¹ Wᵀ x.",
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


@exercise
def rotation_gap(answer) -> str:
    """``answer(W, noise_var, degrees) -> nats``: the gap after the first two columns of W were turned."""
    square = _orthonormal(6, 3, seed=4) * np.sqrt([4.0, 1.0, 0.5])
    oblique, noise_var = np.random.default_rng(5).standard_normal((6, 3)), 0.25
    for W, degrees in ((square, 0.0), (square, 15.0), (square, 45.0), (square, 90.0), (oblique, 30.0)):
        got = number(
            function(answer)(torch.tensor(W), torch.tensor(noise_var, dtype=torch.float64), degrees),
            "rotation_gap(W, noise_var, degrees)",
        )
        want = _gap(W @ _turn(np.radians(degrees)), noise_var)
        if not close(got, want, atol=1e-8):
            _explain_gap(got, want, W, noise_var, degrees)
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


def _explain_gap(got: float, want: float, W: np.ndarray, noise_var: float, degrees: float) -> None:
    turned = W @ _turn(np.radians(degrees))
    P = np.eye(3) + turned.T @ turned / noise_var
    bare = turned.T @ turned / noise_var
    raise first_slip(
        {
            f"At {degrees:g}° you got {got:.4f}: torch.cos and torch.sin take radians; torch.deg2rad converts.": close(
                got, _gap(W @ _turn(degrees), noise_var), atol=1e-8
            ),
            f"At {degrees:g}° you got {got:.4f}, twice the gap: the ½ is missing.": close(
                got, 2 * want, atol=1e-8
            ),
            f"At {degrees:g}° the sign is turned: a gap is never negative.": close(got, -want, atol=1e-8),
            f"At {degrees:g}° you left out the prior: the precision is I + WᵀW/σ_x².": close(
                got, 0.5 * (np.log(bare.diagonal()).sum() - np.linalg.slogdet(bare)[1]), atol=1e-8
            ),
            f"At {degrees:g}° you took the diagonal of the covariance, P⁻¹: the gap of (10.5) has the diagonal of P "
            "itself.": close(
                got, 0.5 * (np.log(np.linalg.inv(P).diagonal()).sum() + np.linalg.slogdet(P)[1]), atol=1e-8
            ),
            f"At {degrees:g}° you turned in the other sense: w₁ becomes cos ω w₁ + sin ω w₂, that is W @ R, with R and not its "
            "transpose.": close(got, _gap(W @ _turn(-np.radians(degrees)), noise_var), atol=1e-8),
            f"At {degrees:g}° you divided by σ_x instead of σ_x²: noise_var is a variance already.": close(
                got, _gap(turned, noise_var**0.5), atol=1e-8
            ),
            f"At {degrees:g}° your gap is that of W as it was: is the turned decoder used?": close(
                got, _gap(W, noise_var), atol=1e-8
            ),
        },
        f"At {degrees:g}° you got {got:.6g}, expected {want:.6g}: turn the first two columns, then ½ (Σ log P_kk − log det P).",
    )


SETTINGS = ((4, 0.6, 1.0), (5, 1.2, 2.0), (2, 0.1, 1.0), (5, 0.36, 0.5), (3, 6.0, 1.0))
"""latent_dim, noise_var, beta; no eigenvalue of VALUES is near a threshold."""


@exercise
def used(answer) -> str:
    """``answer(values, latent_dim, noise_var, beta) -> (K,) of True and False``: which latents the optimum uses."""
    for latent_dim, noise_var, beta in SETTINGS:
        given = function(answer)(torch.tensor(VALUES), latent_dim, noise_var, beta)
        got = array(given, "used(values, latent_dim, noise_var, beta)")
        if got.shape == (6,):
            raise Wrong(
                f"You gave an answer for all 6 directions, but with K = {latent_dim} there are {latent_dim} latents."
            )
        same_shape(got, np.zeros(latent_dim), "used(values, latent_dim, noise_var, beta)")
        if not np.isin(got, (0, 1)).all():
            raise Wrong(
                "used(values, latent_dim, noise_var, beta) should hold True and False, and it holds other numbers: a comparison gives them."
            )
        got = got.astype(bool)
        want = np.array([_pays(value, noise_var, beta) for value in VALUES[:latent_dim]])
        if (got != want).any():
            _explain_used(got, want, latent_dim, noise_var, beta)
    return "Right: one comparison decides, λ against βσ_x². Who doubles β or doubles σ_x² closes the same latents."


def _pays(value: float, noise_var: float, beta: float) -> bool:
    """Whether some length a > 0 of the decoder's column is better than 0, searched on a grid."""
    a = np.linspace(0, 10, 200_001)
    level = a + beta * noise_var
    return bool(np.argmin(value / level + np.log(level)) > 0)


def _explain_used(got: np.ndarray, want: np.ndarray, latent_dim: int, noise_var: float, beta: float) -> None:
    kept = VALUES[:latent_dim]
    here = f"With K = {latent_dim}, σ_x² = {noise_var:g} and β = {beta:g}"
    raise first_slip(
        {
            f"{here} you say that every latent is used; with this noise and β some direction is not worth its price.": got.all(),
            f"{here} you have the unused ones: True stands for a latent that is used.": (got == ~want).all(),
            f"{here} your answer does not know β: the threshold is βσ_x², not σ_x².": beta != 1
            and (got == (kept > noise_var)).all(),
            f"{here} you compared with σ_x²/β: a heavier KL raises the threshold.": beta != 1
            and (got == (kept > noise_var / beta)).all(),
            f"{here} you compared with βσ_x: noise_var is σ_x² already.": (
                got == (kept > beta * noise_var**0.5)
            ).all(),
            f"{here} you compared the square root of an eigenvalue: λ is a variance, as σ_x² is.": (
                got == (np.sqrt(kept) > beta * noise_var)
            ).all(),
        },
        f"{here} you say {got.astype(int)}, and the optimum uses {want.astype(int)} (eigenvalues {kept}).",
    )


@exercise
def learned_noise(answer) -> str:
    """``answer(values, latent_dim, beta) -> noise_var``: where σ_x² settles when it is learned."""
    for latent_dim, beta in ((3, 1.0), (3, 0.6), (2, 1.5), (5, 2.0), (2, 2.8)):
        got = number(
            function(answer)(torch.tensor(VALUES), latent_dim, beta),
            "learned_noise(values, latent_dim, beta)",
        )
        want = _settled(latent_dim, beta)
        if not close(got, want, rtol=1e-5):
            _explain_noise(got, want, latent_dim, beta)
    return "Right: σ_x² becomes the squared error per dimension that the best clouds leave, and for β = 1 the mean discarded eigenvalue."


def _settled(latent_dim: int, beta: float) -> float:
    """By bisection on what the noise is minus what the error leaves of it."""
    low, high = 1e-9, 100.0
    for _ in range(200):
        middle = np.sqrt(low * high)
        error = np.minimum(VALUES[:latent_dim], beta * middle).sum() + VALUES[latent_dim:].sum()
        low, high = (middle, high) if error / 6 > middle else (low, middle)
    return float(low)


def _explain_noise(got: float, want: float, latent_dim: int, beta: float) -> None:
    rest = VALUES[latent_dim:].sum()
    candidates = [VALUES[k:].sum() / (6 - beta * k) for k in range(latent_dim + 1) if beta * k < 6]
    raise first_slip(
        {
            f"With K = {latent_dim} and β = {beta:g} you took it for granted that all K latents are used: with "
            f"σ_x² = {got:.4g} the threshold βσ_x² would close some, or is negative. Try every k ≤ K and keep the "
            "smallest.": len(candidates) > 0 and close(got, rest / (6 - beta * latent_dim)),
            f"With K = {latent_dim} and β = {beta:g} you got {got:.4g}, a negative variance: only k with βk < D count.": got
            < 0,
            f"With K = {latent_dim} and β = {beta:g} you left out k = 0: a large β can close every latent.": close(
                got, min(candidates[1:], default=np.inf)
            ),
            f"With K = {latent_dim} and β = {beta:g} you left out k = K: range(K) ends at K − 1.": len(
                candidates
            )
            == latent_dim + 1
            and close(got, min(candidates[:-1])),
            f"With K = {latent_dim} and β = {beta:g} you got the mean discarded eigenvalue: that is so for β = 1; with "
            "another β the used directions leave βσ_x² each.": beta != 1
            and close(got, rest / (6 - latent_dim)),
            f"With K = {latent_dim} and β = {beta:g} you divided by D: the used directions have an error too, βσ_x² "
            "each.": close(got, rest / 6),
            f"With K = {latent_dim} and β = {beta:g} you got {got:.4g}, a sum: σ_x² is an error per dimension.": close(
                got, rest
            ),
            f"With K = {latent_dim} and β = {beta:g} you kept the largest of the candidates; the smallest is the one at which "
            "noise and error agree.": close(got, max(candidates)),
            f"With K = {latent_dim} and β = {beta:g} you got the standard deviation; σ_x² is wanted.": close(
                got, np.sqrt(want), rtol=1e-5
            ),
        },
        f"With K = {latent_dim} and β = {beta:g} you got {got:.5g}, and the noise settles at {want:.5g}: D σ_x² must be "
        "kβσ_x² plus the other eigenvalues.",
    )
