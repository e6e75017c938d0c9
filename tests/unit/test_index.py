"""What the pages find and explain: every heading, equation and term, no solution, addresses that last."""

from __future__ import annotations

import json
import re

import pytest

from publish import index as course
from publish.lesson import cells, exercises, lessons, read, solutions
from publish.pages import BOOK, all_pages, contents


@pytest.fixture(scope="module")
def found() -> dict:
    return json.loads(course.index().removeprefix("window.course = ").removesuffix(";\n"))


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return all_pages()


def test_every_address_is_there_and_lasts(found, pages):
    places = [place for kind in ("equations", "glossary") for place, *_ in found[kind].values()] + [
        place for place, *_ in found["sections"]
    ]
    assert len(places) > 800
    for page, _, target in (place.partition("#") for place in places):
        assert target.startswith(("cell-", "eq-")), "made of words that may change"
        assert f'id="{target}"' in pages[page]


def test_headings_link_to_cells(pages):
    """The first heading of a cell: its words may change, the cell's name stays."""
    for page in pages.values():
        for cell, link in re.findall(
            r'<section class="cell markdown" id="([^"]*)"[^>]*>\s*<div class="text">\s*<h\d[^>]*>.*?class="anchor-link" href="([^"]*)"',
            page,
        ):
            assert link == f"#{cell}"


def test_all_headings_and_equations_are_found_and_no_solution(found):
    titles = {title for _, title, _ in found["sections"]}
    words = " ".join(text for *_, text in found["sections"])
    for path in lessons():
        notebook = read(path)
        for cell in cells(notebook, "markdown"):
            for heading in re.findall(r"^#{1,3} ([\w ,:]+)$", cell.source, re.MULTILINE):
                assert heading in titles
        for number in re.findall(
            r"\\tag\{([^}]*)\}", " ".join(cell.source for cell in cells(notebook, "markdown"))
        ):
            assert number in found["equations"]
        assert len(exercises(notebook)) <= sum(
            "xercise" in text for place, _, text in found["sections"] if place.startswith(path.stem)
        )
        for solution in solutions(notebook):
            assert " ".join(solution.split()) not in words


def test_words_are_without_markup():
    assert (
        course.plain(
            "<p>One <b>two</b> <math><mi>x</mi><annotation>\\x</annotation></math>.</p><details>no</details><p>&lt;3</p>"
        )
        == "One two x. <3"
    )


def test_references_lead_to_equations_that_exist():
    number = next(iter(course.equations()))
    address = course.equations()[number][0]
    made = course.with_references(f"<p>by ({number}) and (99.1), <code>({number})</code></p>", "another.html")
    assert (
        made
        == f'<p>by <a class="ref" href="{address}">({number})</a> and (99.1), <code>({number})</code></p>'
    )
    assert f'href="#eq-{number}"' in course.with_references(f"<p>({number})</p>", address.partition("#")[0])


def test_a_term_is_linked_where_it_first_stands():
    made = course.with_terms(
        "<h2>Entropy</h2><p>Entropies? The entropy, and entropy again; a decoder's code.</p>"
    )
    assert re.findall(r'data-term="([^"]*)" href="00_start_here.html#cell-glossary">([^<]*)<', made) == [
        ("entropy", "entropy"), ("encoder, decoder", "decoder"), ("code, latent space", "code"),
    ]  # fmt: skip
    assert "<h2>Entropy</h2>" in made


def test_a_word_in_another_sense_is_no_term(pages):
    """Each phrase of the list stands in a lesson, so that the list stays short, and none is explained."""
    words = {page: re.sub(r"<[^>]*>", "", made).lower() for page, made in pages.items()}
    for phrase in course.OTHER_SENSES:
        assert any(phrase in said for said in words.values()), phrase
        assert "<a" not in course.with_terms(f"<p>{phrase}</p>")
    explained = {page[:2] for page, made in pages.items() if 'data-term="score"' in made}
    assert "12" in explained and min(explained) == "12"


def test_references_have_no_terms(pages):
    for made in pages.values():
        assert "data-term=" not in made.partition(course.REFERENCES)[2].partition("</section>")[0]


def test_a_page_says_a_term_once(pages):
    for page in pages.values():
        linked = re.findall(r'class="term" data-term="([^"]*)"', page)
        assert len(linked) == len(set(linked))


def test_the_contents_name_the_pdf_where_it_lies_beside_them(tmp_path):
    book = tmp_path / BOOK
    assert BOOK not in contents([], book)
    book.write_bytes(bytes(2_600_000))
    assert f'<a href="{BOOK}">The whole course as one PDF</a>, 3 MB' in contents([], book)
