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
    ],
}
