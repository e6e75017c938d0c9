"""Figures carry their sentence, and drawing them leaves the reader's settings alone."""

import base64
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from aelib import plots


def test_show_carries_the_sentence_twice_and_closes_the_figure():
    fig, ax = plots.new_figure()
    ax.plot([1, 2])
    bundle = plots.show(fig, alt='A line that "rises" & ends.')._repr_mimebundle_()
    assert bundle["text/plain"] == 'A line that "rises" & ends.'
    assert re.search(r'<img [^>]*alt="A line that &quot;rises&quot; &amp; ends."', bundle["text/html"])
    assert "<figcaption" in bundle["text/html"]
    assert not plt.fignum_exists(fig.number)


def test_a_figure_without_words_is_refused():
    with pytest.raises(ValueError, match="say in one sentence"):
        plots.show(plots.new_figure()[0], alt=" ")


def test_saved_figures_are_small_and_the_same_every_time():
    def image() -> bytes:
        fig, ax = plots.new_figure()
        ax.plot(np.sin(np.arange(100) / 9))
        return plots.png(fig)

    first = image()
    assert first == image()
    assert len(first) < 40_000
    assert Image.open(io.BytesIO(first)).format == "PNG"


def test_style_does_not_leak():
    before = dict(plt.rcParams)
    plots.new_figure()
    plots.image_rows({"input": np.zeros((3, 64))})
    assert dict(plt.rcParams) == before
    plt.close("all")


def test_ink_is_dark_on_paper():
    fig = plots.image_rows({"input": np.stack([np.zeros(64), np.ones(64)])})
    fig.canvas.draw()
    image = fig.axes[0].images[0]
    paper, ink = (image.cmap(image.norm(value))[:3] for value in (0.0, 1.0))
    assert min(paper) > 0.95
    assert max(ink) < 0.15
    plt.close(fig)


def test_unknown_drawing_gets_a_sentence():
    with pytest.raises(FileNotFoundError, match="no drawing 'unknown'"):
        plots.drawing("unknown", alt="nothing")


@pytest.mark.parametrize("path", sorted(plots.FIGURES.glob("*.svg")), ids=lambda path: path.stem)
def test_every_drawing_has_a_png_of_its_shape_for_what_shows_no_svg(path):
    bundle = plots.drawing(path.stem, alt="seen")._repr_mimebundle_()
    picture = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', path.read_text()).groups())
    assert picture.width / picture.height == pytest.approx(width / height, rel=0.02)
    assert len(picture.convert("L").getcolors()) > 2
