"""Merges, and ops that move values, in ONNX."""

from __future__ import annotations

from collections.abc import Callable

from netspec.ops.base import Op
from netspec.ops.merge import Average, Concat
from netspec.ops.resample import Resize
from netspec.ops.reshape import DepthToSpace, Flatten, Identity, Permute, Reshape, SpaceToDepth
from netspec.ops.resize import Crop, Pad
from netspec_onnx.shares import shares
from netspec_onnx.site import Site

MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}


def spread(site: Site) -> list[str]:
    """The branches; a vector beside a map gets spatial axes; one channel is broadcast by ONNX."""
    rank = max(len(type_.spatial) for type_ in site.types)
    axes = range(2, 2 + rank)
    return [
        value if len(type_.spatial) == rank else site.emit("Unsqueeze", value, site.integers(axes))
        for value, type_ in zip(site.values, site.types, strict=True)
    ]


def merge(operator: str) -> Callable[[Op, Site], str]:
    """An operator with any number of inputs."""
    return lambda op, site: site.emit(operator, *spread(site))


def chain(operator: str) -> Callable[[Op, Site], str]:
    """An operator with two inputs, applied from the first branch to the last."""

    def lower(op: Op, site: Site) -> str:
        first, *others = spread(site)
        for other in others:
            first = site.emit(operator, first, other)
        return first

    return lower


def average(op: Average, site: Site) -> str:
    """The sum of the branches divided by their number."""
    return site.emit("Div", site.emit("Sum", *spread(site)), site.number(len(site.values)))


def concat(op: Concat, site: Site) -> str:
    """ONNX's own."""
    return site.emit("Concat", *site.values, axis=op.dimension(site.types) + 1)


def resize(op: Resize, site: Site) -> str:
    """`Resize` by whole factors, or linear; else values are taken by position, or weighed axis by axis.

    Runtimes have cubic kernels and antialiasing for images only.
    """
    wanted = op.sizes(site.types)
    if op.mode in ("cubic", "area") or op.antialias:
        return _weighted(op, site, wanted)
    whole = all(o % i == 0 for i, o in zip(site.sizes, wanted, strict=True))
    if op.mode != "linear" and not whole:
        return _indexed(op, site, wanted)
    settings = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    if op.mode == "linear":
        corners = "align_corners" if op.align_corners else "half_pixel"
        settings = {"mode": "linear", "coordinate_transformation_mode": corners}
    # An axis that keeps its size is not interpolated; the batch is open.
    axes = tuple(range(2, 2 + site.rank))
    return site.emit("Resize", site.x, "", "", site.integers(wanted), axes=axes, **settings)


def _indexed(op: Resize, site: Site, wanted: tuple[int, ...]) -> str:
    x, middle = site.x, int(op.mode == "nearest_exact")
    for axis, (i, o) in enumerate(zip(site.sizes, wanted, strict=True), start=2):
        places = [(2 * at + middle) * i // (2 * o) for at in range(o)]
        x = site.emit("Gather", x, site.integers(places), axis=axis)
    return x


def _weighted(op: Resize, site: Site, wanted: tuple[int, ...]) -> str:
    """A product with a matrix along each axis, which stands last for it."""
    x, rank = site.x, 2 + site.rank
    for axis, (i, o) in enumerate(zip(site.sizes, wanted, strict=True), start=2):
        rows = shares(op, i, o)
        columns = [float(row[at]) for at in range(i) for row in rows]
        swapped = list(range(rank))
        swapped[axis], swapped[-1] = swapped[-1], swapped[axis]
        if axis < rank - 1:
            x = site.emit("Transpose", x, perm=tuple(swapped))
        x = site.emit("MatMul", x, site.numbers(columns, (i, o)))
        if axis < rank - 1:
            x = site.emit("Transpose", x, perm=tuple(swapped))
    return x


def pad(op: Pad, site: Site) -> str:
    """ONNX's own."""
    return site.pad(site.x, op.pads(site.types), op.value, MODES[op.mode], op.channels or (0, 0))


def crop(op: Crop, site: Site) -> str:
    """A slice."""
    cuts = (op.channels or (0, 0), *op.cuts(site.types))
    axes = [axis for axis, cut in enumerate(cuts) if any(cut)]
    if not axes:
        return site.x
    starts = site.integers([cuts[axis][0] for axis in axes])
    ends = site.integers([site.types[0].shape[axis] - cuts[axis][1] for axis in axes])
    return site.emit("Slice", site.x, starts, ends, site.integers([1 + axis for axis in axes]))


def flatten(op: Flatten, site: Site) -> str:
    """Channels first, as they are."""
    return site.emit("Flatten", site.x, axis=1)


def reshape(op: Reshape, site: Site) -> str:
    """Channels first, as they are."""
    return site.reshape(site.x, op.shape)


def permute(op: Permute, site: Site) -> str:
    """`Transpose`; the batch axis stays first."""
    return site.transpose(site.x, op.order(site.types))


def space_to_depth(op: SpaceToDepth, site: Site) -> str:
    """`SpaceToDepth`, which has the places of a block before the channels; else the blocks become axes."""
    if site.rank == 2 and op.order != "crd":
        x = site.x
        if op.order == "darknet":
            x = site.reshape(x, (site.channels // op.block**2, *(size * op.block for size in site.sizes)))
        y = site.emit("SpaceToDepth", x, blocksize=op.block)
        return site.reshape(y, site.node.output.shape) if op.order == "darknet" else y
    split = [part for size in site.sizes for part in (size // op.block, op.block)]
    places = [2 + 2 * axis for axis in range(site.rank)]
    blocks = [1 + 2 * axis for axis in range(site.rank)]
    order = (0, *places) if op.order == "crd" else (*places, 0)
    x = site.transpose(site.reshape(site.x, (site.channels, *split)), (*order, *blocks))
    return site.reshape(x, site.node.output.shape)


def depth_to_space(op: DepthToSpace, site: Site) -> str:
    """`DepthToSpace` on images; on other maps the channels become axes."""
    if site.rank == 2:
        return site.emit("DepthToSpace", site.x, blocksize=op.block, mode=op.order.upper())
    channels, places = site.channels // op.block**site.rank, (op.block,) * site.rank
    first = 1 if op.order == "crd" else 0
    split = (channels, *places) if first else (*places, channels)
    x = site.reshape(site.x, (*split, *site.sizes))
    pairs = [axis for at in range(site.rank) for axis in (at + site.rank + 1, at + first)]
    return site.reshape(site.transpose(x, (0 if first else site.rank, *pairs)), site.node.output.shape)


def identity(op: Identity, site: Site) -> str:
    """`Identity`, so that the value has its own name."""
    return site.emit("Identity", site.x)
