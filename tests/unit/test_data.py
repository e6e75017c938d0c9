"""The Dataset type and the digits."""

import dataclasses
from pathlib import Path

import pytest
import torch

from aelib.data import Dataset, digits, split


def test_digits_are_the_1797_real_ones():
    data = digits()
    assert (len(data), data.n_inputs, data.image_shape, data.scale) == (1797, 64, (8, 8), 16.0)
    assert data.all.dtype == torch.float32
    assert (data.all.min(), data.all.max()) == (0, 1)
    assert data.labels.bincount().tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


@pytest.mark.parametrize("found", [True, False], ids=["its file", "by the library"])
def test_the_digits_are_those_of_scikit_learn(found, monkeypatch):
    from sklearn.datasets import load_digits

    if not found:
        monkeypatch.setattr(Path, "exists", lambda path: False)
    bundle, data = load_digits(), digits()
    assert torch.equal(data.raw, torch.from_numpy(bundle.data).to(torch.uint8))
    assert torch.equal(data.labels, torch.from_numpy(bundle.target).long())


def test_split_has_no_overlap_and_forgets_nobody():
    train, held_out = split(1797)
    assert len(held_out) == 359
    assert torch.equal(torch.cat([train, held_out]).sort().values, torch.arange(1797))
    assert torch.equal(split(1797)[0], train)
    assert not torch.equal(split(1797, seed=1)[0], train)


def test_split_leaves_torch_s_random_stream_alone():
    before = torch.get_rng_state()
    split(10)
    assert torch.equal(before, torch.get_rng_state())


def test_parts_and_labels_belong_together():
    data = digits()
    assert torch.equal(data.train[5], data.all[data.train_index[5]])
    assert data.held_out_labels[7] == data.labels[data.held_out_index[7]]
    assert len(data.train) + len(data.held_out) == len(data)


def test_every_digit_is_held_out_sometimes():
    assert digits().held_out_labels.unique().tolist() == list(range(10))


@pytest.mark.parametrize(
    ("raw", "image_shape", "words"),
    [
        (torch.zeros(0, 4), (2, 2), "at least one"),
        (torch.zeros(3, 2, 2), (2, 2), "Flatten"),
        (torch.zeros(3, 4), (3, 3), "holds 9 numbers, but a row has 4"),
    ],
)
def test_bad_data_get_a_sentence(raw, image_shape, words):
    with pytest.raises(ValueError, match=words):
        Dataset("odd", raw, 1.0, image_shape, torch.arange(0), torch.arange(0))


def test_a_dataset_does_not_change_under_your_hands():
    with pytest.raises(dataclasses.FrozenInstanceError):
        digits().scale = 255.0
