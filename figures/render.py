"""Save the course's drawings, the same bytes every time.

    python figures/render.py                    every figures/make_<name>.py to figures/<name>.svg
    python figures/render.py map --out /tmp     only figures/make_map.py, elsewhere

Each make_<name>.py has a docstring that says what its picture shows (its first paragraph becomes the title, which
screen readers read out) and a function draw() that returns a matplotlib Figure.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from types import ModuleType

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot as plt

from aelib.plots import png

FOLDER = Path(__file__).resolve().parent


def makers(only: str = "") -> dict[str, Path]:
    """Name of each drawing and the file that makes it."""
    found = {path.stem.removeprefix("make_"): path for path in sorted(FOLDER.glob("make_*.py"))}
    return {name: path for name, path in found.items() if only in ("", name)}


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def render(name: str, out: Path = FOLDER) -> Path:
    """Draw figures/make_<name>.py and save it as <out>/<name>.svg; no date, no random ids, default style.

    Beside it goes <name>.png, for what cannot show an SVG: a PDF made of a lesson, say.
    """
    module = load(makers(name)[name])
    with plt.style.context("default"), plt.rc_context({"svg.hashsalt": name}):
        figure = module.draw()
        title = " ".join((module.__doc__ or name).split("\n\n")[0].split())
        figure.savefig(out / f"{name}.svg", metadata={"Date": None, "Creator": None, "Title": title})
        (out / f"{name}.png").write_bytes(png(figure))
    plt.close(figure)
    return out / f"{name}.svg"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("only", nargs="?", default="", help="name of one drawing")
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    names = makers(options.only)
    if options.only and not names:
        parser.error(f"there is no figures/make_{options.only}.py")
    for name in names:
        path = render(name, options.out)
        print(f"{path}   {path.stat().st_size / 2**10:.0f} KiB")


if __name__ == "__main__":
    main()
