"""Which lessons `make check` runs: `python -m tests.changed` prints them, and says on standard error why these.

Where there are any, the tests of what is written in lessons are named too.

Where git keeps the course, the lessons that differ from the last commit; elsewhere, those whose code is not that of
their saved outputs.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from publish.lesson import NOTEBOOKS, lessons, read, source_sha256

ROOT = NOTEBOOKS.parent


def by_git() -> list[Path] | None:
    """The lessons that were changed or added since the last commit; None where git keeps no course here."""
    command = ["git", "-c", "core.quotePath=false", "status", "--porcelain", "--", "notebooks"]
    try:
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    names = {line[3:].strip('"').rpartition("/")[2] for line in said.splitlines()}
    return [path for path in lessons() if path.name in names]


def by_outputs() -> list[Path]:
    """The lessons whose code has changed since it was run."""
    return [
        path
        for path in lessons()
        if read(path).metadata.get("course", {}).get("source_sha256") != source_sha256(read(path))
    ]


def main() -> None:
    found, why = by_git(), "differ from the last commit"
    if found is None:
        found, why = by_outputs(), "have other code than their saved outputs (git does not keep this folder)"
    names = ", ".join(path.stem[:2] for path in found) or "none"
    print(f"Lessons that {why}, and are run: {names}.", file=sys.stderr)
    print(*(path.relative_to(ROOT).as_posix() for path in found), *(["tests/notebooks"] if found else []))


if __name__ == "__main__":
    main()
