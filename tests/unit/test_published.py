"""The run of ``make published`` on a few random images: what it measures, and that what is kept has its form."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import accumulate, product

import pytest
import torch

from aelib.data import Dataset, DownloadError, digits
from experiments import published_mnist as published


def random_images(n: int = 60) -> Dataset:
    pixels = torch.randint(0, 256, (n, 784), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return Dataset("random images", pixels, 255.0, (28, 28), torch.arange(40), torch.arange(40, n))


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    data, stages = random_images(), ((1, 1e-3), (2, 1e-3))
    return [
        *published.official_example(data, epochs=1),
        *published.small_network(data, stages[:1]),
        *published.burda(data, published.STARTS[0], 0, stages, n_samples=20)["rows"],
        *published.floor(data),
    ]


def kept_rows() -> list[dict]:
    return json.loads(published.KEPT.read_text(encoding="utf-8"))["rows"]


def form(found: list[dict]) -> list[dict]:
    """The rows without their numbers."""
    return [{k: v for k, v in row.items() if k not in ("ours", "error", "epochs")} for row in found]


def test_the_kept_run_has_the_form_of_a_new_one(rows):
    new = json.loads(json.dumps(form(rows)).replace("200 draws", "5000 draws").replace('"20 ', '"500 '))
    assert [row for row in form(kept_rows()) if row["figure"] != "−ELBO"] == [
        row for row in new if row["figure"] != "−ELBO"
    ]
    epochs = [row["epochs"] for row in kept_rows() if row["figure"] == "−ELBO"]
    assert epochs == [published.STAGES[0][0], *accumulate(n for n, _ in published.STAGES)]


def test_each_start_is_where_it_says_and_is_kept_for_three_seeds():
    data = random_images()
    dark = replace(data, raw=data.raw // 20)
    dark.raw[:, 0] = 0
    near_0, mean_image = (
        published.burda(dark, start, 1, ((1, 1e-9), (1, 1e-9)), n_samples=5) for start in published.STARTS
    )
    assert mean_image["rows"][0]["ours"] < 0.5 * near_0["rows"][0]["ours"], "without a step of learning"
    assert len(near_0["active"]) == 2
    kept = json.loads(published.KEPT.read_text(encoding="utf-8"))["starts"]
    assert [(run["start"], run["seed"]) for run in kept] == [*product(published.STARTS, range(3))]
    assert {tuple(run) for run in kept} == {("start", "seed", "active", "ours", "minutes")}
    assert kept[0]["ours"] == next(row["ours"] for row in kept_rows() if row["figure"] == "500 draws")


def test_the_two_networks_as_they_are_and_shuffled():
    new = published.architectures(random_images(), epochs=1)
    kept = json.loads(published.KEPT.read_text(encoding="utf-8"))["architectures"]
    assert [row.keys() for row in new] == [row.keys() for row in kept]
    plain, convolutional = kept
    assert convolutional["as they are"] < plain["as they are"] - 2, "the true claim wins some nats"
    assert convolutional["shuffled"] > convolutional["as they are"] + 10, "and the false one costs many"
    assert abs(plain["shuffled"] - plain["as they are"]) < 3


def test_generators_on_mnist_agree_with_the_lesson():
    new = published.generators(digits(), epochs=((1, 2e-3),), hidden=16, seeds=range(1))
    kept = json.loads(published.KEPT.read_text(encoding="utf-8"))["generators"]
    assert {tuple(row) for row in new} == {tuple(row) for row in kept}
    for row in kept:
        assert row["prior_coverage"] < row["gaussian_coverage"] < row["mixture_coverage"]
        confidence = [row[f"{way}_confidence"] for way in ("prior", "gaussian", "diffusion", "mixture")]
        assert confidence == sorted(confidence)
        assert row["hits"] > 0.7


def test_more_samples_tighten_the_bound_and_nothing_gets_below_the_coins(rows):
    ours = {row["figure"]: row["ours"] for row in rows}
    assert ours["200 draws, the same 1,000"] < ours["20 draws, 1,000 images"] < ours["−ELBO"]
    assert 300 < ours["entropy of the coins"] < ours["200 draws, the same 1,000"]


def test_coins_are_fair_to_the_grey_value():
    x = torch.full((1, 200_000), 0.3)
    assert published.binarise(x, seed=0).mean().item() == pytest.approx(0.3, abs=0.005)
    assert set(published.binarise(x, seed=0).unique().tolist()) == {0.0, 1.0}


def test_without_mnist_it_ends_in_a_sentence(monkeypatch):
    def missing(download):
        raise DownloadError("MNIST could not be loaded: nobody is at home.")

    monkeypatch.setattr(published, "mnist", missing)
    with pytest.raises(SystemExit, match="nobody is at home"):
        published.main()
