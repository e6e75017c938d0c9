"""Codes as bits: a quantiser, and codes packed into bytes as a file would hold them. Built in lesson 01."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor


def code_range(z: Tensor) -> tuple[Tensor, Tensor]:
    """The smallest and the largest value of each code coordinate: (n, K) → (K,), (K,).

    Take it from training codes: the receiver must know it before the first image arrives.
    """
    return z.min(dim=0).values, z.max(dim=0).values


def cells(z: Tensor, low: Tensor | float, high: Tensor | float, n_bits: int) -> Tensor:
    """The number of the cell, 0 … 2**n_bits − 1, that each value falls into; values outside go to the outermost cells."""
    width = torch.as_tensor(high - low, dtype=z.dtype).clamp_min(
        torch.finfo(z.dtype).tiny
    )  # a constant code has none
    position = (z - low) / width * 2**n_bits
    return position.floor().clamp(0, 2**n_bits - 1)


def centres(cell: Tensor, low: Tensor | float, high: Tensor | float, n_bits: int) -> Tensor:
    """The value in the middle of each cell."""
    return low + (cell + 0.5) / 2**n_bits * (high - low)


def quantise(z: Tensor, low: Tensor | float, high: Tensor | float, n_bits: int) -> Tensor:
    """Each value replaced by the centre of its cell; the shape of ``z`` is kept. low, high: numbers, or (K,)."""
    return centres(cells(z, low, high, n_bits), low, high, n_bits)


def pack(z: Tensor, low: Tensor, high: Tensor, n_bits: int) -> bytes:
    """(n, K) codes as n·K·n_bits bits, eight to a byte, the last byte filled up with zeros."""
    numbers = cells(z, low, high, n_bits).to(torch.int64).numpy()
    bits = numbers[..., None] >> np.arange(n_bits) & 1
    return np.packbits(bits.astype(np.uint8)).tobytes()


def unpack(packed: bytes, low: Tensor, high: Tensor, n_bits: int) -> Tensor:
    """What ``pack`` packed, quantised: (n, K) with K = len(low)."""
    latent_dim = len(low)
    bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8))
    n_examples = len(bits) // (latent_dim * n_bits)
    bits = bits[: n_examples * latent_dim * n_bits].reshape(n_examples, latent_dim, n_bits)
    return centres(torch.from_numpy(bits @ (1 << np.arange(n_bits))), low, high, n_bits)


def best_so_far(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """From (bits, error) pairs, those that no pair with as few bits beats, in order of bits: the lower-left edge."""
    edge: list[tuple[float, float]] = []
    for bits, error in sorted(points):
        if not edge or error < edge[-1][1]:
            edge.append((bits, error))
    return edge
