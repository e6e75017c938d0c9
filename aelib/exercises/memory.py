"""What a student has solved, in one small file on this machine; nothing leaves it.

``AELIB_PROGRESS`` names the file; ``AELIB_PROGRESS=0`` remembers nothing beyond the running kernel. Each change is
made under a lock: read, change, write to a file of its own, and rename that over the old one. So a kernel that is
killed, and two kernels at once, lose nothing. Where the file cannot be written, the exercises go on without it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

PATIENCE = 10.0
"""Seconds to wait for another kernel that is writing."""
TROUBLE = (OSError, NotImplementedError)
"""What a full disk, a folder without permission, a lock that never opens and a file system without locks raise."""


@dataclass(frozen=True)
class Record:
    """Of one exercise: whether it was solved, how many hints were given, how many before it was solved, and how
    many wrong answers came since the last hint."""

    solved: bool = False
    hints: int = 0
    hints_before: int = 0
    wrong: int = 0


_here: dict[str, Record] = {}
"""The records of this kernel where no file is kept, and what could not be written yet."""
_told: set[str] = set()


def place() -> Path | None:
    """The file that remembers, or None where nothing is remembered."""
    named = os.environ.get("AELIB_PROGRESS", "")
    if named == "0":
        return None
    if named:
        return Path(named).expanduser().resolve()
    import platformdirs

    return Path(platformdirs.user_data_path("aelib")) / "progress.json"


def records() -> dict[str, Record]:
    """Number of each exercise that was tried, and its record."""
    path = place()
    if path is None or not path.exists():
        return dict(_here)
    try:
        with _locked(path):
            return _read(path) | _here
    except TROUBLE as error:
        return _without(path, error)


def update(number: str, change: Callable[[Record], Record]) -> Record:
    """Change the record of one exercise, "06.3", and give it back; it never raises over the file."""
    path = place()
    if path is not None:
        try:
            with _locked(path):
                known = _read(path) | _here
                old = known.get(number, Record())
                if (new := change(old)) != old or _here:
                    _write(path, known | {number: new})
                    _here.clear()
                return new
        except TROUBLE as error:
            _without(path, error)
    _here[number] = change(_here.get(number, Record()))
    return _here[number]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    import filelock

    path.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(path.with_name(f".{path.name}.lock"), timeout=PATIENCE, poll_interval=0.01):
        yield


def _read(path: Path) -> dict[str, Record]:
    if not path.exists():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["exercises"]
        return {number: _record(entry) for number, entry in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _put_aside(path)


def _record(entry: dict) -> Record:
    """Raises a TypeError for what is no record; what a later edition added is left out."""
    given = {field.name: entry[field.name] for field in fields(Record) if field.name in entry}
    if not all(isinstance(value, int) and value >= 0 for value in given.values()):
        raise TypeError
    return Record(**given)


def _put_aside(path: Path) -> dict[str, Record]:
    handle, kept = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}-damaged-", suffix=path.suffix)
    os.close(handle)
    os.replace(path, kept)
    print(f"The file with your solved exercises, {path}, was damaged. It is kept as {kept}; we start anew.")
    return {}


def _write(path: Path, known: dict[str, Record]) -> None:
    for left in path.parent.glob(f".{path.name}-*.part"):  # of a kernel that was killed; the lock is ours
        left.unlink()
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"exercises": {number: asdict(known[number]) for number in sorted(known)}}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def _without(path: Path, error: Exception) -> dict[str, Record]:
    """The records of this kernel alone; the first time, a sentence says why."""
    if str(path) not in _told:
        _told.add(str(path))
        print(f"What you solve cannot be remembered in {path} ({error}); the exercises go on without it.")
    return dict(_here)
