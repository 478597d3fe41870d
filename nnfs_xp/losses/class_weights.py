"""Class weights: given, or computed from the labels of the training data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nnfs_xp.arguments import check_count, check_rate, check_rates
from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError

BALANCED = "balanced"


class ClassWeights:
    """One weight of 0 or more for each class.

    Parameters
    ----------
    given : sequence of float, dict of int to float, or "balanced"
        The weights of class 0, class 1 and so on; the weights of some labels, with 1
        for the others; or weights that `balance` will compute.
    name : str
        The argument's name, for messages.
    """

    def __init__(self, given: Any, name: str = "class_weight") -> None:
        self.name, self.given = name, given
        self._what = "classes" if name == "class_weight" else "outputs"
        self._values: tuple[float, ...] | None = None
        self._placed: dict[Backend, Array] = {}
        if isinstance(given, dict):
            self.given = _checked_labels(given, name)
        elif not isinstance(given, str):
            self.given = self._values = check_rates(given, name)
        elif given != BALANCED:
            raise InputError(
                f"{name} must hold numbers, or labels and their weights, or be "
                f"'balanced', got {given!r}"
            )

    @property
    def shown(self) -> Any:
        """The given weights, or those that `balance` has computed."""
        return self._values if self.given == BALANCED and self._values else self.given

    @property
    def are_unknown(self) -> bool:
        """Whether `balance` still has to compute them."""
        return self.given == BALANCED and self._values is None

    @property
    def values(self) -> tuple[float, ...]:
        """The weight of each class."""
        if self._values is None:
            raise InputError(
                f"{self.name}='balanced' needs the labels of training data, which "
                "Model.fit uses; before that, or without a model, give the weights"
            )
        return self._values

    def check_classes(self, n_classes: int | None) -> None:
        """Raise InputError if the numbers of classes and weights differ."""
        if n_classes is None:
            return
        if isinstance(self.given, dict) and self._values is None:
            if max(self.given) >= n_classes:
                raise InputError(
                    f"{self.name} must hold labels from 0 to {n_classes - 1}, "
                    f"got {max(self.given)}"
                )
            self._values = tuple(self.given.get(k, 1.0) for k in range(n_classes))
        if self._values is not None and len(self._values) != n_classes:
            raise InputError(
                f"{self.name} must hold a weight for each of {n_classes} {self._what}, "
                f"got {len(self._values)}"
            )

    def balance(self, be: Backend, totals: Iterable[Array]) -> bool:
        """Compute the weights from the number of samples of each class, if not given.

        The weight of a class is ``n / (k n_j)``, with n samples, k classes that occur
        and n_j samples of the class. A class that does not occur has the weight 1.
        """
        if self._values is not None:
            return False
        found = [float(total) for total in be.read(list(totals))]
        occurring = sum(n > 0 for n in found)
        self._values = tuple(sum(found) / (occurring * n) if n else 1.0 for n in found)
        return True

    def place(self, be: Backend) -> None:
        """Move the weights to a device, once, before a step needs them there.

        Inside a step, it would be a copy from the host every time, which a compiled
        step could not include.
        """
        if be not in self._placed and self._values is not None:
            self._placed[be] = self._array(be)

    def on(self, be: Backend) -> Array:
        """Return the weights as an array of shape (classes,)."""
        return self._placed[be] if be in self._placed else self._array(be)

    def _array(self, be: Backend) -> Array:
        return be.asarray(self.values, be.dtype)


class Weighted:
    """A loss that may have class weights."""

    _weights: ClassWeights | None

    @property
    def class_weight(self) -> Any:
        """The class weights as they were given or computed; None if all are 1."""
        return None if self._weights is None else self._weights.shown

    @property
    def needs_all_targets(self) -> bool:
        """Whether balanced weights still have to be computed from them."""
        return self._weights is not None and self._weights.are_unknown


def _checked_labels(given: dict[Any, Any], name: str) -> dict[int, float]:
    """Return weights by labels; those of a file are strings."""
    if not given:
        raise InputError(f"{name} must hold the weight of a label, got {given!r}")
    return {
        check_count(
            int(label) if isinstance(label, str) and label.isdecimal() else label,
            f"labels of {name}",
            least=0,
        ): check_rate(weight, f"{name}[{label}]")
        for label, weight in given.items()
    }
