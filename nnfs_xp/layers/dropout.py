"""Dropout: in training, a random part of the inputs is set to 0."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_rate, check_seed_or_none
from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.kernels import portable
from nnfs_xp.layers.base import Layer
from nnfs_xp.random import Stream
from nnfs_xp.registry import register


@register("layer")
class Dropout(Layer):
    """Inverted dropout: ``y = x m`` in training, and ``y = x`` otherwise.

    Each entry of the mask ``m`` is 0 with probability `rate` and ``1 / (1 - rate)``
    otherwise, so that the expected value of every output is its input. The gradient is
    ``dx = dy m``. The mask depends only on the seed and the number of the training
    step: it is the same on every backend, and after saving and resuming.

    Parameters
    ----------
    rate : float
        Fraction of the inputs to drop, from 0 to 1. With 0, nothing is dropped. With 1,
        everything is dropped: outputs and gradients are then 0, whereas the book
        divides by 0.
    seed : int, optional
        Seed of the masks. Without a seed, a layer used on its own draws new masks in
        every run, and a layer inside a `Model` uses the model's seed.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    binary_mask : array
        The mask of the last call to ``forward``, under the book's name; None if this
        call was not in training mode.

    Raises
    ------
    InputError
        If the rate is not between 0 and 1.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout",
    JMLR 15 (2014); Kinsley and Kukiela, "Neural Networks from Scratch",
    chapter 15.

    Examples
    --------
    >>> from nnfs_xp import Dropout
    >>> dropout = Dropout(0.5, seed=2, dtype="float64")
    >>> dropout.forward([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
    array([[ 0.,  4.,  0.,  8., 10.,  0.]])
    >>> dropout.backward([[1.0, 1.0, 1.0, 1.0, 1.0, 1.0]])
    array([[0., 2., 0., 2., 2., 0.]])
    >>> dropout.forward([[1.0, 2.0, 3.0]], training=False)
    array([[1., 2., 3.]])
    """

    def __init__(self, rate: float, *, seed: int | None = None, **where: Any) -> None:
        super().__init__(**where)
        self._rate = check_rate(rate, "rate")
        if self._rate > 1:
            raise InputError(f"rate must be from 0 to 1, got {rate!r}")
        self.seed = check_seed_or_none(seed)

    @property
    def rate(self) -> float:
        """Fraction of the inputs to drop."""
        return self._rate

    @property
    def binary_mask(self) -> Array | None:
        """Mask of the last forward pass, None if nothing was dropped."""
        return self._residuals

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array | None]:
        """Return ``x m`` and the mask; outside training, return the inputs and None."""
        if not cx.training:
            return x, None
        kept = 1.0 - self._rate
        noise = cx.random.bernoulli_or_stream(tuple(x.shape), kept)
        return dropout(cx.be, x, noise, kept)

    def bwd(self, cx: Context, mask: Array | None, dy: Array) -> Array:
        """Return ``dy m``."""
        return dy if mask is None else dy * mask

    def config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return {"rate": self._rate, "seed": self.seed}


@portable
def dropout(
    be: Backend, x: Array, noise: Array | Stream, kept: float
) -> tuple[Array, Array]:
    """Return ``x m`` and the mask ``m``: ``1 / kept`` or 0.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    x : array
        The inputs.
    noise : array of bool or Stream
        Which inputs to keep, or the stream from which to draw this.
    kept : float
        The share of inputs that are kept; with 0 the mask is 0.
    """
    if isinstance(noise, Stream):
        noise = be.asarray(noise.bernoulli(tuple(x.shape), kept))
    mask = be.xp.astype(noise, x.dtype) * (1.0 / kept if kept > 0 else 0.0)
    return x * mask, mask
