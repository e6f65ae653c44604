"""How the fields of each op are drawn: by its recipe, or from the table of cases; every field of it at times.

A recipe gives fields as an author writes them, for an input of this type; `made` tries them on the op itself, so
a recipe need not know every rule. Constants are such that float32 holds them exactly (docs/proof.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netspec.ops import OPS
from netspec.ops.activation import ACTIVATIONS
from netspec.ops.base import Misfit, Op
from netspec.ops.roles import bounds
from netspec.types import Type
from tests.cases import CASES
from tests.random_networks import attending, swept
from tests.random_networks.draw import Draw, Fields
from tests.random_networks.starts import init

Recipe = Callable[[Draw, Type], Fields]

CHANNELS, ELEMENTS = 16, 1500
"""The most channels and values of a tensor, so that a network stays small."""
TRIES = 6


def made(draw: Draw, keyword: str, type_: Type, given: Fields | None = None) -> tuple[Fields, Type] | None:
    """Fields of the op that fit the type, and what it then gives; None if none were found.

    Args:
        given: the defaults of the file for this op, which the drawn fields override.
    """
    for _ in range(TRIES):
        fields = RECIPES[keyword](draw, type_)
        result = outcome(keyword, {**(given or {}), **fields}, (type_,))
        if result is not None and is_small(result):
            return fields, result
    return None


def outcome(keyword: str, fields: Fields, types: tuple[Type, ...]) -> Type | None:
    """What the op of these fields gives for these types; None if it does not fit them."""
    op = resolved(keyword, fields, types)
    return None if op is None else op.outputs(types)[0]


def resolved(keyword: str, fields: Fields, types: tuple[Type, ...]) -> Op | None:
    """The op of these fields for these types; None if it does not fit them."""
    try:
        op = OPS[keyword].model_validate(fields).resolve(types)
        op.outputs(types)
    except Misfit:
        return None
    return op


def is_small(type_: Type) -> bool:
    """Whether a tensor is as small as a random network should have it."""
    many = CHANNELS if type_.spatial else 4 * CHANNELS
    return (type_.channels or 0) <= many and type_.elements <= ELEMENTS and max(type_.shape) <= 4 * CHANNELS


def _nothing(draw: Draw, type_: Type) -> Fields:
    return {}


def activation(draw: Draw, type_: Type) -> Any:
    """An activation as the field `activation` takes it."""
    keyword = draw.choice([*ACTIVATIONS, "none"])
    if keyword == "none":
        return keyword
    fields = RECIPES[keyword](draw, type_)
    main = ACTIVATIONS[keyword].main
    if not fields:
        return keyword
    return {keyword: fields[main]} if main in fields and draw.chance(0.5) else {keyword: fields}


def _any_activation(draw: Draw, type_: Type) -> Any:
    """An activation as the op `activation` takes it: also one with weights."""
    if draw.chance(0.2):
        fields = _with_init(draw, type_)
        return {"prelu": fields} if fields else "prelu"
    return activation(draw, type_)


def _learnt(draw: Draw, type_: Type) -> Fields:
    return draw.some(
        0.3,
        bias=lambda: draw.chance(0.3),
        init=lambda: init(draw),
        bias_init=lambda: init(draw),
        activation=lambda: activation(draw, type_),
    )


def _pads(draw: Draw, rank: int) -> Any:
    word = draw.choice(["valid", "same", "same", "half", "full", "causal", "one", "axes", "pairs"])
    if word == "one":
        return draw.randint(0, 2)
    if word == "axes":
        return [draw.randint(0, 2) for _ in range(rank)]
    if word == "pairs":
        return [[draw.randint(0, 2), draw.randint(0, 2)] for _ in range(rank)]
    return word


def _window(draw: Draw, type_: Type, pads: float = 0.6) -> Fields:
    rank = len(type_.spatial)
    fields: Fields = {
        "kernel": draw.one_or_each(rank, lambda axis: draw.randint(1, min(4, type_.sizes[axis] + 1)))
    }
    fields |= draw.some(0.35, stride=lambda: draw.one_or_each(rank, lambda _: draw.randint(1, 3)))
    fields |= draw.some(0.25, dilation=lambda: draw.one_or_each(rank, lambda _: draw.randint(1, 3)))
    fields |= draw.some(pads, padding=lambda: _pads(draw, rank))
    return fields


def _filters(draw: Draw) -> int:
    return draw.randint(1, 6)


def _conv(draw: Draw, type_: Type) -> Fields:
    channels = type_.channels or 1
    fields = {"filters": _filters(draw), **_window(draw, type_), **_learnt(draw, type_)}
    if draw.chance(0.25):
        groups = draw.choice(_divisors(channels))
        fields |= {"groups": groups, "filters": groups * draw.randint(1, 3)}
    elif draw.chance(0.1):
        rows = [draw.part(range(channels), channels) for _ in range(fields["filters"])]
        fields["table"] = rows
    return fields


def _conv_transpose(draw: Draw, type_: Type) -> Fields:
    fields = {"filters": _filters(draw), **_window(draw, type_), **_learnt(draw, type_)}
    if draw.chance(0.25):
        groups = draw.choice(_divisors(type_.channels or 1))
        fields |= {"groups": groups, "filters": groups * draw.randint(1, 3)}
    if draw.chance(0.3):
        fields["output_padding"] = draw.one_or_each(len(type_.spatial), lambda _: draw.randint(0, 2))
    return fields


def _depthwise(draw: Draw, type_: Type) -> Fields:
    more = draw.some(0.4, multiplier=lambda: draw.randint(1, 3))
    return {**_window(draw, type_), **more, **_learnt(draw, type_)}


def _separable(draw: Draw, type_: Type) -> Fields:
    return {"filters": _filters(draw), **_depthwise(draw, type_)}


def _max_pool(draw: Draw, type_: Type) -> Fields:
    return {**_window(draw, type_), **draw.some(0.4, rounding=lambda: draw.either("floor", "ceil"))}


def _avg_pool(draw: Draw, type_: Type) -> Fields:
    return {**_max_pool(draw, type_), **draw.some(0.4, count_padding=lambda: draw.chance(0.7))}


def _channel_pool(draw: Draw, type_: Type) -> Fields:
    size = draw.choice(_divisors(type_.channels or 1))
    return {"size": size, **draw.some(0.5, kind=lambda: draw.either("max", "average"))}


def _dense(draw: Draw, type_: Type) -> Fields:
    return {"units": _filters(draw), **_learnt(draw, type_)}


def _rbf(draw: Draw, type_: Type) -> Fields:
    return {"units": draw.randint(1, 4), **draw.some(0.4, init=lambda: init(draw))}


def _with_init(draw: Draw, type_: Type) -> Fields:
    return draw.some(0.5, init=lambda: init(draw))


def _epsilon(draw: Draw) -> float:
    return draw.choice([1e-3, 2.0**-7, 0.5])


def _normalisation(draw: Draw, type_: Type) -> Fields:
    return draw.some(
        0.3, epsilon=lambda: _epsilon(draw), scale=lambda: draw.chance(0.3), center=lambda: draw.chance(0.3)
    )


def _batch_norm(draw: Draw, type_: Type) -> Fields:
    momentum = draw.some(0.3, momentum=lambda: draw.choice([0.0, 0.5, 0.875, 0.99, 1.0]))
    return {**_normalisation(draw, type_), **momentum}


def _layer_norm(draw: Draw, type_: Type) -> Fields:
    return {
        **_normalisation(draw, type_),
        **draw.some(0.5, over=lambda: draw.either("channels", "everything")),
    }


def _group_norm(draw: Draw, type_: Type) -> Fields:
    return {**_normalisation(draw, type_), "groups": draw.choice(_divisors(type_.channels or 1))}


def _local_contrast_norm(draw: Draw, type_: Type) -> Fields:
    kernel = draw.one_or_each(len(type_.spatial), lambda _: draw.choice([1, 3, 5, 9]))
    return draw.some(
        0.5,
        kernel=lambda: kernel,
        spread=lambda: draw.choice([0.25, 0.5, 1.0]),
        divide=lambda: draw.chance(0.6),
        epsilon=lambda: _epsilon(draw),
    )


def _rms_norm(draw: Draw, type_: Type) -> Fields:
    return draw.some(
        0.4,
        epsilon=lambda: _epsilon(draw),
        scale=lambda: draw.chance(0.5),
        over=lambda: draw.either("channels", "everything"),
    )


def _local_response_norm(draw: Draw, type_: Type) -> Fields:
    return draw.some(
        0.5,
        size=lambda: draw.randint(1, 5),
        alpha=lambda: draw.choice([0.0, 0.25, 0.5]),
        beta=lambda: draw.choice([0.0, 0.5, 0.75, -0.5]),
        bias=lambda: draw.choice([0.5, 1.0, 2.0]),
        average=lambda: draw.chance(0.7),
    )


def _l2_norm(draw: Draw, type_: Type) -> Fields:
    return draw.some(0.4, epsilon=lambda: draw.choice([1e-6, 1e-3, 0.5]), init=lambda: init(draw))


def _scale(draw: Draw, type_: Type) -> Fields:
    return _learnt(draw, type_)


def _upsample(draw: Draw, type_: Type) -> Fields:
    return _resized(draw, type_, lambda size: size + draw.randint(0, 5))


def _resize(draw: Draw, type_: Type) -> Fields:
    return _resized(draw, type_, lambda size: draw.randint(1, size + 3))


def _resized(draw: Draw, type_: Type, resized: Callable[[int], int]) -> Fields:
    rank = len(type_.spatial)
    words = ["nearest", "nearest_exact", "linear", "cubic", "area"]
    words += {2: ["bilinear", "bicubic"], 3: ["trilinear"]}.get(rank, [])
    fields: Fields = {}
    if draw.chance(0.4):
        fields["factor"] = draw.one_or_each(rank, lambda _: draw.randint(1, 3))
    else:
        fields["size"] = draw.one_or_each(rank, lambda axis: resized(type_.sizes[axis]))
    fields |= draw.some(0.7, mode=lambda: draw.choice(words))
    if fields.get("mode", "nearest") not in ("nearest", "nearest_exact", "area"):
        word = draw.choice(["align_corners", "antialias"])
        fields |= draw.some(0.5, **{word: lambda: draw.chance(0.7)})
    return fields


def _pad(draw: Draw, type_: Type) -> Fields:
    fields: Fields = {"amount": _amounts(draw, type_)}
    if draw.chance(0.3):
        fields = {
            "size": draw.one_or_each(len(type_.spatial), lambda axis: type_.sizes[axis] + draw.randint(0, 3))
        }
    fields |= draw.some(0.6, mode=lambda: draw.choice(["constant", "reflect", "replicate"]))
    if draw.chance(0.3):
        fields["channels"] = draw.either(draw.randint(0, 2), [draw.randint(0, 2), draw.randint(0, 3)])
        if draw.chance(0.4):
            del fields["amount" if "amount" in fields else "size"]
    if fields.get("mode", "constant") == "constant":
        fields |= draw.some(0.5, value=lambda: draw.choice([0.5, -1.5, 2]))
    return fields


def _amounts(draw: Draw, type_: Type) -> Any:
    rank = len(type_.spatial)
    if draw.chance(0.5):
        return draw.one_or_each(rank, lambda _: draw.randint(0, 2))
    return [[draw.randint(0, 2), draw.randint(0, 2)] for _ in range(rank)]


def _crop(draw: Draw, type_: Type) -> Fields:
    if draw.chance(0.2):
        return {"channels": [draw.randint(0, 1), draw.randint(0, 1)]}
    if draw.chance(0.5):
        return {"amount": _amounts(draw, type_)}
    size = [draw.randint(1, each) for each in type_.sizes]
    fields: Fields = {"size": min(size) if draw.chance(0.3) else size}
    if draw.chance(0.4):
        fields["offset"] = [
            draw.randint(0, each - part) for each, part in zip(type_.sizes, size, strict=True)
        ]
    return fields


def _adaptive(draw: Draw, type_: Type) -> Fields:
    return {"size": draw.one_or_each(len(type_.spatial), lambda axis: draw.randint(1, type_.sizes[axis]))}


def _reshape(draw: Draw, type_: Type) -> Fields:
    shape, left = [], type_.elements
    for _ in range(draw.randint(0, 3)):
        shape.append(draw.choice(_divisors(left)))
        left //= shape[-1]
    shape = draw.shuffled([*shape, left])
    if draw.chance(0.3):
        shape[draw.randrange(len(shape))] = -1
    return {"shape": shape[0] if len(shape) == 1 and draw.chance(0.3) else shape}


def _permute(draw: Draw, type_: Type) -> Fields:
    return {"axes": draw.shuffled(["channels", *type_.axes])}


def _space_to_depth(draw: Draw, type_: Type) -> Fields:
    blocks = [each for each in (1, 2, 3) if not any(size % each for size in type_.sizes)]
    orders = ["crd", "dcr", "darknet"][: 2 + (len(type_.spatial) == 2)]
    return draw.some(0.8, block=lambda: draw.choice(blocks), order=lambda: draw.choice(orders))


def _depth_to_space(draw: Draw, type_: Type) -> Fields:
    count = len(type_.spatial)
    blocks = [each for each in (1, 2, 3) if not (type_.channels or 1) % each**count]
    return draw.some(0.8, block=lambda: draw.choice(blocks), order=lambda: draw.choice(["crd", "dcr"]))


def _divisors(number: int) -> list[int]:
    return [each for each in range(1, number + 1) if number % each == 0]


def _constant(field: str, *values: object) -> Recipe:
    return lambda draw, type_: {field: draw.choice(values)}


def _at_times(field: str, *values: object) -> Recipe:
    return lambda draw, type_: draw.some(0.6, **{field: lambda: draw.choice(values)})


def _concat(draw: Draw, type_: Type) -> Fields:
    names = ["channels", *type_.axes, *(["time"] if len(type_.spatial) == 3 else [])]
    return draw.some(0.5, axis=lambda: draw.choice(names))


def _axis(draw: Draw, type_: Type) -> Fields:
    names = [*type_.axes, *(["time"] if len(type_.spatial) == 3 else [])]
    if len(type_.spatial) == 1 and draw.chance(0.5):
        return {}
    return {"axis": draw.choice(["channels", *names] if draw.chance(0.5) else names or ["channels"])}


def _size(type_: Type, fields: Fields) -> int:
    """The size of the axis that the fields name."""
    names = ("channels", *type_.axes)
    name = fields.get("axis", "time")
    return type_.shape[names.index("depth" if name == "time" and len(type_.spatial) == 3 else name)]


def _along(draw: Draw, type_: Type, own: Callable[[int], Fields]) -> Fields:
    fields = _axis(draw, type_)
    return {**fields, **own(_size(type_, fields))}


def _slice(draw: Draw, type_: Type) -> Fields:
    def part(size: int) -> Fields:
        start = draw.randint(0, size - 1)
        stop = draw.randint(start + 1, size)
        return draw.some(
            0.6,
            start=lambda: draw.either(start, start - size),
            stop=lambda: stop if stop == size or draw.chance(0.5) else stop - size,
            step=lambda: draw.randint(1, 3),
        )

    fields = _along(draw, type_, part)
    return fields if "axis" in fields or not type_.spatial else {"axis": "time", **fields}


def _split(draw: Draw, type_: Type) -> Fields:
    def parts(size: int) -> Fields:
        names = ["a", "b", "c"][: min(draw.randint(2, 3), max(size, 2))]
        if size % len(names) == 0 and draw.chance(0.5):
            return {"parts": names}
        if size < len(names):
            return {"parts": names}  # it does not fit
        sizes = [1] * (len(names) - 1)
        return {"parts": dict(zip(names, [*sizes, size - len(sizes)], strict=True))}

    fields = _axis(draw, type_)
    fields.setdefault("axis", "channels")
    return {**fields, **parts(_size(type_, fields))}


def _take(draw: Draw, type_: Type) -> Fields:
    return _along(draw, type_, lambda size: {"position": draw.randint(-size, size - 1)})


def _roll(draw: Draw, type_: Type) -> Fields:
    return _along(draw, type_, lambda size: {"shift": draw.randint(-size, 2 * size)})


def _gather(draw: Draw, type_: Type) -> Fields:
    return _along(
        draw,
        type_,
        lambda size: {"positions": [draw.randint(-size, size - 1) for _ in range(draw.randint(1, 5))]},
    )


def _repeat_vector(draw: Draw, type_: Type) -> Fields:
    return {"size": [draw.randint(1, 5) for _ in range(draw.randint(1, 3))]}


def _embedding(draw: Draw, type_: Type) -> Fields:
    return {
        "units": _filters(draw),
        **draw.some(0.4, init=lambda: init(draw, kernel=False), padding_index=lambda: draw.randint(0, 2)),
    }


def _of_cases(keyword: str) -> Recipe:
    """A row that has a field which is drawn first, so that every field is; initialisers need no row."""
    rows = [case.fields for case in CASES if case.keyword == keyword]
    names = sorted({name for row in rows for name in row})
    starts = [name for name in OPS[keyword].model_fields if name.endswith("init")]

    def recipe(draw: Draw, type_: Type) -> Fields:
        name = draw.choice(names) if names else ""
        fields = dict(draw.choice([row for row in rows if name in row])) if names else {}
        return {**fields, **draw.some(0.2, **{each: lambda: init(draw) for each in starts})}

    return recipe


def _parameter(draw: Draw, type_: Type) -> Fields:
    shape = list(type_.shape) if draw.chance(0.5) else [draw.randint(1, 4) for _ in range(draw.randint(1, 3))]
    if draw.chance(0.2):
        return {"shape": shape, "init": {"values": _values(draw, shape)}}
    return {"shape": shape, **draw.some(0.5, init=lambda: init(draw, kernel=False))}


def _values(draw: Draw, shape: list[int]) -> Any:
    """Lists in each other of this shape."""
    if not shape:
        return draw.choice([0.25, -1, 2, 0])
    return [_values(draw, shape[1:]) for _ in range(shape[0])]


def _numbers(draw: Draw, type_: Type) -> Fields:
    if draw.chance(0.4):
        return {"values": draw.choice([0.5, -2, 3]), "shape": list(type_.shape)}
    if draw.chance(0.3):
        sizes = [draw.randint(1, 5), draw.randint(1, 6)]
        return {
            "values": "sinusoid",
            "shape": sizes,
            **draw.some(0.4, base=lambda: draw.choice([50.0, 1000])),
        }
    rows = [draw.choice([0.25, -1, 2]) for _ in range(draw.randint(1, 4))]
    return {"values": rows if draw.chance(0.5) else [rows, [1] * len(rows)]}


def _positions(draw: Draw, type_: Type) -> Fields:
    if len(type_.spatial) == 1 and draw.chance(0.5):
        return draw.some(0.5, kind=lambda: "sinusoid", base=lambda: draw.choice([50.0, 1000]))
    return {"kind": "learned", **draw.some(0.5, init=lambda: init(draw))}


def _rotary(draw: Draw, type_: Type) -> Fields:
    return {"heads": draw.choice(_divisors(type_.channels or 1)), **attending.turned(draw)}


def _tile(draw: Draw, type_: Type) -> Fields:
    return {**_axis(draw, type_), "times": draw.randint(1, 3)}


def _channel_shuffle(draw: Draw, type_: Type) -> Fields:
    return {"groups": draw.choice(_divisors(type_.channels or 1))}


def _reduce(draw: Draw, type_: Type) -> Fields:
    names = ["channels", *type_.axes]
    axes = draw.shuffled(draw.part(names, len(names))) or ["channels"]
    fields: Fields = {"by": draw.choice(["sum", "mean", "max", "min", "std", "norm"])}
    if not type_.spatial or draw.chance(0.7):
        fields["axes"] = axes[0] if len(axes) == 1 and draw.chance(0.5) else axes
    return {**fields, **draw.some(0.3, keep=lambda: True)}


def _clip(draw: Draw, type_: Type) -> Fields:
    bounds = {"min": draw.choice([-0.75, 0.125]), "max": draw.choice([0.5, 2.25])}
    return {name: bounds[name] for name in draw.either(("min",), ("max",), ("min", "max"))}


def _gated(draw: Draw, type_: Type) -> Fields:
    words = ("tanh", "sigmoid", "relu", "silu", "gelu", "none")
    return draw.some(0.6, activation=lambda: draw.choice(words), gate=lambda: draw.choice(words))


RECIPES: dict[str, Recipe] = {
    "parameter": _parameter,
    "constant": _numbers,
    "positions": _positions,
    "rotary": _rotary,
    "gated": _gated,
    "embedding": _embedding,
    "slice": _slice,
    "split": _split,
    "take": _take,
    "reverse": _axis,
    "roll": _roll,
    "gather": _gather,
    "repeat_vector": _repeat_vector,
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "depthwise_conv": _depthwise,
    "separable_conv": _separable,
    "max_pool": _max_pool,
    "max_unpool": _nothing,
    "avg_pool": _avg_pool,
    "adaptive_avg_pool": _adaptive,
    "adaptive_max_pool": _adaptive,
    "global_avg_pool": _at_times("keep", True, False),
    "global_max_pool": _at_times("keep", True, False),
    "channel_pool": _channel_pool,
    "dense": _dense,
    "rbf": _rbf,
    "relu": _nothing,
    "leaky_relu": _at_times("slope", 0.25, 0.5, 0.0),
    "relu6": _nothing,
    "elu": _at_times("alpha", 0.5, 1.0, 0.0),
    "selu": _nothing,
    "prelu": _with_init,
    "gelu": _at_times("approximate", "none", "tanh"),
    "silu": _nothing,
    "swish": _nothing,
    "hard_swish": _nothing,
    "sigmoid": _nothing,
    "hard_sigmoid": _nothing,
    "tanh": _nothing,
    "softplus": _at_times("beta", 0.5, 2.0),
    "activation": lambda draw, type_: {"function": _any_activation(draw, type_)},
    "softmax": _at_times("temperature", 0.5, 2.0, 4),
    "log_softmax": _at_times("temperature", 0.5, 2.0, 4),
    "exp": _nothing,
    "log": _nothing,
    "sqrt": _nothing,
    "square": _nothing,
    "abs": _nothing,
    "power": _constant("exponent", 2.5, 3, -0.5),
    "clip": _clip,
    "step": _constant("threshold", 0.375, -0.25),
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "instance_norm": _normalisation,
    "rms_norm": _rms_norm,
    "local_contrast_norm": _local_contrast_norm,
    "local_response_norm": _local_response_norm,
    "l2_norm": _l2_norm,
    "scale": _scale,
    "scale_by": _constant("factor", 0.125, -0.5, 2, 0),
    "dropout": _constant("rate", 0.0, 0.5, 0.25),
    "spatial_dropout": _constant("rate", 0.0, 0.5),
    "drop_path": _constant("rate", 0.0, 0.5),
    "gaussian_noise": _constant("std", 0.0, 0.5),
    "mask_input": _constant("rate", 0.0, 0.5),
    "add": _nothing,
    "subtract": _nothing,
    "multiply": _nothing,
    "divide": _nothing,
    "maximum": _nothing,
    "minimum": _nothing,
    "average": _nothing,
    "concat": _concat,
    "upsample": _upsample,
    "resize": _resize,
    "pad": _pad,
    "crop": _crop,
    "flatten": _nothing,
    "reshape": _reshape,
    "permute": _permute,
    "space_to_depth": _space_to_depth,
    "depth_to_space": _depth_to_space,
    "identity": _nothing,
    "attention": attending.attention,
    "tile": _tile,
    "channel_shuffle": _channel_shuffle,
    "reduce": _reduce,
    "rnn": swept.rnn,
    "gru": swept.gru,
    "lstm": swept.lstm,
    "conv_gru": swept.conv_gru,
    "conv_lstm": swept.conv_lstm,
}
"""Recipes for words of `netspec.ops.OPS`. An op without one has the fields of its rows in the table of cases."""
RECIPES |= {keyword: _of_cases(keyword) for keyword in OPS if keyword not in RECIPES}

SINGLE = tuple(
    keyword for keyword in RECIPES if not OPS[keyword].merges and bounds(OPS[keyword].inputs)[0] == 1
)
MERGES = tuple(keyword for keyword in RECIPES if OPS[keyword].merges)
"""The ops of one input, and those that join several."""


BEFORE: dict[str, str] = {
    "exp": "tanh",
    "square": "tanh",
    "log": "softplus",
    "sqrt": "softplus",
    "power": "softplus",
    "divide": "softplus",
}
"""For an op that is not defined for every number, or makes numbers huge, the op before its last input."""


def takes(keyword: str, type_: Type) -> bool:
    """Whether the recipe of an op can be asked: most that slide a window want a map."""
    return bool(type_.spatial) or keyword not in WANT_MAPS


WANT_MAPS = frozenset(
    (
        *("conv", "conv_transpose", "depthwise_conv", "separable_conv", "max_pool", "avg_pool"),
        *(
            "adaptive_avg_pool",
            "adaptive_max_pool",
            "global_avg_pool",
            "global_max_pool",
            "upsample",
            "resize",
            "pad",
            "crop",
            "space_to_depth",
            "depth_to_space",
        ),
        *("rnn", "gru", "lstm", "conv_gru", "conv_lstm", "attention", "local_contrast_norm", "rotary"),
    )
)
"""Ops that refuse a vector."""
