"""Checks for lesson 03, with references of their own."""

import math

import numpy as np
import torch

from aelib.exercises.frame import (
    StudentError,
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


def _entropy(*probabilities: float) -> float:
    return -sum(p * math.log(p) for p in probabilities if p > 0)


def _rows(n_examples: int, n_symbols: int, seed: int) -> np.ndarray:
    """A random q(z|x), (n, m), rows sum to 1, all entries positive."""
    table = np.random.default_rng(seed).gamma(0.7, size=(n_examples, n_symbols)) + 0.02
    return table / table.sum(axis=1, keepdims=True)


def _with_hole(table: np.ndarray) -> np.ndarray:
    """The same with one entry of the first row 0."""
    table = table.copy()
    table[0, 1] = 0
    return table / table.sum(axis=1, keepdims=True)


def _coin(p: float) -> float:
    return _entropy(p, 1 - p)


@exercise("03.1")
def binary_information(answer) -> str:
    """``answer(p_one, flip) -> nats``: X is 1 with probability p_one, Z is X turned over with probability flip."""
    for p, flip in ((0.3, 0.1), (0.5, 0.2), (0.8, 0.45)):
        got = number(function(answer)(p, flip), "your information")
        want = _coin(p * (1 - flip) + (1 - p) * flip) - _coin(flip)
        if not close(got, want, rtol=1e-4, atol=1e-6):
            said = f"For p_one = {p} and flip = {flip} you got {got:.4f}, expected {want:.4f} nats: "
            raise first_slip(
                by_value(got, _binary_slips(p, flip, want), said),
                said + "I = H(Z) − H(Z|X), and H(Z|X) is the entropy of the flip.",
            )
    try:
        silent = number(answer(0.3, 0.0), "your information", finite=False)
    except StudentError:
        silent = math.nan
    if not close(silent, _coin(0.3), rtol=1e-5):
        raise Wrong(
            f"Without flips Z is X and I = H(X), but you got {silent:.3g}: 0 · log 0 counts as 0, "
            "skip such terms."
        )
    return (
        "Right. Without flips I is H(X), and at flip = 1/2 it is 0, whatever the coin: Z is then "
        "a coin of its own."
    )


def _binary_slips(p: float, flip: float, want: float) -> dict[str, object]:
    stayed, h_flip = p * (1 - flip), _coin(flip)
    return {
        "that is the value in bits; in nats the logarithm is the natural one.": want / math.log(2),
        "that is the entropy of Z; what the noise puts into Z tells nothing about X, so subtract H(flip).": want
        + h_flip,
        "you subtracted H(flip) from H(X); it is H(Z) whose surplus over the noise counts.": _coin(p)
        - h_flip,
        "log 2 − H(flip) is right only for a fair coin; here Z is 1 with probability p(1−r) + (1−p)r, with r the flip.": math.log(
            2
        )
        - h_flip,
        "Z = 1 comes about in two ways, a 1 that stayed and a 0 that was turned over: p(1−r) + (1−p)r, with r the flip.": [
            _coin(stayed) - h_flip,
            _coin(stayed + flip) - h_flip,
        ],
        "the right size with the wrong sign; information is never negative.": -want,
    }


@exercise("03.2")
def posterior(answer) -> str:
    """``answer(q) -> (n, m)``: from q(z|x), rows sum to 1, to q(x|z) for X uniform on the n rows."""
    q = _with_hole(_rows(4, 6, seed=1))
    got = array(function(answer)(torch.tensor(q)), "posterior(q)")
    want = q / q.sum(axis=0)
    if got.shape == want.T.shape and close(got, want.T, atol=1e-6):
        raise Wrong(
            "The numbers are right and the table is turned: keep one row an example and one column a "
            "symbol, as in q."
        )
    same_shape(got, want, "posterior(q)")
    if not close(got, want, atol=1e-6):
        raise first_slip(
            {
                "You gave q back unchanged (its rows sum to 1 already, so dividing by their sums changes nothing), "
                "but q(x|z) is a distribution over x, so each column must sum to 1: divide by sum(dim=0).": close(
                    got, q
                ),
                f"Your columns sum to {got.sum(axis=0)[0]:.3g}: the factor 1/n stands above and below "
                "the fraction, so it cancels.": close(got * len(q), want, 1e-5)
                or close(got, want * len(q), 1e-5),
                "That is a softmax of the probabilities; they are positive already, so divide by "
                "their sum without exponentials.": close(got, np.exp(q) / np.exp(q).sum(axis=0), 1e-5),
                f"The whole table sums to {got.sum():.3g}: that is a joint distribution; condition on "
                "z, column by column.": close(got.sum(), 1, 1e-4),
            },
            f"The first column is {np.round(got[:, 0], 3)}, expected {np.round(want[:, 0], 3)}: "
            "q(z|x_i) over the sum of q(z|x_j).",
        )
    return (
        "Right: reading a code is Bayes' rule with equal priors. No decoder was trained; this one "
        "comes with the encoder."
    )


@exercise("03.3")
def information_bound(answer) -> str:
    """``answer(q, p) -> nats``: log n + (1/n) Σ_i Σ_z q(z|x_i) log p(x_i|z), both tables (n, m)."""
    q = _rows(5, 7, seed=2)
    p = np.random.default_rng(3).gamma(1.0, size=(5, 7)) + 0.1
    p /= p.sum(axis=0)
    got = number(function(answer)(torch.tensor(q), torch.tensor(p)), "your bound")
    want = _bound(q, p)
    if not close(got, want, rtol=1e-5, atol=1e-6):
        said = f"You got {got:.4f}, expected {want:.4f} nats: "
        raise first_slip(
            by_value(got, _bound_slips(q, p), said),
            said + "log n plus the average over examples of Σ_z q(z|x_i) log p(x_i|z).",
        )
    q_hole, p_hole = _with_hole(q), p.copy()
    p_hole[0, 1] = 0
    p_hole /= p_hole.sum(axis=0)
    silent = array(answer(torch.tensor(q_hole), torch.tensor(p_hole)), "your bound")
    if not close(silent, _bound(q_hole, p_hole), 1e-4):
        raise Wrong(
            "Where q(z|x) = 0 the code never occurs, and log p(x|z) may be −∞ there: torch.xlogy(q, "
            "p) counts 0 · log 0 as 0."
        )
    _judge_surprise(answer, q, p)
    gap = _bound(q, q / q.sum(axis=0)) - want
    return (
        f"Right: {want:.3f} nats. I itself is {gap:.3f} above: that is the KL which a better "
        "decoder could win back."
    )


def _judge_surprise(answer, q: np.ndarray, p: np.ndarray) -> None:
    """A decoder that excludes an example whose code occurs: the bound is −∞, or very low where logs are cut off."""
    place = np.unravel_index(q.argmax(), q.shape)
    excludes, nearly = p.copy(), p.copy()
    excludes[place], nearly[place] = 0, 1e-3
    excludes /= excludes.sum(axis=0)
    try:
        got = array(answer(torch.tensor(q), torch.tensor(excludes)), "your bound")
    except StudentError:  # the logarithm of 0 in plain Python: it is not left out
        return
    if (got > _bound(q, nearly)).any():
        raise Wrong(
            f"Here a code occurs whose example the decoder excludes, p = 0, so the bound falls to −∞, and you got {float(got):.3g}: "
            "a term may be left out where q is 0, not where p is."
        )


def _weighted_log(weights: np.ndarray, table: np.ndarray) -> float:
    """Σ of weight · log, where a weight of 0 counts as nothing."""
    return float(sum(w * math.log(value) for w, value in zip(weights.flat, table.flat, strict=True) if w > 0))


def _bound(q: np.ndarray, p: np.ndarray) -> float:
    return math.log(len(q)) + _weighted_log(q, p) / len(q)


def _bound_slips(q: np.ndarray, p: np.ndarray) -> dict[str, object]:
    n, m = q.shape
    total, log_n = _weighted_log(q, p), math.log(n)
    return {
        "log n is missing; without it the bound has the wrong offset.": total / n,
        "log n counts the examples, which are the rows, and not the symbols.": math.log(m) + total / n,
        "that is the value in bits; in nats the logarithm is the natural one.": _bound(q, p) / math.log(2),
        "the sum over examples has to be divided by n.": log_n + total,
        "weight each log p by q(z|x_i); a plain mean treats all codes alike.": log_n + np.log(p).mean(),
        "a mean over the whole table divides by the number of symbols too.": log_n + total / (n * m),
        "the average is over log p, and you took the log of the average.": log_n
        + np.log((q * p).sum(axis=1)).mean(),
        "the second term is a sum of logarithms of probabilities, so it is added and makes the bound smaller.": log_n
        - total / n,
        "the weight is q(z|x_i) and the logarithm is of p; you have them exchanged.": _bound(p, q),
        "you took the logarithm of q itself; the bound asks how well p(x_i|z) tells the example.": _bound(
            q, q
        ),
        "you used the encoder's own posterior, which gives I itself; the decoder model p was to be judged.": _bound(
            q, q / q.sum(axis=0)
        ),
    }


@exercise("03.4")
def ruin(h, h_inverse) -> str:
    """``h(z)`` from [0, 1) to [0, 1), one to one, undone by ``h_inverse``, whose robustness score is below 0.1."""
    z = torch.rand(4000, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    code = same_shape(array(function(h)(z), "h(z)"), array(z), "h(z)")
    if not np.isfinite(code).all():
        raise Wrong(
            f"h(z) is no number for {np.mean(~np.isfinite(code)):.0%} of the codes: the root or the logarithm of a negative "
            "number loses them."
        )
    if code.min() < -1e-9 or code.max() > 1 + 1e-9:
        raise Wrong(
            f"h(z) should stay within 0 and 1, but it reaches from {code.min():.3g} to {code.max():.3g}."
        )
    _judge_each_alone(h, z, code)
    back = same_shape(array(function(h_inverse)(h(z)), "h_inverse(h(z))"), array(z), "h_inverse(h(z))")
    lost = float(np.mean(~(np.abs(back - array(z)) <= 1e-6)))
    source = array(h_inverse(z))
    within = source.min() > -1e-9 and source.max() < 1 + 1e-9
    if lost == 0 and not (within and close(array(h(torch.tensor(source))), array(z), atol=1e-6)):
        raise Wrong(
            "Every code comes back, but h does not reach all of [0, 1): part of the interval is never used."
        )
    if lost > 0:
        raise Wrong(
            f"{lost:.0%} of the codes do not come back: h_inverse(h(z)) must be z everywhere. Either "
            "two codes were sent to one "
            "place, and information is lost, or the inverse does not match."
        )
    score = _robustness(lambda t: array(h(torch.tensor(t))), array(z))
    if score >= 0.1:
        raise first_slip(
            {
                "h can be undone, and it changes nothing: a code that is left alone is as robust as "
                "before.": close(code, array(z), atol=1e-9),
                f"h can be undone, and the robustness is still {score:.2f}: turned round or bent, "
                "neighbours are still neighbours. "
                "Cut the interval and put the pieces elsewhere.": np.all(
                    np.diff(code[np.argsort(array(z))]) > 0
                )
                or np.all(np.diff(code[np.argsort(array(z))]) < 0),
            },
            f"h can be undone, and the robustness is still {score:.2f}, wanted below 0.1: cut finer, "
            "or carry neighbouring pieces further apart.",
        )
    return (
        f"Right: not a bit is lost, and the robustness fell to {score:.2f}. Infomax cannot tell "
        "this code from the one you started with."
    )


def _judge_each_alone(h, z: torch.Tensor, code: np.ndarray) -> None:
    if not close(array(h(z)), code):
        raise Wrong("Two calls of h with the same codes give different ones: nobody could undo that.")
    if not close(array(h(z[::2])), code[::2]):
        raise Wrong(
            "h has to move each number by itself; yours depends on the other numbers, or on their order."
        )


def _robustness(h, z: np.ndarray, step: float = 0.1) -> float:
    """As lesson 02 measures it: movement for a tenth of the way to another code, against that code's distance."""
    other = np.roll(z, 1)
    moved, far = h(z + step * (other - z)) - h(z), h(other) - h(z)
    movement = math.sqrt(np.mean(moved**2) / np.mean(far**2))
    return min(1.0, max(0.0, (step / movement - step) / (1 - step)))
