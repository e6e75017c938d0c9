"""Lesson 08's slider over β: its figures against Python's, its sentence, its controls."""

from __future__ import annotations

import pytest

from aelib.data import digits
from aelib.models import VAE
from aelib.objectives import neg_elbo
from aelib.training import fit_many
from aelib.widgets.beta_slider import BetaSlider

BETAS = [0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 50.0]


@pytest.fixture(scope="module")
def models() -> list[VAE]:
    models = [VAE(64, 4, hidden=(32,), noise_var=0.05, seed=0) for _ in BETAS]
    fit_many(
        models,
        digits(),
        epochs=8,
        lr=0.01,
        seeds=[0] * len(BETAS),
        betas=BETAS,
        loss=neg_elbo,
        progress=False,
    )
    return models


@pytest.fixture
def board(models) -> BetaSlider:
    return BetaSlider.from_models(digits(), models, BETAS)


def shown(page) -> dict[str, str]:
    return page.evaluate("({ ...document.querySelector('section').dataset })")


@pytest.mark.parametrize("index", range(len(BETAS)))
def test_shows_what_python_computes(plain_page, board, index):
    board.index, board.chosen_set = index, index % 6
    page = plain_page.mount(board)
    now, expected = shown(page), board.now()
    for mine, theirs in (
        ("beta", "beta"),
        ("rate", "rate"),
        ("error", "error"),
        ("distance", "distance"),
        ("sigma", "sigma"),
    ):
        assert float(now[mine]) == pytest.approx(expected[theirs], rel=1e-9)
    assert int(now["inUse"]) == expected["in_use"]
    assert float(now["ink"]) == pytest.approx(board.array("drawings")[index, index % 6].sum(), rel=1e-9)
    said = page.locator(".ae-says").text_content()
    nearest = board.array("numbers")[:, 1].argmin() == index
    assert ("the nearest of all these β" in said) == nearest
    assert f"{expected['distance']:.2f} times as far" in said
    assert ("none of the 4 latents" in said) == (expected["in_use"] == 0)


def test_keyboard_mouse_button_and_what_is_saved(plain_page, board):
    page = plain_page.mount(board)
    assert shown(page)["beta"] == "1"
    before = page.locator(".ae-strip").nth(1).screenshot()
    page.get_by_role("slider", name="β").focus()
    page.keyboard.press("Home")
    assert shown(page)["beta"] == "0.01"
    assert page.locator(".ae-strip").nth(1).screenshot() != before
    drawn = page.locator(".ae-strip").nth(2).screenshot()
    page.get_by_role("button", name="Other codes").click()
    assert shown(page)["chosenSet"] == "1"
    assert page.locator(".ae-strip").nth(2).screenshot() != drawn
    box = page.locator(".ae-chart").first.bounding_box()
    page.mouse.click(box["x"] + 36, box["y"] + 60)
    assert float(shown(page)["beta"]) >= 5
    page.wait_for_function("model.saved.at(-1)?.index >= 7")


def test_touch_on_the_curve(plain_page, board):
    page = plain_page.mount(board, width=360, touch=True)
    box = page.locator(".ae-chart").first.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 22, box["y"] + 0.6 * box["height"])
    assert float(shown(page)["beta"]) <= 0.05


@pytest.mark.parametrize(("theme", "width"), [("light", 1100), ("dark", 1100), ("light", 320), ("dark", 320)])
def test_accessible_and_narrow(plain_page, accessible, board, theme, width):
    page = plain_page.mount(board, theme=theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    accessible(page)


def test_what_does_not_fit_is_told_in_a_sentence(models):
    with pytest.raises(ValueError, match="one beta for each"):
        BetaSlider.from_models(digits(), models, BETAS[:3])
    with pytest.raises(ValueError, match="should be positive"):
        BetaSlider.from_models(digits(), models, [0.0, *BETAS[1:]])
    with pytest.raises(ValueError, match="differ in beta only"):
        BetaSlider.from_models(digits(), [models[0], VAE(64, 3, noise_var=0.05)], [1.0, 2.0])


def test_order_of_the_models_does_not_matter(models):
    forward = BetaSlider.from_models(digits(), models[:3], BETAS[:3])
    backward = BetaSlider.from_models(digits(), models[2::-1], BETAS[2::-1])
    assert forward.arrays == backward.arrays and forward.betas == backward.betas
