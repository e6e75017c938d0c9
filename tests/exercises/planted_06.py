"""Mistakes planted in the exercises of lesson 06: the student's code, and words that the answer must contain.

A mistake stands where the stub stood; the cell's last line then calls the check, as in the lesson.
"""

HAND = "def elbo_by_hand(q, prior, likelihood):\n    return "
FIT = "(q * likelihood.log()).sum()"
PRICE = "(torch.xlogy(q, q) - q * prior.log()).sum()"

NORMAL = "from torch.distributions import Normal\n\n\n"
GAP = (
    NORMAL
    + "def smallest_gap(log_joint, z, means, widths):\n"
    + "    step = z[1] - z[0]\n"
    + "    evidence = torch.logsumexp(log_joint, dim=0) + step.log()\n"
    + "    log_qs = [Normal(m, w).log_prob(z) for m in means for w in widths]\n"
    + "    elbos = torch.stack([(l.exp() * (log_joint - l)).sum() * step for l in log_qs])\n"
)
POSTERIOR = "    post = (log_joint - evidence).exp() * step\n"

BUG = NORMAL + "def repaired_elbo(x, mu, sigma, eps, decode, noise_sd):\n    z = mu + sigma * eps\n"
KL = "    kl = (Normal(mu, sigma).log_prob(z) - Normal(0.0, 1.0).log_prob(z)).mean()\n"
RIGHT_FIT = "    fit = Normal(decode(z), noise_sd).log_prob(x).mean()\n"
LOG_OUTSIDE = "    fit = Normal(decode(z), noise_sd).log_prob(x).exp().mean().log()\n"
DRAWS_AS_X = "    fit = Normal(decode(mu), noise_sd).log_prob(z).mean()\n"
BOTH = "    fit = Normal(decode(mu), noise_sd).log_prob(z).exp().mean().log()\n"

HALF_MU = "    fit = Normal(decode(mu), noise_sd).log_prob(x).exp().mean().log()\n"
HALF_Z = "    fit = Normal(decode(z), noise_sd).log_prob(z).mean()\n"
LOG_MEAN = "    fit = Normal(decode(z), noise_sd).log_prob(z).exp().mean().log()\n"

PARTS = "def rate_parts(q, prior):\n    m = q.mean(dim=0)\n    i = (q * (q / m).log()).sum() / len(q)\n    r = (m * (m / prior).log()).sum()\n"

LINES = {
    1: "def line_1(q, posterior):\n    return (q * q.log()).sum(), (q * posterior.log()).sum()\n",
    2: "def line_2(q, prior, likelihood):\n    j = prior * likelihood\n    return (q * q.log()).sum(), (q * j.log()).sum(), j.sum().log()\n",
    3: "def line_3(prior, likelihood):\n    return (prior * likelihood).sum().log()\n",
    4: "def line_4(q, prior, likelihood):\n    j = prior * likelihood\n    return j.sum().log(), (q * (j / q).log()).sum()\n",
    5: "def line_5(q, prior, likelihood):\n    return (q * likelihood.log()).sum(), (q * (q / prior).log()).sum()\n",
}


def page(line: int, body: str) -> str:
    """The whole page right, but for the body of one line."""
    head = LINES[line].splitlines()[0]
    return "\n\n".join({**LINES, line: f"{head}\n    {body}\n"}.values())


PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson06.elbo_by_hand": [
        (HAND + f"{FIT} + {PRICE}", "the KL is added"),
        (HAND + f"({FIT} - {PRICE}) / torch.tensor(2.0).log()", "the value in bits"),
        (HAND + f"(prior * likelihood).sum().log() - {FIT} + {PRICE}", "the gap between the evidence"),
        (HAND + "(prior * likelihood).sum().log()", "that is the evidence"),
        (HAND + f"(q * likelihood).sum().log() - {PRICE}", "outside the expectation"),
        (HAND + f"(prior * likelihood.log()).sum() - {PRICE}", "under the prior"),
        (HAND + "(q * (prior * likelihood).log()).sum()", "−E_q[log q(z)] is missing"),
        (HAND + FIT, "the KL to the prior is missing"),
        (HAND + f"{FIT} - (prior * (prior / q).log()).sum()", "turned round"),
        (HAND + f"{PRICE} - {FIT}", "negative ELBO"),
        (HAND + "(q * (prior * likelihood / q).log()).mean()", "divided by the number of values"),
        (HAND + "(q * (prior * likelihood / q).log()).sum()", "0 · log 0"),
    ],
    "lesson06.smallest_gap": [
        (
            GAP.replace("z[1] - z[0]", "torch.tensor(0.02)") + "    return evidence - elbos.max()",
            "expected 0.0000",
        ),
        (GAP + "    return evidence - (elbos / step).max()", "the ELBO is an integral too"),
        (GAP + "    return torch.logsumexp(log_joint, dim=0) - (elbos / step).max()", "both integrals"),
        (
            GAP + "    return evidence - max((l.exp() * log_joint).sum() * step for l in log_qs)",
            "without the entropy of q",
        ),
        (
            GAP.replace("for m in means for w in widths", "for m, w in zip(means, widths)")
            + "    return (evidence - elbos).min()",
            "the family has all pairs",
        ),
        (GAP + "    return evidence", "that is log p(x) alone"),
        (GAP + "    return elbos.max()", "that is the largest ELBO"),
        (GAP + "    return torch.logsumexp(log_joint, dim=0) - elbos.max()", "multiply the sum by the step"),
        (GAP + "    return (evidence - elbos).max()", "the worst q"),
        (GAP + "    return (evidence - elbos).mean()", "best member"),
        (
            GAP + POSTERIOR + "    return min((post * (log_joint - evidence - l)).sum() for l in log_qs)",
            "turned round",
        ),
        (GAP + "    return -elbos.max()", "lacks −log p(x)"),
        (GAP + "    return elbos.max() - evidence", "never negative"),
    ],
    "lesson06.repaired_elbo": [
        (BUG + BOTH + KL + "    return fit + kl", "3 of 3 slips left"),
        (BUG + RIGHT_FIT + KL + "    return fit + kl", "1 of 3 slips left: the KL is still added"),
        (BUG + LOG_OUTSIDE + KL + "    return fit - kl", "1 of 3 slips left: the log is still outside"),
        (
            BUG + DRAWS_AS_X + KL + "    return fit - kl",
            "1 of 3 slips left: the draws still play the part of x",
        ),
        (BUG + LOG_OUTSIDE + KL + "    return fit + kl", "2 of 3 slips left: the log is still outside"),
        (BUG + DRAWS_AS_X + KL + "    return fit + kl", "2 of 3 slips left: the draws"),
        (BUG + BOTH + KL + "    return fit - kl", "2 of 3 slips left: the draws"),
        (
            BUG + "    fit = Normal(decode(mu), noise_sd).log_prob(x).mean()\n" + KL + "    return fit - kl",
            "the decoder still gets μ",
        ),
        (
            BUG + "    fit = Normal(decode(z), noise_sd).log_prob(z).mean()\n" + KL + "    return fit - kl",
            "x stays the observed one",
        ),
        (BUG + RIGHT_FIT + "    return fit", "KL is missing now"),
        (BUG + HALF_MU + KL + "    return fit + kl", "2 of 3 slips left: x is back in its place"),
        (BUG + HALF_Z + KL + "    return fit - kl", "1 of 3 slips left: the decoder gets the codes now"),
        (BUG + HALF_Z + KL + "    return fit + kl", "2 of 3 slips left: the decoder gets the codes now"),
        (
            BUG + HALF_Z + LOG_MEAN + KL + "    return fit - kl",
            "own density is taken there: x stays the observed one; the log is still outside",
        ),
        (
            BUG + HALF_Z + LOG_MEAN + KL + "    return fit + kl",
            "3 of 3 slips left: the decoder gets the codes now",
        ),
        (
            BUG + "    fit = Normal(x, noise_sd).log_prob(z)\n" + KL + "    return fit.mean() - kl",
            "the decoder is not used",
        ),
        (
            BUG + RIGHT_FIT + KL.replace("(z)", "(eps)") + "    return fit - kl",
            "A new slip: the KL is taken at eps",
        ),
        (
            BUG + DRAWS_AS_X + KL.replace("(z)", "(eps)") + "    return fit + kl",
            "the KL is still added; it is the price, so subtract it. A new slip: the KL is taken at eps",
        ),
        (BUG + RIGHT_FIT + KL + "    return kl - fit", "negative ELBO"),
    ],
    "lesson06.rate_parts": [
        (PARTS + "    return r, i", "exchanged"),
        (PARTS + "    return i, i + r", "the whole bill; take I_q off"),
        (PARTS + "    return len(q) * i, r", "divide by n"),
        (PARTS + "    return (q * (q / prior).log()).sum() / len(q), r", "mean KL to the prior"),
        (PARTS + "    return i, (prior * (prior / m).log()).sum()", "turned round"),
        (PARTS + "    return i / 0.6931471805599453, r / 0.6931471805599453", "those are bits"),
        (PARTS + "    return -i, r", "sign turned"),
    ],
    "lesson06.derivation": [
        (
            page(1, "return (posterior * q.log()).sum(), (q * posterior.log()).sum()"),
            "line 1: ✗ E_q[log q(z)] should be",
        ),
        (
            page(1, "return (q * q.log()).sum(), (posterior * posterior.log()).sum()"),
            "the expectation is over z ~ q",
        ),
        (
            page(1, "return (q * q.log()).sum(), -(q * posterior.log()).sum()"),
            "without the sign that stands before it",
        ),
        (
            page(
                2,
                "return (q * q.log()).sum(), (q * likelihood.log()).sum(), (prior * likelihood).sum().log()",
            ),
            "has the prior in it",
        ),
        (
            page(2, "j = prior * likelihood\n    return (q * q.log()).sum(), (q * j.log()).sum(), j.sum()"),
            "the log is missing",
        ),
        (
            page(
                2,
                "j = prior * likelihood\n    return (q * q.log()).sum(), (q * j).sum().log(), j.sum().log()",
            ),
            "take it inside",
        ),
        (page(1, "return (q * posterior.log()).sum(), (q * q.log()).sum()"), "right terms in another order"),
        (
            page(1, "return (q * (q / posterior).log()).sum()"),
            "E_q[log q(z)], E_q[log p(z|x)], and you gave what they make together",
        ),
        (
            page(
                2,
                "j = prior * likelihood\n    return (q * q.log()).sum(), (q * (j / j.sum()).log()).sum(), j.sum().log()",
            ),
            "the joint is not divided by p(x)",
        ),
        (
            page(2, "return (q * (q * (prior * likelihood).sum() / (prior * likelihood)).log()).sum()"),
            "make together",
        ),
        (
            page(4, "j = prior * likelihood\n    return (q * (j / q).log()).sum(), j.sum().log()"),
            "another order",
        ),
        (page(5, "return (q * (q / prior).log()).sum(), (q * likelihood.log()).sum()"), "another order"),
        (page(3, "return (prior * likelihood).sum()"), "line 3: ✗ log p(x) should be"),
        (page(3, "return (prior * likelihood.log()).sum()"), "stands inside the sum"),
        (
            page(4, "j = prior * likelihood\n    return j.sum().log(), (q * j.log()).sum()"),
            "line 4: ✗ the ELBO should be",
        ),
        (page(4, "j = prior * likelihood\n    return j.sum().log(), (q * j / q).sum().log()"), "Jensen"),
        (
            page(4, f"return (prior * likelihood).sum().log(), {FIT}"),
            "expected log-likelihood, which belongs to line 5",
        ),
        (
            page(4, "return (prior * likelihood).sum().log(), (q * (q / prior).log()).sum()"),
            "KL(q(z) ‖ p(z)), which belongs to line 5",
        ),
        (
            page(4, f"e = (prior * likelihood).sum().log()\n    return e, e - {FIT} + {PRICE}"),
            "that is the KL itself",
        ),
        (
            page(
                4,
                "return (prior * likelihood).sum().log(), (q * likelihood.log()).sum() + (q * (q / prior).log()).sum()",
            ),
            "pays for it",
        ),
        (
            page(5, "return (q * likelihood).sum().log(), (q * (q / prior).log()).sum()"),
            "line 5: ✗ E_q[log p(x|z)] should be",
        ),
        (page(5, "return (q * likelihood.log()).sum(), (prior * (prior / q).log()).sum()"), "turned round"),
        (
            page(
                5,
                "j = prior * likelihood\n    return (q * likelihood.log()).sum(), (q * (q * j.sum() / j).log()).sum()",
            ),
            "the gap",
        ),
        (page(4, "return likelihood.sum().log(), likelihood.log().sum()"), "4 of 5 lines stand"),
        (page(2, "return (q * q.log()).sum()"), "line 2: ✗ the line has 3 terms"),
    ],
}


ACCEPTED: dict[str, list[str]] = {
    "lesson06.repaired_elbo": [
        BUG
        + RIGHT_FIT
        + "    return fit + Normal(0.0, 1.0).log_prob(z).mean() + Normal(mu, sigma).entropy()",
        BUG
        + RIGHT_FIT
        + "    cross = -(mu**2 + sigma**2 + torch.tensor(2 * torch.pi).log()) / 2\n"
        + "    return fit + cross - Normal(mu, sigma).log_prob(z).mean()",
    ],
}
