"""Scripts and styles of saved interactives, made small by esbuild. A student's own run carries them as they are written.

Each model of a notebook carries its script and its style, so they are worth making small. esbuild leaves out what a
script does not use, and writes what browsers of early 2023 understand; `used` leaves out the rules of a style that are
for others. `npm install` brings the version of esbuild that package.json names.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import re
import shutil
import subprocess
from pathlib import Path

import tinycss2
from nbformat import NotebookNode

from publish.lesson import widget_states

ROOT = Path(__file__).resolve().parents[1]
LOADERS = {"_esm": "js", "_css": "css"}
FLAGS = ["--minify", "--tree-shaking=true", "--format=esm", "--charset=utf8", "--log-level=error"]
BROWSERS = "--target=chrome109,firefox109,safari16"
GROUPS = ("media", "container", "supports")
CLASS = re.compile(r"\.ae-(?!in-)([\w-]+)")
"""A class that a script gives to something; ``ae-in-pad`` is given by the frame."""
MADE = re.compile(r"ae-([\w-]*)\$\{")
LISTS = re.compile(r":(?:not|is|where|has)\([^)]*\)")
"""What such a list names need not be there for a rule to apply."""
MARKED = re.compile(r"/\* [0-9a-f]{16} \*/\n")
NO_ESBUILD = (
    "esbuild was not found, which makes saved interactives small: run `npm install` in the course's folder."
)


def shrink(notebook: NotebookNode) -> None:
    """Make the scripts and styles of the course's own interactives small, in place."""
    for model in widget_states(notebook).values():
        if model["state"].get("_anywidget_id", "").startswith("aelib."):
            script, style = (shrunk(model["state"].get(key) or "", loader) for key, loader in LOADERS.items())
            model["state"] |= {"_esm": script, "_css": used(style, script)}


def sources(model: dict) -> dict[str, str]:
    """The present script and style, by trait, of a saved interactive of the course; of any other model nothing."""
    module, _, name = model["state"].get("_anywidget_id", "").rpartition(".")
    if not module.startswith("aelib."):
        return {}
    widget = getattr(importlib.import_module(module), name)
    values = {key: getattr(widget, key) for key in LOADERS}
    return {key: str(getattr(value, "default_value", value)) for key, value in values.items()}


def renew(notebook: NotebookNode) -> None:
    """Give the saved interactives of the course the scripts and styles of today, in place; nothing is run."""
    for model in widget_states(notebook).values():
        model["state"] |= sources(model)
    shrink(notebook)


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


@functools.cache
def used(style: str, script: str) -> str:
    """The rules of a style that a script has a use for: those whose classes it can give to something."""
    first, line, rest = style.partition("\n")
    return first + line + _used(tinycss2.parse_stylesheet(rest), script)


def _used(rules: list, script: str) -> str:
    kept = []
    for rule in rules:
        words = tinycss2.serialize(getattr(rule, "prelude", None) or [])
        if rule.type == "qualified-rule" and not _has_use(words, script):
            continue
        if rule.type == "at-rule" and rule.at_keyword in GROUPS:
            inner = _used(tinycss2.parse_rule_list(rule.content), script)
            kept.append(f"@{rule.at_keyword}{words}{{{inner}}}" if inner else "")
        else:
            kept.append(rule.serialize())
    return "".join(kept)


def _has_use(selectors: str, script: str) -> bool:
    """Whether one of the selectors has only classes that the script gives to something."""
    alternatives = [selectors] if "(" in selectors else selectors.split(",")
    return any(
        all(_gives(script, name) for name in CLASS.findall(LISTS.sub("", one))) for one in alternatives
    )


def _gives(script: str, name: str) -> bool:
    """Whether a script names the class ``ae-name``, or makes it, as in ``ae-tone-${word}``."""
    made = set(MADE.findall(script))
    return (
        f"ae-{name}" in script
        or any(begin and name.startswith(begin) for begin in made)
        or ("" in made and name in script)
    )


def mark(text: str) -> str:
    """The first line of what is made of this text."""
    return f"/* {hashlib.sha256(text.encode()).hexdigest()[:16]} */\n"


def esbuild() -> str:
    """Path of esbuild: the one of `npm install`, or one of this machine."""
    found = shutil.which("esbuild", path=ROOT / "node_modules" / ".bin") or shutil.which("esbuild")
    if found is None:
        raise SystemExit(NO_ESBUILD)
    return found
