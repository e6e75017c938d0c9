"""Mistakes planted in the exercises of lesson 07: the student's code, and words that the answer must contain."""

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
        (QUADRATIC + "A @ cov", "one number"),
    ],
    "lesson07.diagonal_kl": [
        (DIAGONAL + "-(1 + log_var - mu**2 - log_var.exp()).sum(dim=1)", "½ of the Gaussian's exponent"),
        (DIAGONAL + "-0.5 * (1 + 2 * log_var - mu**2 - (2 * log_var).exp()).sum(dim=1)", "as log σ"),
    ],
    "lesson07.bugs": [
        (letters("c", "b", "d", "e"), "nothing is wrong with it"),
        (letters("a", "e", "d", "b"), "kl_e is never above 0"),
        (letters("a", "b", "a", "e"), "where log_var is 0"),
        (letters("f", "b", "d", "e"), "one letter"),
    ],
    "lesson07.full_kl": [
        (FULL + "torch.trace(inv @ cov_q) + away @ inv @ away - D + logdet", "the ½ is missing"),
        (
            FULL + "0.5 * (torch.trace(inv @ cov_q) + away @ torch.linalg.inv(cov_q) @ away - D + logdet)",
            "with the inverse of cov_q",
        ),
    ],
    "lesson07.derivation": [
        (page(1, "-0.5 * (L + log_var + (z - mu) / log_var.exp())"), "z − μ has to be squared"),
        (page(1, "-0.5 * (L + log_var + (z - mu) ** 2)"), "divided by σ²"),
        (page(1, "-0.5 * (L + (z - mu) ** 2 / log_var.exp())"), "a narrow density is a high one"),
        (page(2, "-(L + log_var + 1)"), "the ½ is missing"),
    ],
}
