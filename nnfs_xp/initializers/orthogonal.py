"""Initial weights that preserve lengths and angles."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.initializers.base import Initializer, matrix_of
from nnfs_xp.random import Stream
from nnfs_xp.registry import register


@register("initializer")
class Orthogonal(Initializer):
    """Random matrix with orthonormal columns, or orthonormal rows if it is wide.

    The matrix is drawn uniformly from all matrices with ``W^T W = gain^2 I`` if there
    are at least as many rows as columns, and from all matrices with
    ``W W^T = gain^2 I`` otherwise. A product of many square matrices with gain 1
    preserves the norm of a signal. The weights of a convolution are treated as a matrix
    with one column per filter.

    Parameters
    ----------
    gain : float, default 1.0
        Norm of the columns or rows; ``sqrt(2)`` is suitable for ReLU.

    Raises
    ------
    InputError
        If it is not a finite number.

    References
    ----------
    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks", 2014.

    Examples
    --------
    >>> from nnfs_xp import Dense, Orthogonal
    >>> layer = Dense(4, 2, weight_initializer=Orthogonal(), seed=0, dtype="float64")
    >>> abs(layer.weights.T @ layer.weights).round(9)
    array([[1., 0.],
           [0., 1.]])
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = check_number(gain, "gain")

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return a scaled matrix with orthonormal columns or rows."""
        matrix = stream.orthogonal(*matrix_of(shape))
        return self.gain * matrix.reshape(shape)
