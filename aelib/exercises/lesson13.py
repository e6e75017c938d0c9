"""Tasks of lesson 13, with references of their own in numpy."""

from itertools import combinations

import numpy as np

from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import Extreme, task


def _draws(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


# --- one step of Lloyd ------------------------------------------------------------------------------------


def _choices(x, entries) -> np.ndarray:
    return np.square(x[:, None] - entries).sum(axis=2).argmin(axis=1)


def _step_slips(x, entries) -> dict[str, tuple]:
    index = _choices(x, entries)
    want = _moved(x, entries, index)
    sums = np.stack([x[index == k].sum(axis=0) for k in range(len(entries))])
    far = np.square(x[:, None] - entries).sum(axis=2).argmax(axis=1)
    seeds = np.stack([x[np.square(x - entry).sum(axis=1).argmin()] for entry in entries])
    middle = np.stack([np.median(x[index == k], axis=0) for k in range(len(entries))])
    flat = np.stack([np.full(x.shape[1], x[index == k].mean()) for k in range(len(entries))])
    n_chose = np.bincount(index, minlength=len(entries))[:, None]
    return {
        "not moved": (entries, "the entries have not moved: each becomes the mean of the examples that chose it."),
        "copies": (entries[index], "those are the chosen entries, one for each example; the answer is the new list, (M, D)."),
        "sums": (sums, "those are sums; an entry becomes the mean, so divide by the number of its examples."),
        "divided by n": (sums / len(x), "you divided by all n examples; divide by how many chose this entry."),
        "farthest": (_moved(x, entries, far), "each example chose the farthest entry; it should choose the nearest."),
        "example": (seeds, "each entry became an example, the nearest one; it becomes the mean of all that chose it."),
        "half way": ((entries + want) / 2, "the entries have gone half way; the best place is the mean itself."),
        "overall mean": (np.tile(x.mean(axis=0), (len(entries), 1)), "every entry became the mean of all examples; take those that chose it."),
        "largest product": (_moved(x, entries, (x @ entries.T).argmax(axis=1)), "each example chose the entry with the largest inner product; it should choose the nearest, and ‖c‖² counts too."),
        "to the end": (_settled(x, entries), "you went on until nothing moves; one step is asked."),
        "one mean": (flat, "you averaged over the numbers of the examples too; take the mean over the examples, with dim=0."),
        "medians": (middle, "those are medians; by (13.2) the best entry is the mean."),
        "chosen again": (_one_by_one(x, entries), "the examples chose again after each entry had moved; first all examples choose, then all entries move."),
        "entry counted": ((sums + entries) / (n_chose + 1), "the old entry is counted among its examples; take the mean of the examples alone."),
        "indices": (index, "those are the indices after rule 1; the answer is the new list, (M, D)."),
    }  # fmt: skip


def _moved(x, entries, index) -> np.ndarray:
    return np.stack(
        [x[index == k].mean(axis=0) if (index == k).any() else entry for k, entry in enumerate(entries)]
    )


def _one_by_one(x, entries) -> np.ndarray:
    for k in range(len(entries)):
        moved = _moved(x, entries, _choices(x, entries))
        entries = np.where(np.arange(len(entries))[:, None] == k, moved, entries)
    return entries


def _settled(x, entries) -> np.ndarray:
    for _ in range(len(x)):
        entries = _moved(x, entries, _choices(x, entries))
    return entries


LONELY = np.array([[0.0, 0.1, 0.2], [1.0, 0.9, 1.1], [9.0, 9.0, 9.0]])


@task(
    "13.1",
    cases=[(_draws(0, 12, 2), _draws(1, 3, 2)), (_draws(2, 20, 4) + 1, _draws(3, 2, 4) + 1)],
    slips=_step_slips,
    where=lambda x, entries: f"for n = {len(x)} examples and M = {len(entries)} entries",
    extremes=[
        Extreme(
            (_draws(4, 9, 3), LONELY),
            "nobody's entry",
            "nobody chose the last entry here, so it has no mean. Such an entry stays where it is.",
        )
    ],
    rule="each entry becomes the mean of the examples whose nearest entry it is; an entry that nobody chose stays.",
    right="Right: repeat it until nothing moves, and you have k-means. The error cannot rise in a step.",
)
def lloyd_step(x, entries) -> np.ndarray:
    """``answer(x, entries) -> (M, D)``: the list after one step, for examples x (n, D) and entries (M, D)."""
    return _moved(x, entries, _choices(x, entries))


# --- find the bug in the perplexity -----------------------------------------------------------------------

FAULTS = {
    "base": "the entropy is in bits, and exp belongs to nats",
    "average": "the terms are averaged over the list, and an entropy is their sum",
    "weight": "each surprise −log p is counted once, and it should have the weight p",
}


def _perplexity(counts, faults: tuple[str, ...] = ()) -> float:
    p = counts[counts > 0] / counts.sum()
    surprise = -(np.log2(p) if "base" in faults else np.log(p))
    terms = surprise if "weight" in faults else p * surprise
    return float(np.exp(terms.sum() / (len(p) if "average" in faults else 1)))


def _bug_slips(counts) -> dict[str, tuple]:
    sets = [chosen for size in (1, 2, 3) for chosen in combinations(FAULTS, size)]
    left = {" and ".join(faults): (_perplexity(counts, faults), _still(faults)) for faults in sets}
    nats = np.log(_perplexity(counts))
    p, powers = counts / counts.sum(), np.exp(counts) / np.exp(counts).sum()
    return left | {
        "nats": (nats, "that is the entropy in nats; the perplexity is exp of it."),
        "bits": (nats / np.log(2), "that is the entropy in bits; the perplexity is 2 to this power."),
        "entries in use": (float((counts > 0).sum()), "that is the number of entries in use; rare ones count less."),
        "inverse": (np.exp(-nats), "the sign is turned: that is 1 over the perplexity."),
        "two to the nats": (2**nats, "2 belongs to bits; your entropy is in nats, so take exp."),
        "base ten": (np.exp(nats / np.log(10)), "the logarithm has base 10, and exp belongs to the natural one."),
        "squares": (1 / np.square(p).sum(), "that is 1 over the sum of p², another measure; the perplexity is exp of the entropy."),
        "one added": (_perplexity(counts + 1), "one was added to each count; here the shares are counts / counts.sum()."),
        "counts": (np.exp(-(counts * np.log(counts)).sum()), "the counts are no shares; divide them by their sum."),
        "log of counts": (np.exp(-(p * np.log(counts)).sum()), "the logarithm is of the counts; it should be of the shares p."),
        "share of the list": (np.exp(nats) / len(counts), "you divided by M; the perplexity is a number of entries, not a share of the list."),
        "softmax": (_perplexity(powers), "softmax takes exp of the counts; shares are counts / counts.sum()."),
        "largest": (np.exp(-(counts / counts.max() * np.log(counts / counts.max())).sum()), "you divided by the largest count; shares sum to 1."),
    }  # fmt: skip


def _still(faults: tuple[str, ...]) -> str:
    count = ("One fault is", "Two faults are", "All three faults are")[len(faults) - 1]
    return f"{count} left: " + "; ".join(FAULTS[fault] for fault in faults) + "."


@task(
    "13.2",
    cases=[(np.array([5.0, 1.0, 2.0, 9.0]),), (np.array([30.0, 2.0, 4.0]),), (np.array([1.0, 8.0, 3.0, 2.0, 2.0]),)],
    slips=_bug_slips,
    where=lambda counts: f"for the counts {counts.astype(int).tolist()}",
    extremes=[
        Extreme(
            (np.array([3.0, 0.0, 1.0]),),
            "dead entry",
            "one entry has the count 0, and 0 · log 0 became no number. It counts as 0: torch.xlogy does that.",
        )
    ],
    rule="with p = counts / counts.sum(), exp(−Σ p log p), the logarithm natural.",
    right="Right. A perplexity from a wrong base looks plausible, so test it on equal counts: M entries give M.",
)  # fmt: skip
def perplexity(counts) -> float:
    """``answer(counts) -> number``: how many equally likely entries are as hard to guess; counts (M,) ≥ 0."""
    return _perplexity(counts)


# --- reverse water-filling --------------------------------------------------------------------------------


def _water_slips(values, level: float) -> dict[str, tuple]:
    left = np.minimum(values, level)
    wet = values > level
    bits = 0.5 * np.log2(values[wet] / level).sum()
    every = 0.5 * np.log2(values / level)
    above = np.where(wet, values - level, values)
    return {
        "nats": ((bits * np.log(2), None), "that is in nats; use the logarithm to base 2."),
        "½ missing": ((2 * bits, None), "the ½ is missing: a direction costs half the logarithm of a ratio of variances."),
        "negative bits": ((every.sum(), None), "directions below the level gave negative bits; they cost 0."),
        "upside down": ((-bits, None), "the sign is turned: the ratio in the logarithm is λ/level, not level/λ."),
        "the ½ inside": ((np.log2(values / left / 2).sum(), None), "the ½ stands in the logarithm; it belongs before it."),
        "clamp": ((0.5 * np.log2(values / np.maximum(values, level)).sum(), None), "clamp(min=level) takes the larger of λ and level; an error is the smaller one, clamp(max=level)."),
        "λ missing": ((-0.5 * np.log2(left).sum(), None), "λ is missing in the logarithm: a direction costs ½ log₂(λ/d)."),
        "sums first": ((0.5 * np.log2(values.sum() / left.sum()), None), "you summed before the logarithm; take the logarithm in each direction, and sum the bits."),
        "mean of bits": ((bits / len(values), None), "that is bits for each number; the whole example is asked, so sum over the directions."),
        "sum of errors": ((None, left.sum()), "that is the error of a whole example; divide by D for one number of it."),
        "level everywhere": ((None, level), "that is the level itself; a direction with less variance has only its own variance to lose."),
        "kept": ((None, np.maximum(values - level, 0).mean()), "that is what is kept; the error is what lies below the level."),
        "dry only": ((None, np.where(wet, 0, values).mean()), "only the dropped directions are counted; the others have the error of the level."),
        "wet only": ((None, np.where(wet, level, 0).mean()), "the directions below the level are not counted; their whole variance is lost."),
        "exchanged": ((left.mean(), bits), "the two are exchanged: bits come first."),
        "base ten": ((bits * np.log10(2), None), "the logarithm has base 10; bits need base 2."),
        "size of bits": ((np.abs(every).sum(), None), "directions below the level were counted with |·|; they cost 0."),
        "channel": ((0.5 * np.log2(1 + values / level).sum(), None), "½ log₂(1 + λ/level) belongs to a noisy channel; here the error is a part of λ, so leave out the 1."),
        "level squared": ((np.maximum(0.5 * np.log2(values / level**2), 0).sum(), None), "the level is a variance already; do not square it."),
        "bits apart": ((np.maximum(every, 0), None), "those are the bits of each direction; sum them."),
        "the larger": ((None, np.maximum(values, level).mean()), "that is the larger of λ and level; an error is the smaller one."),
        "above the level": ((None, above.mean()), "above the level the error is the level, not what is left of λ over it."),
        "roots": ((None, np.sqrt(left).mean()), "that is the mean of square roots; λ and level are squared errors already."),
        "errors apart": ((None, left), "those are the errors of each direction; take their mean."),
    }  # fmt: skip


@task(
    "13.3",
    cases=[
        (np.array([4.0, 1.5, 0.3, 0.1]), 0.5),
        (np.array([2.0, 0.9, 0.2]), 1.2),
        (_draws(17, 6) ** 2 + 0.1, 0.4),
    ],
    slips=_water_slips,
    names=("bits", "error"),
    where=lambda values, level: f"for D = {len(values)} and the level {level:g}",
    rule="bits = Σ ½ log₂(λ/level) over the λ above the level, error = the mean of min(λ, level).",
    right="Right: two lines give every point of the exact curve, and no code for a Gaussian of these variances lies below it.",
)
def water_filling(values, level: float) -> tuple[float, float]:
    """``answer(values, level) -> (bits, error)``: of an example, and of one of its D numbers, for eigenvalues (D,)."""
    return float(np.maximum(0.5 * np.log2(values / level), 0).sum()), float(np.minimum(values, level).mean())


# --- the gradients of a VQ-VAE ----------------------------------------------------------------------------


def _gradient_slips(z, entry, slope, commitment: float) -> dict[str, tuple]:
    pull = 2 * (z - entry)
    to_z, to_entry = slope + commitment * pull, -pull
    return {
        "swapped weight": ((slope + pull, commitment * to_entry), "commitment and codebook are swapped: the weight belongs to the term that moves z."),
        "no stop-gradient": ([(slope + (1 + commitment) * pull, None), (None, (1 + commitment) * to_entry)], "a stop-gradient is missing: sg[·] is a constant, so the codebook term moves only the entry, and the commitment term only z."),
        "no straight-through": ((commitment * pull, None), "the slope is missing: the straight-through gradient hands it from the decoder's input to z."),
        "slope to the entry": ((None, slope + to_entry), "the slope went to the entry; straight-through hands it to z alone."),
        "½": ([(slope + commitment * pull / 2, None), (None, to_entry / 2)], "a factor 2 is missing: the derivative of ‖u‖² is 2u."),
        "no commitment": ((slope, None), "the commitment term is missing in z: γ‖z − sg[e]‖² has a gradient there."),
        "sign of z": ((slope - commitment * pull, None), "the sign of the commitment part is turned: a step against the gradient should move z to the entry."),
        "sign of the entry": ((None, -to_entry), "the sign of the entry's gradient is turned: a step against it should move the entry to z."),
        "exchanged": ((to_entry, to_z), "the two gradients are exchanged: z comes first."),
        "no weight": ((slope + pull, None), "the weight of the commitment term is missing in z."),
        "weight of the entry": ((None, commitment * to_entry), "the weight belongs to the commitment term, which moves z; the codebook term has none."),
        "still entry": ((None, 0 * to_entry), "the entry gets no gradient: the codebook term ‖sg[z] − e‖² moves it."),
        "sign of the slope": ((commitment * pull - slope, None), "the sign of the slope is turned: straight-through hands it over as it is."),
        "weighted slope": ((commitment * (slope + pull), None), "the slope has no weight; γ belongs to the commitment term."),
        "steps": ((-to_z, -to_entry), "those are steps downhill; the gradients themselves are asked, with the other sign."),
        "squares": ([(slope + commitment * np.square(z - entry), None), (None, np.square(z - entry))], "those are squares; the derivative of ‖u‖² is 2u."),
        "mean over K": ([(slope + commitment * pull / len(z), None), (None, to_entry / len(z))], "you averaged over the K numbers; ‖u‖² is their sum, and its derivative 2u."),
        "slope twice": ((2 * slope + commitment * pull, None), "the slope counts once: it is a gradient already."),
        "weight squared": ((slope + commitment**2 * pull, None), "the weight counts once, not squared."),
        "one length": ((slope + commitment * np.square(z - entry).sum(), None), "‖z − e‖² itself was added; its gradient 2(z − e) is asked."),
    }  # fmt: skip


@task(
    "13.4",
    cases=[
        (_draws(5, 4), _draws(6, 4), _draws(7, 4), 0.25),
        (_draws(8, 2), _draws(9, 2), _draws(10, 2), 0.7),
    ],
    slips=_gradient_slips,
    names=("for_z", "for_entry"),
    where=lambda z, entry, slope, commitment: f"for K = {len(z)} and commitment = {commitment:g}",
    rule="for z the slope plus 2γ(z − e), for the entry 2(e − z).",
    right="Right: the copy moves the encoder only, and the entry follows the codes as in k-means.",
)
def gradients(z, entry, slope, commitment: float) -> tuple[np.ndarray, np.ndarray]:
    """``answer(z, entry, slope, commitment) -> (for_z, for_entry)``: gradients of (13.5) for one code z (K,)."""
    return slope + 2 * commitment * (z - entry), 2 * (entry - z)


# --- bits back --------------------------------------------------------------------------------------------


def _shares(seed: int, n: int) -> np.ndarray:
    weights = np.exp(_draws(seed, n))
    return weights / weights.sum()


def _bits_slips(prior, likelihood, q) -> dict[str, tuple]:
    bits = lambda p: float(-(q * np.log2(np.where(q > 0, p, 1))).sum())  # noqa: E731
    index, image, back = bits(prior), bits(likelihood), bits(q)
    apart = np.log2(q) - np.log2(prior * likelihood)
    return {
        "nothing back": (index + image, "nothing is given back: the bits that chose z return to the receiver, so their number is taken off."),
        "nats": ((index + image - back) * np.log(2), "that is in nats; divide by log 2."),
        "added": (index + image + back, "the bits back are added; the receiver gets them, so they are taken off."),
        "index free": (image - back, "the index itself is missing: it costs −log₂ p(z)."),
        "image free": (index - back, "the image is missing: given its index it costs −log₂ p(x|z)."),
        "evidence": (float(-np.log2((prior * likelihood).sum())), "that is −log₂ p(x), the length for the exact posterior; this q may be another one, and then the file is longer."),
        "most probable": (float(-np.log2((prior * likelihood).max())), "that is the cost of the best single index; here z is drawn from q, and the mean over z is asked."),
        "sign": (-(index + image - back), "that is the ELBO in bits; a length is minus it."),
        "base ten": ((index + image - back) * np.log10(2), "the logarithm has base 10; bits need base 2."),
        "equal weights": (apart.mean(), "all z have the same weight; z is drawn from q."),
        "no weights": (apart.sum(), "the lengths are summed without their probabilities; weight each z with q(z)."),
        "each z": (apart, "those are the lengths for each z; take their mean, with z from q."),
        "prior's weights": (float((prior * apart).sum()), "the mean is over z from the prior; the sender draws z from q."),
        "image alone": (image, "only the image is counted; the index costs −log₂ p(z), and −log₂ q(z) comes back."),
        "mean inside": (float(-np.log2((q * prior * likelihood).sum())), "that is the logarithm of a mean; a mean length is the mean of logarithms."),
        "mean likelihood": (float(-np.log2((q * likelihood).sum())) + index - back, "−log₂ p(x|z) is averaged inside the logarithm; take the mean of the logarithms."),
        "likeliest z": ([apart[q.argmax()], (apart - np.log2(q))[q.argmax()]], "that is the length for the most probable z alone; take the mean over z from q."),
        "on top": (index + image - back + np.log2((prior * likelihood).sum()), "that is KL(q(z|x) ‖ p(z|x)) in bits, which comes on top of −log₂ p(x); the whole length is asked."),
        "back unweighted": (index + image + np.log2(q).sum(), "the bits that come back are summed without weights; take the mean of log₂ q(z) over z from q."),
    }  # fmt: skip


@task(
    "13.5",
    cases=[
        (_shares(11, 4), 0.3 * _shares(12, 4), _shares(13, 4)),
        (_shares(14, 7), 0.1 * _shares(15, 7), _shares(16, 7)),
    ],
    slips=_bits_slips,
    where=lambda prior, likelihood, q: f"for a list of {len(prior)} entries",
    extremes=[
        Extreme(
            (_shares(17, 3), 0.2 * _shares(18, 3), np.array([0.0, 0.25, 0.75])),
            "an entry that q never draws",
            "q is 0 for one entry here, and 0 · log 0 became no number. It counts as 0, so leave such entries out.",
        )
    ],
    rule="Σ q(z) [−log₂ p(z) − log₂ p(x|z) + log₂ q(z)].",
    right="Right: this is −ELBO in bits. With the exact posterior as q it would be −log₂ p(x), and no code is shorter on average.",
)
def net_bits(prior, likelihood, q) -> float:
    """``answer(prior, likelihood, q) -> number``: mean net bits for one x; p(z), p(x|z) and q(z|x), each (M,)."""
    drawn = q > 0
    return float((q[drawn] * np.log2(q[drawn] / (prior * likelihood)[drawn])).sum())
