"""``nnfs-xp evaluate`` and ``nnfs-xp predict``: a saved model at work."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path

import numpy as np

from nnfs_xp import ctrl_c
from nnfs_xp.callbacks.json_log import json_text
from nnfs_xp.cli.results import classify, placement
from nnfs_xp.cli.tasks import (
    figures,
    options_like_those_of_training,
    target_of,
    values,
)
from nnfs_xp.data import Examples, Scaling, load_examples
from nnfs_xp.errors import InputError
from nnfs_xp.io.atomic import atomic_write, check_writable
from nnfs_xp.model import Model


def evaluate(options: argparse.Namespace) -> int:
    """Print loss and accuracy of a saved model on labelled data."""
    model, examples, x = _load(options)
    if examples.y is None:
        raise InputError(f"data: {options.data} has no labels to compare with")
    target = target_of(model)
    y = examples.y
    if target is not None:
        y = target.apply(y[:, None], model.backend.dtype_name)
    found = figures(model, x, y)
    if options.json:
        print(json_text({**found, "samples": len(x)}))
    else:
        named = ", ".join(f"{name} {value:.4f}" for name, value in found.items())
        print(f"{named}, {len(x):,} samples, {model.backend}")
    return 0


def predict(options: argparse.Namespace) -> int:
    """Write class and confidence of each row as CSV, or the number predicted."""
    if options.out is not None:
        check_writable(options.out)
    model, _, x = _load(options)
    target = target_of(model)
    names = model.metadata.get("class_names") or []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if target is not None:
        writer.writerow(["row", "value"])
        writer.writerows(enumerate(f"{v:.6g}" for v in values(model, x, target)))
    else:
        writer.writerow(["row", "label", "name", "confidence"])
        for row, (label, share) in enumerate(zip(*classify(model, x), strict=True)):
            name = names[label] if label < len(names) else str(label)
            writer.writerow([row, label, name, f"{share:.4f}"])
    if options.out is None:
        sys.stdout.write(text.getvalue())
    else:
        with ctrl_c.raising(), atomic_write(options.out) as file:
            file.write(text.getvalue().encode())
    return 0


def _load(options: argparse.Namespace) -> tuple[Model, Examples, np.ndarray]:
    """Return the model, the examples, and features scaled as in training."""
    path = Path(options.model)
    if path.is_dir():
        path = path / "model.safetensors"
    model = Model.load(path, backend=options.backend, **placement(options))
    known = model.metadata
    scaling = Scaling.from_dict(known.get("scaling") or Scaling.identity().to_dict())
    examples = load_examples(
        options.data,
        data_dir=options.data_dir,
        n_features=model.n_features,
        class_names=known.get("class_names"),
        columns=known.get("columns") or (),
        image_shape=known.get("image_shape"),
        means=scaling.offset,
        **options_like_those_of_training(options, known),
    )
    x = examples.x
    if "scaling" in known:
        x = scaling.apply(x, model.backend.dtype_name)
    return model, examples, x
