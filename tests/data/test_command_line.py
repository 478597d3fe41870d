"""The user's own files on the command line, from training to prediction."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pytest

from nnfs_xp import Model
from nnfs_xp.cli import main
from nnfs_xp.data import load_dataset
from nnfs_xp.random import Stream

SHORT = ["--epochs", "2", "--no-plot"]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder; give its status, output and errors."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command


@pytest.fixture
def prices(tmp_path):
    """Give a table whose last column is 1000 + 3 size - 2 age, nearly."""
    size, age, noise = Stream(0, "prices").normal((3, 300))
    rows = zip(10 * size, age, 1000 + 30 * size - 2 * age + noise, strict=True)
    text = "\n".join(",".join(f"{value:.4f}" for value in row) for row in rows)
    (tmp_path / "prices.csv").write_text(f"size,age,price\n{text}\n")
    return [[float(v) for v in line.split(",")] for line in text.splitlines()]


def test_a_number_is_predicted_in_its_own_unit(run, prices, tmp_path):
    status, out, error = run("train", "--data", "prices.csv", "--out", "run")
    assert (status, error) == (0, "")
    assert "2 features, a number to predict (column 'price')\nregression, " in out
    assert "test r2 0.99" in out and "test rmse " in out
    assert (tmp_path / "run" / "report.png").read_bytes().startswith(b"\x89PNG")
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert history["test_r2"] > 0.99 and 0.8 < history["test_rmse"] < 3
    assert "test_accuracy" not in history

    status, out, _ = run("evaluate", "run", "prices.csv", "--json")
    figures = json.loads(out)
    status, out, _ = run("predict", "run", "prices.csv")
    found = [float(row["value"]) for row in csv.DictReader(io.StringIO(out))]
    true = np.array(prices)[:, 2]
    errors = np.array(found) - true
    assert figures["rmse"] == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-3)
    explained = 1 - (errors**2).sum() / ((true - true.mean()) ** 2).sum()
    assert figures["r2"] == pytest.approx(explained, abs=1e-3)

    (tmp_path / "new.csv").write_text("age,size\n1,2\n")
    status, out, _ = run("predict", "run", "new.csv")
    assert out.startswith("row,value\n0,")
    assert float(out.split(",")[-1]) == pytest.approx(1000 + 6 - 2, abs=5)


def test_classification_of_numbers_can_be_asked_for(run, prices, tmp_path):
    status, _, error = run("train", "--data", "prices.csv", "--task", "classification")
    assert status == 2 and "classes must be whole numbers" in error
    (tmp_path / "a.csv").write_text("\n".join(f"{i},{i % 3}" for i in range(30)))
    arguments = "train", "--data", "a.csv", "--task", "regression", "--out", "run"
    status, out, _ = run(*arguments, *SHORT)
    assert status == 0 and "a number to predict (column 1)\nregression" in out
    status, out, _ = run("predict", "run", "a.csv")
    assert out.startswith("row,value\n")


def test_label_delimiter_and_missing_are_remembered(run, tmp_path):
    rows = [f"{'xy'[i % 2]};{i % 2 if i else ''};{i}" for i in range(40)]
    (tmp_path / "a.csv").write_text("kind;a;b\n" + "\n".join(rows) + "\n")
    arguments = "train", "--data", "a.csv", "--label", "kind", "--out", "run", *SHORT
    status, _, error = run(*arguments)
    assert status == 2 and "missing: 1 in 'a'" in error and "--missing mean" in error
    status, out, error = run(*arguments, "--missing", "mean")
    assert (status, error) == (0, "") and "2 classes (column 'kind')" in out
    status, out, _ = run("evaluate", "run", "a.csv", "--json")
    assert status == 0 and json.loads(out)["samples"] == 40
    known = Model.load(tmp_path / "run" / "model.safetensors").metadata
    assert known["columns"] == ["a", "b"] and known["label"] == "kind"
    assert len(known["scaling"]["offset"]) == 2
    (tmp_path / "new.csv").write_text("b,a\n1,0\n2,\n")
    status, out, error = run("predict", "run", "new.csv")
    assert (status, error) == (0, "") and len(out.splitlines()) == 3
    (tmp_path / "new.csv").write_text("b,c\n1,0\n")
    status, _, error = run("predict", "run", "new.csv")
    assert status == 2 and "missing: a; unknown: c" in error


def test_a_warning_is_one_line_on_standard_error(tmp_path):
    rows = "\n".join(f"{i},{i % 2},{'xy'[i % 2]}" for i in range(20))
    (tmp_path / "a.csv").write_text(f",a,kind\n{rows}\n")
    done = subprocess.run(
        [sys.executable, "-m", "nnfs_xp", "train", "--data", "a.csv", *SHORT],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr.startswith("nnfs-xp: warning: a.csv: the first column has no")
    assert len(done.stderr.splitlines()) == 1
    assert "1 features" in done.stdout


def test_pictures(run, tmp_path):
    image = pytest.importorskip("PIL.Image")
    for number in range(40):
        pixels = Stream(number, "pixels").uniform((6, 4)) * 100 + 100 * (number % 2)
        folder = tmp_path / "pictures" / ("dark", "light")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number:02}.png")
    arguments = "--data", "pictures", "--resize", "3x2", "--out", "run"
    status, out, error = run("train", *arguments)
    assert (status, error) == (0, "")
    assert "8 test images, 6 features, 2 classes" in out
    assert "test accuracy 1.0000" in out
    for name in ("dark/00.png", "light"):
        status, out, _ = run("predict", "run", f"pictures/{name}")
        rows = list(csv.DictReader(io.StringIO(out)))
        assert {row["name"] for row in rows} == {name.partition("/")[0]}
    status, out, _ = run("evaluate", "run", "pictures", "--json")
    assert json.loads(out)["accuracy"] == 1


@pytest.mark.parametrize("size", ["3", "3x", "ax2", "0x2", "3x2x1"])
def test_sizes_of_pictures_that_are_none(run, size):
    with pytest.raises(SystemExit):
        run("train", "--resize", size)


def sklearn_table(name):
    datasets = pytest.importorskip("sklearn.datasets")
    pandas = pytest.importorskip("pandas")
    if name == "friedman1":
        x, y = datasets.make_friedman1(500, noise=1.0, random_state=0)
        return pandas.DataFrame(x).add_prefix("x").assign(target=y)
    return getattr(datasets, f"load_{name}")(as_frame=True).frame


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize(
    "name", ["wine", "iris", "breast_cancer", "diabetes", "friedman1"]
)
def test_defaults_are_as_good_as_those_of_scikit_learn(run, tmp_path, name):
    """The mean of three splits is within two points, or better."""
    sklearn_table(name).to_csv(tmp_path / "table.csv", index=False)
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    ours, theirs = [], []
    for seed in range(3):
        arguments = "--data", "table.csv", "--seed", seed, "--out", f"run{seed}"
        assert run("train", *arguments, "--no-plot")[0] == 0
        history = json.loads((tmp_path / f"run{seed}" / "history.json").read_text())
        data = load_dataset(tmp_path / "table.csv", seed=seed)
        regression = data.task == "regression"
        assert regression == (name in ("diabetes", "friedman1"))
        ours.append(history["test_r2" if regression else "test_accuracy"])
        network = MLPRegressor if regression else MLPClassifier
        # Its default of 200 rounds stops a regression long before it has learned.
        other = make_pipeline(
            StandardScaler(), network(random_state=seed, max_iter=2000)
        ).fit(data.x_train, data.y_train)
        theirs.append(other.score(data.x_test, data.y_test))
    assert np.mean(ours) > np.mean(theirs) - 0.02
