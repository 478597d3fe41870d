"""Layers of sequences: masks, positions, one matrix used twice, and dropout."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.random import Stream
from nnfs_xp.testing import Bound, check_layer_gradients
from tests.conftest import backend_or_skip
from tests.matrix.cases.sequences import attention_with_dropout, network, norm
from tests.matrix.helpers import (
    NUMPY64,
    assert_agrees,
    assert_all_agree,
    host_params,
    move,
    place,
    placed,
    set_values,
)

random = np.random.default_rng(8)
X = random.standard_normal((2, 5, 4))


def test_later_positions_change_nothing_before_them(backend64):
    layer = placed(nx.MultiHeadAttention(4, 2, causal=True), backend64)
    set_values(layer, move(backend64, host_params(layer)))
    changed = X.copy()
    changed[:, 3:] = 9.0
    before, after = (
        backend64.to_numpy(layer.forward(place(backend64, x))) for x in (X, changed)
    )
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert not np.allclose(before[:, 3:], after[:, 3:])


def test_hidden_positions_change_nothing(backend64):
    layer = placed(nx.MultiHeadAttention(4, 2, masked=True), backend64)
    set_values(layer, move(backend64, host_params(layer)))
    mask, changed = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]]), X.copy()
    changed[mask == 0] = 9.0
    before, after = (
        backend64.to_numpy(layer.forward(place(backend64, (x, mask))))
        for x in (X, changed)
    )
    np.testing.assert_array_equal(before[mask == 1], after[mask == 1])


def test_a_mask_of_ones_hides_nothing():
    layer, masked = (
        nx.MultiHeadAttention(4, 2),
        nx.MultiHeadAttention(4, 2, masked=True),
    )
    for one in (layer, masked):
        set_values(one, host_params(layer))
    expected = layer.forward(X)
    found = masked.forward((X, np.ones((2, 5), int)))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
def test_where_nothing_is_seen_nothing_comes_from_other_positions(causal):
    """Padding in front of a causal sequence, and a sequence of padding."""
    mask = np.array([[0, 0, 1, 1, 1], [0, 0, 0, 0, 0]])
    layer = nx.MultiHeadAttention(4, 2, masked=True, causal=causal, use_bias=False)
    values = host_params(layer)
    y, _ = Bound(layer, NUMPY64, values).fwd((X, mask))
    blind = (mask.cumsum(axis=1) if causal else mask.sum(axis=1, keepdims=True)) == 0
    blind = np.broadcast_to(blind, mask.shape)
    assert blind.sum() == (7 if causal else 5)
    np.testing.assert_array_equal(y[blind], 0.0)
    assert (y[~blind] != 0).all()
    check_layer_gradients(layer, (X, mask))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_nothing_hidden_is_seen_where_visible_scores_are_very_low(
    backend, causal, masked
):
    """Scores are ``-x_i x_j``, far below -1e30 in every pair."""
    layer = nx.MultiHeadAttention(1, 1, causal=causal, masked=masked, use_bias=False)
    placed(layer, backend)
    set_values(layer, {"qkv.weights": [[1.0, -1.0, 1.0]], "out.weights": [[1.0]]})
    x = np.array([[[2e17], [3e17], [5e17]]])
    given = (x, np.array([[0, 1, 0]])) if masked else x
    y = backend.to_numpy(layer.forward(place(backend, given)))[0, :, 0]
    # The lowest x has the highest score.
    expected = [2e17, 2e17, 2e17] if not masked else [3e17, 3e17, 3e17]
    if causal and masked:
        expected[0] = 0.0
    np.testing.assert_allclose(y, expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["bool", "float", "uint8"])
def test_masks_of_every_dtype(backend, kind):
    layer = placed(nx.MeanOverPositions(masked=True), backend)
    x, mask = place(backend, X), np.array([[1, 1, 0, 1, 0], [0, 0, 0, 0, 1]])
    expected = backend.to_numpy(layer.forward((x, place(backend, mask))))
    given = backend.asarray(mask, backend.dtype if kind == "float" else kind)
    for other in (given, mask.astype(kind).tolist()):
        found = backend.to_numpy(layer.forward((x, other)))
        np.testing.assert_array_equal(found, expected)
    model = nx.Model([nx.MeanOverPositions(masked=True)], backend=backend)
    assert_agrees(model.predict((X, mask.astype(kind))), expected, backend)


def test_a_mask_computed_by_hand_is_one(backend):
    """Layer by layer, as in the book: the mask of ids is an array of floats."""
    hidden = placed(nx.PaddingMask(), backend).forward([[3, 1, 0], [2, 0, 0]])
    x = place(backend, X[:, :3])
    layer = placed(nx.MultiHeadAttention(4, 2, masked=True), backend)
    expected = layer.forward((x, [[1, 1, 0], [1, 0, 0]]))
    found = layer.forward((x, hidden))
    np.testing.assert_array_equal(backend.to_numpy(found), backend.to_numpy(expected))


@pytest.mark.parametrize("other", [0.5, 2.0, -1.0, np.nan, np.inf])
def test_floats_that_are_no_mask(backend, other):
    layer = placed(nx.MeanOverPositions(masked=True), backend)
    mask = np.ones((2, 5))
    mask[1, 3] = other
    with pytest.raises(nx.DTypeError, match=r"^inputs\[1\] must be a mask of 0 and 1"):
        layer.forward((place(backend, X), place(backend, mask)))


def test_padding_of_ids_reaches_attention_and_mean():
    branches = nx.Parallel([nx.Embedding(9, 4), nx.PaddingMask(0)])
    layers = [branches, nx.TransformerBlock(4, 2, masked=True)]
    model = nx.Model([*layers, nx.MeanOverPositions(masked=True), nx.Dense(4, 2)])
    short, long = np.array([[3, 5, 7]]), np.array([[3, 5, 7, 0, 0, 0]])
    np.testing.assert_allclose(model.predict(short), model.predict(long), rtol=1e-5)
    assert not np.allclose(model.predict(short), model.predict(long + (long == 0)))
    # Ids beyond those of the embedding are refused in front of both branches.
    with pytest.raises(nx.InputError, match="x must hold ids from 0 to 8, got 9"):
        model.predict(np.array([[9]]))


def test_attention_and_cross_attention_of_the_same_sequence_agree():
    layer, cross = nx.MultiHeadAttention(4, 2), nx.CrossAttention(4, 2)
    set_values(layer, host_params(layer))
    own = {name: child.params for name, child in layer.children.items()}
    for path, part in (("q", slice(4)), ("kv", slice(4, 12))):
        cross.children[path].weights = own["qkv"]["weights"][:, part]
        cross.children[path].biases = own["qkv"]["biases"][:, part]
    cross.children["out"].weights = own["out"]["weights"]
    cross.children["out"].biases = own["out"]["biases"]
    np.testing.assert_allclose(cross.forward((X, X)), layer.forward(X), rtol=1e-5)
    dy = random.standard_normal(X.shape)
    both = cross.backward(dy)
    np.testing.assert_allclose(both[0] + both[1], layer.backward(dy), rtol=1e-4)


def test_a_tied_matrix_is_one_parameter_with_both_gradients(backend64):
    inner = nx.Sequential([nx.Dense(4, 4), nx.Tanh()])
    layer = nx.TiedEmbedding(nx.Embedding(6, 4), inner)
    model = nx.Model(
        [layer],
        loss=nx.SoftmaxCrossEntropy(),
        optimizer=nx.SGD(1.0),
        backend=backend64,
    )
    ids, following = random.integers(0, 4, (3, 5)), random.integers(0, 6, (3, 5))
    paths = ["0.embedding.weights", "0.inner.0.weights", "0.inner.0.biases"]
    assert list(model.parameters) == paths
    before = backend64.to_numpy(model.parameters[paths[0]])
    model.fit(ids, following, batch_size=None)
    after = backend64.to_numpy(model.parameters[paths[0]])
    # Row 5 is no input: its gradient comes from the output alone. The others have both.
    assert (before != after).all()


def test_a_tied_matrix_that_is_frozen_stays():
    table = nx.Embedding(6, 4)
    table.trainable = False
    layer = nx.TiedEmbedding(table, nx.Dense(4, 4))
    model = nx.Model([layer], loss=nx.SoftmaxCrossEntropy(), optimizer=nx.SGD(1.0))
    before = {path: value.copy() for path, value in model.parameters.items()}
    ids = random.integers(0, 6, (3, 5))
    model.fit(ids, ids, batch_size=None)
    changed = {p for p, value in model.parameters.items() if (value != before[p]).any()}
    assert changed == {"0.inner.weights", "0.inner.biases"}


def test_a_block_of_a_transformer_drops_in_three_places(torch):
    """Beside PyTorch, with the masks of the streams."""
    layer, rate = nx.TransformerBlock(4, 2, causal=True, dropout=0.3), 0.3
    values = host_params(layer)

    def factors(path, shape):
        kept = Stream(0, f"layer.{path}.noise", 0).bernoulli(tuple(shape), 1 - rate)
        return torch.tensor(kept / (1 - rate))

    given = {path: torch.tensor(value) for path, value in values.items()}
    x = torch.tensor(X)
    drop = factors("attention", (2, 2, 5, 5))
    z = norm(torch, given, x, "norm")
    z = attention_with_dropout(torch, given, z, 2, drop, "attention.")
    x = x + z * factors("dropout", z.shape)
    z = network(torch, given, x, "network.inner", torch.nn.functional.gelu)
    expected = x + z * factors("network.inner.4", z.shape)
    y, _ = Bound(layer, NUMPY64, values, training=True).fwd(X)
    assert_agrees(y, expected.numpy(), NUMPY64, rtol=1e-10)
    check_layer_gradients(layer, X)


def test_waves_of_positions_are_turned_by_a_shift():
    """So that a product of two of them depends on their distance alone."""
    waves = nx.SinusoidalPositions(8).forward(np.zeros((1, 50, 8)))[0]
    products = waves @ waves.T
    for distance in (0, 1, 7):
        along = np.diagonal(products, distance)
        np.testing.assert_allclose(along, along[0], rtol=1e-5)


def test_a_forget_gate_begins_open():
    model = nx.Model([nx.LSTM(3, 2), nx.Dense(2, 1)])
    np.testing.assert_array_equal(model.layers[0].biases, [[0, 0, 1, 1, 0, 0, 0, 0]])
    plain = nx.Model([nx.LSTM(3, 2, forget_bias=False), nx.Dense(2, 1)])
    np.testing.assert_array_equal(plain.layers[0].biases, np.zeros((1, 8)))


@pytest.mark.parametrize("unit", [nx.SimpleRNN, nx.LSTM, nx.GRU])
def test_the_last_state_is_the_last_of_all_states(unit, backend64):
    last = unit(4, 3, backend=backend64)
    every = unit(4, 3, return_sequences=True, backend=backend64)
    for layer in (last, every):
        set_values(layer, move(backend64, host_params(last)))
    states = backend64.to_numpy(every.forward(place(backend64, X)))
    assert_agrees(last.forward(place(backend64, X)), states[:, -1], backend64)
    # A gradient of the last state alone is the same for both.
    dy = np.zeros_like(states)
    dy[:, -1] = 1.0
    expected = backend64.to_numpy(every.backward(place(backend64, dy)))
    assert_agrees(last.backward(place(backend64, dy[:, -1])), expected, backend64)


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.backend("jax")
def test_recurrent_layers_are_one_loop_of_xla(name):
    """However long a sequence is, and with the values of NumPy's loop in Python."""
    be = backend_or_skip("jax", "float64")
    import jax

    layer, x = getattr(nx, name)(4, 3), random.standard_normal((2, 9, 4))
    values = host_params(layer)

    def both(values, x):
        unit = Bound(layer, be, values)
        y, kept = unit.fwd(x)
        return y, unit.bwd(kept, y)

    with be.context():
        given = move(be, values), place(be, x)
        assert str(jax.make_jaxpr(both)(*given)).count("scan[") == 2
        y, (dx, gradients) = jax.jit(both)(*given)
    unit = Bound(layer, NUMPY64, values)
    expected, kept = unit.fwd(x)
    expected_dx, expected_gradients = unit.bwd(kept, expected)
    assert_agrees(y, expected, be)
    assert_agrees(dx, expected_dx, be)
    assert_all_agree(gradients, expected_gradients, be)


def keras_weights(layer):
    """Return the parameters as Keras has them."""
    weights, recurrent, biases = layer.weights, layer.recurrent, layer.biases[0]
    if isinstance(layer, nx.GRU):
        biases = np.stack([biases, layer.recurrent_biases[0]])
    return [weights, recurrent, biases]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_recurrent_parameters_are_those_of_keras(name, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    layer = getattr(nx, name)(4, 3, return_sequences=True)
    set_values(layer, host_params(layer))
    rival = getattr(keras.layers, name)(3, return_sequences=True)
    rival.build(X.shape)
    rival.set_weights(keras_weights(layer))
    expected = np.asarray(rival(X.astype("float32")))
    np.testing.assert_allclose(layer.forward(X), expected, atol=1e-5)


@pytest.mark.parametrize("logits", [True, False])
def test_perplexity_in_a_model_follows_the_loss(logits, backend64):
    """It takes its arguments from the loss, and adds up batches of any size."""
    ids = random.integers(0, 6, (7, 5))
    following = np.where(ids > 4, -1, ids)
    end = [] if logits else [nx.Softmax()]
    loss = nx.SoftmaxCrossEntropy if logits else nx.CategoricalCrossEntropy
    model = nx.Model(
        [nx.Embedding(6, 4), nx.GRU(4, 6, return_sequences=True), *end],
        loss=loss(ignore_index=-1),
        metrics=["perplexity", nx.TopKAccuracy(6, ignore_index=-1)],
        backend=backend64,
    )
    figures = model.evaluate(ids, following, batch_size=3)
    assert figures["perplexity"] == pytest.approx(np.exp(figures["loss"]), rel=1e-12)
    assert figures["top_k_accuracy"] == 1.0
    weighted = np.where(following < 0, 0.0, 1.0)
    again = model.evaluate(ids, ids, sample_weight=weighted, batch_size=2)
    assert again["perplexity"] == pytest.approx(figures["perplexity"], rel=1e-12)


BAD = {
    "heads that do not divide": (lambda: nx.MultiHeadAttention(6, 4), "n_heads must"),
    "no heads": (lambda: nx.MultiHeadAttention(6, 0), "n_heads must"),
    "no features": (lambda: nx.MultiHeadAttention(0, 1), "n_features must"),
    "a share above 1": (lambda: nx.MultiHeadAttention(4, 2, dropout=1.5), "dropout"),
    "no flag": (lambda: nx.MultiHeadAttention(4, 2, causal=1), "causal must"),
    "no context": (lambda: nx.CrossAttention(4, 2, 0), "n_context must"),
    "no length": (lambda: nx.LearnedPositions(0, 2), "length must"),
    "a base below 1": (lambda: nx.SinusoidalPositions(4, base=0.5), "base must"),
    "no hidden": (lambda: nx.TransformerBlock(4, 2, n_hidden=0), "n_hidden must"),
    "no activation": (
        lambda: nx.TransformerBlock(4, 2, activation="gulu"),
        "activation must",
    ),
    "an id below 0": (lambda: nx.PaddingMask(-1), "padding_id must"),
    "no embedding": (
        lambda: nx.TiedEmbedding(nx.Dense(2, 2), nx.Linear()),
        "embedding must be an Embedding",
    ),
    "other outputs": (
        lambda: nx.TiedEmbedding(nx.Embedding(5, 4), nx.Dense(4, 3)),
        "needs 4 features after inner",
    ),
    "no inputs": (lambda: nx.LSTM(0, 2), "n_inputs must"),
    "no units": (lambda: nx.GRU(2, 0), "n_units must"),
    "no flag of gates": (lambda: nx.LSTM(2, 2, forget_bias=1.0), "forget_bias must"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD)
def test_bad_arguments(make, message):
    with pytest.raises(nx.InputError, match=message):
        make()


BAD_INPUTS = {
    "two axes": (lambda: nx.MultiHeadAttention(4, 2), np.ones((2, 4))),
    "other features": (lambda: nx.MultiHeadAttention(4, 2), np.ones((2, 5, 3))),
    "a mask too many": (
        lambda: nx.MultiHeadAttention(4, 2),
        (np.ones((2, 5, 4)), np.ones((2, 5), int)),
    ),
    "no mask": (lambda: nx.MultiHeadAttention(4, 2, masked=True), np.ones((2, 5, 4))),
    "a short mask": (
        lambda: nx.MultiHeadAttention(4, 2, masked=True),
        (np.ones((2, 5, 4)), np.ones((2, 4), int)),
    ),
    "a mask of other numbers": (
        lambda: nx.MultiHeadAttention(4, 2, masked=True),
        (np.ones((2, 5, 4)), np.full((2, 5), 2)),
    ),
    "a context's mask of other numbers": (
        lambda: nx.CrossAttention(4, 2, masked=True),
        (np.ones((2, 5, 4)), np.ones((2, 3, 4)), np.full((2, 3), 2)),
    ),
    "a block's mask of other numbers": (
        lambda: nx.TransformerBlock(4, 2, masked=True),
        (np.ones((2, 5, 4)), np.full((2, 5), 7)),
    ),
    "a mean's mask of other numbers": (
        lambda: nx.MeanOverPositions(True),
        (np.ones((2, 5, 4)), np.full((2, 5), 2)),
    ),
    "a dropped mask of other numbers": (
        nx.DropMask,
        (np.ones((2, 5, 4)), np.full((2, 5), 2)),
    ),
    "no context": (lambda: nx.CrossAttention(4, 2), np.ones((2, 5, 4))),
    "another context": (
        lambda: nx.CrossAttention(4, 2, 3),
        (np.ones((2, 5, 4)), np.ones((2, 5, 4))),
    ),
    "a block's other features": (lambda: nx.TransformerBlock(4, 2), np.ones((2, 5, 3))),
    "a long sequence": (lambda: nx.LearnedPositions(4, 3), np.ones((2, 5, 3))),
    "waves of others": (lambda: nx.SinusoidalPositions(4), np.ones((2, 5, 3))),
    "a vector": (lambda: nx.SimpleRNN(4, 2), np.ones((2, 4))),
    "no sequence": (lambda: nx.LSTM(4, 2), np.ones((2, 5, 3, 4))),
    "a gate's other inputs": (lambda: nx.GRU(4, 2), np.ones((2, 5, 3))),
    "a mean of vectors": (nx.MeanOverPositions, np.ones((2, 4))),
    "a mean without mask": (lambda: nx.MeanOverPositions(True), np.ones((2, 5, 4))),
    "nothing to drop": (nx.DropMask, np.ones((2, 5, 4))),
}


@pytest.mark.parametrize(("make", "x"), BAD_INPUTS.values(), ids=BAD_INPUTS)
def test_bad_inputs(make, x):
    with pytest.raises(nx.InputError):
        make().forward(x)
    if not isinstance(x, tuple):
        with pytest.raises(nx.InputError):
            nx.Model([make()]).predict(x)
