#!/usr/bin/env bash
# pythae IWAE: the loss is not the importance-weighted bound, and a worse encoder makes it smaller.
#
# Versions: pythae 0.1.2, torch 2.13.0. Date: 2026-11-29.
# Expected: -log(mean_k w_k), averaged over the data. It is never below -log p(x) in expectation, and it falls towards
#   -log p(x) as K grows or as q(z|x) comes nearer to p(z|x).
# Happens: the loss is -sum_k s_k log w_k with the normalised weights s_k. Its gradient is that of the bound, so the
#   training is right. Its value is smaller than the bound by log K minus the entropy of s. For large K it goes to
#   -log p(x) - KL(p(z|x) || q(z|x)), which is below the exact value, and the more so the worse the encoder is.
# Output seen (linear decoder with two hidden numbers, K = 64; the encoder has the exact mean, and a variance that is
#   too large by a factor; D log(2 pi) / 2 is added, the constant that pythae leaves out; in nats):
#   exact -log p(x) = 14.8641
#   variance x  1: pythae's loss 14.8641, the bound 14.8641, their difference by the entropy formula 0.0000
#   variance x  4: pythae's loss 14.2398, the bound 14.8753, their difference by the entropy formula 0.6352
#   variance x 16: pythae's loss 13.0980, the bound 14.9278, their difference by the entropy formula 1.8294
# Who meets it: whoever selects the best epoch by this loss, reports it as a bound, compares it with the loss of a VAE
#   with the same decoder, or compares two values of K by it.
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
from pythae.models import IWAE, IWAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from torch.distributions import MultivariateNormal, Normal

logging.disable(logging.WARNING)
torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
D, L, K, N = 10, 2, 64, 20_000
loadings = torch.linalg.qr(torch.randn(D, L))[0].T  # orthonormal, so that the exact posterior is diagonal
variance = 0.5  # of the exact posterior, whose mean is x @ loadings.T / 2


class Encoder(BaseEncoder):
    def __init__(self, factor):
        super().__init__()
        self.log_variance = math.log(variance * factor)

    def forward(self, x):
        mean = x @ loadings.T / 2
        return ModelOutput(embedding=mean, log_covariance=torch.full_like(mean, self.log_variance))


class Decoder(BaseDecoder):
    def forward(self, z):
        return ModelOutput(reconstruction=z @ loadings)


def log_weights(x, factor):
    q = Normal(x @ loadings.T / 2, math.sqrt(variance * factor))
    z = q.sample((K,))
    joint = Normal(0.0, 1.0).log_prob(z).sum(-1) + Normal(z @ loadings, 1.0).log_prob(x).sum(-1)
    return joint - q.log_prob(z).sum(-1)


x = torch.randn(N, L) @ loadings + torch.randn(N, D)
exact = -MultivariateNormal(torch.zeros(D), loadings.T @ loadings + torch.eye(D)).log_prob(x).mean().item()
print(f"exact -log p(x) = {exact:.4f}")

seen = []
for factor in (1, 4, 16):
    model = IWAE(IWAEConfig(input_dim=(D,), latent_dim=L, number_samples=K), Encoder(factor), Decoder())
    loss = model({"data": x}).loss.item() + D / 2 * math.log(2 * math.pi)
    logs = log_weights(x, factor)
    bound = -(torch.logsumexp(logs, 0) - math.log(K)).mean().item()
    share = logs.softmax(0)
    gap = math.log(K) + (share * share.clamp_min(1e-300).log()).sum(0).mean().item()
    print(
        f"variance x {factor:2}: pythae's loss {loss:.4f}, the bound {bound:.4f}, "
        f"their difference by the entropy formula {gap:.4f}"
    )
    seen.append((loss, bound, gap))

losses, bounds, gaps = zip(*seen)
by_formula = all(abs(bound - loss - gap) < 0.02 for loss, bound, gap in seen)
wrong_way = losses[0] > losses[1] > losses[2] and losses[2] < exact - 1
right_way = exact - 0.01 < bounds[0] < bounds[1] < bounds[2]
sys.exit(0 if by_formula and wrong_way and right_way else 1)
PYTHON
