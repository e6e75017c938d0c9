"""The course on a JupyterHub: the one of `make hub` really runs; what is written for larger ones is sound."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import tomllib
from pathlib import Path

import pytest
import requests
import yaml
from traitlets.config import PyFileConfigLoader

from aelib.kernels.provisioner import template
from publish.lesson import ROOT, lessons
from tests.student import Student

HUB = ROOT / "hub"
FIRST = lessons("00")[0].name
WHERE = """
import os, pathlib, sys
print('torch' in sys.modules, os.getcwd(), pathlib.Path(f'/proc/{os.getppid()}/cmdline').read_text())
"""
UNITS = {"K": 1e3, "M": 1e6, "G": 1e9}

needs_a_hub = pytest.mark.skipif(
    importlib.util.find_spec("jupyterhub") is None or shutil.which("git") is None or os.name == "nt",
    reason="needs JupyterHub, which is not for Windows, and git",
)


@needs_a_hub
def test_a_student_logs_in_and_runs_a_lesson_on_a_forked_kernel(tmp_path):
    from hub.local import hub

    with template() as kernels, hub(tmp_path, students=1, kernels=kernels) as running:
        with pytest.raises(requests.HTTPError, match="403"):
            Student(running.address, "student1", running.password[::-1]).start()
        student = Student(running.address, "student1", running.password)
        student.start()
        cells = [cell for cell in student.open(FIRST)["cells"] if cell["cell_type"] == "code"]
        assert all(cell["metadata"]["trusted"] for cell in cells)
        kernel = student.kernel(FIRST)
        loaded, folder, parent = kernel.printed(WHERE).split(maxsplit=2)
        assert Path(folder) == tmp_path / "homes" / "student1" / "autoencoders" / "notebooks"
        if kernels:
            assert loaded == "True" and "aelib.kernels.template" in parent
        assert not [said for said in kernel.run(cells[0]["source"]) if said["msg_type"] == "error"]


# ---- larger ones ------------------------------------------------------------------------------------------------


def measured() -> dict[str, int]:
    return tomllib.loads((HUB / "measured.toml").read_text(encoding="utf-8"))


def in_bytes(size: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([KMG])", size).groups()
    return float(number) * UNITS[unit]


def test_a_container_holds_a_server_and_two_lessons():
    student = yaml.safe_load((HUB / "kubernetes/values.yaml").read_text(encoding="utf-8"))["singleuser"]
    used = measured()
    assert in_bytes(student["memory"]["guarantee"]) >= 1e6 * (used["server"] + used["kernel_ordinary"])
    assert in_bytes(student["memory"]["limit"]) >= 1e6 * (used["server"] + 2 * used["kernel_largest"])
    assert student["cpu"]["guarantee"] <= student["cpu"]["limit"]
    assert student["extraEnv"]["JUPYTER_CONFIG_PATH"].endswith(str(Path("hub/server")))
    assert student["defaultUrl"].endswith(FIRST)


def test_the_littlest_hub_reads_its_file_and_asks_the_template_that_its_unit_starts():
    read = PyFileConfigLoader("aelib_course.py", path=str(HUB / "tljh")).load_config()
    variables = read.Spawner.environment.to_dict()["update"]
    unit = (HUB / "tljh/aelib-kernels.service").read_text(encoding="utf-8")
    assert re.search(rf"^ExecStart=.* -m aelib.kernels.template {variables['AELIB_KERNELS']}$", unit, re.M)
    assert f"RuntimeDirectory={Path(variables['AELIB_KERNELS']).parent.name}\n" in unit
    assert (ROOT / Path(variables["JUPYTER_CONFIG_PATH"]).relative_to("/srv/autoencoders")).is_dir()
    used = measured()
    assert in_bytes(read.SystemdSpawner.mem_limit) >= 1e6 * (used["server"] + used["kernel_largest"])
    assert read.Spawner.default_url.endswith(FIRST)
