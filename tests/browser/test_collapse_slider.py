"""Lesson 10's slider of the noise under the best linear VAE: its figures, its sentence, its controls."""

from __future__ import annotations

import numpy as np
import pytest

from aelib.data import digits
from aelib.widgets.collapse_slider import LOG2_BETA, LOG2_NOISE, CollapseSlider

LOW, HIGH = (2**power for power in LOG2_NOISE)
LIGHT, HEAVY = (2**power for power in LOG2_BETA)
HELD = [
    (0.25, 1.0, 8), (1.0, 1.0, 8), (LOW, LIGHT, 16), (HIGH, HEAVY, 16), (0.5, 1.0, 1), (0.699, 1.0, 1),
    (0.1, 4.0, 5), (0.03, 2.0, 3), (0.2, 1.0, 7),
]  # fmt: skip
SETTINGS = [(*held, False) for held in HELD] + [
    (1.0, beta, k, True) for beta, k in ((1.0, 8), (LIGHT, 16), (5.0, 8), (HEAVY, 1), (1.0, 1))
]


@pytest.fixture
def collapse_slider() -> CollapseSlider:
    return CollapseSlider.from_data(digits())


def put(widget: CollapseSlider, noise_var: float, beta: float, latent_dim: int, learned: bool) -> None:
    widget.noise_var, widget.beta, widget.latent_dim, widget.learned = noise_var, beta, latent_dim, learned


def shown(page) -> dict[str, str]:
    return page.evaluate("({ ...document.querySelector('section').dataset })")


OVERLAPS = """() => {
  const chart = document.querySelector("svg");
  const boxes = (selector) => [...chart.querySelectorAll(selector)].map((one) => one.getBoundingClientRect());
  const apart = (a, b) => a.right < b.left || b.right < a.left || a.bottom < b.top + 3 || b.bottom < a.top + 3;
  const dots = boxes("circle"), words = boxes("text.ae-text-input, text.ae-text-pca");
  return words.flatMap((one, n) => [...dots, ...words.slice(n + 1)].filter((other) => !apart(one, other))).length;
}"""


@pytest.mark.parametrize("latent_dim", [1, 3, 8, 16])
def test_no_label_lies_on_an_eigenvalue(plain_page, collapse_slider, latent_dim):
    put(collapse_slider, LOW, 1.0, latent_dim, False)
    page = plain_page.mount(collapse_slider)
    assert (
        page.evaluate("document.querySelectorAll('svg text.ae-text-input, svg text.ae-text-pca').length") >= 2
    )
    noises = np.geomspace(LOW, HIGH, 40)
    overlaps = [
        page.evaluate("(noise) => { model.set('noise_var', noise); return (" + OVERLAPS + ")(); }", noise)
        for noise in noises
    ]
    assert not [f"{noise:.3f}" for noise, count in zip(noises, overlaps, strict=True) if count]


@pytest.mark.parametrize("setting", SETTINGS)
def test_shows_what_python_computes(plain_page, collapse_slider, setting):
    put(collapse_slider, *setting)
    page = plain_page.mount(collapse_slider)
    now = shown(page)
    for name, value in collapse_slider.figures().items():
        assert float(now[name]) == pytest.approx(value, rel=1e-9, abs=1e-9), name
    got = np.array([float(price) for price in now["kl"].split()])
    np.testing.assert_allclose(got, collapse_slider.kl(), rtol=1e-9, atol=1e-9)
    assert page.locator(".ae-big").text_content() == str(collapse_slider.figures()["used"])
    assert_true(page.locator(".ae-says").text_content(), collapse_slider)


def assert_true(text: str, widget: CollapseSlider) -> None:
    values, now = widget.array("values"), widget.figures()
    used, latent_dim = int((values[: widget.latent_dim] > now["level"]).sum()), widget.latent_dim
    assert ("is learned and settles" in text) == widget.learned
    assert ("eigenvalues that are left over" in text) == (widget.learned and widget.beta == 1)
    assert ("No latent is used" in text) == (used == 0)
    whole = "The one latent is used" if latent_dim == 1 else f"All {latent_dim} latents are used"
    assert (whole in text) == (used == latent_dim)
    assert (f"{used} of {latent_dim} latents" in text) == (0 < used < latent_dim)
    if used:
        assert f"{widget.kl()[used - 1]:.2f} nats" in text


def test_the_figures_are_those_of_the_lesson(collapse_slider):
    put(collapse_slider, 1.0, 1.0, 8, True)
    assert collapse_slider.figures()["elbo"] == pytest.approx(14.2097883, abs=5e-7)
    assert collapse_slider.figures()["noiseVar"] == pytest.approx(0.0273294, abs=5e-7)
    put(collapse_slider, 1.0, 1.0, 8, False)
    x = digits().all.numpy()
    np.testing.assert_allclose(collapse_slider.copies(), np.tile(x.mean(axis=0), (8, 1)), atol=1e-6)


def test_copies_are_the_decoded_means(collapse_slider):
    """From W, V and the mean, without eigenvalues."""
    import torch

    from aelib import gaussian

    put(collapse_slider, 0.2, 0.5, 6, False)
    x = digits().all.double()
    mean, cov = x.mean(dim=0), torch.cov(x.T, correction=0)
    weight = gaussian.linear_vae(cov, 6, 0.2, 0.5).weight
    gram = weight.T @ weight + 0.1 * torch.eye(6, dtype=torch.float64)
    images = torch.tensor(collapse_slider.array("images"))
    want = mean + (images - mean) @ torch.linalg.solve(gram, weight.T).T @ weight.T
    np.testing.assert_allclose(collapse_slider.copies(), want, atol=1e-6)


def test_keyboard(plain_page, collapse_slider):
    page = plain_page.mount(collapse_slider)
    before = page.locator(".ae-strip").last.screenshot()
    page.get_by_role("slider", name="Noise").focus()
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    assert float(shown(page)["noiseVar"]) == pytest.approx(2**-2.3, rel=1e-9)
    assert shown(page)["used"] == "6"
    assert page.locator(".ae-strip").last.screenshot() != before
    page.get_by_role("slider", name="Weight").focus()
    page.keyboard.press("End")
    assert shown(page)["used"] == "0"
    page.get_by_role("slider", name="Latents").focus()
    page.keyboard.press("Home")
    assert shown(page)["latentDim"] == "1"
    plain_page.wait_until_saved(page, latent_dim=1, beta=HEAVY)


def test_the_threshold_follows_the_mouse_and_learning_takes_it_over(plain_page, collapse_slider):
    page = plain_page.mount(collapse_slider)
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


def test_touch_on_the_spectrum(plain_page, collapse_slider):
    page = plain_page.mount(collapse_slider, width=360, touch=True)
    box = page.locator(".ae-chart").first.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 0.2 * box["height"])
    assert shown(page)["used"] == "0"


@pytest.mark.parametrize(("theme", "width"), [("light", 1100), ("dark", 1100), ("light", 320), ("dark", 320)])
def test_accessible_and_narrow(plain_page, accessible, collapse_slider, theme, width):
    page = plain_page.mount(collapse_slider, theme=theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    accessible(page)


def test_shapes_that_do_not_fit_are_told_in_a_sentence():
    values = np.arange(20.0)[::-1]
    with pytest.raises(ValueError, match="axes should have shape"):
        CollapseSlider(values, np.zeros((3, 20)), np.zeros(20), np.zeros((2, 20)))
    with pytest.raises(ValueError, match="flip them"):
        CollapseSlider(values[::-1], np.zeros((16, 20)), np.zeros(20), np.zeros((2, 20)))
