"""Data sets: found, complete, undamaged and what their name says, or a message that says what to do."""

from __future__ import annotations

import gzip
import hashlib
import io
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netspec.data.conversion import RENUMBER, SAVE
from netspec.data.datasets import default_folder, load
from netspec.data.fetch import fetch
from netspec.data.idx import DataError
from netspec.recipe import names
from netspec.recipe.names import EMBEDDED, SETS, STEMS, File, NamedSet
from tests.data.test_idx import idx

CONTENTS = (idx(3, 2, 2), idx(3), idx(2, 2, 2), idx(2))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> NamedSet:
    """A named set of three and two images of 2×2, in the place of MNIST."""
    files = tuple(
        File(stem, hashlib.sha256(content).hexdigest()) for stem, content in zip(STEMS, CONTENTS, strict=True)
    )
    known = NamedSet((1, 2, 2), 3, 3, 2, "https://example.org/", files)
    monkeypatch.setitem(names.SETS, "mnist", known)
    return known


def put(folder: Path, end: str = ".gz", pack: Any = gzip.compress) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for stem, content in zip(STEMS, CONTENTS, strict=True):
        (folder / f"{stem}{end}").write_bytes(pack(content))
    return folder


def told(data: str, folder: Path | None = None) -> tuple[str, str]:
    with pytest.raises(DataError) as caught:
        load(data, folder)
    return str(caught.value), caught.value.help


def test_the_embedded_set() -> None:
    data = load(EMBEDDED)
    assert (data.train_images.shape, data.test_images.shape) == ((6000, 1, 28, 28), (1000, 1, 28, 28))
    assert np.bincount(data.train_labels).tolist() == [600] * 10
    assert np.bincount(data.test_labels).tolist() == [100] * 10
    assert (data.shape, data.classes) == (SETS[EMBEDDED].shape, SETS[EMBEDDED].classes)


@pytest.mark.parametrize(("inside", "end", "pack"), [("mnist", ".gz", gzip.compress), (".", "", bytes)])
def test_a_named_set_is_found(inside: str, end: str, pack: Any, tiny: NamedSet, tmp_path: Path) -> None:
    put(tmp_path / inside, end, pack)
    data = load("mnist", tmp_path)
    assert data.train_images.shape == (3, 1, 2, 2)
    assert data.train_labels.tolist() == [0, 1, 2]
    assert data.test_labels.tolist() == [0, 1]
    assert data.classes == 3


def test_a_missing_set_says_what_to_fetch_and_where_to_put_it(tiny: NamedSet, tmp_path: Path) -> None:
    put(tmp_path / "mnist")
    (tmp_path / "mnist" / f"{STEMS[1]}.gz").unlink()
    (tmp_path / "mnist" / f"{STEMS[2]}.gz").unlink()
    assert told("mnist", tmp_path) == (
        f"mnist is not here: {tmp_path / 'mnist'} lacks {STEMS[1]}.gz, {STEMS[2]}.gz",
        f"fetch\n  https://example.org/{STEMS[1]}.gz\n  https://example.org/{STEMS[2]}.gz\n"
        f"and put them into {tmp_path / 'mnist'}; --fetch does both, --data-dir names another folder",
    )


def test_headers_are_held_against_each_other_before_anything_is_read(tmp_path: Path) -> None:
    """The file of images unpacks to 200 MB; that there are other labels is seen in its first bytes."""
    put(tmp_path)
    images = idx(200_000, 1, 1000, content=b"")
    (tmp_path / f"{STEMS[0]}.gz").write_bytes(gzip.compress(images + bytes(200_000_000), 1))
    tracemalloc.start()
    message, _ = told(f"{tmp_path}/")
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert message == f"{tmp_path / STEMS[0]}.gz: holds 200,000 images, and {STEMS[1]}.gz 3 labels"
    assert held < 1_000_000


def test_a_file_larger_than_the_original_is_not_read(tiny: NamedSet, tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / f"{STEMS[1]}.gz").write_bytes(gzip.compress(idx(13, content=bytes(13))))
    assert told("mnist", tmp_path) == (
        f"{tmp_path / STEMS[1]}.gz: says that it holds 13 = 13 bytes, more than any file of this set",
        "fetch the original",
    )


def test_a_changed_file_is_not_the_original(tiny: NamedSet, tmp_path: Path) -> None:
    put(tmp_path)
    other = idx(3, content=b"\x02\x01\x00")
    (tmp_path / f"{STEMS[1]}.gz").write_bytes(gzip.compress(other))
    message, _ = told("mnist", tmp_path)
    digest = hashlib.sha256(other).hexdigest()
    assert (
        message
        == f"{tmp_path / STEMS[1]}.gz: is not {STEMS[1]} of mnist: the SHA-256 of its content is {digest}"
    )


def test_the_file_of_another_set_is_recognised(tiny: NamedSet, tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / f"{STEMS[0]}.gz").write_bytes(gzip.compress(CONTENTS[2]))
    assert told("mnist", tmp_path)[0].endswith(f"is not {STEMS[0]} of mnist: it is {STEMS[2]} of mnist")


def test_an_unknown_name() -> None:
    assert told("mnits")[0] == "no data set is called mnits; did you mean `mnist`?"


@pytest.mark.usefixtures("homeless")
def test_a_user_without_a_home_needs_a_folder_for_named_sets_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NETSPEC_DATA", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    with pytest.raises(DataError, match=r"^this user has no home folder"):
        load("mnist")
    with pytest.raises(DataError, match=r"^mnist is not here"):
        load("mnist", tmp_path)
    assert load("fashion-mnist-small").train_labels.size


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETSPEC_DATA", "/somewhere")
    assert default_folder() == Path("/somewhere")
    monkeypatch.delenv("NETSPEC_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert default_folder() == Path("/cache/netspec")


# Somebody's own.


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    data = load(str(put(tmp_path / "own")))
    assert (data.name, data.classes, data.shape) == ("own", 3, (1, 2, 2))


def test_a_folder_that_lacks_files(tmp_path: Path) -> None:
    folder = put(tmp_path / "own")
    (folder / f"{STEMS[3]}.gz").unlink()
    assert told(str(folder)) == (
        f"{folder}: lacks {STEMS[3]}",
        f"a folder holds {', '.join(STEMS)}, plain or .gz",
    )
    (folder / "set.npz").touch()
    assert told(str(folder))[1] == f"name the file {folder / 'set.npz'} itself"


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    assert told(str(tmp_path / "no")) == (f"{tmp_path / 'no'}: there is no such file or folder", "")


def arrays(**changed: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "train_images": np.zeros((4, 3, 5, 6), np.uint8),
        "train_labels": np.array([0, 1, 2, 3]),
        "test_images": np.zeros((2, 3, 5, 6), np.uint8),
        "test_labels": np.array([0, 1], np.uint8),
    }
    return {key: value for key, value in {**whole, **changed}.items() if value is not None}


def npz(path: Path, **changed: Any) -> str:
    np.savez(path, **arrays(**changed))
    return str(path)


def test_an_npz_of_ones_own(tmp_path: Path) -> None:
    data = load(npz(tmp_path / "a.npz"))
    assert (data.name, data.classes, data.shape) == ("a.npz", 4, (3, 5, 6))
    assert data.test_labels.dtype == np.int64


def test_an_npz_of_floats(tmp_path: Path) -> None:
    data = load(npz(tmp_path / "a.npz", train_images=np.ones((4, 5, 6)), test_images=np.ones((2, 5, 6))))
    assert data.train_images.dtype == np.float32
    assert data.shape == (5, 6)


@pytest.mark.parametrize(
    ("dtype", "held"), [("uint16", "uint16"), ("int16", "float32"), ("int64", "float32"), ("bool", "float32")]
)
def test_an_npz_of_whole_numbers(dtype: str, held: str, tmp_path: Path) -> None:
    """They are not images of bytes; 16-bit numbers are scaled by their type, others are taken as they are."""
    images = np.arange(4 * 30).reshape(4, 5, 6) * 7
    path = npz(tmp_path / "a.npz", train_images=images.astype(dtype), test_images=images[:2].astype(dtype))
    data = load(path)
    assert data.train_images.dtype == held
    np.testing.assert_array_equal(data.train_images, images.astype(dtype).astype(held))


# The shape of a sample as saved, the input of the network, the shape that it is taken for.
SEEN: dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = {
    "an image without its channel": ((5, 6), (1, 5, 6), (1, 5, 6)),
    "an image for a vector": ((5, 6), (30,), (1, 5, 6)),
    "a sequence": ((2, 9), (2, 9), (2, 9)),
    "a sequence without its channel": ((9,), (1, 9), (1, 9)),
    "a vector": ((9,), (9,), (9,)),
    "a volume": ((1, 3, 4, 5), (1, 3, 4, 5), (1, 3, 4, 5)),
    "a volume without its channel": ((3, 4, 5), (1, 3, 4, 5), (1, 3, 4, 5)),
    "an image": ((3, 5, 6), (3, 5, 6), (3, 5, 6)),
    "an image for a sequence": ((3, 5, 6), (3, 5), (3, 5, 6)),
}


@pytest.mark.parametrize("case", SEEN)
def test_the_network_says_what_the_axes_are(case: str, tmp_path: Path) -> None:
    saved, wanted, seen = SEEN[case]
    samples = np.arange(4 * np.prod(saved), dtype=np.uint8).reshape(4, *saved)
    data = load(npz(tmp_path / "a.npz", train_images=samples, test_images=samples[:2])).seen_as(wanted)
    assert data.shape == seen
    np.testing.assert_array_equal(data.test_images, samples[:2].reshape(2, *seen))


def test_one_column_of_labels_is_taken(tmp_path: Path) -> None:
    data = load(npz(tmp_path / "a.npz", train_labels=np.array([[0], [1], [2], [3]])))
    assert data.train_labels.tolist() == [0, 1, 2, 3]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a key": (
        {"test_labels": None, "z": np.zeros(2)},
        f"lacks test_labels | it has train_images, train_labels, test_images, z; {SAVE}",
    ),
    "objects": (
        {"train_labels": np.array([{}, 1], object)},
        f"train_labels holds Python objects, which are never loaded | {SAVE}",
    ),
    "axes": (
        {"train_images": np.zeros(4, np.uint8)},
        "train_images is 4 | samples are N × channels, with up to three spatial axes after them",
    ),
    "too many axes": (
        {"train_images": np.zeros((4, 1, 1, 1, 1, 1), np.uint8)},
        "train_images is 4×1×1×1×1×1 | samples are N × channels, with up to three spatial axes after them",
    ),
    "no images": ({"train_images": np.zeros((0, 5, 6), np.uint8)}, "train_images holds nothing | "),
    "kind": (
        {
            "train_images": np.full((4, 3, 5, 6), 9, np.int32),
            "test_images": np.full((2, 3, 5, 6), 9, np.int32),
        },
        "train_images holds int32 | pixels are bytes: save `images.astype('uint8')`",
    ),
    "beyond float32": (
        {"train_images": np.full((4, 3, 5, 6), -1e300)},
        "train_images holds -1e+300, but training uses float32, which ends at 3.4e38"
        " | scale the samples before you save them",
    ),
    "nan": (
        {"train_images": np.full((4, 3, 5, 6), np.nan)},
        "train_images holds numbers that are not finite | ",
    ),
    "sizes": (
        {"test_images": np.zeros((2, 3, 5, 7), np.uint8)},
        "training samples are 3@5×6, test samples 3@5×7 | ",
    ),
    "count": ({"train_labels": np.array([0, 1, 2])}, "4 train images and 3 labels | "),
    "one-hot": (
        {"train_labels": np.eye(4), "test_labels": np.eye(4)[:2]},
        "train_labels has 2 axes"
        " | labels are one whole number per sample; these are one-hot: save `labels.argmax(axis=1)`",
    ),
    "one-hot in one part": (
        {"train_labels": np.eye(4)},
        "training labels are 4, test labels single numbers"
        " | labels are one whole number per sample; these are one-hot: save `labels.argmax(axis=1)`",
    ),
    "another kind in one part": (
        {"test_images": np.zeros((2, 3, 5, 6), np.int32)},
        "images are uint8 for training and int32 for test, which are scaled in different ways"
        " | save both with the same type",
    ),
    "no labels": ({"test_labels": np.zeros(0, np.int64)}, "test_labels holds nothing | "),
    "float labels": (
        {"test_labels": np.zeros(2)},
        "test_labels holds float64 | labels are whole numbers from 0: save `labels.astype('int64')`",
    ),
    "negative": (
        {"test_labels": np.array([0, -1])},
        f"test_labels holds -1 | labels are the indices of the classes, from 0: {RENUMBER}",
    ),
    "beyond int64": (
        {"train_labels": np.array([0, 1, 2, 2**64 - 1], np.uint64)},
        "train_labels holds 18446744073709551615 | labels are the indices of the classes, from 0: "
        + RENUMBER,
    ),
    "words": (
        {"test_labels": np.array(["cat", "dog"])},
        f"test_labels holds <U3 | labels are whole numbers from 0: {RENUMBER}",
    ),
    "two numbers a sample": (
        {"train_labels": np.ones((4, 2), int), "test_labels": np.array([[0, 1], [1, 1]])},
        "train_labels has 2 axes | labels are one whole number per sample",
    ),
    "half labels": (
        {"test_labels": np.array([0.5, 2])},
        "test_labels holds float64 | labels are whole numbers from 0",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_npz(case: str, tmp_path: Path) -> None:
    changed, message = WRONG[case]
    path = npz(tmp_path / "a.npz", **changed)
    assert " | ".join(told(path)) == f"{path}: {message}"


def test_a_label_beyond_the_classes(tiny: NamedSet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(names.SETS, "mnist", NamedSet(tiny.shape, 2, 3, 2, tiny.url, tiny.files))
    message = f"{put(tmp_path)}, training: sample 2: has the label 2 (training part), and there are 2 classes, 0 to 1"
    assert told("mnist", tmp_path)[0] == message


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut", "npy"], ids=repr)
def test_no_npz_at_all(content: bytes | str, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    if content == "npy":
        buffer = io.BytesIO()
        np.save(buffer, np.zeros(3))
        content = buffer.getvalue()
    assert isinstance(content, bytes)
    path.write_bytes(content)
    assert told(str(path))[0] in {
        f"{path}: is not an .npz file of plain numbers, or it is damaged",
        f"{path}: holds a single array",
    }


# Fetching.


def test_fetches_what_is_missing_and_no_more(tiny: NamedSet, tmp_path: Path) -> None:
    there = put(tmp_path / "server")
    put(tmp_path / "here" / "mnist")
    (tmp_path / "here" / "mnist" / f"{STEMS[0]}.gz").unlink()
    said: list[str] = []
    url = f"{there.as_uri()}/"
    assert fetch("mnist", tmp_path / "here", url, said.append) == (
        tmp_path / "here" / "mnist" / f"{STEMS[0]}.gz",
    )
    assert said == [f"fetching {url}{STEMS[0]}.gz"]
    assert load("mnist", tmp_path / "here").classes == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b"something else"), "is not the original"),
        (b"<html>", "is not gzip"),
        (gzip.compress(CONTENTS[0])[:-4], "ends before it is complete"),
        (None, "cannot be fetched"),
    ],
    ids=["other", "page", "cut", "absent"],
)
def test_keeps_nothing_that_is_wrong(
    content: bytes | None, words: str, tiny: NamedSet, tmp_path: Path
) -> None:
    there = put(tmp_path / "server")
    (there / f"{STEMS[0]}.gz").unlink()
    if content is not None:
        (there / f"{STEMS[0]}.gz").write_bytes(content)
    with pytest.raises(DataError, match=words):
        fetch("mnist", tmp_path / "here", f"{there.as_uri()}/", lambda line: None)
    assert list((tmp_path / "here").rglob("*.*")) == []
