"""Checks for lesson 06, with references of their own."""

import math

import numpy as np
import torch

from aelib.exercises.frame import (
    Verdict,
    Wrong,
    array,
    close,
    exercise,
    first_slip,
    function,
    line_by_line,
    log_normal,
    number,
    same_shape,
)


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


@exercise
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
    said = f"You got {got:.4f}, expected {want:.4f} nats: "
    return first_slip(
        {
            said + "the KL is added; the ELBO pays for it, so it is subtracted.": close(got, fit + kl, 1e-4),
            said + "that is the evidence log p(x), which the ELBO only bounds.": close(
                got, math.log(float((prior * likelihood).sum())), 1e-4
            ),
            said
            + "the logarithm stands outside the expectation; take log p(x|z) first, then average.": close(
                got, math.log(_mean(q, likelihood)) - kl, 1e-4
            ),
            said + "the expectation is taken under the prior; in the ELBO z comes from q.": close(
                got, _mean(prior, np.log(likelihood)) - kl, 1e-4
            ),
            said + "that is E_q[log p(x, z)]; the term −E_q[log q(z)] is missing.": close(
                got, fit + _mean(q, np.log(prior)), 1e-4
            ),
            said + "that is the expected log-likelihood alone; the KL to the prior is missing.": close(
                got, fit, 1e-4
            ),
            said + "the KL is turned round: it is q's own expectation of log q − log p(z).": close(
                got, fit - _mean(prior, np.log(prior / q)), 1e-4
            ),
            said + "the sign is turned: that is the negative ELBO, which one minimises.": close(
                got, -want, 1e-4
            ),
        },
        said + "average log p(x|z) + log p(z) − log q(z) with the weights q(z).",
    )


@exercise
def smallest_gap(answer) -> str:
    """``answer(log_joint, z, means, widths) -> nats``: smallest KL(N(mean, width²) ‖ p(z|x)), on an even grid z (m,)."""
    z = np.linspace(-12, 12, 1201)
    means, widths = np.linspace(-3, 3, 13), np.array([0.3, 0.4, 0.5, 0.7, 1.0, 1.5])
    for bumps, constant in ((((0.5, 1.0, 0.5),), -3.0), (((-2.0, 0.5, 0.4), (2.0, 0.5, 0.4)), 1.7)):
        density = sum(weight * np.exp(log_normal(z, centre, sd)) for centre, weight, sd in bumps)
        log_joint = np.log(density + 1e-280) + constant
        got = number(function(answer)(*map(torch.tensor, (log_joint, z, means, widths))), "your gap")
        gaps, others = _gaps(log_joint, z, means, widths)
        want = gaps.min()
        if not close(got, want, 1e-4, 1e-6):
            raise _gap_slip(got, want, gaps, others)
    return (
        f"Right. One bump of the right width leaves nothing; two equal bumps leave {want:.3f}, about log 2 = 0.693: "
        "the best Gaussian sits on one of them, and pays for the half that it does not see."
    )


def _gaps(
    log_joint: np.ndarray, z: np.ndarray, means: np.ndarray, widths: np.ndarray
) -> tuple[np.ndarray, dict]:
    """KL(q ‖ posterior) of every q in the family, and what the usual slips give instead."""
    step = z[1] - z[0]
    evidence = float(np.log(np.exp(log_joint).sum() * step))
    log_qs = [log_normal(z, mean, width) for mean in means for width in widths]
    elbos = np.array([(np.exp(log_q) * (log_joint - log_q)).sum() * step for log_q in log_qs])
    post = np.exp(log_joint - evidence)
    turned = [(post * (log_joint - evidence - log_q)).sum() * step for log_q in log_qs]
    others = {"elbo": elbos.max(), "step": math.log(step), "turned": min(turned), "evidence": evidence}
    return evidence - elbos, others


def _gap_slip(got: float, want: float, gaps: np.ndarray, others: dict) -> Wrong:
    said = f"You got {got:.4f}, expected {want:.4f} nats: "
    return first_slip(
        {
            said + "that is the largest ELBO; the gap is what it lacks to log p(x).": close(
                got, others["elbo"], 1e-4
            ),
            said + "the evidence is an integral: multiply the sum by the step of the grid.": close(
                got, want - others["step"], 1e-4
            ),
            said + "that is the worst q; look for the smallest gap.": close(got, gaps.max(), 1e-4),
            said + "the KL is turned round; here q draws, so q is what weights the logarithm.": close(
                got, others["turned"], 1e-4
            ),
            said + "log_joint was taken for the log-posterior; it lacks −log p(x).": close(
                got, want - others["evidence"], 1e-4
            ),
            said + "the right size with the wrong sign; a KL is never negative.": close(
                got, -want, 1e-4, 1e-5
            ),
            said
            + "that is the average over the family; the gap of a family is that of its best member.": close(
                got, gaps.mean(), 1e-4
            ),
        },
        said + "log p(x) minus the largest ELBO over all pairs of a mean and a width.",
    )


@exercise
def repaired_elbo(answer) -> str:
    """``answer(x, mu, sigma, eps, decode, noise_sd) -> nats``: a Monte Carlo ELBO, prior N(0, 1), x one number."""
    eps = np.random.default_rng(5).standard_normal(2000)
    decode = lambda z: 1.5 * torch.sin(torch.as_tensor(z))  # noqa: E731
    for x, mu, sigma, noise_sd in ((0.8, 0.7, 0.3, 0.5), (-1.1, 0.4, 0.6, 0.8)):
        numbers = [torch.tensor(value, dtype=torch.float64) for value in (x, mu, sigma, eps)]
        got = number(function(answer)(*numbers, decode, noise_sd), "your ELBO")
        z = mu + sigma * eps
        fits = log_normal(x, 1.5 * np.sin(z), noise_sd)
        kl = float((log_normal(z, mu, sigma) - log_normal(z, 0, 1)).mean())
        exact_kl = 0.5 * (mu**2 + sigma**2 - 1) - math.log(sigma)
        if not any(close(got, fits.mean() - price, 1e-5, 1e-7) for price in (kl, exact_kl)):
            at_mu = 1.5 * math.sin(mu)
            raise _repair_slip(
                got, fits, log_normal(z, at_mu, noise_sd), kl, _half_repairs(x, z, at_mu, noise_sd)
            )
    return (
        "Right: three small slips, and each of them gave a plausible number. The log inside, the codes z drawn from q, "
        "the KL subtracted."
    )


def _half_repairs(x: float, z: np.ndarray, at_mu: float, noise_sd: float) -> dict[str, float]:
    """The fit of those who gave one of the two places its right argument, and not the other."""
    return {
        "x is back in its place, but the decoder still gets μ: it decodes the drawn codes z.": float(
            log_normal(x, at_mu, noise_sd)
        ),
        "The decoder gets the codes now, but their own density is taken there: x stays the observed one.": float(
            log_normal(z, 1.5 * np.sin(z), noise_sd).mean()
        ),
    }


def _repair_slip(
    got: float, fits: np.ndarray, of_draws: np.ndarray, kl: float, halves: dict[str, float]
) -> Wrong:
    """Names every one of the three slips that is still in."""
    log_mean = lambda logs: float(np.log(np.exp(logs).mean()))  # noqa: E731
    sign = "the KL is still added; it is the price, so subtract it"
    outside = "the log is still outside the expectation; the ELBO averages log p(x|z)"
    wrong_draw = "the draws still play the part of x; they are codes z, and x stays the observed one"
    left = {
        (sign,): fits.mean() + kl,
        (outside,): log_mean(fits) - kl,
        (wrong_draw,): of_draws.mean() - kl,
        (outside, sign): log_mean(fits) + kl,
        (wrong_draw, sign): of_draws.mean() + kl,
        (wrong_draw, outside): log_mean(of_draws) - kl,
        (wrong_draw, outside, sign): log_mean(of_draws) + kl,
    }
    want = fits.mean() - kl
    said = f"You got {got:.4f}, expected {want:.4f} nats. "
    named = {
        f"{said}{len(slips)} of 3 slips left: {'; '.join(slips)}.": close(got, value, 1e-5, 1e-7)
        for slips, value in left.items()
    }
    named |= {said + half: close(got, fit - kl, 1e-5, 1e-7) for half, fit in halves.items()}
    named[said + "That is the negative ELBO, a loss: here the fit counts for and the KL against."] = close(
        got, kl - fits.mean(), 1e-5
    )
    named[said + "The KL is missing now: subtract the average of log q(z) − log p(z)."] = close(
        got, fits.mean(), 1e-5
    )
    return first_slip(
        named, said + "Average log p(x|z) over the codes, minus the average of log q(z) − log p(z)."
    )


@exercise
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
    return first_slip(
        {
            said + "the two are exchanged; information comes first.": close(got, want[::-1], 1e-4),
            said + "both are summed over the examples; X is uniform, so divide by n.": close(
                got, 5 * want, 1e-4
            ),
            said + "the first is summed over the examples; X is uniform, so divide by n.": close(
                got[0], 5 * want[0], 1e-4
            ),
            said + "the first is the mean KL to the prior; information compares q(z|x) with the aggregate "
            "q(z).": close(got[0], rate, 1e-4),
            said + "the rest is turned round: q(z) draws, so weight with q(z).": close(
                got[1], _mean(prior, np.log(prior / average)), 1e-4
            ),
            said + "those are bits; in nats the logarithm is the natural one.": close(
                got, want / math.log(2), 1e-4
            ),
            said + "a KL came out with the sign turned; both parts are at least 0.": close(
                abs(got), want, 1e-4
            ),
        },
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
    return first_slip(turned | named, said + "write it as a sum over z with the weights that the line names.")


def _line(answer, k: int) -> str:
    """Compare the terms of line k with the reference, on random tables of five values."""
    arguments, names, values, slips = _derivation(*_tables(5, 7))[k - 1]
    got = np.atleast_1d(array(_flat(function(answer)(*map(torch.tensor, arguments))), "it"))
    same_shape(got, np.array(values), "the line, " + ", ".join(names) + ",")
    for name, term, want in zip(names, got, values, strict=True):
        if not close(term, want, 1e-5, 1e-7):
            raise _term_slip(name, term, want, slips)
    return "right."


@exercise
def line_1(answer) -> str:
    """``answer(q, posterior)``: the two expectations of KL(q ‖ posterior); all tables have shape (m,)."""
    return _line(answer, 1)


@exercise
def line_2(answer) -> str:
    """``answer(q, prior, likelihood)``: the three expectations after Bayes."""
    return _line(answer, 2)


@exercise
def line_3(answer) -> str:
    """``answer(prior, likelihood)``: what E_q[log p(x)] is."""
    return _line(answer, 3)


@exercise
def line_4(answer) -> str:
    """``answer(q, prior, likelihood)``: evidence and ELBO."""
    return _line(answer, 4)


@exercise
def line_5(answer) -> str:
    """``answer(q, prior, likelihood)``: expected log-likelihood and KL to the prior."""
    return _line(answer, 5)


LINES = (line_1, line_2, line_3, line_4, line_5)


def derivation(*answers) -> Verdict:
    """The five lines, each a function and each judged on its own: one sentence a line; see line_1 to line_5."""
    return line_by_line(
        LINES,
        answers,
        "All five lines stand: definition, Bayes, a constant out of the expectation, evidence minus ELBO, and what the "
        "ELBO is made of. That is the whole derivation.",
    )
