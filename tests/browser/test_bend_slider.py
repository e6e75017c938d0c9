"""Lesson 04's slider under PCA, a linear and a nonlinear autoencoder: its figures, its sentence, its controls."""

from __future__ import annotations

import numpy as np
import pytest

from aelib.data import digits
from aelib.models import Autoencoder, LinearAutoencoder
from aelib.widgets.bend_slider import SPLITS, BendSlider

KS = [1, 3, 8, 16, 32]
SETTINGS = [(k, split) for k in KS for split in SPLITS]


@pytest.fixture(scope="module")
def models() -> tuple[dict, dict]:
    """PCA itself as the linear autoencoders, and untrained networks: every sort of ratio appears."""
    import torch

    x = digits().train.double()
    directions = torch.linalg.eigh(torch.cov(x.T)).eigenvectors.flip(1)
    linear = {k: LinearAutoencoder(64, k, tied=True, mean=x.mean(dim=0)) for k in KS}
    for k, model in linear.items():
        model.decoder[0].data = directions[:, :k] * (0.98 if k == 8 else 1.0)
    return linear, {k: Autoencoder(64, k) for k in KS}


@pytest.fixture
def bend_slider(models) -> BendSlider:
    return BendSlider.from_models(digits(), *models, latent_dim=8)


def shown(page) -> dict[str, str]:
    return page.evaluate("({ ...document.querySelector('section').dataset })")


@pytest.mark.parametrize(("latent_dim", "split"), SETTINGS)
def test_shows_what_python_computes(plain_page, bend_slider, latent_dim, split):
    bend_slider.latent_dim, bend_slider.split = latent_dim, split
    page = plain_page.mount(bend_slider)
    now = shown(page)
    got = [float(now[name]) for name in ("pca", "linear", "nonlinear")]
    np.testing.assert_allclose(got, bend_slider.shown_errors(), rtol=1e-9)
    text = page.locator(".ae-says").text_content()
    pca, linear, nonlinear = bend_slider.shown_errors()
    assert f"% {'below' if nonlinear < pca else 'above'} it" in text
    assert ("agrees with PCA" in text) == (abs(linear - pca) < 0.0005 * pca)


def test_errors_are_those_of_scikit_learn_and_of_the_models(bend_slider, models):
    from sklearn.decomposition import PCA

    held_out = digits().held_out.numpy().astype(float)
    pca = PCA(8).fit(digits().train.numpy().astype(float))
    error = np.square(held_out - pca.inverse_transform(pca.transform(held_out))).mean()
    bend_slider.split = "held out"
    assert bend_slider.shown_errors()[0] == pytest.approx(error, rel=1e-6)
    copies = models[1][8](digits().held_out).detach().numpy()
    assert bend_slider.shown_errors()[2] == pytest.approx(np.square(held_out - copies).mean(), rel=1e-6)


def test_keyboard_mouse_and_switch(plain_page, bend_slider):
    page = plain_page.mount(bend_slider)
    before = page.locator(".ae-strip").last.screenshot()
    page.get_by_role("slider", name="Code size K").focus()
    page.keyboard.press("ArrowRight")
    assert shown(page)["latentDim"] == "16"
    assert page.locator(".ae-strip").last.screenshot() != before
    box = page.locator(".ae-chart").bounding_box()
    page.mouse.click(box["x"] + 60, box["y"] + box["height"] / 2)
    assert shown(page)["latentDim"] in ("1", "3")
    page.get_by_role("radio", name="held-out digits").click()
    assert shown(page)["split"] == "held out"
    plain_page.wait_until_saved(page, split="held out")


def test_touch_on_the_curve(plain_page, bend_slider):
    page = plain_page.mount(bend_slider, width=360, touch=True)
    box = page.locator(".ae-chart").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 16, box["y"] + 0.5 * box["height"])
    assert shown(page)["latentDim"] == "32"


@pytest.mark.parametrize(("theme", "width"), [("light", 1100), ("dark", 1100), ("light", 320), ("dark", 320)])
def test_accessible_and_narrow(plain_page, accessible, bend_slider, theme, width):
    page = plain_page.mount(bend_slider, theme=theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    accessible(page)


def test_a_perfect_copy_has_no_place_on_the_scale(models):
    nonlinear = models[1]
    perfect = {64: LinearAutoencoder(64, 64, tied=True)}
    with pytest.raises(ValueError, match="logarithmic scale"):
        BendSlider.from_models(digits(), perfect, {64: nonlinear[8]})
