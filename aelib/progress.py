"""One line of text below a notebook's cell, rewritten in place: a saved notebook shows its last words."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


class Line:
    """Rewritten at most five times a second; nothing outside a notebook."""

    def __init__(self, wanted: bool = True) -> None:
        self.handle = _new_line() if wanted else None
        self.due = 0.0

    def say(self, sentence: Callable[[], str], final: bool = False) -> None:
        if self.handle and (final or time.monotonic() >= self.due):
            self.handle.update({"text/plain": sentence()}, raw=True)
            self.due = time.monotonic() + 0.2


def _new_line():
    """A display that can be rewritten, or None where there is no notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if getattr(shell, "kernel", None) is None:
        return None
    from IPython.display import display

    return display({"text/plain": "…"}, raw=True, display_id=True)
