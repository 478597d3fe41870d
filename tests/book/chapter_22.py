"""Chapter 22: what is in a picture that the model has never seen."""

import numpy as np

from nnfs_xp.book import Model

fashion_mnist_labels = {
    0: "T-shirt/top",
    1: "Trouser",
    2: "Pullover",
    3: "Dress",
    4: "Coat",
    5: "Sandal",
    6: "Shirt",
    7: "Sneaker",
    8: "Bag",
    9: "Ankle boot",
}


def names_of(model, X):
    confidences = model.predict(X)
    predictions = model.output_layer_activation.predictions(confidences)
    return [fashion_mnist_labels[int(prediction)] for prediction in predictions]


def photograph(image):
    """Return an image as a camera has it: larger, dark on white, in 0..255."""
    large = np.repeat(np.repeat(image.reshape(28, 28), 3, axis=0), 3, axis=1)
    return 255 - large


def prepare(photo):
    small = photo.reshape(28, 3, 28, 3).mean(axis=(1, 3))
    inverted = 255 - small
    return (inverted.reshape(1, -1).astype(np.float32) - 127.5) / 127.5


def main(path, image):
    model = Model.load(path)
    return names_of(model, prepare(photograph(image)))[0]
