"""Tasks of lesson 04, with references of their own in numpy."""

import numpy as np

from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import Extreme, task


def _data(n_inputs: int = 6, seed: int = 0, n_examples: int = 200) -> np.ndarray:
    """(n, D): correlated, of unequal variances, far from centred, each input with a mean of its own."""
    generator = np.random.default_rng(seed)
    root = generator.standard_normal((n_inputs, n_inputs))
    return generator.standard_normal((n_examples, n_inputs)) @ root + generator.uniform(1, 4, n_inputs)


def _covariance(x: np.ndarray) -> np.ndarray:
    return np.cov(x.T, bias=True)


# --- the best decoder of an encoder -----------------------------------------------------------------------


def _encoder(n_inputs: int, latent_dim: int) -> tuple[np.ndarray, np.ndarray]:
    """An encoder V and a covariance S."""
    generator = np.random.default_rng(latent_dim)
    return generator.standard_normal((latent_dim, n_inputs)), _covariance(_data(n_inputs, latent_dim))


def _loss(W, V, S) -> float:
    lost = np.eye(len(S)) - W @ V
    return float(np.trace(lost @ S @ lost.T))


def _decoder(V, S) -> np.ndarray:
    """By least squares on points whose covariance is S."""
    points = np.linalg.cholesky(S).T
    return np.linalg.lstsq(points @ V.T, points, rcond=None)[0].T


def _decoder_slips(V, S) -> dict[str, tuple]:
    gram, inv = V @ S @ V.T, np.linalg.inv
    return {
        "transpose": (V.T, "you gave the encoder's transpose: it is the best decoder of an orthonormal PCA encoder, but not of this one."),
        "pseudo-inverse": (np.linalg.pinv(V), "you gave the encoder's pseudo-inverse: it gives back each code exactly, as many decoders do; which of them copies the data best depends on how they spread, so S has to come in."),
        "inverse missing": (S @ V.T, "you have S Vᵀ, without the inverse of V S Vᵀ: the codes are neither uncorrelated nor of variance 1, and that has to be divided out."),
        "V Vᵀ inverted": (S @ V.T @ inv(V @ V.T), "you divided by V Vᵀ, which is the codes' covariance only if S is the identity: theirs is V S Vᵀ."),
        "S missing in front": (V.T @ inv(gram), "you have Vᵀ (V S Vᵀ)⁻¹: the covariance of inputs with codes, S Vᵀ, belongs in front."),
        "inverse of S": (inv(S) @ V.T @ inv(V @ inv(S) @ V.T), "S is inverted, and it should stand as it is: W = S Vᵀ (V S Vᵀ)⁻¹."),
    }  # fmt: skip


@task(
    "04.1",
    cases=[_encoder(6, 2), _encoder(5, 3), _encoder(4, 1)],
    slips=_decoder_slips,
    called="your decoder",
    rule="the residual is uncorrelated with z: W (V S Vᵀ) = S Vᵀ.",
    as_good=lambda W, V, S: (
        W.shape == V.T.shape and _loss(W, V, S) <= (1 + 1e-6) * _loss(_decoder(V, S), V, S)
    ),
    right="Right: the best decoder for any encoder is a regression of the inputs on their codes. It is Vᵀ only if the rows of V are orthonormal and span eigenvectors of S, as PCA's do.",
)
def best_decoder(V, S) -> np.ndarray:
    """``answer(V, S) -> W`` (D, K): the decoder that fits the encoder V (K, D) best, for the covariance S (D, D)."""
    return _decoder(V, S)


# --- the loss, without training ---------------------------------------------------------------------------


def _loss_slips(S, latent_dim: int) -> dict[str, tuple]:
    rising = np.linalg.eigvalsh(S).clip(0)
    values = rising[::-1]
    lost = values[latent_dim:]
    return {
        "latent_dim not used": ([values[k:].sum() for k in (1, 2, 3)], "your loss is the same whatever K is: with more numbers less is left. Use latent_dim."),
        "kept": (values[:latent_dim].sum(), f"that is the sum of the {latent_dim} largest eigenvalues, which is what is kept; the loss is the sum of the others."),
        "K smallest": (rising[:latent_dim].sum(), "you summed as many eigenvalues as you keep; D − K of them are lost."),
        "rising order": (rising[latent_dim:].sum(), "torch's eigenvalues come in rising order, so the first K are the smallest."),
        "square roots": (np.sqrt(lost).sum(), "you took square roots: the eigenvalues of S are squared lengths already."),
        "squares": (np.square(lost).sum(), "you squared the eigenvalues: the eigenvalues of S are squared lengths already."),
        "mean": (lost.mean(), "that is the mean of the discarded eigenvalues; the loss is their sum."),
        "divided by D": (lost.sum() / len(S), "divided by the number of inputs, as we do on screen; the loss itself is summed over them."),
        "off by one": ([values[latent_dim + 1 :].sum(), values[latent_dim - 1 :].sum()], "you are off by one eigenvalue: the K largest are kept, and the others are lost."),
    }  # fmt: skip


SPREADS = [_data(6, 0), _data(4, 1)]


@task(
    "04.2",
    cases=[
        (_covariance(x), latent_dim)
        for x, ks in zip(SPREADS, ((1, 2, 4), (1, 2, 3)), strict=True)
        for latent_dim in ks
    ],
    slips=_loss_slips,
    extremes=[
        Extreme((_covariance(SPREADS[0]), 6), "K = D", "with as many numbers as inputs nothing is lost.")
    ],
    where=lambda S, latent_dim: f"for D = {len(S)} and K = {latent_dim}",
    rule="the sum of all eigenvalues of S but the K largest.",
    right="Right, and no training was needed: whatever a linear autoencoder claims, its loss cannot lie below this number.",
)
def best_loss(S, latent_dim: int) -> float:
    """``answer(S, latent_dim) -> loss``: what the best linear autoencoder with K numbers leaves."""
    singular = np.linalg.svd(np.linalg.cholesky(S).T, compute_uv=False)
    return float(np.square(singular[latent_dim:]).sum())


# --- the gauge --------------------------------------------------------------------------------------------


def _unit_columns(X) -> np.ndarray:
    return X / np.linalg.norm(X, axis=0)


def _principal_angles(A, B) -> np.ndarray:
    """In degrees, from the eigenvalues of one projector seen from inside the other space."""
    project = [X @ np.linalg.pinv(X) for X in (A, B)]
    squares = np.sort(np.linalg.eigvals(project[0] @ project[1]).real)[::-1][: A.shape[1]]
    return np.degrees(np.arccos(np.sqrt(np.clip(squares, 0, 1))))


def _angle_without_qr(A, B) -> float:
    return float(np.degrees(np.arccos(np.linalg.svd(A.T @ B, compute_uv=False).clip(max=1).min())))


def _column_angles(A, B) -> list[float]:
    angles = np.degrees(np.arccos(np.sum(_unit_columns(A) * _unit_columns(B), axis=0)))
    acute = np.minimum(angles, 180 - angles)
    return [angles.max(), angles.mean(), angles[0], acute.max(), acute.mean(), acute[0]]


def _angle_slips(A, B) -> dict[str, tuple]:
    angles = _principal_angles(A, B)
    largest = np.radians(angles.max())
    return {
        "radians": (largest, "that is the angle in radians."),
        "smallest angle": (angles.min(), "that is the smallest of the principal angles: the largest belongs to the smallest singular value."),
        "mean angle": (angles.mean(), "that is the mean of the principal angles; asked is the largest."),
        "cosine": (np.cos(largest), "that is the cosine, its arccos is still to be taken."),
        "sine": (np.sin(largest), "that is the sine, its arcsin is still to be taken."),
        "column by column": (_column_angles(A, B), "you compared the columns one by one; a space does not know which basis it was given in."),
        "unit columns": (_angle_without_qr(_unit_columns(A), _unit_columns(B)), "you made the columns unit length, but they are not orthogonal to each other yet; take the Q of a QR."),
        "no QR": (_angle_without_qr(A, B), "the singular values of Aᵀ B are cosines only if both bases are orthonormal; take the Q of a QR first."),
    }  # fmt: skip


def _spaces(n_inputs: int, latent_dim: int, seed: int, off: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Bases of two spaces that are a little apart; of one space if off is 0."""
    generator = np.random.default_rng(seed)
    A = generator.standard_normal((n_inputs, latent_dim))
    turned = A @ generator.standard_normal((latent_dim, latent_dim))
    return A, turned + off * generator.standard_normal((n_inputs, latent_dim))


def _why_not_zero(got: np.ndarray) -> str:
    if np.isnan(got).any():
        return "these are two bases of one space, and rounding has pushed a cosine above 1, where arccos is nan. .clamp(max=1) takes it back."
    return "these are two bases of one and the same space; the answer may not depend on the basis."


def _at_right_angles() -> tuple[np.ndarray, np.ndarray]:
    Q = np.linalg.qr(np.random.default_rng(9).standard_normal((6, 4)))[0]
    return 3 * Q[:, :2], Q[:, 2:] @ np.array([[1.0, 2.0], [0.0, 1.0]])


@task(
    "04.3",
    cases=[_spaces(7, 3, 3), _spaces(6, 2, 4), _spaces(8, 4, 8), _spaces(6, 2, 5, 3.0)],
    slips=_angle_slips,
    extremes=[
        Extreme(_at_right_angles(), "right angle", "these two spaces stand at right angles."),
        *(
            Extreme(_spaces(6, 1 + k % 2, k, 0), "same space", _why_not_zero, lambda got: abs(got) < 0.1)
            for k in range(20)
        ),
    ],
    unit="°",
    rule="make both bases orthonormal (QR), take the singular values of Qᵀ Q', and the arccos of the smallest.",
    right=lambda wants: (
        f"Right: {wants[0]:.1f}° here, and 0 for two bases of one space. Columns may look nothing alike and span the same."
    ),
)
def largest_angle(A, B) -> float:
    """``answer(A, B) -> degrees``: the largest principal angle between the spans of A and B, both (D, K)."""
    return _principal_angles(A, B).max()


# --- "it is not PCA" --------------------------------------------------------------------------------------


def _span(x, latent_dim: int) -> np.ndarray:
    """The projector (D, D) onto the best latent_dim directions through the origin."""
    axes = np.linalg.svd(x, full_matrices=False)[2][:latent_dim]
    return axes.T @ axes


def _copies(x, latent_dim: int, center, scale=1) -> np.ndarray:
    moved = (x - center) / scale
    return center + scale * (moved @ _span(moved, latent_dim))


def _repaired_slips(x, latent_dim: int) -> dict[str, tuple]:
    mean, row_means = x.mean(axis=0), x.mean(axis=1, keepdims=True)
    of_itself, best = x @ _span(x - mean, latent_dim), _copies(x, latent_dim, mean)
    smallest = np.eye(x.shape[1]) - _span(x - mean, x.shape[1] - latent_dim)
    return {
        "x itself": (x, "you gave x back, with more than K numbers of each example."),
        "latent_dim not used": ([_copies(x, k, mean) for k in (2, 3)], "it copies from the same number of directions whatever latent_dim is: use latent_dim."),
        "one direction more": (_copies(x, latent_dim + 1, mean), "these copies are made of K + 1 numbers; latent_dim is how many may come through."),
        "directions not centred": (mean + (x - mean) @ _span(x, latent_dim), "you centred the data and kept the directions of the data that were not: find the directions after the mean is off."),
        "x projected": ([of_itself, mean + of_itself], "the directions are right, and you projected x itself onto them; project x − mean, and put the mean back."),
        "not repaired": (x @ _span(x, latent_dim), "this is still the run that we started from."),
        "mean not put back": (best - mean, "the mean was taken off and not put back, so that every copy is shifted."),
        "row means": (_copies(x, latent_dim, row_means), "you took off each example's own mean, across its inputs, which is one number more for each example; what is wanted is each input's mean, across the examples (dim=0)."),
        "one mean for all": (_copies(x, latent_dim, x.mean()), "you took one number, the mean of everything, off all inputs; each input has a mean of its own (dim=0)."),
        "standardised": (_copies(x, latent_dim, mean, x.std(axis=0)), "you also divided by the standard deviations: that is the PCA of other data, in which a faint input weighs as much as a strong one."),
        "smallest directions": (mean + (x - mean) @ smallest, "these are the directions of smallest variance: eigh gives rising eigenvalues, so take the last columns."),
    }  # fmt: skip


@task(
    "04.4",
    cases=[(_data(), 2), (_data(), 4), (_data(5, 2, 80), 1), (_data(7, 3, 60), 3)],
    slips=_repaired_slips,
    called="your copy",
    where=lambda x, latent_dim: f"for {len(x)} examples and K = {latent_dim}",
    rule="take each input's mean off, find the directions of what is left, project it, and put the mean back.",
    right="Right: with the mean taken off and put back, the run is PCA to rounding. Nothing was wrong with its training.",
)
def repaired(x, latent_dim: int) -> np.ndarray:
    """``answer(x, latent_dim) -> x_hat``: the best linear copies of data x (n, D) that are not centred."""
    return _copies(x, latent_dim, x.mean(axis=0))
