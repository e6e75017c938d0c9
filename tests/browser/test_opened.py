"""A lesson that is only opened is not marked as changed, and one that was changed is."""

from __future__ import annotations

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from publish.lesson import lessons, read

PYTHON = "window.jupyterapp.shell.currentWidget.content.model.getMetadata('language_info')?.version"
DIRTY = "window.jupyterapp.shell.currentWidget.context.model.dirty"
EDIT = "window.jupyterapp.shell.currentWidget.content.model.cells.get(0).sharedModel.setSource('changed')"
RESTART = "window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()"


def told_its_python(page) -> None:
    """Wait until the notebook knows which Python its kernel has, and a second longer."""
    page.wait_for_function(PYTHON, timeout=60_000)
    page.wait_for_timeout(1000)


@pytest.mark.parametrize("path", [lessons()[0], lessons()[4]], ids=lambda path: path.stem)
def test_a_lesson_that_is_only_opened_is_unchanged(lab, path):
    assert "version" not in read(path).metadata.language_info, "else this lesson cannot tell"
    lab.trust(path.name)
    page = lab.open_notebook(path.name)
    told_its_python(page)
    assert not page.evaluate(DIRTY)
    page.evaluate(RESTART)
    page.wait_for_timeout(1000)
    assert not page.evaluate(DIRTY)


def test_a_change_is_a_change_until_it_is_saved(lab):
    page = lab.open_notebook(lab.write("edited.ipynb", new_notebook(cells=[new_code_cell("as it was")])))
    told_its_python(page)
    page.evaluate(EDIT)
    assert page.evaluate(DIRTY)
    page.evaluate(RESTART)
    page.wait_for_timeout(1000)
    assert page.evaluate(DIRTY)
    lab.save(page)
    assert not page.evaluate(DIRTY)


def test_an_edit_made_before_the_kernel_speaks_is_kept_as_one(lab):
    """The kernel's language may come at any moment: here it comes again after an edit."""
    page = lab.open_notebook(lab.write("late.ipynb", new_notebook(cells=[new_code_cell("as it was")])))
    told_its_python(page)
    page.evaluate(EDIT)
    page.evaluate(
        "window.jupyterapp.shell.currentWidget.content.model.setMetadata('language_info', { name: 'other' })"
    )
    page.wait_for_timeout(500)
    assert page.evaluate(DIRTY)
