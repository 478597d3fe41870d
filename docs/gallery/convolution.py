"""Outputs of a convolution

These are the eight output channels of a trained convolution for one image. They respond
to edges, areas, and contrasts between them.
"""

from nnfs_xp import (
    Adam,
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    Model,
    ReLU,
    SoftmaxCrossEntropy,
    to_numpy,
)
from nnfs_xp.data import load_dataset
from nnfs_xp.plots import style

data = load_dataset("fashion-mnist-mini")
x = data.features("train").reshape(-1, 28, 28, 1)[:1000]
model = Model(
    [
        Conv2D(1, 8, 5, padding="same"),
        ReLU(),
        MaxPool2D(2),
        Flatten(),
        Dense(14 * 14 * 8, 10),
    ],
    loss=SoftmaxCrossEntropy(),
    optimizer=Adam(0.002),
)
model.fit(x, data.y_train[:1000], epochs=2, batch_size=32)
maps = to_numpy(model.layers[0].forward(x[:1]))[0]

figure = style.new_figure(7.5, 3.4)
for number, ax in enumerate(style.grid_of(figure, 8, 4)):
    ax.imshow(maps[:, :, number], cmap="gray")
    ax.set_axis_off()
    style.set_title(ax, f"filter {number}")
