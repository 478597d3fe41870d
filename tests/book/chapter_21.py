"""Chapter 21: keeping a trained model, or its parameters alone."""

import nnfs_xp.book as nnfs
from nnfs_xp.book import (
    Accuracy_Categorical,
    Activation_ReLU,
    Activation_Softmax,
    Layer_Dense,
    Loss_CategoricalCrossentropy,
    Model,
)
from tests.book import chapter_19


def untrained():
    model = Model()
    model.add(Layer_Dense(784, 128))
    model.add(Activation_ReLU())
    model.add(Layer_Dense(128, 128))
    model.add(Activation_ReLU())
    model.add(Layer_Dense(128, 10))
    model.add(Activation_Softmax())
    # Nothing is trained any more, so there is no optimizer.
    model.set(loss=Loss_CategoricalCrossentropy(), accuracy=Accuracy_Categorical())
    model.finalize()
    return model


def train_and_save(directory, epochs=3, **where):
    model, _ = chapter_19.main("fashion-mnist-mini", epochs=epochs, **where)
    model.save_parameters(directory / "fashion_mnist.parms")
    model.save(directory / "fashion_mnist.model")
    return model


def from_parameters(model):
    parameters = model.get_parameters()
    again = untrained()
    again.set_parameters(parameters)
    return again


def from_parameters_file(directory, **where):
    nnfs.init(**where)
    model = untrained()
    model.load_parameters(directory / "fashion_mnist.parms")
    return model


def from_model_file(directory, **where):
    nnfs.init(**where)
    return Model.load(directory / "fashion_mnist.model")
