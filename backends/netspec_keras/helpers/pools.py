"""Pools that Keras lacks, or that an engine cannot run."""

from __future__ import annotations

from netspec_keras.helpers.helper import Helper

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

ROUNDED_UP = '''
def rounded_up(sizes, pool_size, strides, padding):
    """The padding up to the end of an incomplete last window that starts in the input."""
    extent = []
    for size, kernel, stride, (lo, hi) in zip(sizes, pool_size, strides, padding):
        start = -(-(size + lo + hi - kernel) // stride) * stride
        more = max(start + kernel - size - lo - hi, 0) if start < size + lo else 0
        extent.append((lo, hi + more))
    return extent
'''

CEIL_PADDING = '''
class CeilPadding(layers.Layer):
    """Pads with minus infinity to the end of the last window, for a pool that rounds up."""

    def __init__(self, pool_size, strides, padding=None, **kwargs):
        super().__init__(**kwargs)
        self.pool_size, self.strides = pool_size, strides
        self.padding = padding or ((0, 0),) * len(pool_size)

    def call(self, inputs):
        extent = rounded_up(inputs.shape[1:-1], self.pool_size, self.strides, self.padding)
        return ops.pad(inputs, ((0, 0), *extent, (0, 0)), constant_values=-float("inf"))
'''

CEIL_AVERAGE = '''
class CeilAveragePooling{n}D({base}AveragePooling{n}D):
    """Rounds up. What that adds is not in a mean, and padding only if it counts."""

    def __init__(self, pool_size, extent=None, counts=False, **kwargs):
        super().__init__(pool_size, **kwargs)
        self.extent, self.counts = extent or ((0, 0),) * {n}, counts

    def call(self, inputs):
        sizes = inputs.shape[1:-1]
        extent = rounded_up(sizes, self.pool_size, self.strides, self.extent)
        inside = ops.ones_like(inputs[:1, ..., :1])
        rest = extent
        if self.counts:
            inside = ops.pad(inside, ((0, 0), *self.extent, (0, 0)), constant_values=1)
            rest = [(0, wide - hi) for (_, wide), (_, hi) in zip(extent, self.extent)]
        x = ops.pad(inputs, ((0, 0), *extent, (0, 0)))
        return super().call(x) / super().call(ops.pad(inside, ((0, 0), *rest, (0, 0))))

    def compute_output_shape(self, input_shape):
        extent = rounded_up(input_shape[1:-1], self.pool_size, self.strides, self.extent)
        sizes = (size + lo + hi for size, (lo, hi) in zip(input_shape[1:-1], extent))
        return super().compute_output_shape((input_shape[0], *sizes, input_shape[-1]))

    def get_config(self):
        return {{**super().get_config(), "extent": self.extent, "counts": self.counts}}
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
        x, extent = inputs, self.extent(inputs.shape[1:-1])
        # Of equal values the first, row by row: so the last axis comes first.
        for axis in range(len(self.pool_size), 0, -1):
            border = [(0, 0)] * len(inputs.shape)
            border[axis] = extent[axis - 1]
            x = ops.pad(x, border, constant_values=-float("inf"))
            indices = ops.pad(indices, border)
            first, *others = self.windows(x.shape[axis], axis)
            larger, chosen = x[first], indices[first]
            for tap in others:
                chosen = ops.where(x[tap] > larger, indices[tap], chosen)
                larger = ops.where(x[tap] > larger, x[tap], larger)
            x, indices = larger, chosen
        return indices

    def extent(self, sizes):
        return self.padding

    def windows(self, size, axis):
        """What the windows along an axis see, place by place."""
        stride, rate, kernel = (
            sizes[axis - 1] for sizes in (self.strides, self.dilation_rate, self.pool_size)
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

CEIL_MAX_INDICES = '''
class CeilMaxIndices(MaxIndices):
    """The same, for a pool that rounds up."""

    def extent(self, sizes):
        spans = [(size - 1) * rate + 1 for size, rate in zip(self.pool_size, self.dilation_rate)]
        return rounded_up(sizes, spans, self.strides, self.padding)
'''

MAX_UNPOOLING = '''
class MaxUnpooling(layers.Layer):
    """Puts values where a max pool took its own, in a map as large as the input of the pool."""

    def call(self, inputs):
        values, indices, taken = inputs
        batch, *sizes, channels = ops.shape(taken)
        total = 1
        for size in sizes:
            total = total * size
        samples = ops.arange(batch, dtype="int32")
        samples = ops.reshape(samples, (-1, *(1,) * (len(values.shape) - 1)))
        nothing = ops.zeros_like(indices)
        places = [samples + nothing, indices, ops.arange(channels, dtype="int32") + nothing]
        places = ops.reshape(ops.stack(places, axis=-1), (-1, 3))
        outputs = ops.scatter(places, ops.reshape(values, (-1,)), (batch, total, channels))
        return ops.reshape(outputs, (-1, *sizes, channels))

    def compute_output_shape(self, input_shape):
        _, _, taken = input_shape
        return tuple(taken)
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

ADAPTIVE_MEANS = '''
class AdaptiveMeans(layers.Layer):
    """Pools to a size: means of windows that cover a map and may share positions."""

    def __init__(self, output_size, **kwargs):
        super().__init__(**kwargs)
        self.output_size = output_size

    def call(self, inputs):
        x = inputs
        for axis, size in enumerate(self.output_size, start=1):
            length = x.shape[axis]
            windows = [range(i * length // size, -(-(i + 1) * length // size)) for i in range(size)]
            x = weighted(x, axis, [[(at in w) / len(w) for at in range(length)] for w in windows])
        return x
'''

ADAPTIVE_MAXIMA = '''
class AdaptiveMaxima(layers.Layer):
    """Pools to a size: maxima of windows that cover a map and may share positions."""

    def __init__(self, output_size, **kwargs):
        super().__init__(**kwargs)
        self.output_size = output_size

    def call(self, inputs):
        x = inputs
        # Of equal values the first, row by row: so the last axis comes first.
        for axis in range(len(self.output_size), 0, -1):
            length, size = x.shape[axis], self.output_size[axis - 1]
            starts = [i * length // size for i in range(size)]
            ends = [-(-(i + 1) * length // size) for i in range(size)]
            largest = ops.take(x, starts, axis=axis)
            for step in range(1, max(end - start for start, end in zip(starts, ends))):
                places = [min(start + step, end - 1) for start, end in zip(starts, ends)]
                other = ops.take(x, places, axis=axis)
                largest = ops.where(other > largest, other, largest)
            x = largest
        return x
'''

HELPERS: dict[str, Helper] = {
    "LowestPadding": Helper(LOWEST_PADDING),
    "rounded_up": Helper(ROUNDED_UP),
    "CeilPadding": Helper(CEIL_PADDING, needs=("rounded_up",)),
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
    "CeilAveragePooling1D": Helper(CEIL_AVERAGE.format(n=1, base="layers."), needs=("rounded_up",)),
    "CeilAveragePooling2D": Helper(CEIL_AVERAGE.format(n=2, base="layers."), needs=("rounded_up",)),
    "CeilAveragePooling3D": Helper(
        CEIL_AVERAGE.format(n=3, base="Planewise"), needs=("PlanewiseAveragePooling3D", "rounded_up")
    ),
    "taps": Helper(TAPS),
    "MaxIndices": Helper(MAX_INDICES),
    "CeilMaxIndices": Helper(CEIL_MAX_INDICES, needs=("rounded_up", "MaxIndices")),
    "MaxUnpooling": Helper(MAX_UNPOOLING),
    "DilatedMaxPooling": Helper(DILATED_MAX, needs=("taps",)),
    "DilatedAveragePooling": Helper(DILATED_AVERAGE, needs=("taps",)),
    "ChannelPooling": Helper(CHANNEL_POOLING),
    "AdaptiveMeans": Helper(ADAPTIVE_MEANS, needs=("weighted",)),
    "AdaptiveMaxima": Helper(ADAPTIVE_MAXIMA),
}
