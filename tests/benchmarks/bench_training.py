"""``fit`` against the usual loop: a VAE 784-400-20-400-784 on images of MNIST's shape, batches of 128, one thread.

The usual way is that of tutorials: every image goes through PIL and a conversion to a tensor, a DataLoader makes the
batches, the sigmoid is taken before the cross-entropy, Adam is not fused, and ``.item()`` is called at each step.
The limit is the time of the same matrix products and nothing else.
"""

from __future__ import annotations

import time

import aelib  # isort: skip  (settles the threads before torch is loaded)

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from aelib.data.dataset import Dataset
from aelib.training import fit

BATCH, N_BATCHES, ROUNDS = 128, 240, 3
SIZES = ((784, 400), (400, 20), (400, 20), (20, 400), (400, 784))


class VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.mu, self.log_var = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
        self.decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))

    def forward(self, x):
        """Logits of the pixels, mu and log_var."""
        h = self.hidden(x).relu()
        mu, log_var = self.mu(h), self.log_var(h)
        return self.decoder(mu + (log_var / 2).exp() * torch.randn_like(mu)), mu, log_var


def kl(mu, log_var):
    return -0.5 * (1 + log_var - mu.square() - log_var.exp()).sum()


class Images(torch.utils.data.Dataset):
    """One image at a time, from an array of bytes by way of PIL to a float tensor (1, 28, 28)."""

    def __init__(self, images: np.ndarray) -> None:
        self.images, self.labels = torch.from_numpy(images), torch.zeros(len(images), dtype=torch.int64)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int):
        picture, label = Image.fromarray(self.images[i].numpy()), int(self.labels[i])
        pixels = torch.from_numpy(np.array(picture, copy=True)).view(*picture.size[::-1], 1)
        return pixels.permute(2, 0, 1).contiguous().to(torch.float32).div(255), label


def usual_way(model: VAE, images: np.ndarray) -> float:
    loader = torch.utils.data.DataLoader(Images(images), batch_size=BATCH, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    total = 0.0
    for x, _ in loader:
        x = x.view(-1, 784)
        optimizer.zero_grad()
        logits, mu, log_var = model(x)
        loss = F.binary_cross_entropy(torch.sigmoid(logits), x, reduction="sum") + kl(mu, log_var)
        loss.backward()
        total += loss.item()
        optimizer.step()
    return total / len(images)


def neg_elbo(model: VAE, x):
    logits, mu, log_var = model(x)
    return (F.binary_cross_entropy_with_logits(logits, x, reduction="sum") + kl(mu, log_var)) / len(x)


def with_fit(model: VAE, images: np.ndarray) -> float:
    rows = torch.from_numpy(images.reshape(len(images), -1))
    data = Dataset("random images", rows, 255.0, (28, 28), torch.arange(len(rows)), torch.arange(0))
    return fit(model, data, epochs=1, seed=0, loss=neg_elbo, batch_size=BATCH).train["loss"][-1]


def only_products():
    """The matrix products of one epoch in the order of a step, each result kept until the step is over.

    Forward through all layers; then backward, for the weights, and for all inputs but the first layer's.
    """
    layers = [(torch.randn(BATCH, n), torch.randn(m, n), torch.randn(BATCH, m)) for n, m in SIZES]

    def run(*_) -> float:
        for _ in range(N_BATCHES):
            results = [x @ weight.T for x, weight, _ in layers]
            for x, weight, grad in reversed(layers):
                results.append(grad.T @ x)
                if x is not layers[0][0]:
                    results.append(grad @ weight)
        return 0.0

    return run


def seconds(way, images: np.ndarray) -> float:
    model = VAE()
    started = time.process_time()
    way(model, images)
    return time.process_time() - started


def main() -> None:
    torch.set_num_threads(1)
    images = np.random.default_rng(0).integers(0, 256, (BATCH * N_BATCHES, 28, 28), dtype=np.uint8)
    ways = {
        "usual loop": usual_way,
        f"aelib {aelib.__version__} fit": with_fit,
        "matrix products only": only_products(),
    }
    for way in ways.values():
        seconds(way, images[:BATCH])
    times = np.array([[seconds(way, images) for way in ways.values()] for _ in range(ROUNDS)])
    for name, rate in zip(ways, len(images) / np.median(times, axis=0), strict=True):
        print(f"  {name:24s}{rate:9,.0f} images a CPU-second")
    print(f"  fit is {np.median(times[:, 0] / times[:, 1]):.2f} times as fast as the usual loop (wanted: 2)")
    print(f"  fit reaches {np.median(times[:, 2] / times[:, 1]):.0%} of the limit (wanted: 60%)")


if __name__ == "__main__":
    main()
