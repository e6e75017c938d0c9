"""The channel board's figures, against plain loops, closed forms and the measures of lesson 02."""

from __future__ import annotations

import math
from itertools import pairwise, product

import numpy as np
import pytest
import torch

from aelib import desiderata
from aelib.widgets.binary_channel import BinaryChannel
from aelib.widgets.channel_board import (
    CELLS,
    DECODER_NOISE,
    EDGES,
    LEVELS,
    N_EXAMPLES,
    SWAPS,
    ChannelBoard,
    cell_given_level,
    decoder_log_prob,
    encoder,
    information,
    overlaps,
    share_of_cells,
    turned,
)

SETTINGS = [
    {"noise": 0.0, "degrees": 0, "swaps": 0},
    {"noise": 0.4, "degrees": 17, "swaps": 2},
    {"noise": 1.0, "degrees": 45, "swaps": 0},
    {"noise": 1.3, "degrees": 90, "swaps": 6},
    {"noise": 2.0, "degrees": 73, "swaps": 4},
]


def loops(q: np.ndarray) -> float:
    """log n + (1/n) Σ_i E log q(x_i|z), with the encoder's own posterior, term by term."""
    total = 0.0
    for i, z in np.ndindex(*q.shape):
        if q[i, z] > 0:
            total += q[i, z] * math.log(q[i, z] / q[:, z].sum())
    return math.log(len(q)) + total / len(q)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.7, 1.0, 2.0])
def test_information_is_log_n_plus_the_own_posterior(noise: float):
    q = encoder(noise).reshape(N_EXAMPLES, -1)
    np.testing.assert_allclose(q.sum(axis=1), 1, atol=1e-14)
    assert information(q / N_EXAMPLES) == pytest.approx(loops(q), abs=1e-10)


def test_two_coordinates_tell_twice_what_one_tells():
    one = information(cell_given_level(0.6) / LEVELS)
    assert information(encoder(0.6).reshape(N_EXAMPLES, -1) / N_EXAMPLES) == pytest.approx(2 * one, abs=1e-12)


def test_without_noise_the_code_attains_the_ceiling():
    assert ChannelBoard(noise=0.0).figures()["information"] == pytest.approx(math.log(16), abs=1e-12)


def test_noise_lowers_everything():
    scores = [ChannelBoard(noise=noise, degrees=0).figures() for noise in (0.3, 0.7, 1.2, 2.0)]
    for name in ("information", "disentangled", "robust"):
        assert all(after[name] < before[name] - 0.01 for before, after in pairwise(scores)), name


@pytest.mark.parametrize("noise", [0.0, 0.7, 1.6])
@pytest.mark.parametrize(("degrees", "swaps"), [(45, 0), (0, 6), (33, 3), (90, 1)])
def test_no_bijection_changes_the_information(noise: float, degrees: int, swaps: int):
    plain = ChannelBoard(noise=noise, degrees=0).figures()
    changed = ChannelBoard(noise=noise, degrees=degrees, swaps=swaps).figures()
    assert changed["information"] == pytest.approx(plain["information"], abs=1e-12)
    assert changed["bound"] == pytest.approx(plain["bound"], abs=1e-12), (
        "a decoder that undoes h loses nothing"
    )


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("follows", [True, False])
def test_the_gap_is_the_expected_divergence(setting: dict, follows: bool):
    """E_{q(z)} KL(q(x|z) ‖ p_θ(x|z)) cell by cell; inside a turned cell p_θ depends on the piece."""
    board = ChannelBoard(**setting, follows=follows)
    code = board.code().reshape(N_EXAMPLES, -1)
    if follows:
        log_p = decoder_log_prob(setting["swaps"]).reshape(N_EXAMPLES, 1, -1)
        parts = np.eye(CELLS**2)[:, None, :]
    else:
        log_p = decoder_log_prob().reshape(N_EXAMPLES, 1, -1)
        parts = overlaps(setting["degrees"]).reshape(CELLS**2, 1, CELLS**2)
    gap = 0.0
    for z in range(CELLS**2):
        share, own = code[:, z].sum() / N_EXAMPLES, code[:, z] / code[:, z].sum()
        against = (log_p[:, 0] * parts[z, 0]).sum(axis=1)
        gap += share * sum(q * (math.log(q) - p) for q, p in zip(own, against, strict=True) if q > 0)
    figures = board.figures()
    assert figures["gap"] == pytest.approx(gap, abs=1e-10)
    assert figures["gap"] > -1e-12


def test_the_decoder_is_normalised_on_the_examples():
    np.testing.assert_allclose(np.exp(decoder_log_prob(3)).sum(axis=0), 1, atol=1e-12)


def test_the_gap_closes_where_the_decoder_is_the_own_posterior():
    assert abs(ChannelBoard(noise=DECODER_NOISE, degrees=20, swaps=2).figures()["gap"]) < 1e-12
    assert ChannelBoard(noise=0.5).figures()["gap"] > 0.1


@pytest.mark.parametrize("degrees", [0, 1, 30, 45, 60, 90])
def test_shares_and_overlaps_are_parts_of_a_whole(degrees: int):
    centres = turned(degrees)
    np.testing.assert_allclose(share_of_cells(centres[..., 0], degrees).sum(axis=-1), 1, atol=1e-10)
    np.testing.assert_allclose(overlaps(degrees).sum(axis=(2, 3)), 1, atol=1e-10)


def test_shares_and_overlaps_agree_with_many_points():
    points = (np.stack(np.meshgrid(*[(np.arange(300) + 0.5) / 300 - 0.5] * 2), axis=-1)).reshape(-1, 2)
    angle = np.deg2rad(35)
    square = (
        points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        + turned(35)[2, 5]
    )
    read = np.histogram(square[:, 0], EDGES)[0] / len(square)
    np.testing.assert_allclose(share_of_cells(turned(35)[2, 5, 0], 35), read, atol=2e-3)
    cells = np.clip(np.floor(square + CELLS / 2), 0, CELLS - 1).astype(int)
    counted = np.zeros((CELLS, CELLS))
    np.add.at(counted, (cells[:, 0], cells[:, 1]), 1 / len(square))
    np.testing.assert_allclose(overlaps(35)[2, 5], counted, atol=2e-3)


def test_each_bijection_ruins_one_wish():
    plain, turn = ChannelBoard(degrees=0).figures(), ChannelBoard(degrees=45).figures()
    scrambled = ChannelBoard(degrees=0, swaps=6).figures()
    assert turn["disentangled"] == pytest.approx(0, abs=1e-10) and plain["disentangled"] > 0.7
    assert turn["robust"] == pytest.approx(plain["robust"], abs=1e-12)
    assert scrambled["robust"] < 0.1 < 0.6 < plain["robust"]
    assert scrambled["disentangled"] == pytest.approx(plain["disentangled"], abs=1e-12)


def test_a_quarter_turn_breaks_nothing():
    plain, turn = ChannelBoard(degrees=0).figures(), ChannelBoard(degrees=90).figures()
    for name in ("information", "disentangled", "robust"):
        assert turn[name] == pytest.approx(plain[name], abs=1e-10), name


def test_every_swap_lowers_robustness():
    scores = [ChannelBoard(degrees=0, swaps=swaps).figures()["robust"] for swaps in range(len(SWAPS[0]) + 1)]
    assert all(after < before - 0.02 for before, after in pairwise(scores))


def test_disentangled_is_the_measure_of_lesson_02():
    """The same mutual information gap on drawn codes, read in the same cells."""
    board, generator = ChannelBoard(degrees=20), np.random.default_rng(0)
    codes, factors = [], []
    for x, (letter, number) in enumerate(product(range(LEVELS), repeat=2)):
        cells = generator.choice(CELLS**2, size=8000, p=board.code()[x].ravel() / board.code()[x].sum())
        place = turned(20).reshape(-1, 2)[cells] + _inside(generator, 8000, 20)
        codes.append(np.floor(place))
        factors.append(np.tile([letter, number], (8000, 1)))
    measured = desiderata.disentangled(
        torch.tensor(np.concatenate(codes)), torch.tensor(np.concatenate(factors)).double()
    )
    assert board.figures()["disentangled"] == pytest.approx(measured, abs=0.01)


def test_robust_is_the_measure_on_drawn_codes():
    board, generator = ChannelBoard(degrees=25, swaps=2, noise=0.8), np.random.default_rng(1)
    draws = [
        turned(25).reshape(-1, 2)[generator.choice(64, size=4000, p=board.code()[x].ravel())]
        + _inside(generator, 4000, 25)
        for x in range(N_EXAMPLES)
    ]
    near, far, apart = [], [], []
    for x, y in product(range(N_EXAMPLES), repeat=2):
        distance = (x // 4 - y // 4) ** 2 + (x % 4 - y % 4) ** 2
        moved = ((draws[x] - generator.permutation(draws[y])) ** 2).sum(axis=1).mean()
        near += [moved] if distance == 1 else []
        far += [moved] if distance else []
        apart += [distance] if distance else []
    movement, step = math.sqrt(np.mean(near) / np.mean(far)), math.sqrt(1 / np.mean(apart))
    assert board.figures()["robust"] == pytest.approx((step / movement - step) / (1 - step), abs=0.01)


def _inside(generator: np.random.Generator, n: int, degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return (generator.random((n, 2)) - 0.5) @ np.array(
        [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    )


def test_a_setting_out_of_range_is_refused():
    with pytest.raises(ValueError, match="noise should lie between 0 and 2, got 3"):
        ChannelBoard(noise=3.0)


@pytest.mark.parametrize("flip", [0.0, 0.1, 0.5, 0.93, 1.0])
def test_binary_channel(flip: float):
    channel = BinaryChannel(flip=flip)
    assert channel.information() == pytest.approx(information(channel.joint()), abs=1e-12)


def test_words_say_what_is_shown():
    assert ChannelBoard().words().startswith("What does information not see? Noise, rotation and swaps")
    assert BinaryChannel().words().startswith("A coin through a noisy channel. X is 0 or 1")
