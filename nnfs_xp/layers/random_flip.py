"""Random flips: in training, some of the images are mirrored."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_choice, check_seed_or_none
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.pictures import by_sample, check_picture
from nnfs_xp.registry import register

# The axes of a batch that each mode flips.
_AXES = {"horizontal": (2,), "vertical": (1,), "horizontal_and_vertical": (2, 1)}
Flags = tuple[tuple[int, Array], ...]


@register("layer")
class RandomFlip(Layer):
    """Flip images at random, ``y[i, j] = x[i, width - 1 - j]``, in training.

    Each image is flipped independently, with probability 1/2 for each direction. The
    formula is that of a horizontal flip. The gradient is flipped in the same way:
    ``dx[i, j] = dy[i, width - 1 - j]``. Outside training, ``y = x``. The flips depend
    only on the seed and the number of the training step: they are the same on every
    backend, and after saving and resuming.

    Parameters
    ----------
    mode : {"horizontal_and_vertical", "horizontal", "vertical"}
        ``"horizontal"`` swaps left and right, ``"vertical"`` top and bottom.
    seed : int, optional
        Seed of the draws; see `Dropout`.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If the mode is unknown, or samples are not of shape (height, width) or
        (height, width, channels).

    References
    ----------
    Keras has a layer of this name with the same modes.

    Examples
    --------
    >>> from nnfs_xp import RandomFlip
    >>> flip = RandomFlip("horizontal", seed=1, dtype="float64")
    >>> flip.forward([[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]])[:, 0]
    array([[1., 2.],
           [4., 3.],
           [5., 6.]])
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        *,
        seed: int | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.mode = check_choice(mode, "mode", tuple(_AXES))
        self.seed = check_seed_or_none(seed)

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Flags]:
        """Return the flipped images, and which were flipped along which axis."""
        if not cx.training:
            return x, ()
        n, axes = x.shape[0], _AXES[self.mode]
        flags = tuple((axis, cx.random.bernoulli((n,), 0.5)) for axis in axes)
        return _flipped(cx, x, flags), flags

    def bwd(self, cx: Context, flags: Flags, dy: Array) -> Array:
        """Return ``dy``, flipped back."""
        return _flipped(cx, dy, flags) if cx.needs_dx else dy

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Return the same shape, if it is that of an image."""
        check_picture(self, shape)
        return shape


def _flipped(cx: Context, x: Array, flags: Flags) -> Array:
    for axis, flag in flags:
        x = cx.xp.where(by_sample(cx.be, flag, x.ndim), cx.xp.flip(x, axis=axis), x)
    return x
