"""The installer of `make lab`: what it refuses, what it goes on with, what it says; with real pip and no network."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "environment" / "install.py"
PARTS = ("aelib", "torch", "jupyterlab", "anywidget", "matplotlib")


@pytest.fixture(scope="module")
def install():
    spec = importlib.util.spec_from_file_location("install", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# What cannot work


@pytest.mark.parametrize("version", [(3, 8), (3, 10), (3, 15)])
def test_a_python_without_the_packages_is_refused(install, version):
    with pytest.raises(SystemExit, match=r"needs 3\.11 to 3\.14"):
        install.check_python(version)


@pytest.mark.parametrize("version", [(3, 11), (3, 14)])
def test_a_python_with_the_packages_passes(install, version):
    install.check_python(version)


@pytest.mark.parametrize(
    ("kind", "macos", "libc", "processor", "says"),
    [
        ("macosx-10.13-universal2", "14.4", "", "x86_64", "Intel processor"),
        ("macosx-11.0-arm64", "13.6.1", "", "arm64", "needs macOS 14, and this is 13.6.1"),
        ("win-arm64", "", "", "ARM64", "Windows on ARM"),
        ("win32", "", "", "AMD64", "32 bits"),
        ("linux-x86_64", "", "musl", "x86_64", "GNU C library"),
        ("linux-x86_64", "", "", "x86_64", "GNU C library"),
    ],
)
def test_a_machine_without_a_torch_gets_a_sentence_with_a_way_out(
    install, monkeypatch, kind, macos, libc, processor, says
):
    monkeypatch.setattr(install.platform, "machine", lambda: processor)
    problem = install.no_torch_for(kind, macos, libc)
    assert says in problem
    assert any(way in problem for way in ("hosted machine", "install"))


@pytest.mark.parametrize(
    ("kind", "macos", "libc", "processor"),
    [
        ("macosx-10.13-universal2", "14.0", "", "arm64"),
        ("macosx-11.0-arm64", "26.1", "", "arm64"),
        ("win-amd64", "", "", "AMD64"),
        ("linux-x86_64", "", "glibc", "x86_64"),
        ("linux-aarch64", "", "glibc", "aarch64"),
    ],
)
def test_a_machine_with_a_torch_hears_nothing(install, monkeypatch, kind, macos, libc, processor):
    monkeypatch.setattr(install.platform, "machine", lambda: processor)
    assert install.no_torch_for(kind, macos, libc) == ""


# Which installer


@pytest.mark.parametrize(
    ("torch", "uv", "first", "backend"),
    [
        ("", None, "python", None),
        ("", "/bin/uv", "uv", "auto"),
        ("cpu", "/bin/uv", "uv", "cpu"),
        ("cpu", None, "uv", "cpu"),
    ],
)
def test_uv_picks_the_build_of_torch_where_it_can(install, monkeypatch, torch, uv, first, backend):
    monkeypatch.setattr(install.shutil, "which", lambda _: uv)
    monkeypatch.setattr(install, "succeeds", lambda command: True)
    best, *others = install.installers(torch)
    assert Path(best[0]).stem == first
    assert (best[best.index("--torch-backend") + 1] if backend else None) == backend
    assert [Path(other[0]).stem for other in others] == (["python"] if backend else [])


def test_without_uv_in_the_index_pip_is_left(install, monkeypatch):
    monkeypatch.setattr(install.shutil, "which", lambda _: None)
    monkeypatch.setattr(install, "succeeds", lambda command: False)
    assert [Path(command[0]).stem for command in install.installers("cpu")] == ["python"]


# The whole script, with real pip


def wheel(folder: Path, name: str) -> None:
    """A package of one empty module."""
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    kind = "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    contents = {f"{name}/__init__.py": "", f"{name}/version.py": "", f"{name}-1.0.dist-info/METADATA": about}
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as packed:
        for path, text in (contents | {f"{name}-1.0.dist-info/WHEEL": kind}).items():
            packed.writestr(path, text)
        listed = "".join(f"{path},,\n" for path in packed.namelist())
        packed.writestr(f"{name}-1.0.dist-info/RECORD", f"{listed}{name}-1.0.dist-info/RECORD,,\n")


@pytest.fixture
def course(tmp_path) -> Path:
    """The installer, beside a course that needs five small packages."""
    folder = tmp_path / "the course"
    for path in (
        "pyproject.toml",
        "requirements-test.txt",
        "requirements-hub.txt",
        "aelib/labextension/static/keep_interactives.js",
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    (folder / "requirements.txt").write_text("".join(f"{name}==1.0\n" for name in PARTS))
    shutil.copytree(SCRIPT.parent, folder / "environment")
    return folder


def attempt(course: Path, shelf: Path | None) -> subprocess.CompletedProcess:
    """Run the installer; its packages come from a shelf of wheels, or from a port where nobody listens."""
    plain = {
        key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_", "PYTHONPATH"))
    }
    source = (
        {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf)}
        if shelf
        else {"PIP_INDEX_URL": "http://127.0.0.1:9"}
    )
    return subprocess.run(
        [sys.executable, course / "environment/install.py"],
        env=plain | source | {"PIP_CONFIG_FILE": os.devnull, "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip


def test_no_network_is_one_sentence_and_what_was_interrupted_goes_on(course, tmp_path):
    stamp, shelf = course / ".venv/lab.stamp", tmp_path / "shelf"
    offline = attempt(course, None)
    assert offline.returncode == 1
    assert len(offline.stderr.splitlines()) == 1
    assert "Is there a network?" in offline.stderr
    assert not stamp.exists()

    shelf.mkdir()
    for name in ("hatchling", *PARTS[:-1]):
        wheel(shelf, name)
    broken_off = attempt(course, shelf)
    assert broken_off.returncode == 1
    assert "about" in broken_off.stdout
    assert "goes on where it stopped" in broken_off.stderr
    assert not stamp.exists()

    wheel(shelf, PARTS[-1])
    whole = attempt(course, shelf)
    assert whole.returncode == 0, whole.stderr
    assert stamp.exists()

    again = attempt(course, None)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")

    os.utime(course / "requirements.txt", (stamp.stat().st_mtime + 10,) * 2)
    assert attempt(course, None).returncode == 1


def test_half_an_environment_is_made_anew(course, tmp_path):
    """As it is when the making of .venv was interrupted: a Python that does not run."""
    (course / ".venv/bin").mkdir(parents=True)
    (course / ".venv/bin/python").write_text("")
    assert "Making .venv" in attempt(course, None).stdout
    assert (
        subprocess.run(
            [course / ".venv/bin/python", "-m", "pip", "--version"], capture_output=True
        ).returncode
        == 0
    )
