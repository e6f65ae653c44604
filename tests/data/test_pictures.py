"""Folders of pictures: what is decoded is what was saved, and every damage is reported with its file."""

from __future__ import annotations

import os
import random
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import netspec.data
from netspec.data.bounds import DataError
from netspec.recipe.data import Data

Image = pytest.importorskip("PIL.Image")

Array = NDArray[Any]


def picture(
    path: Path, value: Any = 0, size: tuple[int, int] = (4, 6), mode: str = "RGB", **options: Any
) -> Path:
    """A picture of one value, or of an array, of height × width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(value, int):
        depth = {"RGB": (3,), "RGBA": (4,), "L": (), "P": ()}[mode]
        value = np.full((*size, *depth), value, np.uint8)
    Image.fromarray(value, mode if value.dtype == np.uint8 else None).save(path, **options)
    return path


def animals(folder: Path, counts: dict[str, int], start: int = 0) -> None:
    for name, count in counts.items():
        for number in range(count):
            picture(folder / name / f"{number:03}.png", start + number)


def whole(source: Any) -> dict[str, Array]:
    found: dict[str, Array] = source.take(np.arange(len(source)))
    return found


def refusal(data: Data | str, base: Path = Path()) -> tuple[str, str]:
    def use() -> None:
        for _, source in netspec.data.load(data, base=base):
            whole(source)

    with pytest.raises(DataError) as caught:
        use()
    return str(caught.value), caught.value.help


# A class a folder.


def test_classes_are_folders_and_samples_take_turns(tmp_path: Path) -> None:
    animals(tmp_path, {"dog": 1, "cat": 3})
    (tmp_path / "cat" / "notes.txt").touch()
    parts = netspec.data.load(f"{tmp_path}/")
    assert parts.classes["labels"].names == ("cat", "dog")
    batch = whole(parts.train)
    assert batch["labels"].tolist() == [0, 1, 0, 0]
    assert batch["images"][:, 0, 0, 0].tolist() == [0, 0, 1, 2]
    assert (parts.shape("images"), str(batch["images"].dtype)) == ((3, 4, 6), "uint8")


def test_parts_are_folders(tmp_path: Path) -> None:
    animals(tmp_path / "train", {"cat": 2, "dog": 2})
    animals(tmp_path / "val", {"dog": 1}, 7)
    animals(tmp_path / "test", {"cat": 1}, 8)
    parts = netspec.data.load(str(tmp_path))
    assert [(name, whole(source)["labels"].tolist()) for name, source in parts] == [
        ("train", [0, 1, 0, 1]), ("validation", [1]), ("test", [0]),
    ]  # fmt: skip


def test_the_validation_part_is_another_folder(tmp_path: Path) -> None:
    animals(tmp_path / "a", {"cat": 2, "dog": 2})
    animals(tmp_path / "b", {"dog": 1})
    parts = netspec.data.load(Data(train="./a", validation="./b"), base=tmp_path)
    assert whole(parts.validation)["labels"].tolist() == [1]
    animals(tmp_path / "b", {"eel": 1})
    message, _ = refusal(Data(train="./a", validation="./b"), tmp_path)
    assert message.endswith("has the folder eel, which is none of the classes: the recipe has cat, dog")


def test_the_recipe_orders_the_classes(tmp_path: Path) -> None:
    animals(tmp_path, {"cat": 1, "dog": 1})
    parts = netspec.data.load(Data(train=str(tmp_path), classes=("dog", "cat")))
    assert whole(parts.train)["labels"].tolist() == [0, 1]
    assert whole(parts.train)["images"][:, 0, 0, 0].tolist() == [0, 0]
    assert parts.classes["labels"].names == ("dog", "cat")


def test_pixels_are_those_that_were_saved(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 3)).astype(np.uint8)
    picture(tmp_path / "a" / "x.png", pixels)
    picture(tmp_path / "b" / "x.bmp", pixels)
    batch = whole(netspec.data.load(str(tmp_path)).train)
    for each in batch["images"]:
        np.testing.assert_array_equal(each, pixels.transpose(2, 0, 1))


def test_grey_and_sixteen_bits(tmp_path: Path) -> None:
    deep = np.array([[0, 65535], [256, 1]], np.uint16)
    picture(tmp_path / "grey" / "a" / "x.png", 9, mode="L")
    picture(tmp_path / "deep" / "a" / "x.png", deep)
    assert whole(netspec.data.load(str(tmp_path / "grey")).train)["images"].shape == (1, 1, 4, 6)
    batch = whole(netspec.data.load(str(tmp_path / "deep")).train)
    assert batch["images"].dtype == np.uint16
    np.testing.assert_array_equal(batch["images"][0, 0], deep)
    picture(tmp_path / "deep" / "a" / "y.png", 9, (2, 2), "L")
    assert "has 16 bits, and" in refusal(str(tmp_path / "deep"))[0]


def test_grey_among_colour_needs_channels(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "x.png", 9)
    picture(tmp_path / "a" / "y.png", 9, mode="L")
    message, how = refusal(str(tmp_path))
    assert message == f"{tmp_path}/a/y.png: has the mode L, and {tmp_path}/a/x.png has RGB"
    assert "`channels: 3`" in how
    parts = netspec.data.load(Data(train=str(tmp_path), channels=3))
    assert whole(parts.train)["images"].shape == (2, 3, 4, 6)
    parts = netspec.data.load(Data(train=str(tmp_path), channels=1))
    assert whole(parts.train)["images"].shape == (2, 1, 4, 6)


def test_transparency_is_not_dropped_in_silence(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "x.png", 9, mode="RGBA")
    message, how = refusal(str(tmp_path))
    assert message.endswith("x.png: has transparency")
    assert "transparency is dropped" in how
    assert netspec.data.load(Data(train=str(tmp_path), channels=3)).shape("images") == (3, 4, 6)


def test_a_transparent_colour_is_transparency(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "x.png", 9, transparency=(9, 9, 9))
    assert refusal(str(tmp_path))[0].endswith("x.png: has transparency")


def test_other_sizes_need_a_size(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "x.png", 9)
    picture(tmp_path / "a" / "y.png", 9, (5, 6))
    assert refusal(str(tmp_path)) == (
        f"{tmp_path}/a/y.png: is 5×6, and {tmp_path}/a/x.png 4×6 (height × width)",
        "resize all: `size: [4, 6]` in the data of the recipe",
    )
    parts = netspec.data.load(Data(train=str(tmp_path), size=(8, 3)))
    assert whole(parts.train)["images"].shape == (2, 3, 8, 3)
    assert (whole(parts.train)["images"] == 9).all()


def test_a_picture_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)
    picture(tmp_path / "a" / "x.png", pixels, exif=exif)
    parts = netspec.data.load(str(tmp_path))
    assert parts.shape("images") == (3, 6, 4)
    np.testing.assert_array_equal(whole(parts.train)["images"][0], np.rot90(pixels, -1).transpose(2, 0, 1))


def test_sixteen_bits_are_seen_without_reading_all_headers(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "x.png", 9)
    picture(tmp_path / "a" / "y.png", np.full((4, 6), 300, np.uint16))
    assert "y.png: has 16 bits" in refusal(Data(train=str(tmp_path), channels=1, size=(4, 6)))[0]
    (tmp_path / "a" / "y.png").write_bytes(b"")
    parts = netspec.data.load(Data(train=str(tmp_path), channels=1, size=(4, 6)))
    assert parts.train.take(np.array([0]))["images"].shape == (1, 1, 4, 6)


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_threads_change_nothing(workers: int, tmp_path: Path) -> None:
    animals(tmp_path, {"cat": 20, "dog": 20})
    parts = netspec.data.load(str(tmp_path), workers=workers)
    order = np.random.default_rng(0).permutation(40)
    assert parts.train.take(order)["images"][:, 0, 0, 0].tolist() == [int(each) // 2 for each in order]


# What is wrong.


def test_an_empty_class(tmp_path: Path) -> None:
    animals(tmp_path, {"cat": 2})
    (tmp_path / "dog").mkdir()
    assert refusal(str(tmp_path))[0] == f"{tmp_path}/dog: holds no picture: the class dog is empty"


def test_pictures_without_classes(tmp_path: Path) -> None:
    picture(tmp_path / "x.png")
    message, how = refusal(str(tmp_path))
    assert message == f"{tmp_path}: has no folders of classes"
    assert "`masks`" in how


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"%!PS-Adobe-3.0\n"], ids=repr
)
def test_no_picture_at_all(content: bytes, tmp_path: Path) -> None:
    animals(tmp_path, {"cat": 2})
    (tmp_path / "cat" / "001.png").write_bytes(content)
    assert refusal(str(tmp_path))[0] == f"{tmp_path}/cat/001.png: is not a picture, or is damaged"


@pytest.mark.parametrize("kind", ["png", "jpg", "bmp", "gif", "tiff", "webp", "ppm"])
def test_damage_is_reported_with_the_file_or_changes_nothing_else(kind: str, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    path = picture(tmp_path / "cat" / f"x.{kind}", pixels)
    content = path.read_bytes()
    random.seed(5)
    for number in range(40):
        damaged = bytearray(content)
        if number % 2:
            damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
        else:
            del damaged[random.randrange(len(damaged)) :]
        path.write_bytes(damaged)
        said = f"{tmp_path}/cat"
        try:
            whole(netspec.data.load(str(tmp_path), workers=1).train)
        except DataError as error:
            said = str(error)
        assert said.startswith(f"{tmp_path}/cat"), number


def test_a_picture_that_vanished_after_the_start(tmp_path: Path) -> None:
    animals(tmp_path, {"cat": 3})
    parts = netspec.data.load(str(tmp_path))
    (tmp_path / "cat" / "001.png").unlink()
    with pytest.raises(DataError, match=r"cat/001\.png: cannot be read: it does not exist"):
        whole(parts.train)
    picture(tmp_path / "cat" / "001.png", size=(5, 5))
    with pytest.raises(DataError, match=r"cat/001\.png: is 5×5, and was 4×6 when it was first opened"):
        whole(parts.train)


@pytest.mark.parametrize("size", [9_000, 12_000, 100_000])
def test_a_bomb(size: int, tmp_path: Path) -> None:
    """Its header says that it has up to 10¹⁰ pixels; nothing is decoded. Pillow itself only warns at the second."""
    chunks = (
        b"IHDR" + struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0),
        b"IDAT" + zlib.compress(bytes(1000)),
    )
    whole = b"".join(
        struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in chunks
    )
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + whole)
    assert "pixels" in refusal(str(tmp_path))[0]


def test_pipes_are_not_opened(tmp_path: Path) -> None:
    animals(tmp_path, {"cat": 1})
    os.mkfifo(tmp_path / "cat" / "2.png")
    assert refusal(str(tmp_path))[0].endswith("2.png: cannot be read: it is a named pipe, not a regular file")


def test_several_pictures_in_a_file(tmp_path: Path) -> None:
    frames = [Image.new("L", (4, 4), value) for value in (1, 2)]
    (tmp_path / "cat").mkdir()
    frames[0].save(tmp_path / "cat" / "x.gif", save_all=True, append_images=frames[1:])
    assert refusal(str(tmp_path))[0].endswith("x.gif: holds 2 pictures")


def test_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    animals(tmp_path, {"cat": 1})
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert refusal(str(tmp_path)) == (
        "pictures need Pillow, which is not installed", 'pip install "netspec-compiler[images]"'
    )  # fmt: skip


# Masks.


def scenes(folder: Path, count: int = 2, value: int = 3) -> None:
    for number in range(count):
        picture(folder / "train" / f"{number}.jpg", 9)
        picture(folder / "trainannot" / f"{number}.png", value, mode="L")


def test_masks_beside_the_pictures(tmp_path: Path) -> None:
    scenes(tmp_path)
    parts = netspec.data.load(str(tmp_path))
    assert whole(parts.train)["masks"].tolist() == [[[3] * 6] * 4] * 2
    assert (parts.targets, parts.shape("masks")) == (("masks",), (4, 6))


def test_masks_in_a_folder_of_the_recipe(tmp_path: Path) -> None:
    picture(tmp_path / "pictures" / "x.jpg")
    palette = Image.fromarray(np.full((4, 6), 2, np.uint8), "P")
    palette.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    (tmp_path / "labels").mkdir()
    palette.save(tmp_path / "labels" / "x.png")
    parts = netspec.data.load(Data(train="./pictures", masks="labels"), base=tmp_path)
    assert (whole(parts.train)["masks"] == 2).all()  # the indices, not their colours


def test_masks_are_resized_without_new_classes(tmp_path: Path) -> None:
    picture(tmp_path / "train" / "x.png")
    mask = np.array([[0, 0, 7, 7, 7, 7]] * 4, np.uint8)
    picture(tmp_path / "trainannot" / "x.png", mask, mode="L")
    parts = netspec.data.load(Data(train=str(tmp_path), size=(7, 9)))
    assert {*np.unique(whole(parts.train)["masks"]).tolist()} == {0, 7}


def test_a_picture_without_a_mask(tmp_path: Path) -> None:
    scenes(tmp_path)
    (tmp_path / "trainannot" / "1.png").unlink()
    assert refusal(str(tmp_path)) == (
        f"{tmp_path}/train/1.jpg: has no mask: {tmp_path}/trainannot/1.png is missing", "1 of 2 pictures have none"
    )  # fmt: skip


def test_a_mask_of_another_size_or_of_colours(tmp_path: Path) -> None:
    scenes(tmp_path)
    picture(tmp_path / "trainannot" / "1.png", 0, (4, 5), "L")
    assert refusal(str(tmp_path))[0].endswith("1.png: is a mask of 4×5, and the pictures are 4×6")
    picture(tmp_path / "trainannot" / "1.png", 0)
    message, how = refusal(str(tmp_path))
    assert "is a mask of colours (RGB)" in message
    assert "one channel" in how


def test_a_class_that_the_recipe_does_not_have(tmp_path: Path) -> None:
    scenes(tmp_path, value=11)
    message, how = refusal(Data(train=str(tmp_path), classes=11))
    assert message == (
        f"{tmp_path}/train/0.jpg: has the value in masks 11 (training part), and there are 11 classes, 0 to 10"
    )
    assert "`ignore: 11`" in how
    parts = netspec.data.load(Data(train=str(tmp_path), classes=11, ignore=11))
    assert (whole(parts.train)["masks"] == 11).all()


def test_a_turned_picture_with_a_mask_is_refused(tmp_path: Path) -> None:
    """Its mask may be turned, or not; at 180° no size would show it."""
    exif = Image.Exif()
    exif[0x0112] = 3
    picture(tmp_path / "train" / "x.jpg", 9, exif=exif)
    picture(tmp_path / "trainannot" / "x.png", 1, mode="L")
    assert (
        "is turned by its camera (EXIF), and its mask or box may be turned, or not"
        in refusal(str(tmp_path))[0]
    )


# Boxes.


def boxed(folder: Path, rows: str = "0.png,1,1,3,4,cat\n1.png,0,0,6,4,dog\n") -> Data:
    for number in range(2):
        picture(folder / "all" / f"{number}.png", number)
    (folder / "boxes.csv").write_text("file,left,top,right,bottom,class\n" + rows)
    return Data(train="./all", boxes="boxes.csv")


def test_a_box_a_picture(tmp_path: Path) -> None:
    parts = netspec.data.load(boxed(tmp_path), base=tmp_path)
    batch = whole(parts.train)
    assert batch["boxes"].tolist() == [[1, 1, 3, 4], [0, 0, 6, 4]]
    assert (batch["labels"].tolist(), parts.classes["labels"].names) == ([0, 1], ("cat", "dog"))
    assert (parts.inputs, parts.targets) == (("images",), ("boxes", "labels"))


def test_boxes_are_scaled_with_their_pictures(tmp_path: Path) -> None:
    data = boxed(tmp_path).model_copy(update={"size": (8, 18)})
    parts = netspec.data.load(data, base=tmp_path, workers=0)
    assert whole(parts.train)["boxes"].tolist() == [[3, 2, 9, 8], [0, 0, 18, 8]]


def test_the_recipe_orders_the_classes_of_boxes(tmp_path: Path) -> None:
    data = boxed(tmp_path).model_copy(update={"classes": ("dog", "cat")})
    parts = netspec.data.load(data, base=tmp_path)
    assert (whole(parts.train)["labels"].tolist(), parts.classes["labels"].names) == ([1, 0], ("dog", "cat"))
    message, _ = refusal(data.model_copy(update={"classes": ("dog", "eel")}), tmp_path)
    assert message.endswith("boxes.csv: line 2: the class 'cat' of 0.png is none of dog, eel")


BOXES = {
    "0.png,1,1,7,4,cat\n": "0.png: its box is (1, 1, 7, 4), and the picture is 4×6",
    "0.png,3,1,3,4,cat\n": "0.png: its box is (3, 1, 3, 4), and the picture is 4×6",
    "0.png,a,1,3,4,cat\n": "boxes.csv: line 2: the column left has 'a', which is not a number",
    "0.png,nan,1,3,4,cat\n": "boxes.csv: line 2: the column left has nan, which is not finite",
    "0.png,1,1,3,4\n": "boxes.csv: line 2 has 5 cells, and the first line has 6",
    "9.png,1,1,3,4,cat\n": "9.png cannot be read: it does not exist",
    "../x.png,1,1,3,4,cat\n": "line 2: '../x.png' is not a file in the folder of the pictures",
    "0.png,1,1,3,4,a\n0.png,1,1,3,4,a\n": "line 3: 0.png has a box in line 2 already",
    "": "boxes.csv: holds no box",
}


@pytest.mark.parametrize("rows", BOXES)
def test_a_box_that_is_none(rows: str, tmp_path: Path) -> None:
    assert BOXES[rows] in refusal(boxed(tmp_path, rows), tmp_path)[0]
