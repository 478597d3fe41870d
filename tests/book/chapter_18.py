"""Chapter 18: the model object, for each of the three kinds of task."""

import nnfs_xp.book as nnfs
from nnfs_xp.book import (
    Accuracy_Categorical,
    Accuracy_Regression,
    Activation_Linear,
    Activation_ReLU,
    Activation_Sigmoid,
    Activation_Softmax,
    Layer_Dense,
    Layer_Dropout,
    Loss_BinaryCrossentropy,
    Loss_CategoricalCrossentropy,
    Loss_MeanSquaredError,
    Model,
    Optimizer_Adam,
    sine_data,
    spiral_data,
)


def regression(epochs=10000, **where):
    nnfs.init(**where)
    X, y = sine_data()

    model = Model()
    model.add(Layer_Dense(1, 64))
    model.add(Activation_ReLU())
    model.add(Layer_Dense(64, 64))
    model.add(Activation_ReLU())
    model.add(Layer_Dense(64, 1))
    model.add(Activation_Linear())
    model.set(
        loss=Loss_MeanSquaredError(),
        optimizer=Optimizer_Adam(learning_rate=0.005, decay=1e-3),
        accuracy=Accuracy_Regression(),
    )
    model.finalize()
    model.train(X, y, epochs=epochs, print_every=1000)
    return model, (X, y)


def binary(epochs=10000, **where):
    nnfs.init(**where)
    X, y = spiral_data(samples=100, classes=2)
    X_test, y_test = spiral_data(samples=100, classes=2)
    y = y.reshape(-1, 1)
    y_test = y_test.reshape(-1, 1)

    model = Model()
    model.add(Layer_Dense(2, 64, weight_regularizer_l2=5e-4, bias_regularizer_l2=5e-4))
    model.add(Activation_ReLU())
    model.add(Layer_Dense(64, 1))
    model.add(Activation_Sigmoid())
    model.set(
        loss=Loss_BinaryCrossentropy(),
        optimizer=Optimizer_Adam(decay=5e-7),
        accuracy=Accuracy_Categorical(binary=True),
    )
    model.finalize()
    model.train(X, y, validation_data=(X_test, y_test), epochs=epochs, print_every=1000)
    return model, (X_test, y_test)


def categorical(epochs=10000, **where):
    nnfs.init(**where)
    X, y = spiral_data(samples=1000, classes=3)
    X_test, y_test = spiral_data(samples=100, classes=3)

    model = Model()
    model.add(Layer_Dense(2, 512, weight_regularizer_l2=5e-4, bias_regularizer_l2=5e-4))
    model.add(Activation_ReLU())
    model.add(Layer_Dropout(0.1))
    model.add(Layer_Dense(512, 3))
    model.add(Activation_Softmax())
    model.set(
        loss=Loss_CategoricalCrossentropy(),
        optimizer=Optimizer_Adam(learning_rate=0.05, decay=5e-5),
        accuracy=Accuracy_Categorical(),
    )
    model.finalize()
    model.train(X, y, validation_data=(X_test, y_test), epochs=epochs, print_every=100)
    return model, (X_test, y_test)
