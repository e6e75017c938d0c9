"""Data sets that are made or shipped, never fetched behind your back."""

from aelib.data.dataset import Dataset, split
from aelib.data.digits import digits
from aelib.data.media import clips, tones, words
from aelib.data.shapes import shapes

__all__ = ["Dataset", "clips", "digits", "shapes", "split", "tones", "words"]
