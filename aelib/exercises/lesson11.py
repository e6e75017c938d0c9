"""Tasks of lesson 11, with references of their own."""

import math
import struct

import numpy as np

from aelib.exercises.frame import Wrong, array, exercise
from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import Extreme, task

# --- the header of an IDX file ----------------------------------------------------------------------------

HEADERS = ((60_000, 28, 28), (10_000,), (900, 28, 28), (300, 3, 70_000, 5), (20_000_000, 2))


def _file(sizes: tuple[int, ...]) -> bytes:
    """The first bytes of an IDX file of unsigned bytes: its header and a few numbers."""
    return bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + bytes([7, 210, 3, 96])


def _read_sizes(given) -> np.ndarray:
    """The answer as numbers, or a sentence about what it is instead."""
    parts = given if isinstance(given, tuple | list) else (given,)
    if any(isinstance(part, bytes) for part in parts):
        raise Wrong(
            "These are the bytes themselves; int.from_bytes(four_bytes, 'big') makes a number of them.",
            "bytes",
        )
    if hasattr(given, "__next__"):
        raise Wrong("This is a generator; put tuple(...) around it.", "generator")
    sizes = array(given, "Your answer")
    if sizes.ndim == 0:
        raise Wrong(
            "A file of labels has one axis, and its answer is a tuple of one number, (10000,).", "no tuple"
        )
    if sizes.ndim > 1:
        raise Wrong(
            "Each length stands in a tuple of its own: struct.unpack always returns a tuple, take its [0].",
            "tuples in a tuple",
        )
    return sizes  # fmt: skip


def _numbers(content: bytes, start: int, n: int, step: int = 4) -> tuple[int, ...]:
    """n numbers of four bytes, the most significant first, from every step-th byte on."""
    return tuple(int.from_bytes(content[k : k + 4], "big") for k in range(start, start + n * step, step))


def _size_slips(content: bytes) -> dict[str, tuple]:
    n = content[3]
    sizes = np.array(_numbers(content, 4, n))
    return {
        "little endian": (struct.unpack(f"<{n}I", content[4 : 4 + 4 * n]), "the most significant byte comes first: 'big', not 'little'."),
        "one number early": (_numbers(content, 0, n), "that is one number too early: the first four bytes are the magic number, the sizes begin at the fifth."),
        "one number late": (_numbers(content, 8, n), "that is one number too late: the sizes begin at the fifth byte, content[4:8]."),
        "one byte early": (_numbers(content, 3, n), "that is one byte too early: the magic number has four bytes, so the first length is content[4:8]."),
        "one byte late": (_numbers(content, 5, n), "that is one byte too late: counting from 0, the first length is content[4:8]."),
        "steps of one byte": (_numbers(content, 4, n, step=1), "each length begins four bytes after the one before, and you went on by one."),
        "one axis more": (_numbers(content, 4, n + 1), "you read one axis too many, into the numbers themselves."),
        "three axes": (_numbers(content, 4, 3), "three axes are right for images only; the fourth byte says how many there are."),
        "first byte left out": (sizes % 2**24, "each length takes four bytes, and you left out the first."),
        "two bytes": (sizes % 2**16, "each length takes four bytes, and you took the last two."),
        "one byte each": (tuple(content[4 : 4 + n]), "each length takes four bytes, not one."),
        "first length": (sizes[:1], "that is the first length only; there is one for each axis."),
        "last axis first": (sizes[::-1], "the lengths are in another order; keep the one in which they stand."),
        "magic number": ((2048 + n, *sizes), "the magic number is no size: leave it out."),
        "number of axes": ((n, *sizes), "the number of axes is no size: leave it out."),
    }  # fmt: skip


@task(
    "11.1",
    cases=[(_file(sizes),) for sizes in HEADERS],
    slips=_size_slips,
    read=_read_sizes,
    rtol=0,
    where=lambda content: f"for a header with {content[3]} {'axis' if content[3] == 1 else 'axes'}",
    rule="the fourth byte says how many axes there are, and their lengths follow, four bytes each.",
    right="Right, for labels with one axis as for images with three: a file that says how it is laid out can be checked before a byte of it is trusted.",
)
def idx_sizes(content: bytes) -> tuple[int, ...]:
    """``answer(content: bytes) -> tuple of int``: the length of each axis of an IDX file."""
    return struct.unpack(f">{content[3]}I", content[4 : 4 + 4 * content[3]])


# --- 1 against 500 samples --------------------------------------------------------------------------------


def _bound(log_weights, k: int) -> float:
    """Log of the mean weight in groups of k draws, averaged over groups and images."""
    groups = log_weights.reshape(-1, k, log_weights.shape[1])
    top = groups.max(axis=1)
    return float((top + np.log(np.exp(groups - top[:, None]).mean(axis=1))).mean())


def _pooled(log_weights, k: int) -> float:
    """The same with the images averaged inside of the logarithm."""
    groups = log_weights.reshape(-1, k * log_weights.shape[1])
    return _bound(groups.T, groups.shape[1])


def _bound_slips(log_weights, k: int) -> dict[str, tuple]:
    n_draws, n_images = log_weights.shape
    want, n_groups = _bound(log_weights, k), n_draws // k
    every, k_groups = _bound(log_weights, n_draws), _bound(log_weights, n_groups)
    strided = log_weights.reshape(k, -1, n_images).swapaxes(0, 1).reshape(log_weights.shape)
    made_k = "you made k groups{}; it is k that stands in the middle: reshape(-1, k, n)."
    return {
        "mean of the logs": (log_weights.mean(), "that is the mean of the log-weights, the bound for k = 1 whatever k is: the mean is over the weights, inside the log."),
        "log k missing": (want + math.log(k), "the weights of a group are averaged, not summed: subtract log k."),
        "log k twice": (want - math.log(k), "log k is subtracted once too often: a mean of k weights is a sum divided by k, once."),
        "divided by the groups": (want + math.log(k / n_groups), "you divided by the number of groups; the mean of the k weights in a group divides by k."),
        "k groups": (k_groups, made_k.format("; asked are groups of k, so")),
        "k groups by k": (k_groups + math.log(n_groups / k), made_k.format(" and divided their sums by k; asked are groups of k, so")),
        "k groups summed": (k_groups + math.log(n_groups), "you made k groups and added up their weights; asked is the mean of each group of k."),
        "images mixed": (_bound(log_weights.reshape(-1, 1), k), "your groups mix the images: keep them apart, reshape(-1, k, log_weights.shape[1])."),
        "first group alone": (_bound(log_weights[:k], k), "you used the first k draws only; the other groups of k are as good, average over them."),
        "strided groups": (_bound(strided, k), "groups as good as any, but of draws that do not stand together; take neighbours, so that the figures can be compared."),
        "all draws by k": (every + math.log(n_draws / k), "all draws in one logarithm, and divided by k: sum within each group only."),
        "all draws": (every, "you used all draws as one group; with k draws the groups have k."),
        "summed over images": (want * n_images, "that is a sum over the images; average over them."),
        "summed over groups": (want * n_groups, "that is a sum over the groups; average over them."),
        "sign": (-want, "the right size with the wrong sign: a bound on log p(x), not on −log p(x)."),
        "images inside the log": (_pooled(log_weights, k), "the mean over the images belongs outside of the log: each image has its own p(x)."),
        "one for each image": ([[_bound(column[:, None], k) for column in log_weights.T]], "that is one bound for each image: average over them."),
    }  # fmt: skip


def _draws(level, n_draws: int, k: int) -> tuple[np.ndarray, int]:
    """log_weights, k."""
    return level + 4 * np.random.default_rng(n_draws).normal(size=(n_draws, 7)), k


APART = np.array([-90.0, -1500.0, -900.0, -300.0, -95.0, -110.0, -700.0])
UNDERFLOW = (
    "with log-weights near −1,500, or hundreds of nats apart from image to image, exp gives 0, and the logarithm of 0 is −inf. "
    "torch.logsumexp takes out the largest weight of each group first."
)


@task(
    "11.2",
    cases=[_draws(-90.0, 60, 5), _draws(-20.0, 60, 1), _draws(np.linspace(-100, -80, 7), 30, 6)],
    slips=_bound_slips,
    extremes=[
        Extreme(_draws(-1500.0, 40, 20), "underflow", UNDERFLOW),
        Extreme(_draws(APART, 30, 6), "underflow", UNDERFLOW),
    ],
    rtol=1e-5,
    where=lambda draws, k: f"with {len(draws)} draws and k = {k}",
    rule="cut the draws into groups of k, take the log of the mean weight of each, and average.",
    right="Right. With k = 1 it is the average of the logs, an ELBO; as k grows the log moves outside of the average, and the bound can only rise, on average, towards log p(x).",
)
def bound_with(log_weights, k: int) -> float:
    """``answer(log_weights, k) -> ()``: the importance-weighted bound with k draws, from (n_draws, n) log-weights."""
    return _bound(log_weights, k)


# --- which figures can be compared ------------------------------------------------------------------------

SAME = {"a", "b", "e"}
WHY = {
    "a": "a belongs in: by (11.1) the cross-entropy on grey pixels is the mean over all tosses, and any q makes a bound, "
    "one that has not seen the toss included.",
    "b": "b belongs in: another training objective, but the same pixels and the same kind of bound; that is what a table "
    "of methods is for.",
    "c": "c does not: it is a density of grey values, which may exceed 1, and nats of a density are no nats of coins.",
    "d": "d does not: a threshold tosses no coins, so these are other images.",
    "e": "e belongs in: the ELBO is a bound on the same log p, only a looser one.",
}


@exercise("11.3")
def same_quantity(answer) -> str:
    """``answer``: a set of the letters a to e, those that bound the same quantity as 86.76."""
    letters = _letters(answer)
    put_in, missing = sorted(letters - SAME), sorted(SAME - letters)
    said = f"{5 - len(letters ^ SAME)} of the five letters are placed right"
    if put_in or len(missing) == 1:
        letter = (put_in or missing)[0]
        raise Wrong(
            f"{said}. Look at {letter}: {WHY[letter]}", f"{letter} {'put in' if put_in else 'left out'}"
        )
    if missing:
        raise Wrong(
            f"{said}, and {len(missing)} more belong in: ask of each one left out what the random thing is whose probability "
            "is taken, and whether the figure bounds it.",
            f"{len(missing)} left out",
        )
    return (
        "Right: a, b and e bound the same mean of −log p over tossed held-out images, more or less tightly; c counts "
        "in densities, and d is about other images."
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


def _compare(normal, strange, tie: float = 0.5) -> float:
    pairs = [1.0 if s > n else tie if s == n else 0.0 for s in strange for n in normal]
    return sum(pairs) / len(pairs)


def _middle(scores) -> float:
    """The lower of the middle scores, as torch's median."""
    return np.sort(scores)[(len(scores) - 1) // 2]


def _auc_slips(normal, strange) -> dict[str, tuple]:
    want, n, pooled = (
        _compare(normal, strange),
        min(len(normal), len(strange)),
        np.concatenate([normal, strange]),
    )
    over = lambda level: (strange > level).mean()  # noqa: E731
    one_level = "you compared with one threshold, the median of {} scores; compare with every normal score."
    return {
        "other way round": (1 - want, "the other way round: a strange example should have the higher score."),
        "ties lost": (_compare(normal, strange, 0.0), "ties count for nothing; each should count one half, or equal scores would look like failure."),
        "ties won": (_compare(normal, strange, 1.0), "ties count as wins; each should count one half."),
        "Gini": (2 * want - 1, "that is the Gini coefficient, 2 AUC − 1: wins less losses; asked is the share of wins, ties half."),
        "same places": ((strange[:n] > normal[:n]).mean(), "compare every strange example with every normal one, not only those in the same place."),
        "median of the normal": (over(_middle(normal)), one_level.format("the normal")),
        "median of all": (over(_middle(pooled)), one_level.format("all")),
        "mean of the normal": (over(normal.mean()), "you compared with the mean of the normal scores; compare with every one."),
        "mean of all": (over(pooled.mean()), "you compared with the mean of all scores; compare with every normal score."),
        "highest normal": (over(normal.max()), "you compared with the highest normal score only; compare with every one."),
        "other way, ties lost": (_compare(strange, normal, 0.0), "the other way round, and ties are lost: a strange example should have the higher score."),
        "turned around": (max(want, 1 - want), "values below ½ are turned around; below ½ the score is worse than none, and the area says so."),
        "rounded": (_compare(np.floor(normal), np.floor(strange)), "the scores are rounded to whole numbers before they are compared."),
        "percent": (100 * want, "that is in percent; the area is a share, between 0 and 1."),
        "number of pairs": (want * len(normal) * len(strange), "that is the number of pairs; divide by how many there are."),
    }  # fmt: skip


def _scores() -> list[tuple[np.ndarray, np.ndarray]]:
    """Normal and strange ones, some of them equal, some negative."""
    generator, sizes = np.random.default_rng(1371), ((8, 5), (5, 8), (6, 6))
    whole = [(generator.integers(0, 6, n) ** 2.0, generator.integers(1, 8, m) ** 2.0) for n, m in sizes]
    close_together = (np.array([5.25, 0.3, 0.51, 2.0, 0.9]), np.array([0.5, 0.3, 5.25]))
    return [*whole, close_together, (np.array([-7.5, -3.0, -9.0]), np.array([-8.0, -3.0, -2.5, -1.0]))]


@task(
    "11.4",
    cases=_scores(),
    slips=_auc_slips,
    extremes=[Extreme((np.ones(3), np.ones(4)), "all equal", "scores that are all equal tell nothing, and every tie counts one half.")],
    called="the area",
    where=lambda normal, strange: f"for {len(normal)} normal and {len(strange)} strange scores",
    rule="count the pairs in which the strange score is the higher one, ties half.",
    right="Right, ties included. It needs no threshold and does not care about the scale of the scores, only about their order; at ½ the score knows nothing, and below ½ it would do better turned around.",
)  # fmt: skip
def auc(normal, strange) -> float:
    """``answer(normal, strange) -> ()``: how often a strange example scores above a normal one, ties counted half."""
    return _compare(normal, strange)
