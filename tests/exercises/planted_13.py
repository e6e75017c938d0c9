"""Mistakes planted in the exercises of lesson 13: the student's code, and words that the answer must contain."""

LLOYD = "def lloyd_step(x, entries):\n    index = torch.cdist(x, entries).argmin(dim=1)\n    M = len(entries)\n    return "
PERPLEXITY = "def perplexity(counts):\n    p = counts / counts.sum()\n    return "
GRADIENTS = "def gradients(z, entry, slope, commitment):\n    return "
BITS = "def net_bits(prior, likelihood, q):\n    return "
WATER = "def water_filling(values, level):\n    return "
PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson13.lloyd_step": [
        (LLOYD + "torch.stack([x[index == k].sum(dim=0) for k in range(M)])", "those are sums"),
        (LLOYD + "torch.stack([x[index == k].mean(dim=0) for k in range(M)])", "it has no mean"),
    ],
    "lesson13.perplexity": [
        (PERPLEXITY + "torch.exp(-p.log2().mean())", "All three faults are left"),
        (PERPLEXITY + "torch.exp(-(p * p.log2()).sum())", "One fault is left"),
        (PERPLEXITY + "torch.exp(-(p * p.log()).sum())", "torch.xlogy does that"),
    ],
    "lesson13.gradients": [
        (
            GRADIENTS + "slope + 2 * (z - entry), 2 * commitment * (entry - z)",
            "commitment and codebook are swapped",
        ),
        (
            GRADIENTS + "slope + 2 * (1 + commitment) * (z - entry), 2 * (entry - z)",
            "a stop-gradient is missing",
        ),
    ],
    "lesson13.net_bits": [
        (BITS + "-(q * (prior * likelihood).log2()).sum()", "nothing is given back"),
        (BITS + "-(prior * likelihood).sum().log2()", "the length for the exact posterior"),
        (BITS + "(q * (q / (prior * likelihood)).log2()).sum()", "leave such entries out"),
    ],
    "lesson13.water_filling": [
        (WATER + "(values / level).log2().sum() / 2, values.clamp(max=level).mean()", "they cost 0"),
        (WATER + "(values / values.clamp(max=level)).log2().sum() / 2, level", "that is the level itself"),
        (
            WATER + "(values / values.clamp(min=level)).log2().sum() / 2, level",
            "takes the larger of λ and level",
        ),
    ],
}
ACCEPTED: dict[str, list[str]] = {
    "lesson13.net_bits": [
        BITS + "(torch.xlogy(q, q) - q * (prior * likelihood).log()).sum() / torch.tensor(2.0).log()",
        BITS + "(q * (q / (prior * likelihood)).log2()).nansum()",
    ],
    "lesson13.gradients": [
        GRADIENTS + "torch.stack([slope + 2 * commitment * (z - entry), 2 * (entry - z)])",
    ],
    "lesson13.water_filling": [
        WATER + "(values / level).log2().relu().sum() / 2, values.minimum(torch.tensor(level)).mean()",
    ],
    "lesson13.perplexity": [
        PERPLEXITY + "torch.distributions.Categorical(p).entropy().exp()",
        PERPLEXITY + "2 ** (torch.special.entr(p).sum() / torch.tensor(2.0).log())",
    ],
}
