"""What holds for every loss whatever the data, and the book's mistakes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnfs_xp as nx
from nnfs_xp.testing import directional_derivative
from tests.matrix.helpers import NUMPY64, assert_agrees

CLASSES = 3
# Each with the kind of its targets, and the shape of a sample's predictions.
LOSSES = {
    "labels": (nx.SoftmaxCrossEntropy, "labels"),
    "rows": (nx.SoftmaxCrossEntropy, "rows"),
    "smoothed": (
        lambda **o: nx.SoftmaxCrossEntropy(label_smoothing=0.1, **o), "labels"
    ),
    "weighted": (
        lambda **o: nx.SoftmaxCrossEntropy(class_weight=[0.5, 2.0, 1.0], **o), "labels"
    ),
    "hinge": (
        lambda **o: nx.CategoricalHinge(class_weight=[0.5, 2.0, 1.0], **o), "labels"
    ),
    "focal": (lambda **o: nx.CategoricalFocalCrossEntropy(1.5, True, **o), "rows"),
    "binary": (lambda **o: nx.BinaryCrossEntropy(True, **o), "rows"),
    "squared": (nx.MeanSquaredError, "rows"),
    "absolute": (nx.MeanAbsoluteError, "rows"),
    "huber": (nx.Huber, "rows"),
}  # fmt: skip
any_loss = pytest.mark.parametrize(("make", "kind"), LOSSES.values(), ids=LOSSES)
seeds = st.integers(0, 2**32 - 1)


def draw(seed, kind, n=None):
    """Return predictions, targets and weights of some samples."""
    random = np.random.default_rng(seed)
    n = n or int(random.integers(1, 9))
    y_pred = random.standard_normal((n, CLASSES)) * 3
    y_true = random.uniform(0, 1, (n, CLASSES))
    if kind == "labels":
        y_true = random.integers(0, CLASSES, n)
    return y_pred, y_true, random.uniform(0.1, 2.0, n)


def both(make, y_pred, y_true, weights=None, **options):
    """Return the reduced loss and its gradient."""
    loss = make(backend=NUMPY64, **options)
    value = loss.calculate(y_pred, y_true, sample_weight=weights)
    return value, loss.backward()


def assert_same(one, other):
    for found, expected in zip(one, other, strict=True):
        assert_agrees(found, expected, NUMPY64)


@any_loss
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_weights_of_0_leave_rows_out(make, kind, seed):
    y_pred, y_true, weights = draw(seed, kind, 7)
    left = np.random.default_rng(seed).permutation(7) < 4
    for reduction in ("mean", "sum"):
        value, gradient = both(
            make, y_pred, y_true, weights * left, reduction=reduction
        )
        rest = y_pred[left], y_true[left], weights[left]
        assert_same((value, gradient[left]), both(make, *rest, reduction=reduction))
        assert not np.any(gradient[~left])


@any_loss
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_the_sum_is_the_mean_times_the_count(make, kind, seed):
    y_pred, y_true, weights = draw(seed, kind)
    counts = make().sample_counts(NUMPY64, y_true)
    counts = np.ones(len(y_pred)) if counts is None else counts
    for given_weights, count in ((None, counts.sum()), (weights, weights @ counts)):
        value, gradient = both(make, y_pred, y_true, given_weights)
        summed = both(make, y_pred, y_true, given_weights, reduction="sum")
        assert_same(summed, (value * count, gradient * count))
        each, of_each = both(make, y_pred, y_true, given_weights, reduction="none")
        assert each.shape == (len(y_pred),)
        assert_same(summed, (each.sum(), of_each))


@any_loss
@settings(max_examples=25, deadline=None)
@given(seed=seeds, scale=st.floats(1e-6, 1e6))
def test_scaling_all_weights_changes_no_mean(make, kind, seed, scale):
    y_pred, y_true, weights = draw(seed, kind)
    one = both(make, y_pred, y_true, weights)
    assert_same(both(make, y_pred, y_true, weights * scale), one)
    ones = np.full(len(y_pred), scale)
    assert_same(both(make, y_pred, y_true, ones), both(make, y_pred, y_true))


@any_loss
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_sample_twice_is_a_weight_of_2(make, kind, seed):
    y_pred, y_true, _ = draw(seed, kind, 4)
    twice = [0, 1, 1, 2, 3]
    value, _ = both(make, y_pred[twice], y_true[twice])
    found, _ = both(make, y_pred, y_true, np.array([1.0, 2.0, 1.0, 1.0]))
    assert_agrees(found, value, NUMPY64)


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_options_that_change_nothing(seed):
    for kind in ("labels", "rows"):
        y_pred, y_true, _ = draw(seed, kind)
        plain = both(nx.SoftmaxCrossEntropy, y_pred, y_true)
        for options in (
            {"label_smoothing": 0.0},
            {"class_weight": [1, 1, 1]},
            {"class_weight": np.full(3, 1.0)},
            {"ignore_index": -100},
        ):
            found = both(nx.SoftmaxCrossEntropy, y_pred, y_true, **options)
            assert_same(found, plain)
    y_pred, y_true, _ = draw(seed, "rows")
    plain = both(nx.BinaryCrossEntropy, 1 / (1 + np.exp(-y_pred)), y_true)
    found = both(nx.BinaryCrossEntropy, 1 / (1 + np.exp(-y_pred)), y_true,
                 label_smoothing=0.0)  # fmt: skip
    assert_same(found, plain)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, smoothing=st.sampled_from([0.0, 0.1]))
def test_ignored_samples_are_left_out(seed, smoothing):
    y_pred, y_true, _ = draw(seed, "labels", 7)
    left = np.random.default_rng(seed).permutation(7) < 4
    options = {"label_smoothing": smoothing, "class_weight": [0.5, 2.0, 1.0]}
    expected = both(nx.SoftmaxCrossEntropy, y_pred[left], y_true[left], **options)
    value, gradient = both(
        nx.SoftmaxCrossEntropy, y_pred, np.where(left, y_true, -1),
        ignore_index=-1, **options,
    )  # fmt: skip
    assert_same((value, gradient[left]), expected)
    assert not np.any(gradient[~left])


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_a_loss_from_logits_is_that_of_their_probabilities(seed):
    """The chain rule through a softmax or a sigmoid, with every option."""
    z, labels, _ = draw(seed, "labels")
    options = {
        "label_smoothing": 0.1, "class_weight": [0.5, 2.0, 1.0], "ignore_index": 1,
        "reduction": "sum",
    }  # fmt: skip
    labels[0] = 0
    softmax = nx.Softmax(backend=NUMPY64)
    p = softmax.forward(z)
    value, dp = both(nx.CategoricalCrossEntropy, p, labels, **options)
    loss = nx.CategoricalCrossEntropy(**options)
    after = loss.after_softmax
    assert {"from_logits": False, **after.config()} == loss.config()
    found = both(type(after), z, labels, **after.config())
    assert_same(found, (value, softmax.backward(dp)))
    p, y = 1 / (1 + np.exp(-z)), np.abs(np.sin(z))
    for mode in ("exact", "book"):
        loss = nx.BinaryCrossEntropy(mode=mode, label_smoothing=0.1, reduction="sum")
        value, dp = both(type(loss), p, y, **loss.config())
        after = loss.after_sigmoid
        found = both(type(after), z, y, **after.config())
        assert after.from_logits and after.reduction == "sum"
        assert_same(found, (value, dp * p * (1 - p)))


# The book's mistakes: what its formula gives, and what comes out here.


def test_book_mistake_absolute_error_climbs():
    """Chapter 17 differentiates |y - p| as if by y: a step makes it larger."""
    p, y = np.array([[1.0], [5.0]]), np.array([[3.0], [2.0]])
    book = np.sign(y - p) / 1 / 2
    loss = nx.MeanAbsoluteError(dtype="float64")
    found = loss.backward(p, y)
    np.testing.assert_array_equal(found, -book)
    before, step = loss.calculate(p, y), 0.1
    assert loss.calculate(p - step * book, y) > before
    assert loss.calculate(p - step * found, y) < before
    direction = np.array([[1.0], [0.5]])
    slope = directional_derivative(lambda q: float(loss.calculate(q, y)), p, direction)
    assert np.sum(found * direction) == pytest.approx(slope, rel=1e-9)


def test_book_mistake_division_by_probabilities_that_are_not_clipped(backend):
    """Chapter 9 clips p in the loss, and divides by p as it is in the gradient."""
    p, y = np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])
    with np.errstate(all="ignore"):
        assert np.isinf((-y / p)[0, 0])
        assert np.isnan((-y[:, ::-1] / p)[0, 0])
    own, labels = backend.asarray(p, backend.dtype), backend.asarray(np.array([0]))
    for mode in ("exact", "book"):
        loss = nx.CategoricalCrossEntropy(mode=mode, backend=backend)
        assert np.all(np.isfinite(backend.to_numpy(loss.backward(own, labels))))
        loss = nx.BinaryCrossEntropy(mode=mode, backend=backend)
        gradient = loss.backward(own, backend.asarray(y))
        assert np.all(np.isfinite(backend.to_numpy(gradient)))


def test_book_mistake_soft_targets_are_taken_for_labels(backend):
    """Chapter 9 takes the largest target, and loses the others."""
    p, y = np.array([[0.2, 0.3, 0.5]]), np.array([[0.6, 0.3, 0.1]])
    book = p - np.eye(3)[np.argmax(y, axis=1)]
    loss = nx.SoftmaxCrossEntropy(backend=backend)
    found = loss.backward(backend.asarray(np.log(p)), backend.asarray(y))
    assert_agrees(found, p - y, backend)
    assert np.max(np.abs(backend.to_numpy(found) - book)) > 0.3


def test_book_mistake_small_integers_wrap_around(backend):
    """A one-hot row of uint8 has -1 = 255, and its gradient the wrong sign."""
    p, y = np.array([[0.25, 0.75]]), np.array([[1, 0]], dtype="uint8")
    assert (-y / p)[0, 0] == 255 / 0.25
    loss = nx.CategoricalCrossEntropy(backend=backend)
    own = backend.asarray(p, backend.dtype), backend.asarray(y)
    assert_agrees(loss.backward(*own), [[-4.0, 0.0]], backend)
    # The pure pair, too, which nobody has checked the targets for.
    if backend.name != "array_api_strict":
        _, residuals = loss.fwd(backend, *own)
        assert_agrees(loss.bwd(backend, residuals, 1.0), [[-4.0, 0.0]], backend)
    squared = nx.MeanSquaredError(backend=backend)
    assert_agrees(squared.backward(*own), [[-0.75, 0.75]], backend)


def test_book_mistake_columns_against_rows(backend):
    """Targets (n,) against predictions (n, 1) make a table of (n, n) errors."""
    p, y = np.array([[1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 3.0])
    assert np.mean((y - p) ** 2) == pytest.approx(4 / 3)
    own = backend.asarray(p, backend.dtype), backend.asarray(y)
    for make in (nx.MeanSquaredError, nx.MeanAbsoluteError, nx.Huber):
        loss = make(backend=backend)
        with pytest.raises(nx.InputError, match=r"use y_true.reshape\(-1, 1\)"):
            loss.calculate(*own)
        assert_agrees(loss.calculate(own[0], backend.asarray(p)), 0.0, backend)
