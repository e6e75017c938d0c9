"""Run every benchmark beside this file, one after another, each in a Python of its own: ``make bench``.

``python -m tests.benchmarks sweep classroom`` runs only those whose file name contains one of the words.
A benchmark is a script ``bench_<name>.py`` that prints its figures in plain lines and exits with 0.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def chosen(words: list[str]) -> list[Path]:
    scripts = sorted(HERE.glob("bench_*.py"))
    return [script for script in scripts if not words or any(word in script.stem for word in words)]


def run(script: Path) -> bool:
    """Whether the benchmark ran to its end."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    started = time.perf_counter()
    print(f"{script.stem.removeprefix('bench_')}", flush=True)
    done = subprocess.run([sys.executable, str(script)], cwd=ROOT, env=environment)
    print(f"  ({time.perf_counter() - started:.0f} s)\n", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    scripts = chosen(sys.argv[1:])
    if not scripts:
        sys.exit(f"no benchmark is called {' or '.join(sys.argv[1:])}")
    failed = [script.name for script in scripts if not run(script)]
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
