#!/usr/bin/env bash
# pythae VAE.get_nll: it returns the log likelihood, not its negative, and `n_samples=1` means a hundred samples.
#
# Versions: pythae 0.1.2, torch 2.13.0. Date: 2026-11-29.
# Expected: -log p(x) estimated with `n_samples` importance samples for each x, as its name and documentation say. With
#   one sample that is -ELBO in the mean.
# Happens: the value is +log p(x), so the smallest "NLL" is the worst model. And `n_samples` counts in whole batches of
#   `batch_size`: whatever is below it becomes `batch_size`, and a remainder is dropped. With `batch_size` left at 100,
#   1 and 199 both mean 100. A table over n_samples = 1, 10, 100 looks as if the encoder were exact, since the numbers
#   hardly move.
# Output seen (a linear VAE whose encoder has twice the right standard deviation; in nats):
#   exact log p(x) -14.7615, ELBO -16.3752
#   get_nll(n_samples=  1): -14.767, the encoder sees 100 rows for each x
#   get_nll(n_samples= 10): -14.765, the encoder sees 100 rows for each x
#   get_nll(n_samples=199): -14.768, the encoder sees 100 rows for each x
#   get_nll(n_samples=200): -14.760, the encoder sees 200 rows for each x
#   get_nll(n_samples=  1, batch_size=1): -16.485, the encoder sees 1 rows for each x
# Who meets it: whoever reports test likelihoods of the library's models, or shows a class how the bound tightens with
#   the number of samples.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --no-compile --disable-pip-version-check \
  torch==2.13.0 numpy==2.4.6 scipy==1.17.1 pydantic==2.14.4 cloudpickle==3.1.3 tqdm==4.70.1 2>/dev/null
"$folder/env/bin/pip" install --quiet --no-compile --disable-pip-version-check --no-deps pythae==0.1.2 2>/dev/null

"$folder/env/bin/python" - <<'PYTHON'
import logging
import math
import sys

import torch
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from torch.distributions import MultivariateNormal, Normal, kl_divergence

logging.disable(logging.WARNING)
torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
D, L, N = 10, 2, 500
loadings = torch.linalg.qr(torch.randn(D, L))[0].T  # orthonormal: the exact posterior is N(x @ loadings.T / 2, I / 2)
rows = []


class Encoder(BaseEncoder):
    def forward(self, x):
        rows.append(len(x))
        mean = x @ loadings.T / 2
        return ModelOutput(embedding=mean, log_covariance=torch.full_like(mean, math.log(2.0)))


class Decoder(BaseDecoder):
    def forward(self, z):
        return ModelOutput(reconstruction=z @ loadings)


x = torch.randn(N, L) @ loadings + torch.randn(N, D)
exact = MultivariateNormal(torch.zeros(D), loadings.T @ loadings + torch.eye(D)).log_prob(x).mean().item()
elbo = exact - L * kl_divergence(Normal(0.0, math.sqrt(2.0)), Normal(0.0, math.sqrt(0.5))).item()
print(f"exact log p(x) {exact:.4f}, ELBO {elbo:.4f}")
model = VAE(VAEConfig(input_dim=(D,), latent_dim=L), Encoder(), Decoder())


def show(n_samples, **batch):
    rows.clear()
    value = model.get_nll(x, n_samples=n_samples, **batch)
    named = "".join(f", {name}={size}" for name, size in batch.items())
    print(f"get_nll(n_samples={n_samples:3}{named}): {value:.3f}, the encoder sees {sum(rows) // N} rows for each x")
    return value, sum(rows) // N


seen = [show(1), show(10), show(199), show(200)]
one, rows_of_one = show(1, batch_size=1)
positive_sign = all(abs(value - exact) < 0.05 for value, _ in seen)
whole_batches = [count for _, count in seen] == [100, 100, 100, 200]
sys.exit(0 if positive_sign and whole_batches and rows_of_one == 1 and abs(one - elbo) < 0.3 else 1)
PYTHON
