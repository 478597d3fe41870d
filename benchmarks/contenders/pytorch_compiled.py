"""PyTorch's whole training step under ``torch.compile``, written in two ways."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch._dynamo.utils import counters
from torch.nn import functional

from benchmarks.contenders.pytorch import PyTorch
from benchmarks.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Problem

MODE = "reduce-overhead"


class Compiled(PyTorch):
    """The step of PyTorch's tutorials, as one compiled function.

    On a GPU this mode records CUDA graphs: one for the forward pass, one for the
    backward pass and one for the optimizer, whose counter of steps has to be on
    the device for that (``capturable``).
    """

    def __init__(self, problem: Problem, device: str) -> None:
        super().__init__(problem, device, fused=None)
        super().reset()
        if self.device.type == "cuda":
            for group in self.optimizer.param_groups:
                group["capturable"] = True
        self.skipped = counters["inductor"]["cudagraph_skips"]
        network, optimizer = self.network, self.optimizer

        def whole_step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = functional.cross_entropy(network(x), y)
            loss.backward()
            optimizer.step()
            return loss

        self.compiled = torch.compile(whole_step, mode=MODE, dynamic=False)

    def reset(self) -> None:
        """Write the initial values in place: a new network would be compiled anew."""
        linears = [m for m in self.network if isinstance(m, nn.Linear)]
        with torch.no_grad():
            for linear, (weights, biases) in zip(
                linears, self.problem.weights, strict=True
            ):
                linear.weight.copy_(torch.tensor(weights.T))
                linear.bias.copy_(torch.tensor(biases[0]))
            for state in self.optimizer.state.values():
                for tensor in state.values():
                    if tensor is not None:
                        tensor.zero_()

    def step(self, x: Any, y: Any) -> Any:
        """Call the compiled step."""
        # The loss of the last step may be written over from here on.
        torch.compiler.cudagraph_mark_step_begin()
        return self.compiled(x, y)

    @property
    def note(self) -> str:
        """Whether the compiler used CUDA graphs for all of it."""
        skips = counters["inductor"]["cudagraph_skips"] - self.skipped
        return f"CUDA graphs skipped by the compiler: {skips}" if skips else ""


class Functional(Compiled):
    """Loss, gradient and an Adam by hand in one graph without a break."""

    def __init__(self, problem: Problem, device: str) -> None:
        PyTorch.__init__(self, problem, device, fused=None)
        self.skipped = counters["inductor"]["cudagraph_skips"]
        initial = [
            torch.tensor(array, device=device)
            for weights, biases in problem.weights
            for array in (weights, biases[0])
        ]
        self.initial = initial
        self.parameters = [tensor.clone() for tensor in initial]
        self.moments_1 = [torch.zeros_like(tensor) for tensor in initial]
        self.moments_2 = [torch.zeros_like(tensor) for tensor in initial]
        self.count = torch.zeros((), device=device)
        for tensor in self.state_tensors():
            # Without this the compiler copies whatever the graph writes to, or
            # makes no graph at all.
            torch._dynamo.mark_static_address(tensor)
        parameters, count = self.parameters, self.count
        moments_1, moments_2 = self.moments_1, self.moments_2

        def whole_step(x: Any, y: Any) -> Any:
            gradients, loss = torch.func.grad_and_value(mean_loss)(parameters, x, y)
            count.add_(1)
            rate = LEARNING_RATE / (1 - BETA_1**count)
            correction = 1 - BETA_2**count
            for w, g, m, v in zip(
                parameters, gradients, moments_1, moments_2, strict=True
            ):
                m.mul_(BETA_1).add_(g, alpha=1 - BETA_1)
                v.mul_(BETA_2).addcmul_(g, g, value=1 - BETA_2)
                w.sub_(rate * m / ((v / correction).sqrt() + EPSILON))
            return loss

        self.compiled = torch.compile(
            torch.no_grad()(whole_step), mode=MODE, dynamic=False, fullgraph=True
        )

    def state_tensors(self) -> list[torch.Tensor]:
        """Return everything that a step writes to."""
        return [*self.parameters, *self.moments_1, *self.moments_2, self.count]

    def reset(self) -> None:
        """Write the initial values in place."""
        for tensor in self.state_tensors():
            tensor.zero_()
        for tensor, initial in zip(self.parameters, self.initial, strict=True):
            tensor.copy_(initial)


def mean_loss(parameters: list[torch.Tensor], x: Any, y: Any) -> torch.Tensor:
    """Return the mean cross-entropy of the network's logits."""
    *hidden, weights, biases = parameters
    for hidden_weights, hidden_biases in zip(hidden[::2], hidden[1::2], strict=True):
        x = functional.relu(torch.addmm(hidden_biases, x, hidden_weights))
    return functional.cross_entropy(torch.addmm(biases, x, weights), y)
