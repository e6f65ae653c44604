"""The helper that runs recurrent layers along an axis, with only the parts that a network needs."""

from __future__ import annotations

from collections.abc import Iterator

from netspec.lowering.layout import docstring, wrap
from netspec_keras.helpers.helper import Parts

AXES = "axes"
"""Inputs with several axes, of which one has the steps."""
UNMOVED = "unmoved"
"""Inputs or outputs with the axis of the steps before the channels."""
STARTS = "starts"
"""States to start with."""
LENGTHS = "lengths"
"""A length for each sequence."""
STACK = "stack"
"""Several layers, one after the other."""
DROPOUT = "dropout"
"""Dropout between the layers, or in the state."""
VARIATIONAL = "variational"
"""The same channels are dropped at all steps."""
BACKWARD = "backward"
"""Layers that start at the last step."""
BOTH = "both"
"""Layers in both directions."""
MERGE = "merge"
"""Directions that become one in another way than side by side."""
GIVES = "gives"
"""Other outputs than the sequence."""
LAST = "last"
"""The last outputs of the directions."""
STATE = "state"
"""The last states."""
CELL = "cell"
"""The last cells."""
PROJECTION = "projection"
"""States of another number of channels than the cells."""
PEEPHOLES = "peepholes"
"""Gates of an LSTM that see the cell."""
COUPLED = "coupled"
"""An LSTM that forgets as much as it takes in."""
CALLS = {"axis": "axis of a call", "direction": "direction of a call", "merge": "merge of a call"}
"""Calls of one layer that differ in these settings."""
SINGLE = "single"
"""The network has one kind of recurrent layers, so one class is enough."""

ALL = (
    AXES,
    UNMOVED,
    STARTS,
    LENGTHS,
    STACK,
    DROPOUT,
    VARIATIONAL,
    BACKWARD,
    BOTH,
    MERGE,
    GIVES,
    LAST,
    STATE,
    CELL,
    PROJECTION,
    PEEPHOLES,
    COUPLED,
    *CALLS.values(),
)


def layer(name: str, parts: Parts, methods: str = "") -> str:
    """The class of this name; `methods` are those that its subclasses have otherwise."""
    lines = [f"class {name}(layers.Layer):", *docstring(_about(parts), 1), ""]
    lines += ['    own = ("name", "dtype", "trainable")', ""]
    lines += [*_init(parts), "", *_fresh(parts), "", *_build(parts), "", *_call(parts), ""]
    for method in (_turned, _value, _merged):
        if made := list(method(parts)):
            lines += [*made, ""]
    lines += _get_config(parts)
    return "\n" + "\n".join(lines) + "\n" + methods


ABOUT_MOVES = "`moves_in` and `moves_out`: whether it moves that axis before the channels, and back."


def _about(parts: Parts) -> str:
    first = (
        "Recurrent layers along one axis of (N, *sizes, channels); the other axes count as samples."
        if AXES in parts
        else "Recurrent layers over (N, steps, channels)."
    )
    takes = [
        *(["the states to start with"] if STARTS in parts else []),
        *(["the lengths"] if LENGTHS in parts else []),
    ]
    outputs = {
        'the "last" outputs of the directions': LAST,
        'the last "state"': STATE,
        'the last "cell"': CELL,
    }
    gives = [words for words, part in outputs.items() if part in parts]
    more = f"It takes the input, and {' and '.join(takes)}, where there are any. " if takes else ""
    if gives:
        *names, last = ['the "sequence"', *gives]
        more += f"It returns what `gives` names: {', '.join(names)} or {last}."
    more += f"{ABOUT_MOVES} " if UNMOVED in parts else ""
    return f"{first}\n\n{more}" if more else first


def _init(parts: Parts) -> Iterator[str]:
    options = [
        *(["axis=1"] if AXES in parts else []),
        *(["num_layers=1"] if STACK in parts else []),
        *(['direction="forward"'] if BACKWARD in parts else []),
        *(['merge="concat"'] if MERGE in parts else []),
        *(['gives=("sequence",)'] if GIVES in parts else []),
        *(["dropout=0.0"] if DROPOUT in parts else []),
        *(["variational=False"] if VARIATIONAL in parts else []),
        *(["moves_in=True", "moves_out=True"] if UNMOVED in parts else []),
    ]
    yield from wrap(f"def __init__({', '.join(['self', 'units', *options, '**kwargs'])}):", 1)
    yield "        self.settings = {name: kwargs.pop(name) for name in [*kwargs] if name not in self.own}"
    yield "        super().__init__(**kwargs)"
    names = _options(parts)
    values = ["tuple(gives)" if name == "gives" else name for name in names]
    for row in (slice(0, 3), slice(3, 6), slice(6, 9), slice(9, None)):
        if names[row]:
            targets = ", ".join("self." + ("rate" if name == "dropout" else name) for name in names[row])
            yield f"        {targets} = {', '.join(values[row])}"
    if BACKWARD in parts:
        both = ', "both": [False, True]' if BOTH in parts else ""
        yield f'        self.backward = {{"forward": [False], "backward": [True]{both}}}[direction]'
        yield "        self.sweeps = ["
        yield '            self.sweep(go_backwards=backward, name=f"sweep{number}", **self.fresh())'
        rows = "self.backward * num_layers" if STACK in parts else "self.backward"
        yield f"            for number, backward in enumerate({rows})"
        yield "        ]"
    elif STACK in parts:
        yield "        self.sweeps = ["
        yield '            self.sweep(name=f"sweep{number}", **self.fresh()) for number in range(num_layers)'
        yield "        ]"
    else:
        yield '        self.sweeps = [self.sweep(name="sweep0", **self.fresh())]'
    if DROPOUT in parts and STACK in parts:
        noise = ""
        if VARIATIONAL in parts:
            yield "        noise = (None, 1, None) if variational else None"
            noise = ", noise_shape=noise"
        yield from wrap(
            f'self.drop = layers.Dropout(dropout{noise}, dtype=self.dtype_policy, name="drop")', 2
        )


def _options(parts: Parts) -> list[str]:
    """The arguments that the layer keeps."""
    found = {
        "axis": AXES,
        "num_layers": STACK,
        "direction": BACKWARD,
        "merge": MERGE,
        "gives": GIVES,
        "dropout": DROPOUT,
        "variational": VARIATIONAL,
        "moves_in": UNMOVED,
        "moves_out": UNMOVED,
    }
    return ["units", *(name for name, part in found.items() if part in parts)]


def _fresh(parts: Parts) -> Iterator[str]:
    yield "    def fresh(self):"
    if STACK in parts or BOTH in parts:
        yield '        """The settings of a cell; a cell draws its weights itself."""'
        yield "        settings = {name: clone(value) for name, value in self.settings.items()}"
    else:
        yield '        """The settings of the cell."""'
        yield "        settings = {**self.settings}"
    own = '"trainable": self.trainable, "dtype": self.dtype_policy'
    if VARIATIONAL in parts:
        yield f"        settings |= {{{own}}}"
        yield '        return {**settings, "recurrent_dropout": self.rate} if self.variational else settings'
    else:
        yield f"        return {{**settings, {own}}}"


def _build(parts: Parts) -> Iterator[str]:
    yield "    def build(self, input_shape):"
    channels = "input_shape[-1]"
    if takes_several(parts):
        yield "        several = isinstance(input_shape[0], (list, tuple))"
        channels = "(input_shape[0] if several else input_shape)[-1]"
    yield f"        channels = {channels}"
    if STACK in parts and BACKWARD in parts:
        yield "        for number, sweep in enumerate(self.sweeps):"
        yield "            if number >= len(self.backward):"
        sides = ""
        if BOTH in parts:
            sides = " * len(self.backward)"
            if MERGE in parts:
                sides = ' * (len(self.backward) if self.merge == "concat" else 1)'
        yield f"                channels = {_width(parts)}{sides}"
    else:
        yield "        for sweep in self.sweeps:"
    yield "            sweep.build((None, None, channels))"
    if STACK in parts and BACKWARD not in parts:
        yield f"            channels = {_width(parts)}"


def _width(parts: Parts) -> str:
    """The channels of what a sweep returns."""
    return "self.sizes()[0]" if PROJECTION in parts else "self.units"


def takes_several(parts: Parts) -> bool:
    """Whether the layer takes more than the sequence."""
    return STARTS in parts or LENGTHS in parts


def keeps_states(parts: Parts) -> bool:
    """Whether the sweeps have to return their states."""
    return GIVES in parts or BACKWARD in parts


def _call(parts: Parts) -> Iterator[str]:
    stated = "".join(f", {name}=None" for name, part in CALLS.items() if part in parts)
    yield f"    def call(self, inputs, training=None{stated}):"
    if CALLS["axis"] in parts:
        yield "        along = self.axis if axis is None else axis"
    if CALLS["merge"] in parts:
        yield "        merge = merge or self.merge"
    yield from _inputs(parts)
    mask = ", mask" if LENGTHS in parts else ""
    if CALLS["direction"] in parts:
        yield "        turned = direction not in (None, self.direction)"
        yield f"        x = self.turned(x{mask}) if turned else x"
    if BACKWARD in parts:
        yield from _there_and_back(parts)
    else:
        yield from _forward(parts)
    if CALLS["direction"] in parts:
        yield f"        x = self.turned(x{mask}) if turned else x"
    if GIVES in parts:
        merge = ", merge" if CALLS["merge"] in parts else ""
        yield f"        values = [self.value(name, x, states{merge}) for name in self.gives]"
        if AXES in parts:
            yield "        if others:"
            yield "            values = [ops.reshape(y, (-1, *samples, *y.shape[1:])) for y in values]"
            yield "            back = [order.index(axis) for axis in range(rank)]"
            last = " and self.moves_out" if UNMOVED in parts else ""
            yield from wrap(
                f"values = [ops.transpose(y, back) if len(y.shape) == rank{last} else y for y in values]", 3
            )
        yield "        return values[0] if len(values) == 1 else tuple(values)"
        return
    if AXES in parts:
        yield "        if others:"
        yield "            x = ops.reshape(x, (-1, *samples, *x.shape[1:]))"
        back = "ops.transpose(x, [order.index(axis) for axis in range(rank)])"
        if UNMOVED in parts:
            yield "            if self.moves_out:"
            yield f"                x = {back}"
        else:
            yield f"            x = {back}"
    yield "        return x"


def _inputs(parts: Parts) -> Iterator[str]:
    """Names for the inputs, the axis of the steps second, and the mask of the steps that count."""
    further = [part for part in (STARTS, LENGTHS) if part in parts]
    if not further:
        yield "        x = inputs"
    else:
        name = further[0] if len(further) == 1 else "further"
        yield f"        x, *{name} = inputs if isinstance(inputs, (list, tuple)) else [inputs]"
    if len(further) == 2:
        yield '        lengths = [value for value in further if "int" in str(value.dtype)]'
        yield '        starts = [value for value in further if "int" not in str(value.dtype)]'
    if AXES in parts:
        if STARTS in parts:
            yield "        starts = [ops.reshape(state, (-1, state.shape[-1])) for state in starts]"
        yield "        rank = len(x.shape)"
        along = "along" if CALLS["axis"] in parts else "self.axis"
        yield f"        others = [axis for axis in range(1, rank - 1) if axis != {along}]"
        yield f"        order = (0, *others, {along}, rank - 1)"
        if UNMOVED in parts:
            yield "        x = ops.transpose(x, order) if others and self.moves_in else x"
            yield "        samples = x.shape[1:-2]"
            yield "        if others:"
            yield "            x = ops.reshape(x, (-1, *x.shape[-2:]))"
        else:
            yield f"        samples, steps = [x.shape[axis] for axis in others], x.shape[{along}]"
            yield "        if others:"
            yield "            x = ops.reshape(ops.transpose(x, order), (-1, steps, x.shape[-1]))"
    if LENGTHS in parts:
        yield "        mask = None"
        yield "        if lengths:"
        yield "            count = ops.cast(ops.arange(x.shape[1]), lengths[0].dtype)"
        yield "            mask = ops.expand_dims(lengths[0], -1) > count"


def _forward(parts: Parts) -> Iterator[str]:
    """The sweeps one after the other."""
    keeps = keeps_states(parts)
    counts = _divides(parts) or (DROPOUT in parts and STACK in parts)
    if keeps:
        yield "        states = []"
    yield f"        for {'at, sweep in enumerate(self.sweeps)' if counts else 'sweep in self.sweeps'}:"
    if _divides(parts):
        yield "            start = None"
        yield from _start(parts, 3)
    yield f"            x{', *last' * keeps} = sweep(x, {_settings(parts)})"
    if LENGTHS in parts:
        yield "            x = x if mask is None else ops.where(ops.expand_dims(mask, -1), x, 0)"
    if keeps:
        yield "            states.append(last)"
    if DROPOUT in parts and STACK in parts:
        yield "            if at + 1 < self.num_layers:"
        yield "                x = self.drop(x, training=training)"


def _there_and_back(parts: Parts) -> Iterator[str]:
    """The sweeps of each direction, layer by layer."""
    yield "        states = []"
    deep = 2
    if STACK in parts:
        name = "layer" if DROPOUT in parts else "_"
        yield f"        for {name} in range(self.num_layers):"
        deep = 3
    pad = "    " * deep
    yield f"{pad}outputs = []"
    yield f"{pad}for backward in self.backward:"
    yield f"{pad}    at, start = len(states), None" if _divides(parts) else f"{pad}    at = len(states)"
    yield from _start(parts, deep + 1)
    yield from wrap(f"y, *last = self.sweeps[at](x, {_settings(parts)})", deep + 1)
    yield f"{pad}    y = ops.flip(y, axis=1) if backward else y"
    if LENGTHS in parts:
        yield f"{pad}    y = y if mask is None else ops.where(ops.expand_dims(mask, -1), y, 0)"
    yield f"{pad}    outputs.append(y)"
    yield f"{pad}    states.append(last)"
    merge = ", merge" if CALLS["merge"] in parts else ""
    yield f"{pad}x = self.merged(outputs{merge})" if BOTH in parts else f"{pad}(x,) = outputs"
    if DROPOUT in parts and STACK in parts:
        yield f"{pad}if layer + 1 < self.num_layers:"
        yield f"{pad}    x = self.drop(x, training=training)"


def _divides(parts: Parts) -> bool:
    """Whether each sweep takes a part of the states."""
    return STARTS in parts and (STACK in parts or BOTH in parts)


def _start(parts: Parts, deep: int) -> Iterator[str]:
    if _divides(parts):
        pad = "    " * deep
        yield f"{pad}if starts:"
        if PROJECTION in parts:
            yield f"{pad}    parts = zip(starts, self.sizes())"
            yield f"{pad}    start = [state[:, at * size : (at + 1) * size] for state, size in parts]"
        else:
            yield f"{pad}    part = slice(at * self.units, (at + 1) * self.units)"
            yield f"{pad}    start = [state[:, part] for state in starts]"


def _settings(parts: Parts) -> str:
    """The arguments of a sweep."""
    start = "initial_state=start, " if STARTS in parts else ""
    if STARTS in parts and not _divides(parts):
        start = "initial_state=starts or None, "
    return f"{start}{'mask=mask, ' if LENGTHS in parts else ''}training=training"


def _turned(parts: Parts) -> Iterator[str]:
    if CALLS["direction"] not in parts:
        return
    if LENGTHS not in parts:
        yield "    def turned(self, x):"
        yield "        return ops.flip(x, axis=1)"
        return
    yield "    def turned(self, x, mask):"
    yield '        """The steps that count, in the other order."""'
    yield "        if mask is None:"
    yield "            return ops.flip(x, axis=1)"
    yield '        counts = ops.cast(mask, "int32")'
    yield '        at, last = ops.arange(x.shape[1], dtype="int32"), ops.sum(counts, axis=1, keepdims=True) - 1'
    yield "        order = ops.expand_dims(ops.where(mask, last - at, at), -1)"
    yield "        return ops.take_along_axis(x, order, axis=1)"


def _value(parts: Parts) -> Iterator[str]:
    if GIVES not in parts:
        return
    merge = ", merge" if CALLS["merge"] in parts else ""
    yield f"    def value(self, name, x, states{merge}):"
    if LAST in parts:
        yield '        if name == "last":'
        if BOTH in parts:
            yield from wrap(
                f"return self.merged([last[0] for last in states[-len(self.backward) :]]{merge})", 3
            )
        else:
            yield "            return states[-1][0]"
    if STATE in parts or CELL in parts:
        yield '        if name == "sequence":'
        yield "            return x"
        at = "0" if CELL not in parts else 'name == "cell"'
        yield f"        return ops.concatenate([last[{at}] for last in states], axis=-1)"
    else:
        yield "        return x"


def _merged(parts: Parts) -> Iterator[str]:
    if BOTH not in parts:
        return
    given, merge = (", merge", "merge") if CALLS["merge"] in parts else ("", "self.merge")
    yield f"    def merged(self, outputs{given}):"
    yield "        if len(outputs) == 1:"
    yield "            return outputs[0]"
    if MERGE in parts:
        yield f'        if {merge} == "concat":'
        yield "            return ops.concatenate(outputs, axis=-1)"
        yield f'        if {merge} == "multiply":'
        yield "            return outputs[0] * outputs[1]"
        yield f'        return (outputs[0] + outputs[1]) / (2 if {merge} == "average" else 1)'
    else:
        yield "        return ops.concatenate(outputs, axis=-1)"


def _get_config(parts: Parts) -> Iterator[str]:
    yield "    def get_config(self):"
    moves = ("moves_in", "moves_out")
    names = [name for name in _options(parts) if name not in ("dropout", *moves)]
    rate = ', "dropout": self.rate' if DROPOUT in parts else ""
    if len(names) == 1:
        yield f'        own = {{"units": self.units{rate}}}'
        yield "        return {**super().get_config(), **own, **self.settings}"
        return
    listed = ", ".join(f'"{name}"' for name in names)
    yield from wrap(f"names = ({listed})", 2)
    yield "        own = {name: getattr(self, name) for name in names}"
    if UNMOVED in parts:
        yield '        moves = {"moves_in": self.moves_in, "moves_out": self.moves_out}'
        rate = f", **moves{rate}"
    yield f"        return {{**super().get_config(), **own{rate}, **self.settings}}"


def sweep_of_keras(cls: str, parts: Parts) -> Iterator[str]:
    """The method that makes a layer of Keras."""
    state = ", return_state=True" if keeps_states(parts) else ""
    yield ""
    yield "    def sweep(self, **settings):"
    yield f"        return layers.{cls}(self.units, return_sequences=True{state}, **settings)"


def sweep_of_cell(cell: str, parts: Parts) -> Iterator[str]:
    """The method that makes a layer of a cell."""
    way = "go_backwards, " if BACKWARD in parts else ""
    state = ', "return_state": True' if keeps_states(parts) else ""
    back = ', "go_backwards": go_backwards' if BACKWARD in parts else ""
    yield ""
    yield f"    def sweep(self, {way}name, **settings):"
    yield f"        cell = {cell}(self.units, **settings)"
    yield f'        how = {{"return_sequences": True{state}{back}}}'
    yield "        return layers.RNN(cell, **how, dtype=self.dtype_policy, name=name)"


def sizes(found: str, parts: Parts) -> Iterator[str]:
    """The method for the channels of the states, unless all are the units."""
    if PROJECTION in parts:
        yield ""
        yield "    def sizes(self):"
        yield f"        return [{found}]"
