"""A user's program passes mypy and pyright, both strict, and a wrong one does not."""

import ast
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nnfs_xp as nx

ROOT = Path(__file__).parents[1]
PROGRAM = '''"""What a user writes, with types."""

from typing import Any

import numpy as np

import nnfs_xp as nx
from nnfs_xp import Adam, Dense, Model, ReLU, Softmax
from nnfs_xp.data import Dataset, load_dataset
from nnfs_xp.nets import cnn
from nnfs_xp.plots import learning_curves, save_figure
from nnfs_xp.registry import register


@register("layer")
class Scale(nx.Layer):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def fwd(self, cx: nx.Context, x: Any) -> Any:
        return x * self.factor, ()

    def bwd(self, cx: nx.Context, residuals: Any, dy: Any) -> Any:
        return dy * self.factor


class Watch(nx.Callback):
    def __init__(self) -> None:
        self.epochs: list[int] = []

    def on_epoch_end(self, record: dict[str, object]) -> None:
        self.epochs.append(len(record))


def trained(data: Dataset) -> Model:
    model = Model(
        [Scale(1.0), Dense(64, 32), ReLU(), Dense(32, 10), Softmax()],
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


def convolutional(data: Dataset) -> Model:
    return Model(cnn(data.image_shape, data.n_classes))


model = trained(load_dataset("digits"))
model.save("model.safetensors")
print(classes(Model.load("model.safetensors"), np.zeros((1, 64))))
'''


def write_programs(tmp_path):
    """Write a right program, and one with three mistakes."""
    wrong = PROGRAM.replace("rows, outputs = found.shape", "rows: str = found.shape[0]")
    wrong = wrong.replace('"model.safetensors")\nprint', "3)\nprint")
    wrong = wrong.replace("Adam(0.001)", 'Adam(amsgrad="yes")')
    (tmp_path / "right.py").write_text(PROGRAM)
    (tmp_path / "wrong.py").write_text(wrong)


@pytest.mark.slow
def test_a_program_with_types(tmp_path):
    pytest.importorskip("mypy", reason="pip install 'nnfs-xp[lint]'")
    write_programs(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "."],
        cwd=tmp_path, env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "right.py" not in done.stdout, done.stdout
    assert 'has type "int", variable has type "str"' in done.stdout
    assert 'Argument 1 to "save" of "Model" has incompatible type "int"' in done.stdout
    assert 'Argument "amsgrad" to "Adam" has incompatible type "str"' in done.stdout


@pytest.mark.slow
def test_a_program_with_types_in_pyright(tmp_path):
    pytest.importorskip("basedpyright", reason="pip install basedpyright")
    write_programs(tmp_path)
    settings = {
        "typeCheckingMode": "strict", "extraPaths": [str(ROOT)], "include": ["."],
    }  # fmt: skip
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath",
         sys.executable, "-p", "."],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)["generalDiagnostics"]
    assert [d for d in found if Path(d["file"]).name == "right.py"] == []
    rules = [d["rule"] for d in found if d["severity"] == "error"]
    # The last one is for `outputs`, which the wrong program no longer sets.
    assert sorted(rules) == [
        "reportArgumentType", "reportArgumentType", "reportAssignmentType",
        "reportUndefinedVariable",
    ]  # fmt: skip


def test_units_that_checkers_see_are_those_of_the_package():
    """A unit that is not in the list works, but a checker sees no arguments of it."""
    stub = (ROOT / "nnfs_xp" / "typed_units.pyi").read_text()
    imports = [s for s in ast.parse(stub).body if isinstance(s, ast.ImportFrom)]
    listed = [(s.module, a.name, a.asname) for s in imports for a in s.names]
    assert len(listed) > 100
    for module, name, exported in listed:
        assert getattr(importlib.import_module(module), name) is getattr(nx, exported)


@pytest.mark.slow
def test_the_program_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("]\n")
