"""A regression test for every mistake found in the five source notebooks.

The numbers of the tests are those of this list; ``docs/seeds-and-differences.md``
says more of each.

1. Softmax backward cannot run, and would make a matrix for each sample.
2. The name of the loss class is spelled in two ways.
3. Cross-entropy backward divides by 0, changes the dtype, and the combined one
   makes labels of soft targets.
4. Some forward passes return nothing.
5. Per-sample losses of labels and of one-hot rows differ in shape.
6. Accuracy compares class numbers with one-hot rows.
7. Integer one-hot rows are taken for labels, and -1 counts from the end.
8. The second layer skips the ReLU; the loss is said to rise with confidence.
9. Soft targets are weighed inside the logarithm.
10. A label out of range is wrapped around on the GPU.
"""

import numpy as np
import pytest

import nnfs_xp as nx

BUGS = 10
P = np.array([[0.7, 0.1, 0.2], [0.1, 0.5, 0.4], [0.02, 0.9, 0.08]])
Y = np.array([0, 1, 1])
SOFT = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.0, 0.9, 0.1]])


def test_all_are_here():
    numbers = {
        int(name.split("_")[2]) for name in globals() if name.startswith("test_bug_")
    }
    assert numbers == set(range(1, BUGS + 1))


def test_bug_1_softmax_backward_is_the_jacobian_product(backend64):
    be = backend64
    z = np.array([[1.0, 2.0, 3.0], [3.0, -1.0, 0.0]])
    ds = np.array([[0.3, -0.2, 1.0], [1.0, 2.0, 3.0]])
    layer = nx.Softmax(backend=be)
    s = be.to_numpy(layer.forward(be.asarray(z)))
    expected = [(np.diag(p) - np.outer(p, p)) @ d for p, d in zip(s, ds, strict=True)]
    found = be.to_numpy(layer.backward(be.asarray(ds)))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_bug_2_both_spellings_name_the_same_loss():
    from nnfs_xp.registry import find

    for name in (
        "categorical_crossentropy",
        "categorical_cross_entropy",
        "CategoricalCrossentropy",
        "CategoricalCrossEntropy",
    ):
        assert find("loss", name) is nx.CategoricalCrossEntropy


@pytest.mark.parametrize("mode", ["exact", "book"])
def test_bug_3_gradient_is_finite_at_probability_0(backend, mode):
    be = backend
    loss = nx.CategoricalCrossEntropy(mode=mode, backend=be)
    p = be.asarray(np.array([[0.0, 1.0, 0.0]]), be.dtype)
    gradient = loss.backward(p, be.asarray(np.array([0])))
    assert gradient.dtype == be.dtype
    host = be.to_numpy(gradient)
    assert np.all(np.isfinite(host))
    assert host[0, 0] < -1e6
    assert not host[0, 1:].any()
    assert np.all(np.isfinite(be.to_numpy(loss.output)))


def test_bug_3_gradients_keep_the_dtype(backend):
    be = backend
    p = be.asarray(P, be.dtype)
    for targets in (Y, np.eye(3)[Y], np.eye(3, dtype="uint8")[Y]):
        y = be.asarray(targets)
        for loss in (nx.CategoricalCrossEntropy, nx.SoftmaxCrossEntropy):
            assert loss(backend=be).backward(p, y).dtype == be.dtype


def test_bug_3_combined_backward_keeps_soft_targets(backend64):
    be = backend64
    z = np.log(P)
    loss = nx.SoftmaxCrossEntropy(backend=be)
    found = loss.backward(be.asarray(z), be.asarray(SOFT))
    np.testing.assert_allclose(
        be.to_numpy(found), (P - SOFT) / 3, rtol=1e-12, atol=1e-16
    )


def test_bug_4_every_forward_returns_what_it_keeps(backend64):
    be = backend64
    x, y = be.asarray(P), be.asarray(Y)
    for layer in (nx.Dense(3, 2, backend=be), nx.ReLU(backend=be), nx.Softmax()):
        assert layer.forward(x) is layer.output
    for loss in (nx.CategoricalCrossEntropy(), nx.SoftmaxCrossEntropy()):
        assert loss.forward(x, y) is loss.output
        assert loss.backward() is loss.dinputs


def test_bug_5_losses_of_samples_have_one_axis(backend64):
    be = backend64
    for make in (nx.CategoricalCrossEntropy, nx.SoftmaxCrossEntropy):
        loss = make(backend=be)
        from_labels = loss.forward(be.asarray(P), be.asarray(Y))
        from_rows = loss.forward(be.asarray(P), be.asarray(np.eye(3)[Y]))
        assert from_labels.shape == from_rows.shape == (3,)
        assert (from_labels - from_rows).shape == (3,)


def test_bug_6_accuracy_of_one_hot_targets(backend64):
    be = backend64
    metric = nx.Accuracy(backend=be)
    for targets in (Y, np.eye(3)[Y], np.eye(3, dtype="int64")[Y]):
        value = metric.calculate(be.asarray(P), be.asarray(targets))
        assert float(be.to_numpy(value)) == 1.0


def test_bug_7_integer_one_hot_rows_are_rows(backend64):
    be = backend64
    # As many samples as classes: the case that goes wrong without a word.
    one_hot = np.eye(3, dtype="int64")[Y]
    loss = nx.CategoricalCrossEntropy(backend=be)
    found = be.to_numpy(loss.forward(be.asarray(P), be.asarray(one_hot)))
    np.testing.assert_allclose(found, -np.log([0.7, 0.5, 0.9]), rtol=1e-12)
    gradient = be.to_numpy(loss.backward())
    np.testing.assert_allclose(gradient, -np.eye(3)[Y] / P / 3, rtol=1e-12)


@pytest.mark.parametrize("make", [nx.CategoricalCrossEntropy, nx.SoftmaxCrossEntropy])
def test_bug_7_label_minus_one_is_refused(backend64, make):
    be = backend64
    with pytest.raises(nx.InputError, match="y_true must hold labels from 0 to 2"):
        make(backend=be).forward(be.asarray(P), be.asarray(np.array([0, -1, 1])))


def test_bug_8_a_layer_gets_the_output_of_the_one_before(backend64):
    be = backend64
    model = nx.Model(
        [nx.Dense(4, 5), nx.ReLU(), nx.Dense(5, 2), nx.Softmax()], backend=be, seed=3
    )
    x = np.array([[1, 2.2, 1.1, 5], [0.1, 4, 0.9, 3], [4, 2.1, 0.5, 3.2]])
    w1, b1, w2, b2 = (be.to_numpy(p) for p in model.parameters.values())
    hidden = x @ w1 + b1
    assert hidden.min() < 0, "the ReLU would have nothing to do"
    logits = np.maximum(hidden, 0) @ w2 + b2
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = be.to_numpy(model.predict(be.asarray(x)))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_bug_8_loss_falls_as_confidence_grows(backend64):
    be = backend64
    p = np.linspace(0.01, 1.0, 50)
    rows = be.asarray(np.stack([p, 1 - p], axis=1))
    loss = nx.CategoricalCrossEntropy(backend=be)
    losses = be.to_numpy(loss.forward(rows, be.asarray(np.zeros(50, dtype="int64"))))
    assert np.all(np.diff(losses) < 0)
    assert losses[-1] == 0


def test_bug_9_soft_targets_weigh_logarithms(backend64):
    be = backend64
    expected = -(SOFT * np.log(P)).sum(axis=1)
    for loss, values in (
        (nx.CategoricalCrossEntropy(backend=be), P),
        (nx.CategoricalCrossEntropy(mode="book", backend=be), P),
        (nx.SoftmaxCrossEntropy(backend=be), np.log(P)),
    ):
        found = loss.forward(be.asarray(values), be.asarray(SOFT))
        np.testing.assert_allclose(be.to_numpy(found), expected, rtol=1e-12)


def test_bug_10_a_label_out_of_range_is_refused_everywhere(backend64):
    be = backend64
    y = be.asarray(np.array([0, 3, 1]))
    for unit, call in (
        (nx.CategoricalCrossEntropy(backend=be), "forward"),
        (nx.SoftmaxCrossEntropy(backend=be), "backward"),
        (nx.Accuracy(backend=be), "calculate"),
    ):
        with pytest.raises(nx.InputError, match="labels from 0 to 2, got 3"):
            getattr(unit, call)(be.asarray(P), y)
