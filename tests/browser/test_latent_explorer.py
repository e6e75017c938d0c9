"""Lesson 01's explorer in a real browser: it says what Python says, answers every hand, fits everywhere."""

from __future__ import annotations

import re

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from aelib.data import digits
from aelib.models import Autoencoder
from aelib.widgets.latent_explorer import BIT_DEPTHS, LatentExplorer

KS = [*range(1, 17), 20, 24, 32, 48, 64]
SETTINGS = [(1, 1), (1, 32), (2, 3), (4, 8), (8, 32), (8, 2), (16, 4), (48, 32), (64, 1), (64, 32)]
SMALL_TARGETS = """[...el.querySelectorAll("input, button")].map((node) => node.getBoundingClientRect())
  .filter((box) => box.width && (box.width < 24 || box.height < 24)).length"""
KEYS_KEPT = """[...el.querySelectorAll("input, button, [tabindex]")]
  .every((node) => node.dataset.lmSuppressShortcuts === "true")"""
PAPER, INK, VERMILLION = np.array([245, 246, 247]), np.array([20, 24, 29]), np.array([213, 94, 0])
READ = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return { data: [...data], width: canvas.width, height: canvas.height };
}"""


@pytest.fixture(scope="module")
def explorer() -> LatentExplorer:
    return LatentExplorer.from_models(digits(), {k: Autoencoder(64, k, (16,), seed=k) for k in KS})


def go_to(page, latent_dim: int, bits: int) -> dict:
    page.evaluate("([k, b]) => { model.set('latent_dim', k); model.set('bits', b); }", [latent_dim, bits])
    return page.locator(".ae-card").evaluate("node => ({ ...node.dataset })")


def pixels(canvas) -> np.ndarray:
    """(10, 8, 8, 3): the colour in the middle of each pixel of the ten pictures of a strip."""
    read = canvas.evaluate(READ)
    image = np.array(read["data"]).reshape(read["height"], read["width"], 4)[..., :3]
    cell = read["height"] // 8
    lefts = np.round(np.arange(10) * (read["width"] - 8 * cell) / 9).astype(int)
    middle = np.arange(8) * cell + cell // 2
    return np.stack([image[np.ix_(middle, left + middle)] for left in lefts])


def amount(colours: np.ndarray, ink: np.ndarray = INK) -> np.ndarray:
    return ((colours - PAPER) / (ink - PAPER))[..., 1]


def test_the_browser_says_what_python_says(plain_page, explorer):
    page = plain_page.mount(explorer)
    table = explorer.array("errors")
    for latent_dim, bits in SETTINGS:
        shown = go_to(page, latent_dim, bits)
        autoencoder, pca = table[:, 1, BIT_DEPTHS.index(bits), KS.index(latent_dim)]
        assert float(shown["errorAutoencoder"]) == pytest.approx(autoencoder, abs=1e-12)
        assert float(shown["errorPca"]) == pytest.approx(pca, abs=1e-12)
        assert int(shown["rate"]) == latent_dim * bits
        notes = page.locator(".ae-picture-name .ae-note").all_text_contents()
        expected = "0" if pca < 1e-9 else "< 0.0001" if pca < 5e-5 else f"{pca:.4f}"
        assert notes[1:3] == [f"error {expected}", f"error {autoencoder:.4f}"]


def test_the_sentence_is_true_everywhere(plain_page, explorer):
    page = plain_page.mount(explorer)
    exact = round(min(explorer.lossless.values()))
    table = explorer.array("errors")[:, 1]
    for k, latent_dim in enumerate(KS):
        for b, bits in enumerate(BIT_DEPTHS):
            go_to(page, latent_dim, bits)
            says = page.locator(".ae-says").text_content()
            autoencoder, pca = table[:, b, k]
            if (latent_dim, bits) == (64, 32):
                assert "PCA attains it (error 0 to rounding)" in says
            else:
                ahead = "the autoencoder" if autoencoder < pca else "PCA"
                part = round(100 * (1 - min(autoencoder, pca) / max(autoencoder, pca)), 6)
                if part >= 0.5:
                    assert f" {ahead} is ahead" in says
                    assert abs(int(re.search(r"(\d+)% below", says)[1]) - part) <= 0.5 + 1e-6
                else:
                    assert "level" in says
            fewer = latent_dim * bits < min(explorer.lossless.values())
            assert ("times fewer than" if fewer else "not fewer than") in says
            assert f"{latent_dim * bits} bit" in says and f"the {exact} that zlib" in says


@pytest.mark.parametrize(("latent_dim", "bits"), [(1, 32), (8, 3), (64, 32), (16, 1)])
def test_the_pictures_are_those_of_python(plain_page, explorer, latent_dim, bits):
    page = plain_page.mount(explorer, width=1100)
    go_to(page, latent_dim, bits)
    explorer.latent_dim, explorer.bits = latent_dim, bits
    expected = {name: images.clip(0, 1).reshape(-1, 8, 8) for name, images in explorer.pictures().items()}
    explorer.latent_dim, explorer.bits = 8, 32
    canvases = page.locator("canvas.ae-strip")
    for index, name in enumerate(("input", "PCA", "autoencoder")):
        np.testing.assert_allclose(amount(pixels(canvases.nth(index))), expected[name], atol=1 / 100)
    wrong = np.abs(expected["autoencoder"] - expected["input"]) / 0.6
    np.testing.assert_allclose(amount(pixels(canvases.nth(3)), VERMILLION), wrong.clip(0, 1), atol=1 / 60)


def test_keyboard_paints_every_position(plain_page, explorer):
    page = plain_page.mount(explorer)
    slider = page.get_by_role("slider", name="Code size K")
    slider.focus()
    page.keyboard.press("Home")
    painted = set()
    for latent_dim in KS:
        assert page.evaluate("model.get('latent_dim')") == latent_dim
        painted.add(page.locator("canvas.ae-strip").nth(2).evaluate("canvas => canvas.toDataURL()"))
        page.keyboard.press("ArrowRight")
    assert len(painted) == len(KS)
    assert slider.get_attribute("aria-valuetext") == "64 numbers for 64 pixels"


def test_saving_waits_until_the_hand_rests(plain_page, explorer):
    page = plain_page.mount(explorer, own=True)
    page.clock.install(time=0)
    page.clock.pause_at(1000)  # the clock stands between presses: a slow machine is no slow hand
    page.get_by_role("slider", name="Code size K").focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
        page.clock.run_for(100)
        assert page.evaluate("model.saved") == []
    page.clock.run_for(400)
    assert page.evaluate("model.saved") == [{"latent_dim": 3}]


def test_mouse_on_slider_and_on_both_charts(plain_page, explorer):
    page = plain_page.mount(explorer, width=1100)
    picture = page.locator("canvas.ae-strip").nth(2)
    for node in (
        page.get_by_role("slider", name="Code size K"),
        page.locator(".ae-chart").nth(0),
        page.locator(".ae-chart").nth(1),
    ):
        before = picture.evaluate("canvas => canvas.toDataURL()")
        box = node.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + box["height"] * 0.5, steps=5)
        page.mouse.up()
        assert picture.evaluate("canvas => canvas.toDataURL()") != before


def test_dragging_the_curve_to_its_end_gives_every_number(plain_page, explorer):
    page = plain_page.mount(explorer)
    box = page.locator(".ae-chart").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + 60)
    assert page.evaluate("model.get('latent_dim')") == 64
    page.mouse.move(box["x"] + 2, box["y"] + 60)
    assert page.evaluate("model.get('latent_dim')") == 1
    page.mouse.up()
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + 60)
    assert page.evaluate("model.get('latent_dim')") == 1


def test_touch(plain_page, explorer):
    page = plain_page.mount(explorer, width=390, touch=True)
    box = page.get_by_role("slider", name="Code size K").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    assert page.evaluate("model.get('latent_dim')") == 64
    chart = page.locator(".ae-chart").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.touchscreen.tap(box["x"] + 40, box["y"] + box["height"] / 2)
    assert page.evaluate("model.get('latent_dim')") < 4


def test_a_narrow_page_shows_one_chart_and_lets_choose(plain_page, explorer):
    page = plain_page.mount(explorer, width=390)
    charts = page.locator(".ae-chart")
    assert charts.nth(0).is_visible() and not charts.nth(1).is_visible()
    page.get_by_role("radio", name="against bits").check()
    assert charts.nth(1).is_visible() and not charts.nth(0).is_visible()
    assert "bits" in charts.nth(1).get_attribute("aria-label")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 760, 1100])
def test_fits_and_is_accessible(plain_page, accessible, explorer, width, theme):
    page = plain_page.mount(explorer, width=width, theme=theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(
        "[...el.querySelectorAll('.ae-card *')].every(n => n.getBoundingClientRect().right <= innerWidth)"
    )
    accessible(page)
    assert page.evaluate(SMALL_TARGETS) == 0


def test_every_control_keeps_its_keys_in_jupyterlab(plain_page, explorer):
    page = plain_page.mount(explorer)
    assert page.evaluate(KEYS_KEPT)


def test_a_change_of_theme_repaints(plain_page, explorer):
    page = plain_page.mount(explorer)
    strip = page.locator("canvas.ae-strip").first
    light = pixels(strip)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "() => el.querySelector('canvas.ae-strip').getContext('2d').getImageData(1, 1, 1, 1).data[0] < 100"
    )
    assert pixels(strip).max() > 230 and light.max() > 230
    assert np.corrcoef(light.ravel(), pixels(strip).ravel())[0, 1] < -0.9


def test_after_cleanup_it_no_longer_listens(plain_page, explorer):
    page = plain_page.mount(explorer)
    before = page.locator(".ae-says").text_content()
    page.evaluate("cleanup()")
    go_to(page, 1, 1)
    assert page.locator(".ae-says").text_content() == before


LESSON = """
import aelib
from aelib.data import digits
from aelib.models import Autoencoder
from aelib.widgets.latent_explorer import LatentExplorer
import ipywidgets
autoencoders = {k: Autoencoder(64, k, (16,), seed=k) for k in (1, 2, 4, 8, 16, 64)}
explorer = LatentExplorer.from_models(digits(), autoencoders)
knob = ipywidgets.IntSlider(4, 1, 64, description="K")
link = ipywidgets.jslink((knob, "value"), (explorer, "latent_dim"))
explorer
"""


def test_in_jupyterlab_with_and_without_its_kernel(lab, accessible):
    name = lab.write("explorer.ipynb", new_notebook(cells=[new_code_cell(LESSON), new_code_cell("knob")]))
    page = lab.open_notebook(name, width=1100)
    lab.change_theme(page, "light")
    lab.run_all(page)
    card = page.locator(".ae-card")
    card.wait_for()
    assert card.get_attribute("data-latent-dim") == "4"
    slider = page.get_by_role("slider", name="Code size K")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert card.get_attribute("data-latent-dim") == "8"
    lab.shut_down_kernel(page)
    page.keyboard.press("ArrowRight")
    assert card.get_attribute("data-latent-dim") == "16"
    knob = page.locator(".noUi-handle")
    knob.focus()
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelector('.ae-card').dataset.latentDim === '1'")
    strip = page.locator("canvas.ae-strip").first
    assert pixels(strip)[0, 0, 0].min() > 200
    lab.change_theme(page, "dark")
    page.wait_for_function(
        "document.querySelector('canvas.ae-strip').getContext('2d').getImageData(1, 1, 1, 1).data[0] < 100"
    )
    accessible(page)
    assert card.evaluate("node => node.scrollWidth <= node.clientWidth")
