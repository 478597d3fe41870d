"""scikit-learn's network, fed one batch at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.contenders.base import Contender, probe
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


class ScikitLearnEpochs(ScikitLearn):
    """``partial_fit`` of all rows, which shuffles them and takes one epoch."""

    def __init__(self, problem: Problem, device: str) -> None:
        super().__init__(problem, device)
        self.whole = len(self.batches)
        self.x = np.concatenate([x for x, _ in self.batches])
        self.y = np.concatenate([y for _, y in self.batches])

    def take(self, steps: int) -> None:
        """Take as many epochs as have at least so many steps."""
        self.classifier.shuffle = True
        for _ in range(math.ceil(steps / self.whole)):
            self.classifier.partial_fit(self.x, self.y)


class ScikitLearnPredicts(ScikitLearn):
    """``predict_proba`` on one batch."""

    def __init__(self, problem: Problem, device: str) -> None:
        super().__init__(problem, device)
        super().reset()

    def reset(self) -> None:
        """Do nothing: nothing is changed."""

    def step(self, x: Any, y: Any) -> Any:
        """Return the probabilities of the rows."""
        return self.classifier.predict_proba(x)

    def read(self, p: Any) -> float:
        """Return a number that hangs on all of them."""
        return probe(p)
