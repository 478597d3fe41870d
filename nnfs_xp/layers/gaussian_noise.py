"""Gaussian noise: in training, a random number is added to every input."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_rate, check_seed_or_none
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register


@register("layer")
class GaussianNoise(Layer):
    """Add Gaussian noise, ``y = x + stddev e``, in training, and ``y = x`` otherwise.

    The entries of ``e`` are drawn from the standard normal distribution, one for each
    input value. The gradient is ``dx = dy``. Inputs may have any shape. The noise
    depends only on the seed and the number of the training step: it is the same on
    every backend, and after saving and resuming.

    Parameters
    ----------
    stddev : float
        Standard deviation of the noise, 0 or more.
    seed : int, optional
        Seed of the noise; see `Dropout`.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If the deviation is negative or not finite.

    References
    ----------
    Bishop, "Training with noise is equivalent to Tikhonov regularization", Neural
    Computation 7 (1995). Keras has a layer of this name.

    Examples
    --------
    >>> from nnfs_xp import GaussianNoise
    >>> noise = GaussianNoise(0.1, seed=0, dtype="float64")
    >>> noise.forward([[1.0, 1.0, 1.0]]).round(2)
    array([[0.96, 0.82, 0.93]])
    >>> noise.forward([[1.0, 1.0, 1.0]], training=False)
    array([[1., 1., 1.]])
    """

    def __init__(self, stddev: float, *, seed: int | None = None, **where: Any) -> None:
        super().__init__(**where)
        self.stddev = check_rate(stddev, "stddev")
        self.seed = check_seed_or_none(seed)

    def fwd(self, cx: Context, x: Array) -> tuple[Array, tuple[()]]:
        """Return ``x + stddev e``; outside training, return the inputs."""
        if cx.training:
            x = x + self.stddev * cx.random.normal(tuple(x.shape))
        return x, ()

    def bwd(self, cx: Context, residuals: tuple[()], dy: Array) -> Array:
        """Return ``dy``."""
        return dy
