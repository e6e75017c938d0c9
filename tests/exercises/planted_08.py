"""Mistakes planted in the exercises of lesson 08: the student's code, and words that the answer must contain.

A mistake stands where the stub stood; the cell's last line then calls the check, as in the lesson.
"""

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

"""Codes of the right law, through which no gradient passes."""

CODE = "z = model.sample(mu, log_var)"

OWN_CODE = "torch.rand(1); z = mu + (log_var / 2).exp() * torch.randn(mu.shape)"

PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson08.from_an_empty_cell": [
        (whole("nn.Module", "object", "        super().__init__()\n", ""), "derive from torch.nn.Module"),
        (
            whole(HEADS, "self.to_mu(self.body(x))[:, :2], self.to_log_var(self.body(x))"),
            "the mu of encode should have shape",
        ),
        (
            whole(THROW, "mu + torch.exp(log_var / 4) * torch.randn_like(mu)"),
            "In widths of their clouds the codes scatter by",
        ),
        (whole(CODE, OWN_CODE, "(fit + kl).mean()", "(fit + kl / 2).mean()"), "for clouds and copies"),
        (whole(THROW, "mu.detach() + torch.exp(log_var / 2) * torch.randn_like(mu)"), "its gradient in mu"),
        (whole(THROW, "mu + torch.exp(log_var.data / 2) * torch.randn_like(mu)"), "its gradient in log_var"),
        (whole(THROW, "mu + log_var.sqrt() * torch.randn_like(mu)"), "has no root"),
        (whole(THROW, "mu + log_var * torch.randn_like(mu)"), "the codes scatter by"),
        (
            whole(
                START,
                f"{START}        self.noise = nn.Parameter(torch.tensor(0.05))\n",
                "error / 0.05",
                "error / model.noise.abs()",
            ),
            "It is held at 0.05",
        ),
    ],
    "lesson08.gaussian_nll": [
        (NLL + "(0.5 * (squares / noise_var + D * (log_var + log_2pi))).mean() / D", "mean over the pixels"),
        (
            NLL + "(0.5 * (squares / noise_var**2 + D * (2 * log_var + log_2pi))).mean()",
            "variance σ² already",
        ),
        (
            NLL + "(0.5 * (squares / noise_var + D * (log_var + log_2pi))).mean().item()",
            "no gradient in x_hat",
        ),
    ],
    "lesson08.epoch": [
        (SHUFFLED + STEP.replace("optimiser.zero_grad()\n        ", ""), "zero_grad"),
        (
            SHUFFLED
            + "value = loss(model, x[batch])\n        optimiser.step()\n        optimiser.zero_grad()\n        value.backward()",
            "gradient of the batch before",
        ),
        (SHUFFLED + STEP.replace("\n        optimiser.step()", ""), "have not moved"),
        (
            EPOCH + "torch.arange(len(x)).split(batch_size):\n        " + STEP,
            "each batch is a block of the table",
        ),
        (
            EPOCH
            + "(torch.arange(len(x)).split(batch_size)[k] for k in torch.randperm(-(-len(x) // batch_size))):\n        "
            + STEP,
            "each batch is a block of the table",
        ),
        (
            EPOCH
            + "(b[torch.randperm(len(b))] for b in torch.arange(len(x)).split(batch_size)):\n        "
            + STEP,
            "each batch is a block of the table",
        ),
        (
            EPOCH
            + "torch.randperm(len(x))[: len(x) // batch_size * batch_size].split(batch_size):\n        "
            + STEP,
            "never used: the last batch is smaller",
        ),
        (EPOCH + "torch.randint(len(x), (len(x),)).split(batch_size):\n        " + STEP, "used once"),
        (
            SHUFFLED.replace(
                "    for", "    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)\n    for", 1
            )
            + STEP,
            "the given optimiser",
        ),
    ],
    "lesson08.score_gradient": [
        (SCORE + "log_p[:, None] * (z - mu) / (log_var / 2).exp()", "you divided by σ"),
        (
            SCORE + "(log_p[:, None] * (z - mu) / log_var.exp()).mean(dim=0)",
            "averaged or summed over the draws",
        ),
        (SCORE + "(log_p[:, None] * (z - mu) / log_var.exp()).sum(0)", "averaged or summed over the draws"),
    ],
    "lesson08.implied_sigma": [
        (SIGMA + "b / (2 * a)", "take its root"),
        (SIGMA + "(weight * n_pixels / 2) ** 0.5", "(08.7), for a mean over the pixels and a sum over"),
        (SIGMA + "n_pixels**0.5", "compare the error's weight"),
    ],
    "lesson08.bugs": [
        (
            models(
                "a", "0.5 * ((x - x_hat).square() / noise_var + math.log(2 * math.pi * noise_var)).mean()"
            ),
            "mean over the pixels",
        ),
        (models("b", "mu + log_var.exp() * eps"), "read as log σ"),
        (models("b", "mu + log_var * eps"), "without exp"),
        (models("b", "mu + (2 * log_var).exp() * eps"), "you squared it"),
        (models("c", "(mu**2 + log_var.exp() - 1 - log_var).sum(dim=1).mean()"), "a ½ is missing"),
        (models("c", "0.5 * (mu**2 + log_var.exp() - 1 - log_var).mean()"), "mean over the latents"),
        (
            models("c", "0.5 * (mu**2 + (log_var / 2).exp() - 1 - log_var).sum(dim=1).mean()"),
            "σ where σ² belongs",
        ),
        (
            models("c", "0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1)"),
            "one number for each example",
        ),
        (models("d", "reconstruction - kl"), "the KL is rewarded"),
    ],
}

ACCEPTED: dict[str, list[str]] = {}

ACCEPTED["lesson08.from_an_empty_cell"] = [
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
    SHUFFLED + "optimiser.zero_grad()\n        loss(model, x[batch]).backward()\n        optimiser.step()\n"
    "        print(loss(model, x[batch]).item())",
]
