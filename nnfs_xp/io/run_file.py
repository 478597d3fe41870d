"""Resumable training: its progress, and the checkpoint file of it."""

from __future__ import annotations

import contextlib
import json
import os
import reprlib
import time
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from nnfs_xp.errors import DivergenceError, FileFormatError, InputError
from nnfs_xp.io.atomic import checked_path
from nnfs_xp.io.checkpoint import read_checkpoint, write_checkpoint

# Properties of a model, and of a call of `fit`, that must not change.
_OF_MODEL = ("layers", "loss", "metrics", "dtype", "seed")
_TOTALS = "training.totals."
_NUMBER = (int, float)
# Entries of a training in a file, and their types. A rate may be a schedule.
_TYPES: dict[str, tuple[type, ...]] = {
    "plan": (dict,),
    "learning_rate": (*_NUMBER, dict, type(None)),
    "records": (list,),
    "begun": (bool,),
    "batch": (int,),
    "seconds": _NUMBER,
    "rate": (*_NUMBER, type(None)),
    "stopped": (bool,),
    "callbacks": (list,),
}
_TYPES_OF_CALLBACK: dict[str, tuple[type, ...]] = {
    "class": (str,),
    "place": (str,),
    "state": (dict,),
}
# The longest time between two files, whatever the length of an epoch.
_SECONDS = 600.0
_NOTHING = contextlib.nullcontext()


class Run:
    """The progress of a training, and its checkpoint file.

    Parameters
    ----------
    model : Model
    plan : FitPlan
    path : path, optional
        The file; without it, none is written.
    every : int, default 1
        Save after this many epochs.

    Attributes
    ----------
    records : list of dict
        Records of the completed epochs.
    begun : bool
        Whether callbacks know that the next one has begun.
    batch : int
        Completed batches of that epoch.
    seconds : float
        Their duration.
    rate : float or None
        Learning rate of the last batch.
    stopped : bool
        Whether a callback has ended the training.
    totals : dict of array
        Statistics of an epoch to continue, by name, until they are restored.
    """

    def __init__(
        self,
        model: Any,
        plan: Any,
        path: str | os.PathLike[str] | None = None,
        every: int = 1,
    ) -> None:
        self.path = None if path is None else checked_path(path, "checkpoint")
        self.every = every
        self.records: list[dict[str, Any]] = []
        self.begun, self.batch, self.stopped = False, 0, False
        self.seconds = 0.0
        self.rate: float | None = None
        self.totals: dict[str, Any] = {}
        self._model, self._plan = model, plan
        self._states: list[tuple[Any, dict[str, Any]]] = []
        self._epochs_before = model.epochs_trained
        self._first_rate = None if path is None else _optimizer_of(model.config())[1]
        # Whether the values in memory belong together, and whether they equal the
        # file's.
        self._whole, self._saved = True, False
        self._saved_at = time.monotonic()

    # While it is trained.

    def start(self) -> None:
        """Give callbacks their states, and save, so that errors show immediately."""
        for callback, state in self._states:
            try:
                callback.load_state_dict(state)
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                name = type(callback).__name__
                raise self._unusable(f"state of {name}: {error!r}") from error
        self.save()

    def undivided(self, interrupts: Any) -> contextlib.AbstractContextManager[None]:
        """Enclose changes that belong together in a file; they are not interrupted."""
        return _NOTHING if self.path is None else self._undivided(interrupts)

    @contextlib.contextmanager
    def _undivided(self, interrupts: Any) -> Iterator[None]:
        self._whole = self._saved = False
        with interrupts.held():
            yield
            self._whole = True

    def end_batch(self, batch: int, rate: float | None, began: float) -> None:
        """Note that a batch is complete, and that the callbacks know."""
        self.batch, self.rate, self.seconds = batch, rate, time.perf_counter() - began
        if time.monotonic() > self._saved_at + _SECONDS:
            self.save()

    def end_epoch(self) -> None:
        """Note that the callbacks know of the last record, and save if it is time."""
        self.begun, self.batch, self.seconds = False, 0, 0.0
        self.stopped, done = self._model.stop_training, len(self.records)
        if done % self.every == 0 or self.is_over:
            self.save()

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to train."""
        return self.stopped or len(self.records) >= self._plan.epochs

    def save_interrupted(self) -> None:
        """Save, unless the values in memory do not belong together."""
        if self._whole and not self._saved:
            self.save()

    def save(self) -> None:
        """Write the file, if one is kept."""
        if self.path is None:
            return
        model, state = self._model, self._model._ready
        named, states = state.export(), []
        if self.batch:
            totals = self.totals or state.export_totals()
            named |= {f"{_TOTALS}{name}": array for name, array in totals.items()}
        for number, callback in enumerate(self._plan.callbacks):
            found = callback.state_dict()
            if not found:
                continue
            place, plain = f"training.callbacks.{number}.", {}
            for name, value in found.items():
                if hasattr(value, "shape") and value.shape != ():
                    named[place + name] = _host(model, value)
                else:
                    plain[name] = value
            name = type(callback).__name__
            states.append({"class": name, "place": place, "state": plain})
        config = model.config()
        config["epochs_trained"] = self._epochs_before + len(self.records)
        config["training"] = _plain(
            {
                "plan": _facts(self._plan), "learning_rate": self._first_rate,
                "records": self.records, "begun": self.begun, "batch": self.batch,
                "seconds": self.seconds, "rate": self.rate, "stopped": self.stopped,
                "callbacks": states,
            }
        )  # fmt: skip
        # A training that has diverged does not replace a good file.
        with contextlib.suppress(DivergenceError):
            write_checkpoint(self.path, config, named)
        self._saved, self._saved_at = True, time.monotonic()

    # Resuming.

    def resume(self) -> None:
        """Take over model and training from the file, if there is one.

        Raises
        ------
        FileFormatError
            If the file is damaged or is not a checkpoint.
        InputError
            If it belongs to another model or training; nothing has changed then.
        """
        if self.path is None or not os.path.exists(self.path):
            return
        model, (config, named) = self._model, read_checkpoint(self.path)
        if "training" not in config:
            raise InputError(
                f"checkpoint: {self.path} has a model and no training to go "
                "on with; Model.load reads it"
            )
        training = config["training"]
        self._check_training(training, config["epochs_trained"])
        own = _plain(model.config())
        (kind, rate), (own_kind, own_rate) = _optimizer_of(config), _optimizer_of(own)
        asked = {"optimizer": own_kind} | {key: own[key] for key in _OF_MODEL}
        found = {"optimizer": kind} | {key: config[key] for key in _OF_MODEL}
        if model.steps_trained == 0 and own_rate not in (
            rate,
            training["learning_rate"],
        ):
            asked["learning_rate"] = own_rate
            found["learning_rate"] = training["learning_rate"]
        self._check_same(asked | _facts(self._plan), found | training["plan"])
        if not 0 <= training["batch"] <= len(self._plan.batches):
            raise self._unusable("batch")
        self._states = [
            (callback, _with_arrays(state, named))
            for callback, state in self._matched(training["callbacks"])
        ]
        state = model._ready
        try:
            state.check(named)
            if rate != own_rate:
                model.optimizer.learning_rate = rate
        except InputError as error:
            raise FileFormatError(f"{os.fspath(self.path)}: {error}") from error
        state.restore(named, config["epochs_trained"], config["steps_trained"])
        for name in ("records", "begun", "batch", "seconds", "rate", "stopped"):
            setattr(self, name, training[name])
        self._first_rate = training["learning_rate"]
        self._epochs_before = config["epochs_trained"] - len(self.records)
        self.totals = {
            name.removeprefix(_TOTALS): array
            for name, array in named.items()
            if name.startswith(_TOTALS)
        }

    def _check_training(self, training: Any, epochs: int) -> None:
        """Raise FileFormatError unless a training has the form that `save` writes."""
        self._check_types(training, _TYPES, "training")
        for state in training["callbacks"]:
            self._check_types(state, _TYPES_OF_CALLBACK, "callback")
        records = training["records"]
        numbers = [r.get("epoch") if isinstance(r, dict) else None for r in records]
        if numbers != list(range(epochs - len(records) + 1, epochs + 1)):
            raise self._unusable("records")

    def _check_types(
        self, value: Any, types: dict[str, tuple[type, ...]], name: str
    ) -> None:
        if not isinstance(value, dict):
            raise self._unusable(name)
        for key, expected in types.items():
            if not isinstance(value.get(key, ...), expected):
                raise self._unusable(key)

    def _unusable(self, what: str) -> FileFormatError:
        return FileFormatError(f"{os.fspath(self.path or '')} has no usable {what}")

    def _check_same(self, asked: dict[str, Any], found: dict[str, Any]) -> None:
        for key, value in asked.items():
            if value != found.get(key):
                raise InputError(
                    f"checkpoint: {os.fspath(self.path or '')} is of a training with "
                    f"{key} {reprlib.repr(found.get(key))}, and this one has "
                    f"{reprlib.repr(value)}"
                )

    def _matched(self, states: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
        """Return pairs of a callback and the saved state of one of its class."""
        left, pairs = list(self._plan.callbacks), []
        for state in states:
            names = [type(callback).__name__ for callback in left]
            if state["class"] not in names:
                raise InputError(
                    f"callbacks must hold a {state['class']}, as in the training of "
                    f"{os.fspath(self.path or '')}, got {names}"
                )
            pairs.append((left.pop(names.index(state["class"])), state))
        return pairs


def _optimizer_of(config: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return the optimizer of a configuration, and its learning rate by itself."""
    own = _plain(config["optimizer"]) or {}
    return own, own.pop("learning_rate", None)


def _facts(plan: Any) -> dict[str, Any]:
    """Return the facts that must agree for a training to be the same."""
    digest = 0
    for array in plan.ends:
        digest = zlib.crc32(np.asarray(array, dtype=np.float64).tobytes(), digest)
    return {
        "samples": plan.samples,
        "batch_size": plan.batch_size,
        "shuffle": plan.shuffle,
        "validation": plan.validation_samples,
        "data (a checksum of some rows)": digest,
    }


def _with_arrays(state: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    place = state["place"]
    arrays = {k.removeprefix(place): v for k, v in named.items() if k.startswith(place)}
    return {**state["state"], **arrays}


def _host(model: Any, array: Any) -> Any:
    return array if isinstance(array, np.ndarray) else model.backend.to_numpy(array)


def _plain(value: Any) -> Any:
    """Return a value as a file returns it: lists for tuples, plain numbers."""
    return json.loads(json.dumps(value, default=_plain_number))


def _plain_number(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise InputError(
        f"checkpoint: callbacks and records must hold what JSON can, got {value!r}"
    )
