"""Data sets that are made or shipped; real ones are fetched only by those who call for them."""

from aelib.data.dataset import Dataset, examples_to_show, split
from aelib.data.digits import digits
from aelib.data.downloads import DownloadError, fashion_mnist, mnist, real_or_digits
from aelib.data.media import clips, tones, words
from aelib.data.published import published_mnist
from aelib.data.shapes import shapes

__all__ = [
    "Dataset",
    "DownloadError",
    "clips",
    "digits",
    "examples_to_show",
    "fashion_mnist",
    "mnist",
    "published_mnist",
    "real_or_digits",
    "shapes",
    "split",
    "tones",
    "words",
]
