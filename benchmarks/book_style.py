"""A network as the book "Neural Networks from Scratch" builds it, in NumPy.

Written for this benchmark in the manner of the book: objects that keep what
they saw in attributes, a backward method that copies the incoming gradient
and indexes it with ``range``, an optimizer that stores its moments on the
layers. Nothing is tuned, and nothing is slowed down.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class DenseLayer:
    """Weighted sums of all inputs."""

    def __init__(self, weights: np.ndarray, biases: np.ndarray) -> None:
        self.weights = weights
        self.biases = biases

    def forward(self, inputs: np.ndarray) -> None:
        """Leave the sums in ``output``."""
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues: np.ndarray) -> None:
        """Leave the gradients of weights, biases and inputs on the layer."""
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)


class ReluActivation:
    """Whatever is positive passes."""

    def forward(self, inputs: np.ndarray) -> None:
        """Leave the positive part in ``output``."""
        self.inputs = inputs
        self.output = np.maximum(0, inputs)

    def backward(self, dvalues: np.ndarray) -> None:
        """Clear the gradient where the input was not positive."""
        self.dinputs = dvalues.copy()
        self.dinputs[self.inputs <= 0] = 0


class SoftmaxWithLoss:
    """Softmax and categorical cross-entropy, differentiated together."""

    def forward(self, inputs: np.ndarray, y_true: np.ndarray) -> float:
        """Leave probabilities in ``output``, and return the mean loss."""
        exponentials = np.exp(inputs - np.max(inputs, axis=1, keepdims=True))
        self.output = exponentials / np.sum(exponentials, axis=1, keepdims=True)
        samples = len(self.output)
        clipped = np.clip(self.output, 1e-7, 1 - 1e-7)
        confidences = clipped[range(samples), y_true]
        return np.mean(-np.log(confidences))

    def backward(self, dvalues: np.ndarray, y_true: np.ndarray) -> None:
        """Leave the gradient of the logits in ``dinputs``."""
        samples = len(dvalues)
        self.dinputs = dvalues.copy()
        self.dinputs[range(samples), y_true] -= 1
        self.dinputs = self.dinputs / samples


class AdamOptimizer:
    """Adam, with moments that live on the layers."""

    def __init__(
        self,
        learning_rate: float = 0.001,
        decay: float = 0.0,
        epsilon: float = 1e-7,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
    ) -> None:
        self.learning_rate = learning_rate
        self.current_learning_rate = learning_rate
        self.decay = decay
        self.iterations = 0
        self.epsilon = epsilon
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def pre_update_params(self) -> None:
        """Let the learning rate decay, once for each step."""
        if self.decay:
            self.current_learning_rate = self.learning_rate / (
                1.0 + self.decay * self.iterations
            )

    def update_params(self, layer: Any) -> None:
        """Move the weights and biases of one layer."""
        if not hasattr(layer, "weight_cache"):
            layer.weight_momentums = np.zeros_like(layer.weights)
            layer.weight_cache = np.zeros_like(layer.weights)
            layer.bias_momentums = np.zeros_like(layer.biases)
            layer.bias_cache = np.zeros_like(layer.biases)

        layer.weight_momentums = (
            self.beta_1 * layer.weight_momentums + (1 - self.beta_1) * layer.dweights
        )
        layer.bias_momentums = (
            self.beta_1 * layer.bias_momentums + (1 - self.beta_1) * layer.dbiases
        )
        correction_1 = 1 - self.beta_1 ** (self.iterations + 1)
        weight_momentums = layer.weight_momentums / correction_1
        bias_momentums = layer.bias_momentums / correction_1

        layer.weight_cache = (
            self.beta_2 * layer.weight_cache + (1 - self.beta_2) * layer.dweights**2
        )
        layer.bias_cache = (
            self.beta_2 * layer.bias_cache + (1 - self.beta_2) * layer.dbiases**2
        )
        correction_2 = 1 - self.beta_2 ** (self.iterations + 1)
        weight_cache = layer.weight_cache / correction_2
        bias_cache = layer.bias_cache / correction_2

        layer.weights += (
            -self.current_learning_rate
            * weight_momentums
            / (np.sqrt(weight_cache) + self.epsilon)
        )
        layer.biases += (
            -self.current_learning_rate
            * bias_momentums
            / (np.sqrt(bias_cache) + self.epsilon)
        )

    def post_update_params(self) -> None:
        """Count the step."""
        self.iterations += 1
