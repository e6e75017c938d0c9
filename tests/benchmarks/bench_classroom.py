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
    """Train for a while whenever a line arrives; answer with the steps in a second, and in a second of CPU."""
    import torch

    n_threads = torch.get_num_threads()
    from aelib.data import digits
    from aelib.models import Autoencoder
    from aelib.objectives import reconstruction_error
    from aelib.training import fit

    if threads == "torch":
        torch.set_num_threads(n_threads)
    data = digits()

    def rates(seconds: float) -> tuple[float, float]:
        steps, started, cpu = 0, time.monotonic(), time.process_time()

        def timed(model, x):
            nonlocal steps
            if time.monotonic() > started + seconds:
                raise KeyboardInterrupt
            steps += 1
            return reconstruction_error(model, x)

        fit(Autoencoder(64, 16), data, epochs=10**6, seed=0, loss=timed)
        return steps / (time.monotonic() - started), steps / (time.process_time() - cpu)

    rates(0.2)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(*rates(SECONDS), flush=True)


def start(threads: str) -> subprocess.Popen:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "MKL_"))}
    first = "import torch" if threads == "torch" else "import aelib"
    code = f"{first}; import runpy, sys; sys.argv = ['', {threads!r}]; runpy.run_path({__file__!r}, run_name='worker')"
    return subprocess.Popen(
        [sys.executable, "-c", code], env=clean, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def together(kernels: list[subprocess.Popen]) -> np.ndarray:
    """What the median of them manages while all of them train: steps a second, steps a CPU-second."""
    for kernel in kernels:
        kernel.stdin.write("go\n")
        kernel.stdin.flush()
    answers = [[float(number) for number in kernel.stdout.readline().split()] for kernel in kernels]
    return np.median(answers, axis=0)


def measure(threads: str) -> np.ndarray:
    """(rounds, alone or all, by the wall or by the CPU): steps a second."""
    kernels = [start(threads) for _ in range(KERNELS)]
    try:
        for kernel in kernels:
            kernel.stdout.readline()
        return np.array([(together(kernels[:1]), together(kernels)) for _ in range(ROUNDS)])
    finally:
        for kernel in kernels:
            kernel.stdin.close()
            kernel.wait()


def main() -> None:
    print(f"  {KERNELS} kernels, {os.cpu_count()} cores")
    for threads, wanted in (("aelib", " (wanted: at most 3)"), ("torch", "")):
        rates = measure(threads)
        (alone, _), (crowd, _) = np.median(rates, axis=0)
        slower, dearer = np.median(rates[:, 0] / rates[:, 1], axis=0)
        print(f"  {threads} threads: {alone:.0f} steps a second alone, {crowd:.0f} each of {KERNELS}")
        print(f"    {slower:.1f} times slower{wanted}; a step costs {dearer:.1f} times the CPU time")


if __name__ == "worker":
    worker(sys.argv[1])
if __name__ == "__main__":
    main()
