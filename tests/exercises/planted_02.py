"""Mistakes planted in the exercises of lesson 02: the student's code, and words that the answer must contain.

A mistake stands where the stub stood; the cell's last line then calls the check, as in the lesson.
"""

HEAD = "def mutual_information(counts):\n    p = counts / counts.sum()\n    rows, columns = p.sum(1, keepdim=True), p.sum(0, keepdim=True)\n"
TERMS = "torch.xlogy(p, p) - torch.xlogy(p, rows * columns)"
RATIO = "    return ((moved - z).square().sum() / (far - z).square().sum()).sqrt()"
MOVED = "def relative_movement(encode, x, other, step):\n    z, far = encode(x), encode(other)\n    moved = encode(x + step * (other - x))\n"


def cards(a: str, b: str, c: str, d: str) -> str:
    return f"card_a, card_b, card_c, card_d = {a!r}, {b!r}, {c!r}, {d!r}"


PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson02.mutual_information": [
        (HEAD + "    return torch.xlogy(p, p / (rows * columns)).sum()", "row of zeros"),
        (
            HEAD.replace("counts / counts.sum()", "counts.clamp(min=1) / counts.clamp(min=1).sum()")
            + f"    return ({TERMS}).sum()",
            "expected",
        ),
        (HEAD + f"    return ({TERMS}).sum() / torch.log(torch.tensor(2.0))", "in bits"),
        (HEAD + f"    return -({TERMS}).sum()", "never negative"),
        (HEAD + "    return -(rows * rows.log()).sum()", "entropy of the rows"),
        (HEAD + "    return -(p * p.log()).sum()", "entropy of the whole table"),
        (HEAD + "    return -(p * (p / columns).log()).sum()", "left unknown of the row"),
        (HEAD + "    return -(p * (p / rows).log()).sum()", "left unknown of the column"),
        (HEAD + "    return (p / (rows * columns)).log().sum()", "needs its weight"),
        (HEAD + f"    return counts.sum() * ({TERMS}).sum()", "divided by their total"),
        (HEAD + "    return (p * (p / (rows * columns)).log()).sum()", "0 · log 0"),
    ],
    "lesson02.r_squared": [
        (
            "def r_squared(x, x_hat, train_mean):\n    return (1 - ((x - x_hat) ** 2).sum() / ((x - train_mean) ** 2).sum()).clamp(min=0)",
            "do not cut it off",
        ),
        (
            "def r_squared(x, x_hat, train_mean):\n    return 1 - ((x - x_hat) ** 2).sum() / ((x - train_mean.mean()) ** 2).sum()",
            "one number for each dimension",
        ),
        (
            "def r_squared(x, x_hat, train_mean):\n    return 1 - ((x - train_mean) ** 2).sum() / ((x - x_hat) ** 2).sum()",
            "upside down",
        ),
        (
            "def r_squared(x, x_hat, train_mean):\n    return 1 - (((x - x_hat) ** 2).sum() / ((x - train_mean) ** 2).sum()).sqrt()",
            "root of the ratio",
        ),
        (
            "def r_squared(x, x_hat, train_mean):\n    return ((x - x_hat) ** 2).sum() / ((x - train_mean) ** 2).sum()",
            "one minus it",
        ),
        (
            "def r_squared(x, x_hat, train_mean):\n    return 1 - ((x - x_hat) ** 2).sum() / ((x - x.mean(0)) ** 2).sum()",
            "use train_mean",
        ),
        (
            "def r_squared(x, x_hat, train_mean):\n    return 1 - ((x - x_hat) ** 2).sum() / (x**2).sum()",
            "not around 0",
        ),
        (
            "def r_squared(x, x_hat, train_mean):\n    return 1 - (((x - x_hat) ** 2).sum(0) / ((x - train_mean) ** 2).sum(0)).mean()",
            "one R² for each number",
        ),
        (
            "def r_squared(x, x_hat, train_mean):\n    return 1 - (((x - x_hat) ** 2).sum(1) / ((x - train_mean) ** 2).sum(1)).mean()",
            "one R² for each example",
        ),
        (
            "def r_squared(x, x_hat, train_mean):\n    return 1 - (x - x_hat).abs().sum() / (x - train_mean).abs().sum()",
            "squared",
        ),
    ],
    "lesson02.relative_movement": [
        (MOVED.replace("z, far", "x += step * (other - x)\n    z, far", 1) + RATIO, "expected"),
        (MOVED.replace("x + step * ", "x + 0.2 * ") + RATIO, "expected"),
        (
            MOVED.replace("x + step * (other - x)", "step * x + (1 - step) * other")
            + "    return ((moved - z).square().sum() / (far - z).square().sum()).sqrt()",
            "from the wrong end",
        ),
        (
            MOVED
            + "    m = ((moved - z).square().sum() / (far - z).square().sum()).sqrt()\n    return (step / m - step) / (1 - step)",
            "the finished score",
        ),
        (MOVED + "    return (moved - z).square().sum() / (far - z).square().sum()", "take the root"),
        (MOVED + "    return (moved - z).square().sum(1).mean().sqrt()", "in its own units"),
        (
            MOVED + "    return ((moved - z).square().sum() / (far - z).square().sum()).sqrt() / step",
            "divided by step as well",
        ),
        (
            MOVED + "    return ((moved - z).square().sum() / (other - x).square().sum()).sqrt()",
            "inputs are apart",
        ),
        (
            MOVED.replace("(other - x)", "other")
            + "    return ((moved - z).square().sum() / (far - z).square().sum()).sqrt()",
            "go the way from x to other",
        ),
        (
            MOVED.replace("(other - x)", "(x - other)")
            + "    return ((moved - z).square().sum() / (far - z).square().sum()).sqrt()",
            "away from the other example",
        ),
        (
            MOVED + "    return ((moved - z).norm(dim=1) / (far - z).norm(dim=1)).mean()",
            "one ratio for each example",
        ),
        (
            MOVED + "    return (moved - z).norm(dim=1).mean() / (far - z).norm(dim=1).mean()",
            "averaged lengths",
        ),
    ],
    "lesson02.match_codes": [
        (
            cards("turned", "shuffled", "forgets up", "raw pixels"),
            "Turning changes no distance between codes",
        ),
        (cards("turned", "shuffled", "forgets up", "raw pixels"), "each coordinate then tells about both"),
        (cards("raw pixels", "forgets up", "shuffled", "turned"), "what was to be told is missing"),
        (cards("shuffled", "raw pixels", "forgets up", "turned"), "torn apart"),
        (cards("raw pixels", "raw pixels", "forgets up", "turned"), "used a name twice"),
        (cards("pixels", "shuffled", "forgets up", "turned"), "should be one of"),
    ],
}


ACCEPTED: dict[str, list[str]] = {
    "lesson02.relative_movement": [
        MOVED.replace(
            "    moved = encode(x + step * (other - x))", "    x += step * (other - x)\n    moved = encode(x)"
        )
        + RATIO
    ]
}
