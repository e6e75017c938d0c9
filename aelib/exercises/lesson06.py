"""Checks for lesson 06, with references of their own."""

import itertools
import math

import numpy as np
import torch

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
    page,
    same_shape,
)
from aelib.exercises.help import hint, progress, reset  # noqa: F401


def _tables(n_values: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random q(z), p(z) and p(x|z) at one x, each of shape (n_values,); the first two sum to 1."""
    generator = np.random.default_rng(seed)
    q, prior = generator.gamma(2.0, size=(2, n_values)) + 0.1
    return q / q.sum(), prior / prior.sum(), generator.uniform(0.1, 0.9, n_values)


def _mean(q: np.ndarray, values: np.ndarray) -> float:
    """E_q of the values, where q = 0 counts as nothing."""
    return float(sum(weight * value for weight, value in zip(q, values, strict=True) if weight > 0))


def _elbo(q: np.ndarray, prior: np.ndarray, likelihood: np.ndarray) -> float:
    return float(
        sum(
            a * (math.log(b * c) - math.log(a)) for a, b, c in zip(q, prior, likelihood, strict=True) if a > 0
        )
    )


@exercise("06.1")
def elbo_by_hand(answer) -> str:
    """``answer(q, prior, likelihood) -> nats``: a code with a few values, tables (m,), likelihood p(x|z) at one x."""
    for n_values, seed in ((2, 0), (2, 1), (4, 2)):
        q, prior, likelihood = _tables(n_values, seed)
        got = number(function(answer)(*map(torch.tensor, (q, prior, likelihood))), "your ELBO")
        want = _elbo(q, prior, likelihood)
        if not close(got, want, 1e-5, 1e-7):
            raise _elbo_slip(got, want, q, prior, likelihood)
    certain = torch.tensor([1.0, 0.0], dtype=torch.float64)
    _, prior, likelihood = map(torch.tensor, _tables(2, 3))
    if not close(
        float(array(answer(certain, prior, likelihood))), float((prior * likelihood)[0].log()), 1e-5
    ):
        raise Wrong(
            "With q = (1, 0) the second value never occurs, and 0 · log 0 counts as 0: "
            "torch.xlogy(q, q) is safe there."
        )
    evidence = math.log(float((prior * likelihood).sum()))
    return (
        "Right. With q on the first value only, the ELBO is log p(x, z=first): "
        f"{evidence - float((prior * likelihood)[0].log()):.3f} nats below the evidence, which counts both values."
    )


def _elbo_slip(got: float, want: float, q: np.ndarray, prior: np.ndarray, likelihood: np.ndarray) -> Wrong:
    fit, kl = _mean(q, np.log(likelihood)), _mean(q, np.log(q / prior))
    evidence = math.log(float((prior * likelihood).sum()))
    values = {
        "the KL is added; the ELBO pays for it, so it is subtracted.": fit + kl,
        "that is the evidence log p(x), which the ELBO only bounds.": evidence,
        "that is the gap between the evidence and the ELBO.": evidence - want,
        "that is the value in bits; in nats the logarithm is the natural one.": want / math.log(2),
        "the logarithm stands outside the expectation; take log p(x|z) first, then average.": math.log(
            _mean(q, likelihood)
        )
        - kl,
        "the expectation is taken under the prior; in the ELBO z comes from q.": _mean(
            prior, np.log(likelihood)
        )
        - kl,
        "that is E_q[log p(x, z)]; the term −E_q[log q(z)] is missing.": fit + _mean(q, np.log(prior)),
        "that is the expected log-likelihood alone; the KL to the prior is missing.": fit,
        "the KL is turned round: it is q's own expectation of log q − log p(z).": fit
        - _mean(prior, np.log(prior / q)),
        "the sign is turned: that is the negative ELBO, which one minimises.": -want,
        "that is divided by the number of values; the weights q(z) make it an average already, so sum.": want
        / len(q),
    }
    said = f"You got {got:.4f}, expected {want:.4f} nats: "
    return first_slip(
        by_value(got, values, said), said + "average log p(x|z) + log p(z) − log q(z) with the weights q(z)."
    )


TWO_BUMPS, ONE_BUMP = ((-2.0, 0.5, 0.4), (2.0, 0.5, 0.4)), ((0.5, 1.0, 0.5),)
"""Posteriors of smallest_gap: centre, weight and width of each bump."""


@exercise("06.2")
def smallest_gap(answer) -> str:
    """``answer(log_joint, z, means, widths) -> nats``: smallest KL(N(mean, width²) ‖ p(z|x)), z (m,) evenly spaced."""
    pays = _judge_gap(
        answer, TWO_BUMPS, 1.7
    )  # first, for where the gap is 0 some slips give one and the same number
    _judge_gap(answer, ONE_BUMP, -3.0, n_points=961)
    return (
        f"Right. One bump of the right width leaves nothing; two equal bumps leave {pays:.3f}, about log 2 = 0.693: "
        "the best Gaussian sits on one of them, and pays for the half that it does not see."
    )


def _judge_gap(answer, bumps: tuple, constant: float, n_points: int = 1201) -> float:
    """The gap, or ``Wrong`` if the answer's is another one."""
    z, means, widths = (
        np.linspace(-12, 12, n_points),
        np.linspace(-3, 3, 13),
        np.array([0.3, 0.4, 0.5, 0.7, 1.0, 1.5]),
    )
    density = sum(weight * np.exp(log_normal(z, centre, sd)) for centre, weight, sd in bumps)
    log_joint = np.log(density + 1e-280) + constant
    got = number(function(answer)(*map(torch.tensor, (log_joint, z, means, widths))), "your gap")
    gaps, slips = _gaps(log_joint, z, means, widths)
    want = max(gaps.min(), 0.0)
    if not close(got, want, 1e-4, 1e-6):
        said = f"You got {got:.4f}, expected {want:.4f} nats: "
        raise first_slip(
            by_value(got, slips, said),
            said + "log p(x) minus the largest ELBO over all pairs of a mean and a width.",
        )
    return want


def _gaps(
    log_joint: np.ndarray, z: np.ndarray, means: np.ndarray, widths: np.ndarray
) -> tuple[np.ndarray, dict[str, object]]:
    """KL(q ‖ posterior) of every q in the family, (means, widths), and what the usual slips give instead."""
    step = z[1] - z[0]
    evidence = float(np.log(np.exp(log_joint).sum() * step))
    log_q = log_normal(z, means[:, None, None], widths[:, None])
    fits = (np.exp(log_q) * log_joint).sum(axis=2) * step
    elbos = fits - (np.exp(log_q) * log_q).sum(axis=2) * step
    post = np.exp(log_joint - evidence)
    turned = (post * (log_joint - evidence - log_q)).sum(axis=2) * step
    gaps = evidence - elbos
    return gaps, {
        "that is the largest ELBO; the gap is what it lacks to log p(x).": elbos.max(),
        "that is log p(x) alone; subtract the largest ELBO.": evidence,
        "the evidence is an integral: multiply the sum by the step of the grid.": gaps.min() - math.log(step),
        "the ELBO is an integral too: multiply its sum by the step of the grid.": evidence
        - elbos.max() / step,
        "evidence and ELBO are both integrals: multiply each sum by the step of the grid.": evidence
        - math.log(step)
        - elbos.max() / step,
        "that is the ELBO without the entropy of q: average log p(x, z) − log q(z).": evidence - fits.max(),
        "a mean and a width were taken in step, one pair for each width; the family has all pairs.": gaps.diagonal().min(),
        "that is the worst q; look for the smallest gap.": gaps.max(),
        "the KL is turned round; here q draws, so q is what weights the logarithm.": turned.min(),
        "log_joint was taken for the log-posterior; it lacks −log p(x).": -elbos.max(),
        "the right size with the wrong sign; a KL is never negative.": -gaps.min(),
        "that is the average over the family; the gap of a family is that of its best member.": gaps.mean(),
    }


@exercise("06.3")
def repaired_elbo(answer) -> str:
    """``answer(x, mu, sigma, eps, decode, noise_sd) -> nats``: a Monte Carlo ELBO, prior N(0, 1), x one number."""
    eps = np.random.default_rng(5).standard_normal(2000)
    decode = lambda z: 1.5 * torch.sin(torch.as_tensor(z))  # noqa: E731
    for x, mu, sigma, noise_sd in ((0.8, 0.7, 0.3, 0.5), (-1.1, 0.4, 0.6, 0.8)):
        numbers = [torch.tensor(value, dtype=torch.float64) for value in (x, mu, sigma, eps)]
        got = number(function(answer)(*numbers, decode, noise_sd), "your ELBO")
        fits, kls = _fits(x, mu, mu + sigma * eps, noise_sd), _kls(mu, sigma, eps)
        wants = [fits[()].mean() - kl for kl in kls[()]]
        if not any(close(got, want, 1e-5, 1e-7) for want in wants):
            raise _repair_slip(got, wants, fits, kls)
    return (
        "Right: three small slips, and each of them gave a plausible number. The log inside, the codes z drawn from q, "
        "the KL subtracted."
    )


SIGN = "the KL is still added; it is the price, so subtract it"
OUTSIDE = "the log is still outside the expectation; the ELBO averages log p(x|z)"
DRAWS = "the draws still play the part of x; they are codes z, and x stays the observed one"
DRAWS_DECODED = "x is back in its place, but the decoder still gets μ: it decodes the drawn codes z"
DRAWS_OBSERVED = (
    "the decoder gets the codes now, but their own density is taken there: x stays the observed one"
)
OF_THE_COLLEAGUE = {SIGN, OUTSIDE, DRAWS, DRAWS_DECODED, DRAWS_OBSERVED}
"""The slips of the exercise; the third has to be mended in two places, and may be mended in one."""


def _fits(x: float, mu: float, z: np.ndarray, noise_sd: float) -> dict[tuple, np.ndarray]:
    """log p(x|z) of every draw, right and with each slip in its arguments."""
    at_z, at_mu = 1.5 * np.sin(z), 1.5 * math.sin(mu)
    return {
        (): log_normal(x, at_z, noise_sd),
        (DRAWS,): log_normal(z, at_mu, noise_sd),
        (DRAWS_DECODED,): np.full(len(z), log_normal(x, at_mu, noise_sd)),
        (DRAWS_OBSERVED,): log_normal(z, at_z, noise_sd),
        ("the decoder is not used; p(x|z) is a Gaussian around decode(z)",): log_normal(x, z, noise_sd),
    }


def _kls(mu: float, sigma: float, eps: np.ndarray) -> dict[tuple, list[float]]:
    """The price by the draws and in closed form, and with each slip."""
    sampled = lambda codes: (log_normal(codes, mu, sigma).mean(), log_normal(codes, 0, 1).mean())  # noqa: E731
    at = lambda codes: float(np.subtract(*sampled(codes)))  # noqa: E731
    exact = (log_normal(0, 0, sigma) - 0.5, log_normal(0, 0, 1) - 0.5 * (mu**2 + sigma**2))
    either = zip(sampled(mu + sigma * eps), exact, strict=True)  # of log q, and of log p(z)
    return {
        (): [float(log_q - log_p) for log_q, log_p in itertools.product(*either)],
        ("the KL is missing now; subtract the average of log q(z) − log p(z)",): [0.0],
        ("the KL is taken at eps; the codes are z = μ + σ · eps",): [at(eps)],
    }


def _repair_slip(
    got: float, wants: list[float], fits: dict[tuple, np.ndarray], kls: dict[tuple, list]
) -> Wrong:
    """Names every slip that is still in, and every new one."""
    averages = {(): lambda logs: logs.mean(), (OUTSIDE,): lambda logs: np.log(np.exp(logs).mean())}
    signs = {(): -1, (SIGN,): 1}
    said = f"You got {got:.4f}, expected {wants[0]:.4f} nats. "
    values: dict[str, object] = {}
    for (fit, logs), (log, average), (kl, prices), (sign, factor) in itertools.product(
        fits.items(), averages.items(), kls.items(), signs.items()
    ):
        values[_still_in(fit + log + kl + sign)] = [average(logs) + factor * price for price in prices]
    values["That is the negative ELBO, a loss: here the fit counts for and the KL against."] = [
        -want for want in wants
    ]
    return first_slip(
        by_value(got, values, said, rtol=1e-5),
        said + "Average log p(x|z) over the codes, minus the average of log q(z) − log p(z).",
    )


def _still_in(slips: tuple[str, ...]) -> str:
    old = [slip for slip in slips if slip in OF_THE_COLLEAGUE]
    new = [slip for slip in slips if slip not in OF_THE_COLLEAGUE]
    said = [f"{len(old)} of 3 slips left: {'; '.join(old)}."] if old else []
    return " ".join(said + ([f"A new slip: {'; '.join(new)}."] if new else []))


@exercise("06.4")
def rate_parts(answer) -> str:
    """``answer(q, prior) -> (I_q, rest)``: q(z|x) as a table (n, m), x uniform on its rows, prior (m,); both in nats."""
    generator = np.random.default_rng(6)
    q = generator.gamma(0.8, size=(5, 7)) + 0.05
    prior = generator.gamma(2.0, size=7) + 0.1
    q, prior = q / q.sum(axis=1, keepdims=True), prior / prior.sum()
    got = array(function(answer)(torch.tensor(q), torch.tensor(prior)), "your pair")
    same_shape(got, np.zeros(2), "your pair (I_q, rest)")
    average = q.mean(axis=0)
    rate = sum(_mean(row, np.log(row / prior)) for row in q) / 5
    want = np.array(
        [sum(_mean(row, np.log(row / average)) for row in q) / 5, _mean(average, np.log(average / prior))]
    )
    if not close(got, want, 1e-5, 1e-7):
        raise _parts_slip(got, want, rate, average, prior)
    return (
        f"Right: the bill of {rate:.3f} nats is {want[0]:.3f} for information, at most log 5 = 1.609, and "
        f"{want[1]:.3f} for clouds that do not fill the prior together."
    )


def _parts_slip(
    got: np.ndarray, want: np.ndarray, rate: float, average: np.ndarray, prior: np.ndarray
) -> Wrong:
    said = f"You got ({got[0]:.4f}, {got[1]:.4f}), expected ({want[0]:.4f}, {want[1]:.4f}) nats: "
    both = {
        "the two are exchanged; information comes first.": want[::-1],
        "both are summed over the examples; X is uniform, so divide by n.": 5 * want,
        "those are bits; in nats the logarithm is the natural one.": want / math.log(2),
        "the second is the whole bill; take I_q off, and the rest is left.": np.array([want[0], rate]),
    }
    first = {
        "the first is summed over the examples; X is uniform, so divide by n.": 5 * want[0],
        "the first is the mean KL to the prior; information compares q(z|x) with the aggregate q(z).": rate,
    }
    second = {
        "the rest is turned round: q(z) draws, so weight with q(z).": _mean(prior, np.log(prior / average))
    }
    turned = {"a KL came out with the sign turned; both parts are at least 0.": want}
    return first_slip(
        by_value(got, both, said)
        | by_value(got[0], first, said)
        | by_value(got[1], second, said)
        | by_value(abs(got), turned, said),
        said + "I_q is the mean KL(q(z|x) ‖ q(z)), the rest KL(q(z) ‖ p(z)), with q(z) the mean of the rows.",
    )


# --- the derivation on a blank page, line by line ---------------------------------------------------------


def _derivation(
    q: np.ndarray, prior: np.ndarray, likelihood: np.ndarray
) -> list[tuple[tuple, list[str], list[float], dict]]:
    """Of each line: the arguments, the names of its terms, their values, and the slips with the values that they give."""
    joint = prior * likelihood
    evidence = float(joint.sum())
    posterior = joint / evidence
    tables = (q, prior, likelihood)
    entropy_term, joint_term, log_evidence = _mean(q, np.log(q)), _mean(q, np.log(joint)), math.log(evidence)
    fit, kl, elbo = _mean(q, np.log(likelihood)), _mean(q, np.log(q / prior)), _elbo(*tables)
    outside = "the logarithm stands outside the expectation; take it inside"
    under = "weight with q(z): the expectation is over z ~ q"
    nolog = "the log is missing: the constant is log p(x), not p(x)"
    return [
        (
            (q, posterior),
            ["E_q[log q(z)]", "E_q[log p(z|x)]"],
            [entropy_term, _mean(q, np.log(posterior))],
            {
                under: [
                    np.log(q).mean(),
                    np.log(posterior).mean(),
                    _mean(posterior, np.log(posterior)),
                    _mean(posterior, np.log(q)),
                ],
                outside: [math.log(_mean(q, posterior)), math.log(_mean(q, q))],
            },
        ),
        (
            tables,
            ["E_q[log q(z)]", "E_q[log p(x, z)]", "E_q[log p(x)]"],
            [entropy_term, joint_term, log_evidence],
            {
                nolog: [evidence],
                "that is the likelihood's term; p(x, z) = p(x|z) p(z) has the prior in it": [fit],
                "that is the prior's term; p(x, z) = p(x|z) p(z) has the likelihood in it": [
                    _mean(q, np.log(prior))
                ],
                "that is log p(z|x): the joint is not divided by p(x)": [_mean(q, np.log(posterior))],
                under: [np.log(joint).mean(), _mean(prior, np.log(joint)), np.log(q).mean()],
                outside: [math.log(_mean(q, joint)), math.log(_mean(q, q))],
                "p(x) sums p(x, z) over z with no weights q": [math.log(_mean(q, likelihood))],
            },
        ),
        (
            tables[1:],
            ["log p(x)"],
            [log_evidence],
            {
                nolog: [evidence],
                "the logarithm stands inside the sum: p(x) sums probabilities, then the log": [
                    _mean(prior, np.log(likelihood)),
                    float(np.log(joint).sum()),
                ],
                "the prior's weights are missing": [math.log(likelihood.sum()), math.log(likelihood.mean())],
            },
        ),
        (
            tables,
            ["log p(x)", "the ELBO"],
            [log_evidence, elbo],
            {
                nolog: [evidence],
                "−E_q[log q(z)] is missing": [joint_term],
                "that is the expected log-likelihood, which belongs to line 5": [fit],
                "that is the price, KL(q(z) ‖ p(z)), which belongs to line 5": [kl],
                "that is the KL itself, of which this line makes a difference": [log_evidence - elbo],
                "that is Jensen's other side, log E_q[p(x, z)/q(z)] = log p(x) again": [log_evidence],
                "the KL is added; the ELBO pays for it": [fit + kl],
            },
        ),
        (
            tables,
            ["E_q[log p(x|z)]", "KL(q(z) ‖ p(z))"],
            [fit, kl],
            {
                outside: [math.log(_mean(q, likelihood))],
                "that has the prior in it; log p(z) went to the KL": [joint_term],
                "the KL is turned round: q comes first, and q weights": [_mean(prior, np.log(prior / q))],
                "that is the KL to the posterior, the gap; here it is to the prior": [
                    _mean(q, np.log(q / posterior))
                ],
                under: [np.log(likelihood).mean(), _mean(prior, np.log(likelihood))],
            },
        ),
    ]


def _flat(terms):
    """A tuple of numbers and one-element tensors as a list of floats; anything else as it is."""
    if not isinstance(terms, tuple | list):
        return terms
    return [float(term) if hasattr(term, "detach") and term.numel() == 1 else term for term in terms]


def _term_slip(name: str, got: float, want: float, slips: dict[str, list[float]]) -> Wrong:
    said = f"{name} should be {want:.4f}, but is {got:.4f}: "
    turned = {
        said + "the sign is turned; give each term without the sign that stands before it.": close(
            got, -want, 1e-5
        )
    }
    named = {
        said + slip + ".": any(close(got, value, 1e-5) for value in values) for slip, values in slips.items()
    }
    return first_slip(turned | named, said + "write it out as a sum over z.")


def _refuse_other_terms(got: np.ndarray, values: np.ndarray, names: str) -> None:
    """Raise if the terms are not as many as the line has, or in another order."""
    whole = values @ np.resize([1, -1], len(values))  # the signs before the terms alternate in every line
    if got.shape != values.shape:
        said = f"the line has {len(values)} {'terms' if len(values) > 1 else 'term'}, {names}"
        raise first_slip(
            {
                f"{said}, and you gave what they make together: return them apart, as a tuple, without the signs before "
                "them.": got.size == 1 and close(got.ravel()[0], whole, 1e-5)
            },
            f"{said}, but yours has shape {got.shape}.",
        )
    if close(np.sort(got), np.sort(values), 1e-5) and not close(got, values, 1e-5):
        raise Wrong(f"these are the right terms in another order; the line has them as {names}.")


def _line(answer, k: int) -> str:
    """Compare the terms of line k with the reference, on random tables of five values."""
    arguments, names, values, slips = _derivation(*_tables(5, 7))[k - 1]
    got = np.atleast_1d(array(_flat(function(answer)(*map(torch.tensor, arguments))), "it"))
    _refuse_other_terms(got, np.array(values), ", ".join(names))
    for name, term, want in zip(names, got, values, strict=True):
        if not close(term, want, 1e-5, 1e-7):
            raise _term_slip(name, term, want, slips)
    return "right."


def line_1(answer) -> str:
    """``answer(q, posterior)``: the two expectations of KL(q ‖ posterior); all tables have shape (m,)."""
    return _line(answer, 1)


def line_2(answer) -> str:
    """``answer(q, prior, likelihood)``: the three expectations after Bayes."""
    return _line(answer, 2)


def line_3(answer) -> str:
    """``answer(prior, likelihood)``: what E_q[log p(x)] is."""
    return _line(answer, 3)


def line_4(answer) -> str:
    """``answer(q, prior, likelihood)``: evidence and ELBO."""
    return _line(answer, 4)


def line_5(answer) -> str:
    """``answer(q, prior, likelihood)``: expected log-likelihood and KL to the prior."""
    return _line(answer, 5)


LINES = {"line 1": line_1, "line 2": line_2, "line 3": line_3, "line 4": line_4, "line 5": line_5}


derivation = page(
    "06.5",
    LINES,
    "All five lines stand: definition, Bayes, a constant out of the expectation, evidence minus ELBO, and what the "
    "ELBO is made of. That is the whole derivation.",
)
