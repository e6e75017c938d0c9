"""A definition that a lesson builds and a later lesson imports from aelib is the same definition.

The lesson's own text is extracted and run, and both are compared on the same inputs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from aelib import sparse
from aelib.denoising import Denoiser, chain, denoising_error, posterior_mean
from aelib.models import VAE, Autoencoder
from aelib.objectives import importance_weighted_bound, neg_elbo
from publish.lesson import cells, lessons, parsed, read


def definition(lesson: str, name: str) -> Any:
    """The function or class `name` of the lesson whose file starts with `lesson`, made by its own source.

    The imports of the lesson and the definitions above it are run too; nothing else of it is.
    """
    notebook = read(lessons(lesson)[0])
    namespace: dict[str, Any] = {}
    for cell in cells(notebook, "code"):
        for node in parsed(cell.source).body:
            if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
                exec(compile(ast.Module([node], []), f"<lesson {lesson}>", "exec"), namespace)
            if getattr(node, "name", "") == name:
                return namespace[name]
    raise LookupError(f"lesson {lesson} does not define {name}")


def autoencoder_numbers(build: Callable[..., Any]) -> np.ndarray:
    """Output and all gradients of an autoencoder of fixed weights on fixed inputs."""
    generator = torch.Generator().manual_seed(1)
    model, x = build(), torch.rand(5, 6, generator=generator)
    state = {
        name: torch.randn(w.shape, generator=generator) for name, w in sorted(model.state_dict().items())
    }
    model.load_state_dict(state)
    x_hat = model(x)
    (x - x_hat).square().sum(dim=1).mean().backward()
    gradients = [weight.grad for _, weight in sorted(model.named_parameters())]
    return torch.cat([part.detach().flatten() for part in [x_hat, model.encode(x), *gradients]]).numpy()


def vae_numbers(build: Callable[..., Any], loss: Callable[..., Any]) -> np.ndarray:
    """What a VAE of fixed weights draws and pays on fixed inputs, and all its gradients."""
    generator = torch.Generator().manual_seed(2)
    model, x = build(), torch.rand(5, 6, generator=generator)
    state = {
        name: 0.3 * torch.randn(w.shape, generator=generator)
        for name, w in sorted(model.state_dict().items())
    }
    model.load_state_dict(state)
    torch.manual_seed(3)
    parts = loss(model, x, beta=0.7)
    parts["loss"].backward()
    gradients = [weight.grad for _, weight in sorted(model.named_parameters())]
    shown = [*model.encode(x), model.decode(torch.ones(1, 2)), model.log_likelihood(x, torch.ones(5, 2))]
    return torch.cat([part.detach().flatten() for part in [*shown, *parts.values(), *gradients]]).numpy()


def given_vae() -> VAE:
    return VAE(6, 2, hidden=(8,), noise_var=0.05)


def bound_numbers(bound: Callable[..., Any]) -> np.ndarray:
    """Five samples of a bound on fixed inputs, by the same noise."""
    return bound(
        given_vae(), torch.linspace(0, 1, 24).view(4, 6), 5, torch.Generator().manual_seed(4)
    ).numpy()


def bound_of_weights(log_weights: Callable[..., Any]) -> Callable[..., Any]:
    return lambda model, x, n, generator: log_weights(model, x, n, generator).logsumexp(0) - np.log(n)


def table_numbers(mean: Callable[..., Any]) -> np.ndarray:
    generator = torch.Generator().manual_seed(5)
    y, x = (torch.randn(n, 3, generator=generator, dtype=torch.float64) for n in (4, 6))
    return mean(y, x, 0.7).numpy()


def chain_numbers(run: Callable[..., Any]) -> np.ndarray:
    """The end of a chain of one denoiser that is known."""
    start = torch.linspace(-1, 1, 12).view(4, 3)
    end = run(lambda y, sigma: torch.tanh(y) * sigma, start, [1.0, 0.6, 0.1, 0.0])
    return end.reshape(-1, 4, 3)[-1].numpy()


def denoiser_numbers(build: Callable[..., Any], loss: Callable[..., Any]) -> np.ndarray:
    """What a denoiser of fixed weights answers and pays on fixed inputs by fixed noise, and its gradients."""
    x = torch.rand(400, 6, generator=torch.Generator().manual_seed(6))
    model = build(x)
    torch.manual_seed(7)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    price = loss(model, x[:8])
    price.backward()
    gradients = [weight.grad.flatten() for weight in model.parameters()]
    answers = model(x[:3], torch.tensor(0.4)).flatten()
    return torch.cat([part.detach() for part in (answers, price[None], *gradients)]).numpy()


def plane_numbers(error: Callable[..., Any]) -> np.ndarray:
    generator = torch.Generator().manual_seed(8)
    W, bias = (torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((5, 2), (5,)))
    return np.array([error(W, bias, p).item() for p in (0.1, 0.6)])


def sparse_numbers(build: Callable[..., Any], loss: Callable[..., Any]) -> np.ndarray:
    """Code, copy, price and gradients of a sparse autoencoder of fixed weights on fixed inputs."""
    generator = torch.Generator().manual_seed(9)
    model, x = build(6, 9), torch.randn(5, 6, generator=generator)
    state = {
        name: torch.randn(w.shape, generator=generator) for name, w in sorted(model.state_dict().items())
    }
    model.load_state_dict(state)
    price = loss(model, x, beta=0.3)
    price.backward()
    gradients = [weight.grad for _, weight in sorted(model.named_parameters())]
    shown = [model.encode(x), model.decode(model.encode(x)), model.dictionary, price[None], *gradients]
    return torch.cat([part.detach().flatten() for part in shown]).numpy()


def price_of(model: sparse.SparseAutoencoder, x: torch.Tensor, beta: float) -> torch.Tensor:
    return sparse.sparse_error(model, x, beta)["loss"]


def match_numbers(match: Callable[..., Any]) -> np.ndarray:
    generator = torch.Generator().manual_seed(10)
    rows = [torch.nn.functional.normalize(torch.randn(7, 4, generator=generator), dim=1) for _ in range(2)]
    partner, cosine = match(*rows)
    return np.concatenate([np.asarray(partner), cosine.numpy()])


# lesson, name, and the numbers to compare: of the lesson's definition, and of aelib's
SAME: list[tuple[str, str, Callable[[Any], Any], Callable[[], Any]]] = [
    (
        "01",
        "Autoencoder",
        lambda theirs: autoencoder_numbers(lambda: theirs(6, 2, width=8)),
        lambda: autoencoder_numbers(lambda: Autoencoder(6, 2, hidden=(8,))),
    ),
    (
        "08",
        "VAE",
        lambda theirs: vae_numbers(lambda: theirs(6, 2, width=8), neg_elbo),
        lambda: vae_numbers(given_vae, neg_elbo),
    ),
    (
        "08",
        "neg_elbo",
        lambda theirs: vae_numbers(given_vae, theirs),
        lambda: vae_numbers(given_vae, neg_elbo),
    ),
    (
        "09",
        "log_weights",
        lambda theirs: bound_numbers(bound_of_weights(theirs)),
        lambda: bound_numbers(importance_weighted_bound),
    ),
    ("12", "posterior_mean", table_numbers, lambda: table_numbers(posterior_mean)),
    ("12", "chain", chain_numbers, lambda: chain_numbers(chain)),
    (
        "12",
        "Denoiser",
        lambda theirs: denoiser_numbers(lambda x: theirs(x, width=8), denoising_error),
        lambda: denoiser_numbers(lambda x: Denoiser(x, hidden=(8, 8)), denoising_error),
    ),
    (
        "12",
        "denoising_error",
        lambda theirs: denoiser_numbers(lambda x: Denoiser(x, hidden=(8, 8)), theirs),
        lambda: denoiser_numbers(lambda x: Denoiser(x, hidden=(8, 8)), denoising_error),
    ),
    ("14", "expected_error", plane_numbers, lambda: plane_numbers(sparse.expected_error)),
    (
        "14",
        "SparseAutoencoder",
        lambda theirs: sparse_numbers(theirs, price_of),
        lambda: sparse_numbers(sparse.SparseAutoencoder, price_of),
    ),
    (
        "14",
        "sparse_error",
        lambda theirs: sparse_numbers(sparse.SparseAutoencoder, theirs),
        lambda: sparse_numbers(sparse.SparseAutoencoder, price_of),
    ),
    ("14", "pair_up", match_numbers, lambda: match_numbers(sparse.match)),
]


@pytest.mark.parametrize(("lesson", "name", "of_lesson", "of_aelib"), SAME, ids=lambda part: str(part)[:12])
def test_the_lesson_and_aelib_agree(lesson: str, name: str, of_lesson: Callable, of_aelib: Callable):
    np.testing.assert_allclose(of_lesson(definition(lesson, name)), of_aelib(), rtol=1e-5, atol=1e-6)
