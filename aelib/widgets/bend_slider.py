"""Lesson 04's second interactive: slide the code size under PCA, a linear and a nonlinear autoencoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, levels, numbers

if TYPE_CHECKING:
    from torch import Tensor, nn

    from aelib.data import Dataset
    from aelib.models import Autoencoder, LinearAutoencoder

METHODS = ("PCA", "linear autoencoder", "nonlinear autoencoder")
SPLITS = ("train", "held out")


class BendSlider(Interactive, script="bend_slider", title="Linear and nonlinear"):
    """Digits through codes of K numbers, by an autoencoder without bends and by one with, beside PCA's error.

    ks: the code sizes on offer, increasing, all too small for PCA to copy perfectly.
    arrays: images, what is shown of each of SPLITS; frames, the copies by the linear and by the nonlinear autoencoder;
    errors, squared error per pixel, by METHODS, SPLITS and ks.

    `latent_dim` and `split` are the state: they follow the controls.
    """

    latent_dim = traitlets.Int(8).tag(sync=True)
    split = traitlets.Enum(SPLITS, "train").tag(sync=True)
    ks = traitlets.List(traitlets.Int()).tag(sync=True)
    shapes = {
        "images": (2, "shown", "rows", "columns"),
        "frames": (2, 2, "ks", "shown", "rows", "columns"),
        "errors": (3, 2, "ks"),
    }

    @classmethod
    def from_models(
        cls,
        dataset: Dataset,
        linear: Mapping[int, LinearAutoencoder],
        nonlinear: Mapping[int, Autoencoder],
        n_shown: int = 8,
        **state: object,
    ) -> BendSlider:
        """From trained autoencoders, one of each kind for each K, and PCA fitted on the training split."""
        ks, splits = sorted(linear), (dataset.train, dataset.held_out)
        copies = [[[_copies(models[k], x) for k in ks] for x in splits] for models in (linear, nonlinear)]
        copies = [_principal_copies(splits, ks), *copies]
        errors = [[[_mean_square(x_hat, x) for x_hat in row] for x, row in zip(splits, of)] for of in copies]  # noqa: B905
        if not np.min(errors) > 1e-12:
            raise ValueError(
                "an error of 0 has no place on a logarithmic scale: leave out code sizes at which PCA copies perfectly."
            )

        def shown(x: Tensor) -> np.ndarray:
            return np.asarray(x[:n_shown]).reshape(-1, *dataset.image_shape)

        frames = [[[shown(x_hat) for x_hat in of[split]] for of in copies[1:]] for split in (0, 1)]
        arrays = {
            "images": levels([shown(x) for x in splits]),
            "frames": levels(frames),
            "errors": numbers(errors),
        }
        return cls(ks=ks, arrays=arrays, **state)

    def shown_errors(self) -> np.ndarray:
        """(3,): the errors of METHODS at the present K, on the present split."""
        k = int(np.abs(np.subtract(self.ks, self.latent_dim)).argmin())
        return self.array("errors")[:, SPLITS.index(self.split), k]


def _copies(model: nn.Module, x: Tensor) -> Tensor:
    import torch

    with torch.no_grad():
        return model(x.to(next(model.parameters()).dtype))


def _principal_copies(splits: tuple[Tensor, Tensor], ks: Sequence[int]) -> list[list[Tensor]]:
    """Copies of each split by PCA fitted on the first."""
    from aelib.models import pca

    projections = [pca(splits[0].double(), k) for k in ks]
    return [[pca.decode(pca.encode(x.double())) for pca in projections] for x in splits]


def _mean_square(x_hat: Tensor, x: Tensor) -> float:
    return float((x_hat.double() - x.double()).square().mean())
