"""What a training bench should show, by torch and the lessons' own classes: its random numbers, weights and losses.

The generator of the page is written down a second time here: a counter in steps of the golden ratio, mixed by the last
steps of MurmurHash3; normal draws by Box and Muller; orders by Fisher and Yates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from aelib.adam import Adam
from aelib.models import VAE, Autoencoder
from aelib.objectives import neg_elbo, reconstruction_error
from aelib.widgets.training_bench import TrainingBench

WIDTH, BATCH, PER_EPOCH, N_DRAWN = 32, 50, 6, 10
WORD = 2**32


class Stream:
    """The page's random numbers from one seed."""

    def __init__(self, seed: int) -> None:
        self.seed, self.drawn = seed, 0

    def uniform(self, count: int) -> np.ndarray:
        places = np.arange(self.drawn + 1, self.drawn + count + 1, dtype=np.uint64)
        self.drawn += count
        mixed = (places * 0x9E3779B9 + self.seed) % WORD
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
            mixed = (mixed ^ mixed >> np.uint64(shift)) * factor % WORD
        return mixed / WORD

    def normal(self, *shape: int) -> Tensor:
        pairs = self.uniform(2 * math.prod(shape)).reshape(-1, 2)
        draws = np.sqrt(-2 * np.log(1 - pairs[:, 0])) * np.cos(2 * np.pi * pairs[:, 1])
        return torch.from_numpy(draws).reshape(shape)

    def order(self, count: int) -> list[int]:
        order = list(range(count))
        for last, share in zip(range(count - 1, 0, -1), self.uniform(count - 1), strict=True):
            other = int(share * (last + 1))
            order[last], order[other] = order[other], order[last]
        return order


def network(variational: bool, latent_dim: int, noise_var: float = 0.05) -> nn.Module:
    """The lessons' own class in float64."""
    if not variational:
        return Autoencoder(64, latent_dim, hidden=(WIDTH,)).double()
    model = VAE(64, latent_dim, hidden=(WIDTH,), noise_var=noise_var).double()
    model.log_noise_var.fill_(math.log(noise_var))
    return model


def weights(model: nn.Module) -> list[Tensor]:
    """In the order of the page, which has one code layer: both weights of a VAE's heads, then both biases."""
    named = dict(model.named_parameters())
    if isinstance(model, Autoencoder):
        return list(named.values())
    heads = [named.pop(f"{head}.{part}") for part in ("weight", "bias") for head in ("to_mu", "to_log_var")]
    first, rest = list(named.values())[:2], list(named.values())[2:]
    return first + heads + rest


def flat(tensors: list[Tensor]) -> np.ndarray:
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).numpy()


@torch.no_grad()
def begin(model: nn.Module, stream: Stream) -> None:
    """Initial weights, uniform in ±1/√(numbers that come in), a bias like the weight before it."""
    for tensor in weights(model):
        if tensor.ndim == 2:
            bound = tensor.shape[1] ** -0.5
        draws = torch.from_numpy(stream.uniform(tensor.numel()))
        tensor.copy_(bound * (2 * draws - 1).reshape(tensor.shape))


def losses(model: nn.Module, x: Tensor, eps: Tensor, beta: float) -> dict[str, Tensor]:
    """loss, reconstruction and kl with this noise."""
    if isinstance(model, Autoencoder):
        error = reconstruction_error(model, x)
        return {"loss": error, "reconstruction": error, "kl": torch.zeros(())}
    model.sample = lambda mu, log_var, generator=None: mu + (0.5 * log_var).exp() * eps
    return neg_elbo(model, x, beta=beta)


def train(model: nn.Module, batches, lr: float, watch: Callable[[int, dict], None]) -> None:
    """One step for each (x, eps, beta); watch(step, parts) is called after it, with the gradients still there."""
    optimizer = Adam(model.parameters(), lr)
    for step, (x, eps, beta) in enumerate(batches, 1):
        parts = losses(model, x, eps, beta)
        optimizer.zero_grad()
        parts["loss"].backward()
        optimizer.step()
        watch(step, {name: part.item() for name, part in parts.items()})


class Run:
    """A bench's network at its start, trained by torch with the page's random numbers; `now` gives its figures."""

    def __init__(self, bench: TrainingBench) -> None:
        self.bench, self.steps, self.recent = bench, 0, {}
        arrays = (torch.tensor(bench.array(name)).flatten(1) for name in ("train", "held_out"))
        self.train_x, self.held_out = arrays
        start, look, self.random = (Stream(1000 * bench.seed + part) for part in range(3))
        self.model = network(bench.variational, bench.latent_dim, bench.noise_var)
        begin(self.model, start)
        self.noise = look.normal(len(self.held_out), bench.latent_dim)
        self.prior = look.normal(N_DRAWN, bench.latent_dim)

    def batches(self, betas: Iterable[float]) -> Iterator[tuple[Tensor, Tensor, float]]:
        """A batch, its noise and beta for each step."""
        for step, beta in enumerate(betas):
            if step % PER_EPOCH == 0:
                order = self.random.order(len(self.train_x))
            rows = order[step % PER_EPOCH * BATCH :][:BATCH]
            yield self.train_x[rows], self.random.normal(BATCH, self.bench.latent_dim), beta

    def learn(self, betas: Iterable[float], watch: Callable[[int], None] = lambda step: None) -> None:
        """From the start, a step for each beta."""

        def keep(step: int, parts: dict[str, float]) -> None:
            self.steps, self.recent[step % PER_EPOCH] = step, parts["reconstruction"]
            watch(step)

        train(self.model, self.batches(betas), self.bench.lr, keep)

    @torch.no_grad()
    def now(self) -> dict[str, float]:
        parts = losses(self.model, self.held_out, self.noise, 1.0)
        reconstruction = parts["reconstruction"].item()
        return {
            "reconstruction": reconstruction,
            "kl": parts["kl"].item(),
            "training": float(np.mean(list(self.recent.values()) or [reconstruction])),
            "epochs": self.steps / PER_EPOCH,
        }

    @torch.no_grad()
    def pictures(self) -> dict[str, Tensor]:
        """Copies of the held-out digits, and the ten codes of the prior, decoded."""
        self.now()
        return {"copies": self.model(self.held_out), "samples": self.model.decode(self.prior)}


def expected(bench: TrainingBench, steps: int = 0) -> dict[str, float]:
    """The figures that the bench should show after so many steps."""
    run = Run(bench)
    run.learn([bench.beta] * steps)
    return run.now() | {"latentDim": bench.latent_dim, "lr": bench.lr, "beta": bench.beta}


def spread(x: Tensor) -> float:
    """The variance of pictures (n, D), summed over the pixels."""
    return x.var(dim=0, correction=0).sum().item()
