"""Plans: implementations for NumPy that say beforehand what they will call."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

# Returns memory of a shape and a dtype.
New = Callable[[Any, Any], np.ndarray]
# Results, and the call that computes them.
Plan = tuple[Any, Callable[[], None]]


def by_plan(plan: Callable[..., Plan]) -> Callable[..., Any]:
    """Make an implementation of what plans its call.

    Parameters
    ----------
    plan : callable
        ``plan(be, new, *arguments) -> (results, call)``. A call without arguments
        computes the results of what the arguments hold by then, in memory that
        ``new(shape, dtype)`` has given. So it can be made at every step.

    Returns
    -------
    callable
        ``function(be, *arguments) -> results``, with the plan as ``.planned``.
    """

    @functools.wraps(plan)
    def function(be: Any, *arguments: Any) -> Any:
        found = plan(be, np.empty, *arguments)
        if found is NotImplemented:
            return found
        results, call = found
        call()
        return results

    function.planned = plan  # type: ignore[attr-defined]
    return function
