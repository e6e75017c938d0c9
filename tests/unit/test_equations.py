"""verify: it prints what agrees, refuses what differs, and its audit refuses checks that cannot fail."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aelib.equations import verify


@pytest.fixture
def audit(monkeypatch, tmp_path):
    log = tmp_path / "audit.jsonl"
    monkeypatch.setenv("AELIB_AUDIT", "1")
    monkeypatch.setenv("AELIB_AUDIT_LOG", str(log))
    return log


def test_agreement_is_printed(capsys):
    verify("01.1", torch.tensor(2.0), 2.0)
    verify("01.2", [1.0, 2.0], np.array([1.0, 2.0 + 1e-12]))
    said = capsys.readouterr().out
    assert "(01.1) holds: 2 = 2, exactly" in said
    assert "2 numbers agree" in said


@given(st.floats(-100, 100), st.floats(1e-3, 10))
def test_a_difference_beyond_atol_is_refused(value, gap):
    with pytest.raises(AssertionError, match="does not hold"):
        verify("01.1", value + gap, value, atol=gap / 2)


def test_nan_is_refused():
    with pytest.raises(AssertionError):
        verify("01.1", float("nan"), 1.0, atol=10)


def test_the_place_of_the_largest_difference_is_named():
    with pytest.raises(AssertionError, match=r"left 5, right 4 at \(1, 0\)"):
        verify("01.1", [[1.0, 2.0], [5.0, 3.0]], [[1.0, 2.0], [4.0, 3.0]])


def test_shapes_must_be_equal():
    with pytest.raises(AssertionError, match="shape"):
        verify("01.1", [1.0, 1.0], 1.0)


def test_audit_accepts_a_sharp_check_and_counts_it(audit):
    verify("03.7", [1.0, -2.0], [1.0, -2.0])
    verify("03.8", 0.0, 0.0)
    assert [json.loads(line)["equation"] for line in audit.read_text().splitlines()] == ["03.7", "03.8"]


def test_audit_refuses_a_check_that_is_too_loose(audit):
    with pytest.raises(AssertionError, match=r"a factor of 1\.1 would pass"):
        verify("03.7", 3.0, 3.0, atol=0.5)
    with pytest.raises(AssertionError, match="the opposite sign would pass"):
        verify("03.7", 1e-6, 1e-6, atol=1e-3)
