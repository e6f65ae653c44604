"""The receptive field, against an experiment: move one value of the input, and see which outputs move."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from netspec.analysis import analyze
from netspec.analysis.receptive import AxisFields, ValueFields, _view, fields
from netspec.check import check_text
from netspec.graph import Graph
from netspec.loading import load
from netspec.ops.activation import Relu, Softmax
from netspec.ops.base import Inputs, Misfit, Op
from netspec.ops.conv import Conv
from netspec.ops.dense import Dense
from netspec.ops.merge import Add, Concat, Multiply
from netspec.ops.pool import AvgPool, GlobalAvgPool, MaxPool, MaxUnpool
from netspec.ops.reach import Reach
from netspec.ops.reshape import Flatten
from netspec.ops.transpose import ConvTranspose
from netspec.types import Type
from tests.building import Sketch
from tests.oracle import forward


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


def test_a_value_that_is_put_back_sees_what_its_window_saw() -> None:
    sketch = Sketch(x=(2, 16))
    sketch.add("conv", conv(3, padding="same"))
    sketch.add("pool", MaxPool.model_validate({"kernel": 2}))
    sketch.add("plain", MaxUnpool(), "pool", "pool.indices")
    assert seen(sketch) == (4,)
    sketch.add("code", conv(3, padding="same"), "pool")
    sketch.add("back", MaxUnpool(), "code", "pool.indices")
    assert seen(sketch) == (8,)
    found = fields(sketch.graph())["back"]
    assert found is not None
    assert found.stride == (Fraction(1),)


class Query(Add):
    """Each position of its first input, beside all of the second."""

    keyword = "query"

    def reaches(self, inputs: Inputs) -> list[Reach | None]:
        return [Reach.each(1), Reach.whole(1)]


def test_each_input_has_its_own_reach() -> None:
    for first, second, field in (("near", "x", 16), ("x", "x", 16), ("x", "near", 16)):
        sketch = Sketch(x=(2, 16))
        sketch.add("near", conv(3, padding="same"))
        sketch.add("both", Query(), first, second)
        assert seen(sketch) == (field,)
    sketch = Sketch(x=(2, 16), y=(2, 16))
    sketch.add("both", Query(), "x", "y")
    reaches = sketch.graph().nodes[0].op.reaches([Type(2, (16,))] * 2)
    view = _view(reaches, [ValueFields({"x": (AxisFields(0),)}), ValueFields({"y": (AxisFields(0),)})])
    assert view.inputs == {"x": (AxisFields(0),), "y": ("whole",)}


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


POSITIONS: dict[str, tuple[str, tuple[int, ...] | None, tuple[int, ...] | None]] = {
    "a mean repeated": ("input: [1, 64]\nlayers: [{avg_pool: 2}, {upsample: 2}]", (2,), (2,)),
    "one level of a u-net": (
        """
        input: [1, 64]
        layers:
          - conv: {filters: 2, kernel: 3, padding: 1}
            name: skip
          - max_pool: 2
          - conv: {filters: 2, kernel: 3, padding: 1}
          - conv_transpose: {filters: 2, kernel: 2, stride: 2}
            name: grown
          - concat:
            from: [grown, skip]
        """,
        (8,),
        (8,),
    ),
    "portions that share positions": ("input: [1, 64]\nlayers: [{adaptive_avg_pool: 10}]", (8,), (7,)),
    "portions of what windows see": (
        "input: [2, 30, 21]\nlayers: [{conv: {filters: 1, kernel: 3}}, {adaptive_max_pool: [4, 5]},"
        " {conv: {filters: 1, kernel: 2}}]", (16, 11), (16, 10),
    ),
    "a map of one position": (
        "input: [2, 9, 8]\nlayers: [{global_avg_pool: {keep: true}}, {conv: {filters: 3, kernel: 1}}]", (9, 8), (9, 8),
    ),
    "a convolution over repeated values": (
        "input: [1, 64]\nlayers: [{upsample: 2}, {conv: {filters: 1, kernel: 4}}]", (3,), (2,),
    ),
    "linear by 1": ("input: [1, 64]\nlayers: [{upsample: {factor: 1, mode: linear}}]", (1,), (1,)),
    "linear by 2": ("input: [1, 64]\nlayers: [{upsample: {factor: 2, mode: linear}}]", (2,), (2,)),
    "linear by 3": ("input: [1, 64]\nlayers: [{upsample: {factor: 3, mode: linear}}]", (2,), (1,)),
    "cubic by 2": ("input: [1, 64]\nlayers: [{upsample: {factor: 2, mode: cubic}}]", (4,), (4,)),
    "cubic by 3": ("input: [1, 64]\nlayers: [{upsample: {factor: 3, mode: cubic}}]", (4,), (1,)),
    "two of three, averaged": ("input: [1, 63]\nlayers: [{resize: {size: 42, mode: area}}]", (2,), (2,)),
    "a third, and a half, of a line": (
        "input: [1, 96]\nlayers: [{resize: {size: 32, mode: linear}}, {resize: {size: 16, mode: linear}}]", (4,), (4,),
    ),
    "a third, antialiased": (
        "input: [1, 96]\nlayers: [{resize: {size: 32, mode: linear, antialias: true}}]", (5,), (5,),
    ),
    "two fifths, antialiased": (
        "input: [1, 100]\nlayers: [{resize: {size: 40, mode: cubic, antialias: true}}]", (10,), (10,),
    ),
    "corners that fall together": (
        "input: [1, 33]\nlayers: [{upsample: {size: 65, mode: linear, align_corners: true}}]", (2,), (1,),
    ),
    "a size that is no multiple": (
        "input: [1, 64]\nlayers: [{upsample: {size: 96}}, {conv: {filters: 1, kernel: 2}}]", (2,), (1,),
    ),
    "outputs between the taps see nothing": (
        "input: [1, 64]\nlayers: [{conv_transpose: {filters: 1, kernel: 1, stride: 2}}]", (1,), (0,),
    ),
    "a dilated window over every second that sees nothing": (
        "input: [1, 64]\nlayers: [{conv_transpose: {filters: 1, kernel: 1, stride: 2}},"
        " {conv: {filters: 1, kernel: 3, dilation: 2}}]", (3,), (0,),
    ),
    "a dilated transposed window takes others by turns": (
        "input: [1, 64]\nlayers: [{conv_transpose: {filters: 1, kernel: 3, stride: 2, dilation: 3}}]", (4,), (1,),
    ),
    "nothing along one axis is nothing": (
        "input: [1, 16, 16]\nlayers: [{conv_transpose: {filters: 1, kernel: [1, 3], stride: [2, 1]}}]",
        (1, 3), (0, 0),
    ),
    "holes beside another map": (
        """
        input: [1, 16, 16]
        layers:
          - conv_transpose: {filters: 1, kernel: 1, stride: 2}
            name: holes
          - upsample: 2
            from: input
          - crop: {like: holes}
          - add:
            from: [holes, crop1]
        """,
        None, None,
    ),
    "a shuffle of mixed channels": (
        "input: [4, 64]\nlayers: [{conv: {filters: 4, kernel: 3}}, {depth_to_space: 2}]", (3,), (3,),
    ),
    "there and back by a sum of mixed channels": (
        """
        input: [4, 64]
        layers:
          - add:
              - [{conv: {filters: 4, kernel: 3, padding: 1}}]
              - []
          - depth_to_space: 2
        """,
        (3,), (3,),
    ),
    # Which position it is decides which channels it sees, and these do not see the same.
    "a shuffle of channels that see different places": (
        "input: [1, 64]\nlayers: [{space_to_depth: 2}, {depth_to_space: 2}]", None, None,
    ),
    "the same, mixed between": (
        "input: [1, 64]\nlayers: [{space_to_depth: 2}, {dense: 2}, {depth_to_space: 2}]", (2,), (2,),
    ),
    "a reshape that leaves the axes alone": (
        "input: [4, 30, 20]\nlayers: [{conv: {filters: 6, kernel: [3, 5]}}, {reshape: [6, 28, 16]},"
        " {conv: {filters: 1, kernel: [1, 3]}}]", (3, 7), (3, 7),
    ),
    "a reshape of an axis into channels": (
        "input: [4, 30, 20]\nlayers: [{conv: {filters: 6, kernel: [3, 5]}}, {reshape: [168, 16]}]", (30, 5), (30, 5),
    ),
    "a reshape that cuts an axis in two": (
        "input: [4, 30, 20]\nlayers: [{conv: {filters: 6, kernel: [3, 5]}}, {reshape: [6, 28, 8, 2]}]", None, None,
    ),
    "a permute that leaves the axes alone": (
        "input: [4, 30, 20]\nlayers: [{conv: {filters: 6, kernel: [3, 5]}}, {permute: [channels, height, width]},"
        " {conv: {filters: 1, kernel: [1, 3]}}]", (3, 7), (3, 7),
    ),
    # The numbers stand in the order of the input's axes; the next window slides along the axes as they are then.
    "a permute that swaps the axes": (
        "input: [4, 30, 20]\nlayers: [{conv: {filters: 6, kernel: [3, 5]}}, {permute: [channels, width, height]},"
        " {conv: {filters: 1, kernel: [1, 3]}}]", (5, 5), (5, 5),
    ),
    "a permute of an axis into channels": (
        "input: [4, 30, 20]\nlayers: [{conv: {filters: 6, kernel: [3, 5]}}, {permute: [height, channels, width]}]",
        (30, 5), (30, 5),
    ),
    "a map as long as it is far": (
        "input: [1, 1, 9]\nlayers: [{reshape: [1, 1, 9]}, {conv: {filters: 1, kernel: [1, 3]}}]", (1, 3), (1, 3),
    ),
    "a shuffle of channels, as ShuffleNet has it": (
        """
        input: [4, 30, 20]
        layers:
          - conv: {filters: 6, kernel: [3, 5]}
          - conv: {filters: 6, kernel: 1, groups: 3}
          - reshape: [3, 2, 28, 16]
          - permute: [depth, channels, height, width]
          - reshape: [6, 28, 16]
          - depthwise_conv: {kernel: 3}
        """,
        (5, 7), (5, 7),
    ),
    "channels of the whole, flattened and back": (
        "input: [2, 8]\nlayers: [global_avg_pool, flatten, {reshape: [2, 1]}]", (8,), (8,),
    ),
    "the other way round": (
        "input: [1, 64]\nlayers: [{conv: {filters: 1, kernel: 3, stride: 2}}, {reverse: time},"
        " {conv: {filters: 1, kernel: 2}}]", (5,), (5,),
    ),
    "twice the other way round, beside itself": (
        """
        input: [1, 64]
        layers:
          - add:
              - [{reverse: time}, {conv: {filters: 1, kernel: 3, padding: causal}}, {reverse: time}]
              - [{conv: {filters: 1, kernel: 3, padding: causal}}]
        """,
        (5,), (5,),
    ),
    "the other way round beside itself": (
        "input: [1, 64]\nlayers: [{add: [[{reverse: time}], []]}]", None, None,
    ),
    "larger, the other way round": (
        "input: [1, 64]\nlayers: [{upsample: 3}, {reverse: time}, {conv: {filters: 1, kernel: 4}}]", (2,), (2,),
    ),
    "moved on": (
        "input: [1, 64]\nlayers: [{conv: {filters: 1, kernel: 3}}, {roll: 5}, {conv: {filters: 1, kernel: 2}}]",
        (4,), (4,),
    ),
    # Before and after the seam, the two lie at other distances.
    "moved on beside itself": ("input: [1, 64]\nlayers: [{add: [[{roll: 5}], []]}]", None, None),
    "moved on beside what is moved on as far": (
        "input: [1, 64]\nlayers: [{add: [[{roll: 5}, relu], [{roll: 5}, tanh]]}]", (1,), (1,),
    ),
    "moved on by nothing": ("input: [1, 64]\nlayers: [{add: [[{roll: 64}], []]}]", (1,), (1,)),
    "some of the positions": (
        "input: [1, 64]\nlayers: [{upsample: {size: 96}}, {conv: {filters: 1, kernel: 2}}, {gather: [9, 4, 5, 5]}]",
        (2,), (1,),
    ),
    "evenly spaced positions": (
        "input: [1, 64]\nlayers: [{gather: [9, 6, 3, 0]}, {conv: {filters: 1, kernel: 2}}]", (4,), (4,),
    ),
    "a window over positions that are not": (
        "input: [1, 64]\nlayers: [{gather: [9, 4, 5, 5]}, {conv: {filters: 1, kernel: 2}}]", None, None,
    ),
    "one of several positions with fields of their own": (
        "input: [1, 64]\nlayers: [{upsample: {size: 96}}, {conv: {filters: 1, kernel: 2}}, {take: 4}]", (2,), (2,),
    ),
    "one row": (
        "input: [2, 16, 20]\nlayers: [{conv: {filters: 1, kernel: [3, 5]}}, {take: {position: 4, axis: height}},"
        " {conv: {filters: 1, kernel: 3}}, global_avg_pool]", (3, 20), (3, 20),
    ),
    "two rows": (
        "input: [2, 16, 20]\nlayers: [{add: [[{take: {position: 4, axis: height}}],"
        " [{take: {position: -3, axis: height}}, {conv: {filters: 2, kernel: 3, padding: same}}]]}]", (10, 3), (10, 3),
    ),
    "a row that sees nothing": (
        "input: [1, 6, 9]\nlayers: [{conv_transpose: {filters: 1, kernel: 1, stride: 2}},"
        " {take: {position: 1, axis: height}}]", (0, 0), (0, 0),
    ),
    "a row beside a map": (
        "input: [2, 16]\nlayers: [{add: [[{take: 4}], []]}]", None, None,
    ),
    "the last step of each sample": (
        "inputs: {x: [2, 16], n: {shape: [], vocabulary: 17}}\nlayers: [{take: -1, from: [x, n]}]", (1,), (1,),
    ),
    "positions that the data name": (
        """
        inputs: {x: [2, 16], places: {shape: [], vocabulary: 7}}
        layers:
          - {conv: {filters: 2, kernel: 3, stride: 2}, from: x, name: y}
          - {gather: , from: [y, places]}
        """,
        (3,), (3,),
    ),
    "channels that the data name": (
        "inputs: {x: [9], n: {shape: [3], vocabulary: 5}}\nlayers: [{gather: {axis: channels}, from: [x, n]}]",
        (3,), (3,),
    ),
    "positions with fields of their own, that the data name": (
        """
        inputs: {x: [1, 64], places: {shape: [], vocabulary: 90}}
        layers:
          - {upsample: {size: 96}, from: x}
          - {conv: {filters: 1, kernel: 2}, name: y}
          - {gather: , from: [y, places]}
        """,
        None, None,
    ),
    "the first part beside the last": (
        """
        input: [1, 64]
        layers:
          - split: {parts: [a, b], axis: time}
            name: halves
          - add:
            from: [halves.a, halves.b]
        """,
        (33,), (33,),
    ),
    "the last part": (
        """
        input: [1, 64]
        layers:
          - split: {parts: [a, b, c, d], axis: time}
            name: quarters
          - concat:
            from: [quarters, quarters.b, quarters.c]
          - conv: {filters: 1, kernel: 3}
        """,
        (35,), (35,),
    ),
    "flattened and back": ("input: [2, 8]\nlayers: [flatten, {reshape: [2, 8]}]", None, None),
    "flattened, mixed, and back": ("input: [2, 8]\nlayers: [flatten, {dense: 16}, {reshape: [2, 8]}]", (8,), (8,)),
    "a window of a billion": (
        "input: [1, 4000000000]\nlayers: [{avg_pool: {kernel: 1000000000, stride: 7}}, {upsample: 3}]",
        (10**9,), (10**9,),
    ),
    "a billion phases": (
        "input: [1, 64]\nlayers: [{upsample: 1000000000}, {conv: {filters: 1, kernel: 3}}]", None, None,
    ),
    "a billion zeros between": (
        "input: [1, 64]\nlayers: [{conv_transpose: {filters: 1, kernel: 3, stride: 1000000000}}]", None, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", POSITIONS)
def test_what_one_position_sees(case: str) -> None:
    text, largest, smallest = POSITIONS[case]
    graph, diagnostics = check_text("netspec: 1\nname: seen\n" + dedent(text).lstrip("\n"), "seen.yaml")
    assert graph is not None, diagnostics
    layer = analyze(graph).layers[-1]
    assert (layer.receptive_field, layer.receptive_field_min) == (largest, smallest)


def test_the_u_net_by_position() -> None:
    last = load("zoo:unet").shapes().layers[-1]
    assert (last.receptive_field_min, last.receptive_field) == ((188, 188), (204, 204))
    assert str(last.receptive) == "188–204×188–204"


def test_v_net_and_how_its_table_counts() -> None:
    """Milletari et al. 2016, table 1: going down alike, going up another convention (see docs/accounting.md)."""
    stages = [1, 2, 3, 3, 3]
    sketch = Sketch(x=(1, 2048))
    for stage, count in enumerate(stages):
        if stage:
            sketch.add(f"down{stage}", conv(2, stride=2))
        for place in range(count):
            sketch.add(f"left{stage + 1}.{place}", conv(5, padding="same"))
    for stage, count in zip((4, 3, 2, 1), (3, 3, 2, 1), strict=True):
        up = ConvTranspose.model_validate({"filters": 2, "kernel": 2, "stride": 2})
        sketch.add(f"up{stage}", up)
        sketch.add(f"join{stage}", Concat(), f"up{stage}", f"left{stage}.{stages[stage - 1] - 1}")
        for place in range(count):
            sketch.add(f"right{stage}.{place}", conv(5, padding="same"))
    found = fields(sketch.graph())
    ends = [
        "left1.0",
        "left2.1",
        "left3.2",
        "left4.2",
        "left5.2",
        "right4.2",
        "right3.2",
        "right2.1",
        "right1.0",
    ]
    ours = [each for name in ends if (each := found[name]) is not None]
    assert [each.size[0] for each in ours[:5]] == [5, 22, 72, 172, 372]
    table, jump = 372, 16
    rows = []
    for count in (3, 3, 2, 1):
        jump //= 2
        table += jump + count * 4 * jump
        rows.append(table)
    assert rows == [476, 528, 546, 551]
    assert [(each.smallest[0], each.size[0]) for each in ours[5:]] == RIGHT_STAGES
    text = (Path(__file__).parents[2] / "docs" / "accounting.md").read_text(encoding="utf-8")
    for row, (low, high) in zip(rows, RIGHT_STAGES, strict=True):
        assert f"| {row} | {low if low == high else f'{low}–{high}'} |" in text


RIGHT_STAGES = [(468, 468), (516, 516), (532, 532), (532, 548)]


def test_a_concatenation_in_space_is_not_known() -> None:
    sketch = Sketch(x=(1, 16))
    sketch.add("twice", Concat(axis="time"), "x", "x")
    assert seen(sketch) is None
