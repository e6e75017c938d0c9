"""The models that earlier lessons built, kept here for the lessons that come after."""

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from aelib.likelihoods import LIKELIHOODS


def mlp(sizes: Sequence[int], activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers of the given sizes with an activation between each two; the last layer is linear."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), activation()]
    return nn.Sequential(*layers[:-1])


class Autoencoder(nn.Module):
    """An encoder from D numbers to K, and a decoder from K numbers back to D. Built in lesson 01.

    hidden: sizes of the encoder's hidden layers; the decoder has them in reverse order. ``hidden=()`` is linear.
    seed: fixes the initial weights, and leaves torch's global random stream as it was.
    """

    def __init__(self, n_inputs: int, latent_dim: int, hidden: Sequence[int] = (128,), seed: int = 0) -> None:
        super().__init__()
        sizes = _check_sizes([n_inputs, *hidden, latent_dim])
        self.n_inputs, self.latent_dim = sizes[0], sizes[-1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = mlp(sizes)
            self.decoder = mlp(sizes[::-1])

    def encode(self, x: Tensor) -> Tensor:
        """(batch, D) → (batch, K)."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """(batch, K) → (batch, D)."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        """x̂, the reconstruction: (batch, D) → (batch, D)."""
        return self.decode(self.encode(x))


class LinearAutoencoder(nn.Module):
    """x̂ = mean + W V (x − mean), with an encoder V (K, D) and a decoder W (D, K). Built in lesson 04.

    mean: (D,), taken off before encoding and put back after decoding; it does not learn. None means zeros, for data
    that are centred already: on any others, the best W is not that of principal component analysis.
    hidden: sizes of the encoder's hidden layers, the decoder's in reverse order, with nothing between the layers.
    tied: the encoder is the decoder's transpose, V = Wᵀ; then there are no hidden layers.
    seed: fixes the initial weights, normal with variance 1 / (the longer side of the matrix); torch's global random
    stream is left as it was.
    """

    def __init__(
        self,
        n_inputs: int,
        latent_dim: int,
        hidden: Sequence[int] = (),
        tied: bool = False,
        mean: Tensor | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if tied and hidden:
            raise ValueError(
                f"a tied autoencoder has one weight and no hidden layers; got hidden={tuple(hidden)}."
            )
        mean = torch.zeros(n_inputs) if mean is None else mean.detach().clone()
        if mean.shape != (n_inputs,):
            raise ValueError(
                f"mean should have shape ({n_inputs},), one number an input, but has {tuple(mean.shape)}."
            )
        self.n_inputs, self.latent_dim, self.tied = n_inputs, latent_dim, tied
        self.register_buffer("mean", mean)
        sizes = [n_inputs, *hidden, latent_dim]
        generator = torch.Generator().manual_seed(seed)
        self.decoder = _linear_layers(sizes[::-1], generator, mean.dtype)
        self.encoder = None if tied else _linear_layers(sizes, generator, mean.dtype)

    @property
    def weight(self) -> Tensor:
        """W (D, K): the decoder as one matrix, whatever its number of layers."""
        return _product(self.decoder)

    @property
    def encoder_weight(self) -> Tensor:
        """V (K, D): the encoder as one matrix; Wᵀ if tied."""
        return self.weight.T if self.encoder is None else _product(self.encoder)

    def encode(self, x: Tensor) -> Tensor:
        """(batch, D) → (batch, K)."""
        return (x - self.mean) @ self.encoder_weight.T

    def decode(self, z: Tensor) -> Tensor:
        """(batch, K) → (batch, D)."""
        return self.mean + z @ self.weight.T

    def forward(self, x: Tensor) -> Tensor:
        """x̂, the reconstruction: (batch, D) → (batch, D)."""
        return self.decode(self.encode(x))


def _linear_layers(sizes: Sequence[int], generator: torch.Generator, dtype: torch.dtype) -> nn.ParameterList:
    """One (n_out, n_in) matrix for each step from a size to the next."""
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    return nn.ParameterList(
        torch.randn(shape, generator=generator, dtype=dtype) / max(shape) ** 0.5 for shape in shapes
    )


def _product(matrices: nn.ParameterList) -> Tensor:
    """All layers as one matrix, (last size, first size): the first layer stands on the right."""
    product = matrices[0]
    for matrix in list(matrices)[1:]:
        product = matrix @ product
    return product


class FixedCode(nn.Module):
    """A linear code that does not learn, with the decoder of `Autoencoder` behind it. Built in lesson 02.

    With it two codes can be compared fairly: both get the same decoder, trained in the same way.
    code: where the code comes from, `pca` or a random projection. hidden: sizes of the decoder's hidden layers, read
    from the data's side as in `Autoencoder`. seed: fixes the decoder's initial weights; torch's global random stream
    is left as it was.
    """

    def __init__(self, code: "Projection", hidden: Sequence[int] = (128,), seed: int = 0) -> None:
        super().__init__()
        self.n_inputs, self.latent_dim = code.weight.shape
        self.register_buffer("mean", code.mean.detach().clone())
        self.register_buffer("weight", code.weight.detach().clone())
        self.decoder = Autoencoder(self.n_inputs, self.latent_dim, hidden, seed).decoder

    def encode(self, x: Tensor) -> Tensor:
        """(batch, D) → (batch, K), the coordinates that `code` gives."""
        return (x - self.mean) @ self.weight

    def decode(self, z: Tensor) -> Tensor:
        """(batch, K) → (batch, D)."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        """x̂, the reconstruction: (batch, D) → (batch, D)."""
        return self.decode(self.encode(x))


@dataclass(frozen=True)
class Projection:
    """A straight code: the coordinates of x − mean along the columns of weight (D, K), which are orthonormal."""

    mean: Tensor
    weight: Tensor

    def encode(self, x: Tensor) -> Tensor:
        """(batch, D) → (batch, K)."""
        return (x - self.mean) @ self.weight

    def decode(self, z: Tensor) -> Tensor:
        """(batch, K) → (batch, D)."""
        return self.mean + z @ self.weight.T


def pca(x: Tensor, latent_dim: int) -> Projection:
    """Principal component analysis: the projection of x (n, D) onto its first latent_dim principal directions.

    They are the eigenvectors of the covariance, computed in float64, the largest eigenvalue first; of each, the
    entry of the largest size is positive, as in scikit-learn. Lesson 04 proves that no other straight code leaves a
    smaller squared error on x. Raises TypeError or ValueError, with a sentence, for what is no finite float tensor.
    """
    if not isinstance(x, Tensor) or not x.is_floating_point():
        kind = x.dtype if isinstance(x, Tensor) else type(x).__name__
        raise TypeError(
            f"x should be a float tensor (n, D), got {kind}: torch.as_tensor(np.asarray(x), dtype=torch.float32) makes one."
        )
    if not x.isfinite().all():
        raise ValueError(f"{int((~x.isfinite()).sum())} of the {x.numel()} numbers in x are NaN or infinite.")
    most = min(x.shape)
    if not 1 <= latent_dim <= most:
        raise ValueError(
            f"{len(x)} examples of {x.shape[1]} numbers have {most} components; got {latent_dim}."
        )
    directions = torch.linalg.eigh(torch.cov(x.double().T, correction=0)).eigenvectors.flip(1)[:, :latent_dim]
    largest = directions.gather(0, directions.abs().argmax(dim=0, keepdim=True))
    return Projection(x.double().mean(dim=0).to(x.dtype), (directions * largest.sign()).to(x.dtype))


class VAE(nn.Module):
    """An encoder to a Gaussian cloud of codes, q(z|x) = N(mu, diag σ²), and a decoder to a law of x, p(x|z).

    Used as given in lesson 05, built in lesson 08. The prior of the codes is N(0, I). μ and log σ² leave one shared
    body through a layer each; with ``hidden=()`` both are linear in x, and the decoder is linear in z.

    hidden: sizes of the encoder's hidden layers; the decoder has them in reverse order.
    noise_var: σ_x², fixed, in squared units of x; None means that its logarithm is learned, from σ_x² = 1.
    likelihood: the family of p(x|z): "gaussian", N(x̂, σ_x² I); "bernoulli" for binary x; "continuous bernoulli" for
        x in [0, 1]. The last two have no noise_var.
    activation: what stands between the layers.
    seed: fixes the initial weights, and leaves torch's global random stream as it was.
    """

    def __init__(
        self,
        n_inputs: int,
        latent_dim: int,
        hidden: Sequence[int] = (128,),
        noise_var: float | None = None,
        likelihood: str = "gaussian",
        activation: type[nn.Module] = nn.ReLU,
        seed: int = 0,
    ) -> None:
        super().__init__()
        sizes = _check_sizes([n_inputs, *hidden, latent_dim])
        _check_vae(noise_var, likelihood)
        self.n_inputs, self.latent_dim, self.likelihood = sizes[0], sizes[-1], likelihood
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.body = nn.Sequential(*mlp(sizes[:-1], activation), activation()) if hidden else nn.Identity()
            self.to_mu = nn.Linear(sizes[-2], sizes[-1])
            self.to_log_var = nn.Linear(sizes[-2], sizes[-1])
            self.decoder = mlp(sizes[::-1], activation)
        log_noise_var = torch.tensor([1.0 if noise_var is None else float(noise_var)]).log()
        if likelihood == "gaussian" and noise_var is None:
            self.log_noise_var = nn.Parameter(log_noise_var)
        elif likelihood == "gaussian":
            self.register_buffer("log_noise_var", log_noise_var)

    @property
    def noise_var(self) -> Tensor | None:
        """σ_x² > 0, the variance of the decoder's Gaussian in each dimension: (); None without a Gaussian."""
        return self.log_noise_var.exp().squeeze(0) if self.likelihood == "gaussian" else None

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """mu and log_var = log σ² of q(z|x): (batch, D) → (batch, K), (batch, K)."""
        features = self.body(x)
        return self.to_mu(features), self.to_log_var(features)

    def sample(self, mu: Tensor, log_var: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """z = μ + σ ε, one draw from each q(z|x): (batch, K), (batch, K) → (batch, K).

        Without a generator ε comes from torch's global stream, which `training.fit` fixes by its seed.
        """
        if generator is None:
            eps = torch.randn_like(mu)
        else:
            eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype, device=mu.device)
        return mu + (0.5 * log_var).exp() * eps

    def decode(self, z: Tensor) -> Tensor:
        """x̂, the mean of p(x|z): (..., K) → (..., D)."""
        return LIKELIHOODS[self.likelihood].mean(self.decoder(z))

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z) in nats, summed over dimensions: (batch, D), (..., batch, K) → (..., batch)."""
        return LIKELIHOODS[self.likelihood].log_prob(x, self.decoder(z), self.noise_var)

    def draw_x(self, z: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """One draw from p(x|z) for each code, the decoder's noise included: (..., K) → (..., D)."""
        return LIKELIHOODS[self.likelihood].draw(self.decoder(z), self.noise_var, generator)

    def sample_codes(self, n: int, generator: torch.Generator) -> Tensor:
        """n draws from the prior N(0, I): (n, K)."""
        return torch.randn(n, self.latent_dim, generator=generator, dtype=self.to_mu.weight.dtype)

    def sample_aggregate(self, x: Tensor, n: int, generator: torch.Generator) -> Tensor:
        """n draws from q(z), the average of the clouds of the rows of x: a row, then a code: (n, K)."""
        rows = torch.randint(len(x), (n,), generator=generator)
        return self.sample(*self.encode(x[rows]), generator)

    def forward(self, x: Tensor) -> Tensor:
        """x̂ of one code drawn from q(z|x): (batch, D) → (batch, D)."""
        return self.decode(self.sample(*self.encode(x)))


def convolutional_vae(
    image_shape: tuple[int, int],
    latent_dim: int,
    channels: Sequence[int] = (16, 32),
    noise_var: float | None = None,
    likelihood: str = "gaussian",
    seed: int = 0,
) -> VAE:
    """A VAE that sees pictures: its layers look at 4 × 4 neighbourhoods. Built in lesson 11.

    Rows (batch, D) go in and come out, as in any `VAE`. Each layer of the body halves height and width, each of the
    decoder doubles them; both sides of image_shape must be divisible by 2 ** len(channels).

    image_shape: (height, width) of a row. channels: feature maps after each halving, the decoder's in reverse order.
    noise_var, likelihood, seed: as in `VAE`.
    """
    _, _, *channels, latent_dim = _check_sizes([*image_shape, *channels, latent_dim])
    height, width = _halved(image_shape, len(channels))
    model = VAE(math.prod(image_shape), latent_dim, (), noise_var, likelihood, seed=seed)
    n_features = channels[-1] * height * width
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.body = _Pictures((1, *image_shape), _convolutions((1, *channels), nn.Conv2d))
        model.to_mu, model.to_log_var = nn.Linear(n_features, latent_dim), nn.Linear(n_features, latent_dim)
        upwards = _convolutions((*channels[::-1], 1), nn.ConvTranspose2d)[:-1]
        unpack = nn.Sequential(nn.Linear(latent_dim, n_features), nn.ReLU())
        model.decoder = nn.Sequential(unpack, _Pictures((channels[-1], height, width), upwards))
    return model


def _convolutions(channels: Sequence[int], layer: type[nn.Module]) -> nn.Sequential:
    """A layer that halves (or doubles) both sides, and a ReLU, for each step from a number of channels to the next."""
    steps = [
        (layer(n_in, n_out, kernel_size=4, stride=2, padding=1), nn.ReLU())
        for n_in, n_out in pairwise(channels)
    ]
    return nn.Sequential(*(module for step in steps for module in step))


class _Pictures(nn.Module):
    """Layers on pictures, between rows of numbers: (..., n_in) → (..., n_out). shape: (channels, height, width)."""

    def __init__(self, shape: tuple[int, int, int], layers: nn.Module) -> None:
        super().__init__()
        self.shape, self.layers = shape, layers

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.reshape(-1, *self.shape)).reshape(*x.shape[:-1], -1)


def _halved(image_shape: Sequence[int], times: int) -> list[int]:
    """Height and width after so many halvings."""
    if len(image_shape) != 2 or times < 1 or any(side < 1 or side % 2**times for side in image_shape):
        raise ValueError(
            f"image_shape should be (height, width), both divisible by {2**times} for {times} entries of channels, "
            f"and channels needs at least one; got image_shape {tuple(image_shape)}."
        )
    return [side // 2**times for side in image_shape]


def _check_sizes(sizes: Sequence[int]) -> list[int]:
    """The sizes as Python's own whole numbers, numpy's taken too."""
    whole = [operator.index(size) for size in sizes if hasattr(size, "__index__")]
    if len(whole) < len(sizes) or min(whole) < 1:
        raise ValueError(
            f"every layer needs a whole number of units, at least 1; got sizes {sizes} (inputs, hidden, code)."
        )
    return whole


def _check_vae(noise_var: float | None, likelihood: str) -> None:
    if likelihood not in LIKELIHOODS:
        raise ValueError(f"likelihood should be one of {', '.join(LIKELIHOODS)}; got {likelihood!r}.")
    if noise_var is not None and likelihood != "gaussian":
        raise ValueError(f"noise_var belongs to the Gaussian likelihood; a {likelihood} one has none.")
    if noise_var is not None and not noise_var > 0:
        raise ValueError(f"noise_var is a variance and should be positive, but is {noise_var:g}.")
