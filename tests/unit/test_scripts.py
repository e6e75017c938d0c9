"""Published scripts: what esbuild leaves of an interactive, and one way of writing for all of them."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from aelib.widgets import base
from publish import scripts
from publish.lesson import lessons, read, widget_states

NAMES = sorted(path.stem for path in base.FOLDER.glob("*.js"))
INTERACTIVES = [name for name in NAMES if name not in base.SHARED]
PRETTIER = shutil.which("prettier", path=scripts.ROOT / "node_modules" / ".bin")
ESBUILD = shutil.which("esbuild", path=scripts.ROOT / "node_modules" / ".bin")
with_esbuild = pytest.mark.skipif(ESBUILD is None, reason="`npm install` has not been run")


@with_esbuild
@pytest.mark.parametrize("name", INTERACTIVES)
def test_a_published_script_is_small_and_one_module(name: str):
    made = scripts.shrunk(base.read_script(name), "js")
    assert len(made) < 24 * 1024 and made.startswith(scripts.mark(base.read_script(name)))
    assert made.count("export{") == 1 and "import" not in made.replace("important", "")
    assert scripts.shrunk(made, "js") == made
    style = scripts.shrunk(base.read_style(name), "css")
    assert len(style) < 16 * 1024 and "@scope" not in style and "/* " not in style[24:]


@with_esbuild
def test_a_script_that_cannot_be_read_is_told():
    with pytest.raises(ValueError, match="esbuild cannot read this js"):
        scripts.shrunk("let let = ;", "js")


@with_esbuild
def test_renewing_brings_the_script_of_today_and_leaves_all_else():
    notebook = read(lessons("00")[0])
    as_it_was = json.dumps(notebook, sort_keys=True)
    own = [model["state"] for model in widget_states(notebook).values() if scripts.sources(model)]
    assert own
    for state in own:
        state["_esm"], state["_css"] = "/* 0123456789abcdef */\nold", "/* 0123456789abcdef */\nold"
    scripts.renew(notebook)
    assert json.dumps(notebook, sort_keys=True) == as_it_was


@pytest.mark.skipif(PRETTIER is None, reason="`npm install` has not been run")
def test_scripts_are_set_in_order():
    files = [str(base.FOLDER / f"{name}.js") for name in NAMES]
    told = subprocess.run([PRETTIER, "--check", *files], capture_output=True, text=True, cwd=scripts.ROOT)
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("name", NAMES)
def test_no_line_is_longer_than_110(name: str):
    lines = (base.FOLDER / f"{name}.js").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > 110] == []


@pytest.mark.parametrize("name", ["base", *INTERACTIVES])
def test_no_interactive_imports_a_sibling(name: str):
    code = (base.FOLDER / f"{name}.py").read_text(encoding="utf-8")
    siblings = {f"aelib.widgets.{other}" for other in INTERACTIVES if other != name}
    assert not [one for one in siblings if f"from {one} import" in code or f"import {one}" in code]
