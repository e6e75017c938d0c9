"""Run lessons from the top on one thread and keep what they show, so that the same code saves the same file.

    python -m publish.execute            every lesson, in order
    python -m publish.execute 04         the lesson whose name starts with 04
    python -m publish.execute a/b.ipynb  any notebook
    python -m publish.execute --renew    nothing is run: after a change of scripts alone

Outputs and the state of the interactives are kept; time stamps, memory addresses, superseded state and what
editors leave behind are not. Models of interactives get ids made of the lesson and the cell that shows them, and
each is photographed in Chromium or Chrome. No real data are used: run this where MNIST is not in the cache.
"""

from __future__ import annotations

import os

os.environ |= {"OMP_NUM_THREADS": "1", "AELIB_OFFLINE": "1", "AELIB_PROGRESS": "0"}
os.environ.pop("AELIB_DATA", None)

import argparse
import hashlib
import json
import re
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import NotebookNode
from playwright.sync_api import Browser

from publish.exercises import write_help
from publish.lesson import (
    NOTEBOOKS,
    RANDOM_ID,
    STATE_KEY,
    cells,
    displayed_widgets,
    lessons,
    read,
    source_sha256,
    widget_states,
)
from publish.photograph import camera, photograph_all
from publish.scripts import renew, shrink

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
CELL_METADATA = {"editable", "jupyter", "slideshow", "tags"}
SECONDS_A_CELL = 300
MODEL_ID = re.compile(r"[0-9a-f]{32}")
PUBLISHED = "ffff"
"""How the ids of published models begin; keep_interactives.js knows them by it."""
ANCHOR = PUBLISHED.ljust(32, "0")
LAYOUT = {
    "model_module": "@jupyter-widgets/base",
    "model_module_version": "2.0.0",
    "model_name": "LayoutModel",
    "state": {},
}
ADDRESS = re.compile(r" at 0x[0-9a-f]+(?=>)")


class Client(NotebookClient):
    """Mirrors the interactives as they are at the end, not everything that they ever were."""

    def handle_comm_msg(self, outs, msg, cell_index):
        comm_id, data = msg["content"]["comm_id"], msg["content"]["data"]
        if msg["msg_type"] == "comm_close":
            self.widget_state.pop(comm_id, None)
            self.widget_buffers.pop(comm_id, None)
            return
        self._forget_superseded(comm_id, data)
        super().handle_comm_msg(outs, msg, cell_index)

    def _forget_superseded(self, comm_id: str, data: dict) -> None:
        buffered = {path[0] for path in data.get("buffer_paths", [])}
        sent = buffered | set(data.get("state", {}))
        old = self.widget_buffers.get(comm_id, {})
        self.widget_buffers[comm_id] = {path: value for path, value in old.items() if path[0] not in sent}
        for name in buffered:
            self.widget_state.get(comm_id, {}).pop(name, None)


class PeakMemory:
    """Samples the resident memory of a process from a thread; `peak` is in bytes."""

    def __init__(self) -> None:
        self.peak = 0
        self._done = threading.Event()

    def watch(self, pid: int) -> None:
        threading.Thread(target=self._sample, args=(psutil.Process(pid),), daemon=True).start()

    def _sample(self, process: psutil.Process) -> None:
        while not self._done.wait(0.02):
            try:
                self.peak = max(self.peak, process.memory_info().rss)
            except psutil.Error:
                return

    def stop(self) -> None:
        self._done.set()


def run(notebook: NotebookNode, folder: Path) -> PeakMemory:
    """Execute `notebook` in place with `folder` as the kernel's directory; a failing cell raises."""
    memory = PeakMemory()
    client = Client(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.on_notebook_start = lambda notebook: memory.watch(client.km.provisioner.pid)
    try:
        client.execute()
    finally:
        memory.stop()
    return memory


def tidy(notebook: NotebookNode, name: str) -> NotebookNode:
    """The notebook without what changes from run to run; `name` is the lesson's file name, no suffix."""
    for cell in notebook.cells:
        cell.metadata = NotebookNode(
            {key: cell.metadata[key] for key in CELL_METADATA & cell.metadata.keys()}
        )
        for output in cell.get("outputs", []):
            tidy_output(output)
    name_cells(notebook)
    keep_shown_widgets(notebook)
    widgets = notebook.metadata.get("widgets")
    course = {"source_sha256": source_sha256(notebook)}
    notebook.metadata = NotebookNode(course=course, kernelspec=KERNELSPEC, language_info=LANGUAGE)
    if widgets:
        notebook.metadata["widgets"] = widgets
    return renumber(notebook, name)


def tidy_output(output: NotebookNode) -> None:
    output.pop("transient", None)
    data = output.get("data", {})
    if "text/plain" in data:
        data["text/plain"] = ADDRESS.sub("", data["text/plain"])
    if output.output_type == "stream":
        output.text = ADDRESS.sub("", output.text)


def name_cells(notebook: NotebookNode) -> None:
    """Give each cell whose id is random the first words that it says; the other ids stay as they are."""
    taken = {cell.id for cell in notebook.cells if not RANDOM_ID.fullmatch(cell.id)}
    for cell in notebook.cells:
        if not RANDOM_ID.fullmatch(cell.id):
            continue
        words = re.findall(r"[a-z][a-z0-9]*", cell.source.lower())[:5] or [cell.cell_type]
        stem = "-".join(words)[:48].rstrip("-")
        names = (stem if k == 1 else f"{stem}-{k}" for k in range(1, len(notebook.cells) + 2))
        cell.id = next(name for name in names if name not in taken)
        taken.add(cell.id)


def keep_shown_widgets(notebook: NotebookNode) -> None:
    """Drop every model that no output shows, directly or through another model."""
    states = widget_states(notebook)
    shown = shown_models(notebook)
    if shown:
        notebook.metadata.widgets[STATE_KEY]["state"] = {model_id: states[model_id] for model_id in shown}
    else:
        notebook.metadata.pop("widgets", None)


def shown_models(notebook: NotebookNode) -> dict[str, str]:
    """Each shown model's id, and where it is shown: "cell id:number", depth first within the first cell that has it.

    A link between shown models (`jslink`) counts as shown in the cell of its last end.
    """
    states, places, counts = widget_states(notebook), {}, Counter()

    def visit(model_id: str, cell: str) -> None:
        if model_id in states and model_id not in places:
            places[model_id] = f"{cell}:{counts[cell]}"
            counts[cell] += not is_plain_layout(states[model_id])
            for other in mentioned(states[model_id]):
                visit(other, cell)

    def visit_links(cell: str) -> None:
        for model_id, model in states.items():
            ends = [end for end in mentioned(model) if end in states] if "Link" in model["model_name"] else []
            if ends and all(end in places for end in ends):
                visit(model_id, cell)

    for cell in cells(notebook, "code"):
        for model_id in displayed_widgets(NotebookNode(cells=[cell])):
            visit(model_id, cell.id)
        visit_links(cell.id)
    return places


def is_plain_layout(model: dict) -> bool:
    """Whether a model is a layout that asks for nothing."""
    asks = (value is not None for name, value in model["state"].items() if not name.startswith("_"))
    return model["model_name"] == "LayoutModel" and not any(asks)


def mentioned(model: dict) -> list[str]:
    """What looks like a model's id in the state of a model, in order."""
    return MODEL_ID.findall(json.dumps(model["state"]))


def renumber(notebook: NotebookNode, name: str) -> NotebookNode:
    """Replace the models' random ids, wherever they stand, by ids made of the lesson, the cell and the place in it.

    A new interactive so changes the ids of its own cell alone, and a reader's copy that is merged with a new
    edition as text keeps every other one. All of them sort behind random ids, and behind an anchor that never
    changes: models that a reader's run adds to the file never touch the lines that a new edition changes. The anchor
    is the layout of all that ask for nothing of theirs: an answered question that a new edition no longer has stays
    in the reader's copy, and its layout with it.
    """
    states = widget_states(notebook)
    new = {
        old: ANCHOR if is_plain_layout(states[old]) else published_id(f"{name}:{place}")
        for old, place in shown_models(notebook).items()
    }
    text = MODEL_ID.sub(lambda found: new.get(found[0], found[0]), json.dumps(notebook))
    notebook = nbformat.from_dict(json.loads(text))
    if new:
        widget_states(notebook)[ANCHOR] = NotebookNode(LAYOUT)
    return notebook


def published_id(place: str) -> str:
    return PUBLISHED + hashlib.sha256(place.encode()).hexdigest()[: 32 - len(PUBLISHED)]


def publish(path: Path, folder: Path, browser: Browser) -> str:
    """Execute, tidy, photograph and save one notebook; returns one line on time, memory and size."""
    notebook = read(path)
    if path.parent == NOTEBOOKS:
        write_help(notebook, path.name[:2])
    started = time.perf_counter()
    memory = run(notebook, folder)
    seconds = time.perf_counter() - started
    notebook = tidy(notebook, path.stem)
    shrink(notebook)
    return f"{path.stem:<32} {seconds:6.1f} s   kernel {memory.peak / 2**20:4.0f} MiB   {keep(notebook, path, browser)}"


def renewed(path: Path, browser: Browser) -> str:
    """Put the scripts of today into one notebook, photograph what they changed and save; one line on its size."""
    notebook = read(path)
    renew(notebook)
    return f"{path.stem:<32} {keep(notebook, path, browser)}"


def keep(notebook: NotebookNode, path: Path, browser: Browser) -> str:
    """Photograph what has no picture yet, and put the notebook in the place of its file; one line on its size."""
    photograph_all(notebook, read(path), browser)
    nbformat.validate(notebook)
    part = path.with_suffix(".part")
    nbformat.write(notebook, part)
    part.replace(path)
    state = len(json.dumps(widget_states(notebook)))
    return f"file {path.stat().st_size / 2**10:5.0f} KiB   interactives {state / 2**10:4.0f} KiB"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("only", nargs="*", default=[""], help="how the lesson's name starts, or a path")
    parser.add_argument(
        "--renew", action="store_true", help="run nothing: only scripts and pictures are made anew"
    )
    asked, chosen = parser.parse_args(arguments), []
    for only in asked.only:
        found = [Path(only)] if only.endswith(".ipynb") else lessons(only)
        if not found:
            parser.error(f"no notebook's name starts with {only!r}")
        chosen += found
    with camera() as browser:
        for path in chosen:
            try:
                done = (
                    renewed(path, browser) if asked.renew else publish(path, path.resolve().parent, browser)
                )
                print(done, flush=True)
            except (CellControlSignal, DeadKernelError) as error:
                print(f"{path.stem}: a cell failed; the file is left as it was.\n{error}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
