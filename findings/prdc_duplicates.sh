#!/usr/bin/env bash
# prdc: a perfect generator of discrete data has precision, recall, density and coverage 0.
#
# Versions: prdc 0.2, numpy 2.4.6, scikit-learn 1.9.1. Date: 2026-11-29.
# Expected: fake samples from the very distribution of the real ones score near 1 on all four, and a set compared with
#   itself too.
# Happens: a sample's ball reaches to its k-th neighbour of the same set, and membership asks for a distance strictly
#   below the radius. Where a value occurs more than k times, the radius is 0, and even an exact copy, at distance 0, is
#   outside. Jitter of size 1e-6 on the same data makes all four scores jump to where they belong.
# Output seen (k = 5):
#   2,000 codes of 4 bits, against another 2,000:     precision 0.000, recall 0.000, density 0.000, coverage 0.000
#   the same codes against themselves:                precision 0.000, recall 0.000, density 0.000, coverage 0.000
#   the same codes, each with jitter of size 1e-6:    precision 0.959, recall 0.964, density 0.997, coverage 0.967
# Who meets it: scores of binary codes, of tokens of a VQ-VAE or of small binary pictures, where many samples coincide.
#   The case of all samples equal is reported as issue 7 of clovaai/generative-evaluation-prdc.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --no-compile --disable-pip-version-check \
  prdc==0.2 numpy==2.4.6 scikit-learn==1.9.1 scipy==1.17.1 2>/dev/null

"$folder/env/bin/python" - <<'PYTHON'
import contextlib
import io
import sys

import numpy as np
from prdc import compute_prdc

rng = np.random.default_rng(0)
real, fake = rng.integers(0, 2, size=(2, 2000, 4)).astype(float)


def show(name, real, fake):
    with contextlib.redirect_stdout(io.StringIO()):
        scores = compute_prdc(real, fake, nearest_k=5)
    print(f"{name:49} " + ", ".join(f"{key} {value:.3f}" for key, value in scores.items()))
    return list(scores.values())


def jitter(codes):
    return codes + 1e-6 * rng.normal(size=codes.shape)


apart = show("2,000 codes of 4 bits, against another 2,000:", real, fake)
same = show("the same codes against themselves:", real, real.copy())
moved = show("the same codes, each with jitter of size 1e-6:", jitter(real), jitter(fake))
sys.exit(0 if apart == same == [0, 0, 0, 0] and min(moved) > 0.8 else 1)
PYTHON
