"""Mistakes planted in the exercises of lesson 15: the student's code, and words that the answer must contain."""

SIGMA = "def best_noise(slope, beta, noise_var):\n    return "
SCALE = "def code_scale(mu, log_var):\n    return "
GENERATE = (
    "def generate(denoise, decode, eps, sigmas, scale):\n    y = {start} * eps\n"
    "    for sigma, lower in zip(sigmas{end}, sigmas[1:]{end}):\n        d = denoise(y, sigma)\n"
    "        y = d + lower / sigma * (y - d)\n    return decode({decoded})"
)
GAIN = (
    "def held_out_gain(z, new):\n    from torch.distributions import MultivariateNormal, Normal\n"
    "    m = MultivariateNormal({fitted}.mean(dim=0), torch.cov({fitted}.T, correction=0))\n"
    "    return (m.log_prob({judged}) - Normal(0.0, 1.0).log_prob({judged}).sum(dim=1)).mean()"
)
ASK = (
    "def ask_for(z, labels, digit, eps):\n    chosen = z[labels == digit]\n"
    "    L = torch.linalg.cholesky(torch.cov(chosen.T, correction=0))\n    return "
)
PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson15.best_noise": [
        (SIGMA + "beta * noise_var / (slope**2 + beta * noise_var)", "that is σ², the variance"),
        (SIGMA + "(beta * noise_var) ** 0.5 / slope", "the limit for small β"),
    ],
    "lesson15.code_scale": [
        (SCALE + "1 / mu.var(dim=0, correction=0).mean().sqrt()", "the mean of σ² comes on top"),
        (SCALE + "1 / (mu.flatten().var() + log_var.exp().mean()).sqrt()", "as some programs take it"),
        (
            SCALE + "(mu.var(dim=0, correction=0) + log_var.exp().mean(dim=0)).mean().sqrt()",
            "the factor is 1 over it",
        ),
    ],
    "lesson15.generate": [
        (GENERATE.format(start="scale", end="[:-1]", decoded="scale * y"), "All three faults are left"),
        (GENERATE.format(start="sigmas[0]", end="", decoded="scale * y"), "One fault is left"),
        (GENERATE.format(start="sigmas[0]", end="", decoded="y"), "the scale factor is forgotten"),
        (GENERATE.format(start="1", end="", decoded="y / scale"), "noise of the wrong size"),
    ],
    "lesson15.held_out_gain": [
        (GAIN.format(fitted="z", judged="z"), "on the codes to which the Gaussian was fitted"),
        (GAIN.format(fitted="torch.cat([z, new])", judged="new"), "has seen the held-out codes too"),
    ],
    "lesson15.ask_for": [
        (ASK + "z.mean(dim=0) + eps @ L.T", "the mean is that of all codes"),
        (ASK + "chosen.mean(dim=0) + eps @ L", "the Cholesky factor L is used as Lᵀ"),
    ],
}
ACCEPTED: dict[str, list[str]] = {
    "lesson15.best_noise": [
        "def best_noise(slope, beta, noise_var):\n    return (1 + slope**2 / (beta * noise_var)) ** -0.5",
    ],
    "lesson15.generate": [
        "def generate(denoise, decode, eps, sigmas, scale):\n    from aelib.denoising import chain\n"
        "    return decode(chain(denoise, sigmas[0] * eps, sigmas)[-1] / scale)",
    ],
    "lesson15.code_scale": [
        SCALE + "1 / ((mu - mu.mean(dim=0)).square().mean() + log_var.exp().mean()).sqrt()",
    ],
    "lesson15.held_out_gain": [
        "def held_out_gain(z, new):\n    C, away = torch.cov(z.T, correction=0), new - z.mean(dim=0)\n"
        "    squares = new.square().sum(dim=1) - (away @ torch.linalg.inv(C) * away).sum(dim=1)\n"
        "    return 0.5 * (squares.mean() - torch.logdet(C))",
    ],
    "lesson15.ask_for": [
        ASK + "torch.stack([chosen.mean(dim=0) + L @ e for e in eps])",
    ],
}
