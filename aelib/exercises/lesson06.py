"""Tasks of lesson 06, with references of their own."""

import itertools
import math

import numpy as np
import torch

from aelib.exercises.frame import log_normal, page
from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import Extreme, line, task

BITS = "that is the value in bits; in nats the logarithm is the natural one."


def _tables(n_values: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random q(z|x), p(z) and p(x|z) at one x, each of shape (n_values,); the first two sum to 1."""
    generator = np.random.default_rng(seed)
    q, prior = generator.gamma(2.0, size=(2, n_values)) + 0.1
    return q / q.sum(), prior / prior.sum(), generator.uniform(0.1, 0.9, n_values)


def _mean(q, values) -> float:
    """E_q of the values, where q = 0 counts as nothing."""
    return float(sum(weight * value for weight, value in zip(q, values, strict=True) if weight > 0))


# --- the ELBO by hand -------------------------------------------------------------------------------------


def _elbo_slips(q, prior, likelihood) -> dict[str, tuple]:
    fit, kl = _mean(q, np.log(likelihood)), _mean(q, np.log(q / prior))
    want, evidence, under = fit - kl, math.log((prior * likelihood).sum()), _mean(prior, np.log(likelihood))
    return {
        "KL added": (fit + kl, "the KL is added; the ELBO pays for it, so it is subtracted."),
        "evidence": (evidence, "that is the evidence log p(x), which the ELBO only bounds."),
        "gap": (evidence - want, "that is the gap between the evidence and the ELBO."),
        "bits": (want / math.log(2), BITS),
        "log outside": (math.log(_mean(q, likelihood)) - kl, "the logarithm stands outside the expectation; take log p(x|z) first, then average."),
        "expectation under the prior": (under - kl, "the expectation is taken under the prior; in the ELBO z comes from q."),
        "entropy missing": (fit + _mean(q, np.log(prior)), "that is E_q[log p(x, z)]; the term −E_q[log q(z|x)] is missing."),
        "sign of the entropy": (fit + _mean(q, np.log(prior)) + _mean(q, np.log(q)), "E_q[log q(z|x)] is added; it is subtracted."),
        "prior missing": (fit - _mean(q, np.log(q)), "log p(z) is missing: average log p(x|z) + log p(z) − log q(z|x)."),
        "KL missing": (fit, "that is the expected log-likelihood alone; the KL to the prior is missing."),
        "KL turned round": (fit - _mean(prior, np.log(prior / q)), "the KL is turned round: it is q's own expectation of log q − log p(z)."),
        "KL alone": (kl, "that is the KL to the prior alone; it is subtracted from the expected log-likelihood."),
        "no weights": ((np.log(likelihood * prior / q)).sum(), "the weights q(z|x) are missing: the ELBO is an average over z ~ q."),
        "sign": (-want, "the sign is turned: that is the negative ELBO, which one minimises."),
        "divided by m": (want / len(q), "that is divided by the number of values; the weights q(z|x) make it an average already, so sum."),
    }  # fmt: skip


CERTAIN = (np.array([1.0, 0.0]), *_tables(2, 3)[1:])


def _excluded(what: str) -> str:
    return f"q = (1, 0) excludes the second value, and {what}: a value that q excludes counts as 0. torch.xlogy(q, p) takes care of it."


def _elbo_means(wants: list) -> str:
    _, prior, likelihood = CERTAIN
    short = math.log((prior * likelihood).sum()) - math.log((prior * likelihood)[0])
    return (
        "Right. With q on the first value only, the ELBO is log p(x, z=first): "
        f"{short:.3f} nats below the evidence, which counts both values."
    )


@task(
    "06.1",
    cases=[_tables(2, 0), _tables(2, 1), _tables(4, 2), _tables(1, 3), _tables(7, 4)],
    slips=_elbo_slips,
    extremes=[
        Extreme(CERTAIN, "0 log 0", _excluded("0 · log 0 counts as 0")),
        Extreme(
            (CERTAIN[0], CERTAIN[1], np.array([0.3, 0.0])),
            "excluded likelihood",
            _excluded("p(x|z) is 0 there"),
        ),
        Extreme(
            (CERTAIN[0], np.array([1.0, 0.0]), CERTAIN[2]), "excluded prior", _excluded("p(z) is 0 there")
        ),
    ],
    called="your ELBO",
    unit=" nats",
    rule="average log p(x|z) + log p(z) − log q(z|x) with the weights q(z|x).",
    right=_elbo_means,
)
def elbo_by_hand(q, prior, likelihood) -> float:
    """``answer(q, prior, likelihood) -> nats``: a code with a few values, tables (m,), likelihood p(x|z) at one x."""
    terms = zip(q, prior, likelihood, strict=True)
    return float(sum(a * (math.log(b * c) - math.log(a)) for a, b, c in terms if a > 0))


# --- the gap of a wrong family ----------------------------------------------------------------------------


def _curve(bumps: tuple, constant: float, ends: tuple, n_points: int, n_means: int = 13) -> tuple:
    """log_joint, z, means, widths; bumps: centre, weight and width of each."""
    z, widths = np.linspace(*ends, n_points), np.array([0.3, 0.4, 0.5, 0.7, 1.0, 1.5])
    density = sum(weight * np.exp(log_normal(z, centre, sd)) for centre, weight, sd in bumps)
    return np.log(density + 1e-280) + constant, z, np.linspace(-3, 3, n_means), widths


CURVES = [
    _curve(((-2.0, 0.5, 0.4), (2.0, 0.5, 0.4)), 1.7, (-12, 12), 1201),
    _curve(((0.5, 1.0, 0.5),), -3.0, (-12, 12), 961),
    _curve(((-1.0, 0.3, 0.5), (1.5, 0.7, 0.9)), -0.4, (-9, 11), 801, 7),
]


def _family(log_joint, z, means, widths) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """The evidence, and of every q in the family (means, widths): E_q[log p(x, z)], E_q[log q], KL(posterior ‖ q)."""
    step = z[1] - z[0]
    evidence = float(np.log(np.exp(log_joint).sum() * step))
    log_q = log_normal(z, means[:, None, None], widths[:, None])
    post = np.exp(log_joint - evidence)
    turned = (post * (log_joint - evidence - log_q)).sum(axis=2) * step
    return (
        evidence,
        *((np.exp(log_q) * part).sum(axis=2) * step for part in (log_joint, log_q)),
        turned,
    )


def _gap_slips(log_joint, z, means, widths) -> dict[str, tuple]:
    evidence, fits, log_qs, turned = _family(log_joint, z, means, widths)
    elbos, step = fits - log_qs, z[1] - z[0]
    gaps, off = evidence - elbos, 0.02 / step
    return {
        "largest ELBO": (elbos.max(), "that is the largest ELBO; the gap is what it lacks to log p(x)."),
        "evidence": (evidence, "that is log p(x) alone; subtract the largest ELBO."),
        "step missing in the evidence": (gaps.min() - math.log(step), "the evidence is an integral: multiply the sum by the step of the grid."),
        "step missing in the ELBO": (evidence - elbos.max() / step, "the ELBO is an integral too: multiply its sum by the step of the grid."),
        "step missing in both": (evidence - math.log(step) - elbos.max() / step, "evidence and ELBO are both integrals: multiply each sum by the step of the grid."),
        "step of another grid": (evidence + math.log(off) - off * elbos.max(), "the step is that of another grid: take it from z, z[1] − z[0]."),
        "entropy missing": (evidence - fits.max(), "that is the ELBO without the entropy of q: average log p(x, z) − log q(z|x)."),
        "pairs in step": (np.array([gaps[k, k] for k in range(min(gaps.shape))]).min(), "a mean and a width were taken in step, one pair for each width; the family has all pairs."),
        "one width": ([gaps[:, k].min() for k in range(len(widths)) if k != 1], "one width was tried with every mean; the family has all pairs of a mean and a width."),
        "largest gap": (gaps.max(), "that is the worst q; look for the smallest gap."),
        "KL turned round": (turned.min(), "the KL is turned round; here q draws, so q is what weights the logarithm."),
        "joint read as posterior": (-elbos.max(), "log_joint is not the log-posterior; it lacks −log p(x)."),
        "sign": (-gaps.min(), "the right size with the wrong sign; a KL is never negative."),
        "average": (gaps.mean(), "that is the average over the family; the gap of a family is that of its best member."),
        "bits": (gaps.min() / math.log(2), BITS),
    }  # fmt: skip


@task(
    "06.2",
    cases=CURVES,
    slips=_gap_slips,
    called="your gap",
    unit=" nats",
    rule="log p(x) minus the largest ELBO over all pairs of a mean and a width.",
    right=lambda wants: (
        f"Right. One bump of the right width leaves nothing; two equal bumps leave {wants[0]:.3f}, about log 2 = 0.693: "
        "the best Gaussian sits on one of them, and pays for the half that it does not see."
    ),
)
def smallest_gap(log_joint, z, means, widths) -> float:
    """``answer(log_joint, z, means, widths) -> nats``: smallest KL(N(mean, width²) ‖ p(z|x)), z (m,) evenly spaced."""
    evidence, fits, log_qs, _ = _family(log_joint, z, means, widths)
    return max((evidence - fits + log_qs).min(), 0.0)


# --- find the bug -----------------------------------------------------------------------------------------

OF_THE_COLLEAGUE = {
    "KL added": "the KL is still added; it is the price, so subtract it",
    "log outside": "the log is still outside the expectation; the ELBO averages log p(x|z)",
    "draws as x": "the draws still play the part of x; they are codes z, and x stays the observed one",
    "μ decoded": "x is back in its place, but the decoder still gets μ: it decodes the drawn codes z",
    "x replaced": "the decoder gets the codes now, but their own density is taken there: x stays the observed one",
}
"""The slips of the exercise; the third has to be mended in two places, and may be mended in one."""
NEW = {
    "not decoded": "the decoder is not used; p(x|z) is a Gaussian around decode(z)",
    "σ read as variance": "noise_sd is taken as a variance; it is the standard deviation σ_x, whose square is the variance",
    "constant missing": "the squared error lacks the constant: log p(x|z) also has −log σ_x − ½ log 2π",
    "squared error": "that is the bare squared error; log p(x|z) is −(x − x̂)²/(2σ_x²) − log σ_x − ½ log 2π",
    "KL missing": "the KL is missing now; subtract the average of log q(z|x) − log p(z)",
    "KL at eps": "the KL is taken at eps; the codes are z = μ + σ · eps",
    "σ squared in the KL": "the KL has σ² as the width of q; sigma is the standard deviation",
}


def _fits(x: float, mu: float, z, noise_sd: float) -> dict[tuple, np.ndarray]:
    """log p(x|z) of every draw, right and with each slip in its arguments."""
    at_z, at_mu = 1.5 * np.sin(z), 1.5 * math.sin(mu)
    return {
        (): log_normal(x, at_z, noise_sd),
        ("draws as x",): log_normal(z, at_mu, noise_sd),
        ("μ decoded",): np.full(len(z), log_normal(x, at_mu, noise_sd)),
        ("x replaced",): log_normal(z, at_z, noise_sd),
        ("not decoded",): log_normal(x, z, noise_sd),
        ("σ read as variance",): log_normal(x, at_z, math.sqrt(noise_sd)),
        ("constant missing",): -((x - at_z) ** 2) / (2 * noise_sd**2),
        ("squared error",): -((x - at_z) ** 2),
    }


def _kls(mu: float, sigma: float, eps) -> dict[tuple, list[float]]:
    """The price by the draws and in closed form, each of its two terms, and with each slip."""
    sampled = lambda codes, sd=sigma: (log_normal(codes, mu, sd).mean(), log_normal(codes, 0, 1).mean())  # noqa: E731
    exact = (log_normal(0, 0, sigma) - 0.5, log_normal(0, 0, 1) - 0.5 * (mu**2 + sigma**2))
    z = mu + sigma * eps
    either = zip(sampled(z), exact, strict=True)  # of log q, and of log p(z)
    return {
        (): [float(log_q - log_p) for log_q, log_p in itertools.product(*either)],
        ("KL missing",): [0.0],
        ("KL at eps",): [float(np.subtract(*sampled(eps)))],
        ("σ squared in the KL",): [float(np.subtract(*sampled(z, sigma**2)))],
    }


def _still_in(slips: tuple[str, ...]) -> str:
    """What is said of the old slips that are left, and of the new ones."""
    old = [OF_THE_COLLEAGUE[slip] for slip in slips if slip in OF_THE_COLLEAGUE]
    new = [NEW[slip] for slip in slips if slip in NEW]
    said = [f"{len(old)} of 3 slips left: {'; '.join(old)}."] if old else []
    return " ".join(said + ([f"A new slip: {'; '.join(new)}."] if new else []))


def _repair_slips(x, mu, sigma, eps, decode, noise_sd) -> dict[str, tuple]:
    fits, kls = _fits(x, mu, mu + sigma * eps, noise_sd), _kls(mu, sigma, eps)
    averages = {(): np.mean, ("log outside",): lambda logs: np.log(np.exp(logs).mean())}
    found = {}
    for fit, log, kl, sign in itertools.product(fits, averages, kls, ((), ("KL added",))):
        slips = fit + log + kl + sign
        same = {"μ decoded", "log outside"} <= {*slips} or {"KL missing", "KL added"} <= {*slips}
        if slips and not same:
            factor = 1 if sign else -1
            values = [averages[log](fits[fit]) + factor * price for price in kls[kl]]
            found[" + ".join(slips)] = (values, _still_in(slips))
    loss = [-want for want in _elbos(x, mu, sigma, eps, noise_sd)]
    return found | {
        "sign": (loss, "that is the negative ELBO, a loss: here the fit counts for and the KL against.")
    }


def _elbos(x, mu, sigma, eps, noise_sd) -> list[float]:
    """The estimate by the draws, and by the draws and their mirror images; the KL sampled or exact."""
    both = np.concatenate([eps, -eps])
    return [
        _fits(x, mu, mu + sigma * draws, noise_sd)[()].mean() - kl
        for draws in (eps, both)
        for kl in _kls(mu, sigma, draws)[()]
    ]


def _settings() -> list[tuple]:
    decode = lambda z: 1.5 * torch.sin(torch.as_tensor(z))  # noqa: E731
    settings = ((0.8, 0.7, 0.3, 0.5, 600), (-1.1, 0.4, 0.6, 0.8, 400), (0.2, -0.9, 1.2, 0.4, 300))
    noise = np.random.default_rng(5).standard_normal
    return [(*map(np.array, (x, mu, sigma)), noise(n), decode, sd) for x, mu, sigma, sd, n in settings]


@task(
    "06.3",
    cases=_settings(),
    slips=_repair_slips,
    called="your ELBO",
    unit=" nats",
    rtol=1e-5,
    rule="average log p(x|z) over the codes, minus the average of log q(z|x) − log p(z).",
    right="Right: three small slips, and each of them gave a plausible number. The log inside, the codes z drawn from q, the KL subtracted.",
)
def repaired_elbo(x, mu, sigma, eps, decode, noise_sd) -> list[float]:
    """``answer(x, mu, sigma, eps, decode, noise_sd) -> nats``: a Monte Carlo ELBO, prior N(0, 1), x one number."""
    return _elbos(x, mu, sigma, eps, noise_sd)


# --- the bill in two items --------------------------------------------------------------------------------


def _parts_slips(q, prior) -> dict[str, tuple]:
    information, rest = _two_parts(q, prior)
    n, average = len(q), q.mean(axis=0)
    rate = information + rest
    even = np.full_like(average, 1 / len(average))
    return {
        "exchanged": ((rest, information), "the two are exchanged; information comes first."),
        "summed over examples": ([(n * information, n * rest), (n * information, None)], "it is summed over the examples; X is uniform, so divide by n."),
        "bits": ((information / math.log(2), rest / math.log(2)), "those are bits; in nats the logarithm is the natural one."),
        "rate for I_q": ((rate, None), "the first is the mean KL to the prior; information compares q(z|x) with the aggregate q(z)."),
        "uniform aggregate": ((sum(_mean(row, np.log(row / even)) for row in q) / n, None), "the first compares with a uniform code; information compares q(z|x) with the aggregate q(z), the mean of the rows."),
        "sign": ([(-information, rest), (information, -rest), (-information, -rest)], "a KL came out with the sign turned; both parts are at least 0."),
        "rate for the rest": ((None, rate), "the second is the whole bill; take I_q off, and the rest is left."),
        "KL turned round": ((None, _mean(prior, np.log(prior / average))), "the rest is turned round: q(z) draws, so weight with q(z)."),
    }  # fmt: skip


def _conditionals(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(6)
    q, prior = generator.gamma(0.8, size=(n, m)) + 0.05, generator.gamma(2.0, size=m) + 0.1
    return q / q.sum(axis=1, keepdims=True), prior / prior.sum()


def _two_parts(q, prior) -> tuple[float, float]:
    average = q.mean(axis=0)
    information = sum(_mean(row, np.log(row / average)) for row in q) / len(q)
    return information, _mean(average, np.log(average / prior))


@task(
    "06.4",
    cases=[_conditionals(5, 7), _conditionals(3, 4), _conditionals(6, 2)],
    slips=_parts_slips,
    names=("I_q", "rest"),
    unit=" nats",
    rule="I_q is the mean KL(q(z|x) ‖ q(z)), the rest KL(q(z) ‖ p(z)), with q(z) the mean of the rows.",
    right=lambda wants: (
        f"Right: the bill of {sum(wants[0]):.3f} nats is {wants[0][0]:.3f} for information, at most log 5 = 1.609, and "
        f"{wants[0][1]:.3f} for clouds that do not fill the prior together."
    ),
)
def rate_parts(q, prior) -> tuple[float, float]:
    """``answer(q, prior) -> (I_q, rest)``: q(z|x) as a table (n, m), x uniform on its rows, prior (m,); both in nats."""
    return _two_parts(q, prior)


# --- the derivation on a blank page, line by line ---------------------------------------------------------

OUTSIDE = "the logarithm stands outside the expectation; take it inside."
UNDER = "weight with q(z|x): the expectation is over z ~ q."
NO_LOG = "the log is missing: the constant is log p(x), not p(x)."
LINE = {"rule": "write it out as a sum over z.", "right": "right."}
TABLES = [_tables(5, 7), _tables(3, 8)]


def _of_terms(terms: tuple, slips: dict[str, tuple[list, str]]) -> dict[str, tuple]:
    """Slips in any one of the terms, those of the sign and of the order among them; slips: {name: (values, sentence)}."""
    n = len(terms)
    at = lambda k, value: tuple(value if j == k else None for j in range(n))  # noqa: E731
    orders = [order for order in itertools.permutations(terms) if order != terms]
    signs = [at(k, -term) for k, term in enumerate(terms)]
    anywhere = {
        name: ([at(k, v) for v in values for k in range(n) if not np.isclose(v, terms[k])], why)
        for name, (values, why) in slips.items()
    }
    return {
        "order": (orders, "these are the right terms in another order; give them in the order in which the line has them."),
        "sign": (signs, "the sign is turned; give each term without the sign that stands before it."),
    } | anywhere  # fmt: skip


def _posterior(q, prior, likelihood) -> tuple:
    return q, prior * likelihood / (prior * likelihood).sum()


def _slips_1(q, posterior) -> dict[str, tuple]:
    log_q, log_p = np.log(q), np.log(posterior)
    return _of_terms(_terms_1(q, posterior), {
        "no weights q": ([log_q.mean(), log_p.mean(), _mean(posterior, log_p), _mean(posterior, log_q)], UNDER),
        "log outside": ([math.log(_mean(q, posterior)), math.log(_mean(q, q))], OUTSIDE),
    })  # fmt: skip


def _terms_1(q, posterior) -> tuple[float, float]:
    return _mean(q, np.log(q)), _mean(q, np.log(posterior))


@line(cases=[_posterior(*tables) for tables in TABLES], names=("E_q[log q(z|x)]", "E_q[log p(z|x)]"), slips=_slips_1, **LINE)  # fmt: skip
def line_1(q, posterior):
    """``answer(q, posterior)``: the two expectations of KL(q ‖ posterior); all tables have shape (m,)."""
    return _terms_1(q, posterior)


def _terms_2(q, prior, likelihood) -> tuple[float, float, float]:
    joint = prior * likelihood
    return _mean(q, np.log(q)), _mean(q, np.log(joint)), math.log(joint.sum())


def _slips_2(q, prior, likelihood) -> dict[str, tuple]:
    joint = prior * likelihood
    evidence = joint.sum()
    return _of_terms(_terms_2(q, prior, likelihood), {
        "log missing": ([evidence], NO_LOG),
        "prior missing": ([_mean(q, np.log(likelihood))], "that is the likelihood's term; p(x, z) = p(x|z) p(z) has the prior in it."),
        "likelihood missing": ([_mean(q, np.log(prior))], "that is the prior's term; p(x, z) = p(x|z) p(z) has the likelihood in it."),
        "posterior": ([_mean(q, np.log(joint / evidence))], "that is log p(z|x): the joint is not divided by p(x)."),
        "no weights q": ([np.log(joint).mean(), _mean(prior, np.log(joint)), np.log(q).mean()], UNDER),
        "log outside": ([math.log(_mean(q, joint)), math.log(_mean(q, q))], OUTSIDE),
        "weights q": ([math.log(_mean(q, likelihood))], "p(x) sums p(x, z) over z with no weights q."),
    })  # fmt: skip


@line(cases=TABLES, names=("E_q[log q(z|x)]", "E_q[log p(x, z)]", "E_q[log p(x)]"), slips=_slips_2, **LINE)
def line_2(q, prior, likelihood):
    """``answer(q, prior, likelihood)``: the three expectations after Bayes."""
    return _terms_2(q, prior, likelihood)


def _slips_3(prior, likelihood) -> dict[str, tuple]:
    joint = prior * likelihood
    return {
        "log missing": (joint.sum(), NO_LOG),
        "log inside": ([_mean(prior, np.log(likelihood)), np.log(joint).sum()], "the logarithm stands inside the sum: p(x) sums probabilities, then the log."),
        "prior missing": ([math.log(likelihood.sum()), math.log(likelihood.mean())], "the prior's weights are missing."),
        "sign": (-math.log(joint.sum()), "the sign is turned; give the term without the sign that stands before it."),
    }  # fmt: skip


@line(cases=[tables[1:] for tables in TABLES], called="your log p(x)", slips=_slips_3, **LINE)
def line_3(prior, likelihood):
    """``answer(prior, likelihood)``: what E_q[log p(x)] is."""
    return math.log((prior * likelihood).sum())


def _terms_4(q, prior, likelihood) -> tuple[float, float]:
    joint = prior * likelihood
    return math.log(joint.sum()), _mean(q, np.log(joint / q))


def _slips_4(q, prior, likelihood) -> dict[str, tuple]:
    evidence, elbo = _terms_4(q, prior, likelihood)
    fit, kl = _mean(q, np.log(likelihood)), _mean(q, np.log(q / prior))
    return _of_terms((evidence, elbo), {
        "log missing": ([math.exp(evidence)], NO_LOG),
        "entropy missing": ([_mean(q, np.log(prior * likelihood))], "−E_q[log q(z|x)] is missing."),
        "fit alone": ([fit], "that is the expected log-likelihood, which belongs to line 5."),
        "KL alone": ([kl], "that is the price, KL(q(z|x) ‖ p(z)), which belongs to line 5."),
        "gap": ([evidence - elbo], "that is the KL itself, of which this line makes a difference."),
        "log outside": ([evidence], "that is Jensen's other side, log E_q[p(x, z)/q(z|x)] = log p(x) again."),
        "KL added": ([fit + kl], "the KL is added; the ELBO pays for it."),
    })  # fmt: skip


@line(cases=TABLES, names=("log p(x)", "ELBO"), slips=_slips_4, **LINE)
def line_4(q, prior, likelihood):
    """``answer(q, prior, likelihood)``: evidence and ELBO."""
    return _terms_4(q, prior, likelihood)


def _terms_5(q, prior, likelihood) -> tuple[float, float]:
    return _mean(q, np.log(likelihood)), _mean(q, np.log(q / prior))


def _slips_5(q, prior, likelihood) -> dict[str, tuple]:
    log_p, joint = np.log(likelihood), prior * likelihood
    gap = _mean(q, np.log(q * joint.sum() / joint))
    return _of_terms(_terms_5(q, prior, likelihood), {
        "log outside": ([math.log(_mean(q, likelihood))], OUTSIDE),
        "prior in the fit": ([_mean(q, np.log(joint))], "that has the prior in it; log p(z) went to the KL."),
        "KL turned round": ([_mean(prior, np.log(prior / q))], "the KL is turned round: q comes first, and q weights."),
        "gap": ([gap], "that is the KL to the posterior, the gap; here it is to the prior."),
        "no weights q": ([log_p.mean(), _mean(prior, log_p)], UNDER),
    })  # fmt: skip


@line(cases=TABLES, names=("E_q[log p(x|z)]", "KL(q(z|x) ‖ p(z))"), slips=_slips_5, **LINE)
def line_5(q, prior, likelihood):
    """``answer(q, prior, likelihood)``: expected log-likelihood and KL to the prior."""
    return _terms_5(q, prior, likelihood)


LINES = {f"line {k}": judge for k, judge in enumerate((line_1, line_2, line_3, line_4, line_5), 1)}
derivation = page(
    "06.5",
    LINES,
    "All five lines stand: definition, Bayes, a constant out of the expectation, evidence minus ELBO, and what the "
    "ELBO is made of. That is the whole derivation.",
)
