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
CUT = (
    f"({THROW}).detach()",
    "torch.normal(mu, torch.exp(log_var / 2))",
    "torch.distributions.Normal(mu, torch.exp(log_var / 2)).sample()",
)
"""Codes of the right law, through which no gradient passes."""
CODE = "z = model.sample(mu, log_var)"
OWN_CODE = "torch.rand(1); z = mu + (log_var / 2).exp() * torch.randn(mu.shape)"

PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson08.from_an_empty_cell": [
        (whole("nn.Module", "object", "        super().__init__()\n", ""), "derive from torch.nn.Module"),
        (whole(DECODE, ""), "no method decode"),
        (whole(HEADS, "self.to_mu(self.body(x))"), "should return a pair"),
        (whole(HEADS, "self.to_mu(self.body(x)), self.to_mu(self.body(x))"), "are the same numbers"),
        (
            whole(HEADS, "self.to_mu(self.body(x)), self.to_log_var(self.body(x)).relu()"),
            "log_var never changes its sign",
        ),
        (
            whole(HEADS, "self.to_mu(self.body(x)), self.to_log_var(self.body(x)).exp()"),
            "log_var never changes its sign",
        ),
        (
            whole(HEADS, "self.to_mu(self.body(x))[:, :2], self.to_log_var(self.body(x))"),
            "the mu of encode should have shape",
        ),
        (whole(THROW, "mu"), "noise is missing"),
        (
            whole(THROW, "mu + torch.exp(log_var) * torch.randn_like(mu)"),
            "sample: The codes scatter by σ², not by σ",
        ),
        (
            whole(THROW, "mu + torch.exp(log_var / 2) * torch.randn(mu.shape[1])"),
            "One throw serves the whole batch",
        ),
        (
            whole(THROW, "mu + torch.exp(log_var / 2) * torch.rand_like(mu)"),
            "torch.rand is even between 0 and 1",
        ),
        (
            whole(THROW, "mu + torch.exp(log_var / 4) * torch.randn_like(mu)"),
            "In widths of their clouds the codes scatter by",
        ),
        (
            whole(
                "latent_dim), nn.Linear(16, latent_dim)",
                "latent_dim), nn.Linear(16, latent_dim)",
                "nn.Linear(16, n_inputs))",
                "nn.Linear(16, 64))",
            ),
            "the x_hat of decode should have shape",
        ),
        (whole("(fit + kl).mean()", "-(fit + kl).mean()"), "it is the ELBO itself"),
        (whole("(fit + kl).mean()", "(fit - kl).mean()"), "the KL has the wrong sign"),
        (whole("(fit + kl).mean()", "fit.mean()"), "the KL is missing"),
        (whole("kl = 0.5 * (", "kl = ("), "its ½ is missing"),
        (whole("- 1 - log_var).sum(dim=1)", "- 1 - log_var).mean(dim=1)"), "averaged over the latents"),
        (whole("(fit + kl).mean()", "(fit / x.shape[1] + kl).mean()"), "averaged over the pixels"),
        (whole("(fit + kl).mean()", "(fit + kl).sum()"), "summed over the batch"),
        (
            whole(
                "fit = 0.5 * (error / 0.05 + x.shape[1] * math.log(2 * math.pi * 0.05))", "fit = error / 0.1"
            ),
            "½ D log(2πσ_x²) is missing",
        ),
        (
            whole("fit = 0.5 * (error / 0.05 + x.shape[1] * math.log(2 * math.pi * 0.05))", "fit = error"),
            "that is σ_x² = ½",
        ),
        (whole("0.05", "0.05**2"), "0.05 is σ_x² already"),
        (whole("fit = 0.5 * (error / 0.05 + ", "fit = (0.5 * error / 0.05 + "), "without its ½"),
        (whole(CODE, "z = mu"), "In the loss: that is mu itself"),
        (
            whole(CODE, "z = mu + log_var.exp() * torch.randn(mu.shape)"),
            "In the loss: The codes scatter by σ², not by σ",
        ),
        (whole(CODE, OWN_CODE, "(fit + kl).mean()", "(fit + kl / 2).mean()"), "for clouds and copies"),
        (whole("(fit + kl).mean()", "(fit + kl.detach()).mean()"), "the KL has no gradient"),
        (whole(THROW, "mu.detach() + torch.exp(log_var / 2) * torch.randn_like(mu)"), "its gradient in mu"),
        (whole(THROW, "mu + torch.exp(log_var.data / 2) * torch.randn_like(mu)"), "its gradient in log_var"),
        (whole(THROW, "mu + torch.exp(log_var / 2) * torch.randn(len(mu), 1)"), "all latents of an example"),
        (whole(THROW, "mu + torch.exp(log_var / 2) * (torch.rand_like(mu) - 0.5) * 12**0.5"), "not normal"),
        (whole(THROW, "mu + torch.exp(log_var / 2)"), "ε is missing"),
        (whole(THROW, "torch.exp(log_var / 2) * torch.randn_like(mu)"), "μ is missing"),
        (whole(THROW, "torch.randn_like(mu)"), "drawn from the prior"),
        (whole(THROW, "mu + log_var.sqrt() * torch.randn_like(mu)"), "has no root"),
        (whole(THROW, "mu + log_var * torch.randn_like(mu)"), "the codes scatter by"),
        (
            whole("return mu + torch", "torch.manual_seed(0)\n        return mu + torch"),
            "sample: The same throw",
        ),
        (whole(CODE, f"torch.manual_seed(0)\n    {CODE}"), "In the loss: The same throw"),
        (
            whole(
                START,
                f"{START}        self.noise = nn.Parameter(torch.tensor(0.05))\n",
                "error / 0.05",
                "error / model.noise.abs()",
            ),
            "It is held at 0.05",
        ),
        (
            whole(
                "self.to_mu(self.body(x))",
                "self.to_mu(self.body(x).mean(dim=0, keepdim=True).expand(len(x), -1))",
            ),
            "changes with the other examples",
        ),
        (
            whole("return self.decoder(z)", "return self.decoder(z).softmax(dim=0)"),
            "changes with the other codes",
        ),
        (whole("return self.decoder(z)", "return self.decoder(z), 0.05"), "return x̂ alone"),
        (
            whole(
                "self.decoder = nn.Sequential(",
                "self.decoder = (",
                "return self.decoder(z)",
                "for layer in self.decoder:\n            z = layer(z)\n        return z",
            ),
            "decode has no weights among",
        ),
        (whole("model.decode(z)", "model.decoder(z)"), "never calls model.decode"),
        *((whole(THROW, cut), "only the KL's gradient reaches the encoder") for cut in CUT),
        (whole("return self.decoder(z)", "return self.decoder(z.detach())"), "only the KL's gradient"),
        (
            whole("error = (x - model.decode(z)", "error = (x - model.decode(z).detach()"),
            "only the KL's gradient",
        ),
        (whole("(fit + kl).mean()", "(fit + kl).mean().detach()"), "No gradient leaves your loss"),
        (whole("(fit + kl).mean()", "(fit + kl).mean().item()"), "No gradient leaves your loss"),
        (whole("(fit + kl).mean()", "fit + kl"), "your loss should be one number"),
        (
            WHOLE.replace("def my_loss", "MyVAE = MyVAE(6, 3)\n\n\ndef my_loss"),
            "takes your class, without brackets",
        ),
    ],
    "lesson08.gaussian_nll": [
        (NLL + "(0.5 * (squares / noise_var + D * (log_var + log_2pi))).mean() / D", "mean over the pixels"),
        (NLL + "(0.5 * (squares / noise_var + D * (log_var + log_2pi))).sum()", "summed over the batch"),
        (
            NLL + "(squares / noise_var + 0.5 * D * (log_var + log_2pi)).mean()",
            "½ of the Gaussian's exponent",
        ),
        (NLL + "(squares / noise_var + D * (log_var + log_2pi)).mean()", "twice the right value"),
        (
            NLL + "(0.5 * (squares / noise_var**2 + D * (2 * log_var + log_2pi))).mean()",
            "variance σ² already",
        ),
        (NLL + "(0.5 * (squares / noise_var**0.5 + D * (log_var + log_2pi))).mean()", "not its root"),
        (NLL + "(0.5 * squares / noise_var).mean()", "log σ² and log 2π are missing"),
        (NLL + "(0.5 * (squares / noise_var + D * log_2pi)).mean()", "log σ² is missing"),
        (NLL + "(0.5 * (squares / noise_var + D * log_var)).mean()", "log 2π is missing"),
        (NLL + "(0.5 * (squares / noise_var + log_var + log_2pi)).mean()", "every pixel has its own"),
        (NLL + "-(0.5 * (squares / noise_var + D * (log_var + log_2pi))).mean()", "its negative"),
        (NLL + "0.5 * (squares / noise_var + D * (log_var + log_2pi))", "average them over the batch"),
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
        (EPOCH + "[torch.randperm(len(x))]:\n        " + STEP, "A batch had 10 rows"),
        ("def epoch(model, x, loss, optimiser, batch_size):\n    optimiser.step()", "never called"),
        (SHUFFLED + STEP.replace(".backward()", ""), "never backward()"),
        (EPOCH + "torch.randperm(len(x)).split(2):\n        " + STEP, "rows into 5 batches"),
        (
            EPOCH
            + "(torch.arange(k, len(x), -(-len(x) // batch_size)) for k in range(-(-len(x) // batch_size))):\n        "
            + STEP,
            "every n-th row",
        ),
        (SHUFFLED.replace("    for", "    torch.manual_seed(0)\n    for", 1) + STEP, "in the same order"),
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
        (SCORE + "log_p[:, None] * (z - mu) / (2 * log_var).exp()", "not log σ"),
        (SCORE + "log_p[:, None] * (mu - z) / log_var.exp()", "towards z"),
        (SCORE + "-log_p[:, None] * (z - mu) / log_var.exp()", "not the loss −log p(x|z)"),
        (SCORE + "(z - mu) / log_var.exp()", "multiply it by log p"),
        (SCORE + "log_p[:, None] * (z - mu)", "σ² is missing"),
        (SCORE + "log_p.exp()[:, None] * (z - mu) / log_var.exp()", "log p itself"),
        (
            SCORE + "(log_p[:, None] * (z - mu) / log_var.exp()).mean(dim=0)",
            "averaged or summed over the draws",
        ),
        (SCORE + "(log_p[:, None] * (z - mu) / log_var.exp()).sum(0)", "averaged or summed over the draws"),
    ],
    "lesson08.implied_sigma": [
        (SIGMA + "b / (2 * a)", "take its root"),
        (SIGMA + "(b / a) ** 0.5", "the ½ is missing"),
        (SIGMA + "(a / (2 * b)) ** 0.5", "upside down: the heavier the KL"),
        (SIGMA + "(weight * n_pixels / 2) ** 0.5", "(08.7), for a mean over the pixels and a sum over"),
        (SIGMA + "(b * n_pixels / 2) ** 0.5", "(08.7), for a mean over the pixels; here the error is a sum"),
        (SIGMA + "n_pixels**0.5", "compare the error's weight"),
        (SIGMA + "'wide'", "Your σ_x should be"),
        (SIGMA + "(b / 2) ** 0.5", "the pixels do not count"),
        (SIGMA + "(weight / (2 * a)) ** 0.5", "the latents do not count"),
        (SIGMA + "(b / weight / (2 * a)) ** 0.5", "weight is not in it"),
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
        (models("d", "-reconstruction - kl"), "that is the ELBO"),
        (models("d", "kl - reconstruction"), "now the reconstruction has the wrong sign"),
        (models("e", "mu"), "there is no noise"),
        (models("b", "mu + log_var.sqrt() * eps"), "log_var may be negative"),
        (models("e", "mu + log_var.sqrt() * eps"), "log_var may be negative"),
        (models("e", "mu + (log_var / 2).exp() * torch.randn_like(mu)"), "use the eps that is handed in"),
        (models("e", "mu + eps"), "width 1"),
        (
            models("f", "model.decode(torch.randn(n, model.latent_dim, generator=generator)).detach()"),
            "depends on the batch it is decoded in",
        ),
        (
            models("f", "model.eval().decode(torch.zeros(n, model.latent_dim)).detach()"),
            "not the codes that the given generator draws",
        ),
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
