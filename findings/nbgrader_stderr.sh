#!/usr/bin/env bash
# nbgrader: a test that passes earns nothing if anything was written to standard error while it ran.
#
# Versions: nbgrader 0.9.6, nbclient 0.11.0, ipykernel 6.31.0, nbformat 5.11.1. Date: 2026-11-29.
# Expected: a test cell without an error earns its points.
# Happens: any output on standard error counts like an exception: a warning that the student's right answer triggers,
#   a line of a log, a progress bar. The grade is 0, and the cell shows neither a traceback nor a failed assertion.
#   The same bar on standard output costs nothing.
# Output seen (each cell holds a true assertion and is worth 1 point):
#   returns the mean                               -> 1 of 1
#   returns the mean, after warnings.warn          -> 0 of 1
#   returns the mean, with a progress bar (stderr) -> 0 of 1
#   returns the mean, with a progress bar (stdout) -> 1 of 1
# Who meets it: whoever grades training code, whose libraries warn and whose loops show progress. A release of a library
#   that adds one deprecation warning turns a class's full marks into zeros. nbgrader's preprocessor IgnorePattern
#   removes outputs that match a pattern, if one thinks of it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --no-compile --disable-pip-version-check \
  nbgrader==0.9.6 nbclient==0.11.0 nbformat==5.11.1 ipykernel==6.31.0 2>/dev/null
export JUPYTER_DATA_DIR="$folder/data" IPYTHONDIR="$folder/ipython"

PATH="$folder/env/bin:$PATH" "$folder/env/bin/python" - <<'PYTHON' 2>/dev/null
import sys

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade

ANSWERS = """
import sys, warnings

def mean(values):
    return sum(values) / len(values)

def warned(values):
    warnings.warn("a library will rename an argument")
    return mean(values)

def bar(values, stream):
    for done, _ in enumerate(values, start=1):
        print(f"step {done}", end=" ", file=stream)
    return mean(values)
"""
TESTS = {
    "returns the mean": "assert mean([1, 2, 6]) == 3",
    "returns the mean, after warnings.warn": "assert warned([1, 2, 6]) == 3",
    "returns the mean, with a progress bar (stderr)": "assert bar([1, 2, 6], sys.stderr) == 3",
    "returns the mean, with a progress bar (stdout)": "assert bar([1, 2, 6], sys.stdout) == 3",
}


def test_cell(name, source):
    graded = {"grade_id": name, "points": 1, "grade": True, "solution": False, "locked": True, "schema_version": 3}
    return new_code_cell(source, metadata={"nbgrader": graded})


cells = [test_cell(name, source) for name, source in TESTS.items()]
NotebookClient(new_notebook(cells=[new_code_cell(ANSWERS), *cells]), kernel_name="python3").execute()
grades = []
for name, cell in zip(TESTS, cells):
    points, most = determine_grade(cell)
    print(f"{name:46} -> {points:.0f} of {most:.0f}")
    grades.append(points)
sys.exit(0 if grades == [1, 0, 0, 1] else 1)
PYTHON
