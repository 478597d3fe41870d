"""Embedding: a row of numbers for each id."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count, check_seed_or_none
from nnfs_xp.backends import Array, Backend
from nnfs_xp.constraints.base import Constraint, constraint_or_none
from nnfs_xp.engine.context import Context
from nnfs_xp.initializers import Initializer, Normal
from nnfs_xp.kernels import portable
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register, resolve
from nnfs_xp.regularizers.base import Regularizer, regularizer_or_none

_STANDARD_NORMAL = Normal(1.0)


@register("layer")
class Embedding(Layer):
    """Embedding of ids, ``y = W[ids]``: one row of weights for each id.

    The gradient of a row is the sum over all occurrences of its id::

        dW[k] = sum of dy[i] over all i with ids[i] = k

    Ids have no gradient. They are kept as integers, even if they are large. The array
    of ids may have any number of axes: (n, t) becomes (n, t, n_outputs).

    Parameters
    ----------
    n_ids : int
        Number of ids, which range from 0 to ``n_ids - 1``.
    n_outputs : int
        Number of output features, the length of a row.
    weight_initializer : Initializer or str, default Normal(1.0)
        Initial weights; the default is PyTorch's.
    weight_regularizer : Regularizer or str, optional
        Penalty added to the loss of a model.
    weight_constraint : Constraint or str, optional
        Constraint applied after every optimizer step, such as ``UnitNorm("rows")``.
    seed : int, optional
        Seed of the initial weights; see `Dense`.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    weights : array, shape (n_ids, n_outputs)
    dweights : array
        Their gradient, after ``backward``.

    Raises
    ------
    InputError
        If a size is not a positive integer, or an id is out of range.
    DTypeError
        If ids are not integers.

    References
    ----------
    Bengio, Ducharme, Vincent and Jauvin, "A Neural Probabilistic Language Model", JMLR
    3 (2003).

    Examples
    --------
    >>> from nnfs_xp import Embedding
    >>> layer = Embedding(3, 2, dtype="float64")
    >>> layer.weights = [[0, 1], [2, 3], [4, 5]]
    >>> layer.forward([[2, 0, 2]])
    array([[[4., 5.],
            [0., 1.],
            [4., 5.]]])
    >>> _ = layer.backward([[[1, 1], [2, 2], [3, 3]]])
    >>> layer.dweights
    array([[2., 2.],
           [0., 0.],
           [4., 4.]])
    """

    def __init__(
        self,
        n_ids: int,
        n_outputs: int,
        *,
        weight_initializer: Initializer | str | dict[str, Any] = _STANDARD_NORMAL,
        weight_regularizer: Regularizer | str | dict[str, Any] | None = None,
        weight_constraint: Constraint | str | dict[str, Any] | None = None,
        seed: int | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.n_ids = check_count(n_ids, "n_ids")
        self.n_outputs = check_count(n_outputs, "n_outputs")
        self.weight_initializer = resolve(
            "initializer", weight_initializer, "weight_initializer", Initializer
        )
        self.weight_regularizer = regularizer_or_none(
            weight_regularizer, "weight_regularizer"
        )
        self.weight_constraint = constraint_or_none(
            weight_constraint, "weight_constraint"
        )
        self.seed = check_seed_or_none(seed)
        self.integer_inputs = self.n_ids

    def parameters(self) -> dict[str, tuple[Any, ...]]:
        """Return initializer, shape, regularizer and constraint of the weights."""
        shape = self.n_ids, self.n_outputs
        further = self.weight_regularizer, self.weight_constraint
        return {"weights": (self.weight_initializer, shape, *further)}

    def fwd(self, cx: Context, ids: Array) -> tuple[Array, Array]:
        """Return the rows of the ids, and the ids."""
        flat = cx.xp.reshape(ids, (-1,))
        rows = cx.xp.take(cx.params["weights"], flat, axis=0)
        return cx.xp.reshape(rows, (*ids.shape, self.n_outputs)), flat

    def bwd(self, cx: Context, flat: Array, dy: Array) -> None:
        """Write the sum of ``dy`` for each id; ids have no gradient."""
        if cx.learns:
            rows = cx.xp.reshape(dy, (-1, self.n_outputs))
            cx.grads["weights"] = add_at(cx.be, flat, rows, self.n_ids)

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Return the shape of the ids, followed by the length of a row."""
        return None if shape is None else (*shape, self.n_outputs)

    def __repr__(self) -> str:
        return f"Embedding({self.n_ids}, {self.n_outputs})"


@portable
def add_at(be: Backend, ids: Array, rows: Array, n_ids: int) -> Array:
    """Return the sum of the rows of each id, shape (n_ids, k).

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    ids : array of int, shape (n,)
        From 0 to ``n_ids - 1``.
    rows : array, shape (n, k)
    n_ids : int
        Number of ids.
    """
    xp = be.xp
    numbers = xp.arange(n_ids, dtype=ids.dtype, device=be.device)
    hot = xp.astype(numbers[:, None] == ids[None, :], rows.dtype)
    return be.full_matmul(hot, rows)
