"""Bad arrays and options, given to layers, losses, metrics and to a whole training."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.bad_input.trial import Case, Program, cases_of

NAN, INF = float("nan"), float("inf")
N, FEATURES, CLASSES = 6, 4, 3
X = np.random.default_rng(1).standard_normal((N, FEATURES))
Y = np.array([0, 1, 2, 0, 1, 2])
ROWS = np.eye(CLASSES)[Y]
PROBABILITIES = np.full((N, CLASSES), 0.2) + 0.4 * ROWS
COLUMN = np.linspace(0.1, 0.9, N)[:, None]
WEIGHTS = np.ones(N)


def with_one(array: Any, value: Any) -> np.ndarray:
    """Return a copy of an array with another number in one place."""
    changed = np.array(array, dtype=np.result_type(array, value))
    changed[(2, *(0,) * (changed.ndim - 1))] = value
    return changed


FEATURES_OF_A_MODEL = {
    "one column too few": X[:, :3],
    "one column too many": np.ones((N, 5)),
    "a single row as a 1-D array": X[0],
    "one axis too many": X[:, :, None],
    "no rows": X[:0],
    "no columns": X[:, :0],
    "a number": 1.0,
    "complex numbers": X * 1j,
    "None": None,
    "a string": "abc",
    "strings": X.astype(str),
    "rows of different lengths": [[1.0] * FEATURES, [1.0]],
    "objects": np.array([[None] * FEATURES] * N),
    "dates": np.zeros((N, FEATURES), dtype="datetime64[s]"),
}
NOT_FINITE = {
    "NaN": with_one(X, NAN), "infinity": with_one(X, INF), "1e300": with_one(X, 1e300),
}  # fmt: skip
LABELS = {
    "a label that is too large": with_one(Y, 3),
    "a label that wraps to 0 in 32 bits": with_one(Y, 2**32),
    "the label -1": with_one(Y, -1),
    "a non-integer": with_one(Y, 1.5),
    "NaN": with_one(Y, NAN),
    "one label too few": Y[:-1],
    "one label too many": np.append(Y, 0),
    "no labels": Y[:0],
    "a number": np.array(1),
    "None": None,
    "words": np.array(["a", "b", "c", "a", "b", "d"]),
    "complex numbers": Y * 1j,
}
ONE_HOT = {
    "one class too few": ROWS[:, :2],
    "one class too many": np.eye(4)[Y],
    "NaN": with_one(ROWS, NAN),
    "infinity": with_one(ROWS, INF),
    "a negative number": with_one(ROWS, -1.0),
    "one axis too many": ROWS[:, :, None],
}
NUMBERS = {
    "one output too many": np.hstack([COLUMN, COLUMN]),
    "one number too few": COLUMN[:-1],
    "a row instead of a column": COLUMN.T,
    "one number for all rows": COLUMN[:1],
    "NaN": with_one(COLUMN, NAN),
    "infinity": with_one(COLUMN, INF),
    "complex numbers": COLUMN * 1j,
    "strings": COLUMN.astype(str),
}
NOT_BITS = {
    "1.5": with_one(COLUMN, 1.5), "-0.5": with_one(COLUMN, -0.5),
    "labels of three classes": Y[:, None], "NaN": with_one(COLUMN, NAN),
    "one row too few": COLUMN[:-1],
}  # fmt: skip
SAMPLE_WEIGHTS = {
    "a negative weight": with_one(WEIGHTS, -1.0),
    "NaN": with_one(WEIGHTS, NAN),
    "infinity": with_one(WEIGHTS, INF),
    "one weight too few": WEIGHTS[:-1],
    "two columns": np.ones((N, 2)),
    "complex numbers": WEIGHTS * 1j,
    "strings": WEIGHTS.astype(str),
}
IDS = {
    "a non-integer": np.array([[0.5, 1.0]]),
    "an id that is too large": np.array([[0, 3]]),
    "the id -1": np.array([[2, -1]]), "complex numbers": np.array([[1j, 0]]),
    "booleans": np.array([[True, False]]),
}  # fmt: skip

# PyTorch's layers take a single row and no rows, scikit-learn's metrics any labels.
ANY_BATCH = {"torch": ["a single row as a 1-D array", "no rows"]}
ANY_LABELS = {
    "sklearn": [
        "a label that is too large", "a label that wraps to 0 in 32 bits",
        "the label -1",
    ]
}  # fmt: skip

# A classifier of each library.


def our_model(nx: Any, be: Any, **options: Any) -> Any:
    return nx.Model(
        [nx.Dense(FEATURES, 5), nx.ReLU(), nx.Dense(5, CLASSES), nx.Softmax()],
        **{
            "loss": "categorical_crossentropy", "optimizer": "adam", "backend": be,
            **options,
        },
    )  # fmt: skip


def torch_model(torch: Any, outputs: int = CLASSES) -> Any:
    return torch.nn.Sequential(
        torch.nn.Linear(FEATURES, 5), torch.nn.ReLU(), torch.nn.Linear(5, outputs)
    )


def keras_model(keras: Any, loss: Any = "sparse_categorical_crossentropy") -> Any:
    model = keras.Sequential(
        [
            keras.Input((FEATURES,)),
            keras.layers.Dense(5, activation="relu"),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.compile("adam", loss)
    return model


def sklearn_model(sklearn: Any, **options: Any) -> Any:
    network = sklearn.neural_network.MLPClassifier((5,), max_iter=2, **options)
    return network.partial_fit(X, Y, classes=range(CLASSES))


def torch_step(x: Any = X, y: Any = Y) -> Program:
    """Take a step with the value where there is `...`."""

    def program(torch, t, v):
        model = t.watch(torch_model(torch))
        x_, y_ = (v if a is ... else a for a in (x, y))
        inputs = torch.as_tensor(x_, dtype=torch.float32)
        optimizer = torch.optim.Adam(model.parameters())
        loss = torch.nn.CrossEntropyLoss()(model(inputs), torch.as_tensor(y_))
        loss.backward()
        optimizer.step()
        return loss

    return program


def keras_fit(x: Any = X, y: Any = Y, loss: Any = None, **options: Any) -> Program:
    def program(keras, t, v):
        # What Keras scales or splits is not what is tried here.
        own = {"verbose": 0, **options}
        model = t.watch(keras_model(keras, loss or "sparse_categorical_crossentropy"))
        x_, y_, *given = (v if a is ... else a for a in (x, y, *own.values()))
        return model.fit(x_, y_, **dict(zip(own, given, strict=True))).history

    return program


def sklearn_fit(x: Any = X, y: Any = Y, **options: Any) -> Program:
    def program(sklearn, t, v):
        network = t.watch(sklearn_model(sklearn))
        x_, y_, *given = (v if a is ... else a for a in (x, y, *options.values()))
        own = dict(zip(options, given, strict=True))
        return network.partial_fit(x_, y_, **own).predict_proba(X)

    return program


def our_fit(x: Any = X, y: Any = Y, **options: Any) -> Program:
    def program(nx, t, v):
        model = t.watch(our_model(nx, t.be))
        x_, y_, *given = (v if a is ... else a for a in (x, y, *options.values()))
        return model.fit(x_, y_, **dict(zip(options, given, strict=True)))["loss"]

    return program


def placed(be: Any, value: Any) -> Any:
    """Put an array on a backend, also of kinds that it does not compute with."""
    if not isinstance(value, np.ndarray):
        return value
    # Only NumPy has arrays of these; lists of them are taken by all.
    if value.dtype.kind not in "biufc":
        return value.tolist()
    if value.dtype.kind != "c":
        return be.asarray(value, be.dtype if value.dtype.kind == "f" else None)
    with be.context():
        return be.xp.asarray(value, device=be.device)


def training() -> list[Case]:
    """Return the cases of data given to `Model.fit`."""

    def rows(call, argument, good, bad, **programs):
        return cases_of("Training data", call, argument, good, bad, **programs)

    pair = lambda part: {  # noqa: E731
        label: (v, Y) if part == "x" else (X, v)
        for label, v in (LABELS if part == "y" else FEATURES_OF_A_MODEL).items()
    }
    return [
        *rows(
            "fit(x)", r"\bx\b", X, {**FEATURES_OF_A_MODEL, **NOT_FINITE},
            nnfs_xp=our_fit(x=...), torch=torch_step(x=...), keras=keras_fit(x=...),
            sklearn=sklearn_fit(x=...),
        ),
        *rows(
            "fit(y), labels", r"\by\b", Y, LABELS, nnfs_xp=our_fit(y=...),
            torch=torch_step(y=...), keras=keras_fit(y=...), sklearn=sklearn_fit(y=...),
        ),
        *rows(
            "fit(y), one-hot rows", r"\by\b", ROWS, ONE_HOT, nnfs_xp=our_fit(y=...),
            torch=torch_step(y=...),
            keras=keras_fit(y=..., loss="categorical_crossentropy"),
        ),
        *rows(
            "fit(y), numbers", r"\by\b", COLUMN, NUMBERS, nnfs_xp=our_regression,
            torch=torch_regression, keras=keras_regression, sklearn=sklearn_regression,
        ),
        *rows(
            "fit(sample_weight)", "sample_weight", WEIGHTS, SAMPLE_WEIGHTS,
            nnfs_xp=our_fit(sample_weight=...), keras=keras_fit(sample_weight=...),
            sklearn=sklearn_fit(sample_weight=...),
        ),
        *rows(
            "fit(validation_data), features", "validation_data x", (X, Y), pair("x"),
            nnfs_xp=our_fit(validation_data=...), keras=keras_fit(validation_data=...),
        ),
        *rows(
            "fit(validation_data), labels", "validation_data y", (X, Y), pair("y"),
            nnfs_xp=our_fit(validation_data=...), keras=keras_fit(validation_data=...),
        ),
    ]  # fmt: skip


def our_regression(nx, t, v):
    layers = [nx.Dense(FEATURES, 5), nx.ReLU(), nx.Dense(5, 1)]
    loss, be = "mean_squared_error", t.be
    model = t.watch(nx.Model(layers, loss=loss, optimizer="adam", backend=be))
    return model.fit(X, v)["loss"]


def torch_regression(torch, t, v):
    model = t.watch(torch_model(torch, outputs=1))
    optimizer = torch.optim.Adam(model.parameters())
    inputs = torch.as_tensor(X, dtype=torch.float32)
    targets = torch.as_tensor(v)
    targets = targets.float() if targets.is_floating_point() else targets
    loss = torch.nn.MSELoss()(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss


def keras_regression(keras, t, v):
    layers = [keras.Input((FEATURES,)), keras.layers.Dense(1)]
    model = t.watch(keras.Sequential(layers))
    model.compile("adam", "mse")
    return model.fit(X, v, verbose=0).history


def sklearn_regression(sklearn, t, v):
    network = sklearn.neural_network.MLPRegressor(max_iter=2)
    network.fit(X, COLUMN[:, 0])
    return t.watch(network).partial_fit(X, v).predict(X)


def use() -> list[Case]:
    """Return the cases of `Model.evaluate` and `Model.predict`."""

    def ours(call):
        def program(nx, t, v):
            model = t.watch(our_model(nx, t.be))
            return t.be.to_numpy(model.predict(v)) if call == "predict" else (
                model.evaluate(v, Y) if call == "x" else model.evaluate(X, v)
            )  # fmt: skip

        return program

    def torch_use(torch, t, v):
        model = t.watch(torch_model(torch))
        return model(torch.as_tensor(v, dtype=torch.float32))

    def keras_use(call):
        def program(keras, t, v):
            model = t.watch(keras_model(keras))
            if call == "predict":
                return model.predict(v, verbose=0)
            x, y = (v, Y) if call == "x" else (X, v)
            return model.evaluate(x, y, verbose=0)

        return program

    def sklearn_use(call):
        def program(sklearn, t, v):
            model = t.watch(sklearn_model(sklearn))
            if call == "predict":
                return model.predict_proba(v)
            return model.score(v, Y) if call == "x" else model.score(X, v)

        return program

    return [
        *cases_of(
            "Prediction and evaluation",
            "predict(x)", r"\bx\b", X, FEATURES_OF_A_MODEL,
            meant=ANY_BATCH,
            nnfs_xp=ours("predict"), torch=torch_use, keras=keras_use("predict"),
            sklearn=sklearn_use("predict"),
        ),
        *cases_of(
            "Prediction and evaluation",
            "evaluate(x)", r"\bx\b", X, FEATURES_OF_A_MODEL,
            nnfs_xp=ours("x"), keras=keras_use("x"), sklearn=sklearn_use("x"),
        ),
        *cases_of(
            "Prediction and evaluation",
            "evaluate(y)", r"\by\b", Y, LABELS, meant=ANY_LABELS,
            nnfs_xp=ours("y"), keras=keras_use("y"), sklearn=sklearn_use("y"),
        ),
    ]  # fmt: skip


def options() -> list[Case]:
    """Return the cases of options of a model and of `Model.fit`."""

    def rows(call, argument, good, bad, **programs):
        return cases_of("Training options", call, argument, good, bad, **programs)

    def of_model(name):
        return lambda nx, t, v: our_model(nx, t.be, **{name: v})

    def keras_compile(name):
        def program(keras, t, v):
            model, loss = keras_model(keras), "sparse_categorical_crossentropy"
            v = loss if v == loss.removeprefix("sparse_") else v
            own = {"optimizer": "adam", "loss": loss}
            model.compile(**{**own, name: v})
            return model.fit(X, Y, verbose=0).history

        return program

    def perceptron(**given):
        def program(sklearn, t, v):
            own = {name: v if value is ... else value for name, value in given.items()}
            network = sklearn.neural_network.MLPClassifier(
                **{"hidden_layer_sizes": (5,), "max_iter": 2, **own}
            )
            return network.fit(np.tile(X, (10, 1)), np.tile(Y, 10)).predict_proba(X)

        return program

    def loader(name):
        def program(torch, t, v):
            data = torch.utils.data.TensorDataset(torch.as_tensor(X))
            return list(torch.utils.data.DataLoader(data, **{name: v}))

        return program

    count = [0, -3, 2.5, "3", True, NAN]
    flag, word = ["False", "no", None, 1], ["no such", 3, [1], True]
    share = [-0.1, 1.0, 1.5, NAN, "0.2", None]
    return [
        *rows(
            "fit(epochs)", "epochs", 2, [*count, None], nnfs_xp=our_fit(epochs=...),
            keras=keras_fit(epochs=...), sklearn=perceptron(max_iter=...),
        ),
        *rows(
            "fit(batch_size)", "batch_size", 2, count, nnfs_xp=our_fit(batch_size=...),
            torch=loader("batch_size"), keras=keras_fit(batch_size=...),
            sklearn=perceptron(batch_size=...),
        ),
        *rows(
            "fit(shuffle)", "shuffle", True, flag, nnfs_xp=our_fit(shuffle=...),
            torch=loader("shuffle"), keras=keras_fit(shuffle=...),
            sklearn=perceptron(shuffle=...),
        ),
        *rows(
            "fit(validation_split)", "validation_split", 0.5, share,
            nnfs_xp=our_fit(validation_split=...),
            keras=keras_fit(validation_split=...),
            sklearn=perceptron(validation_fraction=..., early_stopping=True),
        ),
        *rows(
            "fit(callbacks)", "callbacks", [], [[3], "print", 3, [None]],
            nnfs_xp=our_fit(callbacks=...), keras=keras_fit(callbacks=...),
        ),
        *rows(
            "fit(validation_data)", "validation_data", (X, Y), {
                "features only": (X,), "a number": 3, "a string": "no",
                "a tuple of four items": (X, Y, WEIGHTS, WEIGHTS),
            },
            nnfs_xp=our_fit(validation_data=...), keras=keras_fit(validation_data=...),
        ),
        *rows(
            "Model(loss)", "loss", "categorical_crossentropy", word,
            nnfs_xp=of_model("loss"), keras=keras_compile("loss"),
        ),
        *rows(
            "Model(optimizer)", "optimizer", "adam", word,
            nnfs_xp=of_model("optimizer"), keras=keras_compile("optimizer"),
            sklearn=perceptron(solver=...),
        ),
        *rows(
            "Model(metrics)", "metrics", ["accuracy"], [["no such"], 3, [3], [[]]],
            nnfs_xp=of_model("metrics"), keras=keras_compile("metrics"),
        ),
        *rows(
            "Model(seed)", "seed", 1, [-1, 2**64, 1.5, "1", True, [1]],
            nnfs_xp=of_model("seed"), torch=lambda torch, t, v: torch.manual_seed(v),
            keras=lambda keras, t, v: keras.utils.set_random_seed(v),
            sklearn=perceptron(random_state=...),
        ),
        *rows(
            "Model(dtype)", "dtype", "float32", ["float16", "int32", "no such", 3],
            nnfs_xp=lambda nx, t, v: our_model(nx, t.be.name, dtype=v),
            keras=lambda keras, t, v: keras.layers.Dense(2, dtype=v)(X),
            meant={"keras": ["'float16'"]},
        ),
    ]  # fmt: skip


def units() -> list[Case]:
    """Return the cases of arrays given to a layer, a loss or a metric by itself."""

    def layer(make):
        def program(nx, t, v):
            own = t.watch(make(nx, t.be))
            return t.be.to_numpy(own.forward(placed(t.be, v)))

        return program

    def torch_layer(make):
        def program(torch, t, v):
            x = torch.as_tensor(v)
            return make(torch)(x.float() if x.is_floating_point() else x)

        return program

    def keras_layer(make, good):
        def program(keras, t, v):
            own = make(keras)
            own(good)
            return keras.ops.convert_to_numpy(t.watch(own)(v))

        return program

    def loss(name, y_pred):
        def program(nx, t, v):
            own = getattr(nx, name)(backend=t.be)
            return t.be.to_numpy(own.calculate(placed(t.be, y_pred), placed(t.be, v)))

        return program

    def torch_loss(name, y_pred):
        def program(torch, t, v):
            y, p = torch.as_tensor(v), torch.as_tensor(y_pred).float()
            return getattr(torch.nn, name)()(
                p, y.float() if y.is_floating_point() else y
            )

        return program

    def keras_loss(name, y_pred):
        return lambda keras, t, v: keras.ops.convert_to_numpy(
            getattr(keras.losses, name)()(v, y_pred)
        )

    def keras_metric(name, y_pred):
        def program(keras, t, v):
            metric = getattr(keras.metrics, name)()
            metric.update_state(v, y_pred)
            return keras.ops.convert_to_numpy(metric.result())

        return program

    arrays = {k: v for k, v in FEATURES_OF_A_MODEL.items() if k != "dates"}
    # JAX has no array of 32 bits with the label that wraps.
    left_out = ("None", "words", "a label that wraps to 0 in 32 bits")
    labels = {k: v for k, v in LABELS.items() if k not in left_out}
    guesses = PROBABILITIES.argmax(1)
    return [
        *cases_of(
            "Inputs of a single unit",
            "Dense.forward(inputs)", "inputs", X, arrays,
            meant=ANY_BATCH,
            nnfs_xp=layer(lambda nx, be: nx.Dense(FEATURES, 2, backend=be)),
            torch=torch_layer(lambda torch: torch.nn.Linear(FEATURES, 2)),
            keras=keras_layer(lambda keras: keras.layers.Dense(2), X),
        ),
        *cases_of(
            "Inputs of a single unit",
            "Embedding.forward(inputs)", "inputs",
            np.array([[0, 1]]), IDS,
            nnfs_xp=layer(lambda nx, be: nx.Embedding(3, 2, backend=be)),
            torch=torch_layer(lambda torch: torch.nn.Embedding(3, 2)),
            keras=keras_layer(
                lambda keras: keras.layers.Embedding(3, 2), np.array([[0, 1]])
            ),
        ),
        *cases_of(
            "Inputs of a single unit",
            "SoftmaxCrossEntropy(y_true)", "y_true", Y, labels,
            nnfs_xp=loss("SoftmaxCrossEntropy", PROBABILITIES),
            torch=torch_loss("CrossEntropyLoss", PROBABILITIES),
            keras=keras_loss("SparseCategoricalCrossentropy", PROBABILITIES),
            sklearn=lambda sklearn, t, v: sklearn.metrics.log_loss(
                v, PROBABILITIES, labels=range(CLASSES)
            ),
        ),
        *cases_of(
            "Inputs of a single unit",
            "MeanSquaredError(y_true)", "y_true", COLUMN,
            {**NUMBERS, "a 1-D array": COLUMN[:, 0]},
            nnfs_xp=loss("MeanSquaredError", COLUMN),
            torch=torch_loss("MSELoss", COLUMN),
            keras=keras_loss("MeanSquaredError", COLUMN),
            sklearn=lambda sklearn, t, v: sklearn.metrics.mean_squared_error(v, COLUMN),
        ),
        *cases_of(
            "Inputs of a single unit",
            "BinaryCrossEntropy(y_true)", "y_true",
            COLUMN.round(), NOT_BITS,
            nnfs_xp=loss("BinaryCrossEntropy", COLUMN),
            torch=torch_loss("BCELoss", COLUMN),
            keras=keras_loss("BinaryCrossentropy", COLUMN),
        ),
        *cases_of(
            "Inputs of a single unit",
            "Accuracy(y_true)", "y_true", Y, labels,
            meant=ANY_LABELS,
            nnfs_xp=loss("Accuracy", PROBABILITIES),
            keras=keras_metric("SparseCategoricalAccuracy", PROBABILITIES),
            sklearn=lambda sklearn, t, v: sklearn.metrics.accuracy_score(v, guesses),
        ),
        *cases_of(
            "Inputs of a single unit",
            "F1(y_true)", "y_true", Y, labels, meant=ANY_LABELS,
            nnfs_xp=loss("F1", PROBABILITIES),
            sklearn=lambda sklearn, t, v: sklearn.metrics.f1_score(
                v, guesses, average="macro"
            ),
        ),
        *cases_of(
            "Inputs of a single unit",
            "MeanAbsoluteError(sample_weight)", "sample_weight",
            WEIGHTS, {k: v for k, v in SAMPLE_WEIGHTS.items() if k != "strings"},
            nnfs_xp=lambda nx, t, v: nx.MeanAbsoluteError(backend=t.be).calculate(
                placed(t.be, COLUMN), placed(t.be, COLUMN),
                sample_weight=placed(t.be, v),
            ),
            keras=lambda keras, t, v: keras.ops.convert_to_numpy(
                keras.losses.MeanAbsoluteError()(COLUMN, COLUMN, sample_weight=v)
            ),
            sklearn=lambda sklearn, t, v: sklearn.metrics.mean_absolute_error(
                COLUMN, COLUMN, sample_weight=v
            ),
        ),
    ]  # fmt: skip
