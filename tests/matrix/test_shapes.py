"""Layers that change shapes, and networks of samples with several axes."""

import numpy as np
import pytest

import nnfs_xp as nx
from tests.matrix.helpers import assert_agrees

_random = np.random.default_rng(9)
IMAGES = _random.standard_normal((30, 4, 3))
LABELS = (IMAGES.sum(axis=(1, 2)) > 0).astype("int64")


def network(be, *front):
    return nx.Model(
        [*front, nx.Dense(12, 8), nx.ReLU(), nx.Dense(8, 2), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="adam", backend=be,
    )  # fmt: skip


def test_flatten_in_front_of_a_network(backend64):
    """Images and their rows are learned alike."""
    flat, deep = network(backend64), network(backend64, nx.Flatten())
    deep.set_parameters(flat.get_parameters())
    rows = IMAGES.reshape(30, 12)
    one = flat.fit(rows, LABELS, epochs=3, batch_size=8, validation_split=0.2)
    other = deep.fit(IMAGES, LABELS, epochs=3, batch_size=8, validation_split=0.2)
    assert one["loss"] == other["loss"]
    assert one["validation_loss"] == other["validation_loss"]
    assert_agrees(
        deep.predict(IMAGES), backend64.to_numpy(flat.predict(rows)), backend64, rtol=0
    )
    assert flat.n_features == 12 and deep.n_features is None
    assert deep.n_outputs == 2


def test_samples_that_do_not_fit_are_named(backend):
    model = network(backend, nx.Flatten())
    for call in (
        lambda x: model.fit(x, LABELS),
        lambda x: model.evaluate(x, LABELS),
        model.predict,
    ):
        with pytest.raises(nx.InputError, match=r"^x .*Dense.* \(12,\), got \(9,\)"):
            call(IMAGES[:, :3])
        with pytest.raises(nx.InputError, match=r"^x must have shape \(samples, n\)"):
            call(np.ones(30))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nx.Reshape((2, -1, -1)), "at most one -1"),
        (lambda: nx.Reshape((2, 0)), "shape must be a positive integer"),
        (lambda: nx.Reshape("ab"), "shape must be"),
        (lambda: nx.Reshape(2.5), "shape must be"),
        (lambda: nx.Sequential([]), "at least one layer"),
        (lambda: nx.Sequential(nx.ReLU()), "layers must be a sequence"),
        (lambda: nx.Sequential([nx.ReLU(), 3]), "layers must be one of|only layers"),
        (lambda: nx.Sequential([nx.Dense(2, 3), nx.Dense(2, 1)]), "samples of shape"),
        (lambda: nx.Sequential(2 * [nx.ReLU()]), "each layer only once"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(nx.InputError, match=message):
        make()


def test_values_that_cannot_be_reshaped(backend):
    layer = nx.Reshape((5, -1), backend=backend)
    with pytest.raises(nx.InputError, match=r"samples of shape \(4,\).* 4 values"):
        layer.forward(backend.asarray(np.ones((2, 4)), backend.dtype))
    with pytest.raises(nx.InputError, match="cannot take samples"):
        nx.Model([nx.Dense(2, 4), layer], backend=backend)


def test_a_layer_in_two_blocks():
    dense = nx.Dense(2, 2)
    with pytest.raises(nx.InputError, match="each layer only once"):
        nx.Model([dense, nx.Sequential([nx.Sequential([dense])])])


def test_nested_blocks_learn_as_one_row_of_layers(backend64):
    def layers():
        return [nx.Dense(12, 8), nx.ReLU(), nx.Dense(8, 8), nx.ReLU(), nx.Dense(8, 2)]

    def nested():
        one, two, three, four, five = layers()
        return [nx.Sequential([one, two, nx.Sequential([three, four])]), five]

    losses, start = [], None
    for make, path in ((layers, "2.biases"), (nested, "0.2.0.biases")):
        model = nx.Model(
            [*make(), nx.Softmax()],
            loss="categorical_crossentropy", optimizer="adam", backend=backend64,
        )  # fmt: skip
        # Initial values follow from the paths, so those of the first are taken.
        start = start or model.get_parameters()
        model.set_parameters(start)
        history = model.fit(IMAGES.reshape(30, 12), LABELS, epochs=3)
        losses.append(history["loss"])
        assert len(model.leaves) == 6
        assert sorted(model.parameters)[2] == path
    assert losses[0] == losses[1]


def test_a_softmax_at_the_end_of_a_block_is_still_exact(backend64):
    block = nx.Sequential([nx.Dense(1, 2), nx.Softmax()])
    model = nx.Model([block], loss="categorical_crossentropy", backend=backend64)
    block.layers[0].weights = backend64.asarray(np.array([[-1e6, 1e6]]), "float64")
    assert model.evaluate([[1.0]], [0])["loss"] == pytest.approx(2e6)


def test_a_block_is_saved_as_a_block(tmp_path):
    model = network("numpy", nx.Flatten(), nx.Reshape((2, -1)), nx.Flatten())
    model = nx.Model(
        [nx.Sequential([nx.Flatten(), nx.Sequential([nx.Dense(12, 3)])]), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="adam",
    )  # fmt: skip
    model.fit(IMAGES, LABELS)
    model.save(tmp_path / "m")
    again = nx.Model.load(tmp_path / "m")
    assert repr(again.layers) == repr(model.layers)
    np.testing.assert_array_equal(again.predict(IMAGES), model.predict(IMAGES))


def test_a_block_on_its_own(backend):
    """Forward, backward and a step, layer by layer."""
    block = nx.Sequential([nx.Dense(3, 4, backend=backend), nx.ReLU()])
    x = backend.asarray(_random.standard_normal((5, 3)), backend.dtype)
    y = block.forward(x)
    dx = block.backward(backend.asarray(np.ones((5, 4)), backend.dtype))
    dense = block.layers[0]
    assert y is block.output and dx is block.dinputs is dense.dinputs
    before = backend.to_numpy(dense.weights)
    nx.SGD(0.5).step(block)
    expected = before - 0.5 * backend.to_numpy(dense.dweights)
    assert_agrees(dense.weights, expected, backend)
    assert set(block.params) == {"0.weights", "0.biases"}


def over_places(be, **options):
    return nx.Model(
        [nx.Dense(5, 8), nx.ReLU(), nx.Dense(8, 3, use_bias=False), nx.Softmax()],
        loss=nx.CategoricalCrossEntropy(**options), optimizer="adam",
        metrics=["accuracy", nx.TopKAccuracy(2), nx.ConfusionMatrix(), "f1"],
        backend=be,
    )  # fmt: skip


@pytest.mark.parametrize(
    "options", [{}, {"ignore_index": -100, "class_weight": [1.0, 2.0, 0.5]}]
)
def test_every_place_of_a_sequence_is_learned_as_a_sample(backend64, options):
    """Data of (n, t, k) with labels of (n, t), and the same rows one by one."""
    x, y = _random.standard_normal((6, 4, 5)), _random.integers(0, 3, (6, 4))
    metrics = ["accuracy", "top_k_accuracy", "confusion_matrix", "f1"]
    deep, flat = over_places(backend64, **options), over_places(backend64, **options)
    if options:
        # Metrics other than the accuracy count every label.
        metrics = ["accuracy"]
        deep.metrics = flat.metrics = metrics
        y[0], y[3, 1] = -100, -100
    weight = _random.uniform(0, 2, (6, 4))
    for weights in ({}, {"sample_weight": weight}):
        own = {key: value.reshape(24) for key, value in weights.items()}
        one = deep.fit(x, y, epochs=3, batch_size=None, **weights)
        other = flat.fit(
            x.reshape(24, 5), y.reshape(24), epochs=3, batch_size=None, **own
        )
        np.testing.assert_allclose(one["loss"], other["loss"], rtol=1e-11)
        for name in metrics:
            # Weights are summed in another order.
            np.testing.assert_allclose(one[name], other[name], rtol=1e-12)
    for per_sample in (weight[:, 0], np.zeros(6) + 0.5):
        found = deep.evaluate(x, y, sample_weight=per_sample, batch_size=4)
        repeated = np.repeat(per_sample, 4)
        expected = flat.evaluate(
            x.reshape(24, 5), y.reshape(24), sample_weight=repeated
        )
        assert found["loss"] == pytest.approx(expected["loss"], rel=1e-11)
    rows = np.eye(3)[np.where(y < 0, 0, y)]
    assert deep.evaluate(x, rows)["loss"] == pytest.approx(
        flat.evaluate(x.reshape(24, 5), rows.reshape(24, 3))["loss"], rel=1e-11
    )
    found = backend64.to_numpy(deep.predict(x)).reshape(24, 3)
    assert_agrees(flat.predict(x.reshape(24, 5)), found, backend64, rtol=1e-11)


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        (lambda: [nx.Dense(4, 8), nx.ReLU()], (6, 4)),
        (lambda: [nx.LayerNorm(8)], (6, 8)),
        (lambda: [nx.Embedding(11, 4), nx.Dense(4, 8)], (6,)),
    ],
)
def test_units_of_the_last_axis_before_a_flatten(backend64, layers, shape, tmp_path):
    x = np.arange(5 * np.prod(shape)).reshape(5, *shape) % 11
    model = nx.Model(
        [*layers(), nx.Flatten(), nx.Dense(48, 3), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="adam", backend=backend64,
    )  # fmt: skip
    assert model.input_shape is None and model.n_outputs == 3
    model.fit(x, [0, 1, 2, 0, 1])
    hidden, flat = model.activations(x)[-4:-2]
    np.testing.assert_array_equal(
        backend64.to_numpy(flat), backend64.to_numpy(hidden).reshape(5, 48)
    )
    model.save(tmp_path / "model.safetensors")
    again = nx.Model.load(tmp_path / "model.safetensors", backend=backend64)
    assert_agrees(again.predict(x), backend64.to_numpy(model.predict(x)), backend64)
    with pytest.raises(nx.InputError, match=r"Dense\(48, 3\) takes .* \(48,\), got"):
        model.fit(x[:, :5], [0, 1, 2, 0, 1])


def test_a_summary_says_what_is_not_known():
    model = nx.Model([nx.Dense(4, 8), nx.Flatten(), nx.Dense(48, 3)])
    printed = []
    model.summary(printed.append)
    assert [line.split()[-2] for line in printed[0].splitlines()[2:5]] == [
        "8", "any", "3"
    ]  # fmt: skip
