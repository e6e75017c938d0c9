"""Tasks of lesson 09, with references of their own in numpy and scipy."""

import itertools
import math

import numpy as np
from scipy.special import logsumexp

from aelib.exercises.frame import log_normal
from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import Extreme, task

# --- the bound from its weights ---------------------------------------------------------------------------


def _weights(n_samples: int, means: list[float], widths: list[float]) -> np.ndarray:
    return np.random.default_rng(n_samples).normal(means, widths, (n_samples, len(means)))


def _bound(log_weights) -> np.ndarray:
    return logsumexp(log_weights, axis=0) - math.log(len(log_weights))


def _bound_slips(log_weights) -> dict[str, tuple]:
    M, want = len(log_weights), _bound(log_weights)
    total, elbo = want + math.log(M), log_weights.mean(axis=0)
    return {
        "mean of the logs": (elbo, "that is the mean of the logs, the ELBO; here the mean comes first and the log after it."),
        "mean of the logs + log M": (elbo + math.log(M), "that is the ELBO, the mean of the logs, with log M added; the mean of the weights comes first, and its log after it."),
        "mean of the logs − log M": (elbo - math.log(M), "that is the ELBO, the mean of the logs, less log M; the mean of the weights comes first, and its log after it."),
        "log2 M": (total - math.log2(M), "log M is wanted in nats, as the weights are: math.log, not log2."),
        "log10 M": (total - math.log10(M), "log M is wanted in nats, as the weights are: math.log, not log10."),
        "bits": (want / math.log(2), "that is the value in bits; the weights are in nats, and so is the bound."),
        "sign": (-want, "the sign is turned: a bound on log p(x), to be large."),
        "log M missing": (total, "log M is missing: the weights were added up, and their mean is asked for."),
        "log M added": (total + math.log(M), "log M was added; a mean divides by M, so that its logarithm is subtracted."),
        "M read from the batch": (total - math.log(log_weights.shape[1]), "log M is the logarithm of the number of samples, the rows; you took the number of images."),
        "M fixed": ([total - math.log(m) for m in (50, 20, 4)], "log M is the logarithm of the number of samples: M is the number of rows of log_weights."),
        "logarithm missing": (np.exp(want), "that is the mean weight itself; its logarithm is missing."),
        "logarithm divided": (total / M, "you divided the logarithm by M; divide the sum of the weights, which subtracts log M."),
        "largest weight": (log_weights.max(axis=0), "that is the largest weight alone; all samples count."),
        "over the images": (logsumexp(log_weights, axis=1) - math.log(log_weights.shape[1]), "you averaged over the images; average over the samples, dim=0."),
        "averaged over images too": (want.mean(), "you averaged over the images as well; each image has its own bound."),
    }  # fmt: skip


def _far(offsets: list[float]) -> np.ndarray:
    far = _weights(50, [3.0, -4.0, 0.0, 12.0], [0.5, 2.0, 4.0, 1.0]) - np.array(offsets)
    far[:25, 0] -= 2000
    return far


def _why_far(got: np.ndarray) -> str:
    said = "here weights lie as low as e⁻²⁰⁰⁰, usual for larger pictures: "
    safe = " torch.logsumexp takes out the largest weight of each image first."
    if np.isposinf(got).any():
        return said + "what is left after your subtraction is too large for exp." + safe
    if np.isfinite(got).all():
        return said + "were they cut off, or shifted by one number for all images?" + safe
    return said + "exp gives 0 and its logarithm −inf." + safe


@task(
    "09.1",
    cases=[
        (_weights(50, [3.0, -4.0, 0.0, 12.0], [0.5, 2.0, 4.0, 1.0]),),
        (_weights(20, [1.0, -2.0, 0.5], [1.0, 2.0, 3.0]),),
    ],
    slips=_bound_slips,
    extremes=[
        Extreme((_far([0.0, 2000.0, 700.0, 2000.0]),), "underflow", _why_far),
        Extreme((-_far([0.0, 2000.0, 700.0, 2000.0]),), "overflow", _why_far),
    ],
    called="your bound",
    unit=" nats",
    rule="the logarithm of the mean weight over the samples, image by image.",
    right="Right. Over the averages of the logs, which are the ELBO, it gains the more, the more the weights scatter: here between a tenth of a nat and several nats.",
)
def bound(log_weights) -> np.ndarray:
    """``answer(log_weights) -> (batch,)``: the importance-weighted bound from log p(x, z) − log q(z|x), (M, batch)."""
    return _bound(log_weights)


# --- the error of a difference ----------------------------------------------------------------------------

WIDE = (1.96, 1.959964, 2.0, 2.022691, 2.063899)
"""What makes half of a 95 % bar of a standard error, rounded or not, by the normal law or by Student's for 40 or 25 pairs."""


def _deviations(values) -> list[float]:
    """The standard deviation, divided by n − 1 and by n: a standard error may be made of either."""
    return [values.std(ddof=1), values.std(ddof=0)]


def _pairs(n: int, ahead: float) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(n)
    shared, own = 5 * generator.standard_normal(n), generator.standard_normal((2, n))
    return 10 + ahead + shared + own[0], 10 + shared + own[1]


def _difference_and_error(first, second) -> list[tuple[float, float]]:
    apart = first - second
    return [(apart.mean(), sd / math.sqrt(len(apart))) for sd in _deviations(apart)]


def _compare_slips(first, second) -> dict[str, tuple]:
    n, rights = len(first), _difference_and_error(first, second)
    of_first, of_second, of_apart = map(_deviations, (first, second, first - second))
    models, mean = list(zip(of_first, of_second, strict=True)), rights[0][0]
    error = lambda values: [(None, value) for value in values]  # noqa: E731
    return {
        "exchanged": ([right[::-1] for right in rights], "the two numbers have changed places: first the mean difference, then its standard error."),
        "sign": ((-mean, None), "the difference has the wrong sign: it is first minus second."),
        "absolute difference": ([(abs(mean), None), (abs(first - second).mean(), None)], "you took the size of the difference; the sign says which model is ahead, so keep it."),
        "standard deviation": (error(of_apart), "that is the standard deviation of the differences; their mean is known better, by √n."),
        "divided by n": (error(sd / n for sd in of_apart), "you divided by n; a standard error falls with √n."),
        "95 % bar": (error(wide * sd / math.sqrt(n) for sd in of_apart for wide in WIDE), "that is the half of a 95 % bar, about twice the standard error; the error by itself is asked."),
        "unrelated samples": (error(math.sqrt((a**2 + b**2) / n) for a, b in models), "that treats the two as unrelated samples. They are the same images: take the differences first."),
        "errors added": (error((a + b) / math.sqrt(n) for a, b in models), "you added the two errors; the images are the same, so take the differences first."),
        "variance": (error(sd**2 / n for sd in of_apart), "that is a variance; take its square root."),
        "one model": (error(sd / math.sqrt(n) for sd in (*of_first, *of_second)), "that is the error of one model's mean; asked is that of the difference."),
    }  # fmt: skip


def _compare_means(wants: list) -> str:
    first, second = _pairs(40, 0.6)
    alone = math.sqrt(first.var(ddof=1) / 40 + second.var(ddof=1) / 40)
    return (
        f"Right: {wants[1][0]:.2f} ± {wants[1][1]:.2f} nats. Taken for two unrelated samples it would read ± {alone:.2f}: "
        "the same images are hard for both models, and a paired difference lets that cancel."
    )


@task(
    "09.2",
    cases=[_pairs(25, -0.7), _pairs(40, 0.6), _pairs(7, 2.0)],
    slips=_compare_slips,
    names=("difference", "standard error"),
    rule="the difference is the mean of first − second, its error the standard deviation of the differences, over √n.",
    right=_compare_means,
)
def compare(first, second) -> list[tuple[float, float]]:
    """``answer(first, second) -> (difference, error)``: mean difference of paired bounds (n,) and its standard error."""
    return _difference_and_error(first, second)


# --- the rate, in bits ------------------------------------------------------------------------------------


def _kl(mu, sigma) -> np.ndarray:
    """KL of each latent, by its definition: minus the entropy, minus the expected log of the prior."""
    entropy = 0.5 * math.log(2 * math.pi * math.e) + np.log(sigma)
    return -entropy + 0.5 * math.log(2 * math.pi) + 0.5 * (mu**2 + sigma**2)


def _rate(mu, log_var) -> float:
    return _kl(mu, np.exp(log_var / 2)).sum(axis=1).mean() / math.log(2)


UNITS = {
    "nats": (math.log(2), "those are nats; a bit is log 2 nats, so divide by log 2"),
    "multiplied": (math.log(2) ** 2, "you multiplied by log 2; a bit is less than a nat, so there are more of them: divide"),
    "log 10": (math.log(2) / math.log(10), "you divided by log 10; bits need log 2"),
}  # fmt: skip


def _rate_slips(mu, log_var) -> dict[str, tuple]:
    n, K = mu.shape
    want, var = _rate(mu, log_var), np.exp(log_var)
    sums = {
        "averaged over latents": (1 / K, "that is the average over latents; an image pays for all of them, so sum"),
        "summed over images": (n, "that is the sum over the images; the rate is what one costs, on average"),
        "axes exchanged": (n / K, "that is a sum over the images and a mean over the latents: dim=1 runs over the latents"),
    }  # fmt: skip
    rest = {"sign": (-1, "the sign is turned: a KL is never negative"), "½ missing": (2, "the ½ is missing")}
    both = {
        f"{one}, {two}": (UNITS[one][0] * sums[two][0], f"{UNITS[one][1]}; and {sums[two][1]}")
        for one, two in itertools.product(UNITS, sums)
    }
    factors = {
        name: (factor * want, f"{why}.") for name, (factor, why) in (UNITS | sums | rest | both).items()
    }
    each = (0.5 * (mu**2 + var - 1 - log_var)).sum(axis=1) / math.log(2)
    return factors | {
        "one for each image": (each, "that is one rate for each image: average over them."),
        "log σ² read as log σ": (_rate(mu, 2 * log_var), "log_var is log σ², and you used it as log σ: σ² is exp(log_var)."),
        "1 missing": (want + 0.5 * K / math.log(2), "the 1 is missing, once for each latent."),
        "μ² missing": (want - 0.5 * (mu**2).sum(axis=1).mean() / math.log(2), "μ² is missing: a mean away from 0 costs bits."),
    }  # fmt: skip


def _clouds(n: int, K: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(n)
    return generator.standard_normal((n, K)), generator.uniform(-4, 1, (n, K))


@task(
    "09.3",
    cases=[_clouds(30, 4), _clouds(12, 3)],
    slips=_rate_slips,
    called="your rate",
    unit=" bits",
    rule="−½ Σ (1 + log σ² − μ² − σ²) for each image, averaged, over log 2.",
    right=lambda wants: (
        f"Right: {wants[0]:.1f} bits an image. It is a price and not yet a file, and never less than what the code tells "
        "about the image, I_q."
    ),
)
def rate_in_bits(mu, log_var) -> float:
    """``answer(mu, log_var) -> bits``: the mean over examples of KL(q(z|x) ‖ N(0, I)), in bits an image."""
    return _rate(mu, log_var)


# --- which latents are active -----------------------------------------------------------------------------


def _means(n: int, centres: list[float], deviations: list[float]) -> tuple[np.ndarray]:
    """Means (n, K) with exactly these averages and standard deviations."""
    noise = np.random.default_rng(n).standard_normal((n, len(centres)))
    noise = (noise - noise.mean(axis=0)) / noise.std(axis=0)
    return (np.array(centres) + np.array(deviations) * noise,)


def _active_slips(mu) -> dict[str, tuple]:
    right, above = mu.var(axis=0) > 0.01, lambda spread: (spread > 0.01).astype(float)
    elsewhere = [above((mu**2).mean(axis=0)), above(abs(mu).mean(axis=0)), above(abs(mu.mean(axis=0)))]
    return {
        "unused for active": (1.0 - right, "that is the other way round; active means that the mean moves."),
        "standard deviation": (above(mu.std(axis=0)), "you compared the standard deviation; 0.01 is a variance."),
        "variance squared": (above(mu.var(axis=0) ** 2), "you squared the variance; 0.01 is a variance itself."),
        "no variance": (elsewhere, "you looked at the mean square, or at the size, so that a mean which sits elsewhere and never moves counts as active. Take the variance."),
        "not compared": (np.ones(mu.shape[1]), "you say that all are active; compare each variance with 0.01."),
        "over the latents": (above(mu.var(axis=1)), "you got one answer for each image: take the variance over the images, dim=0."),
        "how many": (right.sum(), "that is how many are active; return which, a tensor of True and False, one for each latent."),
        "the variances": ([mu.var(axis=0), mu.var(axis=0, ddof=1)], "return True or False for each latent: compare the variance with 0.01."),
    }  # fmt: skip


@task(
    "09.4",
    cases=[
        _means(400, [0.0, 1.5, 0.2, 0.0, 0.0, 2.0, 0.0], [2.0, 0.005, 0.3, 0.07, 0.13, 0.9, 0.005]),
        _means(60, [0.0, -1.0, 0.3, 0.0], [0.09, 0.11, 1.0, 0.02]),
    ],
    slips=_active_slips,
    truths=True,
    where=lambda mu: f"for {mu.shape[1]} latents of {len(mu)} images",
    rule="is the variance of μ over the images, dim=0, above 0.01?",
    right="Right: 4 of 7. The second sits elsewhere than the prior, and pays for it; but it sits there for every image, and tells nothing.",
)
def active(mu) -> np.ndarray:
    """``answer(mu) -> (K,) bool``: which latents' means (n, K) vary over the examples by more than 0.01."""
    return mu.var(axis=0) > 0.01


# --- the best possible decoder ----------------------------------------------------------------------------


def _average(log_weight, x) -> np.ndarray:
    return np.exp(log_weight - logsumexp(log_weight, axis=1, keepdims=True)) @ x


def _log_q(z, mu, log_var) -> np.ndarray:
    return log_normal(z[:, None], mu, np.exp(log_var / 2)).sum(axis=2)


def _best_slips(z, mu, log_var, x) -> dict[str, tuple]:
    log_q, apart, var = _log_q(z, mu, log_var), np.square(z[:, None] - mu), np.exp(log_var)
    over_codes = np.exp(log_q - logsumexp(log_q, axis=0, keepdims=True))
    weighted = lambda w: _average(w.sum(axis=2), x)  # noqa: E731
    unit = "the weights do not sum to 1: divide by their sum over the images{} (softmax does)."
    return {
        "not normalised, no constant": ([np.exp(log_q) @ x * (2 * math.pi) ** (power / 2) for power in (z.shape[1], z.shape[1] - 2)], unit.format(", whatever constant was left out")),
        "not normalised": (np.exp(log_q) @ x, unit.format("")),
        "normalised over the codes": (over_codes @ x, "you normalised over the codes; for each code the weights of the images sum to 1."),
        "log-weights": ((log_q / log_q.sum(axis=1, keepdims=True)) @ x, "you weighted with log q(z|x); weight with q(z|x) itself."),
        "likeliest owner": (x[log_q.argmax(axis=1)], "that is the likeliest owner's own picture. It is a picture, and not the one with the least squared error."),
        "all images alike": (np.tile(x.mean(axis=0), (len(z), 1)), "all images count alike, wherever z lies: weight them with q(x|z)."),
        "widths missing": (weighted(-0.5 * apart), "the widths are missing: divide each squared distance by its cloud's variance, exp(log_var)."),
        "widths and ½ missing": (weighted(-apart), "the widths and the ½ are missing: half of each squared distance, divided by its cloud's variance, exp(log_var)."),
        "σ for σ²": (weighted(-0.5 * (apart / np.sqrt(var) + log_var)), "you divided by σ; the squared distance is divided by σ², which is exp(log_var)."),
        "sign of log σ²": (weighted(-0.5 * (apart / var - log_var)), "the sign of ½ log σ² is turned: a narrow cloud is higher, so it is subtracted."),
        "height missing": (weighted(-0.5 * apart / var), "the height of a cloud is missing: −½ log σ² makes narrow clouds higher."),
        "½ missing": (weighted(-(apart / var + log_var)), "the ½ in the exponent is missing."),
        "½ of the distance missing": (weighted(-(apart / var + 0.5 * log_var)), "the ½ before the squared distance is missing."),
        "½ of log σ² missing": (weighted(-(0.5 * apart / var + log_var)), "the ½ before log σ² is missing: a cloud's height has σ below, not σ²."),
        "log σ² read as log σ": (weighted(-0.5 * (apart / var**2 + 2 * log_var)), "you used log_var as log σ: the variance is exp(log_var)."),
        "distance not squared": (weighted(-0.5 * (np.sqrt(apart) / var + log_var)), "the distance of z from μ has to be squared."),
    }  # fmt: skip


def _codes(m: int, n: int, K: int, D: int) -> tuple[np.ndarray, ...]:
    generator = np.random.default_rng(m)
    mu, x = generator.standard_normal((n, K)), generator.uniform(size=(n, D))
    return generator.standard_normal((m, K)), mu, generator.uniform(-3, 1, (n, K)), x


def _far_codes(size: float) -> tuple[np.ndarray, ...]:
    z, *rest = _codes(3, 6, 8, 4)
    return (size * z, *rest)


FAR = (
    "these codes lie far from every cloud, where each q(z|x) is 0 to rounding, and 0/0 is nan. softmax takes out the largest "
    "log-weight of each code first."
)


@task(
    "09.5",
    cases=[_codes(6, 9, 2, 5), _codes(4, 7, 3, 2)],
    slips=_best_slips,
    extremes=[
        Extreme(_far_codes(100.0), "far codes", FAR),
        Extreme(_far_codes(1e4), "far codes", FAR),
    ],
    called="your picture",
    rule="log q(z|x_i) for each code and image, softmax over the images, times the images.",
    right="Right. Where the likeliest owner of a code has far from all of the weight, the best picture is a mixture, however large the decoder.",
)
def best_decoder(z, mu, log_var, x) -> np.ndarray:
    """``answer(z, mu, log_var, x) -> (m, D)``: for codes (m, K) the mean of x (n, D) under the encoder's q(x|z)."""
    return _average(_log_q(z, mu, log_var), x)
