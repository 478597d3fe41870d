"""Layer weights

These histograms show the distribution of the parameters of a trained network.
"""

from nnfs_xp import Adam, Dense, Model, ReLU, Softmax
from nnfs_xp.data import load_dataset
from nnfs_xp.plots import weight_histograms

data = load_dataset("digits")
model = Model(
    [Dense(64, 32), ReLU(), Dense(32, 10), Softmax()],
    loss="categorical_crossentropy",
    optimizer=Adam(0.002),
)
model.fit(data.features("train"), data.y_train, epochs=10)
figure = weight_histograms(model)
