"""Lessons 01 and 08: a small autoencoder, plain or variational, that learns in the reader's own browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import traitlets

from aelib.widgets.base import Interactive, levels

if TYPE_CHECKING:
    from aelib.data import Dataset

N_TRAIN, N_HELD_OUT, N_SHOWN = 300, 100, 10
LATENT_DIMS = (1, 2, 4, 8, 16)
RATES = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
BETAS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
TITLES = {False: "Train an autoencoder in the page", True: "Train a VAE in the page"}


class TrainingBench(Interactive, script="training_bench"):
    """A small network before its first step: codes, reconstructions and losses of held-out digits, with random weights.

    It learns in the browser, by the loss of lesson 01, or with `variational` by that of lesson 08, with Adam, in batches
    of 50, and draws all its random numbers from `seed`. Weights are not saved.

    latent_dim: K, one of LATENT_DIMS. lr: the learning rate, one of RATES. beta: the weight of the KL, one of BETAS.
    noise_var: σ_x², fixed. most_epochs: after which it stops. labels: of the held-out digits.
    mean_error: squared error per pixel of the mean training picture, as the copy of every held-out one.
    arrays: train and held_out, pictures as rows; of the held-out ones the first 10 are shown.
    """

    latent_dim = traitlets.Enum(LATENT_DIMS, 2).tag(sync=True)
    lr = traitlets.Enum(RATES, 0.005).tag(sync=True)
    beta = traitlets.Enum(BETAS, 1.0).tag(sync=True)
    variational = traitlets.Bool(False).tag(sync=True)
    noise_var = traitlets.Float(0.05).tag(sync=True)
    seed = traitlets.Int(0, min=0).tag(sync=True)
    most_epochs = traitlets.Int(2000, min=1, max=2000).tag(sync=True)
    labels = traitlets.List(traitlets.Int()).tag(sync=True)
    mean_error = traitlets.Float().tag(sync=True)
    latent_dims = traitlets.List(traitlets.Int(), list(LATENT_DIMS)).tag(sync=True)
    rates = traitlets.List(traitlets.Float(), list(RATES)).tag(sync=True)
    betas = traitlets.List(traitlets.Float(), list(BETAS)).tag(sync=True)
    shapes = {"train": (N_TRAIN, "rows", "columns"), "held_out": (N_HELD_OUT, "rows", "columns")}

    @classmethod
    def from_data(cls, dataset: Dataset, variational: bool = False, **state: object) -> TrainingBench:
        """For labelled 8 x 8 pictures, in 16 grey levels: 300 training examples drawn at random, 100 held-out ones."""
        import torch

        from aelib.data import examples_to_show

        _check(dataset)
        order = torch.randperm(len(dataset.train_index), generator=torch.Generator().manual_seed(0))
        shown = examples_to_show(dataset, N_HELD_OUT)
        train, held_out = dataset.train[order[:N_TRAIN]], dataset.held_out[shown]
        arrays = {
            name: levels(x.reshape(-1, *dataset.image_shape), bits=4)
            for name, x in {"train": train, "held_out": held_out}.items()
        }
        known = {
            "labels": dataset.held_out_labels[shown].tolist(),
            "mean_error": (held_out - train.mean(dim=0)).square().mean().item(),
            "title": TITLES[variational],
        }
        return cls(arrays=arrays, variational=variational, **known | state)


def _check(dataset: Dataset) -> None:
    shape, name = tuple(dataset.image_shape), dataset.name
    if shape != (8, 8) or dataset.labels is None:
        labels = "no labels" if dataset.labels is None else "labels"
        raise ValueError(f"the bench trains on labelled 8 x 8 pictures; {name} has {shape} and {labels}.")
    if len(dataset.train_index) < N_TRAIN or len(dataset.held_out_index) < N_HELD_OUT:
        raise ValueError(
            f"the bench needs {N_TRAIN} training and {N_HELD_OUT} held-out examples; "
            f"{name} has {len(dataset.train_index)} and {len(dataset.held_out_index)}."
        )
