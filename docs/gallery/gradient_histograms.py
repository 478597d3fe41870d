"""Vanishing gradients

These histograms show the gradients of a deep network with sigmoid activations before
training. The gradients shrink from the last layer to the first; note the scales of the
axes.
"""

from nnfs_xp import Dense, Model, Sigmoid, Softmax
from nnfs_xp.data import load_dataset
from nnfs_xp.plots import gradient_histograms

data = load_dataset("digits")
model = Model(
    [
        Dense(64, 32),
        Sigmoid(),
        Dense(32, 32),
        Sigmoid(),
        Dense(32, 32),
        Sigmoid(),
        Dense(32, 10),
        Softmax(),
    ],
    loss="categorical_crossentropy",
    optimizer="adam",
)
figure = gradient_histograms(model, data.features("test"), data.y_test)
