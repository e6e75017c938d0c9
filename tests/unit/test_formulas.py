"""Every formula of the course becomes MathML, and a wrong one ends the build, its lesson and cell named."""

from __future__ import annotations

import io
import re

import pytest
from fontTools.ttLib import TTFont
from nbformat.v4 import new_markdown_cell, new_notebook

from publish.formulas import (
    SLANTED,
    TAG,
    WrongFormula,
    characters,
    clauses,
    cut_font,
    displayed,
    font_face,
    mathml,
    pieces,
)
from publish.lesson import equations, lessons, markdown, read
from publish.offline import cells_html, markdown_html, prepare

every_lesson = pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)


@every_lesson
def test_every_formula_becomes_mathml_and_keeps_its_latex(path):
    made = markdown_html(markdown(read(path)))
    formulas = re.findall(r"<math\b.*?</math>", made, re.DOTALL)
    assert len(formulas) >= 20 or path.stem.startswith("00")
    assert all(one.count('<annotation encoding="application/x-tex">') == 1 for one in formulas)
    assert "merror" not in made
    left = re.sub(r"<(code|math)\b.*?</\1>", "", made, flags=re.DOTALL)
    assert not re.search(r"\\[a-z]{2,}", left), "LaTeX was left as it stood"


@every_lesson
def test_every_numbered_equation_has_its_address(path):
    made = markdown_html(markdown(read(path)))
    assert re.findall(r'id="eq-([^"]*)"', made) == equations(read(path))
    assert re.findall(r'class="number">\(([^<]*)\)</span>', made) == equations(read(path))


WRONG = [
    (r"$\nosuchthing x$", "Unknown command"),
    (r"so $\frac{1{2}$ it is", "no formula"),
    (r"$$x^2^3$$", "Duplicate"),
    (r"$$\left( a$$", "no formula"),
    (r"$$a \tag{04.1} b \tag{04.2}$$", "more than one number"),
]


@pytest.mark.parametrize(("source", "says"), WRONG)
def test_a_wrong_formula_ends_the_build_with_lesson_and_cell(source, says):
    notebook = new_notebook(cells=[new_markdown_cell("fine: $x$"), new_markdown_cell(source, id="broken")])
    with pytest.raises(SystemExit, match=f"^Lesson 04, cell broken: .*{says}"):
        cells_html(prepare(notebook), "04")


def test_a_wrong_formula_is_refused_where_it_stands_alone():
    with pytest.raises(WrongFormula, match=r"\$\\oops\$ is no formula"):
        mathml(r"\oops")


def test_the_font_draws_what_the_formulas_need_and_keeps_its_licence():
    made = displayed(
        r"\hat x = \sum_i \underbrace{\theta_i \mathbb E[z]}_{\text{mean}} \le \sqrt\varepsilon \tag{1}"
    )
    wanted = characters(made)
    assert {SLANTED["x"], SLANTED["θ"], SLANTED["ε"], "𝔼", "∑", "√", "m"} <= wanted
    font = TTFont(io.BytesIO(cut_font(wanted)))
    assert {ord(sign) for sign in wanted if sign.isprintable()} <= font.getBestCmap().keys()
    assert font["MATH"].table.MathConstants.AxisHeight.Value > 0
    assert "SIL Open Font License" in font["name"].getDebugName(13)
    assert "STIX" in font["name"].getDebugName(0)


def test_italics_are_those_that_a_browser_draws():
    assert [SLANTED[sign] for sign in "xhθφϕ∂"] == list("𝑥ℎ𝜃𝜑𝜙𝜕")


def test_a_page_without_formulas_brings_no_font():
    assert font_face("<p>none</p>") == ""


BROKEN = {
    r"\log p(x \mid z) = \sum_{d=1}^D \log p(x_d) + 1": [r"\log p(x \mid z)", r"{}= \sum_{d=1}^D \log p(x_d)", "{}+ 1"],
    r"a + b": ["a + b"],
    r"-\big(a_1 + a_2 - a_3 = a_4 + a_5 + a_6 + a_7 + a_8\big)": [
        r"-\big(a_1 + a_2 - a_3 = a_4 + a_5 + a_6 + a_7 + a_8\big)"
    ],
    r"u = -\lVert v - w\rVert^{-2} \le f(x, y, z) + -1": [
        "u", r"{}= -\lVert v - w\rVert^{-2}", r"{}\le f(x, y, z)", "{}+ -1"
    ],
}  # fmt: skip


@pytest.mark.parametrize("latex", BROKEN)
def test_a_long_formula_may_end_a_line_outside_its_brackets(latex):
    assert pieces(latex) == BROKEN[latex]
    assert mathml(latex).count("<math") == len(BROKEN[latex])


def test_a_formula_is_broken_at_its_wide_gaps_first():
    assert clauses(r"a = f(x \quad y), \qquad b = 2 \quad\Longrightarrow\quad c") == [
        r"a = f(x \quad y),", "b = 2", r"\Longrightarrow", "c"
    ]  # fmt: skip


@every_lesson
def test_the_pieces_are_the_formula(path):
    latex = re.findall(r"\$\$(.+?)\$\$", markdown(read(path)), re.DOTALL)
    for each in (TAG.sub("", one) for one in latex):
        assert re.sub(r"\s|\\q+uad", "", "".join(clauses(each))) == re.sub(r"\s|\\q+uad", "", each)
        joined = "".join(re.sub(r"^\{\}(?=[=+-]|\\[a-zA-Z])", "", part) for part in pieces(each))
        assert re.sub(r"\s", "", joined) == re.sub(r"\s", "", each)
