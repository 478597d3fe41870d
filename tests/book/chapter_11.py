"""Chapter 11: the same network, and points that it has not seen."""

import numpy as np

import nnfs_xp.book as nnfs
from nnfs_xp.book import (
    Activation_ReLU,
    Activation_Softmax_Loss_CategoricalCrossentropy,
    Layer_Dense,
    Optimizer_Adam,
    spiral_data,
)


def main(epochs=10001, **where):
    nnfs.init(**where)
    X, y = spiral_data(samples=100, classes=3)

    dense1 = Layer_Dense(2, 64)
    activation1 = Activation_ReLU()
    dense2 = Layer_Dense(64, 3)
    loss_activation = Activation_Softmax_Loss_CategoricalCrossentropy()
    optimizer = Optimizer_Adam(learning_rate=0.05, decay=5e-7)

    for _ in range(epochs):
        dense1.forward(X)
        activation1.forward(dense1.output)
        dense2.forward(activation1.output)
        loss = loss_activation.forward(dense2.output, y)
        accuracy = np.mean(np.argmax(loss_activation.output, axis=1) == y)

        loss_activation.backward(loss_activation.output, y)
        dense2.backward(loss_activation.dinputs)
        activation1.backward(dense2.dinputs)
        dense1.backward(activation1.dinputs)

        optimizer.pre_update_params()
        optimizer.update_params(dense1)
        optimizer.update_params(dense2)
        optimizer.post_update_params()

    X_test, y_test = spiral_data(samples=100, classes=3)

    dense1.forward(X_test)
    activation1.forward(dense1.output)
    dense2.forward(activation1.output)
    test_loss = loss_activation.forward(dense2.output, y_test)
    test_accuracy = np.mean(np.argmax(loss_activation.output, axis=1) == y_test)
    print(f"validation, acc: {test_accuracy:.3f}, loss: {test_loss:.3f}")

    return {
        "loss": loss,
        "accuracy": accuracy,
        "validation_loss": test_loss,
        "validation_accuracy": test_accuracy,
    }
