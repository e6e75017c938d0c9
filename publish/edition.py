"""One edition everywhere: `make edition` writes aelib's version and the course's address where readers meet them.

The version stands in aelib/__init__.py, the address in CITATION.cff. They are written into the first cell of each
lesson, which fetches the package where only the notebook was opened, into the README's links, and into the files that
bear a version of their own. A test says what is out of date.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import quote

import aelib
from publish.lesson import ROOT, lessons

CELL = "course"
"""The id of the cell that `first_cell` writes; it stands before all other code."""
LINKS = re.compile(r"(?<=<!-- links -->\n).*?(?=<!-- /links -->)", re.DOTALL)


def address() -> str:
    """Where the course is published, without a slash at the end."""
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    return re.search(r'^repository-code: "([^"]+?)/?"$', cited, re.MULTILINE)[1]


def site_address() -> str:
    """Where its pages are published, without a slash at the end: as GitHub Pages has it for that repository."""
    owner, name = address().split("/")[-2:]
    return f"https://{owner.lower()}.github.io/{name}"


def archive() -> str:
    """The address of this edition as one file, which pip installs."""
    return f"{address()}/archive/refs/tags/v{aelib.__version__}.tar.gz"


def first_cell() -> str:
    """What a lesson runs first: import aelib, or fetch it where there is only the notebook, as on Colab."""
    return f"""\
try:
    import aelib  # first, so that the machine's threads are settled before torch loads
except ModuleNotFoundError:  # only this notebook is here, as on Colab
    %pip install --quiet {archive()}
    import aelib
    print("Installed aelib, the course's package; torch and numpy stay as they were, if new enough.")
aelib.check_edition("{aelib.__version__}")"""


def links() -> str:
    """The README's line of links: a lesson on Colab, the course on Binder and in a Codespace."""
    place = re.sub(r"^https://github\.com/", "", address())
    tag, first = f"v{aelib.__version__}", "notebooks/00_start_here.ipynb"
    binder = f"https://mybinder.org/v2/gh/{place}/{tag}?urlpath=lab/tree/{first}"
    colab = f"https://colab.research.google.com/github/{place}/blob/{tag}/{first}"
    codespace = f"https://codespaces.new/{place}"
    return f"[Open on Binder]({binder}) · [Open lesson 00 on Colab]({colab}) · [Open in a Codespace]({codespace})\n"


def with_first_cell(notebook: dict) -> dict:
    """The notebook, as JSON, with its first cell of code as it is to be."""
    cells = notebook["cells"]
    own = next((cell for cell in cells if cell["id"] == CELL), None)
    if own is None:
        own = {"cell_type": "code", "execution_count": None, "id": CELL, "metadata": {}, "outputs": []}
        cells.insert(next(i for i, cell in enumerate(cells) if cell["cell_type"] == "code"), own)
    own["source"] = first_cell().splitlines(keepends=True)
    return notebook


def up_to_date() -> dict[Path, str]:
    """Each file that names the edition, and what it should say."""
    version = aelib.__version__
    cited, readme = ROOT / "CITATION.cff", ROOT / "README.md"
    extension = ROOT / "aelib" / "labextension" / "package.json"
    littlest, values, guide = (
        ROOT / "hub" / name for name in ("tljh/aelib_course.py", "kubernetes/values.yaml", "README.md")
    )
    fixed = (cited, readme, extension, littlest, values, guide)
    texts = {path: path.read_text(encoding="utf-8") for path in (*fixed, *lessons())}
    texts[cited] = re.sub(r"^version: .*$", f"version: {version}", texts[cited], flags=re.MULTILINE)
    texts[readme] = LINKS.sub(lambda _: links(), texts[readme])
    texts[extension] = re.sub(r'"version": "[^"]*"', f'"version": "{version}"', texts[extension])
    texts[littlest] = re.sub(r"(?<=^REPOSITORY = ).*$", f'"{address()}"', texts[littlest], flags=re.MULTILINE)
    texts[values] = re.sub(r"(?<=AELIB_COURSE: ).*", address(), texts[values])
    texts[values] = re.sub(r'(?<=tag: ")[^"]*', version, texts[values])
    texts[guide] = re.sub(r"(?<=git clone )\S+", address(), texts[guide])
    texts[guide] = re.sub(r"(?<=git-pull\?repo=)[^&]*", quote(address(), safe=""), texts[guide])
    texts[guide] = re.sub(r"(?<=YOUR_REGISTRY/autoencoders:)\S+", version, texts[guide])
    for path in lessons():
        notebook = with_first_cell(json.loads(texts[path]))
        texts[path] = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    return texts


def main() -> None:
    for path, text in up_to_date().items():
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
