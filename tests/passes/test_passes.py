"""Passes: the graph stays legal, and the function that is left is the one that was promised."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.analysis.ending import NoLogits
from netspec.graph import Graph, Scope, verify
from netspec.ops.activation import Sigmoid, Softmax
from netspec.ops.dense import Dense
from netspec.ops.merge import Multiply
from netspec.ops.regularize import Dropout
from netspec.passes import PASSES, logits, still
from netspec.weights import initialise
from tests.building import Sketch, span
from tests.oracle import forward

X = {"x": np.random.default_rng(0).standard_normal((3, 8))}


def outputs(graph: Graph) -> dict[str, NDArray[np.float64]]:
    values = {**X, **forward(graph, initialise(graph), X)}
    return {each.name: np.asarray(values[each.value], "float64") for each in graph.outputs}


def dense(units: int, activation: str | None = None) -> Dense:
    return Dense.model_validate({"units": units, "activation": activation})


def inverse_sigmoid(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(p / (1 - p)))


def test_every_pass_leaves_a_plain_network_as_it_is() -> None:
    sketch = Sketch(x=(8,))
    sketch.add("hidden", dense(4, "tanh"))
    graph = sketch.graph()
    for each in PASSES:
        if each.name != "fully-convolutional":  # which refuses what has nothing to turn
            assert verify(each.run(graph)) == graph, each.name
    assert logits(graph) is graph


def test_still_stops_dropout_and_nothing_else() -> None:
    sketch = Sketch(x=(8,))
    sketch.add("hidden", dense(4))
    sketch.add("noise", Dropout(rate=0.5))
    graph = still(sketch.graph())
    verify(graph)
    assert [str(node.op) for node in graph.nodes][1] == "dropout[rate=0.0]"
    values = forward(graph, initialise(graph), X)
    np.testing.assert_array_equal(values["noise"], values["hidden"])


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("inside", [True, False], ids=["field", "layer"])
def test_logits_are_what_the_probabilities_were_made_from(activation: str, inside: bool) -> None:
    sketch = Sketch(x=(8,))
    sketch.add("top", dense(4, activation if inside else None))
    if not inside:
        sketch.add("end", {"softmax": Softmax(), "sigmoid": Sigmoid()}[activation])
    graph = sketch.graph()
    bare = verify(logits(graph))
    assert [node.name for node in bare.nodes] == ["top"]
    assert [each.name for each in bare.weights] == [each.name for each in graph.weights]
    before, after = outputs(graph)["output"], outputs(bare)["output"]
    if activation == "softmax":
        raised = np.exp(after)
        np.testing.assert_allclose(raised / raised.sum(1, keepdims=True), before, atol=1e-14)
    else:
        np.testing.assert_allclose(inverse_sigmoid(before), after, atol=1e-12)
    assert logits(bare) is bare


@pytest.mark.parametrize("inside", [True, False], ids=["field", "layer"])
def test_who_else_uses_the_probabilities_keeps_them(inside: bool) -> None:
    sketch = Sketch(x=(8,))
    gate = sketch.add("gate", dense(8, "sigmoid" if inside else None))
    if not inside:
        gate = sketch.add("squash", Sigmoid())
    sketch.add("gated", Multiply(), gate, "x")
    graph = sketch.graph(gate=gate, output="gated")
    bare = verify(logits(graph))
    before, after = outputs(graph), outputs(bare)
    np.testing.assert_array_equal(before["output"], after["output"])
    np.testing.assert_allclose(inverse_sigmoid(before["gate"]), after["gate"], atol=1e-12)


def test_every_output_loses_its_own() -> None:
    sketch = Sketch(x=(8,))
    sketch.add("one", dense(4), "x")
    sketch.add("p", Softmax())
    sketch.add("two", dense(3, "softmax"), "x")
    graph = sketch.graph(a="p", b="two", again="p")
    bare = verify(logits(graph))
    assert [node.name for node in bare.nodes] == ["one", "two"]
    assert {each.name: each.value for each in bare.outputs} == {"a": "one", "b": "two", "again": "one"}


def test_a_scope_keeps_an_output() -> None:
    sketch = Sketch(x=(8,))
    sketch.add("head.dense1", dense(4), "x")
    sketch.add("head.softmax1", Softmax())
    sketch.scope(Scope("head", "head", "", ("x",), "head.softmax1", span()))
    bare = verify(logits(sketch.graph()))
    assert bare.scope_by_path["head"].output == "head.dense1"
    assert [node.name for node in bare.nodes] == ["head.dense1"]


def test_a_scope_of_a_softmax_alone_is_not_left_empty() -> None:
    sketch = Sketch(x=(8,))
    sketch.add("dense1", dense(4), "x")
    sketch.add("head.softmax1", Softmax())
    sketch.scope(Scope("head", "head", "", ("dense1",), "head.softmax1", span()))
    bare = verify(logits(sketch.graph()))
    assert str(bare.by_name["head.softmax1"].op) == "identity"
    np.testing.assert_array_equal(outputs(bare)["output"], forward(bare, initialise(bare), X)["dense1"])


def test_a_network_of_a_softmax_alone_is_not_left_empty() -> None:
    sketch = Sketch(x=(8,))
    sketch.add("end", Softmax())
    bare = verify(logits(sketch.graph()))
    assert [str(node.op) for node in bare.nodes] == ["identity"]


def test_an_activation_that_becomes_a_layer_takes_no_name_that_is_there() -> None:
    sketch = Sketch(x=(8,))
    sketch.add("a", dense(8, "sigmoid"))
    sketch.add("a_sigmoid", dense(8))
    sketch.add("both", Multiply(), "a", "a_sigmoid")
    graph = sketch.graph(a="a", output="both")
    bare = verify(logits(graph))
    np.testing.assert_array_equal(outputs(bare)["output"], outputs(graph)["output"])


def test_a_temperature_is_refused_and_not_forgotten() -> None:
    sketch = Sketch(x=(8,))
    sketch.add("end", Softmax(temperature=2.0))
    with pytest.raises(NoLogits, match="temperature 2"):
        logits(sketch.graph())
