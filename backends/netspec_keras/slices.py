"""Embeddings, and ops that select, reorder or repeat positions of an axis, in Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.dataclass import replace
from netspec.ops.indices import Embedding
from netspec_keras.arguments import Arguments, Types, count, first, option
from netspec_keras.functions import behind
from netspec_keras.layer import Holder, LayerText, Lowered

if TYPE_CHECKING:
    from netspec.ops.arrange import Tile
    from netspec.ops.axes import Along
    from netspec.ops.dense import Dense
    from netspec.ops.gather import Gather
    from netspec.ops.indices import OneHot
    from netspec.ops.slices import RepeatVector, Reverse, Roll, Slice, Take
    from netspec.ops.split import Split


def embedding(op: Embedding, types: Types) -> Lowered:
    """`layers.Embedding`; a helper if there is a `padding_index`."""
    return _vectors("layers.Embedding", types[0].vocabulary or 0, op.units, op.padding_index)


def reversible(op: Embedding | Dense, types: Types, padding_index: int | None, axes: str) -> Lowered:
    """An embedding, or a dense layer that uses its vectors: one layer, which the dense one calls in reverse.

    `axes` are the letters of the weight, which is that of either.
    """
    cls = "layers.ReversibleEmbedding"
    if isinstance(op, Embedding):
        return _vectors(cls, types[0].vocabulary or 0, op.units, padding_index, axes)
    found = _vectors(cls, op.units, types[0].channels or 0, padding_index, axes)
    (layer,) = found.layers
    return replace(found, layers=(replace(layer, given=(option("reverse", True),)), *behind(op.activation)))


def _vectors(cls: str, vocabulary: int, units: int, padding_index: int | None, axes: str = "IO") -> Lowered:
    sizes: Arguments = (first(vocabulary, "vocabulary"), count(units, "units"))
    if padding_index is not None:
        cls, sizes = "PaddedEmbedding", (*sizes, option("padding_index", padding_index))
    return Lowered((LayerText(cls, sizes),), {"weight": Holder("embeddings", axes, axes)})


def one_hot(op: OneHot, types: Types) -> Lowered:
    """A helper: Keras' own decides by the size of the last axis whether it is a new one."""
    return Lowered((LayerText("OneHot", (first(types[0].vocabulary or 0, "vocabulary"),)),))


def _axis(op: Along, types: Types) -> int:
    """The axis of the tensor: the batch is the first, the channels are the last."""
    if op.axis == "channels":
        return -1
    return 1 + types[0].axes.index(str(op.axis))


def _slice(axis: int, start: int, stop: int | None, step: int = 1, suffix: str = "") -> LayerText:
    """The helper that slices one axis, up to its end if there is no `stop`."""
    arguments: Arguments = (
        first(axis, "axis"),
        option("start", start, 0),
        *((option("stop", stop),) if stop is not None else ()),
        option("step", step, 1),
    )
    return LayerText("Slice", arguments, suffix)


def slice_(op: Slice, types: Types) -> Lowered:
    """A helper, because Keras has no layer that slices."""
    return Lowered((_slice(_axis(op, types), *op.open_bounds),))


def split(op: Split, types: Types) -> Lowered:
    """A helper for each part that is used: `EqualPart`, or `Slice`."""
    axis, size = _axis(op, types), op.size(types)
    names, is_equal = [name for name, _ in op.parts], len(set(op.sizes)) == 1

    def part(name: str | None = None) -> LayerText:
        if is_equal:
            number = names.index(name) if name else 0
            arguments = (first(axis, "axis"), first(len(names), "parts"), first(number, "number"))
            return LayerText("EqualPart", arguments, suffix=name or "")
        start, stop = op.bounds(name)
        return _slice(axis, start, stop if stop < size else None, suffix=name or "")

    return Lowered((part(),), ports={name: part(name) for name, _ in op.parts[1:]})


def take(op: Take, types: Types) -> Lowered:
    """The helper `Take`; with lengths, `LastStep`."""
    if len(types) > 1:
        return Lowered((LayerText("LastStep"),))
    return Lowered((LayerText("Take", (first(_axis(op, types), "axis"), first(op.position, "position"))),))


def gather(op: Gather, types: Types) -> Lowered:
    """The helper `Take` with a list of positions; `TakeAlong` for an input of indices."""
    if op.positions is None:
        return Lowered((LayerText("TakeAlong", (first(_axis(op, types), "axis"),)),))
    return Lowered((LayerText("Take", (first(_axis(op, types), "axis"), first(op.positions, "positions"))),))


def reverse(op: Reverse, types: Types) -> Lowered:
    """The helper `Reverse`."""
    return Lowered((LayerText("Reverse", (first(_axis(op, types), "axis"),)),))


def roll(op: Roll, types: Types) -> Lowered:
    """The helper `Roll`."""
    return Lowered((LayerText("Roll", (first(_axis(op, types), "axis"), first(op.shift, "shift"))),))


def tile(op: Tile, types: Types) -> Lowered:
    """The helper `Tile`."""
    return Lowered((LayerText("Tile", (first(_axis(op, types), "axis"), first(op.times, "times"))),))


def repeat_vector(op: RepeatVector, types: Types) -> Lowered:
    """`layers.RepeatVector` for a sequence; a helper for an image or a volume."""
    sizes = op.size or ()
    if len(types) > 1:
        return Lowered((LayerText("SpreadLike", (first(len(sizes), "axes"),)),))
    if len(sizes) == 1:
        return Lowered((LayerText("layers.RepeatVector", (first(sizes[0], "size"),)),))
    return Lowered((LayerText("SpreadVector", (first(sizes, "size"),)),))
