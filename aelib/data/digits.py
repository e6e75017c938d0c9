"""Real handwritten digits that need no download."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from aelib.data.dataset import Dataset, split


def digits() -> Dataset:
    """1,797 real handwritten digits, 8 × 8 pixels, grey levels 0…16 (scale 16), with labels 0…9.

    Each pixel counts the inked points in a 4 × 4 block of a 32 × 32 scan. 1,438 are for training and 359 are held
    out, drawn at random with a fixed seed. They come with scikit-learn (``load_digits``).

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
    """
    table = torch.from_numpy(_table())
    train_index, held_out_index = split(len(table))
    return Dataset(
        name="digits",
        raw=table[:, :-1].contiguous(),
        scale=16.0,
        image_shape=(8, 8),
        train_index=train_index,
        held_out_index=held_out_index,
        labels=table[:, -1].long(),
    )


def _table() -> np.ndarray:
    """(1797, 65) uint8: 64 pixels and the label. The file is read by itself: importing scikit-learn costs 80 MB."""
    package = Path(find_spec("sklearn").submodule_search_locations[0])
    file = package / "datasets" / "data" / "digits.csv.gz"
    if file.exists():
        return np.loadtxt(file, delimiter=",", dtype=np.uint8)
    from sklearn.datasets import load_digits

    bundle = load_digits()
    return np.column_stack([bundle.data, bundle.target]).astype(np.uint8)
