"""Keras, on JAX."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

# Without TensorFlow Keras must be told before it is imported.
os.environ.setdefault("KERAS_BACKEND", "jax")

import keras

from benchmarks.contenders.base import Contender, probe
from benchmarks.workloads import (
    BETA_1,
    BETA_2,
    EPSILON,
    LEARNING_RATE,
    MOMENTUM,
    SGD_RATE,
    Problem,
)


class Adam(keras.optimizers.Adam):
    """Keras's Adam with the epsilon of the others.

    Keras adds it before the second moment is corrected, the others after.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Take a step with an epsilon that is corrected as the moment is."""
        step = keras.ops.cast(self.iterations + 1, variable.dtype)
        correction = keras.ops.sqrt(1 - keras.ops.power(BETA_2, step))
        self.epsilon = EPSILON * correction
        super().update_step(gradient, variable, learning_rate)
        self.epsilon = EPSILON


class Keras(Contender):
    """A ``keras.Sequential``, fed by ``train_on_batch``."""

    def __init__(self, problem: Problem, device: str) -> None:
        self.problem = problem
        self.batches = problem.batches
        sizes = problem.workload.sizes
        layers = [keras.layers.Dense(n, activation="relu") for n in sizes[1:-1]]
        self.model = keras.Sequential(
            [keras.Input((sizes[0],)), *layers, keras.layers.Dense(sizes[-1])]
        )
        self.model.compile(
            optimizer=self.new_optimizer(),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        # Only a first step makes the optimizer's arrays.
        self.model.train_on_batch(*self.batches[0])
        self.initial = [np.zeros(v.shape) for v in self.model.optimizer.variables]
        rate = self.model.optimizer.variables.index(self.model.optimizer._learning_rate)
        self.initial[rate] = keras.ops.convert_to_numpy(
            self.model.optimizer.learning_rate
        )

    def new_optimizer(self) -> Any:
        """Return the optimizer of the workload."""
        if self.problem.workload.optimizer == "momentum":
            return keras.optimizers.SGD(SGD_RATE, momentum=MOMENTUM)
        return Adam(LEARNING_RATE, BETA_1, BETA_2)

    def reset(self) -> None:
        """Write the initial values into the variables."""
        arrays = [a for w, b in self.problem.weights for a in (w, b[0])]
        self.model.set_weights(arrays)
        for variable, value in zip(
            self.model.optimizer.variables, self.initial, strict=True
        ):
            variable.assign(value)

    def step(self, x: Any, y: Any) -> Any:
        """Take one step; the loss is that of this batch alone."""
        self.model.reset_metrics()
        return self.model.train_on_batch(x, y)


class KerasEpochs(Keras):
    """``fit``, which shuffles."""

    def __init__(self, problem: Problem, device: str) -> None:
        super().__init__(problem, device)
        self.whole = len(self.batches)
        self.x = np.concatenate([x for x, _ in self.batches])
        self.y = np.concatenate([y for _, y in self.batches])

    def take(self, steps: int) -> None:
        """Take as many epochs as have at least so many steps."""
        rows = len(self.x) // self.whole
        epochs = math.ceil(steps / self.whole)
        self.model.fit(self.x, self.y, rows, epochs, verbose=0, shuffle=True)


class KerasPredicts(Keras):
    """``predict_on_batch``."""

    def __init__(self, problem: Problem, device: str) -> None:
        super().__init__(problem, device)
        super().reset()
        self.model.add(keras.layers.Softmax())

    def reset(self) -> None:
        """Do nothing: nothing is changed."""

    def step(self, x: Any, y: Any) -> Any:
        """Return the probabilities of the rows."""
        return self.model.predict_on_batch(x)

    def read(self, p: Any) -> float:
        """Return a number that hangs on all of them."""
        return probe(p)
