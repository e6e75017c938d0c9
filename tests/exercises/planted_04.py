"""Mistakes planted in the exercises of lesson 04: the student's code, and words that the answer must contain.

A mistake stands where the stub stood; the cell's last line then calls the check, as in the lesson.
"""

DECODER = "def best_decoder(V, S):\n    return "
LOSS = "def best_loss(S, latent_dim):\n    values = torch.linalg.eigvalsh(S)\n    return "
ANGLE = "def largest_angle(A, B):\n    Q, Q2 = torch.linalg.qr(A).Q, torch.linalg.qr(B).Q\n    cosines = torch.linalg.svdvals(Q.T @ Q2)\n    return "
REPAIRED = (
    "def best_directions(x, latent_dim):\n"
    "    return torch.linalg.eigh(x.T @ x / len(x)).eigenvectors[:, -latent_dim:]\n\n\n"
    "def repaired(x, latent_dim):\n"
)

PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson04.best_decoder": [
        (DECODER + "V.T", "encoder's transpose"),
        (DECODER + "torch.linalg.pinv(V)", "pseudo-inverse"),
        (DECODER + "S @ V.T", "without the inverse"),
        (DECODER + "S @ V.T @ torch.linalg.inv(V @ V.T)", "divided by V Vᵀ"),
        (DECODER + "V.T @ torch.linalg.inv(V @ S @ V.T)", "belongs in front"),
        (DECODER + "torch.linalg.solve(V @ S @ V.T, V @ S)", "transposed"),
    ],
    "lesson04.best_loss": [
        (LOSS + "values[:-2].sum()", "whatever K is"),
        (LOSS + "values[-latent_dim:].sum()", "what is kept"),
        (LOSS + "values[:latent_dim].sum()", "as many eigenvalues as you keep"),
        (LOSS + "values[latent_dim:].sum()", "rising order"),
        (LOSS + "values[: len(S) - latent_dim].sqrt().sum()", "square roots"),
        (LOSS + "values[: len(S) - latent_dim].mean()", "their sum"),
        (LOSS + "values[: len(S) - latent_dim].sum() / len(S)", "number of inputs"),
        (LOSS + "values[: len(S) - latent_dim - 1].sum()", "off by one"),
    ],
    "lesson04.largest_angle": [
        (ANGLE + "torch.rad2deg(torch.arccos(cosines.clamp(max=1)))[1]", "expected"),
        (ANGLE + "torch.rad2deg(torch.arccos(cosines).max())", "clamp(max=1)"),
        (
            "def largest_angle(A, B):\n    cosines = torch.linalg.svdvals(A.T @ B).clamp(max=1)\n"
            "    return torch.rad2deg(torch.arccos(cosines.min()))",
            "take the Q of a QR first",
        ),
        (
            "def largest_angle(A, B):\n    U, V = (X / X.norm(dim=0) for X in (A, B))\n"
            "    return torch.rad2deg(torch.arccos(torch.linalg.svdvals(U.T @ V).clamp(max=1).min()))",
            "not orthogonal to each other yet",
        ),
        (ANGLE + "torch.arccos(cosines.min())", "radians"),
        (ANGLE + "torch.rad2deg(torch.arccos(cosines.max()))", "smallest of the principal angles"),
        (ANGLE + "cosines.min()", "is the cosine"),
        (
            "def largest_angle(A, B):\n    cosines = torch.nn.functional.cosine_similarity(A, B, dim=0)\n"
            "    return torch.rad2deg(torch.arccos(cosines)).max()",
            "columns one by one",
        ),
    ],
    "lesson04.repaired": [
        ("def repaired(x, latent_dim):\n    return x", "more than 2 numbers"),
        (
            "def best_directions(x, latent_dim):\n"
            "    return torch.linalg.eigh(x.T @ x / len(x)).eigenvectors[:, -latent_dim:]\n\n\n"
            "def repaired(x, latent_dim):\n    mean = x.mean(dim=0)\n    W = best_directions(x, latent_dim)\n"
            "    return mean + (x - mean) @ W @ W.T",
            "kept the directions",
        ),
        (REPAIRED + "    W = best_directions(x, latent_dim)\n    return x @ W @ W.T", "that we started from"),
        (
            REPAIRED + "    W = best_directions(x - x.mean(dim=0), latent_dim)\n    return x @ W @ W.T",
            "projected x itself",
        ),
        (
            REPAIRED
            + "    mean = x.mean(dim=0)\n    W = best_directions(x - mean, latent_dim)\n    return mean + x @ W @ W.T",
            "projected x itself",
        ),
        (
            REPAIRED
            + "    x = x - x.mean(dim=0)\n    W = best_directions(x, latent_dim)\n    return x @ W @ W.T",
            "not put back",
        ),
        (
            REPAIRED
            + "    mean = x.mean(dim=1, keepdim=True)\n    W = best_directions(x - mean, latent_dim)\n"
            "    return mean + (x - mean) @ W @ W.T",
            "example's own mean",
        ),
        (
            REPAIRED
            + "    mean = x.mean()\n    W = best_directions(x - mean, latent_dim)\n    return mean + (x - mean) @ W @ W.T",
            "mean of everything",
        ),
        (
            REPAIRED + "    mean, std = x.mean(dim=0), x.std(dim=0, correction=0)\n    y = (x - mean) / std\n"
            "    W = best_directions(y, latent_dim)\n    return mean + std * (y @ W @ W.T)",
            "standard deviations",
        ),
    ],
}
