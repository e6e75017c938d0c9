"""Lesson 08's dashboard from Python's side: what it keeps of a run, also of a long, a stopped and a second one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

from aelib.data import digits
from aelib.gaussian import kl_per_latent
from aelib.models import VAE
from aelib.objectives import neg_elbo
from aelib.training import fit
from aelib.widgets import training_dashboard
from aelib.widgets.training_dashboard import MOST_FRAMES, TrainingDashboard


def board_of(epochs: int) -> tuple[TrainingDashboard, VAE]:
    """A dashboard that has watched an untrained model for so many epochs."""
    board, model = TrainingDashboard(digits(), 3), VAE(64, 3, hidden=(16,), noise_var=0.05)
    for epoch in range(1, epochs + 1):
        board.watch(epoch, model)
    return board, model


def test_fit_feeds_it_and_the_last_frame_is_the_model():
    board, model = TrainingDashboard(digits(), 3), VAE(64, 3, hidden=(16,), noise_var=0.05)
    fit(model, digits(), epochs=3, lr=0.005, seed=0, loss=neg_elbo, progress=False, callback=board.watch)
    x = digits().held_out
    with torch.no_grad():
        mu, log_var = model.encode(x)
        kl = kl_per_latent(mu, log_var).double().mean(dim=0)
    np.testing.assert_allclose(board.table()[-1, 2:], kl, rtol=1e-5)
    assert board.table()[:, 0].tolist() == [1, 2, 3]
    assert board.now()["neg_elbo"] == pytest.approx(board.now()["reconstruction"] + float(kl.sum()))
    first, second = board.axes
    np.testing.assert_allclose(board.places()[:, 0], mu[:60, first].clamp(-3.4, 3.4), atol=0.02)
    np.testing.assert_allclose(board.places()[:, 3], (log_var[:60, second] / 2).exp().clamp(0, 2), atol=0.01)
    assert set(board.axes) == set(kl.argsort(descending=True)[:2].tolist())


def test_watching_changes_neither_the_model_nor_the_random_stream():
    torch.manual_seed(3)
    model = VAE(64, 3, hidden=(16,), noise_var=0.05).train()
    expected = torch.rand(3, generator=torch.Generator().manual_seed(3))
    TrainingDashboard(digits(), 3).watch(1, model)
    assert model.training
    assert torch.equal(torch.rand(3), expected)


def test_pictures_are_kept_in_sixteen_levels():
    board, model = board_of(1)
    with torch.no_grad():
        generator = torch.Generator().manual_seed(0)
        torch.randn(359, 3, generator=generator)
        drawn = model.decode(torch.randn(8, 3, generator=generator)).clamp(0, 1)
    np.testing.assert_allclose(board.images()["drawings"], drawn, atol=0.034)
    np.testing.assert_allclose(board.images()["input"], digits().held_out[:8], atol=0.034)


@pytest.mark.parametrize("epochs", [MOST_FRAMES - 1, MOST_FRAMES + 5, 5 * MOST_FRAMES + 3])
def test_a_long_run_is_thinned_and_keeps_its_first_and_last_epoch(epochs: int):
    board, _ = board_of(epochs)
    kept = board.table()[:, 0]
    assert len(kept) <= MOST_FRAMES
    assert kept[0] == 1 and kept[-1] == epochs
    assert len(kept) > 0.4 * min(epochs, MOST_FRAMES)
    assert np.diff(kept).max() <= 2 * max(1, epochs / MOST_FRAMES * 2)
    assert (np.diff(kept) > 0).all()


def test_a_second_run_begins_anew():
    board, model = board_of(5)
    board.watch(1, model)
    assert board.table()[:, 0].tolist() == [1]


def test_a_stopped_cell_shows_all_that_was_kept(monkeypatch):
    """While a cell runs, little is sent; when it ends, by itself or by the stop button, the rest is."""
    shell = InteractiveShell()
    shell.kernel = object()
    monkeypatch.setattr(training_dashboard, "_notebook", lambda: shell)
    board, model = TrainingDashboard(digits(), 3), VAE(64, 3, hidden=(16,), noise_var=0.05)
    shell.user_ns |= {"board": board, "model": model}
    told = []
    board.observe(lambda change: told.append(len(board.table())), "arrays")
    monkeypatch.setattr(training_dashboard, "SECONDS_BETWEEN", 60)
    shell.run_cell(
        "for epoch in range(1, 10):\n    board.watch(epoch, model)\n    if epoch == 7: raise KeyboardInterrupt"
    )
    assert told == [1, 7]
    assert board.now()["epoch"] == 7


def test_what_does_not_fit_is_told_in_a_sentence():
    with pytest.raises(ValueError, match="two latents"):
        TrainingDashboard(digits(), 1)
    with pytest.raises(ValueError, match="made for 3 latents, and the model has 2"):
        TrainingDashboard(digits(), 3).watch(1, VAE(64, 2, hidden=(16,), noise_var=0.05))


def test_an_empty_board_has_words_and_no_frames():
    board = TrainingDashboard(digits(), 3)
    assert board.table().shape == (0, 5)
    assert board._repr_mimebundle_()[0]["text/plain"].startswith("Watch it train.")
