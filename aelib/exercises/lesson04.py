"""Checks for lesson 04, with references of their own in numpy."""

import numpy as np
import torch

from aelib.exercises.frame import (
    Wrong,
    array,
    by_value,
    close,
    exercise,
    first_slip,
    function,
    number,
    same_shape,
)
from aelib.exercises.help import hint, progress, reset  # noqa: F401


def _data(n_examples: int = 200, n_inputs: int = 6, seed: int = 0) -> np.ndarray:
    """(n, D): correlated, of unequal variances, far from centred, each input with a mean of its own."""
    generator = np.random.default_rng(seed)
    mixed = generator.standard_normal((n_examples, n_inputs)) @ generator.standard_normal(
        (n_inputs, n_inputs)
    )
    return mixed + generator.uniform(1, 4, n_inputs)


def _covariance(x: np.ndarray) -> np.ndarray:
    return np.cov(x.T, bias=True)


@exercise("04.1")
def best_decoder(answer) -> str:
    """``answer(V, S) -> W`` (D, K): the decoder that fits the encoder V (K, D) best, for the covariance S (D, D)."""
    x = _data()
    S, V = _covariance(x), np.random.default_rng(1).standard_normal((2, 6))
    centred = x - x.mean(axis=0)
    want = np.linalg.lstsq(centred @ V.T, centred, rcond=None)[0].T
    got = array(function(answer)(torch.tensor(V), torch.tensor(S)), "best_decoder(V, S)")
    if got.shape == (2, 6) and close(got.T, want):
        raise Wrong(
            "The numbers are right, but a decoder W takes K numbers to D: its shape is (6, 2), yours is transposed."
        )
    same_shape(got, want, "best_decoder(V, S)")
    if not close(got, want):
        gram = V @ S @ V.T
        raise first_slip(
            {
                "You gave the encoder's transpose: it is the best decoder of an orthonormal PCA encoder, but not of this "
                "one.": close(got, V.T),
                "You gave the encoder's pseudo-inverse: it gives back each code exactly, as many decoders do; which of them copies "
                "the data best depends on how they spread, so S has to come in.": close(
                    got, np.linalg.pinv(V)
                ),
                "You have S Vᵀ, without the inverse of V S Vᵀ: the codes are neither uncorrelated nor of variance 1, and that has "
                "to be divided out.": close(got, S @ V.T),
                "You divided by V Vᵀ, which is the codes' covariance only if S is the identity: theirs is "
                "V S Vᵀ.": close(got, S @ V.T @ np.linalg.inv(V @ V.T)),
                "You have Vᵀ (V S Vᵀ)⁻¹: the covariance of inputs with codes, S Vᵀ, belongs in front.": close(
                    got, V.T @ np.linalg.inv(gram)
                ),
            },
            f"With your decoder the loss is {_loss(got, V, S):.6g}; the best one reaches {_loss(want, V, S):.6g}. Set the "
            "derivative to zero: W (V S Vᵀ) = S Vᵀ.",
        )
    return "Right: the best decoder for any encoder is a regression of the inputs on their codes. It is Vᵀ only if the rows of V are orthonormal and span eigenvectors of S, as PCA's do."


def _loss(W: np.ndarray, V: np.ndarray, S: np.ndarray) -> float:
    lost = np.eye(len(S)) - W @ V
    return float(np.trace(lost @ S @ lost.T))


@exercise("04.2")
def best_loss(answer) -> str:
    """``answer(S, latent_dim) -> loss``: what the best linear autoencoder with K numbers leaves."""
    x = _data()
    S = _covariance(x)
    for latent_dim in (1, 2, 4, 6):
        got = number(function(answer)(torch.tensor(S), latent_dim), "best_loss(S, latent_dim)")
        singular = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
        want = float(np.square(singular[latent_dim:]).sum() / len(x))
        if not close(got, want, rtol=1e-4, atol=1e-5):
            if close(got, number(answer(torch.tensor(S), latent_dim + 1))):
                raise Wrong(
                    f"Your loss is {got:.4g} whatever K is: with more numbers less is left. Use latent_dim."
                )
            said = f"For K = {latent_dim} you got {got:.4g}, expected {want:.4g}: "
            raise first_slip(
                by_value(got, _best_loss_slips(S, latent_dim), said, rtol=1e-6),
                said + "the sum of all eigenvalues of S but the K largest.",
            )
    return "Right, and no training was needed: whatever a linear autoencoder claims, its loss cannot lie below this number."


def _best_loss_slips(S: np.ndarray, latent_dim: int) -> dict[str, object]:
    rising = np.linalg.eigvalsh(S)
    values = rising[::-1]
    lost = values[latent_dim:]
    return {
        f"that is the sum of the {latent_dim} largest eigenvalues, which is what is kept; the loss is the sum of the "
        "others.": values[:latent_dim].sum(),
        "you summed as many eigenvalues as you keep; D − K of them are lost.": rising[:latent_dim].sum(),
        "torch's eigenvalues come in rising order, so the first K are the smallest.": rising[
            latent_dim:
        ].sum(),
        "you took square roots: the eigenvalues of S are squared lengths already.": np.sqrt(
            lost.clip(0)
        ).sum(),
        "that is the mean of the discarded eigenvalues; the loss is their sum.": lost.sum()
        / max(len(lost), 1),
        "divided by the number of inputs, as we do on screen; the loss itself is summed over them.": lost.sum()
        / len(S),
        "you are off by one eigenvalue: the K largest are kept, and the others are lost.": [
            values[latent_dim + 1 :].sum(),
            values[latent_dim - 1 :].sum(),
        ],
    }


@exercise("04.3")
def largest_angle(answer) -> str:
    """``answer(A, B) -> degrees``: the largest principal angle between the spans of A and B, both (D, K)."""
    generator = np.random.default_rng(3)
    for D, K in ((7, 3), (6, 2)):
        A = generator.standard_normal((D, K))
        B = A @ generator.standard_normal((K, K)) + 0.4 * generator.standard_normal((D, K))
        got = number(function(answer)(torch.tensor(A), torch.tensor(B)), "largest_angle(A, B)")
        angles = _principal_angles(A, B)
        want = angles.max()
        if not close(got, want, rtol=1e-4):
            said = f"You got {got:.4g}, expected {want:.4g}°: "
            raise first_slip(
                by_value(got, _angle_slips(A, B, angles), said),
                said
                + "make both bases orthonormal (QR), take the singular values of Qᵀ Q', and the arccos of the smallest.",
            )
    for K in (1, 2) * 10:
        A = generator.standard_normal((6, K))
        _judge_same_space(answer, A, A @ generator.standard_normal((K, K)))
    return f"Right: {want:.1f}° here, and 0 for two bases of one space. Columns may look nothing alike and span the same."


def _judge_same_space(answer, A: np.ndarray, B: np.ndarray) -> None:
    same = array(answer(torch.tensor(A), torch.tensor(B)), "largest_angle(A, A G)")
    if np.isnan(same).any():
        raise Wrong(
            "For two bases of one and the same space you got nan: rounding has pushed a cosine above 1, where arccos is nan. "
            ".clamp(max=1) takes it back."
        )
    if not abs(number(same, "largest_angle(A, A G)")) < 0.1:
        raise Wrong(
            f"For two bases of one and the same space you got {float(same):.3g}°, expected 0: the answer may not depend on the basis."
        )


def _angle_slips(A: np.ndarray, B: np.ndarray, angles: np.ndarray) -> dict[str, object]:
    largest = np.radians(angles.max())
    return {
        "that is the angle in radians.": largest,
        "that is the smallest of the principal angles: the largest belongs to the smallest singular value.": angles.min(),
        "that is the cosine, its arccos is still to be taken.": np.cos(largest),
        "you compared the columns one by one; a space does not know which basis it was given in.": _column_angles(
            A, B
        ),
        "you made the columns unit length, but they are not orthogonal to each other yet; take the Q of a QR.": (
            _angle_without_qr(_unit_columns(A), _unit_columns(B))
        ),
        "the singular values of Aᵀ B are cosines only if both bases are orthonormal; take the Q of a QR first.": (
            _angle_without_qr(A, B)
        ),
    }


def _principal_angles(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """In degrees, from the eigenvalues of one projector seen from inside the other space."""
    project = [X @ np.linalg.pinv(X) for X in (A, B)]
    squares = np.sort(np.linalg.eigvals(project[0] @ project[1]).real)[::-1][: A.shape[1]]
    return np.degrees(np.arccos(np.sqrt(np.clip(squares, 0, 1))))


def _angle_without_qr(A: np.ndarray, B: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.linalg.svd(A.T @ B, compute_uv=False).clip(max=1).min())))


def _unit_columns(X: np.ndarray) -> np.ndarray:
    return X / np.linalg.norm(X, axis=0)


def _column_angles(A: np.ndarray, B: np.ndarray) -> list[float]:
    angles = np.degrees(np.arccos(np.sum(_unit_columns(A) * _unit_columns(B), axis=0)))
    acute = np.minimum(angles, 180 - angles)
    return [angles.max(), angles.mean(), angles[0], acute.max(), acute.mean(), acute[0]]


@exercise("04.4")
def repaired(answer) -> str:
    """``answer(x, latent_dim) -> x_hat``: the best linear copies of data x (n, D) that are not centred."""
    x = _data()
    got = array(function(answer)(torch.tensor(x), 2), "repaired(x, latent_dim)")
    same_shape(got, x, "repaired(x, latent_dim)")
    mean = x.mean(axis=0)
    want = mean + _project(x - mean, 2)
    if not close(got, want, rtol=1e-5):
        left, best = _error(got, x), _error(want, x)
        losses = f"your copies leave {left:.2f}, the best ones {best:.2f}."
        slips = {f"{why}: {losses}": fits for why, fits in by_value(got, _repaired_slips(x, 2)).items()}
        slips[
            f"Your copies leave {left:.2f}, less than the best ones from 2 numbers, {best:.2f}: more than 2 numbers of each "
            "example have come through."
        ] = left < best * (1 - 1e-6)
        raise first_slip(
            slips,
            f"Not yet: {losses} Take each input's mean off, find the directions, project, and put the mean back.",
        )
    return "Right: with the mean taken off and put back, the run is PCA to rounding. Nothing was wrong with its training."


def _repaired_slips(x: np.ndarray, latent_dim: int) -> dict[str, object]:
    mean, spread, row_means = x.mean(axis=0), x.std(axis=0), x.mean(axis=1, keepdims=True)
    of_itself = x @ _span(x - mean, latent_dim)
    copies = lambda center, scale=1: center + scale * _project((x - center) / scale, latent_dim)  # noqa: E731
    return {
        "You centred the data and kept the directions of the data that were not: find the directions after the mean is off": (
            mean + (x - mean) @ _span(x, latent_dim)
        ),
        "The directions are right, and you projected x itself onto them; project x − mean, and put the mean back": [
            of_itself,
            mean + of_itself,
        ],
        "This is still the run that we started from": _project(x, latent_dim),
        "The mean was taken off and not put back, so that every copy is shifted": copies(mean) - mean,
        "You took off each example's own mean, across its inputs; what is wanted is each input's mean, across the examples "
        "(dim=0)": copies(row_means),
        "You took one number, the mean of everything, off all inputs; each input has a mean of its own (dim=0)": copies(
            x.mean()
        ),
        "You also divided by the standard deviations: that is the PCA of other data, in which a faint input weighs as much "
        "as a strong one": copies(mean, spread),
    }


def _span(x: np.ndarray, latent_dim: int) -> np.ndarray:
    """The projector (D, D) onto the best latent_dim directions through the origin."""
    axes = np.linalg.svd(x, full_matrices=False)[2][:latent_dim]
    return axes.T @ axes


def _project(x: np.ndarray, latent_dim: int) -> np.ndarray:
    return x @ _span(x, latent_dim)


def _error(x_hat: np.ndarray, x: np.ndarray) -> float:
    return float(np.square(x_hat - x).sum(axis=1).mean())
