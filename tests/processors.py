"""The numerically sensitive tests, under several emulated processors: `make test PROCESSORS=all`.

    python -m tests.processors all
    python -m tests.processors default,sse4 -k gaussian

A sum comes out a little differently on each processor, because its libraries choose their instructions by it.
Each row is a process of its own: variables choose the instructions when a library is loaded, and not later.
The tests are those marked `processor`; further arguments go to pytest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

VARIABLES = ("ATEN_CPU_CAPABILITY", "MKL_ENABLE_INSTRUCTIONS", "OPENBLAS_CORETYPE", "OMP_NUM_THREADS")
PROCESSORS = {
    "native": {},
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2"},
    "default": {"ATEN_CPU_CAPABILITY": "default"},
    "sse4": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "OPENBLAS_CORETYPE": "Prescott",
    },
    "threads": {"OMP_NUM_THREADS": "2"},
}
ROW = "{:10} {:>7} {:>7} {:>8}"


class Result(NamedTuple):
    """What pytest said under one processor; passed and failed count tests, a crash counts as one failure."""

    name: str
    passed: int
    failed: int
    seconds: float
    output: str


def chosen(names: str) -> list[str]:
    """The processors that a comma-separated list names, or all; ValueError for a name that is not known."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in (*PROCESSORS, "all")]
    if unknown or not wanted:
        listed = f"{', '.join(unknown)} is unknown" if unknown else "none is named"
        raise ValueError(f"PROCESSORS: {listed}; choose from {', '.join(PROCESSORS)}, or all.")
    return list(PROCESSORS) if "all" in wanted else wanted


def environment(name: str) -> dict[str, str]:
    """This process's variables, but for those that choose instructions and threads: one thread unless told."""
    inherited = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    return inherited | {"OMP_NUM_THREADS": "1"} | PROCESSORS[name]


def run(name: str, flags: list[str]) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-m", "processor", f"--junit-xml={report}", *flags],
            env=environment(name),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        passed, failed = _counts(report)
    failed = max(failed, int(done.returncode != 0))
    return Result(name, passed, failed, time.monotonic() - start, done.stdout)


def _counts(report: Path) -> tuple[int, int]:
    if not report.exists():
        return 0, 0
    suite = ElementTree.parse(report).getroot().find("testsuite")
    total, skipped, *failed = (int(suite.get(key)) for key in ("tests", "skipped", "failures", "errors"))
    return total - skipped - sum(failed), sum(failed)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.processors", description=__doc__.split("\n")[0])
    parser.add_argument("names", help=f"all, or some of {', '.join(PROCESSORS)}, with commas between them")
    parser.add_argument("--jobs", type=int, default=2, help="how many processors at a time")
    options, flags = parser.parse_known_args(arguments)
    try:
        names = chosen(options.names)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(ROW.format("processor", "passed", "failed", "seconds"), flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda name: _told(run(name, flags)), names))
    for result in results:
        if result.failed:
            print(f"\n--- {result.name} ---\n{result.output}")
    return int(any(result.failed for result in results))


def _told(result: Result) -> Result:
    print(ROW.format(result.name, result.passed, result.failed, round(result.seconds)), flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
