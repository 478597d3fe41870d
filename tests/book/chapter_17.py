"""Chapter 17: regression on the sine, with two hidden layers."""

import numpy as np

import nnfs_xp.book as nnfs
from nnfs_xp.book import (
    Activation_Linear,
    Activation_ReLU,
    Layer_Dense,
    Loss_MeanSquaredError,
    Optimizer_Adam,
    sine_data,
)


def main(epochs=10001, **where):
    nnfs.init(**where)
    X, y = sine_data()

    dense1 = Layer_Dense(1, 64)
    activation1 = Activation_ReLU()
    dense2 = Layer_Dense(64, 64)
    activation2 = Activation_ReLU()
    dense3 = Layer_Dense(64, 1)
    activation3 = Activation_Linear()
    loss_function = Loss_MeanSquaredError()
    optimizer = Optimizer_Adam(learning_rate=0.005, decay=1e-3)

    # What counts as right: closer than a 250th of the spread of the targets.
    accuracy_precision = np.std(y) / 250

    for epoch in range(epochs):
        dense1.forward(X)
        activation1.forward(dense1.output)
        dense2.forward(activation1.output)
        activation2.forward(dense2.output)
        dense3.forward(activation2.output)
        activation3.forward(dense3.output)

        data_loss = loss_function.calculate(activation3.output, y)
        regularization_loss = (
            loss_function.regularization_loss(dense1)
            + loss_function.regularization_loss(dense2)
            + loss_function.regularization_loss(dense3)
        )
        loss = data_loss + regularization_loss
        predictions = activation3.output
        accuracy = np.mean(np.absolute(predictions - y) < accuracy_precision)

        if not epoch % 1000:
            print(f"epoch: {epoch}, acc: {accuracy:.3f}, loss: {loss:.3f}")

        loss_function.backward(activation3.output, y)
        activation3.backward(loss_function.dinputs)
        dense3.backward(activation3.dinputs)
        activation2.backward(dense3.dinputs)
        dense2.backward(activation2.dinputs)
        activation1.backward(dense2.dinputs)
        dense1.backward(activation1.dinputs)

        optimizer.pre_update_params()
        optimizer.update_params(dense1)
        optimizer.update_params(dense2)
        optimizer.update_params(dense3)
        optimizer.post_update_params()

    return {"loss": loss, "accuracy": accuracy}
