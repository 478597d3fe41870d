"""The command line, called as a user does."""

import csv
import io
import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.cli import main
from tests.conftest import backend_or_skip

SPIRAL = ["train", "--data", "spiral", "--epochs", "20", "--no-plot"]


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture(scope="module")
def spiral_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("spiral")
    arguments = ["train", "--data", "spiral", "--out", str(out)]
    assert main(arguments) == 0
    return out


def test_training_leaves_model_history_and_picture(spiral_run):
    assert sorted(path.name for path in spiral_run.iterdir()) == [
        "history.json", "model.safetensors", "report.png",
    ]  # fmt: skip
    assert (spiral_run / "report.png").read_bytes().startswith(b"\x89PNG")
    history = json.loads((spiral_run / "history.json").read_text())
    assert history["test_accuracy"] > 0.75
    assert len(history["epochs"]) == 150
    assert history["epochs"][-1]["validation_accuracy"] == history["test_accuracy"]
    assert history["epochs"][-1]["loss"] < history["epochs"][0]["loss"]
    assert history["backend"]["name"] == "numpy"
    assert history["backend"]["device"] == "cpu"
    assert history["versions"]["numpy"] == np.__version__
    assert history["configuration"]["hidden"] == [64, 64]
    assert history["configuration"]["optimizer"]["class"] == "Adam"
    assert history["configuration"]["seed"] == 0
    assert history["seconds"] > 0
    model = nx.Model.load(spiral_run / "model.safetensors")
    assert model.metadata["class_names"]
    assert model.epochs_trained == 150


def test_evaluate_and_predict_on_every_backend(spiral_run, backend_name, capsys):
    be = backend_or_skip(backend_name, "float32")
    where = ["--backend", be.name, "--device", be.device_name]
    status, out, _ = run(capsys, "evaluate", spiral_run, "spiral", "--json", *where)
    assert status == 0
    figures = json.loads(out)
    expected = json.loads((spiral_run / "history.json").read_text())
    assert figures["accuracy"] == pytest.approx(expected["test_accuracy"], abs=0.004)
    assert figures["loss"] == pytest.approx(expected["test_loss"], rel=1e-4)
    assert figures["samples"] == 300

    model = spiral_run / "model.safetensors"
    status, out, _ = run(capsys, "predict", model, "spiral", *where)
    assert status == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 300
    assert set(rows[0]) == {"row", "label", "name", "confidence"}
    assert all(1 / 3 <= float(row["confidence"]) <= 1 for row in rows)


def test_evaluate_in_words(spiral_run, capsys):
    status, out, _ = run(capsys, "evaluate", spiral_run, "spiral")
    assert status == 0
    assert out.startswith("loss 0.")
    assert "accuracy 0." in out
    assert "300 samples, numpy on cpu, float32" in out


def test_predictions_go_to_a_file(spiral_run, tmp_path, capsys):
    target = tmp_path / "classes.csv"
    status, out, _ = run(capsys, "predict", spiral_run, "spiral", "--out", target)
    assert (status, out) == (0, "")
    assert len(target.read_text().splitlines()) == 301


@pytest.mark.parametrize("name", ["numpy", "jax", "torch", "cupy", "strict"])
def test_train_on_every_backend(name, tmp_path, capsys):
    be = backend_or_skip(name, "float64")
    status, out, _ = run(
        capsys, *SPIRAL, "--backend", be.name, "--dtype", "float64", "--out", tmp_path
    )
    assert status == 0
    assert "epoch 20/20  loss " in out
    assert "test accuracy 0." in out
    found = json.loads((tmp_path / "history.json").read_text())
    assert found["backend"]["dtype"] == "float64"
    main([*SPIRAL, "--dtype", "float64", "--out", str(tmp_path / "numpy")])
    expected = json.loads((tmp_path / "numpy" / "history.json").read_text())
    for one, other in zip(found["epochs"], expected["epochs"], strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-9)


def test_products_in_another_precision(tmp_path, capsys):
    where = "--matmul-precision", "bfloat16"
    status, out, _ = run(capsys, *SPIRAL, *where, "--out", tmp_path)
    assert status == 0
    assert "numpy on cpu, float32, bfloat16 products" in out
    found = json.loads((tmp_path / "history.json").read_text())
    assert found["backend"]["matmul_precision"] == "bfloat16"
    status, out, _ = run(capsys, "evaluate", tmp_path, "spiral", *where)
    assert status == 0 and "bfloat16 products" in out
    wrong = *SPIRAL, *where, "--dtype", "float64"
    status, _, error = run(capsys, *wrong, "--out", tmp_path / "wrong")
    assert status == 2
    assert "matmul_precision 'bfloat16' is for dtype 'float32'" in error


def test_all_options_of_training(tmp_path, capsys):
    status, out, _ = run(
        capsys, "train", "--data", "digits", "--hidden", "32,16", "8", "--epochs", 2,
        "--batch-size", 100, "--lr", 0.005, "--seed", 3, "--backend", "numpy",
        "--device", "cpu", "--dtype", "float64", "--out", tmp_path / "a" / "b",
        "--no-plot",
    )  # fmt: skip
    assert status == 0
    assert "Dense(64, 32)" in out
    assert "Dense(16, 8)" in out
    history = json.loads((tmp_path / "a" / "b" / "history.json").read_text())
    configuration = history["configuration"]
    assert configuration["hidden"] == [32, 16, 8]
    assert configuration["learning_rate"] == 0.005
    assert configuration["batch_size"] == 100
    assert configuration["seed"] == 3
    assert configuration["dtype"] == "float64"
    assert not (tmp_path / "a" / "b" / "report.png").exists()


def losses_of(directory):
    history = json.loads((directory / "history.json").read_text())
    return [record["loss"] for record in history["epochs"]]


def test_the_same_seed_gives_the_same_run(tmp_path, capsys):
    for name, seed in (("one", 5), ("same", 5), ("other", 6)):
        run(capsys, *SPIRAL, "--seed", seed, "--out", tmp_path / name)
    losses = [losses_of(tmp_path / name) for name in ("one", "same", "other")]
    assert losses[0] == losses[1] != losses[2]


def test_results_go_to_a_new_directory_by_default(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, _ = run(capsys, *SPIRAL)
    assert status == 0
    (directory,) = (tmp_path / "runs").iterdir()
    assert directory.name.startswith("spiral-")
    assert f"to runs/{directory.name}" in out.replace(os.sep, "/")


def test_no_hidden_layer(tmp_path, capsys):
    status, out, _ = run(capsys, *SPIRAL, "--hidden", 0, "--out", tmp_path)
    assert status == 0
    assert "0 Dense(2, 3)" in out


def test_own_files_of_every_kind(tmp_path, capsys):
    random = np.random.default_rng(0)
    x = random.standard_normal((80, 3))
    y = (x[:, 0] > 0).astype("int64")
    np.savez(tmp_path / "own.npz", x=x, y=y)
    rows = [",".join([*(f"{v:.6f}" for v in r), "yes" if t else "no"])
            for r, t in zip(x, y, strict=True)]  # fmt: skip
    (tmp_path / "own.csv").write_text("a,b,c,label\n" + "\n".join(rows) + "\n")
    for name in ("own.npz", "own.csv"):
        out = tmp_path / name.replace(".", "-")
        status, text, error = run(
            capsys, "train", "--data", tmp_path / name, "--epochs", 40, "--out", out
        )
        assert status == 0, error
        assert "64 training and 16 test samples, 3 features, 2 classes" in text
        assert (out / "report.png").exists()
        status, text, _ = run(
            capsys, "evaluate", out / "model.safetensors", tmp_path / name, "--json"
        )
        assert status == 0
        assert json.loads(text)["accuracy"] > 0.8
    unlabelled = tmp_path / "new.csv"
    unlabelled.write_text("a,b,c\n5,0,0\n-5,0,0\n")
    status, text, error = run(capsys, "predict", tmp_path / "own-csv", unlabelled)
    assert status == 0, error
    assert [row["name"] for row in csv.DictReader(io.StringIO(text))] == ["yes", "no"]
    status, _, error = run(capsys, "evaluate", tmp_path / "own-csv", unlabelled)
    assert status == 2
    assert "has no labels" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--data", "mnist"], "spiral"),
        (["train", "--data", "spiral", "--device", "gpu"], "has only the device"),
        (["train", "--data", "spiral", "--lr", "-1"], "learning_rate"),
        (["train", "--data", "spiral", "--lr", "nan"], "learning_rate"),
        (["train", "--data", "spiral", "--seed", "-1"], "seed"),
        (["train", "--data", "fashion-mnist", "--data-dir", "nowhere"], "nowhere"),
        (["evaluate", "nothing.safetensors", "spiral"], "nothing.safetensors"),
        (["predict", "nothing.safetensors", "spiral"], "nothing.safetensors"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments, message, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    status, _, error = run(capsys, *arguments)
    assert status == 2
    assert error.startswith("nnfs-xp: error: ")
    assert message in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["fly"], ["train", "--epochs", "0"], ["train", "--epochs", "many"],
        ["train", "--batch-size", "-3"], ["train", "--hidden", "-5"],
        ["train", "--hidden", "a"], ["train", "--backend", "tensorflow"],
        ["train", "--dtype", "float16"], ["train", "--matmul-precision", "float8"],
        ["evaluate"],
    ],
)  # fmt: skip
def test_wrong_arguments_show_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: nnfs-xp" in capsys.readouterr().err


def test_a_backend_that_does_not_work_is_an_error(capsys, tmp_path):
    if nx.backend_status("cupy").works:
        pytest.skip("CuPy works here")
    status, _, error = run(capsys, *SPIRAL, "--backend", "cupy", "--out", tmp_path)
    assert status == 2
    assert nx.backend_status("cupy").reason in error


def test_auto_says_what_it_took(capsys, tmp_path):
    status, out, _ = run(capsys, *SPIRAL, "--backend", "auto", "--out", tmp_path)
    assert status == 0
    assert "auto selected " in out
    history = json.loads((tmp_path / "history.json").read_text())
    assert history["backend"]["note"].startswith("auto selected ")


def test_list_of_backends(capsys):
    status, out, _ = run(capsys, "backends")
    assert status == 0
    for name in nx.BACKEND_NAMES:
        (line,) = [line for line in out.splitlines() if line.startswith(name)]
        works = nx.backend_status(name).works
        assert line.endswith("works" if works else "does not work")
    assert "devices: cpu" in out


def test_a_run_that_diverges_is_told_in_one_line(capsys, tmp_path):
    status, _, error = run(
        capsys, "train", "--data", "spiral", "--epochs", 3, "--lr", 1e38,
        "--out", tmp_path,
    )  # fmt: skip
    assert status == 2
    assert error.startswith("nnfs-xp: error: training has diverged in epoch 1")
    assert error.count("\n") == 1
    assert not (tmp_path / "model.safetensors").exists()


def test_interrupted_training_keeps_what_was_learned(capsys, tmp_path, monkeypatch):
    def interrupt(self, record):
        if record["epoch"] == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(nx.PrintEpochs, "on_epoch_end", interrupt)
    status, out, _ = run(capsys, *SPIRAL, "--out", tmp_path)
    assert status == 130
    assert "interrupted in epoch 4; keeping what was learned" in out
    assert nx.Model.load(tmp_path / "model.safetensors").epochs_trained == 3


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"nnfs-xp {nx.__version__}\n"
    # A checkout may be another version than what is installed.
    source = Path(nx.__file__).with_name("__init__.py").read_text()
    assert f'__version__ = "{nx.__version__}"' in source


def test_one_plain_line_per_epoch_where_there_is_no_terminal(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "nnfs_xp", *SPIRAL, "--out", tmp_path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    epochs = [line for line in done.stdout.splitlines() if line.startswith("epoch ")]
    assert len(epochs) == 20
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_live_progress_on_a_terminal(tmp_path):
    main_end, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nnfs_xp", "train", "--data", "digits", "--epochs", "8",
         "--batch-size", "2", "--no-plot", "--out", str(tmp_path)],
        stdout=terminal, stderr=terminal, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(terminal)
    seen = b""
    while True:
        ready, _, _ = select.select([main_end], [], [], 120)
        try:
            part = os.read(main_end, 4096) if ready else b""
        except OSError:  # the other side is closed
            part = b""
        if not part:
            break
        seen += part
    assert process.wait(timeout=60) == 0
    text = seen.decode()
    assert "\x1b[" in text
    assert "batch " in text
    assert "images/s" in text
    assert "epoch 8/8" in text
    assert "test accuracy 0." in text


def test_a_reader_that_stops_early_is_no_error(spiral_run):
    program = "import sys; from nnfs_xp.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "predict", str(spiral_run), "spiral"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 141


def test_names_in_other_scripts(tmp_path):
    """On a terminal that cannot show them, and in a font that lacks them."""
    rows = [f"{value},0,{name}" for value, name in ((1, "日"), (-1, "é")) * 10]
    (tmp_path / "own.csv").write_text("a,b,label\n" + "\n".join(rows), "utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    out = tmp_path / "out"
    for arguments in (
        ["train", "--data", tmp_path / "own.csv", "--epochs", "3", "--out", out],
        ["predict", out, tmp_path / "own.csv"],
    ):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "nnfs_xp", *map(str, arguments)],
            env=environment, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert b"\\u65e5" in done.stdout
    assert (out / "report.png").exists()


def test_figures_of_a_diverged_model_are_json(tmp_path, capsys):
    assert main([*map(str, SPIRAL), "--no-plot", "--out", str(tmp_path)]) == 0
    path = tmp_path / "model.safetensors"
    model = nx.Model.load(path)
    model.layers[0].weights = np.full(model.layers[0].weights.shape, np.nan)
    model.save(path, allow_nonfinite=True)
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path), "spiral", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert figures["loss"] is None
