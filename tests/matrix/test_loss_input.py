"""Bad targets, weights and options of losses, the same on every backend."""

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import backend_or_skip
from tests.matrix.helpers import assert_agrees
from tests.matrix.test_bad_input import on_backend, other_array

N = 6
COLUMN = np.linspace(0.1, 0.9, N)[:, None]
TABLE = np.linspace(0.1, 0.9, 2 * N).reshape(N, 2)
SHAPE = r" must have the shape of the predictions, \({}\), got \({}\)"

# Predictions, targets, and what the message must say.
BAD_VALUES = {
    "one axis": (
        COLUMN, COLUMN[:, 0],
        SHAPE.format("6, 1", "6,") + r"; use y_true.reshape\(-1, 1\)",
    ),
    "a column": (
        COLUMN[:, 0], COLUMN,
        SHAPE.format("6,", "6, 1") + r"; use y_true.reshape\(-1\)",
    ),
    "too few outputs": (TABLE, COLUMN, SHAPE.format("6, 2", "6, 1")),
    "too many outputs": (COLUMN, TABLE, SHAPE.format("6, 1", "6, 2")),
    "labels": (TABLE, np.arange(N) % 2, SHAPE.format("6, 2", "6,")),
    "transposed": (TABLE, TABLE.T, SHAPE.format("6, 2", "2, 6")),
    "too few": (COLUMN, COLUMN[:-1], "one entry for each of 6 samples, got 5"),
    "too many": (COLUMN[:-1], COLUMN, "one entry for each of 5 samples, got 6"),
    "none": (COLUMN, COLUMN[:0], "one entry for each of 6 samples, got 0"),
    "a number": (COLUMN, np.array(1.0), "got "),
    "one for all": (COLUMN[:, 0], np.array([0.5]), "6 samples, got 1"),
    "complex": (COLUMN, COLUMN * 1j, "real numbers"),
}  # fmt: skip
NOT_FINITE = {
    "NaN": np.where(COLUMN < 0.2, np.nan, 0.5),
    "infinite": np.where(COLUMN < 0.2, np.inf, 0.5),
    "minus infinite": np.where(COLUMN < 0.2, -np.inf, 0.5),
}
NOT_PROBABILITIES = {
    **NOT_FINITE,
    "above 1": COLUMN + 0.5,
    "below 0": COLUMN - 0.5,
    "labels of three": np.array([[0], [1], [2], [0], [1], [2]]),
    "minus one": np.array([[0], [1], [-1], [0], [1], [1]]),
}
WEIGHTS = np.linspace(0.0, 1.0, N)
BAD_WEIGHTS = {
    "negative": (WEIGHTS - 0.5, "0 or more, got -0.5"),
    "minus one": (np.array([1, 0, -1, 2, 3, 4]), "0 or more, got -1"),
    "NaN": (np.where(WEIGHTS > 0.5, np.nan, 1.0), "finite"),
    "infinite": (np.where(WEIGHTS > 0.5, np.inf, 1.0), "finite"),
    "a column": (WEIGHTS[:, None], r"must have shape \(6,\), got \(6, 1\)"),
    "of outputs": (TABLE, r"must have shape \(6,\), got \(6, 2\)"),
    "a number": (np.array(1.0), r"must have shape \(6,\), got \(\)"),
    "too few": (WEIGHTS[:-1], "6 samples, got 5"),
    "none": (WEIGHTS[:0], "6 samples, got 0"),
    "complex": (WEIGHTS * 1j, "real numbers"),
}
VALUE_LOSSES = [nx.MeanSquaredError, nx.MeanAbsoluteError, nx.Huber]
OUTPUT_LOSSES = [*VALUE_LOSSES, nx.BinaryCrossEntropy]
CLASS_LOSSES = [nx.CategoricalCrossEntropy, nx.SoftmaxCrossEntropy]


def assert_refused(loss, message, *arguments, **options):
    """Every entrance raises, and leaves the loss as it was."""
    for call in (loss.forward, loss.calculate, loss.backward):
        with pytest.raises(nx.InputError, match=message):
            call(*arguments, **options)
    assert not hasattr(loss, "output") and not hasattr(loss, "dinputs")
    with pytest.raises(nx.InputError, match="or a forward pass"):
        loss.backward()


@pytest.mark.parametrize("kind", BAD_VALUES)
@pytest.mark.parametrize("make", OUTPUT_LOSSES)
def test_targets_of_another_shape(backend, make, kind):
    y_pred, y_true, message = BAD_VALUES[kind]
    own = backend.asarray(y_pred, backend.dtype), on_backend(backend, y_true)
    assert_refused(make(backend=backend), f"^y_true.*{message}", *own)


@pytest.mark.parametrize("kind", NOT_FINITE)
@pytest.mark.parametrize("make", VALUE_LOSSES)
def test_values_that_are_not_finite(backend, make, kind):
    own = backend.asarray(COLUMN, backend.dtype), backend.asarray(NOT_FINITE[kind])
    assert_refused(make(backend=backend), "^y_true must be finite in float", *own)


def test_values_too_large_for_the_dtype(backend_name):
    be = backend_or_skip(backend_name, "float32")
    y_pred = be.asarray(COLUMN, be.dtype)
    loss = nx.MeanSquaredError(backend=be)
    listed = (COLUMN * 1e300).tolist()
    assert_refused(loss, "y_true must be finite in float32", y_pred, listed)


@pytest.mark.parametrize("kind", NOT_PROBABILITIES)
def test_targets_that_are_no_probabilities(backend, kind):
    y_true = backend.asarray(NOT_PROBABILITIES[kind])
    y_pred = backend.asarray(COLUMN, backend.dtype)
    for loss in (
        nx.BinaryCrossEntropy(backend=backend),
        nx.BinaryCrossEntropy(from_logits=True, backend=backend),
    ):
        message = "^y_true must hold probabilities from 0 to 1, got numbers from "
        assert_refused(loss, message, y_pred, y_true)


@pytest.mark.parametrize("kind", BAD_WEIGHTS)
@pytest.mark.parametrize("make", [nx.MeanSquaredError, nx.SoftmaxCrossEntropy])
def test_bad_weights(backend, make, kind):
    weights, message = BAD_WEIGHTS[kind]
    own = backend.asarray(TABLE, backend.dtype)
    assert_refused(
        make(backend=backend),
        f"^sample_weight.*{message}",
        own,
        own,
        sample_weight=on_backend(backend, weights),
    )


def test_weights_without_targets(backend):
    loss = nx.MeanSquaredError(backend=backend)
    own = backend.asarray(COLUMN, backend.dtype)
    loss.forward(own, own)
    with pytest.raises(nx.InputError, match="sample_weight must be given with y_pred"):
        loss.backward(sample_weight=backend.asarray(WEIGHTS))


@pytest.mark.parametrize("make", OUTPUT_LOSSES)
def test_arrays_of_another_library(backend, make):
    own, other = backend.asarray(COLUMN), other_array(backend, COLUMN)
    weights = other_array(backend, WEIGHTS)
    loss = make(backend=backend)
    assert_refused(loss, "^y_pred is an array", other, own)
    assert_refused(loss, "^y_true is an array", own, other)
    assert_refused(loss, "^sample_weight is an array", own, own, sample_weight=weights)


@pytest.mark.parametrize("make", [*OUTPUT_LOSSES, *CLASS_LOSSES])
def test_host_arrays_come_in_where_they_may(backend, make):
    """As the whole targets of a data set do."""
    loss, targets = make(), np.round(TABLE)
    found = loss.check_targets(backend, targets, "y", (N, None), host_allowed=True)
    assert_agrees(found, targets, backend)
    for wide in ("int64", "uint64", "bool"):
        found = loss.check_targets(
            backend, targets.astype(wide), "y", (N, 2), host_allowed=True
        )
        assert_agrees(found, targets, backend)
    if backend.name != "numpy":
        with pytest.raises(nx.BackendMismatchError, match="^y is an array"):
            loss.check_targets(backend, targets, "y", (N, 2))
    with pytest.raises(nx.InputError, match="^y .*7 samples, got 6"):
        loss.check_targets(backend, targets, "y", (7, None), host_allowed=True)


def test_lengths_that_are_not_known(backend):
    loss = nx.MeanSquaredError()
    message = r"shape of the predictions, \(6, k\), got \(6,\); use y.reshape\(-1, 1\)"
    with pytest.raises(nx.InputError, match=message):
        loss.check_targets(backend, WEIGHTS.tolist(), "y", (N, None))
    with pytest.raises(nx.InputError, match="y is empty"):
        loss.check_targets(backend, [[]] * N, "y", (N, None))
    classes = nx.SoftmaxCrossEntropy()
    with pytest.raises(nx.InputError, match=r"y: classes need predictions of shape"):
        classes.check_targets(backend, [0] * N, "y", (N,))
    for shape, wanted in (
        ((N, 2, 2), r"\(6, 2\) or rows of shape \(6, 2, 2\)"),
        ((N, None, 2), r"\(6, n\) or rows of shape \(6, n, 2\)"),
    ):
        message = rf"^y must be labels of shape {wanted}, got \(6,\)"
        with pytest.raises(nx.InputError, match=message):
            classes.check_targets(backend, [0] * N, "y", shape)
    found = classes.check_targets(backend, [[0, 1, 1]] * N, "y", (N, None, 2))
    assert found.shape == (N, 3)


# Losses of classes.


@pytest.mark.parametrize("make", CLASS_LOSSES)
def test_only_the_ignored_label_is_out_of_range(backend, make):
    p = backend.asarray(np.full((3, 2), 0.5), backend.dtype)
    for ignored in (-100, 255, 1):
        loss = make(ignore_index=ignored, backend=backend)
        for bad in (-1, 2, ignored - 1000):
            y = backend.asarray(np.array([0, ignored, bad]))
            assert_refused(
                loss, f"^y_true must hold labels from 0 to 1, got {bad}", p, y
            )
        labels = np.array([0, ignored, 1])
        losses = backend.to_numpy(loss.forward(p, backend.asarray(labels)))
        expected = np.where(labels == ignored, 0.0, np.log(2))
        np.testing.assert_allclose(losses, expected, rtol=1e-6)
    loss = make(ignore_index=255, backend=backend)
    loss.forward(p, backend.asarray(np.array([0, 255, 1], dtype="uint8")))


def test_a_label_that_wrapped_around_is_not_the_ignored_one(backend64):
    loss = nx.SoftmaxCrossEntropy(ignore_index=-100)
    for kind in ("uint8", "uint64"):
        labels = np.array([0, -100 % 2 ** (8 * np.dtype(kind).itemsize)], dtype=kind)
        with pytest.raises(nx.InputError, match="labels from 0 to 1, got"):
            loss.check_targets(backend64, labels, "y", (2, 2), host_allowed=True)


@pytest.mark.parametrize("make", CLASS_LOSSES)
def test_class_weights_of_another_number_of_classes(backend, make):
    p = backend.asarray(np.full((3, 2), 0.5), backend.dtype)
    y = backend.asarray(np.array([0, 1, 1]))
    for weights in ([1.0], [1.0, 2.0, 3.0]):
        loss = make(class_weight=weights, backend=backend)
        message = f"class_weight must hold a weight for each of 2.*got {len(weights)}"
        assert_refused(loss, message, p, y)
        with pytest.raises(nx.InputError, match=message):
            loss.check_targets(backend, [0, 1, 1], "y", (3, 2))
        # Nor does the pure pair broadcast them, where nobody has checked.
        with pytest.raises(nx.InputError, match=message):
            loss.fwd(backend, p, backend.asarray(y, "int32"))
    loss = make(class_weight=[1e300, 1.0], backend=backend)
    if backend.dtype_name == "float32":
        assert_refused(loss, "class_weight must be 0, or .* float32", p, y)


@pytest.mark.parametrize(
    ("make", "argument", "values"),
    [
        (nx.MeanSquaredError, "reduction", ["average", "Mean", None, 1, ["mean"]]),
        (nx.BinaryCrossEntropy, "reduction", ["batchmean"]),
        (nx.SoftmaxCrossEntropy, "reduction", ["batchmean"]),
        (nx.CategoricalCrossEntropy, "reduction", ["batchmean"]),
        (nx.BinaryCrossEntropy, "mode", ["clipped", None, 3]),
        (nx.CategoricalCrossEntropy, "mode", ["clipped"]),
        *(
            (make, "label_smoothing", [1.0, -0.1, np.nan, "0.1", None, True, [0.1]])
            for make in (*CLASS_LOSSES, nx.BinaryCrossEntropy)
        ),
        *(
            (make, "class_weight", [
                [], (), 2.0, "11", {}, {0: "1"}, {0.5: 1}, [1, -1], [1, np.nan],
                [1, np.inf],
                [1, "1"], [[1, 2]], [True, False], np.ones((2, 2)), np.array(1.0),
                np.array([]), [None, 1],
            ])
            for make in CLASS_LOSSES
        ),
        *(
            (make, "ignore_index", [1.0, "1", True, 2**31, -(2**31) - 1, [1]])
            for make in CLASS_LOSSES
        ),
        (nx.Huber, "delta", [0, -1.0, np.nan, np.inf, "1", None, True]),
    ],
)  # fmt: skip
def test_bad_options(make, argument, values):
    for value in values:
        with pytest.raises(nx.InputError, match=argument) as caught:
            make(**{argument: value})
        assert "got" in str(caught.value), value


def test_options_are_kept_as_plain_numbers():
    loss = nx.CategoricalCrossEntropy(
        label_smoothing=np.float32(0.5),
        class_weight=np.array([1, 2]),
        ignore_index=np.int64(-1),
        reduction="sum",
    )
    assert loss.config() == {
        "from_logits": False, "mode": "exact", "label_smoothing": 0.5,
        "class_weight": (1.0, 2.0), "ignore_index": -1, "reduction": "sum",
    }  # fmt: skip
    assert type(loss.class_weight[0]) is float and type(loss.ignore_index) is int
    assert repr(nx.BinaryCrossEntropy()) == (
        "BinaryCrossEntropy(from_logits=False, mode='exact')"
    )
    assert repr(nx.Huber(2, reduction="none")) == "Huber(delta=2.0, reduction='none')"
    assert repr(nx.MeanSquaredError()) == "MeanSquaredError()"
