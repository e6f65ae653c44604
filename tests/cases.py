"""The one table of op configurations: every op in 1, 2 and 3 dimensions, every field, every padding.

A row is what an author writes and what flows in. Every backend's suite runs every row, against the oracle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from netspec.graph import Graph
from netspec.ops import OPS
from netspec.ops.dense import Dense
from netspec.ops.indices import Embedding
from netspec.ops.pool import MaxPool
from netspec.ops.reshape import Identity
from netspec.types import Type
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
OTHERS = ("relu6", "elu", "selu", "gelu", "silu", "hard_swish", "hard_sigmoid", "softplus")


@dataclass(frozen=True)
class Case:
    """One op, as written, on inputs of these shapes (channels first, without the batch)."""

    name: str
    keyword: str
    fields: dict[str, Any]
    inputs: tuple[Shape, ...]
    trainable: bool = True
    pool: dict[str, Any] | None = None
    """The fields of a max pool of the last input, whose indices the op takes in place of that input."""
    vocabulary: int | None = None
    """The number of indices of which the input is a map; an op that gives indices stands before an embedding."""
    part: str = ""
    """The further output that the network ends in, beside the first one."""
    below: int | None = None
    """The limit of a last input of one whole number a sample."""
    listed: Shape = ()
    """The shape of that input, if it is a list of them."""
    ports: tuple[str, ...] = ()
    """The further outputs that are outputs of the network."""
    before: str = ""
    """The op before each input, where not every number is one that it can take."""
    slow: bool = False
    """Whether only the slow tests run it in all backends."""
    engines: bool = False
    """Whether Keras' other engines run it although it is slow."""

    @property
    def marks(self) -> tuple[pytest.MarkDecorator, ...]:
        """The marks of a test of this row."""
        return (pytest.mark.slow,) * self.slow + (pytest.mark.engines,) * self.engines

    def graph(self, learning: bool = False) -> Graph:
        """The network of this one layer, called `layer`.

        When `learning`, a dense layer stands before each input, so that the gradient by it tells of what flows back.
        """
        op = OPS[self.keyword].model_validate(self.fields)
        if self.vocabulary is not None:
            sketch = Sketch(self.name)
            sketch.words("in0", self.inputs[0], self.vocabulary)
            sketch.add("layer", op, trainable=self.trainable)
            return self._ended(sketch)
        sketch = Sketch(self.name, **{f"in{number}": shape for number, shape in enumerate(self.inputs)})
        values = [f"in{number}" for number in range(len(self.inputs))]
        if learning:
            values = [
                sketch.add(f"dense{number}", Dense(units=shape[0]), value)
                for number, (value, shape) in enumerate(zip(values, self.inputs, strict=True), start=1)
            ]
        if self.before:
            values = [sketch.add(f"before{value}", OPS[self.before](), value) for value in values]
        if self.pool is not None:
            sketch.add("pool", MaxPool.model_validate(self.pool), values.pop())
            values.append("pool.indices")
        if self.below is not None:
            values.append(sketch.words("lengths", self.listed, self.below))
        sketch.add("layer", op, *values, trainable=self.trainable)
        return self._ended(sketch)

    def _ended(self, sketch: Sketch) -> Graph:
        ends = {"output": "layer", **({self.part: f"layer.{self.part}"} if self.part else {})}
        for name, value in ends.items():
            if sketch.types[value].kind == "indices":
                ends[name] = sketch.add(f"vectors_{name}", Embedding(units=3), value)
        further = {f"further{n}": f"layer.{port}" for n, port in enumerate(self.ports)}
        for name, value in further.items():
            ends[name] = sketch.add(name, Identity(), value)
        return sketch.graph(**ends)


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


PADDED = re.compile(
    r"(conv|conv_transpose|max_pool|avg_pool)_[13]d_(pad|ceil)_(valid|half|full|one|per_axis|before)(_|$)"
)
"""Rows that differ from one in two dimensions only by their rank, and from one of their rank only by the padding."""


def _quick(rows: Iterator[Case]) -> Iterator[Case]:
    """The rows, of which a run of the quick tests leaves out those that repeat others most."""
    for row in rows:
        yield replace(row, slow=True, engines=True) if PADDED.match(row.name) else row


def _conv() -> Iterator[Case]:
    for rank in SIZES:
        x = _map(rank)
        kernels: list[Any] = [3, [2, 3, 1][:rank]]
        yield _row("unit", "conv", x, filters=5, kernel=1)
        yield _row("no_bias", "conv", x, filters=5, kernel=3, bias=False)
        yield _row("grouped", "conv", x, filters=6, kernel=2, groups=2)
        if rank == 1:
            values = [[[0.5, -1]] * CHANNELS, [[2, 0.125]] * CHANNELS]
            row = _row("values", "conv", x, filters=2, kernel=2, init={"values": values})
            yield replace(row, fields={**row.fields, "bias_init": {"values": [1, -2]}})
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
        for keyword in ("adaptive_avg_pool", "adaptive_max_pool"):
            rows = {"odd": [4, 3, 4][:rank], "even": [3, 4, 5][:rank], "one": 1, "whole": list(x[1:])}
            for name, size in rows.items():
                slow = name != "odd" or rank == 1
                yield replace(_row(name, keyword, x, size=size), slow=slow, engines=name == "even")
        yield _row("kept", "global_avg_pool", x, keep=True)
        yield _row("kept", "global_max_pool", x, keep=True)


def _unpool() -> Iterator[Case]:
    for rank in SIZES:
        x = _map(rank, 2)
        pools: dict[str, dict[str, Any]] = {
            "plain": {"kernel": 2},
            "ceil": {"kernel": 2, "rounding": "ceil"},
            "apart": {"kernel": 2, "stride": [3, 2, 4][:rank]},
            "per_axis": {"kernel": [3, 2, 1][:rank]},
            "padded": {"kernel": 3, "padding": 1, "rounding": "ceil"},
            "same": {"kernel": [2, 3, 4][:rank], "padding": "same"},
            "before": {"kernel": 3, "padding": [[2, 0], [2, 1], [0, 2]][:rank]},
            "dilated": {"kernel": 2, "dilation": 3, "stride": 2, "padding": 1},
            "dilated_far": {"kernel": 2, "dilation": 3, "stride": 2, "padding": 2},
            "whole": {"kernel": list(SIZES[rank])},
        }
        for name, fields in pools.items():
            pool = MaxPool.model_validate(fields).resolve((Type(x[0], x[1:]),))
            (values, _) = pool.outputs((Type(x[0], x[1:]),))
            yield Case(f"max_unpool_{rank}d_{name}", "max_unpool", {}, (values.shape, x), pool=fields)
    # One window, which strides by less than it covers.
    fields = {"kernel": 2, "stride": 1, "padding": "same"}
    yield Case("max_unpool_1d_single", "max_unpool", {}, ((2, 1), (2, 1)), pool=fields)


CELLS: dict[str, tuple[str, dict[str, Any]]] = {
    "tanh": ("rnn", {"activation": "tanh"}),
    "relu": ("rnn", {"activation": "relu"}),
    "sigmoid": ("rnn", {"activation": "sigmoid"}),
    "after": ("gru", {"reset": "after"}),
    "before": ("gru", {"reset": "before"}),
    "plain": ("lstm", {}),
    "forgetful": ("lstm", {"forget_bias": 2.5}),
    "peepholes": ("lstm", {"peepholes": True}),
    "coupled": ("lstm", {"coupled": True}),
    "projected": ("lstm", {"projection": 2}),
    "widened": ("lstm", {"projection": 6}),
    "all": ("lstm", {"peepholes": True, "coupled": True, "projection": 2, "bias": False}),
}
"""Every kind of step, with the keyword and the fields that say it."""

QUICK = {
    "plain_ends", "before_rows", "before_lengths", "relu_back", "all_started",
}  # fmt: skip
"""The rows of recurrent layers that every run of the tests has: a framework compiles every step of each."""


def _swept(cell: str) -> Iterator[tuple[str, dict[str, Any], tuple[Shape, ...], int | None, bool]]:
    """The ways to run a cell: fields, inputs, the limit of lengths as a last input, whether its states are used."""
    keyword, fields = CELLS[cell]
    x, map_ = (3, 5), (3, 4, 5)
    sizes = (fields.get("projection") or 4, 4)[: 1 + (keyword == "lstm")]
    starts = [(2 * 2 * size, 4) for size in sizes]
    both = {"direction": "both"}
    yield "back", {"direction": "backward", "layers": 2}, (x,), None, False
    yield "last", {**both, "return": "last"}, (x,), None, False
    yield "rows", {**both, "axis": "width", "merge": "sum"}, ((3, 5, 4),), None, False
    yield "ends", {**both, "return": "last", "axis": 0, "layers": 2}, (map_,), None, True
    yield "started", {**both, "axis": "width", "layers": 2}, (map_, *starts), None, False
    yield "lengths", both, (x,), 6, True
    yield "back_lengths", {"direction": "backward"}, (x,), 6, True


def recurrent_rows() -> Iterator[Case]:
    """Every cell run in every way. `CASES` has those of them that a run of all backends has time for."""
    for cell, (keyword, fields) in CELLS.items():
        ports = ("state", "cell") if keyword == "lstm" else ("state",)
        for way, more, inputs, below, ends in _swept(cell):
            row = _row(f"{cell}_{way}", keyword, *inputs, **{"units": 4, **fields, **more})
            yield replace(row, below=below, ports=ports if ends else (), slow=f"{cell}_{way}" not in QUICK)


def _recurrent() -> Iterator[Case]:
    kept = {
        f"{cell}_{way}"
        for cell, way in zip(CELLS, ("back", "last", "rows", "ends", "lengths") * 3, strict=False)
    }
    for row in recurrent_rows():
        name = row.name.split("d_")[-1]
        if name in kept | QUICK:
            yield row
    x = (3, 5)
    fields: dict[str, Any] = {"units": 3}
    both: dict[str, Any] = {"units": 3, "direction": "both"}
    rows: dict[str, tuple[str, dict[str, Any]]] = {
        "sum_2": ("gru", {**both, "merge": "sum", "layers": 2}),
        "average_1": ("lstm", {**both, "merge": "average"}),
        "multiply_2": ("rnn", {**both, "merge": "multiply", "layers": 2}),
        "frozen": ("lstm", fields),
        "no_bias": ("gru", {**fields, "bias": False}),
        "variational": ("gru", {**fields, "layers": 2, "dropout": 0.5, "variational": True}),
        "variational_rnn": (
            "rnn",
            {**fields, "layers": 2, "dropout": 0.5, "variational": True, "bias": False},
        ),
        "variational_lstm": ("lstm", {**fields, "layers": 2, "dropout": 0.5, "variational": True}),
        "dropout": ("lstm", {**fields, "layers": 2, "dropout": 0.5}),
        "init": (
            "lstm",
            {**fields, "init": "he_normal", "recurrent_init": {"normal": 0.1}, "bias_init": {"normal": 0.5}},
        ),
        "bias_init": ("gru", {**fields, "bias_init": "orthogonal", "direction": "both"}),
    }
    for name, (keyword, given) in rows.items():
        row = _row(name, keyword, x, trainable=name != "frozen", **given)
        yield replace(row, slow=name not in QUICK)
    # One layer from a state of zeros: frameworks' own layers along an axis, or a short loop.
    first = {**fields, "reset": "before"}
    maps: dict[str, tuple[str, Shape, dict[str, Any]]] = {
        "before_rows": ("gru", (3, 5, 4), {**first, "direction": "both", "axis": "width"}),
        "before_columns": ("gru", (3, 5, 4), {**first, "axis": "height", "init": "he_normal"}),
        "before_depth": ("gru", (2, 3, 2, 4), {**first, "direction": "backward", "axis": "depth"}),
        "before_once": ("gru", x, first),
        "back_once": ("lstm", x, {**fields, "direction": "backward"}),
        "init_columns": ("lstm", (3, 5, 4), {**both, "axis": "height", "recurrent_init": {"normal": 0.1}}),
        "last_rows": ("gru", (3, 5, 4), {**both, "axis": "width", "return": "last"}),
        "back_last_rows": (
            "rnn",
            (3, 5, 4),
            {**fields, "direction": "backward", "axis": 1, "return": "last"},
        ),
    }
    for name, (keyword, map_, given) in maps.items():
        yield replace(_row(name, keyword, map_, **given), slow=name not in QUICK)
    for returns, keyword in (("sequence", "rnn"), ("last", "gru"), ("state", "lstm")):
        given = {**fields, "return": returns}
        row = _row(f"{returns}_lengths", keyword, x, layers=2, **given)
        yield replace(row, below=6, slow=f"{returns}_lengths" not in QUICK)
        yield replace(_row(f"{returns}_volume", keyword, (2, 3, 2, 4), axis="depth", **given), slow=True)
    # Lengths of 0 and 1: a sample without steps keeps the state that it starts with.
    both_2 = {**both, "layers": 2}
    for keyword, given, count in (("rnn", fields, 1), ("gru", fields, 1), ("lstm", both_2, 4)):
        ports = ("state", "cell") if keyword == "lstm" else ("state",)
        last: dict[str, Any] = {**given, "return": "last"}
        row = _row("started_lengths", keyword, x, *((count * 3,) for _ in ports), **last)
        yield replace(row, below=2, ports=ports, slow=True)


def conv_recurrent_rows() -> Iterator[Case]:
    """Convolutional recurrent layers: every field, along every axis. `CASES` marks those that are slow."""
    video, sequence = (2, 3, 5, 4), (2, 3, 6)
    fields: dict[str, Any] = {"filters": 2, "kernel": 3, "padding": "same"}
    both = {**fields, "direction": "both"}
    start = (2, 5, 4)
    rows: dict[str, tuple[str, dict[str, Any], tuple[Shape, ...], tuple[str, ...]]] = {
        "plain": ("conv_lstm", fields, (video,), ()),
        "last": ("conv_lstm", {**fields, "kernel": [2, 3], "return": "last"}, (video,), ()),
        "valid": ("conv_lstm", {**fields, "padding": "valid", "kernel": 2}, (sequence,), ()),
        "back_last": ("conv_lstm", {**fields, "direction": "backward", "return": "last"}, (sequence,), ()),
        "back": ("conv_lstm", {**fields, "direction": "backward"}, (sequence,), ()),
        "ends": ("conv_lstm", {**both, "return": "last"}, (video,), ("state", "cell")),
        "started": ("conv_lstm", {**fields, "axis": 0}, (video, start, start), ("cell",)),
        "started_both": ("conv_lstm", both, (sequence, (4, 6), (4, 6)), ()),
        "state": ("conv_lstm", {**both, "return": "state"}, (sequence,), ()),
        "peepholes": ("conv_lstm", {**fields, "peepholes": True, "stride": 2}, (video,), ()),
        "rows": ("conv_lstm", {**both, "axis": "width", "merge": "sum"}, ((2, 5, 4),), ()),
        "middle": ("conv_gru", {**both, "axis": "height", "merge": "average"}, (video,), ()),
        "even": ("conv_lstm", {**fields, "recurrent_kernel": [2, 1]}, (video,), ()),
        "words": (
            "conv_lstm",
            {**fields, "activation": "relu", "recurrent_activation": "hard_sigmoid"},
            (video,),
            (),
        ),
        "strided": ("conv_lstm", {**fields, "stride": [2, 1], "padding": [[1, 0], [0, 2]]}, (video,), ()),
        "dilated": ("conv_lstm", {**fields, "dilation": [2, 1], "padding": 2}, (video,), ()),
        "strided_dilated": (
            "conv_gru",
            {**fields, "stride": 2, "dilation": 2, "padding": "half"},
            (video,),
            (),
        ),
        "no_bias": ("conv_lstm", {**fields, "bias": False}, (sequence,), ()),
        "forgetful": ("conv_lstm", {**fields, "forget_bias": 2.5, "init": "he_normal"}, (sequence,), ()),
        "before": ("conv_gru", {**fields, "recurrent_init": {"normal": 0.1}}, (video,), ()),
        "after": ("conv_gru", {**both, "reset": "after", "merge": "multiply"}, (sequence,), ("state",)),
        "after_no_bias": (
            "conv_gru",
            {**fields, "reset": "after", "bias": False, "recurrent_kernel": 2, "return": "last"},
            (sequence,),
            (),
        ),
        "gru_words": (
            "conv_gru",
            {**fields, "activation": "sigmoid", "recurrent_activation": "hard_sigmoid", "reset": "after"},
            (sequence, (2, 6)),
            (),
        ),
        "one_step": ("conv_gru", {**fields, "kernel": 2}, ((2, 1, 3, 3),), ()),
    }
    for name, (keyword, given, inputs, ports) in rows.items():
        yield replace(_row(name, keyword, *inputs, **given), ports=ports, slow=name not in QUICK_CONV)
    frozen = _row("frozen", "conv_lstm", sequence, trainable=False, **fields)
    yield replace(frozen, slow=True)


QUICK_CONV = {"plain", "started", "peepholes", "before", "after"}
"""The rows of convolutional recurrent layers that every run of the tests has."""


def _dense() -> Iterator[Case]:
    for x in ((6,), *(_map(rank) for rank in SIZES)):
        yield _row("plain", "dense", x, units=5)
        yield _row("no_bias", "dense", x, units=5, bias=False)
        for name, activation in ACTIVATIONS:
            yield _row(name, "dense", x, units=3, activation=activation)
    # On a map something comes behind the activation.
    for name in OTHERS:
        yield _row(name, "dense", _map(2), units=3, activation=name)
        yield _row(name, "conv", _map(2), filters=3, kernel=2, activation=name)


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


def _transposed() -> Iterator[Case]:
    for rank in SIZES:
        x = _map(rank)
        for stride in (1, 2, 3):
            for name, padding in _paddings(rank):
                if name not in ("causal", "full"):
                    yield _row(f"pad_{name}_by_{stride}", "conv_transpose", x, filters=3, kernel=[4, 3, 3][:rank],
                               stride=stride, padding=padding)  # fmt: skip
        yield _row("full", "conv_transpose", x, filters=3, kernel=3, padding="full")
        yield _row(
            "more",
            "conv_transpose",
            x,
            filters=3,
            kernel=3,
            stride=3,
            padding=1,
            output_padding=[2, 1, 0][:rank],
        )
        uneven = [[1, 0], [0, 1], [0, 0]][:rank]
        yield _row("more_than_cut", "conv_transpose", x, filters=3, kernel=2, stride=3, padding=uneven,
                   output_padding=2)  # fmt: skip
        yield _row("small_kernel", "conv_transpose", x, filters=2, kernel=1, stride=2, padding="same")
        yield _row(
            "dilated",
            "conv_transpose",
            x,
            filters=3,
            kernel=3,
            stride=2,
            dilation=2,
            padding=1,
            output_padding=1,
        )
        # Legal in both frameworks: the output padding is below the dilation, but not below the stride.
        yield _row("more_than_stride", "conv_transpose", x, filters=2, kernel=3, dilation=3,
                   output_padding=[2, 0, 1][:rank])  # fmt: skip
        yield _row("more_than_cut_and_stride", "conv_transpose", x, filters=4, kernel=2, stride=2, groups=2,
                   dilation=4, padding=[[1, 2], [2, 1], [0, 0]][:rank], output_padding=3)  # fmt: skip
        yield _row("dilated_unit", "conv_transpose", x, filters=3, kernel=2, dilation=[3, 2, 1][:rank])
        yield _row(
            "grouped", "conv_transpose", x, filters=6, kernel=3, stride=2, groups=2, padding=1, bias=False
        )
        yield _row("activated", "conv_transpose", x, filters=3, kernel=2, stride=2, activation="relu")
        yield _row(
            "bilinear", "conv_transpose", x, filters=4, kernel=4, stride=2, init="bilinear", bias=False
        )


def _by_channel() -> Iterator[Case]:
    table = [[0], [0, 1], [1, 2, 3], [0, 1, 2, 3], [3]]
    for rank in SIZES:
        x = _map(rank)
        yield _row("table", "conv", x, filters=5, kernel=[2, 3, 1][:rank], table=table)
        yield _row("table_padded", "conv", x, filters=5, kernel=3, table=table, stride=2, padding="same", bias=False,
                   activation="tanh")  # fmt: skip
        yield _row("plain", "depthwise_conv", x, kernel=3)
        yield _row(
            "same", "depthwise_conv", x, kernel=3, stride=2, padding="same", multiplier=2, activation="relu"
        )
        yield _row(
            "strides", "depthwise_conv", x, kernel=[3, 2, 2][:rank], stride=[2, 1, 2][:rank], bias=False
        )
        yield _row(
            "dilated", "depthwise_conv", x, kernel=2, dilation=2, padding=[[1, 2], [2, 0], [1, 1]][:rank]
        )
        yield _row("strided_dilated", "depthwise_conv", x, kernel=2, dilation=2, stride=2, padding=1)
        yield _row("plain", "separable_conv", x, filters=5, kernel=3)
        yield _row("all", "separable_conv", x, filters=5, kernel=3, stride=2, padding="same", multiplier=2, bias=False,
                   activation="relu")  # fmt: skip
        yield _row("dilated", "separable_conv", x, filters=3, kernel=2, dilation=2, padding="half")
        yield _row("max", "channel_pool", x, size=2)
        yield _row("mean", "channel_pool", x, size=4, kind="average")
    yield _row("max", "channel_pool", (6,), size=3)


def _norms() -> Iterator[Case]:
    for x in ((6,), *(_map(rank) for rank in SIZES)):
        for name, flags in (
            ("no_scale", {"scale": False}),
            ("no_center", {"center": False}),
            ("bare", {"scale": False, "center": False}),
        ):
            yield _row(name, "batch_norm", x, **flags)
            yield _row(name, "layer_norm", x, **flags)
            yield _row(name, "group_norm", x, groups=2, **flags)
        yield _row("frozen_no_scale", "batch_norm", x, scale=False, trainable=False)
        yield _row("channels", "layer_norm", x, epsilon=1e-3)
        yield _row("everything", "layer_norm", x, over="everything")
        yield _row("groups", "group_norm", x, groups=2)
        yield _row("instance", "group_norm", x, groups=x[0] if len(x) > 1 else 1)
        quick: dict[str, Any] = {"slow": len(x) != 3, "engines": len(x) != 3}
        rms: dict[str, dict[str, Any]] = {"plain": {}, "everything": {"over": "everything", "epsilon": 1e-3}}
        for name, fields in rms.items():
            yield replace(_row(name, "rms_norm", x, **fields), **quick)
            yield replace(_row(f"{name}_bare", "rms_norm", x, scale=False, **fields), slow=True, engines=True)
        if len(x) > 1:
            yield replace(_row("plain", "instance_norm", x, epsilon=1e-3), **quick)
            yield replace(_row("no_scale", "instance_norm", x, scale=False), **quick)
            yield replace(_row("no_center", "instance_norm", x, center=False), slow=True, engines=True)
            yield replace(
                _row("bare", "instance_norm", x, scale=False, center=False), slow=True, engines=True
            )
            each: dict[str, Any] = {"kernel": [3, 5, 1][: len(x) - 1], "spread": 0.5, "epsilon": 0.5}
            yield replace(_row("plain", "local_contrast_norm", x), **quick)
            yield replace(_row("per_axis", "local_contrast_norm", x, **each), slow=True, engines=True)
            yield replace(
                _row("subtract", "local_contrast_norm", x, kernel=3, divide=False), slow=True, engines=True
            )
        yield _row("paper", "local_response_norm", x)
        yield _row(
            "frameworks", "local_response_norm", x, size=3, alpha=0.5, beta=0.5, bias=1.0, average=True
        )
        yield _row("even", "local_response_norm", x, size=4, alpha=0.25)
        yield _row("slow_decimal", "batch_norm", x, momentum=0.123456789012345)
        yield _row("plain", "l2_norm", x)
        yield _row("plain", "scale", x)
        yield _row("all", "scale", x, bias=False, activation="sigmoid")
        yield _row("tenth", "scale_by", x, factor=0.125)
        yield _row("plain", "prelu", x)
        yield _row("plain", "rbf", x, units=3)
        for keyword, field in (
            ("spatial_dropout", "rate"),
            ("drop_path", "rate"),
            ("gaussian_noise", "std"),
            ("mask_input", "rate"),
        ):
            slow = keyword == "drop_path" and len(x) != 3
            yield Case(f"{keyword}_{len(x) - 1}d_none", keyword, {field: 0.0}, (x,), slow=slow, engines=slow)
            yield Case(f"{keyword}_{len(x) - 1}d_half", keyword, {field: 0.5}, (x,), slow=slow, engines=slow)
        for keyword in ("relu6", "elu", "selu", "silu", "swish", "hard_sigmoid", "hard_swish", "softplus"):
            yield _row("plain", keyword, x)
        yield _row("plain", "mish", x)
        yield _row("half", "elu", x, alpha=0.5)
        yield _row("plain", "gelu", x)
        yield _row("tanh", "gelu", x, approximate="tanh")


def _samples() -> Iterator[Case]:
    for shape in ((6,), *(_map(rank) for rank in SIZES)):
        slow = len(shape) != 3
        yield replace(_row("plain", "sample", shape, shape), slow=slow, engines=slow)
        yield replace(_row("ones", "sample", shape, shape, noise="ones"), slow=True)


def _joined() -> Iterator[Case]:
    vector = (CHANNELS,)
    for rank in SIZES:
        x, thin = _map(rank), _map(rank, 1)
        yield _row("two", "subtract", x, x)
        yield _row("vector", "subtract", vector, x)
        for keyword in ("maximum", "average"):
            yield _row("two", keyword, x, x)
            yield _row("three", keyword, x, thin, vector)
        pairs = {"two": (x, x), "by_vector": (x, vector), "vector": (vector, x), "thin": (thin, x)}
        rows = [_row("two", "minimum", x, x), _row("three", "minimum", x, thin, vector)]
        rows += [replace(_row(name, "divide", *pair), before="softplus") for name, pair in pairs.items()]
        for row in rows:
            is_quick = rank == 2 and row.name.endswith(("three", "vector"))
            yield row if is_quick else _further(row)


def _functions() -> Iterator[Case]:
    rows: dict[str, tuple[dict[str, Any], str]] = {
        **dict.fromkeys(("exp", "square", "abs"), ({}, "")),
        **dict.fromkeys(("log", "sqrt"), ({}, "softplus")),
        "power": ({"exponent": 2.5}, "softplus"),
        "clip": ({"min": -0.25, "max": 0.5}, ""),
        "step": ({"threshold": 0.25}, ""),
        "log_softmax": ({}, ""),
    }
    for keyword, (fields, before) in rows.items():
        for x in ((6,), *(_map(rank) for rank in SIZES)):
            row = replace(_row("plain", keyword, x, **fields), before=before)
            yield row if len(x) == 3 else _further(row)
    x = _map(1)
    yield _further(replace(_row("root", "power", x, exponent=-0.5), before="softplus"))
    yield _further(_row("cube", "power", x, exponent=3))
    yield _further(_row("least", "clip", x, min=0.1))
    yield _further(_row("most", "clip", x, max=0.5))
    yield _further(_row("at_0", "step", x))
    yield _further(_row("warm", "log_softmax", x, temperature=4.0))
    yield _row("twice", "softplus", x, beta=2.0)
    yield _further(_row("third", "softplus", _map(2), beta=0.3))
    inner = ("exp", "abs", {"clip": {"max": 0.25}}, {"step": 0.25}, "log_softmax", {"softplus": 4.0})
    for number, activation in enumerate(inner):
        yield _further(_row(f"function_{number}", "dense", _map(2), units=3, activation=activation))


PRODUCTS: dict[str, tuple[str, tuple[Shape, ...]]] = {
    "scores": ("channels time, channels keys -> time keys", ((4, 5), (4, 3))),
    "vectors": ("a, a b -> b", ((4,), (4, 5))),
    "outer": ("a, b -> a b", ((4,), (3,))),
    "three": ("c h w, c k, k d -> d w h", ((4, 5, 3), (4, 2), (2, 6))),
    "volume": ("c d h w, k d -> w c k", ((2, 3, 4, 5), (3, 3))),
    "summed": ("c t, c s -> c", ((4, 5), (4, 3))),
}
"""Texts of contractions, with the shapes of their inputs."""


def _products() -> Iterator[Case]:
    yield _row("matrices", "matmul", (4, 5), (5, 3))
    yield _row("stack", "matmul", (4, 5, 3), (4, 3, 6))
    yield _further(_row("stacks", "matmul", (2, 3, 5, 4), (2, 3, 4, 2)))
    for name, (axes, inputs) in PRODUCTS.items():
        row = Case(f"contract_{name}", "contract", {"axes": axes}, inputs)
        yield row if name in ("scores", "three") else _further(row)
    for rank in (0, *SIZES):
        x = _map(rank) if rank else (CHANNELS,)
        mixed = ((1, *x[1:]), x, (CHANNELS,))
        for name, inputs in {"plain": (x, x, x), "thin": mixed}.items():
            row = Case(f"where_{rank}d_{name}", "where", {}, inputs)
            if rank or name == "plain":
                yield row if (rank, name) == (2, "thin") else _further(row)
        for groups in (2, 4):
            row = Case(
                f"channel_shuffle_{rank}d_{groups}", "channel_shuffle", {"groups": groups}, ((8, *x[1:]),)
            )
            yield row if (rank, groups) == (2, 2) else _further(row)
        for by in ("sum", "mean", "max", "min", "std", "norm"):
            names = {0: (), 1: ("time",), 2: ("height", "width"), 3: ("depth", "height", "width")}[rank]
            told: dict[str, list[str] | None] = {
                "channels": ["channels"], "both": ["channels", *names[-1:]], "one": [*names[:1]], "every": None,
            }  # fmt: skip
            for kind, over in told.items() if rank else [("channels", ["channels"])]:
                fields: dict[str, Any] = {"by": by} if over is None else {"by": by, "axes": over}
                row = Case(f"reduce_{rank}d_{by}_{kind}", "reduce", fields, (x,))
                is_quick = rank == 2 and (by, kind) in (("std", "both"), ("max", "one"), ("norm", "every"))
                yield row if is_quick else _further(row)
    yield _further(_row("kept", "reduce", _map(2), by="norm", keep=True))
    yield _further(_row("kept_one", "reduce", _map(3), by="std", keep=True, axes=["time", "channels"]))


def _further(case: Case) -> Case:
    """A row that repeats another one in part, for the slow tests and for Keras' other engines."""
    return replace(case, slow=True, engines=True)


def _resized() -> Iterator[Case]:
    for rank in SIZES:
        x = _map(rank, 2)
        odd = [size + 3 for size in SIZES[rank]]
        word = {1: "linear", 2: "bilinear", 3: "trilinear"}[rank]
        yield _row("twice", "upsample", x, factor=2)
        yield _row("factors", "upsample", x, factor=[3, 1, 2][:rank])
        yield _row("size", "upsample", x, size=odd)
        # 41 and 47: PyTorch's own arithmetic in float32 repeats another position there.
        if rank < 3:
            yield _row("by_41", "upsample", (1, 3, 2)[: rank + 1], factor=[41, 47][:rank])
        yield _row("linear", "upsample", x, factor=2, mode="linear")
        yield _row("linear_three", "upsample", x, factor=3, mode=word)
        yield _row("linear_size", "upsample", x, size=odd, mode=word)
        yield _row("corners", "upsample", x, factor=2, mode=word, align_corners=True)
        yield _row("corners_size", "upsample", x, size=odd, mode=word, align_corners=True)
        less = [4, 3, 4][:rank]
        rows: dict[str, dict[str, Any]] = {
            "exact": {"mode": "nearest_exact"},
            "nearest": {},
            "linear": {"mode": "linear"},
            "cubic": {"mode": "cubic"},
            "corners": {"mode": "cubic", "align_corners": True},
            "area": {"mode": "area"},
            "smooth": {"mode": "linear", "antialias": True},
            "smooth_cubic": {"mode": "cubic", "antialias": True},
        }
        quick = {1: ("smooth_cubic",), 2: ("cubic", "smooth_cubic"), 3: ("area",)}[rank]
        for name, fields in rows.items():
            # PyTorch's antialiasing is wrong where the last axis becomes 1 long, unless channels come last.
            one = [2, 3, 1][3 - rank :]
            for ending, size in (("", less), ("_odd", [5, 9, 7][:rank]), ("_up", odd), ("_one", one)):
                shape = (1, *x[1:]) if ending == "_one" else x
                row = _row(f"{name}{ending}", "resize", shape, size=size, **fields)
                is_quick = (name in quick and not ending) or (name, ending, rank) == ("smooth", "_one", 2)
                yield replace(row, slow=not is_quick, engines=ending == "_odd")
        yield replace(_row("twice", "resize", x, factor=2, mode="cubic"), slow=True)
        yield replace(_row("twice_area", "upsample", x, factor=2, mode="area"), slow=True)
        yield replace(
            _row("twice_exact", "upsample", x, factor=[3, 1, 2][:rank], mode="nearest_exact"), slow=True
        )
        yield replace(_row("cubic", "upsample", x, factor=2, mode="cubic"), slow=True)
        yield _row("zeros", "pad", x, amount=[[1, 2], [0, 1], [2, 0]][:rank])
        yield _row("value", "pad", x, amount=1, value=0.5)
        yield _row("reflect", "pad", x, amount=[[1, 2], [0, 3], [2, 0]][:rank], mode="reflect")
        yield _row("replicate", "pad", x, amount=[[1, 3], [0, 2], [2, 0]][:rank], mode="replicate")
        modes: list[dict[str, Any]] = [{"mode": "replicate"}, {"mode": "reflect"}, {"value": 0.5}]
        yield _row("size", "pad", x, size=odd, **modes[rank - 1])
        more = modes[rank - 1]
        padded: dict[str, dict[str, Any]] = {
            "channels": {"channels": [0, 3], **({} if rank < 3 else more)},
            "channels_all": {"amount": 1, "channels": 1, **more},
            "channels_size": {"size": odd, "channels": [1, 0], **more},
        }
        for name, fields in padded.items():
            is_quick = rank == 2 and name != "channels_size"
            yield replace(_row(name, "pad", x, **fields), slow=not is_quick, engines=True)
        yield replace(_row("channels", "crop", _map(rank), channels=[1, 2]), slow=rank != 2)
        yield replace(_row("channels_size", "crop", _map(rank), channels=[2, 0], size=3), slow=True)
        yield _row("amount", "crop", x, amount=[[1, 2], [0, 1], [2, 0]][:rank])
        yield _row("size", "crop", x, size=3)
        yield _row("offset", "crop", x, size=2, offset=[1, 0, 3][:rank])

    yield _row("vector", "pad", (4,), channels=[0, 3])
    yield replace(_row("vector_mirrored", "pad", (4,), channels=[3, 2], mode="reflect"), slow=True)
    yield _row("vector", "crop", (4,), channels=1)


def _rearranged() -> Iterator[Case]:
    for rank in SIZES:
        names = ["channels", *{1: ("time",), 2: ("height", "width"), 3: ("depth", "height", "width")}[rank]]
        even = (8, *(4, 6, 2)[:rank])
        yield _row("blocks", "space_to_depth", even, block=2)
        yield _row("blocks", "depth_to_space", even, block=2)
        for keyword in ("space_to_depth", "depth_to_space"):
            row = _row("dcr", keyword, even, block=2, order="dcr")
            yield replace(row, slow=rank != 2, engines=True)
        yield _row("reversed", "permute", _map(rank), axes=names[::-1])
        yield _row("rolled", "permute", _map(rank), axes=[*names[1:], names[0]])
        yield _row("flat", "reshape", _map(rank), shape=[-1])
        yield _row("split", "reshape", _map(rank), shape=[2, -1])
    yield _row("darknet", "space_to_depth", (8, 4, 6), block=2, order="darknet")
    yield replace(_row("darknet_three", "space_to_depth", (18, 6, 3), block=3, order="darknet"), slow=True)
    yield _row("image", "reshape", (8, 6), shape=[4, 3, 4])
    yield _row("ones", "reshape", (4, 1, 6), shape=[4, 6, 1, 1])
    yield _row("map", "reshape", (24,), shape=[2, 3, 4])


def _indices() -> Iterator[Case]:
    rows: dict[str, dict[str, Any]] = {
        "plain": {"units": 5},
        "padded": {"units": 3, "padding_index": 2},
        "start": {"units": 4, "init": {"normal": {"std": 0.5}}},
    }
    for name, fields in rows.items():
        yield Case(f"embedding_1d_{name}", "embedding", fields, (SIZES[1],), vocabulary=7)
    for rank in (2, 3):
        yield Case(f"embedding_{rank}d_padded", "embedding", rows["padded"], (SIZES[rank],), vocabulary=7)
    yield Case("embedding_1d_frozen", "embedding", {"units": 2}, (SIZES[1],), False, vocabulary=7)
    for rank, sizes in SIZES.items():
        yield Case(f"one_hot_{rank}d_plain", "one_hot", {}, (sizes,), vocabulary=7)


ALONG: dict[str, dict[str, dict[str, Any]]] = {
    "slice": {
        "plain": {"start": 1, "stop": 4},
        "from_end": {"start": -3},
        "until": {"stop": -1},
        "steps": {"start": 1, "step": 2},
    },
    "split": {"sizes": {"parts": {"a": 1, "b": 2, "c": 1}}, "equal": {"parts": ["a", "b"]}},
    "take": {"middle": {"position": 2}, "first": {"position": 0}, "last": {"position": -1}},
    "reverse": {"plain": {}},
    "tile": {"twice": {"times": 2}},
    "roll": {"on": {"shift": 2}, "back": {"shift": -1}, "still": {"shift": 0}},
    "gather": {"plain": {"positions": [3, 0, 0, -1]}},
}
"""Fields of the ops along one axis, for four positions of it; the first ones run in every dimension."""


def _along() -> Iterator[Case]:
    for keyword, rows in ALONG.items():
        for name, fields in rows.items():
            for part in {"equal": ("b", ""), "sizes": ("b", "c", "")}.get(name, ("",)):
                for axis in ("time", "channels")[: 1 if keyword == "take" else 2]:
                    label = "_".join(filter(None, (name, axis, part)))
                    yield Case(
                        f"{keyword}_1d_{label}", keyword, {**fields, "axis": axis}, ((4, 4),), part=part
                    )
        name, fields = next(iter(rows.items()))
        part = "b" if keyword == "split" else ""
        shapes = {"height": (3, 4, 5), "width": (2, 3, 4), "time": (2, 4, 3, 2)}
        for axis, shape in shapes.items():
            rank, told = len(shape) - 1, {**fields, "axis": axis}
            yield Case(f"{keyword}_{rank}d_{name}_{axis}", keyword, told, (shape,), part=part)
        told = {**fields, "axis": "height"}
        yield Case(f"{keyword}_2d_{name}_indices", keyword, told, ((4, 3),), part=part, vocabulary=7)
    yield _row("vector", "slice", (4,), start=1)
    yield _row("vector", "reverse", (4,), axis="channels")
    yield _row("vector", "split", (4,), parts=["a", "b"])
    for keyword, fields in (("take", {"position": 3}), ("reverse", {}), ("gather", {"positions": [1]})):
        yield _row("only_axis", keyword, (3, 5), **fields)
    yield replace(_row("counted", "take", (3, 5), position=-1), below=6)
    picked: dict[str, tuple[Shape, Shape, dict[str, Any]]] = {
        "several": ((3, 5), (4,), {}),
        "one": ((3, 5), (), {}),
        "rows": ((3, 5, 4), (2,), {"axis": "height"}),
        "one_column": ((3, 4, 5), (), {"axis": "width"}),
        "channels": ((5, 3), (4,), {"axis": "channels"}),
        "volume": ((2, 3, 5, 2), (6,), {"axis": "height"}),
        "vector": ((5,), (3,), {"axis": "channels"}),
    }
    for name, (shape, listed, fields) in picked.items():
        yield replace(_row(f"by_indices_{name}", "gather", shape, **fields), below=5, listed=listed)
    for size in (4, [3, 2], [2, 1, 3]):
        rank = 1 if isinstance(size, int) else len(size)
        yield Case(f"repeat_vector_{rank}d_plain", "repeat_vector", {"size": size}, ((5,),))


def _attention() -> Iterator[Case]:
    """Attention: by the inputs that it takes, then by its fields."""
    x, memory, map_ = (6, 5), (4, 7), (4, 3, 2)
    fields: dict[str, Any] = {"heads": 2}
    plain: dict[str, Any] = {"heads": 2, "project": False}
    blocks: dict[str, Any] = {"heads": 2, "blocks": [2, 3]}
    turn: dict[str, Any] = {"base": 50.0, "pairs": "neighbours", "fraction": 0.5, "start": 3}
    bounds: dict[str, Any] = {"causal": True, "window": 3}
    rows: dict[str, tuple[tuple[Shape, ...], dict[str, Any], int | None]] = {
        "self": ((x,), fields, None),
        "cross_lengths": ((x, memory), {**fields, "head_size": 2, "output": 5}, 8),
        "shifted_blocks": (((4, 4, 6), (2, 6, 6)), {**blocks, "shift": [1, 2]}, None),
        "keyed": ((x, memory, (3, 7)), {"heads": 4, "kv_heads": 2, "head_size": 3}, None),
        "grouped": ((x,), {"heads": 6, "kv_heads": 2, "causal": True, "bias": False}, None),
        "causal_lengths": ((x,), {**fields, "causal": True, "output": "none"}, 6),
        "causal_bias": ((x, (1, 5, 5)), {**fields, "causal": True}, None),
        "window": ((x,), {**fields, "window": 2, "scale": 0.25}, None),
        "bounded": ((x, (2, 5, 5)), {**fields, **bounds}, 6),
        "few_lengths": ((x,), {**fields, "window": 2}, 2),
        "map": ((map_,), {"heads": 4, "init": {"normal": 0.5}, "bias_init": {"normal": 0.5}}, None),
        "volume": (((4, 2, 3, 2),), fields, None),
        "map_cross": ((map_, memory, (2, 6, 7)), fields, None),
        "bias": ((x, (2, 5, 5)), {**fields, "head_size": 4}, None),
        "blocks": (((4, 4, 6),), blocks, None),
        "shift_alone": (((4, 4, 6),), {**blocks, "shift": [0, 2], "kv_heads": 1}, None),
        "blocks_row": (((4, 8),), {"heads": 2, "blocks": 4, "shift": 2, "output": "none"}, None),
        "blocks_volume": (
            ((4, 2, 4, 2), (1, 4, 4)),
            {"heads": 1, "blocks": [1, 2, 2], "shift": [0, 1, 1]},
            None,
        ),
        "unprojected": ((x,), plain, None),
        "unprojected_cross": ((x, (3, 7)), {**plain, "kv_heads": 1, "head_size": 3}, None),
        "unprojected_keyed": ((x, (6, 7), (4, 7)), {**plain, "scale": 2.0}, 8),
        "unprojected_map": ((map_,), plain, None),
        "wide_values": ((x, (6, 7), (10, 7), (1, 5, 7)), plain, None),
        "rotary": ((x,), {"heads": 2, "head_size": 4, "kv_heads": 1, "rotary": turn}, None),
        "rotary_halves": ((x,), {"heads": 1, "rotary": True, "causal": True}, 6),
        "rotary_part": ((x,), {"heads": 1, "rotary": {"fraction": 0.7}}, None),
        "rotary_cross": ((x, memory), {"heads": 2, "head_size": 4, "rotary": {"pairs": "neighbours"}}, None),
        "rotary_keyed": (((4, 5), memory, (3, 7)), {**plain, "heads": 1, "rotary": True}, None),
        "frozen": ((x,), {**fields, "init": "he_normal"}, None),
        "dropout": ((x,), {**fields, "dropout": 0.5}, None),
    }
    for name, (inputs, given, below) in rows.items():
        row = _row(name, "attention", *inputs, trainable=name != "frozen", **given)
        is_quick = name in ("self", "rotary", "cross_lengths", "shifted_blocks")
        yield replace(row, below=below, slow=not is_quick, engines=not is_quick)


def _tensors() -> Iterator[Case]:
    image = [[[0.5, -1, 2], [3, 0.25, 1]], [[1, 2, 3], [4, 5, 6]]]
    volume = [[[[1, 2]], [[3, 4]]], [[[5, 6]], [[7, 8]]]]
    starts: dict[str, Any] = {"plain": "zeros", "drawn": {"normal": {"std": 0.5}}, "scaled": "he_normal"}
    for (name, init), shape in zip(starts.items(), ([5], [3, 4], [2, 3, 4]), strict=True):
        yield Case(
            f"parameter_{len(shape) - 1}d_{name}", "parameter", {"shape": shape, "init": init}, ((4, 3),)
        )
    yield Case("parameter_3d_frozen", "parameter", {"shape": [2, 1, 3, 2]}, ((4, 3),), trainable=False)
    yield Case("parameter_1d_words", "parameter", {"shape": [2, 3]}, ((4,),), vocabulary=7)
    for rank, values in enumerate(([1, 0.5, -2], image[0], image, volume)):
        yield Case(f"constant_{rank}d_listed", "constant", {"values": values}, ((4, 3),))
    yield Case("constant_2d_filled", "constant", {"values": 0.375, "shape": [2, 3, 4]}, ((4,),))
    yield Case("constant_0d_words", "constant", {"values": 0.5, "shape": [3]}, ((4,),), vocabulary=7)
    yield Case("constant_1d_sinusoid", "constant", {"values": "sinusoid", "shape": [5, 9]}, ((4, 3),))
    based = {"values": "sinusoid", "shape": [4, 3], "base": 50.0}
    yield Case("constant_1d_sinusoid_base", "constant", based, ((4,),), vocabulary=7)
    for channels in (4, 5):
        yield _row(f"sinusoid_{channels}", "positions", (channels, 9))
    yield _row("base", "positions", (4, 6), kind="sinusoid", base=50.0)
    turns: dict[str, dict[str, Any]] = {
        "halves": {"heads": 2},
        "neighbours": {"heads": 2, "pairs": "neighbours", "fraction": 0.5, "base": 50.0, "start": 3},
        "one_head": {"heads": 1, "pairs": "neighbours"},
        "part": {"heads": 1, "fraction": 0.8},
        "later": {"heads": 4, "start": 1000},
    }
    for name, fields in turns.items():
        row = _row(name, "rotary", (8, 5), **fields)
        yield row if name in ("halves", "neighbours") else _further(row)
    for rank in SIZES:
        yield _row("learned", "positions", _map(rank), kind="learned", init={"normal": {"std": 0.5}})
        yield _row("plain", "gated", _map(rank))
    yield _row("vector", "gated", (6,))
    yield _row("linear", "gated", (4, 5), activation="none")
    yield _row("silu", "gated", (4, 5), activation="silu", gate="none")
    yield _row("relu", "gated", (4, 5), activation="sigmoid", gate="relu")
    yield _row("gelu", "gated", (4, 5), activation="gelu", gate="none")
    yield _row("halves", "gated", (4, 5), activation="none", gate="none")


CASES: tuple[Case, ...] = (
    *_quick(_conv()),
    *_quick(_pool()),
    *_unpool(),
    *_recurrent(),
    *conv_recurrent_rows(),
    *_dense(),
    *_elementwise(),
    *_merges(),
    *_quick(_transposed()),
    *_by_channel(),
    *_norms(),
    *_samples(),
    *_joined(),
    *_functions(),
    *_products(),
    *_resized(),
    *_rearranged(),
    *_indices(),
    *_along(),
    *_tensors(),
    *_attention(),
)
