"""Lesson 09's board: what it shows is what Python computes, and it moves by mouse, finger and keys."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from aelib.data import digits, tones
from aelib.desiderata import active_latents, informative, robust
from aelib.gaussian import kl_to_standard_normal
from aelib.models import VAE
from aelib.widgets.rate_distortion_board import FIGURES, RateDistortionBoard
from tests.browser.table import RD_CURVES, rd_board, rd_models, says, shown


def choose(page, latent_dim: int, beta: float) -> None:
    page.evaluate(
        "([k, beta]) => { model.set('latent_dim', k); model.set('beta', beta); }", [latent_dim, beta]
    )


def test_shows_what_python_computes_at_every_setting(plain_page):
    page = plain_page.mount(rd_board())
    for latent_dim, beta in rd_models():
        choose(page, latent_dim, beta)
        ours, now = rd_board(latent_dim=latent_dim, beta=beta), shown(page)
        for name in FIGURES:
            assert float(now[name]) == pytest.approx(ours.figure(name), rel=1e-9, abs=1e-12, nan_ok=True)
        assert float(now["bits"]) == pytest.approx(ours.bits, rel=1e-9)
        np.testing.assert_allclose([float(part) for part in now["latents"].split()], ours.latent_bits(), rtol=1e-9)  # fmt: skip
        assert int(now["total"]) == round(15 * ours.images().sum())
        words = says(page)
        assert f"costs {ours.bits:.1f} bits" in words
        assert f"{ours.figure('error'):.4f} a pixel" in words
        assert f"{ours.figure('distance'):.2f} times" in words
        n_active = int(ours.figure("active"))
        assert ("All latents are active" in words) == (n_active == latent_dim)
        assert ("No latent is active" in words) == (n_active == 0)
        assert (f"{n_active} of {latent_dim} latents" in words) == (0 < n_active < latent_dim)
        assert page.locator(".ae-big").nth(1).text_content() == f"{ours.bits:.1f}"
        visible = [row.is_visible() for row in page.locator(".ae-rd-block").last.locator(".ae-rd-row").all()]
        assert sum(visible) == min(latent_dim, 5)


def test_python_computes_what_the_names_say():
    x = digits().held_out
    for (latent_dim, beta), model in rd_models().items():
        ours = rd_board(latent_dim=latent_dim, beta=beta)
        with torch.no_grad():
            mu, log_var = model.encode(x)
            copied = informative(x, model.decode(mu), digits().train.mean(dim=0))
            drawn = [(x - model(x)).square().mean().item() for _ in range(5)]
        rate = kl_to_standard_normal(mu, log_var).mean().item()
        assert ours.figure("rate") == pytest.approx(rate, rel=1e-4, abs=1e-6)
        assert ours.latent_bits().sum() == pytest.approx(ours.bits, rel=1e-9)
        assert np.all(np.diff(ours.latent_bits()) <= 0)
        assert ours.figure("active") == active_latents(model, x).sum()
        assert ours.figure("informative") == pytest.approx(copied, abs=1e-6)
        assert ours.figure("error") == pytest.approx(np.mean(drawn), rel=0.03)
        if ours.figure("active"):
            assert ours.figure("robust") == pytest.approx(robust(model.encode, x), abs=1e-6)
    assert math.isnan(rd_board(latent_dim=2, beta=16.0).figure("robust"))


def test_radio(plain_page):
    page = plain_page.mount(rd_board())
    page.get_by_role("radio", name="16", exact=True).click()
    assert shown(page)["latentDim"] == "16"
    plain_page.wait_until_saved(page, latent_dim=16)


def test_dragging_the_point_finds_the_nearest_model(plain_page):
    page = plain_page.mount(rd_board(latent_dim=2, beta=16.0))
    point = page.locator(".ae-dot-latent")
    chart = page.locator(".ae-chart").bounding_box()
    start = point.bounding_box()
    goal = [float(page.locator(".ae-rd-mark-latent").nth(8).get_attribute(name)) for name in ("cx", "cy")]
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(chart["x"] + goal[0] + 3, chart["y"] + goal[1] - 2, steps=8)
    page.mouse.up()
    now = shown(page)
    assert (now["latentDim"], now["beta"]) == ("16", "0.125"), "the ninth mark is the first of K = 16"
    where = [float(page.locator(".ae-dot-latent").get_attribute(name)) for name in ("cx", "cy")]
    np.testing.assert_allclose(where, goal, atol=0.01)


def test_touch(plain_page):
    page = plain_page.mount(rd_board(), width=360, height=1900, touch=True)
    chart = page.locator(".ae-chart").bounding_box()
    mark = page.locator(".ae-rd-mark-latent").nth(3)
    page.touchscreen.tap(chart["x"] + float(mark.get_attribute("cx")), chart["y"] + float(mark.get_attribute("cy")))  # fmt: skip
    assert shown(page)["beta"] == "16"
    page.get_by_role("radio", name="2", exact=True).tap()
    assert shown(page)["latentDim"] == "2"


def test_wrong_models_are_told_in_a_sentence():
    some = dict(list(rd_models().items())[:-1])
    with pytest.raises(ValueError, match="each K with each beta"):
        RateDistortionBoard.from_models(digits(), some, RD_CURVES)
    with pytest.raises(ValueError, match="8 x 8"):
        RateDistortionBoard.from_models(tones(), rd_models(), RD_CURVES)
    odd = rd_models() | {(2, 1.0): VAE(64, 2, noise_var=0.1)}
    with pytest.raises(ValueError, match="noise_var"):
        RateDistortionBoard.from_models(digits(), odd, RD_CURVES)
