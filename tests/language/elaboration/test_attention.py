"""Attention in a spec: what it takes by what stands in `from`, what it gives, and what it refuses."""

from __future__ import annotations

import pytest

from netspec.check import check_text
from netspec.graph import Graph

HEAD = "netspec: 1\nname: a\n"
INPUTS = (
    "inputs: {x: [64, 20], memory: [32, 30], other: [16, 30], short: [16, 29], map: [64, 8, 6], v: [64], "
    "table: [8, 20, 20], cross: [1, 20, 30], n: {shape: [], vocabulary: 21}, m: {shape: [], vocabulary: 31}, "
    "ns: {shape: [3], vocabulary: 4}}\n"
)


def written(item: str) -> str:
    """A spec whose one layer takes some of many inputs."""
    return f"{HEAD}{INPUTS}layers:\n  - {item}\n"


def network(item: str) -> Graph:
    """Its graph. That other inputs are unused is all that there is to say."""
    graph, said = check_text(written(item), "a.yaml")
    assert graph is not None
    assert {each.code.id for each in said} <= {"NS0121"}
    return graph


def shapes(graph: Graph) -> dict[str, tuple[int, ...]]:
    return {weight.name.removeprefix("attention1."): weight.shape for weight in graph.weights}


@pytest.mark.parametrize(
    ("item", "output", "weights"),
    [
        ("{attention: 8, from: x}", "64@20",
         {"qkv.weight": (192, 64), "qkv.bias": (192,), "output.weight": (64, 64), "output.bias": (64,)}),
        ("{attention: {heads: 8, kv_heads: 2, bias: false, output: none}, from: x}", "64@20", {"qkv.weight": (96, 64)}),
        ("{attention: {heads: 4, head_size: 5, bias: false, output: 7}, from: [x, memory]}", "7@20",
         {"query.weight": (20, 64), "key_value.weight": (40, 32), "output.weight": (7, 20)}),
        ("{attention: {heads: 4, bias: false}, from: [x, memory, other, cross, m]}", "64@20",
         {"query.weight": (64, 64), "key.weight": (64, 32), "value.weight": (64, 16), "output.weight": (64, 64)}),
        ("{attention: {heads: 8, bias: false, causal: true}, from: [x, table, n]}", "64@20",
         {"qkv.weight": (192, 64), "output.weight": (64, 64)}),
        ("{attention: {heads: 2, bias: false}, from: [map, memory]}", "64@8×6",
         {"query.weight": (64, 64), "key_value.weight": (128, 32), "output.weight": (64, 64)}),
        ("{attention: {heads: 2, blocks: [4, 3], shift: 1, bias: false}, from: map}", "64@8×6",
         {"qkv.weight": (192, 64), "output.weight": (64, 64)}),
        ("{attention: {heads: 2, project: false}, from: x}", "64@20", {}),
    ],
)  # fmt: skip
def test_what_it_takes_decides_its_weights(
    item: str, output: str, weights: dict[str, tuple[int, ...]]
) -> None:
    graph = network(item)
    assert str(graph.nodes[-1].output) == output
    assert shapes(graph) == weights


@pytest.mark.parametrize(
    ("item", "code", "said", "help_"),
    [
        ("{attention: 6, from: x}", "NS0325", "64 channels cannot be divided into 6 heads", "4 or 8"),
        ("{attention: {heads: 8, kv_heads: 3}, from: x}", "NS0325", "8 heads of queries", "2 or 4"),
        ("{attention: 8, from: v}", "NS0303", "a vector, 64", "reshape"),
        ("{attention: 8, from: [x, v]}", "NS0303", "the `keys` of attention are a sequence", "reshape"),
        ("{attention: 8, from: [x, memory, short]}", "NS0325", "each key has one value", "equal lengths"),
        ("{attention: {heads: 8, causal: true}, from: [x, memory]}",
         "NS0325", "20 queries, 30 keys", "leave `causal` out"),
        ("{attention: {heads: 8, window: 3}, from: [x, memory]}",
         "NS0325", "20 queries, 30 keys", "leave `window` out"),
        ("{attention: {heads: 8, causal: true}, from: map}", "NS0303", "counts positions along one axis", "blocks"),
        ("{attention: 4, from: [x, table]}", "NS0325", "must be 4@20×20 or 1@20×20; it is 8@20×20", "[4, 20, 20]"),
        ("{attention: 8, from: [x, map]}", "NS0325", "it is 64@8×6", "reshape"),
        ("{attention: 8, from: [x, memory, table]}", "NS0325", "must be 8@20×30", "[8, 20, 30]"),
        ("{attention: 8, from: [x, m]}", "NS0325", "goes up to 30, and there are 20 keys", "vocabulary: 21"),
        ("{attention: 8, from: [x, ns]}", "NS0325", "one whole number for each sample", "shape: []"),
        ("{attention: 8, from: [map, n]}", "NS0325", "here they are a map", "leave the lengths out"),
        ("{attention: {heads: 8, blocks: 5}, from: map}",
         "NS0325", "cannot be divided into blocks of 5×5", "[0, 2], [0, 4]"),
        ("{attention: {heads: 8, blocks: 2, shift: 2}, from: map}", "NS0325", "less than their size", "shift: [1, 1]"),
        ("{attention: {heads: 8, shift: 2}, from: map}", "NS0325", "there are none", "blocks"),
        ("{attention: {heads: 8, blocks: 5, causal: true}, from: x}",
         "NS0325", "with `blocks`", "`causal` or `blocks`"),
        ("{attention: {heads: 8, blocks: 5}, from: [x, n]}", "NS0325", "no memory", "leave `blocks` out"),
        ("{attention: {heads: 8, blocks: 2, project: false}, from: map}", "NS0325", "would be one tensor", "`project`"),
        ("{attention: {heads: 8, blocks: [2, 2, 2]}, from: map}", "NS0305", "`blocks` has values", "list of 2"),
        ("{attention: {heads: 8, project: false, output: 3}, from: x}", "NS0325", "`output` has no effect", "dense: 3"),
        ("{attention: {heads: 8, project: false, head_size: 3}, from: x}", "NS0325", "64 channels: 8", "head_size"),
        ("{attention: {heads: 8, project: false}, from: [x, memory]}",
         "NS0325", "8 channels in each head, and a key 4", "64"),
        ("{attention: {heads: 8, rotary: true}, from: map}", "NS0325", "a map, 64@8×6", "positions: learned"),
        ("{attention: {heads: 8, rotary: true, blocks: 5}, from: x}", "NS0325", "with `blocks`", "positions: learned"),
        ("{attention: {heads: 8, head_size: 3, rotary: true}, from: x}",
         "NS0325", "3 of the 3 channels", "turn 2 of them, `rotary: {fraction: 0.7}`"),
        ("{attention: {heads: 64, rotary: true}, from: x}", "NS0325", "1 of the 1 channels", "at least 2 channels"),
        ("{attention: {heads: 8, rotary: {fraction: 0.1}}, from: x}",
         "NS0325", "0 of the 8 channels", "turn 2 of them, `rotary: {fraction: 0.3}`"),
        ("{attention: {heads: 8, rotary: {theta: 50}}, from: x}",
         "NS0104", "does not have the field `theta`", "write `base`"),
        ("{attention: {heads: 8, rotary: {fraction: 2}}, from: x}",
         "NS0104", "`fraction` is a number above 0", "leave `fraction` out"),
        ("{attention: {heads: 8, rotary: {pairs: odd}}, from: x}",
         "NS0104", "`pairs` is `halves` or `neighbours`", "leave `pairs` out"),
        ("{attention: {heads: 8, rotary: 100}, from: x}", "NS0104", "or a mapping of fields", "write `rotary: true`"),
        ("{attention: {heads: 3, project: false}, from: x}", "NS0325", "channels of the `queries`", "2 or 4"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_with_what_to_do(item: str, code: str, said: str, help_: str) -> None:
    found = [each for each in check_text(written(item), "a.yaml")[1] if each.severity == "error"]
    assert [each.code.id for each in found] == [code]
    assert said in found[0].message
    assert help_ in str(found[0].help)


def test_fields_without_effect_are_said() -> None:
    found = check_text(written("{attention: {heads: 8, project: false, bias: false}, from: x}"), "a.yaml")[1]
    assert "`bias` has no effect with `project: false`" in [each.message for each in found]
