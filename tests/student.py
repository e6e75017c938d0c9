"""A student of a JupyterHub without a browser: logs in, opens a lesson, runs its cells."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import requests
import websocket

LESSONS = "autoencoders/notebooks"
SECONDS = 900
"""How long anything may take."""


class Student:
    """A user who is logged in at a Hub, by the login page."""

    def __init__(self, address: str, name: str, password: str) -> None:
        self.name, self._server = name, f"{address}/user/{name}"
        self._session = requests.Session()
        self._session.get(f"{address}/hub/login", timeout=SECONDS)
        form = {"username": name, "password": password, "_xsrf": self._session.cookies["_xsrf"]}
        self._session.post(f"{address}/hub/login", data=form, timeout=SECONDS, allow_redirects=False)
        self._hub = f"{address}/hub/api/users/{name}"

    def _ask(self, method: str, address: str, **sent: Any) -> Any:
        reply = self._session.request(method, address, timeout=SECONDS, **sent)
        reply.raise_for_status()
        return reply.json() if reply.content else None

    def start(self) -> None:
        """Start the server, and wait until it answers; a token takes the place of cookies from then on."""
        self._session.headers["X-XSRFToken"] = self._session.cookies["_xsrf"]
        token = self._ask("POST", f"{self._hub}/tokens", json={})["token"]
        self._session.headers["Authorization"] = f"token {token}"
        self._ask("POST", f"{self._hub}/server", json={})
        deadline = time.monotonic() + SECONDS
        while not self._ask("GET", self._hub)["servers"].get("", {}).get("ready"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}'s server does not start.")
            time.sleep(0.2)

    def open(self, lesson: str) -> dict:
        """The notebook as the server has it: cells of a trusted one say so in their metadata."""
        return self._ask("GET", f"{self._server}/api/contents/{LESSONS}/{lesson}")["content"]

    def kernel(self, lesson: str, name: str = "python3") -> Kernel:
        """A new kernel in the lesson's folder, as opening it in JupyterLab starts one."""
        asked = {"path": f"{LESSONS}/{lesson}", "name": name}
        started = self._ask("POST", f"{self._server}/api/kernels", json=asked)["id"]
        address = f"{self._server}/api/kernels/{started}/channels".replace("http", "ws", 1)
        return Kernel(address, self._session.headers["Authorization"])

    def close_kernels(self) -> None:
        """End all kernels of the server."""
        for running in self._ask("GET", f"{self._server}/api/kernels"):
            self._ask("DELETE", f"{self._server}/api/kernels/{running['id']}")


class Kernel:
    """A running kernel, asked over the server's websocket."""

    def __init__(self, address: str, authorization: str) -> None:
        self._socket = websocket.create_connection(
            address, timeout=SECONDS, header=[f"Authorization: {authorization}"]
        )

    def run(self, code: str) -> Iterator[dict]:
        """The messages that a cell sends until it is done: outputs as they come, then its reply."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "version": "5.3"}
        header |= {"session": uuid.uuid4().hex, "date": ""}
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        message = {
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": "shell",
        }
        self._socket.send(json.dumps(message))
        idle = replied = False
        while not (idle and replied):
            said = json.loads(self._socket.recv())
            if said["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            idle |= said["content"].get("execution_state") == "idle"
            replied |= said["msg_type"] == "execute_reply"
            if said["msg_type"] in ("stream", "display_data", "execute_result", "error"):
                yield said

    def printed(self, code: str) -> str:
        """What the cell prints, or the error that it ends in."""
        return "".join(said["content"].get("text", "") or str(said["content"]) for said in self.run(code))
