"""Parameters, multiply-accumulates and memory, against figures that were published and sums done by hand."""

from __future__ import annotations

import json
import re
from math import prod
from pathlib import Path

import pytest

from netspec.analysis import Shapes, analyze
from netspec.graph import Graph
from netspec.ops.base import Inputs, Op
from netspec.ops.conv import Conv
from netspec.ops.dense import Dense
from netspec.ops.merge import Add
from netspec.ops.norm import BatchNorm
from netspec.ops.pool import AvgPool
from netspec.ops.reshape import Flatten, Identity
from tests.building import Sketch

ACCOUNTING = Path(__file__).parents[2] / "docs" / "accounting.md"


def conv(filters: int, kernel: int, **more: object) -> Conv:
    return Conv.model_validate({"filters": filters, "kernel": kernel, **more})


def one_layer() -> Shapes:
    sketch = Sketch(image=(3, 100, 150))
    sketch.add("conv1", conv(200, 5, padding="same"))
    return analyze(sketch.graph())


def three_layers() -> Shapes:
    sketch = Sketch(image=(3, 200, 300))
    for place, maps in enumerate((100, 200, 400)):
        sketch.add(f"conv{place + 1}", conv(maps, 3, stride=2, padding="same"))
    return analyze(sketch.graph())


def lenet5() -> Graph:
    sketch = Sketch("lenet5", image=(1, 32, 32))
    sketch.add("c1", conv(6, 5, activation="tanh"))
    sketch.add("s2", AvgPool.model_validate({"kernel": 2}))
    sketch.add("c3", conv(16, 5, activation="tanh"))
    sketch.add("s4", AvgPool.model_validate({"kernel": 2}))
    sketch.add("c5", conv(120, 5, activation="tanh"))
    sketch.add("flat", Flatten())
    sketch.add("f6", Dense.model_validate({"units": 84, "activation": "tanh"}))
    sketch.add("output", Dense(units=10))
    return sketch.graph()


def test_the_layer_of_200_maps() -> None:
    totals = one_layer().totals
    assert totals.params == 15_200
    assert totals.macs == 225_000_000
    output = 4 * totals.activations
    assert (output, 100 * output) == (12_000_000, 1_200_000_000)
    assert totals.memory.inference_bytes == output + 4 * 15_200


def test_the_three_layers() -> None:
    shapes = three_layers()
    assert [layer.output for layer in shapes.layers] == [(100, 100, 150), (200, 50, 75), (400, 25, 38)]
    memory = shapes.totals.memory
    assert shapes.totals.params == 903_400
    assert memory.weights_bytes == 3_613_600
    assert memory.inference_bytes == 6_000_000 + 3_000_000 + 3_613_600
    batch = 50 * memory.training_bytes_per_sample + memory.weights_bytes
    assert batch == 526_000_000 + 36_000_000 + 3_613_600


def test_lenet5_layer_by_layer() -> None:
    shapes = analyze(lenet5())
    rows = [(layer.output, layer.params, layer.macs, layer.receptive_field) for layer in shapes.layers]
    assert rows == [
        ((6, 28, 28), 156, 117_600, (5, 5)),
        ((6, 14, 14), 0, 0, (6, 6)),
        ((16, 10, 10), 2_416, 240_000, (14, 14)),
        ((16, 5, 5), 0, 0, (16, 16)),
        ((120, 1, 1), 48_120, 48_000, (32, 32)),
        ((120,), 0, 0, (32, 32)),
        ((84,), 10_164, 10_080, (32, 32)),
        ((10,), 850, 840, (32, 32)),
    ]
    assert (shapes.totals.params, shapes.totals.trainable, shapes.totals.layers) == (61_706, 61_706, 8)
    assert shapes.totals.activations == sum(4704 // 4**k for k in (0, 1)) + 1600 + 400 + 120 + 120 + 84 + 10


def test_statistics_are_no_parameters_and_frozen_ones_learn_nothing() -> None:
    sketch = Sketch(image=(3, 8, 8))
    sketch.add("conv", conv(4, 3, bias=False), trainable=False)
    sketch.add("norm", BatchNorm())
    totals = analyze(sketch.graph()).totals
    assert (totals.params, totals.trainable) == (4 * 27 + 8, 8)
    assert totals.memory.weights_bytes == 4 * totals.params


def test_shared_weights_are_counted_once() -> None:
    sketch = Sketch(a=(8,), b=(8,))
    left = sketch.add("left", Dense(units=8), "a")
    right = sketch.add("right", Dense(units=8), "b", shares="left")
    sketch.add("sum", Add(), left, right)
    shapes = analyze(sketch.graph())
    assert [layer.params for layer in shapes.layers] == [72, 0, 0]
    assert [layer.macs for layer in shapes.layers] == [64, 64, 0]
    assert (shapes.totals.params, shapes.totals.trainable, shapes.totals.macs) == (72, 72, 128)


def test_only_tensors_that_are_made_from_each_other_live_at_once() -> None:
    sketch = Sketch(x=(10,))
    sketch.add("large", Dense.model_validate({"units": 100, "bias": False}), "x")
    sketch.add("small", Dense.model_validate({"units": 1, "bias": False}), "large")
    sketch.add("other", Dense.model_validate({"units": 90, "bias": False}), "small")
    shapes = analyze(sketch.graph())
    assert shapes.totals.memory.inference_bytes == 4 * (shapes.totals.params + 101)


class Riddle(Identity):
    """Nobody knows what it costs or sees."""

    keyword = "riddle"

    def macs(self, inputs: Inputs) -> int | None:
        return None

    def reach(self, inputs: Inputs) -> None:
        return None


def test_what_is_not_known_is_null_in_the_layer_and_in_the_total() -> None:
    sketch = Sketch(x=(3, 8))
    sketch.add("conv", conv(4, 3))
    sketch.add("riddle", Riddle())
    told = analyze(sketch.graph()).as_dict()
    assert told["layers"][0]["macs"] == 4 * 6 * 3 * 3
    assert told["layers"][1]["macs"] is None
    assert told["layers"][1]["receptive_field"] is None
    assert told["layers"][1]["receptive_field_min"] is None
    assert told["totals"]["macs"] is None


def test_the_json_is_the_promised_one() -> None:
    sketch = Sketch("tiny", image=(1, 4, 4))
    sketch.add("conv1", conv(2, 3))
    assert json.loads(json.dumps(analyze(sketch.graph()).as_dict())) == {
        "netspec": 1,
        "name": "tiny",
        "inputs": {"image": [1, 4, 4]},
        "outputs": {"output": [2, 2, 2]},
        "layers": [
            {
                "name": "conv1",
                "op": "conv",
                "inputs": ["image"],
                "output": [2, 2, 2],
                "params": 20,
                "macs": 72,
                "bytes": 32,
                "receptive_field": [3, 3],
                "receptive_field_min": [3, 3],
                "file": "hand.yaml",
                "line": 2,
            }
        ],
        "totals": {
            "layers": 1,
            "params": 20,
            "trainable": 20,
            "macs": 72,
            "activations": 8,
            "memory": {"inference_bytes": 112, "training_bytes_per_sample": 96, "weights_bytes": 80},
        },
    }


def test_ten_thousand_layers_take_no_longer_each() -> None:
    sketch = Sketch(x=(2, 4))
    relu: Op = Identity()
    for place in range(10_000):
        sketch.add(f"layer{place}", relu)
    assert analyze(sketch.graph()).totals.layers == 10_000


SUM = re.compile(r"([\d,·+() ]+) = ([\d,]+)")
SUMS = [match.groups() for match in SUM.finditer(ACCOUNTING.read_text(encoding="utf-8"))]


def figures(shapes: Shapes) -> set[int]:
    """Every total that the docs derive by hand."""
    totals, memory = shapes.totals, shapes.totals.memory
    return {
        totals.params,
        memory.weights_bytes,
        *(4 * prod(layer.output) for layer in shapes.layers),
        *(layer.params for layer in shapes.layers),
    }


@pytest.mark.parametrize(("left", "right"), SUMS)
def test_the_docs_add_up(left: str, right: str) -> None:
    written = left.replace(",", "").replace("·", "*")
    assert eval(written) == int(right.replace(",", ""))  # noqa: S307 - digits, +, * and brackets alone


def test_the_docs_derive_what_is_calculated() -> None:
    results = {int(right.replace(",", "")) for _, right in SUMS}
    one, three = one_layer(), three_layers()
    assert results >= figures(one) - {one.totals.memory.weights_bytes}
    assert results >= figures(three)
    assert results >= {one.totals.macs, three.totals.memory.inference_bytes}
    assert three.totals.memory.training_bytes_per_sample in results
    fields = [layer.receptive_field for layer in three.layers]
    assert fields == [(3, 3), (7, 7), (15, 15)]
    assert results >= {3, 7, 15}
