"""Tasks of lesson 05, with references of their own in numpy."""

import numpy as np

from aelib.exercises.frame import log_normal
from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import Extreme, task

# --- how deep is the hole ---------------------------------------------------------------------------------


def _sets(n_generated: int, n_train: int, n_held_out: int, D: int) -> tuple[np.ndarray, ...]:
    draw = np.random.default_rng(D).standard_normal
    train, held_out = draw((n_train, D)), draw((n_held_out, D))
    return 1.7 * draw((n_generated, D)), train, held_out


def _apart(some, others) -> np.ndarray:
    return np.linalg.norm(some[:, None] - others, axis=2)


def _hole_slips(generated, train, held_out) -> dict[str, tuple]:
    all_generated, all_real = _apart(generated, train), _apart(held_out, train)
    new, real = all_generated.min(axis=1), all_real.min(axis=1)
    return {
        "upside down": (real.mean() / new.mean(), "the ratio is upside down: divide the generated distance by the real one."),
        "distance itself": (new.mean(), "that is the distance itself: how large is that? Divide by what real held-out examples reach."),
        "minimum over the generated": (all_generated.min(axis=0).mean() / all_real.min(axis=0).mean(), "you took the minimum over the generated examples, so that each *training* example looks for its nearest. Here each generated one looks for its nearest in the training data."),
        "sums": (new.sum() / real.sum(), "that is a ratio of sums: there are more generated than held-out examples, so take the two means."),
        "medians": (np.median(new) / np.median(real), "those are medians: asked are the means, in which a far stray counts."),
        "squared distances": ([np.square(new).mean() / np.square(real).mean()], "those are squared distances."),
        "roots of mean squares": (np.sqrt(np.square(new).mean() / np.square(real).mean()), "you averaged the squares and took the root; asked is the mean distance."),
        "all training examples": (all_generated.mean() / all_real.mean(), "that is the distance to all training examples on average; a good picture may be far from most of them. Take the nearest."),
        "nearest of all": (all_generated.min() / all_real.min(), "that is the one smallest distance of each set; take the nearest of each example, and average."),
        "to the held-out": (_apart(generated, held_out).min(axis=1).mean() / real.mean(), "you measured to held-out examples: the nearest *training* example is asked for, in both parts."),
        "mean of ratios": ((new[:, None] / real).mean(), "you averaged ratios; average each kind of distance first, then divide."),
        "each alone": (new / real.mean(), "that is one ratio for each example: average over the generated examples."),
    }  # fmt: skip


@task(
    "05.1",
    cases=[_sets(23, 60, 17, 5), _sets(9, 30, 12, 3)],
    slips=_hole_slips,
    called="your ratio",
    rule="for each generated example the distance to its nearest training example, averaged, divided by the same for the held-out examples.",
    right=lambda wants: (
        f"Right: {wants[0]:.2f} here. At 1 the generated examples lie as near to the training data as real ones do; far above, they fall into holes."
    ),
)
def hole(generated, train, held_out) -> float:
    """``answer(generated, train, held_out) -> ratio`` of mean distances to the nearest training example."""
    return _apart(generated, train).min(axis=1).mean() / _apart(held_out, train).min(axis=1).mean()


# --- draw from a cloud ------------------------------------------------------------------------------------


def _draw_slips(mu, log_var, eps) -> dict[str, tuple]:
    variance, sigma = np.exp(log_var), np.exp(log_var / 2)
    return {
        "σ² for σ": (mu + variance * eps, "you used exp(log_var) as the width: that is the variance σ². The width σ is its square root, exp(log_var / 2)."),
        "log σ² for σ": (mu + log_var * eps, "you used log_var itself as the width, and a width is never negative: exp(log_var / 2)."),
        "log σ for σ": (mu + log_var / 2 * eps, "log_var / 2 is log σ; its exponential is the width."),
        "½ outside": (mu + variance / 2 * eps, "you halved after the exponential: σ is exp(log_var / 2), not exp(log_var) / 2."),
        "μ missing": (sigma * eps, "you left out μ: your codes scatter around 0 instead of around their own mean."),
        "eps missing": ([mu + sigma, mu], "you left out the noise: this is the same code each time."),
        "σ missing": (mu + eps, "you left out σ: all clouds have width 1."),
        "sign": (mu - sigma * eps, "the noise is subtracted; that is a draw too, but with −eps and not with eps."),
        "σ and μ exchanged": (sigma + mu * eps, "μ and σ have changed places: σ multiplies the noise, and μ is added."),
        "root of log_var": (mu + np.sqrt(log_var) * eps, "log_var may be negative, and then it has no square root: NaN. σ is exp(log_var / 2)."),
        "log of log_var": (mu + np.log(log_var) * eps, "log_var may be negative, and then it has no logarithm: NaN. σ is exp(log_var / 2)."),
    }  # fmt: skip


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape[0]).standard_normal((3, *shape))


@task(
    "05.2",
    cases=[tuple(_noise(6, 4)), tuple(_noise(3, 2)), tuple(_noise(5))],
    slips=_draw_slips,
    extremes=[Extreme((np.ones((2, 3)), np.full((2, 3), -60.0), np.ones((2, 3))), "narrow clouds", "a cloud may be as narrow as you like, and its codes then lie at μ.")],
    called="your code",
    rule="multiply eps by σ = exp(log_var / 2), then add μ.",
    right="Right: one line turns standard noise into a draw from any cloud. Lesson 08 shows why it is written in this order.",
)  # fmt: skip
def draw(mu, log_var, eps) -> np.ndarray:
    """``answer(mu, log_var, eps) -> z``, codes drawn from q(z|x) with the given noise."""
    return mu + np.exp(log_var / 2) * eps


# --- tell the story ---------------------------------------------------------------------------------------


def _story(n: int, D: int, K: int) -> tuple[np.ndarray, ...]:
    generator = np.random.default_rng(n)
    z, eps, weight = (generator.standard_normal(shape) for shape in ((n, K), (n, D), (D, K)))
    return z, eps, weight, generator.uniform(1, 3, D), generator.uniform(0.3, 3, D)


def _generate_slips(z, eps, weight, mean, noise_var) -> dict[str, tuple]:
    signal, sd = z @ weight.T, np.sqrt(noise_var)
    return {
        "variance for deviation": (mean + signal + noise_var * eps, "you multiplied the noise by noise_var: that is a variance, and noise is scaled by its square root."),
        "noise not scaled": (mean + signal + eps, "you added eps as it is, noise of variance 1 on every coordinate: scale it by the square root of noise_var."),
        "noise missing": (mean + signal, "you left out the noise: these are the means of p(x|z), so each x is exactly determined by its z."),
        "mean missing": (signal + sd * eps, "you left out the mean: your data are centred, the story's are not."),
        "one noise for all": ([mean + signal + np.sqrt(noise_var.mean()) * eps, mean + signal + sd.mean() * eps], "you gave all coordinates one noise variance, the average: that is probabilistic PCA. The factor analyser has one for each coordinate."),
        "noise_var added": ([mean + signal + noise_var, mean + signal + sd], "you added noise_var instead of noise: it is the size of the noise, eps is the noise."),
        "mean decoded": (mean + sd * eps, "z is not used: the mean of x is mean + W z."),
        "divided": (mean + signal + eps / sd, "you divided the noise by its standard deviation; multiply."),
        "transposed": ((mean + signal + sd * eps).T, "the numbers are right, and the table is transposed: one row for each example."),
    }  # fmt: skip


@task(
    "05.4",
    cases=[_story(7, 4, 2), _story(3, 5, 1), _story(2, 3, 4)],
    slips=_generate_slips,
    called="your x",
    rule="x = mean + W z, plus eps times the standard deviation of its coordinate.",
    right="Right: draw z, decode it, add noise. Factor analysis, probabilistic PCA and the VAE all tell this story; they differ in W z and in the noise.",
)
def generate(z, eps, weight, mean, noise_var) -> np.ndarray:
    """``answer(z, eps, weight, mean, noise_var) -> x``: the factor analyser's story, with the noise given."""
    stories = zip(z, eps, strict=True)
    return np.stack([mean + weight @ one + np.sqrt(noise_var) * noise for one, noise in stories])


# --- whose code is this -----------------------------------------------------------------------------------


def _owned(m: int, n: int, K: int) -> tuple[np.ndarray, ...]:
    """Codes drawn from clouds of very unequal widths, and the clouds."""
    generator = np.random.default_rng(K + 1)
    mu, log_var = generator.standard_normal((n, K)), generator.uniform(-4, 2, (n, K))
    made_by = generator.integers(0, n, m)
    return mu[made_by] + np.exp(log_var / 2)[made_by] * generator.standard_normal((m, K)), mu, log_var


def _owner_slips(z, mu, log_var) -> dict[str, tuple]:
    square = np.square(z[:, None] - mu)
    distance = square / np.exp(log_var)
    log_q = -(log_var + distance) / 2
    most = lambda terms: terms.sum(axis=2).argmax(axis=1)  # noqa: E731
    return {
        "nearest mean": (most(-square), "you took the nearest mean. A wide cloud reaches further than a narrow one: measure the distance in its own widths."),
        "height missing": (most(-distance), "you compared distances in widths only, so that wide clouds get too much. Their density is also lower: −½ log σ² is missing."),
        "one ½ missing": ([most(-log_var - distance / 2), most(-log_var / 2 - distance)], "you halved one of the two terms and not the other: ½ stands before both, log σ² and (z − μ)² / σ²."),
        "sign of log σ²": (most(log_var - distance), "the sign of log σ² is turned: the wider the cloud, the lower its density."),
        "densities added": (most(np.exp(log_q)), "you added densities over the latents: independent latents multiply their densities, so add the logarithms."),
        "log σ² read as log σ": (most(-log_var - distance / np.exp(log_var) / 2), "you used log_var as log σ: the variance is exp(log_var)."),
        "smallest density": (most(-log_q), "you took the smallest density instead of the largest."),
        "all densities": ([log_q.sum(axis=2), 2 * log_q.sum(axis=2), -2 * log_q.sum(axis=2), np.exp(log_q.sum(axis=2)), log_normal(z[:, None], mu, np.exp(log_var / 2)).sum(axis=2)], "that is one number for each code and cloud; asked is which cloud has the largest density for each code: argmax(dim=1)."),
        "largest density itself": ([log_q.sum(axis=2).max(axis=1)], "that is the largest log-density; asked is whose it is: argmax."),
        "over the codes": (log_q.sum(axis=2).argmax(axis=0), "you looked for the best code of each cloud; asked is the best cloud of each code: argmax(dim=1)."),
        "counted from 1": (most(log_q) + 1, "the clouds are counted from 0."),
    }  # fmt: skip


@task(
    "05.3",
    cases=[_owned(80, 5, 2), _owned(60, 7, 3), _owned(50, 4, 1)],
    slips=_owner_slips,
    called="your owner",
    where=lambda z, mu, log_var: f"for {len(z)} codes and {len(mu)} clouds",
    rule="for each code and cloud add up −½ log σ² − (z − μ)² / (2σ²) over the latents, and take the largest.",
    right="Right: most of these codes go back to the cloud that made them; the others lie where clouds overlap, and no decoder can tell whose they are.",
)
def owner(z, mu, log_var) -> np.ndarray:
    """``answer(z, mu, log_var) -> index``: for each code (m, K) the most probable of n clouds (n, K)."""
    return log_normal(z[:, None], mu, np.exp(log_var / 2)).sum(axis=2).argmax(axis=1)
