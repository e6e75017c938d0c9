"""Mistakes planted in the exercises of lesson 09: the student's code, and words that the answer must contain.

A mistake stands where the stub stood; the cell's last line then calls the check, as in the lesson.
"""

BOUND = "def bound(log_weights):\n    n_samples = len(log_weights)\n    return "
COMPARE = "def compare(first, second):\n    apart = first - second\n    n = len(first)\n    return "
RATE = "def rate_in_bits(mu, log_var):\n    kl = -0.5 * (1 + log_var - mu**2 - log_var.exp())\n    return "
ACTIVE = "def active(mu):\n    return "
BEST = "def best_decoder(z, mu, log_var, x):\n    apart = (z[:, None] - mu) ** 2 / log_var.exp()\n    log_q = -0.5 * (apart + log_var).sum(dim=2)\n    return "

PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson09.bound": [
        (BOUND + "log_weights.mean(dim=0)", "the mean of the logs, the ELBO"),
        (BOUND + "log_weights.logsumexp(dim=0)", "log M is missing"),
        (BOUND + "log_weights.logsumexp(dim=0) + torch.tensor(n_samples).log()", "log M was added"),
        (BOUND + "log_weights.logsumexp(dim=0) / n_samples", "divided the logarithm"),
        (BOUND + "log_weights.exp().mean(dim=0)", "its logarithm is missing"),
        (BOUND + "log_weights.exp().mean(dim=0).log()", "takes out the largest"),
        (
            BOUND + "log_weights.max() + (log_weights - log_weights.max()).exp().mean(dim=0).log()",
            "the largest weight of each image",
        ),
        (
            BOUND + "log_weights.mean(0) + (log_weights - log_weights.mean(0)).exp().mean(dim=0).log()",
            "the largest weight of each image",
        ),
        (BOUND + "log_weights.logsumexp(dim=0) - torch.tensor(50.0).log()", "but not for 20"),
        (
            BOUND + "log_weights.mean() + (log_weights - log_weights.mean()).exp().mean(dim=0).log()",
            "the largest weight of each image",
        ),
        (BOUND + "log_weights.max(dim=0).values", "all samples count"),
        (BOUND + "log_weights.logsumexp(dim=0) - torch.tensor(4).log()", "another number"),
        (BOUND + "log_weights.logsumexp(dim=0) - np.log2(n_samples)", "math.log, not log2"),
        (BOUND + "log_weights.logsumexp(dim=0) - np.log10(n_samples)", "math.log, not log10"),
        (BOUND + "np.log(n_samples) - log_weights.logsumexp(dim=0)", "sign is turned"),
        (BOUND + "log_weights.mean(dim=0) + np.log(n_samples)", "with log M added"),
        (BOUND + "log_weights.mean(dim=0) - np.log(n_samples)", "less log M"),
        (BOUND + "log_weights.max(dim=0).values - np.log(n_samples)", "mean weight over the samples"),
    ],
    "lesson09.compare": [
        (COMPARE + "apart.mean(), apart.std()", "known better, by √n"),
        (COMPARE + "apart.mean(), apart.std() / n", "you divided by n"),
        (COMPARE + "apart.mean().abs(), apart.std() / n**0.5", "wrong sign"),
        (COMPARE + "apart.mean(), apart.std() / 40**0.5", "The standard error is"),
        (COMPARE + "apart.mean(), (first.var() / n + second.var() / n).sqrt()", "the same images"),
        (COMPARE + "apart.mean(), apart.var() / n", "that is a variance"),
        (COMPARE + "apart.mean(), first.std() / n**0.5", "one model's mean"),
        (COMPARE + "-apart.mean(), apart.std() / n**0.5", "wrong sign"),
        (COMPARE + "apart.mean()", "Return two numbers"),
        (COMPARE + "torch.stack([apart.mean(), apart.std()])", "known better, by √n"),
        (COMPARE + "np.array([apart.mean(), apart.std()])", "known better, by √n"),
        (COMPARE + "torch.stack([apart.std() / n**0.5, apart.mean()])", "changed places"),
        (COMPARE + "apart.std() / n**0.5, apart.mean()", "changed places"),
        (COMPARE + "apart.mean(), 1.96 * apart.std() / n**0.5", "95 % bar"),
        (COMPARE + "apart.mean(), 2 * apart.std() / n**0.5", "95 % bar"),
    ],
    "lesson09.rate_in_bits": [
        (RATE + "kl.sum(dim=1).mean()", "those are nats"),
        (RATE + "kl.sum(dim=1).mean() * torch.tensor(2.0).log()", "you multiplied"),
        (RATE + "kl.mean() / torch.tensor(2.0).log()", "average over latents"),
        (RATE + "kl.sum() / torch.tensor(2.0).log()", "sum over the images"),
        (RATE + "-kl.sum(dim=1).mean() / torch.tensor(2.0).log()", "never negative"),
        (
            RATE + "kl.mean()",
            "those are nats; a bit is log 2 nats, so divide by log 2; and that is the average over latents",
        ),
        (RATE + "kl.sum()", "so divide by log 2; and that is the sum over the images"),
        (RATE + "kl.mean() * torch.tensor(2.0).log()", "divide; and that is the average over latents"),
        (RATE + "kl.sum(dim=0).mean() / torch.tensor(2.0).log()", "dim=1 runs over the latents"),
        (RATE + "2 * kl.sum(dim=1).mean() / torch.tensor(2.0).log()", "½ is missing"),
        (
            RATE
            + "(0.5 * (mu**2 + (2 * log_var).exp() - 1 - 2 * log_var)).sum(dim=1).mean() / torch.tensor(2.0).log()",
            "log_var as log σ",
        ),
    ],
    "lesson09.active": [
        (ACTIVE + "mu.var(dim=1) > 0.01", "dim=0"),
        (ACTIVE + "mu.var(dim=0) < 0.01", "the other way round"),
        (ACTIVE + "(mu**2).mean(dim=0) > 0.01", "never moves"),
        (ACTIVE + "mu.std(dim=0) > 0.01", "0.01 is a variance"),
        (ACTIVE + "mu.abs().mean(dim=0) > 0.01", "sits elsewhere and never moves"),
        (ACTIVE + "mu.var(dim=0) > 0", "above 0.01?"),
        (ACTIVE + "mu.var(dim=0) / mu.var(dim=0).max() > 0.01", "above 0.01?"),
        (ACTIVE + "(mu.var(dim=0) > 0.01).sum()", "return which"),
        (ACTIVE + "mu.var(dim=0)", "True or False"),
    ],
    "lesson09.best_decoder": [
        (BEST + "(log_q - torch.tensor(6.283185307179586).log()).exp() @ x", "do not sum to 1"),
        (BEST + "log_q.softmax(dim=0) @ x", "normalised over the codes"),
        (BEST + "x[log_q.argmax(dim=1)]", "own picture"),
        (BEST + "x.mean(dim=0).expand(len(z), -1)", "count alike"),
        (BEST + "(-0.5 * apart.sum(dim=2)).softmax(dim=1) @ x", "height of a cloud"),
        (BEST + "(2 * log_q).softmax(dim=1) @ x", "½ in the exponent"),
        (
            BEST + "(-0.5 * (apart * (log_var / 2).exp() + log_var)).sum(dim=2).softmax(dim=1) @ x",
            "You divided by σ;",
        ),
        (BEST + "(-0.5 * (apart - log_var)).sum(dim=2).softmax(dim=1) @ x", "sign of ½ log σ² is turned"),
        (BEST + "(-(torch.cdist(z, mu) ** 2)).softmax(dim=1) @ x", "widths and the ½ are missing"),
        (BEST + "(-0.5 * torch.cdist(z, mu) ** 2).softmax(dim=1) @ x", "The widths are missing"),
        (BEST + "(-apart - 0.5 * log_var).sum(dim=2).softmax(dim=1) @ x", "½ before the squared distance"),
        (BEST + "(-0.5 * apart - log_var).sum(dim=2).softmax(dim=1) @ x", "½ before log σ² is missing"),
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
