"""The speaker's window of a lecture: the clock, the plan of this section, the next slide; one clicker drives both."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from publish import slides as lectures
from publish.lesson import lessons, read
from publish.pages import entry
from tests.browser.engines import point, press

LAID_OUT = """new Promise((done) => {
  const look = () => ("ready" in document.documentElement.dataset ? done(true) : setTimeout(look, 50));
  look();
})"""
SPEAKER_BUTTON = """(({ x, y, width, height }) => [x + width / 2, y + height / 2])(
  document.querySelector("#speak").getBoundingClientRect())"""
IN_SPEAKER = """((page) => [page.querySelector("#place").textContent, page.querySelector("#minutes").textContent.split(", ")[1]])(
  window.opened.document)"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (path,) = lessons("06")
    made = tmp_path_factory.mktemp("lecture") / "06.html"
    made.write_text(lectures.deck(read(path), entry(path)), encoding="utf-8")
    return made


@pytest.fixture
def lecture(plain_page, file) -> Page:
    page = plain_page.new_page(1280, 720, "light", touch=False)
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def opened(lecture: Page) -> Page:
    with lecture.expect_popup() as popup:
        lecture.keyboard.press("s")
    popup.value.wait_for_selector("#plan table")
    return popup.value


def go_to(lecture: Page, heading: str) -> None:
    lecture.locator("#overview").click()
    lecture.locator("#slides button", has_text=heading).first.click()


def test_it_says_what_the_plan_says_of_the_section(lecture):
    speaker = opened(lecture)
    assert "by the plan: 0 minutes to here, 5 for this" in speaker.locator("#minutes").inner_text()
    go_to(lecture, "Three lines on variational inference")
    assert speaker.locator("#now").inner_text() == "Three lines on variational inference"
    assert speaker.locator("#minutes").inner_text() == "by the plan: 15 minutes to here, 7 for this"
    assert speaker.locator("#ask").inner_text() == "What is circular here?"
    assert "one, two, three" in speaker.locator("tr[aria-current]").inner_text()
    go_to(lecture, "Exercise 2")
    assert speaker.locator("#ask").inner_text() == "Which term has no q in it?"


def test_either_window_takes_the_clicker(lecture):
    speaker = opened(lecture)
    place, coming = speaker.locator("#place"), speaker.locator("#coming")
    before, announced = place.inner_text(), coming.inner_text()
    speaker.keyboard.press("PageDown")
    assert place.inner_text() == lecture.locator("#count").inner_text() != before
    assert lecture.locator(".block.shown").first.inner_text().split("\n")[0].strip("¶ ") in announced
    lecture.keyboard.press("PageUp")
    assert place.inner_text() == before
    speaker.locator("#next").click()
    assert place.inner_text() == lecture.locator("#count").inner_text() != before
    lecture.keyboard.press("End")
    assert coming.inner_text() == "The end."


def test_a_question_has_its_expected_answer(lecture):
    speaker = opened(lecture)
    answers = speaker.locator("#answers")
    seen = set()
    for _ in range(int(lecture.locator("#count").inner_text().split("/")[1])):
        seen.add(answers.inner_text())
        speaker.keyboard.press("ArrowRight")
    said = " ".join(seen)
    assert "They scatter more and more" in said
    assert "Evidence minus gap has gone up" in said


def test_it_is_one_window_with_a_clock_that_begins_anew(lecture, accessible):
    speaker = opened(lecture)
    accessible(speaker, "body")
    speaker.wait_for_function("document.getElementById('clock').textContent !== '0:00'")
    speaker.locator("#restart").click()
    assert speaker.locator("#clock").inner_text() == "0:00"
    lecture.keyboard.press("s")
    assert len(lecture.context.pages) == 2
    lecture.close(run_before_unload=False)
    assert speaker.is_closed() or speaker.wait_for_event("close") is speaker


def test_it_opens_in_other_browsers_too(engine, file):
    engine.open(file, 1280, 720)
    assert engine.run(LAID_OUT)
    x, y = engine.run(SPEAKER_BUTTON)
    engine.run(
        "void (window.opened = null, window.first = window.open, "
        "window.open = (...all) => (window.opened = window.first(...all)))"
    )
    engine.act(point(x, y))
    engine.act(press("ArrowRight"))
    assert engine.run(IN_SPEAKER) == [
        engine.run("document.querySelector('#count').textContent"),
        "5 for this",
    ]


def test_a_browser_that_opens_no_second_window_is_told(plain_page, file):
    page = plain_page.new_page(1280, 720, "light", touch=False)
    page.add_init_script("window.open = () => null")
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    page.keyboard.press("s")
    assert "did not open a second window" in page.locator(".hint").inner_text()
