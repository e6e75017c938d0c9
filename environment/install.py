"""Make .venv and install what the course needs. Runs on the machine's own Python, before anything is installed.

    python environment/install.py          what a lesson needs
    python environment/install.py test     the test tools too
    python environment/install.py hub      a JupyterHub too

uv is used where it is installed, else pip. TORCH=cpu asks for the small build of torch, without CUDA; TORCH=auto, uv's
default, for the build that fits this machine; any other value is handed to uv as it is (cu130, say).
Nothing happens if nothing has changed since the last time. What was interrupted goes on where it stopped.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
FOR_LESSONS = ("requirements.txt", "pyproject.toml", "aelib/labextension/static/keep_interactives.js")
NEEDED = {
    "lab": FOR_LESSONS,
    "test": ("requirements-test.txt", "requirements-hub.txt", *FOR_LESSONS),
    "hub": ("requirements-hub.txt", *FOR_LESSONS),
}
"""What is installed for each purpose: the first file is the list, a change of any of them installs again."""
SIZES = {"cpu": "about 0.3 GB", "cuda": "about 3 GB"}
"""What is downloaded, with the build of torch that comes; without torch about 0.1 GB."""
OLDEST, NEWEST = (3, 11), (3, 14)
"""Pythons for which every pinned package can be had."""
AGAIN = "run the same command again, and it goes on where it stopped."


def main(purpose: str = "lab") -> None:
    """Install for "lab", for "test" or for "hub", or end with a sentence that says why not."""
    if fresh(purpose):
        return
    check_python(sys.version_info[:2])
    if not has_torch() and (problem := no_torch_for(*this_machine())):
        sys.exit(problem)
    make_environment()
    torch = os.environ.get("TORCH", "") or ask_for_torch()
    usable = [command for command in installers(torch) if reaches_packages(command)]
    if not usable:
        sys.exit(
            f"The packages cannot be fetched from here. Is there a network? Connect this machine, then {AGAIN}"
        )
    announce(purpose, torch, usable[0])
    if run([*usable[0], "--requirement", NEEDED[purpose][0]]):
        sys.exit(f"The installation stopped, and the reason stands above: mend it, {AGAIN}")
    check_installed()
    for done in ("lab", purpose):
        stamp(done).touch()


# What is there


def stamp(purpose: str) -> Path:
    """Touched when all is installed."""
    return VENV / f"{purpose}.stamp"


def fresh(purpose: str) -> bool:
    """Whether nothing has changed since the last installation."""
    done = stamp(purpose)
    sources = [ROOT / name for name in NEEDED[purpose]]
    return done.exists() and all(path.stat().st_mtime <= done.stat().st_mtime for path in sources)


def has_torch() -> bool:
    """Whether some torch lies in the environment already; which one, the installer decides."""
    return any(VENV.glob("**/site-packages/torch/version.py"))


def run(command: list) -> int:
    """The command's exit status; what it says is seen as it comes."""
    return subprocess.call([str(word) for word in command], cwd=ROOT)


def succeeds(command: list) -> bool:
    """Whether the command can be run and ends well, without a word."""
    try:
        return not subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True).returncode
    except OSError:
        return False


# What cannot work


def check_python(version: tuple[int, int]) -> None:
    """Refuse a Python for which the pinned packages cannot be had."""
    if OLDEST <= version <= NEWEST:
        return
    names = [".".join(map(str, one)) for one in (version, OLDEST, NEWEST)]
    sys.exit(
        f"This is Python {names[0]}, and the course needs {names[1]} to {names[2]}: "
        f"make PYTHON=/path/to/python{names[1]} lab names another one."
    )


def this_machine() -> tuple[str, str, str]:
    """The kind of machine this Python was built for, the release of macOS, and the C library's name."""
    return sysconfig.get_platform(), platform.mac_ver()[0], platform.libc_ver()[0]


def no_torch_for(kind: str, macos: str, libc: str) -> str:
    """One sentence if the pinned torch cannot be had for such a machine, else nothing.

    kind: as sysconfig.get_platform() has it, "macosx-11.0-arm64" say. macos: "13.6". libc: "glibc" on most Linuxes.
    """
    pin = re.search(r"^torch==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)[
        1
    ]
    online = "open the course on a hosted machine, or read its pages; README.md, “Places”, says how"
    system, _, processor = kind.partition("-")
    if system == "macosx" and platform.machine() == "x86_64":
        return f"There is no torch {pin} for a Mac with an Intel processor: {online}."
    if system == "macosx" and int(macos.partition(".")[0]) < 14:
        return f"torch {pin} needs macOS 14, and this is {macos}: update macOS, or {online}."
    if kind == "win-arm64":
        return f"There is no torch {pin} for Windows on ARM: install Python for x86-64, which runs there too, or {online}."
    if system in ("win32", "win") and processor != "amd64":
        return f"There is no torch {pin} for a Python of 32 bits: install the one of 64 bits."
    if system == "linux" and libc != "glibc":
        return f"There is no torch {pin} for a Linux without the GNU C library (Alpine, say): {online}."
    return ""


# The environment


def make_environment() -> None:
    """.venv with a pip that runs, whatever an earlier attempt has left there."""
    if succeeds([PYTHON, "-m", "pip", "--version"]) or succeeds([PYTHON, "-m", "ensurepip"]):
        return
    print("Making .venv, the course's own Python environment.", flush=True)
    ways = ([sys.executable, "-m", "venv", "--clear", VENV], ["uv", "venv", "--clear", "--seed", VENV])
    if not any(succeeds(way) for way in ways):
        sys.exit(
            "Python could not make an environment; on Debian and Ubuntu: sudo apt-get install python3-venv"
        )


def ask_for_torch() -> str:
    """On Linux pip brings CUDA with torch; ask for the small build where somebody can answer."""
    if platform.system() != "Linux" or has_torch() or shutil.which("uv") or not sys.stdin.isatty():
        return ""
    print(
        f"The course needs no graphics card. torch without CUDA: {SIZES['cpu']}; with CUDA: {SIZES['cuda']}."
    )
    return "" if input("Install it without CUDA? [Y/n] ").strip().lower().startswith("n") else "cpu"


def installers(torch: str) -> list[list]:
    """The commands to install with, the best first: uv picks the build of torch, pip takes what the index has."""
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    own = shutil.which("uv")
    if torch and not own and succeeds([*pip, "--quiet", "uv"]):
        own = PYTHON.with_name("uv")
    uv = [own, "pip", "install", "--python", PYTHON, "--torch-backend", torch or "auto"]
    return ([uv] if own else []) + [pip]


def reaches_packages(installer: list) -> bool:
    """Whether the installer finds a package in its index, asked without installing it."""
    if installer[0] == PYTHON:
        return succeeds(
            [*installer, "--dry-run", "--no-deps", "--ignore-installed", "--retries", "1", "hatchling"]
        )
    return succeeds([*installer, "--dry-run", "--no-deps", "--reinstall", "torch"])


def announce(purpose: str, torch: str, installer: list) -> None:
    """What is installed, and how large it is."""
    large = platform.system() == "Linux" and not torch and installer[0] == PYTHON
    size = "about 0.1 GB" if has_torch() else SIZES["cuda" if large else "cpu"]
    what = {"lab": "what the lessons need", "test": "what the lessons and the tests need"}
    what["hub"] = "what the lessons and a JupyterHub need"
    print(
        f"Installing {what[purpose]} into .venv, {size} to download. This happens once, and takes minutes.",
        flush=True,
    )
    if torch and installer[0] == PYTHON:
        print(f"torch as TORCH={torch} asks cannot be had from here: pip takes the build that its index has.")
    elif large and not has_torch():
        print(
            "Most of it is CUDA, which the course does not use: stop, and make lab TORCH=cpu leaves it out."
        )


def check_installed() -> None:
    """Refuse an environment in which a lesson could not start."""
    parts = "import aelib, torch, jupyterlab, anywidget, matplotlib"
    tried = subprocess.run([str(PYTHON), "-c", parts], cwd=ROOT, capture_output=True, text=True)
    if tried.returncode:
        sys.exit(f"All is installed, and does not start: {tried.stderr.strip().splitlines()[-1]}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(f"\nInterrupted: {AGAIN}")
