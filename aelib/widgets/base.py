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


def read_script(name: str, folder: Path = FOLDER) -> str:
    """base.js followed by `name`.js without its import of base.js: one module that imports nothing."""
    own = (folder / f"{name}.js").read_text(encoding="utf-8")
    return f"{(FOLDER / 'base.js').read_text(encoding='utf-8')}\n{BASE_IMPORT.sub('', own)}"


def read_style(name: str, folder: Path = FOLDER) -> str:
    """base.css, followed by `name`.css where there is one."""
    own = folder / f"{name}.css"
    extra = own.read_text(encoding="utf-8") if own.exists() else ""
    return (FOLDER / "base.css").read_text(encoding="utf-8") + extra


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
    """A figure as a small base64 PNG, and the size in CSS pixels to show it at (100 to the inch)."""
    from aelib.plots import png

    width, height = (round(100 * side) for side in figure.get_size_inches())
    return base64.b64encode(png(figure)).decode("ascii"), {"width": width, "height": height}
