"""How jupyter_client gets a kernel from the template: the provisioner `aelib-template`.

It is chosen by the environment variable JUPYTER_DEFAULT_PROVISIONER_NAME, which `make lab` sets, and finds the template
by AELIB_KERNELS. Without a template, or for any other kernel than this Python's own, it is jupyter_client's local one.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import LocalProvisioner

from aelib.kernels import SOCKET

NAME = "aelib-template"
NAMED_BY = "JUPYTER_DEFAULT_PROVISIONER_NAME"
ORDINARY = ("-m", "ipykernel_launcher")


class Refused(Exception):
    """The template does not make this kernel; its sentence says why."""


class ForkedKernel:
    """A kernel that is the template's child and not ours, with what jupyter_client uses of subprocess.Popen."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)
        self._connection = connection  # the kernel ends when this is closed
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """None while it lives, then 0: the exit status is its parent's to know."""
        if self.returncode is None and select.select([self._handle], [], [], 0)[0]:
            self.returncode = 0
            os.close(self._handle)
            self._connection.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.poll() is None:
            select.select([self._handle], [], [], timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired("kernel", timeout)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def descriptor(stream: Any, default: int) -> int:
    """The number of a file descriptor that Popen would take; its PIPE and STDOUT are negative."""
    number = default if stream is None else stream if isinstance(stream, int) else stream.fileno()
    if number < 0:
        raise Refused("output is asked for in a pipe.")
    return number


def ask(path: str, argv: list[str], options: dict[str, Any]) -> ForkedKernel:
    """A kernel forked from the template at `path`; OSError or Refused if there is none to be had."""
    request = {"argv": argv, "cwd": options.get("cwd") or os.getcwd(), "env": dict(options["env"])}
    output = [descriptor(options.get(name), own) for name, own in (("stdout", 1), ("stderr", 2))]
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
        socket.send_fds(connection, [json.dumps(request).encode() + b"\n"], output)
        said = json.loads(connection.makefile().readline() or '{"refused": "the template has ended."}')
        if "refused" in said:
            raise Refused(said["refused"])
        return ForkedKernel(said["pid"], connection)
    except BaseException:
        connection.close()
        raise


class TemplateProvisioner(LocalProvisioner):
    """jupyter_client's local provisioner, with kernels forked from a template where there is one."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> dict[str, Any]:
        path = os.environ.get(SOCKET)
        if path and cmd[0] == sys.executable and tuple(cmd[1:3]) == ORDINARY:
            try:
                self.process = await asyncio.to_thread(ask, path, cmd[3:], options)
            except (OSError, Refused) as reason:
                self.log.info("A kernel starts in the ordinary way: %s", reason)
            else:
                self.pid = self.pgid = self.process.pid
                return self.connection_info
        return await super().launch_kernel(cmd, **options)


@contextmanager
def template() -> Iterator[dict[str, str]]:
    """Run a template meanwhile; the variables with which kernels are asked of it, or none where it cannot run."""
    registered = entry_points(group="jupyter_client.kernel_provisioners", name=NAME)
    if not (sys.platform.startswith("linux") and registered):
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="aelib-kernels-") as folder:
        path = str(Path(folder, "socket"))
        command = [sys.executable, "-P", "-m", "aelib.kernels.template", path]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )
        try:
            _wait_for(path, process)
            yield {SOCKET: path, NAMED_BY: NAME}
        finally:
            process.communicate()


def _wait_for(path: str, process: subprocess.Popen) -> None:
    """It listens before it imports, so this is soon."""
    while not os.path.exists(path) and process.poll() is None:
        time.sleep(0.01)
