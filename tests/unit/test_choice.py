"""Predictions and quiz questions as Python objects; how they answer is tested in a browser."""

import pytest

from aelib import questions
from aelib.widgets.choice import predict, quiz

OPTIONS = [
    ("It falls to `0`", "The identity is one of the maps with K = D."),
    ("It cannot fall below the noise", "The noise is no lower limit: the copy contains the noise as well."),
]


@pytest.mark.parametrize(("make", "kind"), [(predict, "predict"), (quiz, "quiz")])
def test_question_options_and_state(make, kind: str) -> None:
    question = make("What happens at K = D?", OPTIONS, right=0)
    assert (question.kind, question.right, question.chosen, question.revealed) == (kind, 0, -1, False)
    assert [option["text"] for option in question.options] == [text for text, _ in OPTIONS]


def test_reasons_are_kept_whole() -> None:
    assert [option["reason"] for option in quiz("?", OPTIONS, right=0).options] == [why for _, why in OPTIONS]


def test_a_page_without_javascript_shows_question_and_options_and_no_answer() -> None:
    question = predict("What happens at K = D?", OPTIONS, right=0)
    data, _ = question._repr_mimebundle_()
    options = "  ( ) It falls to 0\n  ( ) It cannot fall below the noise"
    assert data["text/plain"] == f"Predict, then run\nWhat happens at K = D?\n{options}"


@pytest.mark.parametrize(
    ("question", "options", "right", "words"),
    [
        ("?", OPTIONS[:1], 0, "2 to 4 options, and 1 were given"),
        ("?", OPTIONS * 3, 0, "2 to 4 options, and 6 were given"),
        ("?", OPTIONS, 2, "right is 2, but the options are numbered 0 to 1"),
        (" ", OPTIONS, 0, "one of them is empty"),
        ("?", [("so", "Right: it is so."), OPTIONS[1]], 0, "the word that the card puts before it"),
        ("?", [OPTIONS[0], ("no", "")], 0, "one of them is empty"),
        ("What is `K?", OPTIONS, 0, "backtick without its partner"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(question, options, right, words) -> None:
    with pytest.raises(ValueError, match=words):
        quiz(question, options, right=right)


def test_a_question_of_the_course_is_asked_by_its_number() -> None:
    asked, data = predict("04.1"), questions.of_lesson("04")["04.1"]
    assert (asked.kind, asked.question, asked.right) == ("predict", data["question"], data["right"])
    assert [option["text"] for option in asked.options] == [text for text, _ in data["options"]]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: predict("04.99"), "no question '04.99': lesson 04 asks 04.1, 04.2"),
        (lambda: predict("99.1"), "no question '99.1': a number is written as in \"04.1\""),
        (lambda: predict("Which way?"), "no question 'Which way\\?': a number is written"),
        (lambda: predict("../widgets/04.1"), "no question '../widgets/04.1'"),
        (lambda: quiz("04.1"), "question 04.1 is asked by predict\\("),
        (lambda: quiz("Which way?", OPTIONS), "say which option is right"),
    ],
)
def test_what_is_not_asked_is_said_in_a_sentence(ask, words) -> None:
    with pytest.raises(ValueError, match=words):
        ask()
