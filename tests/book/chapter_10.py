"""Chapter 10: one network on the spiral, and the book's optimizers in turn."""

import numpy as np

import nnfs_xp.book as nnfs
from nnfs_xp.book import (
    Activation_ReLU,
    Activation_Softmax_Loss_CategoricalCrossentropy,
    Layer_Dense,
    Optimizer_Adagrad,
    Optimizer_Adam,
    Optimizer_RMSprop,
    Optimizer_SGD,
    spiral_data,
)


def train(optimizer, epochs):
    X, y = spiral_data(samples=100, classes=3)

    dense1 = Layer_Dense(2, 64)
    activation1 = Activation_ReLU()
    dense2 = Layer_Dense(64, 3)
    loss_activation = Activation_Softmax_Loss_CategoricalCrossentropy()
    best_accuracy = 0.0

    for epoch in range(epochs):
        dense1.forward(X)
        activation1.forward(dense1.output)
        dense2.forward(activation1.output)
        loss = loss_activation.forward(dense2.output, y)

        predictions = np.argmax(loss_activation.output, axis=1)
        if len(y.shape) == 2:
            y = np.argmax(y, axis=1)
        accuracy = np.mean(predictions == y)
        best_accuracy = max(best_accuracy, accuracy)

        if not epoch % 1000:
            print(
                f"epoch: {epoch}, acc: {accuracy:.3f}, loss: {loss:.3f}, "
                f"lr: {optimizer.current_learning_rate}"
            )

        loss_activation.backward(loss_activation.output, y)
        dense2.backward(loss_activation.dinputs)
        activation1.backward(dense2.dinputs)
        dense1.backward(activation1.dinputs)

        optimizer.pre_update_params()
        optimizer.update_params(dense1)
        optimizer.update_params(dense2)
        optimizer.post_update_params()

    return {"loss": loss, "accuracy": accuracy, "best_accuracy": best_accuracy}


def sgd(epochs=10001, **where):
    nnfs.init(**where)
    return train(Optimizer_SGD(), epochs)


def sgd_with_decay(epochs=10001, **where):
    nnfs.init(**where)
    return train(Optimizer_SGD(decay=1e-3), epochs)


def sgd_with_momentum(epochs=10001, **where):
    nnfs.init(**where)
    return train(Optimizer_SGD(decay=1e-3, momentum=0.9), epochs)


def adagrad(epochs=10001, **where):
    nnfs.init(**where)
    return train(Optimizer_Adagrad(decay=1e-4), epochs)


def rmsprop(epochs=10001, **where):
    nnfs.init(**where)
    return train(Optimizer_RMSprop(learning_rate=0.02, decay=1e-5, rho=0.999), epochs)


def adam(epochs=10001, **where):
    nnfs.init(**where)
    return train(Optimizer_Adam(learning_rate=0.05, decay=5e-7), epochs)
