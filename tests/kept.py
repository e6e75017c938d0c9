"""Train once: what several tests claim about the same models is asked of one training.

`fit` and `fit_many` have the arguments of `aelib.training` and train on the rows to learn from alone: nothing is
judged while a model learns, and no History comes back. Trained weights are kept under a name made of all that
decides them: the weights before, aelib's code, rows, settings, loss, versions, processor. Tests of other files, other
workers and later runs find them there, and any change of any part makes another name. Models that were trained
together are kept together, because they share one stream of noise.

AELIB_KEPT names the folder (pytest sets it: a part of its cache, which git ignores).
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from torch import Tensor, nn

import aelib
from aelib import training
from aelib.data.dataset import Dataset
from aelib.objectives import reconstruction_error
from tests.processors import VARIABLES

PACKAGE = Path(aelib.__file__).parent
PARTS = ("*.py", "data/*.py")
"""The code that training can reach: not the interactives, not the exercises."""


def fit(model: nn.Module, data: Dataset | Tensor, **settings: Any) -> None:
    """Train one model in place, unless it is kept."""
    _train_or_read([model], _rows(data), settings, lambda rows: training.fit(model, rows, **settings))


def fit_many(models: Sequence[nn.Module], data: Dataset | Tensor, **settings: Any) -> None:
    """Train models in place, unless they are kept."""
    _train_or_read(models, _rows(data), settings, lambda rows: training.fit_many(models, rows, **settings))


def _rows(data: Dataset | Tensor) -> Tensor:
    return data.train if isinstance(data, Dataset) else data


def _train_or_read(
    models: Sequence[nn.Module], rows: Tensor, settings: dict, train: Callable[[Tensor], Any]
) -> None:
    """The first who asks trains; whoever asks meanwhile waits and reads."""
    path = Path(os.environ["AELIB_KEPT"]) / f"{_name(models, rows, **settings)}.pt"
    with FileLock(path.with_suffix(".lock")):
        if path.exists():
            for model, state in zip(models, torch.load(path, weights_only=True), strict=True):
                model.load_state_dict(state)
            return os.utime(path)
        train(rows)
        part = path.with_suffix(".part")
        torch.save([model.state_dict() for model in models], part)
        part.replace(path)


def _name(models: Sequence[nn.Module], rows: Tensor, *, loss=reconstruction_error, **settings: Any) -> str:
    """The hash of everything that decides what is learned."""
    said = {name: list(value) if isinstance(value, range) else value for name, value in settings.items()}
    said.pop("progress", None)
    if loss.__closure__ or "<" in loss.__qualname__:
        raise ValueError(
            "what a loss from inside a function depends on is not seen: use aelib.training for it."
        )
    parts = [
        _ground(),
        repr([*sorted(said.items()), inspect.getsource(loss)]).encode(),
        rows.numpy().tobytes(),
    ]
    parts += [part for model in models for part in _parts(model)]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _parts(model: nn.Module) -> list[bytes]:
    """What a model is: its class, layers, plain attributes, weights, and which of these it learns."""
    plain = {key: value for key, value in vars(model).items() if isinstance(value, str | int | float | tuple)}
    learned = [name for name, weight in model.named_parameters() if weight.requires_grad]
    told = repr((type(model).__qualname__, repr(model), sorted(plain.items()), learned))
    return [told.encode(), *(tensor.detach().numpy().tobytes() for tensor in model.state_dict().values())]


@functools.cache
def _ground() -> bytes:
    """The code of aelib, the versions and the processor."""
    code = [path.read_bytes() for part in PARTS for path in sorted(PACKAGE.glob(part))]
    machine = (torch.__version__, torch.backends.cpu.get_cpu_capability(), torch.get_num_threads())
    chosen = [os.environ.get(name) for name in VARIABLES]
    return b"".join([*code, repr((machine, platform.processor(), platform.machine(), chosen)).encode()])
