"""Lesson 04's second interactive: slide the code size under PCA, a linear and a nonlinear autoencoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, as_float64, as_uint8, synced_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from aelib.data import Dataset
    from aelib.models import Autoencoder, LinearAutoencoder

METHODS = ("PCA", "linear autoencoder", "nonlinear autoencoder")
SPLITS = ("train", "held out")


class BendSlider(Interactive, script="bend_slider"):
    """Digits through codes of K numbers, by an autoencoder without bends and by one with, beside PCA's error.

    ks: the code sizes on offer, increasing, all too small for PCA to copy perfectly.
    images: (2, n_shown, D) in [0, 1], what is shown of each of SPLITS.
    frames: (2, 2, len(ks), n_shown, D): SPLITS x (linear, nonlinear), the reconstructions.
    errors: (3, 2, len(ks)), squared error per pixel: METHODS x SPLITS x ks.

    `latent_dim` and `split` are the state: they follow the controls.
    """

    latent_dim = traitlets.Int(8).tag(sync=True)
    split = traitlets.Enum(SPLITS, "train").tag(sync=True)
    ks = traitlets.List(traitlets.Int()).tag(sync=True)
    image_shape = traitlets.List(traitlets.Int(), [8, 8]).tag(sync=True)
    images = synced_bytes()
    frames = synced_bytes()
    errors = synced_bytes()

    def __init__(
        self,
        ks: Sequence[int],
        images: np.ndarray,
        frames: np.ndarray,
        errors: np.ndarray,
        image_shape: Sequence[int] = (8, 8),
        **state: object,
    ) -> None:
        _check_shapes(ks, np.asarray(images), np.asarray(frames), np.asarray(errors))
        super().__init__(
            ks=list(ks), images=as_uint8(images), frames=as_uint8(frames), errors=as_float64(errors),
            image_shape=list(image_shape), **state,
        )  # fmt: skip
        self.description = self._describe()

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
        ks = sorted(linear)
        splits = [dataset.train, dataset.held_out]
        copies = [[[_through(models[k], x) for k in ks] for models in (linear, nonlinear)] for x in splits]
        errors = [
            [[_mean_square(x_hat, x) for x_hat in of_model] for of_model in of_split]
            for of_split, x in zip(copies, splits, strict=True)
        ]
        pca = [[_pca_errors(splits[0].numpy(), x.numpy(), ks)] for x in splits]
        table = np.concatenate([np.array(pca), np.array(errors)], axis=1).transpose(1, 0, 2)
        frames = np.array(
            [[[x_hat[:n_shown] for x_hat in of_model] for of_model in of_split] for of_split in copies]
        )
        return cls(
            ks, np.stack([x[:n_shown].numpy() for x in splits]), frames, table, dataset.image_shape, **state
        )

    def error_table(self) -> np.ndarray:
        """(3, 2, len(ks)) squared errors per pixel: METHODS x SPLITS x ks."""
        return np.frombuffer(self.errors).reshape(len(METHODS), len(SPLITS), len(self.ks))

    def shown_errors(self) -> np.ndarray:
        """(3,): the errors of METHODS at the present K, on the present split."""
        return self.error_table()[:, SPLITS.index(self.split), self._k()]

    def ratio(self) -> float:
        """The nonlinear autoencoder's error as a multiple of PCA's, now."""
        pca, _, nonlinear = self.shown_errors()
        return float(nonlinear / pca)

    def _k(self) -> int:
        return int(np.abs(np.subtract(self.ks, self.latent_dim)).argmin())

    def _describe(self) -> str:
        pca, linear, nonlinear = self.shown_errors()
        return (
            f"Digits through a code of {self.ks[self._k()]} numbers and back; squared error per pixel on the {self.split} digits "
            f"{pca:.4f} for PCA, {linear:.4f} for the linear and {nonlinear:.4f} for the nonlinear autoencoder; curves of the "
            "three errors against the size of the code."
        )

    def pictures(self) -> dict[str, np.ndarray]:
        """The images and both reconstructions as shown now, each (n_shown, D)."""
        n_inputs = self.image_shape[0] * self.image_shape[1]
        split, k = SPLITS.index(self.split), self._k()
        images = np.frombuffer(self.images, np.uint8).reshape(2, -1, n_inputs) / 255
        frames = np.frombuffer(self.frames, np.uint8).reshape(2, 2, len(self.ks), -1, n_inputs) / 255
        return {"input": images[split], "linear": frames[split, 0, k], "nonlinear": frames[split, 1, k]}

    def picture(self) -> Figure:
        from matplotlib.figure import Figure

        from aelib.plots import STYLE, course_style, image_strip

        with course_style():
            figure = Figure(figsize=(9, 2.9), layout="constrained", dpi=STYLE["figure.dpi"])
            grid = figure.add_gridspec(3, 2, width_ratios=(1.5, 1))
            for row, (name, images) in enumerate(self.pictures().items()):
                image_strip(figure.add_subplot(grid[row, 0]), images, self.image_shape, name)
            self._draw_curves(figure.add_subplot(grid[:, 1]))
        return figure

    def _draw_curves(self, ax: Axes) -> None:
        from aelib.plots import LATENT, LINEAR, RECONSTRUCTION

        pca, linear, nonlinear = self.error_table()[:, SPLITS.index(self.split)]
        ax.plot(self.ks, pca, "--", color=LINEAR, label="PCA")
        ax.plot(self.ks, linear, "o", color=RECONSTRUCTION, markerfacecolor="none", label="linear")
        ax.plot(self.ks, nonlinear, color=RECONSTRUCTION, label="nonlinear")
        ax.axvline(self.ks[self._k()], color=LATENT, linewidth=1.2)
        ax.set_xscale("log", base=2)
        ax.set(
            xlabel="numbers in the code, K",
            title=f"error per pixel, {self.split}",
            xticks=self.ks[::2],
            xticklabels=self.ks[::2],
        )
        ax.legend(fontsize=10)


def _through(model: Autoencoder | LinearAutoencoder, x: object) -> np.ndarray:
    import torch

    dtype = next(model.parameters()).dtype
    with torch.no_grad():
        return model(x.to(dtype)).numpy()


def _mean_square(x_hat: np.ndarray, x: object) -> float:
    return float(np.mean(np.square(x_hat.astype(np.float64) - x.numpy())))


def _pca_errors(train: np.ndarray, x: np.ndarray, ks: Sequence[int]) -> list[float]:
    """Squared error per number of x behind the first K principal directions of train, for each K."""
    mean = train.mean(axis=0, dtype=np.float64)
    directions = np.linalg.svd(train - mean, full_matrices=False)[2]
    kept = np.cumsum(np.square((x - mean) @ directions.T), axis=1)
    total = np.square(x - mean).sum(axis=1, keepdims=True)
    lost = (total - kept).mean(axis=0) / x.shape[1]
    return [float(lost[k - 1]) for k in ks]


def _check_shapes(ks: Sequence[int], images: np.ndarray, frames: np.ndarray, errors: np.ndarray) -> None:
    _, n_shown, n_inputs = images.shape
    expected = {
        "frames": (frames, (2, 2, len(ks), n_shown, n_inputs)),
        "errors": (errors, (len(METHODS), len(SPLITS), len(ks))),
    }
    for name, (array, shape) in expected.items():
        if array.shape != shape:
            raise ValueError(
                f"{name} should have shape {shape} for {len(ks)} code sizes and {n_shown} images, but has {array.shape}."
            )
    if not errors.min() > 1e-12:
        raise ValueError(
            "an error of 0 has no place on a logarithmic scale: leave out code sizes at which PCA copies perfectly."
        )
