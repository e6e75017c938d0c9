"""One-to-one changes h of a code: they keep every bit of information, and break (or keep) everything else.

Each comes with its inverse, so that a decoder can follow: decode(h^-1(z)). Mutual information with the input
does not change under any of them; `add_noise`, which is not one-to-one, is here for contrast.
"""

import torch
from torch import Tensor


def rotate(z: Tensor, degrees: float) -> Tensor:
    """Turn coordinates in pairs (0 with 1, 2 with 3, …) anticlockwise: (n, K) → (n, K), distances kept.

    A last coordinate without a partner stays. Inverse: ``rotate(z, -degrees)``.
    """
    _check_code(z)
    angle = torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))
    cos, sin = torch.cos(angle).to(z.dtype), torch.sin(angle).to(z.dtype)
    paired = 2 * (z.shape[1] // 2)
    first, second = z[:, 0:paired:2], z[:, 1:paired:2]
    turned = torch.stack([cos * first - sin * second, sin * first + cos * second], dim=2)
    return torch.cat([turned.reshape(len(z), paired), z[:, paired:]], dim=1)


def bin_edges(z: Tensor, n_bins: int = 20) -> Tensor:
    """Cut each coordinate into n_bins cells with equal numbers of the codes z: (n, K) → (K, n_bins + 1).

    The two outermost edges stand a thousandth of the range beyond the codes, so that each code is inside a
    cell. ValueError if a coordinate takes too few values to be cut (a constant coordinate, or fewer codes
    than cells).
    """
    _check_code(z)
    levels = torch.linspace(0, 1, n_bins + 1, dtype=torch.float64)
    edges = torch.quantile(z.double(), levels, dim=0).T.to(z.dtype)
    margin = (edges[:, -1] - edges[:, 0]) / 1000
    edges[:, 0] -= margin
    edges[:, -1] += margin
    crowded = (edges.diff(dim=1) <= 0).any(dim=1).nonzero().flatten().tolist()
    if crowded or len(z) < n_bins:
        raise ValueError(
            f"cannot cut {len(z)} codes into {n_bins} cells with equal counts: coordinates {crowded} take "
            "too few different values. Use fewer cells, more codes, or drop coordinates that are constant."
        )
    return edges


def bin_order(n_bins: int, latent_dim: int, seed: int = 0) -> Tensor:
    """Where `scramble` sends each cell of each coordinate: (K, n_bins), every row a permutation."""
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randperm(n_bins, generator=generator) for _ in range(latent_dim)])


def scramble(z: Tensor, edges: Tensor, seed: int = 0) -> Tensor:
    """Permute the cells of each coordinate, stretching each to fit its new place: (n, K) → (n, K).

    edges: from `bin_edges`. Cell b of coordinate k becomes cell ``bin_order(n_bins, K, seed)[k, b]``, order
    inside a cell is kept, and beyond the outermost edges nothing moves. Since cells hold equal counts, the
    histogram of each coordinate stays, and so does its mutual information with anything; neighbours are torn
    apart.
    """
    cells, new_cells = _permuted_cells(z, edges, seed)
    return _exchange(z, cells, new_cells)


def unscramble(z: Tensor, edges: Tensor, seed: int = 0) -> Tensor:
    """The inverse of `scramble` with the same edges and seed."""
    cells, new_cells = _permuted_cells(z, edges, seed)
    return _exchange(z, new_cells, cells)


def open_holes(z: Tensor, gap: float, edges: Tensor) -> Tensor:
    """Cut each coordinate at its middle edge and move each half away by the gap: (n, K) → (n, K).

    gap: 0 or more, in units of half the range of the codes, so that rescaling the code changes nothing. The
    stretch of code space that fills the hole comes from just beyond the codes' range, where nothing was ever
    encoded: the map stays one-to-one on the whole space. edges: from `bin_edges`; only the outermost and the
    middle ones count.
    """
    pieces, new_pieces = _parted_pieces(z, gap, edges)
    return _exchange(z, pieces, new_pieces)


def close_holes(z: Tensor, gap: float, edges: Tensor) -> Tensor:
    """The inverse of `open_holes` with the same gap and edges."""
    pieces, new_pieces = _parted_pieces(z, gap, edges)
    return _exchange(z, new_pieces, pieces)


def add_noise(z: Tensor, sd: float, generator: torch.Generator) -> Tensor:
    """z + sd · eps, eps ~ N(0, I), sd in the code's own units: (n, K) → (n, K). Not one-to-one."""
    _check_code(z)
    if not sd >= 0:
        raise ValueError(f"the standard deviation of the noise must be 0 or more, got sd={sd}.")
    return z + sd * torch.randn(z.shape, generator=generator, dtype=z.dtype)


def _permuted_cells(z: Tensor, edges: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """The cells as intervals (K, n_bins, 2), and the place of each after scrambling."""
    _check_edges(z, edges)
    cells = torch.stack([edges[:, :-1], edges[:, 1:]], dim=2)
    order = bin_order(cells.shape[1], cells.shape[0], seed)
    return cells, torch.gather(cells, 1, order[:, :, None].expand_as(cells))


def _parted_pieces(z: Tensor, gap: float, edges: Tensor) -> tuple[Tensor, Tensor]:
    """Empty, lower half, upper half, empty: as intervals (K, 4, 2), and the place of each when the halves are
    parted."""
    _check_edges(z, edges)
    if not gap >= 0:
        raise ValueError(f"blocks can be moved apart by a gap of 0 or more, got gap={gap}.")
    low, cut, high = edges[:, 0], edges[:, edges.shape[1] // 2], edges[:, -1]
    width = gap * (high - low) / 2
    pieces = [(low - width, low), (low, cut), (cut, high), (high, high + width)]
    new_pieces = [
        (cut - width, cut),
        (low - width, cut - width),
        (cut + width, high + width),
        (cut, cut + width),
    ]
    return _intervals(pieces), _intervals(new_pieces)


def _intervals(pieces: list[tuple[Tensor, Tensor]]) -> Tensor:
    return torch.stack([torch.stack(piece, dim=1) for piece in pieces], dim=1)


def _exchange(z: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Send interval b of coordinate k, source[k, b] = [start, stop), onto target[k, b]; leave the rest in
    place.

    The result is kept below the target's stop, which rounding might otherwise reach: there the next interval
    begins.
    """
    inside = (z[:, :, None] >= source[:, :, 0]) & (z[:, :, None] < source[:, :, 1])
    which = inside.int().argmax(dim=2)
    column = torch.arange(z.shape[1])
    (start, stop), (new_start, new_stop) = source[column, which].unbind(-1), target[column, which].unbind(-1)
    moved = new_start + (z - start) / (stop - start) * (new_stop - new_start)
    moved = torch.maximum(torch.minimum(moved, torch.nextafter(new_stop, new_start)), new_start)
    return torch.where(inside.any(dim=2), moved, z)


def _check_code(z: Tensor) -> None:
    if z.ndim != 2 or not z.is_floating_point():
        raise ValueError(
            f"expected codes of shape (n, K) with real numbers, got {z.dtype} of shape {tuple(z.shape)}."
        )
    if not torch.isfinite(z).all():
        raise ValueError("the codes hold NaN or infinity: the encoder's training has probably diverged.")


def _check_edges(z: Tensor, edges: Tensor) -> None:
    _check_code(z)
    if edges.ndim != 2 or len(edges) != z.shape[1] or edges.shape[1] < 3:
        raise ValueError(
            f"expected edges of shape ({z.shape[1]}, n_bins + 1) with at least two cells, "
            f"got {tuple(edges.shape)}: take them from bin_edges of codes with as many coordinates."
        )
