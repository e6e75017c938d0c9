"""The reader's own matplotlib settings change nothing in the course's figures, and are theirs again afterwards."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from aelib import plots

READERS = {
    "a dark style": lambda: plt.style.use("dark_background"),
    "images from below": lambda: plt.rcParams.update({"image.origin": "lower", "image.cmap": "jet"}),
    "other text": lambda: plt.rcParams.update(
        {"text.color": "red", "font.size": 25, "axes.titlecolor": "red"}
    ),
    "other lines": lambda: plt.rcParams.update(
        {"lines.linewidth": 9, "lines.linestyle": ":", "axes.grid": True}
    ),
    "tight pictures": lambda: plt.rcParams.update({"savefig.bbox": "tight", "savefig.facecolor": "red"}),
    "a colour cycle": lambda: plt.rcParams.update({"axes.prop_cycle": plt.cycler(color=["#ff0000"])}),
}


def lesson_figure() -> bytes:
    """As a cell draws one: everything after new_figure has returned."""
    fig, (left, right) = plots.new_figure(6, 2.5, ncols=2)
    left.plot([1, 3, 2], label="a line")
    left.set(title="A title", xlabel="x")
    left.legend()
    left.annotate("here", (1, 2))
    plots.label_line(left, 1, 2.5, "named", plots.BLUE)
    shown = right.imshow(np.arange(6).reshape(2, 3), cmap=plots.HEAT)
    right.text(0, 1, "words")
    fig.colorbar(shown)
    fig.suptitle("Both")
    image = plots.png(fig)
    plt.close(fig)
    return image


def digit_rows() -> bytes:
    ramp = np.linspace(0, 1, 64).reshape(1, 64)
    fig = plots.image_rows({"input": ramp, "error": ramp})
    image = plots.png(fig)
    plt.close(fig)
    return image


@pytest.mark.parametrize("draw", [lesson_figure, digit_rows])
@pytest.mark.parametrize("settings", READERS.values(), ids=READERS)
def test_the_picture_is_the_same(draw, settings):
    with plt.rc_context():
        usual = draw()
        settings()
        theirs = dict(plt.rcParams)
        assert draw() == usual
        assert dict(plt.rcParams) == theirs


def test_latex_is_not_asked_for():
    with plt.rc_context({"text.usetex": True}):
        assert lesson_figure()


def test_what_is_drawn_later_has_the_courses_lines_and_legends():
    fig, ax = plots.new_figure()
    [line] = ax.plot([1, 2], label="a")
    assert line.get_linewidth() == plots.STYLE["lines.linewidth"]
    assert not ax.legend().get_frame_on()
    plt.close(fig)


def test_a_polar_figure_can_still_be_had():
    fig, ax = plots.new_figure(subplot_kw={"projection": "polar"})
    assert ax.name == "polar"
    plt.close(fig)
