"""Recall and precision by class

Recall is the fraction of the samples of a class that the network recognizes. Precision
is the fraction of the predictions of a class that are correct.
"""

from nnfs_xp import Adam, Dense, Model, ReLU, Softmax, to_numpy
from nnfs_xp.data import load_dataset
from nnfs_xp.plots import class_scores

data = load_dataset("fashion-mnist-mini")
model = Model(
    [Dense(784, 32), ReLU(), Dense(32, 10), Softmax()],
    loss="categorical_crossentropy",
    optimizer=Adam(0.001),
)
model.fit(data.features("train"), data.y_train, epochs=2, batch_size=128)
predicted = to_numpy(model.predict(data.features("test"))).argmax(axis=1)
figure = class_scores(data.y_test, predicted, data.class_names)
