"""Vectors of indices, and what keeps, drops or repeats positions of an axis, where Keras has no layer."""

from __future__ import annotations

from netspec_keras.helpers.helper import Helper

PADDED_EMBEDDING = '''
class PaddedEmbedding(layers.ReversibleEmbedding):
    """The vector of one index starts at 0 and does not learn where it is looked up."""

    def __init__(self, input_dim, output_dim, padding_index, **kwargs):
        super().__init__(input_dim, output_dim, **kwargs)
        self.padding_index = padding_index

    def build(self, input_shape=None):
        super().build(input_shape)
        self.embeddings.assign(self.embeddings * self.others(self.embeddings.dtype))

    def others(self, dtype):
        """1 for every index but that of the padding."""
        kept = ops.not_equal(ops.arange(self.input_dim), self.padding_index)
        return ops.expand_dims(ops.cast(kept, dtype), -1)

    def call(self, inputs, reverse=False):
        if reverse:
            return super().call(inputs, reverse=True)
        vectors = ops.convert_to_tensor(self.embeddings)
        others = self.others(vectors.dtype)
        vectors = vectors * others + ops.stop_gradient(vectors) * (1 - others)
        return ops.take(vectors, inputs, axis=0)

    def get_config(self):
        return {**super().get_config(), "padding_index": self.padding_index}
'''

ONE_HOT = '''
class OneHot(layers.Layer):
    """A channel for each index of a vocabulary: 1 where the index is, 0 elsewhere."""

    def __init__(self, vocabulary, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary = vocabulary

    def call(self, inputs):
        return ops.cast(ops.one_hot(inputs, self.vocabulary), self.compute_dtype)
'''

SLICE = '''
class Slice(layers.Layer):
    """A part of one axis; Keras has a slice of tensors and not a layer."""

    def __init__(self, axis, start=0, stop=None, step=1, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.part = axis, (start, stop, step)

    def call(self, inputs):
        axis = self.axis % len(inputs.shape)
        return inputs[(slice(None),) * axis + (slice(*self.part),)]
'''

EQUAL_PART = '''
class EqualPart(layers.Layer):
    """One of several equal parts of an axis."""

    def __init__(self, axis, parts, number, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.parts, self.number = axis, parts, number

    def call(self, inputs):
        return ops.split(inputs, self.parts, axis=self.axis)[self.number]
'''

TAKE = '''
class Take(layers.Layer):
    """One position of an axis, or a list of positions."""

    def __init__(self, axis, positions, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.positions = axis, positions

    def call(self, inputs):
        return ops.take(inputs, self.positions, axis=self.axis)
'''

TAKE_ALONG = '''
class TakeAlong(layers.Layer):
    """The positions of an axis that a second tensor lists for each sample, or names one of."""

    def __init__(self, axis, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs):
        x, places = inputs
        axis, is_list = self.axis % len(x.shape), len(places.shape) > 1
        others = [at for at in range(1, len(x.shape)) if at != axis or not is_list]
        y = ops.take_along_axis(x, ops.expand_dims(places, others), axis=axis)
        return y if is_list else ops.squeeze(y, axis)
'''

LAST_STEP = '''
class LastStep(layers.Layer):
    """The last step of each sequence that counts; zeros where none does."""

    def call(self, inputs):
        x, lengths = inputs
        steps = ops.cast(ops.arange(x.shape[1]), lengths.dtype)
        is_last = ops.equal(steps, ops.expand_dims(lengths, -1) - 1)
        return ops.sum(ops.where(ops.expand_dims(is_last, -1), x, 0), axis=1)
'''

REVERSE = '''
class Reverse(layers.Layer):
    """The positions of an axis in reverse order."""

    def __init__(self, axis, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs):
        return ops.flip(inputs, axis=self.axis)
'''

ROLL = '''
class Roll(layers.Layer):
    """The positions of an axis moved on, those at its end to its start."""

    def __init__(self, axis, shift, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.shift = axis, shift

    def call(self, inputs):
        return ops.roll(inputs, self.shift, axis=self.axis)
'''

SPREAD_VECTOR = '''
class SpreadVector(layers.Layer):
    """A vector at each position of a map; `layers.RepeatVector` makes sequences."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs):
        x = ops.expand_dims(inputs, tuple(range(1, 1 + len(self.size))))
        return ops.tile(x, (1, *self.size, 1))
'''

SPREAD_LIKE = '''
class SpreadLike(layers.Layer):
    """A vector at each position of a map, of the size of the first axes of a second tensor."""

    def __init__(self, axes, **kwargs):
        super().__init__(**kwargs)
        self.axes = axes

    def call(self, inputs):
        x, like = inputs
        x = ops.expand_dims(x, tuple(range(1, 1 + self.axes)))
        return ops.tile(x, (1, *like.shape[1 : 1 + self.axes], 1))
'''

HELPERS = {
    "PaddedEmbedding": Helper(PADDED_EMBEDDING),
    "OneHot": Helper(ONE_HOT),
    "Slice": Helper(SLICE),
    "EqualPart": Helper(EQUAL_PART),
    "Take": Helper(TAKE),
    "TakeAlong": Helper(TAKE_ALONG),
    "LastStep": Helper(LAST_STEP),
    "Reverse": Helper(REVERSE),
    "Roll": Helper(ROLL),
    "SpreadVector": Helper(SPREAD_VECTOR),
    "SpreadLike": Helper(SPREAD_LIKE),
}
