"""Photographs of interactives, as a browser shows them: for pages that run no JavaScript. Needs Chromium or Chrome.

    python -m publish.photograph       the README's picture: lesson 01's explorer

`publish.execute` photographs every interactive of a lesson that it has run. Title and sentence of an interactive are
its text alternative, so that the two cannot disagree.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from nbformat import NotebookNode
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from publish.lesson import ROOT, VIEW_KEY, cells, interactives, lessons, read, widget_states

STUB = Path(__file__).with_name("model_stub.js")
BROWSERS = (
    *("chromium-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome", "google-chrome-stable", "chrome"),
)
"""The first is Chromium without its window: a page opens with a quarter of the work."""
INSTALLED = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
PNG = "image/png"
WIDTH, SHARPNESS = 850, 1
COLOURS, GREY = 190, 8
"""Colours beside the greys; and how far, of 255, the red, green and blue of a grey may lie apart."""
NOTE = "This is a picture. Run this cell in JupyterLab, and you can touch it."
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><style>
body { margin: 0; background: #fff } #room { padding: 8px }
#note { margin: 6px 2px 0; font: 13px system-ui, "DejaVu Sans", sans-serif; color: #555d68 }
</style><body><div id="room"><div id="el"></div><p id="note"></p></div></body></html>"""
MOUNT = """async ([stub, saved, note]) => {
  const { mount } = await import(URL.createObjectURL(new Blob([stub], { type: "text/javascript" })));
  document.querySelector("#note").textContent = note;
  await mount(saved, document.querySelector("#el"));
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  await document.fonts.ready;
  for (let frames = 0; frames < 4; frames += 1) await frame();
}"""
WORDS = """() => {
  const parts = ".ae-title, .ae-heading, .ae-asked, .ae-pick, .ae-says, .ae-foot .ae-note";
  const said = [...document.querySelectorAll(parts)].map((part) => part.innerText.replace(/\\s+/g, " ").trim());
  return said.filter(Boolean).map((text) => (/[.?!:…]$/.test(text) ? text : `${text}.`)).join(" ");
}"""


def find_browser() -> str | None:
    """Path of Chromium or Chrome on this machine."""
    on_path = (shutil.which(name) for name in BROWSERS)
    return next((path for path in (*on_path, *INSTALLED) if path and Path(path).exists()), None)


@contextmanager
def camera() -> Iterator[Browser]:
    """A browser to take pictures with; without one a SystemExit that says so."""
    path = find_browser()
    if path is None:
        raise SystemExit(
            "No Chromium or Chrome was found on this machine: interactives cannot be photographed."
        )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


def mounted(browser: Browser, saved: dict, width: int, sharpness: float, note: str = "") -> Page:
    """A page with one saved interactive on it, drawn."""
    page = browser.new_page(viewport={"width": width, "height": 700}, device_scale_factor=sharpness)
    page.set_content(PAGE)
    page.evaluate(MOUNT, [STUB.read_text(encoding="utf-8"), saved, note])
    return page


def photograph(browser: Browser, saved: dict) -> tuple[bytes, dict]:
    """PNG of a saved interactive, and the size in CSS pixels and the words that belong to it."""
    page = mounted(browser, saved, WIDTH, SHARPNESS, NOTE)
    room = page.locator("#room")
    box, words = room.bounding_box(), page.evaluate(WORDS)
    image = with_palette(room.screenshot())
    page.close()
    return image, {"width": round(box["width"]), "height": round(box["height"]), "alt": words}


def with_palette(png: bytes) -> bytes:
    """The picture in 256 colours at most: greys stay grey, in 65 steps, and the other colours share the rest."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    is_grey = np.ptp(pixels, axis=2) <= GREY
    few = (
        np.repeat(np.rint(pixels.mean(axis=2, keepdims=True) / 4) * 4, 3, axis=2)
        .clip(0, 255)
        .astype(np.uint8)
    )
    if not is_grey.all():
        colours = Image.fromarray(pixels[~is_grey][None])
        colours = colours.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few[~is_grey] = np.asarray(colours.convert("RGB"))[0]
    out = io.BytesIO()
    indexed(few).save(out, "PNG", optimize=True)
    return out.getvalue()


def indexed(pixels: np.ndarray) -> Image.Image:
    """Pixels (rows, columns, 3) of 256 colours at most as a picture with a palette, each colour as it is."""
    codes, index = np.unique(pixels.astype(np.uint32) @ [1 << 16, 1 << 8, 1], return_inverse=True)
    image = Image.fromarray(index.reshape(pixels.shape[:2]).astype(np.uint8))
    image.putpalette(
        np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(np.uint8).tobytes()
    )
    return image


def photograph_all(notebook: NotebookNode, before: NotebookNode, browser: Browser) -> None:
    """Put a picture beside each interactive that the outputs show; what shows as in `before` keeps its picture."""
    kept = {
        output.metadata[PNG]["of"]: output for output in views(before) if "of" in output.metadata.get(PNG, {})
    }
    for output in views(notebook):
        model = widget_states(notebook).get(output.data[VIEW_KEY]["model_id"], {})
        if not model.get("state", {}).get("_anywidget_id", "").startswith("aelib."):
            continue
        state = hashlib.sha256(json.dumps(model, sort_keys=True).encode()).hexdigest()
        if state in kept:
            output.data[PNG], about = kept[state].data[PNG], kept[state].metadata[PNG]
        else:
            saved = {"state": model["state"], "buffers": model.get("buffers", [])}
            image, about = photograph(browser, saved)
            output.data[PNG] = base64.b64encode(image).decode("ascii")
        output.metadata[PNG] = NotebookNode(about, of=state)
        output.data["text/plain"] = about["alt"]


def views(notebook: NotebookNode) -> list[NotebookNode]:
    """The outputs that show a widget."""
    shown = [output for cell in cells(notebook, "code") for output in cell.outputs]
    return [output for output in shown if VIEW_KEY in output.get("data", {})]


def readme_picture() -> bytes:
    """The explorer of lesson 01, its sliders where the picture wants them."""
    (lesson_01,) = lessons("01")
    saved = dict(interactives(read(lesson_01)))["LatentExplorer"]
    state = saved["state"] | {"latent_dim": 8, "bits": 4}
    with camera() as browser:
        page = mounted(browser, {"state": state, "buffers": saved["buffers"]}, 976, 1.5)
        return with_palette(page.locator(".ae").screenshot())


if __name__ == "__main__":
    (ROOT / "figures" / "latent_explorer.png").write_bytes(readme_picture())
