"""Layer outputs

These histograms show the outputs of each layer for the test samples. Many outputs of
the ReLU are 0.
"""

from nnfs_xp import Adam, Dense, Model, ReLU, Softmax
from nnfs_xp.data import load_dataset
from nnfs_xp.plots import activation_histograms

data = load_dataset("digits")
model = Model(
    [Dense(64, 32), ReLU(), Dense(32, 10), Softmax()],
    loss="categorical_crossentropy",
    optimizer=Adam(0.002),
)
model.fit(data.features("train"), data.y_train, epochs=10)
figure = activation_histograms(model, data.features("test"))
