"""The receptive field, against an experiment: move one value of the input, and see which outputs move."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from netspec.analysis.receptive import fields
from netspec.graph import Graph
from netspec.ops.activation import Relu, Softmax
from netspec.ops.base import Misfit, Op
from netspec.ops.conv import Conv
from netspec.ops.dense import Dense
from netspec.ops.merge import Add, Concat, Multiply
from netspec.ops.pool import AvgPool, GlobalAvgPool, MaxPool
from netspec.ops.reshape import Flatten
from netspec_numpy import forward
from tests.building import Sketch


def conv(
    kernel: int, stride: int = 1, padding: object = "valid", dilation: int = 1, filters: int = 2
) -> Conv:
    settings = {
        "filters": filters,
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
    }
    return Conv.model_validate(settings)


def measured(graph: Graph, name: str) -> tuple[int, Fraction]:
    """How many neighbouring values of a 1-D input the middle output sees, and how far apart two neighbours' are.

    All weights are positive, so that nothing cancels.
    """
    size = graph.inputs[0].type.sizes[0]
    weights = {each.name: np.full(each.shape, 0.5) for each in graph.weights}
    batch = np.ones((size + 1, 1, size))
    batch[1:, 0] += np.eye(size)
    outputs = np.asarray(forward(graph, weights, {"x": batch}, training=False)[name], "float64")
    moved = np.abs(outputs[1:] - outputs[0]).max(1) > 1e-9
    middle = moved.shape[1] // 2
    seen, neighbour = (np.flatnonzero(moved[:, place]) for place in (middle, middle + 1))
    return int(seen[-1] - seen[0] + 1), Fraction(int(neighbour[0] - seen[0]))


def random_chain(seed: int) -> Sketch:
    """A chain of windows, large enough that the middle sees no edge."""
    draw = random.Random(seed)
    sketch = Sketch(x=(1, 160))
    for place in range(draw.randint(1, 3)):
        window = {"kernel": draw.randint(1, 4), "stride": draw.randint(1, 2), "dilation": draw.randint(1, 3)}
        padding: object = draw.choice(["same", "valid", [[draw.randint(0, 3), draw.randint(0, 3)]]])
        pool: Op = AvgPool.model_validate({**window, "padding": padding})
        try:
            sketch.add(f"layer{place}", draw.choice([conv(**window, padding=padding), pool]))
        except Misfit:  # a pool whose padding alone fills a window
            sketch.add(f"layer{place}", conv(**window))
    return sketch


@pytest.mark.parametrize("seed", range(40))
def test_a_chain_sees_what_it_says(seed: int) -> None:
    graph = random_chain(seed).graph()
    name = graph.nodes[-1].name
    found = fields(graph)[name]
    assert found is not None
    assert (found.size[0], found.stride[0]) == measured(graph, name), f"seed {seed}\n{graph}"


@pytest.mark.parametrize("seed", range(20))
def test_two_paths_see_the_union(seed: int) -> None:
    draw = random.Random(seed)
    sketch = Sketch(x=(1, 64))
    ends = []
    for branch in "ab":
        sketch.add(f"{branch}1", conv(draw.randint(1, 5), padding="same", filters=1), "x")
        dilation = draw.randint(1, 4)
        pads = [[draw.choice([0, 1, 2]) * dilation, 0]]
        pads[0][1] = 2 * dilation - pads[0][0]
        ends.append(sketch.add(f"{branch}2", conv(3, padding=pads, dilation=dilation, filters=1)))
    sketch.add("sum", Add(), *ends)
    graph = sketch.graph()
    found = fields(graph)["sum"]
    assert found is not None
    assert (found.size[0], found.stride[0]) == measured(graph, "sum"), f"seed {seed}\n{graph}"


def seen(sketch: Sketch) -> tuple[int, ...] | None:
    graph = sketch.graph()
    found = fields(graph)[graph.nodes[-1].name]
    return None if found is None else found.size


def test_a_shift_widens_the_union() -> None:
    sketch = Sketch(x=(1, 16))
    left = sketch.add("left", conv(3, padding=[[2, 0]]), "x")
    right = sketch.add("right", conv(3, padding=[[0, 2]]), "x")
    sketch.add("sum", Add(), left, right)
    assert seen(sketch) == (5,)


def test_what_sees_everything_sees_the_whole_input() -> None:
    sketch = Sketch(image=(3, 20, 30))
    sketch.add("conv", conv(3))
    pooled = sketch.add("pool", GlobalAvgPool())
    assert seen(sketch) == (20, 30)
    sketch.add("scale", Multiply(), "conv", pooled)
    assert seen(sketch) == (20, 30)
    sketch.add("later", conv(3, stride=2))
    sketch.add("flat", Flatten())
    sketch.add("dense", Dense(units=3))
    assert seen(sketch) == (20, 30)
    assert fields(sketch.graph())["later"].stride == (None, None)  # type: ignore[union-attr]


def test_paths_of_different_strides_have_no_common_field() -> None:
    sketch = Sketch(x=(2, 16))
    fast = sketch.add("fast", conv(1, stride=2), "x")
    slow = sketch.add("slow", conv(9), "x")
    sketch.add("sum", Add(), fast, slow)
    assert seen(sketch) is None
    sketch.add("relu", Relu())
    assert seen(sketch) is None
    sketch.add("flat", Flatten())
    assert seen(sketch) == (16,)


def test_each_axis_has_its_own_field_and_stride() -> None:
    sketch = Sketch(x=(1, 30, 30, 30))
    sketch.add("conv", Conv.model_validate({"filters": 1, "kernel": [1, 3, 5], "stride": [1, 2, 3]}))
    sketch.add("pool", MaxPool.model_validate({"kernel": 2}))
    found = fields(sketch.graph())["pool"]
    assert found is not None
    assert found.size == (2, 5, 8)
    assert found.stride == (Fraction(2), Fraction(4), Fraction(6))


def test_inputs_of_one_size_are_joined_and_others_are_not() -> None:
    same = Sketch(a=(1, 16), b=(1, 16))
    same.add("wide", conv(5, padding="same"), "a")
    same.add("both", Concat(), "wide", "b")
    assert seen(same) == (5,)
    other = Sketch(a=(1, 16), b=(2, 12))
    other.add("wide", conv(5), "a")
    other.add("both", Add(), "wide", "b")
    assert seen(other) is None


def test_a_vector_beside_a_map_has_no_field_of_its_own() -> None:
    sketch = Sketch(a=(2, 16), z=(2,))
    sketch.add("vector", Softmax(), "z")
    assert seen(sketch) == ()
    sketch.add("both", Add(), sketch.add("map", conv(3), "a"), "vector")
    assert seen(sketch) == (3,)


def test_a_concatenation_in_space_is_not_known() -> None:
    sketch = Sketch(x=(1, 16))
    sketch.add("twice", Concat(axis="time"), "x", "x")
    assert seen(sketch) is None
