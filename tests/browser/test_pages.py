"""Every page and every lecture that `make html` and `make slides` write, opened from the disk with the network cut.

Each draws its formulas, shows its interactives, which answer to a key, and asks nothing of anybody.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from publish import pages as course
from publish import slides as lectures
from publish.edition import site_address
from publish.lesson import asked, cells, displayed_widgets, lessons, markdown, read, widget_states
from publish.offline import text
from tests.browser.engines import FINDINGS_ONLY, findings

READY = "html[data-ready]"
IS_READY = f"document.documentElement.matches('{READY}')"
FORMULA = re.compile(r"\$\$.+?\$\$|(?<![\\$])\$[^$\n]+?\$", re.DOTALL)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
FROM_ELSEWHERE = re.compile(r"""<(?:script|img|link|iframe|source)\b[^>]*(?:src|href)=["'](?:https?:)?//""")
CONTROLS = (
    "input[type=range], input[type=radio], input[type=text], select, [tabindex='0'], button:not([disabled])"
)
KEYS = ("ArrowRight", "ArrowLeft", "Space", "Enter", "1", "Enter")
SHOWN = """async (host) => {
  await drawn();
  const copy = host.cloneNode(true);
  for (const control of copy.querySelectorAll("input")) control.remove();
  return [copy.innerHTML, ...[...host.querySelectorAll("canvas")].map((canvas) => canvas.toDataURL())].join();
}"""
ON_A_PHONE = """() => {
  const all = (what) => [...document.querySelectorAll(what)].filter((one) => one.checkVisibility());
  const told = (nodes) => nodes.map((node) => node.outerHTML.slice(0, 120));
  return {
    scrolled: told(all(".math > :first-child").filter((one) => one.scrollWidth > one.clientWidth + 1)),
    small: told(all(".output figure img").filter((one) => one.clientWidth < Math.min(0.6 * one.naturalWidth, 600))),
    traps: told(all("main *").filter((one) => one.scrollHeight > one.clientHeight + 1
      && ["auto", "scroll"].includes(getComputedStyle(one).overflowY))),
  };
}"""
"""Formulas that are scrolled sideways, figures shown at less than six tenths of their size, areas that scroll up and down."""
STORED = "[localStorage.length, sessionStorage.length, document.cookie]"

WALK = """() => {
  const [main, count, cut] = [document.querySelector("main"), document.querySelector("#count"), []];
  for (let last = ""; count.textContent !== last;) {
    last = count.textContent;
    const wide = [...main.querySelectorAll(".shown .math > :first-child")].some((one) => one.scrollWidth > one.clientWidth + 1);
    const high = main.scrollHeight > main.clientHeight + 2 && main.querySelectorAll(".block.shown").length > 1;
    if (wide || high) cut.push(location.hash);
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  }
  return cut;
}"""
"""Names the pages of a lecture that do not fit; one tall piece alone, an interactive or a table, may be scrolled."""

every_lesson = pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole course, written once: pages, lectures, contents."""
    folder = tmp_path_factory.mktemp("site")
    lectures.write(folder / "slides")
    course.write(folder)
    return folder


@pytest.fixture
def open_page(plain_page) -> Iterator:
    """Opens a file offline; at the end no console error and no request but those for files may have come up."""

    def open_(
        file: Path, query: str = "", width: int = 1280, height: int = 720, theme: str = "light"
    ) -> Page:
        page = plain_page.new_page(width, height, theme, touch=False)
        page.context.set_offline(True)
        page.context.route(re.compile(r"^(?!file:|data:|blob:)"), lambda route: route.abort())
        page.goto(file.as_uri() + query)
        page.wait_for_selector(READY, state="attached")
        return page

    yield open_
    asked = [url for url in plain_page.watch.requests if not url.startswith(("file:", "data:", "blob:"))]
    assert not asked, "a page asked for something that is not beside it"


def own_interactives(path: Path) -> list[str]:
    """Ids of the models that a page can draw without a kernel, in the order in which the lesson shows them."""
    notebook = read(path)
    states = widget_states(notebook)
    return [each for each in displayed_widgets(notebook) if states[each]["model_module"] == "anywidget"]


def local_links(file: Path) -> list[str]:
    links = re.findall(r'<a\b[^>]*href="([^"]*)"', file.read_text(encoding="utf-8"))
    return [html.unescape(link) for link in links if not re.match(r"[a-z]+:", link)]


@functools.cache
def places(file: Path) -> set[str]:
    return {html.unescape(each) for each in re.findall(r'\bid="([^"]*)"', file.read_text(encoding="utf-8"))}


def leads_somewhere(file: Path, link: str) -> bool:
    path, _, place = link.partition("#")
    target = file.parent / path.split("?")[0] if path else file
    return target.is_file() and (not place or place in places(target))


DRAWN = """(all) => all.filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect())
  .filter(({ width, height }) => !(width > 2 && height > 4)).length"""
"""How many formulas that could be seen are not."""


def assert_formulas_are_drawn(page: Page, path: Path) -> None:
    asked = len(FORMULA.findall(CODE.sub("", markdown(read(path)))))
    formulas = page.locator("main .cell math")
    assert formulas.count() >= asked
    assert formulas.locator("annotation").count() == formulas.count()
    assert page.locator("main .cell merror").count() == 0
    assert formulas.evaluate_all(DRAWN) == 0
    assert page.evaluate("[...document.fonts].map(({ family, status }) => family + status)") == (
        ["Course Mathloaded"] if asked else []
    )


def answers(page: Page, host) -> bool:
    """Whether what an interactive shows, its controls aside, changes when a key is pressed on one of its controls."""
    before = host.evaluate(SHOWN)
    control = host.locator(CONTROLS).first
    for key in KEYS:
        control.focus()
        page.keyboard.press(key)
        if host.evaluate(SHOWN) != before:
            return True
    return False


def serious_findings(page: Page) -> list[str]:
    findings = [
        each
        for each in Axe().run(page, options=FINDINGS_ONLY).response["violations"]
        if each["impact"] in ("serious", "critical")
    ]
    return [f"{each['id']}: {node['html'][:200]}" for each in findings for node in each["nodes"]]


# ---- pages -------------------------------------------------------------------------------------------------


@every_lesson
def test_a_page_lives_without_a_network(site, open_page, path, tally):
    page = open_page(site / f"{path.stem}.html")
    assert_formulas_are_drawn(page, path)
    hosts = page.locator(".interactive[data-live]")
    assert hosts.evaluate_all("(all) => all.map((one) => one.dataset.model)") == own_interactives(path)
    still = [host.get_attribute("data-model") for host in hosts.all() if not answers(page, host)]
    assert not still, "an interactive does not answer to a key"
    page.set_viewport_size({"width": 360, "height": 740})
    page.evaluate("drawn()")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(ON_A_PHONE) == {"scrolled": [], "small": [], "traps": []}
    assert page.locator(".bar").bounding_box()["height"] < 64, "the bar takes more than one line of a phone"
    links, field = (page.locator(one).last.bounding_box() for one in (".bar nav a", "#find input"))
    assert links["x"] + links["width"] < field["x"] and field["width"] > 90, (
        "the field of the search hides a link"
    )
    tally("pages opened offline", path.stem)


SIZES = (
    """(all) => all.map((one) => one.getBoundingClientRect()).map(({ width, height }) => [width, height])"""
)


def test_a_formula_is_there_at_once(site, open_page, browser):
    """It needs no script: with scripts forbidden it has the size that it has at the end."""
    file = site / f"{lessons('06')[0].stem}.html"
    without = browser.new_page(viewport={"width": 1280, "height": 720}, java_script_enabled=False)
    without.goto(file.as_uri())
    early = without.locator("main .text > p > math").evaluate_all(SIZES)
    without.close()
    late = open_page(file).locator("main .text > p > math").evaluate_all(SIZES)
    assert len(early) > 20
    assert early == late


def test_a_copied_formula_is_its_latex(site, open_page):
    page = open_page(site / f"{lessons('06')[0].stem}.html")
    copied = page.evaluate("""() => {
      const line = document.getElementById("eq-06.1").closest(".text");
      getSelection().selectAllChildren(line);
      const event = new ClipboardEvent("copy", { clipboardData: new DataTransfer(), bubbles: true, cancelable: true });
      line.dispatchEvent(event);
      return event.clipboardData.getData("text/plain");
    }""")
    assert r"$$\log p_\theta(x \mid z) = \sum_{d=1}^D \log p_\theta(x_d \mid z)$$" in copied


def test_every_link_leads_to_a_file(site):
    files = [site / "index.html", *(site / f"{path.stem}.html" for path in lessons())]
    broken = [
        (file.name, link) for file in files for link in local_links(file) if not leads_somewhere(file, link)
    ]
    assert not broken
    assert not [link for file in files for link in local_links(file) if ".ipynb" in link]


def test_pages_follow_one_another(site):
    names = [f"{path.stem}.html" for path in lessons()]
    for name, before, after in zip(names, [None, *names], [*names[1:], None], strict=False):
        written = (site / name).read_text(encoding="utf-8")
        for way, expected in (("prev", before), ("next", after)):
            asked = [expected, expected] if expected else []  # above and below the lesson
            assert re.findall(rf'<a href="([^"]*)" rel="{way}">', written) == asked


def test_the_contents_name_every_lesson(site, open_page):
    page = open_page(site / "index.html")
    assert page.locator(".lessons > li").count() == len(lessons())
    assert page.locator(".lessons a", has_text="slides").count() == len(lessons())
    assert all(int(text.split()[0]) >= 20 for text in page.locator(".facts").all_inner_texts())
    assert page.locator(".map img").evaluate("(image) => image.naturalWidth") > 100


def test_pages_say_what_they_are(site):
    """For search engines and for previews of links: a title, a sentence and a picture of their own, and the sitemap."""
    names = ["index.html", *(f"{path.stem}.html" for path in lessons())]
    told = [
        re.findall(
            r'<meta (?:name|property)="(description|og:title|og:image)" content="([^"]*)">',
            (site / name).read_text(),
        )
        for name in names
    ]
    told = [dict(each) for each in told]
    for what in ("description", "og:title"):
        assert len({each[what] for each in told}) == len(names), "two pages say the same"
    assert all(40 < len(html.unescape(each["description"])) < 1000 for each in told)
    assert all((site / "assets" / each["og:image"].rsplit("/", 1)[1]).is_file() for each in told)
    listed = re.findall(r"<loc>([^<]*)</loc>", (site / "sitemap.xml").read_text(encoding="utf-8"))
    assert [place.rsplit("/", 1)[1] for place in listed] == names
    assert all(place.startswith(f"{site_address()}/") for place in listed)


@every_lesson
def test_a_page_is_light_and_keeps_its_secrets(site, path):
    written = (site / f"{path.stem}.html").read_text(encoding="utf-8")
    assert len(written) < 3e6
    assert not FROM_ELSEWHERE.search(written)
    lesson = read(path)
    coded = re.findall(r'<section [^>]*id="cell-([^"]*)"[^>]*>\s*<div class="source"', written)
    left_out = {cell for cell, _ in asked(lesson).values()} | {"progress"}
    assert coded == [cell.id for cell in cells(lesson, "code") if cell.id not in left_out]
    assert "Not tried yet" not in written


def test_the_projector_enlarges_and_is_carried_along(site, open_page):
    first, second = lessons()[:2]
    page = open_page(site / f"{first.stem}.html")
    size = "parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)"
    figure = "document.querySelector('.output figure img').clientWidth"
    before, small = page.evaluate(size), page.evaluate(figure)
    page.get_by_role("button", name="Projector").click()
    assert page.evaluate(size) > 1.4 * before
    assert page.evaluate(figure) > small
    page.locator("footer a[rel=next]").click()
    page.wait_for_url(f"**/{second.stem}.html?projector")
    page.wait_for_selector(READY, state="attached")
    assert page.evaluate(size) > 1.4 * before
    page.get_by_role("button", name="Projector").click()
    assert page.evaluate(size) == before
    assert page.evaluate(STORED) == [0, 0, ""]


@pytest.mark.parametrize(
    ("name", "theme"),
    [
        ("index", "light"),
        ("index", "dark"),
        ("01_compression_trade_off", "light"),
        ("02_good_representations", "dark"),
        ("slides/01_compression_trade_off", "light"),
        ("slides/07_gaussian_kl", "dark"),
    ],
)
def test_no_serious_finding(site, open_page, name, theme, tally):
    findings = serious_findings(open_page(site / f"{name}.html", theme=theme))
    for finding in findings:
        tally("serious accessibility findings", f"{name} {theme} {finding}")
    assert not findings, "\n".join(findings)


def stops(page: Page, most: int = 500) -> list[tuple[str, float]]:
    """What the Tab key reaches, one after the other: its role and name, and how far down the page it is."""
    found = []
    page.evaluate("() => { window.reached = new Set(); document.activeElement.blur(); }")
    while len(found) < most:
        page.keyboard.press("Tab")
        place = page.evaluate(
            """() => { const [one, { reached }] = [document.activeElement, window];
              if (one === document.body || reached.has(one)) return null;
              reached.add(one);
              return one.getBoundingClientRect().top + scrollY; }"""
        )
        if place is None:
            break
        found.append((page.locator(":focus").aria_snapshot().splitlines()[0], place))
    return found


def test_lesson_07_can_be_walked_by_keyboard_and_by_ear(site, open_page, tally):
    """Every stop of the Tab key has a role and a name, none holds the reader back, and the way leads down the page."""
    page = open_page(site / "07_gaussian_kl.html")
    walked = stops(page)
    assert len(walked) > 100
    for told, _ in walked:
        assert re.match(r"- '?[a-z]+:? \"?\S", told), f"nothing is read aloud at {told!r}"
        tally("stops of the Tab key in lesson 07", f"{len(walked)} stops")
    assert 'link "Contents"' in " ".join(told for told, _ in walked[:4])
    assert "link" in walked[-1][0], "the way ends at the foot of the page"
    down = [place for told, place in walked if "Projector" not in told][10:]
    assert all(after > before - 720 for before, after in pairwise(down))
    levels = [
        int(level) for level in re.findall(r"heading .*\[level=(\d)\]", page.locator("main").aria_snapshot())
    ]
    assert levels[0] == 1 and all(after <= before + 1 for before, after in pairwise(levels))


def test_a_browser_that_cannot_set_formulas_says_so(site, open_page):
    told = "This browser is too old to set formulas"
    page = open_page(site / "07_gaussian_kl.html")
    assert page.get_by_text(told).count() == 0
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('style'), { textContent: 'mspace { display: none }' }))"
    )
    page.evaluate(text("old.js"))
    assert page.get_by_text(told).is_visible()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["index", "07_gaussian_kl"])
def test_what_is_read_stands_in_the_order_of_the_file(site, open_page, name, width):
    """So a screen reader, and a page without style sheets, tell it in the order in which it is seen."""
    page = open_page(site / f"{name}.html", width=width)
    order = """[...document.querySelectorAll("main > *, main section > *")].filter((one) => one.checkVisibility())
      .map((one) => one.getBoundingClientRect().top)"""
    tops = page.evaluate(order)
    assert len(tops) > 2 and tops == sorted(tops)


@pytest.mark.parametrize("name", ["index", "07_gaussian_kl", "slides/07_gaussian_kl"])
def test_axe_finds_nothing_in_other_browsers(site, engine, name):
    engine.open(site / f"{name}.html", 1280, 720)
    engine.run(
        f"new Promise((done) => {{ const look = () => ({IS_READY} ? done(1) : setTimeout(look, 50)); look(); }})"
    )
    assert findings(engine) == []


# ---- lectures ----------------------------------------------------------------------------------------------


@every_lesson
def test_a_lecture_is_one_file_that_lives_without_a_network(site, open_page, plain_page, path, tally):
    file = site / "slides" / f"{path.stem}.html"
    page = open_page(file)
    assert {url.split("#")[0] for url in plain_page.watch.requests if url.startswith("file:")} == {
        file.as_uri()
    }
    assert_formulas_are_drawn(page, path)
    assert page.evaluate(WALK) == [], "text or a formula is cut off"
    for model in own_interactives(path):
        host = page.locator(f'.interactive[data-model="{model}"]')
        page.evaluate("(id) => { location.hash = id; }", host.evaluate("(node) => node.closest('.cell').id"))
        host.wait_for(state="visible")
        assert answers(page, host), f"{model} does not answer to a key"
    assert FROM_ELSEWHERE.search(file.read_text(encoding="utf-8")) is None
    tally("lectures opened offline", path.stem)


def shown_now(page: Page) -> str:
    return page.locator("main").inner_text() + page.locator("#count").inner_text()


def test_a_lecture_is_walked_by_keys(site, open_page):
    page = open_page(site / "slides" / f"{lessons()[1].stem}.html")
    n_pages, seen = int(page.locator("#count").inner_text().split("/")[1]), [shown_now(page)]
    for _ in range(n_pages - 1):
        page.keyboard.press("ArrowRight")
        seen.append(shown_now(page))
    assert len(set(seen)) == n_pages
    page.keyboard.press("PageDown")
    assert shown_now(page) == seen[-1]
    page.keyboard.press("ArrowLeft")
    assert shown_now(page) == seen[-2]
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    assert "import aelib" in shown_now(page)
    page.keyboard.press("ArrowUp")
    assert shown_now(page) == seen[0]


def test_an_interactive_keeps_its_keys_and_hands_the_clicker_on(site, open_page):
    path = lessons()[1]
    page = open_page(site / "slides" / f"{path.stem}.html")
    host = page.locator(f'.interactive[data-model="{own_interactives(path)[0]}"]')
    page.evaluate("(id) => { location.hash = id; }", host.evaluate("(node) => node.closest('.cell').id"))
    host.wait_for(state="visible")
    host.locator("input").first.focus()
    page.keyboard.press("ArrowRight")
    assert host.is_visible()
    page.keyboard.press("PageDown")
    assert host.is_hidden()


def test_the_overview_leads_to_each_slide(site, open_page):
    page = open_page(site / "slides" / f"{lessons()[1].stem}.html")
    page.keyboard.press("o")
    entries = page.locator("dialog li button")
    assert entries.count() >= 10
    name = entries.nth(2).inner_text()
    entries.nth(2).click()
    assert page.locator("dialog").is_hidden()
    assert page.locator("#heading").text_content() == name
