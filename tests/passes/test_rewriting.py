"""Passes that change layers and weights: the function computed stays the same, number by number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.analysis import analyze
from netspec.diagnostics import Problems
from netspec.diagnostics.render import as_text
from netspec.graph import Graph, verify
from netspec.loading import graph_of_text, load
from netspec.ops.conv import Conv
from netspec.ops.norm import BatchNorm
from netspec.passes import cut, fold_batch_norm, fully_convolutional
from netspec.passes.cut import NoSuchLayer
from netspec.passes.fold_batch_norm import folded_weights
from netspec.passes.fully_convolutional import NotConvolutional, convolutional_weights
from netspec.weights import initialise
from netspec.writing.spec import write_spec
from tests.oracle import forward

Arrays = Mapping[str, NDArray[np.generic]]


def graph_of(layers: str, shape: str = "[3, 8, 8]") -> Graph:
    text = f"netspec: 1\nname: tried\ninput: {shape}\nlayers:\n{layers}"
    problems = Problems()
    graph = graph_of_text(text, "tried.yaml", problems)
    assert graph is not None, as_text(problems.in_order())
    return verify(graph)


def random_weights(graph: Graph) -> dict[str, NDArray[np.generic]]:
    """Weights and statistics none of which is 0 or 1."""
    generator = np.random.default_rng(3)
    return {each.name: 0.25 + generator.random(each.shape) for each in graph.weights}


def run(graph: Graph, weights: Arrays, x: NDArray[np.float64]) -> NDArray[np.float64]:
    found = forward(graph, weights, {"input": x}, training=False)
    return np.asarray(found[graph.outputs[0].value], "float64")


def samples(graph: Graph) -> NDArray[np.float64]:
    return np.random.default_rng(5).standard_normal((2, *graph.inputs[0].type.shape))


FOLDED = {
    "conv": "  - conv: {filters: 4, kernel: 3, groups: 1}\n  - batch_norm\n  - relu\n",
    "no bias": "  - conv: {filters: 6, kernel: 3, groups: 3, bias: false}\n  - batch_norm\n",
    "depthwise": "  - depthwise_conv: {kernel: 3, multiplier: 2, bias: false}\n  - batch_norm: {scale: false}\n",
    "separable": "  - separable_conv: {filters: 5, kernel: 3}\n  - batch_norm: {center: false}\n",
    "transposed": "  - conv_transpose: {filters: 5, kernel: 3, stride: 2}\n  - batch_norm: {epsilon: 0.5}\n",
    "dense": "  - flatten\n  - dense: 7\n  - batch_norm\n  - dense: 3\n",
    "in blocks": "  - layers:\n      - conv: {filters: 3, kernel: 3, padding: same, bias: false}\n      - batch_norm\n"
    "    name: unit\n    repeat: 3\n",
    "alone in its scope": "  - conv: {filters: 3, kernel: 1}\n  - layers: [batch_norm]\n    name: unit\n  - relu\n",
}


@pytest.mark.parametrize("name", FOLDED)
def test_a_folded_batch_norm_computes_the_same(name: str) -> None:
    graph = graph_of(FOLDED[name])
    weights = random_weights(graph)
    folded = verify(fold_batch_norm(graph))
    assert not any(isinstance(node.op, BatchNorm) for node in folded.nodes)
    changed = folded_weights(graph, weights)
    assert changed.keys() == {each.name for each in folded.weights}
    x = samples(graph)
    np.testing.assert_allclose(run(folded, changed, x), run(graph, weights, x), rtol=1e-12)


def test_a_network_without_weights_folds_to_itself() -> None:
    graph = graph_of("  - relu\n")
    assert fold_batch_norm(graph) == graph
    assert folded_weights(graph, {}) == {}


KEPT = {
    "an activation between": "  - conv: {filters: 4, kernel: 3, activation: relu}\n  - batch_norm\n",
    "used elsewhere": "  - conv: {filters: 4, kernel: 3}\n    name: a\n  - batch_norm\n"
    "  - add:\n    from: [a, batch_norm1]\n",
    "before": "  - batch_norm\n  - conv: {filters: 4, kernel: 3}\n",
}


@pytest.mark.parametrize("name", KEPT)
def test_a_batch_norm_stays_where_folding_would_change_the_function(name: str) -> None:
    graph = graph_of(KEPT[name])
    assert fold_batch_norm(graph) == graph


def test_resnet_folds_whole_and_computes_the_same() -> None:
    graph = load("zoo:resnet34", size=32, classes=5)
    weights = random_weights(graph)
    folded = verify(fold_batch_norm(graph))
    assert not any(isinstance(node.op, BatchNorm) for node in folded.nodes)
    x = samples(graph)
    before = forward(graph, weights, {"input": x}, training=False)["dense1"]
    after = forward(folded, folded_weights(graph, weights), {"input": x}, training=False)["dense1"]
    np.testing.assert_allclose(np.asarray(after, "float64"), np.asarray(before, "float64"), rtol=1e-10)


def test_a_dense_layer_on_a_map_becomes_a_convolution_with_the_same_numbers() -> None:
    # The textbook's case: a map of 100@7×7 and 200 units.
    graph = graph_of("  - flatten\n  - dense: {units: 200, activation: tanh}\n", "[100, 7, 7]")
    turned = verify(fully_convolutional(graph))
    assert turned.types[turned.outputs[0].value].shape == (200, 1, 1)
    weights = random_weights(graph)
    x = samples(graph)
    after = run(turned, convolutional_weights(graph, weights), x)
    np.testing.assert_allclose(after[:, :, 0, 0], run(graph, weights, x), rtol=1e-13)


def test_a_larger_input_gives_a_grid_of_the_same_answers() -> None:
    graph = load("zoo:lenet5")
    turned = verify(fully_convolutional(graph))
    weights = initialise(graph, dtype="float64")
    changed = convolutional_weights(graph, weights)
    text = write_spec(turned, "lenet5_anywhere")
    problems = Problems()
    large = graph_of_text(text, "written.yaml", problems, {"size": 44})
    assert large is not None, as_text(problems.in_order())
    assert large.types[large.outputs[0].value].shape == (10, 4, 4)
    named = dict(zip((each.name for each in large.weights), changed.values(), strict=True))
    image = np.random.default_rng(7).standard_normal((1, 1, 44, 44))
    grid = run(large, named, image)
    for row, column in ((0, 0), (3, 3), (1, 2)):
        window = image[:, :, 4 * row : 4 * row + 32, 4 * column : 4 * column + 32]
        np.testing.assert_allclose(grid[:, :, row, column], run(graph, weights, window), rtol=1e-10)


def test_vgg_at_448_pixels_gives_a_grid_of_8_by_8() -> None:
    turned = fully_convolutional(load("zoo:vgg16"))
    assert [node.op.kernel for node in turned.nodes if isinstance(node.op, Conv)][-3:] == [
        (7, 7),
        (1, 1),
        (1, 1),
    ]
    problems = Problems()
    large = graph_of_text(write_spec(turned, "vgg16_anywhere"), "written.yaml", problems, {"size": 448})
    assert large is not None, as_text(problems.in_order())
    assert large.types[large.outputs[0].value].shape == (1000, 8, 8)
    assert analyze(large).totals.params == 138_357_544


@pytest.mark.parametrize(
    ("layers", "word"),
    [
        ("  - global_avg_pool\n  - dense: 3\n", "no `flatten`"),
        ("  - flatten\n  - reshape: [3, 64]\n", "reshape"),
        ("  - global_avg_pool\n  - flatten\n  - dense: 3\n", "no `flatten` of a map"),
        ("  - flatten\n  - softmax\n  - dense: 3\n", "softmax"),
        ("  - flatten\n  - local_response_norm\n  - dense: 3\n", "local_response_norm"),
        ("  - flatten\n  - batch_norm\n  - dense: 3\n", "batch_norm"),
        ("  - flatten\n  - spatial_dropout: 0.5\n  - dense: 3\n", "spatial_dropout"),
        ("  - flatten\n  - dense: 4\n  - group_norm: 2\n", "group_norm"),
        ("  - flatten\n  - dense: 4\n  - layer_norm: {over: everything}\n", "layer_norm"),
        ("  - flatten\n", "`output` is a flattened map"),
        ("  - flatten\n  - relu\n", "`output` is a flattened map"),
        (
            "  - flatten\n  - dense: 192\n    name: a\n  - dense: 192\n    share: a\n",
            "shares its weights with `a`",
        ),
    ],
)
def test_what_cannot_be_convolutional_is_refused(layers: str, word: str) -> None:
    with pytest.raises(NotConvolutional, match=word):
        fully_convolutional(graph_of(layers))


@pytest.mark.parametrize(
    "layers",
    [
        "  - flatten\n  - flatten\n  - dense: 3\n",
        "  - flatten\n  - dense: 5\n  - flatten\n  - dense: 3\n",
        "  - flatten\n  - tanh\n  - scale_by: 2\n  - dense: 5\n  - batch_norm\n  - softmax\n  - dense: 3\n",
        "  - flatten\n  - dense: 4\n    name: a\n  - dense: 4\n    name: b\n  - dense: 4\n    share: b\n",
    ],
)
def test_what_works_value_by_value_or_on_units_stays(layers: str) -> None:
    graph = graph_of(layers)
    turned = verify(fully_convolutional(graph))
    weights = random_weights(graph)
    x = samples(graph)
    after = run(turned, convolutional_weights(graph, weights), x)
    np.testing.assert_allclose(after[:, :, 0, 0], run(graph, weights, x), rtol=1e-12)


@pytest.mark.parametrize("name", ["stage2", "stage2.1", "stage3.0.relu1", "max_pool1"])
def test_a_cut_network_gives_what_the_whole_one_has_there(name: str) -> None:
    graph = load("zoo:resnet34", size=64, classes=5)
    short = verify(cut(graph, name))
    scope = graph.scope_by_path.get(name)
    value = name if scope is None else scope.output
    weights = random_weights(graph)
    x = samples(graph)
    whole = forward(graph, weights, {"input": x}, training=False)[value]
    kept = {each.name: weights[each.name] for each in short.weights}
    np.testing.assert_array_equal(run(short, kept, x), np.asarray(whole, "float64"))
    assert len(short.nodes) < len(graph.nodes)


def test_a_cut_at_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(NoSuchLayer, match="max_pool1"):
        cut(load("zoo:resnet34"), "maxpool1")


def test_a_cut_at_an_input_would_leave_nothing() -> None:
    with pytest.raises(NoSuchLayer, match="`input` is an input of tried"):
        cut(graph_of("  - relu\n"), "input")


WRITTEN = {
    "an end before a head": "  - conv: {filters: 2, kernel: 1}\n    name: a\n  - relu\n"
    "heads:\n  h: {from: a, layers: [tanh]}\n",
    "a mean that rounds up": "  - avg_pool: {kernel: 3, stride: 2, padding: [[1, 0], [1, 1]], rounding: ceil, "
    "count_padding: true}\n",
    "paths that meet": "  - layers: [{relu: , name: b_c}, tanh]\n    name: a\n"
    "  - layers: [{tanh: , name: c}, relu]\n    name: a_b\n  - add:\n    from: [a.b_c, a_b.c, a_b]\n",
    "a path that is a head's": "  - layers: [{relu: , name: k}, tanh]\n    name: h\n  - add:\n    from: [h.k, h]\n"
    "    name: end\nheads:\n  h_k: {from: h, layers: [sigmoid]}\n",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_down_again_computes_the_same(name: str) -> None:
    graph = graph_of(WRITTEN[name])
    problems = Problems()
    again = graph_of_text(write_spec(graph, "again"), "again.yaml", problems)
    assert again is not None, as_text(problems.in_order())
    weights = random_weights(graph)
    named = dict(zip((each.name for each in again.weights), weights.values(), strict=True))
    x = {"input": samples(graph)}
    before, after = forward(graph, weights, x, training=False), forward(again, named, x, training=False)
    assert [each.name for each in again.outputs] == [each.name for each in graph.outputs]
    for old, new in zip(graph.outputs, again.outputs, strict=True):
        np.testing.assert_array_equal(after[new.value], before[old.value])


@pytest.mark.parametrize(
    "name", ["lenet5", "resnet34", "siamese", "inception_module", "unet", "yolov3", "segnet"]
)
def test_a_network_that_is_written_down_again_is_the_same(name: str) -> None:
    graph = load(f"zoo:{name}")
    problems = Problems()
    again = graph_of_text(write_spec(graph, name), "written.yaml", problems)
    assert again is not None, as_text(problems.in_order())
    assert [str(node.op) for node in again.nodes] == [str(node.op) for node in graph.nodes]
    assert [node.outputs for node in again.nodes] == [node.outputs for node in graph.nodes]
    wiring = {value: number for number, value in enumerate(graph.types)}
    rewired = {value: number for number, value in enumerate(again.types)}
    assert [[rewired[v] for v in node.inputs] for node in again.nodes] == [
        [wiring[v] for v in node.inputs] for node in graph.nodes
    ]
    assert sum(np.prod(each.shape) for each in again.weights) == sum(
        np.prod(each.shape) for each in graph.weights
    )
