"""What a lesson has saved stays in it, whatever is run, saved or restarted in JupyterLab."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Page, WebSocketRoute

import aelib
from publish.lesson import displayed_widgets, interactives, lessons, read, widget_states

EXTENSION = Path(aelib.__file__).parent / "labextension"
QUIZ = """
from ipywidgets import IntSlider, jslink
from aelib.widgets.choice import quiz
question = quiz("{question}", [("Yes", "It does."), ("No", "A denial: it does.")], right=0)
link = jslink((question, "chosen"), (IntSlider(min=-1, max=1), "value"))
question
"""


NOTEBOOK = "window.jupyterapp.shell.currentWidget.content.model.toJSON()"
SWITCH_SAVING = """async () => {
  await window.jupyterapp.commands.execute("@jupyter-widgets/jupyterlab-manager:saveWidgetState");
}"""


@pytest.fixture
def two_quizzes() -> nbformat.NotebookNode:
    return new_notebook(
        cells=[new_code_cell(QUIZ.format(question=f"Does {what}?")) for what in ("it", "she")]
    )


def die(kernel: str) -> None:
    """Kill the process of a kernel, as a busy machine's does when another program took its port."""
    for process in psutil.process_iter(["cmdline"]):
        if any(f"kernel-{kernel}.json" in word for word in process.info["cmdline"] or ()):
            process.kill()


def run_cell(page, index: int) -> None:
    page.evaluate(
        """async (index) => {
          const { commands, shell } = window.jupyterapp;
          shell.currentWidget.content.activeCellIndex = index;
          await commands.execute("notebook:run-cell");
        }""",
        index,
    )


def cards(page, count: int) -> None:
    page.wait_for_function(
        "(count) => document.querySelectorAll('.ae-card').length === count", arg=count, timeout=60_000
    )


def reopened(lab, page, name: str):
    """The lesson as on the next morning: another page, another kernel."""
    lab.shut_down_kernel(page)
    page.close()
    lab.trust(name)
    return lab.open_notebook(name, height=2000)


def test_the_extension_bears_the_version_of_aelib():
    assert json.loads((EXTENSION / "package.json").read_text())["version"] == aelib.__version__


def test_one_cell_is_run_and_saved_and_every_interactive_is_still_there(lab):
    lesson = read(lessons()[3])
    before, shown = widget_states(lesson), len(interactives(lesson))
    name = lab.write("kept.ipynb", lesson)
    lab.trust(name)
    page = lab.open_notebook(name, height=2000)
    cards(page, shown)
    run_cell(page, 1)
    assert widget_states(lab.save(page)) == before
    cards(reopened(lab, page, name), shown)


def test_interactives_of_an_earlier_kernel_are_saved_and_replaced_ones_are_not(lab, two_quizzes):
    name = lab.write("two_quizzes.ipynb", two_quizzes)
    page = lab.open_notebook(name, height=2000)
    lab.run_all(page)
    first = set(displayed_widgets(nbformat.from_dict(page.evaluate(NOTEBOOK))))
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    run_cell(page, 0)
    after = lab.save(page)
    second = set(displayed_widgets(after))
    assert len(first & second) == len(first - second) == 1
    assert second <= set(widget_states(after))
    assert not widget_states(after).keys() & (first - second)
    assert [model["model_name"] for model in widget_states(after).values()].count("LinkModel") == 2
    cards(reopened(lab, page, name), 2)


def test_they_are_saved_where_jupyterlab_saves_none(lab, two_quizzes):
    page = lab.open_notebook(lab.write("unsaved.ipynb", two_quizzes), height=2000)
    lab.run_all(page)
    page.evaluate(SWITCH_SAVING)
    try:
        saved = lab.save(page)
    finally:
        page.evaluate(SWITCH_SAVING)
    assert set(displayed_widgets(saved)) <= set(widget_states(saved))


def test_a_lesson_brought_back_on_disk_is_shown_when_it_is_read_again(lab, two_quizzes):
    name = lab.write("restored.ipynb", two_quizzes)
    page = lab.open_notebook(name, height=2000)
    lab.write(name, read(lessons()[6]))
    lab.trust(name)
    page.evaluate("void window.jupyterapp.shell.currentWidget.context.revert()")
    shown = len(interactives(read(lessons()[6])))
    cards(page, shown)
    lab.save(page)
    cards(reopened(lab, page, name), shown)


def opens_whole(lab, monkeypatch, prepare: Callable[[Page], None]) -> None:
    """A saved lesson shows every interactive on a page that was prepared for trouble."""

    def new_page(*size) -> Page:
        page = type(lab).new_page(lab, *size)
        prepare(page)
        return page

    monkeypatch.setattr(lab, "new_page", new_page)
    path = lessons()[7]
    lab.trust(path.name)
    cards(lab.open_notebook(path.name, height=2000), len(interactives(read(path))))


@dataclass
class Accident:
    """Something happens to the kernel at one of the requests in which JupyterLab asks what the kernel knows."""

    at: int
    cut_off: bool = False
    delayed: int = 0
    requests: int = 0

    def follow(self, route: WebSocketRoute) -> None:
        kernel = route.connect_to_server()
        route.on_message(lambda message: self.pass_on(route, kernel, message))

    def pass_on(self, route: WebSocketRoute, kernel: WebSocketRoute, message: str | bytes) -> None:
        asks = b'"comm_info_request"' in (message if isinstance(message, bytes) else message.encode())
        self.requests += asks
        if asks and self.requests == self.at and self.cut_off:
            kernel.close()
            return route.close(code=3001)
        if asks and self.requests == self.at:
            die(re.search("kernels/([^/]+)/", route.url).group(1))
        if asks and self.requests == self.delayed:
            time.sleep(4)
        kernel.send(message)


@pytest.mark.parametrize(
    ("at", "cut_off", "delayed"),
    [
        pytest.param(1, False, 0, id="it dies before it tells its models"),
        pytest.param(2, False, 0, id="it dies before the saved models are read"),
        pytest.param(2, True, 4, id="it is cut off, then slow, and every view has given up"),
    ],
)
def test_an_accident_of_the_kernel_while_the_lesson_opens_costs_nothing(
    lab, monkeypatch, at, cut_off, delayed
):
    accident = Accident(at, cut_off, delayed)
    lab.watch.expected += ["Comm not found", "WebSocket is already"]  # what the lost kernel was still asked
    opens_whole(
        lab,
        monkeypatch,
        lambda page: page.route_web_socket(re.compile("/api/kernels/.*/channels"), accident.follow),
    )
    assert accident.requests > 2


def test_a_page_too_busy_to_see_its_models_arrive_draws_them_all_the_same(lab, monkeypatch):
    """A view looks every 100 ms for 2 s; here its second look comes after 3 s, and the models come in between."""
    slow = "(call, delay, ...rest) => timer(call, delay === 100 ? 3000 : delay, ...rest)"
    opens_whole(
        lab,
        monkeypatch,
        lambda page: page.add_init_script(f"const timer = window.setTimeout; window.setTimeout = {slow};"),
    )
