"""Saved models: complete, portable, replaced whole or not at all, and no code."""

import gzip
import io
import itertools
import json
import os
import pickle
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import nnfs_xp as nx
from nnfs_xp.io.atomic import atomic_write
from tests.test_model import X, Y, make, named


def trained(**kwargs):
    model = make(**kwargs)
    model.fit(X, Y, epochs=2, batch_size=16)
    model.metadata = {"class_names": ["a", "ü"], "note": "kept"}
    return model


def test_saved_on_one_backend_and_used_on_all(tmp_path, backend):
    path = tmp_path / "model.safetensors"
    model = trained(backend=backend)
    expected = backend.to_numpy(model.predict(X))
    model.save(path)
    for name in ("numpy", "array_api_strict", backend.name):
        again = nx.Model.load(path, backend=name)
        assert again.backend.dtype_name == "float64"
        found = nx.to_numpy(again.predict(X))
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        for key, value in model.parameters.items():
            np.testing.assert_array_equal(
                nx.to_numpy(again.parameters[key]), nx.to_numpy(value)
            )


def test_saved_on_numpy_and_used_on_all(tmp_path, backend):
    path = tmp_path / "model.safetensors"
    model = trained(backend="numpy")
    model.save(path)
    again = nx.Model.load(path, backend=backend, dtype="float64")
    np.testing.assert_allclose(
        nx.to_numpy(again.predict(X)), model.predict(X), rtol=1e-12
    )
    single = nx.Model.load(path, backend=backend, dtype="float32")
    assert single.backend.dtype_name == "float32"


def test_a_resumed_run_equals_one_that_was_not_interrupted(tmp_path, backend):
    whole = make(backend=backend, dtype=backend.dtype_name)
    expected = whole.fit(X, Y, epochs=6, batch_size=16)["loss"]
    first = make(backend=backend, dtype=backend.dtype_name)
    losses = first.fit(X, Y, epochs=2, batch_size=16)["loss"]
    first.save(tmp_path / "m")
    second = nx.Model.load(tmp_path / "m", backend=backend)
    assert second.epochs_trained == 2
    history = second.fit(X, Y, epochs=4, batch_size=16)
    assert history["epoch"] == [3, 4, 5, 6]
    assert losses + history["loss"] == expected


def test_everything_that_describes_the_model_is_kept(tmp_path):
    model = nx.Model(
        [nx.Dense(4, 8, weight_initializer=nx.Normal(0.3)), nx.ReLU(),
         nx.Dense(8, 2), nx.Softmax()],
        loss=nx.CategoricalCrossEntropy(mode="book"),
        optimizer=nx.Adam(0.25, beta_1=0.5),
        metrics=None,
        seed=2**63 + 1,
        dtype="float64",
    )  # fmt: skip
    model.learning_rate = 0.125
    model.save(tmp_path / "m")
    again = nx.Model.load(tmp_path / "m")
    assert again.config() == model.config()
    assert again.learning_rate == 0.125
    assert again.seed == 2**63 + 1


def test_file_is_plain_safetensors(tmp_path):
    model = trained()
    model.save(tmp_path / "m")
    arrays = load_file(tmp_path / "m")
    for name, value in model.parameters.items():
        np.testing.assert_array_equal(arrays[name], value)
    assert arrays["optimizer.step"].shape == ()
    assert set(arrays) > {"optimizer.moment_1.0.weights"}
    with safe_open(tmp_path / "m", framework="numpy") as file:
        config = json.loads(file.metadata()["nnfs_xp"])
    assert config["layers"][0]["class"] == "Dense"
    assert config["metadata"]["class_names"] == ["a", "ü"]


def test_arrays_that_are_not_contiguous_are_saved_as_they_read(tmp_path):
    from nnfs_xp.io.checkpoint import write_checkpoint

    values = np.arange(12.0).reshape(3, 4)
    write_checkpoint(tmp_path / "m", {}, {"T": values.T, "step": values[:, ::2]})
    arrays = load_file(tmp_path / "m")
    np.testing.assert_array_equal(arrays["T"], values.T)
    np.testing.assert_array_equal(arrays["step"], values[:, ::2])


def with_statistics(be):
    """Return a model with all that a file holds: learned, frozen, kept, and ids."""
    frozen = nx.Dense(8, 8)
    frozen.trainable = False
    inner = nx.Sequential([nx.BatchNorm(8), frozen, nx.Dropout(0.3)])
    model = nx.Model(
        [nx.Embedding(6, 4), nx.Flatten(), nx.Dense(8, 8), nx.Residual(inner),
         nx.Dense(8, 2), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="adam", backend=be,
    )  # fmt: skip
    ids = np.arange(40).reshape(20, 2) * 5 % 6
    return model, ids, np.arange(20) % 2


def test_statistics_and_noise_go_on_where_they_were(tmp_path, backend):
    whole, x, y = with_statistics(backend)
    first, *_ = with_statistics(backend)
    whole.fit(x, y, epochs=3, batch_size=8)
    first.fit(x, y, epochs=1, batch_size=8)
    first.save(tmp_path / "m")
    second = nx.Model.load(tmp_path / "m", backend=backend)
    second.layers[3].inner.layers[1].trainable = False
    second.fit(x, y, epochs=2, batch_size=8)
    expected = whole._ready.export()
    assert {"3.inner.0.mean", "3.inner.1.weights"} < set(expected)
    found = second._ready.export()
    assert found.keys() == expected.keys()
    for path, value in expected.items():
        np.testing.assert_array_equal(found[path], value, path)


# Files of before.


FILES = Path(__file__).parent / "files"


@pytest.fixture(scope="module")
def of_format_1():
    """What the version that wrote the file said of the model."""
    return json.loads((FILES / "format_1.json").read_text())


def test_a_file_of_format_1_is_read_and_trained_on(of_format_1, tmp_path, backend64):
    """Its parameters are numbered through all chains, and named by that."""
    x, y = np.array(of_format_1["x"]), np.array(of_format_1["y"])
    path = FILES / "format_1.safetensors"
    with safe_open(path, framework="numpy") as file:
        assert json.loads(file.metadata()["nnfs_xp"])["format"] == 1
        assert "optimizer.moment_1.layers.4.weights" in set(file.keys())
    model = nx.Model.load(path, backend=backend64)
    assert set(model.parameters) == {
        f"{unit}.{name}"
        for unit in ("1.0", "1.1.0", "2")
        for name in ("weights", "biases")
    }
    assert (model.epochs_trained, model.steps_trained) == (2, 6)
    assert model.metadata == {"made by": "format 1"}
    rate = model.optimizer.rate_at(model.steps_trained)
    assert rate == of_format_1["learning_rate"]

    def assert_predicts(expected):
        found = backend64.to_numpy(model.predict(x))
        np.testing.assert_allclose(found, expected, rtol=1e-12)

    assert_predicts(of_format_1["predictions"])
    assert model.evaluate(x, y) == pytest.approx(of_format_1["evaluation"], rel=1e-12)
    # What is saved now is of the present format.
    model.save(tmp_path / "m")
    with safe_open(tmp_path / "m", framework="numpy") as file:
        assert json.loads(file.metadata()["nnfs_xp"])["format"] == 2
        assert "optimizer.moment_1.1.1.0.weights" in set(file.keys())
    model = nx.Model.load(tmp_path / "m", backend=backend64)
    # Moments, step and masks go on where they were.
    losses = model.fit(x, y, epochs=2, batch_size=5)["loss"]
    expected = of_format_1["loss of two more epochs"]
    np.testing.assert_allclose(losses, expected, rtol=1e-9)
    np.testing.assert_allclose(
        backend64.to_numpy(model.predict(x)),
        of_format_1["predictions then"],
        rtol=1e-9,
    )


def test_parameters_alone_of_a_file_of_format_1(of_format_1):
    block = nx.Sequential([nx.Dense(3, 4), nx.Sequential([nx.Dense(4, 4), nx.Tanh()])])
    layers = [nx.Linear(), block, nx.Dense(4, 2), nx.Softmax()]
    model = nx.Model(layers, dtype="float64")
    model.load_parameters(FILES / "format_1.safetensors")
    np.testing.assert_allclose(
        model.predict(of_format_1["x"]), of_format_1["predictions"], rtol=1e-12
    )
    flat = nx.Model([nx.Dense(3, 4), nx.Dense(4, 4), nx.Dense(4, 2)])
    with pytest.raises(nx.FileFormatError, match=r"this model has no layers\.4"):
        flat.load_parameters(FILES / "format_1.safetensors")


@pytest.mark.parametrize("version", [0, 3, "1", None])
def test_other_formats_are_refused(tmp_path, version):
    path = altered(tmp_path, lambda config, arrays: config.update(format=version))
    with pytest.raises(nx.FileFormatError, match="this version reads") as caught:
        nx.Model.load(path)
    assert ("a newer nnfs_xp wrote the file" in str(caught.value)) is (version == 3)


def test_a_file_without_a_checksum_is_read(tmp_path):
    """As the first files of format 2 were."""
    model = trained()
    path = altered(tmp_path, lambda config, arrays: None)
    with safe_open(path, framework="numpy") as file:
        assert set(file.metadata()) == {"nnfs_xp"}
    again = nx.Model.load(path)
    for name, value in named(model).items():
        np.testing.assert_array_equal(again.parameters[name], value)


# Nothing is lost.


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "m"
    model = trained()
    model.save(path)
    before = path.read_bytes()

    def no_space(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left"):
        model.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_metadata_that_json_cannot_hold_leaves_the_old_file(tmp_path):
    path = tmp_path / "m"
    model = trained()
    model.save(path)
    before = path.read_bytes()
    model.metadata = {"array": np.ones(2)}
    with pytest.raises(nx.InputError, match="metadata"):
        model.save(path)
    assert path.read_bytes() == before


def test_a_saved_file_has_the_usual_permissions(tmp_path):
    old = os.umask(0o027)
    try:
        make().save(tmp_path / "new")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    os.chmod(tmp_path / "new", 0o604)
    make().save(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o604


def test_atomic_write_leaves_nothing_behind_on_interruption(tmp_path):
    def write_half():
        with atomic_write(tmp_path / "f") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_saving_into_a_directory_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        make().save(tmp_path / "no" / "m")


# Damage.


def with_flipped_bit(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def assert_found(data, bits, path, load):
    for bit in bits:
        path.write_bytes(with_flipped_bit(data, bit))
        with pytest.raises(nx.FileFormatError):
            load(path)


def small():
    """Return a model whose file is soon read."""
    layers = [nx.Dense(2, 40), nx.Tanh()]
    model = nx.Model(layers, loss="mean_squared_error", optimizer="adam")
    model.metadata = {
        "note": "é",
        "zeros": "0" * 64,
        'a "key"': 'checksum":"' + "0" * 64,
    }
    return model


@pytest.mark.parametrize(("what", "flips"), [("model", 2000), ("parameters", 500)])
def test_a_flipped_bit_is_found_anywhere(tmp_path, what, flips):
    path, model = tmp_path / "m", small()
    save, load = model.save, nx.Model.load
    if what == "parameters":
        save, load = model.save_parameters, model.load_parameters
    save(path)
    load(path)
    data = path.read_bytes()
    before = named(model)
    bits = np.random.default_rng(0).integers(0, 8 * len(data), flips)
    assert_found(data, bits, path, load)
    for name, value in named(model).items():
        np.testing.assert_array_equal(before[name], value)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["model", "parameters"])
def test_every_flipped_bit_of_the_header_is_found(tmp_path, what):
    path, model = tmp_path / "m", small()
    save, load = model.save, nx.Model.load
    if what == "parameters":
        save, load = model.save_parameters, model.load_parameters
    save(path)
    data = path.read_bytes()
    size = 8 + int.from_bytes(data[:8], "little")
    assert_found(data, range(8 * size), path, load)


def test_a_checksum_that_has_lost_its_name_is_found(tmp_path):
    model = small()
    model.save(tmp_path / "m")
    data = (tmp_path / "m").read_bytes()
    (tmp_path / "m").write_bytes(data.replace(b'"checksum":', b'"checksun":'))
    with pytest.raises(nx.FileFormatError, match="its checksum has lost its name"):
        nx.Model.load(tmp_path / "m")


def test_a_file_that_another_program_changed(tmp_path):
    model = small()
    model.save(tmp_path / "m")
    with safe_open(tmp_path / "m", framework="numpy") as file:
        metadata = file.metadata()
    arrays = load_file(tmp_path / "m")
    arrays["0.weights"][0, 0] += 1
    save_file(arrays, tmp_path / "m", metadata)
    with pytest.raises(nx.FileFormatError, match="was changed by another program"):
        nx.Model.load(tmp_path / "m")
    # Without its checksum it is taken as it is.
    save_file(arrays, tmp_path / "m", {"nnfs_xp": metadata["nnfs_xp"]})
    again = nx.Model.load(tmp_path / "m")
    np.testing.assert_array_equal(again.parameters["0.weights"], arrays["0.weights"])


@pytest.mark.parametrize(
    "metadata", [{"content_hash": "0f" * 32}, {"checksum": "crc32:12345678"}]
)
def test_checksums_of_other_programs_are_left_to_them(tmp_path, metadata):
    arrays = {name: 2.0 * value for name, value in named(small()).items()}
    save_file(arrays, tmp_path / "m", metadata)
    model = small()
    model.load_parameters(tmp_path / "m")
    for name, value in named(model).items():
        np.testing.assert_array_equal(value, arrays[name])


def test_floats_that_numpy_lacks_are_named(tmp_path):
    model = small()
    before = named(model)
    arrays = {name: value.astype("float16") for name, value in before.items()}
    save_file(arrays, tmp_path / "m")
    data = (tmp_path / "m").read_bytes()
    head, body = data[8:].split(b"}}", 1)
    head = head.replace(b'"F16"', b'"BF16"') + b"}}"
    data = len(head).to_bytes(8, "little") + head + body.lstrip(b" ")
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(nx.FileFormatError, match=r"0\..* has dtype BF16; F16, F32 and"):
        model.load_parameters(tmp_path / "m")


def test_a_model_is_saved_as_the_same_bytes_every_time(tmp_path):
    model = trained()
    for name in "abcdefgh":
        model.save(tmp_path / name)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


# Files that are not models.


def zip_of(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return buffer.getvalue()


def npz():
    buffer = io.BytesIO()
    np.savez(buffer, weights=np.ones(3))
    return buffer.getvalue()


def npy():
    buffer = io.BytesIO()
    np.save(buffer, np.ones(3))
    return buffer.getvalue()


def of_torch(zipped):
    torch = pytest.importorskip("torch")
    buffer = io.BytesIO()
    torch.save({"w": torch.ones(3)}, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


BOOK_LISTS = [(np.ones((2, 3)), np.zeros((1, 3)))]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        *((pickle.dumps(BOOK_LISTS, protocol), "a pickle, .*pickle.load .*"
           r"model\.set_parameters") for protocol in range(6)),
        (npz(), r"NumPy \(\.npz\); .*model\.set_parameters"),
        (npy(), r"NumPy \(\.npy\)"),
        (lambda: of_torch(True), r"PyTorch \(\.pt\); nnfs_xp\.weights\.from_torch"),
        (lambda: of_torch(False), r"PyTorch \(\.pt\)"),
        (zip_of("config.json", "model.weights.h5"),
         r"Keras \(\.keras\); nnfs_xp\.weights\.from_keras takes .*load_model"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), r"HDF5 file \(\.h5\), as Keras"),
        (zip_of("letter.doc"), "a zip archive"),
        (zip_of("a.npy")[:50], "a zip archive, and damaged"),
        (b"\x08\x0a\x12\x07pytorch:" + bytes(50), r"ONNX format; nnfs_xp\.onnx\."),
        (gzip.compress(b"text"), "compressed by gzip"),
        ("größer, kleiner\n".encode(), "text, and begins with 'größer, kleiner"),
        (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
        (b"", "it is empty"),
    ],
    # Archives hold the time, so their bytes are no names.
    ids=itertools.count(),
)  # fmt: skip
def test_an_error_says_what_the_file_is(tmp_path, content, kind):
    path = tmp_path / "m"
    path.write_bytes(content() if callable(content) else content)
    model = make()
    for load in (nx.Model.load, model.load_parameters):
        with pytest.raises(nx.FileFormatError, match=f"m is not a model .*{kind}"):
            load(path)


class Layer_Dense:
    """As a program of the book names its own."""


def test_a_whole_model_of_the_book_is_named(tmp_path):
    (tmp_path / "book.model").write_bytes(pickle.dumps({"layers": [Layer_Dense()]}))
    message = r"a whole model of the book's program.*\.get_parameters\(\)\)"
    with pytest.raises(nx.FileFormatError, match=message):
        nx.Model.load(tmp_path / "book.model")


def test_lists_of_a_pickle_come_over_as_the_error_says(tmp_path):
    model = nx.Model([nx.Dense(2, 3)])
    (tmp_path / "book.parms").write_bytes(pickle.dumps(BOOK_LISTS))
    with open(tmp_path / "book.parms", "rb") as file:
        model.set_parameters(pickle.load(file))
    np.testing.assert_array_equal(model.parameters["0.weights"], BOOK_LISTS[0][0])


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        nx.Model.load(tmp_path / "nothing")


@pytest.mark.parametrize(
    "content", [b"", b"x", b"\x80\x04pickle", b"\xff" * 100, b"{}" * 50]
)
def test_a_file_of_another_kind(tmp_path, content):
    path = tmp_path / "m"
    path.write_bytes(content)
    with pytest.raises(nx.FileFormatError, match="m is not a model"):
        nx.Model.load(path)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(tmp_path, keep):
    path = tmp_path / "m"
    trained().save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(nx.FileFormatError, match="m is not a model"):
        nx.Model.load(path)


def test_safetensors_of_somebody_else(tmp_path):
    save_file({"w": np.ones(3)}, tmp_path / "m")
    with pytest.raises(nx.FileFormatError, match="is not a model .*another program"):
        nx.Model.load(tmp_path / "m")
    # Its arrays can be read if they have the names of a model.
    save_file(
        {"0.weights": np.ones((2, 3)), "0.biases": np.ones((1, 3))}, tmp_path / "m"
    )
    model = nx.Model([nx.Dense(2, 3)])
    model.load_parameters(tmp_path / "m")
    np.testing.assert_array_equal(model.parameters["0.weights"], np.ones((2, 3)))


def altered(tmp_path, change):
    """Save a model, change its configuration or arrays, and write it again."""
    trained().save(tmp_path / "m")
    arrays = load_file(tmp_path / "m")
    with safe_open(tmp_path / "m", framework="numpy") as file:
        config = json.loads(file.metadata()["nnfs_xp"])
    change(config, arrays)
    save_file(arrays, tmp_path / "m", metadata={"nnfs_xp": json.dumps(config)})
    return tmp_path / "m"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c, a: c.update(format=99), "format 99"),
        (lambda c, a: c.pop("layers"), "no usable 'layers'"),
        (lambda c, a: c.update(seed="0"), "no usable 'seed'"),
        (lambda c, a: c["layers"][0].update({"class": "os.system"}), "os.system"),
        (lambda c, a: c["layers"][0].pop("n_inputs"), "n_inputs"),
        (lambda c, a: c["layers"][0].update(n_inputs=10**12), "0.weights"),
        (lambda c, a: c["layers"][0].update(seed="x"), "seed must be"),
        (lambda c, a: c["loss"].update(backend="cupy"), "must not name a backend"),
        (lambda c, a: c.update(epochs_trained=-5), "epochs_trained"),
        (lambda c, a: c.update(epochs_trained=True), "epochs_trained"),
        (lambda c, a: c["layers"][0].update(n_inputs=5), "shape|outputs"),
        (lambda c, a: c["layers"][0].update(extra=1), "extra"),
        (lambda c, a: c["layers"].clear(), "at least one layer"),
        (lambda c, a: c.update(dtype="float8"), "dtype"),
        (lambda c, a: a.pop("0.weights"), "0.weights"),
        (lambda c, a: a.pop("optimizer.step"), "optimizer.step"),
        (
            lambda c, a: a.update({"0.weights": np.ones((2, 2))}),
            "0.weights .*shape",
        ),
        (
            lambda c, a: a.update({"0.biases": np.ones((1, 8), dtype="int32")}),
            "0.biases",
        ),
    ],
)  # fmt: skip
def test_an_altered_file_is_refused_by_name(tmp_path, change, message):
    path = altered(tmp_path, change)
    with pytest.raises(nx.FileFormatError, match=message) as caught:
        nx.Model.load(path)
    assert str(path) in str(caught.value)


def test_loading_gives_the_parameters_and_nothing_drawn(tmp_path):
    model = trained()
    model.save(tmp_path / "m")
    again = nx.Model.load(tmp_path / "m")
    for name, value in named(model).items():
        np.testing.assert_array_equal(again.parameters[name], value)


def test_metadata_that_is_no_dict_is_not_saved(tmp_path):
    model = make()
    model.metadata = "abc"
    with pytest.raises(nx.InputError, match="metadata must be a dict"):
        model.save(tmp_path / "m")


def test_saving_through_a_link_replaces_its_target(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    make().save(link)
    assert link.is_symlink()
    nx.Model.load(target)
