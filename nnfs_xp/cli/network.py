"""The network of a training and its optimizer: as asked for, or as suits the data."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import itertools
import json
import math
from typing import Any

from nnfs_xp.activations import Linear, Softmax
from nnfs_xp.arguments import check_share
from nnfs_xp.cli.nets import layers_for_pictures
from nnfs_xp.data import Dataset
from nnfs_xp.errors import InputError
from nnfs_xp.layers import Dense, Dropout, Layer
from nnfs_xp.optimizers import Adam, AdamW, Optimizer
from nnfs_xp.registry import find, resolve, resolve_activation
from nnfs_xp.schedules import Schedule


@dataclasses.dataclass(frozen=True)
class Preset:
    """Settings that suit a data set, for what the user does not set.

    Attributes
    ----------
    hidden : tuple of tuples of int
        Neurons of the hidden layers, grouped as the command line groups them.
    epochs, batch_size : int
    lr, weight_decay : float
        Learning rate and weight decay of AdamW, which is Adam without decay.
    schedule : str or None
        Name of the schedule of this rate.
    """

    hidden: tuple[tuple[int, ...], ...]
    epochs: int
    batch_size: int
    lr: float
    weight_decay: float = 0.0
    schedule: str | None = None


# The book's network for Fashion-MNIST, and smaller ones for smaller data.
_PRESETS = {
    "fashion-mnist-mini": Preset(((128, 128),), 15, 128, 0.001),
    "fashion-mnist": Preset(((128, 128),), 10, 128, 0.001),
    "digits": Preset(((128, 64),), 30, 64, 0.001),
    "spiral": Preset(((64, 64),), 150, 32, 0.02),
    "vertical": Preset(((64,),), 100, 32, 0.01),
}
_CNN = Preset((), 10, 64, 0.003, schedule="one_cycle")


def with_what_suits(data: Dataset, options: argparse.Namespace) -> argparse.Namespace:
    """Return options, with settings that suit the data where the user gives none."""
    known = _CNN if options.net == "cnn" else _PRESETS.get(options.data)
    return with_preset(known or preset_for(data), options)


def with_preset(preset: Preset, options: argparse.Namespace) -> argparse.Namespace:
    """Return options, with those of a preset where the user gives none.

    A rate that suits Adam suits no other optimizer. If only another optimizer is named,
    `lr` is therefore None, and there is no schedule.
    """
    settings, given = vars(preset), vars(options)
    if options.optimizer is not None:
        settings = {**settings, "lr": None}
    elif options.schedule is None and preset.schedule is not None:
        given = {**given, "schedule": [preset.schedule]}
    return argparse.Namespace(**{**settings, **given})


def preset_for(data: Dataset) -> Preset:
    """Return what suits a file of the user's own, by its number of rows."""
    rows = len(data.x_train)
    small = rows < 1000
    batch_size = 32 if small else 128
    steps_of_epoch = math.ceil(rows / batch_size)
    if data.task == "classification":
        epochs = max(30, math.ceil(600 / steps_of_epoch))
        return Preset(((128, 128),), epochs, batch_size, 0.001)
    epochs = max(30, math.ceil(2000 / steps_of_epoch))
    # A network that is large for its number of rows memorizes the noise of
    # measurements.
    hidden, decay = (((64,),), 0.5) if small else (((64, 64),), 0.05)
    return Preset(hidden, epochs, batch_size, 0.003, weight_decay=decay)


def layers_for(data: Dataset, options: argparse.Namespace) -> list[Layer]:
    """Return dense layers with activations, and a softmax at the end for classes.

    With ``--net cnn`` convolutions stand before them.
    """
    if options.net == "cnn":
        return layers_for_pictures(data)
    sizes = [data.n_features, *hidden_sizes(options), data.n_classes or 1]
    layers: list[Layer] = []
    check_share(options.dropout, "dropout")
    for n_inputs, n_neurons in itertools.pairwise(sizes[:-1]):
        layers += [Dense(n_inputs, n_neurons), _activation(options.activation)]
        if options.dropout:
            layers.append(Dropout(options.dropout))
    last = Softmax() if data.n_classes else Linear()
    return [*layers, Dense(*sizes[-2:]), last]


def hidden_sizes(options: argparse.Namespace) -> list[int]:
    """Return the neurons of each hidden layer.

    Raises
    ------
    InputError
        If one of several layers has 0 neurons.
    """
    found = [size for group in options.hidden for size in group]
    if found == [0]:
        return []
    if 0 in found:
        raise InputError(
            "hidden: 0 means no hidden layer and must be alone, got "
            + " ".join(map(str, found))
        )
    return found


def _activation(name: str) -> Layer:
    made: Layer = resolve_activation(name, "activation")
    return made


def optimizer_for(options: argparse.Namespace, steps: int) -> Optimizer:
    """Return the optimizer of a training of this many steps.

    Without ``--optimizer`` it is the one that suits the data: Adam, or AdamW if weights
    are to decay.
    """
    if options.optimizer is None:
        decay = options.weight_decay
        rate = _rate(options, options.lr, steps)
        return AdamW(rate, weight_decay=decay) if decay else Adam(rate)
    name, settings = _unit_in_words(options.optimizer, "optimizer")
    if "learning_rate" in settings and (options.lr, options.schedule) != (None, None):
        raise InputError(
            "optimizer: learning_rate is given by --lr or --schedule as well; leave "
            "out one of the two"
        )
    default = inspect.signature(find("optimizer", name, "optimizer")).parameters[
        "learning_rate"
    ].default  # fmt: skip
    rate = default if options.lr is None else options.lr
    known = {"learning_rate": _rate(options, rate, steps)}
    made: Optimizer = _made("optimizer", name, known, settings)
    return made


def _rate(options: argparse.Namespace, rate: float, steps: int) -> float | Schedule:
    """Return a rate, or the schedule that begins with it or rises to it."""
    if options.schedule is None:
        return rate
    name, settings = _unit_in_words(options.schedule, "schedule")
    takes = inspect.signature(find("schedule", name, "schedule")).parameters
    usual = {"initial": rate, "peak": rate, "then": rate, "steps": steps}
    known = {key: value for key, value in usual.items() if key in takes}
    made: Schedule = _made("schedule", name, known, settings)
    return made


def _made(kind: str, name: str, known: dict[str, Any], settings: dict[str, Any]) -> Any:
    return resolve(kind, {"class": name, **known, **settings}, kind)


def _unit_in_words(words: list[str], option: str) -> tuple[str, dict[str, Any]]:
    """Parse ``sgd momentum=0.9 nesterov=true``.

    Raises
    ------
    InputError
        If a word after the first is not like ``momentum=0.9``, or names ``class`` or
        what another word names.
    """
    settings = {}
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise InputError(f"{option}: {word!r} is not like momentum=0.9")
        if key == "class":
            raise InputError(f"{option}: class is not a setting of {words[0]}")
        if key in settings:
            raise InputError(f"{option}: {key} is given twice")
        try:
            settings[key] = json.loads(value)
        except ValueError:
            settings[key] = value
    return words[0], settings
