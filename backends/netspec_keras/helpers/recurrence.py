"""Recurrent layers along any axis, and the cells that Keras lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from netspec.lowering.cutting import cut
from netspec.lowering.layout import docstring
from netspec_keras.helpers.helper import Helper, Parts
from netspec_keras.helpers.sweeps import (
    ALL,
    COUPLED,
    PEEPHOLES,
    PROJECTION,
    SINGLE,
    UNMOVED,
    layer,
    sizes,
    sweep_of_cell,
    sweep_of_keras,
)


def _along(parts: Parts) -> str:
    """The wrapper of a layer of Keras'."""
    turned = UNMOVED in parts
    about = "A layer of sequences along one axis of (N, *sizes, channels)"
    about += ", which can be moved already." if turned else "; other axes count as samples."
    moves = ", moves_in=True, moves_out=True" if turned else ""
    keeps = ["        self.moves_in, self.moves_out = moves_in, moves_out"] if turned else []
    goes_in = "ops.transpose(inputs, order)"
    goes_out = "ops.transpose(y, [order.index(axis) for axis in range(len(order))])"
    out = [f"        return {goes_out} if several else y"]
    steps = "self.axis if self.moves_in else -2" if turned else "self.axis"
    config = '{**super().get_config(), "axis": self.axis}'
    if turned:
        goes_in += " if self.moves_in else inputs"
        out = ["        if several and self.moves_out:", f"            return {goes_out}", "        return y"]
        config = '{**super().get_config(), "axis": self.axis, **moves}'
    lines = [
        "class Along(layers.Wrapper):",
        *docstring(about, 1),
        "",
        f"    def __init__(self, layer, axis=1{moves}, **kwargs):",
        "        super().__init__(layer, **kwargs)",
        *keeps,
        "        self.axis, layer.trainable = axis, self.trainable",
        "",
        "    def build(self, input_shape):",
        f"        self.layer.build((None, input_shape[{steps}], input_shape[-1]))",
        "",
        "    def call(self, inputs):",
        "        axes = range(1, len(inputs.shape) - 1)",
        "        order = (0, *(axis for axis in axes if axis != self.axis), self.axis, len(inputs.shape) - 1)",
        f"        x = {goes_in}",
        "        y = self.layer(ops.reshape(x, (-1, *x.shape[-2:])))",
        "        several = len(y.shape) == 3",
        '        if several and getattr(self.layer, "go_backwards", False):',
        "            y = ops.flip(y, axis=1)  # Keras leaves the steps in the order of its way",
        "        y = ops.reshape(y, (-1, *x.shape[1:-2], *y.shape[1:]))",
        *out,
        "",
        "    def get_config(self):",
        *(['        moves = {"moves_in": self.moves_in, "moves_out": self.moves_out}'] if turned else []),
        f"        return {config}",
    ]
    return "\n" + "\n".join(lines) + "\n"


STACKED = '''
class Stacked(layers.Wrapper):
    """A layer of sequences, and copies of it in a row, which draw their weights themselves."""

    def __init__(self, layer, num_layers, dropout=0.0, **kwargs):
        super().__init__(layer, **kwargs)
        self.num_layers, self.dropout = num_layers, dropout
        config = self.unbuilt(layer.get_config())
        names = [f"{layer.name}_{number}" for number in range(1, num_layers)]
        self.others = [layer.from_config({**config, "name": name}) for name in names]
        self.drop = layers.Dropout(dropout, dtype=self.dtype_policy)

    def unbuilt(self, config):
        """The config without the sizes that a layer in the layer was built for."""
        if not isinstance(config, dict):
            return config
        return {key: self.unbuilt(value) for key, value in config.items() if key != "build_config"}

    def build(self, input_shape):
        for layer in (self.layer, *self.others):
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def call(self, inputs, training=None):
        x = self.layer(inputs, training=training)
        for layer in self.others:
            x = layer(self.drop(x, training=training), training=training)
        return x

    def get_config(self):
        own = {"num_layers": self.num_layers, "dropout": self.dropout}
        return {**super().get_config(), **own}
'''

PROJECTED = 'self.settings.get("projection") or self.units, self.units'
"""The channels of the states of an LSTM with a projection."""

CLONE = '''
def clone(setting):
    """A copy of an initializer, as one object draws the same values each time; else the setting."""
    own = isinstance(setting, keras.initializers.Initializer)
    return setting.__class__.from_config(setting.get_config()) if own else setting
'''

GATED_LSTM_CELL = '''
class GatedLSTMCell(layers.LSTMCell):
    """An LSTM whose gates may see the cell, or forget as much as they take in; Keras has none."""  #: gated
    """An LSTM with a state of its own size, or that drops channels of it; Keras has none."""  #: !gated

    def __init__(self, units, $fields**kwargs):
        drawn = kwargs.pop("projection_initializer", "glorot_uniform")  #: projection
        super().__init__(units, **kwargs)
        self.peepholes = peepholes  #: peepholes
        self.coupled = coupled  #: coupled
        self.projection = projection  #: projection
        self.projection_initializer = keras.initializers.get(drawn)  #: projection
        self.output_size = projection or units  #: projection
        self.state_size = [self.output_size, units]  #: projection

    def build(self, input_shape):
        rows = (3 if self.coupled else 4) * self.units  #: coupled
        rows = 4 * self.units  #: !coupled
        kernel, recurrent = (input_shape[-1], rows), (self.output_size, rows)
        self.kernel = self.add_weight(kernel, self.kernel_initializer, name="kernel")
        self.recurrent_kernel = self.add_weight(
            recurrent, self.recurrent_initializer, name="recurrent_kernel"
        )
        if self.use_bias:
            bias = self.bias_initializer
            bias = GateBias(0.0, 1.0, 0.0, 0.0) if self.unit_forget_bias else bias
            self.bias = self.add_weight((rows,), bias, name="bias")
        if self.peepholes:  #: peepholes
            self.peephole = self.add_weight((rows - self.units,), "zeros", name="peephole")  #: peepholes
        if self.projection:  #: projection
            shape = (self.units, self.projection)  #: projection
            self.projector = self.add_weight(shape, self.projection_initializer, name="projector")  #: projection

    def call(self, inputs, states, training=False):
        h, c = states
        if training and self.recurrent_dropout:  #: variational
            h = h * self.get_recurrent_dropout_mask(h)[0]  #: variational
        z = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel)
        z = z + self.bias if self.use_bias else z
        *gates, g, o = ops.split(z, 3 if self.coupled else 4, axis=-1)  #: coupled
        *gates, g, o = ops.split(z, 4, axis=-1)  #: !coupled
        if self.peepholes:  #: peepholes
            *peepholes, peephole_o = ops.split(self.peephole, len(gates) + 1)  #: peepholes
            gates = [gate + peephole * c for gate, peephole in zip(gates, peepholes)]  #: peepholes
        i, *f = [ops.sigmoid(gate) for gate in gates]  #: coupled
        i, f = [ops.sigmoid(gate) for gate in gates]  #: !coupled
        c = (f[0] if f else 1 - i) * c + i * ops.tanh(g)  #: coupled
        c = f * c + i * ops.tanh(g)  #: !coupled
        h = ops.sigmoid(o + peephole_o * c if self.peepholes else o) * ops.tanh(c)  #: peepholes
        h = ops.sigmoid(o) * ops.tanh(c)  #: !peepholes
        h = ops.matmul(h, self.projector) if self.projection else h  #: projection
        return h, [h, c]
  #: fields
    def get_config(self):  #: fields
        names = ($names)  #: fields
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}  #: fields
'''

CELL_FIELDS = {
    PEEPHOLES: ("peepholes=False", ("peepholes",)),
    COUPLED: ("coupled=False", ("coupled",)),
    PROJECTION: ("projection=0", ("projection", "projection_initializer")),
}
"""For a part of an LSTM, its parameter and what its config has of it."""


def _gated_lstm_cell(parts: Parts) -> str:
    fields = [each for part, each in CELL_FIELDS.items() if part in parts]
    names = [f'"{name}"' for _, row in fields for name in row]
    words = {
        "fields": "".join(f"{field}, " for field, _ in fields),
        "names": ", ".join(names) + "," * (len(names) == 1),
    }
    more = {"fields"} if fields else set()
    more |= {"gated"} if {PEEPHOLES, COUPLED} & {*parts} else set()
    return cut(GATED_LSTM_CELL, {*parts, *more}, **words) + "\n"


VARIATIONAL_GRU_CELL = '''
class VariationalGRUCell(layers.GRUCell):
    """A GRU that drops channels of the state on its way into the gates; Keras' own does not."""

    def call(self, inputs, states, training=False):
        h = old = states[0]
        if training and self.recurrent_dropout:
            h = h * self.get_recurrent_dropout_mask(h)[0]
        kernel_z, kernel_r, kernel_n = ops.split(self.recurrent_kernel, 3, axis=-1)
        z, r, n = ops.split(ops.matmul(inputs, self.kernel), 3, axis=-1)
        bias = [[0] * 3] * 2
        if self.use_bias:
            rows = ops.reshape(self.bias, (-1, 3 * self.units))
            bias = [ops.split(rows[at], 3) for at in range(rows.shape[0])] + [[0] * 3]
        z = ops.sigmoid(z + bias[0][0] + ops.matmul(h, kernel_z) + bias[1][0])
        r = ops.sigmoid(r + bias[0][1] + ops.matmul(h, kernel_r) + bias[1][1])
        if self.reset_after:
            n = ops.tanh(n + bias[0][2] + r * (ops.matmul(h, kernel_n) + bias[1][2]))
        else:
            n = ops.tanh(n + bias[0][2] + ops.matmul(r * h, kernel_n))
        h = (1 - z) * n + z * old
        return h, [h]
'''

GATE_BIAS = '''
class GateBias(keras.initializers.Initializer):
    """Starts the bias of each gate at a value of its own."""

    def __init__(self, *values, saved=()):
        self.values = [*(values or saved)]

    def __call__(self, shape, dtype=None):
        count = shape[0] // len(self.values)
        return ops.repeat(ops.convert_to_tensor(self.values, dtype), count)

    def get_config(self):
        return {"saved": self.values}
'''

LIFTED_GATES = '''
class LiftedGates(keras.initializers.Initializer):
    """Starts the bias of each gate as `initializer` draws it, and a number more."""

    def __init__(self, initializer, *values, saved=()):
        self.initializer = keras.initializers.get(initializer)
        self.values = [*(values or saved)]

    def __call__(self, shape, dtype=None):
        lifts = ops.repeat(ops.convert_to_tensor(self.values, dtype), shape[0] // len(self.values))
        return self.initializer(shape, dtype) + lifts

    def get_config(self):
        initializer = keras.initializers.serialize(self.initializer)
        return {"initializer": initializer, "saved": self.values}
'''


def _kind(name: str, doc: str, sweep: Callable[[Parts], Iterator[str]], states: str, *needs: str) -> Helper:
    """A kind of recurrent layers: a subclass of `Recurrent`, or the only class, if a network has one kind."""
    name = f"Recurrent{name}"

    def written(parts: Parts) -> str:
        methods = "\n".join((*sweep(parts), *sizes(states, parts))) + "\n"
        if SINGLE in parts:
            return layer(name, parts, methods)
        return f'\nclass {name}(Recurrent):\n    """{doc}"""\n{methods}'

    return Helper(written(ALL), ("clone", "Recurrent", *needs), written)


def _base(parts: Parts) -> str:
    return "" if SINGLE in parts else layer("Recurrent", parts)


def _layers(name: str, cls: str, doc: str, states: str = "self.units") -> Helper:
    return _kind(name, doc, partial(sweep_of_keras, cls), states)


def _of_cells(name: str, cell: str, doc: str, states: str = "self.units") -> Helper:
    return _kind(name, doc, partial(sweep_of_cell, cell), states, cell)


HELPERS = {
    "Along": Helper(_along(ALL), written=_along),
    "Stacked": Helper(STACKED),
    "GateBias": Helper(GATE_BIAS),
    "LiftedGates": Helper(LIFTED_GATES),
    "clone": Helper(CLONE),
    "Recurrent": Helper(_base(ALL), ("clone",), _base),
    "GatedLSTMCell": Helper(_gated_lstm_cell(ALL), ("GateBias",), _gated_lstm_cell),
    "VariationalGRUCell": Helper(VARIATIONAL_GRU_CELL),
    "RecurrentRNN": _layers("RNN", "SimpleRNN", "Of Keras' simple layers."),
    "RecurrentGRU": _layers("GRU", "GRU", "Of Keras' layers."),
    "RecurrentLSTM": _layers("LSTM", "LSTM", "Of Keras' layers.", "self.units, self.units"),
    "RecurrentGatedLSTM": _of_cells("GatedLSTM", "GatedLSTMCell", "Of LSTMs with more fields.", PROJECTED),
    "RecurrentVariationalGRU": _of_cells(
        "VariationalGRU", "VariationalGRUCell", "Of units that drop channels of the state."
    ),
}

KINDS = frozenset(name for name, helper in HELPERS.items() if "Recurrent" in helper.needs)
"""The kinds of recurrent layers."""
