"""Reliability diagram

The diagram compares predicted probabilities with the fraction of predictions that are
correct. This network was trained for too long on too few digits, and is overconfident.
"""

from nnfs_xp import Adam, Dense, Model, ReLU, Softmax, to_numpy
from nnfs_xp.data import load_dataset
from nnfs_xp.plots import reliability

data = load_dataset("digits")
model = Model(
    [Dense(64, 64), ReLU(), Dense(64, 10), Softmax()],
    loss="categorical_crossentropy",
    optimizer=Adam(0.005),
)
model.fit(data.features("train")[:150], data.y_train[:150], epochs=60)
probabilities = to_numpy(model.predict(data.features("test")))
figure = reliability(data.y_test, probabilities, bins=10)
