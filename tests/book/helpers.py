"""What the tests of the book's names share."""

import numpy as np

import nnfs_xp.book as nnfs
from nnfs_xp import to_numpy
from nnfs_xp.backends import library_of


def same(found, wanted):
    """Compare two arrays of a backend bit for bit."""
    assert library_of(found) == library_of(wanted) and found.dtype == wanted.dtype
    np.testing.assert_array_equal(to_numpy(found), to_numpy(wanted))


def network(loss=nnfs.Loss_CategoricalCrossentropy, outputs=3, **options):
    dense = [
        nnfs.Layer_Dense(2, 8, weight_regularizer_l2=1e-3),
        nnfs.Layer_Dense(8, outputs),
    ]
    model = nnfs.Model(**options)
    for layer in (
        dense[0],
        nnfs.Activation_ReLU(),
        nnfs.Layer_Dropout(0.1),
        dense[1],
        nnfs.Activation_Softmax(),
    ):
        model.add(layer)
    model.set(
        loss=loss(),
        optimizer=nnfs.Optimizer_Adam(learning_rate=0.05, decay=1e-3),
        accuracy=nnfs.Accuracy_Categorical(),
    )
    return model
