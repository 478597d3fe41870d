"""Rescaling: a scale and an offset for all inputs."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.backends import Array
from nnfs_xp.engine.batching import rescaled
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register


@register("layer")
class Rescaling(Layer):
    """Rescale inputs, ``y = x scale + offset``.

    The gradient is ``dx = dy scale``. Inputs may have any shape. As the first layer,
    `Rescaling` maps the bytes of an image to a suitable range, so that a model can take
    images directly.

    Parameters
    ----------
    scale : float
        The factor, any finite number.
    offset : float, default 0.0
        The offset, any finite number.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If an argument is not a finite number.

    References
    ----------
    Keras has a layer of this name with the same arguments.

    Examples
    --------
    >>> from nnfs_xp import Rescaling
    >>> rescaling = Rescaling(1 / 127.5, -1.0, dtype="float64")
    >>> rescaling.forward([[0, 51, 255]])
    array([[-1. , -0.6,  1. ]])
    >>> rescaling.backward([[255.0, 0.0, -255.0]])
    array([[ 2.,  0., -2.]])
    """

    def __init__(self, scale: float, offset: float = 0.0, **where: Any) -> None:
        super().__init__(**where)
        self.scale = check_number(scale, "scale")
        self.offset = check_number(offset, "offset")

    def fwd(self, cx: Context, x: Array) -> tuple[Array, tuple[()]]:
        """Return ``x scale + offset``; there are no residuals."""
        return rescaled(cx.be, x, self.scale, self.offset), ()

    def bwd(self, cx: Context, residuals: tuple[()], dy: Array) -> Array:
        """Return ``dy scale``."""
        return dy * self.scale
