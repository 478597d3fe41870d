"""One bad input given to one library, and what came of it."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import math
import os
import tempfile
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import nnfs_xp
from nnfs_xp import Backend

BACKENDS = ("numpy", "array_api_strict", "torch", "jax")
# Rivals, and the backend of Keras.
RIVALS = ("torch", "keras-jax", "keras-torch", "sklearn")
ACCEPTED, WARNED = "accepted silently", "accepted with a warning"
NAN, NOTHING = "NaN result", "not applicable"
MEANT = "documented meaning"
# scikit-learn says that two epochs are few, and that it takes a column for a vector.
BESIDE_THE_POINT = ("ConvergenceWarning", "DataConversionWarning")
CHANGED = ", but something changed"


class ExitStatus(Exception):
    """A command has ended with another status than 0."""


class Trial:
    """What a program may use, and what must not change if it is refused."""

    def __init__(self, folder: Path, be: Backend | None = None) -> None:
        self.folder, self.be = folder, be
        self.watched: list[tuple[Any, dict[str, Any]]] = []

    def watch(self, thing: Any) -> Any:
        """Remember the state of a model, a layer or a folder, and return it."""
        self.watched.append((thing, state_of(thing)))
        return thing

    @property
    def changed(self) -> bool:
        """Whether anything that is watched is not as it was, bit for bit."""
        try:
            return any(not same(state_of(it), state) for it, state in self.watched)
        # Weights of a model that has lost them cannot be read.
        except Exception:
            return True


# Gets the library, the trial and the value.
Program = Callable[[ModuleType, Trial, Any], Any]


@dataclasses.dataclass(frozen=True)
class Case:
    """A bad value in one place, and a program of each library that has the place."""

    door: str
    call: str
    # What the message of nnfs_xp must name.
    argument: str
    label: str
    value: Any
    good: Any
    programs: dict[str, Program]
    # Whether it concerns no backend.
    host: bool
    # Libraries whose documentation gives the value a meaning.
    meant: tuple[str, ...]

    @property
    def id(self) -> str:
        """A name that no other case has."""
        return id_of(self.door, self.call, self.label)

    @property
    def backends(self) -> tuple[str, ...]:
        """Where nnfs_xp is tried."""
        return ("numpy",) if self.host else BACKENDS


def id_of(door: str, call: str, label: str) -> str:
    """Return the name of a case."""
    return f"{door}: {call}: {label}"


def cases_of(
    door: str,
    call: str,
    argument: str,
    good: Any,
    bad: dict[str, Any] | Iterable[Any],
    host: bool = False,
    meant: dict[str, list[str]] | None = None,
    **programs: Program | None,
) -> list[Case]:
    """Return the cases of one place: one for each bad value.

    `meant` lists by library the values that are not bad there.
    """
    values = bad if isinstance(bad, dict) else {repr(value): value for value in bad}
    own = {name: program for name, program in programs.items() if program is not None}
    there = {
        label: tuple(name for name, labels in (meant or {}).items() if label in labels)
        for label in values
    }
    return [
        Case(door, call, argument, label, value, good, own, host, there[label])
        for label, value in values.items()
    ]


def state_of(thing: Any) -> dict[str, Any]:
    """Return everything of a thing that a refused call must leave as it was."""
    if isinstance(thing, Path):
        return {str(p): p.read_bytes() for p in thing.rglob("*") if p.is_file()}
    if isinstance(thing, nnfs_xp.Model):
        return {**thing._state.export(), "epochs": thing.epochs_trained}
    if isinstance(thing, nnfs_xp.layers.Layer):
        be = thing._backend or nnfs_xp.get_backend("numpy")
        values = {n: be.to_numpy(getattr(thing, n)) for n in thing.parameters()}
        seen = [
            name for name in ("inputs", "output", "dinputs") if hasattr(thing, name)
        ]
        return {**values, "seen": seen}
    if hasattr(thing, "state_dict"):
        return {name: v.clone().numpy() for name, v in thing.state_dict().items()}
    if hasattr(thing, "get_weights"):
        return {str(i): np.array(v) for i, v in enumerate(thing.get_weights())}
    # What an estimator of scikit-learn has learned.
    return {n: copy.deepcopy(v) for n, v in vars(thing).items() if n.endswith("_")}


def same(one: Any, other: Any) -> bool:
    """Return whether two states are the same, bit for bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray) and one.dtype != object:
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    return repr(one) == repr(other)


def library_of(name: str) -> ModuleType:
    """Import a library; that of Keras needs KERAS_BACKEND."""
    if name == "nnfs_xp":
        return nnfs_xp
    if name.startswith("keras"):
        backend = name.partition("-")[2]
        if os.environ.setdefault("KERAS_BACKEND", backend) != backend:
            raise RuntimeError("another process is needed for another KERAS_BACKEND")
        import keras

        return keras
    if name == "sklearn":
        import sklearn.metrics
        import sklearn.neural_network

        return sklearn
    import torch

    return torch


def outcome(
    case: Case, name: str, be: Backend | None = None, good: bool = False
) -> str:
    """Return what a library does with the value of a case, or with a good one."""
    library = name.partition("-")[0]
    program = case.programs.get(library)
    if program is None:
        return NOTHING
    if library in case.meant and not good:
        return MEANT
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder), be)
        error, result, warned = attempt(
            program, library_of(name), trial, case.good if good else case.value
        )
        if error is not None:
            kind = str(error) if type(error) is ExitStatus else type(error).__name__
            return f"refused ({kind.splitlines()[0]}){CHANGED if trial.changed else ''}"
        states = [state_of(thing) for thing, _ in trial.watched]
    if not finite([result, states]):
        return NAN
    return WARNED if warned else ACCEPTED


def attempt(
    program: Program, library: ModuleType, trial: Trial, value: Any
) -> tuple[BaseException | None, Any, bool]:
    """Run a program; return its exception, its result and whether it has warned."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        np.errstate(all="ignore"),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        try:
            result = program(library, trial, value)
        # Whatever a library raises is a refusal.
        except Exception as error:
            return error, None, False
    told = [w.category for w in caught if issubclass(w.category, UserWarning)]
    return None, result, any(kind.__name__ not in BESIDE_THE_POINT for kind in told)


def finite(values: Any) -> bool:
    """Return whether all numbers that can be found in something are finite."""
    if isinstance(values, dict):
        return finite(list(values.values()))
    if isinstance(values, (list, tuple)):
        return all(map(finite, values))
    if isinstance(values, (str, bytes, Path)) or values is None:
        return True
    if isinstance(values, float):
        return math.isfinite(values)
    try:
        array = np.asarray(values.detach() if hasattr(values, "detach") else values)
        return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())
    except (TypeError, ValueError):
        return True
