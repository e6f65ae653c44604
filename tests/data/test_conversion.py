"""Data in another form: the advice is Python that is run here, and what it saves is the data that were meant."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netspec.data.datasets import load
from netspec.data.idx import DataError
from netspec.data.samples import Dataset


def refusal(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        load(str(path))
    return caught.value


def followed(error: DataError) -> None:
    """Run the code of the advice: its lines that are indented."""
    code = [line[2:] for line in error.help.splitlines()[1:]]
    assert code, error.help
    exec("\n".join(code), {})


def pairs(data: Dataset) -> list[tuple[list[Any], int]]:
    """Every sample with its label, in both parts."""
    samples = [*data.train_images.tolist(), *data.test_images.tolist()]
    labels = [*data.train_labels.tolist(), *data.test_labels.tolist()]
    return sorted(zip(samples, labels, strict=True))


ROWS = [(number, number / 4, number % 3) for number in range(20)]
KINDS = ("setosa", "versicolor", "virginica")

# The suffix, a line of the table from a row, and its first line.
TABLES: dict[str, tuple[str, Any, str]] = {
    "a header": (".csv", lambda a, b, y: f"{a},{b},{y}", "a,b,kind\n"),
    "no header": (".csv", lambda a, b, y: f"{a},{b},{y}", ""),
    "semicolons": (".csv", lambda a, b, y: f"{a};{b};{y}", "a;b;kind\n"),
    "tabs": (".tsv", lambda a, b, y: f"{a}\t{b}\t{y}", "a\tb\tkind\n"),
    "blanks": (".txt", lambda a, b, y: f"{a} {b} {y}", ""),
    "the label first, by its name": (".csv", lambda a, b, y: f"{y},{a},{b}", "label,a,b\n"),
    "words": (".csv", lambda a, b, y: f"{a},{b},{KINDS[y]}", "a,b,species\n"),
    "words without a header": (".data", lambda a, b, y: f"{a},{b},{KINDS[y]}", ""),
    "words first": (".csv", lambda a, b, y: f"{KINDS[y]},{a},{b}", ""),
    "quoted": (".csv", lambda a, b, y: f'{a},{b},"{KINDS[y]}"', '"a","b","species"\n'),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_table_is_converted_as_the_advice_says(case: str, tmp_path: Path) -> None:
    suffix, line, header = TABLES[case]
    path = tmp_path / f"table{suffix}"
    path.write_text(header + "".join(line(*row) + "\n" for row in ROWS))
    error = refusal(path)
    assert str(error) == f"{path}: is a table of text, and data are an .npz file"
    followed(error)
    data = load(str(path.with_suffix(".npz")))
    assert pairs(data) == [([a, b], y) for a, b, y in ROWS]
    assert len(data.test_labels) == 4


@pytest.mark.parametrize("header", [True, False])
def test_a_table_of_a_measurement_is_no_classifier(header: bool, tmp_path: Path) -> None:
    """The labels may be another column than the last, and then what is said about it leads to them."""
    path = tmp_path / "table.csv"
    rows = "".join(f"{y},{a},{a + (0.7 if a else 0)}\n" for a, _, y in ROWS)
    path.write_text("x,y2,price\n" + rows if header else rows)
    told = refusal(path).help
    assert "column 2" in told
    assert (
        "has 1.7, but labels are whole numbers: this version trains classifiers and has no regression" in told
    )
    assert "astype" not in told
    assert ("name" if header else "add a first line with the names of") in told
    path.write_text("label,y2,price\n" + rows)
    followed(refusal(path))
    assert sorted(y for _, y in pairs(load(str(path.with_suffix(".npz"))))) == sorted(y for *_, y in ROWS)


def test_a_number_that_is_not_whole_stops_the_advice_wherever_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    lines = [f"{a},{y}" for a, _, y in ROWS]
    path.write_text("\n".join(lines))
    error = refusal(path)
    path.write_text("\n".join([*lines, "3,4.2"]))
    with pytest.raises(ValueError, match="this version has no regression"):
        followed(error)


@pytest.mark.parametrize("content", ["", "\n", "one", '"', "a,b\n"], ids=repr)
def test_a_table_of_nothing_is_refused_too(content: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content)
    assert "is a table of text" in str(refusal(path))


class Picture:
    """What Pillow gives, as far as the advice needs it: a file that holds one number is a picture of that number."""

    def __init__(self, value: int) -> None:
        self.value = value

    @classmethod
    def open(cls, file: Path) -> Picture:
        return cls(int(file.read_text()))

    def convert(self, mode: str) -> Picture:
        assert mode == "RGB"
        return self

    def resize(self, size: tuple[int, int]) -> np.ndarray[Any, Any]:
        return np.full((size[1], size[0], 3), self.value, np.uint8)


@pytest.fixture
def pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("PIL")
    module.Image = Picture  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "PIL", module)


def laid_out(folder: Path, count: int = 5) -> list[tuple[int, int]]:
    """Pictures in one folder per class; each picture's number and its label."""
    known = []
    for label, name in enumerate(("cat", "dog")):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            (folder / name / f"{number}.PNG").write_text(str(10 * label + number))
            known.append((10 * label + number, label))
        (folder / name / "notes.txt").touch()
    return known


def numbers(images: Any, labels: Any) -> list[tuple[int, int]]:
    assert images.shape[1:] == (3, 64, 64)
    return sorted(zip(images[:, 0, 0, 0].tolist(), labels.tolist(), strict=True))


@pytest.mark.usefixtures("pillow")
def test_a_folder_of_classes_is_converted_as_the_advice_says(tmp_path: Path) -> None:
    known = laid_out(tmp_path / "pets")
    error = refusal(tmp_path / "pets")
    assert str(error) == f"{tmp_path / 'pets'}: is a folder of pictures, and data are an .npz file"
    followed(error)
    data = load(str(tmp_path / "pets.npz"))
    images = np.concatenate([data.train_images, data.test_images])
    assert numbers(images, np.concatenate([data.train_labels, data.test_labels])) == known
    assert len(data.test_labels) == 2


@pytest.mark.usefixtures("pillow")
@pytest.mark.parametrize("test", ["test", "val", "validation"])
def test_a_folder_in_two_parts_is_converted_as_the_advice_says(test: str, tmp_path: Path) -> None:
    train = laid_out(tmp_path / "pets" / "train")
    tested = laid_out(tmp_path / "pets" / test, count=2)
    followed(refusal(tmp_path / "pets"))
    data = load(str(tmp_path / "pets.npz"))
    assert numbers(data.train_images, data.train_labels) == train
    assert numbers(data.test_images, data.test_labels) == tested


def test_a_single_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cat.jpeg").touch()
    assert "one folder per class" in refusal(tmp_path / "cat.jpeg").help


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("trainX", "trainY", "testX", "testY"),
        ("train_data", "train_targets", "test_data", "test_targets"),
    ],
)
def test_an_archive_with_other_names_is_converted_as_the_advice_says(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    arrays = [np.arange(12, dtype=np.uint8).reshape(3, 4), np.array([0, 1, 2])] * 2
    np.savez(tmp_path / "keras.npz", **dict(zip(names, arrays, strict=True)))  # type: ignore[arg-type]
    error = refusal(tmp_path / "keras.npz")
    followed(error)
    data = load(str(tmp_path / "keras_netspec.npz"))
    np.testing.assert_array_equal(data.test_images, arrays[0])
    np.testing.assert_array_equal(data.train_labels, arrays[1])
