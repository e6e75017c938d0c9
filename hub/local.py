"""A JupyterHub on this machine alone, with made users, for a look and for tests: python -m hub.local [students].

What it keeps is in the folder .hub, students' homes included. All servers have the rights of who starts it, so this is
no hub for a class; hub/README.md says how to set one up.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

from aelib.kernels.provisioner import template
from environment.lab import NOTEBOOKS, ROOT, settle

CONFIG = ROOT / "hub" / "jupyterhub_config.py"
GIT = ("git", "-c", "user.name=course", "-c", "user.email=course@localhost")
SECONDS = 300
"""How long the Hub may take to answer for the first time."""


class Hub(NamedTuple):
    """A Hub that answers: where, the password of all its users, and its process."""

    address: str
    password: str
    pid: int


def free_port(wanted: int = 0) -> int:
    """A port that nobody uses: the wanted one if it can be had."""
    with suppress(OSError), socket.socket() as probe:
        probe.bind(("127.0.0.1", wanted))
        return probe.getsockname()[1]
    return free_port()


def publish_lessons(folder: Path) -> None:
    """Commit the lessons as they are now to a repository of their own, from which students' servers pull."""
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    for path in NOTEBOOKS.glob("*.ipynb"):
        shutil.copyfile(path, folder / "notebooks" / path.name)
    if not (folder / ".git").exists():
        subprocess.run([*GIT, "init", "--quiet", "--initial-branch=main"], cwd=folder, check=True)
    subprocess.run([*GIT, "add", "--all"], cwd=folder, check=True)
    if subprocess.run([*GIT, "diff", "--cached", "--quiet"], cwd=folder).returncode:
        subprocess.run([*GIT, "commit", "--quiet", "--message", "The lessons"], cwd=folder, check=True)


def settings(folder: Path, students: int, password: str) -> dict[str, str]:
    """The variables that hub/jupyterhub_config.py reads."""
    return {
        "AELIB_COURSE": (folder / "course").as_uri(),
        "AELIB_HUB_FOLDER": str(folder),
        "AELIB_HUB_STUDENTS": str(students),
        "AELIB_HUB_PASSWORD": password,
    }


def wait_for(address: str, process: subprocess.Popen) -> None:
    """Until the Hub answers; an error if it ends before."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(URLError, ConnectionError), urlopen(f"{address}/hub/health"):
            return
        time.sleep(0.1)
    sys.exit("The Hub did not start; the reason stands above.")


def end(process: subprocess.Popen) -> None:
    """Tell the Hub to end; it ends the students' servers and its proxy, too."""
    process.terminate()
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


@contextmanager
def hub(
    folder: Path, students: int = 30, port: int = 0, kernels: dict[str, str] | None = None
) -> Iterator[Hub]:
    """Run a Hub meanwhile, with users `student1`, `student2`, ...

    folder: where it keeps everything. port: the one it takes if that is free. kernels: the variables of a template, from `template`.
    """
    publish_lessons(folder / "course")
    address, own, proxy = (f"http://127.0.0.1:{free_port(wanted)}" for wanted in (port, 0, 0))
    password = secrets.token_hex(8)
    flags = [
        f"--JupyterHub.bind_url={address}",
        f"--JupyterHub.hub_bind_url={own}",
        f"--ConfigurableHTTPProxy.api_url={proxy}",
    ]
    variables = os.environ | settings(folder, students, password) | (kernels or {})
    command = [sys.executable, "-m", "jupyterhub", f"--config={CONFIG}", *flags]
    process = subprocess.Popen(command, cwd=folder, env=variables, start_new_session=True)
    try:
        wait_for(own, process)
        wait_for(address, process)
        yield Hub(address, password, process.pid)
    finally:
        end(process)


def main(students: int = 30) -> None:
    """Serve until Ctrl-C, or until this process is told to end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settle()
    with (
        template() as kernels,
        hub(ROOT / ".hub", students, 8000, kernels) as running,
        suppress(KeyboardInterrupt),
    ):
        print(
            f"The Hub is open (Ctrl-C ends it): {running.address}\n"
            f"Users: student1 to student{students}. Password: {running.password}",
            flush=True,
        )
        os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
