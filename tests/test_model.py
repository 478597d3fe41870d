"""The model: its arguments, its training loop, and moving it about."""

import copy

import numpy as np
import pytest

import nnfs_xp as nx

_random = np.random.default_rng(4)
X = _random.standard_normal((60, 4))
Y = (X[:, 0] + X[:, 1] > 0).astype("int64")


def layers():
    return [nx.Dense(4, 8), nx.ReLU(), nx.Dense(8, 2), nx.Softmax()]


def make(**kwargs):
    arguments = {"loss": "categorical_crossentropy", "optimizer": nx.Adam(0.01)}
    return nx.Model(layers(), **{**arguments, "dtype": "float64", **kwargs})


def named(model):
    return {name: np.array(array) for name, array in model.parameters.items()}


def assert_same(one, other, rtol=0.0):
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_allclose(other[name], value, rtol=rtol, err_msg=name)


# What cannot be a model.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layers": []}, "at least one layer"),
        ({"layers": [nx.Dense(2, 2), "relu"]}, "only layers, got 'relu'"),
        (
            {"layers": [nx.Dense(2, 3), nx.Dense(2, 3)]},
            r"samples of shape \(2,\), got \(3,\)",
        ),
        ({"layers": [nx.Dense(2, 3)] * 2}, "each layer only once"),
        ({"loss": "hindsight"}, "loss must be one of"),
        ({"loss": 3}, "loss must be one of"),
        ({"optimizer": "adm"}, "optimizer must be one of"),
        ({"metrics": "auk"}, "metrics must be one of"),
        ({"seed": -1}, "seed must be an integer"),
        ({"seed": 1.5}, "seed must be an integer"),
        ({"seed": 2**64}, "seed must be an integer"),
        ({"dtype": "float16"}, "dtype must be one of"),
        ({"compile": "yes"}, "compile must be one of"),
        ({"loss": nx.SoftmaxCrossEntropy()}, "takes logits"),
        ({"loss": nx.CategoricalCrossEntropy(from_logits=True)}, "takes logits"),
        (
            {"layers": [nx.Dense(2, 2)], "loss": nx.CategoricalCrossEntropy()},
            "takes probabilities",
        ),
    ],
)
def test_what_cannot_be_a_model(arguments, message):
    with pytest.raises(nx.InputError, match=message):
        nx.Model(arguments.pop("layers", layers()), **arguments)


def test_compiling_cannot_be_required_where_nothing_compiles():
    pytest.importorskip("array_api_strict")
    with pytest.raises(nx.BackendUnavailableError, match="compile='require'"):
        make(compile="require", backend="array_api_strict")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs must be a positive integer"),
        ({"epochs": 1.5}, "epochs must be"),
        ({"epochs": True}, "epochs must be"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"batch_size": -5}, "batch_size must be"),
        ({"validation_data": X}, "must be a pair .* got ndarray"),
        ({"validation_data": (X,)}, "must be a pair .* got 1 parts"),
        ({"validation_data": (X * np.nan, Y)}, "validation_data x must be finite"),
        ({"validation_data": [(X * np.nan, Y)]}, "validation_data, batch 1: x must be"),
    ],
)
def test_arguments_of_fit(arguments, message):
    model = make()
    before = named(model)
    with pytest.raises(nx.InputError, match=message):
        model.fit(X, Y, **arguments)
    assert_same(before, named(model))
    assert model.epochs_trained == 0


def test_fit_needs_a_loss_and_an_optimizer():
    for missing in ("loss", "optimizer"):
        with pytest.raises(nx.InputError, match="fit needs a model with"):
            make(**{missing: None}).fit(X, Y)
    with pytest.raises(nx.InputError, match="evaluate needs a model with a loss"):
        make(loss=None).evaluate(X, Y)
    with pytest.raises(nx.InputError, match="no optimizer"):
        make(optimizer=None).learning_rate  # noqa: B018
    assert make(loss=None, optimizer=None).predict(X).shape == (60, 2)


@pytest.mark.parametrize("value", [0, -1, 2.0, True, "3"])
def test_sizes_of_a_dense_layer(value):
    with pytest.raises(nx.InputError, match="n_inputs must be a positive integer"):
        nx.Dense(value, 2)
    with pytest.raises(nx.InputError, match="n_neurons must be a positive integer"):
        nx.Dense(2, value)


@pytest.mark.parametrize(
    ("make_optimizer", "message"),
    [
        (lambda: nx.SGD(-0.1), "learning_rate must be a finite number of 0 or more"),
        (lambda: nx.SGD(float("nan")), "learning_rate"),
        (lambda: nx.SGD("fast"), "learning_rate"),
        (lambda: nx.Adam(beta_1=1.0), "beta_1 must be less than 1"),
        (lambda: nx.Adam(beta_2=-0.1), "beta_2"),
        (lambda: nx.Adam(epsilon=float("inf")), "epsilon"),
        (lambda: nx.Normal(float("nan")), "scale must be a finite number"),
        (lambda: nx.CategoricalCrossEntropy(mode="clip"), "mode must be one of"),
    ],
)
def test_arguments_of_units(make_optimizer, message):
    with pytest.raises(nx.InputError, match=message):
        make_optimizer()


# Training.


def test_history_holds_every_epoch():
    model = make()
    history = model.fit(X, Y, epochs=3, batch_size=16, validation_data=(X, Y))
    assert history["epoch"] == [1, 2, 3]
    assert set(history.history) == {
        "epoch", "loss", "accuracy", "seconds", "samples_per_second",
        "learning_rate", "validation_loss", "validation_accuracy",
    }  # fmt: skip
    assert len(history) == 3
    assert model.evaluate(X, Y)["loss"] == history["validation_loss"][-1]
    assert model.fit(X, Y)["epoch"] == [4]


def test_training_loss_is_the_mean_over_what_was_seen():
    model = make(optimizer=nx.SGD(0.0))
    loss = model.evaluate(X, Y)["loss"]
    for batch_size in (7, 60, None):
        history = model.fit(X, Y, batch_size=batch_size)
        assert history["loss"][0] == pytest.approx(loss, rel=1e-12)


def test_without_shuffling_batches_come_in_order():
    one, other = make(), make()
    one.fit(X, Y, batch_size=20, shuffle=False)
    for rows in (slice(0, 20), slice(20, 40), slice(40, 60)):
        other.fit(X[rows], Y[rows], batch_size=None)
    assert_same(named(one), named(other), rtol=1e-12)


def test_full_batch_is_one_step():
    model = make()
    model.fit(X, Y, epochs=4, batch_size=None)
    assert int(model._state.tree["optimizer"]["step"]) == 4


def test_callbacks_are_told_of_everything():
    class Watch(nx.Callback):
        def __init__(self):
            self.calls = []

        def on_fit_begin(self, model, epochs, batches):
            self.calls.append(("begin", epochs, batches))

        def on_batch_end(self, event):
            self.calls.append(
                (event.epoch, event.epochs, event.batch, event.batches, event.samples)
            )
            self.figures = event.figures()

        def on_epoch_end(self, record):
            assert self.figures["loss"] == record["loss"]
            self.calls.append(("epoch", record["epoch"]))

        def on_fit_end(self):
            self.calls.append("end")

    watch = Watch()
    make().fit(X, Y, epochs=2, batch_size=40, callbacks=[watch])
    assert watch.calls == [
        ("begin", 2, 2),
        (1, 2, 1, 2, 40), (1, 2, 2, 2, 60), ("epoch", 1),
        (2, 2, 1, 2, 40), (2, 2, 2, 2, 60), ("epoch", 2),
        "end",
    ]  # fmt: skip


def test_a_callback_that_fails_ends_the_others_too():
    ended = []

    class Fails(nx.Callback):
        def on_epoch_end(self, record):
            raise RuntimeError("stop here")

    class Ends(nx.Callback):
        def on_fit_end(self):
            ended.append(True)

    model = make()
    with pytest.raises(RuntimeError, match="stop here"):
        model.fit(X, Y, epochs=5, callbacks=[Ends(), Fails()])
    assert ended == [True]
    assert model.epochs_trained == 1
    model.fit(X, Y)


def test_verbose_prints_a_line_for_each_epoch(capsys):
    make().fit(X, Y, epochs=2, verbose=True)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    assert "loss" in lines[0]
    assert "accuracy" in lines[0]
    make().fit(X, Y)
    assert capsys.readouterr().out == ""


def test_learning_rate_can_be_set_between_fits():
    model = make()
    assert model.learning_rate == 0.01
    model.learning_rate = 0.0
    before = named(model)
    assert model.fit(X, Y)["learning_rate"] == [0.0]
    assert_same(before, named(model))
    with pytest.raises(nx.InputError, match="learning_rate"):
        model.learning_rate = -1.0
    assert model.learning_rate == 0.0


def test_a_model_without_a_metric():
    model = make(metrics=None)
    assert set(model.evaluate(X, Y)) == {"loss"}
    assert "accuracy" not in model.fit(X, Y).epochs[0]


def test_ending_in_logits_equals_ending_in_softmax():
    one = make()
    other = nx.Model(
        layers()[:-1],
        loss=nx.CategoricalCrossEntropy(from_logits=True),
        optimizer=nx.Adam(0.01),
        dtype="float64",
    )
    third = nx.Model(
        layers()[:-1], loss="softmax_cross_entropy", optimizer=nx.Adam(0.01),
        dtype="float64",
    )  # fmt: skip
    curves = [model.fit(X, Y, epochs=3)["loss"] for model in (one, other, third)]
    assert curves[0] == curves[1] == curves[2]


def test_a_confident_mistake_costs_its_logit():
    model = make()
    for layer in (model.layers[0], model.layers[2]):
        layer.weights = np.zeros(layer.weights.shape)
    model.layers[2].biases = [[30.0, 0.0]]
    expected = np.log1p(np.exp(30.0))
    assert model.evaluate(X[:1], [1])["loss"] == pytest.approx(expected, rel=1e-14)
    book = make(loss=nx.CategoricalCrossEntropy(mode="book"))
    for layer in (book.layers[0], book.layers[2]):
        layer.weights = np.zeros(layer.weights.shape)
    book.layers[2].biases = [[30.0, 0.0]]
    assert book.evaluate(X[:1], [1])["loss"] == pytest.approx(16.11809565095832)


def test_a_network_of_one_layer():
    model = nx.Model(
        [nx.Dense(4, 2), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="sgd",
    )  # fmt: skip
    history = model.fit(X, Y, epochs=20)
    assert history["loss"][-1] < history["loss"][0]
    assert nx.Model([nx.Softmax()]).predict([[0.0, 0.0]]).tolist() == [[0.5, 0.5]]


def test_layers_with_parameters_of_their_own_keep_them():
    dense = nx.Dense(2, 2, dtype="float64")
    dense.weights = [[1.0, 2.0], [3.0, 4.0]]
    model = nx.Model([dense], dtype="float64")
    np.testing.assert_array_equal(model.predict([[1.0, 1.0]]), [[4.0, 6.0]])


def everything(model):
    """Return host copies of parameters, buffers and the state of the optimizer."""
    return model._ready.export()


def trained_block(be):
    """Return a model with every kind of value: learned, frozen, kept."""
    frozen = nx.Dense(8, 8)
    frozen.trainable = False
    model = nx.Model(
        [nx.Dense(4, 8), nx.Residual(nx.Sequential([nx.BatchNorm(8), frozen])),
         nx.ReLU(), nx.Dense(8, 2), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="adam", backend=be, seed=5,
    )  # fmt: skip
    model.fit(X, Y, epochs=2, batch_size=16)
    return model


@pytest.mark.parametrize("other", ["numpy", "array_api_strict"])
def test_layers_of_a_model_go_into_a_new_one_with_a_copy_of_their_values(
    backend64, other
):
    model = trained_block(backend64)
    expected = backend64.to_numpy(model.activations(X)[2])
    before, other = everything(model), nx.get_backend(other, dtype="float64")
    new = nx.Model(
        [*model.layers[:2], nx.Dense(8, 1)],
        loss="mean_squared_error", optimizer="adam", backend=other,
    )  # fmt: skip
    for path, value in everything(new).items():
        if path in before and path.startswith(("0.", "1.")):
            np.testing.assert_array_equal(value, before[path])
    assert new.steps_trained == 0
    found = other.to_numpy(new.activations(X)[2])
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    # The frozen layer is still frozen, and neither model changes the other.
    new.fit(X, Y[:, None] * 1.0, epochs=2)
    np.testing.assert_array_equal(
        new.parameters["1.inner.1.weights"], before["1.inner.1.weights"]
    )
    assert not np.array_equal(new.parameters["0.weights"], before["0.weights"])
    assert_same(before, everything(model))
    values = everything(new)
    history = model.fit(X, Y, epochs=2, batch_size=16)
    assert_same(values, everything(new))
    # The former model trains on as if nothing had been taken from it.
    straight = trained_block(backend64)
    assert straight.fit(X, Y, epochs=2, batch_size=16)["loss"] == history["loss"]
    assert_same(everything(straight), everything(model))


def test_a_former_model_is_changed_without_its_values_coming_from_the_new_one():
    model = trained_block("numpy")
    before = everything(model)
    new = nx.Model([*model.layers], loss=model.loss, optimizer="sgd")
    new.fit(X, Y, epochs=1)
    after = everything(new)
    # Its layers show the values of the model that they were put into last.
    np.testing.assert_array_equal(model.layers[0].weights, after["0.weights"])
    model.add(nx.Linear())
    model.metrics = None
    model.to("numpy", dtype="float64")
    for path, value in model.parameters.items():
        np.testing.assert_array_equal(value, before[path])
    for path, value in model.buffers.items():
        np.testing.assert_array_equal(value, before[path])
    np.testing.assert_array_equal(model.layers[0].weights, after["0.weights"])
    model.fit(X, Y)
    assert_same(after, everything(new))


def test_parameters_are_checked_before_they_are_set():
    model = make()
    before = named(model)
    dense = model.layers[0]
    with pytest.raises(nx.InputError, match=r"weights must have shape \(4, 8\)"):
        dense.weights = np.ones((8, 4))
    for shape in ((7,), (8, 1), (1, 8, 1), (1, 1, 8)):
        with pytest.raises(nx.InputError, match=r"biases must have shape \(1, 8\)"):
            dense.biases = np.ones(shape)
    with pytest.raises(nx.DTypeError, match="weights: expected real numbers"):
        dense.weights = np.ones((4, 8)) * 1j
    assert_same(before, named(model))
    values = np.ones((4, 8))
    dense.weights = values
    values[:] = 7
    np.testing.assert_array_equal(dense.weights, np.ones((4, 8)))


def test_biases_may_have_the_shape_that_other_libraries_give_them(backend):
    own = backend.asarray(np.arange(3.0), backend.dtype)
    dense = nx.Dense(2, 3, backend=backend)
    model = nx.Model([nx.Dense(2, 3)], backend=backend)
    for layer in (dense, model.layers[0]):
        for values in (own, [0.0, 1.0, 2.0], backend.xp.reshape(own, (1, 3))):
            layer.biases = 0 * own
            layer.biases = values
            found = backend.to_numpy(layer.biases)
            np.testing.assert_array_equal(found, [[0.0, 1.0, 2.0]])
    model.set_parameters([(np.ones((2, 3)), np.full(3, 7.0))])
    np.testing.assert_array_equal(
        backend.to_numpy(model.predict([[1.0, 1.0]])), [[9.0] * 3]
    )


def test_data_is_never_written_to():
    x, y = X.copy(), Y.copy()
    x.flags.writeable = y.flags.writeable = False
    model = make()
    model.fit(x, y, epochs=2, validation_data=(x, y))
    model.evaluate(x, y)
    model.predict(x)
    np.testing.assert_array_equal(x, X)


@pytest.mark.parametrize("order", ["F", "strided", "list", "reversed"])
def test_memory_layout_of_data_does_not_matter(order):
    x = {
        "F": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=0)[::2],
        "list": X.tolist(),
        "reversed": X[::-1][::-1],
    }[order]
    expected = make().fit(X, Y, epochs=2, batch_size=16)["loss"]
    assert make().fit(x, Y, epochs=2, batch_size=16)["loss"] == expected


# Moving, copying, describing.


def test_models_on_two_backends_live_side_by_side(backend64):
    one, other = make(), make(backend=backend64)
    curves = [[], []]
    for _ in range(3):
        for model, curve in zip((one, other), curves, strict=True):
            curve += model.fit(X, Y, batch_size=16)["loss"]
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-12)


def test_moving_a_model_goes_on_where_it_was(backend):
    expected = make(dtype=backend.dtype_name)
    moving = make(dtype=backend.dtype_name)
    for model in (expected, moving):
        model.fit(X, Y, epochs=2, batch_size=16)
    assert moving.to(backend) is moving
    assert moving.backend == backend
    rest = moving.fit(X, Y, epochs=2, batch_size=16)
    same = expected.fit(X, Y, epochs=2, batch_size=16)
    rtol = 1e-12 if backend.dtype_name == "float64" else 1e-4
    np.testing.assert_allclose(rest["loss"], same["loss"], rtol=rtol)
    moving.to("numpy")
    for name, value in expected.parameters.items():
        np.testing.assert_allclose(moving.parameters[name], value, rtol=rtol * 100)


def test_moving_to_what_does_not_work_changes_nothing():
    model = make()
    before = named(model)
    with pytest.raises(nx.InputError, match="backend must be one of"):
        model.to("tensorflow")
    with pytest.raises(nx.BackendUnavailableError):
        model.to("numpy", device="gpu")
    assert_same(before, named(model))
    assert model.layers[0].weights is not None


def test_to_changes_the_precision_only_when_asked():
    model = make(dtype="float32")
    assert model.to("numpy").backend.dtype_name == "float32"
    assert model.to("numpy", dtype="float64").backend.dtype_name == "float64"
    assert model.parameters["0.weights"].dtype == np.float64


def test_deep_copies_are_independent():
    model = make()
    model.fit(X, Y)
    implementation = copy.deepcopy(model)
    before = named(model)
    implementation.fit(X, Y, epochs=3)
    assert_same(before, named(model))
    assert not np.array_equal(implementation.layers[0].weights, model.layers[0].weights)


def test_summary_counts_parameters():
    lines = []
    make().summary(lines.append)
    assert "58 parameters, numpy on cpu, float64" in lines[0]
    assert "Dense(4, 8)" in lines[0]
    assert "Adam" in lines[0]
    assert "Model([Dense(4, 8)" in repr(make())


def test_optimizer_on_single_layers(backend64):
    """Layers, loss and optimizer used by hand, as in the first chapters."""
    be = backend64
    model = make(backend=be)
    one, relu, two = nx.Dense(4, 8, backend=be), nx.ReLU(), nx.Dense(8, 2, backend=be)
    one.weights, two.weights = model.layers[0].weights, model.layers[2].weights
    loss, optimizer = nx.SoftmaxCrossEntropy(), nx.Adam(0.01)
    x, y = be.asarray(X), be.asarray(Y)
    for _ in range(5):
        logits = two.forward(relu.forward(one.forward(x)))
        last = float(be.to_numpy(loss.calculate(logits, y)))
        one.backward(relu.backward(two.backward(loss.backward())))
        optimizer.step(one, relu, two)
    history = model.fit(X, Y, epochs=5, batch_size=None, shuffle=False)
    assert last == pytest.approx(history["loss"][-1], rel=1e-12)
    for layer, index in ((one, 0), (two, 2)):
        np.testing.assert_allclose(
            be.to_numpy(layer.weights),
            be.to_numpy(model.layers[index].weights),
            rtol=1e-12,
        )


def test_optimizer_on_single_layers_names_what_is_wrong():
    dense, optimizer = nx.Dense(2, 2), nx.SGD(0.1)
    with pytest.raises(nx.InputError, match="has no gradients"):
        optimizer.step(dense)
    with pytest.raises(nx.InputError, match="at least one with parameters"):
        optimizer.step(nx.ReLU())
    dense.forward([[1.0, 2.0]])
    dense.backward([[1.0, 2.0]])
    optimizer.step(dense)
    with pytest.raises(nx.InputError, match="must be the same at every"):
        optimizer.step(nx.Dense(2, 2))


class Doubled(nx.Layer):
    """Two copies of the inputs side by side: a layer of a user's own."""

    def fwd(self, cx, x):
        return cx.xp.concat([x, x], axis=1), x.shape[1]

    def bwd(self, cx, width, dy):
        return dy[:, :width] + dy[:, width:]

    def output_shape(self, shape):
        return None if shape is None else (2 * shape[0],)


@pytest.mark.parametrize("compile", ["off", "auto"])
def test_a_layer_of_ones_own_in_front(backend64, compile):
    model = nx.Model(
        [Doubled(), nx.Dense(8, 2), Doubled(), nx.Dense(4, 2), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="adam", backend=backend64,
        compile=compile,
    )  # fmt: skip
    history = model.fit(X, Y, epochs=30, batch_size=10)
    assert history["loss"][-1] < history["loss"][0]
    assert model.predict(X).shape == (60, 2)
    with pytest.raises(
        nx.InputError, match=r"Dense\(5, 2\) takes samples of shape \(5,\), got \(4,\)"
    ):
        nx.Model([nx.Dense(2, 2), Doubled(), nx.Dense(5, 2)])
