"""Mistakes planted in the exercises of lesson 05: the student's code, and words that the answer must contain."""

HOLE = "def hole(generated, train, held_out):\n"
DRAW = "def draw(mu, log_var, eps):\n    return "
GENERATE = "def generate(z, eps, weight, mean, noise_var):\n    return "
OWNER = "def owner(z, mu, log_var):\n    apart = (z[:, None] - mu) ** 2\n    return "
PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson05.hole": [
        (
            HOLE
            + "    near = lambda x: torch.cdist(x, train).min(dim=1).values.mean()\n    return near(held_out) / near(generated)",
            "upside down",
        ),
        (
            HOLE
            + "    near = lambda x: (torch.cdist(x, train) ** 2).min(dim=1).values.mean()\n    return near(generated) / near(held_out)",
            "squared",
        ),
    ],
    "lesson05.draw": [
        (DRAW + "mu + torch.exp(log_var) * eps", "square root"),
        (DRAW + "mu + torch.exp(log_var) / 2 * eps", "halved after"),
    ],
    "lesson05.generate": [
        (GENERATE + "mean + z @ weight.T + eps", "eps as it is"),
        (GENERATE + "mean + z @ weight.T + noise_var.mean().sqrt() * eps", "probabilistic PCA"),
    ],
    "lesson05.owner": [
        (OWNER + "(log_var / 2 + apart / log_var.exp()).sum(dim=2).argmin(dim=1)", "one of the two terms"),
        (
            OWNER + "(-(log_var + apart / log_var.exp()) / 2).exp().sum(dim=2).argmax(dim=1)",
            "add the logarithms",
        ),
    ],
}
