"""Columns or rows of a bounded length."""

from __future__ import annotations

from nnfs_xp.arguments import check_positive
from nnfs_xp.backends import Array, Backend
from nnfs_xp.constraints.base import OfLengths
from nnfs_xp.registry import register


@register("constraint")
class MaxNorm(OfLengths):
    """Limit the norm of each column, ``w *= min(1, limit / |w|)``.

    ``|w|`` is the Euclidean norm of a column, that is, of all weights of a neuron. With
    ``of="rows"``, it is the norm of a row, such as the row of an id in an `Embedding`.
    Columns or rows with a smaller norm are unchanged.

    Parameters
    ----------
    limit : float, default 2.0
        Largest norm, above 0.
    of : {"columns", "rows"}, default "columns"
        Whether to limit the norms of columns or of rows. Keras's ``axis=0`` is
        ``"columns"``, and ``axis=1`` is ``"rows"``.

    Raises
    ------
    InputError
        If an argument is out of its range.

    References
    ----------
    Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting", JMLR 15, 2014, section 5.1. It is PyTorch's ``renorm``; Keras adds
    1e-7 to the norm by which it divides.

    Examples
    --------
    >>> from nnfs_xp import SGD, Dense, MaxNorm
    >>> layer = Dense(2, 2, weight_constraint=MaxNorm(2.0), dtype="float64")
    >>> layer.weights = [[3.0, 1.0], [4.0, 0.0]]
    >>> _ = layer.forward([[0.0, 0.0]]), layer.backward([[0.0, 0.0]])
    >>> SGD(1.0).step(layer)
    >>> layer.weights  # the norms before were 5 and 1
    array([[1.2, 1. ],
           [1.6, 0. ]])
    """

    def __init__(self, limit: float = 2.0, of: str = "columns") -> None:
        super().__init__(of)
        self.limit = check_positive(limit, "limit")

    def project(self, be: Backend, w: Array) -> Array:
        """Return columns or rows of `limit` at most."""
        xp, lengths = be.xp, self.lengths(be, w)
        # Not true of NaN, which so stays.
        return xp.where(lengths <= self.limit, w, w * (self.limit / lengths))
