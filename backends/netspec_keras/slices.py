"""Embeddings, and ops that select, reorder or repeat positions of an axis, in Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.dataclass import replace
from netspec.ops.indices import Embedding
from netspec_keras.arguments import Arguments, Types, count, first, option
from netspec_keras.functions import behind
from netspec_keras.layer import Holder, LayerText, Lowered

if TYPE_CHECKING:
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


def _slice(axis: int, start: int, stop: int, step: int, size: int, suffix: str = "") -> LayerText:
    """The helper that slices one axis; `stop` is left out at the end of the axis."""
    arguments: Arguments = (
        first(axis, "axis"),
        option("start", start, 0),
        *((option("stop", stop),) if stop < size else ()),
        option("step", step, 1),
    )
    return LayerText("Slice", arguments, suffix)


def slice_(op: Slice, types: Types) -> Lowered:
    """A helper, because Keras has no layer that slices."""
    return Lowered((_slice(_axis(op, types), *op.open_bounds, op.size(types)),))


def split(op: Split, types: Types) -> Lowered:
    """A `Slice` for each part that is used."""
    axis, size = _axis(op, types), op.size(types)
    ports = {name: _slice(axis, *op.bounds(name), 1, size, name) for name, _ in op.parts[1:]}
    return Lowered((_slice(axis, *op.bounds(), 1, size),), ports=ports)


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


def repeat_vector(op: RepeatVector, types: Types) -> Lowered:
    """`layers.RepeatVector` for a sequence; a helper for an image or a volume."""
    sizes = op.size or ()
    if len(sizes) == 1:
        return Lowered((LayerText("layers.RepeatVector", (first(sizes[0], "size"),)),))
    return Lowered((LayerText("SpreadVector", (first(sizes, "size"),)),))
