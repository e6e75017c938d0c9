"""One process that has imported what lessons import, and forks a kernel for whoever asks.

    python -P -m aelib.kernels.template SOCKET

It listens on a Unix socket and ends when its standard input, if that is a pipe, is closed. An ordinary user's template serves that user
alone. Root's template serves everyone: who asks is learned from the socket itself, and the forked process takes that
user's rights, control groups and view of the file system before it reads a byte of theirs, or refuses. The
template reads no request, runs no cell and holds nobody's data.

Protocol, one connection for a kernel: the client sends JSON (argv, cwd, env) with the file descriptors of standard
output and standard error; the answer is JSON, {"pid": ...} or {"refused": sentence}. The connection stays open while
the kernel is wanted: when the client's end is closed, the kernel ends.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import pwd
import random
import select
import signal
import socket
import stat
import struct
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, NamedTuple

READY = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "matplotlib.pyplot",
    "scipy.optimize",
    "sklearn.cluster",
    "sklearn.decomposition",
    "sklearn.linear_model",
    "sklearn.mixture",
    "torch",
    "aelib.desiderata",
    "aelib.exercises",
    "aelib.plots",
    "aelib.questions",
    "aelib.training",
    "aelib.widgets",
)
"""What lessons import, directly or not."""
READ_ONCE = ("ATEN_", "CUDA_", "KMP_", "LD_", "MKL_", "NUMEXPR_", "OMP_", "OPENBLAS_", "PYTHON", "TORCH_")
"""Beginnings of variables that count when a library is loaded, and not later."""
INLINE = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
LARGEST_REQUEST = 2**20
CONTROL_GROUPS = Path("/sys/fs/cgroup")
BOUNDS = ("NoNewPrivs", "CapBnd", "Seccomp")
"""What a process may never do, by the names of /proc/PID/status."""


class Peer(NamedTuple):
    """Who is at the other end of a socket, by the system's own word."""

    pid: int
    uid: int
    gid: int


def peer_of(connection: socket.socket) -> Peer:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return Peer(*struct.unpack("3i", credentials))


def load(names: tuple[str, ...] = READY) -> None:
    """Import it all; what is imported is not looked at again by the garbage collector, and so stays shared."""
    os.environ |= INLINE
    for name in names:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def listen(path: str) -> socket.socket:
    """A socket at `path`: for everyone if this is root's template, else for its own user."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o666 if os.geteuid() == 0 else 0o600)
    listener.listen(64)
    return listener


def may_ask(peer: Peer) -> bool:
    return os.geteuid() in (0, peer.uid)


def become(peer: Peer) -> None:
    """Take the place of who asks, for good; nothing to do for one's own user. OSError where it cannot be taken."""
    if os.geteuid() == peer.uid:
        return
    theirs, own = Path("/proc", str(peer.pid)), Path("/proc/self")
    if theirs.stat().st_uid != peer.uid:
        raise PermissionError("who asked is gone.")
    if bounds(theirs) != bounds(own):
        raise PermissionError("who asks is bound in other ways than the template.")
    os.initgroups(pwd.getpwuid(peer.uid).pw_name, peer.gid)
    enter_control_groups(theirs, own)
    enter_namespaces(theirs, own)
    os.setgid(peer.gid)
    os.setuid(peer.uid)


def bounds(process: Path) -> list[str]:
    """What binds a process and cannot be taken over: its limits (ulimit), and what it may never do."""
    status, limits = ((process / name).read_text(encoding="utf-8") for name in ("status", "limits"))
    return [line for line in status.splitlines() if line.startswith(BOUNDS)] + [limits]


def enter_control_groups(theirs: Path, own: Path) -> None:
    """From here on memory and processor are counted with who asks, and end where theirs end."""
    groups = [(process / "cgroup").read_text(encoding="utf-8").splitlines() for process in (theirs, own)]
    for line in set(groups[0]) - set(groups[1]):
        _, controllers, path = line.split(":", 2)
        hierarchy = controllers.removeprefix("name=") or "unified" * (CONTROL_GROUPS / "unified").exists()
        (CONTROL_GROUPS / hierarchy / path.lstrip("/") / "cgroup.procs").write_text("0", encoding="utf-8")


def enter_namespaces(theirs: Path, own: Path) -> None:
    """See the file system as who asks does, a /tmp of their own for instance; any other difference is refused."""
    for name in os.listdir(own / "ns"):
        if os.readlink(theirs / "ns" / name) == os.readlink(own / "ns" / name):
            continue
        if name != "mnt":
            raise PermissionError(f"who asks lives in another namespace ({name}).")
        with open(theirs / "ns" / name, "rb") as mounts:
            if ctypes.CDLL(None, use_errno=True).setns(mounts.fileno(), 0):
                raise OSError(ctypes.get_errno(), "the file system cannot be seen as who asks sees it.")


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The request and the two file descriptors that came with it."""
    data, descriptors, _, _ = socket.recv_fds(connection, LARGEST_REQUEST, 2)
    while not data.endswith(b"\n") and len(data) < LARGEST_REQUEST:
        more = connection.recv(LARGEST_REQUEST)
        if not more:
            break
        data += more
    return json.loads(data), descriptors


def read_once(variables: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name.startswith(READ_ONCE)}


def answer(connection: socket.socket, **said: Any) -> None:
    connection.sendall(json.dumps(said).encode() + b"\n")


def take_place(request: dict[str, Any], descriptors: list[int]) -> None:
    """Stand where an ordinary kernel would: its folder, variables, output, session, and chance of its own."""
    os.setsid()
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ |= request["env"] | INLINE
    for descriptor, own in zip(descriptors, (1, 2), strict=True):
        os.dup2(descriptor, own)
        os.close(descriptor)
    random.seed()
    sys.modules["numpy"].random.seed()
    tempfile.tempdir = None
    sys.argv = ["ipykernel_launcher", *request["argv"]]


def end_with(connection: socket.socket) -> None:
    """End this process when the other end of the connection is closed."""

    def wait() -> None:
        connection.recv(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def kernel(connection: socket.socket, peer: Peer, loaded_with: dict[str, str]) -> None:
    """What the forked process does: it becomes the kernel that was asked for, or says why not."""
    if not may_ask(peer):
        return answer(connection, refused="this template serves another user.")
    try:
        become(peer)
    except (OSError, KeyError, ValueError) as reason:
        return answer(connection, refused=str(reason))
    request, descriptors = receive(connection)
    if read_once(request["env"]) != loaded_with:
        return answer(connection, refused="libraries would have to be loaded with other settings.")
    take_place(request, descriptors)
    answer(connection, pid=os.getpid())
    end_with(connection)
    sys.modules["ipykernel.kernelapp"].IPKernelApp.launch_instance(
        argv=[*request["argv"], f"--IPKernelApp.parent_handle={os.getppid()}"]
    )


def serve(listener: socket.socket) -> socket.socket | None:
    """In the template: nothing, when the pipe of its standard input is closed. In each forked process: the connection."""
    watched = [listener, 0] if stat.S_ISFIFO(os.fstat(0).st_mode) else [listener]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if 0 in ready:
            return None
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            return connection
        connection.close()


def main(path: str) -> None:
    loaded_with = read_once(dict(os.environ))
    for number, how in ((signal.SIGINT, signal.SIG_IGN), (signal.SIGCHLD, signal.SIG_IGN)):
        signal.signal(number, how)  # an interrupt is meant for kernels, and their ends need no answer
    with listen(path) as listener:
        load()
        connection = serve(listener)
    if connection is None:
        return os.unlink(path)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    kernel(connection, peer_of(connection), loaded_with)


if __name__ == "__main__":
    main(sys.argv[1])
