"""What damaged files have shown: absurd sizes, and values of the wrong kind."""

import gzip
import io
import json
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

import nnfs_xp as nx
from nnfs_xp.data import Scaling, load_dataset, load_examples, streams
from tests.hostile import targets

X, Y = np.arange(48, dtype="uint8").reshape(12, 4), np.arange(12) % 3


def refused(path, message, megabytes=3):
    """Check that a file is refused, and that little memory is taken for it."""
    tracemalloc.start()
    try:
        with pytest.raises(nx.FileFormatError, match=message):
            load_examples(path)
        assert tracemalloc.get_traced_memory()[1] < megabytes * 2**20
    finally:
        tracemalloc.stop()


def header(**changes):
    description = {"descr": "<f8", "fortran_order": False, "shape": (12, 4), **changes}
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, description)
    return buffer.getvalue()


ARRAYS = [
    header(shape=(2**27, 4)) + bytes(384),
    header(shape=(2**50, 4)),
    header(shape=(2**70, 4)),
    header(shape=(-12, -4)) + bytes(384),
    header(descr="<U0", shape=(2**40, 1)),
    header(descr="<U268435455", shape=(1, 1)),
    header(shape=(3, 4)) + bytes(384),
]


@pytest.mark.parametrize("number", range(len(ARRAYS)))
@pytest.mark.parametrize("ending", ["npy", "npz", "compressed.npz"])
def test_arrays_of_other_sizes_than_declared(tmp_path, ending, number):
    path, array = tmp_path / f"a.{ending}", ARRAYS[number]
    if ending != "npy":
        method = zipfile.ZIP_DEFLATED if "compressed" in ending else zipfile.ZIP_STORED
        array = targets.zipped(method, x=array)
    path.write_bytes(array)
    refused(path, "its header declares|must be real numbers")


def test_archives_by_other_methods(tmp_path):
    path = tmp_path / "a.npz"
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        path.write_bytes(targets.zipped(method, x=targets.npy(np.zeros((500, 500)))))
        refused(path, "its compression method is not one of .npz")


def test_an_archive_with_an_array_twice(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", targets.npy(X))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x.npy", targets.npy(X + 1))
    refused(path, "holds 'x' twice")


@pytest.mark.parametrize("code", [0x110000, 0xFFFFFFFF, 0xD800, 0xDFFF])
@pytest.mark.parametrize("order", "<>")
def test_names_of_no_characters(tmp_path, code, order):
    names = np.array(["ab"] * 12, f"{order}U2")
    names.view(f"{order}u4")[3] = code
    np.savez(tmp_path / "a.npz", x=X, y=names)
    refused(tmp_path / "a.npz", "train labels hold bytes that are not characters")


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte.gz", "a.csv.gz"])
@pytest.mark.parametrize("honest", [True, False])
def test_a_small_file_of_gigabytes(tmp_path, monkeypatch, name, honest):
    """Also where it declares to be small, as the last part of several does."""
    monkeypatch.setattr(streams.check_unpacked_size, "__defaults__", (2**20,))
    monkeypatch.setattr(streams, "_LARGEST_RATIO", 1)
    sound = targets.idx(X.reshape(12, 2, 2).repeat(2**17, 0))
    if "csv" in name:
        sound = b"1,2,3\n" * 2**20
    content = gzip.compress(sound) + (b"" if honest else gzip.compress(b"1,2,3\n"))
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, r"would unpack to [\d,]+ bytes, more than the limit", 40)


def png(width, height):
    def chunk(name, content):
        body = name + content
        return (
            struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(99)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(2**13, 2**13), (2**12, 2**11), (2**30, 2**30)])
def test_a_small_picture_of_many_pixels(tmp_path, size):
    (tmp_path / "a.png").write_bytes(png(*size))
    refused(tmp_path / "a.png", "more than the limit|could be decompression bomb")


@pytest.mark.parametrize("mode", ["1", "P"])
def test_modes_of_pillow_that_take_less_than_the_pixels(tmp_path, mode):
    Image.new(mode, (9000, 9000), 1).save(tmp_path / "a.png")
    refused(tmp_path / "a.png", "more than the limit")


def test_large_pictures_are_read(tmp_path):
    Image.new("1", (3000, 5000), 1).save(tmp_path / "page.png")
    assert load_examples(tmp_path / "page.png").x.min() == 255
    Image.new("L", (4000, 4000), 3).save(tmp_path / "flat.png")
    assert load_examples(tmp_path / "flat.png").image_shape == (4000, 4000)


# Tables.


def table(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text)
    return path


def test_a_table_of_too_many_columns(tmp_path):
    refused(table(tmp_path, "1" + ",1" * 70_000), "has 70,001 columns; at most 65,536")


@pytest.mark.slow
def test_thousands_of_columns_take_little_memory(tmp_path):
    # With texts for missing values given by column it is 170.
    refused(table(tmp_path, "\t" * 15_000), "the label is missing", 130)


@pytest.mark.parametrize("column", ["a", "label"])
def test_integers_of_hundreds_of_digits(tmp_path, column):
    rows = {"a": "1,{},3", "label": "1,2,{}"}[column].format("9" * 400)
    path = table(tmp_path, f"a,b,label\n1,2,3\n{rows}\n")
    with pytest.raises(nx.FileFormatError, match=r"line 3, column \d .* not a finite"):
        load_dataset(path)


def test_a_damaged_line_after_a_very_long_cell(tmp_path):
    path = table(tmp_path, f"a,b,label\n1,{'x' * 200_000},3\n4,5,6\n")
    with pytest.raises(
        nx.FileFormatError, match=r"row 1, column 2 .*not a finite"
    ) as e:
        load_dataset(path)
    assert len(str(e.value)) < 400


def test_a_single_column_that_is_the_label(tmp_path):
    path = table(tmp_path, "1\n2\n1\n2\n")
    with pytest.raises(nx.FileFormatError, match="has a single column"):
        load_examples(path, label=0)


def test_labels_as_far_apart_as_their_type_allows(tmp_path):
    labels = np.array([-128, 127, 0] * 4, "int8")
    np.savez(tmp_path / "a.npz", x=X, y=labels)
    assert load_dataset(tmp_path / "a.npz").class_names == ("-128", "0", "127")


def test_values_that_are_too_large_once_scaled():
    scaling = Scaling(0.0, 1e-3)
    assert scaling.apply([[1e35]]).tolist() == [[np.float32(1e38)]]
    with pytest.raises(nx.InputError, match="too large, once scaled, for float32"):
        scaling.apply([[1e36]])
    with pytest.raises(nx.InputError, match="too large, once scaled, for float64"):
        scaling.apply([[1e306]], "float64")
    # What is missing, or infinite already, stays so.
    assert np.isnan(scaling.apply([[np.nan]])).all()
    assert np.isinf(scaling.apply([[np.inf]])).all()


# Models.


def changed(content, change):
    """Return a model file without a checksum, its configuration changed."""
    head, body = targets.header_of(content)
    found = json.loads(head)
    config = json.loads(found["__metadata__"]["nnfs_xp"])
    change(config)
    found["__metadata__"] = {"nnfs_xp": json.dumps(config)}
    head = json.dumps(found).encode()
    return len(head).to_bytes(8, "little") + head + body


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return targets.saved_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    return targets.begun_training(tmp_path_factory.mktemp("training"))


def test_layers_nested_too_deeply(tmp_path, sound):
    content = changed(sound, lambda config: config.update(layers=["a mark"]))
    head, body = targets.header_of(content)
    nested = r"{\"class\": \"Sequential\", \"layers\": [" * 300
    nested += r"{\"class\": \"ReLU\"}" + "]}" * 300
    head = head.replace(rb"\"a mark\"", nested.encode())
    (tmp_path / "m").write_bytes(len(head).to_bytes(8, "little") + head + body)
    with pytest.raises(nx.FileFormatError, match="nested too deeply|Recursion"):
        nx.Model.load(tmp_path / "m")


def test_a_text_nested_too_deeply(tmp_path, sound):
    head, body = targets.header_of(sound)
    found = json.loads(head)
    found["__metadata__"] = {"nnfs_xp": "[" * 9000 + "]" * 9000}
    head = json.dumps(found).encode()
    (tmp_path / "m").write_bytes(len(head).to_bytes(8, "little") + head + body)
    with pytest.raises(nx.FileFormatError, match="Recursion"):
        nx.Model.load(tmp_path / "m")


@pytest.mark.parametrize("key", ["steps_trained", "epochs_trained"])
@pytest.mark.parametrize("value", [-1, 2**31, 10**30])
def test_absurd_counts(tmp_path, sound, key, value):
    (tmp_path / "m").write_bytes(changed(sound, lambda c: c.update({key: value})))
    with pytest.raises(nx.FileFormatError, match=f"has no usable '{key}'"):
        nx.Model.load(tmp_path / "m")


WRONG = [
    ("training", None), ("training", []), ("plan", None), ("records", {}),
    ("records", [{"epoch": 7}]), ("records", [1]), ("begun", 1), ("batch", -1),
    ("batch", 99), ("batch", "2"), ("seconds", None), ("rate", "x"), ("stopped", None),
    ("callbacks", None), ("callbacks", [None]), ("callbacks", [{"class": []}]),
    ("learning_rate", []),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_a_training_of_other_types(tmp_path, begun, number):
    key, value = WRONG[number]

    def change(config):
        (config if key == "training" else config["training"])[key] = value

    path = tmp_path / "t"
    path.write_bytes(changed(begun, change))
    assert_unchanged(path, "has no usable ")


def assert_unchanged(path, message, model=None):
    model, content = model or targets.model(), path.read_bytes()
    before = {name: nx.to_numpy(x) for name, x in model.parameters.items()}
    with pytest.raises(nx.FileFormatError, match=message):
        targets.train(model, path, resume=True)
    assert path.read_bytes() == content
    assert (model.epochs_trained, model.steps_trained) == (0, 0)
    for name, array in model.parameters.items():
        np.testing.assert_array_equal(nx.to_numpy(array), before[name], err_msg=name)


def without(name, content):
    """Return a file in which an array has another name, and no checksum."""
    head, body = targets.header_of(changed(content, lambda config: None))
    head = head.replace(f'"{name}"'.encode(), b'"elsewhere"')
    return len(head).to_bytes(8, "little") + head + body


@pytest.mark.parametrize(
    "name", ["0.weights", "optimizer.step", "optimizer.moment_1.3.1.weights"]
)
def test_a_training_without_an_array(tmp_path, begun, name):
    path = tmp_path / "t"
    path.write_bytes(without(name, begun))
    assert_unchanged(path, f"there is no {name}|elsewhere must hold floats")


def test_a_rate_that_is_none(tmp_path, begun):
    def change(config):
        config["optimizer"]["learning_rate"] = -1.0

    path = tmp_path / "t"
    path.write_bytes(changed(begun, change))
    assert_unchanged(path, "learning_rate must be")


@pytest.mark.parametrize(
    ("key", "value"),
    [("best", None), ("best", [{}, 1, 1]), ("best", [1.0, 1, "0"]), ("best", [1.0])],
)
def test_a_callback_with_another_state(tmp_path, begun, key, value):
    def change(config):
        config["training"]["callbacks"][0]["state"][key] = value

    path = tmp_path / "t"
    path.write_bytes(changed(begun, change))
    with pytest.raises(nx.FileFormatError, match="no usable state of EarlyStopping"):
        targets.train(targets.model(), path, resume=True)


def test_an_epoch_whose_statistics_are_missing(tmp_path, begun):
    path = tmp_path / "t"
    path.write_bytes(without("training.totals.loss", begun))
    with pytest.raises(nx.InputError, match="there is no loss"):
        targets.train(targets.model(), path, resume=True)
