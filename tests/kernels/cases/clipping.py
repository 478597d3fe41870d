"""Gradient clipping, by value and by norm."""

import numpy as np

from nnfs_xp.kernels import references
from tests.kernels.cases.launch import HOST, Launch, unset

_random = np.random.default_rng(29)
BLOCK = (256,)
SMALLEST = {"float32": 2.0**-126, "float64": 2.0**-1022}
GRADIENTS = {
    "usual": _random.standard_normal(1000),
    "few": _random.standard_normal(7),
    "size 1": np.array([-3.0]),
    "empty": np.ones(0),
    "zeros": np.array([0.0, -0.0, 0.0]),
    "NaN": np.array([1.0, np.nan, 2.0]),
    "infinite": np.array([1.0, np.inf, 0.0, -np.inf]),
    "squares too large": np.array([1e30, -3e30, 0.0, 1.0]),
    "squares too small": np.array([3e-24, -4e-24]),
}
LIMITS = {"clipped": 0.5, "not clipped": 3e38, "small": 1e-25}
BLOCKS = {"one block": 1, "several blocks": 3}


def _parts(gradient, blocks, dtype):
    """Return scale and scaled sum of squares of what each block goes through."""
    smallest = SMALLEST[dtype]
    parts = np.empty((blocks, 2))
    for block in range(blocks):
        # Elements of a block are 256 neighbours of every round of the grid.
        own = gradient[np.arange(gradient.size) // 256 % blocks == block]
        own = own.astype("float64")
        scale = np.max(np.abs(own), initial=smallest)
        scale = min(scale, 1.0 / smallest)
        parts[block] = scale, np.sum((own / scale) ** 2)
    return parts


def _value(gradient, limit):
    def launch(dtype):
        g = gradient.astype(dtype)
        expected = np.clip(g, -limit, limit)
        arguments = [np.int64(g.size), g, unset(g.shape, dtype), np.float64(limit)]
        return Launch((2,), BLOCK, arguments, {2: expected})

    return launch


def _norm_parts(gradient, blocks, first):
    def launch(dtype):
        g = gradient.astype(dtype)
        parts = unset((first + blocks + 1, 2), "float64")
        expected = parts.copy()
        expected[first : first + blocks] = _parts(g, blocks, dtype)
        smallest = np.float64(SMALLEST[dtype])
        arguments = [np.int64(g.size), g, smallest, np.int64(first), parts]
        rtol = 1e-12 if dtype == "float64" else 1e-5
        return Launch((blocks,), BLOCK, arguments, {4: expected}, rtol)

    return launch


def _norm(gradient, limit, blocks):
    def launch(dtype):
        g = gradient.astype(dtype)
        reference = references()["clip_to_norm"]
        (expected,) = reference(HOST, limit, g.astype("float64"))
        smallest, parts = SMALLEST[dtype], _parts(g, blocks, dtype)
        arguments = [
            np.int64(g.size), g, unset(g.shape, dtype), np.float64(smallest),
            np.float64(limit), np.int64(blocks), parts,
        ]  # fmt: skip
        return Launch((2,), BLOCK, arguments, {2: expected.astype(dtype)})

    return launch


KERNELS = {
    "clip_to_value": {
        f"{kind}, {which}": _value(gradient, limit)
        for kind, gradient in GRADIENTS.items()
        for which, limit in LIMITS.items()
    },
    "clip_to_norm_parts": {
        f"{kind}, {which}": _norm_parts(gradient, blocks, first)
        for kind, gradient in GRADIENTS.items()
        for (which, blocks), first in zip(BLOCKS.items(), (0, 2), strict=True)
    },
    "clip_to_norm": {
        f"{kind}, {which}, {number}": _norm(gradient, limit, blocks)
        for kind, gradient in GRADIENTS.items()
        for which, limit in LIMITS.items()
        for number, blocks in {**BLOCKS, "more parts than threads": 300}.items()
    },
}
