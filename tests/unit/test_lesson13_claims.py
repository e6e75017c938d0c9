"""What lesson 13 says in words, over five seeds."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from aelib.bits import code_range, quantise
from aelib.codebook import (
    VQVAE,
    Stack,
    entropy_in_bits,
    kmeans,
    nearest,
    revive,
    start_from_codes,
    use,
    vq_loss,
)
from aelib.data import digits
from aelib.models import pca
from tests.kept import fit

pytestmark = pytest.mark.training
SEEDS = range(5)


@cache
def data() -> tuple[Tensor, Tensor]:
    return digits().train, digits().held_out


@cache
def entries(bits: int, seed: int) -> Tensor:
    return kmeans(data()[0], 2**bits, seed)


def error(bits: int, seed: int) -> float:
    held_out, book = data()[1], entries(bits, seed)
    return (held_out - book[nearest(held_out, book)]).square().mean().item()


@cache
def spectrum() -> Tensor:
    return torch.linalg.eigvalsh(torch.cov(data()[0].double().T, correction=0)).clamp(min=1e-12)


def gaussian_error(bits: float) -> float:
    """Of reverse water-filling, by bisection on the level."""
    low, high = 0.0, spectrum().max().item()
    for _ in range(60):
        level = (low + high) / 2
        paid = 0.5 * (spectrum() / level).clamp(min=1).log2().sum()
        low, high = (level, high) if paid > bits else (low, level)
    return spectrum().clamp(max=level).mean().item()


@pytest.mark.processor
@pytest.mark.parametrize("seed", SEEDS)
def test_a_list_lies_below_the_curve_for_gaussian_data(seed):
    assert error(0, seed) == pytest.approx(0.0732, abs=2e-4)
    assert error(5, seed) == pytest.approx(0.030, abs=8e-4)
    assert error(8, seed) == pytest.approx(0.021, abs=8e-4)
    for bits in range(3, 9):
        assert error(bits, seed) < 0.97 * gaussian_error(bits)
    falls = [1 - error(bits + 1, seed) / error(bits, seed) for bits in (5, 7)]
    assert 1 / 9 < falls[0] < 1 / 6
    assert 0 < falls[1] < falls[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_sent_shows_the_right_digit_in_most_cases(seed):
    book, labels = entries(5, seed), digits().train_labels
    chosen = nearest(data()[0], book)
    shown = torch.stack([labels[chosen == k].mode().values for k in range(32)])
    assert (shown[nearest(data()[1], book)] == digits().held_out_labels).float().mean() > 0.85
    first = nearest(data()[1][:16], book)
    assert (shown[first] == digits().held_out_labels[:16]).sum() > 12


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bits", range(5, 9))
def test_the_held_out_file_is_one_to_three_percent_shorter_than_whole_bits(bits, seed):
    train, held_out = data()
    counts = use(nearest(train, entries(bits, seed)), 2**bits) + 1
    prices = -(counts / counts.sum()).log2()
    assert 0.965 < prices[nearest(held_out, entries(bits, seed))].mean() / bits < 0.995


@pytest.mark.parametrize(("K", "bits"), [(1, 1), (2, 2), (4, 1), (4, 2), (4, 4), (8, 1), (8, 2), (5, 1)])
def test_rounded_codes_of_pca_lie_above_it_and_above_the_list(K, bits):
    train, held_out = data()
    model = pca(train, K)
    codes = quantise(model.encode(held_out), *code_range(model.encode(train)), bits)
    rounded = (held_out - model.decode(codes)).square().mean().item()
    assert rounded > gaussian_error(K * bits)
    assert rounded > error(min(K * bits, 8), 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_lists_of_sixteen_bits(seed):
    train, held_out = data()
    book = entries(8, seed)
    second = kmeans(train - book[nearest(train, book)], 256, seed)
    off = held_out - book[nearest(held_out, book)]
    assert (off - second[nearest(off, second)]).square().mean() == pytest.approx(0.016, abs=5e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_files_have_the_length_of_their_price(seed):
    index = nearest(data()[0], entries(8, seed))
    shares = use(index, 256) / len(index)
    assert entropy_in_bits(use(index, 256)) == pytest.approx(7.78, abs=0.03)
    generator = torch.Generator().manual_seed(seed)
    file = Stack()
    file.push(index, shares)
    assert 0 < file.bits + shares[index].log2().sum() <= 64
    many = torch.multinomial(shares, 100_000, replacement=True, generator=generator)
    file = Stack()
    file.push(many, shares)
    assert file.bits == pytest.approx(-shares[many].log2().sum().item(), rel=1e-3)
    assert file.pop(shares, 100_000).equal(many)


def trained(kind: str, seed: int) -> VQVAE:
    model, draws = VQVAE(64, 256, seed=seed), torch.Generator().manual_seed(seed)
    for turn in range(12):
        if kind == "new start" and turn == 2:
            start_from_codes(model, data()[0], seed)
        if kind == "revived" and turn > 0:
            revive(model, data()[0], draws)
        fit(model, data()[0], epochs=5, lr=3e-3, seed=turn, loss=vq_loss, progress=False)
    return model


@torch.no_grad()
def measured(model: VQVAE) -> tuple[int, float, float]:
    """Entries in use, entropy in bits, held-out error."""
    counts = use(model.index(data()[0]), 256)
    held_out = data()[1]
    return (
        int((counts > 0).sum()),
        entropy_in_bits(counts).item(),
        (held_out - model(held_out)).square().mean().item(),
    )


def error_at_entropy(bits: float, seed: int) -> float:
    """Held-out error of k-means whose index has this entropy, on the line between two lists."""
    uses = [use(nearest(data()[0], entries(b, seed)), 2**b) for b in range(9)]
    return float(
        np.interp(bits, [entropy_in_bits(n).item() for n in uses], [error(b, seed) for b in range(9)])
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_remedies_for_dead_entries_lower_the_error_and_raise_the_bits(seed):
    plain, new, revived = (measured(trained(kind, seed)) for kind in ("random", "new start", "revived"))
    assert plain[0] < 50 < 150 < new[0]
    assert revived[0] > 240
    for remedy in (new, revived):
        assert remedy[1] > plain[1] + 2
        assert remedy[2] < 0.85 * plain[2]
    for _, bits, off in (plain, new, revived):
        assert off > 1.02 * error_at_entropy(bits, seed)
        assert off > error(round(bits), seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_bits_back_makes_a_file_of_minus_elbo(seed):
    train, x = ((images > 0.5).double() for images in data())
    book = kmeans(train, 64, seed)
    counts = use(nearest(train, book), 64)
    prior = (counts + 1).double() / (counts + 1).sum()
    ink = (book * counts[:, None] + 1) / (counts[:, None] + 2)
    log_joint = x @ ink.log().T + (1 - x) @ (1 - ink).log().T + prior.log()
    generator = torch.Generator().manual_seed(seed)
    start = torch.randint(1, 2**31, (60,), generator=generator).tolist()
    lengths = []
    for power in (1.0, 0.5):
        q = torch.softmax(power * log_joint, dim=1)
        stack = Stack(start)
        before = stack.bits
        for image, q_x in zip(x, q, strict=True):
            z = stack.pop(q_x, 1)
            stack.push(image.long(), torch.stack([1 - ink[z[0]], ink[z[0]]], dim=-1))
            stack.push(z, prior)
        want = (torch.xlogy(q, q) - q * log_joint).sum() / torch.tensor(2.0).log()
        assert stack.bits - before == pytest.approx(want.item(), rel=0.01)
        lengths.append(want)
    assert lengths[0] < lengths[1]
    nothing_back = -(torch.softmax(log_joint, 1) * log_joint).sum() / torch.tensor(2.0).log()
    assert stack.bits - before < x.numel() / 2
    best_entry = -log_joint.max(dim=1).values.sum() / torch.tensor(2.0).log()
    assert lengths[0] < best_entry < nothing_back
    assert best_entry < 1.015 * lengths[0]
