"""Lesson 08's dashboard: a VAE while it trains, fed epoch by epoch from any loop, and afterwards a slider back through it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import traitlets

from aelib.widgets.base import IN_USE, Array, Interactive, levels, numbers

if TYPE_CHECKING:
    from torch import Tensor, nn

    from aelib.data import Dataset

N_COPIES, N_DRAWN, N_MARKS = 8, 8, 60
REACH, WIDEST = 3.4, 2.0
"""The map goes so far to each side; a cloud's width on it is at most so large."""
MOST_FRAMES = 64
"""When there would be more, every second one is dropped: a long run is shown in larger steps."""
SECONDS_BETWEEN = 0.2
"""The page is told no more often than this while a cell runs: Jupyter cuts off a kernel that says more than 1 MB/s."""


class Frame(NamedTuple):
    """What is kept of one epoch, on the held-out examples.

    reconstruction: −log p(x|z) in nats, averaged; kl: (K,) nats; copies (N, D), drawn (N, D); mu, sd: (M, K).
    """

    epoch: int
    reconstruction: float
    kl: np.ndarray
    copies: np.ndarray
    drawn: np.ndarray
    mu: np.ndarray
    sd: np.ndarray


class TrainingDashboard(Interactive, script="training_dashboard", title="Watch it train"):
    """Copies, drawings from the prior, the KL of each latent and a map of the codes, after every epoch.

    Hand `watch` to a training loop: it is called as ``watch(epoch, model)``, or as `training.fit` calls its callback.
    A run that is stopped keeps what it has shown.

    arrays: numbers (frames, 2 + K), epoch, reconstruction, the KL of each latent; pictures (frames, 8 + 8, …), copies,
    then drawings; originals (8, …); marks (frames, 60, 4), place and widths of each cloud as parts of the map's reach.
    axes: the two latents of the map. shown: the frame on view, −1 for the newest.
    """

    shown = traitlets.Int(-1).tag(sync=True)
    latent_dim = traitlets.Int(2).tag(sync=True)
    axes = traitlets.List(traitlets.Int(), [0, 1]).tag(sync=True)
    labels = traitlets.List(traitlets.Int()).tag(sync=True)
    shapes = {
        "numbers": ("frames", "figures"),
        "pictures": ("frames", N_COPIES + N_DRAWN, "rows", "columns"),
        "originals": (N_COPIES, "rows", "columns"),
        "marks": ("frames", "digits", 4),
    }

    def __init__(self, dataset: Dataset, latent_dim: int, **state: object) -> None:
        if latent_dim < 2:
            raise ValueError(f"the map needs two latents or more; got latent_dim={latent_dim!r}.")
        self.x = dataset.held_out
        self.frames: list[Frame] = []
        self.step, self.told, self._waiting = 1, 0.0, False
        labels = [] if dataset.held_out_labels is None else dataset.held_out_labels[:N_MARKS].tolist()
        self.image_shape = tuple(dataset.image_shape)
        state = {"latent_dim": latent_dim, "labels": labels} | state
        super().__init__(arrays=self._arrays(latent_dim), **state)

    def _arrays(self, latent_dim: int) -> dict[str, Array]:
        """All frames as they travel; those of no frames are empty."""
        frames, shape, n_marks = self.frames, self.image_shape, min(N_MARKS, len(self.x))
        rows = np.array([[f.epoch, f.reconstruction, *f.kl] for f in frames]).reshape(-1, 2 + latent_dim)
        pictures = np.array([np.concatenate([f.copies, f.drawn]) for f in frames])
        marks = np.array([_on_the_map(f, self.axes) for f in frames]).reshape(len(frames), n_marks, 4)
        return {
            "numbers": numbers(rows),
            "pictures": levels(pictures.reshape(len(frames), N_COPIES + N_DRAWN, *shape), bits=4),
            "originals": levels(self.x[:N_COPIES].numpy().reshape(N_COPIES, *shape), bits=4),
            "marks": levels(marks),
        }

    def watch(self, epoch: int, model: nn.Module, history: object = None) -> None:
        """Keep what the model does now, and show it."""
        if epoch == 1 or (self.frames and epoch <= self.frames[-1].epoch):
            self.frames, self.step = [], 1
        frame = _look(model, self.x, epoch)
        if len(frame.kl) != self.latent_dim:
            raise ValueError(
                f"this dashboard was made for {self.latent_dim} latents, and the model has {len(frame.kl)}."
            )
        self._keep(frame)
        shell = _notebook()
        if shell is None or time.monotonic() >= self.told + SECONDS_BETWEEN:
            self.tell()
        elif not self._waiting:
            self._waiting = True
            shell.events.register("post_run_cell", self._last_word)

    def _keep(self, frame: Frame) -> None:
        """Add a frame; between two that stay, the newest one is replaced."""
        if self.frames and self.frames[-1].epoch % self.step and self.frames[-1].epoch != 1:
            self.frames.pop()
        self.frames.append(frame)
        if len(self.frames) > MOST_FRAMES:
            self.step *= 2
            self.frames = [
                kept for kept in self.frames if kept.epoch == 1 or kept is frame or not kept.epoch % self.step
            ]

    def _last_word(self, result: object = None) -> None:
        """When the cell is over, finished or stopped: what has not been told yet."""
        _notebook().events.unregister("post_run_cell", self._last_word)
        self._waiting = False
        self.tell()

    def tell(self) -> None:
        """Send all frames to the page."""
        self.told = time.monotonic()
        with self.hold_sync():
            self.axes = sorted(np.argsort(self.frames[-1].kl)[::-1][:2].tolist())
            self.arrays = self._packed(self._arrays(self.latent_dim), {})
            self.shown = -1

    def table(self) -> np.ndarray:
        """(n_frames, 2 + K): epoch, reconstruction and the KL of each latent, in nats."""
        return self.array("numbers")

    def now(self) -> dict[str, float]:
        """The figures on view: epoch, reconstruction, kl, neg_elbo, in_use (how many latents are open)."""
        epoch, reconstruction, *kl = self.table()[self.shown]
        return {
            "epoch": int(epoch), "reconstruction": reconstruction, "kl": sum(kl), "neg_elbo": reconstruction + sum(kl),
            "in_use": sum(one > IN_USE for one in kl),
        }  # fmt: skip

    def images(self) -> dict[str, np.ndarray]:
        """Originals, copies and drawings on view, each (8, D)."""
        rows = {"input": self.array("originals").reshape(N_COPIES, -1)}
        if len(self.table()):
            both = self.array("pictures")[self.shown].reshape(N_COPIES + N_DRAWN, -1)
            rows |= {"copies": both[:N_COPIES], "drawings": both[N_COPIES:]}
        return rows

    def places(self) -> np.ndarray:
        """(M, 4): where each digit's cloud lies on the map on view, and its widths."""
        return self.array("marks")[self.shown] * [2 * REACH, 2 * REACH, WIDEST, WIDEST] - [REACH, REACH, 0, 0]


def _look(model: nn.Module, x: Tensor, epoch: int) -> Frame:
    import torch

    from aelib.gaussian import kl_per_latent

    training = model.training
    model.eval()
    with torch.no_grad():
        mu, log_var = model.encode(x)
        generator = torch.Generator().manual_seed(0)
        z = mu + (log_var / 2).exp() * torch.randn(mu.shape, generator=generator)
        drawn = model.decode(torch.randn(N_DRAWN, mu.shape[1], generator=generator))
        reconstruction = -float(model.log_likelihood(x, z).mean())
        copies = model.decode(z[:N_COPIES])
    model.train(training)
    kl = kl_per_latent(mu, log_var).double().mean(dim=0)
    marks = mu[:N_MARKS].numpy(), (log_var[:N_MARKS] / 2).exp().numpy()
    return Frame(epoch, reconstruction, kl.numpy(), copies.numpy(), drawn.numpy(), *marks)


def _notebook():
    """The running IPython shell, or None outside a notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell if getattr(shell, "kernel", None) is not None else None


def _on_the_map(frame: Frame, axes: list[int]) -> np.ndarray:
    """(M, 4): place and widths of each cloud along the two axes, as parts of the map's reach."""
    low, span = np.array([-REACH, -REACH, 0, 0]), np.array([2 * REACH, 2 * REACH, WIDEST, WIDEST])
    return (np.concatenate([frame.mu[:, axes], frame.sd[:, axes]], axis=1) - low) / span
