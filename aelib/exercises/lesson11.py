"""Checks for lesson 11, with references of their own."""

import math
import struct

import numpy as np
import torch

from aelib.exercises.frame import Wrong, array, by_value, close, exercise, first_slip, function, number
from aelib.exercises.help import hint, progress, reset  # noqa: F401

# --- the header of an IDX file ----------------------------------------------------------------------------

HEADERS = ((60_000, 28, 28), (10_000,), (900, 28, 28), (300, 3, 70_000, 5), (20_000_000, 2))


def _file(sizes: tuple[int, ...]) -> bytes:
    """The first bytes of an IDX file of unsigned bytes: its header and a few numbers."""
    return bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + bytes([7, 210, 3, 96])


@exercise("11.1")
def idx_sizes(answer) -> str:
    """``answer(content: bytes) -> tuple of int``: the length of each axis of an IDX file."""
    got = [_sizes(function(answer)(_file(sizes))) for sizes in HEADERS]
    if wrong := [k for k, sizes in enumerate(HEADERS) if got[k] != sizes]:
        raise _size_slip(got, wrong[0])
    return (
        "Right, for labels with one axis as for images with three: a file that says how it is laid out can be "
        "checked before a byte of it is trusted."
    )


def _sizes(given) -> tuple[float, ...]:
    """The answer as a tuple of numbers, or a sentence about what it is instead."""
    parts = given if isinstance(given, tuple | list) else (given,)
    if any(isinstance(part, bytes) for part in parts):
        raise Wrong(
            "These are the bytes themselves; int.from_bytes(four_bytes, 'big') makes a number of them."
        )
    if hasattr(given, "__next__"):
        raise Wrong("This is a generator; put tuple(...) around it.")
    sizes = array(given, "Your answer")
    if sizes.ndim == 0:
        raise Wrong("A file of labels has one axis, and its answer is a tuple of one number, (10000,).")
    if sizes.ndim > 1:
        raise Wrong(
            "Each length stands in a tuple of its own: struct.unpack always returns a tuple, take its [0]."
        )
    return tuple(sizes.tolist())


def _size_slip(got: list[tuple[float, ...]], first: int) -> Wrong:
    """The sentence of the slip that explains all headers, told of the first wrong one."""
    axes = f"{len(HEADERS[first])} {'axis' if len(HEADERS[first]) == 1 else 'axes'}"
    said = f"For a header with {axes} you got {tuple(map(int, got[first]))}, expected {HEADERS[first]}: "
    slips = [_size_slips(sizes) for sizes in HEADERS]
    return first_slip(
        {said + words: got == [slip[words] for slip in slips] for words in slips[0]},
        said + "the fourth byte says how many axes there are, and their lengths follow, four bytes each.",
    )


def _numbers(content: bytes, start: int, n: int, step: int = 4) -> tuple[int, ...]:
    """n numbers of four bytes, the most significant first, from every step-th byte on."""
    return tuple(int.from_bytes(content[k : k + 4], "big") for k in range(start, start + n * step, step))


def _size_slips(sizes: tuple[int, ...]) -> dict[str, tuple[float, ...]]:
    content, n = _file(sizes), len(sizes)
    return {
        "the most significant byte comes first: 'big', not 'little'.": struct.unpack(f"<{n}I", content[4 : 4 + 4 * n]),
        "that is one number too early: the first four bytes are the magic number, the sizes begin at the fifth.": _numbers(content, 0, n),
        "that is one number too late: the sizes begin at the fifth byte, content[4:8].": _numbers(content, 8, n),
        "that is one byte too early: the magic number has four bytes, so the first length is content[4:8].": _numbers(content, 3, n),
        "that is one byte too late: counting from 0, the first length is content[4:8].": _numbers(content, 5, n),
        "each length begins four bytes after the one before, and you went on by one.": _numbers(content, 4, n, step=1),
        "you read one axis too many, into the numbers themselves.": _numbers(content, 4, n + 1),
        "three axes are right for images only; the fourth byte says how many there are.": _numbers(content, 4, 3),
        "each length takes four bytes, and you left out the first.": tuple(size % 2**24 for size in sizes),
        "each length takes four bytes, not one.": tuple(content[4 : 4 + n]),
        "that is the first length only; there is one for each axis.": sizes[:1],
        "the magic number is no size: leave it out.": (2048 + n, *sizes),
    }  # fmt: skip


# --- 1 against 500 samples --------------------------------------------------------------------------------


def _bound(log_weights: np.ndarray, k: int) -> float:
    """Log of the mean weight in groups of k draws, averaged over groups and images."""
    groups = log_weights.reshape(-1, k, log_weights.shape[1])
    top = groups.max(axis=1)
    return float((top + np.log(np.exp(groups - top[:, None]).mean(axis=1))).mean())


def _draws() -> list[tuple[np.ndarray, int]]:
    """log_weights, k."""
    levels = np.array([-90.0, -1500.0, -900.0, -300.0, -95.0, -110.0, -700.0])
    settings = ((-90.0, 60, 5), (-90.0, 60, 1), (-1500.0, 40, 20), (levels, 30, 6))
    generator = np.random.default_rng(0)
    return [(level + 4 * generator.normal(size=(n_draws, 7)), k) for level, n_draws, k in settings]


DRAWS = _draws()


@exercise("11.2")
def bound_with(answer) -> str:
    """``answer(log_weights, k) -> ()``: the importance-weighted bound with k draws, from (n_draws, n) log-weights."""
    got = np.array(
        [_number_or_minus_infinity(function(answer)(torch.tensor(draws), k)) for draws, k in DRAWS]
    )
    want = np.array([_bound(draws, k) for draws, k in DRAWS])
    finite = np.isfinite(got)
    if not close(got[finite], want[finite], rtol=1e-7, atol=1e-6):
        raise _bound_slip(got, want, finite)
    if not finite.all():
        raise Wrong(
            "With log-weights near −1,500, or hundreds of nats apart from image to image, you got −inf: exp gives 0 there, and "
            "the logarithm of 0 is −inf. torch.logsumexp takes out the largest weight of each group first."
        )
    return (
        "Right. With k = 1 it is the average of the logs, an ELBO; as k grows the log moves outside of the average, "
        "and the bound can only rise, on average, towards log p(x)."
    )


def _number_or_minus_infinity(given) -> float:
    value = number(given, "Your bound", finite=False)
    return value if value == -math.inf else number(given, "Your bound")


def _bound_slips(log_weights: np.ndarray, k: int) -> dict[str, float]:
    n_draws, n_images = log_weights.shape
    want, n_groups = _bound(log_weights, k), n_draws // k
    every, k_groups = _bound(log_weights, n_draws), _bound(log_weights, n_groups)
    strided = log_weights.reshape(k, -1, n_images).swapaxes(0, 1).reshape(log_weights.shape)
    return {
        "that is the mean of the log-weights, the bound for k = 1 whatever k is: the mean is over the weights, "
        "inside the log.": float(log_weights.mean()),
        "the weights of a group are averaged, not summed: subtract log k.": want + math.log(k),
        "log k is subtracted once too often: a mean of k weights is a sum divided by k, once.": want - math.log(k),
        "you divided by the number of groups; the mean of the k weights in a group divides by k.": want + math.log(k / n_groups),
        "you made k groups; asked are groups of k, so it is k that stands in the middle: reshape(-1, k, n).": k_groups,
        "you made k groups and divided their sums by k; asked are groups of k, so it is k that stands in the middle: "
        "reshape(-1, k, n).": k_groups + math.log(n_groups / k),
        "you made k groups and added up their weights; asked is the mean of each group of k.": k_groups + math.log(n_groups),
        "your groups mix the images: keep them apart, reshape(-1, k, log_weights.shape[1]).": _bound(log_weights.reshape(-1, 1), k),
        "you used the first k draws only; the other groups of k are as good, average over them.": _bound(log_weights[:k], k),
        "groups as good as any, but of draws that do not stand together; take neighbours, so that the figures can be compared.": _bound(strided, k),
        "all draws in one logarithm, and divided by k: sum within each group only.": every + math.log(n_draws / k),
        "you used all draws as one group; with k draws the groups have k.": every,
        "that is a sum over the images; average over them.": want * n_images,
        "the right size with the wrong sign: a bound on log p(x), not on −log p(x).": -want,
        "the mean over the images belongs outside of the log: each image has its own p(x).": _pooled(log_weights, k),
    }  # fmt: skip


def _bound_slip(got: np.ndarray, want: np.ndarray, finite: np.ndarray) -> Wrong:
    """The sentence of the slip that explains all answers that are numbers, told of the first wrong one."""
    first = int(np.argmax(finite & ~np.isclose(got, want, rtol=1e-7, atol=1e-6)))
    draws, k = DRAWS[first]
    said = f"With {len(draws)} draws and k = {k} you got {got[first]:.4f}, expected {want[first]:.4f}: "
    slips = [_bound_slips(*given) for given in DRAWS]
    return first_slip(
        by_value(
            got[finite],
            {words: np.array([slip[words] for slip in slips])[finite] for words in slips[0]},
            said,
            1e-6,
        ),
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


@exercise("11.3")
def same_quantity(answer) -> str:
    """``answer``: a set of the letters a to e, those that bound the same quantity as 86.76."""
    letters = _letters(answer)
    if letters == SAME:
        return (
            "Right: a, b and e bound the same mean of −log p over tossed held-out images, more or less tightly; c counts "
            "in densities, and d is about other data."
        )
    said = f"{5 - len(letters ^ SAME)} of the five letters are placed right"
    if put_in := sorted(letters - SAME):
        raise Wrong(f"{said}. Look at {put_in[0]}: {WHY[put_in[0]]}")
    missing = sorted(SAME - letters)
    if len(missing) == 1:
        raise Wrong(f"{said}. Look at {missing[0]}: {WHY[missing[0]]}")
    raise Wrong(
        f"{said}, and {len(missing)} more belong in: ask of each one left out what the random thing is whose probability "
        "is taken, and whether the figure bounds it."
    )


def _letters(answer) -> set[str]:
    """The letters of a set, a list or a string; "a, b" and "ab" are read as well."""
    given = answer.replace(",", " ").replace(" ", "") if isinstance(answer, str) else answer
    try:
        letters = {str(letter).strip().lower() for letter in given}
    except TypeError:
        raise Wrong(
            f'This should be a set of letters, as in {{"a", "c"}}, but it is of type {type(answer).__name__}.'
        ) from None
    if strangers := sorted(letters - WHY.keys()):
        raise Wrong(f"The letters go from a to e, and {strangers[0]!r} is not among them.")
    return letters


# --- the area under the ROC curve -------------------------------------------------------------------------


def _compare(normal: np.ndarray, strange: np.ndarray, tie: float) -> float:
    pairs = [1.0 if s > n else tie if s == n else 0.0 for s in strange for n in normal]
    return sum(pairs) / len(pairs)


def _scores() -> list[tuple[np.ndarray, np.ndarray]]:
    """Normal and strange ones, some of them equal."""
    generator, sizes = np.random.default_rng(1371), ((8, 5), (5, 8), (6, 6))
    whole = [(generator.integers(0, 6, n) ** 2.0, generator.integers(1, 8, m) ** 2.0) for n, m in sizes]
    return [*whole, (np.array([5.25, 0.3, 0.51, 2.0, 0.9]), np.array([0.5, 0.3, 5.25]))]


SCORES = _scores()


@exercise("11.4")
def auc(answer) -> str:
    """``answer(normal, strange) -> ()``: how often a strange example scores above a normal one, ties counted half."""
    got = [number(function(answer)(*map(torch.tensor, scores)), "The area") for scores in SCORES]
    want = [_compare(*scores, 0.5) for scores in SCORES]
    if not close(got, want, rtol=1e-6):
        raise _auc_slip(got, want)
    return (
        "Right, ties included. It needs no threshold and does not care about the scale of the scores, only about their "
        "order; at ½ the score knows nothing, and below ½ it would do better turned around."
    )


def _middle(scores: np.ndarray) -> float:
    """The lower of the middle scores, as torch's median."""
    return np.sort(scores)[(len(scores) - 1) // 2]


def _auc_slips(normal: np.ndarray, strange: np.ndarray) -> dict[str, float]:
    want, n = _compare(normal, strange, 0.5), min(len(normal), len(strange))
    pooled = np.concatenate([normal, strange])
    return {
        "the other way round: a strange example should have the higher score.": 1 - want,
        "ties count for nothing; each should count one half, or equal scores would look like failure.": _compare(normal, strange, 0.0),
        "ties count as wins; each should count one half.": _compare(normal, strange, 1.0),
        "that is the Gini coefficient, 2 AUC − 1: wins less losses; asked is the share of wins, ties half.": 2 * want - 1,
        "compare every strange example with every normal one, not only those in the same place.": (strange[:n] > normal[:n]).mean(),
        "you compared with one threshold, the median of the normal scores; compare with every normal score.": (strange > _middle(normal)).mean(),
        "you compared with one threshold, the median of all scores; compare with every normal score.": (strange > _middle(pooled)).mean(),
        "you compared with the mean of the normal scores; compare with every one.": (strange > normal.mean()).mean(),
        "you compared with the mean of all scores; compare with every normal score.": (strange > pooled.mean()).mean(),
        "you compared with the highest normal score only; compare with every one.": (strange > normal.max()).mean(),
        "the other way round, and ties are lost: a strange example should have the higher score.": _compare(strange, normal, 0.0),
        "values below ½ are turned around; below ½ the score is worse than none, and the area says so.": max(want, 1 - want),
        "the scores are rounded to whole numbers before they are compared.": _compare(np.floor(normal), np.floor(strange), 0.5),
        "that is the number of pairs; divide by how many there are.": want * len(normal) * len(strange),
    }  # fmt: skip


def _auc_slip(got: list[float], want: list[float]) -> Wrong:
    """The sentence of the slip that explains all sets of scores, told of the first wrong one."""
    first = int(np.argmin(np.isclose(got, want, rtol=1e-6)))
    normal, strange = SCORES[first]
    said = (
        f"For {len(normal)} normal and {len(strange)} strange scores you got {got[first]:.4f}, "
        f"expected {want[first]:.4f}: "
    )
    slips = [_auc_slips(*scores) for scores in SCORES]
    return first_slip(
        by_value(got, {words: np.array([slip[words] for slip in slips]) for words in slips[0]}, said, 1e-5),
        said + "count the pairs in which the strange score is the higher one, ties half.",
    )
