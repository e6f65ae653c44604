"""Tables, time series and texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netspec.data
from netspec.data.bounds import DataError
from netspec.data.parts import Parts
from netspec.recipe.data import Data, TableData, TextData


def load(path: Path, content: str | bytes, **settings: Any) -> Parts:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return netspec.data.load(Data(train=str(path), **settings))


def whole(parts: Parts) -> dict[str, Any]:
    return {key: array.tolist() for key, array in parts.train.take(np.arange(len(parts.train))).items()}


def test_columns_by_name(tmp_path: Path) -> None:
    parts = load(
        tmp_path / "a.csv", "y,b,a\n1.5,2,3\n2.5,4,5e1\n", table=TableData(targets=("y",), inputs=("a", "b"))
    )
    assert whole(parts) == {"samples": [[3, 2], [50, 4]], "targets": [[1.5], [2.5]]}
    assert parts.train.place(1) == f"{tmp_path}/a.csv: line 3"


def test_whole_numbers_are_labels_and_words_are_classes(tmp_path: Path) -> None:
    table = TableData(targets=("y",))
    parts = load(tmp_path / "a.csv", "a,y\n1,2\n2,0\n", table=table)
    assert (whole(parts)["targets"], parts.shape("targets")) == ([2, 0], ())
    parts = load(tmp_path / "a.csv", 'a,y\n1,"dog, big"\n2,cat\n', table=table)
    assert whole(parts)["targets"] == [1, 0]
    assert parts.classes["targets"].names == ("cat", "dog, big")
    parts = load(tmp_path / "a.csv", "a,y\n1,cat\n2,dog\n", table=table, classes=("dog", "cat"))
    assert whole(parts)["targets"] == [1, 0]


def test_parts_of_a_table_are_files(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a,y\n1,2\n3,4\n")
    (tmp_path / "test.csv").write_text("a,y\n1,0.5\n")
    parts = netspec.data.load(Data(train=str(tmp_path), table=TableData(targets=("y",))))
    assert [(name, len(source)) for name, source in parts] == [("train", 2), ("test", 1)]
    assert parts.shape("targets") == (1,)  # a number that is not whole in one part makes all of them floats


def test_windows_of_a_series(tmp_path: Path) -> None:
    rows = "a,b\n" + "".join(f"{at},{at + 10}\n" for at in range(6))
    table = TableData(targets=("b",), inputs=("a", "b"), length=3, ahead=2)
    parts = load(tmp_path / "a.csv", rows, table=table)
    assert whole(parts) == {
        "samples": [[[0, 1, 2], [10, 11, 12]], [[1, 2, 3], [11, 12, 13]]],
        "targets": [14, 15],
    }


TABLES: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "a column": ("a,y\n1,2\n", {"targets": ("z",)}, "has no column z | its columns are a, y"),
    "a near column": (
        "a,yield\n1,2\n",
        {"targets": ("yeild",)},
        "has no column yeild; did you mean `yield`?",
    ),
    "no rows": ("a,y\n", {"targets": ("y",)}, "has no row after its first line"),
    "a word": ("a,y\n1,2\nx,3\n", {"targets": ("y",)}, "line 3: the column a has 'x', which is not a number"),
    "nothing": ("a,y\n1,2\n,3\n", {"targets": ("y",)}, "line 3: the column a has nothing"),
    "infinite": (
        "a,y\n1,2\ninf,3\n",
        {"targets": ("y",)},
        "line 3: the column a has inf, which is not finite",
    ),
    "beyond float32": ("a,y\n1,2\n1e300,3\n", {"targets": ("y",)}, "has a number beyond float32"),
    "a short row": ("a,y\n1,2\n3\n", {"targets": ("y",)}, "line 3 has 1 cells, and the first line has 2"),
    "a word among numbers": ("a,y\n1,2\n1,b\n", {"targets": ("y",)}, "line 3: the column y has 'b'"),
    "bytes": (b"a,y\n\xff,2\n", {"targets": ("y",)}, "is not UTF-8"),
    "a quote": ('a,y\n"1,2\n', {"targets": ("y",)}, "is not a table: "),
    "twice": ("a,a,y\n1,2,3\n", {"targets": ("y",)}, "has two columns called 'a'"),
    "a short series": (
        "a,y\n1,2\n1,2\n",
        {"targets": ("y",), "length": 3},
        "has 2 rows, and one sample needs 4",
    ),
    "a long line": (
        "a,y\n" + "1" * (1 << 24),
        {"targets": ("y",)},
        "has a line of more than 16,777,216 characters",
    ),
    "a long cell": ("a,y\n" + "1" * 70_000 + ",2\n", {"targets": ("y",)}, "is not a table: "),
}


@pytest.mark.parametrize("case", TABLES)
def test_what_is_wrong_with_a_table(case: str, tmp_path: Path) -> None:
    content, settings, message = TABLES[case]
    with pytest.raises(DataError) as caught:
        load(tmp_path / "a.csv", content, table=TableData(**settings))
    assert message in f"{caught.value} | {caught.value.help}"
    assert str(caught.value).startswith(f"{tmp_path}/a.csv: ")


def test_an_unknown_class_in_another_part(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a,y\n1,cat\n3,dog\n")
    (tmp_path / "test.csv").write_text("a,y\n1,eel\n")
    with pytest.raises(DataError, match=r"test\.csv: line 2: the class 'eel' is none of cat, dog"):
        netspec.data.load(Data(train=str(tmp_path), table=TableData(targets=("y",))))


# Texts.


def test_characters_and_the_next_ones(tmp_path: Path) -> None:
    parts = load(tmp_path / "a.txt", "abcabca", text=TextData(length=3))
    assert parts.classes["symbols"].names == ("a", "b", "c")
    assert whole(parts) == {"symbols": [[0, 1, 2], [0, 1, 2]], "targets": [[1, 2, 0], [1, 2, 0]]}
    assert parts.train.fields["symbols"].dtype == "int32"


def test_tokens_by_a_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "words").write_text("<unk>\nthe\ncat\n")
    text = TextData(length=2, unit="tokens", vocabulary=str(tmp_path / "words"))
    parts = load(tmp_path / "a.txt", "the cat\nsaw the  cat", text=text)
    assert whole(parts) == {"symbols": [[1, 2], [0, 1]], "targets": [[2, 0], [1, 2]]}
    assert parts.classes["targets"].count == 3


def test_a_vocabulary_of_characters_has_escapes(tmp_path: Path) -> None:
    (tmp_path / "symbols").write_text("a\n\\s\n\\n\n\\\\\n")
    text = TextData(length=2, vocabulary=str(tmp_path / "symbols"))
    parts = load(tmp_path / "a.txt", "a \n\\a", text=text)
    assert whole(parts)["symbols"] == [[0, 1], [2, 3]]


def test_parts_of_a_text_are_cut_from_its_end_or_are_files(tmp_path: Path) -> None:
    parts = load(tmp_path / "a.txt", "ab" * 50 + "a", text=TextData(length=10), validation=0.2, test=1)
    assert [len(source) for _, source in parts] == [7, 2, 1]
    (tmp_path / "train.txt").write_text("abababa")
    (tmp_path / "test.txt").write_text("abbbb")
    parts = netspec.data.load(Data(train=str(tmp_path), text=TextData(length=2)))
    assert [(name, len(source)) for name, source in parts] == [("train", 3), ("test", 2)]
    parts = netspec.data.load(
        Data(train="./train.txt", validation="./test.txt", text=TextData(length=2)), base=tmp_path
    )
    assert (parts.classes["symbols"].names, len(parts.validation or ())) == (("a", "b"), 2)


TEXTS: dict[str, tuple[str | bytes, str, str]] = {
    "an unknown symbol": ("abx", "a\nb\n", "symbol 2 (from 0), 'x', is not in the vocabulary of 2 symbols"),
    "bytes": (b"ab\xff", "a\nb\n", "is not UTF-8 (byte 2)"),
    "too short": ("ab", "a\nb\n", "has 2 symbols, and one sample needs 3"),
    "two on a line": ("aba", "ab\n", "line 1 is 'ab', and a symbol is a character"),
    "twice": ("aba", "a\na\n", "line 2 is 'a', as line 1 is"),
    "an empty line": ("aba", "a\n\nb\n", "line 2 is '', and a symbol is a character"),
    "an empty file": ("aba", "", "is empty"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_what_is_wrong_with_a_text(case: str, tmp_path: Path) -> None:
    content, vocabulary, message = TEXTS[case]
    (tmp_path / "v").write_text(vocabulary)
    with pytest.raises(DataError) as caught:
        load(tmp_path / "a.txt", content, text=TextData(length=2, vocabulary=str(tmp_path / "v")))
    assert message in str(caught.value)
