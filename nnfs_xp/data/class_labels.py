"""Names of classes, and the numbers that stand for them in networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.backends import to_numpy
from nnfs_xp.errors import InputError


class ClassLabels:
    """The classes of a column of labels, numbered from 0 in sorted order.

    Labels may be strings, numbers of any kind, floats among them, or booleans.

    Parameters
    ----------
    labels : array or array_like, shape (n,)
        Labels, each class at least once; a column of pandas or polars too.

    Attributes
    ----------
    names : numpy.ndarray, shape (classes,)
        The label of each class.

    Raises
    ------
    InputError
        If the labels are not one column, or one is missing.

    Examples
    --------
    >>> import nnfs_xp as nx
    >>> from nnfs_xp.data import ClassLabels
    >>> x, y = [[0.0], [1.0], [2.0]], ["oak", "elm", "oak"]
    >>> labels = ClassLabels(y)
    >>> labels.encode(y)
    array([1, 0, 1], dtype=int32)
    >>> model = nx.Model(
    ...     [nx.Dense(1, len(labels)), nx.Softmax()],
    ...     loss="categorical_crossentropy", optimizer=nx.Adam(0.1),
    ... )
    >>> _ = model.fit(x, labels.encode(y), epochs=9)
    >>> labels.decode(model.predict(x)).shape
    (3,)
    >>> labels.decode([0, 1])
    array(['elm', 'oak'], dtype='<U3')
    """

    def __init__(self, labels: Any) -> None:
        column = _column(labels)
        try:
            self.names = np.unique(column)
        except TypeError as error:
            raise InputError(
                "labels must be of one kind, all strings or all numbers"
            ) from error

    def __len__(self) -> int:
        """Return the number of classes."""
        return len(self.names)

    def encode(self, labels: Any) -> np.ndarray:
        """Return the number of the class of each label.

        Parameters
        ----------
        labels : array or array_like, shape (n,)

        Returns
        -------
        numpy.ndarray of int32, shape (n,)

        Raises
        ------
        InputError
            If one is not in `names`.
        """
        column = _column(labels)
        unknown = column[~np.isin(column, self.names)]
        if len(unknown):
            raise InputError(
                f"labels must be some of {self.names.tolist()}, got "
                f"{unknown[:1].tolist()[0]!r}"
            )
        return np.searchsorted(self.names, column).astype(np.int32)

    def decode(self, numbers: Any) -> np.ndarray:
        """Return the labels of classes.

        Parameters
        ----------
        numbers : array or array_like, shape (n,) or (n, classes)
            Class numbers, or a model's prediction for each class, of which the largest
            counts. Arrays of any backend are accepted.

        Returns
        -------
        numpy.ndarray, shape (n,)

        Raises
        ------
        InputError
            If they are neither.
        """
        found = to_numpy(numbers)
        if found.ndim == 2 and found.shape[1] == len(self):
            return self.names[found.argmax(axis=1)]
        whole = found.ndim == 1 and found.dtype.kind in "iu"
        if not whole or np.any((found < 0) | (found >= len(self))):
            raise InputError(
                f"numbers must be integers from 0 to {len(self) - 1} of shape (n,), or "
                f"of shape (n, {len(self)}), got {found.dtype} of shape {found.shape}"
            )
        return self.names[found]

    def __repr__(self) -> str:
        return f"ClassLabels({self.names.tolist()})"


def _column(labels: Any) -> np.ndarray:
    """Return labels on the host, as one column without missing values."""
    column = to_numpy(labels)
    if column.ndim == 2 and column.shape[1] == 1:
        column = column[:, 0]
    if column.ndim != 1 or not len(column):
        raise InputError(f"labels must have shape (n,), got {column.shape}")
    # A missing value is None, or does not equal itself.
    missing = [i for i, label in enumerate(column.tolist()) if _is_missing(label)]
    if missing:
        raise InputError(f"labels must not be missing, and number {missing[0]} is")
    if column.dtype.kind == "O" and all(isinstance(label, str) for label in column):
        column = column.astype(str)
    return column


def _is_missing(label: Any) -> bool:
    return label is None or type(label).__name__ == "NAType" or label != label
