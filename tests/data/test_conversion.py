"""Data in another form: the advice is followed here, and leads to the data that were meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import netspec.data
from netspec.data.datasets import load
from netspec.data.idx import DataError
from netspec.recipe.data import Data, TableData, TextData


def refusal(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        load(str(path))
    return caught.value


def followed(error: DataError) -> None:
    """Run the code of the advice: its lines that are indented."""
    code = [line[2:] for line in error.help.splitlines()[1:]]
    assert code, error.help
    exec("\n".join(code), {})


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


def settings(error: DataError) -> Data:
    """The settings of the advice: its line that is indented."""
    (line,) = error.help.splitlines()[1:]
    stated = yaml.safe_load(line)["data"]
    table = TableData(**{**stated["table"], "targets": (stated["table"]["targets"],)})
    return Data(**{**stated, "table": table})


@pytest.mark.parametrize("case", TABLES)
def test_a_table_is_read_with_the_settings_of_the_advice(case: str, tmp_path: Path) -> None:
    suffix, line, header = TABLES[case]
    path = tmp_path / f"table{suffix}"
    path.write_text(header + "".join(line(*row) + "\n" for row in ROWS))
    error = refusal(path)
    assert str(error) == f"{path}: is a file of text; the recipe says what it holds"
    parts = netspec.data.load(settings(error))
    assert parts.test is not None
    assert len(parts.test) == 4
    found = [source.take(np.arange(len(source))) for _, source in parts]
    pairs = [
        pair
        for each in found
        for pair in zip(each["samples"].tolist(), each["targets"].tolist(), strict=True)
    ]
    assert sorted(pairs) == [([a, b], y) for a, b, y in ROWS]


@pytest.mark.parametrize("content", ["", "\n", "one", '"', "a,b\n"], ids=repr)
def test_a_table_of_nothing_is_refused_too(content: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content)
    error = refusal(path)
    assert "is a file of text" in str(error)
    with pytest.raises(DataError, match=r"table\.csv: "):
        netspec.data.load(settings(error))


def test_a_single_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cat.jpeg").touch()
    assert "of each class into a folder" in refusal(tmp_path / "cat.jpeg").help


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


def test_a_text_is_read_with_the_settings_of_the_advice(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the cat, the dog\n" * 20)
    (line,) = refusal(tmp_path / "a.txt").help.splitlines()[1:]
    stated = yaml.safe_load(line)["data"]
    data = Data(**{**stated, "text": TextData(**stated["text"])})
    assert len(netspec.data.load(data).train) == 3
