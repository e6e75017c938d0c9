"""Lesson 08's slider over β: its figures against Python's, its sentence, its controls."""

from __future__ import annotations

import pytest

from aelib.data import digits
from aelib.models import VAE
from aelib.widgets.beta_slider import BetaSlider
from tests.browser.table import BETAS, beta_models, beta_slider, shown


def test_mouse_button_and_what_is_saved(plain_page):
    page = plain_page.mount(beta_slider())
    assert shown(page)["beta"] == "1"
    drawn = page.locator(".ae-strip").nth(2).screenshot()
    page.get_by_role("button", name="Other codes").click()
    assert shown(page)["chosenSet"] == "1"
    assert page.locator(".ae-strip").nth(2).screenshot() != drawn
    box = page.locator(".ae-chart").first.bounding_box()
    page.mouse.click(box["x"] + 36, box["y"] + 60)
    assert float(shown(page)["beta"]) >= 5
    page.wait_for_function("model.saved.at(-1)?.index >= 7")


def test_what_does_not_fit_is_told_in_a_sentence():
    models = beta_models()
    with pytest.raises(ValueError, match="one beta for each"):
        BetaSlider.from_models(digits(), models, BETAS[:3])
    with pytest.raises(ValueError, match="should be positive"):
        BetaSlider.from_models(digits(), models, [0.0, *BETAS[1:]])
    with pytest.raises(ValueError, match="differ in beta only"):
        BetaSlider.from_models(digits(), [models[0], VAE(64, 3, noise_var=0.05)], [1.0, 2.0])


def test_order_of_the_models_does_not_matter():
    models = beta_models()
    forward = BetaSlider.from_models(digits(), models[:3], BETAS[:3])
    backward = BetaSlider.from_models(digits(), models[2::-1], BETAS[2::-1])
    assert forward.arrays == backward.arrays and forward.betas == backward.betas
