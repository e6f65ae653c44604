"""Attention; Keras' own layers and its fused op compute their softmax in float32, or have another set of weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from netspec.lowering.cutting import cut
from netspec.lowering.layout import WIDTH, wrap
from netspec_keras.helpers.helper import Helper, Parts

DOT_PRODUCT = '''
class DotProductAttention(layers.Layer):
    """Each query takes a mean of the values, weighted by how well it fits their keys."""

$signature
        super().__init__(**kwargs)
        self.heads = heads
        self.kv_heads = kv_heads or heads  #: grouped
        self.causal = causal  #: causal
        self.window = window  #: window
        self.scale = scale  #: scale
        self.rotary = rotary  #: rotary
        self.turned = turned  #: rotary_part
        self.start = start  #: rotary_start
        self.neighbours = neighbours  #: rotary_neighbours
        self.rate = dropout  #: dropout
        self.drop = layers.Dropout(dropout, dtype=self.dtype_policy)  #: dropout
  #: plain
    def call(self, inputs, training=None):  #: plain
        q, *others = inputs if isinstance(inputs, (list, tuple)) else [inputs]  #: plain
        memory = [x for x in others if len(x.shape) == 3] or [q]  #: plain
        return self.attend(q, memory[0], memory[-1], others, training)  #: plain

    def attend(self, q, k, v, others=(), training=None):
        """For queries, keys and values (N, positions, channels), with the further inputs."""
        positions = q.shape[1:-1]
        q = self.parted(q, self.heads)
        k, v = (self.parted(x, self.heads) for x in (k, v))  #: !grouped
        k, v = (self.parted(x, self.kv_heads) for x in (k, v))  #: grouped
        if self.rotary:  #: rotary
            q, k = self.turn(q), self.turn(k)  #: rotary
        k, v = (ops.repeat(x, self.heads // self.kv_heads, axis=1) for x in (k, v))  #: grouped
        scores = ops.matmul(q, ops.swapaxes(k, -1, -2)) * $scale
        weights = self.weighed(scores, others)
        weights = self.drop(weights, training=training)  #: dropout
        y = ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3))
        return ops.reshape(y, (-1, *positions, self.heads * y.shape[-1]))
  #: rotary
    def turn(self, x):  #: rotary
        """Turns pairs of channels by angles that grow with the position (Su et al. 2021)."""  #: rotary
        heads, length = x.shape[1:3]  #: rotary_neighbours
        length = x.shape[2]  #: rotary !rotary_neighbours
        size = self.turned or x.shape[-1]  #: rotary_part
        x, rest = x[..., :size], x[..., size:]  #: rotary_part
        size = x.shape[-1]  #: rotary !rotary_part
        # In half precision, far positions are equal.  #: rotary
        kind = keras.backend.result_type(self.compute_dtype, keras.config.floatx())  #: rotary
        rates = [self.rotary ** (-at / size) for at in range(0, size, 2)]  #: rotary
        places = ops.cast(ops.arange(length), kind)  #: rotary !rotary_start
        places = ops.cast(ops.arange(self.start, self.start + length), kind)  #: rotary_start
        angles = ops.expand_dims(places, 1) * ops.convert_to_tensor(rates, kind)  #: rotary
        cos, sin = (ops.cast(wave(angles), x.dtype) for wave in (ops.cos, ops.sin))  #: rotary
        a, b = ops.split(x, 2, axis=-1)  #: rotary !rotary_neighbours
        a, b = (x[..., ::2], x[..., 1::2]) if self.neighbours else ops.split(x, 2, axis=-1)  #: rotary_neighbours
        y = [a * cos - b * sin, a * sin + b * cos]  #: rotary
        y = ops.stack(y, axis=-1 if self.neighbours else -2)  #: rotary_neighbours
        y = ops.reshape(y, (-1, heads, length, size))  #: rotary_neighbours
        return ops.concatenate([y, rest], axis=-1)  #: rotary_neighbours rotary_part
        return y  #: rotary_neighbours !rotary_part
        return ops.concatenate([*y, rest], axis=-1)  #: rotary_part !rotary_neighbours
        return ops.concatenate(y, axis=-1)  #: rotary !rotary_part !rotary_neighbours

    def parted(self, x, heads):
        """(N, *positions, channels) as (N, heads, positions, channels of a head)."""
        count = 1  #: map
        for size in x.shape[1:-1]:  #: map
            count = count * size  #: map
        x = ops.reshape(x, (-1, count, heads, x.shape[-1] // heads))  #: map
        x = ops.reshape(x, (-1, x.shape[1], heads, x.shape[-1] // heads))  #: !map
        return ops.transpose(x, (0, 2, 1, 3))

    def weighed(self, scores, others):
        """The weights of the keys for each query; 0 for those that it does not see."""
        for bias in (x for x in others if len(x.shape) == 4):  #: score_bias
            scores = scores + ops.transpose(bias, (0, 3, 1, 2))  #: score_bias
        seen = []  #: bounded
        queries, keys = (ops.arange(size) for size in scores.shape[2:])  #: causal | window
        keys = ops.arange(scores.shape[3])  #: lengths !causal !window
        if self.causal:  #: causal
            seen.append(ops.less_equal(keys, ops.expand_dims(queries, 1)))  #: causal
        if self.window:  #: window
            apart = ops.absolute(ops.expand_dims(queries, 1) - keys)  #: window
            seen.append(ops.less(apart, self.window))  #: window
        for lengths in (x for x in others if len(x.shape) == 1):  #: lengths
            lengths = ops.expand_dims(lengths, (1, 2, 3))  #: lengths
            seen.append(ops.less(ops.cast(keys, lengths.dtype), lengths))  #: lengths
        for each in seen:  #: bounded
            scores = ops.where(each, scores, -float("inf"))  #: bounded
        if len(others) == 0:  #: lengths
            return ops.softmax(scores, axis=-1)  #: lengths
        # A query that sees no key takes nothing.  #: lengths
        is_seen = ops.not_equal(scores, -float("inf"))  #: lengths
        sees = ops.any(is_seen, axis=-1, keepdims=True)  #: lengths
        return ops.where(sees, ops.softmax(ops.where(sees, scores, 0), axis=-1), 0)  #: lengths
        return ops.softmax(scores, axis=-1)  #: !lengths

    def get_config(self):
$config
'''

FIELDS = {
    "grouped": ("kv_heads=0", '"kv_heads": self.kv_heads'),
    "causal": ("causal=False", '"causal": self.causal'),
    "window": ("window=0", '"window": self.window'),
    "scale": ("scale=0.0", '"scale": self.scale'),
    "dropout": ("dropout=0.0", '"dropout": self.rate'),
    "rotary": ("rotary=0.0", '"rotary": self.rotary'),
    "rotary_part": ("turned=0", '"turned": self.turned'),
    "rotary_start": ("start=0", '"start": self.start'),
    "rotary_neighbours": ("neighbours=False", '"neighbours": self.neighbours'),
}
"""For a part, the parameter of the class, and what its config has of it."""


def _dot_product(parts: Parts) -> str:
    bounded = {"causal", "window", "lengths"} & {*parts}
    fields = [each for part, each in FIELDS.items() if part in parts]
    scale = "q.shape[-1] ** -0.5"
    words = {
        "signature": "\n".join(wrap(_signature(["heads", *(field for field, _ in fields)]), 1)),
        "scale": f"(self.scale or {scale})" if "scale" in parts else scale,
        "config": "\n".join(_config(['"heads": self.heads', *(entry for _, entry in fields)])),
    }
    return cut(DOT_PRODUCT, {*parts, *(("bounded",) if bounded else ())}, **words) + "\n"


def _signature(fields: list[str]) -> str:
    return f"def __init__(self, {', '.join(fields)}, **kwargs):"


def _config(entries: list[str]) -> list[str]:
    own = f"        own = {{{', '.join(entries)}}}"
    lines = [own]
    if len(own) > WIDTH:
        lines = ["        own = {", *(f"            {entry}," for entry in entries), "        }"]
    return [*lines, "        return {**super().get_config(), **own}"]


KINDS: Mapping[str, tuple[str, tuple[str, ...], Mapping[str, str]]] = {
    "SelfAttention": ("The positions of one input attend to each other.", ("x",), {"qkv": "qkv"}),
    "CrossAttention": (
        "The positions of one input attend to those of a memory.",
        ("x", "memory"),
        {"query": "q", "key_value": "kv"},
    ),
    "KeyedAttention": (
        "The positions of one input attend to keys, and take values of a third.",
        ("x", "keys", "values"),
        {"query": "q", "key": "k", "value": "v"},
    ),
}
"""The classes with projections: what each says, its inputs, and its matrices."""


def _projected(
    name: str, doc: str, inputs: tuple[str, ...], matrices: Mapping[str, str], parts: Parts
) -> str:
    starts = ("kernel_initializer", "bias_initializer")
    fields = {
        **({"head_size": "0"} if "head_size" in parts else {}),
        **({"units": "0"} if "units" in parts else {}),
        **({"projects": "True"} if "open" in parts else {}),
        **({"use_bias": "True"} if "unbiased" in parts else {}),
    }
    listed = [f"{field}={default}" for field, default in fields.items()]
    listed += ['kernel_initializer="glorot_uniform"', 'bias_initializer="zeros"']
    entries = [f'"{field}": self.{field}' for field in (*fields, *starts)]
    lines = [f"class {name}(DotProductAttention):", f'    """{doc}"""', ""]
    lines += wrap(_signature(["heads", *listed]), 1)
    lines += ["        super().__init__(heads, **kwargs)"]
    lines += [f"        self.{field} = {field}" for field in fields]
    lines += [f"        self.{start} = keras.initializers.get({start})" for start in starts]
    lines += ["", "    def build(self, input_shape):", *_build(inputs, matrices, parts)]
    lines += ["", "    def projection(self, units, channels, name):"]
    lines += [*_dense(parts), "        layer.build((None, channels))", "        return layer", ""]
    lines += ["    def call(self, inputs, training=None):", *_call(inputs, matrices, parts), ""]
    lines += ["    def get_config(self):", *_config(entries)]
    return "\n" + "\n".join(lines) + "\n"


def _dense(parts: Parts) -> list[str]:
    settings = [
        "units",
        *(["use_bias=self.use_bias"] if "unbiased" in parts else []),
        "kernel_initializer=clone(self.kernel_initializer)",
        "bias_initializer=clone(self.bias_initializer)",
        "trainable=self.trainable",
        "dtype=self.dtype_policy",
        "name=name",
    ]
    return wrap(f"layer = layers.Dense({', '.join(settings)})", 2)


def _takes_others(parts: Parts) -> bool:
    return bool({"score_bias", "lengths"} & {*parts})


def _build(inputs: tuple[str, ...], matrices: Mapping[str, str], parts: Parts) -> list[str]:
    grouped = "grouped" in parts
    lines = []
    if len(inputs) > 1:
        names = ", ".join((*inputs, *(("*_",) if _takes_others(parts) else ())))
        lines += [f"        {names} = [shape[-1] for shape in input_shape]"]
    elif _takes_others(parts):
        lines += ["        single = isinstance(input_shape[-1], int)"]
        lines += ["        x = input_shape[-1] if single else input_shape[0][-1]"]
    else:
        lines += ["        x = input_shape[-1]"]
    inner = "self.heads * (self.head_size or x // self.heads)" if "head_size" in parts else "x"
    name = "inner" if "head_size" in parts or grouped else "x"
    if name != inner:
        lines += [f"        {name} = {inner}"]
    of_kv = name
    if grouped:
        of_kv = "kv_inner"
        lines += [f"        kv_inner = {name} // self.heads * self.kv_heads"]
    rows = {"q": name, "k": of_kv, "v": of_kv, "kv": f"2 * {of_kv}", "qkv": f"3 * {name}"}
    if grouped:
        rows["qkv"] = f"{name} + 2 * kv_inner"
    for (matrix, kind), of in zip(matrices.items(), inputs, strict=True):
        lines += [f'        self.{matrix} = self.projection({rows[kind]}, {of}, "{matrix}")']
    if "output" in parts:
        units = "self.units or x" if "units" in parts else "x"
        made = f'self.out = self.projection({units}, {name}, "output")'
        lines += (
            ["        if self.projects:", f"            {made}"] if "open" in parts else [f"        {made}"]
        )
    return lines


def _call(inputs: tuple[str, ...], matrices: Mapping[str, str], parts: Parts) -> list[str]:
    others = _takes_others(parts)
    names = ", ".join((*inputs, *(("*others",) if others else ())))
    lines = []
    if len(inputs) > 1:
        lines += [f"        {names} = inputs"]
    elif others:
        lines += [f"        {names} = inputs if isinstance(inputs, (list, tuple)) else [inputs]"]
    x = inputs[0] if lines else "inputs"
    more = "others, training" if others else "training=training"
    if len(matrices) == 1:
        parted = "3"
        if "grouped" in parts:
            lines += ["        size = self.qkv.units // (self.heads + 2 * self.kv_heads)"]
            lines += ["        ends = [self.heads * size, (self.heads + self.kv_heads) * size]"]
            parted = "ends"
        lines += [f"        q, k, v = ops.split(self.qkv({x}), {parted}, axis=-1)"]
        run = f"self.attend(q, k, v, {more})"
    elif len(matrices) == 2:
        lines += [f"        k, v = ops.split(self.key_value({inputs[1]}), 2, axis=-1)"]
        run = f"self.attend(self.query({x}), k, v, {more})"
    else:
        of = [f"self.{matrix}({each})" for matrix, each in zip(matrices, inputs, strict=True)]
        run = f"self.attend({', '.join(of)}, {more})"
    if "output" not in parts:
        return [*lines, *wrap(f"return {run}", 2)]
    if "open" in parts:
        return [*lines, *wrap(f"y = {run}", 2), "        return self.out(y) if self.projects else y"]
    return [*lines, *wrap(f"return self.out({run})", 2)]


BLOCKS = '''
class BlockAttention(SelfAttention):
    """Attention within the blocks of a map (N, *sizes, channels), whose edges cut shifted ones."""

    def __init__(self, heads, blocks, shift=(), **kwargs):
        super().__init__(heads, **kwargs)
        self.blocks, self.shift = [*blocks], [*shift] or [0] * len(blocks)

    def attend(self, q, k, v, others=(), training=None):
        sizes = q.shape[1:-1]
        rank = len(sizes)
        places = [*range(1, rank + 1)]
        q, k, v = (self.in_blocks(x) for x in (q, k, v))
        y = super().attend(q, k, v, [sizes, *others], training)
        counts = [size // block for size, block in zip(sizes, self.blocks, strict=True)]
        y = ops.reshape(y, (-1, *counts, *self.blocks, y.shape[-1]))
        order = [axis for at in places for axis in (at, at + rank)]
        y = ops.transpose(y, (0, *order, 2 * rank + 1))
        return ops.roll(ops.reshape(y, (-1, *sizes, y.shape[-1])), self.shift, places)

    def in_blocks(self, x):
        """A map as (N · blocks, positions, channels)."""
        x = ops.roll(x, [-by for by in self.shift], [*range(1, len(self.shift) + 1)])
        return self.cut_up(x)

    def cut_up(self, x):
        shape, count = [], 1
        for size, block in zip(x.shape[1:-1], self.blocks, strict=True):
            shape, count = [*shape, size // block, block], count * block
        last = len(shape) + 1
        x = ops.reshape(x, (-1, *shape, x.shape[-1]))
        x = ops.transpose(x, (0, *range(1, last, 2), *range(2, last, 2), last))
        return ops.reshape(x, (-1, count, x.shape[-1]))

    def weighed(self, scores, others):
        sizes, *biases = others  #: score_bias
        sizes = others[0]  #: !score_bias
        shape = scores.shape
        count = 1
        for size, block in zip(sizes, self.blocks, strict=True):
            count = count * size // block
        scores = ops.reshape(scores, (-1, count, *shape[1:]))
        for bias in biases:  #: score_bias
            scores = scores + ops.expand_dims(ops.transpose(bias, (0, 3, 1, 2)), 1)  #: score_bias
        if sum(self.shift):
            scores = ops.where(self.is_whole(sizes), scores, -float("inf"))
        return ops.softmax(ops.reshape(scores, (-1, *shape[1:])), axis=-1)

    def is_whole(self, sizes):
        """For each pair of positions of a block, whether they are not from both ends of the map."""
        cut = ops.zeros((1, *sizes, 1), "int32")
        for axis, (size, by) in enumerate(zip(sizes, self.shift, strict=True)):
            at = ops.cast(ops.greater_equal(ops.arange(size), size - by), "int32")
            cut = 2 * cut + ops.reshape(at, (size, *(1,) * (len(sizes) - axis)))
        cut = self.cut_up(cut)
        return ops.expand_dims(ops.equal(cut, ops.swapaxes(cut, 1, 2)), 1)

    def get_config(self):
        return {**super().get_config(), "blocks": self.blocks, "shift": self.shift}
'''


def _blocks(parts: Parts) -> str:
    return cut(BLOCKS, parts) + "\n"


def _kind(name: str) -> Helper:
    written = partial(_projected, name, *KINDS[name])
    return Helper(written(ALL), ("clone", "DotProductAttention"), written)


ALL = frozenset(
    (*FIELDS, "map", "score_bias", "lengths", "output", "open", "units", "head_size", "unbiased", "plain")
)
"""All parts."""

HELPERS = {
    "DotProductAttention": Helper(_dot_product(ALL), written=_dot_product),
    **{name: _kind(name) for name in KINDS},
    "BlockAttention": Helper(_blocks(ALL), ("SelfAttention",), _blocks),
}
