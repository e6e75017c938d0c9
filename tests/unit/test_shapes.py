"""The generated pictures: do they show the factors that they claim to show?"""

import pytest
import torch

from aelib.data.shapes import FACTOR_NAMES, render, shapes

DATA = shapes(n_examples=1500)


def picture(shape=0, x=0.0, y=0.0, scale=0.35, rotation=0.0, size=16):
    return render(torch.tensor([[shape, x, y, scale, rotation]]), size).reshape(size, size).float()


def centre_of_mass(images):
    size = images.shape[1]
    position = (2 * torch.arange(size) + 1) / size - 1
    ink = images.sum(dim=(1, 2))
    return (images.sum(dim=1) * position).sum(dim=1) / ink, -(images.sum(dim=2) * position).sum(dim=1) / ink


def test_it_is_a_data_set_with_factors():
    assert len(DATA) == 1500
    assert DATA.image_shape == (16, 16)
    assert DATA.n_inputs == 256
    assert DATA.raw.dtype == torch.uint8
    assert DATA.raw.max() == DATA.scale == 16
    assert DATA.factors.shape == (1500, 5)
    assert DATA.factor_names == FACTOR_NAMES
    assert torch.equal(DATA.labels, DATA.factors[:, 0].long())
    both = torch.cat([DATA.train_index, DATA.held_out_index]).sort().values
    assert torch.equal(both, torch.arange(1500))
    assert len(DATA.held_out_index) == 300


def test_the_seed_fixes_the_pictures_and_leaves_the_global_stream_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    again, other = shapes(100, seed=4), shapes(100, seed=5)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(again.raw, shapes(100, seed=4).raw)
    assert not torch.equal(again.raw, other.raw)


def test_factors_fill_their_ranges_evenly_and_independently():
    low, high = torch.tensor([[-0.34, -0.34, 0.28, -30], [0.34, 0.34, 0.42, 30]])
    pose = (DATA.factors[:, 1:] - low) / (high - low)
    assert pose.min() >= 0
    assert pose.max() <= 1
    assert torch.allclose(pose.mean(0), torch.full((4,), 0.5), atol=0.04)
    assert torch.allclose(pose.var(0), torch.full((4,), 1 / 12), atol=0.01)
    assert (torch.bincount(DATA.labels) / 1500 - 1 / 3).abs().max() < 0.05
    assert (torch.corrcoef(DATA.factors.T) - torch.eye(5)).abs().max() < 0.1


def test_the_centre_of_mass_is_the_position():
    x, y = centre_of_mass(DATA.all.reshape(-1, 16, 16))
    assert (x - DATA.factors[:, 1]).abs().max() < 0.02
    assert (y - DATA.factors[:, 2]).abs().max() < 0.02


def test_area_is_that_of_a_disc_with_radius_scale_for_every_shape():
    area = DATA.all.mean(dim=1) * 4
    ratio = area / (torch.pi * DATA.factors[:, 3] ** 2)
    for shape in range(3):
        assert ratio[DATA.labels == shape].mean() == pytest.approx(1, abs=0.005)
    assert (ratio - 1).abs().max() < 0.05


def test_no_shape_is_cut_off_by_the_border():
    """Drawn at half size on a picture twice as large, the shapes leave no ink outside the central quarter."""
    ends = torch.tensor(
        [
            [shape, x, y, 0.42, rotation]
            for shape in range(3)
            for x in (-0.34, 0.34)
            for y in (-0.34, 0.34)
            for rotation in range(-30, 31, 5)
        ]
    )
    larger = render(ends * torch.tensor([1, 0.5, 0.5, 0.5, 1]), size=64).reshape(-1, 64, 64).float()
    assert larger[:, 16:48, 16:48].sum() == larger.sum()


@pytest.mark.parametrize("shape", [0, 1, 2])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"x": -0.1}, {"x": 0.1}),
        ({"y": -0.1}, {"y": 0.1}),
        ({"scale": 0.3}, {"scale": 0.35}),
        ({"rotation": -30}, {"rotation": -10}),
        ({"rotation": -10}, {"rotation": 10}),
        ({"rotation": -30}, {"rotation": 30}),
    ],
)
def test_each_factor_can_be_seen(shape, first, second):
    assert (picture(shape, **first) - picture(shape, **second)).abs().sum() > 16


@pytest.mark.parametrize("shape", [0, 1, 2])
def test_pictures_differ_most_between_the_two_ends_of_rotation(shape):
    start = picture(shape, scale=0.42, rotation=-30)
    distance = [(start - picture(shape, scale=0.42, rotation=angle)).norm() for angle in (-10, 10, 30)]
    assert distance[0] < distance[1] < distance[2]


def test_the_three_shapes_differ():
    ellipse, triangle, heart = (picture(shape) for shape in range(3))
    assert (
        min((ellipse - triangle).abs().sum(), (ellipse - heart).abs().sum(), (triangle - heart).abs().sum())
        > 100
    )


def test_up_is_up_and_rotation_is_anticlockwise():
    triangle, turned = picture(1, scale=0.42), picture(1, scale=0.42, rotation=30)
    assert triangle[8:].sum() > triangle[:8].sum()  # wide base below (row 0 is the top)
    ellipse = picture(0, scale=0.42, rotation=30)
    assert ellipse[:8, 8:].sum() > 2 * ellipse[:8, :8].sum()  # the right end of a lying ellipse rises
    assert not torch.equal(triangle, turned)


def test_edges_are_anti_aliased():
    levels = DATA.raw.unique()
    assert torch.equal(levels, torch.arange(17, dtype=torch.uint8))


def test_a_finer_picture_agrees_with_a_coarse_one():
    coarse, fine = picture(2, x=0.1, rotation=20), picture(2, x=0.1, rotation=20, size=64)
    assert (fine.reshape(16, 4, 16, 4).mean(dim=(1, 3)) - coarse).abs().max() <= 2


def test_bad_requests_get_a_sentence():
    with pytest.raises(ValueError, match="at least 16 x 16"):
        shapes(10, size=8)
    with pytest.raises(ValueError, match="at least 5 pictures"):
        shapes(1)
    with pytest.raises(ValueError, match="a scale is positive"):
        picture(shape=3)
    with pytest.raises(ValueError, match="shape, x, y, scale, rotation"):
        render(torch.zeros(4, 3))
