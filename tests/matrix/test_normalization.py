"""Running statistics, beside PyTorch's own layers over several batches."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.testing import Bound
from tests.matrix.helpers import NUMPY64, assert_agrees, move, place

random = np.random.default_rng(31)
BATCHES = [3 * random.standard_normal((n, 4)) + [0, 5, -2, 100] for n in (8, 5, 2, 16)]


def torch_layer(torch, momentum=0.1, eps=1e-5):
    layer = torch.nn.BatchNorm1d(4, eps=eps, momentum=momentum, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, -2.0, 0.5, 3.0]))
        layer.bias.copy_(torch.tensor([0.0, 1.0, 2.0, -1.0]))
    return layer


def our_layer(rival, be, **options):
    layer = nx.BatchNorm(4, backend=be, **options)
    layer.gamma = rival.weight.detach().numpy().tolist()
    layer.beta = rival.bias.detach().numpy().tolist()
    return layer


@pytest.mark.parametrize("options", [{}, {"momentum": 0.3, "eps": 0.01}])
@pytest.mark.parametrize("axes", [2, 3])
def test_statistics_of_several_batches_are_those_of_pytorch(
    torch, backend64, options, axes
):
    rival = torch_layer(torch, **options)
    layer = our_layer(rival, backend64, **options)
    for number, batch in enumerate(BATCHES):
        values = batch if axes == 2 else np.stack([batch, batch[::-1] * 1.5], axis=1)
        x = torch.tensor(values, requires_grad=True)
        dy = random.standard_normal(values.shape)
        # PyTorch has features second.
        expected = rival(x) if axes == 2 else rival(x.movedim(-1, 1)).movedim(1, -1)
        rival.zero_grad()
        expected.backward(torch.tensor(dy))
        y = layer.forward(backend64.asarray(values))
        dx = layer.backward(backend64.asarray(dy))
        for found, of_torch in (
            (y, expected.detach()),
            (dx, x.grad),
            (layer.dgamma, rival.weight.grad),
            (layer.dbeta, rival.bias.grad),
            (layer.mean, rival.running_mean),
            (layer.variance, rival.running_var),
        ):
            assert_agrees(found, of_torch.numpy(), backend64, rtol=1e-10)
        assert rival.num_batches_tracked == number + 1
    rival.eval()
    with torch.no_grad():
        expected = rival(torch.tensor(BATCHES[0])).numpy()
    before = backend64.to_numpy(layer.mean), backend64.to_numpy(layer.variance)
    y = layer.forward(backend64.asarray(BATCHES[0]), training=False)
    assert_agrees(y, expected, backend64, rtol=1e-10)
    assert_agrees(layer.mean, before[0], backend64, rtol=0)
    assert_agrees(layer.variance, before[1], backend64, rtol=0)


def test_a_model_trains_as_pytorch_does(torch, backend64):
    """With statistics, decay of weights, and the layer norm's parameters."""
    own = np.random.default_rng(4)
    x = own.standard_normal((24, 3)) * [1, 10, 0.1]
    y = own.integers(0, 2, 24)
    # Before batch normalization a bias has no gradient but rounding errors, which Adam
    # makes steps of.
    model = nx.Model(
        [nx.Dense(3, 4, use_bias=False), nx.BatchNorm(4), nx.ReLU(), nx.LayerNorm(4),
         nx.Dense(4, 2), nx.Softmax()],
        loss="categorical_crossentropy", optimizer=nx.AdamW(0.05), backend=backend64,
    )  # fmt: skip
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 4, bias=False), torch.nn.BatchNorm1d(4), torch.nn.ReLU(),
        torch.nn.LayerNorm(4), torch.nn.Linear(4, 2),
    ).double()  # fmt: skip
    with torch.no_grad():
        for rival, (path, value) in zip(
            net.parameters(), model.parameters.items(), strict=True
        ):
            host = torch.tensor(backend64.to_numpy(value))
            rival.copy_(host.T if path.endswith("weights") else host.reshape(-1))
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.05, eps=1e-7)
    losses = []
    for _ in range(5):
        for start in range(0, 24, 8):
            rows = slice(start, start + 8)
            loss = torch.nn.functional.cross_entropy(
                net(torch.tensor(x[rows])), torch.tensor(y[rows])
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    found = model.fit(x, y, epochs=5, batch_size=8, shuffle=False)["loss"]
    expected = np.reshape(losses, (5, 3)).mean(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    for name, of_torch in (
        ("1.mean", net[1].running_mean), ("1.variance", net[1].running_var)
    ):  # fmt: skip
        assert_agrees(model.buffers[name], of_torch.numpy(), backend64, rtol=1e-9)
    net.eval()
    with torch.no_grad():
        expected = torch.softmax(net(torch.tensor(x)), dim=-1).numpy()
    assert_agrees(model.predict(x), expected, backend64, rtol=1e-9)


def test_one_value_of_a_feature_leaves_the_statistics_as_they_are(backend):
    """It has no variance; PyTorch refuses such a batch."""
    layer = nx.BatchNorm(2, backend=backend)
    layer.mean, layer.variance = [3.0, 4.0], [0.5, 2.0]
    x = backend.asarray(np.array([[7.0, -7.0]]), backend.dtype)
    assert_agrees(layer.forward(x), np.zeros((1, 2)), backend)
    assert_agrees(layer.backward(x), np.zeros((1, 2)), backend)
    assert_agrees(layer.mean, [3.0, 4.0], backend)
    assert_agrees(layer.variance, [0.5, 2.0], backend)


def test_frozen_statistics_stay(backend):
    model = nx.Model(
        [nx.BatchNorm(4), nx.Dense(4, 1)],
        loss="mean_squared_error", optimizer="sgd", backend=backend,
    )  # fmt: skip
    layer = model.layers[0]
    layer.mean, layer.variance = [1.0, 2.0, 3.0, 4.0], [4.0, 1.0, 0.25, 9.0]
    layer.trainable = False
    x, y = BATCHES[0], np.ones((8, 1))
    before = backend.to_numpy(model.predict(x))
    model.optimizer.learning_rate = 0.0
    loss = model.fit(x, y, batch_size=None)["loss"][0]
    # In training, too, they take the place of those of the batch.
    assert loss == pytest.approx(np.mean((before - 1.0) ** 2), rel=1e-4)
    assert_agrees(layer.mean, [1.0, 2.0, 3.0, 4.0], backend)
    assert_agrees(layer.variance, [4.0, 1.0, 0.25, 9.0], backend)
    layer.trainable = True
    model.fit(x, y, batch_size=None)
    expected = 0.9 * np.arange(1.0, 5.0) + 0.1 * x.mean(axis=0)
    assert_agrees(layer.mean, expected, backend)


def test_a_layer_used_twice_in_a_pass_takes_in_both_batches():
    """What one call has written is what the next one reads."""

    class Twice(nx.Layer):
        def __init__(self):
            super().__init__()
            self.children = {"norm": nx.BatchNorm(4)}

        def fwd(self, cx, x):
            one, first = cx["norm"].fwd(x)
            two, second = cx["norm"].fwd(2 * x)
            return one + two, (first, second)

        def bwd(self, cx, kept, dy):
            first, second = (cx["norm"].bwd(own, dy) for own in kept)
            return first + 2 * second

    params = move(NUMPY64, {"norm.gamma": np.ones(4), "norm.beta": np.zeros(4)})
    unit = Bound(Twice(), NUMPY64, params, training=True)
    unit.fwd(place(NUMPY64, BATCHES[0]))
    mean = BATCHES[0].mean(axis=0)
    expected = 0.9 * (0.1 * mean) + 0.1 * (2 * mean)
    np.testing.assert_allclose(unit.buffers["norm.mean"], expected, rtol=1e-12)


def test_normalized_values_have_mean_0_and_variance_1(backend64):
    x = backend64.asarray(BATCHES[3])
    for layer, axis in ((nx.BatchNorm(4, eps=1e-12), 0), (nx.LayerNorm(4, 1e-12), -1)):
        layer._backend = backend64
        y = backend64.to_numpy(layer.forward(x))
        np.testing.assert_allclose(y.mean(axis=axis), 0.0, atol=1e-12)
        np.testing.assert_allclose(y.var(axis=axis), 1.0, rtol=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nx.BatchNorm(0), "n must be"),
        (lambda: nx.BatchNorm(2, momentum=1.0), "momentum must be"),
        (lambda: nx.BatchNorm(2, momentum=-0.1), "momentum must be"),
        (lambda: nx.BatchNorm(2, eps=0.0), "eps must be"),
        (lambda: nx.LayerNorm(2.5), "n must be"),
        (lambda: nx.LayerNorm(2, eps=-1e-5), "eps must be"),
        (lambda: nx.Sequential([nx.Dense(2, 3), nx.BatchNorm(2)]), "takes samples"),
        (lambda: nx.Sequential([nx.Dense(2, 3), nx.LayerNorm(4)]), "takes samples"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(nx.InputError, match=message):
        make()
