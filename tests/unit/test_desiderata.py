"""Each desideratum against cases whose answer is known, and against changes that it should ignore."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from aelib import desiderata as des
from aelib.bijections import add_noise, bin_edges, close_holes, open_holes, rotate, scramble, unscramble
from aelib.data.dataset import Dataset, split
from aelib.data.digits import digits
from aelib.data.shapes import shapes
from aelib.models import pca

SHAPES = shapes(1500)
DIGITS = digits()


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def uniform(n, n_factors, seed=0):
    return torch.rand(n, n_factors, generator=generator(seed))


def normal(n, n_columns, seed=0):
    return torch.randn(n, n_columns, generator=generator(seed))


FACTORS = uniform(3000, 2)
CENTRED = FACTORS - 0.5


# Informative


def test_a_perfect_copy_scores_1_and_the_mean_scores_0():
    x = uniform(50, 8)
    assert des.informative(x, x, x.mean(0)) == 1
    assert des.informative(x, x.mean(0).expand_as(x), x.mean(0)) == pytest.approx(0, abs=1e-6)
    assert des.informative(x, 1 - x, x.mean(0)) < 0


def test_informative_by_hand():
    x, x_hat = torch.tensor([[0.0, 2.0], [4.0, 0.0]]), torch.tensor([[1.0, 2.0], [4.0, 2.0]])
    assert des.informative(x, x_hat, torch.tensor([1.0, 1.0])) == pytest.approx(1 - 5 / 12)


def test_pca_is_scikit_learns():
    from sklearn.decomposition import PCA

    x = DIGITS.train
    fitted, model = PCA(8, svd_solver="full").fit(x.double().numpy()), pca(x, 8)
    torch.testing.assert_close(model.weight.T, torch.tensor(fitted.components_).float(), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        model.encode(x).double(), torch.tensor(fitted.transform(x)).double(), atol=1e-4, rtol=0
    )
    score = des.informative(x, model.decode(model.encode(x)), x.mean(0))
    assert score == pytest.approx(fitted.explained_variance_ratio_.sum(), abs=1e-5)


@pytest.mark.parametrize("n", [10, 100, 1437])
@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, 7.7, 1e6])
def test_examples_that_are_all_alike_have_nothing_to_explain(value, n):
    """Their mean may differ from them by rounding."""
    x = torch.full((n, 64), value)
    with pytest.raises(des.UndefinedError, match="nothing to explain"):
        des.informative(x, x + 0.1, x.mean(0))


@pytest.mark.parametrize(("scale", "shift"), [(10.0, 0.0), (1.0, 5.0), (0.01, -3.0)])
def test_informative_ignores_units(scale, shift):
    x, x_hat = uniform(50, 8), uniform(50, 8, seed=1)
    before = des.informative(x, x_hat, x.mean(0))
    after = des.informative(scale * x + shift, scale * x_hat + shift, scale * x.mean(0) + shift)
    assert after == pytest.approx(before, abs=1e-4)


# Disentangled


def test_information_of_independent_bits_and_of_copies():
    bits = (uniform(4000, 2) > 0.5).float()
    table = des.information_table(bits, bits)
    assert torch.allclose(table, math.log(2) * torch.eye(2).double(), atol=2e-3)


def test_information_by_hand():
    """Counts 3, 1 / 1, 3 over 8 examples."""
    z = torch.tensor([0.0, 0, 0, 0, 1, 1, 1, 1])[:, None]
    v = torch.tensor([0.0, 0, 0, 1, 0, 1, 1, 1])[:, None]
    expected = 2 * (3 / 8) * math.log(1.5) + 2 * (1 / 8) * math.log(0.5)
    assert des.information_table(z, v, n_bins=2).item() == pytest.approx(expected)


def test_a_rare_value_keeps_a_cell_of_its_own():
    rare = (torch.arange(3000) < 30).float()[:, None]
    entropy = -0.01 * math.log(0.01) - 0.99 * math.log(0.99)
    assert des.information_table(rare, rare).item() == pytest.approx(entropy)


def test_axis_aligned_factors_are_disentangled():
    assert des.disentangled(FACTORS, FACTORS) > 0.97
    assert des.disentanglement_dci(FACTORS, FACTORS) > 0.95


@pytest.mark.parametrize("degrees", [45, -45, 135])
def test_rotated_by_45_degrees_they_are_not(degrees):
    assert des.disentangled(rotate(CENTRED, degrees), FACTORS) < 0.03
    assert des.disentanglement_dci(rotate(CENTRED, degrees), FACTORS) < 0.05


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_rotated_by_90_degrees_they_are_again(degrees):
    assert des.disentangled(rotate(CENTRED, degrees), FACTORS) > 0.97
    assert des.disentanglement_dci(rotate(CENTRED, degrees), FACTORS) > 0.95


def test_the_gap_falls_all_the_way_to_45_degrees():
    gaps = [des.disentangled(rotate(CENTRED, degrees), FACTORS) for degrees in (0, 5, 15, 30, 45)]
    assert gaps == sorted(gaps, reverse=True)


def test_noise_tells_nothing():
    noise = normal(3000, 4)
    assert des.disentangled(noise, FACTORS) < 0.02
    assert des.disentanglement_dci(noise, FACTORS) < 0.05


def test_a_little_noise_costs_a_little():
    gaps = [des.disentangled(add_noise(FACTORS, sd, generator(1)), FACTORS) for sd in (0.0, 0.05, 0.2, 1.0)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 0.1


def test_the_estimate_with_few_examples_is_as_documented():
    few = uniform(600, 2, seed=1)
    assert des.disentangled(few, few) == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize(
    "change",
    [
        lambda z: z.flip(1),
        lambda z: -z,
        lambda z: 1000 * z + 7,
        lambda z: z**3,
        lambda z: scramble(z, bin_edges(z, 20), seed=1),
        lambda z: open_holes(z, 0.5, bin_edges(z, 20)),
    ],
    ids=["order", "sign", "units", "monotone", "scrambled", "holes"],
)
def test_disentangled_ignores_what_leaves_coordinates_apart(change):
    z = add_noise(FACTORS, 0.1, generator(2))
    assert des.disentangled(change(z), FACTORS) == pytest.approx(des.disentangled(z, FACTORS), abs=0.01)


def test_discrete_factors_and_codes_are_taken_as_they_are():
    factors = torch.stack([torch.arange(3000) % 3, torch.arange(3000) // 3 % 2], dim=1).float()
    assert des.disentangled(factors, factors) > 0.99
    assert des.disentanglement_dci(factors, factors) > 0.99
    mixed = torch.stack([3 * factors[:, 1] + factors[:, 0], 3 * factors[:, 1] + factors[:, 0]], dim=1)
    assert des.disentangled(mixed, factors) == pytest.approx(0, abs=1e-9)


def test_a_factor_in_two_coordinates_costs_the_gap_but_not_dci():
    angle = 2 * math.pi * FACTORS[:, 0]
    code = torch.stack([angle.cos(), angle.sin(), FACTORS[:, 1]], dim=1)
    assert des.disentangled(code, FACTORS) < 0.55
    assert des.disentanglement_dci(code, FACTORS) > 0.9


def test_two_factors_in_one_coordinate_cost_dci():
    packed = ((4 * FACTORS[:, 0]).floor() + FACTORS[:, 1])[:, None]
    assert des.disentanglement_dci(packed, FACTORS) < 0.05


def test_dci_weighs_a_coordinate_by_how_much_it_matters():
    assert des.disentanglement_dci(torch.cat([FACTORS, normal(3000, 6)], dim=1), FACTORS) > 0.9


def test_codes_that_tell_nothing_score_a_number():
    constant = torch.ones(3000, 2)
    assert des.disentangled(constant, FACTORS) == 0
    assert des.disentanglement_dci(constant, FACTORS) == 0
    assert des.disentangled(torch.cat([FACTORS, constant], 1), FACTORS) == des.disentangled(FACTORS, FACTORS)
    assert des.disentangled(FACTORS[:, :1], FACTORS) == pytest.approx(0.5, abs=0.05)


# Robust


def torn(z, edges=None):
    return scramble(z, bin_edges(z, 20) if edges is None else edges, seed=0)


def test_an_isometry_and_a_projection_are_ideal():
    x = SHAPES.held_out
    rotation = torch.linalg.qr(normal(256, 256)).Q
    for encode in (
        torch.clone,
        lambda x: x @ rotation,
        pca(SHAPES.train, 5).encode,
        lambda x: 3 * x[:, :40] - 8,
    ):
        assert des.robust(encode, x) == 1


def test_a_scrambled_code_is_not_robust_while_its_gap_stays():
    edges = bin_edges(FACTORS, 20)
    assert des.robust(torch.clone, FACTORS) == 1
    assert des.robust(lambda x: torn(x, edges), FACTORS) < 0.1
    assert des.disentangled(torn(FACTORS, edges), FACTORS) > 0.97


def test_a_code_that_forgets_where_it_was_scores_0():
    assert des.robust(lambda x: normal(len(x), 3, seed=int(1e6 * x[0, 0])), FACTORS) == pytest.approx(
        0, abs=0.01
    )


def test_robust_by_hand():
    """Two examples change places: x moves by step, the code (a cube) by (1 - (1 - 2 step)³) / 2."""
    x = torch.tensor([[-1.0], [1.0]])
    for step in (0.1, 0.25):
        movement = (1 - (1 - 2 * step) ** 3) / 2
        expected = (step / movement - step) / (1 - step)
        assert des.robust(lambda x: x**3, x, step=step) == pytest.approx(expected, abs=1e-6)


def test_finer_tearing_and_more_noise_score_lower():
    tearing = [des.robust(lambda x, n=n: torn(x, bin_edges(FACTORS, n)), FACTORS) for n in (4, 8, 20)]
    assert 0.3 > tearing[0] > tearing[1] > tearing[2] > 0
    noise = generator()
    noisy = [des.robust(lambda x, sd=sd: add_noise(x, sd, noise), FACTORS) for sd in (0.0, 0.02, 0.1, 1.0)]
    assert noisy == sorted(noisy, reverse=True)
    assert noisy[0] == 1
    assert noisy[-1] < 0.1


@pytest.mark.parametrize(
    "after",
    [lambda z: 1e4 * z, lambda z: z + 100, lambda z: rotate(z, 30), lambda z: z.flip(1)],
    ids=["units", "shift", "rotation", "order"],
)
def test_robust_ignores_units_and_rotation_of_the_code(after):
    def winding(x):
        return torch.stack([(9 * x[:, 0]).sin(), (5 * x[:, 1]).cos()], dim=1)

    before = des.robust(winding, CENTRED)
    assert 0.1 < before < 0.9
    assert des.robust(lambda x: after(winding(x)), CENTRED) == pytest.approx(before, abs=1e-3)


def test_robust_ignores_units_of_the_input():
    before = des.robust(lambda x: (9 * x).sin(), FACTORS)
    assert 0 < before < 0.9
    assert des.robust(lambda x: (9 * (x - 3) / 50).sin(), 50 * FACTORS + 3) == pytest.approx(before, abs=1e-3)


def test_nothing_is_undefined_except_a_constant_code():
    with pytest.raises(des.UndefinedError, match="0/0"):
        des.robust(lambda x: torch.full((len(x), 2), 5.0), FACTORS)
    collapsed = des.robust(lambda x: torch.cat([x[:, :1], torch.zeros(len(x), 3)], dim=1), FACTORS)
    assert collapsed == 1


# Representative


def test_data_represents_data():
    fresh = shapes(300, seed=9).all
    found = des.representative(fresh, SHAPES.train, SHAPES.held_out)
    assert found.distance_ratio == pytest.approx(1, abs=0.05)
    assert found.score > 0.9


def test_the_held_out_data_itself_scores_exactly_1():
    assert des.representative(SHAPES.held_out, SHAPES.train, SHAPES.held_out) == des.Representative(
        distance_ratio=1.0, coverage=pytest.approx(0.7, abs=0.1), real_coverage=pytest.approx(0.7, abs=0.1)
    )
    assert des.representative(SHAPES.held_out, SHAPES.train, SHAPES.held_out).score == 1


def test_uniform_noise_does_not():
    noise = uniform(len(DIGITS.held_out_index), 64)
    found = des.representative(noise, DIGITS.train, DIGITS.held_out)
    assert found.distance_ratio > 1.5
    assert found.coverage < 0.02
    assert found.score < 0.02


def test_class_means_beat_real_digits_on_distance_and_fail_on_coverage():
    means = torch.stack([DIGITS.train[DIGITS.train_labels == label].mean(0) for label in range(10)])
    repeated = means.repeat(36, 1)[: len(DIGITS.held_out_index)]
    for generated in (means, repeated):
        found = des.representative(generated, DIGITS.train, DIGITS.held_out)
        assert found.distance_ratio < 1
        assert found.closeness == 1
        assert found.score == found.relative_coverage < 0.3


def test_half_data_half_noise_covers_but_is_not_close():
    fresh = shapes(300, seed=9).all
    fresh[::2] = uniform(150, 256)
    found = des.representative(fresh, SHAPES.train, SHAPES.held_out)
    assert found.score == found.closeness < 0.5 < found.relative_coverage


def test_representative_by_hand():
    train = torch.tensor([[0.0], [1.0], [3.0], [7.0]])  # distance to the nearest other one: 1, 1, 2, 4
    held_out = torch.tensor([[0.5], [3.5]])  # nearest training distances 0.5, 0.5; covers 0, 1, 3, 7
    found = des.representative(torch.tensor([[0.5], [-3.0]]), train, held_out, k=1)  # 0.5, 3; covers 0, 1
    assert found.distance_ratio == pytest.approx(3.5)
    assert (found.coverage, found.real_coverage) == (0.5, 1.0)
    assert found.closeness == found.score == pytest.approx(1 / 3.5)


@pytest.mark.parametrize("shift", [0, 100, -1000])
def test_held_out_copies_set_no_standard_wherever_the_data_lie(shift):
    train = shift + normal(300, 64)
    with pytest.raises(des.UndefinedError, match="copies of training examples"):
        des.representative(shift + normal(100, 64), train, train[50:150].clone())


def test_representative_ignores_units_order_and_rotation():
    fresh, rotation = shapes(300, seed=9).all, torch.linalg.qr(normal(256, 256)).Q
    before = des.representative(fresh, SHAPES.train, SHAPES.held_out)
    sets = [7 * x.flip(0) @ rotation + 1 for x in (fresh, SHAPES.train, SHAPES.held_out)]
    after = des.representative(*sets)
    assert after.distance_ratio == pytest.approx(before.distance_ratio, abs=1e-4)
    assert after.score == pytest.approx(before.score, abs=0.01)


# Laws and models


def test_drawn_codes_have_the_mean_and_covariance_of_the_codes():
    mixing = torch.tensor([[1.0, 2.0, 0.0], [0.0, 3.0, -1.0], [0.5, 0.0, 2.0]])
    model = des.CodePair(lambda x: x @ mixing + 5, torch.clone)
    x = normal(4000, 3)
    drawn, z = des.draw_codes(model, x, 40000), model.encode(x)
    assert torch.allclose(drawn.mean(0), z.mean(0), atol=0.05)
    assert torch.allclose(torch.cov(drawn.T), torch.cov(z.T), atol=0.3)


def test_a_model_with_a_law_of_its_own_is_drawn_from_it():
    prior = des.CodePair(torch.clone, torch.clone, lambda n, g: torch.rand(n, 3, generator=g))
    drawn = des.draw_codes(prior, normal(10, 3), 100, seed=2)
    assert torch.equal(drawn, torch.rand(100, 3, generator=generator(2)))
    moved = des.recode(prior, lambda z: z + 10, lambda z: z - 10)
    assert torch.equal(des.draw_codes(moved, normal(10, 3), 100, seed=2), drawn + 10)


def test_one_latent_or_a_collapsed_one_can_be_drawn():
    assert des.draw_codes(pca(SHAPES.train, 1), SHAPES.train, 7).shape == (7, 1)
    flat = des.CodePair(lambda x: x[:, :2] * 0 + 3, torch.clone)
    assert torch.equal(des.draw_codes(flat, SHAPES.train, 4), torch.full((4, 2), 3.0))


def test_projections_decode_with_the_pseudo_inverse():
    for model in (pca(DIGITS.train, 6), des.random_projection(DIGITS.train, 6, seed=1)):
        code = normal(5, 6)
        assert torch.allclose(model.encode(model.decode(code)), code, atol=1e-5)


def test_a_recoded_model_copies_as_before():
    plain, x = pca(DIGITS.train, 6), DIGITS.held_out
    edges = bin_edges(plain.encode(DIGITS.train))
    changed = des.recode(plain, lambda z: scramble(z, edges), lambda z: unscramble(z, edges))
    assert torch.allclose(changed.decode(changed.encode(x)), plain.decode(plain.encode(x)), atol=1e-4)
    assert not torch.allclose(changed.encode(x), plain.encode(x), atol=1)


# The knobs and the scorecard

PCA5 = pca(SHAPES.train, 5)


def knob(h, h_inverse):
    return des.score(des.recode(PCA5, h, h_inverse), SHAPES)


PLAIN = des.score(PCA5, SHAPES)


def test_scores_are_those_of_the_four_functions():
    x, encode = SHAPES.held_out, PCA5.encode
    drawn = PCA5.decode(des.draw_codes(PCA5, SHAPES.train, len(x), seed=0))
    assert {
        "informative": des.informative(x, PCA5.decode(encode(x)), SHAPES.train.mean(0)),
        "disentangled": des.disentangled(encode(SHAPES.all), SHAPES.factors),
        "robust": des.robust(encode, x),
        "representative": des.representative(drawn, SHAPES.train, x).score,
    } == PLAIN


def test_rotation_takes_disentanglement_only():
    turned = knob(lambda z: rotate(z, 45), lambda z: rotate(z, -45))
    assert turned["disentangled"] < 0.5 * PLAIN["disentangled"]
    assert all(
        turned[name] == pytest.approx(PLAIN[name], abs=0.04)
        for name in ("informative", "robust", "representative")
    )


def test_scrambling_takes_robustness_only():
    edges = bin_edges(PCA5.encode(SHAPES.train), 20)
    torn_code = knob(lambda z: scramble(z, edges), lambda z: unscramble(z, edges))
    assert torn_code["robust"] < 0.1
    assert PLAIN["robust"] == 1
    assert torn_code["informative"] == pytest.approx(PLAIN["informative"], abs=1e-4)
    assert torn_code["disentangled"] == pytest.approx(PLAIN["disentangled"], abs=0.05)
    assert torn_code["representative"] == pytest.approx(PLAIN["representative"], abs=0.08)


def test_noise_takes_three():
    noise = generator()
    noisy = knob(lambda z: add_noise(z, 1.0, noise), lambda z: z)
    for name in ("informative", "robust", "disentangled"):
        assert noisy[name] < 0.8 * PLAIN[name]


def test_holes_take_representativeness():
    edges = bin_edges(PCA5.encode(SHAPES.train), 20)
    holed = knob(lambda z: open_holes(z, 0.5, edges), lambda z: close_holes(z, 0.5, edges))
    assert holed["representative"] < 0.5 * PLAIN["representative"]
    assert holed["informative"] == pytest.approx(PLAIN["informative"], abs=1e-4)
    assert holed["disentangled"] == pytest.approx(PLAIN["disentangled"], abs=0.01)
    assert 0.5 < holed["robust"] < 1  # a tear in the middle of each coordinate costs something


def test_a_scorecard_holds_every_seed_and_its_error():
    models = {"PCA": PCA5, "random": lambda seed: des.random_projection(SHAPES.train, 5, seed)}
    card = des.scorecard(models, SHAPES, seeds=[0, 1, 2])
    assert card.names == ("PCA", "random")
    assert card.metrics == des.METRICS
    assert card.values.shape == (2, 4, 3)
    by_hand = [des.score(PCA5, SHAPES, seed)["representative"] for seed in range(3)]
    assert len(set(by_hand)) > 1
    assert card.values[0, 3].tolist() == by_hand
    assert card.mean[0, 3] == pytest.approx(np.mean(by_hand))
    assert card.error[0, 3] == pytest.approx(np.std(by_hand, ddof=1) / math.sqrt(3))
    assert card.error[0, 0] == 0
    assert card.error[1, 0] > 0
    assert (card.mean[0, :2] > card.mean[1, :2]).all()


def test_unknown_factors_and_constant_codes_show_a_dash_and_why():
    constant = des.CodePair(lambda x: x[:, :1] * 0, lambda z: z.expand(-1, 64))
    card = des.scorecard({"PCA": pca(DIGITS.train, 4), "constant": constant}, DIGITS, seeds=[0, 1])
    assert card.cell(0, 1) == card.cell(1, 1) == card.cell(1, 2) == "—"
    assert np.isfinite(card.mean[0, [0, 2, 3]]).all()
    assert len(card.notes) == 2
    assert "disentangled (PCA, constant): the factors behind digits are not known" in card.notes[0]
    assert "robust (constant)" in card.notes[1]
    assert "0/0" in card.notes[1]
    assert "nan" not in str(card)
    assert "nan" not in card._repr_html_()


def test_the_tables_show_the_scores():
    card = des.Scorecard(("a <b>",), des.METRICS, np.array([[[0.5, 0.7], [0.1, 0.1], [1, 1], [0, 0.2]]]))
    assert card.cell(0, 0) == "0.60 ± 0.10"
    assert "0.60 ± 0.10" in str(card)
    assert "over 2 seeds" in str(card)
    assert "<td>0.60 ± 0.10</td>" in card._repr_html_()
    assert "a &lt;b&gt;" in card._repr_html_()
    single = des.Scorecard(("a",), des.METRICS, card.values[:, :, :1])
    assert single.cell(0, 0) == "0.50"
    assert "One seed" in str(single)


def test_a_drawing_has_a_dot_for_each_score():
    from matplotlib.figure import Figure

    values = np.random.default_rng(0).random((3, 4, 5))
    values[1, 1] = np.nan
    card = des.Scorecard(("a", "b", "c"), des.METRICS, values)
    ax = card.draw(Figure().subplots(), colours={"a": "#0072B2"})
    lines = [container.lines[0] for container in ax.containers]
    assert [line.get_marker() for line in lines] == ["o", "s", "D"]
    assert lines[0].get_color() == "#0072B2"
    for line, means in zip(lines, card.mean, strict=True):
        assert np.allclose(line.get_xdata(), means, equal_nan=True)
    assert [label.get_text() for label in ax.get_yticklabels()] == list(des.METRICS)


class Halved(nn.Module):
    """A network whose encoder answers like a VAE's, and differs between training and evaluation."""

    def encode(self, x):
        return (nn.functional.dropout(x[:, :9], 0.9, self.training), torch.full((len(x), 9), torch.nan))

    def decode(self, z):
        return nn.functional.pad(z, (0, 55))


def test_a_network_is_judged_in_evaluation_mode_by_its_mean_and_left_as_it_was():
    model = Halved()
    scores = des.score(model, DIGITS)
    assert scores["robust"] == 1
    assert model.training
    model.eval()
    assert des.score(model, DIGITS) == scores
    assert not model.training


def test_scores_do_not_touch_the_global_random_stream():
    before = torch.get_rng_state()
    des.score(PCA5, SHAPES, seed=3)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: des.informative(FACTORS, FACTORS[:, :1], FACTORS.mean(0)), "x_hat of shape"),
        (lambda: des.informative(FACTORS, FACTORS, FACTORS.mean()), "train_mean is data.train.mean"),
        (lambda: des.informative(torch.ones(4, 2), torch.ones(4, 2), torch.ones(2)), "0/0"),
        (lambda: des.informative(FACTORS, FACTORS * torch.nan, FACTORS.mean(0)), "diverged"),
        (lambda: des.disentangled(FACTORS[:10], FACTORS[:10]), "cannot fill 20 cells"),
        (lambda: des.disentangled(FACTORS[:100], FACTORS), "one row of factors"),
        (lambda: des.disentangled(FACTORS * torch.nan, FACTORS), "diverged"),
        (lambda: des.disentangled(FACTORS, nn.functional.pad(FACTORS, (0, 1))), "factor 2 is the same"),
        (lambda: des.disentanglement_dci(FACTORS, FACTORS[:, :1]), "at least two"),
        (lambda: des.robust(torch.clone, FACTORS, step=0), "between 0 and 1"),
        (lambda: des.robust(torch.clone, FACTORS[:1]), "at least two"),
        (lambda: des.robust(lambda x: x.mean(0, keepdim=True), FACTORS), "one for each"),
        (lambda: des.robust(lambda x: x / 0, FACTORS), "diverged"),
        (lambda: des.representative(FACTORS, FACTORS[:5], FACTORS), "more than k = 5"),
        (lambda: des.representative(FACTORS, SHAPES.train, SHAPES.held_out), "rows of one length"),
        (lambda: des.representative(FACTORS[:50], FACTORS, FACTORS[:50]), "copies of training examples"),
        (
            lambda: des.representative(SHAPES.train, SHAPES.train, SHAPES.held_out),
            "generate as many as are held out",
        ),
        (lambda: des.scorecard({}, DIGITS), "at least one model"),
    ],
)
def test_bad_input_gets_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_something_that_is_not_a_model_gets_a_sentence():
    with pytest.raises(TypeError, match="PCA: expected a model with encode and decode"):
        des.scorecard({"PCA": lambda seed: "soup"}, DIGITS)


def test_data_with_few_examples_can_be_scored():
    train_index, held_out_index = split(40)
    small = Dataset("small", (uniform(40, 4) * 255).byte(), 255.0, (2, 2), train_index, held_out_index)
    assert 0 <= des.score(pca(small.train, 2), small)["representative"] <= 1
