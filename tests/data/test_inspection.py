"""`netspec data`: counts, ranges, what looks wrong, and ten samples as a picture."""

from __future__ import annotations

import base64
import json
import re
import struct
import tracemalloc
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

import netspec.data
from netspec.data.inspection import inspect
from netspec.data.picture import as_png, as_svg, sheet, tiles
from netspec.recipe.data import Data
from netspec.recipe.names import MADE
from netspec_cli.main import app
from tests.data.test_pictures import animals, boxed, picture, scenes

Array = NDArray[Any]
RUN = CliRunner()

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 1, 4, 5)).astype(np.uint8)
LABELS = np.arange(12) % 3


def saved(folder: Path, **changed: Any) -> str:
    whole: dict[str, Any] = {
        "train_images": IMAGES[:9], "train_labels": LABELS[:9], "test_images": IMAGES[9:], "test_labels": LABELS[9:],
    }  # fmt: skip
    np.savez(
        folder / "a.npz", **{key: array for key, array in (whole | changed).items() if array is not None}
    )
    return str(folder / "a.npz")


def findings(path: str, **settings: Any) -> list[str]:
    report = inspect(netspec.data.load(Data(train=path, **settings)))
    return [f"{each.message} | {each.help}" if each.help else each.message for each in report.findings]


def test_counts_and_ranges(tmp_path: Path) -> None:
    report = inspect(netspec.data.load(saved(tmp_path, train_labels=np.array([0, 0, 0, 1, 2, 2, 1, 0, 1]))))
    train = report.columns["train"]
    assert train["labels"].counts == {0: 4, 1: 3, 2: 2}
    assert (train["images"].low, train["images"].high) == (IMAGES[:9].min(), IMAGES[:9].max())
    assert report.findings == ()


LAST = np.moveaxis(np.random.default_rng(1).integers(0, 256, (12, 3, 6, 5)).astype(np.uint8), 1, -1)
WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "labels from 1": (
        {"train_labels": LABELS[:9] + 1, "test_labels": LABELS[9:] + 1},
        ["labels start at 1: they are 1 to 3 | labels count from 0: save `labels - 1`"],
    ),
    "channels last": (
        {"train_images": LAST[:9], "test_images": LAST[9:]},
        [
            "images are 6@5×3: their channels seem to be last | write `layout: last` in the data of the recipe, or "
            "save `numpy.moveaxis(images, -1, 1)`"
        ],
    ),
    "floats of bytes": (
        {"train_images": IMAGES[:9].astype("float32"), "test_images": IMAGES[9:].astype("float32")},
        [
            f"images are floats from {IMAGES.min()} to {IMAGES.max()}, which are not scaled | pixels are bytes: save "
            "`images.astype('uint8')`; or `normalise: {mean: 0, std: 255}` in the recipe"
        ],
    ),
    "an empty class": (
        {"train_labels": LABELS[:9] // 2 * 2},
        [
            "the class 1 has no training sample, but it has test samples | a network does not learn a class without "
            "samples: add some, or remove the class"
        ],
    ),
    "a sample in both parts": (
        {"test_images": IMAGES[[4, 10, 2]]},
        [
            "2 samples are in the training and the test part, as {path}, training: sample 2 and {path}, test: sample 2 "
            "| remove them from one part: a network is not tested with what it has seen"
        ],
    ),
    "a sample twice": (
        {"train_images": IMAGES[[0, 1, 2, 3, 4, 5, 6, 7, 1]]},
        [
            "1 of 9 training samples appear before in the same part, as {path}, training: sample 8, which is {path}, "
            "training: sample 1"
        ],
    ),
    "labels of ids": (
        {"train_labels": LABELS[:9] * 1000, "test_labels": LABELS[9:] * 1000},
        ["labels have 3 different values, up to 2,000 | labels are the indices of the classes, from 0"],
    ),
    "labels below 0": (
        {"train_labels": LABELS[:9] - 1},
        ["labels hold -1 | labels are the indices of the classes, from 0"],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_looks_wrong(case: str, tmp_path: Path) -> None:
    changed, messages = WRONG[case]
    path = saved(tmp_path, **changed)
    assert findings(path) == [
        message.format(path=path, mean=None) if "{path}" in message else message for message in messages
    ]


def test_what_is_right_after_the_advice(tmp_path: Path) -> None:
    path = saved(tmp_path, train_images=LAST[:9], test_images=LAST[9:])
    assert findings(path, layout="last") == []


@pytest.mark.parametrize(
    "changed",
    [
        {"train_images": None, "train_samples": np.arange(18).reshape(9, 2), "test_images": None,
         "test_samples": np.arange(6).reshape(3, 2) + 50},
        {"train_labels": np.linspace(0, 9, 9), "test_labels": np.linspace(0, 1, 3)},
        {"train_images": IMAGES[:9].astype("uint16") * 256, "test_images": IMAGES[9:].astype("uint16") * 256},
    ],
    ids=["a table of numbers", "a regression", "16 bits"],
)  # fmt: skip
def test_other_data_are_not_suspected_of_being_labelled_bytes(
    changed: dict[str, Any], tmp_path: Path
) -> None:
    assert not any("labels" in each or "uint8" in each for each in findings(saved(tmp_path, **changed)))


def test_a_set_that_is_larger_than_the_memory_is_read_in_pieces(tmp_path: Path) -> None:
    images = np.lib.format.open_memmap(tmp_path / "train_images.npy", "w+", np.uint8, (2000, 1, 200, 200))
    images[::2, 0, 0, 0] = 1
    del images
    np.save(tmp_path / "train_labels.npy", np.arange(2000) % 2)
    tracemalloc.start()
    report = inspect(netspec.data.load(str(tmp_path)))
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 60_000_000
    assert report.columns["train"]["images"].high == 1
    assert "1,998 of 2,000 training samples appear before" in report.findings[0].message


def test_every_broken_picture_is_reported(tmp_path: Path) -> None:
    animals(tmp_path, {"cat": 9, "dog": 3})
    for number in range(8):
        path = tmp_path / "cat" / f"{number:03}.png"
        path.write_bytes(path.read_bytes()[:48] if number else b"")
    (tmp_path / "cat" / "000.png").unlink()
    parts = netspec.data.load(str(tmp_path))
    found = inspect(parts).findings
    errors = [each.message for each in found if each.is_error]
    assert len(errors) == 6
    assert errors[0] == f"{tmp_path}/cat/001.png: is not a picture, or is damaged"
    assert errors[-1] == "2 more training samples cannot be read"
    result = RUN.invoke(app, ["data", str(tmp_path)])
    assert result.exit_code == 1
    assert "error: " in result.stdout


def decoded(png: bytes) -> Array:
    """The pixels of a PNG file of ours."""
    width, height = struct.unpack(">II", png[16:24])
    (size,) = struct.unpack(">I", png[33:37])
    rows = np.frombuffer(zlib.decompress(png[41 : 41 + size]), np.uint8).reshape(height, 1 + 3 * width)
    return rows[:, 1:].reshape(height, width, 3)


def test_a_png_is_one_that_pillow_reads(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    (tmp_path / "x.png").write_bytes(as_png(pixels))
    with image.open(tmp_path / "x.png") as read:
        np.testing.assert_array_equal(np.asarray(read), pixels)


def test_ten_samples_show_every_class() -> None:
    parts = netspec.data.load("fashion-mnist-small")
    shown = tiles(parts)
    assert [tile.words for tile in shown] == list(parts.classes["labels"].names)
    svg = ET.fromstring(as_svg("clothes & co", shown))
    space = "{http://www.w3.org/2000/svg}"
    images = svg.findall(f"{space}image")
    assert len(images) == 10
    whole = parts.train.take(np.arange(len(parts.train)))
    first = whole["images"][np.flatnonzero(whole["labels"] == 3)[0], 0]
    data = base64.b64decode(images[3].attrib["href"].partition(",")[2])
    np.testing.assert_array_equal(decoded(data)[:, :, 0], first)
    assert decoded(sheet(shown)).shape == (260, 632, 3)


SHAPES: dict[str, tuple[int, ...]] = {
    "vectors": (5,), "sequences": (2, 9), "images": (3, 4, 5), "channels": (4, 4, 5), "volumes": (1, 3, 4, 5),
}  # fmt: skip


@pytest.mark.parametrize("case", SHAPES)
def test_samples_of_every_shape_can_be_drawn(case: str, tmp_path: Path) -> None:
    samples = np.random.default_rng(0).standard_normal((3, *SHAPES[case]))
    shown = tiles(netspec.data.load(saved(tmp_path, train_images=samples, train_labels=np.arange(3), test_images=None,
                                          test_labels=None)))  # fmt: skip
    drawn = ET.fromstring(as_svg("x", shown))
    assert len([each for each in drawn.iter() if each.tag.endswith("image")]) == len(shown) == 3
    assert len(np.unique(decoded(sheet(shown)))) > 2


def test_masks_and_boxes_are_drawn(tmp_path: Path) -> None:
    scenes(tmp_path / "a")
    assert tiles(netspec.data.load(str(tmp_path / "a")))[0].pixels.shape == (4, 12, 3)
    shown = tiles(netspec.data.load(boxed(tmp_path), base=tmp_path))
    assert list(shown[0].box or ()) == [1, 1, 3, 4]
    assert 'stroke="#e5007d"' in as_svg("x", shown)


# The command.


def test_the_report(tmp_path: Path) -> None:
    picture(tmp_path / "pets" / "cat" / "a.png", 1)
    picture(tmp_path / "pets" / "cat" / "b.png", 2)
    picture(tmp_path / "pets" / "dog" / "a.png", 3)
    result = RUN.invoke(
        app, ["data", str(tmp_path / "pets"), "--set", "validation=1", "--set", "size=[2, 2]"]
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "pets: 2 training, 1 validation samples",
        "  validation: 1 of the 3 training samples, chosen by the seed 0, the same share of every class",
        "input images: 3@2×2, uint8, 1 to 3",
        "target labels: one number, int64, 0 to 1",
        "  class         train    validation",
        "  0 cat             1             1",
        "  1 dog             1             0",
        "nothing looks wrong",
    ]


def test_the_picture_of_the_command(tmp_path: Path) -> None:
    for name in ("x.svg", "x.png"):
        result = RUN.invoke(app, ["data", "fashion-mnist-small", "--picture", str(tmp_path / name)])
        assert (result.exit_code, result.stderr) == (0, f"wrote {tmp_path / name}\n")
    ET.parse(tmp_path / "x.svg")
    (tmp_path / "x.svg").write_text("mine")
    result = RUN.invoke(app, ["data", "fashion-mnist-small", "--picture", str(tmp_path / "x.svg")])
    assert result.exit_code == 2
    assert (tmp_path / "x.svg").read_text() == "mine"
    result = RUN.invoke(app, ["data", "fashion-mnist-small", "--picture", "x.gif"])
    assert (result.exit_code, result.stderr) == (
        2,
        "netspec: --picture x.gif: a picture is an .svg or a .png file\n",
    )


REFUSED: dict[str, tuple[list[str], str]] = {
    "no set": (["--fetch"], "netspec: name a data set, or a path"),
    "no such set": (["mnits"], "netspec: no data set is called mnits; did you mean `mnist`?"),
    "no such path": (["./nothing"], "netspec: nothing: there is no such file or folder"),
    "no such setting": (
        ["mnist", "--set", "sise=3"],
        "netspec: --set sise: data has no such setting; did you mean `size`?; its settings are train, validation",
    ),
    "no such setting of a table": (
        ["./x", "--set", "table.target=a"],
        "netspec: --set table.target: `table` has no such setting; did you mean `targets`?; its settings are targets",
    ),
    "a wrong value": (
        ["mnist", "--set", "validation=1.5"],
        "netspec: --set validation: `validation` must be a path, a fraction between 0 and 1, or a whole number",
    ),
    "a wrong value of a text": (
        ["./x", "--set", "text.length=0"],
        "netspec: --set text.length: `length` must be a whole number of symbols from 1",
    ),
    "twice": (["mnist", "--set", "test=1", "--set", "test=2"], "netspec: --set test=2: test is set twice"),
    "not for it": (
        ["fashion-mnist-small", "--set", "size=3"],
        "netspec: fashion-mnist-small: `size` is not for a named set",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str) -> None:
    words, message = REFUSED[case]
    result = RUN.invoke(app, ["data", *words])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(message), result.stderr


def test_json_has_every_count(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["data", saved(tmp_path), "--format", "json"])
    told = json.loads(result.stdout)
    assert told["parts"]["train"]["keys"]["labels"]["counts"] == {"0": 3, "1": 3, "2": 3}
    assert told["keys"]["images"] == {
        "role": "input",
        "shape": [1, 4, 5],
        "type": "uint8",
        "classes": None,
        "names": [],
    }


def test_the_list_of_named_sets(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["data", "--data-dir", str(tmp_path)])
    lines = result.stdout.splitlines()
    assert lines[0] == f"named sets, in {tmp_path}"
    assert re.search(r"mnist .*\(--fetch downloads it\)", result.stdout)
    files, made = lines[: lines.index("sets without files")], lines[lines.index("sets without files") + 1 :]
    assert files[-1].endswith("(not here, and not fetched)")
    assert [each.split()[0] for each in made] == list(MADE)
