"""Vectors of indices, and what keeps, drops or repeats positions of an axis, in ONNX."""

from __future__ import annotations

from netspec.ops.arrange import Tile
from netspec.ops.axes import Along
from netspec.ops.gather import Gather
from netspec.ops.indices import Embedding, OneHot
from netspec.ops.slices import RepeatVector, Reverse, Roll, Slice, Take
from netspec.ops.split import Split
from netspec_onnx.site import Site

BEFORE_ALL = -(2**31)
"""An end of a slice that runs backwards: before the first position."""


def _channels_second(site: Site, x: str) -> str:
    """A tensor whose channels stand last."""
    rank = site.rank
    return site.emit("Transpose", x, perm=(0, rank + 1, *range(1, rank + 1))) if rank else x


def embedding(op: Embedding, site: Site) -> str:
    """The rows of the matrix."""
    return _channels_second(site, site.emit("Gather", site.weights["weight"], site.x, axis=0))


def one_hot(op: OneHot, site: Site) -> str:
    """ONNX's own; its formula in float64, in which onnxruntime does not compute it."""
    channels = site.node.output.channels or 0
    if not site.double:
        return site.emit("OneHot", site.x, site.integers((channels,)), site.numbers((0.0, 1.0)), axis=1)
    own = site.integers(range(channels))
    if site.rank:
        own = site.emit("Unsqueeze", own, site.integers(range(1, 1 + site.rank)))
    same = site.emit("Equal", site.emit("Unsqueeze", site.x, site.integers((1,))), own)
    return site.emit("Where", same, site.number(1.0), site.number(0.0))


def _axis(op: Along, site: Site) -> int:
    return 1 + op.dimension(site.types)


def _part(op: Along, site: Site, start: int, stop: int, step: int = 1) -> str:
    numbers = (site.integers((each,)) for each in (start, stop, _axis(op, site), step))
    return site.emit("Slice", site.x, *numbers)


def slice_(op: Slice, site: Site) -> str:
    """ONNX's own."""
    return _part(op, site, *op.bounds(site.types))


def split(op: Split, site: Site) -> str:
    """ONNX's own gives all parts; where only the first is used, a slice."""
    if not site.further:
        return _part(op, site, *op.bounds())
    used = dict(zip(site.node.ports, site.further, strict=True))
    unused = {name: f"{site.node.name}/{name}" for name, _ in op.parts}
    others = tuple(used.get(name, unused[name]) for name, _ in op.parts[1:])
    return site.emit_several("Split", others, site.x, site.integers(op.sizes), axis=_axis(op, site))


def take(op: Take, site: Site) -> str:
    """One position: a Gather by a number, which has no axis. With lengths, the sum of what no mask takes away."""
    if len(site.values) > 1:
        # Steps are counted from 1: the last one that counts has the length for its number.
        numbers = site.integers(range(1, site.sizes[0] + 1))
        is_last = site.emit("Equal", site.emit("Unsqueeze", site.values[1], site.integers((1,))), numbers)
        mask = site.emit("Unsqueeze", is_last, site.integers((1,)))
        kept = site.emit("Where", mask, site.x, site.number(0.0))
        return site.emit("ReduceSum", kept, site.integers((2,)), keepdims=0)
    return site.emit("Gather", site.x, site.integer(op.position), axis=_axis(op, site))


def gather(op: Gather, site: Site) -> str:
    """ONNX's own; with an input of indices, one that has the axis first."""
    if op.positions is None:
        axis, rank = _axis(op, site), len(site.types[0].shape) + 1
        order = (0, axis, *(each for each in range(1, rank) if each != axis))
        is_list = bool(site.types[1].spatial)
        places = site.emit("Unsqueeze", site.values[1], site.integers((-1,)))
        x = site.emit("Transpose", site.x, perm=order) if axis > 1 else site.x
        found = site.emit("GatherND", x, places, batch_dims=1)
        back = tuple(order.index(each) for each in range(rank))
        return site.emit("Transpose", found, perm=back) if is_list and axis > 1 else found
    return site.emit("Gather", site.x, site.integers(op.positions), axis=_axis(op, site))


def reverse(op: Reverse, site: Site) -> str:
    """A slice that runs backwards."""
    return _part(op, site, -1, BEFORE_ALL, -1)


def roll(op: Roll, site: Site) -> str:
    """The end, then the start."""
    size, steps = op.size(site.types), op.steps(site.types)
    if not steps:
        return site.x
    end, begin = _part(op, site, size - steps, size), _part(op, site, 0, size - steps)
    return site.emit("Concat", end, begin, axis=_axis(op, site))


def tile(op: Tile, site: Site) -> str:
    """The input beside itself along the axis."""
    return site.emit("Concat", *[site.x] * op.times, axis=_axis(op, site))


def repeat_vector(op: RepeatVector, site: Site) -> str:
    """New axes of these sizes; the batch and the channels stay."""
    sizes = op.size or ()
    spread = site.emit("Unsqueeze", site.x, site.integers(range(2, 2 + len(sizes))))
    return site.emit("Expand", spread, site.integers((1, 1, *sizes)))
