"""How soon an interactive paints what the hand drags, and how many of the positions on the way are ever seen.

A real mouse drags each slider to a new position sixty times a second, from one end to the other and back. Each move
waits until the page has taken the one before, so a slow page slows the hand: the pace is printed, and what a position
costs the page's main thread, which depends less on who else uses the machine.

The clock is the page's own: from the time stamp of the pointer's event to the end of the first animation frame that
shows the picture of that position. What is shown is read after each frame in which something changed, as the slider's
number and the sentence (for matplotlib as the image whose ``load`` has fired), and compared with what the slider shows
there at rest. That the pixels of the canvases and the charts belong to those words is checked in a drag of its own
before the clock runs, because to read pixels back takes longer than to draw them. A position that the hand has passed
and no frame has shown was not painted.

First lesson 01's explorer in JupyterLab, beside plain ``interact`` that draws the same rows of digits and one of its
two charts with matplotlib, in turn on the same page; then every slider of every interactive on a plain page, and before
them a bare slider that draws nothing, so that the machine's own part can be told from the interactive's. At the end one
table: how high each card is on a laptop and on a phone, what a position costs beyond the bare slider, how it compares
with that on a processor four times slower, and in which other engines it answers.
"""

from __future__ import annotations

import importlib.util
import inspect
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace

import aelib  # noqa: F401  isort: skip  (settles the threads before torch is loaded)

import numpy as np
import pytest
import traitlets
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import JSHandle, Locator, Page

from aelib.widgets.base import Interactive
from publish.lesson import interactives, lessons, read
from tests.browser.engines import ENGINES, HEIGHT, READY, WAYS, WIDTH, Engine, answers, write_page

HERE = Path(__file__).resolve().parent
CONFTEST = HERE.parent / "browser" / "conftest.py"
KS = (*range(1, 17), 20, 24, 32, 48, 64)
MEDIA = ("images", "music", "text")  # a playing clip is never at rest
MOVES_A_SECOND, ROUNDS = 60, 3
AT_MOST = 33  # positions of one slider, evenly spaced
THUMB = 24  # px, in base.css
SETTLED = 1500  # ms: no hand comes while the browser starts the page's process and ends the one before
SLOWER = 4  # times, by Chromium's own throttle
P95, TIMES = 25, 10  # what is wanted, in ms and times as fast as interact

# ---- in the page -------------------------------------------------------------------------------------------------

# asked: [time of the pointer's event, position], painted: [end of a frame in which something changed, the words that it
# shows, and, if they are asked for, its pixels].
PROBE = """([slider, root]) => {
  const native = slider.matches("input");
  const probe = { asked: [], painted: [], pixels: false };
  let [pointed, waiting] = [0, false];
  for (const name of ["pointerdown", "pointermove"]) addEventListener(name, (event) => { pointed = event.timeStamp; }, true);
  probe.position = () => Number(native ? slider.value : slider.getAttribute("aria-valuenow"));
  const ask = () => probe.asked.push([pointed, probe.position()]);
  const ink = (canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const words = new Uint32Array(data.buffer);
    let hash = 7;
    for (let at = 0; at < words.length; at += 1) hash = Math.imul(hash ^ words[at], 16777619);
    return hash;
  };
  const drawn = (svg) => svg.innerHTML.replace(/url\\([^)]*\\)|id="[^"]*"/g, "");
  const part = (node) => node.matches("canvas") ? ink(node) : node.matches("svg") ? drawn(node) : node.textContent;
  const visible = () => [...root.querySelectorAll("canvas, svg, .ae-says")].filter((node) => node.checkVisibility({ visibilityProperty: true }) && node.width !== 0);
  probe.look = () => visible().map(part).join();
  const words = () => [...root.querySelectorAll(".ae-value, .ae-says")].map((node) => node.textContent).join();
  probe.read = () => (native ? `${slider.value}: ${words()}` : root.querySelector("img")?.src);

  const channel = new MessageChannel();
  channel.port1.onmessage = () => { waiting = false; probe.painted.push([performance.now(), probe.read(), probe.pixels && probe.look()]); };
  const frame = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => channel.port2.postMessage(0));
  };
  if (native) {
    slider.addEventListener("input", ask);
    new MutationObserver(frame).observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
  } else {
    new MutationObserver(ask).observe(slider, { attributeFilter: ["aria-valuenow"] });
    root.addEventListener("load", frame, true);
  }
  return probe;
}"""
FORGET = "probe => { probe.asked.length = probe.painted.length = 0; }"
READ = "({ asked, painted }) => ({ asked, painted })"
ARRIVED = "([probe, shown]) => probe.painted.some(([, seen]) => seen === shown)"
CHANGED = "([probe, before]) => probe.painted.some(([, seen]) => seen && seen !== before)"
AT_REST = """async ([probe, slider, values]) => {
  const seen = [];
  for (const value of values) {
    slider.value = value;
    slider.dispatchEvent(new Event("input"));
    await new Promise((resolve) => setTimeout(resolve));
    seen.push([probe.read(), probe.pixels && probe.look()]);
  }
  return seen;
}"""
PIXELS = "([probe, wanted]) => { probe.pixels = wanted; }"
NATIVE_RANGE = "({ min, max, step }) => [min, max, step].map(Number)"


@dataclass
class Drag:
    """One slider on a page: where its positions lie, what each shows at rest, and the times of all its rounds."""

    page: Page
    slider: Locator
    root: Locator
    values: list[float]
    probe: JSHandle
    places: Callable[[Drag], tuple[list[float], float]]
    at_rest: list[str] = field(default_factory=list)
    pixels_at_rest: list[str] = field(default_factory=list)
    rounds: list[tuple[float, float, int]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    n_moves: int = 0
    turned: bool = False

    def there_and_back(self, times: int) -> None:
        """One round: as many drags from end to end, and what they took."""
        latencies = [latency for _ in range(times) for latency in self.once()]
        painted = np.array([latency for latency in latencies if latency is not None])
        self.n_moves = len(latencies)
        self.rounds.append((np.median(painted), np.percentile(painted, 95), len(painted)))

    def once(self) -> list[float | None]:
        """From the end where the slider stands to the other: each new position's ms until it is painted, or None."""
        order = [*range(len(self.values))][:: -1 if self.turned else 1]
        xs, y = self.in_view()
        self.page.evaluate(FORGET, self.probe)
        with cpu_clock(self.page) as cpu:
            before = cpu()
            self.seconds.append(move(self.page, [xs[index] for index in order], y))
            self.cpu.append(cpu() - before)
        self.page.wait_for_function(ARRIVED, arg=[self.probe, self.at_rest[order[-1]]])
        self.turned = not self.turned
        seen = self.page.evaluate(READ, self.probe)
        self.check_pixels(seen["painted"])
        asked = {position: at for at, position in seen["asked"]}
        return [latency(asked.get(self.values[k]), self.at_rest[k], seen["painted"]) for k in order[1:]]

    def check_pixels(self, painted: list[list]) -> None:
        """Each frame whose pixels were read shows those that belong to its words."""
        belong = dict(zip(self.at_rest, self.pixels_at_rest, strict=False))
        wrong = [words for _, words, pixels in painted if pixels and belong.get(words, pixels) != pixels]
        assert not wrong, f"the picture lags behind the words: {wrong[0]}"

    def in_view(self) -> tuple[list[float], float]:
        """Where the hand finds each position, and the slider's height on the page, which has been scrolled to it."""
        self.root.scroll_into_view_if_needed()
        return self.places(self)

    def figures(self) -> tuple[float, float, float]:
        """Median and p95 in ms, and how many positions of a round were painted: medians over the rounds."""
        return tuple(np.median(self.rounds, axis=0))


def latency(asked: float | None, shown: str, painted: list[list]) -> float | None:
    if asked is None:
        return None
    return next((at - asked for at, seen, _ in painted if at >= asked and seen == shown), None)


@contextmanager
def cpu_clock(page: Page) -> Iterator[Callable[[], float]]:
    """A clock that tells how many seconds the page's main thread has computed, whatever else the machine did."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    yield read
    session.detach()


def move(page: Page, xs: list[float], y: float) -> float:
    """Press at the first place, be at the next one each sixtieth of a second, let go at the last: the seconds it took."""
    page.mouse.move(xs[0], y)
    page.mouse.down()
    started = time.perf_counter()
    for step, x in enumerate(xs[1:], start=1):
        time.sleep(max(0.0, started + step / MOVES_A_SECOND - time.perf_counter()))
        page.mouse.move(x, y)
    taken = time.perf_counter() - started
    page.mouse.up()
    return taken


def native(page: Page, slider: Locator, root: Locator) -> Drag:
    """An interactive's own slider, `<input type="range">`."""
    low, high, step = slider.evaluate(NATIVE_RANGE)
    n_positions = round((high - low) / step) + 1
    values = [round(low + step * k, 9) for k in range(0, n_positions, math.ceil(n_positions / AT_MOST))]
    drag = Drag(
        page, slider, root, values, probe(page, slider, root), partial(native_places, low=low, high=high)
    )
    start = float(slider.input_value())
    page.evaluate(PIXELS, [drag.probe, True])
    drag.at_rest, drag.pixels_at_rest = zip(*put(drag, values), strict=True)
    put(drag, values[:1])
    drag.once()
    put(drag, [start])
    page.evaluate(PIXELS, [drag.probe, False])
    drag.seconds, drag.cpu, drag.turned = [], [], False
    return drag


def native_places(drag: Drag, low: float, high: float) -> tuple[list[float], float]:
    box = drag.slider.bounding_box()
    room = box["width"] - THUMB
    xs = [box["x"] + THUMB / 2 + room * (value - low) / (high - low) for value in drag.values]
    return xs, box["y"] + box["height"] / 2


def probe(page: Page, slider: Locator, root: Locator) -> JSHandle:
    return page.evaluate_handle(PROBE, [slider.element_handle(), root.element_handle()])


def put(drag: Drag, values: list[float]) -> list[tuple[str, str]]:
    """Set a native slider without a hand; the words and the pixels that it shows at each value."""
    return drag.page.evaluate(AT_REST, [drag.probe, drag.slider.element_handle(), values])


def plain_interact(page: Page, root: Locator) -> Drag:
    """The slider of ipywidgets (noUiSlider); what it shows at rest is learned by a slow hand."""
    handle, track = root.locator(".noUi-handle"), root.locator(".noUi-base")
    values = [float(index) for index in range(len(KS))]

    def places(drag: Drag) -> tuple[list[float], float]:
        box, grip = track.bounding_box(), handle.bounding_box()
        return [box["x"] + box["width"] * v / values[-1] for v in values], grip["y"] + grip["height"] / 2

    drag = Drag(page, handle, root, values, probe(page, handle, root), places)
    drag.at_rest = slowly(drag)
    drag.turned = True
    return drag


def slowly(drag: Drag) -> list[str]:
    xs, y = drag.in_view()
    seen = [drag.page.evaluate("probe => probe.read()", drag.probe)]
    drag.page.mouse.move(xs[0], y)
    drag.page.mouse.down()
    for x in xs[1:]:
        drag.page.evaluate(FORGET, drag.probe)
        drag.page.mouse.move(x, y)
        drag.page.wait_for_function(CHANGED, arg=[drag.probe, seen[-1]])
        seen.append(drag.page.evaluate("probe => probe.read()", drag.probe))
    drag.page.mouse.up()
    return seen


# ---- the explorer and interact, in JupyterLab --------------------------------------------------------------------

TRAIN = f"""
import aelib
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import SelectionSlider, interact
from aelib.data import digits
from aelib.models import Autoencoder
from aelib.training import fit_many
from aelib.widgets.latent_explorer import LatentExplorer

ks = {list(KS)}
models = [Autoencoder(64, k) for k in ks]
fit_many(models, digits(), epochs=4, seeds=[0] * len(ks), lr=1e-2, progress=False)
explorer = LatentExplorer.from_models(digits(), dict(zip(ks, models)))
errors = explorer.array("errors")[:, :, -1]
pictures = {{}}
for explorer.latent_dim in ks:
    rows = explorer.pictures()
    pictures[explorer.latent_dim] = [*rows.values(), abs(rows["autoencoder"] - rows["input"])]
explorer.latent_dim = 1
"""
INTERACT = """
def redraw(K):
    figure, axes = plt.subplot_mosaic([[row, "curves"] for row in range(4)], figsize=(10, 3), width_ratios=(2, 1))
    for row, images in enumerate(pictures[K]):
        axes[row].imshow(np.hstack(images.reshape(-1, 8, 8)), cmap="gray_r", vmin=0, vmax=1)
        axes[row].axis("off")
    for (train, held_out), colour in zip(errors, ("tab:blue", "tab:gray")):
        axes["curves"].semilogx(ks, held_out, color=colour)
        axes["curves"].semilogx(ks, train, "--", color=colour)
        axes["curves"].plot(K, held_out[ks.index(K)], "o", color=colour)
    axes["curves"].axvline(K)
    plt.show()

interact(redraw, K=SelectionSlider(options=ks));
"""


def both() -> NotebookNode:
    return new_notebook(cells=[new_code_cell(source) for source in (TRAIN, "explorer", INTERACT)])


def in_jupyterlab(lab) -> None:
    page = lab.open_notebook(lab.write("bench.ipynb", both()), height=1200)
    lab.run_all(page)
    interact = page.locator(".widget-interact")
    interact.locator("img").wait_for()
    card = page.locator(".ae-card")
    drags = {
        "explorer": native(page, card.get_by_role("slider", name="Code size K"), card),
        "interact": plain_interact(page, interact),
    }
    for _ in range(ROUNDS):
        for drag in drags.values():
            drag.there_and_back(4)
    for name, drag in drags.items():
        print(f"  {name:42s}{line(drag)}", flush=True)
    ratios = np.divide(*(np.array(drags[name].rounds)[:, :2] for name in ("interact", "explorer")))
    median, p95 = np.median(ratios, axis=0)
    print(f"  the explorer is {median:.1f} times as fast as interact, {p95:.1f} at p95 (wanted: {TIMES})")


def cost(drag: Drag) -> float:
    """ms of the page's main thread for each position."""
    return 1000 * np.median(drag.cpu) / (len(drag.values) - 1)


def line(drag: Drag) -> str:
    median, p95, painted = drag.figures()
    pace, cpu = (len(drag.values) - 1) / np.median(drag.seconds), cost(drag)
    shown = f"median {median:5.1f} ms, p95 {p95:5.1f} ms, painted {painted:3.0f} of {drag.n_moves}"
    return f"{shown}  ({pace:.0f} a second, {cpu:.1f} ms of CPU each)"


# ---- every interactive, on plain pages ---------------------------------------------------------------------------


class Bare(Interactive, script="bare_slider", title="Bare slider", folder=HERE):
    """A slider and a sentence."""

    position = traitlets.Int(0).tag(sync=True)


@dataclass
class Card:
    """What is measured of one interactive; times in ms, of its slowest slider."""

    name: str
    heights: tuple[float, float]
    cpu: float = 0.0
    slowed: tuple[float, float] = (0.0, 0.0)
    engines: str = ""

    def row(self, bare: Card) -> str:
        median, p95 = (slow / plain for slow, plain in zip(self.slowed, bare.slowed, strict=True))
        high, narrow = self.heights
        return (
            f"  {self.name:32s}{high:8.0f}{narrow:8.0f}{self.cpu - bare.cpu:10.1f}"
            f"{median:10.2f}{p95:8.2f}   {self.engines}"
        )


HEADER = (
    f"  {'card':32s}{'at 850':>8s}{'at 390':>8s}{'own cost':>10s}{'median':>10s}{'p95':>8s}   engines\n"
    f"  {'':32s}{'px':>8s}{'px':>8s}{'ms CPU':>10s}{'4x slower, / bare':>18s}   mouse, touch, keys"
)


def on_plain_pages(plain_page, saved_state: Callable[[Interactive], dict]) -> None:
    missed, cards, all_saved = [], [], dict(saved_interactives())
    for name, saved in (("nothing drawn", saved_state(Bare())), *all_saved.items()):
        drags, slowed = measured(plain_page, name, saved)
        for label, drag in drags.items():
            print(f"  {label:42s}{line(drag)}", flush=True)
            _, p95, painted = drag.figures()
            missed += [label] if p95 > P95 or painted < drag.n_moves else []
        heights = tuple(height(plain_page, saved, width) for width in (850, 390))
        cpu = max((cost(drag) for drag in drags.values()), default=math.nan)
        cards.append(Card(name, heights, cpu, max(slowed, default=(math.nan, math.nan))))
    print(f"  p95 above {P95} ms, or a position not painted: {'; '.join(missed) or 'none'}")
    in_other_engines(all_saved, cards)
    print(HEADER, *(card.row(cards[0]) for card in cards), sep="\n", flush=True)


def height(plain_page, saved: dict, width: int) -> float:
    page = plain_page.mount_saved(saved, width=width + 16, height=844, own=True)
    tall = page.locator(".ae-card").bounding_box()["height"]
    page.context.close()
    return tall


def in_other_engines(saved: dict[str, dict], cards: list[Card]) -> None:
    """Note of each card in which engines it answers, and in which ways it does not."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        write_page(file, saved)
        for name, start in ENGINES.items():
            try:
                with start() as engine:
                    engine.open(file, WIDTH, HEIGHT)
                    engine.run(READY)
                    for card in cards[1:]:
                        card.engines += f"{name}{silent(engine, card.name)} "
            except LookupError as missing:
                print(f"  skipped: {missing}")


def silent(engine: Engine, name: str) -> str:
    """The ways in which the interactive does not answer, as "(not touch)"."""
    failed = []
    for way in WAYS:
        engine.run(f"show({name!r})")
        failed += [] if answers(engine, way) else [way]
    return f" (not {', '.join(failed)})" if failed else ""


def saved_interactives() -> Iterator[tuple[str, dict]]:
    """Every interactive, as the lessons saved it, and each medium of the one that has several."""
    for path in lessons():
        for name, saved in interactives(read(path)):
            state = saved["state"]
            if name != "Choice":
                for medium in MEDIA if "medium" in state else [""]:
                    chosen = state | ({"medium": medium} if medium else {})
                    yield f"{path.stem[:2]} {name} {medium}".strip(), saved | {"state": chosen}


def measured(plain_page, name: str, saved: dict) -> tuple[dict[str, Drag], list[tuple[float, float]]]:
    """Every slider, in each round on a new page: what an interactive keeps of earlier positions does not help it.

    Then the median and the p95 of each, with the page's processor slowed down four times.
    """
    page, sliders = mounted(plain_page, saved)
    drags = {
        f"{name}, {label_of(slider)}": native(page, slider, page.locator(".ae-card")) for slider in sliders
    }
    for _ in range(ROUNDS):
        page.context.close()
        page, sliders = mounted(plain_page, saved)
        for drag, slider in zip(drags.values(), sliders, strict=True):
            a_round(drag, page, slider)
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    slow = [replace(drag, rounds=[], seconds=[], cpu=[]) for drag in drags.values()]
    for drag, slider in zip(slow, sliders, strict=True):
        a_round(drag, page, slider)
    page.context.close()
    return drags, [drag.figures()[:2] for drag in slow]


def mounted(plain_page, saved: dict) -> tuple[Page, list[Locator]]:
    page = plain_page.mount_saved(saved, width=1100, height=1300, own=True)
    page.wait_for_timeout(SETTLED)
    return page, page.locator("input[type=range]:visible").all()


def label_of(slider: Locator) -> str:
    return slider.evaluate("slider => slider.labels[0].textContent")


def a_round(drag: Drag, page: Page, slider: Locator) -> None:
    """On this page, from the slider's lower end; afterwards it stands where it stood."""
    drag.page, drag.slider, drag.root = page, slider, page.locator(".ae-card")
    drag.probe, drag.turned = probe(page, slider, drag.root), False
    start = float(slider.input_value())
    put(drag, drag.values[:1])
    drag.there_and_back(math.ceil(24 / (len(drag.values) - 1)))
    put(drag, [start])


# ---- together ----------------------------------------------------------------------------------------------------


def browser_tests() -> ModuleType:
    """What the browser tests start JupyterLab and plain pages with."""
    spec = importlib.util.spec_from_file_location("browser_tests", CONFTEST)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measure(shared: ModuleType, folder: str) -> None:
    with ExitStack() as stack:

        def start(name: str, *needs: object) -> object:
            return stack.enter_context(contextmanager(inspect.unwrap(getattr(shared, name)))(*needs))

        browser = start("browser")
        server = start("jupyter_server", SimpleNamespace(mktemp=lambda name: Path(folder)))
        in_jupyterlab(start("lab", browser, server))
        say_load("between")
        plain_page = start("plain_page", start("shelf", browser), lambda kind, name: None)
        on_plain_pages(plain_page, shared.saved_state)


def say_load(when: str) -> None:
    print(f"  load {when}: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)


def main() -> None:
    say_load("before")
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            measure(browser_tests(), folder)
    except pytest.skip.Exception as reason:
        print(f"  skipped: {reason}")
    say_load("after")


if __name__ == "__main__":
    main()
