"""A lesson's first cell where only the notebook is: it fetches the course's package once, and leaves the host's alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import aelib
from publish.edition import CELL, archive, first_cell, up_to_date
from publish.lesson import ROOT, lessons, read

BUILD = "from hatchling.build import build_sdist; print(build_sdist({folder!r}))"
REPORT = """
import json, numpy, torch
print(json.dumps({"aelib": aelib.__file__, "torch": torch.__file__, "numpy": numpy.__file__}))
"""
RUN = "import sys; from IPython.core.interactiveshell import InteractiveShell as Shell; "
RUN += "shell = Shell.instance(); [shell.run_cell(code) for code in sys.argv[1:]]"


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> str:
    """The archive of this edition, as a repository offers it."""
    folder = tmp_path_factory.mktemp("archive")
    command = [sys.executable, "-c", BUILD.format(folder=str(folder))]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return (folder / built.stdout.split()[-1]).as_uri()


@pytest.fixture(scope="module")
def host(tmp_path_factory) -> Path:
    """A machine with torch and Jupyter, and without the course: an environment that finds this run's packages."""
    folder = tmp_path_factory.mktemp("host")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    site = next((folder / "env").glob("[Ll]ib/**/site-packages"))
    (site / "host.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder


def run_on(host: Path, *cells: str) -> str:
    """What a kernel there prints for these cells; it reaches no package index."""
    python = host / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ours = ("PIP_", "PYTHONPATH", "VIRTUAL_ENV")  # IPython looks into the environment that the last one names
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_CONFIG_FILE": os.devnull}
    environment = kept | offline | {"HOME": str(host), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        [python, "-c", RUN, *cells], cwd=host, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_package_is_fetched_once_and_the_hosts_own_are_kept(host, published):
    cell = first_cell().replace(archive(), published)
    said = run_on(host, cell, REPORT).splitlines()
    assert "Installed aelib" in "\n".join(said)
    places = json.loads(said[-1])
    assert Path(places["aelib"]).is_relative_to(host)
    assert not [name for name in ("torch", "numpy") if Path(places[name]).is_relative_to(host)]

    again = run_on(host, first_cell(), "print('went on')")
    assert again.split("\n") == ["went on", ""]


def test_another_edition_is_one_sentence(host, capsys):
    aelib.check_edition(aelib.__version__)
    assert capsys.readouterr().out == ""
    aelib.check_edition("0.9.0")
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "edition 0.9.0" in said
    assert f"edition {aelib.__version__}" in said


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_every_lesson_begins_with_it(path):
    assert next(cell for cell in read(path).cells if cell.cell_type == "code").id == CELL


def test_every_file_names_this_edition():
    stale = [path.name for path, text in up_to_date().items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "run `make edition`"
