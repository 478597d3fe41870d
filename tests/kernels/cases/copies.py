"""Cases of ``copies.cu``."""

from __future__ import annotations

import functools

import numpy as np

from nnfs_xp.kernels.cupy.copies import COPIES
from tests.kernels.cases.launch import Launch, unset

_random = np.random.default_rng(48)


class _Copies(Launch):
    """Its arrays are known to the kernel by the addresses in a struct."""

    def addressed(self, given):
        """Return the struct with the addresses of these arrays."""
        table = np.zeros((), COPIES)
        values, targets = given[::2], given[1::2]
        for copy, value, target in zip(table["copy"], values, targets, strict=False):
            copy["from"], copy["to"] = value.ctypes.data, target.ctypes.data
            copy["count"] = value.size
        return [table[()]]


def _copied(sizes, dtype):
    values = [_random.standard_normal(size).astype(dtype) for size in sizes]
    values[0][0] = np.nan
    arguments = [a for value in values for a in (value, unset(value.shape, dtype))]
    expected = {2 * number + 1: value for number, value in enumerate(values)}
    return _Copies((2, len(sizes)), (32,), arguments, expected, rtol=0)


KERNELS = {
    "copy_arrays": {
        "usual": functools.partial(_copied, (5, 200, 1)),
        "one": functools.partial(_copied, (64,)),
        "as many as there may be": functools.partial(_copied, range(1, 25)),
    }
}
