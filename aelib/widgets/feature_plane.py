"""Lesson 14: five features in a code of two numbers. Slide how often they are on, and turn some of them on."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import traitlets

from aelib.widgets.base import Interactive, numbers

if TYPE_CHECKING:
    from torch import Tensor

    from aelib.sparse import Code

N_FEATURES = 5


class FeaturePlane(Interactive, script="feature_plane", title="Five features in two numbers"):
    """The best directions for five features in the plane, by how often each is on, with their exact expected error.

    level: which probability p. on: the features that are on, as a binary number, feature 1 as 1, feature 5 as 16.
    arrays: p, the probabilities, rising; W, the directions, and bias of the readout ReLU(W Wᵀ s + b), of each level.
    """

    level = traitlets.Int(0, min=0).tag(sync=True)
    on = traitlets.Int(1, min=0, max=2**N_FEATURES - 1).tag(sync=True)
    shapes = {"p": ("levels",), "W": ("levels", N_FEATURES, 2), "bias": ("levels", N_FEATURES)}

    @classmethod
    def from_code(cls, p: Tensor, code: Code, **state: object) -> FeaturePlane:
        """The probabilities (levels,) and the codes of `aelib.sparse.best_code` for five features in two numbers."""
        W, bias = _turned(code.W.numpy(), code.bias.numpy())
        return cls(arrays={"p": numbers(p.numpy()), "W": numbers(W), "bias": numbers(bias)}, **state)

    def figures(self) -> dict[str, float]:
        """What is shown, by name: p, the expected errors of the best code, the pentagon and PCA, and the error now."""
        import torch

        from aelib.sparse import expected_error

        p, W, bias = (torch.tensor(self.array(name)[self.level]) for name in ("p", "W", "bias"))
        s = torch.tensor([(self.on >> i) & 1 for i in range(N_FEATURES)], dtype=torch.float64)
        return {
            "p": p.item(),
            "best": expected_error(W, bias, p).item(),
            "pentagon": expected_error(*_pentagon(), p).item(),
            "pca": (N_FEATURES - 2) * p.item() * (1 - p.item()),
            "now": (s - torch.relu(s @ W @ W.T + bias)).square().sum().item(),
        }


def _pentagon() -> tuple[Tensor, Tensor]:
    """The code that reads a single feature without error."""
    import torch

    turn = 2 * np.pi * torch.arange(N_FEATURES, dtype=torch.float64) / N_FEATURES
    square = 1 / (1 - np.cos(2 * np.pi / N_FEATURES))
    W = np.sqrt(square) * torch.stack([turn.cos(), turn.sin()], dim=1)
    return W, torch.full((N_FEATURES,), 1 - square, dtype=torch.float64)


def _turned(W: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same codes, each with its features renamed and the plane turned so that it resembles the one before it."""
    W, bias = W.copy(), bias.copy()
    orders = np.array(list(permutations(range(W.shape[1]))))
    before = _pentagon()[0].numpy()
    for n in range(len(W)):
        left, values, right = np.linalg.svd(np.swapaxes(W[n][orders], 1, 2) @ before)
        best = values.sum(axis=1).argmax()
        W[n], bias[n] = W[n][orders[best]] @ left[best] @ right[best], bias[n][orders[best]]
        before = W[n]
    return W, bias
