"""Self-attention: attention of a sequence to itself."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_flag
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.attention import Attention, attention, attention_backward
from nnfs_xp.layers.sequences import MASK, check_masked
from nnfs_xp.registry import register


@register("layer")
class MultiHeadAttention(Attention):
    """Self-attention with several heads.

    Queries, keys and values are products with the inputs, and each head uses e = d /
    heads of their features. For one head, with one row for each position::

        S = Q K^T / sqrt(e)        P = softmax(S)        H = P V
        [Q K V] = X W_qkv + b_qkv                        Y = [H_1 H_2 ...] W_out + b_out

    The backward pass starts from the gradient of H::

        dV = P^T dH        dP = dH V^T        dS = P (dP - sum(dP P)) / sqrt(e)
        dQ = dS K          dK = dS^T Q

    A hidden (masked) position has a weight of 0. If ``causal``, later positions are
    hidden from earlier positions. If ``masked``, the inputs are a tuple: the sequences,
    (n, t, d), and a mask, (n, t), with 1 or True for a visible position and 0 or False
    for one that is hidden from all positions, as in Keras; PyTorch's
    ``key_padding_mask`` is True where a position is hidden. `PaddingMask` computes such
    a mask from ids. If all positions are hidden, H is 0.

    Parameters
    ----------
    n_features : int
        Number d of input and output features.
    n_heads : int
        Number of heads, which must divide `n_features`.
    causal : bool, default False
        Whether each position attends only to itself and to earlier positions.
    masked : bool, default False
        Whether the inputs include a mask.
    dropout : float, default 0.0
        Fraction of the weights P that are set to 0 in training; the other weights are
        multiplied by ``1 / (1 - dropout)``.
    use_bias : bool, default True
        Whether the four products have biases.
    weight_initializer : Initializer or str, default "glorot_uniform"
        Initial weights; the default is that of Keras and PyTorch.
    seed : int, optional
        Seed of the dropout masks; see `Dropout`.
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
        If an argument is out of range, or inputs are not of shape (n, t, n_features).

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
        self.children = {"qkv": self.dense(d, 3 * d), "out": self.dense(d, d)}
        self.integer_inputs = (False, MASK) if self.masked else False

    def fwd(self, cx: Context, x: Any) -> tuple[Array, Any]:
        """Return ``Y``; residuals are those of the products, and P."""
        x, mask = x if self.masked else (x, None)
        z, kept_qkv = cx["qkv"].fwd(x)
        drop = self.drop(cx, z, z)
        arguments = (z,), self.n_heads, self.causal, mask, drop, cx.training
        heads, p = attention(cx.be, *arguments)
        y, kept_out = cx["out"].fwd(heads)
        return y, (kept_qkv, kept_out, z, p, drop)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Any:
        """Return ``dX``, with None for a mask."""
        kept_qkv, kept_out, z, p, drop = residuals
        dheads = cx["out"].bwd(kept_out, dy)
        given = (z,), self.n_heads, self.causal, p, drop, dheads
        (dz,) = attention_backward(cx.be, *given)
        dx = cx["qkv"].bwd(kept_qkv, dz)
        return (dx, None) if self.masked else dx

    def output_shape(self, shape: Any) -> Any:
        """Return the shape of a sequence, without that of a mask."""
        return check_masked(self, shape, (self.n_features,), self.masked)[0]

    def __repr__(self) -> str:
        causal = ", causal=True" if self.causal else ""
        return f"MultiHeadAttention({self.n_features}, {self.n_heads}{causal})"
