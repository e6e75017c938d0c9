"""Formulas, made when a page is made: LaTeX becomes MathML, and one font is cut down to what is drawn.

The font is STIX Two Math (SIL Open Font License 1.1), out of the package ziamath. It stands inside the style sheet, so
that no formula is drawn twice; its names, its copyright and its licence stay in it.
"""

from __future__ import annotations

import base64
import html
import io
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution

from fontTools import subset
from fontTools.ttLib import TTFont
from markupsafe import Markup
from math_core import LatexError, LatexToMathML

FONT = "ziamath/fonts/STIXTwoMath-Regular.ttf"
FAMILY = "Course Math"
TAG = re.compile(r"\\tag\{([^}]*)\}")
MATHML = re.compile(r"<math\b.*?</math>", re.DOTALL)
ANNOTATION = re.compile(r"<annotation.*?</annotation>", re.DOTALL)
NAMES = (0, 1, 2, 4, 5, 13, 14)
"""What the font keeps of its names: copyright, family, style, full name, version, licence and its address."""
SLANTED = {
    chr(int(unicodedata.decomposition(chr(code)).split()[-1], 16)): chr(code)
    for code in [*range(0x1D434, 0x1D455), 0x210E, *range(0x1D456, 0x1D468), *range(0x1D6E2, 0x1D71C)]
}
"""A browser sets a variable in italics: the letter in the text, and the character that is drawn."""


class WrongFormula(ValueError):
    """A formula that is not LaTeX, or not known here."""


ACCENT = re.compile(r'<mo stretchy="false">([ˆ˜¯])</mo></mover>')
"""An accent over a letter. WebKit sets it close to the letter only where it is an operator that may stretch."""

SIZED = re.compile(r"(<msu[bp](?:sup)?>)(<mo [^>]*minsize[^>]*>[^<]*</mo>)")
"""A bracket of a given size that bears an exponent. Chromium gives it its size only where it stands in a row."""


@cache
def converter() -> LatexToMathML:
    return LatexToMathML(annotation=True, fancy_error=False)


def mathml(latex: str, displaystyle: bool = False) -> str:
    """A formula as MathML; its LaTeX stays in it, as an annotation. What cannot be read raises WrongFormula.

    A long one becomes several elements side by side, so that a line can end between them in every browser.
    """
    whole = one(latex, displaystyle)
    parts = pieces(latex)
    return "".join(one(part, displaystyle) for part in parts) if len(parts) > 1 else whole


def one(latex: str, displaystyle: bool) -> str:
    """A formula as one element."""
    try:
        drawn = converter().convert_with_local_state(latex.strip(), displaystyle=displaystyle)
    except LatexError as error:
        raise WrongFormula(f"${latex.strip()}$ is no formula: {error}") from None
    drawn = drawn.replace('<math display="block">', '<math displaystyle="true">')
    return SIZED.sub(r"\1<mrow>\2</mrow>", ACCENT.sub(r"<mo>\1</mo></mover>", drawn))


def displayed(latex: str) -> str:
    """A formula on a line of its own, with its number beside it and an address: "eq-06.3"."""
    numbers = TAG.findall(latex)
    if len(numbers) > 1:
        raise WrongFormula(f"${latex.strip()}$ has more than one number.")
    parts = (mathml(part, displaystyle=True) for part in clauses(TAG.sub("", latex)))
    drawn = f"<span>{' '.join(f'<span>{part}</span>' for part in parts)}</span>"
    if not numbers:
        return f'<span class="math">{drawn}</span>'
    number = html.escape(numbers[0])
    return f'<span class="math" id="eq-{number}">{drawn}<span class="number">({number})</span></span>'


# ---- where a line may end ----------------------------------------------------------------------------------

LONG = 16
"""A formula of more signs than this may be broken."""
TOKEN = re.compile(r"\\begin\{(\w+)\}.*?\\end\{\1\}|\\[a-zA-Z]+\*?|\\.|\s+|.", re.DOTALL)
OPEN = {"{", "(", "[", r"\{", r"\left", r"\lVert", r"\lvert"}
CLOSE = {"}", ")", "]", r"\}", r"\right", r"\rVert", r"\rvert"}
RELATIONS = {"=", r"\le", r"\ge", r"\ne", r"\approx", r"\sim", r"\Longrightarrow"}
SIGNS = {"+", "-"}
GAPS = {r"\quad", r"\qquad"}
SPACE = {r"\,", r"\;", r"\:", r"\!", r"\ "}


def tokens(latex: str) -> Iterator[tuple[str, str, int]]:
    """Each token, the last one before it that is no space, and the depth of brackets in which it stands."""
    depth, last = 0, ""
    for found in TOKEN.finditer(latex.strip()):
        token = found[0]
        yield token, last, depth
        depth += (token in OPEN) - (token in CLOSE)
        last = last if token.isspace() or token in SPACE else token


def clauses(latex: str) -> list[str]:
    """What stands between the wide gaps of a formula."""
    made = [""]
    for token, _, depth in tokens(latex):
        if depth == 0 and token in GAPS:
            made.append("")
        else:
            made[-1] += token
    return [part.strip() for part in made if part.strip()]


def pieces(latex: str) -> list[str]:
    """A long formula, cut before the relations and signs that stand outside all brackets."""
    signs = [token for token, *_ in tokens(latex) if not token.isspace()]
    if sum(sign not in {"{", "}", "_", "^"} | SPACE for sign in signs) <= LONG:
        return [latex]
    made = [""]
    for token, last, depth in tokens(latex):
        if depth == 0 and made[-1].strip() and ends_before(token, last):
            made.append("{}")
        made[-1] += token
    return [part.strip() for part in made]


def ends_before(token: str, last: str) -> bool:
    """Whether a line may end between two neighbours of a formula: before a relation, before a sign that adds."""
    if last in RELATIONS | {"_", "^"}:
        return False
    return token in RELATIONS or (token in SIGNS and last not in SIGNS | {","})


# ---- the font ----------------------------------------------------------------------------------------------


def characters(pages: str) -> set[str]:
    """What the formulas of some HTML need of a font: each character, the italic one that is drawn in its place, the root."""
    drawn = (ANNOTATION.sub("", each) for each in MATHML.findall(pages))
    used = {sign for each in drawn for sign in html.unescape(re.sub(r"<[^>]*>", "", each)) if sign != "\n"}
    roots = {"√"} if re.search("<msqrt|<mroot", pages) else set()
    return used | roots | {SLANTED[sign] for sign in used if sign in SLANTED}


def cut_font(wanted: set[str]) -> bytes:
    """STIX Two Math as WOFF2 with these characters, all their sizes, and the table of mathematics."""
    options = subset.Options(
        flavor="woff2", hinting=False, name_IDs=list(NAMES), layout_features=["ssty", "ccmp", "mark", "mkmk"]
    )
    font = TTFont(distribution("ziamath").locate_file(FONT))
    keep_accents_small(font)
    cut = subset.Subsetter(options)
    cut.populate(unicodes=map(ord, wanted))
    cut.subset(font)
    font.flavor, packed = "woff2", io.BytesIO()
    font.save(packed)
    return packed.getvalue()


def keep_accents_small(font: TTFont) -> None:
    """Take the wider forms of the accents out of the table, so that an accent has its own size in every browser."""
    variants, small = font["MATH"].table.MathVariants, {font.getBestCmap()[ord(sign)] for sign in "ˆ˜¯"}
    glyphs, made = variants.HorizGlyphCoverage.glyphs, variants.HorizGlyphConstruction
    kept = [pair for pair in zip(glyphs, made, strict=True) if pair[0] not in small]
    variants.HorizGlyphCoverage.glyphs, variants.HorizGlyphConstruction = map(list, zip(*kept, strict=True))
    variants.HorizGlyphCount = len(kept)


def font_face(pages: str) -> Markup:
    """The style that brings the font for the formulas of some HTML; nothing where there are none."""
    wanted = characters(pages)
    if not wanted:
        return Markup("")
    data = base64.b64encode(cut_font(wanted)).decode()
    source = f'url("data:font/woff2;base64,{data}") format("woff2")'
    return Markup(f'@font-face {{ font-family: "{FAMILY}"; src: {source}; }}\n')
