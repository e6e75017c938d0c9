"""Tasks of lesson 15, with references of their own in numpy."""

from collections.abc import Callable
from functools import reduce
from itertools import combinations, pairwise

import numpy as np

from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import task


def _draws(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


# --- the best noise on a code -----------------------------------------------------------------------------

SLOPES = np.array([0.8, 0.3, 2.0])


def _sigma_slips(slope, beta: float, noise_var: float) -> dict[str, tuple]:
    variance = beta * noise_var / (slope**2 + beta * noise_var)
    return {
        "variance": (variance, "that is σ², the variance; take its square root."),
        "log-variance": (np.log(variance), "that is log σ²; the standard deviation is asked for."),
        "slope not squared": (np.sqrt(beta * noise_var / (slope + beta * noise_var)), "the slope stands there without its square."),
        "no σ_x²": (np.sqrt(beta / (slope**2 + beta)), "the decoder's noise is missing: β is multiplied by σ_x² in both places."),
        "σ_x² below": (np.sqrt(beta / (slope**2 / noise_var**2 + beta)), "σ_x² is squared: noise_var is σ_x² already, and it stands there once."),
        "a 2 left": (np.sqrt(beta * noise_var / (2 * slope**2 + beta * noise_var)), "a 2 is left over: the error is divided by 2σ_x² and the KL by 2, so both go."),
        "no β": (np.sqrt(noise_var / (slope**2 + noise_var)), "β is missing: it stands with σ_x², above and below."),
        "β = 1 below": (np.sqrt(beta * noise_var / (slope**2 + noise_var)), "β stands above the line only; it belongs below as well."),
        "small β only": (np.sqrt(beta * noise_var) / slope, "that is the limit for small β; where the slope is small it passes 1, and the prior's 1 is the most that pays."),
        "capped": (np.minimum(np.sqrt(beta * noise_var) / slope, 1), "that is the limit for small β, cut off at 1; the square of the slope and βσ_x² are added before the root."),
        "upside down": (np.sqrt(slope**2 / (slope**2 + beta * noise_var)), "that is √(1 − σ²): the steeper the decoder, the smaller should σ be."),
        "mean slope": (np.full_like(slope, np.sqrt(beta * noise_var / (np.mean(slope**2) + beta * noise_var))), "you averaged the squares of all slopes; each code number has its own σ."),
        "one for all": (np.full_like(slope, np.sqrt(beta * noise_var / (np.sum(slope**2) + beta * noise_var))), "you added the slopes of all code numbers; each has its own σ."),
    }  # fmt: skip


@task(
    "15.1",
    cases=[(SLOPES, 0.5, 0.05), (SLOPES[:2], 0.02, 0.4), (np.array([1.5, 0.0]), 2.0, 0.3)],
    slips=_sigma_slips,
    where=lambda slope, beta, noise_var: f"for β = {beta:g} and σ_x² = {noise_var:g}",
    rule="σ² = βσ_x²/(slope² + βσ_x²) for each code number; then the root.",
    right="Right: with β = 1e-6 nothing but a flat decoder can make σ large. Where the slope is 0, σ is 1, the prior's own.",
)
def best_noise(slope, beta: float, noise_var: float) -> np.ndarray:
    """``answer(slope, beta, noise_var) -> (K,)``: the σ of each code number with the smallest loss, slope (K,)."""
    price = slope**2 / (beta * noise_var)
    return 1 / np.sqrt(1 + price)


# --- the scale factor -------------------------------------------------------------------------------------

MU = _draws(0, 6, 3) * np.array([3.0, 1.0, 0.5]) + np.array([2.0, 0.0, -1.0])
LOG_VAR = 0.5 * _draws(1, 6, 3) - 1
OVER_EVERYTHING = "that is one variance over all numbers at once, as some programs take it; (15.3) takes it for each code number, so that different means do not count as spread."


def _scale_slips(mu, log_var) -> dict[str, tuple]:
    spread, noise = mu.var(axis=0), np.exp(log_var).mean(axis=0)
    total = spread + noise
    return {
        "not inverted": (np.sqrt(total.mean()), "that is the standard deviation of the codes; the factor is 1 over it."),
        "variance": (1 / total.mean(), "that is 1 over the variance; the factor is 1 over the standard deviation."),
        "without σ²": (1 / np.sqrt(spread.mean()), "the variance of μ is one part; the mean of σ² comes on top, because codes are drawn."),
        "without σ², n − 1": (1 / np.sqrt(mu.var(axis=0, ddof=1).mean()), "the mean of σ² comes on top of the variance of μ, because codes are drawn; and the variance should divide by n."),
        "σ² only": (1 / np.sqrt(noise.mean()), "that is the noise on the codes alone; the variance of μ over the images is missing."),
        "σ for σ²": (1 / np.sqrt((spread + np.exp(log_var / 2).mean(axis=0)).mean()), "you added the mean of σ; variances are added, so take σ²."),
        "σ squared late": (1 / np.sqrt((spread + np.exp(log_var / 2).mean(axis=0) ** 2).mean()), "you squared the mean of σ; take the mean of σ²."),
        "exp late": (1 / np.sqrt((spread + np.exp(log_var.mean(axis=0))).mean()), "you averaged log σ² before exp; exponentiate first, and then average."),
        "log σ²": (1 / np.sqrt(np.abs((spread + log_var.mean(axis=0)).mean())), "log_var is the logarithm of σ²: exponentiate first."),
        "mean not taken off": (1 / np.sqrt((np.square(mu).mean(axis=0) + noise).mean()), "that is 1 over the root mean square, the mean of the codes included; the variance takes the mean off."),
        "one for each": (1 / np.sqrt(total), "that is one factor for each code number; one number is asked for, from the mean variance."),
        "sum": (1 / np.sqrt(total.sum()), "you added the variances of the K code numbers; take their mean."),
        "mean of the roots": (1 / np.sqrt(total).mean(), "you averaged standard deviations; average the variances, and take the root at the end."),
        "mean of factors": ((1 / np.sqrt(total)).mean(), "you averaged factors; average the variances first."),
        "over everything": (1 / np.sqrt(mu.var() + noise.mean()), OVER_EVERYTHING),
        "over everything, n − 1": (1 / np.sqrt(mu.var(ddof=1) + noise.mean()), OVER_EVERYTHING),
        "over the code numbers": (1 / np.sqrt((mu.var(axis=1) + np.exp(log_var).mean(axis=1)).mean()), "the variance runs over the K code numbers of an image; let it run over the n images, dim=0."),
        "exp of twice": (1 / np.sqrt((spread + np.exp(2 * log_var).mean(axis=0)).mean()), "log_var is log σ² already, so exp(log_var) is σ²; no 2 is needed."),
        "sum over the images": (1 / np.sqrt((spread + np.exp(log_var).sum(axis=0)).mean()), "you added σ² over the images; take its mean."),
        "n − 1": (1 / np.sqrt((mu.var(axis=0, ddof=1) + noise).mean()), "you divided by n − 1; (15.3) averages over the n images."),
    }  # fmt: skip


@task(
    "15.2",
    cases=[(MU, LOG_VAR), (MU[:4, :2], LOG_VAR[:4, :2]), (4 * _draws(2, 5, 4) + 1, _draws(3, 5, 4))],
    slips=_scale_slips,
    where=lambda mu, log_var: f"for n = {len(mu)} and K = {mu.shape[1]}",
    rule="variance of μ over the images, plus the mean of σ²; the mean over the K numbers; then 1 over the root.",
    right="Right: a number like 0.18215 is this, measured once for one first stage. Another first stage has another.",
)
def code_scale(mu, log_var) -> float:
    """``answer(mu, log_var) -> number``: 1 / the root of the mean variance of codes from q(z|x), both (n, K)."""
    second = (np.square(mu) + np.exp(log_var)).mean(axis=0)
    return float(1 / np.sqrt((second - np.square(mu.mean(axis=0))).mean()))


# --- find the bug in the generator ------------------------------------------------------------------------

FAULTS = {
    "start": "the chain starts from noise of the wrong size, and the denoiser has learned that the first noise level is sigmas[0]",
    "end": "the chain stops before the last level, so that its noise is still on the codes",
    "scale": "the codes are multiplied by the scale factor before the decoder, which knows unscaled codes",
}


def _pictures(denoise, decode, eps, sigmas, scale, faults: tuple[str, ...] = ()) -> np.ndarray:
    y = eps * (scale if "start" in faults else sigmas[0])
    levels = sigmas[:-1] if "end" in faults else sigmas
    for sigma, lower in pairwise(levels):
        clean = denoise(y, sigma)
        y = clean + lower / sigma * (y - clean)
    return decode(y * scale if "scale" in faults else y / scale)


def _generator_slips(denoise, decode, eps, sigmas, scale) -> dict[str, tuple]:
    args = (denoise, decode, eps, sigmas, scale)
    sets = [chosen for size in (1, 2, 3) for chosen in combinations(FAULTS, size)]
    left = {" and ".join(faults): (_pictures(*args, faults), _still_there(faults)) for faults in sets}
    identity = lambda z: z  # noqa: E731
    return left | {
        "scale forgotten": (_pictures(denoise, lambda z: decode(z * scale), *args[2:]), "the scale factor is forgotten: the decoder knows unscaled codes, so divide by it."),
        "scale after": (_pictures(denoise, lambda z: decode(z * scale) / scale, *args[2:]), "you divided the pictures by the scale factor; the codes are divided, before the decoder."),
        "noise of size 1": (_pictures(denoise, decode, eps / sigmas[0], *args[3:]), _still_there(("start",))),
        "noise of size 1, scale": (_pictures(denoise, decode, eps / sigmas[0], *args[3:], ("scale",)), _still_there(("start", "scale"))),
        "noise scaled": (_pictures(denoise, decode, eps * scale, *args[3:]), "the noise is multiplied by the scale factor: it belongs to scaled codes already, and its size is sigmas[0]."),
        "start divided": (_pictures(denoise, decode, eps / scale, *args[3:]), "the noise is divided by the scale factor; it belongs to scaled codes already, and its size is sigmas[0]."),
        "denoised at the lower level": (_pictures(lambda y, sigma: denoise(y, sigmas[sigmas.index(sigma) + 1]), *args[1:]), "the denoiser is told the lower level; y has the noise of the higher one."),
        "unscaled in the chain": (_pictures(lambda y, sigma: denoise(y / scale, sigma), *args[1:]), "the denoiser gets codes divided by the scale factor; it has learned scaled ones."),
        "first level skipped": (_pictures(denoise, decode, eps * sigmas[0] / sigmas[1], sigmas[1:], scale), "the chain starts at the second level; the first is left out."),
        "no noise kept": (decode(reduce(denoise, sigmas[:-1], sigmas[0] * eps) / scale), "each step takes all noise away; it should keep as much as the lower level has."),
        "no decoder": (_pictures(denoise, identity, *args[2:]), "these are codes; decode makes pictures of them."),
        "noise decoded": (decode(sigmas[0] * eps / scale), "the noise was decoded as it is; the chain has to lower it first, step by step."),
    }  # fmt: skip


def _still_there(faults: tuple[str, ...]) -> str:
    count = ("One fault is", "Two faults are", "All three faults are")[len(faults) - 1]
    return f"{count} left: " + "; ".join(FAULTS[fault] for fault in faults) + "."


def _shrink(spread: float, centre: float) -> Callable:
    """The best denoiser of numbers with this standard deviation and mean."""
    return lambda y, sigma: centre + (y - centre) * spread**2 / (spread**2 + sigma**2)


@task(
    "15.3",
    cases=[
        (_shrink(1.0, 0.0), lambda z: 3 * z + 1, _draws(4, 3, 2), [3.0, 1.0, 0.4, 0.0], 0.2),
        (_shrink(0.8, 0.5), lambda z: z**3 - z, _draws(5, 2, 3), [2.0, 0.5, 0.0], 1.6),
        (_shrink(1.1, -0.3), lambda z: 2 - z, _draws(6, 4, 1), [5.0, 2.0, 1.0, 0.3, 0.0], 0.5),
    ],
    slips=_generator_slips,
    where=lambda denoise, decode, eps, sigmas, scale: (
        f"for a scale factor of {scale:g} and {len(sigmas) - 1} steps"
    ),
    rule="start at sigmas[0] * eps, go down to the last level, and decode y / scale.",
    right="Right: the denoiser lives among scaled codes and the decoder among unscaled ones, and the factor stands between them.",
)
def generate(denoise, decode, eps, sigmas, scale) -> np.ndarray:
    """``answer(denoise, decode, eps, sigmas, scale) -> pictures``: from standard normal eps (m, K), by the chain."""
    return _pictures(denoise, decode, eps, sigmas, scale)


# --- the gain of a learned distribution -------------------------------------------------------------------

MIXER = np.array([[2.0, 0.6, 0.0], [0.0, 0.9, -0.4], [0.3, 0.0, 0.5]])
CODES = _draws(7, 12, 3) @ MIXER + np.array([1.0, -0.5, 0.0])
NEW = _draws(8, 7, 3) @ MIXER + np.array([1.0, -0.5, 0.0])


def _log_gaussian(z, mean, cov) -> np.ndarray:
    """(n,)"""
    away = z - mean
    squares = (away @ np.linalg.inv(cov) * away).sum(axis=1)
    return -0.5 * (squares + np.linalg.slogdet(2 * np.pi * cov)[1])


def _gain(fitted, judged, diagonal: bool = False) -> np.ndarray:
    """log m − log p of each row of `judged`; m is the Gaussian of the rows of `fitted`."""
    cov = np.cov(fitted.T, ddof=0)
    cov = np.diag(cov.diagonal()) if diagonal else cov
    K = judged.shape[1]
    return _log_gaussian(judged, fitted.mean(axis=0), cov) - _log_gaussian(judged, np.zeros(K), np.eye(K))


def _diagonal_gain(z, new) -> float:
    """With variances that divide by n − 1."""
    K, variances = z.shape[1], z.var(axis=0, ddof=1)
    log_ratio = _log_gaussian(new, z.mean(axis=0), np.diag(variances)) - _log_gaussian(
        new, np.zeros(K), np.eye(K)
    )
    return log_ratio.mean()


def _gain_slips(z, new) -> dict[str, tuple]:
    K, gain = z.shape[1], _gain(z, new)
    both = np.concatenate([z, new])
    log_det = np.linalg.slogdet(np.cov(z.T, ddof=0))[1]
    log_p = _log_gaussian(new, np.zeros(K), np.eye(K))
    log_m = gain + log_p
    return {
        "judged on its own codes": (_gain(z, z).mean(), "the gain is measured on the codes to which the Gaussian was fitted. Use the held-out ones, or a density that stores its codes would win."),
        "fitted to the held-out": (_gain(new, new).mean(), "the Gaussian was fitted to the held-out codes: it has seen what it is judged on."),
        "fitted to both": (_gain(both, new).mean(), "the Gaussian has seen the held-out codes too; fit it to z alone."),
        "exchanged": (_gain(new, z).mean(), "the two sets are exchanged: fit to z, judge on new."),
        "sign": (-gain.mean(), "the sign is turned: a gain is log m − log p."),
        "log m": (_log_gaussian(new, z.mean(axis=0), np.cov(z.T, ddof=0)).mean(), "that is log m alone; take away log p, the log-density of the prior N(0, I)."),
        "diagonal": (_gain(z, new, diagonal=True).mean(), "the covariances between the code numbers are left out."),
        "for each number": (gain.mean() / K, "you divided by K; the gain is asked for each image, in nats."),
        "log p not summed": (log_m.mean() - log_p.mean() / K, "log m is the log-density of a whole code, and log p is averaged over its K numbers; add log p over them."),
        "log p of all": (log_m.mean() - log_p.sum(), "log p is added over all the images; take it for each image, and then the mean of log m − log p."),
        "two sets": (_log_gaussian(z, z.mean(axis=0), np.cov(z.T, ddof=0)).mean() - log_p.mean(), "log m and log p are taken at different codes; take both at new."),
        "one for each image": (gain, "that is the gain of each image; take the mean."),
        "diagonal, n − 1": (_diagonal_gain(z, new), "the covariances between the code numbers are left out, and the variance should divide by n."),
        "mean of new": ((_log_gaussian(new, new.mean(axis=0), np.cov(z.T, ddof=0)) - log_p).mean(), "the mean of m is that of the held-out codes; take it from z."),
        "sum": (gain.sum(), "that is the sum over the images; take the mean."),
        "not centred": ((_log_gaussian(new, 0 * z[0], np.cov(z.T, ddof=0)) - _log_gaussian(new, 0 * z[0], np.eye(K))).mean(), "the mean of m is left at 0; it is the mean of z."),
        "no determinant": ((gain + 0.5 * log_det).mean(), "the determinant of the covariance is missing in log m: half of its logarithm is taken away."),
        "bits": (gain.mean() / np.log(2), "that is in bits; nats are asked for."),
        "n − 1": ((_log_gaussian(new, z.mean(axis=0), np.cov(z.T, ddof=1)) - _log_gaussian(new, 0 * z[0], np.eye(K))).mean(), "the covariance is divided by n − 1; use correction=0, as (15.6) does."),
    }  # fmt: skip


@task(
    "15.4",
    cases=[(CODES, NEW), (CODES[:8, :2], NEW[:5, :2]), (3 * _draws(9, 20, 2), 3 * _draws(10, 9, 2) + 0.5)],
    slips=_gain_slips,
    where=lambda z, new: f"for {len(z)} codes to fit to, {len(new)} held out and K = {z.shape[1]}",
    rule="mean and covariance from z; then the mean over the rows of new of log m − log N(new; 0, I).",
    right="Right: this is what the ELBO of new images gains, image by image, if this Gaussian takes the prior's place.",
)
def held_out_gain(z, new) -> float:
    """``answer(z, new) -> number``: mean of log m(new) − log p(new) in nats, m the Gaussian of z (n, K)."""
    root = np.linalg.cholesky(np.cov(z.T, ddof=0))
    white = np.linalg.solve(root, (new - z.mean(axis=0)).T)
    log_ratio = 0.5 * (np.square(new).sum(axis=1) - np.square(white).sum(axis=0))
    return float(log_ratio.mean() - np.log(root.diagonal()).sum())


# --- ask for a digit --------------------------------------------------------------------------------------

LABELS = np.array([0, 1, 1, 0, 2, 1, 2, 0, 2, 1, 0, 2])


def _gaussian_of(z) -> tuple[np.ndarray, np.ndarray]:
    """Mean, and the lower triangular root of the covariance."""
    return z.mean(axis=0), np.linalg.cholesky(np.cov(z.T, ddof=0))


def _symmetric_root(z) -> np.ndarray:
    values, vectors = np.linalg.eigh(np.cov(z.T, ddof=0))
    return (vectors * np.sqrt(values)) @ vectors.T


def _eigen_root(z) -> np.ndarray:
    values, vectors = np.linalg.eigh(np.cov(z.T, ddof=0))
    return vectors * np.sqrt(values)


def _asked_slips(z, labels, digit: int, eps) -> dict[str, tuple]:
    chosen = z[labels == digit]
    mean, root = _gaussian_of(chosen)
    mean_all, root_all = _gaussian_of(z)
    others, root_others = _gaussian_of(z[labels != digit])
    within = np.cov((z - np.stack([z[labels == label].mean(axis=0) for label in labels])).T, ddof=0)
    return {
        "label not used": (mean_all + eps @ root_all.T, "the digit is not used: this Gaussian is that of all codes."),
        "mean of all": (mean_all + eps @ root.T, "the mean is that of all codes; take the mean of the codes with this label."),
        "spread of all": (mean + eps @ root_all.T, "the covariance is that of all codes; take the codes with this label."),
        "others": (others + eps @ root_others.T, "these are the codes of all the other digits."),
        "one spread": (mean + eps @ np.linalg.cholesky(within).T, "one covariance is shared by all digits; each has its own here."),
        "root transposed": (mean + eps @ root, "the Cholesky factor L is used as Lᵀ: for rows of eps it is eps @ L.T."),
        "no root": (mean + eps @ (root @ root.T), "eps is multiplied by the covariance; multiply by its root L, with L Lᵀ the covariance."),
        "diagonal": (mean + eps * chosen.std(axis=0), "the covariances between the code numbers are left out."),
        "variances": (mean + eps * chosen.var(axis=0), "eps is multiplied by variances; the covariances are left out, and a root is missing."),
        "diagonal, n − 1": (mean + eps * chosen.std(axis=0, ddof=1), "the covariances between the code numbers are left out, and the variance should divide by n."),
        "eigenvectors": (mean + eps @ _eigen_root(chosen).T, "that root is made of eigenvectors: the distribution is right, but the task asks for the Cholesky factor, which gives other numbers."),
        "root of each entry": (mean + eps @ np.sqrt(np.abs(root @ root.T)), "the root is taken of each entry of the covariance; a matrix root L has L Lᵀ = C."),
        "symmetric root": (mean + eps @ _symmetric_root(chosen), "that is the symmetric root of the covariance: the distribution is right, but the task asks for the Cholesky factor, which gives other numbers."),
        "no noise": (np.tile(mean, (len(eps), 1)), "that is the mean of the digit's codes each time: nothing is drawn."),
        "no mean": (eps @ root.T, "the mean is missing: these codes lie around 0."),
        "n − 1": (mean + eps @ np.linalg.cholesky(np.cov(chosen.T, ddof=1)).T, "the covariance is divided by n − 1; use correction=0, as in (15.6)."),
    }  # fmt: skip


@task(
    "15.5",
    cases=[
        (CODES[:, :2], LABELS, 1, _draws(11, 4, 2)),
        (CODES[:, 1:], LABELS, 0, _draws(12, 3, 2)),
        (_draws(13, 24, 3) @ MIXER, np.tile(LABELS, 2), 2, _draws(14, 5, 3)),
    ],
    slips=_asked_slips,
    where=lambda z, labels, digit, eps: f"for the digit {digit} and K = {z.shape[1]}",
    rule="mean m and covariance C of the codes with this label; L from Cholesky; then m + eps Lᵀ.",
    right="Right: this is a conditional generator without any training. The denoiser with a label does the same for shapes that no Gaussian has.",
)
def ask_for(z, labels, digit: int, eps) -> np.ndarray:
    """``answer(z, labels, digit, eps) -> (m, K)``: codes from the Gaussian of one digit's codes, by eps (m, K)."""
    chosen = np.array([row for row, label in zip(z, labels, strict=True) if label == digit])
    away = chosen - chosen.mean(axis=0)
    return chosen.mean(axis=0) + eps @ np.linalg.cholesky(away.T @ away / len(chosen)).T
