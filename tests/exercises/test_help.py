"""Help in steps: hints that never hold the solution, the line that says what is solved, the stub as it was."""

from __future__ import annotations

import ast
import importlib
import re

import pytest
from jupyter_client.manager import start_new_kernel

from aelib.exercises import help as helping
from aelib.exercises import memory
from aelib.exercises.frame import CHECKS, Verdict
from publish.exercises import all_stubs, stubs, write_help
from publish.lesson import NOTEBOOKS, exercises, lessons, markdown, read, solutions

MODULES = [importlib.import_module(f"aelib.exercises.lesson{lesson}") for lesson in helping.lessons()]
ENTRIES = {
    number: entry for lesson in helping.lessons() for number, entry in helping.exercises_of(lesson).items()
}
every_exercise = pytest.mark.parametrize("number", ENTRIES)
every_lesson = pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(memory, "_here", {})


def hints_of(number: str) -> list[str]:
    return [ENTRIES[number][name] for name in helping.STEPS]


def squeezed(code: str) -> str:
    return re.sub(r"\s+", "", code)


def answers(code: str) -> list[str]:
    """What the solution gives back or writes down: the hints may not say that."""
    tree = ast.parse(code)
    returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    written = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    return [squeezed(ast.get_source_segment(code, value)) for value in returned + written]


def test_every_exercise_has_its_help():
    assert set(ENTRIES) == set(CHECKS)
    assert all(set(entry) == {"minutes", "level", *helping.STEPS} for entry in ENTRIES.values())
    assert {entry["level"] for entry in ENTRIES.values()} == set(helping.LEVELS)


@every_exercise
def test_hints_lead_and_never_tell(number):
    question, idea, start = hints_of(number)
    assert "?" in question
    assert len({question, idea, start}) == 3
    path = next(iter(lessons(number[:2])))
    solution = solutions(read(path))[int(number[3:]) - 1]
    said = squeezed(question + idea + start)
    assert not [answer for answer in answers(solution) if answer in said]


@every_exercise
def test_minutes_are_those_of_the_plan(number):
    plan = (NOTEBOOKS / "teaching" / f"{number[:2]}.md").read_text(encoding="utf-8")
    told = re.findall(rf"^- \*Exercise {number[3:]} · .*\* \((\d+) min\):", plan, re.M)
    assert told == [str(ENTRIES[number]["minutes"])]


@every_lesson
def test_a_lesson_shows_the_help_of_the_data(path):
    notebook, carried = read(path), read(path)
    write_help(carried, path.name[:2])
    assert markdown(carried) == markdown(notebook), "run `python -m publish.exercises`"
    assert markdown(notebook).count("<summary>Hint ") == 3 * len(exercises(notebook))


@every_lesson
def test_the_stubs_kept_are_those_of_the_lesson(path):
    kept = helping.stubs()
    found = stubs(read(path), path.name[:2])
    assert {number: kept[number] for number in found} == found, "run `python -m publish.exercises`"
    assert helping.STUBS.read_text(encoding="utf-8") == all_stubs()


@pytest.mark.parametrize("check", MODULES, ids=lambda module: module.__name__[-8:])
def test_every_lesson_offers_its_help(check):
    lesson = check.__name__[-2:]
    number = f"{lesson}.1"
    assert "Hint 1 of 3" in repr(check.hint(number))
    assert check.progress(lesson).plain.startswith("Exercises of this lesson: none of ")
    assert "..." in repr(check.reset(number))


def test_hints_come_one_after_the_other_and_say_which_they_are():
    said = [repr(helping.hint("06.3")) for _ in range(4)]
    assert [words[:27] for words in said[:3]] == [f"Hint {k} of 3 for exercise 06" for k in (1, 2, 3)]
    assert said[3] == said[2], "the last one stays"
    assert repr(helping.hint("06.3", 1)) == said[0]
    assert memory.records()["06.3"].hints == 3
    shown = helping.hint("07.2", 2)
    assert memory.records()["07.2"].hints == 2
    assert "`log_var`" in shown._repr_markdown_()
    assert "`" not in repr(shown)


@pytest.mark.parametrize("number", ["6.3", "06.9", "6", "", "../06.1", 6.3, None])
def test_an_unknown_number_gets_a_sentence(number):
    for ask in (helping.hint, helping.reset):
        assert 'a number is written as in "06.3"' in repr(ask(number))
    assert "no hint 7" in repr(helping.hint("06.3", 7))
    assert "no exercises in a lesson '6'" in repr(helping.progress("6"))


def test_after_two_wrong_answers_the_next_hint_is_offered_by_number():
    wrong = Verdict("wrong", "Not so.", "06.3", "sign")
    assert helping.remember(wrong) == wrong
    offered = helping.remember(wrong)
    assert (offered.state, offered.slip, offered.exercise) == ("wrong", "sign", "06.3")
    assert offered.sentence == 'Not so.\n  A hint may help: check.hint("06.3") gives hint 1 of 3.'
    helping.hint("06.3")
    assert helping.remember(wrong) == wrong, "after a hint one tries by oneself again"
    assert helping.remember(wrong).sentence.endswith("gives hint 2 of 3.")
    helping.hint("06.3")
    helping.hint("06.3")
    assert [helping.remember(wrong) for _ in range(3)] == [wrong] * 3, "there is no fourth hint"


def test_a_stub_and_an_exception_change_nothing():
    for state in ("not tried", "error"):
        verdict = Verdict(state, "…", "06.3")
        assert [helping.remember(verdict) for _ in range(3)] == [verdict] * 3
    assert memory.records() == {}


def test_the_line_of_a_lesson_and_the_table_count_what_is_solved():
    helping.hint("06.2")
    for number in ("06.1", "06.2", "06.4", "06.5"):
        helping.remember(Verdict("right", "Right.", number))
    helping.hint("06.1")  # read afterwards: it did not help
    helping.remember(Verdict("wrong", "Broken again.", "06.1"))
    assert repr(helping.progress("06")) == "Exercises of this lesson: 4 of 5 solved, one with a hint."
    table = helping.progress()
    assert len(repr(table).splitlines()) == len(helping.lessons())
    assert "| 06 | 45 | 4 of 5 solved, one with a hint |" in table._repr_markdown_()


def test_in_a_notebook_the_line_stays_true_and_a_stub_comes_back(tmp_path):
    """In a kernel: a verdict repaints the line, `reset` fills its own cell and no other."""
    manager, client = start_new_kernel(env={"AELIB_PROGRESS": str(tmp_path / "p.json")})
    try:
        seen = []
        run = lambda code: client.execute_interactive(  # noqa: E731
            code, output_hook=lambda message: seen.append(message), timeout=120
        )
        run("from aelib.exercises import lesson00 as check")
        run('check.progress("00")')
        run("check.batch_loss(lambda x, x_hat: ((x - x_hat) ** 2).sum(dim=1).mean())")
        texts = [
            message["content"]["data"]["text/plain"]
            for message in seen
            if message["msg_type"] in ("display_data", "update_display_data")
        ]
        assert [text[26:40] for text in texts] == ["none of 1 solv", "1 of 1 solved."]
        payload = run('check.reset("00.1")')["content"]["payload"]
        assert payload == [{"source": "set_next_input", "text": helping.stubs()["00.1"], "replace": True}]
        assert memory._read(tmp_path / "p.json")["00.1"].solved
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
