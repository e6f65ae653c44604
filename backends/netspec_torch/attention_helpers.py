"""Helper classes for attention in generated code, on (N, positions, channels); all run PyTorch's fused attention."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from netspec.lowering.cutting import Parts, cut

DOT_PRODUCT = '''\
class DotProductAttention(nn.Module):
    """Each query takes a mean of the values, weighted by how well it fits their keys."""

$signature
        super().__init__()
        self.heads = heads
        self.kv_heads = kv_heads or heads  #: grouped
        self.causal = causal  #: causal
        self.window = window  #: window
        self.scale = scale or None  #: scale
        self.dropout = dropout  #: dropout
        self.rotary = rotary  #: rotary
        self.turned = turned  #: rotary_part
        self.start = start  #: rotary_start
        self.neighbours = neighbours  #: rotary_neighbours

    def forward(self, $inputs):
        sizes = q.shape[1:-1]  #: map
        q, k, v = (x.flatten(1, -2) for x in (q, k, v))  #: map
        q, k, v = (x.unflatten(-1, (self.heads, -1)).transpose(1, 2) for x in (q, k, v))  #: !grouped
        q = q.unflatten(-1, (self.heads, -1)).transpose(1, 2)  #: grouped
        k, v = (x.unflatten(-1, (self.kv_heads, -1)).transpose(1, 2) for x in (k, v))  #: grouped
        if self.rotary:  #: rotary
            q, k = self.turn(q), self.turn(k)  #: rotary
        mask = self.mask($masked)  #: bounded
$attend
        return y.transpose(1, 2).flatten(2)  #: !map
        return y.transpose(1, 2).flatten(2).unflatten(1, sizes)  #: map
  #: rotary
    def turn(self, x):  #: rotary
        """Turns pairs of channels by angles that grow with the position (Su et al. 2021)."""  #: rotary
        size = self.turned or x.shape[-1]  #: rotary_part
        x, rest = x[..., :size], x[..., size:]  #: rotary_part
        size = x.shape[-1]  #: rotary !rotary_part
        # In half precision, far positions are equal.  #: rotary
        kind = {"dtype": torch.promote_types(x.dtype, torch.float32), "device": x.device}  #: rotary
        rates = self.rotary ** (-torch.arange(0, size, 2, **kind) / size)  #: rotary
        places = torch.arange(x.shape[2], **kind)  #: rotary !rotary_start
        places = self.start + torch.arange(x.shape[2], **kind)  #: rotary_start
        angles = places[:, None] * rates  #: rotary
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)  #: rotary
        shape, dim = ((-1, 2), -1) if self.neighbours else ((2, -1), -2)  #: rotary_neighbours
        a, b = x.unflatten(-1, shape).unbind(dim)  #: rotary_neighbours
        a, b = x.chunk(2, dim=-1)  #: rotary !rotary_neighbours
        y = [a * cos - b * sin, a * sin + b * cos]  #: rotary
        y = torch.stack(y, dim=dim).flatten(-2)  #: rotary_neighbours
        return torch.cat([y, rest], dim=-1)  #: rotary_neighbours rotary_part
        return y  #: rotary_neighbours !rotary_part
        return torch.cat([*y, rest], dim=-1)  #: rotary_part !rotary_neighbours
        return torch.cat(y, dim=-1)  #: rotary !rotary_part !rotary_neighbours
  #: bounded
    def places(self, x):  #: bounded
        return torch.arange(x.shape[2], device=x.device)  #: bounded
  #: bounded
    def mask(self, $masked):  #: bounded
        """What each query sees, or what is added to its scores; None if it sees all."""  #: bounded
        if $unbounded:  #: bounded
            return None  #: bounded
        queries, keys = self.places(q), self.places(k)  #: bounded causal | window
        keys = self.places(k)  #: lengths !causal !window
        return (keys < lengths[:, None])[:, None, None]  #: lengths !causal !window !score_bias
        seen = keys >= 0  #: bounded causal | bounded window | bounded score_bias
        if lengths is not None:  #: lengths causal | lengths window | lengths score_bias
            seen = (keys < lengths[:, None])[:, None, None]  #: lengths causal | lengths window | lengths score_bias
        if self.causal:  #: bounded causal
            seen = seen & (keys <= queries[:, None])  #: bounded causal
        if self.window:  #: window lengths | window score_bias
            seen = seen & ((keys - queries[:, None]).abs() < self.window)  #: window lengths | window score_bias
        seen = seen & ((keys - queries[:, None]).abs() < self.window)  #: window !lengths !score_bias
        if score_bias is not None:  #: bounded score_bias
            return score_bias.masked_fill(~seen, -torch.inf)  #: bounded score_bias
        return seen  #: bounded causal | bounded window | bounded score_bias'''

FIELDS = {
    "grouped": "kv_heads=0",
    "causal": "causal=False",
    "window": "window=0",
    "scale": "scale=0.0",
    "dropout": "dropout=0.0",
    "rotary": "rotary=0.0",
    "rotary_part": "turned=0",
    "rotary_start": "start=0",
    "rotary_neighbours": "neighbours=False",
}
"""For a part, the parameter of the class."""

OTHERS = {"score_bias": "score_bias=None", "lengths": "lengths=None"}
"""For a part, the further input."""


def _dot_product(parts: Parts) -> str:
    parts = {*parts, *(("bounded",) if is_bounded(parts) else ())}
    others = [name for name in OTHERS if name in parts]
    absent = [f"{name} is None" for name in others]
    if "window" in parts:
        absent.append("not self.window")
    fields = [text for part, text in FIELDS.items() if part in parts]
    words = {
        "signature": called("    def __init__", ["self", "heads", *fields]) + ":",
        "inputs": _listed("q, k, v", OTHERS, parts),
        "masked": ", ".join(("q", "k", *others)),
        "unbounded": " and ".join(absent),
        "attend": _attend(parts),
    }
    return cut(DOT_PRODUCT, parts, **words)


def is_bounded(parts: Parts) -> bool:
    """Whether a mask must be computed: PyTorch's own are a causal one, or a tensor."""
    return bool({"window", "lengths"} & {*parts}) or {"causal", "score_bias"} <= {*parts}


def _attend(parts: Parts) -> str:
    bounded, causal = "bounded" in parts, "causal" in parts
    settings = {
        "attn_mask": "mask" if bounded else "score_bias" if "score_bias" in parts else "",
        "dropout_p": "self.dropout if self.training else 0.0" if "dropout" in parts else "",
        "is_causal": ("self.causal and mask is None" if bounded else "self.causal") if causal else "",
        "scale": "self.scale" if "scale" in parts else "",
        "enable_gqa": "self.kv_heads < self.heads" if "grouped" in parts else "",
    }
    arguments = ["q", "k", "v", *(f"{name}={value}" for name, value in settings.items() if value)]
    return called("        y = F.scaled_dot_product_attention", arguments)


def called(start: str, arguments: list[str]) -> str:
    """A call in as many lines as a formatter gives it."""
    indent = " " * (len(start) - len(start.lstrip()))
    line = ", ".join(arguments)
    if len(f"{start}({line})") <= 100:
        return f"{start}({line})"
    if len(f"{indent}    {line}") <= 100:
        return f"{start}(\n{indent}    {line}\n{indent})"
    rows = "".join(f"{indent}    {each},\n" for each in arguments)
    return f"{start}(\n{rows}{indent})"


def _listed(first: str, table: Mapping[str, str], parts: Parts) -> str:
    return ", ".join((first, *(text for part, text in table.items() if part in parts)))


def _projected(
    name: str, doc: str, inputs: Mapping[str, str], layers: Mapping[str, str], parts: Parts
) -> str:
    """A class with projections: `inputs` are what it takes, with their channels; `layers` the rows of each matrix.

    Args:
        inputs: the parameter with the channels of each input.
        layers: for each matrix, its input and the number of matrices in it, by a word: `q`, `kv`, `qkv`.
    """
    grouped, sized = "grouped" in parts, "head_size" in parts
    split = grouped and name == "SelfAttention"
    fields = ["heads"]
    fields += ["kv_heads=0"] if grouped else []
    fields += ["head_size=0"] if sized else []
    fields += ["units=0"] if "units" in parts else []
    fields += ["output=True"] if "open" in parts else []
    fields += ["bias=True"] if "unbiased" in parts else []
    (channels, *_), bias = inputs.values(), ", bias=bias" if "unbiased" in parts else ""
    lines = [f"class {name}(DotProductAttention):", f'    """{doc}"""', ""]
    settings = bool({*FIELDS} - {"grouped"} & {*parts}) and any(
        part in parts for part in FIELDS if part != "grouped"
    )
    signature = ["self", *inputs.values(), *fields, *(["**settings"] if settings else [])]
    lines += [called("    def __init__", signature) + ":"]
    base = ["heads", *(["kv_heads"] if grouped else []), *(["**settings"] if settings else [])]
    lines += [f"        super().__init__({', '.join(base)})"]
    inner = channels
    if sized:
        lines += [f"        inner = heads * (head_size or {channels} // heads)"]
        inner = "inner"
    kv_inner = inner
    if grouped:
        lines += [f"        kv_inner = {inner} // heads * self.kv_heads"]
        kv_inner = "kv_inner"
    if split:
        lines += [f"        self.sizes = [{inner}, kv_inner, kv_inner]"]
    rows = {"q": inner, "k": kv_inner, "v": kv_inner, "kv": f"2 * {kv_inner}", "qkv": f"3 * {inner}"}
    if split:
        rows["qkv"] = f"{inner} + 2 * kv_inner"
    for (layer, kind), taken in zip(layers.items(), inputs.values(), strict=True):
        lines += [f"        self.{layer} = nn.Linear({taken}, {rows[kind]}{bias})"]
    units = f"units or {channels}" if "units" in parts else channels
    if "output" in parts:
        made = f"nn.Linear({inner}, {units}{bias})"
        lines += [f"        self.output = {made}{' if output else None' if 'open' in parts else ''}"]
    others = [name for name in OTHERS if name in parts]
    lines += ["", f"    def forward(self, {_listed(', '.join(inputs), OTHERS, parts)}):"]
    given = list(inputs)
    if split:
        lines += [f"        q, k, v = self.qkv({given[0]}).split(self.sizes, dim=-1)"]
        of = ["q", "k", "v"]
    elif len(layers) == 1:
        lines += [f"        q, k, v = self.qkv({given[0]}).chunk(3, dim=-1)"]
        of = ["q", "k", "v"]
    elif len(layers) == 2:
        lines += [f"        k, v = self.key_value({given[1]}).chunk(2, dim=-1)"]
        of = [f"self.query({given[0]})", "k", "v"]
    else:
        of = [f"self.{layer}({x})" for layer, x in zip(layers, given, strict=True)]
    run = ", ".join((*of, *others))
    if "output" not in parts:
        lines += [f"        return super().forward({run})"]
    elif "open" in parts:
        lines += [
            f"        y = super().forward({run})",
            "        return self.output(y) if self.output else y",
        ]
    else:
        lines += [f"        return self.output(super().forward({run}))"]
    return "\n".join(lines)


BLOCKS = '''\
class BlockAttention(SelfAttention):
    """Attention within the blocks of a map (N, *sizes, channels), whose edges cut shifted ones."""  #: shift
    """Attention within the blocks of a map (N, *sizes, channels)."""  #: !shift

    def __init__(self, channels, heads, blocks, shift=None, **settings):  #: shift
        super().__init__(channels, heads, **settings)  #: shift
        self.blocks, self.shift = blocks, shift or (0,) * len(blocks)  #: shift
    def __init__(self, channels, heads, blocks, **settings):  #: !shift
        super().__init__(channels, heads, **settings)  #: !shift
        self.blocks = blocks  #: !shift

    def forward(self, x, score_bias=None):  #: block_bias
    def forward(self, x):  #: !block_bias
        samples, *sizes, _ = x.shape
        places = range(1, 1 + len(sizes))
        x = self.parted(x.roll([-by for by in self.shift], tuple(places)))  #: shift
        x = self.parted(x)  #: !shift
        mask = None if score_bias is None else score_bias[:, None]  #: block_bias
        if any(self.shift):  #: block_bias shift
            same = self.is_whole(sizes, x)  #: block_bias shift
            mask = same if mask is None else mask.masked_fill(~same, -torch.inf)  #: block_bias shift
        mask = self.is_whole(sizes, x) if any(self.shift) else None  #: !block_bias shift
        if mask is not None:  #: block_bias | shift
            mask = mask.expand(samples, x.shape[1], -1, -1, -1).flatten(0, 1)  #: block_bias | shift
        y = super().forward(x.flatten(0, 1), mask)  #: block_bias | shift
        y = super().forward(x.flatten(0, 1))  #: !block_bias !shift
        counts = [size // block for size, block in zip(sizes, self.blocks, strict=True)]
        # (N, *counts, *blocks, channels), of which each count goes before its block.
        y = y.unflatten(1, self.blocks).unflatten(0, (samples, *counts))
        order = [axis for at in places for axis in (at, at + len(sizes))]
        y = y.permute(0, *order, -1).reshape(samples, *sizes, -1)  #: shift
        return y.roll(self.shift, tuple(places))  #: shift
        return y.permute(0, *order, -1).reshape(samples, *sizes, -1)  #: !shift

    def parted(self, x):
        """The map as (N, blocks, positions, channels)."""
        for axis, block in reversed([*enumerate(self.blocks, start=1)]):
            x = x.unflatten(axis, (-1, block))
        rank = len(self.blocks)
        x = x.permute(0, *range(1, 2 * rank, 2), *range(2, 2 * rank + 1, 2), -1)
        return x.flatten(1 + rank, -2).flatten(1, rank)
  #: shift
    def is_whole(self, sizes, x):  #: shift
        """For each pair of positions of a block, whether they are not from both ends of the map."""  #: shift
        cut = torch.zeros(1, *sizes, 1, device=x.device)  #: shift
        for axis, by in enumerate(self.shift, start=1):  #: shift
            size = sizes[axis - 1]  #: shift
            wrapped = torch.arange(size, device=x.device) >= size - by  #: shift
            cut = 2 * cut + wrapped.reshape(-1, *(1,) * (len(sizes) + 1 - axis))  #: shift
        cut = self.parted(cut)  #: shift
        return (cut == cut.mT)[:, :, None]  #: shift'''


KINDS: Mapping[str, tuple[str, Mapping[str, str], Mapping[str, str]]] = {
    "SelfAttention": ("The positions of one input attend to each other.", {"x": "channels"}, {"qkv": "qkv"}),
    "CrossAttention": (
        "The positions of one input attend to those of a memory.",
        {"x": "channels", "memory": "memory_channels"},
        {"query": "q", "key_value": "kv"},
    ),
    "KeyedAttention": (
        "The positions of one input attend to keys, and take values of a third.",
        {"x": "channels", "keys": "key_channels", "values": "value_channels"},
        {"query": "q", "key": "k", "value": "v"},
    ),
}
"""The classes with projections: what each says, its inputs with their channels, and its matrices."""

HELPERS: Mapping[str, Callable[[Parts], str]] = {
    "DotProductAttention": _dot_product,
    **{name: partial(_projected, name, *kind) for name, kind in KINDS.items()},
    "BlockAttention": partial(cut, BLOCKS),
}

BASES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(KINDS, ("DotProductAttention",)),
    "BlockAttention": ("DotProductAttention", "SelfAttention"),
}
"""The classes that a class needs."""

MATRICES: Mapping[str, tuple[str, ...]] = {
    **{name: tuple(layers) for name, (_, _, layers) in KINDS.items()},
    "BlockAttention": ("qkv",),
}
"""The modules in each class, beside `output`."""
