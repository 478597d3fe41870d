"""Cases of every schedule: how it is made, and some steps with their rates."""

import nnfs_xp as nx

SCHEDULES = {
    "InverseTimeDecay": [
        (
            lambda: nx.InverseTimeDecay(1.0, decay=0.25),
            [(0, 1.0), (1, 0.8), (4, 0.5), (12, 0.25), (10**9, 4 / (10**9 + 4))],
        ),
        (lambda: nx.InverseTimeDecay(0.3, decay=0), [(0, 0.3), (10**9, 0.3)]),
        (lambda: nx.InverseTimeDecay(0, decay=1), [(0, 0.0), (3, 0.0)]),
        (
            lambda: nx.InverseTimeDecay(1.0, decay=0.5, every=4),
            [(0, 1.0), (2, 0.8), (4, 2 / 3), (8, 0.5)],
        ),
        (
            lambda: nx.InverseTimeDecay(1.0, decay=1, every=4, staircase=True),
            [(0, 1.0), (3, 1.0), (4, 0.5), (7, 0.5), (12, 0.25)],
        ),
    ],
    "StepDecay": [
        (
            lambda: nx.StepDecay(0.5, factor=0.1, every=3),
            [(0, 0.5), (2, 0.5), (3, 0.05), (5, 0.05), (6, 0.005), (10**9, 0.0)],
        ),
        (lambda: nx.StepDecay(2, factor=1, every=1), [(0, 2.0), (10**9, 2.0)]),
    ],
    "ExponentialDecay": [
        (
            lambda: nx.ExponentialDecay(0.5, factor=0.25, every=2),
            [(0, 0.5), (1, 0.25), (2, 0.125), (3, 0.0625), (10**9, 0.0)],
        ),
        (
            lambda: nx.ExponentialDecay(2, factor=0.9),
            [(0, 2.0), (1, 1.8), (2, 1.62), (3, 1.458)],
        ),
        (
            lambda: nx.ExponentialDecay(0.5, factor=0.1, every=3, staircase=True),
            [(0, 0.5), (2, 0.5), (3, 0.05), (5, 0.05), (6, 0.005)],
        ),
    ],
    "CosineDecay": [
        (
            lambda: nx.CosineDecay(0.2, steps=6),
            [
                (0, 0.2),
                (1, 0.1 + 0.1 * 0.75**0.5),
                (2, 0.15),
                (3, 0.1),
                (4, 0.05),
                (6, 0.0),
                (7, 0.0),
                (10**9, 0.0),
            ],
        ),
        (
            lambda: nx.CosineDecay(1.0, steps=2, final=0.5),
            [(0, 1.0), (1, 0.75), (2, 0.5), (3, 0.5)],
        ),
        (
            lambda: nx.CosineDecay(0.0, steps=1, final=1),
            [(0, 0.0), (1, 1.0), (2, 1.0)],
        ),
    ],
    "CosineDecayRestarts": [
        (
            lambda: nx.CosineDecayRestarts(0.2, steps=6),
            [(0, 0.2), (2, 0.15), (3, 0.1), (6, 0.2), (12, 0.1), (18, 0.2), (30, 0.1)],
        ),
        (
            lambda: nx.CosineDecayRestarts(1.0, 4, growth=1, shrinkage=0.5, final=0.2),
            [(0, 1.0), (2, 0.6), (4, 0.6), (6, 0.4), (8, 0.4), (10**9 + 2, 0.2)],
        ),
    ],
    "OneCycle": [
        (
            lambda: nx.OneCycle(1.0, steps=21, rising=1 / 3, divisor=5),
            [(0, 0.2), (3, 0.6), (6, 1.0), (13, 0.50001), (20, 0.00002), (99, 0.00002)],
        ),
        (
            lambda: nx.OneCycle(1.0, 5, rising=0, divisor=1, final_divisor=4),
            [(0, 1.0), (2, 0.625), (4, 0.25), (10**9, 0.25)],
        ),
        (
            lambda: nx.OneCycle(1.0, 5, rising=1, divisor=2, final_divisor=1),
            [(0, 0.5), (2, 0.75), (4, 0.5)],
        ),
        (lambda: nx.OneCycle(1.0, steps=1, final_divisor=1), [(0, 0.04), (1, 0.04)]),
    ],
    "PiecewiseConstantDecay": [
        (lambda: nx.PiecewiseConstantDecay((0,), (0, 1)), [(0, 0.0), (1, 1.0)]),
        (
            lambda: nx.PiecewiseConstantDecay([3, 5], [1.0, 0.5, 0.25]),
            [(0, 1.0), (3, 1.0), (4, 0.5), (5, 0.5), (6, 0.25), (10**9, 0.25)],
        ),
    ],
    "PolynomialDecay": [
        (
            lambda: nx.PolynomialDecay(0.5, steps=4),
            [(0, 0.5), (1, 0.375), (3, 0.125), (4, 0.0), (10**9, 0.0)],
        ),
        (
            lambda: nx.PolynomialDecay(1.0, steps=10, final=0.2, power=2),
            [(0, 1.0), (5, 0.4), (10, 0.2), (11, 0.2)],
        ),
        (
            lambda: nx.PolynomialDecay(1.0, steps=4, power=0.5, cycle=True),
            [(0, 1.0), (3, 0.5), (4, 0.0), (6, 0.5), (8, 0.0), (9, 0.5)],
        ),
    ],
    "WarmUp": [
        (
            lambda: nx.WarmUp(4, then=0.2),
            [(0, 0.05), (1, 0.1), (3, 0.2), (4, 0.2), (10**9, 0.2)],
        ),
        (
            lambda: nx.WarmUp(2, then=nx.CosineDecay(0.2, steps=6)),
            [(0, 0.1), (1, 0.2), (2, 0.2), (4, 0.15), (5, 0.1), (8, 0.0), (9, 0.0)],
        ),
        (
            lambda: nx.WarmUp(1, then=nx.WarmUp(2, then=nx.StepDecay(1.0, 0.5, 2))),
            [(0, 0.5), (1, 0.5), (2, 1.0), (3, 1.0), (4, 1.0), (5, 0.5)],
        ),
        (
            lambda: nx.WarmUp(4, then=nx.StepDecay(0.2, 0.5, 2), mode="keras"),
            [(0, 0.0), (1, 0.05), (3, 0.15), (4, 0.2), (5, 0.2), (6, 0.1)],
        ),
    ],
}
