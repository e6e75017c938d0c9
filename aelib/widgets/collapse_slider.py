"""Lesson 10's central interactive: slide the noise, β and K of the best linear VAE, and latents switch off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, numbers

if TYPE_CHECKING:
    from aelib.data import Dataset
    from aelib.gaussian import BestLinearVAE

LOG2_NOISE = (-6.5, 1.0)
LOG2_BETA = (-1.0, 4.0)
MOST_LATENTS = 16


class CollapseSlider(Interactive, script="collapse_slider", title="Slide the noise, and latents switch off"):
    """The best linear VAE for data with these eigenvalues: which latents it uses, their KL, its ELBO, its copies.

    arrays: values (D,), eigenvalues of the data's covariance, divided by n, in falling order; at least 16 positive
    ones and something left over; axes (16, D), the first eigenvectors as rows; mean (D,); images (n_shown, D).

    `noise_var` within 2 to the powers LOG2_NOISE, `beta` within LOG2_BETA, `latent_dim` from 1 to 16 and
    `learned` are the state. If `learned`, noise_var plays no part: the noise is the best one.
    """

    noise_var = traitlets.Float(0.25, min=2 ** LOG2_NOISE[0], max=2 ** LOG2_NOISE[1]).tag(sync=True)
    beta = traitlets.Float(1.0, min=2 ** LOG2_BETA[0], max=2 ** LOG2_BETA[1]).tag(sync=True)
    latent_dim = traitlets.Int(8, min=1, max=MOST_LATENTS).tag(sync=True)
    learned = traitlets.Bool(False).tag(sync=True)
    image_shape = traitlets.List(traitlets.Int(), [8, 8]).tag(sync=True)
    shapes = {"values": ("D",), "axes": (MOST_LATENTS, "D"), "mean": ("D",), "images": ("shown", "D")}

    def __init__(
        self,
        values: np.ndarray,
        axes: np.ndarray,
        mean: np.ndarray,
        images: np.ndarray,
        image_shape: tuple[int, int] = (8, 8),
        **state: object,
    ) -> None:
        _check(np.asarray(values), np.asarray(axes), np.asarray(mean), np.asarray(images))
        arrays = {"values": np.maximum(values, 0), "axes": axes, "mean": mean, "images": images}
        arrays = {name: numbers(array) for name, array in arrays.items()}
        super().__init__(arrays=arrays, image_shape=list(image_shape), **state)

    @classmethod
    def from_data(cls, dataset: Dataset, n_shown: int = 8, **state: object) -> CollapseSlider:
        """All examples of a data set; the first held-out example of each of n_shown labels is shown."""
        x = dataset.all.numpy().astype(float)
        mean = x.mean(axis=0)
        values, vectors = np.linalg.eigh((x - mean).T @ (x - mean) / len(x))
        labels = dataset.held_out_labels.numpy()
        first = [int(np.flatnonzero(labels == label)[0]) for label in np.unique(labels)[:n_shown]]
        shown = dataset.held_out.numpy()[first].astype(float)
        return cls(
            values[::-1], vectors[:, ::-1][:, :MOST_LATENTS].T, mean, shown, dataset.image_shape, **state
        )

    def optimum(self) -> BestLinearVAE:
        """The best linear VAE at the present settings, as `aelib.gaussian.linear_vae` finds it; axes in eigenvector coordinates."""
        import torch

        from aelib.gaussian import linear_vae

        cov = torch.diag(torch.tensor(self.array("values")))
        return linear_vae(cov, self.latent_dim, None if self.learned else self.noise_var, self.beta)

    def figures(self) -> dict[str, float]:
        """What is shown, by name: noiseVar, level (βσ_x²), used, elbo, objective (with weight β), copyError per number."""
        best = self.optimum()
        return {
            "noiseVar": best.noise_var.item(),
            "level": self.beta * best.noise_var.item(),
            "used": int((best.kl > 0).sum()),
            "elbo": best.elbo.item(),
            "objective": (best.elbo + (1 - self.beta) * best.kl.sum()).item(),
            "copyError": float(np.square(self.copies() - self.array("images")).mean()),
        }

    def kl(self) -> np.ndarray:
        """(latent_dim,): the mean KL of each latent, in nats."""
        return self.optimum().kl.numpy()

    def copies(self) -> np.ndarray:
        """(n_shown, D): the decoded means of the clouds of the images."""
        mean, kept = self.array("mean"), self.array("values")[: self.latent_dim]
        level = self.beta * self.optimum().noise_var.item()
        share = np.maximum(1 - level / np.maximum(kept, level), 0)
        used = self.array("axes")[: self.latent_dim]
        return mean + ((self.array("images") - mean) @ used.T * share) @ used


def _check(values: np.ndarray, axes: np.ndarray, mean: np.ndarray, images: np.ndarray) -> None:
    expected = {
        "axes": (axes, (MOST_LATENTS, len(values))),
        "mean": (mean, (len(values),)),
        "images": (images, (len(images), len(values))),
    }
    for name, (array, shape) in expected.items():
        if array.shape != shape:
            raise ValueError(
                f"{name} should have shape {shape} for {len(values)} eigenvalues, but has {array.shape}."
            )
    if (np.diff(values) > 0).any() or not values[MOST_LATENTS:].sum() > 1e-9:
        raise ValueError(
            f"values should fall, with more than {MOST_LATENTS} above zero: torch.linalg.eigh gives them rising, so flip them."
        )
