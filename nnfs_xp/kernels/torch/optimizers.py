"""Optimizers: PyTorch's fused ones, and others in place."""

from __future__ import annotations

from typing import Any

import torch

from nnfs_xp.kernels.torch.eager import implements_eager

Tensor = Any

# It is private, and may be gone one day. What is written here follows PyTorch 2.13.
_fused_adam = getattr(torch, "_fused_adam_", None)


@implements_eager("adam")
def adam(
    be: Any,
    w: Tensor,
    dw: Tensor,
    m: Tensor,
    v: Tensor,
    step: Tensor,
    learning_rate: Tensor,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> Any:
    """Go through the arrays once."""
    # The fused function takes arrays for what lies in memory one after another.
    if _fused_adam is None or not (
        w.is_contiguous()
        and dw.is_contiguous()
        and m.is_contiguous()
        and v.is_contiguous()
    ):
        return NotImplemented
    _fused_adam(
        [w], [dw], [m], [v], [], [step.float()],
        lr=learning_rate, beta1=beta_1, beta2=beta_2, weight_decay=0.0,
        eps=epsilon, amsgrad=False, maximize=False,
    )  # fmt: skip
    return w, m, v


@implements_eager("sgd")
def sgd(
    be: Any,
    w: Tensor,
    dw: Tensor,
    v: Tensor | None,
    learning_rate: Tensor,
    momentum: float,
    nesterov: bool,
) -> tuple[Tensor, Tensor | None]:
    """Multiply and subtract in one pass."""
    if v is None:
        return w.addcmul_(dw, learning_rate, value=-1), None
    v.mul_(momentum).addcmul_(dw, learning_rate, value=-1)
    if nesterov:
        w.addcmul_(dw, learning_rate, value=-1).add_(v, alpha=momentum)
    else:
        w.add_(v)
    return w, v


@implements_eager("rmsprop")
def rmsprop(
    be: Any,
    w: Tensor,
    dw: Tensor,
    s: Tensor,
    learning_rate: Tensor,
    rho: float,
    epsilon: float,
) -> tuple[Tensor, Tensor]:
    """Write to one temporary array."""
    s.mul_(rho).addcmul_(dw, dw, value=1.0 - rho)
    return _by_root(w, dw, s, learning_rate, epsilon)


@implements_eager("adagrad")
def adagrad(
    be: Any,
    w: Tensor,
    dw: Tensor,
    s: Tensor,
    learning_rate: Tensor,
    epsilon: float,
) -> tuple[Tensor, Tensor]:
    """Write to one temporary array."""
    s.addcmul_(dw, dw)
    return _by_root(w, dw, s, learning_rate, epsilon)


def _by_root(
    w: Tensor, dw: Tensor, s: Tensor, learning_rate: Tensor, epsilon: float
) -> tuple[Tensor, Tensor]:
    scaled = s.sqrt().add_(epsilon)
    torch.div(dw, scaled, out=scaled)
    return w.addcmul_(scaled, learning_rate, value=-1), s
