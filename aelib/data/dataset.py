"""One type for every data set of the course."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Dataset:
    """Examples as rows of numbers, split once into a part to learn from and a part held out.

    raw: (n_examples, D), as stored: uint8, or float32 for sound.
    scale: ``raw / scale`` lies in [0, 1] (in [-1, 1] for sound).
    image_shape: how a row is laid out again, for example (8, 8); D is its product.
    train_index, held_out_index: row numbers, without overlap, together every row.
    labels: (n_examples,) integers, or None.
    factors: (n_examples, F) the numbers that generated each example, or None; factor_names names its columns.
    """

    name: str
    raw: Tensor
    scale: float
    image_shape: tuple[int, ...]
    train_index: Tensor
    held_out_index: Tensor
    labels: Tensor | None = None
    factors: Tensor | None = None
    factor_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.raw.ndim != 2 or 0 in self.raw.shape:
            raise ValueError(
                f"{self.name}: expected raw data of shape (n_examples, D) with at least one of each, got "
                f"{tuple(self.raw.shape)}. Flatten each example to a row first: raw.reshape(len(raw), -1)."
            )
        if torch.Size(self.image_shape).numel() != self.raw.shape[1]:
            raise ValueError(
                f"{self.name}: image_shape {self.image_shape} holds {torch.Size(self.image_shape).numel()} numbers, "
                f"but a row has {self.raw.shape[1]}."
            )

    def __len__(self) -> int:
        return len(self.raw)

    @property
    def n_inputs(self) -> int:
        """D: how many numbers one example has."""
        return self.raw.shape[1]

    def rows(self, index: Tensor | slice) -> Tensor:
        """(len(index), D) float32: the chosen rows, scaled."""
        if isinstance(index, slice):  # a view of the raw numbers, which must not be scaled themselves
            return self.raw[index].to(torch.float32, copy=True).div_(self.scale)
        chosen = self.raw.index_select(0, index) if index.ndim == 1 else self.raw[index]
        return chosen.to(torch.float32).div_(self.scale)

    @property
    def all(self) -> Tensor:
        """(n_examples, D) float32: every example, in stored order."""
        return self.rows(slice(None))

    @property
    def train(self) -> Tensor:
        """(n_train, D) float32: what a model may learn from."""
        return self.rows(self.train_index)

    @property
    def held_out(self) -> Tensor:
        """(n_held_out, D) float32: what it is judged on."""
        return self.rows(self.held_out_index)

    @property
    def train_labels(self) -> Tensor | None:
        return None if self.labels is None else self.labels[self.train_index]

    @property
    def held_out_labels(self) -> Tensor | None:
        return None if self.labels is None else self.labels[self.held_out_index]


def split(n_examples: int, held_out_fraction: float = 0.2, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Two sorted sets of row numbers, (train, held out), drawn at random without overlap."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(n_examples, generator=generator)
    n_held_out = round(held_out_fraction * n_examples)
    return order[n_held_out:].sort().values, order[:n_held_out].sort().values


def examples_to_show(dataset: Dataset, n_shown: int) -> list[int]:
    """Positions in the held-out split: the first example of each label in turn, then the next of each."""
    labels = dataset.held_out_labels
    if labels is None:
        return list(range(min(n_shown, len(dataset.held_out_index))))
    turns = [int((labels[:index] == label).sum()) for index, label in enumerate(labels)]
    return sorted(range(len(turns)), key=lambda index: (turns[index], int(labels[index])))[:n_shown]
