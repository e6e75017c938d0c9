"""Exact facts about Gaussians: densities, entropies, divergences, information, probabilistic PCA.

Tensors in, tensors out, in the same dtype; gradients flow. Densities and information are in nats.
D is the number of dimensions, K the number of latents, `...` any leading batch dimensions.
A function that needs a positive definite covariance says so; for the others a singular one will do, such as
that of images in which some pixels never change. Symmetric means: equal to its transpose within the square
root of the machine precision, relative to the largest entry.
"""

import math
from collections.abc import Sequence
from numbers import Integral
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

_LOG_2_PI = math.log(2 * math.pi)


def log_prob(x: Tensor, mean: Tensor, cov: Tensor) -> Tensor:
    """Log-density of N(mean, cov) at x, in nats; it exceeds 0 where the density exceeds 1.

    x and mean (..., D) broadcast against each other; cov (D, D), positive definite. Returns (...).
    """
    _check_tensors(x=x, mean=mean, cov=cov)
    _check_covariance(cov=cov)
    _check_vectors(len(cov), x=x, mean=mean)
    factor = _cholesky(cov)
    distance = _whiten(factor, x - mean).square().sum(-1)
    return -0.5 * (len(cov) * _LOG_2_PI + distance) - _half_log_det(factor)


def entropy(cov: Tensor) -> Tensor:
    """Differential entropy ½ log det(2πe cov) in nats, of either sign; cov (D, D), positive definite.

    Returns ().
    """
    _check_tensors(cov=cov)
    _check_covariance(cov=cov)
    return 0.5 * len(cov) * (1 + _LOG_2_PI) + _half_log_det(_cholesky(cov))


def conditional(
    mean: Tensor, cov: Tensor, observed_index: Sequence[int] | Tensor, observed_value: Tensor
) -> tuple[Tensor, Tensor]:
    """Mean (..., R) and covariance (R, R) of the R coordinates not observed, in ascending order.

    mean (D,); cov (D, D), positive definite; observed_value (..., len(observed_index)) in the order of
    observed_index, whose entries count from 0. The covariance does not depend on the observed value.
    """
    _check_tensors(mean=mean, cov=cov, observed_value=observed_value)
    _check_covariance(cov=cov)
    _check_shape("mean", mean, cov.shape[:1])
    _check_finite(mean=mean)
    observed = _checked_index(observed_index, len(cov))
    _check_vectors(len(observed), observed_value=observed_value)
    rest = [i for i in range(len(cov)) if i not in observed]
    order = observed + rest
    first, cross, last = _blocks(_cholesky(cov[order][:, order]), len(observed))
    surprise = _whiten(first, observed_value - mean[observed])
    return mean[rest] + surprise @ cross.mT, last @ last.mT


def kl_per_latent(mu: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mu, exp(log_var)) ‖ N(0, 1)) ≥ 0 of each latent by itself, in nats.

    mu and log_var have one shape, (..., K), which is returned. `log_var` is log σ², not log σ.
    NaN and overflow pass through, so that a training loop can see them.
    """
    _check_tensors(mu=mu, log_var=log_var)
    if mu.shape != log_var.shape:
        raise ValueError(
            f"mu has shape {_show(mu.shape)} and log_var {_show(log_var.shape)}: each latent needs one mean "
            "and one log-variance. If the examples share theirs, give log_var.expand_as(mu)."
        )
    return 0.5 * (mu.square() + _variance_cost(log_var))


def kl_to_standard_normal(mu: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mu, diag exp(log_var)) ‖ N(0, I)) ≥ 0 in nats, summed over latents: (batch, K) to (batch,)."""
    return kl_per_latent(mu, log_var).sum(-1)


def kl(mean_q: Tensor, cov_q: Tensor, mean_p: Tensor, cov_p: Tensor) -> Tensor:
    """KL(N(mean_q, cov_q) ‖ N(mean_p, cov_p)) ≥ 0 in nats; means (D,), positive definite covariances (D, D).

    Returns (). With L_q, L_p the Cholesky factors and M = L_p⁻¹ L_q, twice the divergence is
    ‖L_p⁻¹(mean_q − mean_p)‖² + Σ_{i>j} M_ij² + Σ_i (M_ii² − 1 − log M_ii²): no term is negative and none
    cancels against another, so that nearly equal Gaussians are told apart.
    """
    _check_tensors(mean_q=mean_q, cov_q=cov_q, mean_p=mean_p, cov_p=cov_p)
    _check_covariance(cov_q=cov_q, cov_p=cov_p)
    _check_shape("cov_p", cov_p, cov_q.shape)
    _check_shape("mean_q", mean_q, cov_q.shape[:1])
    _check_shape("mean_p", mean_p, cov_q.shape[:1])
    _check_finite(mean_q=mean_q, mean_p=mean_p)
    factor_p = _cholesky(cov_p, "cov_p")
    ratio = torch.linalg.solve_triangular(factor_p, _cholesky(cov_q, "cov_q"), upper=False)
    spread = ratio.tril(-1).square().sum() + _variance_cost(2 * ratio.diagonal().log()).sum()
    return 0.5 * (_whiten(factor_p, mean_q - mean_p).square().sum() + spread)


def expected_quadratic_form(mean: Tensor, cov: Tensor, A: Tensor, center: float | Tensor = 0) -> Tensor:
    """E[(x − center)ᵀ A (x − center)] = tr(A cov) + (mean − center)ᵀ A (mean − center). Returns ().

    It holds for every distribution with this mean (D,) and covariance (D, D), Gaussian or not. A (D, D) need
    not be symmetric; center is a number or (D,). Source: The Book of Statistical Proofs, mean-qf.
    """
    _check_tensors(mean=mean, cov=cov, A=A)
    _check_covariance(cov=cov)
    _check_semidefinite(torch.linalg.eigvalsh(cov.detach()))
    _check_shape("A", A, cov.shape)
    _check_shape("mean", mean, cov.shape[:1])
    center = _as_tensor("center", center, cov)
    if center.ndim:
        _check_shape("center", center, mean.shape)
    _check_finite(mean=mean, A=A)
    offset = mean - center
    return (A * cov.mT).sum() + offset @ A @ offset


def channel_information(weight: Tensor, cov: Tensor, noise_var: float | Tensor) -> Tensor:
    """I(X; Z) = ½ log det(I + Wᵀ S W / noise_var) in nats, for Gaussian x and Z = Wᵀx + noise. Returns ().

    weight W (D, K); cov S (D, D), which may be singular; noise_var > 0 is the variance of the noise,
    independent between the K outputs. This is what Infomax maximises (Linsker, Computer 21, 1988).
    Computed as ½ Σ log(1 + s²), with s the singular values of S^½ W / σ: accurate for tiny and huge noise.
    A gradient with respect to cov needs it positive definite.
    """
    _check_tensors(weight=weight, cov=cov)
    _check_covariance(cov=cov)
    _check_weight(weight, len(cov))
    noise_var = _as_tensor("noise_var", noise_var, cov)
    _check_noise_var(noise_var)
    signal = _square_root(cov).mT @ (weight / noise_var.sqrt())
    return 0.5 * torch.linalg.svdvals(signal).square().log1p().sum()


def mutual_information(cov: Tensor, n_first: int) -> Tensor:
    """I(first n_first coordinates; the rest) ≥ 0 in nats, for a joint Gaussian. Returns ().

    cov (D, D), positive definite. It is the entropy of the rest minus their entropy given the first.
    """
    _check_tensors(cov=cov)
    _check_covariance(cov=cov)
    _check_count("n_first", n_first, 1, len(cov) - 1, "both parts need at least one coordinate")
    _, _, rest_given_first = _blocks(_cholesky(cov), n_first)
    return _half_log_det(_cholesky(cov[n_first:, n_first:])) - _half_log_det(rest_given_first)


def ppca(cov: Tensor, latent_dim: int) -> tuple[Tensor, Tensor]:
    """Maximum-likelihood probabilistic PCA: x = W z + mean + N(0, noise_var · I), z ~ N(0, I).

    Returns weight W (D, K), its orthogonal columns in order of falling length, and noise_var (), the mean
    discarded eigenvalue. W R does as well for every orthogonal R; here the largest entry of each column is
    positive. For the maximum of the likelihood cov (D, D) divides by n, not n − 1. A gradient of W needs
    distinct eigenvalues. Source: Tipping & Bishop, JRSS-B 61:611–622, 1999.
    """
    _check_tensors(cov=cov)
    _check_covariance(cov=cov)
    values, vectors = _spectrum(cov)
    noise_var = _discarded_mean(values, latent_dim)
    stretch = (values[:latent_dim] - noise_var).clamp(min=0).sqrt()
    return _signed(vectors[:, :latent_dim]) * stretch, noise_var


def ppca_log_likelihood(cov: Tensor, latent_dim: int) -> Tensor:
    """Mean log-likelihood of probabilistic PCA at its maximum, `ppca(cov, latent_dim)`, in nats per example.

    Returns (). cov (D, D) is that of the same examples, divided by n, and the model's mean is their mean.
    With the eigenvalues λ in falling order it is −½ (D log 2π + Σ_{j≤K} log λ_j + (D − K) log noise_var + D):
    Tipping & Bishop 1999.
    """
    _check_tensors(cov=cov)
    _check_covariance(cov=cov)
    values, _ = _spectrum(cov)
    noise_var = _discarded_mean(values, latent_dim)
    n_discarded = len(cov) - latent_dim
    log_det = values[:latent_dim].log().sum() + n_discarded * noise_var.log()
    return -0.5 * (len(cov) * (1 + _LOG_2_PI) + log_det)


def linear_evidence(weight: Tensor, noise_var: float | Tensor, cov: Tensor) -> Tensor:
    """Mean log p(x) in nats of x = W z + mean + N(0, noise_var · I), z ~ N(0, I), over data of covariance cov.

    weight W (D, K); noise_var > 0; cov (D, D), divided by n, of data whose mean is the model's. Returns ().
    With C = W Wᵀ + noise_var · I it is −½ (D log 2π + log det C + tr(C⁻¹ cov)): Tipping & Bishop 1999.
    """
    noise_var = _checked_decoder(weight, noise_var)
    _check_tensors(weight=weight, cov=cov)
    _check_covariance(cov=cov)
    _check_weight(weight, len(cov))
    factor = _cholesky(weight @ weight.mT + noise_var * torch.eye(len(cov), dtype=cov.dtype))
    distance = torch.cholesky_solve(cov, factor).trace()
    return -0.5 * (len(cov) * _LOG_2_PI + distance) - _half_log_det(factor)


def diagonal_gap(weight: Tensor, noise_var: float | Tensor) -> Tensor:
    """What the best q(z|x) with a diagonal covariance leaves between ELBO and evidence, in nats ≥ 0. Returns ().

    weight W (D, K) of a linear decoder with noise N(0, noise_var · I). With P = I + WᵀW / noise_var, the
    precision of the posterior, it is ½ (Σ_k log P_kk − log det P), the same for every x; 0 if and only if WᵀW
    is diagonal.
    """
    noise_var = _checked_decoder(weight, noise_var)
    precision = torch.eye(weight.shape[1], dtype=weight.dtype) + weight.mT @ weight / noise_var
    return 0.5 * precision.diagonal().log().sum() - _half_log_det(_cholesky(precision))


class BestLinearVAE(NamedTuple):
    """The best linear VAE for a weight `beta` of the KL term, as `linear_vae` finds it.

    weight: W (D, K), orthogonal columns in order of falling length, zero for a latent that is not used.
    noise_var: σ_x² (). kl: (K,), mean KL of each latent, in nats. elbo: (), with weight 1, in nats per example.
    """

    weight: Tensor
    noise_var: Tensor
    kl: Tensor
    elbo: Tensor


def linear_vae(
    cov: Tensor, latent_dim: int, noise_var: float | Tensor | None = None, beta: float = 1.0
) -> BestLinearVAE:
    """The optimum of the β-ELBO, E_q[log p(x|z)] − beta · KL, with a linear decoder and a linear encoder.

    cov (D, D), divided by n. q(z|x) = N(V (x − mean), diag σ²) with one σ² for all x. noise_var is held fixed,
    or, if None, learned. A latent is used if and only if its eigenvalue λ exceeds beta · noise_var; then its
    column has squared length λ − beta · noise_var and its KL is ½ log(λ / (beta · noise_var)). Learned, noise_var
    is the smallest over k ≤ K, beta k < D, of Σ_{j>k} λ_j / (D − beta k): for beta = 1 the mean discarded
    eigenvalue, which is `ppca`. Sources: Tipping & Bishop 1999; Lucas et al., NeurIPS 2019, for beta = 1.
    """
    _check_tensors(cov=cov)
    _check_covariance(cov=cov)
    _check_count("latent_dim", latent_dim, 0, len(cov), "a latent needs a direction of its own")
    _check_beta(beta)
    values, vectors = _spectrum(cov)
    noise_var = (
        _learned_noise(values, latent_dim, beta)
        if noise_var is None
        else _as_tensor("noise_var", noise_var, cov)
    )
    _check_noise_var(noise_var)
    return _optimum(values.clamp(min=0), vectors, latent_dim, noise_var, beta)


# --- steps that several of them share ---------------------------------------------------------------------


def _variance_cost(log_ratio: Tensor) -> Tensor:
    """u − 1 − log u ≥ 0 for u = exp(log_ratio), without the cancellation near u = 1."""
    return log_ratio.expm1() - log_ratio


def _half_log_det(factor: Tensor) -> Tensor:
    """½ log det(L Lᵀ)."""
    return factor.diagonal().log().sum()


def _whiten(factor: Tensor, x: Tensor) -> Tensor:
    """L⁻¹ x for each vector of x (..., D)."""
    flat = x.reshape(-1, x.shape[-1])
    return torch.linalg.solve_triangular(factor.mT, flat, upper=True, left=False).reshape(x.shape)


def _blocks(factor: Tensor, n_first: int) -> tuple[Tensor, Tensor, Tensor]:
    """The blocks first-first, rest-first and rest-rest of a lower triangular factor."""
    return factor[:n_first, :n_first], factor[n_first:, :n_first], factor[n_first:, n_first:]


def _cholesky(cov: Tensor, name: str = "cov") -> Tensor:
    """Lower triangular L with L Lᵀ = cov. Singular means: its correlations are, whatever the units."""
    factor, info = torch.linalg.cholesky_ex(cov)
    values = torch.linalg.eigvalsh(_correlations(cov.detach()))
    if info > 0 or values[0] <= _rounding(values):
        smallest = torch.linalg.eigvalsh(cov.detach())[0].item()
        raise ValueError(
            f"{name} is not positive definite: its smallest eigenvalue is {smallest:.3g}, expected "
            "above 0 by more than rounding. A coordinate that never varies, or that others determine, makes "
            "it 0: leave it out or add noise variance to the diagonal. Well below 0 it is no covariance."
        )
    return factor


def _correlations(cov: Tensor) -> Tensor:
    """The covariance with each coordinate in units of its standard deviation; one without variance stays."""
    variances = cov.diagonal()
    scale = torch.where(variances > 0, variances, 1).rsqrt()
    return scale[:, None] * cov * scale


def _spectrum(cov: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues of a covariance, which may be singular, in falling order, and eigenvectors as columns."""
    values, vectors = torch.linalg.eigh(cov)
    _check_semidefinite(values)
    return values.flip(0), vectors.flip(1)


def _square_root(cov: Tensor) -> Tensor:
    """F with F Fᵀ = cov, which may be singular."""
    factor, info = torch.linalg.cholesky_ex(cov)
    if info == 0:
        return factor
    values, vectors = _spectrum(cov)
    return vectors * values.clamp(min=0).sqrt()


def _discarded_mean(values: Tensor, latent_dim: int) -> Tensor:
    """Mean of all but the first latent_dim eigenvalues: the noise variance of probabilistic PCA."""
    why = "probabilistic PCA needs at least one direction left over for its noise"
    _check_count("latent_dim", latent_dim, 0, len(values) - 1, why)
    rank = int((values > _rounding(values)).sum())
    if latent_dim >= rank:
        raise ValueError(
            f"cov has rank {rank} in {values.dtype}: latent_dim = {latent_dim} leaves no variance for the "
            f"noise, and the likelihood has no maximum. Choose latent_dim below {rank}."
        )
    return values[latent_dim:].mean()


def _learned_noise(values: Tensor, latent_dim: int, beta: float) -> Tensor:
    """The noise variance at which it equals the expected squared error per dimension of the best linear VAE."""
    _discarded_mean(values, latent_dim)  # refuses a latent_dim that leaves no noise
    kept = range(min(latent_dim, math.ceil(len(values) / beta) - 1) + 1)
    return torch.stack([values[k:].sum() / (len(values) - beta * k) for k in kept]).min()


def _optimum(
    values: Tensor, vectors: Tensor, latent_dim: int, noise_var: Tensor, beta: float
) -> BestLinearVAE:
    level, kept = beta * noise_var, values[:latent_dim]
    kl = 0.5 * (kept.clamp(min=level) / level).log()
    error = kept.clamp(max=level).sum() + values[latent_dim:].sum()
    fit = -0.5 * (len(values) * (_LOG_2_PI + noise_var.log()) + error / noise_var)
    weight = _signed(vectors[:, :latent_dim]) * (kept - level).clamp(min=0).sqrt()
    return BestLinearVAE(weight, noise_var, kl, fit - kl.sum())


def _signed(axes: Tensor) -> Tensor:
    """Each column with the sign that makes its largest entry positive."""
    return axes * axes.gather(0, axes.abs().argmax(0, keepdim=True)).sign()


def _rounding(values: Tensor) -> Tensor:
    """What counts as zero beside these eigenvalues.

    Errors of at most δ√(S_ii S_jj) in the entries of a covariance S move no eigenvalue by more than δ tr S
    (Weyl). An entry is a mean of n rounded products and errs by about δ = √n · eps / 2 (Higham & Mary,
    SIAM J. Sci. Comput. 41:A2815, 2019), and the errors of different entries partly cancel. The eigenvalues of
    exactly singular covariances of n ≤ 20,000 examples came out below 40 eps of the largest; Cholesky itself
    errs less. 100 eps leaves a margin, and lets pass what has a condition number below 4e13 in double precision,
    8e4 in single.
    """
    return 100 * torch.finfo(values.dtype).eps * values.detach().abs().max()


# --- checks -----------------------------------------------------------------------------------------------


def _show(shape: Sequence[int]) -> str:
    return str(tuple(shape))


def _as_tensor(name: str, value: float | Tensor, like: Tensor) -> Tensor:
    """A number becomes a tensor; finite, of the dtype and device of `like`."""
    tensor = value if isinstance(value, Tensor) else torch.tensor(value, dtype=like.dtype, device=like.device)
    _check_tensors(**{"cov": like, name: tensor})
    _check_finite(**{name: tensor})
    return tensor


def _check_tensors(**tensors: Tensor) -> None:
    """All are tensors of one floating-point dtype."""
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            kind = type(tensor).__name__
            raise TypeError(f"{name} must be a torch tensor, got {kind}: torch.as_tensor({name}) makes one.")
        if not tensor.is_floating_point():
            raise TypeError(f"{name} must hold floating-point numbers, got {tensor.dtype}: use .float().")
    if len({tensor.dtype for tensor in tensors.values()}) > 1:
        listed = ", ".join(f"{name} is {tensor.dtype}" for name, tensor in tensors.items())
        raise TypeError(f"one dtype is expected, but {listed}: convert with .double() or .float().")


def _check_finite(**tensors: Tensor) -> None:
    for name, tensor in tensors.items():
        n_bad = int((~tensor.isfinite()).sum())
        if n_bad:
            raise ValueError(
                f"{name} must be finite, but {n_bad} of its {tensor.numel()} values are NaN or infinite: "
                "did a training diverge, or was something divided by zero?"
            )


def _check_shape(name: str, tensor: Tensor, expected: Sequence[int]) -> None:
    if tensor.shape != torch.Size(expected):
        raise ValueError(
            f"{name} has shape {_show(tensor.shape)}, expected {_show(expected)} to match the other inputs."
        )


def _check_vectors(n_dims: int, **tensors: Tensor) -> None:
    """All are finite, end in n_dims, and their leading dimensions broadcast."""
    for name, tensor in tensors.items():
        if tensor.shape[-1:] != (n_dims,):
            raise ValueError(f"{name} has shape {_show(tensor.shape)}, expected (..., {n_dims}).")
    _check_finite(**tensors)
    try:  # with numpy: torch's own broadcast_shapes imports sympy, 40 MB
        np.broadcast_shapes(*(tuple(tensor.shape) for tensor in tensors.values()))
    except ValueError:
        listed = " and ".join(f"{name} {_show(tensor.shape)}" for name, tensor in tensors.items())
        raise ValueError(f"{listed} do not broadcast: their leading dimensions must agree or be 1.") from None


def _check_covariance(**covs: Tensor) -> None:
    """Each is square, finite and symmetric."""
    for name, cov in covs.items():
        if cov.ndim != 2 or len(cov) != cov.shape[1] or len(cov) == 0:
            raise ValueError(
                f"{name} has shape {_show(cov.shape)}, expected a square matrix (D, D). If these are "
                "variances, torch.diag makes their covariance."
            )
        _check_finite(**{name: cov})
        difference = (cov - cov.mT).abs().max()
        if difference > torch.finfo(cov.dtype).eps ** 0.5 * cov.abs().max():
            raise ValueError(
                f"{name} is not symmetric: it differs from its transpose by up to {difference.item():.3g}. "
                "A covariance is symmetric; is this a Cholesky factor or a weight?"
            )


def _check_semidefinite(values: Tensor) -> None:
    smallest = values.min()
    if smallest < -_rounding(values):
        raise ValueError(
            f"cov is not positive semi-definite: its smallest eigenvalue is {smallest.item():.3g}, and no "
            "variance is negative. Is this a difference of covariances, or one edited by hand?"
        )


def _check_weight(weight: Tensor, n_inputs: int) -> None:
    if weight.ndim != 2 or len(weight) != n_inputs:
        raise ValueError(
            f"weight has shape {_show(weight.shape)}, expected (D, K) = ({n_inputs}, K) to match cov: one "
            "row for each input, one column for each output. Is it transposed?"
        )
    _check_finite(weight=weight)


def _check_noise_var(noise_var: Tensor) -> None:
    _check_shape("noise_var", noise_var, ())
    if noise_var <= 0:
        raise ValueError(
            f"noise_var must be positive, got {noise_var.item():.3g}: without noise the information is "
            "infinite. It is a variance, not a logarithm."
        )


def _checked_decoder(weight: Tensor, noise_var: float | Tensor) -> Tensor:
    """The noise variance as a tensor like weight (D, K)."""
    _check_tensors(weight=weight)
    _check_weight(weight, len(weight))
    noise_var = _as_tensor("noise_var", noise_var, weight)
    _check_noise_var(noise_var)
    return noise_var


def _check_beta(beta: float) -> None:
    if not (beta > 0 and math.isfinite(beta)):
        raise ValueError(
            f"beta must be positive and finite, got {beta:g}: it weighs the KL, and with none the clouds shrink "
            "to points."
        )


def _check_count(name: str, value: int, low: int, high: int, why: str) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}.")
    if not low <= value <= high:
        raise ValueError(f"{name} must lie between {low} and {high}, got {value}: {why}.")


def _checked_index(observed_index: Sequence[int] | Tensor, n_dims: int) -> list[int]:
    index = torch.as_tensor(observed_index)
    if index.ndim != 1 or not 0 < len(index) < n_dims:
        raise ValueError(
            f"observed_index has shape {_show(index.shape)}, expected a list of 1 to {n_dims - 1} "
            "coordinates, so that at least one is left."
        )
    for i in index.tolist():
        _check_count("each entry of observed_index", i, 0, n_dims - 1, f"there are {n_dims} coordinates")
    if len(index.unique()) < len(index):
        raise ValueError(f"observed_index names a coordinate twice: {index.tolist()}.")
    return index.tolist()
