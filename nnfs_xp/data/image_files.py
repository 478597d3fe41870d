"""Pictures in files: one, a folder of them, or a folder for each class."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_xp.data.examples import Parts, make_parts
from nnfs_xp.data.streams import check_unpacked_size, open_sized
from nnfs_xp.errors import DataWarning, FileFormatError, InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
# Pictures of up to this many bytes may be of a single colour; a damaged header can
# declare any size.
_ALWAYS_ALLOWED = 2**24
_GREY, _COLOUR = ("1", "L", "LA"), ("P", "RGB", "RGBA", "CMYK", "YCbCr")


def is_image_name(name: str) -> bool:
    """Return whether a file of this name is a picture."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def is_image_directory(directory: Path) -> bool:
    """Return whether a folder holds pictures, or folders of pictures."""
    return any(next(_pictures(directory, depth), None) for depth in range(3))


def read_images(
    path: Path,
    *,
    resize: Sequence[int] | None = None,
    image_shape: Sequence[int] | None = None,
) -> Parts:
    """Read pictures; the folder that a picture is in names its class.

    Parameters
    ----------
    path : pathlib.Path
        A picture, or a folder that holds ``CLASS/*.png``, or
        ``train/CLASS/*.png`` and perhaps ``test/CLASS/*.png``, or only
        pictures, which then have no class. Pictures are taken in the order of
        their names.
    resize : pair of int, optional
        Height and width to which all pictures are resized.
    image_shape : sequence of int, optional
        The shape that a model expects; pictures are converted to the grey or colour
        images that it was trained on.

    Returns
    -------
    all or training rows : Examples
    test rows : Examples or None

    Raises
    ------
    FileFormatError
        If a picture cannot be read, is larger than Pillow allows, or differs in
        size or colours from the first.
    InputError
        If Pillow is not installed, or `resize` is not two positive integers.
    """
    if resize is not None and (
        not isinstance(resize, (list, tuple))
        or len(resize) != 2
        or not all(type(n) is int and n > 0 for n in resize)
    ):
        raise InputError(f"resize must be (height, width), not {resize!r}")
    if not path.is_dir():
        return make_parts(str(path), (_load([path], resize, image_shape), None), None)
    parts = [path / part for part in ("train", "test") if (path / part).is_dir()]
    if not parts or parts[0].name != "train":
        parts = [path]
    elif others := sorted(
        folder.name for folder in path.iterdir()
        if folder not in parts and folder.is_dir() and is_image_directory(folder)
    ):  # fmt: skip
        warnings.warn(
            f"{path}: {', '.join(others)} beside train is left out; only train and "
            "test are read",
            DataWarning,
        )
    found: list[tuple[np.ndarray, np.ndarray | None]] = []
    for part in parts:
        files = sorted(_pictures(part, 1)) or sorted(_pictures(part, 0))
        if not files:
            raise FileFormatError(f"{part}: holds no pictures ({', '.join(SUFFIXES)})")
        classes = [file.parent.name for file in files]
        if files[0].parent != part:
            _warn_of_left_out(part, {file.parent for file in files})
        y = None if files[0].parent == part else np.array(classes)
        x = _load(files, resize, image_shape)
        image_shape = image_shape or x.shape[1:]
        found.append((x, y))
    return make_parts(str(path), found[0], found[1] if len(found) > 1 else None)


def _pictures(directory: Path, depth: int) -> Any:
    """Yield the pictures that are in folders this deep below `directory`."""
    files = directory.glob("*/" * depth + "*")
    return (file for file in files if is_image_name(file.name) and file.is_file())


def _warn_of_left_out(part: Path, classes: set[Path]) -> None:
    """Warn of what stands beside folders of classes and is not read."""
    others = {path for path in part.iterdir() if path.name[0] != "."} - classes
    empty = sorted(path.name for path in others if path.is_dir())
    loose = next(_pictures(part, 0), None)
    if empty:
        warnings.warn(
            f"{part}: no class is made of {', '.join(empty)}, which directly holds no "
            f"pictures ({', '.join(SUFFIXES)})",
            DataWarning,
        )
    if loose is not None:
        warnings.warn(
            f"{part}: {loose.name} and other pictures beside the folders of classes "
            "are left out",
            DataWarning,
        )


def _load(
    files: Sequence[Path],
    resize: Sequence[int] | None,
    image_shape: Sequence[int] | None,
) -> np.ndarray:
    """Return pictures of shape (n, height, width) or (n, height, width, 3)."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise InputError(
            "pictures are read by Pillow, which is not installed: "
            "pip install 'nnfs-xp[images]'"
        ) from error
    wanted = tuple(image_shape) if image_shape else None
    images = np.empty(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for number, file in enumerate(files):
            try:
                with open_sized(file) as stream, Image.open(stream) as picture:
                    if picture.mode not in _GREY + _COLOUR:
                        raise ValueError(f"its mode is {picture.mode}")
                    needed = 1 if picture.mode in _GREY else 3
                    channels = max(needed, len(picture.getbands()))
                    declared = picture.width * picture.height * channels
                    check_unpacked_size(file, declared, _ALWAYS_ALLOWED)
                    if wanted is None:
                        size = resize or (picture.height, picture.width)
                        wanted = (*size, *(() if picture.mode in _GREY else (3,)))
                    grey = len(wanted) == 2
                    if image_shape is None and grey != (picture.mode in _GREY):
                        kinds = ("in colour", "grey") if grey else ("grey", "in colour")
                        raise ValueError(f"it is {kinds[0]}, and others are {kinds[1]}")
                    pixels = picture.convert("L" if grey else "RGB")
                    if resize is not None:
                        pixels = pixels.resize((resize[1], resize[0]))
                    elif (picture.height, picture.width) != wanted[:2]:
                        raise ValueError(
                            f"it has {picture.height} x {picture.width} pixels, and "
                            f"{wanted[0]} x {wanted[1]} are expected; resize=(height, "
                            "width) (--resize HxW) makes all alike"
                        )
            except FileFormatError:
                raise
            except UnidentifiedImageError as error:
                reason = "it is no picture that Pillow knows"
                raise FileFormatError(f"{file}: cannot be used: {reason}") from error
            # Damage makes Pillow raise many types that share no other base.
            except Exception as error:
                raise FileFormatError(f"{file}: cannot be used: {error}") from error
            if not number:
                images = np.empty((len(files), *wanted), np.uint8)
            images[number] = np.asarray(pixels).reshape(wanted)
    return images
