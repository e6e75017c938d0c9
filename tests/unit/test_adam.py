"""Our way of calling Adam gives torch's numbers to the last digit, and imports no compiler."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from aelib.adam import Adam


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3)).double()


def gradients(model: nn.Module, step: int) -> None:
    x = torch.randn(16, 5, generator=torch.Generator().manual_seed(step), dtype=torch.float64)
    model(x).square().sum().backward()


def test_the_numbers_are_those_of_torch():
    ours, theirs = network(), network()
    mine, usual = Adam(ours.parameters(), lr=0.01), torch.optim.Adam(theirs.parameters(), lr=0.01, fused=True)
    for step in range(30):
        for optimizer, model in ((mine, ours), (usual, theirs)):
            optimizer.zero_grad()
            gradients(model, step)
            optimizer.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b)


def test_gradients_add_up_until_they_are_forgotten():
    ours, theirs = network(), network()
    mine, usual = Adam(ours.parameters(), lr=0.01), torch.optim.Adam(theirs.parameters(), lr=0.01, fused=True)
    for optimizer, model in ((mine, ours), (usual, theirs)):
        for step in range(3):
            gradients(model, step)
            optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))
    mine.zero_grad()
    assert all(weight.grad is None for weight in ours.parameters())


def test_the_step_size_may_change_on_the_way():
    ours, theirs = network(), network()
    mine, usual = Adam(ours.parameters(), lr=0.01), torch.optim.Adam(theirs.parameters(), lr=0.01, fused=True)
    for step in range(4):
        mine.lr = usual.param_groups[0]["lr"] = 0.01 / (1 + step)
        for optimizer, model in ((mine, ours), (usual, theirs)):
            optimizer.zero_grad()
            gradients(model, step)
            optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


def test_a_weight_without_a_gradient_stays_and_counts_no_step():
    model = network()
    optimizer = Adam(model.parameters(), lr=0.1)
    before = copy.deepcopy(model[2].weight.data)
    model[0](torch.ones(2, 5, dtype=torch.float64)).sum().backward()
    optimizer.step()
    assert torch.equal(model[2].weight, before)
    assert [step.item() for step in optimizer.steps] == [1, 1, 0, 0]


def test_it_goes_on_from_its_state():
    model = network()
    optimizer = Adam(model.parameters(), lr=0.01)
    for step in range(3):
        gradients(model, step)
        optimizer.step()
    twin = copy.deepcopy(model)
    other = Adam(twin.parameters(), lr=0.01)
    other.load_state({name: tensor.clone() for name, tensor in optimizer.state().items()})
    for one, its in ((model, optimizer), (twin, other)):
        its.zero_grad()
        gradients(one, 9)
        its.step()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), twin.parameters(), strict=True))


@pytest.mark.parametrize("spoil", ["drop", "reshape", "add"])
def test_the_state_of_other_weights_is_refused_and_nothing_changes(spoil):
    optimizer = Adam(network().parameters(), lr=0.01)
    state = {name: tensor + 1 for name, tensor in optimizer.state().items()}
    if spoil == "drop":
        state.pop("0.mean")
    elif spoil == "reshape":
        state["0.mean"] = state["0.mean"].T
    else:
        state["9.mean"] = torch.zeros(2)
    with pytest.raises(ValueError, match="other weights"):
        optimizer.load_state(state)
    assert all(not tensor.any() for tensor in optimizer.state().values())


def test_training_does_not_import_the_compiler():
    code = (
        "import aelib, torch, sys; from aelib.training import fit, fit_many; from aelib.models import Autoencoder as A;"
        "x = torch.rand(20, 4); fit(A(4, 2), x, epochs=1, seed=0); fit_many([A(4, 2), A(4, 3)], x, epochs=1, seeds=[0, 1]);"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
