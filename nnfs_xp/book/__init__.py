"""The book's own names: programs typed from the book, on any backend.

Every class is the library's own unit under the name, the signature and the
attributes that "Neural Networks from Scratch" gives it. A program from the book
runs after its definitions of these classes are replaced by one import, and on a
GPU after one more line, ``init(backend="cupy")``::

    from nnfs_xp.book import *

The page "Differences from the book" of the documentation lists every place
where a result differs from the book's, why, and by how much.
"""

from nnfs_xp.book.accuracy import Accuracy, Accuracy_Categorical, Accuracy_Regression
from nnfs_xp.book.activations import (
    Activation_Linear,
    Activation_ReLU,
    Activation_Sigmoid,
    Activation_Softmax,
)
from nnfs_xp.book.combined import (
    Activation_Softmax_Loss_CategoricalCrossEntropy,
    Activation_Softmax_Loss_CategoricalCrossentropy,
)
from nnfs_xp.book.datasets import sine_data, spiral_data, vertical_data
from nnfs_xp.book.layers import Layer_Dense, Layer_Dropout, Layer_Input
from nnfs_xp.book.losses import (
    Loss,
    Loss_BinaryCrossEntropy,
    Loss_BinaryCrossentropy,
    Loss_CategoricalCrossEntropy,
    Loss_CategoricalCrossentropy,
    Loss_MeanAbsoluteError,
    Loss_MeanSquaredError,
)
from nnfs_xp.book.model import Model
from nnfs_xp.book.optimizers import (
    Optimizer_Adagrad,
    Optimizer_Adam,
    Optimizer_RMSprop,
    Optimizer_SGD,
)
from nnfs_xp.book.settings import init

__all__ = [
    "Accuracy",
    "Accuracy_Categorical",
    "Accuracy_Regression",
    "Activation_Linear",
    "Activation_ReLU",
    "Activation_Sigmoid",
    "Activation_Softmax",
    "Activation_Softmax_Loss_CategoricalCrossEntropy",
    "Activation_Softmax_Loss_CategoricalCrossentropy",
    "Layer_Dense",
    "Layer_Dropout",
    "Layer_Input",
    "Loss",
    "Loss_BinaryCrossEntropy",
    "Loss_BinaryCrossentropy",
    "Loss_CategoricalCrossEntropy",
    "Loss_CategoricalCrossentropy",
    "Loss_MeanAbsoluteError",
    "Loss_MeanSquaredError",
    "Model",
    "Optimizer_Adagrad",
    "Optimizer_Adam",
    "Optimizer_RMSprop",
    "Optimizer_SGD",
    "init",
    "sine_data",
    "spiral_data",
    "vertical_data",
]
