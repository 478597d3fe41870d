"""scikit-learn's network, fed one batch at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.contenders.base import Contender
from benchmarks.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Problem


class ScikitLearn(Contender):
    """``MLPClassifier.partial_fit``, which also checks and encodes its input."""

    def __init__(self, problem: Problem, device: str) -> None:
        self.problem = problem
        self.batches = problem.batches

    def reset(self) -> None:
        """Make a new classifier, and replace the weights it has drawn."""
        x, y = self.batches[0]
        sizes = self.problem.workload.sizes
        self.classifier = MLPClassifier(
            sizes[1:-1],
            alpha=0.0,
            batch_size=len(x),
            learning_rate_init=LEARNING_RATE,
            beta_1=BETA_1,
            beta_2=BETA_2,
            shuffle=False,
            random_state=0,
        )
        # Only a first step makes the arrays, so it is taken and undone.
        self.classifier.partial_fit(x, y, classes=np.arange(sizes[-1]))
        self.adam = self.classifier._optimizer
        self.adam.t = 0
        for moment in self.adam.ms + self.adam.vs:
            moment[...] = 0.0
        for index, (weights, biases) in enumerate(self.problem.weights):
            self.classifier.coefs_[index][...] = weights
            self.classifier.intercepts_[index][...] = biases[0]

    def step(self, x: Any, y: Any) -> Any:
        """Take one step.

        scikit-learn adds epsilon to ``sqrt(v)`` before that is corrected for
        its bias, the others after. Correcting epsilon as well gives the same.
        """
        self.adam.epsilon = EPSILON * math.sqrt(1 - BETA_2 ** (self.adam.t + 1))
        self.classifier.partial_fit(x, y)
        return self.classifier.loss_
