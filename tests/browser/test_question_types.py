"""Orders, matches, labels and numbers in a browser: by mouse, finger and keys, without a kernel."""

from __future__ import annotations

import pytest

from aelib.widgets.matching import label, match
from aelib.widgets.numeric import enter
from aelib.widgets.ordering import order

MAKE = {
    "order": lambda: order("06.2"),
    "match": lambda: match("06.4"),
    "label": lambda: label("05.5"),
    "formula": lambda: label("08.1"),
    "enter": lambda: enter("01.3"),
}


def verdicts(page) -> list[str]:
    return page.locator(".ae-verdict:visible").all_inner_texts()


def lines(page) -> list[str]:
    return page.locator(".or-text").all_inner_texts()


def heard(page) -> str:
    return " ".join(page.get_by_role("status").all_text_contents())


def put_in_order(page, wanted: list[str], press) -> None:
    """Move each line up until it stands where it should."""
    for place, text in enumerate(wanted):
        for _ in range(lines(page).index(text) - place):
            press(page.get_by_role("button", name=f"move up: {text}", exact=True))
    assert lines(page) == wanted


def test_lines_are_moved_and_the_first_wrong_one_is_explained(plain_page):
    asked = order("06.2")
    page = plain_page.mount(asked)
    wanted = [line["text"] for line in asked.lines]
    check = page.get_by_role("button", name="Check the order")
    check.click()
    (said,) = verdicts(page)
    assert said == f"✗Not quite. {asked.lines[asked.order[0]]['reason']}"
    swapped = [wanted[0], wanted[2], wanted[1], *wanted[3:]]
    put_in_order(page, swapped, lambda button: button.click())
    assert verdicts(page) == [], "a verdict is about the order that was checked"
    check.click()
    assert [words[:6] for words in verdicts(page)] == ["✓Right", "✗Not q"]
    put_in_order(page, wanted, lambda button: button.click())
    check.click()
    assert [words[0] for words in verdicts(page)] == ["✓"] * 5
    assert "All 5 lines are in order." in page.locator(".ae-says").inner_text()
    plain_page.wait_until_saved(page, checked=True)
    assert page.evaluate("model.get('order')") == [0, 1, 2, 3, 4]


def test_lines_are_moved_by_keys_alone_and_the_focus_goes_along(plain_page):
    asked = order("06.2")
    page = plain_page.mount(asked)
    wanted = [line["text"] for line in asked.lines]

    def press(button):
        button.focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.classList.contains('or-move')")

    put_in_order(page, wanted, press)


@pytest.mark.parametrize("kind", ["match", "label"])
def test_each_choice_is_answered_at_once(plain_page, kind):
    asked = MAKE[kind]()
    page = plain_page.mount(asked)
    assert verdicts(page) == []
    right, other = asked.rights[0], asked.rights[1]
    first = page.get_by_role("combobox").first
    first.select_option(str(other))
    assert verdicts(page) == [f"✗Not quite. {asked.names[other]['reason']}"]
    assert asked.names[other]["reason"] in heard(page)
    first.select_option(str(right))
    assert verdicts(page) == [f"✓Right. {asked.names[right]['reason']}"]
    for index, name in enumerate(asked.rights):
        page.get_by_role("combobox").nth(index).select_option(str(name))
    assert f"All {len(asked.rights)} are right." in page.locator(".ae-says").inner_text()
    assert page.evaluate("model.get('chosen')") == asked.rights


def test_names_are_chosen_by_keys_alone(plain_page):
    page = plain_page.mount(match("06.4"))
    page.keyboard.press("Tab")
    page.keyboard.press("e")
    assert page.evaluate("model.get('chosen')")[0] == 0
    assert len(verdicts(page)) == 1


def test_the_places_of_a_drawing_are_numbered(plain_page):
    page = plain_page.mount(label("05.5"))
    assert page.locator(".mt-number").all_text_contents() == list("12345")
    assert page.locator(".mt-place b").all_inner_texts() == list("12345")
    page = plain_page.mount(label("08.1"))
    assert page.locator(".mt-piece b").all_inner_texts() == list("1234")


@pytest.mark.parametrize(
    ("written", "state", "words"),
    [
        ("16", "right", "✓Right. The image has"),
        ("16,0", "right", "✓Right."),
        ("32/2", "right", "✓Right."),
        ("8", "slip", "✗Not quite. That counts numbers"),
        ("1/16", "slip", "✗Not quite. That is the code's share"),
        ("5", "other", "✗Not quite. Count the bits of both"),
        ("−16", "other", "✗Not quite. Count the bits of both"),
        ("many", "unread", "✗Not quite. This is not a number"),
        ("1/0", "unread", "✗Not quite. This is not a number"),
        ("1/2/3", "unread", "✗Not quite. This is not a number"),
    ],
)
def test_a_number_is_right_or_names_its_slip(plain_page, written, state, words):
    page = plain_page.mount(enter("01.3"))
    page.get_by_label("Your number").fill(written)
    page.keyboard.press("Enter")
    (said,) = verdicts(page)
    assert said.startswith(words)
    assert said[1:] in heard(page)
    assert page.locator(f".ae-card[data-state={state}]").count() == 1


def test_the_unit_may_be_written_and_a_finger_may_check(plain_page):
    page = plain_page.mount(enter("09.2"), width=360, touch=True)
    page.get_by_label("Your number").fill("20.05 bits")
    page.get_by_role("button", name="Check").tap()
    assert verdicts(page)[0].startswith("✓Right.")


def test_python_moves_them_too(plain_page):
    page = plain_page.mount(order("06.2"))
    page.evaluate("model.set({ order: [0, 1, 2, 3, 4], checked: true })")
    assert len(verdicts(page)) == 5
    page = plain_page.mount(enter("01.3"))
    page.evaluate("model.set({ entered: '16' })")
    assert page.get_by_label("Your number").input_value() == "16"


@pytest.mark.parametrize("kind", MAKE)
def test_keys_stay_with_the_controls_in_jupyterlab(plain_page, kind):
    page = plain_page.mount(MAKE[kind]())
    controls = "#el :is(input, select, button)"
    assert page.locator(controls).count() > 1
    assert page.locator(f"{controls}:not([data-lm-suppress-shortcuts])").count() == 0


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1100])
def test_they_fit_and_everyone_can_use_them(plain_page, accessible, kind, theme, width):
    page = plain_page.mount(MAKE[kind](), theme=theme, width=width)
    if kind == "order":
        page.get_by_role("button", name="Check the order").click()
    elif kind == "enter":
        page.get_by_label("Your number").fill("8")
        page.keyboard.press("Enter")
    else:
        for index in range(2):
            page.get_by_role("combobox").nth(index).select_option("1")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heights = page.evaluate(
        "[...document.querySelectorAll('#el :is(button, select, input)')].map((n) => n.offsetHeight)"
    )
    assert min(heights) >= 24
    accessible(page)
