"""The README's picture: lesson 01's explorer, as a browser shows it. Needs Chromium or Chrome: ``make photograph``."""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from publish.lesson import ROOT, interactives, lessons, read

STUB = Path(__file__).with_name("model_stub.js")
SHOWN = {"latent_dim": 8, "bits": 4}
PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><body style="margin: 8px"><div id="el"></div></body></html>'
MOUNT = """async ([stub, saved]) => {
  const { mount } = await import(URL.createObjectURL(new Blob([stub], { type: "text/javascript" })));
  await mount(saved, document.querySelector("#el"));
}"""


def explorer() -> dict:
    """The saved state of the explorer in lesson 01, its sliders where the picture wants them."""
    (lesson_01,) = lessons("01")
    saved = dict(interactives(read(lesson_01)))["LatentExplorer"]
    return {"state": saved["state"] | SHOWN, "buffers": saved["buffers"]}


def photograph(browser: str, width: int = 960, sharpness: float = 1.5) -> bytes:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport={"width": width, "height": 700}, device_scale_factor=sharpness)
        page.set_content(PAGE)
        page.evaluate(MOUNT, [STUB.read_text(encoding="utf-8"), explorer()])
        page.wait_for_timeout(500)
        image = page.locator(".ae").screenshot()
        chromium.close()
    return image


if __name__ == "__main__":
    browser = next(
        (path for name in ("chromium", "google-chrome", "chrome") if (path := shutil.which(name))), None
    )
    if browser is None:
        sys.exit("No Chromium or Chrome was found on this machine.")
    picture = Image.open(io.BytesIO(photograph(browser))).convert("RGB")
    picture.quantize(220, method=Image.Quantize.MAXCOVERAGE).save(
        ROOT / "figures" / "latent_explorer.png", optimize=True
    )
