"""Expressions that ask for sizes of layers, for the number of an outer repeat, and for the calls of a block so far."""

from __future__ import annotations

import pytest

from tests.language.author import graph_of, hold_refusals, told, types_of, wires_of

TRUNK = """
blocks:
  pair: {outputs: [y, half], layers: [{max_pool: 2, name: half}, {upsample: 2, name: y}]}
layers:
  - {conv: {filters: 6, kernel: [3, 5]}, name: skip}
  - {layers: [{dense: 7, name: inner}], name: trunk}
  - {max_pool: 2, repeat: 2, name: stage}
  - {pair: , from: input, name: p}
  - {conv: {filters: 1, kernel: 1}, from: input, name: conv1}
"""

MEASURES = {
    "skip.channels": 6,
    "skip.height": 6,
    "skip.width": 4,
    "2 * skip.width + in.channels": 9,
    "trunk.channels": 7,
    "trunk.inner.channels": 7,
    "stage.height": 1,
    "stage.0.height": 3,
    "stage.0.height * stage.1.width": 3,
    "p.half.height": 4,
    "p.output.height": 8,
    "input.channels": 4,
    "conv1.channels": 1,
    "max(skip.width, trunk.height)": 6,
    "skip.width if trunk.width > 3 else 0": 4,
}


@pytest.mark.parametrize(("expression", "value"), MEASURES.items())
def test_an_expression_measures_any_earlier_layer(expression: str, value: int) -> None:
    # The current tensor is `conv1`, with one channel.
    graph = graph_of(
        f'{TRUNK}  - {{dense: "${{{expression}}}", name: last}}\n  - {{concat: [[global_avg_pool], {ENDS}]}}'
    )
    assert types_of(graph)["last"] == f"{value}@8×8"


ENDS = "[{global_avg_pool: , from: stage}], [{global_avg_pool: , from: p}]"


def test_layers_can_be_measured_wherever_an_item_calculates() -> None:
    graph = graph_of(
        """
        blocks:
          fit:
            inputs: [x, skip]
            params: {filters: "${skip.channels}", mid: "${in.channels + block.in.channels}"}
            layers:
              - {dense: $mid, from: x}
              - {dense: $filters, when: "${skip.channels == filters}", repeat: "${x.channels // 2}"}
              - {upsample: {size: ["${skip.height}", "${skip.width}"]}}
        layers:
          - {dense: 5, name: skip}
          - {max_pool: 2, name: low}
          - {fit: , from: [low, skip]}
        """
    )
    types = types_of(graph)
    assert types["fit1.dense1"] == "10@4×4"
    assert types["fit1.upsample1"] == "5@8×8"
    assert "fit1.dense2.1" in types


WRONG = [
    ("${«skp.height»}", "NS0109", "did you mean `skip`?"),
    ("${«last.height»}", "NS0110", "only earlier layers can be used"),
    ("${«skip.depth»}", "NS0213", "`skip` has no `depth` here: it is 6@6×4"),
    ("${«stage.*.height»}", "NS0201", ""),
    ("${«stage.2.height»}", "NS0109", "it contains 0, 1"),
    ("${«trunk.skip.height»}", "NS0109", "`trunk` does not contain `skip`"),
    ("${«width.height»}", "NS0205", "`width` is a parameter"),
    ("${«skip.shape»}", "NS0205", "only tensors have attributes"),
    ("${«skip» + 1}", "NS0203", "is not a parameter here"),
    ("${«stage.index» + 1}", "NS0214", "no `repeat` around this item is called `stage`"),
    ("${«skip.count» + 1}", "NS0214", "no block is called `skip`"),
]


@pytest.mark.parametrize(("expression", "code", "words"), WRONG)
def test_what_cannot_be_measured_is_refused(expression: str, code: str, words: str) -> None:
    item = f'{{dense: "{expression}", name: last}}'
    if code in ("NS0201", "NS0203", "NS0205") and "width" not in expression:
        plain = expression.replace("«", "").replace("»", "")
        codes = [each.code.id for each in told(f'{TRUNK}  - {{dense: "{plain}", name: last}}')]
        assert code in codes
        return
    hold_refusals(f"params: {{width: 3}}{TRUNK}  - {item}", (code, words))


def test_a_place_without_layers_says_so() -> None:
    for text in (
        'params: {n: "${«skip.channels»}"}\nlayers: [{dense: 3, name: skip}, {dense: $n}]',
        'defaults: {dense: {units: "${«skip.channels»}"}}\n'
        "layers: [{conv: {filters: 3, kernel: 1}, name: skip}, dense]",
    ):
        hold_refusals(text, ("NS0214", "only the items of a network or a block can use its layers"))


def test_a_broken_layer_is_reported_once() -> None:
    hold_refusals(
        'layers: [{conv: {filters: 3, kernel: «99»}, name: skip}, {dense: "${skip.channels}", from: input}]',
        ("NS0301", "does not fit"),
    )


def test_a_block_measures_nothing_of_its_caller() -> None:
    text = 'blocks: {u: {layers: [{dense: "${«skip.channels»}"}]}}\nlayers: [{relu: , name: skip}, u]'
    hold_refusals(text, ("NS0109", "no earlier layer is called `skip`"))


def test_index_of_an_outer_repeat_by_its_name() -> None:
    graph = graph_of(
        """
        layers:
          - layers: [{dense: "${10 * outer.index + 2 * index + 1}", repeat: 2}]
            repeat: 2
            name: outer
          - layers: [{layers: [{dense: "${10 * group2.index + index + 1}"}], repeat: 2}]
            repeat: 2
        """
    )
    assert [node.output.channels for node in graph.nodes] == [1, 3, 11, 13, 1, 2, 11, 12]
    hold_refusals(
        "blocks: {u: {layers: [{dense: '${«outer.index» + 1}'}]}}\nlayers: [{u: , repeat: 2, name: outer}]",
        ("NS0214", "pass the number in the call"),
    )
    hold_refusals(
        "layers: [{layers: [{dense: '${«oter.index» + 1}'}], repeat: 2, name: outer}]",
        ("NS0214", "the repeats around it are `outer`"),
    )


def test_count_counts_the_calls_of_a_block_in_the_same_network_or_block() -> None:
    graph = graph_of(
        """
        blocks:
          unit: {params: {n: }, layers: [{dense: "${n + 1}"}]}
          two: {layers: [{unit: "${unit.count}"}, {unit: "${unit.count}"}]}
        layers:
          - {unit: "${unit.count}", repeat: 2}
          - {add: [[{unit: "${unit.count}"}], [{unit: 2}]]}
          - {layers: [{layers: [{unit: "${10 * unit.count}", when: "${unit.count != 5}"}], repeat: 2}], name: g}
          - {two: , repeat: 2}
          - {dense: "${unit.count + two.count}"}
        """
    )
    units = [int(str(node.output.channels)) for node in graph.nodes if node.op.keyword == "dense"]
    assert units == [1, 2, 3, 3, 41, 1, 2, 1, 2, 7]


def test_the_notes_of_an_error_show_measured_values() -> None:
    (found,) = hold_refusals(
        'layers: [{dense: 3, name: skip}, {conv: {filters: 4, kernel: «"${3 * skip.height}"»}}]',
        ("NS0301", "`skip.height` is 8"),
    )
    assert "`${3 * skip.height}`" in " ".join(found.notes)


def test_a_table_is_a_list_of_rows() -> None:
    graph = graph_of(
        """
        params: {rows: [[4, 1], [6, 2]]}
        layers:
          - layers:
              - {dense: "${rows[outer.index][0] + index}", repeat: "${rows[outer.index][1]}"}
            repeat: "${len(rows)}"
            name: outer
        """
    )
    assert [node.output.channels for node in graph.nodes] == [4, 6, 7]
    assert wires_of(graph)["outer.1.dense1.1"] == ("outer.1.dense1.0",)
