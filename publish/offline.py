"""What pages and slides share: a lesson's cells as HTML, its interactives as they were saved, its formulas as MathML."""

from __future__ import annotations

import copy
import functools
import html
import json
import re
import sys
from pathlib import Path

import jinja2
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

from publish.formulas import WrongFormula, displayed, mathml
from publish.lesson import VIEW_KEY, asked, cells, displayed_widgets, exercises, widget_states

PUBLISH = Path(__file__).resolve().parent
WEB = PUBLISH / "web"
FRAMES = jinja2.Environment(loader=jinja2.FileSystemLoader(WEB), autoescape=True, trim_blocks=False)
NOT_TRIED = "○"
"""What an exercise answers first, before anybody has tried it."""
COUNTS = re.compile(r"check\.progress\(")
"""A cell that counts what was solved; on a page nothing can be."""
REMINDER = (
    '<p class="reminder">An exercise: in JupyterLab (<code>make lab</code>) this cell runs, and answers.</p>'
)
NEEDS_KERNEL = '<p class="reminder">This control asks Python at each step: it moves in JupyterLab, while a kernel runs.</p>'


# ---- markdown ----------------------------------------------------------------------------------------------


PUNCTUATED = re.compile(r"[(“]*<math>(?:(?!</math>).)*</math>[^\s\w<&(–—-]+", re.DOTALL)
"""A formula in a sentence and the punctuation that a line must not begin with."""


HEADING_LINK = re.compile(r'(<a class="anchor-link" href=")#[^"]*')


class Renderer(IPythonRenderer):
    """Markdown whose formulas are MathML."""

    def inline_math(self, body: str) -> str:
        return mathml(body)

    def block_math(self, body: str) -> str:
        return displayed(body)

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")


@functools.cache
def markdown_html(source: str) -> str:
    """A piece of markdown as HTML; links to notebooks lead to their pages."""
    text = MarkdownWithMath(renderer=Renderer(escape=False)).render(source)
    return to_pages(PUNCTUATED.sub(r'<span class="whole">\g<0></span>', text))


def cell_html(source: str, cell: str) -> str:
    """The same for a cell. A heading's own link is the cell's, which stays when the heading is written anew."""
    try:
        return HEADING_LINK.sub(rf"\1#cell-{cell}", markdown_html(source), count=1)
    except WrongFormula as wrong:
        raise WrongFormula(f"cell {cell}: {wrong}") from None


def to_pages(text: str) -> str:
    return re.sub(r'href="([\w./-]+)\.ipynb((?:#[^"]*)?)"', r'href="\1.html\2"', text)


# ---- cells -------------------------------------------------------------------------------------------------


def prepare(notebook: NotebookNode) -> NotebookNode:
    """A copy whose outputs are what a page without a kernel can show, and whose cells say how they are shown."""
    notebook, states = copy.deepcopy(notebook), widget_states(notebook)
    tasks = {cell.id for cell in exercises(notebook).values()}
    asking = {cell for cell, _ in asked(notebook).values()}
    notebook.cells = [cell for cell in notebook.cells if not COUNTS.match(cell.source)]
    for cell in notebook.cells:
        cell.metadata.course = {"asks": cell.id in asking, "part": part_of(cell)}
    for cell in cells(notebook, "code"):
        kept = [output for output in cell.outputs if not (cell.id in tasks and not_tried(output))]
        cell.outputs = [settled(output, states) for output in kept]
        if cell.id in tasks:
            cell.outputs.append(as_html(REMINDER))
    return notebook


def is_drawn(output: NotebookNode) -> bool:
    """Whether an output is a figure, an interactive or a table."""
    data = output.get("data", {})
    return "image/png" in data or bool(re.search("<(img|table)", data.get("text/html", "")))


def part_of(cell: NotebookNode) -> str:
    """Where a lecture has the cell: it begins a slide, belongs to its main part, or stands below it, for questions.

    Cells without slide metadata belong to the main part when they draw something.
    """
    named = {"slide": "slide", "subslide": "slide", "fragment": "main", "-": "main", "notes": "more"}
    kind = cell.metadata.get("slideshow", {}).get("slide_type")
    return named.get(kind) or ("main" if any(map(is_drawn, cell.get("outputs", []))) else "more")


def not_tried(output: NotebookNode) -> bool:
    return output.get("data", {}).get("text/plain", "").startswith(NOT_TRIED)


def settled(output: NotebookNode, states: dict[str, dict]) -> NotebookNode:
    """One output as a stream, or as a display with HTML where there is an interactive."""
    if "data" not in output:
        return output
    if VIEW_KEY in output.data:
        return as_html(interactive(output, states))
    return NotebookNode(output_type="display_data", data=output.data, metadata=output.metadata)


def as_html(text: str) -> NotebookNode:
    return NotebookNode(output_type="display_data", data={"text/html": text}, metadata={})


def interactive(output: NotebookNode, states: dict[str, dict]) -> str:
    """The place where a script draws an interactive, with its still picture until then."""
    model_id = output.data[VIEW_KEY]["model_id"]
    if not is_ours(states.get(model_id, {})):
        return spoken_by(model_id, states) + NEEDS_KERNEL
    return f'<div class="interactive" data-model="{model_id}">{still(output)}</div>'


def is_ours(model: dict) -> bool:
    """Whether the saved model brings its own script, and so needs no kernel and no widget manager."""
    return model.get("model_module") == "anywidget"


def still(output: NotebookNode) -> str:
    if "image/png" not in output.data:
        return ""
    alt = html.escape(output.data.get("text/plain", ""), quote=True)
    size = output.metadata.get("image/png", {})
    width = f' width="{size["width"]}"' if "width" in size else ""
    return f'<img class="still" alt="{alt}"{width} src="data:image/png;base64,{output.data["image/png"].strip()}">'


def spoken_by(model_id: str, states: dict[str, dict]) -> str:
    """What the Output widgets inside a box of controls last printed."""
    inside = re.findall(r"IPY_MODEL_(\w+)", json.dumps(states.get(model_id, {}).get("state", {})))
    printed = [out for each in inside for out in states.get(each, {}).get("state", {}).get("outputs", [])]
    return "".join(f"<pre>{html.escape(out.get('text', ''))}</pre>" for out in printed)


def saved_interactives(notebook: NotebookNode) -> Markup:
    """JSON for a <script>: model id to the state and the bytes of each interactive that the lesson shows."""
    states = widget_states(notebook)
    shown = {model_id: states[model_id] for model_id in displayed_widgets(notebook) if model_id in states}
    kept = {
        model_id: {"state": model["state"], "buffers": model.get("buffers", [])}
        for model_id, model in shown.items()
        if is_ours(model)
    }
    return Markup(json.dumps(kept, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"))


@functools.cache
def exporter() -> HTMLExporter:
    made = HTMLExporter(extra_template_basedirs=[str(WEB)], template_name="cells")
    made.register_filter("markdown2html", cell_html)
    return made


def cells_html(prepared: NotebookNode, lesson: str = "") -> Markup:
    """The cells of a prepared notebook, one <section> each; a wrong formula ends it, with lesson and cell named."""
    try:
        return Markup(exporter().from_notebook_node(prepared)[0])
    except WrongFormula as wrong:
        sys.exit(f"Lesson {lesson}, {wrong}")


# ---- frames ------------------------------------------------------------------------------------------------


def text(name: str) -> Markup:
    """A script or style sheet, to stand in a page as it is."""
    return Markup((WEB / name).read_text(encoding="utf-8"))


def stub() -> Markup:
    return Markup((PUBLISH / "model_stub.js").read_text(encoding="utf-8"))


def fill(frame: str, **values: object) -> str:
    return FRAMES.get_template(f"{frame}.html.j2").render(**values)
