"""One judge for every exercise that asks for a function of numbers: a task is data.

A task has a reference, the arguments it is tried on, what a right answer means, and *slips*: what wrong solutions give
for the same arguments, each with its name and the sentence that explains it. A slip explains an answer if both agree on
every case. The tests hand each slip in as an answer, and each must be refused by its own name.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from inspect import signature
from typing import NamedTuple

import numpy as np
import torch

from aelib.exercises.frame import NO_NUMBER, StudentError, Wrong, apart, array, exercise, function, sentence

Parts = tuple[np.ndarray, ...]
"""An answer: the arrays that it is made of, mostly one."""


class Extreme(NamedTuple):
    """Arguments at the edge, tried when all else is right, and what is wrong with whoever fails there alone.

    why: the sentence, or a function of the answer's array to it. fits: of the answer's array, where more than one is right.
    planted: the wrong number that stands for the slip in the tests.
    """

    case: tuple
    slip: str
    why: str | Callable[[np.ndarray], str]
    fits: Callable[[np.ndarray], bool] | None = None
    planted: float = np.nan


@dataclass
class Task:
    """What is asked, and what wrong answers look like.

    reference: a function of the arguments, in numpy; a list of values means that each is right.
    cases: (*arguments) each; arrays reach the student as float64 tensors, everything else as it is.
    slips: a function of the arguments to {name: (value, sentence)}; a list of values: one of them; None in a tuple: whatever.
    rule: what is said when no slip fits. right: what is said of a right answer, or a function of the expected values to it.
    called, names: what the sentences call the answer, and the parts of an answer that is a tuple.
    where: a function of the arguments to the words that tell a case, "for K = 3".
    rtol, atol: of the largest number, and at least; the fourth decimal may be rounded.
    truths: the answer is made of True and False.
    also: is called with an answer whose numbers are right, and may raise ``Wrong``.
    words: what stands in a sentence for some of the numbers, {-1: "None"}.
    read: makes an array's forerunner of what the student returned, or raises ``Wrong``.
    as_good: a function of an answer's array and the arguments: whether it is right although it is not the reference.
    """

    reference: Callable
    cases: Sequence[tuple]
    slips: Callable[..., dict[str, tuple]]
    rule: str
    right: str | Callable[[list], str]
    called: str = "your answer"
    names: tuple[str, ...] = ()
    unit: str = ""
    where: Callable[..., str] = lambda *_: ""
    extremes: Sequence[Extreme] = ()
    rtol: float = 1e-4
    atol: float = 6e-5
    truths: bool = False
    also: Callable[[Callable], None] = lambda answer: None
    words: dict[float, str] = field(default_factory=dict)
    read: Callable = lambda given: given
    as_good: Callable[..., bool] = lambda *_: False

    @cached_property
    def wants(self) -> list[list[Parts]]:
        """Of each case every right answer."""
        return [self._alternatives(self.reference(*case)) for case in self.cases]

    @cached_property
    def _tables(self) -> list[dict[str, tuple]]:
        """The slips of each case."""
        with np.errstate(all="ignore"):
            return [self.slips(*case) for case in self.cases]

    def __call__(self, answer) -> str:
        answer = function(answer)
        got = [self._given(answer, case) for case in self.cases]
        wrong = [k for k in range(len(self.cases)) if not self._is_right(got[k], k)]
        if wrong:
            raise self._explained(answer, got, wrong[0])
        for extreme in self.extremes:
            self._judge_extreme(answer, extreme)
        self.also(answer)
        first = [wants[0] if self.names else wants[0][0] for wants in self.wants]
        return self.right if isinstance(self.right, str) else self.right(first)

    def _is_right(self, got: Parts, k: int) -> bool:
        """Whether this answers case k."""
        return any(self._same(got, want) for want in self.wants[k]) or self.as_good(*got, *self.cases[k])

    def _alternatives(self, value) -> list[Parts]:
        several = value if isinstance(value, list) else [value]
        numbers = lambda part: None if part is None else np.asarray(part, dtype=float)  # noqa: E731
        return [tuple(map(numbers, one if self.names else (one,))) for one in several]

    def _given(self, answer: Callable, case: tuple) -> Parts:
        given = answer(*(torch.tensor(a) if isinstance(a, np.ndarray) else a for a in case))
        return tuple(map(array, self._taken_apart(self.read(given)), self.names or (self.called,)))

    def _taken_apart(self, given) -> Sequence:
        if not self.names:
            return (given,)
        n_given = len(given) if isinstance(given, tuple | list) or getattr(given, "ndim", 0) else 1
        if n_given != len(self.names):
            came = "one thing, which may be what they make together" if n_given == 1 else f"{n_given} things"
            raise Wrong(
                f"Return {len(self.names)} things apart, as a tuple: {', '.join(self.names)}. You returned {came}.",
                "other parts",
            )
        return given

    def _same(self, got: Parts, want: Parts) -> bool:
        return all(one is None or self._close(ours, one) for ours, one in zip(got, want, strict=True))

    def _close(self, got: np.ndarray, want: np.ndarray) -> bool:
        if want.size == got.size == 1:
            got = got.reshape(want.shape)  # (1,) is as good as ()
        largest = np.abs(want[np.isfinite(want)]).max(initial=0)
        near = max(self.atol, self.rtol * largest)
        return got.shape == want.shape and np.allclose(got, want, rtol=0, atol=near, equal_nan=True)

    def _judge_extreme(self, answer: Callable, extreme: Extreme) -> None:
        with np.errstate(all="ignore"):
            wants = self._alternatives(self.reference(*extreme.case))
        try:
            got = self._given(answer, extreme.case)
        except StudentError as error:
            if not isinstance(error.__cause__, ArithmeticError | ValueError):
                raise
            got = (
                np.full_like(wants[0][0], np.nan),
                *wants[0][1:],
            )  # plain Python stops where torch gives nan
        fits = extreme.fits(got[0]) if extreme.fits else any(self._same(got, want) for want in wants)
        if not fits:
            why = extreme.why if isinstance(extreme.why, str) else extreme.why(got[0])
            raise Wrong(self._difference(extreme.case, got, wants[0]) + why, extreme.slip)

    def _explained(self, answer: Callable, got: list[Parts], first: int) -> Wrong:
        case, want = self.cases[first], self.wants[first][0]
        said = self._difference(case, got[first], want)
        told = self._told(got[first], want)
        for name, why, values in self._slipped(first):
            if values[first][told] is not None and all(map(self._same, got, values)):
                return Wrong(said + why, name)
        if self.truths and not np.isin(got[first][0], (0, 1)).all():
            return Wrong(
                f"{sentence(self.called)} should hold True and False: a comparison gives them.",
                "no truth values",
            )
        if got[first][0].shape == want[0].T.shape != want[0].shape and self._close(got[first][0].T, want[0]):
            return Wrong(said + "the numbers are right, and the table is transposed.", "transposed")
        if not all(np.isfinite(part).all() for part in got[first]):
            return Wrong(said + NO_NUMBER, "not a number")
        if not self._same(self._given(answer, case), got[first]):
            return Wrong(
                said
                + "two calls with the same arguments give different numbers. "
                + self._instead_of_draws(),
                "random",
            )
        return Wrong(said + self.rule)

    def _instead_of_draws(self) -> str:
        if "eps" in signature(self.reference).parameters:
            return "Use the noise that is given, and draw none."
        return "The answer is exact: draw no random numbers."

    def _difference(self, case: tuple, got: Parts, want: Parts) -> str:
        """ "For K = 3 you got 1.2346, expected 2.3457 nats: ", of the part and the entry that is farthest off."""
        where = f"{self.where(*case)} " if self.where(*case) else ""
        k = self._told(got, want)
        name = f"your {self.names[k]}" if self.names else self.called
        ours, one = got[k], want[k]
        if ours.shape != one.shape and not ours.size == one.size == 1:
            shapes = "one number" if one.shape == () else f"shape {one.shape}"
            return sentence(f"{where}{name} should have {shapes}, but it has shape {ours.shape}: ").replace(
                "have one", "be one"
            )
        if self.truths:
            return sentence(f"{where}you say {ours.astype(int)}, expected {one.astype(int)}: ")
        place = np.unravel_index(
            np.argmax(np.nan_to_num(np.abs(ours.reshape(one.shape) - one), nan=np.inf)), one.shape
        )
        pair = ours.reshape(one.shape)[place], one[place]
        left, right = (self.words.get(value, shown) for value, shown in zip(pair, apart(*pair), strict=True))
        entry = f" at {[int(i) for i in place]}" if one.ndim else ""
        verb = f"{name}{entry} is" if self.names or one.ndim else "you got"
        return sentence(f"{where}{verb} {left}, expected {right}{self.unit}: ")

    def _told(self, got: Parts, want: Parts) -> int:
        """The first part that is wrong."""
        return next((k for k, pair in enumerate(zip(got, want, strict=True)) if not self._close(*pair)), 0)

    def _slipped(self, told: int = 0) -> Iterator[tuple[str, str, list[Parts]]]:
        """Of each slip its name, its sentence in the case that is told of, and what it gives for every case."""
        for name in self._tables[0]:
            values = [self._alternatives(table[name][0]) for table in self._tables]
            for several in zip(*values, strict=True):
                yield name, self._tables[told][name][1], list(several)

    def planted(self) -> Iterator[tuple[str, Callable]]:
        """Every slip: its name, and a student's function that makes it."""
        for name, _, values in self._slipped():
            yield name, self._as_answer(values)
        rights = [wants[0] for wants in self.wants]
        for k, extreme in enumerate(self.extremes):
            wrong = tuple(np.full_like(part, extreme.planted) for part in rights[0])
            before = [self._alternatives(self.reference(*one.case))[0] for one in self.extremes[:k]]
            yield extreme.slip, self._as_answer([*rights, *before, wrong])

    def _as_answer(self, values: list[Parts]) -> Callable:
        parts = (
            [part if part is not None else right for part, right in zip(*pair, strict=True)]
            for pair in zip(
                values, [wants[0] for wants in self.wants] + values[len(self.cases) :], strict=True
            )
        )
        answers = iter([tuple(map(torch.tensor, one)) for one in parts])
        return lambda *_: next(answers) if self.names else next(answers)[0]


def task(number: str, **parts) -> Callable[[Callable], Callable]:
    """Decorate a reference: the exercise with this number, judged by a ``Task`` of these parts."""

    def decorate(reference: Callable) -> Callable:
        judge = Task(reference, **parts)
        check = lambda answer: judge(answer)  # noqa: E731
        check.__name__, check.__doc__, check.__module__ = (
            reference.__name__,
            reference.__doc__,
            reference.__module__,
        )
        done = exercise(number)(check)
        done.task = judge
        return done

    return decorate


def line(**parts) -> Callable[[Callable], Task]:
    """Decorate the reference of one line of a derivation."""
    return lambda reference: Task(reference, **parts)
