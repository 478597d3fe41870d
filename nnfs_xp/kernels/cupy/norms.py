"""Implementations of the normalizations; ``cuda/norms.cu``."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nnfs_xp.kernels.cupy.launch import (
    THREADS,
    column_width,
    empty,
    is_plain,
    launch,
    launch_rows,
)
from nnfs_xp.kernels.registry import implements

# Every block reads what all parts of its columns have.
_MOST_PARTS = 64


@implements("layer_norm", "cupy")
def layer_norm(
    be: Any, x: Any, gamma: Any, beta: Any, eps: float, training: bool
) -> Any:
    """Normalize each row in one launch."""
    if x.size == 0 or not is_plain(be, x, gamma, beta):
        return NotImplemented
    return _rows_normalized(be, x, gamma, beta, eps)


@implements("rms_norm", "cupy")
def rms_norm(be: Any, x: Any, gamma: Any, eps: float) -> Any:
    """Divide each row in one launch."""
    if x.size == 0 or not is_plain(be, x, gamma):
        return NotImplemented
    return _rows_normalized(be, x, gamma, None, eps)


def _rows_normalized(be: Any, x: Any, gamma: Any, beta: Any, eps: float) -> Any:
    k = x.shape[-1]
    y, normal = (empty(x.shape, be.dtype) for _ in range(2))
    factors = empty((*x.shape[:-1], 1), be.dtype)
    arguments = x, gamma, beta, y, normal, factors, be.dtype(eps)
    launch_rows(be, "layer_norm", x.size // k, k, *arguments)
    return y, (normal, factors)


@implements("layer_norm_backward", "cupy")
def layer_norm_backward(be: Any, residuals: Any, gamma: Any, dy: Any) -> Any:
    """Compute the gradient of the inputs in one launch, both sums in another."""
    if dy.size == 0 or not is_plain(be, *residuals, gamma, dy):
        return NotImplemented
    return _rows_backward(be, residuals, gamma, dy, True)


@implements("rms_norm_backward", "cupy")
def rms_norm_backward(be: Any, residuals: Any, gamma: Any, dy: Any) -> Any:
    """Compute the gradient of the inputs in one launch, the sum in another."""
    if dy.size == 0 or not is_plain(be, *residuals, gamma, dy):
        return NotImplemented
    return _rows_backward(be, residuals, gamma, dy, False)[:2]


def _rows_backward(be: Any, residuals: Any, gamma: Any, dy: Any, centred: bool) -> Any:
    (normal, factors), k = residuals, dy.shape[-1]
    n, dx = dy.size // k, empty(dy.shape, be.dtype)
    arguments = normal, factors, gamma, dy, dx, centred
    launch_rows(be, "layer_norm_backward", n, k, *arguments)
    return dx, *_gradients(be, normal, dy, centred)


def _gradients(be: Any, normal: Any, dy: Any, centred: bool = True) -> list[Any]:
    """Return the gradients of gain and shift, the second None if there is none."""
    k = dy.shape[-1]
    sums = [empty((k,), be.dtype) if one else None for one in (True, centred)]
    n, width = dy.size // k, column_width(k)
    launch(
        be, "layer_norm_gradients", n, normal, dy, *sums, n, k, width,
        grid=(-(-k // int(width)),), block=(1024,),
    )  # fmt: skip
    return sums


@implements("group_norm", "cupy")
def group_norm(be: Any, x: Any, gamma: Any, beta: Any, groups: int, eps: float) -> Any:
    """Normalize each group in one launch, by a block for each."""
    if not _fits(x, groups) or not is_plain(be, x, gamma, beta):
        return NotImplemented
    y, normal = (empty(x.shape, be.dtype) for _ in range(2))
    factors = empty((x.shape[0], 1, groups, 1), be.dtype)
    arguments = x, gamma, beta, y, normal, factors, be.dtype(eps)
    _launch_groups(be, "group_norm", x, groups, *arguments)
    return y, (normal, factors)


@implements("group_norm_backward", "cupy")
def group_norm_backward(
    be: Any, residuals: Any, gamma: Any, dy: Any, groups: int
) -> Any:
    """Compute the gradient of the inputs in one launch, both sums in another."""
    if not _fits(dy, groups) or not is_plain(be, *residuals, gamma, dy):
        return NotImplemented
    (normal, factors), dx = residuals, empty(dy.shape, be.dtype)
    arguments = normal, factors, gamma, dy, dx
    _launch_groups(be, "group_norm_backward", dy, groups, *arguments)
    return dx, *_gradients(be, normal, dy)


def _fits(x: Any, groups: int) -> bool:
    """Return whether groups have values, and both are few enough to be counted."""
    blocks = x.shape[0] * groups
    return 0 < x.size < 2**32 * blocks and blocks < 2**31


def _launch_groups(be: Any, name: str, x: Any, groups: int, *arguments: Any) -> None:
    n, k = x.shape[0], x.shape[-1]
    sizes = x.size // (n * k), k, np.int32(groups)
    launch(be, name, x.size, *arguments, *sizes, grid=(n * groups,))


@implements("batch_norm", "cupy")
def batch_norm(
    be: Any,
    x: Any,
    gamma: Any,
    beta: Any,
    mean: Any,
    variance: Any,
    momentum: float,
    eps: float,
) -> Any:
    """Normalize in two launches: the statistics of parts, and the rest."""
    given = gamma, beta, mean, variance
    if x.size == 0 or not is_plain(be, x, *given):
        return NotImplemented
    share = _Share.of(x)
    parts = empty((share.parts, share.k, 2), be.dtype)
    share.launch(be, "batch_norm_parts", x, parts)
    y, normal = (empty(x.shape, be.dtype) for _ in range(2))
    factors, *running = (empty((share.k,), be.dtype) for _ in range(3))
    options = be.dtype(momentum), be.dtype(eps)
    outputs = y, normal, factors, *running
    share.launch(be, "batch_norm", x, parts, *given, *outputs, *options)
    return y, (normal, factors), *running


@implements("batch_norm_backward", "cupy")
def batch_norm_backward(be: Any, residuals: Any, gamma: Any, dy: Any) -> Any:
    """Go back in two launches: the sums of parts, and the rest."""
    if dy.size == 0 or not is_plain(be, *residuals, gamma, dy):
        return NotImplemented
    share, (normal, factors) = _Share.of(dy), residuals
    parts = empty((share.parts, share.k, 2), be.dtype)
    share.launch(be, "batch_norm_sums", normal, dy, parts)
    dx = empty(dy.shape, be.dtype)
    sums = [empty((share.k,), be.dtype) for _ in range(2)]
    arguments = normal, factors, gamma, dy, parts, dx, *sums
    share.launch(be, "batch_norm_backward", *arguments)
    return dx, *sums


class _Share(NamedTuple):
    """How n rows of k columns are shared out: each block has some of both."""

    n: int
    k: int
    rows: int
    width: int

    @classmethod
    def of(cls, array: Any) -> _Share:
        k = array.shape[-1]
        n = array.size // k
        width = min(32, 1 << (k - 1).bit_length())
        # Two blocks for each of an H100's multiprocessors, but several rows a thread.
        most = min(_MOST_PARTS, max(1, 264 * width // k))
        least_rows = 4 * THREADS // width
        parts = max(1, min(most, n // least_rows))
        return cls(n, k, -(-n // parts), width)

    @property
    def parts(self) -> int:
        return -(-self.n // self.rows)

    def launch(self, be: Any, name: str, *arguments: Any) -> None:
        sizes = self.n, self.k, self.rows, np.int32(self.width)
        grid = -(-self.k // self.width), self.parts
        launch(be, name, self.n, *arguments, *sizes, grid=grid)
