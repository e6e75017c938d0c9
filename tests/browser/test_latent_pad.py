"""Lesson 05's pad: what it shows is what Python computes, and it moves by mouse, finger and keys."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from aelib.data import digits
from aelib.models import VAE, Autoencoder
from aelib.objectives import neg_elbo
from aelib.training import fit
from aelib.widgets.latent_pad import MODELS, N_MARKS, LatentPad

PLACES = [(0.0, 0.0), (-1.2, 1.4), (3.0, -3.0), (-3.0, 3.0), (0.35, -2.05)]
SETTINGS = [(view, *place) for view in ("flat", "slice") for place in PLACES]


@cache
def models() -> dict[str, tuple]:
    pairs = {}
    for view, latent_dim in (("flat", 2), ("slice", 8)):
        plain, vae = (
            Autoencoder(64, latent_dim, hidden=(64,)),
            VAE(64, latent_dim, hidden=(64,), noise_var=0.05),
        )
        fit(plain, digits(), epochs=8, lr=0.005, seed=0, progress=False)
        fit(vae, digits(), epochs=8, lr=0.005, seed=0, loss=neg_elbo, progress=False)
        pairs[view] = (plain, vae)
    return pairs


def pad(**state) -> LatentPad:
    return LatentPad.from_models(digits(), models(), **state)


def shown(page) -> dict[str, str]:
    return page.evaluate("({ ...document.querySelector('.ae-card').dataset })")


def says(page) -> str:
    return page.locator(".ae-says").text_content()


@pytest.mark.parametrize(("view", "across", "up"), SETTINGS)
def test_shows_what_python_computes(plain_page, view, across, up):
    ours = pad(view=view, across=across, up=up)
    page = plain_page.mount(ours)
    now = shown(page)
    for model in MODELS:
        key = model.lower()
        assert float(now[f"{key}Ratio"]) == pytest.approx(ours.ratio(model), rel=1e-4)
        assert float(now[f"{key}Ink"]) == pytest.approx(float(ours.decoded(model).sum()), rel=1e-4, abs=1e-3)
        assert int(now[f"{key}Nearest"]) == ours.distances(model).argmin()
        assert f"{ours.ratio(model):.2f}" in says(page)
        if view == "flat":
            assert int(now[f"{key}Mark"]) == ours.mark(model)
            assert f"{ours.labels[ours.mark(model)]} on the" in says(page)
    assert ("No digit" in says(page)) == (view == "slice")


def test_the_ellipse_is_the_cloud_and_the_words_know_it(plain_page):
    ours = pad()
    page = plain_page.mount(ours)
    marks = ours._marks("VAE")
    assert np.all(marks[:, 2:] > 0)
    side = page.locator(".ae-plane").last.bounding_box()["width"]
    for place in [(0.0, 0.0), (1.0, 0.5), (-2.0, -1.0), (2.9, 2.9)]:
        ours.across, ours.up = place
        page.evaluate("([a, b]) => { model.set('across', a); model.set('up', b); }", place)
        a, b, wide, tall = marks[ours.mark("VAE")]
        ellipse = page.locator(".ae-cloud").last
        drawn = [float(ellipse.get_attribute(name)) for name in ("cx", "cy", "rx", "ry")]
        np.testing.assert_allclose(
            drawn, [side * (0.5 + a / 6), side * (0.5 - b / 6), side * wide / 3, side * tall / 3], rtol=1e-4
        )
        inside = np.hypot((place[0] - a) / wide, (place[1] - b) / tall) <= 2
        assert ("inside its cloud" in says(page)) == inside


def test_mouse_keyboard_and_switch(plain_page):
    page = plain_page.mount(pad())
    before = page.locator(".ae-outcome canvas").first.screenshot()
    box = page.locator(".ae-plane").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.25, steps=6)
    page.mouse.up()
    now = shown(page)
    assert (float(now["across"]), float(now["up"])) == pytest.approx((1.5, 1.5), abs=0.06)
    assert page.locator(".ae-outcome canvas").first.screenshot() != before
    page.get_by_role("slider", name="Across").focus()
    page.keyboard.press("Home")
    assert shown(page)["across"] == "-3"
    page.keyboard.press("ArrowRight")
    assert shown(page)["across"] == "-2.95"
    page.get_by_role("radio", name="a plane in K = 8").click()
    assert shown(page)["view"] == "slice"
    assert page.locator(".ae-numeral").count() == 0
    page.get_by_role("radio", name="all of K = 2").click()
    assert page.locator(".ae-numeral").count() == 2 * N_MARKS
    plain_page.wait_until_saved(page, across=-2.95)


def test_touch(plain_page):
    page = plain_page.mount(pad(), width=360, height=1500, touch=True)
    box = page.locator(".ae-plane").last.bounding_box()
    page.touchscreen.tap(box["x"] + 0.2 * box["width"], box["y"] + 0.7 * box["height"])
    assert float(shown(page)["across"]) == pytest.approx(-1.8, abs=0.06)
    assert float(shown(page)["up"]) == pytest.approx(-1.2, abs=0.06)


def test_every_position_of_a_drag_is_painted(plain_page):
    page = plain_page.mount(pad())
    rings = page.evaluate("""() => Array.from({ length: 121 }, (_, n) => {
      model.set("across", -3 + n / 20);
      return [Number(document.querySelector(".ae-ring").getAttribute("cx")), document.querySelector(".ae-big").textContent];
    })""")
    side = page.locator(".ae-plane").first.bounding_box()["width"]
    np.testing.assert_allclose([x for x, _ in rings], np.linspace(0, side, 121), atol=1e-3)
    ours = pad(across=-3.0)
    for ours.across, (_, number) in list(
        zip(np.arange(-3, 3.01, 0.05).round(2).tolist(), rings, strict=True)
    )[::10]:
        assert float(number) == pytest.approx(ours.ratio("autoencoder"), abs=0.006)


@pytest.mark.parametrize(("theme", "width"), [("light", 1100), ("dark", 1100), ("light", 320), ("dark", 320)])
def test_accessible_and_narrow(plain_page, accessible, theme, width):
    page = plain_page.mount(pad(), theme=theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    accessible(page)


def test_the_digits_come_back():
    np.testing.assert_array_equal(pad().array("train")[:7], digits().raw[digits().train_index][:7])


def test_the_planes_are_in_standard_deviations():
    ours = pad()
    places = ours._marks("autoencoder")[:, :2]
    z = models()["flat"][0].encode(digits().train)
    white = torch.linalg.solve_triangular(
        torch.linalg.cholesky(torch.cov(z.T, correction=0)), (z - z.mean(0)).T, upper=False
    ).T
    np.testing.assert_allclose(places, white[:N_MARKS].detach(), atol=1e-3)


def test_wrong_models_are_told_in_a_sentence():
    with pytest.raises(ValueError, match="flat"):
        LatentPad.from_models(digits(), {"flat": models()["slice"], "slice": models()["slice"]})
