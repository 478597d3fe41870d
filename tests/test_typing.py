"""A user's program passes ``mypy --strict``, and a wrong one does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = '''"""What a user writes, with types."""

import numpy as np

import nnfs_xp as nx
from nnfs_xp import Adam, Dense, Model, ReLU, Softmax
from nnfs_xp.data import Dataset, load_dataset
from nnfs_xp.plots import learning_curves, save_figure


class Watch(nx.Callback):
    def __init__(self) -> None:
        self.epochs: list[int] = []

    def on_epoch_end(self, record: dict[str, object]) -> None:
        self.epochs.append(len(record))


def trained(data: Dataset) -> Model:
    model = Model(
        [Dense(64, 32), ReLU(), Dense(32, 10), Softmax()],
        loss="categorical_crossentropy",
        optimizer=Adam(0.001),
        backend="numpy",
    )
    x, y = data.features("train"), data.y_train
    history = model.fit(x, y, epochs=2, callbacks=[Watch(), nx.EarlyStopping("loss")])
    losses: list[float] = history["loss"]
    save_figure(learning_curves(history), "curves.png")
    print(losses[-1], model.evaluate(data.features("test"), data.y_test)["accuracy"])
    return model


def classes(model: Model, x: np.ndarray) -> list[int]:
    found = model.predict(x)
    rows, outputs = found.shape
    assert rows == len(x) and outputs == 10
    best = float((found * 2 - found)[0, 0])
    assert 0 <= best <= 1
    assert np.argmax(found, axis=1).shape == (rows,)
    return [int(label) for label in nx.to_numpy(found).argmax(axis=1)]


model = trained(load_dataset("digits"))
model.save("model.safetensors")
print(classes(Model.load("model.safetensors"), np.zeros((1, 64))))
'''


@pytest.mark.slow
def test_a_program_with_types(tmp_path):
    pytest.importorskip("mypy", reason="pip install 'nnfs-xp[lint]'")
    wrong = PROGRAM.replace("rows, outputs = found.shape", "rows: str = found.shape[0]")
    wrong = wrong.replace('"model.safetensors")\nprint', "3)\nprint")
    (tmp_path / "right.py").write_text(PROGRAM)
    (tmp_path / "wrong.py").write_text(wrong)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "."],
        cwd=tmp_path, env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "right.py" not in done.stdout, done.stdout
    assert 'has type "int", variable has type "str"' in done.stdout
    assert 'Argument 1 to "save" of "Model" has incompatible type "int"' in done.stdout


@pytest.mark.slow
def test_the_program_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("]\n")
