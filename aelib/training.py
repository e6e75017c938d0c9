"""``fit`` trains one model, ``fit_many`` many small ones at once. Plumbing: lesson 08 writes its own loop.

What makes them fast on one core: the data are one tensor whose rows are drawn by a permutation, `aelib.adam` updates
all weights in one fused call, and nothing is read back from the running sums before an epoch ends.

A loss is a function ``loss(model, x)`` that returns one number, averaged over the batch, or several with
names, of which the one called "loss" is minimised: ``{"loss": …, "reconstruction": …, "kl": …}``.
"""

from __future__ import annotations

import copy
import hashlib
import math
import operator
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from aelib.adam import Adam
from aelib.checkpoints import Run, load, save
from aelib.data.dataset import Dataset
from aelib.objectives import reconstruction_error
from aelib.progress import Line

__all__ = ["History", "best_device", "fit", "fit_many", "load", "save"]

Loss = Callable[..., Tensor | dict[str, Tensor]]
State = dict[str, Tensor]

EVALUATED_AT_ONCE = 1024
STACKED_AT_ONCE = 12
"""Models in one stack: with fewer, more of a step is spent outside its products; with more, no time is saved."""

# The GNU C library keeps freed memory instead of returning it to the system, page by page, in every step, once a
# large block has been freed (mallopt(3), M_MMAP_THRESHOLD). The block is never touched, so it costs nothing.
torch.empty(7_500_000)


# What a run leaves behind


@dataclass(repr=False)
class History:
    """What happened while a model was trained.

    epochs: how many were finished.
    train: for each name that the loss returned, its mean over each epoch, taken while the model learned.
    held_out: the same names, on the held-out rows after each epoch; empty if nothing was held out.
    seconds: how long it took, on the wall clock.
    best_epoch: the one with the lowest "loss", held out if rows were, counted from 1; 0 if none was finished.
    best_state, last_state: the weights after that epoch and at the end; ``model.load_state_dict`` takes both.
    stopped: None, or one sentence that says why training ended early.
    """

    epochs: int = 0
    train: dict[str, list[float]] = field(default_factory=dict)
    held_out: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    best_epoch: int = 0
    best_state: State = field(default_factory=dict)
    last_state: State = field(default_factory=dict)
    stopped: str | None = None

    def text(self) -> str:
        """The run in one or two sentences."""
        sentence = f"{_count(self.epochs, 'epoch')} in {self.seconds:.1f} s{_losses(self)}."
        return f"{sentence} {self.stopped}" if self.stopped else sentence

    __repr__ = text

    def record(self, train: Mapping[str, float], held_out: Mapping[str, float]) -> bool:
        """Add one epoch; True if it is the best so far."""
        self.epochs += 1
        for curves, values in ((self.train, train), (self.held_out, held_out)):
            for name, value in values.items():
                curves.setdefault(name, []).append(value)
        judged = (self.held_out or self.train)["loss"]
        if is_best := judged[-1] <= min(judged):
            self.best_epoch = self.epochs
        return is_best


# One model


def fit(
    model: nn.Module,
    data: Dataset | Tensor,
    *,
    epochs: int,
    seed: int,
    loss: Loss = reconstruction_error,
    batch_size: int = 128,
    lr: float = 1e-3,
    held_out: Tensor | None = None,
    progress: bool = True,
    callback: Callable[[int, nn.Module, History], None] | None = None,
    checkpoint: str | Path | None = None,
) -> History:
    """Train ``model`` in place with Adam, and say how it went.

    data: a Dataset (train rows are learned from, held-out rows judged after each epoch), or floats (n, D).
    seed: fixes the order of the rows and any noise that the model draws. torch's global stream is left as it
        was, and neither held-out rows nor a callback change what is learned.
    held_out: (m, D), judged in place of the Dataset's own; by the same noise after each epoch.
    progress: one line of text in a notebook, rewritten in place; elsewhere nothing.
    callback: called as ``callback(epoch, model, history)`` after each epoch, the model in evaluation mode.
    checkpoint: a file that keeps the whole run after each epoch. If it exists, the same call goes on from there, on
        the curve that an uninterrupted run has, to the last digit on one machine; ``epochs`` may be larger than it
        was. A file of another run is refused, and so is a damaged one; ``load`` reads the weights alone.

    The model trains on the device where it lies; rows are moved there batch by batch.

    The stop button ends the run without an error and keeps the weights of that moment. If the loss or a
    weight stops being finite, the run ends with the weights of the last good epoch. ``History`` says so. With a
    checkpoint the stop button, too, goes back to the last whole epoch, which is what the file holds.
    Raises ValueError or TypeError, before anything is changed, for data or settings that cannot work. An error in the
    middle of an epoch leaves the weights of the last whole one.
    """
    epochs, batch_size, [seed] = _check_settings(epochs, batch_size, lr, [seed])
    rows, judged = _sources(data, held_out, _like(model))
    _check_loss(model, loss, rows, seed)
    _check_last_batch(model, loss, rows, batch_size, seed)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    order = torch.Generator().manual_seed(seed)
    history, line = History(last_state=_copy(model)), Line(progress)
    with _clock(history), _modes_kept(model), _own_randomness(seed), _one_interrupt():
        optimizer = Adam(weights, lr)
        identity = partial(_identity, seed, batch_size, lr, rows, judged)
        trial = partial(_trial, model, loss, rows, seed)
        run = Run(checkpoint, model, optimizer, order, history, epochs, identity, trial)
        try:
            while history.epochs < epochs and not history.stopped:
                shuffled = torch.randperm(len(rows), generator=order)
                parts = _learn(model.train(), loss, rows, shuffled.split(batch_size), optimizer, line)
                _close_epoch(model.eval(), loss, parts, judged, seed, lr, history)
                run.save()
                if callback and not history.stopped:
                    with _own_randomness(seed):
                        callback(history.epochs, model, history)
                line.say(lambda: f"{history.epochs} of {_count(epochs, 'epoch')}{_losses(history)}")
        except KeyboardInterrupt:
            run.resume()
            _stop_by_hand(model, history, epochs, bool(checkpoint))
        except Exception:
            model.load_state_dict(history.last_state)
            raise
    line.say(history.text, final=True)
    return history


def _learn(model, loss: Loss, rows: _Rows, batches, optimizer, line: Line) -> dict[str, float]:
    """One pass over the data; the mean of each part of the loss, every row counted once."""
    means = _Means()
    for i, batch in enumerate(batches):
        parts = _parts(loss(model, rows[batch]))
        optimizer.zero_grad()
        parts["loss"].backward()
        optimizer.step()
        means.add(parts, len(batch))
        line.say(lambda i=i: f"{i / len(batches):.0%} of an epoch")
    return means.floats()


def _close_epoch(model, loss: Loss, parts: dict[str, float], judged, seed: int, lr: float, history: History):
    """Judge the epoch and write it down, or go back to the one before if it diverged."""
    if not (math.isfinite(parts["loss"]) and _is_finite(model)):
        model.load_state_dict(history.last_state)
        history.stopped = _diverged(history, lr)
        return
    is_best = history.record(parts, _evaluate(model, loss, judged, seed))
    history.last_state = _copy(model)
    if is_best:
        history.best_state = history.last_state


def _evaluate(model: nn.Module, loss: Loss, rows: _Rows | None, seed: int) -> dict[str, float]:
    """Each part of the loss on all rows, always by the same noise; nothing if there are no rows."""
    means = _Means()
    with torch.no_grad(), _own_randomness(seed):
        for batch in _in_order(rows, EVALUATED_AT_ONCE):
            means.add(_parts(loss(model, rows[batch])), len(batch))
    return means.floats()


def _stop_by_hand(model: nn.Module, history: History, epochs: int, resumable: bool) -> None:
    if not _is_finite(model):
        model.load_state_dict(history.last_state)
    history.last_state = _copy(model)
    kept = f"has the weights of {_last_epoch(history)}, from which the same call goes on"
    history.stopped = _stopped_by_hand(history, epochs, *([kept] if resumable else []))


def best_device() -> torch.device:
    """Where a large model trains fastest here: CUDA, else MPS (Apple), else the CPU. ``model.to(best_device())``.

    The small models of the lessons are as fast on the CPU.
    """
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _identity(seed: int, batch_size: int, lr: float, rows: _Rows, judged: _Rows | None) -> dict[str, Any]:
    """What makes two calls the same run, by name; the rows by their SHA-256."""
    hashes = {"data": _hash_of(rows), "held_out": _hash_of(judged)}
    return {"seed": seed, "batch_size": batch_size, "lr": lr} | hashes


def _hash_of(rows: _Rows | None) -> str:
    total = hashlib.sha256()
    for batch in _in_order(rows, EVALUATED_AT_ONCE):
        total.update(rows[batch].cpu().contiguous().view(torch.uint8).numpy())
    return total.hexdigest()


# Many models


def fit_many(
    models: Sequence[nn.Module],
    data: Dataset | Tensor,
    *,
    epochs: int,
    seeds: Sequence[int],
    betas: Sequence[float] | None = None,
    loss: Loss = reconstruction_error,
    batch_size: int = 128,
    lr: float = 1e-3,
    held_out: Tensor | None = None,
    progress: bool = True,
) -> list[History]:
    """Train many small models of one class side by side on the CPU, in place: as ``fit`` would, in half the time.

    seeds: one for each model: the order of its rows is that of ``fit(..., seed=seed)``.
    betas: one for each model, handed to ``loss(model, x, beta=beta)``; without them it is ``loss(model, x)``.
    data, epochs, loss, batch_size, lr, held_out, progress: as in ``fit``, the same for all.

    The models may differ in their latent_dim. Their tensors are stacked, the smaller ones padded with zeros
    that never learn. The loss must not notice the padding: before anything is changed, each model's loss
    alone and in the stack are compared on a few rows. (A mean over the latents would notice, and so would
    one layer that holds μ and log σ² side by side.) Noise is drawn for each model and fixed by the seeds,
    but it is not that of ``fit``. A model that diverges drops out with its last good weights, and the others
    go on; the stop button keeps them all.
    """
    models = list(models)
    epochs, batch_size, seeds = _check_settings(epochs, batch_size, lr, seeds)
    _check_company(models, seeds, betas)
    rows, judged = _sources(data, held_out, _like(models[0]))
    alone = loss if betas is None else partial(loss, beta=betas[0])
    _check_loss(models[0], alone, rows, seeds[0])
    _check_last_batch(models[0], alone, rows, batch_size, seeds[0])
    stacks = [_stack(chosen, models, seeds, betas, loss, lr) for chosen in _in_groups(models)]
    for stack in stacks:
        stack.check(rows)
    line, started = Line(progress), time.perf_counter()
    with _one_interrupt():
        try:
            for epoch in range(1, epochs + 1):
                for stack in stacks:
                    stack.epoch(rows, judged, batch_size)
                line.say(lambda epoch=epoch: f"{len(models)} models: {epoch} of {_count(epochs, 'epoch')}")
        except KeyboardInterrupt:
            for stack in stacks:
                stack.stop_by_hand(epochs)
    seconds = time.perf_counter() - started
    histories = {id(model): history for stack in stacks for model, history in stack.hand_back(seconds)}
    line.say(lambda: _many_text(list(histories.values())), final=True)
    return [histories[id(model)] for model in models]


def _in_groups(models: list[nn.Module]) -> list[list[int]]:
    """Positions of the models, from small to large, in groups of about equal length: little padding."""
    sizes = [sum(weight.numel() for weight in model.parameters()) for model in models]
    order = sorted(range(len(models)), key=sizes.__getitem__)
    n_groups = math.ceil(len(models) / STACKED_AT_ONCE)
    cuts = [round(i * len(models) / n_groups) for i in range(n_groups + 1)]
    return [order[start:stop] for start, stop in pairwise(cuts)]


def _stack(chosen: list[int], models, seeds, betas, loss: Loss, lr: float) -> _Stack:
    beta = {} if betas is None else {"beta": torch.tensor([float(betas[i]) for i in chosen])}
    return _Stack([models[i] for i in chosen], [seeds[i] for i in chosen], beta, loss, lr)


class _Skeleton:
    """A model whose tensors are handed in at each call, wherever its modules or the loss read them.

    As ``torch.func.functional_call`` does it, but where the tensors lie is looked up once, not in every step.
    """

    def __init__(self, model: nn.Module, loss: Loss) -> None:
        self.model, self.loss = model, loss
        stores = [store for module in model.modules() for store in (module._parameters, module._buffers)]
        self.places = {
            name: [(store, key) for store in stores for key, found in store.items() if found is tensor]
            for name, tensor in _tensors(model).items()
        }

    def __call__(self, tensors: Sequence[Tensor], x: Tensor, beta: State) -> State:
        for places, tensor in zip(self.places.values(), tensors, strict=True):
            for store, key in places:
                store[key] = tensor
        return _parts(self.loss(self.model, x, **beta))


class _Stack:
    """Some of the models, their tensors stacked along a new first axis, and everything that trains them.

    now, last, best: the stacked tensors as they are, after the last good epoch, and after the best.
    good: which models have not diverged.
    """

    def __init__(self, models: list[nn.Module], seeds: list[int], beta: State, loss: Loss, lr: float) -> None:
        self.models, self.seed, self.beta, self.lr = models, seeds[0], beta, lr
        self.skeleton = _Skeleton(_widest(models), loss)
        named = {name: [_tensors(model)[name] for model in models] for name in _tensors(models[0])}
        self.now = {name: _padded(tensors) for name, tensors in named.items()}
        self.last, self.best = _clone(self.now), _clone(self.now)
        self.learning = [name for name, tensors in named.items() if tensors[0].requires_grad]
        self.masks = {name: mask for name in self.learning if (mask := _mask(named[name])) is not None}
        for name in self.learning:
            self.now[name].requires_grad_()
        self.optimizer = Adam([self.now[name] for name in self.learning], lr)
        self.orders = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.noise = torch.Generator().manual_seed(self.seed).get_state()
        self.histories = [History() for _ in models]
        self.good = torch.ones(len(models), dtype=torch.bool)

    def losses(self, tensors: State, x: Tensor, x_axis: int | None) -> State:
        """The parts of the loss, each (n_models,). x: (n_models, batch, D), or (batch, D) with axis None."""
        together = torch.vmap(self.skeleton, in_dims=(0, x_axis, 0), randomness="different")
        return together([tensors[name] for name in self.skeleton.places], x, self.beta)

    def check(self, rows: _Rows) -> None:
        """Refuse models whose loss in the stack is not what it is alone, at shaken weights and without noise."""
        x = rows[torch.arange(min(len(rows), 16))]
        states = [_shaken(model, self.seed) for model in self.models]
        stacked = {name: _padded([state[name] for state in states]) for name in self.now}
        self.skeleton.model.eval()
        with torch.no_grad(), _own_randomness(self.seed), _NoNoise():
            together = _stackable(lambda: self.losses(stacked, x, None))["loss"]
            for i, model in enumerate(self.models):
                _check_equal(self.alone(model, states[i], x, i), together[i])

    def alone(self, model: nn.Module, state: State, x: Tensor, i: int) -> Tensor:
        beta = {name: values[i] for name, values in self.beta.items()}
        skeleton = _Skeleton(copy.deepcopy(model).eval(), self.skeleton.loss)
        return skeleton(list(state.values()), x, beta)["loss"]

    def epoch(self, rows: _Rows, judged: _Rows | None, batch_size: int) -> None:
        if not self.good.any():
            return
        parts = self.learn(rows, batch_size)
        good = self.good & parts["loss"].isfinite() & self.finite()
        for i in (self.good & ~good).nonzero().flatten().tolist():
            self.histories[i].stopped = _diverged(self.histories[i], self.lr)
        self.good = good
        self.record(parts, self.evaluate(judged))

    def learn(self, rows: _Rows, batch_size: int) -> State:
        """One pass of every model over the data, each in its own order."""
        means = _Means()
        self.skeleton.model.train()
        orders = torch.stack([torch.randperm(len(rows), generator=order) for order in self.orders])
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self.noise)
            for batch in orders.split(batch_size, dim=1):
                parts = self.losses(self.now, rows[batch], 0)
                self.optimizer.zero_grad()
                parts["loss"].sum().backward()
                self.keep_padding_zero()
                self.optimizer.step()
                means.add(parts, batch.shape[1])
            self.noise = torch.get_rng_state()
        return means.tensors()

    def keep_padding_zero(self) -> None:
        for name, mask in self.masks.items():
            self.now[name].grad.mul_(mask)

    def evaluate(self, rows: _Rows | None) -> State:
        means = _Means()
        self.skeleton.model.eval()
        with torch.no_grad(), _own_randomness(self.seed):
            for batch in _in_order(rows, EVALUATED_AT_ONCE // len(self.models)):
                means.add(self.losses(self.now, rows[batch], None), len(batch))
        return means.tensors()

    def finite(self) -> Tensor:
        """(n_models,): whose weights are all finite."""
        return torch.stack(
            [self.now[name].reshape(len(self.models), -1).isfinite().all(1) for name in self.learning]
        ).all(0)

    def record(self, train: State, held_out: State) -> None:
        is_best = torch.zeros_like(self.good)
        for i in self.good.nonzero().flatten().tolist():
            is_best[i] = self.histories[i].record(_row(train, i), _row(held_out, i))
        _keep(self.last, self.now, self.good)
        _keep(self.best, self.now, is_best)

    def stop_by_hand(self, epochs: int) -> None:
        _keep(self.last, self.now, self.good & self.finite())
        for history in self.histories:
            history.stopped = history.stopped or _stopped_by_hand(history, epochs)

    def hand_back(self, seconds: float) -> Iterator[tuple[nn.Module, History]]:
        """Write the last weights into each model, and complete its history."""
        for i, (model, history) in enumerate(zip(self.models, self.histories, strict=True)):
            history.seconds = seconds
            if history.best_epoch:
                history.best_state = _written(model, self.best, i)
            history.last_state = _written(model, self.last, i)
            yield model, history


class _NoNoise(TorchFunctionMode):
    """Inside, torch's random draws are zero: two computations that should agree can then be compared."""

    DRAWS = (torch.randn, torch.randn_like, torch.normal, torch.rand, torch.rand_like, torch.bernoulli)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        drawn = function(*args, **(kwargs or {}))
        return torch.zeros_like(drawn) if function in self.DRAWS else drawn


def _tensors(model: nn.Module) -> State:
    """Parameters and buffers by name, each once."""
    return dict([*model.named_parameters(), *model.named_buffers()])


def _shaken(model: nn.Module, seed: int) -> State:
    """The model's tensors, each learning number moved a little: an initial zero hides nothing."""
    generator = torch.Generator().manual_seed(seed)
    state = _tensors(model)
    learning = {name: tensor for name, tensor in state.items() if tensor.requires_grad}
    return state | {
        name: tensor + 0.1 * torch.randn(tensor.shape, generator=generator)
        for name, tensor in learning.items()
    }


def _row(parts: State, i: int) -> dict[str, float]:
    return {name: float(part[i]) for name, part in parts.items()}


def _corner(tensor: Tensor) -> tuple[slice, ...]:
    """Where a smaller tensor lies inside its padded version."""
    return tuple(slice(n) for n in tensor.shape)


def _padded(tensors: list[Tensor]) -> Tensor:
    """(n_models, largest shape): the tensors stacked, zeros where one is smaller."""
    shape = [max(sizes) for sizes in zip(*(tensor.shape for tensor in tensors), strict=True)]
    stacked = tensors[0].new_zeros(len(tensors), *shape)
    for row, tensor in zip(stacked, tensors, strict=True):
        row[_corner(tensor)] = tensor.detach()
    return stacked


def _mask(tensors: list[Tensor]) -> Tensor | None:
    """1 where the stack holds a model's own numbers and 0 in the padding; None if there is no padding."""
    mask = _padded([torch.ones_like(tensor) for tensor in tensors])
    return None if mask.all() else mask


def _keep(store: State, now: State, which: Tensor) -> None:
    """Copy the rows of some models."""
    for name, kept in store.items():
        kept[which] = now[name].detach()[which]


def _clone(state: State) -> State:
    return {name: tensor.detach().clone() for name, tensor in state.items()}


def _written(model: nn.Module, stacked: State, row: int) -> State:
    """The model's own state after row ``row`` of the stack has been written into it."""
    with torch.no_grad():
        for name, tensor in _tensors(model).items():
            tensor.copy_(stacked[name][row][_corner(tensor)])
    return _copy(model)


def _widest(models: list[nn.Module]) -> nn.Module:
    """A copy of the model in whose shapes all the others fit."""
    widest = max(models, key=lambda model: sum(weight.numel() for weight in model.parameters()))
    for model in models:
        for name, tensor in _tensors(model).items():
            big = _tensors(widest)[name]
            if tensor.ndim != big.ndim or any(n > m for n, m in zip(tensor.shape, big.shape, strict=True)):
                raise ValueError(
                    "models trained together may differ in their latent_dim only, but "
                    f"{name} has shape {tuple(tensor.shape)} in one and "
                    f"{tuple(big.shape)} in another: use fit for each."
                )
    return copy.deepcopy(widest)


def _stackable(compute: Callable[[], State]) -> State:
    try:
        return compute()
    except RuntimeError as error:
        raise ValueError(
            "these models and their loss cannot be computed many at once: train each with fit. "
            f"torch says: {_first_line(error)}"
        ) from error


def _check_equal(alone: Tensor, together: Tensor) -> None:
    if not torch.allclose(alone, together, rtol=1e-5, atol=1e-6, equal_nan=True):
        raise ValueError(
            f"a model's loss is {alone:.4g} alone and {together:.4g} beside the others: the models differ in "
            "more than their weights, or padding the latents changes the loss (sum over latents, and give μ "
            "and log σ² a layer each). Use fit for each of them."
        )


def _many_text(histories: list[History]) -> str:
    """One sentence about all of them."""
    ended = [history.stopped for history in histories if history.stopped]
    epochs = _count(max(history.epochs for history in histories), "epoch")
    sentence = f"{_count(len(histories), 'model')}, {epochs} each, in {histories[0].seconds:.1f} s."
    return sentence + (f" {len(ended)} ended early: {ended[0]}" if ended else "")


# Small parts


@dataclass(frozen=True)
class _Rows:
    """``rows[index]`` is a batch of floats (len(index), D); nothing else of a large data set is converted."""

    take: Callable[[Tensor], Tensor]
    n: int

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: Tensor) -> Tensor:
        return self.take(index)


def _in_order(rows: _Rows | None, batch_size: int) -> Sequence[Tensor]:
    return torch.arange(len(rows)).split(batch_size) if rows else ()


class _Means:
    """Running means over batches that may differ in size; nothing is read back until the end."""

    def __init__(self) -> None:
        self.sums: State = {}
        self.n = 0

    def add(self, parts: State, n: int) -> None:
        for name, part in parts.items():
            self.sums[name] = self.sums.get(name, 0) + n * part.detach()
        self.n += n

    def tensors(self) -> State:
        return {name: total / self.n for name, total in self.sums.items()}

    def floats(self) -> dict[str, float]:
        return {name: float(mean) for name, mean in self.tensors().items()}


@contextmanager
def _own_randomness(seed: int) -> Iterator[None]:
    """Inside, torch's global stream starts from ``seed``; outside, it goes on as if nothing had happened."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


@contextmanager
def _one_interrupt() -> Iterator[None]:
    """Inside, the first Ctrl-C is a KeyboardInterrupt, and a second one does not break off what the first began."""
    usual = threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )

    def first(*_) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    if usual:
        signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        if usual:
            signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _modes_kept(model: nn.Module) -> Iterator[None]:
    """Each part of the model is afterwards in the mode, training or evaluation, that it was in."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def _clock(history: History) -> Iterator[None]:
    started = time.perf_counter()
    yield
    history.seconds += time.perf_counter() - started


def _copy(model: nn.Module) -> State:
    return _clone(model.state_dict())


def _is_finite(model: nn.Module) -> bool:
    return all(bool(weight.isfinite().all()) for weight in model.parameters())


def _like(model: nn.Module) -> Tensor:
    """A weight, whose floating type and device the rows take."""
    found = [weight for weight in model.parameters() if weight.requires_grad]
    if not found:
        raise ValueError("the model has no parameters to train: is each frozen by requires_grad = False?")
    return found[0].detach()


def _count(n: int, thing: str) -> str:
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _losses(history: History) -> str:
    """The last epoch's losses, or nothing before the first one's end."""
    if not history.epochs:
        return ""
    text = f": loss {history.train['loss'][-1]:.3g} on training data"
    return text + (f", {history.held_out['loss'][-1]:.3g} held out" if history.held_out else "")


def _diverged(history: History, lr: float) -> str:
    return (
        f"Training diverged in epoch {history.epochs + 1}: the loss or a weight is no longer finite. "
        f"The weights are those of {_last_epoch(history)}; try a smaller lr than {lr:g}."
    )


def _last_epoch(history: History) -> str:
    return f"epoch {history.epochs}" if history.epochs else "the start"


def _stopped_by_hand(history: History, epochs: int, kept: str = "keeps the weights of that moment") -> str:
    epoch = min(history.epochs + 1, epochs)
    return f"Stopped by hand in epoch {epoch} of {epochs}; the model {kept}."


# Refusing what cannot work


def _parts(value: Tensor | Mapping[str, Tensor]) -> State:
    """What a loss returned, by name."""
    parts = value if isinstance(value, Mapping) else {"loss": value}
    if "loss" not in parts:
        raise ValueError(f"the loss returned the names {list(parts)}: the one to minimise must be 'loss'.")
    for name, part in parts.items():
        if not isinstance(part, Tensor) or part.ndim:
            got = f"shape {tuple(part.shape)}" if isinstance(part, Tensor) else f"a {type(part).__name__}"
            raise ValueError(
                f"the loss should return one number as a tensor, but '{name}' is {got}: sum over dimensions "
                "and average over the batch, as in (x - x_hat).square().sum(-1).mean()."
            )
    return parts


def _check_settings(
    epochs: int, batch_size: int, lr: float, seeds: Sequence[int]
) -> tuple[int, int, list[int]]:
    """Epochs, batch size and seeds as Python's own whole numbers, numpy's taken too."""
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if not _is_whole(value) or value < 1:
            raise ValueError(f"{name} must be a whole number, at least 1; got {value!r}.")
    if not 0 < lr < math.inf:
        raise ValueError(f"lr, the step size, must be a positive number such as 1e-3; got {lr!r}.")
    for seed in seeds:
        if not _is_whole(seed):
            raise TypeError(f"a seed must be a whole number; got {seed!r}.")
    return operator.index(epochs), operator.index(batch_size), [operator.index(seed) for seed in seeds]


def _is_whole(value) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool | Tensor)


def _check_company(models: list[nn.Module], seeds: Sequence[int], betas: Sequence[float] | None) -> None:
    if not models:
        raise ValueError("fit_many needs at least one model; the list is empty.")
    for name, values in (("seeds", seeds), ("betas", models if betas is None else betas)):
        if len(values) != len(models):
            raise ValueError(f"{name} needs one entry for each of {len(models)} models; got {len(values)}.")
    if len({id(model) for model in models}) < len(models):
        raise ValueError("the same model is in the list twice: make each of them anew.")
    if any(weight.device.type != "cpu" for model in models for weight in model.parameters()):
        raise ValueError("models trained together must lie on the CPU: use fit for those on another device.")
    if len({(type(model), *_tensors(model)) for model in models}) > 1:
        raise ValueError(
            "models trained together must be of one class with the same layers, and these are not: use fit."
        )


def _sources(data, held_out: Tensor | None, like: Tensor) -> tuple[_Rows, _Rows | None]:
    """The rows to learn from, and those to judge by, or None."""
    judged = None if held_out is None else _tensor_rows("held_out", held_out, like)
    if not isinstance(data, Dataset):
        return _tensor_rows("data", data, like), judged
    if data.raw.is_floating_point():
        _check_finite(data.name, data.raw)
    if not len(data.train_index):
        raise ValueError(f"{data.name} has no rows to learn from: its train_index is empty.")
    if judged is None and len(data.held_out_index):
        judged = _dataset_rows(data, data.held_out_index, like)
    return _dataset_rows(data, data.train_index, like), judged


def _dataset_rows(data: Dataset, index: Tensor, like: Tensor) -> _Rows:
    return _Rows(lambda at: data.rows(index[at]).to(like), len(index))


def _tensor_rows(name: str, x: Tensor, like: Tensor) -> _Rows:
    if not isinstance(x, Tensor):
        raise TypeError(
            f"{name} should be a Dataset or a float tensor of shape (n, D), got a {type(x).__name__}: {_as_tensor(x)}"
        )
    if not x.is_floating_point():
        raise TypeError(f"{name} holds {x.dtype}, not floats: scale it first, for example x / 255 for bytes.")
    if x.ndim != 2 or not x.numel():
        raise ValueError(
            f"{name} should have shape (n, D) with at least one row and one column, got {tuple(x.shape)}: "
            "x.reshape(len(x), -1) makes each example one row."
        )
    _check_finite(name, x)
    x = x.detach().to(like.dtype)
    return _Rows(lambda at: x[at].to(like), len(x))


def _as_tensor(x: object) -> str:
    """How to make a tensor of what was given in its place."""
    if isinstance(x, torch.utils.data.DataLoader | torch.utils.data.Dataset):
        return "hand over the tensor that holds all its examples, one a row; fit makes batches itself."
    return "torch.as_tensor(np.asarray(x), dtype=torch.float32) makes a tensor of an array, a list or a DataFrame."


def _check_finite(name: str, x: Tensor) -> None:
    if x.sum().isfinite():  # needs no memory, and one number that is not finite would spoil it
        return
    if (bad := ~x.isfinite()).any():
        row, column = bad.nonzero()[0].tolist()
        raise ValueError(
            f"{int(bad.sum())} of the {x.numel()} numbers in {name} are NaN or infinite, "
            f"the first in row {row}, column {column}."
        )


def _check_loss(model: nn.Module, loss: Loss, rows: _Rows, seed: int) -> None:
    """Try the loss on two rows, and say in a sentence what is wrong."""
    try:
        value = _trial(model, loss, rows, seed)
    except RuntimeError as error:
        raise ValueError(_mismatch(model, rows[torch.arange(1)], error)) from error
    if not value.requires_grad:
        raise ValueError(
            "the loss does not depend on the model's parameters: was it detached, computed under no_grad, or "
            "without the model?"
        )


def _check_last_batch(model: nn.Module, loss: Loss, rows: _Rows, batch_size: int, seed: int) -> None:
    """Try a last batch of one row on a copy that learns: batch normalisation, for one, has no variance there."""
    n = len(rows)
    if n % batch_size != 1 and batch_size != 1:
        return
    try:
        with _own_randomness(seed):
            loss(copy.deepcopy(model).train(), rows[torch.arange(1)])
    except (ValueError, RuntimeError) as error:
        raise ValueError(
            f"with {_count(n, 'row')} and batch_size={batch_size} a batch has one row, on which this model or loss "
            f"cannot learn{_other_batches(n, batch_size)}. torch says: {_first_line(error)}"
        ) from error


def _other_batches(n: int, batch_size: int) -> str:
    """A batch size that leaves no row alone, the nearest below or the smallest above; nothing if there is none."""
    sizes = [*range(batch_size - 1, 1, -1), *range(batch_size + 1, n + 1)]
    fits = next((size for size in sizes if n % size != 1), None)
    return f": batch_size={fits} leaves no row alone" if fits else ""


def _trial(model: nn.Module, loss: Loss, rows: _Rows, seed: int) -> Tensor:
    """The loss on the first two rows, in evaluation mode, always by the same noise."""
    with _modes_kept(model), _own_randomness(seed):
        return _parts(loss(model.eval(), rows[torch.arange(min(2, len(rows)))]))["loss"]


def _mismatch(model: nn.Module, x: Tensor, error: RuntimeError) -> str:
    takes = [module.in_features for module in model.modules() if isinstance(module, nn.Linear)]
    layer = f"; the model's first linear layer takes {takes[0]}" if takes and takes[0] != x.shape[1] else ""
    return f"the loss fails on rows of {x.shape[1]} numbers{layer}. torch says: {_first_line(error)}"
