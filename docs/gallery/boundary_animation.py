"""Decision boundary during training

A `~nnfs_xp.plots.BoundaryRecorder` records the predictions during training, and the
animation shows every 25th epoch.
"""

from nnfs_xp import Adam, Dense, Model, ReLU, Softmax
from nnfs_xp.data import spiral_data
from nnfs_xp.plots import BoundaryRecorder, boundary_animation

x, y = spiral_data(100, 3)
model = Model(
    [Dense(2, 64), ReLU(), Dense(64, 3), Softmax()],
    loss="categorical_crossentropy",
    optimizer=Adam(0.02),
)
recorder = BoundaryRecorder(x, every=25)
model.fit(x, y, epochs=150, batch_size=100, callbacks=recorder)
figure = boundary_animation(recorder, y, ["first", "second", "third"])
