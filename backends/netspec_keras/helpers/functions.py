"""Activations that TensorFlow rounds, or that have another derivative at 0 in Keras."""

from __future__ import annotations

from netspec_keras.helpers.helper import Helper

LEAKY_RELU = '''
class ExactLeakyReLU(layers.Layer):
    """Keeps its slope in full; `layers.LeakyReLU` rounds it to single precision on TensorFlow."""

    def __init__(self, negative_slope, **kwargs):
        super().__init__(**kwargs)
        self.negative_slope = negative_slope

    def call(self, inputs):
        return ops.where(inputs > 0, inputs, inputs * self.negative_slope)
'''

SELU = '''
class SELUFromBelow(layers.Layer):
    """Has at 0 the derivative of what is below it; TensorFlow's has that of what is above."""

    alpha, scale = 1.6732632423543772, 1.0507009873554805

    def call(self, inputs):
        below = self.alpha * ops.expm1(ops.where(inputs > 0, 0, inputs))
        return self.scale * ops.where(inputs > 0, inputs, below)
'''

GELU = '''
class ExactGELU(layers.Layer):
    """Keeps its constants in full; TensorFlow rounds those of Keras' own to single precision."""

    def __init__(self, approximate=False, **kwargs):
        super().__init__(**kwargs)
        self.approximate = approximate

    def call(self, inputs):
        if self.approximate:
            cubic = inputs + 0.044715 * inputs * inputs * inputs
            return 0.5 * inputs * (1 + ops.tanh(0.7978845608028654 * cubic))
        return 0.5 * inputs * (1 + ops.erf(inputs * 0.7071067811865476))
'''

PRELU = '''
class PReLUFromBelow(layers.PReLU):
    """Has at 0 the derivative of what is below it; that of `layers.PReLU` is 0 there."""

    def call(self, inputs):
        return ops.where(inputs > 0, inputs, inputs * self.alpha)
'''

ABSOLUTE = '''
class Absolute(layers.Layer):
    """The absolute value of each number, with a derivative of 0 at 0; that of JAX is 1."""

    def call(self, inputs):
        return inputs * ops.sign(inputs)
'''

SOFTPLUS = '''
class ScaledSoftplus(layers.Layer):
    """A softplus of a multiple of its input, divided by the factor; Keras' own has none."""

    def __init__(self, beta, **kwargs):
        super().__init__(**kwargs)
        self.beta = beta

    def call(self, inputs):
        return ops.softplus(self.beta * inputs) / self.beta
'''

FUNCTION = '''
class {cls}(layers.Layer):
    """The {what} of each number; Keras has no layer for it."""

    def call(self, inputs):
        return ops.{name}(inputs)
'''

POWER = '''
class Power(layers.Layer):
    """Each number to the power of a constant."""

    def __init__(self, exponent, **kwargs):
        super().__init__(**kwargs)
        self.exponent = exponent

    def call(self, inputs):
        return inputs**self.exponent
'''

CLIP = '''
class Clip(layers.Layer):
    """Replaces numbers outside two bounds by the nearer bound; on a bound the gradient passes."""

    def __init__(self, min=None, max=None, **kwargs):
        super().__init__(**kwargs)
        self.min, self.max = min, max

    def call(self, inputs):
        x = inputs
        if self.min is not None:
            x = ops.where(x < self.min, ops.full_like(x, self.min), x)
        if self.max is not None:
            x = ops.where(x > self.max, ops.full_like(x, self.max), x)
        return x
'''

STEP = '''
class Step(layers.Layer):
    """1 above the threshold, else 0, with a gradient of 0."""

    def __init__(self, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        self.threshold = threshold

    def call(self, inputs):
        return ops.relu(ops.sign(inputs - self.threshold))
'''

HELPERS = {
    "ExactLeakyReLU": Helper(LEAKY_RELU),
    "SELUFromBelow": Helper(SELU),
    "ExactGELU": Helper(GELU),
    "PReLUFromBelow": Helper(PRELU),
    "ScaledSoftplus": Helper(SOFTPLUS),
    "Logarithm": Helper(FUNCTION.format(cls="Logarithm", what="natural logarithm", name="log")),
    "SquareRoot": Helper(FUNCTION.format(cls="SquareRoot", what="square root", name="sqrt")),
    "Square": Helper(FUNCTION.format(cls="Square", what="square", name="square")),
    "Absolute": Helper(ABSOLUTE),
    "Power": Helper(POWER),
    "Clip": Helper(CLIP),
    "Step": Helper(STEP),
}
