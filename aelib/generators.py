"""Two stages of an image generator: a VAE with a tiny KL weight, and a distribution that is fitted to its codes.

Built in lesson 15. x (n, D) are images, z (n, K) codes drawn from q(z|x); a label is one 1 among 0s.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from aelib.denoising import Denoiser, chain, denoising_error
from aelib.models import mlp

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

    from aelib.models import VAE


def scale_factor(z: Tensor) -> Tensor:
    """1 / the root of the mean variance of the K numbers of the codes z (n, K): scale · z has mean variance 1. ()."""
    _check_codes(z)
    variance = z.double().var(dim=0, correction=0).mean()
    if not variance > 0:
        raise ValueError("all codes are alike: their standard deviation is 0, and no factor can make it 1.")
    return variance.rsqrt().to(z.dtype)


def fit_mixture(z: Tensor, n_gaussians: int = 20, seed: int = 0) -> GaussianMixture:
    """A mixture of Gaussians with full covariances, fitted to codes z (n, K) by maximum likelihood (scikit-learn).

    Raises ValueError where a Gaussian would be left without codes.
    """
    from sklearn.mixture import GaussianMixture

    _check_codes(z)
    different = len(z.unique(dim=0))
    if not 1 <= n_gaussians <= different:
        raise ValueError(
            f"a mixture of {n_gaussians} Gaussians needs at least {max(1, n_gaussians)} different codes, or one of them "
            f"would be empty; got {different}, and n_gaussians should be at least 1."
        )
    return GaussianMixture(n_gaussians, random_state=seed).fit(z.double().numpy())


class Flow(nn.Module):
    """A normalising flow for codes: couplings that can be undone turn them into standard normal noise.

    Each coupling keeps half of the numbers; they set shift and log-scale, within ±1, of the other half, and the halves
    change places. At first the couplings do nothing but that.
    z: codes (n, K), K even; only their mean and their mean variance are used. hidden: sizes of the hidden layers of each
    coupling. seed: fixes the initial weights, and leaves torch's global stream as it was.
    Source: L. Dinh, J. Sohl-Dickstein and S. Bengio, Density estimation using Real NVP, ICLR 2017.
    """

    def __init__(
        self, z: Tensor, hidden: Sequence[int] = (32, 32), n_couplings: int = 6, seed: int = 0
    ) -> None:
        super().__init__()
        K = z.shape[-1]
        self.register_buffer("scale", scale_factor(z))
        self.register_buffer("mean", z.mean(dim=0))
        if K % 2:
            raise ValueError(f"a flow halves the code, so K should be even; got K = {K}.")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.couplings = nn.ModuleList(mlp([K // 2, *hidden, K]) for _ in range(n_couplings))
        for network in self.couplings:
            nn.init.zeros_(network[-1].weight)
            nn.init.zeros_(network[-1].bias)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Noise, and the log-determinant of its derivative by the code: (batch, K) → (batch, K), (batch,)."""
        y = (z - self.mean) * self.scale
        log_det = z.shape[1] * self.scale.log()
        for network in self.couplings:
            kept, other = y.chunk(2, dim=1)
            log_scale, shift = _coupling(network, kept)
            y = torch.cat([other * log_scale.exp() + shift, kept], dim=1)
            log_det = log_det + log_scale.sum(dim=1)
        return y, log_det

    def inverse(self, noise: Tensor) -> Tensor:
        """Codes of noise: (batch, K) → (batch, K)."""
        for network in reversed(self.couplings):
            other, kept = noise.chunk(2, dim=1)
            log_scale, shift = _coupling(network, kept)
            noise = torch.cat([kept, (other - shift) * (-log_scale).exp()], dim=1)
        return self.mean + noise / self.scale

    def log_prob(self, z: Tensor) -> Tensor:
        """The log-density of codes, in nats: (batch, K) → (batch,)."""
        noise, log_det = self(z)
        return Normal(0.0, 1.0).log_prob(noise).sum(dim=1) + log_det


def _coupling(network: nn.Module, kept: Tensor) -> tuple[Tensor, Tensor]:
    log_scale, shift = network(kept).chunk(2, dim=1)
    return log_scale.tanh(), shift


def neg_log_density(model: Flow, z: Tensor) -> Tensor:
    """The loss of a `Flow`: −log m(z) in nats, the mean over the batch (batch, K) → ()."""
    return -model.log_prob(z).mean()


def noise_levels(sigmas: tuple[float, float], n_steps: int) -> list[float]:
    """From the larger of two noise levels down to the smaller, evenly in log σ, and then 0: n_steps + 1 of them."""
    if n_steps < 2:
        raise ValueError(
            f"a chain needs at least two steps, from the largest noise to the smallest and to 0; got {n_steps}."
        )
    low, high = sigmas
    return [*torch.logspace(math.log10(high), math.log10(low), n_steps).tolist(), 0.0]


class LatentDiffusion(nn.Module):
    """Latent diffusion: a trained first stage that no longer learns, a scale factor, and a denoiser of scaled codes.

    first_stage: a VAE; a copy of it is kept. x: images (n, D), whose codes set the scale. n_labels: 0, or how many
    classes can be asked for. hidden, sigmas: as in `Denoiser`; sigmas are in units of the scaled codes, whose mean
    variance is 1. seed: fixes the codes behind the scale, and the initial weights.
    Source: R. Rombach, A. Blattmann, D. Lorenz, P. Esser and B. Ommer, High-resolution image synthesis with latent
    diffusion models, CVPR 2022.
    """

    def __init__(
        self,
        first_stage: VAE,
        x: Tensor,
        n_labels: int = 0,
        hidden: Sequence[int] = (64, 64, 64),
        sigmas: tuple[float, float] = (0.2, 3.0),
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.n_labels, self.sigmas = n_labels, sigmas
        self.first_stage = copy.deepcopy(first_stage).requires_grad_(False)
        with torch.no_grad():
            mu, log_var = first_stage.encode(x)
            z = first_stage.sample(mu, log_var, torch.Generator().manual_seed(seed))
        self.register_buffer("scale", scale_factor(z))
        self.denoiser = Denoiser(self.scale * z, hidden, sigmas, seed, n_labels)

    def encode(self, x: Tensor) -> Tensor:
        """Scaled codes, one drawn for each image: (batch, D) → (batch, K)."""
        return self.scale * self.first_stage.sample(*self.first_stage.encode(x))

    def decode(self, u: Tensor) -> Tensor:
        """Images of scaled codes: (..., K) → (..., D)."""
        return self.first_stage.decode(u / self.scale)

    @torch.no_grad()
    def draw(self, n: int, generator: torch.Generator, *labels: Tensor, n_steps: int = 50) -> Tensor:
        """n images, by n_steps steps of the chain from pure noise; labels (n, n_labels) if it has some: (n, D)."""
        if [tuple(label.shape) for label in labels] != [(n, self.n_labels)] * bool(self.n_labels):
            raise ValueError(
                f"this model was told {self.n_labels} labels when it learned: give draw "
                + (f"one tensor of labels, ({n}, {self.n_labels})." if self.n_labels else "none.")
            )
        levels = noise_levels(self.sigmas, n_steps)
        noise = torch.randn(n, self.first_stage.latent_dim, generator=generator, dtype=self.scale.dtype)
        ways = chain(lambda y, sigma: self.denoiser(y, sigma, *labels), levels[0] * noise, levels)
        return self.decode(ways[-1])


def latent_error(model: LatentDiffusion, rows: Tensor) -> Tensor:
    """The loss of a `LatentDiffusion`: its denoising error on newly drawn, scaled codes, for `rows` of images: → ().

    rows: (batch, D + n_labels), each image followed by its label.
    """
    x, *labels = rows.split([model.first_stage.n_inputs] + [model.n_labels] * bool(model.n_labels), dim=1)
    return denoising_error(model.denoiser, model.encode(x), *labels)


def _check_codes(z: Tensor) -> None:
    if z.ndim != 2 or len(z) < 2 or not z.isfinite().all():
        raise ValueError(
            f"z should hold the finite codes of at least two images, (n, K); got shape {tuple(z.shape)}."
        )
