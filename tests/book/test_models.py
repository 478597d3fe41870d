"""Settings, data, files and models under the book's names."""

import numpy as np
import pytest

import nnfs_xp as nx
import nnfs_xp.book as nnfs
from nnfs_xp import data
from nnfs_xp.backends import backend_of
from nnfs_xp.book import datasets
from tests.book import reference
from tests.book.helpers import network, same
from tests.conftest import backend_or_skip

# Once is enough for these.


@pytest.fixture
def on_numpy():
    nnfs.init(backend="numpy", default_dtype="float64")


def test_init_says_where_and_how_precisely(monkeypatch):
    monkeypatch.delenv("NNFS_XP_BACKEND", raising=False)
    assert nnfs.Layer_Dense(1, 1).weights.dtype == np.float64
    nnfs.init()
    assert nnfs.Layer_Dense(1, 1).weights.dtype == np.float32
    nnfs.init(True, "float64")
    assert nnfs.Layer_Dense(1, 1).weights.dtype == np.float64
    nnfs.init(False, None, 7)
    layer = nnfs.Layer_Dense(2, 3)
    assert layer.weights.dtype == np.float64
    np.random.seed(7)  # noqa: NPY002
    wanted = 0.01 * np.random.randn(2, 3)  # noqa: NPY002
    np.testing.assert_array_equal(layer.weights, wanted)
    nnfs.init(random_seed=None)
    # Without a seed, the generator goes on.
    np.testing.assert_array_equal(
        nnfs.Layer_Dense(2, 2).weights,
        np.float32(0.01) * _randn_after(7, 6, (2, 2)).astype(np.float32),
    )
    nnfs.init(backend="array_api_strict", device="device1")
    assert backend_of(nnfs.Layer_Dense(1, 1).weights).name == ("array_api_strict")
    assert str(nnfs.Layer_Dense(1, 1).weights.device).endswith("'device1')")


def _randn_after(seed, numbers_before, shape):
    generator = np.random.RandomState(seed)
    generator.randn(numbers_before)
    return generator.randn(*shape)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("default_dtype", "float16"),
        ("default_dtype", np.float32),
        ("random_seed", -1),
        ("random_seed", 2**32),
        ("random_seed", 0.5),
        ("backend", "theano"),
    ],
)
def test_init_refuses(argument, value):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    with pytest.raises(nx.InputError, match=argument):
        nnfs.init(**{argument: value})
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_data_is_drawn_from_the_generator_of_the_weights(dtype):
    """Points, then weights, then points, from one seed."""
    nnfs.init(default_dtype=dtype, backend="numpy")
    generator = np.random.RandomState(0)
    for make in ("spiral_data", "vertical_data"):
        points, y = getattr(datasets, make)(10, 3)
        wanted = getattr(data, make)(10, 3, seed=generator, dtype=dtype)
        np.testing.assert_array_equal(points, wanted[0])
        np.testing.assert_array_equal(y, wanted[1])
        assert points.dtype == dtype and y.dtype == np.uint8
        drawn = 0.01 * generator.randn(2, 3).astype(dtype)
        np.testing.assert_array_equal(nnfs.Layer_Dense(2, 3).weights, drawn)
    np.testing.assert_array_equal(nnfs.sine_data(10)[1], data.sine_data(10)[1])


@pytest.mark.usefixtures("on_numpy")
def test_models_of_both_names_read_each_others_files(tmp_path, capsys):
    points, y = nnfs.spiral_data(20, 3)
    model = network()
    model.train(points, y, epochs=3, batch_size=25)
    model.save(tmp_path / "book.model")
    own = nx.Model.load(tmp_path / "book.model")
    assert [type(layer) for layer in own.layers] == [
        nx.Dense, nx.ReLU, nx.Dropout, nx.Dense, nx.Softmax
    ]  # fmt: skip
    assert type(own.loss) is nx.CategoricalCrossEntropy and own.loss.mode == "book"
    own.save(tmp_path / "own.model")
    again = nnfs.Model.load(tmp_path / "own.model")
    assert [type(layer) for layer in again.layers] == [type(x) for x in model.layers]
    assert type(again.loss) is nnfs.Loss_CategoricalCrossentropy
    assert type(again.optimizer) is nnfs.Optimizer_Adam
    assert type(again.accuracy) is nnfs.Accuracy_Categorical
    assert again.accuracy.metric is again.metrics[0]
    assert again.layers[2].rate == model.layers[2].rate == 0.9
    assert again.optimizer.iterations == model.optimizer.iterations == 9
    assert again.trainable_layers == [again.layers[0], again.layers[3]]
    assert again.loss.trainable_layers == again.trainable_layers
    # All three go on as if they were one.
    histories = [
        model.train(points, y, batch_size=25),
        own.fit(points, y, batch_size=25, shuffle=False),
        again.train(points, y, batch_size=25),
    ]
    for name, array in model.parameters.items():
        same(own.parameters[name], array)
        same(again.parameters[name], array)
    assert len({history["loss"][0] for history in histories}) == 1


@pytest.mark.usefixtures("on_numpy")
@pytest.mark.parametrize("kind", ["values", "probabilities"])
def test_accuracies_are_read_back(tmp_path, kind, capsys):
    accuracy, attribute, last, loss = {
        "values": (
            nnfs.Accuracy_Regression(),
            "precision",
            nnfs.Activation_Linear(),
            nnfs.Loss_MeanSquaredError(),
        ),
        "probabilities": (
            nnfs.Accuracy_Categorical(binary=True),
            "binary",
            nnfs.Activation_Sigmoid(),
            nnfs.Loss_BinaryCrossentropy(),
        ),
    }[kind]
    points, y = nnfs.spiral_data(10, 2)
    model = nnfs.Model([nnfs.Layer_Dense(2, 1), last])
    model.set(loss=loss, optimizer=nnfs.Optimizer_SGD(), accuracy=accuracy)
    model.train(points, y.reshape(-1, 1))
    model.save(tmp_path / "model")
    again = nnfs.Model.load(tmp_path / "model")
    assert type(again.accuracy) is type(accuracy)
    assert getattr(again.accuracy, attribute) == getattr(accuracy, attribute)
    assert getattr(accuracy, attribute) == pytest.approx(
        {"values": np.std(y) / 250, "probabilities": True}[kind]
    )


def test_a_file_is_read_onto_the_backend_of_init(tmp_path):
    nnfs.init(backend="numpy", default_dtype="float64")
    network().save(tmp_path / "model")
    nnfs.init(backend=backend_or_skip("strict-device1", "float32"))
    model = nnfs.Model.load(tmp_path / "model")
    assert str(model.backend) == "array_api_strict on device1, float64"
    model = nnfs.Model.load(tmp_path / "model", backend="numpy", dtype="float32")
    assert str(model.backend) == "numpy on cpu, float32"


@pytest.mark.usefixtures("on_numpy")
def test_a_new_optimizer_starts_with_a_state_of_its_own(capsys):
    points, y = nnfs.spiral_data(20, 3)
    model = network()
    model.train(points, y, epochs=5)
    # Its dropout has the seed of the first again.
    nnfs.init(backend="numpy", default_dtype="float64")
    fresh = network()
    fresh.set(optimizer=nnfs.Optimizer_SGD(0.0))
    fresh.train(points, y, epochs=5)
    fresh.set_parameters(model.get_parameters())
    for made in (model, fresh):
        made.set(optimizer=nnfs.Optimizer_RMSprop(0.02, decay=0.1))
    found = model.train(points, y, epochs=3)
    assert model.optimizer.iterations == 3
    assert found["learning_rate"] == [0.02 / (1 + 0.1 * step) for step in range(3)]
    assert found["loss"] == fresh.train(points, y, epochs=3)["loss"]
    for name, array in model.parameters.items():
        same(array, fresh.parameters[name])


@pytest.mark.usefixtures("on_numpy")
def test_set_leaves_what_it_is_not_given():
    model = network()
    loss, optimizer, accuracy = model.loss, model.optimizer, model.accuracy
    model.set(loss=None, optimizer=None, accuracy=None)
    model.set()
    assert (model.loss, model.optimizer, model.accuracy) == (loss, optimizer, accuracy)
    model.set(optimizer=nnfs.Optimizer_SGD())
    assert model.loss is loss and model.optimizer is not optimizer


@pytest.mark.usefixtures("on_numpy")
def test_a_model_takes_an_accuracy_of_ones_own(capsys):
    class Accuracy_Mine(nnfs.Accuracy):
        def compare(self, predictions, y):
            return predictions == y

    assert Accuracy_Mine().calculate(np.array([1, 2]), np.array([1, 3])) == 0.5
    model, mine = network(), Accuracy_Mine()
    points, y = nnfs.spiral_data(20, 3)
    wanted = model.evaluate(points, y)
    model.set(accuracy=mine)
    assert model.accuracy is mine
    assert model.evaluate(points, y)["accuracy"] == wanted["accuracy"]
    # The base alone has nothing to compare with.
    with pytest.raises(nx.InputError, match="accuracy must be Accuracy_Categorical"):
        network().set(accuracy=nnfs.Accuracy())


def test_two_optimizers_in_turn_keep_their_caches_apart():
    """Each has its own caches for each of the layers, and its own steps."""
    nnfs.init(default_dtype="float64", backend="numpy")
    layers = [nnfs.Layer_Dense(3, 4), nnfs.Layer_Dense(4, 2)]
    optimizers = [
        (nnfs.Optimizer_Adam(0.05, decay=0.1), reference.adam, 0.05),
        (nnfs.Optimizer_RMSprop(0.02, decay=0.1), reference.rmsprop, 0.02),
    ]
    wanted = [
        {name: getattr(x, name).copy() for name in ("weights", "biases")}
        for x in layers
    ]
    kept = {}
    for step in range(6):
        turn = step % 2
        optimizer, formula, rate = optimizers[turn]
        optimizer.pre_update_params()
        rate = rate / (1 + 0.1 * (step // 2))
        assert optimizer.current_learning_rate == rate
        for number, layer in enumerate(layers):
            layer.dweights = np.sin(step + np.arange(12 - 4 * number)).reshape(
                layer.weights.shape
            )
            layer.dbiases = np.cos(step + np.arange(layer.biases.size))[np.newaxis]
            optimizer.update_params(layer)
            for name in ("weights", "biases"):
                wanted[number][name] = formula(
                    wanted[number][name],
                    getattr(layer, f"d{name}"),
                    kept.setdefault((turn, number, name), {}),
                    rate,
                    step // 2,
                )
        optimizer.post_update_params()
        for layer, values in zip(layers, wanted, strict=True):
            np.testing.assert_allclose(layer.weights, values["weights"], atol=1e-14)
            np.testing.assert_allclose(layer.biases, values["biases"], atol=1e-14)
