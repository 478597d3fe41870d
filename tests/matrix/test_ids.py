"""Integer inputs: ids stay what they are, and find their rows."""

import numpy as np
import pytest

import nnfs_xp as nx
from tests.matrix.helpers import assert_agrees

random = np.random.default_rng(12)
LARGE = 2**24 + 1  # no float32


class Odd(nx.Layer):
    """1 for odd ids: a unit of a user's own, for ids of any number."""

    integer_inputs = True

    def fwd(self, cx, ids):
        assert cx.xp.isdtype(ids.dtype, "integral")
        return cx.xp.astype(ids % 2, cx.be.dtype), None

    def bwd(self, cx, residuals, dy):
        return None


@pytest.mark.parametrize("dtype_of_ids", ["uint8", "int32", "int64", "list"])
def test_ids_are_never_floats(backend, dtype_of_ids):
    odd = 255 if dtype_of_ids == "uint8" else LARGE
    ids = np.array([[odd, odd - 1, 0]] * 4)
    given = ids.tolist() if dtype_of_ids == "list" else ids.astype(dtype_of_ids)
    expected = np.array([[1.0, 0.0, 0.0]] * 4)
    model = nx.Model(
        [Odd(), nx.Dense(3, 1)],
        loss="mean_squared_error", optimizer=nx.SGD(0.0), backend=backend,
    )  # fmt: skip
    weights = backend.to_numpy(model.layers[1].weights)
    answers = expected @ weights
    assert_agrees(model.predict(given), answers, backend)
    assert_agrees(model.activations(given)[0], expected, backend)
    assert model.evaluate(given, answers)["loss"] == pytest.approx(0, abs=1e-10)
    # Also where batches are gathered and shuffled.
    losses = model.fit(given, answers, epochs=2, batch_size=3)["loss"]
    assert losses == pytest.approx([0, 0], abs=1e-10)
    shell = Odd(backend=backend)
    own = given if dtype_of_ids == "list" else backend.asarray(given)
    assert_agrees(shell.forward(own), expected, backend)


def test_embedding_learns_its_rows(torch, backend64):
    """Beside PyTorch's, with ids that occur often, once, and never."""
    ids = np.array([[0, 0, 3], [3, 0, 5], [1, 3, 0], [0, 0, 0]])
    targets = random.standard_normal((4, 3, 2))
    model = nx.Model(
        [nx.Embedding(7, 2)],
        loss="mean_squared_error", optimizer=nx.Adam(0.1), backend=backend64,
    )  # fmt: skip
    start = backend64.to_numpy(model.layers[0].weights)
    rival = torch.nn.Embedding(7, 2, dtype=torch.float64)
    with torch.no_grad():
        rival.weight.copy_(torch.tensor(start))
    optimizer = torch.optim.Adam(rival.parameters(), lr=0.1, eps=1e-7)
    losses = []
    for _ in range(10):
        loss = torch.nn.functional.mse_loss(
            rival(torch.tensor(ids)), torch.tensor(targets)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    history = model.fit(ids, targets, epochs=10, batch_size=None)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-9)
    found = backend64.to_numpy(model.layers[0].weights)
    np.testing.assert_allclose(found, rival.weight.detach().numpy(), rtol=1e-9)
    # The rows of ids that never occur are untouched.
    np.testing.assert_array_equal(found[[2, 4, 6]], start[[2, 4, 6]])


def test_ids_beside_features(backend):
    """Two inputs, of which one stays integers."""
    ids = np.array([LARGE, LARGE - 1] * 6)[:, None]
    features = random.standard_normal((12, 2))
    model = nx.Model(
        [nx.Parallel([Odd(), nx.Dense(2, 1, use_bias=False)]), nx.Add()],
        loss="mean_squared_error", optimizer=nx.SGD(0.1), backend=backend,
    )  # fmt: skip
    weights = backend.to_numpy(model.parameters["0.1.weights"])
    expected = ids % 2 + features @ weights
    assert_agrees(model.predict((ids, features)), expected, backend)
    targets = ids % 2 + features @ [[2.0], [-1.0]]
    history = model.fit((ids, features), targets, epochs=200, batch_size=5)
    assert history["loss"][-1] < 1e-6
    found = backend.to_numpy(model.parameters["0.1.weights"])
    np.testing.assert_allclose(found, [[2.0], [-1.0]], atol=1e-2)
    with pytest.raises(nx.DTypeError, match=r"^x\[0\] must hold integer ids"):
        model.predict((features[:, :1], features))
    with pytest.raises(nx.InputError, match="^x must hold 2 arrays, got 1"):
        model.predict((ids,))
    with pytest.raises(nx.InputError, match="^x must hold arrays of one length"):
        model.predict((ids, features[:5]))
    with pytest.raises(nx.InputError, match="^x must be a tuple of 2 arrays"):
        model.predict(features)
