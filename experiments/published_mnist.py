"""MNIST by two published protocols, our figures beside the published ones, and lesson 15's generator: ``make published``.

About two and a half hours of one core; the six trainings of Burda's network share what cores there are. What is printed is kept in ``aelib/data/published_mnist.json``; lessons 11 and 15 show it.

Sources: PyTorch's basic VAE example (github.com/pytorch/examples, folder vae). Y. Burda, R. Grosse and
R. Salakhutdinov, Importance Weighted Autoencoders, arXiv:1509.00519, table 1, and their code, github.com/yburda/iwae:
batches of 20, 3,280 epochs in eight stages, the learning rate from 1e-3 down to 1e-4, 5,000 draws for the figure, and
an output bias that starts at the logit of the mean image (between a thousandth and 0.999).
"""

from __future__ import annotations

import aelib  # isort: skip  (settles the threads before torch is loaded)

import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import product
from multiprocessing import get_context

import torch
from sklearn.ensemble import ExtraTreesClassifier
from torch import Tensor, nn
from torch.nn.functional import one_hot

from aelib.data import Dataset, DownloadError, mnist
from aelib.data.published import KEPT
from aelib.desiderata import active_latents
from aelib.generators import LatentDiffusion, latent_error
from aelib.models import VAE, convolutional_vae
from aelib.objectives import elbo, importance_weighted_bound, neg_elbo
from aelib.training import fit
from aelib.widgets.generator_board import GeneratorBoard

Epochs = tuple[tuple[int, float], ...]
"""Stages of a training, each its number of epochs and its learning rate."""
STAGES = ((100, 2e-3), (80, 1e-3), (40, 3e-4), (20, 1e-4))
"""Epochs and learning rate of each stage of Burda's architecture, in batches of 200."""
STARTS = ("close to 0", "mean image")
"""What the decoder's output bias starts from: PyTorch's default, at most 0.07 from 0, and Burda's logit of the mean image."""
PUBLISHED = "86.76 (3,280 epochs, 5,000 draws)"
"""Table 1, MNIST, VAE, k = 1, one stochastic layer."""


def binarise(x: Tensor, seed: int) -> Tensor:
    """Each pixel tossed once: 1 with probability x."""
    return torch.bernoulli(x, generator=torch.Generator().manual_seed(seed))


def binarised_neg_elbo(model: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """The loss on pixels tossed anew at every step."""
    return neg_elbo(model, torch.bernoulli(x))


def official_example(data: Dataset, epochs: int = 10) -> list[dict]:
    model = VAE(784, 20, hidden=(400,), likelihood="bernoulli")
    history = fit(model, data, epochs=epochs, seed=0, loss=neg_elbo, batch_size=128, lr=1e-3)
    row = {
        "protocol": "PyTorch's VAE example",
        "network": "784-400-20, ReLU",
        "pixels": "grey",
        "epochs": epochs,
    }
    return [row | {"figure": "loss: cross-entropy + KL", "ours": history.held_out["loss"][-1]}]


def small_network(data: Dataset, stages=STAGES[:1]) -> list[dict]:
    """The example's network on Burda's pixels, as long as the first stage: what the network alone makes of it."""
    model = VAE(784, 20, hidden=(400,), likelihood="bernoulli")
    to_learn = replace(data, held_out_index=torch.arange(0))
    for stage, (epochs, lr) in enumerate(stages):
        fit(model, to_learn, epochs=epochs, seed=stage, loss=binarised_neg_elbo, batch_size=200, lr=lr)
    row = {"protocol": "the example's network, tossed", "network": "784-400-20, ReLU", "pixels": "tossed"}
    found = mean_and_error(-elbo(model, binarise(data.held_out, seed=0), 10))
    return [row | {"epochs": sum(epochs for epochs, _ in stages), "figure": "−ELBO"} | found]


def burda(data: Dataset, start: str, seed: int, stages=STAGES, n_samples: int = 500) -> dict:
    """Burda's network from one start of its output bias: active latents after each stage, figure, and rows of the table."""
    model = VAE(784, 50, hidden=(200, 200), likelihood="bernoulli", activation=nn.Tanh, seed=seed)
    if start == "mean image":
        model.decoder[-1].bias.data = data.train.mean(dim=0).clamp(0.001, 0.999).logit()
    to_learn = replace(data, held_out_index=torch.arange(0))  # nothing is judged after each epoch
    x, rows, active = binarise(data.held_out, seed=0), [], []
    common = {"protocol": "Burda et al., VAE", "network": "784-200-200-50, tanh", "pixels": "tossed"}
    settings = {"loss": binarised_neg_elbo, "batch_size": 200, "progress": False}
    for stage, (epochs, lr) in enumerate(stages):
        order = len(stages) * seed + stage
        fit(model, to_learn, epochs=epochs, lr=lr, seed=order, **settings)
        done = sum(epochs for epochs, _ in stages[: stage + 1])
        rows.append(common | {"epochs": done, "figure": "−ELBO"} | mean_and_error(-elbo(model, x, 10)))
        active.append(int(active_latents(model, x).sum()))
    rows.append(common | {"epochs": done, "figure": f"{n_samples} draws"} | neg_bound(model, x, n_samples))
    rows[-1]["published"] = PUBLISHED
    found = {"start": start, "seed": seed, "active": active, "ours": rows[-1]["ours"]}
    if start == STARTS[0] and not seed:
        rows += [common | {"epochs": done} | row for row in other_bounds(model, data, x, n_samples)]
    return found | {"rows": rows}


def on_mnist(asked: tuple[str, int]) -> dict:
    """`burda` in a process of its own, with the minutes of processor time that it took."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    started = time.process_time()
    found = burda(mnist(download=False), *asked)
    return found | {"minutes": round((time.process_time() - started) / 60, 1)}


def from_both_starts(seeds: Sequence[int] = range(3)) -> list[dict]:
    """Every seed from each start, on all cores, and a printed line for each."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        runs = []
        for run in pool.map(on_mnist, product(STARTS, seeds)):
            print(
                "output bias from {start:10}, seed {seed}: {ours:.2f} nats, active of 50 after each stage {active}; "
                "{minutes} minutes".format(**run),
                flush=True,
            )
            runs.append(run)
    return runs


def other_bounds(model: VAE, data: Dataset, x: Tensor, n_samples: int) -> list[dict]:
    """What seen images and more samples make of −log p(x) by importance weighting."""
    seen = binarise(data.train[: len(x)], seed=1)
    found = {
        f"{n_samples} draws, training images": (seen, n_samples),
        f"{n_samples} draws, 1,000 images": (x[:1000], n_samples),
        f"{10 * n_samples} draws, the same 1,000": (x[:1000], 10 * n_samples),
    }
    return [{"figure": name} | neg_bound(model, *asked) for name, asked in found.items()]


def neg_bound(model: VAE, x: Tensor, n_samples: int) -> dict[str, float]:
    generator = torch.Generator().manual_seed(2)
    parts = [importance_weighted_bound(model, rows, n_samples, generator) for rows in x.split(500)]
    return mean_and_error(-torch.cat(parts))


def mean_and_error(each: Tensor) -> dict[str, float]:
    """The mean over images, and its standard error."""
    return {"ours": each.mean().item(), "error": each.std().item() / len(each) ** 0.5}


def floor(data: Dataset) -> list[dict]:
    """The mean entropy of an image's coins, which no model of tossed pixels can get below."""
    coins = torch.distributions.Bernoulli(probs=data.held_out).entropy().sum(dim=1)
    row = {"protocol": "any model", "network": "any", "pixels": "tossed", "epochs": 0}
    return [row | {"figure": "entropy of the coins"} | mean_and_error(coins)]


def architectures(data: Dataset, epochs: int = 5) -> list[dict]:
    """Held-out −ELBO of lesson 11's two networks, on pixels as they are and in another order, the same for all."""
    order = torch.randperm(784, generator=torch.Generator().manual_seed(0))
    learn = replace(data, train_index=data.train_index[:12_000], held_out_index=data.held_out_index[:1000])
    builds = {
        "fully connected": lambda: VAE(784, 20, hidden=(400,), likelihood="bernoulli"),
        "convolutional": lambda: convolutional_vae((28, 28), 20, likelihood="bernoulli"),
    }
    pixels = {"as they are": learn, "shuffled": replace(learn, raw=learn.raw[:, order])}
    settings = {"epochs": epochs, "lr": 2e-3, "seed": 0, "loss": binarised_neg_elbo}
    losses = {
        name: {how: fit(build(), rows, **settings).held_out["loss"][-1] for how, rows in pixels.items()}
        for name, build in builds.items()
    }
    return [{"network": name, "epochs": epochs} | found for name, found in losses.items()]


def generators(
    data: Dataset, epochs: Epochs = ((8, 2e-3), (4, 4e-4)), hidden: int = 256, seeds: Sequence[int] = range(3)
) -> list[dict]:
    """Lesson 15's generator with a convolutional first stage, for its smallest β and for 1: what its board would show.

    A row for each seed and β. Every figure is held out: mean σ, scale factor, rate in bits, error per pixel, the gauges of each
    distribution of codes, and the share of the drawings of an asked digit that the classifier reads as asked.
    """
    learn = replace(data, train_index=data.train_index[:6000], held_out_index=data.held_out_index[:1000])
    trees = ExtraTreesClassifier(100, random_state=0).fit(learn.train.numpy(), learn.train_labels.numpy())
    betas = (1e-6, 1.0)
    rows = []
    for seed in seeds:
        models = [generator(learn, beta, epochs, hidden, seed) for beta in betas]
        board = GeneratorBoard.from_models(learn, models, betas, trees)
        for index in range(len(betas)):
            board.index = index
            rows.append({"seed": seed} | board.now())
    return [{name: value for name, value in row.items() if name != "ink"} for row in rows]


def generator(data: Dataset, beta: float, epochs: Epochs, hidden: int, seed: int) -> LatentDiffusion:
    """A first stage with 16 code numbers, and its second stage, which is told the digits."""
    stage = convolutional_vae(data.image_shape, 16, noise_var=0.05, seed=seed)
    for n_epochs, lr in epochs:
        fit(stage, data.train, epochs=n_epochs, lr=lr, seed=seed, loss=partial(neg_elbo, beta=beta))
    model = LatentDiffusion(stage, data.train, n_labels=10, hidden=(hidden,) * 3, seed=seed)
    rows = torch.cat([data.train, one_hot(data.train_labels, 10).float()], dim=1)
    for n_epochs, lr in epochs:
        fit(model, rows, epochs=3 * n_epochs, lr=lr, seed=seed, loss=latent_error)
    return model


def say(row: dict) -> None:
    what = f"{row['protocol']:22}  {row['pixels']:7}  {row['epochs']:4} epochs  {row['figure']:31}"
    error = f"± {row['error']:.2f}" if "error" in row else ""
    print(f"{what}  {row['ours']:7.2f} {error:6}   {row.get('published', '')}".rstrip(), flush=True)


def main() -> None:
    try:
        data = mnist(download=True)
    except DownloadError as error:
        sys.exit(str(error))
    torch.manual_seed(0)
    started = time.process_time()
    rows = official_example(data) + small_network(data)
    runs = from_both_starts()
    rows += runs[0]["rows"] + floor(data)
    for row in rows:
        say(row)
    starts = [{name: value for name, value in run.items() if name != "rows"} for run in runs]
    two = architectures(data)
    for row in two:
        print(f"{row['network']:16} as they are {row['as they are']:.2f}, shuffled {row['shuffled']:.2f}")
    drawn = generators(data)
    for row in drawn:
        print(
            "β = {beta:<6g} error {error:.4f}, closeness of drawings: prior {prior_closeness:.2f}, Gaussian "
            "{gaussian_closeness:.2f}, mixture {mixture_closeness:.2f}, diffusion {diffusion_closeness:.2f}".format(
                **row
            )
        )
    minutes = round((time.process_time() - started) / 60 + sum(run["minutes"] for run in starts), 1)
    KEPT.write_text(
        json.dumps(
            {
                "minutes": minutes,
                "rows": rows,
                "starts": starts,
                "architectures": two,
                "generators": drawn,
            },
            indent=1,
            ensure_ascii=False,
        )
        + "\n",
        encoding="utf-8",
    )
    print(f"{minutes} minutes of processor time with aelib {aelib.__version__}; kept in {KEPT.name}")


if __name__ == "__main__":
    main()
