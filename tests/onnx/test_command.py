"""``nnfs-xp export``."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.cli import main
from tests.onnx.helpers import assert_near, run


def test_a_trained_model_is_exported(tmp_path, capsys):
    out = ["--out", str(tmp_path / "run"), "--no-plot"]
    train = ["train", "--data", "spiral", "--epochs", "1", "--hidden", "8", *out]
    assert main(train) == 0
    path = tmp_path / "spiral.onnx"
    assert main(["export", str(tmp_path / "run"), str(path)]) == 0
    assert capsys.readouterr().out.endswith(f"wrote {path}\n")
    model = nx.Model.load(tmp_path / "run" / "model.safetensors")
    x = np.random.default_rng(0).standard_normal((5, 2)).astype("float32")
    assert_near(run(path, x), model.predict(x), 1e-6)
    assert nx.onnx.load(path).metadata == model.metadata


@pytest.mark.slow
def test_a_convolutional_network_knows_its_pictures(tmp_path):
    run_folder, path = tmp_path / "run", tmp_path / "digits.onnx"
    train = ["train", "--data", "digits", "--net", "cnn", "--epochs", "1", "--no-plot"]
    assert main([*train, "--quiet", "--out", str(run_folder)]) == 0
    assert main(["export", str(run_folder), str(path)]) == 0
    model = nx.Model.load(run_folder / "model.safetensors")
    x = np.random.default_rng(0).standard_normal((5, 64)).astype("float32")
    assert_near(run(path, x), model.predict(x), 1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.onnx"], "--sample-shape is needed"),
        (["a.pt"], "end with one of"),
        (["none/a.onnx"], "there is no such directory"),
        (["a.onnx", "--sample-shape", "5"], "sample_shape must be"),
    ],
)
def test_what_cannot_be_exported(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    nx.Model([nx.Flatten(), nx.Dense(6, 2)]).save("model.safetensors")
    assert main(["export", "model.safetensors", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_shape_of_a_sample(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nx.Model([nx.Flatten(), nx.Dense(6, 2)]).save("model.safetensors")
    assert main(["export", ".", "a.onnx", "--sample-shape", "2x3"]) == 0
    assert run("a.onnx", np.ones((4, 2, 3), "float32")).shape == (4, 2)
    with pytest.raises(SystemExit):
        main(["export", ".", "a.onnx", "--sample-shape", "2x0"])
