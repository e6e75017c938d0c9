"""The frame of the exercises: four verdicts, and the check never raises."""

import torch

from aelib.exercises.frame import CHECKS, Wrong, exercise, function, number, same_shape


@exercise("00.0")
def double(answer) -> str:
    """A check for the tests below."""
    got = number(function(answer)(21.0), "double(21)")
    if got != 42:
        raise Wrong(f"expected 42, got {got:g}")
    return "Right: twice as much."


del CHECKS["00.0"]  # it is none of the course's


def test_value_and_function_stubs_are_not_tried():
    def with_docstring(x):
        """What to do."""
        ...

    def bare(x): ...

    assert {double(...).state, double(with_docstring).state, double(bare).state} == {"not tried"}


def test_right_and_wrong():
    assert repr(double(lambda x: 2 * x)) == "✓ Right: twice as much."
    assert repr(double(lambda x: x + 2)) == "✗ expected 42, got 23"


def test_forgotten_return_is_named():
    def forgets(x):
        y = 2 * x  # noqa: F841

    verdict = double(forgets)
    assert verdict.state == "wrong"
    assert "return" in verdict.sentence


def test_exception_shows_the_line_of_the_student():
    def breaks(x):
        return x[0]

    verdict = double(breaks)
    assert verdict.state == "error"
    assert "`return x[0]`" in verdict.sentence
    assert "TypeError" in verdict.sentence


def test_exception_inside_a_library_still_shows_the_line_of_the_student():
    def breaks(x):
        return torch.ones(2, 3) @ torch.ones(2, 3)

    assert "`return torch.ones(2, 3) @ torch.ones(2, 3)`" in double(breaks).sentence


def test_answers_of_the_wrong_kind_get_a_sentence():
    assert "takes your function itself" in double(42).sentence
    assert "one number" in double(lambda x: torch.ones(3)).sentence
    assert "made of numbers" in double(lambda x: "forty-two").sentence
    assert "complex" in double(lambda x: 1j).sentence
    assert double(lambda x: torch.tensor(42 + 0j)).state == "right"
    assert "could not be called" in double(lambda: 42).sentence
    assert "made of numbers" in double(lambda x: 10**400).sentence
    assert "takes your function itself" in double(int).sentence
    assert "division by zero" in double(lambda x: float("nan")).sentence


def test_a_check_that_breaks_does_not_raise():
    @exercise("00.0")
    def broken(answer) -> str:
        raise KeyError("oops")

    del CHECKS["00.0"]
    assert broken(lambda: 1).state == "wrong"


def test_same_shape_names_both():
    import numpy as np
    import pytest

    with pytest.raises(Wrong, match=r"\(2, 1\).*\(2,\)"):
        same_shape(np.ones(2), np.ones((2, 1)), "z")
