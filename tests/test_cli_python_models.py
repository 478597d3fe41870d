"""Models saved from Python in the hands of the command: the same figures, or a word."""

import csv
import io
import json

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.cli import main
from nnfs_xp.data import load_dataset

_random = np.random.default_rng(4)
X = _random.standard_normal((60, 3)) * [1, 10, 100] + [0, 5, -50]
Y = (X[:, 0] > 0).astype("int64") + (X[:, 1] > 5)
VALUES = 2 * X[:, :1] - X[:, 1:2]
NOTE = "does not say how features are scaled, so they are used unscaled"


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def trained(layers, x, y, **more):
    settings = {"loss": "categorical_crossentropy", "optimizer": nx.Adam(0.02), **more}
    model = nx.Model(layers, **settings)
    model.fit(x, y, epochs=5, batch_size=16)
    return model


def dense(n_outputs=3, *last, n_inputs=3):
    last = last or (nx.Softmax(),)
    return [nx.Dense(n_inputs, 8), nx.ReLU(), nx.Dense(8, n_outputs), *last]


@pytest.fixture
def file(tmp_path):
    np.savez(tmp_path / "own.npz", x=X, y=Y)
    return tmp_path / "own.npz"


def assert_evaluates(found, expected):
    figures = json.loads(found)
    assert figures.pop("samples") > 0
    assert figures == expected


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_raw_features_are_taken_as_they_are_and_that_is_said(
    tmp_path, capsys, file, dtype
):
    model = trained(dense(), X, Y, dtype=dtype)
    model.save(tmp_path / "m")
    status, out, error = run(capsys, "evaluate", tmp_path / "m", file, "--json")
    assert status == 0
    assert_evaluates(out, model.evaluate(X, Y))
    assert NOTE in error and error.count("\n") == 1
    status, out, error = run(capsys, "predict", tmp_path / "m", file)
    assert NOTE in error
    expected = model.predict(X)
    assert [int(row["label"]) for row in rows(out)] == expected.argmax(1).tolist()
    assert [row["name"] for row in rows(out)] == [row["label"] for row in rows(out)]
    # Who has said so is not told.
    for command in ("evaluate", "predict"):
        status, _, error = run(
            capsys, command, tmp_path / "m", file, "--scaling", "none"
        )
        assert (status, error) == (0, "")


def test_features_that_were_scaled_in_python(tmp_path, capsys):
    data = load_dataset("digits")
    model = trained(dense(10, n_inputs=64), data.features("train"), data.y_train)
    expected = model.evaluate(data.features("test"), data.y_test)
    model.save(tmp_path / "m")
    what = "evaluate", tmp_path / "m", "digits", "--json"
    status, out, error = run(capsys, *what, "--scaling", "data")
    assert (status, error) == (0, "")
    assert_evaluates(out, expected)
    # Without a word from the user the figure is another one, and is not silent.
    status, out, error = run(capsys, *what)
    assert NOTE in error
    assert_evaluates(out, model.evaluate(data.x_test, data.y_test))
    # A model that says it needs no word.
    model.metadata["scaling"] = data.scaling.to_dict()
    model.save(tmp_path / "m")
    status, out, error = run(capsys, *what)
    assert (status, error) == (0, "")
    assert_evaluates(out, expected)
    status, _, error = run(capsys, *what, "--scaling", "data")
    assert status == 2
    assert "says how its features are scaled" in error


def test_numbers_to_predict(tmp_path, capsys):
    model = trained(
        dense(1, nx.Linear()), X, VALUES, loss="mean_squared_error", metrics="r2"
    )
    model.save(tmp_path / "m")
    # Whole numbers look like classes, and are none for this model.
    for values in (VALUES, np.round(VALUES)):
        np.savez(tmp_path / "own.npz", x=X, y=values[:, 0])
        what = tmp_path / "m", tmp_path / "own.npz"
        status, out, error = run(capsys, "evaluate", *what, "--json")
        assert status == 0, error
        assert_evaluates(out, model.evaluate(X, values.astype("float32")))
        assert NOTE in error
    status, out, _ = run(capsys, "predict", *what)
    found = [float(row["value"]) for row in rows(out)]
    np.testing.assert_allclose(found, model.predict(X)[:, 0], rtol=1e-5)


def test_several_numbers_to_predict(tmp_path, capsys, file):
    both = np.concatenate([VALUES, -VALUES], axis=1)
    model = trained(dense(2, nx.Linear()), X, both, loss="mean_squared_error")
    model.save(tmp_path / "m")
    status, out, _ = run(capsys, "predict", tmp_path / "m", file)
    assert status == 0
    found = [[float(row["value_0"]), float(row["value_1"])] for row in rows(out)]
    np.testing.assert_allclose(found, model.predict(X), rtol=1e-5)


@pytest.mark.parametrize("from_logits", [False, True])
def test_a_single_probability(tmp_path, capsys, from_logits):
    y = (X[:, :1] > 0).astype("float32")
    last = nx.Linear() if from_logits else nx.Sigmoid()
    loss = nx.BinaryCrossEntropy(from_logits=from_logits)
    model = trained(dense(1, last), X, y, loss=loss)
    model.save(tmp_path / "m")
    np.savez(tmp_path / "own.npz", x=X, y=y[:, 0].astype("int64"))
    what = tmp_path / "m", tmp_path / "own.npz"
    status, out, error = run(capsys, "evaluate", *what, "--json")
    assert status == 0, error
    assert_evaluates(out, model.evaluate(X, y))
    share = model.predict(X)[:, 0].astype("float64")
    if from_logits:
        share = 1 / (1 + np.exp(-share))
    status, out, _ = run(capsys, "predict", *what)
    assert [int(row["label"]) for row in rows(out)] == (share > 0.5).tolist()
    found = [float(row["confidence"]) for row in rows(out)]
    np.testing.assert_allclose(found, np.maximum(share, 1 - share), atol=1e-4)


def test_logits_are_no_confidence(tmp_path, capsys, file):
    model = trained(dense(3, nx.Linear()), X, Y, loss=nx.SoftmaxCrossEntropy())
    model.save(tmp_path / "m")
    status, out, _ = run(capsys, "predict", tmp_path / "m", file)
    assert status == 0
    logits = model.predict(X).astype("float64")
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = [float(row["confidence"]) for row in rows(out)]
    np.testing.assert_allclose(found, shares.max(axis=1), atol=1e-4)


def named_file(tmp_path, names):
    lines = [",".join([*map(str, x), names[y]]) for x, y in zip(X, Y, strict=True)]
    path = tmp_path / "named.csv"
    path.write_text("\n".join(["a,b,c,label", *lines]))
    return path


def test_names_are_not_guessed_to_be_numbers(tmp_path, capsys):
    # In the order of the alphabet they would be other numbers.
    names = ["oak", "ash", "fir"]
    model = trained(dense(), X, Y)
    model.save(tmp_path / "m")
    what = "evaluate", tmp_path / "m", named_file(tmp_path, names), "--json"
    status, out, error = run(capsys, *what)
    assert (status, out) == (2, "")
    assert "does not say which class has which number" in error
    assert "has the classes ash, fir, oak; set model.metadata['class_names']" in error
    model.metadata["class_names"] = names
    model.save(tmp_path / "m")
    status, out, _ = run(capsys, *what)
    assert status == 0
    assert_evaluates(out, model.evaluate(X, Y))
    # To predict nothing has to be known of them.
    del model.metadata["class_names"]
    model.save(tmp_path / "m")
    assert run(capsys, "predict", *what[1:3])[0] == 0


def test_numbers_of_classes_stay_what_they_are(tmp_path, capsys):
    y = np.array([2, 5, 6])[Y]
    model = trained(dense(7), X, y)
    model.save(tmp_path / "m")
    np.savez(tmp_path / "own.npz", x=X, y=y)
    what = "evaluate", tmp_path / "m", tmp_path / "own.npz", "--json"
    status, out, _ = run(capsys, *what)
    assert status == 0
    assert_evaluates(out, model.evaluate(X, y))
    np.savez(tmp_path / "own.npz", x=X, y=y - 3)
    status, out, error = run(capsys, *what)
    assert (status, out) == (2, "")
    assert "does not say which class has which number" in error


def test_a_model_without_a_loss(tmp_path, capsys, file):
    model = nx.Model(dense())
    model.save(tmp_path / "m")
    status, out, error = run(capsys, "evaluate", tmp_path / "m", file)
    assert (status, out) == (2, "")
    assert "evaluate needs a model with a loss" in error
    status, out, _ = run(capsys, "predict", tmp_path / "m", file)
    assert status == 0
    found = [[float(row[f"value_{i}"]) for i in range(3)] for row in rows(out)]
    np.testing.assert_allclose(found, model.predict(X), rtol=1e-5, atol=1e-30)


def test_figures_that_are_no_single_number(tmp_path, capsys, file):
    metrics = ["accuracy", nx.ConfusionMatrix(3)]
    model = trained(dense(), X, Y, metrics=metrics)
    model.save(tmp_path / "m")
    status, out, _ = run(capsys, "evaluate", tmp_path / "m", file)
    assert status == 0
    matrix = model.evaluate(X, Y)["confusion_matrix"]
    assert f"confusion_matrix {matrix}, 60 samples" in out


@pytest.mark.parametrize("loss", ["mean_absolute_error", "mean_squared_error"])
def test_the_rmse_is_that_of_the_predictions_whatever_the_loss(tmp_path, capsys, loss):
    y = VALUES * 10 + 3
    model = trained(dense(1, nx.Linear()), X, (y - 3) / 10, loss=loss, metrics=None)
    model.metadata["target"] = {"scale": 10.0, "offset": 3.0}
    model.save(tmp_path / "m")
    np.savez(tmp_path / "own.npz", x=X, y=y[:, 0])
    status, out, _ = run(
        capsys, "evaluate", tmp_path / "m", tmp_path / "own.npz", "--json"
    )
    assert status == 0
    errors = model.predict(X) * 10 + 3 - y
    expected = np.sqrt(np.mean(errors**2))
    assert json.loads(out)["rmse"] == pytest.approx(expected, rel=1e-5)
