"""Lesson 08's dashboard in the browser: empty, while it is fed, and as a slider through the run."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from aelib.data import digits
from aelib.models import VAE
from aelib.objectives import neg_elbo
from aelib.training import fit
from aelib.widgets.training_dashboard import TrainingDashboard
from publish.lesson import widget_states

FRAMES = 12


@pytest.fixture(scope="module")
def run() -> dict:
    """The state that a run of twelve epochs leaves behind."""
    board, model = TrainingDashboard(digits(), 4), VAE(64, 4, hidden=(32,), noise_var=0.05)
    fit(model, digits(), epochs=FRAMES, lr=0.005, seed=0, loss=neg_elbo, progress=False, callback=board.watch)
    return {name: getattr(board, name) for name in ("arrays", "axes")}


@pytest.fixture
def board(run) -> TrainingDashboard:
    filled = TrainingDashboard(digits(), 4)
    filled.set_trait("axes", run["axes"])
    filled.set_trait("arrays", run["arrays"])
    return filled


def shown(page) -> dict[str, str]:
    return page.evaluate("({ ...document.querySelector('.ae-card').dataset })")


@pytest.mark.parametrize("frame", [-1, *range(0, FRAMES - 1)])
def test_shows_what_python_computes(plain_page, board, frame):
    board.shown = frame
    page = plain_page.mount(board)
    now, expected = shown(page), board.now()
    assert int(now["epoch"]) == expected["epoch"]
    assert int(now["inUse"]) == expected["in_use"]
    for mine, theirs in (("reconstruction", "reconstruction"), ("kl", "kl"), ("negElbo", "neg_elbo")):
        assert float(now[mine]) == pytest.approx(expected[theirs], rel=1e-9)
    said = page.locator(".ae-says").text_content()
    assert f"After epoch {expected['epoch']} " in said
    assert ("None of the 4" in said) == (expected["in_use"] == 0)


def test_clouds_stand_where_python_puts_them(plain_page, board):
    board.shown = 5
    page = plain_page.mount(board)
    side = float(page.locator(".ae-plane").get_attribute("width"))
    drawn = page.evaluate(
        "[...document.querySelectorAll('.ae-run-cloud')].map(e => ['cx', 'cy', 'rx', 'ry'].map(a => Number(e.getAttribute(a))))"
    )
    places = board.places()
    expected = np.stack(
        [
            side * (0.5 + places[:, 0] / 6.8),
            side * (0.5 - places[:, 1] / 6.8),
            side * places[:, 2] / 6.8,
            side * places[:, 3] / 6.8,
        ],
        axis=1,
    )
    np.testing.assert_allclose(drawn, expected, atol=1e-6)


def test_keyboard_mouse_and_touch(plain_page, board):
    page = plain_page.mount(board)
    before = page.locator(".ae-strip").nth(1).screenshot()
    page.get_by_role("slider", name="Epoch").focus()
    page.keyboard.press("Home")
    assert shown(page)["epoch"] == "1"
    assert page.locator(".ae-strip").nth(1).screenshot() != before
    page.keyboard.press("ArrowRight")
    assert shown(page)["epoch"] == "2"
    box = page.locator(".ae-chart").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert 4 <= int(shown(page)["epoch"]) <= 9
    page.get_by_role("slider", name="Epoch").focus()
    page.keyboard.press("End")
    plain_page.wait_until_saved(page, shown=-1)
    assert page.evaluate("model.saved.at(-1)") == {"shown": -1}
    phone = plain_page.mount(board, width=360, touch=True)
    box = phone.locator(".ae-chart").first.bounding_box()
    phone.touchscreen.tap(box["x"] + 40, box["y"] + box["height"] / 2)
    assert int(shown(phone)["epoch"]) <= 2


def test_it_follows_a_run_and_stays_where_the_reader_is(plain_page, board, run):
    """Frames arrive as a kernel sends them: the newest is shown, unless the reader has gone back."""
    page = plain_page.mount(TrainingDashboard(digits(), 4))
    assert "Nothing has been trained yet" in page.locator(".ae-says").text_content()
    feed = """([arrays, axes]) => {
      const view = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
      for (const array of Object.values(arrays)) array.data = view(array.data);
      model.set({ arrays, axes });
    }"""

    def first(n: int, array: dict) -> dict:
        """The array of the first n frames, its bytes as text."""
        count, *rest = array["shape"]
        data = array["data"][: n * len(array["data"]) // count]
        return {**array, "shape": [n, *rest], "data": base64.b64encode(data).decode()}

    def send(n: int) -> None:
        arrays = {
            name: first(8 if name == "originals" else n, array) for name, array in run["arrays"].items()
        }
        page.evaluate(feed, [arrays, run["axes"]])

    send(3)
    assert shown(page)["epoch"] == "3"
    send(5)
    assert shown(page)["epoch"] == "5"
    page.get_by_role("slider", name="Epoch").focus()
    page.keyboard.press("Home")
    send(9)
    assert shown(page)["epoch"] == "1" and shown(page)["frames"] == "9"


@pytest.mark.parametrize(("theme", "width"), [("light", 1100), ("dark", 1100), ("light", 320), ("dark", 320)])
@pytest.mark.parametrize("trained", [True, False])
def test_accessible_and_narrow(plain_page, accessible, board, theme, width, trained):
    page = plain_page.mount(board if trained else TrainingDashboard(digits(), 4), theme=theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    accessible(page)


CODE = """import aelib, torch
from aelib.data import digits
from aelib.models import VAE
from aelib.objectives import neg_elbo
from aelib.training import fit
from aelib.widgets.training_dashboard import TrainingDashboard
board = TrainingDashboard(digits(), 4)
board"""
STOPPED = """model = VAE(64, 4, hidden=(32,), noise_var=0.05)
def watch(epoch, model, history):
    board.watch(epoch, model, history)
    if epoch == 40:
        raise KeyboardInterrupt
history = fit(model, digits(), epochs=500, seed=0, lr=0.005, loss=neg_elbo, callback=watch, progress=False)"""


def test_in_jupyterlab_a_stopped_run_is_all_there(lab):
    lab.write("dashboard.ipynb", new_notebook(cells=[new_code_cell(CODE), new_code_cell(STOPPED)]))
    page = lab.open_notebook("dashboard.ipynb")
    lab.run_all(page)
    page.wait_for_function("document.querySelector('.ae-card')?.dataset.epoch === '40'")
    assert page.locator(".ae-card").count() == 1
    states = [model["state"] for model in widget_states(lab.save(page)).values()]
    assert [state["arrays"]["numbers"]["shape"] for state in states if "arrays" in state] == [[40, 6]]
    page.get_by_role("slider", name="Epoch").focus()
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelector('.ae-card').dataset.epoch === '1'")
