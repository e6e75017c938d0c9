"""The Hub of `make hub`: this machine alone, made users, one password, every server with the rights of who started it.

hub/local.py starts it, and says in these variables what is to be used.
"""

import os
import sys
from pathlib import Path

from aelib.kernels.template import read_once

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ["AELIB_HUB_FOLDER"])
STUDENTS = int(os.environ["AELIB_HUB_STUDENTS"])
KERNELS = ("AELIB_KERNELS", "JUPYTER_DEFAULT_PROVISIONER_NAME")
"""With these, kernels are forked from the template that hub/local.py has started."""

c = get_config()  # noqa: F821 (JupyterHub gives it)
c.JupyterHub.db_url = f"sqlite:///{FOLDER}/hub.sqlite"
c.JupyterHub.cookie_secret_file = str(FOLDER / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(FOLDER / "proxy.pid")
c.ConfigurableHTTPProxy.command = [str(Path(sys.executable).with_name("configurable-http-proxy"))]
c.ConfigurableHTTPProxy.command += ["--proxy-timeout=600000"]  # milliseconds: a busy machine may answer late
c.ConfigurableHTTPProxy.log_level = "error"
c.JupyterHub.log_level = "WARN"

c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = os.environ["AELIB_HUB_PASSWORD"]
c.Authenticator.allowed_users = {f"student{number}" for number in range(1, STUDENTS + 1)}

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(FOLDER / "homes" / "{username}")
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--log-level=WARN"] + ["--allow-root"] * (os.geteuid() == 0)
c.Spawner.default_url = "/lab/tree/autoencoders/notebooks/00_start_here.ipynb"
c.Spawner.start_timeout = c.Spawner.http_timeout = 900  # thirty at once, on two cores
# A server that is interrupted asks whether it should end, and nobody answers: it is told to end a second later.
c.LocalProcessSpawner.interrupt_timeout = 1
c.Spawner.environment = {
    "AELIB_COURSE": os.environ["AELIB_COURSE"],
    "JUPYTER_CONFIG_PATH": str(HERE / "server"),
    **{name: os.environ[name] for name in KERNELS if name in os.environ},
    **read_once(dict(os.environ)),  # a template serves only who would load the libraries as it did
}
c.JupyterHub.concurrent_spawn_limit = 0  # a class comes at once
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}  # who waits for a server does not hold up the proxy

# A server that nobody has used for an hour ends; what was saved stays.
c.JupyterHub.services = [
    {"name": "idle-culler", "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"]}
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
