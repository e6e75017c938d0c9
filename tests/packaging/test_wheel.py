"""The wheel holds all that the lessons need: it is built, unpacked elsewhere, and used from another folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from publish.lesson import NOTEBOOKS, ROOT, calls, cells, lessons, read

BUILD = "from hatchling.build import build_wheel; print(build_wheel({folder!r}))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-c", BUILD.format(folder=str(folder))],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return folder / built.stdout.split()[-1]


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder of packages with the wheel's aelib, and nothing of the course beside it."""
    target = tmp_path_factory.mktemp("site")
    command = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    subprocess.run([sys.executable, "-m", *command], check=True)
    return target


def run_there(installed: Path, folder: Path, code: str) -> str:
    """What Python prints with that aelib, working in another folder."""
    environment = os.environ | {"PYTHONPATH": str(installed), "AELIB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


plain = TransformerManager().transform_cell


def drawings() -> set[str]:
    """The names of the drawings that the lessons show."""
    code = [cell.source for path in lessons() for cell in cells(read(path), "code")]
    drawn = [call for source in code for call in calls(source) if getattr(call.func, "attr", "") == "drawing"]
    return {call.args[0].value for call in drawn}


def test_every_drawing_of_the_lessons_is_shown_from_another_folder(installed, tmp_path):
    code = "from aelib import plots\nimport json\nprint(json.dumps([str(plots.FIGURES)] + "
    code += f"[plots.drawing(name, alt='seen').kind for name in {sorted(drawings())!r}]))"
    folder, *kinds = json.loads(run_there(installed, tmp_path, code))
    assert Path(folder).is_relative_to(installed)
    assert kinds == ["image/svg+xml"] * len(drawings())
    assert kinds


def test_nothing_of_the_package_is_left_out(wheel):
    """Every file of aelib that is no cache is in the wheel, and the extension where JupyterLab looks for it."""
    packed = set(zipfile.ZipFile(wheel).namelist())
    own = [path for path in (ROOT / "aelib").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {path.relative_to(ROOT).as_posix() for path in own} <= packed
    assert {f"aelib/figures/{path.name}" for path in (ROOT / "figures").glob("*.svg")} <= packed
    place = re.compile(r"aelib-[\d.]+\.data/data/share/jupyter/labextensions/aelib/package\.json")
    assert any(map(place.fullmatch, packed))
    assert not [name for name in packed if name.startswith(("figures/", "tests/", "notebooks/"))]


@pytest.mark.parametrize("path", [lessons("00")[0], lessons("11")[0]], ids=lambda path: path.stem)
def test_a_lesson_runs_where_only_its_notebook_is(installed, tmp_path, path):
    """The first with drawings, the last with kept figures; all its code, as plain Python in an empty folder."""
    code = "\n\n".join(plain(cell.source) for cell in cells(read(NOTEBOOKS / path.name), "code"))
    run_there(installed, tmp_path, f"import matplotlib\nmatplotlib.use('agg')\n{code}")
    assert not (tmp_path / "aelib").exists()


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_a_script_made_of_a_lesson_imports_what_it_displays_with(path):
    """A notebook has `display` without being asked; plain Python has not."""
    code = "\n".join(cell.source for cell in cells(read(path), "code"))
    uses = any(getattr(call.func, "id", "") == "display" for call in calls(code))
    assert not uses or "from IPython.display import display" in code
