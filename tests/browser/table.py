"""What each interactive is tried with by `test_every_interactive.py`: how it is made, its settings, figures and controls.

A new interactive gets a row, and a file of its own for what no other has.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from ipywidgets import Widget
from playwright.sync_api import Page

from aelib.data import digits
from aelib.denoising import Denoiser
from aelib.generators import LatentDiffusion
from aelib.models import VAE, Autoencoder, LinearAutoencoder, mlp
from aelib.objectives import neg_elbo
from aelib.sparse import SparseAutoencoder, best_code
from aelib.training import fit_many
from aelib.widgets.base import levels, numbers
from aelib.widgets.bend_slider import SPLITS, BendSlider
from aelib.widgets.beta_slider import BetaSlider
from aelib.widgets.codebook_board import CodebookBoard
from aelib.widgets.collapse_slider import LOG2_BETA, LOG2_NOISE, CollapseSlider
from aelib.widgets.denoising_board import DENOISERS, LOG2_SIGMA, DenoisingBoard
from aelib.widgets.direction_dial import DirectionDial
from aelib.widgets.elbo_line import ElboLine
from aelib.widgets.feature_board import KINDS as WAYS
from aelib.widgets.feature_board import NO_GUESS, SEVERAL, FeatureBoard
from aelib.widgets.feature_plane import FeaturePlane
from aelib.widgets.generator_board import GeneratorBoard
from aelib.widgets.kl_board import KLBoard
from aelib.widgets.rate_distortion_board import RateDistortionBoard
from aelib.widgets.threshold_board import STEPS, ThresholdBoard
from aelib.widgets.training_bench import TrainingBench
from tests.bench import expected


def says(page: Page) -> str:
    return page.locator(".ae-says").text_content()


def shown(page: Page) -> dict[str, str]:
    """The figures that the interactive shows, in full precision."""
    return page.evaluate("({ ...document.querySelector('.ae-card').dataset })")


@dataclass(frozen=True)
class Press:
    """A key on a control, some times; then these figures are shown, and, if `repaints`, the picture has changed."""

    name: str
    key: str
    then: dict[str, Any]
    role: str = "slider"
    times: int = 1
    repaints: bool = False


@dataclass(frozen=True)
class Tap:
    """A finger on the first chart, `at(width, height)` from its corner; then `holds` for the figures."""

    at: Callable[[float, float], tuple[float, float]]
    holds: Callable[[dict[str, str]], bool]
    radio: str = ""
    then: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """make(**state) gives the interactive; the other fields say what to try, and what should come of it.

    settings, figures, within, also: at each of these settings the page shows what Python computes, and `also` holds.
    start, presses, picture, saved: what the keyboard does from there, which picture follows, and what is kept.
    touched, tap: the state before a finger touches a chart 360 px wide, and what the touch does.
    look: the state in which it is judged for accessibility, in both themes, wide and narrow.
    """

    make: Callable[..., Widget]
    settings: list[dict] = field(default_factory=list)
    figures: Callable[[Any], dict[str, float]] | None = None
    within: dict[str, float] = field(default_factory=lambda: {"rel": 1e-9})
    also: Callable[[Page, Any], None] = lambda page, widget: None
    start: dict = field(default_factory=dict)
    presses: tuple[Press, ...] = ()
    picture: Callable[[Page], Any] | None = None
    saved: dict | None = None
    touched: dict = field(default_factory=dict)
    tap: Tap | None = None
    look: dict = field(default_factory=dict)


# ---- lesson 04 -------------------------------------------------------------------------------------------


BEND_KS = [1, 3, 8, 16, 32]


@cache
def bend_models() -> tuple[dict, dict]:
    """PCA itself as the linear autoencoders, and untrained networks: every sort of ratio appears."""
    x = digits().train.double()
    directions = torch.linalg.eigh(torch.cov(x.T)).eigenvectors.flip(1)
    linear = {k: LinearAutoencoder(64, k, tied=True, mean=x.mean(dim=0)) for k in BEND_KS}
    for k, model in linear.items():
        model.decoder[0].data = directions[:, :k] * (0.98 if k == 8 else 1.0)
    return linear, {k: Autoencoder(64, k) for k in BEND_KS}


def put(widget: Widget, state: dict) -> Widget:
    for name, value in state.items():
        setattr(widget, name, value)
    return widget


def bend_slider(**state) -> BendSlider:
    return put(BendSlider.from_models(digits(), *bend_models(), latent_dim=8), state)


def bend_also(page: Page, widget: BendSlider) -> None:
    pca, linear, nonlinear = widget.shown_errors()
    assert f"% {'below' if nonlinear < pca else 'above'} it" in says(page)
    assert ("agrees with PCA" in says(page)) == (abs(linear - pca) < 0.0005 * pca)


BEND = Row(
    bend_slider,
    settings=[{"latent_dim": k, "split": split} for k in BEND_KS for split in SPLITS],
    figures=lambda w: dict(zip(("pca", "linear", "nonlinear"), w.shown_errors(), strict=True)),
    also=bend_also,
    presses=(Press("Code size K", "ArrowRight", {"latentDim": 16}, repaints=True),),
    picture=lambda page: page.locator(".ae-strip").last,
    tap=Tap(lambda w, h: (w - 16, 0.5 * h), lambda now: now["latentDim"] == "32"),
)


def cloud() -> np.ndarray:
    generator = np.random.default_rng(2)
    return generator.standard_normal((60, 2)) @ [[0.9, 0.5], [-0.2, 0.35]] + [-0.3, 1.1]


def direction_dial(**state) -> DirectionDial:
    return DirectionDial(cloud(), **state)


def distances(points: np.ndarray) -> np.ndarray:
    """All distances from the first point, in units of the mean one: the same in pixels and in data units."""
    found = np.linalg.norm(points - points[0], axis=1)
    return found / found.mean()


def dial_figures(dial: DirectionDial) -> dict[str, float]:
    angle, error = dial.best()
    return {"error": dial.error(), "best": error, "bestAngle": angle, "ratio": dial.ratio()}


def dial_also(page: Page, dial: DirectionDial) -> None:
    assert abs(float(page.locator(".ae-big").text_content().removesuffix("×")) - dial.ratio()) < 0.051
    copies = page.locator(".ae-copy").evaluate_all(
        "dots => dots.map((dot) => [+dot.getAttribute('cx'), +dot.getAttribute('cy')])"
    )
    np.testing.assert_allclose(distances(np.array(copies)), distances(dial.copies() * [1, -1]), atol=1e-6)


DIAL = Row(
    direction_dial,
    settings=[
        {"angle": angle, "through": through}
        for through in ("mean", "origin")
        for angle in (0.0, 12.5, 61.0, 118.5, 180.0)
    ],
    figures=dial_figures,
    also=dial_also,
    start={"angle": 40.0},
    presses=(
        Press("Direction", "ArrowRight", {"angle": 40.5}),
        Press("Direction", "End", {"angle": 180}, repaints=True),
    ),
    picture=lambda page: page.locator(".ae-plane"),
    touched={"angle": 40.0},
    tap=Tap(lambda w, h: (0.75 * w, 0.5 * h), lambda now: 100 < float(now["angle"]) < 150),
)


# ---- lesson 06 -------------------------------------------------------------------------------------------


ELBO_SETTINGS = [
    ("straight", "side", 1.25, 0.25),
    ("straight", "inside", 0.05, 0.25),
    ("straight", "mouth", -3.0, 1.5),
    ("straight", "side", 3.0, 0.05),
    ("bent", "side", 0.9, 0.17),
    ("bent", "inside", 1.53, 0.49),
    ("bent", "mouth", 2.53, 0.18),
    ("bent", "mouth", 0.0, 1.5),
    ("bent", "inside", -3.0, 0.05),
    ("bent", "side", 3.0, 1.5),
]


def elbo_also(page: Page, line: ElboLine) -> None:
    now = {name: float(shown(page)[name]) for name in ("evidence", "elbo", "gap", "fit", "price")}
    assert abs(now["evidence"] - now["elbo"] - now["gap"]) < 1e-10 * max(1, now["gap"])
    assert now["fit"] - now["price"] == pytest.approx(now["elbo"], rel=1e-10, abs=1e-10)


ELBO = Row(
    ElboLine,
    settings=[dict(zip(("decoder", "place", "mean", "width"), each, strict=True)) for each in ELBO_SETTINGS],
    figures=lambda line: line.measures(),
    within={"rel": 1e-9, "abs": 1e-9},
    also=elbo_also,
    presses=(
        Press("Mean", "ArrowRight", {"mean": 0.61}),
        Press("Mean", "End", {"mean": 3}),
        Press("Width", "Home", {"width": 0.05}, repaints=True),
        Press("bent", "Space", {"decoder": "bent"}, role="radio"),
    ),
    picture=lambda page: page.locator(".ae-card"),
    saved={"decoder": "bent"},
    tap=Tap(
        lambda w, h: (0.25 * w, 0.5 * h),
        lambda now: float(now["mean"]) < -0.8,
        radio="in the mouth",
        then={"place": "mouth"},
    ),
    look={"decoder": "bent", "place": "mouth", "reading": "parts"},
)


# ---- lesson 07 -------------------------------------------------------------------------------------------


KL_SETTINGS = [
    (0.0, 1.0), (0.0, 0.125), (0.0, 2**1.5), (3.0, 1.0), (-3.0, 2**1.5),
    (1.2, 0.5), (-0.05, 2**0.05), (3.0, 0.125), (-1.7, 2**-0.35), (0.05, 1.0),
]  # fmt: skip


def kl_also(page: Page, board: KLBoard) -> None:
    nats, bits = page.locator(".ae-big").all_text_contents()
    assert abs(float(nats) - board.kl()) < 0.0051 and abs(float(bits) - board.kl() / math.log(2)) < 0.0051
    bars = [float(text) for text in page.locator(".ae-kl-number").all_text_contents()]
    np.testing.assert_allclose(bars, [board.place(), board.width()], atol=0.00051)


KL = Row(
    KLBoard,
    settings=[{"mu": mu, "sigma": sigma} for mu, sigma in KL_SETTINGS],
    figures=lambda b: dict(
        zip(
            ("place", "width", "kl", "above", "below"),
            (b.place(), b.width(), b.kl(), *b.areas()),
            strict=True,
        )
    ),
    within={"abs": 1e-9},
    also=kl_also,
    start={"mu": 0.0, "sigma": 1.0},
    presses=(
        Press("Mean", "ArrowRight", {"mu": 0.05}),
        Press("Mean", "Home", {"mu": -3}),
        Press("Width", "ArrowLeft", {"sigma": 2**-0.05}, repaints=True),
    ),
    picture=lambda page: page.locator(".ae-kl-plots"),
    saved={"mu": -3},
    touched={"mu": -2.0, "sigma": 0.5},
    tap=Tap(lambda w, h: (0.36 * w, 30), lambda now: float(now["mu"]) != -2),
)


# ---- lesson 08 -------------------------------------------------------------------------------------------


BETAS = [0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 50.0]


@cache
def beta_models() -> list[VAE]:
    models = [VAE(64, 4, hidden=(32,), noise_var=0.05, seed=0) for _ in BETAS]
    settings = {"epochs": 8, "lr": 0.01, "seeds": [0] * len(BETAS), "betas": BETAS, "progress": False}
    fit_many(models, digits(), loss=neg_elbo, **settings)
    return models


def beta_slider(**state) -> BetaSlider:
    return put(BetaSlider.from_models(digits(), beta_models(), BETAS), state)


def beta_figures(board: BetaSlider) -> dict[str, float]:
    now = board.now()
    same = {name: now[name] for name in ("beta", "rate", "error", "distance", "sigma")}
    return same | {
        "inUse": now["in_use"],
        "ink": board.array("drawings")[board.index, board.chosen_set].sum(),
    }


def beta_also(page: Page, board: BetaSlider) -> None:
    now, nearest = board.now(), board.array("numbers")[:, 1].argmin() == board.index
    assert ("the nearest of all these β" in says(page)) == nearest
    assert f"{now['distance']:.2f} times as far" in says(page)
    assert ("none of the 4 latents" in says(page)) == (now["in_use"] == 0)


BETA = Row(
    beta_slider,
    settings=[{"index": index, "chosen_set": index % 6} for index in range(len(BETAS))],
    figures=beta_figures,
    also=beta_also,
    presses=(Press("β", "Home", {"beta": 0.01}, repaints=True),),
    picture=lambda page: page.locator(".ae-strip").nth(1),
    tap=Tap(lambda w, h: (w - 22, 0.6 * h), lambda now: float(now["beta"]) <= 0.05),
)


# ---- lesson 09 -------------------------------------------------------------------------------------------


RD_SIZES, RD_BETAS = (2, 8, 16), (0.125, 1.0, 4.0, 16.0)
RD_CURVES = {"PCA": [(4.0, 0.06), (16.0, 0.035), (48.0, 0.014)], "autoencoder": [(4.0, 0.05), (48.0, 0.013)]}


@cache
def rd_models() -> dict[tuple[int, float], VAE]:
    grid = {(K, beta): VAE(64, K, hidden=(32,), noise_var=0.05) for K in RD_SIZES for beta in RD_BETAS}
    settings = {"epochs": 15, "lr": 0.01, "seeds": [0] * len(grid), "progress": False}
    fit_many(list(grid.values()), digits(), betas=[beta for _, beta in grid], loss=neg_elbo, **settings)
    return grid


@cache
def rd_made() -> RateDistortionBoard:
    return RateDistortionBoard.from_models(digits(), rd_models(), RD_CURVES)


def rd_board(latent_dim: int = 8, beta: float = 1.0) -> RateDistortionBoard:
    return put(rd_made(), {"latent_dim": latent_dim, "beta": beta})


RATE_DISTORTION = Row(
    rd_board,
    presses=(
        Press("Weight", "End", {"beta": 16}),
        Press("Weight", "ArrowLeft", {"beta": 4}, repaints=True),
    ),
    picture=lambda page: page.locator(".ae-rd-row canvas").nth(1),
)


# ---- lesson 10 -------------------------------------------------------------------------------------------


LOW, HIGH = (2**power for power in LOG2_NOISE)
LIGHT, HEAVY = (2**power for power in LOG2_BETA)
HELD = [
    (0.25, 1.0, 8), (1.0, 1.0, 8), (LOW, LIGHT, 16), (HIGH, HEAVY, 16), (0.5, 1.0, 1), (0.699, 1.0, 1),
    (0.1, 4.0, 5), (0.03, 2.0, 3), (0.2, 1.0, 7),
]  # fmt: skip
LEARNED = [(1.0, beta, k) for beta, k in ((1.0, 8), (LIGHT, 16), (5.0, 8), (HEAVY, 1), (1.0, 1))]


def collapse_slider(**state) -> CollapseSlider:
    return put(CollapseSlider.from_data(digits()), state)


def collapse_also(page: Page, widget: CollapseSlider) -> None:
    prices = np.array([float(price) for price in shown(page)["kl"].split()])
    np.testing.assert_allclose(prices, widget.kl(), rtol=1e-9, atol=1e-9)
    assert page.locator(".ae-big").text_content() == str(widget.figures()["used"])
    text, values, now = says(page), widget.array("values"), widget.figures()
    used, latent_dim = int((values[: widget.latent_dim] > now["level"]).sum()), widget.latent_dim
    assert ("is learned and settles" in text) == widget.learned
    assert ("eigenvalues that are left over" in text) == (widget.learned and widget.beta == 1)
    assert ("No latent is used" in text) == (used == 0)
    whole = "The one latent is used" if latent_dim == 1 else f"All {latent_dim} latents are used"
    assert (whole in text) == (used == latent_dim)
    assert (f"{used} of {latent_dim} latents" in text) == (0 < used < latent_dim)
    if used:
        assert f"{widget.kl()[used - 1]:.2f} nats" in text


COLLAPSE = Row(
    collapse_slider,
    settings=[
        {"noise_var": noise, "beta": beta, "latent_dim": k, "learned": learned}
        for learned, rows in ((False, HELD), (True, LEARNED))
        for noise, beta, k in rows
    ],
    figures=lambda widget: widget.figures(),
    within={"rel": 1e-9, "abs": 1e-9},
    also=collapse_also,
    presses=(
        Press("Noise", "ArrowLeft", {"noiseVar": 2**-2.3, "used": 6}, times=6, repaints=True),
        Press("Weight", "End", {"used": 0}),
        Press("Latents", "Home", {"latentDim": 1}),
    ),
    picture=lambda page: page.locator(".ae-strip").last,
    saved={"latent_dim": 1, "beta": HEAVY},
    tap=Tap(lambda w, h: (0.5 * w, 0.2 * h), lambda now: now["used"] == "0"),
)


# ---- lesson 13 -------------------------------------------------------------------------------------------


@cache
def the_board() -> CodebookBoard:
    return CodebookBoard.from_data(digits())


def codebook_board(**state) -> CodebookBoard:
    return put(the_board(), {"bits": 5, "digit": 0, "entry": -1} | state)


def codebook_also(page: Page, board: CodebookBoard) -> None:
    text, now = says(page), board.figures()
    assert page.locator(".ae-big").last.text_content() == f"{now['listError']:.4f}"
    assert ("You send" in text) == (now["index"] != now["nearest"])
    assert (f"{-(-now['fileBits'] // 8):.0f} bytes" in text) == (board.bits > 0)
    assert f"{now['index']:0{board.bits}b}" in text or not board.bits


CODEBOOK = Row(
    codebook_board,
    settings=[
        {"bits": bits, "digit": digit, "entry": entry}
        for bits, digit, entry in [
            (0, 0, -1),
            (1, 3, -1),
            (4, 9, 15),
            (5, 2, -1),
            (7, 5, 0),
            (8, 7, -1),
            (8, 1, 255),
        ]
    ],
    figures=lambda board: board.figures(),
    also=codebook_also,
    presses=(
        Press("Bits a digit", "ArrowRight", {"bits": 6, "entries": 64}, repaints=True),
        Press("Index sent", "End", {"index": 63}),
        Press("Shown digit", "End", {"bits": 6}),
    ),
    picture=lambda page: page.locator(".ae-list .ae-strip"),
    saved={"bits": 6, "digit": 9, "entry": -1},
    look={"bits": 6, "entry": 11},
)


# ---- lesson 11 -------------------------------------------------------------------------------------------


KINDS, SCORES = ("shapes", "faxes"), ("nats", "distance")
THRESHOLDS = [
    *((kind, score, position) for kind in KINDS for score in SCORES for position in (0, 97, STEPS)),
    ("shapes", "nats", 1),
    ("faxes", "distance", STEPS - 1),
]


def threshold_board(**state) -> ThresholdBoard:
    """Random 4 × 4 pictures; shapes score high, faxes low, and some scores are equal."""
    generator = np.random.default_rng(0)
    images = {name: generator.random((n, 16)) for name, n in (("digits", 70), ("shapes", 50), ("faxes", 60))}
    middle = {"digits": 24.0, "shapes": 29.0, "faxes": 20.0}
    scores = {
        name: {
            "nats": np.round(generator.normal(middle[name], 2, len(x)), 1),
            "distance": generator.random(len(x)),
        }
        for name, x in images.items()
    }
    return ThresholdBoard.from_scores(images, scores, (4, 4), **state)


def threshold_also(page: Page, board: ThresholdBoard) -> None:
    assert float(shown(page)["threshold"]) == pytest.approx(board.threshold(), rel=1e-12)
    assert [int(number) for number in shown(page)["near"].split()] == board.nearest()


THRESHOLD = Row(
    threshold_board,
    settings=[dict(zip(("kind", "score", "position"), each, strict=True)) for each in THRESHOLDS],
    figures=lambda board: board.measures(),
    within={"abs": 1e-9},
    also=threshold_also,
    start={"kind": "shapes", "position": 100},
    presses=(
        Press("Threshold", "ArrowRight", {"position": 101}),
        Press("Threshold", "Home", {"position": 0}, repaints=True),
        Press("faxes", "Space", {"kind": "faxes"}, role="radio"),
        Press("distance", "Space", {"score": "distance"}, role="radio"),
    ),
    picture=lambda page: page.locator(".ae-card"),
    saved={"score": "distance"},
    touched={"kind": "shapes", "position": 60},
    tap=Tap(
        lambda w, h: (0.3 * w, 0.4 * h),
        lambda now: 55 < int(now["position"]) < 90,
        radio="faxes",
        then={"kind": "faxes"},
    ),
)


# ---- lesson 12 -------------------------------------------------------------------------------------------


NOISE = [2 ** LOG2_SIGMA[0], 0.1, 0.3, 0.75, 2 ** LOG2_SIGMA[1]]
SPOTS = [(0.2, 1.2), (-1.8, 1.8), (0.0, 0.0), (1.8, -0.4), (-0.05, -1.15)]


@cache
def untrained_board() -> DenoisingBoard:
    """An untrained network is as good for this, and all points of the plane are at distances of their own."""
    angle = torch.linspace(0, 5, 11, dtype=torch.float64)
    points = torch.stack([angle.cos() * angle / 4, angle.sin() * angle / 4], dim=1)
    return DenoisingBoard.from_model(digits(), Denoiser(digits().train, hidden=(24,)), points)


def denoising_board(**state) -> DenoisingBoard:
    made = untrained_board()
    arrays = {name: numbers(made.array(name)) for name in made.arrays}
    kept = {name: getattr(made, name) for name in ("layers", "variance", "scale")}
    return put(DenoisingBoard(arrays=arrays, **kept), state)


def denoising_also(page: Page, widget: DenoisingBoard) -> None:
    now, figures = shown(page), widget.figures()
    for name in ("noisy", "table", "averageX", "averageY"):
        assert float(now[name]) == pytest.approx(figures[name], rel=1e-9, abs=1e-12), name
    best = min(DENOISERS, key=figures.get)
    words = {"table": "the table", "linear": "the linear denoiser", "network": "the network"}[best]
    assert f"Of the three, {words} leaves the least, {figures[best]:.4f}" in says(page)
    end = np.array([figures["endX"], figures["endY"]])
    near = np.linalg.norm(widget.array("points") - end, axis=1).min()
    assert ("ends on one of the points" in says(page)) == (near < 0.02)


DENOISING = Row(
    denoising_board,
    settings=[{"sigma": sigma, "across": a, "up": b} for sigma, (a, b) in zip(NOISE, SPOTS, strict=True)]
    + [{"sigma": sigma, "across": a, "up": b} for sigma, (a, b) in zip(NOISE[::-1], SPOTS, strict=True)],
    figures=lambda widget: widget.figures(),
    within={"rel": 1e-4, "abs": 1e-6},
    also=denoising_also,
    presses=(
        Press("Noise", "ArrowRight", {"sigma": 2**-1.5}, times=5, repaints=True),
        Press("Across", "End", {"across": 1.8}),
        Press("Up", "ArrowLeft", {"up": 1.1}, times=2),
    ),
    picture=lambda page: page.locator(".ae-strip").last,
    saved={"sigma": 2**-1.5, "across": 1.8},
    tap=Tap(lambda w, h: (0.9 * w, 0.5 * h), lambda now: float(now["sigma"]) > 0.6),
)


# ---- lesson 14 -------------------------------------------------------------------------------------------


@cache
def quick_plane() -> FeaturePlane:
    """Few steps are as good for this: any directions do."""
    p = torch.logspace(math.log10(0.02), math.log10(0.5), 7).double()
    return FeaturePlane.from_code(p, best_code(p, restarts=4, steps=150))


def feature_plane(**state) -> FeaturePlane:
    made = quick_plane()
    return put(FeaturePlane(arrays={name: numbers(made.array(name)) for name in made.arrays}), state)


def plane_also(page: Page, widget: FeaturePlane) -> None:
    figures = widget.figures()
    assert f"the expected error is {figures['best']:.4f}" in says(page)
    assert f"error {figures['now']:.3f}." in says(page)


PLANE = Row(
    feature_plane,
    settings=[{"level": level, "on": on} for level, on in [(0, 0), (0, 1), (2, 5), (4, 11), (6, 31), (6, 2)]],
    figures=lambda widget: widget.figures(),
    also=plane_also,
    presses=(
        Press("How often on", "ArrowRight", {"level": 2}, times=2, repaints=True),
        Press("Feature 2", "Space", {"on": 3}, role="button", repaints=True),
        Press("Feature 1", "Enter", {"on": 2}, role="button"),
    ),
    picture=lambda page: page.locator(".ae-plane"),
    saved={"level": 2, "on": 2},
    tap=Tap(lambda w, h: (0.9 * w, 0.5 * h), lambda now: int(now["level"]) >= 5),
)


@cache
@torch.no_grad()
def untrained_features() -> FeatureBoard:
    """Untrained networks: a direction is a direction."""
    torch.manual_seed(0)
    network = mlp([64, 32, 10])
    h, h_new = (network[:2](part) for part in (digits().train, digits().held_out))
    models = {
        lam: SparseAutoencoder(32, 40, center=h.mean(dim=0), seed=k) for k, lam in enumerate((0.05, 0.2))
    }
    read = lambda h: network[2](20 * h).log_softmax(dim=1)  # noqa: E731
    return FeatureBoard.from_models(digits(), (h, h_new), read, models)


def feature_board(**state) -> FeatureBoard:
    made = untrained_features()
    arrays = {name: numbers(made.array(name)) for name in made.arrays}
    return put(FeatureBoard(lams=made.lams, scale=made.scale, arrays=arrays), state)


def features_also(page: Page, widget: FeatureBoard) -> None:
    now = widget.figures()
    if widget.guess == NO_GUESS:
        assert "Which digit do the pictures show?" in says(page)
        assert page.locator(".ae-dot-latent, .ae-dot-error").count() == 0
    else:
        assert ("You are right" in says(page)) == bool(now["right"])
        assert (", the commonest" in says(page)) == (now["digit"] != now["name"])
        assert page.locator(".ae-dot-untold").count() == 0
        assert f"{now['information']:.2f} bits" in says(page)
        learned = WAYS[int(now["kind"])] == "learned"
        assert ("It is a learned feature." in says(page)) == learned


FEATURES = Row(
    feature_board,
    settings=[
        {"level": level, "place": place, "guess": guess}
        for level, place, guess in [(0, 0, NO_GUESS), (0, 3, 7), (1, 15, SEVERAL), (1, 8, 0), (0, 9, 1)]
    ],
    figures=lambda widget: widget.figures(),
    also=features_also,
    presses=(
        Press("Price", "ArrowRight", {"level": 1}, repaints=True),
        Press("Direction", "ArrowRight", {"place": 2}, times=2, repaints=True),
        Press("3", "Space", {"guess": 3}, role="radio"),
    ),
    picture=lambda page: page.locator(".ae-strip").first,
    saved={"level": 1, "place": 2, "guess": 3},
    touched={"place": 0, "guess": 4},
    tap=Tap(lambda w, h: (0.95 * w, 0.2 * h), lambda now: now["place"] != "0" and now["guess"] == "-1"),
    look={"guess": 2},
)


# ---- lesson 15 -------------------------------------------------------------------------------------------


GENERATOR_BETAS = [1e-6, 0.1, 4.0]


@cache
def made_generators() -> GeneratorBoard:
    """Hardly trained models are as good for this, with a classifier that prefers the inkiest tenth of a picture."""
    data = digits()
    first = [VAE(64, 3, hidden=(16,), noise_var=0.05, seed=seed) for seed in range(3)]
    fit_many(first, data.train, epochs=6, lr=0.01, seeds=range(3), betas=GENERATOR_BETAS, loss=neg_elbo)
    models = [LatentDiffusion(vae, data.train, n_labels=10, hidden=(8,)) for vae in first]
    return GeneratorBoard.from_models(data, models, GENERATOR_BETAS, InkiestTenth(), n_gaussians=4)


class InkiestTenth:
    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        ink = np.abs(x[:, :60].reshape(len(x), 10, 6)).sum(axis=2) + 1e-9
        return ink / ink.sum(axis=1, keepdims=True)


def generator_board(**state) -> GeneratorBoard:
    made = made_generators()
    arrays = {name: numbers(made.array(name)) for name in made.arrays if made.arrays[name]["kind"] == "float"}
    arrays |= {name: levels(made.array(name), bits=4) for name in made.arrays if name not in arrays}
    return put(GeneratorBoard(betas=made.betas, n_gaussians=4, arrays=arrays), state)


def generator_also(page: Page, widget: GeneratorBoard) -> None:
    now = widget.now()
    assert f"latent diffusion (told the digit) {now['diffusion_closeness']:.2f}" in says(page)
    assert f"{math.floor(100 * now['hits'] + 0.5)}% of its drawings" in says(page)
    assert (f"Asked for a {widget.asked}," in says(page)) == (widget.asked >= 0)


GENERATOR = Row(
    generator_board,
    settings=[{"index": i, "chosen_set": s, "asked": -1} for i in range(3) for s in range(3)]
    + [{"index": i, "asked": digit} for i, digit in ((0, 0), (2, 9), (1, 4))],
    figures=lambda widget: widget.now(),
    also=generator_also,
    presses=(
        Press("Weight", "ArrowRight", {"beta": 0.1}, repaints=True),
        Press("4", "Space", {"asked": 4}, role="radio", repaints=True),
        Press("Weight", "End", {"beta": 4.0}, repaints=True),
    ),
    picture=lambda page: page.locator(".ae-strip").last,
    saved={"index": 2, "asked": 4},
    tap=Tap(lambda w, h: (w - 22, 0.6 * h), lambda now: float(now["beta"]) == 1e-6),
)


# ---- lessons 01 and 08 -----------------------------------------------------------------------------------


def training_bench(**state) -> TrainingBench:
    return TrainingBench.from_data(digits(), **state)


def training_also(page: Page, bench: TrainingBench) -> None:
    text, now = says(page), expected(bench)
    assert text.startswith("Before the first step, with random weights, ")
    if bench.variational:
        costs = f"{now['reconstruction']:.1f} nats of reconstruction and {now['kl']:.1f} nats of KL"
        assert costs in text and f"β = {bench.beta:g}." in text
    else:
        assert f"the error is {now['reconstruction'] / 64:.4f} per pixel on 100 held-out digits." in text
        assert f"every copy it is {bench.mean_error:.4f}." in text


TRAINING = Row(
    training_bench,
    settings=[
        {"variational": variational, "latent_dim": k, "lr": lr, "beta": beta, "seed": seed}
        for variational in (False, True)
        for k, lr, beta, seed in [
            (1, 1e-4, 1.0, 0),
            (2, 0.005, 0.0, 0),
            (4, 0.2, 100.0, 1),
            (8, 1.0, 0.5, 2),
            (16, 10.0, 5.0, 7),
        ]
    ],
    figures=expected,
    also=training_also,
    start={"variational": True},
    presses=(
        Press("Learning rate", "ArrowRight", {"lr": 0.01}),
        Press("β", "End", {"beta": 100}),
        Press("One step", "Enter", {"epochs": 1 / 6}, role="button", repaints=True),
        Press("One step", "Space", {"epochs": 0.5}, role="button", times=2, repaints=True),
        Press("Reset", "Enter", {"epochs": 0}, role="button"),
        Press("K = 8", "Space", {"latentDim": 8}, role="radio", repaints=True),
    ),
    picture=lambda page: page.locator(".ae-strip").nth(1),
    saved={"lr": 0.01, "beta": 100, "latent_dim": 8},
    look={"variational": True},
)


ROWS = {
    "bend slider": BEND,
    "direction dial": DIAL,
    "ELBO line": ELBO,
    "KL board": KL,
    "beta slider": BETA,
    "rate-distortion board": RATE_DISTORTION,
    "collapse slider": COLLAPSE,
    "threshold board": THRESHOLD,
    "denoising board": DENOISING,
    "codebook board": CODEBOOK,
    "feature plane": PLANE,
    "feature board": FEATURES,
    "generator board": GENERATOR,
    "training bench": TRAINING,
}
