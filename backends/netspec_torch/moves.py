"""Merges, and ops that move values, in PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.dataclass import replace
from netspec.lowering.parts import Argument, Call, Part, Range, Slot, call, joined, literal, seq
from netspec_torch.orders import Order, canonical, channels_last
from netspec_torch.site import ALL, OWN, Lowered, Site, cut, cut_channels, run
from netspec_torch.site import pad as padded

if TYPE_CHECKING:
    from netspec.ops.merge import Add, Average, Concat, Divide, Maximum, Minimum, Multiply, Subtract
    from netspec.ops.resample import Resize
    from netspec.ops.reshape import DepthToSpace, Permute, Reshape, SpaceToDepth
    from netspec.ops.resize import Crop, Pad


def spread(site: Site) -> list[Part]:
    """The branches; a vector beside a map gets spatial axes; one channel is broadcast by PyTorch."""
    rank = max(len(type_.spatial) for type_ in site.inputs)
    return [
        variable if len(type_.spatial) == rank else seq(variable, f"[:, :{', None' * rank}]")
        for variable, type_ in zip(site.variables, site.inputs, strict=True)
    ]


def total(op: Add, site: Site) -> Lowered:
    """Python's operator, or its `sum`."""
    return of_all(site, joined(" + ", spread(site)), call("sum", ALL), open=True)


def difference(op: Subtract, site: Site) -> Lowered:
    """Python's operator."""
    return of_all(site, joined(" - ", spread(site)), open=True)


def product(op: Multiply, site: Site) -> Lowered:
    """Python's operator, or its `math.prod`."""
    return of_all(site, joined(" * ", spread(site)), call("math.prod", ALL), open=True)


def quotient(op: Divide, site: Site) -> Lowered:
    """Python's operator."""
    return of_all(site, joined(" / ", spread(site)), open=True)


def of_all(site: Site, result: Part, gathered: Part | None = None, open: bool = False) -> Lowered:
    """An op on the values at one place of all branches: any order, if all have the same number of axes."""
    if not site.is_even:
        return Lowered(result, open=open)
    return site.as_given(Lowered(result, gathered=gathered, open=open))


def maximum(op: Maximum, site: Site) -> Lowered:
    """The largest value. Equal branches get equal shares of the gradient; `torch.maximum` only does this for two."""
    return _extreme(site, "torch.maximum", "amax")


def minimum(op: Minimum, site: Site) -> Lowered:
    """The smallest value, with the gradient of `maximum`."""
    return _extreme(site, "torch.minimum", "amin")


def _extreme(site: Site, of_two: str, method: str) -> Lowered:
    branches = spread(site)
    if len(branches) == 2:
        return of_all(site, call(of_two, *branches))
    tail = f".{method}(dim=0)"
    gathered = call("torch.stack", ALL, tail=tail) if len(set(site.inputs)) == 1 else None
    stacked = call("torch.stack", call("torch.broadcast_tensors", *branches), tail=tail)
    return of_all(site, stacked, gathered)


def average(op: Average, site: Site) -> Lowered:
    """The sum of the branches divided by their number."""
    count = f" / {len(site.variables)}"
    mean = seq("(", joined(" + ", spread(site)), ")", count)
    return of_all(site, mean, seq(call("sum", ALL), count), open=True)


def concat(op: Concat, site: Site) -> Lowered:
    """PyTorch's own."""
    axis = 1 + op.dimension(site.inputs)
    dim = str(site.channels_dim if axis == 1 else site.dim(axis))
    branches = seq("[", joined(", ", site.variables), "]")
    return site.as_given(
        Lowered(call("torch.cat", branches, dim=dim), gathered=call("torch.cat", ALL, dim=dim))
    )


def to_size(helper: str, op: Crop | Pad | Resize, site: Site, *more: Argument) -> Lowered:
    """A helper class that brings a map to a size, or to that of a second map."""
    sizes = () if site.is_like else (Argument(Slot(op.size or (), "size")),)
    return Lowered(seq(OWN, "(", joined(", ", site.variables), ")"), Call(helper, (*sizes, *more)))


def pad(op: Pad, site: Site) -> Lowered:
    """PyTorch's own; a helper class pads to a size. Mirrored and repeated channels are taken by index."""
    lo, hi = op.channels or (0, 0)
    value = literal(op.value) if op.value else ""
    if op.mode == "constant" and op.amount is not None:
        return Lowered(padded(site.x, ((lo, hi), *op.pads(site.inputs)), value))
    lowered = _padded(op, site)
    if not lo and not hi:
        return lowered
    if op.mode == "constant":
        return replace(lowered, result=padded(lowered.result, ((lo, hi), *((0, 0),) * site.rank), value))
    last = site.channels - 1
    places = list(range(-lo, last + 1 + hi))
    if op.mode == "reflect":
        places = [last - abs(last - abs(at)) for at in places]
    listed = ", ".join(str(min(max(at, 0), last)) for at in places)
    return replace(lowered, result=seq(lowered.result, f"[:, [{listed}]]"))


def _padded(op: Pad, site: Site) -> Lowered:
    if op.amount is None:
        mode, value = Slot(op.mode, "mode", default="constant"), Slot(op.value, "value", default=0.0)
        return to_size("CenterPad", op, site, Argument(mode, "mode"), Argument(value, "value"))
    return Lowered(padded(site.x, op.pads(site.inputs), mode=op.mode))


def crop(op: Crop, site: Site) -> Lowered:
    """A slice; a helper class cuts out the middle."""
    lowered = _cropped(op, site)
    return replace(lowered, result=cut_channels(lowered.result, op.channels or (0, 0)))


def _cropped(op: Crop, site: Site) -> Lowered:
    if op.amount is not None:
        return Lowered(cut(site.x, op.cuts(site.inputs)))
    if op.offset is None:
        return to_size("CenterCrop", op, site)
    parts = []
    for axis, (start, size) in enumerate(zip(op.offset, op.size or (), strict=True)):
        first: Part = Slot(start, "offset", kept=True) if start else ""
        if site.is_like:
            length = seq(site.variables[1], f".shape[{2 + axis}]")
            parts.append(Range(first, seq(first, " + ", length) if start else length))
        else:
            parts.append(Range(first, Slot(start + size, "stop", kept=True)))
    return Lowered(seq(site.x, "[:, :, ", joined(", ", parts), "]"))


def reshape(op: Reshape, site: Site) -> Lowered:
    """`reshape`, because values are channels first; in any order if it only adds and drops axes of size 1."""
    order = _reshaped(op, site)
    batch: list[Part] = ["-1"] if op.rest is None else [site.x, ".shape[0]"]
    parts: list[Part] = [site.x, ".reshape(", *batch]
    for axis in order.axes if order else range(1, 1 + len(op.shape)):
        parts += [", ", "-1" if axis - 1 == op.rest else Slot(op.shape[axis - 1], "size", kept=True)]
    lowered = Lowered(seq(*parts, ")"))
    return site.as_given(lowered, order) if order else lowered


def _reshaped(op: Reshape, site: Site) -> Order | None:
    """The order of the output for the order of the input; None if the input must be in its canonical order."""
    kept = op.kept_axes(site.inputs)
    if kept is None:
        return None
    after = {before: axis for axis, before in enumerate(kept, start=1) if before is not None}
    axes = [after[axis - 1] for axis in site.order.axes if axis - 1 in after]
    count = len(op.shape)
    known = [canonical(count), channels_last(count)]
    for order in known if site.order.is_canonical else reversed(known):
        if [axis for axis in order.axes if axis in axes] == axes:
            return order
    new = (axis for axis, before in enumerate(kept, start=1) if before is None)
    return Order((*axes, *new))


def permute(op: Permute, site: Site) -> Lowered:
    """The same tensor, in another order of the axes of the output: the text moves them if a layer needs it."""
    places = op.order(site.inputs)
    made = Order(tuple(1 + places.index(axis - 1) for axis in site.order.axes))
    return site.as_given(Lowered(site.x), made)


def space_to_depth(op: SpaceToDepth, site: Site) -> Lowered:
    """`F.pixel_unshuffle` on images; on other maps, and in another order, the blocks become axes."""
    if op.order == "darknet":
        return Lowered(run(site.x), call("DarknetReorg", Slot(op.block, "block")))
    if site.rank == 2 and op.order == "crd":
        return Lowered(call("F.pixel_unshuffle", site.x, Slot(op.block, "block", kept=True)))
    blocks = [f".unflatten({2 + 2 * axis}, (-1, {op.block}))" for axis in range(site.rank)]
    places = [3 + 2 * axis for axis in range(site.rank)]
    channels = [1, *places] if op.order == "crd" else [*places, 1]
    order = [0, *channels, *(2 + 2 * axis for axis in range(site.rank))]
    moved = f".permute({', '.join(map(str, order))}).flatten(1, {1 + site.rank})"
    return Lowered(seq(site.x, *blocks, moved))


def depth_to_space(op: DepthToSpace, site: Site) -> Lowered:
    """`F.pixel_shuffle` on images; on other maps, and in another order, the channels become axes."""
    if site.rank == 2 and op.order == "crd":
        return Lowered(call("F.pixel_shuffle", site.x, Slot(op.block, "block", kept=True)))
    blocks = [str(op.block)] * site.rank
    split = ["-1", *blocks] if op.order == "crd" else [*blocks, "-1"]
    first = 2 if op.order == "crd" else 1
    order = [0, 1 if op.order == "crd" else 1 + site.rank]
    for axis in range(site.rank):
        order += [2 + site.rank + axis, first + axis]
    moved = f".unflatten(1, ({', '.join(split)})).permute({', '.join(map(str, order))})"
    flat = [f".flatten({2 + axis}, {3 + axis})" for axis in range(site.rank)]
    return Lowered(seq(site.x, moved, *flat))
