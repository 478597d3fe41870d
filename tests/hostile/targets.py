"""What is read from damaged files: each reader of data, and each kind of model file."""

import contextlib
import dataclasses
import gzip
import importlib.util
import io
import itertools
import json
import signal
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

import nnfs_xp as nx
from nnfs_xp.data import load_dataset, load_examples
from nnfs_xp.io import checkpoint
from tests.hostile.mutations import damaged_bytes, damaged_json

X = np.arange(48, dtype="uint8").reshape(12, 2, 2)
Y = np.arange(12) % 3


@dataclasses.dataclass
class Sound:
    """A sound file, or the part of one that is to be damaged.

    Attributes
    ----------
    content : bytes
    pack : callable
        Makes a file of the damaged part, whose lengths and checksums are right, so
        that readers go on to what is inside.
    json : bool
        Whether the part is a text in JSON, and stays one.
    """

    content: bytes
    pack: Callable[[bytes], bytes] = bytes
    json: bool = False


@dataclasses.dataclass
class Target:
    """A reader and what it can read.

    Attributes
    ----------
    file : str
        Name of the damaged file.
    sounds : list of Sound
    read : callable
        Reads the file of a path, given the number of the case, too.
    words : tuple of bytes
        What means something in the format.
    beside : dict of str to bytes
        Sound files that lie beside it.
    """

    file: str
    sounds: list[Sound]
    read: Callable[[Path, int], None]
    words: tuple[bytes, ...] = ()
    beside: dict[str, bytes] = dataclasses.field(default_factory=dict)

    def case(self, chance):
        """Return the bytes of a damaged file."""
        sound = chance.of(self.sounds)
        if sound.json:
            return sound.pack(damaged_json(sound.content.decode(), chance).encode())
        others = [s.content for s in self.sounds if not s.json and s.pack == sound.pack]
        return sound.pack(damaged_bytes(sound.content, chance, self.words, others))


# What is read must be usable, and not only be read.


def read_dataset(path, number, **options):
    dataset = load_dataset(path, **options)
    for part in ("train", "test"):
        x, y = dataset.features(part), dataset.targets(part)
        assert np.isfinite(x).all() and np.isfinite(y).all()
        assert len(x) == len(y) and x.shape[1] == dataset.n_features
        if dataset.n_classes:
            assert not len(y) or 0 <= y.min() <= y.max() < dataset.n_classes


def read_examples(path, number, **options):
    found = load_examples(path, **options)
    assert np.isfinite(found.x).all() and found.x.ndim == 2 and found.x.size
    if found.y is not None:
        assert found.y.shape == found.x.shape[:1]


def read_either(path, number):
    (read_dataset, read_examples)[number % 2](path, number)


# Tables.


def read_csv(path, number):
    options = {
        "missing": (None, "mean", "drop")[number % 3],
        "task": (None, "classification", "regression")[max(0, number % 9 - 6)],
        "label": (None, "label", 0, -1, "two")[max(0, number % 17 - 12)],
        "drop": ((), ("two",), (0,))[max(0, number % 11 - 8)],
    }
    if number % 2:
        options["one_hot"] = ((), ("one",), (1, 0))[max(0, number % 7 - 4)]
        return read_dataset(path, number, **options)
    if number % 8 == 0:
        options |= {"n_features": 3, "columns": ("one", "two", "three")}
    elif number % 5 == 0:
        options["one_hot"] = {"one": [str(a) for a in range(24)], 1: ["0", "1"]}
    return read_examples(path, number, **options)


def tables():
    rows = [f'{a},"{a * 0.5}",-{a}e-1,{"abc"[a % 3]}' for a in range(24)]
    plain = "\n".join(["one,two,three,label", *rows, ""]).encode()
    numbers = "\n".join(f"{a};{a % 5};{a % 3}" for a in range(30)).encode()
    gaps = "\r\n".join(f"{a or ''}\t{a % 4 or 'NA'}\t{a % 2}" for a in range(20))
    quoted = b'"a ""b""","c,d",label\n1,2,"x\ny"\n3,4,"z"\n5,6,z\n' * 3
    return [
        Sound(plain), Sound(numbers), Sound(gaps.encode()), Sound(quoted),
        Sound("\ufeffé,ß,label\n1,2,ä\n3,4,ö\n5,6,ä\n".encode()),
        Sound(gzip.compress(plain, mtime=0)), Sound(plain, pack_gzip),
    ]  # fmt: skip


def pack_gzip(content):
    return gzip.compress(content, 1, mtime=0)


# Arrays.


def npy(array, **options):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array), **options)
    return buffer.getvalue()


def arrays():
    return [
        npy(X), npy(X.reshape(12, 4).astype(">f8")), npy(np.asfortranarray(X)),
        npy(X.reshape(12, 4).astype("f4"), version=(2, 0)), npy(Y.astype("i2")),
        npy(X.astype("u2") * 300, version=(3, 0)), npy(np.eye(12, 3, dtype=bool)),
        npy(np.array(list("abcabcabcabc"))), npy(X.astype("f2")),
        npy(X.reshape(12, 4).astype("f8")), npy(Y.astype(object), allow_pickle=True),
        npy(np.zeros(12, [("a", "f4"), ("é", "i2")]), version=(3, 0)),
    ]  # fmt: skip


NPY_WORDS = (
    b"\x93NUMPY", b"'descr'", b"'fortran_order'", b"'shape'", b"'<f8'", b"'>i4'",
    b"'|O'", b"'<U0'", b"'<U3'", b"'<U99999999'", b"'|V8'", b"'|S0'", b"'<M8[ns]'",
    b"'<c16'", b"'|b1'", b"'f16'", b"[('a', '<f4')]", b"'(2,3)f4'", b"(12, 4)",
    b"(12, 4, 0)", b"()", b"(12L, 4)", b"(1099511627776, 2)", b"(-1, 4)", b"(12, -4)",
    b"(True, 4)", b"(1.5, 2)", b"(268435456, 4)", b"(12, 1, 1, 1, 4)",
)  # fmt: skip


def pack_npy(content):
    """Return an array whose header has the length that it should, as far as it goes."""
    size = len(content) - 10
    text = content[10:]
    end = text.rfind(b"}") + 1 or size
    header = text[:end] + b"\n"
    length = min(len(header), 65535).to_bytes(2, "little")
    return b"\x93NUMPY\x01\x00" + length + header + text[end:].lstrip(b" \n")


def zipped(method, **members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content, method)
    return buffer.getvalue()


def archives():
    stored, deflated = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
    labels = npy(Y)
    whole = [
        zipped(stored, x=npy(X), y=labels), zipped(deflated, x=npy(X), y=labels),
        zipped(zipfile.ZIP_BZIP2, x=npy(X)), zipped(zipfile.ZIP_LZMA, x=npy(X)),
        zipped(deflated, x_train=npy(X), y_train=labels, x_test=npy(X), y_test=labels),
    ]  # fmt: skip
    inside = [
        Sound(array, pack)
        for array in arrays()
        for pack in (
            lambda array: zipped(stored, x=array, y=labels),
            lambda array: zipped(deflated, x=npy(X), y=array),
        )
    ]
    return [*(Sound(content) for content in whole for _ in range(5)), *inside]


# IDX.


def idx(array, code=8, dtype="u1"):
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return bytes([0, 0, code, array.ndim]) + sizes + array.astype(dtype).tobytes()


def idx_files():
    return [
        idx(X), idx(X, 9, "i1"), idx(X, 11, ">i2"), idx(X, 12, ">i4"),
        idx(X, 13, ">f4"), idx(X, 14, ">f8"), idx(Y), idx(X.reshape(12, 4)),
    ]  # fmt: skip


IDX_WORDS = (b"\0\0\x08\x03", b"\0\0\x0d\x02", b"\0\0\x0e\x01", b"\x1f\x8b\x08")
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


# Pictures.


def picture(mode, kind, size=(5, 4), **options):
    buffer = io.BytesIO()
    pixels = bytes(range(256))[: size[0] * size[1]]
    image = Image.frombytes("L", size, pixels).convert(mode)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pictures():
    whole = [
        *(picture(mode, "PNG") for mode in ("1", "L", "LA", "P", "RGB", "RGBA")),
        picture("L", "JPEG"), picture("RGB", "JPEG", progressive=True),
        picture("CMYK", "JPEG"), picture("L", "BMP"), picture("RGB", "BMP"),
        picture("P", "GIF"), picture("L", "TIFF"), picture("1", "TIFF"),
        picture("RGB", "TIFF", compression="tiff_deflate"),
        picture("L", "TIFF", compression="tiff_lzw"), picture("RGB", "WEBP"),
        picture("RGB", "WEBP", lossless=True),
    ]  # fmt: skip
    chunks = [Sound(png, pack_png) for png in whole[:6]]
    return [*(Sound(content) for content in whole), *chunks]


PICTURE_WORDS = (
    b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"iCCP", b"zTXt", b"\xff\xd8",
    b"\xff\xc0", b"\xff\xda", b"\xff\xd9", b"GIF89a", b"II*\0", b"MM\0*", b"BM",
    b"RIFF", b"WEBP", b"VP8 ", b"VP8L", b"VP8X", b"8BPS", b"P6\n9999 9999\n255\n",
    b"%!PS", b"\0\0\x20\0", b"\0\0\x40\0",
)  # fmt: skip


def pack_png(content):
    """Return a PNG file whose chunks have the checksums they should."""
    packed, at = bytearray(content[:8]), 8
    while at + 8 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        chunk = content[at + 4 : at + 8 + length]
        packed += content[at : at + 4] + chunk + zlib.crc32(chunk).to_bytes(4, "big")
        at += 12 + length
    return bytes(packed)


# Models.


def model(backend="numpy"):
    return nx.Model(
        [
            nx.Dense(4, 3, weight_regularizer=nx.L2(0.1)), nx.BatchNorm(3), nx.ReLU(),
            nx.Sequential([nx.Dropout(0.1), nx.Dense(3, 3)]), nx.Softmax(),
        ],
        loss="categorical_crossentropy",
        optimizer=nx.Adam(nx.ExponentialDecay(0.01, 0.9)),
        metrics=["accuracy", nx.F1("macro")], backend=backend, seed=1,
    )  # fmt: skip


ROWS = X.reshape(12, 4) / 48.0
EPOCHS = 3


def callbacks():
    return [nx.EarlyStopping("loss", patience=9, restore_best=True)]


def train(model, path=None, **options):
    return model.fit(
        ROWS, Y, epochs=EPOCHS, batch_size=5, callbacks=callbacks(),
        checkpoint=path, **options,
    )  # fmt: skip


class _EndEarly(nx.Callback):
    """Ends a training within its second epoch, so that there is something to resume."""

    def on_batch_end(self, event):
        if event.epoch == 2 and event.batch == 2:
            signal.raise_signal(signal.SIGINT)


def begun_training(folder):
    """Return the file of a training that was ended within an epoch."""
    path = folder / "begun.safetensors"
    begun = model()
    # A file holds seconds, too, and must be the same again.
    clock = mock.patch("time.perf_counter", itertools.count().__next__)
    with clock, contextlib.suppress(KeyboardInterrupt):
        begun.fit(
            ROWS, Y, epochs=EPOCHS, batch_size=5, checkpoint=path,
            callbacks=[*callbacks(), _EndEarly()],
        )  # fmt: skip
    return path.read_bytes()


def saved_model(folder):
    path = folder / "sound.safetensors"
    trained = model()
    train(trained)
    trained.metadata = {"note": "é", "numbers": [1, 2.5, None]}
    trained.save(path)
    return path.read_bytes()


def header_of(file):
    size = 8 + int.from_bytes(file[:8], "little")
    return file[8:size].rstrip(b" "), file[size:]


def model_sounds(file):
    """Return a file as it is, its header, its configuration and its numbers."""
    header, body = header_of(file)
    metadata = json.loads(header)["__metadata__"]
    config = metadata["nnfs_xp"].encode()

    def with_header(text):
        """Return a file without a checksum, as those of old versions."""
        text += b" " * (-len(text) % 8)
        return len(text).to_bytes(8, "little") + text + body

    def unchecked(header):
        found = json.loads(header)
        found["__metadata__"].pop("checksum")
        return json.dumps(found).encode()

    def with_config(config):
        found = json.loads(unchecked(header))
        found["__metadata__"]["nnfs_xp"] = config.decode("utf-8", "replace")
        return with_header(json.dumps(found).encode())

    def with_checksum(content):
        """Return a file with the checksum that fits it, if it has a place for one."""
        size = 8 + int.from_bytes(content[:8], "little")
        head = content[:size]
        start = head.find(b'"checksum":"') + 12
        if start < 12 or size > len(content):
            return content
        zeros = head[:start] + b"0" * 64 + head[start + 64 :]
        digest = checkpoint._digest(zeros, memoryview(content)[size:])
        return head[:start] + digest.encode() + head[start + 64 :] + content[size:]

    return [
        Sound(file), Sound(file, with_checksum), Sound(header, with_header),
        Sound(unchecked(header), with_header),
        Sound(unchecked(header), with_header, json=True),
        *(Sound(config, with_config, json=True) for _ in range(5)),
        Sound(config, with_config),
    ]  # fmt: skip


MODEL_WORDS = (
    b'"__metadata__"', b'"dtype"', b'"F32"', b'"F64"', b'"I64"', b'"BF16"', b'"F8"',
    b'"BOOL"', b'"shape"', b'"data_offsets"', b'"checksum"', b'"nnfs_xp"', b"[0,0]",
    b"[4,3]", b'\\"layers\\":', b'\\"class\\": \\"Dense\\"', b"null", b"true", b"[]",
    b"\x89HDF\r\n\x1a\n", b"PK\x03\x04", b"\x80\x04", b"\x1f\x8b", b"(lp0\n.",
)  # fmt: skip


def read_model(path, number):
    nx.Model.load(path)


def parameter_sounds(file):
    header, body = header_of(file)

    def with_header(text):
        return len(text).to_bytes(8, "little") + text + body

    return [Sound(file), Sound(header, with_header), Sound(header, with_header, True)]


def _npy_target(folder):
    whole = [Sound(array) for array in arrays()]
    inside = [Sound(array, pack_npy) for array in arrays()]
    beside = {"y_train.npy": npy(Y)}
    return Target("x_train.npy", whole + inside, read_either, NPY_WORDS, beside)


def _idx_target(folder):
    sounds = [Sound(content) for content in idx_files()]
    return Target(IMAGES, sounds, read_either, IDX_WORDS, {LABELS: idx(Y)})


def _gz_target(folder):
    whole = [Sound(gzip.compress(content, mtime=0)) for content in idx_files()[:3]]
    inside = [Sound(content, pack_gzip) for content in idx_files()]
    beside = {f"{LABELS}.gz": pack_gzip(idx(Y))}
    return Target(f"{IMAGES}.gz", whole + inside, read_either, IDX_WORDS, beside)


def _folder_target(folder):
    def read(path, number):
        resize = (None, (3, 3))[number % 2]
        read_dataset(path.parents[1], number, resize=resize)

    beside = {
        f"{name}/{i}.png": picture("L", "PNG") for name in ("a", "b") for i in (1, 2)
    }
    return Target("a/0.png", pictures(), read, PICTURE_WORDS, beside)


def _training_target(folder):
    """A model that has refused a file is as new, so that the next file may have it."""
    used = model()

    def read(path, number):
        nonlocal used
        if used.steps_trained or used.epochs_trained:
            used = model()
        train(used, path, resume=True)

    return Target("t", model_sounds(begun_training(folder)), read, MODEL_WORDS)


def _parameters_target(folder):
    unchanged, path = model(), folder / "parameters.safetensors"
    unchanged.save_parameters(path)
    sounds = parameter_sounds(path.read_bytes())

    def read(path, number):
        unchanged.load_parameters(path)

    return Target("p", sounds, read, MODEL_WORDS)


def _onnx_target(folder):
    """Files that name their layers, and the same without: those of other programs."""
    import onnx
    from google.protobuf import json_format

    path, sounds = folder / "sound.onnx", []
    images = nx.Model(
        [nx.Conv2D(1, 2, 3), nx.MaxPool2D(), nx.ReLU(), nx.Flatten(), nx.Dense(8, 2)]
    )
    branches = nx.Parallel([nx.Dense(3, 3), nx.Sequential([nx.GELU(), nx.Dense(3, 2)])])
    blocks = [nx.Dense(4, 3), nx.Residual(nx.Dense(3, 3)), branches, nx.Concatenate()]
    for sound, shape in (
        (model(), None), (images, (6, 6, 1)), (nx.Model([*blocks, nx.SiLU()]), None)
    ):  # fmt: skip
        sound.export(path, sample_shape=shape)
        sounds.append(Sound(path.read_bytes()))
        proto = onnx.load(path)
        del proto.metadata_props[:]
        sounds.append(Sound(proto.SerializeToString()))
        text = json_format.MessageToJson(proto, indent=None).encode()
        sounds += [Sound(text, pack_onnx, json=True)] * 4

    def read(path, number):
        nx.onnx.load(path)

    return Target("a.onnx", sounds, read, ONNX_WORDS)


def pack_onnx(text):
    """Return the file of a text, nothing where no file can hold what it says."""
    import onnx
    from google.protobuf import json_format

    try:
        found = json_format.Parse(text, onnx.ModelProto(), ignore_unknown_fields=True)
    except (json_format.ParseError, ValueError):
        return b""
    return found.SerializeToString()


ONNX_WORDS = (
    b"MatMul", b"Add", b"Relu", b"Conv", b"Transpose", b"Flatten", b"Constant", b"Clip",
    b"ConstantOfShape", b"Loop", b"If", b"Identity", b"input", b"output", b"constant_0",
    b"0.weights", b"0/MatMul", b"perm", b"axis", b"epsilon", b"pads", b"external_data",
    b"\x12\x05input", b"\x22\x04Relu", b"ai.onnx.ml", b"samples",
)  # fmt: skip

# Each makes its target, given an empty folder to write into.
TARGETS = {
    "csv": lambda folder: Target(
        "a.csv", tables(), read_csv, (b",", b";", b"\t", b"label", b"NA", b'""', b"?")
    ),
    "npy": _npy_target,
    "npz": lambda folder: Target("a.npz", archives(), read_either, NPY_WORDS),
    "idx": _idx_target,
    "idx-gz": _gz_target,
    "picture": lambda folder: Target("a.png", pictures(), read_examples, PICTURE_WORDS),
    "folder": _folder_target,
    "model": lambda folder: Target(
        "m", model_sounds(saved_model(folder)), read_model, MODEL_WORDS
    ),
    "parameters": _parameters_target,
    "training": _training_target,
}
if importlib.util.find_spec("onnx") is not None:
    TARGETS["onnx"] = _onnx_target
