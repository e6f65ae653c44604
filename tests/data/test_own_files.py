"""Arrays of the user's own: types, layouts, several inputs and targets, mapped files; and samples from Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import netspec.data
from netspec.data.bounds import DataError
from netspec.data.parts import Parts
from netspec.data.source import Field, Purpose
from netspec.recipe.data import Data

Array = NDArray[Any]


def saved(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "a.npz", **arrays)
    return folder / "a.npz"


def mapped(folder: Path, **arrays: Any) -> Path:
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return folder


def whole(parts: Parts, part: str = "train") -> dict[str, Array]:
    source = dict(parts)[part]
    return source.take(np.arange(len(source)))


TYPES = ["uint8", "uint16", "int8", "int32", "int64", "float16", "float32", "float64", "bool"]


@pytest.mark.parametrize("save", [saved, mapped])
@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_of_number_stays_what_it_is(save: Any, dtype: str, tmp_path: Path) -> None:
    images = np.arange(48).reshape(4, 3, 2, 2).astype(dtype)
    parts = netspec.data.load(str(save(tmp_path, train_images=images, train_labels=np.arange(4))))
    assert parts.train.fields["images"].dtype == dtype
    assert whole(parts)["images"].dtype == dtype
    np.testing.assert_array_equal(whole(parts)["images"], images)
    assert (parts.validation, parts.test) == (None, None)


TARGETS = {
    "labels": (np.arange(4), ()),
    "a column": (np.arange(4)[:, None], ()),
    "maps": (np.zeros((4, 5, 6), np.uint8), (5, 6)),
    "a regression": (np.linspace(0, 1, 4)[:, None], (1,)),
    "boxes": (np.zeros((4, 4), np.float32), (4,)),
    "sequences": (np.zeros((4, 7), np.int32), (7,)),
}


@pytest.mark.parametrize("case", TARGETS)
def test_targets_of_many_forms(case: str, tmp_path: Path) -> None:
    targets, shape = TARGETS[case]
    parts = netspec.data.load(str(saved(tmp_path, train_samples=np.zeros((4, 2)), train_targets=targets)))
    assert (parts.inputs, parts.targets, parts.shape("targets")) == (("samples",), ("targets",), shape)


def test_several_inputs_and_targets_by_key(tmp_path: Path) -> None:
    arrays = {
        f"{part}_{key}": np.zeros((3, 2))
        for part in ("train", "val")
        for key in ("left", "right", "main", "z")
    }
    data = Data(
        train=str(saved(tmp_path, **arrays)), inputs={"a": "left", "b": "right"}, targets={"head": "main"}
    )
    parts = netspec.data.load(data)
    assert {key: field.role for key, field in parts.train.fields.items()} == {
        "left": Purpose.input, "right": Purpose.input, "main": Purpose.target,
    }  # fmt: skip
    assert [name for name, _ in parts] == ["train", "validation"]


def test_arrays_that_are_not_used_are_named(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        train_images=np.zeros((2, 3)),
        train_labels=np.arange(2),
        train_ids=np.arange(2),
        z=np.eye(2),
    )
    parts = netspec.data.load(str(path))
    assert parts.notes == ("not used: train_ids, z",)
    assert list(parts.train.fields) == ["images", "labels"]


def test_one_part_under_two_names(tmp_path: Path) -> None:
    arrays = {f"{part}_images": np.zeros((2, 3)) for part in ("train", "val", "validation")}
    with pytest.raises(DataError, match="has both val_images and validation_images"):
        netspec.data.load(str(saved(tmp_path, **arrays)))


def test_a_picture_beside_arrays_does_not_make_them_pictures(tmp_path: Path) -> None:
    mapped(tmp_path, train_images=np.zeros((2, 3)), train_labels=np.arange(2))
    (tmp_path / "preview.png").touch()
    assert len(netspec.data.load(str(tmp_path)).train) == 2


@pytest.mark.parametrize(
    ("dtype", "unit"), [("uint8", 255), ("uint16", 65535), ("int32", 1), ("float32", 1), ("bool", 1)]
)
def test_the_unit_of_a_type(dtype: str, unit: int) -> None:
    assert Field((3,), dtype, Purpose.input).unit == unit


def test_an_archive_without_parts(tmp_path: Path) -> None:
    path = saved(tmp_path, images=np.zeros((10, 1, 2, 2), np.uint8), labels=np.arange(10) % 2)
    parts = netspec.data.load(Data(train=str(path), test=0.2))
    assert [len(source) for _, source in parts] == [8, 2]


@pytest.mark.parametrize("save", [saved, mapped])
def test_channels_last_are_moved_where_the_recipe_says_so(save: Any, tmp_path: Path) -> None:
    images, masks = np.arange(2 * 4 * 5 * 3).reshape(2, 4, 5, 3), np.zeros((2, 4, 5, 1), np.uint8)
    path = save(tmp_path, train_images=images, train_masks=masks, train_labels=np.arange(2))
    parts = netspec.data.load(Data(train=str(path), layout="last"))
    assert {key: field.shape for key, field in parts.train.fields.items()} == {
        "images": (3, 4, 5), "masks": (1, 4, 5), "labels": (),
    }  # fmt: skip
    np.testing.assert_array_equal(whole(parts)["images"], images.transpose(0, 3, 1, 2))
    assert whole(parts)["images"].flags.c_contiguous


WRONG: dict[str, tuple[dict[str, Any], Data, str]] = {
    "no samples": (
        {"train_labels": np.arange(3)},
        Data(train="x"),
        "has no array of samples: it has train_labels",
    ),
    "an unknown key": (
        {"train_images": np.zeros((3, 2))},
        Data(train="x", inputs={"a": "image"}),
        "the recipe names the key image; did you mean `images`? | its keys are images",
    ),
    "a key without parts": (
        {name: np.zeros((3, 2)) for name in ("train_images", "test_images", "other")},
        Data(train="x", targets={"a": "other"}),
        "the recipe names the key other | each part has its own array, called PART_KEY: save other as train_other and "
        "test_other; its keys are images",
    ),
    "the array of a part in place of its key": (
        {name: np.zeros((3, 2)) for name in ("train_images", "train_other")},
        Data(train="x", targets={"a": "train_other"}),
        "the recipe names the key train_other | train_other is an array of one part: write the key, `other`",
    ),
    "a key of one part only": (
        {name: np.zeros((3, 2)) for name in ("train_images", "test_images", "train_other")},
        Data(train="x", targets={"a": "other"}),
        "lacks test_other | it has NAMES; every part has the same arrays: save test_other, too",
    ),
    "complex numbers": (
        {"train_images": np.zeros((3, 2), complex)},
        Data(train="x"),
        "train_images holds complex128",
    ),
    "a label that is none": (
        {"train_images": np.zeros((3, 2)), "train_labels": np.array([0, 5, 1])},
        Data(train="x", classes=3),
        "training: sample 1: has the label 5 (training part), and there are 3 classes, 0 to 2"
        " | let `classes` in the recipe be 6 or more, or correct the label",
    ),
    "labels from 1": (
        {"train_images": np.zeros((3, 2)), "train_labels": np.array([1, 2, 3])},
        Data(train="x", classes=("a", "b", "c")),
        "sample 2: has the label 3 (training part), and there are 3 classes, 0 to 2"
        " | labels count from 0: save `labels - 1`",
    ),
    "a pixel that is none": (
        {"train_images": np.zeros((2, 1, 2, 2)), "train_masks": np.full((2, 2, 2), 11, np.uint8)},
        Data(train="x", classes=11),
        "sample 0: has the value in masks 11 (training part), and there are 11 classes, 0 to 10"
        " | if 11 marks what does not count, write `ignore: 11` in the data of the recipe",
    ),
    "classes of nothing": (
        {"train_images": np.zeros((3, 2))},
        Data(train="x", classes=3),
        "`classes` are for one target of whole numbers, and there is no such target",
    ),
    "vectors, channels last": (
        {"train_images": np.zeros((3, 2))},
        Data(train="x", layout="last"),
        "`layout: last` is for samples with a channel axis and others, but these are vectors",
    ),
    "a setting of pictures": (
        {"train_images": np.zeros((3, 2))},
        Data(train="x", size=(2, 2)),
        "`size` is not for arrays | remove `size` from the data of the recipe",
    ),
}


@pytest.mark.parametrize("save", [saved, mapped])
@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_arrays(case: str, save: Any, tmp_path: Path) -> None:
    arrays, data, message = WRONG[case]
    path = save(tmp_path, **arrays)

    def use() -> None:
        parts = netspec.data.load(data.model_copy(update={"train": str(path)}))
        parts.train.take(np.array([0]))  # mapped maps are checked as they are read

    with pytest.raises(DataError) as caught:
        use()
    names = sorted(arrays) if save is mapped else list(arrays)
    assert message.replace("NAMES", ", ".join(names)) in f"{caught.value} | {caught.value.help}"


def test_a_void_class_is_ignored(tmp_path: Path) -> None:
    masks = np.array([[[0, 10], [11, 11]]], np.uint8)
    path = saved(tmp_path, train_images=np.zeros((1, 1, 2, 2)), train_masks=masks)
    parts = netspec.data.load(Data(train=str(path), classes=11, ignore=11))
    assert (parts.classes["masks"].count, parts.classes["masks"].ignored) == (11, 11)


def test_other_files_for_a_part(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    path = saved(tmp_path, images=np.zeros((4, 3, 2)), labels=np.arange(4))
    other = saved(tmp_path / "more", images=np.zeros((2, 3, 2)), labels=np.arange(2))
    parts = netspec.data.load(Data(train="a.npz", validation="more/a.npz"), base=tmp_path)
    assert [len(source) for _, source in parts] == [4, 2]
    assert parts.notes == (f"validation: 2 from {other}",)
    saved(tmp_path / "more", images=np.zeros((2, 3, 1)), labels=np.arange(2))
    with pytest.raises(DataError, match="training samples are 3@2, validation samples 3@1"):
        netspec.data.load(Data(train=str(path), validation=str(other)))


# Mapped files.


def test_a_mapped_array_is_not_read_before_it_is_needed(tmp_path: Path) -> None:
    images = np.full((5, 3, 2), 0.5)
    images[3, 1] = np.nan
    parts = netspec.data.load(str(mapped(tmp_path, train_images=images, train_labels=np.arange(5))))
    assert len(parts.train.take(np.array([0, 4]))["images"]) == 2
    with pytest.raises(DataError, match=r"training: sample 3: images holds numbers that are not finite"):
        parts.train.take(np.array([4, 3]))


def test_a_mapped_file_that_became_shorter(tmp_path: Path) -> None:
    """Reading past the end of a mapped file would end the process."""
    mapped(tmp_path, train_images=np.zeros((5, 3, 2)), train_labels=np.arange(5))
    parts = netspec.data.load(str(tmp_path))
    os.truncate(tmp_path / "train_images.npy", 200)
    with pytest.raises(DataError, match="bytes when the training started, and has 200 now"):
        parts.train.take(np.array([0]))


def test_a_fortran_array_is_mapped(tmp_path: Path) -> None:
    images = np.asfortranarray(np.arange(24.0).reshape(4, 3, 2))
    parts = netspec.data.load(str(mapped(tmp_path, train_images=images)))
    np.testing.assert_array_equal(whole(parts)["images"], images)


@pytest.mark.parametrize("cut", [0, 5, 100, 140])
def test_a_damaged_npy(cut: int, tmp_path: Path) -> None:
    mapped(tmp_path, train_images=np.zeros((5, 3, 2)))
    os.truncate(tmp_path / "train_images.npy", cut)
    with pytest.raises(DataError, match=r"train_images\.npy: "):
        netspec.data.load(str(tmp_path))


def test_objects_are_never_loaded(tmp_path: Path) -> None:
    mapped(tmp_path, train_images=np.array([{}, {}], object))
    with pytest.raises(DataError, match="holds Python objects, which are never loaded"):
        netspec.data.load(str(tmp_path))
    (tmp_path / "x.pkl").touch()
    with pytest.raises(DataError, match="is a pickle; netspec never loads pickles"):
        netspec.data.load(str(tmp_path / "x.pkl"))


@pytest.mark.parametrize(
    "name", ["train_32x32.mat", "test_batch.bin", "train-images-idx3-ubyte.gz", "x-ubyte"]
)
def test_one_file_of_a_set(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    with pytest.raises(DataError, match="is one file of a set") as caught:
        netspec.data.load(str(tmp_path / name))
    assert str(tmp_path) in caught.value.help


def test_a_folder_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no data that netspec knows"):
        netspec.data.load(str(tmp_path))


# Samples from Python.


class Lazy:
    """A sequence that makes its samples when it is asked."""

    def __init__(self, count: int, broken: Any = None) -> None:
        self.count, self.broken, self.asked = count, broken, set[int]()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        self.asked.add(index)
        if index == 2 and self.broken is not None:
            return self.broken  # type: ignore[no-any-return]
        return {"images": np.full((1, 2, 2), index, np.uint8), "labels": index % 2}


def test_samples_from_python_are_made_when_they_are_needed() -> None:
    samples = Lazy(10)
    parts = netspec.data.load({"train": samples, "validation": Lazy(3)})
    assert samples.asked == {0}
    batch = parts.train.take(np.array([7, 1]))
    assert samples.asked == {0, 7, 1}
    assert batch["images"][:, 0, 0, 0].tolist() == [7, 1]
    assert batch["labels"].tolist() == [1, 1]
    assert (parts.shape("images"), len(parts.validation or ())) == ((1, 2, 2), 3)


BROKEN: dict[str, tuple[Any, str]] = {
    "a shape": (
        {"images": np.zeros((1, 2, 3), np.uint8), "labels": 0},
        "images of sample 2 has the shape (1, 2, 3)",
    ),
    "a type": (
        {"images": np.full((1, 2, 2), 0.5), "labels": 0},
        "images of sample 2 is float64, and that of sample 0",
    ),
    "a key": (
        {"images": np.zeros((1, 2, 2), np.uint8)},
        "sample 2 has the keys images, and sample 0 images, labels",
    ),
    "words": ({"images": "a", "labels": 0}, "images of sample 2 holds <U1, not numbers"),
    "a tuple": ((1, 2), "sample 2 is a tuple, not a mapping of arrays"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_sample_that_differs(case: str) -> None:
    broken, message = BROKEN[case]
    parts = netspec.data.load(Lazy(4, broken))
    with pytest.raises(DataError) as caught:
        parts.train.take(np.arange(4))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "own, train: holds no sample"),
        ([{"x": np.zeros(3)}], "own: has no array of samples: its keys are x"),
        ({"rest": [{"images": np.zeros(3)}]}, "own: there is no part 'rest'"),
        ([{"images": 3}], "own, train: images is a single number"),
    ],
)
def test_samples_that_are_none(samples: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        netspec.data.load(samples)
    assert str(caught.value) == message
