"""Tasks of lesson 12, with references of their own in numpy."""

from itertools import combinations

import numpy as np

from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import Extreme, task


def _draws(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


# --- the best denoiser of n examples ----------------------------------------------------------------------


def _squares(y, x) -> np.ndarray:
    """(m, n)"""
    return np.square(y[:, None] - x).sum(axis=2)


def _shares(cost, axis: int = 1) -> np.ndarray:
    weights = np.exp(-(cost - cost.min(axis=axis, keepdims=True)))
    return weights / weights.sum(axis=axis, keepdims=True)


def _denoiser_slips(y, x, sigma: float) -> dict[str, tuple]:
    squares = _squares(y, x)
    cost = squares / (2 * sigma**2)
    raw = np.exp(-cost)
    mean = lambda cost, axis=1: _shares(cost, axis) @ x  # noqa: E731
    return {
        "nearest example": (x[cost.argmin(axis=1)], "that is the nearest example alone. The smallest mean squared error needs the average of all examples, each with its probability."),
        "noisy input": (y, "that is the noisy input itself."),
        "all alike": (np.tile(x.mean(axis=0), (len(y), 1)), "that is the mean of all examples, as if y told nothing: near ones are more probable."),
        "σ for σ²": (mean(squares / (2 * sigma)), "you divided by 2σ; the exponent of the Gaussian has 2σ²."),
        "½ missing": (mean(squares / sigma**2), "the ½ of the Gaussian's exponent is missing."),
        "½ of the distance": (mean(squares / (4 * sigma**2)), "you divided by 4σ²; the exponent is −‖y − x_i‖²/2σ²."),
        "precedence": (mean(squares / 2 * sigma**2), "squares / 2 * sigma**2 multiplies by σ²: write squares / (2 * sigma**2)."),
        "distance not squared": ([mean(np.sqrt(squares) / width) for width in (2 * sigma**2, sigma**2, 2 * sigma, sigma)], "the distance stands there without its square."),
        "mean over the inputs": (mean(cost / x.shape[1]), "the squares are averaged over the D inputs; ‖y − x_i‖² is their sum."),
        "sign": (mean(-cost), "the sign is turned: the farthest examples have the largest weights."),
        "other axis": (mean(cost, axis=0), "the weights sum to 1 over the noisy inputs; for each noisy input they should sum to 1 over the examples."),
        "not normalised": (raw @ x, "the weights do not sum to 1: divide them by their sum."),
        "weights alone": (_shares(cost), "those are the weights, one for each example; multiply them by the examples, for a mean of shape (m, D)."),
        "step": (mean(cost) - y, "that is the step E[x|y] − y; the denoised E[x|y] itself is asked."),
    }  # fmt: skip


THREE = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.2], [0.3, 0.9, 0.0], [0.8, 0.7, 0.5]])
NOISY = THREE[:3] + 0.4 * _draws(0, 3, 3)
FAR = np.array([[40.0, 0.0, 0.0]])


@task(
    "12.1",
    cases=[(NOISY, THREE, 0.5), (NOISY[:2], THREE, 0.9), (_draws(1, 5, 2), _draws(2, 7, 2), 0.7)],
    slips=_denoiser_slips,
    where=lambda y, x, sigma: f"for n = {len(x)} examples and σ = {sigma:g}",
    extremes=[
        Extreme(
            (FAR, THREE, 0.05),
            "far away",
            "this y is so far away that exp gives 0 for every example, and 0/0 is no number. torch.softmax takes the largest exponent off first.",
        )
    ],
    rule="weights softmax(−‖y − x_i‖²/2σ²) over the examples, then the weighted mean of the examples.",
    right="Right: on these n examples no denoiser has a smaller mean squared error, and nothing was trained.",
)
def best_denoiser(y, x, sigma: float) -> np.ndarray:
    """``answer(y, x, sigma) -> (m, D)``: E[x|y] for noisy y (m, D), if x is one of the n rows of x (n, D)."""
    return _shares(_squares(y, x) / (2 * sigma**2)) @ x


# --- find the bug in the score ----------------------------------------------------------------------------

FAULTS = {
    "weights": "the weights divide by 2σ, and the exponent of the Gaussian has 2σ²",
    "sign": "the sign is turned, so that the arrow points away from the data",
    "division": "the difference is divided by σ, and Tweedie's formula divides by σ²",
}


def _score(y, x, sigma: float, faults: tuple[str, ...] = ()) -> np.ndarray:
    """The mean pull (x_i − y)/σ² of all examples, with these faults put in."""
    pull = _mean_pull(y, x, 2 * (sigma if "weights" in faults else sigma**2))
    return (-1 if "sign" in faults else 1) * pull / (sigma if "division" in faults else sigma**2)


def _mean_pull(y, x, width: float) -> np.ndarray:
    """The mean of x_i − y, with weights from squares / width."""
    shares = _shares(_squares(y, x) / width)
    return (shares[:, :, None] * (x - y[:, None])).sum(axis=1)


def _bug_slips(y, x, sigma: float) -> dict[str, tuple]:
    sets = [chosen for size in (1, 2, 3) for chosen in combinations(FAULTS, size)]
    left = {" and ".join(faults): (_score(y, x, sigma, faults), _still_there(faults)) for faults in sets}
    want = _score(y, x, sigma)
    return left | {
        "denoised": (want * sigma**2 + y, "that is the denoised y; the score is its difference from y, divided by σ²."),
        "not divided": (want * sigma**2, "that is the step from y to its denoised; the score is this divided by σ²."),
        "multiplied": (want * sigma**4, "you multiplied by σ²; Tweedie's formula divides by it."),
        "divided twice": (want / sigma**2, "you divided by σ⁴; Tweedie's formula divides by σ²."),
        "half of it": (want / 2, "you divided by 2σ²; the 2 belongs to the weights alone."),
        "½ missing": (_mean_pull(y, x, sigma**2) / sigma**2, "the weights divide by σ², and the exponent of the Gaussian has 2σ²."),
        "2 squared": (_mean_pull(y, x, 4 * sigma**2) / sigma**2, "the weights divide by (2σ)², and the exponent of the Gaussian has 2σ²."),
        "precedence": (_mean_pull(y, x, 2 / sigma**2) / sigma**2, "squares / 2 * sigma**2 multiplies by σ²: write squares / (2 * sigma**2)."),
        "nearest example": ((x[_squares(y, x).argmin(axis=1)] - y) / sigma**2, "that points to the nearest example alone; the mean of all examples is asked, with their weights."),
        "all alike": ((x.mean(axis=0) - y) / sigma**2, "that points to the mean of all examples, as if y told nothing: near ones are more probable."),
        "log-density": (np.log(np.exp(-_squares(y, x) / (2 * sigma**2)).sum(axis=1)), "that is a log-density; the score is its gradient, one row for each y."),
    }  # fmt: skip


def _still_there(faults: tuple[str, ...]) -> str:
    count = ("One fault is", "Two faults are", "All three faults are")[len(faults) - 1]
    return f"{count} left: " + "; ".join(FAULTS[fault] for fault in faults) + "."


@task(
    "12.2",
    cases=[(NOISY, THREE, 0.5), (_draws(1, 5, 2), _draws(2, 7, 2), 0.7), (_draws(3, 2, 4), THREE @ _draws(4, 3, 4), 1.6)],
    slips=_bug_slips,
    where=lambda y, x, sigma: f"for n = {len(x)} examples and σ = {sigma:g}",
    rule="the score is (E[x|y] − y)/σ², with the exact E[x|y] of exercise 1.",
    right="Right: three faults, and with σ = 1 the two about σ would have been invisible. Test a formula at a σ that is not 1.",
)  # fmt: skip
def score(y, x, sigma: float) -> np.ndarray:
    """``answer(y, x, sigma) -> (m, D)``: ∇ log p_σ at the rows of y (m, D), for the examples x (n, D)."""
    return _score(y, x, sigma)


# --- Wiener's error, before training ----------------------------------------------------------------------

VALUES = np.array([3.0, 1.2, 0.4, 0.05, 0.0])


def _wiener_slips(values, sigma: float) -> dict[str, tuple]:
    noise = sigma**2
    each = values * noise / (values + noise)
    return {
        "sum": (each.sum(), "that is the error of a whole example; divide by D for one number of it."),
        "D = 64": (each.sum() / 64, "you divided by the lesson's 64: take D from values, len(values)."),
        "zeros left out": (each[values > 0].mean(), "you left out the directions with λ = 0: their error is 0, and they count in D."),
        "σ for σ²": ((values * sigma / (values + sigma)).mean(), "σ stands there for σ²: the formula compares two variances, λ and σ²."),
        "what is kept": ((values**2 / (values + noise)).mean(), "that is the variance that the denoised keep; the error is the rest, λσ²/(λ + σ²)."),
        "noise that passes": ((values**2 * noise / (values + noise) ** 2).mean(), "that is the noise that passes through; the data that are lost, (σ²/(λ + σ²))² λ, come on top of it."),
        "what is lost": ((values * noise**2 / (values + noise) ** 2).mean(), "that is the data that are lost; the noise that passes through, (λ/(λ + σ²))² σ², comes on top of it."),
        "the smaller": (np.minimum(values, noise).mean(), "that takes the smaller of λ and σ² in each direction: keep or drop. Wiener's denoiser weighs both, and leaves less."),
        "the noise": (noise, "that is σ², the error of the noisy input itself."),
        "the variance": (values.mean(), "that is the error of the mean, which does not look at y."),
        "mean eigenvalue": (values.mean() * noise / (values.mean() + noise), "you put the mean eigenvalue into the formula; each direction has its own λ."),
        "twice": (2 * each.mean(), "that is twice the right value."),
        "half": (each.mean() / 2, "that is half the right value."),
        "each": (each, "those are the errors of each direction; take their mean."),
        "root": (np.sqrt(each.mean()), "that is a root; the mean squared error is asked."),
        "λ²": ((values**2 * noise / (values**2 + noise)).mean(), "you squared λ; an eigenvalue is a variance already."),
        "share kept": ((values / (values + noise)).mean(), "that is the share λ/(λ + σ²) that is kept, without a unit; σ² times it is the error of a direction."),
        "share lost": ((noise / (values + noise)).mean(), "that is the share σ²/(λ + σ²) that is lost, without a unit; λ times it is the error of a direction."),
        "gain": (noise - each.mean(), "that is how far the error falls below σ²; the error that is left is asked."),
    }  # fmt: skip


@task(
    "12.3",
    cases=[(VALUES, 0.5), (VALUES[:4], 1.7), (_draws(5, 3) ** 2, 0.2)],
    slips=_wiener_slips,
    where=lambda values, sigma: f"for D = {len(values)} and σ = {sigma:g}",
    rule="each direction leaves λσ²/(λ + σ²); take their mean over all D directions.",
    right="Right: what the best linear denoiser leaves is known from eigenvalues and σ, before any training.",
)
def wiener_error(values, sigma: float) -> float:
    """``answer(values, sigma) -> number``: the error for each number that the best linear denoiser leaves."""
    gain = values / (values + sigma**2)
    return float(((1 - gain) ** 2 * values + gain**2 * sigma**2).mean())


# --- one step of the chain --------------------------------------------------------------------------------


def _step_slips(y, denoised, sigma: float, lower: float) -> dict[str, tuple]:
    ratio, noise = lower / sigma, y - denoised
    return {
        "all at once": (denoised, "you jumped to the denoised y: then all noise is gone in one step, and the result is an average of examples."),
        "no step": (y, "y has not moved."),
        "variances": (denoised + ratio**2 * noise, "you scaled by σ'²/σ²; the noise y − d shrinks as σ does, by σ'/σ."),
        "other end": (y - ratio * noise, "the shares are exchanged: σ'/σ is what stays of the noise, not what goes."),
        "inverse": (denoised + noise / ratio, "the ratio is upside down: σ' is smaller than σ, and the noise shrinks."),
        "difference": (denoised + (sigma - lower) * noise, "you scaled by σ − σ'; the noise that is left has the share σ'/σ."),
        "new level": (denoised + lower * noise, "you scaled by σ' alone: y − d has the size of σ already, so divide by σ."),
        "away": (denoised - ratio * noise, "the noise that is left has the wrong sign: it is y − d."),
        "from y": (y + ratio * noise, "you began at y: the step begins at the denoised d."),
        "root": (denoised + ratio**0.5 * noise, "you scaled by the root of σ'/σ; the noise y − d shrinks as σ does, by σ'/σ."),
        "what was taken": (denoised + np.sqrt(1 - ratio**2) * noise, "√(σ² − σ'²) is for adding fresh noise; here the noise that is there shrinks, by σ'/σ."),
        "all shrinks": (ratio * y, "y shrank as a whole; the denoised d stays, and only the noise y − d shrinks."),
        "upwards": (y + (sigma - lower) / sigma * noise, "that step goes up in noise: σ' − σ is negative."),
        "not divided": (y + (lower - sigma) * noise, "a division by σ is missing: dy/dσ = (y − d)/σ."),
        "divided twice": (y + (lower - sigma) * noise / sigma**2, "you divided by σ²: the flow is −σ times the score, (y − d)/σ."),
    }  # fmt: skip


@task(
    "12.4",
    cases=[
        (NOISY, THREE[:3], 0.8, 0.5),
        (_draws(6, 2, 4), _draws(7, 2, 4), 1.5, 1.2),
    ],
    slips=_step_slips,
    where=lambda y, denoised, sigma, lower: f"from σ = {sigma:g} to σ' = {lower:g}",
    extremes=[
        Extreme(
            (NOISY, THREE[:3], 0.3, 0.0),
            "down to 0",
            "at σ' = 0 nothing is left of the noise, so y' = d. Do not divide by σ'.",
        )
    ],
    rule="y' = d + (σ'/σ)(y − d).",
    right="Right: the denoised stays, and of the noise the share σ'/σ. With a single example this step is exact.",
)
def step(y, denoised, sigma: float, lower: float) -> np.ndarray:
    """``answer(y, denoised, sigma, lower) -> (m, D)``: y at the lower noise level, by one Euler step of (12.7)."""
    return y + (lower - sigma) * (y - denoised) / sigma


# --- hidden numbers ---------------------------------------------------------------------------------------


def _covariance(seed: int, D: int) -> np.ndarray:
    W = _draws(seed, D, D)
    return W @ W.T / D + 0.1 * np.eye(D)


def _left(cov, hidden: list[int], seen: list[int]) -> float:
    """Sum over the hidden numbers of what the seen ones do not explain."""
    cross = cov[np.ix_(seen, hidden)]
    return float(
        np.trace(cov[np.ix_(hidden, hidden)] - cross.T @ np.linalg.solve(cov[np.ix_(seen, seen)], cross))
    )


def _hidden_slips(cov, hidden: list[int]) -> dict[str, tuple]:
    D, m = len(cov), len(hidden)
    seen = [i for i in range(D) if i not in hidden]
    left, total = _left(cov, hidden, seen), float(np.trace(cov[np.ix_(hidden, hidden)]))
    inverse = np.linalg.inv(cov)
    block = inverse[np.ix_(hidden, hidden)]
    rest, cross = np.linalg.inv(block), cov[np.ix_(seen, hidden)]
    return {
        "sum": (left, "that is the sum over the hidden numbers; divide by how many they are."),
        "over D": (left / D, "you divided by D; the error is asked for each hidden number."),
        "no guess": (total / m, "that is the variance of the hidden numbers: nothing was taken from the seen ones."),
        "what is explained": ((total - left) / m, "that is the part which the seen numbers explain; the error is what is left of the variance."),
        "explained added": ((2 * total - left) / m, "the explained part is added; it is taken off the variance."),
        "whole matrix": ([rest, rest.mean(), rest.sum() / m], "the errors of the hidden numbers stand on the diagonal of that matrix; take its trace, and divide by how many they are."),
        "block of the inverse": (np.trace(block) / m, "that is a block of S⁻¹. Its inverse is S_mm − S_mo S_oo⁻¹ S_om, so invert the block before you take the trace."),
        "exchanged": ([_left(cov, seen, hidden) / len(seen), _left(cov, seen, hidden) / m], "hidden and seen are exchanged: the indices in hidden are those to be guessed."),
        "others seen": (float(np.mean([1 / inverse[i, i] for i in hidden])), "this guesses each hidden number from all others, the other hidden ones too; they are not known."),
        "no inverse": ((total - float(np.trace(cross.T @ cross))) / m, "the inverse of S_oo is missing: the seen numbers overlap, and it undoes that."),
        "entry by entry": ((total - float((cross**2 / cov.diagonal()[seen][:, None]).sum())) / m, "you divided by the variances of the seen numbers; they are correlated, so the whole S_oo is inverted."),
        "the seen half": (left / len(seen), "you divided by the number of seen entries; the error is asked for each hidden one."),
    }  # fmt: skip


@task(
    "12.5",
    cases=[(_covariance(8, 4), [1]), (_covariance(9, 5), [0, 3, 4]), (_covariance(10, 6), [5, 2])],
    slips=_hidden_slips,
    where=lambda cov, hidden: f"for D = {len(cov)} with {hidden} hidden",
    rule="tr(S_mm − S_mo S_oo⁻¹ S_om), divided by the number of hidden entries.",
    right="Right: the best linear filler's error is known for every mask, before a pixel is hidden.",
)
def hidden_error(cov, hidden: list[int]) -> float:
    """``answer(cov, hidden) -> number``: the error that the best linear filler leaves for each hidden number."""
    block = np.linalg.inv(cov)[np.ix_(hidden, hidden)]
    return float(np.trace(np.linalg.inv(block)) / len(hidden))
