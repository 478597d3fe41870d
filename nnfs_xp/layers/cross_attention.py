"""Attention of a sequence to another one."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count, check_flag
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.attention import Attention, attention, attention_backward
from nnfs_xp.layers.sequences import MASK, check_masked
from nnfs_xp.registry import register


@register("layer")
class CrossAttention(Attention):
    """Attention to another sequence, the context.

    Queries are computed from the inputs X, and keys and values from a context C, which
    may have a different length and number of features::

        Q = X W_q + b_q        [K V] = C W_kv + b_kv

    The rest is as in `MultiHeadAttention` without ``causal``. Both the inputs and the
    context receive a gradient. The layer takes a tuple of arrays: sequences of shape
    (n, t, d), contexts of shape (n, s, n_context) and, if ``masked``, a mask of the
    contexts of shape (n, s).

    Parameters
    ----------
    n_features : int
        Number d of input and output features.
    n_heads : int
        Number of heads, which must divide `n_features`.
    n_context : int, optional
        Number of features of the context; `n_features` if not given.
    masked : bool, default False
        Whether the inputs include a mask.
    dropout, use_bias, weight_initializer, seed : optional
        See `MultiHeadAttention`.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    children : dict of str to Layer
        The products ``q``, ``kv`` and ``out``, each a `Dense`.

    Raises
    ------
    InputError
        If an argument is out of range, or the shapes of the inputs do not match.

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
            "q": self.dense(d, d),
            "kv": self.dense(self.n_context, 2 * d),
            "out": self.dense(d, d),
        }
        self.integer_inputs = (False, False, MASK) if self.masked else (False, False)

    def fwd(self, cx: Context, x: Any) -> tuple[Array, Any]:
        """Return ``Y``; residuals are those of the products, and P."""
        x, context, mask = x if self.masked else (*x, None)
        q, kept_q = cx["q"].fwd(x)
        kv, kept_kv = cx["kv"].fwd(context)
        drop = self.drop(cx, q, kv)
        arguments = (q, kv), self.n_heads, False, mask, drop, cx.training
        heads, p = attention(cx.be, *arguments)
        y, kept_out = cx["out"].fwd(heads)
        return y, (kept_q, kept_kv, kept_out, (q, kv), p, drop)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Any:
        """Return ``dX`` and the gradient of the context, with None for a mask."""
        kept_q, kept_kv, kept_out, parts, p, drop = residuals
        dheads = cx["out"].bwd(kept_out, dy)
        given = parts, self.n_heads, False, p, drop, dheads
        dq, dkv = attention_backward(cx.be, *given)
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
