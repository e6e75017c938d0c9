"""Mistakes planted in the exercises of lesson 06: the student's code, and words that the answer must contain."""

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
BOTH = "    fit = Normal(decode(mu), noise_sd).log_prob(z).exp().mean().log()\n"
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
        (HAND + f"(prior * likelihood).sum().log() - {FIT} + {PRICE}", "the gap between the evidence"),
    ],
    "lesson06.smallest_gap": [
        (
            GAP.replace("z[1] - z[0]", "torch.tensor(0.02)") + "    return evidence - elbos.max()",
            "expected 0.0000",
        ),
        (
            GAP + POSTERIOR + "    return min((post * (log_joint - evidence - l)).sum() for l in log_qs)",
            "turned round",
        ),
    ],
    "lesson06.repaired_elbo": [
        (BUG + BOTH + KL + "    return fit + kl", "3 of 3 slips left"),
        (
            BUG + HALF_Z + LOG_MEAN + KL + "    return fit - kl",
            "own density is taken there: x stays the observed one; the log is still outside",
        ),
    ],
    "lesson06.rate_parts": [
        (PARTS + "    return r, i", "exchanged"),
        (PARTS + "    return i / 0.6931471805599453, r / 0.6931471805599453", "those are bits"),
    ],
    "lesson06.derivation": [
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
        (page(4, "return likelihood.sum().log(), likelihood.log().sum()"), "4 of 5 lines stand"),
    ],
}
ACCEPTED: dict[str, list[str]] = {
    "lesson06.repaired_elbo": [
        BUG.replace("    z =", "    eps = torch.cat([eps, -eps])\n    z =")
        + RIGHT_FIT
        + KL
        + "    return fit - kl",
        BUG
        + RIGHT_FIT
        + "    return fit + Normal(0.0, 1.0).log_prob(z).mean() + Normal(mu, sigma).entropy()",
        BUG
        + RIGHT_FIT
        + "    cross = -(mu**2 + sigma**2 + torch.tensor(2 * torch.pi).log()) / 2\n"
        + "    return fit + cross - Normal(mu, sigma).log_prob(z).mean()",
    ],
}
