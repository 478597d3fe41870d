"""Make format_1.safetensors, with a version of nnfs_xp that writes format 1 (0.1)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import nnfs_xp as nx

HERE = Path(__file__).parent


def main() -> None:
    """Train a small model for a few steps, save it, and write down what it says."""
    random = np.random.default_rng(1)
    x = random.standard_normal((12, 3))
    y = random.integers(0, 2, 12)
    inner = nx.Sequential([nx.Dense(4, 4), nx.Tanh()])
    model = nx.Model(
        [
            # The masks of units in a chain follow from their paths, which were others.
            nx.Dropout(0.25),
            nx.Sequential([nx.Dense(3, 4, weight_regularizer=nx.L2(0.01)), inner]),
            nx.Dense(4, 2),
            nx.Softmax(),
        ],
        loss="categorical_crossentropy",
        optimizer=nx.Adam(0.01, decay=0.1),
        backend="numpy",
        dtype="float64",
        seed=7,
    )
    model.metadata = {"made by": "format 1"}
    model.fit(x, y, epochs=2, batch_size=5)
    model.save(HERE / "format_1.safetensors")
    figures = {
        "x": x.tolist(),
        "y": y.tolist(),
        "predictions": model.predict(x).tolist(),
        "evaluation": model.evaluate(x, y),
        "learning_rate": model.learning_rate,
        "loss of two more epochs": model.fit(x, y, epochs=2, batch_size=5)["loss"],
        "predictions then": model.predict(x).tolist(),
    }
    (HERE / "format_1.json").write_text(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
