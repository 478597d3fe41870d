"""``nnfs-xp evaluate`` and ``nnfs-xp predict``: a saved model at work."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_xp.backends import to_numpy
from nnfs_xp.callbacks.json_log import json_text
from nnfs_xp.cli.results import classify, placement
from nnfs_xp.cli.tasks import (
    answers_for,
    data_options,
    figures,
    options_like_those_of_training,
    values,
)
from nnfs_xp.data import (
    DATASET_NAMES,
    Examples,
    Scaling,
    load_dataset,
    load_examples,
)
from nnfs_xp.data.targets import number_names
from nnfs_xp.errors import InputError
from nnfs_xp.io.atomic import atomic_write, check_writable
from nnfs_xp.model import Model
from nnfs_xp.model.parity import compare

_WAY_OUT = (
    "--scaling data scales them as a training on this data would, and a model says it "
    "if model.metadata['scaling'] = data.scaling.to_dict() comes before model.save"
)


def evaluate(options: argparse.Namespace) -> int:
    """Print loss and accuracy of a saved model on labelled data."""
    model, examples, x = _load(options)
    if examples.y is None:
        raise InputError(f"data: {options.data} has no labels to compare with")
    _check_names(model, examples, options)
    found = figures(model, x, answers_for(model, examples.y))
    if options.json:
        print(json_text({**found, "samples": len(x)}))
    else:
        named = [f"{name} {_short(value)}" for name, value in found.items()]
        print(f"{', '.join(named)}, {len(x):,} samples, {model.backend}")
    return 0


def predict(options: argparse.Namespace) -> int:
    """Write class and confidence of each row as CSV, or the numbers predicted."""
    if options.out is not None:
        check_writable(options.out)
    model, _, x = _load(options)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    outputs = len(to_numpy(model.predict(x[:1]))[0])
    kind = "values" if model.loss is None else model.loss.target_kind
    if kind == "classes" or (kind == "probabilities" and outputs == 1):
        names = model.metadata.get("class_names") or []
        writer.writerow(["row", "label", "name", "confidence"])
        for row, (label, share) in enumerate(zip(*classify(model, x), strict=True)):
            name = names[label] if label < len(names) else str(label)
            writer.writerow([row, label, name, f"{share:.4f}"])
    else:
        several = [f"value_{number}" for number in range(outputs)]
        writer.writerow(["row", *(several if outputs > 1 else ["value"])])
        for row, found in enumerate(values(model, x)):
            writer.writerow([row, *(f"{value:.6g}" for value in found)])
    if options.out is None:
        sys.stdout.write(text.getvalue())
    else:
        with atomic_write(options.out) as file:
            file.write(text.getvalue().encode())
    return 0


def parity(options: argparse.Namespace) -> int:
    """Compare backends on some rows; the status is 1 if they differ too much."""
    model, examples, x = _load(options)
    y = None if model.loss is None or examples.y is None else examples.y[: options.rows]
    report = compare(
        model,
        x[: options.rows],
        None if y is None else answers_for(model, y),
        options.backends or (),
        rtol=options.rtol,
    )
    print(json_text(report.to_dict()) if options.json else report)
    return 0 if report.agrees else 1


def _load(options: argparse.Namespace) -> tuple[Model, Examples, np.ndarray]:
    """Return the model, the examples, and features scaled as in training."""
    path = Path(options.model)
    if path.is_dir():
        path = path / "model.safetensors"
    model = Model.load(path, backend=options.backend, **placement(options))
    known = model.metadata
    scaling = _scaling(options, known.get("scaling"))
    examples = load_examples(
        options.data,
        data_dir=options.data_dir,
        n_features=model.n_features,
        class_names=known.get("class_names"),
        columns=known.get("columns") or (),
        image_shape=known.get("image_shape"),
        means=None if scaling is None else scaling.offset,
        **options_like_those_of_training(options, model),
    )
    x = examples.x
    if scaling is not None:
        x = scaling.apply(x, model.backend.dtype_name)
    return model, examples, x


def _scaling(options: argparse.Namespace, known: Any) -> Scaling | None:
    """Return how features are scaled, None to take them as they are.

    What a model says of itself is taken; what it does not say is said.

    Raises
    ------
    InputError
        If the model says it, and the user as well.
    """
    if known is not None:
        if options.scaling is not None:
            raise InputError(
                f"scaling: {options.model} says how its features are scaled"
            )
        return Scaling.from_dict(known)
    if options.scaling == "data":
        return load_dataset(
            options.data, data_dir=options.data_dir, **data_options(options)
        ).scaling
    if options.scaling is None:
        print(
            f"nnfs-xp: note: {options.model} does not say how features are scaled, so "
            f"they are taken as they are; {_WAY_OUT}",
            file=sys.stderr,
        )
    return None


def _check_names(model: Model, examples: Examples, options: argparse.Namespace) -> None:
    """Raise InputError if names would have to be guessed to be numbers."""
    names = examples.class_names
    built_in = options.data in DATASET_NAMES
    if (
        built_in
        or model.metadata.get("class_names")
        or names == number_names(len(names))
    ):
        return
    raise InputError(
        f"model: {options.model} does not say which class has which number, and "
        f"{options.data} has the classes {', '.join(names)}; set "
        "model.metadata['class_names'] to them, in the order of the model's labels, "
        "and save it again, or let the data have numbers from 0"
    )


def _short(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
