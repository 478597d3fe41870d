"""Classification or regression: what a run and a saved model do for each."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnfs_xp.backends import Array, to_numpy
from nnfs_xp.data import Dataset, Scaling
from nnfs_xp.data.readers import kind_of
from nnfs_xp.errors import InputError
from nnfs_xp.model import Model

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def data_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return how to read a file, as keywords for its reader."""
    names = ["task", "label", "delimiter", "missing", "resize", "drop"]
    # A model's file says what it encodes.
    names += ["one_hot"] if "one_hot" in options else []
    return {name: getattr(options, name) for name in names}


def options_like_those_of_training(
    options: argparse.Namespace, model: Model
) -> dict[str, Any]:
    """Return how to read a file: as the user says, or as in training."""
    given, known = data_options(options), model.metadata
    regression = model.loss is not None and model.loss.target_kind == "values"
    task = "regression" if regression else "classification"
    if model.loss is not None and given["task"] not in (None, task):
        raise InputError(f"task: the model is one of {task}, got {given['task']!r}")
    given["task"] = task
    kind = kind_of(options.data)
    if kind == "table" and given["label"] is None:
        given["label"] = known.get("label")
    # A dropped row would have no prediction.
    if kind == "table" and given["missing"] is None and known.get("missing") == "mean":
        given["missing"] = "mean"
    if kind == "table":
        given["drop"] = [*given["drop"], *known.get("drop", ())]
        given["one_hot"] = known.get("one_hot")
    if kind == "pictures" and given["resize"] is None:
        given["resize"] = known.get("resize")
    return given


def metadata_of(data: Dataset, options: argparse.Namespace) -> dict[str, Any]:
    """Return what a saved model must know about its data."""
    return {
        "data": data.name,
        "class_names": list(data.class_names),
        "image_shape": data.image_shape,
        "scaling": data.scaling.to_dict(),
        "columns": list(data.columns),
        "label": data.label,
        "target": None if data.target is None else data.target.to_dict(),
        "missing": options.missing,
        "drop": list(options.drop),
        "one_hot": {str(name): list(values) for name, values in data.one_hot.items()},
        "resize": options.resize,
    }


def answers_for(model: Model, y: np.ndarray) -> np.ndarray:
    """Return answers in the form that a model's loss expects."""
    if model.loss is None or model.loss.target_kind == "classes":
        return y
    target = target_of(model) or Scaling.identity()
    return target.apply(y[:, None], model.backend.dtype_name)


def target_of(model: Model) -> Scaling | None:
    """Return the scaling of the numbers that a model predicts, None for classes."""
    target = model.metadata.get("target")
    return None if target is None else Scaling.from_dict(target)


def figures(model: Model, x: Array, y: np.ndarray) -> dict[str, float]:
    """Return loss and metrics, and for a regression the error in its own unit."""
    found = model.evaluate(x, y)
    target = target_of(model)
    if target is not None:
        # The loss need not be the squared error.
        errors = to_numpy(model.predict(x)) - to_numpy(y)
        squares = float(np.mean(np.square(errors, dtype="float64")))
        found["rmse"] = math.sqrt(squares) * float(target.scale)  # type: ignore[arg-type]
    return found


def values(model: Model, x: Array) -> np.ndarray:
    """Return the numbers predicted for each row, in their own units."""
    found, target = to_numpy(model.predict(x)), target_of(model)
    return found if target is None else target.undo(found)


def regression_report(
    epochs: list[dict[str, Any]], true: np.ndarray, predicted: np.ndarray, title: str
) -> Figure:
    """Return a figure: the loss of each epoch, and predictions against the truth.

    Raises
    ------
    InputError
        If a prediction is NaN or infinite, for example after divergence.
    """
    from matplotlib.figure import Figure

    if not np.isfinite(predicted).all():
        raise InputError("predictions must be finite numbers to be drawn")
    figure = Figure(figsize=(11, 5), layout="constrained")
    figure.suptitle(title, fontsize="medium", parse_math=False)
    curves, points = figure.subplots(1, 2)
    for key, name in (("loss", "training"), ("validation_loss", "test")):
        losses = [record[key] for record in epochs]
        curves.plot(range(1, len(epochs) + 1), losses, label=name)
    curves.set(xlabel="epoch", ylabel="loss (squared error, scaled)", yscale="log")
    curves.legend()
    points.plot(true, predicted, ".", alpha=0.6)
    points.axline((float(true[0]), float(true[0])), slope=1, color="grey", lw=1)
    points.set(xlabel="true", ylabel="predicted")
    return figure
