"""The bench on which a network learns in the page: its arithmetic against torch in three engines, and what a reader does."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from aelib.data import digits, shapes, tones
from aelib.widgets.base import FOLDER
from aelib.widgets.training_bench import LATENT_DIMS, TrainingBench
from tests.bench import BATCH, WIDTH, expected, flat, losses, network, train, weights
from tests.browser.conftest import MOUNT, STUB, saved_state
from tests.browser.engines import ENGINES, READY
from tests.browser.table import says, shown, training_bench

STEPS = (1, 10, 100)
LEARN = """(async ({ latents, noiseVar, weights, x, noise, order, lr, beta, steps }) => {
  const rows = order[0].length;
  const network = init({ inputs: x[0].length, width: WIDTH, latents, noiseVar }, () => 0);
  const trace = makeTrace(network, rows);
  network.weights.set(weights);
  const seen = {};
  const pass = (step) => [Float64Array.from(order[step].flatMap((n) => x[n])), Float64Array.from(noise[step]), trace];
  for (let step = 0; step < Math.max(...steps); step += 1) {
    const { reconstruction, kl } = forward(network, ...pass(step));
    backward(network, ...pass(step), beta);
    adamStep(network, lr);
    if (!steps.includes(step + 1)) continue;
    seen[step + 1] = { reconstruction, kl, gradient: [...network.gradient], weights: [...network.weights] };
    forward(network, ...pass(step));
    seen[step + 1].xHat = [...trace.xHat];
  }
  return seen;
})""".replace("WIDTH", str(WIDTH))
PAGE = """<!doctype html><meta charset="utf-8"><title>Arithmetic</title>
<script type="application/json" id="cases">{cases}</script>
<script type="module">{learning}
const cases = JSON.parse(document.querySelector("#cases").textContent);
window.learn = (name) => ({learn})(cases[name]);
window.ready = true;
</script>"""
CASES = {
    "an autoencoder": {"variational": False, "latents": 2, "lr": 0.005, "beta": 1.0},
    "a VAE": {"variational": True, "latents": 2, "lr": 0.005, "beta": 1.0},
    "one number": {"variational": False, "latents": 1, "lr": 0.02, "beta": 1.0},
    "a VAE with a weight": {"variational": True, "latents": 8, "lr": 0.001, "beta": 5.0},
}


# ---- the arithmetic, in three engines ----------------------------------------------------------------------


def made(case: dict) -> tuple[dict, dict]:
    """What is handed to the page, and what torch makes of the same weights, noise and batches."""
    generator = torch.Generator().manual_seed(1)
    x, n_steps, k = digits().train[:300].double(), max(STEPS), case["latents"]
    order = [torch.randperm(len(x), generator=generator)[:BATCH] for _ in range(n_steps)]
    noise = torch.randn(n_steps, BATCH, k, generator=generator, dtype=torch.float64)
    model, seen = network(case["variational"], k), {}
    handed = {
        "latents": k, "noiseVar": 0.05 if case["variational"] else None, "weights": flat(weights(model)).tolist(),
        "x": x.tolist(), "noise": noise.flatten(1).tolist(), "order": [rows.tolist() for rows in order],
        "lr": case["lr"], "beta": case["beta"], "steps": STEPS,
    }  # fmt: skip

    def watch(step: int, parts: dict) -> None:
        if step in STEPS:
            kept = {name: parts[name] for name in ("reconstruction", "kl")}
            gradient = flat([tensor.grad for tensor in weights(model)])
            with torch.no_grad():
                losses(model, x[order[step - 1]], noise[step - 1], 1.0)
                x_hat = model(x[order[step - 1]]).flatten().numpy()
            seen[step] = {**kept, "gradient": gradient, "weights": flat(weights(model)), "xHat": x_hat}

    batches = ((x[rows], eps, case["beta"]) for rows, eps in zip(order, noise, strict=True))
    train(model, batches, case["lr"], watch)
    return handed, seen


@pytest.fixture(scope="module")
def by_torch() -> dict[str, tuple[dict, dict]]:
    return {name: made(case) for name, case in CASES.items()}


@pytest.fixture(scope="module")
def arithmetic(by_torch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with learning.js as it is written, and the numbers to hand to it."""
    file = tmp_path_factory.mktemp("arithmetic") / "learning.html"
    cases = json.dumps({name: handed for name, (handed, _) in by_torch.items()})
    learning = (FOLDER / "learning.js").read_text(encoding="utf-8")
    file.write_text(PAGE.format(cases=cases, learning=learning, learn=LEARN), encoding="utf-8")
    return file


def compare(found: dict, wanted: dict) -> None:
    assert sorted(map(int, found)) == sorted(wanted)
    for step, parts in wanted.items():
        for name, value in parts.items():
            theirs = found[str(step)][name]
            np.testing.assert_allclose(theirs, value, rtol=1e-4, atol=1e-6, err_msg=f"{name}, step {step}")


@pytest.mark.parametrize("name", CASES)
def test_chromium_computes_what_torch_computes(plain_page, arithmetic, by_torch, name):
    page = plain_page.new_page(400, 300, "light", False)
    page.goto(arithmetic.as_uri())
    page.wait_for_function("window.ready")
    compare(page.evaluate("(name) => learn(name)", name), by_torch[name][1])


@pytest.fixture(scope="module", params=list(ENGINES))
def other_engine(request: pytest.FixtureRequest, arithmetic: Path) -> Iterator:
    try:
        with ENGINES[request.param]() as engine:
            engine.open(arithmetic, 400, 300)
            engine.run(READY)
            yield engine
    except LookupError as missing:
        (pytest.fail if os.environ.get("AELIB_REQUIRE_BROWSER") else pytest.skip)(str(missing))


@pytest.mark.parametrize("name", CASES)
def test_other_engines_compute_what_torch_computes(other_engine, by_torch, name):
    compare(other_engine.run(f"learn({json.dumps(name)})"), by_torch[name][1])


# ---- what a reader does ------------------------------------------------------------------------------------


def press(page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def epochs(page) -> float:
    return float(shown(page)["epochs"])


def run_for(page, more: float) -> None:
    """Run until so many more epochs are over, and pause."""
    goal = epochs(page) + more
    press(page, "Run")
    page.wait_for_function(
        "(goal) => Number(document.querySelector('.ae-card').dataset.epochs) >= goal", arg=goal
    )
    press(page, "Pause")


@pytest.mark.parametrize("variational", [False, True])
def test_steps_across_an_epoch_are_those_of_torch(plain_page, variational):
    bench = training_bench(variational=variational, latent_dim=4, lr=0.01, beta=2.0, seed=3)
    page = plain_page.mount(bench)
    for _ in range(8):
        press(page, "One step")
    now = shown(page)
    for name, value in expected(bench, steps=8).items():
        assert float(now[name]) == pytest.approx(value, rel=1e-9), name
    assert "After 1.3 epochs with K = 4 " in says(page)


@pytest.mark.parametrize("variational", [False, True])
def test_it_learns_and_a_pause_is_a_pause(plain_page, variational):
    page = plain_page.mount(training_bench(variational=variational))
    before = float(shown(page)["reconstruction"])
    run_for(page, 12)
    after = shown(page)
    assert float(after["reconstruction"]) < before / 3 and after["running"] == "false"
    page.wait_for_timeout(400)
    assert shown(page) == after
    assert f"After {float(after['epochs']):.1f}".removesuffix(".0") in says(page)
    run_for(page, 1)
    assert epochs(page) > float(after["epochs"])


def test_nothing_runs_by_itself(plain_page):
    page = plain_page.mount(training_bench())
    page.wait_for_timeout(500)
    assert epochs(page) == 0 and shown(page)["running"] == "false"


def test_reset_gives_the_same_numbers_again(plain_page):
    page, runs = plain_page.mount(training_bench(variational=True)), []
    for _ in range(2):
        for _ in range(9):
            press(page, "One step")
        runs.append((shown(page), says(page), page.locator(".ae-plane").inner_html()))
        press(page, "Reset")
        assert epochs(page) == 0
    assert runs[0] == runs[1]


def test_rate_and_weight_change_while_it_runs_and_another_code_size_begins_anew(plain_page):
    page = plain_page.mount(training_bench(variational=True))
    press(page, "Run")
    for name, key, figure, value in (("Learning rate", "Home", "lr", 1e-4), ("β", "Home", "beta", 0)):
        page.get_by_role("slider", name=name).focus()
        page.keyboard.press(key)
        assert float(shown(page)[figure]) == value and shown(page)["running"] == "true"
    page.get_by_role("radio", name="K = 16").check(force=True)
    now = shown(page)
    assert (now["latentDim"], now["epochs"], now["running"]) == ("16", "0", "false")
    plain_page.wait_until_saved(page, lr=1e-4, beta=0, latent_dim=16)
    kept = {name for saved in page.evaluate("model.saved") for name in saved}
    assert kept == {"lr", "beta", "latent_dim"}


@pytest.mark.parametrize("variational", [False, True])
def test_steps_that_are_too_long_are_told(plain_page, variational):
    page = plain_page.mount(training_bench(variational=variational, lr=10.0))
    press(page, "Run")
    page.wait_for_function("document.querySelector('.ae-card').dataset.diverged === 'true'")
    told = says(page)
    assert told.startswith(
        "The training diverged in epoch 1: at a learning rate of 10 the steps are too long"
    )
    assert told.endswith("Choose a smaller learning rate and press Reset.")
    stopped = shown(page)
    assert stopped["running"] == "false"
    for name in ("Run", "One step"):
        button = page.get_by_role("button", name=name)
        assert button.get_attribute("aria-disabled") == "true"
        button.click(force=True)
        assert shown(page) == stopped
    page.get_by_role("slider", name="Learning rate").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    press(page, "Reset")
    run_for(page, 3)
    assert shown(page)["diverged"] == "false" and "diverged" not in says(page)


def test_a_rate_that_only_harms_is_no_divergence(plain_page):
    """At 0.2 the loss jumps and comes down again, to that of the mean digit: it is not called divergence."""
    page = plain_page.mount(training_bench(lr=0.2))
    run_for(page, 20)
    assert shown(page)["diverged"] == "false"


def test_it_stops_after_the_last_epoch(plain_page):
    page = plain_page.mount(training_bench(most_epochs=3))
    press(page, "Run")
    page.wait_for_function("document.querySelector('.ae-card').dataset.running === 'false'")
    assert epochs(page) == 3 and says(page).endswith("Training stops after 3 epochs.")
    press(page, "Reset")
    assert page.get_by_role("button", name="Run").get_attribute("aria-disabled") == "false"


@pytest.mark.parametrize("calm", [False, True])
def test_out_of_view_it_waits(plain_page, calm):
    """It goes on when it is back in view; where no motion is wanted, only if it is asked again."""
    page = plain_page.mount(training_bench(), own=True)
    page.emulate_media(reduced_motion="reduce" if calm else "no-preference")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('div'), { style: 'height: 4000px' }))"
    )
    press(page, "Run")
    page.wait_for_function("document.querySelector('.ae-card').dataset.epochs > 0")
    page.evaluate("scrollTo(0, 3500)")
    page.wait_for_timeout(500)
    away = epochs(page)
    page.wait_for_timeout(400)
    assert epochs(page) == away
    page.evaluate("scrollTo(0, 0)")
    if calm:
        page.wait_for_timeout(400)
        assert epochs(page) == away and page.get_by_role("button", name="Run").count() == 1
    else:
        page.wait_for_function("(away) => document.querySelector('.ae-card').dataset.epochs > away", arg=away)


@pytest.mark.parametrize("latent_dim", LATENT_DIMS)
def test_every_code_has_its_numeral(plain_page, latent_dim):
    """As many numerals as held-out digits; two numbers of the code are named, or one and the digit's class."""
    bench = training_bench(latent_dim=latent_dim)
    page = plain_page.mount(bench)
    press(page, "One step")
    numerals = page.locator(".ae-tb-numeral")
    assert numerals.text_content() == "".join(map(str, bench.labels))
    assert len(numerals.get_attribute("x").split()) == len(bench.labels) == 100
    words = page.locator(".ae-plane .ae-tick").all_text_contents()
    assert ("the digit’s class" in words) == (latent_dim == 1) and words[0].startswith("code ")


@pytest.mark.parametrize("variational", [False, True])
@pytest.mark.parametrize(("width", "most"), [(850, 600), (934, 540), (1264, 640)])
def test_it_fits_one_screen_also_when_it_has_diverged(plain_page, variational, width, most):
    page = plain_page.mount(training_bench(variational=variational, lr=10.0), width=width + 16, height=720)
    card = page.locator(".ae-card")
    assert card.evaluate("node => node.getBoundingClientRect().height") <= most
    press(page, "Run")
    page.wait_for_function("document.querySelector('.ae-card').dataset.diverged === 'true'")
    assert card.evaluate("node => node.getBoundingClientRect().height") <= most


@pytest.mark.parametrize(
    "damage",
    [{"seed": "poem"}, {"noise_var": -1}, {"latent_dim": 3}, {"lr": None}, {"beta": "1"}, {"labels": [1]}],
    ids=str,
)
def test_a_damaged_state_is_told(plain_page, damage):
    saved = saved_state(training_bench(variational=True))
    saved["state"] |= damage
    page = plain_page.mount_saved(saved)
    assert "what is saved of it is damaged" in page.get_by_role("alert").text_content()


def test_what_it_cannot_train_on_is_told_in_a_sentence():
    for odd in (tones(), shapes(600), replace(digits(), labels=None)):
        with pytest.raises(ValueError, match=f"trains on labelled 8 x 8 pictures; {odd.name} has"):
            TrainingBench.from_data(odd)
    with pytest.raises(
        ValueError, match=r"needs 300 training and 100 held-out examples; digits has 200 and 359"
    ):
        TrainingBench.from_data(replace(digits(), train_index=digits().train_index[:200]))


def test_two_on_a_page_train_side_by_side(plain_page):
    page = plain_page.mount(training_bench(), own=True)
    page.evaluate(
        "el.removeAttribute('id'); document.querySelector('main').append(Object.assign(document.createElement('div'), { id: 'el' }))"
    )
    page.evaluate(MOUNT, [STUB, saved_state(training_bench(variational=True))])
    page.evaluate("document.querySelectorAll('.ae-tb-run').forEach((run) => run.click())")
    page.set_viewport_size({"width": 900, "height": 1300})
    page.wait_for_function(
        "[...document.querySelectorAll('.ae-card')].every(({ dataset }) => dataset.epochs > 1)"
    )
