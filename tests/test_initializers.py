"""Initialisers: their distributions, and the shapes and numbers they refuse."""

import math

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.random import Stream
from nnfs_xp.registry import resolve

BY_FAN = (
    nx.GlorotNormal, nx.GlorotUniform, nx.HeNormal, nx.HeUniform, nx.Orthogonal,
    nx.LeCunNormal, nx.LeCunUniform, nx.VarianceScaling, nx.Identity,
)  # fmt: skip


@pytest.mark.parametrize(
    ("make", "limit"),
    [
        (lambda: nx.Uniform(0.3), 0.3),
        (nx.GlorotUniform, math.sqrt(6 / 500)),
        (nx.HeUniform, math.sqrt(6 / 300)),
        (nx.LeCunUniform, math.sqrt(3 / 300)),
        (nx.TruncatedNormal, 0.1),
    ],
)
def test_uniform_values_fill_their_interval(make, limit):
    values = make()(Stream(2, "test"), (300, 200))
    assert -limit <= values.min() < -0.999 * limit
    assert 0.999 * limit < values.max() < limit


@pytest.mark.parametrize(
    ("make", "variance"),
    [(nx.HeNormal, 2 / 300), (nx.GlorotNormal, 2 / 500), (nx.LeCunNormal, 1 / 300)],
)
def test_normal_values_are_the_streams(make, variance):
    values = make()(Stream(2, "test"), (300, 200))
    normal = Stream(2, "test").normal((300, 200))
    np.testing.assert_allclose(values, math.sqrt(variance) * normal, rtol=1e-13)


@pytest.mark.parametrize("shape", [(7, 3), (3, 7), (5, 5), (1, 4), (4, 1), (1, 1)])
def test_orthogonal_rows_or_columns(shape):
    weights = nx.Orthogonal(gain=3.0)(Stream(0, "test"), shape)
    assert weights.shape == shape
    assert weights.dtype == np.float64
    products = weights.T @ weights if shape[0] >= shape[1] else weights @ weights.T
    np.testing.assert_allclose(products, 9.0 * np.eye(min(shape)), atol=1e-13)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
def test_orthogonal_is_the_one_with_a_positive_diagonal(shape):
    """It is unique, so that no freedom is left to a library of linear algebra."""
    rows, columns = shape
    tall = (max(shape), min(shape))
    q = Stream(4, "test").orthogonal(rows, columns)
    r = (q if rows >= columns else q.T).T @ Stream(4, "test").normal(tall)
    np.testing.assert_allclose(np.tril(r, -1), 0.0, atol=1e-13)
    assert (np.diag(r) > 0).all()


def test_orthogonal_is_uniform():
    """Reflections and rotations alike, and no direction before another."""
    drawn = np.array([Stream(seed, "test").orthogonal(3, 3) for seed in range(1000)])
    assert abs(np.linalg.det(drawn).mean()) < 4 / 1000**0.5
    assert (np.abs(drawn.mean(axis=0)) < 4 * (1 / 3 / 1000) ** 0.5).all()
    # Each entry of a uniform unit vector has the variance 1/3.
    assert (np.abs((drawn**2).mean(axis=0) - 1 / 3) < 0.05).all()


@pytest.mark.parametrize("make", BY_FAN)
@pytest.mark.parametrize("shape", [(), (5,), (0, 3), (3, 0), (2, 0, 3)])
def test_only_matrices_have_fans(make, shape):
    with pytest.raises(nx.InputError, match="shape must be .*fan_in, fan_out.* got"):
        make()(Stream(0, "test"), shape)


def test_fans_of_a_convolution_count_the_places_of_its_window():
    """As Keras counts them, for height, width, channels and filters."""
    shape = (3, 5, 4, 100)
    for make, n in (
        (nx.HeNormal, 2 / 60),
        (nx.GlorotUniform, 2 / (60 + 1500)),
        (lambda: nx.VarianceScaling(1.0, "fan_out"), 1 / 1500),
    ):
        drawn = make()(Stream(0, "test"), shape)
        assert drawn.shape == shape
        assert drawn.std() == pytest.approx(n**0.5, rel=0.03)


def test_an_orthogonal_kernel_has_orthonormal_filters():
    drawn = nx.Orthogonal()(Stream(0, "test"), (3, 2, 4, 5)).reshape(24, 5)
    np.testing.assert_allclose(drawn.T @ drawn, np.eye(5), atol=1e-12)


def test_the_identity_is_a_matrix():
    with pytest.raises(nx.InputError, match=r"shape must be .*a matrix, .*got \(2, 3"):
        nx.Identity()(Stream(0, "test"), (2, 3, 4))


@pytest.mark.parametrize(
    "make", [nx.Zeros, nx.Ones, nx.Normal, nx.Uniform, nx.TruncatedNormal]
)
@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 4), (0, 3)])
def test_others_take_any_shape(make, shape):
    assert make()(Stream(0, "test"), shape).shape == shape


@pytest.mark.parametrize("bad", [math.nan, -math.inf, "1", None, True])
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (nx.Orthogonal, "gain"), (nx.Normal, "scale"), (nx.Uniform, "limit"),
        (nx.Constant, "value"), (nx.TruncatedNormal, "scale"), (nx.Identity, "gain"),
    ],
)  # fmt: skip
def test_numbers_are_finite(make, name, bad):
    with pytest.raises(nx.InputError, match=f"{name} must be a finite number, got"):
        make(bad)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("lecun_normal", nx.LeCunNormal), ("identity", nx.Identity),
        ("ones", nx.Ones), ("glorot_normal", nx.GlorotNormal),
        ("he_uniform", nx.HeUniform), ("orthogonal", nx.Orthogonal),
    ],
)  # fmt: skip
def test_by_name(name, unit):
    assert type(resolve("initializer", name, "weight_initializer")) is unit
    assert nx.Dense(3, 2, weight_initializer=name, seed=0).weights.shape == (3, 2)


def test_truncated_values_are_those_of_a_normal_distribution_within_two():
    """Against the distribution function, at every tenth of it."""
    values = np.sort(Stream(3, "test").truncated_normal((200, 250)).ravel())
    lowest = math.erfc(2 / 2**0.5) / 2
    for tenth in range(1, 10):
        at = values[len(values) * tenth // 10]
        below = (math.erfc(-at / 2**0.5) / 2 - lowest) / (1 - 2 * lowest)
        assert abs(below - tenth / 10) < 4 * 0.5 / len(values) ** 0.5


def test_truncated_variance_is_keras_s():
    """Its constant, 0.87962566103423978, is the deviation of what is left."""
    from nnfs_xp.initializers.normal import TRUNCATED_DEVIATION

    assert pytest.approx(0.87962566103423978, rel=1e-15) == TRUNCATED_DEVIATION
    values = nx.VarianceScaling(2.0, "fan_in", "truncated_normal")
    drawn = values(Stream(1, "test"), (300, 200))
    assert abs(drawn).max() <= 2 * math.sqrt(2 / 300) / 0.87962566103423978


def test_identity_of_any_matrix():
    for shape in ((3, 5), (5, 3), (4, 4)):
        found = nx.Identity(0.5)(Stream(0, "test"), shape)
        np.testing.assert_array_equal(found, 0.5 * np.eye(*shape))
