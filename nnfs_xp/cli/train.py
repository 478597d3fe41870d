"""``nnfs-xp train``: from a name of a data set to a trained, saved network."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import itertools
import math
import time
from pathlib import Path
from typing import Any

from nnfs_xp import ctrl_c
from nnfs_xp.activations import Linear, ReLU, Softmax
from nnfs_xp.backends import get_backend
from nnfs_xp.callbacks import Callback, Progress
from nnfs_xp.callbacks.checkpoint import size_of
from nnfs_xp.cli.results import (
    CHECKPOINT,
    Run,
    output_directory,
    placement,
    write_history,
    write_report,
)
from nnfs_xp.cli.tasks import data_options, figures, metadata_of
from nnfs_xp.data import Dataset, load_dataset
from nnfs_xp.errors import InputError
from nnfs_xp.layers import Dense, Layer
from nnfs_xp.losses import CategoricalCrossEntropy, MeanSquaredError
from nnfs_xp.model import Model
from nnfs_xp.optimizers import Adam, AdamW


@dataclasses.dataclass(frozen=True)
class Preset:
    """What suits a data set, where the user does not say.

    Attributes
    ----------
    hidden : tuple of tuples of int
        Neurons of the hidden layers, grouped as the command line groups them.
    epochs, batch_size : int
    lr, weight_decay : float
        Learning rate and weight decay of AdamW, which is Adam without decay.
    """

    hidden: tuple[tuple[int, ...], ...]
    epochs: int
    batch_size: int
    lr: float
    weight_decay: float = 0.0


# The book's network for Fashion-MNIST, and smaller ones for smaller data.
_PRESETS = {
    "fashion-mnist-mini": Preset(((128, 128),), 15, 128, 0.001),
    "fashion-mnist": Preset(((128, 128),), 10, 128, 0.001),
    "digits": Preset(((128, 64),), 30, 64, 0.001),
    "spiral": Preset(((64, 64),), 150, 32, 0.02),
    "vertical": Preset(((64,),), 100, 32, 0.01),
}


def run(options: argparse.Namespace) -> int:
    """Train, evaluate, and leave model, history and report in a directory."""
    be = get_backend(options.backend, **placement(options))
    data = load_dataset(
        options.data, data_dir=options.data_dir, seed=options.seed,
        **data_options(options),
    )  # fmt: skip
    preset = vars(_PRESETS.get(options.data) or preset_for(data))
    options = argparse.Namespace(**{**preset, **vars(options)})
    sizes = [size for group in options.hidden for size in group if size]
    decay = options.weight_decay
    classes = data.task == "classification"
    model = Model(
        layers_for(data, sizes),
        loss=CategoricalCrossEntropy() if classes else MeanSquaredError(),
        optimizer=AdamW(options.lr, weight_decay=decay) if decay else Adam(options.lr),
        metrics="auto" if classes else "r2",
        backend=be,
        seed=options.seed,
    )
    model.metadata = metadata_of(data, options)
    out = output_directory(options, size_of(model))
    unit = "images" if data.image_shape else "samples"
    kind = f"{data.n_classes} classes" if classes else "a number to predict"
    answers = "" if data.label is None else f" (column {data.label!r})"
    print(f"{data.name}: {data.note}")
    print(
        f"{len(data.y_train):,} training and {len(data.y_test):,} test {unit}, "
        f"{data.n_features} features, {kind}{answers}"
    )
    print(
        f"{data.task}, {options.epochs} epochs of batches of {options.batch_size}, "
        f"learning rate {options.lr:g}{f', weight decay {decay:g}' if decay else ''}"
    )
    model.summary()
    if not options.no_plot:
        # What is needed at the end is missed at the beginning.
        importlib.import_module("nnfs_xp.plots")
    return _train(options, model, data, sizes, unit, out)


def _train(
    options: argparse.Namespace,
    model: Model,
    data: Dataset,
    sizes: list[int],
    unit: str,
    out: Path,
) -> int:
    be = model.backend
    x_test = data.features("test", be.dtype_name)
    y_test = data.targets("test", be.dtype_name)
    recorder = _Recorder()
    status, kept = 0, options.resume or options.checkpoint_every is not None
    try:
        with ctrl_c.raising():
            model.fit(
                data.features("train", be.dtype_name),
                data.targets("train", be.dtype_name),
                epochs=options.epochs,
                batch_size=options.batch_size,
                validation_data=(x_test, y_test),
                callbacks=[recorder, Progress(unit)],
                checkpoint=out / CHECKPOINT if kept else None,
                checkpoint_every=options.checkpoint_every or 1,
                resume=options.resume,
            )
    except (KeyboardInterrupt, SystemExit) as error:
        if not recorder.epochs:
            raise
        status = ctrl_c.status_of(error)
        epoch = len(recorder.epochs) + 1
        way_on = "; --resume goes on with it" if kept else ""
        print(f"interrupted in epoch {epoch}; keeping what was learned{way_on}")
    seconds = recorder.seconds
    test = figures(model, x_test, y_test)
    batch_size = options.batch_size
    finished = Run(model, data, recorder.epochs, seconds, batch_size, sizes, test)
    model.save(out / "model.safetensors")
    write_history(finished, out / "history.json")
    written = ["model.safetensors", "history.json"]
    if not options.no_plot:
        try:
            write_report(finished, x_test, out / "report.png")
            written.append("report.png")
        except InputError as error:
            # A network that diverged predicts NaN, which cannot be drawn.
            print(f"no report.png: {error}")
    named = [f"test {name} {value:.4f}" for name, value in test.items()]
    print(f"{', '.join(named[1:] + named[:1])}, trained in {seconds:.1f} s")
    print(f"wrote {', '.join(written)} to {out}")
    return status


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
    # A network that is large for its rows learns the noise of measurements by heart.
    hidden, decay = (((64,),), 0.5) if small else (((64, 64),), 0.05)
    return Preset(hidden, epochs, batch_size, 0.003, weight_decay=decay)


def layers_for(data: Dataset, hidden: list[int]) -> list[Layer]:
    """Return dense layers with ReLU between, and a softmax at the end for classes."""
    sizes = [data.n_features, *hidden, data.n_classes or 1]
    layers: list[Layer] = []
    for n_inputs, n_neurons in itertools.pairwise(sizes):
        layers += [Dense(n_inputs, n_neurons), ReLU()]
    layers[-1] = Softmax() if data.n_classes else Linear()
    return layers


class _Recorder(Callback):
    """Keeps the records of all epochs that ended, also if one is interrupted."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, Any]] = []
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """What the training has taken, also before it was resumed."""
        return time.perf_counter() - self._began

    def state_dict(self) -> dict[str, Any]:
        """Return both."""
        return {"epochs": self.epochs, "seconds": self.seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take both over."""
        self.epochs = state["epochs"]
        self._began = time.perf_counter() - state["seconds"]

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Keep the record."""
        self.epochs.append(record)
