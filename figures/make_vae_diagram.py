"""A VAE's four laws: the prior of the codes, the decoder's likelihood, the posterior, and the encoder's approximation q."""

from matplotlib.figure import Figure
from matplotlib.patches import Circle, Ellipse, FancyArrowPatch, FancyBboxPatch, Rectangle

from aelib.plots import BLACK, BLUE, GREEN, GREY, new_figure

CLOUDS = [(1.0, 3.15, 0.62, 0.34), (2.3, 2.35, 0.42, 0.66), (1.35, 1.75, 0.7, 0.4), (2.15, 3.3, 0.4, 0.4)]


def draw() -> Figure:
    fig, ax = new_figure(8, 4.1)
    ax.set(xlim=(-0.4, 12.4), ylim=(-0.7, 5.7), aspect="equal")
    ax.axis("off")
    codes(ax)
    data(ax)
    arrow(ax, (3.6, 4.15), (8.4, 4.15), BLUE, "-", -0.16)
    words(ax, 4.97, "likelihood $p_\\theta(x\\,|\\,z)$", "the decoder: a picture, and how sure", BLUE)
    arrow(ax, (8.4, 2.6), (3.6, 2.6), GREY, (0, (5, 4)), 0.0)
    words(ax, 3.1, "posterior $p_\\theta(z\\,|\\,x)$", "by Bayes' rule; out of reach", GREY)
    arrow(ax, (8.4, 1.05), (3.6, 1.05), GREEN, "-", -0.16)
    words(
        ax,
        0.05,
        "$q_\\phi(z\\,|\\,x)$ = N($\\mu(x)$, diag $\\sigma^2(x)$)",
        "the encoder approximates it",
        GREEN,
    )
    return fig


def codes(ax) -> None:
    """The space of codes: rings of the prior, and a few clouds of q inside them."""
    for radius in (0.65, 1.3, 1.75):
        ax.add_patch(Circle((1.65, 2.6), radius, facecolor="none", edgecolor=GREY, lw=1.1))
    for x, y, width, height in CLOUDS:
        ax.add_patch(Ellipse((x, y), width, height, facecolor=GREEN, edgecolor=GREEN, alpha=0.45))
    ax.text(1.65, 4.75, "codes $z$", ha="center", va="center", fontsize=14, color=BLACK)
    ax.text(1.65, 0.45, "prior $p(z) = N(0, I)$", ha="center", va="center", fontsize=12, color=BLACK)


def data(ax) -> None:
    """The data: a small stack of pictures."""
    for shift in (0.5, 0.25, 0.0):
        ax.add_patch(
            Rectangle((9.0 + shift, 1.5 + shift), 1.9, 1.9, facecolor="white", edgecolor=BLACK, lw=1.5)
        )
    for x, y, width, height in [
        (9.7, 2.05, 0.5, 0.16),
        (9.7, 2.7, 0.5, 0.16),
        (9.62, 2.1, 0.16, 0.7),
        (10.12, 2.1, 0.16, 0.7),
    ]:
        ax.add_patch(
            FancyBboxPatch(
                (x, y), width, height, boxstyle="round,pad=0.05", facecolor=BLACK, edgecolor="none"
            )
        )
    ax.text(10.2, 4.75, "data $x$", ha="center", va="center", fontsize=14, color=BLACK)


def arrow(ax, start: tuple, end: tuple, colour: str, style: object, bend: float) -> None:
    curve = f"arc3,rad={bend}"
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            connectionstyle=curve,
            arrowstyle="-|>",
            mutation_scale=20,
            color=colour,
            lw=2.2,
            ls=style,
        )
    )


def words(ax, height: float, symbol: str, meaning: str, colour: str) -> None:
    """Two lines in the middle: the law, and which part of the network it is."""
    ax.text(6, height + 0.21, symbol, ha="center", va="center", fontsize=13, color=colour)
    ax.text(6, height - 0.24, meaning, ha="center", va="center", fontsize=10.5, color=colour)
