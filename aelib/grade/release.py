"""The lessons as assignments for nbgrader: without solutions, with points, interactives kept."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

from aelib.grade.handed_in import calls
from aelib.grade.room import called

SOLUTION = re.compile(r"\n*<details><summary>Solution</summary>.*?</details>\n?", re.S)
BLANK = re.compile(r"^( *)\.\.\.$", re.M)
CONFIG = '''"""Settings of nbgrader for this course: what is left of a solution is the stub of the lesson."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "autoencoders"
c.ClearSolutions.code_stub = {"python": "..."}
c.ExecutePreprocessor.timeout = 300
'''


def export(lessons: Path, folder: Path) -> Path:
    """Write ``source/<lesson>/<lesson>.ipynb`` for each lesson, and ``nbgrader_config.py``, into the folder.

    Each exercise becomes an answer cell, and a test cell of one point that asks the course's check.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    for path in sorted(lessons.glob("[0-9][0-9]_*.ipynb")):
        target = folder / "source" / path.stem / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        notebook = assignment(json.loads(path.read_text(encoding="utf-8")), path.stem[:2])
        target.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return folder / "source"


def assignment(notebook: dict, lesson: str) -> dict:
    """A lesson as a source notebook of nbgrader; the one given is left as it is."""
    numbers = {call.check: call.number for call in calls().values() if call.number.startswith(f"{lesson}.")}
    released = copy.deepcopy(notebook)
    cells = []
    for cell in released["cells"]:
        source = "".join(cell["source"])
        number = next((numbers[name] for name in called(source) if name in numbers), None)
        if cell["cell_type"] == "markdown":
            cell["source"] = SOLUTION.sub("\n", source).rstrip("\n")
            cells.append(cell)
        elif number is None:
            cells.append(cell)
        else:
            cells += [_answer(cell, source, number), _test(number)]
    return released | {"cells": cells}


def _answer(cell: dict, source: str, number: str) -> dict:
    marked = BLANK.sub(r"\1### BEGIN SOLUTION\n\1...\n\1### END SOLUTION", source)
    if marked == source:
        marked += "\n### BEGIN SOLUTION\n### END SOLUTION"
    identity = {
        "grade_id": f"answer-{number.replace('.', '-')}",
        "solution": True,
        "grade": False,
        "locked": False,
    }
    return cell | {"source": marked, "metadata": cell["metadata"] | {"nbgrader": _nbgrader(identity)}}


TEST = """\
import contextlib
import io

with contextlib.redirect_stderr(io.StringIO()):
    verdict = check.{check}({answers})
assert verdict.state == "right", verdict.sentence"""
"""What nbgrader runs. It gives no mark to a test that writes to standard error, as an answer that warns would."""


def _test(number: str) -> dict:
    call = calls()[number]
    answers = ", ".join(call.names)
    source = TEST.format(check=call.check, answers=answers)
    identity = {
        "grade_id": f"test-{number.replace('.', '-')}",
        "solution": False,
        "grade": True,
        "locked": True,
    }
    return {
        "cell_type": "code",
        "id": f"test-{number.replace('.', '-')}",
        "metadata": {"nbgrader": _nbgrader(identity | {"points": 1})},
        "execution_count": None,
        "outputs": [],
        "source": source,
    }


def _nbgrader(identity: dict) -> dict:
    return {"schema_version": 3, "task": False, "cell_type": "code"} | identity
