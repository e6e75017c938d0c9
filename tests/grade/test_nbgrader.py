"""A round trip through the real nbgrader: generated, answered by five students, collected, graded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("nbgrader", reason="nbgrader is not installed: pip install -r requirements-test.txt")

from aelib.grade.__main__ import main
from aelib.grade.release import assignment
from aelib.kernels.provisioner import template
from publish.lesson import exercises, lessons, read, solutions

LESSONS = ("03", "07")
SHARE_RIGHT = {"ada": 1.0, "ben": 0.0, "cem": 0.5, "dea": 1.0, "eva": 0.0}
"""What part of each lesson's exercises, from the first on, a student has answered rightly."""


def name(lesson: str) -> str:
    return lessons(lesson)[0].stem


def nbgrader(course: Path, kernels: dict[str, str], *words: str) -> None:
    own = {"AELIB_PROGRESS": "0", "JUPYTER_CONFIG_DIR": str(course / "settings")}
    environment, command = os.environ | own | kernels, [sys.executable, "-m", "nbgrader", *words]
    done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]


def answer(released: Path, target: Path, lesson: str, share: float) -> int:
    """Hand in a released notebook with so many of its solutions; how many they are."""
    notebook = json.loads(released.read_text(encoding="utf-8"))
    original = read(lessons(lesson)[0])
    stubs, found = exercises(original), solutions(original)
    n_right = round(share * len(found))
    right = {stub.id: text for stub, text in list(zip(stubs.values(), found, strict=True))[:n_right]}
    for cell in notebook["cells"]:
        cell["source"] = right.get(cell["id"], cell["source"])
    target.parent.mkdir(parents=True)
    target.write_text(json.dumps(notebook), encoding="utf-8")
    return n_right


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    assert main(["--export", "nbgrader", str(folder)]) == 0
    for lesson in lessons():
        if lesson.name[:2] not in LESSONS:
            shutil.rmtree(folder / "source" / lesson.stem)
    return folder


@pytest.fixture(scope="module")
def kernels() -> Iterator[dict[str, str]]:
    """The environment in which kernels are forked, as those of `make lab` are."""
    with template() as variables:
        yield variables


def test_scores_are_as_expected(course: Path, kernels: dict[str, str]):
    expected = {}
    for lesson in LESSONS:
        nbgrader(course, kernels, "generate_assignment", name(lesson))
        released = course / "release" / name(lesson) / f"{name(lesson)}.ipynb"
        assert "<summary>Solution" not in released.read_text(encoding="utf-8")
        for student, share in SHARE_RIGHT.items():
            target = course / "submitted" / student / name(lesson) / released.name
            expected[student, name(lesson)] = answer(released, target, lesson, share)
        nbgrader(course, kernels, "autograde", name(lesson))
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        scores = {
            (student, name(lesson)): book.find_submission(name(lesson), student).score
            for student in SHARE_RIGHT
            for lesson in LESSONS
        }
    assert scores == expected


def test_a_released_stub_is_the_stub_of_the_lesson():
    lesson = json.loads(lessons("11")[0].read_text(encoding="utf-8"))
    cells = {cell["id"]: "".join(cell["source"]) for cell in assignment(lesson, "11")["cells"]}
    assert "### BEGIN SOLUTION\n    ...\n    ### END SOLUTION" in cells["exercise-auc-stub"]
    assert cells["exercise-same-stub"].startswith("same_quantity = ...")
    assert len([one for one in cells if one.startswith("test-11")]) == 4
