"""Build an edition into dist/, and open each part: the archive, the wheel, the pages with the lectures.

    make release

The archive is the whole course, ready to unpack and for pip; the wheel is aelib with its drawings, data and extension.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
from hatchling import build

import aelib
from publish import pages, slides
from publish.edition import up_to_date
from publish.lesson import ROOT

DIST = ROOT / "dist"
USE = """
from aelib import plots, data
for drawing in plots.FIGURES.glob("*.svg"):
    plots.drawing(drawing.stem, alt="seen")
data.published_mnist()
import aelib.widgets.choice
print(aelib.__file__)
"""


def main() -> None:
    check_edition()
    DIST.mkdir(exist_ok=True)
    archive, wheel = (DIST / made(str(DIST)) for made in (build.build_sdist, build.build_wheel))
    site = write_pages(DIST / f"pages-{aelib.__version__}")
    for check, built in ((check_archive, archive), (check_wheel, wheel), (check_pages, site)):
        check(built)
        print(f"{built.stat().st_size / 2**20:6.1f} MiB  {built.relative_to(ROOT)}")
    print(f"Each opens. Now: git tag v{aelib.__version__}, push it, and attach these files to the release.")


def check_edition() -> None:
    """Refuse to build what does not name its own edition everywhere."""
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## {re.escape(aelib.__version__)}$", changes, re.MULTILINE):
        sys.exit(f"CHANGELOG.md says nothing of edition {aelib.__version__}.")
    stale = [path.name for path, text in up_to_date().items() if path.read_text(encoding="utf-8") != text]
    if stale:
        sys.exit(f"Another edition is named in {', '.join(stale)}: run `make edition`.")


def write_pages(name: Path) -> Path:
    """Pages and lectures as one zip, which opens from any folder."""
    with tempfile.TemporaryDirectory() as folder:
        slides.write(Path(folder) / "slides")
        pages.write(Path(folder))
        return Path(shutil.make_archive(str(name), "zip", folder))


# What is built opens


def check_archive(archive: Path) -> None:
    """It unpacks, and holds every lesson whole, the installer and the Makefile."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        [course] = Path(folder).iterdir()
        lessons = sorted((course / "notebooks").glob("*.ipynb"))
        for path in lessons:
            nbformat.validate(nbformat.read(path, as_version=4))
        wanted = len(list((ROOT / "notebooks").glob("*.ipynb")))
        if len(lessons) != wanted or not {"Makefile", "environment"} <= {
            one.name for one in course.iterdir()
        }:
            sys.exit(f"{archive.name} is not the whole course: it has {len(lessons)} of {wanted} lessons.")


def check_wheel(wheel: Path) -> None:
    """Installed elsewhere, it draws its drawings, reads its data and loads its interactives."""
    with tempfile.TemporaryDirectory() as folder:
        quiet = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", "--target", folder]
        subprocess.run([sys.executable, "-m", "pip", "install", *quiet, wheel], check=True)
        code = f"import sys; sys.path.insert(0, {folder!r})\n{USE}"
        used = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
        if used.returncode or not used.stdout.startswith(folder):
            sys.exit(f"{wheel.name} cannot be used: {(used.stderr or used.stdout).strip().splitlines()[-1]}")


def check_pages(packed: Path) -> None:
    """Each page is whole, and whatever it links to in the same folder is there."""
    with zipfile.ZipFile(packed) as site:
        names = {name for name in site.namelist() if not name.endswith("/")}
        for name in sorted(name for name in names if name.endswith(".html")):
            text = site.read(name).decode("utf-8")
            missing = [link for link in local_links(name, text) if link not in names]
            if missing or "</html>" not in text[-200:]:
                sys.exit(
                    f"{packed.name}: {name} is not whole{', it lacks ' + missing[0] if missing else ''}."
                )
        if "index.html" not in names:
            sys.exit(f"{packed.name} has no contents page.")


def local_links(name: str, text: str) -> list[str]:
    """The files beside it that a page names in its links and scripts; what code and prose show is no link."""
    markup = re.sub(r"<(script|style|pre)\b.*?</\1>", "", text, flags=re.DOTALL)
    found = re.findall(r'<(?:a|link|img)\b[^>]*?\b(?:href|src)="([^"#?]+)', markup)
    paths = [unquote(link) for link in found if not urlsplit(link).scheme]
    return [(Path(name).parent / path).as_posix() for path in paths if not path.startswith("..")]


if __name__ == "__main__":
    main()
