"""Twenty-one latent dimensions on digits: ``fit_many`` against one ``fit`` after another, on one thread."""

from __future__ import annotations

import time

import aelib  # noqa: F401  isort: skip  (settles the threads before torch is loaded)

import numpy as np
import torch

from aelib.data import digits
from aelib.models import Autoencoder
from aelib.training import History, fit, fit_many

DIMS = (*range(1, 17), 20, 24, 32, 48, 64)
SETTINGS = {"epochs": 12, "lr": 1e-2, "progress": False}
ROUNDS, LESSON_EPOCHS = 5, 60


def one_by_one(models, data) -> list[History]:
    return [fit(model, data, seed=0, **SETTINGS) for model in models]


def together(models, data) -> list[History]:
    return fit_many(models, data, seeds=[0] * len(models), **SETTINGS)


def seconds(way, data) -> tuple[float, list[float]]:
    models = [Autoencoder(64, k) for k in DIMS]
    started = time.process_time()
    histories = way(models, data)
    return time.process_time() - started, [history.held_out["loss"][0] for history in histories]


def main() -> None:
    torch.set_num_threads(1)
    data = digits()
    first = {way: seconds(way, data)[1] for way in (one_by_one, together)}
    np.testing.assert_allclose(first[one_by_one], first[together], rtol=1e-3)
    times = np.array([[seconds(way, data)[0] for way in (one_by_one, together)] for _ in range(ROUNDS)])
    for name, median in zip(("one after another", "fit_many"), np.median(times, axis=0), strict=True):
        whole = median * LESSON_EPOCHS / SETTINGS["epochs"]
        print(f"  {name:24s}{whole:6.1f} CPU-seconds for {len(DIMS)} models, {LESSON_EPOCHS} epochs each")
    print(f"  fit_many is {np.median(times[:, 0] / times[:, 1]):.2f} times as fast (wanted: 1.5)")


if __name__ == "__main__":
    main()
