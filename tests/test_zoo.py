"""Every spec of the zoo: it holds what it expects of itself, and its backends are proven equal.

In float64 a spec is made small by its own parameters, whole network, nothing left out; in float32 it runs at
full size, unless docs/proofs.json says that these texts were found equal with these versions. The rows stand in
docs/proofs.py; a spec without its row fails here.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import combinations
from math import prod
from multiprocessing import get_context
from typing import Any, NamedTuple

import pytest

import netspec
from docs.proofs import BACKENDS, NARROW, ROWS, Record, Row, read, versions
from netspec.backend import Learns, Runs
from netspec.check import check_file
from netspec.diagnostics.render import as_text
from netspec.graph import verify
from netspec.language.reading.locations import zoo
from netspec.proof.difference import Difference
from netspec.proof.result import TOLERANCES
from tests.having import ORACLE, WRITERS, having, ready

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
    assert {"output", "params"} <= set(graph.expect.keys)
    assert graph.description
    assert graph.name == name


@pytest.mark.parametrize("row", SMALL)
def test_backends_are_equal_in_float64(row: Row) -> None:
    ready(Learns, count=2)
    found = row.in_float64()
    assert found.ok, found.as_dict()["first_difference"] or found.as_dict()
    assert found.tolerance.forward == 1e-10
    assert found.tolerance.gradients == 1e-10
    assert found.tolerance.steps == 1e-9


DEFAULT = (Row("reseg_flowers", {"height": 16, "width": 16, **NARROW}),)
"""Rows with the defaults of what the row on record sets otherwise: a direction, a word, not a size."""


@pytest.mark.slow
@pytest.mark.parametrize("row", DEFAULT, ids=lambda row: row.spec)
def test_backends_are_equal_in_float64_with_the_defaults(row: Row) -> None:
    test_backends_are_equal_in_float64(row)


def test_every_default_has_a_proof() -> None:
    changed = {row.spec for row in ROWS if any(isinstance(each, bool | str) for each in row.small.values())}
    assert changed == {row.spec for row in DEFAULT}


class Single(NamedTuple):
    """What is found in float32, and the memory in KiB that the process has taken at most."""

    ok: bool
    first_difference: Difference | None
    tolerance: float
    memory: int


def _in_float32(name: str) -> Single:
    import resource

    found = BY_SPEC[name].in_float32()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Single(found.ok, found.first_difference, found.tolerance.forward, memory)


class Apart:
    """A process for one network after the other. A large one is its last: it does not give back what it has taken."""

    def __init__(self) -> None:
        self._process: ProcessPoolExecutor | None = None

    def in_float32(self, name: str) -> Single:
        """Compare the backends on a network."""
        self._process = self._process or ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        found = self._process.submit(_in_float32, name).result()
        if found.memory > LARGE:
            self.end()
        return found

    def end(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.shutdown()
        self._process = None


def _is_on_record(record: Record, row: Row) -> bool:
    """Whether these texts were found equal at full size, with these versions of the frameworks."""
    here = versions()
    same = all(here.get(name) == version for name, version in record["versions"].items() if name != "jax")
    return same and record["proofs"][row.spec]["texts"] == row.texts


def test_a_record_of_another_text_or_version_does_not_count() -> None:
    record, row = read(), BY_SPEC["lenet5"]
    record["versions"] = versions()
    assert _is_on_record(record, row)
    assert row.texts not in {BY_SPEC["mlp"].texts, replace(row, full_batch=3).texts}
    assert not _is_on_record({**record, "versions": dict.fromkeys(record["versions"], "1.0")}, row)
    record["proofs"]["lenet5"]["texts"] = BY_SPEC["mlp"].texts
    assert not _is_on_record(record, row)


LARGE = 2 << 20
"""2 GiB; a network takes up to 6."""


@pytest.fixture(scope="module")
def apart() -> Iterator[Apart]:
    """The process for this module."""
    process = Apart()
    yield process
    process.end()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BY_SPEC))
def test_backends_are_equal_at_full_size_in_float32(name: str, apart: Apart) -> None:
    """Measured where the record is of other texts or versions: all 70 networks take half an hour of processor time."""
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    record, row = read(), BY_SPEC[name]
    if _is_on_record(record, row):
        assert record["proofs"][name]["float32"] <= TOLERANCES["float32"].forward
        return
    found = apart.in_float32(name)
    assert found.ok, found.first_difference
    assert found.tolerance == 1e-4


@pytest.mark.parametrize(
    "reading", [{}, {"chained": True}, {"chained": True, "reset": "after"}, {"classes": 12, "first": "width"}]
)
@pytest.mark.parametrize("name", WRITERS)
def test_a_network_that_sweeps_an_image_is_short(name: str, reading: dict[str, Any]) -> None:
    """With each step of each sweep as a layer, it would have thousands."""
    text = netspec.compile(netspec.load("zoo:reseg_camvid", **reading), name)
    assert len(text.splitlines()) < 150


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.spec)
def test_the_proof_on_record_is_of_the_network_as_it_is(row: Row) -> None:
    proof = read()["proofs"][row.spec]
    assert proof["digest"] == row.digest, f"the network has changed: `python docs/proofs.py {row.spec}`"
    double, single = TOLERANCES["float64"], TOLERANCES["float32"]
    assert list(proof["outputs"]) == [
        f"{one} – {other}" for one, other in combinations((*BACKENDS, ORACLE), 2)
    ]
    assert max(proof["outputs"].values()) <= double.forward
    assert double.gradients is not None
    assert proof["gradients"] <= double.gradients
    assert double.steps is not None
    assert proof["steps"] <= double.steps
    assert proof["float32"] <= single.forward
    others = {name: value for name, value in proof.items() if name in having(Runs)}
    assert all(isinstance(value, float) and value <= single.forward for value in others.values())
    if on_jax := proof.get("jax"):
        assert on_jax["outputs"] <= double.forward
        assert on_jax["gradients"] <= double.gradients
        assert on_jax["steps"] <= double.steps


def test_every_proof_on_record_is_complete() -> None:
    assert len({tuple(proof) for proof in read()["proofs"].values()}) == 1, "`python docs/proofs.py` goes on"


def test_nothing_is_on_record_that_is_not_in_the_zoo() -> None:
    assert sorted(read()["proofs"]) == sorted(zoo())


@pytest.mark.parametrize(
    ("name", "params", "count"),
    [
        ("char_rnn", {"layers": 1, "drop": 0.5}, 107_713),
        ("char_rnn", {"layers": 2, "drop": 0.5}, 239_297),
        ("wavenet", {"stacks": 1, "depth": 1}, 432_480),
        ("bit_memory", {"delay": 0}, 29),
    ],
)
def test_the_least_of_what_a_parameter_counts_is_a_network_too(
    name: str, params: dict[str, float], count: int
) -> None:
    graph, found = check_file(zoo()[name], params)
    assert graph is not None, found
    assert [each.severity for each in found if each.severity == "error"] == []
    assert sum(prod(weight.shape) for weight in graph.weights) == count
