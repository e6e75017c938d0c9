"""What TUTOR.md tells an assistant is so: the files, the names and the calls that it cites exist."""

from __future__ import annotations

import re
from pathlib import Path

from aelib.exercises import help as helping
from aelib.exercises.frame import Verdict
from publish.lesson import lessons, markdown, read, solutions

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "TUTOR.md").read_text(encoding="utf-8")


def test_the_files_that_it_names_exist_for_every_lesson():
    named = re.findall(r"`([\w/]+NN\.\w+)`", TEXT)
    assert len(set(named)) == 4
    missing = [
        pattern.replace("NN", lesson)
        for pattern in named
        for lesson in helping.lessons()
        if not (ROOT / pattern.replace("NN", lesson)).exists()
    ]
    assert not missing


def test_the_calls_and_names_that_it_cites_are_there():
    for number in re.findall(r'check\.hint\("([^"]+)"\)', TEXT):
        assert number in helping.exercises_of(number[:2])
    assert "slip" in Verdict.__dataclass_fields__
    assert "### From symptom to cause" in markdown(read(lessons("08")[0]))


def test_it_holds_no_solution():
    lines = {
        line.strip()
        for path in lessons()
        for code in solutions(read(path))
        for line in code.splitlines()
        if line.strip().startswith("return ")
    }
    assert lines
    assert not [line for line in lines if line.removeprefix("return ") in TEXT]
