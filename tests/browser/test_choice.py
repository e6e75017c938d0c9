"""Predictions and quiz questions in a browser: by mouse, finger and keys, without a kernel."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from aelib.widgets.choice import Choice, predict, quiz
from tests.browser.conftest import STUB, saved_state

QUESTION = "What is the smallest error at `K = D`?"
OPTIONS = [
    ("About the noise", "Noise taken for a floor: the copy contains the noise."),
    ("Exactly 0", "Writing down the identity is enough."),
    (
        "Nobody can say <b>before</b> training",
        "Training taken for capacity: capacity is a fact about the shape.",
    ),
]


def ask(make) -> Choice:
    return make(QUESTION, OPTIONS, right=1)


def verdicts(page: Page) -> list[str]:
    """The reasons that can be seen."""
    return page.locator(".ae-verdict:visible").all_inner_texts()


def test_a_quiz_says_right_or_not_quite_and_lets_one_choose_again(plain_page):
    page = plain_page.mount(ask(quiz))
    assert verdicts(page) == []
    page.get_by_label("About the noise").click()
    assert verdicts(page) == ["✗Not quite. Noise taken for a floor: the copy contains the noise."]
    page.get_by_label("Exactly 0").click()
    assert verdicts(page) == ["✓Right. Writing down the identity is enough."]
    plain_page.wait_until_saved(page, chosen=1)


def test_a_finger_on_an_option_chooses_it(plain_page):
    page = plain_page.mount(ask(quiz), width=360, touch=True)
    page.locator(".ae-pick").nth(2).tap()
    assert page.evaluate("model.get('chosen')") == 2
    assert page.get_by_role("radio").nth(2).is_checked()


def test_the_keyboard_alone_is_enough(plain_page):
    page = plain_page.mount(ask(predict))
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.evaluate("model.get('chosen')") == 0
    page.keyboard.press("ArrowDown")
    assert page.evaluate("model.get('chosen')") == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("model.get('revealed')") is True
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"


def test_keys_stay_with_the_radio_buttons_in_jupyterlab(plain_page):
    page = plain_page.mount(ask(quiz))
    assert page.locator("input:not([data-lm-suppress-shortcuts])").count() == 0


def test_a_prediction_is_kept_and_compared_only_when_asked(plain_page):
    page = plain_page.mount(ask(predict))
    reveal = page.get_by_role("button", name="What happened?")
    assert reveal.is_disabled()
    page.get_by_label("About the noise").click()
    assert verdicts(page) == []
    assert "Now run the next cell and compare" in page.locator(".ae-foot").inner_text()
    reveal.click()
    assert [words.split(".")[0] for words in verdicts(page)] == [
        "✗This did not happen",
        "✓This is what happened",
        "✗This did not happen",
    ]
    marked = page.locator(".ae-answer", has=page.locator(".ae-yours:visible"))
    assert marked.count() == 1
    assert "About the noise" in marked.inner_text()
    page.get_by_role("button", name="Hide what happened").click()
    assert verdicts(page) == []


def test_texts_are_text_and_code_is_code(plain_page):
    page = plain_page.mount(ask(quiz))
    assert page.locator("legend code").all_inner_texts() == ["K = D"]
    assert page.locator("#el b").count() == 0
    assert page.get_by_text("Nobody can say <b>before</b> training").is_visible()


def test_a_screen_reader_hears_the_verdict(plain_page):
    page = plain_page.mount(ask(quiz))
    assert page.get_by_role("group", name="What is the smallest error at K = D?").count() == 1
    page.get_by_label("About the noise").click()
    assert page.get_by_role("status").text_content().startswith("About the noise: Not quite.")


def test_python_moves_the_choice_too(plain_page):
    page = plain_page.mount(ask(predict))
    page.evaluate("model.set({ chosen: 2, revealed: true })")
    assert page.get_by_role("radio").nth(2).is_checked()
    assert len(verdicts(page)) == 3


BESIDE = """async ([stub, saved]) => {
  const { mount } = await import(URL.createObjectURL(new Blob([stub], { type: "text/javascript" })));
  await mount(saved, document.querySelector("main").appendChild(document.createElement("div")));
}"""


def test_two_questions_on_one_page_do_not_share_their_buttons(plain_page):
    page = plain_page.mount(ask(quiz))
    page.evaluate(BESIDE, [STUB, saved_state(ask(quiz))])
    names = page.get_by_role("radio").evaluate_all("(all) => all.map((one) => one.name)")
    assert len(names) == 2 * len(OPTIONS)
    assert [names.count(name) for name in set(names)] == [len(OPTIONS)] * 2


@pytest.mark.parametrize("make", [quiz, predict])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1100])
def test_it_fits_and_everyone_can_use_it(plain_page, accessible, make, theme, width):
    page = plain_page.mount(ask(make), theme=theme, width=width)
    page.get_by_role("radio").first.check()
    if make is predict:
        page.get_by_role("button").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heights = page.evaluate("[...document.querySelectorAll('.ae-pick, button')].map((n) => n.offsetHeight)")
    assert min(heights) >= 24
    accessible(page)
