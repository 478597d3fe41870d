"""Correct and incorrect predictions

A convolutional network classifies images of clothes. The correct predictions are taken
from each class in turn, and the incorrect ones are the most confident mistakes.
"""

from nnfs_xp import Adam, Model, to_numpy
from nnfs_xp.data import load_dataset
from nnfs_xp.nets import cnn
from nnfs_xp.plots import sample_predictions

data = load_dataset("fashion-mnist-mini")
model = Model(
    cnn(data.image_shape, data.n_classes),
    loss="categorical_crossentropy",
    optimizer=Adam(0.002),
)
model.fit(data.features("train")[:2000], data.y_train[:2000], epochs=1, batch_size=32)
probabilities = to_numpy(model.predict(data.features("test")[:500]))
figure = sample_predictions(
    data.x_test[:500],
    data.y_test[:500],
    probabilities.argmax(axis=1),
    probabilities.max(axis=1),
    data.class_names,
    data.image_shape,
)
