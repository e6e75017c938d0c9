"""Mistakes planted in the exercises of lesson 01: the student's code, and words that the answer must contain."""

SMALLEST = "import math\n\n\ndef smallest_latent_dim(latent_dims, errors, wanted_psnr):\n"
MATRIX = (
    "A = {matrix}\n\n\ndef encode(x):\n    return x @ A.T\n\n\n"
    "def decode(z):\n    return z @ torch.linalg.inv(A).T"
)
RANDOM = "torch.randn(64, 64, generator=torch.Generator().manual_seed({}))"
ACCEPTED: dict[str, list[str]] = {
    "lesson01.perfect_copy": [
        *(MATRIX.format(matrix=RANDOM.format(seed)) for seed in (93, 109, 1, 5)),
        "def encode(x):\n    return (16 * (1 - x)).round()\n\n\ndef decode(z):\n    return 1 - z / 16",
        "def encode(x):\n    return (16 * (1 - x)).round() / 16\n\n\ndef decode(z):\n    return 1 - z",
    ],
}
PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson01.psnr": [
        (
            "def psnr(x, x_hat):\n    return 10 * torch.log10(1 / (x - x_hat).abs().mean())",
            "averaged the sizes",
        ),
        (
            "def psnr(x, x_hat):\n    return 10 * torch.log10(x.max() ** 2 / ((x - x_hat) ** 2).mean())",
            "the peak is 1",
        ),
    ],
    "lesson01.perfect_copy": [
        (
            "def encode(x):\n    return x.cumsum(0)\n\n\ndef decode(z):\n    return torch.diff(z, dim=0, prepend=torch.zeros(1, 64))",
            "images beside it",
        ),
        (
            "def encode(x):\n    global kept\n    kept = x\n    return torch.zeros_like(x)\n\n\ndef decode(z):\n    return kept",
            "kept aside",
        ),
        (
            "def encode(x):\n    return 1 - x\n\n\ndef decode(z):\n    return z - 1",
            "its inverse is another one",
        ),
        ("def encode(x):\n    return x\n\n\ndef decode(z):\n    return z", "code is the image itself"),
        (MATRIX.format(matrix="torch.ones(64, 64) + 0.01 * " + RANDOM.format(0)), "rounding shows"),
        ("def encode(x):\n    return x[:, :32]\n\n\ndef decode(z):\n    return z", "yours has 32"),
        (
            "def encode(x):\n    return x.sum()\n\n\ndef decode(z):\n    return z",
            "one row of numbers per image",
        ),
    ],
    "lesson01.smallest_latent_dim": [
        (
            SMALLEST
            + "    good = [k for k, e in zip(latent_dims, errors) if 10 * math.log10(1 / e) >= wanted_psnr]\n"
            "    return min(good, default=-1)",
            "the function should return None",
        ),
        (
            "import math\n\n\ndef smallest_latent_dim(latent_dims, errors, wanted_psnr):\n    good = [(e, k) for k, e in zip(latent_dims, errors) if 10 * math.log10(1 / e) >= wanted_psnr]\n    return max(good)[1] if good else None",
            "look at every K",
        ),
        (
            SMALLEST
            + "    good = [k for k, e in zip(latent_dims, errors) if 10 * math.log10(1 / e) >= wanted_psnr]\n"
            "    return good[0] if good and latent_dims[0] == 6 else None",
            "wherever it stands",
        ),
    ],
    "lesson01.quantise": [
        (
            "def my_quantise(z, low, high, n_bits):\n    width = 2 * high / 2**n_bits\n    cell = ((z + high) / width).floor().clamp(0, 2**n_bits - 1)\n    return (cell + 0.5) * width - high",
            "the cells start at low",
        ),
        ("def my_quantise(z, low, high, n_bits):\n    return z.mean()", "should have shape (6,)"),
    ],
    "lesson01.break_even": [
        (
            "def break_even(n_parameters, bits_raw, bits_code):\n    return 32 * n_parameters // (bits_raw - bits_code) + 1",
            "both ways cost the same",
        ),
        (
            "import math\n\n\ndef break_even(n_parameters, bits_raw, bits_code):\n"
            "    return math.ceil(32 * n_parameters / (bits_code - bits_raw))",
            "negative",
        ),
    ],
}
