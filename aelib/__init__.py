"""aelib: what a lesson on autoencoders needs and is not about.

Importing it settles how many threads torch will use, before torch is loaded: the networks here are so small that
a second thread gains nothing, and threads that spin while they wait slow every other kernel on the machine.
Your own settings win: ``OMP_NUM_THREADS`` and ``OMP_WAIT_POLICY`` are left as they are if they are set.
"""

import os
import sys

__version__ = "1.0.0"

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "OMP_NUM_THREADS" not in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def check_edition(notebook: str) -> None:
    """Print one sentence if a notebook is of another edition of the course than this package; else nothing."""
    if notebook != __version__:
        print(
            f"This lesson is of edition {notebook}, and the aelib installed here of edition {__version__}: what you see "
            "may differ from what the lesson says. The README, “Updating”, says how to have both of one edition."
        )
