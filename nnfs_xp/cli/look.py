"""``nnfs-xp info``, ``plot`` and ``backends``: show models and backends."""

from __future__ import annotations

import argparse
import json
import math
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from nnfs_xp.backends import BACKEND_NAMES, backend_status
from nnfs_xp.cli.results import (
    boxes_for_missing_letters,
    draw_report,
    epochs_beside,
    model_path,
)
from nnfs_xp.cli.standard import STANDARD, answer, output
from nnfs_xp.cli.tasks import answers_for, figures
from nnfs_xp.cli.use import labelled
from nnfs_xp.errors import InputError
from nnfs_xp.io.atomic import check_writable
from nnfs_xp.kernels import loops_note
from nnfs_xp.model import Model

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def info(options: argparse.Namespace) -> int:
    """Print what a model file holds."""
    path = model_path(options)
    model = _model(options)
    config, size = model.config(), path.stat().st_size
    known = config["metadata"]
    count = sum(math.prod(array.shape) for array in model.parameters.values())
    lines = [
        f"{path}: {size:,} bytes, trained for {model.epochs_trained} epochs and "
        f"{model.steps_trained:,} steps"
    ]
    model.summary(lines.append)
    for name in sorted(known):
        shown = textwrap.shorten(json.dumps(known[name]), 60, placeholder=" ...")
        lines.append(f"{name.replace('_', ' ')}: {shown}")
    found = {"file": str(path), "bytes": size, "parameters": count, **config}
    answer(options, found, "\n".join(lines))
    return 0


def plot(options: argparse.Namespace) -> int:
    """Draw the network of a saved model, or how well it does on data."""
    from nnfs_xp.plots import plot_model
    from nnfs_xp.plots.save import DOTS_PER_INCH

    if options.out != STANDARD:
        if Path(options.out).suffix.lower() not in ("", ".png"):
            raise InputError(
                f"out must end in .png, as the picture is a PNG file, got "
                f"'{options.out}'"
            )
        check_writable(options.out)
    elif options.json:
        raise InputError("out: a picture and JSON cannot both go to standard output")
    with boxes_for_missing_letters():
        known = options.data is not None
        figure = _results(options) if known else plot_model(_model(options))
        with output(options.out) as file:
            figure.savefig(file, format="png", dpi=DOTS_PER_INCH)
    if options.json:
        answer(options, {"file": options.out}, "")
    return 0


def _model(options: argparse.Namespace) -> Model:
    return Model.load(model_path(options), backend="numpy")


def _results(options: argparse.Namespace) -> Figure:
    """Return the picture of how well a model does on labelled data."""
    epochs = epochs_beside(model_path(options))
    model, x, y, rows = labelled(options)
    name, score = list(figures(model, x, answers_for(model, y)).items())[-1]
    title = f"{Path(options.data).name}: {name} {score:.4f}, {options.model}"
    note = f"{model.backend}, trained for {model.epochs_trained} epochs"
    return draw_report(model, epochs, rows, x, title, note)


def backends(options: argparse.Namespace) -> int:
    """Print one paragraph for each backend: does it work here, and why not."""
    found, lines = {}, []
    for name in BACKEND_NAMES:
        status = backend_status(name)
        note = loops_note(name) if status.works else ""
        found[name] = {
            "works": status.works,
            "version": status.version,
            "devices": list(status.devices),
            "reason": status.reason,
            "note": note,
        }
        works = "works" if status.works else "does not work"
        lines.append(f"{name:<17} {status.version or '-':<14} {works}")
        devices = f"devices: {', '.join(status.devices)}" + (note and f"; {note}")
        text = devices if status.works else textwrap.fill(status.reason, 76)
        lines.append(textwrap.indent(text, "    "))
    answer(options, found, "\n".join(lines))
    return 0
