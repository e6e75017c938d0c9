"""Checks for numbered equations: each equation of a lesson is followed by one that fails if the equation is wrong."""

import json
import os
import sys

import numpy as np

MUTATIONS = {
    "the opposite sign": lambda right, size: -right,
    "a factor of 1.1": lambda right, size: 1.1 * right,
    "an offset of a tenth of its size": lambda right, size: right + 0.1 * size,
}


def verify(label: str, left, right, atol: float = 1e-9) -> None:
    """Check that the two sides of equation ``label`` agree to within ``atol`` everywhere, and print how well.

    left, right: numbers, arrays or tensors of one shape. atol: the largest difference allowed, in their own units.
    Raises AssertionError on a mismatch, with both values at the place where they differ most.
    """
    left, right = _as_array(left), _as_array(right)
    difference = _largest_difference(label, left, right)
    if not difference <= atol:
        raise AssertionError(_mismatch(label, left, right, difference, atol))
    print(f"({label}) holds: {_describe(left, right, difference)}")
    if os.environ.get("AELIB_AUDIT"):
        _audit(label, left, right, atol)


def _as_array(side) -> np.ndarray:
    if hasattr(side, "detach"):
        side = side.detach().cpu()
    return np.asarray(side, dtype=np.float64)


def _largest_difference(label: str, left: np.ndarray, right: np.ndarray) -> float:
    if left.shape != right.shape:
        raise AssertionError(
            f"({label}) compares shape {left.shape} with shape {right.shape}: they must be equal."
        )
    return float(np.max(np.abs(left - right), initial=0.0))


def _mismatch(label: str, left: np.ndarray, right: np.ndarray, difference: float, atol: float) -> str:
    where = np.unravel_index(np.argmax(np.abs(left - right)), left.shape)
    place = f" at {tuple(map(int, where))}" if where else ""
    return (
        f"({label}) does not hold: left {left[where]:.10g}, right {right[where]:.10g}{place}; "
        f"they differ by {difference:.3g}, more than the {atol:.3g} allowed."
    )


def _describe(left: np.ndarray, right: np.ndarray, difference: float) -> str:
    if left.ndim == 0:
        if float(left) == float(right):
            return f"{left:.6g} = {right:.6g}, exactly"
        return f"{left:.6g} ≈ {right:.6g}, apart by {difference:.1e}"
    return f"{left.size:,} numbers agree, apart by at most {difference:.1e}"


def _audit(label: str, left: np.ndarray, right: np.ndarray, atol: float) -> None:
    """Show that the check can fail: every mutated right-hand side must be refused. Used by the course's tests."""
    size = np.max(np.abs(right), initial=0.0) or 1.0
    for change, mutate in MUTATIONS.items():
        mutated = mutate(right, size)
        if np.any(mutated != right) and _largest_difference(label, left, mutated) <= atol:
            raise AssertionError(
                f"({label}) is checked too loosely: the right side with {change} would pass as well."
            )
    if log := os.environ.get("AELIB_AUDIT_LOG"):
        with open(log, "a", encoding="utf-8") as lines:
            lines.write(
                json.dumps({"equation": label, "notebook": os.environ.get("AELIB_NOTEBOOK", sys.argv[-1])})
                + "\n"
            )
