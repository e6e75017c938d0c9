"""Mistakes planted in the exercises of lesson 10: the student's code, and words that the answer must contain.

A mistake stands where the stub stood; the cell's last line then calls the check, as in the lesson.
"""

BEST = (
    "import math\n\n\ndef best_log_likelihood(values, latent_dim):\n"
    "    D, kept, rest = len(values), values[:latent_dim], values[latent_dim:]\n"
    "    noise_var, constant = rest.mean(), D * math.log(2 * math.pi)\n"
    "    log_det = kept.log().sum() + (D - latent_dim) * noise_var.log()\n    return "
)
CLOUD = (
    "def cloud(W, noise_var, x):\n    one = torch.eye(W.shape[1], dtype=W.dtype)\n"
    "    gram = W.T @ W + noise_var * one\n    mu = x @ torch.linalg.solve(gram, W.T).T\n    return "
)
TURN = (
    "import math\n\n\ndef rotation_gap(W, noise_var, degrees):\n    angle = math.radians(degrees)\n"
    "    one = torch.eye(W.shape[1], dtype=W.dtype)\n    R = one.clone()\n    R[0, 0] = R[1, 1] = math.cos(angle)\n"
    "    R[0, 1], R[1, 0] = -math.sin(angle), math.sin(angle)\n    T = W @ R\n    P = one + T.T @ T / noise_var\n    "
)
GAP = "return 0.5 * (P.diagonal().log().sum() - torch.logdet(P))"
USED = "def used(values, latent_dim, noise_var, beta):\n    return "
NOISE = (
    "def learned_noise(values, latent_dim, beta):\n    D, rest = len(values), values[latent_dim:]\n"
    "    every = [values[k:].sum() / (D - beta * k) for k in range(latent_dim + 1) if beta * k < D]\n    return "
)

PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson10.best_log_likelihood": [
        (BEST + "0.5 * (constant + log_det + D)", "sign is turned"),
        (BEST + "-(constant + log_det + D)", "½ in front is missing"),
        (BEST.replace("rest.mean()", "rest.sum()") + "-0.5 * (constant + log_det + D)", "it is their mean"),
        (BEST.replace("rest.mean()", "rest.sum() / D") + "-0.5 * (constant + log_det + D)", "among D − K"),
        (BEST + "-0.5 * (constant + log_det)", "D at the end is missing"),
        (BEST + "-0.5 * (constant + kept.log().sum() + noise_var.log() + D)", "stands once"),
        (BEST + "-0.5 * (log_det + D)", "log 2π is missing"),
        (BEST + "-0.5 * (constant + values.log().sum() + D)", "K variances and one"),
        (
            BEST + "-0.5 * (constant + kept.log().sum() + (D - latent_dim) * rest.log().mean() + D)",
            "mean of their logarithms",
        ),
        (
            BEST
            + "-0.5 * (constant + (kept - noise_var).log().sum() + (D - latent_dim) * noise_var.log() + D)",
            "only the column's share",
        ),
        (BEST + "-0.5 * (math.log(2 * math.pi) + log_det + D)", "log 2π stands once"),
        (
            BEST + "-0.5 * (64 * math.log(2 * math.pi) + log_det + (64 - D) * noise_var.log() + 64)",
            "the lesson's D = 64",
        ),
    ],
    "lesson10.cloud": [
        (CLOUD + "x @ W, noise_var / gram.diagonal()", "tied encoder"),
        (CLOUD + "x @ torch.linalg.pinv(W).T, noise_var / gram.diagonal()", "least-squares code"),
        (
            CLOUD.replace("noise_var * one", "noise_var.sqrt() * one") + "mu, noise_var / gram.diagonal()",
            "σ_x instead",
        ),
        (CLOUD.replace("noise_var * one", "one") + "mu, noise_var / gram.diagonal()", "added 1 where"),
        (CLOUD + "noise_var * mu, noise_var / gram.diagonal()", "1/σ_x²"),
        (CLOUD + "mu, noise_var * torch.linalg.inv(gram).diagonal()", "narrower"),
        (CLOUD + "mu, gram.diagonal() / noise_var", "is a precision"),
        (CLOUD + "mu, 1 / gram.diagonal()", "σ_x² is missing above"),
        (CLOUD + "mu, (noise_var / gram.diagonal()).sqrt()", "standard deviations"),
        (CLOUD + "mu, (noise_var / gram.diagonal()).log()", "log-variances"),
        (CLOUD + "mu, noise_var / W.square().sum(dim=0)", "prior's 1 is missing"),
        (CLOUD + "mu.T, noise_var / gram.diagonal()", "transposed"),
        (CLOUD + "mu", "return two things"),
    ],
    "lesson10.rotation_gap": [
        (TURN.replace("math.radians(degrees)", "degrees") + GAP, "radians"),
        (TURN + GAP.replace("0.5 * ", ""), "½ is missing"),
        (TURN + GAP.replace("0.5", "-0.5"), "sign is turned"),
        (TURN.replace("one + T.T", "T.T") + GAP, "left out the prior"),
        (
            TURN + "return 0.5 * (torch.linalg.inv(P).diagonal().log().sum() + torch.logdet(P))",
            "diagonal of the covariance",
        ),
        (TURN.replace("T.T @ T / noise_var", "T.T @ T / noise_var.sqrt()") + GAP, "σ_x instead"),
        (TURN.replace("T = W @ R", "T = W") + GAP, "as it was"),
        (
            TURN.replace("R = one.clone()", "R = torch.eye(len(W), dtype=W.dtype)").replace("W @ R", "R @ W")
            + GAP,
            "leaves WᵀW alone",
        ),
        (TURN.replace("T = W @ R", "T = W @ R.T") + GAP, "in the other sense"),
        (TURN + "return torch.tensor(0.0)", "turn the first two columns"),
    ],
    "lesson10.used": [
        (USED + "values[:latent_dim] > max(beta, 1) * noise_var", "a β below 1"),
        (USED + "values[:latent_dim] > beta + noise_var - 1", "the optimum uses"),
        (USED + "values[:latent_dim] > beta**0.5 * noise_var", "√β σ_x²"),
        (USED.replace("return", "answer =") + "values[:latent_dim] > beta * noise_var", "end with `return`"),
        (USED + "values[:latent_dim] <= beta * noise_var", "have the unused ones"),
        (USED + "values[:latent_dim] > noise_var", "does not know β"),
        (USED + "values[:latent_dim] > noise_var / beta", "σ_x²/β"),
        (USED + "values[:latent_dim] > beta * noise_var**0.5", "βσ_x:"),
        (USED + "values[:latent_dim].sqrt() > beta * noise_var", "square root of an eigenvalue"),
        (USED + "values > beta * noise_var", "all 6 directions"),
        (USED + "values[:latent_dim] > beta * noise_var**2", "you squared it"),
        (USED + "values[:latent_dim] > 1", "knows neither σ_x² nor β"),
        (USED + "values[:latent_dim] > 0", "every latent is used"),
        (USED + "values[:latent_dim] - beta * noise_var > noise_var", "(1 + β)σ_x²"),
        (
            USED + "(values[:latent_dim] > beta * noise_var) & (values[:latent_dim] > 0.75)",
            "eigenvalues [5.  3.2 1.9 0.7 0.5]).",
        ),
    ],
    "lesson10.learned_noise": [
        (NOISE + "rest.mean()", "mean discarded eigenvalue, which"),
        (NOISE + "rest.sum() / D", "divided by D"),
        (NOISE + "rest.sum()", "a sum"),
        (NOISE + "rest.sum() / (D - beta * latent_dim)", "for granted"),
        (NOISE + "max(every)", "largest of the candidates"),
        (NOISE + "min(every).sqrt()", "standard deviation"),
        (NOISE + "beta * min(every)", "that is the threshold βσ_x²"),
        (NOISE + "min(every[1:])", "no latent is used"),
        (NOISE + "min(every[:latent_dim])", "range(K) ends"),
        (
            NOISE + "min(values[k:].sum() / (D - beta * k) for k in range(latent_dim + 1) if beta * k != D)",
            "beyond that the variance is negative",
        ),
    ],
}


ACCEPTED: dict[str, list[str]] = {
    "lesson10.cloud": [
        CLOUD.replace("    gram", "    x = x - x.mean(dim=0)\n    gram", 1)
        + "mu, noise_var / gram.diagonal()",
    ],
}
