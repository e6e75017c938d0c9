"""The questions are data: lessons ask them by number, in order, and no line of code holds an answer."""

from __future__ import annotations

import re

import pytest

from aelib import questions
from publish.lesson import asked, calls, cells, lessons, read

every_lesson = pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)


@every_lesson
def test_a_lesson_asks_each_of_its_questions_once_and_in_order(path):
    lesson = path.name[:2]
    data = questions.of_lesson(lesson)
    assert list(asked(read(path)).items()) == [
        (number, (entry["cell"], entry["kind"])) for number, entry in data.items()
    ]
    assert list(data) == [f"{lesson}.{place}" for place in range(1, len(data) + 1)]


@every_lesson
def test_no_line_of_code_holds_an_answer(path):
    """A lesson asks by number alone: texts, reasons and the right answer stand elsewhere."""
    asking = [
        call
        for cell in cells(read(path), "code")
        for call in calls(cell.source)
        if getattr(call.func, "id", "") in questions.KINDS
    ]
    assert asking, "a lesson without a question"
    for call in asking:
        assert not call.keywords
        assert [re.fullmatch(r"\d\d\.\d+", argument.value)[0] for argument in call.args]


def test_every_file_belongs_to_a_lesson():
    files = {path.stem.removeprefix("lesson") for path in questions.FOLDER.glob("*.toml")}
    assert files == {path.name[:2] for path in lessons()}
