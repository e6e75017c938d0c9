"""What base.js does for every interactive: damage is told, ids are unique, colours are the page's, a row has room."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from aelib.widgets import base
from aelib.widgets.binary_channel import BinaryChannel
from aelib.widgets.elbo_line import ElboLine
from publish.lesson import interactives, lessons, read
from tests.browser.conftest import MOUNT, PLAIN, STUB, saved_state

SCRIPT = """import { fixed, h, interactive, strip, sum } from "./base.js";

export default interactive({ traits: ["row"], lead: "Numbers." }, ({ data, body, say, keep }) => {
  const pictures = keep(strip({ label: "levels", count: 2, rows: 2, columns: 3 }));
  body.append(pictures.root);
  return ({ row }) => {
    const read = Object.fromEntries(Object.entries(data).map(([name, one]) => [name, one.row(row).join()]));
    pictures.paint(data.levels.at());
    say(`Row ${row}: ${fixed(sum(data.whole.row(row)), 0)}.`);
    return { ...read, one: data.float64.at(row, 1) };
  };
});
"""
ROWS = np.array([[0, 0.1, 1], [0.25, 0.7, 0.5], [1, 0, 0.9], [0.3, 0.2, 0.8]])
DAMAGED = "what is saved of it is damaged. Run its cell again"


def table(folder, **changed: dict) -> base.Interactive:
    (folder / "table.js").write_text(SCRIPT)

    class Table(base.Interactive, script="table", title="A table", folder=folder):
        """A table of numbers."""

        row = traitlets.Int(0).tag(sync=True)
        shapes = dict.fromkeys(("levels", "float64"), ("rows", 3))

    arrays = {
        "levels": base.levels(ROWS),
        "five": base.levels(ROWS, bits=5),
        "eleven": base.levels(ROWS, bits=11),
        "counts": base.counts((ROWS * 10).round(), bits=4),
        "whole": base.whole((ROWS * 900 - 450).round()),
        "float64": base.numbers(ROWS / 3),
        "float32": base.numbers(ROWS / 3, bits=32),
        "float16": base.numbers(ROWS / 3, bits=16),
    }
    return Table(arrays=arrays | changed)


def test_javascript_reads_what_python_packed(plain_page, tmp_path):
    widget = table(tmp_path)
    page = plain_page.mount(widget)
    for row in range(4):
        page.evaluate("(row) => model.set('row', row)", row)
        shown = page.locator(".ae-card").evaluate("node => ({ ...node.dataset })")
        for name in widget.arrays:
            read = [float(value) for value in shown[name].split(",")]
            np.testing.assert_array_equal(read, widget.array(name)[row], err_msg=name)
        assert float(shown["one"]) == widget.array("float64")[row, 1]


@pytest.mark.parametrize("damage", ["short", "gone", "no array", "odd kind"])
def test_a_damaged_state_is_told_and_shows_the_picture_that_is_there(plain_page, tmp_path, damage):
    widget = table(tmp_path)
    saved = saved_state(widget)
    if damage == "short":
        saved["buffers"][0]["data"] = saved["buffers"][0]["data"][:4]
    if damage == "gone":
        saved["buffers"] = []
    if damage == "no array":
        del saved["state"]["arrays"]["levels"]
        saved["buffers"] = [one for one in saved["buffers"] if one["path"][1] != "levels"]
    if damage == "odd kind":
        saved["state"]["arrays"]["levels"]["kind"] = "poem"
    page = plain_page.new_page(900, 800, "light", False)
    page.set_content(PLAIN)
    page.evaluate(
        """document.addEventListener("ae-damaged", ({ detail }) => detail.show("data:image/gif;base64,R0lGODlhAQABAAAAACw=", "a table"));"""
    )
    page.evaluate(MOUNT, [STUB, saved])
    assert DAMAGED in page.get_by_role("alert").text_content()
    assert page.locator("img.ae-still").get_attribute("alt") == "a table"
    page.evaluate("cleanup()")


def test_ids_are_unique_when_the_clock_stands(plain_page):
    page = plain_page.new_page(900, 800, "light", False)
    page.set_content(PLAIN)
    page.evaluate("Date.now = () => 1000; Math.random = () => 0.5; 0")
    for _ in range(2):
        page.evaluate(MOUNT, [STUB, saved_state(ElboLine())])
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    groups = page.evaluate(
        "new Set([...document.querySelectorAll('input[type=radio]')].map((node) => node.name)).size"
    )
    assert len(ids) == len(set(ids)) > 6 and groups == 6


def test_no_colour_is_read_back_from_a_canvas(plain_page, tmp_path):
    page = plain_page.new_page(900, 800, "light", False)
    page.set_content(PLAIN)
    page.evaluate("CanvasRenderingContext2D.prototype.getImageData = () => { throw new Error('asked'); }; 0")
    page.evaluate(MOUNT, [STUB, saved_state(table(tmp_path))])
    assert page.locator("canvas.ae-strip").evaluate("canvas => canvas.width") > 20
    assert "Row 0" in page.locator(".ae-says").text_content()


def test_two_in_a_row_share_the_width(plain_page):
    page = plain_page.new_page(1000, 800, "light", False)
    page.set_content(PLAIN)
    page.evaluate("document.querySelector('main').style.display = 'flex'")
    for _ in range(2):
        page.evaluate(MOUNT, [STUB, saved_state(BinaryChannel())])
        page.evaluate(
            "document.querySelector('main').append(Object.assign(document.createElement('div'), { id: 'next' }));"
            "el.removeAttribute('id'); document.querySelector('#next').id = 'el';"
        )
    widths = page.locator(".ae-card").evaluate_all(
        "cards => cards.map((card) => card.getBoundingClientRect().width)"
    )
    assert len(widths) == 2 and min(widths) > 300


def test_on_a_phone_the_slider_in_use_stays_in_view_and_a_swipe_scrolls(plain_page):
    page = plain_page.mount(ElboLine(), width=390, height=500, touch=True)
    page.evaluate("document.querySelector('.ae-says').scrollIntoView({ block: 'end' })")
    page.evaluate("drawn()")
    box = page.get_by_role("slider", name="Mean").bounding_box()
    assert 0 <= box["y"] < 120
    touch = page.locator("svg.ae-draggable").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).touchAction)"
    )
    assert set(touch) == {"pan-y"}
    assert page.locator(".ae-handle").first.evaluate("one => getComputedStyle(one).touchAction") == "none"


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_every_card_of_a_lesson_fits_one_screen(plain_page, path):
    for name, model in interactives(read(path)):
        saved = {"state": model["state"], "buffers": model.get("buffers", [])}
        page = plain_page.mount_saved(saved)
        for width, most in ((850, 600), (934, 540)):
            page.set_viewport_size({"width": width + 16, "height": 700})
            page.evaluate("drawn()")
            height = page.locator(".ae-card").evaluate("node => node.getBoundingClientRect().height")
            assert height <= most, (name, width)
        plain_page.shelf.take_back(page)
