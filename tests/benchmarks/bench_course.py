"""The whole course on one core, without the network: each lesson's seconds and memory, and what `import aelib` costs.

The lessons run one after another from the top, as a student would run them, pinned to one core where the system can
pin. Their budgets: 30 s each, 60 s for lessons 08 and 09, 4 minutes together, and 500 MB for each kernel.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from publish.execute import run
from publish.lesson import ROOT, lessons, read

BUDGETS = {"08": 60.0, "09": 60.0}


def measured(path: Path) -> tuple[float, float]:
    """Seconds on the wall, the kernel's start included, and the kernel's largest memory in MB."""
    started = time.perf_counter()
    memory = run(read(path), path.parent)
    return time.perf_counter() - started, memory.peak / 1e6


def seconds_of(statement: str) -> float:
    """A fresh Python's time for one statement, its own start-up taken off by the caller."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True)
    return time.perf_counter() - started


def import_time(rounds: int = 7) -> float:
    costs = [seconds_of("import aelib") - seconds_of("pass") for _ in range(rounds)]
    return statistics.median(costs)


def main() -> None:
    os.environ |= {"OMP_NUM_THREADS": "1", "AELIB_OFFLINE": "1"}
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    total = 0.0
    for path in lessons():
        seconds, megabytes = measured(path)
        total += seconds
        budget = BUDGETS.get(path.stem[:2], 30.0)
        print(
            f"  {path.stem:<32}{seconds:6.1f} s (wanted: {budget:.0f}) {megabytes:6.0f} MB (wanted: 500)",
            flush=True,
        )
    print(f"  all lessons, one after another on one core: {total:.0f} s (wanted: 240)")
    print(f"  import aelib: {import_time():.3f} s (wanted: 0.2)")


if __name__ == "__main__":
    main()
