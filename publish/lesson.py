"""Reading a lesson: cells, equations, exercises, interactives, and the hash that tells when it is stale."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from aelib.questions import KINDS

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
STATE_KEY = "application/vnd.jupyter.widget-state+json"
VIEW_KEY = "application/vnd.jupyter.widget-view+json"
RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,4}(-?[0-9a-f]{12})?|[0-9a-f]{12,64}")


def lessons(only: str = "") -> list[Path]:
    """The notebooks in order; `only` keeps those whose name starts with it ("04")."""
    return sorted(NOTEBOOKS.glob(f"{only}*.ipynb"))


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def cells(notebook: NotebookNode, kind: str) -> list[NotebookNode]:
    """The cells of one kind, "code" or "markdown"."""
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def markdown(notebook: NotebookNode) -> str:
    """The text of all markdown cells."""
    return "\n\n".join(cell.source for cell in cells(notebook, "markdown"))


def source_sha256(notebook: NotebookNode) -> str:
    """Hash of the code, in order: a changed sentence does not make outputs stale, changed code does."""
    return hashlib.sha256("\0".join(cell.source for cell in cells(notebook, "code")).encode()).hexdigest()


def widget_states(notebook: NotebookNode) -> dict[str, dict]:
    """The saved interactives: model id to {model_name, state, buffers, …}."""
    return notebook.metadata.get("widgets", {}).get(STATE_KEY, {}).get("state", {})


def displayed_widgets(notebook: NotebookNode) -> list[str]:
    """Model ids in the order in which the outputs show them, each once."""
    outputs = [out for cell in cells(notebook, "code") for out in cell.outputs]
    ids = [out.data[VIEW_KEY]["model_id"] for out in outputs if VIEW_KEY in out.get("data", {})]
    return list(dict.fromkeys(ids))


def interactives(notebook: NotebookNode) -> list[tuple[str, dict]]:
    """Name of the class and saved model of each of the course's own widgets that the outputs show, in order."""
    states = widget_states(notebook)
    shown = [states[model] for model in displayed_widgets(notebook)]
    named = [(model["state"].get("_anywidget_id", ""), model) for model in shown]
    return [(name.rpartition(".")[2], model) for name, model in named if name.startswith("aelib.")]


def parsed(source: str) -> ast.Module:
    """A cell's code without its lines for the shell or for IPython."""
    return ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE))


def calls(source: str) -> Iterator[ast.Call]:
    """Every call in a cell's code."""
    return (node for node in ast.walk(parsed(source)) if isinstance(node, ast.Call))


def equations(notebook: NotebookNode) -> list[str]:
    """The numbers "04.3" of the displayed equations, in order."""
    return re.findall(r"\\tag\{([^}]*)\}", markdown(notebook))


def verified(notebook: NotebookNode) -> set[str]:
    """The numbers of the equations that a cell checks with verify("04.3", ...)."""
    found = set()
    for cell in cells(notebook, "code"):
        for call in calls(cell.source):
            if getattr(call.func, "id", "") == "verify" and isinstance(call.args[0], ast.Constant):
                found.add(call.args[0].value)
    return found


HELP = ("hint", "progress", "reset")
"""What a lesson's checks offer besides judging an answer."""


def exercises(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """Name of each exercise and the cell that calls check.<name>(...), in order."""
    found = {}
    for cell in cells(notebook, "code"):
        for call in calls(cell.source):
            if getattr(getattr(call.func, "value", None), "id", "") == "check" and call.func.attr not in HELP:
                found.setdefault(call.func.attr, cell)
    return found


def asked(notebook: NotebookNode) -> dict[str, tuple[str, str]]:
    """Number of each question of the course that the lesson asks, in order: the cell's id, and the function's name."""
    return {
        call.args[0].value: (cell.id, call.func.id)
        for cell in cells(notebook, "code")
        for call in calls(cell.source)
        if getattr(call.func, "id", "") in KINDS
    }


def solutions(notebook: NotebookNode) -> list[str]:
    """The code of each folded solution, in order: the fenced block of a <details> that says "solution"."""
    folds = re.findall(r"<details.*?</details>", markdown(notebook), re.S)
    folds = [fold for fold in folds if re.search(r"<summary>[^<]*solution", fold, re.I | re.S)]
    return ["\n".join(re.findall(r"```python\n(.*?)```", fold, re.S)) for fold in folds]
