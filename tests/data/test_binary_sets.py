"""CIFAR, SVHN and EMNIST: small files in their formats, undamaged, damaged and hostile."""

from __future__ import annotations

import gzip
import os
import pickle
import random
import struct
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import netspec.data
from netspec.data import mat
from netspec.data.bounds import DataError
from netspec.data.outline import outlined
from netspec.data.parts import Parts
from netspec.recipe import names
from netspec.recipe.data import Data
from netspec.recipe.names import EMBEDDED, SETS, File, NamedSet
from tests.data.test_idx import idx

Array = NDArray[Any]


def pixels(count: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, 256, (count, 3, 32, 32)).astype(np.uint8)


def refusal(path: Path) -> tuple[str, str]:
    with pytest.raises(DataError) as caught:
        netspec.data.load(str(path))
    return str(caught.value), caught.value.help


# CIFAR.


def records(path: Path, images: Array, *labels: Any) -> None:
    columns = [np.asarray(each, np.uint8)[:, None] for each in labels]
    path.write_bytes(np.concatenate([*columns, images.reshape(len(images), -1)], axis=1).tobytes())


def cifar10(folder: Path) -> Array:
    images = pixels(12)
    for number in range(5):
        records(
            folder / f"data_batch_{number + 1}.bin", images[2 * number : 2 * number + 2], [number, number + 5]
        )
    records(folder / "test_batch.bin", images[10:], [9, 0])
    return images


def test_cifar10(tmp_path: Path) -> None:
    images = cifar10(tmp_path)
    (tmp_path / "batches.meta.txt").write_text("\n".join(SETS["cifar10"].names) + "\n\n")
    parts = netspec.data.load(str(tmp_path))
    batch = parts.train.take(np.arange(10))
    np.testing.assert_array_equal(batch["images"], images[:10])
    assert batch["labels"].tolist() == [0, 5, 1, 6, 2, 7, 3, 8, 4, 9]
    assert parts.classes["labels"].names == SETS["cifar10"].names
    assert parts.test is not None
    assert parts.test.take(np.arange(2))["labels"].tolist() == [9, 0]


def test_cifar100_has_two_targets(tmp_path: Path) -> None:
    for name in ("train", "test"):
        records(tmp_path / f"{name}.bin", pixels(3), [0, 19, 5], [99, 0, 50])
    parts = netspec.data.load(str(tmp_path))
    assert (parts.inputs, parts.targets) == (("images",), ("labels",))
    parts = netspec.data.load(Data(train=str(tmp_path), targets={"main": "labels", "aux": "coarse"}))
    assert set(parts.targets) == {"coarse", "labels"}
    batch = parts.train.take(np.arange(3))
    assert (batch["coarse"].tolist(), batch["labels"].tolist()) == ([0, 19, 5], [99, 0, 50])
    assert (parts.classes["coarse"].count, parts.classes["labels"].count) == (20, 100)


def test_damaged_cifar(tmp_path: Path) -> None:
    cifar10(tmp_path)
    path = tmp_path / "data_batch_3.bin"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert refusal(tmp_path)[0].startswith(f"{path}: has 6,145 bytes, which are not records of 3,073 bytes")
    path.write_bytes(content[:3073] + b"\x0a" + content[3074:])
    assert refusal(tmp_path)[0] == f"{path}: record 1 (from 0) has the label 10, and there are 10 classes"
    path.unlink()
    assert refusal(tmp_path)[0] == f"{tmp_path}: lacks data_batch_3.bin"


def test_the_pickles_of_cifar_are_refused(tmp_path: Path) -> None:
    for name in ("data_batch_1", "test_batch", "batches.meta"):
        (tmp_path / name).write_bytes(pickle.dumps({"data": [1]}))
    message, how = refusal(tmp_path)
    assert "netspec never loads pickles, because a pickle can run any code" in message
    assert "cifar-10-binary.tar.gz" in how


# SVHN.


def element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(name: str, array: Array) -> bytes:
    """An element of MATLAB version 5 with an array of bytes or doubles."""
    kind, stored = {"uint8": (9, 2), "float64": (6, 9)}[str(array.dtype)]
    content = element(6, struct.pack("<II", kind, 0))
    content += element(5, struct.pack(f"<{array.ndim}i", *array.shape))
    small = struct.pack("<HH", 1, len(name)) + name.encode().ljust(4, b"\0")
    content += small if len(name) <= 4 else element(1, name.encode())
    return element(14, content + element(stored, array.tobytes("F")))


def matlab(*elements: bytes, packed: bool = True) -> bytes:
    head = b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(124) + struct.pack("<H", 0x0100) + b"IM"
    if packed:
        squeezed = [zlib.compress(each) for each in elements]
        elements = tuple(struct.pack("<II", 15, len(each)) + each for each in squeezed)
    return head + b"".join(elements)


def svhn(folder: Path, labels: list[int], part: str = "train", packed: bool = True) -> Array:
    images = pixels(len(labels))
    column = np.array(labels, np.uint8)[:, None]
    content = matlab(matrix("X", images.transpose(2, 3, 1, 0)), matrix("y", column), packed=packed)
    (folder / f"{part}_32x32.mat").write_bytes(content)
    return images


@pytest.mark.parametrize("packed", [True, False])
def test_svhn(packed: bool, tmp_path: Path) -> None:
    images = svhn(tmp_path, [1, 10, 9], packed=packed)
    svhn(tmp_path, [10], "test", packed)
    parts = netspec.data.load(str(tmp_path))
    batch = parts.train.take(np.arange(3))
    np.testing.assert_array_equal(batch["images"], images)
    assert batch["labels"].tolist() == [1, 0, 9]
    assert parts.notes == ("the label 10 of SVHN stands for the digit 0, and is 0 here",)


def test_matlab_files_are_those_that_scipy_reads(tmp_path: Path) -> None:
    io = pytest.importorskip("scipy.io")
    arrays = {
        "X": pixels(3), "y": np.arange(3.0)[:, None], "wide": np.arange(5, dtype=np.int16), "unused": np.eye(2),
        "a_long_name": np.array([[2**40]]),
    }  # fmt: skip
    for compressed in (True, False):
        io.savemat(tmp_path / "x.mat", arrays, do_compression=compressed)
        wanted = io.loadmat(tmp_path / "x.mat")
        found = mat.read(tmp_path / "x.mat", [name for name in arrays if name != "unused"])
        assert found.keys() == arrays.keys() - {"unused"}
        for name, array in found.items():
            np.testing.assert_array_equal(array, wanted[name])
            assert array.dtype == wanted[name].dtype


@pytest.mark.parametrize("packed", [True, False])
def test_damaged_matlab_files_are_reported_or_change_only_values(packed: bool, tmp_path: Path) -> None:
    svhn(tmp_path, [1, 2], packed=packed)
    path = tmp_path / "train_32x32.mat"
    content = path.read_bytes()
    random.seed(3)
    for number in range(150):
        damaged = bytearray(content)
        if number % 3:
            damaged[random.randrange(120, 400 if number % 2 else len(damaged))] ^= 1 << random.randrange(8)
        else:
            del damaged[random.randrange(len(damaged)) :]
        path.write_bytes(damaged)
        said = f"{path}: "
        try:
            netspec.data.load(str(tmp_path))
        except DataError as error:
            said = str(error)
        assert said.startswith(str(tmp_path)), number


def named_x(kind: int, *sizes: int) -> bytes:
    """The head of an array called X."""
    head = element(6, struct.pack("<II", kind, 0)) + element(5, struct.pack(f"<{len(sizes)}i", *sizes))
    return head + struct.pack("<HH4s", 1, 1, b"X")


BOMB = zlib.compress(struct.pack("<II", 14, 0xFFFFFFF0) + bytes(900_000)).ljust(1100)
HOSTILE = {
    "terabytes": struct.pack("<II", 14, 0x7FFFFFFF),
    "a bomb": struct.pack("<II", 15, len(BOMB)) + BOMB,
    "an unknown element": element(77, b"12345678"),
    "no numbers": element(14, named_x(1, 1, 1)),
    "a negative size": element(14, named_x(9, -1, -8) + element(2, bytes(8))),
    "fewer numbers": element(14, named_x(9, 4, 4) + element(2, bytes(8))),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_matlab_file(case: str, tmp_path: Path) -> None:
    (tmp_path / "train_32x32.mat").write_bytes(matlab(HOSTILE[case], packed=False))
    assert "train_32x32.mat: is damaged: " in refusal(tmp_path)[0]


def test_a_later_version_of_matlab(tmp_path: Path) -> None:
    (tmp_path / "train_32x32.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(600))
    assert refusal(tmp_path)[0].endswith("is not a MATLAB file of version 5: it is an HDF5 file (MATLAB 7.3)")


# EMNIST.


def emnist(folder: Path, split: str, labels: list[int], part: str) -> None:
    name = f"emnist-{split}-{part}"
    content = bytes(range(6)) * len(labels)
    (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(
        gzip.compress(idx(len(labels), 2, 3, content=content))
    )
    (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(
        gzip.compress(idx(len(labels), content=bytes(labels)))
    )


def test_the_images_of_emnist_are_turned_upright(tmp_path: Path) -> None:
    emnist(tmp_path, "balanced", [0, 1], "train")
    emnist(tmp_path, "balanced", [1], "test")
    parts = netspec.data.load(str(tmp_path))
    assert parts.train.take(np.array([0]))["images"].tolist() == [[[[0, 3], [1, 4], [2, 5]]]]
    assert parts.notes == ("the images of EMNIST are stored transposed; they are turned upright here",)
    assert [len(source) for _, source in parts] == [2, 1]


def test_the_labels_of_emnist_letters_start_at_0_here(tmp_path: Path) -> None:
    emnist(tmp_path, "letters", [1, 26], "train")
    parts = netspec.data.load(str(tmp_path))
    assert parts.train.take(np.arange(2))["labels"].tolist() == [0, 25]
    emnist(tmp_path, "letters", [0, 26], "train")
    assert "start at 1, and these have a 0" in refusal(tmp_path)[0]
    emnist(tmp_path, "digits", [1], "train")
    assert "holds several sets of idx files: emnist-digits, emnist-letters" in refusal(tmp_path)[0]


def test_a_named_emnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = SETS["emnist"]
    tiny = NamedSet((1, 2, 3), 2, 2, 1, known.url, known.files, names=("0", "1"), archive=known.archive)
    monkeypatch.setitem(names.SETS, "emnist", tiny)
    emnist(tmp_path, "balanced", [0, 1], "train")
    emnist(tmp_path, "balanced", [1], "test")
    parts = netspec.data.load("emnist", tmp_path)
    assert (parts.own, parts.classes["labels"].names) == (False, ("0", "1"))
    assert parts.shape("images") == (1, 3, 2)
    emnist(tmp_path, "balanced", [0, 1], "test")
    with pytest.raises(DataError, match="has 2 test samples, and emnist has 1"):
        netspec.data.load("emnist", tmp_path)
    os.truncate(tmp_path / "emnist-balanced-test-labels-idx1-ubyte.gz", 20)
    with pytest.raises(DataError, match=r"emnist-balanced-test-labels-idx1-ubyte\.gz: "):
        netspec.data.load("emnist", tmp_path)


def test_camvid_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        netspec.data.load("camvid", tmp_path)
    assert (
        str(caught.value) == f"camvid is not here: {tmp_path}/camvid lacks the folders train and trainannot"
    )
    assert "netspec knows no checksum of it, so it does not fetch it" in caught.value.help


# What is known of named sets before a file is read.


def put(folder: Path, known: NamedSet) -> None:
    """Files of a named set, with one sample in each."""
    if known.form == "idx":
        for file in known.files:
            shape = (1, *known.shape[1:]) if "images" in file.name else (1,)
            folder.joinpath(file.name).write_bytes(idx(*shape, content=b"\1" * int(np.prod(shape))))
    elif known.form == "cifar":
        for file in known.files:
            if file.name.endswith(".bin"):
                records(folder / file.name, pixels(1), *[[0]] * len(known.targets))
            else:
                (folder / file.name).write_text("")
    elif known.form == "svhn":
        for part in ("train", "test"):
            svhn(folder, [1], part)
    else:
        pytest.importorskip("PIL")
        from tests.data.test_pictures import picture

        _, height, width = known.shape
        for part in ("train", "val", "test"):
            picture(folder / part / "a.png", 0, (height, width))
            picture(folder / f"{part}annot" / "a.png", 0, (height, width), "L")


def fields(parts: Parts) -> dict[str, Any]:
    """Of each key the shape, the role, and whether it holds bytes; bytes of inputs are scaled."""
    return {
        key: (each.shape, each.role, key in parts.inputs and each.dtype == "uint8")
        for key, each in parts.train.fields.items()
    }


@pytest.mark.parametrize("name", SETS)
def test_the_fields_of_a_named_set_are_known_before_its_files_are_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = SETS[name]
    if name != EMBEDDED:
        count = max(1, len([each for each in known.files if each.name.startswith("data_batch")]))
        tiny = replace(
            known, train=count, test=1, validation=min(known.validation, 1),
            files=tuple(File(each.name) for each in known.files),
        )  # fmt: skip
        monkeypatch.setitem(names.SETS, name, tiny)
        (tmp_path / name).mkdir()
        put(tmp_path / name, tiny)
    choices: list[Mapping[str, str]] = [{}, {key: key for key in known.targets}]
    for targets in choices:
        data = Data(train=name, targets=dict(targets))
        loaded, foreseen = netspec.data.load(data, tmp_path), outlined(data)
        assert foreseen is not None
        assert fields(foreseen) == fields(loaded)
        assert [*foreseen.train.fields] == [*loaded.train.fields]
        for key, classes in foreseen.classes.items():
            assert (key, classes.count) == (key, loaded.classes[key].count)
        assert foreseen.classes.keys() == loaded.classes.keys()
