"""The base of layers with weights and biases: their settings and parameters."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_flag, check_seed_or_none
from nnfs_xp.constraints.base import constraint_or_none
from nnfs_xp.initializers import Initializer
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import resolve
from nnfs_xp.regularizers.base import regularizer_or_none


class _Weighted(Layer):
    """A product with weights, plus biases."""

    def _keep_settings(
        self,
        *,
        weight_initializer: Any,
        bias_initializer: Any,
        weight_regularizer: Any,
        bias_regularizer: Any,
        weight_constraint: Any,
        bias_constraint: Any,
        use_bias: Any,
        seed: Any,
    ) -> None:
        """Check and keep the arguments that `Dense` and convolutions share."""
        self.weight_initializer = resolve(
            "initializer", weight_initializer, "weight_initializer", Initializer
        )
        self.bias_initializer = resolve(
            "initializer", bias_initializer, "bias_initializer", Initializer
        )
        self.weight_regularizer = regularizer_or_none(
            weight_regularizer, "weight_regularizer"
        )
        self.bias_regularizer = regularizer_or_none(
            bias_regularizer, "bias_regularizer"
        )
        self.weight_constraint = constraint_or_none(
            weight_constraint, "weight_constraint"
        )
        self.bias_constraint = constraint_or_none(bias_constraint, "bias_constraint")
        self.use_bias = check_flag(use_bias, "use_bias")
        self.seed = check_seed_or_none(seed)

    def _declared(self, shape: tuple[int, ...]) -> dict[str, tuple[Any, ...]]:
        """Return initializer, shape, regularizer and constraint of both.

        There is a bias for each index of the last axis of the weights.
        """
        further = self.weight_regularizer, self.weight_constraint
        weights = {"weights": (self.weight_initializer, shape, *further)}
        if not self.use_bias:
            return weights
        further = self.bias_regularizer, self.bias_constraint
        biases = (self.bias_initializer, (1, shape[-1]), *further)
        return {**weights, "biases": biases}
