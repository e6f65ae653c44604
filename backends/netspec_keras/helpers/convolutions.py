"""Convolutions that Keras lacks, or that an engine cannot run."""

from __future__ import annotations

from netspec_keras.helpers.helper import Helper

GROUPED_CONV = '''
class GroupedConv{n}D(layers.Conv{n}D):
    """Convolves group by group: on a CPU, TensorFlow has no kernel for groups and is slow."""

    def call(self, inputs):
        parts = zip(
            ops.split(inputs, self.groups, axis=-1),
            ops.split(self.kernel, self.groups, axis=-1),
        )
        outputs = ops.concatenate([self.convolution_op(x, kernel) for x, kernel in parts], axis=-1)
        if self.use_bias:
            outputs = outputs + self.bias
        return self.activation(outputs)
'''

TABLE_CONV = '''
class TableConv(layers.Layer):
    """A convolution whose filters see the channels that a table lists for each; Keras has none."""

    def __init__(
        self,
        filters,
        kernel_size,
        table,
        strides=1,
        padding="valid",
        dilation_rate=1,
        use_bias=True,
        connections_initializer="zeros",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.use_bias = filters, kernel_size, use_bias
        self.table = table
        self.places = tuple((channel, row) for row, sees in enumerate(table) for channel in sees)
        self.window = {"strides": strides, "padding": padding, "dilation_rate": dilation_rate}
        self.connections_initializer = keras.initializers.get(connections_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape):
        shape = (len(self.places), *self.kernel_size)
        start = self.connections_initializer
        self.connections = self.add_weight(shape, start, name="connections")
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight((self.filters,), self.bias_initializer, name="bias")

    def get_config(self):
        names = ("filters", "kernel_size", "table", "use_bias")
        starts = ("connections_initializer", "bias_initializer")
        own = {name: getattr(self, name) for name in (*names, *starts)}
        return {**super().get_config(), **self.window, **own}

    def call(self, inputs):
        shape = (inputs.shape[-1], self.filters, *self.kernel_size)
        kernel = ops.scatter(ops.convert_to_tensor(self.places), self.connections, shape)
        outputs = ops.conv(inputs, ops.moveaxis(kernel, (0, 1), (-2, -1)), **self.window)
        return outputs if self.bias is None else outputs + self.bias
'''

SEPARABLE_CONV_3D = '''
class SeparableConv3D(layers.Layer):
    """Convolves each channel by itself, then mixes them; Keras does so over one or two axes."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        dilation_rate=1,
        depth_multiplier=1,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.use_bias = filters, kernel_size, use_bias
        self.depth_multiplier = depth_multiplier
        self.window = {"strides": strides, "padding": padding, "dilation_rate": dilation_rate}
        self.depthwise_initializer = keras.initializers.get(depthwise_initializer)
        self.pointwise_initializer = keras.initializers.get(pointwise_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape):
        between = input_shape[-1] * self.depth_multiplier
        self.depthwise_kernel = self.add_weight(
            (*self.kernel_size, input_shape[-1], self.depth_multiplier),
            self.depthwise_initializer,
            name="depthwise_kernel",
        )
        self.pointwise_kernel = self.add_weight(
            (1, 1, 1, between, self.filters), self.pointwise_initializer, name="pointwise_kernel"
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight((self.filters,), self.bias_initializer, name="bias")

    def get_config(self):
        names = ("filters", "kernel_size", "depth_multiplier", "use_bias")
        starts = ("depthwise_initializer", "pointwise_initializer", "bias_initializer")
        own = {name: getattr(self, name) for name in (*names, *starts)}
        return {**super().get_config(), **self.window, **own}

    def call(self, inputs):
        parts = zip(
            ops.split(inputs, inputs.shape[-1], axis=-1),
            ops.split(self.depthwise_kernel, inputs.shape[-1], axis=-2),
        )
        x = ops.concatenate([ops.conv(x, kernel, **self.window) for x, kernel in parts], axis=-1)
        outputs = ops.conv(x, self.pointwise_kernel)
        return outputs if self.bias is None else outputs + self.bias
'''

SPACED = '''
def spaced(x, axis, rate):
    """An axis with zeros between its places, so that each is `rate` from the next."""
    before, size, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    x = ops.stack([x] + [ops.zeros_like(x)] * (rate - 1), axis=axis + 1)
    x = ops.reshape(x, (*before, size * rate, *after))
    return x[(*(slice(None) for _ in before), slice((size - 1) * rate + 1))]
'''

GENERAL_CONV_TRANSPOSE = '''
class GeneralConvTranspose(layers.Layer):
    """In groups, or with gaps in its kernel: Keras lacks the one, TensorFlow on a CPU the other."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        output_padding=(),
        dilation_rate=(),
        groups=1,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.use_bias = filters, kernel_size, use_bias
        self.strides, self.output_padding = strides, output_padding
        self.dilation_rate, self.groups = dilation_rate, groups
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape):
        shape = (*self.kernel_size, self.filters // self.groups, input_shape[-1])
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight((self.filters,), self.bias_initializer, name="bias")

    def get_config(self):
        names = ("filters", "kernel_size", "strides", "output_padding", "dilation_rate")
        others = ("groups", "use_bias", "kernel_initializer", "bias_initializer")
        own = {name: getattr(self, name) for name in (*names, *others)}
        return {**super().get_config(), **own}

    def call(self, inputs):
        kernel = ops.convert_to_tensor(self.kernel)
        for axis, rate in enumerate(self.dilation_rate):
            kernel = spaced(kernel, axis, rate)
        parts = zip(
            ops.split(inputs, self.groups, axis=-1),
            ops.split(kernel, self.groups, axis=-1),
        )
        outputs = ops.concatenate([self.spread(*part) for part in parts], axis=-1)
        return outputs if self.bias is None else outputs + self.bias

    def spread(self, x, kernel):
        """What one group gives; at its end Keras takes fewer zeros only than the stride."""
        outputs = ops.conv_transpose(x, kernel, self.strides, output_padding=0)
        if not self.output_padding:
            return outputs
        return ops.pad(outputs, ((0, 0), *((0, more) for more in self.output_padding), (0, 0)))
'''

HELPERS: dict[str, Helper] = {
    **{f"GroupedConv{n}D": Helper(GROUPED_CONV.format(n=n)) for n in (1, 2, 3)},
    "TableConv": Helper(TABLE_CONV),
    "SeparableConv3D": Helper(SEPARABLE_CONV_3D),
    "spaced": Helper(SPACED),
    "GeneralConvTranspose": Helper(GENERAL_CONV_TRANSPOSE, needs=("spaced",)),
}
