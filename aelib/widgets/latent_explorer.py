"""Lesson 01's central interactive: slide the size of the code, and the bits of each of its numbers."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, as_float16, as_float64, as_uint8, synced_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from aelib.data import Dataset
    from aelib.models import Autoencoder

FLOAT32 = 32
BIT_DEPTHS = (1, 2, 3, 4, 5, 6, 7, 8, FLOAT32)
"""Bits a number of the code may have."""
PICTURED = (1, 2, 3, 4, 5, FLOAT32)
"""The bit depths whose pictures are sent; from 6 bits on they look like float32's (2 grey levels in 255)."""
METHODS = ("autoencoder", "PCA")
SPLITS = ("train", "held out")


def coarse(codes: np.ndarray, train_codes: np.ndarray, bits: int) -> np.ndarray:
    """Codes (n, K), each number rounded to `bits` bits over the training codes' range; not with 32."""
    if bits == FLOAT32:
        return codes
    import torch

    from aelib.bits import code_range, quantise

    low, high = code_range(torch.from_numpy(train_codes))
    return quantise(torch.from_numpy(codes), low, high, bits).numpy()


def zlib_bits(raw: np.ndarray) -> dict[str, float]:
    """Bits per image that zlib (level 9) takes for (n, D) uint8 images: each alone, and all in one run."""
    rows = np.ascontiguousarray(raw, dtype=np.uint8)
    alone = sum(len(zlib.compress(row.tobytes(), 9)) for row in rows)
    return {
        "zlib one by one": 8 * alone / len(rows),
        "zlib all at once": 8 * len(zlib.compress(rows.tobytes(), 9)) / len(rows),
    }


class LatentExplorer(Interactive, script="latent_explorer"):
    """Digits through a code of K numbers of b bits and back, by PCA and by an autoencoder, with both errors.

    ks: the code sizes on offer, increasing.
    images: (n_shown, D) in [0, 1], what is shown.
    frames: (len(PICTURED), len(ks), n_shown, D), the autoencoder's reconstructions.
    pca: `mean` (D,), `components` (ks[-1], D) and `codes` (len(BIT_DEPTHS), n_shown, ks[-1]) of the images.
    errors: (2, 2, len(BIT_DEPTHS), len(ks)), squared error per pixel: METHODS x SPLITS x BIT_DEPTHS x ks.
    lossless: bits per image that codecs need for an exact copy, by name.

    `latent_dim` and `bits` are the state: they follow the sliders, and `jslink` ties them to other controls.
    """

    latent_dim = traitlets.Int(8).tag(sync=True)
    bits = traitlets.Int(FLOAT32).tag(sync=True)
    ks = traitlets.List(traitlets.Int()).tag(sync=True)
    bit_depths = traitlets.List(traitlets.Int(), list(BIT_DEPTHS)).tag(sync=True)
    pictured = traitlets.List(traitlets.Int(), list(PICTURED)).tag(sync=True)
    image_shape = traitlets.List(traitlets.Int(), [8, 8]).tag(sync=True)
    lossless = traitlets.Dict().tag(sync=True)
    images = synced_bytes()
    frames = synced_bytes()
    pca = synced_bytes()
    errors = synced_bytes()

    def __init__(
        self,
        ks: Sequence[int],
        images: np.ndarray,
        frames: np.ndarray,
        pca: Mapping[str, np.ndarray],
        errors: np.ndarray,
        lossless: Mapping[str, float],
        image_shape: Sequence[int] = (8, 8),
        **state: int,
    ) -> None:
        _check_shapes(ks, np.asarray(images), np.asarray(frames), pca, np.asarray(errors))
        super().__init__(
            ks=list(ks), images=as_uint8(images), frames=as_uint8(frames), errors=as_float64(errors),
            pca=as_float16([pca["mean"], pca["components"], pca["codes"]]),
            lossless=dict(lossless), image_shape=list(image_shape), **state,
        )  # fmt: skip
        self.description = self._describe()

    @classmethod
    def from_models(
        cls,
        dataset: Dataset,
        autoencoders: Mapping[int, Autoencoder],
        ks: Sequence[int] | None = None,
        n_shown: int = 10,
        lossless: Mapping[str, float] | None = None,
        **state: int,
    ) -> LatentExplorer:
        """From trained autoencoders, one for each K; PCA is fitted on the training split.

        Shown are held-out examples, one of each label where there are labels. Unless it is given, `lossless`
        is `zlib_bits` of the held-out examples.
        """
        ks = sorted(autoencoders) if ks is None else list(ks)
        train, held_out = dataset.train.numpy(), dataset.held_out.numpy()
        shown = held_out[examples_to_show(dataset, n_shown)]
        splits = (train, held_out, shown)
        networks = [_through_network(autoencoders[k], splits) for k in ks]
        pca, pca_errors = _through_pca(splits, ks)
        raw = dataset.raw[dataset.held_out_index].numpy()
        return cls(
            ks, shown, np.stack([frames for frames, _ in networks], axis=1), pca,
            np.stack([np.stack([error for _, error in networks], axis=-1), pca_errors]),
            zlib_bits(raw) if lossless is None else lossless, dataset.image_shape, **state,
        )  # fmt: skip

    def error_table(self) -> np.ndarray:
        """(2, 2, len(BIT_DEPTHS), len(ks)) squared errors per pixel: METHODS x SPLITS x BIT_DEPTHS x ks."""
        return np.frombuffer(self.errors).reshape(2, 2, len(BIT_DEPTHS), len(self.ks))

    def position(self) -> tuple[int, int]:
        """Where the sliders are: the index into `BIT_DEPTHS` and the index into `ks` nearest to the state."""
        return tuple(
            int(np.abs(np.subtract(options, value)).argmin())
            for options, value in ((BIT_DEPTHS, self.bits), (self.ks, self.latent_dim))
        )

    def pictures(self) -> dict[str, np.ndarray]:
        """The images and both reconstructions as shown now, each (n_shown, D)."""
        images = np.frombuffer(self.images, np.uint8) / 255
        n_inputs = self.image_shape[0] * self.image_shape[1]
        b, k = self.position()
        frames = np.frombuffer(self.frames, np.uint8).reshape(len(PICTURED), len(self.ks), -1, n_inputs) / 255
        depth = PICTURED.index(BIT_DEPTHS[b]) if BIT_DEPTHS[b] in PICTURED else -1
        return {
            "input": images.reshape(-1, n_inputs), "PCA": self._pca_pictures(b, self.ks[k], n_inputs),
            "autoencoder": frames[depth, k],
        }  # fmt: skip

    def _pca_pictures(self, b: int, latent_dim: int, n_inputs: int) -> np.ndarray:
        numbers = np.frombuffer(self.pca, "<f2").astype(np.float32)
        mean, components, codes = np.split(numbers, [n_inputs, n_inputs * (1 + self.ks[-1])])
        codes = codes.reshape(len(BIT_DEPTHS), -1, self.ks[-1])[b, :, :latent_dim]
        return mean + codes @ components.reshape(self.ks[-1], n_inputs)[:latent_dim]

    def _describe(self) -> str:
        b, k = self.position()
        autoencoder, pca = self.error_table()[:, 1, b, k]
        return (
            f"Held-out pictures through a code of {self.ks[k]} numbers and back: squared error per "
            f"pixel {autoencoder:.4f} for the autoencoder and {pca:.4f} for PCA; curves of the error against "
            "the size of the code, and against its bits."
        )

    def picture(self) -> Figure:
        from matplotlib.figure import Figure

        from aelib.plots import STYLE, course_style

        with course_style():
            figure = Figure(figsize=(10, 3.2), layout="constrained", dpi=STYLE["figure.dpi"])
            grid = figure.add_gridspec(4, 3, width_ratios=(2, 1, 1))
            self._draw_strips([figure.add_subplot(grid[row, 0]) for row in range(4)])
            size = figure.add_subplot(grid[:, 1])
            self._draw_sizes(size)
            self._draw_bits(figure.add_subplot(grid[:, 2], sharey=size))
        return figure

    def _draw_strips(self, axes: Sequence[Axes]) -> None:
        from aelib.plots import HEAT, image_strip

        pictures = self.pictures()
        for ax, (name, images) in zip(axes, pictures.items(), strict=False):
            image_strip(ax, images, self.image_shape, name)
        error = np.abs(pictures["autoencoder"] - pictures["input"])
        image_strip(axes[3], error, self.image_shape, "its error", cmap=HEAT, top=0.6)

    def _draw_sizes(self, ax: Axes) -> None:
        from aelib.plots import GREY, LATENT, LINEAR, RECONSTRUCTION

        b, k = self.position()
        ax.text(0.98, 0.9, "dotted: training", transform=ax.transAxes, ha="right", color=GREY, fontsize=9)
        for table, colour in zip(self.error_table(), (RECONSTRUCTION, LINEAR), strict=True):
            ax.plot(self.ks, table[1, b], color=colour)
            ax.plot(self.ks, table[0, b], color=colour, linestyle=":", linewidth=1.2)
            ax.plot(self.ks[k], table[1, b, k], "o", color=colour)
        ax.axvline(self.ks[k], color=LATENT, linewidth=1.2)
        ax.set_xscale("log", base=2)
        ax.set(
            xlabel="code size K", title="error per pixel", xticks=[1, 4, 16, 64], xticklabels=[1, 4, 16, 64]
        )

    def _draw_bits(self, ax: Axes) -> None:
        from aelib.bits import best_so_far
        from aelib.plots import LINEAR, RECONSTRUCTION, label_line

        b, k = self.position()
        rates = np.multiply.outer(BIT_DEPTHS, self.ks)
        for table, colour in zip(self.error_table(), (RECONSTRUCTION, LINEAR), strict=True):
            ax.plot(
                *zip(*best_so_far(zip(rates.ravel(), table[1].ravel(), strict=True)), strict=True),
                color=colour,
            )
            ax.plot(rates[b, k], table[1, b, k], "o", color=colour)
        label_line(ax, 1, 0, "autoencoder", RECONSTRUCTION, xytext=(-4, 6), fontsize=9)
        label_line(ax, 20, 0.03, "PCA", LINEAR, fontsize=9)
        ax.plot(list(self.lossless.values()), [0] * len(self.lossless), "D", color="black", clip_on=False)
        label_line(ax, 180, 0, "zlib, exact", "black", xytext=(-20, 8), fontsize=9)
        ax.set_xscale("log", base=2)
        ax.set(xlabel="bits per image", xticks=[1, 8, 64, 512], xticklabels=[1, 8, 64, 512])
        ax.tick_params(labelleft=False)


def examples_to_show(dataset: Dataset, n_shown: int) -> list[int]:
    """Positions in the held-out split: the first example of each label in turn, then the next of each."""
    labels = dataset.held_out_labels
    if labels is None:
        return list(range(min(n_shown, len(dataset.held_out_index))))
    turns = [int((labels[:index] == label).sum()) for index, label in enumerate(labels)]
    return sorted(range(len(turns)), key=lambda index: (turns[index], int(labels[index])))[:n_shown]


def _mean_square(x_hat: np.ndarray, x: np.ndarray) -> float:
    return float(np.mean(np.square(x_hat.astype(np.float64) - x)))


def _through_network(model: Autoencoder, splits: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Frames of the last split, (len(PICTURED), n, D), and errors on the first two, (2, len(BIT_DEPTHS))."""
    import torch

    with torch.no_grad():
        codes = [model.encode(torch.from_numpy(x)).numpy() for x in splits]
        decoded = {
            bits: [model.decode(torch.from_numpy(coarse(z, codes[0], bits))).numpy() for z in codes]
            for bits in BIT_DEPTHS
        }
    frames = np.stack([decoded[bits][2] for bits in PICTURED])
    return frames, np.array(
        [[_mean_square(decoded[bits][split], splits[split]) for bits in BIT_DEPTHS] for split in (0, 1)]
    )


def _through_pca(splits: Sequence[np.ndarray], ks: Sequence[int]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """PCA of the first split: what draws the last, and errors on two, (2, len(BIT_DEPTHS), len(ks))."""
    import torch

    from aelib.models import pca

    fitted = pca(torch.from_numpy(splits[0]).double(), ks[-1])
    mean, components = fitted.mean.numpy(), fitted.weight.T.numpy()
    codes = [(x - mean) @ components.T for x in splits]
    by_bits = [[coarse(z, codes[0], bits) for bits in BIT_DEPTHS] for z in codes]
    errors = [
        [[_mean_square(mean + z[:, :k] @ components[:k], x) for k in ks] for z in depths]
        for x, depths in zip(splits[:2], by_bits[:2], strict=True)
    ]
    return {"mean": mean, "components": components, "codes": np.stack(by_bits[2])}, np.array(errors)


def _check_shapes(
    ks: Sequence[int],
    images: np.ndarray,
    frames: np.ndarray,
    pca: Mapping[str, np.ndarray],
    errors: np.ndarray,
) -> None:
    n_shown, n_inputs = images.shape
    expected = {
        "frames": (frames, (len(PICTURED), len(ks), n_shown, n_inputs)),
        "errors": (errors, (2, 2, len(BIT_DEPTHS), len(ks))),
        "pca['components']": (pca["components"], (ks[-1], n_inputs)),
        "pca['codes']": (pca["codes"], (len(BIT_DEPTHS), n_shown, ks[-1])),
    }
    for name, (array, shape) in expected.items():
        if array.shape != shape:
            raise ValueError(
                f"{name} should have shape {shape} for {len(ks)} code sizes and {n_shown} images, "
                f"but has {array.shape}."
            )
