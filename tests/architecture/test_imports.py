"""Imports point one way, and importing aelib costs nothing."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "aelib"

# Each part of aelib and the parts that it may import; a part that is not named may import none.
MAY_IMPORT = {
    "widgets": {
        "models",
        "data",
        "gaussian",
        "bits",
        "bijections",
        "desiderata",
        "denoising",
        "codebook",
        "generators",
        "sparse",
        "questions",
    },
    "plots": set(),
    "desiderata": {"models", "objectives", "gaussian", "data"},
    "training": {"models", "objectives", "gaussian", "data", "adam", "checkpoints", "progress"},
    "denoising": {"models", "objectives"},
    "codebook": {"models"},
    "generators": {"models", "objectives", "denoising"},
    "sparse": {"objectives", "desiderata"},
    "adam": set(),
    "checkpoints": set(),
    "progress": set(),
    "models": {"likelihoods"},
    "objectives": {"gaussian", "likelihoods"},
    "likelihoods": set(),
    "gaussian": set(),
    "data": {"progress"},
    "bits": set(),
    "bijections": set(),
    "equations": set(),
    "questions": set(),
    "exercises": {"data", "plots", "questions"},
    "grade": {"exercises"},
    "kernels": set(),
}
JUDGED = {
    "models",
    "objectives",
    "likelihoods",
    "gaussian",
    "training",
    "desiderata",
    "denoising",
    "codebook",
    "generators",
    "sparse",
}
HEAVY = {"torch", "numpy", "matplotlib", "scipy", "sklearn", "anywidget", "ipywidgets", "pooch"}


def part_of(path: Path) -> str:
    """ "widgets" for aelib/widgets/base.py, "models" for aelib/models.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_parts(path: Path) -> set[str]:
    """The parts of aelib that a file imports anywhere, inside functions and for type checking included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = ["aelib", *path.relative_to(PACKAGE).parts[:-1]]
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in found if name.startswith("aelib.")}


files = [
    path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE or path.name != "__init__.py"
]
every_file = pytest.mark.parametrize("path", files, ids=lambda path: str(path.relative_to(ROOT)))


@every_file
def test_arrows(path: Path):
    own = part_of(path)
    assert imported_parts(path) - {own} <= MAY_IMPORT.get(own, set())


def test_the_arrows_make_no_circle():
    seen: set[str] = set()
    while ready := {part for part, uses in MAY_IMPORT.items() if uses <= seen} - seen:
        seen |= ready
    assert seen == set(MAY_IMPORT)


def test_exercises_do_not_lean_on_what_they_judge():
    assert not MAY_IMPORT["exercises"] & JUDGED
    for path in sorted((PACKAGE / "exercises").glob("*.py")):
        assert not imported_parts(path) & JUDGED, path.name


def test_nothing_is_called_utils():
    names = [path.stem for path in ROOT.rglob("*.py") if ".venv" not in path.parts]
    assert not [name for name in names if "util" in name.lower() or name in ("helpers", "misc", "common")]


def after_import(statement: str, environment: dict[str, str]) -> dict:
    """What a fresh Python has loaded and set after `statement`."""
    code = f"import json, os, sys; {statement}; print(json.dumps([list(sys.modules), dict(os.environ)]))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    modules, variables = json.loads(result.stdout)
    return {"modules": set(modules), "variables": variables}


@pytest.fixture
def bare_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("OMP_")}


def test_import_is_light_and_settles_the_threads(bare_environment):
    after = after_import("import aelib", bare_environment)
    assert not HEAVY & after["modules"]
    assert after["variables"]["OMP_NUM_THREADS"] == "1"
    assert after["variables"]["OMP_WAIT_POLICY"] == "PASSIVE"


def test_the_users_threads_win(bare_environment):
    chosen = {"OMP_NUM_THREADS": "3", "OMP_WAIT_POLICY": "ACTIVE"}
    assert chosen.items() <= after_import("import aelib", bare_environment | chosen)["variables"].items()


def test_torch_loaded_first_is_told_too(bare_environment):
    after = after_import("import torch, aelib; assert torch.get_num_threads() == 1", bare_environment)
    assert "torch" in after["modules"]


@pytest.mark.parametrize("part", ["plots", "widgets", "data"])
def test_pictures_do_not_wait_for_scikit_learn(part, bare_environment):
    assert "sklearn" not in after_import(f"import aelib.{part}", bare_environment)["modules"]
