"""Random translations: in training, images are moved by a few pixels."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_number, check_seed_or_none, check_share
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.pictures import check_picture, windows
from nnfs_xp.registry import register


@register("layer")
class RandomTranslation(Layer):
    """Shift each image at random, ``y[i, j] = x[i - down, j - right]``, in training.

    Both shifts are whole numbers of pixels, drawn independently for each image from
    ``-m`` to ``m``, where ``m`` is the factor times the size, rounded. Pixels that the
    shift uncovers have the value `fill_value`. The gradient is shifted back,
    ``dx[i, j] = dy[i + down, j + right]``, and is 0 for pixels that were shifted out of
    the image. Outside training, ``y = x``. The shifts depend only on the seed and the
    number of the training step: they are the same on every backend, and after saving
    and resuming.

    Parameters
    ----------
    height_factor, width_factor : float
        Largest shift, as a fraction of height and width, from 0 to 1.
    fill_value : float, default 0.0
        Value of the uncovered pixels.
    seed : int, optional
        Seed of the shifts; see `Dropout`.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If a factor is not from 0 to 1, or samples are not of shape (height, width) or
        (height, width, channels).

    References
    ----------
    Keras has a layer of this name, which also moves by fractions of a pixel.

    Examples
    --------
    >>> from nnfs_xp import RandomTranslation
    >>> shift = RandomTranslation(0.0, 0.34, seed=0, dtype="float64")
    >>> shift.forward([[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]])[:, 0]
    array([[0., 1., 2.],
           [5., 6., 0.]])
    """

    def __init__(
        self,
        height_factor: float,
        width_factor: float,
        *,
        fill_value: float = 0.0,
        seed: int | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.height_factor = check_share(height_factor, "height_factor")
        self.width_factor = check_share(width_factor, "width_factor")
        self.fill_value = check_number(fill_value, "fill_value")
        self.seed = check_seed_or_none(seed)

    def fwd(self, cx: Context, x: Array) -> tuple[Array, tuple[Array, ...] | None]:
        """Return the moved images, and the corners of their windows."""
        if not cx.training:
            return x, None
        n, size = x.shape[0], x.shape[1:3]
        factors = self.height_factor, self.width_factor
        most = [round(f * length) for f, length in zip(factors, size, strict=True)]
        top, left = (cx.random.integers((n,), 2 * m + 1) - m for m in most)
        return windows(cx.be, x, (top, left), size, self.fill_value), (top, left)

    def bwd(self, cx: Context, corners: Any, dy: Array) -> Array | None:
        """Return ``dy``, moved back."""
        if corners is None or not cx.needs_dx:
            return dy
        top, left = corners
        return windows(cx.be, dy, (-top, -left), dy.shape[1:3])

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Return the same shape, if it is that of an image."""
        check_picture(self, shape)
        return shape
