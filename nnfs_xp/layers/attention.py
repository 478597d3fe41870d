"""Attention: the formula for all heads at once, and the base of its layers."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count, check_flag, check_seed_or_none, check_share
from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.initializers import Initializer
from nnfs_xp.kernels import portable
from nnfs_xp.kernels.constants import HIDDEN_SCORE
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.dense import Dense
from nnfs_xp.registry import resolve


class Attention(Layer):
    """Base of attention to the same sequence and to another one.

    It has the parameters of `MultiHeadAttention`.
    """

    def __init__(
        self,
        n_features: int,
        n_heads: int,
        *,
        dropout: float = 0.0,
        use_bias: bool = True,
        weight_initializer: Initializer | str | dict[str, Any] = "glorot_uniform",
        seed: int | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.n_features = check_count(n_features, "n_features")
        self.n_heads = check_count(n_heads, "n_heads")
        if self.n_features % self.n_heads:
            raise InputError(
                f"n_heads must divide n_features, {self.n_features}, got {n_heads}"
            )
        self.dropout = check_share(dropout, "dropout")
        self.use_bias = check_flag(use_bias, "use_bias")
        self.weight_initializer = resolve(
            "initializer", weight_initializer, "weight_initializer", Initializer
        )
        self.seed = check_seed_or_none(seed)

    def dense(self, n_inputs: int, n_neurons: int) -> Dense:
        """Return one of the products."""
        return Dense(
            n_inputs, n_neurons,
            use_bias=self.use_bias, weight_initializer=self.weight_initializer,
        )  # fmt: skip

    def drop(self, cx: Context, queries: Array, keys: Array) -> Array | None:
        """Return the factors of the weights in training: 0, or 1 / kept."""
        if not (cx.training and self.dropout):
            return None
        kept = 1.0 - self.dropout
        (n, t), s = queries.shape[:2], keys.shape[1]
        noise = cx.random.bernoulli((n, self.n_heads, t, s), kept)
        return cx.xp.astype(noise, cx.be.dtype) * (1.0 / kept if kept else 0.0)


@portable
def attention(
    be: Backend,
    parts: tuple[Array, ...],
    n_heads: int,
    causal: bool,
    mask: Array | None,
    drop: Array | None,
    training: bool,
) -> tuple[Array, Any]:
    """Return the outputs of all heads, shape (n, t, d), and their weights P.

    An implementation may round differently during and outside training.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    parts : tuple of array
        Queries, keys and values, side by side in one array, (n, t, 3 d), or queries,
        (n, t, d), and keys and values, (n, s, 2 d).
    n_heads : int
        Number of heads into which each of them is split.
    causal : bool
        Whether keys are hidden from earlier queries.
    mask : array or None, shape (n, s)
        0 for a key that is hidden from all queries.
    drop : array or None, shape (n, n_heads, t, s)
        Factors of P before the product.
    training : bool
        Whether the model is training.
    """
    xp, (q, k, v) = be.xp, heads_of(be, parts, n_heads, width_of(parts))
    scores = be.matmul(q, transposed(be, k)) * q.shape[-1] ** -0.5
    seen = seen_keys(be, scores.shape, causal, mask)
    if seen is not None:
        scores = xp.where(seen, scores, be.constant(HIDDEN_SCORE))
    top = xp.max(scores, axis=-1, keepdims=True)
    if mask is not None:
        some = xp.max(xp.astype(seen, scores.dtype), axis=-1, keepdims=True) > 0
        top = xp.where(some, top, be.zero)
    p = xp.exp(scores - top)
    # The largest visible score counts 1; if none is visible, all of them are 0.
    total = xp.maximum(xp.sum(p, axis=-1, keepdims=True), be.constant(1.0))
    p = p / total
    heads = be.matmul(p if drop is None else p * drop, v)
    return joined(be, (heads,)), p


@portable
def attention_backward(
    be: Backend,
    parts: tuple[Array, ...],
    n_heads: int,
    causal: bool,
    p: Any,
    drop: Array | None,
    dy: Array,
) -> tuple[Array, ...]:
    """Return the gradients of `parts`, given that of the outputs of the heads.

    `p` is the second result of `attention`, whose arguments are the others.
    """
    q, k, v = heads_of(be, parts, n_heads, width_of(parts))
    (dheads,) = heads_of(be, (dy,), n_heads, dy.shape[-1])
    dv = be.matmul(transposed(be, p if drop is None else p * drop), dheads)
    dp = be.matmul(dheads, transposed(be, v))
    if drop is not None:
        dp = dp * drop
    dscores = p * (dp - be.xp.sum(dp * p, axis=-1, keepdims=True))
    dscores *= q.shape[-1] ** -0.5
    dq, dk = be.matmul(dscores, k), be.matmul(transposed(be, dscores), q)
    if len(parts) == 1:
        return (joined(be, (dq, dk, dv)),)
    return joined(be, (dq,)), joined(be, (dk, dv))


def heads_of(
    be: Backend, parts: tuple[Array, ...], n_heads: int, d: int
) -> list[Array]:
    """Return each d features of the arrays by heads, shape (n, n_heads, t, e)."""
    xp, found = be.xp, []
    for array in parts:
        n, t, length = array.shape
        cut = xp.reshape(array, (n, t, length // d, n_heads, d // n_heads))
        found += [
            xp.permute_dims(cut[:, :, number, ...], (0, 2, 1, 3))
            for number in range(length // d)
        ]
    return found


def joined(be: Backend, heads: tuple[Array, ...]) -> Array:
    """Return the arrays of heads side by side, which reverses `heads_of`."""
    n, h, t, e = heads[0].shape
    side_by_side = [be.xp.permute_dims(one, (0, 2, 1, 3)) for one in heads]
    return be.xp.reshape(be.xp.stack(side_by_side, axis=2), (n, t, len(heads) * h * e))


def width_of(parts: tuple[Array, ...]) -> int:
    """Return the number of features of queries, which keys and values also have."""
    return sum(array.shape[-1] for array in parts) // 3


def transposed(be: Backend, matrices: Array) -> Array:
    """Return each matrix of an array transposed."""
    return be.xp.permute_dims(matrices, (0, 1, 3, 2))


def seen_keys(
    be: Backend, shape: tuple[int, ...], causal: bool, mask: Array | None
) -> Array | None:
    """Return where queries see keys, in a shape that fits scores; None: everywhere."""
    xp, seen = be.xp, None
    if causal:
        places = xp.arange(shape[-1], dtype=xp.int32, device=be.device)
        seen = (places[:, None] >= places[None, :])[None, None, :, :]
    if mask is not None:
        keys = (mask != 0)[:, None, None, :]
        seen = keys if seen is None else seen & keys
    return seen
