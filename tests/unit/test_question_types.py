"""Orders, matches, labels and numbers as Python objects; how they answer is tested in a browser."""

import pytest

from aelib import questions
from aelib.widgets.matching import label, match
from aelib.widgets.numeric import enter
from aelib.widgets.ordering import order

LINES = [("Encode", "It needs x alone."), ("Draw", "It needs the cloud."), ("Decode", "It needs z.")]
PAIRS = [("KL is 0", "mean for sum", "The error is too light."), ("KL is doubled", "½ missing", "Twice.")]
ASK = {"order": order, "match": match, "label": label, "enter": enter}
OF_THE_COURSE = [
    (number, entry)
    for lesson in range(100)
    for number, entry in questions.of_lesson(f"{lesson:02}").items()
    if entry["kind"] in ASK
]


@pytest.mark.parametrize(("number", "entry"), OF_THE_COURSE, ids=lambda part: str(part)[:5])
def test_every_question_of_the_course_can_be_asked(number, entry):
    asked = ASK[entry["kind"]](number)
    assert asked.question == entry["question"]
    assert entry["question"] in asked.words()


WITH_NUMBERS = [number for number, entry in OF_THE_COURSE if entry["kind"] == "enter"]


@pytest.mark.parametrize("number", WITH_NUMBERS)
def test_each_variant_has_other_numbers_and_all_its_slips(number):
    """What is asked, what is right and what a number of another variant would be: Numeric refuses what is too near."""
    asked = [enter(number, variant=variant) for variant in range(questions.N_VARIANTS + 1)]
    assert asked[0].question == enter(number).question
    assert len({one.question for one in asked}) == len({one.answer for one in asked}) == len(asked)
    for one in asked:
        assert len(one.slips) == len(asked[0].slips) >= 3
        assert not set("{}") & set(
            one.question + one.right + one.rule + "".join(slip["reason"] for slip in one.slips)
        )


@pytest.mark.parametrize(
    ("number", "answers"),
    [
        ("01.3", (16, 80, 64)),
        ("02.2", (1, 2, 3)),
        ("04.2", (2, 3, 4)),
        ("07.4", (2, 4.5, 8)),
        ("10.5", (3, 5, 4)),
        ("12.2", (0.5, 0.75, 0.8)),
        ("13.2", (2, 3, 4)),
        ("14.3", (0.5, 0.7, 0.4)),
        ("15.3", (10, 100, 4)),
        ("15.4", (0.5, 0.25, 0.2)),
    ],
)
def test_answers_of_variants_worked_out_by_hand(number, answers):
    assert tuple(enter(number, variant=variant).answer for variant in range(3)) == answers


def test_there_are_a_dozen_of_them_and_each_type():
    assert len(OF_THE_COURSE) >= 12
    assert {entry["kind"] for _, entry in OF_THE_COURSE} == set(ASK)


def test_lines_begin_in_an_order_in_which_none_stands_right():
    asked = order("In which order?", LINES)
    assert sorted(asked.order) == [0, 1, 2]
    assert all(place != number for place, number in enumerate(asked.order))
    assert order("In which order?", LINES).order == asked.order, "the same each time"


def test_names_are_listed_by_the_alphabet_and_right_ones_are_known():
    asked = match("Which?", PAIRS, also=[("no noise", "Width 1.")])
    assert [name["text"] for name in asked.names] == ["mean for sum", "no noise", "½ missing"]
    assert [asked.names[right]["text"] for right in asked.rights] == ["mean for sum", "½ missing"]
    assert "½ missing" in asked.words()


def test_a_number_has_its_slips():
    asked = enter("2³?", 8, right="Yes: 2 · 2 · 2.", slips=[(6, "2 · 3.")], rule="Multiply.")
    assert (asked.answer, asked.slips) == (8.0, [{"value": 6.0, "reason": "2 · 3."}])


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: order("?", LINES[:2]), "3 lines at least, and 2 were given"),
        (lambda: order("?", [*LINES, ("", "why")]), "one of them is empty"),
        (lambda: match("?", PAIRS[:1]), "two things at least"),
        (lambda: match("?", [*PAIRS, ("c", "½ missing", "Another.")]), "one of them has two"),
        (lambda: enter("?", 8, right="so", slips=[(8.05, "near")], rule="r"), "so near to another"),
        (lambda: enter("?", 8, right="so", rule=" "), "one of them is empty"),
        (lambda: order("04.1"), "question 04.1 is asked by predict"),
        (lambda: enter("01.3", variant=3), "has the variants 1 and 2"),
        (lambda: enter("01.3", variant="b"), "'b' is none of them"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(ask, words):
    with pytest.raises(ValueError, match=words):
        ask()
