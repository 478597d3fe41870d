"""A transformer block: attention, and a network applied to each position."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count, check_flag, check_share
from nnfs_xp.engine.context import Context
from nnfs_xp.initializers import Initializer
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.dense import Dense
from nnfs_xp.layers.dropout import Dropout
from nnfs_xp.layers.layer_norm import LayerNorm
from nnfs_xp.layers.multi_head_attention import MultiHeadAttention
from nnfs_xp.layers.residual import Residual
from nnfs_xp.layers.sequences import check_masked
from nnfs_xp.layers.sequential import Sequential
from nnfs_xp.registry import register, resolve, resolve_activation


@register("layer")
class TransformerBlock(Layer):
    """Two residual blocks: attention, and a network applied to each position.

    The inputs of both parts are normalized, as in GPT-2::

        r = x + dropout(attention(norm_1(x)))
        y = r + dropout(W_2 activation(W_1 norm_2(r) + b_1) + b_2)

    The gradient passes back through the second block and then through the first::

        dr = dy + network'(dy)        dx = dr + norm_1'(attention'(dr))

    All parts are separate layers; a `Sequential` of them allows other arrangements. If
    ``masked``, both the inputs and the outputs are a tuple of sequences and mask; see
    `MultiHeadAttention`.

    Parameters
    ----------
    n_features : int
        Number of input and output features.
    n_heads : int
        Number of heads, which must divide `n_features`.
    n_hidden : int, optional
        Number of hidden neurons of the network; four times `n_features` if not given.
    causal, masked : bool, default False
        See `MultiHeadAttention`.
    dropout : float, default 0.0
        Dropout rate of the outputs of both parts and of the attention weights.
    activation : Layer or str, default "gelu"
        The activation of the network. GPT-2 uses ``GELU("tanh")``.
    eps : float, default 1e-5
        See `LayerNorm`.
    use_bias : bool, default True
        Whether the products have biases.
    weight_initializer : Initializer or str, default "glorot_uniform"
        Initial weights of all products.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If an argument is out of range, or inputs are not of shape (n, t, n_features).

    References
    ----------
    Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, section
    2.3.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp import TransformerBlock
    >>> block = TransformerBlock(8, 2, causal=True)
    >>> block.forward(np.ones((3, 5, 8))).shape
    (3, 5, 8)
    >>> list(block.children)
    ['norm', 'attention', 'dropout', 'network']
    """

    def __init__(
        self,
        n_features: int,
        n_heads: int,
        *,
        n_hidden: int | None = None,
        causal: bool = False,
        masked: bool = False,
        dropout: float = 0.0,
        activation: Layer | str | dict[str, Any] = "gelu",
        eps: float = 1e-5,
        use_bias: bool = True,
        weight_initializer: Initializer | str | dict[str, Any] = "glorot_uniform",
        **where: Any,
    ) -> None:
        super().__init__(**where)
        d = self.n_features = check_count(n_features, "n_features")
        self.n_heads = check_count(n_heads, "n_heads")
        self.n_hidden = 4 * d if n_hidden is None else check_count(n_hidden, "n_hidden")
        self.causal = check_flag(causal, "causal")
        self.masked = check_flag(masked, "masked")
        self.dropout = check_share(dropout, "dropout")
        self.activation = resolve_activation(activation, "activation", Layer)
        self.weight_initializer = resolve(
            "initializer", weight_initializer, "weight_initializer", Initializer
        )
        products: dict[str, Any] = {
            "use_bias": use_bias,
            "weight_initializer": self.weight_initializer,
        }
        attention = MultiHeadAttention(
            d, n_heads, causal=causal, masked=masked, dropout=dropout, **products
        )
        self.eps, self.use_bias = LayerNorm(d, eps).eps, attention.use_bias

        def dropped() -> Layer:
            rate = self.dropout
            return Dropout(rate) if rate else resolve("layer", "linear", "dropout")

        network = [
            LayerNorm(d, eps),
            Dense(d, self.n_hidden, **products),
            self.activation,
            Dense(self.n_hidden, d, **products),
            dropped(),
        ]
        self.children = {
            "norm": LayerNorm(d, eps),
            "attention": attention,
            "dropout": dropped(),
            "network": Residual(Sequential(network)),
        }
        self.integer_inputs = attention.integer_inputs

    def fwd(self, cx: Context, x: Any) -> tuple[Any, Any]:
        """Return the output of both blocks, with the mask if there is one."""
        x, mask = x if self.masked else (x, None)
        z, kept_norm = cx["norm"].fwd(x)
        z, kept_attention = cx["attention"].fwd((z, mask) if self.masked else z)
        z, kept_dropout = cx["dropout"].fwd(z)
        y, kept_network = cx["network"].fwd(x + z)
        kept = kept_norm, kept_attention, kept_dropout, kept_network
        return (y, mask) if self.masked else y, kept

    def bwd(self, cx: Context, kept: Any, dy: Any) -> Any:
        """Return ``dx``, with None for a mask."""
        kept_norm, kept_attention, kept_dropout, kept_network = kept
        dr = cx["network"].bwd(kept_network, dy[0] if self.masked else dy)
        dz = cx["dropout"].bwd(kept_dropout, dr)
        dz = cx["attention"].bwd(kept_attention, dz)
        dx = dr + cx["norm"].bwd(kept_norm, dz[0] if self.masked else dz)
        return (dx, None) if self.masked else dx

    def output_shape(self, shape: Any) -> Any:
        """Return the same shape, or shapes, if they are those of the inputs."""
        shapes = check_masked(self, shape, (self.n_features,), self.masked)
        return shapes if self.masked else shapes[0]

    def __repr__(self) -> str:
        causal = ", causal=True" if self.causal else ""
        return f"TransformerBlock({self.n_features}, {self.n_heads}{causal})"
