"""`netspec ops`: all that the classes say, in words and as JSON, and every example that it gives is accepted."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from netspec.ops import FAMILIES, OPS, members
from netspec.ops.description import describe, example, in_yaml, kinds, words
from netspec_cli.main import app
from tests.cases import CASES

RUN = CliRunner()


def test_the_catalogue_has_every_op_under_its_family() -> None:
    lines = RUN.invoke(app, ["ops"]).stdout.splitlines()
    for family in FAMILIES:
        start = lines.index(family)
        told = [line.split()[0] for line in lines[start + 1 : start + 1 + len(members(family))]]
        assert told == [op.keyword for op in members(family)]


@pytest.mark.parametrize("keyword", OPS)
def test_one_op_tells_its_fields_its_weights_and_what_it_takes(keyword: str) -> None:
    done = RUN.invoke(app, ["ops", keyword])
    assert done.exit_code == 0
    told = describe(keyword)
    assert all(f"\n  {field.name}" in done.stdout for field in told.fields)
    assert all(f" {weight.name} " in done.stdout for weight in told.weights)
    assert told.takes
    assert not set(OPS[keyword].resolved_only) & {field.name for field in told.fields}


@pytest.mark.parametrize("keyword", OPS)
def test_every_field_says_what_it_is_for(keyword: str) -> None:
    assert all(field.doc and field.words for field in describe(keyword).fields), keyword


def test_json_is_the_same_as_data() -> None:
    one = json.loads(RUN.invoke(app, ["ops", "conv", "--format", "json"]).stdout)
    assert one.pop("netspec") == 1
    assert one["fields"][0] == {**one["fields"][0], "name": "kernel", "required": True, "default": None}
    assert [each["axes"] for each in one["weights"]] == ["OIDHW", "O"]
    whole = json.loads(RUN.invoke(app, ["ops", "--format", "json"]).stdout)
    assert [op["op"] for family in whole["families"] for op in family["ops"]] == list(
        dict.fromkeys(op.keyword for op in OPS.values())
    )
    assert one in [op for family in whole["families"] for op in family["ops"]]


def test_an_op_takes_every_kind_of_input_of_its_rows() -> None:
    for case in CASES:
        rank = len(case.inputs[0]) - 1 if case.inputs else None
        if rank is not None:
            kind = "indices" if case.vocabulary is not None else f"{rank}-D" if rank else "a vector"
            assert kind in describe(case.keyword).takes, case.name


TAKES = {
    "conv": "a map with 1, 2 or 3 spatial axes",
    "permute": "a vector, or a map with 1, 2 or 3 spatial axes",
    "reshape": "a vector, or a map with 1, 2 or 3 spatial axes",
    "dense": "a vector, or a map with 1, 2 or 3 spatial axes",
    "add": "branches, each a vector, or a map with 1, 2 or 3 spatial axes",
    "identity": "a vector, or a map with 1, 2 or 3 spatial axes, or indices",
}


@pytest.mark.parametrize(("keyword", "told"), TAKES.items())
def test_what_an_op_takes(keyword: str, told: str) -> None:
    assert f"takes    {told}\n" in RUN.invoke(app, ["ops", keyword]).stdout


def test_an_unknown_op_names_the_nearest() -> None:
    done = RUN.invoke(app, ["ops", "max_pol"])
    assert done.exit_code == 2
    assert "`max_pool`" in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "integer"}, "a whole number"),
        ({"type": "integer", "minimum": 1}, "a whole number from 1"),
        ({"type": "integer", "minimum": 1, "maximum": 3}, "a whole number from 1 to 3"),
        ({"type": "number", "exclusiveMinimum": 0}, "a number above 0"),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "a number from 0, below 1"),
        ({"enum": ["a", "b", "c"]}, "`a`, `b` or `c`"),
        ({"const": 1}, "`1`"),
        ({"type": "boolean"}, "`true` or `false`"),
        ({"anyOf": [{"type": "boolean"}, {"type": "string"}]}, "`true` or `false` or a word"),
        ({"type": "array", "items": {"type": "number"}}, "a list, each element a number"),
        ({"description": "as it says", "type": "integer"}, "as it says"),
    ],
)
def test_a_schema_in_words(schema: dict[str, object], told: str) -> None:
    assert words(schema) == told


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "true"),
        (1e-5, "1e-5"),
        (0.9, "0.9"),
        ((2,), "2"),
        ((2, 3), "[2, 3]"),
        ("same", "same"),
    ],
)
def test_a_value_as_an_author_writes_it(value: object, text: str) -> None:
    assert in_yaml(value) == text


def test_kinds_of_input_in_words() -> None:
    assert kinds(("a vector", "1-D", "2-D")) == "a vector, or a map with 1 or 2 spatial axes"
    assert kinds(("1-D",)) == "a map with 1 spatial axis"
    assert kinds(("a vector", "1-D", "indices")) == "a vector, or a map with 1 spatial axis, or indices"
    assert kinds(("a vector",)) == "a vector"


@pytest.mark.parametrize("keyword", OPS)
def test_the_op_takes_what_its_schema_calls_an_example(keyword: str) -> None:
    for field in describe(keyword).fields:
        fields = {each.name: example(each.schema) for each in describe(keyword).fields if each.required}
        if field.name not in OPS[keyword].likes:  # the name of a layer, which only a network has
            OPS[keyword].model_validate({**fields, field.name: example(field.schema)})
