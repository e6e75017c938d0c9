"""Pictures whose generating numbers are known: what disentanglement is measured on."""

from collections.abc import Callable
from math import pi, sqrt

import torch
from torch import Tensor

from aelib.data.dataset import Dataset, split

SHAPE_NAMES = ("ellipse", "triangle", "heart")
FACTOR_NAMES = ("shape", "x", "y", "scale", "rotation")
POSITION_RANGE = (-0.34, 0.34)
SCALE_RANGE = (0.28, 0.42)
ROTATION_RANGE = (-30.0, 30.0)
SUBPIXELS = 4


def shapes(n_examples: int = 3000, size: int = 16, seed: int = 0) -> Dataset:
    """Generated pictures of one bright shape on black, each made from five known, independent numbers.

    The picture spans [-1, 1] in both directions, y upwards. Every factor is drawn independently and
    uniformly:

    ========  =====================================  ==================================================
    shape     0 ellipse, 1 triangle, 2 heart         a third of the pictures each, on average
    x, y      [-0.34, 0.34]                          where the centre of mass is
    scale     [0.28, 0.42]                           radius of the disc with the same area
    rotation  [-30, 30] degrees, anticlockwise       about the centre of mass
    ========  =====================================  ==================================================

    Each factor can be seen in every picture, and no two settings give the same one. A disc would hide its
    rotation, a square repeats after 90 degrees; here the ellipse (2 : 1) repeats after 180, the equilateral
    triangle after 120 and the heart never, so over this range the two ends are the most different rotations.
    At one scale the three shapes have equal area, so the shape does not tell the scale, nor the scale the
    shape. No shape is cut off by the border.

    raw: (n_examples, size * size) uint8, how many of a pixel's 4 x 4 sub-pixels are covered: 0…16, scale 16,
    as for the digits. labels: the shape. factors: (n_examples, 5) float32, columns as above. One fifth is
    held out, at random. The same seed gives the same pictures; size must be at least 16, below that small
    rotations vanish.
    """
    _check_counts(n_examples, size)
    factors = _draw_factors(n_examples, torch.Generator().manual_seed(seed))
    train_index, held_out_index = split(n_examples, seed=seed)
    return Dataset(
        name="shapes",
        raw=render(factors, size),
        scale=float(SUBPIXELS**2),
        image_shape=(size, size),
        train_index=train_index,
        held_out_index=held_out_index,
        labels=factors[:, 0].long(),
        factors=factors,
        factor_names=FACTOR_NAMES,
    )


def render(factors: Tensor, size: int = 16) -> Tensor:
    """The picture of each row (shape, x, y, scale, rotation): (n, 5) → (n, size * size) uint8, 0…16.

    Values between and beyond the ranges of `shapes` are drawn too, and cut off at the border; shape is 0, 1
    or 2.
    """
    if factors.ndim != 2 or factors.shape[1] != len(FACTOR_NAMES):
        raise ValueError(
            f"expected factors of shape (n, 5), {', '.join(FACTOR_NAMES)}; got {tuple(factors.shape)}."
        )
    if not torch.isin(factors[:, 0], torch.arange(3.0)).all() or not (factors[:, 3] > 0).all():
        raise ValueError("a shape is 0 (ellipse), 1 (triangle) or 2 (heart), and a scale is positive.")
    raw = torch.empty(len(factors), size * size, dtype=torch.uint8)
    for kind, is_inside in enumerate((_in_ellipse, _in_triangle, _in_heart)):
        for rows in (factors[:, 0] == kind).nonzero().flatten().split(16):
            raw[rows] = _coverage(factors[rows, 1:], size, is_inside)
    return raw


def _check_counts(n_examples: int, size: int) -> None:
    if n_examples < 5:
        raise ValueError(
            f"expected at least 5 pictures, so that one can be held out; got n_examples={n_examples}."
        )
    if size < 16:
        raise ValueError(
            f"expected pictures of at least 16 x 16 pixels, got size={size}: rotations would not show."
        )


def _draw_factors(n_examples: int, generator: torch.Generator) -> Tensor:
    kind = torch.randint(len(SHAPE_NAMES), (n_examples, 1), generator=generator)
    low, high = torch.tensor([POSITION_RANGE, POSITION_RANGE, SCALE_RANGE, ROTATION_RANGE]).T
    pose = low + (high - low) * torch.rand(n_examples, 4, generator=generator)
    return torch.cat([kind.float(), pose], dim=1)


def _coverage(pose: Tensor, size: int, is_inside: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """How many sub-pixel centres of each pixel lie inside: (n, 4) x, y, scale, rotation → (n, size *
    size)."""
    x, y, scale, degrees = pose.T[:, :, None, None]
    points = (2 * torch.arange(size * SUBPIXELS) + 1) / (size * SUBPIXELS) - 1
    across, up = (points[None, None, :] - x) / scale, (-points[None, :, None] - y) / scale
    cos, sin = torch.cos(degrees.deg2rad()), torch.sin(degrees.deg2rad())
    covered = is_inside(cos * across + sin * up, cos * up - sin * across)
    blocks = covered.reshape(len(pose), size, SUBPIXELS, size, SUBPIXELS)
    return blocks.sum(dim=(2, 4), dtype=torch.uint8).reshape(len(pose), size * size)


# Each shape has area pi (that of the unit disc) and its centre of mass at the origin.


def _in_ellipse(u: Tensor, v: Tensor) -> Tensor:
    """Half axes sqrt(2), lying, and sqrt(1/2)."""
    return u * u / 2 + 2 * v * v <= 1


def _in_triangle(u: Tensor, v: Tensor) -> Tensor:
    """Equilateral, base below: every side is one inner radius away from the centre."""
    inner_radius = sqrt(pi / (3 * sqrt(3)))
    return (v >= -inner_radius) & (sqrt(3) * u.abs() + v <= 2 * inner_radius)


def _in_heart(u: Tensor, v: Tensor) -> Tensor:
    """A square on its corner, half side h, with a half disc on each of the two upper sides."""
    h = sqrt(pi / (4 + pi))
    centre = h * (pi / 2 + 2 / 3) / (4 + pi)
    a, b = (v + u) / sqrt(2) + centre, (v - u) / sqrt(2) + centre
    in_square = torch.maximum(a.abs(), b.abs()) <= h
    return in_square | ((a - h) ** 2 + b * b <= h * h) | (a * a + (b - h) ** 2 <= h * h)
