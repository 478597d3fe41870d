"""Clipping of gradients."""

from __future__ import annotations

from typing import Any

import torch

from nnfs_xp.kernels.torch.eager import implements_eager


@implements_eager("clip_to_value")
def clip_to_value(be: Any, gradient: torch.Tensor, limit: float) -> torch.Tensor:
    """Move entries in one pass."""
    return gradient.clamp(-limit, limit)
