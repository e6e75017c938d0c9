"""What every interactive shares: its script, its style, its named arrays, its words.

An interactive computes in the browser: its frames, curves or weights travel once, as named arrays, and JavaScript
paints what the reader drags, with or without a kernel.

How an interactive is made (`bend_slider` is a short example):

1. Python.  `class Pad(Interactive, script="pad", title="Walk over the codes")`, its state as synced traits, and
   `shapes = {"frames": ("ks", "shown", "rows", "columns")}`: what each array's axes are called. A name stands for one
   length wherever it appears; the name of a list trait stands for the length of that list; a number for itself.
   Give the arrays as `Pad(ks=ks, arrays={"frames": levels(frames, bits=8)})`. `levels` are numbers in [0, 1],
   `counts` are whole numbers from 0, `whole` may be negative, `numbers` are floats. `self.array("frames")` reads one.
   The saved picture is photographed from the interactive when a lesson is published (`publish.photograph`).
2. JavaScript.  `pad.js` begins with one import from "./base.js" and says
   `export default interactive({ traits: ["latent_dim"], lead: "…" }, (me) => { …; return (state) => ({ … }); });`
   The function makes the parts once and returns `draw(state)`, which gives the figures that are shown (they become
   data attributes). `me` has: data (`data.frames.at(k, n)`), state(), set({ … }), body, say(sentence), keep(part).
   Whatever has `dispose` goes through `keep`. Python joins base.js and pad.js into one module; a second import may
   name another file of `SHARED`, such as "./learning.js".
3. Style.  `pad.css` is for this interactive alone: each selector is prefixed by `.ae-in-pad`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import anywidget
import numpy as np
import traitlets
from ipywidgets.widgets.trait_types import bytes_serialization

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

FOLDER = Path(__file__).parent
SHARED = ("base", "learning")
"""Scripts that are no interactive: others import them."""
IMPORT, EXPORT = re.compile(r'import \{[^}]*\} from "\./(\w+)\.js";\n'), "\nexport default "
NESTED = ("@container", "@media", "@supports")
IN_USE = 0.1
"""Nats: a latent with a larger KL counts as used."""


# ---- scripts and styles ------------------------------------------------------------------------------------


def read_script(name: str, folder: Path = FOLDER) -> str:
    """base.js and `name`.js as one module that imports nothing.

    `name`.js begins with one import from "./base.js", after which others of `SHARED` may be imported. In its place
    stands base.js itself; the others and what follows stand in a function, so that their names and those of base.js
    cannot meet.
    """
    own, imported = (folder / f"{name}.js").read_text(encoding="utf-8"), []
    while found := IMPORT.match(own):
        imported.append(found[1])
        own = own[found.end() :]
    if imported[:1] != ["base"] or not set(imported) <= set(SHARED) or own.count(EXPORT) != 1:
        raise ValueError(
            f'{name}.js should begin with one import {{ … }} from "./base.js"; and export one default.'
        )
    base, *others = (_without_exports(FOLDER / f"{each}.js") for each in imported)
    inside = "".join([*others, own.replace(EXPORT, "\nwidget.made = ")])
    return f'const WIDGET = "{name}";\n{base}\nconst widget = {{}};\n(() => {{\n{inside}}})();\nexport default widget.made;\n'


def _without_exports(script: Path) -> str:
    return script.read_text(encoding="utf-8").replace("\nexport ", "\n")


def read_style(name: str, folder: Path = FOLDER) -> str:
    """base.css, then `name`.css, if there is one, for this interactive alone."""
    shared, own = FOLDER / "base.css", folder / f"{name}.css"
    extra = prefixed(own.read_text(encoding="utf-8"), f".ae-in-{name}") if own.exists() else ""
    return shared.read_text(encoding="utf-8") + extra


def prefixed(style: str, prefix: str) -> str:
    """The style sheet with `prefix` before each selector, also inside @container, @media and @supports."""
    rules = []
    for selector, body in _rules(re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)):
        if selector.startswith(NESTED):
            body = prefixed(body, prefix)
        elif not selector.startswith("@"):
            selector = ", ".join(f"{prefix} {one.strip()}" for one in _split_selectors(selector))
        rules.append(f"{selector} {{{body}}}\n")
    return "".join(rules)


def _rules(style: str) -> Iterable[tuple[str, str]]:
    """The outermost rules: what stands before each pair of braces and what stands within."""
    start, opened, depth = 0, 0, 0
    for brace in re.finditer(r"[{}]", style):
        depth += 1 if brace[0] == "{" else -1
        if brace[0] == "{" and depth == 1:
            opened = brace.end()
        elif depth == 0:
            yield style[start : opened - 1].strip(), style[opened : brace.start()]
            start = brace.end()


def _split_selectors(selector: str) -> list[str]:
    """At the commas that stand in no parentheses."""
    return re.split(r",(?![^(]*\))", selector)


# ---- named arrays ------------------------------------------------------------------------------------------


class Array(NamedTuple):
    """An array on its way to the browser. kind: "bits", unsigned whole numbers, values * top where there is a top; "int"; "float"."""

    values: np.ndarray
    kind: str
    bits: int
    top: int | None = None


def levels(values: ArrayLike, bits: int = 8, top: int | None = None) -> Array:
    """Numbers in [0, 1] in steps of 1 / top (default 2**bits - 1), `bits` (1 to 16) bits each; clipped and rounded."""
    return Array(np.asarray(values), "bits", bits, top or 2**bits - 1)


def counts(values: ArrayLike, bits: int = 8) -> Array:
    """Whole numbers 0 ... 2**bits - 1, `bits` (1 to 16) bits each."""
    return Array(np.asarray(values), "bits", bits)


def whole(values: ArrayLike, bits: int = 16) -> Array:
    """Whole numbers of either sign, of 8, 16 or 32 bits."""
    return Array(np.asarray(values), "int", bits)


def numbers(values: ArrayLike, bits: int = 64) -> Array:
    """Finite floats of 64, 32 or 16 bits; with 64 JavaScript reads exactly what Python had."""
    return Array(np.asarray(values), "float", bits)


def pack(array: Array) -> dict[str, object]:
    """What travels: shape, kind, bits, top and the bytes. ValueError says what the array's values lack."""
    values, kind, bits, top = array
    if not np.issubdtype(values.dtype, np.number) and values.dtype != bool:
        raise ValueError(f"should hold numbers, but its type is {values.dtype}")
    if not np.isfinite(values).all():
        raise ValueError("should hold finite numbers only, but holds NaN or an infinity")
    coded = _to_bits(values, bits, top) if kind == "bits" else _to_type(values, kind, bits)
    return {"shape": list(values.shape), "kind": kind, "bits": bits, "top": top or 1, "data": coded}


def _to_bits(values: np.ndarray, bits: int, top: int | None) -> bytes:
    raw = values if top is None else np.rint(np.clip(values, 0, 1) * top)
    if ((raw < 0) | (raw >= 2**bits) | (raw != np.rint(raw))).any():
        raise ValueError(f"should hold whole numbers from 0 to {2**bits - 1}, but holds others")
    places = np.arange(bits - 1, -1, -1)
    return np.packbits((raw.reshape(-1, 1).astype(np.uint32) >> places) & 1).tobytes()


def _to_type(values: np.ndarray, kind: str, bits: int) -> bytes:
    dtype = np.dtype(f"<{kind[0]}{bits // 8}")
    most = np.finfo(dtype).max if kind == "float" else np.iinfo(dtype).max
    if np.abs(values).max(initial=0) > most or (kind == "int" and (values != np.rint(values)).any()):
        raise ValueError(f"should hold numbers that fit in a {bits}-bit {kind}, but holds others")
    return values.astype(dtype).tobytes()


def unpack(packed: Mapping[str, object]) -> np.ndarray:
    """The numbers of `pack`, in its shape, as float64 where they are no whole numbers."""
    kind, bits, top, data = (packed[key] for key in ("kind", "bits", "top", "data"))
    count = int(np.prod(packed["shape"]))
    if len(data) != -(-count * bits // 8):
        raise ValueError(f"has {len(data)} bytes, which do not fit its shape {tuple(packed['shape'])}")
    if kind == "bits":
        raw = np.unpackbits(np.frombuffer(data, np.uint8))[: count * bits].reshape(count, bits)
        values = raw @ (1 << np.arange(bits - 1, -1, -1))
        values = values / top if top > 1 else values
    else:
        values = np.frombuffer(data, f"<{kind[0]}{bits // 8}")
    return values.reshape(packed["shape"])


def synced_bytes() -> traitlets.Bytes:
    """A Bytes trait that travels as a buffer, from Python to JavaScript and back: for a state, such as a drawing."""
    return traitlets.Bytes().tag(sync=True, **bytes_serialization)


# ---- the interactive ---------------------------------------------------------------------------------------


class Interactive(anywidget.AnyWidget):
    """A figure that answers while it is dragged; the base of every interactive of the course.

    A subclass names its script and its title, `class Pad(Interactive, script="pad", title="Walk over the codes")`.
    The script is `pad.js` (with `pad.css` where there is one) beside this file, or in `folder` if one is given.
    `shapes` names the axes of each array; the first line of the docstring says what is shown where no script runs.
    """

    title = traitlets.Unicode("").tag(sync=True)
    arrays = traitlets.Dict().tag(sync=True)
    heading: ClassVar[str] = ""
    shapes: ClassVar[dict[str, tuple[str | int, ...]]] = {}

    def __init_subclass__(
        cls, script: str | None = None, title: str = "", folder: Path = FOLDER, **kwargs: object
    ) -> None:
        if script is not None:
            cls._esm, cls._css = read_script(script, folder), read_style(script, folder)
            cls.heading = title
        super().__init_subclass__(**kwargs)

    def __init__(self, *, arrays: Mapping[str, Array] | None = None, **state: object) -> None:
        if arrays is not None or self.shapes:
            state["arrays"] = self._packed(arrays or {}, state)
        super().__init__(**{"title": self.heading} | state)

    def array(self, name: str) -> np.ndarray:
        """One of the arrays, as JavaScript reads it."""
        return unpack(self.arrays[name])

    def _packed(self, arrays: Mapping[str, Array], state: Mapping[str, object]) -> dict[str, dict]:
        packed = {}
        for name, array in arrays.items():
            try:
                packed[name] = pack(array)
            except ValueError as error:
                raise ValueError(f"{type(self).__name__}'s array {name!r} {error}.") from None
        self._check_shapes(arrays, state)
        return packed

    def _check_shapes(self, arrays: Mapping[str, Array], state: Mapping[str, object]) -> None:
        sizes = {name: len(value) for name, value in state.items() if isinstance(value, list | tuple)}
        for name, axes in self.shapes.items():
            shape = np.shape(arrays[name].values) if name in arrays else None
            if shape is None or not _fits(shape, axes, sizes):
                wanted = ", ".join(f"{axis}={sizes[axis]}" if axis in sizes else str(axis) for axis in axes)
                has = "is missing" if shape is None else f"has {shape}"
                raise ValueError(
                    f"{type(self).__name__}'s array {name!r} should have the shape ({wanted}), but {has}."
                )

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return {**data, "text/plain": self.words()}, metadata

    def words(self) -> str:
        """The title and what is shown, for a reader who has no script."""
        shown = (inspect.getdoc(type(self)) or "").partition("\n")[0]
        return " ".join(
            f"{part.rstrip('.')}." if not part.endswith("?") else part for part in (self.title, shown) if part
        )


def _fits(shape: tuple[int, ...], axes: tuple[str | int, ...], sizes: dict[str, int]) -> bool:
    """Whether the shape has these axes; the length of an axis that is met for the first time is noted in `sizes`."""
    if len(shape) != len(axes):
        return False
    return all(
        size == (axis if isinstance(axis, int) else sizes.setdefault(axis, size))
        for size, axis in zip(shape, axes, strict=True)
    )
