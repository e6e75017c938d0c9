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
from publish.execute import renumber
from publish.lesson import VIEW_KEY, displayed_widgets, interactives, lessons, read, widget_states

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


def die(runtime: str, kernel: str) -> None:
    """Kill the process that listens for a kernel's cells, as a busy machine's does when its port was taken."""
    port = json.loads((Path(runtime) / f"kernel-{kernel}.json").read_text())["shell_port"]
    listening = [one for one in psutil.net_connections("tcp4") if one.laddr.port == port and not one.raddr]
    for one in listening:
        psutil.Process(one.pid).kill()


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
        "(count) => document.querySelectorAll('.ae-card').length === count", arg=count, timeout=150_000
    )


def reopened(lab, name: str):
    """The lesson as on the next morning: another page, another kernel."""
    lab.close_notebooks()
    lab.trust(name)
    return lab.open_notebook(name, height=2000, own=True)


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
    cards(reopened(lab, name), shown)


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
    cards(reopened(lab, name), 2)


def test_they_are_saved_where_jupyterlab_saves_none(lab, two_quizzes):
    page = lab.open_notebook(lab.write("unsaved.ipynb", two_quizzes), height=2000)
    lab.run_all(page)
    page.evaluate(SWITCH_SAVING)
    try:
        saved = lab.save(page)
    finally:
        page.evaluate(SWITCH_SAVING)
    assert set(displayed_widgets(saved)) <= set(widget_states(saved))


def in_memory(page) -> nbformat.NotebookNode:
    """The notebook as the page holds it: where several people share it, the server saves this without being asked."""
    return nbformat.from_dict(page.evaluate(NOTEBOOK))


def wait_until_kept(page, condition: str, arg: object = None) -> None:
    """Wait until the saved models, `models`, fulfil a condition in JavaScript that may use `arg`."""
    page.wait_for_function(
        f"""(arg) => {{
          const {{ metadata }} = {NOTEBOOK};
          const models = metadata.widgets?.["application/vnd.jupyter.widget-state+json"].state ?? {{}};
          return {condition};
        }}""",
        arg=arg,
        timeout=60_000,
    )


def test_without_any_saving_the_notebook_holds_what_was_run(lab, two_quizzes):
    page = lab.open_notebook(lab.write("shared.ipynb", two_quizzes), height=2000)
    lab.run_all(page)
    shown = displayed_widgets(in_memory(page))
    wait_until_kept(page, "arg.length === 2 && arg.every((one) => one in models)", shown)


def test_opening_a_lesson_changes_no_model_in_it(lab):
    path = lessons()[3]
    lab.trust(path.name)
    page = lab.open_notebook(path.name, height=2000)
    cards(page, len(interactives(read(path))))
    page.wait_for_timeout(3_000)
    assert widget_states(in_memory(page)) == widget_states(read(path))


def test_an_answer_to_a_question_that_was_not_run_is_in_the_saved_file(lab):
    lesson = read(lessons()[3])
    before = widget_states(lesson)
    name = lab.write("answered.ipynb", lesson)
    lab.trust(name)
    page = lab.open_notebook(name, height=2000)
    cards(page, len(interactives(lesson)))
    page.locator(".ae-choice input[type=radio]").nth(1).check()
    wait_until_kept(page, "Object.values(models).filter(({ state }) => state.chosen === 1).length === 1")
    after = widget_states(lab.save(page))
    changed = [model_id for model_id in before if after[model_id] != before[model_id]]
    assert after.keys() == before.keys()
    assert [(before[one]["state"]["chosen"], after[one]["state"]["chosen"]) for one in changed] == [(-1, 1)]
    page = reopened(lab, name)
    cards(page, len(interactives(lesson)))
    assert page.locator(".ae-choice input[type=radio]").nth(1).is_checked()


def test_published_models_stay_in_a_lesson_that_was_run(lab):
    lesson = renumber(read(lessons()[0]), lessons()[0].stem)
    name = lab.write("published.ipynb", lesson)
    lab.trust(name)
    page = lab.open_notebook(name, height=2000)
    cards(page, len(interactives(lesson)))
    lab.run_all(page)
    after = lab.save(page)
    assert not set(displayed_widgets(after)) & set(displayed_widgets(lesson))
    assert set(displayed_widgets(after)) | widget_states(lesson).keys() <= widget_states(after).keys()


def test_a_view_without_a_model_shows_the_picture_beside_it(lab):
    lesson = read(lessons()[3])
    lost, left = displayed_widgets(lesson)[0], len(interactives(lesson)) - 1
    output = next(
        o
        for cell in lesson.cells
        for o in cell.get("outputs", [])
        if lost in str(o.get("data", {}).get(VIEW_KEY))
    )
    words = output.metadata["image/png"]["alt"] = "A picture of what was lost."
    del widget_states(lesson)[lost]
    name = lab.write("lost.ipynb", lesson)
    lab.trust(name)
    lab.watch.expected += ["Error: widget model not found"]
    page = lab.open_notebook(name, height=2000)
    cards(page, left)
    page.get_by_alt_text(words).wait_for()
    assert page.get_by_text("model not found").count() == 0


def test_a_damaged_interactive_says_so_below_its_picture(lab):
    lesson = read(lessons("11")[0])
    broken = next(one for one in displayed_widgets(lesson) if widget_states(lesson)[one].get("buffers"))
    for buffer in widget_states(lesson)[broken]["buffers"]:
        buffer["data"] = buffer["data"][:4]
    name = lab.write("damaged.ipynb", lesson)
    lab.trust(name)
    page = lab.open_notebook(name, height=2000)
    cards(page, len(interactives(lesson)))
    card = page.locator(".ae-card", has=page.get_by_role("alert"))
    picture = card.get_by_role("img")
    picture.wait_for()
    assert "what is saved of it is damaged" in card.text_content()
    assert picture.evaluate("(image) => image.naturalWidth") > 100
    assert len(picture.get_attribute("alt")) > 20


def test_a_lesson_brought_back_on_disk_is_shown_when_it_is_read_again(lab, two_quizzes):
    name = lab.write("restored.ipynb", two_quizzes)
    page = lab.open_notebook(name, height=2000)
    lab.write(name, read(lessons()[6]))
    lab.trust(name)
    page.evaluate("void window.jupyterapp.shell.currentWidget.context.revert()")
    shown = len(interactives(read(lessons()[6])))
    cards(page, shown)
    lab.save(page)
    cards(reopened(lab, name), shown)


def opens_whole(lab, monkeypatch, prepare: Callable[[Page], None]) -> None:
    """A saved lesson shows every interactive on a page that was prepared for trouble."""

    def new_page(*size) -> Page:
        page = type(lab).new_page(lab, *size)
        prepare(page)
        return page

    monkeypatch.setattr(lab, "new_page", new_page)
    path = lessons()[7]
    lab.trust(path.name)
    cards(lab.open_notebook(path.name, height=2000, own=True), len(interactives(read(path))))


@dataclass
class Accident:
    """Something happens to the kernel at one of the requests in which JupyterLab asks what the kernel knows."""

    at: int
    runtime: str
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
            die(self.runtime, re.search("kernels/([^/]+)/", route.url).group(1))
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
    accident = Accident(at, lab.server.environment["JUPYTER_RUNTIME_DIR"], cut_off, delayed)
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
