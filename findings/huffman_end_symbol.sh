#!/usr/bin/env bash
# dahuffman: the end symbol takes a code word of the alphabet, and a fair coin costs 1.5 bits a toss.
#
# Versions: dahuffman 0.4.2. Date: 2026-11-29.
# Expected: the optimal code of the given frequencies, which costs 1 bit a toss for a fair coin, 2 bits a symbol for
#   four equal ones, and so on. An end mark may add a constant at the end of a message.
# Happens: an end symbol of frequency 1 joins the alphabet before the tree is built. It is rare, yet where the code
#   words are already as short as can be, it pushes one of them down by a bit. That costs 1 / M of a bit on every
#   symbol for M equal ones, however long the message is. A symbol of length 1 becomes one of length 2.
# Output seen (each symbol 500 times; lengths of the code words without the end symbol; entropy and costs in bits):
#   2 symbols: lengths [1, 2], entropy 1, cost 1.500 a symbol, message 1504 bits for 1000 symbols
#   4 symbols: lengths [2, 2, 2, 3], entropy 2, cost 2.250 a symbol, message 4504 bits for 2000 symbols
#   8 symbols: lengths [3, 3, 3, 3, 3, 3, 3, 4], entropy 3, cost 3.125 a symbol, message 12504 bits for 4000 symbols
# Who meets it: a lesson on source coding that compares the mean length with the entropy, where the theorem says that
#   both are equal for dyadic probabilities.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --no-compile --disable-pip-version-check dahuffman==0.4.2 2>/dev/null

"$folder/env/bin/python" - <<'PYTHON'
import math
import sys

from dahuffman import HuffmanCodec

COUNT = 500
excess = {}
for size in (2, 4, 8):
    frequencies = {symbol: COUNT for symbol in range(size)}
    codec = HuffmanCodec.from_frequencies(frequencies)
    lengths = sorted(length for symbol, (length, _) in codec.get_code_table().items() if symbol in frequencies)
    message = [symbol for symbol in frequencies for _ in range(COUNT)]
    encoded = codec.encode(message)
    assert codec.decode(encoded) == message
    cost, entropy = sum(lengths) / size, math.log2(size)
    print(
        f"{size} symbols: lengths {lengths}, entropy {entropy:.0f}, cost {cost:.3f} a symbol, "
        f"message {8 * len(encoded)} bits for {len(message)} symbols"
    )
    excess[size] = cost - entropy, 8 * len(encoded) / len(message) - entropy
sys.exit(0 if all(abs(by - 1 / size) < 1e-9 and real >= by for size, (by, real) in excess.items()) else 1)
PYTHON
