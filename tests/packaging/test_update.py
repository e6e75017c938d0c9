"""`make update` on a student's clone: the new edition arrives, and what the student wrote stays."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

from publish.lesson import NOTEBOOKS, ROOT, lessons

pytestmark = pytest.mark.skipif(
    not (shutil.which("git") and shutil.which("make")), reason="needs git and make"
)
LESSON = lessons("04")[0].name


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=teacher", "-c", "user.email=teacher@localhost")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def edit(folder: Path, change) -> None:
    path = folder / "notebooks" / LESSON
    notebook = json.loads(path.read_text(encoding="utf-8"))
    change(notebook["cells"])
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@pytest.fixture
def both(tmp_path) -> tuple[Path, Path]:
    """The teacher's repository, and a student's clone of it."""
    teacher, student = tmp_path / "teacher", tmp_path / "the student's"
    (teacher / "notebooks").mkdir(parents=True)
    shutil.copy(NOTEBOOKS / LESSON, teacher / "notebooks")
    shutil.copy(ROOT / "Makefile", teacher)
    git(teacher, "init", "--quiet", "--initial-branch=main")
    git(teacher, "add", ".")
    git(teacher, "commit", "--quiet", "--message", "one")
    git(tmp_path, "clone", "--quiet", str(teacher), str(student))
    return teacher, student


def update(student: Path) -> None:
    home = {"HOME": str(student.parent), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["make", "update"], cwd=student, env=home, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def sources(student: Path) -> str:
    notebook = nbformat.read(student / "notebooks" / LESSON, as_version=4)
    nbformat.validate(notebook)
    return "\n".join(cell.source for cell in notebook.cells)


def test_the_new_edition_arrives_and_the_students_work_stays(both):
    teacher, student = both
    edit(student, lambda cells: cells[-3].update(source=["what I think"]))
    edit(teacher, lambda cells: cells[0]["source"].append("\n\nA sentence of the new edition."))
    git(teacher, "commit", "--quiet", "--all", "--message", "two")
    update(student)
    assert "what I think" in sources(student)
    assert "A sentence of the new edition." in sources(student)
    update(student)
    assert "what I think" in sources(student)


def test_where_both_changed_a_line_the_students_stays(both):
    teacher, student = both
    for folder, text in ((student, "mine"), (teacher, "theirs")):
        edit(folder, lambda cells, text=text: cells[-3].update(source=[text]))
    git(teacher, "commit", "--quiet", "--all", "--message", "two")
    update(student)
    assert "mine" in sources(student)
    assert "theirs" not in sources(student)
