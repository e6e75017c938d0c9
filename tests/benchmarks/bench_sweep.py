"""Twenty-one latent dimensions on digits: ``fit_many`` against one ``fit`` after another, on one thread."""

from __future__ import annotations

import time
from itertools import pairwise

import aelib  # noqa: F401  isort: skip  (settles the threads before torch is loaded)

import numpy as np
import torch

from aelib.data import digits
from aelib.models import Autoencoder
from aelib.training import History, fit, fit_many

DIMS = (*range(1, 17), 20, 24, 32, 48, 64)
SETTINGS = {"epochs": 60, "lr": 5e-3, "progress": False}
ROUNDS = 3
"""As in lesson 01."""


def one_by_one(models, data) -> list[History]:
    return [fit(model, data, seed=0, **SETTINGS) for model in models]


def together(models, data) -> list[History]:
    return fit_many(models, data, seeds=[0] * len(models), **SETTINGS)


def seconds(way, data) -> tuple[float, list[float]]:
    models = [Autoencoder(64, k) for k in DIMS]
    started = time.process_time()
    histories = way(models, data)
    return time.process_time() - started, [history.held_out["loss"] for history in histories]


def main() -> None:
    torch.set_num_threads(1)
    data = digits()
    runs = [[seconds(way, data) for way in (one_by_one, together)] for _ in range(ROUNDS)]
    (_, alone), (_, stacked) = runs[0]
    np.testing.assert_allclose([curve[0] for curve in alone], [curve[0] for curve in stacked], rtol=1e-3)
    times = np.array([[spent for spent, _ in run] for run in runs])
    for name, median in zip(("one after another", "fit_many"), np.median(times, axis=0), strict=True):
        print(
            f"  {name:24s}{median:6.1f} CPU-seconds for {len(DIMS)} models, {SETTINGS['epochs']} epochs each"
        )
    print(f"  fit_many is {np.median(times[:, 0] / times[:, 1]):.2f} times as fast (wanted: 1.5)")
    final = [curve[-1] for curve in stacked]
    falls = sum(more < fewer for fewer, more in pairwise(final))
    print(f"  held-out error falls at {falls} of {len(DIMS) - 1} steps of K (wanted: all)")


if __name__ == "__main__":
    main()
