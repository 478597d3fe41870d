"""Cases of the layers of sequences."""

import functools

import numpy as np

import nnfs_xp as nx
from nnfs_xp.random import Stream
from tests.matrix.cases.types import STEP, LayerCase

# Not those of the other units, so that their cases stay as they are.
own_random = np.random.default_rng(20261128)
normal = own_random.standard_normal
_ids = own_random.integers(0, 7, (3, 5))
_mask = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [1, 1, 1, 1, 1]])


# Positions.


def _learned(torch, values, x):
    places = torch.arange(x.shape[1])
    return x + torch.nn.functional.embedding(places, values["weights"])


def _waves(d, base=10000.0):
    """Return a forward pass that adds the waves of every position, one by one."""

    def forward(torch, values, x):
        table = [
            [
                (np.cos if j % 2 else np.sin)(p / base ** (2 * (j // 2) / d))
                for j in range(d)
            ]
            for p in range(x.shape[1])
        ]
        return x + torch.tensor(np.array(table))

    return forward


# Attention, by PyTorch's own function of all heads.


def _bias(torch, values, name, count):
    found = values.get(name)
    return torch.zeros(count, dtype=torch.float64) if found is None else found[0]


def _attention(
    torch, values, x, heads, causal=False, mask=None, prefix="", context=None
):
    d = x.shape[-1]

    def get(name):
        return values[f"{prefix}{name}.weights"].T

    def bias(name, count):
        return _bias(torch, values, f"{prefix}{name}.biases", count)

    if context is None:
        separate = None, None, None
        packed, biases = get("qkv"), bias("qkv", 3 * d)
        context = x
    else:
        kv = get("kv")
        separate = get("q"), kv[:d], kv[d:]
        packed, biases = None, torch.cat([bias("q", d), bias("kv", 2 * d)])
    t = x.shape[1]
    later = torch.triu(torch.ones(t, t, dtype=torch.bool), 1) if causal else None
    y, _ = torch.nn.functional.multi_head_attention_forward(
        x.transpose(0, 1), context.transpose(0, 1), context.transpose(0, 1),
        d, heads, packed, biases, None, None, False, 0.0, get("out"), bias("out", d),
        training=False, need_weights=False, attn_mask=later,
        key_padding_mask=None if mask is None else mask == 0,
        use_separate_proj_weight=packed is None,
        q_proj_weight=separate[0], k_proj_weight=separate[1],
        v_proj_weight=separate[2],
    )  # fmt: skip
    return y.transpose(0, 1)


def _attending(heads, **options):
    def forward(torch, values, x):
        if isinstance(x, tuple):
            return _attention(torch, values, x[0], heads, mask=x[1], **options)
        return _attention(torch, values, x, heads, **options)

    return forward


def _crossing(heads):
    def forward(torch, values, x):
        mask = x[2] if len(x) == 3 else None
        return _attention(torch, values, x[0], heads, mask=mask, context=x[1])

    return forward


def factors(torch, seed, name, shape, rate):
    """Return what dropout of a unit multiplies with."""
    kept = Stream(seed, name, STEP).bernoulli(tuple(shape), 1 - rate)
    return torch.tensor(kept, dtype=torch.float64) / (1 - rate)


def attention_with_dropout(torch, values, x, heads, drop, prefix=""):
    """Causal attention, head by head and row by row."""
    n, t, d = x.shape
    e = d // heads
    z = x @ values[f"{prefix}qkv.weights"] + values[f"{prefix}qkv.biases"]
    rows = []
    for i in range(n):
        for p in range(t):
            seen = []
            for h in range(heads):
                own = slice(h * e, h * e + e)
                q = z[i, p, :d][own]
                k, v = z[i, : p + 1, d : 2 * d][:, own], z[i, : p + 1, 2 * d :][:, own]
                weights = torch.softmax(k @ q / e**0.5, dim=0)
                seen.append((weights * drop[i, h, p, : p + 1]) @ v)
            rows.append(torch.cat(seen))
    y = torch.stack(rows).reshape(n, t, d)
    return y @ values[f"{prefix}out.weights"] + values[f"{prefix}out.biases"]


def _dropping(heads, rate, seed):
    def forward(torch, values, x):
        shape = x.shape[0], heads, x.shape[1], x.shape[1]
        drop = factors(torch, seed, "layer.noise", shape, rate)
        return attention_with_dropout(torch, values, x, heads, drop)

    return forward


# A block of a transformer, and a language model.


def norm(torch, values, x, path, eps=1e-5):
    gain, shift = values[f"{path}.gamma"], values[f"{path}.beta"]
    return torch.nn.functional.layer_norm(x, x.shape[-1:], gain, shift, eps)


def _linear(torch, values, x, path):
    y = torch.nn.functional.linear(x, values[f"{path}.weights"].T)
    return y + _bias(torch, values, f"{path}.biases", y.shape[-1])


def network(torch, values, x, path, activation):
    hidden = _linear(torch, values, norm(torch, values, x, f"{path}.0"), f"{path}.1")
    return _linear(torch, values, activation(hidden), f"{path}.3")


def block(torch, values, x, heads, prefix="", activation=None, **options):
    """Return what a block of a transformer makes of its inputs, by PyTorch."""
    activation = activation or torch.nn.functional.gelu
    z = norm(torch, values, x, f"{prefix}norm")
    x = x + _attention(torch, values, z, heads, prefix=f"{prefix}attention.", **options)
    return x + network(torch, values, x, f"{prefix}network.inner", activation)


def _block(heads, **options):
    def forward(torch, values, x):
        if isinstance(x, tuple):
            return block(torch, values, x[0], heads, mask=x[1], **options), x[1]
        return block(torch, values, x, heads, **options)

    return forward


def _make_tied():
    inner = [nx.LearnedPositions(6, 4), nx.Dense(4, 4), nx.Tanh()]
    return nx.TiedEmbedding(nx.Embedding(7, 4), nx.Sequential(inner))


def _tied(torch, values, ids):
    table = values["embedding.weights"]
    rows = torch.nn.functional.embedding(ids.long(), table)
    rows = rows + values["inner.0.weights"][: ids.shape[1]]
    hidden = torch.tanh(_linear(torch, values, rows, "inner.1"))
    return torch.nn.functional.linear(hidden, table)


def _make_reader():
    """Ids with padding, to a number for each class."""
    branches = nx.Parallel([nx.Embedding(7, 4), nx.PaddingMask(6)])
    return nx.Sequential(
        [branches, nx.TransformerBlock(4, 2, masked=True), nx.MeanOverPositions(True)]
    )


def _reader(torch, values, ids):
    rows = torch.nn.functional.embedding(ids.long(), values["0.0.weights"])
    seen = (ids != 6).double()
    y = block(torch, values, rows, 2, "1.", mask=seen)
    return (y * seen[..., None]).sum(dim=1) / seen.sum(dim=1, keepdim=True)


# Layers that go from position to position, by PyTorch's own.


def _recurrent(name, sequences, order, two_biases=False):
    """Return a forward pass by PyTorch, whose gates are our numbers in an order."""

    def forward(torch, values, x):
        units = values["recurrent"].shape[0]
        layer = getattr(torch.nn, name)(
            x.shape[-1], units, batch_first=True, dtype=torch.float64
        )

        def turned(a):
            parts = [a[:, i * units : (i + 1) * units] for i in order]
            return torch.cat(parts, dim=1)

        biases = turned(values["biases"])[0]
        second = turned(values["recurrent_biases"])[0] if two_biases else 0 * biases
        given = {
            "weight_ih_l0": turned(values["weights"]).T,
            "weight_hh_l0": turned(values["recurrent"]).T,
            "bias_ih_l0": biases,
            "bias_hh_l0": second,
        }
        y = torch.func.functional_call(layer, given, x)[0]
        return y if sequences else y[:, -1]

    return forward


def _recurrent_cases(unit, *arguments, **options):
    return [
        LayerCase(
            functools.partial(unit, shape[-1], units, return_sequences=sequences),
            normal(shape),
            _recurrent(*arguments[:1], sequences, *arguments[1:], **options),
        )
        for shape, units, sequences in (
            ((3, 5, 2), 4, False),
            ((2, 4, 3), 2, True),
            ((1, 1, 1), 1, True),
        )
    ]


SEQUENCES = {
    "LearnedPositions": [
        LayerCase(lambda: nx.LearnedPositions(5, 3), normal((2, 5, 3)), _learned),
        LayerCase(lambda: nx.LearnedPositions(6, 2), normal((3, 4, 2)), _learned),
        LayerCase(lambda: nx.LearnedPositions(1, 1), normal((1, 1, 1)), _learned),
    ],
    "SinusoidalPositions": [
        LayerCase(lambda: nx.SinusoidalPositions(4), normal((2, 5, 4)), _waves(4)),
        LayerCase(
            lambda: nx.SinusoidalPositions(3, base=50.0),
            normal((1, 7, 3)),
            _waves(3, 50.0),
        ),
        LayerCase(lambda: nx.SinusoidalPositions(1), normal((1, 1, 1)), _waves(1)),
    ],
    "MultiHeadAttention": [
        LayerCase(
            lambda: nx.MultiHeadAttention(6, 2), normal((3, 5, 6)), _attending(2)
        ),
        LayerCase(
            lambda: nx.MultiHeadAttention(4, 4, causal=True),
            normal((2, 5, 4)),
            _attending(4, causal=True),
        ),
        LayerCase(
            lambda: nx.MultiHeadAttention(4, 2, masked=True, use_bias=False),
            (normal((3, 5, 4)), _mask),
            _attending(2),
        ),
        LayerCase(
            lambda: nx.MultiHeadAttention(4, 1, masked=True, causal=True),
            (normal((2, 5, 4)), _mask[[0, 2]]),
            _attending(1, causal=True),
        ),
        LayerCase(
            lambda: nx.MultiHeadAttention(4, 2, causal=True, dropout=0.4, seed=5),
            normal((2, 3, 4)),
            _attending(2, causal=True),
            _dropping(2, 0.4, 5),
        ),
        LayerCase(
            lambda: nx.MultiHeadAttention(1, 1), normal((1, 1, 1)), _attending(1)
        ),
    ],
    "CrossAttention": [
        LayerCase(
            lambda: nx.CrossAttention(6, 2, 4),
            (normal((2, 3, 6)), normal((2, 5, 4))),
            _crossing(2),
        ),
        LayerCase(
            lambda: nx.CrossAttention(4, 2, masked=True),
            (normal((3, 2, 4)), normal((3, 5, 4)), _mask),
            _crossing(2),
        ),
        LayerCase(
            lambda: nx.CrossAttention(2, 1, use_bias=False),
            (normal((1, 1, 2)), normal((1, 1, 2))),
            _crossing(1),
        ),
    ],
    "PaddingMask": [
        LayerCase(
            lambda: nx.PaddingMask(2),
            _ids,
            # PyTorch goes back from no constant.
            lambda torch, values, ids: (ids != 2).double().requires_grad_(),
        ),
    ],
    "DropMask": [
        LayerCase(
            nx.DropMask, (normal((3, 5, 2)), _mask), lambda torch, values, x: x[0] * 1
        ),
    ],
    "MeanOverPositions": [
        LayerCase(
            nx.MeanOverPositions,
            normal((3, 5, 2)),
            lambda torch, values, x: x.mean(dim=1),
        ),
        LayerCase(
            lambda: nx.MeanOverPositions(masked=True),
            (normal((3, 5, 2)), _mask),
            lambda torch, values, x: torch.stack(
                [own[seen != 0].mean(dim=0) for own, seen in zip(*x, strict=True)]
            ),
        ),
    ],
    "TransformerBlock": [
        LayerCase(
            lambda: nx.TransformerBlock(4, 2, causal=True),
            normal((2, 5, 4)),
            _block(2, causal=True),
        ),
        LayerCase(
            lambda: nx.TransformerBlock(4, 1, n_hidden=3, activation="tanh"),
            normal((1, 3, 4)),
            lambda torch, values, x: block(torch, values, x, 1, activation=torch.tanh),
        ),
        LayerCase(_make_reader, _ids, _reader),
    ],
    "TiedEmbedding": [
        LayerCase(_make_tied, _ids, _tied),
        LayerCase(
            lambda: nx.TiedEmbedding(nx.Embedding(3, 2), nx.Linear()),
            np.array([[2, 2]]),
            lambda torch, values, ids: (
                values["embedding.weights"][ids.long()] @ values["embedding.weights"].T
            ),
        ),
    ],
    "SimpleRNN": _recurrent_cases(nx.SimpleRNN, "RNN", [0]),
    "LSTM": _recurrent_cases(nx.LSTM, "LSTM", [0, 1, 2, 3]),
    "GRU": _recurrent_cases(nx.GRU, "GRU", [1, 0, 2], two_biases=True),
}
