"""What every loader returns."""

from __future__ import annotations

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
        Integer labels of shape (n,).
    class_names : tuple of str
        One name for each label from 0 up.
    image_shape : tuple of int or None
        ``(height, width)`` if a row is an image.
    scaling : Scaling
        What `features` does to the raw values.
    note : str
        One line on the source and on how the test part was chosen.

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
    image_shape: tuple[int, int] | None
    scaling: Scaling
    note: str

    def __post_init__(self) -> None:
        """Check that the arrays fit together."""
        for split in ("train", "test"):
            x, y = getattr(self, f"x_{split}"), getattr(self, f"y_{split}")
            if x.ndim != 2:
                raise InputError(
                    f"x_{split} must have shape (n, features), not {x.shape}"
                )
            if y.dtype.kind not in "iu":
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
        if shape is not None and shape[0] * shape[1] != self.n_features:
            raise InputError(
                f"image_shape {shape} does not fit {self.n_features} features"
            )

    @property
    def n_features(self) -> int:
        """Number of values in a row."""
        return int(self.x_train.shape[1])

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

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
        if split not in ("train", "test"):
            raise InputError(f"split must be 'train' or 'test', not {split!r}")
        raw = self.x_train if split == "train" else self.x_test
        return self.scaling.apply(raw, dtype)
