"""Convolutional recurrent layers in Keras: `layers.ConvLSTM…D` if it is enough, else a helper."""

from __future__ import annotations

from collections.abc import Iterator

from netspec import arithmetic
from netspec.lowering.tree import LiteralValue
from netspec.ops.conv_recurrent import ConvGru, ConvLstm, ConvRecurrent
from netspec_keras.arguments import Arguments, Types, count, first, option, padded, squeeze
from netspec_keras.helpers.conv_recurrence import CALLS
from netspec_keras.layer import ALONE, Holder, LayerText, Lowered, Together
from netspec_keras.recurrence import FORGETFUL, ROWS, given, of_calls, stated


def recurrent(op: ConvRecurrent, types: Types) -> Lowered:
    """A layer of Keras, or the helper; further outputs need the helper."""

    def several(together: Together) -> Lowered:
        return _swept(op, types, together)

    lowered = _native(op, types) if _is_enough(op, types) else _swept(op, types)
    return Lowered(lowered.layers, lowered.holders, several=several, settings=of_calls(op, types))


def _is_enough(op: ConvRecurrent, types: Types) -> bool:
    """Whether one layer of Keras is enough: an LSTM along the first axis, one direction, initial states of 0."""
    if not isinstance(op, ConvLstm) or op.peepholes or op.recurrent != op.kernel:
        return False
    if len(types) > 1 or op.dimension(types) > 0 or op.direction == "both" or op.returns == "state":
        return False
    if max(op.of_input.strides) > 1 and max(op.of_input.dilation) > 1:
        return False
    # Of a sequence that runs backward, Keras has the last step first.
    is_flipped = op.returns == "sequence" and op.direction == "backward"
    return not is_flipped and isinstance(_padding(op, types), str)


def _padding(op: ConvRecurrent, types: Types) -> LiteralValue:
    """The padding of the input: `valid` or `same`, or a pair for each axis if neither word gives it."""
    window = op.of_input
    if not padded(window.pads):
        return "valid"
    axes = (op.others(types), window.kernel, window.strides, window.dilation)
    is_thinned = max(window.strides) > 1 and max(window.dilation) > 1
    same = tuple(map(arithmetic.same_pads, *axes))
    return "same" if window.pads == same and not is_thinned else window.pads


def _native(op: ConvRecurrent, types: Types) -> Lowered:
    rank = len(op.kernel)
    arguments = (
        count(op.filters, "filters"),
        first(squeeze(op.kernel), "kernel"),
        *_window(op, types),
        *_cell(op),
        option("return_sequences", op.returns == "sequence", False),
        option("go_backwards", op.direction == "backward", False),
    )
    return Lowered((LayerText(f"layers.ConvLSTM{rank}D", arguments),), dict(_holders(op, types, ("cell",))))


def _swept(op: ConvRecurrent, types: Types, together: Together = ALONE) -> Lowered:
    """The helper, which holds a cell for each direction."""
    held = dict(together.settings or of_calls(op, types))
    arguments = (
        count(op.filters, "filters"),
        first(op.kernel, "kernel"),
        option("axis", held["axis"], 1),
        option("recurrent_kernel", () if op.recurrent == op.kernel else op.recurrent, ()),
        *_window(op, types),
        option("direction", held["direction"], "forward"),
        option("merge", held["merge"], "concat"),
        *_cell(op),
        option("gives", (*(together.returns or (op.returns,)), *together.ports), ("sequence",)),
    )
    places = tuple(f"sweeps.{number}.cell" for number in range(len(op.suffixes)))
    name = "ConvLSTM" if isinstance(op, ConvLstm) else "ConvGRU"
    layer = LayerText(
        name,
        arguments,
        given=stated(op, types, together),
        parts=frozenset({CALLS} if together.varying else ()),
    )
    return Lowered(
        (layer,),
        dict(_holders(op, types, places)),
        gives=given(op.returns, together),
        settings=of_calls(op, types),
    )


def _window(op: ConvRecurrent, types: Types) -> Arguments:
    """The arguments of the convolution of the input."""
    return (
        option("strides", squeeze(op.of_input.strides), 1, "stride"),
        option("padding", _padding(op, types), "valid"),
        option("dilation_rate", squeeze(op.of_input.dilation), 1, "dilation"),
    )


def _cell(op: ConvRecurrent) -> Arguments:
    """The arguments of the cell that differ from the defaults of Keras."""
    found = [
        option("activation", op.activation, "tanh"),
        option("recurrent_activation", op.recurrent_activation, "sigmoid"),
        option("use_bias", op.bias, True, "bias"),
    ]
    match op:
        case ConvGru():
            found.append(option("reset_after", op.reset == "after", False))
        case ConvLstm():
            if op.peepholes:
                found.append(option("peepholes", op.peepholes, False))
            if op.bias and op.bias_start != FORGETFUL:
                found.append(option("unit_forget_bias", False, True))
    return tuple(found)


def _holders(op: ConvRecurrent, types: Types, places: tuple[str, ...]) -> Iterator[tuple[str, Holder]]:
    """The variable of each weight, by direction; `places` are the paths of the cells."""
    # The gates of a GRU stand in the order z, r, n in Keras.
    blocks = (1, 0, 2) if isinstance(op, ConvGru) else ()
    twice = isinstance(op, ConvGru) and op.reset == "after"
    axes = op.of_input.axes
    for place, suffix in zip(places, op.suffixes, strict=True):
        for each in op.cell_weights(types):
            kind, which = each.name.split("_")
            if kind == "bias":
                part = ("ih", "hh").index(which) if twice else None
                start = "gates" if isinstance(op, ConvLstm) else ""
                holder = Holder(f"{place}.bias", "O", "O", blocks=blocks, part=part, start=start)
            elif which == "ch":
                holder = Holder(f"{place}.{ROWS[which]}", f"O{axes}", f"{axes}O")
            else:
                holder = Holder(f"{place}.{ROWS[which]}", f"OI{axes}", f"{axes}IO", blocks=blocks)
            yield f"{each.name}_l0{suffix}", holder
