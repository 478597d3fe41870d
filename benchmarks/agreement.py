"""The check before any timing: all contenders do the same arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle, islice

import numpy as np

from benchmarks.contenders.base import Contender

CHECKED_STEPS = 20
RELATIVE_TOLERANCE = 1e-4


class DisagreementError(Exception):
    """A contender does not learn what the others learn."""


def loss_curve(contender: Contender, steps: int) -> np.ndarray:
    """Return the losses of the first steps from the initial weights."""
    with contender.context():
        contender.reset()
        batches = islice(cycle(contender.batches), steps)
        return np.array([contender.read(contender.step(x, y)) for x, y in batches])


def check_agreement(
    contenders: Mapping[str, Contender],
    steps: int = CHECKED_STEPS,
    rtol: float = RELATIVE_TOLERANCE,
) -> dict[str, np.ndarray]:
    """Return every loss curve, if each is close to the median of all.

    Raises
    ------
    DisagreementError
        Naming the contenders that are not, and the first step where.
    """
    curves = {label: loss_curve(each, steps) for label, each in contenders.items()}
    # One NaN would make the median NaN, and accuse everybody.
    losses = np.array(list(curves.values()))
    median = np.median(np.where(np.isnan(losses), np.inf, losses), axis=0)
    complaints = []
    for label, curve in curves.items():
        # Not "off > rtol", which is false for NaN.
        wrong = ~(np.abs(curve - median) <= rtol * np.abs(median))
        if wrong.any():
            first = int(np.argmax(wrong))
            complaints.append(
                f"{label}: loss {curve[first]:.7g} at step {first + 1}, "
                f"where the median of all is {median[first]:.7g}"
            )
    if complaints:
        raise DisagreementError("; ".join(complaints))
    return curves
