"""What `Model.activations` and `Model.gradients` show is what training uses."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.errors import InputError
from tests.matrix.helpers import tolerance

X = np.random.default_rng(0).normal(size=(6, 4))
Y = np.array([0, 1, 2, 2, 1, 0])


def make_model(be, **extra):
    return nx.Model(
        [
            nx.Dense(4, 5, weight_regularizer=nx.L2(0.1)),
            nx.Sequential([nx.Tanh(), nx.Dropout(0.5), nx.Dense(5, 3)]),
            nx.Softmax(),
        ],
        loss="categorical_crossentropy",
        backend=be,
        **extra,
    )


def test_activations_end_in_predictions(backend):
    model = make_model(backend)
    outputs = model.activations(X)
    assert [output.shape for output in outputs] == [(6, 5)] * 3 + [(6, 3)] * 2
    # A compiled prediction may add up in another order.
    np.testing.assert_allclose(
        backend.to_numpy(outputs[-1]),
        backend.to_numpy(model.predict(X)),
        rtol=1e-6 if backend.dtype_name == "float32" else 1e-14,
    )
    # Dropout does nothing outside of training.
    np.testing.assert_array_equal(
        backend.to_numpy(outputs[1]), backend.to_numpy(outputs[2])
    )


def test_gradients_are_derivatives_of_loss_and_penalties(backend64):
    model = make_model(backend64)
    gradients = model.gradients(X, Y)
    assert list(gradients) == list(model.parameters)
    direction = np.random.default_rng(1).normal(size=(4, 5))
    dense = model.layers[0]
    start = backend64.to_numpy(dense.weights)

    def loss_at(shift):
        weights = start + shift * direction
        dense.weights = backend64.asarray(weights)
        return model.evaluate(X, Y)["loss"] + 0.1 * np.sum(weights**2)

    step = 1e-5
    numerical = (loss_at(step) - loss_at(-step)) / (2 * step)
    own = backend64.to_numpy(gradients["0.weights"])
    assert np.sum(own * direction) == pytest.approx(numerical, rel=1e-7)


def test_a_step_of_sgd_goes_along_them(backend):
    model = nx.Model(
        [nx.Dense(4, 3), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer=nx.SGD(0.5),
        backend=backend,
    )
    before = backend.to_numpy(model.layers[0].weights)
    gradient = backend.to_numpy(model.gradients(X, Y)["0.weights"])
    model.fit(X, Y, batch_size=None, shuffle=False)
    after = backend.to_numpy(model.layers[0].weights)
    np.testing.assert_allclose(
        after, before - 0.5 * gradient, rtol=0, atol=tolerance(backend)
    )


def test_nothing_changes(backend):
    model = make_model(backend, optimizer="adam")
    before = {name: backend.to_numpy(v) for name, v in model.parameters.items()}
    model.activations(X)
    model.gradients(X, Y)
    for name, value in model.parameters.items():
        np.testing.assert_array_equal(backend.to_numpy(value), before[name])
    assert (model.steps_trained, model.epochs_trained) == (0, 0)


def test_what_does_not_fit_is_refused():
    model = make_model("numpy")
    with pytest.raises(InputError, match=r"x must have shape \(samples, 4\)"):
        model.activations(X[:, :3])
    with pytest.raises(InputError, match="labels"):
        model.gradients(X, Y + 1)
    with pytest.raises(InputError, match="gradients needs a model with a loss"):
        nx.Model([nx.Dense(4, 3)]).gradients(X, Y)


def test_a_summary_shortens_blocks_whose_layers_have_rows_of_their_own():
    lines = []
    inner = nx.Sequential([nx.Dense(4, 4), nx.BatchNorm(4), nx.ReLU()])
    nx.Model([nx.Residual(inner)]).summary(lines.append)
    rows = "\n".join(lines).splitlines()
    (block,) = [row for row in rows if row.startswith("0 Residual(Sequential([Dense")]
    assert " ...  " in block and len(block) < 90
    assert any(row.startswith("0.inner.1 BatchNorm(n=4, momentum=") for row in rows)


def test_samples_like_those_before_are_predicted_without_further_checks(backend):
    layers = [nx.Dense(4, 5), nx.ReLU(), nx.Dense(5, 3)]
    model = nx.Model(layers, backend=backend)
    x = backend.asarray(X, backend.dtype)
    again = model._trainer.predict_again
    assert again(x, None) is None
    first = backend.to_numpy(model.predict(x))
    if backend.kind_of(x) is not None:
        np.testing.assert_array_equal(backend.to_numpy(again(x, 6)), first)
        assert again(x, 5) is None
        assert again(x[:, :3], 6) is None
    for batch_size in (None, 6, 4):
        outputs = backend.to_numpy(model.predict(x, batch_size=batch_size))
        np.testing.assert_allclose(outputs, first, rtol=tolerance(backend))
    with pytest.raises(InputError, match="4"):
        model.predict(x[:, :3])
    # New parameters, and layers that are exchanged, are seen.
    model.layers[0].weights = 0 * model.layers[0].weights
    moved = backend.to_numpy(model.predict(x))
    np.testing.assert_allclose(moved, np.broadcast_to(moved[0], moved.shape), rtol=1e-5)
    model.add(nx.Dense(3, 2))
    assert model.predict(x).shape == (6, 2)
