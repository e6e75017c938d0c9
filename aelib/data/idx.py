"""IDX, the file format of MNIST and Fashion-MNIST: a few header bytes, then the numbers.

Two zero bytes, one byte for the type of number (8: unsigned bytes), one for how many axes there are; then the length
of each axis as a 4-byte integer, the most significant byte first; then the numbers, the last axis running fastest.

Source: Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits.
"""

import math
import struct

import torch
from torch import Tensor

UNSIGNED_BYTE = 8


def parse(content: bytes, name: str = "this file") -> Tensor:
    """The numbers of an IDX file of unsigned bytes, uncompressed: uint8, as many axes as the header says.

    name: what an error calls the file.
    Raises ValueError, with a sentence, if this is not such a file, or if it is cut short or too long.
    """
    sizes = _sizes(content, name)
    start, expected = 4 + 4 * len(sizes), math.prod(sizes)
    if (found := len(content) - start) != expected:
        slip = "cut short" if found < expected else "too long"
        shape = " × ".join(f"{size:,}" for size in sizes)
        raise ValueError(
            f"{name} is {slip}: its header promises {shape} = {expected:,} numbers, and it holds {found:,}."
        )
    if not expected:
        return torch.empty(sizes, dtype=torch.uint8)
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=start).reshape(sizes)


def _sizes(content: bytes, name: str) -> tuple[int, ...]:
    """The length of each axis, from the header."""
    if len(content) < 4 or content[:2] != b"\0\0":
        raise ValueError(
            f"{name} is no IDX file: it should begin with two zero bytes, and begins with {content[:4]!r}."
        )
    kind, n_axes = content[2], content[3]
    if kind != UNSIGNED_BYTE or n_axes == 0:
        raise ValueError(
            f"{name} holds numbers of type {kind} along {n_axes} axes; expected unsigned bytes (type 8) along 1 "
            "or more."
        )
    if len(content) < 4 + 4 * n_axes:
        raise ValueError(f"{name} is cut short: it ends within its header.")
    return struct.unpack_from(f">{n_axes}I", content, 4)
