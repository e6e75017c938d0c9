"""Anything digital can be autoencoded: pictures, notes, words and clips, each shown in its own medium."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
import traitlets

from aelib.data.media import NOTE_NAMES, letters_right, read_words
from aelib.widgets.base import Array, Interactive, counts, levels, whole

if TYPE_CHECKING:
    from aelib.data import Dataset
    from aelib.models import Autoencoder

MEDIA = {"images": "Images", "music": "Music", "text": "Text", "video": "Video"}
SHOWN = {"images": 10, "music": 3, "text": 12, "video": 4}
LOUDEST = 32767


class MediaGallery(Interactive, script="media_gallery", title="Anything digital can be autoencoded"):
    """Examples of several media beside what comes back from a code of K numbers: drawn, played, set in type.

    Every argument has an entry for each medium that is shown, of "images", "music", "text", "video":

    originals: rows of numbers (n, D), in [0, 1]; sound in [-1, 1]; text as one-hot characters.
    reconstructions: for each K, rows of the same shape. Every medium has the same K.
    scores: for each K, held-out R²; for text the share of letters right.
    image_shapes: how a row is laid out: (8, 8), (2000,), (8, 27), (8, 12, 12).
    names: what each example is called. held_out: how many examples the scores are taken over.

    `medium` and `latent_dim` are the state. Data are sent once, an array for each medium, the originals before the copies
    for each K: 16-bit sound, 8-bit pixels, five bits a letter.
    """

    medium = traitlets.Unicode().tag(sync=True)
    latent_dim = traitlets.Int(8).tag(sync=True)
    ks = traitlets.List(traitlets.Int()).tag(sync=True)
    media = traitlets.List().tag(sync=True)

    def __init__(
        self,
        originals: Mapping[str, np.ndarray],
        reconstructions: Mapping[str, Mapping[int, np.ndarray]],
        scores: Mapping[str, Mapping[int, float]],
        image_shapes: Mapping[str, Sequence[int]],
        names: Mapping[str, Sequence[str]],
        held_out: Mapping[str, int],
        **state: str | int,
    ) -> None:
        ks = _common_ks(originals, reconstructions)
        arrays = {
            key: _sent(key, [originals[key], *(reconstructions[key][k] for k in ks)], image_shapes[key])
            for key in originals
        }
        media = [
            {
                "key": key,
                "label": MEDIA[key],
                "shape": list(image_shapes[key]),
                "names": list(names[key]),
                "n_inputs": int(np.shape(originals[key])[1]),
                "n_held_out": int(held_out[key]),
                "scores": [float(scores[key][k]) for k in ks],
            }
            for key in originals
        ]
        state = {"medium": next(iter(originals)), "latent_dim": ks[len(ks) // 2], **state}
        super().__init__(ks=ks, media=media, arrays=arrays, **state)

    @classmethod
    def from_models(
        cls, models: Mapping[str, tuple[Dataset, Mapping[int, Autoencoder]]], **state: str | int
    ) -> MediaGallery:
        """From trained autoencoders: for each medium its data set and, for each K, a model.

        Scores are taken over all held-out examples. A few of these are shown, spread over the labels if any.
        """
        data = {key: dataset for key, (dataset, _) in models.items()}
        chosen = {key: _spread(data[key], SHOWN[key]) for key in data}
        seen = {key: _seen(key, *models[key], chosen[key]) for key in data}
        return cls(
            {key: data[key].held_out[chosen[key]].numpy() for key in data},
            {key: {k: x_hat for k, (x_hat, _) in of_k.items()} for key, of_k in seen.items()},
            {key: {k: score for k, (_, score) in of_k.items()} for key, of_k in seen.items()},
            {key: data[key].image_shape for key in data},
            {key: _names(key, data[key], chosen[key]) for key in data},
            {key: len(data[key].held_out_index) for key in data},
            **state,
        )

    def shown(self, key: str) -> np.ndarray:
        """What is sent of a medium, (1 + len(ks), n, ...): the originals, then the copies for each K.

        Pixels and sound as numbers, sound in [-1, 1]; of text the symbols' indices, (1 + len(ks), n, 8).
        """
        return self.array(key) / (LOUDEST if key == "music" else 1)


def _common_ks(originals: Mapping, reconstructions: Mapping) -> list[int]:
    unknown = [key for key in originals if key not in MEDIA]
    if unknown or not originals:
        raise ValueError(f"the media are {', '.join(MEDIA)}; got {', '.join(unknown) or 'none'}.")
    ks = {key: sorted(reconstructions.get(key, ())) for key in originals}
    first = next(iter(ks.values()))
    if not first or any(other != first for other in ks.values()):
        raise ValueError(f"every medium needs reconstructions for the same K, at least one; got {ks}.")
    return first


def _sent(key: str, parts: Sequence[np.ndarray], shape: Sequence[int]) -> Array:
    """(1 + len(ks), n, ...): pixels as levels, sound as whole numbers, text as the symbols' indices."""
    rows = np.stack([np.asarray(part) for part in parts])
    rows = rows.reshape(*rows.shape[:2], *shape)
    if key == "text":
        return counts(rows.argmax(axis=-1), bits=5)
    return whole(np.rint(np.clip(rows, -1, 1) * LOUDEST), bits=16) if key == "music" else levels(rows)


@torch.no_grad()
def _seen(
    key: str, data: Dataset, autoencoders: Mapping[int, Autoencoder], chosen: list[int]
) -> dict[int, tuple[np.ndarray, float]]:
    """For each K the copies of the chosen held-out examples, and the score over all of them.

    The share of letters right, or held-out R²: 0 for a model that answers with the training mean each time.
    """
    x = data.held_out
    spread = None if key == "text" else (x - data.train.mean(dim=0)).square().sum()
    found = {}
    for k in sorted(autoencoders):
        x_hat = autoencoders[k](x)
        score = letters_right(x, x_hat) if key == "text" else 1 - float((x - x_hat).square().sum() / spread)
        found[k] = x_hat[chosen].numpy(), score
    return found


def _spread(data: Dataset, n_shown: int) -> list[int]:
    """Positions in the held-out part, evenly spread; with labels, one for each of some of the labels."""
    n_held_out = len(data.held_out_index)
    if data.labels is None:
        return np.linspace(0, n_held_out - 1, min(n_shown, n_held_out)).round().astype(int).tolist()
    labels, first = np.unique(data.held_out_labels.numpy(), return_index=True)
    return first[np.linspace(0, len(labels) - 1, min(n_shown, len(labels))).round().astype(int)].tolist()


def _names(key: str, data: Dataset, chosen: list[int]) -> list[str]:
    if key == "text":
        return read_words(data.held_out[chosen])
    if data.labels is None:
        return [f"clip {position + 1}" for position in range(len(chosen))]
    labels = data.held_out_labels[chosen].tolist()
    return [NOTE_NAMES[label] if key == "music" else str(label) for label in labels]
