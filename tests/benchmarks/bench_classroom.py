"""Four kernels training at once, as in a classroom on one server, against one alone: how much slower is each?

Measured by the clock on the wall, with aelib's thread settings and with torch's own. With as many free cores as
kernels the ideal is 1, on two cores it is 2. On a machine with other work the figures say something about that, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np

KERNELS, SECONDS, ROUNDS = 4, 2.5, 3


def worker(threads: str) -> None:
    """Train for a while whenever a line arrives; answer with the steps taken in a second."""
    import torch

    n_threads = torch.get_num_threads()
    from aelib.data import digits
    from aelib.models import Autoencoder
    from aelib.objectives import reconstruction_error
    from aelib.training import fit

    if threads == "torch":
        torch.set_num_threads(n_threads)
    data = digits()

    def rate(seconds: float) -> float:
        steps, started = 0, time.monotonic()

        def timed(model, x):
            nonlocal steps
            if time.monotonic() > started + seconds:
                raise KeyboardInterrupt
            steps += 1
            return reconstruction_error(model, x)

        fit(Autoencoder(64, 16), data, epochs=10**6, seed=0, loss=timed)
        return steps / (time.monotonic() - started)

    rate(0.2)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(rate(SECONDS), flush=True)


def start(threads: str) -> subprocess.Popen:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "MKL_"))}
    first = "import torch" if threads == "torch" else "import aelib"
    code = f"{first}; import runpy, sys; sys.argv = ['', {threads!r}]; runpy.run_path({__file__!r}, run_name='worker')"
    return subprocess.Popen(
        [sys.executable, "-c", code], env=clean, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def rates(kernels: list[subprocess.Popen]) -> list[float]:
    """What each of them manages while all of them train."""
    for kernel in kernels:
        kernel.stdin.write("go\n")
        kernel.stdin.flush()
    return [float(kernel.stdout.readline()) for kernel in kernels]


def slowdown(threads: str) -> tuple[float, float, float]:
    """Epochs a second alone, steps a second of the median of four, and the ratio; medians over the rounds."""
    kernels = [start(threads) for _ in range(KERNELS)]
    try:
        for kernel in kernels:
            kernel.stdout.readline()
        rounds = [(rates(kernels[:1])[0], float(np.median(rates(kernels)))) for _ in range(ROUNDS)]
    finally:
        for kernel in kernels:
            kernel.stdin.close()
            kernel.wait()
    alone, crowd = np.array(rounds).T
    return float(np.median(alone)), float(np.median(crowd)), float(np.median(alone / crowd))


def main() -> None:
    print(f"  {KERNELS} kernels, {os.cpu_count()} cores")
    for threads in ("aelib", "torch"):
        alone, crowd, ratio = slowdown(threads)
        wanted = " (wanted: at most 3)" if threads == "aelib" else ""
        print(
            f"  {threads + ' threads':24s}{alone:6.0f} steps a second alone, {crowd:6.0f} each of four: "
            f"{ratio:.1f} times slower{wanted}"
        )


if __name__ == "worker":
    worker(sys.argv[1])
if __name__ == "__main__":
    main()
