#!/usr/bin/env bash
# torchmetrics SSIM: mirrored borders are part of the mean, and most windows of a 28 x 28 picture touch them.
#
# Versions: torchmetrics 1.9.0, torch 2.13.0, scikit-learn 1.9.1 (its digits), scipy 1.17.1. Date: 2026-11-29.
# Expected: the mean over the windows of 11 x 11 pixels that lie inside the picture, as in the authors' program, in
#   scikit-image, and in torchmetrics' own contrast term for the multi-scale version.
# Happens: the pictures are mirrored at the border by 5 pixels, and all windows count. Of a 28 x 28 picture, 460 of 784
#   windows contain mirrored pixels. Digits have an empty border, where both pictures agree, so the score is far higher.
#   A picture of 8 x 8 pixels has no window inside at all, and gets a score without a word. The borders were cut off
#   until the library's pull request 2721 of 2024, so the same two pictures score differently before and after it.
# Output seen (200 digits, doubled to 16 x 16 and framed to 28 x 28, against their reconstruction by PCA):
#    1 components: torchmetrics 0.775, inside windows 0.542, with mirrored ones 0.775
#    4 components: torchmetrics 0.859, inside windows 0.712, with mirrored ones 0.859
#   16 components: torchmetrics 0.937, inside windows 0.873, with mirrored ones 0.937
#   8 x 8 pixels, no window inside: torchmetrics 0.947
# Who meets it: whoever compares reconstructions of MNIST by SSIM with a paper, or with another library. One component
#   scores more here than four do by the windows inside.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --no-compile --disable-pip-version-check torch==2.13.0 numpy==2.4.6 2>/dev/null
"$folder/env/bin/pip" install --quiet --no-compile --disable-pip-version-check \
  torchmetrics==1.9.0 scikit-learn==1.9.1 scipy==1.17.1 2>/dev/null

"$folder/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
import torch
from scipy.signal import convolve2d
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torchmetrics.functional.image import structural_similarity_index_measure

ramp = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
WINDOW = np.outer(ramp, ramp) / ramp.sum() ** 2


def own(a, b):
    """SSIM by Wang et al. (2004), averaged over the windows inside the pictures."""
    local = [convolve2d(x, WINDOW, mode="valid") for x in (a, b, a * a, b * b, a * b)]
    mean_a, mean_b, square_a, square_b, product = local
    c1, c2 = 0.01**2, 0.03**2
    light = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    covariance = 2 * (product - mean_a * mean_b) + c2
    return (light * covariance / (square_a - mean_a**2 + square_b - mean_b**2 + c2)).mean()


def theirs(a, b):
    a, b = torch.tensor(a)[:, None], torch.tensor(b)[:, None]
    return structural_similarity_index_measure(a, b, data_range=1.0).item()


def framed(digits):
    return np.pad(np.kron(digits, np.ones((1, 2, 2))), ((0, 0), (6, 6), (6, 6)))


digits = load_digits().data / 16
seen = {}
for components in (1, 4, 16):
    pca = PCA(components).fit(digits)
    rebuilt = np.clip(pca.inverse_transform(pca.transform(digits[:200])), 0, 1).reshape(-1, 8, 8)
    a, b = framed(digits[:200].reshape(-1, 8, 8)), framed(rebuilt)
    inside = np.mean([own(x, y) for x, y in zip(a, b)])
    mirrored = np.mean([own(np.pad(x, 5, mode="reflect"), np.pad(y, 5, mode="reflect")) for x, y in zip(a, b)])
    seen[components] = theirs(a, b), inside, mirrored
    print(
        f"{components:2} components: torchmetrics {seen[components][0]:.3f}, inside windows {inside:.3f}, "
        f"with mirrored ones {mirrored:.3f}"
    )
tiny = theirs(digits[:200].reshape(-1, 8, 8), rebuilt)
print(f"8 x 8 pixels, no window inside: torchmetrics {tiny:.3f}")

as_described = all(abs(score - mirrored) < 1e-4 < score - inside for score, inside, mirrored in seen.values())
sys.exit(0 if as_described and seen[1][0] - seen[1][1] > 0.2 and 0 < tiny < 1 else 1)
PYTHON
