"""Convolutions and pools that Keras lacks, or that TensorFlow cannot do on a CPU."""

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

LOWEST_PADDING = '''
class LowestPadding(layers.Layer):
    """Pads with minus infinity, which no maximum sees; zeros would hide what is negative."""

    def __init__(self, padding, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, inputs):
        padding = ((0, 0), *self.padding, (0, 0))
        return ops.pad(inputs, padding, constant_values=-float("inf"))
'''

PLANEWISE = '''
def pool_planewise(pool, x, size, strides, padding):
    """Pools height and width, then depth: TensorFlow cannot do all three in double precision."""
    depth, height, width, channels = x.shape[1:]
    x = ops.reshape(x, (-1, height, width, channels))
    x = pool(x, size[1:], strides[1:], padding)
    height, width = x.shape[1:3]
    x = ops.reshape(x, (-1, depth, height * width, channels))
    x = pool(x, (size[0], 1), (strides[0], 1), padding)
    return ops.reshape(x, (-1, x.shape[1], height, width, channels))
'''

POOLING_3D = '''
class Planewise{mode}Pooling3D(layers.{mode}Pooling3D):
    """The pool over depth, height and width, in two steps."""

    def call(self, inputs):
        return pool_planewise(ops.{op}, inputs, self.pool_size, self.strides, self.padding)
'''

PADDED_AVERAGE = '''
class PaddedAveragePooling{n}D({base}AveragePooling{n}D):
    """Pads, and leaves the padding out of the means."""

    def __init__(self, pool_size, extent, **kwargs):
        super().__init__(pool_size, **kwargs)
        self.extent = extent

    def call(self, inputs):
        extent = ((0, 0), *self.extent, (0, 0))
        inside = ops.ones_like(inputs[:1, ..., :1])
        return super().call(ops.pad(inputs, extent)) / super().call(ops.pad(inside, extent))

    def compute_output_shape(self, input_shape):
        sizes = (size + lo + hi for size, (lo, hi) in zip(input_shape[1:-1], self.extent))
        return super().compute_output_shape((input_shape[0], *sizes, input_shape[-1]))

    def get_config(self):
        return {{**super().get_config(), "extent": self.extent}}
'''

TAPS = '''
def taps(x, axis, size, dilation):
    """What each place of a dilated window sees, as it slides along an axis by one."""
    count = x.shape[axis] - (size - 1) * dilation
    before = (slice(None),) * axis
    return [x[(*before, slice(i * dilation, i * dilation + count))] for i in range(size)]
'''

DILATED_MAX = '''
class DilatedMaxPooling(layers.Layer):
    """A maximum over windows with gaps, by a stride of 1; Keras has none."""

    def __init__(self, pool_size, dilation_rate, **kwargs):
        super().__init__(**kwargs)
        self.pool_size, self.dilation_rate = pool_size, dilation_rate

    def call(self, inputs):
        x = inputs
        for axis, window in enumerate(zip(self.pool_size, self.dilation_rate), start=1):
            first, *others = taps(x, axis, *window)
            x = first
            for other in others:
                x = ops.where(other > x, other, x)
        return x
'''

MAX_INDICES = '''
class MaxIndices(layers.Layer):
    """Where in the input a max pool finds its values: the first of equal ones, without padding."""

    def __init__(self, pool_size, strides=None, padding=None, dilation_rate=None, **kwargs):
        super().__init__(**kwargs)
        self.pool_size, self.strides = pool_size, strides or pool_size
        self.padding = padding or ((0, 0),) * len(pool_size)
        self.dilation_rate = dilation_rate or (1,) * len(pool_size)

    def call(self, inputs):
        indices = ops.zeros_like(inputs, dtype="int32")
        for axis, size in enumerate(inputs.shape[1:-1], start=1):
            behind = (1,) * (len(inputs.shape) - 1 - axis)
            places = ops.arange(size, dtype="int32")
            indices = indices * size + ops.reshape(places, (size, *behind))
        x = inputs
        # Of equal values the first, row by row: so the last axis comes first.
        for axis in range(len(self.pool_size), 0, -1):
            border = [(0, 0)] * len(inputs.shape)
            border[axis] = self.padding[axis - 1]
            x = ops.pad(x, border, constant_values=-float("inf"))
            indices = ops.pad(indices, border)
            first, *others = self.windows(x.shape[axis], axis)
            larger, chosen = x[first], indices[first]
            for tap in others:
                chosen = ops.where(x[tap] > larger, indices[tap], chosen)
                larger = ops.where(x[tap] > larger, x[tap], larger)
            x, indices = larger, chosen
        return indices

    def windows(self, size, axis):
        """What the windows along an axis see, place by place."""
        stride, rate, kernel = (
            each[axis - 1] for each in (self.strides, self.dilation_rate, self.pool_size)
        )
        last = (size - (kernel - 1) * rate - 1) // stride * stride
        before = (slice(None),) * axis
        return [(*before, slice(i * rate, i * rate + last + 1, stride)) for i in range(kernel)]

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
        }
'''

MAX_UNPOOLING = '''
class MaxUnpooling(layers.Layer):
    """Puts each value where a max pool took its own, in a map of this size, and zeros elsewhere."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs):
        values, indices = inputs
        batch, channels, total = ops.shape(values)[0], values.shape[-1], 1
        for size in self.size:
            total = total * size
        samples = ops.arange(batch, dtype="int32")
        samples = ops.reshape(samples, (-1, *(1,) * (len(values.shape) - 1)))
        nothing = ops.zeros_like(indices)
        places = [samples + nothing, indices, ops.arange(channels, dtype="int32") + nothing]
        places = ops.reshape(ops.stack(places, axis=-1), (-1, 3))
        outputs = ops.scatter(places, ops.reshape(values, (-1,)), (batch, total, channels))
        return ops.reshape(outputs, (-1, *self.size, channels))

    def compute_output_shape(self, input_shape):
        values, _ = input_shape
        return (values[0], *self.size, values[-1])

    def get_config(self):
        return {**super().get_config(), "size": self.size}
'''

DILATED_AVERAGE = '''
class DilatedAveragePooling(layers.Layer):
    """A mean over windows with gaps, by a stride of 1, its padding left out; Keras has none."""

    def __init__(self, pool_size, dilation_rate, extent, **kwargs):
        super().__init__(**kwargs)
        self.pool_size, self.dilation_rate, self.extent = pool_size, dilation_rate, extent

    def call(self, inputs):
        inside = ops.ones_like(inputs[:1, ..., :1])
        return self.total(inputs) / self.total(inside)

    def total(self, x):
        x = ops.pad(x, ((0, 0), *self.extent, (0, 0)))
        for axis, window in enumerate(zip(self.pool_size, self.dilation_rate), start=1):
            x = sum(taps(x, axis, *window))
        return x
'''

CHANNEL_POOLING = '''
class ChannelPooling(layers.Layer):
    """The maximum or mean of consecutive channels; Keras pools only over positions."""

    def __init__(self, pool_size, mode="max", **kwargs):
        super().__init__(**kwargs)
        self.pool_size, self.mode = pool_size, mode

    def call(self, inputs):
        *sizes, channels = inputs.shape[1:]
        runs = ops.reshape(inputs, (-1, *sizes, channels // self.pool_size, self.pool_size))
        return ops.max(runs, axis=-1) if self.mode == "max" else ops.mean(runs, axis=-1)
'''

HELPERS: dict[str, Helper] = {
    **{f"GroupedConv{n}D": Helper(GROUPED_CONV.format(n=n)) for n in (1, 2, 3)},
    "TableConv": Helper(TABLE_CONV),
    "SeparableConv3D": Helper(SEPARABLE_CONV_3D),
    "spaced": Helper(SPACED),
    "GeneralConvTranspose": Helper(GENERAL_CONV_TRANSPOSE, needs=("spaced",)),
    "LowestPadding": Helper(LOWEST_PADDING),
    "pool_planewise": Helper(PLANEWISE),
    "PlanewiseMaxPooling3D": Helper(POOLING_3D.format(mode="Max", op="max_pool"), needs=("pool_planewise",)),
    "PlanewiseAveragePooling3D": Helper(
        POOLING_3D.format(mode="Average", op="average_pool"), needs=("pool_planewise",)
    ),
    "PaddedAveragePooling1D": Helper(PADDED_AVERAGE.format(n=1, base="layers.")),
    "PaddedAveragePooling2D": Helper(PADDED_AVERAGE.format(n=2, base="layers.")),
    "PaddedAveragePooling3D": Helper(
        PADDED_AVERAGE.format(n=3, base="Planewise"), needs=("PlanewiseAveragePooling3D",)
    ),
    "taps": Helper(TAPS),
    "MaxIndices": Helper(MAX_INDICES),
    "MaxUnpooling": Helper(MAX_UNPOOLING),
    "DilatedMaxPooling": Helper(DILATED_MAX, needs=("taps",)),
    "DilatedAveragePooling": Helper(DILATED_AVERAGE, needs=("taps",)),
    "ChannelPooling": Helper(CHANNEL_POOLING),
}
