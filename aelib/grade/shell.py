"""A quiet IPython for the cells of a lesson: magics work, nothing is printed."""

from __future__ import annotations

import contextlib
import io

from IPython.core.interactiveshell import InteractiveShell

from aelib.exercises.frame import CHECKS, Verdict


class Shell:
    """names: what the cells have defined."""

    def __init__(self) -> None:
        self._shell = InteractiveShell.instance()
        self._shell.showtraceback = lambda *_args, **_named: None
        self.names = self._shell.user_ns

    def run(self, source: str) -> str:
        """Run a cell; nothing, or what stopped it: "NameError: …"."""
        with self._silence():
            result = self._shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        return f"{type(error).__name__}: {error}" if error else ""

    def check(self, number: str, answers: list) -> Verdict:
        """The verdict of the course's own check, whatever a cell may have called `check`."""
        with self._silence():
            return CHECKS[number](*answers)

    @contextlib.contextmanager
    def _silence(self):
        nowhere = io.StringIO()
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            yield
