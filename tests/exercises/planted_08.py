"""Mistakes planted in the exercises of lesson 08: the student's code, and words that the answer must contain."""

NLL = (
    "import math\n\ndef gaussian_nll(x, x_hat, noise_var):\n    squares = (x - x_hat).square().sum(dim=1)\n"
    "    D, log_var, log_2pi = x.shape[1], math.log(noise_var), math.log(2 * math.pi)\n    return "
)
EPOCH = "def epoch(model, x, loss, optimiser, batch_size):\n    for batch in "
SHUFFLED = EPOCH + "torch.randperm(len(x)).split(batch_size):\n        "
STEP = "optimiser.zero_grad()\n        loss(model, x[batch]).backward()\n        optimiser.step()"
SCORE = "def score_gradient(log_p, z, mu, log_var):\n    return "
SIGMA = (
    "def implied_sigma(n_pixels, n_latents, error, kl, weight):\n"
    "    a = 1 / n_pixels if error == 'mean' else 1\n    b = weight / n_latents if kl == 'mean' else weight\n    return "
)
RIGHT_MODELS = {
    "reconstruction(x, x_hat, noise_var)": (
        "0.5 * ((x - x_hat).square() / noise_var + math.log(2 * math.pi * noise_var)).sum(dim=1).mean()"
    ),
    "sample_after_b(mu, log_var, eps)": "mu + (log_var / 2).exp() * eps",
    "kl(mu, log_var)": "0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1).mean()",
    "loss(reconstruction, kl)": "reconstruction + kl",
    "sample_after_e(mu, log_var, eps)": "mu + (log_var / 2).exp() * eps",
    "draw(model, n, generator)": "model.eval().decode(torch.randn(n, model.latent_dim, generator=generator)).detach()",
}


def models(letter: str, body: str) -> str:
    """The six repaired functions, all right but the one with this letter, which has the given body."""
    lines = [
        f"def {head}:\n    return {body if k == letter else right}\n"
        for k, (head, right) in zip("abcdef", RIGHT_MODELS.items(), strict=True)
    ]
    return "import math\n\n\n" + "\n\n".join(lines)


WHOLE = """import math
from torch import nn


class MyVAE(nn.Module):
    def __init__(self, n_inputs, latent_dim):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_inputs, 16), nn.ReLU())
        self.to_mu, self.to_log_var = nn.Linear(16, latent_dim), nn.Linear(16, latent_dim)
        self.decoder = nn.Sequential(nn.Linear(latent_dim, 16), nn.ReLU(), nn.Linear(16, n_inputs))

    def encode(self, x):
        return self.to_mu(self.body(x)), self.to_log_var(self.body(x))

    def sample(self, mu, log_var):
        return mu + torch.exp(log_var / 2) * torch.randn_like(mu)

    def decode(self, z):
        return self.decoder(z)


def my_loss(model, x):
    mu, log_var = model.encode(x)
    z = model.sample(mu, log_var)
    error = (x - model.decode(z)).square().sum(dim=1)
    fit = 0.5 * (error / 0.05 + x.shape[1] * math.log(2 * math.pi * 0.05))
    kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1)
    return (fit + kl).mean()
"""


def whole(*changes: str) -> str:
    """A right VAE with its loss, in which each change replaces the piece of text before it."""
    code = WHOLE
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in code, old
        code = code.replace(old, new)
    return code


START = "super().__init__()\n"
DECODE = "    def decode(self, z):\n        return self.decoder(z)\n"
KL = "    kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1)\n"
HEADS = "self.to_mu(self.body(x)), self.to_log_var(self.body(x))"
THROW = "mu + torch.exp(log_var / 2) * torch.randn_like(mu)"
CODE = "z = model.sample(mu, log_var)"
OWN_CODE = "torch.rand(1); z = mu + (log_var / 2).exp() * torch.randn(mu.shape)"
PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson08.from_an_empty_cell": [
        (whole("nn.Module", "object", "        super().__init__()\n", ""), "derive from torch.nn.Module"),
        (whole(DECODE, ""), "no method decode"),
        (whole(HEADS, "self.to_mu(self.body(x))"), "should return a pair"),
        (whole(HEADS, "self.to_mu(self.body(x)), self.to_mu(self.body(x))"), "are the same numbers"),
        (whole(THROW, "mu"), "noise is missing"),
        (
            whole(THROW, "mu + torch.exp(log_var) * torch.randn_like(mu)"),
            "sample: The codes scatter by σ², not by σ",
        ),
        (whole("(fit + kl).mean()", "fit.mean()"), "the KL is missing"),
        (whole("kl = 0.5 * (", "kl = ("), "its ½ is missing"),
        (
            whole(
                "fit = 0.5 * (error / 0.05 + x.shape[1] * math.log(2 * math.pi * 0.05))", "fit = error / 0.1"
            ),
            "½ D log(2πσ_x²) is missing",
        ),
        (whole("x.shape[1] * math.log", "64 * math.log"), "made for 64 pixels"),
        (
            whole("fit = 0.5 * (error / 0.05 + x.shape[1] * math.log(2 * math.pi * 0.05))", "fit = error"),
            "that is σ_x² = ½",
        ),
        (whole(THROW, "mu + torch.exp(log_var / 2)"), "ε is missing"),
        (whole(THROW, "torch.exp(log_var / 2) * torch.randn_like(mu)"), "μ is missing"),
        (whole(THROW, "torch.randn_like(mu)"), "drawn from the prior"),
        (whole(THROW, "mu + log_var.sqrt() * torch.randn_like(mu)"), "has no root"),
        (whole(THROW, "mu + log_var * torch.randn_like(mu)"), "the codes scatter by"),
    ],
    "lesson08.gaussian_nll": [
        (NLL + "(0.5 * (squares / noise_var + D * (log_var + log_2pi))).mean() / D", "mean over the pixels"),
        (
            NLL + "(0.5 * (squares / noise_var**2 + D * (2 * log_var + log_2pi))).mean()",
            "variance σ² already",
        ),
    ],
    "lesson08.epoch": [
        (SHUFFLED + STEP.replace("optimiser.zero_grad()\n        ", ""), "zero_grad"),
        (SHUFFLED + STEP.replace("\n        optimiser.step()", ""), "have not moved"),
        (
            EPOCH + "torch.arange(len(x)).split(batch_size):\n        " + STEP,
            "each batch is a block of the table",
        ),
        (EPOCH + "torch.randint(len(x), (len(x),)).split(batch_size):\n        " + STEP, "used once"),
        (EPOCH + "[torch.randperm(len(x))]:\n        " + STEP, "A batch had 10 rows"),
        ("def epoch(model, x, loss, optimiser, batch_size):\n    optimiser.step()", "never called"),
        (SHUFFLED + STEP.replace(".backward()", ""), "never backward()"),
        (EPOCH + "torch.randperm(len(x)).split(2):\n        " + STEP, "rows into 5 batches"),
    ],
    "lesson08.score_gradient": [
        (SCORE + "log_p[:, None] * (z - mu) / (log_var / 2).exp()", "you divided by σ"),
        (
            SCORE + "(log_p[:, None] * (z - mu) / log_var.exp()).mean(dim=0)",
            "averaged or summed over the draws",
        ),
    ],
    "lesson08.implied_sigma": [
        (SIGMA + "b / (2 * a)", "take its root"),
        (SIGMA + "n_pixels**0.5", "compare the error's weight"),
    ],
    "lesson08.bugs": [
        (
            models(
                "a", "0.5 * ((x - x_hat).square() / noise_var + math.log(2 * math.pi * noise_var)).mean()"
            ),
            "mean over the pixels",
        ),
        (models("b", "mu + log_var * eps"), "without exp"),
        (models("e", "mu"), "there is no noise"),
        (models("e", "mu + eps"), "width 1"),
        (
            models("f", "model.eval().decode(torch.zeros(n, model.latent_dim)).detach()"),
            "not the codes that the given generator draws",
        ),
    ],
}
ACCEPTED: dict[str, list[str]] = {}
ACCEPTED["lesson08.from_an_empty_cell"] = [
    whole("self.to_log_var(self.body(x))", "-nn.functional.softplus(self.to_log_var(self.body(x)))"),
    whole(
        "16", "64", "self.to_log_var(self.body(x))", "-nn.functional.softplus(self.to_log_var(self.body(x)))"
    ),
    whole(
        "16", "64", "self.to_log_var(self.body(x))", "nn.functional.logsigmoid(self.to_log_var(self.body(x)))"
    ),
    whole("nn.Linear(n_inputs, ", "nn.LazyLinear(", "nn.Linear(latent_dim, ", "nn.LazyLinear("),
    whole(CODE, OWN_CODE),
    whole(CODE, "z = torch.distributions.Normal(mu, (log_var / 2).exp()).rsample()"),
    whole(
        "self.to_mu, self.to_log_var = nn.Linear(16, latent_dim), nn.Linear(16, latent_dim)",
        "self.heads = nn.Linear(16, 2 * latent_dim)",
        HEADS,
        "tuple(self.heads(self.body(x)).chunk(2, dim=1))",
    ),
    whole("self.decoder =", "self.decode =", DECODE, ""),
    whole(
        KL,
        "    unit, q = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(mu, (log_var / 2).exp())\n"
        "    kl = (q.log_prob(z) - unit.log_prob(z)).sum(dim=1)\n",
    ),
    whole(KL, "    log_var = log_var.clamp(-6, 6)\n" + KL),
    whole(START, START + "        self.decode = lambda z: self.decoder(z)\n", DECODE, ""),
    whole(
        START,
        START + "        self.drop = nn.Dropout(0.2)\n",
        "to_mu(self.body(x))",
        "to_mu(self.drop(self.body(x)))",
    ),
    whole("        self.decoder =", "        nn.init.zeros_(self.to_log_var.weight)\n        self.decoder ="),
    whole(
        START,
        START + "        self.noise = nn.Parameter(torch.tensor(0.05), requires_grad=False)\n",
        "error / 0.05",
        "error / model.noise",
    ),
    whole(
        "    def decode(self, z):",
        "    def forward(self, x):\n        mu, log_var = self.encode(x)\n"
        "        return mu, log_var, self.decode(self.sample(mu, log_var))\n\n    def decode(self, z):",
        "    mu, log_var = model.encode(x)\n    z = model.sample(mu, log_var)\n",
        "    mu, log_var, x_hat = model(x)\n",
        "model.decode(z)",
        "x_hat",
    ),
]
ACCEPTED["lesson08.epoch"] = [
    SHUFFLED + STEP.replace(".backward()", ".mul(len(batch) / batch_size).backward()"),
    SHUFFLED + "optimiser.zero_grad()\n        loss(model, x[batch]).backward()\n        optimiser.step()\n"
    "        print(loss(model, x[batch]).item())",
]
