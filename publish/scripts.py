"""Scripts and styles of saved interactives, made small by esbuild. A student's own run carries them as they are written.

Each model of a notebook carries its script and its style, so they are worth making small. esbuild leaves out what an
interactive does not use, and writes what browsers of early 2023 understand. `npm install` brings the version that
package.json names.
"""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

from nbformat import NotebookNode

from publish.lesson import widget_states

ROOT = Path(__file__).resolve().parents[1]
LOADERS = {"_esm": "js", "_css": "css"}
FLAGS = ["--minify", "--tree-shaking=true", "--format=esm", "--charset=utf8", "--log-level=error"]
BROWSERS = "--target=chrome109,firefox109,safari16"
MARKED = re.compile(r"/\* [0-9a-f]{16} \*/\n")
NO_ESBUILD = (
    "esbuild was not found, which makes saved interactives small: run `npm install` in the course's folder."
)


def shrink(notebook: NotebookNode) -> None:
    """Make the scripts and styles of the course's own interactives small, in place."""
    for model in widget_states(notebook).values():
        if model["state"].get("_anywidget_id", "").startswith("aelib."):
            for key, loader in LOADERS.items():
                model["state"][key] = shrunk(model["state"].get(key) or "", loader)


@functools.cache
def shrunk(text: str, loader: str) -> str:
    """What esbuild makes of a text, after a mark of what it was made of; what has a mark stays as it is."""
    if MARKED.match(text):
        return text
    command = [esbuild(), *FLAGS, BROWSERS, f"--loader={loader}"]
    made = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8")
    if made.returncode:
        raise ValueError(f"esbuild cannot read this {loader}: {made.stderr.strip()}")
    return mark(text) + made.stdout


def mark(text: str) -> str:
    """The first line of what is made of this text."""
    return f"/* {hashlib.sha256(text.encode()).hexdigest()[:16]} */\n"


def esbuild() -> str:
    """Path of esbuild: the one of `npm install`, or one of this machine."""
    found = shutil.which("esbuild", path=ROOT / "node_modules" / ".bin") or shutil.which("esbuild")
    if found is None:
        raise SystemExit(NO_ESBUILD)
    return found
