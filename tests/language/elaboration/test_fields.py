"""Every field of every op may be an expression: the layer is the same as with the value itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from netspec.check import check_text
from netspec.diagnostics.render import as_text
from netspec.writing.spec import write_spec
from tests.cases import CASES, Case
from tests.rereading import differences

ROWS = {(case.keyword, *sorted(case.fields)): case for case in reversed(CASES)}
"""For every set of fields that the table has together, one row."""


@pytest.mark.parametrize("case", [pytest.param(case, id="-".join(key)) for key, case in ROWS.items()])
def test_each_field_may_come_from_a_parameter(case: Case) -> None:
    graph = case.graph()
    for field, text in _with_one_parameter(write_spec(graph, graph.name), case.keyword):
        found, diagnostics = check_text(text, "given.yaml")
        assert found is not None, f"{field}: {as_text(diagnostics, {'given.yaml': text})}"
        assert not differences(graph, found), text


def _with_one_parameter(text: str, keyword: str) -> Iterator[tuple[str, str]]:
    """The spec with one value of the op, each in turn, as the value of a parameter, which cannot be a mapping."""
    for number, _ in enumerate(_values(_fields(yaml.safe_load(text), keyword))):
        spec = yaml.safe_load(text)
        holder, key = list(_values(_fields(spec, keyword)))[number]
        spec["params"] = {"given": holder[key]}
        holder[key] = "$given"
        yield key, yaml.safe_dump(spec, sort_keys=False)


def _values(fields: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The mapping and the key of each value that is no mapping itself."""
    for key, value in fields.items():
        if isinstance(value, dict):
            yield from _values(value)
        else:
            yield fields, key


def _fields(spec: Any, keyword: str) -> dict[str, Any]:
    """The fields of the first layer of an op, as they are in the spec."""
    items = [item for item in spec["layers"] if isinstance(item, dict) and keyword in item]
    fields = items[0][keyword] if items else None
    return fields if isinstance(fields, dict) else {}
