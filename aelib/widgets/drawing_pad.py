"""Draw a digit, and see what a code of K numbers keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, counts, numbers, synced_bytes
from aelib.widgets.networks import n_numbers, network_layers, run_layers

if TYPE_CHECKING:
    from aelib.data import Dataset
    from aelib.models import Autoencoder

SIDE, BLOCK = 32, 4
BOX_WIDTH = 20
"""The data set's digits fill the 32 rows and, most of them, 20 of the 32 columns."""
NARROW = 0.35
"""A drawing thinner than this (width over height), such as a 1, fills proportionally fewer columns."""
LARGEST = 4
"""A small drawing is enlarged at most so many times."""
LEAST_INK = 250
"""99 in 100 digits of the data set have more inked points than this: thinner lines are thickened."""
N_QUANTILES = 101


def fit_to_frame(bitmap: np.ndarray) -> np.ndarray:
    """A drawing (32, 32) of 0 and 1, centred, scaled and thickened as the digits of the data set are.

    NIST's programs brought those to 32 rows and 20 columns and removed their slant, before they were reduced
    to 8 x 8 counts: all 1,797 touch the top and the bottom row, and 8 in 10 have between 267 and 356 inked
    points. Here slant is left as drawn.

    Source: M. D. Garris et al., NIST Form-Based Handprint Recognition System, NISTIR 5469, 1994.
    """
    ink = np.asarray(bitmap, dtype=bool)
    if not ink.any():
        return ink.astype(np.uint8)
    return _thicken(_place(_crop(ink))).astype(np.uint8)


def _crop(ink: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _place(ink: np.ndarray) -> np.ndarray:
    """The cropped drawing stretched into the data set's box, in the middle of the frame."""
    height, width = ink.shape
    tall = min(SIDE, LARGEST * height)
    wide = int(min(BOX_WIDTH, LARGEST * width, np.floor(BOX_WIDTH * width / (NARROW * height) + 0.5)))
    wide = max(wide, 1)
    rows = (2 * np.arange(tall) + 1) * height // (2 * tall)
    columns = (2 * np.arange(wide) + 1) * width // (2 * wide)
    frame = np.zeros((SIDE, SIDE), dtype=bool)
    top, left = (SIDE - tall) // 2, (SIDE - wide) // 2
    frame[top : top + tall, left : left + wide] = ink[np.ix_(rows, columns)]
    return frame


def _thicken(ink: np.ndarray) -> np.ndarray:
    """One point wider on every side, again and again, until there is as much ink as in the data set.

    A drawing that fills less than half of the frame's height is a dot or a dash, and stays.
    """
    if len(_crop(ink)) <= SIDE // 2:
        return ink
    while ink.sum() < LEAST_INK:
        around = np.pad(ink, 1)
        ink = ink | around[2:, 1:-1] | around[:-2, 1:-1] | around[1:-1, 2:] | around[1:-1, :-2]
    return ink


def to_eight_by_eight(bitmap: np.ndarray, fit: bool = True) -> np.ndarray:
    """A drawing (32, 32) of 0 and 1 as the data set would hold it: (8, 8) counts, 0 to 16, of 4 x 4 blocks.

    fit: first bring the drawing to the data set's size and place, with `fit_to_frame`.
    """
    drawing = np.asarray(bitmap)
    if drawing.shape != (SIDE, SIDE):
        raise ValueError(
            f"a drawing has {SIDE} rows of {SIDE} points, each 0 or 1, but this has shape {drawing.shape}."
        )
    ink = fit_to_frame(drawing) if fit else (drawing != 0).astype(np.uint8)
    n_blocks = SIDE // BLOCK
    return ink.reshape(n_blocks, BLOCK, n_blocks, BLOCK).sum(axis=(1, 3)).astype(np.uint8)


def to_bitmap(counts: np.ndarray) -> np.ndarray:
    """A drawing (32, 32) whose 4 x 4 blocks hold these (8, 8) counts, most ink towards inky neighbours."""
    grey = np.asarray(counts, dtype=float).reshape(SIDE // BLOCK, SIDE // BLOCK)
    smooth = _interpolate(_interpolate(grey).T).T
    blocks = smooth.reshape(8, BLOCK, 8, BLOCK).swapaxes(1, 2).reshape(8, 8, BLOCK * BLOCK)
    rank = np.argsort(np.argsort(-blocks, axis=-1, kind="stable"), axis=-1)
    ink = rank < grey[..., None]
    return ink.reshape(8, 8, BLOCK, BLOCK).swapaxes(1, 2).reshape(SIDE, SIDE).astype(np.uint8)


def _interpolate(rows: np.ndarray) -> np.ndarray:
    """Each row of 8 as 32 numbers on straight lines between the middles of the blocks."""
    middles = (np.arange(rows.shape[1]) + 0.5) * BLOCK
    return np.stack([np.interp(np.arange(SIDE) + 0.5, middles, row) for row in rows])


class DrawingPad(Interactive, script="drawing_pad", title="Draw a digit, and see it come back"):
    """A pad to draw a digit on, the 8 by 8 picture that the network sees, its code, and what comes back.

    Encoder and decoder run in the browser at the chosen K.

    networks: for each K its [encoder layers, decoder layers], as `network_layers` names them.
    preset_labels: the names of the presets. code_range: for each K the largest |z| on the training split, the length
    of a full bar.
    arrays: weights, all numbers of the networks, K by K; presets, drawings of 0 and 1; quantiles of the held-out errors
    per pixel, by ks.

    State: `latent_dim`; `bitmap`, 32 x 32 bytes of 0 and 1; `fitted`, true while a preset is shown or rubbed
    out, whose points are in place already. `seen()`, `code()`, `reconstruction()` and `error()` say in
    Python what the browser shows.
    """

    latent_dim = traitlets.Int(8).tag(sync=True)
    bitmap = synced_bytes()
    fitted = traitlets.Bool(False).tag(sync=True)
    ks = traitlets.List(traitlets.Int()).tag(sync=True)
    networks = traitlets.Dict().tag(sync=True)
    preset_labels = traitlets.List(traitlets.Int()).tag(sync=True)
    code_range = traitlets.List(traitlets.Float()).tag(sync=True)
    shapes = {
        "weights": ("weights",),
        "presets": ("preset_labels", SIDE, SIDE),
        "quantiles": ("ks", N_QUANTILES),
    }

    @classmethod
    def from_models(
        cls, dataset: Dataset, autoencoders: Mapping[int, Autoencoder], first: int = 3, **state: int
    ) -> DrawingPad:
        """From trained autoencoders of 8 x 8 digits, one for each K; `first` is the digit to start with."""
        if tuple(dataset.image_shape) != (8, 8) or dataset.scale != 16:
            raise ValueError(
                f"the pad draws 8 x 8 digits with grey levels 0 to 16, but {dataset.name} has shape "
                f"{tuple(dataset.image_shape)} and scale {dataset.scale:g}."
            )
        from aelib.data import examples_to_show

        ks = sorted(autoencoders)
        rows = examples_to_show(dataset, 10)
        presets = np.stack([to_bitmap(row) for row in dataset.raw[dataset.held_out_index][rows].numpy()])
        parts = [
            [network_layers(net) for net in (autoencoders[k].encoder, autoencoders[k].decoder)] for k in ks
        ]
        quantiles, code_range = zip(*(_judge(autoencoders[k], dataset) for k in ks), strict=True)
        weights = [array.ravel() for both in parts for _, arrays in both for array in arrays]
        return cls(
            ks=ks,
            networks={str(k): [shapes for shapes, _ in both] for k, both in zip(ks, parts, strict=True)},
            preset_labels=dataset.held_out_labels[rows].tolist(),
            code_range=list(code_range),
            arrays={
                "weights": numbers(np.concatenate(weights), bits=16),
                "presets": counts(presets, bits=1),
                "quantiles": numbers(quantiles),
            },
            **({"bitmap": presets[first].tobytes(), "fitted": True} | state),
        )

    def drawing(self) -> np.ndarray:
        """(32, 32) of 0 and 1: what is on the pad."""
        return np.frombuffer(self.bitmap, np.uint8).reshape(SIDE, SIDE)

    def draw(self, bitmap: np.ndarray, fitted: bool = False) -> None:
        """Put a drawing (32, 32) on the pad; fitted: its points are in the data set's place already."""
        to_eight_by_eight(bitmap)
        with self.hold_sync():
            self.bitmap, self.fitted = (np.asarray(bitmap) != 0).astype(np.uint8).tobytes(), fitted

    def seen(self) -> np.ndarray:
        """(8, 8) counts 0...16: the drawing as the data set would hold it."""
        return to_eight_by_eight(self.drawing(), fit=not self.fitted)

    def nearest_k(self) -> int:
        """The K on offer that is nearest to `latent_dim`."""
        return min(self.ks, key=lambda k: abs(k - self.latent_dim))

    def _numbers(self, part: int) -> tuple[list[list], np.ndarray]:
        """Layers of the encoder (0) or decoder (1) at this K, and their numbers as the browser has them."""
        at = 0
        for k in self.ks:
            for index, shapes in enumerate(self.networks[str(k)]):
                if k == self.nearest_k() and index == part:
                    return shapes, self.array("weights")[at : at + n_numbers(shapes)].astype(np.float32)
                at += n_numbers(shapes)
        raise ValueError(
            "this pad has no networks: make it with DrawingPad.from_models(dataset, autoencoders)."
        )

    def code(self) -> np.ndarray:
        """(K,), the code of what is seen, with the float16 weights of the browser."""
        return run_layers(*self._numbers(0), self.seen().ravel().astype(np.float32) / 16)

    def reconstruction(self) -> np.ndarray:
        """(8, 8), what comes back, in units where full ink is 1."""
        return run_layers(*self._numbers(1), self.code()).reshape(8, 8)

    def error(self) -> float:
        """Squared error per pixel between what is seen and what comes back."""
        return float(np.mean(np.square(self.reconstruction() - self.seen() / 16)))


def _judge(model: Autoencoder, dataset: Dataset) -> tuple[np.ndarray, float]:
    """Quantiles of the held-out errors per pixel, and the largest |z| of the training codes."""
    import torch

    with torch.no_grad():
        errors = (model(dataset.held_out) - dataset.held_out).square().mean(dim=1).numpy()
        largest = float(model.encode(dataset.train).abs().max())
    return np.quantile(errors, np.linspace(0, 1, N_QUANTILES)), largest
