"""PyTorch as its users write it: torch.nn, autograd, torch.optim."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional

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


class PyTorch(Contender):
    """An eager ``nn.Sequential`` with an optimizer of ``torch.optim``.

    `fused` is that argument of the optimizer; None is its default.
    """

    def __init__(self, problem: Problem, device: str, fused: bool | None) -> None:
        self.problem = problem
        self.device = torch.device(device)
        self.fused = fused
        self.batches = [
            (torch.tensor(x, device=device), torch.tensor(y, device=device))
            for x, y in problem.batches
        ]

    def reset(self) -> None:
        """Make a new network and a new optimizer."""
        layers: list[nn.Module] = []
        for weights, biases in self.problem.weights:
            linear = nn.Linear(*weights.shape, device=self.device)
            with torch.no_grad():
                linear.weight.copy_(torch.tensor(weights.T))
                linear.bias.copy_(torch.tensor(biases[0]))
            layers += [linear, nn.ReLU()]
        self.network = nn.Sequential(*layers[:-1])
        self.optimizer = self.new_optimizer()

    def new_optimizer(self) -> torch.optim.Optimizer:
        """Return the optimizer of the workload, at step 0."""
        parameters, fused = self.network.parameters(), self.fused
        if self.problem.workload.optimizer == "momentum":
            return torch.optim.SGD(parameters, SGD_RATE, MOMENTUM, fused=fused)
        betas = BETA_1, BETA_2
        return torch.optim.Adam(parameters, LEARNING_RATE, betas, EPSILON, fused=fused)

    def step(self, x: Any, y: Any) -> Any:
        """Take the step of PyTorch's own tutorials."""
        self.optimizer.zero_grad()
        loss = functional.cross_entropy(self.network(x), y)
        loss.backward()
        self.optimizer.step()
        return loss

    def read(self, loss: Any) -> float:
        """Return the loss, waiting for it."""
        return loss.item()

    def synchronize(self) -> None:
        """Wait for the GPU, if there is one."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


class PyTorchEpochs(PyTorch):
    """Whole epochs over shuffled rows of one array, as a loop of one's own has them."""

    def __init__(self, problem: Problem, device: str, fused: bool | None) -> None:
        super().__init__(problem, device, fused)
        self.whole = len(self.batches)
        self.x = torch.cat([x for x, _ in self.batches])
        self.y = torch.cat([y for _, y in self.batches])

    def take(self, steps: int) -> None:
        """Take as many epochs as have at least so many steps; read their losses."""
        for _ in range(math.ceil(steps / self.whole)):
            order = torch.randperm(len(self.x), device=self.device)
            losses = [
                self.step(self.x[rows], self.y[rows]).detach()
                for rows in order.chunk(self.whole)
            ]
            torch.stack(losses).mean().item()


class PyTorchPredicts(PyTorch):
    """Probabilities of one batch, in inference mode."""

    def __init__(self, problem: Problem, device: str) -> None:
        super().__init__(problem, device, fused=None)
        super().reset()

    def reset(self) -> None:
        """Do nothing: nothing is changed."""

    def step(self, x: Any, y: Any) -> Any:
        """Return the probabilities of the rows."""
        with torch.inference_mode():
            return torch.softmax(self.network(x), 1)

    def read(self, p: Any) -> float:
        """Return a number that hangs on all of them."""
        return probe(p.cpu().numpy())
