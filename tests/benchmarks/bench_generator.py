"""Lesson 15: nine first stages by ``fit_many`` against one ``fit`` after another, and a chain of 50 steps; one thread."""

from __future__ import annotations

import time
from functools import partial

import aelib  # noqa: F401  isort: skip  (settles the threads before torch is loaded)

import numpy as np
import torch

from aelib.data import digits
from aelib.generators import LatentDiffusion
from aelib.models import VAE
from aelib.objectives import neg_elbo
from aelib.training import fit, fit_many

BETAS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 1.0, 4.0)
SETTINGS = {"epochs": 15, "lr": 1e-2, "progress": False}
ROUNDS = 3


def one_by_one(stages: list[VAE], rows: torch.Tensor) -> None:
    for stage, beta in zip(stages, BETAS, strict=True):
        fit(stage, rows, seed=0, loss=partial(neg_elbo, beta=beta), **SETTINGS)


def together(stages: list[VAE], rows: torch.Tensor) -> None:
    fit_many(stages, rows, seeds=[0] * len(stages), betas=BETAS, loss=neg_elbo, **SETTINGS)


def seconds(way, rows: torch.Tensor) -> float:
    stages = [VAE(64, 8, hidden=(64,), noise_var=0.05) for _ in BETAS]
    started = time.process_time()
    way(stages, rows)
    return time.process_time() - started


def main() -> None:
    torch.set_num_threads(1)
    rows = digits().train
    times = np.array([[seconds(way, rows) for way in (one_by_one, together)] for _ in range(ROUNDS)])
    for name, median in zip(("one after another", "fit_many"), np.median(times, axis=0), strict=True):
        print(f"  {name:24s}{median:6.1f} CPU-seconds for nine β, {SETTINGS['epochs']} epochs each")
    print(f"  fit_many is {np.median(times[:, 0] / times[:, 1]):.2f} times as fast (wanted: 1.5)")
    model = LatentDiffusion(VAE(64, 8, hidden=(64,), noise_var=0.05), rows)
    started = time.process_time()
    model.draw(100, torch.Generator().manual_seed(0))
    print(f"  50 steps for 100 digits: {time.process_time() - started:.2f} CPU-seconds (wanted: at most 1)")


if __name__ == "__main__":
    main()
