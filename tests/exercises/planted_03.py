"""Mistakes planted in the exercises of lesson 03: the student's code, and words that the answer must contain."""

ENTROPY = "import math\n\n\ndef h(p):\n    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)\n\n\n"
HEAD = "def binary_information(p_one, flip):\n"
ARRIVES = "    z = p_one * (1 - flip) + (1 - p_one) * flip\n"
BOUND = "import math\n\n\ndef information_bound(q, p):\n    return "
ACCEPTED: dict[str, list[str]] = {
    "lesson03.ruin": [
        "def places(z, move):\n    place = (100 * z).floor()\n    return (move(place) % 100 + 100 * z - place) / 100\n\n\n"
        "def h(z):\n    return places(z, lambda place: 37 * place + 29)\n\n\n"
        "def h_inverse(z):\n    return places(z, lambda place: 73 * (place - 29))",
    ],
    "lesson03.information_bound": [
        "import math\n\n\ndef information_bound(q, p):\n    pairs = zip(q.flatten().tolist(), p.flatten().tolist())\n"
        "    return math.log(len(q)) + sum(a * math.log(b) for a, b in pairs if a > 0) / len(q)",
        BOUND + "math.log(len(q)) + (q * p.clamp(min=1e-9).log()).sum() / len(q)",
        BOUND + "math.log(len(q)) + torch.nan_to_num(q * p.log()).sum() / len(q)",
    ],
}
PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson03.binary_information": [
        (
            "import math\n\n\ndef binary_information(p_one, flip):\n    arrives = p_one * (1 - flip) + (1 - p_one) * flip\n"
            "    H = lambda p: -p * math.log(p) - (1 - p) * math.log(1 - p)\n    return H(arrives) - H(flip)",
            "0 · log 0 counts as 0",
        ),
        (ENTROPY + HEAD + ARRIVES + "    return (h(z) - h(flip)) / math.log(2)", "in bits"),
    ],
    "lesson03.posterior": [
        ("def posterior(q):\n    return q", "unchanged"),
        (
            "def posterior(q):\n    return q / q.sum(dim=1, keepdim=True)",
            "dividing by their sums changes nothing",
        ),
    ],
    "lesson03.information_bound": [
        (
            "import math\n\n\ndef information_bound(q, p):\n    used = (p > 0) & (q > 0)\n    return math.log(len(q)) + (q[used] * p[used].log()).sum() / len(q)",
            "not where p is",
        ),
        (
            "import math\n\n\ndef information_bound(q, p):\n    own = q / q.sum(0)\n    return "
            "math.log(len(q)) + torch.xlogy(q, own).sum() / len(q)",
            "encoder's own posterior",
        ),
    ],
    "lesson03.ruin": [
        (
            "def h(z):\n    global kept\n    kept = z\n    return torch.rand_like(z)\n\n\ndef h_inverse(z):\n    return kept",
            "Two calls of h",
        ),
        (
            "def h(z):\n    return z.flip(0)\n\n\ndef h_inverse(z):\n    return z.flip(0)",
            "each number by itself",
        ),
        (
            "def h(z):\n    return (20 * z).floor() / 40 + (z % 0.05) / 2\n\n\ndef h_inverse(z):\n    return 2 * z",
            "does not reach all",
        ),
        (
            "def h(z):\n    return torch.log(z - 1)\n\n\ndef h_inverse(z):\n    return torch.exp(z) + 1",
            "is no number",
        ),
        ("def h(z):\n    return z\n\n\ndef h_inverse(z):\n    return z", "changes nothing"),
        ("def h(z):\n    return 1 - z\n\n\ndef h_inverse(z):\n    return 1 - z", "still neighbours"),
        ("def h(z):\n    return (20 * z) % 1\n\n\ndef h_inverse(z):\n    return z / 20", "do not come back"),
        ("def h(z):\n    return (z + 0.5) % 1\n\n\ndef h_inverse(z):\n    return (z + 0.5) % 1", "cut finer"),
        ("def h(z):\n    return 20 * z\n\n\ndef h_inverse(z):\n    return z / 20", "within 0 and 1"),
    ],
}
