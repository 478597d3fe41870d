"""Cases of ``random.cu``."""

from __future__ import annotations

import functools

import numpy as np

from nnfs_xp.engine.draws import draw
from nnfs_xp.layers.dropout import dropout
from nnfs_xp.random import Stream
from tests.kernels.cases.launch import HOST, Launch, unset

_random = np.random.default_rng(33)
_NULL = np.uint64(0)


def _drawn(count, seed, step, kept, dtype, on_device=None):
    x = _random.standard_normal(count).astype(dtype)
    stream = Stream(seed, "layers.1.noise", step)
    y, mask = dropout.reference(HOST, x.astype("float64"), stream, kept)
    arguments = [
        x, unset(count, dtype), unset(count, dtype), np.int64(count),
        np.uint64(stream.threshold(kept)),
        np.dtype(dtype).type(1 / kept if kept else 0),
        *_place(stream, on_device),
    ]  # fmt: skip
    return Launch((2,), (32,), arguments, {1: y, 2: mask})


def _place(stream, on_device):
    """Return the arguments that say where a stream is."""
    pointer = _NULL if on_device is None else np.array(stream.step, on_device)
    return (
        *map(np.uint64, stream.key), np.int64(99 if on_device else stream.step),
        pointer, np.int32(pointer.itemsize if on_device else 0),
    )  # fmt: skip


def _numbers(kind, count, own, dtype, on_device=None, seed=7, step=3):
    stream = Stream(seed, "layers.1.noise", step)
    expected = draw.reference(HOST, stream, (kind, (count,), *own))
    if kind == "bernoulli":
        own = [stream.threshold(*own)]
    fixed = expected.dtype if kind in ("bernoulli", "integers") else dtype
    arguments = [
        unset(count, fixed), np.int64(count), *map(np.uint64, own),
        *_place(stream, on_device),
    ]  # fmt: skip
    return Launch((2,), (32,), arguments, {0: expected})


def _of_kind(kind, *own):
    cases = {
        "usual": {"count": 1003},
        "one number": {"count": 1},
        "many steps": {"count": 77, "seed": 2**64 - 1, "step": 2**40},
        "step of int32": {"count": 99, "on_device": "int32"},
        "step of int64": {"count": 98, "on_device": "int64"},
    }
    return {
        name: lambda dtype, case=case: _numbers(kind, own=own, dtype=dtype, **case)
        for name, case in cases.items()
    }


def _given(count, kept, dtype):
    x = _random.standard_normal(count).astype(dtype)
    keep = _random.uniform(size=count) < kept
    y, mask = dropout.reference(HOST, x.astype("float64"), keep, kept)
    scale = np.dtype(dtype).type(1 / kept if kept else 0)
    arguments = [x, keep, unset(count, dtype), unset(count, dtype), np.int64(count)]
    return Launch((2,), (32,), [*arguments, scale], {2: y, 3: mask})


KERNELS = {
    "dropout": {
        "usual": functools.partial(_drawn, 1000, 7, 3, 0.8),
        "one element": functools.partial(_drawn, 1, 7, 0, 0.5),
        "many steps": functools.partial(_drawn, 77, 2**64 - 1, 2**40, 0.5),
        "nothing kept": functools.partial(_drawn, 40, 7, 3, 0.0),
        "all kept": functools.partial(_drawn, 40, 7, 3, 1.0),
        "step of int32": functools.partial(_drawn, 99, 7, 3, 0.5, on_device="int32"),
        "step of int64": functools.partial(_drawn, 99, 7, 3, 0.5, on_device="int64"),
    },
    "dropout_with": {
        "usual": functools.partial(_given, 100, 0.8),
        "nothing kept": functools.partial(_given, 20, 0.0),
    },
    "draw_bernoulli": _of_kind("bernoulli", 0.3),
    "draw_integers": _of_kind("integers", 10),
    "draw_uniform": _of_kind("uniform"),
    "draw_normal": _of_kind("normal"),
}
