"""The closed forms of aelib.gaussian against other libraries, quadrature, Monte Carlo and exact values."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from aelib import gaussian

pytestmark = pytest.mark.processor

few = settings(max_examples=30, deadline=None, derandomize=True)
seeds = st.integers(0, 2**31)
dims = st.integers(1, 6)
log_vars = st.floats(math.log(1e-12), math.log(1e12))

EXTREMES = [1e-12, 1e-6, 1.0, 1e6, 1e12]


def double(values: float | list) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def eye(n_dims: int) -> Tensor:
    return torch.eye(n_dims, dtype=torch.float64)


def zeros(n_dims: int) -> Tensor:
    return torch.zeros(n_dims, dtype=torch.float64)


def randn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def random_cov(seed: int, n_dims: int) -> Tensor:
    root = randn(seed, n_dims, n_dims)
    return root @ root.mT / n_dims + 0.1 * eye(n_dims)


def random_rotation(seed: int, n_dims: int) -> Tensor:
    return torch.linalg.qr(randn(seed, n_dims, n_dims)).Q


def close(actual: Tensor, expected: Tensor | float, rtol: float = 1e-10, atol: float = 1e-10) -> None:
    torch.testing.assert_close(actual, torch.as_tensor(expected, dtype=actual.dtype), rtol=rtol, atol=atol)


def channel_joint(weight: Tensor, cov: Tensor, noise_var: float) -> Tensor:
    """Covariance of (x, z) for z = Wᵀx + noise."""
    z_cov = weight.mT @ cov @ weight + noise_var * torch.eye(weight.shape[1], dtype=cov.dtype)
    return torch.cat([torch.cat([cov, cov @ weight], 1), torch.cat([weight.mT @ cov, z_cov], 1)])


# --- log_prob and entropy ---------------------------------------------------------------------------------


@few
@given(seeds, dims)
def test_log_prob_agrees_with_torch_and_scipy(seed, n_dims):
    x, mean, cov = randn(seed, 7, n_dims), randn(seed + 1, n_dims), random_cov(seed, n_dims)
    actual = gaussian.log_prob(x, mean, cov)
    close(actual, MultivariateNormal(mean, cov).log_prob(x))
    expected = scipy.stats.multivariate_normal(mean.numpy(), cov.numpy()).logpdf(x.numpy())
    close(actual, np.atleast_1d(expected))


def test_log_prob_broadcasts_leading_dimensions_of_x_and_mean():
    x, mean, cov = randn(0, 5, 1, 3), randn(1, 4, 3), random_cov(2, 3)
    actual = gaussian.log_prob(x, mean, cov)
    assert actual.shape == (5, 4)
    close(actual[2, 3], gaussian.log_prob(x[2, 0], mean[3], cov))
    assert gaussian.log_prob(x[:0, 0], mean[0], cov).shape == (0,)


@pytest.mark.parametrize("var", EXTREMES)
def test_log_prob_and_entropy_at_extreme_variances(var):
    variances = double([var, 1.0, 1 / var])
    x = randn(3, 3) * variances.sqrt()
    close(
        gaussian.log_prob(x, torch.zeros_like(x), torch.diag(variances)),
        Normal(0, variances.sqrt()).log_prob(x).sum(),
    )
    close(gaussian.entropy(torch.diag(variances)), Normal(0, variances.sqrt()).entropy().sum())


def test_log_prob_is_a_density():
    def density(b: float, a: float) -> float:
        x = double([a, b])
        return gaussian.log_prob(x, double([0.3, -0.2]), random_cov(4, 2)).exp().item()

    total, _ = scipy.integrate.dblquad(density, -7, 7, -7, 7, epsabs=1e-4, epsrel=1e-4)
    assert total == pytest.approx(1, abs=1e-3)


@few
@given(seeds, dims)
def test_entropy_agrees_with_torch(seed, n_dims):
    cov = random_cov(seed, n_dims)
    close(gaussian.entropy(cov), MultivariateNormal(zeros(n_dims), cov).entropy())


def test_entropy_is_minus_the_mean_log_density():
    cov, mean = random_cov(5, 3), double([1.0, -2.0, 3.0])
    x = mean + randn(6, 20_000, 3) @ torch.linalg.cholesky(cov).mT
    surprise = -gaussian.log_prob(x, mean, cov)
    error = surprise.std() / math.sqrt(len(x))
    assert abs(surprise.mean() - gaussian.entropy(cov)) < 4 * error < 0.05


# --- conditional ------------------------------------------------------------------------------------------


@few
@given(seeds, st.integers(2, 6), st.data())
def test_joint_density_is_marginal_times_conditional(seed, n_dims, data):
    mean, cov, x = randn(seed, n_dims), random_cov(seed + 1, n_dims), randn(seed + 2, 5, n_dims)
    order = data.draw(st.permutations(range(n_dims)))
    observed = order[: data.draw(st.integers(1, n_dims - 1))]
    rest = sorted(set(range(n_dims)) - set(observed))
    rest_mean, rest_cov = gaussian.conditional(mean, cov, observed, x[:, observed])
    marginal = gaussian.log_prob(x[:, observed], mean[observed], cov[observed][:, observed])
    product = marginal + gaussian.log_prob(x[:, rest], rest_mean, rest_cov)
    close(product, gaussian.log_prob(x, mean, cov))


@few
@given(seeds)
def test_conditional_covariance_is_the_inverse_block_of_the_precision(seed):
    cov = random_cov(seed, 5)
    _, rest_cov = gaussian.conditional(zeros(5), cov, [4, 1], zeros(2))
    close(rest_cov, torch.linalg.inv(torch.linalg.inv(cov)[[0, 2, 3]][:, [0, 2, 3]]))


def test_conditional_of_two_coordinates_by_hand():
    mean, cov = double([1.0, 2.0]), double([[4.0, 1.2], [1.2, 9.0]])
    rest_mean, rest_cov = gaussian.conditional(mean, cov, [1], double([5.0]))
    close(rest_mean, [1 + 1.2 / 9 * (5 - 2)])
    close(rest_cov, [[4 - 1.2**2 / 9]])


def test_conditional_keeps_batch_dimensions_and_takes_an_index_tensor():
    mean, cov, value = randn(0, 4), random_cov(1, 4), randn(2, 3, 2, 2)
    rest_mean, rest_cov = gaussian.conditional(mean, cov, torch.tensor([3, 0]), value)
    assert rest_mean.shape == (3, 2, 2)
    assert rest_cov.shape == (2, 2)
    close(rest_mean[2, 1], gaussian.conditional(mean, cov, [3, 0], value[2, 1])[0])


# --- kl_to_standard_normal --------------------------------------------------------------------------------


def reference_kl(mu: Tensor, log_var: Tensor) -> Tensor:
    return kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(torch.zeros_like(mu), torch.ones_like(mu)))


latents = st.lists(st.tuples(st.floats(-1e3, 1e3), log_vars), min_size=1, max_size=5)


@settings(few, max_examples=100)
@given(latents)
def test_kl_to_standard_normal_and_its_gradient_agree_with_torch(pairs):
    mu, log_var = double(pairs).T.contiguous().requires_grad_(True)
    actual, expected = gaussian.kl_per_latent(mu, log_var), reference_kl(mu, log_var)
    close(actual, expected, rtol=1e-10, atol=1e-13)
    close(
        gaussian.kl_to_standard_normal(mu[None], log_var[None]), expected.sum()[None], rtol=1e-10, atol=1e-13
    )
    for ours, theirs in zip(
        *(torch.autograd.grad(k.sum(), (mu, log_var)) for k in (actual, expected)), strict=True
    ):
        close(ours, theirs, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1e-2, 1e-3, -1e-3])
def test_kl_near_zero_follows_its_series(dtype, size):
    mu, log_var = torch.zeros(1, dtype=dtype), torch.tensor([size], dtype=dtype)
    series = size**2 / 4 + size**3 / 12 + size**4 / 48 + size**5 / 240
    close(
        gaussian.kl_to_standard_normal(mu, log_var),
        series,
        rtol=1e-3 if dtype == torch.float32 else 1e-8,
        atol=0,
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_kl_is_never_negative_and_zero_at_the_prior(dtype):
    log_var = (randn(0, 100_000) * torch.logspace(-20, 1, 100_000)).to(dtype)
    assert gaussian.kl_per_latent(torch.zeros_like(log_var), log_var).min() >= 0
    zero = torch.zeros(3, 4, dtype=dtype)
    assert gaussian.kl_to_standard_normal(zero, zero).tolist() == [0, 0, 0]


def test_kl_sums_over_latents_and_keeps_leading_dimensions():
    mu, log_var = randn(0, 5, 3, 4), randn(1, 5, 3, 4)
    assert gaussian.kl_to_standard_normal(mu, log_var).shape == (5, 3)
    close(gaussian.kl_to_standard_normal(mu, log_var), gaussian.kl_per_latent(mu, log_var).sum(-1))
    close(
        torch.vmap(gaussian.kl_to_standard_normal)(mu, log_var), gaussian.kl_to_standard_normal(mu, log_var)
    )


@pytest.mark.parametrize(("mu", "var"), [(0.0, 0.1), (1.5, 1.0), (-0.7, 4.0)])
def test_kl_is_the_integral_it_claims_to_be(mu, var):
    q, p = scipy.stats.norm(mu, math.sqrt(var)), scipy.stats.norm()
    integral, _ = scipy.integrate.quad(
        lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), mu - 30, mu + 30, limit=200
    )
    close(gaussian.kl_to_standard_normal(*double([[mu], [math.log(var)]])), integral, 1e-8, 1e-8)


def test_a_diverged_network_shows_in_the_kl():
    nan, huge = torch.tensor([[float("nan")]]), torch.tensor([[1e4]])
    assert gaussian.kl_to_standard_normal(nan, torch.zeros(1, 1)).isnan().all()
    assert gaussian.kl_to_standard_normal(torch.zeros(1, 1), huge).isinf().all()


# --- kl ---------------------------------------------------------------------------------------------------


@few
@given(seeds, dims)
def test_kl_agrees_with_torch(seed, n_dims):
    mean_q, mean_p = randn(seed, n_dims), randn(seed + 1, n_dims)
    cov_q, cov_p = random_cov(seed + 2, n_dims), random_cov(seed + 3, n_dims)
    expected = kl_divergence(MultivariateNormal(mean_q, cov_q), MultivariateNormal(mean_p, cov_p))
    close(gaussian.kl(mean_q, cov_q, mean_p, cov_p), expected)


@few
@given(seeds, dims)
def test_kl_is_unchanged_by_an_invertible_map_of_both(seed, n_dims):
    mean_q, mean_p, shift = (randn(seed + i, n_dims) for i in range(3))
    cov_q, cov_p = random_cov(seed + 3, n_dims), random_cov(seed + 4, n_dims)
    before = gaussian.kl(mean_q, cov_q, mean_p, cov_p)
    rotation = random_rotation(seed, n_dims)
    for h in (rotation, rotation @ torch.diag(torch.logspace(-1, 1, n_dims, dtype=torch.float64))):
        after = gaussian.kl(h @ mean_q + shift, h @ cov_q @ h.mT, h @ mean_p + shift, h @ cov_p @ h.mT)
        close(after, before, rtol=1e-8, atol=1e-8)


@few
@given(st.lists(log_vars, min_size=1, max_size=4), seeds)
def test_full_kl_of_a_diagonal_covariance_is_the_diagonal_kl(values, seed):
    log_var = double(values)
    mu, zero = randn(seed, len(log_var)), torch.zeros_like(log_var)
    actual = gaussian.kl(mu, torch.diag(log_var.exp()), zero, eye(len(log_var)))
    close(actual, gaussian.kl_to_standard_normal(mu, log_var))


def test_kl_between_extreme_variances():
    mean, small, large = (
        zeros(1),
        double([[1e-12]]),
        double([[1e12]]),
    )
    close(gaussian.kl(mean, small, mean, large), 0.5 * (1e-24 - 1 + 24 * math.log(10)))
    close(gaussian.kl(mean, large, mean, small), 0.5 * (1e24 - 1 - 24 * math.log(10)))


def test_kl_tells_nearly_equal_gaussians_apart():
    cov, mean, delta = random_cov(0, 4), randn(1, 4), 1e-6
    exact = 0.5 * 4 * (delta**2 / 2 - delta**3 / 3)
    close(gaussian.kl(mean, (1 + delta) * cov, mean, cov), exact, rtol=1e-6, atol=0)
    close(gaussian.kl(mean, cov, mean, cov), 0.0, atol=1e-28)


def test_kl_agrees_with_monte_carlo():
    mean_q, cov_q, mean_p, cov_p = randn(0, 3), random_cov(1, 3), randn(2, 3), random_cov(3, 3)
    z = mean_q + randn(4, 20_000, 3) @ torch.linalg.cholesky(cov_q).mT
    ratio = gaussian.log_prob(z, mean_q, cov_q) - gaussian.log_prob(z, mean_p, cov_p)
    error = ratio.std() / math.sqrt(len(ratio))
    value = gaussian.kl(mean_q, cov_q, mean_p, cov_p)
    assert abs(ratio.mean() - value) < 4 * error < 0.2 * value


# --- expected_quadratic_form ------------------------------------------------------------------------------


@few
@given(seeds, dims, st.integers(1, 9))
def test_quadratic_form_is_exact_for_the_empirical_distribution(seed, n_dims, n_examples):
    x, A, center = randn(seed, n_examples, n_dims), randn(seed + 1, n_dims, n_dims), randn(seed + 2, n_dims)
    mean = x.mean(0)
    cov = (x - mean).mT @ (x - mean) / n_examples  # singular when there are few examples
    expected = torch.stack([(row - center) @ A @ (row - center) for row in x]).mean()
    close(gaussian.expected_quadratic_form(mean, cov, A, center), expected)


def test_quadratic_form_of_an_exponential_by_monte_carlo():
    A = double([[2.0, 1.0], [-3.0, 0.5]])
    x = torch.empty(40_000, 2).double().exponential_(generator=torch.Generator().manual_seed(0)) @ double(
        [[1.0, 0.5], [0.0, 2.0]]
    )
    mean, cov = double([1.0, 2.5]), double([[1.0, 0.5], [0.5, 4.25]])
    values = ((x - 0.3) @ A * (x - 0.3)).sum(1)
    error = values.std() / math.sqrt(len(values))
    assert abs(values.mean() - gaussian.expected_quadratic_form(mean, cov, A, 0.3)) < 4 * error < 0.5


def test_quadratic_form_has_its_centre_at_zero_unless_told():
    mean, cov = double([3.0, 4.0]), eye(2)
    close(gaussian.expected_quadratic_form(mean, cov, eye(2)), 2 + 25.0)
    close(gaussian.expected_quadratic_form(mean, cov, eye(2), mean), 2.0)


# --- information ------------------------------------------------------------------------------------------


@few
@given(seeds, dims, st.integers(1, 7), st.floats(1e-2, 1e2))
def test_channel_information_is_the_log_determinant_and_the_mutual_information(
    seed, n_dims, n_outputs, noise_var
):
    weight, cov = randn(seed, n_dims, n_outputs), random_cov(seed + 1, n_dims)
    actual = gaussian.channel_information(weight, cov, noise_var)
    close(actual, 0.5 * torch.logdet(eye(n_outputs) + weight.mT @ cov @ weight / noise_var))
    close(actual, gaussian.mutual_information(channel_joint(weight, cov, noise_var), n_dims))


@pytest.mark.parametrize("noise_var", EXTREMES)
@pytest.mark.parametrize(("seed", "latent_dim"), [(0, 1), (1, 3), (2, 5)])
def test_channel_information_is_exact_at_extreme_noise(seed, latent_dim, noise_var):
    values, axes = randn(seed, 5).exp(), random_rotation(seed, 5)
    weight, cov = axes[:, :latent_dim], (axes * values) @ axes.mT
    exact = 0.5 * (values[:latent_dim] / noise_var).log1p().sum()
    close(gaussian.channel_information(weight, cov, noise_var), exact, rtol=1e-9, atol=0)
    twice = torch.cat([weight, weight], 1)  # the same outputs again, so that WᵀSW is singular
    exact = 0.5 * (2 * values[:latent_dim] / noise_var).log1p().sum()
    close(gaussian.channel_information(twice, cov, noise_var), exact, rtol=1e-9, atol=0)


@few
@given(seeds, st.integers(1, 5), st.integers(1, 5))
def test_channel_information_is_unchanged_by_rotations_and_units(seed, n_dims, n_outputs):
    weight, cov = randn(seed, n_dims, n_outputs), random_cov(seed + 1, n_dims)
    before = gaussian.channel_information(weight, cov, 0.3)
    of_x, of_z = random_rotation(seed, n_dims), random_rotation(seed + 1, n_outputs)
    close(gaussian.channel_information(of_x @ weight, of_x @ cov @ of_x.mT, 0.3), before)
    close(gaussian.channel_information(weight @ of_z, cov, 0.3), before)
    close(gaussian.channel_information(10 * weight, cov, 30.0), before)


def test_principal_axes_inform_most_among_orthonormal_directions():
    cov = random_cov(0, 6)
    axes = torch.linalg.eigh(cov).eigenvectors[:, -2:]
    best = gaussian.channel_information(axes, cov, 0.2)
    others = [gaussian.channel_information(random_rotation(s, 6)[:, :2], cov, 0.2) for s in range(50)]
    assert max(others) < best


def test_channel_information_takes_a_singular_covariance():
    cov = torch.diag(double([2.0, 0.0, 1.0]))
    close(gaussian.channel_information(eye(3), cov, 0.5), 0.5 * (math.log(5) + math.log(3)))
    noise_var = double(0.5)
    close(gaussian.channel_information(eye(3)[:, :1], cov, noise_var), 0.5 * math.log(5))
    assert gaussian.channel_information(eye(3), 0 * cov, noise_var) == 0


@pytest.mark.parametrize("correlation", [0.0, 0.3, -0.9, 1 - 1e-9])
def test_mutual_information_of_two_coordinates(correlation):
    cov = double([[1e6, correlation], [correlation, 1e-6]])
    close(gaussian.mutual_information(cov, 1), -0.5 * math.log1p(-(correlation**2)), atol=1e-6, rtol=1e-8)


def test_mutual_information_is_the_integral_it_claims_to_be():
    cov = double([[1.0, 0.6], [0.6, 2.0]])
    axis = torch.linspace(-11, 11, 401, dtype=torch.float64)
    x = torch.cartesian_prod(axis, axis)
    zero = zeros(2)
    joint = gaussian.log_prob(x, zero, cov)
    parts = [gaussian.log_prob(x[:, [i]], zero[:1], cov[i : i + 1, i : i + 1]) for i in range(2)]
    integral = (joint.exp() * (joint - parts[0] - parts[1])).sum() * (axis[1] - axis[0]) ** 2
    close(gaussian.mutual_information(cov, 1), integral, rtol=1e-8)


@few
@given(seeds, st.integers(2, 6), st.data())
def test_mutual_information_is_symmetric_and_unchanged_by_maps_of_either_part(seed, n_dims, data):
    n_first = data.draw(st.integers(1, n_dims - 1))
    cov = random_cov(seed, n_dims)
    h = torch.block_diag(randn(seed, n_first, n_first), randn(seed + 1, n_dims - n_first, n_dims - n_first))
    h = h + 3 * eye(n_dims)
    before = gaussian.mutual_information(cov, n_first)
    close(gaussian.mutual_information(h @ cov @ h.mT, n_first), before, rtol=1e-7, atol=1e-7)
    close(gaussian.mutual_information(cov.flip(0, 1), n_dims - n_first), before)
    entropies = gaussian.entropy(cov[:n_first, :n_first]) + gaussian.entropy(cov[n_first:, n_first:])
    close(before, entropies - gaussian.entropy(cov))


# --- probabilistic PCA ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits() -> Tensor:
    from sklearn.datasets import load_digits

    return torch.from_numpy(load_digits().data / 16)


@pytest.fixture(scope="module")
def digits_cov(digits) -> Tensor:
    return torch.cov(digits.T, correction=0)


def test_ppca_of_the_digits(digits, digits_cov):
    weight, noise_var = gaussian.ppca(digits_cov, 8)
    assert noise_var.item() == pytest.approx(0.0273294, abs=5e-8)
    assert gaussian.ppca_log_likelihood(digits_cov, 8).item() == pytest.approx(14.2097883, abs=5e-8)
    model_cov = weight @ weight.mT + noise_var * eye(64)
    close(
        gaussian.log_prob(digits, digits.mean(0), model_cov).mean(),
        gaussian.ppca_log_likelihood(digits_cov, 8),
    )


def test_eckart_young_error_of_the_digits(digits, digits_cov):
    weight, noise_var = gaussian.ppca(digits_cov, 8)
    assert noise_var.item() * (64 - 8) / 64 == pytest.approx(0.0239132529, abs=5e-11)
    axes = weight / weight.norm(dim=0)
    centred = digits - digits.mean(0)
    close((centred - centred @ axes @ axes.mT).square().mean(), 0.0239132529, atol=5e-11, rtol=0)


def test_scikit_learn_divides_by_n_minus_one(digits, digits_cov):
    """So its noise variance is n/(n − 1) times ours, and its likelihood a little below the maximum."""
    from sklearn.decomposition import PCA

    pca = PCA(8).fit(digits.numpy())
    score, n_examples = pca.score(digits.numpy()), len(digits)
    assert pca.noise_variance_ == pytest.approx(0.0273446, abs=5e-8)
    assert score == pytest.approx(14.2097834, abs=5e-8)
    ratio = n_examples / (n_examples - 1)
    weight, noise_var = gaussian.ppca(digits_cov * ratio, 8)
    assert noise_var.item() == pytest.approx(pca.noise_variance_, rel=1e-9)
    lost = 64 / 2 * (math.log(ratio) + 1 / ratio - 1)
    assert gaussian.ppca_log_likelihood(digits_cov, 8).item() - score == pytest.approx(lost, rel=1e-4)
    model_cov = weight @ weight.mT + noise_var * eye(64)
    close(model_cov, torch.from_numpy(pca.get_covariance()), atol=1e-9)


def test_digits_have_rank_61(digits_cov):
    assert gaussian.ppca_log_likelihood(digits_cov, 60) > gaussian.ppca_log_likelihood(digits_cov, 59)
    with pytest.raises(ValueError, match=r"rank 61 .* Choose latent_dim below 61"):
        gaussian.ppca_log_likelihood(digits_cov, 61)
    with pytest.raises(ValueError, match=r"Choose latent_dim below 61"):
        gaussian.ppca(digits_cov, 61)


@few
@given(seeds, st.integers(2, 6), st.data())
def test_ppca_finds_the_model_that_made_the_covariance(seed, n_dims, data):
    latent_dim = data.draw(st.integers(0, n_dims - 1))
    true_weight = randn(seed, n_dims, latent_dim)
    model_cov = true_weight @ true_weight.mT + 0.3 * eye(n_dims)
    weight, noise_var = gaussian.ppca(model_cov, latent_dim)
    assert weight.shape == (n_dims, latent_dim)
    close(noise_var, 0.3)
    close(weight @ weight.mT, true_weight @ true_weight.mT)
    entropy = gaussian.entropy(model_cov)  # a model equal to the data's own Gaussian
    close(gaussian.ppca_log_likelihood(model_cov, latent_dim), -entropy)


@few
@given(seeds, st.integers(1, 4))
def test_no_neighbour_of_ppca_is_likelier(seed, latent_dim):
    cov = random_cov(seed, 5)
    weight, noise_var = gaussian.ppca(cov, latent_dim)
    best = gaussian.ppca_log_likelihood(cov, latent_dim)

    def log_likelihood(weight: Tensor, noise_var: Tensor) -> Tensor:
        model_cov = weight @ weight.mT + noise_var * eye(5)
        trace = torch.linalg.solve(model_cov, cov).diagonal().sum()
        return -0.5 * (5 * math.log(2 * math.pi) + torch.logdet(model_cov) + trace)

    close(log_likelihood(weight, noise_var), best)
    rotated = weight @ random_rotation(seed, latent_dim)
    close(log_likelihood(rotated, noise_var), best)
    for step in range(5):
        near = weight + 0.05 * randn(seed + step, 5, latent_dim), noise_var * (1 + 0.1 * (step - 2))
        assert log_likelihood(*near) < best


def test_ppca_columns_are_orthogonal_falling_and_of_fixed_sign(digits_cov):
    weight, _ = gaussian.ppca(digits_cov, 8)
    gram = weight.mT @ weight
    close(gram, torch.diag(gram.diagonal()), atol=1e-12)
    assert (gram.diagonal().diff() < 0).all()
    assert (weight.max(0).values == weight.abs().max(0).values).all()


@pytest.mark.parametrize("n_dims", range(2, 12))
def test_ppca_of_a_flat_spectrum_has_no_weight(n_dims):
    weight, noise_var = gaussian.ppca(0.7 * eye(n_dims), 1)
    close(weight, torch.zeros_like(weight), atol=1e-7)
    close(noise_var, 0.7)


def test_information_of_the_principal_axes_of_the_digits(digits_cov):
    """Their covariance is singular, with eigenvalues a rounding error below 0."""
    values, axes = torch.linalg.eigh(digits_cov)
    exact = 0.5 * (values[-8:] / 0.01).log1p().sum()
    close(gaussian.channel_information(axes[:, -8:], digits_cov, 0.01), exact)


# --- what holds for all of them ---------------------------------------------------------------------------

ROOT = randn(10, 3, 3)
VECTOR = randn(11, 3)
WEIGHT = randn(12, 3, 2)


def spread(root: Tensor) -> Tensor:
    """A positive definite matrix with distinct eigenvalues, symmetric whatever the root."""
    return root @ root.mT + torch.diag(torch.tensor([0.5, 1.0, 2.0], dtype=root.dtype))


CALLS = {
    "log_prob": (lambda x, m, r: gaussian.log_prob(x, m, spread(r)), (VECTOR[None], -VECTOR, ROOT)),
    "entropy": (lambda r: gaussian.entropy(spread(r)), (ROOT,)),
    "conditional": (
        lambda m, r, v: gaussian.conditional(m, spread(r), [2, 0], v),
        (VECTOR, ROOT, VECTOR[:2]),
    ),
    "kl_per_latent": (gaussian.kl_per_latent, (VECTOR, -VECTOR)),
    "kl_to_standard_normal": (gaussian.kl_to_standard_normal, (VECTOR[None], -VECTOR[None])),
    "kl": (lambda a, r, b, s: gaussian.kl(a, spread(r), b, spread(s)), (VECTOR, ROOT, 2 * VECTOR, ROOT + 1)),
    "expected_quadratic_form": (
        lambda m, r, A, c: gaussian.expected_quadratic_form(m, spread(r), A, c),
        (VECTOR, ROOT, ROOT + 1, 2 * VECTOR),
    ),
    "channel_information": (
        lambda w, r, v: gaussian.channel_information(w, spread(r), v.exp()),
        (WEIGHT, ROOT, VECTOR[0]),
    ),
    "mutual_information": (lambda r: gaussian.mutual_information(spread(r), 2), (ROOT,)),
    "ppca": (lambda r: gaussian.ppca(spread(r), 1), (ROOT,)),
    "ppca_log_likelihood": (lambda r: gaussian.ppca_log_likelihood(spread(r), 1), (ROOT,)),
}


@pytest.mark.parametrize("name", CALLS)
def test_gradients_flow_to_every_input(name):
    call, inputs = CALLS[name]
    assert torch.autograd.gradcheck(call, tuple(x.clone().requires_grad_(True) for x in inputs))


@pytest.mark.parametrize("name", CALLS)
def test_dtype_is_kept(name):
    call, inputs = CALLS[name]
    single, double = call(*(x.float() for x in inputs)), call(*inputs)
    if isinstance(single, Tensor):
        single, double = (single,), (double,)
    for low, high in zip(single, double, strict=True):
        assert (low.dtype, high.dtype) == (torch.float32, torch.float64)
        close(low.double(), high, rtol=1e-4, atol=1e-4)


def test_gradients_at_a_repeated_eigenvalue_and_at_a_silent_direction_are_finite():
    weight = eye(3)[:, :2].requires_grad_(True)
    cov = torch.diag(double([2.0, 0.0, 2.0]))
    gaussian.channel_information(weight, cov, 0.5).backward()
    expected = torch.zeros_like(weight)
    expected[0, 0] = 2 / 0.5 / (1 + 2 / 0.5)
    close(weight.grad, expected)


# --- sentences --------------------------------------------------------------------------------------------

EYE, ZEROS, ONES = torch.eye(3), torch.zeros(3), torch.ones(3)
SKEWED = torch.tensor([[1.0, 0.5, 0], [0, 1, 0], [0, 0, 1]])
INDEFINITE = torch.tensor([[1.0, 2.0, 0], [2, 1, 0], [0, 0, 1]])
SINGULAR = torch.diag(torch.tensor([1.0, 0.0, 1.0]))
NAN = torch.tensor([0.0, float("nan"), 0.0])

MISTAKES = {
    "not square": (
        lambda: gaussian.entropy(torch.ones(2, 3)),
        r"cov has shape \(2, 3\), expected a square matrix",
    ),
    "variances": (lambda: gaussian.entropy(ONES), r"cov has shape \(3,\).*torch\.diag makes"),
    "empty": (lambda: gaussian.entropy(torch.ones(0, 0)), r"cov has shape \(0, 0\)"),
    "not symmetric": (
        lambda: gaussian.entropy(SKEWED),
        r"cov is not symmetric: .* up to 0\.5\..*Cholesky factor",
    ),
    "indefinite": (
        lambda: gaussian.entropy(INDEFINITE),
        r"cov is not positive definite: .*eigenvalue is -1,",
    ),
    "singular": (
        lambda: gaussian.entropy(SINGULAR),
        r"not positive definite: .*eigenvalue is 0,.*never varies",
    ),
    "indefinite p": (lambda: gaussian.kl(ZEROS, EYE, ZEROS, INDEFINITE), r"cov_p is not positive definite"),
    "indefinite q": (lambda: gaussian.kl(ZEROS, INDEFINITE, ZEROS, EYE), r"cov_q is not positive definite"),
    "skewed p": (lambda: gaussian.kl(ZEROS, EYE, ZEROS, SKEWED), r"cov_p is not symmetric"),
    "semi": (
        lambda: gaussian.channel_information(EYE, INDEFINITE, 1.0),
        r"semi-definite: .*eigenvalue is -1,",
    ),
    "semi ppca": (lambda: gaussian.ppca(INDEFINITE, 1), r"semi-definite: .*eigenvalue is -1,"),
    "semi form": (lambda: gaussian.expected_quadratic_form(ZEROS, INDEFINITE, EYE), r"semi-definite"),
    "cov not finite": (
        lambda: gaussian.entropy(torch.diag(NAN)),
        r"cov must be finite, but 1 of its 9 values",
    ),
    "x not finite": (lambda: gaussian.log_prob(NAN, ZEROS, EYE), r"x must be finite, but 1 of its 3 values"),
    "mean not finite": (lambda: gaussian.kl(NAN, EYE, ZEROS, EYE), r"mean_q must be finite"),
    "A not finite": (lambda: gaussian.expected_quadratic_form(ZEROS, EYE, EYE / 0), r"A must be finite"),
    "center not finite": (
        lambda: gaussian.expected_quadratic_form(ZEROS, EYE, EYE, NAN),
        r"center must be finite",
    ),
    "weight not finite": (lambda: gaussian.channel_information(EYE / 0, EYE, 1.0), r"weight must be finite"),
    "conditional mean": (lambda: gaussian.conditional(NAN, EYE, [0], ONES[:1]), r"mean must be finite"),
    "x shape": (
        lambda: gaussian.log_prob(ONES[:2], ZEROS, EYE),
        r"x has shape \(2,\), expected \(\.\.\., 3\)",
    ),
    "x scalar": (lambda: gaussian.log_prob(ONES[0], ZEROS, EYE), r"x has shape \(\), expected \(\.\.\., 3\)"),
    "batches": (
        lambda: gaussian.log_prob(torch.ones(2, 3), torch.ones(4, 3), EYE),
        r"x \(2, 3\) and mean \(4, 3\) do not broadcast",
    ),
    "mean shape": (
        lambda: gaussian.kl(ONES[:2], EYE, ZEROS, EYE),
        r"mean_q has shape \(2,\), expected \(3,\)",
    ),
    "mean_p shape": (
        lambda: gaussian.kl(ONES, EYE, ZEROS[:1], EYE),
        r"mean_p has shape \(1,\), expected \(3,\)",
    ),
    "cov shapes": (
        lambda: gaussian.kl(ZEROS, EYE, ZEROS, torch.eye(2)),
        r"cov_p has shape \(2, 2\), expected \(3, 3\)",
    ),
    "A shape": (
        lambda: gaussian.expected_quadratic_form(ZEROS, EYE, ONES),
        r"A has shape \(3,\), expected \(3, 3\)",
    ),
    "center shape": (
        lambda: gaussian.expected_quadratic_form(ZEROS, EYE, EYE, ONES[:1]),
        r"center has shape \(1,\), expected \(3,\)",
    ),
    "mu and log_var": (
        lambda: gaussian.kl_to_standard_normal(torch.ones(5, 2), torch.ones(2)),
        r"mu has shape \(5, 2\) and log_var \(2,\).*expand_as",
    ),
    "transposed": (
        lambda: gaussian.channel_information(torch.ones(2, 3), EYE, 1.0),
        r"\(D, K\) = \(3, K\).*transposed",
    ),
    "no noise": (lambda: gaussian.channel_information(EYE, EYE, 0.0), r"noise_var must be positive, got 0"),
    "negative noise": (
        lambda: gaussian.channel_information(EYE, EYE, -0.5),
        r"noise_var must be positive, got -0\.5",
    ),
    "noise vector": (
        lambda: gaussian.channel_information(EYE, EYE, ONES),
        r"noise_var has shape \(3,\), expected \(\)",
    ),
    "noise not finite": (
        lambda: gaussian.channel_information(EYE, EYE, math.inf),
        r"noise_var must be finite",
    ),
    "n_first": (lambda: gaussian.mutual_information(EYE, 3), r"n_first must lie between 1 and 2, got 3"),
    "n_first zero": (lambda: gaussian.mutual_information(EYE, 0), r"n_first must lie between 1 and 2, got 0"),
    "negative latent_dim": (lambda: gaussian.ppca(EYE, -1), r"latent_dim must lie between 0 and 2, got -1"),
    "latent_dim": (
        lambda: gaussian.ppca_log_likelihood(EYE, 3),
        r"latent_dim must lie between 0 and 2, got 3",
    ),
    "index": (
        lambda: gaussian.conditional(ZEROS, EYE, [3], ONES[:1]),
        r"observed_index must lie between 0 and 2, got 3",
    ),
    "negative index": (lambda: gaussian.conditional(ZEROS, EYE, [-1], ONES[:1]), r"between 0 and 2, got -1"),
    "index twice": (
        lambda: gaussian.conditional(ZEROS, EYE, [1, 1], ONES[:2]),
        r"names a coordinate twice: \[1, 1\]",
    ),
    "none observed": (lambda: gaussian.conditional(ZEROS, EYE, [], ONES[:0]), r"expected a list of 1 to 2"),
    "all observed": (lambda: gaussian.conditional(ZEROS, EYE, [0, 1, 2], ONES), r"expected a list of 1 to 2"),
    "value shape": (
        lambda: gaussian.conditional(ZEROS, EYE, [0], ONES),
        r"observed_value has shape \(3,\), expected \(\.\.\., 1\)",
    ),
}

WRONG_TYPES = {
    "integers": (
        lambda: gaussian.entropy(EYE.long()),
        r"cov must hold floating-point numbers, got torch\.int64",
    ),
    "integer mu": (
        lambda: gaussian.kl_to_standard_normal(EYE.int(), EYE),
        r"mu must hold floating-point numbers",
    ),
    "integer center": (
        lambda: gaussian.expected_quadratic_form(ZEROS, EYE, EYE, torch.tensor(1)),
        r"center must hold floating-point numbers",
    ),
    "numpy": (
        lambda: gaussian.entropy(np.eye(3)),
        r"cov must be a torch tensor, got ndarray: torch\.as_tensor\(cov\)",
    ),
    "mixed": (
        lambda: gaussian.log_prob(ZEROS.double(), ZEROS, EYE),
        r"x is torch\.float64, mean is torch\.float32, cov is torch\.float32",
    ),
    "fraction": (lambda: gaussian.ppca(EYE, 1.5), r"latent_dim must be a whole number, got 1\.5"),
    "truth value": (
        lambda: gaussian.mutual_information(EYE, True),
        r"n_first must be a whole number, got True",
    ),
    "mask": (
        lambda: gaussian.conditional(ZEROS, EYE, [True, False], ONES[:2]),
        r"each entry of observed_index must be a whole number, got True",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_wrong_value_gets_a_sentence(name):
    call, sentence = MISTAKES[name]
    with pytest.raises(ValueError, match=sentence):
        call()


@pytest.mark.parametrize("name", WRONG_TYPES)
def test_a_wrong_type_gets_a_sentence(name):
    call, sentence = WRONG_TYPES[name]
    with pytest.raises(TypeError, match=sentence):
        call()


NEEDS_POSITIVE_DEFINITE = {
    "log_prob": lambda cov: gaussian.log_prob(cov[0], cov[0], cov),
    "entropy": gaussian.entropy,
    "conditional": lambda cov: gaussian.conditional(cov[0], cov, [0], cov[0, :1]),
    "kl": lambda cov: gaussian.kl(cov[0], cov, cov[0], cov),
    "mutual_information": lambda cov: gaussian.mutual_information(cov, 1),
}
many = settings(max_examples=200, deadline=None, derandomize=True)
dtypes = st.sampled_from([torch.float32, torch.float64])


def random_units(seed: int, n_dims: int) -> Tensor:
    """From a millionth to a million."""
    return 10 ** (
        12 * torch.rand(n_dims, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) - 6
    )


def in_units(cov: Tensor, units: Tensor) -> Tensor:
    return (units[:, None] * cov * units).to(cov.dtype)


def refuses_singular(cov: Tensor, call=gaussian.entropy) -> bool:
    try:
        call(cov)
    except ValueError as error:
        return "is not positive definite" in str(error)
    return False


@pytest.mark.parametrize("units", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("name", NEEDS_POSITIVE_DEFINITE)
def test_a_determined_coordinate_is_found_in_any_units(name, units):
    for seed in range(400):
        x = randn(seed, 50, 3)
        x[:, 2] = units * (x[:, 0] - x[:, 1])
        assert refuses_singular(torch.cov(x.T), NEEDS_POSITIVE_DEFINITE[name]), seed


@many
@given(seeds, st.integers(2, 40), st.data(), dtypes)
def test_a_covariance_without_full_rank_is_found_in_any_units(seed, n_dims, data, dtype):
    rank = data.draw(st.integers(1, n_dims - 1))
    root = randn(seed, n_dims, rank).to(dtype)
    assert refuses_singular(in_units(root @ root.mT, random_units(seed, n_dims)))


@many
@given(seeds, st.integers(3, 12), st.floats(-7, 0))
def test_the_difference_of_two_nearly_equal_coordinates_is_found(seed, n_dims, power):
    x = randn(seed, 60, n_dims)
    x[:, 1] = x[:, 0] + 10**power * x[:, 1]
    x[:, 2] = x[:, 0] - x[:, 1]
    assert refuses_singular(in_units(torch.cov(x.T), random_units(seed, n_dims)))


@pytest.mark.parametrize("n_dims", [2, 3, 20])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_determined_coordinate_is_found_among_many_examples(dtype, n_dims):
    """The rounding of a covariance grows with the number of examples in its sums."""
    for seed in range(10):
        x = randn(seed, 20_000, n_dims).to(dtype) + 3
        x[:, -1] = x[:, :-1] @ randn(seed + 1, n_dims - 1).to(dtype)
        assert refuses_singular(torch.cov(x.T)), seed


@many
@given(seeds, st.integers(2, 40), st.floats(0, 10))
def test_a_condition_number_of_ten_thousand_million_is_no_singularity(seed, n_dims, power):
    """Its entropy is right, too: that of the eigenvalues, and log(unit) more for each coordinate."""
    axes, values = random_rotation(seed, n_dims), torch.logspace(-power, 0, n_dims, dtype=torch.float64)
    units = random_units(seed, n_dims)
    cov = in_units(axes * values @ axes.mT, units)
    exact = 0.5 * (n_dims * (1 + math.log(2 * math.pi)) + values.log().sum()) + units.log().sum()
    close(gaussian.entropy(cov), exact, rtol=0, atol=1e-4)


@many
@given(seeds, st.integers(2, 40), st.data(), dtypes)
def test_rounding_neither_adds_a_rank_nor_makes_a_variance_negative(seed, n_dims, data, dtype):
    rank = data.draw(st.integers(1, max(1, n_dims // 2)))
    root = randn(seed, n_dims, rank).to(dtype)
    cov = root @ root.mT
    gaussian.expected_quadratic_form(cov[0], cov, cov)
    with pytest.raises(ValueError, match=f"cov has rank {rank} "):
        gaussian.ppca(cov, n_dims - 1)


def test_rounding_in_the_symmetry_is_forgiven():
    cov = random_cov(0, 3)
    bent = cov.clone()
    bent[0, 1] += 1e-12
    close(gaussian.entropy(bent), gaussian.entropy(cov))
