"""Kernels forked from a template: like ordinary ones in every respect, sooner, and each its own user's."""

from __future__ import annotations

import json
import os
import pwd
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from jupyter_client import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory

from aelib.kernels import SOCKET
from aelib.kernels.provisioner import NAME, ForkedKernel, TemplateProvisioner, ask, template
from aelib.kernels.template import READY, Peer, may_ask
from publish.lesson import ROOT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the template is Linux's")
SECONDS = 120


@pytest.fixture(scope="module")
def variables() -> Iterator[dict[str, str]]:
    with template() as variables:
        yield variables


@pytest.fixture
def from_template(variables, monkeypatch) -> None:
    monkeypatch.setenv(SOCKET, variables[SOCKET])
    monkeypatch.setattr(KernelProvisionerFactory.instance(), "default_provisioner_name", NAME)


@contextmanager
def running(**options) -> Iterator[tuple[KernelManager, Callable[[str], str]]]:
    """A kernel, and what it prints for a piece of code."""
    manager = KernelManager()
    manager.start_kernel(**options)
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(SECONDS)

    def printed(code: str) -> str:
        said: list[str] = []
        hook = lambda message: said.append(message["content"].get("text", str(message["content"])))  # noqa: E731
        client.execute_interactive(code, timeout=SECONDS, output_hook=hook)
        return "".join(text for text in said if "execution_state" not in text and "'code'" not in text)

    try:
        yield manager, printed
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def ends(pid: int) -> bool:
    """Whether a process ends within the time that is given to it."""
    deadline = time.monotonic() + SECONDS
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not psutil.pid_exists(pid)


WHO = "import json, os, random, sys, numpy; print(json.dumps([os.getcwd(), os.environ.get('MINE'), random.random(), numpy.random.random()]))"


def test_it_stands_where_an_ordinary_kernel_would(from_template, tmp_path):
    with running(cwd=str(tmp_path), env=os.environ | {"MINE": "yes"}) as (manager, printed):
        assert isinstance(manager.provisioner, TemplateProvisioner)
        assert isinstance(manager.provisioner.process, ForkedKernel)
        assert json.loads(printed(WHO))[:2] == [str(tmp_path), "yes"]
        assert printed(
            "print(input.__module__, __name__, sys.argv[0].endswith('ipykernel_launcher'))"
        ).split()[1:] == [
            "__main__",
            "True",
        ]
        assert printed("print('here', flush=True); os.system('echo below')").startswith("here")


def test_what_lessons_import_is_there_already_and_drawings_are_inline(from_template):
    with running() as (_, printed):
        loaded = f"import sys; print([name for name in {READY} if name not in sys.modules])"
        assert printed(loaded).strip() == "[]"
        drawing = "import matplotlib.pyplot as plt; plt.plot([0, 1]); plt.show()"
        assert "image/png" in printed(drawing)
        assert (
            printed("import torch; print(torch.get_num_threads())").strip() == os.environ["OMP_NUM_THREADS"]
        )


def test_chance_is_each_kernels_own(from_template):
    with running() as (_, one), running() as (_, other):
        assert not set(json.loads(one(WHO))[2:]) & set(json.loads(other(WHO))[2:])


def test_an_interrupt_stops_the_cell_and_not_the_kernel(from_template):
    with running() as (manager, printed):
        client = manager.blocking_client()
        client.start_channels()
        # With stop_on_error, what is asked shortly after an error is thrown away unrun.
        client.execute("import time; print('on', flush=True); time.sleep(600)", stop_on_error=False)
        while client.get_iopub_msg(timeout=SECONDS)["msg_type"] != "stream":
            pass
        manager.interrupt_kernel()
        assert client.get_shell_msg(timeout=SECONDS)["content"].get("ename") == "KeyboardInterrupt"
        client.stop_channels()
        assert printed("print(6 * 7)").strip() == "42"


def test_a_kernel_that_dies_is_seen_and_one_that_is_left_ends(from_template):
    with running() as (manager, _):
        pid = manager.provisioner.pid
        assert manager.is_alive()
        psutil.Process(pid).kill()
        assert ends(pid)
        assert not manager.is_alive()
    with running() as (manager, _):
        pid = manager.provisioner.pid
        manager.provisioner.process._connection.shutdown(socket.SHUT_RDWR)  # as when its server is killed
        assert ends(pid)


def test_a_restart_gives_a_fresh_kernel(from_template):
    with running() as (manager, printed):
        printed("kept = 1")
        before = manager.provisioner.pid
        manager.restart_kernel(now=True)
        assert manager.provisioner.pid != before
        client = manager.blocking_client()
        client.start_channels()
        client.wait_for_ready(SECONDS)
        reply = client.execute_interactive("kept", timeout=SECONDS, output_hook=lambda message: None)
        assert reply["content"].get("ename") == "NameError"
        client.stop_channels()


@pytest.mark.parametrize("missing", ["other threads", "no template", "no variable"])
def test_where_the_template_cannot_serve_a_kernel_starts_in_the_ordinary_way(
    from_template, monkeypatch, missing
):
    options = {}
    if missing == "other threads":
        options["env"] = os.environ | {"OMP_NUM_THREADS": "2"}
    if missing == "no template":
        monkeypatch.setenv(SOCKET, str(ROOT / "no-such-socket"))
    if missing == "no variable":
        monkeypatch.delenv(SOCKET)
    with running(**options) as (manager, printed):
        assert isinstance(manager.provisioner.process, subprocess.Popen)
        assert printed("print(6 * 7)").strip() == "42"


def test_a_template_ends_with_who_started_it():
    with template() as variables:
        path = variables[SOCKET]
        assert Path(path).exists()
        owner = [each for each in psutil.Process().children() if path in " ".join(each.cmdline())]
        assert len(owner) == 1
    assert not owner[0].is_running()
    with pytest.raises(OSError, match="No such file"):
        ask(path, [], {"env": {}})


# ---- one template for all users of a machine ----------------------------------------------------------------

ASKS = """
import json, os, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
request = {"argv": ["-f", sys.argv[2]], "cwd": "/", "env": dict(os.environ)}
socket.send_fds(connection, [json.dumps(request).encode() + b"\\n"], [2, 2])
print(connection.makefile().readline(), flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def for_everyone() -> Iterator[str]:
    """The socket of a template that root runs as a service of the system, with nothing at its standard input."""
    if os.geteuid() != 0:
        pytest.skip("only root can serve other users")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = f"{folder}/socket"
        command = [sys.executable, "-P", "-m", "aelib.kernels.template", path]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as process:
            while not Path(path).exists():
                time.sleep(0.05)
            yield path
            process.terminate()


@contextmanager
def asked_by(user: str, path: str, file: Path, before: tuple[str, ...] = ()) -> Iterator[dict]:
    """What the template answers to a user's process for a connection file; the kernel is wanted meanwhile.

    before: a command line of root's that starts the process.
    """
    who = pwd.getpwnam(user)
    rights = ("setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    command = [*before, *rights, "/usr/bin/python3", "-c", ASKS, path, file]
    with subprocess.Popen(command, cwd="/", **pipes) as process:
        yield json.loads(process.stdout.readline())
        process.stdin.close()


@pytest.fixture
def connection_file(tmp_path) -> Iterator[Path]:
    """A connection file that its owner alone may read."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        manager = KernelManager(connection_file=f"{folder}/kernel.json")
        manager.write_connection_file()
        yield Path(folder, "kernel.json")
        manager.cleanup_connection_file()


def test_a_kernel_has_the_rights_of_who_asks_and_ends_with_them(for_everyone, nobodys):
    nobody = pwd.getpwnam("nobody")
    with asked_by("nobody", for_everyone, nobodys) as said:
        kernel = psutil.Process(pid := said["pid"])
        assert set(kernel.uids()) == {nobody.pw_uid}
        assert set(kernel.gids()) == {nobody.pw_gid}
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        assert f"Groups:\t{nobody.pw_gid}" in status
        assert "CapEff:\t0000000000000000" in status
    assert ends(pid)


@pytest.fixture
def nobodys(connection_file) -> Path:
    """A connection file that nobody may read."""
    nobody = pwd.getpwnam("nobody")
    os.chown(connection_file, nobody.pw_uid, nobody.pw_gid)
    return connection_file


@pytest.fixture
def control_group() -> Iterator[Path]:
    """A new control group for memory, below that of this process."""
    lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    split = [line.split(":", 2)[1:] for line in lines]
    names, path = next(each for each in split if each[0] in ("memory", "") or "memory" in each[0].split(","))
    folder = Path("/sys/fs/cgroup", names, path.lstrip("/"), f"aelib-{os.getpid()}")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("no control group can be made here")
    yield folder
    folder.rmdir()


def test_memory_is_counted_with_who_asks(for_everyone, nobodys, control_group):
    within = ("sh", "-c", f'echo $$ > {control_group}/cgroup.procs && exec "$@"', "sh")
    with asked_by("nobody", for_everyone, nobodys, within) as said:
        assert str(said["pid"]) in (control_group / "cgroup.procs").read_text(encoding="utf-8").split()
    assert ends(said["pid"])


def test_a_kernel_sees_the_file_system_as_who_asks_does(for_everyone, nobodys):
    """As where a Hub gives each user a /tmp of their own."""
    own_mnt = (
        "unshare",
        "--mount",
        "sh",
        "-c",
        'mount -t tmpfs none /mnt && touch /mnt/mine && exec "$@"',
        "sh",
    )
    with asked_by("nobody", for_everyone, nobodys, own_mnt) as said:
        assert Path(f"/proc/{said['pid']}/root/mnt/mine").exists()
    assert not Path("/mnt/mine").exists()


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (("setpriv", "--no-new-privs"), "bound"),
        (("sh", "-c", 'ulimit -n 300 && exec "$@"', "sh"), "bound"),
        (("unshare", "--net"), "namespace"),
    ],
)
def test_what_cannot_be_taken_over_is_refused(for_everyone, nobodys, before, why):
    with asked_by("nobody", for_everyone, nobodys, before) as said:
        assert why in said["refused"]


def test_nobody_gets_at_what_is_anothers(for_everyone, connection_file):
    """Neither a connection file, nor a kernel's life or memory."""
    with asked_by("nobody", for_everyone, connection_file) as said:  # the file is root's
        assert ends(said["pid"]), "a kernel came up with another user's keys"
    with asked_by("root", for_everyone, connection_file) as said:
        pid = said["pid"]
        attack = (
            f"import os; os.kill({pid}, 9)",
            f"open('/proc/{pid}/mem', 'rb')",
            f"open('/proc/{pid}/environ').read()",
        )
        entry = pwd.getpwnam("nobody")
        for code in attack:
            done = subprocess.run(
                ["/usr/bin/python3", "-c", code],
                cwd="/", user=entry.pw_uid, group=entry.pw_gid, extra_groups=[], capture_output=True, text=True,
            )  # fmt: skip
            assert "PermissionError" in done.stderr
        assert psutil.pid_exists(pid)


def test_an_ordinary_users_template_serves_that_user_alone(variables):
    """Even where the file system would let another one in."""
    if os.geteuid() != 0:
        pytest.skip("only root can try")
    assert os.stat(variables[SOCKET]).st_uid == 0
    assert may_ask(Peer(pid=1, uid=12345, gid=12345))
    os.seteuid(12345)
    try:
        assert may_ask(Peer(pid=1, uid=12345, gid=12345))
        assert not may_ask(Peer(pid=1, uid=0, gid=0))
        assert not may_ask(Peer(pid=1, uid=54321, gid=12345))
    finally:
        os.seteuid(0)
