"""The course on The Littlest JupyterHub: /opt/tljh/config/jupyterhub_config.d/aelib_course.py

hub/README.md says what to do before. The limits are for each student, server and all kernels together; what they are
made of was measured by `make bench ONLY=hub`.
"""

COURSE = "/srv/autoencoders"
"""Where the course is cloned; its aelib is what students' kernels use."""
REPOSITORY = "https://github.com/YOUR_NAME/autoencoders"
"""From where students' servers pull the lessons."""

c = get_config()  # noqa: F821 (JupyterHub gives it)
c.Spawner.environment.update(
    {
        "AELIB_COURSE": REPOSITORY,
        "JUPYTER_CONFIG_PATH": f"{COURSE}/hub/server",
        # kernels are forked from the one process of aelib-kernels.service
        "AELIB_KERNELS": "/run/aelib-kernels/socket",
        "JUPYTER_DEFAULT_PROVISIONER_NAME": "aelib-template",
    }
)
c.Spawner.default_url = "/lab/tree/autoencoders/notebooks/00_start_here.ipynb"
c.SystemdSpawner.mem_limit = "1G"
c.SystemdSpawner.cpu_limit = 1.0
