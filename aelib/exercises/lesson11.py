"""Checks for lesson 11, with references of their own."""

import math
import struct
from collections.abc import Callable

import numpy as np
import torch

from aelib.exercises.frame import Wrong, array, close, exercise, first_slip, function, number

# --- the header of an IDX file ----------------------------------------------------------------------------

HEADERS = ((60_000, 28, 28), (10_000,), (900, 28, 28), (300, 3, 70_000, 5))


def _file(sizes: tuple[int, ...]) -> bytes:
    """The first bytes of an IDX file of unsigned bytes: its header and a few numbers."""
    return bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + bytes([7, 210, 3, 96])


@exercise
def idx_sizes(answer) -> str:
    """``answer(content: bytes) -> tuple of int``: the length of each axis of an IDX file."""
    for sizes in HEADERS:
        _judge_sizes(function(answer)(_file(sizes)), sizes)
    return (
        "Right, for labels with one axis as for images with three: a file that says how it is laid out can be "
        "checked before a byte of it is trusted."
    )


def _judge_sizes(got, sizes: tuple[int, ...]) -> None:
    if isinstance(got, bytes):
        raise Wrong(
            "these are the bytes themselves; int.from_bytes(four_bytes, 'big') makes a number of them."
        )
    if hasattr(got, "__next__"):
        raise Wrong("this is a generator; put tuple(...) around it.")
    got = tuple(array(got, "the sizes").ravel().tolist())
    if got != sizes:
        said = f"For a header with {len(sizes)} axes you got {tuple(map(int, got))}, expected {sizes}: "
        raise first_slip(
            {said + words: got == slip for words, slip in _size_slips(sizes).items()},
            said + "the fourth byte says how many axes there are, and their lengths follow, four bytes each.",
        )


def _size_slips(sizes: tuple[int, ...]) -> dict[str, tuple[float, ...]]:
    content = _file(sizes)
    return {
        "the most significant byte comes first: 'big', not 'little'.": struct.unpack(
            f"<{len(sizes)}I", content[4 : 4 + 4 * len(sizes)]
        ),
        "that is one number too early: the first four bytes are the magic number, the sizes begin at the fifth.": (
            struct.unpack(f">{len(sizes)}I", content[: 4 * len(sizes)])
        ),
        "you read one axis too many, into the numbers themselves.": struct.unpack(
            f">{len(sizes) + 1}I", content[4:]
        ),
        "three axes are right for images only; the fourth byte says how many there are.": (
            struct.unpack(">3I", (content + bytes(16))[4:16])
        ),
        "each length takes four bytes, not one.": tuple(content[4 : 4 + len(sizes)]),
        "that is the first length only; there is one for each axis.": sizes[:1],
        "the magic number is no size: leave it out.": (2048 + len(sizes), *sizes),
    }


# --- 1 against 500 samples --------------------------------------------------------------------------------


def _bound(log_weights: np.ndarray, k: int) -> float:
    """Log of the mean weight in groups of k draws, averaged over groups and images."""
    groups = log_weights.reshape(-1, k, log_weights.shape[1])
    top = groups.max(axis=1)
    return float((top + np.log(np.exp(groups - top[:, None]).mean(axis=1))).mean())


@exercise
def bound_with(answer) -> str:
    """``answer(log_weights, k) -> ()``: the importance-weighted bound with k draws, from (n_draws, n) log-weights."""
    generator = np.random.default_rng(0)
    for level, n_draws, k in ((-90.0, 60, 5), (-90.0, 60, 1), (-1500.0, 40, 20)):
        log_weights = level + 4 * generator.normal(size=(n_draws, 7))
        got = number(function(answer)(torch.from_numpy(log_weights), k), "your bound")
        _judge_bound(got, log_weights, k)
    return (
        "Right. With k = 1 it is the average of the logs, an ELBO; as k grows the log moves outside of the average, "
        "and the bound can only rise, on average, towards log p(x)."
    )


def _judge_bound(got: float, log_weights: np.ndarray, k: int) -> None:
    want = _bound(log_weights, k)
    slips = {
        "that is the mean of the log-weights, the bound for k = 1 whatever k is: the mean is over the weights, "
        "inside the log.": float(log_weights.mean()),
        "the weights of a group are averaged, not summed: subtract log k.": want + math.log(k),
        "log k is subtracted once too often: a mean of k weights is a sum divided by k, once.": want - math.log(k),
        "you used the first k draws only; the other groups of k are as good, average over them.": _bound(log_weights[:k], k),
        "groups as good as any, but of draws that do not stand together; take neighbours, so that the figures can be compared.": _bound(
            log_weights.reshape(k, -1, log_weights.shape[1]).swapaxes(0, 1).reshape(log_weights.shape), k
        ),
        "all draws in one logarithm, and divided by k: sum within each group only.": _bound(log_weights, len(log_weights))
        + math.log(len(log_weights) / k),
        "you used all draws as one group; with k draws the groups have k.": _bound(log_weights, len(log_weights)),
        "that is a sum over the images; average over them.": want * log_weights.shape[1],
        "the right size with the wrong sign: a bound on log p(x), not on −log p(x).": -want,
        "the mean over the images belongs outside of the log: each image has its own p(x).": _pooled(log_weights, k),
    }  # fmt: skip
    if not close(got, want, rtol=1e-7, atol=1e-6):
        said = f"With {len(log_weights)} draws and k = {k} you got {got:.4f}, expected {want:.4f}: "
        raise first_slip(
            {said + words: close(got, slip, rtol=1e-6) for words, slip in slips.items()},
            said + "cut the draws into groups of k, take the log of the mean weight of each, and average.",
        )


def _pooled(log_weights: np.ndarray, k: int) -> float:
    groups = log_weights.reshape(-1, k * log_weights.shape[1])
    top = groups.max(axis=1)
    return float((top + np.log(np.exp(groups - top[:, None]).mean(axis=1))).mean())


# --- which figures can be compared ------------------------------------------------------------------------

SAME = {"a", "b", "e"}
WHY = {
    "a": "a belongs in: by (11.1) the cross-entropy on grey pixels is the mean over all tosses, and any q makes a bound, "
    "one that has not seen the toss included.",
    "b": "b belongs in: another training objective, but the same pixels and the same kind of bound; that is what a table "
    "of methods is for.",
    "c": "c does not: it is a density of grey values, which may exceed 1, and nats of a density are no nats of coins.",
    "d": "d does not: coins tossed once and kept are another data set; it can be learned by heart, and has its own table.",
    "e": "e belongs in: the ELBO is a bound on the same log p, only a looser one.",
}


@exercise
def same_quantity(answer) -> str:
    """``answer``: a set of the letters a to e, those that bound the same quantity as 86.76."""
    letters = _letters(answer)
    if letters == SAME:
        return (
            "Right: a, b and e bound the same mean of −log p over tossed held-out images, more or less tightly; c counts "
            "in densities, and d is about other data."
        )
    wrong = sorted(letters ^ SAME)
    raise Wrong(f"{5 - len(wrong)} of the five letters are placed right. Look at {wrong[0]}: {WHY[wrong[0]]}")


def _letters(answer) -> set[str]:
    try:
        letters = {str(letter).strip().lower() for letter in answer}
    except TypeError:
        raise Wrong(
            f'this should be a set of letters, as in {{"a", "c"}}, but it is a {type(answer).__name__}.'
        ) from None
    if strangers := sorted(letters - WHY.keys()):
        raise Wrong(f"the letters go from a to e, and {strangers[0]!r} is not among them.")
    return letters


# --- the area under the ROC curve -------------------------------------------------------------------------


def _compare(normal: np.ndarray, strange: np.ndarray, tie: float) -> float:
    pairs = [1.0 if s > n else tie if s == n else 0.0 for s in strange for n in normal]
    return sum(pairs) / len(pairs)


@exercise
def auc(answer) -> str:
    """``answer(normal, strange) -> ()``: how often a strange example scores above a normal one, ties counted half."""
    generator = np.random.default_rng(2324)
    for n_normal, n_strange in ((8, 5), (5, 8), (6, 6)):
        normal, strange = generator.integers(0, 6, n_normal) * 1.0, generator.integers(1, 8, n_strange) * 1.0
        _judge_auc(number(_asked(answer, normal, strange), "the area"), normal, strange)
    return (
        "Right, ties included. It needs no threshold and does not care about the scale of the scores, only about their "
        "order; at ½ the score knows nothing, and below ½ it would do better turned around."
    )


def _asked(answer: Callable, normal: np.ndarray, strange: np.ndarray):
    return function(answer)(torch.from_numpy(normal), torch.from_numpy(strange))


def _judge_auc(got: float, normal: np.ndarray, strange: np.ndarray) -> None:
    want = _compare(normal, strange, 0.5)
    n = min(len(normal), len(strange))
    middle = (strange > np.sort(normal)[(len(normal) - 1) // 2]).mean()  # torch's median
    slips = {
        "the other way round: a strange example should have the higher score.": 1 - want,
        "ties count for nothing; each should count one half, or equal scores would look like failure.": _compare(normal, strange, 0.0),
        "ties count as wins; each should count one half.": _compare(normal, strange, 1.0),
        "compare every strange example with every normal one, not only those in the same place.": (strange[:n] > normal[:n]).mean(),
        "you compared with one threshold, the median of the normal scores; compare with every normal score.": middle,
        "you compared with the mean of the normal scores; compare with every one.": (strange > normal.mean()).mean(),
        "you compared with the highest normal score only; compare with every one.": (strange > normal.max()).mean(),
        "the other way round, and ties are lost: a strange example should have the higher score.": _compare(strange, normal, 0.0),
        "that is the number of pairs; divide by how many there are.": want * len(normal) * len(strange),
    }  # fmt: skip
    if not close(got, want, rtol=1e-6):
        said = f"For {len(normal)} normal and {len(strange)} strange scores you got {got:.4f}, expected {want:.4f}: "
        raise first_slip(
            {said + words: close(got, float(slip), rtol=1e-5) for words, slip in slips.items()},
            said + "count the pairs in which the strange score is the higher one, ties half.",
        )
