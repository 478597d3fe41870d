"""What people pass who come from other libraries: taken, or refused with advice."""

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import backend_or_skip

X = np.eye(4, dtype="float32")
Y = np.array([0, 1, 2, 0])


def make_model(be="numpy"):
    return nx.Model(
        [nx.Dense(4, 3), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer="adam",
        backend=be,
    )


def test_compile_is_no_method():
    model = nx.Model([nx.Dense(4, 3), nx.Softmax()])
    with pytest.raises(nx.InputError, match=r"or call model\.set\(optim"):
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    assert model.compile == "auto"


class Sparse:
    """As a matrix of SciPy."""

    def toarray(self):
        return X


@pytest.mark.parametrize(
    ("labels", "error", "text"),
    [
        (
            np.array(["a", "b", "c", "a"]),
            nx.DTypeError,
            r"dtype <U1; number the classes from 0, as nnfs_xp.data.ClassLabels\(y\)",
        ),
        (["a", "b", "c", "a"], nx.DTypeError, "number the classes from 0"),
        (np.array(["a", "b", "c", "a"], dtype=object), nx.DTypeError, "ClassLabels"),
        (Y * 1.0, nx.DTypeError, r"got dtype float64; use y.astype\(int\)$"),
        (Y + 0.5, nx.DTypeError, "float64; numbers to predict need a loss of numbers"),
        (Y.astype(object), nx.DTypeError, r"object; use y.astype\(int\)$"),
        (Y + 1, nx.InputError, "from 0 to 2, got 3; classes count from 0: use y - 1$"),
        (Y + 2, nx.InputError, "from 0 to 2, got 4$"),
        (Y - 1, nx.InputError, "from 0 to 2, got -1$"),
    ],
)
def test_labels_that_need_a_word(labels, error, text):
    with pytest.raises(error, match=text):
        make_model().fit(X, labels)


def test_the_advice_names_the_variable():
    with pytest.raises(nx.DTypeError, match=r"validation_data y must .* use y\.astype"):
        make_model().fit(X, Y, validation_data=(X, Y * 1.0))


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (Sparse(), r"x is a sparse Sparse; use x\.toarray\(\)"),
        (list("abcd"), "x: expected real numbers, got an array of dtype <U1"),
    ],
)
def test_what_is_no_array(x, text):
    with pytest.raises(nx.DTypeError, match=text):
        make_model().fit(x, Y)


def test_labels_on_the_host_go_with_features_anywhere(backend):
    """And the other way round."""
    histories = []
    for x, y, weight in (
        (X, Y, np.ones(4)),
        (backend.asarray(X), Y, np.ones(4)),
        (backend.asarray(X), Y.tolist(), None),
        (X, backend.asarray(Y, "int32"), None),
        (X, Y, backend.asarray(np.ones(4))),
    ):
        model = make_model(backend)
        history = model.fit(x, y, sample_weight=weight, validation_data=(x, y))
        histories.append((history["loss"], history["validation_loss"]))
        assert model.evaluate(x, y)["loss"] == history["validation_loss"][0]
    assert all(found == histories[0] for found in histories)


def test_arrays_of_two_libraries_are_still_refused():
    other = backend_or_skip("strict", "float32").asarray(Y, "int32")
    with pytest.raises(nx.BackendMismatchError, match="y is an array of array_api_str"):
        make_model().fit(X, other)


@pytest.mark.backend("torch")
class TestTorch:
    def test_a_loader_and_a_sparse_tensor(self, torch):
        data = torch.utils.data
        loader = data.DataLoader(data.TensorDataset(torch.tensor(X), torch.tensor(Y)))
        make_model("torch").fit(loader, None)
        with pytest.raises(nx.InputError, match="y must be omitted if x yields"):
            make_model("torch").fit(loader, Y)
        with pytest.raises(nx.InputError, match=r"x is a sparse .*x\.to_dense\(\)"):
            make_model("torch").fit(torch.tensor(X).to_sparse(), torch.tensor(Y))

    def test_narrow_floats(self, torch):
        narrow = torch.tensor(X).to(torch.float8_e4m3fn)
        with pytest.raises(nx.DTypeError, match="x: expected real .*float8_e4m3fn"):
            make_model("torch").predict(narrow)
        model = make_model("torch")
        half = model.predict(torch.tensor(X).to(torch.bfloat16))
        np.testing.assert_array_equal(half, model.predict(X))

    def test_a_device_with_and_without_its_index(self, torch):
        model = make_model(nx.get_backend("torch", device="cpu:0"))
        assert model.backend == nx.get_backend("torch")
        model.fit(torch.tensor(X, device="cpu"), torch.tensor(Y, device="cpu:0"))


@pytest.mark.backend("jax")
class TestJax:
    def test_a_model_cannot_be_traced(self):
        jax = pytest.importorskip("jax")
        model, x = make_model("jax"), jax.numpy.asarray(X)
        for traced in (
            jax.jit(model.predict),
            jax.vmap(model.predict),
            jax.grad(lambda v: model.predict(v)[0, 0]),
        ):
            with pytest.raises(nx.InputError, match=r"x is being traced "):
                traced(x)
        parameters = model.parameters
        assert jax.jit(lambda v: v @ parameters["0.weights"])(x).shape == (4, 3)

    def test_narrow_floats(self):
        jax = pytest.importorskip("jax")
        narrow = jax.numpy.asarray(X, dtype=jax.numpy.float8_e4m3fn)
        with pytest.raises(nx.DTypeError, match="x: expected real .*float8_e4m3fn"):
            make_model("jax").predict(narrow)
        with pytest.raises(nx.DTypeError, match="x: expected real"):
            make_model().predict(np.asarray(narrow))


def test_records_hold_numbers_of_python():
    class OwnLoss(nx.MeanSquaredError):
        def finish(self, total, count):
            return np.float64(total) / np.float64(count)

    class OwnRate(nx.Schedule):
        def __call__(self, step):
            return np.float32(0.5)

    model = nx.Model(
        [nx.Dense(4, 3, weight_regularizer="l2")],
        loss=OwnLoss(),
        optimizer=nx.SGD(OwnRate()),
        metrics=["accuracy", "r2"],
    )
    y = np.zeros((4, 3))
    history = model.fit(X, y, epochs=np.int64(2), validation_data=(X, y))
    for record in (*history.epochs, model.evaluate(X, y)):
        assert {type(value) for value in record.values()} <= {int, float}
