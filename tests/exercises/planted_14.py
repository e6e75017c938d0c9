"""Mistakes planted in the exercises of lesson 14: the student's code, and words that the answer must contain."""

EXACT = (
    "def exact_error(W, bias, p):\n    s = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * len(W)).to(W)\n"
    "    chance = {chance}\n    read = {read}\n    return {end}"
)
CHANCE = "p ** s.sum(dim=1) * (1 - p) ** (len(W) - s.sum(dim=1))"
READ = "torch.relu(s @ W @ W.T + bias)"
SUM = "chance @ (s - read).square().sum(dim=1)"
FOUND = "def features_found(learned, true):\n"
UNIT = (
    FOUND
    + "    learned, true = (rows / rows.norm(dim=1, keepdim=True) for rows in (learned, true))\n    cosines = learned @ true.T\n"
)
SCIPY = "from scipy.optimize import linear_sum_assignment\n"
SOFT = "def soft_threshold(x, lam):\n    return "
LOSS = (
    "def sparse_loss(x, W, V, b, lam):\n    z = {code}\n    directions = {directions}\n"
    "    x_hat = z @ directions\n    return {end}"
)
CODE, DIRECTIONS = "torch.relu(x @ V.T + b)", "W / W.norm(dim=1, keepdim=True)"
SUMS = "(x - x_hat).square().sum(dim=1).mean() + lam * z.sum(dim=1).mean()"
INFORMATION = (
    "import math\n\n\ndef information(on, labels):\n"
    "    values = labels.unique()\n"
    "    joint = torch.stack([((on == state)[:, None] & (labels[:, None] == values)).double().mean(dim=0)\n"
    "                         for state in (False, True)])\n"
    "    H = lambda p: -torch.xlogy(p, p).sum()\n"
)
IN_NATS = "H(joint.sum(dim=0)) + H(joint.sum(dim=1)) - H(joint)"
PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson14.exact_error": [
        (
            EXACT.format(chance=CHANCE, read="s @ W @ W.T + bias", end=SUM),
            "the ReLU of the readout is missing",
        ),
        (EXACT.format(chance="p ** s.sum(dim=1)", read=READ, end=SUM), "the features that are off count too"),
        (
            EXACT.format(chance=CHANCE, read=READ, end="(s - read).square().sum(dim=1).mean()"),
            "every pattern as equally probable",
        ),
    ],
    "lesson14.features_found": [
        (
            FOUND
            + "    cosines = (learned @ true.T).abs()\n    return (cosines.max(dim=1).values > 0.9).sum()",
            "All three faults are left",
        ),
        (UNIT + "    return (cosines.max(dim=1).values > 0.9).sum()", "counted more than once"),
        (UNIT + "    return (cosines.max(dim=0).values > 0.9).sum()", "two of them may take the same one"),
        (
            SCIPY
            + UNIT
            + "    pairs = linear_sum_assignment(cosines.abs(), maximize=True)\n    return (cosines.abs()[pairs] > 0.9).sum()",
            "the other way",
        ),
        (
            SCIPY
            + UNIT
            + "    pairs = linear_sum_assignment(cosines.abs(), maximize=True)\n    return (cosines[pairs] > 0.9).sum()",
            "chosen by absolute value",
        ),
        (
            SCIPY
            + FOUND
            + "    cosines = learned / learned.norm(dim=1, keepdim=True) @ true.T\n"
            + "    return (cosines[linear_sum_assignment(cosines, maximize=True)] > 0.9).sum()",
            "the true ones may have any length too",
        ),
        (
            SCIPY
            + UNIT
            + "    pairs = linear_sum_assignment(cosines, maximize=True)\n    return (cosines[pairs].abs() > 0.9).sum()",
            "pairs that point in opposite directions",
        ),
        (
            UNIT
            + "    used = set()\n    for column in cosines.T:\n        for k in column.argsort(descending=True).tolist():\n"
            "            if k not in used and column[k] > 0.9:\n                used.add(k)\n                break\n"
            "    return len(used)",
            "taken one by one",
        ),
        (
            UNIT + "    near = cosines.max(dim=0)\n    return len(near.indices[near.values > 0.9].unique())",
            "two may have the same nearest one",
        ),
        (FOUND + "    return 0", "count those above 0.9"),
    ],
    "lesson14.soft_threshold": [
        (SOFT + "x.sign() * (x.abs() - lam).clamp(min=0)", "you moved by λ;"),
        (SOFT + "x * (x.abs() > lam / 2)", "a hard threshold"),
        (SOFT + "torch.relu(x - lam / 2)", "negative values have become 0"),
    ],
    "lesson14.sparse_loss": [
        (
            LOSS.format(
                code="x @ V.T + b", directions="W", end="(x - x_hat).square().mean() + lam * z.abs().mean()"
            ),
            "All three faults are left",
        ),
        (LOSS.format(code=CODE, directions="W", end=SUMS), "evades the price"),
        (
            LOSS.format(
                code=CODE,
                directions=DIRECTIONS,
                end="(x - x_hat).square().sum(dim=1).mean() + lam * z.mean()",
            ),
            "the codes are still averaged",
        ),
        (
            LOSS.format(code="x @ V.T + b", directions=DIRECTIONS, end=SUMS),
            "a negative code lowers the price",
        ),
        (LOSS.format(code=CODE, directions="W / W.norm(dim=0)", end=SUMS), "each feature is a row"),
    ],
    "lesson14.information": [
        (INFORMATION + f"    return {IN_NATS}", "that is in nats"),
        (INFORMATION + "    return H(joint.sum(dim=1)) / math.log(2)", "the entropy of on and off"),
        (
            "def information(on, labels):\n    def H2(r):\n        return -(r * r.log2() + (1 - r) * (1 - r).log2())\n"
            "    left = 0.0\n    for c in labels.unique():\n        inside = labels == c\n"
            "        left += inside.double().mean() * H2(on[inside].double().mean())\n"
            "    return H2(on.double().mean()) - left",
            "0 · log 0 counts as 0",
        ),
    ],
}
ACCEPTED: dict[str, list[str]] = {
    "lesson14.soft_threshold": [
        SOFT + "torch.nn.functional.softshrink(x, lam / 2)",
        SOFT + "torch.relu(x - lam / 2) - torch.relu(-x - lam / 2)",
        "def soft_threshold(x, lam):\n    z = torch.zeros_like(x)\n    for i in range(len(x)):\n"
        "        if x[i] > lam / 2:\n            z[i] = x[i] - lam / 2\n"
        "        elif x[i] < -lam / 2:\n            z[i] = x[i] + lam / 2\n    return z",
    ],
    "lesson14.exact_error": [
        "def exact_error(W, bias, p):\n    from itertools import product\n    total = 0.0\n"
        "    for bits in product((0.0, 1.0), repeat=len(W)):\n        s = torch.tensor(bits).to(W)\n"
        "        chance = torch.where(s > 0, p, 1 - p).prod()\n"
        "        total += chance * (s - torch.relu(W @ (W.T @ s) + bias)).square().sum()\n    return total",
    ],
    "lesson14.features_found": [
        SCIPY
        + UNIT
        + "    pairs = linear_sum_assignment(-cosines)\n    return int((cosines[pairs] > 0.9).sum())",
    ],
    "lesson14.information": [INFORMATION + f"    return ({IN_NATS}) / math.log(2)"],
}
