"""Implementations for JAX, each of a reference that a function of its own computes."""

from __future__ import annotations

from typing import Any

from nnfs_xp.kernels.registry import implements


@implements("add_at", "jax")
def add_at(be: Any, ids: Any, rows: Any, n_ids: int) -> Any:
    """Sum the rows by segments, in place of a product with zeros and ones."""
    import jax

    return jax.ops.segment_sum(rows, ids, n_ids)


@implements("scan", "jax")
def scan(be: Any, step: Any, carry: Any, inputs: Any, backward: bool) -> Any:
    """Let XLA compile one step, in the place of one for each position.

    By itself, outside of a function that is traced, it would compile at every call.
    """
    import jax

    if not isinstance(inputs[0], jax.core.Tracer):
        return NotImplemented
    return jax.lax.scan(step, carry, inputs, reverse=backward)[1]


_AXES = {3: ("NWC", "WIO", "NWC"), 4: ("NHWC", "HWIO", "NHWC")}


def _convolution(be: Any, x: Any, windows: Any, groups: int) -> Any:
    """Return XLA's convolution with such windows, a function of inputs and weights."""
    import jax

    def convolution(x: Any, w: Any) -> Any:
        return jax.lax.conv_general_dilated(
            x, w, windows.stride, windows.pads(x.shape[1:-1]),
            rhs_dilation=windows.dilation, dimension_numbers=_AXES[x.ndim],
            feature_group_count=groups, precision="highest",
        )  # fmt: skip

    return convolution


@implements("convolve", "jax")
def convolve(be: Any, x: Any, w: Any, windows: Any, groups: int) -> Any:
    """Compute by XLA's convolution, in the place of a sum of products.

    Of images with one channel that takes longer than the sum on a CPU.
    """
    if be.matmul_precision != "full" or x.shape[-1] == 1:
        return NotImplemented
    return _convolution(be, x, windows, groups)(x, w)


@implements("convolve_backward", "jax")
def convolve_backward(
    be: Any,
    x: Any,
    w: Any,
    dy: Any,
    windows: Any,
    groups: int,
    learns: bool,
    needs_dx: bool,
) -> Any:
    """Compute by the transposed convolutions, of each operand with the other fixed."""
    if be.matmul_precision != "full":
        return NotImplemented
    import jax

    convolution = _convolution(be, x, windows, groups)
    dw = dx = None
    if learns:
        (dw,) = jax.linear_transpose(lambda w: convolution(x, w), w)(dy)
    if needs_dx:
        (dx,) = jax.linear_transpose(lambda x: convolution(x, w), x)(dy)
    return dw, dx
