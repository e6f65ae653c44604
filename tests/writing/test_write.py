"""What `convert` writes reads back as the same network: every op, every structure, every spec of the zoo."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from netspec.diagnostics import Problems
from netspec.language.reading.locations import zoo
from netspec.language.reading.source import read
from netspec.language.reading.values import plain
from netspec.loading import load
from netspec.passes import cut
from netspec.schema import schema
from netspec.writing.emit import emit
from tests.cases import CASES
from tests.language.author import graph_of
from tests.rereading import differences, reread
from tests.structures import STRUCTURES, structure


def test_every_case_reads_back_as_it_was_and_the_schema_takes_it() -> None:
    whole = schema()
    items = Draft202012Validator({"$ref": "#/$defs/item", "$defs": whole["$defs"]})
    for case in CASES:
        graph = case.graph()
        again, text = reread(graph)
        assert differences(graph, again) == [], text
        read_again: Any = read(text, "written.yaml", Problems())
        # Only the layer of the case: those around it are the same in many rows.
        value: Any = plain(read_again)
        for layer in value["layers"]:
            if case.keyword in layer:
                assert [error.message for error in items.iter_errors(layer)] == [], text


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_structure_reads_back_as_it_was(name: str) -> None:
    graph = structure(name)
    again, text = reread(graph)
    assert differences(graph, again) == [], text


@pytest.mark.parametrize("name", zoo())
def test_every_spec_of_the_zoo_reads_back_as_it_was(name: str) -> None:
    graph = load(f"zoo:{name}")
    again, text = reread(graph)
    assert differences(graph, again) == [], text


def test_a_difference_is_seen() -> None:
    graph = graph_of("layers: [{dense: {units: 4, activation: relu}}, {add: , from: [dense1, input]}]")
    for text in (
        "layers: [{dense: 4}, {add: , from: [dense1, input]}]",
        "layers: [{dense: {units: 4, activation: relu}}, {add: , from: [input, dense1]}]",
        "layers: [{dense: {units: 4, activation: relu, init: zeros}}, {add: , from: [dense1, input]}]",
        "layers: [{dense: {units: 4, activation: relu}, trainable: false}, {add: , from: [dense1, input]}]",
        "layers: [{dense: {units: 4, activation: relu}}, {add: , from: [dense1, input]}]\nheads: {h: {layers: []}}",
    ):
        assert differences(graph, graph_of(text)), text


SMALL = {
    "sizes that are equal": "layers: [flatten, {reshape: [16, 16]}, relu]",
    "sizes that are all 1": "layers: [{global_avg_pool: }, {dense: 1}, {reshape: [1, 1, 1]}, {tanh: }]",
    "one size": "layers: [{reshape: [256]}, {reshape: -1}]",
    "pads that differ": "layers: [{pad: [[1, 2], [1, 2]]}, {crop: [[2, 1], [2, 1]]}, {pad: 1}, {pad: [1, 2]}]",
    "a kernel as long": "layers: [{conv: {filters: 2, kernel: [3, 3], stride: [2, 2], padding: [[1, 1], [1, 1]]}}]",
    "a table": "layers: [{conv: {filters: 2, kernel: 1, table: [[0], [0]]}}]",
    "a table of pairs": "layers: [{conv: {filters: 2, kernel: 1, table: [[0, 1], [0, 1]]}}]",
    "an activation with a setting": "layers: [{conv: {filters: 2, kernel: 1, activation: {leaky_relu: 1}}}]",
    "a start with settings": "layers: [{conv: {filters: 2, kernel: 1, init: {normal: {std: 2, mean: -0.5}}}}]",
    "an axis": "layers: [{concat: {axis: height, branches: [[], []]}}, {permute: [width, channels, height]}]",
    "floats": "layers: [{leaky_relu: 1e-7}, {scale_by: 1e16}, {dropout: 0.1}, {batch_norm: {epsilon: 1e-30}}]",
    "a pool that rounds up": "layers: [{max_pool: {kernel: 3, stride: 2, padding: [[0, 1], [1, 0]], rounding: ceil}}]",
    "an end that is not last": "layers: [{tanh: , name: a}, relu, {layers: [], from: a}]\n"
    "heads: {h: {from: relu1, layers: []}}",
    "an end that is the input": "layers: [{tanh: , name: a}, {layers: [], from: input}]\n"
    "heads: {h: {from: a, layers: [relu]}}",
    "heads only": "layers: [{tanh: , name: a}, relu]\nheads: {h: {layers: [tanh]}, i: {from: a, layers: [relu]}}",
    "one head at the end": "layers: [{tanh: , name: a}]\nheads: {h: {layers: []}}",
    "names that are words": "layers: [{relu: , name: True}, {relu: , name: null}, {add: , from: [True, null, FALSE]}]",
    "names of heads": "layers: [{relu: , name: a}]\n"
    "heads: {True: {from: a, layers: [tanh]}, Null: {from: a, layers: []}}",
    "sharing": "layers: [{dense: 4, name: TRUE}, {dense: 4, share: TRUE, name: x}, {dense: 4, share: x}]",
    "long paths": "layers: [{name: " + "a" * 50 + ", layers: [{name: " + "b" * 50 + ", layers: [{relu: , name: c}]}]}, "
    "{name: " + "a" * 49 + "_, layers: [{name: " + "b" * 50 + ", layers: [{tanh: , name: c}]}]}, "
    "{add: , from: [" + ".".join(["a" * 50, "b" * 50, "c"]) + ", " + ".".join(["a" * 49 + "_", "b" * 50, "c"]) + "]}]",
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_what_can_be_shortened_reads_back_as_it_was(name: str) -> None:
    text = SMALL[name]
    if "words" in name:
        text = text.replace("name: True", 'name: "True"').replace("name: null", 'name: "null"')
        text = text.replace("[True, null, FALSE]", '["True", "null"]')
    text = text.replace("{True: {from", '{"True": {from').replace(", Null:", ', "Null":')
    graph = graph_of(text.replace("name: TRUE", 'name: "TRUE"').replace("share: TRUE", 'share: "TRUE"'))
    again, written = reread(graph)
    assert differences(graph, again) == [], written


def test_an_end_that_a_head_gives_too_is_written_with_a_layer_between() -> None:
    graph = graph_of("layers: [{tanh: , name: a}, relu]\nheads: {h: {from: a, layers: []}}")
    both = replace(graph, outputs=tuple(replace(each, value="a") for each in graph.outputs))
    again, written = reread(cut(both, "a"))
    assert differences(cut(both, "a"), again) == [], written
    again, written = reread(both)
    assert differences(both, again) == [], written


@pytest.mark.parametrize(
    "inputs", ["{True: [4], x: [4]}", "{x: {shape: [5], vocabulary: 7}}", "{only: [4, 2, 2]}"]
)
def test_inputs_read_back_as_they_were(inputs: str) -> None:
    inputs = inputs.replace("True", '"True"')
    first = inputs[1:].partition(":")[0]
    item = f"add: , from: [{first}, x]" if "x: [4]" in inputs else f"identity: , from: {first}"
    graph = graph_of(f"netspec: 1\nname: 'null'\ninputs: {inputs}\nlayers: [{{{item}}}]")
    again, written = reread(graph)
    assert differences(graph, again) == [], written


DESCRIPTIONS = [
    *("two\nlines", "a\ttab", "a bell \x07", "\x00", "\u2028 and \u2029", "\x85", "\r\n", "it's", '"', "\\", "\\x41"),
    *("7", "true", "~", "a: b", "a #b", "- a", "[a", "{a}", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", " a ", "a "),
    *("…", "名前", "\U0001f600", "e\u0301", "\u200b", "\ufeff", "\x7f", "\xa0", "a" * 5000, "1e5", ".5", "a:"),
]  # fmt: skip


@pytest.mark.parametrize("description", DESCRIPTIONS, ids=ascii)
def test_a_description_reads_back_as_it_was(description: str) -> None:
    graph = replace(graph_of("layers: [relu]"), description=description)
    again, written = reread(graph)
    assert again.description == description, written


def test_plain_data_reads_back_as_it_was() -> None:
    draw = random.Random(5)
    signs = "ab1.-_:#,[]{}'\"\\ \t\n\r\x00\x07\x85\xa0\u2028é名\U0001f600&*!|>%@`~?$"

    def some(depth: int) -> object:
        kind = draw.randrange(8 if depth else 6)
        if kind == 6:
            return [some(depth - 1) for _ in range(draw.randrange(4))]
        if kind == 7:
            return {text(): some(depth - 1) for _ in range(draw.randrange(4))}
        return [
            text(),
            draw.randrange(-99, 99),
            draw.random() * 10 ** draw.randrange(-20, 20),
            True,
            None,
            text(),
        ][kind]

    def text() -> str:
        return draw.choice(["true", "no", "1e5", "012", ".inf", ""]) if draw.random() < 0.2 else "".join(
            draw.choice(signs) for _ in range(draw.randrange(1, 8))
        )  # fmt: skip

    for _ in range(2000):
        data = {"data": some(3)}
        problems = Problems()
        value = read(f"data: {emit(data['data'])}\n", "data.yaml", problems)
        assert value is not None, (data, list(problems))
        assert plain(value) == data, emit(data)
        assert not problems.found, (data, list(problems))


def test_names_of_the_author_are_kept() -> None:
    """Also `conv1`, for which unnamed layers step aside, and the name that a layer has in common with its head."""
    graph = graph_of(
        "layers: [{conv: {filters: 2, kernel: 1}}, {conv: {filters: 2, kernel: 1}, name: conv1}, "
        "{add: , from: [conv1, conv2]}, {tanh: , name: last}]\nheads: {conv1: conv1, last: last}"
    )
    again, text = reread(graph)
    assert differences(graph, again) == [], text
    assert [node.name for node in again.nodes] == ["conv2", "conv1", "add1", "last"]
    assert [each.name for each in again.outputs] == ["conv1", "last"]
