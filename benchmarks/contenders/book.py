"""The book's way of writing it, in NumPy."""

from __future__ import annotations

from typing import Any

from benchmarks.book_style import (
    AdamOptimizer,
    DenseLayer,
    ReluActivation,
    SoftmaxWithLoss,
)
from benchmarks.contenders.base import Contender
from benchmarks.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Problem


class Book(Contender):
    """The classes of `benchmarks.book_style`, called one after the other."""

    def __init__(self, problem: Problem, device: str) -> None:
        self.problem = problem
        self.batches = problem.batches

    def reset(self) -> None:
        """Make new layers and a new optimizer."""
        self.layers: list[DenseLayer | ReluActivation] = []
        for weights, biases in self.problem.weights:
            self.layers += [DenseLayer(weights.copy(), biases.copy()), ReluActivation()]
        self.layers.pop()
        self.loss = SoftmaxWithLoss()
        self.optimizer = AdamOptimizer(
            LEARNING_RATE, beta_1=BETA_1, beta_2=BETA_2, epsilon=EPSILON
        )

    def step(self, x: Any, y: Any) -> Any:
        """Go forward, backward and update, layer by layer."""
        for layer in self.layers:
            layer.forward(x)
            x = layer.output
        loss = self.loss.forward(x, y)

        self.loss.backward(self.loss.output, y)
        dvalues = self.loss.dinputs
        for layer in reversed(self.layers):
            layer.backward(dvalues)
            dvalues = layer.dinputs

        self.optimizer.pre_update_params()
        for layer in self.layers:
            if isinstance(layer, DenseLayer):
                self.optimizer.update_params(layer)
        self.optimizer.post_update_params()
        return loss
