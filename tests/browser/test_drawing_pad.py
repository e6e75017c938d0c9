"""The drawing pad in a real browser: counts, codes and errors are Python's, and every hand can draw."""

from __future__ import annotations

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from aelib.data import digits
from aelib.models import Autoencoder
from aelib.widgets.drawing_pad import SIDE, DrawingPad

KS = (1, 2, 4, 8, 16, 32)
SMALL_TARGETS = """[...el.querySelectorAll("input, button")].map((node) => node.getBoundingClientRect())
  .filter((box) => box.width && (box.width < 24 || box.height < 24)).length"""
KEYS_KEPT = """[...el.querySelectorAll("input, button, [tabindex]")]
  .every((node) => node.dataset.lmSuppressShortcuts === "true")"""


@pytest.fixture(scope="module")
def pad() -> DrawingPad:
    return DrawingPad.from_models(digits(), {k: Autoencoder(64, k, (64,), seed=k) for k in KS})


def drawings() -> dict[str, tuple[np.ndarray, bool]]:
    """Eleven drawings, extremes included, and whether they are in place already."""
    rng = np.random.default_rng(0)
    row, column = np.mgrid[:SIDE, :SIDE]
    ring = np.abs(np.hypot(row - 12, 1.4 * (column - 9)) - 7) < 1.7
    dot, corner = np.zeros((2, SIDE, SIDE))
    dot[20, 3], corner[-1, -1] = 1, 1
    thin = (column == 7) & (row > 3) & (row < 29)
    sparse = (np.abs(column - 15.5) < 10) & (row < 12)  # fills the box; with 245 points it is thickened once
    sparse[-1, 6:11] = True
    dash = (row == 16) & (column > 5) & (column < 27)
    return {
        "empty": (np.zeros((SIDE, SIDE)), False), "full": (np.ones((SIDE, SIDE)), False), "dot": (dot, False),
        "corner": (corner, False), "ring": (ring, False), "thin line": (thin, False), "dash": (dash, False),
        "just too thin": (sparse, False),
        "noise": (rng.random((SIDE, SIDE)) < 0.02, False), "ring in place": (ring, True),
        "full in place": (np.ones((SIDE, SIDE)), True),
    }  # fmt: skip


def shown(page) -> dict:
    data = page.locator(".ae-card").evaluate("node => ({ ...node.dataset })")
    numbers = {
        name: np.array(data[name].split(","), dtype=float) for name in ("seen", "code", "reconstruction")
    }
    return numbers | {"error": float(data["error"]), "latent_dim": int(data["latentDim"])}


def put(page, bitmap: np.ndarray, fitted: bool, latent_dim: int) -> None:
    page.evaluate(
        """([points, fitted, k]) => { model.set("latent_dim", k); model.set("fitted", fitted);
             model.set("bitmap", new DataView(Uint8Array.from(points).buffer)); }""",
        [np.asarray(bitmap, dtype=int).ravel().tolist(), fitted, latent_dim],
    )


def points(page) -> np.ndarray:
    read = """() => { const view = model.get("bitmap");
      return [...new Uint8Array(view.buffer, view.byteOffset, view.byteLength)]; }"""
    return np.array(page.evaluate(read)).reshape(SIDE, SIDE)


@pytest.mark.parametrize("name", drawings())
def test_the_browser_computes_what_python_computes(plain_page, pad, name):
    page = plain_page.mount(pad)
    bitmap, fitted = drawings()[name]
    for latent_dim in KS:
        put(page, bitmap, fitted, latent_dim)
        pad.latent_dim = latent_dim
        pad.draw(bitmap, fitted)
        there = shown(page)
        assert there["latent_dim"] == latent_dim
        np.testing.assert_array_equal(there["seen"], pad.seen().ravel())
        np.testing.assert_allclose(there["code"], pad.code(), atol=1e-4)
        np.testing.assert_allclose(there["reconstruction"], pad.reconstruction().ravel(), atol=1e-4)
        assert there["error"] == pytest.approx(pad.error(), abs=1e-4)
        assert page.locator(".ae-big").text_content() == f"{there['error']:.4f}"


def draw_line(page, start: tuple[float, float], end: tuple[float, float]) -> None:
    box = page.locator(".ae-pad").bounding_box()
    place = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*place[0])
    page.mouse.down()
    page.mouse.move(*place[1], steps=6)
    page.mouse.up()


def test_mouse_draws_erases_and_clears(plain_page, pad):
    page = plain_page.mount(pad)
    back = page.locator("canvas.ae-strip").nth(1)
    page.get_by_role("button", name="Clear").click()
    assert points(page).sum() == 0
    assert "An empty sheet" in page.locator(".ae-says").text_content()
    blank = back.evaluate("canvas => canvas.toDataURL()")
    draw_line(page, (0.5, 0.2), (0.5, 0.8))
    drawn = points(page)
    assert drawn[8:24, 15:17].all() and 40 < drawn.sum() < 120
    assert "your drawing comes back" in page.locator(".ae-says").text_content()
    assert back.evaluate("canvas => canvas.toDataURL()") != blank
    page.get_by_role("radio", name="Eraser").check()
    draw_line(page, (0.3, 0.5), (0.7, 0.5))
    assert points(page)[16].sum() == 0 < points(page).sum() < drawn.sum()


def test_the_pen_starts_a_new_sheet_on_a_preset_and_the_eraser_edits_it(plain_page, pad):
    page = plain_page.mount(pad)
    page.get_by_role("button", name="held-out digit 8").click()
    page.get_by_role("radio", name="Eraser").check()
    before = points(page)
    draw_line(page, (0.5, 0.45), (0.5, 0.55))
    assert 0 < points(page).sum() < before.sum() and page.evaluate("model.get('fitted')")
    page.get_by_role("button", name="held-out digit 8").click()
    page.get_by_role("radio", name="Pen").check()
    draw_line(page, (0.2, 0.2), (0.2, 0.8))
    assert points(page)[:, 16:].sum() == 0 and not page.evaluate("model.get('fitted')")


def test_keyboard_takes_presets_and_sizes(plain_page, pad):
    page = plain_page.mount(pad)
    page.get_by_role("button", name="held-out digit 7").focus()
    page.keyboard.press("Enter")
    assert "this held-out 7" in page.locator(".ae-says").text_content()
    assert page.get_by_role("button", name="held-out digit 7").get_attribute("aria-pressed") == "true"
    page.get_by_role("radio", name="8", exact=True).focus()
    page.evaluate("model.set('latent_dim', 8)")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("model.get('latent_dim')") == 16
    plain_page.wait_until_saved(page, latent_dim=16)


def test_every_preset_is_the_digit_it_says(plain_page, pad):
    page = plain_page.mount(pad)
    held_out = digits()
    rows = {
        tuple(row): label
        for row, label in zip(
            held_out.raw[held_out.held_out_index].tolist(), held_out.held_out_labels.tolist(), strict=True
        )
    }
    for label in range(10):
        page.get_by_role("button", name=f"held-out digit {label}").click()
        assert rows[tuple(int(count) for count in shown(page)["seen"])] == label


def test_touch_draws_a_point_and_does_not_scroll(plain_page, pad):
    page = plain_page.mount(pad, width=390, height=500, touch=True)
    page.get_by_role("button", name="Clear").tap()
    sheet = page.locator(".ae-pad")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert points(page).sum() > 4
    assert sheet.evaluate("node => getComputedStyle(node).touchAction") == "none"


def test_the_rank_is_that_of_the_quantiles(plain_page, pad):
    page = plain_page.mount(pad)
    quantiles = pad.array("quantiles")
    for index, latent_dim in enumerate(KS):
        put(page, np.eye(SIDE), False, latent_dim)
        beaten = int((quantiles[index, 1:] < shown(page)["error"]).sum())
        says = page.locator(".ae-says").text_content()
        rank = {0: "less than 99 in 100", 100: "more than any held-out digit"}.get(
            beaten, f"more than {beaten} in 100"
        )
        assert rank in says and f"{quantiles[index, 50]:.4f}" in says


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 760, 1100])
def test_fits_and_is_accessible(plain_page, accessible, pad, width, theme):
    page = plain_page.mount(pad, width=width, theme=theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(
        "[...el.querySelectorAll('.ae-card *')].every(n => n.getBoundingClientRect().right <= innerWidth)"
    )
    accessible(page)
    assert page.evaluate(SMALL_TARGETS) == 0
    assert page.evaluate(KEYS_KEPT)


def test_a_change_of_theme_repaints_pad_and_pictures(plain_page, pad):
    page = plain_page.mount(pad)
    page.get_by_role("button", name="Clear").click()
    page.emulate_media(color_scheme="dark")
    for name in ("canvas.ae-pad", "canvas.ae-strip"):
        page.wait_for_function(
            f"() => el.querySelector('{name}').getContext('2d').getImageData(1, 1, 1, 1).data[0] < 100"
        )


LESSON = """
import aelib
from aelib.data import digits
from aelib.models import Autoencoder
from aelib.widgets.drawing_pad import DrawingPad
pad = DrawingPad.from_models(digits(), {k: Autoencoder(64, k, (64,), seed=k) for k in (1, 8)})
pad
"""
ASK = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const asked = kernel.requestExecute({ code });
  let text = "";
  asked.onIOPub = (message) => { text += message.content.text ?? ""; };
  await asked.done;
  return text;
}"""

POINTS = """(canvas) => [...canvas.getContext("2d").getImageData(0, 0, 32, 32).data]
  .filter((value, at) => at % 4 === 0 && value < 100).length"""
"""How many points of the pad are inked, read from its pixels (light theme)."""
INKED = f"([few, many]) => {{ const n = ({POINTS})(document.querySelector('.ae-pad')); return few < n && n < many; }}"
ARRIVES = f"""async (code) => {{
  const count = ({POINTS})(document.querySelector(".ae-pad"));
  for (let tries = 0; tries < 100 && Number(await ({ASK})(code)) !== count; tries++)
    await new Promise((done) => setTimeout(done, 100));
}}"""
"""Ask the kernel until it has as many points as the pad, or ten seconds and more have passed."""


def test_in_jupyterlab_the_drawing_reaches_python(lab):
    page = lab.open_notebook(lab.write("pad.ipynb", new_notebook(cells=[new_code_cell(LESSON)])), width=1100)
    lab.change_theme(page, "light")
    lab.run_all(page)
    page.locator(".ae-pad").wait_for()
    page.wait_for_function(INKED, arg=[200, 500])  # the first digit, painted once the card is in the page
    page.get_by_role("button", name="Clear").click()
    draw_line(page, (0.5, 0.2), (0.5, 0.8))
    page.wait_for_function(INKED, arg=[40, 200])
    page.evaluate(ARRIVES, "print(int(pad.drawing().sum()))")
    there = page.evaluate(ASK, "print(int(pad.drawing().sum()), pad.seen().ravel().tolist(), pad.error())")
    ink, rest = there.split(" ", 1)
    seen, error = rest.rsplit(" ", 1)
    assert int(ink) == page.locator(".ae-pad").evaluate(POINTS)
    browser = shown(page)
    assert seen == str(browser["seen"].astype(int).tolist())
    assert float(error) == pytest.approx(browser["error"], abs=1e-4)
    lab.shut_down_kernel(page)
    page.get_by_role("button", name="held-out digit 4").click()
    assert "this held-out 4" in page.locator(".ae-says").text_content()
