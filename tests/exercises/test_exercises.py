"""Every exercise, as the reader meets it: the stub, the folded solution, planted mistakes, an exception."""

from __future__ import annotations

import ast
import importlib
import linecache
import runpy
from pathlib import Path

import pytest

from aelib.exercises.frame import CHECKS
from publish.lesson import exercises, lessons, parsed, read, solutions


def planted(table: str) -> dict[str, list]:
    """A table of answers, "lesson01.psnr" → [...], gathered from the planted_NN.py files beside this one."""
    return {
        name: answers
        for path in sorted(Path(__file__).parent.glob("planted_*.py"))
        for name, answers in runpy.run_path(str(path)).get(table, {}).items()
    }


PLANTED, ACCEPTED = planted("PLANTED"), planted("ACCEPTED")
"""Mistakes, with words of the sentence that names them; and answers unlike the folded solution that are right.

Each stands where the stub stood; the cell's last line then calls the check, as in the lesson.
"""
FEWEST_MISTAKES = 3


def stubs_and_solutions() -> dict[str, tuple[str, str]]:
    """ "lesson01.psnr" → (the cell with the stub and the call of its check, the folded solution)."""
    found = {}
    for path in lessons():
        notebook = read(path)
        for (name, cell), solution in zip(exercises(notebook).items(), solutions(notebook), strict=True):
            found[f"lesson{path.name[:2]}.{name}"] = (cell.source, solution)
    return found


EXERCISES = stubs_and_solutions()
each_exercise = pytest.mark.parametrize("name", EXERCISES)
each_mistake = pytest.mark.parametrize(
    ("name", "code", "words"),
    [(name, code, words) for name, mistakes in PLANTED.items() for code, words in mistakes],
)


def answer(name: str, code: str):
    """The verdict on ``code``, standing where the stub stood."""
    import numpy as np
    import torch

    lesson = name.partition(".")[0]
    judged = last_line(EXERCISES[name][0])
    space = {"torch": torch, "np": np, "check": importlib.import_module(f"aelib.exercises.{lesson}")}
    cell = f"<answer to {name}>"
    linecache.cache[cell] = (len(code), None, code.splitlines(keepends=True), cell)
    exec(compile(code, cell, "exec"), space)
    return eval(judged, space)


def last_line(source: str) -> str:
    return ast.get_source_segment(source, parsed(source).body[-1])


def without_call(source: str) -> str:
    return source.removesuffix(last_line(source))


def failing(source: str) -> str:
    """The stub with a division by zero where the answer belongs."""
    return without_call(source).replace("...", "1 / 0")


@each_exercise
def test_untouched_stub_is_tolerated(name: str):
    verdict = answer(name, without_call(EXERCISES[name][0]))
    assert verdict.state == "not tried"
    assert "Not tried yet" in repr(verdict)


@each_exercise
def test_folded_solution_is_right(name: str):
    verdict = answer(name, EXERCISES[name][1])
    assert verdict.state == "right", verdict
    assert verdict.exercise in CHECKS
    assert len(verdict.sentence.split()) >= 8, "a right answer is told what it means"


@each_exercise
def test_exception_is_shown_with_the_line_of_the_student(name: str):
    source = EXERCISES[name][0]
    if "def " not in source:
        pytest.skip("the answer is a value, not a function")
    verdict = answer(name, failing(source))
    assert verdict.state == "error"
    assert "`1 / 0`" in verdict.sentence
    assert "ZeroDivisionError" in verdict.sentence


@each_mistake
def test_planted_mistake_is_named(name: str, code: str, words: str):
    verdict = answer(name, code)
    assert verdict.state == "wrong", verdict
    assert words in verdict.sentence, verdict


@pytest.mark.parametrize(("name", "code"), [(name, code) for name in ACCEPTED for code in ACCEPTED[name]])
def test_right_answer_of_another_kind_is_accepted(name: str, code: str):
    verdict = answer(name, code)
    assert verdict.state == "right", verdict


@each_exercise
def test_enough_mistakes_are_planted(name: str, tally):
    """By hand, or by the task itself."""
    lesson, _, check = name.partition(".")
    task = getattr(getattr(importlib.import_module(f"aelib.exercises.{lesson}"), check), "task", None)
    n_mistakes = len(PLANTED.get(name, [])) + (len(list(task.planted())) if task else 0)
    if n_mistakes < FEWEST_MISTAKES:
        tally("exercises with fewer than three refused mistakes", name)
    assert n_mistakes >= FEWEST_MISTAKES


def test_no_mistake_is_planted_for_nothing():
    assert set(PLANTED) <= set(EXERCISES)
