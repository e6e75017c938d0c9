"""Mistakes planted in the exercises of lesson 11: the student's code, and words that the answer must contain."""

SIZES = "def idx_sizes(content):\n    n_axes = content[3]\n    return "
BOUND = "def bound_with(log_weights, k):\n    groups = log_weights.reshape(-1, k, log_weights.shape[1])\n    return "
AUC = "def auc(normal, strange):\n    above = strange[:, None] > normal\n    equal = strange[:, None] == normal\n    return "


def read(
    start: str, axes: str = "n_axes", order: str = "big", width: int = 4, step: int | None = None
) -> str:
    begin = f"{start} + {step or width} * k"
    return (
        SIZES
        + f"tuple(int.from_bytes(content[{begin} : {begin} + {width}], {order!r}) for k in range({axes}))"
    )


PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson11.idx_sizes": [
        (
            "import struct\n\n\n"
            + SIZES
            + "tuple(struct.unpack('>I', content[4 + 4 * k : 8 + 4 * k]) for k in range(n_axes))",
            "take its [0]",
        ),
        (read("4", axes="max(n_axes, 2)"), "For a header with 1 axis you"),
    ],
    "lesson11.bound_with": [
        (
            BOUND + "((groups - log_weights.max()).exp().mean(1).log() + log_weights.max()).mean()",
            "hundreds of nats apart",
        ),
        (
            BOUND + "(log_weights.logsumexp(dim=0) - np.log(len(log_weights))).mean()",
            "all draws as one group",
        ),
    ],
    "lesson11.same_quantity": [
        ('same_quantity = {"b", "e"}', "a belongs in"),
        ('same_quantity = {"a", "e"}', "b belongs in"),
        ('same_quantity = {"a", "b"}', "e belongs in"),
        ("same_quantity = 3", "This should be a set of letters"),
    ],
    "lesson11.auc": [
        (AUC + "max(*(lambda a: (a, 1 - a))((above.double() + 0.5 * equal).mean()))", "turned around"),
        (AUC + "0.4", "ties half"),
    ],
}
ACCEPTED: dict[str, list[str]] = {
    "lesson11.idx_sizes": [read("4").replace("tuple(", "list(", 1)],
    "lesson11.bound_with": [
        BOUND
        + "(groups - groups.amax(dim=1, keepdim=True)).exp().mean(dim=1).log().add_(groups.amax(dim=1)).mean()",
    ],
    "lesson11.same_quantity": [
        'same_quantity = "a, b, e"',
        'same_quantity = "abe"',
        'same_quantity = ["E", "b", "a"]',
    ],
}
