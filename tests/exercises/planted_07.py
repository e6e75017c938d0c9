"""Mistakes planted in the exercises of lesson 07: the student's code, and words that the answer must contain.

A mistake stands where the stub stood; the cell's last line then calls the check, as in the lesson.
"""

QUADRATIC = "def quadratic_form(mean, cov, A, center):\n    away = mean - center\n    return "
DIAGONAL = "def diagonal_kl(mu, log_var):\n    return "
FULL = (
    "def full_kl(mean_q, cov_q, mean_p, cov_p):\n    inv, away = torch.linalg.inv(cov_p), mean_q - mean_p\n"
    "    D, logdet = len(mean_q), torch.logdet(cov_p) - torch.logdet(cov_q)\n    return "
)
LETTERS = ("log_var_read_as_log_std", "missing_half", "wrong_axis", "wrong_sign")

RIGHT_LINES = {
    "log_density(z, mu, log_var)": "-0.5 * (L + log_var + (z - mu) ** 2 / log_var.exp())",
    "mean_log_q(mu, log_var)": "-0.5 * (L + log_var + 1)",
    "mean_log_p(mu, log_var)": "-0.5 * (L + mu**2 + log_var.exp())",
    "kl_of(mean_log_q, mean_log_p)": "mean_log_q - mean_log_p",
    "kl_one(mu, log_var)": "-0.5 * (1 + log_var - mu**2 - log_var.exp())",
    "kl_all(mu, log_var)": "-0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(dim=1)",
}


def page(line: int, body: str) -> str:
    """The six lines, all right but the one with this number, which has the given body."""
    written = [body if k == line else right for k, right in enumerate(RIGHT_LINES.values(), 1)]
    functions = [f"def {head}:\n    return {b}\n" for head, b in zip(RIGHT_LINES, written, strict=True)]
    return "import math\n\nL = math.log(2 * math.pi)\n\n\n" + "\n\n".join(functions)


def letters(*chosen: str) -> str:
    return "\n".join(f'{name} = "{letter}"' for name, letter in zip(LETTERS, chosen, strict=True))


PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson07.quadratic_form": [
        (QUADRATIC + "away @ A @ away", "spread around it adds"),
        (QUADRATIC + "torch.trace(A @ cov)", "only if center is the mean"),
        (QUADRATIC + "torch.trace(A @ cov) + mean @ A @ mean", "center is not in it"),
        (QUADRATIC + "torch.trace(A) * torch.trace(cov) + away @ A @ away", "multiply the matrices first"),
        (QUADRATIC + "torch.trace(A * cov) + away @ A @ away", "entry by entry"),
        (QUADRATIC + "away @ A @ away - torch.trace(A @ cov)", "the spread is added"),
        (QUADRATIC + "0.5 * (torch.trace(A @ cov) + away @ A @ away)", "no factor ½"),
        (QUADRATIC + "A @ cov", "one number"),
    ],
    "lesson07.diagonal_kl": [
        (DIAGONAL + "-(1 + log_var - mu**2 - log_var.exp()).sum(dim=1)", "½ of the Gaussian's exponent"),
        (DIAGONAL + "0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(dim=1)", "never negative"),
        (DIAGONAL + "-0.5 * (1 + 2 * log_var - mu**2 - (2 * log_var).exp()).sum(dim=1)", "as log σ"),
        (DIAGONAL + "-0.5 * (1 + log_var - mu**2 - log_var.exp() ** 2).sum(dim=1)", "σ² already"),
        (DIAGONAL + "-0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(dim=0)", "summed over the batch"),
        (DIAGONAL + "-0.5 * (1 + log_var - mu**2 - log_var.exp()).mean(dim=1)", "mean over the latents"),
        (DIAGONAL + "-0.5 * (1 + log_var - mu**2 - log_var.exp()).sum()", "batch as well"),
        (DIAGONAL + "-0.5 * (1 + log_var - mu**2 - log_var.exp())", "one number a latent"),
        (DIAGONAL + "-0.5 * (log_var - mu**2 - log_var.exp()).sum(dim=1)", "the 1 is missing"),
        (DIAGONAL + "-0.5 * (1 + log_var - mu - log_var.exp()).sum(dim=1)", "squared"),
        (DIAGONAL + "-0.5 * (1 + log_var - mu**2 - (log_var / 2).exp()).sum(dim=1)", "σ where σ² belongs"),
        (
            DIAGONAL + "-0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(dim=1).mean()",
            "you averaged over the batch",
        ),
        (DIAGONAL + "-0.5 * (1 + log_var - mu**2 - log_var.exp()).mean()", "you averaged over the batch"),
        (DIAGONAL + "0.5 * ((1 + mu**2) / log_var.exp() - 1 + log_var).sum(dim=1)", "that is KL(p ‖ q)"),
        (DIAGONAL + "-0.5 * (1 - mu**2 - log_var.exp()).sum(dim=1)", "log σ² is missing"),
        (
            DIAGONAL + "-0.5 * (1 + log_var - mu**2 + log_var.exp()).sum(dim=1)",
            "σ² has the wrong sign: a cloud wider",
        ),
        (DIAGONAL + "-0.5 * (1 + log_var + mu**2 - log_var.exp()).sum(dim=1)", "μ² has the wrong sign"),
        (
            DIAGONAL + "-0.5 * (1 - log_var - mu**2 - log_var.exp()).sum(dim=1)",
            "the minus sign of E_q[log q]",
        ),
        (DIAGONAL + "mu", "Your KL has shape"),
    ],
    "lesson07.bugs": [
        (letters("c", "b", "d", "e"), "nothing is wrong with it"),
        (letters("a", "e", "d", "b"), "kl_e is never above 0"),
        (letters("b", "a", "d", "e"), "exactly twice"),
        (letters("a", "b", "a", "e"), "where log_var is 0"),
        (letters("a", "b", "c", "d"), "nothing is wrong with it"),
        (letters("f", "b", "d", "e"), "one letter"),
    ],
    "lesson07.full_kl": [
        (FULL + "torch.trace(inv @ cov_q) + away @ inv @ away - D + logdet", "the ½ is missing"),
        (FULL + "0.5 * (torch.trace(inv @ cov_q) + away @ inv @ away + logdet)", "dimension D"),
        (FULL + "0.5 * (torch.trace(inv @ cov_q) + away @ inv @ away - D - logdet)", "wrong sign"),
        (FULL + "0.5 * (torch.trace(inv @ cov_q) + away @ inv @ away - D)", "log-determinants are missing"),
        (FULL + "0.5 * (torch.trace(inv @ cov_q) - D + logdet)", "distance of the means is missing"),
        (FULL + "0.5 * (torch.trace(inv @ cov_q) + away @ away - D + logdet)", "with the inverse of cov_p"),
        (FULL + "0.5 * (torch.trace(inv @ cov_q) + away @ inv @ away - 2 + logdet)", "the lesson's D = 2"),
        (
            FULL + "0.5 * (torch.trace(inv @ cov_q) + away @ torch.linalg.inv(cov_q) @ away - D + logdet)",
            "with the inverse of cov_q",
        ),
        (
            FULL + "0.5 * (torch.trace(inv @ cov_q) + away @ inv @ away - D + cov_p.det() / cov_q.det())",
            "without its logarithm",
        ),
        (
            FULL + "0.5 * (torch.trace(inv @ cov_q) + away @ inv @ away - D + cov_p.det() - cov_q.det())",
            "the difference of their logarithms",
        ),
        (
            FULL + "0.5 * (torch.trace(cov_p @ cov_q) + away @ inv @ away - D + logdet)",
            "missing in the trace",
        ),
        (
            FULL.replace("inv(cov_p)", "inv(cov_q)")
            + "0.5 * (torch.trace(inv @ cov_p) + away @ inv @ away - D - logdet)",
            "KL(p ‖ q)",
        ),
    ],
    "lesson07.derivation": [
        (
            page(1, "-0.5 * (log_var + (z - mu) ** 2 / log_var.exp())"),
            "line 1: ✗ at z = 0.0, μ = 0.0, log σ² = 0.0 it",
        ),
        (page(1, "-0.5 * (L + log_var + (z - mu) ** 2 / (log_var / 2).exp())"), "and you divided by σ."),
        (page(1, "-0.5 * (L + log_var / 2 + (z - mu) ** 2 / log_var.exp())"), "log σ², not log σ"),
        (page(1, "-0.5 * (L + log_var + (z - mu) / log_var.exp())"), "z − μ has to be squared"),
        (page(1, "-0.5 * (L + log_var + (z - mu) ** 2)"), "divided by σ²"),
        (page(1, "-0.5 * (L + (z - mu) ** 2 / log_var.exp())"), "a narrow density is a high one"),
        (page(2, "-0.5 * (L + log_var)"), "on average (z − μ)²/σ² is 1"),
        (page(2, "0.5 * (L + log_var + 1)"), "that is the entropy"),
        (page(2, "-(L + log_var + 1)"), "the ½ is missing"),
        (page(2, "-0.5 * (L + log_var / 2 + 1)"), "line 2: ✗ at μ = 1.3, log σ² = -0.8 it"),
        (page(3, "-0.5 * (L + mu**2)"), "the σ² is missing"),
        (page(3, "-0.5 * (L + mu**2 + (log_var / 2).exp())"), "and you have σ: σ² is"),
        (page(3, "-0.5 * (L + mu**2 + log_var)"), "and you have log σ²"),
        (page(3, "-0.5 * (L + mu + log_var.exp())"), "line 3: ✗ at μ = "),
        (page(3, "-0.5 * (L + mu + log_var.exp())"), "μ has to be squared"),
        (page(3, "-(L + mu**2 + log_var.exp())"), "the ½ is missing"),
        (page(3, "-0.5 * (L + 1)"), "the expectation is over q, not over p"),
        (page(4, "mean_log_p - mean_log_q"), "the other way round"),
        (page(4, "mean_log_q + mean_log_p"), "a difference, not a sum"),
        (page(5, "0.5 * (1 + log_var - mu**2 - log_var.exp())"), "line 5: ✗"),
        (page(5, "-0.5 * (1 - log_var - mu**2 - log_var.exp())"), "log σ² stands with the minus sign"),
        (page(5, "-0.5 * (1 + log_var.exp() - mu**2 - log_var)"), "have changed places"),
        (page(5, "-0.5 * (1 + log_var - mu - log_var.exp())"), "line 5: ✗ at μ = "),
        (page(5, "-0.5 * (1 + log_var - mu - log_var.exp())"), "μ has to be squared"),
        (page(5, "-0.5 * (1 + log_var - mu**2 - (log_var / 2).exp())"), "σ where σ² belongs"),
        (page(6, "-0.5 * (1 + log_var - mu**2 - log_var.exp()).sum()"), "line 6: ✗ it is one number"),
        (page(6, "-0.5 * (1 + log_var - mu**2 - log_var.exp()).mean(dim=1)"), "5 of 6 lines stand"),
    ],
}
