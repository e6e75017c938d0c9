"""What readers bring from other libraries: numpy's whole numbers, tables, loaders, double precision, layers with a catch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from torch import nn

from aelib import checkpoints
from aelib.data import digits
from aelib.desiderata import METRICS, active_latents, scorecard
from aelib.models import VAE, Autoencoder, LinearAutoencoder, convolutional_vae, pca
from aelib.objectives import neg_elbo
from aelib.training import fit, fit_many

ROWS = torch.rand(129, 8, generator=torch.Generator().manual_seed(0))
KINDS = (np.int8, np.int32, np.uint16, np.int64)


# Whole numbers


@pytest.mark.parametrize("kind", KINDS)
def test_numpys_whole_numbers_do_as_pythons(kind, tmp_path):
    mine = Autoencoder(kind(8), kind(2), hidden=(kind(5),), seed=kind(1))
    plain = Autoencoder(8, 2, hidden=(5,), seed=1)
    settings = {"epochs": 2, "batch_size": 32, "seed": 3}
    theirs = fit(plain, ROWS, **settings, checkpoint=tmp_path / "plain")
    ours = fit(mine, ROWS, **{k: kind(v) for k, v in settings.items()}, checkpoint=tmp_path / "mine")
    assert ours.train == theirs.train
    together = fit_many(
        [Autoencoder(8, 2), Autoencoder(8, 1)], ROWS, epochs=kind(1), seeds=np.arange(2, dtype=kind)
    )
    assert [history.epochs for history in together] == [1, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_model_takes_them(kind):
    for model in (VAE(kind(8), kind(2)), LinearAutoencoder(8, kind(2)), pca(ROWS, kind(2))):
        code = model.encode(ROWS)
        assert (code[0] if isinstance(code, tuple) else code).shape == (129, 2)
    assert convolutional_vae((kind(8), kind(8)), kind(2), (kind(4),)).encode(torch.rand(3, 64))[0].shape == (
        3,
        2,
    )


@pytest.mark.parametrize("wrong", [2.0, np.float64(2), np.bool_(True), "2", None, torch.tensor(2)])
def test_what_is_no_whole_number_is_refused(wrong):
    with pytest.raises((ValueError, TypeError), match="whole number"):
        fit(Autoencoder(8, 2), ROWS, epochs=1, seed=0, batch_size=wrong)


# Tables and loaders


class Table:
    """As a DataFrame is: an array only when it is asked to be one."""

    def __array__(self, dtype=None, copy=None):
        return np.asarray(ROWS.numpy(), dtype)


@pytest.mark.parametrize("given", [Table(), ROWS.numpy(), ROWS.tolist()], ids=["table", "array", "list"])
def test_the_advice_makes_a_tensor_of_it(given):
    for call in (lambda x: fit(Autoencoder(8, 2), x, epochs=1, seed=0), lambda x: pca(x, 2)):
        with pytest.raises(TypeError, match=r"torch\.as_tensor\(np\.asarray\(x\), dtype=torch\.float32\)"):
            call(given)
        call(torch.as_tensor(np.asarray(given), dtype=torch.float32))


def test_a_loader_is_told_that_fit_makes_batches():
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(ROWS), batch_size=4)
    for given in (loader, loader.dataset):
        with pytest.raises(TypeError, match="makes batches itself"):
            fit(Autoencoder(8, 2), given, epochs=1, seed=0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_pca_refuses_what_is_not_finite(bad):
    spoilt = ROWS.clone()
    spoilt[3, 1] = bad
    with pytest.raises(ValueError, match="1 of the 1032 numbers in x are NaN or infinite"):
        pca(spoilt, 2)


# A batch of one row


def normalised() -> Autoencoder:
    model = Autoencoder(8, 2, hidden=(6,))
    model.encoder.insert(1, nn.BatchNorm1d(6))
    return model


class OnePerRow(nn.Module):
    """A loss that needs two rows while it learns, with no layer to tell it by."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x):
        if self.training and len(x) < 2:
            raise RuntimeError("two rows at least")
        return self.weight * x


@pytest.mark.parametrize("make", [normalised, OnePerRow])
@pytest.mark.parametrize(("n", "batch_size"), [(129, 128), (1, 128), (65, 64), (10, 1), (9, 4)])
def test_a_row_left_alone_is_refused_before_anything_changes(make, n, batch_size):
    model = make()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match="a batch has one row") as refused:
        fit(model, ROWS[:n], epochs=1, seed=0, batch_size=batch_size)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    if advised := str(refused.value).partition("batch_size=")[2].partition("batch_size=")[2]:
        size = int(advised.split()[0])
        assert fit(model, ROWS[:n], epochs=1, seed=0, batch_size=size).epochs == 1
    else:
        assert n == 1


def test_models_that_do_not_mind_learn_from_it():
    assert fit(Autoencoder(8, 2), ROWS, epochs=1, seed=0, batch_size=128).epochs == 1
    assert fit(normalised(), ROWS[:128], epochs=1, seed=0, batch_size=64).epochs == 1


def test_an_error_in_the_middle_leaves_the_last_whole_epoch():
    """A loss that fails in the second epoch, on a batch that no trial has seen."""
    model, states = Autoencoder(8, 2), []

    def loss(model, x):
        if len(states) == 1 and len(x) < 64:
            raise RuntimeError("no more")
        return (model(x) - x).square().sum(1).mean()

    keep = lambda *_: states.append({k: v.clone() for k, v in model.state_dict().items()})  # noqa: E731
    with pytest.raises(RuntimeError, match="no more"):
        fit(model, ROWS, epochs=3, seed=0, batch_size=64, loss=loss, callback=keep)
    assert all(torch.equal(value, states[0][name]) for name, value in model.state_dict().items())


# Double precision


def test_a_model_in_double_precision_is_scored_as_one_in_single():
    data = digits()
    single = VAE(64, 4, hidden=(16,), noise_var=0.05)
    double = VAE(64, 4, hidden=(16,), noise_var=0.05).double()
    double.load_state_dict(single.state_dict())
    card = scorecard({"single": single, "double": double}, data, seeds=[0])
    rows = dict(zip(card.names, card.values[:, :, 0], strict=True))
    exact = METRICS.index("informative"), METRICS.index("robust")
    np.testing.assert_allclose(rows["single"][[*exact]], rows["double"][[*exact]], rtol=1e-5)
    assert active_latents(double, data.held_out).equal(active_latents(single, data.held_out))
    assert fit(double, data, epochs=1, seed=0, loss=neg_elbo).epochs == 1


# Two interrupts, two writers


@pytest.mark.skipif(os.name == "nt", reason="signals are not those of Windows")
def test_a_second_interrupt_does_not_break_off_the_first(tmp_path):
    """Twenty times, the second while the run is put back: fit returns, and the model is what the file holds."""
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(os.getcwd())!r})
import torch
from aelib import checkpoints
from aelib.models import Autoencoder
from aelib.training import fit, load

rows = torch.rand(300, 8, generator=torch.Generator().manual_seed(0))
resume = checkpoints.Run.resume
def interrupted(run):
    os.kill(os.getpid(), signal.SIGINT)
    seconds = resume(run)
    os.kill(os.getpid(), signal.SIGINT)
    return seconds
def stop(epoch, model, history):
    if epoch == 2:
        checkpoints.Run.resume = interrupted
        os.kill(os.getpid(), signal.SIGINT)
for trial in range(20):
    checkpoints.Run.resume = resume
    path, model = f"{{sys.argv[1]}}/{{trial}}", Autoencoder(8, 2, seed=trial)
    history = fit(model, rows, epochs=9, seed=0, checkpoint=path, callback=stop)
    assert "Stopped by hand" in history.text(), history.text()
    kept = load(path, Autoencoder(8, 2, seed=trial))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), kept.parameters()))
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
assert not [name for name in os.listdir(sys.argv[1]) if name.endswith(".part")]
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_training_in_a_thread_leaves_signals_alone():
    before, found = signal.getsignal(signal.SIGINT), []
    thread = threading.Thread(target=lambda: found.append(fit(Autoencoder(8, 2), ROWS, epochs=1, seed=0)))
    thread.start()
    thread.join()
    assert found[0].epochs == 1
    assert signal.getsignal(signal.SIGINT) is before


def test_two_writers_and_a_reader_of_one_checkpoint(tmp_path):
    """Each save is whole, the last one wins, a reader never finds half of one, and nothing stays beside it."""
    path, models = tmp_path / "shared", [Autoencoder(8, 2, seed=seed) for seed in range(3)]
    checkpoints.save(models[0], path)
    failures = []

    def repeat(act) -> None:
        try:
            for _ in range(60):
                act()
        except checkpoints.CheckpointError as error:
            failures.append(error)

    acts = [lambda m=model: checkpoints.save(m, path) for model in models[:2]]
    acts += [lambda: checkpoints.load(path, models[2])]
    threads = [threading.Thread(target=repeat, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert [one.name for one in tmp_path.iterdir()] == ["shared"]
