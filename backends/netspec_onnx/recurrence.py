"""Recurrent layers in ONNX: one `RNN`, `GRU` or `LSTM` operator per layer, with both directions in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netspec.graph import Graph
from netspec.ops.recurrent import Gru, Lstm, Recurrent, Rnn
from netspec_onnx.site import Attribute, Emitted, Site

OPERATORS: dict[type[Recurrent], str] = {Rnn: "RNN", Lstm: "LSTM", Gru: "GRU"}

BLOCKS: dict[type[Recurrent], tuple[int, ...]] = {Rnn: (0,), Gru: (1, 0, 2), Lstm: (0, 3, 1, 2)}
"""For each gate in the order of ONNX (GRU: z, r, n; LSTM: i, o, f, g), its index in the order of netspec."""

COUPLED = (0, 2, 0, 1)
"""The same for a coupled LSTM. ONNX has a forget gate there too, but ignores its weights."""

REDUCTIONS = {"sum": "ReduceSum", "average": "ReduceMean", "multiply": "ReduceProd"}
INT32, BOOL = 6, 9
"""`TensorProto.INT32` and `TensorProto.BOOL`."""


def recurrent(op: Recurrent, site: Site) -> str:
    """ONNX takes (steps, N, channels): the axis is moved to the front, and the other axes are folded into the batch."""
    axis = 2 + op.dimension(site.types)
    others = [at for at in range(2, site.rank + 2) if at != axis]
    steps, lengths = site.sizes[axis - 2], _lengths(site)
    moved = site.emit("Transpose", site.x, perm=(axis, 0, *others, 1))
    x = site.emit("Reshape", moved, site.integers((steps, -1, site.channels)))
    states, cells = [], []
    starts = _starts(op, site)
    for layer in range(op.layers):
        y, h, *c = _layer(op, site, layer, x, lengths, starts)
        states.append(h)
        cells += c
        if layer + 1 < op.layers or op.returns == "sequence":
            x = _joined(op, site, y, steps)
    ends = {
        "state": lambda: _end(op, site, states, starts[:1]),
        "cell": lambda: _end(op, site, cells, starts[1:]),
    }
    for port, name in zip(site.node.ports, site.further, strict=True):
        site.emitted.append(Emitted("Identity", (ends[port](),), (name,)))
    if op.returns == "state":
        return ends["state"]()
    sizes = [site.sizes[at - 2] for at in others]
    if op.returns == "last":
        kept = _kept(site, states[-1], _of_layer(op, site, op.layers - 1, starts[:1]))
        last = site.emit("Unsqueeze", kept, site.integers((0,)))
        return _behind_batch(site, _joined(op, site, last, 1), (1, op.merged), sizes)
    whole = site.emit("Reshape", x, site.integers((steps, -1, *sizes, op.merged)))
    # From (steps, N, *others, channels).
    order = {axis: 0, **{at: 2 + number for number, at in enumerate(others)}}
    return site.emit("Transpose", whole, perm=(1, 2 + len(others), *(order[at] for at in sorted(order))))


def _behind_batch(site: Site, x: str, shape: tuple[int, int], sizes: Sequence[int]) -> str:
    """(rows, N · others, channels) as (N, rows · channels, *others)."""
    rows, channels = shape
    if rows > 1:
        x = site.emit("Transpose", x, perm=(1, 0, 2))
    x = site.emit("Reshape", x, site.integers((-1, *sizes, rows * channels)))
    return site.emit("Transpose", x, perm=(0, 1 + len(sizes), *range(1, 1 + len(sizes)))) if sizes else x


def _lengths(site: Site) -> str:
    """The lengths as INT32, limited to the number of steps; "" if there are none."""
    given = _given_lengths(site)
    if not given:
        return ""
    steps = site.types[0].sizes[0]
    return site.emit("Cast", site.emit("Min", given, site.integers((steps,))), to=INT32)


def _given_lengths(site: Site) -> str:
    """The input with the lengths; "" if there is none."""
    found = (value for value, type_ in zip(site.values, site.types, strict=True) if type_.kind == "indices")
    return next(found, "")


def _kept(site: Site, states: str, starts: Sequence[str]) -> str:
    """The last states (directions, N, channels): those of a sample without steps are the initial ones.

    onnxruntime gives 0 for such a sample, whatever its initial states are.
    """
    lengths = _given_lengths(site)
    if not lengths or not starts:
        return states
    has_steps = site.emit("Unsqueeze", site.emit("Cast", lengths, to=BOOL), site.integers((0, 2)))
    return site.emit("Where", has_steps, states, *starts)


def _starts(op: Recurrent, site: Site) -> list[str]:
    """The initial states of all layers and directions, each (layers · directions, N · others, channels)."""
    found = []
    given = zip(site.values[1:], site.types[1:], strict=True)
    numbers = [(value, type_) for value, type_ in given if type_.kind == "numbers"]
    for (value, type_), size in zip(numbers, op.state_sizes, strict=False):
        rank = len(type_.spatial)
        last = site.emit("Transpose", value, perm=(0, *range(2, 2 + rank), 1)) if rank else value
        rows = site.emit("Reshape", last, site.integers((-1, op.layers * len(op.suffixes), size)))
        found.append(site.emit("Transpose", rows, perm=(1, 0, 2)))
    return found


def _of_layer(op: Recurrent, site: Site, layer: int, starts: Sequence[str]) -> list[str]:
    """The initial states of one layer, each (directions, N, channels)."""
    if op.layers == 1 or not starts:
        return list(starts)
    count = len(op.suffixes)
    rows = [site.integers((at,)) for at in (layer * count, (layer + 1) * count, 0)]
    return [site.emit("Slice", each, *rows) for each in starts]


def _layer(
    op: Recurrent, site: Site, layer: int, x: str, lengths: str, starts: Sequence[str]
) -> tuple[str, ...]:
    """One layer: its outputs (steps, directions, N, channels), then its last states (directions, N, channels)."""
    first = _of_layer(op, site, layer, starts)
    blocks = COUPLED if isinstance(op, Lstm) and op.coupled else BLOCKS[type(op)]
    kernel = _stacked(op, site, layer, "weight_ih", blocks)
    recurrent_kernel = _stacked(op, site, layer, "weight_hh", blocks)
    inputs = [x, kernel, recurrent_kernel, _biases(op, site, layer, blocks), lengths]
    inputs += first or [""] * len(op.state_sizes)
    settings: dict[str, Attribute] = {
        "hidden_size": op.units,
        "direction": {"forward": "forward", "backward": "reverse", "both": "bidirectional"}[op.direction],
    }
    match op:
        case Rnn():
            settings["activations"] = (op.activation.capitalize(),) * len(op.suffixes)
        case Gru():
            settings["linear_before_reset"] = int(op.reset == "after")
        case Lstm():
            settings["input_forget"] = int(op.coupled)
            if op.peepholes:
                # In the order i, o, f.
                inputs.append(_stacked(op, site, layer, "weight_ch", (0, 1, 0) if op.coupled else (0, 2, 1)))
    while not inputs[-1]:
        inputs.pop()
    names = ("state", "cell")[: len(op.state_sizes)]
    others = tuple(f"{site.node.name}/{name}_of_{layer}" for name in names)
    return site.emit_several(OPERATORS[type(op)], others, *inputs, **settings), *others


def _stacked(op: Recurrent, site: Site, layer: int, name: str, blocks: Sequence[int]) -> str:
    """A weight of all directions, (directions, …), with the gates in the order of ONNX."""
    rows = [_reordered(op, site, f"{name}_l{layer}{suffix}", blocks) for suffix in op.suffixes]
    apart = [site.emit("Unsqueeze", row, site.integers((0,))) for row in rows]
    return site.emit("Concat", *apart, axis=0) if len(apart) > 1 else apart[0]


def _biases(op: Recurrent, site: Site, layer: int, blocks: Sequence[int]) -> str:
    """The biases of the input and of the state, (directions, 2 · gates · units); "" without a bias."""
    if not op.bias:
        return ""
    rows = []
    for suffix in op.suffixes:
        first = _reordered(op, site, f"bias_ih_l{layer}{suffix}", blocks)
        name = f"bias_hh_l{layer}{suffix}"
        count = len(blocks) * op.units
        second = _reordered(op, site, name, blocks) if name in site.weights else site.numbers((0.0,) * count)
        rows.append(site.emit("Unsqueeze", site.emit("Concat", first, second, axis=0), site.integers((0,))))
    return site.emit("Concat", *rows, axis=0) if len(rows) > 1 else rows[0]


def _reordered(op: Recurrent, site: Site, name: str, blocks: Sequence[int]) -> str:
    """A weight with the rows of its gates in this order."""
    weight = site.weights[name]
    if list(blocks) == list(range(len(blocks))):
        return weight
    axis = site.integers((0,))
    parts = [
        site.emit(
            "Slice", weight, site.integers((at * op.units,)), site.integers(((at + 1) * op.units,)), axis
        )
        for at in blocks
    ]
    return site.emit("Concat", *parts, axis=0)


def _joined(op: Recurrent, site: Site, y: str, steps: int) -> str:
    """The outputs of the directions, combined by `merge`: (steps, N, channels)."""
    if len(op.suffixes) > 1 and op.merge != "concat":
        return site.emit(REDUCTIONS[op.merge], y, site.integers((1,)), keepdims=0)
    if len(op.suffixes) == 1:
        return site.emit("Squeeze", y, site.integers((1,)))
    moved = site.emit("Transpose", y, perm=(0, 2, 1, 3))
    return site.emit("Reshape", moved, site.integers((steps, -1, op.merged)))


def _end(op: Recurrent, site: Site, states: Sequence[str], starts: Sequence[str]) -> str:
    """The last states of all layers and directions, along the channels: (N, channels, *others)."""
    at = op.dimension(site.types)
    sizes = [size for axis, size in enumerate(site.sizes) if axis != at]
    rows = _kept(site, site.emit("Concat", *states, axis=0) if len(states) > 1 else states[0], starts)
    return _behind_batch(site, rows, (op.layers * len(op.suffixes), op.units), sizes)


def projects(graph: Graph) -> Iterator[tuple[str, str]]:
    """The layers that no operator of ONNX computes, each with the reason."""
    for node in graph.nodes:
        if isinstance(node.op, Lstm) and node.op.projection is not None:
            yield (
                node.name,
                f"`{node.name}` has a projection, which the LSTM of ONNX lacks; leave `projection` out",
            )
