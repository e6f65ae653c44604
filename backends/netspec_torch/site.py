"""The input and output of a lowering, and the parts that several lowerings write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from functools import cache
from itertools import chain
from typing import Any

from netspec.dataclass import dataclass, replace
from netspec.lowering.parts import Call, Cut, Name, Part, Slot, call, literal, quoted, seq
from netspec.lowering.tree import LiteralValue
from netspec.ops.fields import Pads
from netspec.ops.window import Windowed
from netspec.types import Type
from netspec_torch.orders import Order, canonical

OWN = Name("own")
"""The layer's module, `self.conv1`."""
PADDED = Name("padded")
"""The layer's input after padding by its `Border`."""

ALL = Name("all")
"""All inputs of a layer as one list."""


@cache
def variable(number: int) -> Name:
    """The variable of an input of a layer."""
    return Name(f"x{number}")


@dataclass(frozen=True, slots=True)
class Site:
    """The input and output types of an op in a graph."""

    inputs: tuple[Type, ...]
    output: Type
    trainable: bool = True
    ports: tuple[str, ...] = ()
    """Its further outputs. With some, its result is a tuple."""
    given: Order | None = None
    """The order of its inputs, if it is not the canonical one. An op can ask for another order in `Lowered.takes`."""

    @property
    def variables(self) -> tuple[Part, ...]:
        """Its inputs, as names to substitute."""
        return tuple(map(variable, range(len(self.inputs))))

    @property
    def x(self) -> Part:
        return self.variables[0]

    @property
    def rank(self) -> int:
        return len(self.inputs[0].spatial)

    @property
    def channels(self) -> int:
        return self.inputs[0].channels or 0

    @property
    def order(self) -> Order:
        """The order of its first input."""
        return self.given or canonical(len(self.inputs[0].shape))

    @property
    def is_like(self) -> bool:
        """Whether the last of its inputs only gives its size, for an op that can name one."""
        return len(self.inputs) > 1

    @property
    def is_even(self) -> bool:
        """Whether all inputs have the same number of axes."""
        return len({len(type_.shape) for type_ in self.inputs}) == 1

    def dim(self, axis: int) -> int:
        """The dimension that is a canonical axis of the input; the channels are axis 1."""
        return self.order.dim(axis)

    @property
    def channels_dim(self) -> int:
        """The dimension of the channels: -1 if they come last."""
        return -1 if self.rank and self.order.axes[-1] == 1 else self.dim(1)

    def as_given(self, lowered: Lowered, makes: Order | None = None) -> Lowered:
        """The same for inputs in any one order: it takes the order of this site, and gives that order or `makes`."""
        gives = (makes or self.order,) * (1 + len(self.ports))
        return replace(lowered, takes=(self.order,) * len(self.inputs), makes=gives)


@dataclass(frozen=True, slots=True)
class Border:
    """Padding of an input: its widths, and its value as text if it is not zero."""

    pads: Pads
    value: str = ""

    def inline(self, x: Part) -> Part:
        """The padded input as an expression."""
        return pad(x, self.pads, self.value)

    def module(self) -> Call:
        """A module that pads, so that its widths can be an argument of a block."""
        flat = tuple(chain.from_iterable(reversed(self.pads)))
        name, settings = ("ConstantPad", (self.value,)) if self.value else ("ZeroPad", ())
        return call(f"nn.{name}{len(self.pads)}d", Slot(compact(flat), "padding"), *settings)


@dataclass(frozen=True, slots=True)
class Lowered:
    """The expression for the output of an op, statements before it, and the construction of its module, if it has one.

    If the expression uses the `PADDED` input, `border` is the padding. `apart` is the same lowering with all padding
    before the module, `gathered` is the expression on one list of all inputs, `ALL`. If the expression gives several
    values, `gives` names the further output of each; "" is the first output. Without it, the expression gives the first
    output and those that are used.

    `takes` and `makes` are the orders of the axes of all inputs, and of the first output and the ports; without them,
    they are canonical. If the result is `open`, a method after it needs brackets. `parts` are the parts of its helper
    that it needs.
    """

    result: Part
    module: Call | None = None
    before: tuple[Part, ...] = ()
    border: Border | None = None
    apart: Lowered | None = None
    gathered: Part | None = None
    gives: tuple[str, ...] = ()
    takes: tuple[Order, ...] = ()
    makes: tuple[Order, ...] = ()
    open: bool = False
    parts: frozenset[str] = field(default=frozenset(), compare=False)

    def outputs(self, ports: Sequence[str]) -> tuple[str, ...]:
        """The outputs of the expression, in order, if these further outputs are used."""
        return self.gives or ("", *ports)


Lowering = Callable[[Any, Site], Lowered]


def compact(values: Sequence[int]) -> LiteralValue:
    """One number if all axes agree: `3`, else `(3, 5)`."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def pad(x: Part, pads: Pads, value: str = "", mode: str = "") -> Part:
    """`F.pad`, which counts axes from the last one."""
    flat = tuple(chain.from_iterable(reversed(pads)))
    how = {**({"mode": quoted(mode)} if mode else {}), **({"value": value} if value else {})}
    return call("F.pad", x, literal(flat), **how) if any(flat) else x


def run(x: Part) -> Part:
    """The layer's module, called on an input."""
    return seq(OWN, "(", x, ")")


def symmetric(op: Windowed, sizes: Sequence[int]) -> tuple[int, ...] | None:
    """The padding as one number per axis, if it gives the same windows; else None.

    Zeros at the end that no window reaches do not matter.
    """
    axes = list(zip(sizes, op.span, op.strides, op.pads, strict=True))
    same = all((n + 2 * lo - k) // s == (n + lo + hi - k) // s for n, k, s, (lo, hi) in axes)
    return tuple(lo for lo, _ in op.pads) if same else None


def windowed(op: Windowed) -> dict[str, Part]:
    """Stride and dilation as arguments, left out at 1."""
    return {
        "stride": Slot(compact(op.strides), "stride", default=1),
        "dilation": Slot(compact(op.dilation), "dilation", default=1),
    }


def border(values: Sequence[int]) -> Slot:
    """Padding as an argument, left out at 0."""
    return Slot(compact(values), "padding", default=0)


def cut(x: Part, cuts: Sequence[tuple[int, int]]) -> Part:
    """A map with positions cut off before and after, along each axis."""
    if not any(map(any, cuts)):
        return x
    parts: list[Part] = [x, "[:, :"]
    for lo, hi in cuts:
        parts += [", ", Cut(_taken(lo), _taken(hi))]
    return seq(*parts, "]")


def cut_channels(x: Part, ends: tuple[int, int]) -> Part:
    """A map or a vector without its first and its last channels."""
    return seq(x, "[:, ", Cut(_taken(ends[0]), _taken(ends[1])), "]") if any(ends) else x


def _taken(count: int) -> Part:
    return Slot(count, "cut", kept=True) if count else ""
