"""A committed lesson is complete, ordered, accessible, and small enough to load everywhere."""

from __future__ import annotations

import itertools
import json
import re
import warnings
from pathlib import Path

import nbformat
import pytest

from aelib import questions
from publish.lesson import (
    NOTEBOOKS,
    RANDOM_ID,
    VIEW_KEY,
    cells,
    equations,
    exercises,
    lessons,
    markdown,
    read,
    solutions,
    verified,
    widget_states,
)

MAX_FILE, MAX_WIDGETS = 1_000_000, 300 * 1024
MAX_FILE_OF = {"01": 1_150_000}  # nine interactives with their pictures, one with 400 digits to learn from
MAX_WIDGETS_OF = {
    "01": 620 * 1024
}  # four interactives with networks or digits of their own, and four questions
TALKING_DOWN = re.compile(r"\b(simply|just|obviously|clearly)\b", re.I)
WORKSHOP = re.compile(
    r"\b(?:sessions?|agents?|claude|gpt|todo|fixme)\b|\bissue\s*#?\d|(?<![\w/.])/(?:work|root|home|tmp|Users)/\S",
    re.I,
)
TIMESTAMP = re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d")
HINT = re.compile(r"<details><summary>Hint.*?</details>", re.S)
PICTURE = re.compile(r"<(img|svg|canvas|audio|video)\b")

every_lesson = pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
taught = [path for path in lessons() if path.name[:2] > "00"]
taught_lessons = pytest.mark.parametrize("path", taught, ids=lambda path: path.stem)


def prose(source: str) -> str:
    """A markdown cell without code, formulas, HTML tags, and addresses of links."""
    source = re.sub(r"```.*?```|~~~.*?~~~|\$\$.*?\$\$|\\begin\{.*?\\end\{\w+\*?\}", " ", source, flags=re.S)
    source = re.sub(r"`[^`\n]*`|\$[^$\n]*\$|<[^>]*>", " x ", source)
    return re.sub(r"\]\([^)]*\)", "]", source)


def outputs(notebook) -> list:
    return [output for cell in cells(notebook, "code") for output in cell.outputs]


def data_text(path: Path) -> str:
    """The questions of a lesson, as they stand in their file."""
    return (questions.FOLDER / f"lesson{path.name[:2]}.toml").read_text(encoding="utf-8")


def texts(notebook) -> str:
    """Everything a reader can read: sources, printed text, tables."""
    shown = [out.get("text", "") + out.get("data", {}).get("text/plain", "") for out in outputs(notebook)]
    return "\n".join([cell.source for cell in notebook.cells] + shown)


def has_picture(cell) -> bool:
    bundles = [output.get("data", {}) for output in cell.outputs]
    kinds = {kind for data in bundles for kind in data}
    html = "".join(data.get("text/html", "") for data in bundles)
    return VIEW_KEY in kinds or any(kind.startswith("image/") for kind in kinds) or bool(PICTURE.search(html))


def without_alt(output) -> list[str]:
    """The pictures of one output without words: images of the bundle, and <img> in its HTML."""
    data, metadata = output.get("data", {}), output.get("metadata", {})
    tags = re.findall(r"<img\b[^>]*>", data.get("text/html", ""))
    missing = ["<img>" for tag in tags if not re.search(r"""\balt=(["'])\s*[^"'\s]""", tag)]
    told = bool(tags) and not missing
    images = [kind for kind in data if kind.startswith("image/")]
    return missing + [kind for kind in images if not (told or metadata.get(kind, {}).get("alt", "").strip())]


def image_outputs(notebook) -> list:
    """All outputs, those shown inside Output widgets included."""
    inside = [out for model in widget_states(notebook).values() for out in model["state"].get("outputs", [])]
    return outputs(notebook) + inside


@every_lesson
def test_is_a_valid_notebook(path: Path):
    nbformat.validate(read(path))


@every_lesson
def test_cells_were_run_in_order(path: Path):
    counts = [cell.execution_count for cell in cells(read(path), "code") if cell.source.strip()]
    assert counts == list(range(1, len(counts) + 1)), "run `make notebooks`"


@every_lesson
def test_no_cell_failed(path: Path):
    notebook = read(path)
    assert not [out.ename for out in outputs(notebook) if out.output_type == "error"]
    assert not [out.text for out in outputs(notebook) if out.get("name") == "stderr"], (
        "a cell prints warnings"
    )
    assert not [cell.id for cell in notebook.cells if "raises-exception" in cell.metadata.get("tags", [])]


@every_lesson
def test_ids_are_words_and_unique(path: Path):
    ids = [cell.id for cell in read(path).cells]
    assert len(set(ids)) == len(ids)
    assert not [i for i in ids if RANDOM_ID.fullmatch(i)], "`make notebooks` names cells"


@every_lesson
def test_no_timestamps(path: Path):
    notebook = read(path)
    assert not TIMESTAMP.findall(json.dumps(notebook.metadata) + texts(notebook))
    assert not [cell.id for cell in notebook.cells if {"execution", "ExecuteTime"} & set(cell.metadata)]


@every_lesson
def test_size(path: Path):
    state = json.dumps(widget_states(read(path)))
    assert path.stat().st_size < MAX_FILE_OF.get(path.name[:2], MAX_FILE)
    assert len(state) < MAX_WIDGETS_OF.get(path.name[:2], MAX_WIDGETS), (
        f"the saved interactives take {len(state) / 1024:.0f} KiB"
    )


@every_lesson
def test_every_picture_is_told_in_words(path: Path, tally):
    missing = [kind for output in image_outputs(read(path)) for kind in without_alt(output)]
    for number, kind in enumerate(missing):
        tally("images without alt text", f"{path.stem} {kind} {number}")
    linked = re.findall(r"!\[\s*\]\(", markdown(read(path)))
    assert not missing + linked


@every_lesson
def test_plain_text_says_what_the_picture_of_an_interactive_says(path: Path):
    every = [output for cell in cells(read(path), "code") for output in cell.outputs]
    shown = [one for one in every if VIEW_KEY in one.get("data", {}) and "image/png" in one.data]
    assert [output.data["text/plain"] for output in shown] == [
        output.metadata["image/png"]["alt"] for output in shown
    ]


@every_lesson
def test_first_screen_is_words(path: Path):
    before = list(itertools.takewhile(lambda cell: cell.cell_type == "markdown", read(path).cells))
    words = "\n".join(cell.source for cell in before)
    assert before, "the first cell is code"
    assert before[0].source.startswith("# ")
    assert len(prose(words).split()) >= 40
    assert "minutes" in words
    assert "```" not in words


@every_lesson
def test_setup_is_short(path: Path):
    course, setup = cells(read(path), "code")[:2]
    assert (course.id, setup.id) == ("course", "setup")
    assert len(setup.source.splitlines()) <= 8
    assert len(course.source.splitlines()) <= 8
    assert "import aelib" in course.source, "aelib comes first: it settles the threads before torch is loaded"


@every_lesson
def test_cells_are_short(path: Path):
    long = {cell.id: n for cell in cells(read(path), "code") if (n := len(cell.source.splitlines())) > 25}
    assert not long


@taught_lessons
def test_shows_before_it_names(path: Path):
    first = [cell for cell in cells(read(path), "code") if cell.id not in ("course", "progress")][1:4]
    assert any(has_picture(cell) for cell in first), "no picture within the first three cells after the setup"


@taught_lessons
def test_length(path: Path):
    """Of what a reader has before them: hints are given one at a time, to those who ask for them."""
    open_text = HINT.sub(" ", markdown(read(path)))
    words = re.findall(r"[^\W\d_][\w’'-]*", prose(open_text))
    assert 1500 <= len(words) <= 3000


@every_lesson
def test_does_not_talk_down(path: Path):
    said = {cell.id: TALKING_DOWN.findall(prose(cell.source)) for cell in cells(read(path), "markdown")}
    assert not {cell: words for cell, words in said.items() if words}
    assert not TALKING_DOWN.findall(data_text(path))


@every_lesson
def test_no_derivative_imports_the_compiler(path: Path):
    """Some functions of torch.func import torch's compiler: seconds, and 75 MB, in every kernel that calls them."""
    costly = re.compile(r"\b(?:jacrev|jacfwd|func\.hessian|func import .*hessian|torch\.compile)\b")
    assert not [cell.id for cell in cells(read(path), "code") if costly.search(cell.source)]


@every_lesson
def test_speaks_of_its_subject_only(path: Path):
    written = texts(read(path)) + data_text(path)
    assert not [hit[0] for hit in WORKSHOP.finditer(written)]


@every_lesson
def test_percentages_are_written_one_way(path: Path):
    """80%, in the lesson, in its teacher's plan and in what its interactives say of themselves."""
    notebook = read(path)
    plan = (NOTEBOOKS / "teaching" / f"{path.stem[:2]}.md").read_text(encoding="utf-8")
    scripts = [model["state"].get("_esm", "") for model in widget_states(notebook).values()]
    written = "\n".join([texts(notebook), data_text(path), plan, *scripts])
    assert not re.findall(r".{,40}[0-9}](?:[ \u00a0\u202f]|\\u202f)%.{,40}", written)


@every_lesson
def test_one_sentence_a_line(path: Path, tally):
    """A soft rule: it is reported and does not fail."""
    lines = [line.strip() for line in prose(markdown(read(path))).splitlines() if "|" not in line]
    crowded = [line for line in lines if re.search(r"[a-z)’”]{2,}[.?!] +[A-ZÀ-Ý]", line)]
    for line in crowded:
        tally("lines with two sentences", f"{path.stem}: {line[:60]}")
    if crowded:
        warnings.warn(
            f"{path.stem}: {len(crowded)} lines with two sentences, as {crowded[0]!r}", stacklevel=1
        )


@every_lesson
def test_every_equation_is_checked(path: Path, tally):
    notebook = read(path)
    written, checked = equations(notebook), verified(notebook)
    for label in written:
        tally("equations checked" if label in checked else "equations unchecked", label)
    assert len(set(written)) == len(written), "a number is used twice"
    assert not [label for label in written if not re.fullmatch(rf"{path.name[:2]}\.\d+", label)]
    assert set(written) == checked


@every_lesson
def test_every_exercise_has_a_solution(path: Path, tally):
    notebook = read(path)
    names, folded = exercises(notebook), solutions(notebook)
    for name in names:
        tally("exercises", f"lesson{path.name[:2]}.{name}")
    assert len(folded) == len(names), f"{len(names)} exercises and {len(folded)} folded solutions"
    assert all(code.strip() for code in folded), "a folded solution has no ```python block"


@taught_lessons
def test_number_of_exercises(path: Path):
    assert 3 <= len(exercises(read(path))) <= 6


@every_lesson
def test_local_links_lead_somewhere(path: Path):
    text = markdown(read(path))
    links = re.findall(r"\]\(([^)\s]+)[^)]*\)", text) + re.findall(r"""(?:src|href)=["']([^"']+)""", text)
    local = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert not [link for link in local if not (NOTEBOOKS / link).exists()]
    shown = re.findall(r"!\[[^\]]*\]\(([^)\s]+)", text) + re.findall(r"""<img[^>]*src=["']([^"']+)""", text)
    assert not [link for link in shown if link.startswith("..")], (
        "JupyterLab serves no picture from above notebooks/"
    )


@taught_lessons
def test_has_slides(path: Path):
    kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in read(path).cells]
    assert kinds.count("slide") >= 3
