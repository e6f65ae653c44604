"""Recurrent layers in Keras: one layer of Keras if it is enough, else a helper with a layer per direction and level."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from netspec.dataclass import replace
from netspec.lowering.parts import Argument, Call
from netspec.lowering.tree import LiteralValue
from netspec.ops.initializers import ZEROS, lifted
from netspec.ops.recurrent import Gru, Lstm, Recurrent, Rnn
from netspec.ops.roles import LENGTHS, assigned
from netspec.ops.swept import CELL, STATE, Swept
from netspec_keras.arguments import Arguments, Types, count, option
from netspec_keras.helpers import sweeps
from netspec_keras.layer import ALONE, Holder, LayerText, Lowered, Together, Turning

NAMES: dict[type[Recurrent], str] = {Rnn: "RNN", Lstm: "LSTM", Gru: "GRU"}
"""The name of each layer in the helpers."""

LAYERS: dict[type[Recurrent], str] = {Rnn: "layers.SimpleRNN", Lstm: "layers.LSTM", Gru: "layers.GRU"}
"""The name of each layer in Keras."""

MERGES = {"concat": "concat", "sum": "sum", "average": "ave", "multiply": "mul"}
"""The name of each value of `merge` in Keras."""

FORGETFUL = lifted(ZEROS, i=0.0, f=1.0, g=0.0, o=0.0)
"""The initialiser of the biases of `layers.LSTM`, by gate."""

ROWS = {"ih": "kernel", "hh": "recurrent_kernel", "ch": "peephole", "hr": "projector"}
"""The variable of each weight in the cells of Keras and of the helpers."""


def recurrent(op: Recurrent, types: Types) -> Lowered:
    """A layer of Keras, or the helper; further outputs need the helper."""

    def several(together: Together) -> Lowered:
        return _turning(op, types, lambda *moves: _swept(op, types, together, moves))

    if _is_stack(op, types):
        lowered = _stack(op)
    else:
        lower = _one if _is_enough(op, types) else _swept
        lowered = _turning(op, types, lambda *moves: lower(op, types, moves=moves))
    return replace(lowered, several=several, settings=of_calls(op, types))


Moves = tuple[bool, ...]
"""Whether a layer moves the axis of the steps before the channels, and back."""

BOTH = (True, True)


def _turning(op: Recurrent, types: Types, lower: Callable[[bool, bool], Lowered]) -> Lowered:
    """The layer, which can leave its moves to its neighbours if it has any."""
    last, axis = 1 + len(types[0].spatial), 1 + op.dimension(types)
    order = (0, *(each for each in range(1, last) if each != axis), axis, last)
    if order == tuple(range(len(order))):
        return lower(*BOTH)
    gives = order if op.returns == "sequence" else None
    return replace(lower(*BOTH), turning=Turning(order, gives, lower))


def _moving(moves: Moves) -> Arguments:
    return tuple(
        option(name, value, True) for name, value in zip(("moves_in", "moves_out"), moves, strict=True)
    )


def _is_enough(op: Recurrent, types: Types) -> bool:
    """Whether one layer of Keras is enough: no lengths, initial states of 0, one layer, and no states as output."""
    return len(types) == 1 and op.layers == 1 and op.returns != "state" and not _needs_cell(op)


def _is_stack(op: Recurrent, types: Types) -> bool:
    """Whether layers of Keras' in a row do it: over all steps of one axis, in their order."""
    plain = len(types) == 1 and len(types[0].spatial) == 1 and not _needs_cell(op)
    return plain and op.layers > 1 and op.returns == "sequence" and op.direction != "backward"


def _stack(op: Recurrent) -> Lowered:
    """A helper that runs copies of a layer of Keras' after it."""
    (layer,) = _native(op.replace(layers=1)).layers
    arguments = (
        Argument(Call(layer.cls, layer.arguments)),
        option("num_layers", op.layers),
        option("dropout", op.dropout, 0.0),
    )
    cells = ("forward_layer.cell", "backward_layer.cell") if op.direction == "both" else ("cell",)
    layers = ("layer", *(f"others.{number}" for number in range(op.layers - 1)))
    places = tuple(f"{layer}.{cell}" for layer in layers for cell in cells)
    return Lowered((LayerText("Stacked", arguments),), dict(_holders(op, places)))


def _needs_cell(op: Recurrent) -> bool:
    """Whether no cell of Keras computes these steps."""
    if isinstance(op, Lstm):
        return op.peepholes or op.coupled or op.projection is not None or op.variational
    return op.variational


def _one(op: Recurrent, types: Types, moves: Moves = BOTH) -> Lowered:
    """The layer of Keras, inside the helper `Along` if the input has several axes or the steps come out reversed."""
    native = _native(op)
    reversed_ = op.direction == "backward" and op.returns == "sequence"
    if len(types[0].spatial) == 1 and not reversed_:
        return native
    (layer,) = native.layers
    axis = option("axis", 1 + op.dimension(types), 1)
    arguments = (Argument(Call(layer.cls, layer.arguments)), axis, *_moving(moves))
    along = LayerText("Along", arguments, parts=frozenset({sweeps.UNMOVED} if moves != BOTH else ()))
    holders = {
        name: replace(each, variable=f"layer.{each.variable}") for name, each in native.holders.items()
    }
    return Lowered((along,), holders)


def _native(op: Recurrent) -> Lowered:
    settings = [
        count(op.units, "units"),
        *_set(return_sequences=op.returns == "sequence", go_backwards=op.direction == "backward"),
        *_cell(op),
    ]
    if op.direction != "both":
        return Lowered((LayerText(LAYERS[type(op)], tuple(settings)),), dict(_holders(op, ("cell",))))
    inner = Argument(Call(LAYERS[type(op)], tuple(settings)))
    merge = option("merge_mode", MERGES[op.merge], "concat", "merge")
    holders = dict(_holders(op, ("forward_layer.cell", "backward_layer.cell")))
    return Lowered((LayerText("layers.Bidirectional", (inner, merge)),), holders)


def _set(**settings: bool) -> Iterator[Argument]:
    """The flags that are true, as arguments."""
    return (option(name, value, default=False) for name, value in settings.items())


def of_calls(op: Swept, types: Types) -> tuple[tuple[str, LiteralValue], ...]:
    """The settings that a call of a helper can state, as the layer holds no weights for them."""
    merge = op.merge if op.direction == "both" else "concat"
    return ("axis", 1 + op.dimension(types)), ("direction", op.direction), ("merge", merge)


def stated(op: Swept, types: Types, together: Together) -> tuple[Argument, ...]:
    """The settings in a call, where the calls of one layer differ in them."""
    return tuple(option(name, value) for name, value in of_calls(op, types) if name in together.varying)


def _swept(op: Recurrent, types: Types, together: Together = ALONE, moves: Moves = BOTH) -> Lowered:
    """The helper, which holds a layer of Keras for each layer and direction."""
    returns = together.returns or (op.returns,)
    held = dict(together.settings or of_calls(op, types))
    name = NAMES[type(op)]
    if _needs_cell(op):
        name = {Lstm: "GatedLSTM", Gru: "VariationalGRU", Rnn: "RNN"}[type(op)]
    arguments = (
        count(op.units, "units"),
        option("axis", held["axis"], 1),
        option("num_layers", op.layers, 1),
        option("direction", held["direction"], "forward"),
        option("merge", held["merge"], "concat"),
        *_cell(op),
        option("dropout", op.dropout, 0.0),
        option("variational", op.variational, False),
        option("gives", (*returns, *together.ports), ("sequence",)),
        *_moving(moves),
    )
    places = tuple(f"sweeps.{number}.cell" for number in range(op.layers * len(op.suffixes)))
    parts = {
        *_parts(op, types, {*returns, *together.ports}),
        *(sweeps.CALLS[name] for name in together.varying),
        *((sweeps.UNMOVED,) if moves != BOTH else ()),
    }
    layer = LayerText(
        f"Recurrent{name}", arguments, given=stated(op, types, together), parts=frozenset(parts)
    )
    return Lowered(
        (layer,), dict(_holders(op, places)), gives=given(op.returns, together), settings=of_calls(op, types)
    )


def _parts(op: Recurrent, types: Types, gives: Collection[str]) -> Iterator[str]:
    """The parts of the helper that the layer needs."""
    takes = {role.name for role, _ in assigned(op.inputs, types)}
    needed = {
        sweeps.AXES: len(types[0].spatial) > 1,
        sweeps.STARTS: STATE.name in takes or CELL.name in takes,
        sweeps.LENGTHS: LENGTHS.name in takes,
        sweeps.STACK: op.layers > 1,
        sweeps.DROPOUT: op.dropout > 0 or op.variational,
        sweeps.VARIATIONAL: op.variational,
        sweeps.BACKWARD: op.direction != "forward",
        sweeps.BOTH: op.direction == "both",
        sweeps.MERGE: op.merge != "concat",
        sweeps.PROJECTION: isinstance(op, Lstm) and op.projection is not None,
        sweeps.PEEPHOLES: isinstance(op, Lstm) and op.peepholes,
        sweeps.COUPLED: isinstance(op, Lstm) and op.coupled,
        sweeps.GIVES: set(gives) != {"sequence"},
        **{each: each in gives for each in (sweeps.LAST, sweeps.STATE, sweeps.CELL)},
    }
    yield from (part for part, is_needed in needed.items() if is_needed)


def given(own: str, together: Together) -> tuple[str, ...]:
    """The values that the helper gives: what nodes return, of which one is the node's own, and ports."""
    returned = ("" if each in ("", own) else f"not {each}" for each in together.returns or ("",))
    found = (*returned, *together.ports)
    return found if len(found) > 1 else ()


def _cell(op: Recurrent) -> Arguments:
    """The arguments of the cell that differ from the defaults of Keras."""
    found = [] if op.bias else [option("use_bias", False, hint="bias")]
    match op:
        case Rnn() if op.activation != "tanh":
            found.append(option("activation", op.activation))
        case Gru() if op.reset == "before":
            found.append(option("reset_after", False))
        case Lstm():
            found += _set(peepholes=op.peepholes, coupled=op.coupled)
            if op.projection is not None:
                found.append(option("projection", op.projection))
            if op.bias and (op.coupled or op.bias_start != FORGETFUL):
                found.append(option("unit_forget_bias", False))
    return tuple(found)


def _holders(op: Recurrent, places: tuple[str, ...]) -> Iterator[tuple[str, Holder]]:
    """The variable of each weight, by layer and direction; `places` are the paths of the cells."""
    # The gates of a GRU stand in the order z, r, n in Keras.
    blocks = (1, 0, 2) if isinstance(op, Gru) else ()
    twice = isinstance(op, Gru) and op.reset == "after"
    number = 0
    for layer in range(op.layers):
        for suffix in op.suffixes:
            place, ending = places[number], f"_l{layer}{suffix}"
            for each in op.cell_weights(1):
                kind, which = each.name.split("_")
                if kind == "bias":
                    start = "gates" if isinstance(op, Lstm) and not op.coupled else ""
                    part = ("ih", "hh").index(which) if twice else None
                    holder = Holder(f"{place}.bias", "O", "O", blocks=blocks, part=part, start=start)
                elif which == "ch":
                    holder = Holder(f"{place}.{ROWS[which]}", "O", "O")
                else:
                    kept = blocks if which != "hr" else ()
                    holder = Holder(f"{place}.{ROWS[which]}", "OI", "IO", blocks=kept)
                yield f"{each.name}{ending}", holder
            number += 1
