"""What a lowering is given and gives, and the words that several of them write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from netspec.lowering.parts import Call, Cut, Part, Seq, Slot, call, literal, seq
from netspec.lowering.tree import Value
from netspec.ops.fields import Pads
from netspec.ops.window import Windowed
from netspec.types import Type


@dataclass(frozen=True, slots=True)
class Site:
    """Where an op stands: the variables that it takes, their types, what it gives."""

    inputs: tuple[Type, ...]
    output: Type
    variables: tuple[str, ...]
    trainable: bool = True
    module: str = ""
    """The expression for its own module, `self.conv1`."""
    pad: str = ""
    """The expression for a module that pads its input; without it the text pads."""
    optional: bool = False
    """Whether that module stands for all uses of a block, also for those that pad natively."""

    @property
    def x(self) -> str:
        return self.variables[0]

    @property
    def rank(self) -> int:
        return len(self.inputs[0].spatial)

    @property
    def channels(self) -> int:
        return self.inputs[0].channels or 0


@dataclass(frozen=True, slots=True)
class Lowered:
    """The expression that gives an op's output, statements before it, and what its modules are, if it has any."""

    result: Part
    module: Call | None = None
    before: tuple[str, ...] = ()
    pad: Part | None = None


Lowering = Callable[[Any, Site], Lowered]


def compact(values: Sequence[int]) -> Value:
    """One number where all axes agree: `3`, else `(3, 5)`."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def pad(x: str, pads: Pads, value: str = "", mode: str = "") -> str:
    """`F.pad` counts axes from the last one."""
    flat = tuple(chain.from_iterable(reversed(pads)))
    how = (f', mode="{mode}"' if mode else "") + (f", value={value}" if value else "")
    return f"F.pad({x}, {literal(flat)}{how})" if any(flat) else x


def padded(site: Site, pads: Pads, value: str = "") -> tuple[str, Part | None]:
    """The input, padded: in the text, or by a module where the uses of a block pad differently."""
    rank, flat = len(pads), Slot(tuple(chain.from_iterable(reversed(pads))), "padding")
    if site.optional:
        flat = Slot(flat.value if any(chain.from_iterable(pads)) else 0, "pad", default=0)
        return f"{site.pad}({site.x})", seq(_border(rank, flat, value), " if ", flat, " else nn.Identity()")
    if not site.pad or not any(chain.from_iterable(pads)):
        return pad(site.x, pads, value), None
    return f"{site.pad}({site.x})", _border(rank, flat, value)


def _border(rank: int, widths: Slot, value: str) -> Call:
    """The module that pads with zeros, or with another value."""
    name, settings = ("ConstantPad", (widths, value)) if value else ("ZeroPad", (widths,))
    return call(f"nn.{name}{rank}d", *settings)


def symmetric(op: Windowed, sizes: Sequence[int]) -> tuple[int, ...] | None:
    """The padding as one number an axis, if that gives the same windows; else None.

    Zeros at the end that no window reaches make no difference.
    """
    axes = list(zip(sizes, op.span, op.strides, op.pads, strict=True))
    same = all((n + 2 * lo - k) // s == (n + lo + hi - k) // s for n, k, s, (lo, hi) in axes)
    return tuple(lo for lo, _ in op.pads) if same else None


def windowed(op: Windowed) -> dict[str, Part]:
    """Stride and dilation as arguments that are left out at 1."""
    return {
        "stride": Slot(compact(op.strides), "stride", default=1),
        "dilation": Slot(compact(op.dilation), "dilation", default=1),
    }


def border(values: Sequence[int]) -> Slot:
    """Padding as an argument that is left out at 0."""
    return Slot(compact(values), "padding", default=0)


def cut(x: str, cuts: Sequence[tuple[int, int]]) -> Part:
    """A map without so many positions before and after, an axis at a time."""
    if not any(map(any, cuts)):
        return x
    parts: list[Part] = [f"{x}[:, :"]
    for lo, hi in cuts:
        parts += [", ", Cut(_taken(lo), _taken(hi))]
    return seq(*parts, "]")


def _taken(count: int) -> Part:
    return Slot(count, "cut", kept=True) if count else ""


def around(before: str, part: Part, after: str) -> Part:
    """Text around a part, which stays a text if it is one."""
    return f"{before}{part}{after}" if isinstance(part, str) else Seq((before, part, after))
