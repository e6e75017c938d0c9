"""Predictions and quiz questions as Python objects; how they answer is tested in a browser."""

import pytest

from aelib.widgets.choice import predict, quiz

OPTIONS = [
    ("It falls to `0`", "The identity is one of the maps with K = D."),
    (
        "It cannot fall below the noise",
        "Noise taken for a floor: the copy contains the noise as well: all of it.",
    ),
]


@pytest.mark.parametrize(("make", "kind"), [(predict, "predict"), (quiz, "quiz")])
def test_question_options_and_state(make, kind: str) -> None:
    question = make("What happens at K = D?", OPTIONS, right=0)
    assert (question.kind, question.right, question.chosen, question.revealed) == (kind, 0, -1, False)
    assert [option["text"] for option in question.options] == [text for text, _ in OPTIONS]


def test_a_wrong_option_is_parted_into_misconception_and_explanation() -> None:
    wrong = quiz("?", OPTIONS, right=0).options[1]
    assert wrong["name"] == "Noise taken for a floor"
    assert wrong["reason"] == "the copy contains the noise as well: all of it."


def test_the_reason_of_the_right_option_is_left_whole() -> None:
    right = quiz("?", [("yes", "So it is: always."), OPTIONS[1]], right=0).options[0]
    assert (right["name"], right["reason"]) == ("", "So it is: always.")


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
        ("?", OPTIONS, 1, "'It falls to `0`' names no misconception"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(question, options, right, words) -> None:
    with pytest.raises(ValueError, match=words):
        quiz(question, options, right=right)
