"""The book's activations, with the predictions that their outputs stand for."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.activations.linear import Linear
from nnfs_xp.activations.relu import ReLU
from nnfs_xp.activations.sigmoid import Sigmoid
from nnfs_xp.activations.softmax import Softmax
from nnfs_xp.backends import Array, backend_of, library_of, to_numpy
from nnfs_xp.book.layers import BookLayer
from nnfs_xp.book.names import stands_for
from nnfs_xp.book.settings import here, moved
from nnfs_xp.checks import check_array
from nnfs_xp.unit import overridden


class BookActivation(BookLayer):
    """What the book's activations share."""

    def __init__(self) -> None:
        super().__init__(backend=here())

    def predictions(self, outputs: Any) -> Array:
        """Return what outputs predict: here, the outputs themselves."""
        return outputs


class OutputActivation(BookActivation):
    """An activation whose gradient follows from its output alone."""

    def _follow_attributes(self) -> None:
        """Let `backward` use ``.output``, which a program may have set."""
        if overridden(self, {"fwd": "", "bwd": ""}):
            # Another activation, whose residuals are not known here.
            super()._follow_attributes()
        elif hasattr(self, "output"):
            be = self.place
            output = check_array(be, moved(be, self.output), "output")
            self.output = be.asarray(output, be.dtype)
            self._follow(self.output)


@stands_for(ReLU)
class Activation_ReLU(BookActivation, ReLU):
    """`nnfs_xp.ReLU` under the book's name.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> nnfs.Activation_ReLU().forward([[-1.0, 2.0]]).tolist()
    [[0.0, 2.0]]
    """


@stands_for(Softmax)
class Activation_Softmax(OutputActivation, Softmax):
    """`nnfs_xp.Softmax` under the book's name.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> softmax = nnfs.Activation_Softmax()
    >>> softmax.forward([[0.0, 0.0]]).tolist()
    [[0.5, 0.5]]
    >>> softmax.predictions(softmax.output).tolist()
    [0]
    """

    def predictions(self, outputs: Any) -> np.ndarray:
        """Return the class with the highest output of each row.

        They come to the host: the book looks names up by them, and an element
        of an array on a device cannot be a key.
        """
        be = _backend(outputs)
        return to_numpy(be.xp.argmax(be.asarray(outputs), axis=1))


@stands_for(Sigmoid)
class Activation_Sigmoid(OutputActivation, Sigmoid):
    """`nnfs_xp.Sigmoid` under the book's name.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> sigmoid = nnfs.Activation_Sigmoid()
    >>> sigmoid.predictions(sigmoid.forward([[-1.0, 3.0]])).tolist()
    [[0, 1]]
    """

    def predictions(self, outputs: Any) -> np.ndarray:
        """Return 1 where an output is above one half, else 0, on the host."""
        be = _backend(outputs)
        return to_numpy(be.asarray(outputs) > 0.5) * 1


@stands_for(Linear)
class Activation_Linear(BookActivation, Linear):
    """`nnfs_xp.Linear` under the book's name.

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> nnfs.Activation_Linear().forward([[-1.0, 2.0]]).tolist()
    [[-1.0, 2.0]]
    """


def _backend(outputs: Any) -> Any:
    return here() if library_of(outputs) is None else backend_of(outputs)
