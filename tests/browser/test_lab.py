"""What the other browser tests stand on: notebooks open, run, change theme, and outlive their kernel."""

from __future__ import annotations

import anywidget
import nbformat
import pytest
import traitlets
from ipywidgets.widgets.trait_types import bytes_serialization
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

SCRIPT = """
export default {
  render({ model, el }) {
    const button = document.createElement("button");
    const paint = () => { button.textContent = `${model.get("count")} of ${model.get("data").byteLength}`; };
    button.onclick = () => { model.set("count", model.get("count") + 1); model.save_changes(); };
    model.on("change:count", paint);
    paint();
    el.append(button);
  },
};
"""


class Counter(anywidget.AnyWidget):
    _esm = SCRIPT
    _css = "button { color: rgb(0, 114, 178); }"
    count = traitlets.Int(3).tag(sync=True)
    data = traitlets.Bytes(bytes(12)).tag(sync=True, **bytes_serialization)


@pytest.fixture
def trial() -> nbformat.NotebookNode:
    define = f"""
        import anywidget, traitlets
        from ipywidgets.widgets.trait_types import bytes_serialization
        class Counter(anywidget.AnyWidget):
            _esm = {SCRIPT!r}
            count = traitlets.Int(3).tag(sync=True)
            data = traitlets.Bytes(bytes(12)).tag(sync=True, **bytes_serialization)
        counter = Counter()
        counter"""
    code = "\n".join(line[8:] for line in define.splitlines()[1:])
    return new_notebook(cells=[new_markdown_cell("# A trial"), new_code_cell(code)])


def test_notebook_runs_and_outlives_its_kernel(lab, trial):
    page = lab.open_notebook(lab.write("trial.ipynb", trial))
    lab.run_all(page)
    button = page.get_by_role("button", name="of 12")
    button.click()
    assert button.text_content() == "4 of 12"
    lab.shut_down_kernel(page)
    button.click()
    assert button.text_content() == "5 of 12"


def test_theme(lab, trial):
    page = lab.open_notebook(lab.write("theme.ipynb", trial), theme="dark", width=600)
    paper = "getComputedStyle(document.body).getPropertyValue('--jp-layout-color1')"
    dark = page.evaluate(paper)
    lab.change_theme(page, "light")
    assert page.evaluate(paper) != dark


def test_saved_interactive_needs_no_kernel(lab, trial):
    name = lab.write("saved.ipynb", trial)
    page = lab.open_notebook(name)
    lab.run_all(page)
    page.get_by_role("button", name="of 12").click()
    assert "widgets" in lab.save(page).metadata
    lab.trust(name)
    again = lab.open_notebook(name)
    assert again.get_by_role("button", name="of 12").text_content() == "4 of 12"


def test_a_failing_cell_fails(lab):
    name = lab.write("failing.ipynb", new_notebook(cells=[new_code_cell("1 / 0")]))
    page = lab.open_notebook(name)
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        lab.run_all(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1100])
def test_plain_page(plain_page, theme, width):
    page = plain_page.mount(Counter(), theme=theme, width=width)
    button = page.get_by_role("button")
    button.click()
    assert button.text_content() == "4 of 12"
    assert page.evaluate("model.saved") == [{"count": 4}]
    assert button.evaluate("node => getComputedStyle(node).color") == "rgb(0, 114, 178)"
    page.evaluate("model.set('count', 9)")
    assert button.text_content() == "9 of 12"


def test_the_watch_sees_what_leaves_and_what_breaks(plain_page):
    page = plain_page.mount(Counter())
    with page.expect_request("http://example.org/"), page.context.expect_event("weberror"):
        page.evaluate("fetch('http://example.org/').catch(() => {})")
        page.evaluate("setTimeout(() => { throw new Error('broken'); })")
    assert plain_page.watch.outside == ["http://example.org/"]
    assert any("broken" in error for error in plain_page.watch.errors)
    plain_page.watch.requests.clear()
    plain_page.watch.errors.clear()


@pytest.mark.parametrize(("path", "complaints"), [("kernels?1", 0), ("kernels/1", 1), ("sessions?1", 1)])
def test_the_watch_forgives_a_server_only_its_list_of_kernels(plain_page, path, complaints):
    page = plain_page.mount(Counter(), own=True)
    page.context.route("http://127.0.0.1/**", lambda route: route.fulfill(status=500))
    with page.expect_console_message(lambda said: "status of 500" in said.text):
        page.evaluate(f"fetch('http://127.0.0.1/api/{path}', {{ mode: 'no-cors' }}).catch(() => {{}})")
    assert len(plain_page.watch.errors) == complaints
    plain_page.watch.errors.clear()
