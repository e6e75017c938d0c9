"""Exercises as the reader meets them: untouched stubs are tolerated, and the folded solutions are right.

Each lesson is run once more with its solutions pasted in: every check must then approve.
"""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest
from lesson import cells, exercises, lessons, parsed, read, solutions
from nbclient import NotebookClient

with_exercises = pytest.mark.parametrize(
    "path", [path for path in lessons() if exercises(read(path))], ids=lambda path: path.stem
)


def said(cell) -> str:
    """What a cell printed or returned, as text."""
    return "\n".join(out.get("text", "") + out.get("data", {}).get("text/plain", "") for out in cell.outputs)


def is_stub(cell) -> bool:
    return any(getattr(node, "value", None) is ... for node in ast.walk(parsed(cell.source)))


def checks_only(source: str) -> str:
    """The statements of a cell that call the check."""
    statements = [ast.get_source_segment(source, node) for node in parsed(source).body]
    return "\n".join(text for text in statements if text.startswith("check."))


def paste(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Replace each stub by its solution, in place; returns the cells whose checks must approve."""
    code = cells(notebook, "code")
    judging = list(exercises(notebook).values())
    for judge, solution in zip(judging, solutions(notebook), strict=True):
        stub = next(cell for cell in reversed(code[: code.index(judge) + 1]) if is_stub(cell))
        stub.source = f"{solution.rstrip()}\n{checks_only(stub.source)}"
    return judging


@with_exercises
def test_untouched_stubs_are_tolerated(path: Path):
    for name, cell in exercises(read(path)).items():
        assert "Not tried yet" in said(cell), name


@with_exercises
def test_folded_solutions_are_right(path: Path):
    notebook = read(path)
    judging = paste(notebook)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    refused = {cell.id: said(cell) for cell in judging if "✓" not in said(cell)}
    assert not refused
