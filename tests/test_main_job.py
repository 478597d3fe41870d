"""The main job at full size: the book's network on the packaged images."""

import json

import pytest

from nnfs_xp.cli import main


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_packaged_images_are_learned(tmp_path, seed, capsys):
    assert main(["train", "--seed", str(seed), "--out", str(tmp_path)]) == 0
    history = json.loads((tmp_path / "history.json").read_text())
    assert history["configuration"]["hidden"] == [128, 128]
    assert history["data"]["training_samples"] == 10_000
    assert history["data"]["test_samples"] == 2_000
    assert history["test_accuracy"] >= 0.84
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path), "fashion-mnist-mini", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["accuracy"] == history["test_accuracy"]
