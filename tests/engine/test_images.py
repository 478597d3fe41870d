"""Networks of images beside the same ones in PyTorch: a ResNet, and a small CNN."""

import math

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.data import load_dataset
from tests.conftest import backend_or_skip
from tests.engine.resnet import (
    arrays_of,
    resnet18,
    take_over,
    torch_arrays,
    torch_resnet18,
)


def assert_a_step_is_pytorchs(torch, be, width, n, steps=1):
    random = np.random.default_rng(width)
    x, y = random.standard_normal((n, 32, 32, 3)), random.integers(0, 10, n)
    torch.manual_seed(width)
    rival = torch_resnet18(torch, width)
    model = nx.Model(
        resnet18(width), loss="categorical_crossentropy",
        optimizer=nx.SGD(0.1, momentum=0.9), metrics=None, backend=be,
    )  # fmt: skip
    take_over(model, rival)
    optimizer = torch.optim.SGD(rival.parameters(), lr=0.1, momentum=0.9)
    images = torch.tensor(x.transpose(0, 3, 1, 2).copy())
    for _ in range(steps):
        loss = torch.nn.functional.cross_entropy(rival(images), torch.tensor(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history = model.fit(x, y, batch_size=None)
        assert history["loss"][0] == pytest.approx(loss.item(), rel=1e-10)
    for (name, array), wanted in zip(
        arrays_of(model), torch_arrays(rival), strict=True
    ):
        scale = np.max(np.abs(wanted))
        np.testing.assert_allclose(
            array, wanted.reshape(array.shape), rtol=1e-9, atol=1e-9 * scale,
            err_msg=name,
        )  # fmt: skip
    rival.eval()
    expected = torch.softmax(rival(images), dim=1).detach().numpy()
    np.testing.assert_allclose(be.to_numpy(model.predict(x)), expected, rtol=1e-7)
    return model


def test_a_small_resnet_steps_as_pytorchs(torch, backend64):
    """Two channels in the first stage, sixteen in the last."""
    model = assert_a_step_is_pytorchs(torch, backend64, width=2, n=3)
    assert len([leaf for leaf in model.leaves if isinstance(leaf, nx.Conv2D)]) == 20


@pytest.mark.slow
def test_resnet18_steps_as_pytorchs(torch):
    be = backend_or_skip("numpy", "float64")
    model = assert_a_step_is_pytorchs(torch, be, width=64, n=2)
    sizes = [math.prod(value.shape) for value in model.parameters.values()]
    # The number that is known of it, for ten classes.
    assert sum(sizes) == 11_173_962


# The network of the main job, without the noise of its dropout.


def cnn():
    return [
        nx.Reshape((28, 28, 1)),
        nx.Conv2D(1, 16, 3, padding="same"), nx.ReLU(), nx.MaxPool2D(2),
        nx.Conv2D(16, 32, 3, padding="same"), nx.ReLU(), nx.MaxPool2D(2),
        nx.Flatten(), nx.Dense(1568, 48), nx.ReLU(), nx.Dense(48, 10), nx.Softmax(),
    ]  # fmt: skip


def torch_cnn(torch):
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1568, 48), nn.ReLU(), nn.Linear(48, 10),
    ).double()  # fmt: skip


class Losses(nx.Callback):
    """Keeps the loss of every batch."""

    def __init__(self):
        self.losses = []

    def on_batch_end(self, event):
        self.losses.append(event.batch_figures()["loss"])


def flattened_as_pytorch(weights):
    """Return weights of the layer after a flatten of (7, 7, 32), as of (32, 7, 7)."""
    return weights.reshape(7, 7, 32, -1).transpose(2, 0, 1, 3).reshape(1568, -1)


@pytest.mark.slow
@pytest.mark.parametrize("owner", ["numpy", "torch", "jax"])
def test_a_cnn_follows_the_losses_of_pytorch_for_100_steps(torch, owner):
    """To a millionth, with Adam, on the packaged images; nothing of PyTorch is ours."""
    be, batch, steps = backend_or_skip(owner, "float64"), 32, 100
    data = load_dataset("fashion-mnist-mini")
    x = data.features("train", "float64")[: batch * steps]
    y = data.y_train[: batch * steps]
    model = nx.Model(
        cnn(), loss="categorical_crossentropy", optimizer=nx.Adam(0.001, epsilon=1e-8),
        metrics=None, backend=be, seed=7,
    )  # fmt: skip
    sizes = [math.prod(value.shape) for value in model.parameters.values()]
    assert sum(sizes) == 80_602
    rival = torch_cnn(torch)
    ours = [model.layers[number] for number in (1, 4, 8, 10)]
    theirs = [rival[number] for number in (0, 3, 7, 9)]
    with torch.no_grad():
        for layer, module in zip(ours, theirs, strict=True):
            weights = be.to_numpy(layer.weights)
            if weights.ndim == 4:
                weights = weights.transpose(3, 2, 0, 1)
            else:
                flat = weights.shape[0] == 1568
                weights = (flattened_as_pytorch(weights) if flat else weights).T
            module.weight.copy_(torch.tensor(weights.copy()))
            module.bias.copy_(torch.tensor(be.to_numpy(layer.biases)[0]))
    optimizer = torch.optim.Adam(rival.parameters(), lr=0.001, eps=1e-8)
    expected = []
    for step in range(steps):
        rows = slice(step * batch, (step + 1) * batch)
        images = torch.tensor(x[rows].reshape(-1, 1, 28, 28))
        targets = torch.tensor(np.asarray(y[rows], "int64"))
        loss = torch.nn.functional.cross_entropy(rival(images), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    watch = Losses()
    model.fit(x, y, batch_size=batch, shuffle=False, callbacks=watch)
    assert len(watch.losses) == steps and expected[-1] < 0.5 * expected[0]
    np.testing.assert_allclose(watch.losses, expected, rtol=0, atol=1e-6)


@pytest.mark.backend("cupy")
def test_a_cnn_is_one_graph_on_cupy():
    """Captured, it learns what the eager steps do, to the bit."""
    be = backend_or_skip("cupy", "float32")
    random = np.random.default_rng(5)
    x, y = random.standard_normal((16, 8, 8, 2)), random.integers(0, 3, 16)
    trained = []
    for compiled in ("require", "off"):
        model = nx.Model(
            [
                nx.Conv2D(2, 4, 3, padding="same"), nx.BatchNorm(4), nx.ReLU(),
                nx.MaxPool2D(2), nx.Conv2D(4, 6, 3, stride=2, groups=2), nx.ReLU(),
                nx.AveragePool2D(2, padding="same"), nx.GlobalAveragePool2D(),
                nx.Dense(6, 3), nx.Softmax(),
            ],
            loss="categorical_crossentropy", optimizer="adam", metrics=None,
            backend=be, compile=compiled, seed=3,
        )  # fmt: skip
        model.fit(x, y, epochs=3, batch_size=8)
        trained.append([be.to_numpy(value) for value in model.parameters.values()])
        if compiled == "require":
            assert "one CUDA graph" in model.executor_note
    for one, other in zip(*trained, strict=True):
        np.testing.assert_array_equal(one, other)
