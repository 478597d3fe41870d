"""The meaning of a column of answers: classes, or numbers to predict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnfs_xp.errors import FileFormatError, InputError

TASKS = ("classification", "regression")
# A label beyond this is a measurement or a row number, and one class name for
# each value below it would fill the memory.
MOST_CLASSES = 2**16
# More distinct numbers than this are measurements, if there are gaps between them.
_FEW_VALUES = 20


def as_column(y: np.ndarray) -> np.ndarray:
    """Return answers of shape (n,), given as such, as a column or as one-hot rows.

    Examples
    --------
    >>> as_column(np.array([[0, 0, 1], [1, 0, 0]])).tolist()
    [2, 0]
    >>> as_column(np.array([[0.5], [1.5]])).tolist()
    [0.5, 1.5]
    """
    if y.ndim == 2 and y.shape[1] == 1:
        return y[:, 0]
    flags = y.ndim == 2 and y.dtype.kind in "biuf" and bool(((y == 0) | (y == 1)).all())
    return y.argmax(axis=1) if flags and (y.sum(axis=1) == 1).all() else y


def task_of(y: np.ndarray) -> str:
    """Return the task that answers of shape (n,) suggest.

    It is regression if they are numbers and one of them is not whole, or if there are
    more than twenty different ones with gaps between them. Otherwise it is
    classification.

    Examples
    --------
    >>> task_of(np.array([1.0, 2.0, 2.0])), task_of(np.array([1.0, 2.5, 2.0]))
    ('classification', 'regression')
    >>> task_of(np.arange(100)), task_of(np.arange(0, 100_000, 1000))
    ('classification', 'regression')
    """
    if y.dtype.kind not in "iuf":
        return "classification"
    values = np.unique(y)
    whole = bool((values % 1 == 0).all())
    # As Python's numbers: a difference of small types may exceed them.
    gaps = values[-1].item() - values[0].item() >= len(values)
    measured = len(values) > _FEW_VALUES and gaps
    return "classification" if whole and not measured else "regression"


def number_names(count: int) -> tuple[str, ...]:
    """Return names for classes that are known only by their numbers."""
    return tuple(map(str, range(count)))


def numbered(
    source: str, y: np.ndarray, class_names: Sequence[str] | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return integer labels and the names of their classes.

    Parameters
    ----------
    source : str
        Where the answers came from, for messages.
    y : numpy.ndarray
        Whole numbers, booleans or names, of shape (n,). Numbers from 0 up stay
        what they are. Names, and numbers of which some are negative, are
        numbered in sorted order.
    class_names : sequence of str, optional
        The classes of a model, by which names are numbered instead.

    Returns
    -------
    labels : numpy.ndarray
    class_names : tuple of str

    Raises
    ------
    FileFormatError
        If a number is not whole, or too large for a class.
    InputError
        If a name is none of `class_names`.

    Examples
    --------
    >>> numbered("a.csv", np.array(["oak", "iris", "oak"]))
    (array([1, 0, 1]), ('iris', 'oak'))
    >>> numbered("a.csv", np.array([-1.0, 1.0]))
    (array([0, 1]), ('-1', '1'))
    """
    numeric = y.dtype.kind in "iuf"
    for row in np.flatnonzero(y % 1 != 0)[:1] if numeric else ():
        raise FileFormatError(
            f"{source}: classes must be whole numbers or names, not {y[row]} in row "
            f"{row} (counting from 0); is this a regression?"
        )
    values, places = np.unique(y, return_inverse=True)
    names = [str(int(value)) if numeric else str(value) for value in values]
    positive = numeric and values[0] >= 0
    if class_names is not None:
        known = list(class_names)
        unknown = [name for name in names if name not in known]
        if not unknown:
            return np.array([known.index(name) for name in names])[places], tuple(known)
        # If the class names are words, numbers are positions among them.
        if not positive or any(name.lstrip("-").isdigit() for name in known):
            raise InputError(
                f"{source}: class {unknown[0]!r} is not one of {', '.join(known)}"
            )
    if not numeric and all(name.isdigit() for name in names):
        # The folder "9" comes before "10".
        order = np.argsort([int(name) for name in names])
        return np.argsort(order)[places], tuple(names[i] for i in order)
    if not positive:
        return places, tuple(names)
    if values[-1] >= MOST_CLASSES:
        raise FileFormatError(
            f"{source}: classes must be numbers from 0 to {MOST_CLASSES - 1}, not "
            f"{values[-1]}; is this a regression?"
        )
    labels = y if y.dtype.kind in "iu" else y.astype(np.int64)
    return labels, number_names(int(values[-1]) + 1)
