"""Recognize files that hold no model, and say what to do with them."""

from __future__ import annotations

import codecs
import io
import pickletools
import zipfile

_HAND_OVER = (
    "read it in a program of your own, and hand the arrays to model.set_parameters"
)
_TORCH = (
    "a file of PyTorch (.pt); nnfs_xp.weights.from_torch takes what "
    "torch.load(path, weights_only=True) returns"
)
_KERAS = "nnfs_xp.weights.from_keras takes what {} reads"
_PICKLE = "a pickle, which may run code and is never loaded; "
# Files that the programs of "Neural Networks from Scratch" write.
_BOOK_LISTS = (
    "read it by pickle.load in the program that wrote it, and hand its lists of "
    "weights and biases over: model.set_parameters(pickle.load(file))"
)
_BOOK_MODEL = (
    "it holds a whole model of the book's program: read it by pickle.load there, and "
    "hand its lists over: model.set_parameters(pickle.load(file).get_parameters())"
)
# The first bytes of files.
_BEGINNINGS = {
    b"\x89HDF\r\n\x1a\n": (
        f"an HDF5 file (.h5), as Keras writes them; "
        f"{_KERAS.format('load_weights of a Keras model')}"
    ),
    b"\x93NUMPY": f"an array of NumPy (.npy); {_HAND_OVER}",
    b"\x80\x02\x8a\nl\xfc\x9cF": _TORCH,
    b"\x1f\x8b": "compressed by gzip; unpack it first",
    b"version https://git-lfs": "a pointer of Git LFS; get the file by git lfs pull",
}
# With these, pickles of protocol 2 and later.
_PICKLED = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
# Names of members of zip archives.
_MEMBERS = {
    ".npy": f"arrays of NumPy (.npz); {_HAND_OVER}",
    "data.pkl": _TORCH,
    "model.weights.h5": (
        f"a model of Keras (.keras); {_KERAS.format('keras.saving.load_model')}"
    ),
}


def kind_of(data: bytes) -> str | None:
    """Return the kind of a file's content in words, or None if it is unknown.

    Examples
    --------
    >>> from nnfs_xp.io.kinds import kind_of
    >>> kind_of(b"epoch,loss")
    "text, and begins with 'epoch,loss'"
    """
    if not data:
        return "empty"
    for beginning, kind in _BEGINNINGS.items():
        if data.startswith(beginning):
            return kind
    if data.startswith(b"PK\x03\x04"):
        return _zip_kind(data)
    if data[:2] in _PICKLED or _is_old_pickle(data):
        whole = b"Layer_Dense" in data
        return _PICKLE + (_BOOK_MODEL if whole else _BOOK_LISTS)
    # The version of ONNX's own format, then the next field.
    if data[:1] == b"\x08" and data[2:3] in (b"\x12", b":", b"B"):
        return "a model in the ONNX format; nnfs_xp.onnx.load reads it"
    if data[8:9] == b"{":
        return "a safetensors file that is damaged or cut off"
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data[:1000])
    except UnicodeDecodeError:
        return None
    begin = text[:24]
    return f"text, and begins with {begin!r}" if _is_printable(text) else None


def _zip_kind(data: bytes) -> str:
    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except zipfile.BadZipFile:
        return "a zip archive, and damaged"
    for ending, kind in _MEMBERS.items():
        if any(name.endswith(ending) for name in names):
            return kind
    return "a zip archive"


def _is_old_pickle(data: bytes) -> bool:
    """Return whether bytes are a pickle without a mark at its beginning."""
    if data[:1] not in (b"(", b"]", b"}", b"c") or not data.rstrip().endswith(b"."):
        return False
    try:
        # It lists the instructions of a pickle, and runs none.
        return [code.name for code, *_ in pickletools.genops(data)][-1] == "STOP"
    except Exception:
        return False


def _is_printable(text: str) -> bool:
    return all(letter.isprintable() or letter in "\t\r\n" for letter in text)
