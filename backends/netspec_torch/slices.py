"""Embeddings, and ops that select, reorder or repeat positions of an axis, in PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.lowering.parts import Argument, Call, Part, Range, Slot, call, joined, seq
from netspec_torch.orders import Order, channels_last
from netspec_torch.site import OWN, Lowered, Site, run

if TYPE_CHECKING:
    from netspec.ops.arrange import Tile
    from netspec.ops.axes import Along
    from netspec.ops.gather import Gather
    from netspec.ops.indices import Embedding, OneHot
    from netspec.ops.slices import RepeatVector, Reverse, Roll, Slice, Take
    from netspec.ops.split import Split


def embedding(op: Embedding, site: Site) -> Lowered:
    """`nn.Embedding`, which gives vectors as the last axis."""
    arguments = [
        Argument(Slot(site.inputs[0].vocabulary or 0, "vocabulary")),
        Argument(Slot(op.units, "units", channels=True)),
    ]
    if op.padding_index is not None:
        arguments.append(Argument(Slot(op.padding_index, "padding_idx"), "padding_idx"))
    return Lowered(run(site.x), Call("nn.Embedding", tuple(arguments)), makes=_channels_last(site))


def one_hot(op: OneHot, site: Site) -> Lowered:
    """A helper class, because `F.one_hot` returns integers."""
    module = call("OneHot", Slot(site.inputs[0].vocabulary or 0, "vocabulary"))
    return Lowered(run(site.x), module, makes=_channels_last(site))


def _channels_last(site: Site) -> tuple[Order]:
    return (channels_last(len(site.output.shape)),)


def _axis(op: Along, site: Site) -> int:
    """The canonical axis of the tensor, with the batch as axis 0."""
    return 1 + op.dimension(site.inputs)


def _dim(op: Along, site: Site) -> int:
    """The dimension of the tensor, in the order in which it comes."""
    return site.dim(_axis(op, site))


def _at(op: Along, site: Site, place: Part, removes: bool = False) -> Lowered:
    """The tensor indexed along the axis: `x[:, :, place]`."""
    makes = site.order.without(_axis(op, site)) if removes else site.order
    return site.as_given(Lowered(seq(site.x, "[", ":, " * _dim(op, site), place, "]")), makes)


def _range(start: int, stop: int | None, step: int = 1) -> Range:
    return Range(
        Slot(start, "start", kept=True) if start else "",
        Slot(stop, "stop", kept=True) if stop is not None else "",
        Slot(step, "step", kept=True) if step > 1 else "",
    )


def slice_(op: Slice, site: Site) -> Lowered:
    """`x[:, start:stop:step]`."""
    return _at(op, site, _range(*op.open_bounds))


def split(op: Split, site: Site) -> Lowered:
    """`torch.chunk` for equal parts, else `torch.split`, or a slice if only the first is used."""
    dim = str(_dim(op, site))
    if len(set(op.sizes)) == 1:
        only = "" if site.ports else "[0]"
        result: Part = call("torch.chunk", site.x, str(len(op.sizes)), dim=dim, tail=only)
    elif not site.ports:
        return _at(op, site, _range(*op.bounds()))
    else:
        sizes = seq("[", joined(", ", [Slot(size, "size", kept=True) for size in op.sizes]), "]")
        result = call("torch.split", site.x, sizes, dim=dim)
    gives = ("", *(name for name, _ in op.parts[1:])) if site.ports else ()
    return site.as_given(Lowered(result, gives=gives))


def take(op: Take, site: Site) -> Lowered:
    """`x[..., position]`; with lengths, a helper class."""
    if len(site.inputs) > 1:
        x, lengths = site.variables
        return Lowered(seq(OWN, "(", x, ", ", lengths, ")"), call("LastStep"))
    return _at(op, site, Slot(op.position, "position", kept=True), removes=True)


def gather(op: Gather, site: Site) -> Lowered:
    """`x[..., [positions]]`; `torch.take_along_dim` for an input of indices."""
    if op.positions is None:
        x, places = site.variables
        dim, last = _axis(op, site), len(site.inputs[0].shape)
        listed = ", :" if site.inputs[1].spatial else ", None"
        places = seq(places, "[:", ", None" * (dim - 1), listed, ", None" * (last - dim), "]")
        result = call("torch.take_along_dim", x, places, dim=str(dim))
        return Lowered(result if site.inputs[1].spatial else seq(result, f".squeeze({dim})"))
    return _at(op, site, f"[{', '.join(map(str, op.positions))}]")


def reverse(op: Reverse, site: Site) -> Lowered:
    """`x.flip`."""
    return site.as_given(Lowered(seq(site.x, f".flip({_dim(op, site)})")))


def roll(op: Roll, site: Site) -> Lowered:
    """`x.roll`."""
    shift = Slot(op.shift, "shift", kept=True)
    return site.as_given(Lowered(seq(site.x, ".roll(", shift, f", dims={_dim(op, site)})")))


def tile(op: Tile, site: Site) -> Lowered:
    """`x.repeat`, which PyTorch calls like this: the whole axis again and again."""
    dim, times = _dim(op, site), Slot(op.times, "times", kept=True)
    ones = [", 1"] * (len(site.order.axes) - dim)
    return site.as_given(Lowered(seq(site.x, ".repeat(", "1, " * dim, times, *ones, ")")))


def repeat_vector(op: RepeatVector, site: Site) -> Lowered:
    """`x[:, :, None].expand`: (N, channels) → (N, channels, *size), without a copy."""
    sizes = op.size or ()
    axes = ", None" * len(sizes)
    if site.is_like:
        first = 1 if site.inputs[1].channels is None else 2
        lengths = [seq(site.variables[1], f".shape[{first + axis}]") for axis in range(len(sizes))]
        counts = joined(", ", lengths)
    else:
        counts = joined(", ", [Slot(size, "size", kept=True) for size in sizes])
    return Lowered(seq(site.x, f"[:, :{axes}].expand(-1, -1, ", counts, ")"))
