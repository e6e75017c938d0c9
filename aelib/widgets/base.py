"""What every interactive shares: its script, its style, its picture for pages without JavaScript, its bytes.

An interactive computes in the browser: its frames, curves or weights travel once, and JavaScript paints what
the reader drags, with or without a kernel.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import anywidget
import numpy as np
import traitlets
from ipywidgets.widgets.trait_types import bytes_serialization

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent
BASE_IMPORT = re.compile(r'^import \{[^}]*\} from "\./base\.js";\n', re.MULTILINE)
PICTURE_DPI = 125
DECLARATION = re.compile(r"^(?:export )?(?:async )?(?:const|let|function) (?P<name>[\w$]+)", re.MULTILINE)


def read_script(name: str, folder: Path = FOLDER) -> str:
    """What `name`.js uses of base.js, then `name`.js itself: one module that imports nothing, without comments.

    It is saved with every notebook that shows the interactive, so it carries nothing that it does not need.
    """
    own = BASE_IMPORT.sub("", (folder / f"{name}.js").read_text(encoding="utf-8"))
    pieces = _declarations((FOLDER / "base.js").read_text(encoding="utf-8"))
    needed = _needed(own, pieces)
    joined = "\n".join([piece for known, piece in pieces.items() if known in needed] + [own])
    return compact(joined.replace('WIDGET = ""', f'WIDGET = "{name}"'))


def _declarations(script: str) -> dict[str, str]:
    """The top-level declarations of a script, in order, by name."""
    starts = list(DECLARATION.finditer(script))
    ends = [start.start() for start in starts[1:]] + [len(script)]
    return {start["name"]: script[start.start() : end] for start, end in zip(starts, ends, strict=True)}


def _needed(text: str, pieces: dict[str, str]) -> set[str]:
    """Names of the pieces that the text uses, and of those that they use in turn."""
    used = {name for name in re.findall(r"[A-Za-z_$][\w$]*", text) if name in pieces}
    while (
        more := {name for piece in used for name in re.findall(r"[A-Za-z_$][\w$]*", pieces[piece])}
        & pieces.keys() - used
    ):
        used |= more
    return used


def compact(text: str) -> str:
    """JavaScript or CSS without indentation, blank lines and comments that have lines of their own."""
    text = re.sub(r"^\s*/\*(?:(?!\*/).)*\*/\s*$", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def read_style(name: str, folder: Path = FOLDER) -> str:
    """The rules of base.css whose classes the script uses, then `name`.css, if there is one, for this widget alone."""
    own = folder / f"{name}.css"
    extra = own.read_text(encoding="utf-8") if own.exists() else ""
    script = read_script(name, folder) + extra
    rules = _rules(compact((FOLDER / "base.css").read_text(encoding="utf-8")))
    scoped = f"@scope (.ae-in-{name}) {{\n{compact(extra)}\n}}" if extra else ""
    return "\n".join([rule for rule in rules if _styles(rule, script)] + [scoped])


def _rules(style: str) -> list[str]:
    """The top-level rules of a style sheet: what stands up to each closing brace of the outermost level."""
    rules, start, depth = [], 0, 0
    for brace in re.finditer(r"[{}]", style):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            rules.append(style[start : brace.end()].strip())
            start = brace.end()
    return rules


def _styles(rule: str, script: str) -> bool:
    """Whether one of the rule's selectors names no class that the script lacks (`ae-tone-${tone}` names many)."""
    made = tuple(f"ae-{part}-" for part in re.findall(r"ae-([\w-]+)-\$\{", script))
    selectors = re.split(r"[{},]", rule)[:-1] if rule.startswith("@") else rule.partition("{")[0].split(",")
    classes = (re.findall(r"\.(ae-[\w-]+)", selector) for selector in selectors if ".ae" in selector)
    return any(all(name in script or name.startswith(made) for name in names) for names in classes)


def synced_bytes() -> traitlets.Bytes:
    """A Bytes trait that travels as a buffer, from Python to JavaScript and back."""
    return traitlets.Bytes().tag(sync=True, **bytes_serialization)


def as_uint8(values: np.ndarray) -> bytes:
    """Values in [0, 1] as one byte each, 0...255; what lies outside is clipped."""
    return np.rint(np.clip(np.asarray(values), 0, 1) * 255).astype(np.uint8).tobytes()


def as_float16(arrays: Iterable[np.ndarray]) -> bytes:
    """The arrays one after the other, two bytes a number, little-endian."""
    return b"".join(np.ascontiguousarray(array, dtype="<f2").tobytes() for array in arrays)


def as_float64(values: np.ndarray) -> bytes:
    """Eight bytes a number, little-endian: what JavaScript reads is exactly what Python had."""
    return np.ascontiguousarray(values, dtype="<f8").tobytes()


class Interactive(anywidget.AnyWidget):
    """A figure that answers while it is dragged; the base of every interactive of the course.

    A subclass names its script, `class Pad(Interactive, script="pad")`, which reads `pad.js` (and `pad.css`
    where there is one) beside this file, or in `folder` if one is given, and defines `picture()`.
    """

    description = traitlets.Unicode("", help="one sentence: what the picture shows (alt text)").tag(sync=True)

    def __init_subclass__(cls, script: str | None = None, folder: Path = FOLDER, **kwargs: object) -> None:
        if script is not None:
            cls._esm, cls._css = read_script(script, folder), read_style(script, folder)
        super().__init_subclass__(**kwargs)

    def picture(self) -> Figure:
        """The interactive in its present state as a still picture, for pages that run no JavaScript."""
        raise NotImplementedError(f"{type(self).__name__} must define picture().")

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        still, size = encode_picture(self.picture())
        data = {**data, "image/png": still, "text/plain": self.description}
        return data, {**metadata, "image/png": {**size, "alt": self.description}}


def encode_picture(figure: Figure) -> tuple[str, dict[str, int]]:
    """A figure as base64 PNG and the size in CSS pixels to show it at, somewhat smaller than its own."""
    from aelib.plots import png

    width, height = (round(side * 100) for side in figure.get_size_inches())
    image = png(figure, dpi=PICTURE_DPI)
    return base64.b64encode(image).decode("ascii"), {"width": width, "height": height}
