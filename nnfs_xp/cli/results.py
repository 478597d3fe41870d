"""The files that a training run leaves in its directory."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import itertools
import json
import os
import platform
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import nnfs_xp
from nnfs_xp.activations import Softmax
from nnfs_xp.backends import Array, to_numpy
from nnfs_xp.backends.choice import backend_class
from nnfs_xp.callbacks.json_log import json_text
from nnfs_xp.cli.tasks import regression_report, target_of, values
from nnfs_xp.data import Examples
from nnfs_xp.errors import InputError
from nnfs_xp.io.atomic import atomic_write, check_writable, checked_path
from nnfs_xp.model import Model

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished training run.

    Attributes
    ----------
    model : Model
    name, note : str
        Of the data.
    samples : tuple of int
        How many there are to train on, and to test.
    epochs : list of dict
        Records of the epochs, as in `nnfs_xp.History`.
    seconds : float
        Wall-clock time of training, with the evaluation after each epoch.
    batch_size : int
    hidden : list of int
        Neurons of each hidden layer.
    test : dict
        Loss and accuracy on the test data, or R2 and RMSE of a regression.
    net : str
        One of `nnfs_xp.cli.nets.NETS`.
    """

    model: Model
    name: str
    note: str
    samples: tuple[int, int]
    epochs: list[dict[str, Any]]
    seconds: float
    batch_size: int
    hidden: list[int]
    test: dict[str, float]
    net: str = "dense"


# The files of a run, and the one from which a run continues.
CHECKPOINT = "checkpoint.safetensors"
RESULTS = ("model.safetensors", "history.json", "report.png", CHECKPOINT)


def output_directory(options: argparse.Namespace, size: int) -> Path:
    """Make the directory for the results, before training, or say why not.

    Raises
    ------
    InputError
        If there are results in it.
    OSError
        If a model of this many bytes cannot be written there.
    """
    if options.resume and not hasattr(options, "out"):
        raise InputError("resume: the directory of the training must be given by --out")
    if hasattr(options, "out"):
        out = Path(checked_path(options.out, "out"))
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
    """Make a directory with the time in its name, which no other run has."""
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
            "name": run.name,
            "note": run.note,
            "training_samples": run.samples[0],
            "test_samples": run.samples[1],
            **{k: v for k, v in model.metadata.items() if k != "data"},
        },
        "configuration": {
            **config,
            "net": run.net,
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


def write_report(draw: Callable[[], Figure], path: Path) -> None:
    """Write the picture of a training as PNG."""
    from nnfs_xp.plots import save_figure

    with boxes_for_missing_letters():
        save_figure(draw(), path)


@contextlib.contextmanager
def boxes_for_missing_letters() -> Iterator[None]:
    """Allow pictures to be drawn even if the font lacks letters of a name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def draw_report(
    model: Model,
    epochs: list[dict[str, Any]],
    rows: Examples,
    x: np.ndarray,
    title: str,
    subtitle: str,
) -> Figure:
    """Return the picture of a training, and of a model's results for some rows.

    Parameters
    ----------
    model : Model
    epochs : list of dict
        Records of the training.
    rows : Examples
        With answers.
    x : numpy.ndarray
        Their features as the model takes them.
    title, subtitle : str
    """
    from nnfs_xp.plots import report

    assert rows.y is not None
    if target_of(model) is not None:
        predicted = values(model, x)[:, 0]
        return regression_report(epochs, rows.y, predicted, f"{title}\n{subtitle}")
    answers = rows.y, *classify(model, x), rows.class_names
    extra: dict[str, Any] = {"title": title, "subtitle": subtitle}
    if rows.image_shape is not None:
        extra |= {"images": rows.x, "image_shape": rows.image_shape}
    elif x.shape[1] == 2:
        extra |= {"predict": lambda points: to_numpy(model.predict(points)), "x": x}
    return report(epochs, *answers, **extra)


def epochs_beside(path: Path) -> list[dict[str, Any]]:
    """Return the records of the training that left a model, from its directory.

    Raises
    ------
    InputError
        If they are not there.
    """
    history = path.parent / "history.json"
    try:
        epochs: list[dict[str, Any]] = json.loads(history.read_text())["epochs"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"data: a report needs the history.json that `nnfs-xp train` left beside "
            f"the model, and {history} cannot be read: {error}"
        ) from error
    return epochs


def model_path(options: argparse.Namespace) -> Path:
    """Return the file of the model, whose directory may be given."""
    path = Path(checked_path(options.model, "model"))
    return path / RESULTS[0] if path.is_dir() else path


def placement(options: argparse.Namespace) -> dict[str, Any]:
    """Return backend, device and precision, as keywords for a backend."""
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


def titles(run: Run, rows: Examples) -> tuple[str, str]:
    """Return title and subtitle of a report."""
    if run.net == "dense":
        sizes = rows.x.shape[1], *run.hidden, len(rows.class_names) or 1
        network = "-".join(map(str, sizes))
    else:
        network = run.net
    if "accuracy" in run.test:
        figure = f"test accuracy {100 * run.test['accuracy']:.1f} %"
    else:
        figure = f"test R2 {run.test['r2']:.3f}, RMSE {run.test['rmse']:.4g}"
    unit = "images" if rows.image_shape else "samples"
    return f"{Path(run.name).name}: {network}, {figure}", subtitle(run, unit)


def subtitle(run: Run, unit: str) -> str:
    """Return where, on how much and how fast a network was trained."""
    samples = len(run.epochs) * run.samples[0]
    seconds = sum(record["seconds"] for record in run.epochs)
    return (
        f"{run.model.backend}, {len(run.epochs)} epochs of "
        f"{run.samples[0]:,} {unit}, batch {run.batch_size}, "
        f"{run.seconds:.1f} s, {samples / seconds:,.0f} {unit}/s, "
        f"seed {run.model.seed}"
    )
