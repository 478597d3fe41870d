"""The base of convolutions along one and two axes."""

from __future__ import annotations

from typing import Any, ClassVar

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array
from nnfs_xp.constraints.base import Constraint
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.initializers import Initializer
from nnfs_xp.layers.convolve import convolve, convolve_backward
from nnfs_xp.layers.products import as_matrix, sum_over_samples
from nnfs_xp.layers.weighted import _Weighted
from nnfs_xp.layers.windows import (
    check_lengths,
    check_padding,
    checked_output,
    windows_of,
)
from nnfs_xp.regularizers.base import Regularizer

Lengths = int | tuple[int, ...]


class _Convolution(_Weighted):
    """A convolution along as many axes as the class defines."""

    _axes: ClassVar[int]

    def __init__(
        self,
        n_channels: int,
        n_filters: int,
        kernel_size: Lengths,
        *,
        stride: Lengths = 1,
        padding: str | Lengths = "valid",
        dilation: Lengths = 1,
        groups: int = 1,
        weight_initializer: Initializer | str | dict[str, Any] = "he_normal",
        bias_initializer: Initializer | str | dict[str, Any] = "zeros",
        weight_regularizer: Regularizer | str | dict[str, Any] | None = None,
        bias_regularizer: Regularizer | str | dict[str, Any] | None = None,
        weight_constraint: Constraint | str | dict[str, Any] | None = None,
        bias_constraint: Constraint | str | dict[str, Any] | None = None,
        use_bias: bool = True,
        seed: int | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.n_channels = check_count(n_channels, "n_channels")
        self.n_filters = check_count(n_filters, "n_filters")
        self.kernel_size = check_lengths(kernel_size, "kernel_size", self._axes)
        self.stride = check_lengths(stride, "stride", self._axes)
        self.padding = check_padding(padding, "padding", self._axes)
        self.dilation = check_lengths(dilation, "dilation", self._axes)
        self.groups = check_count(groups, "groups")
        if self.n_channels % self.groups or self.n_filters % self.groups:
            raise InputError(
                f"groups must divide n_channels {self.n_channels} and n_filters "
                f"{self.n_filters}, got {self.groups}"
            )
        self._windows = windows_of(
            self._axes, self.kernel_size, self.stride, self.padding, self.dilation
        )
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
        of_group = self.n_channels // self.groups
        return self._declared((*self._windows.size, of_group, self.n_filters))

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """Return the convolution plus the biases; only the inputs are kept."""
        y = self.product(cx, x)
        if self.use_bias:
            y += cx.params["biases"]
        return y, x

    def bwd(self, cx: Context, x: Array, dy: Array) -> Array | None:
        """Write ``dW`` and ``db``, and return ``dx`` if it is needed."""
        if cx.learns and self.use_bias:
            cx.grads["biases"] = sum_over_samples(cx.be, as_matrix(cx, dy))
        return self.product_backward(cx, x, dy)

    def product(self, cx: Context, x: Array) -> Array:
        """Return the convolution without biases."""
        return convolve(cx.be, x, cx.params["weights"], self._windows, self.groups)

    def product_backward(self, cx: Context, x: Array, dy: Array) -> Array | None:
        """Write ``dW`` if it is trained, and return ``dx`` if it is needed."""
        dw, dx = convolve_backward(
            cx.be, x, cx.params["weights"], dy, self._windows, self.groups,
            cx.learns, cx.needs_dx,
        )  # fmt: skip
        if cx.learns:
            cx.grads["weights"] = dw
        return dx

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Return the number of positions along each axis, and `n_filters`."""
        if shape is None:
            return None
        counts = checked_output(self, self._windows, shape, self.n_channels)
        return (*counts, self.n_filters)

    def __repr__(self) -> str:
        usual = {"stride": 1, "padding": "valid", "dilation": 1, "groups": 1}
        options = [
            f", {name}={getattr(self, name)!r}"
            for name, value in usual.items()
            if getattr(self, name) != value
        ]
        first = f"{self.n_channels}, {self.n_filters}, {self.kernel_size}"
        return f"{type(self).__name__}({first}{''.join(options)})"
