"""Lesson 09's central interactive: VAEs of several code sizes and betas on the bits-distortion plot, and what they do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, levels, numbers

if TYPE_CHECKING:
    from torch import Tensor

    from aelib.data import Dataset
    from aelib.desiderata import Standard
    from aelib.models import VAE

SHOWN, ROWS, PLACES = 8, 5, 7
"""Digits and random codes in a row; latents walked through, and places on each walk, from -3 to 3."""
FIGURES = ("rate", "error", "active", "informative", "robust", "representative", "distance", "coverage")
PICTURES = 2 * SHOWN + ROWS * PLACES
N_DRAWS = 10
UNDEFINED = -1.0
"""In place of a number that does not exist."""


class RateDistortionBoard(Interactive, script="rate_distortion_board", title="What β and K buy"):
    """Choose beta and K: the point moves on the plot; copies, random drawings, walks and gauges follow.

    latent_dim, beta: the model that is shown, one of sizes and one of betas. noise_var: σ_x², the same for all.
    curves: for other methods (bits per image, error) points, by name.
    arrays, models in the order of sizes, then of betas: figures (models, 8), as `FIGURES` names them: rate is the mean
    KL in nats, error the squared error per pixel of copies from drawn codes, both held out; informative, robust and
    representative are those of `aelib.desiderata`; robust is UNDEFINED where no latent is active; distance and coverage
    are of decoded codes from the prior, with real held-out examples as 1. prices (models, largest K), the mean KL of each
    latent in nats, largest first, 0 beyond K. pictures (models, 51, 8, 8): 8 copies, 8 random drawings, 5 walks of 7
    places along the dearest latents. originals (8, 8, 8).
    """

    latent_dim = traitlets.Int(8).tag(sync=True)
    beta = traitlets.Float(1.0).tag(sync=True)
    sizes = traitlets.List(traitlets.Int()).tag(sync=True)
    betas = traitlets.List(traitlets.Float()).tag(sync=True)
    noise_var = traitlets.Float().tag(sync=True)
    curves = traitlets.Dict().tag(sync=True)
    shapes = {
        "figures": ("models", len(FIGURES)),
        "prices": ("models", "latents"),
        "pictures": ("models", PICTURES, 8, 8),
        "originals": (SHOWN, 8, 8),
    }

    @classmethod
    def from_models(
        cls,
        dataset: Dataset,
        models: Mapping[tuple[int, float], VAE],
        curves: Mapping[str, Sequence[tuple[float, float]]],
        **state: object,
    ) -> RateDistortionBoard:
        """From trained VAEs of 8 x 8 pictures, one for each pair (K, beta), all with one noise_var."""
        from aelib.desiderata import Standard

        sizes, betas = (sorted({key[part] for key in models}) for part in (0, 1))
        ordered = _in_order(models, sizes, betas, dataset)
        shown = _one_of_each(dataset)
        prices = [_prices(model, dataset.held_out) for model in ordered]
        pictures = np.stack([_pictures(*pair, shown) for pair in zip(ordered, prices, strict=True)])
        standard = Standard(dataset.train, dataset.held_out)
        figures = np.array([_figures(*pair, dataset, standard) for pair in zip(ordered, prices, strict=True)])
        arrays = {
            "figures": numbers(np.nan_to_num(figures, nan=UNDEFINED)),
            "prices": numbers(
                [np.pad(np.sort(price)[::-1], (0, sizes[-1] - len(price))) for price in prices]
            ),
            "pictures": levels(pictures.reshape(len(ordered), PICTURES, 8, 8), bits=4),
            "originals": levels(shown.reshape(SHOWN, 8, 8), bits=4),
        }
        curves = {name: [list(point) for point in points] for name, points in curves.items()}
        noise_var = float(ordered[0].noise_var)
        return cls(sizes=sizes, betas=betas, noise_var=noise_var, arrays=arrays, curves=curves, **state)

    @property
    def index(self) -> int:
        """Which of the models is shown."""
        return self.sizes.index(self.latent_dim) * len(self.betas) + self.betas.index(self.beta)

    def figure(self, name: str) -> float:
        """One of `FIGURES` of the model that is shown; NaN where it does not exist."""
        value = float(self.array("figures")[self.index, FIGURES.index(name)])
        return math.nan if value == UNDEFINED else value

    @property
    def bits(self) -> float:
        """The rate in bits per image."""
        return self.figure("rate") / math.log(2)

    def latent_bits(self) -> np.ndarray:
        """(K,): the mean KL of each latent in bits, largest first."""
        return self.array("prices")[self.index, : self.latent_dim] / math.log(2)

    def images(self) -> np.ndarray:
        """(51, 8, 8) in [0, 1]: copies, random drawings, and walks of the model that is shown."""
        return self.array("pictures")[self.index]


def _in_order(models: Mapping, sizes: list[int], betas: list[float], dataset: Dataset) -> list[VAE]:
    if len(models) != len(sizes) * len(betas):
        raise ValueError(
            f"a board needs a model for each K with each beta, {len(sizes)} times {len(betas)}; got {len(models)}."
        )
    if tuple(dataset.image_shape) != (8, 8):
        raise ValueError(
            f"the board draws 8 x 8 pictures; those of {dataset.name} are {tuple(dataset.image_shape)}."
        )
    ordered = [models[size, beta] for size in sizes for beta in betas]
    if any(model.noise_var is None or model.noise_var != ordered[0].noise_var for model in ordered):
        raise ValueError(
            "all models should have the same noise_var: only then is beta their only difference."
        )
    return ordered


def _one_of_each(dataset: Dataset) -> Tensor:
    """(8, D): the first held-out digits 0 to 7."""
    labels = dataset.held_out_labels.tolist()
    return dataset.held_out[[labels.index(digit) for digit in range(SHOWN)]]


def _prices(model: VAE, x: Tensor) -> np.ndarray:
    import torch

    from aelib.gaussian import kl_per_latent

    with torch.no_grad():
        return kl_per_latent(*model.encode(x)).double().mean(dim=0).numpy()


def _figures(model: VAE, prices: np.ndarray, dataset: Dataset, standard: Standard) -> list[float]:
    """The numbers of `FIGURES` for one model."""
    import torch

    from aelib.desiderata import active_latents, draw_codes, informative, robust

    x = dataset.held_out
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        mu, log_var = model.encode(x)
        drawn = [model.decode(model.sample(mu, log_var, generator)) for _ in range(N_DRAWS)]
        found = standard.judge(model.decode(draw_codes(model, dataset.train, len(x))))
        copied = informative(x, model.decode(mu), dataset.train.mean(dim=0))
    n_active = int(active_latents(model, x).sum())
    calm = robust(model.encode, x) if n_active else math.nan
    error = sum((x - x_hat).square().mean().item() for x_hat in drawn) / N_DRAWS
    parts = (copied, calm, found.score, found.distance_ratio, found.coverage / found.real_coverage)
    return [float(prices.sum()), error, n_active, *parts]


def _pictures(model: VAE, prices: np.ndarray, shown: Tensor) -> np.ndarray:
    """(51, D): copies of `shown` from drawn codes, decoded codes from the prior, walks through the code of the 3."""
    import torch

    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        mu, log_var = model.encode(shown)
        walks = mu[3].repeat(ROWS * PLACES, 1)
        for row, latent in enumerate(np.argsort(-prices)[:ROWS].tolist()):
            walks[PLACES * row : PLACES * (row + 1), latent] = torch.linspace(-3, 3, PLACES)
        codes = torch.cat([model.sample(mu, log_var, generator), model.sample_codes(SHOWN, generator), walks])
        return model.decode(codes).numpy()
