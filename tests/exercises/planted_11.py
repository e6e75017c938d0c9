"""Mistakes planted in the exercises of lesson 11: the student's code, and words that the answer must contain.

A mistake stands where the stub stood; the cell's last line then calls the check, as in the lesson.
"""

SIZES = "def idx_sizes(content):\n    n_axes = content[3]\n    return "
BOUND = "def bound_with(log_weights, k):\n    groups = log_weights.reshape(-1, k, log_weights.shape[1])\n    return "
AUC = "def auc(normal, strange):\n    above = strange[:, None] > normal\n    equal = strange[:, None] == normal\n    return "


def read(start: str, axes: str = "n_axes", order: str = "big", width: int = 4) -> str:
    return (
        SIZES
        + f"tuple(int.from_bytes(content[{start} + {width} * k : {start} + {width} * (k + 1)], {order!r}) for k in range({axes}))"
    )


PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson11.idx_sizes": [
        (read("4", order="little"), "most significant byte comes first"),
        (read("0"), "one number too early"),
        (read("4", axes="n_axes + 1"), "one axis too many"),
        (read("4", axes="3"), "right for images only"),
        (read("4", width=1), "four bytes, not one"),
        (SIZES + "content[4 : 4 + 4 * n_axes]", "the bytes themselves"),
        (read("8"), "the fourth byte says how many"),
    ],
    "lesson11.bound_with": [
        (BOUND + "log_weights.mean()", "inside the log"),
        (BOUND + "groups.logsumexp(dim=1).mean()", "subtract log k"),
        (BOUND + "(groups.logsumexp(dim=1) - 2 * np.log(k)).mean()", "once too often"),
        (BOUND + "(log_weights[:k].logsumexp(dim=0) - np.log(k)).mean()", "the first k draws only"),
        (
            BOUND + "(log_weights.logsumexp(dim=0) - np.log(len(log_weights))).mean()",
            "all draws as one group",
        ),
        (BOUND + "-(groups.logsumexp(dim=1) - np.log(k)).mean()", "wrong sign"),
        (BOUND + "(groups.logsumexp(dim=1) - np.log(k)).mean(dim=0).sum()", "sum over the images"),
        (BOUND + "groups.exp().mean(dim=1).log().mean()", "logarithm of zero"),
        (BOUND + "(groups.logsumexp(dim=1) - np.log(k)).mean(dim=0)", "one number"),
    ],
    "lesson11.same_quantity": [
        ('same_quantity = {"b", "e"}', "a belongs in"),
        ('same_quantity = {"a", "e"}', "b belongs in"),
        ('same_quantity = {"a", "b", "c", "e"}', "c does not"),
        ('same_quantity = {"a", "b", "d", "e"}', "d does not"),
        ('same_quantity = {"a", "b"}', "e belongs in"),
        ('same_quantity = {"a", "b", "f"}', "from a to e"),
        ("same_quantity = 3", "a set of letters"),
    ],
    "lesson11.auc": [
        (AUC + "1 - (above.double() + equal.double() / 2).mean()", "the other way round"),
        (AUC + "above.double().mean()", "ties count for nothing"),
        (AUC + "(above | equal).double().mean()", "ties count as wins"),
        (AUC + "(above.double() + equal.double() / 2).sum()", "the number of pairs"),
        (AUC + "(strange > normal.mean()).double().mean()", "mean of the normal scores"),
        (
            AUC
            + "(strange[: min(len(normal), len(strange))] > normal[: min(len(normal), len(strange))]).double().mean()",
            "not only those in the same place",
        ),
    ],
}
