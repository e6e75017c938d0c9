"""Lesson 13's central interactive: a list of pictures, the entry that is sent for a digit, and the file that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, counts, levels, numbers

if TYPE_CHECKING:
    from aelib.data import Dataset

MOST_BITS = 8
NEAREST = -1
ALL_ENTRIES = 2 ** (MOST_BITS + 1) - 1


class CodebookBoard(Interactive, script="codebook_board", title="A digit as one entry of a list"):
    """Lists of 1 to 256 pictures by k-means; the nearest entry is sent for a digit, and each entry has its price in bits.

    arrays: entries (511, D) in [0, 1], the lists of 1, 2, 4, … 256 entries one after the other; uses (511,), how many
    training examples choose each entry; sent (511,), how many held-out ones do; errors (9,), each list's held-out squared
    error per number; images (n_shown, D) in [0, 1], held-out examples.

    `bits` from 0 to 8, `digit`, the row of the shown example, and `entry`, the index that is sent, or -1 for the nearest
    one, are the state.
    """

    bits = traitlets.Int(5, min=0, max=MOST_BITS).tag(sync=True)
    digit = traitlets.Int(0, min=0).tag(sync=True)
    entry = traitlets.Int(NEAREST, min=NEAREST, max=2**MOST_BITS - 1).tag(sync=True)
    image_shape = traitlets.List(traitlets.Int(), [8, 8]).tag(sync=True)
    shapes = {
        "entries": (ALL_ENTRIES, "D"),
        "uses": (ALL_ENTRIES,),
        "sent": (ALL_ENTRIES,),
        "errors": (MOST_BITS + 1,),
        "images": ("shown", "D"),
    }

    @classmethod
    def from_data(cls, dataset: Dataset, n_shown: int = 10, seed: int = 0, **state: object) -> CodebookBoard:
        """k-means lists of the training examples; shown is the first held-out example of each of n_shown labels."""
        from aelib.codebook import kmeans, nearest, use

        lists = [kmeans(dataset.train, 2**bits, seed) for bits in range(MOST_BITS + 1)]
        chosen = [nearest(dataset.held_out, entries) for entries in lists]
        off = [dataset.held_out - entries[k] for entries, k in zip(lists, chosen, strict=True)]
        labels = dataset.held_out_labels.numpy()
        first = [int(np.flatnonzero(labels == label)[0]) for label in np.unique(labels)[:n_shown]]
        uses = [use(nearest(dataset.train, entries), len(entries)) for entries in lists]
        sent = [use(k, len(entries)) for entries, k in zip(lists, chosen, strict=True)]
        join = lambda parts: np.concatenate([part.numpy() for part in parts])  # noqa: E731
        arrays = {
            "entries": levels(join(lists)),
            "uses": counts(join(uses), bits=16),
            "sent": counts(join(sent), bits=16),
            "errors": numbers([float(gap.square().mean()) for gap in off]),
            "images": levels(dataset.held_out.numpy()[first]),
        }
        return cls(arrays=arrays, image_shape=list(dataset.image_shape), **state)

    def of_list(self, name: str) -> np.ndarray:
        """The rows of an array that belong to the list of 2**bits entries."""
        start = 2**self.bits - 1
        return self.array(name)[start : start + 2**self.bits]

    def prices(self) -> np.ndarray:
        """(M,): what each entry costs in bits, −log2 of its share among training examples, one added to each count."""
        uses = self.of_list("uses") + 1
        return -np.log2(uses / uses.sum())

    def figures(self) -> dict[str, float]:
        """What is shown: entries, index, nearest, error per number, price in bits, the file's bits, and the list's error."""
        distance = np.square(self.of_list("entries") - self.array("images")[self.digit]).mean(axis=1)
        nearest = int(distance.argmin())
        index = nearest if self.entry == NEAREST else min(self.entry, len(distance) - 1)
        return {
            "entries": len(distance),
            "index": index,
            "nearest": nearest,
            "error": float(distance[index]),
            "price": float(self.prices()[index]),
            "fileBits": float(self.of_list("sent") @ self.prices()),
            "evenBits": float(self.of_list("sent").sum() * self.bits),
            "listError": float(self.array("errors")[self.bits]),
        }
