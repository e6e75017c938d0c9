"""Lesson 08's dashboard: a VAE while it trains, fed epoch by epoch from any loop, and afterwards a slider back through it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, as_float64, synced_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import nn

    from aelib.data import Dataset

N_COPIES, N_DRAWN, N_MARKS = 8, 8, 60
REACH, WIDEST = 3.4, 2.0
"""The map goes so far to each side; a cloud's width on it is at most so large."""
MOST_FRAMES = 64
"""When there would be more, every second one is dropped: a long run is shown in larger steps."""
SECONDS_BETWEEN = 0.2
"""The page is told no more often than this while a cell runs: Jupyter cuts off a kernel that says more than 1 MB/s."""
IN_USE = 0.1
"""Nats: a latent with a larger KL counts as open."""


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


class TrainingDashboard(Interactive, script="training_dashboard"):
    """Copies, drawings from the prior, the KL of each latent and a map of the codes, after every epoch.

    Hand `watch` to a training loop: it is called as ``watch(epoch, model)``, or as `training.fit` calls its callback.
    A run that is stopped keeps what it has shown.

    numbers: (n_frames, 2 + K) float64: epoch, reconstruction, the KL of each latent.
    pictures: (n_frames, 8 + 8, D), four bits a pixel: copies, then drawings. originals: (8, D), four bits a pixel.
    marks: (n_frames, 60, 4) bytes: place and widths of each cloud on the map. axes: the two latents of the map.
    shown: the frame on view, −1 for the newest.
    """

    shown = traitlets.Int(-1).tag(sync=True)
    latent_dim = traitlets.Int(2).tag(sync=True)
    image_shape = traitlets.List(traitlets.Int(), [8, 8]).tag(sync=True)
    numbers = synced_bytes()
    pictures = synced_bytes()
    originals = synced_bytes()
    marks = synced_bytes()
    axes = traitlets.List(traitlets.Int(), [0, 1]).tag(sync=True)
    labels = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(self, dataset: Dataset, latent_dim: int, **state: object) -> None:
        if latent_dim < 2:
            raise ValueError(f"the map needs two latents or more; got latent_dim={latent_dim!r}.")
        self.x = dataset.held_out
        self.frames: list[Frame] = []
        self.step, self.told, self._waiting, self._output = 1, 0.0, False, None
        labels = [] if dataset.held_out_labels is None else dataset.held_out_labels[:N_MARKS].tolist()
        super().__init__(
            latent_dim=latent_dim, image_shape=list(dataset.image_shape), labels=labels,
            originals=as_levels(self.x[:N_COPIES].numpy()), **state,
        )  # fmt: skip
        self.description = self._describe()

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
        if self._output:
            data, metadata = self._repr_mimebundle_()
            self._output.update(data, metadata=metadata, raw=True)

    def _ipython_display_(self) -> None:
        """Shown so that the still picture beside it can be renewed when a run is over."""
        from IPython.display import display

        data, metadata = self._repr_mimebundle_()
        self._output = display(data, metadata=metadata, raw=True, display_id=True)

    def tell(self) -> None:
        """Send all frames to the page."""
        self.told = time.monotonic()
        first, second = sorted(np.argsort(self.frames[-1].kl)[::-1][:2].tolist())
        places = [
            np.stack([f.mu[:, first], f.mu[:, second], f.sd[:, first], f.sd[:, second]], axis=1)
            for f in self.frames
        ]
        with self.hold_sync():
            self.axes = [first, second]
            self.numbers = as_float64([[f.epoch, f.reconstruction, *f.kl] for f in self.frames])
            self.pictures = as_levels(np.stack([np.concatenate([f.copies, f.drawn]) for f in self.frames]))
            self.marks = _places_as_bytes(np.stack(places))
            self.shown = -1
            self.description = self._describe()

    def table(self) -> np.ndarray:
        """(n_frames, 2 + K): epoch, reconstruction and the KL of each latent, in nats."""
        return np.frombuffer(self.numbers).reshape(-1, 2 + self.latent_dim)

    def now(self) -> dict[str, float]:
        """The figures on view: epoch, reconstruction, kl, neg_elbo, in_use (how many latents are open)."""
        epoch, reconstruction, *kl = self.table()[self.shown]
        return {
            "epoch": int(epoch), "reconstruction": reconstruction, "kl": sum(kl), "neg_elbo": reconstruction + sum(kl),
            "in_use": sum(one > IN_USE for one in kl),
        }  # fmt: skip

    def images(self) -> dict[str, np.ndarray]:
        """Originals, copies and drawings on view, each (8, D)."""
        size = self.image_shape[0] * self.image_shape[1]
        rows = {"input": from_levels(self.originals).reshape(-1, size)}
        if self.numbers:
            both = from_levels(self.pictures).reshape(-1, N_COPIES + N_DRAWN, size)[self.shown]
            rows |= {"copies": both[:N_COPIES], "drawings": both[N_COPIES:]}
        return rows

    def places(self) -> np.ndarray:
        """(M, 4): where each digit's cloud lies on the map on view, and its widths."""
        values = np.frombuffer(self.marks, np.uint8).reshape(len(self.table()), -1, 4)[self.shown] / 255
        return values * [2 * REACH, 2 * REACH, WIDEST, WIDEST] - [REACH, REACH, 0, 0]

    def _describe(self) -> str:
        if not self.numbers:
            return "A dashboard for a training run; nothing has been trained yet, and it shows eight held-out digits."
        now = self.now()
        return (
            f"A VAE after epoch {now['epoch']}: digits and their copies, drawings from the prior, a curve of the loss "
            f"({now['neg_elbo']:.1f} nats, of which the KL is {now['kl']:.1f}), bars of the KL of each latent "
            f"({now['in_use']} of {self.latent_dim} open) and a map of the codes."
        )

    def picture(self) -> Figure:
        from matplotlib.figure import Figure

        from aelib.plots import STYLE, course_style, image_strip

        with course_style():
            figure = Figure(figsize=(9, 3.4), layout="constrained", dpi=STYLE["figure.dpi"])
            rows = self.images()
            grid = figure.add_gridspec(3, 3, width_ratios=(1.6, 1, 1))
            for row, (name, images) in enumerate(rows.items()):
                image_strip(figure.add_subplot(grid[row, 0]), images, self.image_shape, name)
            if self.numbers:
                self._draw_curves(figure.add_subplot(grid[:, 1]))
                self._draw_bars(figure.add_subplot(grid[:, 2]))
        return figure

    def _draw_curves(self, ax: Axes) -> None:
        from aelib.plots import INPUT, LATENT, RECONSTRUCTION

        epochs, reconstruction = self.table()[:, :2].T
        loss = self.table()[:, 1:].sum(axis=1)
        ax.plot(epochs, loss, color=INPUT, label="−ELBO")
        ax.plot(epochs, reconstruction, "--", color=RECONSTRUCTION, label="reconstruction")
        ax.fill_between(epochs, reconstruction, loss, color=LATENT, alpha=0.25, label="KL")
        ax.set(xlabel="epoch", title="nats, held out", ylim=_nats_to_show(reconstruction, loss))
        ax.legend(fontsize=9)

    def _draw_bars(self, ax: Axes) -> None:
        from aelib.plots import LATENT

        kl = self.table()[self.shown, 2:]
        ax.barh(range(1, len(kl) + 1), kl, color=LATENT)
        ax.set(title="KL of each latent, nats", yticks=range(1, len(kl) + 1))
        ax.invert_yaxis()


def _nats_to_show(reconstruction: np.ndarray, loss: np.ndarray) -> tuple[float, float]:
    """The curves' range, without the fall of the very first epochs."""
    low, early = float(reconstruction.min()), float(loss[min(3, len(loss) - 1)])
    span = max(early - low, 1.0)
    return low - 0.06 * span, low + 1.2 * span


def _look(model: nn.Module, x, epoch: int) -> Frame:
    import torch

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
    kl = 0.5 * (mu.square() + log_var.exp() - 1 - log_var).double().mean(dim=0)
    marks = mu[:N_MARKS].numpy(), (log_var[:N_MARKS] / 2).exp().numpy()
    return Frame(epoch, reconstruction, kl.numpy(), copies.numpy(), drawn.numpy(), *marks)


def _notebook():
    """The running IPython shell, or None outside a notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell if getattr(shell, "kernel", None) is not None else None


def as_levels(values: np.ndarray) -> bytes:
    """Values in [0, 1] as sixteen grey levels, two in a byte, the first in the high half."""
    levels = np.rint(np.clip(values, 0, 1) * 15).astype(np.uint8).reshape(-1, 2)
    return (levels[:, 0] * 16 + levels[:, 1]).tobytes()


def from_levels(packed: bytes) -> np.ndarray:
    """What `as_levels` kept of them, in one row."""
    pairs = np.frombuffer(packed, np.uint8)
    return np.stack([pairs // 16, pairs % 16], axis=1).reshape(-1) / 15


def _places_as_bytes(places: np.ndarray) -> bytes:
    low, span = np.array([-REACH, -REACH, 0, 0]), np.array([2 * REACH, 2 * REACH, WIDEST, WIDEST])
    return np.rint(np.clip((places - low) / span, 0, 1) * 255).astype(np.uint8).tobytes()
