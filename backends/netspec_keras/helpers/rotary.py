"""Rotations by position; Keras has none in its layers."""

from __future__ import annotations

from functools import partial

from netspec.lowering.cutting import cut
from netspec_keras.helpers.helper import Helper, Parts

ROTARY = '''
class $name(layers.Layer):
    """Turns pairs of channels of each head, by more at later positions (Su et al. 2021)."""  #: !neighbours
    """Turns pairs of neighbours in each head, by more at later positions (Su et al. 2021)."""  #: neighbours

    def __init__(self, $fields, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads
        self.base = base
        self.turned = turned  #: turned
        self.start = start  #: start

    def call(self, inputs):
        length, channels = inputs.shape[1:]
        x = ops.reshape(inputs, (-1, length, self.heads, channels // self.heads))
        size = self.turned or x.shape[-1]  #: turned
        x, rest = x[..., :size], x[..., size:]  #: turned
        size = x.shape[-1]  #: !turned
        # In half precision, far positions are equal.
        kind = keras.backend.result_type(self.compute_dtype, keras.config.floatx())
        rates = [self.base ** (-at / size) for at in range(0, size, 2)]
        places = ops.cast(ops.arange(length), kind)  #: !start
        places = ops.cast(ops.arange(self.start, self.start + length), kind)  #: start
        angles = ops.expand_dims(places, (1, 2)) * ops.convert_to_tensor(rates, kind)
        cos, sin = (ops.cast(wave(angles), x.dtype) for wave in (ops.cos, ops.sin))
        a, b = ops.split(x, 2, axis=-1)  #: !neighbours
        a, b = x[..., ::2], x[..., 1::2]  #: neighbours
        y = [a * cos - b * sin, a * sin + b * cos]
        y = ops.concatenate([*y, rest], axis=-1)  #: !neighbours turned
        y = ops.concatenate(y, axis=-1)  #: !neighbours !turned
        y = ops.reshape(ops.stack(y, axis=-1), (-1, length, self.heads, size))  #: neighbours
        y = ops.concatenate([y, rest], axis=-1)  #: neighbours turned
        return ops.reshape(y, (-1, length, channels))
'''

FIELDS = {"turned": "turned=0", "start": "start=0"}
"""For a part, the parameter of the class."""


def _rotary(name: str, parts: Parts) -> str:
    fields = ["heads", "base=10000.0", *(field for part, field in FIELDS.items() if part in parts)]
    neighbours = ("neighbours",) if name == NEIGHBOURS else ()
    return cut(ROTARY, {*parts, *neighbours}, name=name, fields=", ".join(fields)) + "\n"


HALVES, NEIGHBOURS = "Rotary", "NeighbourRotary"
HELPERS = {
    name: Helper(_rotary(name, FIELDS), written=partial(_rotary, name)) for name in (HALVES, NEIGHBOURS)
}
"""The class for each kind of pairs: those of both halves of a head, and those of neighbours."""
