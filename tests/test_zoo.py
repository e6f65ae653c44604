"""Every spec of the zoo: it holds what it expects of itself, and its backends are proven equal.

In float64 a spec is made small by its own parameters, whole network, nothing left out; in float32 it runs at
full size. A spec without its row fails here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from netspec.check import check_file
from netspec.comparison import compare
from netspec.diagnostics.render import as_text
from netspec.graph import verify
from netspec.language.places import zoo
from netspec.loading import load


@dataclass(frozen=True)
class Row:
    """How small a spec is made for its proof, and whether that still takes minutes."""

    spec: str
    small: dict[str, object] = field(default_factory=dict)
    batch: int = 2
    quick: bool = False


ROWS = (
    Row("lenet5", quick=True),
    Row("lecture_cnn", quick=True),
    Row("fashion_cnn"),
    Row("mlp", quick=True),
    Row("resnet34", {"size": 64, "classes": 10}),
    Row("se_resnet34", {"size": 64, "classes": 10}),
    Row("inception_module", {"size": 7}, quick=True),
    Row("siamese", quick=True),
    Row("skip_taps", {"size": 64}),
)
SMALL = [pytest.param(row, id=row.spec, marks=() if row.quick else pytest.mark.slow) for row in ROWS]
BY_SPEC = {row.spec: row for row in ROWS}


def test_every_spec_has_its_row_and_every_row_its_spec() -> None:
    assert sorted(zoo()) == sorted(BY_SPEC)


@pytest.mark.parametrize("name", sorted(zoo()))
def test_a_spec_holds_what_it_expects(name: str) -> None:
    graph, diagnostics = check_file(zoo()[name])
    assert not diagnostics, as_text(diagnostics)
    assert graph is not None
    verify(graph)
    assert graph.expect is not None, "a spec of the zoo states what it expects of itself"
    assert {"output", "params"} <= graph.expect.entries.keys()
    assert graph.description
    assert graph.name == name


@pytest.mark.parametrize("row", SMALL)
def test_backends_are_equal_in_float64(row: Row) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    found = compare(load(f"zoo:{row.spec}", **row.small), batch=row.batch, steps=3)
    assert found.ok, found.as_dict()["first_difference"] or found.as_dict()
    assert found.tolerance.forward == 1e-10
    assert found.tolerance.gradients == 1e-10
    assert found.tolerance.steps == 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BY_SPEC))
def test_backends_are_equal_at_full_size_in_float32(name: str) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    found = compare(load(f"zoo:{name}"), dtype="float32", batch=2, oracle=False, gradients=False)
    assert found.ok, found.as_dict()["first_difference"]
    assert found.tolerance.forward == 1e-4
