"""Merges, and ops that move values, that Keras does not have or TensorFlow computes differently."""

from __future__ import annotations

from netspec.lowering.cutting import cut
from netspec_keras.helpers.helper import Helper, Parts

EXTREME = '''
class Even{cls}(layers.{cls}):
    """Branches that are equal share the gradient; TensorFlow gives it to one of them."""

    def call(self, inputs):
        {most} = super().call(inputs)
        rank = len({most}.shape)
        inputs = [ops.expand_dims(x, tuple(range(1, 1 + rank - len(x.shape)))) for x in inputs]
        count = sum(ops.cast(ops.equal(x, {most}), {most}.dtype) for x in inputs)
        return sum(ops.where(ops.equal(x, {most}), x, 0) for x in inputs) / count
'''

DIVIDE = '''
class Divide(layers.Layer):
    """The first branch divided by the second; Keras has no layer for it."""

    def call(self, inputs):
        rank = max(len(x.shape) for x in inputs)
        first, second = [self.spread(x, rank - len(x.shape)) for x in inputs]
        return first / second

    def spread(self, x, axes):
        return ops.expand_dims(x, tuple(range(1, 1 + axes)))
'''

ADD = '''
class SpreadingAdd(layers.Add):
    """Spreads a branch that is smaller than the others; Keras' own may take it for a bias."""

    def call(self, inputs):
        rank = max(len(x.shape) for x in inputs)
        return sum(ops.expand_dims(x, tuple(range(1, 1 + rank - len(x.shape)))) for x in inputs)
'''

AVERAGE = '''
class SpreadingAverage(SpreadingAdd):
    """The mean of branches of which some are spread."""

    def call(self, inputs):
        return super().call(inputs) / len(inputs)
'''

CROPS_TO_SIZE, CROPS_LIKE, CROPS_AT, CROPS_MIDDLE = "to_size", "like", "at", "middle"
"""The parts of `CroppingTo`: for a size, for that of a second map, for a part from an offset on, and for the middle."""

CROPPING_TO = '''
class CroppingTo(layers.Layer):
    """Cuts a map to a size."""  #: to_size !like
    """Cuts a map to the size of a second map."""  #: !to_size like
    """Cuts a map to a size, or to that of a second map."""  #: to_size like

    def __init__(self, size=None, offset=None, **kwargs):  #: to_size at
    def __init__(self, size=None, **kwargs):  #: to_size !at
    def __init__(self, offset=None, **kwargs):  #: !to_size at
        super().__init__(**kwargs)  #: to_size | at
        self.size, self.offset = size, offset  #: to_size at
        self.size = size  #: to_size !at
        self.offset = offset  #: !to_size at
  #: to_size | at
    def call(self, inputs):
        x, sizes = inputs, self.size  #: to_size !like
        x, like = inputs  #: !to_size like
        sizes = like.shape[1:-1]  #: !to_size like
        x, sizes = sized(inputs, self.size)  #: to_size like
        starts = [(length - size) // 2 for length, size in zip(x.shape[1:-1], sizes)]  #: middle
        starts = self.offset or starts  #: at middle
        parts = [slice(start, start + size) for start, size in zip(starts, sizes)]  #: middle
        parts = [slice(start, start + size) for start, size in zip(self.offset, sizes)]  #: !middle
        return x[(slice(None), *parts)]
'''


CROPPING_PARTS = (CROPS_TO_SIZE, CROPS_LIKE, CROPS_AT, CROPS_MIDDLE)


def _cropping(parts: Parts) -> str:
    return cut(CROPPING_TO, parts) + "\n"


PADDING_TO = '''
class PaddingTo(layers.Layer):
    """A border that brings a map to a size, or to that of a second map."""

    def __init__(self, size=None, mode="constant", value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.size, self.mode, self.value = size, mode, value

    def call(self, inputs):
        x, sizes = sized(inputs, self.size)
        for axis, size in enumerate(sizes, start=1):
            x = self.along(x, axis, size)
        return x

    def along(self, x, axis, size):
        last = x.shape[axis] - 1
        before = (size - 1 - last) // 2
        if self.mode == "constant":
            pads = [(0, 0)] * len(x.shape)
            pads[axis] = (before, size - 1 - last - before)
            return ops.pad(x, pads, constant_values=self.value)
        places = range(-before, size - before)
        if self.mode == "reflect":
            places = [last - abs(last - abs(at)) for at in places]
        return ops.take(x, [min(max(at, 0), last) for at in places], axis=axis)
'''

CONSTANT_PADDING = '''
class ConstantPadding(layers.Layer):
    """A border of any one value; Keras pads with zeros."""

    def __init__(self, padding, value, **kwargs):
        super().__init__(**kwargs)
        self.padding, self.value = padding, value

    def call(self, inputs):
        return ops.pad(inputs, ((0, 0), *self.padding, (0, 0)), constant_values=self.value)
'''

REFLECT_PADDING = '''
class ReflectPadding(layers.Layer):
    """A border that mirrors what is inside; Keras pads with zeros."""

    def __init__(self, padding, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, inputs):
        return ops.pad(inputs, ((0, 0), *self.padding, (0, 0)), mode="reflect")
'''

REPLICATE_PADDING = '''
class ReplicatePadding(layers.Layer):
    """A border of the outermost values; Keras pads with zeros."""

    def __init__(self, padding, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, inputs):
        x = inputs
        for axis, (before, after) in enumerate(self.padding, start=1):
            last = x.shape[axis] - 1
            places = [min(max(at, 0), last) for at in range(-before, last + 1 + after)]
            x = ops.take(x, places, axis=axis)
        return x
'''

HELPERS = {
    "Divide": Helper(DIVIDE),
    "EvenMaximum": Helper(EXTREME.format(cls="Maximum", most="largest")),
    "EvenMinimum": Helper(EXTREME.format(cls="Minimum", most="smallest")),
    "SpreadingAdd": Helper(ADD),
    "SpreadingAverage": Helper(AVERAGE, needs=("SpreadingAdd",)),
    "CroppingTo": Helper(_cropping(CROPPING_PARTS), ("sized",), _cropping),
    "PaddingTo": Helper(PADDING_TO, needs=("sized",)),
    "ConstantPadding": Helper(CONSTANT_PADDING),
    "ReflectPadding": Helper(REFLECT_PADDING),
    "ReplicatePadding": Helper(REPLICATE_PADDING),
}
