"""The setting `compile` of a model, which is a method in Keras."""

from __future__ import annotations

from typing import Any

from nnfs_xp.engine.executors import check_mode
from nnfs_xp.errors import InputError


class CompileMode(str):
    """How the step is compiled."""

    def __new__(cls, mode: str) -> CompileMode:
        """Return a checked mode."""
        return super().__new__(cls, check_mode(mode))

    def __call__(self, *arguments: Any, **options: Any) -> None:
        """Raise InputError, which says where loss and optimizer are given."""
        units = {
            k: v for k, v in options.items() if k in ("optimizer", "loss", "metrics")
        }
        given = ", ".join(f"{name}={value!r}" for name, value in units.items()) or "..."
        raise InputError(
            "compile is a setting, not a method; pass loss, optimizer and metrics to "
            f"Model(...), or call model.set({given})"
        )
