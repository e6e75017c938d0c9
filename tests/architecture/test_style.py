"""The code, notebooks included, passes the linter and the spelling checker."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LISTS = ("requirements.txt", "requirements-test.txt", "requirements-hub.txt")


def run(*command: str) -> str:
    """What a tool has to say about the project; nothing, if all is well."""
    result = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    return "" if result.returncode == 0 else result.stdout + result.stderr


def test_ruff():
    report = run("ruff", "check", "--no-cache", "--quiet", "--output-format", "concise", ".")
    assert not report, report


def test_spelling():
    report = run("codespell_lib", ".")
    assert not report, report


def test_the_workflows_are_valid():
    """By the schema that the checker brings along, so that no network is needed."""
    workflows = sorted(str(path) for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    assert workflows
    report = run("check_jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    assert not report, report


def test_pins_lie_within_the_ranges():
    """What pyproject.toml names is pinned, at or above its lower bound."""
    lists = "".join((ROOT / name).read_text() for name in LISTS)
    pins = dict(re.findall(r"^([\w-]+)==([\d.]+)", lists, re.MULTILINE))
    ranges = dict(
        re.findall(r'^\s+"([\w-]+)>=([\d.]+)",', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    )
    as_numbers = lambda version: [int(part) for part in version.split(".")]  # noqa: E731
    too_low = [name for name, low in ranges.items() if as_numbers(pins[name]) < as_numbers(low)]
    assert ranges
    assert not too_low


@pytest.mark.parametrize("name", ["Makefile", *LISTS, "pyproject.toml"])
def test_no_package_index_is_named(name):
    """Which index serves the packages is the reader's choice."""
    assert not re.search(r"index-url|find-links|https?://", (ROOT / name).read_text())
