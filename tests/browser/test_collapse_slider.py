"""Lesson 10's slider of the noise under the best linear VAE: its figures, its sentence, its controls."""

from __future__ import annotations

import numpy as np
import pytest

from aelib.data import digits
from aelib.widgets.collapse_slider import CollapseSlider
from tests.browser.table import HIGH, LOW, collapse_slider, shown

OVERLAPS = """() => {
  const chart = document.querySelector("svg");
  const boxes = (selector) => [...chart.querySelectorAll(selector)].map((one) => one.getBoundingClientRect());
  const apart = (a, b) => a.right < b.left || b.right < a.left || a.bottom < b.top + 3 || b.bottom < a.top + 3;
  const dots = boxes("circle"), words = boxes("text.ae-text-input, text.ae-text-pca");
  return words.flatMap((one, n) => [...dots, ...words.slice(n + 1)].filter((other) => !apart(one, other))).length;
}"""


@pytest.mark.parametrize("latent_dim", [1, 3, 8, 16])
def test_no_label_lies_on_an_eigenvalue(plain_page, latent_dim):
    page = plain_page.mount(collapse_slider(noise_var=LOW, beta=1.0, latent_dim=latent_dim))
    assert (
        page.evaluate("document.querySelectorAll('svg text.ae-text-input, svg text.ae-text-pca').length") >= 2
    )
    noises = np.geomspace(LOW, HIGH, 40)
    overlaps = [
        page.evaluate("(noise) => { model.set('noise_var', noise); return (" + OVERLAPS + ")(); }", noise)
        for noise in noises
    ]
    assert not [f"{noise:.3f}" for noise, count in zip(noises, overlaps, strict=True) if count]


def test_the_figures_are_those_of_the_lesson():
    widget = collapse_slider(noise_var=1.0, beta=1.0, latent_dim=8, learned=True)
    assert widget.figures()["elbo"] == pytest.approx(14.2097883, abs=5e-7)
    assert widget.figures()["noiseVar"] == pytest.approx(0.0273294, abs=5e-7)
    widget.learned = False
    x = digits().all.numpy()
    np.testing.assert_allclose(widget.copies(), np.tile(x.mean(axis=0), (8, 1)), atol=1e-6)


def test_copies_are_the_decoded_means():
    """From W, V and the mean, without eigenvalues."""
    import torch

    from aelib import gaussian

    widget = collapse_slider(noise_var=0.2, beta=0.5, latent_dim=6)
    x = digits().all.double()
    mean, cov = x.mean(dim=0), torch.cov(x.T, correction=0)
    weight = gaussian.linear_vae(cov, 6, 0.2, 0.5).weight
    gram = weight.T @ weight + 0.1 * torch.eye(6, dtype=torch.float64)
    images = torch.tensor(widget.array("images"))
    want = mean + (images - mean) @ torch.linalg.solve(gram, weight.T).T @ weight.T
    np.testing.assert_allclose(widget.copies(), want, atol=1e-6)


def test_the_threshold_follows_the_mouse_and_learning_takes_it_over(plain_page):
    page = plain_page.mount(collapse_slider())
    box = page.locator(".ae-chart").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    levels = []
    for share in (0.5, 0.4, 0.3, 0.2):
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + share * box["height"])
        levels.append(float(shown(page)["level"]))
    page.mouse.up()
    assert levels == sorted(levels)
    assert len(set(levels)) == 4
    page.get_by_role("radio", name="learned").click()
    assert shown(page)["learned"] == "true"
    assert page.get_by_role("slider", name="Noise").is_disabled()
    assert float(shown(page)["noiseVar"]) == pytest.approx(0.0273294, abs=5e-7)
    hill = page.locator(".ae-chart").last.bounding_box()
    page.mouse.click(hill["x"] + 0.7 * hill["width"], hill["y"] + 0.5 * hill["height"])
    assert shown(page)["learned"] == "false"


def test_shapes_that_do_not_fit_are_told_in_a_sentence():
    values = np.arange(20.0)[::-1]
    with pytest.raises(ValueError, match="axes should have shape"):
        CollapseSlider(values, np.zeros((3, 20)), np.zeros(20), np.zeros((2, 20)))
    with pytest.raises(ValueError, match="flip them"):
        CollapseSlider(values[::-1], np.zeros((16, 20)), np.zeros(20), np.zeros((2, 20)))
