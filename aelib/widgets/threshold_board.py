"""Lesson 11's central interactive: a threshold on the scores of pictures that belong and of pictures that do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, levels, numbers

STEPS = 240
"""The slider has so many steps from the lowest score to the highest."""
N_NEAR = 6
"""So many pictures are shown on each side of the threshold."""
FALSE_ALARMS = 0.05
"""The threshold starts at the first step with at most this share of normal pictures above it."""


class ThresholdBoard(Interactive, script="threshold_board", title="Where would you draw the line?"):
    """Pictures, normal ones and several kinds of strange ones, each with several scores; above a threshold is an alarm.

    position: of the threshold, 0 to 240 steps from the lowest to the highest value of the score. kind: which strange
    pictures are shown. score: which score is used.
    normal: what the normal pictures are called; kinds, score_names: the choices. counts: how many pictures there are,
    normal first, then each kind. ends: the lowest and highest value of each score.
    arrays: scores (score, picture); images (picture, rows, columns), 1 is full ink, pictures as in `counts`.
    """

    position = traitlets.Int(0, min=0, max=STEPS).tag(sync=True)
    kind = traitlets.Unicode().tag(sync=True)
    score = traitlets.Unicode().tag(sync=True)
    normal = traitlets.Unicode().tag(sync=True)
    kinds = traitlets.List(traitlets.Unicode()).tag(sync=True)
    score_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    counts = traitlets.List(traitlets.Int()).tag(sync=True)
    ends = traitlets.List().tag(sync=True)
    shapes = {"scores": ("score_names", "pictures"), "images": ("pictures", "rows", "columns")}

    @classmethod
    def from_scores(
        cls,
        images: Mapping[str, object],
        scores: Mapping[str, Mapping[str, object]],
        image_shape: Sequence[int],
        **state: object,
    ) -> ThresholdBoard:
        """From named sets of (n, D) images in [0, 1], the normal ones first, and scores[set][score name], each (n,).

        It starts with the kind of strange picture that the first score ranks worst, and few false alarms.
        """
        images = {name: np.asarray(x, dtype=np.float64) for name, x in images.items()}
        _check(images, scores, image_shape)
        names, score_names = list(images), list(scores[next(iter(images))])
        values = np.array([np.concatenate([_row(scores, name, s) for name in names]) for s in score_names])
        pictures = np.concatenate(list(images.values())).reshape(-1, *image_shape)
        board = cls(
            normal=names[0], kinds=names[1:], score_names=score_names, kind=names[1], score=score_names[0],
            counts=[len(images[name]) for name in names], ends=[[float(row.min()), float(row.max())] for row in values],
            arrays={"scores": numbers(values), "images": levels(pictures)},
        )  # fmt: skip
        board.kind = min(names[1:], key=board._area_of)
        board.position = board._first_quiet_position()
        for name, value in state.items():
            setattr(board, name, value)
        return board

    def threshold(self) -> float:
        """The value of the score above which a picture is called strange."""
        low, high = self.ends[self.score_names.index(self.score)]
        return low + (high - low) * self.position / STEPS

    def values(self) -> tuple[np.ndarray, np.ndarray]:
        """The present score of the normal pictures and of the strange ones of the present kind."""
        return self._of(0), self._of(1 + self.kinds.index(self.kind))

    def measures(self) -> dict[str, float]:
        """alarms of each sort, shares caught and false, precision (nan without an alarm), and the area under the curve."""
        normal, strange = self.values()
        false, true = int((normal > self.threshold()).sum()), int((strange > self.threshold()).sum())
        return {
            "false_alarms": false,
            "caught": true,
            "false_share": false / len(normal),
            "caught_share": true / len(strange),
            "precision": true / (true + false) if true + false else float("nan"),
            "area": area(normal, strange),
        }

    def nearest(self) -> list[int]:
        """Numbers of the pictures on both sides of the threshold, by rising score: at most six up to it, six above."""
        order, scores = self._in_order()
        below = int(np.searchsorted(scores, self.threshold(), side="right"))
        return order[max(0, below - N_NEAR) : below + N_NEAR].tolist()

    def _in_order(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the normal and the strange pictures by rising score (equal ones as they come), and those scores."""
        first = sum(self.counts[: 1 + self.kinds.index(self.kind)])
        normal, strange = self.values()
        numbers = np.concatenate([np.arange(len(normal)), first + np.arange(len(strange))])
        scores = np.concatenate([normal, strange])
        order = np.argsort(scores, kind="stable")
        return numbers[order], scores[order]

    def _of(self, which: int) -> np.ndarray:
        start = sum(self.counts[:which])
        return self.array("scores")[self.score_names.index(self.score), start : start + self.counts[which]]

    def _area_of(self, kind: str) -> float:
        return area(self._of(0), self._of(1 + self.kinds.index(kind)))

    def _first_quiet_position(self) -> int:
        low, high = self.ends[0]
        thresholds = low + (high - low) * np.arange(STEPS + 1) / STEPS
        alarms = (self._of(0)[:, None] > thresholds).mean(axis=0)
        return int(np.argmax(alarms <= FALSE_ALARMS))


def area(normal: np.ndarray, strange: np.ndarray) -> float:
    """How often a strange score exceeds a normal one, ties counted half."""
    sorted_normal = np.sort(normal)
    below = np.searchsorted(sorted_normal, strange, side="left")
    up_to = np.searchsorted(sorted_normal, strange, side="right")
    return float((below + up_to).sum() / 2 / len(normal) / len(strange))


def roc(normal: np.ndarray, strange: np.ndarray) -> np.ndarray:
    """(m, 2): share of false alarms and share caught, for every threshold from the highest down."""
    thresholds = np.concatenate([[np.inf], np.unique(np.concatenate([normal, strange]))[::-1], [-np.inf]])
    return np.array([((normal > t).mean(), (strange > t).mean()) for t in thresholds])


def _row(scores: Mapping, name: str, score: str) -> np.ndarray:
    return np.asarray(scores[name][score], dtype=np.float64)


def _check(images: Mapping[str, np.ndarray], scores: Mapping, image_shape: Sequence[int]) -> None:
    if len(images) < 2 or list(images) != list(scores):
        raise ValueError(
            f"images and scores should name the same sets, the normal one first and at least one strange one; "
            f"got {list(images)} and {list(scores)}."
        )
    for name, x in images.items():
        if x.ndim != 2 or x.shape[1] != int(np.prod(image_shape)) or not len(x):
            raise ValueError(
                f"the images of {name} have shape {x.shape}; expected (n, {int(np.prod(image_shape))}), one row a picture."
            )
        for score in scores[name]:
            if (
                _row(scores, name, score).shape != (len(x),)
                or not np.isfinite(_row(scores, name, score)).all()
            ):
                raise ValueError(
                    f"the score {score!r} of {name} should be {len(x)} finite numbers, one a picture."
                )
