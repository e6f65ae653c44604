"""Initialisers that Keras lacks or truncates."""

from __future__ import annotations

from netspec_keras.helpers.helper import Helper

UNTRUNCATED = '''
def untruncated_{kind}({parameter}):
    """`{kind}` without truncation; Keras truncates it at two standard deviations."""
    return keras.initializers.VarianceScaling({scale}, {mode}, "untruncated_normal")
'''

NORMAL_BY_FAN = '''
def normal_by_fan(scale, fan):
    """Normal, with variance scale / fan; Keras counts another fan for such a kernel."""
    return keras.initializers.RandomNormal(stddev=(scale / fan) ** 0.5)
'''

UNIFORM_BY_FAN = '''
def uniform_by_fan(scale, fan):
    """Uniform, with variance scale / fan; Keras counts another fan for such a kernel."""
    bound = (3 * scale / fan) ** 0.5
    return keras.initializers.RandomUniform(-bound, bound)
'''

GROUPED_ORTHOGONAL = '''
class GroupedOrthogonal(keras.initializers.Orthogonal):
    """An orthogonal matrix for each group of the last axis, or for each channel."""

    def __init__(self, groups=1, by_channel=False, **kwargs):
        super().__init__(**kwargs)
        self.groups, self.by_channel = groups, by_channel

    def __call__(self, shape, dtype=None):
        *kernel, inputs, outputs = shape if len(shape) > 1 else (*shape, 1)
        groups = inputs if self.by_channel else self.groups
        part = (*kernel, 1, outputs) if self.by_channel else (*kernel, inputs, outputs // groups)
        draws = [keras.initializers.Orthogonal(self.gain, self.seed + at) for at in range(groups)]
        return ops.reshape(ops.concatenate([draw(part, dtype) for draw in draws], -1), shape)

    def get_config(self):
        own = {"groups": self.groups, "by_channel": self.by_channel}
        return {**super().get_config(), **own}
'''

BILINEAR = '''
class Bilinear(keras.initializers.Initializer):
    """Linear interpolation of each channel: a triangle along each axis; Keras has none."""

    def __init__(self, groups=1, by_channel=False):
        self.groups, self.by_channel = groups, by_channel

    def __call__(self, shape, dtype=None):
        *sizes, second, first = shape
        kernel = ops.ones((), dtype)
        for size in sizes:
            factor = (size + 1) // 2
            middle = factor - 1 if size % 2 else factor - 0.5
            triangle = [1 - abs(at - middle) / factor for at in range(size)]
            kernel = ops.expand_dims(kernel, -1) * ops.convert_to_tensor(triangle, dtype)
        own = ops.arange(first) % (first // self.groups) % second
        spread = ops.equal(ops.expand_dims(ops.arange(second), -1), own)
        if self.by_channel:
            spread = ops.ones_like(spread)
        return ops.reshape(kernel, (*sizes, 1, 1)) * ops.cast(spread, kernel.dtype)

    def get_config(self):
        return {"groups": self.groups, "by_channel": self.by_channel}
'''

GIVEN = '''
class Given(keras.initializers.Initializer):
    """Values as they are, in the order of the variable's axes; Keras rounds a constant."""

    def __init__(self, values):
        self.values = values

    def __call__(self, shape, dtype=None):
        return ops.broadcast_to(ops.convert_to_tensor(self.values, dtype), shape)

    def get_config(self):
        return {"values": self.values}
'''

_CROSSWISE = 'mode="fan_in"'


def _untruncated(kind: str, scale: float, mode: str = "") -> Helper:
    parameter = "" if mode else _CROSSWISE
    return Helper(UNTRUNCATED.format(kind=kind, scale=scale, mode=mode or "mode", parameter=parameter))


HELPERS = {
    "untruncated_glorot_normal": _untruncated("glorot_normal", 1.0, '"fan_avg"'),
    "untruncated_he_normal": _untruncated("he_normal", 2.0),
    "untruncated_lecun_normal": _untruncated("lecun_normal", 1.0),
    "normal_by_fan": Helper(NORMAL_BY_FAN),
    "uniform_by_fan": Helper(UNIFORM_BY_FAN),
    "GroupedOrthogonal": Helper(GROUPED_ORTHOGONAL),
    "Bilinear": Helper(BILINEAR),
    "Given": Helper(GIVEN),
}
