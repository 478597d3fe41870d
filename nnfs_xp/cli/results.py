"""What a training run leaves in its directory."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import itertools
import os
import platform
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import nnfs_xp
from nnfs_xp.activations import Softmax
from nnfs_xp.backends import Array, to_numpy
from nnfs_xp.backends.choice import backend_class
from nnfs_xp.callbacks.json_log import json_text
from nnfs_xp.cli.tasks import regression_report, values
from nnfs_xp.data import Dataset
from nnfs_xp.errors import InputError
from nnfs_xp.io.atomic import atomic_write, check_writable
from nnfs_xp.model import Model


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished training run.

    Attributes
    ----------
    model : Model
    data : Dataset
    epochs : list of dict
        Records of the epochs, as in `nnfs_xp.History`.
    seconds : float
        Wall-clock time of training, with the evaluation after each epoch.
    batch_size : int
    hidden : list of int
        Neurons of each hidden layer.
    test : dict
        Loss and accuracy on the test data, or R2 and RMSE of a regression.
    """

    model: Model
    data: Dataset
    epochs: list[dict[str, Any]]
    seconds: float
    batch_size: int
    hidden: list[int]
    test: dict[str, float]


# The files of a run, and the one that a run goes on from.
CHECKPOINT = "checkpoint.safetensors"
RESULTS = ("model.safetensors", "history.json", "report.png", CHECKPOINT)


def output_directory(options: argparse.Namespace, size: int) -> Path:
    """Make the directory for the results, before training, or say why not.

    Raises
    ------
    InputError
        If there are results in it.
    OSError
        If a model of so many bytes cannot be written there.
    """
    if options.resume and not hasattr(options, "out"):
        raise InputError("resume: the directory of the training must be given by --out")
    if hasattr(options, "out"):
        out = Path(options.out)
        found = [name for name in RESULTS if os.path.lexists(out / name)]
        goes_on = options.resume and (out / CHECKPOINT).exists()
        if found and not (options.force or goes_on):
            raise InputError(
                f"out: {out} has a {found[0]} already; choose another --out, or let "
                "--force replace it"
            )
        out.mkdir(parents=True, exist_ok=True)
    else:
        out = _new_directory(Path("runs"), Path(options.data).stem)
    check_writable(out / RESULTS[0], size)
    return out


def _new_directory(folder: Path, stem: str) -> Path:
    """Make a directory with the time in its name, that no other run has."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    for number in itertools.count(1):
        out = folder / (f"{stem}-{now}" if number == 1 else f"{stem}-{now}-{number}")
        with contextlib.suppress(FileExistsError):
            out.mkdir(parents=True)
            break
    return out


def write_history(run: Run, path: Path) -> None:
    """Write configuration, versions and every epoch's figures as JSON."""
    model, be = run.model, run.model.backend
    config = model.config()
    config.pop("metadata")
    content = {
        "data": {
            "name": run.data.name,
            "note": run.data.note,
            "training_samples": len(run.data.y_train),
            "test_samples": len(run.data.y_test),
            **{k: v for k, v in model.metadata.items() if k != "data"},
        },
        "configuration": {
            **config,
            "hidden": run.hidden,
            "batch_size": run.batch_size,
            "learning_rate": model.learning_rate,
        },
        "backend": {
            "name": be.name,
            "device": be.device_name,
            "dtype": be.dtype_name,
            "matmul_precision": be.matmul_precision,
            "note": be.note,
        },
        "versions": {
            "nnfs_xp": nnfs_xp.__version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "numpy": np.__version__,
            be.name: backend_class(be.name).version(),
        },
        "seconds": run.seconds,
        "epochs": run.epochs,
        **{f"test_{name}": value for name, value in run.test.items()},
    }
    with atomic_write(path) as file:
        file.write(json_text(content, indent=2).encode() + b"\n")


def write_report(run: Run, x_test: np.ndarray, path: Path) -> None:
    """Draw learning curves, confusion matrix and predictions into one PNG."""
    from nnfs_xp.plots import report, save_figure

    data, model = run.data, run.model
    if data.target is not None:
        predicted = values(model, x_test)[:, 0]
        title = f"{_title(run)}\n{_subtitle(run)}"
        save_figure(regression_report(run.epochs, data.y_test, predicted, title), path)
        return
    answers = data.y_test, *classify(model, x_test), data.class_names
    extra: dict[str, Any] = {"title": _title(run), "subtitle": _subtitle(run)}
    if data.image_shape is not None:
        extra |= {"images": data.x_test, "image_shape": data.image_shape}
    elif data.n_features == 2:
        extra |= {"predict": lambda x: to_numpy(model.predict(x)), "x": x_test}
    with warnings.catch_warnings():
        # A script that the font lacks is drawn as boxes; so be it.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        save_figure(report(run.epochs, *answers, **extra), path)


def placement(options: argparse.Namespace) -> dict[str, Any]:
    """Return where and how precisely to compute, as keywords for a backend."""
    names = ("device", "dtype", "matmul_precision")
    return {name: getattr(options, name) for name in names}


def classify(model: Model, x: Array) -> tuple[np.ndarray, np.ndarray]:
    """Return the class of each row, and the probability it is given."""
    found = to_numpy(model.predict(x))
    if getattr(model.loss, "from_logits", False):
        # The logit of one class is its difference from that of the other.
        logits = np.pad(found, ((0, 0), (int(found.shape[1] == 1), 0)))
        softmax = Softmax(backend="numpy", dtype=model.backend.dtype_name)
        found = softmax.forward(logits)
    elif found.shape[1] == 1:
        found = np.concatenate([1 - found, found], axis=1)
    return found.argmax(axis=1), found.max(axis=1)


def _title(run: Run) -> str:
    sizes = run.data.n_features, *run.hidden, run.data.n_classes or 1
    network = "-".join(map(str, sizes))
    if run.data.target is None:
        figure = f"test accuracy {100 * run.test['accuracy']:.1f} %"
    else:
        figure = f"test R2 {run.test['r2']:.3f}, RMSE {run.test['rmse']:.4g}"
    return f"{Path(run.data.name).name}: {network}, {figure}"


def _subtitle(run: Run) -> str:
    samples = len(run.epochs) * len(run.data.y_train)
    seconds = sum(record["seconds"] for record in run.epochs)
    unit = "images" if run.data.image_shape else "samples"
    return (
        f"{run.model.backend}, {len(run.epochs)} epochs of "
        f"{len(run.data.y_train):,} {unit}, batch {run.batch_size}, "
        f"{run.seconds:.1f} s, {samples / seconds:,.0f} {unit}/s, "
        f"seed {run.model.seed}"
    )
