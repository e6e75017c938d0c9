"""Quantised codes: cells, packing, and the lower-left edge of a cloud of points."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aelib.bits import best_so_far, code_range, pack, quantise, unpack

pytestmark = pytest.mark.processor

bit_depths = st.integers(1, 10)


def codes(n: int, latent_dim: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, latent_dim, generator=torch.Generator().manual_seed(seed))


@given(bit_depths)
def test_no_value_inside_moves_by_more_than_half_a_cell(n_bits):
    z = torch.linspace(-1, 1, 1001, dtype=torch.float64)
    assert (z - quantise(z, -1, 1, n_bits)).abs().max() <= 1 / 2**n_bits + 1e-12


@given(bit_depths)
def test_there_are_two_to_the_b_values(n_bits):
    z = torch.linspace(-1, 1, 20_001, dtype=torch.float64)
    assert len(quantise(z, -1, 1, n_bits).unique()) == 2**n_bits


def test_quantising_twice_changes_nothing():
    z = codes(100, 3)
    once = quantise(z, *code_range(z), 4)
    assert torch.allclose(quantise(once, *code_range(z), 4), once)


def test_values_outside_go_to_the_outermost_cells():
    assert quantise(torch.tensor([-9.0, 9.0]), -2.0, 2.0, 2).tolist() == [-1.5, 1.5]


def test_a_constant_code_stays_finite():
    z = torch.full((5, 2), 3.0)
    assert torch.allclose(quantise(z, *code_range(z), 3), z)


@given(bit_depths, st.integers(1, 9), st.integers(1, 20))
def test_packing_costs_k_times_b_bits_and_loses_nothing_more(n_bits, latent_dim, n):
    z = codes(n, latent_dim)
    low, high = z.min(0).values - 0.5, z.max(0).values + 0.5
    parcel = pack(z, low, high, n_bits)
    assert len(parcel) == -(-n * latent_dim * n_bits // 8)
    assert torch.equal(unpack(parcel, low, high, n_bits)[:n], quantise(z, low, high, n_bits))


def test_best_so_far_keeps_the_lower_left_edge():
    points = [(4, 3.0), (1, 9.0), (2, 9.5), (4, 2.0), (8, 2.0), (3, 5.0)]
    assert best_so_far(points) == [(1, 9.0), (3, 5.0), (4, 2.0)]


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), min_size=1))
def test_no_point_beats_the_edge(points):
    edge = best_so_far(points)
    for bits, error in points:
        assert any(b <= bits and e <= error for b, e in edge)
    assert edge == sorted(edge)


def test_range_is_per_coordinate():
    low, high = code_range(torch.tensor([[1.0, 5.0], [-1.0, 7.0]]))
    assert low.tolist() == [-1.0, 5.0]
    assert high.tolist() == pytest.approx([1.0, 7.0])
