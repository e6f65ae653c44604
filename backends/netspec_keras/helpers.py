"""The few classes that Keras lacks, as source text; a generated module holds those that it uses."""

from __future__ import annotations

from dataclasses import dataclass

IMPORTS = {"keras": "import keras", "layers": "from keras import layers", "ops": "from keras import ops"}


@dataclass(frozen=True, slots=True)
class Helper:
    """A class or function of the generated text, and the helpers that it needs before it."""

    text: str
    needs: tuple[str, ...] = ()


BATCH_NORMALIZATION = '''
class BatchNormalization(layers.BatchNormalization):
    """Keeps the unbiased running variance, as Ioffe and Szegedy 2015; Keras keeps the biased one."""

    def call(self, inputs, training=None, mask=None):
        kept = ops.convert_to_tensor(self.moving_variance) * self.momentum
        outputs = super().call(inputs, training=training, mask=mask)
        if training and self.trainable:
            count = ops.cast(ops.size(inputs) // inputs.shape[-1], kept.dtype)
            fresh = self.moving_variance - kept
            self.moving_variance.assign(kept + fresh * (count / ops.maximum(count - 1, 1)))
        return outputs
'''

GROUPED_CONV = '''
class GroupedConv{n}D(layers.Conv{n}D):
    """Convolves group by group: on a CPU, TensorFlow has no kernel for groups and is slow without one."""

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

LEAKY_RELU = '''
class LeakyReLU(layers.Layer):
    """Keeps its slope in full; `layers.LeakyReLU` rounds it to single precision on TensorFlow."""

    def __init__(self, negative_slope, **kwargs):
        super().__init__(**kwargs)
        self.negative_slope = negative_slope

    def call(self, inputs):
        return ops.where(inputs > 0, inputs, inputs * self.negative_slope)
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
    """Pools height and width, then depth: on a CPU, TensorFlow cannot do all three in double precision."""
    depth, height, width, channels = x.shape[1:]
    x = ops.reshape(x, (-1, height, width, channels))
    x = pool(x, size[1:], strides[1:], padding)
    height, width = x.shape[1:3]
    x = ops.reshape(x, (-1, depth, height * width, channels))
    x = pool(x, (size[0], 1), (strides[0], 1), padding)
    return ops.reshape(x, (-1, x.shape[1], height, width, channels))
'''

POOLING_3D = '''
class {mode}Pooling3D(layers.{mode}Pooling3D):
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

HELPERS: dict[str, Helper] = {
    "BatchNormalization": Helper(BATCH_NORMALIZATION),
    **{f"GroupedConv{n}D": Helper(GROUPED_CONV.format(n=n)) for n in (1, 2, 3)},
    "LeakyReLU": Helper(LEAKY_RELU),
    "LowestPadding": Helper(LOWEST_PADDING),
    "pool_planewise": Helper(PLANEWISE),
    "MaxPooling3D": Helper(POOLING_3D.format(mode="Max", op="max_pool"), needs=("pool_planewise",)),
    "AveragePooling3D": Helper(
        POOLING_3D.format(mode="Average", op="average_pool"), needs=("pool_planewise",)
    ),
    "PaddedAveragePooling1D": Helper(PADDED_AVERAGE.format(n=1, base="layers.")),
    "PaddedAveragePooling2D": Helper(PADDED_AVERAGE.format(n=2, base="layers.")),
    "PaddedAveragePooling3D": Helper(PADDED_AVERAGE.format(n=3, base=""), needs=("AveragePooling3D",)),
    "taps": Helper(TAPS),
    "DilatedMaxPooling": Helper(DILATED_MAX, needs=("taps",)),
    "DilatedAveragePooling": Helper(DILATED_AVERAGE, needs=("taps",)),
}
"""Every helper by its name; no op is called so, and a function of the spec that is gives way."""


def required(names: set[str]) -> list[str]:
    """These helpers and all that they need, in the order of the table, which is one of definition."""
    wanted = set(names)
    for name in reversed(HELPERS):
        if name in wanted:
            wanted.update(HELPERS[name].needs)
    return [name for name in HELPERS if name in wanted]
