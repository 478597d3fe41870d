"""``nnfs-xp evaluate``, ``predict`` and ``parity``: a saved model at work."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnfs_xp.backends import to_numpy
from nnfs_xp.callbacks.json_log import json_text
from nnfs_xp.cli.results import classify, model_path, placement
from nnfs_xp.cli.standard import STANDARD, answer, note, write_text
from nnfs_xp.cli.tasks import (
    answers_for,
    data_options,
    figures,
    options_like_those_of_training,
    values,
)
from nnfs_xp.cli.text import WRITING, go_on
from nnfs_xp.data import (
    DATASET_NAMES,
    Examples,
    Scaling,
    load_dataset,
    load_examples,
    load_text,
)
from nnfs_xp.data.sampling import vocabulary_of
from nnfs_xp.data.targets import number_names
from nnfs_xp.errors import InputError
from nnfs_xp.io.atomic import check_writable
from nnfs_xp.model import Model
from nnfs_xp.model.parity import compare

_WAY_OUT = (
    "--scaling data scales them as training on this data would, and a model stores it "
    "if model.metadata['scaling'] = data.scaling.to_dict() comes before model.save"
)


def evaluate(options: argparse.Namespace) -> int:
    """Print loss and accuracy of a saved model on labelled data."""
    model, x, y, _ = labelled(options)
    found = figures(model, x, answers_for(model, y))
    named = [f"{name} {_short(value)}" for name, value in found.items()]
    text = f"{', '.join(named)}, {len(x):,} samples, {model.backend}"
    answer(options, {**found, "samples": len(x)}, text)
    return 0


def labelled(
    options: argparse.Namespace,
) -> tuple[Model, np.ndarray, np.ndarray, Examples]:
    """Return a model, features and answers, and the examples that they come from.

    Raises
    ------
    InputError
        If there are no answers, or it is not known which class has which number.
    """
    model, examples, x = _load(options)
    if examples.y is None:
        raise InputError(f"data: {options.data} has no labels to compare with")
    _check_names(model, examples, options)
    return model, x, examples.y, examples


def predict(options: argparse.Namespace) -> int:
    """Write class and confidence of each row as CSV, or the numbers predicted."""
    if options.out != STANDARD:
        check_writable(options.out)
    if options.prompt is not None:
        written = go_on(options)
        found = {"prompt": options.prompt, "text": written}
        both = f"{options.prompt}{written}"
        return _write(options, f"{json_text(found) if options.json else both}\n")
    for name in WRITING:
        if getattr(options, name) is not None:
            raise InputError(f"{name} is for a model that continues a --prompt")
    model, examples, x = _load(options, labels=False)
    if "vocabulary" in model.metadata:
        raise InputError(
            "model: it was trained on text, and continues one; give the text with "
            "--prompt"
        )
    numbers = range(len(x)) if examples.rows is None else examples.rows.tolist()
    head, rows = _predictions(model, x, numbers)
    text = io.StringIO()
    if options.json:
        records = [dict(zip(head, row, strict=True)) for row in rows]
        text.write(json_text({"predictions": records}) + "\n")
    else:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([head, *(_in_words(row) for row in rows)])
    return _write(options, text.getvalue())


def _write(options: argparse.Namespace, text: str) -> int:
    """Write what is predicted to ``--out``; with ``--json``, print the file's name."""
    write_text(options.out, text)
    if options.json and options.out != STANDARD:
        answer(options, {"file": options.out}, "")
    return 0


def _predictions(
    model: Model, x: np.ndarray, numbers: Sequence[int]
) -> tuple[list[str], list[list[Any]]]:
    """Return the names of columns, and what is predicted for rows of these numbers."""
    outputs = len(to_numpy(model.predict(x[:1]))[0])
    kind = "values" if model.loss is None else model.loss.target_kind
    if kind == "classes" or (kind == "probabilities" and outputs == 1):
        names = model.metadata.get("class_names") or []
        found = zip(numbers, zip(*classify(model, x), strict=True), strict=True)
        return ["row", "label", "name", "confidence"], [
            [
                row,
                int(label),
                names[label] if label < len(names) else str(label),
                float(f"{share:.4f}"),
            ]
            for row, (label, share) in found
        ]
    several = [f"value_{number}" for number in range(outputs)]
    rows = zip(numbers, values(model, x), strict=True)
    return ["row", *(several if outputs > 1 else ["value"])], [
        [row, *map(float, found)] for row, found in rows
    ]


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
    answer(options, report.to_dict(), str(report))
    return 0 if report.agrees else 1


def _load(
    options: argparse.Namespace, labels: bool = True
) -> tuple[Model, Examples, np.ndarray]:
    """Return the model, the examples, and features scaled as in training."""
    if options.data is None:
        raise InputError("data: say which, such as --data digits")
    model = Model.load(
        model_path(options), backend=options.backend, **placement(options)
    )
    known = model.metadata
    if "vocabulary" in known:
        vocabulary, context = vocabulary_of(model)
        rows = load_text(options.data, context=context, vocabulary=vocabulary)
        x, y = rows.windows("test")
        return model, Examples(x, y), x
    scaling = _scaling(options, known.get("scaling"))
    examples = load_examples(
        options.data,
        data_dir=options.data_dir,
        n_features=model.n_features,
        class_names=known.get("class_names"),
        columns=known.get("columns") or (),
        image_shape=known.get("image_shape"),
        means=None if scaling is None else scaling.offset,
        labels=labels,
        **options_like_those_of_training(options, model),
    )
    x = examples.x
    if scaling is not None:
        x = scaling.apply(x, model.backend.dtype_name)
    return model, examples, x


def _scaling(options: argparse.Namespace, known: Any) -> Scaling | None:
    """Return how features are scaled, or None to use them unchanged.

    The model's own scaling is used. If neither the model nor the user gives one, a note
    says so.

    Raises
    ------
    InputError
        If both the model and the user give it.
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
        note(
            options,
            f"{options.model} does not say how features are scaled, so they are used "
            f"unscaled; {_WAY_OUT}",
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


def _in_words(row: list[Any]) -> list[Any]:
    """Return a row of predictions with its numbers as CSV text."""
    if isinstance(row[1], int):
        return [*row[:3], f"{row[3]:.4f}"]
    return [row[0], *(f"{value:.6g}" for value in row[1:])]


def _short(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
