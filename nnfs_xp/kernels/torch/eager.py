"""What the implementations for eager steps share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from nnfs_xp.kernels.registry import Function, implements

# A step with fewer is bound by its calls, and better recorded.
MANY_VALUES = 2**15


def implements_eager(name: str) -> Callable[[Function], Function]:
    """Return a decorator that registers an implementation for eager steps.

    A compiler gets the reference, whose operations it fuses. It would not fuse a
    function of ATen with its neighbours.
    """

    def enter(function: Function) -> Function:
        @functools.wraps(function)
        def call(*arguments: Any) -> Any:
            if torch.compiler.is_dynamo_compiling():
                return NotImplemented
            return function(*arguments)

        implements(name, "torch")(call)
        return function

    return enter


@functools.lru_cache(maxsize=256)
def number(value: float, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Return a number as an array without axes.

    PyTorch takes one and a half microseconds to make one of a Python number.
    """
    return torch.tensor(value, dtype=dtype, device=device)


def may_look_at(*arrays: torch.Tensor) -> bool:
    """Return whether an implementation may ask for values of arrays.

    A GPU would have to be waited for, and a step that looks cannot be recorded.
    """
    on_cpu = all(array.device.type == "cpu" for array in arrays)
    return on_cpu and sum(array.numel() for array in arrays) >= MANY_VALUES
