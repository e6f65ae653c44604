"""Products, reductions, choices and orders of channels; Keras has no layers for them."""

from __future__ import annotations

from netspec_keras.helpers.helper import Helper

WHERE = '''
class Where(layers.Layer):
    """The second input where the first, a mask, is not 0, else the third."""

    def call(self, inputs):
        rank = max(len(x.shape) for x in inputs)
        spread = [ops.expand_dims(x, tuple(range(1, 1 + rank - len(x.shape)))) for x in inputs]
        mask, first, second = spread
        return ops.where(ops.not_equal(mask, 0), first, second)
'''

CONTRACTION = '''
class Contraction(layers.Layer):
    """The products of its inputs, summed over the axes that the result does not have."""

    def __init__(self, equation, **kwargs):
        super().__init__(**kwargs)
        self.equation = equation

    def call(self, inputs):
        return ops.einsum(self.equation, *inputs)
'''

REDUCTION = '''
class Reduction(layers.Layer):
    """One number for all values along some axes; those that are squeezed are then dropped."""

    def __init__(self, by, axis, keepdims=False, squeezed=(), **kwargs):
        super().__init__(**kwargs)
        self.by, self.axis, self.keepdims, self.squeezed = by, axis, keepdims, squeezed

    def call(self, inputs):
        reductions = {"sum": ops.sum, "mean": ops.mean, "max": ops.max, "min": ops.min}
        x = reductions[self.by](inputs, axis=self.axis, keepdims=self.keepdims)
        return ops.squeeze(x, self.squeezed) if self.squeezed else x
'''

ROOT = '''
class RootOfSquares(layers.Layer):
    """The norm along some axes; centred, the deviation. Where it is 0, so is its derivative."""

    def __init__(self, axis, centred=False, keepdims=False, squeezed=(), **kwargs):
        super().__init__(**kwargs)
        self.axis, self.centred, self.keepdims, self.squeezed = axis, centred, keepdims, squeezed

    def call(self, inputs):
        if self.centred:
            spread = inputs - ops.mean(inputs, axis=self.axis, keepdims=True)
            x = ops.mean(spread * spread, axis=self.axis, keepdims=self.keepdims)
        else:
            x = ops.sum(inputs * inputs, axis=self.axis, keepdims=self.keepdims)
        x = ops.where(x > 0, ops.sqrt(ops.where(x > 0, x, 1)), 0)
        return ops.squeeze(x, self.squeezed) if self.squeezed else x
'''

SHUFFLE = '''
class ChannelShuffle(layers.Layer):
    """The first channel of each group, then the second of each, and so on."""

    def __init__(self, groups, **kwargs):
        super().__init__(**kwargs)
        self.groups = groups

    def call(self, inputs):
        *sizes, channels = inputs.shape[1:]
        x = ops.reshape(inputs, (-1, *sizes, self.groups, channels // self.groups))
        return ops.reshape(ops.swapaxes(x, -1, -2), (-1, *sizes, channels))
'''

TILE = '''
class Tile(layers.Layer):
    """Its input several times, one after the other along an axis."""

    def __init__(self, axis, times, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.times = axis, times

    def call(self, inputs):
        return ops.concatenate([inputs] * self.times, axis=self.axis)
'''

HELPERS = {
    "Where": Helper(WHERE),
    "Contraction": Helper(CONTRACTION),
    "Reduction": Helper(REDUCTION),
    "RootOfSquares": Helper(ROOT),
    "ChannelShuffle": Helper(SHUFFLE),
    "Tile": Helper(TILE),
}
