"""Lesson 06's blank page: each line is judged on its own, whatever the others are."""

from __future__ import annotations

from aelib.exercises import lesson06


def line_1(q, posterior):
    return (q * q.log()).sum(), (q * posterior.log()).sum()


def line_2(q, prior, likelihood):
    return 1 / 0


def line_3(prior, likelihood): ...


def line_4(q, prior, likelihood):
    joint = prior * likelihood
    return [joint.sum().log().item(), (q * (joint / q).log()).sum().item()]


def line_5(q, prior, likelihood):
    return (q * likelihood.log()).sum(), -(q * (q / prior).log()).sum()


def test_one_sentence_a_line():
    verdict = lesson06.derivation(line_1, line_2, line_3, line_4, line_5)
    head, *said = str(verdict).splitlines()
    assert verdict.state == "error"
    assert head == "! 2 of 5 lines stand."
    assert [line.split()[2] for line in said] == ["✓", "!", "○", "✓", "✗"]
    assert "`return 1 / 0`" in said[1]
    assert "without the sign that stands before it" in said[4]


def untouched(*tables): ...


def test_open_lines_are_only_open():
    verdict = lesson06.derivation(line_1, untouched, untouched, line_4, untouched)
    assert verdict.state == "not tried"
    assert "2 of 5 lines stand" in verdict.sentence
