"""Normalisations, scalings and noise that Keras does not have, or defines differently."""

from __future__ import annotations

from netspec_keras.helpers.helper import Helper

BATCH_NORMALIZATION = '''
class UnbiasedBatchNormalization(layers.BatchNormalization):
    """Keeps the unbiased running variance, as Ioffe and Szegedy 2015; Keras keeps a biased one."""

    def __init__(self, momentum=0.9, epsilon=1e-5, **kwargs):
        super().__init__(momentum=momentum, epsilon=epsilon, **kwargs)

    def call(self, inputs, training=None, mask=None):
        kept = ops.convert_to_tensor(self.moving_variance) * self.momentum
        outputs = super().call(inputs, training=training, mask=mask)
        if training and self.trainable:
            count = ops.cast(ops.size(inputs) // inputs.shape[-1], kept.dtype)
            fresh = self.moving_variance - kept
            self.moving_variance.assign(kept + fresh * (count / ops.maximum(count - 1, 1)))
        return outputs
'''

LOCAL_RESPONSE_NORMALIZATION = '''
class LocalResponseNormalization(layers.Layer):
    """Divides by the power of neighbouring channels (Krizhevsky et al. 2012); Keras has none."""

    def __init__(self, size, alpha, beta, bias, **kwargs):
        super().__init__(**kwargs)
        self.size, self.alpha, self.beta, self.bias = size, alpha, beta, bias

    def call(self, inputs):
        channels = inputs.shape[-1]
        none = [(0, 0)] * (len(inputs.shape) - 1)
        squares = ops.pad(ops.square(inputs), [*none, (self.size // 2, (self.size - 1) // 2)])
        total = sum(squares[..., shift : shift + channels] for shift in range(self.size))
        return inputs / (self.bias + self.alpha * total) ** self.beta
'''

LOCAL_CONTRAST_NORMALIZATION = '''
class LocalContrastNormalization(layers.Layer):
    """Subtracts the mean of a Gaussian window over all channels, and divides by its deviation."""

    def __init__(self, kernel_size, spread=0.25, divide=True, epsilon=1e-4, **kwargs):
        super().__init__(**kwargs)
        self.kernel_size, self.spread = tuple(kernel_size), spread
        self.divide, self.epsilon = divide, epsilon

    def around(self, x):
        """The mean of the window around each position; positions outside the map do not count."""
        x = ops.mean(x, axis=-1, keepdims=True)
        window = ops.convert_to_tensor(1.0, x.dtype)
        for size in self.kernel_size:
            steps = [(at - size // 2) / (self.spread * size) for at in range(size)]
            steps = ops.convert_to_tensor(steps, x.dtype)
            window = ops.expand_dims(window, -1) * ops.exp(-0.5 * ops.square(steps))
        window = ops.expand_dims(window, (-1, -2))
        inside = ops.conv(ops.ones_like(x[:1]), window, padding="same")
        return ops.conv(x, window, padding="same") / inside

    def call(self, inputs):
        x = inputs - self.around(inputs)
        if not self.divide:
            return x
        deviation = ops.sqrt(ops.maximum(self.around(ops.square(x)), self.epsilon**2))
        least = ops.mean(deviation, axis=tuple(range(1, len(x.shape))), keepdims=True)
        return x / ops.maximum(deviation, least)

    def get_config(self):
        names = ("kernel_size", "spread", "divide", "epsilon")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
'''

RMS_NORMALIZATION = '''
class UnscaledRMSNormalization(layers.Layer):
    """Divides by the root of the mean square; `layers.RMSNormalization` always learns a scale."""

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.epsilon = axis, epsilon

    def call(self, inputs):
        return ops.rms_normalization(inputs, axis=self.axis, epsilon=self.epsilon)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
'''

L2_NORMALIZATION = '''
class L2Normalization(layers.Layer):
    """Scales the channels of each position to length 1, then by a trainable factor."""

    def __init__(self, epsilon=1e-12, scale_initializer="ones", **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.scale_initializer = keras.initializers.get(scale_initializer)

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.scale = self.add_weight(shape, self.scale_initializer, name="scale")

    def call(self, inputs):
        squared = ops.sum(ops.square(inputs), axis=-1, keepdims=True)
        return inputs / ops.sqrt(squared + self.epsilon) * self.scale

    def get_config(self):
        own = {"epsilon": self.epsilon, "scale_initializer": self.scale_initializer}
        return {**super().get_config(), **own}
'''

SCALE = '''
class Scale(layers.Layer):
    """Multiplies each channel by a trainable factor and adds a bias; Keras has no such layer."""

    def __init__(self, use_bias=True, scale_initializer="ones", bias_initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.use_bias = use_bias
        self.scale_initializer = keras.initializers.get(scale_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.scale = self.add_weight(shape, self.scale_initializer, name="scale")
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(shape, self.bias_initializer, name="bias")

    def call(self, inputs):
        outputs = inputs * self.scale
        return outputs if self.bias is None else outputs + self.bias

    def get_config(self):
        names = ("use_bias", "scale_initializer", "bias_initializer")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
'''

RESCALING = '''
class ExactRescaling(layers.Rescaling):
    """Keeps its factor in full; `layers.Rescaling` rounds it to single precision on TensorFlow."""

    def call(self, inputs):
        return inputs * self.scale
'''

RBF = '''
class RBF(layers.Layer):
    """The squared distance from the channels to each unit's center; Keras has none."""

    def __init__(self, units, centers_initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.centers_initializer = keras.initializers.get(centers_initializer)

    def build(self, input_shape):
        shape = (input_shape[-1], self.units)
        self.centers = self.add_weight(shape, self.centers_initializer, name="centers")

    def call(self, inputs):
        return ops.sum(ops.square(ops.expand_dims(inputs, -1) - self.centers), axis=-2)

    def get_config(self):
        own = {"units": self.units, "centers_initializer": self.centers_initializer}
        return {**super().get_config(), **own}
'''

GAUSSIAN_NOISE = '''
class LoudGaussianNoise(layers.GaussianNoise):
    """Takes any standard deviation; `layers.GaussianNoise` refuses those above 1."""

    def __init__(self, stddev, **kwargs):
        super().__init__(1.0, **kwargs)
        self.stddev = stddev
'''

MASK_INPUT = '''
class MaskInput(layers.Dropout):
    """Keeps what it keeps as it is; `layers.Dropout` makes up for what is gone."""

    def call(self, inputs, training=False):
        kept = super().call(ops.ones_like(inputs), training=training)
        return ops.where(kept > 0, inputs, 0)
'''

SAMPLING = '''
class Sampling(layers.Layer):
    """Draws from the normal distribution of a mean and a log-variance (Kingma and Welling 2014)."""

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs):
        mean, log_variance = inputs
        shape, seed = ops.shape(mean), self.seed_generator
        noise = keras.random.normal(shape, dtype=self.compute_dtype, seed=seed)
        return mean + noise * ops.exp(0.5 * log_variance)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
'''

ONE_DEVIATION = '''
class OneDeviation(layers.Layer):
    """The mean of a normal distribution plus one deviation."""

    def call(self, inputs):
        mean, log_variance = inputs
        return mean + ops.exp(0.5 * log_variance)
'''

HELPERS = {
    "Sampling": Helper(SAMPLING),
    "OneDeviation": Helper(ONE_DEVIATION),
    "UnbiasedBatchNormalization": Helper(BATCH_NORMALIZATION),
    "LocalResponseNormalization": Helper(LOCAL_RESPONSE_NORMALIZATION),
    "LocalContrastNormalization": Helper(LOCAL_CONTRAST_NORMALIZATION),
    "UnscaledRMSNormalization": Helper(RMS_NORMALIZATION),
    "L2Normalization": Helper(L2_NORMALIZATION),
    "Scale": Helper(SCALE),
    "ExactRescaling": Helper(RESCALING),
    "RBF": Helper(RBF),
    "LoudGaussianNoise": Helper(GAUSSIAN_NOISE),
    "MaskInput": Helper(MASK_INPUT),
}
