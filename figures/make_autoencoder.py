"""The picture of an autoencoder: input, encoder, code, decoder, reconstruction, distortion."""

from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from aelib.plots import BLACK, BLUE, GREEN, GREY, VERMILLION, new_figure


def draw() -> Figure:
    fig, ax = new_figure(8, 3.3)
    ax.set(xlim=(-0.4, 14.8), ylim=(-1.9, 4.1), aspect="equal")
    ax.axis("off")
    column(ax, 1.2, 8, 0.4, BLACK, "$x$", "input\n$D$ numbers")
    funnel(ax, 2.2, 5.8, 1.75, 0.75, "encoder $f$")
    column(ax, 7.0, 3, 0.4, GREEN, "$z$", "code\n$K$ numbers")
    funnel(ax, 8.2, 11.8, 0.75, 1.75, "decoder $g$")
    column(ax, 12.8, 8, 0.4, BLUE, r"$\hat x$", "reconstruction\n$D$ numbers")
    distortion(ax)
    return fig


def column(ax, x: float, n_cells: int, size: float, colour: str, symbol: str, name: str) -> None:
    """A vector, drawn as a column of cells around the height 1.75."""
    bottom = 1.75 - n_cells * size / 2
    for cell in range(n_cells):
        ax.add_patch(
            Rectangle((x, bottom + cell * size), size, size, facecolor="white", edgecolor=colour, lw=1.6)
        )
    ax.text(
        x + size / 2,
        bottom + n_cells * size + 0.12,
        symbol,
        color=colour,
        ha="center",
        va="bottom",
        fontsize=17,
    )
    ax.text(x + size / 2, -0.12, name, color=colour, ha="center", va="top", fontsize=10.5)


def funnel(ax, left: float, right: float, left_half: float, right_half: float, name: str) -> None:
    corners = [
        (left, 1.75 - left_half),
        (right, 1.75 - right_half),
        (right, 1.75 + right_half),
        (left, 1.75 + left_half),
    ]
    ax.add_patch(Polygon(corners, facecolor="#eef1f4", edgecolor=GREY, lw=1.2))
    ax.text((left + right) / 2, 1.75, name, color=BLACK, ha="center", va="center", fontsize=13)


def distortion(ax) -> None:
    ax.annotate(
        "", (1.4, -1.45), (13.0, -1.45), arrowprops={"arrowstyle": "<->", "color": VERMILLION, "lw": 1.8}
    )
    text = r"distortion: how far $\hat x$ is from $x$"
    ax.text(
        7.2,
        -1.45,
        text,
        color=VERMILLION,
        ha="center",
        va="center",
        fontsize=12,
        bbox={"fc": "white", "ec": "none"},
    )
