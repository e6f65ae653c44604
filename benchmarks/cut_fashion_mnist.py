"""Cuts the embedded data set from Fashion-MNIST, so that anyone can make again what travels in the wheel.

    python benchmarks/cut_fashion_mnist.py FOLDER

FOLDER holds the four original files (train-images-idx3-ubyte.gz and so on). The first `TRAIN_EACH` and
`TEST_EACH` images of every class are kept, in their order: no choice is made that somebody could have tuned.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

CLASSES = 10
TRAIN_EACH = 600
TEST_EACH = 100
TARGET = Path(__file__).parents[1] / "netspec" / "training" / "data" / "fashion_mnist_small.npz"


def read_idx(path: Path) -> Bytes:
    """Return the array in a gzipped idx file of bytes: 0, 0, 8, the number of axes; the sizes; the values."""
    content = gzip.decompress(path.read_bytes())
    if content[:3] != b"\x00\x00\x08":
        raise SystemExit(f"{path}: not an idx file of unsigned bytes")
    header = 4 + 4 * content[3]
    sizes = np.frombuffer(content[4:header], dtype=">u4").astype(int)
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(sizes)


def first_of_each_class(images: Bytes, labels: Bytes, count: int) -> tuple[Bytes, Bytes]:
    """Return the first `count` images (N, 28, 28) of every class and their labels (N,), in their order."""
    kept: NDArray[Any] = np.concatenate([np.flatnonzero(labels == c)[:count] for c in range(CLASSES)])
    kept.sort()
    return images[kept], labels[kept]


def main() -> None:
    """Read the folder named on the command line and write the embedded data set."""
    parser = argparse.ArgumentParser(description="Cut the embedded data set from Fashion-MNIST.")
    parser.add_argument("folder", type=Path, help="where the four .gz files are")
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    arguments = parser.parse_args()

    arrays: dict[str, Bytes] = {}
    for name, stem, count in (("train", "train", TRAIN_EACH), ("test", "t10k", TEST_EACH)):
        images = read_idx(arguments.folder / f"{stem}-images-idx3-ubyte.gz")
        labels = read_idx(arguments.folder / f"{stem}-labels-idx1-ubyte.gz")
        arrays[f"{name}_images"], arrays[f"{name}_labels"] = first_of_each_class(images, labels, count)

    np.savez_compressed(arguments.output, **arrays)  # type: ignore[arg-type]  # numpy types **kwds with allow_pickle
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
