"""What is committed is what the code gives today: lessons, saved interactives, drawings."""

from __future__ import annotations

from pathlib import Path

import pytest
import render

from aelib.widgets import choice, matching, numeric, ordering
from publish.lesson import asked, interactives, lessons, read, source_sha256, widget_states
from publish.scripts import mark, sources

ASK = {
    "predict": choice.predict,
    "quiz": choice.quiz,
    "order": ordering.order,
    "match": matching.match,
    "label": matching.label,
    "enter": numeric.enter,
}
ASKING = {"Choice", "Ordering", "Matching", "Numeric"}
TEXTS = {
    "kind",
    "question",
    "options",
    "right",
    "lines",
    "places",
    "names",
    "rights",
    "answer",
    "slips",
    "rule",
}
every_lesson = pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)


@every_lesson
def test_outputs_belong_to_the_code(path: Path):
    notebook = read(path)
    saved = notebook.metadata.get("course", {}).get("source_sha256")
    assert saved == source_sha256(notebook), f"run `make notebooks ONLY={path.name[:2]}`"


@every_lesson
def test_saved_interactives_are_the_present_ones(path: Path):
    stale = []
    for model in widget_states(read(path)).values():
        kept = model["state"]
        stale += [
            kept["_anywidget_id"] + key
            for key, text in sources(model).items()
            if not kept.get(key, "").startswith(mark(text))
        ]
    assert not stale, (
        f"run `make renew ONLY={path.name[:2]}`, or `make notebooks` if more than scripts has changed"
    )


@every_lesson
def test_saved_questions_are_those_of_the_data(path: Path):
    notebook = read(path)
    saved = [model["state"] for name, model in interactives(notebook) if name in ASKING]
    given = [ASK[kind](number) for number, (_, kind) in asked(notebook).items()]
    assert len(saved) == len(given)
    for state, question in zip(saved, given, strict=True):
        said = {key: question.get_state(key)[key] for key in question.keys if key in TEXTS}
        assert {key: state[key] for key in said} == said, f"run `make notebooks ONLY={path.name[:2]}`"


@pytest.mark.parametrize("name", render.makers())
def test_drawing_is_what_its_code_draws(name: str, tmp_path: Path):
    saved = render.FOLDER / f"{name}.svg"
    assert saved.exists(), "run `make figures`"
    assert render.render(name, tmp_path).read_bytes() == saved.read_bytes(), f"run `make figures ONLY={name}`"


def test_no_drawing_without_its_code():
    assert {path.stem for path in render.FOLDER.glob("*.svg")} <= set(render.makers())
