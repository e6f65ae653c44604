"""Parts: disjoint, complete, decided by the seed, stratified by the labels, and cut from the end of a series."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import pytest

import netspec.data
from netspec.data.arrays import of_arrays
from netspec.data.bounds import DataError
from netspec.data.own import of_samples
from netspec.data.parts import Parts
from netspec.recipe.data import Data, TableData
from netspec.recipe.names import EMBEDDED


def members(parts: Parts) -> dict[str, list[int]]:
    """The samples of each part, by the number that each holds."""
    return {name: source.take(np.arange(len(source)))["samples"][:, 0].tolist() for name, source in parts}


def numbered(count: int, classes: int = 3) -> Parts:
    samples = [{"samples": np.array([at, 0]), "labels": at % classes} for at in range(count)]
    return of_samples(samples, Data(train="own"))


@pytest.mark.parametrize(("validation", "test"), [(0.1, None), (0.25, 0.25), (5, 3), (0.1, 7), (1, 28)])
def test_no_sample_is_in_two_parts_and_none_is_lost(validation: float, test: float | None) -> None:
    parts = numbered(30).of_training(validation, test, seed=4)
    found = members(parts)
    assert sorted(chain(*found.values())) == list(range(30))
    wanted = validation if isinstance(validation, int) else round(30 * validation + 1e-9)
    assert len(found["validation"]) in (wanted, int(30 * validation + 0.5))


def test_the_seed_decides_and_the_test_part_does_not_depend_on_the_validation_part() -> None:
    whole = numbered(40)
    first = members(whole.of_training(0.2, 0.2, 1))
    assert first == members(whole.of_training(0.2, 0.2, 1))
    assert first["test"] == members(whole.of_training(0.4, 0.2, 1))["test"]
    assert first["test"] != members(whole.of_training(0.2, 0.2, 2))["test"]


def test_the_choice_never_changes() -> None:
    """A new version of netspec or NumPy must give the same parts."""
    assert members(numbered(20).of_training(0.2, 0.1, 0)) == CHOICE


CHOICE = {
    "train": [0, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 17, 19],
    "validation": [1, 2, 15, 18],
    "test": [8, 16],
}


def test_every_class_gives_its_share() -> None:
    parts = netspec.data.load(Data(train=EMBEDDED, validation=0.1), seed=7)
    counts = {name: np.bincount(np.asarray(source.column("labels"))).tolist() for name, source in parts}
    assert counts == {"train": [540] * 10, "validation": [60] * 10, "test": [100] * 10}
    assert parts.notes == (
        "validation: 600 of the 6,000 training samples, chosen by the seed 7, the same share of every class",
    )


def test_shares_are_rounded_to_the_exact_sum() -> None:
    labels = np.array([0] * 7 + [1] * 2 + [2])
    samples = {
        "train": [{"samples": np.array([at]), "labels": int(label)} for at, label in enumerate(labels)]
    }
    parts = of_samples(samples, Data(train="own"))
    assert parts.train.column("labels") is None  # not read before they are needed: no stratification
    arrays = of_arrays(
        {"train": {"samples": np.arange(10)[:, None], "labels": labels}},
        Data(train="own"),
        name="own",
        where="own",
    )
    chosen = arrays.of_training(5, None, 0).validation
    assert chosen is not None
    found = np.bincount(np.asarray(chosen.column("labels")), minlength=3)
    assert found.tolist() == [
        4,
        1,
        0,
    ]  # of 3.5, 1 and 0.5; of equal remainders, the lower class is rounded up


def test_a_set_that_has_the_part_already_does_not_use_it() -> None:
    parts = netspec.data.load(Data(train=EMBEDDED, test=500))
    assert parts.test is not None
    assert len(parts.test) == 500
    assert parts.notes[0] == f"the test part of {EMBEDDED} is not used: the recipe names another"


@pytest.mark.parametrize(
    ("validation", "test", "message"),
    [
        (10, None, "own: 10 for validation leaves nothing to train on: there are 10 samples"),
        (0.01, None, "own: a fraction of 0.01 of 10 samples gives no sample for validation"),
        (0.5, 0.5, "own: 5 for test and 5 for validation leave nothing to train on: there are 10 samples"),
    ],
)
def test_parts_that_cannot_be(validation: Any, test: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        numbered(10).of_training(validation, test, 0)
    assert str(caught.value) == message


def test_the_first_samples() -> None:
    parts = netspec.data.load(EMBEDDED).limited(train=7, test=10_000)
    assert [len(source) for _, source in parts] == [7, 1000]


def test_parts_of_a_series_share_no_row(tmp_path: Any) -> None:
    """Windows of 3 rows with a target 2 rows later: the last of training ends before the first of validation starts."""
    path = tmp_path / "series.csv"
    path.write_text("a,b\n" + "".join(f"{at},{at}\n" for at in range(30)))
    table = TableData(inputs=("a",), targets=("b",), length=3, ahead=2)
    parts = netspec.data.load(Data(train=str(path), validation=5, test=4, table=table))
    rows = {}
    for name, source in parts:
        batch = source.take(np.arange(len(source)))
        rows[name] = {*batch["samples"].ravel().tolist(), *batch["targets"].tolist()}
    assert max(rows["train"]) < min(rows["validation"])
    assert max(rows["validation"]) < min(rows["test"])
    assert (len(parts.validation or ()), len(parts.test or ())) == (5, 4)
    assert "4 before them share rows with them, and are left out" in parts.notes[0]
