"""Lesson 05's central interactive: walk over the codes of an autoencoder and of a VAE, and see what each decodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, counts, levels, numbers
from aelib.widgets.networks import n_numbers, network_layers, run_layers

if TYPE_CHECKING:
    from torch import Tensor, nn

    from aelib.data import Dataset

REACH = 3.0
"""Each map goes so many standard deviations from its middle, on all sides."""
GRID = 41
"""The shade is computed at so many places across and up."""
DEEPEST = 2.0
"""The shade is full at this ratio of distances, and absent at 1."""
N_MARKS = 170
MODELS = ("autoencoder", "VAE")
VIEWS = ("flat", "slice")


class Plane(NamedTuple):
    """The codes middle + a · across + b · up, with a and b in standard deviations; each part (K,)."""

    middle: np.ndarray
    across: np.ndarray
    up: np.ndarray

    def code(self, a: float, b: float) -> np.ndarray:
        return (self.middle + a * self.across + b * self.up).astype(np.float32)


class LatentPad(Interactive, script="latent_pad", title="Walk over the codes"):
    """Two maps of codes, an autoencoder's and a VAE's; a point on them is decoded in the browser.

    across, up: the point, in standard deviations of the codes (the VAE's prior has 1). view: "flat", all of a code of
    two numbers, or "slice", a plane through a random longer code.
    layers: for each view, the decoders' layers as `network_layers` names them, autoencoder and VAE. real_distance: of
    held-out examples to the nearest training example, on average. labels: those of the marks. scale: the darkest grey.
    arrays: weights, all the decoders' numbers; planes, for each decoder the parts of its `Plane`, one after the other;
    train, grey levels of the training examples; marks, for both models the digits drawn in the flat view: their place
    and, for the VAE, the widths of their clouds; shade, for the four maps, rows from the bottom: 0 where the ratio of
    distances is at most 1, 1 where it is 2 or more.
    """

    across = traitlets.Float(0.0, min=-REACH, max=REACH).tag(sync=True)
    up = traitlets.Float(0.0, min=-REACH, max=REACH).tag(sync=True)
    view = traitlets.Enum(VIEWS, "flat").tag(sync=True)
    layers = traitlets.Dict().tag(sync=True)
    scale = traitlets.Float(16.0).tag(sync=True)
    real_distance = traitlets.Float().tag(sync=True)
    labels = traitlets.List(traitlets.Int()).tag(sync=True)
    shapes = {
        "weights": ("weights",),
        "planes": ("plane numbers",),
        "train": ("train", 64),
        "marks": (len(MODELS), "labels", 4),
        "shade": (len(VIEWS), len(MODELS), GRID, GRID),
    }

    @classmethod
    def from_models(
        cls, dataset: Dataset, models: Mapping[str, tuple[nn.Module, nn.Module]], **state: object
    ) -> LatentPad:
        """From trained pairs (autoencoder, VAE) of 8 x 8 digits: "flat" with two code numbers, "slice" with more."""
        pairs = _checked(dataset, models)
        chosen = [model for view in VIEWS for model in pairs[view]]
        planes = [_plane(model, dataset.train) for model in chosen]
        shapes, parts = zip(*(network_layers(model.decoder) for model in chosen), strict=True)
        real = float(_nearest(dataset.held_out, dataset.train).mean())
        shades = [_shade(*pair, dataset, real) for pair in zip(chosen, planes, strict=True)]
        arrays = {
            "weights": numbers(np.concatenate([array.ravel() for each in parts for array in each]), bits=16),
            "planes": numbers(np.concatenate([part for plane in planes for part in plane]), bits=32),
            "train": counts(dataset.raw[dataset.train_index].reshape(-1, 64), bits=5),
            "marks": numbers(
                [_marks(*pair, dataset) for pair in zip(pairs["flat"], planes, strict=False)], bits=32
            ),
            "shade": levels(np.reshape(shades, (len(VIEWS), len(MODELS), GRID, GRID))),
        }
        layers = {"flat": list(shapes[:2]), "slice": list(shapes[2:])}
        labels = dataset.train_labels[:N_MARKS].tolist()
        return cls(
            layers=layers,
            scale=float(dataset.scale),
            real_distance=real,
            labels=labels,
            arrays=arrays,
            **state,
        )

    def code(self, model: str) -> np.ndarray:
        """(K,): the code at the point, of "autoencoder" or "VAE"."""
        return self._plane(model).code(self.across, self.up)

    def decoded(self, model: str) -> np.ndarray:
        """(D,): what the decoder makes of it, with the float16 weights of the browser; full ink is 1."""
        shapes, start = self._place(model)
        return run_layers(shapes, self.array("weights")[start:].astype(np.float32), self.code(model))

    def distances(self, model: str) -> np.ndarray:
        """(n_train,): from the decoded picture to each training digit."""
        return np.linalg.norm(self.array("train") / self.scale - self.decoded(model), axis=1)

    def ratio(self, model: str) -> float:
        """The distance to the nearest training digit, over what held-out digits have on average."""
        return float(self.distances(model).min() / self.real_distance)

    def mark(self, model: str) -> int:
        """Which of the drawn digits lies nearest to the point in the flat view."""
        places = self._marks(model)[:, :2]
        return int(np.square(places - [self.across, self.up]).sum(axis=1).argmin())

    def _marks(self, model: str) -> np.ndarray:
        return self.array("marks")[MODELS.index(model)]

    def _place(self, model: str) -> tuple[list[list], int]:
        """Layers of this decoder, and where its numbers start."""
        before = 0
        for view in VIEWS:
            for name, shapes in zip(MODELS, self.layers[view], strict=True):
                if (view, name) == (self.view, model):
                    return shapes, before
                before += n_numbers(shapes)
        raise ValueError(f"model should be one of {MODELS}, but is {model!r}.")

    def _plane(self, model: str) -> Plane:
        lengths = [shapes[0][1] for view in VIEWS for shapes in self.layers[view]]
        index = 2 * VIEWS.index(self.view) + MODELS.index(model)
        start, k = 3 * sum(lengths[:index]), lengths[index]
        return Plane(*self.array("planes")[start : start + 3 * k].reshape(3, k))


def _checked(dataset: Dataset, models: Mapping[str, tuple]) -> Mapping[str, tuple]:
    if tuple(dataset.image_shape) != (8, 8) or dataset.scale > 31:
        raise ValueError(
            f"the pad draws 8 x 8 pictures of at most 32 grey levels; {dataset.name} has {tuple(dataset.image_shape)}, 0 to {dataset.scale:g}."
        )
    if set(models) != set(VIEWS) or any(model.latent_dim != 2 for model in models["flat"]):
        raise ValueError(
            'models should hold "flat", an autoencoder and a VAE with two code numbers, and "slice", a pair with more; '
            f"got {sorted(models)}."
        )
    return models


def _mean_codes(model: nn.Module, x: Tensor) -> tuple[np.ndarray, np.ndarray | None]:
    """(n, K) codes, the middle of the cloud for a VAE, and the clouds' widths or None."""
    import torch

    with torch.no_grad():
        code = model.encode(x)
    if isinstance(code, tuple):
        return code[0].double().numpy(), (code[1] / 2).exp().double().numpy()
    return code.double().numpy(), None


def _plane(model: nn.Module, x: Tensor) -> Plane:
    """The prior's units for a VAE; for an autoencoder those of the Gaussian fitted to its codes.

    With two code numbers the directions are theirs; with more, two random ones at a right angle, and the plane passes
    the middle at the distance that a random code has in the other directions. Both models get the same plane.
    """
    z, widths = _mean_codes(model, x)
    k = z.shape[1]
    across, up, aside = _directions(k)
    if widths is not None:
        return Plane(aside, across, up)
    stretch = np.linalg.cholesky(np.cov(z.T, bias=True))
    return Plane(z.mean(axis=0) + stretch @ aside, stretch @ across, stretch @ up)


def _directions(k: int) -> np.ndarray:
    """(3, k): two of length 1 that span the plane, and its distance from the middle."""
    if k == 2:
        return np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    orthonormal = np.linalg.qr(np.random.default_rng(0).standard_normal((k, 3)))[0].T
    return orthonormal * np.array([[1.0], [1.0], [np.sqrt(k - 2)]])


def _marks(model: nn.Module, plane: Plane, dataset: Dataset) -> np.ndarray:
    """(N, 4): place of each drawn digit on the flat map, and the widths of its cloud, 0 for an autoencoder."""
    z, widths = _mean_codes(model, dataset.train[:N_MARKS])
    places = np.linalg.solve(np.stack(plane[1:], axis=1), (z - plane.middle).T).T
    return np.concatenate([places, np.zeros_like(places) if widths is None else widths], axis=1)


def _nearest(x: Tensor, train: Tensor) -> Tensor:
    import torch

    return torch.cdist(x, train).min(dim=1).values


def _shade(model: nn.Module, plane: Plane, dataset: Dataset, real: float) -> np.ndarray:
    """(41 * 41,) in [0, 1], from the lower left corner: how far the decoded pictures lie from the training digits."""
    import torch

    ticks = np.linspace(-REACH, REACH, GRID)
    z = torch.from_numpy(np.stack([plane.code(a, b) for b in ticks for a in ticks]))
    with torch.no_grad():
        ratio = _nearest(model.decode(z), dataset.train).numpy() / real
    return (ratio - 1) / (DEEPEST - 1)
