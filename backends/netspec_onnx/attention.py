"""Attention in ONNX: products, a softmax, and masks. Its own operator has no float64 in onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod

from netspec.ops.attention import KEYS, QUERIES, SCORE_BIAS, VALUES, Attention
from netspec.ops.roles import LENGTHS, assigned
from netspec_onnx.rotary import turned
from netspec_onnx.site import Site

BOOL, INT64 = 9, 7
"""`TensorProto.BOOL` and `TensorProto.INT64`."""


def attention(op: Attention, site: Site) -> str:
    """Positions stand last, as the channels come first: (N, heads, channels of a head, positions)."""
    given = {
        role.name: value
        for (role, _), value in zip(assigned(op.inputs, site.types), site.values, strict=True)
    }
    types = op.given(site.types)
    q, k, v = _projected(op, site, given)
    heads, kv_heads = op.heads, op.kv_heads or op.heads
    queries, keys = op.pairs(site.types)
    if op.blocks is not None:
        q, k, v = (
            _in_blocks(op, site, x, count) for x, count in zip((q, k, v), _channels(op, site), strict=True)
        )
    size, of_values = op.head_size or 0, _channels(op, site)[2] // kv_heads
    if op.rotary is not None:
        how = op.rotary.turning(size)
        q, k = turned(site, q, heads, queries, how), turned(site, k, kv_heads, keys, how)
    q = site.reshape(q, (heads, size, queries))
    k, v = (_shared(op, site, x, each, keys) for x, each in ((k, size), (v, of_values)))
    scores = site.emit("MatMul", site.transpose(q, (0, 2, 1)), k)
    scores = site.emit("Mul", scores, site.number(size**-0.5 if op.scale is None else op.scale))
    weights = _weights(op, site, scores, given, (queries, keys))
    y = site.emit("MatMul", v, site.transpose(weights, (0, 2, 1)))
    channels = heads * of_values
    if op.blocks is not None:
        y = _out_of_blocks(op, site, y, channels)
    y = site.reshape(y, (channels, -1))
    if isinstance(op.output, int):
        y, channels = _affine(site, "output", y), op.output
    return site.reshape(y, (channels, *types[QUERIES.name].sizes))


def _channels(op: Attention, site: Site) -> tuple[int, int, int]:
    """The channels of queries, keys and values."""
    if op.project:
        return op.inner, op.kv_inner, op.kv_inner
    given = op.given(site.types)
    queries, keys, values = (given[role.name].channels or 0 for role in (QUERIES, KEYS, VALUES))
    return queries, keys, values


def _projected(op: Attention, site: Site, given: Mapping[str, str]) -> tuple[str, str, str]:
    """Queries, keys and values, each (N, channels, positions)."""
    q, types = given[QUERIES.name], op.given(site.types)
    k = given.get(KEYS.name, q)
    v = given.get(VALUES.name, k)
    # One value can have several roles.
    channels = {x: types[role.name].channels or 0 for x, role in ((v, VALUES), (k, KEYS), (q, QUERIES))}
    flat = {x: site.reshape(x, (count, -1)) for x, count in channels.items()}
    q, k, v = flat[q], flat[k], flat[v]
    if not op.project:
        return q, k, v
    if "qkv.weight" in site.weights:
        parts = _parts(site, _affine(site, "qkv", q), (op.inner, op.kv_inner, op.kv_inner))
        return parts[0], parts[1], parts[2]
    q = _affine(site, "query", q)
    if "key_value.weight" in site.weights:
        k, v = _parts(site, _affine(site, "key_value", k), (op.kv_inner, op.kv_inner))
        return q, k, v
    return q, _affine(site, "key", k), _affine(site, "value", v)


def _parts(site: Site, x: str, sizes: Sequence[int]) -> tuple[str, ...]:
    """The parts of the channels."""
    others = tuple(f"{x}/part{number}" for number in range(1, len(sizes)))
    return site.emit_several("Split", others, x, site.integers(sizes), axis=1), *others


def _affine(site: Site, name: str, x: str) -> str:
    y = site.emit("MatMul", site.weights[f"{name}.weight"], x)
    bias = site.weights.get(f"{name}.bias")
    return y if bias is None else site.emit("Add", y, site.broadcast(bias, 1))


def _shared(op: Attention, site: Site, x: str, size: int, positions: int) -> str:
    """Keys or values by heads, each for as many heads of queries as share it."""
    kv_heads = op.kv_heads or op.heads
    x = site.reshape(x, (kv_heads, size, positions))
    if kv_heads == op.heads:
        return x
    apart = site.emit("Unsqueeze", x, site.integers((2,)))
    spread = site.emit("Expand", apart, site.integers((1, 1, op.heads // kv_heads, 1, 1)))
    return site.reshape(spread, (op.heads, size, positions))


def _weights(op: Attention, site: Site, scores: str, given: Mapping[str, str], pairs: tuple[int, int]) -> str:
    """The weights of the keys for each query: the softmax of the scores of those that it sees."""
    if op.blocks is not None:
        return _weights_in_blocks(op, site, scores, given, pairs[0])
    if SCORE_BIAS.name in given:
        scores = site.emit("Add", scores, given[SCORE_BIAS.name])
    seen = _seen(op, site, given, pairs)
    if not seen:
        return site.emit("Softmax", scores, axis=-1)
    if LENGTHS.name not in given:
        return site.emit("Softmax", site.emit("Where", seen, scores, site.number(float("-inf"))), axis=-1)
    # A query that sees no key takes nothing.
    count = site.emit("ReduceMax", site.emit("Cast", seen, to=INT64), site.integers((-1,)), keepdims=1)
    sees, zero = site.emit("Cast", count, to=BOOL), site.number(0.0)
    masked = site.emit("Where", seen, scores, site.number(float("-inf")))
    weights = site.emit("Softmax", site.emit("Where", sees, masked, zero), axis=-1)
    return site.emit("Where", sees, weights, zero)


def _seen(op: Attention, site: Site, given: Mapping[str, str], pairs: tuple[int, int]) -> str:
    """Which keys each query sees, as booleans for (N, heads, queries, keys); "" if it sees all."""
    by_place = op.causal or op.window is not None
    if not by_place and LENGTHS.name not in given:
        return ""
    seen = []
    zero, one = site.integer(0), site.integer(1)
    keys = site.emit("Range", zero, site.integer(pairs[1]), one)
    if by_place:
        places = site.emit("Range", zero, site.integer(pairs[0]), one)
        queries = site.emit("Unsqueeze", places, site.integers((1,)))
    if op.causal:
        seen.append(site.emit("LessOrEqual", keys, queries))
    if op.window is not None:
        apart = site.emit("Abs", site.emit("Sub", queries, keys))
        seen.append(site.emit("Less", apart, site.integer(op.window)))
    if LENGTHS.name in given:
        lengths = site.emit("Unsqueeze", given[LENGTHS.name], site.integers((1, 2, 3)))
        seen.append(site.emit("Less", keys, lengths))
    while len(seen) > 1:
        seen = [site.emit("And", seen[0], seen[1]), *seen[2:]]
    return seen[0]


# Blocks


def _in_blocks(op: Attention, site: Site, x: str, channels: int) -> str:
    """(N, channels, positions) as (N · blocks, channels, positions of a block)."""
    sizes, blocks = site.sizes, op.blocks or ()
    x = _rolled(site, site.reshape(x, (channels, *sizes)), [-by for by in op.shift])
    parts = [part for size, block in zip(sizes, blocks, strict=True) for part in (size // block, block)]
    rank = len(sizes)
    x = site.transpose(
        site.reshape(x, (channels, *parts)), (*range(1, 2 * rank, 2), 0, *range(2, 2 * rank + 1, 2))
    )
    return site.emit("Reshape", x, site.integers((-1, channels, prod(blocks))))


def _out_of_blocks(op: Attention, site: Site, y: str, channels: int) -> str:
    """The inverse: (N · blocks, …) as (N, channels, *sizes)."""
    sizes, blocks = site.sizes, op.blocks or ()
    counts = [size // block for size, block in zip(sizes, blocks, strict=True)]
    rank = len(sizes)
    y = site.emit("Reshape", y, site.integers((-1, *counts, channels, *blocks)))
    order = [axis for at in range(rank) for axis in (at, rank + 1 + at)]
    y = site.emit("Reshape", site.transpose(y, (rank, *order)), site.integers((-1, channels, *sizes)))
    return _rolled(site, y, op.shift)


def _rolled(site: Site, x: str, shifts: Sequence[int]) -> str:
    """A map moved on along each axis."""
    for axis, (size, by) in enumerate(zip(site.sizes, shifts, strict=True), start=2):
        if by % size:
            at, first, last = site.integers((axis,)), site.integers((0,)), site.integers((size,))
            cut = site.integers((size - by % size,))
            end, begin = site.emit("Slice", x, cut, last, at), site.emit("Slice", x, first, cut, at)
            x = site.emit("Concat", end, begin, axis=axis)
    return x


def _weights_in_blocks(op: Attention, site: Site, scores: str, given: Mapping[str, str], count: int) -> str:
    blocks, sizes = op.blocks or (), site.sizes
    number = prod(sizes) // count
    scores = site.emit("Reshape", scores, site.integers((-1, number, op.heads, count, count)))
    if SCORE_BIAS.name in given:
        apart = site.emit("Unsqueeze", given[SCORE_BIAS.name], site.integers((1,)))
        scores = site.emit("Add", scores, apart)
    if any(op.shift):
        # Positions of one block that come from both ends of the map have other numbers.
        whole = product(*(range(size // block) for size, block in zip(sizes, blocks, strict=True)))
        numbers = site.integers([_side(op, sizes, at, place) for at in whole for place in _places(blocks)])
        rows, columns = (
            site.emit("Reshape", numbers, site.integers(shape))
            for shape in ((number, 1, count, 1), (number, 1, 1, count))
        )
        scores = site.emit("Where", site.emit("Equal", rows, columns), scores, site.number(float("-inf")))
    weights = site.emit("Softmax", scores, axis=-1)
    return site.emit("Reshape", weights, site.integers((-1, op.heads, count, count)))


def _places(blocks: Sequence[int]) -> list[tuple[int, ...]]:
    return list(product(*map(range, blocks)))


def _side(op: Attention, sizes: Sequence[int], at: tuple[int, ...], place: tuple[int, ...]) -> int:
    """For each axis one bit: whether the shift brought the position from the start of the map to its end."""
    bits = 0
    for size, block, by, number, step in zip(sizes, op.blocks or (), op.shift, at, place, strict=True):
        bits = 2 * bits + (number * block + step >= size - by)
    return bits
