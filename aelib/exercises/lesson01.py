"""Checks for lesson 01, with references of their own."""

import math

import numpy as np
import torch

from aelib.exercises.frame import Wrong, array, close, exercise, first_slip, function, number, same_shape


def _images(n_images: int = 6, seed: int = 1) -> torch.Tensor:
    return torch.rand(n_images, 64, generator=torch.Generator().manual_seed(seed))


@exercise
def psnr(answer) -> str:
    """``answer(x, x_hat) -> dB`` for images in [0, 1] of shape (n, D)."""
    x = _images()
    x_hat = (x + 0.1 * _images(seed=2)).clamp(0, 1)
    got = number(function(answer)(x, x_hat), "psnr(x, x_hat)")
    mse = float(((x - x_hat) ** 2).mean())
    want = 10 * math.log10(1 / mse)
    if not close(got, want, rtol=1e-4):
        summed = 10 * math.log10(1 / (mse * 64))
        raise first_slip(
            {
                f"You got {got:.2f} dB, the right size with the wrong sign: the peak is divided by the error, so that a "
                "better copy scores higher.": close(got, -want, rtol=1e-4),
                f"You got {got:.2f} dB, twice the expected {want:.2f}: the squared error is already a power, so the factor "
                "is 10 and not 20.": close(got, 2 * want, rtol=1e-4),
                f"You got {got:.2f}, expected {want:.2f} dB: that is the natural logarithm; decibels use "
                "log10.": close(got, want * math.log(10), rtol=1e-4),
                f"You got {got:.2f} dB, expected {want:.2f}: you summed the squared error over the 64 pixels; PSNR takes "
                "the mean over every pixel.": close(got, summed, rtol=1e-4),
                f"You got {got:.2f} dB, expected {want:.2f}: square the differences before you average, or errors of "
                "opposite sign cancel.": close(
                    got, -10 * math.log10(abs(float((x - x_hat).mean()))), rtol=1e-4
                ),
            },
            f"You got {got:.4g}, expected {want:.4g} dB for these images: 10 · log10(1 / mean squared error).",
        )
    halved = number(answer(x, x + (x_hat - x) / 2), "psnr(x, x_hat)")
    return (
        f"Right: {want:.1f} dB. Halving every pixel's error adds {halved - want:.1f} dB, whatever the image."
    )


@exercise
def perfect_copy(encode, decode) -> str:
    """``encode(x)`` (n, 64) → (n, 64) and ``decode(z)`` back, exactly, with a code that is not the image."""
    x = _images()
    z = array(function(encode)(x), "encode(x)")
    if z.ndim != 2 or len(z) != len(x):
        raise Wrong(
            f"encode(x) should give one row of numbers an image, shape (6, 64), but it has shape {z.shape}."
        )
    if z.shape[1] != 64:
        raise Wrong(f"Here K = D: the code should have 64 numbers an image, but yours has {z.shape[1]}.")
    x_hat = same_shape(array(function(decode)(encode(x)), "decode(encode(x))"), array(x), "decode(encode(x))")
    error = float(np.mean((x_hat - array(x)) ** 2))
    if error > 1e-10:
        lost = np.mean(np.abs(x_hat - array(x)) > 1e-5)
        raise Wrong(
            f"The copy has a squared error of {error:.2g} per pixel ({lost:.0%} of the pixels come back changed): some step "
            "loses information; every step of encode needs one in decode that undoes it."
        )
    if close(z, array(x), atol=1e-6):
        raise Wrong(
            "The copy is perfect, but your code is the image itself: find a different code that can be undone."
        )
    return "Right: error 0, and the code is not the image. Any invertible pair copies perfectly, and none of them compresses."


@exercise
def smallest_latent_dim(answer) -> str:
    """``answer(latent_dims, errors, wanted_psnr) -> K``; errors are mean squared errors per pixel, falling with K."""
    latent_dims = [6, 8, 12, 16, 24, 32]
    errors = np.array([0.05, 0.04, 0.02, 0.01, 0.006, 0.002])
    for wanted in (16.0, 20.0, 22.0):
        got = number(function(answer)(latent_dims, errors, wanted), "your K")
        good = [
            k
            for k, error in zip(latent_dims, errors, strict=True)
            if 10 * math.log10(1 / error) >= wanted - 1e-9
        ]
        want = good[0]
        if got != want:
            raise first_slip(
                {
                    f"For {wanted:g} dB you gave {got:g}, which is a place in the list; the K that stands there is "
                    f"{want}.": got == latent_dims.index(want) and got not in latent_dims,
                    f"For {wanted:g} dB you gave K = {got:g}, the largest one that is good enough; the smallest is "
                    f"{want}.": got == good[-1],
                    f"For {wanted:g} dB you gave K = {got:g}, but K = {want} reaches it exactly: use ≥ and not "
                    ">.": wanted == 20.0 and got == good[1],
                    f"For {wanted:g} dB you gave K = {got:g}, the smallest code of all, whose quality is too low: higher "
                    "PSNR is better, so the condition is psnr ≥ wanted.": got == latent_dims[0],
                },
                f"For {wanted:g} dB you gave {got:g}, expected {want}: turn each error into a PSNR, keep the good ones, take "
                "the smallest K.",
            )
    if answer(latent_dims, errors, 40.0) is not None:
        raise Wrong(
            "No K of the list reaches 40 dB: then the function should return None, so that nobody is misled."
        )
    return "Right, and it returns None where no code is good enough: the table of errors is all that this decision needs."


@exercise
def quantise(answer) -> str:
    """``answer(z, low, high, n_bits) -> z_hat``: 2**n_bits equal cells from low to high, centres given back."""
    z = torch.tensor([-1.9, -1.01, -0.2, 0.3, 0.99, 1.7])
    for n_bits in (1, 2, 3):
        got = same_shape(
            array(function(answer)(z, -2.0, 2.0, n_bits), "quantise(z)"), array(z), "quantise(z)"
        )
        want = _cells(array(z), -2.0, 2.0, 2**n_bits)
        if not close(got, want, atol=1e-5):
            raise first_slip(
                {
                    f"With {n_bits} bits your values sit on the lower edges of the cells: give back the centres, half a cell "
                    "higher.": close(got, want - 2 / 2**n_bits, atol=1e-5),
                    f"With {n_bits} bits you made {2 * n_bits} cells; b bits name 2**b of them.": close(
                        got, _cells(array(z), -2.0, 2.0, 2 * n_bits), atol=1e-5
                    ),
                    f"With {n_bits} bits you made {2**n_bits - 1} cells; b bits name 2**b of them.": close(
                        got, _cells(array(z), -2.0, 2.0, 2**n_bits - 1), atol=1e-5
                    ),
                    f"With {n_bits} bits your levels include both ends, low and high: the cells' centres lie half a cell "
                    "inside.": close(got, _ends(array(z), n_bits), atol=1e-5),
                },
                f"With {n_bits} bits, {z[0]:.2f} became {got[0]:.3g}, expected {want[0]:.3g}: find the cell's number, keep it "
                "within 0 … 2**b − 1, and give back the cell's centre.",
            )
    outside = array(answer(torch.tensor([-9.0, 2.0, 9.0]), -2.0, 2.0, 2), "quantise(z)")
    if not close(outside, [-1.5, 1.5, 1.5]):
        raise Wrong(
            f"Numbers at or outside the ends, −9, 2 and 9, became {', '.join(f'{v:g}' for v in outside)}; with 2 bits they "
            "belong to the outermost cells, −1.5 and 1.5: clamp the cell's number."
        )
    return "Right: no number moves by more than half a cell, unless it lay outside the range that the quantiser was made for."


def _cells(z: np.ndarray, low: float, high: float, n_cells: int) -> np.ndarray:
    edges = np.linspace(low, high, n_cells + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    return centres[np.argmin(np.abs(z[:, None] - centres[None, :]), axis=1)]


def _ends(z: np.ndarray, n_bits: int) -> np.ndarray:
    levels = np.linspace(-2.0, 2.0, 2**n_bits)
    return levels[np.argmin(np.abs(z[:, None] - levels[None, :]), axis=1)]


@exercise
def break_even(answer) -> str:
    """``answer(n_parameters, bits_raw, bits_code) -> n_images``, the decoder's parameters stored in 32 bits each."""
    for n_parameters, bits_raw, bits_code in ((9_400, 320, 32), (1_000, 202, 40), (10, 33, 2)):
        got = number(function(answer)(n_parameters, bits_raw, bits_code), "your number of images")
        exact = 32 * n_parameters / (bits_raw - bits_code)
        want = math.ceil(exact)
        if got != want:
            raise first_slip(
                {
                    f"You got {got:g}, expected {want}: that counts one bit a parameter; each takes "
                    "32.": math.ceil(got) == math.ceil(exact / 32),
                    f"You got {got:g}, expected {want}: the saving is what raw and code differ by; a coded image still costs "
                    f"its {bits_code} bits.": math.ceil(32 * n_parameters / bits_raw) == math.ceil(got),
                    f"You got {got:g}: a part of an image cannot be sent, so round up, to {want}.": close(
                        got, exact
                    )
                    or got == math.floor(exact),
                    f"You got {got:g}, which is negative: the saving is raw minus code.": got < 0,
                },
                f"For {n_parameters:,} parameters, {bits_raw} bits raw and {bits_code} bits coded you got {got:g}, expected "
                f"{want}: the decoder's bits divided by the bits saved on each image, rounded up.",
            )
    return "Right. Below that many images the decoder costs more than it saves: a learned code pays when it is used often."
