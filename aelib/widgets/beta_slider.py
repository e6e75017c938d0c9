"""Lesson 08's central interactive: slide β over VAEs that were trained with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
import traitlets

from aelib.desiderata import Standard
from aelib.gaussian import kl_per_latent
from aelib.widgets.base import IN_USE, Array, Interactive, levels, numbers

if TYPE_CHECKING:
    from torch import Tensor, nn

    from aelib.data import Dataset

N_SHOWN, N_SETS = 10, 6


class BetaSlider(Interactive, script="beta_slider", title="One knob"):
    """Copies and drawings of VAEs with different β, their KL a latent, and their error against their rate.

    index: which of the betas; chosen_set: which ten codes of the prior are decoded. Both follow the controls.
    noise_var: σ_x², the same for all. in_use: nats; a latent with a larger KL counts as used.
    arrays, on held-out examples: kl (betas, K), mean of each latent in nats, largest first; numbers (betas, 2): squared
    error per pixel of copies from drawn codes, distance of drawings to the nearest training example over that of real
    held-out ones (lesson 02's `representative`). Pictures (rows, columns): originals (10, …), copies (betas, 10, …),
    drawings (betas, 6, 10, …).
    """

    index = traitlets.Int(0, min=0).tag(sync=True)
    chosen_set = traitlets.Int(0, min=0, max=N_SETS - 1).tag(sync=True)
    betas = traitlets.List(traitlets.Float()).tag(sync=True)
    noise_var = traitlets.Float(1.0).tag(sync=True)
    in_use = traitlets.Float(IN_USE).tag(sync=True)
    shapes = {
        "kl": ("betas", "latents"),
        "numbers": ("betas", 2),
        "originals": (N_SHOWN, "rows", "columns"),
        "copies": ("betas", N_SHOWN, "rows", "columns"),
        "drawings": ("betas", N_SETS, N_SHOWN, "rows", "columns"),
    }

    @classmethod
    def from_models(
        cls, dataset: Dataset, models: Sequence[nn.Module], betas: Sequence[float], **state: object
    ) -> BetaSlider:
        """From trained VAEs with one fixed noise_var and the beta of each; it starts at the beta nearest to 1."""
        _check(models, betas)
        order = np.argsort(betas)
        models, betas = [models[i] for i in order], [float(betas[i]) for i in order]

        def picture(x: Tensor, *shape: int) -> Array:
            return levels(x.reshape(*shape, N_SHOWN, *dataset.image_shape), bits=4)

        copies, drawings = zip(*(_pictures(model, dataset.held_out) for model in models), strict=True)
        standard = Standard(dataset.train, dataset.held_out)
        measured = (_measured(model, dataset.held_out, standard) for model in models)
        error, distance, kl = zip(*measured, strict=True)
        arrays = {
            "kl": numbers(kl),
            "numbers": numbers(np.stack([error, distance], axis=1)),
            "originals": picture(dataset.held_out[:N_SHOWN]),
            "copies": picture(torch.stack(copies), len(models)),
            "drawings": picture(torch.stack(drawings), len(models), N_SETS),
        }
        state = {"index": int(np.abs(np.log(betas)).argmin())} | state
        return cls(betas=betas, noise_var=float(models[0].noise_var), arrays=arrays, **state)

    def now(self) -> dict[str, float]:
        """The figures on view: beta, rate in bits, error, distance, in_use, and the σ_x that βσ_x² amounts to."""
        kl, (error, distance) = self.array("kl")[self.index], self.array("numbers")[self.index]
        beta = self.betas[self.index]
        return {
            "beta": beta, "rate": kl.sum() / np.log(2), "error": error, "distance": distance,
            "in_use": int((kl > self.in_use).sum()), "sigma": float(np.sqrt(beta * self.noise_var)),
        }  # fmt: skip


def _check(models: Sequence[nn.Module], betas: Sequence[float]) -> None:
    if len(models) != len(betas) or len(betas) < 2:
        raise ValueError(
            f"one beta for each of two or more models is needed; got {len(models)} models, {len(betas)} betas."
        )
    if not min(betas) > 0:
        raise ValueError(
            f"every beta should be positive, so that a logarithmic slider has a place for it; got {min(betas):g}."
        )
    if len({(model.latent_dim, float(model.noise_var)) for model in models}) > 1:
        raise ValueError(
            "the models should differ in beta only: one latent_dim and one noise_var for all of them."
        )


@torch.no_grad()
def _measured(model: nn.Module, x: Tensor, standard: Standard) -> tuple[float, float, list[float]]:
    """Error per pixel of copies, distance of drawings, and the KL of each latent, largest first."""
    generator = torch.Generator().manual_seed(0)
    mu, log_var = model.encode(x)
    error = (x - model.decode(model.sample(mu, log_var, generator))).square().double().mean()
    drawn = model.decode(model.sample_codes(len(x), generator))
    kl = kl_per_latent(mu, log_var).double().mean(dim=0).sort(descending=True).values
    return float(error), standard.judge(drawn).distance_ratio, kl.tolist()


@torch.no_grad()
def _pictures(model: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """(10, D) copies of the first ten, each from a drawn code, and (60, D) decoded codes of the prior."""
    generator = torch.Generator().manual_seed(1)
    copies = model.decode(model.sample(*model.encode(x[:N_SHOWN]), generator))
    return copies, model.decode(model.sample_codes(N_SHOWN * N_SETS, generator))
