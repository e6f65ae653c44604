"""What convolutions and pools share: a window that slides over the spatial axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import ClassVar, cast

from netspec import arithmetic
from netspec.diagnostics.codes import shapes
from netspec.ops.base import Inputs, Misfit, Op
from netspec.ops.fields import Padding, Pads, Pair, PerAxis
from netspec.ops.reach import Reach, Window
from netspec.types import Type


class Windowed(Op):
    """An op with a kernel, a stride, a padding and a dilation along each spatial axis."""

    rounds: ClassVar[bool] = True
    """Whether a stride gives rounded parts of sizes that are no multiples of it."""

    kernel: PerAxis
    """The size of the window."""
    stride: PerAxis | None = None
    """The step of the window: 1 for a convolution, the kernel for a pool, unless told otherwise."""
    padding: Padding = "valid"
    """What is added around the input: `same` gives ⌈i/s⌉ outputs, the odd zero at the end."""
    dilation: PerAxis = (1,)
    """The distance between neighbours of the window."""

    @property
    def strides(self) -> tuple[int, ...]:
        """The stride along each axis, once resolved."""
        return self.kernel if self.stride is None else self.stride

    @property
    def pads(self) -> Pads:
        """The zeros before and after each axis, once resolved."""
        return cast(Pads, self.padding)

    @property
    def span(self) -> tuple[int, ...]:
        """The extent of the dilated kernel along each axis: k + (k − 1)(d − 1)."""
        return tuple(arithmetic.dilated(k, d) for k, d in zip(self.kernel, self.dilation, strict=True))

    def spread(self, rank: int, default_stride: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Kernel, stride and dilation, one an axis."""
        fields = {"kernel": self.kernel, "stride": self.stride or default_stride, "dilation": self.dilation}
        return {name: broadcast(name, values, rank) for name, values in fields.items()}

    def resolve_pads(
        self, sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
    ) -> Pads:
        """The padding as a pair an axis, whatever word it was written with."""
        rank = len(sizes)
        if isinstance(self.padding, int):
            return ((self.padding, self.padding),) * rank
        if isinstance(self.padding, tuple):
            if len(self.padding) != rank:
                raise _count("padding", self.padding, rank)
            return self.padding
        if self.padding == "causal" and rank != 1:
            raise Misfit(
                shapes.RANK,
                f"`causal` padding is for one axis, time; the input has {rank}",
                "padding",
                help="use `same`, or a pair an axis such as `[[2, 0], [1, 1]]`",
            )
        if self.padding == "same":
            return tuple(
                arithmetic.same_pads(i, k, s, d)
                for i, k, s, d in zip(sizes, kernel, stride, dilation, strict=True)
            )
        rule = _RULES[self.padding]
        return tuple(rule(k, d) for k, d in zip(kernel, dilation, strict=True))

    def extents(self, inputs: Inputs) -> Iterable[tuple[str, int]]:
        yield from (
            ("the padded input", i + lo + hi) for i, (lo, hi) in zip(inputs[0].sizes, self.pads, strict=True)
        )
        yield "the number of values of a window", prod(self.kernel)

    def reach(self, inputs: Inputs) -> Reach | None:
        return self.windows()

    def windows(self, mixes: bool = False, splits: bool = False) -> Reach:
        """What a position of the output sees: a window along each axis."""
        rows = zip(self.kernel, self.strides, self.pads, self.dilation, strict=True)
        return Reach(tuple(Window(k, s, lo, d) for k, s, (lo, _), d in rows), mixes=mixes, splits=splits)


_RULES: dict[str, Callable[[int, int], Pair]] = {
    "valid": lambda kernel, dilation: (0, 0),
    "half": arithmetic.half_pads,
    "full": arithmetic.full_pads,
    "causal": arithmetic.causal_pads,
}
"""The words that do not depend on the size of the input; `same` does."""


def broadcast(field: str, values: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """One value for every axis, or one an axis.

    Raises:
        Misfit: the values are neither one nor as many as there are axes.
    """
    if len(values) == 1:
        return values * rank
    if len(values) != rank:
        raise _count(field, values, rank)
    return values


def _count(field: str, values: Sequence[object], rank: int) -> Misfit:
    axes = "1 spatial axis" if rank == 1 else f"{rank} spatial axes"
    # Other libraries give both ends of every axis in one list, in orders of their own.
    both = field == "padding" and len(values) == 2 * rank
    pairs = ", ".join(_pair(values) for _ in range(rank))
    return Misfit(
        shapes.AXES,
        f"`{field}` is given for {len(values)} axes, but the input has {axes}",
        field,
        help=f"give one number for all, or a list of {rank}"
        + (f"; before and after each axis: `[{pairs}]`" if both else ""),
    )


def _pair(values: Sequence[object]) -> str:
    """A pair of pads as it is written, if all are the same."""
    first = values[0] if len(set(values)) == 1 else None
    return str(list(first)) if isinstance(first, tuple) else "[…, …]"


def spatial(op: Op, type_: Type) -> tuple[int, ...]:
    """The sizes of a map, for an op that slides a window over one.

    Raises:
        Misfit: the input is a vector.
    """
    if not type_.spatial:
        raise Misfit(
            shapes.RANK,
            f"`{op.keyword}` needs a map with 1 to 3 spatial axes; the input is a vector, {type_}",
            help="put it before what makes the vector (`flatten`, a global pool), use `dense`, or give the "
            "input spatial axes",
        )
    return type_.sizes


def check_fit(op: Windowed, type_: Type) -> None:
    """Refuse a kernel that fits nowhere.

    Raises:
        Misfit: the dilated kernel is larger than the padded input along an axis.
    """
    sizes = type_.sizes
    padded = [i + lo + hi for i, (lo, hi) in zip(sizes, op.pads, strict=True)]
    misfits = [axis for axis, (extent, size) in enumerate(zip(op.span, padded, strict=True)) if extent > size]
    if not misfits:
        return
    axis = misfits[0]
    written = "×".join(map(str, op.kernel))
    dilated = "" if op.span == op.kernel else f" ({'×'.join(map(str, op.span))} dilated)"
    story = arithmetic.explain_conv(
        sizes[axis], op.kernel[axis], op.strides[axis], op.pads[axis], op.dilation[axis]
    )
    room = min(sizes)
    fixes = [f"use `kernel: {room}`"] if op.span == op.kernel and room >= 1 else []
    raise Misfit(
        shapes.KERNEL,
        f"the kernel does not fit: {written}{dilated} on a padded input of {'×'.join(map(str, padded))}",
        "kernel",
        notes=(
            f"the input is {type_}{{source}}, padding {_pads(op.pads)}, "
            f"so {story.numbers}   [relationship {story.relationship}]",
        ),
        help=", or ".join([*fixes, "`padding: same`"])
        if fixes
        else "use `padding: same`, or a smaller `dilation`",
    )


def _pads(pads: Pads) -> str:
    values = {value for pair in pads for value in pair}
    if len(values) == 1:
        return str(values.pop())
    return ", ".join(f"{lo}+{hi}" for lo, hi in pads)
