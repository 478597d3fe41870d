"""The result of every loader of data sets."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import DTypeLike

from nnfs_xp.data.scaling import Scaling
from nnfs_xp.errors import DTypeError, InputError


# Without eq=False the generated __eq__ would compare arrays and raise.
@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled examples, split into a training and a test part.

    Parameters
    ----------
    name : str
        Name of the data set, or path of the file it came from.
    x_train, x_test : numpy.ndarray
        Raw features of shape (n, features), in the type they were stored in.
    y_train, y_test : numpy.ndarray
        Integer labels of shape (n,), or numbers in their own unit for a
        regression.
    class_names : tuple of str
        One name for each label from 0 up; empty for a regression.
    image_shape : tuple of int or None
        ``(height, width)`` or ``(height, width, channels)`` if a row is an image.
    scaling : Scaling
        What `features` does to the raw values.
    note : str
        One line on the source and on how the test part was chosen.
    columns : tuple of str
        The names of the features, if they have any.
    label : str, int or None
        Name or number of the column that held the answers of a table.
    target : Scaling or None
        For a regression, what `targets` does to the numbers to predict.
    one_hot : dict
        Columns of a table that were encoded, and their values; `load_examples` takes
        it to encode other rows in the same way.

    Raises
    ------
    InputError
        If shapes or lengths do not fit together.

    Examples
    --------
    >>> x, y = np.array([[0], [255]], dtype="uint8"), np.array([0, 1])
    >>> tiny = Dataset("tiny", x, y, x, y, ("dark", "light"), None,
    ...                Scaling(127.5, 127.5), "made up")
    >>> tiny.n_features, tiny.n_classes
    (1, 2)
    >>> tiny.features("test").tolist()
    [[-1.0], [1.0]]
    """

    name: str
    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    class_names: tuple[str, ...]
    image_shape: tuple[int, ...] | None
    scaling: Scaling
    note: str
    columns: tuple[str, ...] = ()
    label: str | int | None = None
    target: Scaling | None = None
    one_hot: dict[str | int, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that the arrays fit together."""
        for split in ("train", "test"):
            x, y = getattr(self, f"x_{split}"), getattr(self, f"y_{split}")
            if x.ndim != 2:
                raise InputError(
                    f"x_{split} must have shape (n, features), not {x.shape}"
                )
            if y.dtype.kind not in ("iu" if self.target is None else "iuf"):
                raise DTypeError(f"y_{split} must hold integers, not {y.dtype}")
            if y.shape != x.shape[:1]:
                raise InputError(
                    f"y_{split} must have shape ({x.shape[0]},) to go with "
                    f"x_{split}, not {y.shape}"
                )
        if self.x_test.shape[1] != self.n_features:
            raise InputError(
                f"x_test has {self.x_test.shape[1]} features and x_train "
                f"has {self.n_features}"
            )
        shape = self.image_shape
        if shape is not None and math.prod(shape) != self.n_features:
            raise InputError(
                f"image_shape {shape} does not fit {self.n_features} features"
            )

    @property
    def n_features(self) -> int:
        """Number of values in a row."""
        return int(self.x_train.shape[1])

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for a regression."""
        return len(self.class_names)

    @property
    def task(self) -> str:
        """``"classification"`` or ``"regression"``."""
        return "classification" if self.target is None else "regression"

    def features(self, split: str, dtype: DTypeLike = "float32") -> np.ndarray:
        """Return the scaled features of one part.

        Parameters
        ----------
        split : {"train", "test"}
            Which part.
        dtype : dtype, default "float32"
            Floating type of the result.

        Returns
        -------
        numpy.ndarray
            A new array of shape (n, features).

        Raises
        ------
        InputError
            If `split` is neither of the two, or `dtype` is not a floating type.
        """
        return self.scaling.apply(self._of("x", split), dtype)

    def targets(self, split: str, dtype: DTypeLike = "float32") -> np.ndarray:
        """Return what a network is trained on: labels, or scaled numbers.

        Parameters
        ----------
        split : {"train", "test"}
            Which part.
        dtype : dtype, default "float32"
            Floating type of the numbers of a regression.

        Returns
        -------
        numpy.ndarray
            Labels of shape (n,), or numbers of shape (n, 1), which
            ``target.undo`` brings back into their own unit.

        Raises
        ------
        InputError
            As for `features`.
        """
        y = self._of("y", split)
        return y if self.target is None else self.target.apply(y[:, None], dtype)

    def _of(self, kind: str, split: str) -> np.ndarray:
        if split not in ("train", "test"):
            raise InputError(f"split must be 'train' or 'test', not {split!r}")
        array: np.ndarray = getattr(self, f"{kind}_{split}")
        return array
