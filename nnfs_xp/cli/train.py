"""``nnfs-xp train``: from a name of a data set to a trained, saved network."""

from __future__ import annotations

import argparse
import datetime
import itertools
import time
from pathlib import Path
from typing import Any

from nnfs_xp.activations import ReLU, Softmax
from nnfs_xp.backends import get_backend
from nnfs_xp.callbacks import Callback, Progress
from nnfs_xp.cli.presets import preset_for
from nnfs_xp.cli.results import Run, write_history, write_report
from nnfs_xp.data import Dataset, load_dataset
from nnfs_xp.errors import InputError
from nnfs_xp.layers import Dense, Layer
from nnfs_xp.losses import CategoricalCrossEntropy
from nnfs_xp.model import Model
from nnfs_xp.optimizers import Adam

_INTERRUPTED = 130


def run(options: argparse.Namespace) -> int:
    """Train, evaluate, and leave model, history and report in a directory."""
    preset = preset_for(options.data)
    hidden = getattr(options, "hidden", [preset.hidden])
    sizes = [size for group in hidden for size in group if size]
    be = get_backend(
        options.backend,
        device=options.device,
        dtype=options.dtype,
        matmul_precision=options.matmul_precision,
    )
    data = load_dataset(options.data, data_dir=options.data_dir, seed=options.seed)
    model = Model(
        layers_for(data, sizes),
        loss=CategoricalCrossEntropy(),
        optimizer=Adam(getattr(options, "lr", preset.learning_rate)),
        backend=be,
        seed=options.seed,
    )
    model.metadata = {
        "data": data.name,
        "class_names": list(data.class_names),
        "image_shape": data.image_shape,
        "scaling": data.scaling.to_dict(),
    }
    out = _output_directory(options)
    epochs = getattr(options, "epochs", preset.epochs)
    batch_size = getattr(options, "batch_size", preset.batch_size)
    unit = "images" if data.image_shape else "samples"
    _announce(model, data, unit)

    x_test = data.features("test", model.backend.dtype_name)
    began = time.perf_counter()
    progress = Progress(unit)
    recorder = _Recorder()
    interrupted = False
    try:
        model.fit(
            data.features("train", model.backend.dtype_name),
            data.y_train,
            epochs=epochs,
            batch_size=batch_size,
            validation_data=(x_test, data.y_test),
            callbacks=[recorder, progress],
        )
    except KeyboardInterrupt:
        if not recorder.epochs:
            raise
        interrupted = True
        epoch = len(recorder.epochs) + 1
        print(f"interrupted in epoch {epoch}; keeping what was learned until then")
    finished = Run(
        model=model,
        data=data,
        epochs=recorder.epochs,
        seconds=time.perf_counter() - began,
        batch_size=batch_size,
        hidden=sizes,
        test=model.evaluate(x_test, data.y_test),
    )
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
    print(
        f"test accuracy {finished.test['accuracy']:.4f}, "
        f"test loss {finished.test['loss']:.4f}, "
        f"trained in {finished.seconds:.1f} s"
    )
    print(f"wrote {', '.join(written)} to {out}")
    return _INTERRUPTED if interrupted else 0


def layers_for(data: Dataset, hidden: list[int]) -> list[Layer]:
    """Return dense layers with ReLU between them, and a softmax at the end."""
    sizes = [data.n_features, *hidden, data.n_classes]
    layers: list[Layer] = []
    for n_inputs, n_neurons in itertools.pairwise(sizes):
        layers += [Dense(n_inputs, n_neurons), ReLU()]
    layers[-1] = Softmax()
    return layers


def _announce(model: Model, data: Dataset, unit: str) -> None:
    print(f"{data.name}: {data.note}")
    print(
        f"{len(data.y_train):,} training and {len(data.y_test):,} test {unit}, "
        f"{data.n_features} features, {data.n_classes} classes"
    )
    model.summary()


def _output_directory(options: argparse.Namespace) -> Path:
    """Make the directory before training, so that a bad one is known at once."""
    if hasattr(options, "out"):
        out = Path(options.out)
    else:
        now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        out = Path("runs", f"{Path(options.data).stem}-{now}")
    out.mkdir(parents=True, exist_ok=True)
    return out


class _Recorder(Callback):
    """Keeps the records of all epochs that ended, also if one is interrupted."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, Any]] = []

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Keep the record."""
        self.epochs.append(record)
