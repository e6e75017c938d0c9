"""Open the course in JupyterLab on lesson 00: python environment/lab.py [flags of jupyter lab].

Run by the Python of the environment that environment/install.py makes.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from pathlib import Path

import nbformat
from jupyterlab.labapp import LabApp
from nbformat.sign import NotebookNotary

from aelib.kernels.provisioner import template

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
FIRST = "/lab/tree/00_start_here.ipynb"
# No news, no update checks, no extension manager: the course asks nothing of the network.
FLAGS = {
    "--ip": "127.0.0.1",
    "--ServerApp.root_dir": str(NOTEBOOKS),
    "--LabApp.default_url": FIRST,
    "--LabApp.news_url": "None",
    "--LabApp.extension_manager": "readonly",
    "--LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    "--log-level": "ERROR",
    "--LabApp.log_level": "ERROR",
}
ROOT_WARNING = (
    "You are root: whoever reaches this JupyterLab may do anything here, so it listens to this machine alone."
)


def command_line(given: list[str], as_root: bool, sees_browser: bool, token: str) -> list[str]:
    """The flags of JupyterLab: the course's, and over them those that were given."""
    named = {flag.partition("=")[0] for flag in given}
    ours = [f"{name}={value}" for name, value in FLAGS.items() if name not in named]
    ours += ["--allow-root"] * as_root + ["--no-browser"] * (not sees_browser)
    return [*dict.fromkeys([*ours, f"--IdentityProvider.token={token}", *given])]


def is_root() -> bool:
    """Whether this is the user whom JupyterLab refuses; never on Windows."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def sees_browser() -> bool:
    """Whether a browser has a screen to open on; a Codespace names its own in BROWSER."""
    return (
        os.name == "nt"
        or sys.platform == "darwin"
        or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")))
    )


def trust(notebooks: list[Path]) -> None:
    """Sign the lessons, so that their saved interactives are shown."""
    notary = NotebookNotary()
    for path in notebooks:
        notary.sign(nbformat.read(path, as_version=4))


def settle() -> None:
    """Give this environment's JupyterLab the course's settings."""
    settings = Path(sys.prefix, "share", "jupyter", "lab", "settings")
    settings.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "publish" / "overrides.json", settings / "overrides.json")


def main(given: list[str]) -> None:
    """Start JupyterLab; its address is the last line on the screen. Returns when it is stopped."""
    with template() as variables:
        os.environ |= variables  # kernels are forked from one that has imported everything
        serve(given)


def serve(given: list[str]) -> None:
    settle()
    trust(sorted(NOTEBOOKS.glob("*.ipynb")))
    if is_root():
        print(ROOT_WARNING, flush=True)
    token = secrets.token_hex(24)
    server = LabApp.initialize_server(command_line(given, is_root(), sees_browser(), token))
    server.web_app.settings["page_config_data"] |= {
        "buildCheck": False,
        "buildAvailable": False,
    }  # Node.js is not asked
    address = lambda: f"{server.connection_url.rstrip('/')}{FIRST}?token={token}"  # noqa: E731 (the port comes late)
    server.io_loop.call_later(
        1, lambda: print(f"The course is open (twice Ctrl-C ends it): {address()}", flush=True)
    )
    server.start()


if __name__ == "__main__":
    main(sys.argv[1:])
