"""Gradient clipping: by value, and by norm.

Both return new arrays and preserve the dtype and NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable

Slots = dict[str, Array]


def clip_by_value(be: Backend, gradients: Slots, limit: float) -> Slots:
    """Return every entry clipped to ``[-limit, limit]``."""
    return {
        key: clip_to_value(be, gradient, limit) for key, gradient in gradients.items()
    }


def clip_by_norm(be: Backend, gradients: Slots, limit: float) -> Slots:
    """Return the gradients times ``limit / max(norm, limit)``.

    The norm is the Euclidean norm of all entries of all slots together.
    """
    clipped = clip_to_norm(be, limit, *gradients.values())
    return dict(zip(gradients, clipped, strict=True))


@portable
def clip_to_value(be: Backend, gradient: Array, limit: float) -> Array:
    """Return every entry of one array clipped to ``[-limit, limit]``."""
    low, high = be.constant(-limit), be.constant(limit)
    return be.xp.minimum(be.xp.maximum(gradient, low), high)


@portable
def clip_to_norm(be: Backend, limit: float, *gradients: Array) -> tuple[Array, ...]:
    """Return arrays times ``limit / max(norm, limit)``, for the norm of all of them.

    Squares leave the range of float32 long before the entries do. The entries are
    therefore divided by the largest one, `scale`, before they are squared. With ``r``
    the root of the sum of these squares, the norm is ``scale * r``. Since this product
    could also be too large, it is never computed; instead, `scale` is compared with
    ``limit / r``.
    """
    xp = be.xp
    scale = _scale(be, gradients)
    scaled = [gradient / scale for gradient in gradients]
    total = be.zero
    for part in scaled:
        total = total + xp.sum(part * part)
    # At least 1, but for gradients that are all 0.
    root = xp.maximum(xp.sqrt(total), be.constant(1.0))
    allowed = limit / root
    # False for NaN, which therefore spreads to all entries, as in the formula.
    small_enough = scale <= allowed
    return tuple(
        xp.where(small_enough, gradient, part * allowed)
        for gradient, part in zip(gradients, scaled, strict=True)
    )


def _scale(be: Backend, gradients: Sequence[Array]) -> Array:
    """Return the largest magnitude, clipped so that its inverse is normal.

    Some compilers replace a division by multiplication with the inverse.
    """
    xp, smallest = be.xp, float(be.xp.finfo(be.dtype).smallest_normal)
    scale = be.constant(smallest)
    for gradient in gradients:
        if 0 in gradient.shape:
            # Layers without parameters have no largest entry.
            continue
        scale = xp.maximum(scale, xp.max(xp.abs(gradient)))
    return xp.minimum(scale, be.constant(1.0 / smallest))
