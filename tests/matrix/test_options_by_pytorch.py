"""Drawn combinations of options, beside PyTorch and its gradients."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import nnfs_xp as nx
from nnfs_xp import to_numpy
from tests.conftest import backend_or_skip

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow
functional = torch.nn.functional

OWNERS = st.sampled_from(["numpy", "torch"])
SEEDS = st.integers(0, 2**16)
small = st.integers(1, 3)


def few(draw, axes, most, least=1):
    return tuple(draw(st.integers(least, most)) for _ in range(axes))


def around(padding, lengths, extents, strides):
    """Return what is put before and after each axis, by TensorFlow's rule for same."""
    if padding == "valid":
        return [(0, 0) for _ in lengths]
    if padding != "same":
        return [(width, width) for width in padding]
    pads = []
    for length, extent, stride in zip(lengths, extents, strides, strict=True):
        total = max((math.ceil(length / stride) - 1) * stride + extent - length, 0)
        pads.append((total // 2, total - total // 2))
    return pads


def padded(x, pads, value=0.0):
    """Return channels-first images with more around."""
    flat = [width for both in reversed(pads) for width in both]
    return functional.pad(x, flat, value=value)


def first(x):
    return x.movedim(-1, 1)


def compare(layer, be, x, forward, seed):
    """Compare outputs and all gradients of a layer with those of a function.

    The function is called with tensors of the inputs and of the parameters by name.
    """
    random = np.random.default_rng(seed)
    leaves, several = {}, isinstance(x, tuple)
    ours = tuple(
        be.asarray(a, be.dtype if a.dtype == np.float64 else "int32")
        for a in (x if several else (x,))
    )
    inputs = ours if several else ours[0]
    # Its parts are on the backend, and in its dtype, from then on.
    layer.forward(inputs)
    for unit, path in [(layer, ""), *((c, f"{n}.") for n, c in layer.children.items())]:
        for name in unit.parameters():
            value = random.standard_normal(np.shape(to_numpy(getattr(unit, name))))
            setattr(unit, name, be.asarray(value, be.dtype))
            leaves[path + name] = torch.tensor(value, requires_grad=True)
    tensors = [
        torch.tensor(a, requires_grad=a.dtype == np.float64)
        for a in (x if several else (x,))
    ]
    expected = forward(*tensors, leaves)
    assert_close(layer.forward(inputs), expected)
    dy = random.standard_normal(expected.shape)
    expected.backward(torch.tensor(dy))
    dx = layer.backward(be.asarray(dy, be.dtype))
    for found, tensor in zip(dx if several else (dx,), tensors, strict=True):
        if tensor.requires_grad:
            assert_close(found, tensor.grad)
    for path, leaf in leaves.items():
        *child, name = path.split(".")
        owner = layer.children[child[0]] if child else layer
        assert_close(getattr(owner, f"d{name}"), leaf.grad)


def assert_close(found, expected):
    expected = expected.detach().numpy()
    found = to_numpy(found)
    assert found.shape == expected.shape
    scale = max(1.0, np.max(np.abs(expected), initial=0.0))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * scale)


def windows(draw, axes, most_size=4):
    lengths, size = few(draw, axes, 9), few(draw, axes, most_size)
    stride = few(draw, axes, 6)
    padding = draw(st.sampled_from(["valid", "same", "number"]))
    if padding == "number":
        padding = few(draw, axes, 4, 0)
    return lengths, size, stride, padding


@given(data=st.data(), axes=st.sampled_from([1, 2]), owner=OWNERS, seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_convolutions(data, axes, owner, seed):
    draw = data.draw
    be = backend_or_skip(owner, "float64")
    lengths, size, stride, padding = windows(draw, axes)
    dilation, groups = few(draw, axes, 3), draw(small)
    channels, filters = groups * draw(small), groups * draw(small)
    extents = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    pads = around(padding, lengths, extents, stride)
    assume(
        all(
            length + sum(both) >= extent
            for length, both, extent in zip(lengths, pads, extents, strict=True)
        )
    )
    plain = [v if axes == 2 else v[0] for v in (size, stride, dilation)]
    layer = {1: nx.Conv1D, 2: nx.Conv2D}[axes](
        channels, filters, plain[0], stride=plain[1], dilation=plain[2],
        padding=padding if axes == 2 or isinstance(padding, str) else padding[0],
        groups=groups, use_bias=draw(st.booleans()), backend=be,
    )  # fmt: skip
    x = np.random.default_rng(seed).standard_normal((draw(small), *lengths, channels))
    convolve = {1: functional.conv1d, 2: functional.conv2d}[axes]

    def forward(x, values):
        w = values["weights"].movedim(-1, 0).movedim(-1, 1)
        bias = values["biases"][0] if "biases" in values else None
        y = convolve(padded(first(x), pads), w, bias, stride, 0, dilation, groups)
        return y.movedim(1, -1)

    compare(layer, be, x, forward, seed)


@given(
    data=st.data(), kind=st.sampled_from(["max", "average"]), owner=OWNERS, seed=SEEDS
)
@settings(max_examples=60, deadline=None)
def test_poolings(data, kind, owner, seed):
    draw = data.draw
    be = backend_or_skip(owner, "float64")
    lengths, size, stride, padding = windows(draw, 2)
    if not isinstance(padding, str):
        padding = tuple(min(p, k - 1) for p, k in zip(padding, size, strict=True))
    if draw(st.booleans()):
        stride = None
    steps = stride or size
    pads = around(padding, lengths, size, steps)
    assume(
        all(
            length + sum(both) >= k
            for length, both, k in zip(lengths, pads, size, strict=True)
        )
    )
    make = {"max": nx.MaxPool2D, "average": nx.AveragePool2D}[kind]
    layer = make(size, stride, padding, backend=be)
    shape = draw(small), *lengths, draw(small)
    x = np.random.default_rng(seed).standard_normal(shape)

    def forward(x, values):
        if kind == "max":
            wide = padded(first(x), pads, -math.inf)
            return functional.max_pool2d(wide, size, steps).movedim(1, -1)
        ones = padded(torch.ones_like(first(x)), pads)
        total, count = (
            functional.avg_pool2d(a, size, steps)
            for a in (padded(first(x), pads), ones)
        )
        return (total / count).movedim(1, -1)

    compare(layer, be, x, forward, seed)


@given(data=st.data(), owner=OWNERS, seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_attentions(data, owner, seed):
    draw = data.draw
    be = backend_or_skip(owner, "float64")
    heads, e, n, t = draw(small), draw(small), draw(small), draw(st.integers(1, 9))
    d, biased, random = heads * e, draw(st.booleans()), np.random.default_rng(seed)
    masked, cross = draw(st.booleans()), draw(st.booleans())
    s = draw(st.integers(1, 9)) if cross else t
    x = random.standard_normal((n, t, d))
    mask = random.integers(0, 2, (n, s))
    mask[:, 0] = 1
    if cross:
        causal, width = False, draw(small)
        layer = nx.CrossAttention(
            d, heads, width, masked=masked, use_bias=biased, backend=be
        )
        inputs = x, random.standard_normal((n, s, width))
    else:
        causal = draw(st.booleans())
        layer = nx.MultiHeadAttention(
            d, heads, causal=causal, masked=masked, use_bias=biased, backend=be
        )
        inputs = (x,)

    def linear(x, values, name):
        y = x @ values[f"{name}.weights"]
        return y + values[f"{name}.biases"][0] if biased else y

    def forward(*arguments):
        *given, values = arguments
        if cross:
            q = linear(given[0], values, "q")
            k, v = linear(given[1], values, "kv").split(d, -1)
        else:
            q, k, v = linear(given[0], values, "qkv").split(d, -1)
        q, k, v = (a.unflatten(-1, (heads, e)).transpose(1, 2) for a in (q, k, v))
        seen = torch.ones(t, s, dtype=torch.bool)
        seen = (seen.tril() if causal else seen).expand(n, 1, t, s)
        if masked:
            seen = seen & (torch.tensor(mask) != 0)[:, None, None, :]
        found = functional.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        return linear(found.transpose(1, 2).flatten(2), values, "out")

    if masked:
        inputs = *inputs, mask
    compare(layer, be, inputs if len(inputs) > 1 else inputs[0], forward, seed)


@given(
    data=st.data(),
    kind=st.sampled_from(["RNN", "LSTM", "GRU"]),
    sequences=st.booleans(),
    owner=OWNERS,
    seed=SEEDS,
)
@settings(max_examples=30, deadline=None)
def test_recurrent_layers(data, kind, sequences, owner, seed):
    draw = data.draw
    be = backend_or_skip(owner, "float64")
    n, t, k, h = (draw(st.integers(1, 5)) for _ in range(4))
    make = {"RNN": nx.SimpleRNN, "LSTM": nx.LSTM, "GRU": nx.GRU}[kind]
    layer = make(k, h, return_sequences=sequences, backend=be)
    x = np.random.default_rng(seed).standard_normal((n, t, k))
    order = {"RNN": [0], "LSTM": [0, 1, 2, 3], "GRU": [1, 0, 2]}[kind]

    def columns(value):
        parts = value.split(h, -1)
        return torch.cat([parts[place] for place in order], -1)

    def forward(x, values):
        biases = columns(values["biases"])[0]
        second = torch.zeros_like(biases)
        if kind == "GRU":
            second = columns(values["recurrent_biases"])[0]
        own = {
            "weight_ih_l0": columns(values["weights"]).T,
            "weight_hh_l0": columns(values["recurrent"]).T,
            "bias_ih_l0": biases,
            "bias_hh_l0": second,
        }
        module = getattr(torch.nn, kind)(k, h, batch_first=True, dtype=torch.float64)
        y, _ = torch.func.functional_call(module, own, (x,))
        return y if sequences else y[:, -1]

    compare(layer, be, x, forward, seed)


@given(data=st.data(), owner=OWNERS, seed=SEEDS)
@settings(max_examples=60, deadline=None)
def test_group_norms_positions_and_embeddings(data, owner, seed):
    draw = data.draw
    be, random = backend_or_skip(owner, "float64"), np.random.default_rng(seed)
    groups, n = draw(small), draw(small)
    width = groups * draw(small)
    lengths = few(draw, draw(st.integers(0, 3)), 4)
    # Of a group with one value the rounding is all that is left.
    assume(math.prod(lengths) * width // groups > 1)
    x, eps = random.standard_normal((n, *lengths, width)), draw(st.floats(1e-6, 1.0))

    def normalized(x, values):
        args = values["gamma"], values["beta"], eps
        return functional.group_norm(first(x), groups, *args).movedim(1, -1)

    compare(nx.GroupNorm(width, groups, eps, backend=be), be, x, normalized, seed)
    t, length = draw(small), draw(st.integers(3, 6))
    x = random.standard_normal((n, t, width))
    positions = nx.LearnedPositions(length, width, backend=be)
    compare(positions, be, x, lambda x, values: x + values["weights"][:t], seed)
    ids = random.integers(0, 5, (n, *lengths))
    table = nx.Embedding(5, width, backend=be)

    def rows(ids, values):
        return functional.embedding(ids, values["weights"])

    table.weights = be.asarray(random.standard_normal((5, width)), be.dtype)
    y = table.forward(be.asarray(ids, "int32"))
    leaf = torch.tensor(to_numpy(table.weights), requires_grad=True)
    expected = rows(torch.tensor(ids), {"weights": leaf})
    assert_close(y, expected)
    dy = random.standard_normal(expected.shape)
    expected.backward(torch.tensor(dy))
    table.backward(be.asarray(dy, be.dtype))
    assert_close(table.dweights, leaf.grad)
