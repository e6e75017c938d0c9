"""Lesson 13's board of lists: its pictures under the mouse, the way back to the nearest entry, and odd input."""

from __future__ import annotations

import numpy as np
import pytest

from aelib.data import shapes
from aelib.widgets.codebook_board import CodebookBoard
from tests.browser.table import codebook_board, says, shown


def press(page, across: float, down: float) -> int:
    """A press on the list at these shares of its width and height; the index that is sent then."""
    block = page.locator(".ae-list canvas")
    box = block.bounding_box()
    block.click(position={"x": across * box["width"], "y": down * box["height"]})
    page.evaluate("drawn()")
    return int(shown(page)["index"])


@pytest.mark.parametrize("width", [360, 900])
@pytest.mark.parametrize(("bits", "columns", "rows"), [(1, 2, 1), (5, 8, 4), (8, 16, 16)])
def test_a_picture_of_the_list_is_sent_where_it_is_pressed(plain_page, bits, columns, rows, width):
    page = plain_page.mount(codebook_board(bits=bits), width=width)
    for row, column in {(0, 0), (rows // 2, columns // 2), (rows - 1, columns - 1)}:
        index = press(page, (column + 0.45) / columns, (row + 0.45) / rows)
        assert index == row * columns + column
        assert f"{index:0{bits}b}" in says(page)


def test_the_marks_stand_on_the_entry_that_is_sent_and_on_the_nearest(plain_page):
    page = plain_page.mount(codebook_board())
    press(page, 0.05, 0.1)
    block = page.locator(".ae-list canvas").bounding_box()
    for mark, read in ((".ae-mark-sent", "index"), (".ae-mark-nearest", "nearest")):
        box, index = page.locator(mark).bounding_box(), int(shown(page)[read])
        middle = box["x"] + box["width"] / 2 - block["x"], box["y"] + box["height"] / 2 - block["y"]
        assert int(middle[0] / block["width"] * 8) == index % 8
        assert int(middle[1] / block["height"] * 4) == index // 8


def test_the_button_goes_back_to_the_nearest_entry(plain_page):
    page = plain_page.mount(codebook_board(entry=0))
    assert "You send" in says(page)
    page.get_by_role("button", name="Nearest").click()
    page.evaluate("drawn()")
    assert shown(page)["index"] == shown(page)["nearest"]
    assert "The nearest entry has" in says(page)


def test_a_list_of_one_picture_has_nothing_to_choose(plain_page):
    page = plain_page.mount(codebook_board(bits=0))
    assert "so nothing is sent" in says(page)
    assert page.get_by_label("Index sent").is_disabled()


def test_another_entry_has_a_larger_error_and_a_longer_list_a_smaller_one():
    board, found = codebook_board(), []
    for bits in range(9):
        board.bits, board.entry = bits, -1
        least = board.figures()
        found.append(least["listError"])
        board.entry = 0
        assert board.figures()["error"] >= least["error"]
    assert (np.diff(found) < 0).all()


def test_too_few_examples_for_the_longest_list_are_told_in_a_sentence():
    with pytest.raises(ValueError, match="a list of 64 entries needs as many different examples; x has 40"):
        CodebookBoard.from_data(shapes(50))
