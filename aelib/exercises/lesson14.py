"""Tasks of lesson 14, with references of their own in numpy."""

from itertools import combinations, product
from math import comb

import numpy as np
from scipy.optimize import linear_sum_assignment

from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import Extreme, task


def _draws(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def _relu(x) -> np.ndarray:
    return np.maximum(x, 0)


# --- the exact error of features in the plane -------------------------------------------------------------


def _pentagon(M: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """M directions at equal angles, and biases, that read a single feature without error."""
    turn = 2 * np.pi * np.arange(M) / M
    square = 1 / (1 - np.cos(2 * np.pi / M))
    return np.sqrt(square) * np.stack([np.cos(turn), np.sin(turn)], axis=1), np.full(M, 1 - square)


def _error(W, bias, p: float, read=_relu, weight=None, each=np.sum) -> float:
    """Σ over all patterns of their probability times the squared error."""
    M, total = len(W), 0.0
    for s in product((0.0, 1.0), repeat=M):
        n = sum(s)
        chance = p**n * (1 - p) ** (M - n) if weight is None else weight(n, M)
        total += chance * each((np.array(s) - read(W @ (W.T @ s) + bias)) ** 2)
    return total


def _error_slips(W, bias, p: float) -> dict[str, tuple]:
    M = len(W)
    return {
        "no ReLU": (_error(W, bias, p, read=lambda x: x), "the ReLU of the readout is missing."),
        "no bias": (_error(W, 0 * bias, p), "the bias is missing from the readout."),
        "minus the bias": (_error(W, -bias, p), "you took the bias off; the readout adds it."),
        "bias outside": (_error(W, bias, p, read=lambda x: _relu(x - bias) + bias), "the bias stands outside of the ReLU; it belongs inside."),
        "all patterns alike": (_error(W, bias, p, weight=lambda n, M: 2.0**-M), "you took every pattern as equally probable; a pattern with m features on has probability p^m (1 − p)^(M−m)."),
        "only those on": (_error(W, bias, p, weight=lambda n, M: p**n), "the features that are off count too: the probability has the factor (1 − p)^(M−m)."),
        "on and off": (_error(W, bias, p, weight=lambda n, M: p ** (M - n) * (1 - p) ** n), "on and off are exchanged: a feature is on with probability p."),
        "counted twice": (_error(W, bias, p, weight=lambda n, M: comb(M, int(n)) * p**n * (1 - p) ** (M - n)), "the number of patterns with m features on is counted twice: each of them stands in the sum already."),
        "one on": (_error(W, bias, p, weight=lambda n, M: (n <= 1) * p**n * (1 - p) ** (M - n)), "you left out the patterns with two and more features on."),
        "sum over patterns": (_error(W, bias, p, weight=lambda n, M: 1.0), "you added the errors of all patterns; weigh each by its probability."),
        "mean over features": (_error(W, bias, p, each=np.mean), "that is the mean over the M features; ‖s − ŝ‖² is their sum."),
        "root": (_error(W, bias, p, each=lambda e: np.sqrt(e.sum())), "that is the mean length of the error; take the square of the length for each pattern."),
        "not squared": (_error(W, bias, p, each=lambda e: np.sqrt(e).sum()), "the errors are not squared."),
        "one step": (float(np.sum((p - _relu(W @ (W.T @ np.full(M, p)) + bias)) ** 2)), "you put the mean of s into the readout; the error of a mean is not the mean error."),
    }  # fmt: skip


@task(
    "14.1",
    cases=[
        (*_pentagon(), 0.1),
        (_draws(0, 3, 2), 0.3 * _draws(1, 3), 0.4),
        (0.8 * _draws(2, 4, 1), 0.2 * _draws(3, 4) - 0.1, 0.7),
    ],
    slips=_error_slips,
    where=lambda W, bias, p: f"for M = {len(W)} features and p = {p:g}",
    rule="list all 2^M patterns s, read ReLU(W Wᵀ s + b), and weigh each squared error by the pattern's probability.",
    right="Right: no sample and no training, and the error of any code of a few features is known exactly.",
)
def exact_error(W, bias, p: float) -> float:
    """``answer(W, bias, p) -> number``: E‖s − ReLU(W Wᵀ s + b)‖² for W (M, K), bias (M,), each s_i on with probability p."""
    return _error(W, bias, p)


# --- find the bug in the count ----------------------------------------------------------------------------

COUNT_FAULTS = {
    "twice": "a learned feature, or a true one, is counted more than once: give each true feature one partner",
    "length": "the rows are not divided by their lengths, so the products are no cosines",
    "sign": "the absolute value lets a direction pass that points the other way; a feature's size is not negative",
}


def _unit(rows) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _cosines(learned, true, faults: tuple[str, ...] = ()) -> np.ndarray:
    table = learned @ true.T if "length" in faults else _unit(learned) @ _unit(true).T
    return np.abs(table) if "sign" in faults else table


def _count(learned, true, faults: tuple[str, ...] = (), axis: int = 1) -> float:
    table = _cosines(learned, true, faults)
    if "twice" in faults:
        return float((table.max(axis=axis) > 0.9).sum())
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float((table[rows, columns] > 0.9).sum())


def _one_by_one(table) -> float:
    """How many pairs above 0.9 there are if the closest pair is taken first, then the closest of the rest, …"""
    left, pairs = table.copy(), 0
    while left.max() > 0.9:
        row, column = np.unravel_index(left.argmax(), left.shape)
        left[row], left[:, column] = -1.0, -1.0
        pairs += 1
    return float(pairs)


def _taken_once(table) -> float:
    """How many columns are the nearest one of some row, with a cosine above 0.9."""
    return float(len(set(table.argmax(axis=1)[table.max(axis=1) > 0.9])))


def _count_slips(learned, true) -> dict[str, tuple]:
    sets = [chosen for size in (1, 2, 3) for chosen in combinations(COUNT_FAULTS, size)]
    slips = {
        " and ".join(faults): (_count(learned, true, faults), _still_there(COUNT_FAULTS, faults))
        for faults in sets
    }
    table = _cosines(learned, true)
    rows, columns = linear_sum_assignment(table, maximize=True)
    mean = float(table[rows, columns].mean())
    by_size = linear_sum_assignment(np.abs(table), maximize=True)
    return slips | {
        "true lengths": (_count(_unit(learned), true, ("length",)), "only the learned rows are divided by their lengths; the true ones may have any length too."),
        "learned lengths": (_count(learned, _unit(true), ("length",)), "only the true rows are divided by their lengths; the learned ones may have any length too."),
        "pairs by size": (float((table[by_size] > 0.9).sum()), "the pairs were chosen by absolute value, so a direction that points the other way can take a partner away."),
        "smallest sum": (float((table[linear_sum_assignment(table)] > 0.9).sum()), "the assignment looked for the smallest sum of cosines: ask for the largest."),
        "all crossings": (float((table[rows][:, columns] > 0.9).sum()), "every row was crossed with every column; take the pairs, `cosines[rows, columns]`."),
        "size afterwards": (float((np.abs(table[rows, columns]) > 0.9).sum()), "the absolute value counts pairs that point in opposite directions; a feature's size is not negative."),
        "one by one": (_one_by_one(table), "the pairs are taken one by one, and a close pair can take away the only partner of another; the assignment looks at the sum of all cosines."),
        "nearest": ([_taken_once(table), _taken_once(table.T)], "one side takes its nearest on the other, and two may have the same nearest one; the assignment may give one of them another partner."),
        "from the true side": (_count(learned, true, ("twice",), axis=0), "each true feature takes its best learned one, and two of them may take the same one."),
        "share": (_count(learned, true) / len(true), "that is a share; the number of features is asked."),
        "mean cosine": (mean, "that is the mean cosine of the pairs; count those above 0.9."),
        "pairs": (float(min(len(learned), len(true))), "you counted all pairs; a pair counts if its cosine is above 0.9."),
    }  # fmt: skip


def _still_there(faults: dict[str, str], left: tuple[str, ...]) -> str:
    count = ("One fault is", "Two faults are", "All three faults are")[len(left) - 1]
    return f"{count} left: " + "; ".join(faults[fault] for fault in left) + "."


def _dictionary(seed: int, M: int, D: int) -> np.ndarray:
    return _unit(_draws(seed, M, D))


TRUE = _dictionary(4, 6, 8)
NEAR = TRUE[[1, 0, 0, 3, 3, 4]] + 0.02 * _draws(5, 6, 8)
TURNED = np.concatenate([2.0 * NEAR, -3.0 * TRUE[[2]], 0.5 * TRUE[[5]], 0.6 * _draws(6, 2, 8)])
CLOSE = np.concatenate([TRUE[:4], TRUE[:2] + 0.08 * _draws(7, 2, 8)])
OPPOSED = np.concatenate([-2 * TRUE[:3], NEAR[[1, 0]], 3 * TRUE[[4, 5]]])


def _at(*degrees: float) -> np.ndarray:
    """Directions in the plane."""
    turn = np.deg2rad(degrees)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


@task(
    "14.2",
    cases=[
        (TURNED, TRUE),
        (1.5 * np.concatenate([TRUE[:2], TRUE[:1], -TRUE[3:4]]), CLOSE),
        (np.concatenate([3 * TRUE[:3], TRUE[:1], -TRUE[4:5], 2 * _draws(8, 3, 8)]), TRUE),
        (OPPOSED, np.array([[0.5], [2.0], [1.0], [1.0], [0.6], [3.0]]) * TRUE),
        (_at(3, -22), _at(0, 20)),  # the closest pair leaves no partner for the others
        (_at(180, 70), _at(0, 60)),  # one has to take a partner that points the other way
    ],
    slips=_count_slips,
    where=lambda learned, true: f"for {len(learned)} learned and {len(true)} true features",
    rule="make all rows unit vectors, pair learned and true ones by the assignment with the largest sum of cosines, count those above 0.9.",
    right="Right: each true feature has at most one partner, and copies of one feature count once.",
)
def features_found(learned, true) -> float:
    """``answer(learned, true) -> number``: how many true features (M, D) have a learned partner (K, D) of their own."""
    return _count(learned, true)


# --- the soft threshold -----------------------------------------------------------------------------------


def _soft(x, move: float) -> np.ndarray:
    return np.sign(x) * _relu(np.abs(x) - move)


def _soft_slips(x, lam: float) -> dict[str, tuple]:
    kept = np.abs(x) > lam / 2
    return {
        "λ for λ/2": (_soft(x, lam), "you moved by λ; the derivative of (x − z)² has a factor 2, and the step is λ/2."),
        "λ/4": (_soft(x, lam / 4), "you moved by λ/4; setting the derivative 2(z − x) + λ to 0 gives λ/2."),
        "hard": (x * kept, "what is kept is not moved: a hard threshold. The price counts for large values too."),
        "hard at λ": (x * (np.abs(x) > lam), "that is a hard threshold at λ; the minimiser moves every value by λ/2."),
        "positive only": (_relu(x - lam / 2), "negative values have become 0; they move towards 0 from below."),
        "no stop": (x - np.sign(x) * lam / 2, "small values have passed 0 and changed their sign; they stop at 0."),
        "no sign": (x - lam / 2, "every value has moved down; negative ones move up, towards 0."),
        "size": (_relu(np.abs(x) - lam / 2), "the signs are lost."),
        "scaled": (x / (1 + lam), "that is the minimiser for the price λz²: it scales everything and makes nothing 0."),
        "unchanged": (x, "nothing has moved: the price is not felt."),
    }  # fmt: skip


@task(
    "14.3",
    cases=[
        (np.array([2.0, 0.3, -0.4, -1.5, 0.0, 0.9]), 1.0),
        (np.array([-3.0, 1.0, 0.2, 0.5]), 0.6),
        (2 * _draws(9, 10), 1.7),
    ],
    slips=_soft_slips,
    where=lambda x, lam: f"for λ = {lam:g}",
    extremes=[
        Extreme(
            (np.array([1.5, -0.2]), 0.0), "λ = 0", "without a price the best z is x itself; 0/0 is no number."
        )
    ],
    rule="x moves by λ/2 towards 0 and stops there: sign(x) · max(|x| − λ/2, 0).",
    right="Right: small values become exactly 0, and every value that is kept is too small by λ/2.",
)
def soft_threshold(x, lam: float) -> np.ndarray:
    """``answer(x, lam) -> as x``: the z that minimises (x − z)² + λ|z|, for each entry of x."""
    return _soft(x, lam / 2)


# --- find the bug in the loss -----------------------------------------------------------------------------

LOSS_FAULTS = {
    "length": "the rows of W may have any length, so a short code with long directions evades the price",
    "mean": "the squares, or the codes, are averaged over their numbers; (14.5) adds them up for each input",
    "negative": "the code may be negative: the ReLU of the encoder is missing",
}
HALF_DONE = {
    "mean of squares": ("mean", "the squares are still averaged over the D numbers; (14.5) adds them up for each input"),
    "mean of codes": ("mean", "the codes are still averaged over the K features; (14.5) adds them up for each input"),
    "negative price": ("negative", LOSS_FAULTS["negative"] + ", and a negative code lowers the price"),
}  # fmt: skip
"""What is left of a fault when only one of its two places is mended."""


def _loss(x, W, V, b, lam: float, faults: tuple[str, ...] = ()) -> float:
    z = x @ V.T + b if {"negative", "negative price"} & {*faults} else _relu(x @ V.T + b)
    unit = W if "length" in faults else _unit(W)
    squares, prices = (x - z @ unit) ** 2, z if "negative price" in faults else np.abs(z)
    each = [
        np.mean if {"mean", part} & {*faults} else np.sum for part in ("mean of squares", "mean of codes")
    ]
    return float((each[0](squares, axis=1) + lam * each[1](prices, axis=1)).mean())


def _loss_slips(x, W, V, b, lam: float) -> dict[str, tuple]:
    ways = [(fault, *(half for half, (of, _) in HALF_DONE.items() if of == fault)) for fault in LOSS_FAULTS]
    said = LOSS_FAULTS | {half: why for half, (_, why) in HALF_DONE.items()}
    sets = [one for size in (1, 2, 3) for chosen in combinations(ways, size) for one in product(*chosen)]
    slips = {
        " and ".join(faults): (_loss(x, W, V, b, lam, faults), _still_there(said, faults)) for faults in sets
    }
    z = _relu(x @ V.T + b)
    unit = _unit(W)
    squares = ((x - z @ unit) ** 2).sum(axis=1).mean()
    columns = W / np.linalg.norm(W, axis=0, keepdims=True)
    wrong_way = ((x - z @ columns) ** 2).sum(axis=1).mean() + lam * z.sum(axis=1).mean()
    absolute = np.abs(x @ V.T + b)
    rectified = ((x - absolute @ unit) ** 2).sum(axis=1).mean() + lam * absolute.sum(axis=1).mean()
    lengths = np.linalg.norm(W, axis=1)
    by_length = ((x - z @ W) ** 2).sum(axis=1).mean() + lam * (z * lengths).sum(axis=1).mean()
    return slips | {
        "price by length": (by_length, "a price on z times the length of its direction cannot be evaded either, but it is not (14.5): there the directions have length 1."),
        "absolute code": (rectified, "the code is the absolute value; the encoder has a ReLU, and what is negative becomes 0."),
        "codes over inputs": (squares + lam * z.sum(), "the codes are added over the inputs too; average over the batch."),
        "no price": (squares, "the price λ Σ z is missing."),
        "no λ": (squares + z.sum(axis=1).mean(), "the sum of the code stands there without its λ."),
        "columns": (wrong_way, "you divided the columns of W by their lengths; each feature is a row."),
        "squared codes": (squares + lam * (z**2).sum(axis=1).mean(), "the price is λ Σ z²; that makes codes small and none of them 0."),
        "count": (squares + lam * (z > 0).sum(axis=1).mean(), "the price counts what is on; a count has no gradient, and the price is λ Σ z."),
        "sum over inputs": ((squares + lam * z.sum(axis=1).mean()) * len(x), "you added over the inputs; average over the batch."),
    }  # fmt: skip


def _sae(seed: int, n: int, D: int, K: int) -> tuple[np.ndarray, ...]:
    parts = [_draws(seed + i, *shape) for i, shape in enumerate(((n, D), (K, D), (K, D), (K,)))]
    return parts[0], (1 + seed % 3) * parts[1], parts[2], 0.3 * parts[3]


@task(
    "14.4",
    cases=[(*_sae(10, 4, 3, 5), 0.3), (*_sae(20, 6, 4, 7), 1.2), (*_sae(30, 3, 2, 3), 0.05)],
    slips=_loss_slips,
    where=lambda x, W, V, b, lam: f"for {W.shape[0]} features of {W.shape[1]} numbers and λ = {lam:g}",
    rule="z = ReLU(V x + b), x̂ = z times the unit rows of W; squares and codes summed for each input, then the mean over the batch.",
    right="Right: with unit directions a small code can no longer hide behind long ones, and λ means what it says.",
)
def sparse_loss(x, W, V, b, lam: float) -> float:
    """``answer(x, W, V, b, lam) -> number``: (14.5) for x (n, D), directions W (K, D), encoder V (K, D) and b (K,)."""
    return _loss(x, W, V, b, lam)


# --- what a switch tells about a label --------------------------------------------------------------------


def _table(on, labels) -> np.ndarray:
    """(2, C): shares of off and on with each label."""
    values = np.unique(labels)
    return np.array([[np.mean((on == state) & (labels == c)) for c in values] for state in (False, True)])


def _entropy(p, log=np.log2) -> float:
    p = np.asarray(p, dtype=float).ravel()
    p = p[p > 0]
    return float(-(p * log(p)).sum())


def _information(on, labels, log=np.log2) -> float:
    joint = _table(on, labels)
    return (
        _entropy(joint.sum(axis=1), log=log) + _entropy(joint.sum(axis=0), log=log) - _entropy(joint, log=log)
    )


def _information_slips(on, labels) -> dict[str, tuple]:
    joint = _table(on, labels)
    of_label, of_switch = _entropy(joint.sum(axis=0)), _entropy(joint.sum(axis=1))
    total = joint[1].sum()
    inside = _entropy(joint[1] / total) if total else 0.0
    given = _entropy(joint) - of_label
    name = joint[1].argmax()
    one = np.array([joint[:, name], joint.sum(axis=1) - joint[:, name]])
    return {
        "nats": (_information(on, labels, log=np.log), "that is in nats; divide by log 2 to get bits."),
        "entropy of the switch": (of_switch, "that is the entropy of on and off; take off what is left of it when the label is known."),
        "entropy of the label": (of_label, "that is the entropy of the label, whatever the feature does."),
        "given the label": (given, "that is what is left of the switch's entropy when the label is known; the information is the rest."),
        "only when on": (of_label - inside, "that is what one learns when the feature is on; weigh it by P(on), and add what one learns when it is off."),
        "joint": (_entropy(joint), "that is the entropy of the pair; the information is H(F) + H(Y) − H(F, Y)."),
        "unweighted": (of_switch - np.mean([_entropy(joint[:, c] / joint[:, c].sum()) for c in range(joint.shape[1])]), "the labels are averaged as equally frequent; weigh each by its share."),
        "pair for given": (of_switch - np.dot(joint.sum(axis=0), [_entropy((r, 1 - r)) for r in joint[1]]), "you took the share of inputs that are on and have the label; take the share of those on among the inputs with the label."),
        "not weighed": (of_switch - sum(_entropy(joint[:, c] / joint[:, c].sum()) for c in range(joint.shape[1])), "the entropies of the labels are added; weigh each by the label's share."),
        "one label": (_entropy(one.sum(axis=1)) + _entropy(one.sum(axis=0)) - _entropy(one), "that is about one label against the rest; all labels count here."),
        "share": (float(joint[1].max() / total) if total else 0.0, "that is the share of the commonest label among the inputs that turn it on."),
    }  # fmt: skip


def _switches(seed: int, n: int, classes: int, follow: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, size=n, p=np.arange(1, classes + 1) / (classes * (classes + 1) / 2))
    chance = np.where(labels % 3 == 0, follow, 0.15)
    return rng.random(n) < chance, labels


@task(
    "14.5",
    cases=[_switches(59, 60, 4, 0.8), _switches(59, 45, 3, 0.5), _switches(59, 90, 5, 0.8)],
    slips=_information_slips,
    where=lambda on, labels: f"for {len(on)} inputs with {len(np.unique(labels))} labels",
    extremes=[
        Extreme(
            (np.zeros(12, dtype=bool), np.arange(12) % 3),
            "never on",
            "a feature that is never on tells nothing; 0 · log 0 counts as 0.",
        )
    ],
    rule="H₂(P(on)) minus the mean over labels, weighed by their shares, of H₂(P(on | label)), in bits.",
    right="Right: a switch tells at most one bit, and most features tell far less. Compare with random directions before you name one.",
)
def information(on, labels) -> float:
    """``answer(on, labels) -> number``: mutual information in bits of a feature, on (n,) of bool, with labels (n,)."""
    return _information(on, labels)
