"""Tasks of lesson 01, with references of their own."""

import itertools
import math

import numpy as np
import torch

from aelib.exercises.frame import Wrong, array, close, exercise, function, same_shape
from aelib.exercises.help import hint, progress, reset  # noqa: F401
from aelib.exercises.judge import Extreme, task

# --- decibels ---------------------------------------------------------------------------------------------


def _decibels(error) -> float:
    return -10 * math.log10(error)


def _pixels(n: int, D: int, off: float) -> tuple[np.ndarray, np.ndarray]:
    """Images below 0.7, and copies that are off by about this much."""
    x, noise = np.random.default_rng(n).uniform(size=(2, n, D))
    return 0.1 + 0.6 * x, 0.1 + 0.6 * x + off * (noise - 0.4)


def _psnr_slips(x, x_hat) -> dict[str, tuple]:
    off = x - x_hat
    squares, want = off**2, _decibels((off**2).mean())
    each = np.array([_decibels(one) for one in squares.mean(axis=1)])
    peak = 20 * math.log10(x.max())
    return {
        "upside down": (-want, "the peak is divided by the error and not the other way round, so that a better copy scores higher."),
        "factor 20": (2 * want, "the squared error is already a power, so the factor is 10 and not 20."),
        "factor missing": (want / 10, "the factor 10 of the decibels is missing."),
        "natural logarithm": (want * math.log(10), "that is the natural logarithm; decibels use log10."),
        "log2": (want * math.log2(10), "that is log2; decibels use log10."),
        "summed over pixels": (_decibels(squares.sum(axis=1).mean()), "you summed over the pixels; PSNR takes the mean over every pixel."),
        "summed over images": (_decibels(squares.sum(axis=0).mean()), "you summed over the images; PSNR takes the mean over every pixel."),
        "summed over everything": (_decibels(squares.sum()), "you summed over everything; PSNR takes the mean over every pixel."),
        "not squared": (_decibels(abs(off.mean())), "square the differences before you average, or errors of opposite sign cancel."),
        "absolute": (_decibels(abs(off).mean()), "you averaged the sizes of the differences; PSNR averages their squares."),
        "root": (want / 2, "you took the root of the mean squared error; PSNR divides by the error itself."),
        "one logarithm each": (each.mean(), "average the squared error over all images first, then take one logarithm."),
        "one for each image": (each, "that is one value for each image: average the squared error over all images first."),
        "peak of these images": (want + peak, "the peak is 1, the largest value that a pixel may have, not the largest one in these images."),
        "peak 255": ([want + 20 * math.log10(255), want + 20 * math.log10(16)], "the peak is 1 here: pixels lie between 0 and 1."),
        "error itself": (squares.mean(), "that is the mean squared error; its decibels are asked."),
    }  # fmt: skip


@task(
    "01.1",
    cases=[_pixels(6, 64, 0.2), _pixels(3, 10, 0.05), _pixels(2, 5, 4.0)],
    slips=_psnr_slips,
    unit=" dB",
    rule="10 · log10(1 / mean squared error).",
    right=lambda wants: (
        f"Right: {wants[0]:.1f} dB. Halving every pixel's error adds {20 * math.log10(2):.1f} dB, whatever the image."
    ),
)
def psnr(x, x_hat) -> float:
    """``answer(x, x_hat) -> dB`` for images in [0, 1] of shape (n, D)."""
    return _decibels(((x - x_hat) ** 2).mean())


# --- the smallest code that is good enough ----------------------------------------------------------------

NONE = -(10**9)
"""Stands for None, where no K is good enough."""


def _smallest(latent_dims, errors, good) -> float:
    return min((k for k, e in zip(latent_dims, errors, strict=True) if good(e)), default=NONE)


def _from_above(latent_dims: list[int], fine: list[bool]) -> float:
    """The last K that is good enough, from the largest down, before one is not."""
    falling = sorted(zip(latent_dims, fine, strict=True), reverse=True)
    return ([NONE] + [k for k, _ in itertools.takewhile(lambda pair: pair[1], falling)])[-1]


def _smallest_slips(latent_dims, errors, wanted) -> dict[str, tuple]:
    good = [k for k, e in zip(latent_dims, errors, strict=True) if _decibels(e) >= wanted - 1e-9]
    smallest = lambda rule: _smallest(latent_dims, errors, rule)  # noqa: E731
    return {
        "no return": (NONE, "it is None each time: does your function end with `return`?"),
        "factor missing": (smallest(lambda e: _decibels(e) / 10 >= wanted), "the factor 10 of the decibels is missing."),
        "factor 20": (smallest(lambda e: 2 * _decibels(e) >= wanted), "your decibels come out too high: the squared error is already a power, so the factor is 10 and not 20."),
        "natural logarithm": (smallest(lambda e: -10 * math.log(e) >= wanted), "your decibels come out too high: they use log10."),
        "sign": (smallest(lambda e: -_decibels(e) >= wanted), "check the sign of the logarithm: a small error is a high PSNR."),
        "errors for decibels": ([smallest(lambda e: e >= wanted), smallest(lambda e: e <= wanted)], "you compare the error itself with decibels; turn it into a PSNR first."),
        "≤ for ≥": (smallest(lambda e: _decibels(e) <= wanted), "the condition is psnr ≥ wanted, and yours is the other way round."),
        "index": (latent_dims.index(good[0]) if good else NONE, "that is a place in the list; give the K that stands there."),
        "largest": (max(good, default=NONE), "that is the largest K that is good enough; asked is the smallest."),
        "first good": (good[0] if good else NONE, "you took the first that is good enough, not the smallest."),
        "smallest of all": (min(latent_dims), "that is the smallest code of all, whose quality may be too low."),
        "until one is bad": (_from_above(latent_dims, [k in good for k in latent_dims]), "you went down from the largest K until one was not good enough; an error may rise again with K, so look at every K."),
        "how many": (len(good) or NONE, "that is how many are good enough; asked is the smallest K."),
    }  # fmt: skip


DIMS, ERRORS = [6, 8, 12, 16, 24, 32], [0.05, 0.04, 0.02, 0.01, 0.006, 0.002]
SHUFFLED = [5, 1, 3, 0, 4, 2]


def _found(given):
    return NONE if given is None else given


@task(
    "01.2",
    cases=[
        (DIMS, ERRORS, 16.0),
        (DIMS, ERRORS, 19.9),
        (DIMS, ERRORS, 22.0),
        ([DIMS[k] for k in SHUFFLED], [ERRORS[k] for k in SHUFFLED], 16.0),
        ([3, 5, 40], [0.2, 0.1, 0.0004], 21.5),
        ([2, 4, 8], [12.0, 30.0, 0.05], 11.0),
        ([4, 8, 16], [0.008, 0.02, 0.009], 19.0),
        ([1, 6, 24], [2.0, 0.05, 0.006], 2.2),
    ],
    slips=_smallest_slips,
    extremes=[
        Extreme(([4, 8], [1.0, 0.5], 0.0), "> for ≥", "an error of 1 is 0 dB exactly; use ≥ and not >.", planted=8),
        Extreme(([4, 8, 16], [0.05, 0.02, 0.01], 17.0), "rounded", "0.02 is 16.99 dB, which is less than 17; compare without rounding.", planted=8),
        Extreme((DIMS, ERRORS, 40.0), "nothing is good enough", "no K of the list is good enough: then the function should return None, so that nobody is misled.", planted=32),
    ],
    read=_found,
    words={NONE: "None"},
    called="your K",
    where=lambda latent_dims, errors, wanted: f"for {wanted:g} dB from K = {latent_dims} with errors {errors}",
    rule="turn each error into a PSNR, keep the good ones, take the smallest K, wherever it stands.",
    right="Right, and it returns None where no code is good enough: the table of errors is all that this decision needs.",
)  # fmt: skip
def smallest_latent_dim(latent_dims: list[int], errors: list[float], wanted_psnr: float) -> float:
    """``answer(latent_dims, errors, wanted_psnr) -> K``; errors are mean squared errors per pixel, falling with K."""
    return _smallest(latent_dims, errors, lambda error: _decibels(error) >= wanted_psnr - 1e-9)


# --- a perfect copy in disguise ---------------------------------------------------------------------------


@exercise("01.3")
def perfect_copy(encode, decode) -> str:
    """``encode(x)`` (n, 64) → (n, 64) and ``decode(z)`` back, exactly, with a code that is not the image."""
    generator = torch.Generator().manual_seed(1)
    sixteenths = torch.randint(0, 17, (6, 64), generator=generator) / 16  # no greys but those of the digits
    _judge_copy(function(encode), function(decode), sixteenths)
    return "Right: error 0 to rounding, and the code is not the image. Any invertible pair copies perfectly, and none of them compresses."


def _judge_copy(encode, decode, x: torch.Tensor) -> None:
    code = encode(x)
    z = _one_row_an_image(array(code, "encode(x)"))
    x_hat = same_shape(array(decode(code), "decode(encode(x))"), array(x), "decode(encode(x))")
    _refuse_losses(x_hat - array(x), decode, code)
    near = {"rtol": 0, "atol": 1e-3 * abs(z).max()}
    if not close(array(encode(x)), z, **near):
        raise Wrong(
            "Two calls of encode on the same images give different codes: a code has to come from the image alone.",
            "random",
        )
    alone = np.concatenate(
        [same_shape(array(encode(one), "encode(x[:1])"), z[:1], "encode(x[:1])") for one in x[:, None]]
    )
    if not close(array(decode(code), "decode(z)"), x_hat, rtol=0, atol=1e-3):
        raise Wrong(
            "decode gives back something that encode kept aside: everything has to be in the code.",
            "kept aside",
        )
    if not close(alone, z, **near):
        raise Wrong(
            "The code of an image changes with the images beside it: an image's code has to come from that image alone.",
            "not each alone",
        )
    if close(z, array(x), atol=1e-6):
        raise Wrong("The copy is perfect, but your code is the image itself: find another code that can be undone.", "image itself")  # fmt: skip


def _one_row_an_image(z: np.ndarray) -> np.ndarray:
    if z.ndim != 2 or len(z) != 6:
        raise Wrong(
            f"encode(x) should give one row of numbers per image, shape (6, 64), but it has shape {z.shape}."
        )
    if z.shape[1] != 64:
        raise Wrong(f"Here K = D: the code should have 64 numbers per image, but yours has {z.shape[1]}.")
    return z


def _refuse_losses(change: np.ndarray, decode, code) -> None:
    """Raise if the copies differ from the images by more than rounding may."""
    error = float(np.mean(change**2))
    rounding = error > 1e-10 and _is_rounding(change, decode, code)
    if error <= (1e-6 if rounding else 1e-10):
        return
    said = f"The copy has a squared error of {error:.2g} per pixel"  # NaN is refused too
    if rounding:
        raise Wrong(
            f"{said}. Your pair can be undone, and rounding shows: compute in float64, or take a matrix that is easier to invert.",
            "rounding",
        )
    raise Wrong(
        f"{said} ({np.mean(~(np.abs(change) <= 1e-5)):.0%} of the pixels come back changed): decode does not undo encode; either a step of "
        "encode loses information, or its inverse is another one.",
        "not undone",
    )  # fmt: skip


def _is_rounding(change: np.ndarray, decode, code) -> bool:
    """Whether a nudge of a float32 code in its last digit moves the copies almost as far as they are off (a hundredth)."""
    if getattr(code, "dtype", None) != torch.float32:
        return False
    last_digit = 2.0**-23 * torch.randn(code.shape, generator=torch.Generator().manual_seed(3))
    moved = array(decode(code * (1 + last_digit))) - array(decode(code))
    return bool(np.mean(change**2) < 1e4 * np.mean(moved**2))


# --- a quantiser ------------------------------------------------------------------------------------------


def _nearest(z, levels) -> np.ndarray:
    return levels[np.argmin(np.abs(z[..., None] - levels), axis=-1)]


def _centres(low: float, high: float, n_cells: int) -> np.ndarray:
    edges = np.linspace(low, high, n_cells + 1)
    return (edges[:-1] + edges[1:]) / 2


def _quantise_slips(z, low: float, high: float, n_bits: int) -> dict[str, tuple]:
    n_cells = 2**n_bits
    want, width = _nearest(z, _centres(low, high, n_cells)), (high - low) / n_cells
    in_cells = lambda n: _nearest(z, _centres(low, high, n))  # noqa: E731
    return {
        "lower edges": (want - width / 2, "your values sit on the lower edges of the cells; give back the centres, half a cell higher."),
        "upper edges": (want + width / 2, "your values sit on the upper edges of the cells; give back the centres, half a cell lower."),
        "nearest edge": (low + np.round((z - low) / width) * width, "your values sit on the edges of the cells: find the cell with floor, and give back its centre."),
        "2·b cells": (in_cells(2 * n_bits), "you made 2·b cells; b bits name 2**b of them."),
        "b cells": (in_cells(n_bits), "you made b cells; b bits name 2**b of them."),
        "2**b − 1 cells": (in_cells(max(n_cells - 1, 1)), "you made 2**b − 1 cells; b bits name 2**b of them."),
        "ends included": (_nearest(z, np.linspace(low, high, n_cells)), "your levels include both ends, low and high; the cells' centres lie half a cell inside."),
        "cell numbers": ((want - low) / width - 0.5, "you gave back the numbers of the cells; asked are the values of their centres."),
        "low forgotten": ([want - low, _nearest(z, _centres(-high, high, n_cells)), _nearest(z, _centres(0, high, n_cells))], "the cells start at low, and fill the way from low to high."),
        "z itself": (z, "that is z itself: each number becomes the centre of its cell."),
    }  # fmt: skip


APART = np.array([[1.05, 1.6, 2.4], [2.6, 3.3, 3.95]])
ALONG = np.array([-1.9, -1.01, -0.2, 0.3, 0.99, 1.7])
CLAMP = "numbers at or outside the ends belong to the outermost cells: clamp the cell's number."


@task(
    "01.4",
    cases=[*((ALONG, -2.0, 2.0, n_bits) for n_bits in (1, 2, 3)), (APART, 1.0, 4.0, 2), (3 * ALONG - 1, -7.0, 5.0, 5)],
    slips=_quantise_slips,
    extremes=[
        Extreme((np.array([-9.0, 2.0, 9.0]), -2.0, 2.0, 2), "not clamped", CLAMP),
        Extreme((np.array([[1.0, 4.0], [0.0, 5.0]]), 1.0, 4.0, 3), "not clamped", CLAMP),
    ],
    called="your quantised z",
    where=lambda z, low, high, n_bits: f"from {low:g} to {high:g} with {n_bits} {'bit' if n_bits == 1 else 'bits'}",
    rule="find the cell's number with floor, keep it within 0 … 2**b − 1, and give back the cell's centre.",
    right="Right: no number moves by more than half a cell, unless it lay outside the range that the quantiser was made for.",
)  # fmt: skip
def quantise(z, low: float, high: float, n_bits: int) -> np.ndarray:
    """``answer(z, low, high, n_bits) -> z_hat``: 2**n_bits equal cells from low to high, centres given back."""
    return _nearest(z, _centres(low, high, 2**n_bits))


# --- when the decoder pays for itself ---------------------------------------------------------------------


def _break_even_slips(n_parameters: int, bits_raw: int, bits_code: int) -> dict[str, tuple]:
    saved = bits_raw - bits_code
    exact = 32 * n_parameters / saved
    rounded = lambda images: [images, math.floor(images), math.ceil(images)]  # noqa: E731
    return {
        "one bit each": (rounded(n_parameters / saved), "that counts one bit per parameter; each takes 32."),
        "bytes": (rounded(4 * n_parameters / saved), "that counts four bytes per parameter as if they were bits; each takes 32."),
        "code not subtracted": (rounded(32 * n_parameters / bits_raw), f"the saving is what raw and code differ by; a coded image still costs its {bits_code} bits."),
        "divided by the code": (rounded(32 * n_parameters / bits_code), "you divided by the bits of a code; divide by the bits that each image saves, raw minus code."),
        "one too many": (math.floor(exact) + 1, "at that number both ways cost the same, which is cheap enough."),
        "not rounded up": ([exact, math.floor(exact), round(exact)], "a part of an image cannot be sent, so round up."),
        "sign": ([-exact, math.ceil(-exact), math.floor(-exact)], "the saving is raw minus code, and yours is negative."),
    }  # fmt: skip


@task(
    "01.5",
    cases=[(9_400, 320, 32), (1_000, 202, 40), (9, 34, 2), (333, 512, 64)],
    slips=_break_even_slips,
    rtol=0,
    where=lambda n_parameters, bits_raw, bits_code: (
        f"for {n_parameters:,} parameters, {bits_raw} bits raw and {bits_code} bits coded"
    ),
    rule="the decoder's bits divided by the bits saved on each image, rounded up.",
    right="Right. Below that many images the decoder costs more than it saves: a learned code pays when it is used often.",
)
def break_even(n_parameters: int, bits_raw: int, bits_code: int) -> int:
    """``answer(n_parameters, bits_raw, bits_code) -> n_images``, the decoder's parameters stored in 32 bits each."""
    return -(-32 * n_parameters // (bits_raw - bits_code))
