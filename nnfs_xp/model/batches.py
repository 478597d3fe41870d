"""Batches of an iterable, such as a generator or a `DataLoader` of PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Backend, library_of
from nnfs_xp.backends.detect import array_device
from nnfs_xp.engine.data import Data
from nnfs_xp.engine.given_batches import GivenPlan, Seen
from nnfs_xp.engine.network import Network
from nnfs_xp.errors import DTypeError, InputError
from nnfs_xp.model import inputs
from nnfs_xp.model.columns import check_same_columns, names_of

_END = object()
# Attributes of arrays and tables that cannot be indexed; iterables of batches have none
# of them.
_OF_ARRAYS = ("__array__", "__dlpack__", "toarray", "todense")


def gives_batches(value: Any, name: str = "x", *, lists: bool = True) -> bool:
    """Return whether something is an iterable of batches, and not an array.

    Parameters
    ----------
    value : object
        What a user gives for samples, or for samples and targets.
    name : str
        The argument's name, for messages.
    lists : bool, default True
        Whether a list of batches ``(x, y)`` is one.

    Raises
    ------
    DTypeError
        If it is what gives batches or samples in another way.
    """
    if any(hasattr(value, attribute) for attribute in _OF_ARRAYS):
        return False
    _check_is_data(value, name)
    if isinstance(value, (list, tuple)):
        return lists and bool(value) and all(map(_is_batch, value))
    return hasattr(value, "__iter__") and not hasattr(value, "__getitem__")


def _is_batch(value: Any) -> bool:
    """Return whether something is a tuple of arrays ``(x, y)``, maybe with weights."""
    return (
        isinstance(value, tuple)
        and len(value) in (2, 3)
        and all(map(_is_array, value[1:]))
        and (_is_array(value[0]) or _are_arrays(value[0]))
    )


def _are_arrays(value: Any) -> bool:
    """Return whether something is a tuple of arrays, one for each input of a model."""
    return isinstance(value, tuple) and bool(value) and all(map(_is_array, value))


def _is_array(value: Any) -> bool:
    return any(hasattr(value, attribute) for attribute in _OF_ARRAYS)


def _check_is_data(value: Any, name: str) -> None:
    """Raise DTypeError for a function, or for a data set that is read by index."""
    kind = type(value).__name__
    iterates, is_read = hasattr(value, "__iter__"), hasattr(value, "__getitem__")
    if callable(value) and not (iterates or is_read):
        raise DTypeError(f"{name} is a {kind}; call it, and give what it returns")
    of_torch = any(
        cls.__module__.startswith("torch.utils.data") for cls in type(value).__mro__
    )
    if of_torch and is_read:
        raise DTypeError(
            f"{name} is a {kind}, which gives single samples; use "
            f"torch.utils.data.DataLoader({name}, batch_size=...)"
        )
    if is_read and hasattr(value, "on_epoch_end"):
        raise DTypeError(
            f"{name} is a {kind}, whose batches are read by index; use a generator of "
            f"them with steps_per_epoch=len({name})"
        )


class GivenBatches:
    """Batches to evaluate or to predict, checked one by one.

    Parameters
    ----------
    network : Network
    given : iterable
        Gives batches ``(x, y)`` or ``(x, y, sample_weight)``, as tuples or lists.
    name : str
        The argument's name, for messages.
    targets : bool, default True
        Whether they are needed. If not, a batch may be `x` alone.
    finite : bool, default False
        Whether samples must be finite.

    Attributes
    ----------
    first : Data
    columns_of_first : list of str or None
        The names of the columns of the first batch, if it is a table.
    """

    def __init__(
        self, network: Network, given: Any, name: str, *, targets: bool = True,
        finite: bool = False,
    ) -> None:  # fmt: skip
        self._network, self._given, self._name = network, given, name
        self._targets, self._finite = targets, finite
        self._iterator: Iterator[Any] | None = iter(given)
        self._number = 0
        self._some_count = False
        self.columns_of_first: list[str] | None = None
        self.first = self._checked(next(self._iterator, _END))

    @property
    def is_used_up(self) -> bool:
        """Whether the batches come only once."""
        return iter(self._given) is self._given

    @property
    def outputs(self) -> Any:
        """Shape of the model's output for one sample."""
        return self.first.outputs

    @property
    def sample(self) -> Any:
        """Shape of a sample of the first batch, or one for each input."""
        return self.first.sample

    @property
    def samples(self) -> int:
        """Number of rows of the first batch."""
        return self.first.samples

    @property
    def weighted(self) -> bool:
        """Whether the samples have weights."""
        return self.first.weighted

    def parts(self, batch_size: int | None) -> Iterator[Data]:
        """Yield all batches as they come, whatever the `batch_size`."""
        iterator, self._iterator = self._iterator, None
        if iterator is not None:
            yield self.first
        else:
            iterator, self._number = iter(self._given), 0
        for batch in iterator:
            yield self._checked(batch)
        self._check_some_count()

    def _check_some_count(self) -> None:
        """Raise InputError if all samples since the last call have the weight 0."""
        counted, self._some_count = self._some_count, False
        if not counted:
            raise InputError(
                f"{self._name} must give a sample that counts; all have the weight 0 "
                f"in {self._network.loss!r} or in their batch"
            )

    def _checked(self, batch: Any) -> Data:
        """Return a batch as checked data, or say what is wrong with it."""
        self._number += 1
        name = f"{self._name}, batch {self._number}:"
        if batch is _END:
            raise InputError(f"{self._name} gives no batches")
        several = isinstance(batch, (tuple, list))
        be = self._network.backend
        x = batch[0] if several and batch else batch
        try:
            check_same_columns(self.columns_of_first, x, "x", "the first batch has")
            if not self._targets:
                data = inputs.check_samples(self._network, _plain(be, x))
            elif several and len(batch) in (2, 3):
                data = inputs.check_data(
                    self._network, *(_plain(be, a) for a in batch), finite=self._finite
                )
            else:
                shown = f"{len(batch)} parts" if several else type(batch).__name__
                raise InputError(
                    f"must be (x, y) or (x, y, sample_weight), got {shown}"
                )
            first = self.first if self._number > 1 else data
            if data.weighted is not first.weighted:
                raise InputError("must have weights in all batches, or in none")
            if data.outputs != first.outputs:
                raise InputError(
                    f"must be of samples like those of the first batch: outputs have "
                    f"shape {data.outputs}, and there {first.outputs}"
                )
        except InputError as error:
            raise type(error)(f"{name} {error}") from error
        self._some_count = (
            self._some_count
            or not self._targets
            or inputs.some_count(self._network, data)
        )
        if self._number == 1:
            self.columns_of_first = names_of(x)
        return data


class TrainingBatches(GivenBatches):
    """Batches to train on, a fixed number for each epoch.

    Parameters
    ----------
    network, given, name
        As for `GivenBatches`.
    steps : int or None
        Batches per epoch; each epoch continues where the last one ended. None means all
        of them.

    Attributes
    ----------
    seen : Seen
        Rows of the batches of the current epoch.
    """

    plan = GivenPlan

    def __init__(self, network: Network, given: Any, name: str, steps: Any) -> None:
        self._goes_on = steps is not None
        if steps is None:
            try:
                steps = len(given)
            except TypeError as error:
                raise InputError(
                    "steps_per_epoch must say how many batches an epoch has, as "
                    f"{name}, a {type(given).__name__}, has no length"
                ) from error
        self.seen = Seen(check_count(steps, "steps_per_epoch"))
        super().__init__(network, given, name, finite=True)
        self._waiting: Data | None = self.first

    def restart(self) -> None:
        """Begin an epoch."""
        self.seen.restart()
        if self._waiting is None and not (self._goes_on or self.is_used_up):
            self._iterator, self._number = iter(self._given), 0

    def fetch(self) -> None:
        """Wait for the next batch, unless there is one already."""
        if self._waiting is not None:
            return
        assert self._iterator is not None
        batch = next(self._iterator, _END)
        if batch is _END and self._goes_on and not self.is_used_up:
            self._iterator, self._number = iter(self._given), 0
            batch = next(self._iterator, _END)
        if batch is _END:
            raise InputError(
                f"{self._name} has ended after {self._number} batches, and "
                f"{self.seen.count} are needed for each epoch"
            )
        self._waiting = self._checked(batch)

    def take(self) -> Data:
        """Return the batch that was fetched."""
        data, self._waiting = self._waiting, None
        assert data is not None
        self.seen.add(data.samples)
        if self.seen.is_complete:
            self._check_some_count()
        return data


def _plain(be: Backend, value: Any) -> Any:
    """Return CPU tensors of PyTorch as NumPy arrays, unless that is their backend.

    Loaders yield such tensors. The arrays share their memory, so nothing is copied.
    """
    if isinstance(value, tuple):
        return tuple(_plain(be, item) for item in value)
    if library_of(value) != "torch" or value.device.type != "cpu":
        return value
    at_home = be.name == "torch" and array_device(value) == be.device
    return value if at_home else value.detach().numpy()


def training_data(
    network: Network, x: Any, y: Any, sample_weight: Any, steps: Any, **others: Any
) -> tuple[Data, TrainingBatches | None]:
    """Return checked data, and the source of the batches if there is one.

    With a source, the data is the first batch. `others` are arguments for arrays only,
    each with its default.
    """
    if not gives_batches(x, lists=y is None):
        if steps is not None:
            raise InputError(
                "steps_per_epoch must be omitted if x is an array of all samples"
            )
        _check_given(y)
        return inputs.check_data(network, x, y, sample_weight, finite=True), None
    _check_left_out(y=(y, None), sample_weight=(sample_weight, None), **others)
    for unit in (network.loss, *network.metrics):
        if unit.needs_all_targets:
            raise InputError(
                f"{unit!r} takes a setting from all targets, which batches do not show "
                "beforehand; give the setting, or arrays"
            )
    source = TrainingBatches(network, x, "x", steps)
    return source.first, source


def validation_data(network: Network, given: Any, **others: Any) -> Data | GivenBatches:
    """Return data to validate on after each epoch; see `training_data`."""
    if not gives_batches(given, "validation_data"):
        return inputs.check_validation(network, given)
    _check_left_out(**others)
    source = GivenBatches(network, given, "validation_data", finite=True)
    if source.is_used_up:
        raise InputError(
            "validation_data must be an iterable that can be repeated after each "
            f"epoch, got a {type(given).__name__}, which can be iterated only once"
        )
    return source


def evaluation_data(
    network: Network, x: Any, y: Any, sample_weight: Any
) -> Data | GivenBatches:
    """Return data to evaluate on."""
    if not gives_batches(x, lists=y is None):
        _check_given(y)
        data = inputs.check_data(network, x, y, sample_weight)
        inputs.check_some_count(network, data)
        return data
    _check_left_out(y=(y, None), sample_weight=(sample_weight, None))
    return GivenBatches(network, x, "x")


def samples(network: Network, x: Any) -> Data | GivenBatches:
    """Return samples to predict for."""
    if not gives_batches(x, lists=False):
        return inputs.check_samples(network, x)
    return GivenBatches(network, x, "x", targets=False)


def _check_given(y: Any) -> None:
    """Raise InputError if there are no targets."""
    if y is None:
        raise DTypeError(
            "y: expected real numbers, got None; it is omitted only if x yields "
            "batches, or is a list of them, all tuples (x, y)"
        )


def _check_left_out(**arguments: tuple[Any, Any]) -> None:
    """Raise InputError if an argument is not its default."""
    for name, (value, default) in arguments.items():
        if value is not default and (default is None or value != default):
            raise InputError(
                f"{name} must be omitted if x yields batches (x, y), which are used "
                "unchanged"
            )
