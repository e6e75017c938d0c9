#!/usr/bin/env bash
# torch.distributions.kl_divergence between ContinuousBernoulli and Uniform(0, 1): infinite in both directions.
#
# Versions: torch 2.13.0, scipy 1.17.1. Date: 2026-11-29.
# Expected: finite values. Uniform(0, 1) is the continuous Bernoulli distribution with p = 1/2, both live on [0, 1], and
#   the KL of two continuous Bernoulli distributions is right.
# Happens: the rules for the mixed pair ask for `>=` and `<=` where the supports touch, so they call a support outside
#   that is exactly equal. A uniform that is a hair wider than [0, 1] gives the right value.
# Output seen (in nats):
#   KL(CB(0.3) || CB(0.5))                    0.0294 (quadrature 0.0294)
#   KL(CB(0.3) || Uniform(0, 1))                 inf (quadrature 0.0294)
#   KL(CB(0.3) || Uniform(-1e-6, 1 + 1e-6))   0.0294 (quadrature 0.0294)
#   KL(CB(0.5) || CB(0.3))                    0.0297 (quadrature 0.0297)
#   KL(Uniform(0, 1) || CB(0.3))                 inf (quadrature 0.0297)
# Who meets it: a model of grey values in [0, 1] whose rate is measured against uniform noise as the reference.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --no-compile --disable-pip-version-check \
  torch==2.13.0 numpy==2.4.6 scipy==1.17.1 2>/dev/null

"$folder/env/bin/python" - <<'PYTHON'
import math
import sys

import torch
from scipy.integrate import quad
from torch.distributions import ContinuousBernoulli, Uniform, kl_divergence

torch.set_default_dtype(torch.float64)
P = 0.3


def density(x):
    """The continuous Bernoulli density with parameter P, from its definition."""
    return 2 * math.atanh(1 - 2 * P) / (1 - 2 * P) * P**x * (1 - P) ** (1 - x)


to_uniform = quad(lambda x: density(x) * math.log(density(x)), 0, 1)[0]
from_uniform = -quad(lambda x: math.log(density(x)), 0, 1)[0]
cb, half, uniform = ContinuousBernoulli(P), ContinuousBernoulli(0.5), Uniform(0.0, 1.0)

values = {
    "KL(CB(0.3) || CB(0.5))": (kl_divergence(cb, half).item(), to_uniform),
    "KL(CB(0.3) || Uniform(0, 1))": (kl_divergence(cb, uniform).item(), to_uniform),
    "KL(CB(0.3) || Uniform(-1e-6, 1 + 1e-6))": (kl_divergence(cb, Uniform(-1e-6, 1 + 1e-6)).item(), to_uniform),
    "KL(CB(0.5) || CB(0.3))": (kl_divergence(half, cb).item(), from_uniform),
    "KL(Uniform(0, 1) || CB(0.3))": (kl_divergence(uniform, cb).item(), from_uniform),
}
for name, (value, right) in values.items():
    print(f"{name:41}{value:7.4f} (quadrature {right:.4f})")

infinite = [name for name, (value, _) in values.items() if math.isinf(value)]
others_right = all(math.isinf(value) or abs(value - right) < 1e-4 for value, right in values.values())
sys.exit(0 if infinite == ["KL(CB(0.3) || Uniform(0, 1))", "KL(Uniform(0, 1) || CB(0.3))"] and others_right else 1)
PYTHON
