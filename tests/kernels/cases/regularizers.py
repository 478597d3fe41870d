"""L1 and L2: the penalty, and its gradient."""

import numpy as np

from nnfs_xp.kernels import references
from tests.kernels.cases.launch import HOST, Launch, unset

_random = np.random.default_rng(31)
BLOCK = (256,)
PARAMETERS = {
    "usual": _random.standard_normal(1000),
    "few": _random.standard_normal(7),
    "size 1": np.array([-2.0]),
    "empty": np.ones(0),
    "zeros": np.array([0.0, -0.0]),
    "NaN": np.array([1.0, np.nan, -1.0]),
    "infinite": np.array([1.0, -np.inf]),
    "large": np.array([1e15, -1e15, 1.0]),
}
FACTORS = {"both": (0.3, 0.2), "L1": (0.3, 0.0), "L2": (0.0, 0.2), "none": (0.0, 0.0)}
BLOCKS = {"one block": 1, "several blocks": 3}


def _gradient(w, factors, mode):
    def launch(dtype):
        own, gradient = w.astype(dtype), np.cos(np.arange(w.size)).astype(dtype)
        expected = references()["add_l1l2_gradient"](
            HOST, gradient.astype("float64"), own.astype("float64"), *factors, mode
        )
        constants = [*map(np.float64, factors), np.bool_(mode == "book")]
        arguments = [np.int64(w.size), gradient, own, *constants]
        return Launch((2,), BLOCK, arguments, {1: expected.astype(dtype)})

    return launch


def _parts(w, factors, blocks):
    def launch(dtype):
        own = w.astype(dtype)
        expected = np.empty(blocks)
        for block in range(blocks):
            # Elements of a block are 256 neighbours of every round of the grid.
            part = own[np.arange(w.size) // 256 % blocks == block].astype("float64")
            expected[block] = references()["l1l2_penalty"](HOST, part, *factors)
        constants = map(np.float64, factors)
        arguments = [np.int64(w.size), own, *constants, unset(blocks, "float64")]
        rtol = 1e-12 if dtype == "float64" else 1e-5
        return Launch((blocks,), BLOCK, arguments, {4: expected}, rtol)

    return launch


def _sum(count):
    def launch(dtype):
        parts = _random.uniform(0, 1, count)
        expected = np.asarray(parts.sum(), dtype)
        arguments = [np.int64(count), parts, unset((), dtype)]
        return Launch((1,), BLOCK, arguments, {2: expected})

    return launch


KERNELS = {
    "add_l1l2_gradient": {
        f"{kind}, {which}, {mode}": _gradient(w, factors, mode)
        for kind, w in PARAMETERS.items()
        for which, factors in FACTORS.items()
        for mode in ("exact", "book")
    },
    "l1l2_penalty_parts": {
        f"{kind}, {which}, {number}": _parts(w, factors, blocks)
        for kind, w in PARAMETERS.items()
        for which, factors in FACTORS.items()
        for number, blocks in BLOCKS.items()
    },
    "l1l2_penalty": {f"{count} parts": _sum(count) for count in (1, 7, 256, 1000)},
}
