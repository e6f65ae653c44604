"""Convolutional recurrent layers along any axis, and their cells; Keras has only some LSTMs."""

from __future__ import annotations

from netspec_keras.helpers.helper import Helper, Parts

CALLS = "settings of a call"
"""Calls of one layer that differ in their axis, direction or merge."""

CONV_RECURRENT = '''
class ConvRecurrent(layers.Layer):
    """Convolutional recurrent layers along one axis of (N, *sizes, channels).

    It takes the input and the states to start with, where there are any. It returns what `gives`
    names: the "sequence", the "last" outputs of the directions, and the last "state" or "cell".
    """

    own = ("name", "dtype", "trainable")

    def __init__(self, filters, kernel_size, axis=1, direction="forward", merge="concat", **kwargs):
        gives = kwargs.pop("gives", ("sequence",))
        self.settings = {name: kwargs.pop(name) for name in [*kwargs] if name not in self.own}
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.axis = filters, kernel_size, axis
        self.direction, self.merge, self.gives = direction, merge, tuple(gives)
        self.backward = {"forward": [False], "backward": [True], "both": [False, True]}[direction]
        how = {"return_sequences": True, "return_state": True, "dtype": self.dtype_policy}
        self.sweeps = [
            layers.RNN(self.cell(), go_backwards=backward, name=f"sweep{number}", **how)
            for number, backward in enumerate(self.backward)
        ]

    def fresh(self):
        """The settings of a cell; a cell draws its weights itself."""
        settings = {name: clone(value) for name, value in self.settings.items()}
        return {**settings, "trainable": self.trainable, "dtype": self.dtype_policy}

    def build(self, input_shape):
        several = isinstance(input_shape[0], (list, tuple))
        shape = [*(input_shape[0] if several else input_shape)][1:]
        del shape[self.axis - 1]
        for sweep in self.sweeps:
            sweep.build((None, None, *shape))

-    def call(self, inputs):
+    def call(self, inputs, axis=None, direction=None, merge=None):
+        axis, merge = axis or self.axis, merge or self.merge
+        turned = direction not in (None, self.direction)
        x, *starts = inputs if isinstance(inputs, (list, tuple)) else [inputs]
-        x = ops.moveaxis(x, self.axis, 1)
+        x = ops.moveaxis(x, axis, 1)
+        x = ops.flip(x, axis=1) if turned else x
        outputs, states = [], []
        for number, sweep in enumerate(self.sweeps):
            gates = sweep.cell.of_input(x)
            start = [ops.split(state, len(self.sweeps), axis=-1)[number] for state in starts]
            if not start:
                start = [ops.zeros_like(gates[:, 0, ..., : self.filters])] * sweep.cell.states
            y, *last = sweep(gates, initial_state=start)
-            y = ops.flip(y, axis=1) if self.backward[number] else y
-            outputs.append(ops.moveaxis(y, 1, self.axis))
+            y = ops.flip(y, axis=1) if self.backward[number] != turned else y
+            outputs.append(ops.moveaxis(y, 1, axis))
            states.append(last)
-        values = [self.value(name, outputs, states) for name in self.gives]
+        values = [self.value(name, outputs, states, merge) for name in self.gives]
        return values[0] if len(values) == 1 else tuple(values)

-    def value(self, name, outputs, states):
+    def value(self, name, outputs, states, merge):
        if name == "sequence":
-            return self.merged(outputs)
+            return self.merged(outputs, merge)
        if name == "last":
-            return self.merged([last[0] for last in states])
+            return self.merged([last[0] for last in states], merge)
        return ops.concatenate([last[name == "cell"] for last in states], axis=-1)

-    def merged(self, outputs):
-        if len(outputs) == 1 or self.merge == "concat":
+    def merged(self, outputs, merge):
+        if len(outputs) == 1 or merge == "concat":
            return ops.concatenate(outputs, axis=-1)
-        if self.merge == "multiply":
+        if merge == "multiply":
            return outputs[0] * outputs[1]
-        return (outputs[0] + outputs[1]) / (2 if self.merge == "average" else 1)
+        return (outputs[0] + outputs[1]) / (2 if merge == "average" else 1)

    def get_config(self):
        names = ("filters", "kernel_size", "axis", "direction", "merge", "gives")
        own = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **own, **self.settings}
'''

CONV_CELL = '''
class ConvCell(layers.Layer):
    """A step of a convolutional recurrent layer, which takes its input convolved."""

    def __init__(self, filters, kernel_size, recurrent_kernel=(), strides=1, **kwargs):
        self.padding = kwargs.pop("padding", "valid")
        self.dilation_rate = kwargs.pop("dilation_rate", 1)
        self.use_bias = kwargs.pop("use_bias", True)
        activation = kwargs.pop("activation", "tanh")
        recurrent_activation = kwargs.pop("recurrent_activation", "sigmoid")
        starts = {"kernel": "glorot_uniform", "recurrent": "orthogonal", "bias": "zeros"}
        drawn = {name: kwargs.pop(f"{name}_initializer", own) for name, own in starts.items()}
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.strides = filters, tuple(kernel_size), strides
        self.recurrent_kernel_size = tuple(recurrent_kernel or kernel_size)
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.drawn = {name: keras.initializers.get(start) for name, start in drawn.items()}
        self.state_size = [filters] * self.states

    def build(self, input_shape):
        rows = self.gates * self.filters
        kernel = (*self.kernel_size, input_shape[-1], rows)
        recurrent = (*self.recurrent_kernel_size, self.filters, rows)
        self.kernel = self.add_weight(kernel, self.drawn["kernel"], name="kernel")
        self.recurrent_kernel = self.add_weight(
            recurrent, self.drawn["recurrent"], name="recurrent_kernel"
        )
        if self.use_bias:
            self.bias = self.add_weight(*self.of_bias(rows), name="bias")

    def of_bias(self, rows):
        return (rows,), self.drawn["bias"]

    def of_input(self, x):
        """The convolution of the inputs of all steps at once."""
        x, steps = ops.reshape(x, (-1, *x.shape[2:])), x.shape[1]
        padding = self.padding if isinstance(self.padding, str) else "valid"
        if padding != self.padding:
            x = ops.pad(x, ((0, 0), *self.padding, (0, 0)))
        y = self.convolved(x, padding)
        y = y + (self.bias[0] if len(self.bias.shape) > 1 else self.bias) if self.use_bias else y
        return ops.reshape(y, (-1, steps, *y.shape[1:]))

    def convolved(self, x, padding):
        rank = len(self.kernel_size)
        strides = (self.strides,) * rank if isinstance(self.strides, int) else self.strides
        settings = {"padding": padding, "dilation_rate": self.dilation_rate}
        if self.dilation_rate == 1:
            return ops.conv(x, self.kernel, strides, **settings)
        # Keras does not stride a dilated convolution.
        y = ops.conv(x, self.kernel, 1, **settings)
        return y[(slice(None), *(slice(None, None, stride) for stride in strides))]

    def of_state(self, h, kernel):
        return ops.conv(h, kernel, 1, padding="same")
'''

CONV_LSTM_CELL = '''
class ConvLSTMCell(ConvCell):
    """A convolutional LSTM, whose gates may see the cell."""

    gates, states = 4, 2

    def __init__(self, filters, kernel_size, peepholes=False, unit_forget_bias=True, **kwargs):
        self.peepholes, self.unit_forget_bias = peepholes, unit_forget_bias
        super().__init__(filters, kernel_size, **kwargs)

    def build(self, input_shape):
        super().build(input_shape)
        if self.peepholes:
            x = ops.zeros((1, 1, *input_shape[1:]), dtype=self.kernel.dtype)
            shape = (*self.of_input(x).shape[2:-1], 3 * self.filters)
            self.peephole = self.add_weight(shape, "zeros", name="peephole")

    def of_bias(self, rows):
        shape, drawn = super().of_bias(rows)
        return shape, GateBias(0.0, 1.0, 0.0, 0.0) if self.unit_forget_bias else drawn

    def call(self, inputs, states):
        h, c = states
        i, f, g, o = ops.split(inputs + self.of_state(h, self.recurrent_kernel), 4, axis=-1)
        peepholes = ops.split(self.peephole, 3, axis=-1) if self.peepholes else (0, 0, 0)
        i = self.recurrent_activation(i + peepholes[0] * c)
        f = self.recurrent_activation(f + peepholes[1] * c)
        c = f * c + i * self.activation(g)
        h = self.recurrent_activation(o + peepholes[2] * c) * self.activation(c)
        return h, [h, c]
'''

CONV_GRU_CELL = '''
class ConvGRUCell(ConvCell):
    """A convolutional gated recurrent unit; Keras has none. Its gates are z, r, n."""

    gates, states = 3, 1

    def __init__(self, filters, kernel_size, reset_after=False, **kwargs):
        self.reset_after = reset_after
        super().__init__(filters, kernel_size, **kwargs)

    def of_bias(self, rows):
        shape, drawn = super().of_bias(rows)
        return ((2, rows) if self.reset_after else shape), drawn

    def call(self, inputs, states):
        h = states[0]
        z, r, n = ops.split(inputs, 3, axis=-1)
        if self.reset_after:
            of_h = self.of_state(h, self.recurrent_kernel)
            of_h = of_h + self.bias[1] if self.use_bias else of_h
            of_z, of_r, of_n = ops.split(of_h, 3, axis=-1)
        else:
            kernel_zr = self.recurrent_kernel[..., : 2 * self.filters]
            kernel_n = self.recurrent_kernel[..., 2 * self.filters :]
            of_z, of_r = ops.split(self.of_state(h, kernel_zr), 2, axis=-1)
        z, r = self.recurrent_activation(z + of_z), self.recurrent_activation(r + of_r)
        if self.reset_after:
            n = self.activation(n + r * of_n)
        else:
            n = self.activation(n + self.of_state(r * h, kernel_n))
        h = (1 - z) * n + z * h
        return h, [h]
'''

OF_CELLS = '''
class Conv{name}(ConvRecurrent):
    """{doc}"""

    def cell(self):
        return Conv{name}Cell(self.filters, self.kernel_size, **self.fresh())
'''


def _written(parts: Parts) -> str:
    """The layer; only the lines with `+` are for calls that differ, and only those with `-` for others."""
    mine, other = "+-" if CALLS in parts else "-+"
    lines = CONV_RECURRENT.splitlines(keepends=True)
    return "".join(line.removeprefix(mine) for line in lines if not line.startswith(other))


def _layer(name: str, doc: str) -> Helper:
    return Helper(OF_CELLS.format(name=name, doc=doc), needs=("clone", "ConvRecurrent", f"Conv{name}Cell"))


HELPERS = {
    "ConvRecurrent": Helper(_written({CALLS}), ("clone",), _written),
    "ConvCell": Helper(CONV_CELL),
    "ConvLSTMCell": Helper(CONV_LSTM_CELL, needs=("ConvCell", "GateBias")),
    "ConvGRUCell": Helper(CONV_GRU_CELL, needs=("ConvCell",)),
    "ConvLSTM": _layer("LSTM", "Convolutional LSTMs, also what Keras' own have no setting for."),
    "ConvGRU": _layer("GRU", "Convolutional gated recurrent units."),
}
