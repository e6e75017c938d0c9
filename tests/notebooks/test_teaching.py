"""The teacher's plans agree with the lessons: headings, minutes, questions, answers, and what the checks say.

A plan cites a heading of its lesson *in italics* and uses italics for nothing else; it cites exercises by number
everywhere and by their whole heading in the section on exercises. A question is cited by its first words in quotation
marks, its right option in bold quotation marks, and each wrong one by its first words.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

from aelib import questions
from publish.lesson import NOTEBOOKS, equations, exercises, lessons, markdown, read

PLANS = NOTEBOOKS / "teaching"
SECTIONS = [
    "Before class",
    "Plan, two hours",
    "Plan, one hour",
    "Before the interactive",
    "Predictions and quiz",
    "Exercises",
    "Frequent questions",
    "If something breaks",
]
TABLE_HEAD = "| minutes | cells | what you do | what to ask |"
TALKING_DOWN = re.compile(r"\b(simply|just|obviously|clearly)\b", re.I)
WORKSHOP = re.compile(
    r"\b(sessions?|agents?|claude|gpt|todo|fixme)\b|(?<![\w/.])/(work|root|home|tmp|Users)/", re.I
)

plans = sorted(PLANS.glob("*.md"))
every_plan = pytest.mark.parametrize("path", plans, ids=lambda path: path.stem)


def notebook_of(path: Path):
    return read(lessons(path.stem)[0])


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def section(path: Path, name: str) -> str:
    return re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", text_of(path), re.M | re.S)[1]


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "x", text)


def cited(text: str) -> list[str]:
    """What stands in single asterisks, outside of code and of quotations (a check may write *so*)."""
    prose = re.sub(r'says "[^"\n]*"', "", without_code(text))
    return re.findall(r"(?<!\*)\*(?![*\s])([^*\n]+)\*(?!\*)", prose)


def headings(notebook) -> list[str]:
    return re.findall(r"^#{1,3} (.+)$", re.sub(r"```.*?```", "", markdown(notebook), flags=re.S), re.M)


def numbered(notebook) -> dict[int, str]:
    """Number of each exercise and its whole heading."""
    return {int(m[1]): h for h in headings(notebook) if (m := re.match(r"Exercise (\d+) · ", h))}


def rows(path: Path, name: str) -> list[tuple[int, str]]:
    """Minutes and the other cells of each row of a plan's table."""
    body = section(path, name).partition(TABLE_HEAD + "\n|---|---|---|---|\n")[2]
    lines = re.findall(r"^\| (\d+) \| (.+) \|$", body, re.M)
    assert len(lines) == len(re.findall(r"^\|", body, re.M)), "a row without minutes"
    return [(int(minutes), rest) for minutes, rest in lines]


def minutes_of(path: Path) -> dict[str, int]:
    """Whole heading of each task in the section on exercises, and its minutes."""
    found = re.findall(r"^- \*([^*\n]+)\* \((\d+) min\):", section(path, "Exercises"), re.M)
    return {heading: int(minutes) for heading, minutes in found}


def entries(path: Path) -> list[tuple[str, str, list[str]]]:
    """Of each entry on a question: its first words, the right option's, and the names of the mistakes."""
    found = re.split(r"^- ", section(path, "Predictions and quiz"), flags=re.M)[1:]
    heads = [re.match(r'"([^"\n]+)" → \*\*"([^"\n]+)"\*\*\.\n', entry) for entry in found]
    assert all(heads), [entry[:50] for entry, head in zip(found, heads, strict=True) if not head]
    names = [re.findall(r'^  "([^"\n]+)":', entry, re.M) for entry in found]
    return [(head[1], head[2], named) for head, named in zip(heads, names, strict=True)]


def sentences(path: Path) -> list[str]:
    """The strings in the code of the lesson's checks and of their frame, those of f-strings in pieces."""
    modules = [importlib.import_module(f"aelib.exercises.{name}") for name in (f"lesson{path.stem}", "frame")]
    nodes = [node for module in modules for node in ast.walk(ast.parse(inspect.getsource(module)))]
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


@pytest.mark.parametrize("lesson", lessons(), ids=lambda path: path.stem)
def test_every_lesson_has_a_plan(lesson: Path):
    assert (PLANS / f"{lesson.name[:2]}.md").exists(), "a lesson without a teacher's plan"


@every_plan
def test_template(path: Path):
    title = headings(notebook_of(path))[0]
    assert text_of(path).startswith(f"# {title} — teacher's plan\n\n**The one thing.** ")
    assert re.findall(r"^## (.+)$", text_of(path), re.M) == SECTIONS
    assert all(len(section(path, name).split()) > 15 for name in SECTIONS)


@every_plan
@pytest.mark.parametrize(("name", "whole"), [("Plan, two hours", 120), ("Plan, one hour", 60)])
def test_minutes_add_up(path: Path, name: str, whole: int):
    assert sum(minutes for minutes, _ in rows(path, name)) == whole


@every_plan
def test_exercises_take_the_minutes_that_the_lesson_says(path: Path):
    said = re.search(
        r"^\*\*Time\*\* .*?(\d+) minutes? to read.*?(\d+) minutes? for", markdown(notebook_of(path)), re.M
    )
    assert sum(minutes_of(path).values()) == int(said[2])


@every_plan
def test_every_exercise_is_there_in_order(path: Path):
    there = [heading for heading in minutes_of(path) if heading.startswith("Exercise ")]
    assert there == list(numbered(notebook_of(path)).values())
    assert len(there) == len(exercises(notebook_of(path)))
    for number in numbered(notebook_of(path)):
        for name in ("Plan, two hours", "Plan, one hour"):
            assert re.search(rf"\bExercise {number}\b", section(path, name)), (
                f"{name} forgets exercise {number}"
            )


@every_plan
@pytest.mark.parametrize("name", ["Plan, two hours", "Plan, one hour"])
def test_a_row_gives_an_exercise_its_minutes(path: Path, name: str):
    of_number = {number: minutes_of(path)[heading] for number, heading in numbered(notebook_of(path)).items()}
    for minutes, rest in rows(path, name):
        what = rest.split(" | ")[0]
        if named := re.findall(r"\bExercise (\d+)\b", what):
            assert minutes == sum(of_number[int(number)] for number in named), what


@every_plan
def test_cited_headings_and_numbers_exist(path: Path):
    notebook, text = notebook_of(path), text_of(path)
    assert cited(text), "no heading is cited"
    assert not set(cited(text)) - set(headings(notebook))
    assert not {int(n) for n in re.findall(r"\bExercise (\d+)\b", text)} - set(numbered(notebook))
    known = {label for lesson in lessons() for label in equations(read(lesson))}
    assert not set(re.findall(r"\((\d\d\.\d+)\)", text)) - known


@every_plan
@pytest.mark.parametrize("name", ["Plan, two hours", "Plan, one hour"])
def test_an_exercise_comes_with_its_section(path: Path, name: str):
    """Taught or set as homework: the heading above the exercise is cited too."""
    above, named = {}, None
    for heading in headings(notebook_of(path)):
        if heading.startswith("Exercise "):
            above[heading] = named
        else:
            named = heading
    assert above
    assert not set(above.values()) - set(cited(section(path, name)))


@every_plan
def test_every_row_says_where_one_is(path: Path):
    for name in ("Plan, two hours", "Plan, one hour"):
        lost = [
            rest for _, rest in rows(path, name) if not (cited(rest.split(" | ")[0]) or "Exercise" in rest)
        ]
        assert not lost


@every_plan
def test_questions_answers_and_misconceptions(path: Path):
    """Of predictions and quizzes; the other questions show on their cards all that there is to know."""
    choices = ("predict", "quiz")
    asked = [entry for entry in questions.of_lesson(path.stem).values() if entry["kind"] in choices]
    told = entries(path)
    assert len(told) == len(asked)
    for entry, (start, answer, names) in zip(asked, told, strict=True):
        question, options, right = entry["question"], entry["options"], entry["right"]
        assert question.startswith(start)
        assert options[right][0].startswith(answer), question
        assert sum(option.startswith(answer) for option, _ in options) == 1, "the answer fits two options"
        wrong = [option for k, (option, _) in enumerate(options) if k != right]
        assert len(names) == len(wrong)
        assert all(map(str.startswith, wrong, names)), question


@every_plan
def test_what_the_checks_say(path: Path):
    quoted = re.findall(
        r'"([^"\n]+)"', re.sub(r"^- \*.*?\* \(", "", without_code(section(path, "Exercises")), flags=re.M)
    )
    assert quoted, "no check is quoted"
    assert not [words for words in quoted if not any(words in sentence for sentence in sentences(path))]


@every_plan
def test_prose(path: Path):
    text = text_of(path)
    prose = re.sub(r"\$[^$\n]*\$", "x", without_code(text))
    assert not TALKING_DOWN.findall(prose)
    assert not [hit[0] for hit in WORKSHOP.finditer(text)]
    assert 600 <= len(re.findall(r"[^\W\d_][\w’'-]*", prose)) <= 1000
    outside = [line for line in prose.splitlines() if not line.startswith("|")]
    assert not [
        line for line in outside if re.search(r"[a-z)’”]{2,}[.?!] +[A-ZÀ-Ý]", re.sub(r'"[^"]*"', "x", line))
    ]


@every_plan
def test_named_targets_are_in_the_makefile(path: Path):
    targets = re.findall(r"^([a-z]+):", (NOTEBOOKS.parent / "Makefile").read_text(encoding="utf-8"), re.M)
    assert not set(re.findall(r"`make ([a-z]+)", text_of(path))) - set(targets)


def test_no_plan_without_its_lesson():
    assert {path.stem for path in plans} <= {lesson.name[:2] for lesson in lessons()}
