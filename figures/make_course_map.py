"""The map of the lessons: what each asks, and the two threads that run through them."""

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from aelib.plots import BLACK, BLUE, GREEN, GREY, VERMILLION, new_figure

LESSONS = (
    ("00", "Start here", "does it run,\nand am I ready?"),
    ("01", "Compression", "how small can a\ndescription get?"),
    ("02", "Good codes", "what do we want\nbesides copying?"),
    ("03", "Infomax", "is keeping all the\ninformation enough?"),
    ("04", "Linear = PCA", "what does the simplest\nautoencoder learn?"),
    ("05", "VAE intuition", "why can't we sample\nfrom a copier?"),
    ("06", "ELBO", "what if log p(x)\ncannot be computed?"),
    ("07", "Gaussian KL", "where does the\nformula come from?"),
    ("08", "Training a VAE", "how do the pieces\ntrain together?"),
    ("09", "Judging a VAE", "how good is it,\nhonestly?"),
    ("10", "The exact VAE", "can we know that it\nis the best?"),
    ("11", "Real data", "does it hold outside\nthe lesson?"),
    ("12", "Denoising", "what does it mean to\ntake noise away?"),
    ("13", "Codes from a list", "what if the code is\none entry of a list?"),
    ("14", "More features", "can a code hold more\nfeatures than numbers?"),
    ("15", "Image generators", "what is the autoencoder\ninside one?"),
)
BITS, SCORECARD = ("01", "04", "06", "09", "13", "15"), ("02", "03", "04", "05", "09")
PARTS = {
    0: "Part one: from compression to a VAE on real data",
    3: "Part two: where autoencoders are used today (needs 06 to 09)",
}
"""By the row that each begins with."""
WIDTH, HEIGHT, STEP_X, STEP_Y, HEADING = 3.3, 1.75, 3.9, 2.45, 0.6
ROWS = -(-len(LESSONS) // 4)


def draw() -> Figure:
    fig, ax = new_figure(10, 0.35 + 1.65 * ROWS + 0.4 * len(PARTS))
    ax.set(xlim=(-0.3, 3 * STEP_X + WIDTH + 0.3), ylim=(-1.15, top(0) + HEADING + 0.1), aspect="equal")
    ax.axis("off")
    for row, name in PARTS.items():
        ax.text(0, top(row) + 0.3, name, color=BLACK, fontsize=12, fontweight="bold")
    for position, lesson in enumerate(LESSONS):
        box(ax, *corner(position), *lesson)
    for position in range(len(LESSONS) - 1):
        if (position + 1) / 4 not in PARTS:
            arrow(ax, position)
    legend(ax)
    return fig


def top(row: int) -> float:
    """Upper edge of the boxes of a row; a part that begins in a later one has its heading between."""
    headings = sum(later > row for later in PARTS)
    return (ROWS - 1 - row) * STEP_Y + HEIGHT + headings * HEADING


def corner(position: int) -> tuple[float, float]:
    """Lower left corner of a lesson's box: four in a row, rows from the top, each read from the left."""
    row, column = divmod(position, 4)
    return column * STEP_X, top(row) - HEIGHT


def box(ax, x: float, y: float, number: str, title: str, question: str) -> None:
    ax.add_patch(
        FancyBboxPatch(
            (x, y), WIDTH, HEIGHT, boxstyle="round,pad=0,rounding_size=0.14", fc="white", ec=GREY, lw=1.2
        )
    )
    ax.text(x + 0.17, y + HEIGHT - 0.2, number, color=BLUE, fontsize=11, fontweight="bold", va="top")
    ax.text(x + 0.68, y + HEIGHT - 0.2, title, color=BLACK, fontsize=10.2, fontweight="bold", va="top")
    ax.text(x + 0.17, y + HEIGHT - 0.68, question, color=GREY, fontsize=9.6, va="top", linespacing=1.25)
    for thread, marker, colour, shift in ((BITS, "D", VERMILLION, 0.0), (SCORECARD, "^", GREEN, 0.32)):
        if number in thread:
            ax.plot(x + WIDTH - 0.25 - shift, y + 0.25, marker, color=colour, markersize=6.5)


def arrow(ax, position: int) -> None:
    (x0, y0), (x1, y1) = corner(position), corner(position + 1)
    same_row = y0 == y1
    start = (x0 + WIDTH + 0.06, y0 + HEIGHT / 2) if same_row else (x0 + WIDTH / 2, y0 - 0.06)
    end = (x1 - 0.06, y1 + HEIGHT / 2) if same_row else (x1 + WIDTH / 2, y1 + HEIGHT + 0.06)
    style = {"arrowstyle": "->", "color": GREY, "lw": 1.4}
    if same_row:
        ax.annotate("", end, start, arrowprops=style)
        return
    between = y0 - (STEP_Y - HEIGHT) / 2
    ax.plot([start[0], start[0], end[0]], [start[1], between, between], color=GREY, lw=1.4)
    ax.annotate("", end, (end[0], between), arrowprops=style | {"shrinkA": 0})


def legend(ax) -> None:
    ax.plot(0.15, -0.75, "D", color=VERMILLION, markersize=6.5)
    ax.text(
        0.4,
        -0.75,
        "bits against distortion: one plot in six lessons",
        color=BLACK,
        fontsize=9.6,
        va="center",
    )
    ax.plot(8.3, -0.75, "^", color=GREEN, markersize=6.5)
    ax.text(
        8.55,
        -0.75,
        "the scorecard: four desiderata for a code, measured",
        color=BLACK,
        fontsize=9.6,
        va="center",
    )
