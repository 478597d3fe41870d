"""The built-in sets, finding data by name, and the packaged files."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import subprocess
import sys
import zipfile
from importlib.resources import files

import numpy as np
import pytest

from nnfs_xp.data import DATASET_NAMES, Dataset, Scaling, load_dataset, load_examples
from nnfs_xp.data.fashion_mnist import CLASS_NAMES
from nnfs_xp.errors import DTypeError, InputError
from tests.data.build_packaged_files import main, mini_arrays, write_npz

PACKAGED = files("nnfs_xp.data").joinpath("files")
OFFLINE_NAMES = [name for name in DATASET_NAMES if name != "fashion-mnist"]


@pytest.mark.parametrize("name", OFFLINE_NAMES)
def test_built_in_set(name):
    dataset = load_dataset(name)
    assert dataset.name == name
    assert dataset.note and "\n" not in dataset.note
    for split, y in (("train", dataset.y_train), ("test", dataset.y_test)):
        x = dataset.features(split)
        assert x.shape == (len(y), dataset.n_features)
        assert x.dtype == np.float32
        assert x.min() >= -1.0 and x.max() <= 1.0
        # The clouds of "vertical" stand between 0 and 1.
        assert x.max() - x.min() > (1.1 if name == "vertical" else 1.8)
        assert set(y.tolist()) == set(range(dataset.n_classes))
        # torch warns of arrays that it may not write to.
        assert y.flags.writeable
    examples = load_examples(name)
    np.testing.assert_array_equal(examples.x, dataset.x_test)
    np.testing.assert_array_equal(examples.y, dataset.y_test)
    assert examples.class_names == dataset.class_names
    assert examples.image_shape == dataset.image_shape


def test_names():
    names = "fashion-mnist-mini fashion-mnist digits spiral vertical"
    assert " ".join(DATASET_NAMES) == names


def test_mini_is_balanced_and_mixed():
    dataset = load_dataset("fashion-mnist-mini")
    assert dataset.x_train.dtype == np.uint8 and dataset.x_train.shape == (10000, 784)
    assert dataset.class_names == CLASS_NAMES and CLASS_NAMES[9] == "Ankle boot"
    assert dataset.image_shape == (28, 28)
    assert np.bincount(dataset.y_train).tolist() == [1000] * 10
    assert np.bincount(dataset.y_test).tolist() == [200] * 10
    assert len(set(dataset.y_train[:100].tolist())) == 10


def test_digits_split_is_stratified_and_fixed():
    dataset = load_dataset("digits")
    assert dataset.x_train.dtype == np.uint8 and dataset.x_train.max() == 16
    in_train, in_test = np.bincount(dataset.y_train), np.bincount(dataset.y_test)
    assert (in_train + in_test).tolist() == [
        *(178, 182, 177, 183, 181, 182, 181, 179, 174, 180)
    ]
    np.testing.assert_allclose(in_test / (in_train + in_test), 0.2, atol=0.003)
    # The very rows, so that no change of the split goes unnoticed.
    digest = hashlib.sha256(dataset.x_test.tobytes()).hexdigest()
    assert digest.startswith("509c66ca5adccd8e")


def test_digits_are_those_of_scikit_learn():
    bunch = pytest.importorskip("sklearn.datasets").load_digits()
    dataset = load_dataset("digits")
    ours = np.concatenate([dataset.x_train, dataset.x_test])
    assert sorted(map(tuple, ours)) == sorted(map(tuple, bunch.data))


def test_mini_can_be_rebuilt(original_files):
    rebuilt = mini_arrays(original_files)
    with np.load(str(PACKAGED / "fashion_mnist_mini.npz")) as packaged:
        assert sorted(packaged) == sorted(rebuilt)
        for key, array in rebuilt.items():
            assert packaged[key].dtype == np.uint8
            np.testing.assert_array_equal(packaged[key], array)


@pytest.mark.slow
def test_build_script(original_files, tmp_path, capsys):
    pytest.importorskip("sklearn.datasets")
    plays = tmp_path / "plays.txt"
    with np.load(str(PACKAGED / "shakespeare.npz")) as packaged:
        third = b"\nKING RICHARD II:\nOld John of Gaunt, time-honour'd Lancaster,\n"
        plays.write_bytes(packaged["text"].tobytes() + third)
    sources = ["--fashion-mnist", str(original_files), "--plays", str(plays)]
    main([*sources, "--out", str(tmp_path / "out")])
    assert "fashion_mnist_mini.npz: 5," in capsys.readouterr().out
    for path in (tmp_path / "out").iterdir():
        with np.load(path) as built, np.load(str(PACKAGED / path.name)) as packaged:
            assert sorted(built) == sorted(packaged)
            for key in built:
                np.testing.assert_array_equal(built[key], packaged[key])


def test_written_files_are_the_same_bytes_each_time(tmp_path, monkeypatch):
    arrays = {"x": np.arange(100), "y": np.eye(3)}
    write_npz(tmp_path / "first.npz", arrays)
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("sys.platform", "win32")
    write_npz(tmp_path / "second.npz", arrays)
    first = (tmp_path / "first.npz").read_bytes()
    assert first == (tmp_path / "second.npz").read_bytes()


def test_packaged_files_are_small_and_dated_alike():
    for name in ("fashion_mnist_mini.npz", "digits.npz", "shakespeare.npz"):
        path = pathlib.Path(str(PACKAGED / name))
        assert path.stat().st_size <= 6_000_000
        with zipfile.ZipFile(path) as archive:
            dates = {member.date_time for member in archive.infolist()}
        assert dates == {(1980, 1, 1, 0, 0, 0)}


def test_notice_names_all_sources():
    notice = PACKAGED.joinpath("NOTICE.md").read_text(encoding="utf-8")
    assert "Copyright (c) 2017 Zalando SE, https://tech.zalando.com" in notice
    assert "10.24432/C50P49" in notice
    assert "William Shakespeare" in notice
    assert "https://github.com/karpathy/char-rnn" in notice


@pytest.mark.parametrize("name", ["fashon-mnist", "", "no/such/file.csv", "Digits"])
@pytest.mark.parametrize("load", [load_dataset, load_examples])
def test_unknown_name(load, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="fashion-mnist-mini, fashion-mnist, digits"):
        load(name)


@pytest.mark.parametrize("name", [None, 3, ["digits"]])
def test_neither_name_nor_path(name):
    with pytest.raises(InputError, match="name_or_path must be a name or a path"):
        load_dataset(name)


def test_path_of_a_built_in_name_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no file is called 'digits'"):
        load_dataset(pathlib.Path("digits"))
    assert load_dataset("digits").n_features == 64


def test_examples_of_a_built_in_set_fit_the_model():
    assert load_examples("digits", n_features=64).x.shape[1] == 64
    with pytest.raises(InputError, match="digits: rows have 64 features; 784"):
        load_examples("digits", n_features=784)


def test_data_set_is_frozen_and_prints_shortly():
    dataset = load_dataset("spiral")
    with pytest.raises(dataclasses.FrozenInstanceError):
        dataset.name = "other"
    assert len(repr(dataset)) < 400
    assert dataset == dataset and dataset != load_dataset("spiral")


def test_split_and_dtype_of_features():
    dataset = load_dataset("digits")
    assert dataset.features("test", "float64").dtype == np.float64
    with pytest.raises(InputError, match="'train' or 'test', not 'valid'"):
        dataset.features("valid")
    with pytest.raises(DTypeError):
        dataset.features("test", "int32")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": np.zeros((2, 2, 2))}, "x_train must have shape"),
        ({"y_test": np.zeros(2)}, "y_test must hold integers"),
        ({"y_train": np.zeros(3, int)}, r"y_train must have shape \(2,\)"),
        ({"y_train": np.zeros((2, 1), int)}, r"y_train must have shape \(2,\)"),
        ({"x_test": np.zeros((2, 5))}, "x_test has 5 features and x_train has 4"),
        ({"image_shape": (2, 3)}, r"image_shape \(2, 3\) does not fit 4"),
    ],
)
def test_data_set_that_does_not_fit_together(change, message):
    x, y = np.zeros((2, 4)), np.zeros(2, dtype=int)
    parts = {
        "name": "a",
        "x_train": x,
        "y_train": y,
        "x_test": x,
        "y_test": y,
        "class_names": ("0",),
        "image_shape": (2, 2),
        "scaling": Scaling.identity(),
        "note": "made up",
    }
    Dataset(**parts)
    with pytest.raises(InputError, match=message):
        Dataset(**{**parts, **change})


def test_import_is_light():
    code = (
        "import sys, nnfs_xp.data; "
        "sys.exit(bool({'pandas', 'pooch', 'requests', 'sklearn'} & set(sys.modules)))"
    )
    root = pathlib.Path(__file__).resolve().parents[2]
    subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
