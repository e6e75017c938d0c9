"""Music, text and video made here: any row of numbers is data for an autoencoder, not only a picture."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from aelib.data.dataset import Dataset, split

SAMPLE_RATE = 8000
"""Samples of sound a second."""
TONE_SAMPLES = 2000
NOTE_NAMES = ("C4", "D4", "E4", "G4", "A4", "C5", "D5", "E5")
SEMITONES = (0, 2, 4, 7, 9, 12, 14, 16)
MIDDLE_C = 261.6256
HARMONICS = 4
MADE_AT_ONCE = 64

LETTERS = " abcdefghijklmnopqrstuvwxyz"
"""The 27 symbols of a word; the first, a blank, fills words up to WORD_LENGTH."""
WORD_LENGTH = 8
WORDS = tuple((Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split())

CLIP_SHAPE = (8, 12, 12)
BALL_RADIUS = 2.4


def tones(n_examples: int = 1250, seed: int = 0) -> Dataset:
    """Synthesised notes of a quarter of a second: 2,000 samples at 8,000 a second, float32 in [-1, 1].

    Each note is a sum of four harmonics with a short attack and an exponential decay. Four numbers make it:

    ==========  =======================  ==============================================================
    pitch       one of 8 notes, in Hz    C, D, E, G, A of the fourth octave, C, D, E of the fifth
    brightness  [0.1, 0.8]               the strength of each harmonic, relative to the one below it
    decay       [4, 20] per second       how fast the note dies away
    loudness    [0.4, 0.95]              the peak that the harmonics could reach together
    ==========  =======================  ==============================================================

    Every harmonic starts at phase zero, and the pitch comes from a scale. Both are choices: squared error
    compares sample with sample, so a note half a period later, or a few hertz higher, counts as a wholly
    different one, although the ear hardly notices. With phase and pitch both free, the small network of
    lesson 01 loses about half of the sound.

    labels: which note, an index into NOTE_NAMES. factors: (n_examples, 4) float32, columns as above.
    One fifth is held out, at random. The same seed gives the same notes.
    """
    generator = _generator(n_examples, seed)
    note = torch.randint(len(SEMITONES), (n_examples,), generator=generator)
    brightness, decay, loudness = _uniform(n_examples, [(0.1, 0.8), (4.0, 20.0), (0.4, 0.95)], generator)
    pitch = MIDDLE_C * 2 ** (torch.tensor(SEMITONES)[note] / 12)
    factors = torch.stack([pitch, brightness, decay, loudness], dim=1)
    facts = {"labels": note, "factors": factors, "factor_names": ("pitch", "brightness", "decay", "loudness")}
    return _dataset("tones", synthesise(factors), 1.0, (TONE_SAMPLES,), seed, **facts)


def synthesise(factors: Tensor) -> Tensor:
    """The notes of rows (pitch, brightness, decay, loudness), as in `tones`: (n, 4) → (n, 2000)."""
    return _in_parts(_waves, factors, torch.empty(len(factors), TONE_SAMPLES))


def _waves(factors: Tensor) -> Tensor:
    pitch, brightness, decay, loudness = factors.T.unsqueeze(-1)
    seconds = torch.arange(TONE_SAMPLES) / SAMPLE_RATE
    strength = brightness ** torch.arange(HARMONICS)
    strength = strength / strength.sum(dim=1, keepdim=True)
    wave = sum(
        strength[:, h : h + 1] * torch.sin(2 * math.pi * (h + 1) * pitch * seconds) for h in range(HARMONICS)
    )
    attack = (seconds / 0.005).clamp(max=1)
    release = ((seconds[-1] - seconds) / 0.02).clamp(max=1)
    return loudness * wave * attack * release * torch.exp(-decay * seconds)


def words(n_examples: int | None = None, seed: int = 0) -> Dataset:
    """1,890 common English words of up to 8 letters, as one-hot characters: 8 × 27 = 216 zeros and ones.

    Each position holds one of 27 symbols, a blank or a letter; short words end in blanks. `encode_words`
    makes the rows; `read_words` reads them, or a network's output: at each position the largest number wins.

    n_examples: how many words to draw at random; None takes the whole list, in alphabetical order.
    raw: uint8, scale 1. One fifth is held out, at random, and never the same word as a training word.
    """
    n_examples = len(WORDS) if n_examples is None else n_examples
    generator = _generator(n_examples, seed)
    if n_examples > len(WORDS):
        raise ValueError(f"the list has {len(WORDS):,} words, and {n_examples:,} were asked for.")
    chosen = torch.randperm(len(WORDS), generator=generator)[:n_examples].sort().values
    raw = encode_words([WORDS[index] for index in chosen.tolist()])
    return _dataset("words", raw, 1.0, (WORD_LENGTH, len(LETTERS)), seed)


def encode_words(chosen: Sequence[str]) -> Tensor:
    """Words of at most 8 letters a–z as one-hot characters: list of n → (n, 216) uint8, zeros and ones."""
    for word in chosen:
        if len(word) > WORD_LENGTH or not set(word) <= set(LETTERS):
            raise ValueError(
                f"{word!r} cannot be written: a word here has at most {WORD_LENGTH} letters a to z."
            )
    symbols = torch.tensor([[LETTERS.index(letter) for letter in word.ljust(WORD_LENGTH)] for word in chosen])
    return torch.nn.functional.one_hot(symbols, len(LETTERS)).to(torch.uint8).flatten(1)


def read_words(x: Tensor) -> list[str]:
    """The words that rows say, at each position the symbol with the largest number: (n, 216) → list of n.

    Blanks at the end are dropped; a blank inside a word stays.
    """
    symbols = x.reshape(-1, WORD_LENGTH, len(LETTERS)).argmax(dim=-1)
    return ["".join(LETTERS[symbol] for symbol in row).rstrip() for row in symbols.tolist()]


def letters_right(x: Tensor, x_hat: Tensor) -> float:
    """Share of letters that come back: (n, 216), (n, 216) → a number in [0, 1].

    A position counts if either word has a letter there: a letter too many is an error too, and the blanks
    after both words earn nothing.
    """
    true, said = (rows.reshape(-1, WORD_LENGTH, len(LETTERS)).argmax(dim=-1) for rows in (x, x_hat))
    counts = (true > 0) | (said > 0)
    return ((true == said) & counts).sum().item() / counts.sum().item()


def clips(n_examples: int = 1500, seed: int = 0) -> Dataset:
    """Short films of a soft ball that moves straight and bounces off the walls: 8 frames of 12 × 12 pixels.

    Four numbers make a clip: where the ball starts, uniform over the places where it crosses no wall, and its
    velocity, in any direction at 0.4 to 1.2 pixels a frame.

    raw: (n_examples, 1152) uint8, scale 255, frame after frame, row by row; 1 is ball, 0 is background.
    factors: (n_examples, 4) float32: x and y of the start, in pixels (y downwards), and the velocity along
    each, in pixels a frame. One fifth is held out, at random. The same seed gives the same clips.
    """
    generator = _generator(n_examples, seed)
    low, high = BALL_RADIUS, CLIP_SHAPE[1] - 1 - BALL_RADIUS
    ranges = [(low, high), (low, high), (0.0, 2 * math.pi), (0.4, 1.2)]
    x, y, angle, speed = _uniform(n_examples, ranges, generator)
    factors = torch.stack([x, y, speed * torch.cos(angle), speed * torch.sin(angle)], dim=1)
    grey = torch.empty(n_examples, math.prod(CLIP_SHAPE), dtype=torch.uint8)
    raw = _in_parts(lambda some: (255 * film(some)).round(), factors, grey)
    names = ("x", "y", "velocity_x", "velocity_y")
    return _dataset("clips", raw, 255.0, CLIP_SHAPE, seed, factors=factors, factor_names=names)


def film(factors: Tensor) -> Tensor:
    """The clips of rows (x, y, velocity_x, velocity_y), as in `clips`: (n, 4) → (n, 1152), in [0, 1]."""
    frames, size, _ = CLIP_SHAPE
    time, pixels = torch.arange(frames)[:, None], torch.arange(size)
    centre = _bounce(factors[:, None, :2] + time * factors[:, None, 2:], BALL_RADIUS, size - 1 - BALL_RADIUS)
    across = (pixels - centre[..., 0:1])[:, :, None, :]
    down = (pixels - centre[..., 1:2])[:, :, :, None]
    edge = BALL_RADIUS - (across.square() + down.square()).sqrt()
    return (edge / 2 + 0.5).clamp(0, 1).flatten(1)


def _bounce(place: Tensor, low: float, high: float) -> Tensor:
    """Fold a straight path at two walls, as a mirror would."""
    room = high - low
    return high - (torch.remainder(place - low, 2 * room) - room).abs()


def _in_parts(make: Callable[[Tensor], Tensor], factors: Tensor, raw: Tensor) -> Tensor:
    """`raw`, filled with what `make` gives for the rows of `factors`, a few at a time: little memory on the way."""
    for some, rows in zip(factors.split(MADE_AT_ONCE), raw.split(MADE_AT_ONCE), strict=True):
        rows.copy_(make(some))
    return raw


def _uniform(n_examples: int, ranges: list[tuple[float, float]], generator: torch.Generator) -> list[Tensor]:
    return [low + (high - low) * torch.rand(n_examples, generator=generator) for low, high in ranges]


def _generator(n_examples: int, seed: int) -> torch.Generator:
    if n_examples < 5:
        raise ValueError(
            f"n_examples is {n_examples}: at least 5 are needed, so that one of them is held out."
        )
    return torch.Generator().manual_seed(seed)


def _dataset(
    name: str, raw: Tensor, scale: float, shape: tuple[int, ...], seed: int, **facts: object
) -> Dataset:
    train_index, held_out_index = split(len(raw), held_out_fraction=0.2, seed=seed)
    return Dataset(name, raw, scale, shape, train_index, held_out_index, **facts)
