"""Chapter 19: a real data set, Fashion-MNIST, in batches."""

import numpy as np

import nnfs_xp.book as nnfs
from nnfs_xp.book import (
    Accuracy_Categorical,
    Activation_ReLU,
    Activation_Softmax,
    Layer_Dense,
    Loss_CategoricalCrossentropy,
    Model,
    Optimizer_Adam,
)
from nnfs_xp.data import load_dataset


def create_data_mnist(name, data_dir=None):
    dataset = load_dataset(name, data_dir=data_dir)
    return dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test


def prepare(X, y, X_test, y_test):
    keys = np.array(range(X.shape[0]))
    np.random.shuffle(keys)  # noqa: NPY002 - the book's generator
    X = X[keys]
    y = y[keys]
    X = (X.reshape(X.shape[0], -1).astype(np.float32) - 127.5) / 127.5
    X_test = (X_test.reshape(X_test.shape[0], -1).astype(np.float32) - 127.5) / 127.5
    return X, y, X_test, y_test


def build():
    model = Model()
    model.add(Layer_Dense(784, 128))
    model.add(Activation_ReLU())
    model.add(Layer_Dense(128, 128))
    model.add(Activation_ReLU())
    model.add(Layer_Dense(128, 10))
    model.add(Activation_Softmax())
    model.set(
        loss=Loss_CategoricalCrossentropy(),
        optimizer=Optimizer_Adam(decay=1e-3),
        accuracy=Accuracy_Categorical(),
    )
    model.finalize()
    return model


def main(name="fashion-mnist", data_dir=None, epochs=10, **where):
    nnfs.init(**where)
    X, y, X_test, y_test = prepare(*create_data_mnist(name, data_dir))
    model = build()
    model.train(
        X,
        y,
        validation_data=(X_test, y_test),
        epochs=epochs,
        batch_size=128,
        print_every=100,
    )
    return model, (X_test, y_test)
