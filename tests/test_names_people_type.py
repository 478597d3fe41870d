"""Names and habits from other libraries, and what becomes of them."""

import copy
import pickle

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import other_names
from nnfs_xp.data import ClassLabels
from nnfs_xp.registry import UNITS, find
from nnfs_xp.unit import _taken

X = np.random.default_rng(0).normal(size=(12, 3))
Y = np.arange(12) % 2


@pytest.mark.parametrize(
    ("kind", "name", "unit"),
    [
        ("loss", "mse", nx.MeanSquaredError),
        ("loss", "MSE", nx.MeanSquaredError),
        ("loss", "mae", nx.MeanAbsoluteError),
        ("loss", "mape", nx.MeanAbsolutePercentageError),
        ("loss", "msle", nx.MeanSquaredLogarithmicError),
        ("loss", "bce", nx.BinaryCrossEntropy),
        ("loss", "kl_divergence", nx.KullbackLeibler),
        ("loss", "sparse_categorical_crossentropy", nx.CategoricalCrossEntropy),
        ("loss", "SparseCategoricalCrossentropy", nx.CategoricalCrossEntropy),
        ("metric", "acc", nx.Accuracy),
        ("metric", "rmse", nx.RootMeanSquaredError),
        ("layer", "swish", nx.SiLU),
    ],
)
def test_other_names(kind, name, unit):
    assert find(kind, name) is unit
    # A file has the name of the class, whatever was typed.
    assert name not in UNITS[kind]


def test_no_other_name_hides_a_unit():
    for kind, units in UNITS.items():
        for name, unit in units.items():
            assert find(kind, name) is unit


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nx.Dense(4, 2, kernel_initializer="zeros"), "Dense: .* 'kernel_"
         r"initializer'; kernel_initializer is called weight_initializer here; it "
         r"takes \(n_inputs, n_neurons, \*, "),
        (lambda: nx.Dense(units=2, input_dim=4), "units is called n_neurons here; "
         "input_dim is called n_inputs here"),
        (lambda: nx.GRU(4, units=2), "units is called n_units here"),
        (lambda: nx.Adam(lr=0.1), "Adam: .*; lr is called learning_rate here"),
        (lambda: nx.Adam(learning_rte=0.1), "did you mean learning_rate?"),
        (lambda: nx.Dense(4), "Dense: missing a required argument: 'n_neurons'; it"),
        (lambda: nx.Linear(4, 2), "Linear: too many .*; a fully connected layer is "
         "Dense; it takes"),
        (lambda: nx.Residual(), r"Residual: missing .* 'inner'; it takes \(inner\)"),
    ],
)  # fmt: skip
def test_wrong_arguments_of_a_unit(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_errors_of_a_constructor_of_ones_own_stay():
    class Own(nx.ReLU):
        def __init__(self, factor):
            super().__init__()
            self.factor = 2.0 + factor

    with pytest.raises(TypeError, match="unsupported operand"):
        Own("2")
    with pytest.raises(TypeError, match=r"Own: missing .*; it takes \(factor\)"):
        Own()


def test_classes_of_other_libraries():
    for name, ours in other_names.CLASSES.items():
        assert hasattr(nx, ours), ours
        assert not hasattr(nx, name), name
        with pytest.raises(AttributeError, match=f"it is called {ours} here"):
            getattr(nx, name)
    with pytest.raises(AttributeError, match="it is called Conv2D here"):
        getattr(nx, "Conv2d")  # noqa: B009
    with pytest.raises(AttributeError, match="has no attribute 'Other'$"):
        getattr(nx, "Other")  # noqa: B009


def test_arguments_of_other_libraries_have_one_of_ours():
    every = [unit for units in UNITS.values() for unit in units.values()]
    taken = {parameter.name for unit in every for parameter in _taken(unit)}
    for name, same in other_names.ARGUMENTS.items():
        assert set(same) <= taken, name


def test_names_in_a_model():
    model = nx.Model([nx.Dense(3, 1)], loss="mse", optimizer="adam", metrics=["mae"])
    assert list(model.evaluate(X, X[:, :1])) == ["loss", "mean_absolute_error"]
    binary = nx.Model(
        [nx.Dense(3, 1), nx.Sigmoid()], loss="bce", optimizer="adam", metrics=["acc"]
    )
    assert isinstance(binary.metrics[0], nx.BinaryAccuracy)
    with pytest.raises(nx.InputError, match="loss must be one of .*, got 'mean'"):
        model.set(loss="mean")


def dense_model(written_out):
    if written_out:
        layers = [nx.Dense(3, 8), nx.ReLU(), nx.Dense(8, 2), nx.Softmax()]
    else:
        layers = [
            nx.Dense(3, 8, activation="relu"),
            nx.Dense(8, 2, activation=nx.Softmax()),
        ]
    return nx.Model(layers, loss="categorical_crossentropy", optimizer="adam")


def test_a_dense_layer_with_its_activation(tmp_path):
    short, long = dense_model(False), dense_model(True)
    assert [type(layer) for layer in short.layers] == [
        nx.Dense, nx.ReLU, nx.Dense, nx.Softmax,
    ]  # fmt: skip
    assert short.config() == long.config()
    for model in (short, long):
        model.fit(X, Y, epochs=3)
    np.testing.assert_array_equal(short.predict(X), long.predict(X))
    short.save(tmp_path / "model.safetensors")
    again = nx.Model.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict(X), long.predict(X))
    stepwise = nx.Model()
    stepwise.add(nx.Dense(3, 8, activation="relu"))
    assert len(stepwise.layers) == 2


def test_a_dense_layer_with_its_activation_by_itself():
    block = nx.Dense(3, 2, activation="tanh", seed=1)
    assert isinstance(block, nx.Sequential)
    plain = nx.Dense(3, 2, seed=1)
    np.testing.assert_array_equal(
        block.forward(X), np.tanh(plain.forward(X)).astype("float32")
    )
    nested = nx.Model([nx.Residual(nx.Dense(3, 3, activation="relu"))])
    assert sorted(nested.parameters) == ["0.inner.0.biases", "0.inner.0.weights"]
    for copied in (copy.deepcopy(block), pickle.loads(pickle.dumps(block))):
        assert len(nx.Model([copied]).layers) == 2
    assert not isinstance(nx.Dense(3, 2, activation=None), nx.Sequential)
    with pytest.raises(nx.InputError, match="activation must be one of .*got 'nothin"):
        nx.Dense(3, 2, activation="nothing")

    class Own(nx.Layer):
        def fwd(self, cx, x):
            return x, None

        def bwd(self, cx, residuals, dy):
            return dy

    assert isinstance(nx.Dense(3, 2, activation=Own()).layers[1], Own)


def test_compile_says_what_to_write():
    model = nx.Model([nx.Dense(3, 2), nx.Softmax()])
    with pytest.raises(nx.InputError, match="compile is a setting") as caught:
        model.compile(
            optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["acc"]
        )
    written = str(caught.value).rpartition(" call ")[2]
    exec(written, {"model": model})
    model.fit(X, Y)
    with pytest.raises(nx.InputError, match=r"model\.set\(\.\.\.\)"):
        model.compile()


@pytest.mark.parametrize(
    "names",
    [
        ["oak", "elm", "oak", "fir"],
        np.array(["oak", "elm", "oak", "fir"], dtype=object),
        [0.5, -1.5, 0.5, 3.0],
        [3, 1, 3, 7],
        [True, False, True, True],
        [[3.0], [1.0], [3.0], [7.0]],
    ],
    ids=str,
)
def test_class_labels(names):
    labels = ClassLabels(names)
    numbers = labels.encode(names)
    assert numbers.dtype == "int32" and set(numbers) == set(range(len(labels)))
    flat = np.ravel(names).tolist()
    assert labels.decode(numbers).tolist() == flat
    rows = np.eye(len(labels))[numbers]
    assert labels.decode(rows).tolist() == flat
    assert labels.names.tolist() == sorted(set(flat))


def test_class_labels_of_a_training(backend):
    names = np.where(X[:, 0] > 0, "up", "down")
    labels = ClassLabels(names)
    model = nx.Model(
        [nx.Dense(3, len(labels)), nx.Softmax()],
        loss="categorical_crossentropy", optimizer=nx.Adam(0.3), backend=backend,
    )  # fmt: skip
    model.fit(X, labels.encode(names), epochs=30)
    assert (labels.decode(model.predict(X)) == names).mean() > 0.9


def test_class_labels_of_columns():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for column in (
        pandas.Series(["u", "v", "u"]),
        pandas.Series(["u", "v", "u"]).astype("category"),
        pandas.DataFrame({"y": ["u", "v", "u"]}),
        polars.Series(["u", "v", "u"]),
    ):
        assert ClassLabels(column).encode(column).tolist() == [0, 1, 0]
    for column in (pandas.Series(["u", None]), pandas.Series([1, None], dtype="Int64")):
        with pytest.raises(nx.InputError, match="must not be missing, and number 1"):
            ClassLabels(column)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ClassLabels([]), r"labels must have shape \(n,\), got \(0,\)"),
        (lambda: ClassLabels([1.0, np.nan]), "must not be missing, and number 1 is"),
        (lambda: ClassLabels(np.array([1, "a"], dtype=object)), "must be of one kind"),
        (
            lambda: ClassLabels(["a", "b"]).encode(["c"]),
            r"some of \['a', 'b'\], got",
        ),
        (lambda: ClassLabels(["a", "b"]).decode([2]), "integers from 0 to 1"),
        (lambda: ClassLabels(["a", "b"]).decode([-1]), "integers from 0 to 1"),
        (lambda: ClassLabels(["a", "b"]).decode([[0.1]]), r"or of shape \(n, 2\)"),
    ],
)
def test_class_labels_that_do_not_fit(call, text):
    with pytest.raises(nx.InputError, match=text):
        call()


@pytest.mark.parametrize(
    "make",
    [
        lambda: nx.Dense(3, 2, activation="dropout"),
        lambda: nx.Dense(3, 2, activation="nothing"),
        lambda: nx.TransformerBlock(4, 2, activation="layer_norm"),
    ],
)
def test_a_name_that_is_no_activation(make):
    expected = r"activation must be one of \['CELU', .*'Tanh', .*\], got '"
    with pytest.raises(nx.InputError, match=expected):
        make()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: nx.Model([nx.Dense(3, 2)], loss="mse", optimizer=nx.SGD), "SGD"),
        (lambda: nx.Model([nx.Dense(3, 2)], loss=nx.MeanSquaredError), "MeanSquared"),
        (lambda: nx.Dense(3, 2, activation=nx.ReLU), "ReLU"),
        (lambda: nx.Dense(3, 2, weight_initializer=nx.HeNormal), "HeNormal"),
        (
            lambda: nx.Model([nx.Dense(3, 2)], loss="mse", metrics=[nx.R2]),
            "R2",
        ),
    ],
)
def test_a_class_instead_of_an_object(make, name):
    with pytest.raises(nx.InputError, match=f"got the class {name}.*; use {name}"):
        make()


def test_a_flag_of_numpy():
    model = dense_model(True)
    model.fit(X, Y, shuffle=np.bool_(False), verbose=np.any([False]))
    other = dense_model(True)
    other.fit(X, Y, shuffle=False)
    np.testing.assert_array_equal(model.predict(X), other.predict(X))
    assert type(nx.SGD(0.1, momentum=0.5, nesterov=np.True_).nesterov) is bool
    with pytest.raises(nx.InputError, match="shuffle must be True or False, got 1"):
        model.fit(X, Y, shuffle=1)


def test_errors_of_own_constructors_are_kept():
    class Own(nx.Dense):
        def __init__(self, *args, **kwargs):
            super().__init__(2, 3, **kwargs)
            raise TypeError("a reason of its own")

    with pytest.raises(TypeError, match="^a reason of its own$"):
        Own()
