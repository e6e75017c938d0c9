"""Lesson 00's table of notes, lessons and corrections is complete and true of the lessons that it names."""

import re

import pytest

from publish.lesson import lessons, markdown, read

TABLE = r"\| in the notes \| lesson \| what the course says \|\n\|[-|]+\|\n((?:\|.*\|\n?)+)"

# What the notes say (a part of the row's first cell) and words that the named lesson must contain.
TAUGHT = {
    "compression with loss": "lossy",
    "because the identity can be learned": "attainable",
    "the *original* space is smaller": "smaller than the input by some factor",
    "a trade-off": "trade-off",
    '"three" desiderata': "four",
    "like continuity": "continuous",
    "like completeness": "coverage",
    '"Lisker"': "Linsker",
    "maximise the mutual information": "injective",
    "the average E log p(x given Z)": "lower bound",
    "neither disentangled nor robust": "bijection",
    "transposed decoder is PCA": "subspace",
    '"not for multi-layer networks"': "nonlinear decoder",
    "called a prior": "prior",
    "1995": "Helmholtz",
    "factor analysis": "diagonal",
    "a posterior": "nearest to the posterior",
    "over x ~ q": r"z \\sim q|z ~ q",
    "E(p(x))": "log",
    "minimise the divergence": "evidence",
    "Naïve Bayes": "Na[iï]ve Bayes",
    "KL = −½": r"\\log\s*\\sigma\^?2?|log σ²",
    "quadratic form": "quadratic form",
    "together": "jointly|together",
}


def rows() -> list[list[str]]:
    body = re.search(TABLE, markdown(read(lessons("00")[0])))[1]
    return [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in body.strip().splitlines()]


def test_every_statement_of_the_notes_has_its_row():
    stated = [cells[0] for cells in rows()]
    assert len(stated) == len(TAUGHT)
    for said in TAUGHT:
        assert sum(said in cell for cell in stated) == 1, said


@pytest.mark.parametrize("cells", rows(), ids=lambda cells: cells[0][:40])
def test_the_lesson_teaches_what_the_row_says(cells):
    _, number, _ = cells
    assert re.fullmatch(r"0[1-9]|1[01]", number)
    here = lessons(number)
    if not here:
        pytest.skip(f"lesson {number} is not part of this edition")
    words = next(words for said, words in TAUGHT.items() if said in cells[0])
    assert re.search(words, markdown(read(here[0])), re.I), f"lesson {number} does not say {words!r}"
