"""What a release builds opens, and what does not open is refused in a sentence; the doors' own files are valid."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import aelib
from publish import release
from publish.lesson import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, Path]:
    """Archive and wheel; hatchling is asked in a process of its own, in the course's folder."""
    folder = tmp_path_factory.mktemp("dist")
    code = f"from hatchling import build; print(build.build_sdist({str(folder)!r})); print(build.build_wheel({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    archive, wheel = done.stdout.split()[-2:]
    return {"archive": folder / archive, "wheel": folder / wheel}


def test_archive_and_wheel_open(built):
    release.check_archive(built["archive"])
    release.check_wheel(built["wheel"])


def test_a_wheel_without_its_drawings_is_refused(built, tmp_path):
    poor = tmp_path / built["wheel"].name
    with zipfile.ZipFile(built["wheel"]) as whole, zipfile.ZipFile(poor, "w") as packed:
        for name in whole.namelist():
            if not name.startswith("aelib/figures/"):
                packed.writestr(name, whole.read(name))
    with pytest.raises(SystemExit, match="cannot be used"):
        release.check_wheel(poor)


def test_an_archive_without_a_lesson_is_refused(built, tmp_path):
    poor = tmp_path / "poor.tar.gz"
    with tarfile.open(built["archive"]) as whole, tarfile.open(poor, "w:gz") as packed:
        for member in whole.getmembers():
            if not member.name.endswith("04_linear_autoencoder_is_pca.ipynb"):
                packed.addfile(member, whole.extractfile(member) if member.isfile() else None)
    with pytest.raises(SystemExit, match="not the whole course"):
        release.check_archive(poor)


PAGE = '<!doctype html><html lang="en"><a href="{link}">next</a></html>'


@pytest.mark.parametrize(
    ("pages", "says"),
    [
        ({"index.html": PAGE.format(link="a.html"), "a.html": PAGE.format(link="index.html#top")}, None),
        ({"index.html": PAGE.format(link="a.html")}, "index.html is not whole, it lacks a.html"),
        ({"index.html": PAGE.format(link="index.html")[:-7]}, "index.html is not whole"),
        ({"a.html": PAGE.format(link="https://elsewhere")}, "has no contents page"),
        (
            {"index.html": PAGE.format(link="s/a.html"), "s/a.html": PAGE.format(link="b.html")},
            "lacks s/b.html",
        ),
    ],
)
def test_pages_are_whole(tmp_path, pages, says):
    packed = tmp_path / "pages.zip"
    with zipfile.ZipFile(packed, "w") as site:
        for name, text in pages.items():
            site.writestr(name, text)
    if says is None:
        release.check_pages(packed)
    else:
        with pytest.raises(SystemExit, match=re.escape(says)):
            release.check_pages(packed)


def test_this_edition_may_be_released():
    release.check_edition()


def test_an_edition_without_a_word_in_the_changelog_is_refused(monkeypatch):
    monkeypatch.setattr(aelib, "__version__", "99.0.0")
    with pytest.raises(SystemExit, match=r"CHANGELOG\.md says nothing of edition 99\.0\.0"):
        release.check_edition()


# Binder, Codespaces, conda


def lists(*names: str) -> str:
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in names)


def test_every_door_opens_on_a_python_with_the_packages():
    text = lists("binder/runtime.txt", ".devcontainer/Dockerfile", "environment.yml")
    found = re.findall(r"python[-:=](3)\.(\d+)", text)
    assert len(found) == 3
    assert all((3, 11) <= (int(major), int(minor)) <= (3, 14) for major, minor in found)


def test_binder_installs_the_pins_with_the_small_torch_and_trusts_the_lessons(tmp_path):
    """Its script runs, here with an installer and a Jupyter that only note what they are asked."""
    tools, course = tmp_path / "tools", tmp_path / "course"
    tools.mkdir()
    for name in ("uv", "jupyter", "python"):
        answer = f'echo "{tmp_path}/env"' if name == "python" else f'echo {name} "$@" >> "{tmp_path}/asked"'
        (tools / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tools / name).chmod(0o755)
    for part in ("binder", "notebooks", "publish"):
        shutil.copytree(ROOT / part, course / part, ignore=shutil.ignore_patterns("__pycache__"))
    assert os.access(ROOT / "binder/postBuild", os.X_OK)
    environment = {"PATH": f"{tools}:/usr/bin:/bin"}
    subprocess.run([course / "binder/postBuild"], cwd=course, env=environment, check=True)
    install, trust = (tmp_path / "asked").read_text().splitlines()
    assert "--torch-backend cpu" in install
    assert install.endswith("--requirement requirements.txt")
    assert trust.count(".ipynb") == len(list((ROOT / "notebooks").glob("*.ipynb")))
    settings = tmp_path / "env/share/jupyter/lab/settings/overrides.json"
    assert json.loads(settings.read_text()) == json.loads((ROOT / "publish/overrides.json").read_text())
    assert re.fullmatch(r"(#.*\n)?uv==[\d.]+\n", lists("binder/requirements.txt"))


def test_the_codespace_installs_before_it_opens():
    asked = json.loads(lists(".devcontainer/devcontainer.json"))
    assert (ROOT / ".devcontainer" / asked["build"]["dockerfile"]).exists()
    assert (ROOT / asked["onCreateCommand"].split()[-1]).exists()
    assert asked["postAttachCommand"] == "make lab"


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_clone_has_the_same_bytes_where_git_changes_line_ends(tmp_path):
    """As on Windows, core.autocrlf=true; the committed rule wins."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    clone = tmp_path / "clone"
    command = [
        "git",
        "clone",
        "--quiet",
        "--no-tags",
        "--depth",
        "1",
        "-c",
        "core.autocrlf=true",
        ROOT.as_uri(),
        str(clone),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with_returns = [path.name for path in clone.rglob("*.svg") if b"\r\n" in path.read_bytes()]
    assert not with_returns
    assert b"\r\n" not in (clone / ".ci/run").read_bytes()
