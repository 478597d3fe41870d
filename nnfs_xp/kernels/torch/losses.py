"""Softmax with cross-entropy, in place on what nobody else sees."""

from __future__ import annotations

import functools
from typing import Any

import torch

from nnfs_xp.kernels.torch.eager import implements_eager, number

Tensor = Any


# Of more classes PyTorch's own functions take less time than passes one by one.
_FEW_CLASSES = 16


@implements_eager("softmax_cross_entropy")
def softmax_cross_entropy(
    be: Any, z: Tensor, y_true: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Compare labels with the numbers of the classes, and keep the result as it is."""
    losses, p, _ = _losses_of(be, z, y_true)
    return losses, (p, y_true)


@implements_eager("softmax_cross_entropy_backward")
def softmax_cross_entropy_backward(
    be: Any, p: Tensor, y_true: Tensor, dlosses: Tensor | float
) -> Tensor:
    """Subtract the comparison, no float of it."""
    return _minus_true(p.clone(), _targets(p, y_true), dlosses)


@implements_eager("softmax_cross_entropy_with_gradient")
def softmax_cross_entropy_with_gradient(
    be: Any, z: Tensor, y_true: Tensor, dlosses: Tensor | float
) -> tuple[Tensor, Tensor]:
    """Overwrite the probabilities, which nobody else needs."""
    if y_true.ndim == 1 and z.shape[1] > _FEW_CLASSES and z.device.type == "cpu":
        return _of_labels(z, y_true, dlosses)
    losses, p, targets = _losses_of(be, z, y_true)
    return losses, _minus_true(p, targets, dlosses)


def _of_labels(
    z: Tensor, labels: Tensor, dlosses: Tensor | float
) -> tuple[Tensor, Tensor]:
    """Return losses and gradient; only the logarithms of labels are looked at."""
    column, most = labels.long().unsqueeze(1), z.shape[1] - 1
    known, log_p = (column >= 0) & (column <= most), torch.log_softmax(z, 1)
    column = column.clamp(0, most)
    losses = torch.where(known, log_p.gather(1, column), 0.0).squeeze(1).neg_()
    dz = log_p.exp_().scatter_add_(1, column, known.to(z.dtype).neg_())
    return losses, _weighted(dz, dlosses)


def _losses_of(be: Any, z: Tensor, y_true: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return losses, probabilities and targets."""
    log_p = z - z.amax(1, keepdim=True)
    exponentials = log_p.exp()
    total = exponentials.sum(1, keepdim=True)
    log_p.sub_(total.log())
    # In a new array: tests let autograd go back through these lines.
    p = exponentials / total
    targets = _targets(z, y_true)
    if targets.dtype == torch.bool:
        picked = torch.where(targets, log_p, be.zero)
    else:
        picked = torch.where(targets > 0, log_p, be.zero).mul_(targets)
    return picked.sum(1).neg_(), p, targets


def _targets(z: Tensor, y_true: Tensor) -> Tensor:
    """Return rows of targets: booleans for labels."""
    if y_true.ndim == 2:
        return y_true.to(z.dtype)
    return y_true.unsqueeze(1) == _classes(z.shape[1], y_true.dtype, z.device)


def _minus_true(p: Tensor, targets: Tensor, dlosses: Tensor | float) -> Tensor:
    """Return ``(p sum(targets) - targets) * dlosses``; overwrites probabilities."""
    if targets.dtype != torch.bool:
        p.mul_(targets.sum(1, keepdim=True))
    return _weighted(p.add_(targets, alpha=-1), dlosses)


def _weighted(dz: Tensor, dlosses: Tensor | float) -> Tensor:
    """Multiply rows by a number, or each by its own."""
    if isinstance(dlosses, float):
        return dz.mul_(number(dlosses, dz.dtype, dz.device))
    return dz.mul_(dlosses.unsqueeze(1))


@functools.lru_cache(maxsize=64)
def _classes(count: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.arange(count, dtype=dtype, device=device)
