"""Lists of Keras: both ways, and what does not fit. It is not installed everywhere."""

import importlib.util
import os

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.weights import from_keras, to_keras
from tests.weights.test_torch import draw

# Keras makes NumPy arrays of PyTorch's in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")


@pytest.fixture
def keras(monkeypatch):
    """Keras in float64, on PyTorch.

    Keras demotes results in float64 to float32 on every backend but TensorFlow, by a
    table of dtypes. The fixture sets TensorFlow's entry in that table.
    """
    if importlib.util.find_spec("keras") is None:
        pytest.skip("not installed: pip install keras")
    pytest.importorskip("torch", reason="what Keras computes with here")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras
    from keras.src.backend.common import dtypes

    monkeypatch.setitem(dtypes.BIT64_TO_BIT32_DTYPE, "float64", "float64")
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield keras
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])


def keras_chain(keras):
    layers = keras.layers
    return [
        layers.Input((4,)), layers.Dense(8, use_bias=False),
        layers.BatchNormalization(epsilon=1e-3), layers.PReLU(), layers.Dense(6),
        layers.LayerNormalization(epsilon=1e-3), layers.Dropout(0.5),
        layers.Activation("tanh"), layers.Dense(3, activation="softmax"),
    ]  # fmt: skip


def chain():
    return [
        nx.Dense(4, 8, use_bias=False), nx.BatchNorm(8, eps=1e-3), nx.PReLU(8),
        nx.Dense(8, 6), nx.LayerNorm(6, eps=1e-3), nx.Dropout(0.5), nx.Tanh(),
        nx.Dense(6, 3), nx.Softmax(),
    ]  # fmt: skip


def keras_ids(keras):
    layers = keras.layers
    return [
        layers.Input((2,), dtype="int32"), layers.Embedding(7, 3), layers.Flatten(),
        layers.Dense(2),
    ]  # fmt: skip


def ids():
    return [nx.Embedding(7, 3), nx.Flatten(), nx.Dense(6, 2)]


def keras_images(keras):
    layers = keras.layers
    return [
        layers.Input((6, 5, 2)), layers.Conv2D(4, 3, padding="same"),
        layers.GroupNormalization(2, epsilon=1e-5), layers.MaxPooling2D(),
        layers.Conv2D(6, 2, groups=2, use_bias=False), layers.Flatten(),
        layers.Dense(2), layers.RMSNormalization(epsilon=1e-5),
    ]  # fmt: skip


def images():
    return [
        nx.Conv2D(2, 4, 3, padding="same"), nx.GroupNorm(4, 2), nx.MaxPool2D(),
        nx.Conv2D(4, 6, 2, groups=2, use_bias=False), nx.Flatten(), nx.Dense(12, 2),
        nx.RMSNorm(2, eps=1e-5),
    ]  # fmt: skip


def keras_sequences(keras):
    layers = keras.layers
    return [
        layers.Input((6, 4)), layers.Conv1D(4, 2),
        layers.LSTM(3, return_sequences=True), layers.GRU(3, return_sequences=True),
        layers.SimpleRNN(2),
    ]  # fmt: skip


def sequences():
    return [
        nx.Conv1D(4, 4, 2), nx.LSTM(4, 3, return_sequences=True),
        nx.GRU(3, 3, return_sequences=True), nx.SimpleRNN(3, 2),
    ]  # fmt: skip


PAIRS = {
    "images": (
        keras_images,
        images,
        np.random.default_rng(6).standard_normal((3, 6, 5, 2)),
    ),
    "sequences": (
        keras_sequences,
        sequences,
        np.random.default_rng(5).standard_normal((3, 6, 4)),
    ),
    "chain": (keras_chain, chain, np.random.default_rng(2).standard_normal((5, 4))),
    "ids": (keras_ids, ids, np.array([[0, 6], [3, 3], [1, 5]])),
}


def pair(keras, name):
    make, make_layers, x = PAIRS[name]
    return keras.Sequential(make(keras)), nx.Model(make_layers(), dtype="float64"), x


def assert_same(theirs, model, x):
    """Compare all arrays to the bit, and what is computed from them."""
    found = theirs.predict(x, verbose=0)
    np.testing.assert_allclose(found, model.predict(x), rtol=1e-12, atol=1e-12)
    for own, array in zip(to_keras(model), theirs.get_weights(), strict=True):
        assert own.dtype == array.dtype == "float64"
        np.testing.assert_array_equal(own, array)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAIRS)
def test_from_keras(keras, name):
    theirs, model, x = pair(keras, name)
    random = np.random.default_rng(0)
    drawn = [random.uniform(0.1, 1.0, a.shape) for a in theirs.get_weights()]
    theirs.set_weights(drawn)
    from_keras(model, theirs)
    assert_same(theirs, model, x)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAIRS)
def test_to_keras_and_back(keras, name):
    theirs, model, x = pair(keras, name)
    draw(model)
    theirs.set_weights(to_keras(model))
    assert_same(theirs, model, x)
    again = nx.Model(PAIRS[name][1](), dtype="float64")
    from_keras(again, to_keras(model))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


@pytest.mark.slow
@pytest.mark.parametrize("n_context", [None, 4, 3])
def test_attention(keras, n_context):
    random = np.random.default_rng(7)
    x = random.standard_normal((3, 6, 4))
    context = x if n_context is None else random.standard_normal((3, 2, n_context))
    theirs = keras.layers.MultiHeadAttention(2, 2)
    theirs.build(x.shape, context.shape)
    if n_context is None:
        model = nx.Model([nx.MultiHeadAttention(4, 2)], dtype="float64")
    else:
        model = nx.Model([nx.CrossAttention(4, 2, n_context)], dtype="float64")
    theirs.set_weights([random.uniform(0.1, 1, a.shape) for a in theirs.get_weights()])
    from_keras(model, theirs)
    found = keras.ops.convert_to_numpy(theirs(x, context))
    expected = model.predict(x if n_context is None else (x, context))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    for own, array in zip(to_keras(model), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(own, array)


@pytest.mark.slow
def test_files_of_keras_are_read_by_keras(keras, tmp_path):
    theirs, model, x = pair(keras, "chain")
    theirs.save(tmp_path / "model.keras")
    from_keras(model, keras.saving.load_model(tmp_path / "model.keras"))
    assert_same(theirs, model, x)


def test_a_list_is_read_without_keras():
    model, again = (nx.Model(chain(), dtype="float64") for _ in range(2))
    from_keras(again, to_keras(draw(model)))
    x = PAIRS["chain"][2]
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert [array.shape for array in to_keras(model)][:5] == [(4, 8), *[(8,)] * 4]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([np.zeros((7, 3))], r"3 arrays \(0\.embeddings, 2\.kernel, 2\.bias\), got 1"),
        ([np.zeros((7, 3)), np.zeros((2, 6)), np.zeros(2)],
         r"source\[1\], kernel, must have shape \(6, 2\) .* Dense\(6, 2\) at 2"),
        ("model.keras", "source must be a Keras model or its get_weights"),
        (3, "source must be a Keras model or its get_weights"),
        ([np.zeros((7, 3)), np.zeros((6, 2)), ["a", "b"]], "must hold real numbers"),
        ([np.full((7, 3), np.inf), np.zeros((6, 2)), np.zeros(2)],
         r"source: 0\.weights must be finite in float64"),
    ],
)  # fmt: skip
def test_what_does_not_fit_changes_nothing(source, message):
    model = draw(nx.Model(ids(), dtype="float64"))
    before = model.predict(PAIRS["ids"][2])
    with pytest.raises(nx.InputError, match=message):
        from_keras(model, source)
    np.testing.assert_array_equal(model.predict(PAIRS["ids"][2]), before)
