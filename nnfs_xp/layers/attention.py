"""Attention: every position takes from all others what it asks for."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count, check_flag, check_seed, check_share
from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.initializers import Initializer
from nnfs_xp.kernels import portable
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.dense import Dense
from nnfs_xp.layers.sequences import check_masked
from nnfs_xp.registry import register, resolve

# What a hidden score is replaced by: its exponential is 0.
_HIDDEN = -1e30


class _Attention(Layer):
    """What attention to the own sequence and to another one share."""

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
        self.seed = None if seed is None else check_seed(seed)

    def _dense(self, n_inputs: int, n_neurons: int) -> Dense:
        return Dense(
            n_inputs, n_neurons,
            use_bias=self.use_bias, weight_initializer=self.weight_initializer,
        )  # fmt: skip

    def _drop(self, cx: Context, queries: Array, keys: Array) -> Array | None:
        """Return what weights are multiplied with in training: 0, or 1 / kept."""
        if not (cx.training and self.dropout):
            return None
        kept = 1.0 - self.dropout
        (n, t), s = queries.shape[:2], keys.shape[1]
        noise = cx.random.bernoulli((n, self.n_heads, t, s), kept)
        return cx.xp.astype(noise, cx.be.dtype) * (1.0 / kept if kept else 0.0)


@register("layer")
class MultiHeadAttention(_Attention):
    """Self attention with several heads.

    Queries, keys and values are products with the inputs, of which each head has its
    own e = d / heads features. With the rows of one head::

        S = Q K^T / sqrt(e)        P = softmax(S)        H = P V
        [Q K V] = X W_qkv + b_qkv                        Y = [H_1 H_2 ...] W_out + b_out

    and backward, from the gradient of H::

        dV = P^T dH        dP = dH V^T        dS = P (dP - sum(dP P)) / sqrt(e)
        dQ = dS K          dK = dS^T Q

    A hidden position gets a weight of 0. If ``causal``, later positions are hidden from
    earlier ones. If ``masked``, the inputs are a tuple: the sequences, (n, t, d), and a
    mask, (n, t), with 1 for a position that is seen and 0 for one that is hidden from
    all. A `PaddingMask` makes one from ids. Where nothing is seen, H is 0.

    Parameters
    ----------
    n_features : int
        Length d of a row of inputs and of outputs.
    n_heads : int
        Number of heads, which divides `n_features`.
    causal : bool, default False
        Whether a position sees only itself and those before it.
    masked : bool, default False
        Whether there is a mask.
    dropout : float, default 0.0
        Share of the weights P that are set to 0 in training; the others grow by
        ``1 / (1 - dropout)``.
    use_bias : bool, default True
        Whether the four products have biases.
    weight_initializer : Initializer or str, default "glorot_uniform"
        Initial weights, that of Keras and PyTorch.
    seed : int, optional
        Seed of the draws of dropout; see `Dropout`.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    children : dict of str to Layer
        The products: ``qkv``, a `Dense` from d to 3 d features, and ``out``. The
        weights of ``qkv`` are PyTorch's ``in_proj_weight.T``, and GPT-2's
        ``c_attn.weight``.

    Raises
    ------
    InputError
        If an argument is out of its range, or inputs are not of shape (n, t,
        n_features).

    References
    ----------
    Vaswani et al., "Attention Is All You Need", NIPS 2017, section 3.2.

    Examples
    --------
    >>> from nnfs_xp import MultiHeadAttention
    >>> layer = MultiHeadAttention(2, 1, causal=True, dtype="float64")
    >>> layer.children["qkv"].weights = [[1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1]]
    >>> layer.children["out"].weights = [[1, 0], [0, 1]]
    >>> layer.forward([[[1.0, 0.0], [0.0, 1.0]]]).round(4)
    array([[[1.    , 0.    ],
            [0.3302, 0.6698]]])
    """

    def __init__(
        self,
        n_features: int,
        n_heads: int,
        *,
        causal: bool = False,
        masked: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(n_features, n_heads, **options)
        self.causal = check_flag(causal, "causal")
        self.masked = check_flag(masked, "masked")
        d = self.n_features
        self.children = {"qkv": self._dense(d, 3 * d), "out": self._dense(d, d)}
        self.integer_inputs = (False, True) if self.masked else False

    def fwd(self, cx: Context, x: Any) -> tuple[Array, Any]:
        """Return ``Y``; residuals are those of the products, and P."""
        x, mask = x if self.masked else (x, None)
        z, kept_qkv = cx["qkv"].fwd(x)
        drop = self._drop(cx, z, z)
        heads, p = attention(cx.be, (z,), self.n_heads, self.causal, mask, drop)
        y, kept_out = cx["out"].fwd(heads)
        return y, (kept_qkv, kept_out, z, p, drop)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Any:
        """Return ``dX``, with None for a mask."""
        kept_qkv, kept_out, z, p, drop = residuals
        dheads = cx["out"].bwd(kept_out, dy)
        (dz,) = attention_backward(cx.be, (z,), self.n_heads, p, drop, dheads)
        dx = cx["qkv"].bwd(kept_qkv, dz)
        return (dx, None) if self.masked else dx

    def output_shape(self, shape: Any) -> Any:
        """Return the shape of a sequence, without that of a mask."""
        return check_masked(self, shape, (self.n_features,), self.masked)[0]

    def __repr__(self) -> str:
        causal = ", causal=True" if self.causal else ""
        return f"MultiHeadAttention({self.n_features}, {self.n_heads}{causal})"


@register("layer")
class CrossAttention(_Attention):
    """Attention to another sequence, the context.

    Queries come from the inputs X, keys and values from a context C, which may have
    another length and other features::

        Q = X W_q + b_q        [K V] = C W_kv + b_kv

    All else is as in `MultiHeadAttention`, where nothing is causal. The context gets a
    gradient as the inputs do. Inputs are a tuple: the sequences, (n, t, d), their
    contexts, (n, s, n_context), and if ``masked``, a mask of the contexts, (n, s).

    Parameters
    ----------
    n_features : int
        Length d of a row of inputs and of outputs.
    n_heads : int
        Number of heads, which divides `n_features`.
    n_context : int, optional
        Length of a row of a context; `n_features` if not given.
    masked : bool, default False
        Whether there is a mask.
    dropout, use_bias, weight_initializer, seed : optional
        See `MultiHeadAttention`.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    children : dict of str to Layer
        The products ``q``, ``kv`` and ``out``, a `Dense` each.

    Raises
    ------
    InputError
        If an argument is out of its range, or inputs have other shapes.

    References
    ----------
    Vaswani et al., "Attention Is All You Need", NIPS 2017, section 3.2.3.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp import CrossAttention
    >>> layer = CrossAttention(4, 2, n_context=3)
    >>> layer.forward((np.ones((2, 5, 4)), np.ones((2, 7, 3)))).shape
    (2, 5, 4)
    """

    def __init__(
        self,
        n_features: int,
        n_heads: int,
        n_context: int | None = None,
        *,
        masked: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(n_features, n_heads, **options)
        d = self.n_features
        self.n_context = d if n_context is None else check_count(n_context, "n_context")
        self.masked = check_flag(masked, "masked")
        self.children = {
            "q": self._dense(d, d),
            "kv": self._dense(self.n_context, 2 * d),
            "out": self._dense(d, d),
        }
        self.integer_inputs = (False, False, True) if self.masked else (False, False)

    def fwd(self, cx: Context, x: Any) -> tuple[Array, Any]:
        """Return ``Y``; residuals are those of the products, and P."""
        x, context, mask = x if self.masked else (*x, None)
        q, kept_q = cx["q"].fwd(x)
        kv, kept_kv = cx["kv"].fwd(context)
        drop = self._drop(cx, q, kv)
        heads, p = attention(cx.be, (q, kv), self.n_heads, False, mask, drop)
        y, kept_out = cx["out"].fwd(heads)
        return y, (kept_q, kept_kv, kept_out, (q, kv), p, drop)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Any:
        """Return ``dX`` and the gradient of the context, with None for a mask."""
        kept_q, kept_kv, kept_out, parts, p, drop = residuals
        dheads = cx["out"].bwd(kept_out, dy)
        dq, dkv = attention_backward(cx.be, parts, self.n_heads, p, drop, dheads)
        both = cx["q"].bwd(kept_q, dq), cx["kv"].bwd(kept_kv, dkv)
        return (*both, None) if self.masked else both

    def output_shape(self, shape: Any) -> Any:
        """Return the shape of a sequence, without that of its context."""
        return check_masked(
            self, shape, (self.n_features, self.n_context), self.masked
        )[0]

    def __repr__(self) -> str:
        context = "" if self.n_context == self.n_features else f", {self.n_context}"
        return f"CrossAttention({self.n_features}, {self.n_heads}{context})"


@portable
def attention(
    be: Backend,
    parts: tuple[Array, ...],
    n_heads: int,
    causal: bool,
    mask: Array | None,
    drop: Array | None,
) -> tuple[Array, Array]:
    """Return what all heads see, shape (n, t, d), and their weights P.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    parts : tuple of array
        Queries, keys and values, side by side in one array, (n, t, 3 d), or queries,
        (n, t, d), and the others, (n, s, 2 d).
    n_heads : int
        Into so many heads each of them is cut.
    causal : bool
        Whether keys are hidden from queries before them.
    mask : array or None, shape (n, s)
        0 for a key that is hidden from all queries.
    drop : array or None, shape (n, n_heads, t, s)
        What P is multiplied with before the product.
    """
    xp, (q, k, v) = be.xp, heads_of(be, parts, n_heads, width_of(parts))
    scores = be.matmul(q, transposed(be, k)) * q.shape[-1] ** -0.5
    seen = seen_keys(be, scores.shape, causal, mask)
    if seen is not None:
        scores = xp.where(seen, scores, be.constant(_HIDDEN))
    p = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    if mask is not None:
        p = p * xp.astype(seen, p.dtype)
    # The largest of those that are seen counts 1; without one, all of them are 0.
    total = xp.maximum(xp.sum(p, axis=-1, keepdims=True), be.constant(1.0))
    p = p / total
    heads = be.matmul(p if drop is None else p * drop, v)
    return joined(be, (heads,)), p


@portable
def attention_backward(
    be: Backend,
    parts: tuple[Array, ...],
    n_heads: int,
    p: Array,
    drop: Array | None,
    dy: Array,
) -> tuple[Array, ...]:
    """Return the gradients of `parts`, given that of what the heads see.

    The other arguments are those of `attention`, and the weights that it returned.
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
    """Return each d features of some arrays by heads, of shape (n, n_heads, t, e)."""
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
    """Return arrays of heads side by side, as `heads_of` cuts them."""
    n, h, t, e = heads[0].shape
    side_by_side = [be.xp.permute_dims(one, (0, 2, 1, 3)) for one in heads]
    return be.xp.reshape(be.xp.stack(side_by_side, axis=2), (n, t, len(heads) * h * e))


def width_of(parts: tuple[Array, ...]) -> int:
    """Return the features of queries, and of keys, and of values."""
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
