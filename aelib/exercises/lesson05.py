"""Checks for lesson 05, with references of their own in numpy and scipy."""

import numpy as np
import torch
from scipy.spatial import cKDTree

from aelib.exercises.frame import (
    Wrong,
    array,
    by_value,
    close,
    exercise,
    farthest,
    first_slip,
    function,
    log_normal,
    number,
    same_shape,
)
from aelib.exercises.help import hint, progress, reset  # noqa: F401


@exercise("05.1")
def hole(answer) -> str:
    """``answer(generated, train, held_out) -> ratio`` of mean distances to the nearest training example."""
    generator = np.random.default_rng(0)
    train = generator.standard_normal((60, 5))
    held_out, generated = generator.standard_normal((17, 5)), 1.7 * generator.standard_normal((23, 5))
    sets = [torch.tensor(part) for part in (generated, train, held_out)]
    got = number(function(answer)(*sets), "hole(generated, train, held_out)")
    tree = cKDTree(train)
    from_generated, from_real = tree.query(generated)[0], tree.query(held_out)[0]
    want = from_generated.mean() / from_real.mean()
    if not close(got, want, rtol=1e-5):
        raise first_slip(_hole_slips(got, generated, train, held_out, from_generated, from_real), (
            f"You got {got:.4g}, expected {want:.4g}: for each generated example the distance to its nearest training example, "
            "averaged, divided by the same for the held-out examples."
        ))  # fmt: skip
    return f"Right: {want:.2f} here. At 1 the generated examples lie as near to the training data as real ones do; far above, they fall into holes."


def _hole_slips(got, generated, train, held_out, from_generated, from_real) -> dict[str, bool]:
    apart = [np.linalg.norm(part[:, None] - train, axis=2) for part in (generated, held_out)]
    ratio = lambda first, second: close(got, first / second, rtol=1e-5)  # noqa: E731
    return {
        f"You got {got:.4g}, which is the ratio upside down: divide the generated distance by the real one.": ratio(
            from_real.mean(), from_generated.mean()
        ),
        f"You got {got:.4g}, the distance itself: how large is that? Divide by what real held-out examples reach.": close(
            got, from_generated.mean(), rtol=1e-5
        ),
        f"You got {got:.4g}: you took the minimum over the generated examples, so that each *training* example looks for its "
        "nearest. Here each generated one looks for its nearest in the training data.": ratio(
            apart[0].min(axis=0).mean(), apart[1].min(axis=0).mean()
        ),
        f"You got {got:.4g}, a ratio of sums: there are more generated than held-out examples, so take the two means.": ratio(
            from_generated.sum(), from_real.sum()
        ),
        f"You got {got:.4g}, from medians: asked are the means, in which a far stray counts.": ratio(
            np.median(from_generated), np.median(from_real)
        ),
        f"You got {got:.4g}: those are squared distances.": ratio(
            np.square(from_generated).mean(), np.square(from_real).mean()
        ),
        f"You got {got:.4g}, the distance to all training examples on average; a good picture may be far from most of them. Take "
        "the nearest.": ratio(apart[0].mean(), apart[1].mean()),
        f"You got {got:.4g}, from the distances to held-out examples: the nearest *training* example is asked for, in both "
        "parts.": close(got, cKDTree(held_out).query(generated)[0].mean() / from_real.mean(), rtol=1e-5),
    }


@exercise("05.2")
def draw(answer) -> str:
    """``answer(mu, log_var, eps) -> z``, codes drawn from q(z|x) with the given noise."""
    generator = np.random.default_rng(1)
    mu, log_var, eps = generator.standard_normal((3, 6, 4))
    got = array(
        function(answer)(*(torch.tensor(part) for part in (mu, log_var, eps))), "draw(mu, log_var, eps)"
    )
    same_shape(got, mu, "draw(mu, log_var, eps)")
    if np.isnan(got).any():
        raise Wrong(
            "Some of your codes are NaN: log_var may be negative, and then it has no square root and no logarithm. σ is exp(log_var / 2)."
        )
    want = mu + np.exp(log_var / 2) * eps
    if not close(got, want, 1e-4, 1e-5):
        slips = by_value(got, _draw_slips(mu, log_var, eps), rtol=1e-6)
        slips[
            "You added noise that is not the eps that was given; use the argument, so that the result can be checked."
        ] = not close(got, array(answer(*map(torch.tensor, (mu, log_var, eps)))))
        raise first_slip(
            slips,
            f"Counted from 0, {farthest(got, want)}: multiply eps by σ = exp(log_var / 2), then add μ.",
        )
    return "Right: one line turns standard noise into a draw from any cloud. Lesson 08 shows why it is written in this order."


def _draw_slips(mu: np.ndarray, log_var: np.ndarray, eps: np.ndarray) -> dict[str, object]:
    variance, sigma = np.exp(log_var), np.exp(log_var / 2)
    return {
        "You used exp(log_var) as the width: that is the variance σ². The width σ is its square root, exp(log_var / 2).": mu
        + variance * eps,
        "You used log_var itself as the width, and a width is never negative: exp(log_var / 2).": mu
        + log_var * eps,
        "You halved after the exponential: σ is exp(log_var / 2), not exp(log_var) / 2.": mu
        + variance / 2 * eps,
        "You left out μ: your codes scatter around 0 instead of around their own mean.": sigma * eps,
        "You left out the noise: this is the same code each time, μ + σ.": mu + sigma,
        "You left out σ: all clouds have width 1.": mu + eps,
    }


@exercise("05.4")
def generate(answer) -> str:
    """``answer(z, eps, weight, mean, noise_var) -> x``: the factor analyser's story, with the noise given."""
    generator = np.random.default_rng(2)
    z, eps, weight = (
        generator.standard_normal((7, 2)),
        generator.standard_normal((7, 4)),
        generator.standard_normal((4, 2)),
    )
    mean, noise_var = generator.uniform(1, 3, 4), generator.uniform(0.3, 3, 4)
    given = [torch.tensor(part) for part in (z, eps, weight, mean, noise_var)]
    got = array(function(answer)(*given), "generate(z, eps, weight, mean, noise_var)")
    want = np.stack(
        [mean + weight @ one + np.sqrt(noise_var) * noise for one, noise in zip(z, eps, strict=True)]
    )
    same_shape(got, want, "generate(z, eps, weight, mean, noise_var)")
    if not close(got, want, 1e-4, 1e-5):
        raise first_slip(
            by_value(got, _generate_slips(z @ weight.T, eps, mean, noise_var), rtol=1e-6),
            f"Counted from 0, {farthest(got, want)}: x = mean + W z, plus eps times the standard "
            "deviation of its coordinate.",
        )
    return "Right: draw z, decode it, add noise. Factor analysis, probabilistic PCA and the VAE all tell this story; they differ in W z and in the noise."


def _generate_slips(
    signal: np.ndarray, eps: np.ndarray, mean: np.ndarray, noise_var: np.ndarray
) -> dict[str, object]:
    return {
        "You multiplied the noise by noise_var: that is a variance, and noise is scaled by its square root.": mean
        + signal
        + noise_var * eps,
        "You added eps as it is, noise of variance 1 on every coordinate: scale it by the square root of noise_var.": mean
        + signal
        + eps,
        "You left out the noise: these are the means of p(x|z), so each x is exactly determined by its z.": mean
        + signal,
        "You left out the mean: your data are centred, the story's are not.": signal
        + np.sqrt(noise_var) * eps,
        "You gave all coordinates one noise variance, the average: that is probabilistic PCA. The factor analyser has one for "
        "each coordinate.": mean + signal + np.sqrt(noise_var.mean()) * eps,
        "You added noise_var instead of noise: it is the size of the noise, eps is the noise.": mean
        + signal
        + noise_var,
    }


@exercise("05.3")
def owner(answer) -> str:
    """``answer(z, mu, log_var) -> index``: for each code (m, K) the most probable of n clouds (n, K)."""
    generator = np.random.default_rng(3)
    mu = generator.standard_normal((5, 2))
    log_var = generator.uniform(-4, 2, (5, 2))
    made_by = generator.integers(0, 5, 80)
    z = mu[made_by] + np.exp(log_var / 2)[made_by] * generator.standard_normal((80, 2))
    got = array(function(answer)(*(torch.tensor(part) for part in (z, mu, log_var))), "owner(z, mu, log_var)")
    if got.shape == (80, 5):
        raise Wrong(
            "You return one number for each code and cloud, (80, 5); asked is which cloud has the largest density for each code: argmax(dim=1)."
        )
    log_q = log_normal(z[:, None], mu, np.exp(log_var / 2)).sum(axis=2)
    want = log_q.argmax(axis=1)
    same_shape(got, want, "owner(z, mu, log_var)")
    if not close(got, want):
        raise first_slip(
            by_value(got, _owner_slips(z, mu, log_var)),
            f"{int((got != want).sum())} of 80 codes go to another cloud. For each code and cloud add up −½ log σ² − (z − μ)² / (2σ²) "
            "over the latents, and take the largest.",
        )
    share = float((want == made_by).mean())
    return f"Right: {share:.0%} of these codes go back to the cloud that made them; the others lie where clouds overlap, and no decoder can tell whose they are."


def _owner_slips(z: np.ndarray, mu: np.ndarray, log_var: np.ndarray) -> dict[str, object]:
    """The owners that each slip finds, from the terms of the log-density of (80, 5, 2) numbers."""
    square = np.square(z[:, None] - mu)
    distance = square / np.exp(log_var)
    log_q = -(log_var + distance) / 2
    most = lambda terms: terms.sum(axis=2).argmax(axis=1)  # noqa: E731
    return {
        "You took the nearest mean. A wide cloud reaches further than a narrow one: measure the distance in its own "
        "widths.": most(-square),
        "You compared distances in widths only, so that wide clouds get too much (here the widest takes about half). Their "
        "density is also lower: −½ log σ² is missing.": most(-distance),
        "You halved one of the two terms and not the other: ½ stands before both, log σ² and (z − μ)² / σ².": [
            most(-log_var - distance / 2),
            most(-log_var / 2 - distance),
        ],
        "The sign of log σ² is turned: the wider the cloud, the lower its density.": most(log_var - distance),
        "You added densities over the latents: independent latents multiply their densities, so add the logarithms.": most(
            np.exp(log_q)
        ),
        "You read log_var as log σ: the variance is exp(log_var).": most(
            -log_var - distance / np.exp(log_var) / 2
        ),
        "You took the smallest density instead of the largest.": most(-log_q),
    }
