"""The frame that every exercise check stands in.

A check is a function that receives the student's answer and either returns a sentence (right, and what it means) or
raises ``Wrong`` with a sentence (how it differs, and the likely cause). ``@exercise`` turns it into something that
prints its verdict and never raises: an untouched stub is "not tried yet", and an exception inside the student's own
function is shown with *their* line.
"""

import functools
import linecache
import math
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

CHECKS: dict[str, Callable] = {}
"""Every exercise of the course: "01.5" → its check."""

LISTENERS: list[Callable[["Verdict"], "Verdict"]] = []
"""Each is shown the verdict on every answer, and gives it back, perhaps with more to say."""

NOT_TRIED = "Not tried yet: replace the `...` with your answer and run the cell again."
MARKS = {"not tried": "○", "right": "✓", "wrong": "✗", "error": "!"}


class Wrong(Exception):
    """Raised by a check with the sentence that the student reads, and the short name of the slip if it is known."""

    def __init__(self, sentence: str, slip: str | None = None) -> None:
        super().__init__(sentence)
        self.slip = slip


class StudentError(Exception):
    """Carries an exception out of the student's own code."""


@dataclass(frozen=True)
class Verdict:
    """What a check answers.

    state: "right", "wrong", "not tried" or "error". sentence: why, for the student to read. exercise: "07.2".
    slip: the short name of the mistake that explains a wrong answer, or None.
    """

    state: str
    sentence: str
    exercise: str = ""
    slip: str | None = None

    def __repr__(self) -> str:
        return f"{MARKS[self.state]} {self.sentence}"


def exercise(number: str) -> Callable[[Callable[..., str]], Callable[..., Verdict]]:
    """Decorate the check of the exercise with this number, "07.2"; see the module's text."""

    def decorate(check: Callable[..., str]) -> Callable[..., Verdict]:
        return _listed(number, check, lambda *answers: verdict_on(check, answers, number))

    return decorate


def page(
    number: str, parts: dict[str, Callable[..., str]], all_right: str, stand: str = "lines stand"
) -> Callable[..., Verdict]:
    """The check of an answer in several functions that are judged each on its own: one sentence each, slips named.

    parts: of each function what it is called, "line 1", and its check. all_right: what it means that all are right.
    stand: what is said of those that are right, after "2 of 5".
    """

    def in_parts(*answers) -> Verdict:
        if len(answers) != len(parts):
            return Verdict("wrong", f"This check takes {len(parts)} functions, in order.", number)
        judged = zip(parts.items(), answers, strict=True)
        verdicts = {name: verdict_on(check, (answer,), number) for (name, check), answer in judged}
        return _together(verdicts, all_right, stand)

    return _listed(number, in_parts, in_parts)


def _listed(number: str, check: Callable, judged: Callable[..., Verdict]) -> Callable[..., Verdict]:
    """The judge under the check's name, in the list of all; every listener is shown its verdicts."""

    @functools.wraps(check)
    def answer_back(*answers) -> Verdict:
        return functools.reduce(lambda verdict, listener: listener(verdict), LISTENERS, judged(*answers))

    answer_back.exercise = number
    CHECKS[number] = answer_back
    return answer_back


def verdict_on(check: Callable[..., str], answers: tuple, number: str = "") -> Verdict:
    """What a check says of these answers; it never raises."""
    if any(answer is ... for answer in answers):
        return Verdict("not tried", NOT_TRIED, number)
    try:
        return Verdict("right", check(*(watched(answer) for answer in answers)), number)
    except _Untouched:
        return Verdict("not tried", NOT_TRIED, number)
    except Wrong as wrong:
        return Verdict("wrong", str(wrong), number, wrong.slip)
    except StudentError as error:
        return Verdict("error", str(error), number)
    except Exception as error:  # the answer had a form that the check did not foresee
        return Verdict("wrong", _unexpected(error, answers), number)


def _together(verdicts: dict[str, Verdict], all_right: str, stand: str) -> Verdict:
    states = [verdict.state for verdict in verdicts.values()]
    first, *_ = verdicts.values()
    if set(states) == {"not tried"}:
        return first
    if set(states) == {"right"}:
        return replace(first, sentence=all_right)
    worst = next(state for state in ("error", "wrong", "not tried") if state in states)
    said = [f"    {name}: {_in_short(verdict)}" for name, verdict in verdicts.items()]
    head = f"{states.count('right')} of {len(verdicts)} {stand}."
    slips = (f"{name}: {verdict.slip}" for name, verdict in verdicts.items() if verdict.slip)
    return Verdict(worst, "\n".join([head, *said]), first.exercise, next(slips, None))


def _in_short(verdict: Verdict) -> str:
    words = "not tried yet." if verdict.state == "not tried" else verdict.sentence
    return f"{MARKS[verdict.state]} {words}"


NO_NUMBER = (
    "look for a division by zero, a logarithm of zero or of a negative number, the exponential of a large number, "
    "or the arccos of one above 1."
)


def sentence(words: str) -> str:
    """With a capital letter in front, unless a name of the code stands there."""
    opens = words.split(maxsplit=1)[0].isalpha() and not words.startswith(("mu ", "log_var ", "var "))
    return words[0].upper() + words[1:] if opens else words


def number(answer, name: str = "your answer") -> float:
    """The answer as one finite float, or a sentence about what it is instead."""
    value = array(answer, name)
    if value.size != 1:
        raise Wrong(sentence(f"{name} should be one number, but it has shape {value.shape}."))
    if not np.isfinite(value).all():
        raise Wrong(sentence(f"{name} is {float(value.reshape(()))}: {NO_NUMBER}"), "not a number")
    return float(value.reshape(()))


def array(answer, name: str = "your answer") -> np.ndarray:
    """The answer as a float64 array, or a sentence about what it is instead."""
    if answer is None:
        raise Wrong(sentence(f"{name} is None: does your function end with `return`?"), "no return")
    if hasattr(answer, "detach"):
        answer = answer.detach().cpu()
    kind = type(answer).__name__
    if isinstance(answer, tuple | list):
        answer = [part.detach().cpu() if hasattr(part, "detach") else part for part in answer]
    try:
        given = np.real_if_close(np.asarray(answer))
        values = None if given.dtype.kind == "c" else np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise Wrong(sentence(f"{name} should be made of numbers, but it is of type {kind}.")) from None
    if values is None:
        raise Wrong(sentence(f"{name} is made of complex numbers whose imaginary part is not 0."))
    if given.dtype.kind in "US":
        raise Wrong(sentence(f"{name} is text that looks like a number: return the number itself."))
    return values


def function(answer) -> Callable:
    """The answer as a function, or a sentence about what it is instead."""
    if not callable(answer) or isinstance(answer, type):
        raise Wrong(
            f"This check takes your function itself, without brackets, but it got {type(answer).__name__}."
        )
    return answer


def same_shape(got: np.ndarray, expected: np.ndarray, name: str) -> np.ndarray:
    """``got`` if it has the expected shape, or a sentence that names both shapes."""
    if got.shape != expected.shape:
        raise Wrong(f"{name} should have shape {expected.shape}, but it has shape {got.shape}.")
    return got


def first_slip(slips: dict[str, tuple[bool, str]], otherwise: str) -> Wrong:
    """The first slip that fits, of {name: (whether it fits, sentence)}, or the plain difference."""
    fitting = ((sentence, name) for name, (fits, sentence) in slips.items() if fits)
    return Wrong(*next(fitting, (otherwise, None)))


def apart(got: float, want: float) -> tuple[str, str]:
    """Two numbers with five digits, or with so many that they read differently."""
    for digits in range(5, 17):
        pair = _shown(got, digits), _shown(want, digits)
        if pair[0] != pair[1]:
            break
    return pair


def _shown(value: float, digits: int) -> str:
    digits = max(digits, len(f"{abs(value):.0f}"))
    return np.format_float_positional(value + 0.0, digits, unique=False, fractional=False, trim="-")


def close(got: float, expected: float, rtol: float = 1e-6, atol: float = 1e-9) -> bool:
    """Whether two numbers or arrays agree."""
    return bool(np.allclose(got, expected, rtol=rtol, atol=atol))


class _Untouched(Exception):
    pass


def watched(answer):
    """A student's function, wrapped so that its mistakes are told apart from the check's."""
    if not callable(answer) or isinstance(answer, type):
        return answer

    @functools.wraps(answer)
    def call(*args, **kwargs):
        args = [_copied(argument) for argument in args]  # who works in place changes nothing of the check's
        try:
            result = answer(*args, **kwargs)
        except Exception as error:
            raise StudentError(_their_line(error)) from error
        if result is ... or (result is None and _is_stub(answer)):
            raise _Untouched
        return result

    return call


def _copied(argument):
    """A tensor, an array or a list anew; anything else as it is."""
    if isinstance(argument, list):
        return list(argument)
    copy = getattr(argument, "clone" if hasattr(argument, "detach") else "copy", None)
    return copy() if copy and hasattr(argument, "dtype") else argument


def _is_stub(function: Callable) -> bool:
    """Whether the body is nothing but `...` and a docstring: then nothing of it is left in the compiled code."""
    code, empty = getattr(function, "__code__", None), (lambda: None).__code__
    return (
        code is not None
        and len(code.co_code) == len(empty.co_code)
        and set(code.co_consts) - {function.__doc__} <= {None, ...}
    )


def _their_line(error: Exception) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    if not frames:  # it was never entered
        return f"Your function could not be called with the arguments of the task: {error}"
    theirs = [
        frame for frame in frames if "site-packages" not in frame.filename and "aelib" not in frame.filename
    ]
    frame = (theirs or frames)[-1]
    line = (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()
    return f"Your code stopped at line {frame.lineno}, `{line}`, with {type(error).__name__}: {error}"


def _unexpected(error: Exception, answers: tuple) -> str:
    kinds = ", ".join(type(answer).__name__ for answer in answers)
    return f"The check could not read this answer (it got {kinds}): {type(error).__name__}: {error}"


def log_normal(at: np.ndarray, mean: np.ndarray | float, sd: np.ndarray | float) -> np.ndarray:
    """log N(at; mean, sd²) of each number: the checks' own, without importing scipy.stats, which costs 45 MB."""
    return -0.5 * ((at - mean) / sd) ** 2 - np.log(sd * math.sqrt(2 * math.pi))
