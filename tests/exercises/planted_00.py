"""Mistakes planted in the exercises of lesson 00: the student's code, and words that the answer must contain.

A mistake stands where the stub stood; the cell's last line then calls the check, as in the lesson.
"""

PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson00.batch_loss": [
        (
            "def batch_loss(x, x_hat):\n    return ((x - x_hat) ** 2).mean()",
            "averaged over the batch and over the dimensions",
        ),
        ("def batch_loss(x, x_hat):\n    return ((x - x_hat) ** 2).sum()", "grows with the batch size"),
        ("def batch_loss(x, x_hat):\n    return ((x - x_hat) ** 2).sum(0).mean()", "swapped"),
        ("def batch_loss(x, x_hat):\n    return (x - x_hat).sum(1).mean()", "not squared"),
        ("def batch_loss(x, x_hat):\n    return (x - x_hat).norm(dim=1).mean()", "square root"),
        ("def batch_loss(x, x_hat):\n    return (x - x_hat).abs().sum(1).mean()", "sizes of the differences"),
        ("def batch_loss(x, x_hat):\n    return ((x - x_hat).sum(1) ** 2).mean()", "square each one first"),
        (
            "def batch_loss(x, x_hat):\n    return ((x - x_hat) ** 2).sum(1).mean() / 2",
            "without the factor ½",
        ),
        ("def batch_loss(x, x_hat):\n    return ((x - x_hat) ** 2).sum(1)", "shape (5,)"),
        ("def batch_loss(x, x_hat):\n    loss = ((x - x_hat) ** 2).sum(1).mean()", "return"),
    ],
}


ACCEPTED: dict[str, list[str]] = {
    "lesson00.batch_loss": [
        "def batch_loss(x, x_hat):\n    x -= x_hat\n    return (x**2).sum(dim=1).mean()",
    ],
}
