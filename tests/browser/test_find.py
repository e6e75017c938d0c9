"""Search, explanations and answered questions on the pages: from the disk and from a server, by mouse, keys and finger."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from publish.lesson import lessons
from publish.pages import all_pages, write_assets

expect.set_options(timeout=30_000)
READY = "html[data-ready]"
LESSON = f"{lessons('06')[0].stem}.html"
FORBIDDEN = 'Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } })'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One lesson, and all that the pages have in common."""
    folder = tmp_path_factory.mktemp("site")
    [whole] = all_pages(LESSON[:2]).values()
    write_assets(folder, [whole])
    (folder / LESSON).write_text(whole, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def served(site) -> Iterator[str]:
    """The same on a loopback address."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(site))
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{LESSON}"
        server.shutdown()


def opened(pages, address: str, width: int = 1280, touch: bool = False, script: str = "") -> Page:
    page = pages.new_page(width, 720, "light", touch)
    if script:
        page.add_init_script(script)
    page.goto(address)
    page.wait_for_selector(READY, state="attached")
    return page


@pytest.mark.parametrize("way", ["disk", "server"])
def test_search_finds_a_heading_an_equation_and_a_term(plain_page, site, served, way):
    page = opened(plain_page, served if way == "server" else (site / LESSON).as_uri())
    asked = [url for url in plain_page.watch.requests if url.endswith("course.js")]
    assert not asked, "the index is loaded when it is needed"
    field, found = page.get_by_role("searchbox", name="Search the course"), page.locator("#found li a")
    for words, title, target in [
        ("two readings", "Two readings", f"{LESSON}#cell-"),
        ("06.3", "Equation (06.3)", f"{LESSON}#eq-06.3"),
        ("verosimigl", "likelihood", "00_start_here.html#cell-glossary"),
        ("ENTROPIA", "entropy", "00_start_here.html#cell-glossary"),
    ]:
        field.fill(words)
        expect(found.first.locator("b")).to_have_text(title)
        assert found.first.get_attribute("href").startswith(target)
    field.fill("no such (word")
    expect(page.locator("#found p").first).to_have_text("Nothing was found for “no such (word”.")
    assert found.count() == 0


def test_search_is_used_by_keys_alone(plain_page, site):
    page = opened(plain_page, (site / LESSON).as_uri())
    page.keyboard.press("/")
    page.keyboard.type("jensen")
    expect(page.locator("#found li a").nth(1)).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.locator("#found li a").nth(1).evaluate("(link) => link === document.activeElement")
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_be_hidden()
    page.keyboard.type(" two lines")
    expect(page.locator("#found li a").first).to_contain_text("Jensen")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{LESSON}#cell-*")


def test_a_missing_index_is_said(plain_page, site, tmp_path):
    (tmp_path / LESSON).write_text((site / LESSON).read_text(encoding="utf-8"), encoding="utf-8")
    plain_page.watch.expected.append("Failed to load resource")
    page = opened(plain_page, (tmp_path / LESSON).as_uri())
    page.locator("#find input").fill("jensen")
    expect(page.locator("#found p").first).to_have_text("The index of the course is not beside this page.")


# ---- explanations ------------------------------------------------------------------------------------------

REFERENCE = "main .text > p > a.ref[href^='#eq-06']"
TERM = "main p a.term[data-term='evidence'], main li a.term[data-term='evidence']"


@pytest.mark.parametrize(("link", "says"), [(REFERENCE, "(06."), (TERM, "evidenza")])
def test_an_explanation_shows_on_hover_stays_and_goes(plain_page, site, link, says):
    page = opened(plain_page, (site / LESSON).as_uri())
    note, target = page.locator("#explains"), page.locator(link).first
    target.hover()
    expect(note).to_contain_text(says)
    note.hover()
    page.wait_for_timeout(600)
    expect(note).to_be_visible()
    page.mouse.move(2, 700)
    expect(note).to_be_hidden()
    target.hover()
    expect(note).to_be_visible()
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    box = page.viewport_size["width"]
    target.focus()
    expect(note).to_be_visible()
    assert target.get_attribute("aria-describedby") == "explains"
    place = note.bounding_box()
    assert place["x"] >= 0 and place["x"] + place["width"] <= box
    page.keyboard.press("Tab")
    expect(note).not_to_contain_text(says) if note.is_visible() else expect(note).to_be_hidden()


def test_a_finger_reads_first_and_follows_then(plain_page, site):
    page = opened(plain_page, (site / LESSON).as_uri(), width=360, touch=True)
    target = page.locator(TERM).first
    target.tap()
    expect(page.locator("#explains")).to_contain_text("evidenza")
    assert page.url.endswith(LESSON)
    place = page.locator("#explains").bounding_box()
    assert place["x"] >= 0 and place["x"] + place["width"] <= 360
    page.locator("main h1").tap()
    expect(page.locator("#explains")).to_be_hidden()


# ---- answered questions ------------------------------------------------------------------------------------


def answer(page: Page) -> None:
    page.locator(".interactive[data-live] .ae-choice input[type=radio]").first.check()


def test_answered_questions_are_remembered_until_they_are_forgotten(plain_page, served):
    page = opened(plain_page, served)
    told = page.locator("#answered span")
    expect(told).to_contain_text("You have answered 0 of")
    answer(page)
    expect(told).to_contain_text("You have answered 1 of")
    page.reload()
    page.wait_for_selector(READY, state="attached")
    expect(told).to_contain_text("You have answered 1 of")
    assert page.locator(".interactive[data-answered]").count() == 1
    page.get_by_role("button", name="Forget it").click()
    expect(told).to_contain_text("You have answered 0 of")
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize(
    "script",
    [FORBIDDEN, f"localStorage.setItem('answered on {LESSON}', '{{broken')"],
    ids=["forbidden", "damaged"],
)
def test_a_page_lives_without_its_memory(plain_page, served, script):
    page = opened(plain_page, served, script=script)
    expect(page.locator("#answered span")).to_contain_text("You have answered 0 of")
    answer(page)
    expect(page.locator("#answered span")).to_contain_text("You have answered 1 of")
