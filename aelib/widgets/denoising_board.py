"""Lesson 12's central interactive: noisy digits and three denoisers, and the flow of the exact one in the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, counts, numbers
from aelib.widgets.networks import network_layers, run_layers

if TYPE_CHECKING:
    from torch import Tensor

    from aelib.data import Dataset
    from aelib.denoising import Denoiser

LOG2_SIGMA = (-4.25, 0.5)
CURVE_STEP = 0.25
REACH = 1.8
FLOW_STEPS, FLOW_END = 40, 0.02
"""The flow in the plane has so many levels, evenly in log σ, down to FLOW_END, and then 0."""
DENOISERS = ("table", "linear", "network")
NOISES = 4
"""Draws of noise on each held-out digit behind the curves."""


class DenoisingBoard(Interactive, script="denoising_board", title="Take the noise away"):
    """Noisy digits, cleaned by a table of training digits, by the best linear denoiser and by a network; and a flow.

    sigma: the standard deviation of the noise, within 2 to the powers LOG2_SIGMA. across, up: a point of the plane.
    layers: those of the network, as `network_layers` names them. variance: by which its input is scaled. scale: the
    darkest grey.
    arrays: train and images, grey levels of the training digits and of the digits that are shown; noise, what is
    added to these, times sigma; values, axes as rows and mean, the eigenvectors of the training digits' covariance;
    weights, the network's numbers; curves, the held-out error per pixel of DENOISERS at 2 to the powers of LOG2_SIGMA
    in steps of CURVE_STEP; points, the examples in the plane.
    """

    sigma = traitlets.Float(2**-1.75, min=2 ** LOG2_SIGMA[0], max=2 ** LOG2_SIGMA[1]).tag(sync=True)
    across = traitlets.Float(0.2, min=-REACH, max=REACH).tag(sync=True)
    up = traitlets.Float(1.2, min=-REACH, max=REACH).tag(sync=True)
    layers = traitlets.List().tag(sync=True)
    variance = traitlets.Float().tag(sync=True)
    scale = traitlets.Float(16.0).tag(sync=True)
    shapes = {
        "train": ("train", "D"),
        "images": ("shown", "D"),
        "noise": ("shown", "D"),
        "values": ("D",),
        "axes": ("D", "D"),
        "mean": ("D",),
        "weights": ("weights",),
        "curves": (len(DENOISERS), "levels"),
        "points": ("points", 2),
    }

    @classmethod
    def from_model(
        cls, dataset: Dataset, model: Denoiser, points: Tensor, n_shown: int = 8, **state: object
    ) -> DenoisingBoard:
        """A trained denoiser of 8 x 8 digits, and examples (n, 2) for the plane, within ±REACH."""
        from aelib.data import examples_to_show

        _check(dataset, points)
        train = dataset.train.numpy().astype(float)
        mean = train.mean(axis=0)
        values, vectors = np.linalg.eigh((train - mean).T @ (train - mean) / len(train))
        shown = examples_to_show(dataset, n_shown)
        shapes, weights = network_layers(model.network)
        arrays = {
            "train": counts(dataset.raw[dataset.train_index], bits=5),
            "images": counts(dataset.raw[dataset.held_out_index][shown], bits=5),
            "noise": numbers(np.random.default_rng(0).standard_normal((len(shown), train.shape[1])), bits=32),
            "values": numbers(np.maximum(values[::-1], 0)),
            "axes": numbers(vectors.T[::-1], bits=16),
            "mean": numbers(mean),
            "weights": numbers(np.concatenate([part.ravel() for part in weights]), bits=16),
            "curves": numbers(_curves(dataset, model), bits=32),
            "points": numbers(points.numpy()),
        }
        return cls(
            layers=shapes,
            variance=float(model.variance),
            scale=float(dataset.scale),
            arrays=arrays,
            **state,
        )

    def clean(self) -> np.ndarray:
        """(shown, D): the digits before the noise."""
        return self.array("images") / self.scale

    def noisy(self) -> np.ndarray:
        """(shown, D)"""
        return self.clean() + self.sigma * self.array("noise")

    def denoised(self, name: str) -> np.ndarray:
        """(shown, D): what one of DENOISERS makes of the noisy digits."""
        y = self.noisy()
        if name == "table":
            return _average(y, self.array("train") / self.scale, self.sigma)
        mean = self.array("mean")
        if name == "linear":
            axes, values = self.array("axes"), self.array("values")
            return mean + ((y - mean) @ axes.T * values / (values + self.sigma**2)) @ axes
        standard = (y - mean) / np.sqrt(self.variance + self.sigma**2)
        inputs = np.column_stack([standard, np.full(len(y), np.log(self.sigma))]).astype(np.float32)
        weights = self.array("weights").astype(np.float32)
        return mean + np.stack([run_layers(self.layers, weights, row) for row in inputs])

    def flow(self) -> np.ndarray:
        """(FLOW_STEPS + 1, 2): the point of the plane on its way from noise sigma to none."""
        import torch

        from aelib.denoising import chain, posterior_mean

        levels = [*np.geomspace(self.sigma, FLOW_END, FLOW_STEPS), 0.0]
        points = torch.tensor(self.array("points"))
        start = torch.tensor([[self.across, self.up]], dtype=torch.float64)
        return chain(lambda y, sigma: posterior_mean(y, points, sigma), start, levels)[:, 0].numpy()

    def figures(self) -> dict[str, float]:
        """What is shown, by name: errors of the shown digits per pixel, and where the point's average and end lie."""
        error = lambda x: float(np.square(x - self.clean()).mean())  # noqa: E731
        average = _average(np.array([[self.across, self.up]]), self.array("points"), self.sigma)[0]
        return {
            "sigma": self.sigma,
            "noisy": error(self.noisy()),
            **{name: error(self.denoised(name)) for name in DENOISERS},
            "averageX": float(average[0]),
            "averageY": float(average[1]),
            "endX": float(self.flow()[-1, 0]),
            "endY": float(self.flow()[-1, 1]),
        }


def _average(y: np.ndarray, x: np.ndarray, sigma: float) -> np.ndarray:
    """E[x|y] for x on the rows of x."""
    import torch

    from aelib.denoising import posterior_mean

    return posterior_mean(torch.tensor(y), torch.tensor(x), sigma).numpy()


def _curves(dataset: Dataset, model: Denoiser) -> np.ndarray:
    """(3, levels): squared error per pixel of DENOISERS on the held-out examples, by the same noise at each level."""
    import torch

    from aelib.denoising import posterior_mean, wiener

    train, clean = dataset.train, dataset.held_out.repeat(NOISES, 1)
    mean, cov = train.mean(dim=0), torch.cov(train.double().T, correction=0)
    eps = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    ways = (lambda y, s: posterior_mean(y, train, s), lambda y, s: wiener(y, mean, cov, s), model)
    levels = 2 ** np.arange(LOG2_SIGMA[0], LOG2_SIGMA[1] + CURVE_STEP / 2, CURVE_STEP)
    with torch.no_grad():
        errors = [[(way(clean + s * eps, s) - clean).square().mean() for s in levels] for way in ways]
    return np.array(errors)


def _check(dataset: Dataset, points: Tensor) -> None:
    if tuple(dataset.image_shape) != (8, 8) or dataset.scale > 31:
        raise ValueError(
            f"the board shows 8 x 8 pictures of at most 32 grey levels; {dataset.name} has {tuple(dataset.image_shape)}, 0 to {dataset.scale:g}."
        )
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0 or not points.abs().max() <= REACH:
        raise ValueError(
            f"points should have the shape (n, 2) and lie within ±{REACH}; got {tuple(points.shape)}."
        )
