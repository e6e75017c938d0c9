"""Questions, hints, progress and `reset` as a student meets them in JupyterLab."""

from __future__ import annotations

from nbformat.v4 import new_code_cell, new_notebook

from aelib.exercises import help as helping

MINE = "def batch_loss(x, x_hat):\n    return ((x - x_hat) ** 2).sum(dim=1).mean()\n\n\ncheck.batch_loss(batch_loss)"
SOURCES = "window.jupyterapp.shell.currentWidget.content.widgets.map((cell) => cell.model.sharedModel.source)"


def test_a_stub_comes_back_in_its_own_cell_and_questions_answer_without_a_kernel(lab):
    first = new_code_cell("from aelib.exercises import lesson00 as check")
    sources = [
        'check.progress("00")',
        MINE,
        'check.hint("00.1")',
        'check.reset("00.1")',
        'from aelib.widgets.numeric import enter\n\nenter("01.3")',
        'from aelib.widgets.matching import match\n\nmatch("06.4")',
        'from aelib.widgets.ordering import order\n\norder("06.2")',
    ]
    notebook = new_notebook(cells=[first, *map(new_code_cell, sources)])
    page = lab.open_notebook(lab.write("helped.ipynb", notebook), height=2400)
    lab.run_all(page)
    shown = page.evaluate(SOURCES)
    assert shown[4] == helping.stubs()["00.1"]
    assert [shown[k] for k in (1, 2, 3)] == sources[:3], "all other work stays"
    assert page.get_by_text("Exercises of this lesson: 1 of 1 solved.").is_visible()
    assert page.get_by_text("Hint 1 of 3 for exercise 00.1").is_visible()
    lab.shut_down_kernel(page)
    page.get_by_label("Your number").fill("8")
    page.keyboard.press("Enter")
    assert page.get_by_text("That counts numbers, 64 against 8.").first.is_visible()
    page.get_by_label("log p(x)", exact=True).select_option("evidence")
    assert page.get_by_text("does not depend on q").first.is_visible()
    page.get_by_role("button", name="Check the order").click()
    assert page.get_by_text("cannot stand there yet").first.is_visible()
