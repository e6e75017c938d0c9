#!/usr/bin/env bash
# sklearn.decomposition.IncrementalPCA: `noise_variance_` is divided by the number of batches.
#
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1. Date: 2026-11-29.
# Expected: the mean variance in the discarded directions, as its documentation says (Tipping and Bishop 1999) and as
#   PCA returns it. Its components and explained variances agree with those of PCA for every size of batch.
# Happens: only the last batch counts. What earlier batches had outside of the kept components is forgotten with them,
#   and the last batch's share is divided by the number of all samples. With B equal batches the noise variance is
#   about 1 / B of the right one, so `get_covariance` is short of variance and `get_precision` is up to B times too
#   large. The likelihood that follows is worse by hundreds of nats a sample, and no message says so.
# Output seen (4,000 samples of 20 numbers, 3 hidden causes, noise of variance 0.25; in nats a sample):
#   PCA, all at once:            noise variance 0.2505, trace of the covariance 53.79, log likelihood   -20.66
#   IncrementalPCA,   1 batch:   noise variance 0.2505, trace of the covariance 53.79, log likelihood   -20.66
#   IncrementalPCA,   4 batches: noise variance 0.0628, trace of the covariance 50.60, log likelihood   -34.31
#   IncrementalPCA,  40 batches: noise variance 0.0060, trace of the covariance 49.63, log likelihood  -335.27
#   IncrementalPCA, 100 batches: noise variance 0.0025, trace of the covariance 49.57, log likelihood  -817.32
#   the trace of the sample covariance is 53.79
# Who meets it: a linear autoencoder read as probabilistic PCA, fitted in mini-batches because the pictures do not fit
#   in memory. Its anomaly scores and likelihoods depend on the batch size by orders of magnitude.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --no-compile --disable-pip-version-check \
  scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1 2>/dev/null

"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA, IncrementalPCA

n, d, k = 4000, 20, 3
rng = np.random.default_rng(0)
loadings = rng.normal(size=(d, k))
x = rng.normal(size=(n, k)) @ loadings.T + 0.5 * rng.normal(size=(n, d))


def show(name, model):
    covariance = model.get_covariance()
    likelihood = multivariate_normal(model.mean_, covariance).logpdf(x).mean()
    print(
        f"{name} noise variance {model.noise_variance_:.4f}, trace of the covariance {np.trace(covariance):.2f}, "
        f"log likelihood {likelihood:8.2f}"
    )
    return model.noise_variance_, likelihood


right, best = show("PCA, all at once:           ", PCA(k).fit(x))
seen = {}
for batches in (1, 4, 40, 100):
    model = IncrementalPCA(k, batch_size=n // batches).fit(x)
    seen[batches] = show(f"IncrementalPCA, {batches:3} batch{'es:' if batches > 1 else ':  '}", model)
print(f"the trace of the sample covariance is {np.trace(np.cov(x.T)):.2f}")

divided = all(0.9 < noise * batches / right < 1.1 for batches, (noise, _) in seen.items())
sys.exit(0 if divided and seen[100][1] < best - 500 else 1)
PYTHON
