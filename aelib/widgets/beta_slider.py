"""Lesson 08's central interactive: slide β over VAEs that were trained with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, as_float64, synced_bytes
from aelib.widgets.training_dashboard import as_levels, from_levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor, nn

    from aelib.data import Dataset

N_SHOWN, N_SETS = 10, 6
IN_USE = 0.1
"""Nats: a latent with a larger KL counts as used."""
LOG_2 = float(np.log(2))


class BetaSlider(Interactive, script="beta_slider"):
    """Copies and drawings of VAEs with different β, their KL a latent, and their error against their rate.

    index: which of the betas; chosen_set: which ten codes of the prior are decoded. Both follow the controls.
    numbers: (n, 3 + K) float64, on held-out examples: rate (mean KL, nats), squared error per pixel of copies from
    drawn codes, distance of drawings to the nearest training example over that of real held-out ones (lesson 02's
    `representative`), and the KL of each latent in nats, largest first.
    pictures: (n, 10 + 60, D) and originals: (10, D), four bits a pixel. noise_var: σ_x², the same for all.
    """

    index = traitlets.Int(0, min=0).tag(sync=True)
    chosen_set = traitlets.Int(0, min=0, max=N_SETS - 1).tag(sync=True)
    betas = traitlets.List(traitlets.Float()).tag(sync=True)
    latent_dim = traitlets.Int(1).tag(sync=True)
    noise_var = traitlets.Float(1.0).tag(sync=True)
    image_shape = traitlets.List(traitlets.Int(), [8, 8]).tag(sync=True)
    numbers = synced_bytes()
    pictures = synced_bytes()
    originals = synced_bytes()

    @classmethod
    def from_models(
        cls, dataset: Dataset, models: Sequence[nn.Module], betas: Sequence[float], **state: object
    ) -> BetaSlider:
        """From trained VAEs with one fixed noise_var and the beta of each; it starts at the beta nearest to 1."""
        _check(models, betas)
        order = np.argsort(betas)
        models, betas = [models[i] for i in order], [float(betas[i]) for i in order]
        state = {"index": int(np.abs(np.log(betas)).argmin())} | state
        board = cls(
            betas=betas, latent_dim=models[0].latent_dim, noise_var=float(models[0].noise_var), image_shape=list(dataset.image_shape),
            numbers=as_float64([_measured(model, dataset) for model in models]),
            pictures=as_levels(np.stack([_pictures(model, dataset.held_out) for model in models])),
            originals=as_levels(dataset.held_out[:N_SHOWN].numpy()), **state,
        )  # fmt: skip
        board.description = board._describe()
        return board

    def table(self) -> np.ndarray:
        """(n, 3 + K): rate in nats, error per pixel, distance of drawings, KLs of the latents, largest first."""
        return np.frombuffer(self.numbers).reshape(len(self.betas), 3 + self.latent_dim)

    def now(self) -> dict[str, float]:
        """The figures on view: beta, rate in bits, error, distance, in_use, and the σ_x that βσ_x² amounts to."""
        rate, error, distance, *kl = self.table()[self.index]
        beta = self.betas[self.index]
        return {
            "beta": beta, "rate": rate / LOG_2, "error": error, "distance": distance,
            "in_use": sum(one > IN_USE for one in kl), "sigma": float(np.sqrt(beta * self.noise_var)),
        }  # fmt: skip

    def images(self) -> dict[str, np.ndarray]:
        """Originals, copies and drawings on view, each (10, D)."""
        size = self.image_shape[0] * self.image_shape[1]
        both = from_levels(self.pictures).reshape(len(self.betas), -1, size)[self.index]
        start = N_SHOWN * (1 + self.chosen_set)
        return {
            "input": from_levels(self.originals).reshape(-1, size),
            "copies": both[:N_SHOWN],
            "drawings": both[start : start + N_SHOWN],
        }

    def _describe(self) -> str:
        now = self.now()
        return (
            f"Ten held-out digits, their copies and ten drawings from the prior by a VAE with beta = {now['beta']:g}; its rate is "
            f"{now['rate']:.1f} bits, its error per pixel {now['error']:.4f}, {now['in_use']} of {self.latent_dim} latents are in use; "
            "bars of the KL of each latent, and the curve of error against rate over all betas."
        )

    def picture(self) -> Figure:
        from matplotlib.figure import Figure

        from aelib.plots import STYLE, course_style, image_strip

        with course_style():
            figure = Figure(figsize=(9, 2.9), layout="constrained", dpi=STYLE["figure.dpi"])
            grid = figure.add_gridspec(3, 3, width_ratios=(1.9, 1, 1))
            for row, (name, images) in enumerate(self.images().items()):
                image_strip(figure.add_subplot(grid[row, 0]), images, self.image_shape, name)
            self._draw_bars(figure.add_subplot(grid[:, 1]))
            self._draw_curve(figure.add_subplot(grid[:, 2]))
        return figure

    def _draw_bars(self, ax: Axes) -> None:
        from aelib.plots import GREY, LATENT

        latents = range(1, self.latent_dim + 1)
        ax.bar(latents, self.table()[self.index, 3:] / LOG_2, color=LATENT)
        ax.axhline(IN_USE / LOG_2, color=GREY, linewidth=1, linestyle=":")
        ax.set(title=f"β = {self.betas[self.index]:g}: bits per latent", xticks=latents)
        ax.set_ylim(0, self.table()[:, 3].max() / LOG_2)

    def _draw_curve(self, ax: Axes) -> None:
        from aelib.plots import RECONSTRUCTION

        rate, error = self.table()[:, 0] / LOG_2, self.table()[:, 1]
        ax.plot(rate, error, "o-", color=RECONSTRUCTION, markersize=4)
        ax.plot(rate[self.index], error[self.index], "o", color=RECONSTRUCTION, markersize=11)
        ax.set(title="error per pixel", xlabel="rate, bits per image", ylim=(0, None))


def _check(models: Sequence[nn.Module], betas: Sequence[float]) -> None:
    if len(models) != len(betas) or len(betas) < 2:
        raise ValueError(
            f"one beta for each of two or more models is needed; got {len(models)} models, {len(betas)} betas."
        )
    if not min(betas) > 0:
        raise ValueError(
            f"every beta should be positive, so that a logarithmic slider has a place for it; got {min(betas):g}."
        )
    if (
        len({model.latent_dim for model in models}) > 1
        or len({float(model.noise_var) for model in models}) > 1
    ):
        raise ValueError(
            "the models should differ in beta only: one latent_dim and one noise_var for all of them."
        )


def _measured(model: nn.Module, dataset: Dataset) -> list[float]:
    import torch

    from aelib.desiderata import representative

    generator, x = torch.Generator().manual_seed(0), dataset.held_out
    with torch.no_grad():
        mu, log_var = model.encode(x)
        error = (x - model.decode(model.sample(mu, log_var, generator))).square().double().mean()
        kl = 0.5 * (mu.square() + log_var.exp() - 1 - log_var).double().mean(dim=0)
        drawn = model.decode(model.sample_codes(len(x), generator))
        distance = representative(drawn, dataset.train, x).distance_ratio
    return [float(kl.sum()), float(error), float(distance), *kl.sort(descending=True).values.tolist()]


def _pictures(model: nn.Module, x: Tensor) -> np.ndarray:
    """(10 + 60, D): copies of the first ten, each from a drawn code, then decoded codes of the prior."""
    import torch

    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        copies = model.decode(model.sample(*model.encode(x[:N_SHOWN]), generator))
        drawn = model.decode(model.sample_codes(N_SHOWN * N_SETS, generator))
    return torch.cat([copies, drawn]).numpy()
