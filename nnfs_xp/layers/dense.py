"""Dense layer: every output is a weighted sum of all inputs."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array
from nnfs_xp.constraints.base import Constraint
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.initializers import Initializer
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.products import (
    as_before,
    as_matrix,
    product,
    product_backward,
    sum_over_samples,
)
from nnfs_xp.layers.weighted import _Weighted
from nnfs_xp.registry import find, register, resolve_activation
from nnfs_xp.regularizers.base import Regularizer


@register("layer")
class Dense(_Weighted):
    """Dense layer, ``Y = X W + b``.

    Let ``dY`` be the gradient of the loss with respect to ``Y``::

        dX = dY W^T        dW = X^T dY        db = sum of dY over the samples

    Inputs with more axes, (n, ..., n_inputs), become (n, ..., n_neurons): every row
    along the last axis is a separate sample.

    Parameters
    ----------
    n_inputs, n_neurons : int
        Number of input and output features.
    weight_initializer : Initializer or str, default "he_normal"
        Initial weights. The book uses ``Normal(0.01)``.
    bias_initializer : Initializer or str, default "zeros"
        Initial biases.
    weight_regularizer, bias_regularizer : Regularizer or str, optional
        Penalties added to the loss of a model, such as ``L2(5e-4)``.
        ``backward`` adds their gradients to ``dweights`` and ``dbiases``.
    weight_constraint, bias_constraint : Constraint or str, optional
        Constraint applied after every optimizer step, such as ``MaxNorm(2.0)``.
    use_bias : bool, default True
        Whether to add biases.
    activation : Layer or str, optional
        The activation that follows. ``Dense(2, 3, activation="relu")`` means
        ``Dense(2, 3), ReLU()``: in a list of layers, it becomes these two layers; on
        its own, it becomes a `Sequential` of them.
    seed : int, optional
        Seed of the initial values. Without a seed, a layer used on its own draws new
        values in every run, and a layer inside a `Model` uses the model's seed.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    weights : array, shape (n_inputs, n_neurons)
    biases : array, shape (1, n_neurons)
        The biases may be set to an array of shape (n_neurons,).
    dweights, dbiases : array
        Their gradients, after ``backward``.

    Raises
    ------
    InputError
        If a size is not a positive integer, or the inputs of ``forward`` are
        not of shape (n, ..., n_inputs) with n > 0.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapters 3, 9 and 14.

    Examples
    --------
    >>> from nnfs_xp import Dense
    >>> layer = Dense(2, 3, dtype="float64")
    >>> layer.weights = [[1, 2, 3], [4, 5, 6]]
    >>> layer.forward([[1, 10]])
    array([[41., 52., 63.]])
    >>> layer.backward([[1, 1, 1]])
    array([[ 6., 15.]])
    """

    def __new__(cls, *arguments: Any, activation: Any = None, **options: Any) -> Any:
        """Return a layer, or a block of one and its activation."""
        if activation is None:
            return super().__new__(cls)
        units = (
            cls(*arguments, **options),
            resolve_activation(activation, "activation", Layer),
        )
        # By name, as chains are made of dense layers.
        block = find("layer", "Sequential")(units)
        block._stands_for = block.layers
        return block

    def __init__(
        self,
        n_inputs: int,
        n_neurons: int,
        *,
        weight_initializer: Initializer | str | dict[str, Any] = "he_normal",
        bias_initializer: Initializer | str | dict[str, Any] = "zeros",
        weight_regularizer: Regularizer | str | dict[str, Any] | None = None,
        bias_regularizer: Regularizer | str | dict[str, Any] | None = None,
        weight_constraint: Constraint | str | dict[str, Any] | None = None,
        bias_constraint: Constraint | str | dict[str, Any] | None = None,
        use_bias: bool = True,
        seed: int | None = None,
        activation: Layer | str | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.n_inputs = check_count(n_inputs, "n_inputs")
        self.n_neurons = check_count(n_neurons, "n_neurons")
        self._keep_settings(
            weight_initializer=weight_initializer,
            bias_initializer=bias_initializer,
            weight_regularizer=weight_regularizer,
            bias_regularizer=bias_regularizer,
            weight_constraint=weight_constraint,
            bias_constraint=bias_constraint,
            use_bias=use_bias,
            seed=seed,
        )

    def parameters(self) -> dict[str, tuple[Any, ...]]:
        """Return initializer, shape, regularizer and constraint of both."""
        return self._declared((self.n_inputs, self.n_neurons))

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return ``X W + b``; residuals are the operands of the product."""
        y, operands = product(cx, x if x.ndim == 2 else as_matrix(cx, x))
        if self.use_bias:
            y += cx.params["biases"]
        return y if x.ndim == 2 else as_before(cx, y, x.shape), operands

    def bwd(self, cx: Context, operands: Any, dy: Array) -> Array | None:
        """Write ``dW`` and ``db``, and return ``dX`` if it is needed."""
        dz = dy if dy.ndim == 2 else as_matrix(cx, dy)
        if cx.learns and self.use_bias:
            with cx.grads.beside(dz):
                db = sum_over_samples(cx.be, dz)
            cx.grads["biases"] = db
        dx = product_backward(cx, operands, dz)
        return dx if dy.ndim == 2 else as_before(cx, dx, dy.shape)

    def input_shape(self) -> tuple[int, ...]:
        """Return ``(n_inputs,)``."""
        return (self.n_inputs,)

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...]:
        """Return the shape with `n_neurons` as its last length."""
        if shape is not None and shape[-1:] != (self.n_inputs,):
            raise InputError(
                f"layers: {self!r} takes samples of shape ({self.n_inputs},), "
                f"got {shape}"
            )
        return (*(shape or ())[:-1], self.n_neurons)

    def __repr__(self) -> str:
        return f"Dense({self.n_inputs}, {self.n_neurons})"
