"""One epoch of the real MNIST, in the set-up of PyTorch's VAE example: ``fit`` against the usual loop, one thread.

784-400-20-400-784, batches of 128, Adam with a step of 1e-3, cross-entropy on grey pixels plus KL. The usual loop is
that of ``bench_training``. Beside them the convolutional VAE of lesson 11, in the same ``fit``.
The files are looked for where AELIB_DATA says, where AELIB_TEST_DATA says, and in the cache; nothing is fetched.
"""

from __future__ import annotations

import os
import time

import aelib  # noqa: F401  isort: skip  (settles the threads before torch is loaded)

import torch

from aelib.data import Dataset, DownloadError, mnist
from aelib.models import VAE, convolutional_vae
from aelib.objectives import neg_elbo
from aelib.training import fit
from tests.benchmarks import bench_training

FOUND = os.environ.get("AELIB_TEST_DATA")


def usual_loop(data: Dataset) -> str:
    images = data.raw[data.train_index].reshape(-1, 28, 28).numpy()
    loss = bench_training.usual_way(bench_training.VAE(), images)
    return f"loss {loss:.0f} while learning"


def with_fit(model: VAE, data: Dataset) -> str:
    history = fit(model, data, epochs=1, seed=0, loss=neg_elbo)
    return (
        f"loss {history.train['loss'][0]:.0f} while learning, then {history.held_out['loss'][0]:.0f} held out"
    )


WAYS = {
    "usual loop": usual_loop,
    "fit, fully connected": lambda data: with_fit(VAE(784, 20, hidden=(400,), likelihood="bernoulli"), data),
    "fit, convolutional": lambda data: with_fit(
        convolutional_vae((28, 28), 20, likelihood="bernoulli"), data
    ),
}


def main() -> None:
    torch.set_num_threads(1)
    if FOUND:
        os.environ.setdefault("AELIB_DATA", FOUND)
    try:
        data = mnist(download=False)
    except DownloadError as error:
        print(f"  not measured: {error}")
        return
    rates = {}
    for name, way in WAYS.items():
        started = time.process_time()
        told = way(data)
        rates[name] = len(data.train_index) / (time.process_time() - started)
        print(f"  {name:22s}{rates[name]:9,.0f} images a CPU-second; {told}", flush=True)
    ratio = rates["fit, fully connected"] / rates["usual loop"]
    print(f"  fit is {ratio:.2f} times as fast as the usual loop, its 10,000 held-out images included")


if __name__ == "__main__":
    main()
