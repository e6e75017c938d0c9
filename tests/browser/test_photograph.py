"""The pictures that stand in for interactives where no script runs: taken from what was saved, and true to it."""

from __future__ import annotations

import base64
import copy
import io

import numpy as np
import pytest
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from aelib.widgets.choice import quiz
from publish.lesson import STATE_KEY, VIEW_KEY
from publish.photograph import NOTE, photograph_all, with_palette
from tests.browser.conftest import saved_state

MODEL = "f" * 32


def lesson(chosen: int) -> NotebookNode:
    """A notebook that shows one question."""
    question = quiz(
        "Is it dark?", [("Yes", "It is night."), ("No", "Light taken for dark: look again.")], right=0
    )
    question.chosen = chosen
    saved = {**saved_state(question), "model_name": "AnyModel", "model_module": "anywidget"}
    saved["state"]["layout"] = f"IPY_MODEL_{'e' * 32}"  # as in a lesson: named after its cell, not at random
    shown = new_output("display_data", data={VIEW_KEY: {"model_id": MODEL}, "text/plain": "Quiz()"})
    notebook = new_notebook(cells=[new_code_cell("question", outputs=[shown])])
    notebook.metadata.widgets = {STATE_KEY: {"state": {MODEL: from_dict(saved)}}}
    return notebook


def picture_of(notebook: NotebookNode) -> tuple[Image.Image, dict]:
    (output,) = notebook.cells[0].outputs
    about = output.metadata["image/png"]
    return Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))), about


@pytest.fixture(scope="module")
def unanswered(browser) -> NotebookNode:
    notebook = lesson(-1)
    photograph_all(notebook, new_notebook(), browser)
    return notebook


def test_a_picture_says_in_words_what_it_shows(unanswered):
    image, about = picture_of(unanswered)
    assert (
        about["alt"]
        == "Check yourself. Is it dark? Yes. No. Choose one. You may choose again as often as you like."
    )
    assert unanswered.cells[0].outputs[0].data["text/plain"] == about["alt"]
    assert image.width == about["width"] == 850
    assert image.height / image.width == pytest.approx(about["height"] / about["width"], rel=0.02)


def test_it_says_on_itself_that_it_is_a_picture(unanswered, browser):
    """The note is the last thing in the picture: without it, only paper is left there."""
    assert "picture" in NOTE
    image, _ = picture_of(unanswered)
    foot = np.asarray(image.convert("L"))[-30:-10]
    assert foot.min() < 160 < foot.max()


def test_an_answer_is_seen_in_picture_and_words(unanswered, browser):
    answered = lesson(0)
    photograph_all(answered, unanswered, browser)
    (before, told_before), (after, told_after) = picture_of(unanswered), picture_of(answered)
    assert told_after["alt"] != told_before["alt"]
    assert before.convert("RGB").tobytes() != after.convert("RGB").tobytes()


def test_an_interactive_that_is_as_it_was_keeps_its_picture(unanswered, browser):
    kept = copy.deepcopy(unanswered)
    kept.cells[0].outputs[0].data["image/png"] = base64.b64encode(b"the old picture").decode()
    new = lesson(-1)
    photograph_all(new, kept, browser)
    old, now = kept.cells[0].outputs[0], new.cells[0].outputs[0]
    assert now.data["image/png"] == old.data["image/png"]
    assert now.data["text/plain"] == now.metadata["image/png"]["alt"] == old.metadata["image/png"]["alt"]


def test_a_palette_gives_no_grey_a_tint():
    """Greys and a few colours of a chart, smoothly mixed, as the edges of letters and curves are."""
    ink = np.linspace(0, 1, 240)[:, None]
    colours = np.array([[0, 114, 178], [213, 94, 0], [0, 158, 115], [20, 24, 30]])
    picture = np.concatenate([255 * (1 - ink) + ink * colour for colour in colours]).round()
    picture = np.repeat(picture[:, None], 40, axis=1).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    shown = np.asarray(Image.open(io.BytesIO(with_palette(out.getvalue()))).convert("RGB"), dtype=int)
    assert np.abs(shown - picture).max() <= 24
    grey = np.ptp(picture, axis=2) <= 8
    assert np.ptp(shown[grey], axis=1).max() == 0
    assert np.abs(shown[grey] - picture[grey]).max() <= 10
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) <= 256
