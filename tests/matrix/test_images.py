"""Layers of images: shapes that fit, shapes that do not, and networks of them."""

import math

import numpy as np
import pytest

import nnfs_xp as nx
from tests.matrix.helpers import assert_agrees, place, placed

random = np.random.default_rng(20261129)


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (lambda: nx.Conv2D(3, 2, 5), (2, 4, 9, 3), "windows of height 5.* height 4"),
        (lambda: nx.Conv2D(3, 2, 3, dilation=(1, 4)), (2, 4, 8, 3), "width 9.* 8, got"),
        (lambda: nx.Conv2D(3, 2, 3), (2, 4, 4, 1), r"\(height, width, 3\), got \(4, 4"),
        (lambda: nx.Conv2D(3, 2, 3), (2, 4, 3), r"\(height, width, 3\), got \(4, 3\)"),
        (lambda: nx.Conv2D(3, 2, 3), (2, 5, 5, 5, 3), r"\(height, width, 3\), got"),
        (lambda: nx.Conv1D(3, 2, 4), (2, 3, 3), "windows of length 4.* length 3"),
        (lambda: nx.Conv1D(3, 2, 2), (2, 3, 2), r"\(length, 3\), got \(3, 2\)"),
        (lambda: nx.MaxPool2D(3), (2, 2, 3, 1), "windows of height 3.* height 2"),
        (lambda: nx.MaxPool2D(3), (2, 9), r"\(height, width, channels\), got \(9,\)"),
        (lambda: nx.AveragePool2D((1, 5)), (1, 3, 3, 2), "width 5, .* width 3"),
        (lambda: nx.GlobalAveragePool2D(), (2, 3, 4), r"\(height, width, channels\)"),
        (lambda: nx.UpSampling2D(2), (2, 3, 4), r"\(height, width, channels\), got"),
        (lambda: nx.ZeroPadding2D(2), (2, 3), r"\(height, width, channels\), got"),
        (lambda: nx.GroupNorm(4, 2), (2, 3, 3, 6), r"samples of shape \(4,\)"),
        *(
            (make, (1, 4, 4, 1), "create an image of shape .*, too large for")
            for make in (
                lambda: nx.Conv2D(1, 1, 2, padding=10**9),
                lambda: nx.Conv2D(1, 1, 2, padding=10**9, stride=10**9),
                lambda: nx.UpSampling2D(10**9),
                lambda: nx.ZeroPadding2D(10**9),
                lambda: nx.RandomCrop(2**28, 2**28, padding=2**28),
            )
        ),
    ],
)
def test_images_that_do_not_fit_are_refused_before_anything_changes(
    backend, make, shape, message
):
    layer = make()
    layer._backend = backend
    x = backend.asarray(random.standard_normal(shape), backend.dtype)
    with pytest.raises(nx.InputError, match=message) as caught:
        layer.forward(x)
    assert type(caught.value) is nx.InputError
    assert "output" not in vars(layer)
    with pytest.raises(nx.InputError, match=message):
        nx.Model([layer], backend=backend).predict(x)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nx.Conv2D(4, 6, 3, groups=4), "groups must divide n_channels 4 and"),
        (lambda: nx.Conv2D(3, 6, 3, groups=2), "groups must divide n_channels 3 and"),
        (lambda: nx.GroupNorm(6, 4), "groups must divide n 6, got 4"),
        (lambda: nx.MaxPool2D(2, padding=2), "padding must be less than size 2"),
        (lambda: nx.AveragePool2D((3, 2), padding=(1, 2)), "padding must be less"),
        (lambda: nx.ZeroPadding2D(((1, 2), (3, -1))), "padding must be an integer of"),
        (lambda: nx.Conv1D(1, 1, (3, 3)), "kernel_size must be an integer, got"),
        (lambda: nx.Conv2D(1, 1, 3, stride=(1, 2, 3)), "stride must be an integer or"),
    ],
)
def test_settings_that_do_not_fit_each_other(make, message):
    with pytest.raises(nx.InputError, match=message):
        make()


@pytest.mark.parametrize("length", range(1, 12))
def test_the_number_of_positions_is_that_of_keras(length):
    """Its two words, along one axis, over sizes, strides and dilations."""
    for size in range(1, 6):
        for stride in range(1, 5):
            for dilation in range(1, 4):
                extent = (size - 1) * dilation + 1
                same = nx.Conv1D(
                    1, 1, size, stride=stride, dilation=dilation, padding="same"
                )
                assert same.output_shape((length, 1)) == (-(-length // stride), 1)
                valid = nx.Conv1D(1, 1, size, stride=stride, dilation=dilation)
                if length >= extent:
                    fit = len(range(0, length - extent + 1, stride))
                    assert valid.output_shape((length, 1)) == (fit, 1)
                else:
                    with pytest.raises(nx.InputError, match="windows of length"):
                        valid.output_shape((length, 1))


def test_same_with_a_stride_is_that_of_jax():
    """XLA's own padding for the word, which is TensorFlow's, without a line of ours."""
    jax = pytest.importorskip("jax")
    for shape, size, stride in (
        ((1, 6, 7, 2), (3, 3), (2, 2)),
        ((2, 5, 8, 2), (4, 2), (3, 2)),
        ((1, 9, 4, 2), (2, 5), (4, 3)),
    ):
        x = random.standard_normal(shape).astype("float32")
        layer = nx.Conv2D(2, 3, size, stride=stride, padding="same", seed=1)
        expected = jax.lax.conv_general_dilated(
            x, layer.weights, stride, "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        np.testing.assert_allclose(layer.forward(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda stride: nx.Conv1D(2, 3, 2, stride=stride),
        lambda stride: nx.Conv2D(2, 3, (2, 3), stride=stride, padding=(1, 0)),
        lambda stride: nx.MaxPool2D(2, stride=stride),
        lambda stride: nx.AveragePool2D((3, 2), stride=stride),
    ],
    ids=["Conv1D", "Conv2D", "MaxPool2D", "AveragePool2D"],
)
def test_a_stride_longer_than_an_image_has_one_position(backend64, make):
    near, far = make(7), make(2**31 - 1)
    near._backend = far._backend = backend64
    shape = (2, 5, 2) if isinstance(near, nx.Conv1D) else (2, 4, 5, 2)
    x = backend64.asarray(random.standard_normal(shape), backend64.dtype)
    if isinstance(near, nx.Conv1D | nx.Conv2D):
        far.weights = near.weights
    y = near.forward(x)
    assert math.prod(y.shape[1:-1]) == 1
    assert_agrees(far.forward(x), backend64.to_numpy(y), backend64)
    assert_agrees(far.backward(y), backend64.to_numpy(near.backward(y)), backend64)


@pytest.mark.parametrize("unit", [nx.MaxPool2D, nx.AveragePool2D])
def test_what_is_put_around_does_not_count(backend64, unit):
    """Values below 0, which zeros around them would exceed."""
    x = backend64.asarray(-1.0 - random.random((2, 3, 3, 2)))
    y = backend64.to_numpy(unit(3, 1, padding="same", backend=backend64).forward(x))
    assert (y < -1.0).all() and (y > -2.0).all()


def test_of_equal_values_the_first_gets_the_gradient(backend64):
    layer = nx.MaxPool2D((2, 3), backend=backend64)
    image = np.array([[0.0, 5.0, 2.0], [5.0, 1.0, 5.0]])[None, :, :, None]
    layer.forward(backend64.asarray(image))
    dx = layer.backward(backend64.asarray(np.full((1, 1, 1, 1), 3.0)))
    expected = np.array([[0.0, 3.0, 0.0], [0.0, 0.0, 0.0]])[None, :, :, None]
    assert_agrees(dx, expected, backend64, rtol=0)


def test_padding_gets_no_gradient_where_all_values_are_infinite(backend64):
    layer = placed(nx.MaxPool2D(3, stride=2, padding=1), backend64)
    y = layer.forward(place(backend64, np.full((1, 3, 3, 1), -np.inf)))
    np.testing.assert_array_equal(backend64.to_numpy(y), -np.inf)
    dx = layer.backward(place(backend64, np.array([[[[1.0], [2.0]], [[3.0], [4.0]]]])))
    # The first value inside the image, as in PyTorch.
    expected = [[1.0, 2.0, 0.0], [3.0, 4.0, 0.0], [0.0, 0.0, 0.0]]
    np.testing.assert_array_equal(backend64.to_numpy(dx)[0, :, :, 0], expected)


def test_unknown_axes_between_layers():
    """Normalization and dense layers know the last length alone."""
    block = nx.Sequential(
        [nx.Conv2D(3, 4, 3), nx.BatchNorm(4), nx.ReLU(), nx.Conv2D(4, 2, 3)]
    )
    front = nx.Model([nx.LayerNorm(3), nx.Residual(nx.Conv2D(3, 3, 1)), block])
    assert front.predict(np.ones((2, 6, 7, 3), "float32")).shape == (2, 2, 3, 2)
    with pytest.raises(nx.InputError, match=r"\(4,\), got \(.*5,?\)"):
        nx.Sequential([nx.Conv2D(3, 5, 3), nx.Reshape((2, 5)), nx.BatchNorm(4)])
    with pytest.raises(nx.InputError, match=r"Dense.* \(9,\), got \(32,\)"):
        nx.Sequential(
            [nx.Reshape((4, 4, 1)), nx.Conv2D(1, 8, 3), nx.Flatten(), nx.Dense(9, 2)]
        )
    with pytest.raises(nx.InputError, match=r"\(height, width, 8\), got \(4, 4, 1\)"):
        nx.Model([nx.Reshape((4, 4, 1)), nx.Conv2D(8, 8, 3)])


def test_penalties_and_constraints_of_a_convolution(backend64):
    """The penalty goes to the gradient, and a column is a filter."""
    layer = nx.Conv2D(
        2, 3, (2, 1), weight_regularizer=nx.L2(0.5), bias_regularizer=nx.L1(0.25),
        weight_constraint=nx.MaxNorm(0.1), backend=backend64, seed=2,
    )  # fmt: skip
    layer.biases = backend64.asarray(np.array([1.0, -2.0, 3.0]))
    x = backend64.asarray(random.standard_normal((2, 3, 4, 2)))
    y = layer.forward(x)
    layer.backward(backend64.zeros(tuple(y.shape)))
    weights = backend64.to_numpy(layer.weights)
    assert_agrees(layer.dweights, weights, backend64)
    assert_agrees(layer.dbiases, 0.25 * np.array([[1.0, -1.0, 1.0]]), backend64)
    nx.SGD(0.1).step(layer)
    lengths = np.sqrt((backend64.to_numpy(layer.weights) ** 2).sum(axis=(0, 1, 2)))
    np.testing.assert_allclose(lengths, 0.1)


def small_network(**options):
    return nx.Model(
        [
            nx.Reshape((6, 6, 1)),
            nx.Conv2D(1, 4, 3, padding="same"),
            nx.BatchNorm(4),
            nx.ReLU(),
            nx.MaxPool2D(2),
            nx.Conv2D(4, 6, 2, groups=2),
            nx.GroupNorm(6, 3),
            nx.ReLU(),
            nx.GlobalAveragePool2D(),
            nx.Dense(6, 3),
            nx.Softmax(),
        ],
        loss="categorical_crossentropy", optimizer=nx.Adam(0.01), seed=4, **options,
    )  # fmt: skip


def test_a_network_of_images_learns_alike_everywhere(backend64):
    """Also saved, loaded, and with its steps compiled, where there is a compiler."""
    x, y = random.standard_normal((24, 36)), np.arange(24) % 3
    own, numpy = small_network(backend=backend64), small_network(dtype="float64")
    histories = [m.fit(x, y, epochs=3, batch_size=10)["loss"] for m in (own, numpy)]
    np.testing.assert_allclose(*histories, rtol=1e-9)
    assert_agrees(own.predict(x), numpy.predict(x), backend64, rtol=1e-7)


def test_a_network_of_images_is_saved_with_its_settings(tmp_path):
    model = small_network()
    x = random.standard_normal((5, 36))
    model.save(tmp_path / "m")
    again = nx.Model.load(tmp_path / "m")
    assert repr(again.layers) == repr(model.layers)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_representations_say_what_is_not_usual():
    assert repr(nx.Conv2D(3, 8, 3)) == "Conv2D(3, 8, 3)"
    layer = nx.Conv2D(4, 8, [3, 5], stride=2, padding=[1, 2], groups=2)
    assert repr(layer) == "Conv2D(4, 8, (3, 5), stride=2, padding=(1, 2), groups=2)"
    assert repr(nx.MaxPool2D(3, 2, "same")) == "MaxPool2D(3, stride=2, padding='same')"
