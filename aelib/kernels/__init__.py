"""Kernels that are born ready: forked from one process that has imported everything, instead of started afresh.

`template` is that process, `provisioner` is how JupyterLab and every other user of jupyter_client ask it for a kernel.
Linux only; wherever the template cannot serve, a kernel starts in the ordinary way.
"""

SOCKET = "AELIB_KERNELS"
"""The environment variable that names the template's socket."""
