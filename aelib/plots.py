"""Pictures: the course's colours, and small functions that take data and an ``ax`` and give the ``ax`` back."""

import base64
import html
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

BLUE, VERMILLION, GREEN, BLACK, GREY = "#0072B2", "#D55E00", "#009E73", "#000000", "#5b6470"
INPUT, RECONSTRUCTION, LATENT, ERROR, LINEAR = BLACK, BLUE, GREEN, VERMILLION, GREY
"""What the colours mean, in every lesson."""

INK = LinearSegmentedColormap.from_list("ink", ["#ffffff", "#14181e"])
HEAT = LinearSegmentedColormap.from_list("heat", ["#ffffff", VERMILLION])

PACKAGE = Path(__file__).parent
FIGURES = next(folder for folder in (PACKAGE / "figures", PACKAGE.parent / "figures") if folder.is_dir())
"""The course's drawings: in the package where it was installed, beside it where the course was cloned."""

STYLE = {
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": BLACK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "grid.color": "#dfe3e8",
    "lines.linewidth": 2.2,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "aelib",
}


_THE_READERS = ("backend", "date.epoch", "docstring", "figure.max_open", "interactive", "savefig.directory", "timezone", "tk.",
                "toolbar", "webagg")  # fmt: skip
_EVERY_SETTING = {
    name: value for name, value in plt.rcParamsDefault.items() if not name.startswith(_THE_READERS)
} | STYLE
"""matplotlib's own settings, but for those of its windows, and the course's over them."""


@contextmanager
def course_style() -> Iterator[None]:
    """Draw in the course's style inside the ``with`` block, whatever the student's settings are, and leave them alone."""
    with plt.rc_context(_EVERY_SETTING):
        yield


def _in_course_style(draw: Callable) -> Callable:
    @wraps(draw)
    def drawn(*args, **kwargs):
        with course_style():
            return draw(*args, **kwargs)

    return drawn


class CourseAxes(Axes):
    """Axes that draw in the course's style also after `new_figure` has returned."""


class CourseFigure(Figure):
    """The same for what belongs to the whole figure."""


_OF_AXES = "annotate axhline axvline bar barh contour contourf errorbar fill_between grid hist imshow legend plot quiver"
_OF_AXES += " scatter set_title stem step text"
for _class, _names in (
    (CourseAxes, _OF_AXES),
    (CourseFigure, "colorbar legend suptitle supxlabel supylabel text"),
):
    for _name in _names.split():
        setattr(_class, _name, _in_course_style(getattr(_class, _name)))


def new_figure(width: float = 8.0, height: float = 3.2, **subplots) -> tuple[Figure, Axes | np.ndarray]:
    """``plt.subplots`` in the course's style; width and height in inches."""
    own = subplots.pop("subplot_kw", {})
    axes = {} if {"projection", "polar"} & own.keys() else {"axes_class": CourseAxes}
    with course_style():
        return plt.subplots(
            figsize=(width, height), FigureClass=CourseFigure, subplot_kw=axes | own, **subplots
        )


class Shown:
    """A figure as a notebook output: an image with its alternative text, and the same sentence as a caption."""

    def __init__(self, image: bytes, kind: str, alt: str, still: bytes | None = None) -> None:
        """still: the same as PNG, for what cannot show the image's own kind; a PNG is its own."""
        self.image, self.kind, self.alt = image, kind, alt
        self.still = image if kind == "image/png" else still

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        source = f"data:{self.kind};base64,{base64.b64encode(self.image).decode()}"
        alt = html.escape(self.alt, quote=True)
        figure = (
            f'<figure style="margin: 0.4em 5px"><img src="{source}" alt="{alt}" style="max-width: 100%; background: #fff">'
            f'<figcaption style="max-width: 56em; font-size: 0.93em">{alt}</figcaption></figure>'
        )
        bundle = {"text/html": figure, "text/plain": self.alt}
        if self.still is not None:
            bundle["image/png"] = base64.b64encode(self.still).decode()
        return bundle


def show(fig: Figure, alt: str) -> Shown:
    """Show a matplotlib figure with a sentence that says what is to be seen: read aloud, and printed as the caption.

    Put it on the last line of a cell. The figure is closed, so that no second copy appears.
    """
    if not alt.strip():
        raise ValueError("alt is empty: say in one sentence what the figure shows.")
    image = png(fig)
    plt.close(fig)
    return Shown(image, "image/png", alt)


def png(fig: Figure, colours: int = 64, dpi: int = 120) -> bytes:
    """The figure as a small PNG on white (a palette of at most ``colours``), without a time stamp."""
    from PIL import Image

    buffer, small = io.BytesIO(), io.BytesIO()
    with course_style():
        fig.savefig(buffer, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    picture = Image.open(buffer).convert("RGB").quantize(colours, method=Image.Quantize.MAXCOVERAGE)
    picture.save(small, format="png", optimize=True)
    return small.getvalue()


def drawing(name: str, alt: str) -> Shown:
    """Show ``<name>.svg`` of `FIGURES`, one of the course's drawings."""
    path = FIGURES / f"{name}.svg"
    if not path.exists():
        raise FileNotFoundError(
            f"There is no drawing {name!r} in {FIGURES}; it has {sorted(p.stem for p in FIGURES.glob('*.svg'))}."
        )
    return Shown(path.read_bytes(), "image/svg+xml", alt, path.with_suffix(".png").read_bytes())


def image_strip(
    ax: Axes, images, image_shape: Sequence[int] = (8, 8), label: str = "", cmap=INK, top: float = 1.0
) -> Axes:
    """Draw (n, D) images side by side in one row; 0 is paper and ``top`` is full ink."""
    height, width = image_shape
    tiles = np.asarray(images, dtype=float).reshape(-1, height, width)
    padded = np.pad(tiles, ((0, 0), (0, 0), (1, 1)))
    picture = np.concatenate(list(padded), axis=1)
    ax.imshow(picture, cmap=cmap, vmin=0, vmax=top, interpolation="nearest", origin="upper")
    ax.set(xticks=[], yticks=[])
    ax.set_ylabel(label, rotation=0, ha="right", va="center")
    ax.spines[:].set_visible(False)
    return ax


def image_rows(
    rows: dict[str, np.ndarray], image_shape: Sequence[int] = (8, 8), width: float = 8.0
) -> Figure:
    """A figure with one strip of images a row; keys are the labels. A label that starts with "error" is drawn hot."""
    n_images = max(len(images) for images in rows.values())
    tile = image_shape[0] / (image_shape[1] + 2) / n_images
    fig, axes = new_figure(width, (0.82 * width * tile + 0.08) * len(rows), nrows=len(rows), squeeze=False)
    fig.get_layout_engine().set(w_pad=0.12)  # room for the longest label
    for ax, (label, images) in zip(axes[:, 0], rows.items(), strict=True):
        hot = label.startswith("error")
        image_strip(
            ax,
            np.abs(images) if hot else images,
            image_shape,
            label,
            HEAT if hot else INK,
            0.6 if hot else 1.0,
        )
    return fig


def label_line(ax: Axes, x: float, y: float, text: str, colour: str, **where) -> Axes:
    """Write a line's name beside it, in its colour, so that no legend is needed."""
    ax.annotate(
        text,
        (x, y),
        color=colour,
        fontweight="bold",
        **({"xytext": (6, 6), "textcoords": "offset points"} | where),
    )
    return ax
