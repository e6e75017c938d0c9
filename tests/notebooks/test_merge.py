"""A new edition of a lesson reaches a student's copy as nbgitpuller brings it: merged as text, the student's side wins.

Four kinds of student copies meet three kinds of new editions, in every lesson. Every view of the merged copy finds the
model that it had, or that the new edition gave it.
"""

from __future__ import annotations

import copy
import json
import subprocess
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
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
    states = widget_states(notebook)
    shown = displayed_widgets(notebook)[0]
    names = random_ids([shown, *(one for one in mentioned(states[shown]) if one in states)])
    cell = renamed(cells_with_views(notebook)[0], names)
    cell.id, cell.source = NEW, "# one more question\n" + cell.source
    notebook.cells.insert(2, cell)
    models = renamed({model_id: states[model_id] for model_id in names}, names)
    models[names[shown]]["state"]["lead"] = "new in this edition"
    notebook.metadata.widgets = copy.deepcopy(notebook.metadata.widgets)
    widget_states(notebook).update(models)
    return renumber(notebook, name)


def with_other_prose(notebook: NotebookNode, name: str) -> NotebookNode:
    """The lesson with a sentence more in every text."""
    for cell in cells(notebook, "markdown"):
        cell.source += "\nA sentence of the new edition."
    return notebook


def with_its_parts_moved(notebook: NotebookNode, name: str) -> NotebookNode:
    """The lesson with its first interactive gone, and the next cell with one moved to the end."""
    gone, moved, *_ = cells_with_views(notebook)
    notebook.cells.remove(gone)
    notebook.cells.remove(moved)
    notebook.cells.append(moved)
    keep_shown_widgets(notebook)
    return renumber(notebook, name)


def cells_with_views(notebook: NotebookNode) -> list[NotebookNode]:
    return [
        cell
        for cell in cells(notebook, "code")
        if any(VIEW_KEY in out.get("data", {}) for out in cell.outputs)
    ]


def typed_a_note(notebook: NotebookNode, name: str) -> NotebookNode:
    notebook.cells.insert(4, nbformat.v4.new_markdown_cell("To be asked on Monday.", id="my-note"))
    return notebook


def answered_and_saved(notebook: NotebookNode, name: str) -> NotebookNode:
    for _, model in interactives(notebook):
        if "chosen" in model["state"]:
            model["state"]["chosen"] = 1
    return notebook


def ran_every_cell(notebook: NotebookNode, name: str) -> NotebookNode:
    """Every view with a new model, beside the published ones, which JupyterLab keeps with the course's extension."""
    before = copy.deepcopy(widget_states(notebook))
    notebook = renamed(notebook, random_ids(shown_models(notebook)))
    widget_states(notebook).update(before)
    return notebook


def put_in_another_order(notebook: NotebookNode, name: str) -> NotebookNode:
    """Answered, then the last interactive moved to the top of the notebook and a note put below it."""
    notebook = answered_and_saved(notebook, name)
    last = cells_with_views(notebook)[-1]
    notebook.cells.remove(last)
    notebook.cells[6:6] = [last, nbformat.v4.new_markdown_cell("Read this first.", id="my-note")]
    return notebook


def ran_without_the_extension(notebook: NotebookNode, name: str) -> NotebookNode:
    return renamed(notebook, random_ids(widget_states(notebook)))


def git(folder: Path, *arguments: str) -> None:
    someone = ["-c", "user.name=Student", "-c", "user.email=student@example.org"]
    subprocess.run(["git", *someone, *arguments], cwd=folder, check=True, capture_output=True)


@dataclass
class Course:
    """A repository with the first edition of one lesson, from which new editions and students' copies branch off."""

    folder: Path
    base: NotebookNode
    name: str
    shown: dict[str, dict] = field(default_factory=dict)

    def write(self, branch: str, notebook: NotebookNode) -> None:
        nbformat.write(notebook, self.folder / "lesson.ipynb")
        git(self.folder, "add", "lesson.ipynb")
        git(self.folder, "commit", "--quiet", "-m", branch)
        self.shown[branch] = shown_by(notebook)

    def grown(self, change: Callable) -> str:
        """The branch on which this change has been made to the first edition."""
        branch = change.__name__
        if branch not in self.shown:
            git(self.folder, "checkout", "--quiet", "-b", branch, "first")
            self.write(branch, change(copy.deepcopy(self.base), self.name))
        return branch

    def merged(self, edition: Callable, work: Callable) -> tuple[dict, dict, dict]:
        """What each cell shows after `git merge -Xours` into a student's copy; in the new edition; in the copy."""
        new, own = self.grown(edition), self.grown(work)
        git(self.folder, "checkout", "--quiet", "-B", "merged", own)
        git(self.folder, "merge", "--quiet", "-Xours", "-m", "merged", new)
        result = nbformat.read(self.folder / "lesson.ipynb", as_version=4)
        nbformat.validate(result)
        return shown_by(result), self.shown[new], self.shown[own]


@pytest.fixture(scope="module")
def course(request, tmp_path_factory: pytest.TempPathFactory) -> Course:
    path, folder = request.param, tmp_path_factory.mktemp("course")
    git(folder, "init", "--quiet", "--initial-branch=first")
    course = Course(folder, published(path), path.stem)
    course.write("first", course.base)
    return course


def shown_by(notebook: NotebookNode) -> dict[str, list]:
    """What each cell's interactives are, all that they refer to included, without regard to their ids."""
    states = widget_states(notebook)

    def with_all_it_needs(model_id: str) -> list[str]:
        model = states.get(model_id, {"state": "lost"})
        text = MODEL_ID.sub("an id", json.dumps(model, sort_keys=True))
        return [text, *(part for other in mentioned(model) for part in with_all_it_needs(other))]

    return {
        cell.id: [
            part
            for shown in displayed_widgets(NotebookNode(cells=[cell]))
            for part in with_all_it_needs(shown)
        ]
        for cell in cells_with_views(notebook)
    }


every_lesson = pytest.mark.parametrize("course", lessons(), ids=lambda path: path.stem, indirect=True)
EDITIONS = (with_one_more, with_other_prose, with_its_parts_moved)
COPIES = (typed_a_note, answered_and_saved, ran_every_cell, put_in_another_order)


@pytest.mark.filterwarnings("ignore:Non-unique cell id")  # of a cell that both moved or ran there are two
@pytest.mark.parametrize("work", COPIES, ids=lambda work: work.__name__)
@pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: edition.__name__)
@every_lesson
def test_every_view_finds_its_own_model(course: Course, edition: Callable, work: Callable, tally):
    found, new, own = course.merged(edition, work)
    either = [*new.values(), *own.values()]
    wrong = [
        cell
        for cell, shown in found.items()
        if shown not in ([new.get(cell), own.get(cell)] if cell in new | own else either)
    ]
    assert not wrong
    assert new.keys() - course.shown["first"].keys() <= found.keys(), "what is new arrives"
    lost = [cell for cell in new.keys() & own.keys() if own[cell] not in found.values()]
    assert not lost, "the student's answers stay"
    tally("merges with a new edition", f"{course.name} {edition.__name__} {work.__name__}")


@every_lesson
def test_without_the_extension_the_new_view_alone_has_none_and_shows_its_picture(course: Course):
    found, _, own = course.merged(with_one_more, ran_without_the_extension)
    assert '{"state": "lost"}' in found.pop(NEW)
    assert found == own


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_a_new_interactive_changes_no_other_id(path: Path):
    base = published(path)
    assert set(widget_states(base)) < set(widget_states(with_one_more(copy.deepcopy(base), path.stem)))
