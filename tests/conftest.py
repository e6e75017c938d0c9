"""What every test shares: one thread, no windows, and at the end what the run covered.

A test adds to the closing summary with the fixture `tally`: tally("interactives exercised", "LatentSlider").
Names given twice count once.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["AELIB_PROGRESS"] = "0"  # no test writes into the home of whoever runs it

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import hypothesis
import matplotlib
import pytest

matplotlib.use("agg")
hypothesis.settings.register_profile("course", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("course")

TALLY = "tally"
ALWAYS_SHOWN = (
    "notebooks run",
    "exercises",
    "equations checked",
    "equations unchecked",
    "interactives exercised",
    "images without alt text",
    "exercises with fewer than three refused mistakes",
    "serious accessibility findings",
)
AUDIT_LOG = pytest.StashKey[Path]()
SLOWEST = (
    "tests/unit/test_lesson09_claims.py",
    "tests/browser/test_lessons.py",
    "tests/browser/test_pages.py",
    "tests/browser/test_walk.py",
    "tests/unit/test_lesson08_claims.py",
    "tests/unit/test_lesson05_claims.py",
    "tests/browser/test_keep_interactives.py",
    "tests/unit/test_lesson01_claims.py",
    "tests/unit/test_lesson04_claims.py",
    "tests/unit/test_lesson10_claims.py",
    "tests/unit/test_lesson11_claims.py",
    "tests/unit/test_lesson12_claims.py",
    "tests/unit/test_lesson13_claims.py",
    "tests/unit/test_lesson14_claims.py",
    "tests/unit/test_lesson15_claims.py",
)
"""The longest files come first, so that the workers end together."""


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """tally(kind, name) counts `name` under `kind` in the summary that closes the run."""
    return lambda kind, name: request.node.user_properties.append((TALLY, [kind, name]))


def pytest_configure(config: pytest.Config) -> None:
    """Every notebook that runs under this session audits its equations and writes one JSON line a check."""
    if hasattr(config, "workerinput"):
        return
    handle, name = tempfile.mkstemp(prefix="aelib-audit-", suffix=".jsonl")
    os.close(handle)
    os.environ["AELIB_AUDIT"] = "1"
    os.environ["AELIB_AUDIT_LOG"] = name
    config.stash[AUDIT_LOG] = Path(name)
    os.environ["AELIB_KEPT"] = str(_kept(config))


def _kept(config: pytest.Config) -> Path:
    """Where trained models stay: in pytest's cache, or for this run only where that cannot be written."""
    try:
        folder = Path(config.cache.mkdir("trained"))
        with tempfile.TemporaryFile(dir=folder):
            _forget_unused(folder)
        return folder
    except (AttributeError, OSError):
        folder = tempfile.TemporaryDirectory(prefix="aelib-kept-")
        config.add_cleanup(folder.cleanup)
        return Path(folder.name)


def _forget_unused(folder: Path, days: int = 14) -> None:
    for path in folder.iterdir():
        if time.time() - path.stat().st_mtime > days * 86_400:
            path.unlink(missing_ok=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: i for i, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: place.get(item.nodeid.split("::")[0], len(SLOWEST)))


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    counts = {kind: set() for kind in ALWAYS_SHOWN} | _tallied(terminalreporter)
    counts["notebooks run"] |= _notebooks(terminalreporter)
    if not any(counts.values()):
        return
    terminalreporter.section("the course")
    for kind, names in counts.items():
        shown = f": {', '.join(sorted(names))}" if 0 < len(names) <= 8 and "run" not in kind else ""
        terminalreporter.line(f"{len(names):5d}  {kind}{shown}")
    audited = _audited(config.stash[AUDIT_LOG])
    terminalreporter.line(
        f"{len(audited):5d}  equations that refused wrong right-hand sides while notebooks ran"
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """One plain closing line, and no file left behind."""
    path = config.stash.get(AUDIT_LOG, None)
    if path is None:
        return
    path.unlink(missing_ok=True)
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter and any(reporter.stats.values()):
        passed, failed, errors, skipped = (
            len(reporter.stats.get(outcome, [])) for outcome in ("passed", "failed", "error", "skipped")
        )
        print(f"{passed} passed, {failed + errors} failed, {skipped} skipped")


def _reports(terminalreporter) -> list:
    every = (report for reports in terminalreporter.stats.values() for report in reports)
    return [report for report in every if hasattr(report, "nodeid")]


def _tallied(terminalreporter) -> dict[str, set[str]]:
    found = defaultdict(set)
    for report in _reports(terminalreporter):
        for key, value in getattr(report, "user_properties", ()):
            if key == TALLY:
                found[value[0]].add(value[1])
    return found


def _notebooks(terminalreporter) -> set[str]:
    files = [report.nodeid.split("::")[0] for report in terminalreporter.stats.get("passed", [])]
    return {name for name in files if name.endswith(".ipynb")}


def _audited(log: Path) -> set[str]:
    lines = log.read_text().splitlines() if log.exists() else []
    return {str(json.loads(line)["equation"]) for line in lines}
