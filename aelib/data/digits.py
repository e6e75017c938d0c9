"""Real handwritten digits that need no download."""

import torch

from aelib.data.dataset import Dataset, split


def digits() -> Dataset:
    """1,797 real handwritten digits, 8 × 8 pixels, grey levels 0…16 (scale 16), with labels 0…9.

    Each pixel counts the inked points in a 4 × 4 block of a 32 × 32 scan. 1,438 are for training and 359 are held
    out, drawn at random with a fixed seed. They come with scikit-learn (``load_digits``).

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
    """
    from sklearn.datasets import load_digits

    bundle = load_digits()
    train_index, held_out_index = split(len(bundle.data))
    return Dataset(
        name="digits",
        raw=torch.from_numpy(bundle.data.astype("uint8")),
        scale=16.0,
        image_shape=(8, 8),
        train_index=train_index,
        held_out_index=held_out_index,
        labels=torch.from_numpy(bundle.target),
    )
