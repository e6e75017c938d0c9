"""The loops give what a textbook's loop gives, and keep their promises when something goes wrong."""

from __future__ import annotations

import copy
import math
import sys
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from aelib import training
from aelib.data import digits
from aelib.data.dataset import Dataset
from aelib.models import Autoencoder
from aelib.objectives import reconstruction_error
from aelib.training import History, fit, fit_many

SWEEP = (*range(1, 17), 20, 24, 32, 48, 64)


class TinyVAE(nn.Module):
    """μ and log σ² have a layer each; ``side_by_side`` has one layer for both."""

    def __init__(self, latent_dim: int, seed: int = 0, side_by_side: bool = False) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.body = nn.Sequential(nn.Linear(64, 32), nn.ReLU())
            if side_by_side:
                self.heads = nn.Linear(32, 2 * latent_dim)
            else:
                self.mu, self.log_var = nn.Linear(32, latent_dim), nn.Linear(32, latent_dim)
            self.decoder = nn.Sequential(nn.Linear(latent_dim, 32), nn.ReLU(), nn.Linear(32, 64))

    def encode(self, x):
        h = self.body(x)
        return self.heads(h).chunk(2, dim=-1) if hasattr(self, "heads") else (self.mu(h), self.log_var(h))


def neg_elbo(model, x, beta=1.0):
    mu, log_var = model.encode(x)
    z = mu + (log_var / 2).exp() * torch.randn_like(mu)
    error = (x - model.decoder(z)).square().sum(-1).mean()
    kl = 0.5 * (mu.square() + log_var.exp() - 1 - log_var).sum(-1).mean()
    return {"loss": error + beta * kl, "reconstruction": error, "kl": kl}


class Knob(nn.Module):
    """One number to learn."""

    def __init__(self, start: float = 0.0) -> None:
        super().__init__()
        self.knob = nn.Parameter(torch.tensor([start]))


def runaway(model, x, beta):
    """Rewards a large knob, which Adam then turns by lr a step; NaN as soon as beta * knob passes 4.5."""
    knob = model.knob.sum() + 0 * x.sum()
    return torch.where(beta * knob > 4.5, math.nan, -knob)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return digits()


@pytest.fixture(scope="module")
def small(data) -> torch.Tensor:
    return data.train[:200]


def state_of(model):
    return copy.deepcopy(model.state_dict())


def assert_same(model_or_state, state, **tolerance):
    found = model_or_state.state_dict() if isinstance(model_or_state, nn.Module) else model_or_state
    assert found.keys() == state.keys()
    for name in state:
        torch.testing.assert_close(found[name], state[name], **(tolerance or {"rtol": 0, "atol": 0}))


def at_call(n: int, action, loss=reconstruction_error):
    """A loss that behaves until its n-th call, counted from 1."""
    calls = []

    def wrapped(model, x, **beta):
        calls.append(1)
        value = loss(model, x, **beta)
        return action(value) if len(calls) >= n else value

    return wrapped


def press_stop(value):
    raise KeyboardInterrupt


def become_nan(value):
    return value * math.nan


def become_infinite(value):
    """Its gradient stays finite."""
    return value + math.inf


def break_the_gradient(value):
    """The root of 0 is 0, its slope is not a number."""
    return value + (0 * value).sqrt()


# fit


def test_equals_the_textbook_loop(small):
    """Same order, ragged last batch (200 = 64 + 64 + 64 + 8), plain Adam."""
    model, reference = Autoencoder(64, 3), Autoencoder(64, 3)
    history = fit(model, small, epochs=3, seed=7, batch_size=64, lr=3e-3)
    generator = torch.Generator().manual_seed(7)
    optimizer = torch.optim.Adam(reference.parameters(), lr=3e-3, foreach=False)
    means = []
    for _ in range(3):
        total = 0.0
        for batch in torch.randperm(200, generator=generator).split(64):
            optimizer.zero_grad()
            error = (reference(small[batch]) - small[batch]).square().sum() / len(batch)
            error.backward()
            optimizer.step()
            total += error.item() * len(batch)
        means.append(total / 200)
    assert history.train["loss"] == pytest.approx(means, rel=1e-4)
    assert_same(model, reference.state_dict(), rtol=1e-3, atol=1e-4)


def test_a_ragged_batch_counts_by_its_rows():
    """One row of 100 and nine of 0, four at a time: the mean is 1000, whichever batch holds the large row."""
    rows = torch.zeros(10, 1)
    rows[0] = 100.0
    for seed in range(5):
        history = fit(
            nn.Linear(1, 1, bias=False), rows, epochs=1, seed=seed, batch_size=4, lr=1e-30, loss=squares
        )
        assert history.train["loss"][0] == pytest.approx(1000.0, rel=1e-5)


def squares(model, x):
    return x.square().sum(-1).mean() + 0 * model.weight.sum()


def test_learns(data):
    history = fit(Autoencoder(64, 8), data, epochs=5, seed=0, lr=1e-2)
    assert history.held_out["loss"][-1] < 0.6 * history.held_out["loss"][0]
    assert history.epochs == len(history.train["loss"]) == len(history.held_out["loss"]) == 5
    assert history.stopped is None


def test_held_out_is_judged_on_all_its_rows_after_the_epoch(data, monkeypatch):
    monkeypatch.setattr(training, "EVALUATED_AT_ONCE", 100)
    model = Autoencoder(64, 4)
    history = fit(model, data, epochs=2, seed=0)
    with torch.no_grad():
        assert history.held_out["loss"][-1] == pytest.approx(
            float(reconstruction_error(model, data.held_out)), rel=1e-5
        )


def test_large_data_are_converted_batch_by_batch(data, monkeypatch):
    sizes, rows = [], Dataset.rows
    monkeypatch.setattr(Dataset, "rows", lambda self, at: sizes.append(len(at)) or rows(self, at))
    monkeypatch.setattr(training, "EVALUATED_AT_ONCE", 128)
    from_dataset, from_tensor = Autoencoder(64, 4), Autoencoder(64, 4)
    fit(from_dataset, data, epochs=1, seed=3)
    assert max(sizes) == 128
    monkeypatch.undo()
    fit(from_tensor, data.train, epochs=1, seed=3)
    assert_same(from_dataset, from_tensor.state_dict())


def test_float64_models_train_in_float64(small):
    model = Autoencoder(64, 2).double()
    fit(model, small, epochs=1, seed=0)
    assert next(model.parameters()).dtype == torch.float64


def test_the_seed_fixes_everything_and_the_global_stream_is_left_alone(small):
    models = [TinyVAE(2) for _ in range(3)]
    torch.manual_seed(5)
    before = torch.get_rng_state()
    fit(models[0], small, epochs=2, seed=1, loss=neg_elbo)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    fit(models[1], small, epochs=2, seed=1, loss=neg_elbo)
    fit(models[2], small, epochs=2, seed=2, loss=neg_elbo)
    assert_same(models[0], models[1].state_dict())
    assert not torch.equal(models[0].mu.weight, models[2].mu.weight)


def test_onlookers_change_nothing(small):
    """Neither held-out rows nor a callback that draws noise and switches modes."""
    watched, alone = TinyVAE(2), TinyVAE(2)

    def nosy(epoch, model, history):
        assert epoch == history.epochs
        assert not model.training
        torch.randn(3)
        model.train()

    fit(watched, small[:150], epochs=3, seed=0, loss=neg_elbo, held_out=small[150:], callback=nosy)
    fit(alone, small[:150], epochs=3, seed=0, loss=neg_elbo)
    assert_same(watched, alone.state_dict())


def test_held_out_noise_is_the_same_after_each_epoch(small):
    history = fit(TinyVAE(2), small, epochs=3, seed=0, loss=neg_elbo, lr=1e-30, held_out=small)
    assert len(set(history.held_out["loss"])) == 1


def test_modes(small):
    """Learning in training mode with gradients, judging in evaluation mode without; afterwards as before."""
    model = Autoencoder(64, 2)
    model.train()
    model.decoder.eval()
    seen = set()

    def spy(model, x):
        seen.add((model.training, model.decoder.training, torch.is_grad_enabled(), len(x)))
        return reconstruction_error(model, x)

    fit(model, small, epochs=2, seed=0, loss=spy, held_out=small[:77], batch_size=100)
    assert seen == {(False, False, True, 2), (True, True, True, 100), (False, False, False, 77)}
    assert model.training
    assert model.encoder.training
    assert not model.decoder.training


def test_named_parts_best_and_last(data):
    model = TinyVAE(2)
    history = fit(model, data, epochs=4, seed=0, loss=neg_elbo, lr=1e-2)
    assert set(history.train) == set(history.held_out) == {"loss", "reconstruction", "kl"}
    for loss, error, kl in zip(*history.held_out.values(), strict=True):
        assert loss == pytest.approx(error + kl, rel=1e-5)
    assert history.best_epoch == 1 + history.held_out["loss"].index(min(history.held_out["loss"]))
    assert_same(model, history.last_state)


@pytest.mark.parametrize("many", [False, True], ids=["fit", "fit_many"])
def test_the_best_epoch_need_not_be_the_last(many):
    """Started at the optimum of the held-out row, the knob moves away."""

    def distance(model, x):
        return (x[:, 0] - model.knob).square().mean()

    model, rows = Knob(1.0), torch.zeros(4, 1)
    settings = {"epochs": 5, "lr": 0.1, "loss": distance, "held_out": torch.ones(1, 1)}
    history = (
        fit_many([model], rows, seeds=[0], **settings)[0] if many else fit(model, rows, seed=0, **settings)
    )
    assert history.best_epoch == 1
    assert history.best_state["knob"] == pytest.approx(0.9, abs=1e-4)
    assert model.knob.item() < 0.7


def test_the_text(data):
    text = fit(Autoencoder(64, 2), data, epochs=1, seed=0).text()
    assert text.startswith("1 epoch in ")
    assert "on training data" in text
    assert text.endswith("held out.")
    assert repr(History()) == "0 epochs in 0.0 s."


# Stopping


def test_the_stop_button_keeps_a_usable_model(small):
    """200 rows, 50 at a time: call 1 is a trial, 2 to 5 are the first epoch, 8 is within the second."""
    model, start = Autoencoder(64, 2), Autoencoder(64, 2).state_dict()
    history = fit(model, small, epochs=9, seed=0, batch_size=50, lr=1e-2, loss=at_call(8, press_stop))
    assert history.epochs == 1
    assert history.stopped == "Stopped by hand in epoch 2 of 9; the model keeps the weights of that moment."
    assert_same(model, history.last_state)
    assert not torch.equal(model.decoder[0].weight, history.best_state["decoder.0.weight"])
    assert not torch.equal(model.decoder[0].weight, start["decoder.0.weight"])
    assert all(tensor.isfinite().all() for tensor in history.last_state.values())
    assert model.training


def test_stopping_a_broken_epoch_goes_back_to_finite_weights(small):
    poison = at_call(6, become_nan)

    def poisoned(model, x):
        return poison(model, x)

    model, reference = Autoencoder(64, 2), Autoencoder(64, 2)
    history = fit(model, small, epochs=9, seed=0, batch_size=50, loss=at_call(8, press_stop, poisoned))
    fit(reference, small, epochs=1, seed=0, batch_size=50)
    assert "Stopped by hand" in history.stopped
    assert_same(model, reference.state_dict())


BREAKS = [(3, 0, become_nan), (6, 1, become_nan), (13, 2, become_infinite), (13, 2, break_the_gradient)]


@pytest.mark.parametrize(("call", "good_epochs", "action"), BREAKS)
@pytest.mark.parametrize("many", [False, True], ids=["fit", "fit_many"])
def test_divergence_restores_the_last_good_epoch(small, call, good_epochs, action, many):
    """In fit, calls 2 to 5 are epoch 1, and so on: call 13 is the last step of epoch 3."""
    model, reference = Autoencoder(64, 2), Autoencoder(64, 2)
    if many:  # two trials more
        loss = at_call(call + 2, action)
        (history,) = fit_many([model], small, epochs=9, seeds=[0], batch_size=50, loss=loss)
    else:
        history = fit(model, small, epochs=9, seed=0, batch_size=50, loss=at_call(call, action))
    if good_epochs:
        fit(reference, small, epochs=good_epochs, seed=0, batch_size=50)
    assert history.epochs == good_epochs
    assert f"diverged in epoch {good_epochs + 1}" in history.stopped
    assert_same(model, reference.state_dict(), rtol=1e-4, atol=1e-5)
    assert_same(model, history.last_state)


# Refusals


NAN = torch.zeros(5, 64)
NAN[3, 7], NAN[4, 1] = math.nan, math.inf
REFUSALS = {
    "no epochs": ({"epochs": 0}, None, "epochs must be a whole number, at least 1; got 0"),
    "half an epoch": ({"epochs": 1.5}, None, "epochs must be a whole number"),
    "no step": ({"lr": 0.0}, None, "lr, the step size, must be a positive number"),
    "step of NaN": ({"lr": math.nan}, None, "lr, the step size"),
    "empty batches": ({"batch_size": 0}, None, "batch_size must be"),
    "seed": ({"seed": 0.5}, None, "a seed must be a whole number"),
    "no tensor": ({}, [[1.0, 2.0]], "got a list"),
    "bytes": ({}, torch.zeros(5, 64, dtype=torch.uint8), "scale it first"),
    "images": ({}, torch.zeros(5, 8, 8), "each example one row"),
    "empty": ({}, torch.zeros(0, 64), r"at least one row and one column, got \(0, 64\)"),
    "not finite": ({}, NAN, "2 of the 320 numbers in data are NaN or infinite, the first in row 3, column 7"),
    "bad held out": ({"held_out": NAN}, None, "numbers in held_out are NaN"),
    "other width": ({}, torch.zeros(5, 63), "rows of 63 numbers; the model's first linear layer takes 64"),
    "vector": ({"loss": lambda m, x: (m(x) - x).sum(-1)}, None, r"'loss' is shape \(2,\)"),
    "number": ({"loss": lambda m, x: 1.0}, None, "'loss' is a float"),
    "no loss": ({"loss": lambda m, x: {"kl": m(x).sum()}}, None, "must be 'loss'"),
    "detached": ({"loss": lambda m, x: m(x).sum().detach()}, None, "does not depend on the model"),
}


@pytest.mark.parametrize(("settings", "rows", "sentence"), REFUSALS.values(), ids=REFUSALS.keys())
@pytest.mark.parametrize("many", [False, True], ids=["fit", "fit_many"])
def test_refusals_change_nothing(small, settings, rows, sentence, many):
    model = Autoencoder(64, 2)
    before = state_of(model)
    arguments = {"epochs": 1, "seed": 0} | settings
    rows = small if rows is None else rows
    if many:
        arguments["seeds"] = [arguments.pop("seed")]
    with pytest.raises((ValueError, TypeError), match=sentence):
        fit_many([model], rows, **arguments) if many else fit(model, rows, **arguments)
    assert_same(model, before)
    assert model.training


def test_frozen_models_are_refused(small):
    with pytest.raises(ValueError, match="no parameters to train"):
        fit(Autoencoder(64, 2).requires_grad_(False), small, epochs=1, seed=0)


def test_a_dataset_without_train_rows_is_refused(data):
    empty = Dataset("nothing", data.raw, 16.0, (8, 8), data.train_index[:0], data.held_out_index)
    with pytest.raises(ValueError, match="no rows to learn from"):
        fit(Autoencoder(64, 2), empty, epochs=1, seed=0)


def test_no_held_out_rows_are_fine(data):
    whole = Dataset("whole", data.raw, 16.0, (8, 8), data.train_index, data.held_out_index[:0])
    history = fit(Autoencoder(64, 2), whole, epochs=1, seed=0)
    assert history.held_out == {}
    assert history.text().endswith("on training data.")


# Progress


class Screen:
    def __init__(self):
        self.lines = []

    def update(self, bundle, raw):
        assert raw
        self.lines.append(bundle["text/plain"])


@pytest.fixture
def screen(monkeypatch):
    """A notebook's output area; its clock advances 0.05 s with each look at it."""
    IPython = pytest.importorskip("IPython")
    shown, now = Screen(), iter(range(10**9))
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw, display_id: shown)
    monkeypatch.setattr(training.time, "monotonic", lambda: 0.05 * next(now))
    return shown


def test_progress_is_one_line_rewritten_now_and_then(small, screen):
    history = fit(Autoencoder(64, 2), small, epochs=20, seed=0, batch_size=20)
    assert screen.lines[-1] == history.text()
    assert 10 < len(screen.lines) < 20 * 11 / 3
    assert any("of 20 epochs: loss" in line for line in screen.lines)


def test_progress_of_many(small, screen):
    fit_many([Autoencoder(64, k) for k in (1, 2)], small, epochs=20, seeds=[0, 0])
    assert screen.lines[-1].startswith("2 models, 20 epochs each, in ")
    assert "2 models: " in screen.lines[0]


def test_progress_can_be_turned_off(small, screen):
    fit(Autoencoder(64, 2), small, epochs=2, seed=0, progress=False)
    assert screen.lines == []


def test_nothing_is_printed_outside_a_notebook(small, capsys):
    fit(Autoencoder(64, 2), small, epochs=2, seed=0)
    assert capsys.readouterr() == ("", "")
    assert "ipykernel.kernelapp" not in sys.modules


# fit_many


def test_many_equal_one_by_one(data):
    """Two epochs on digits with a ragged last batch, every latent dimension of the slider, in a shuffled list."""
    dims = [SWEEP[i] for i in torch.randperm(len(SWEEP), generator=torch.Generator().manual_seed(0))]
    together = [Autoencoder(64, k, seed=k) for k in dims]
    histories = fit_many(together, data, epochs=2, seeds=[k % 3 for k in dims], lr=3e-3)
    for k, model, history in zip(dims, together, histories, strict=True):
        alone = Autoencoder(64, k, seed=k)
        expected = fit(alone, data, epochs=2, seed=k % 3, lr=3e-3)
        assert history.train["loss"] == pytest.approx(expected.train["loss"], rel=1e-4)
        assert history.held_out["loss"] == pytest.approx(expected.held_out["loss"], rel=1e-4)
        assert history.best_epoch == expected.best_epoch
        assert_same(model, alone.state_dict(), rtol=1e-3, atol=2e-4)
        assert_same(model, history.last_state)
        assert history.best_state.keys() == history.last_state.keys()


def test_more_numbers_in_the_code_give_less_error(data):
    """After twelve epochs, with a margin that holds for several seeds."""
    for seed in range(3):
        models = [Autoencoder(64, k, seed=seed) for k in (1, 2, 4, 8, 16)]
        errors = [
            h.held_out["loss"][-1] for h in fit_many(models, data, epochs=12, seeds=[seed] * 5, lr=1e-2)
        ]
        assert all(more < 0.95 * fewer for fewer, more in pairwise(errors))


def stack_of(dims, betas=None):
    models = [TinyVAE(k) for k in dims]
    beta = {} if betas is None else {"beta": torch.tensor(betas)}
    return training._Stack(models, list(range(len(dims))), beta, neg_elbo, 1e-2)


def test_padding_stays_zero_though_noise_flows_through_it(small):
    stack = stack_of([1, 3, 5])
    rows = training._tensor_rows("data", small, small)
    for _ in range(3):
        stack.epoch(rows, rows, 64)
    assert set(stack.masks) == {"mu.weight", "mu.bias", "log_var.weight", "log_var.bias", "decoder.0.weight"}
    for name, mask in stack.masks.items():
        assert (mask == 0).any()
        assert not stack.now[name][mask == 0].any()
        assert stack.now[name][mask == 1].all()


def test_many_vaes_equal_one_by_one_without_noise(small):
    dims, together = (1, 4, 2), [TinyVAE(k) for k in (1, 4, 2)]
    with training._NoNoise():
        fit_many(together, small, epochs=3, seeds=[1, 2, 3], loss=neg_elbo)
        for k, seed, model in zip(dims, (1, 2, 3), together, strict=True):
            fit(alone := TinyVAE(k), small, epochs=3, seed=seed, loss=neg_elbo)
            assert_same(model, alone.state_dict(), rtol=1e-3, atol=1e-4)


def test_each_model_has_noise_of_its_own_fixed_by_the_seeds(small):
    def trained():
        models = [TinyVAE(2) for _ in range(2)]
        fit_many(models, small, epochs=2, seeds=[4, 4], loss=neg_elbo)
        return models

    torch.manual_seed(9)
    before = torch.get_rng_state()
    one, other = trained()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(10)
    again = trained()
    assert_same(one, again[0].state_dict())
    assert_same(other, again[1].state_dict())
    assert not torch.equal(one.mu.weight, other.mu.weight)


def test_noise_is_new_in_each_epoch(small):
    """With equal rows, one batch and no step, a loss that repeats would mean noise that repeats."""
    same = small[:1].expand(50, -1)
    settings = {"epochs": 3, "loss": neg_elbo, "lr": 1e-30}
    for history in (
        fit(TinyVAE(2), same, seed=0, **settings),
        *fit_many([TinyVAE(2)], same, seeds=[0], **settings),
    ):
        assert len(set(history.train["reconstruction"])) == 3


def test_beta_reaches_each_model(data):
    betas = [0.0, 4.0, 1.0]
    models = [TinyVAE(2) for _ in betas]
    histories = fit_many(models, data, epochs=3, seeds=[0, 0, 0], betas=betas, loss=neg_elbo, lr=1e-2)
    none, full, some = (history.held_out["kl"][-1] for history in histories)
    assert full < 0.8 * some < 0.6 * none
    for beta, history in zip(betas, histories, strict=True):
        parts = {name: curve[-1] for name, curve in history.held_out.items()}
        assert parts["loss"] == pytest.approx(parts["reconstruction"] + beta * parts["kl"], rel=1e-4)


def test_one_that_diverges_does_not_spoil_the_others(small):
    """With beta 1 the sixth batch, the second of epoch 2, is NaN; with a small beta none is."""
    models = [Knob(), Knob(), Knob()]
    histories = fit_many(
        models, small, epochs=3, seeds=[0, 1, 2], betas=[0.1, 1.0, 0.2], loss=runaway, lr=1.0, batch_size=50
    )
    for i, beta in ((0, 0.1), (2, 0.2)):
        alone = Knob()
        fit(alone, small, epochs=3, seed=i, loss=lambda m, x, b=beta: runaway(m, x, b), lr=1.0, batch_size=50)
        torch.testing.assert_close(models[i].knob, alone.knob)
        assert histories[i].epochs == 3
        assert histories[i].stopped is None
    assert histories[1].epochs == 1
    assert "diverged in epoch 2" in histories[1].stopped
    assert models[1].knob.item() == pytest.approx(4.0, abs=1e-3)
    assert histories[1].last_state["knob"].isfinite().all()


def test_one_broken_from_the_start_is_left_as_it_was(small):
    models = [Autoencoder(64, 2), Autoencoder(64, 2)]
    with torch.no_grad():
        models[0].decoder[0].weight.fill_(1e30)
    before = state_of(models[0])
    broken, fine = fit_many(models, small, epochs=2, seeds=[0, 0])
    assert_same(models[0], before)
    assert "The weights are those of the start" in broken.stopped
    assert broken.best_epoch == 0
    assert fine.epochs == 2


def test_the_stop_button_keeps_every_model(small):
    """Three stacks, the first of them full."""
    n_models = 3 * training.STACKED_AT_ONCE - 1
    models = [Autoencoder(64, 1 + i % 5, seed=i) for i in range(n_models)]
    start = [state_of(model) for model in models]
    calls_before = 1 + 3 + n_models + 4 * 3 + 2  # the trials, an epoch of each stack, and two steps more
    settings = {"epochs": 9, "seeds": range(n_models), "batch_size": 50}
    histories = fit_many(models, small, loss=at_call(calls_before + 1, press_stop), **settings)
    moved = [
        not torch.equal(h.last_state["decoder.2.weight"], h.best_state["decoder.2.weight"]) for h in histories
    ]
    assert sum(moved) == training.STACKED_AT_ONCE  # the first stack, by two steps of its second epoch
    for model, history, before in zip(models, histories, start, strict=True):
        assert "Stopped by hand in epoch" in history.stopped
        assert history.epochs == 1
        assert not torch.equal(model.decoder[2].weight, before["decoder.2.weight"])
        assert all(tensor.isfinite().all() for tensor in model.state_dict().values())
        assert_same(model, history.last_state)


def test_modes_and_buffers_of_many(small):
    def make():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(64, 8, bias=False), nn.BatchNorm1d(8), nn.Linear(8, 64))

    with torch.random.fork_rng(devices=[]):
        models, alone = [make(), make().eval()], make()
    fit_many(models, small, epochs=2, seeds=[0, 1])
    fit(alone, small, epochs=2, seed=0)
    assert_same(models[0], alone.state_dict(), rtol=1e-3, atol=1e-4)
    assert models[0].training
    assert not models[1].training


def test_a_weight_that_two_layers_share_learns_from_both(small):
    def make():
        model = nn.Sequential(nn.Linear(64, 64, bias=False), nn.Tanh(), nn.Linear(64, 64, bias=False))
        model[2].weight = model[0].weight
        return model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        models, alone = [make(), make()], make()
    alone.load_state_dict(models[1].state_dict())
    fit_many(models, small, epochs=2, seeds=[0, 1])
    fit(alone, small, epochs=2, seed=1)
    assert_same(models[1], alone.state_dict(), rtol=1e-3, atol=1e-4)


COMPANY = {
    "none": ([], {}, "needs at least one model"),
    "seeds": ([1, 2], {"seeds": [0]}, "seeds needs one entry for each of 2 models; got 1"),
    "betas": ([1, 2], {"betas": [1.0]}, "betas needs one entry for each of 2 models; got 1"),
}


@pytest.mark.parametrize(("dims", "settings", "sentence"), COMPANY.values(), ids=COMPANY.keys())
def test_company(small, dims, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit_many(
            [Autoencoder(64, k) for k in dims], small, epochs=1, **({"seeds": [0] * len(dims)} | settings)
        )


def scaled(model, x):
    return getattr(model, "scale", 1.0) * reconstruction_error(model, x)


def by_choice(model, x):
    error = reconstruction_error(model, x)
    return error if error > 0 else 2 * error


def with_attribute():
    model = Autoencoder(64, 2)
    model.scale = 2.0
    return model


def with_zero_heads():
    models = [TinyVAE(k, side_by_side=True) for k in (2, 5)]
    for model in models:
        nn.init.zeros_(model.heads.weight)
        nn.init.zeros_(model.heads.bias)
    return models


def kl_by_mean(model, x):
    mu, log_var = model.encode(x)
    return reconstruction_of(model, mu, x) + (mu.square() + log_var.exp() - 1 - log_var).mean()


def reconstruction_of(model, z, x):
    return (x - model.decoder(z)).square().sum(-1).mean()


MISFITS = {
    "twice": (lambda: [Autoencoder(64, 2)] * 2, reconstruction_error, "in the list twice"),
    "classes": (lambda: [Autoencoder(64, 2), TinyVAE(2)], neg_elbo, "one class with the same layers"),
    "layers": (lambda: [Autoencoder(64, 2), Autoencoder(64, 2, ())], reconstruction_error, "the same layers"),
    "shapes": (
        lambda: [Autoencoder(64, 9, (8,)), Autoencoder(64, 2, (9,))],
        reconstruction_error,
        "may differ in their latent_dim only",
    ),
    "attributes": (
        lambda: [Autoencoder(64, 2), with_attribute()],
        scaled,
        "differ in more than their weights",
    ),
    "side by side": (
        lambda: [TinyVAE(k, side_by_side=True) for k in (2, 5)],
        neg_elbo,
        "μ and log σ² a layer each",
    ),
    "hidden by zeros": (with_zero_heads, neg_elbo, "μ and log σ² a layer each"),
    "mean over latents": (lambda: [TinyVAE(2), TinyVAE(5)], kl_by_mean, "sum over latents"),
    "choices": (
        lambda: [Autoencoder(64, 2), Autoencoder(64, 2)],
        by_choice,
        "cannot be computed many at once",
    ),
}


@pytest.mark.parametrize(("make", "loss", "sentence"), MISFITS.values(), ids=MISFITS.keys())
def test_misfits_are_refused_before_anything_changes(small, make, loss, sentence):
    models = make()
    before = [state_of(model) for model in models]
    with pytest.raises(ValueError, match=sentence):
        fit_many(models, small, epochs=1, seeds=[0] * len(models), loss=loss)
    for model, state in zip(models, before, strict=True):
        assert_same(model, state)
        assert model.training


def test_side_by_side_is_fine_without_padding(small):
    histories = fit_many(
        [TinyVAE(2, i, True) for i in range(3)], small, epochs=1, seeds=[0, 1, 2], loss=neg_elbo
    )
    assert [history.epochs for history in histories] == [1, 1, 1]
