"""Learning curves

The curves show the loss and every metric after each epoch, on the training data and on
the validation data.
"""

from nnfs_xp import Adam, Dense, Dropout, Model, ReLU, Softmax
from nnfs_xp.data import load_dataset
from nnfs_xp.plots import learning_curves

data = load_dataset("digits")
model = Model(
    [Dense(64, 64), ReLU(), Dropout(0.3), Dense(64, 10), Softmax()],
    loss="categorical_crossentropy",
    optimizer=Adam(0.002),
    metrics=["accuracy", "f1"],
)
history = model.fit(
    data.features("train"),
    data.y_train,
    epochs=20,
    validation_data=(data.features("test"), data.y_test),
)
figure = learning_curves(history)
