"""The one table of op configurations: every op in 1, 2 and 3 dimensions, every field, every padding.

A row is what an author writes and what flows in. Every backend's suite runs every row, against the oracle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from netspec.graph import Graph
from netspec.ops import OPS
from netspec.ops.dense import Dense
from tests.building import Sketch

Shape = tuple[int, ...]

SIZES: dict[int, Shape] = {1: (9,), 2: (8, 7), 3: (5, 7, 6)}
CHANNELS = 4
ACTIVATIONS: tuple[tuple[str, object], ...] = (
    ("relu", "relu"),
    ("leaky", {"leaky_relu": 0.25}),  # a slope that float32 holds
    ("sigmoid", "sigmoid"),
    ("tanh", "tanh"),
    ("softmax", "softmax"),
    ("warm_softmax", {"softmax": {"temperature": 2.0}}),
)


@dataclass(frozen=True)
class Case:
    """One op, as written, on inputs of these shapes (channels first, without the batch)."""

    name: str
    keyword: str
    fields: dict[str, Any]
    inputs: tuple[Shape, ...]
    trainable: bool = True

    def graph(self, learning: bool = False) -> Graph:
        """The network of this one layer, called `layer`.

        When `learning`, a dense layer stands before each input, so that the gradient by it tells of what flows back.
        """
        sketch = Sketch(self.name, **{f"in{number}": shape for number, shape in enumerate(self.inputs)})
        op = OPS[self.keyword].model_validate(self.fields)
        values = [f"in{number}" for number in range(len(self.inputs))]
        if learning:
            values = [
                sketch.add(f"dense{number}", Dense(units=shape[0]), value)
                for number, (value, shape) in enumerate(zip(values, self.inputs, strict=True), start=1)
            ]
        sketch.add("layer", op, *values, trainable=self.trainable)
        return sketch.graph()


def _row(name: str, keyword: str, *inputs: Shape, trainable: bool = True, **fields: Any) -> Case:
    rank = "".join(dict.fromkeys(str(len(shape) - 1) for shape in inputs))
    return Case(f"{keyword}_{rank}d_{name}", keyword, fields, inputs, trainable)


def _map(rank: int, channels: int = CHANNELS) -> Shape:
    return (channels, *SIZES[rank])


def _paddings(rank: int) -> Iterator[tuple[str, Any]]:
    yield from ((word, word) for word in ("valid", "same", "half", "full"))
    yield "one", 1
    yield "per_axis", [1, 2, 0][:rank]
    yield "pairs", [[0, 1], [2, 1], [1, 2]][:rank]
    yield "before", [[2, 0], [1, 0], [1, 0]][:rank]
    if rank == 1:
        yield "causal", "causal"


def _conv() -> Iterator[Case]:
    for rank in SIZES:
        x = _map(rank)
        kernels: list[Any] = [3, [2, 3, 1][:rank]]
        yield _row("unit", "conv", x, filters=5, kernel=1)
        yield _row("no_bias", "conv", x, filters=5, kernel=3, bias=False)
        yield _row("grouped", "conv", x, filters=6, kernel=2, groups=2)
        yield _row("depthwise", "conv", x, filters=8, kernel=3, groups=4, padding="same")
        yield _row("strides", "conv", x, filters=3, kernel=3, stride=[2, 1, 3][:rank], padding="same")
        yield _row("dilated", "conv", x, filters=3, kernel=2, dilation=[3, 2, 1][:rank], padding="same")
        yield _row("strided_dilated", "conv", x, filters=3, kernel=3, stride=2, dilation=2, padding="half")
        yield _row("all", "conv", x, filters=6, kernel=kernels[1], stride=2, groups=2, padding="full",
                   dilation=2, bias=False, activation="relu")  # fmt: skip
        for name, padding in _paddings(rank):
            yield _row(f"pad_{name}", "conv", x, filters=3, kernel=kernels[0], padding=padding)
            yield _row(
                f"pad_{name}_strided", "conv", x, filters=3, kernel=kernels[1], stride=2, padding=padding
            )
        for name, activation in ACTIVATIONS:
            yield _row(name, "conv", x, filters=3, kernel=2, activation=activation)


def _pool() -> Iterator[Case]:
    for rank in SIZES:
        x = _map(rank, 2)
        for keyword, variants in (("max_pool", [{}]), ("avg_pool", [{}, {"count_padding": True}])):
            for more in variants:
                counted = "_counted" if more else ""
                yield _row(f"plain{counted}", keyword, x, kernel=2, **more)
                yield _row(f"dense{counted}", keyword, x, kernel=[3, 2, 2][:rank], stride=1, **more)
                yield _row(f"dilated{counted}", keyword, x, kernel=2, dilation=2, stride=1, **more)
                yield _row(f"dilated_padded{counted}", keyword, x, kernel=2, dilation=[2, 3, 1][:rank],
                           stride=2, padding=1, rounding="ceil", **more)  # fmt: skip
                for name, padding in _paddings(rank):
                    # A pool wants input in every window.
                    kernel = [3, 4, 3][:rank]
                    yield _row(
                        f"pad_{name}{counted}", keyword, x, kernel=kernel, stride=2, padding=padding, **more
                    )
                    yield _row(f"ceil_{name}{counted}", keyword, x, kernel=kernel, stride=[2, 3, 2][:rank],
                               padding=padding, rounding="ceil", **more)  # fmt: skip
        yield _row("whole", "global_avg_pool", x)
        yield _row("whole", "global_max_pool", x)


def _dense() -> Iterator[Case]:
    for x in ((6,), *(_map(rank) for rank in SIZES)):
        yield _row("plain", "dense", x, units=5)
        yield _row("no_bias", "dense", x, units=5, bias=False)
        for name, activation in ACTIVATIONS:
            yield _row(name, "dense", x, units=3, activation=activation)


def _elementwise() -> Iterator[Case]:
    for x in ((6,), *(_map(rank) for rank in SIZES)):
        for keyword in ("relu", "sigmoid", "tanh", "softmax", "identity", "flatten"):
            yield _row("plain", keyword, x)
        yield _row("plain", "leaky_relu", x, slope=0.25)
        yield _row("warm", "softmax", x, temperature=4.0)
        yield _row("none", "dropout", x, rate=0.0)
        yield _row("half", "dropout", x, rate=0.5)
        yield _row("plain", "batch_norm", x)
        yield _row("slow", "batch_norm", x, momentum=0.99, epsilon=1e-3)
        yield _row("frozen", "batch_norm", x, trainable=False)


def _merges() -> Iterator[Case]:
    vector = (CHANNELS,)
    yield _row("vectors", "concat", (3,), (5,))
    for keyword in ("add", "multiply"):
        yield _row("vectors", keyword, vector, vector, vector)
    for rank in SIZES:
        x, thin = _map(rank), _map(rank, 1)
        for keyword in ("add", "multiply"):
            yield _row("two", keyword, x, x)
            yield _row("three", keyword, x, x, x)
            yield _row("vector_last", keyword, x, vector)
            yield _row("vector_first", keyword, vector, x)
            yield _row("one_channel", keyword, x, thin)
            yield _row("one_channel_first", keyword, thin, x, vector)
        yield _row("two", "concat", x, thin)
        yield _row("three", "concat", x, thin, x)
        for axis in {1: ("time",), 2: ("height", "width"), 3: ("depth", "height", "width", "time")}[rank]:
            yield _row(axis, "concat", x, x, axis=axis)


CASES: tuple[Case, ...] = (*_conv(), *_pool(), *_dense(), *_elementwise(), *_merges())
