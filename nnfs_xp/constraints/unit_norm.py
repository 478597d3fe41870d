"""Columns or rows of length 1."""

from __future__ import annotations

from nnfs_xp.backends import Array, Backend
from nnfs_xp.constraints.base import OfLengths
from nnfs_xp.registry import register


@register("constraint")
class UnitNorm(OfLengths):
    """Scale each column to norm 1, ``w /= |w|``.

    ``|w|`` is the Euclidean norm of a column, that is, of all weights of a neuron. With
    ``of="rows"``, it is the norm of a row. Columns or rows with a norm of 0 are
    unchanged.

    Parameters
    ----------
    of : {"columns", "rows"}, default "columns"
        Whether to scale columns or rows. Keras's ``axis=0`` is ``"columns"``, and
        ``axis=1`` is ``"rows"``.

    Raises
    ------
    InputError
        If the choice is unknown.

    References
    ----------
    Keras's ``UnitNorm``, which adds 1e-7 to the norm. It is PyTorch's ``normalize``.

    Examples
    --------
    >>> from nnfs_xp import SGD, Dense, UnitNorm
    >>> layer = Dense(2, 1, weight_constraint=UnitNorm(), dtype="float64")
    >>> layer.weights = [[3.0], [4.0]]
    >>> _ = layer.forward([[0.0, 0.0]]), layer.backward([[0.0]])
    >>> SGD(1.0).step(layer)
    >>> layer.weights
    array([[0.6],
           [0.8]])
    """

    def __init__(self, of: str = "columns") -> None:
        super().__init__(of)

    def project(self, be: Backend, w: Array) -> Array:
        """Return columns or rows of length 1."""
        xp, lengths = be.xp, self.lengths(be, w)
        return w / xp.where(lengths == 0.0, be.constant(1.0), lengths)
