#!/usr/bin/env bash
# nbclient: a widget's binary value that was replaced during execution comes back when the saved notebook is shown.
#
# Versions: nbclient 0.11.0, ipywidgets 8.1.9, ipykernel 6.31.0, nbformat 5.11.1. Date: 2026-11-29.
# Expected: the widget state that an executed notebook carries is the state at its end, as the kernel reports it.
# Happens: binary values are kept apart from the state, in a list of buffers with their paths. An update replaces a
#   buffer of the same path and removes none. If a picture is cleared, a named array dropped, or a list of arrays
#   becomes shorter, the state says so, yet the old bytes stay in the list. Whoever loads the state puts each buffer
#   at its path, as the protocol says, so the old value is written over the new one.
# Output seen:
#   the kernel at the end:  picture None, layers ['first'], first b'new'
#   the saved notebook:     picture b'old picture', layers ['first', 'second'], first b'new'
# Who meets it: a lesson with widgets that is executed and published as a page. A picture that the last cell cleared,
#   or a curve that it removed, is there again for every reader, and in no live session.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --no-compile --disable-pip-version-check \
  nbclient==0.11.0 nbformat==5.11.1 ipywidgets==8.1.9 ipykernel==6.31.0 2>/dev/null
export JUPYTER_DATA_DIR="$folder/data" IPYTHONDIR="$folder/ipython"

PATH="$folder/env/bin:$PATH" "$folder/env/bin/python" - <<'PYTHON' 2>/dev/null
import sys
from base64 import b64decode

from ipywidgets.widgets.widget import _put_buffers
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

MAKE = """
import traitlets
from ipywidgets import DOMWidget

class Board(DOMWidget):
    picture = traitlets.Any().tag(sync=True)
    layers = traitlets.Dict().tag(sync=True)

board = Board(picture=b"old picture", layers={"first": b"old", "second": b"old"})
"""
CHANGE = 'board.picture = None\nboard.layers = {"first": b"new"}'
REPORT = 'print(f"picture {board.picture}, layers {list(board.layers)}, first {board.layers[\'first\']}")'

notebook = new_notebook(cells=[new_code_cell(source) for source in (MAKE, CHANGE, REPORT)])
NotebookClient(notebook, kernel_name="python3").execute()
kernel = notebook.cells[-1].outputs[0].text.strip()

models = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
(board,) = [model for model in models if "layers" in model["state"]]
state, buffers = board["state"], board["buffers"]
_put_buffers(state, [buffer["path"] for buffer in buffers], [b64decode(buffer["data"]) for buffer in buffers])
saved = f"picture {state['picture']}, layers {list(state['layers'])}, first {state['layers']['first']}"

print("the kernel at the end: ", kernel)
print("the saved notebook:    ", saved)
described = "picture b'old picture', layers ['first', 'second'], first b'new'"
sys.exit(0 if kernel == "picture None, layers ['first'], first b'new'" and saved == described else 1)
PYTHON
