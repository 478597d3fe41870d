"""Layers of a network

The diagram shows the units of a network, their parameters, and the shape of a sample
after each unit.
"""

from nnfs_xp import (
    Conv2D,
    Dense,
    GlobalAveragePool2D,
    Model,
    ReLU,
    Residual,
    Sequential,
)
from nnfs_xp.plots import plot_model

model = Model(
    [
        Conv2D(1, 8, 3, padding="same"),
        ReLU(),
        Residual(Sequential([Conv2D(8, 8, 3, padding="same"), ReLU()])),
        GlobalAveragePool2D(),
        Dense(8, 10),
    ]
)
figure = plot_model(model)
