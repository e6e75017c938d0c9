"""Mistakes planted in the exercises of lesson 00: the student's code, and words that the answer must contain."""

PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson00.batch_loss": [
        (
            "def batch_loss(x, x_hat):\n    return ((x - x_hat) ** 2).mean()",
            "averaged over the batch and over the dimensions",
        ),
        (
            "def batch_loss(x, x_hat):\n    return ((x - x_hat) ** 2).sum(1).mean() / 2",
            "without the factor ½",
        ),
    ],
}
ACCEPTED: dict[str, list[str]] = {
    "lesson00.batch_loss": [
        "def batch_loss(x, x_hat):\n    x -= x_hat\n    return (x**2).sum(dim=1).mean()",
    ],
}
