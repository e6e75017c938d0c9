"""Mistakes planted in the exercises of lesson 02: the student's code, and words that the answer must contain."""

HEAD = "def mutual_information(counts):\n    p = counts / counts.sum()\n    rows, columns = p.sum(1, keepdim=True), p.sum(0, keepdim=True)\n"
TERMS = "torch.xlogy(p, p) - torch.xlogy(p, rows * columns)"
RATIO = "    return ((moved - z).square().sum() / (far - z).square().sum()).sqrt()"
MOVED = "def relative_movement(encode, x, other, step):\n    z, far = encode(x), encode(other)\n    moved = encode(x + step * (other - x))\n"


def cards(a: str, b: str, c: str, d: str) -> str:
    return f"card_a, card_b, card_c, card_d = {a!r}, {b!r}, {c!r}, {d!r}"


PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson02.mutual_information": [
        (HEAD + "    return torch.xlogy(p, p / (rows * columns)).sum()", "row of zeros"),
        (HEAD + f"    return ({TERMS}).sum() / torch.log(torch.tensor(2.0))", "in bits"),
    ],
    "lesson02.r_squared": [
        (
            "def r_squared(x, x_hat, train_mean):\n    return (1 - ((x - x_hat) ** 2).sum() / ((x - train_mean) ** 2).sum()).clamp(min=0)",
            "do not cut it off",
        ),
        (
            "def r_squared(x, x_hat, train_mean):\n    return 1 - (((x - x_hat) ** 2).sum(0) / ((x - train_mean) ** 2).sum(0)).mean()",
            "one R² for each number",
        ),
    ],
    "lesson02.relative_movement": [
        (MOVED.replace("z, far", "x += step * (other - x)\n    z, far", 1) + RATIO, "expected"),
        (MOVED.replace("x + step * ", "x + 0.2 * ") + RATIO, "expected"),
    ],
    "lesson02.match_codes": [
        (
            cards("turned", "shuffled", "forgets up", "raw pixels"),
            "Turning changes no distance between codes",
        ),
        (cards("raw pixels", "forgets up", "shuffled", "turned"), "what was to be told is missing"),
        (cards("shuffled", "raw pixels", "forgets up", "turned"), "torn apart"),
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
