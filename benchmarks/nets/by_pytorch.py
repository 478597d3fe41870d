"""Both networks in PyTorch, of its own layers, trained as its tutorials do it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.contenders.base import Contender
from benchmarks.nets.problems import BLOCKS, CONTEXT, HEADS, WIDTH, NetProblem
from benchmarks.workloads import BETA_1, BETA_2, EPSILON

# Our paths inside a block of the GPT, by PyTorch's.
_BLOCK_PLACES = {
    "norm_1": "norm",
    "qkv": "attention.qkv",
    "out": "attention.out",
    "norm_2": "network.inner.0",
    "up": "network.inner.1",
    "down": "network.inner.3",
}


class Block(nn.Module):
    """A block of GPT-2's."""

    def __init__(self) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Attend, and then compute at each position."""
        n, t, _ = x.shape
        parts = self.qkv(self.norm_1(x)).split(WIDTH, dim=-1)
        q, k, v = (part.view(n, t, HEADS, -1).transpose(1, 2) for part in parts)
        seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(n, t, WIDTH))
        return x + self.down(functional.gelu(self.up(self.norm_2(x))))


class GPT(nn.Module):
    """Blocks between an embedding and its transpose."""

    def __init__(self, n_ids: int) -> None:
        super().__init__()
        self.ids = nn.Embedding(n_ids, WIDTH)
        self.places = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList([Block() for _ in range(BLOCKS)])
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the logits of what comes next."""
        x = self.ids(ids) + self.places.weight[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return functional.linear(self.norm(x), self.ids.weight)


def made_gpt(values: dict[str, np.ndarray]) -> nn.Module:
    """Return the GPT with our values."""
    module = GPT(len(values["0.embedding.weights"]))
    with torch.no_grad():
        module.ids.weight.copy_(torch.tensor(values["0.embedding.weights"]))
        module.places.weight.copy_(torch.tensor(values["0.inner.0.weights"]))
        for number, block in enumerate(module.blocks, 1):
            for name, place in _BLOCK_PLACES.items():
                _give(getattr(block, name), values, f"0.inner.{number}.{place}")
        _give(module.norm, values, f"0.inner.{BLOCKS + 1}")
    return module


def made_cnn(values: dict[str, np.ndarray]) -> nn.Module:
    """Return the CNN with our values; it takes images with the channels first."""
    module = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1568, 48), nn.ReLU(), nn.Linear(48, 10),
    )  # fmt: skip
    paths = sorted({int(path.partition(".")[0]) for path in values})
    ours = {str(path): theirs for path, theirs in zip(paths, "0379", strict=True)}
    with torch.no_grad():
        for path, place in ours.items():
            _give(module[int(place)], values, path)
    return module


def _give(module: Any, values: dict[str, np.ndarray], path: str) -> None:
    """Let a layer have our values, in PyTorch's order."""
    if isinstance(module, nn.LayerNorm):
        module.weight.copy_(torch.tensor(values[f"{path}.gamma"]))
        module.bias.copy_(torch.tensor(values[f"{path}.beta"]))
        return
    weights = values[f"{path}.weights"]
    if weights.ndim == 4:
        weights = weights.transpose(3, 2, 0, 1)
    elif weights.shape[0] == 1568:
        # We flatten with the channels last.
        weights = weights.reshape(7, 7, 32, -1).transpose(2, 0, 1, 3).reshape(1568, -1)
        weights = weights.T
    else:
        weights = weights.T
    module.weight.copy_(torch.tensor(weights.copy()))
    module.bias.copy_(torch.tensor(values[f"{path}.biases"][0]))


class PyTorchNet(Contender):
    """An eager step. `fused` is that argument of Adam, `channels_last` that layout."""

    def __init__(
        self,
        problem: NetProblem,
        fused: bool | None = None,
        channels_last: bool = False,
    ) -> None:
        self.problem, self.fused = problem, fused
        self.layout: Any = {}
        if channels_last:
            self.layout = {"memory_format": torch.channels_last}
        self.batches = [(self._inputs(x), torch.tensor(y)) for x, y in problem.batches]

    def _inputs(self, x: np.ndarray) -> torch.Tensor:
        tensor = torch.tensor(x)
        if tensor.is_floating_point():
            tensor = tensor.view(-1, 1, 28, 28)
        return tensor.contiguous(**self.layout)

    def reset(self) -> None:
        """Make a new network and a new optimizer."""
        make = {"cnn": made_cnn, "gpt": made_gpt}[self.problem.key]
        self.network = make(self.problem.values).to(**self.layout)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), self.problem.rate, (BETA_1, BETA_2), EPSILON,
            fused=self.fused,
        )  # fmt: skip

    def step(self, x: Any, y: Any) -> Any:
        """Take a step."""
        self.optimizer.zero_grad()
        loss = loss_of(self.network(x), y)
        loss.backward()
        self.optimizer.step()
        return loss.detach()


def loss_of(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy over all axes but the last."""
    return functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.flatten())
