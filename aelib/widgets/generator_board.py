"""Lesson 15's central interactive: first stages from β = 1e-6 to 4, drawings by four distributions of their codes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import traitlets

from aelib.widgets.base import Array, Interactive, levels, numbers

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from aelib.data import Dataset
    from aelib.desiderata import Representative, Standard
    from aelib.generators import LatentDiffusion

WAYS = ("prior", "gaussian", "mixture", "diffusion")
GAUGES = ("closeness", "coverage", "confidence")
FIGURES = ("sigma", "scale", "rate", "error")
N_SHOWN, N_SETS, N_DIGITS = 10, 3, 10
N_ASKED = 50
"""Drawings of each digit that was asked for, behind the share that is recognised; N_SHOWN of them are shown."""


class Classifier(Protocol):
    """What scikit-learn's classifiers have: the probability of each of the ten digits, (n, D) → (n, 10)."""

    def predict_proba(self, x: np.ndarray) -> np.ndarray: ...


class GeneratorBoard(Interactive, script="generator_board", title="Inside an image generator"):
    """Copies and drawings of first stages with different β: drawings from the prior, and from learned distributions.

    index: which of the betas. chosen_set: which ten drawings. asked: the digit that latent diffusion should draw, or -1
    for one of each. n_gaussians: of the mixture.
    arrays: figures (betas, FIGURES): mean σ and scale factor; rate in bits and error per pixel of copies, held out.
    gauges (betas, WAYS, GAUGES), hits (betas, 10), the share of the drawings of each digit that the classifier reads as
    that digit. Pictures (rows, columns): originals (10, …), copies (betas, 10, …), drawings (betas, WAYS, 3, 10, …),
    digits (betas, 10, 10, …).
    """

    index = traitlets.Int(0, min=0).tag(sync=True)
    chosen_set = traitlets.Int(0, min=0, max=N_SETS - 1).tag(sync=True)
    asked = traitlets.Int(-1, min=-1, max=N_DIGITS - 1).tag(sync=True)
    betas = traitlets.List(traitlets.Float()).tag(sync=True)
    n_gaussians = traitlets.Int(20).tag(sync=True)
    shapes = {
        "figures": ("betas", len(FIGURES)),
        "gauges": ("betas", len(WAYS), len(GAUGES)),
        "hits": ("betas", N_DIGITS),
        "originals": (N_SHOWN, "rows", "columns"),
        "copies": ("betas", N_SHOWN, "rows", "columns"),
        "drawings": ("betas", len(WAYS), N_SETS, N_SHOWN, "rows", "columns"),
        "digits": ("betas", N_DIGITS, N_SHOWN, "rows", "columns"),
    }

    @classmethod
    def from_models(
        cls,
        dataset: Dataset,
        models: Sequence[LatentDiffusion],
        betas: Sequence[float],
        classifier: Classifier,
        n_gaussians: int = 20,
        **state: object,
    ) -> GeneratorBoard:
        """From trained models that were told the ten digits as labels, and the β of each one's first stage."""
        from aelib.desiderata import Standard

        _check(dataset, models, betas)
        order = np.argsort(betas)
        standard = Standard(dataset.train, dataset.held_out)
        found = [_measured(models[i], dataset, classifier, standard, n_gaussians) for i in order]
        figures, gauges, hits, *pictures = (np.stack(parts) for parts in zip(*found, strict=True))

        def picture(x: np.ndarray) -> Array:
            return levels(x.reshape(*x.shape[:-1], *dataset.image_shape), bits=4)

        arrays = {"figures": numbers(figures), "gauges": numbers(gauges), "hits": numbers(hits)}
        arrays["originals"] = picture(dataset.held_out[:N_SHOWN].numpy())
        names = ("copies", "drawings", "digits")
        arrays |= {name: picture(x) for name, x in zip(names, pictures, strict=True)}
        return cls(betas=[float(betas[i]) for i in order], n_gaussians=n_gaussians, arrays=arrays, **state)

    def now(self) -> dict[str, float]:
        """The figures on view: beta, FIGURES, each gauge of each way, the share of asked digits that is read
        right, and the ink of the last row."""
        figures, gauges, hits = (self.array(name)[self.index] for name in ("figures", "gauges", "hits"))
        names = [f"{way}_{gauge}" for way in WAYS for gauge in GAUGES]
        return {
            "beta": self.betas[self.index],
            **dict(zip(FIGURES, figures.tolist(), strict=True)),
            **dict(zip(names, gauges.ravel().tolist(), strict=True)),
            "hits": float(hits.mean() if self.asked < 0 else hits[self.asked]),
            "ink": float(self.last_row().sum()),
        }

    def last_row(self) -> np.ndarray:
        """The ten pictures of latent diffusion on view."""
        if self.asked >= 0:
            return self.array("digits")[self.index, self.asked]
        return self.array("drawings")[self.index, WAYS.index("diffusion"), self.chosen_set]


def _check(dataset: Dataset, models: Sequence[LatentDiffusion], betas: Sequence[float]) -> None:
    if dataset.labels is None or len(set(dataset.labels.tolist())) != N_DIGITS:
        raise ValueError(
            f"the board asks for digits, so it needs labels of ten classes; {dataset.name} has none such."
        )
    if len(models) != len(betas) or len(betas) < 2:
        raise ValueError(
            f"one beta for each of two or more models is needed; got {len(models)} models, {len(betas)} betas."
        )
    if not min(betas) > 0:
        raise ValueError(
            f"every beta should be positive, got {min(betas):g}: with β = 0 the loss has no best σ, and a logarithmic slider has no place for it."
        )
    if {model.n_labels for model in models} != {N_DIGITS}:
        raise ValueError(
            f"every model should have been told {N_DIGITS} labels, so that it can be asked for a digit."
        )


def _measured(
    model: LatentDiffusion, dataset: Dataset, classifier: Classifier, standard: Standard, n_gaussians: int
) -> tuple[np.ndarray, ...]:
    """Of one β: figures, gauges, hits, copies, drawings, digits."""
    import torch

    generator = torch.Generator().manual_seed(0)
    model.eval()
    with torch.no_grad():
        codes, *figures = _first_stage(model, dataset, n_gaussians, generator)
        copies = model.first_stage.decode(codes["copies"])
        ways = {way: model.first_stage.decode(codes[way]) for way in WAYS[:3]}
    asked = torch.arange(len(dataset.held_out)) % N_DIGITS
    ways["diffusion"] = model.draw(len(asked), generator, _labels(asked))
    asked = torch.arange(N_DIGITS).repeat_interleave(N_ASKED)
    digits = model.draw(len(asked), generator, _labels(asked))
    chances = classifier.predict_proba(
        torch.cat([digits, *ways.values()]).numpy()
    )  # all at once: that is faster
    hits, *sure = np.split(chances, np.cumsum([len(digits), *map(len, ways.values())])[:-1])
    return (
        np.array(figures),
        np.array([_gauges(standard.judge(x), each) for x, each in zip(ways.values(), sure, strict=True)]),
        (hits.argmax(axis=1) == asked.numpy()).reshape(N_DIGITS, N_ASKED).mean(axis=1),
        copies.numpy(),
        np.stack([x[: N_SETS * N_SHOWN].reshape(N_SETS, N_SHOWN, -1).numpy() for x in ways.values()]),
        digits.reshape(N_DIGITS, N_ASKED, -1)[:, :N_SHOWN].numpy(),
    )


def _first_stage(
    model: LatentDiffusion, dataset: Dataset, n_gaussians: int, generator: Generator
) -> tuple[dict[str, Tensor], float, float, float, float]:
    """Codes by name, and FIGURES."""
    import torch

    from aelib.gaussian import kl_to_standard_normal
    from aelib.generators import fit_mixture

    first, x = model.first_stage, dataset.held_out
    mu, log_var = first.encode(x)
    z, new = first.sample(*first.encode(dataset.train), generator), first.sample(mu, log_var, generator)
    mixture = fit_mixture(z, n_gaussians)
    error = (x - first.decode(new)).square().double().mean()
    noise = torch.randn(len(x), z.shape[1], generator=generator)
    root = torch.linalg.cholesky(torch.cov(z.T, correction=0))
    mixed = torch.from_numpy(mixture.sample(len(x))[0]).to(z.dtype)
    mixed = mixed[torch.randperm(len(x), generator=generator)]
    codes = {
        "copies": new[:N_SHOWN],
        "prior": noise,
        "gaussian": z.mean(dim=0) + noise @ root.T,
        "mixture": mixed,
    }
    rate = kl_to_standard_normal(mu, log_var).double().mean() / math.log(2)
    figures = ((0.5 * log_var).exp().double().mean(), model.scale, rate, error)
    return codes, *(float(figure) for figure in figures)


def _gauges(found: Representative, chances: np.ndarray) -> list[float]:
    """GAUGES of drawings, which the classifier reads with these probabilities (n, 10)."""
    return [found.closeness, found.relative_coverage, float(chances.max(axis=1).mean())]


def _labels(digits: Tensor) -> Tensor:
    import torch

    return torch.nn.functional.one_hot(digits, N_DIGITS).float()
