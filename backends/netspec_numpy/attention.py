"""Attention, computed for each sample, head and query from the definition in `netspec.ops.attention`."""

from __future__ import annotations

from itertools import product

import numpy as np

from netspec.ops.attention import KEYS, QUERIES, SCORE_BIAS, VALUES, Attention
from netspec.ops.roles import LENGTHS, assigned
from netspec.ops.rotary import TurnedHead
from netspec.types import Type
from netspec_numpy.calculation import Calculation, Values
from netspec_numpy.norms import check_still
from netspec_numpy.rotary import turned


def attention(op: Attention, this: Calculation) -> Values:
    """For each query, the mean of the values of the keys that it sees, weighted by the softmax of their scores."""
    check_still(op, this)
    given = _by_role(op, this)
    sizes = this.x.shape[2:]
    q, k, v = (_rows(each) for each in (given[QUERIES.name], given[KEYS.name], given[VALUES.name]))
    if op.project:
        q, k, v = _projected(op, this, q, k, v)
    heads, kv_heads = op.heads, op.kv_heads or op.heads
    if op.rotary is not None:
        how = op.rotary.turning(q.shape[-1] // heads)
        q, k = (_turned(x, count, how) for x, count in ((q, heads), (k, kv_heads)))
    q, k, v = (_heads(x, count) for x, count in ((q, heads), (k, kv_heads), (v, kv_heads)))
    scale = q.shape[-1] ** -0.5 if op.scale is None else op.scale
    lengths = given.get(LENGTHS.name)
    added = given.get(SCORE_BIAS.name)
    y = np.zeros((*q.shape[:3], v.shape[-1]))
    for sample, head, query in product(*map(range, q.shape[:3])):
        count = k.shape[2] if lengths is None else int(lengths[sample])
        keys = [key for key in range(min(count, k.shape[2])) if _sees(op, sizes, query, key)]
        if not keys:
            continue
        shared = head // (heads // kv_heads)
        scores = k[sample, shared, keys] @ q[sample, head, query] * scale
        if added is not None:
            places = [(_place(op, sizes, query), _place(op, sizes, key)) for key in keys]
            table = added[sample, head if added.shape[1] > 1 else 0]
            scores = scores + np.array([table[place] for place in places])
        weights = np.exp(scores - scores.max())
        y[sample, head, query] = weights / weights.sum() @ v[sample, shared, keys]
    joined = np.moveaxis(y, 1, 2).reshape(len(y), y.shape[2], -1)
    if op.output != "none":
        joined = _affine(this, "output", joined)
    return np.moveaxis(joined, -1, 1).reshape(len(y), -1, *sizes)


def _by_role(op: Attention, this: Calculation) -> dict[str, Values]:
    """The inputs by their roles."""
    types = [
        Type(None, x.shape[1:]) if x.dtype.kind == "i" else Type(x.shape[1], x.shape[2:]) for x in this.inputs
    ]
    found = {role.name: x for (role, _), x in zip(assigned(op.inputs, types), this.inputs, strict=True)}
    found.setdefault(KEYS.name, found[QUERIES.name])
    found.setdefault(VALUES.name, found[KEYS.name])
    return found


def _rows(x: Values) -> Values:
    """(N, channels, *spatial) as (N, positions, channels), row by row."""
    return np.moveaxis(x.reshape(*x.shape[:2], -1), 1, -1)


def _heads(x: Values, count: int) -> Values:
    """(N, positions, channels) as (N, heads, positions, channels of a head)."""
    return np.moveaxis(x.reshape(*x.shape[:2], count, -1), 2, 1)


def _turned(x: Values, heads: int, how: TurnedHead) -> Values:
    """(N, positions, channels), the pairs of channels of its heads turned."""
    return np.moveaxis(turned(np.moveaxis(x, -1, 1), heads, how), 1, -1)


def _affine(this: Calculation, name: str, x: Values) -> Values:
    y = x @ this.weights[f"{name}.weight"].T
    return y + this.weights[f"{name}.bias"] if f"{name}.bias" in this.weights else y


def _projected(
    op: Attention, this: Calculation, q: Values, k: Values, v: Values
) -> tuple[Values, Values, Values]:
    """The projections; packed ones stand one after the other."""
    if "qkv.weight" in this.weights:
        whole = _affine(this, "qkv", q)
        ends = (op.inner, op.inner + op.kv_inner)
        return whole[..., : ends[0]], whole[..., ends[0] : ends[1]], whole[..., ends[1] :]
    q = _affine(this, "query", q)
    if "key_value.weight" in this.weights:
        both = _affine(this, "key_value", k)
        return q, both[..., : op.kv_inner], both[..., op.kv_inner :]
    return q, _affine(this, "key", k), _affine(this, "value", v)


def _sees(op: Attention, sizes: tuple[int, ...], query: int, key: int) -> bool:
    """Whether a query takes part of the value of a key."""
    if op.blocks is not None:
        return _block(op, sizes, query) == _block(op, sizes, key)
    if op.causal and key > query:
        return False
    return op.window is None or abs(query - key) < op.window


def _block(op: Attention, sizes: tuple[int, ...], position: int) -> tuple[int, ...]:
    """The number of the block along each axis."""
    at = np.unravel_index(position, sizes)
    return tuple(int(p - by) // size for p, by, size in zip(at, op.shift, op.blocks or (), strict=True))


def _place(op: Attention, sizes: tuple[int, ...], position: int) -> int:
    """The number of a position among those that its scores are of: of the whole input, or of its block."""
    if op.blocks is None:
        return position
    at = np.unravel_index(position, sizes)
    within = [int(p - by) % size for p, by, size in zip(at, op.shift, op.blocks, strict=True)]
    return int(np.ravel_multi_index(within, op.blocks))
