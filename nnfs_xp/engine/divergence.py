"""Whether training still computes with finite numbers, and where it no longer does.

Steps themselves check nothing. The checks use numbers that come to the host anyway: the
loss when figures are read, and the sum of all parameters at the end of an epoch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nnfs_xp.engine.state import State
from nnfs_xp.errors import DivergenceError
from nnfs_xp.io.checkpoint import not_finite


class FiniteCheck:
    """Ends a training whose loss or parameters are no longer finite.

    Parameters
    ----------
    state : State
    raises : bool
        Whether to do so; if not, nothing is checked.

    Attributes
    ----------
    epoch : int
        The current epoch.
    """

    def __init__(self, state: State, raises: bool) -> None:
        self.state, self.raises = state, raises
        self.epoch = 0
        # The last step after which all was known to be finite.
        self._finite = state.counters.steps

    def look_at(self, loss: float, read: Mapping[str, Any]) -> None:
        """Raise DivergenceError if the losses, or a parameter, are not finite.

        Parameters
        ----------
        loss : float
            The figure; NaN if nothing counts.
        read : mapping
            The sum of the losses, and if they are known the penalties and the sum of
            all parameters. This sum may overflow even if all parameters are finite.
        """
        losses = read["loss"], read.get("penalties", 0.0)
        finite = all(map(math.isfinite, losses))
        if finite and not math.isfinite(read.get("parameters", 0.0)):
            finite = not any(not_finite(self.state.export_values()))
        if not finite and self.raises:
            raise self._error(loss)
        self._finite = self.state.counters.steps

    def _error(self, loss: float) -> DivergenceError:
        first, last = self._finite + 1, self.state.counters.steps
        when = f"step {last}" if first >= last else f"steps {first} to {last}"
        error = DivergenceError(
            f"training has diverged in epoch {self.epoch}, {when}: the loss is "
            f"{loss:g}, {_found(self.state)}; use a learning rate below "
            f"{self.state.write_rate():g}, or clip_norm, or on_divergence='continue' "
            "to go on"
        )
        error.epoch, error.step = self.epoch, last
        return error


def _found(state: State) -> str:
    """Return in words which parameter, or its gradient, is not finite, or the largest.

    If there are several, it is the one that the backward pass reaches first.
    """
    network, be = state.network, state.network.backend
    values, gradients = state.export_values(), {}
    if "gradients" in state.tree:
        views = network.learned.views(state.tree["gradients"])
        gradients = {path: be.to_numpy(array) for path, array in views.items()}
    for what, named in (("", values), ("the gradient of ", gradients)):
        wrong = list(not_finite(named))
        if wrong:
            path, numbers = wrong[-1]
            return (
                f"{numbers.size} of {named[path].size} numbers in {what}{path} of "
                f"{network.by_path[path][0].unit!r} are not finite, such as "
                f"{numbers[0]}, and some in {len(wrong) - 1} of {len(named) - 1} others"
            )
    if not values:
        return "and there are no parameters"
    sizes = {path: float(abs(array).max()) for path, array in values.items()}
    path = max(sizes, key=lambda path: sizes[path])
    unit = network.by_path[path][0].unit
    return f"and the largest number, {sizes[path]:g}, is in {path} of {unit!r}"
