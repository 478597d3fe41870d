"""PyTorch as its users write it: torch.nn, autograd, torch.optim."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from benchmarks.contenders.base import Contender
from benchmarks.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Problem


class PyTorch(Contender):
    """An eager ``nn.Sequential`` with ``torch.optim.Adam``.

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
        self.optimizer = torch.optim.Adam(
            self.network.parameters(),
            lr=LEARNING_RATE,
            betas=(BETA_1, BETA_2),
            eps=EPSILON,
            fused=self.fused,
        )

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
