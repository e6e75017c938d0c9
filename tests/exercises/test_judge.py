"""The judge: each slip of each task plants itself, and is refused by its own name; right answers in other clothes pass."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch

from aelib.exercises.frame import verdict_on
from aelib.exercises.judge import Extreme, Task
from publish.lesson import lessons


def tasks() -> dict[str, Task]:
    """ "lesson07.diagonal_kl" → its task, the lines of the derivations among them."""
    found = {}
    for path in lessons():
        name = f"lesson{path.name[:2]}"
        try:
            module = importlib.import_module(f"aelib.exercises.{name}")
        except ModuleNotFoundError:
            continue
        for key, value in vars(module).items():
            judge = value if isinstance(value, Task) else getattr(value, "task", None)
            if judge is not None:
                found[f"{name}.{key}"] = judge
    return found


TASKS = tasks()


def clothed(task: Task, wear) -> object:
    """The right answers of a task in the given clothes, case after case."""
    cases = [*task.cases, *(extreme.case for extreme in task.extremes), *task.cases[:1]]
    with np.errstate(all="ignore"):
        answers = iter([task._alternatives(task.reference(*case))[0] for case in cases])
    return lambda *_: tuple(map(wear, next(answers))) if task.names else wear(next(answers)[0])


@pytest.mark.parametrize("name", TASKS)
def test_every_slip_is_refused_by_its_own_name(name: str):
    planted = list(TASKS[name].planted())
    assert len(planted) >= 3
    for slip, answer in planted:
        verdict = verdict_on(TASKS[name], (answer,))
        assert (verdict.state, verdict.slip) == ("wrong", slip), verdict


WEAR = {
    "numpy": lambda part: part,
    "float32": lambda part: part.astype(np.float32),
    "with gradient": lambda part: torch.tensor(part, requires_grad=True),
    "plain": lambda part: part.tolist(),
    "numpy scalar": lambda part: part[()],
    "shape (1,)": lambda part: part.reshape(1) if part.size == 1 else part,
    "four decimals": lambda part: np.round(part, 4),
}
ASKS_MORE = {name for name, task in TASKS.items() if task.also is not Task.also}
"""The tasks that ask for more than numbers: a gradient."""


@pytest.mark.parametrize("name", sorted(TASKS.keys() - ASKS_MORE))
def test_right_answers_may_wear_other_clothes(name: str):
    for clothes, wear in WEAR.items():
        verdict = verdict_on(TASKS[name], (clothed(TASKS[name], wear),))
        assert verdict.state == "right", f"{clothes}: {verdict}"


def test_a_number_without_its_gradient_is_refused():
    assert len(ASKS_MORE) == 2
    for name in ASKS_MORE:
        assert verdict_on(TASKS[name], (clothed(TASKS[name], WEAR["with gradient"]),)).state == "right"
        plain = clothed(TASKS[name], WEAR["numpy"])
        assert verdict_on(TASKS[name], (plain,)).slip == "no gradient"


DOUBLE = Task(
    reference=lambda x: 2 * x,
    cases=[(np.array(1.0),), (np.array(3.0),)],
    slips=lambda x: {"square": (x**2, "that is the square."), "triple": (3 * x, "that is three times x.")},
    rule="take x twice.",
    right=lambda wants: f"Right: {wants[1]:g}.",
    extremes=[Extreme((np.array(0.0),), "log 0", "0 stays 0.")],
)


def test_a_slip_explains_all_cases_or_is_not_named():
    assert verdict_on(DOUBLE, (lambda x: 3 * x,)).slip == "triple"
    assert verdict_on(DOUBLE, (lambda x: x**2 if x < 2 else 5 * x,)).slip is None
    assert str(verdict_on(DOUBLE, (lambda x: x + 5,))) == "✗ You got 6, expected 2: take x twice."


def test_an_extreme_is_asked_for_when_all_else_is_right():
    import math

    assert verdict_on(DOUBLE, (lambda x: 2 * x,)).sentence == "Right: 6."
    assert verdict_on(DOUBLE, (lambda x: 2 * x if x else math.log(x),)).slip == "log 0"
    assert verdict_on(DOUBLE, (lambda x: 2 * x if x else math.nan,)).slip == "log 0"
    assert verdict_on(DOUBLE, (lambda x: 2 * x if x else [][0],)).state == "error"


def test_noise_is_named_where_it_is_given_and_only_there():
    given = verdict_on(TASKS["lesson05.draw"], (lambda mu, log_var, eps: torch.rand(mu.shape),))
    exact = verdict_on(TASKS["lesson14.exact_error"], (lambda W, bias, p: torch.rand(()),))
    assert given.slip == exact.slip == "random"
    assert "Use the noise that is given" in str(given)
    assert "noise" not in str(exact)


def test_two_numbers_never_print_alike():
    sentence = str(verdict_on(DOUBLE, (lambda x: 2 * x + 3e-4 * x,)))
    assert "2.0003, expected 2:" in sentence
