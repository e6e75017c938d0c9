"""Lessons 00 to 05 are written for a second-year student whose first language is not English."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from publish.lesson import lessons, read
from tests.notebooks.reading import measures, parentheses, prose, sentences, words

plain = [path for path in lessons() if path.name[:2] <= "05"]
every_plain_lesson = pytest.mark.parametrize("path", plain, ids=lambda path: path.stem)
TOO_LONG = {"02": 2800, "03": 2800}


@every_plain_lesson
def test_few_parentheses_and_short_lines_of_code(path: Path):
    found = measures(read(path))
    assert found["parentheses"] <= 10
    assert found["longest code line"] <= 100
    assert found["words"] <= TOO_LONG.get(path.name[:2], 3000)


@every_plain_lesson
def test_sentences_are_short(path: Path):
    """A soft rule as a mean, and a limit that no sentence passes."""
    found = [words(sentence) for sentence in sentences(prose(read(path)))]
    assert sum(found) / len(found) < 15
    assert max(found) <= 45


@every_plain_lesson
def test_standard_terms(path: Path):
    """A distribution is called a distribution, and the notes behind the course stand in lesson 00 alone."""
    text = prose(read(path))
    assert not re.findall(r"\blaws?\b", text)
    if path.name[:2] != "00":
        assert not re.findall(r"\bthe notes\b", text)


def test_what_is_counted_as_a_parenthesis():
    assert parentheses("as in (05.1), in 1995 (2020) and (like this), twice (so)") == 2
