"""Decision boundary

The background shows the predictions of a network with two inputs. The points are the
training data, which form three arms of a spiral. Where the colour is paler, the network
is less certain.
"""

from nnfs_xp import Adam, Dense, Model, ReLU, Softmax, to_numpy
from nnfs_xp.data import spiral_data
from nnfs_xp.plots import decision_boundary

x, y = spiral_data(100, 3)
model = Model(
    [Dense(2, 64), ReLU(), Dense(64, 64), ReLU(), Dense(64, 3), Softmax()],
    loss="categorical_crossentropy",
    optimizer=Adam(0.01),
)
model.fit(x, y, epochs=200, batch_size=100)
figure = decision_boundary(
    lambda points: to_numpy(model.predict(points)), x, y, ["first", "second", "third"]
)
