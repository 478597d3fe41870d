"""Pictures of schedules and regularizers: curves of one number."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.figure import Figure

import nnfs_xp as nx
from _ext.pictures.drawing import FUNCTION, SLOPE, curves, panels

NUMPY = nx.get_backend("numpy", dtype="float64")
STEPS = np.arange(0, 301)
WEIGHTS = np.linspace(-2.0, 2.0, 401)


def rates(*schedules: nx.Schedule) -> Figure:
    """Return the rates of some variants."""
    figure, axes = panels(len(schedules), width=4.4)
    for ax, schedule in zip(axes, schedules, strict=True):
        values = np.array([schedule(int(step)) for step in STEPS])
        lines = {"rate": (values, FUNCTION)}
        arguments = ", ".join(
            f"{key}={type(value).__name__ if isinstance(value, nx.Schedule) else value}"
            for key, value in vars(schedule).items()
            if not key.startswith("_")
        )
        title = textwrap.fill(arguments, 40)
        curves(ax, title, STEPS, lines, ("step", "learning rate"))
        ax.set_ylim(0, None)
    return figure


def penalty(unit: nx.Regularizer) -> Figure:
    """Return penalty and gradient of one parameter."""
    figure, (ax,) = panels(1, width=5.0)
    single = [np.array([[w]]) for w in WEIGHTS]
    penalties = np.array([float(unit.penalty(NUMPY, w)) for w in single])
    slope = np.array([float(unit.gradient(NUMPY, w)[0, 0]) for w in single])
    # Where the slope jumps, as at 0, a line would be a steep one.
    jumps = np.abs(np.gradient(slope)) > 0.1 * np.ptp(slope)
    slope = np.where(jumps, np.nan, slope)
    lines = {"penalty": (penalties, FUNCTION), "gradient": (slope, SLOPE)}
    numbers = {k: v for k, v in unit.config().items() if isinstance(v, float)}
    title = ", ".join(f"{name}={value}" for name, value in numbers.items())
    curves(ax, title, WEIGHTS, lines, ("parameter w", "penalty, gradient"))
    return figure


def of_schedule(cases: list) -> Figure:
    """Return the picture of any schedule: that of its first cases."""
    return rates(*(case[0]() for case in cases[:2]))


def of_regularizer(cases: list) -> Figure:
    """Return the picture of any regularizer: that of its first case."""
    return penalty(cases[0][0]())


SCHEDULES = {
    "InverseTimeDecay": lambda: rates(
        nx.InverseTimeDecay(0.1, decay=0.01), nx.InverseTimeDecay(0.1, decay=0.1)
    ),
    "StepDecay": lambda: rates(
        nx.StepDecay(0.1, factor=0.5, every=100),
        nx.StepDecay(0.1, factor=0.8, every=25),
    ),
    "ExponentialDecay": lambda: rates(
        nx.ExponentialDecay(0.1, factor=0.5, every=100),
        nx.ExponentialDecay(0.1, factor=0.98),
    ),
    "CosineDecay": lambda: rates(
        nx.CosineDecay(0.1, steps=250), nx.CosineDecay(0.1, steps=150, final=0.02)
    ),
    "CosineDecayRestarts": lambda: rates(
        nx.CosineDecayRestarts(0.1, steps=40),
        nx.CosineDecayRestarts(0.1, 60, growth=1, shrinkage=0.7, final=0.01),
    ),
    "OneCycle": lambda: rates(
        nx.OneCycle(0.1, steps=250), nx.OneCycle(0.1, steps=250, rising=0.5)
    ),
    "PiecewiseConstantDecay": lambda: rates(
        nx.PiecewiseConstantDecay([100, 200], [0.1, 0.05, 0.01])
    ),
    "PolynomialDecay": lambda: rates(
        nx.PolynomialDecay(0.1, steps=250, power=2),
        nx.PolynomialDecay(0.1, steps=100, cycle=True),
    ),
    "WarmUp": lambda: rates(
        nx.WarmUp(50, then=0.1), nx.WarmUp(50, then=nx.CosineDecay(0.1, steps=200))
    ),
}
# Without arguments its penalty is 0.
REGULARIZERS = {"L1L2": lambda: penalty(nx.L1L2(0.5, 0.5))}
