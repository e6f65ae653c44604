"""Logits: taken from before the probabilities wherever the function stays, refused with advice everywhere else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.analysis.ending import NoLogits
from netspec.analysis.meaning import meanings
from netspec.diagnostics import Problems
from netspec.graph import Graph, verify
from netspec.language.reading.locations import zoo
from netspec.loading import graph_of_text, load
from netspec.ops import OPS
from netspec.ops.base import Meaning
from netspec.passes import logits
from netspec.proof.comparison import compare
from netspec.weights import initialise
from netspec.writing.spec import write_spec
from tests.cases import CASES, Case
from tests.having import LEARNERS, needs
from tests.oracle import forward

Array = NDArray[np.float64]
Arrays = Mapping[str, NDArray[np.generic]]


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def softmax(x: Array) -> Array:
    raised = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


# What an op says that it only moves, held against the oracle.

AT_ONE_POSITION = (
    Case("flatten_one", "flatten", {}, ((4, 1, 1),)),
    Case("reshape_one", "reshape", {"shape": [4]}, ((4, 1, 1),)),
    Case("reshape_kept", "reshape", {"shape": [4, -1]}, ((4, 2, 3),)),
    Case("permute_kept", "permute", {"axes": ["channels", "width", "height"]}, ((4, 2, 3),)),
    Case("global_avg_pool_one", "global_avg_pool", {}, ((4, 1, 1),)),
    Case("global_max_pool_one", "global_max_pool", {}, ((4, 1),)),
    Case("dropout_off", "dropout", {"rate": 0.0}, ((4, 3),)),
    Case("pad_nothing", "pad", {"amount": 0}, ((4, 3),)),
)
MOVING = [
    case
    for case in (*CASES, *AT_ONE_POSITION)
    if case.vocabulary is None
    and (node := case.graph().nodes[0]).op.moves([each.type for each in case.graph().inputs]) is not None
]


def applied(graph: Graph, x: Array) -> Array:
    return np.asarray(forward(graph, {}, {"in0": x}, training=True)["layer"], np.float64)


@pytest.mark.parametrize("case", MOVING, ids=lambda case: case.name)
def test_what_only_moves_commutes(case: Case) -> None:
    graph = case.graph()
    x = np.random.default_rng(0).standard_normal((2, *case.inputs[0]))
    np.testing.assert_array_equal(applied(graph, sigmoid(x)), sigmoid(applied(graph, x)))
    after, before = softmax(applied(graph, x)), applied(graph, softmax(x))
    positions = graph.nodes[0].op.moves([graph.inputs[0].type]) == "positions"
    assert np.allclose(after, before, atol=1e-14) is positions


def test_the_table_has_every_op_that_moves() -> None:
    moving = {case.keyword for case in MOVING}
    assert moving >= {"flatten", "reshape", "permute", "space_to_depth", "depth_to_space", "identity", "crop"}
    assert moving >= {"upsample", "pad", "global_avg_pool", "global_max_pool", "dropout"}


def test_every_weighted_sum_says_that_it_gives_scores() -> None:
    """Without that a softmax anywhere before it would be taken for one at the end."""
    nodes = [case.graph().nodes[0] for case in CASES]
    sums = {node.op.keyword for node in nodes for weight in node.weights if "I" in weight.axes}
    assert sums >= {"conv", "dense", "separable_conv", "conv_transpose"}
    assert all(OPS[keyword].gives is not None for keyword in sums)


# Networks.


SHARED = ("shared", "a shared block", "a shared block with a field", "a repeated field", "a block in a block")
"""Ends that generated code lays into functions, loops and shared layers."""


def network(layers: str) -> Graph:
    """The network of these layers, in a list; more keys may follow on further lines."""
    problems = Problems()
    text = f"netspec: 1\nname: tried\ninput: [3, 4, 4]\nlayers: {layers}\n"
    graph = graph_of_text(text, "tried.yaml", problems)
    assert graph is not None, list(problems)
    return graph


def value(graph: Graph, output: str = "output", weights: Arrays | None = None) -> Array:
    x = np.random.default_rng(1).standard_normal((3, 3, 4, 4))
    found = forward(graph, weights or initialise(graph), {"input": x}, training=False)
    end = next(each.value for each in graph.outputs if each.name == output)
    return np.asarray(found[end], np.float64)


TAKEN = {
    "at the end": "[flatten, {dense: 5}, softmax]",
    "a field": "[flatten, {dense: {units: 5, activation: softmax}}]",
    "flatten behind": "[{conv: {filters: 5, kernel: 4}}, softmax, flatten]",
    "field, flatten behind": "[{conv: {filters: 5, kernel: 4, activation: softmax}}, flatten]",
    "several moves": "[{conv: {filters: 5, kernel: 4}}, softmax, identity, {reshape: [5, 1]}, {dropout: 0}, flatten]",
    "one position pooled": "[{conv: {filters: 5, kernel: 4}}, softmax, global_avg_pool]",
    "a position cut out": "[{conv: {filters: 5, kernel: 3}}, softmax, {crop: {size: 1}}, flatten]",
    "a map": "[{conv: {filters: 5, kernel: 3}}, softmax, {upsample: 2}, {pad: {amount: 1, mode: replicate}}]",
    "named": "[flatten, {dense: 5, name: classes}, {softmax: , name: p}, {identity: , name: q}]",
    "in a block": "[{end: 5}, identity]\n"
    "blocks: {end: {params: {units: }, layers: [flatten, {dense: $units}, softmax]}}",
    "in a group, repeated": "[flatten, {layers: [{dense: 5}, softmax], repeat: 2, name: twice}, identity]",
    "moved by a block": "[{conv: {filters: 5, kernel: 4}}, softmax, {end: }]\n"
    "blocks: {end: {layers: [flatten, identity]}}",
    "shared": "[flatten, {dense: {units: 48, activation: softmax}, name: a}, "
    "{dense: {units: 48, activation: softmax}, share: a}]",
    "a shared block": "[flatten, {end: 48, name: a}, {end: 48, share: a}]\n"
    "blocks: {end: {params: {units: }, layers: [{dense: $units}, softmax]}}",
    "a shared block with a field": "[flatten, {end: 48, name: a}, {end: 48, share: a}, identity]\n"
    "blocks: {end: {params: {units: }, layers: [{dense: {units: $units, activation: softmax}}]}}",
    "a repeated field": "[flatten, {dense: {units: 5, activation: softmax}, repeat: 3}]",
    "a repeated block": "[flatten, {end: 5, repeat: 3}, identity]\n"
    "blocks: {end: {params: {units: }, layers: [{dense: $units}, softmax]}}",
    "a block in a block": "[flatten, {outer: 5}]\n"
    "blocks: {end: {params: {units: }, layers: [{dense: $units}, softmax]},"
    " outer: {params: {units: }, layers: [relu, {end: $units}, identity]}}",
    "a gate before": "[flatten, {dense: 5}, {multiply: [[], [{dense: 5}, sigmoid]]}, softmax]",
    "distances negated": "[flatten, {rbf: 5}, {scale_by: -0.5}, softmax]",
    "negated, averaged": "[{rbf: 5}, {scale_by: -1}, {dropout: 0.1}, global_avg_pool, {scale_by: 2}, softmax]",
    "distances negated, then weights": "[flatten, {rbf: 5}, {scale_by: -1}, relu, {dense: 4}, softmax]",
    "weights behind": "[flatten, {dense: 5}, softmax, {dense: 4}, softmax]",
    "a head": "[flatten, {dense: 5}, softmax]\nheads: {output2: {layers: [identity]}}",
}


@pytest.mark.parametrize("case", TAKEN)
def test_the_softmax_of_the_logits_is_the_output(case: str) -> None:
    graph = network(TAKEN[case])
    bare = verify(logits(graph))
    output = graph.outputs[0].name
    assert meanings(bare)[bare.outputs[0].value].is_logit
    np.testing.assert_allclose(softmax(value(bare, output)), value(graph, output), atol=1e-14)
    assert [each.name for each in bare.weights] == [each.name for each in graph.weights]
    assert logits(bare) is bare


def test_the_softmax_of_an_embedded_network_is_left_out() -> None:
    text = "netspec: 1\nname: outer\ninput: [1, 32, 32]\nlayers: [{network: {spec: zoo:lenet5}}, identity]\n"
    graph = graph_of_text(text, "outer.yaml", Problems())
    assert graph is not None
    bare = verify(logits(graph))
    assert [node.op.keyword for node in bare.nodes][-2:] == ["dense", "identity"]
    x = {"input": np.random.default_rng(1).standard_normal((2, 1, 32, 32))}
    before = np.asarray(forward(graph, initialise(graph), x)[graph.outputs[0].value], np.float64)
    after = np.asarray(forward(bare, initialise(bare), x)[bare.outputs[0].value], np.float64)
    np.testing.assert_allclose(softmax(after), before, atol=1e-14)


@pytest.mark.parametrize("name", sorted(zoo()))
def test_the_zoo_says_what_it_gives(name: str) -> None:
    """A classifier of the zoo gives scores or probabilities, and no pass changes that."""
    graph = load(f"zoo:{name}")
    if name == "lenet5_1998":
        with pytest.raises(NoLogits, match="distances"):
            logits(graph)
        return
    bare = logits(graph)
    assert {meanings(bare)[each.value] for each in bare.outputs} == {Meaning.SCORES}


def test_the_sigmoid_of_the_logits_is_the_output() -> None:
    graph = network(
        "[{conv: {filters: 2, kernel: 3, activation: sigmoid}}, {permute: [width, height, channels]}, flatten]"
    )
    bare = verify(logits(graph))
    np.testing.assert_allclose(sigmoid(value(bare)), value(graph), atol=1e-14)


SEVERAL = {
    "a layer": "[{conv: {filters: 5, kernel: 4}}, softmax]\n"
    "heads: {a: {layers: [identity, flatten]}, b: {layers: [flatten, {dense: 3}]}}",
    "a field": "[{conv: {filters: 5, kernel: 4, activation: softmax}}]\n"
    "heads: {a: {layers: [flatten]}, b: {layers: [flatten, {dense: 3}]}}",
    "outside of a head": "[{conv: {filters: 5, kernel: 4}}, softmax, {flatten: , name: a}]\n"
    "heads: {b: {from: a, layers: [{dense: 3}]}, c: {from: softmax1, layers: [flatten]}}",
    "a repeated block": "[{conv: {filters: 5, kernel: 4}}, {end: , repeat: 2, name: r}, {end: }]\n"
    "blocks: {end: {layers: [{conv: {filters: 5, kernel: 1}}, softmax]}}\n"
    "heads: {b: {from: r.1, layers: [flatten]}, c: {from: r.1, layers: [flatten, {dense: 3}]}}",
    "in a block": "[{end: }, flatten]\nblocks: {end: {layers: [{conv: {filters: 5, kernel: 4}}, softmax]}}\n"
    "heads: {b: {from: end1, layers: [flatten, {dense: 3}]}}",
}


@pytest.mark.parametrize("case", SEVERAL)
def test_who_else_uses_the_probabilities_keeps_them(case: str) -> None:
    graph = network(SEVERAL[case])
    bare = verify(logits(graph))
    for output in graph.outputs:
        before, after = value(graph, output.name), value(bare, output.name)
        scores = meanings(graph)[output.value] is Meaning.SCORES
        np.testing.assert_allclose(after if scores else softmax(after), before, atol=1e-14)
    again = graph_of_text(write_spec(bare, "again"), "again.yaml", Problems())
    assert again is not None
    named = dict(zip((each.name for each in again.weights), initialise(bare).values(), strict=True))
    first = graph.outputs[0].name
    np.testing.assert_array_equal(value(again, first, named), value(bare, first))


@pytest.mark.parametrize("backend", LEARNERS)
@pytest.mark.parametrize("case", [*SEVERAL, *SHARED])
def test_generated_code_gives_the_same_logits(case: str, backend: str) -> None:
    needs(backend)
    found = compare(logits(network({**TAKEN, **SEVERAL}[case])), [backend], steps=0)
    assert found.ok, found.first_difference


REFUSED = {
    "[{conv: {filters: 5, kernel: 3}}, softmax, global_avg_pool]": (
        "`global_avg_pool1` computes with the probabilities of `softmax1`, so no layer gives the logits; "
        "take `softmax1` out, and end the network with `softmax`"
    ),
    "[{conv: {filters: 5, kernel: 3, activation: softmax}}, global_max_pool]": (
        "`global_max_pool1` computes with the probabilities of `conv1`, so no layer gives the logits; "
        "take `activation: softmax` out of `conv1`, and end the network with `softmax`"
    ),
    "[{conv: {filters: 5, kernel: 3}}, softmax, flatten]": (
        "`flatten1` moves the probabilities of `softmax1` to other positions; "
        "take `softmax1` out, and end the network with `softmax`"
    ),
    "[flatten, {dense: 5}, softmax, {dropout: 0.5}]": (
        "`dropout1` computes with the probabilities of `softmax1`, so no layer gives the logits; "
        "take `softmax1` out, and end the network with `softmax`"
    ),
    "[flatten, {dense: 5}, softmax, relu]": (
        "`relu1` computes with the probabilities of `softmax1`, so no layer gives the logits; "
        "take `softmax1` out, and end the network with `softmax`"
    ),
    "[flatten, {dense: 5}, softmax, softmax]": (
        "`softmax2` takes the probabilities of `softmax1`, which are not logits; take `softmax1` out"
    ),
    "[flatten, {dense: {units: 5, activation: sigmoid}}, softmax]": (
        "`softmax1` takes the probabilities of `dense1`, which are not logits; "
        "take `activation: sigmoid` out of `dense1`"
    ),
    "[flatten, {average: [[{dense: 5}, softmax], [{dense: 5}, softmax]]}]": (
        "`average1` computes with the probabilities of `softmax1` and `softmax2`, so no layer gives the logits; "
        "take `softmax1` out and `softmax2` out, and end the network with `softmax`"
    ),
    "[flatten, {concat: [[{dense: 5}, softmax], [{dense: 5}]]}]": (
        "`concat1` computes with the probabilities of `softmax1`, so no layer gives the logits; "
        "take `softmax1` out, and end the network with `softmax`"
    ),
    "[flatten, {dense: 5}, softmax, {scale: {bias: false}}]": (
        "`scale1` computes with the probabilities of `softmax1`, so no layer gives the logits; "
        "take `softmax1` out, and end the network with `softmax`"
    ),
    "[flatten, {dense: 5}, hard_sigmoid]": (
        "`hard_sigmoid1` ends in `hard_sigmoid`, which is not computed from logits; "
        "take `hard_sigmoid1` out, and end the network with `softmax`"
    ),
    "[flatten, {rbf: 5}]": (
        "`rbf1` gives distances: the larger, the less likely; "
        "put `scale_by: -1` after `rbf1`: the nearest is then the most likely"
    ),
    "[flatten, {rbf: 5}, {scale_by: 2}]": (
        "`rbf1` gives distances: the larger, the less likely; "
        "put `scale_by: -1` after `rbf1`: the nearest is then the most likely"
    ),
    "[flatten, {rbf: 5}, softmax]": (
        "`softmax1` takes the distances of `rbf1`: the farthest becomes the most likely; "
        "put `scale_by: -1` after `rbf1`: the nearest is then the most likely"
    ),
    "[flatten, {rbf: 5}, {scale_by: -1}, {scale_by: -1}]": (
        "`scale_by2` takes negated distances, and its largest value is not the nearest class; "
        "take `scale_by2` out: the nearest is then the most likely"
    ),
    "[flatten, {rbf: 5}, {scale_by: -1}, {multiply: [[], []]}, softmax]": (
        "`multiply1` takes negated distances, and its largest value is not the nearest class; "
        "take `multiply1` out: the nearest is then the most likely"
    ),
    "[flatten, {rbf: 5}, {multiply: [[], []]}]": (
        "`rbf1` gives distances: the larger, the less likely; "
        "put `scale_by: -1` after `rbf1`, and take `multiply1` out: the nearest is then the most likely"
    ),
    "[flatten, {rbf: 5}, {maximum: [[], [{scale_by: -1}]]}, relu]": (
        "`rbf1` gives distances: the larger, the less likely; "
        "put `scale_by: -1` after `rbf1`, and take `scale_by1` and `relu1` out: the nearest is then the most likely"
    ),
    "[flatten, {rbf: 5}, {scale_by: -1}, {scale: {activation: softmax}}]": (
        "`scale1` takes negated distances, and its largest value is not the nearest class; "
        "take `scale1` out: the nearest is then the most likely"
    ),
    "[flatten, {rbf: 5}, {scale_by: -1}, {multiply: [[], [sigmoid]]}]": (
        "`multiply1` takes negated distances, and its largest value is not the nearest class; "
        "take `multiply1` out: the nearest is then the most likely"
    ),
    "[flatten, {dense: 5}, {softmax: 1.2345678}]": (
        "`softmax1` is a softmax with temperature 1.2345678: its logits are its input divided by 1.2345678, "
        "and no layer gives them; "
        'put `scale_by: "${1 / 1.2345678}"` before the softmax, and remove its temperature'
    ),
    "[flatten, {dense: 5}, {softmax: 4}]": (
        "`softmax1` is a softmax with temperature 4: its logits are its input divided by 4, and no layer gives them; "
        'put `scale_by: "${1 / 4}"` before the softmax, and remove its temperature'
    ),
    "[flatten, {dense: {units: 5, activation: {softmax: 4}}}]": (
        "`dense1` is a softmax with temperature 4: its logits are its input divided by 4, and no layer gives them; "
        'take the activation out of `dense1`, and put `scale_by: "${1 / 4}"` and `softmax` after it'
    ),
}


@pytest.mark.parametrize("layers", REFUSED)
def test_what_has_no_logits_is_refused(layers: str) -> None:
    with pytest.raises(NoLogits) as caught:
        logits(network(layers))
    assert str(caught.value) == REFUSED[layers]
