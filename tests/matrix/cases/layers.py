"""Cases of every layer, block and activation."""

import functools

import numpy as np

import nnfs_xp as nx
from nnfs_xp.random import Stream
from tests.matrix.cases.activations import ACTIVATIONS
from tests.matrix.cases.augmentation import AUGMENTATION
from tests.matrix.cases.draws import away_from_zero, random
from tests.matrix.cases.images import IMAGES
from tests.matrix.cases.sequences import SEQUENCES
from tests.matrix.cases.types import STEP, LayerCase

# Not those of the other units, so that their cases stay as they are.
own_random = np.random.default_rng(20250914)
normal = own_random.standard_normal


def _dense(torch, params, x):
    y = torch.nn.functional.linear(x, params["weights"].T)
    return y + params["biases"][0]


def _dense_at(path, torch, values, x):
    weights, biases = values[f"{path}.weights"], values.get(f"{path}.biases")
    y = torch.nn.functional.linear(x, weights.T)
    return y if biases is None else y + biases[0]


def _make_block():
    inner = nx.Sequential([nx.Dense(3, 2), nx.Softmax()])
    return nx.Sequential([nx.Dense(4, 3), nx.Softmax(), inner])


def _nested(torch, params, x):
    hidden = torch.softmax(x @ params["0.weights"] + params["0.biases"], dim=-1)
    outputs = hidden @ params["2.0.weights"] + params["2.0.biases"]
    return torch.softmax(outputs, dim=-1)


# The same numbers that a `Dropout` of a seed of its own draws.


def _mask(torch, x, seed, rate):
    kept = Stream(seed, "layer.noise", STEP).bernoulli(tuple(x.shape), 1 - rate)
    return torch.tensor(kept, dtype=x.dtype) / (1 - rate)


def _dropout(seed, rate):
    return lambda torch, values, x: x * _mask(torch, x, seed, rate)


# Normalization, by PyTorch's functions of any number of axes.


def _batch_norm(training, prefix="", momentum=0.1, eps=1e-5):
    def torch_forward(torch, values, x):
        names = ("mean", "variance", "gamma", "beta")
        arguments = [values[prefix + name] for name in names]
        features_second = torch.movedim(x, -1, 1)
        y = torch.nn.functional.batch_norm(
            features_second, *arguments, training, momentum, eps
        )
        return torch.movedim(y, 1, -1)

    return torch_forward


def _batch_norm_case(make, x, **options):
    return LayerCase(
        make, x, _batch_norm(False, **options), _batch_norm(True, **options)
    )


def _frozen(layer):
    layer.trainable = False
    return layer


def _layer_norm(torch, values, x, prefix="", eps=1e-5):
    gain, shift = values[f"{prefix}gamma"], values[f"{prefix}beta"]
    return torch.nn.functional.layer_norm(x, x.shape[-1:], gain, shift, eps)


# Ids.


def _embedding(torch, values, ids):
    return torch.nn.functional.embedding(ids.long(), values["weights"])


def _make_sentence():
    """Tokens and their places, as the first layers of a language model."""
    tables = nx.Parallel([nx.Embedding(7, 4), nx.Embedding(5, 4)])
    return nx.Sequential([tables, nx.Add(), nx.LayerNorm(4)])


def _sentence(torch, values, x):
    tokens, places = x
    embedding = torch.nn.functional.embedding
    y = embedding(tokens.long(), values["0.0.weights"])
    y = y + embedding(places.long(), values["0.1.weights"])
    return _layer_norm(torch, values, y, "2.")


_tokens = own_random.integers(0, 7, (3, 5))
_places = np.tile(np.arange(5), (3, 1))


# Blocks.


def _residual_case(activation, name, x):
    def make():
        layers = [nx.Dense(4, 6), activation(), nx.Dense(6, 4), nx.Dropout(0.4, seed=9)]
        return nx.Residual(nx.Sequential(layers))

    def forward(torch, values, x, training=False):
        hidden = getattr(torch, name)(_dense_at("inner.0", torch, values, x))
        y = _dense_at("inner.2", torch, values, hidden)
        return x + (y * _mask(torch, y, 9, 0.4) if training else y)

    return LayerCase(make, x, forward, functools.partial(forward, training=True))


def _make_deep():
    """A block in a block in a block, with statistics and noise inside."""
    inner = nx.Sequential([nx.BatchNorm(3), nx.Tanh(), nx.Dropout(0.5, seed=4)])
    outer = nx.Sequential([nx.Dense(3, 3), nx.Residual(inner)])
    return nx.Sequential([nx.Residual(outer), nx.Dense(3, 2)])


def _deep(training):
    normalize = _batch_norm(training, "0.inner.1.inner.0.")

    def torch_forward(torch, values, x):
        z = _dense_at("0.inner.0", torch, values, x)
        y = torch.tanh(normalize(torch, values, z))
        if training:
            y = y * _mask(torch, y, 4, 0.5)
        return _dense_at("1", torch, values, x + z + y)

    return torch_forward


def _make_branches():
    return nx.Parallel([nx.Dense(4, 2), nx.Sequential([nx.Tanh(), nx.Dense(4, 3)])])


def _branches(torch, values, x):
    one = _dense_at("0", torch, values, x)
    return one, _dense_at("1.1", torch, values, torch.tanh(x))


def _two_inputs(torch, values, x):
    return x[0] * 2, _dense_at("1", torch, values, x[1])


def _make_joined():
    branches = nx.Parallel([nx.Embedding(7, 2), nx.Dense(3, 4, use_bias=False)])
    return nx.Sequential([branches, nx.Concatenate(), nx.Dense(6, 2)])


def _joined(torch, values, x):
    rows = torch.nn.functional.embedding(x[0].long(), values["0.0.weights"])
    both = torch.cat([rows, x[1] @ values["0.1.weights"]], dim=-1)
    return _dense_at("2", torch, values, both)


LAYERS = {
    **ACTIVATIONS,
    **IMAGES,
    **SEQUENCES,
    **AUGMENTATION,
    "Dense": [
        LayerCase(lambda: nx.Dense(4, 3), random.standard_normal((5, 4)), _dense),
        LayerCase(lambda: nx.Dense(1, 1), random.standard_normal((1, 1)), _dense),
        LayerCase(lambda: nx.Dense(7, 64), random.standard_normal((33, 7)), _dense),
        LayerCase(lambda: nx.Dense(4, 3), normal((2, 5, 4)), _dense),
        LayerCase(lambda: nx.Dense(2, 3), normal((2, 1, 3, 2)), _dense),
        LayerCase(
            lambda: nx.Dense(4, 3, use_bias=False),
            normal((5, 4)),
            lambda torch, values, x: x @ values["weights"],
        ),
        LayerCase(
            lambda: nx.Dense(4, 3, use_bias=False),
            normal((2, 3, 4)),
            lambda torch, values, x: x @ values["weights"],
        ),
    ],
    "Dropout": [
        LayerCase(
            lambda: nx.Dropout(0.5, seed=2),
            random.standard_normal((3, 4)),
            lambda torch, p, x: x,
            _dropout(2, 0.5),
        ),
        LayerCase(
            lambda: nx.Dropout(0.2, seed=3),
            normal((2, 3, 4)),
            lambda torch, p, x: x,
            _dropout(3, 0.2),
        ),
    ],
    "BatchNorm": [
        _batch_norm_case(lambda: nx.BatchNorm(3), normal((6, 3)) * 2 + 1),
        _batch_norm_case(lambda: nx.BatchNorm(4), normal((3, 5, 4))),
        _batch_norm_case(
            lambda: nx.BatchNorm(2, momentum=0.3, eps=0.1),
            normal((2, 3, 2, 2)),
            momentum=0.3,
            eps=0.1,
        ),
        _batch_norm_case(
            lambda: nx.BatchNorm(1, momentum=0.0), normal((4, 1)), momentum=0.0
        ),
        # Frozen, it computes in training as it does in use.
        LayerCase(lambda: _frozen(nx.BatchNorm(3)), normal((6, 3)), _batch_norm(False)),
    ],
    "LayerNorm": [
        LayerCase(lambda: nx.LayerNorm(5), normal((4, 5)) * 2 + 1, _layer_norm),
        LayerCase(lambda: nx.LayerNorm(4), normal((2, 3, 4)), _layer_norm),
        LayerCase(
            lambda: nx.LayerNorm(3, eps=0.1),
            normal((1, 3)),
            lambda torch, values, x: _layer_norm(torch, values, x, eps=0.1),
        ),
    ],
    "Embedding": [
        LayerCase(lambda: nx.Embedding(7, 3), _tokens, _embedding),
        # One id, all of them the same, and one axis.
        LayerCase(lambda: nx.Embedding(1, 1), np.zeros((1, 1), "int64"), _embedding),
        LayerCase(lambda: nx.Embedding(4, 2), np.full((5, 3), 2), _embedding),
        LayerCase(lambda: nx.Embedding(6, 2), np.array([5, 0, 5, 1]), _embedding),
        LayerCase(
            lambda: nx.Embedding(7, 2), _tokens[:, :, None].astype("uint8"), _embedding
        ),
    ],
    "Flatten": [
        LayerCase(
            nx.Flatten,
            random.standard_normal((2, 3, 4)),
            lambda torch, p, x: torch.flatten(x, 1),
        ),
        LayerCase(
            nx.Flatten,
            random.standard_normal((2, 3)),
            lambda torch, p, x: torch.flatten(x, 1),
        ),
    ],
    "Reshape": [
        LayerCase(
            lambda: nx.Reshape((2, -1)),
            random.standard_normal((3, 8)),
            lambda torch, p, x: x.reshape(3, 2, 4),
        ),
        LayerCase(
            lambda: nx.Reshape(1),
            random.standard_normal((1, 1, 1)),
            lambda torch, p, x: x.reshape(1, 1),
        ),
    ],
    "Rescaling": [
        LayerCase(
            lambda: nx.Rescaling(1 / 127.5, -1.0),
            random.integers(0, 256, (4, 3)).astype("float64"),
            lambda torch, p, x: x / 127.5 - 1,
        ),
        LayerCase(
            lambda: nx.Rescaling(-2.5),
            random.standard_normal((2, 3, 4)),
            lambda torch, p, x: x * -2.5,
        ),
        LayerCase(
            lambda: nx.Rescaling(0.0, 3.0),
            random.standard_normal((1, 1)),
            lambda torch, p, x: x * 0 + 3,
        ),
    ],
    "Sequential": [
        LayerCase(_make_block, random.standard_normal((5, 4)), _nested),
        LayerCase(
            lambda: nx.Sequential([nx.ReLU()]),
            away_from_zero((2, 3)),
            lambda torch, p, x: torch.relu(x),
        ),
        LayerCase(_make_deep, normal((5, 3)), _deep(False), _deep(True)),
        LayerCase(_make_sentence, (_tokens, _places), _sentence),
        LayerCase(_make_joined, (_tokens[:, 0], normal((3, 3))), _joined),
    ],
    "Residual": [
        _residual_case(nx.ReLU, "relu", 2 * normal((3, 4))),
        _residual_case(nx.Tanh, "tanh", normal((2, 3, 4))),
        LayerCase(
            lambda: nx.Residual(nx.Tanh()),
            normal((1, 1)),
            lambda torch, values, x: x + torch.tanh(x),
        ),
    ],
    "Parallel": [
        LayerCase(_make_branches, normal((5, 4)), _branches),
        LayerCase(
            lambda: nx.Parallel([nx.Rescaling(2.0), nx.Dense(3, 2)]),
            (normal((4, 2)), normal((4, 3))),
            _two_inputs,
        ),
        LayerCase(
            lambda: nx.Parallel([nx.Embedding(7, 2), nx.Embedding(7, 3)]),
            _tokens,
            lambda torch, values, ids: tuple(
                torch.nn.functional.embedding(ids.long(), values[f"{n}.weights"])
                for n in (0, 1)
            ),
        ),
    ],
    "Add": [
        LayerCase(
            nx.Add,
            (normal((4, 3)), normal((4, 3))),
            lambda torch, values, x: x[0] + x[1],
        ),
        LayerCase(
            nx.Add,
            tuple(normal((2, 1, 3)) for _ in range(3)),
            lambda torch, values, x: torch.stack(x).sum(dim=0),
        ),
        LayerCase(nx.Add, (normal((1, 1)),), lambda torch, values, x: x[0] * 1),
    ],
    "Concatenate": [
        LayerCase(
            nx.Concatenate,
            (normal((4, 3)), normal((4, 1)), normal((4, 2))),
            lambda torch, values, x: torch.cat(x, dim=-1),
        ),
        LayerCase(
            lambda: nx.Concatenate(1),
            (normal((2, 3, 4)), normal((2, 1, 4))),
            lambda torch, values, x: torch.cat(x, dim=1),
        ),
        LayerCase(
            lambda: nx.Concatenate(-2),
            (normal((2, 1, 2)), normal((2, 3, 2))),
            lambda torch, values, x: torch.cat(x, dim=-2),
        ),
    ],
}
