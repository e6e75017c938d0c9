"""Sparse codes against plain loops, scipy, scikit-learn and Monte Carlo; what is told of input that cannot be."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.linear_model import Lasso
from sklearn.metrics import mutual_info_score
from torch import Tensor, nn

from aelib import sparse
from aelib.sparse import SparseAutoencoder, sparse_error
from aelib.training import fit, fit_many


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def units(*shape: int, seed: int = 0) -> Tensor:
    return nn.functional.normalize(draw(*shape, seed=seed), dim=-1)


# In the plane


@given(M=st.integers(1, 5), K=st.integers(1, 3), p=st.floats(0.01, 0.99), seed=st.integers(0, 99))
def test_the_expected_error_by_plain_loops(M, K, p, seed):
    W, bias = draw(M, K, seed=seed), draw(M, seed=seed + 1)
    total = 0.0
    for s in itertools.product((0.0, 1.0), repeat=M):
        h = sum(s[i] * W[i] for i in range(M))
        chance = math.prod(p if on else 1 - p for on in s)
        total += chance * sum((s[i] - max(float(W[i] @ h + bias[i]), 0.0)) ** 2 for i in range(M))
    assert sparse.expected_error(W, bias, p).item() == pytest.approx(total, rel=1e-10)


def test_the_expected_error_against_draws():
    W, bias, p = draw(4, 2), draw(4, seed=1), 0.3
    s = (torch.rand(400_000, 4, generator=torch.Generator().manual_seed(2)) < p).double()
    errors = (s - torch.relu(s @ W @ W.T + bias)).square().sum(dim=1)
    standard = errors.std().item() / math.sqrt(len(s))
    assert sparse.expected_error(W, bias, p).item() == pytest.approx(errors.mean().item(), abs=4 * standard)


def test_many_codes_and_probabilities_at_once():
    W, bias, p = draw(3, 2, 4, 2), draw(3, 2, 4, seed=1), torch.tensor([0.1, 0.6])
    found = sparse.expected_error(W, bias, p)
    assert found.shape == (3, 2)
    for i, j in itertools.product(range(3), range(2)):
        alone = sparse.expected_error(W[i, j], bias[i, j], p[j].item())
        torch.testing.assert_close(found[i, j], alone, rtol=1e-6, atol=0)


def test_with_a_number_for_each_feature_the_best_code_has_no_error():
    code = sparse.best_code([0.2, 0.5], n_features=2, latent_dim=2, restarts=4, steps=400)
    assert code.W.shape == (2, 2, 2)
    assert code.error.max() < 1e-4


def test_the_best_code_is_the_best_of_its_starts_and_draws_the_same_again():
    one, again = (sparse.best_code([0.05, 0.3], restarts=3, steps=60, seed=4) for _ in range(2))
    assert torch.equal(one.W, again.W)
    torch.testing.assert_close(one.error, sparse.expected_error(one.W, one.bias, torch.tensor([0.05, 0.3])))
    more = sparse.best_code([0.05, 0.3], restarts=3, steps=400, seed=4)
    assert (more.error < one.error).all()


# Prices


@given(x=st.floats(-4, 4), lam=st.floats(0, 3))
def test_the_soft_threshold_is_the_minimiser(x, lam):
    cost = lambda z: (x - z) ** 2 + lam * abs(z)  # noqa: E731
    least = minimize_scalar(cost, bounds=(-5, 5), method="bounded", options={"xatol": 1e-10})
    z = sparse.soft_threshold(torch.tensor(x, dtype=torch.float64), lam).item()
    assert cost(z) <= least.fun + 1e-12


@pytest.mark.parametrize("lam", [0.1, 0.7, 5.0])
def test_for_orthonormal_rows_it_is_the_lasso(lam):
    Q, x = torch.linalg.qr(draw(5, 5)).Q, draw(5, seed=1)
    lasso = Lasso(alpha=lam / 10, fit_intercept=False, tol=1e-12, max_iter=10_000).fit(Q.T, x)
    np.testing.assert_allclose(sparse.soft_threshold(Q @ x, lam).numpy(), lasso.coef_, atol=1e-8)


@given(k=st.integers(1, 6), seed=st.integers(0, 99))
def test_top_k_keeps_the_k_largest(k, seed):
    z = draw(4, 6, seed=seed).relu()
    kept = sparse.top_k(z, k)
    for row, left in zip(z, kept, strict=True):
        smallest = sorted(row.tolist(), reverse=True)[k - 1]
        assert torch.equal(left, torch.where(row >= smallest, row, 0.0)) or smallest == 0
        assert int((left > 0).sum()) <= k


# The autoencoder


@torch.no_grad()
def test_its_copy_and_its_loss_by_plain_loops():
    model, x = SparseAutoencoder(3, 5, center=draw(3, seed=1, dtype=torch.float32)), draw(4, 3).float()
    total = 0.0
    for row in x:
        z = [max(float(model.encoder[k] @ (row - model.center) + model.bias[k]), 0.0) for k in range(5)]
        w = [model.weight[k] / model.weight[k].norm() for k in range(5)]
        copy = model.center + sum(z[k] * w[k] for k in range(5))
        torch.testing.assert_close(model(row[None])[0], copy)
        total += float((row - copy).square().sum()) + 0.3 * sum(z)
    parts = sparse_error(model, x, beta=0.3)
    assert parts["loss"].item() == pytest.approx(total / 4, rel=1e-5)
    assert (parts["reconstruction"] + 0.3 * parts["size"]).item() == pytest.approx(total / 4, rel=1e-5)


def test_long_directions_do_not_evade_the_price():
    model, x = SparseAutoencoder(3, 5), draw(4, 3).float()
    before = sparse_error(model, x, beta=1.0)["loss"].item()
    with torch.no_grad():
        model.weight *= 100
    assert sparse_error(model, x, beta=1.0)["loss"].item() == pytest.approx(before, rel=1e-5)


def test_with_k_that_many_are_on_and_the_random_stream_is_left_alone():
    before = torch.get_rng_state()
    model = SparseAutoencoder(4, 9, k=2, seed=3)
    assert torch.equal(before, torch.get_rng_state())
    z = model.encode(draw(50, 4).float())
    assert (z >= 0).all()
    assert (z > 0).sum(dim=1).max() == 2


def test_many_prices_at_once_are_as_one_by_one():
    x, lams = draw(64, 4, dtype=torch.float32), [0.0, 0.3]
    together = [SparseAutoencoder(4, 6, seed=1) for _ in lams]
    fit_many(together, x, epochs=4, lr=1e-2, seeds=[2, 2], betas=lams, loss=sparse_error, progress=False)
    alone = SparseAutoencoder(4, 6, seed=1)
    fit(alone, x, epochs=4, lr=1e-2, seed=2, loss=lambda m, x: sparse_error(m, x, beta=0.3), progress=False)
    torch.testing.assert_close(together[1].dictionary, alone.dictionary, rtol=1e-3, atol=1e-4)


def test_dead_features_are_found_and_revived():
    model, x = SparseAutoencoder(4, 6), draw(80, 4, dtype=torch.float32)
    with torch.no_grad():
        model.bias[[1, 4]] = -100.0
    assert sparse.dead(model, x).tolist() == [False, True, False, False, True, False]
    kept = model.weight[0].clone()
    assert sparse.revive(model, x, seed=1) == 2
    assert not sparse.dead(model, x).any()
    assert torch.equal(model.weight[0], kept)
    residual = x - model.center
    cosines = nn.functional.normalize(residual, dim=1) @ model.dictionary[[1, 4]].T
    assert cosines.max(dim=0).values.min() > 0.999
    assert sparse.revive(model, x) == 0


def test_when_all_are_dead_all_come_back():
    model, x = SparseAutoencoder(4, 6), draw(3, 4, dtype=torch.float32)
    nn.init.constant_(model.bias, -100.0)
    assert sparse.revive(model, x) == 6
    assert not sparse.dead(model, x).any()


# What was found


@given(seed=st.integers(0, 49))
def test_the_match_is_the_best_of_all_pairings(seed):
    learned, true = draw(4, 3, seed=seed), draw(4, 3, seed=seed + 1)
    table = (nn.functional.normalize(true, dim=1) @ nn.functional.normalize(learned, dim=1).T).numpy()
    best = max(sum(table[i, order[i]] for i in range(4)) for order in itertools.permutations(range(4)))
    found = sparse.match(learned, true)
    assert found.cosine.sum().item() == pytest.approx(best)
    assert sorted(found.partner.tolist()) == [0, 1, 2, 3]
    np.testing.assert_allclose(found.cosine, table[range(4), found.partner])


def test_copies_count_once_and_order_and_length_do_not_matter():
    true = units(5, 8)
    order = [3, 3, 1, 0, 3, 4]
    found = sparse.match(7 * true[order], true)
    assert found.found() == 4
    assert order[int(found.partner[0])] == 0
    assert sparse.match(-true, true).found() == 0


def test_fewer_learned_than_true():
    true = units(5, 8)
    found = sparse.match(true[[2, 4]], true)
    assert found.partner.tolist() == [-1, -1, 0, -1, 1]
    assert found.cosine.round(decimals=6).tolist() == [0, 0, 1, 0, 1]


@given(n=st.integers(2, 60), seed=st.integers(0, 99))
def test_information_about_a_label_against_scikit_learn(n, seed):
    rng = np.random.default_rng(seed)
    on, labels = rng.random((n, 3)) < 0.3, rng.integers(0, 4, n)
    found = sparse.label_information(torch.tensor(on), torch.tensor(labels))
    want = [mutual_info_score(column, labels) / math.log(2) for column in on.T]
    np.testing.assert_allclose(found, want, atol=1e-9)


def test_the_commonest_label():
    on = torch.tensor([[True, False], [True, False], [True, False], [False, False]])
    name, share = sparse.commonest_label(on, torch.tensor([2, 1, 2, 0]))
    assert name.tolist() == [2, 0]
    assert share.tolist() == pytest.approx([2 / 3, 0])


def test_ablation_by_plain_loops():
    h, directions, center = draw(30, 4), units(3, 4, seed=1), draw(4, seed=2)
    on, classes = draw(30, 3, seed=3) > 0.5, torch.tensor([1, 0, 1])
    head = draw(2, 4, seed=4)
    read = lambda h: (h @ head.T).log_softmax(dim=1)  # noqa: E731
    found = sparse.ablation(read, h, on, directions, classes, center)
    for k in range(3):
        changes = []
        for row in h[on[:, k]]:
            left = row - ((row - center) @ directions[k]) * directions[k]
            changes.append((read(left[None]) - read(row[None]))[0, classes[k]].item())
        assert found[k].item() == pytest.approx(np.mean(changes))
    assert sparse.ablation(read, h, on & False, directions, classes, center).isnan().all()


def test_random_directions_and_how_often_they_are_on():
    h = draw(500, 3) * torch.tensor([10.0, 1.0, 0.1])
    plain = sparse.random_directions(300, h, seed=1)
    spread = sparse.random_directions(300, h, spread=True, seed=1)
    for drawn in (plain, spread):
        torch.testing.assert_close(drawn.norm(dim=1), torch.ones(300).double())
    assert plain[:, 0].abs().mean() < 0.6
    assert spread[:, 0].abs().mean() > 0.9
    rates = torch.linspace(0.05, 0.5, 300).double()
    on = (h @ plain.T > sparse.as_often_on(h, plain, rates)).double().mean(dim=0)
    torch.testing.assert_close(on, rates, rtol=0, atol=0.01)


# Sentences


@pytest.mark.parametrize("p", [0.0, 1.0, -0.2, math.nan])
def test_probabilities_that_tell_nothing(p):
    for use in (lambda: sparse.best_code([p, 0.5]), lambda: sparse.expected_error(draw(2, 1), draw(2), p)):
        with pytest.raises(ValueError, match="never on, or always, tells nothing"):
            use()


@pytest.mark.parametrize("lam", [-1.0, math.inf, math.nan])
def test_prices_that_cannot_be(lam):
    with pytest.raises(ValueError, match="λ is a price"):
        sparse.soft_threshold(draw(2), lam)


@pytest.mark.parametrize("k", [0, 7, -1])
def test_more_features_on_than_there_are(k):
    for use in (lambda: sparse.top_k(draw(2, 6), k), lambda: SparseAutoencoder(3, 6, k=k)):
        with pytest.raises(ValueError, match=f"k = {k} of 6 features cannot be on"):
            use()


def test_other_odd_input_is_told_in_a_sentence():
    with pytest.raises(ValueError, match="listed for 1 to 16 features, not for 30"):
        sparse.patterns(30)
    with pytest.raises(ValueError, match="n_features should be at least 1"):
        SparseAutoencoder(3, 0)
    with pytest.raises(ValueError, match="center should have 3 numbers"):
        SparseAutoencoder(3, 5, center=torch.zeros(4))
    with pytest.raises(ValueError, match="none of them zero"):
        sparse.match(torch.zeros(2, 3), units(2, 3))
    with pytest.raises(ValueError, match="learned has 4 inputs and true has 3"):
        sparse.match(units(2, 4), units(2, 3))
    with pytest.raises(ValueError, match="on should be"):
        sparse.label_information(draw(3, 2) > 0, torch.tensor([0, 1]))
