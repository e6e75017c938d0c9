"""A definition that a lesson builds and a later lesson imports from aelib is the same definition.

The lesson's own text is extracted and run, and both are compared on the same inputs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from lesson import cells, lessons, parsed, read


def definition(lesson: str, name: str) -> Any:
    """The function or class `name` of the lesson whose file starts with `lesson`, made by its own source.

    The imports of the lesson and the definitions above it are run too; nothing else of it is.
    """
    notebook = read(lessons(lesson)[0])
    namespace: dict[str, Any] = {}
    for cell in cells(notebook, "code"):
        for node in parsed(cell.source).body:
            if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
                exec(compile(ast.Module([node], []), f"<lesson {lesson}>", "exec"), namespace)
            if getattr(node, "name", "") == name:
                return namespace[name]
    raise LookupError(f"lesson {lesson} does not define {name}")


# lesson, name, and a function that turns the definition, the lesson's or aelib's, into numbers to compare
SAME: list[tuple[str, str, Any, Callable[[Any], Any]]] = []


@pytest.mark.parametrize(("lesson", "name", "ours", "numbers"), SAME, ids=str)
def test_the_lesson_and_aelib_agree(lesson: str, name: str, ours: Any, numbers: Callable[[Any], Any]):
    np.testing.assert_allclose(numbers(definition(lesson, name)), numbers(ours), rtol=1e-6)
