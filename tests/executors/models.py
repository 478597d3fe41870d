"""Networks and data that the tests of executors train with."""

import numpy as np

import nnfs_xp as nx


def images(samples, features=784):
    """Return samples of unsigned bytes, as images are, and labels."""
    random = np.random.default_rng(20251125)
    x = random.integers(0, 256, (samples, features)).astype("uint8")
    return x, random.integers(0, 10, samples)


def books_network(be, **options):
    """Return the network of the book's images, with its optimizer."""
    defaults = {
        "loss": "categorical_crossentropy",
        "optimizer": nx.Adam(decay=1e-3),
        "backend": be,
    }
    return nx.Model(
        [
            nx.Rescaling(1 / 127.5, -1.0),
            nx.Dense(784, 128),
            nx.ReLU(),
            nx.Dense(128, 128),
            nx.ReLU(),
            nx.Dense(128, 10),
            nx.Softmax(),
        ],
        **{**defaults, **options},
    )


def varied_network(be, **options):
    """Return a small network with dropout, penalties and a schedule."""
    defaults = {
        "loss": "categorical_crossentropy",
        "optimizer": nx.Adam(nx.CosineDecay(0.02, 50), clip_norm=1.0),
        "metrics": ["accuracy", nx.TopKAccuracy(2), nx.ConfusionMatrix()],
        "backend": be,
        "seed": 3,
    }
    return nx.Model(
        [
            nx.Dense(5, 16, weight_regularizer=nx.L1L2(1e-4, 1e-3)),
            nx.ReLU(),
            nx.Dropout(0.25),
            nx.Dense(16, 12),
            nx.GELU(),
            nx.Dropout(0.1, seed=9),
            nx.Dense(12, 3),
            nx.Softmax(),
        ],
        **{**defaults, **options},
    )


def points(samples):
    """Return points of five features in three classes."""
    x = np.random.default_rng(20251126).standard_normal((samples, 5))
    return x, (x[:, 0] * x[:, 1] > 0).astype("int64") + (x[:, 2] > 0.5)


class Steps(nx.Callback):
    """Keeps the figures of every batch."""

    def __init__(self):
        self.figures = []

    def on_batch_end(self, event):
        self.figures.append(event.batch_figures())
