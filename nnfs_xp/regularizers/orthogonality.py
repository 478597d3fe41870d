"""A penalty for columns or rows that are not orthonormal."""

from __future__ import annotations

from nnfs_xp.arguments import check_choice, check_rate
from nnfs_xp.backends import Array, Backend
from nnfs_xp.registry import register
from nnfs_xp.regularizers.base import Regularizer

_PARTS = ("columns", "rows")


@register("regularizer")
class Orthogonality(Regularizer):
    """Orthogonality penalty, ``strength sum (W^T W - I)^2``.

    The penalty is the squared distance of ``W^T W`` from the identity. The gradient is
    ``4 strength W (W^T W - I)``. The penalty pulls the columns of ``W``, one for each
    neuron, towards length 1 and right angles; with ``of="rows"``, it pulls the rows. It
    cannot be 0 if there are more such vectors than each has elements.

    Parameters
    ----------
    strength : float, default 0.01
        Factor of the penalty, 0 or more.
    of : {"columns", "rows"}, default "columns"
        Whether the columns or the rows should be orthonormal.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Bansal, Chen and Wang, "Can We Gain More from Orthogonality Regularizations in
    Training Deep CNNs?", NeurIPS 2018, section 3.1. Keras's ``OrthogonalRegularizer``
    first divides each row by its length, and takes the mean magnitude of the products
    of two different rows.

    Examples
    --------
    >>> from nnfs_xp import Dense, Orthogonality
    >>> layer = Dense(2, 2, weight_regularizer=Orthogonality(0.25), dtype="float64")
    >>> layer.weights = [[1.0, 1.0], [0.0, 1.0]]
    >>> _ = layer.forward([[0.0, 0.0]]), layer.backward([[0.0, 0.0]])
    >>> layer.dweights  # W (W^T W - I)
    array([[1., 2.],
           [1., 1.]])
    """

    def __init__(self, strength: float = 0.01, of: str = "columns") -> None:
        self.strength = check_rate(strength, "strength")
        self.of = check_choice(of, "of", _PARTS)

    def penalty(self, be: Backend, w: Array) -> Array:
        """Return ``strength sum (W^T W - I)^2``."""
        _, excess = self._excess(be, w)
        return self.strength * be.xp.sum(excess * excess)

    def gradient(self, be: Backend, w: Array) -> Array:
        """Return ``4 strength W (W^T W - I)``."""
        matrix, excess = self._excess(be, w)
        gradient = (4.0 * self.strength) * be.full_matmul(matrix, excess)
        if self.of == "rows":
            gradient = be.xp.matrix_transpose(gradient)
        return be.xp.reshape(gradient, w.shape)

    def _excess(self, be: Backend, w: Array) -> tuple[Array, Array]:
        """Return the matrix whose columns are penalized, and its ``W^T W - I``."""
        xp = be.xp
        matrix = xp.reshape(w, (-1, w.shape[-1]))
        if self.of == "rows":
            matrix = xp.matrix_transpose(matrix)
        products = be.full_matmul(xp.matrix_transpose(matrix), matrix)
        one = xp.eye(products.shape[0], dtype=w.dtype, device=be.device)
        return matrix, products - one
