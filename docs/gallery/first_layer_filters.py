"""First-layer weights

Each image shows the weights of one neuron: orange where bright pixels increase its
output, and blue where they decrease it.
"""

from nnfs_xp import L2, Adam, Dense, Model, ReLU, Softmax
from nnfs_xp.data import load_dataset
from nnfs_xp.plots import first_layer_filters

data = load_dataset("fashion-mnist-mini")
model = Model(
    [
        Dense(784, 32, weight_regularizer=L2(0.02)),
        ReLU(),
        Dense(32, 10),
        Softmax(),
    ],
    loss="categorical_crossentropy",
    optimizer=Adam(0.002),
)
model.fit(data.features("train"), data.y_train, epochs=5, batch_size=128)
figure = first_layer_filters(model.layers[0].weights, data.image_shape, rows=3)
