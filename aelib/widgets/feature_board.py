"""Lesson 14's central interactive: name a direction by the pictures that turn it on, then see what tests say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, counts, numbers, whole

if TYPE_CHECKING:
    from torch import Tensor

    from aelib.data import Dataset
    from aelib.sparse import SparseAutoencoder

N_SHOWN = 12
"""So many pictures are shown of each direction, the ones that turn it on most."""
KINDS = ("learned", "random", "spread")
"""Learned features, random directions, and random directions drawn with the covariance of the hidden numbers."""
N_OF_KIND = (10, 3, 3)
SEVERAL, NO_GUESS = 10, -1
"""Guesses that are no digit: "several digits", and none yet."""
TESTS = ("kind", "digit", "twelve", "name", "share", "rate", "information", "effect")
"""What is kept of each direction."""


class FeatureBoard(Interactive, script="feature_board", title="What turns it on?"):
    """Directions in a network's hidden layer, each by its pictures: guess its digit, then see its name and its tests.

    level: which price λ of `lams`. place: which direction. guess: a digit, SEVERAL, or NO_GUESS; a guess tells the kind.
    pixels: the darkest grey. arrays: images, grey levels; top, which images turn each direction on most; kind, by its
    place in KINDS; digit, the commonest one in the pictures, and twelve, how many of them show it; name, the commonest one
    of all training digits that turn it on; share, how many of these have it; rate, how many held-out digits turn it on; information in bits of on or off about the label, and effect, the mean
    change of log p(name) without the direction, both held out; facts: of each autoencoder its error as a share of the
    variance and the mean number of features that are on, held out.
    """

    level = traitlets.Int(0, min=0).tag(sync=True)
    place = traitlets.Int(0, min=0).tag(sync=True)
    guess = traitlets.Int(NO_GUESS, min=NO_GUESS, max=SEVERAL).tag(sync=True)
    lams = traitlets.List(traitlets.Float()).tag(sync=True)
    scale = traitlets.Float(16.0).tag(sync=True)
    shapes = {
        "images": ("images", "D"),
        "top": ("lams", "places", N_SHOWN),
        **dict.fromkeys(TESTS, ("lams", "places")),
        "facts": ("lams", 2),
    }

    @classmethod
    def from_models(
        cls,
        dataset: Dataset,
        activations: tuple[Tensor, Tensor],
        read: Callable[[Tensor], Tensor],
        models: Mapping[float, SparseAutoencoder],
        **state: object,
    ) -> FeatureBoard:
        """8 x 8 digits; the hidden activations of the training and the held-out ones; from these to log-probabilities of
        the labels; and a sparse autoencoder of the activations for each price λ, in rising order.
        """
        _check(dataset)
        ways = [_ways(model, activations, lam, n) for n, (lam, model) in enumerate(models.items())]
        told = [_told(way, dataset, activations, read) for way in ways]
        used, top = np.unique(np.stack([way.top for way in ways]), return_inverse=True)
        arrays = {name: numbers(np.stack([one[name] for one in told])) for name in told[0]}
        arrays |= {
            "images": counts(dataset.raw[dataset.train_index][used], bits=5),
            "top": whole(top.reshape(len(ways), -1, N_SHOWN)),
            "kind": counts(np.stack([way.kind for way in ways])),
            "facts": numbers(np.stack([_facts(model, activations[1]) for model in models.values()])),
        }
        return cls(lams=[float(lam) for lam in models], scale=float(dataset.scale), arrays=arrays, **state)

    def figures(self) -> dict[str, float]:
        """What is shown, by name, of the present direction."""
        here = {name: float(self.array(name)[self.level, self.place]) for name in TESTS}
        return {
            "level": self.level,
            "place": self.place,
            "guess": self.guess,
            "right": self.is_right(),
            **here,
        }

    def is_right(self) -> int:
        """1 if the guess is the digit of more than half of the pictures, or SEVERAL where no digit has more than half."""
        digit, twelve = (self.array(one)[self.level, self.place] for one in ("digit", "twelve"))
        return int(self.guess == (digit if twelve > N_SHOWN / 2 else SEVERAL))


class _Ways(NamedTuple):
    """Directions (places, H) of each kind; on, for training and held-out rows, (n, places); top (places, N_SHOWN)."""

    directions: Tensor
    kind: np.ndarray
    on: tuple[Tensor, Tensor]
    top: np.ndarray


def _ways(model: SparseAutoencoder, activations: tuple[Tensor, Tensor], lam: float, n: int) -> _Ways:
    """Learned features that are in use and random directions that are on as often, in mixed order."""
    import torch

    from aelib.sparse import as_often_on, random_directions

    h, h_new = activations
    with torch.no_grad():
        codes = [model.encode(h), model.encode(h_new)]
    rates = (codes[0] > 0).float().mean(dim=0)
    in_use = ((rates > 0.01) & (codes[1] > 0).any(dim=0)).nonzero().flatten()
    if len(in_use) < N_OF_KIND[0]:
        raise ValueError(
            f"at λ = {lam:g} only {len(in_use)} features are in use, and the board shows {N_OF_KIND[0]}: take a smaller λ."
        )
    rng = np.random.default_rng(n)
    chosen = in_use[torch.tensor(rng.permutation(len(in_use))[: N_OF_KIND[0]])]
    others = torch.cat([random_directions(N_OF_KIND[k], h, spread=k == 2, seed=2 * n + k) for k in (1, 2)])
    bars = as_often_on(h, others, rates[chosen][: len(others)])
    along = [
        torch.cat([z[:, chosen], x @ others.T - bars], dim=1) for z, x in zip(codes, activations, strict=True)
    ]
    order = torch.tensor(rng.permutation(sum(N_OF_KIND)))
    return _Ways(
        directions=torch.cat([model.dictionary.detach()[chosen], others])[order],
        kind=np.repeat(np.arange(3), N_OF_KIND)[order],
        on=tuple(one[:, order] > 0 for one in along),
        top=along[0][:, order].topk(N_SHOWN, dim=0).indices.T.numpy(),
    )


def _told(
    way: _Ways, dataset: Dataset, activations: tuple[Tensor, Tensor], read: Callable
) -> dict[str, np.ndarray]:
    """Of each direction what its pictures show, its name, and what is measured on held-out digits."""
    import torch

    from aelib.sparse import ablation, commonest_label, label_information

    h, h_new = activations
    name, share = commonest_label(way.on[0], dataset.train_labels)
    pictured = dataset.train_labels[torch.from_numpy(way.top)]
    digit = pictured.mode(dim=1).values
    measured = {
        "digit": digit,
        "twelve": (pictured == digit[:, None]).sum(dim=1),
        "name": name,
        "share": share,
        "rate": way.on[1].float().mean(dim=0),
        "information": label_information(way.on[1], dataset.held_out_labels),
        "effect": ablation(read, h_new, way.on[1], way.directions, name, h.mean(dim=0)),
    }
    return {key: value.numpy() for key, value in measured.items()}


def _facts(model: SparseAutoencoder, h: Tensor) -> tuple[float, float]:
    import torch

    with torch.no_grad():
        error = (h - model(h)).square().sum() / (h - h.mean(dim=0)).square().sum()
        return float(error), float((model.encode(h) > 0).sum(dim=1).double().mean())


def _check(dataset: Dataset) -> None:
    if tuple(dataset.image_shape) != (8, 8) or dataset.scale > 31 or dataset.labels is None:
        raise ValueError(
            f"the board shows labelled 8 x 8 pictures of at most 32 grey levels; {dataset.name} has "
            f"{tuple(dataset.image_shape)}, 0 to {dataset.scale:g}."
        )
