"""Mistakes planted in the exercises of lesson 11: the student's code, and words that the answer must contain.

A mistake stands where the stub stood; the cell's last line then calls the check, as in the lesson.
"""

SIZES = "def idx_sizes(content):\n    n_axes = content[3]\n    return "
BOUND = "def bound_with(log_weights, k):\n    groups = log_weights.reshape(-1, k, log_weights.shape[1])\n    return "
K_GROUPS = BOUND.replace("-1, k,", "k, -1,")
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
        (
            SIZES
            + "tuple(str(int.from_bytes(content[4 + 4 * k : 8 + 4 * k], 'big')) for k in range(n_axes))",
            "text that looks like a number",
        ),
        (
            SIZES + "tuple(int.from_bytes(content[5 + 4 * k : 8 + 4 * k], 'big') for k in range(n_axes))",
            "left out the first",
        ),
        (read("4", order="little"), "most significant byte comes first"),
        (read("0"), "one number too early"),
        (read("4", axes="n_axes + 1"), "one axis too many"),
        (read("4", axes="3"), "right for images only"),
        (read("4", width=1), "four bytes, not one"),
        (SIZES + "content[4 : 4 + 4 * n_axes]", "the bytes themselves"),
        (
            SIZES + "tuple(content[4 + 4 * k : 8 + 4 * k] for k in range(n_axes))",
            "These are the bytes themselves",
        ),
        (SIZES + "(content[4 + k] for k in range(n_axes))", "This is a generator"),
        (read("8"), "one number too late"),
        (read("3"), "one byte too early"),
        (read("5"), "one byte too late"),
        (read("4", step=1), "you went on by one"),
        (read("4", axes="max(n_axes, 2)"), "For a header with 1 axis you"),
        (read("4", axes="max(n_axes, 2)"), "the fourth byte says how many"),
    ],
    "lesson11.bound_with": [
        (
            BOUND + "((groups - log_weights.max()).exp().mean(1).log() + log_weights.max()).mean()",
            "hundreds of nats apart",
        ),
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
        (BOUND + "groups.exp().mean(dim=1).log().mean()", "torch.logsumexp takes out the largest"),
        (BOUND + "groups.exp().sum(dim=1).log().mean()", "subtract log k"),
        (BOUND + "(groups.logsumexp(dim=1) - np.log(k)).mean().log()", "Your bound is nan"),
        (
            BOUND + "(groups.logsumexp(dim=1) - np.log(len(log_weights) // k)).mean()",
            "divided by the number of groups",
        ),
        (K_GROUPS + "(groups.logsumexp(dim=1) - np.log(k)).mean()", "k groups and divided"),
        (K_GROUPS + "(groups.logsumexp(dim=1) - np.log(groups.shape[1])).mean()", "made k groups; asked"),
        (K_GROUPS + "groups.logsumexp(dim=1).mean()", "k groups and added up"),
        (BOUND + "(log_weights.reshape(-1, k).logsumexp(dim=1) - np.log(k)).mean()", "mix the images"),
        (BOUND + "(groups.logsumexp(dim=1) - np.log(k)).mean(dim=0)", "one number"),
    ],
    "lesson11.same_quantity": [
        ('same_quantity = {"b", "e"}', "a belongs in"),
        ('same_quantity = {"a", "e"}', "b belongs in"),
        ('same_quantity = {"a", "b", "c", "e"}', "c does not"),
        ('same_quantity = {"a", "b", "d", "e"}', "d does not"),
        ('same_quantity = {"a", "b"}', "e belongs in"),
        ('same_quantity = "a, b"', "4 of the five letters are placed right. Look at e"),
        ('same_quantity = "ab"', "4 of the five letters are placed right. Look at e"),
        ('same_quantity = ["a", "b", "d"]', "3 of the five letters are placed right. Look at d"),
        ('same_quantity = {"c", "d"}', "0 of the five letters are placed right. Look at c"),
        ('same_quantity = {"b"}', "3 of the five letters are placed right, and 2 more belong in"),
        ("same_quantity = {}", "2 of the five letters are placed right, and 3 more belong in"),
        ('same_quantity = {"a", "b", "f"}', "The letters go from a to e"),
        ("same_quantity = 3", "This should be a set of letters"),
        ("same_quantity = 3", "it is of type int"),
    ],
    "lesson11.auc": [
        (AUC + "max(*(lambda a: (a, 1 - a))((above.double() + 0.5 * equal).mean()))", "turned around"),
        (
            AUC.replace("strange[:, None] > normal", "strange.long()[:, None] > normal.long()").replace(
                "strange[:, None] == normal", "strange.long()[:, None] == normal.long()"
            )
            + "(above.double() + 0.5 * equal).mean()",
            "whole numbers",
        ),
        (AUC + "1 - (above.double() + equal.double() / 2).mean()", "the other way round"),
        (AUC + "above.double().mean()", "ties count for nothing"),
        (AUC + "(above | equal).double().mean()", "ties count as wins"),
        (AUC + "(above.double() + equal.double() / 2).sum()", "the number of pairs"),
        (AUC + "(strange > normal.mean()).double().mean()", "mean of the normal scores"),
        (AUC + "2 * (above.double() + equal.double() / 2).mean() - 1", "Gini"),
        (AUC + "above.double().mean() - (strange[:, None] < normal).double().mean()", "Gini"),
        (
            AUC + "(strange > torch.cat([normal, strange]).median()).double().mean()",
            "the median of all scores",
        ),
        (AUC + "(strange > torch.cat([normal, strange]).mean()).double().mean()", "the mean of all scores"),
        (AUC + "(strange > normal.median()).double().mean()", "the median of the normal scores"),
        (AUC + "0.4", "ties half"),
        (
            AUC
            + "(strange[: min(len(normal), len(strange))] > normal[: min(len(normal), len(strange))]).double().mean()",
            "not only those in the same place",
        ),
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
