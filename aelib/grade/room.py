"""One lesson, run once, with a process for each answer: ``python -m aelib.grade.room``.

It reads a job from its standard input and writes a verdict a line to the file that the job names. It is a process of
its own, so that nothing of a lesson, and nothing of a student, comes near the process that writes the table.

A student's process has a time limit, a memory limit and no network; what it writes goes into a folder that is
deleted. It is no sandbox: it keeps mistakes from doing harm, not an attack.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import resource
import select
import signal
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from aelib.grade.handed_in import Call, calls, code_cells, defined

SLOW = "It ran for more than {seconds} seconds and was stopped: look for an endless loop."
DIED = "It ended the process, or needed more than {memory} MB of memory."
CLONE_NEWNET = 0x40000000


def main() -> None:
    os.environ |= {"AELIB_PROGRESS": "0", "AELIB_OFFLINE": "1", "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    job = json.load(sys.stdin)
    with (
        open(job["verdicts"], "w", encoding="utf-8") as out,
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),  # and back: IPython looks at its folder as it ends
    ):
        for found in judged(Path(job["notebook"]), job["lesson"], job["students"], job["limits"]):
            out.write(json.dumps(found, ensure_ascii=False) + "\n")
            out.flush()


def judged(notebook: Path, lesson: str, students: list[list[str]], limits: dict) -> Iterator[dict]:
    """The verdict on each exercise of each student, as the lesson is run up to it.

    students: their code cells. limits: seconds, memory (MB) and jobs. A verdict has the student's place in the list,
    the exercise, state, sentence and slip.
    """
    from aelib.grade.shell import Shell

    shell, cells = Shell(), code_cells(notebook)
    asked = {call.check: call for call in calls().values() if call.number.startswith(f"{lesson}.")}
    too_slow: list[set[str]] = [set() for _ in students]
    for cell in cells:
        call = next((asked.pop(name) for name in called(cell) if name in asked), None)
        if call is None:
            shell.run(cell)
            continue
        todo = [to_run(own, cells, call, slow) for own, slow in zip(students, too_slow, strict=True)]
        answers = forked([_judge(shell, own, call, limits) for own in todo], limits)
        for place, (answer, own) in enumerate(zip(answers, todo, strict=True)):
            found = json.loads(answer) if answer else _stopped(answer, limits)
            if answer is None and own:
                too_slow[place].add(own[-1])
            yield {"student": place, "exercise": call.number} | found
        if not asked:
            return


def called(cell: str) -> list[str]:
    """The names of the checks that a cell calls at its top level."""
    try:
        body = ast.parse(cell).body
    except SyntaxError:
        return []
    return [node.value.func.attr for node in body if _is_check(node)]


def _is_check(node: ast.stmt) -> bool:
    call = node.value if isinstance(node, ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
        return False
    return isinstance(call.func.value, ast.Name) and call.func.value.id == "check"


def to_run(own: list[str], official: list[str], call: Call, too_slow: set[str]) -> list[str]:
    """A student's cells that matter for an answer: what they wrote or changed, up to the last that defines it."""
    answers = [place for place, cell in enumerate(own) if defined(cell) & set(call.names)]
    if not answers:
        return []
    as_given = set(official)
    changed = [cell for cell in own[: answers[-1]] if cell not in as_given and cell not in too_slow]
    return [*changed, own[answers[-1]]]


def _judge(shell, cells: list[str], call: Call, limits: dict) -> Callable[[], dict]:
    def judge() -> dict:
        if not cells:
            names = ", ".join(f"`{name}`" for name in call.names)
            return _row("not tried", f"No cell of this notebook defines {names}.")
        _limit(limits)
        troubles = [shell.run(without_checks(cell)) for cell in cells]
        if troubles[-1]:
            return _row("error", f"The cell stops: {troubles[-1]}")
        missing = [name for name in call.names if name not in shell.names]
        if missing:
            return _row("not tried", f"No cell of this notebook defines `{missing[0]}`.")
        verdict = shell.check(call.number, [shell.names[name] for name in call.names])
        return _row(verdict.state, verdict.sentence, verdict.slip)

    return judge


def without_checks(cell: str) -> str:
    """The cell without the lines that ask for a verdict: the desk asks itself."""
    try:
        tree = ast.parse(cell)
    except SyntaxError:
        return cell
    lines = cell.splitlines()
    for node in tree.body:
        if _is_check(node):
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return "\n".join(lines)


def _row(state: str, sentence: str, slip: str | None = None) -> dict:
    return {"state": state, "sentence": sentence, "slip": slip}


def _stopped(answer: bytes | None, limits: dict) -> dict:
    return _row("error", (SLOW if answer is None else DIED).format(**limits))


def _limit(limits: dict) -> None:
    """Memory beyond what the lesson has already, time of the processor, no network, a group to be ended by."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    if pages:
        most = pages * resource.getpagesize() + limits["memory"] * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (limits["seconds"] + 1, limits["seconds"] + 1))
    _leave_the_network()


def _leave_the_network() -> None:
    """A network of its own, with nothing in it, where the system lets one; and sockets that refuse in any case."""
    import ctypes

    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET)

    def refuse(*_args, **_named):
        raise OSError("there is no network while answers are judged")

    for name in ("connect", "connect_ex", "sendto", "bind"):
        setattr(socket.socket, name, refuse)
    socket.getaddrinfo = refuse


def forked(tasks: list[Callable[[], dict]], limits: dict) -> list[bytes | None]:
    """What each task returns, as JSON, from a process of its own; empty if it died, None if it took too long."""
    answers: list[bytes | None] = [b""] * len(tasks)
    waiting, running = deque(enumerate(tasks)), {}
    while waiting or running:
        while waiting and len(running) < limits["jobs"]:
            place, task = waiting.popleft()
            end, child = _start(task, list(running))
            running[end] = (place, child, time.monotonic() + limits["seconds"])
        ready, _, _ = select.select(list(running), [], [], 0.1)
        for end in list(running):
            place, child, deadline = running[end]
            part = os.read(end, 65536) if end in ready else None
            if part:
                answers[place] += part
            elif part == b"" or time.monotonic() > deadline:
                if part is None:
                    answers[place] = None
                _end(end, child)
                del running[end]
    return answers


def _start(task: Callable[[], dict], others: list[int]) -> tuple[int, int]:
    end, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return end, child
    try:
        os.setsid()
        for fd in (end, *others):
            os.close(fd)
        os.write(write, json.dumps(task()).encode())
    finally:
        os._exit(0)


def _end(end: int, child: int) -> None:
    """The process and all that it started."""
    os.close(end)
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


if __name__ == "__main__":
    main()
