"""The README's first command, as it is typed: `make lab` in a fresh copy, as root and as an ordinary user.

The packages are those of the running Python, so that nothing is installed; everything else is what a reader gets.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from publish.lesson import ROOT
from tests.browser.conftest import Pages

pwd = pytest.importorskip("pwd", reason="make and its signals are not those of Windows")

NOT_CLONED = (
    ".git",
    ".venv",
    "site",
    "dist",
    "build",
    "__pycache__",
    ".*_cache",
    ".hypothesis",
    "checkpoints",
)
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/lab/tree/00_start_here\.ipynb\?token=\w+")
READY = """() => {
  const panel = window.jupyterapp?.shell.currentWidget;
  return panel?.context?.isReady && panel.sessionContext?.session?.kernel?.status === "idle";
}"""
RUN_ALL = """async () => {
  await window.jupyterapp.commands.execute("notebook:run-all-cells");
}"""
ERRORS = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
  .flatMap((cell) => (cell.type === "code" ? cell.outputs.toJSON() : []))
  .filter((output) => output.output_type === "error").map((output) => output.evalue)"""


def stand_in_environment(course: Path, python: str) -> None:
    """A .venv that holds nothing, and finds the course and the installed packages by their paths."""
    subprocess.run([python, "-m", "venv", "--without-pip", course / ".venv"], check=True)
    site = next((course / ".venv").glob("lib/*/site-packages"))
    (site / "course.pth").write_text(f"{course}\n{sysconfig.get_path('purelib')}\n")
    share, installed = course / ".venv/share/jupyter", Path(sys.prefix, "share/jupyter")
    shutil.copytree(installed / "lab", share / "lab", ignore=shutil.ignore_patterns("settings", "*.map"))
    shutil.copytree(
        installed / "labextensions", share / "labextensions", ignore=shutil.ignore_patterns("aelib")
    )
    shutil.copytree(Path(sys.prefix, "etc"), course / ".venv/etc")
    shutil.copytree(course / "aelib/labextension", share / "labextensions/aelib")
    for name in ("lab", "test"):
        (course / ".venv" / f"{name}.stamp").touch()


def python_for(user: dict) -> str:
    """The Python of this run, or the system's of the same version where the user may not use that one."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (Path(sys.base_prefix, "bin", name), shutil.which(name, path="/usr/bin:/usr/local/bin")):
        try:
            if python and not subprocess.run([python, "-c", ""], cwd="/", **user).returncode:
                return str(python)
        except OSError:
            continue
    pytest.skip(f"no {name} on this machine that an ordinary user may run")


@dataclass
class Started:
    """A `make lab` that is running, and what it has said so far."""

    process: subprocess.Popen
    lines: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.lines += iter(self.process.stdout.readline, "")

    def address(self) -> re.Match:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := next(filter(None, map(ADDRESS.search, self.lines)), None):
                return found
            time.sleep(0.2)
        pytest.fail("".join(self.lines))

    def interrupt(self) -> None:
        """Ctrl-C, twice, as a terminal sends it: to the whole group."""
        for _ in range(2):
            os.killpg(self.process.pid, signal.SIGINT)
            time.sleep(0.5)
        self.process.wait(300)


def taken_port() -> socket.socket:
    """A port on which somebody listens already."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


@pytest.fixture
def course(request) -> Iterator[tuple[Path, dict]]:
    """A fresh copy, and who works in it: root, or an ordinary user with a home of their own."""
    as_root = os.geteuid() == 0
    if request.param == "root" and not as_root:
        pytest.skip("this run is not root's")
    nobody = pwd.getpwnam("nobody")
    ordinary = as_root and request.param != "root"
    user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []} if ordinary else {}
    folder = Path(tempfile.mkdtemp(prefix="course of "))
    try:
        shutil.copytree(ROOT, folder / "course", ignore=shutil.ignore_patterns(*NOT_CLONED))
        stand_in_environment(folder / "course", python_for(user))
        (folder / "home").mkdir()
        if ordinary:
            subprocess.run(["chown", "-R", f"{nobody.pw_uid}:{nobody.pw_gid}", folder], check=True)
        yield folder / "course", user
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def started(course) -> Iterator[Started]:
    folder, user = course
    plain = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL") if key in os.environ}
    environment = plain | {"HOME": str(folder.parent / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    with taken_port() as busy:
        flags = f"--port={busy.getsockname()[1]} --expose-app-in-browser"
        process = subprocess.Popen(
            ["make", "lab", f"LAB_FLAGS={flags}"],
            cwd=folder, env=environment, start_new_session=True, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **user,
        )  # fmt: skip
        running = Started(process)
        threading.Thread(target=running.listen, daemon=True).start()
        try:
            assert int(running.address()[1]) != busy.getsockname()[1]
            yield running
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def pages(browser) -> Iterator[Pages]:
    pages = Pages(browser)
    yield pages
    pages.close()
    asked = {
        urlsplit(url).hostname
        for url in pages.watch.requests
        if urlsplit(url).scheme in ("http", "https", "ws")
    }
    assert asked == {"127.0.0.1"}
    pages.watch.assert_quiet()


def left_behind(folder: Path) -> list[str]:
    """Processes that still work in the folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        try:
            if Path(process.cwd()).is_relative_to(folder):
                found.append(" ".join(process.info["cmdline"]))
        except (psutil.Error, OSError):
            continue
    return found


@pytest.mark.parametrize("course", ["root", "an ordinary user"], indirect=True)
def test_make_lab_opens_lesson_00_and_ends(course, started, pages):
    folder, user = course
    assert any("You are root" in line for line in started.lines) == (os.geteuid() == 0 and not user)
    page = pages.new_page(1280, 900, "light", False)
    page.goto(started.address()[0], timeout=120_000)
    page.wait_for_function(READY, timeout=120_000)
    page.evaluate(RUN_ALL)
    assert page.evaluate(ERRORS) == []
    card = page.locator(".ae-card").first
    before = card.inner_text()
    answer = card.get_by_role("radio").first
    answer.focus()
    answer.press("Space")  # by keyboard: cells above may still grow, and a click would land beside it
    assert card.inner_text() != before
    page.close()
    assert ADDRESS.search(started.lines[-1]), "the address stands last on the screen"
    started.interrupt()
    deadline = time.monotonic() + 60  # a kernel looks for its server once a second
    while (left := left_behind(folder)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert left == []


def test_the_file_browser_shows_lessons_and_plans_alone():
    shown = [
        path.relative_to(ROOT / "notebooks") for path in (ROOT / "notebooks").rglob("*") if path.is_file()
    ]
    others = [path for path in shown if not ({".ipynb_checkpoints", "checkpoints", "data"} & set(path.parts))]
    assert {(path.parent.name, path.suffix) for path in others} == {("", ".ipynb"), ("teaching", ".md")}
