"""Mistakes planted in the exercises of lesson 04: the student's code, and words that the answer must contain."""

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
        (DECODER + "torch.linalg.solve(V @ S @ V.T, V @ S)", "transposed"),
    ],
    "lesson04.best_loss": [
        (LOSS + "values[:-2].sum()", "whatever K is"),
        (LOSS + "values[: len(S) - latent_dim].sum() / len(S)", "number of inputs"),
    ],
    "lesson04.largest_angle": [
        (ANGLE + "torch.rad2deg(torch.arccos(cosines.clamp(max=1)))[1]", "expected"),
        (ANGLE + "torch.rad2deg(torch.arccos(cosines).max())", "clamp(max=1)"),
    ],
    "lesson04.repaired": [
        (
            "def best_directions(x, latent_dim):\n"
            "    return torch.linalg.eigh(x.T @ x / len(x)).eigenvectors[:, -latent_dim:]\n\n\n"
            "def repaired(x, latent_dim):\n    mean = x.mean(dim=0)\n    W = best_directions(x, latent_dim)\n"
            "    return mean + (x - mean) @ W @ W.T",
            "kept the directions",
        ),
        (
            REPAIRED + "    mean, std = x.mean(dim=0), x.std(dim=0, correction=0)\n    y = (x - mean) / std\n"
            "    W = best_directions(y, latent_dim)\n    return mean + std * (y @ W @ W.T)",
            "standard deviations",
        ),
    ],
}
