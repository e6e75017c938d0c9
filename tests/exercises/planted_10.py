"""Mistakes planted in the exercises of lesson 10: the student's code, and words that the answer must contain."""

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
        (
            BEST
            + "-0.5 * (constant + (kept - noise_var).log().sum() + (D - latent_dim) * noise_var.log() + D)",
            "only the column's share",
        ),
    ],
    "lesson10.cloud": [
        (CLOUD + "x @ W, noise_var / gram.diagonal()", "tied encoder"),
        (CLOUD + "x @ torch.linalg.pinv(W).T, noise_var / gram.diagonal()", "least-squares code"),
    ],
    "lesson10.rotation_gap": [
        (TURN.replace("math.radians(degrees)", "degrees") + GAP, "radians"),
        (TURN + "return torch.tensor(0.0)", "turn the first two columns"),
    ],
    "lesson10.used": [
        (USED + "values[:latent_dim] > max(beta, 1) * noise_var", "a β below 1"),
        (USED + "values[:latent_dim] - beta * noise_var > noise_var", "(1 + β)σ_x²"),
    ],
    "lesson10.learned_noise": [
        (NOISE + "rest.mean()", "mean discarded eigenvalue, which"),
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
