"""Softmax with cross-entropy, in place on what nobody else sees."""

from __future__ import annotations

import functools
from typing import Any

import torch

from nnfs_xp.kernels.torch.eager import implements_eager, number

Tensor = Any


# PyTorch looks at rows of fewer classes number by number, and along columns at many
# rows at a time.
_FEW_CLASSES = 16
# From so many numbers on that is worth a copy.
_MANY_OF_FEW = 300


@implements_eager("softmax")
def softmax(be: Any, z: Tensor, axis: int) -> Tensor:
    """Compute in one pass, and leave few columns one after another in memory."""
    if _is_better_turned(z) and z.ndim == 2 and axis in (1, -1):
        return torch.softmax(z.T.contiguous(), 0).T
    return torch.softmax(z, axis)


def _is_better_turned(z: Tensor) -> bool:
    """Return whether rows are computed faster as columns."""
    few = z.shape[-1] < _FEW_CLASSES
    large = few and (z.numel() >= _MANY_OF_FEW or not z.is_contiguous())
    return large and z.device.type == "cpu"


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
    # Column by column in memory, and rows again in what is returned.
    turned = _is_better_turned(z)
    log_p = torch.log_softmax(z.T.contiguous(), 0).T if turned else z.log_softmax(1)
    targets = _targets(log_p, y_true)
    if targets.dtype == torch.bool:
        picked = torch.where(targets, log_p, be.zero)
    else:
        picked = torch.where(targets > 0, log_p, be.zero).mul_(targets)
    # In a new array: tests let autograd go back through these lines.
    return picked.sum(1).neg_(), log_p.exp(), targets


def _targets(like: Tensor, y_true: Tensor) -> Tensor:
    """Return rows of targets, in memory like others: booleans for labels."""
    if y_true.ndim == 2:
        return y_true.to(like.dtype)
    classes = _classes(like.shape[1], y_true.dtype, like.device)
    if like.is_contiguous():
        return y_true.unsqueeze(1) == classes
    return (y_true == classes.unsqueeze(1)).T


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
