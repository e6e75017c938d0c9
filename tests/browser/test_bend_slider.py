"""Lesson 04's slider under PCA, a linear and a nonlinear autoencoder: its figures, its sentence, its controls."""

from __future__ import annotations

import numpy as np
import pytest

from aelib.data import digits
from aelib.models import LinearAutoencoder
from aelib.widgets.bend_slider import BendSlider
from tests.browser.table import bend_models, bend_slider, shown


def test_errors_are_those_of_scikit_learn_and_of_the_models():
    from sklearn.decomposition import PCA

    held_out = digits().held_out.numpy().astype(float)
    pca = PCA(8).fit(digits().train.numpy().astype(float))
    error = np.square(held_out - pca.inverse_transform(pca.transform(held_out))).mean()
    widget = bend_slider(split="held out")
    assert widget.shown_errors()[0] == pytest.approx(error, rel=1e-6)
    copies = bend_models()[1][8](digits().held_out).detach().numpy()
    assert widget.shown_errors()[2] == pytest.approx(np.square(held_out - copies).mean(), rel=1e-6)


def test_mouse_and_switch(plain_page):
    page = plain_page.mount(bend_slider(latent_dim=16))
    box = page.locator(".ae-chart").bounding_box()
    page.mouse.click(box["x"] + 60, box["y"] + box["height"] / 2)
    assert shown(page)["latentDim"] in ("1", "3")
    page.get_by_role("radio", name="held-out digits").click()
    assert shown(page)["split"] == "held out"
    plain_page.wait_until_saved(page, split="held out")


def test_a_perfect_copy_has_no_place_on_the_scale():
    perfect = {64: LinearAutoencoder(64, 64, tied=True)}
    with pytest.raises(ValueError, match="logarithmic scale"):
        BendSlider.from_models(digits(), perfect, {64: bend_models()[1][8]})
