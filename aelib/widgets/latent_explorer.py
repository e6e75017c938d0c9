"""Lesson 01's central interactive: slide the size of the code, and the bits of each of its numbers."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, levels, numbers

if TYPE_CHECKING:
    from aelib.data import Dataset
    from aelib.models import Autoencoder

FLOAT32 = 32
BIT_DEPTHS = (1, 2, 3, 4, 5, 6, 7, 8, FLOAT32)
"""Bits a number of the code may have."""
PICTURED = (1, 2, 3, 4, 5, FLOAT32)
"""The bit depths whose pictures are sent; from 6 bits on they look like float32's (2 grey levels in 255)."""
LIST_BITS = range(9)
"""Bits of an index into a list of typical pictures, by k-means, beside which both methods are drawn."""
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


class LatentExplorer(Interactive, script="latent_explorer", title="How small can a description get?"):
    """Digits through a code of K numbers of b bits and back, by PCA and by an autoencoder, with both errors.

    ks: the code sizes on offer, increasing. lossless: bits per image that codecs need for an exact copy, by name.
    arrays: images, what is shown; frames, the autoencoder's copies, by PICTURED and ks; errors, squared error per
    pixel, by METHODS, SPLITS, BIT_DEPTHS and ks. PCA's copies are drawn from mean, components and codes. lists, the
    held-out error per pixel of the nearest of 1, 2, 4, ... typical pictures; the one is the mean.

    `latent_dim` and `bits` are the state: they follow the sliders, and `jslink` ties them to other controls.
    """

    latent_dim = traitlets.Int(8).tag(sync=True)
    bits = traitlets.Int(FLOAT32).tag(sync=True)
    ks = traitlets.List(traitlets.Int()).tag(sync=True)
    bit_depths = traitlets.List(traitlets.Int(), list(BIT_DEPTHS)).tag(sync=True)
    pictured = traitlets.List(traitlets.Int(), list(PICTURED)).tag(sync=True)
    lossless = traitlets.Dict().tag(sync=True)
    shapes = {
        "images": ("shown", "rows", "columns"),
        "frames": (len(PICTURED), "ks", "shown", "rows", "columns"),
        "errors": (len(METHODS), len(SPLITS), len(BIT_DEPTHS), "ks"),
        "mean": ("pixels",),
        "components": ("components", "pixels"),
        "codes": (len(BIT_DEPTHS), "shown", "components"),
        "lists": ("lists",),
    }

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
        from aelib.data import examples_to_show

        ks = sorted(autoencoders) if ks is None else list(ks)
        train, held_out = dataset.train.numpy(), dataset.held_out.numpy()
        shown = held_out[examples_to_show(dataset, n_shown)]
        splits = (train, held_out, shown)
        frames, errors = zip(*(_through_network(autoencoders[k], splits) for k in ks), strict=True)
        pca, pca_errors = _through_pca(splits, ks)
        if lossless is None:
            lossless = zlib_bits(dataset.raw[dataset.held_out_index].numpy())
        size = (-1, *dataset.image_shape)
        arrays = {
            "images": levels(shown.reshape(size)),
            "frames": levels(np.stack(frames, axis=1).reshape(len(PICTURED), len(ks), *size)),
            "errors": numbers([np.stack(errors, axis=-1), pca_errors]),
            "lists": numbers(_through_lists(train, held_out)),
        } | {name: numbers(values, bits=16) for name, values in pca.items()}
        return cls(ks=ks, lossless=dict(lossless), arrays=arrays, **state)

    def position(self) -> tuple[int, int]:
        """Where the sliders are: the index into `BIT_DEPTHS` and the index into `ks` nearest to the state."""
        return tuple(
            int(np.abs(np.subtract(options, value)).argmin())
            for options, value in ((BIT_DEPTHS, self.bits), (self.ks, self.latent_dim))
        )

    def pictures(self) -> dict[str, np.ndarray]:
        """The images and both reconstructions as shown now, each (n_shown, rows, columns)."""
        b, k = self.position()
        images, frames = self.array("images"), self.array("frames")
        mean, components, codes = (
            self.array(name).astype(np.float32) for name in ("mean", "components", "codes")
        )
        pca = mean + codes[b, :, : self.ks[k]] @ components[: self.ks[k]]
        depth = PICTURED.index(BIT_DEPTHS[b]) if BIT_DEPTHS[b] in PICTURED else -1
        return {"input": images, "PCA": pca.reshape(images.shape), "autoencoder": frames[depth, k]}


def _mean_square(x_hat: np.ndarray, x: np.ndarray) -> float:
    return float(np.mean(np.square(x_hat.astype(np.float64) - x)))


def _through_lists(train: np.ndarray, held_out: np.ndarray) -> list[float]:
    """Held-out errors of lists made of the first split, of LIST_BITS, as long as it has so many different rows."""
    import torch

    from aelib.codebook import kmeans, nearest

    different = len(np.unique(train, axis=0))
    lists = [kmeans(torch.from_numpy(train), 2**bits) for bits in LIST_BITS if 2**bits <= different]
    x = torch.from_numpy(held_out)
    return [_mean_square(entries[nearest(x, entries)].numpy(), held_out) for entries in lists]


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
