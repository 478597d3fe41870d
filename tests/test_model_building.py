"""Models made step by step, as in the book, and changed after training."""

import numpy as np
import pytest

import nnfs_xp as nx

_random = np.random.default_rng(4)
X = _random.standard_normal((40, 3))
Y = (X[:, 0] > 0).astype("int64")


def layers():
    return [nx.Dense(3, 8), nx.ReLU(), nx.Dense(8, 2), nx.Softmax()]


def units(**changes):
    return {"loss": "categorical_crossentropy", "optimizer": "adam", **changes}


def added(be, **changes):
    model = nx.Model(backend=be)
    for layer in layers():
        model.add(layer)
    model.set(**units(**changes))
    return model


def host(model):
    be = model.backend
    return {name: be.to_numpy(value) for name, value in model.parameters.items()}


def everything(model):
    return {**model._ready.export(), "units": repr((model.loss, model.optimizer))}


def test_step_by_step_equals_at_once(backend):
    at_once, stepwise = nx.Model(layers(), **units(), backend=backend), added(backend)
    stepwise.finalize()
    one, other = (m.fit(X, Y, epochs=3, batch_size=16) for m in (at_once, stepwise))
    assert one["loss"] == other["loss"]
    assert one["accuracy"] == other["accuracy"]


@pytest.mark.parametrize(
    "use",
    [
        lambda m: m.fit(X, Y),
        lambda m: m.evaluate(X, Y),
        lambda m: m.predict(X),
        lambda m: m.summary(print_fn=str),
        lambda m: m.parameters,
        lambda m: m.get_parameters(),
        lambda m: m.buffers,
        lambda m: m.to("array_api_strict"),
    ],
)
def test_whatever_needs_it_finalizes(use):
    model = added("numpy")
    use(model)
    assert model._is_final and len(model.leaves) == 4


def test_the_learning_rate_needs_no_layers():
    model = nx.Model()
    model.set(optimizer=nx.SGD(0.5, decay=1.0))
    assert model.learning_rate == 0.5
    model.learning_rate = 0.25
    assert model.learning_rate == model.optimizer.learning_rate == 0.25


def test_a_model_without_layers():
    for model in (nx.Model(), nx.Model(**units())):
        with pytest.raises(nx.InputError, match="at least one layer"):
            model.finalize()
        with pytest.raises(nx.InputError, match="at least one layer|fit needs a model"):
            model.fit(X, Y)
    with pytest.raises(nx.InputError, match="at least one layer"):
        nx.Model([])


def test_what_cannot_be_added():
    model = added("numpy")
    with pytest.raises(nx.InputError, match="only layers, got 'relu'"):
        model.add("relu")
    with pytest.raises(nx.InputError, match="each layer only once"):
        model.add(model.layers[0])
    assert len(model.layers) == 4


def test_adding_a_layer_later_keeps_what_was_learned(backend64):
    model = nx.Model(layers()[:3], backend=backend64)
    before = host(model)
    model.add(nx.Dense(2, 5))
    model.finalize()
    after = host(model)
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)
    assert after["3.weights"].shape == (2, 5)


def test_a_one_layer_model(backend64):
    """The book's loop over the layers has no case for it."""
    model = nx.Model(backend=backend64)
    model.add(nx.Dense(3, 1))
    model.set(loss=nx.MeanSquaredError(), optimizer=nx.SGD(0.1))
    model.finalize()
    target = X @ np.array([[1.0], [2.0], [3.0]])
    history = model.fit(X, target, epochs=200, batch_size=None)
    assert history["loss"][-1] < 1e-6
    assert model.metrics == ()


def test_a_new_optimizer_begins_with_a_state_of_its_own(backend64):
    """The book's caches stay on the layers."""
    model = added(backend64)
    model.fit(X, Y, epochs=3, batch_size=16)
    before = host(model)
    for optimizer in (nx.SGD(0.1, momentum=0.9), nx.RMSprop(), nx.Adam()):
        model.set(optimizer=optimizer)
        state = model._state.tree["optimizer"]
        assert int(backend64.to_numpy(state["step"])) == 0
        for slots in state.values():
            for value in slots.values() if isinstance(slots, dict) else []:
                assert not backend64.to_numpy(value).any()
    after = host(model)
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)
    fresh = nx.Model(layers(), **units(), backend=backend64)
    fresh.set_parameters(model.get_parameters())
    # Batch order goes on with the epochs of the model's life.
    fresh.epochs_trained = model.epochs_trained
    one, other = (m.fit(X, Y, epochs=2, batch_size=16) for m in (model, fresh))
    np.testing.assert_allclose(one["loss"], other["loss"], rtol=1e-12)


def test_another_loss_or_metric_keeps_the_optimizers_state(backend64):
    model = added(backend64)
    model.fit(X, Y, epochs=2)
    before = model._state.export()
    model.set(
        loss=nx.CategoricalCrossEntropy(label_smoothing=0.1), metrics=["accuracy", "f1"]
    )
    after = model._state.export()
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value, err_msg=name)
    assert set(model.evaluate(X, Y)) == {"loss", "accuracy", "f1"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "hindsight"}, "loss must be one of"),
        ({"optimizer": 3}, "optimizer must be one of"),
        ({"metrics": "auk"}, "metrics must be one of"),
        ({"accuracy": "auk"}, "metrics must be one of"),
        ({"metrics": ["accuracy", "accuracy"]}, "different names"),
        ({"metrics": "r2"}, "not for the targets"),
        (
            {"loss": nx.MeanSquaredError(), "metrics": nx.BinaryAccuracy()},
            "not for the targets",
        ),
        ({"loss": nx.SoftmaxCrossEntropy()}, "takes logits"),
        ({"metrics": "accuracy", "accuracy": "accuracy"}, "are the same argument"),
    ],
)
def test_what_cannot_be_set_changes_nothing(change, message):
    model = added("numpy")
    model.fit(X, Y)
    before = everything(model)
    with pytest.raises(nx.InputError, match=message):
        model.set(**change)
    after = everything(model)
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)
    model.fit(X, Y)


def test_parameters_go_from_model_to_model(backend):
    one, other = added(backend), nx.Model(layers(), **units(), backend=backend, seed=5)
    one.fit(X, Y)
    parameters = one.get_parameters()
    assert [len(entry) for entry in parameters] == [2, 2]
    other.set_parameters(parameters)
    expected = host(one)
    for name, value in host(other).items():
        np.testing.assert_array_equal(value, expected[name])
    # Copies: what happens to either model later does not reach them.
    one.fit(X, Y)
    other.set_parameters(parameters)
    for name, value in host(other).items():
        np.testing.assert_array_equal(value, expected[name])
    on_host = [tuple(map(backend.to_numpy, entry)) for entry in parameters]
    other.set_parameters(on_host)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p[:1], "an entry for each of 2 layers"),
        (lambda p: "weights", "an entry for each of 2 layers"),
        (
            lambda p: [p[0], p[1][:1]],
            r"parameters of layer 2 must be \(weights, biases\)",
        ),
        (lambda p: [p[0], (p[1][0].T, p[1][1])], r"2.weights must have shape"),
        (lambda p: [p[0], (p[1][0], [["a", "b"]])], "2.biases: expected real"),
    ],
)
def test_parameters_that_do_not_fit_change_nothing(spoil, message):
    model = added("numpy")
    before = host(model)
    parameters = [tuple(v + 1 for v in entry) for entry in model.get_parameters()]
    with pytest.raises(nx.InputError, match=message):
        model.set_parameters(spoil(parameters))
    for name, value in host(model).items():
        np.testing.assert_array_equal(value, before[name])


def test_parameters_in_files(tmp_path, backend):
    path, model = tmp_path / "parameters.safetensors", added(backend)
    model.fit(X, Y)
    model.save_parameters(path)
    expected = host(model)
    other = nx.Model(layers(), backend="numpy", dtype=backend.dtype_name, seed=9)
    other.load_parameters(path)
    for name, value in host(other).items():
        np.testing.assert_array_equal(value, expected[name])
    model.save(tmp_path / "whole")
    other = nx.Model(layers(), backend="numpy", dtype=backend.dtype_name, seed=9)
    other.load_parameters(tmp_path / "whole")
    for name, value in host(other).items():
        np.testing.assert_array_equal(value, expected[name])


def test_parameter_files_that_do_not_fit(tmp_path):
    path = tmp_path / "p"
    added("numpy").save_parameters(path)
    for small, message in (
        (nx.Model([nx.Dense(3, 8)]), "this model has no 2.biases"),
        (nx.Model([*layers()[:3], nx.Dense(2, 2)]), "there is no 3.weights"),
        (nx.Model([nx.Dense(3, 9), nx.ReLU(), nx.Dense(9, 2)]), "must have shape"),
    ):
        before = host(small)
        with pytest.raises(nx.FileFormatError, match=message):
            small.load_parameters(path)
        for name, value in host(small).items():
            np.testing.assert_array_equal(value, before[name])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(nx.FileFormatError, match="not a model that nnfs_xp saved"):
        added("numpy").load_parameters(path)
    with pytest.raises(FileNotFoundError):
        added("numpy").load_parameters(tmp_path / "none")


def test_train_prints_what_the_book_prints(capsys):
    model = added("numpy", optimizer=nx.Adam(0.01, decay=0.5))
    history = model.train(
        X, Y, epochs=2, batch_size=16, print_every=2, validation_data=(X, Y)
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "epoch: 1" and lines[5] == "epoch: 2"
    assert lines[1].startswith("step: 0, acc: 0.") and lines[1].endswith("lr: 0.01")
    assert lines[2].startswith("step: 2, ") and lines[2].endswith("lr: 0.005")
    record = history.epochs[0]
    assert lines[3] == (
        f"training, acc: {record['accuracy']:.3f}, loss: {record['loss']:.3f} "
        f"(data_loss: {record['loss']:.3f}, reg_loss: 0.000), lr: 0.005"
    )
    assert lines[4] == (
        f"validation, acc: {record['validation_accuracy']:.3f}, "
        f"loss: {record['validation_loss']:.3f}"
    )
    assert len(lines) == 10


def test_train_goes_through_the_rows_in_their_order():
    one, other = added("numpy"), added("numpy")
    trained = one.train(X, Y, epochs=2, batch_size=16, print_every=None)
    fitted = other.fit(X, Y, epochs=2, batch_size=16, shuffle=False)
    assert trained["loss"] == fitted["loss"]
    assert added("numpy").train(X, Y).epochs[0]["epoch"] == 1


def test_validation_split_takes_the_last_rows(backend64):
    one, other = added(backend64), added(backend64)
    split = one.fit(X, Y, epochs=2, validation_split=0.25, batch_size=8)
    cut = other.fit(
        X[:30], Y[:30], epochs=2, validation_data=(X[30:], Y[30:]), batch_size=8
    )
    for name in ("loss", "accuracy", "validation_loss", "validation_accuracy"):
        assert split[name] == cut[name]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation_split": 1.0}, "validation_split must be less than 1, got 1.0"),
        ({"validation_split": -0.1}, "must be a finite number of 0 or more"),
        ({"validation_split": "half"}, "must be a finite number of 0 or more"),
        ({"validation_split": np.nan}, "must be a finite number of 0 or more"),
        ({"validation_split": 0.999}, "leave rows .* of 40"),
        ({"validation_split": 0.5, "validation_data": (X, Y)}, "cannot be combined"),
        ({"sample_weight": np.ones(39)}, "sample_weight"),
        ({"sample_weight": -np.ones(40)}, "sample_weight"),
        ({"sample_weight": np.full(40, np.nan)}, "sample_weight"),
        ({"sample_weight": np.ones((40, 1))}, "sample_weight"),
        (
            {"callbacks": nx.EarlyStopping()},
            "monitor must be one of .*'validation_loss'",
        ),
        ({"validation_data": (X, Y, Y, Y)}, "pair"),
    ],
)
def test_arguments_of_fit(options, message):
    model = added("numpy")
    model.finalize()
    before = everything(model)
    with pytest.raises(nx.InputError, match=message):
        model.fit(X, Y, **options)
    for name, value in everything(model).items():
        np.testing.assert_array_equal(value, before[name])


def test_sample_weights(backend64):
    """Rows of weight 0 are as if they were not there."""
    weight = np.where(np.arange(40) < 30, 2.0, 0.0)
    one, other = (added(backend64, optimizer=nx.SGD(0.1)) for _ in range(2))
    weighted = one.fit(X, Y, batch_size=None, sample_weight=weight, shuffle=False)
    plain = other.fit(X[:30], Y[:30], batch_size=None, shuffle=False)
    np.testing.assert_allclose(weighted["loss"], plain["loss"], rtol=1e-12)
    for name, value in host(other).items():
        np.testing.assert_allclose(host(one)[name], value, rtol=1e-12)
    assert one.evaluate(X, Y, sample_weight=weight, batch_size=7)["loss"] == (
        pytest.approx(other.evaluate(X[:30], Y[:30])["loss"], rel=1e-12)
    )


def test_ignored_labels_do_not_count(backend64):
    y = Y.copy()
    y[30:] = -100
    loss = nx.CategoricalCrossEntropy(ignore_index=-100)
    one, other = added(backend64, loss=loss), added(backend64)
    ignoring = one.fit(X, y, batch_size=None, shuffle=False, epochs=2)
    plain = other.fit(X[:30], Y[:30], batch_size=None, shuffle=False, epochs=2)
    np.testing.assert_allclose(ignoring["loss"], plain["loss"], rtol=1e-12)
    assert ignoring["accuracy"] == plain["accuracy"]


def test_reductions_of_a_model(backend64):
    total = added(backend64, loss=nx.CategoricalCrossEntropy(reduction="sum"))
    mean = added(backend64)
    assert total.evaluate(X, Y, batch_size=7)["loss"] == pytest.approx(
        40 * mean.evaluate(X, Y)["loss"], rel=1e-12
    )
    each = added(backend64, loss=nx.CategoricalCrossEntropy(reduction="none"))
    with pytest.raises(nx.InputError, match="a reduction of mean or sum"):
        each.fit(X, Y)


def test_several_metrics_and_a_matrix(backend):
    model = added(backend, metrics=["accuracy", nx.ConfusionMatrix(), "f1"])
    history = model.fit(X, Y, epochs=2, batch_size=16, validation_data=(X, Y))
    record = history.epochs[-1]
    matrix = np.array(record["validation_confusion_matrix"])
    assert matrix.sum() == 40
    assert record["validation_accuracy"] == np.trace(matrix) / 40
    assert record["loss"] > 0


def test_binary_and_regression_models(backend64):
    binary = nx.Model(
        [nx.Dense(3, 1), nx.Sigmoid()],
        loss="binary_crossentropy", optimizer=nx.Adam(0.1), backend=backend64,
        metrics=["accuracy", "precision"],
    )  # fmt: skip
    figures = binary.fit(X, Y[:, None], epochs=60).epochs[-1]
    # Learned from the logits, but counted on the probabilities.
    probability = backend64.to_numpy(binary.predict(X))
    assert np.all((probability > 0) & (probability < 1))
    expected = np.mean((probability > 0.5) == Y[:, None])
    assert binary.evaluate(X, Y[:, None])["accuracy"] == expected > 0.9
    assert figures["precision"] > 0.8
    regression = nx.Model(
        [nx.Dense(3, 1)], loss="mean_squared_error",
        optimizer=nx.Adam(0.1), metrics=["r2", "accuracy"], backend=backend64,
    )  # fmt: skip
    history = regression.fit(X, X @ np.ones((3, 1)), epochs=200)
    assert history["r2"][-1] > 0.99
    assert history["accuracy"][-1] > 0.1


def test_a_tolerance_comes_from_the_training_data(backend64):
    model = nx.Model(
        [nx.Dense(3, 1)], loss="mean_squared_error", optimizer="sgd",
        metrics="accuracy", backend=backend64,
    )  # fmt: skip
    y = X @ np.ones((3, 1))
    with pytest.raises(nx.InputError, match="tolerance"):
        model.evaluate(X, 100 * y)
    model.fit(X, y, validation_data=(X, 100 * y))
    assert model.metrics[0].tolerance == pytest.approx(y.std() / 250, rel=1e-12)
    assert "accuracy" in model.evaluate(X, 100 * y)


SQUARED = [
    ("mean_squared_error", nx.Sigmoid), ("mean_squared_error", nx.Tanh),
    ("binary_crossentropy", nx.Sigmoid), ("huber", nx.Softmax),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "activation"), SQUARED)
def test_rows_of_any_loss_may_be_classes(backend, loss, activation):
    """One-hot rows learned by squared error, and the share of right classes."""
    be, rows = backend, np.eye(3)[Y % 3]
    if activation is nx.Tanh:
        rows = 2 * rows - 1
    model = nx.Model(
        [nx.Dense(3, 3), activation()],
        loss=loss, optimizer="adam", backend=be,
        metrics=[nx.Accuracy(), nx.F1("micro"), nx.TopKAccuracy(2)],
    )  # fmt: skip
    right = be.to_numpy(model.predict(X)).argmax(axis=1) == Y % 3
    weight = np.arange(len(Y)) % 3
    for given, expected in {
        None: right.mean(), 1: np.average(right, weights=weight)
    }.items():  # fmt: skip
        found = model.evaluate(X, rows, sample_weight=given and weight)
        assert found["accuracy"] == pytest.approx(expected, rel=1e-6)
        assert found["f1"] == pytest.approx(expected, rel=1e-6)
        assert found["top_k_accuracy"] >= found["accuracy"]
    record = model.fit(X, rows, epochs=2, batch_size=7).epochs[-1]
    assert 0 <= record["accuracy"] <= 1


def test_rows_that_are_no_classes_are_refused():
    """Several answers that are yes in one row, or none, or a single output."""
    model = nx.Model(
        [nx.Dense(3, 2), nx.Sigmoid()],
        loss="binary_crossentropy", optimizer="adam", metrics=["accuracy", "f1"],
    )  # fmt: skip
    before = host(model)
    for rows in (np.ones((len(Y), 2)), np.zeros((len(Y), 2))):
        for call in (model.fit, model.evaluate):
            with pytest.raises(nx.InputError, match=r"y must hold rows .* for F1\("):
                call(X, rows)
    for name, value in host(model).items():
        np.testing.assert_array_equal(value, before[name])
    for loss in ("mean_squared_error", "binary_crossentropy"):
        one = nx.Model([nx.Dense(3, 1), nx.Sigmoid()], loss=loss, optimizer="sgd")
        one.set(metrics=nx.Accuracy())
        with pytest.raises(nx.InputError, match=r"Accuracy\(.* needs several outputs"):
            one.evaluate(X, np.ones((len(Y), 1)))


def test_an_extreme_logit_of_a_sigmoid_is_exact(backend):
    """As from logits, though the model ends in a sigmoid."""
    model = nx.Model(
        [nx.Dense(1, 1), nx.Sigmoid()], loss="binary_crossentropy", backend=backend
    )
    model.layers[0].weights = backend.asarray([[1e4]])
    loss = model.evaluate([[-1.0]], [[1]])["loss"]
    assert loss == pytest.approx(1e4, rel=1e-6)


def test_schedules_go_on_after_loading(tmp_path, backend64):
    def make():
        return nx.Model(
            layers(), **units(optimizer=nx.SGD(nx.CosineDecay(0.5, steps=20))),
            backend=backend64,
        )  # fmt: skip

    straight, halved = make(), make()
    straight.fit(X, Y, epochs=4, batch_size=10)
    halved.fit(X, Y, epochs=2, batch_size=10)
    halved.save(tmp_path / "m")
    resumed = nx.Model.load(tmp_path / "m", backend=backend64)
    assert (
        resumed.learning_rate
        == halved.learning_rate
        == pytest.approx(0.5 * 0.6545, abs=1e-4)
    )
    resumed.fit(X, Y, epochs=2, batch_size=10)
    for name, value in host(straight).items():
        np.testing.assert_array_equal(host(resumed)[name], value)


def test_a_function_as_learning_rate_cannot_be_saved(tmp_path):
    model = added("numpy", optimizer=nx.SGD(lambda step: 0.1 / (1 + step)))
    assert model.fit(X, Y, batch_size=10)["learning_rate"] == [0.1 / 4]
    with pytest.raises(nx.InputError, match="Schedule"):
        model.save(tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_a_callback_that_fails_to_begin_ends_those_that_have_begun():
    class Told(nx.Callback):
        ended = 0

        def on_fit_end(self):
            self.ended += 1

    class Fails(Told):
        def on_fit_begin(self, model, epochs, batches):
            raise RuntimeError("no")

    class FailsAtTheEnd(Told):
        def on_fit_end(self):
            super().on_fit_end()
            raise RuntimeError("late")

    first, last, late = Told(), Fails(), FailsAtTheEnd()
    with pytest.raises(RuntimeError, match="no"):
        added("numpy").fit(X, Y, callbacks=[first, last])
    assert (first.ended, last.ended) == (1, 0)
    with pytest.raises(RuntimeError, match="late"):
        added("numpy").fit(X, Y, callbacks=[first, late])
    assert (first.ended, late.ended) == (2, 1)


def test_log_probabilities_are_logits(backend64):
    """As in PyTorch's pair of LogSoftmax and NLLLoss."""
    one = nx.Model(
        [*layers()[:3], nx.LogSoftmax()],
        loss=nx.CategoricalCrossEntropy(from_logits=True), optimizer="adam",
        backend=backend64,
    )  # fmt: skip
    other = nx.Model(layers(), **units(), backend=backend64)
    losses = [m.fit(X, Y, epochs=3)["loss"] for m in (one, other)]
    np.testing.assert_allclose(*losses, rtol=1e-12)
    p = backend64.to_numpy(other.predict(X))
    np.testing.assert_allclose(backend64.to_numpy(one.predict(X)), np.log(p), rtol=1e-9)
