"""A real browser, a private JupyterLab, and plain pages that hold one interactive.

lab         opens notebooks in a JupyterLab of its own (loopback, random port and token, temporary folders):

                page = lab.open_notebook("01_compression_trade_off.ipynb", theme="dark", width=500)
                lab.run_all(page)                  # waits for the kernel; a failing cell fails the test
                page.locator("#my-slider").focus() # plain Playwright from here on
                lab.shut_down_kernel(page)         # interactives go on without it
                lab.change_theme(page, "light")

plain_page  mounts one interactive, without a kernel, in an empty page:

                page = plain_page.mount(Pad(...), width=320, theme="dark", touch=True)
                page.evaluate("model.get('value')"), page.evaluate("model.saved.at(-1)")
                page.evaluate("drawn()")           # waits until what was changed is seen

At the end of each test both assert that nothing was asked of another machine and that no error reached the
console (`lab.watch`, `plain_page.watch`).

AELIB_LATE=150 has every frame, observer and timer of every page come 150 ms late; AELIB_THROTTLE=4 slows the pages'
processor four times (`make test-late` does both, one after the other).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from ipywidgets import Widget
from ipywidgets.widgets.widget import _remove_buffers
from nbformat import NotebookNode
from nbformat.sign import NotebookNotary
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from aelib.kernels.provisioner import template
from publish.photograph import find_browser
from tests.browser.engines import ENGINES, FINDINGS_ONLY, Engine

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NOTEBOOKS = ROOT / "notebooks"
STUB = (ROOT / "publish" / "model_stub.js").read_text(encoding="utf-8")
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
NO_BROWSER = (
    "no Chromium or Chrome was found: install one (Debian, Ubuntu: sudo apt-get install chromium; "
    "macOS: brew install --cask chromium; Windows: Google Chrome) and the interactives are tested too"
)
JUPYTERLAB_SAYS = (
    "widget model not found",
    "Canceled future for",
    "debugger state",
    "Could not send widget sync message Error: Cannot send",
    "[anywidget] Failed to initialize model.",
)
"""Not ours: JupyterLab may draw an output before a notebook's models are back, and draws it again; it may still wait
for answers of a kernel that a test shuts down; and what is dragged then cannot be sent, now or when the next test has
begun. On a busy machine anywidget 0.11 says that it gave up waiting after two seconds, and draws the interactive all
the same."""
KERNEL_LIST = "/api/kernels"
"""Not ours: asked for its kernels while one is being started, jupyter_server 2.21 fails with status 500 (that one has
no `last_activity` yet); JupyterLab asks again."""
DRAWN = """window.drawn = () =>
  new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))));"""
"""On every page, `await drawn()` waits until what was changed is seen: a frame tells the interactives their widths,
and they draw."""
LATE, THROTTLE = int(os.environ.get("AELIB_LATE", 0)), float(os.environ.get("AELIB_THROTTLE", 1))
HINDER = (HERE / "late.js").read_text(encoding="utf-8").replace("LATE = 0", f"LATE = {LATE}")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium or Chrome; without one skip, or fail where AELIB_REQUIRE_BROWSER is set."""
    path = find_browser()
    if path is None:
        (pytest.fail if os.environ.get("AELIB_REQUIRE_BROWSER") else pytest.skip)(NO_BROWSER)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Firefox, and then WebKit; without one skip, or fail where AELIB_REQUIRE_BROWSER is set."""
    try:
        with ENGINES[request.param]() as started:
            yield started
    except LookupError as missing:
        (pytest.fail if os.environ.get("AELIB_REQUIRE_BROWSER") else pytest.skip)(str(missing))


@dataclass
class Watch:
    """What the pages of one test asked for and complained about."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def forget(self) -> None:
        """Begin anew, for the next test on the same pages."""
        for noted in (self.requests, self.errors, self.expected):
            noted.clear()

    def follow(self, context: BrowserContext) -> None:
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("weberror", lambda error: self._note(str(error.error)))
        context.on("console", self._hear)
        context.on("page", lambda page: page.on("websocket", lambda link: self.requests.append(link.url)))

    def _hear(self, said: ConsoleMessage) -> None:
        listing = "status of 500" in said.text and urlsplit(said.location["url"]).path == KERNEL_LIST
        if said.type == "error" and not listing:
            self._note(said.text)

    def _note(self, error: str) -> None:
        if not any(words in error for words in JUPYTERLAB_SAYS):
            self.errors.append(error)

    @property
    def outside(self) -> list[str]:
        """Requests that would have left the machine."""
        split = ((url, urlsplit(url)) for url in self.requests)
        return [url for url, parts in split if parts.hostname not in (None, "127.0.0.1")]

    def assert_quiet(self) -> None:
        assert not self.outside, "something was asked of another machine"
        surprising = [error for error in self.errors if not error.startswith(tuple(self.expected))]
        assert not surprising, "the browser's console shows errors"


def hindered(page: Page) -> Page:
    """The page, its processor slowed if AELIB_THROTTLE asks for it."""
    if THROTTLE > 1:
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
    return page


@dataclass
class Pages:
    """Opens pages of a given size, theme and pointer, and closes them."""

    browser: Browser
    watch: Watch = field(default_factory=Watch)
    contexts: list[BrowserContext] = field(default_factory=list)

    def new_context(self, width: int, height: int, theme: str, touch: bool) -> BrowserContext:
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, has_touch=touch, is_mobile=touch
        )
        context.set_default_timeout(30_000)
        if LATE:
            context.add_init_script(HINDER)
        context.add_init_script(DRAWN)
        self.watch.follow(context)
        self.contexts.append(context)
        return context

    def new_page(self, width: int, height: int, theme: str, touch: bool) -> Page:
        return hindered(self.new_context(width, height, theme, touch).new_page())

    def new_empty(self, *how: Any) -> Page:
        """A plain page with nothing in it."""
        page = self.new_page(*how)
        page.goto(EMPTY)
        return page

    def close(self) -> None:
        for context in self.contexts:
            context.close()


# ---- one interactive on an empty page ----------------------------------------------------------------------


def saved_state(widget: Widget) -> dict:
    """What a saved notebook holds of a widget: its state, and its bytes in base64 with their paths."""
    state, paths, buffers = _remove_buffers(widget.get_state())
    packed = [
        {"path": path, "data": base64.b64encode(buffer).decode()}
        for path, buffer in zip(paths, buffers, strict=True)
    ]
    return {"state": state, "buffers": packed}


PLAIN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Interactive</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>html { color-scheme: light dark } body { margin: 8px }</style>
<body><main><div id="el"></div></main></body></html>"""
EMPTY = f"data:text/html;charset=utf-8,{quote(PLAIN)}"

MOUNT = """async ([stub, saved]) => {
  const { mount } = await import(URL.createObjectURL(new Blob([stub], { type: "text/javascript" })));
  window.el = document.querySelector("#el");
  Object.assign(window, await mount(saved, window.el));
  await drawn();
}"""

SAVED = """(values) => {
  const saved = Object.assign({}, ...model.saved);
  return Object.keys(values).every((name) => saved[name] === values[name]);
}"""


@dataclass
class Shelf(Pages):
    """Plain pages with nothing in them, for the next test of this worker: to open one costs more than most tests."""

    free: dict[bool, list[Page]] = field(default_factory=lambda: {True: [], False: []})
    lent: dict[Page, bool] = field(default_factory=dict)

    def lend(self, width: int, height: int, theme: str, touch: bool) -> Page:
        free = self.free[touch]
        page = free.pop() if free else self.new_empty(width, height, theme, touch)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=theme)
        page.mouse.move(0, 0)
        self.lent[page] = touch
        return page

    def take_back(self, page: Page) -> None:
        """Another document, so that nothing of the last one goes on; a page that the test closed is gone."""
        touch = self.lent.pop(page)
        if not page.is_closed():
            page.goto(EMPTY)
            self.free[touch].append(page)


@dataclass
class PlainPages(Pages):
    tally: Callable[[str, str], None] = lambda kind, name: None
    shelf: Shelf | None = None

    def mount(self, widget: Widget, **how: Any) -> Page:
        """A page with the widget drawn in it; window.model, window.el and window.cleanup are its parts.

        how: width, height, theme, touch, and own=True for a test that changes more of its page than these.
        """
        page = self.mount_saved(saved_state(widget), **how)
        self.tally("interactives exercised", type(widget).__name__)
        return page

    def mount_saved(
        self,
        saved: dict,
        *,
        width: int = 900,
        height: int = 800,
        theme: str = "light",
        touch: bool = False,
        own: bool = False,
    ) -> Page:
        """The same from what a saved notebook holds of a widget."""
        page = (self.new_empty if own else self.shelf.lend)(width, height, theme, touch)
        page.evaluate(MOUNT, [STUB, saved])
        return page

    def close(self) -> None:
        super().close()
        for page in list(self.shelf.lent):
            self.shelf.take_back(page)

    def wait_until_saved(self, page: Page, **values: object) -> None:
        """Wait until these values are the last that the interactive sent to its kernel."""
        page.wait_for_function(SAVED, arg=values)


@pytest.fixture(scope="session")
def shelf(browser: Browser) -> Iterator[Shelf]:
    pages = Shelf(browser)
    yield pages
    pages.close()


@pytest.fixture
def plain_page(shelf: Shelf, tally) -> Iterator[PlainPages]:
    shelf.watch.forget()
    pages = PlainPages(shelf.browser, shelf.watch, tally=tally, shelf=shelf)
    yield pages
    pages.close()
    pages.watch.assert_quiet()


@pytest.fixture
def accessible(tally) -> Callable[..., None]:
    """accessible(page, context=".ae"): axe finds nothing to mend there; what it finds is counted in the closing summary."""

    def check(page: Page, context: str = ".ae") -> None:
        found = Axe().run(page, context=context, options=FINDINGS_ONLY).response["violations"]
        for one in found:
            if one["impact"] in ("serious", "critical"):
                tally("serious accessibility findings", f"{one['id']} on {page.title()}")
        assert [one["id"] for one in found] == []

    return check


# ---- JupyterLab --------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass(frozen=True)
class Server:
    """A running JupyterLab; `root` holds a copy of the notebooks, `environment` its private folders."""

    url: str
    token: str
    root: Path
    environment: dict[str, str]

    def ask(self, method: str, path: str) -> bytes:
        """Ask the server's own interface, such as GET status."""
        request = urllib.request.Request(f"{self.url}/api/{path}", method=method)
        request.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()


def private_environment(folder: Path) -> dict[str, str]:
    places = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    own = {f"JUPYTER_{place}": str(folder / place.lower()) for place in places}
    own |= {
        f"JUPYTERLAB_{place}": str(folder / place.lower()) for place in ("SETTINGS_DIR", "WORKSPACES_DIR")
    }
    return {
        **os.environ,
        **own,
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_TOKEN": secrets.token_hex(16),
    }


def lab_command(root: Path, settings: Path, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--ServerApp.root_dir={root}", f"--LabApp.app_settings_dir={settings}", "--LabApp.news_url=None"),
        *(
            "--LabApp.extension_manager=readonly",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ),
    ]


def wait_until_up(server: Server, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        try:
            server.ask("GET", "status")
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def jupyter_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("jupyter")
    root, settings, log = folder / "notebooks", folder / "settings", folder / "server.log"
    shutil.copytree(NOTEBOOKS, root, ignore=shutil.ignore_patterns(".*"))
    settings.mkdir()
    shutil.copy(ROOT / "publish" / "overrides.json", settings)
    environment, port = private_environment(folder), free_port()
    server = Server(f"http://127.0.0.1:{port}", environment["JUPYTER_TOKEN"], root, environment)
    with log.open("w") as out, template() as variables:  # as `make lab` does
        command = lab_command(root, settings, port)
        process = subprocess.Popen(command, env=environment | variables, stdout=out, stderr=out, cwd=folder)
        try:
            wait_until_up(server, process, log)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


READY = """(path) => {
  const app = window.jupyterapp, panel = app?.shell.currentWidget;
  return panel?.context?.path === path && panel.context.isReady && panel.sessionContext.isReady
    && panel.sessionContext.session?.kernel?.status === "idle"
    && ["notebook:run-all-cells", "apputils:change-theme"].every((name) => app.commands.hasCommand(name));
}"""
RUN_ALL = """() => {
  window.ranAll = false;
  window.jupyterapp.commands.execute("notebook:run-all-cells").finally(() => { window.ranAll = true; });
}"""
HAS_RUN = """() => {
  const { sessionContext } = window.jupyterapp.shell.currentWidget;
  return window.ranAll && sessionContext.session?.kernel?.status === "idle";
}"""
FAILED_CELLS = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
  .flatMap((cell) => (cell.type === "code" ? cell.outputs.toJSON() : []))
  .filter((output) => output.output_type === "error")
  .map((output) => `${output.ename}: ${output.evalue}`)"""
OPEN = """(path) => { window.jupyterapp.commands.execute("docmanager:open", { path }); }"""
CLOSE_ALL = """async () => {
  for (const open of [...(window.jupyterapp?.shell.widgets("main") ?? [])]) {
    await open.sessionContext?.shutdown();
    open.dispose();
  }
  await window.drawn();
  return Boolean(window.jupyterapp) && !document.querySelector(".jp-Dialog");
}"""
IS_LIGHT = "document.body.dataset.jpThemeLight === 'true'"
SHUT_DOWN = """async () => {
  await window.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown();
}"""
SAVE = """async () => {
  await window.jupyterapp.shell.currentWidget.context.save();
}"""
CHANGE_THEME = """async (theme) => {
  await window.jupyterapp.commands.execute("apputils:change-theme", { theme });
}"""


@dataclass
class Lab(Pages):
    """Notebooks in JupyterLab, opened one after another on one page, as a student opens them.

    To open JupyterLab costs more than most tests. A test that changes more of its page than its size and theme
    asks for one of its own, with a workspace of its own. All share their cookies and their cache.
    """

    server: Server | None = None
    shared: dict[bool, BrowserContext] = field(default_factory=dict)
    desks: dict[bool, Page] = field(default_factory=dict)

    def new_page(self, width: int, height: int, theme: str, touch: bool) -> Page:
        if touch not in self.shared:
            self.shared[touch] = self.new_context(width, height, theme, touch)
        return hindered(self.shared[touch].new_page())

    def write(self, name: str, notebook: NotebookNode) -> str:
        """Put a notebook made by a test beside the lessons; gives its name back."""
        notebook.metadata.setdefault("kernelspec", KERNEL)
        nbformat.write(notebook, self.server.root / name)
        return name

    def trust(self, name: str) -> None:
        """Sign a notebook, so that its saved outputs may run their scripts."""
        notary = NotebookNotary(data_dir=self.server.environment["JUPYTER_DATA_DIR"])
        notary.sign(nbformat.read(self.server.root / name, as_version=4))

    def open_notebook(
        self,
        name: str,
        *,
        width: int = 1280,
        height: int = 900,
        theme: str = "light",
        touch: bool = False,
        own: bool = False,
    ) -> Page:
        """A page that shows the notebook, its kernel started and idle; own: on a page that no other test has seen."""
        desk = None if own else self.desks.get(touch)
        page = desk or self.new_page(width, height, theme, touch)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=theme)
        if desk:
            page.evaluate(OPEN, name)
        else:
            page.goto(self.address(name))
        page.wait_for_function(READY, arg=name, timeout=120_000)
        page.evaluate("window.jupyterapp.shell.collapseLeft()")
        if page.evaluate(IS_LIGHT) != (theme == "light"):
            self.change_theme(page, theme)
        if not own:
            self.desks[touch] = page
        return page

    def address(self, name: str) -> str:
        """Where JupyterLab opens the notebook in a workspace of its own."""
        workspace = f"test-{secrets.token_hex(4)}"
        return f"{self.server.url}/lab/workspaces/{workspace}/tree/{quote(name)}?token={self.server.token}"

    def run_all(self, page: Page, timeout_seconds: float = 300) -> None:
        """Run every cell and wait until the kernel is idle; a cell that fails is an AssertionError."""
        page.evaluate(RUN_ALL)
        page.wait_for_function(HAS_RUN, timeout=timeout_seconds * 1000)
        assert not page.evaluate(FAILED_CELLS)

    def save(self, page: Page) -> NotebookNode:
        """Save as Ctrl+S does; the notebook as it is then on disk."""
        page.evaluate(SAVE)
        path = page.evaluate("window.jupyterapp.shell.currentWidget.context.path")
        return nbformat.read(self.server.root / path, as_version=4)

    def shut_down_kernel(self, page: Page) -> None:
        """Leave the page without a kernel."""
        page.evaluate(SHUT_DOWN)

    def change_theme(self, page: Page, theme: str) -> None:
        """ "light" or "dark", as the Settings menu would; returns when the page has it."""
        page.evaluate(CHANGE_THEME, THEMES[theme])
        is_light = "true" if theme == "light" else "false"
        page.wait_for_selector(f'body[data-jp-theme-light="{is_light}"]', state="attached")

    def close_notebooks(self) -> None:
        """Close every notebook, and every page but those on which the next test can open another."""
        self.desks = {touch: page for touch, page in self.desks.items() if self.cleared(page)}
        for page in [page for context in self.contexts for page in context.pages]:
            if page not in self.desks.values():
                page.close()
        for session in json.loads(self.server.ask("GET", "sessions")):
            self.server.ask("DELETE", f"sessions/{session['id']}")

    def cleared(self, page: Page) -> bool:
        """Whether the page is JupyterLab with nothing open in it any more."""
        return not page.is_closed() and page.evaluate(CLOSE_ALL)


@pytest.fixture(scope="session")
def one_lab(browser: Browser, jupyter_server: Server) -> Iterator[Lab]:
    pages = Lab(browser, server=jupyter_server)
    yield pages
    pages.close()


@pytest.fixture
def lab(one_lab: Lab) -> Iterator[Lab]:
    one_lab.watch.forget()
    yield one_lab
    try:
        one_lab.watch.assert_quiet()
    finally:
        one_lab.close_notebooks()
