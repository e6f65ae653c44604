"""Vectors of indices, and what keeps, drops or repeats positions of an axis, in PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.lowering.parts import Argument, Call, Part, Range, Slot, call, joined, seq
from netspec_torch.site import OWN, Lowered, Site, run

if TYPE_CHECKING:
    from netspec.ops.axes import Along
    from netspec.ops.indices import Embedding, OneHot
    from netspec.ops.slices import Gather, RepeatVector, Reverse, Roll, Slice, Split, Take


def embedding(op: Embedding, site: Site) -> Lowered:
    """PyTorch's own, which puts the vectors last."""
    arguments = [
        Argument(Slot(site.inputs[0].vocabulary or 0, "vocabulary")),
        Argument(Slot(op.units, "units", channels=True)),
    ]
    if op.padding_index is not None:
        arguments.append(Argument(Slot(op.padding_index, "padding_idx"), "padding_idx"))
    return Lowered(seq(run(site.x), ".movedim(-1, 1)"), Call("nn.Embedding", tuple(arguments)))


def one_hot(op: OneHot, site: Site) -> Lowered:
    """A class, because PyTorch's function gives whole numbers."""
    return Lowered(run(site.x), call("OneHot", Slot(site.inputs[0].vocabulary or 0, "vocabulary")))


def _dim(op: Along, site: Site) -> int:
    """The axis of the tensor, counted with the batch."""
    return 1 + op.dimension(site.inputs)


def _at(op: Along, site: Site, place: Part) -> Lowered:
    """The tensor at these places of the axis."""
    return Lowered(seq(site.x, "[", ":, " * _dim(op, site), place, "]"))


def _range(start: int, stop: int, step: int, size: int) -> Range:
    return Range(
        Slot(start, "start", kept=True) if start else "",
        Slot(stop, "stop", kept=True) if stop < size else "",
        Slot(step, "step", kept=True) if step > 1 else "",
    )


def slice_(op: Slice, site: Site) -> Lowered:
    """A slice."""
    return _at(op, site, _range(*op.bounds, op.size(site.inputs)))


def split(op: Split, site: Site) -> Lowered:
    """PyTorch's own gives all parts; where only the first is used, a slice."""
    if not site.ports:
        return _at(op, site, _range(*op.bounds(), 1, op.size(site.inputs)))
    dim = str(_dim(op, site))
    if len(set(op.sizes)) == 1:
        result = call("torch.chunk", site.x, str(len(op.sizes)), dim=dim)
    else:
        sizes = seq("[", joined(", ", [Slot(size, "size", kept=True) for size in op.sizes]), "]")
        result = call("torch.split", site.x, sizes, dim=dim)
    return Lowered(result, gives=("", *(name for name, _ in op.parts[1:])))


def take(op: Take, site: Site) -> Lowered:
    """An index; with lengths a class."""
    if len(site.inputs) > 1:
        x, lengths = site.variables
        return Lowered(seq(OWN, "(", x, ", ", lengths, ")"), call("LastStep"))
    return _at(op, site, Slot(op.position, "position", kept=True))


def gather(op: Gather, site: Site) -> Lowered:
    """A list of indices."""
    return _at(op, site, f"[{', '.join(map(str, op.positions))}]")


def reverse(op: Reverse, site: Site) -> Lowered:
    """PyTorch's own."""
    return Lowered(seq(site.x, f".flip({_dim(op, site)})"))


def roll(op: Roll, site: Site) -> Lowered:
    """PyTorch's own."""
    return Lowered(seq(site.x, ".roll(", Slot(op.shift, "shift", kept=True), f", dims={_dim(op, site)})"))


def repeat_vector(op: RepeatVector, site: Site) -> Lowered:
    """New axes, which take no memory."""
    sizes = op.size or ()
    axes = ", None" * len(sizes)
    counts = joined(", ", [Slot(size, "size", kept=True) for size in sizes])
    return Lowered(seq(site.x, f"[:, :{axes}].expand(-1, -1, ", counts, ")"))
