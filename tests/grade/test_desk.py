"""The teacher's desk on a class with every kind of trouble; two lessons, run for real."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from aelib.grade import handed_in, report
from aelib.grade.__main__ import main
from aelib.grade.handed_in import calls, lesson_of
from aelib.grade.room import called, forked, to_run, without_checks
from publish.lesson import NOTEBOOKS, exercises, lessons, read, solutions

RIGHT = """def diagonal_kl(mu, log_var):
    return -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(dim=1)"""
WRONG = RIGHT.replace("-0.5 *", "-1 *")
ASKED = calls()["07.2"]


def lesson(number: str) -> dict:
    return json.loads(lessons(number)[0].read_text(encoding="utf-8"))


def hand_in(folder: Path, student: str, notebook: dict | str, name: str = "07_gaussian_kl.ipynb") -> None:
    path = folder / student / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook), encoding="utf-8")


def graded(folder: Path, out: Path, *flags: str) -> list[dict]:
    assert main([str(folder), "--out", str(out), "--jobs", "2", *flags]) == 0
    with (out / "grades.csv").open(encoding="utf-8-sig") as table:
        return list(csv.DictReader(table))


def solved(number: str) -> dict:
    """A lesson with every folded solution written into its stub's cell."""
    notebook, found = lesson(number), solutions(read(lessons(number)[0]))
    by_id = {cell["id"]: cell for cell in notebook["cells"]}
    for stub, solution in zip(exercises(read(lessons(number)[0])).values(), found, strict=True):
        by_id[stub.id]["source"] = solution
    return notebook


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    folder = tmp_path_factory.mktemp("class")
    setup = "from aelib.exercises import lesson07 as check\nimport torch"
    bare = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}}

    def only(*sources: str) -> dict:
        cells = [
            {"cell_type": "code", "id": f"c{k}", "metadata": {}, "source": s} for k, s in enumerate(sources)
        ]
        return bare | {"cells": cells}

    hand_in(folder, "ada", only(setup, RIGHT + "\n\n\ncheck.diagonal_kl(diagonal_kl)"))
    hand_in(folder, "ben", only(setup, WRONG), "my homework.ipynb")
    hand_in(folder, "cem", only(setup, "def diagonal_kl(mu, log_var):\n    while True:\n        pass"))
    hand_in(
        folder, "dea", only(setup, RIGHT, "import os\n\n\ndef diagonal_kl(mu, log_var):\n    os._exit(3)")
    )
    hand_in(folder, "eva", only(RIGHT))
    hand_in(folder, "fay", only(setup, "def helper(mu, log_var):\n    return 1 + log_var - mu**2 - log_var.exp()", "def diagonal_kl(mu, log_var):\n    return -0.5 * helper(mu, log_var).sum(dim=1)"))  # fmt: skip
    hand_in(folder, "gus", "this is no notebook")
    hand_in(folder, "hal", only("print(1)"))
    hand_in(folder, "ida", only(setup, WRONG))
    hand_in(folder, "ida", only(setup, 'check.hint("07.2")', RIGHT), "07 copy.ipynb")
    hand_in(folder, "jon", only(setup, "def diagonal_kl(mu, log_var)\n    return 1"))
    hand_in(
        folder,
        "kim",
        only(setup, "def diagonal_kl(mu, log_var):\n    return torch.zeros(2_000_000_000).sum()"),
    )
    hand_in(folder, "leo", only(setup, 'import urllib.request\n\n\ndef diagonal_kl(mu, log_var):\n    return urllib.request.urlopen("http://127.0.0.1:9")'))  # fmt: skip
    (folder / "mia").mkdir()
    return graded(folder, folder.parent / "out", "--seconds", "8", "--memory", "1500")


def of(rows: list[dict], student: str, exercise: str = "07.2") -> list[dict]:
    return [row for row in rows if row["student"] == student and row["exercise"] == exercise]


@pytest.mark.parametrize("student", ["ada", "eva", "fay"])
def test_a_right_answer_counts_without_its_check_its_setup_or_in_two_cells(rows, student):
    assert [row["state"] for row in of(rows, student)] == ["right"]


@pytest.mark.parametrize(
    ("student", "state", "words"),
    [
        ("ben", "wrong", ""),
        ("cem", "error", "more than 8 seconds"),
        ("dea", "error", "ended the process"),
        ("jon", "error", "SyntaxError"),
        ("kim", "error", "memory|allocate"),
        ("leo", "error", "no network|urlopen|refused|unreachable"),
    ],
)
def test_each_trouble_is_a_row_with_a_sentence(rows, student, state, words):
    (row,) = of(rows, student)
    assert row["state"] == state
    assert re.search(words, row["sentence"]), row["sentence"]
    assert len(row["sentence"]) > 20


def test_what_is_no_lesson_and_who_handed_in_nothing_is_not_lost(rows):
    said = {row["student"]: row["sentence"] for row in rows if not row["exercise"]}
    assert "cannot be read" in said["gus"]
    assert "No exercise of the course" in said["hal"]
    assert "no notebook" in said["mia"]


def test_one_answer_that_loops_costs_no_other_and_untried_ones_are_said_to_be(rows):
    assert {row["state"] for row in rows if row["student"] == "cem" and row["exercise"] != "07.2"} == {
        "not tried"
    }


def test_two_copies_are_two_rows_and_the_better_one_counts(rows):
    assert [row["state"] for row in of(rows, "ida")] == ["right", "wrong"]
    assert [row["hints"] for row in of(rows, "ida")] == ["1", "0"]
    typed = [report.Row(**row | {"hints": int(row["hints"])}) for row in rows]
    assert report.by_student(typed)["ida"]["07.2"].state == "right"
    exercise, slip, count = report.most_frequent(typed)[0]
    assert (exercise, count) == ("07.2", 2), "ben and ida made the same slip"
    assert slip


def test_every_folded_solution_of_a_lesson_is_right_and_nothing_is_complained_of(tmp_path, capfd):
    hand_in(tmp_path / "class", "zoe", solved("07"), "07.ipynb")
    rows = graded(tmp_path / "class", tmp_path / "out")
    assert {row["exercise"]: row["state"] for row in rows} == {
        number: "right" for number in calls() if number[:2] == "07"
    }
    page = (tmp_path / "out" / "grades.html").read_text(encoding="utf-8")
    assert "zoe" in page
    assert capfd.readouterr().err == ""
    assert "http" not in page


def test_a_sentence_where_there_is_nothing_to_judge(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert main([str(tmp_path / "nowhere")]) == 2
    assert main([str(tmp_path), "--lessons", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3


# Pieces


def test_the_lesson_is_found_by_what_is_defined():
    assert lesson_of([RIGHT]) == "07"
    assert lesson_of(["from aelib.exercises import lesson06 as check"]) == "06"
    assert lesson_of(["x = 1"]) is None


def test_only_changed_cells_up_to_the_answer_are_run():
    official = ["import torch", "x = 1", "def diagonal_kl(mu, log_var):\n    ..."]
    own = ["import torch", "x = 2", RIGHT, "y = 3"]
    assert to_run(own, official, ASKED, set()) == ["x = 2", RIGHT]
    assert to_run(own, official, ASKED, {"x = 2"}) == [RIGHT]
    assert to_run(["import torch"], official, ASKED, set()) == []


def test_lines_that_ask_for_a_verdict_are_left_out():
    cell = "def f(x):\n    return x\n\n\ncheck.f(\n    f,\n)\ncheck.hint('07.2')"
    assert called(cell) == ["f", "hint"]
    assert without_checks(cell).strip() == "def f(x):\n    return x"


def test_each_task_has_its_own_process_and_order():
    limits = {"jobs": 2, "seconds": 5}
    answers = forked([lambda k=k: {"k": k} for k in range(7)], limits)
    assert [json.loads(answer)["k"] for answer in answers] == list(range(7))


def test_every_exercise_of_the_course_can_be_called():
    assert handed_in.STUBS.exists()
    found = [number for path in lessons() for number in calls() if path.name.startswith(number[:2])]
    assert (
        len(found)
        == len(calls())
        == sum(len(exercises(read(path))) for path in sorted(NOTEBOOKS.glob("*.ipynb")))
    )
