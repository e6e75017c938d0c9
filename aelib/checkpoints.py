"""Weights in a file that is whole or not there, and that is never trusted: safetensors, hashed, renamed into place.

Reading a checkpoint runs no code that the file brings along, as unpickling would. Its header keeps a SHA-256 of
everything else, so that a byte that changed by accident is noticed.
"""

from __future__ import annotations

import glob
import hashlib
import json
import math
import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse
from safetensors.torch import save as serialise
from torch import Tensor, nn

State = dict[str, Tensor]

MADE_BY = "aelib checkpoint 1"
CURVES = ("epochs", "train", "held_out", "best_epoch")
"""What a run keeps of its history, besides the weights."""
ABANDONED = 600
"""Seconds after which an unfinished file belongs to nobody."""
SAME_LOSS = 1e-3
"""Relative difference of one loss at the same weights, on other machines or devices."""


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message is one sentence that says why."""


# A model


def save(model: nn.Module, path: str | Path) -> None:
    """Write the model's parameters and buffers to ``path``, whole or not at all.

    They go to a temporary name beside it, are flushed to the disk, and are then renamed: whatever interrupts this,
    and whoever writes there too, ``path`` holds what it held before or a whole checkpoint. Missing folders are made.
    Raises CheckpointError, with a sentence, if the file cannot be written.
    """
    _write(Path(path), _joined({"model": model.state_dict()}), {})


def load(path: str | Path, model: nn.Module) -> nn.Module:
    """Put the weights that `save`, or ``fit(..., checkpoint=path)``, wrote into ``model``, and return it.

    The model must have the same layers; it stays on its device and in its dtype, and is unchanged if this fails.
    Raises CheckpointError, with a sentence, for a file that is missing, empty, truncated, altered, of another kind,
    or of a model with other layers.
    """
    tensors, _ = _read(Path(path))
    model.load_state_dict(_weights(Path(path), tensors, model))
    return model


def _weights(path: Path, tensors: State, model: nn.Module) -> State:
    """The model's part of a file, or a refusal if it is that of another model."""
    found, wanted = _part("model", tensors), model.state_dict()
    for name in sorted(found.keys() ^ wanted.keys()):
        place = "the file has no" if name in wanted else "the model here has no"
        raise CheckpointError(f"{path} holds a model with other layers: {place} {name}.")
    for name, tensor in wanted.items():
        if found[name].shape != tensor.shape:
            raise CheckpointError(
                f"{path} holds a model of other sizes: its {name} has shape {tuple(found[name].shape)}, "
                f"the one here {tuple(tensor.shape)}."
            )
    return found


# A training


class Run:
    """A training, kept in a file after each epoch: all that its next epoch depends on.

    Made inside the random stream that the training draws its noise from. If ``path`` exists, the model, the
    optimizer, both random streams and the history go back to what it holds; else the start is written. A path of
    None keeps nothing.

    optimizer: an ``adam.Adam``. history: a ``training.History``. epochs: how many are wanted.
    identity: the settings and data that make it this run, by name.
    trial: the loss of the model on a few rows, which tells one loss from another.
    Raises CheckpointError if the file is damaged or belongs to another run; then nothing is changed.
    """

    def __init__(
        self,
        path: str | Path | None,
        model: nn.Module,
        optimizer: Any,
        order: torch.Generator,
        history: Any,
        epochs: int,
        identity: Callable[[], Mapping[str, Any]],
        trial: Callable[[], Tensor],
    ) -> None:
        self.path = None if path is None else Path(path)
        self.model, self.optimizer, self.order, self.history = model, optimizer, order, history
        self.epochs, self.trial = epochs, lambda: trial().item()
        if self.path is None:
            return
        self.identity = {**identity(), "start": _digest(model.state_dict())}
        self.began = time.perf_counter()
        if self.path.exists():
            history.seconds = self.resume()
        else:
            self.save()

    def save(self) -> None:
        """Write the run as it is now, at the end of an epoch; not if it has ended for a reason."""
        if self.path is None or self.history.stopped:
            return
        facts = {name: getattr(self.history, name) for name in CURVES} | {
            "identity": self.identity,
            "trial": self.trial(),
            "seconds": self.history.seconds + time.perf_counter() - self.began,
        }
        parts = {
            "model": self.model.state_dict(),
            "best": self.history.best_state,
            "adam": self.optimizer.state(),
            "noise": _noise(self.model),
            "order": {"cpu": self.order.get_state()},
        }
        _write(self.path, _joined(parts), facts)

    def resume(self) -> float:
        """Go back to the last whole epoch, the one in the file; how many seconds it took to get there."""
        if self.path is None:
            return 0.0
        tensors, facts = _read(self.path)
        weights = _weights(self.path, tensors, self.model)
        if "identity" not in facts:
            raise CheckpointError(f"{self.path} holds a model and no training: name another file.")
        before = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        try:
            self._check_same(facts, weights)
            self._restore(tensors, facts, weights)
            return float(facts["seconds"])
        except (LookupError, TypeError, AttributeError, ValueError, RuntimeError) as error:
            self.model.load_state_dict(before)
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(
                f"{self.path} holds no training that could go on: {_first_line(error)}."
            ) from error

    def _check_same(self, facts: Mapping[str, Any], weights: State) -> None:
        """Refuse the file of another run; the model may be as it was at the start, or as the file left it."""
        theirs = dict(facts["identity"])
        if _digest(self.model.state_dict()) == _digest(weights):
            self.identity["start"] = theirs["start"]
        for name, mine in self.identity.items():
            if theirs[name] != mine:
                raise CheckpointError(_other_run(self.path, name, theirs[name], mine))
        if facts["epochs"] > self.epochs:
            raise CheckpointError(
                f"{self.path} is further than asked: it holds {facts['epochs']} epochs, and epochs={self.epochs}."
            )
        self.model.load_state_dict(weights)
        if not math.isclose(mine := self.trial(), facts["trial"], rel_tol=SAME_LOSS, abs_tol=1e-6):
            raise CheckpointError(_other_run(self.path, "loss on the first rows", facts["trial"], mine))

    def _restore(self, tensors: State, facts: Mapping[str, Any], weights: State) -> None:
        curves = _curves(facts)
        torch.Generator().set_state(order := tensors["order.cpu"])
        _set_noise(self.model, _part("noise", tensors))
        self.optimizer.load_state(_part("adam", tensors))
        self.order.set_state(order)
        for name, value in curves.items():
            setattr(self.history, name, value)
        self.history.best_state, self.history.last_state = _part("best", tensors), weights


def _curves(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the history that is no weights, or a refusal if it does not fit together."""
    epochs, best = facts["epochs"], facts["best_epoch"]
    for name, curve in [*facts["train"].items(), *facts["held_out"].items()]:
        if len(curve) != epochs or not all(isinstance(value, float) for value in curve):
            raise ValueError(f"its curve of {name} is not {epochs} numbers")
    if not 0 <= best <= epochs:
        raise ValueError(f"its best epoch is {best} of {epochs}")
    return {name: facts[name] for name in CURVES}


def _noise(model: nn.Module) -> State:
    """Where the random streams stand that the model draws from."""
    device = next(model.parameters()).device
    state = {"cpu": torch.get_rng_state()}
    return state | ({"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {})


def _set_noise(model: nn.Module, state: State) -> None:
    torch.set_rng_state(state["cpu"])
    device = next(model.parameters()).device
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)


def _other_run(path: Path, name: str, theirs: Any, mine: Any) -> str:
    """One sentence on what differs."""
    if name == "start":
        differs = "it began with other weights, or the model here has been trained since"
    elif name in ("data", "held_out"):
        differs = f"its {'held-out rows' if name == 'held_out' else 'training rows'} are others"
    else:
        differs = f"its {name} is {theirs:.6g} and here it is {mine:.6g}"
    return f"{path} belongs to another run, for {differs}: delete that file or name another one."


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


# Files


def _write(path: Path, tensors: State, facts: Mapping[str, Any]) -> None:
    """A temporary name, the disk, and only then the name itself; on an error, no trace."""
    kept = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    told = json.dumps(facts)
    header = {"made by": MADE_BY, "facts": told, "sha256": _digest(kept, told)}
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")  # each writer's own
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "xb") as stream:
            stream.write(serialise(kept, header))
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        _sweep(path)
    except OSError as error:
        raise CheckpointError(f"the checkpoint {path} cannot be written: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Delete what writers that were killed have left: a file that nobody has written to for long."""
    for left in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
        with suppress(FileNotFoundError):  # another writer has just finished
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()


def _read(path: Path) -> tuple[State, dict[str, Any]]:
    """The tensors and facts of a file whose hash is right."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"the checkpoint {path} cannot be read: {error.strerror}.") from error
    if not content:
        raise CheckpointError(f"{path} is empty: no checkpoint was ever written there.")
    tensors = None
    try:
        tensors = parse(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        told, promised, made_by = header["facts"], header["sha256"], header["made by"]
        facts = json.loads(told)
    except (SafetensorError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(_unreadable(path, content, whole=tensors is not None)) from error
    if _digest(tensors, told) != promised or made_by != MADE_BY:
        raise CheckpointError(
            f"{path} was altered after it was written (its SHA-256 differs): do not use it."
        )
    return tensors, facts


def _unreadable(path: Path, content: bytes, whole: bool) -> str:
    """Another program's, if it is whole safetensors; truncated, if it begins as a checkpoint does; else of another kind."""
    ours = MADE_BY.encode() in content[:4096]
    if whole and not ours:
        return f"{path} is a safetensors file, but no checkpoint of this course."
    if ours or (content[:1] != b"\x80" and content[8:9] == b"{"):
        return f"{path} is cut short or damaged: it begins like a checkpoint but cannot be read to its end."
    kind = (
        "a pickle, which could run any code and is never opened here"
        if _is_pickle(content)
        else "of another kind"
    )
    return f"{path} is no checkpoint of this course: it is {kind}."


def _is_pickle(content: bytes) -> bool:
    """A bare pickle, or the zip archive that torch.save makes."""
    return content[:1] == b"\x80" or content[:4] == b"PK\x03\x04"


def _digest(tensors: Mapping[str, Tensor], told: str = "") -> str:
    """SHA-256 over names, types, shapes and numbers, and what is told with them."""
    total = hashlib.sha256(told.encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.flatten().view(torch.uint8).numpy() if tensor.numel() else b"")
    return total.hexdigest()


def _joined(parts: Mapping[str, Mapping[str, Tensor]]) -> State:
    """The tensors of all parts, each under "part.name"."""
    return {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}


def _part(part: str, tensors: State) -> State:
    """The tensors of one part, by their own names."""
    return {name.removeprefix(f"{part}."): t for name, t in tensors.items() if name.startswith(f"{part}.")}
