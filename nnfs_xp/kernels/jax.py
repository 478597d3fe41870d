"""Implementations for JAX, each of a reference that a function of its own computes."""

from __future__ import annotations

from typing import Any

from nnfs_xp.kernels.registry import implements, references


@implements("add_at", "jax")
def add_at(be: Any, ids: Any, rows: Any, n_ids: int) -> Any:
    """Sum the rows by segments, in place of a product with zeros and ones."""
    import jax

    return jax.ops.segment_sum(rows, ids, n_ids)


@implements("scan", "jax")
def scan(be: Any, step: Any, carry: Any, inputs: Any, backward: bool) -> Any:
    """Let XLA compile one step, in place of one for each position.

    By itself, outside a function that is traced, it would compile at every call.
    """
    import jax

    if not isinstance(inputs[0], jax.core.Tracer):
        return NotImplemented
    return jax.lax.scan(step, carry, inputs, reverse=backward)[1]


_AXES = {3: ("NWC", "WIO", "NWC"), 4: ("NHWC", "HWIO", "NHWC")}


def _convolution(
    x: Any, w: Any, stride: Any, pads: Any, dilation: Any, groups: int
) -> Any:
    import jax

    return jax.lax.conv_general_dilated(
        x, w, stride, pads, rhs_dilation=dilation, dimension_numbers=_AXES[x.ndim],
        feature_group_count=groups, precision="highest",
    )  # fmt: skip


@implements("convolve", "jax")
def convolve(be: Any, x: Any, w: Any, windows: Any, groups: int) -> Any:
    """Compute by XLA's convolution, in place of a sum of products.

    Of images with one channel that takes longer than the sum on a CPU.
    """
    if be.matmul_precision != "full" or x.shape[-1] == 1:
        return NotImplemented
    pads = windows.pads(x.shape[1:-1])
    return _convolution(x, w, windows.stride, pads, windows.dilation, groups)


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
    """Compute by one product, and by a convolution like the one forward.

    XLA has both as transposed convolutions, which on a CPU take ten times as long
    within a loop over steps.
    """
    if be.matmul_precision != "full" or not x.size:
        return NotImplemented
    dw = _weights_backward(be, x, w, dy, windows, groups) if learns else None
    return dw, _inputs_backward(x, w, dy, windows, groups) if needs_dx else None


def _weights_backward(
    be: Any, x: Any, w: Any, dy: Any, windows: Any, groups: int
) -> Any:
    """Return the product of what lies below all places, side by side, and `dy`."""
    if groups > 1 or x.shape[-1] == 1:
        reference = references()["convolve_backward"]
        return reference(be, x, w, dy, windows, groups, True, False)[0]
    xp, lengths = be.xp, x.shape[1:-1]
    wide = xp.pad(x, ((0, 0), *windows.pads(lengths), (0, 0)))
    below = xp.concat([wide[key] for _, key in windows.places(lengths)], axis=-1)
    rows = xp.reshape(below, (-1, below.shape[-1]))
    product = be.matmul_over_rows(rows, xp.reshape(dy, (-1, dy.shape[-1])))
    return xp.reshape(product, w.shape)


def _inputs_backward(x: Any, w: Any, dy: Any, windows: Any, groups: int) -> Any:
    """Return the convolution of `dy`, a stride apart, with the weights turned around.

    A pixel gets from each place of the window the gradient of the position in which
    the pixel lay below it.
    """
    import jax

    axes, (channels, filters) = x.ndim - 2, w.shape[-2:]
    around = [(0, 0, 0)]
    for length, count, extent, step, (before, _) in zip(
        x.shape[1:-1], dy.shape[1:-1], windows.extent, windows.stride,
        windows.pads(x.shape[1:-1]), strict=True,
    ):  # fmt: skip
        apart = (count - 1) * step + 1
        around.append((extent - 1 - before, length - apart + before, step - 1))
    spread = jax.lax.pad(dy, jax.numpy.zeros((), dy.dtype), [*around, (0, 0, 0)])
    turned = jax.numpy.flip(w, tuple(range(axes)))
    turned = turned.reshape(*windows.size, channels, groups, filters // groups)
    turned = jax.numpy.moveaxis(turned, -1, axes)
    turned = jax.numpy.swapaxes(turned, -1, -2)
    turned = turned.reshape(*windows.size, filters // groups, groups * channels)
    one = (1,) * axes
    return _convolution(spread, turned, one, "VALID", windows.dilation, groups)
