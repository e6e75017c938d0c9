"""Checks for lesson 09, with references of their own in numpy and scipy."""

import itertools
import math

import numpy as np
import torch
from scipy.special import logsumexp

from aelib.exercises.frame import (
    Wrong,
    array,
    by_value,
    close,
    exercise,
    first_slip,
    function,
    log_normal,
    number,
    same_shape,
)
from aelib.exercises.help import hint, progress, reset  # noqa: F401


@exercise("09.1")
def bound(answer) -> str:
    """``answer(log_weights) -> (batch,)``: the importance-weighted bound from log p(x, z) − log q(z|x), (M, batch)."""
    log_weights = np.random.default_rng(0).normal([3.0, -4.0, 0.0, 12.0], [0.5, 2.0, 4.0, 1.0], (50, 4))
    got = array(function(answer)(torch.tensor(log_weights)), "bound(log_weights)")
    want = np.array([math.log(sum(map(math.exp, column)) / 50) for column in log_weights.T])
    same_shape(got, want, "bound(log_weights)")
    if not close(got, want, rtol=1e-5, atol=1e-6):
        raise _bound_slip(got, want, log_weights)
    fewer = array(function(answer)(torch.tensor(log_weights[:20])), "bound(log_weights)")
    if not close(fewer, logsumexp(log_weights[:20], axis=0) - math.log(20), rtol=1e-5, atol=1e-6):
        raise Wrong("Right for 50 samples, but not for 20: M is the number of rows of log_weights.")
    far = log_weights - np.array([0.0, 2000.0, 700.0, 2000.0])
    far[:25, 0] -= 2000
    got = array(function(answer)(torch.tensor(far)), "bound(log_weights)")
    if not close(got, logsumexp(far, axis=0) - math.log(50), rtol=1e-6, atol=1e-3):
        raise Wrong(
            "Right for these, but with weights of e⁻²⁰⁰⁰, usual for larger pictures, exp gives 0 and its logarithm −inf: "
            "torch.logsumexp takes out the largest weight of each image first."
        )
    gain = want - log_weights.mean(axis=0)
    return (
        f"Right. Over the averages of the logs, which are the ELBO, it gains {gain.min():.2f} to {gain.max():.2f} nats here: "
        "the more the weights scatter, the more."
    )


def _bound_slip(got: np.ndarray, want: np.ndarray, log_weights: np.ndarray) -> Wrong:
    total, elbo = logsumexp(log_weights, axis=0), log_weights.mean(axis=0)
    said = f"For the first image you got {got[0]:.4f}, expected {want[0]:.4f} nats: "
    slips = {
        "that is the mean of the logs, the ELBO; here the mean comes first and the log after it.": elbo,
        "that is the ELBO, the mean of the logs, with log M added; the mean of the weights comes first, and its log "
        "after it.": elbo + math.log(50),
        "that is the ELBO, the mean of the logs, less log M; the mean of the weights comes first, and its log after it.": elbo
        - math.log(50),
        "log M is wanted in nats, as the weights are: math.log, not log2.": total - math.log2(50),
        "log M is wanted in nats, as the weights are: math.log, not log10.": total - math.log10(50),
        "the sign is turned: a bound on log p(x), to be large.": -want,
        "log M is missing: the weights were added up, and their mean is asked for.": total,
        "log M was added; a mean divides by M, so that its logarithm is subtracted.": total + math.log(50),
        "log M is the logarithm of the number of samples, 50; you took another number.": total - math.log(4),
        "that is the mean weight itself; its logarithm is missing.": np.exp(want),
        "you divided the logarithm by M; divide the sum of the weights, which subtracts log M.": total / 50,
        "that is the largest weight alone; all samples count.": log_weights.max(axis=0),
    }
    return first_slip(
        by_value(got, slips, said, 1e-5),
        said + "the logarithm of the mean weight over the samples, image by image.",
    )


WIDE = (1.96, 1.959964, 2.0, 2.022691, 2.063899)
"""What makes half of a 95 % bar of a standard error, rounded or not, by the normal law or by Student's for 40 or 25 pairs."""


@exercise("09.2")
def compare(answer) -> str:
    """``answer(first, second) -> (difference, error)``: mean difference of paired bounds (n,) and its standard error."""
    generator = np.random.default_rng(1)
    for n, ahead in ((25, -0.7), (40, 0.6)):
        shared, own = 5 * generator.standard_normal(n), generator.standard_normal((2, n))
        first, second = 10 + ahead + shared + own[0], 10 + shared + own[1]
        mean, error = _judge_pair(function(answer), first, second)
    alone = math.sqrt(first.var(ddof=1) / n + second.var(ddof=1) / n)
    return (
        f"Right: {mean:.2f} ± {error:.2f} nats. Taken for two unrelated samples it would read ± {alone:.2f}: "
        "the same images are hard for both models, and a paired difference lets that cancel."
    )


def _judge_pair(answer, first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    got, apart = _pair(answer(torch.tensor(first), torch.tensor(second))), first - second
    mean, errors = apart.mean(), [sd / math.sqrt(len(apart)) for sd in _deviations(apart)]
    if not close(got[0], mean, rtol=1e-5):
        raise _difference_slip(got, mean, errors)
    if not any(close(got[1], error, 1e-5) for error in errors):
        raise _error_slip(got[1], errors[0], first, second)
    return mean, errors[0]


def _pair(answer) -> np.ndarray:
    """The two numbers, from a tuple, a list or one tensor of two."""
    parts = list(array(answer).ravel()) if isinstance(answer, torch.Tensor | np.ndarray) else answer
    if not isinstance(parts, tuple | list) or len(parts) != 2:
        raise Wrong("Return two numbers: the mean difference, and its standard error.")
    return np.array(
        [number(part, name) for part, name in zip(parts, ("The difference", "The error"), strict=True)]
    )


def _deviations(values: np.ndarray) -> list[float]:
    """The standard deviation, divided by n − 1 and by n: a standard error may be made of either."""
    return [values.std(ddof=1), values.std(ddof=0)]


def _difference_slip(got: np.ndarray, mean: float, errors: list[float]) -> Wrong:
    return first_slip(
        {
            "The two numbers have changed places: first the mean difference, then its standard error.": (
                any(close(got, [error, mean], 1e-5) for error in errors)
            ),
            "The difference has the wrong sign: it is first minus second.": close(got[0], -mean, 1e-5),
        },
        f"The difference is {got[0]:.4f}, expected {mean:.4f}: the mean of first − second.",
    )


def _error_slip(got: float, want: float, first: np.ndarray, second: np.ndarray) -> Wrong:
    n = len(first)
    said = f"The standard error is {got:.4f}, expected {want:.4f}: "
    of_first, of_second, of_apart = map(_deviations, (first, second, first - second))
    models = list(zip(of_first, of_second, strict=True))
    slips = {
        "that is the standard deviation of the differences; their mean is known better, by √n.": of_apart,
        "you divided by n; a standard error falls with √n.": [sd / n for sd in of_apart],
        "that is the half of a 95 % bar, about twice the standard error; the error by itself is asked.": [
            wide * sd / math.sqrt(n) for sd in of_apart for wide in WIDE
        ],
        "that treats the two as unrelated samples. They are the same images: take the differences first.": [
            math.sqrt((a**2 + b**2) / n) for a, b in models
        ],
        "you added the two errors; the images are the same, so take the differences first.": [
            (a + b) / math.sqrt(n) for a, b in models
        ],
        "that is a variance; take its square root.": [sd**2 / n for sd in of_apart],
        "that is the error of one model's mean; asked is that of the difference.": [
            sd / math.sqrt(n) for sd in (*of_first, *of_second)
        ],
    }
    return first_slip(
        by_value(got, slips, said, 1e-5),
        said + "the standard deviation of the differences, over √n.",
    )


@exercise("09.3")
def rate_in_bits(answer) -> str:
    """``answer(mu, log_var) -> bits``: the mean over examples of KL(q(z|x) ‖ N(0, I)), in bits an image."""
    generator = np.random.default_rng(2)
    mu, log_var = generator.standard_normal((30, 4)), generator.uniform(-4, 1, (30, 4))
    got = number(function(answer)(torch.tensor(mu), torch.tensor(log_var)), "Your rate")
    nats = _kl(mu, np.exp(log_var / 2))
    want = nats.sum(axis=1).mean() / math.log(2)
    if not close(got, want, 1e-5):
        raise _rate_slip(got, want, mu, log_var)
    return (
        f"Right: {want:.1f} bits an image. It is a price and not yet a file, and never less than what the code tells "
        "about the image, I_q."
    )


def _kl(mu: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """KL of each latent, by its definition: minus the entropy, minus the expected log of the prior."""
    entropy = 0.5 * math.log(2 * math.pi * math.e) + np.log(sigma)
    return -entropy + 0.5 * math.log(2 * math.pi) + 0.5 * (mu**2 + sigma**2)


UNITS = {
    "those are nats; a bit is log 2 nats, so divide by log 2": math.log(2),
    "you multiplied by log 2; a bit is less than a nat, so there are more of them: divide": math.log(2) ** 2,
    "you divided by log 10; bits need log 2": math.log(2) / math.log(10),
}
SUMS = {
    "that is the average over latents; an image pays for all of them, so sum": 1 / 4,
    "that is the sum over the images; the rate is what one costs, on average": 30.0,
    "that is a sum over the images and a mean over the latents: dim=1 runs over the latents": 30 / 4,
}
"""What each slip does to the rate of 30 images with 4 latents; one of the units and one of the sums may come together."""


def _rate_slip(got: float, want: float, mu: np.ndarray, log_var: np.ndarray) -> Wrong:
    said = f"You got {got:.4f}, expected {want:.4f} bits: "
    both = {f"{one}; and {two}": UNITS[one] * SUMS[two] for one, two in itertools.product(UNITS, SUMS)}
    rest = {"the sign is turned: a KL is never negative": -1, "the ½ is missing": 2}
    slips = {words: factor * want for words, factor in (UNITS | SUMS | rest | both).items()}
    as_log_sigma = _kl(mu, np.exp(log_var)).sum(axis=1).mean() / math.log(2)
    slips["you read log_var as log σ: σ² is exp(log_var)"] = as_log_sigma
    return first_slip(
        by_value(got, {f"{words}.": value for words, value in slips.items()}, said, 1e-5),
        said + "−½ Σ (1 + log σ² − μ² − σ²) for each image, averaged, over log 2.",
    )


@exercise("09.4")
def active(answer) -> str:
    """``answer(mu) -> (K,) bool``: which latents' means (n, K) vary over the examples by more than 0.01."""
    generator = np.random.default_rng(3)
    spread = np.array([2.0, 0.005, 0.3, 0.07, 0.13, 0.9, 0.005])
    mu = np.array([0.0, 1.5, 0.2, 0.0, 0.0, 2.0, 0.0]) + spread * generator.standard_normal((400, 7))
    got = array(function(answer)(torch.tensor(mu)), "active(mu)")
    want = mu.var(axis=0) > 0.01
    if got.shape == (400,):
        raise Wrong("You got one answer for each image, (400,): take the variance over the images, dim=0.")
    if got.shape == () and close(got, want.sum()):
        raise Wrong(
            "That is how many are active; return which, a tensor of True and False, one for each latent."
        )
    same_shape(got, want, "active(mu)")
    if not np.isin(got, (0, 1)).all():
        raise Wrong("Return True or False for each latent: compare the variance with 0.01.")
    if not np.array_equal(got.astype(bool), want):
        raise _active_slip(got.astype(bool), want, mu)
    return (
        f"Right: {want.sum()} of {len(want)}. The second sits elsewhere than the prior, and pays for it; but it sits there for "
        "every image, and tells nothing."
    )


def _active_slip(got: np.ndarray, want: np.ndarray, mu: np.ndarray) -> Wrong:
    said = f"Latents {np.flatnonzero(got != want) + 1} are judged wrongly: "
    fits = lambda guess: np.array_equal(got, guess)  # noqa: E731
    return first_slip(
        {
            said + "that is the other way round; active means that the mean moves.": fits(~want),
            said + "you compared the standard deviation; 0.01 is a variance.": fits(mu.std(axis=0) > 0.01),
            said
            + "you looked at the mean square, so that a mean which sits elsewhere and never moves counts as "
            "active. Take the variance.": fits((mu**2).mean(axis=0) > 0.01)
            or fits(np.abs(mu).mean(axis=0) > 0.01)
            or fits(np.abs(mu.mean(axis=0)) > 0.01),
        },
        said + "is the variance of μ over the images, dim=0, above 0.01?",
    )


@exercise("09.5")
def best_decoder(answer) -> str:
    """``answer(z, mu, log_var, x) -> (m, D)``: for codes (m, K) the mean of x (n, D) under the encoder's q(x|z)."""
    generator = np.random.default_rng(4)
    mu, x = generator.standard_normal((9, 2)), generator.uniform(size=(9, 5))
    log_var = generator.uniform(-3, 1, (9, 2))
    z = generator.standard_normal((6, 2))
    given = [torch.tensor(part) for part in (z, mu, log_var, x)]
    got = array(function(answer)(*given), "best_decoder(z, mu, log_var, x)")
    log_q = log_normal(z[:, None], mu, np.exp(log_var / 2)).sum(axis=2)
    want = _average(log_q, x)
    same_shape(got, want, "best_decoder(z, mu, log_var, x)")
    if not close(got, want, 1e-5, 1e-7):
        raise _best_slip(got, log_q, z, mu, log_var, x)
    shares = np.exp(log_q - logsumexp(log_q, axis=1, keepdims=True)).max(axis=1)
    return (
        f"Right. At these codes the likeliest owner has {shares.min():.0%} to {shares.max():.0%} of the weight; where it "
        "is far from all, the best picture is a mixture, however large the decoder."
    )


def _average(log_weight: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.exp(log_weight - logsumexp(log_weight, axis=1, keepdims=True)) @ x


def _best_slip(
    got: np.ndarray, log_q: np.ndarray, z: np.ndarray, mu: np.ndarray, log_var: np.ndarray, x: np.ndarray
) -> Wrong:
    not_one = "The weights do not sum to 1: divide by their sum over the images{} (softmax does)."
    over_codes = np.exp(log_q - logsumexp(log_q, axis=0, keepdims=True))
    slips = {
        not_one.format(", whatever constant was left out"): np.exp(log_q) @ x * (2 * math.pi) ** (z.shape[1] / 2),
        not_one.format(""): np.exp(log_q) @ x,
        "You normalised over the codes; for each code the weights of the images sum to 1.": over_codes @ x,
        "That is the likeliest owner's own picture. It is a picture, and not the one with the least squared error.": x[
            log_q.argmax(axis=1)
        ],
        "All images count alike, wherever z lies: weight them with q(x|z).": np.tile(x.mean(axis=0), (len(z), 1)),
    }  # fmt: skip
    apart = np.square(z[:, None] - mu)
    slips |= {words: _average(w.sum(axis=2), x) for words, w in _slipped_weights(apart, log_var).items()}
    return first_slip(
        by_value(got, slips, rtol=1e-5),
        f"The first number is {got[0, 0]:.4f}, expected {_average(log_q, x)[0, 0]:.4f}: log q(z|x_i) for each code and image, "
        "softmax over the images, times the images.",
    )


def _slipped_weights(apart: np.ndarray, log_var: np.ndarray) -> dict[str, np.ndarray]:
    """What each slip makes of the log-weight, latent by latent, from the squared distances: (m, n, K)."""
    var = np.exp(log_var)
    return {
        "The widths are missing: divide each squared distance by its cloud's variance, exp(log_var).": -0.5 * apart,
        "The widths and the ½ are missing: half of each squared distance, divided by its cloud's variance, exp(log_var).": -apart,
        "You divided by σ; the squared distance is divided by σ², which is exp(log_var).": -0.5 * (apart / np.sqrt(var) + log_var),
        "The sign of ½ log σ² is turned: a narrow cloud is higher, so it is subtracted.": -0.5 * (apart / var - log_var),
        "The height of a cloud is missing: −½ log σ² makes narrow clouds higher.": -0.5 * apart / var,
        "The ½ in the exponent is missing.": -(apart / var + log_var),
        "The ½ before the squared distance is missing.": -(apart / var + 0.5 * log_var),
        "The ½ before log σ² is missing: a cloud's height has σ below, not σ².": -(0.5 * apart / var + log_var),
        "You read log_var as log σ: the variance is exp(log_var).": -0.5 * (apart / var**2 + 2 * log_var),
    }  # fmt: skip
