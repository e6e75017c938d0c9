"""Mistakes planted in the exercises of lesson 01: the student's code, and words that the answer must contain.

A mistake stands where the stub stood; the cell's last line then calls the check, as in the lesson.
"""

SMALLEST = "import math\n\n\ndef smallest_latent_dim(latent_dims, errors, wanted_psnr):\n"
MATRIX = (
    "A = {matrix}\n\n\ndef encode(x):\n    return x @ A.T\n\n\n"
    "def decode(z):\n    return z @ torch.linalg.inv(A).T"
)
RANDOM = "torch.randn(64, 64, generator=torch.Generator().manual_seed({}))"

ACCEPTED: dict[str, list[str]] = {
    "lesson01.perfect_copy": [MATRIX.format(matrix=RANDOM.format(seed)) for seed in (93, 109, 1, 5)],
}

PLANTED: dict[str, list[tuple[str, str]]] = {
    "lesson01.psnr": [
        (
            "def psnr(x, x_hat):\n    return 10 * torch.log10(1 / (x - x_hat).abs().mean())",
            "averaged the sizes",
        ),
        (
            "def psnr(x, x_hat):\n    return (10 * torch.log10(1 / ((x - x_hat) ** 2).mean(1))).mean()",
            "one logarithm",
        ),
        (
            "def psnr(x, x_hat):\n    return 10 * torch.log10(x.max() ** 2 / ((x - x_hat) ** 2).mean())",
            "the peak is 1",
        ),
        (
            "def psnr(x, x_hat):\n    return 10 * torch.log10(((x - x_hat) ** 2).mean())",
            "not the other way round",
        ),
        ("def psnr(x, x_hat):\n    return 20 * torch.log10(1 / ((x - x_hat) ** 2).mean())", "10 and not 20"),
        (
            "def psnr(x, x_hat):\n    return 10 * torch.log(1 / ((x - x_hat) ** 2).mean())",
            "natural logarithm",
        ),
        ("def psnr(x, x_hat):\n    return 10 * torch.log10(1 / ((x - x_hat) ** 2).sum(1).mean())", "summed"),
        ("def psnr(x, x_hat):\n    return 10 * torch.log10(1 / ((x - x_hat) ** 2).mean(1))", "one number"),
        (
            "def psnr(x, x_hat):\n    return 10 * torch.log10(1 / (x - x_hat).mean().abs())",
            "opposite sign cancel",
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
        (
            "def encode(x):\n    return x.roll(1, dims=0)\n\n\ndef decode(z):\n    return z.roll(-1, dims=0)",
            "with the images beside it",
        ),
        (
            "def encode(x):\n    return 1e-4 * x.flip(0)\n\n\ndef decode(z):\n    return 1e4 * z.flip(0)",
            "with the images beside it",
        ),
        (
            "def encode(x):\n    return (1000 * x).round()\n\n\ndef decode(z):\n    return z / 1000",
            "loses information",
        ),
        (
            "def encode(x):\n    return 2 * x.half().float()\n\n\ndef decode(z):\n    return z / 2",
            "loses information",
        ),
        (
            "def encode(x):\n    return (x - 2).log()\n\n\ndef decode(z):\n    return z.exp() + 2",
            "100% of the pixels",
        ),
        (MATRIX.format(matrix="torch.ones(64, 64) + 0.01 * " + RANDOM.format(0)), "rounding shows"),
        ("def encode(x):\n    return x[:, :32]\n\n\ndef decode(z):\n    return z", "yours has 32"),
        (
            "def encode(x):\n    return x.round()\n\n\ndef decode(z):\n    return z",
            "a step of encode loses information",
        ),
        ("def encode(x):\n    return x.flip(1)\n\n\ndef decode(z):\n    return z", "does not undo encode"),
        (
            "def encode(x):\n    return x.sum()\n\n\ndef decode(z):\n    return z",
            "one row of numbers per image",
        ),
    ],
    "lesson01.smallest_latent_dim": [
        (
            "import math\n\n\ndef smallest_latent_dim(latent_dims, errors, wanted_psnr):\n    good = [(e, k) for k, e in zip(latent_dims, errors) if 10 * math.log10(1 / e) >= wanted_psnr]\n    return max(good)[1] if good else None",
            "look at every K",
        ),
        (
            "import math\n\n\ndef smallest_latent_dim(latent_dims, errors, wanted_psnr):\n    good = [k for k, e in zip(latent_dims, errors) if round(10 * math.log10(1 / e)) >= wanted_psnr]\n    return min(good) if good else None",
            "without rounding",
        ),
        (
            SMALLEST
            + "    good = [k for k, e in zip(latent_dims, errors) if e >= wanted_psnr]\n    return min(good, default=None)",
            "compare the error itself with decibels",
        ),
        (
            SMALLEST
            + "    good = [k for k, e in zip(latent_dims, errors) if e <= wanted_psnr]\n    return min(good, default=None)",
            "the error itself was compared",
        ),
        (
            SMALLEST
            + "    good = [k for k, e in zip(latent_dims, errors) if math.log10(1 / e) >= wanted_psnr]\n    return min(good, default=None)",
            "factor 10",
        ),
        (
            SMALLEST
            + "    good = [k for k, e in zip(latent_dims, errors) if 10 * math.log10(1 / e) >= wanted_psnr]\n    k = min(good, default=None)",
            "`return`",
        ),
        (
            SMALLEST
            + "    for k, e in zip(latent_dims, errors):\n        if 10 * math.log10(1 / e) >= wanted_psnr:\n            return k",
            "the first that is good enough, not the smallest",
        ),
        (
            SMALLEST
            + "    good = [k for k, e in zip(latent_dims, errors) if 10 * math.log10(1 / e) >= wanted_psnr]\n"
            "    return good[0] if good and latent_dims[0] == 6 else None",
            "wherever it stands",
        ),
        (
            "import math\n\n\ndef smallest_latent_dim(latent_dims, errors, wanted_psnr):\n"
            "    good = [k for k, e in zip(latent_dims, errors) if 10 * math.log10(e) >= wanted_psnr]\n"
            "    return min(good, default=None)",
            "sign of the logarithm",
        ),
        (
            "import math\n\n\ndef smallest_latent_dim(latent_dims, errors, wanted_psnr):\n"
            "    return max(k for k, e in zip(latent_dims, errors) if 10 * math.log10(1 / e) >= wanted_psnr)",
            "the smallest is",
        ),
        (
            "import math\n\n\ndef smallest_latent_dim(latent_dims, errors, wanted_psnr):\n"
            "    return min(k for k, e in zip(latent_dims, errors) if 10 * math.log10(1 / e) > wanted_psnr)",
            "use ≥ and not >",
        ),
        (
            "import math\n\n\ndef smallest_latent_dim(latent_dims, errors, wanted_psnr):\n"
            "    return min(k for k, e in zip(latent_dims, errors) if 10 * math.log10(1 / e) <= wanted_psnr)",
            "either your decibels come out too high",
        ),
        (
            "import math\n\n\ndef smallest_latent_dim(latent_dims, errors, wanted_psnr):\n"
            "    good = [i for i, e in enumerate(errors) if 10 * math.log10(1 / e) >= wanted_psnr]\n    return good[0]",
            "place in the list",
        ),
        (
            "import math\n\n\ndef smallest_latent_dim(latent_dims, errors, wanted_psnr):\n"
            "    good = [k for k, e in zip(latent_dims, errors) if 10 * math.log10(1 / e) >= wanted_psnr]\n"
            "    return min(good, default=latent_dims[-1])",
            "should return None",
        ),
    ],
    "lesson01.quantise": [
        (
            "def my_quantise(z, low, high, n_bits):\n    width = 2 * high / 2**n_bits\n    cell = ((z + high) / width).floor().clamp(0, 2**n_bits - 1)\n    return (cell + 0.5) * width - high",
            "the cells start at low",
        ),
        (
            "def my_quantise(z, low, high, n_bits):\n    width = (high - low) / 2**n_bits\n"
            "    return low + (((z - low) / width).round().clamp(0, 2**n_bits - 1) + 0.5) * width",
            "-0.20 became 1, expected -1",
        ),
        (
            "def my_quantise(z, low, high, n_bits):\n    n = 2**n_bits - 1\n    width = (high - low) / n\n"
            "    return low + (((z - low) / width).floor().clamp(0, n - 1) + 0.5) * width",
            "With 1 bit, you made 1 cell; b bits name",
        ),
        (
            "def my_quantise(z, low, high, n_bits):\n"
            "    return ((z - low) / ((high - low) / 2**n_bits)).floor().clamp(0, 2**n_bits - 1)",
            "numbers of the cells",
        ),
        (
            "def my_quantise(z, low, high, n_bits):\n    width = (high - low) / 2**n_bits\n"
            "    return low + ((z - low) / width).floor().clamp(0, 2**n_bits - 1) * width",
            "lower edges",
        ),
        (
            "def my_quantise(z, low, high, n_bits):\n    n = 2 * n_bits\n    width = (high - low) / n\n"
            "    return low + (((z - low) / width).floor().clamp(0, n - 1) + 0.5) * width",
            "2**b of them",
        ),
        (
            "def my_quantise(z, low, high, n_bits):\n    n = 2**n_bits - 1\n    width = (high - low) / n\n"
            "    return low + ((z - low) / width).round() * width",
            "include both ends",
        ),
        (
            "def my_quantise(z, low, high, n_bits):\n    width = (high - low) / 2**n_bits\n"
            "    return low + (((z - low) / width).floor() + 0.5) * width",
            "clamp the cell's number",
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
            "    return math.ceil(n_parameters / (bits_raw - bits_code))",
            "one bit per parameter",
        ),
        (
            "import math\n\n\ndef break_even(n_parameters, bits_raw, bits_code):\n    return math.ceil(32 * n_parameters / bits_raw)",
            "still costs its",
        ),
        (
            "def break_even(n_parameters, bits_raw, bits_code):\n    return 32 * n_parameters / (bits_raw - bits_code)",
            "round up",
        ),
        (
            "def break_even(n_parameters, bits_raw, bits_code):\n    return 32 * n_parameters // (bits_raw - bits_code)",
            "round up",
        ),
        (
            "import math\n\n\ndef break_even(n_parameters, bits_raw, bits_code):\n"
            "    return math.ceil(32 * n_parameters / (bits_code - bits_raw))",
            "negative",
        ),
    ],
}
