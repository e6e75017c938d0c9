"""Lists against brute force and scikit-learn, their gradients against autograd by hand, files against their price."""

from __future__ import annotations

import builtins
import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy
from torch import Tensor

from aelib.codebook import (
    VQVAE,
    Stack,
    entropy_in_bits,
    kmeans,
    nearest,
    revive,
    start_from_codes,
    straight_through,
    use,
    vq_loss,
)
from aelib.data import digits
from aelib.training import fit, fit_many


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def table(*shape: int, seed: int = 0) -> Tensor:
    return torch.softmax(draw(*shape, seed=seed), dim=-1)


# The list


@given(n=st.integers(1, 6), M=st.integers(1, 5), K=st.integers(1, 4), seed=st.integers(0, 99))
def test_the_nearest_entry_by_loops(n, M, K, seed):
    z, entries = draw(n, K, seed=seed), draw(M, K, seed=seed + 100)
    want = [min(range(M), key=lambda k: float(torch.dist(row, entries[k]))) for row in z]
    assert nearest(z, entries).tolist() == want


def test_codes_far_from_zero_keep_their_nearest_entry_and_a_tie_goes_to_the_first():
    z, entries = draw(50, 3), draw(9, 3, seed=1)
    assert nearest((z + 1e4), entries + 1e4).equal(nearest(z, entries))
    assert nearest(torch.zeros(1, 2), torch.ones(3, 2)).item() == 0
    assert nearest(z.reshape(5, 10, 3), entries).flatten().equal(nearest(z, entries))


def test_kmeans_finds_the_best_of_all_partitions():
    x = torch.cat([0.1 * draw(4, 2), 0.1 * draw(4, 2, seed=1) + torch.tensor([5.0, 0.0])])
    left = lambda part: sum((x[part == k] - x[part == k].mean(dim=0)).square().sum() for k in (0, 1))  # noqa: E731
    parts = [torch.tensor(p) for p in itertools.product((0, 1), repeat=8) if 0 < sum(p) < 8]
    entries = kmeans(x, 2)
    assert (x - entries[nearest(x, entries)]).square().sum() == pytest.approx(min(left(p) for p in parts))


@pytest.mark.parametrize("seed", range(3))
def test_at_the_end_each_entry_is_the_mean_of_its_examples(seed):
    x = digits().train
    entries = kmeans(x, 16, seed)
    index = nearest(x, entries)
    means = torch.stack([x[index == k].mean(dim=0) for k in range(16)])
    torch.testing.assert_close(entries, means, atol=0.02, rtol=0)
    assert entries.dtype == x.dtype


def test_the_errors_of_lists_of_digits():
    train, held_out = digits().train, digits().held_out
    for bits, want in ((0, 0.0732), (5, 0.030), (8, 0.021)):
        entries = kmeans(train, 2**bits)
        found = (held_out - entries[nearest(held_out, entries)]).square().mean().item()
        assert found == pytest.approx(want, abs=6e-4)


@pytest.mark.parametrize(
    ("x", "n_entries", "words"),
    [
        (torch.ones(5, 2), 2, "as many different examples; x has 1 in 5 rows"),
        (draw(3, 2), 4, "a list of 4 entries needs as many different examples; x has 3"),
        (draw(3, 2), 0, "at least one entry"),
        (draw(3), 1, "shape"),
        (torch.full((3, 2), math.nan), 1, "finite"),
    ],
)
def test_a_list_that_cannot_be_made_is_refused_in_a_sentence(x, n_entries, words):
    with pytest.raises(ValueError, match=words):
        kmeans(x, n_entries)


def test_use_counts_every_entry_and_entropy_is_scipys():
    counts = use(torch.tensor([[0, 2], [2, 2]]), 4)
    assert counts.tolist() == [1, 0, 3, 0]
    assert entropy_in_bits(counts) == pytest.approx(entropy(counts.numpy(), base=2))
    assert entropy_in_bits(torch.ones(256)) == pytest.approx(8)
    assert entropy_in_bits(torch.tensor([5, 0])) == 0


# The network


def test_straight_through_has_the_value_of_the_entry_and_the_slope_of_z():
    z, entry = draw(4, 3).requires_grad_(), draw(4, 3, seed=1).requires_grad_()
    passed = straight_through(z, entry)
    torch.testing.assert_close(passed, entry)
    passed.square().sum().backward()
    torch.testing.assert_close(z.grad, 2 * entry.detach())
    assert entry.grad is None


def small(seed: int = 0) -> VQVAE:
    return VQVAE(6, n_entries=5, n_slots=2, entry_dim=3, width=7, seed=seed).double()


def test_each_term_of_the_loss_moves_its_own_weights():
    model, x = small(), draw(8, 6)
    z = model.encode(x).detach()
    index = nearest(z, model.entries.detach())
    parts = vq_loss(model, x)
    for name, moved in {
        "reconstruction": {"encoder", "decoder"},
        "codebook": {"entries"},
        "commitment": {"encoder"},
    }.items():
        grads = torch.autograd.grad(
            parts[name], list(model.parameters()), retain_graph=True, allow_unused=True
        )
        names = [part.split(".")[0] for part, _ in model.named_parameters()]
        assert {n for n, g in zip(names, grads, strict=True) if g is not None and g.any()} == moved
    (grad,) = torch.autograd.grad(parts["codebook"], model.entries)
    for k in range(5):
        chosen = z[index == k]
        torch.testing.assert_close(grad[k], 2 * (model.entries[k].detach() - chosen).sum(dim=0) / 8)


def test_the_loss_adds_up_and_reads_the_model():
    model, x = small(), draw(8, 6)
    parts = vq_loss(model, x, commitment=0.5)
    assert parts["reconstruction"].item() == pytest.approx((x - model(x)).square().sum(dim=1).mean().item())
    assert parts["codebook"].item() == pytest.approx(parts["commitment"].item())
    assert parts["loss"].item() == pytest.approx(
        parts["reconstruction"].item() + 1.5 * parts["codebook"].item()
    )
    assert model.index(x).shape == (8, 2)


def test_a_vqvae_learns_alone_and_in_company():
    x = draw(64, 6).float()
    alone = VQVAE(6, 5, seed=1, width=8)
    before = vq_loss(alone, x)["reconstruction"].item()
    many = [VQVAE(6, 5, seed=seed, width=8) for seed in (1, 2)]
    fit(alone, x, epochs=20, lr=1e-2, seed=1, loss=vq_loss, progress=False)
    fit_many(many, x, epochs=20, lr=1e-2, seeds=[1, 2], loss=vq_loss, progress=False)
    assert vq_loss(alone, x)["reconstruction"].item() < 0.9 * before
    torch.testing.assert_close(many[0].entries, alone.entries, atol=1e-3, rtol=1e-3)


def test_dead_entries_come_back_and_a_new_start_uses_them_all():
    model, x = small(), draw(100, 6)
    with torch.no_grad():
        model.entries[2:] = 1e3
    dead = 5 - len(model.index(x).unique())
    assert revive(model, x, torch.Generator().manual_seed(0)) == dead >= 3
    assert (model.entries.abs() < 100).all()
    start_from_codes(model, x)
    assert len(model.index(x).unique()) == 5
    assert revive(model, x, torch.Generator().manual_seed(0)) == 0


# Files


@pytest.mark.parametrize("M", [2, 17, 256])
def test_a_file_has_the_length_of_its_price_and_is_read_back(M):
    p = table(M)
    symbols = torch.multinomial(p, 50_000, replacement=True, generator=torch.Generator().manual_seed(0))
    stack = Stack()
    stack.push(symbols, p)
    price = -p.log2()[symbols].sum().item()
    assert price - 1 < stack.bits < 1.001 * price + 64
    assert Stack(stack.words()).pop(p, 50_000).equal(symbols)


def test_each_symbol_may_have_a_table_of_its_own():
    p = table(200, 7)
    symbols = torch.multinomial(p, 1, generator=torch.Generator().manual_seed(0)).flatten()
    stack = Stack()
    stack.push(symbols, p)
    stack.push(torch.tensor([1, 0]), table(2))
    assert stack.pop(table(2), 2).tolist() == [1, 0]
    assert stack.pop(p).equal(symbols)


def test_taking_off_what_was_not_put_on_is_undone_by_putting_it_back():
    words = torch.randint(1, 2**31, (20,), generator=torch.Generator().manual_seed(0)).tolist()
    stack = Stack(words)
    drawn = stack.pop(table(9), 40)
    assert stack.bits < 32 * 20
    stack.push(drawn, table(9))
    assert stack.words() == words


def test_a_symbol_of_probability_zero_can_be_sent():
    p = torch.tensor([0.5, 0.5, 0.0])
    stack = Stack()
    stack.push(torch.tensor([0, 2, 1]), p)
    assert stack.pop(p, 3).tolist() == [0, 2, 1]


@pytest.mark.parametrize(
    ("symbols", "p", "words"),
    [
        ([3], [0.5, 0.5], "from 0 to 1"),
        ([-1], [0.5, 0.5], "from 0 to 1"),
        ([0], [1.0], "M of at least 2"),
        ([0], [0.5, math.nan], "finite"),
        ([0], [1.5, -0.5], "not negative"),
        ([0], [0.0, 0.0], "not all 0"),
        ([0, 1, 0], [[0.5, 0.5]] * 2, "one row of probabilities for each symbol"),
    ],
)
def test_a_table_that_cannot_code_is_refused_in_a_sentence(symbols, p, words):
    with pytest.raises(ValueError, match=words):
        Stack().push(torch.tensor(symbols), torch.tensor(p))


def test_without_the_coder_a_sentence_says_how_to_get_it(monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **more):
        if name == "constriction":
            raise ModuleNotFoundError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ModuleNotFoundError, match="pip install constriction"):
        Stack()
