"""Losses at extremes; their weights, counts and reductions."""

import contextlib
import math

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import backend_or_skip
from tests.matrix.cases.losses import LOSSES
from tests.matrix.helpers import assert_agrees

SMOOTHED = {"label_smoothing": 0.1}
WEIGHTED = {"class_weight": (2.0, 0.5, 1.0)}
IGNORING = {"ignore_index": -100}
COMBINED = {**SMOOTHED, **WEIGHTED, **IGNORING}


def far_of(be):
    return 1e9 if be.dtype_name == "float64" else 1e4


def check(be, loss, y_pred, y_true, losses, gradient):
    """Compare losses and the gradient of their sum, both without any warning."""
    y_pred = loss.check_predictions(be, be.asarray(np.asarray(y_pred)))
    y_true = loss.check_targets(be, be.asarray(np.asarray(y_true)), "y", y_pred.shape)
    for context in (contextlib.nullcontext, be.context):
        with context():
            found, residuals = loss.fwd(be, y_pred, y_true)
            slope = loss.bwd(be, residuals, 1.0)
        assert_agrees(found, np.asarray(losses), be, rtol=1e-6)
        assert_agrees(slope, np.asarray(gradient), be, rtol=1e-6)
        assert np.all(np.isfinite(be.to_numpy(slope)))


# Extremes.


@pytest.mark.parametrize(
    "make",
    [nx.SoftmaxCrossEntropy, lambda **o: nx.CategoricalCrossEntropy(True, **o)],
    ids=["softmax", "categorical"],
)
def test_far_logits_with_every_option(backend, make):
    far = far_of(backend)
    z, y = [[far, -far, 0.0]] * 2, [1, -100]
    for options in (SMOOTHED, WEIGHTED, COMBINED):
        s = options.get("label_smoothing", 0.0)
        q = np.array([0.0, 1.0, 0.0]) * (1 - s) + s / 3
        q *= options.get("class_weight", 1.0)
        loss = make(**{**IGNORING, **options})
        expected = q @ [0.0, 2 * far, far]
        gradient = [q.sum(), 0.0, 0.0] - q
        check(backend, loss, z, y, [expected, 0.0], [gradient, np.zeros(3)])


def test_infinite_logits(backend):
    z = [[0.0, -np.inf, 0.0]]
    half, log_2 = [0.5, 0.0, 0.5], math.log(2)
    exact = nx.SoftmaxCrossEntropy()
    check(backend, exact, z, [0], [log_2], [np.subtract(half, [1, 0, 0])])
    rows = [[0.25, 0.0, 0.75]]
    check(backend, exact, z, rows, [log_2], [np.subtract(half, rows[0])])
    unweighted = nx.SoftmaxCrossEntropy(
        label_smoothing=0.3, class_weight=[1.0, 0.0, 1.0]
    )
    q = np.array([0.8, 0.0, 0.1])
    gradient = [np.multiply(half, 0.9) - q]
    check(backend, unweighted, z, [0], [0.9 * log_2], gradient)


def test_probabilities_of_0_and_1(backend):
    info = backend.xp.finfo(backend.dtype)
    tiny = float(info.smallest_normal)
    steep = float(info.eps) / tiny
    p, y = [[0.0, 1.0], [1.0, 0.0]], [0, 0]
    loss = nx.CategoricalCrossEntropy()
    gradient = [[-steep, 0.0], [-1.0, 0.0]]
    check(backend, loss, p, y, [-math.log(tiny), 0.0], gradient)
    loss = nx.BinaryCrossEntropy()
    p, y = [0.0, 1.0, 0.0, 1.0], [0, 1, 1, 0]
    worst = -math.log(tiny)
    gradient = [1.0, -1.0, -steep, steep]
    check(backend, loss, p, y, [0.0, 0.0, worst, worst], gradient)


def test_far_logits_of_binary_cross_entropy(backend):
    far = far_of(backend)
    z = np.array([far, far, -far, -far, far, 0.0])
    y = np.array([1.0, 0.0, 0.0, 1.0, 0.25, 1.0])
    losses = [0.0, far, 0.0, far, 0.75 * far, math.log(2)]
    gradient = [0.0, 1.0, 0.0, -1.0, 0.75, -0.5]
    loss = nx.BinaryCrossEntropy(from_logits=True)
    check(backend, loss, z, y, losses, gradient)
    # Each output has its share of the sample.
    check(backend, loss, z[None], y[None], [np.mean(losses)], [np.divide(gradient, 6)])


def test_a_small_loss_of_a_large_logit_is_not_rounded_away(backend):
    z, small = [[12.0], [-12.0]], math.log1p(math.exp(-12))
    loss = nx.BinaryCrossEntropy(from_logits=True, backend=backend)
    found = loss.forward(z, [[1], [0]])
    np.testing.assert_allclose(backend.to_numpy(found), small, rtol=1e-6)
    loss = nx.SoftmaxCrossEntropy(backend=backend)
    found = backend.to_numpy(loss.forward([[12.0, 0.0]], [0]))
    # The logarithm of a sum just above 1 has that sum's digits only.
    np.testing.assert_allclose(found, small, rtol=0.02, atol=0)


def test_losses_that_the_book_clips(backend):
    far, cost = far_of(backend), -math.log(1e-7)
    loss = nx.BinaryCrossEntropy(mode="book")
    # 1 - 1e-7 is not a float32: its neighbour is 1.19e-7 below 1.
    upper = np.asarray(1 - 1e-7).astype(backend.dtype_name).astype("float64")
    losses = [cost, -math.log(1 - upper), 1 - upper]
    gradient = [-1e7, 1 / (1 - upper), -1 / upper]
    check(backend, loss, [0.0, 1.0, 1.0], [1, 0, 1], losses, gradient)
    # The book's sigmoid has no slope there, so nothing is learned.
    loss = nx.BinaryCrossEntropy(from_logits=True, mode="book")
    check(backend, loss, [-far, far], [1, 0], losses[:2], [0.0, 0.0])
    loss = nx.SoftmaxCrossEntropy("book", label_smoothing=0.2)
    q = np.array([0.9, 0.1])
    losses, gradient = [q @ [cost, 1 - upper]], [np.array([0.0, 1.0]) - q]
    check(backend, loss, [[-far, far]], [0], losses, gradient)


def test_errors_whose_square_is_nearly_too_large(backend):
    largest = float(backend.xp.finfo(backend.dtype).max)
    error = 0.9 * math.sqrt(largest)
    p, y = [[error, -error]], [[0.0, 0.0]]
    slopes = [[error, -error]]
    check(backend, nx.MeanSquaredError(), p, y, [error**2], slopes)
    # The sum over the outputs is too large, and their mean is not.
    wide = [[error] * 8]
    gradient = [[error / 4] * 8]
    check(backend, nx.MeanSquaredError(), wide, [[0.0] * 8], [error**2], gradient)
    # Nor is the mean where a square is.
    alone = [[1.5 * error, *[0.0] * 7]]
    expected, gradient = (1.5 * error / 8) * 1.5 * error, [[3 * error / 8, *[0.0] * 7]]
    check(backend, nx.MeanSquaredError(), alone, [[0.0] * 8], [expected], gradient)
    far = 0.9 * largest
    p, y = [[far] * 4], [[0.0] * 4]
    check(backend, nx.MeanAbsoluteError(), p, y, [far], [[0.25] * 4])
    check(backend, nx.Huber(0.5), p, y, [far / 2], [[0.125] * 4])


def test_errors_of_0_and_at_the_end_of_the_parabola(backend):
    p, y = [0.0, 2.0, -2.0, 2.5], [0.0, 0.0, 0.0, 0.0]
    absolute = [0.0, 1.0, -1.0, 1.0]
    check(backend, nx.MeanAbsoluteError(), p, y, [0.0, 2.0, 2.0, 2.5], absolute)
    check(backend, nx.Huber(2.0), p, y, [0.0, 2.0, 2.0, 3.0], [0.0, 2.0, -2.0, 2.0])


# Far out, of every loss. Exponentials of predictions are infinite soon.
LEAST_FAR = {"Poisson(log_input=True)": 50.0}


@pytest.mark.parametrize("name", LOSSES)
def test_no_prediction_is_too_far_out(backend, name):
    """Losses are numbers, and gradients too, at both ends and at 0, with no warning."""
    for unit, case in {repr(case.make()): case for case in LOSSES[name]}.items():
        loss, far = case.make(), LEAST_FAR.get(unit, far_of(backend))
        ends = [0.0, far, -far, 0.0, -far, far, far]
        if loss.target_kind != "values" and not loss.from_logits:
            ends = [0.0, 1.0, 0.0, 0.0, 1.0]
        y_pred = np.resize(ends, case.y_pred.shape)
        for rows in (y_pred, y_pred[::-1], -y_pred if loss.from_logits else y_pred):
            given = backend.asarray(rows.copy(), backend.dtype)
            y_true = loss.check_targets(
                backend, backend.asarray(case.y_true), "y", given.shape
            )
            losses, residuals = loss.fwd(backend, given, y_true)
            gradient = loss.bwd(backend, residuals, 1.0)
            assert np.all(np.isfinite(backend.to_numpy(losses))), unit
            assert np.all(np.isfinite(backend.to_numpy(gradient))), unit


# Weights, counts and reductions.


def test_nothing_weighted_needs_no_arrays(backend):
    be = backend
    y = be.asarray(np.array([0, 1, 2]), "int32")
    losses = be.asarray(np.array([1.0, 2.0, 6.0]), be.dtype)
    for make in (nx.SoftmaxCrossEntropy, nx.CategoricalCrossEntropy):
        for reduction, each in (("mean", 1 / 3), ("sum", 1.0), ("none", 1.0)):
            loss = make(reduction=reduction)
            assert loss.sample_counts(be, y) is None
            count, dlosses = loss.factors(be, (3,), y, None)
            assert loss.weighted(be, losses, None) is losses
            assert (count, dlosses) == (3, each)
            assert type(count) is int and type(dlosses) is float


def test_labels_without_options_stay_labels(backend):
    y = backend.asarray(np.array([0, 1]), "int32")
    z = backend.asarray(np.eye(2), backend.dtype)
    for options, kept in (({}, True), (SMOOTHED, False), (IGNORING, False)):
        _, (_, targets, _) = nx.SoftmaxCrossEntropy(**options).fwd(backend, z, y)
        assert (targets is y) is kept


def test_weights_and_counts(backend):
    be = backend
    y = be.asarray(np.array([0, 1, -100, 2]), "int32")
    losses = be.asarray(np.array([1.0, 2.0, 0.0, 6.0]), be.dtype)
    sample_weight = be.asarray(np.array([1.0, 0.0, 5.0, 2.0]), be.dtype)
    loss = nx.SoftmaxCrossEntropy(**WEIGHTED, **IGNORING)
    assert_agrees(loss.sample_counts(be, y), [2.0, 0.5, 0.0, 1.0], be)
    rows = be.asarray(np.ones((4, 3)), be.dtype)
    assert loss.sample_counts(be, rows) is None
    with be.context():
        count, dlosses = loss.factors(be, (4,), y, sample_weight)
        weighted = loss.weighted(be, losses, sample_weight)
        assert_agrees(weighted, [1.0, 0.0, 0.0, 12.0], be)
        total = be.xp.sum(weighted)
        assert_agrees(count, 4.0, be)
        assert_agrees(dlosses, [0.25, 0.0, 1.25, 0.5], be)
        assert_agrees(loss.finish(total, count), 3.25, be)
        total = be.xp.sum(losses)
        count, dlosses = loss.factors(be, (4,), y, None)
        assert_agrees(count, 3.5, be)
        assert_agrees(dlosses, np.full(4, 1 / 3.5), be)
        loss = nx.SoftmaxCrossEntropy(**WEIGHTED, **IGNORING, reduction="sum")
        assert loss.factors(be, (4,), y, None)[1] == 1.0
        assert_agrees(loss.factors(be, (4,), y, sample_weight)[1], [1, 0, 5, 2], be)
        assert_agrees(loss.finish(total, count), 9.0, be)


@pytest.mark.parametrize("options", [{}, SMOOTHED, COMBINED])
@pytest.mark.parametrize("weights_of", ["samples", "losses"])
def test_weights_of_several_losses_a_sample(backend64, torch, options, weights_of):
    """Beside PyTorch's losses of single rows, weighted and divided by hand."""
    be, random = backend64, np.random.default_rng(8)
    z, y = random.standard_normal((4, 3, 3)), random.integers(0, 3, (4, 3))
    if "ignore_index" in options:
        y[1], y[3, 0] = -100, -100
    shape = (4,) if weights_of == "samples" else (4, 3)
    weights = random.uniform(0, 2, shape) * (np.arange(shape[0]) != 2).reshape(
        -1, *(1,) * (len(shape) - 1)
    )
    each = np.broadcast_to(weights.T, (3, 4)).T if shape == (4,) else weights

    arguments = dict(options)
    class_weight = arguments.pop("class_weight", (1.0, 1.0, 1.0))
    rows = torch.tensor(z.reshape(12, 3), requires_grad=True)
    losses = torch.nn.functional.cross_entropy(
        rows, torch.tensor(y.reshape(12)), reduction="none",
        weight=torch.tensor(class_weight, dtype=torch.float64), **arguments,
    )  # fmt: skip
    counted = np.where(y < 0, 0.0, np.array(class_weight)[y.clip(min=0)])
    expected = (losses * torch.tensor(each.reshape(12))).sum() / (each * counted).sum()
    expected.backward()

    loss = nx.SoftmaxCrossEntropy(backend=be, **options)
    value = loss.calculate(
        be.asarray(z), be.asarray(y), sample_weight=be.asarray(weights)
    )
    assert_agrees(value, expected.detach().numpy(), be, rtol=1e-10)
    expected_gradient = rows.grad.numpy().reshape(z.shape)
    assert_agrees(loss.backward(), expected_gradient, be, rtol=1e-10)
    weighted = (losses.detach().numpy() * each.reshape(12)).reshape(4, 3)
    assert_agrees(loss.output, weighted, be, rtol=1e-10)


def test_weights_of_other_shapes_are_refused(backend):
    loss = nx.SoftmaxCrossEntropy(backend=backend)
    z = backend.asarray(np.zeros((4, 2, 3)), backend.dtype)
    y = backend.asarray(np.zeros((4, 2), "int64"))
    for shape in ((3,), (2, 4), (4, 2, 3), (4, 1)):
        with pytest.raises(nx.InputError, match=r"^sample_weight must .*4"):
            loss.calculate(z, y, sample_weight=np.ones(shape).tolist())


def test_nothing_counts(backend):
    """The loss is NaN, as in PyTorch, and teaches nothing."""
    be = backend
    z = be.asarray(np.array([[1.0, 2.0], [0.0, 0.0]]), be.dtype)
    ignored, labels = (be.asarray(np.array(y)) for y in ([-100, -100], [0, 1]))
    nothing = be.asarray(np.zeros(2), be.dtype)
    for options, y, weights in (
        (IGNORING, ignored, None),
        ({**SMOOTHED, **IGNORING}, ignored, None),
        ({"class_weight": [0, 0]}, labels, None),
        ({}, labels, nothing),
    ):
        loss = nx.SoftmaxCrossEntropy(backend=be, **options)
        value = loss.calculate(z, y, sample_weight=weights)
        assert np.isnan(be.to_numpy(value)) and value.shape == ()
        assert_agrees(loss.backward(), np.zeros((2, 2)), be)
        loss = nx.SoftmaxCrossEntropy(backend=be, reduction="sum", **options)
        assert_agrees(loss.calculate(z, y, sample_weight=weights), 0.0, be)


@pytest.mark.parametrize("number", [float, np.float32, np.float64])
def test_means_of_numbers(number):
    loss = nx.MeanSquaredError()
    assert loss.finish(number(6.0), 4) == loss.finish(number(6.0), number(4)) == 1.5
    for zero in (0, number(0)):
        assert math.isnan(loss.finish(number(0.0), zero))
        assert type(loss.finish(number(0.0), number(0))) is number
        assert nx.Huber(reduction="sum").finish(number(0.0), zero) == 0


def test_a_sample_without_weight_may_have_an_infinite_loss(backend):
    be = backend
    z = be.asarray(np.array([[0.0, -np.inf], [0.0, 0.0]]), be.dtype)
    y = be.asarray(np.array([1, 0]))
    loss = nx.SoftmaxCrossEntropy(backend=be)
    assert np.isinf(be.to_numpy(loss.calculate(z, y)))
    weights = be.asarray(np.array([0.0, 3.0]))
    value = loss.calculate(z, y, sample_weight=weights)
    assert_agrees(value, math.log(2), be)
    assert_agrees(loss.output, [0.0, 3 * math.log(2)], be)
    assert_agrees(loss.backward(), [[0.0, 0.0], [-0.5, 0.5]], be)


def test_class_weights_are_moved_to_a_device_once(backend):
    loss = nx.CategoricalCrossEntropy(**WEIGHTED)
    y = backend.asarray(np.array([0]))
    for _ in range(2):
        loss.check_targets(backend, y, "y", (1, 3))
    weights = loss._weights.on(backend)
    assert loss._weights.on(backend) is weights
    # A model checks with the one and computes with the other.
    assert loss.after_softmax._weights.on(backend) is weights
    assert_agrees(weights, [2.0, 0.5, 1.0], backend)
    assert loss.class_weight == (2.0, 0.5, 1.0)


@pytest.mark.backend("jax")
def test_compiled_by_jax(dtype):
    be = backend_or_skip("jax", dtype)
    import jax

    random = np.random.default_rng(4)
    z, y = random.standard_normal((5, 3)), np.array([0, 1, -100, 2, 1])
    weights = be.asarray(random.uniform(0, 1, 5), be.dtype)
    for placed in (False, True):
        loss = nx.SoftmaxCrossEntropy(**COMBINED)
        if placed:
            loss.check_targets(be, y.tolist(), "y", (5, 3))

        def step(z, y, weights, loss=loss):
            losses, residuals = loss.fwd(be, z, y)
            count, dlosses = loss.factors(be, (5,), y, weights)
            total = be.xp.sum(loss.weighted(be, losses, weights))
            return loss.finish(total, count), loss.bwd(be, residuals, dlosses)

        given = be.asarray(z, be.dtype), be.asarray(y, "int32"), weights
        for found, expected in zip(jax.jit(step)(*given), step(*given), strict=True):
            assert_agrees(found, be.to_numpy(expected), be)
        loss.fwd(be, *given[:2])  # no tracer was left behind


@pytest.mark.parametrize("name", ["numpy", "strict", "torch", "jax", "cupy"])
def test_other_forms_of_targets_mean_the_same(name, dtype):
    be = backend_or_skip(name, dtype)
    z = be.asarray(np.random.default_rng(3).standard_normal((4, 3)), be.dtype)
    labels, hard = np.array([0, 2, 1, 2]), np.array([[0], [1], [1], [0]])
    loss = nx.SoftmaxCrossEntropy(backend=be, **SMOOTHED)
    expected = be.to_numpy(loss.backward(z, be.asarray(labels)))
    binary = nx.BinaryCrossEntropy(True, backend=be)
    values = nx.MeanSquaredError(backend=be)
    one = z[:, :1]
    expected_binary = be.to_numpy(binary.backward(one, be.asarray(hard * 1.0)))
    expected_values = be.to_numpy(values.backward(one, be.asarray(hard * 1.0)))
    for kind in ("uint8", "int32", "int64", "bool", "float32", "float64"):
        rows = be.asarray(np.eye(3)[labels].astype(kind))
        assert_agrees(loss.backward(z, rows), expected, be)
        own = be.asarray(hard.astype(kind))
        assert_agrees(binary.backward(one, own), expected_binary, be)
        assert_agrees(values.backward(one, own), expected_values, be)
        if kind[0] in "ui":
            own = be.asarray(labels.astype(kind))
            assert_agrees(loss.backward(z, own), expected, be)
    assert_agrees(values.backward(one, hard.tolist()), expected_values, be)
