"""The figures of the long runs on MNIST (``experiments/published_mnist.py``), kept with the package."""

import json
from pathlib import Path

KEPT = Path(__file__).with_name("published_mnist.json")


def published_mnist() -> dict:
    """Our figures beside the published ones: ``rows``, ``starts`` and ``architectures``, lists of rows; ``minutes``."""
    return json.loads(KEPT.read_text(encoding="utf-8"))
