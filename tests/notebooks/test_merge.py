"""A new edition of a lesson reaches a student's copy as nbgitpuller brings it: merged as text, the student's side wins.

The new edition has one more question near its top. Every view of the merged copy finds the model that it had, or
that the new edition gave it.
"""

from __future__ import annotations

import copy
import json
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from publish.execute import MODEL_ID, keep_shown_widgets, mentioned, renumber, shown_models
from publish.lesson import VIEW_KEY, cells, displayed_widgets, interactives, lessons, read, widget_states

NEW = "inserted-question"


def renamed(part: dict | NotebookNode, names: dict[str, str]) -> NotebookNode:
    text = MODEL_ID.sub(lambda found: names.get(found[0], found[0]), json.dumps(part))
    return nbformat.from_dict(json.loads(text))


def random_ids(models) -> dict[str, str]:
    return {model_id: uuid.uuid4().hex for model_id in models}


def published(path: Path) -> NotebookNode:
    notebook = read(path)
    keep_shown_widgets(notebook)
    return renumber(notebook, path.stem)


def with_one_more(notebook: NotebookNode, name: str) -> NotebookNode:
    """The lesson with its first interactive shown once more, by a cell of its own near the top."""
    notebook, states = copy.deepcopy(notebook), widget_states(notebook)
    shown = displayed_widgets(notebook)[0]
    names = random_ids([shown, *(one for one in mentioned(states[shown]) if one in states)])
    views = (
        cell for cell in cells(notebook, "code") for out in cell.outputs if VIEW_KEY in out.get("data", {})
    )
    cell = renamed(next(views), names)
    cell.id, cell.source = NEW, "# one more question\n" + cell.source
    notebook.cells.insert(2, cell)
    models = renamed({model_id: states[model_id] for model_id in names}, names)
    models[names[shown]]["state"]["lead"] = "new in this edition"
    notebook.metadata.widgets = copy.deepcopy(notebook.metadata.widgets)
    widget_states(notebook).update(models)
    return renumber(notebook, name)


def typed_a_note(notebook: NotebookNode) -> NotebookNode:
    notebook.cells.insert(4, nbformat.v4.new_markdown_cell("To be asked on Monday.", id="my-note"))
    return notebook


def answered_and_saved(notebook: NotebookNode) -> NotebookNode:
    for _, model in interactives(notebook):
        if "chosen" in model["state"]:
            model["state"]["chosen"] = 1
    return notebook


def ran_every_cell(notebook: NotebookNode) -> NotebookNode:
    """Every view with a new model, beside the published ones, which JupyterLab keeps with the course's extension."""
    before = copy.deepcopy(widget_states(notebook))
    notebook = renamed(notebook, random_ids(shown_models(notebook)))
    widget_states(notebook).update(before)
    return notebook


def ran_without_the_extension(notebook: NotebookNode) -> NotebookNode:
    return renamed(notebook, random_ids(widget_states(notebook)))


def git(folder: Path, *arguments: str) -> None:
    someone = ["-c", "user.name=Student", "-c", "user.email=student@example.org"]
    subprocess.run(["git", *someone, *arguments], cwd=folder, check=True, capture_output=True)


def merged(folder: Path, base: NotebookNode, theirs: NotebookNode, ours: NotebookNode) -> NotebookNode:
    """What `git merge -Xours` makes of the two, each grown from `base`."""
    file = folder / "lesson.ipynb"

    def commit(notebook: NotebookNode, what: str) -> None:
        nbformat.write(notebook, file)
        git(folder, "add", "lesson.ipynb")
        git(folder, "commit", "--quiet", "-m", what)

    git(folder, "init", "--quiet", "--initial-branch=course")
    commit(base, "first edition")
    git(folder, "branch", "student")
    commit(theirs, "second edition")
    git(folder, "checkout", "--quiet", "student")
    commit(ours, "what the student did")
    git(folder, "merge", "--quiet", "-Xours", "-m", "merged", "course")
    return nbformat.read(file, as_version=4)


def shown_by(notebook: NotebookNode) -> dict[str, list]:
    """What each cell's interactives are, all that they refer to included, without regard to their ids."""
    states, shown = widget_states(notebook), {}
    for model_id, place in shown_models(notebook).items():
        model = MODEL_ID.sub("an id", json.dumps(states[model_id], sort_keys=True))
        shown.setdefault(place.rpartition(":")[0], []).append(model)
    return shown


def after_the_merge(path: Path, folder: Path, work: Callable) -> tuple[dict, dict]:
    """What each cell shows in the merged copy, and what it should: the student's, and what is new."""
    base = published(path)
    theirs, ours = with_one_more(base, path.stem), work(copy.deepcopy(base))
    result = merged(folder, base, theirs, ours)
    nbformat.validate(result)
    assert NEW in [cell.id for cell in result.cells]
    return shown_by(result), shown_by(theirs) | shown_by(ours)


@pytest.mark.parametrize(
    "work", [typed_a_note, answered_and_saved, ran_every_cell], ids=lambda work: work.__name__
)
@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_every_view_finds_its_own_model(path: Path, tmp_path: Path, work: Callable):
    found, right = after_the_merge(path, tmp_path, work)
    assert found == right


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_without_the_extension_the_new_view_alone_has_none_and_shows_its_picture(path: Path, tmp_path: Path):
    found, right = after_the_merge(path, tmp_path, ran_without_the_extension)
    assert {NEW: right[NEW]} | found == right


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_a_new_interactive_changes_no_other_id(path: Path):
    base = published(path)
    assert set(widget_states(base)) < set(widget_states(with_one_more(base, path.stem)))
