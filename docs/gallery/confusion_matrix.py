"""Confusion matrix

The confusion matrix shows which classes are mistaken for each other. After two epochs,
the network still confuses many digits.
"""

from nnfs_xp import Adam, Dense, Model, ReLU, Softmax, to_numpy
from nnfs_xp.data import load_dataset
from nnfs_xp.plots import confusion_matrix

data = load_dataset("digits")
model = Model(
    [Dense(64, 32), ReLU(), Dense(32, 10), Softmax()],
    loss="categorical_crossentropy",
    optimizer=Adam(0.002),
)
model.fit(data.features("train"), data.y_train, epochs=2)
predicted = to_numpy(model.predict(data.features("test"))).argmax(axis=1)
figure = confusion_matrix(data.y_test, predicted, data.class_names)
