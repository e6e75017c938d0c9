"""Mistakes planted in the exercises of lesson 09: the student's code, and words that the answer must contain."""

BOUND = "def bound(log_weights):\n    n_samples = len(log_weights)\n    return "
COMPARE = "def compare(first, second):\n    apart = first - second\n    n = len(first)\n    return "
RATE = "def rate_in_bits(mu, log_var):\n    kl = -0.5 * (1 + log_var - mu**2 - log_var.exp())\n    return "
ACTIVE = "def active(mu):\n    return "
BEST = "def best_decoder(z, mu, log_var, x):\n    apart = (z[:, None] - mu) ** 2 / log_var.exp()\n    log_q = -0.5 * (apart + log_var).sum(dim=2)\n    return "
PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson09.bound": [
        (BOUND + "log_weights.mean(dim=0)", "the mean of the logs, the ELBO"),
        (BOUND + "log_weights.max(dim=0).values - np.log(n_samples)", "mean weight over the samples"),
    ],
    "lesson09.compare": [
        (COMPARE + "apart.mean(), apart.std()", "known better, by √n"),
        (COMPARE + "apart.mean(), (first.var() / n + second.var() / n).sqrt()", "the same images"),
    ],
    "lesson09.rate_in_bits": [
        (RATE + "kl.sum(dim=1).mean()", "those are nats"),
        (RATE + "2 * kl.sum(dim=1).mean() / torch.tensor(2.0).log()", "½ is missing"),
    ],
    "lesson09.active": [
        (ACTIVE + "mu.var(dim=1) > 0.01", "dim=0"),
        (ACTIVE + "mu.var(dim=0) / mu.var(dim=0).max() > 0.01", "above 0.01?"),
    ],
    "lesson09.best_decoder": [
        (BEST + "(log_q - torch.tensor(6.283185307179586).log()).exp() @ x", "do not sum to 1"),
        (
            BEST
            + "(-0.5 * ((z[:, None] - mu) ** 2 / (2 * log_var).exp() + 2 * log_var)).sum(dim=2).softmax(dim=1) @ x",
            "log_var as log σ",
        ),
    ],
}
ACCEPTED: dict[str, list[str]] = {
    "lesson09.compare": [
        COMPARE + "torch.stack([apart.mean(), apart.std() / n**0.5])",
        COMPARE + "[apart.mean().item(), apart.std(correction=0).item() / n**0.5]",
    ],
}
