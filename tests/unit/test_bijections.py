"""Each change of the code has an inverse, and keeps what it says it keeps."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aelib.bijections import (
    add_noise,
    bin_edges,
    bin_order,
    close_holes,
    open_holes,
    rotate,
    scramble,
    unscramble,
)

pytestmark = pytest.mark.processor

CODES = torch.randn(1000, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 5.0, 0.1])
EDGES = bin_edges(CODES, 20)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_rotation_is_anticlockwise_in_pairs():
    z = torch.tensor([[1.0, 0.0, 0.0, 2.0, 7.0]])
    assert torch.allclose(rotate(z, 90), torch.tensor([[0.0, 1.0, -2.0, 0.0, 7.0]]), atol=1e-6)


@given(st.floats(-720, 720))
@settings(max_examples=25, deadline=None)
def test_rotation_is_undone_and_keeps_distances(degrees):
    turned = rotate(CODES, degrees)
    assert torch.allclose(rotate(turned, -degrees), CODES, atol=1e-4)
    assert torch.allclose(torch.pdist(turned[:50]), torch.pdist(CODES[:50]), atol=1e-4)


def test_cells_hold_equal_counts():
    counts = [torch.histogram(column, edges).hist for column, edges in zip(CODES.T, EDGES, strict=True)]
    assert all((count - 50).abs().max() <= 1 and count.sum() == 1000 for count in counts)


@given(seed=st.integers(0, 1000), n_bins=st.integers(2, 30), wild=st.booleans())
@settings(max_examples=30, deadline=None)
def test_scrambling_is_undone_everywhere(seed, n_bins, wild):
    edges = bin_edges(CODES, n_bins)
    z = 3 * torch.randn(500, 3, generator=generator(seed)) if wild else CODES
    there = scramble(z, edges, seed)
    assert torch.allclose(unscramble(there, edges, seed), z, atol=1e-3)
    assert torch.allclose(scramble(unscramble(z, edges, seed), edges, seed), z, atol=1e-3)


@pytest.mark.parametrize("seed", range(10))
def test_rounding_next_to_an_edge_does_not_move_a_code_into_the_next_cell(seed):
    below = torch.nextafter(EDGES[:, 1:], EDGES[:, :-1]).T
    for z in (EDGES.T[:-1], below):
        assert torch.allclose(unscramble(scramble(z, EDGES, seed), EDGES, seed), z, atol=1e-3)
        assert torch.allclose(close_holes(open_holes(z, 0.3, EDGES), 0.3, EDGES), z, atol=1e-3)


def test_scrambling_sends_each_cell_where_the_order_says():
    cell = (CODES[:, 1:2] >= EDGES[1, 1:-1]).sum(1)
    new_cell = (scramble(CODES, EDGES, seed=4)[:, 1:2] >= EDGES[1, 1:-1]).sum(1)
    assert torch.equal(new_cell, bin_order(20, 3, seed=4)[1][cell])


def test_scrambling_keeps_each_histogram_and_moves_the_points():
    there = scramble(CODES, EDGES, seed=1)
    assert (bin_edges(there, 20) - EDGES).abs().max() < 0.1 * 5
    assert ((there - CODES).abs().mean(0) > 0.5 * CODES.std(0)).all()


def test_scrambling_float64_and_float32_keep_their_type():
    assert scramble(CODES, EDGES).dtype == torch.float32
    assert scramble(CODES.double(), EDGES.double()).dtype == torch.float64


@given(gap=st.floats(0, 4), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_holes_are_closed_again_everywhere(gap, seed):
    z = torch.cat([CODES, 4 * torch.randn(500, 3, generator=generator(seed)) * CODES.std(0)])
    assert torch.allclose(close_holes(open_holes(z, gap, EDGES), gap, EDGES), z, atol=1e-3)
    assert torch.allclose(open_holes(close_holes(z, gap, EDGES), gap, EDGES), z, atol=1e-3)


def test_no_code_lies_in_a_hole_and_holes_decode_to_where_no_code_was():
    half_range = (EDGES[:, -1] - EDGES[:, 0]) / 2
    parted = open_holes(CODES, 0.5, EDGES) - EDGES[:, 10]
    assert (parted.abs() >= 0.5 * half_range * (1 - 1e-5)).all()
    in_hole = EDGES[:, 10] + 0.4 * half_range * torch.tensor([[1.0], [-1.0]])
    back = close_holes(in_hole, 0.5, EDGES)
    assert (back[0] > EDGES[:, -1]).all()
    assert (back[1] < EDGES[:, 0]).all()


def test_no_gap_changes_nothing_and_order_is_kept():
    assert torch.allclose(open_holes(CODES, 0.0, EDGES), CODES, atol=1e-6)
    assert torch.equal(open_holes(CODES, 1.0, EDGES).argsort(dim=0), CODES.argsort(dim=0))


def test_rescaling_the_code_rescales_the_result():
    edges = bin_edges(10 * CODES, 20)
    assert torch.allclose(open_holes(10 * CODES, 0.3, edges), 10 * open_holes(CODES, 0.3, EDGES), atol=1e-3)
    assert torch.allclose(scramble(10 * CODES, edges, 2), 10 * scramble(CODES, EDGES, 2), atol=1e-2)


def test_noise_has_its_standard_deviation_and_its_generator():
    z = torch.zeros(20000, 2)
    assert add_noise(z, 0.5, generator()).std().item() == pytest.approx(0.5, abs=0.01)
    assert torch.equal(add_noise(z, 0.5, generator(1)), add_noise(z, 0.5, generator(1)))
    assert torch.equal(add_noise(CODES, 0.0, generator()), CODES)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: rotate(torch.zeros(3), 10), r"shape \(n, K\)"),
        (lambda: rotate(torch.full((3, 2), torch.nan), 10), "diverged"),
        (lambda: bin_edges(torch.zeros(100, 2), 20), "coordinates that are constant"),
        (lambda: bin_edges(CODES[:10], 20), "more codes"),
        (lambda: scramble(CODES[:, :2], EDGES), "as many coordinates"),
        (lambda: open_holes(CODES, -1.0, EDGES), "0 or more"),
        (lambda: add_noise(CODES, -1.0, generator()), "0 or more"),
    ],
)
def test_bad_input_gets_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
