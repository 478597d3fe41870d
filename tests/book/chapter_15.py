"""Chapter 15: dropout between the two layers."""

import numpy as np

import nnfs_xp.book as nnfs
from nnfs_xp.book import (
    Activation_ReLU,
    Activation_Softmax_Loss_CategoricalCrossentropy,
    Layer_Dense,
    Layer_Dropout,
    Optimizer_Adam,
    spiral_data,
)


def main(epochs=10001, **where):
    nnfs.init(**where)
    X, y = spiral_data(samples=1000, classes=3)

    dense1 = Layer_Dense(2, 64, weight_regularizer_l2=5e-4, bias_regularizer_l2=5e-4)
    activation1 = Activation_ReLU()
    dropout1 = Layer_Dropout(0.1)
    dense2 = Layer_Dense(64, 3)
    loss_activation = Activation_Softmax_Loss_CategoricalCrossentropy()
    optimizer = Optimizer_Adam(learning_rate=0.05, decay=5e-5)

    for epoch in range(epochs):
        dense1.forward(X)
        activation1.forward(dense1.output)
        dropout1.forward(activation1.output)
        dense2.forward(dropout1.output)

        data_loss = loss_activation.forward(dense2.output, y)
        regularization_loss = loss_activation.loss.regularization_loss(
            dense1
        ) + loss_activation.loss.regularization_loss(dense2)
        loss = data_loss + regularization_loss
        accuracy = np.mean(np.argmax(loss_activation.output, axis=1) == y)

        if not epoch % 1000:
            print(f"epoch: {epoch}, acc: {accuracy:.3f}, loss: {loss:.3f}")

        loss_activation.backward(loss_activation.output, y)
        dense2.backward(loss_activation.dinputs)
        dropout1.backward(dense2.dinputs)
        activation1.backward(dropout1.dinputs)
        dense1.backward(activation1.dinputs)

        optimizer.pre_update_params()
        optimizer.update_params(dense1)
        optimizer.update_params(dense2)
        optimizer.post_update_params()

    # The book tests without the dropout layer.
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
