"""Codes that are entries of a list, and the files that are made of them. Built in lesson 13."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from aelib.models import mlp

NOT_INSTALLED = (
    "The files of lesson 13 need the package constriction, which is not installed here; "
    "`pip install constriction` brings it, and all the rest of the lesson works without it."
)


# The list


def nearest(z: Tensor, entries: Tensor) -> Tensor:
    """The index of the entry with the smallest squared distance from each row: (..., K), (M, K) → (...), integers.

    Of several entries at the same distance the first counts.
    """
    rows = z.flatten(0, -2) if z.ndim > 1 else z[None]
    away = torch.cdist(rows, entries, compute_mode="donot_use_mm_for_euclid_dist")
    return away.argmin(dim=-1).reshape(z.shape[:-1])


def kmeans(x: Tensor, n_entries: int, seed: int = 0) -> Tensor:
    """A list of n_entries pictures for x (n, D) by scikit-learn's k-means, from one k-means++ start: (M, D), as x.

    At the end each entry is the mean of the examples that are nearest to it, up to scikit-learn's tolerance: a local
    optimum, which depends on the seed. Raises ValueError where x has fewer different rows than the list has entries.
    Source: S. P. Lloyd, IEEE Transactions on Information Theory 28:129–137, 1982.
    """
    from sklearn.cluster import KMeans

    _check_list(x, n_entries)
    found = KMeans(n_entries, n_init=1, random_state=seed).fit(x.numpy()).cluster_centers_
    return torch.from_numpy(found).to(x.dtype)


def use(index: Tensor, n_entries: int) -> Tensor:
    """How often each entry occurs: integers of any shape → (M,) counts."""
    return torch.bincount(index.flatten(), minlength=n_entries)


def entropy_in_bits(counts: Tensor) -> Tensor:
    """Entropy of the distribution counts / counts.sum(), in bits: (..., M) ≥ 0 → (...). 0 log 0 counts as 0.

    2 to this power is the perplexity: how many equally likely entries would be as hard to guess.
    """
    share = counts.double() / counts.sum(dim=-1, keepdim=True)
    return -torch.xlogy(share, share).sum(dim=-1) / math.log(2)


def _check_list(x: Tensor, n_entries: int) -> None:
    if x.ndim != 2 or not x.isfinite().all():
        raise ValueError(f"x should hold finite numbers in the shape (n, D); it has shape {tuple(x.shape)}.")
    if n_entries < 1:
        raise ValueError(f"a list needs at least one entry; got n_entries={n_entries}.")
    different = len(torch.unique(x, dim=0)) if n_entries > 1 else len(x)
    if different < n_entries:
        raise ValueError(
            f"a list of {n_entries} entries needs as many different examples; x has {different} in {len(x)} rows."
        )


# A network with a list in its middle


def straight_through(z: Tensor, entry: Tensor) -> Tensor:
    """The value of `entry` with the gradient of z: (..., K) twice → (..., K). The entry gets no gradient.

    Sources: Bengio, Léonard & Courville, arXiv:1308.3432; van den Oord et al., NIPS 2017.
    """
    return z + (entry - z).detach()


class VQVAE(nn.Module):
    """An autoencoder whose code is `n_slots` entries of one list. Built in lesson 13.

    The encoder gives n_slots vectors of entry_dim numbers, each is replaced by its nearest of n_entries entries, and
    the decoder reads these. The code of an example is n_slots indices: n_slots · log2(n_entries) bits.
    seed: fixes all initial weights; the list begins uniform within ±1/n_entries, as is common in published code.
    Source: van den Oord, Vinyals & Kavukcuoglu, NIPS 2017.
    """

    def __init__(
        self,
        n_inputs: int,
        n_entries: int,
        n_slots: int = 1,
        entry_dim: int = 8,
        width: int = 128,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.n_slots, self.latent_dim = n_slots, n_slots * entry_dim
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = mlp([n_inputs, width, self.latent_dim])
            self.decoder = mlp([self.latent_dim, width, n_inputs])
            self.entries = nn.Parameter((2 * torch.rand(n_entries, entry_dim) - 1) / n_entries)

    def encode(self, x: Tensor) -> Tensor:
        """(batch, D) → (batch, n_slots, entry_dim), before the list."""
        return self.encoder(x).unflatten(-1, (self.n_slots, -1))

    def index(self, x: Tensor) -> Tensor:
        """The code: (batch, D) → (batch, n_slots) integers from 0 to M − 1."""
        return nearest(self.encode(x), self.entries)

    def decode(self, z: Tensor) -> Tensor:
        """(batch, n_slots, entry_dim) → (batch, D)."""
        return self.decoder(z.flatten(-2))

    def forward(self, x: Tensor) -> Tensor:
        """x̂ from the entries: (batch, D) → (batch, D)."""
        return self.decode(self.entries[self.index(x)])


def vq_loss(model: VQVAE, x: Tensor, commitment: float = 0.25) -> dict[str, Tensor]:
    """The loss of a VQ-VAE: ``{"loss", "reconstruction", "codebook", "commitment"}``, each (), all without logarithm.

    Squared errors, summed over dimensions, averaged over the batch. reconstruction trains the decoder, and by the
    straight-through gradient the encoder; codebook moves entries to codes; commitment moves codes to entries, and
    counts with the weight `commitment`.
    """
    z = model.encode(x)
    entry = model.entries[nearest(z, model.entries)]
    far = lambda a, b: (a - b).square().flatten(1).sum(dim=1).mean()  # noqa: E731
    reconstruction = far(x, model.decode(straight_through(z, entry)))
    codebook, committed = far(z.detach(), entry), far(z, entry.detach())
    loss = reconstruction + codebook + commitment * committed
    return {
        "loss": loss,
        "reconstruction": reconstruction,
        "codebook": codebook,
        "commitment": committed,
    }


@torch.no_grad()
def start_from_codes(model: VQVAE, x: Tensor, seed: int = 0) -> None:
    """Make the list anew, by k-means on the codes of x (n, D), in place."""
    z = model.encode(x).flatten(0, 1)
    model.entries.copy_(kmeans(z, len(model.entries), seed))


@torch.no_grad()
def revive(model: VQVAE, x: Tensor, generator: torch.Generator) -> int:
    """Replace each dead entry, one that no row of x (n, D) chooses, by the code of a random row; how many there were."""
    z = model.encode(x).flatten(0, 1)
    dead = use(nearest(z, model.entries), len(model.entries)) == 0
    n_dead = int(dead.sum())
    model.entries[dead] = z[torch.randint(len(z), (n_dead,), generator=generator)]
    return n_dead


# Files


class Stack:
    """A file of bits that is written and read at one end, by the ANS coder of the package constriction.

    `push` appends symbols at the price of −log2 of their probabilities, `pop` takes the last ones off again, in the
    order in which they were given. Sender and receiver must use the same tables. Popping what was not pushed turns
    bits of the file into a draw from the table, which is what bits-back coding needs.
    Source of the coder: J. Duda, arXiv:1311.2540.

    start: whole 32-bit words that lie on the stack from the beginning, or nothing.
    Raises ModuleNotFoundError with one sentence where constriction is not installed.
    """

    def __init__(self, start: Sequence[int] = ()) -> None:
        try:
            from constriction import stream
        except ModuleNotFoundError:
            raise ModuleNotFoundError(NOT_INSTALLED) from None
        self._table = stream.model.Categorical
        self._coder = stream.stack.AnsCoder(np.asarray(start, dtype=np.uint32))

    def push(self, symbols: Tensor, probabilities: Tensor) -> None:
        """Append symbols (n,), integers from 0 to M − 1. probabilities: (M,) for all of them, or (n, M), one row each.

        A probability of 0 is raised to the coder's least one, so that every symbol can be sent.
        """
        symbols, probabilities = torch.atleast_1d(symbols), _checked(probabilities)
        if not ((symbols >= 0) & (symbols < probabilities.shape[-1])).all():
            raise ValueError(
                f"the symbols should lie from 0 to {probabilities.shape[-1] - 1}, as the table does; "
                f"they go from {symbols.min()} to {symbols.max()}."
            )
        if probabilities.ndim == 2 and len(probabilities) != len(symbols):
            raise ValueError(
                f"there should be one row of probabilities for each symbol; got {len(probabilities)} for {len(symbols)}."
            )
        self._coder.encode_reverse(symbols.numpy().astype(np.int32), *self._models(probabilities))

    def pop(self, probabilities: Tensor, n: int | None = None) -> Tensor:
        """Take off n symbols with one table (M,), or one for each row of (n, M): (n,) integers."""
        probabilities = _checked(probabilities)
        models = self._models(probabilities)
        symbols = self._coder.decode(*models) if n is None else self._coder.decode(*models, n)
        return torch.from_numpy(np.atleast_1d(symbols)).long()

    def _models(self, probabilities: Tensor) -> tuple:
        table = probabilities.double().numpy()
        if table.ndim == 1:
            return (self._table(table, perfect=False),)
        return self._table(perfect=False), table

    @property
    def bits(self) -> int:
        """How long the file is, in whole words of 32 bits."""
        return self._coder.num_bits()

    def words(self) -> list[int]:
        """The file: 32-bit words, from which `Stack(words)` goes on."""
        return self._coder.get_compressed().tolist()


def _checked(probabilities: Tensor) -> Tensor:
    if probabilities.ndim not in (1, 2) or probabilities.shape[-1] < 2:
        raise ValueError(
            f"probabilities should have shape (M,) or (n, M) with M of at least 2; got {tuple(probabilities.shape)}."
        )
    if (
        not probabilities.isfinite().all()
        or (probabilities < 0).any()
        or not (probabilities.sum(dim=-1) > 0).all()
    ):
        raise ValueError("probabilities should be finite, not negative, and not all 0.")
    return probabilities.detach()
