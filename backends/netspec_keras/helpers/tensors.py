"""Tensors that do not come from the input, and gates; Keras has no layer for them."""

from __future__ import annotations

from netspec.lowering.cutting import cut
from netspec_keras.helpers.helper import Helper, Parts

LEARNED = '''
class Learned(layers.Layer):
    """A trainable tensor, the same for every sample."""

    def __init__(self, shape, value_initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.shape = shape
        self.value_initializer = keras.initializers.get(value_initializer)

    def build(self, input_shape):
        self.value = self.add_weight(self.shape, self.value_initializer, name="value")

    def call(self, inputs):
        return ops.broadcast_to(self.value, (ops.shape(inputs)[0], *self.shape))

    def get_config(self):
        own = {"shape": self.shape, "value_initializer": self.value_initializer}
        return {**super().get_config(), **own}
'''

LEARNED_POSITIONS = '''
class LearnedPositions(layers.Layer):
    """Adds a trainable vector to each position."""

    def __init__(self, value_initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.value_initializer = keras.initializers.get(value_initializer)

    def build(self, input_shape):
        self.value = self.add_weight(input_shape[1:], self.value_initializer, name="value")

    def call(self, inputs):
        return inputs + self.value

    def get_config(self):
        return {**super().get_config(), "value_initializer": self.value_initializer}
'''

SINUSOID_POSITIONS = '''
class SinusoidPositions(layers.Layer):
    """Adds sines and cosines of its number to each position (Vaswani et al. 2017)."""

    def __init__(self, base=10000.0, **kwargs):
        super().__init__(**kwargs)
        self.base = base

    def call(self, inputs):
        length, channels = inputs.shape[1:]
        positions = ops.convert_to_tensor([[float(at)] for at in range(length)], inputs.dtype)
        rates = [self.base ** ((at % 2 - at) / channels) for at in range(channels)]
        angles = positions * ops.convert_to_tensor(rates, inputs.dtype)
        is_odd = ops.equal(ops.arange(channels) % 2, 1)
        return inputs + ops.where(is_odd, ops.cos(angles), ops.sin(angles))
'''

CONSTANT = '''
class Fixed(layers.Layer):
    """Numbers, the same for every sample."""

    def __init__(self, values, **kwargs):
        super().__init__(**kwargs)
        self.values = values

    def call(self, inputs):
        values = ops.convert_to_tensor(self.values, self.compute_dtype)
        return ops.broadcast_to(values, (ops.shape(inputs)[0], *values.shape))
'''

FILLED = '''
class Filled(layers.Layer):
    """One number everywhere, the same for every sample."""

    def __init__(self, shape, value, **kwargs):
        super().__init__(**kwargs)
        self.shape, self.value = shape, value

    def call(self, inputs):
        value = ops.convert_to_tensor(self.value, self.compute_dtype)
        return ops.broadcast_to(value, (ops.shape(inputs)[0], *self.shape))
'''

GATED = '''
class Gated(layers.Layer):
    """One half of the channels decides how much of the other half passes."""

    def __init__(self, activation="tanh", gate="sigmoid", **kwargs):
        super().__init__(**kwargs)
        self.activation, self.gate = activation, gate

    def call(self, inputs):
        value, gate = ops.split(inputs, 2, axis=-1)
        return self.through(self.activation, value) * self.through(self.gate, gate)

    def through(self, name, x):
        if name == "gelu":  # in full; TensorFlow rounds the constants of Keras' own  #: gelu
            return 0.5 * x * (1 + ops.erf(x * 0.7071067811865476))  #: gelu
        return x if name == "none" else getattr(ops, name)(x)
'''

HAS_GELU = "gelu"
"""The part of `Gated` for the GELU."""


def _gated(parts: Parts) -> str:
    return cut(GATED, parts) + "\n"


HELPERS = {
    "Learned": Helper(LEARNED),
    "LearnedPositions": Helper(LEARNED_POSITIONS),
    "SinusoidPositions": Helper(SINUSOID_POSITIONS),
    "Fixed": Helper(CONSTANT),
    "Filled": Helper(FILLED),
    "Gated": Helper(_gated((HAS_GELU,)), written=_gated),
}
