"""Mistakes planted in the exercises of lesson 12: the student's code, and words that the answer must contain."""

DENOISER = "def best_denoiser(y, x, sigma):\n    squares = torch.cdist(y, x).square()\n    return "
SCORE = (
    "def score(y, x, sigma):\n    squares = torch.cdist(y, x).square()\n"
    "    denoised = torch.softmax(-squares / (2 * {width}), dim=1) @ x\n    return "
)
AS_IT_WAS = SCORE.format(width="sigma") + "(y - denoised) / sigma"
WIENER = "def wiener_error(values, sigma):\n    return "
STEP = "def step(y, denoised, sigma, lower):\n    return "
HIDDEN = (
    "def hidden_error(cov, hidden):\n    seen = [i for i in range(len(cov)) if i not in hidden]\n"
    "    S_oo, S_om = cov[seen][:, seen], cov[seen][:, hidden]\n    return "
)
PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson12.best_denoiser": [
        (DENOISER + "x[squares.argmin(dim=1)]", "the nearest example alone"),
        (DENOISER + "torch.softmax(-squares / (2 * sigma**2), dim=0) @ x", "over the noisy inputs"),
        (DENOISER + "torch.softmax(-squares / 2 * sigma**2, dim=1) @ x", "write squares / (2 * sigma**2)"),
        (
            "def best_denoiser(y, x, sigma):\n    w = (-torch.cdist(y, x).square() / (2 * sigma**2)).exp()\n"
            "    return w @ x / w.sum(dim=1, keepdim=True)",
            "takes the largest exponent off first",
        ),
    ],
    "lesson12.score": [
        (AS_IT_WAS, "All three faults are left"),
        (SCORE.format(width="sigma**2") + "(denoised - y) / sigma", "One fault is left"),
        (SCORE.format(width="sigma") + "(denoised - y) / sigma", "Two faults are left"),
    ],
    "lesson12.wiener_error": [
        (WIENER + "(values * sigma**2 / (values + sigma**2)).sum()", "the error of a whole example"),
        (WIENER + "torch.minimum(values, torch.tensor(sigma**2)).mean()", "keep or drop"),
    ],
    "lesson12.step": [
        (STEP + "denoised", "you jumped to the denoised y"),
        (STEP + "denoised + (lower / sigma) ** 2 * (y - denoised)", "shrinks as σ does"),
        (STEP + "denoised + (y - denoised) / (sigma / lower)", "Do not divide by σ'"),
    ],
    "lesson12.hidden_error": [
        (
            HIDDEN + "(1 / torch.linalg.inv(cov).diagonal()[hidden]).mean()",
            "the other hidden ones too",
        ),
        (
            HIDDEN + "(S_om.T @ torch.linalg.solve(S_oo, S_om)).trace() / len(hidden)",
            "the part which the seen numbers explain",
        ),
    ],
}
ACCEPTED: dict[str, list[str]] = {
    "lesson12.best_denoiser": [
        "def best_denoiser(y, x, sigma):\n"
        "    return torch.softmax((y @ x.T - x.square().sum(dim=1) / 2) / sigma**2, dim=1) @ x",
    ],
    "lesson12.step": [STEP + "y + (lower - sigma) * (y - denoised) / sigma"],
    "lesson12.hidden_error": [
        "def hidden_error(cov, hidden):\n"
        "    return torch.linalg.inv(torch.linalg.inv(cov)[hidden][:, hidden]).diagonal().mean()",
    ],
}
