"""Firefox and WebKit as they come with the system, without a driver of another maker.

    with firefox() as engine:          # or webkit(); LookupError where it is not installed
        engine.open(file, width=850, height=900)
        engine.run("document.title")   # what an expression gives, as JSON can carry it
        engine.act(press("ArrowRight"))

Firefox speaks WebDriver BiDi over a websocket, WebKit the older WebDriver over HTTP; both know the same actions.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import websocket

MINI_BROWSERS = ("/usr/lib", "*/webkit2gtk-*/MiniBrowser")
PATIENCE = 120
WAYS = ("mouse", "touch", "keys")
WIDTH, HEIGHT = 866, 900
STUB = (Path(__file__).resolve().parents[2] / "publish" / "model_stub.js").read_text(encoding="utf-8")
KEYS = {"ArrowRight": "\ue014", "ArrowLeft": "\ue012", "ArrowDown": "\ue015"}


class Engine(Protocol):
    """A browser with one page."""

    def open(self, file: Path, width: int, height: int) -> None: ...
    def run(self, expression: str) -> object: ...
    def act(self, actions: list[dict]) -> None: ...


def press(key: str) -> list[dict]:
    """A key goes down and up."""
    return [
        {
            "type": "key",
            "id": "keys",
            "actions": [{"type": kind, "value": KEYS[key]} for kind in ("keyDown", "keyUp")],
        }
    ]


def point(x: float, y: float, kind: str = "mouse") -> list[dict]:
    """A mouse or a finger ("touch") goes to a place of the window, down and up."""
    move = {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}
    steps = [move, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
    return [{"type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": steps}]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(attempt, sentence: str):
    """What `attempt` gives when it first gives something and raises no OSError."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if found := attempt():
                return found
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError(sentence)


@contextmanager
def started(command: list[str], log: Path, **more: str) -> Iterator[None]:
    """A program and all that it starts, ended at the end."""
    with log.open("w") as out:
        process = subprocess.Popen(
            command, env={**os.environ, **more}, stdout=out, stderr=out, start_new_session=True
        )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


# ---- Firefox -----------------------------------------------------------------------------------------------


@dataclass
class Firefox:
    link: websocket.WebSocket
    context: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def ask(self, method: str, **params: object) -> dict:
        number = next(self.numbers)
        self.link.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self.link.recv())
            if answer.get("id") == number:
                break
        if answer["type"] == "error":
            raise RuntimeError(f"{method}: {answer['message']}")
        return answer["result"]

    def open(self, file: Path, width: int, height: int) -> None:
        size = {"width": width, "height": height}
        self.ask("browsingContext.setViewport", context=self.context, viewport=size)
        self.ask("browsingContext.navigate", context=self.context, url=file.as_uri(), wait="complete")

    def run(self, expression: str) -> object:
        said = self.ask(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self.context},
            awaitPromise=True,
        )
        if said["type"] != "success":
            raise RuntimeError(said["exceptionDetails"]["text"])
        return json.loads(said["result"].get("value", "null"))

    def act(self, actions: list[dict]) -> None:
        self.ask("input.performActions", context=self.context, actions=actions)


@contextmanager
def firefox() -> Iterator[Firefox]:
    """Firefox or Firefox ESR without a window."""
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    if path is None:
        raise LookupError("no Firefox was found (Debian: sudo apt-get install firefox-esr)")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "log"
        options = [
            "--headless",
            "--no-remote",
            "--profile",
            folder,
            "--remote-debugging-port",
            str(free_port()),
        ]
        with started([path, *options], log, HOME=folder):
            listening = re.compile(r"listening on (ws://\S+)")
            address = until(lambda: listening.search(log.read_text()), "Firefox did not start")[1]
            link = websocket.create_connection(f"{address}/session", timeout=PATIENCE, suppress_origin=True)
            engine = Firefox(link)
            engine.ask("session.new", capabilities={})
            engine.context = engine.ask("browsingContext.getTree")["contexts"][0]["context"]
            yield engine
            link.close()


# ---- WebKit ------------------------------------------------------------------------------------------------


@dataclass
class WebKit:
    address: str

    def ask(self, method: str, path: str, **params: object) -> object:
        body = json.dumps(params).encode() if method == "POST" else None
        request = urllib.request.Request(self.address + path, data=body, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]

    def open(self, file: Path, width: int, height: int) -> None:
        self.ask("POST", "/window/rect", width=width, height=height)
        self.ask("POST", "/url", url=file.as_uri())

    def run(self, expression: str) -> object:
        script = (
            "const done = arguments[arguments.length - 1];"
            f"(async () => JSON.stringify(await ({expression})))().then(done, (error) => done('!' + error));"
        )
        said = self.ask("POST", "/execute/async", script=script, args=[])
        if said and said.startswith("!"):
            raise RuntimeError(said[1:])
        return json.loads(said or "null")

    def act(self, actions: list[dict]) -> None:
        self.ask("POST", "/actions", actions=actions)


@contextmanager
def webkit() -> Iterator[WebKit]:
    """WebKitGTK's small browser, in a window that nobody sees."""
    driver, screen = shutil.which("WebKitWebDriver"), shutil.which("xvfb-run")
    browser = next(iter(sorted(Path(MINI_BROWSERS[0]).glob(MINI_BROWSERS[1]))), None)
    if not (driver and screen and browser):
        raise LookupError("no WebKit was found (Debian: sudo apt-get install webkit2gtk-driver xvfb xauth)")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    wanted = {"webkitgtk:browserOptions": {"binary": str(browser), "args": ["--automation"]}}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [screen, "-a", "-s", "-screen 0 1400x1100x24", driver, f"--port={port}"]
        more = {"HOME": folder, "WEBKIT_DISABLE_COMPOSITING_MODE": "1", "LIBGL_ALWAYS_SOFTWARE": "1"}
        with started(command, Path(folder) / "log", **more):
            first = WebKit(address)
            until(lambda: first.ask("GET", "/status")["ready"], "WebKit did not start")
            session = first.ask("POST", "/session", capabilities={"alwaysMatch": wanted})
            engine = WebKit(f"{address}/session/{session['sessionId']}")
            engine.ask("POST", "/timeouts", script=1000 * PATIENCE)
            yield engine
            engine.ask("DELETE", "")


ENGINES = {"Firefox": firefox, "WebKit": webkit}


# ---- one page that shows an interactive after the other ----------------------------------------------------

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Interactives</title>
<style>body {{ margin: 8px }}</style><body><div id="el"></div>
<script type="application/json" id="saved">{saved}</script>
<script type="module">{stub}
const el = document.querySelector("#el");
window.show = async (name) => {{
  window.cleanup?.();
  el.className = "";
  document.querySelectorAll("style + #el").forEach((one) => one.previousSibling.remove());
  el.replaceChildren();
  ({{ cleanup: window.cleanup }} = await mount(JSON.parse(document.querySelector("#saved").textContent)[name], el));
  scrollTo(0, 0);
  await window.drawn();
  return true;
}};
window.drawn = () => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30))));
window.told = () => JSON.stringify([{{ ...el.querySelector(".ae-card").dataset }}, el.innerText]);
window.size = () => {{
  const {{ width, height }} = el.querySelector(".ae-card").getBoundingClientRect();
  const drawings = [...el.querySelectorAll("canvas, svg")].map((one) => one.getBoundingClientRect());
  return {{ width, height, drawings: drawings.filter((box) => box.width > 20 && box.height > 10).length }};
}};
const CONTROLS = "input[type=range]:not([disabled]), input[type=radio]:not(:checked), .or-move:not([disabled])";
window.control = () => {{
  const one = el.querySelector(CONTROLS);
  one.scrollIntoView({{ block: "center" }});
  (el.querySelector(`input[name="${{one.name}}"]:checked`) ?? one).focus();
  const box = one.getBoundingClientRect();
  const far = one.type === "range" && Number(one.value) < (Number(one.min) + Number(one.max)) / 2 ? 0.85 : 0.15;
  return {{ x: box.left + (one.type === "range" ? far : 0.5) * box.width, y: box.top + box.height / 2,
    key: one.type === "radio" ? "ArrowDown" : far > 0.5 ? "ArrowRight" : "ArrowLeft" }};
}};
window.ready = true;
</script></body></html>"""
"""show(name), told(): all that is said, size() of the card, control(): where its first control is to be touched."""
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
FINDINGS_ONLY = {"preload": False, "resultTypes": ["violations"]}
"""What axe is asked: it would fetch style sheets anew, and describe all that is well."""
READY = (
    "new Promise((done) => { const look = () => (window.ready ? done(1) : setTimeout(look, 50)); look(); })"
)


def write_page(file: Path, saved: dict[str, dict]) -> None:
    """A page that can show each of these saved interactives."""
    models = {name: {"state": one["state"], "buffers": one.get("buffers", [])} for name, one in saved.items()}
    text = json.dumps(models).replace("</", "<\\/")
    file.write_text(PAGE.format(saved=text, stub=STUB), encoding="utf-8")


def answers(engine: Engine, way: str) -> bool:
    """Whether the interactive that is shown says something else after its first control was touched in this way."""
    before, control = engine.run("told()"), engine.run("control()")
    engine.act(press(control["key"]) if way == "keys" else point(control["x"], control["y"], way))
    engine.run("drawn()")
    return engine.run("told()") != before


def findings(engine: Engine, context: str = "html") -> list[str]:
    """What axe finds to mend within what a selector names, with the first place of each."""
    engine.run(f"(() => {{ if (!window.axe) {{ {AXE} }} return true; }})()")
    found = engine.run(
        f"axe.run({context!r}, {json.dumps(FINDINGS_ONLY)}).then(({{ violations }}) => violations)"
    )
    return [f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}" for one in found]
