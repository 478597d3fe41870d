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
    median = median_of(curves)
    complaints = []
    for label, curve in curves.items():
        complaint = disagreement(curve, median, "the median of all", rtol)
        if complaint:
            complaints.append(f"{label}: {complaint}")
    if complaints:
        raise DisagreementError("; ".join(complaints))
    return curves


def median_of(curves: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the median of all loss curves, step by step."""
    losses = np.array(list(curves.values()))
    # One NaN would make the median NaN, and accuse everybody.
    return np.median(np.where(np.isnan(losses), np.inf, losses), axis=0)


def disagreement(
    curve: np.ndarray,
    expected: np.ndarray,
    whose: str,
    rtol: float = RELATIVE_TOLERANCE,
) -> str:
    """Return where a loss curve leaves another; nothing if it does not."""
    # Not "off > rtol", which is false for NaN.
    wrong = ~(np.abs(curve - expected) <= rtol * np.abs(expected))
    if not wrong.any():
        return ""
    first = int(np.argmax(wrong))
    return (
        f"loss {curve[first]:.7g} at step {first + 1}, "
        f"where {whose} is {expected[first]:.7g}"
    )
