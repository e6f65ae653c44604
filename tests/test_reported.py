"""Specs from reports on which netspec was wrong, silent or misleading; each file says what is right.

Where the report is about data, a file of weights or a training, the test lies with its siblings: channels last, labels
from 1 and sequences in training/test_advice.py, probabilities within the network in training/test_match.py, depthwise
layers that fade in test_fans.py, a model's own `state_dict` and bfloat16 in weights/.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netspec.analysis import analyze
from netspec.backend import Builds, Learns, backend
from netspec.check import check_file
from netspec.diagnostics.render import as_text
from netspec.graph import Graph
from netspec.proof.comparison import compare
from netspec.proof.conditions import start
from netspec.writing.spec import write_spec
from tests.having import ready
from tests.mutate.trial import check_place

FILES = {path.stem: path for path in sorted((Path(__file__).parent / "reported").glob("*.yaml"))}
COMPARED = {
    "add_at_batch_1",
    "c_lrn_permute",
    "compare_false_alarm",
    "compare_float32_abort",
    "input_called_i",
    "keras_saved_avg_pool",
    "max_pool_in_block",
    "nearest_by_41",
    "output_padding_below_dilation",
    "permute_then_lrn_3d",
    "reshape_written_again",
    "share_nested_blocks",
    "share_pool_pads",
    "share_two_sizes",
}
REFUSED = {
    "bigint20": ("NS0315", "height of the output of `upsample` is 295,147,905,179,352,825,824"),
    "c1_empty_keyword": ("NS0106", "without a name"),
    "c2b_normalise": ("NS0502", "not a mapping"),
    "param_double": ("NS0104", "`a12` has more than 10,000 values"),
    "reorg_hint": ("NS0105", "`space_to_depth: {block: 2, order: darknet}`"),
    "sigmoid_then_flatten": ("NS0509", "take `activation: sigmoid` out of `conv1`"),
    "span_end_before_start": ("NS0104", "`factor` takes a whole number"),
}
SHAPES = {
    "adaptive_pool_hint": "8@7×7",
    "expect_beside_cut": "64",
    "maxpool_pad": "3@33×33",
    "output_padding_below_dilation": "2@13",
    "share_two_sizes": "4",
}
FIELDS = {"rf_pool_then_upsample": (2,), "rf_unet_one_level": (8,)}
PARAMS = {"share_nested_blocks": 20, "grouped_fans": 40}


def held(name: str) -> Graph:
    """The network of a file that holds; `[1, 1, 2, 2]` may mean a batch, of which a warning is right."""
    graph, diagnostics = check_file(FILES[name])
    assert {each.code.id for each in diagnostics} <= {"NS0126"}, as_text(diagnostics)
    assert graph is not None
    return graph


def test_every_file_has_a_test() -> None:
    assert set(FILES) == COMPARED.union(REFUSED, SHAPES, FIELDS, PARAMS)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_said_where_it_stands(name: str) -> None:
    code, words = REFUSED[name]
    _, diagnostics = check_file(FILES[name])
    assert diagnostics[0].code.id == code
    assert words in as_text(diagnostics)
    lines = FILES[name].read_text(encoding="utf-8").split("\n")
    for each in diagnostics:
        check_place(each, lines)


@pytest.mark.parametrize("name", SHAPES)
def test_sizes_are_right(name: str) -> None:
    graph = held(name)
    assert {str(graph.types[each.value]) for each in graph.outputs} == {SHAPES[name]}


@pytest.mark.parametrize("name", PARAMS)
def test_parameters_are_counted_once(name: str) -> None:
    graph = held(name)
    assert analyze(graph).totals.params == PARAMS[name]
    for each in ready(Builds):
        builder = backend(each)
        assert isinstance(builder, Builds)
        weights = start(graph, 1, "float32")
        back = builder.weights(builder.build(graph, weights, device="cpu"), graph)
        assert sum(array.size for array in back.values()) == PARAMS[name]
        assert all(np.array_equal(array, weights[weight]) for weight, array in back.items())


@pytest.mark.parametrize("name", FIELDS)
def test_the_receptive_field_is_what_one_position_sees(name: str) -> None:
    last = analyze(held(name)).layers[-1]
    assert (last.receptive_field, last.receptive_field_min) == (FIELDS[name], FIELDS[name])


@pytest.mark.parametrize("name", sorted(COMPARED))
def test_backends_are_equal_at_every_batch_size(name: str) -> None:
    found = compare(held(name), ready(Learns, count=2), batch=2, sizes=(1, 3, 4), steps=2)
    assert found.ok, found.failures


def test_what_convert_writes_reads_as_the_same(tmp_path: Path) -> None:
    (tmp_path / "again.yaml").write_text(write_spec(held("reshape_written_again"), "again"), encoding="utf-8")
    assert "  - reshape: {shape: [3, 3]}\n" in (tmp_path / "again.yaml").read_text(encoding="utf-8")
    graph, diagnostics = check_file(tmp_path / "again.yaml")
    assert not diagnostics, as_text(diagnostics)
    assert graph is not None
    assert graph.types[graph.outputs[0].value].shape == (3, 3)
