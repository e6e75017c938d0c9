"""Every interactive in the engines of other browsers: it is drawn, fits one screen, and answers mouse, finger and keys.

Chromium has the other tests. Where an engine is not installed its tests are skipped; where AELIB_REQUIRE_BROWSER is
set they fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from publish.lesson import interactives, lessons, read
from tests.browser.engines import (
    ENGINES,
    HEIGHT,
    READY,
    WAYS,
    WIDTH,
    Engine,
    answers,
    findings,
    write_page,
)

ONE_SCREEN = 600
SAVED = {name: model for path in lessons() for name, model in interactives(read(path))}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One page that can show each kind of interactive that the lessons have."""
    file = tmp_path_factory.mktemp("engines") / "interactives.html"
    write_page(file, SAVED)
    return file


@pytest.fixture(scope="module", params=list(ENGINES))
def engine(request: pytest.FixtureRequest, page: Path) -> Iterator[Engine]:
    try:
        with ENGINES[request.param]() as started:
            started.open(page, WIDTH, HEIGHT)
            started.run(READY)
            yield started
    except LookupError as missing:
        (pytest.fail if os.environ.get("AELIB_REQUIRE_BROWSER") else pytest.skip)(str(missing))


OF_THE_BROWSER = {"Matching", "Numeric"}
"""Interactives whose controls are the browser's own lists and fields, which open and are typed into."""


TOUCHED = [
    (name, way)
    for name in sorted(SAVED.keys() - OF_THE_BROWSER)
    for way in WAYS
    if (name, way) != ("Ordering", "keys")
]
"""What is touched how; the keys of lines that are put in order are tried in Chromium alone."""


@pytest.fixture(params=sorted(SAVED))
def shown(request: pytest.FixtureRequest, engine: Engine, tally) -> Engine:
    engine.run(f"show({request.param!r})")
    tally("interactives in other engines", f"{type(engine).__name__} {request.param}")
    return engine


def test_it_is_drawn_and_fits_one_screen(shown: Engine):
    size = shown.run("size()")
    is_question = shown.run("!!document.querySelector('.ae-choice, .ae-asks')")
    assert size["drawings"] > 0 or is_question
    assert 100 < size["height"] <= ONE_SCREEN
    assert size["width"] <= WIDTH


def test_axe_finds_nothing_to_mend(shown: Engine):
    assert findings(shown, ".ae") == []


@pytest.mark.parametrize(("shown", "kind"), TOUCHED, indirect=["shown"])
def test_it_answers(shown: Engine, kind: str):
    assert answers(shown, kind)
