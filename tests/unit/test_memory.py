"""What was solved survives killed kernels, kernels at once, damage and folders that cannot be written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aelib.exercises import memory
from aelib.exercises.memory import Record

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import sys
import time
from dataclasses import replace
from aelib.exercises import memory
for k in range(int(sys.argv[2]), 10**6):
    memory.update(f"{sys.argv[1]}.{k}", lambda record: replace(record, solved=True, hints=k % 4))
    print(k, flush=True)
    time.sleep(0.005)  # nobody answers in a tight loop: the other kernel has its turn
"""
KILLS = 20


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("AELIB_PROGRESS", str(tmp_path / "kept" / "progress.json"))
    monkeypatch.setattr(memory, "_here", {})
    monkeypatch.setattr(memory, "_told", set())
    return tmp_path / "kept" / "progress.json"


def solved(record: Record) -> Record:
    return Record(solved=True, hints=record.hints)


def start(name: str, first: int) -> subprocess.Popen:
    command = [sys.executable, "-c", WRITER, name, str(first)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ)


def test_killed_kernels_lose_nothing(file):
    """Two kernels write at once, and one after the other is killed in the middle of it, twenty times."""
    said = {"a": -1, "b": -1}
    running = {name: start(name, 0) for name in said}
    for kill in range(KILLS):
        name = "ab"[kill % 2]
        for _ in range(3 + kill % 5):
            said[name] = int(running[name].stdout.readline())
        running[name].kill()
        for line in running[name].stdout.read().splitlines():  # what it said before it died
            said[name] = int(line)
        running[name].wait()
        known = memory.records()
        lost = [
            f"{name}.{k}"
            for name, last in said.items()
            for k in range(last + 1)
            if f"{name}.{k}" not in known
        ]
        assert not lost
        assert all(record.solved for record in known.values())
        running[name] = start(name, said[name] + 1)
    for process in running.values():
        process.kill()
        process.communicate()
    assert min(said.values()) >= 3 * KILLS / 2 - 1
    memory.update("07.1", solved)
    assert sorted(path.name for path in file.parent.iterdir()) == [".progress.json.lock", "progress.json"]


def test_a_change_is_read_back_and_the_file_is_plain(file):
    memory.update("07.1", solved)
    memory.update("07.2", lambda record: Record(hints=2, wrong=1))
    assert memory.records() == {"07.1": Record(solved=True), "07.2": Record(hints=2, wrong=1)}
    assert json.loads(file.read_text())["exercises"]["07.2"]["hints"] == 2


def test_nothing_is_written_where_nothing_changes(file):
    memory.update("07.1", solved)
    before = file.stat().st_mtime_ns, file.stat().st_ino
    memory.update("07.1", solved)
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"exercises": {"07.1": {"sol',
        b"\xff\xfe\x00",
        b"[]",
        b'{"exercises": [1]}',
        b'{"exercises": {"07.1": 3}}',
        b'{"exercises": {"07.1": {"hints": "two"}}}',
        b'{"exercises": {"07.1": {"hints": -1}}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_kept_aside_and_one_sentence_says_so(file, content, capsys):
    file.parent.mkdir()
    file.write_bytes(content)
    assert memory.update("07.1", solved) == Record(solved=True)
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "was damaged" in said
    (kept,) = file.parent.glob("progress-damaged-*.json")
    assert kept.read_bytes() == content
    assert str(kept) in said
    assert memory.records() == {"07.1": Record(solved=True)}


def test_what_a_later_edition_added_does_no_harm(file):
    file.parent.mkdir()
    file.write_text('{"exercises": {"07.1": {"solved": true, "stars": 3}}, "edition": 2}')
    assert memory.records() == {"07.1": Record(solved=True)}


def test_where_no_file_can_be_written_exercises_go_on_and_say_so_once(file, capsys):
    file.parent.write_text("a file where the folder should be")
    assert memory.update("07.1", solved) == Record(solved=True)
    memory.update("07.2", solved)
    assert set(memory.records()) == {"07.1", "07.2"}
    said = capsys.readouterr().out
    assert said.count("cannot be remembered") == 1


def test_what_could_not_be_written_is_written_with_the_next(file, capsys):
    file.parent.write_text("a file where the folder should be")
    memory.update("07.1", solved)
    file.parent.unlink()
    memory.update("07.2", solved)
    assert set(json.loads(file.read_text())["exercises"]) == {"07.1", "07.2"}
    assert "cannot be remembered" in capsys.readouterr().out


def test_zero_keeps_nothing_beyond_the_kernel(file, monkeypatch):
    monkeypatch.setenv("AELIB_PROGRESS", "0")
    memory.update("07.1", solved)
    assert memory.records() == {"07.1": Record(solved=True)}
    assert not file.parent.exists()


def test_without_a_name_the_file_lies_among_the_users_data(file, monkeypatch):
    monkeypatch.delenv("AELIB_PROGRESS")
    assert memory.place().name == "progress.json"
    assert memory.place().parent.name == "aelib"


def test_a_link_to_a_file_elsewhere_stays_a_link(file, tmp_path):
    elsewhere = tmp_path / "elsewhere.json"
    file.parent.mkdir()
    elsewhere.write_text('{"exercises": {}}')
    file.symlink_to(elsewhere)
    memory.update("07.1", solved)
    assert file.is_symlink()
    assert "07.1" in elsewhere.read_text()


def test_to_look_writes_nothing(file):
    assert memory.records() == {}
    assert not file.parent.exists()
