"""Lesson 07's blank page: each line gets a verdict of its own, whatever the others are."""

from __future__ import annotations

import math

import pytest

from aelib.exercises import lesson07 as check

L = math.log(2 * math.pi)
RIGHT = (
    lambda z, mu, log_var: -0.5 * (L + log_var + (z - mu) ** 2 / log_var.exp()),
    lambda mu, log_var: -0.5 * (L + log_var + 1),
    lambda mu, log_var: -0.5 * (L + mu**2 + log_var.exp()),
    lambda mean_log_q, mean_log_p: mean_log_q - mean_log_p,
    lambda mu, log_var: -0.5 * (1 + log_var - mu**2 - log_var.exp()),
    lambda mu, log_var: -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(dim=1),
)


def untouched(*_): ...


def broken(*_):
    return 1 / 0


def with_line(k: int, answer) -> tuple:
    return tuple(answer if n == k else right for n, right in enumerate(RIGHT, 1))


def line_of(verdict, k: int) -> str:
    return next(
        text.strip() for text in verdict.sentence.splitlines() if text.strip().startswith(f"line {k}:")
    )


def test_all_right_and_all_untouched_are_one_sentence():
    assert check.derivation(*RIGHT).state == "right"
    verdict = check.derivation(*[untouched] * 6)
    assert verdict.state == "not tried" and "line" not in verdict.sentence.split("run")[0]


@pytest.mark.parametrize("k", range(1, 7))
def test_one_open_line_leaves_the_others_right(k: int):
    for answer in (untouched, ...):
        verdict = check.derivation(*with_line(k, answer))
        assert verdict.state == "not tried"
        assert line_of(verdict, k) == f"line {k}: ○ not tried yet."
        assert all(line_of(verdict, n) == f"line {n}: ✓ right." for n in range(1, 7) if n != k)


@pytest.mark.parametrize("k", range(1, 7))
def test_one_right_line_counts_alone(k: int):
    verdict = check.derivation(*(right if n == k else untouched for n, right in enumerate(RIGHT, 1)))
    assert verdict.sentence.startswith("1 of 6 lines stand")
    assert line_of(verdict, k).endswith("✓ right.")


@pytest.mark.parametrize("k", range(1, 7))
def test_an_exception_is_that_line_s_alone(k: int):
    verdict = check.derivation(*with_line(k, broken))
    assert verdict.state == "error"
    assert "ZeroDivisionError" in line_of(verdict, k)
    assert verdict.sentence.startswith("5 of 6 lines stand")


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_the_wrong_sign_is_refused_in_each_line(k: int):
    right = RIGHT[k - 1]
    verdict = check.derivation(*with_line(k, lambda *values: -right(*values)))
    assert verdict.state == "wrong"
    assert line_of(verdict, k).startswith(f"line {k}: ✗")
