"""The JSON schema that editors get: it takes every spec that there is, and refuses what no spec may hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from docs.generate import DOCS
from netspec.diagnostics import Problems
from netspec.language.reading.source import plain, read, read_file
from netspec.ops import OPS
from netspec.schema import schema
from netspec_cli.main import app

ROOT = Path(__file__).parents[1]
VALIDATOR = Draft202012Validator(schema())
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))

HEAD = "netspec: 1\nname: n\ninput: [3, 8, 8]\n"

RIGHT = {
    "several inputs": "netspec: 1\nname: n\ninputs: {a: [3], b: {shape: [20], vocabulary: 80}}\nlayers: [relu]",
    "a null behind an op": HEAD + "layers:\n  - relu:\n    name: a",
    "a plain main field": HEAD + "layers: [dense: 10, dropout: 0.5, max_pool: [2, 2], softmax: 2]",
    "expressions": HEAD
    + "params: {k: 3}\nlayers: [conv: {filters: $k, kernel: ['${k}', 3], bias: '${k > 2}'}]",
    "open sizes": "netspec: 1\nname: n\ninput: [3, H, W]\nlayers: [relu]",
    "branches": HEAD + "layers:\n  - add:\n    - []\n    - [relu, {conv: {filters: 3, kernel: 1}}]",
    "named branches": HEAD + "layers: [{concat: {branches: [[], [relu]], axis: channels}}]",
    "from": HEAD + "layers:\n  - relu: \n    name: a\n  - add:\n    from: [input, a]",
    "when and else": HEAD + "layers:\n  - relu:\n    when: ${in.channels > 2}\n    else: [tanh]",
    "a group": HEAD + "layers:\n  - layers: [relu, tanh]\n    repeat: 3",
    "a call of a block": HEAD
    + "blocks: {b: {params: {f: }, layers: [dense: $f]}}\nlayers: [b: 3, {b: {f: 4}}, b]",
    "a network": HEAD
    + "layers: [{network: {spec: 'zoo:lenet5', until: c1, params: {classes: 3}}}, network: a.yaml]",
    "paddings": HEAD
    + "layers: [conv: {filters: 1, kernel: 3, padding: [[0, 1], [2, 2]]}, max_pool: {kernel: 2, padding: 1}]",
    "initialisers": HEAD + "layers: [dense: {units: 1, init: he_normal, bias_init: {constant: 0.5}}]",
    "settings of one": HEAD + "layers: [dense: {units: 1, init: {normal: {std: 0.1, mean: 0}}}]",
    "an activation with fields": HEAD + "layers: [dense: {units: 1, activation: {leaky_relu: 0.2}}]",
    "defaults": HEAD + "defaults: {conv: {kernel: 3}}\nlayers: [conv: {filters: 1}]",
    "heads": HEAD + "layers: [relu]\nheads: {a: {from: relu1, layers: [flatten]}, b: {layers: [flatten]}}",
    "expect": HEAD
    + "layers: [relu]\nexpect: {output: {a: [3]}, params: 1, max_macs: 4.0G, layers: {a.b: [3, 1]}}",
    "a recipe": HEAD
    + "layers: [relu]\ntrain: {epochs: 3, optimizer: {sgd: {momentum: 0.9}}, metrics: accuracy}",
    "a bare optimiser": HEAD + "layers: [relu]\ntrain: {optimizer: adam, normalise: {mean: 0.5, std: [0.2]}}",
    "a branch that is a name": HEAD + "layers: [add: [input, [relu], $skip]]",
    "a carry": HEAD
    + "blocks: {b: {inputs: [x, h], outputs: [y, p.indices], layers: [relu]}}\n"
    + "layers: [{b: , from: [a, b], repeat: 2, carry: {h: indices}}]",
    "heads that are layers": HEAD + "layers: [relu]\nheads: {a: a, b: b.c.0, c: {from: a, layers: []}}",
    "an activation by parameter": HEAD
    + "layers: [activation: $act, activation: {leaky_relu: 0.2}, activation: {function: {elu: 1}}]",
    "sizes of layers": HEAD
    + "layers: [{pad: {like: a}}, {upsample: {size: '${a.height}'}}, {crop: {like: a.0}}]",
    "a table in a table": HEAD + "params: {rows: [[[1, 2], 3], [4, [5]]]}\nlayers: [relu]",
    "a file of blocks": "netspec: 1\nblocks: {include: [a.yaml], b: {inputs: [x, y], layers: [relu]}}",
}

WRONG = {
    "no version": "name: n\ninput: [3]\nlayers: [relu]",
    "another version": "netspec: 2\nname: n\ninput: [3]\nlayers: [relu]",
    "no layers": "netspec: 1\nname: n\ninput: [3]",
    "no input": "netspec: 1\nname: n\nlayers: [relu]",
    "two kinds of input": "netspec: 1\nname: n\ninput: [3]\ninputs: {a: [3]}\nlayers: [relu]",
    "an unknown key": HEAD + "layer: [relu]\nlayers: [relu]",
    "a name that is none": "netspec: 1\nname: a b\ninput: [3]\nlayers: [relu]",
    "a size of 0": "netspec: 1\nname: n\ninput: [0, 3]\nlayers: [relu]",
    "five axes": "netspec: 1\nname: n\ninput: [1, 2, 3, 4, 5]\nlayers: [relu]",
    "an unknown field": HEAD + "layers: [conv: {filters: 1, kernels: 3}]",
    "no filters at all": HEAD + "layers: [conv: {filters: 0, kernel: 3}]",
    "a boolean for a number": HEAD + "layers: [dense: true]",
    "a float for a count": HEAD + "layers: [dense: 1.5]",
    "a number for a boolean": HEAD + "layers: [dense: {units: 1, bias: 1}]",
    "an unknown padding": HEAD + "layers: [conv: {filters: 1, kernel: 3, padding: sane}]",
    "an unknown initialiser": HEAD + "layers: [dense: {units: 1, init: he}]",
    "an unknown setting of one": HEAD + "layers: [dense: {units: 1, init: {normal: {sd: 0.1}}}]",
    "an unknown activation": HEAD + "layers: [dense: {units: 1, activation: rely}]",
    "a field that is resolved": HEAD + "layers: [max_pool: {kernel: 2, overhang: [1, 1]}]",
    "a plain value without a main field": HEAD + "layers: [batch_norm: 0.9]",
    "two ops in an item": HEAD + "layers: [{relu: , tanh: }]",
    "an item without an op": HEAD + "layers: [{name: a, repeat: 2}]",
    "carry without repeat": HEAD + "layers: [{max_unpool: , from: [a, b], carry: {indices: indices}}]",
    "a carry that is a word": HEAD + "layers: [{max_unpool: , from: [a, b], repeat: 2, carry: indices}]",
    "a head that is a list": HEAD + "layers: [relu]\nheads: {a: [relu]}",
    "else without when": HEAD + "layers: [{relu: , else: [tanh]}]",
    "a branch that is no list": HEAD + "layers: [add: [3, [tanh]]]",
    "branches of what does not merge": HEAD + "layers: [relu: {branches: [[], []]}]",
    "an unknown default": HEAD + "defaults: {con: {kernel: 3}}\nlayers: [relu]",
    "a rate of 1": HEAD + "layers: [dropout: 1]",
    "a block without layers": HEAD + "blocks: {b: {params: {f: }}}\nlayers: [relu]",
    "an unknown expectation": HEAD + "layers: [relu]\nexpect: {outputs: [3]}",
    "an unknown setting of a recipe": HEAD + "layers: [relu]\ntrain: {epoch: 3}",
    "an unknown optimiser": HEAD + "layers: [relu]\ntrain: {optimizer: sdg}",
    "a file of blocks with inputs": "netspec: 1\ninput: [3]\nblocks: {b: {layers: [relu]}}",
    "a network without a spec": HEAD + "layers: [network: {until: a}]",
}


def value_of(text: str) -> Any:
    """The text as netspec reads it."""
    problems = Problems()
    value = read(text, "case.yaml", problems)
    assert value is not None, [each.message for each in problems]
    return plain(value)


def test_is_a_schema_of_its_dialect_and_plain_json() -> None:
    made = schema()
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(made)
    assert json.loads(json.dumps(made)) == made


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_takes_every_spec_of_the_zoo(path: Path) -> None:
    value = read_file(path, Problems())
    assert value is not None
    assert [error.message for error in VALIDATOR.iter_errors(plain(value))] == []


def test_takes_every_example_of_the_language() -> None:
    from tests.docs.test_language import EXAMPLES

    for text in EXAMPLES:
        assert [error.message for error in VALIDATOR.iter_errors(value_of(text))] == [], text
    assert (DOCS / "language.md").exists()


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_takes(text: str) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(value_of(text))] == []


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_refuses(text: str) -> None:
    assert not VALIDATOR.is_valid(value_of(text))


def test_every_op_is_offered_with_its_doc() -> None:
    call = schema()["$defs"]["call"]["properties"]
    assert set(OPS) < set(call)
    assert all(schema()["$defs"][keyword]["description"] for keyword in OPS)


def test_the_command_writes_it(tmp_path: Path) -> None:
    out = tmp_path / "netspec.schema.json"
    done = CliRunner().invoke(app, ["schema", "-o", str(out)])
    assert done.exit_code == 0
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written.pop("$comment").startswith("Written by netspec ")
    assert written == schema()
    assert CliRunner().invoke(app, ["schema"]).stdout == out.read_text(encoding="utf-8")


def test_a_place_that_cannot_be_written_is_a_plain_message(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["schema", "-o", str(tmp_path)])
    assert done.exit_code == 2
    assert "cannot write" in done.stderr
