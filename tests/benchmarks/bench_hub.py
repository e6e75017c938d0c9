"""A class on one JupyterHub: memory for each student, and seconds until the first output, with forked and ordinary kernels.

    make bench ONLY=hub STUDENTS=6        a smaller class (default 30)
    make bench ONLY=hub WHOLE=1           every cell of the lesson, not only those up to the first output

Every student is a user of a real Hub on this machine: logs in, has a server, opens lesson 08 and runs it. All do so
within a minute, first with kernels forked from one template, then, on the same servers, with ordinary ones. Memory is
counted when all have run: what a process has for itself and its share of what it has in common with others.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import psutil
import requests
import websocket

from aelib.kernels.provisioner import template
from publish.lesson import lessons
from tests.student import Kernel, Student

STUDENTS = int(os.environ.get("STUDENTS", "30"))
WHOLE = bool(os.environ.get("WHOLE"))
MINUTE = 60.0
LESSON = lessons("08")[0].name
ORDINARY = {
    "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "ordinary",
    "language": "python",
    "metadata": {"kernel_provisioner": {"provisioner_name": "local-provisioner"}},
}
"""A kernel that is started afresh, whatever the provisioner of the others."""


class Seen(NamedTuple):
    """What one student saw: the kernel's process, and seconds from opening the lesson to its first output."""

    pid: int
    seconds: float


class Memory(NamedTuple):
    """Of one process, in MB: what nobody else has, and that with its share of the rest."""

    private: float
    shared_out: float


def memory(pid: int) -> Memory:
    full = psutil.Process(pid).memory_full_info()
    return Memory(full.uss / 1e6, full.pss / 1e6)


def everyone(do: Callable, *each: list, at_once: int = STUDENTS) -> list:
    """Each in a thread, so many at once."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(do, *each))


def first_output(kernel: Kernel, cells: list[str]) -> float:
    """When the first output came, on the clock; with WHOLE=1 all cells are run."""
    came = 0.0
    for code in cells:
        for said in kernel.run(code):
            came = came or time.perf_counter()
            if said["msg_type"] == "error":
                raise RuntimeError(said["content"]["evalue"])
        if came and not WHOLE:
            break
    return came


def follow(student: Student, name: str, late: float) -> Seen | None:
    """Come after `late` seconds, open the lesson, run it; nothing if the kernel does not live through it."""
    time.sleep(late)
    started = time.perf_counter()
    cells = [cell["source"] for cell in student.open(LESSON)["cells"] if cell["cell_type"] == "code"]
    try:
        kernel = student.kernel(LESSON, name)
        seconds = first_output(kernel, cells) - started
        return Seen(int(kernel.printed("import os; print(os.getpid())")), seconds)
    except (websocket.WebSocketException, requests.RequestException, OSError):
        return None


def servers(hub: int) -> list[int]:
    """The processes of the students' servers."""
    children = psutil.Process(hub).children()
    return [child.pid for child in children if "jupyterhub.singleuser" in child.cmdline()]


def template_of(kernel: int) -> list[int]:
    """The template that a kernel was forked from."""
    parent = psutil.Process(kernel).parent()
    return [parent.pid] if "aelib.kernels.template" in parent.cmdline() else []


def report(name: str, hub: int, followed: list[Seen | None]) -> None:
    seen = [each for each in followed if each]
    kernels = [memory(each.pid) for each in seen]
    theirs = [memory(pid) for pid in servers(hub)]
    common = sum(memory(pid).shared_out for pid in template_of(seen[0].pid))
    mean = lambda all_of, what: statistics.fmean(getattr(each, what) for each in all_of)  # noqa: E731
    total = (sum(each.shared_out for each in kernels + theirs) + common) / len(seen)
    seconds = [each.seconds for each in seen]
    print(
        f"  {name:<9} first output after {statistics.median(seconds):5.1f} s (slowest {max(seconds):.1f}); "
        f"kernel {mean(kernels, 'shared_out'):4.0f} MB ({mean(kernels, 'private'):.0f} its own), "
        f"server {mean(theirs, 'shared_out'):4.0f} MB ({mean(theirs, 'private'):.0f} its own), "
        f"template {common:.0f} MB; {total:.0f} MB for each student; "
        f"{len(followed) - len(seen)} kernels died",
        flush=True,
    )


def prepare(folder: Path, number: int) -> str:
    """A student's home with the ordinary kernel in it; the student's name."""
    name = f"student{number}"
    kernel = folder / "homes" / name / ".local/share/jupyter/kernels/ordinary"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps(ORDINARY), encoding="utf-8")
    return name


def main() -> None:
    from hub.local import hub

    with tempfile.TemporaryDirectory() as place, template() as kernels:
        folder = Path(place)
        names = [prepare(folder, number) for number in range(1, STUDENTS + 1)]
        with hub(folder, STUDENTS, kernels=kernels) as running:
            students = [Student(running.address, name, running.password) for name in names]
            started = time.perf_counter()
            everyone(Student.start, students, at_once=4)
            print(f"  {STUDENTS} servers started in {time.perf_counter() - started:.0f} s", flush=True)
            late = [MINUTE * number / STUDENTS for number in range(STUDENTS)]
            for what, name in (("forked", "python3"), ("ordinary", "ordinary")):
                report(what, running.pid, everyone(follow, students, [name] * STUDENTS, late))
                everyone(Student.close_kernels, students)


if __name__ == "__main__":
    if importlib.util.find_spec("jupyterhub"):
        main()
    else:
        print("  not measured: JupyterHub is not installed here; `make hub` installs it")
