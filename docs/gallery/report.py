"""Training report

``nnfs-xp train`` writes this report. It contains the learning curves, the confusion
matrix, and the most confident mistakes of the network.
"""

from nnfs_xp import Adam, Dense, Model, ReLU, Softmax, to_numpy
from nnfs_xp.data import load_dataset
from nnfs_xp.plots import report

data = load_dataset("fashion-mnist-mini")
x_test = data.features("test")
model = Model(
    [Dense(784, 128), ReLU(), Dense(128, 128), ReLU(), Dense(128, 10), Softmax()],
    loss="categorical_crossentropy",
    optimizer=Adam(0.001),
)
history = model.fit(
    data.features("train"),
    data.y_train,
    epochs=8,
    batch_size=128,
    validation_data=(x_test, data.y_test),
)
probabilities = to_numpy(model.predict(x_test))
figure = report(
    history,
    data.y_test,
    probabilities.argmax(axis=1),
    probabilities.max(axis=1),
    data.class_names,
    title=f"Clothes: test accuracy {history['validation_accuracy'][-1]:.1%}",
    subtitle="784-128-128-10, Adam, batches of 128",
    images=data.x_test,
    image_shape=data.image_shape,
)
