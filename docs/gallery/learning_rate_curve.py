"""Learning rate range test

The curve shows the loss as the learning rate increases. The rate that the test suggests
is marked.
"""

from nnfs_xp import Dense, Model, ReLU, Softmax, learning_rate_range
from nnfs_xp.data import load_dataset
from nnfs_xp.plots import learning_rate_curve

data = load_dataset("digits")
model = Model(
    [Dense(64, 64), ReLU(), Dense(64, 10), Softmax()],
    loss="categorical_crossentropy",
    optimizer="adam",
)
found = learning_rate_range(model, data.features("train"), data.y_train, batch_size=64)
figure = learning_rate_curve(found)
