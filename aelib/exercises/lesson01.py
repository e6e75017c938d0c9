"""Checks for lesson 01, with references of their own."""

import math

import numpy as np
import torch

from aelib.exercises.frame import Wrong, array, close, exercise, first_slip, function, number, same_shape
from aelib.exercises.help import hint, progress, reset  # noqa: F401


def _images(n_images: int = 6, seed: int = 1) -> torch.Tensor:
    return torch.rand(n_images, 64, generator=torch.Generator().manual_seed(seed))


@exercise("01.1")
def psnr(answer) -> str:
    """``answer(x, x_hat) -> dB`` for images in [0, 1] of shape (n, D)."""
    x = 0.1 + 0.6 * _images()
    x_hat = x + 0.2 * (_images(seed=2) - 0.4)
    got = number(function(answer)(x, x_hat), "psnr(x, x_hat)")
    want = _decibels(((x - x_hat) ** 2).mean())
    if not close(got, want, rtol=1e-5):
        raise _psnr_slip(got, want, x, x - x_hat)
    halved = number(answer(x, x + (x_hat - x) / 2), "psnr(x, x_hat)") - want
    return f"Right: {want:.1f} dB. Halving every pixel's error adds {halved:.1f} dB, whatever the image."


def _decibels(mse) -> float:
    return -10 * math.log10(float(mse))


def _psnr_slip(got: float, want: float, x: torch.Tensor, difference: torch.Tensor) -> Wrong:
    explained = {
        "the peak is divided by the error and not the other way round, so that a better copy scores higher": -want,
        "the squared error is already a power, so the factor is 10 and not 20": 2 * want,
        "that is the natural logarithm; decibels use log10": want * math.log(10),
        "you summed over the 64 pixels; PSNR takes the mean over every pixel": _decibels(
            (difference**2).sum(1).mean()
        ),
        "square the differences before you average, or errors of opposite sign cancel": _decibels(
            difference.mean().abs()
        ),
        "you averaged the sizes of the differences; PSNR averages their squares": _decibels(
            difference.abs().mean()
        ),
        "average the squared error over all images first, then take one logarithm": float(
            (-10 * torch.log10((difference**2).mean(1))).mean()
        ),
        "the peak is 1, the largest value that a pixel may have, not the largest one in these images": want
        + 20 * math.log10(float(x.max())),
    }
    slips = {
        f"You got {got:.3f} dB, expected {want:.3f}: {why}.": close(got, value, rtol=1e-5)
        for why, value in explained.items()
    }
    return first_slip(
        slips,
        f"You got {got:.4g} dB, expected {want:.4g} for these images: 10 · log10(1 / mean squared error).",
    )


@exercise("01.3")
def perfect_copy(encode, decode) -> str:
    """``encode(x)`` (n, 64) → (n, 64) and ``decode(z)`` back, exactly, with a code that is not the image."""
    x = _images()
    code = function(encode)(x)
    z = _one_row_an_image(array(code, "encode(x)"))
    x_hat = same_shape(array(function(decode)(code), "decode(encode(x))"), array(x), "decode(encode(x))")
    _refuse_losses(x_hat - array(x), decode, code)
    near = {"rtol": 0, "atol": 1e-3 * abs(z).max()}
    if not close(array(encode(x)), z, **near):
        raise Wrong(
            "Two calls of encode on the same images give different codes: a code has to come from the image alone."
        )
    alone = np.concatenate(
        [same_shape(array(encode(one), "encode(x[:1])"), z[:1], "encode(x[:1])") for one in x[:, None]]
    )
    if not close(array(decode(code), "decode(z)"), x_hat, rtol=0, atol=1e-3):
        raise Wrong("decode gives back something that encode kept aside: everything has to be in the code.")
    if not close(alone, z, **near):
        raise Wrong(
            "The code of an image changes with the images beside it: an image's code has to come from that image alone."
        )
    if close(z, array(x), atol=1e-6):
        raise Wrong(
            "The copy is perfect, but your code is the image itself: find another code that can be undone."
        )
    return "Right: error 0 to rounding, and the code is not the image. Any invertible pair copies perfectly, and none of them compresses."


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
    if not error <= (1e-6 if rounding else 1e-10):  # NaN is refused too
        said = f"The copy has a squared error of {error:.2g} per pixel"
        lost = np.mean(~(np.abs(change) <= 1e-5))
        raise first_slip(
            {
                f"{said}. Your pair can be undone, and rounding shows: compute in float64, or take a matrix that is easier "
                "to invert.": rounding
            },
            f"{said} ({lost:.0%} of the pixels come back changed): decode does not undo encode; either a step of encode "
            "loses information, or its inverse is another one.",
        )


def _is_rounding(change: np.ndarray, decode, code) -> bool:
    """Whether a nudge of a float32 code in its last digit moves the copies almost as far as they are off (a hundredth)."""
    if getattr(code, "dtype", None) != torch.float32:
        return False
    last_digit = 2.0**-23 * torch.randn(code.shape, generator=torch.Generator().manual_seed(3))
    moved = array(decode(code * (1 + last_digit))) - array(decode(code))
    return bool(np.mean(change**2) < 1e4 * np.mean(moved**2))


LATENT_DIMS, ERRORS = [6, 8, 12, 16, 24, 32], [0.05, 0.04, 0.02, 0.01, 0.006, 0.002]
OTHER_LISTS = (
    ([4, 8], [1.0, 0.5], 0.0, 4, "an error of 1 is 0 dB exactly; use ≥ and not >."),
    ([4, 8, 16], [0.008, 0.02, 0.009], 19.0, 4, "an error may rise again with K; look at every K."),
    (
        [4, 8, 16],
        [0.05, 0.02, 0.01],
        17.0,
        16,
        "0.02 is 16.99 dB, which is less than 17; compare without rounding.",
    ),
)
"""latent_dims, errors, wanted_psnr, the smallest K, and what is wrong with another one."""


@exercise("01.2")
def smallest_latent_dim(answer) -> str:
    """``answer(latent_dims, errors, wanted_psnr) -> K``; errors are mean squared errors per pixel, falling with K."""
    for wanted in (16.0, 19.9, 22.0):
        answered = function(answer)(LATENT_DIMS, ERRORS, wanted)
        if answered is None:
            raise _nothing_found(answer, wanted)
        good = _good_enough(wanted)
        if number(answered, "your K") != good[0]:
            raise _smallest_slip(number(answered, "your K"), good, wanted)
    _in_any_order(answer)
    for latent_dims, errors, wanted, smallest, why in OTHER_LISTS:
        answered = answer(latent_dims, errors, wanted)
        if answered is None or number(answered, "your K") != smallest:
            raise Wrong(
                f"From K = {latent_dims} with errors {errors} you gave {answered} for {wanted:g} dB, expected {smallest}: {why}"
            )
    if answer(LATENT_DIMS, ERRORS, 40.0) is not None:
        raise Wrong(
            "No K of the list reaches 40 dB: then the function should return None, so that nobody is misled."
        )
    return "Right, and it returns None where no code is good enough: the table of errors is all that this decision needs."


def _good_enough(wanted: float) -> list[int]:
    return [k for k, e in zip(LATENT_DIMS, ERRORS, strict=True) if _decibels(e) >= wanted - 1e-9]


def _nothing_found(answer, wanted: float) -> Wrong:
    """Why an answer finds no K: it is asked again, for qualities that only one slip can reach."""
    found = lambda quality: answer(LATENT_DIMS, ERRORS, quality) is not None  # noqa: E731
    said = f"You found no K for {wanted:g} dB, although some are good enough: "
    return first_slip(
        {
            said + "does your function end with `return`?": not found(-99.0),
            said + "the factor 10 of the decibels is missing.": found(2.0),
            said + "you compare the error itself with decibels; turn it into a PSNR first.": found(0.01),
            said + "check the sign of the logarithm.": found(-30.0),
        },
        said + "turn each error into a PSNR, keep the good ones, take the smallest K.",
    )


def _in_any_order(answer) -> None:
    """Raise if the smallest K is found only in a list that rises."""
    order = [5, 1, 3, 0, 4, 2]
    latent_dims, errors = [LATENT_DIMS[i] for i in order], [ERRORS[i] for i in order]
    answered, good = answer(latent_dims, errors, 16.0), _good_enough(16.0)
    if answered is None or number(answered, "your K") != good[0]:
        said = f"From the list {latent_dims}, which does not rise, you gave {answered} for 16 dB, expected {good[0]}"
        raise first_slip(
            {
                f"{said}: you took the first that is good enough, not the smallest.": answered
                == latent_dims[0]
            },
            f"{said}: the smallest K of the good ones, wherever it stands.",
        )


def _smallest_slip(got: float, good: list[int], wanted: float) -> Wrong:
    said = f"For {wanted:g} dB you gave {got:g}"
    slips = {
        f"{said}, which is a place in the list; the K that stands there is {good[0]}.": got not in LATENT_DIMS
        and got == LATENT_DIMS.index(good[0]),
        f"{said}, the largest K that is good enough; the smallest is {good[0]}.": got == good[-1],
        f"{said}, the smallest code of all, whose quality is too low: either your decibels come out too high "
        "(10 · log10 of 1 / error), or the condition is not psnr ≥ wanted, or the error itself was compared with "
        "decibels.": got == LATENT_DIMS[0],
    }
    return first_slip(
        slips,
        f"{said}, expected {good[0]}: turn each error into a PSNR, keep the good ones, take the smallest K.",
    )


@exercise("01.4")
def quantise(answer) -> str:
    """``answer(z, low, high, n_bits) -> z_hat``: 2**n_bits equal cells from low to high, centres given back."""
    z = torch.tensor([-1.9, -1.01, -0.2, 0.3, 0.99, 1.7])
    for n_bits in (1, 2, 3):
        got = array(function(answer)(z, -2.0, 2.0, n_bits), "quantise(z)")
        got = same_shape(got, array(z), "quantise(z)")
        if not close(got, _nearest(array(z), _centres(2**n_bits)), atol=1e-5):
            raise _quantise_slip(array(z), got, n_bits)
    apart = torch.tensor([[1.05, 1.6, 2.4], [2.6, 3.3, 3.95]])
    got = same_shape(array(answer(apart, 1.0, 4.0, 2), "quantise(z)"), array(apart), "quantise(z)")
    if not close(got, [[1.375, 1.375, 2.125], [2.875, 3.625, 3.625]], atol=1e-5):
        raise Wrong(
            f"Right from −2 to 2, but from 1 to 4, with 2 bits, 2.4 became {got[0, 2]:g}, expected 2.125: the cells start at "
            "low, and fill the way from low to high."
        )
    outside = array(answer(torch.tensor([-9.0, 2.0, 9.0]), -2.0, 2.0, 2), "quantise(z)")
    if not close(outside, [-1.5, 1.5, 1.5]):
        raise Wrong(
            f"Numbers at or outside the ends, −9, 2 and 9, became {', '.join(f'{v:g}' for v in outside)}; with 2 bits they "
            "belong to the outermost cells, −1.5 and 1.5: clamp the cell's number."
        )
    return "Right: no number moves by more than half a cell, unless it lay outside the range that the quantiser was made for."


def _centres(n_cells: int) -> np.ndarray:
    """Of equal cells between -2 and 2."""
    edges = np.linspace(-2, 2, n_cells + 1)
    return (edges[:-1] + edges[1:]) / 2


def _nearest(z: np.ndarray, levels: np.ndarray) -> np.ndarray:
    return levels[np.argmin(np.abs(z[:, None] - levels[None, :]), axis=1)]


def _quantise_slip(z: np.ndarray, got: np.ndarray, n_bits: int) -> Wrong:
    n_cells, want = 2**n_bits, _nearest(z, _centres(2**n_bits))
    explained = {
        "your values sit on the lower edges of the cells; give back the centres, half a cell higher": want
        - 2 / n_cells,
        f"you made {_counted(2 * n_bits, 'cell')}; b bits name 2**b of them": _nearest(
            z, _centres(2 * n_bits)
        ),
        f"you made {_counted(n_cells - 1, 'cell')}; b bits name 2**b of them": _nearest(
            z, _centres(n_cells - 1)
        ),
        "your levels include both ends, low and high; the cells' centres lie half a cell inside": _nearest(
            z, np.linspace(-2, 2, n_cells)
        ),
        "you gave back the numbers of the cells; asked are the values of their centres": (want + 2)
        * n_cells
        / 4
        - 0.5,
    }
    bits = _counted(n_bits, "bit")
    slips = {f"With {bits}, {why}.": close(got, value, atol=1e-5) for why, value in explained.items()}
    at = int(np.argmax(np.abs(got - want) > 1e-5))
    return first_slip(
        slips,
        f"With {bits}, {z[at]:.2f} became {got[at]:.3g}, expected {want[at]:.3g}: find the cell's number with floor, keep "
        "it within 0 … 2**b − 1, and give back the cell's centre.",
    )


def _counted(n: int, thing: str) -> str:
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


@exercise("01.5")
def break_even(answer) -> str:
    """``answer(n_parameters, bits_raw, bits_code) -> n_images``, the decoder's parameters stored in 32 bits each."""
    for n_parameters, bits_raw, bits_code in ((9_400, 320, 32), (1_000, 202, 40), (9, 34, 2)):
        got = number(function(answer)(n_parameters, bits_raw, bits_code), "your number of images")
        if got != math.ceil(32 * n_parameters / (bits_raw - bits_code)):
            raise _break_even_slip(got, n_parameters, bits_raw, bits_code)
    return "Right. Below that many images the decoder costs more than it saves: a learned code pays when it is used often."


def _break_even_slip(got: float, n_parameters: int, bits_raw: int, bits_code: int) -> Wrong:
    exact = 32 * n_parameters / (bits_raw - bits_code)
    want = math.ceil(exact)
    explained = {
        "that counts one bit per parameter; each takes 32": math.ceil(got) == math.ceil(exact / 32),
        "that counts four bytes per parameter as if they were bits; each takes 32": math.ceil(got)
        == math.ceil(exact / 8),
        f"the saving is what raw and code differ by; a coded image still costs its {bits_code} bits": math.ceil(
            got
        )
        == math.ceil(32 * n_parameters / bits_raw),
        "at that number both ways cost the same, which is cheap enough": exact == want and got == want + 1,
        "a part of an image cannot be sent, so round up": close(got, exact) or got == math.floor(exact),
        "the saving is raw minus code, and yours is negative": got < 0,
    }
    slips = {f"You got {got:g}, expected {want}: {why}.": fits for why, fits in explained.items()}
    return first_slip(
        slips,
        f"For {n_parameters:,} parameters, {bits_raw} bits raw and {bits_code} bits coded you got {got:g}, expected {want}: "
        "the decoder's bits divided by the bits saved on each image, rounded up.",
    )
