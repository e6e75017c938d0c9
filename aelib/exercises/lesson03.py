"""Tasks of lesson 03, with references of their own."""

import math

import numpy as np
import torch

from aelib.exercises.frame import Wrong, array, close, exercise, function, same_shape
from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import Extreme, task

BITS = "that is the value in bits; in nats the logarithm is the natural one."


def _rows(n_examples: int, n_symbols: int, seed: int) -> np.ndarray:
    """A random q(z|x), (n, m), rows sum to 1, all entries positive."""
    table = np.random.default_rng(seed).gamma(0.7, size=(n_examples, n_symbols)) + 0.02
    return table / table.sum(axis=1, keepdims=True)


def _with_hole(table: np.ndarray) -> np.ndarray:
    """The same with one entry of the first row 0."""
    table = table.copy()
    table[0, 1] = 0
    return table / table.sum(axis=1, keepdims=True)


# --- a coin that is not fair ------------------------------------------------------------------------------


def _coin(p: float) -> float:
    """The entropy of a coin."""
    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)


def _binary_slips(p: float, flip: float) -> dict[str, tuple]:
    stayed, h_flip = p * (1 - flip), _coin(flip)
    arrives = stayed + (1 - p) * flip
    want = _coin(arrives) - h_flip
    two_ways = "Z = 1 comes about in two ways, a 1 that stayed and a 0 that was turned over: p(1−r) + (1−p)r, with r the flip."
    one_term = lambda p: -p * math.log(p)  # noqa: E731
    return {
        "bits": (want / math.log(2), BITS),
        "entropy of Z": (want + h_flip, "that is the entropy of Z; what the noise puts into Z tells nothing about X, so subtract H(flip)."),
        "H(X) − H(flip)": (_coin(p) - h_flip, "you subtracted H(flip) from H(X); it is H(Z) whose surplus over the noise counts."),
        "entropy of X": (_coin(p), "that is the entropy of X; the flips lose a part of it."),
        "entropy of the flip": (h_flip, "that is H(Z|X), the entropy of the flip; subtract it from H(Z)."),
        "fair coin": (math.log(2) - h_flip, "log 2 − H(flip) is right only for a fair coin; here Z is 1 with probability p(1−r) + (1−p)r, with r the flip."),
        "one way": ([_coin(stayed) - h_flip, _coin(stayed + flip) - h_flip], two_ways),
        "one term": (one_term(arrives) - one_term(flip), "the entropy of a coin has two terms, one for 1 and one for 0."),
        "sign": (-want, "the right size with the wrong sign; information is never negative."),
    }  # fmt: skip


def _at_the_edge(p: float, flip: float, meaning: str) -> Extreme:
    careless = "a probability of 0 makes a careless logarithm fail: 0 · log 0 counts as 0, skip such terms."
    why = lambda got: careless if np.isnan(got).any() else meaning  # noqa: E731
    return Extreme((p, flip), f"p_one = {p:g}, flip = {flip:g}", why)


@task(
    "03.1",
    cases=[(0.3, 0.1), (0.5, 0.2), (0.8, 0.45), (0.15, 0.85), (0.9, 0.02)],
    slips=_binary_slips,
    extremes=[
        _at_the_edge(0.3, 0.0, "without flips Z is X and I = H(X)."),
        _at_the_edge(0.3, 1.0, "turned over each time, Z still tells X, and I = H(X)."),
        _at_the_edge(0.7, 0.5, "at flip = ½ Z tells nothing."),
        _at_the_edge(0.0, 0.2, "X is always 0, and there is nothing to tell."),
        _at_the_edge(1.0, 0.2, "X is always 1, and there is nothing to tell."),
        _at_the_edge(1.0, 1.0, "X is always 1, and there is nothing to tell."),
    ],
    called="your information",
    unit=" nats",
    where=lambda p, flip: f"for p_one = {p} and flip = {flip}",
    rule="I = H(Z) − H(Z|X), and H(Z|X) is the entropy of the flip.",
    right="Right. Without flips I is H(X), and at flip = 1/2 it is 0, whatever the coin: Z is then a coin of its own.",
)
def binary_information(p: float, flip: float) -> float:
    """``answer(p_one, flip) -> nats``: X is 1 with probability p_one, Z is X turned over with probability flip."""
    return _coin(p * (1 - flip) + (1 - p) * flip) - _coin(flip)


# --- read a code ------------------------------------------------------------------------------------------


def _posterior_slips(q) -> dict[str, tuple]:
    want, n = q / q.sum(axis=0), len(q)
    return {
        "q itself": (q, "you gave q back unchanged (its rows sum to 1 already, so dividing by their sums changes nothing), but q(x|z) is a distribution over x, so each column must sum to 1: divide by sum(dim=0)."),
        "1/n": ([want / n, want * n], "the factor 1/n stands above and below the fraction, so it cancels, and each column sums to 1."),
        "softmax": (np.exp(q) / np.exp(q).sum(axis=0), "that is a softmax of the probabilities; they are positive already, so divide by their sum without exponentials."),
        "joint distribution": ([q / q.sum()], "that is a joint distribution, whose whole table sums to 1; condition on z, column by column."),
        "sums of the columns": (q.sum(axis=0), "those are the sums of the columns; divide q by them."),
        "largest of the column": (q / q.max(axis=0), "you divided by the largest number of each column; divide by its sum."),
    }  # fmt: skip


@task(
    "03.2",
    cases=[(_with_hole(_rows(4, 6, 1)),), (_rows(3, 5, 2),), (_rows(7, 2, 3),)],
    slips=_posterior_slips,
    called="your posterior",
    rule="q(z|x_i) over the sum of q(z|x_j), column by column.",
    right="Right: reading a code is Bayes' rule with equal priors. No decoder was trained; this one comes with the encoder.",
)
def posterior(q) -> np.ndarray:
    """``answer(q) -> (n, m)``: from q(z|x), rows sum to 1, to q(x|z) for X uniform on the n rows."""
    return q / q.sum(axis=0)


# --- the bound --------------------------------------------------------------------------------------------


def _weighted_log(weights, table) -> float:
    """Σ of weight · log, where a weight of 0 counts as nothing, and a log of 0 is −∞."""
    pairs = zip(weights.flat, table.flat, strict=True)
    return float(sum(w * math.log(p) if p > 0 else -math.inf for w, p in pairs if w > 0))


def _bound(q, p) -> float:
    return math.log(len(q)) + _weighted_log(q, p) / len(q)


def _bound_slips(q, p) -> dict[str, tuple]:
    n, m = q.shape
    total, log_n = _weighted_log(q, p), math.log(n)
    return {
        "log n missing": (total / n, "log n is missing; without it the bound has the wrong offset."),
        "log m": (math.log(m) + total / n, "log n counts the examples, which are the rows, and not the symbols."),
        "bits": (_bound(q, p) / math.log(2), BITS),
        "not divided by n": (log_n + total, "the sum over examples has to be divided by n."),
        "no weights": (log_n + np.log(p).mean(), "weight each log p by q(z|x_i); a plain mean treats all codes alike."),
        "mean over the table": (log_n + total / (n * m), "a mean over the whole table divides by the number of symbols too."),
        "divided by m": (log_n + total / m, "the average is over the n examples, and you divided by the number of symbols."),
        "log outside": (log_n + np.log((q * p).sum(axis=1)).mean(), "the average is over log p, and you took the log of the average."),
        "subtracted": (log_n - total / n, "the second term is a sum of logarithms of probabilities, so it is added and makes the bound smaller."),
        "exchanged": (_bound(p, q), "the weight is q(z|x_i) and the logarithm is of p; you have them exchanged."),
        "log q": (_bound(q, q), "you took the logarithm of q itself; the bound asks how well p(x_i|z) tells the example."),
        "own posterior": (_bound(q, q / q.sum(axis=0)), "you used the encoder's own posterior, which gives I itself; the decoder model p was to be judged."),
    }  # fmt: skip


def _encoder_and_decoder(n: int, m: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    p = np.random.default_rng(seed + 1).gamma(1.0, size=(n, m)) + 0.1
    return _rows(n, m, seed), p / p.sum(axis=0)


def _never_occurs() -> tuple[np.ndarray, np.ndarray]:
    """q and p are 0 at the same place."""
    q, p = _encoder_and_decoder(5, 7, 2)
    p[0, 1] = 0
    return _with_hole(q), p / p.sum(axis=0)


def _excludes() -> tuple[tuple[np.ndarray, np.ndarray], float]:
    """A decoder that excludes an example whose code occurs, and the bound if its 0 were a thousandth."""
    q, p = _encoder_and_decoder(5, 7, 2)
    place = np.unravel_index(q.argmax(), q.shape)
    nearly = p.copy()
    p[place], nearly[place] = 0, 1e-3
    return (q, p / p.sum(axis=0)), _bound(q, nearly)


EXCLUDES, HIGHEST = _excludes()


@task(
    "03.3",
    cases=[_encoder_and_decoder(5, 7, 2), _encoder_and_decoder(3, 4, 5), _encoder_and_decoder(6, 3, 7)],
    slips=_bound_slips,
    extremes=[
        Extreme(_never_occurs(), "0 log 0", "where q(z|x) = 0 the code never occurs, and log p(x|z) may be −∞ there: torch.xlogy(q, p) counts 0 · log 0 as 0."),
        Extreme(EXCLUDES, "p = 0 left out", "here a code occurs whose example the decoder excludes, p = 0, so the bound falls to −∞: a term may be left out where q is 0, not where p is.", lambda got: not (got > HIGHEST).any(), 0.0),
    ],
    called="your bound",
    unit=" nats",
    rule="log n plus the average over examples of Σ_z q(z|x_i) log p(x_i|z).",
    right="Right. I itself lies above it, by the KL which a better decoder could win back.",
)  # fmt: skip
def information_bound(q, p) -> float:
    """``answer(q, p) -> nats``: log n + (1/n) Σ_i Σ_z q(z|x_i) log p(x_i|z), both tables (n, m)."""
    return _bound(q, p)


# --- ruin a code without losing a bit ---------------------------------------------------------------------


@exercise("03.4")
def ruin(h, h_inverse) -> str:
    """``h(z)`` from [0, 1) to [0, 1), one to one, undone by ``h_inverse``, whose robustness score is below 0.1."""
    for n, seed in ((4000, 4), (1500, 5)):
        z = torch.rand(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        z[0] = 1e-9  # near the one end that belongs to [0, 1); 0 itself may round into the next cell
        score = _judge_pair(function(h), function(h_inverse), z)
    return (
        f"Right: not a bit is lost, and the robustness fell to {score:.2f}. Infomax cannot tell "
        "this code from the one you started with."
    )


def _judge_pair(h, h_inverse, z: torch.Tensor) -> float:
    """The robustness of a code that was sent through h, or what is wrong with the pair."""
    places, code = z.numpy(), same_shape(array(h(z), "h(z)"), z.numpy(), "h(z)")
    _judge_range(code)
    _judge_each_alone(h, z, code)
    back = same_shape(array(h_inverse(h(z)), "h_inverse(h(z))"), places, "h_inverse(h(z))")
    if lost := float(np.mean(~(np.abs(back - places) <= 1e-6))):
        raise Wrong(
            f"{lost:.0%} of the codes do not come back: h_inverse(h(z)) must be z everywhere. Either two codes were sent to one "
            "place, and information is lost, or the inverse does not match.",
            "not undone",
        )
    source = array(h_inverse(z))
    within = source.min() > -1e-9 and source.max() < 1 + 1e-9
    if not (within and close(array(h(torch.tensor(source))), places, atol=1e-6)):
        raise Wrong(
            "Every code comes back, but h does not reach all of [0, 1): part of the interval is never used.",
            "range not filled",
        )
    score = _robustness(lambda t: array(h(torch.tensor(t))), places)
    if score >= 0.1:
        raise _still_robust(score, code, places)
    return score


def _judge_range(code: np.ndarray) -> None:
    if not np.isfinite(code).all():
        raise Wrong(
            f"h(z) is no number for {np.mean(~np.isfinite(code)):.0%} of the codes: the root or the logarithm of a negative "
            "number loses them.",
            "not a number",
        )
    if code.min() < -1e-9 or code.max() > 1 + 1e-9:
        raise Wrong(
            f"h(z) should stay within 0 and 1, but it reaches from {code.min():.3g} to {code.max():.3g}.",
            "outside [0, 1)",
        )


def _judge_each_alone(h, z: torch.Tensor, code: np.ndarray) -> None:
    if not close(array(h(z)), code):
        raise Wrong(
            "Two calls of h with the same codes give different ones: nobody could undo that.", "random"
        )
    if not close(array(h(z[::2])), code[::2]):
        raise Wrong(
            "h has to move each number by itself; yours depends on the other numbers, or on their order.",
            "not each alone",
        )


def _still_robust(score: float, code: np.ndarray, places: np.ndarray) -> Wrong:
    said = f"h can be undone, and the robustness is still {score:.2f}"
    steps = np.diff(code[np.argsort(places)])
    if close(code, places, atol=1e-9):
        return Wrong(
            "h can be undone, and it changes nothing: a code that is left alone is as robust as before.",
            "nothing changed",
        )
    if (steps > 0).all() or (steps < 0).all():
        return Wrong(
            f"{said}: turned round or bent, neighbours are still neighbours. Cut the interval and put the pieces elsewhere.",
            "not cut",
        )
    return Wrong(f"{said}, wanted below 0.1: cut finer, or carry neighbouring pieces further apart.", "cut too coarsely")  # fmt: skip


def _robustness(h, z: np.ndarray, step: float = 0.1) -> float:
    """As lesson 02 measures it: movement for a tenth of the way to another code, against that code's distance."""
    other = np.roll(z, 1)
    moved, far = h(z + step * (other - z)) - h(z), h(other) - h(z)
    movement = math.sqrt(np.mean(moved**2) / np.mean(far**2))
    return min(1.0, max(0.0, (step / movement - step) / (1 - step)))
