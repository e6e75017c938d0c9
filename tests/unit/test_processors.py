"""`make test PROCESSORS=…`: a process of its own for each processor, and a row that tells the truth."""

import os
import subprocess
import sys

import pytest

from tests import processors

SEEN = """
import os, pytest

@pytest.mark.processor
def test_one():
    assert os.environ.get("ATEN_CPU_CAPABILITY") != "default"

@pytest.mark.processor
def test_other():
    assert os.environ["OMP_NUM_THREADS"] == "1"

def test_not_marked():
    assert False
"""


@pytest.fixture
def rows(tmp_path, capfd, monkeypatch):
    """rows(names, source): exit status, and {processor: (passed, failed)} for a file of tests."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # plain tests need none, and start sooner

    def call(names, source):
        (tmp_path / "test_seen.py").write_text(source)
        status = processors.main([names, str(tmp_path), "-p", "no:cacheprovider", f"--rootdir={tmp_path}"])
        lines = [line.split() for line in capfd.readouterr().out.splitlines()]
        told = [line for line in lines if line and line[0] in processors.PROCESSORS]
        return status, {name: (int(passed), int(failed)) for name, passed, failed, _ in told}

    return call


def test_each_processor_has_its_own_variables_and_its_own_row(rows, monkeypatch):
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")  # the caller's own choice does not reach `native`
    status, found = rows("all", SEEN)
    assert status == 1
    assert found == {"native": (2, 0), "avx2": (2, 0), "default": (1, 1), "sse4": (1, 1), "threads": (1, 1)}


def test_all_passed_is_success(rows):
    assert rows(" native , avx2 ", SEEN) == (0, {"native": (2, 0), "avx2": (2, 0)})


@pytest.mark.parametrize(
    "source",
    [
        "import os, pytest\n@pytest.mark.processor\ndef test_dies():\n    os._exit(9)\n",
        "import no_such_module\n",
        "def test_none_is_marked():\n    pass\n",
    ],
)
def test_a_run_that_tests_nothing_counts_as_failed(rows, source):
    assert rows("native", source) == (1, {"native": (0, 1)})


@pytest.mark.parametrize("names", ["pentium", "native,pentium", "", ","])
def test_an_unknown_processor_gets_one_sentence_and_status_2(names, capsys):
    assert processors.main([names]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert all(name in said.err for name in (*processors.PROCESSORS, "all"))


def test_the_variables_reach_the_library():
    """torch's own word for its plainest instructions, on every kind of machine."""
    says = "import torch; print(torch.backends.cpu.get_cpu_capability(), torch.get_num_threads())"

    def under(name):
        env = processors.environment(name)
        return subprocess.run(
            [sys.executable, "-c", says], env=env, capture_output=True, text=True
        ).stdout.split()

    assert under("default") == ["DEFAULT", "1"]
    if (os.cpu_count() or 1) > 1:
        assert under("threads")[1] == "2"
